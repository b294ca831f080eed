//! What goes into the engine and what comes out of it.

use crate::CallRecord;
use crate::tape::{Tape, TapeId, TapeNews};
use hotline_core::{CallId, Cause, Pii, Severity, Time};
use sip::Hop;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub enum Input {
    /// One datagram, or one message cut from a stream by `sip::Framer`.
    Received {
        hop: Hop,
        bytes: Arc<[u8]>,
    },
    /// A send failed, or a stream connection closed.
    TransportFailed {
        hop: Hop,
    },
    Media(media::Event),
    /// What became of a tape of `Output::Tape`.
    Taped {
        tape: TapeId,
        news: TapeNews,
    },
    /// What was asked by `Output::Fetch` with this ticket is answered, or has failed.
    Fetched {
        ticket: u64,
        result: ivr::HttpResult,
    },
    /// An operator's command; the answer comes as `Output::Reply` with the same ticket.
    Operator {
        ticket: u64,
        command: Command,
    },
    /// Another installation; the answer comes as `Output::Reply` with the same ticket.
    Configure {
        ticket: u64,
        change: Box<crate::Change>,
        /// Who asked, for the log.
        by: String,
    },
    /// Take no new calls; at `limits.drain_max` end those that are left. `Output::Drained` tells the end.
    Drain,
    /// End every call at once: goodbyes leave, records are written, no answer is waited for. `Output::Drained` follows.
    Stop,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    ShowCalls,
    ShowAgents,
    ShowQueues,
    ShowTimers,
    ShowRegistrations,
    Status,
    AgentReady {
        agent: String,
        by: String,
    },
    AgentPause {
        agent: String,
        reason: String,
        by: String,
    },
    AgentLogout {
        agent: String,
        by: String,
    },
    HangUp {
        call: CallId,
        by: String,
    },
    ShowAnnouncements,
    /// `length`: then it ends by itself; None: until it is switched off.
    Announce {
        name: String,
        length: Option<Duration>,
        reason: Option<String>,
        by: String,
    },
    Retract {
        name: String,
        by: String,
    },
    ShowCallbacks,
    /// Of every mailbox, or of this one.
    ShowMessages {
        mailbox: Option<String>,
    },
    MarkMessage {
        mailbox: String,
        id: u64,
        heard: bool,
        by: String,
    },
    /// File and row, at once.
    DeleteMessage {
        mailbox: String,
        id: u64,
        by: String,
    },
    /// How callers go through every flow, or through this one.
    ShowFlows {
        flow: Option<String>,
    },
}

#[derive(Clone, Debug)]
pub enum Output {
    Send {
        hop: Hop,
        bytes: Arc<[u8]>,
    },
    Media(media::Command),
    /// Sound from legs into a file.
    Tape(Tape),
    /// Another system is asked, or told; `Input::Fetched` comes back.
    Fetch {
        ticket: u64,
        request: Box<ivr::HttpRequest>,
    },
    /// What must outlast this engine.
    Keep(Kept),
    Record(Box<CallRecord>),
    /// For the append-only event log.
    Log(LogEvent),
    /// One line of a call's story, for the console of `hotline` and `hotline demo`.
    Story {
        call: Option<CallId>,
        line: StoryLine,
    },
    Reply {
        ticket: u64,
        reply: Reply,
    },
    /// What the board shows changed.
    Board(BoardUpdate),
    Drained,
}

/// What the next engine must know; it is told by `Engine::restore`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// Replaces one of the same name.
    AnnouncementOn(AnnouncementOn),
    AnnouncementOff(Arc<str>),
    Callback(CallbackRequest),
    Message(Message),
    MessageHeard {
        id: u64,
        heard: bool,
    },
    MessageGone(u64),
}

/// All that was kept and still counts.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct KeptAtStart {
    pub announcements: Vec<AnnouncementOn>,
    pub callbacks: Vec<CallbackRequest>,
    pub messages: Vec<Message>,
    /// The highest number a message ever had.
    pub message_last: u64,
}

/// What a caller has left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Unique over all mailboxes and restarts.
    pub id: u64,
    pub mailbox: Arc<str>,
    pub call: CallId,
    pub caller: Pii<String>,
    pub at_unix_ms: i64,
    pub length: Duration,
    /// Relative to the installation's folder for what it keeps: `voicemail/support/17.wav`.
    pub file: Arc<str>,
    pub heard: bool,
}

/// An announcement that an operator has switched on. Unix seconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnnouncementOn {
    pub name: Arc<str>,
    pub by: String,
    pub reason: Option<String>,
    pub since_unix: i64,
    /// Then it ends by itself.
    pub until_unix: Option<i64>,
}

/// A caller who waits to be called back. Unix milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallbackRequest {
    /// In which he asked for it.
    pub call: CallId,
    pub queue: Arc<str>,
    pub number: Pii<String>,
    pub language: String,
    pub severity: Severity,
    pub require: Option<String>,
    /// His place in the line.
    pub arrived_unix_ms: i64,
    pub asked_unix_ms: i64,
}

