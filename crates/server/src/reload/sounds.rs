//! Sounds of all the versions that calls still hear, at places that never change their meaning.
use super::files::Print;
use crate::media::Shelf;
use engine::Prompts;
use hotline_core::SoundId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The place of each sound on the shelf. A place is given anew only after everybody who knew it is gone, and one
/// change later: a media thread may be a moment behind.
#[derive(Debug)]
pub struct Sounds {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    print: Print,
    file: PathBuf,
    length: Duration,
    /// The prompts that name it; calls hold them.
    of: Vec<Weak<Prompts>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Held,
    /// Emptied at the last change.
    Emptied,
    Free,
}

impl Sounds {
    /// Those that the engine was started with, each at its own place.
    pub fn new(prompts: &Arc<Prompts>, prints: &[Print]) -> Sounds {
        let place = |(i, file): (usize, &PathBuf)| Place {
            print: prints.get(i).copied().flatten(),
            file: file.clone(),
            length: prompts.lengths.get(i).copied().unwrap_or_default(),
            of: vec![Arc::downgrade(prompts)],
            state: State::Held,
        };
        Sounds { places: prompts.files.iter().enumerate().map(place).collect() }
    }

    /// These prompts with their sounds' places; new sounds are read, encoded and put on the shelf.
    ///
    /// # Errors
    /// The files that cannot be played; nothing is changed then.
    pub fn place(
        &mut self,
        prompts: &Prompts,
        prints: &[Print],
        shelf: &Shelf,
    ) -> Result<Arc<Prompts>, String> {
        let mut library = (*shelf.library()).clone();
        let mut changed = self.sweep(&mut library);
        let mut at: BTreeMap<[u8; 32], usize> = BTreeMap::new();
        for (i, place) in self.places.iter().enumerate().filter(|(_, p)| p.state == State::Held) {
            if let Some(print) = place.print {
                at.entry(print).or_insert(i);
            }
        }
        let (mut ids, mut new, mut wrong) = (Vec::with_capacity(prompts.files.len()), Vec::new(), Vec::new());
        let free: Vec<usize> =
            (0..self.places.len()).filter(|&i| self.places[i].state == State::Free).collect();
        let mut free = free.into_iter();
        let mut end = self.places.len();
        for (i, file) in prompts.files.iter().enumerate() {
            let print = prints.get(i).copied().flatten();
            let known = print.and_then(|print| at.get(&print).copied());
            let place = known.unwrap_or_else(|| {
                free.next().unwrap_or_else(|| {
                    end += 1;
                    end - 1
                })
            });
            if known.is_none() {
                if let Err(error) = library.put(SoundId(place as u32), file) {
                    wrong.push(error.to_string());
                }
                if let Some(print) = print {
                    at.insert(print, place);
                }
                let length = prompts.lengths.get(i).copied().unwrap_or_default();
                new.push((
                    place,
                    Place { print, file: file.clone(), length, of: Vec::new(), state: State::Held },
                ));
                changed = true;
            }
            ids.push(SoundId(place as u32));
        }
        if !wrong.is_empty() {
            return Err(format!("prompts cannot be played:\n  {}", wrong.join("\n  ")));
        }
        new.sort_by_key(|(at, _)| *at);
        for (at, place) in new {
            match self.places.get_mut(at) {
                Some(old) => *old = place,
                None => self.places.push(place),
            }
        }
        if changed {
            shelf.put(library);
        }
        Ok(self.named(prompts, &ids))
    }

    /// Empties places that nobody names any more; says whether there were some.
    fn sweep(&mut self, library: &mut media::Library) -> bool {
        let mut changed = false;
        for (i, place) in self.places.iter_mut().enumerate() {
            place.of.retain(|prompts| prompts.strong_count() > 0);
            place.state = match place.state {
                State::Held if place.of.is_empty() => {
                    library.forget(SoundId(i as u32));
                    changed = true;
                    State::Emptied
                }
                State::Emptied => State::Free,
                state => state,
            };
        }
        changed
    }

    fn named(&mut self, prompts: &Prompts, ids: &[SoundId]) -> Arc<Prompts> {
        let place = |sound: &SoundId| ids.get(sound.0 as usize).copied().unwrap_or(*sound);
        let moved = Arc::new(Prompts {
            sounds: prompts
                .sounds
                .iter()
                .map(|(language, sounds)| {
                    (language.clone(), sounds.iter().map(|(name, id)| (name.clone(), place(id))).collect())
                })
                .collect(),
            files: self.places.iter().map(|p| p.file.clone()).collect(),
            lengths: self.places.iter().map(|p| p.length).collect(),
            music: prompts.music.as_ref().map(place),
        });
        for id in ids {
            if let Some(place) = self.places.get_mut(id.0 as usize) {
                let us = Arc::downgrade(&moved);
                if !place.of.iter().any(|other| other.ptr_eq(&us)) {
                    place.of.push(us);
                }
            }
        }
        moved
    }
}
