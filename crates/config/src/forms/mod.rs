//! The forms of all files: every table with its keys, their types, bounds, defaults and meanings.
//!
//! This is the one description of the language. Readers take bounds and defaults from it, findings the keys
//! that are known, [`crate::reference`] the page that people read, [`crate::schema`] what editors understand.

mod flow;
mod main;
mod steps;
mod test_files;

pub(crate) use flow::*;
pub(crate) use main::*;
pub(crate) use steps::*;
pub(crate) use test_files::*;

use crate::read::parse_duration;
use std::time::Duration;

/// A table with fixed keys.
#[derive(Debug)]
pub(crate) struct Form {
    /// The keyword of a step, or what the table is called: `[flow]`, `no_input`.
    pub name: &'static str,
    /// What it is for, in a sentence or two.
    pub doc: &'static str,
    pub fields: &'static [Field],
    /// As somebody would write it; a test reads it.
    pub example: &'static str,
}

/// A key of a table.
#[derive(Debug)]
pub(crate) struct Field {
    pub key: &'static str,
    pub kind: Kind,
    pub need: Need,
    pub doc: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    Required,
    /// Left out, it means this, as TOML writes it.
    Default(&'static str),
    /// Left out, it means what the doc says.
    Optional,
}

/// What may stand behind a key.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `true`, and nothing else.
    True,
    Flag,
    Text,
    Number(i64, i64),
    /// With decimals.
    Real,
    /// From, to: in milliseconds.
    Duration(u64, u64),
    OneOf(&'static [&'static str]),
    /// The name of something that is declared elsewhere: `step`, `queue`, `variable`.
    Name(&'static str),
    /// A prompt's name or a list of sounds.
    Prompts,
    /// A text with expressions in braces, or a constant.
    Template,
    /// An expression that is true or false.
    Condition,
    /// What an agent must be able to do.
    Requirement,
    /// Keys that fit: `1[3-9]x.`.
    Pattern,
    /// One key of a telephone.
    Key,
    /// A text, a number, true or false.
    Constant,
    /// A variable or field with its type.
    Declaration,
    /// JSON with templates as its texts.
    Json,
    /// Whatever somebody likes.
    Anything,
    Table(&'static Form),
    /// Keys of the operator's choice (the text says which) with values of one kind.
    Map(&'static str, &'static Kind),
    List(&'static Kind),
    /// One of several.
    Any(&'static [Kind]),
}

impl Form {
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.key == key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|f| f.key)
    }
}

impl Field {
    /// The default of a duration.
    pub fn default_duration(&self) -> Option<Duration> {
        parse_duration(self.default_word()?)
    }

    pub fn default_number(&self) -> Option<i64> {
        self.default_text()?.parse().ok()
    }

    pub fn default_flag(&self) -> Option<bool> {
        self.default_text()?.parse().ok()
    }

    /// Without its quotes.
    pub fn default_word(&self) -> Option<&'static str> {
        Some(self.default_text()?.trim_matches('"'))
    }

    fn default_text(&self) -> Option<&'static str> {
        if let Need::Default(text) = self.need { Some(text) } else { None }
    }
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// No wait is longer.
const WEEK: u64 = 7 * DAY;

const fn must(key: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { key, kind, need: Need::Required, doc }
}

const fn may(key: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { key, kind, need: Need::Optional, doc }
}

const fn or(key: &'static str, default: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { key, kind, need: Need::Default(default), doc }
}

const fn step(key: &'static str, doc: &'static str) -> Field {
    must(key, Kind::Name("step"), doc)
}

/// Which keys the readers asked for, by form: a test holds them against the forms.
#[cfg(test)]
pub(crate) fn asked(form: &Form, keys: &[&'static str]) {
    tests::ASKED.with_borrow_mut(|all| all.entry(form.name).or_default().extend(keys));
}

#[cfg(test)]
mod tests;
