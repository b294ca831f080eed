//! What each language has, and what it lacks.

use crate::survey::{State, Survey};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One language.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Debug)]
pub struct LanguageStatus {
    pub language: String,
    /// Prompts that a caller of this language may hear: with a text in it, or in what it falls back to.
    pub listed: usize,
    /// By a person.
    pub recorded: usize,
    /// By a voice, up to date.
    pub rendered: usize,
    /// By a voice, from an earlier text.
    pub stale: Vec<String>,
    /// With a text and without a file, though a fallback may have one.
    pub missing: Vec<String>,
    /// Heard in a language that it falls back to.
    pub falls_back: usize,
    /// Nothing is heard.
    pub unheard: Vec<String>,
    /// In this order.
    pub fallbacks: Vec<String>,
    /// Has a voice that can render.
    pub voice: bool,
    /// Enabled in hotline.toml.
    pub enabled: bool,
    /// Flows that name a prompt which is not heard, by prompt.
    pub needed_by: BTreeMap<String, Vec<String>>,
}

/// Every language that is enabled or has a text.
pub fn status(survey: &Survey) -> Vec<LanguageStatus> {
    let place = &survey.place;
    let all: BTreeSet<&str> =
        survey.list.languages().into_iter().chain(place.languages.keys().map(String::as_str)).collect();
    let mut statuses: Vec<LanguageStatus> = all.into_iter().map(|l| of(survey, l)).collect();
    if statuses.iter().any(|s| !s.unheard.is_empty()) {
        let uses = uses(&place.flows);
        for status in &mut statuses {
            let needed = |name: &String| Some((name.clone(), uses.get(name)?.iter().cloned().collect()));
            status.needed_by = status.unheard.iter().filter_map(needed).collect();
        }
    }
    statuses
}

fn of(survey: &Survey, language: &str) -> LanguageStatus {
    let fallbacks = survey.place.languages.get(language).cloned().unwrap_or_default();
    let mut status = LanguageStatus {
        language: language.to_owned(),
        voice: survey.list.voices.contains_key(language),
        enabled: survey.place.languages.contains_key(language),
        ..LanguageStatus::default()
    };
    for (name, prompt) in &survey.list.prompts {
        let chain = std::iter::once(language).chain(fallbacks.iter().map(String::as_str));
        if !chain.into_iter().any(|l| prompt.texts.contains_key(l)) {
            continue;
        }
        status.listed += 1;
        match survey.item_of(language, name).map(|i| i.state) {
            Some(State::Recorded) => status.recorded += 1,
            Some(State::Rendered) => status.rendered += 1,
            Some(State::Stale) => status.stale.push(name.clone()),
            // A recording of a prompt whose text stands only in another language.
            None if survey.place.wav(language, name).is_file() => status.recorded += 1,
            state => {
                if state.is_some() {
                    status.missing.push(name.clone());
                }
                match survey.place.heard(language, name) {
                    Some(_) => status.falls_back += 1,
                    None => status.unheard.push(name.clone()),
                }
            }
        }
    }
    status.fallbacks = fallbacks;
    status
}

/// Which flows name which prompt: every text in a flow's file that is a prompt's name.
fn uses(flows: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut uses = BTreeMap::<String, BTreeSet<String>>::new();
    let Ok(entries) = std::fs::read_dir(flows) else { return uses };
    let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(flow) = name.strip_suffix(".toml").filter(|n| !n.ends_with(".test")) else { continue };
        let Ok(text) = crate::file::text(&path, 1 << 20) else { continue };
        if let Ok(table) = text.parse::<toml::Table>() {
            texts(&toml::Value::Table(table), &mut |text| {
                uses.entry(text.to_owned()).or_default().insert(flow.to_owned());
            });
        }
    }
    uses
}

fn texts(value: &toml::Value, found: &mut dyn FnMut(&str)) {
    match value {
        toml::Value::String(text) => found(text),
        toml::Value::Array(list) => list.iter().for_each(|v| texts(v, found)),
        toml::Value::Table(table) => table.values().for_each(|v| texts(v, found)),
        _ => {}
    }
}
