//! TOML with places: tables that know which keys were asked for, values that complain where they stand.
use crate::finding::{At, Findings, Source, all_of, did_you_mean};
use crate::forms::{Form, Kind};
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file parsed as far as it goes. Syntax errors are findings; what can be made out is in `root`.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    source: &'a Source,
    root: Spanned<DeTable<'a>>,
    /// Says everything but means it only when the file parsed: what follows from a syntax error is noise.
    broken: bool,
}

/// More syntax errors of one file than this help nobody.
const SYNTAX_ERRORS_MAX: usize = 20;

impl<'a> Document<'a> {
    pub fn parse(source: &'a Source, findings: &Findings) -> Document<'a> {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        let broken = !errors.is_empty() || source.unreadable;
        // Of a table given twice every key is given twice: the table is enough.
        let mut table_twice = 0..0;
        for error in errors.into_iter().take(SYNTAX_ERRORS_MAX) {
            let span = error.span().unwrap_or(0..0);
            let at = error.span().map_or(source.whole(), |span| source.at(span.start));
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            if message.contains("duplicate key") {
                if table_twice.contains(&span.start) {
                    continue;
                }
                let before = source.text.get(..span.start).unwrap_or("");
                let line = before.rfind('\n').map_or(0, |i| i + 1);
                if before[line..].trim_start().starts_with('[') {
                    let end = source.text.get(span.end..).and_then(|rest| rest.find("\n["));
                    table_twice = span.end..end.map_or(source.text.len(), |i| span.end + i);
                }
                let name = crate::shorten(source.text.get(span).unwrap_or(""));
                findings.error_help(
                    at,
                    "duplicate",
                    format!("`{name}` is given twice"),
                    "rename or remove one of the two".to_owned(),
                );
            } else {
                findings.error(at, "syntax", message);
            }
        }
        if !broken {
            findings.heed(source);
        }
        Document { source, root, broken }
    }

    /// The file has syntax errors.
    pub fn broken(&self) -> bool {
        self.broken
    }

    /// The whole file. Of a broken file `silent` hears what is found further.
    pub fn table<'f>(&'f self, findings: &'f Findings, silent: &'f Findings) -> Table<'f> {
        let findings = if self.broken { silent } else { findings };
        let name = self.source.name.rsplit('/').next().unwrap_or("the file").to_owned();
        Table::new(self.source, findings, self.root.get_ref(), 0, name)
    }
}

/// A table being read. Ask for each key that may be there, then call `done`.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    source: &'a Source,
    pub findings: &'a Findings,
    table: &'a DeTable<'a>,
    offset: usize,
    /// For people: "[engine]", "step `welcome`".
    pub title: String,
    asked: RefCell<Vec<&'static str>>,
    /// Which keys are known, with bounds and defaults; None: those that are asked for.
    form: Option<&'static Form>,
}

impl<'a> Table<'a> {
    fn new(
        source: &'a Source,
        findings: &'a Findings,
        table: &'a DeTable<'a>,
        offset: usize,
        title: String,
    ) -> Table<'a> {
        Table { source, findings, table, offset, title, asked: RefCell::default(), form: None }
    }

    /// Of a form that says which keys there are.
    pub fn form(mut self, form: &'static Form) -> Self {
        self.form = Some(form);
        self
    }

    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    pub fn at(&self) -> At<'a> {
        self.source.at(self.offset)
    }

    /// The value of a key, when it is there.
    pub fn get(&self, key: &'static str) -> Option<Value<'a>> {
        debug_assert!(self.form.is_none_or(|f| f.field(key).is_some()), "`{key}` is not in the form");
        self.stray(key)
    }

    /// The value of a key that has no place here, when it is there: to say more of it than that.
    pub fn stray(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(k, v)| self.value(k, v))
    }

    /// Whether a key is there; it does not count as asked for.
    pub fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(k, _)| k.get_ref() == key)
    }

    /// A duration within the form's bounds, or the form's default.
    pub fn length(&self, key: &'static str) -> Option<Duration> {
        let field = self.form.and_then(|f| f.field(key))?;
        let Kind::Duration(from, to) = field.kind else { return None };
        let bounds = Duration::from_millis(from)..=Duration::from_millis(to);
        self.get(key).and_then(|v| v.duration(bounds)).or_else(|| field.default_duration())
    }

    /// A whole number within the form's bounds, or the form's default.
    pub fn whole<T: TryFrom<i64>>(&self, key: &'static str) -> Option<T> {
        let field = self.form.and_then(|f| f.field(key))?;
        let Kind::Number(from, to) = field.kind else { return None };
        let number = self.get(key).and_then(|v| v.number(from..=to)).or_else(|| field.default_number())?;
        T::try_from(number).ok()
    }

    /// The form's default of a text.
    pub fn default_text(&self, key: &str) -> Option<&'static str> {
        self.form?.field(key)?.default_word()
    }

    /// True or false, or the form's default.
    pub fn switch(&self, key: &'static str) -> bool {
        let default = self.form.and_then(|f| f.field(key)).and_then(|f| f.default_flag());
        self.get(key).and_then(|v| v.flag()).or(default).unwrap_or(false)
    }

    /// The value of a key; its absence is a finding.
    pub fn need(&self, key: &'static str, help: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.missing(key, help);
        }
        value
    }

    pub fn missing(&self, key: &str, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.findings.error_help(self.at(), "missing-key", format!("{} has no `{key}`", self.title), help);
    }

    /// Every key with its value, in the order of the file: for tables whose keys are names.
    pub fn entries(&self) -> Vec<Value<'a>> {
        let mut entries: Vec<_> = self.table.iter().map(|(k, v)| self.value(k, v)).collect();
        entries.sort_by_key(|v| v.key_offset);
        entries
    }

    fn value(
        &self,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        node: &'a Spanned<DeValue<'a>>,
    ) -> Value<'a> {
        Value {
            source: self.source,
            findings: self.findings,
            key: key.get_ref(),
            key_offset: key.span().start,
            node,
        }
    }

    /// A sub-table by key.
    pub fn table(&self, key: &'static str) -> Option<Table<'a>> {
        self.get(key)?.table().map(|t| t.titled(format!("[{key}]")))
    }

    /// Whatever was not asked for is not known.
    pub fn done(self) {
        let asked = self.asked.borrow();
        let known: Vec<&str> = match self.form {
            Some(form) => form.keys().collect(),
            None => asked.clone(),
        };
        #[cfg(test)]
        if let Some(form) = self.form {
            crate::forms::asked(form, &asked);
        }
        for (key, _) in self.table {
            let key_text: &str = key.get_ref();
            if known.contains(&key_text) || asked.contains(&key_text) {
                continue;
            }
            let help = did_you_mean(key_text, known.iter().copied()).or_else(|| {
                (!known.is_empty()).then(|| format!("known here: {}", all_of(known.iter().copied())))
            });
            self.findings.error_help(
                self.source.at(key.span().start),
                "unknown-key",
                format!("{} knows no key `{key_text}`", self.title),
                help,
            );
        }
    }
}

