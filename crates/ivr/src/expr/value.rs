//! What variables hold: how values are read, written, compared and told apart.

use super::{Field, LIST_MAX, RecordId, RecordType, Scalar, TEXT_MAX, Type, Types, Value, Variable, suggest};
use crate::{BUILT_IN, VarId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

impl Value {
    pub fn kind(&self) -> Type {
        match self {
            Value::Text(_) => Type::Text,
            Value::Number(_) => Type::Number,
            Value::Bool(_) => Type::Bool,
            Value::Digits(_) => Type::Digits,
            Value::Time(_) => Type::Time,
            Value::Duration(_) => Type::Duration,
            // An empty list fits every list; what declares a variable says which it is.
            Value::List(items) => {
                Type::List(items.first().and_then(|v| Scalar::of(v.kind())).unwrap_or(Scalar::Text))
            }
            Value::Record(id, _) => Type::Record(*id),
        }
    }

    /// `text` as a value of a type, as a number's `vars` preset it; local times are in UTC. None: it does
    /// not fit.
    pub fn parse(text: &str, kind: Type) -> Option<Value> {
        Value::parse_in(text, kind, None)
    }

    /// `text` as a value of a type, local times in a zone (None: UTC).
    ///
    /// Time: `2026-01-01`, `2026-01-01T09:00`, with seconds, with an offset or `Z`, or Unix seconds. Duration:
    /// `500ms`, `30s`, `5m`, `2h`, `1d`, or whole seconds. List: its items with commas between. A record has
    /// no text.
    pub fn parse_in(text: &str, kind: Type, zone: Option<&TimeZone>) -> Option<Value> {
        match kind {
            Type::Text => Some(Value::from(text)),
            Type::Number => text.parse().ok().map(Value::Number),
            Type::Bool => text.parse().ok().map(Value::Bool),
            Type::Digits => text.chars().all(|c| crate::KEYS.contains(c)).then(|| Value::Digits(text.into())),
            Type::Time => parse_time(text, zone.unwrap_or(&TimeZone::UTC)).map(Value::Time),
            Type::Duration => {
                let seconds = || text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok());
                parse_duration(text).or_else(|| Some(seconds()??.saturating_mul(1000))).map(Value::Duration)
            }
            Type::List(of) => {
                let items: Option<Vec<Value>> = match text.trim() {
                    "" => Some(Vec::new()),
                    items => items.split(',').map(|i| Value::parse_in(i.trim(), of.into(), zone)).collect(),
                };
                items.filter(|i| i.len() <= LIST_MAX).map(|i| Value::List(i.into()))
            }
            Type::Record(_) => None,
        }
    }

    /// The value where `kind` is wanted: digits as a text, an empty list as a list of anything. None: it does
    /// not fit.
    pub fn into_kind(self, kind: Type) -> Option<Value> {
        match (self, kind) {
            (Value::Digits(keys), Type::Text) => Some(Value::Text(keys)),
            (Value::List(items), Type::List(_)) if items.is_empty() => Some(Value::List(items)),
            (Value::List(items), Type::List(Scalar::Text)) => {
                let texts: Option<Vec<Value>> =
                    items.iter().map(|i| i.clone().into_kind(Type::Text)).collect();
                texts.map(|t| Value::List(t.into()))
            }
            (value, kind) => (value.kind() == kind).then_some(value),
        }
    }

    /// As it is written into a template: a time as Unix seconds, a duration as whole seconds.
    pub fn text(&self) -> Arc<str> {
        match self {
            Value::Text(text) => text.clone(),
            Value::Number(n) => n.to_string().into(),
            Value::Bool(b) => b.to_string().into(),
            Value::Digits(keys) => keys.clone(),
            Value::Time(unix) => unix.to_string().into(),
            Value::Duration(ms) => (ms / 1000).to_string().into(),
            Value::List(items) | Value::Record(_, items) => {
                items.iter().map(|v| v.text().to_string()).collect::<Vec<_>>().join(", ").into()
            }
        }
    }

    /// The text of a text or digits; empty for everything else.
    pub fn as_str(&self) -> &str {
        match self {
            Value::Text(text) | Value::Digits(text) => text,
            _ => "",
        }
    }

    pub(super) fn number(&self) -> i64 {
        match self {
            Value::Number(n) | Value::Time(n) | Value::Duration(n) => *n,
            _ => 0,
        }
    }

    pub(super) fn items(&self) -> &[Value] {
        match self {
            Value::List(items) | Value::Record(_, items) => items,
            _ => &[],
        }
    }

    /// Equal; digits are the text that they spell.
    pub(super) fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Text(a) | Value::Digits(a), Value::Text(b) | Value::Digits(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Record(_, a), Value::Record(_, b)) => {
                a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| a.same(b))
            }
            (a, b) => a == b,
        }
    }

    /// By the type's order; checked expressions compare nothing else.
    pub(super) fn compare(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Number(a), Value::Number(b))
            | (Value::Time(a), Value::Time(b))
            | (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (a, b) => a.as_str().cmp(b.as_str()),
        }
    }
}

