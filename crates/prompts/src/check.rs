//! Faults that can be heard, or measured before anybody hears them.

use crate::list::List;
use crate::sound::{Sound, dbfs, mean_square, percentile};
use crate::survey::{Item, State, Survey};
use crate::{Error, file};
use media::wav;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Off the target by more than this sounds softer or louder than its neighbours, in LU.
const LOUDNESS_OFF_MAX: f64 = 3.0;
/// Peaks above this are clipped by what comes later, dBTP.
const PEAK_MAX: f64 = -1.0;
/// A sample of at least this is full scale; so many in a row are no peak but a cut.
const FULL_SCALE: f32 = 0.999;
const CLIPPED_RUN: usize = 3;
/// Of the mean of all samples: -40 dBFS.
const OFFSET_MAX: f64 = 0.01;
/// Beyond the silence that is wanted at an edge.
const EDGE_SLACK: Duration = Duration::from_millis(200);
const FRAGMENT_SLACK: Duration = Duration::from_millis(80);
const PAUSE_MAX: Duration = Duration::from_millis(1500);
/// Below this a stretch inside is a pause, and what is louder in the pauses is noise, dBFS.
const NOISE_MAX_DBFS: f64 = -45.0;
/// Noise is told from soft speech in what is at least so long.
const NOISE_LENGTH_MIN: Duration = Duration::from_secs(1);
/// Seconds that a syllable takes, spoken fast and slow.
const SYLLABLE: (f64, f64) = (0.08, 0.65);
/// A short word may take longer a syllable.
const LENGTH_SLACK: f64 = 1.2;

/// One fault of one file.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Finding {
    pub level: Level,
    pub rule: &'static str,
    pub file: PathBuf,
    pub what: String,
    pub help: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Callers hear nothing, or noise.
    Error,
    /// Callers hear that something is wrong.
    Warning,
    /// Worth knowing.
    Note,
}

/// Every file of the list, and files that no list knows, by path.
pub fn check(survey: &Survey) -> Vec<Finding> {
    let mut findings = vec![];
    for item in &survey.items {
        let faults = Faults::of(item, survey);
        findings.extend(faults.into_iter().map(|f| f.at(&item.path)));
    }
    for path in unlisted(survey) {
        let what = "it is in no list: nothing plays it".to_owned();
        let help = format!("add it to {}, or remove it", survey.place.list().display());
        findings.push(Finding { level: Level::Warning, rule: "unlisted-prompt", file: path, what, help });
    }
    findings.sort_by(|a, b| (&a.file, a.level, a.rule).cmp(&(&b.file, b.level, b.rule)));
    findings
}

/// Trims and levels recordings whose loudness, edges, offset or peaks are off, in place, as mono with 16 bits
/// at their own rate. Says which. What was rendered is left to be rendered again.
pub fn fix(survey: &Survey) -> Result<Vec<PathBuf>, Error> {
    let mut fixed = vec![];
    for item in survey.items.iter().filter(|i| i.state == State::Recorded) {
        let fixable = Faults::of(item, survey).iter().any(|f| FIXABLE.contains(&f.rule));
        let Ok(wave) = wav::read(&item.path) else { continue };
        if !fixable {
            continue;
        }
        let target = survey.list.target(&item.name, &item.language);
        let music = is_music(&survey.list, item);
        let sound = Sound::from(wave);
        let better = if music { sound.centred().levelled(&target) } else { sound.fitted(&target) };
        file::write(&item.path, &better.to_wav())?;
        fixed.push(item.path.clone());
    }
    Ok(fixed)
}

const FIXABLE: [&str; 5] = ["off-loudness", "high-peak", "offset", "silence-before", "silence-after"];

struct Fault {
    level: Level,
    rule: &'static str,
    what: String,
    help: String,
}

impl Fault {
    fn at(self, path: &Path) -> Finding {
        Finding {
            level: self.level,
            rule: self.rule,
            file: path.to_owned(),
            what: self.what,
            help: self.help,
        }
    }
}

struct Faults(Vec<Fault>);

