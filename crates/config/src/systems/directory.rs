//! `[directory.NAME]` and its file: who calls from which number.
use crate::declare::{self, Declaring, Records, form_of};
use crate::finding::{At, Findings, did_you_mean};
use crate::install::{Install, Named, normal};
use crate::read::{Document, Value};
use ivr::expr::TEXT_MAX;
use ivr::{Directory, Field, plain_number};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Larger ones belong into a system that is asked over http.
const FILE_BYTES_MAX: u64 = 16 << 20;
const ROWS_MAX: usize = 100_000;
/// More fields than this are no record that anybody can read.
const FIELDS_MAX: usize = 100;
const KEYS_MAX: usize = 10;
/// Numbers that one row may be found by.
const ROW_KEYS_MAX: usize = 50;

type Row = Arc<[ivr::Value]>;

/// A directory, before its file is read.
#[derive(Debug)]
pub(super) struct DirectoryDraft<'a> {
    pub name: Arc<str>,
    /// None: not said, or not what finds its rows.
    pub path: Option<PathBuf>,
    keys: Vec<Value<'a>>,
    country: String,
    fields: Vec<(Field, At<'a>)>,
    zone: TimeZone,
}

pub(super) fn draft<'a>(
    (name, _, table): Named<'a>,
    install: &Install<'a>,
    folder: &Path,
) -> Option<DirectoryDraft<'a>> {
    let file = table.need("file", "name the file of the rows: `file = \"customers.toml\"`");
    let keys = table.need("keys", "say which columns find a row: `keys = [\"phones\", \"number\"]`");
    let keys = keys.and_then(|value| {
        let keys = value.list()?;
        if keys.is_empty() || keys.len() > KEYS_MAX {
            value.error("bad-directory", format!("`keys` names 1 to {KEYS_MAX} columns"));
            return None;
        }
        Some(keys)
    });
    let country = table.get("country").and_then(|value| {
        let code = value.text()?;
        let fits = code.len() <= 4 && code.bytes().all(|b| b.is_ascii_digit());
        if !fits {
            let what = format!("`country` is no country code: \"{}\"", crate::shorten(code));
            value.error_help("bad-directory", what, "write digits without `+`: \"86\"".to_owned());
        }
        fits.then_some(code)
    });
    let fields =
        table.need("fields", "say what a row holds: `fields = { name = \"\", class = \"standard\" }`");
    let fields = fields.and_then(|value| Some((value, value.table()?.entries())));
    table.done();
    let (value, entries) = fields?;
    if entries.is_empty() || entries.len() > FIELDS_MAX {
        value.error("bad-directory", format!("a directory has 1 to {FIELDS_MAX} fields"));
        return None;
    }
    let zone = install.systems.zone.clone().unwrap_or(TimeZone::UTC);
    let declaring = Declaring { install, records: &Records::default(), zone: &zone };
    let fields: Option<Vec<_>> = entries.iter().map(|e| Some((declaring.field(e)?, e.key_at()))).collect();
    Some(DirectoryDraft {
        name: name.into(),
        path: file.and_then(|f| Some(normal(&folder.join(f.word()?)))).filter(|_| keys.is_some()),
        keys: keys.unwrap_or_default(),
        country: country.unwrap_or_default().to_owned(),
        fields: fields?,
        zone,
    })
}

