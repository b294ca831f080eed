//! Sound from legs into files: messages of callers, recordings of calls. The shell writes, the engine says what.

use hotline_core::LegId;
use std::fmt;
use std::time::Duration;

/// One file of sound while it is made; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapeId(pub u64);

impl fmt::Display for TapeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tape-{}", self.0)
    }
}

impl fmt::Debug for TapeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the shell is to do. Tapes that it does not know are over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tape {
    /// What arrives on `leg` goes into `file`, aligned by time. `file` is relative to the installation's folder for
    /// what it keeps, made of names of ours.
    Start { tape: TapeId, leg: LegId, file: String, kind: TapeKind },
    /// A recording's right side from here on; None: silence.
    Right { tape: TapeId, leg: Option<LegId> },
    /// Silence is written instead of what is heard.
    Mute { tape: TapeId, on: bool },
    /// The file is finished without its last `cut`: `TapeNews` says what became of it.
    End { tape: TapeId, cut: Duration },
    /// Removes a file that was kept.
    Erase { file: String },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TapeKind {
    /// One channel; silence at its end is cut off. `silence`: nothing loud for so long is told once. What is shorter
    /// than `min`, or only silence, is not kept.
    Message { min: Duration, silence: Duration },
    /// Caller left, the other side right.
    Call,
}

/// What the shell says of a tape. After all but `Silent` it knows the tape no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TapeNews {
    Silent,
    /// The file lies there. `lost`: sound that a slow disk left no room for.
    Kept {
        length: Duration,
        lost: Duration,
    },
    /// A message that is none.
    Empty,
    /// Nothing was kept: a full disk, or another reason of the system.
    Failed {
        why: String,
    },
}