/// A value with its key and place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    source: &'a Source,
    pub findings: &'a Findings,
    pub key: &'a str,
    key_offset: usize,
    node: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    pub fn at(&self) -> At<'a> {
        self.source.at(self.node.span().start)
    }

    pub fn key_at(&self) -> At<'a> {
        self.source.at(self.key_offset)
    }

    /// Where the `byte`th byte of a string value stands (exact when the string has no escapes).
    pub fn inside(&self, byte: usize) -> At<'a> {
        let raw = self.source.text.get(self.node.span()).unwrap_or("");
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let plain = raw.len() == quotes * 2 + self.node.get_ref().as_str().map_or(0, str::len);
        if plain { self.at().plus(quotes + byte) } else { self.at() }
    }

    pub fn error(&self, rule: &'static str, what: impl Into<String>) {
        self.findings.error(self.at(), rule, what);
    }

    pub fn error_help(&self, rule: &'static str, what: impl Into<String>, help: impl Into<Option<String>>) {
        self.findings.error_help(self.at(), rule, what, help);
    }

    pub fn warning(&self, rule: &'static str, what: impl Into<String>, help: impl Into<Option<String>>) {
        self.findings.warning(self.at(), rule, what, help);
    }

    /// `key` must be `wanted`, and is something else.
    pub fn wrong_type(&self, wanted: &str) {
        let found = match self.node.get_ref() {
            DeValue::String(s) => format!("the text \"{}\"", crate::shorten(s)),
            DeValue::Integer(i) => format!("the number {}", i.as_str()),
            DeValue::Float(f) => format!("the number {}", f.as_str()),
            DeValue::Boolean(b) => format!("{b}"),
            DeValue::Datetime(_) => "a date".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        };
        self.error("wrong-type", format!("`{}` must be {wanted}, and is {found}", self.key));
    }

    pub fn is_text(&self) -> bool {
        self.node.get_ref().is_str()
    }

    pub fn is_table(&self) -> bool {
        self.node.get_ref().is_table()
    }

    pub fn is_list(&self) -> bool {
        self.node.get_ref().is_array()
    }

    pub fn as_text(&self) -> Option<&'a str> {
        self.node.get_ref().as_str()
    }

    pub fn as_flag(&self) -> Option<bool> {
        self.node.get_ref().as_bool()
    }

    pub fn as_integer(&self) -> Option<i64> {
        let integer = self.node.get_ref().as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    pub fn text(&self) -> Option<&'a str> {
        let text = self.as_text();
        if text.is_none() {
            self.wrong_type("a text in quotes");
        }
        text
    }

    /// A text that is not empty.
    pub fn word(&self) -> Option<&'a str> {
        let text = self.text()?;
        if text.trim().is_empty() {
            self.error("empty", format!("`{}` is empty", self.key));
            return None;
        }
        Some(text)
    }

    pub fn flag(&self) -> Option<bool> {
        let flag = self.as_flag();
        if flag.is_none() {
            self.wrong_type("true or false");
        }
        flag
    }

    pub fn number(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let Some(number) = self.as_integer() else {
            self.wrong_type("a whole number");
            return None;
        };
        if !range.contains(&number) {
            self.error(
                "out-of-range",
                format!("`{}` must be from {} to {}, and is {number}", self.key, range.start(), range.end()),
            );
            return None;
        }
        Some(number)
    }

    /// A number with at most two decimals, in hundredths.
    pub fn hundredths(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let text = match self.node.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) => integer.as_str(),
            _ => "",
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let decimals = decimals.trim_end_matches('0');
        let parsed = whole.parse::<i64>().ok().zip(format!("{decimals:0<2}").parse::<i64>().ok());
        let Some(hundredths) = parsed.filter(|_| decimals.len() <= 2).and_then(|(whole, part)| {
            whole.checked_mul(100)?.checked_add(if text.starts_with('-') { -part } else { part })
        }) else {
            self.wrong_type("a number with at most two decimals");
            return None;
        };
        if !range.contains(&hundredths) {
            let show = |n: i64| format!("{}", n as f64 / 100.0);
            let (low, high) = (show(*range.start()), show(*range.end()));
            self.error("out-of-range", format!("`{}` must be from {low} to {high}, and is {text}", self.key));
            return None;
        }
        Some(hundredths)
    }

    /// `"64 kB"`, `"1 MB"`: bytes, a thousand to the kilobyte.
    pub fn bytes(&self, range: RangeInclusive<usize>) -> Option<usize> {
        const FORM: &str = "write a whole number and a unit: \"64 kB\", \"1 MB\"";
        let text = self.text()?;
        let parsed = text.find(|c: char| !c.is_ascii_digit()).and_then(|at| {
            let (number, unit) = text.split_at(at);
            let unit: usize = match unit.trim_start() {
                "kB" => 1000,
                "MB" => 1_000_000,
                _ => return None,
            };
            number.parse::<usize>().ok()?.checked_mul(unit)
        });
        let Some(bytes) = parsed else {
            let what = format!("`{}` is no size: \"{}\"", self.key, crate::shorten(text));
            self.error_help("bad-size", what, FORM.to_owned());
            return None;
        };
        if !range.contains(&bytes) {
            let (low, high) = (range.start() / 1000, range.end() / 1000);
            let what = format!("`{}` must be from {low} kB to {high} kB, and is {text}", self.key);
            self.error("out-of-range", what);
            return None;
        }
        Some(bytes)
    }

    /// A whole number that fits the type wanted.
    pub fn count<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Option<T> {
        T::try_from(self.number(range)?).ok()
    }

    /// `"300ms"`, `"5s"`, `"10m"`, `"2h"`.
    pub fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        const FORM: &str = "write a whole number and a unit: \"300ms\", \"5s\", \"10m\", \"2h\"";
        let Some(text) = self.as_text() else {
            let help =
                self.as_integer().filter(|n| *n >= 0).map(|n| format!("write \"{n}s\" for {n} seconds"));
            self.error_help(
                "bad-duration",
                format!("`{}` must be a duration in quotes", self.key),
                help.unwrap_or_else(|| FORM.into()),
            );
            return None;
        };
        let Some(duration) = parse_duration(text) else {
            self.error_help(
                "bad-duration",
                format!("`{}` is no duration: \"{}\"", self.key, crate::shorten(text)),
                FORM.to_owned(),
            );
            return None;
        };
        if !range.contains(&duration) {
            let (low, high) = (show(*range.start()), show(*range.end()));
            self.error("out-of-range", format!("`{}` must be from {low} to {high}, and is {text}", self.key));
            return None;
        }
        Some(duration)
    }

    pub fn list(&self) -> Option<Vec<Value<'a>>> {
        let Some(array) = self.node.get_ref().as_array() else {
            self.wrong_type("a list in [ ]");
            return None;
        };
        Some(array.iter().map(|node| Value { node, ..*self }).collect())
    }

    /// A list, or one thing that stands for a list of one.
    pub fn one_or_list(&self) -> Vec<Value<'a>> {
        match self.node.get_ref().as_array() {
            Some(array) => array.iter().map(|node| Value { node, ..*self }).collect(),
            None => vec![*self],
        }
    }

    pub fn table(&self) -> Option<Table<'a>> {
        let Some(table) = self.node.get_ref().as_table() else {
            self.wrong_type("a table");
            return None;
        };
        // A table written as [header] or by dotted keys has no place of its own: its name has.
        let span = self.node.span();
        let braces = self.source.text.as_bytes().get(span.start) == Some(&b'{');
        let offset = if braces { span.start } else { self.key_offset };
        Some(Table::new(self.source, self.findings, table, offset, format!("`{}`", self.key)))
    }
}

pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let ms: u64 = match unit.trim_start() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(ms)?))
}

/// A duration as an operator writes it.
pub(crate) fn show(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => "0s".into(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}
