//! English: groups of three digits; "and" before the last two digits of what goes before it, as in
//! "one hundred and five thousand", "one thousand and five".

use super::{Fragment, Grammar, HUNDREDS, ONES, TENS};

pub const ENGLISH: Grammar = Grammar { fragments: &[&FRAGMENTS], between: " ", yao: "digit-1", number: read };

const TEENS: [&str; 10] = [
    "number-10",
    "number-11",
    "number-12",
    "number-13",
    "number-14",
    "number-15",
    "number-16",
    "number-17",
    "number-18",
    "number-19",
];

fn read(number: u64, names: &mut Vec<&'static str>) {
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
        match (rest / 10, rest % 10) {
            (1, ones) => names.push(TEENS[ones]),
            (tens, ones) => {
                names.extend((tens > 0).then_some(TENS[tens]));
                names.extend((ones > 0).then_some(ONES[ones]));
            }
        }
        names.extend((size > 1).then_some(unit));
        begun = true;
    }
}

const FRAGMENTS: [Fragment; 54] = [
    ("digit-0", "zero"),
    ("digit-1", "one"),
    ("digit-2", "two"),
    ("digit-3", "three"),
    ("digit-4", "four"),
    ("digit-5", "five"),
    ("digit-6", "six"),
    ("digit-7", "seven"),
    ("digit-8", "eight"),
    ("digit-9", "nine"),
    ("digit-star", "star"),
    ("digit-hash", "hash"),
    ("number-minus", "minus"),
    ("number-and", "and"),
    ("number-0", "zero"),
    ("number-1", "one"),
    ("number-2", "two"),
    ("number-3", "three"),
    ("number-4", "four"),
    ("number-5", "five"),
    ("number-6", "six"),
    ("number-7", "seven"),
    ("number-8", "eight"),
    ("number-9", "nine"),
    ("number-10", "ten"),
    ("number-11", "eleven"),
    ("number-12", "twelve"),
    ("number-13", "thirteen"),
    ("number-14", "fourteen"),
    ("number-15", "fifteen"),
    ("number-16", "sixteen"),
    ("number-17", "seventeen"),
    ("number-18", "eighteen"),
    ("number-19", "nineteen"),
    ("number-20", "twenty"),
    ("number-30", "thirty"),
    ("number-40", "forty"),
    ("number-50", "fifty"),
    ("number-60", "sixty"),
    ("number-70", "seventy"),
    ("number-80", "eighty"),
    ("number-90", "ninety"),
    ("number-100", "one hundred"),
    ("number-200", "two hundred"),
    ("number-300", "three hundred"),
    ("number-400", "four hundred"),
    ("number-500", "five hundred"),
    ("number-600", "six hundred"),
    ("number-700", "seven hundred"),
    ("number-800", "eight hundred"),
    ("number-900", "nine hundred"),
    ("number-thousand", "thousand"),
    ("number-million", "million"),
    ("number-billion", "billion"),
];
