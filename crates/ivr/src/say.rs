//! Values read aloud: which recorded fragments, in which order, by the grammar of each language.
//!
//! Fragments are prompts like any other. [`fragments`] lists all that a language can ask for, with the text
//! to be spoken, so that recordings, checks and readings come from one place. Chinese languages share their
//! fragments' names: one without recordings of its own falls back to another.

mod chinese;
mod english;

use std::fmt;

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SayKind {
    /// Key by key: 105 is "one zero five".
    Digits,
    /// As a whole number: 105 is "one hundred and five".
    Number,
    /// Key by key as telephone numbers are: in Mandarin and Shanghainese 1 is 幺 (yāo).
    Telephone,
}

/// The languages with a grammar: Mandarin, Cantonese, Shanghainese, English.
pub const LANGUAGES: [&str; 4] = ["cmn", "yue", "wuu", "en"];

/// The largest number that is read; the smallest is its negative.
pub const NUMBER_MAX: i64 = 999_999_999_999;

/// A fragment's prompt name and the text to speak.
pub type Fragment = (&'static str, &'static str);

/// The fragments that read `value` aloud, in order. None: it is not of that kind, too large, or the
/// language has no grammar here.
pub fn reading(kind: SayKind, value: &str, language: &str) -> Option<Vec<&'static str>> {
    let grammar = grammar(language)?;
    match kind {
        SayKind::Digits => value.chars().map(digit).collect(),
        SayKind::Telephone => {
            value.chars().map(|c| if c == '1' { Some(grammar.yao) } else { digit(c) }).collect()
        }
        SayKind::Number => {
            let number = whole_number(value)?;
            let mut names = Vec::new();
            if number < 0 {
                names.push("number-minus");
            }
            (grammar.number)(number.unsigned_abs(), &mut names);
            Some(names)
        }
    }
}

/// The reading as text, for people and logs.
pub fn text(kind: SayKind, value: &str, language: &str) -> Option<String> {
    let grammar = grammar(language)?;
    let spoken =
        |name| grammar.fragments.iter().flat_map(|f| *f).find(|(n, _)| *n == name).map(|(_, text)| *text);
    let words: Vec<&str> = reading(kind, value, language)?.into_iter().filter_map(spoken).collect();
    Some(words.join(grammar.between))
}

/// Every fragment that readings in a language use, each once; empty for a language without a grammar.
pub fn fragments(language: &str) -> Vec<Fragment> {
    grammar(language).map(|g| g.fragments.concat()).unwrap_or_default()
}

/// The fragments that readings of one kind use.
pub fn fragments_of(kind: SayKind, language: &str) -> Vec<Fragment> {
    let plain_one = grammar(language).is_some_and(|g| kind == SayKind::Telephone && g.yao != "digit-1");
    let wanted = |name: &str| match kind {
        SayKind::Number => name.starts_with("number-"),
        SayKind::Digits => name.starts_with("digit-") && name != "digit-1-yao",
        SayKind::Telephone => name.starts_with("digit-") && !(plain_one && name == "digit-1"),
    };
    fragments(language).into_iter().filter(|(name, _)| wanted(name)).collect()
}

struct Grammar {
    fragments: &'static [&'static [Fragment]],
    /// What stands between words when they are written.
    between: &'static str,
    /// 1 in a telephone number.
    yao: &'static str,
    /// Reads 0 to [`NUMBER_MAX`].
    number: fn(u64, &mut Vec<&'static str>),
}

fn grammar(language: &str) -> Option<&'static Grammar> {
    match language {
        "cmn" => Some(&chinese::MANDARIN),
        "yue" => Some(&chinese::CANTONESE),
        "wuu" => Some(&chinese::SHANGHAINESE),
        "en" => Some(&english::ENGLISH),
        _ => None,
    }
}

const DIGITS: [&str; 10] = [
    "digit-0", "digit-1", "digit-2", "digit-3", "digit-4", "digit-5", "digit-6", "digit-7", "digit-8",
    "digit-9",
];
const ONES: [&str; 10] = [
    "number-0", "number-1", "number-2", "number-3", "number-4", "number-5", "number-6", "number-7",
    "number-8", "number-9",
];
/// The first is never asked for.
const TENS: [&str; 10] = [
    "number-0",
    "number-10",
    "number-20",
    "number-30",
    "number-40",
    "number-50",
    "number-60",
    "number-70",
    "number-80",
    "number-90",
];
/// The first is never asked for.
const HUNDREDS: [&str; 10] = [
    "number-0",
    "number-100",
    "number-200",
    "number-300",
    "number-400",
    "number-500",
    "number-600",
    "number-700",
    "number-800",
    "number-900",
];

fn digit(key: char) -> Option<&'static str> {
    match key {
        '*' => Some("digit-star"),
        '#' => Some("digit-hash"),
        _ => Some(DIGITS[key.to_digit(10)? as usize]),
    }
}

fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = if digits.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok()? } else { return None };
    (-NUMBER_MAX..=NUMBER_MAX).contains(&number).then_some(number)
}

impl fmt::Display for SayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SayKind::Digits => "digits",
            SayKind::Number => "number",
            SayKind::Telephone => "telephone",
        })
    }
}

#[cfg(test)]
mod tests;
