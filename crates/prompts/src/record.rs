//! `rendered.toml`: what each rendered file was made from, and its hash.

use crate::{Error, file};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const RECORD_BYTES_MAX: u64 = 16 << 20;

/// By language and name.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Record(pub BTreeMap<String, BTreeMap<String, Entry>>);

#[derive(Clone, PartialEq, Eq, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Hash of all that decides how it sounds.
    pub text: String,
    /// Hash of the file.
    pub file: String,
}

impl Record {
    /// Empty if there is none.
    pub fn read(path: &Path) -> Result<Record, Error> {
        if !path.exists() {
            return Ok(Record::default());
        }
        let text = file::text(path, RECORD_BYTES_MAX)?;
        let read = toml::from_str(&text).map(Record);
        read.map_err(|e| Error::List { path: path.to_owned(), why: e.to_string().trim_end().to_owned() })
    }

    pub fn entry(&self, language: &str, name: &str) -> Option<&Entry> {
        self.0.get(language)?.get(name)
    }

    pub fn put(&mut self, language: &str, name: &str, entry: Entry) {
        self.0.entry(language.to_owned()).or_default().insert(name.to_owned(), entry);
    }

    pub fn write(&self, path: &Path) -> Result<(), Error> {
        file::write(path, self.to_toml().as_bytes())
    }

    fn to_toml(&self) -> String {
        let mut text =
            "# Written by `hotline prompts render`: what each file was made from, and its hash. A file \
                        with another\n# hash was recorded by somebody and is kept.\n"
                .to_owned();
        for (language, entries) in self.0.iter().filter(|(_, entries)| !entries.is_empty()) {
            write!(text, "\n[{}]\n", key(language)).expect("a string takes all");
            for (name, Entry { text: made_from, file }) in entries {
                writeln!(text, "{} = {{ text = \"{made_from}\", file = \"{file}\" }}", key(name))
                    .expect("a string takes all");
            }
        }
        text
    }
}

/// As TOML writes a key: names hold letters, digits, `-`, `_` and, in quotes, dots.
fn key(name: &str) -> String {
    if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() }
}
