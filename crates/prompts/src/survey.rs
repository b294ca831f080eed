//! The list against the files: what is recorded, rendered, out of date, missing.

use crate::list::{How, List};
use crate::record::Record;
use crate::sound::Target;
use crate::{Error, Place, file};
use serde::Serialize;
use std::path::PathBuf;

/// Raise it when the same text should sound different.
const MADE_BY: u32 = 3;

/// The list, what was rendered from it, and every prompt of every language that has a text.
#[derive(Clone, Debug)]
pub struct Survey {
    pub place: Place,
    pub list: List,
    pub(crate) record: Record,
    pub items: Vec<Item>,
}

/// A prompt in a language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub language: String,
    pub name: String,
    pub path: PathBuf,
    pub state: State,
    /// Hash of what decides how it is rendered. None: its language has no voice.
    pub(crate) recipe: Option<String>,
    /// Hash of the file.
    pub(crate) file: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// By a person: the file is not the one that was rendered.
    Recorded,
    /// By a voice, from the text as it is.
    Rendered,
    /// By a voice; text, voice or settings have changed.
    Stale,
    Missing,
}

impl Survey {
    /// Reads the list and the hash of every file.
    pub fn of(place: Place) -> Result<Survey, Error> {
        let list = List::read(&place.list())?;
        let record = Record::read(&Survey::record_path(&place))?;
        let mut survey = Survey { place, list, record, items: vec![] };
        for language in survey.list.languages() {
            for (name, text) in survey.list.of(language) {
                let item = survey.item(language, name, text)?;
                survey.items.push(item);
            }
        }
        Ok(survey)
    }

    pub(crate) fn record_path(place: &Place) -> PathBuf {
        place.prompts.join("rendered.toml")
    }

    pub fn item_of(&self, language: &str, name: &str) -> Option<&Item> {
        self.items.iter().find(|i| i.language == language && i.name == name)
    }

    fn item(&self, language: &str, name: &str, text: &str) -> Result<Item, Error> {
        let path = self.place.wav(language, name);
        let recipe = self.recipe(language, name, text);
        let file = file::bytes(&path)?.map(|bytes| file::hash(&bytes));
        let state = match (&file, self.record.entry(language, name)) {
            (None, _) => State::Missing,
            (Some(file), Some(was)) if *file == was.file => match &recipe {
                Some(recipe) if *recipe != was.text => State::Stale,
                _ => State::Rendered,
            },
            (Some(_), _) => State::Recorded,
        };
        Ok(Item { language: language.into(), name: name.into(), path, state, recipe, file })
    }

    fn recipe(&self, language: &str, name: &str, text: &str) -> Option<String> {
        let voice = self.list.voice_of(name, language)?;
        let pieces = self.list.pieces(text, voice).ok()?;
        let spoken: Vec<(&How, &str)> =
            pieces.iter().map(|p| (&self.list.voices[p.voice].how, p.text)).collect();
        let first = &self.list.voices[voice].how;
        if spoken.is_empty() && *first != How::Chords {
            return None;
        }
        let Target { loudness, peak, before, after } = self.list.target(name, language);
        let settings = (self.list.rate, loudness, peak, before.as_millis(), after.as_millis());
        let all = serde_json::to_vec(&(MADE_BY, first, spoken, settings)).ok()?;
        Some(file::hash(&all))
    }
}