impl Faults {
    fn of(item: &Item, survey: &Survey) -> Vec<Fault> {
        let mut faults = Faults(vec![]);
        match item.state {
            State::Missing => faults.missing(item, survey),
            state => {
                if state == State::Stale {
                    faults.warning(
                        "stale-prompt",
                        "its text or voice has changed since it was rendered",
                        "hotline prompts render",
                    );
                }
                match wav::read(&item.path) {
                    Ok(wave) => faults.heard(item, survey, wave),
                    Err(e) => faults.add(
                        Level::Error,
                        "bad-wav",
                        format!("it cannot be played: {e}"),
                        "save it as WAV, 8 to 48 kHz, mono or stereo, 16 or 24 bits or float",
                    ),
                }
            }
        }
        faults.0
    }

    fn add(&mut self, level: Level, rule: &'static str, what: impl Into<String>, help: impl Into<String>) {
        self.0.push(Fault { level, rule, what: what.into(), help: help.into() });
    }

    fn warning(&mut self, rule: &'static str, what: impl Into<String>, help: impl Into<String>) {
        self.add(Level::Warning, rule, what, help);
    }

    fn missing(&mut self, item: &Item, survey: &Survey) {
        let help = match item.recipe {
            Some(_) => "hotline prompts render, or put a recording there".to_owned(),
            None => format!("put a recording there, or add [voice.{}] and render it", item.language),
        };
        match survey.place.heard(&item.language, &item.name) {
            Some((language, _)) => {
                self.warning(
                    "missing-prompt",
                    format!("it is missing: callers hear `{language}` instead"),
                    help,
                );
            }
            None => {
                self.add(Level::Error, "missing-prompt", "it is missing, and nothing is heard instead", help)
            }
        }
    }

    fn heard(&mut self, item: &Item, survey: &Survey, wave: wav::Wave) {
        if wave.channels > 1 {
            let what = format!("it has {} channels, which are mixed into one", wave.channels);
            self.add(Level::Note, "stereo", what, "save it as mono and hear whether it still sounds right");
        }
        let sound = Sound::from(wave);
        let Some(sounding) = sound.sounding() else {
            self.add(Level::Error, "silent-prompt", "nothing is heard in it", "record it again, louder");
            return;
        };
        self.levels(item, survey, &sound);
        if !is_music(&survey.list, item) {
            let seconds = |samples: usize| samples as f64 / f64::from(sound.rate);
            let after = sound.samples.len() - sounding.end;
            self.edges(item, survey, seconds(sounding.start), seconds(after));
            self.inside(&sound);
            let text = survey.list.prompts.get(&item.name).and_then(|p| p.texts.get(&item.language));
            self.length(text.map_or("", String::as_str), seconds(sounding.len()));
        }
    }

    fn levels(&mut self, item: &Item, survey: &Survey, sound: &Sound) {
        let target = survey.list.target(&item.name, &item.language);
        let loudness = sound.loudness();
        if (loudness - target.loudness).abs() > LOUDNESS_OFF_MAX {
            let what = format!("its loudness is {loudness:.1} LUFS; {:.1} is wanted", target.loudness);
            self.warning("off-loudness", what, FIX);
        }
        let clipped =
            runs(&sound.samples, |s| s.abs() >= FULL_SCALE).into_iter().filter(|n| *n >= CLIPPED_RUN).count();
        let peak = sound.true_peak();
        if clipped > 0 {
            let what = format!("it is clipped: it stands at full scale {clipped} times");
            self.warning(
                "clipped-prompt",
                what,
                "record it again with less gain; peaks at -6 dBFS are plenty",
            );
        } else if peak > PEAK_MAX {
            self.warning("high-peak", format!("its peaks reach {peak:.1} dBTP; {PEAK_MAX} at most"), FIX);
        }
        let offset = sound.offset();
        if offset.abs() > OFFSET_MAX {
            let what = format!("its middle is off by {:.1} % of full scale", offset * 100.0);
            self.warning("offset", what, FIX);
        }
    }

    fn edges(&mut self, item: &Item, survey: &Survey, before: f64, after: f64) {
        let target = survey.list.target(&item.name, &item.language);
        let slack = if survey.list.is_fragment(&item.name) { FRAGMENT_SLACK } else { EDGE_SLACK };
        let sides = [
            ("silence-before", "begins", before, target.before),
            ("silence-after", "ends", after, target.after),
        ];
        for (rule, verb, silence, wanted) in sides {
            if silence > (wanted + slack).as_secs_f64() {
                let what = format!("it {verb} with {silence:.2} s of silence; {wanted:?} is wanted");
                self.warning(rule, what, FIX);
            }
        }
    }

