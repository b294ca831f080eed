use std::fmt;
use std::io;

pub const DONE: u8 = 0;
pub const FOUND_WRONG: u8 = 1;
pub const NOT_STARTED: u8 = 2;
/// A broken rule of our own (EX_SOFTWARE).
pub const BROKEN: u8 = 70;

/// Why a command did not do what was asked: its exit code, and what a person reads once.
#[derive(Debug)]
pub struct Failure {
    pub code: u8,
    pub what: String,
    broken_pipe: bool,
}

impl Failure {
    pub fn wrong(what: impl fmt::Display) -> Failure {
        Failure { code: FOUND_WRONG, what: what.to_string(), broken_pipe: false }
    }

    pub fn not_started(what: impl fmt::Display) -> Failure {
        Failure { code: NOT_STARTED, what: what.to_string(), broken_pipe: false }
    }

    pub fn broken(what: impl fmt::Display) -> Failure {
        Failure { code: BROKEN, what: what.to_string(), broken_pipe: false }
    }

    /// Who read our output has seen enough: that is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }
}

/// Of writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Failure { code: FOUND_WRONG, what: error.to_string(), broken_pipe }
    }
}
