//! English as it is spoken in Britain and on most hotlines.
//!
//! - Groups of three digits; "and" before the last two digits of what goes before it, as in "one hundred and
//!   five thousand", "one thousand and five".
//! - Years go in pairs: "twenty twenty six", "nineteen oh five", "nineteen hundred"; the first ten of a
//!   millennium and what lies before the year 1000 are numbers: "two thousand and five".
//! - Twelve-hour clock; 12:00 is noon, 0:00 midnight ("twelve p.m." means both to somebody).

mod fragments;

use super::value::{Amount, Clock, Date, Value, Wait};
use super::{Currency, Grammar, HUNDREDS, MONTHS, ONES, TENS, digit, names};

pub const ENGLISH: Grammar = Grammar { rows: &fragments::ROWS, column: 0, between: " ", read };

const TEENS: [&str; 10] = names!("number-": 10 11 12 13 14 15 16 17 18 19);
/// The first is never asked for, here and below.
const ORDINALS: [&str; 20] = names!("ordinal-": 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
const ORDINAL_TENS: [&str; 10] = names!("ordinal-": 0 10 20 30 40 50 60 70 80 90);

type Names = Vec<&'static str>;

/// One and many of a unit.
type Unit = [&'static str; 2];

const HOURS: Unit = ["duration-hour", "duration-hours"];
const MINUTES: Unit = ["duration-minute", "duration-minutes"];
const SECONDS: Unit = ["duration-second", "duration-seconds"];

fn read(value: Value<'_>, names: &mut Names) {
    match value {
        Value::Digits(keys) | Value::Telephone(keys) => names.extend(keys.chars().map(digit)),
        Value::Number(n) => {
            names.extend((n < 0).then_some("number-minus"));
            number(n.unsigned_abs(), names);
        }
        Value::Money(currency, amount) => money(currency, amount, names),
        Value::Date(Date { year: of, month, day }) => {
            names.push("date-the");
            ordinal(day, names);
            names.push(MONTHS[month]);
            year(of, names);
        }
        Value::Time(clock) => time(clock, names),
        Value::Duration(seconds) => {
            counted(
                &[(seconds / 3600, HOURS), (seconds / 60 % 60, MINUTES), (seconds % 60, SECONDS)],
                SECONDS,
                names,
            );
        }
        Value::Position(place) => ordinal(place, names),
        Value::Wait(wait) => self::wait(wait, names),
    }
}

fn number(number: u64, names: &mut Names) {
    if number == 0 {
        names.push(ONES[0]);
        return;
    }
    let units = [
        (1_000_000_000, "number-billion"),
        (1_000_000, "number-million"),
        (1000, "number-thousand"),
        (1, ""),
    ];
    let mut begun = false;
    for (size, unit) in units {
        let group = (number / size % 1000) as usize;
        if group == 0 {
            continue;
        }
        let (hundreds, rest) = (group / 100, group % 100);
        if hundreds > 0 {
            names.push(HUNDREDS[hundreds]);
        }
        if rest > 0 && (hundreds > 0 || begun && size == 1) {
            names.push("number-and");
        }
        below_hundred(rest, names);
        names.extend((size > 1).then_some(unit));
        begun = true;
    }
}

/// Nothing for 0.
fn below_hundred(number: usize, names: &mut Names) {
    match (number / 10, number % 10) {
        (1, ones) => names.push(TEENS[ones]),
        (tens, ones) => {
            names.extend((tens > 0).then_some(TENS[tens]));
            names.extend((ones > 0).then_some(ONES[ones]));
        }
    }
}

/// "twenty third", "one hundred and fifth", "two thousand one hundredth"; 1 to 9999.
fn ordinal(place: u64, names: &mut Names) {
    let (rest, hundreds) = ((place % 100) as usize, (place / 100 % 10) as usize);
    let before = match (rest, hundreds) {
        (0, 0) => 0,
        (0, _) => place - place % 1000,
        _ => place - place % 100,
    };
    if before > 0 {
        number(before, names);
    }
    match (rest, hundreds) {
        (0, 0) => names.extend([ONES[(place / 1000) as usize], "ordinal-thousand"]),
        (0, _) => names.extend([ONES[hundreds], "ordinal-hundred"]),
        _ => {
            names.extend((before > 0).then_some("number-and"));
            match (rest / 10, rest % 10) {
                (0 | 1, _) => names.push(ORDINALS[rest]),
                (tens, 0) => names.push(ORDINAL_TENS[tens]),
                (tens, ones) => names.extend([TENS[tens], ORDINALS[ones]]),
            }
        }
    }
}

fn year(year: u64, names: &mut Names) {
    let (century, rest) = ((year / 100) as usize, (year % 100) as usize);
    if year < 1000 || year % 1000 < 10 {
        number(year, names);
        return;
    }
    below_hundred(century, names);
    match rest {
        0 => names.push("date-hundred"),
        1..10 => names.push("date-oh"),
        _ => {}
    }
    below_hundred(rest, names);
}

fn time(Clock { hour, minute }: Clock, names: &mut Names) {
    below_hundred((hour + 11) % 12 + 1, names);
    match minute {
        0 => {}
        1..10 => names.push("time-oh"),
        _ => {}
    }
    below_hundred(minute as usize, names);
    names.push(match (hour, minute) {
        (0, 0) => "time-midnight",
        (12, 0) => "time-noon",
        (0..12, _) => "time-am",
        _ => "time-pm",
    });
}

fn money(currency: Currency, amount: Amount, names: &mut Names) {
    let [whole, hundredths] = match currency {
        Currency::Cny => [["money-cny-whole"; 2], ["money-cny-hundredth"; 2]],
        Currency::Hkd => {
            [["money-hkd-whole", "money-hkd-wholes"], ["money-hkd-hundredth", "money-hkd-hundredths"]]
        }
        Currency::Usd => {
            [["money-usd-whole", "money-usd-wholes"], ["money-usd-hundredth", "money-usd-hundredths"]]
        }
        Currency::Eur => {
            [["money-eur-whole", "money-eur-wholes"], ["money-eur-hundredth", "money-eur-hundredths"]]
        }
        Currency::Gbp => {
            [["money-gbp-whole", "money-gbp-wholes"], ["money-gbp-hundredth", "money-gbp-hundredths"]]
        }
    };
    names.extend(amount.negative.then_some("number-minus"));
    counted(&[(amount.whole, whole), (amount.hundredths, hundredths)], whole, names);
}

/// What there is of each unit, "and" before the last; nothing of `zero` when there is nothing.
fn counted(parts: &[(u64, Unit)], zero: Unit, names: &mut Names) {
    let some: Vec<(u64, Unit)> = parts.iter().copied().filter(|(n, _)| *n > 0).collect();
    for (i, (n, [one, many])) in some.iter().enumerate() {
        names.extend((i > 0 && i + 1 == some.len()).then_some("number-and"));
        number(*n, names);
        names.push(if *n == 1 { one } else { many });
    }
    if some.is_empty() {
        names.extend([ONES[0], zero[1]]);
    }
}

fn wait(wait: Wait, names: &mut Names) {
    match wait {
        Wait::UnderAMinute => names.push("wait-under-minute"),
        Wait::Minutes(n) => {
            names.push("wait-about");
            counted(&[(n, MINUTES)], MINUTES, names);
        }
        Wait::Between(low, high) => {
            number(low, names);
            names.push("wait-to");
            counted(&[(high, MINUTES)], MINUTES, names);
        }
        Wait::AnHour => names.push("wait-hour"),
        Wait::OverAnHour => names.push("wait-over-hour"),
    }
}
