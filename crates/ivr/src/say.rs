//! Values read aloud: which recorded fragments, in which order, by the grammar of each language.
//!
//! Fragments are prompts like any other. [`fragments`] lists all that a language can ask for, with the text
//! to be spoken, so that recordings, checks and readings come from one place. Chinese languages share their
//! fragments' names: one without recordings of its own falls back to another.

mod chinese;
mod english;
mod value;

use std::fmt;
use std::str::FromStr;
use value::Value;

/// How a value is read, and which texts are such values. Readings are the Mandarin ones and the English ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SayKind {
    /// Key by key, `0`-`9`, `*`, `#`: `105` is 一零五, "one zero five".
    Digits,
    /// As a whole number within [`NUMBER_MAX`]: `105` is 一百零五, "one hundred and five".
    Number,
    /// Key by key as telephone numbers are: in Mandarin and Shanghainese 1 is 幺 (yāo).
    Telephone,
    /// An amount with at most two decimals: `-2.5` is 人民币负两元五角, "minus two yuan and fifty fen".
    Money(Currency),
    /// A day as `YYYY-MM-DD`: 二零二六年十一月二十三日, "the twenty third of November twenty twenty six".
    Date,
    /// A time of day, `HH:MM` of 24 hours: `14:05` is 下午两点零五分, "two oh five p.m.".
    Time,
    /// Whole seconds: `3725` is 一个小时零两分钟零五秒, "one hour two minutes and five seconds".
    Duration,
    /// A place in a line, 1 to [`POSITION_MAX`]: `3` is 第三位, "third".
    Position,
    /// An expected wait in whole seconds, or a range of them (`240-480`), rounded up to what people say:
    /// 大约四分钟, "about four minutes"; 四到八分钟, "four to eight minutes"; "less than a minute"; "more than
    /// an hour".
    Wait,
}

/// What an amount is counted in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Currency {
    Cny,
    Hkd,
    Usd,
    Eur,
    Gbp,
}

/// The languages with a grammar: Mandarin, Cantonese, Shanghainese, English.
pub const LANGUAGES: [&str; 4] = ["cmn", "yue", "wuu", "en"];

/// The largest number that is read; the smallest is its negative. It bounds amounts and seconds too.
pub const NUMBER_MAX: i64 = 999_999_999_999;

/// The last place in a line that is read.
pub const POSITION_MAX: u64 = 9999;

/// A fragment's prompt name and the text to speak.
pub type Fragment = (&'static str, &'static str);

/// The fragments that read `value` aloud, in order. None: it is not of that kind, too large, or the
/// language has no grammar here.
pub fn reading(kind: SayKind, value: &str, language: &str) -> Option<Vec<&'static str>> {
    let grammar = grammar(language)?;
    let mut names = Vec::new();
    (grammar.read)(Value::parse(kind, value)?, &mut names);
    Some(names)
}

/// The reading as text, for people and logs.
pub fn text(kind: SayKind, value: &str, language: &str) -> Option<String> {
    let grammar = grammar(language)?;
    let spoken = |name| grammar.fragments().find(|(_, (n, _))| *n == name).map(|(_, (_, text))| text);
    let words: Vec<&str> = reading(kind, value, language)?.into_iter().filter_map(spoken).collect();
    Some(words.join(grammar.between))
}

/// Every fragment that readings in a language use, each once; empty for a language without a grammar.
pub fn fragments(language: &str) -> Vec<Fragment> {
    listed(language, |_| true)
}

/// The fragments that readings of one kind use.
pub fn fragments_of(kind: SayKind, language: &str) -> Vec<Fragment> {
    listed(language, |kinds| kinds & bit(kind) != 0)
}

fn listed(language: &str, wanted: impl Fn(Kinds) -> bool) -> Vec<Fragment> {
    let all = grammar(language).into_iter().flat_map(Grammar::fragments);
    all.filter(|(kinds, _)| wanted(*kinds)).map(|(_, fragment)| fragment).collect()
}

impl SayKind {
    /// What kinds are called in flows.
    pub const NAMES: [&str; 9] =
        ["digits", "number", "telephone", "money", "date", "time", "duration", "position", "wait"];

    /// The kind of a name; `money` needs its currency, the others take no notice of one.
    pub fn parse(name: &str, currency: Option<Currency>) -> Option<SayKind> {
        Some(match name {
            "digits" => SayKind::Digits,
            "number" => SayKind::Number,
            "telephone" => SayKind::Telephone,
            "money" => SayKind::Money(currency?),
            "date" => SayKind::Date,
            "time" => SayKind::Time,
            "duration" => SayKind::Duration,
            "position" => SayKind::Position,
            "wait" => SayKind::Wait,
            _ => return None,
        })
    }
}

