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
    /// The call's number in records and logs.
    pub call: Arc<str>,
}

/// Names an answer that the visit waits for; an answer with another ticket came too late.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// A text with secrets that only the fetcher can fill in.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct HttpText(pub Vec<HttpPart>);

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum HttpPart {
    Text(Arc<str>),
    /// By its name in `[secret]`.
    Secret(Arc<str>),
}

/// What another system is asked. The body is JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub service: Arc<str>,
    pub method: HttpMethod,
    pub url: HttpText,
    pub headers: Vec<(Arc<str>, HttpText)>,
    pub body: Option<HttpText>,
    /// For everything, tries and all.
    pub timeout: Duration,
    /// Further tries, where trying again is safe.
    pub retries: u8,
    /// Bytes of an answer's body at most.
    pub body_max: usize,
}

#[derive(Clone, PartialEq, Eq)]
pub enum HttpResult {
    /// `body`: the text of the answer, of a JSON type, or empty.
    Answered {
        status: u16,
        body: Arc<str>,
    },
    Failed(HttpFailure),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HttpFailure {
    Timeout,
    /// No connection: name, address, TLS.
    Refused,
    /// It failed so often lately that nobody asks for a while.
    CircuitOpen,
    TooLarge,
    /// Not JSON, or not UTF-8.
    WrongType,
    /// Too many questions wait already.
    Overloaded,
    /// What was filled in makes no URL.
    BadRequest,
}

/// What happens to the recording of a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordAction {
    On,
    Pause,
    Resume,
    Off,
}

/// How the recording of a message ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageEnd {
    /// Kept: long enough.
    Kept,
    /// Too short, or nothing but silence.
    Empty,
    /// The mailbox takes no more, or the disk does not.
    Full,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallbackEnd {
    Taken,
    Full,
    /// No number that may be called.
    Invalid,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BotEnd {
    Finished(Vec<(Arc<str>, String)>),
    /// The bot wants a person for the caller.
    HandOver(Vec<(Arc<str>, String)>),
    Failed,
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
    /// An agent (or the number outside) has been connected: nothing is said to the caller any more.
    Connected {
        agent: Arc<str>,
    },
    /// After `Output::Estimate`: place in the line, and the wait if it can be told.
    Estimated {
        position: u32,
        wait: Option<Duration>,
    },
    /// After `Output::Announcements`: those that are on.
    Announced {
        ticket: Ticket,
        active: Vec<Arc<str>>,
    },
    Fetched {
        ticket: Ticket,
        result: HttpResult,
    },
    MessageEnded(MessageEnd),
    CallbackEnded(CallbackEnd),
    BotEnded(BotEnd),
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
    /// Place and wait are wanted: `Estimated` comes back. While queued: of this call; before: of a call that
    /// would now join `queue`.
    Estimate {
        queue: Arc<str>,
        require: Option<String>,
        severity: Severity,
    },
    /// What the waiting caller hears from here on, repeated; None: the installation's music.
    Music(Option<Vec<Piece>>),
    /// Which of these are switched on? `Announced` comes back.
    Announcements {
        ticket: Ticket,
        of: Vec<Arc<str>>,
    },
    /// `Fetched` comes back.
    Fetch {
        ticket: Ticket,
        request: Box<HttpRequest>,
    },
    /// Nobody waits for an answer.
    Notify(Box<HttpRequest>),
    Record(RecordAction),
    /// From here on (true) nothing of what the caller does may be heard, written or shown.
    Private(bool),
    /// Records what the caller says, after what plays has ended; `MessageEnded` comes back.
    TakeMessage {
        mailbox: Arc<str>,
        min: Duration,
        max: Duration,
        silence: Duration,
    },
    /// The caller pressed the key that ends his message: `MessageEnded` comes back.
    EndMessage,
    /// `CallbackEnded` comes back.
    Callback {
        queue: Arc<str>,
        number: String,
        require: Option<String>,
        severity: Severity,
    },
    Consent {
        what: Arc<str>,
        granted: bool,
    },
    /// Answers in the order of the survey's questions; None: not answered. `score` in hundredths of a mark.
    Survey {
        survey: Arc<str>,
        answers: Vec<(Arc<str>, Option<u8>)>,
        score: Option<i64>,
        low: bool,
    },
    /// Audio both ways with a bot; `BotEnded` comes back.
    Bot {
        bot: Arc<str>,
        context: Vec<(Arc<str>, String)>,
        timeout: Duration,
    },
    /// Takes the caller back from the bot.
    LeaveBot,
    /// Rings a number outside over a trunk, as `Ring` rings an agent: `RingEnded` comes back.
    Dial {
        number: String,
        trunk: Arc<str>,
        timeout: Duration,
        music: Option<Vec<Piece>>,
    },
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
    /// By which exit a step was left, as [`crate::Step::exits`] calls it.
    Left {
        step: Arc<str>,
        exit: Arc<str>,
    },
    /// A digit string collected, a variable set; where marked, `value` is stars already.
    Set {
        name: Arc<str>,
        value: String,
        masked: bool,
    },
    /// Something outside went wrong and the flow took the exit it has for that; for the log.
    Trouble {
        step: Arc<str>,
        what: String,
    },
    /// Something that should never happen in a checked flow, for the log.
    Fault {
        step: Arc<str>,
        what: String,
    },
}

impl HttpMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Patch => "PATCH",
            HttpMethod::Delete => "DELETE",
        }
    }
}

impl HttpText {
    pub fn plain(text: &str) -> HttpText {
        HttpText(vec![HttpPart::Text(text.into())])
    }
}

impl From<&str> for HttpText {
    fn from(text: &str) -> HttpText {
        HttpText::plain(text)
    }
}

impl std::fmt::Debug for HttpPart {
    /// A text may hold what a caller typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HttpPart::Text(text) => write!(f, "{} bytes", text.len()),
            HttpPart::Secret(name) => write!(f, "secret {name}"),
        }
    }
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.method.as_str(), self.service)
    }
}

impl std::fmt::Debug for HttpResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HttpResult::Answered { status, body } => write!(f, "{status}, {} bytes", body.len()),
            HttpResult::Failed(failure) => write!(f, "{failure:?}"),
        }
    }
}
