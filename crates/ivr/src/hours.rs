//! Opening hours: weekly ranges in a time zone, holidays, make-up workdays, hours closed for once.
//!
//! *Invariant:* the zones come with the program; nothing here reads the system's.

use crate::expr::suggest;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;
const WEEK_MINUTES: usize = 7 * DAY_MINUTES as usize;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// How far ahead the next change is looked for.
const LOOK_AHEAD: i64 = 731 * DAY_SECONDS;

/// When something is open, in local time.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    pub zone: TimeZone,
    pub ranges: Vec<Range>,
    /// Closed; a range that began the evening before still ends after midnight.
    pub holidays: BTreeSet<Date>,
    /// Open like a Monday, whatever day of the week it is; stronger than a holiday.
    pub workdays: BTreeSet<Date>,
    /// Closed once from one Unix second until before another, whatever else holds; apart from each other.
    closures: BTreeMap<i64, i64>,
}

/// Times of day on some days of the week.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes after midnight, 0 to 1439.
    pub from: u16,
    /// Minutes after midnight, 1 to 1440 (24:00). At or before `from`: on the next day.
    pub until: u16,
}

/// What is wrong with a range, a zone or a date.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoursError {
    /// Byte offset in the text.
    pub at: usize,
    pub what: String,
    pub help: Option<String>,
}

/// What is odd about a schedule that can be followed all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Oddity {
    NeverOpen,
    AlwaysOpen,
    /// Two ranges, by their places in [`Schedule::ranges`], on the first weekday (0: Monday) where they meet.
    Overlap {
        first: usize,
        second: usize,
        day: usize,
    },
    /// A day is in both lists; it is a workday.
    HolidayAndWorkday(Date),
    /// Closed on that weekday anyhow.
    HolidayOnClosedDay(Date),
    /// No holiday in a year that follows one that has some.
    YearWithoutHolidays(i16),
}

impl Schedule {
    /// Without holidays, workdays and closures.
    pub fn new(zone: TimeZone, ranges: Vec<Range>) -> Schedule {
        let (holidays, workdays, closures) = Default::default();
        Schedule { zone, ranges, holidays, workdays, closures }
    }

    /// Closes it from one Unix second until before another: stronger than ranges and workdays.
    pub fn close(&mut self, from_unix: i64, until_unix: i64) {
        let (mut from, mut until) = (from_unix, until_unix);
        if from >= until {
            return;
        }
        // Those that it meets become one with it.
        while let Some((start, end)) = self.closures.range(..=until).next_back().map(|(s, e)| (*s, *e))
            && end >= from
        {
            self.closures.remove(&start);
            (from, until) = (from.min(start), until.max(end));
        }
        self.closures.insert(from, until);
    }

    /// Whether it is open at a Unix second.
    pub fn is_open(&self, unix: i64) -> bool {
        // A time out of the calendar's range is nobody's business hours.
        self.local(unix).is_some_and(|local| !self.is_closed_once(unix) && self.in_a_range(local))
    }

    /// The Unix second at which it next opens or, when it is open, closes; None: not within two years.
    pub fn next_change(&self, unix: i64) -> Option<i64> {
        let open = self.is_open(unix);
        let edges = self.edges();
        let mut at = unix;
        let mut shift = unix;
        loop {
            // While the clock's offset stays as it is, what is open can change at an edge only, or a closure's.
            let now = Timestamp::from_second(at).ok()?;
            if shift <= at {
                let next = self.zone.following(now).next();
                shift = next.map_or(i64::MAX, |t| t.timestamp().as_second());
            }
            let second = (at + i64::from(self.zone.to_offset(now).seconds())).rem_euclid(DAY_SECONDS);
            let edge = edges.iter().find(|edge| **edge > second).unwrap_or(&DAY_SECONDS);
            let mut next = shift.min(at + edge - second);
            let closing = self.closures.range(at + 1..).next().map(|(from, _)| *from);
            let reopening = self.closures.range(..=at).next_back().map(|(_, until)| *until);
            for boundary in closing.into_iter().chain(reopening.filter(|until| *until > at)) {
                next = next.min(boundary);
            }
            if next - unix > LOOK_AHEAD {
                return None;
            }
            at = next;
            if self.is_open(at) != open {
                return Some(at);
            }
        }
    }

    /// Whether the day is a holiday, and no make-up workday.
    pub fn is_holiday(&self, unix: i64) -> bool {
        self.local(unix).is_some_and(|local| self.weekday(local.date()).is_none())
    }

