//! The values that are read, parsed once from their texts.

use super::{Currency, NUMBER_MAX, POSITION_MAX, SayKind};

/// A value of a kind. Numbers in it lie within what the grammars read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    Digits(&'a str),
    Number(i64),
    Telephone(&'a str),
    Money(Currency, Amount),
    Date(Date),
    Time(Clock),
    /// Seconds.
    Duration(u64),
    Position(u64),
    Wait(Wait),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount {
    pub negative: bool,
    pub whole: u64,
    pub hundredths: u64,
}

/// A day that exists in the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date {
    /// 1 to 9999.
    pub year: u64,
    pub month: usize,
    pub day: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// 0 to 23.
    pub hour: usize,
    pub minute: u64,
}

/// A wait as people say it: never shorter than it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    UnderAMinute,
    /// About so many; at most 50.
    Minutes(u64),
    /// From less to more; at most 60.
    Between(u64, u64),
    AnHour,
    OverAnHour,
}

impl<'a> Value<'a> {
    pub fn parse(kind: SayKind, text: &'a str) -> Option<Value<'a>> {
        let key = |b: u8| b.is_ascii_digit() || b == b'*' || b == b'#';
        match kind {
            SayKind::Digits => text.bytes().all(key).then_some(Value::Digits(text)),
            SayKind::Telephone => text.bytes().all(key).then_some(Value::Telephone(text)),
            SayKind::Number => {
                let (negative, number) = signed(text);
                let number = i64::try_from(whole(number)?).ok()?;
                Some(Value::Number(if negative { -number } else { number }))
            }
            SayKind::Money(currency) => Some(Value::Money(currency, Amount::parse(text)?)),
            SayKind::Date => Date::parse(text).map(Value::Date),
            SayKind::Time => Clock::parse(text).map(Value::Time),
            SayKind::Duration => whole(text).map(Value::Duration),
            SayKind::Position => whole(text).filter(|n| (1..=POSITION_MAX).contains(n)).map(Value::Position),
            SayKind::Wait => Wait::parse(text).map(Value::Wait),
        }
    }
}

impl Amount {
    fn parse(text: &str) -> Option<Amount> {
        let (negative, amount) = signed(text);
        let (before, after) = amount.split_once('.').unwrap_or((amount, "0"));
        let hundredths = match after.len() {
            1 => whole(after)? * 10,
            2 => whole(after)?,
            _ => return None,
        };
        let whole = whole(before)?;
        Some(Amount { negative: negative && (whole, hundredths) != (0, 0), whole, hundredths })
    }
}

impl Date {
    /// ISO 8601, `YYYY-MM-DD`.
    fn parse(text: &str) -> Option<Date> {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        if (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        let (year, month, day) = (whole(year)?, whole(month)?, whole(day)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (year > 0 && (1..=days).contains(&day)).then_some(Date { year, month: month as usize, day })
    }
}

impl Clock {
    /// `HH:MM`; the hour may be a single digit.
    fn parse(text: &str) -> Option<Clock> {
        let (hour, minute) = text.split_once(':')?;
        if hour.len() > 2 || minute.len() != 2 {
            return None;
        }
        let (hour, minute) = (whole(hour)?, whole(minute)?);
        (hour < 24 && minute < 60).then_some(Clock { hour: hour as usize, minute })
    }
}

impl Wait {
    fn parse(text: &str) -> Option<Wait> {
        let (low, high) = match text.split_once('-') {
            Some((low, high)) => (whole(low)?, whole(high)?),
            None => (whole(text)?, whole(text)?),
        };
        if low > high {
            return None;
        }
        Some(match (spoken_minutes(low).max(1), spoken_minutes(high)) {
            _ if high < 60 => Wait::UnderAMinute,
            _ if high > 3600 => Wait::OverAnHour,
            (60, _) => Wait::AnHour,
            (low, high) if low == high => Wait::Minutes(high),
            (low, high) => Wait::Between(low, high),
        })
    }
}

/// Minutes rounded up to what people say: each up to 10, then 15, 20, 25, 30, 40, 50, 60 ...
fn spoken_minutes(seconds: u64) -> u64 {
    let minutes = seconds.div_ceil(60);
    let step = match minutes {
        0..=10 => 1,
        11..=30 => 5,
        _ => 10,
    };
    minutes.next_multiple_of(step)
}

fn signed(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest))
}

/// ASCII digits only, at most [`NUMBER_MAX`].
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if digits { text.parse().ok()? } else { return None };
    (number <= NUMBER_MAX as u64).then_some(number)
}