impl DirectoryDraft<'_> {
    /// Its shape with the rows of its file, as far as they can be read.
    pub fn read(&self, findings: &Findings, heard: &Findings) -> Directory {
        let fields = self.fields.iter().map(|(field, _)| field.clone()).collect();
        let rows = self.path.as_ref().map(|path| self.rows(path, findings, heard)).unwrap_or_default();
        Directory { name: self.name.clone(), country: self.country.as_str().into(), fields, rows }
    }

    /// Findings never show a row's numbers: they are somebody's.
    fn rows(&self, path: &Path, findings: &Findings, heard: &Findings) -> BTreeMap<Arc<str>, Row> {
        let source = crate::read_file_up_to(path, FILE_BYTES_MAX, findings);
        let document = Document::parse(&source, findings);
        let silent = Findings::default();
        let file = document.table(heard, &silent);
        let mut rows = BTreeMap::new();
        let mut found_by: BTreeMap<Arc<str>, u32> = BTreeMap::new();
        let mut columns = BTreeSet::new();
        let mut count = 0;
        for group in file.entries() {
            for row in group.list().unwrap_or_default() {
                count += 1;
                if count > ROWS_MAX {
                    row.error("too-many", format!("a directory has at most {ROWS_MAX} rows"));
                    return rows;
                }
                let Some(table) = row.table() else { continue };
                let entries = table.entries();
                columns.extend(entries.iter().map(|e| e.key));
                let values: Row = self.fields.iter().map(|(f, _)| taken(&entries, f, &self.zone)).collect();
                let keys = self.keys_of(&entries);
                if keys.is_empty() {
                    let what = format!("nothing finds this row of directory `{}`", self.name);
                    row.warning("row-without-key", what, None);
                }
                for (key, at) in keys {
                    match found_by.insert(key.clone(), at.line()) {
                        // The same number twice in one row is no contradiction.
                        Some(_) if rows.get(&key).is_some_and(|r| Arc::ptr_eq(r, &values)) => {}
                        Some(line) => table.findings.error(
                            at,
                            "duplicate-key",
                            format!("this finds the row of line {line} already: whose is it?"),
                        ),
                        None => {}
                    }
                    rows.insert(key, values.clone());
                }
            }
        }
        self.check_columns(count, &columns);
        rows
    }

    /// What finds a row, and where it stands.
    fn keys_of<'v>(&self, entries: &[Value<'v>]) -> Vec<(Arc<str>, At<'v>)> {
        let mut found = vec![];
        for key in &self.keys {
            let Some(column) = entries.iter().find(|e| Some(e.key) == key.as_text()) else { continue };
            let texts = column.one_or_list();
            if texts.len() > ROW_KEYS_MAX {
                column.error("too-many", format!("more than {ROW_KEYS_MAX} keys of one row"));
                continue;
            }
            // Of a field that is no text it is said already.
            let is_field = self.fields.iter().any(|(field, _)| &*field.name == column.key);
            for text in texts {
                let text_of = if is_field { text.as_text() } else { text.text() };
                let key = text_of.map(|t| written(t, &self.country)).filter(|k| !k.is_empty());
                found.extend(key.map(|k| (k, text.at())));
            }
        }
        found
    }

    /// Columns that no row has are slips of the pen.
    fn check_columns(&self, rows: usize, columns: &BTreeSet<&str>) {
        if rows == 0 {
            return;
        }
        for key in &self.keys {
            let Some(name) = key.text() else { continue };
            if !columns.contains(name) {
                let what = format!("no row of directory `{}` has a `{}`", self.name, crate::shorten(name));
                key.error_help("unknown-column", what, did_you_mean(name, columns.iter().copied()));
            }
        }
        for (field, at) in self.fields.iter().filter(|(f, _)| !columns.contains(&*f.name)) {
            if let Some(first) = self.keys.first() {
                let what = format!("no row of directory `{}` has a `{}`", self.name, field.name);
                let help = did_you_mean(&field.name, columns.iter().copied());
                first.findings.warning(*at, "unknown-column", what, help);
            }
        }
    }
}

/// A key as callers bring it: a telephone number without signs, anything else as it stands.
fn written(key: &str, country: &str) -> Arc<str> {
    let key = key.trim();
    let signs = |c: char| c.is_ascii_digit() || "+-(). /\u{a0}".contains(c);
    if key.chars().all(signs) { plain_number(key, country).into() } else { key.into() }
}

/// What a row has for a field.
fn taken(entries: &[Value<'_>], field: &Field, zone: &TimeZone) -> ivr::Value {
    let Some(entry) = entries.iter().find(|e| e.key == &*field.name) else { return field.default.clone() };
    match declare::written(entry, field.kind, zone) {
        Some(value) if value.text().len() > TEXT_MAX && !matches!(value, ivr::Value::List(_)) => {
            entry.error("too-long", format!("`{}` is longer than {TEXT_MAX} bytes", entry.key));
            field.default.clone()
        }
        Some(value) => value,
        None => {
            entry.wrong_type(form_of(field.kind));
            field.default.clone()
        }
    }
}
