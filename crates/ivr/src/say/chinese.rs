//! Mandarin, Cantonese and Shanghainese: groups of four digits, 万 and 亿.
//!
//! - A gap is one 零: 1005 一千零五, 10500 一万零五百, 100005000 一亿零五千.
//! - 10 to 19 begin with 十 only at the very start: 15 十五, 115 一百一十五, 1015 一千零一十五.
//! - 2 is 二 before 十 and 百; before 千, 万 and 亿 it is 两 when the number begins with it, and 二 further
//!   down: 两千二百, 两万二千, 两亿零二万. (吕叔湘, 现代汉语八百词, under 两; 二百 and 两百 are both right,
//!   二百 is taken.)
//! - Shanghainese has 廿 for 20 and 两 before 百, 千, 万, 亿 everywhere.

use super::{Fragment, Grammar, HUNDREDS, ONES, TENS};

pub const MANDARIN: Grammar =
    Grammar { fragments: &[&MANDARIN_FRAGMENTS], between: "", yao: "digit-1-yao", number: leading_liang };
pub const CANTONESE: Grammar =
    Grammar { fragments: &[&CANTONESE_FRAGMENTS], between: "", yao: "digit-1", number: leading_liang };
pub const SHANGHAINESE: Grammar =
    Grammar { fragments: &[&SHANGHAINESE_FRAGMENTS], between: "", yao: "digit-1-yao", number: always_liang };

/// The first is never asked for.
const THOUSANDS: [&str; 10] = [
    "number-0",
    "number-1000",
    "number-2000",
    "number-3000",
    "number-4000",
    "number-5000",
    "number-6000",
    "number-7000",
    "number-8000",
    "number-9000",
];

fn leading_liang(number: u64, names: &mut Vec<&'static str>) {
    read(number, false, names);
}

fn always_liang(number: u64, names: &mut Vec<&'static str>) {
    read(number, true, names);
}

fn read(number: u64, always_liang: bool, names: &mut Vec<&'static str>) {
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
        let liang = always_liang || !begun;
        if group == 2 && unit.is_some() && liang {
            if begun {
                names.push(ONES[0]);
            }
            names.push("number-2-liang");
        } else {
            read_group(group as usize, &mut begun, gap, liang, names);
        }
        names.extend(unit);
        (begun, gap) = (true, false);
    }
}

/// 1 to 9999. `begun`: something was said before; `gap`: a whole group of zeros lies between.
fn read_group(group: usize, begun: &mut bool, gap: bool, liang: bool, names: &mut Vec<&'static str>) {
    let mut gap = gap;
    for (size, words) in [(1000, &THOUSANDS), (100, &HUNDREDS), (10, &TENS), (1, &ONES)] {
        let digit = group / size % 10;
        if digit == 0 {
            gap = *begun;
            continue;
        }
        if gap {
            names.push(ONES[0]);
        }
        names.push(match (size, digit) {
            (1000, 2) if !liang => "number-2000-er",
            (10, 1) if *begun => "number-10-yi",
            _ => words[digit],
        });
        (*begun, gap) = (true, false);
    }
}

const MANDARIN_FRAGMENTS: [Fragment; 56] = [
    ("digit-0", "零"),
    ("digit-1", "一"),
    ("digit-1-yao", "幺"),
    ("digit-2", "二"),
    ("digit-3", "三"),
    ("digit-4", "四"),
    ("digit-5", "五"),
    ("digit-6", "六"),
    ("digit-7", "七"),
    ("digit-8", "八"),
    ("digit-9", "九"),
    ("digit-star", "星号"),
    ("digit-hash", "井号"),
    ("number-minus", "负"),
    ("number-0", "零"),
    ("number-1", "一"),
    ("number-2", "二"),
    ("number-2-liang", "两"),
    ("number-3", "三"),
    ("number-4", "四"),
    ("number-5", "五"),
    ("number-6", "六"),
    ("number-7", "七"),
    ("number-8", "八"),
    ("number-9", "九"),
    ("number-10", "十"),
    ("number-10-yi", "一十"),
    ("number-20", "二十"),
    ("number-30", "三十"),
    ("number-40", "四十"),
    ("number-50", "五十"),
    ("number-60", "六十"),
    ("number-70", "七十"),
    ("number-80", "八十"),
    ("number-90", "九十"),
    ("number-100", "一百"),
    ("number-200", "二百"),
    ("number-300", "三百"),
    ("number-400", "四百"),
    ("number-500", "五百"),
    ("number-600", "六百"),
    ("number-700", "七百"),
    ("number-800", "八百"),
    ("number-900", "九百"),
    ("number-1000", "一千"),
    ("number-2000", "两千"),
    ("number-2000-er", "二千"),
    ("number-3000", "三千"),
    ("number-4000", "四千"),
    ("number-5000", "五千"),
    ("number-6000", "六千"),
    ("number-7000", "七千"),
    ("number-8000", "八千"),
    ("number-9000", "九千"),
    ("number-wan", "万"),
    ("number-yi", "亿"),
];

