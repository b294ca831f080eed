//! What goes into a visit and what comes out: the contract with the engine.

use hotline_core::{PlayId, Severity};
use std::sync::Arc;
use std::time::Duration;

/// A sound to be heard: a prompt's name in a language (`cmn`, `yue`, `wuu`, `en`); the engine resolves it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Spoken {
    pub prompt: Arc<str>,
    pub language: Arc<str>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    Spoken(Spoken),
    Silence(Duration),
    /// One or two frequencies (the second 0: one), at a level in dBm0.
    Tone {
        hz: [u16; 2],
        length: Duration,
        dbm0: i8,
    },
}

/// What the visit knows when it starts.
#[derive(Clone, Debug)]
pub struct Start {
    pub caller: String,
    pub dialled: String,
    /// Unix seconds of `Time::ZERO`; wall clock = this + now.
    pub epoch_unix: i64,
    /// Variables preset by the number (class, greeting ...).
    pub vars: Vec<(Arc<str>, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueEnd {
    /// No agent in the step's own time.
    Timeout,
    Full,
    /// No agent signed in who could ever serve it.
    NoAgents,
    /// The agent hung up first: the flow goes on (survey, goodbye).
    Served,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RingEnd {
    /// The agent answered, and hung up first. The caller is answered by then.
    Served,
    NoAnswer,
    Busy,
    Refused,
    Unreachable,
}

#[derive(Clone, Debug)]
pub enum Input {
    Started(Box<Start>),
    /// 200 sent and media open (after `Output::Answer`), or 183 media open (after `Output::EarlyMedia`).
    Ready,
    Digit(char),
    Played(PlayId),
    QueueEnded(QueueEnd),
    RingEnded(RingEnd),
    /// The caller is gone: only trace and final variables may follow.
    HungUp,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// 200 OK; `Ready` comes back. Only once.
    Answer,
    /// 183 with a session description; `Ready` comes back.
    EarlyMedia,
    /// 180.
    Ringing,
    /// Replaces whatever plays. `Played` comes back unless it was stopped, replaced or repeats.
    Play {
        play: PlayId,
        pieces: Vec<Piece>,
        repeat: bool,
    },
    /// Ends what plays.
    Stop,
    /// Into the ACD; `music` repeats meanwhile. Leaving: `QueueEnded`, or the visit says `LeaveQueue`.
    /// The engine keeps the `timeout`: only it knows when an agent is connected.
    Queue {
        queue: Arc<str>,
        require: Option<String>,
        prefer: Option<String>,
        severity: Severity,
        timeout: Option<Duration>,
        music: Option<Vec<Piece>>,
    },
    LeaveQueue,
    /// Ring one agent directly, by name. An unanswered caller hears ring-back until the agent answers,
    /// an answered one hears `music` (None: the installation's). The engine keeps the `timeout`.
    Ring {
        agent: String,
        timeout: Duration,
        music: Option<Vec<Piece>>,
    },
    Echo(bool),
    Reject {
        code: u16,
        reason: Option<String>,
    },
    Hangup,
    /// For the call record and the story: a step entered.
    Entered {
        step: Arc<str>,
    },
    /// A digit string collected, a variable set; where marked, `value` is stars already.
    Set {
        name: Arc<str>,
        value: String,
        masked: bool,
    },
    /// Something odd that ends or bends the flow, for the log.
    Fault {
        step: Arc<str>,
        what: String,
    },
}
