//! What callers hear: which prompts there are, which are missing; texts spoken by a voice and made as loud as
//! the rest; recordings checked and played.
//!
//! `prompts.toml` is the one list ([`List`]), `LANGUAGE/NAME.wav` are the sounds. What was rendered stands in
//! `rendered.toml` with its hash; a file with another hash was recorded by a person, and nothing here writes
//! over it unasked.
//!
//! *Invariant:* no shell, and no sockets: a voice behind HTTP is asked through [`Http`].

mod check;
mod chords;
mod file;
mod hear;
mod list;
mod loudness;
mod place;
mod record;
mod render;
mod sound;
mod status;
mod survey;
mod voice;

pub use check::{Finding, Level, check, fix};
pub use hear::{Heard, hear, reading};
pub use list::{How, HttpVoice, List, Prompt, Voice};
pub use loudness::{loudness, true_peak};
pub use place::Place;
pub use render::{Outcome, Renderer, Selection};
pub use sound::{Sound, Target};
pub use status::{LanguageStatus, status};
pub use survey::{Item, State, Survey};
pub use voice::{Http, NoHttp, Request, SOUND_BYTES_MAX, Speaking};

use std::fmt;
use std::path::PathBuf;

/// Why something could not be done at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    Unreadable {
        path: PathBuf,
        why: String,
    },
    Unwritable {
        path: PathBuf,
        why: String,
    },
    /// The list, or the main file of the installation, makes no sense.
    List {
        path: PathBuf,
        why: String,
    },
    /// What was asked for is not there.
    Unknown(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreadable { path, why } => write!(f, "{} cannot be read: {why}", path.display()),
            Error::Unwritable { path, why } => write!(f, "{} cannot be written: {why}", path.display()),
            Error::List { path, why } => write!(f, "{}: {why}", path.display()),
            Error::Unknown(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {}
