//! From texts to files: spoken, fitted, written, and noted in `rendered.toml`.

use crate::chords::chords;
use crate::list::{How, Voice};
use crate::record::Entry;
use crate::sound::{Sound, Target};
use crate::survey::{Item, State, Survey};
use crate::voice::{Http, speak};
use crate::{Error, file};
use media::wav;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Between two voices in one prompt.
const PAUSE: Duration = Duration::from_millis(200);
/// A prompt longer than this is a mistake of its voice.
const LENGTH_MAX: Duration = Duration::from_secs(600);

/// Renders what is missing or out of date.
#[expect(missing_debug_implementations, reason = "what sends HTTP has none")]
pub struct Renderer {
    /// What voices said, by text and voice: nobody speaks twice. May be deleted at any time.
    pub cache: PathBuf,
    pub http: Arc<dyn Http>,
    /// So many voices speak at once.
    pub jobs: usize,
}

/// What to render.
#[derive(Clone, Copy, Default, Debug)]
pub struct Selection<'a> {
    /// None: all.
    pub language: Option<&'a str>,
    /// Empty: all.
    pub only: &'a [String],
    /// Anew, even if it is up to date; a recording is kept all the same.
    pub force: bool,
}

/// What became of a prompt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Made,
    /// It was up to date.
    Current,
    /// A person recorded it.
    Kept,
    /// Its language has no voice.
    NoVoice,
    /// Why, for a person.
    Failed(String),
}

impl Renderer {
    /// Renders, and tells of every selected prompt as it is done. A prompt that fails does not stop the others.
    /// The survey is of before; take another to see what is there now.
    pub async fn render(
        &self,
        survey: &Survey,
        selection: Selection<'_>,
        tell: &mut dyn FnMut(&Item, &Outcome),
    ) -> Result<(), Error> {
        let mut wanted = vec![];
        for item in select(survey, selection)? {
            match item.state {
                State::Recorded => tell(item, &Outcome::Kept),
                State::Rendered if !selection.force => tell(item, &Outcome::Current),
                _ if item.recipe.is_none() => tell(item, &Outcome::NoVoice),
                _ => wanted.push(item),
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.cache)
            .map_err(|e| Error::Unwritable { path: self.cache.clone(), why: e.to_string() })?;
        let spoken = self.speak_all(survey, &wanted, selection.force).await;
        self.make_all(survey, &wanted, &spoken, tell).await
    }

    /// Every text that the wanted prompts are made of, once.
    async fn speak_all(&self, survey: &Survey, wanted: &[&Item], force: bool) -> Spoken {
        let mut utterances = BTreeMap::new();
        for item in wanted {
            for utterance in utterances_of(survey, item) {
                utterances.insert(utterance.key(), utterance);
            }
        }
        let limit = Arc::new(Semaphore::new(self.jobs.max(1)));
        let mut speaking = JoinSet::new();
        for (key, utterance) in utterances {
            let (limit, http, cache) = (limit.clone(), self.http.clone(), self.cache.clone());
            let (programs, rate) = (survey.place.prompts.clone(), survey.list.rate);
            speaking.spawn(async move {
                let _turn = limit.acquire().await;
                let sound = utterance.sound(&key, &programs, &cache, &*http, force, rate).await;
                (key, sound)
            });
        }
        let mut spoken = Spoken::new();
        while let Some(done) = speaking.join_next().await {
            if let Ok((key, sound)) = done {
                spoken.insert(key, sound.map(Arc::new));
            }
        }
        spoken
    }

    async fn make_all(
        &self,
        survey: &Survey,
        wanted: &[&Item],
        spoken: &Spoken,
        tell: &mut dyn FnMut(&Item, &Outcome),
    ) -> Result<(), Error> {
        let mut record = survey.record.clone();
        for (language, entries) in &mut record.0 {
            entries.retain(|name, _| survey.item_of(language, name).is_some());
        }
        let limit = Arc::new(Semaphore::new(self.jobs.max(1)));
        let mut making = JoinSet::new();
        for (index, item) in wanted.iter().enumerate() {
            let parts: Result<Vec<_>, String> = utterances_of(survey, item)
                .iter()
                .map(|u| spoken.get(&u.key()).cloned().unwrap_or_else(|| Err("nobody spoke it".into())))
                .collect();
            let (rate, target) = (survey.list.rate, survey.list.target(&item.name, &item.language));
            // A loop has no edges.
            let music = utterances_of(survey, item).iter().any(|u| u.voice.how == How::Chords);
            let limit = limit.clone();
            making.spawn(async move {
                let _turn = limit.acquire().await;
                let make = move || parts.and_then(|parts| finished(&parts, rate, &target, music));
                let made = tokio::task::spawn_blocking(make).await;
                (index, made.unwrap_or_else(|e| Err(e.to_string())))
            });
        }
        while let Some(done) = making.join_next().await {
            let Ok((index, made)) = done else { continue };
            let item = wanted[index];
            let outcome = match made {
                Err(why) => Outcome::Failed(why),
                // While the voice spoke, a person may have put a recording there.
                Ok(_) if file::bytes(&item.path)?.map(|b| file::hash(&b)) != item.file => Outcome::Kept,
                Ok(bytes) => {
                    file::write(&item.path, &bytes)?;
                    let text = item.recipe.clone().unwrap_or_default();
                    record.put(&item.language, &item.name, Entry { text, file: file::hash(&bytes) });
                    // At once: a file that is not noted counts as a person's.
                    record.write(&Survey::record_path(&survey.place))?;
                    Outcome::Made
                }
            };
            tell(item, &outcome);
        }
        Ok(())
    }
}

type Spoken = BTreeMap<String, Result<Arc<Sound>, String>>;

fn select<'s>(survey: &'s Survey, selection: Selection<'_>) -> Result<Vec<&'s Item>, Error> {
    if let Some(language) = selection.language
        && !survey.items.iter().any(|i| i.language == language)
    {
        let known: Vec<&str> = survey.list.languages().into_iter().collect();
        let what = format!("no prompt has a text in `{language}`; there are {}", known.join(", "));
        return Err(Error::Unknown(what));
    }
    if let Some(name) = selection.only.iter().find(|name| !survey.list.prompts.contains_key(*name)) {
        let list = survey.place.list();
        return Err(Error::Unknown(format!("no prompt is called `{name}`: add it to {}", list.display())));
    }
    let wanted = |i: &&Item| {
        selection.language.is_none_or(|l| i.language == l)
            && (selection.only.is_empty() || selection.only.contains(&i.name))
    };
    Ok(survey.items.iter().filter(wanted).collect())
}

/// Something a voice says, or music.
#[derive(Clone, Debug)]
struct Utterance {
    voice: Voice,
    text: String,
}

fn utterances_of(survey: &Survey, item: &Item) -> Vec<Utterance> {
    let list = &survey.list;
    let text = list.prompts.get(&item.name).and_then(|p| p.texts.get(&item.language));
    let (Some(text), Some(voice)) = (text, list.voice_of(&item.name, &item.language)) else { return vec![] };
    if list.voices[voice].how == How::Chords {
        return vec![Utterance { voice: list.voices[voice].clone(), text: String::new() }];
    }
    let pieces = list.pieces(text, voice).unwrap_or_default();
    pieces
        .iter()
        .map(|p| Utterance { voice: list.voices[p.voice].clone(), text: p.text.to_owned() })
        .collect()
}

impl Utterance {
    /// Of all that decides what the voice says.
    fn key(&self) -> String {
        let all = serde_json::to_vec(&(&self.voice.how, &self.text)).unwrap_or_default();
        file::hash(&all)
    }

