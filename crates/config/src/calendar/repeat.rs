//! Recurrence rules (RFC 5545, 3.3.10): every day, week, month or year, with BYMONTH, BYMONTHDAY, BYDAY,
//! BYSETPOS, INTERVAL, COUNT, UNTIL and WKST.
//!
//! *Invariant:* days only. A rule that needs hours, numbered weeks or another calendar is refused.

use jiff::Span;
use jiff::civil::Date;

/// How a rule is wrong, and where in its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RuleError {
    pub at: usize,
    pub what: String,
    /// It is right, but not of the kind that is followed here.
    pub unsupported: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Every {
    Day,
    Week,
    Month,
    Year,
}

/// A parsed rule.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Rule {
    every: Every,
    interval: i64,
    count: Option<u32>,
    /// As written, with its place in the text: a date or a date with time, whose zone the event knows.
    pub until: Option<(usize, String)>,
    months: Vec<i8>,
    /// From the end when negative.
    month_days: Vec<i8>,
    /// Which one of the month or year (from the end when negative; 0: all), and the weekday (0: Monday).
    weekdays: Vec<(i16, i8)>,
    positions: Vec<i16>,
    week_start: i8,
}

/// Days that may still be looked at in a file.
#[derive(Debug)]
pub(super) struct Budget(pub u32);

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Rule {
    /// `FREQ=YEARLY;BYMONTH=11;BYDAY=4TH`
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        let mut every = None;
        let mut rule = Rule {
            every: Every::Day,
            interval: 1,
            count: None,
            until: None,
            months: vec![],
            month_days: vec![],
            weekdays: vec![],
            positions: vec![],
            week_start: 0,
        };
        let mut seen: Vec<String> = vec![];
        let mut at = 0;
        for part in text.split(';') {
            let start = at;
            at += part.len() + 1;
            if part.is_empty() {
                continue;
            }
            let (name, value) =
                part.split_once('=').ok_or_else(|| wrong(start, part, "no part of a rule"))?;
            let name = name.to_ascii_uppercase();
            let value_at = start + name.len() + 1;
            if seen.contains(&name) {
                return Err(wrong(start, &name, "given twice"));
            }
            match &*name {
                "FREQ" => {
                    every = Some(match &*value.to_ascii_uppercase() {
                        "DAILY" => Every::Day,
                        "WEEKLY" => Every::Week,
                        "MONTHLY" => Every::Month,
                        "YEARLY" => Every::Year,
                        "HOURLY" | "MINUTELY" | "SECONDLY" => return Err(unsupported(value_at, value)),
                        _ => return Err(wrong(value_at, value, "no frequency")),
                    });
                }
                "INTERVAL" => rule.interval = number(value_at, value, 1, 10_000)?,
                "COUNT" => rule.count = Some(number(value_at, value, 1, 1_000_000)? as u32),
                "UNTIL" => rule.until = Some((value_at, value.to_owned())),
                "BYMONTH" => rule.months = numbers(value_at, value, 1, 12)?,
                "BYMONTHDAY" => rule.month_days = numbers(value_at, value, -31, 31)?,
                "BYSETPOS" => rule.positions = numbers(value_at, value, -366, 366)?,
                "BYDAY" => {
                    for (at, word) in words(value_at, value) {
                        rule.weekdays.push(weekday(at, word)?);
                    }
                }
                "WKST" => rule.week_start = weekday(value_at, value)?.1,
                "BYYEARDAY" | "BYWEEKNO" | "BYHOUR" | "BYMINUTE" | "BYSECOND" | "RSCALE" | "SKIP" => {
                    return Err(unsupported(start, &name));
                }
                _ => return Err(wrong(start, &name, "no part of a rule")),
            }
            seen.push(name);
        }
        rule.every = every.ok_or_else(|| wrong(0, "FREQ", "missing"))?;
        let numbered = rule.weekdays.iter().any(|(which, _)| *which != 0);
        if numbered && matches!(rule.every, Every::Day | Every::Week) {
            return Err(wrong(0, "BYDAY", "numbered, which goes with months and years only"));
        }
        if rule.every == Every::Week && !rule.month_days.is_empty() {
            return Err(wrong(0, "BYMONTHDAY", "not for weeks"));
        }
        if rule.count.is_some() && rule.until.is_some() {
            return Err(wrong(0, "COUNT", "given together with UNTIL"));
        }
        Ok(rule)
    }

    /// The days on which it happens, from one to another, `first` (DTSTART) being always one of them; None:
    /// the budget is used up.
    pub fn dates(&self, first: Date, from: Date, until: Date, budget: &mut Budget) -> Option<Vec<Date>> {
        let mut dates = vec![];
        let mut add = |date: Date| {
            if from <= date && date <= until {
                dates.push(date);
            }
        };
        add(first);
        let mut left = self.count.map(|count| count - 1);
        // Counting begins at the beginning; other rules begin where they are looked at.
        let mut n = if left.is_some() { 0 } else { self.periods_before(first, from) };
        while left != Some(0) {
            let Some((start, days)) = self.period(first, n).filter(|(start, _)| *start <= until) else {
                break;
            };
            budget.0 = budget.0.checked_sub(days as u32)?;
            for date in self.matching(first, start, days).into_iter().filter(|date| *date > first) {
                if left == Some(0) {
                    break;
                }
                left = left.map(|left| left - 1);
                add(date);
            }
            n += 1;
        }
        Some(dates)
    }

    /// How many periods certainly end before `from`.
    fn periods_before(&self, first: Date, from: Date) -> i64 {
        let days = days_between(first, from);
        let months = i64::from(from.year() - first.year()) * 12 + i64::from(from.month() - first.month());
        let passed = match self.every {
            Every::Day => days,
            Every::Week => days / 7,
            Every::Month => months,
            Every::Year => i64::from(from.year() - first.year()),
        };
        (passed / self.interval - 1).max(0)
    }

    /// The first day of the `n`th period and how many days it has; None: beyond the calendar.
    fn period(&self, first: Date, n: i64) -> Option<(Date, i64)> {
        let n = n * self.interval;
        match self.every {
            Every::Day => Some((plus(first, n)?, 1)),
            Every::Week => {
                let into = (first.weekday().to_monday_zero_offset() - self.week_start).rem_euclid(7);
                Some((plus(first, n * 7 - i64::from(into))?, 7))
            }
            Every::Month => {
                let month = i64::from(first.year()) * 12 + i64::from(first.month() - 1) + n;
                let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
                let start = Date::new(i16::try_from(year).ok()?, month as i8, 1).ok()?;
                Some((start, i64::from(start.days_in_month())))
            }
            Every::Year => {
                let year = i16::try_from(i64::from(first.year()) + n).ok()?;
                let start = Date::new(year, 1, 1).ok()?;
                Some((start, i64::from(start.days_in_year())))
            }
        }
    }

    /// The days of a period that the rule means.
    fn matching(&self, first: Date, start: Date, days: i64) -> Vec<Date> {
        let mut dates = vec![];
        let mut next = Some(start);
        for _ in 0..days {
            let Some(date) = next else { break };
            if self.matches(first, date) {
                dates.push(date);
            }
            next = date.tomorrow().ok();
        }
        if self.positions.is_empty() {
            return dates;
        }
        let length = dates.len() as i64;
        let is_wanted =
            |i: i64| self.positions.iter().map(|p| i64::from(*p)).any(|p| p == i + 1 || p == i - length);
        (0..length).zip(dates).filter(|(i, _)| is_wanted(*i)).map(|(_, date)| date).collect()
    }

    fn matches(&self, first: Date, date: Date) -> bool {
        let (no_days, no_weekdays) = (self.month_days.is_empty(), self.weekdays.is_empty());
        // What the rule leaves open is as in the first date.
        let fits = match self.every {
            Every::Day => true,
            Every::Week => !no_weekdays || date.weekday() == first.weekday(),
            Every::Month => !no_weekdays || !no_days || date.day() == first.day(),
            Every::Year if no_weekdays && no_days => {
                date.day() == first.day() && (!self.months.is_empty() || date.month() == first.month())
            }
            Every::Year => true,
        };
        let length = date.days_in_month();
        let is_month_day = |wanted: &i8| *wanted == date.day() || *wanted == date.day() - length - 1;
        fits && (self.months.is_empty() || self.months.contains(&date.month()))
            && (no_days || self.month_days.iter().any(is_month_day))
            && (no_weekdays || self.is_weekday(date))
    }

    fn is_weekday(&self, date: Date) -> bool {
        let of_year = self.every == Every::Year && self.months.is_empty();
        let (day, length) = match of_year {
            true => (date.day_of_year(), date.days_in_year()),
            false => (i16::from(date.day()), i16::from(date.days_in_month())),
        };
        let (from_start, from_end) = ((day - 1) / 7 + 1, -((length - day) / 7 + 1));
        self.weekdays.iter().any(|(which, weekday)| {
            *weekday == date.weekday().to_monday_zero_offset() && [0, from_start, from_end].contains(which)
        })
    }
}