const CANTONESE_FRAGMENTS: [Fragment; 55] = [
    ("digit-0", "零"),
    ("digit-1", "一"),
    ("digit-2", "二"),
    ("digit-3", "三"),
    ("digit-4", "四"),
    ("digit-5", "五"),
    ("digit-6", "六"),
    ("digit-7", "七"),
    ("digit-8", "八"),
    ("digit-9", "九"),
    ("digit-star", "星號"),
    ("digit-hash", "井號"),
    ("number-minus", "負"),
    ("number-0", "零"),
    ("number-1", "一"),
    ("number-2", "二"),
    ("number-2-liang", "兩"),
    ("number-3", "三"),
    ("number-4", "四"),
    ("number-5", "五"),
    ("number-6", "六"),
    ("number-7", "七"),
    ("number-8", "八"),
    ("number-9", "九"),
    ("number-10", "十"),
    ("number-10-yi", "一十"),
    ("number-20", "二十"),
    ("number-30", "三十"),
    ("number-40", "四十"),
    ("number-50", "五十"),
    ("number-60", "六十"),
    ("number-70", "七十"),
    ("number-80", "八十"),
    ("number-90", "九十"),
    ("number-100", "一百"),
    ("number-200", "二百"),
    ("number-300", "三百"),
    ("number-400", "四百"),
    ("number-500", "五百"),
    ("number-600", "六百"),
    ("number-700", "七百"),
    ("number-800", "八百"),
    ("number-900", "九百"),
    ("number-1000", "一千"),
    ("number-2000", "兩千"),
    ("number-2000-er", "二千"),
    ("number-3000", "三千"),
    ("number-4000", "四千"),
    ("number-5000", "五千"),
    ("number-6000", "六千"),
    ("number-7000", "七千"),
    ("number-8000", "八千"),
    ("number-9000", "九千"),
    ("number-wan", "萬"),
    ("number-yi", "億"),
];

const SHANGHAINESE_FRAGMENTS: [Fragment; 55] = [
    ("digit-0", "零"),
    ("digit-1", "一"),
    ("digit-1-yao", "幺"),
    ("digit-2", "两"),
    ("digit-3", "三"),
    ("digit-4", "四"),
    ("digit-5", "五"),
    ("digit-6", "六"),
    ("digit-7", "七"),
    ("digit-8", "八"),
    ("digit-9", "九"),
    ("digit-star", "星号"),
    ("digit-hash", "井号"),
    ("number-minus", "负"),
    ("number-0", "零"),
    ("number-1", "一"),
    ("number-2", "二"),
    ("number-2-liang", "两"),
    ("number-3", "三"),
    ("number-4", "四"),
    ("number-5", "五"),
    ("number-6", "六"),
    ("number-7", "七"),
    ("number-8", "八"),
    ("number-9", "九"),
    ("number-10", "十"),
    ("number-10-yi", "一十"),
    ("number-20", "廿"),
    ("number-30", "三十"),
    ("number-40", "四十"),
    ("number-50", "五十"),
    ("number-60", "六十"),
    ("number-70", "七十"),
    ("number-80", "八十"),
    ("number-90", "九十"),
    ("number-100", "一百"),
    ("number-200", "两百"),
    ("number-300", "三百"),
    ("number-400", "四百"),
    ("number-500", "五百"),
    ("number-600", "六百"),
    ("number-700", "七百"),
    ("number-800", "八百"),
    ("number-900", "九百"),
    ("number-1000", "一千"),
    ("number-2000", "两千"),
    ("number-3000", "三千"),
    ("number-4000", "四千"),
    ("number-5000", "五千"),
    ("number-6000", "六千"),
    ("number-7000", "七千"),
    ("number-8000", "八千"),
    ("number-9000", "九千"),
    ("number-wan", "万"),
    ("number-yi", "亿"),
];
