use crate::{Codec, wav};
use hotline_core::SoundId;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// All sounds of an installation, each encoded once for each codec. `SoundId` is the index.
#[derive(Clone, Default, Debug)]
pub struct Library {
    sounds: Vec<Sound>,
}

#[derive(Clone, Debug)]
struct Sound {
    ulaw: Arc<[u8]>,
    alaw: Arc<[u8]>,
}

/// A sound file that cannot be played, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError {
    pub file: PathBuf,
    pub error: wav::Error,
}

impl Library {
    /// Loads each WAV file as the sound of its index; all files that fail, not the first.
    pub fn load(files: &[PathBuf]) -> Result<Library, Vec<LoadError>> {
        let load = |file: &PathBuf| -> Result<Vec<i16>, LoadError> {
            wav::read(Path::new(file))
                .and_then(|wave| wave.telephone_samples())
                .map_err(|error| LoadError { file: file.clone(), error })
        };
        let (mut sounds, mut errors) = (Vec::with_capacity(files.len()), Vec::new());
        for file in files {
            match load(file) {
                Ok(samples) => sounds.push(samples),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Library::from_samples(sounds)) } else { Err(errors) }
    }

    /// Sounds given as 8 kHz mono samples.
    pub fn from_samples(sounds: Vec<Vec<i16>>) -> Library {
        Library { sounds: sounds.iter().map(|samples| Sound::of(samples)).collect() }
    }

    /// Loads one WAV file and puts it at this place, with silence at places between that nobody has filled.
    pub fn put(&mut self, sound: SoundId, file: &Path) -> Result<(), LoadError> {
        let samples = wav::read(file)
            .and_then(|wave| wave.telephone_samples())
            .map_err(|error| LoadError { file: file.to_owned(), error })?;
        let place = sound.0 as usize;
        if self.sounds.len() <= place {
            self.sounds.resize(place + 1, Sound::silent());
        }
        self.sounds[place] = Sound::of(&samples);
        Ok(())
    }

    /// Gives the memory of a sound back that nobody plays any more.
    pub fn forget(&mut self, sound: SoundId) {
        if let Some(sound) = self.sounds.get_mut(sound.0 as usize) {
            *sound = Sound::silent();
        }
    }

    pub fn len(&self) -> usize {
        self.sounds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sounds.is_empty()
    }

    /// How long a sound plays.
    pub fn length(&self, sound: SoundId) -> Option<Duration> {
        let samples = self.sounds.get(sound.0 as usize)?.ulaw.len() as u64;
        Some(Duration::from_micros(samples * 125))
    }

    /// A sound's bytes, one a sample; empty for a sound that is not here.
    pub fn encoded(&self, sound: SoundId, codec: Codec) -> &[u8] {
        match (self.sounds.get(sound.0 as usize), codec) {
            (Some(sound), Codec::Pcmu) => &sound.ulaw,
            (Some(sound), Codec::Pcma) => &sound.alaw,
            (None, _) => &[],
        }
    }
}

impl Sound {
    fn of(samples: &[i16]) -> Sound {
        let encode = |codec: Codec| samples.iter().map(|&s| codec.encode(s)).collect();
        Sound { ulaw: encode(Codec::Pcmu), alaw: encode(Codec::Pcma) }
    }

    fn silent() -> Sound {
        Sound::of(&[])
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.error)
    }
}

impl std::error::Error for LoadError {}
