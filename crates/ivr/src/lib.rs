//! Flows: what an operator wrote, checked (`Flow`), and one caller's way through it (`Visit`).
//! Contract with the engine only; the ivr helper owns everything else in this crate.
use hotline_core::{Deadline, Outbox, PlayId, Severity, Time};
use std::sync::Arc;
use std::time::Duration;

/// A checked flow: every reference resolves, every step has its exits.
#[derive(Debug)]
pub struct Flow { pub name: Arc<str>, /// Hash of the sources, short hex.
    pub version: Arc<str> }

/// A sound to be heard: a prompt's name in a language (`cmn`, `yue`, `wuu`, `en`); the engine resolves it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Spoken { pub prompt: Arc<str>, pub language: Arc<str> }
#[derive(Clone, PartialEq, Debug)]
pub enum Piece { Spoken(Spoken), Silence(Duration), Tone { hz: [u16; 2], length: Duration } }

/// What the visit knows when it starts.
#[derive(Clone, Debug)]
pub struct Start {
    pub caller: String, pub dialled: String,
    /// Unix seconds of `Time::ZERO`; wall clock = this + now.
    pub epoch_unix: i64,
    /// Variables preset by the number (class, greeting ...).
    pub vars: Vec<(Arc<str>, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueEnd { /// No agent in the step's own time.
    Timeout, Full, /// No agent signed in who could ever serve it.
    NoAgents, /// The agent hung up first: the flow goes on (survey, goodbye).
    Served }
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RingEnd { Served, NoAnswer, Busy, Refused, Unreachable }

#[derive(Clone, Debug)]
pub enum Input {
    Started(Box<Start>),
    /// 200 sent and media open (after VisitOutput::Answer), or 183 media open (after EarlyMedia).
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
    Play { play: PlayId, pieces: Vec<Piece>, repeat: bool },
    Stop,
    /// Into the ACD; `music` repeats meanwhile. Leaving: `QueueEnded`, or the visit says `LeaveQueue`.
    Queue { queue: Arc<str>, require: Option<String>, prefer: Option<String>, severity: Severity, timeout: Option<Duration>, music: Option<Vec<Piece>> },
    LeaveQueue,
    /// Ring one agent directly, by name; `answered`: answer the caller first (otherwise he hears ring-back until the agent answers).
    Ring { agent: String, timeout: Duration, music: Option<Vec<Piece>> },
    Echo(bool),
    Reject { code: u16, reason: Option<String> },
    Hangup,
    /// For the call record and the story: a step entered, or an exit taken.
    Entered { step: Arc<str> },
    /// A digit string collected (masked where marked), a variable set.
    Set { name: Arc<str>, value: String, masked: bool },
    /// Something odd that ends or bends the flow, for the log.
    Fault { step: Arc<str>, what: String },
}

/// One caller in a flow. Pure: `(state, time, input) -> outputs`.
#[derive(Debug)]
pub struct Visit { _p: () }
#[allow(unused_variables)]
impl Visit {
    pub fn new(flow: Arc<Flow>) -> Visit { todo!() }
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) { todo!() }
    pub fn deadline(&self) -> Option<Deadline> { todo!() }
    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) { todo!() }
    pub fn step(&self) -> &str { todo!() }
    pub fn language(&self) -> &str { todo!() }
    pub fn flow(&self) -> &Arc<Flow> { todo!() }
    /// Digits played for this caller are over: no output but Hangup was given.
    pub fn is_over(&self) -> bool { todo!() }
}