    /// From the cache, or spoken now and put there.
    async fn sound(
        &self,
        key: &str,
        programs: &Path,
        cache: &Path,
        http: &dyn Http,
        force: bool,
        rate: u32,
    ) -> Result<Sound, String> {
        if self.voice.how == How::Chords {
            return Ok(chords(rate));
        }
        let cached = cache.join(format!("{key}.wav"));
        if !force
            && let Ok(Some(bytes)) = file::bytes(&cached)
            && let Ok(sound) = word(&bytes, rate)
        {
            return Ok(sound);
        }
        let bytes = speak(&self.voice, &self.text, programs, cache, http).await?;
        let (sound, bytes) = tokio::task::spawn_blocking(move || (word(&bytes, rate), bytes))
            .await
            .map_err(|e| e.to_string())?;
        let sound = sound?;
        file::write(&cached, &bytes).map_err(|e| e.to_string())?;
        Ok(sound)
    }
}

/// What a voice said, in the telephone's band and without the silence around it.
fn word(bytes: &[u8], rate: u32) -> Result<Sound, String> {
    let wave = wav::decode(bytes).map_err(|e| format!("what the voice said {e}"))?;
    if wave.length() > LENGTH_MAX {
        return Err(format!("what the voice said is longer than {LENGTH_MAX:?}"));
    }
    let samples = wave.at_rate(rate).map_err(|e| format!("what the voice said {e}"))?;
    let sound = Sound::new(rate, samples).centred().banded();
    if sound.sounding().is_none() {
        return Err("nothing is heard in what the voice said".to_owned());
    }
    Ok(sound.trimmed(Duration::ZERO, Duration::ZERO))
}

fn finished(parts: &[Arc<Sound>], rate: u32, target: &Target, music: bool) -> Result<Vec<u8>, String> {
    let mut samples = vec![];
    for part in parts {
        if !samples.is_empty() {
            let pause = (PAUSE.as_secs_f64() * f64::from(rate)) as usize;
            samples.resize(samples.len() + pause, 0.0);
        }
        samples.extend_from_slice(&part.samples);
    }
    let sound = Sound::new(rate, samples);
    if sound.sounding().is_none() {
        return Err("nothing is heard in it".to_owned());
    }
    let edged = if music { sound } else { sound.trimmed(target.before, target.after) };
    Ok(edged.levelled(target).to_wav())
}