pub(super) fn plus(date: Date, days: i64) -> Option<Date> {
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// Negative when `to` is before `from`.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// `-1SU`: the last Sunday; `SU`: every one.
fn weekday(at: usize, text: &str) -> Result<(i16, i8), RuleError> {
    let upper = text.to_ascii_uppercase();
    let day = WEEKDAYS.iter().position(|day| upper.ends_with(day));
    let day = day.ok_or_else(|| wrong(at, text, "no weekday"))?;
    let which = &text[..text.len() - 2];
    let which = if which.is_empty() { 0 } else { number(at, which, -53, 53)? };
    Ok((which as i16, day as i8))
}

fn numbers<T: TryFrom<i64>>(at: usize, text: &str, low: i64, high: i64) -> Result<Vec<T>, RuleError> {
    let read =
        |(at, word)| T::try_from(number(at, word, low, high)?).map_err(|_| wrong(at, word, "out of range"));
    words(at, text).map(read).collect()
}

/// A number that is not 0.
fn number(at: usize, text: &str, low: i64, high: i64) -> Result<i64, RuleError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let fits = |n: &i64| *n != 0 && (low..=high).contains(n);
    number.filter(fits).ok_or_else(|| wrong(at, text, &format!("no number from {low} to {high}")))
}

fn words(at: usize, text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(',').scan(at, |at, word| {
        let start = *at;
        *at += word.len() + 1;
        Some((start, word))
    })
}

fn wrong(at: usize, text: &str, what: &str) -> RuleError {
    let what = format!("`{}` of the rule is {what}", crate::shorten(text));
    RuleError { at, what, unsupported: false }
}

fn unsupported(at: usize, text: &str) -> RuleError {
    let what = format!("`{}` is not among the repetitions that are followed", crate::shorten(text));
    RuleError { at, what, unsupported: true }
}
