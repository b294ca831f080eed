//! What `hotline check` has to say: one finding a mistake, in a compiler's form.
use crate::allow::{self, Allow, Policy};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt;
use std::path::Path;

/// Whether an installation with this finding may serve calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The installation is not taken: `Loaded::settings` is `None`.
    Error,
    /// Taken, but somebody should look.
    Warning,
}

/// One mistake, with its place, a stable rule id, what is wrong, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// As the operator would name it: the main file's path as given, others beside it.
    pub file: String,
    /// From 1; 0 when the finding is about the file as a whole.
    pub line: u32,
    /// From 1, in characters; 0 when the finding is about the file as a whole.
    pub column: u32,
    /// Error or warning.
    pub severity: Level,
    /// Stable id: `unknown-key`, `dangling-step` ...
    pub rule: &'static str,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A warning that a comment in the file allows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Allowed {
    #[serde(flatten)]
    pub finding: Finding,
    /// As the comment says.
    pub reason: String,
}

impl fmt::Display for Finding {
    /// `file:line:column: error[rule]: what`, and `  help: ...` on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        let level = match self.severity {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, ": {level}[{}]: {}", self.rule, self.what)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// All findings of an installation, as printed by `hotline check`.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// In the order in which they are shown.
    pub findings: &'a [Finding],
}

impl Report<'_> {
    /// How many errors.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|f| f.severity == Level::Error).count()
    }

    /// How many warnings.
    pub fn warnings(&self) -> usize {
        self.findings.len() - self.errors()
    }

    /// 0: may serve calls (warnings allowed). 1: errors. 2: something could not be read at all.
    pub fn exit_status(&self) -> u8 {
        if self.findings.iter().any(|f| f.rule == UNREADABLE) { 2 } else { u8::from(self.errors() > 0) }
    }

    /// As [`Report::json`], with what else a check has to say.
    pub fn json_with(&self, more: impl Serialize) -> String {
        let mut json = serde_json::to_value(self).expect("strings and numbers always serialize");
        let more = serde_json::to_value(more).expect("strings and numbers always serialize");
        if let (Some(json), serde_json::Value::Object(more)) = (json.as_object_mut(), more) {
            json.extend(more);
        }
        serde_json::to_string_pretty(&json).expect("strings and numbers always serialize")
    }

    /// `{"errors": 1, "warnings": 0, "findings": [...]}`
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers always serialize")
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut json = to.serialize_struct("Report", 3)?;
        json.serialize_field("errors", &self.errors())?;
        json.serialize_field("warnings", &self.warnings())?;
        json.serialize_field("findings", self.findings)?;
        json.end()
    }
}

impl fmt::Display for Report<'_> {
    /// Every finding, then `2 errors, 1 warning`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.findings {
            writeln!(f, "{finding}")?;
        }
        let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
        write!(f, "{}, {}", count(self.errors(), "error"), count(self.warnings(), "warning"))
    }
}

/// The rule of findings that make `hotline check` exit with 2.
pub(crate) const UNREADABLE: &str = "unreadable";

/// More findings than this help nobody, and a hostile file must not fill the memory.
const FINDINGS_MAX: usize = 1000;

/// The longest sentence of a finding, in bytes.
const WHAT_MAX: usize = 900;

fn one_line(mut text: String) -> String {
    if text.chars().any(char::is_control) {
        text = text.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    }
    if text.len() > WHAT_MAX {
        text.truncate(text.floor_char_boundary(WHAT_MAX));
        text.push('…');
    }
    text
}

/// Where findings are collected while files are read.
#[derive(Default, Debug)]
pub(crate) struct Findings {
    list: RefCell<Vec<Finding>>,
    /// With those that were said before.
    errors: Cell<usize>,
    /// What comments in the files allow.
    allows: RefCell<Vec<Allow>>,
}

impl Findings {
    pub fn error(&self, at: At<'_>, rule: &'static str, what: impl Into<String>) {
        self.add(at, Level::Error, rule, what.into(), None);
    }

    pub fn error_help(
        &self,
        at: At<'_>,
        rule: &'static str,
        what: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.add(at, Level::Error, rule, what.into(), help.into());
    }

    pub fn warning(
        &self,
        at: At<'_>,
        rule: &'static str,
        what: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.add(at, Level::Warning, rule, what.into(), help.into());
    }

    fn add(&self, at: At<'_>, severity: Level, rule: &'static str, what: String, help: Option<String>) {
        debug_assert!(crate::rules::rule(rule).is_some(), "the rule `{rule}` is in the table");
        if severity == Level::Error {
            self.errors.set(self.errors.get() + 1);
        }
        let (line, column) = at.line_column();
        let file = at.source.name.clone();
        let mut list = self.list.borrow_mut();
        // Names stand in it as somebody wrote them: still one line, of a length that can be read.
        let finding = Finding { file, line, column, severity, rule, what: one_line(what), help };
        if list.len() < FINDINGS_MAX && !list.contains(&finding) {
            list.push(finding);
        }
    }