fn parse_time(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(unix) = text.parse::<i64>() {
        return Some(unix);
    }
    if let Ok(with_offset) = text.parse::<Timestamp>() {
        return Some(with_offset.as_second());
    }
    let local = text.parse::<DateTime>().ok()?;
    Some(zone.to_timestamp(local).ok()?.as_second())
}

/// Milliseconds of `500ms`, `30s`, `5m`, `2h` or `1d`.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, ms) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(number.parse::<i64>().ok()?.saturating_mul(*ms))
}

pub(super) fn show_duration(ms: i64) -> String {
    let (unit, length) =
        DURATION_UNITS.iter().rev().find(|(_, length)| ms % length == 0 && ms != 0).unwrap_or(&("s", 1000));
    format!("{}{unit}", ms / length)
}

const DURATION_UNITS: [(&str, i64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// At most [`TEXT_MAX`] bytes of a text.
pub(super) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Number(n)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Type {
    /// Whether a value of type `found` may stand where this one is wanted: itself, or digits for a text.
    pub fn takes(self, found: Type) -> bool {
        found == self || self.joined(found) == Some(self)
    }

    /// The type that holds values of both; None: there is none.
    pub(super) fn joined(self, other: Type) -> Option<Type> {
        use Type::{Digits, List, Text};
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Text, Digits) | (Digits, Text) => Some(Text),
            (List(a), List(b)) => Type::from(a).joined(b.into()).and_then(Scalar::of).map(List),
            _ => None,
        }
    }

    /// Text or digits.
    pub fn is_text(self) -> bool {
        matches!(self, Type::Text | Type::Digits)
    }

    /// "a text", "digits".
    pub(super) fn noun(self) -> String {
        if self == Type::Digits { self.to_string() } else { format!("a {self}") }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Text => "text",
            Type::Number => "number",
            Type::Bool => "bool",
            Type::Digits => "digits",
            Type::Time => "time",
            Type::Duration => "duration",
            Type::List(of) => return write!(f, "list of {}", Type::from(*of)),
            Type::Record(_) => "record",
        })
    }
}

impl Scalar {
    /// None: a list or a record.
    pub fn of(kind: Type) -> Option<Scalar> {
        Some(match kind {
            Type::Text => Scalar::Text,
            Type::Number => Scalar::Number,
            Type::Bool => Scalar::Bool,
            Type::Digits => Scalar::Digits,
            Type::Time => Scalar::Time,
            Type::Duration => Scalar::Duration,
            Type::List(_) | Type::Record(_) => return None,
        })
    }
}

impl From<Scalar> for Type {
    fn from(of: Scalar) -> Type {
        match of {
            Scalar::Text => Type::Text,
            Scalar::Number => Type::Number,
            Scalar::Bool => Type::Bool,
            Scalar::Digits => Type::Digits,
            Scalar::Time => Type::Time,
            Scalar::Duration => Type::Duration,
        }
    }
}

impl RecordType {
    /// A field's place and the field.
    pub fn find(&self, name: &str) -> Option<(u16, &Field)> {
        let place = self.fields.iter().position(|f| &*f.name == name)?;
        Some((u16::try_from(place).ok()?, &self.fields[place]))
    }

    /// A record in which nothing is known yet.
    pub fn start(&self, id: RecordId) -> Value {
        Value::Record(id, self.fields.iter().map(|f| f.default.clone()).collect())
    }
}

impl Types {
    /// The built-in variables, then the flow's own, in order.
    pub fn new(vars: &[crate::VarDecl]) -> Types {
        let own = vars.iter().enumerate().map(|(i, v)| (VarId((BUILT_IN.len() + i) as u32), v));
        Types::scope(own)
    }

    /// The built-in variables and some of a flow's, under the names they have here: a sub-flow's own view.
    pub fn scope<'v>(own: impl IntoIterator<Item = (VarId, &'v crate::VarDecl)>) -> Types {
        let built_in = BUILT_IN.iter().enumerate().map(|(i, (name, kind, read_only))| Variable {
            id: VarId(i as u32),
            name: Arc::from(*name),
            kind: *kind,
            read_only: *read_only,
        });
        let own = own.into_iter().map(|(id, v)| Variable {
            id,
            name: v.name.clone(),
            kind: v.kind,
            read_only: false,
        });
        Types { variables: built_in.chain(own).collect(), ..Types::default() }
    }

    pub fn find(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| &*v.name == name)
    }

    pub fn variable(&self, id: VarId) -> Option<&Variable> {
        match self.variables.get(id.0 as usize).filter(|v| v.id == id) {
            Some(found) => Some(found),
            None => self.variables.iter().find(|v| v.id == id),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter()
    }

    pub fn record(&self, id: RecordId) -> Option<&RecordType> {
        self.records.get(id.0 as usize)
    }

    /// The nearest name to one that does not exist.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        suggest(name, self.variables.iter().map(|v| &*v.name))
    }
}
