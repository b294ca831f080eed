use crate::board::Board;
use crate::clock::Clock;
use crate::fetch::Fetcher;
use crate::inbox::Inbox;
use crate::log;
use crate::media::MediaThreads;
use crate::recording::Tapes;
use crate::wire::Wire;
use engine::{Change, Command, Engine, Input, KeptAtStart, Output, Reply, StoryLine};
use hotline_core::{CallId, Outbox, Time};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// Inputs taken between two looks at the clock, so that timers have their turn under load.
const TURN: usize = 256;
/// Operators who wait for an answer at once.
const ASKING_MAX: usize = 1024;
/// The engine's own question at its start, that fills the board.
const FILL_BOARD: u64 = 0;

/// A line of a call's story on its way to the console.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Time,
    pub call: Option<CallId>,
    pub line: StoryLine,
}

/// How the engine's thread came to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Every call has ended.
    Drained,
    /// It was told to stop at once.
    Stopped,
    /// A rule of our own was broken: this is a bug.
    Broken(String),
}

/// Who waits for which answer of the engine.
#[derive(Default, Debug)]
pub struct Replies {
    last: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
}

impl Replies {
    /// A new ticket, and where its answer will come. None: too many wait already.
    fn expect(&self) -> Option<(u64, oneshot::Receiver<Reply>)> {
        let mut waiting = self.lock();
        if waiting.len() >= ASKING_MAX {
            waiting.retain(|_, asker| !asker.is_closed());
        }
        if waiting.len() >= ASKING_MAX {
            return None;
        }
        let ticket = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (asker, answer) = oneshot::channel();
        waiting.insert(ticket, asker);
        Some((ticket, answer))
    }

    fn give(&self, ticket: u64, reply: Reply) {
        if let Some(asker) = self.lock().remove(&ticket) {
            // He may have left.
            let _ = asker.send(reply);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Reply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything the engine's thread owns or writes to.
pub struct EngineThread {
    pub engine: Engine,
    pub clock: Clock,
    pub inbox: Arc<Inbox<Input>>,
    pub wire: Wire<Input>,
    pub media: MediaThreads,
    pub fetcher: Fetcher,
    pub tapes: Tapes,
    /// What engines before this one kept.
    pub kept: KeptAtStart,
    pub store: Option<Arc<Store>>,
    pub board: Arc<Board>,
    pub replies: Arc<Replies>,
    pub stories: Option<SyncSender<Told>>,
}

impl std::fmt::Debug for EngineThread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineThread").finish_non_exhaustive()
    }
}

impl EngineThread {
    /// Turns until the engine has drained, the inbox is closed, or a rule breaks.
    pub fn run(mut self) -> Exit {
        match catch_unwind(AssertUnwindSafe(|| self.turns())) {
            Ok(exit) => exit,
            Err(panic) => {
                let what = panic.downcast_ref::<String>().map(String::as_str);
                let what = what.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                tracing::error!(what, "the engine broke a rule of its own; this is a bug");
                Exit::Broken(what.to_owned())
            }
        }
    }

    fn turns(&mut self) -> Exit {
        let mut batch = Vec::with_capacity(TURN);
        let mut out = Outbox::new();
        self.engine.restore(self.clock.now(), std::mem::take(&mut self.kept), &mut out);
        self.carry_out(&mut out);
        batch.push(Input::Operator { ticket: FILL_BOARD, command: Command::ShowAgents });
        loop {
            for input in batch.drain(..) {
                if let Input::Media(event) = &input {
                    log::media(event);
                }
                self.engine.handle(self.clock.now(), input, &mut out);
                if self.carry_out(&mut out) {
                    return Exit::Drained;
                }
            }
            let now = self.clock.now();
            if self.engine.deadline().is_some_and(|deadline| deadline.at <= now) {
                self.engine.wake(now, &mut out);
                debug_assert!(self.engine.deadline().is_none_or(|d| d.at > now), "a due timer was left");
                if self.carry_out(&mut out) {
                    return Exit::Drained;
                }
            }
            let patience = self.engine.deadline().map(|deadline| self.patience(deadline.at));
            if !self.inbox.take(TURN, patience, &mut batch) {
                return Exit::Stopped;
            }
        }
    }

