//! Variables with their types: `[var]`, `[param]`, and the fields of records and directories.
use crate::finding::{all_of, did_you_mean};
use crate::install::Install;
use crate::read::{Table, Value, parse_duration};
use ivr::{Field, RecordId, RecordType, Scalar, Type, VarDecl};
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// The shapes of a flow's records: of equal fields, equal ids.
#[derive(Debug, Default)]
pub(crate) struct Records(RefCell<Vec<RecordType>>);

impl Records {
    pub fn id(&self, name: &Arc<str>, fields: &[Field]) -> RecordId {
        let mut records = self.0.borrow_mut();
        let at = records.iter().position(|r| r.fields == fields).unwrap_or_else(|| {
            records.push(RecordType { name: name.clone(), fields: fields.to_vec() });
            records.len() - 1
        });
        RecordId(u16::try_from(at).unwrap_or(u16::MAX))
    }

    pub fn all(&self) -> Arc<[RecordType]> {
        self.0.borrow().as_slice().into()
    }
}

/// What declarations may refer to.
pub(crate) struct Declaring<'d, 'i> {
    pub install: &'d Install<'i>,
    pub records: &'d Records,
    pub zone: &'d TimeZone,
}

const TYPES: [&str; 8] = ["text", "number", "bool", "digits", "time", "duration", "list", "record"];
/// More variables or fields than this are no flow that anybody can read.
pub(crate) const NAMES_MAX: usize = 500;
const WANTED: &str = "a text, a whole number, true, false, a list, or a table with `type`";

impl Declaring<'_, '_> {
    /// A variable by its start value, or by `{ type = "...", start = ... }`. Built-in names are taken.
    pub fn variable(&self, entry: &Value<'_>) -> Option<VarDecl> {
        if ivr::BUILT_IN.iter().any(|(name, ..)| *name == entry.key) {
            entry.findings.error_help(
                entry.key_at(),
                "built-in-variable",
                format!("`{}` is built in", entry.key),
                match entry.key {
                    "language" => "remove this line; `language` in [flow] sets the first one",
                    "severity" => "remove this line; a number's `vars` or a `set` step change it",
                    _ => "call your variable something else",
                }
                .to_owned(),
            );
            return None;
        }
        if !is_word(entry, "variable") {
            return None;
        }
        let name: Arc<str> = entry.key.into();
        if !entry.is_table() {
            let default = self.plain(entry)?;
            return Some(VarDecl { name, kind: default.kind(), default, mask: false });
        }
        let table = entry.table()?.titled(format!("variable `{}`", entry.key)).form(&crate::forms::DECLARED);
        let mask = table.get("mask").and_then(|v| v.flag()).unwrap_or(false);
        let typed = if table.get("type").and_then(|v| v.as_text()) == Some("record") {
            self.record(&name, &table)
        } else {
            self.typed(entry, &table)
        };
        table.done();
        let (kind, default) = typed?;
        Some(VarDecl { name, kind, default, mask })
    }

    /// A field of a record or directory.
    pub fn field(&self, entry: &Value<'_>) -> Option<Field> {
        if !is_word(entry, "field") {
            return None;
        }
        let (kind, default) = if entry.is_table() {
            let table = entry.table()?.titled(format!("field `{}`", entry.key)).form(&crate::forms::DECLARED);
            if let Some(value) = table.get("type").filter(|v| v.as_text() == Some("record")) {
                value.error_help(
                    "bad-type",
                    "a record has no records as fields",
                    "give the inner fields names of their own".to_owned(),
                );
                return None;
            }
            let typed = self.typed(entry, &table);
            table.done();
            typed?
        } else {
            let default = self.plain(entry)?;
            (default.kind(), default)
        };
        Some(Field { name: entry.key.into(), kind, default })
    }

    /// Every field of a table of them.
    pub fn fields(&self, table: &Table<'_>) -> Vec<Field> {
        table.entries().iter().take(NAMES_MAX).filter_map(|e| self.field(e)).collect()
    }

    fn record(&self, name: &Arc<str>, table: &Table<'_>) -> Option<(Type, ivr::Value)> {
        let fields = match (table.get("fields"), table.get("of")) {
            (Some(fields), None) => self.fields(&fields.table()?),
            (None, Some(of)) => {
                let wanted = of.text()?;
                let known = &self.install.systems.directories;
                match known.get(wanted) {
                    Some(directory) => directory.as_ref()?.fields.clone(),
                    None => {
                        crate::install::unknown(&of, "directory", wanted, known.keys().map(|d| &**d));
                        return None;
                    }
                }
            }
            _ => {
                table.findings.error_help(
                    table.at(),
                    "missing-key",
                    format!("{} needs its shape, once", table.title),
                    "write `fields = { name = \"\" }`, or `of = \"DIRECTORY\"`".to_owned(),
                );
                return None;
            }
        };
        let id = self.records.id(name, &fields);
        Some((Type::Record(id), ivr::Value::Record(id, fields.into_iter().map(|f| f.default).collect())))
    }

    /// A value that shows its type itself.
    fn plain(&self, value: &Value<'_>) -> Option<ivr::Value> {
        if let Some(constant) = constant(value) {
            return Some(constant);
        }
        if value.is_list() {
            let items: Option<Vec<ivr::Value>> = value.list()?.iter().map(constant).collect();
            if let Some(items) = items.filter(|items| items.windows(2).all(|w| w[0].kind() == w[1].kind())) {
                return listed(value, items);
            }
            value.error("wrong-type", format!("`{}` must be a list of one type", value.key));
            return None;
        }
        value.wrong_type(WANTED);
        None
    }