    /// Whether it opens on that day: a make-up workday, or a day with hours that is no holiday.
    pub fn is_workday(&self, unix: i64) -> bool {
        let day = self.local(unix).and_then(|local| self.weekday(local.date()));
        day.is_some_and(|day| self.ranges.iter().any(|range| range.days[day]))
    }

    fn local(&self, unix: i64) -> Option<DateTime> {
        Some(self.zone.to_datetime(Timestamp::from_second(unix).ok()?))
    }

    fn is_closed_once(&self, unix: i64) -> bool {
        self.closures.range(..=unix).next_back().is_some_and(|(_, until)| unix < *until)
    }

    fn in_a_range(&self, local: DateTime) -> bool {
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let today = self.weekday(local.date());
        let nights = self.ranges.iter().any(Range::over_midnight);
        let yesterday = nights.then(|| local.date().yesterday().ok()).flatten().and_then(|d| self.weekday(d));
        self.ranges.iter().any(|range| {
            let on = |day: Option<usize>| day.is_some_and(|d| range.days[d]);
            if range.over_midnight() {
                on(today) && minute >= range.from || on(yesterday) && minute < range.until
            } else {
                on(today) && minute >= range.from && minute < range.until
            }
        })
    }

    /// The seconds of a day at which a range may begin or end, in order, without the midnight before.
    fn edges(&self) -> Vec<i64> {
        let minutes = self.ranges.iter().flat_map(|range| [range.from, range.until]);
        let mut edges: Vec<i64> = minutes.map(|m| i64::from(m) * 60).collect();
        edges.push(DAY_SECONDS);
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// The day of the week whose ranges hold (0: Monday); None: a holiday.
    fn weekday(&self, date: Date) -> Option<usize> {
        if self.workdays.contains(&date) {
            return Some(0);
        }
        let weekday = date.weekday().to_monday_zero_offset() as usize;
        (!self.holidays.contains(&date)).then_some(weekday)
    }

    /// Everything odd; empty when all is well.
    pub fn oddities(&self) -> Vec<Oddity> {
        let mut odd = Vec::new();
        let covered: Vec<Vec<bool>> = self.ranges.iter().map(Range::week).collect();
        let open = |minute: usize| covered.iter().any(|week| week[minute]);
        if !(0..WEEK_MINUTES).any(open) {
            odd.push(Oddity::NeverOpen);
        } else if self.holidays.is_empty() && self.closures.is_empty() && (0..WEEK_MINUTES).all(open) {
            odd.push(Oddity::AlwaysOpen);
        }
        for second in 0..covered.len() {
            for first in 0..second {
                let meet = (0..WEEK_MINUTES).find(|m| covered[first][*m] && covered[second][*m]);
                odd.extend(meet.map(|m| Oddity::Overlap { first, second, day: m / DAY_MINUTES as usize }));
            }
        }
        for day in &self.holidays {
            let start = day.weekday().to_monday_zero_offset() as usize * DAY_MINUTES as usize;
            if self.workdays.contains(day) {
                odd.push(Oddity::HolidayAndWorkday(*day));
            } else if !(start..start + DAY_MINUTES as usize).any(open) {
                odd.push(Oddity::HolidayOnClosedDay(*day));
            }
        }
        let years: BTreeSet<i16> = self.holidays.iter().map(|d| d.year()).collect();
        if let (Some(first), Some(last)) = (years.first(), years.last()) {
            odd.extend((*first..*last).filter(|y| !years.contains(y)).map(Oddity::YearWithoutHolidays));
        }
        odd
    }
}

impl Range {
    /// `mon-fri 09:00-18:00`, `sat,sun 10:00-16:00`, `daily 00:00-24:00`, `fri-mon 22:00-06:00`.
    pub fn parse(text: &str) -> Result<Range, HoursError> {
        let mut words = words(text);
        let (days_at, days) = words.next().ok_or_else(|| error(0, "an empty range", Some(EXAMPLE)))?;
        let days = parse_days(days_at, days)?;
        let (at, times) = words
            .next()
            .ok_or_else(|| error(text.len(), "times are missing behind the days", Some(EXAMPLE)))?;
        if let Some((at, _)) = words.next() {
            return Err(error(at, "one range a text", Some("write another one into the list")));
        }
        let (from, until) = times
            .split_once('-')
            .ok_or_else(|| error(at, "not two times with a `-` between", Some(EXAMPLE)))?;
        let (until_at, from) = (at + from.len() + 1, parse_time(at, from)?);
        let until = parse_time(until_at, until)?;
        if from == DAY_MINUTES || until == 0 {
            let help = "a day begins at 00:00 and ends at 24:00";
            return Err(error(if until == 0 { until_at } else { at }, "the wrong midnight", Some(help)));
        }
        if from == until {
            return Err(error(at, "it ends when it begins", Some("a whole day is `00:00-24:00`")));
        }
        Ok(Range { days, from, until })
    }