impl fmt::Display for SayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SayKind::Digits => "digits",
            SayKind::Number => "number",
            SayKind::Telephone => "telephone",
            SayKind::Money(_) => "money",
            SayKind::Date => "date",
            SayKind::Time => "time",
            SayKind::Duration => "duration",
            SayKind::Position => "position",
            SayKind::Wait => "wait",
        })
    }
}

impl Currency {
    pub const ALL: [Currency; 5] =
        [Currency::Cny, Currency::Hkd, Currency::Usd, Currency::Eur, Currency::Gbp];
}

/// The ISO 4217 code.
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Currency::Cny => "CNY",
            Currency::Hkd => "HKD",
            Currency::Usd => "USD",
            Currency::Eur => "EUR",
            Currency::Gbp => "GBP",
        })
    }
}

/// A text that is none of the codes of [`Currency::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Currency, UnknownCurrency> {
        Currency::ALL.into_iter().find(|c| c.to_string() == code).ok_or(UnknownCurrency)
    }
}

impl fmt::Display for UnknownCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a currency that can be read: CNY, HKD, USD, EUR or GBP")
    }
}

impl std::error::Error for UnknownCurrency {}

struct Grammar {
    rows: &'static [Row],
    /// Which text of a row is this language's.
    column: usize,
    /// What stands between words when they are written.
    between: &'static str,
    read: fn(Value<'_>, &mut Vec<&'static str>),
}

/// Kinds whose readings use a fragment, its prompt name, its text in each language of the table; empty: the
/// language does not use it.
type Row = (Kinds, &'static str, &'static [&'static str]);

impl Grammar {
    fn fragments(&'static self) -> impl Iterator<Item = (Kinds, Fragment)> {
        let own = |row: &Row| (row.0, (row.1, row.2[self.column]));
        self.rows.iter().map(own).filter(|(_, (_, text))| !text.is_empty())
    }
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

/// A set of kinds, one bit each; a currency is a kind of its own.
type Kinds = u16;

const fn bit(kind: SayKind) -> Kinds {
    1 << match kind {
        SayKind::Digits => 0,
        SayKind::Number => 1,
        SayKind::Telephone => 2,
        SayKind::Date => 3,
        SayKind::Time => 4,
        SayKind::Duration => 5,
        SayKind::Position => 6,
        SayKind::Wait => 7,
        SayKind::Money(currency) => 8 + currency as u16,
    }
}

/// Short names for the tables of fragments.
mod kinds {
    use super::Currency::{Cny, Eur, Gbp, Hkd, Usd};
    use super::{Kinds, SayKind, bit};

    pub const KEYS: Kinds = bit(SayKind::Digits);
    pub const NUM: Kinds = bit(SayKind::Number);
    pub const TEL: Kinds = bit(SayKind::Telephone);
    pub const DATE: Kinds = bit(SayKind::Date);
    pub const TIME: Kinds = bit(SayKind::Time);
    pub const LONG: Kinds = bit(SayKind::Duration);
    pub const POS: Kinds = bit(SayKind::Position);
    pub const WAIT: Kinds = bit(SayKind::Wait);
    pub const CNY: Kinds = bit(SayKind::Money(Cny));
    pub const HKD: Kinds = bit(SayKind::Money(Hkd));
    pub const USD: Kinds = bit(SayKind::Money(Usd));
    pub const EUR: Kinds = bit(SayKind::Money(Eur));
    pub const GBP: Kinds = bit(SayKind::Money(Gbp));
    pub const MONEY: Kinds = CNY | HKD | USD | EUR | GBP;
    /// Kinds with numbers of any size in them.
    pub const ANY: Kinds = NUM | MONEY | LONG;
}

macro_rules! names {
    ($stem:literal: $($end:literal)*) => { [$(concat!($stem, $end)),*] };
}
use names;

const DIGITS: [&str; 10] = names!("digit-": 0 1 2 3 4 5 6 7 8 9);
const ONES: [&str; 10] = names!("number-": 0 1 2 3 4 5 6 7 8 9);
/// The first is never asked for, here and below.
const TENS: [&str; 10] = names!("number-": 0 10 20 30 40 50 60 70 80 90);
const HUNDREDS: [&str; 10] = names!("number-": 0 100 200 300 400 500 600 700 800 900);
const MONTHS: [&str; 13] = names!("date-month-": 0 1 2 3 4 5 6 7 8 9 10 11 12);

/// A key's fragment; `value` holds no other characters.
fn digit(key: char) -> &'static str {
    match key {
        '*' => "digit-star",
        '#' => "digit-hash",
        _ => DIGITS[key.to_digit(10).unwrap_or(0) as usize],
    }
}

#[cfg(test)]
mod tests;
