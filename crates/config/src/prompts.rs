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

/// Below this peak (-50 dBFS) nothing is heard.
const SILENT_PEAK: f32 = 0.0032;
/// So many samples at full scale in a row are a clipped recording.
const CLIPPED_RUN: u32 = 4;
/// The longest prompt: an hour of music.
const LENGTH_MAX: Duration = Duration::from_secs(3600);

/// `prompts.toml`: languages and texts; the names it lists.
pub(crate) fn read_list(file: Table<'_>, install: &Install<'_>) -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    // Voices belong to the script that renders prompts; the engine does not speak.
    file.get("voice").map(|v| v.table());
    for (name, at, prompt) in tables(&file, "prompt") {
        check_name(prompt.findings, at, "prompt", name);
        listed.insert(name.to_owned());
        for entry in prompt.entries() {
            let known = install.languages.contains_key(entry.key) || entry.key == "notes" || entry.key == "file";
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
                format!("language `{language}` has no recordings of its own: callers hear `{}` instead", chain[0]),
                format!("put recordings into {}", install.prompts.join(&**language).display()),
            );
        } else if sounds.is_empty() {
            findings.error_help(
                install.languages_at,
                "language-without-prompts",
                format!("language `{language}` has no recordings and falls back to nothing"),
                format!("put recordings into {}, or give it a fallback", install.prompts.join(&**language).display()),
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

    pub fn length(&self, language: &str, name: &str) -> Option<Duration> {
        let sound = self.prompts.sound(language, name)?;
        self.prompts.lengths.get(sound.0 as usize).copied()
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
    const FORMAT: &str = "save it as PCM or float WAV, 8 to 48 kHz, mono or stereo, 16, 24 or 32 bits";
    let bad = |what: String| {
        findings.error_help(at, "bad-wav", what, FORMAT.to_owned());
        None
    };
    let reader = match hound::WavReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return bad(format!("this is no WAV file that can be played: {error}")),
    };
    let spec = reader.spec();
    let float = spec.sample_format == hound::SampleFormat::Float;
    if !(8000..=48000).contains(&spec.sample_rate) {
        return bad(format!("{} samples per second cannot be played", spec.sample_rate));
    }
    if !(1..=2).contains(&spec.channels) {
        return bad(format!("{} channels cannot be played", spec.channels));
    }
    if !matches!((float, spec.bits_per_sample), (false, 16 | 24 | 32) | (true, 32)) {
        let kind = if float { "floating point" } else { "integer" };
        return bad(format!("{} bits ({kind}) cannot be played", spec.bits_per_sample));
    }
    let frames = reader.duration();
    let length = Duration::from_secs_f64(f64::from(frames) / f64::from(spec.sample_rate));
    if frames == 0 || length > LENGTH_MAX {
        return bad(format!("it is {:.1} s long", length.as_secs_f64()));
    }
    let mut loud = Loudness::default();
    let read = if float {
        reader.into_samples::<f32>().try_for_each(|s| s.map(|s| loud.add(s)))
    } else {
        #[expect(clippy::cast_precision_loss, reason = "a loudness needs no exact bits")]
        let full = ((1i64 << (spec.bits_per_sample - 1)) - 1) as f32;
        #[expect(clippy::cast_precision_loss, reason = "a loudness needs no exact bits")]
        reader.into_samples::<i32>().try_for_each(|s| s.map(|s| loud.add(s as f32 / full)))
    };
    if let Err(error) = read {
        return bad(format!("it ends early or is damaged: {error}"));
    }
    if loud.peak < SILENT_PEAK {
        findings.warning(at, "silent-prompt", "nothing is heard in it", "record it again, louder".to_owned());
    } else if loud.clipped {
        let help = "record or render it again with less gain; peaks at -3 dBFS are plenty".to_owned();
        findings.warning(at, "clipped-prompt", "it is clipped: samples stand at full scale", help);
    }
    Some(length)
}

#[derive(Default)]
struct Loudness {
    peak: f32,
    run: u32,
    clipped: bool,
}

impl Loudness {
    fn add(&mut self, sample: f32) {
        let level = sample.abs();
        self.peak = self.peak.max(level);
        self.run = if level >= 0.9999 { self.run + 1 } else { 0 };
        self.clipped |= self.run >= CLIPPED_RUN;
    }
}