    fn patience(&self, at: Time) -> Duration {
        self.clock.until(at)
    }

    /// True when the engine says that it is empty.
    fn carry_out(&mut self, out: &mut Outbox<Output>) -> bool {
        let mut drained = false;
        for output in out.drain() {
            match output {
                Output::Send { hop, bytes } => self.wire.send(hop, bytes),
                Output::Media(command) => self.media.send(command),
                Output::Tape(tape) => self.tapes.carry_out(tape, |command| self.media.send(command)),
                Output::Fetch { ticket, request } => {
                    let inbox = self.inbox.clone();
                    // An answer that finds no room is counted there; its timer in the engine takes its place.
                    self.fetcher.fetch(*request, move |result| {
                        inbox.insist(Input::Fetched { ticket, result });
                    });
                }
                Output::Keep(kept) => {
                    if let Some(store) = &self.store {
                        store.keep(kept);
                    }
                }
                Output::Record(record) => {
                    if let Some(store) = &self.store {
                        store.record(*record);
                    }
                }
                Output::Log(event) => {
                    log::event(&event);
                    if let Some(store) = &self.store {
                        store.event(event);
                    }
                }
                Output::Story { call, line } => {
                    tell(&mut self.stories, Told { at: self.clock.now(), call, line })
                }
                Output::Reply { ticket: FILL_BOARD, reply } => self.board.fill(reply),
                Output::Reply { ticket, reply } => self.replies.give(ticket, reply),
                Output::Board(update) => self.board.update(update),
                Output::Drained => drained = true,
            }
        }
        drained
    }
}

/// Into the log, and to the console as long as it keeps up.
fn tell(stories: &mut Option<SyncSender<Told>>, told: Told) {
    log::story(&told);
    if let Some(sender) = stories
        && let Err(TrySendError::Disconnected(_)) = sender.try_send(told)
    {
        *stories = None;
    }
}

/// How others speak with the engine's thread. Clones speak with the same engine.
#[derive(Clone, Debug)]
pub struct Line {
    pub(crate) inbox: Arc<Inbox<Input>>,
    pub(crate) replies: Arc<Replies>,
}

impl Line {
    /// The engine's answer to an operator; an error when it does not come.
    pub async fn ask(&self, command: Command) -> Reply {
        const PATIENCE: Duration = Duration::from_secs(5);
        let Some((ticket, answer)) = self.replies.expect() else {
            return Reply::Error("too many questions wait for the engine already; try again".into());
        };
        if !self.inbox.insist(Input::Operator { ticket, command }) {
            return Reply::Error("the engine is overloaded or stopping; try again".into());
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Reply::Error("the engine has stopped".into()),
            Err(_) => Reply::Error("the engine does not answer; its log says why".into()),
        }
    }

    /// Gives the engine another installation and waits, on a thread that may block.
    pub(crate) fn configure(&self, change: Change, by: &str) -> Result<String, String> {
        const PATIENCE: Duration = Duration::from_secs(10);
        const BETWEEN: Duration = Duration::from_millis(1);
        let (ticket, mut answer) = self.replies.expect().ok_or("too many questions wait for the engine")?;
        if !self.inbox.insist(Input::Configure { ticket, change: Box::new(change), by: by.to_owned() }) {
            return Err("the engine is overloaded or stopping; try again".into());
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a thread that may block has nothing to wait on but this"
        )]
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            match answer.try_recv() {
                Ok(Reply::Done(said)) => return Ok(said),
                Ok(Reply::Error(why)) => return Err(why),
                Ok(other) => return Err(format!("the engine answered something else: {other:?}")),
                Err(TryRecvError::Empty) => std::thread::sleep(BETWEEN),
                Err(TryRecvError::Closed) => return Err("the engine has stopped".into()),
            }
        }
        Err("the engine does not answer; its log says why".into())
    }

    /// Takes no new calls; ends the others when their time is over (`limits.drain_max`).
    pub fn drain(&self) {
        self.inbox.insist(Input::Drain);
    }

    /// Ends every call at once, with its goodbye and its record. An engine that cannot even hear this is left.
    pub fn stop(&self) {
        if !self.inbox.insist(Input::Stop) {
            self.inbox.close();
        }
    }
}