    /// `{ type = "duration", start = "5m" }`.
    fn typed(&self, entry: &Value<'_>, table: &Table<'_>) -> Option<(Type, ivr::Value)> {
        let value = table.need("type", &format!("write one of {}", all_of(TYPES)))?;
        let name = value.text()?;
        let start = table.get("start");
        let Some(scalar) = scalar(name) else {
            if name == "list" {
                return self.list(entry, table, start);
            }
            let help = did_you_mean(name, TYPES).unwrap_or_else(|| format!("types are {}", all_of(TYPES)));
            value.error_help("bad-type", format!("no type is called `{}`", crate::shorten(name)), help);
            return None;
        };
        let kind = Type::from(scalar);
        let default = match start {
            Some(start) => self.value(&start, kind)?,
            None => empty(kind),
        };
        Some((kind, default))
    }

    fn list(
        &self,
        entry: &Value<'_>,
        table: &Table<'_>,
        start: Option<Value<'_>>,
    ) -> Option<(Type, ivr::Value)> {
        let of = match table.get("of") {
            Some(value) => {
                let name = value.text()?;
                let of = scalar(name);
                if of.is_none() {
                    value.error_help(
                        "bad-type",
                        format!("a list holds no `{}`", crate::shorten(name)),
                        "a list is of text, number, bool, digits, time or duration".to_owned(),
                    );
                }
                of?
            }
            None => Scalar::Text,
        };
        let items = start.map(|s| s.list()).unwrap_or_else(|| Some(vec![]))?;
        let items = items.iter().map(|i| self.value(i, Type::from(of))).collect::<Option<Vec<_>>>()?;
        Some((Type::List(of), listed(entry, items)?))
    }

    /// A value of a type, as TOML writes it; anything else is a finding.
    pub fn value(&self, value: &Value<'_>, kind: Type) -> Option<ivr::Value> {
        let read = written(value, kind, self.zone);
        if read.is_none() {
            value.wrong_type(form_of(kind));
        }
        read
    }
}

/// What TOML says, as a value of a type; None: it is none.
pub(crate) fn written(value: &Value<'_>, kind: Type, zone: &TimeZone) -> Option<ivr::Value> {
    let text = value.as_text();
    match kind {
        Type::Text | Type::Number | Type::Bool => constant(value).filter(|c| c.kind() == kind),
        Type::Digits => ivr::Value::parse(text?, kind),
        Type::Duration => {
            let length = parse_duration(text?).filter(|d| *d <= LENGTH_MAX)?;
            i64::try_from(length.as_millis()).ok().map(ivr::Value::Duration)
        }
        Type::Time => moment(text?, zone).map(ivr::Value::Time),
        Type::List(of) => {
            let items: Option<Vec<_>> =
                value.is_list().then(|| value.list())??.iter().map(|i| written(i, of.into(), zone)).collect();
            Some(ivr::Value::List(items.filter(|i| i.len() <= ivr::expr::LIST_MAX)?.into()))
        }
        Type::Record(_) => None,
    }
}

/// What somebody must write for a value of a type.
pub(crate) fn form_of(kind: Type) -> &'static str {
    match kind {
        Type::Text => "a text",
        Type::Number => "a whole number",
        Type::Bool => "true or false",
        Type::Digits => "telephone keys in quotes",
        Type::Time => "a moment, as \"2026-01-01T09:00\"",
        Type::Duration => "a duration, as \"5m\"",
        Type::List(_) => "a list of one type",
        Type::Record(_) => "a record",
    }
}

/// A thousand years of 365 days: so that arithmetic has room.
const LENGTH_MAX: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// `2026-01-01T09:00`, `2026-01-01` in a zone; `2026-01-01T09:00Z`.
fn moment(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return Some(exact.as_second());
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(zone.to_timestamp(local).ok()?.as_second())
}

fn listed(at: &Value<'_>, items: Vec<ivr::Value>) -> Option<ivr::Value> {
    if items.len() > ivr::expr::LIST_MAX {
        at.error("too-many", format!("a list has at most {} entries", ivr::expr::LIST_MAX));
        return None;
    }
    Some(ivr::Value::List(items.into()))
}

fn empty(kind: Type) -> ivr::Value {
    match kind {
        Type::Number => ivr::Value::Number(0),
        Type::Bool => ivr::Value::Bool(false),
        Type::Digits => ivr::Value::Digits("".into()),
        Type::Time => ivr::Value::Time(0),
        Type::Duration => ivr::Value::Duration(0),
        Type::List(_) => ivr::Value::List([].into()),
        Type::Text | Type::Record(_) => ivr::Value::from(""),
    }
}

fn scalar(name: &str) -> Option<Scalar> {
    Some(match name {
        "text" => Scalar::Text,
        "number" => Scalar::Number,
        "bool" => Scalar::Bool,
        "digits" => Scalar::Digits,
        "time" => Scalar::Time,
        "duration" => Scalar::Duration,
        _ => return None,
    })
}

/// Names that expressions can name.
fn is_word(entry: &Value<'_>, what: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fine = entry.key.chars().all(word)
        && entry.key.starts_with(|c: char| c.is_ascii_alphabetic())
        && entry.key.len() <= 64;
    if !fine {
        entry.findings.error_help(
            entry.key_at(),
            "bad-name",
            format!("a {what} cannot be called `{}`", crate::shorten(entry.key)),
            "begin with a letter, go on with letters, digits and `_`".to_owned(),
        );
    }
    fine
}

pub(crate) fn constant(value: &Value<'_>) -> Option<ivr::Value> {
    let text = value.as_text().map(ivr::Value::from);
    text.or_else(|| value.as_integer().map(ivr::Value::from))
        .or_else(|| value.as_flag().map(ivr::Value::from))
}