    fn inside(&mut self, sound: &Sound) {
        let Some(sounding) = sound.sounding() else { return };
        let spoken = Sound::new(sound.rate, sound.samples[sounding].to_vec());
        let levels = spoken.levels();
        let longest =
            runs(&levels, |l| *l < f64::from(wav::SILENCE_DBFS)).into_iter().max().unwrap_or(0) as u32;
        let pause = Duration::from_millis(10) * longest;
        if pause > PAUSE_MAX {
            let what = format!("it is silent for {:.1} s inside", pause.as_secs_f64());
            self.warning("long-pause", what, "cut it, or make it two prompts");
        }
        let floor = percentile(&sound.levels(), 5);
        let loud = dbfs(mean_square(&spoken.samples));
        if sound.length() >= NOISE_LENGTH_MIN && floor > NOISE_MAX_DBFS && loud - floor > 6.0 {
            let what =
                format!("there is noise of {floor:.0} dBFS in its pauses; {NOISE_MAX_DBFS:.0} at most");
            self.warning("noise", what, "record it again in a quieter room");
        }
    }

    fn length(&mut self, text: &str, seconds: f64) {
        let syllables = syllables(text);
        if syllables == 0 {
            return;
        }
        let (least, most) = (syllables as f64 * SYLLABLE.0, syllables as f64 * SYLLABLE.1 + LENGTH_SLACK);
        if !(least..=most).contains(&seconds) {
            let wrong = if seconds < least { "short" } else { "long" };
            let what = format!(
                "it is too {wrong} for its text: {seconds:.1} s; {least:.1} to {most:.1} s are to be expected"
            );
            self.warning("odd-length", what, "hear whether it says what prompts.toml says, to the end");
        }
    }
}

const FIX: &str = "hotline prompts check --fix";

fn is_music(list: &List, item: &Item) -> bool {
    let text = list.prompts.get(&item.name).and_then(|p| p.texts.get(&item.language));
    text.is_none_or(|t| t.trim().is_empty())
}

/// Ideographs and digits, and groups of vowels; about right for a whole prompt.
fn syllables(text: &str) -> usize {
    let (mut count, mut in_vowels, mut in_voice) = (0, false, false);
    for c in text.chars() {
        match c {
            '[' => in_voice = true,
            ']' => in_voice = false,
            _ if in_voice => {}
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3fffd}' | '0'..='9' => count += 1,
            _ => {
                let vowel = "aeiouyAEIOUYäöüáéíóúàèìòùâêîôû".contains(c);
                count += usize::from(vowel && !in_vowels);
                in_vowels = vowel;
            }
        }
    }
    count
}

/// The lengths of stretches in which every value is like this.
fn runs<T>(values: &[T], like: impl Fn(&T) -> bool) -> Vec<usize> {
    let stretches = values.chunk_by(|a, b| like(a) == like(b));
    stretches.filter(|s| s.first().is_some_and(&like)).map(<[T]>::len).collect()
}

fn unlisted(survey: &Survey) -> Vec<PathBuf> {
    let listed: BTreeSet<&Path> = survey.items.iter().map(|i| i.path.as_path()).collect();
    let mut languages = survey.list.languages();
    languages.extend(survey.place.languages.keys().map(String::as_str));
    let mut paths = vec![];
    for language in languages {
        let Ok(entries) = std::fs::read_dir(survey.place.prompts.join(language)) else { continue };
        for path in entries.filter_map(|e| Some(e.ok()?.path())) {
            let wav = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("wav"));
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            let named = path.file_stem().and_then(|s| s.to_str());
            // A language without a text of its own may have a recording all the same.
            let known = named.is_some_and(|n| survey.list.prompts.contains_key(n));
            if wav && !hidden && !known && !listed.contains(path.as_path()) {
                paths.push(path);
            }
        }
    }
    paths
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        write!(f, "{}: {level}[{}]: {}\n  help: {}", self.file.display(), self.rule, self.what, self.help)
    }
}
