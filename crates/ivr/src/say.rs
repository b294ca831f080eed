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
