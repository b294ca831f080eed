//! Opening hours: weekly ranges in a time zone, holidays, make-up workdays.
//!
//! *Invariant:* the zones come with the program; nothing here reads the system's.

use crate::expr::suggest;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::BTreeSet;
use std::fmt;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;
const WEEK_MINUTES: usize = 7 * DAY_MINUTES as usize;

/// When something is open, in local time.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    pub zone: TimeZone,
    pub ranges: Vec<Range>,
    /// Closed; a range that began the evening before still ends after midnight.
    pub holidays: BTreeSet<Date>,
    /// Open like a Monday, whatever day of the week it is; stronger than a holiday.
    pub workdays: BTreeSet<Date>,
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
    /// Without holidays and workdays.
    pub fn new(zone: TimeZone, ranges: Vec<Range>) -> Schedule {
        Schedule { zone, ranges, holidays: BTreeSet::new(), workdays: BTreeSet::new() }
    }

    pub fn is_open(&self, unix_seconds: i64) -> bool {
        // A time out of the calendar's range is nobody's business hours.
        let Ok(at) = Timestamp::from_second(unix_seconds) else { return false };
        self.is_open_at(self.zone.to_datetime(at))
    }

    /// In local time.
    pub fn is_open_at(&self, local: DateTime) -> bool {
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let today = self.weekday(local.date());
        let yesterday = local.date().yesterday().ok().and_then(|d| self.weekday(d));
        self.ranges.iter().any(|range| {
            let on = |day: Option<usize>| day.is_some_and(|d| range.days[d]);
            if range.over_midnight() {
                on(today) && minute >= range.from || on(yesterday) && minute < range.until
            } else {
                on(today) && minute >= range.from && minute < range.until
            }
        })
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
        } else if self.holidays.is_empty() && (0..WEEK_MINUTES).all(open) {
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
mod tests {
    use super::*;

    /// In Shanghai, without summer time; 2026-11-23 is a Monday.
    fn shanghai(ranges: &[&str]) -> Schedule {
        let ranges = ranges.iter().map(|r| Range::parse(r).expect(r)).collect();
        Schedule::new(zone("Asia/Shanghai").expect("a zone"), ranges)
    }

    fn unix(local: &str, zone: &TimeZone) -> i64 {
        zone.to_timestamp(local.parse().expect(local)).expect(local).as_second()
    }

    #[test]
    fn opens_and_closes_by_local_time() {
        let mut office = shanghai(&["mon-fri 09:00-18:00", "sat 10:00-16:00"]);
        office.holidays.extend([date("2026-10-01").expect("a date"), date("2026-10-02").expect("a date")]);
        office.workdays.extend([date("2026-10-10").expect("a date"), date("2026-10-02").expect("a date")]);
        for (local, open) in [
            ("2026-11-23T08:59:59", false),
            ("2026-11-23T09:00:00", true),
            ("2026-11-23T17:59:59", true),
            ("2026-11-23T18:00:00", false),
            ("2026-11-28T09:59:59", false),
            ("2026-11-28T10:00:00", true),
            ("2026-11-28T16:00:00", false),
            ("2026-11-29T12:00:00", false),
            // A holiday on a Thursday, one that is a workday too, and a Saturday worked like a Monday.
            ("2026-10-01T12:00:00", false),
            ("2026-10-02T12:00:00", true),
            ("2026-10-10T09:30:00", true),
            ("2026-10-10T17:00:00", true),
        ] {
            assert_eq!(office.is_open(unix(local, &office.zone)), open, "{local}");
        }
    }

    #[test]
    fn goes_over_midnight() {
        let mut night = shanghai(&["fri 22:00-06:00"]);
        let cases = |night: &Schedule| {
            ["2026-11-27T21:59:59", "2026-11-27T22:00:00", "2026-11-28T05:59:59", "2026-11-28T06:00:00"]
                .map(|local| night.is_open(unix(local, &night.zone)))
        };
        assert_eq!(cases(&night), [false, true, true, false]);
        // Saturday is a holiday: the night that began on Friday goes on.
        night.holidays.insert(date("2026-11-28").expect("a date"));
        assert_eq!(cases(&night), [false, true, true, false]);
        // Friday is: there is no night.
        night.holidays.insert(date("2026-11-27").expect("a date"));
        assert_eq!(cases(&night), [false; 4]);
        // On Sunday it goes over the week's end.
        let night = shanghai(&["sun 22:00-06:00"]);
        assert!(night.is_open(unix("2026-11-30T05:00:00", &night.zone)));
    }

    #[test]
    fn follows_summer_time() {
        let mut office = shanghai(&["daily 09:00-18:00"]);
        office.zone = zone("America/New_York").expect("a zone");
        // 13:30 UTC is 08:30 in winter, 09:30 in summer.
        let utc = |text: &str| unix(text, &TimeZone::UTC);
        assert!(!office.is_open(utc("2026-01-15T13:30:00")));
        assert!(office.is_open(utc("2026-07-15T13:30:00")));
    }

    #[test]
    fn times_out_of_the_calendar_are_closed() {
        let always = shanghai(&["daily 00:00-24:00"]);
        assert!(always.is_open(0));
        assert!(!always.is_open(i64::MAX));
        assert!(!always.is_open(i64::MIN));
    }

    #[test]
    fn parses_ranges() {
        let days = |text: &str| {
            let range = Range::parse(text).expect(text);
            range.days.map(|d| if d { 'x' } else { '.' }).iter().collect::<String>()
        };
        assert_eq!(days("mon-fri 09:00-18:00"), "xxxxx..");
        assert_eq!(days("sat,sun 09:00-18:00"), ".....xx");
        assert_eq!(days("fri-mon 09:00-18:00"), "x...xxx");
        assert_eq!(days("  MON,wed-thu   09:00-18:00 "), "x.xx...");
        assert_eq!(days("daily 00:00-24:00"), "xxxxxxx");
    }

    #[test]
    fn says_where_a_range_is_wrong() {
        for (text, at, what) in [
            ("", 0, "an empty range"),
            ("mon-fri", 7, "times are missing behind the days"),
            ("mon-fry 09:00-18:00", 4, "`fry` is not a day"),
            ("mon,,tue 09:00-18:00", 4, "`` is not a day"),
            ("mon 9-18", 4, "`9` is not a time of day"),
            ("mon 09:00", 4, "not two times with a `-` between"),
            ("mon 09:00-18:60", 10, "`18:60` is not a time of day"),
            ("mon 09:00-24:01", 10, "`24:01` is not a time of day"),
            ("mon 09:00-+8:00", 10, "`+8:00` is not a time of day"),
            ("mon 24:00-06:00", 4, "the wrong midnight"),
            ("mon 22:00-00:00", 10, "the wrong midnight"),
            ("mon 09:00-09:00", 4, "it ends when it begins"),
            ("mon 09:00-18:00 x", 16, "one range a text"),
        ] {
            let wrong = Range::parse(text).expect_err(text);
            assert_eq!((wrong.at, &*wrong.what), (at, what), "{text}");
        }
    }

    #[test]
    fn knows_zones_and_dates() {
        assert_eq!(
            zone("Asia/Shangai").expect_err("mistyped").help.as_deref(),
            Some("did you mean `Asia/Shanghai`?")
        );
        assert!(date("2026-02-29").is_err());
        assert!(date("20261001").is_err());
        assert!(date("2026-10-01T00").is_err());
    }

    #[test]
    fn finds_oddities() {
        assert_eq!(shanghai(&["mon-fri 09:00-18:00", "sat 10:00-16:00"]).oddities(), []);
        assert_eq!(shanghai(&[]).oddities(), [Oddity::NeverOpen]);
        assert_eq!(shanghai(&["daily 00:00-24:00"]).oddities(), [Oddity::AlwaysOpen]);
        assert_eq!(
            shanghai(&["mon-fri 09:00-18:00", "wed 17:00-20:00", "sun 22:00-10:00"]).oddities(),
            [
                Oddity::Overlap { first: 0, second: 1, day: 2 },
                Oddity::Overlap { first: 0, second: 2, day: 0 },
            ]
        );
        let mut office = shanghai(&["mon-fri 09:00-18:00"]);
        office.holidays.extend(["2024-01-01", "2026-10-01", "2026-10-03"].map(|d| date(d).expect(d)));
        office.workdays.insert(date("2026-10-01").expect("a date"));
        let found: Vec<String> = office.oddities().iter().map(Oddity::to_string).collect();
        assert_eq!(
            found,
            [
                "2026-10-01 is a holiday and a workday: it counts as a workday",
                "2026-10-03 is closed anyhow, without being a holiday",
                "2025 has no holidays, the years around it do",
            ]
        );
    }
}
