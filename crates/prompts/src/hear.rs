//! What a caller hears: prompts of a language or what it falls back to, as a telephone carries them.

use crate::sound::Sound;
use crate::{Error, Place};
use ivr::SayKind;
use ivr::say::Currency;
use media::wav;
use rtp::g711;
use std::path::PathBuf;

/// Longer than this nobody listens; a reading has a few dozen fragments.
const PROMPTS_MAX: usize = 1000;

/// A sound, and where it came from.
#[derive(Clone, Debug)]
pub struct Heard {
    /// 8 kHz, through A-law and back.
    pub sound: Sound,
    /// By prompt: the language that spoke, and its file.
    pub from: Vec<(String, PathBuf)>,
}

/// Prompts one after the other, as callers of this language hear them.
pub fn hear(place: &Place, language: &str, names: &[String]) -> Result<Heard, Error> {
    if !place.languages.contains_key(language) {
        let known: Vec<&str> = place.languages.keys().map(String::as_str).collect();
        let what = format!("no language is called `{language}`; there are {}", known.join(", "));
        return Err(Error::Unknown(what));
    }
    if names.len() > PROMPTS_MAX {
        return Err(Error::Unknown(format!("{} prompts at once; {PROMPTS_MAX} at most", names.len())));
    }
    let (mut samples, mut from) = (vec![], vec![]);
    for name in names {
        let Some((spoken, path)) = place.heard(language, name) else {
            let first = place.wav(language, name);
            return Err(Error::Unknown(format!(
                "no prompt `{name}` is there: {} is missing",
                first.display()
            )));
        };
        let unreadable = |e: wav::Error| Error::Unreadable { path: path.clone(), why: e.to_string() };
        let carried = wav::read(&path).and_then(|w| w.telephone_samples()).map_err(unreadable)?;
        samples
            .extend(carried.iter().map(|&s| f32::from(g711::alaw_decode(g711::alaw_encode(s))) / 32_768.0));
        from.push((spoken.to_owned(), path));
    }
    Ok(Heard { sound: Sound::new(8000, samples), from })
}

/// The prompts that a value is read from: `number:105`, `money:12.50` (yuan), `money-USD:12.50`.
pub fn reading(say: &str, language: &str) -> Result<Vec<String>, Error> {
    let unknown = |what: String| Error::Unknown(what);
    let (kind, value) = say
        .split_once(':')
        .ok_or_else(|| unknown(format!("`{say}` is no KIND:VALUE, such as number:105")))?;
    let known =
        || format!("nothing is read aloud as `{kind}`; there are {}, money-USD", SayKind::NAMES.join(", "));
    let kind = match kind.split_once('-') {
        Some((money, currency)) => SayKind::parse(money, currency.parse().ok()),
        None => SayKind::parse(kind, Some(Currency::Cny)),
    };
    let kind = kind.ok_or_else(|| unknown(known()))?;
    let names = ivr::say::reading(kind, value, language);
    let names =
        names.ok_or_else(|| unknown(format!("`{value}` cannot be read aloud as {kind} in {language}")))?;
    Ok(names.into_iter().map(str::to_owned).collect())
}
