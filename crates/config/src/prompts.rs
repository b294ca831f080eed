//! `prompts.toml` (what is said) and the WAV files (how it sounds).
use crate::finding::{Findings, Source};
use crate::install::{Install, check_name, tables};
use crate::read::Table;
use engine::Prompts;
use hotline_core::SoundId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Every prompt there is, and which of them only speak a fallback language.
#[derive(Debug, Default)]
pub(crate) struct PromptSet {
    pub prompts: Prompts,
    /// Names listed in prompts.toml, recorded or not.
    pub listed: BTreeSet<String>,
}

/// Below this peak nothing is heard.
const SILENT_DBFS: f32 = -50.0;
/// Above this peak a recording is clipped.
const CLIPPED_DBFS: f32 = -0.01;

/// `prompts.toml`: languages and texts; the names it lists.
pub(crate) fn read_list(file: Table<'_>, install: &Install<'_>) -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    // Voices belong to `hotline prompts`; the engine does not speak. Several installations
    // may share the prompts, so that a language may be known here and not be enabled.
    let voices = file.get("voice").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default();
    let spoken: BTreeSet<&str> = voices.iter().map(|v| v.key).chain(ivr::say::LANGUAGES).collect();
    for (name, at, prompt) in tables(&file, "prompt") {
        check_name(prompt.findings, at, "prompt", name);
        listed.insert(name.to_owned());
        for entry in prompt.entries() {
            let known = install.languages.is_empty()
                || install.languages.contains_key(entry.key)
                || spoken.contains(entry.key)
                || ["notes", "voice"].contains(&entry.key);
            if !known {
                let names = install.languages.keys().map(|l| &**l).chain(["notes"]);
                entry.findings.error_help(
                    entry.key_at(),
                    "unknown-language",
                    format!("no language is called `{}`", crate::shorten(entry.key)),
                    crate::finding::did_you_mean(entry.key, names)
                        .unwrap_or_else(|| "languages are listed in hotline.toml, [engine] languages".into()),
                );
            } else {
                entry.text();
            }
        }
    }
    file.get("defaults").map(|v| v.table());
    file.done();
    listed
}

/// Reads every `prompts/<language>/<name>.wav` and resolves the fallback chains.
pub(crate) fn read_sounds(install: &Install<'_>, listed: BTreeSet<String>, findings: &Findings) -> PromptSet {
    let mut set = PromptSet { listed, ..PromptSet::default() };
    let mut own: BTreeMap<&Arc<str>, BTreeMap<Arc<str>, SoundId>> = BTreeMap::new();
    for language in install.languages.keys() {
        let folder = install.prompts.join(&**language);
        let mut sounds = BTreeMap::new();
        for (name, path) in wav_files(&folder) {
            if let Some(length) = inspect(&path, findings) {
                let id = SoundId(u32::try_from(set.prompts.files.len()).unwrap_or(u32::MAX));
                set.prompts.files.push(path);
                set.prompts.lengths.push(length);
                sounds.insert(Arc::from(name), id);
            }
        }
        own.insert(language, sounds);
    }
    for (language, chain) in &install.languages {
        let mut sounds = own[language].clone();
        for fallback in chain {
            for (name, id) in &own[fallback] {
                sounds.entry(name.clone()).or_insert(*id);
            }
        }
        if own[language].is_empty() && !sounds.is_empty() {
            findings.warning(
                install.languages_at,
                "language-falls-back",
                format!(
                    "language `{language}` has no recordings of its own: callers hear `{}` instead",
                    chain[0]
                ),
                format!("put recordings into {}", install.prompts.join(&**language).display()),
            );
        } else if sounds.is_empty() {
            findings.error_help(
                install.languages_at,
                "language-without-prompts",
                format!("language `{language}` has no recordings and falls back to nothing"),
                format!(
                    "put recordings into {}, or give it a fallback",
                    install.prompts.join(&**language).display()
                ),
            );
        }
        set.prompts.sounds.insert(language.clone(), sounds);
    }
    set
}

impl PromptSet {
    /// Where a prompt would have to be, for a finding.
    pub fn path(&self, install: &Install<'_>, language: &str, name: &str) -> PathBuf {
        install.prompts.join(language).join(format!("{name}.wav"))
    }

    /// Names that exist in some language, and those that are only listed.
    pub fn names(&self) -> BTreeSet<&str> {
        let recorded = self.prompts.sounds.values().flat_map(|s| s.keys().map(|n| &**n));
        recorded.chain(self.listed.iter().map(String::as_str)).collect()
    }
}

/// By name, so that sound ids are the same at every start.
fn wav_files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let named = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let wav = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("wav"));
        wav.then(|| Some((path.file_stem()?.to_str()?.to_owned(), path.clone()))).flatten()
    };
    entries.filter_map(|e| named(e.ok()?)).collect()
}

/// The length of a usable WAV file; otherwise a finding says why not.
fn inspect(path: &Path, findings: &Findings) -> Option<Duration> {
    let source = Source::new(path, String::new());
    let at = source.whole();
    let heard = match media::wav::inspect(path) {
        Ok(heard) => heard,
        Err(error) => {
            findings.error_help(
                at,
                "bad-wav",
                format!("it cannot be played: {error}"),
                "save it as WAV, 8 to 48 kHz, mono or stereo, 16 or 24 bits or float".to_owned(),
            );
            return None;
        }
    };
    if heard.peak_dbfs < SILENT_DBFS {
        findings.warning(at, "silent-prompt", "nothing is heard in it", "record it again, louder".to_owned());
    } else if heard.peak_dbfs > CLIPPED_DBFS {
        let help = "record or render it again with less gain; peaks at -3 dBFS are plenty".to_owned();
        findings.warning(at, "clipped-prompt", "it is clipped: its peaks stand at full scale", help);
    }
    Some(heard.length)
}
