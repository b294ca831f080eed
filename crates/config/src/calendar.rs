//! `calendars = ["china", "calendars/company.ics"]`: the days and hours that a calendar closes.
//!
//! *Invariant:* whatever the bytes of a file, reading it ends, in bounded time and memory, with findings.

mod ics;
mod repeat;
#[cfg(test)]
mod tests;

use crate::finding::{Findings, Source, did_you_mean, one_of};
use crate::read::Value;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What comes with the program. `china`: days off and make-up workdays as the State Council announced them.
const SHIPPED: [(&str, &str); 1] = [("china", include_str!("calendar/china.ics"))];

/// What a calendar closes and opens, seen from one time zone.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Calendar {
    pub holidays: BTreeSet<Date>,
    /// Make-up workdays; none of them is a holiday.
    pub workdays: BTreeSet<Date>,
    /// From one Unix second until before another.
    pub closures: Vec<(i64, i64)>,
    /// Of these it says something.
    pub years: BTreeSet<i16>,
}

/// The calendars of an installation. A file named by many hours is read once for each time zone.
#[derive(Debug)]
pub(crate) struct Calendars {
    folder: PathBuf,
    years: RangeInclusive<i16>,
    /// The files that were named and are there.
    pub files: Vec<PathBuf>,
    known: BTreeMap<(String, String), Rc<Calendar>>,
}

impl Calendars {
    /// Files are relative to `folder`. Events that repeat do so from the year before the epoch's to five
    /// years after it.
    pub fn new(folder: &Path, epoch_unix: i64) -> Calendars {
        let now = Timestamp::from_second(epoch_unix).unwrap_or(Timestamp::UNIX_EPOCH);
        let year = TimeZone::UTC.to_datetime(now).year();
        let years = year.saturating_sub(1).max(1)..=year.saturating_add(5).min(9998);
        Calendars { folder: folder.to_owned(), years, files: vec![], known: BTreeMap::new() }
    }

    /// The calendar that `value` names, for hours in `zone`; None, with a finding: there is none.
    pub fn read(&mut self, value: &Value<'_>, zone: &TimeZone) -> Option<Rc<Calendar>> {
        let name = value.word()?;
        let key = (name.to_owned(), zone.iana_name().unwrap_or_default().to_owned());
        if let Some(known) = self.known.get(&key) {
            return Some(known.clone());
        }
        let source = if name.contains('.') { self.file(value, name)? } else { shipped(value, name)? };
        let calendar = ics::read(&source, zone, self.years.clone(), value.findings);
        Some(self.known.entry(key).or_insert(Rc::new(calendar)).clone())
    }

    fn file(&mut self, value: &Value<'_>, name: &str) -> Option<Source> {
        let path = crate::install::normal(&self.folder.join(name));
        if !path.exists() {
            let shown = crate::shorten(&path.display().to_string());
            let near = did_you_mean(name, self.beside(&path, name).iter().map(String::as_str));
            value.error_help("unknown-calendar", format!("there is no file {shown}"), near);
            return None;
        }
        if !self.files.contains(&path) {
            self.files.push(path.clone());
        }
        let source = read_source(&path, value.findings);
        (!source.unreadable).then_some(source)
    }

    /// The calendar files of the folder in which `name` should be, as an operator would write them.
    fn beside(&self, path: &Path, name: &str) -> Vec<String> {
        const FILES_MAX: usize = 1000;
        let prefix = &name[..name.rfind('/').map_or(0, |slash| slash + 1)];
        let files = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        let names = files.into_iter().flatten().take(FILES_MAX);
        let names = names.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter(|n| n.ends_with(".ics")).map(|n| format!("{prefix}{n}")).collect();
        names.sort_unstable();
        names
    }
}

fn shipped(value: &Value<'_>, name: &str) -> Option<Source> {
    let found = SHIPPED.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let names = || SHIPPED.iter().map(|(known, _)| *known);
        let known = || {
            format!("{} comes with hotline; a file is named as in `calendars/{name}.ics`", one_of(names()))
        };
        let help = did_you_mean(name, names()).unwrap_or_else(known);
        value.error_help(
            "unknown-calendar",
            format!("no calendar is called `{}`", crate::shorten(name)),
            help,
        );
    }
    found.map(|(known, text)| Source::new(Path::new(known), (*text).to_owned()))
}

/// The text of a file in which a fold may divide a character (RFC 5545, 3.1).
fn read_source(path: &Path, findings: &Findings) -> Source {
    let mended = || {
        let is_small = std::fs::metadata(path).ok()?.len() <= crate::FILE_BYTES_MAX;
        let mut bytes = is_small.then(|| std::fs::read(path).ok()).flatten()?;
        mend_folds(&mut bytes);
        Some(Source::new(path, String::from_utf8(bytes).ok()?))
    };
    mended().unwrap_or_else(|| crate::read_file(path, findings))
}

/// Brings the rest of a divided character to its beginning, before the fold: each line stays where it is.
fn mend_folds(bytes: &mut [u8]) {
    for at in 1..bytes.len() {
        if matches!(bytes[at], b' ' | b'\t') && bytes[at - 1] == b'\n' {
            let rest = bytes[at + 1..].iter().take_while(|b| (0x80..0xc0).contains(*b)).count();
            let fold = if at > 1 && bytes[at - 2] == b'\r' { at - 2 } else { at - 1 };
            bytes[fold..=at + rest].rotate_right(rest);
        }
    }
}
