//! Mandarin, Cantonese and Shanghainese: groups of four digits, 万 and 亿.
//!
//! - A gap is one 零: 1005 一千零五, 10500 一万零五百, 100005000 一亿零五千; 一元零五分, 一个小时零五秒.
//! - 10 to 19 begin with 十 only at the very start: 15 十五, 115 一百一十五, 1015 一千零一十五.
//! - 2 is 二 before 十 and 百; before 千, 万 and 亿 it is 两 when the number begins with it, and 二 further
//!   down: 两千二百, 两万二千, 两亿零二万; so too 两元二角. (吕叔湘, 现代汉语八百词, under 两; 二百 and 两百
//!   are both right, 二百 is taken.) Before what is counted 2 alone is 两: 两点, 两分钟.
//! - Shanghainese has 廿 for 20, and 两 before 百, 千, 万, 亿, in years, 两月 and 两号, but 第二.
//! - Years are read digit by digit (GB/T 15835). The parts of the day are those of CLDR's day periods.

mod fragments;

use super::value::{Amount, Clock, Date, Value, Wait};
use super::{Currency, Grammar, HUNDREDS, MONTHS, ONES, TENS, digit, names};

pub const MANDARIN: Grammar =
    Grammar { rows: &fragments::ROWS, column: 0, between: "", read: |v, names| Mandarin.read(v, names) };
pub const CANTONESE: Grammar =
    Grammar { rows: &fragments::ROWS, column: 1, between: "", read: |v, names| Cantonese.read(v, names) };
pub const SHANGHAINESE: Grammar =
    Grammar { rows: &fragments::ROWS, column: 2, between: "", read: |v, names| Shanghainese.read(v, names) };

/// Where the three differ in more than words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chinese {
    Mandarin,
    Cantonese,
    Shanghainese,
}
use Chinese::{Cantonese, Mandarin, Shanghainese};

/// The first is never asked for.
const THOUSANDS: [&str; 10] = names!("number-": 0 1000 2000 3000 4000 5000 6000 7000 8000 9000);
const HOURS: [&str; 13] = names!("time-hour-": 0 1 2 3 4 5 6 7 8 9 10 11 12);

type Names = Vec<&'static str>;

impl Chinese {
    fn read(self, value: Value<'_>, names: &mut Names) {
        match value {
            Value::Digits(keys) => names.extend(keys.chars().map(digit)),
            Value::Telephone(keys) => {
                let yao = if self == Cantonese { "digit-1" } else { "digit-1-yao" };
                names.extend(keys.chars().map(|key| if key == '1' { yao } else { digit(key) }));
            }
            Value::Number(n) => {
                names.extend((n < 0).then_some("number-minus"));
                self.number(n.unsigned_abs(), names);
            }
            Value::Money(currency, amount) => self.money(currency, amount, names),
            Value::Date(Date { year, month, day }) => {
                names.extend(year.to_string().chars().map(digit));
                names.extend(["date-year", MONTHS[month]]);
                if self == Shanghainese {
                    self.count(day, names)
                } else {
                    self.number(day, names)
                }
                names.push("date-day");
            }
            Value::Time(clock) => self.time(clock, names),
            Value::Duration(seconds) => {
                let units = ["duration-hour", "duration-minute", "duration-second"];
                let parts =
                    [(seconds / 3600, units[0]), (seconds / 60 % 60, units[1]), (seconds % 60, units[2])];
                self.parts(&parts, false, units[2], names);
            }
            Value::Position(place) => {
                names.push("position-di");
                self.number(place, names);
                names.push("position-wei");
            }
            Value::Wait(wait) => self.wait(wait, names),
        }
    }

    fn number(self, number: u64, names: &mut Names) {
        if number == 0 {
            names.push(ONES[0]);
            return;
        }
        let (mut begun, mut gap) = (false, false);
        for (size, unit) in [(100_000_000, Some("number-yi")), (10_000, Some("number-wan")), (1, None)] {
            let group = number / size % 10_000;
            if group == 0 {
                gap = begun;
                continue;
            }
            let liang = self == Shanghainese || !begun;
            if group == 2 && unit.is_some() && liang {
                if begun {
                    names.push(ONES[0]);
                }
                names.push("number-2-liang");
            } else {
                group_of_four(group as usize, begun, gap, liang, names);
            }
            names.extend(unit);
            (begun, gap) = (true, false);
        }
    }