    fn over_midnight(&self) -> bool {
        self.until <= self.from
    }

    /// Which minutes of a week it covers.
    fn week(&self) -> Vec<bool> {
        let mut week = vec![false; WEEK_MINUTES];
        let (from, until) = (self.from as usize, self.until as usize);
        let length = if self.over_midnight() { until + DAY_MINUTES as usize - from } else { until - from };
        for (day, _) in self.days.iter().enumerate().filter(|(_, on)| **on) {
            for minute in 0..length {
                week[(day * DAY_MINUTES as usize + from + minute) % WEEK_MINUTES] = true;
            }
        }
        week
    }
}

/// A zone of the IANA database by its name.
pub fn zone(name: &str) -> Result<TimeZone, HoursError> {
    let database = TimeZoneDatabase::bundled();
    database.get(name).map_err(|_| {
        let names: Vec<String> = database.available().map(|n| n.to_string()).collect();
        let near = suggest(name, names.iter().map(String::as_str)).map(|n| format!("did you mean `{n}`?"));
        let help = near.unwrap_or_else(|| "a name of the IANA database, such as `Asia/Shanghai`".into());
        error(0, format!("no time zone is called `{name}`"), Some(&help))
    })
}

/// `2026-10-01`.
pub fn date(text: &str) -> Result<Date, HoursError> {
    let shape = text.len() == 10 && text.bytes().enumerate().all(|(i, b)| matches!(i, 4 | 7) == (b == b'-'));
    let parsed = if shape { text.parse().ok() } else { None };
    parsed.ok_or_else(|| error(0, format!("`{text}` is not a date"), Some("as in `2026-10-01`")))
}

const EXAMPLE: &str = "as in `mon-fri 09:00-18:00`";

fn parse_days(at: usize, text: &str) -> Result<[bool; 7], HoursError> {
    let mut days = [false; 7];
    let mut start = at;
    for part in text.split(',') {
        if part == "daily" {
            days = [true; 7];
        } else {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let mut day = parse_day(start, first)?;
            let last = parse_day(start + part.len() - last.len(), last)?;
            days[day] = true;
            // `fri-mon` goes over the week's end.
            while day != last {
                day = (day + 1) % 7;
                days[day] = true;
            }
        }
        start += part.len() + 1;
    }
    Ok(days)
}

fn parse_day(at: usize, text: &str) -> Result<usize, HoursError> {
    DAYS.iter().position(|d| text.eq_ignore_ascii_case(d)).ok_or_else(|| {
        let help = format!("days are {}, or `daily`", DAYS.join(", "));
        error(at, format!("`{text}` is not a day"), Some(&help))
    })
}

/// Minutes after midnight, 24:00 included.
fn parse_time(at: usize, text: &str) -> Result<u16, HoursError> {
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if digits { part.parse::<u16>().ok() } else { None }
    };
    let time = text.split_once(':').and_then(|(h, m)| Some((number(h)?, number(m)?)));
    match time {
        Some((hour, minute)) if hour < 24 && minute < 60 || (hour, minute) == (24, 0) => {
            Ok(hour * 60 + minute)
        }
        _ => Err(error(at, format!("`{text}` is not a time of day"), Some("as in `09:00`, up to `24:00`"))),
    }
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn error(at: usize, what: impl Into<String>, help: Option<&str>) -> HoursError {
    HoursError { at, what: what.into(), help: help.map(str::to_owned) }
}

impl fmt::Display for HoursError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for HoursError {}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Oddity::NeverOpen => write!(f, "never open"),
            Oddity::AlwaysOpen => write!(f, "always open: a step with these hours has only one way"),
            Oddity::Overlap { first, second, day } => {
                let (first, second) = (first + 1, second + 1);
                write!(f, "ranges {first} and {second} overlap on {}", DAYS[*day])
            }
            Oddity::HolidayAndWorkday(day) => {
                write!(f, "{day} is a holiday and a workday: it counts as a workday")
            }
            Oddity::HolidayOnClosedDay(day) => write!(f, "{day} is closed anyhow, without being a holiday"),
            Oddity::YearWithoutHolidays(year) => write!(f, "{year} has no holidays, the years around it do"),
        }
    }
}

#[cfg(test)]
mod tests;