    /// How many errors so far, each as often as it was found.
    pub fn errors(&self) -> usize {
        self.errors.get()
    }

    /// A file was read without syntax errors: its comments count.
    pub fn heed(&self, source: &Source) {
        self.allows.borrow_mut().extend(allow::allows(source));
    }

    /// By file, then by place, whatever comments say.
    #[cfg(test)]
    pub fn sorted(&self) -> Vec<Finding> {
        in_order(self.list.borrow().clone())
    }

    /// By file, then by place: what is left, and what is allowed.
    pub fn settled(&self, policy: &Policy) -> (Vec<Finding>, Vec<Allowed>) {
        let (list, mut allowed) = allow::settle(self.list.borrow().clone(), &self.allows.borrow(), policy);
        let mut list = in_order(list);
        list.dedup();
        allowed.sort_by(|a, b| order(&a.finding, &b.finding));
        (list, allowed)
    }
}

fn order(a: &Finding, b: &Finding) -> Ordering {
    (&a.file, a.line, a.column, a.severity, a.rule, &a.what)
        .cmp(&(&b.file, b.line, b.column, b.severity, b.rule, &b.what))
}

fn in_order(mut list: Vec<Finding>) -> Vec<Finding> {
    list.sort_by(order);
    list
}

/// A file's text, and where its lines begin.
#[derive(Debug)]
pub(crate) struct Source {
    pub name: String,
    pub text: String,
    lines: Vec<usize>,
    /// The file is not there or could not be read: what its absence entails is noise.
    pub unreadable: bool,
}

impl Source {
    pub fn new(path: &Path, text: String) -> Source {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Source { name: path.display().to_string(), text, lines, unreadable: false }
    }

    /// A file of which nothing is known.
    pub fn unreadable(path: &Path) -> Source {
        Source { unreadable: true, ..Source::new(path, String::new()) }
    }

    /// The place of a byte offset.
    pub fn at(&self, offset: usize) -> At<'_> {
        At { source: self, offset: Some(offset) }
    }

    /// The file as a whole.
    pub fn whole(&self) -> At<'_> {
        At { source: self, offset: None }
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    pub source: &'a Source,
    offset: Option<usize>,
}

impl At<'_> {
    /// `bytes` further on.
    pub fn plus(self, bytes: usize) -> Self {
        At { offset: self.offset.map(|o| o + bytes), ..self }
    }

    /// From 1; 0: the file as a whole.
    pub fn line(self) -> u32 {
        self.line_column().0
    }

    pub fn line_column(self) -> (u32, u32) {
        let Some(offset) = self.offset else { return (0, 0) };
        let offset = offset.min(self.source.text.len());
        let line = self.source.lines.partition_point(|start| *start <= offset) - 1;
        let start = self.source.lines[line];
        // Continuation bytes of UTF-8 do not begin a character.
        let characters =
            self.source.text.as_bytes()[start..offset].iter().filter(|b| (**b & 0xC0) != 0x80).count();
        (u32::try_from(line + 1).unwrap_or(u32::MAX), u32::try_from(characters + 1).unwrap_or(u32::MAX))
    }
}

/// "did you mean `x`?", when one of `names` is close enough to `wrong` to be what was meant.
pub fn did_you_mean<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    if wrong.len() > 64 {
        return None;
    }
    ivr::suggest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// "`a`, `b` and `c`".
pub(crate) fn all_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let one = one_of(names);
    one.rfind(" or ").map_or(one.clone(), |at| format!("{} and {}", &one[..at], &one[at + 4..]))
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
    match names.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let source = Source::new(Path::new("f"), "a\n键 = \"值\" x\r\nz".into());
        let at = |needle: &str| source.at(source.text.find(needle).expect("it is there")).line_column();
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("键"), (2, 1));
        assert_eq!(at("="), (2, 3));
        assert_eq!(at("x"), (2, 9));
        assert_eq!(at("z"), (3, 1));
        assert_eq!(source.at(9999).line_column(), (3, 2), "past the end is the end");
    }

    #[test]
    fn suggests_what_is_close_and_nothing_else() {
        let names = ["shanghai", "cantonese", "mandarin"];
        assert_eq!(did_you_mean("shangahi", names).as_deref(), Some("did you mean `shanghai`?"));
        assert_eq!(did_you_mean("shanghainese", names).as_deref(), Some("did you mean `shanghai`?"));
        assert_eq!(did_you_mean("voicemail", names), None);
    }
}