    /// A number before what it counts.
    fn count(self, number: u64, names: &mut Names) {
        if number == 2 { names.push("number-2-liang") } else { self.number(number, names) }
    }

    fn money(self, currency: Currency, amount: Amount, names: &mut Names) {
        let Amount { negative, whole, hundredths } = amount;
        let (tenths, rest) = (hundredths / 10, hundredths % 10);
        let (before, parts): (_, &[(u64, &str)]) = match currency {
            Currency::Cny => (
                Some("money-cny"),
                &[(whole, "money-cny-whole"), (tenths, "money-cny-tenth"), (rest, "money-cny-hundredth")],
            ),
            Currency::Hkd => (
                Some("money-hkd"),
                &[(whole, "money-hkd-whole"), (tenths, "money-hkd-tenth"), (rest, "money-hkd-hundredth")],
            ),
            Currency::Usd => (None, &[(whole, "money-usd-whole"), (hundredths, "money-usd-hundredth")]),
            Currency::Eur => (None, &[(whole, "money-eur-whole"), (hundredths, "money-eur-hundredth")]),
            Currency::Gbp => (None, &[(whole, "money-gbp-whole"), (hundredths, "money-gbp-hundredth")]),
        };
        names.extend(before);
        names.extend(negative.then_some("number-minus"));
        self.parts(parts, parts.len() == 3, parts[0].1, names);
    }

    /// What there is of each unit, from the largest down; nothing of `zero` when there is nothing. `tight`: each
    /// unit is a tenth of the one before, so that it needs no 零 when a single digit follows (一元二角, but
    /// 一分钟零两秒), and 2 is 两 only at the beginning.
    fn parts(self, parts: &[(u64, &'static str)], tight: bool, zero: &'static str, names: &mut Names) {
        let (mut begun, mut gap) = (false, false);
        for &(n, unit) in parts {
            if n == 0 {
                gap = begun;
                continue;
            }
            names.extend((gap || begun && !tight && n < 10).then_some(ONES[0]));
            let liang = !begun || !tight || self == Shanghainese;
            if liang {
                self.count(n, names)
            } else {
                self.number(n, names)
            }
            names.push(unit);
            (begun, gap) = (true, false);
        }
        if !begun {
            names.extend([ONES[0], zero]);
        }
    }

    fn time(self, Clock { hour, minute }: Clock, names: &mut Names) {
        names.push(match hour {
            0..5 => "time-night",
            5..8 => "time-dawn",
            8..12 => "time-morning",
            12 => "time-noon",
            13..19 => "time-afternoon",
            _ => "time-evening",
        });
        names.push(match hour {
            0 if self == Mandarin => HOURS[0],
            _ => HOURS[(hour + 11) % 12 + 1],
        });
        match minute {
            0 => {}
            30 => names.push("time-half"),
            _ => {
                names.extend((minute < 10).then_some(ONES[0]));
                self.number(minute, names);
                names.push("time-minute");
            }
        }
    }

    fn wait(self, wait: Wait, names: &mut Names) {
        match wait {
            Wait::UnderAMinute => names.push("wait-under-minute"),
            Wait::Minutes(n) => {
                names.push("wait-about");
                self.count(n, names);
                names.push("duration-minute");
            }
            Wait::Between(low, high) => {
                self.count(low, names);
                names.push("wait-to");
                self.count(high, names);
                names.push("duration-minute");
            }
            Wait::AnHour => names.push("wait-hour"),
            Wait::OverAnHour => names.push("wait-over-hour"),
        }
    }
}

/// 1 to 9999. `begun`: something was said before; `gap`: a whole group of zeros lies between.
fn group_of_four(group: usize, mut begun: bool, mut gap: bool, liang: bool, names: &mut Names) {
    for (size, words) in [(1000, &THOUSANDS), (100, &HUNDREDS), (10, &TENS), (1, &ONES)] {
        let digit = group / size % 10;
        if digit == 0 {
            gap = begun;
            continue;
        }
        if gap {
            names.push(ONES[0]);
        }
        names.push(match (size, digit) {
            (1000, 2) if !liang => "number-2000-er",
            (10, 1) if begun => "number-10-yi",
            _ => words[digit],
        });
        (begun, gap) = (true, false);
    }
}