/// What a person reads while a call goes on; numbers stay `Pii` until the console decides.
#[derive(Clone, Debug)]
pub enum StoryLine {
    Registered { agent: Arc<str>, contacts: usize },
    Unregistered { agent: Arc<str>, expired: bool },
    Arrived { caller: Pii<String>, dialled: String },
    Refused { code: u16, why: String },
    Answered,
    Step { step: Arc<str> },
    Pressed { digit: Pii<char> },
    Queued { queue: Arc<str>, severity: Severity, position: u32 },
    Offered { agent: Arc<str> },
    OfferEnded { agent: Arc<str>, why: &'static str },
    Connected { agent: Arc<str>, waited: Duration },
    Held { party: Arc<str>, on: bool },
    AgentState { agent: Arc<str>, state: String },
    Ended { cause: Cause, length: Duration },
    Note(String),
}

/// One row of the event log: what happened to what, for `hotline show events` and later replay.
#[derive(Clone, Debug)]
pub struct LogEvent {
    pub at: Time,
    pub call: Option<CallId>,
    pub agent: Option<Arc<str>>,
    /// "call-arrived", "offer-made", "agent-paused" ...
    pub kind: &'static str,
    /// `key=value` pairs; no personal data.
    pub detail: String,
}

#[derive(Clone, Debug)]
pub enum BoardUpdate {
    Call(CallView),
    CallGone(CallId),
    Agent(AgentView),
    /// No agent of this installation any more.
    AgentGone(Arc<str>),
}

#[derive(Clone, Debug)]
pub struct CallView {
    pub call: CallId,
    pub caller: Pii<String>,
    pub dialled: String,
    pub state: String,
    pub step: String,
    pub language: String,
    pub agent: Option<Arc<str>>,
    pub queue: Option<Arc<str>>,
    pub age: Duration,
}
#[derive(Clone, Debug)]
pub struct AgentView {
    pub name: Arc<str>,
    pub pool: Arc<str>,
    pub state: String,
    pub why: Option<String>,
    pub since: Duration,
    pub call: Option<CallId>,
    pub contacts: usize,
    pub skills: Vec<(Arc<str>, u8)>,
}
#[derive(Clone, Debug)]
pub struct QueueView {
    pub name: Arc<str>,
    pub waiting: usize,
    pub longest_wait: Duration,
    pub talking: usize,
    pub agents_ready: usize,
    pub agents_signed_in: usize,
    pub promises_missed: u64,
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Callers who wait to be called back.
    pub callbacks: usize,
}
/// `on`: the rest says by whom, why, how long, and how long it still is.
#[derive(Clone, Debug)]
pub struct AnnouncementView {
    pub name: Arc<str>,
    pub title: String,
    pub on: bool,
    pub by: Option<String>,
    pub reason: Option<String>,
    pub since: Option<Duration>,
    pub left: Option<Duration>,
}
#[derive(Clone, Debug)]
pub struct CallbackView {
    pub call: CallId,
    pub queue: Arc<str>,
    pub number: Pii<String>,
    pub severity: Severity,
    pub require: Option<String>,
    pub language: String,
    /// Since the caller arrived.
    pub waits: Duration,
}
#[derive(Clone, Debug)]
pub struct MessageView {
    pub mailbox: Arc<str>,
    pub id: u64,
    pub call: CallId,
    pub caller: Pii<String>,
    pub at_unix_ms: i64,
    pub length: Duration,
    pub heard: bool,
    pub file: String,
}
/// One version of a flow: calls in it now and in all, and its steps in the order of the file.
#[derive(Clone, Debug)]
pub struct FlowView {
    pub flow: Arc<str>,
    pub version: Arc<str>,
    pub calls: usize,
    pub calls_total: u64,
    pub steps: Vec<StepView>,
}
#[derive(Clone, Debug)]
pub struct StepView {
    pub step: Arc<str>,
    pub entered: u64,
    /// In it now.
    pub calls: usize,
    /// Every exit with how often it was taken, as [`ivr::Step::exits`] calls it.
    pub exits: Vec<(Arc<str>, u64)>,
}
#[derive(Clone, Debug)]
pub struct TimerView {
    pub at: Duration,
    pub owner: String,
    pub why: &'static str,
}
#[derive(Clone, Debug)]
pub struct RegistrationView {
    pub user: String,
    pub uri: String,
    pub from: String,
    pub expires_in: Duration,
    pub user_agent: String,
}
#[derive(Clone, Default, Debug)]
pub struct StatusView {
    pub uptime: Duration,
    pub calls: usize,
    pub calls_max: u32,
    pub calls_total: u64,
    pub refused_total: u64,
    pub agents_signed_in: usize,
    pub waiting: usize,
    pub draining: bool,
    pub sip_transactions: usize,
    pub sip_dialogs: usize,
    pub timers: usize,
    /// Those that are on.
    pub announcements: Vec<Arc<str>>,
    /// Callers who wait to be called back.
    pub callbacks: usize,
    /// Answers of other systems that are awaited.
    pub asked: usize,
}

#[derive(Clone, Debug)]
pub enum Reply {
    Calls(Vec<CallView>),
    Agents(Vec<AgentView>),
    Queues(Vec<QueueView>),
    Timers(Vec<TimerView>),
    Registrations(Vec<RegistrationView>),
    Status(StatusView),
    Announcements(Vec<AnnouncementView>),
    Callbacks(Vec<CallbackView>),
    Messages(Vec<MessageView>),
    Flows(Vec<FlowView>),
    Done(String),
    /// What is wrong and what to do.
    Error(String),
}
