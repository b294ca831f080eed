//! Sound from legs into WAV files: media threads put frames into lanes of memory and never wait; one thread writes.
//!
//! *Invariant:* a slow disk costs sound that is counted, a full one costs the file; neither holds up a call. A file gets
//! its name when it is whole, and is open to this user alone. It is not encrypted.

mod reel;
mod tap;

use crate::clock::Clock;
use ::media::{Command, Sink};
use engine::{Tape, TapeId, TapeKind, TapeNews};
use hotline_core::{LegId, Time};
use reel::Reel;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tap::{LegSink, Side, Tap};

/// Between two looks into the lanes.
const LOOK: Duration = Duration::from_millis(50);
/// What is written under a name of its own until it is whole.
const UNFINISHED: &str = "part";
const FOLDERS: [&str; 2] = ["voicemail", "recordings"];

/// Takes what became of a tape, on the writer's thread.
pub type News = Box<dyn Fn(TapeId, TapeNews) + Send>;

/// The engine's side. Dropping it finishes every file that is open.
#[derive(Debug)]
pub struct Tapes {
    clock: Clock,
    legs: BTreeMap<LegId, Vec<(TapeId, Arc<Tap>, Side)>>,
    taps: BTreeMap<TapeId, Arc<Tap>>,
    writer: Arc<Writer>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Writer {
    orders: Mutex<Orders>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Orders {
    waiting: VecDeque<Order>,
    closed: bool,
}

#[derive(Debug)]
enum Order {
    Start { tape: TapeId, tap: Arc<Tap>, file: String, kind: TapeKind, at: Time },
    End { tape: TapeId, cut: Duration, at: Time },
    Erase { file: String },
}

impl Tapes {
    /// Files go below `folder`; None: every tape fails.
    pub fn start(folder: Option<PathBuf>, clock: Clock, news: News) -> io::Result<Tapes> {
        let writer = Arc::new(Writer::default());
        let thread = {
            let writer = writer.clone();
            let run = move || Desk { folder, clock, news, reels: BTreeMap::new() }.run(&writer);
            thread::Builder::new().name("recording".into()).spawn(run)?
        };
        Ok(Tapes { clock, legs: BTreeMap::new(), taps: BTreeMap::new(), writer, thread: Some(thread) })
    }

    /// Carries out what the engine says; what media threads have to know goes to `media`.
    pub fn carry_out(&mut self, order: Tape, media: impl Fn(Command)) {
        let at = self.clock.now();
        match order {
            Tape::Start { tape, leg, file, kind } => {
                let tap = Arc::new(Tap::new(self.clock));
                self.taps.insert(tape, tap.clone());
                self.writer.put(Order::Start { tape, tap, file, kind, at });
                self.listen(tape, leg, Side::Left, &media);
            }
            Tape::Right { tape, leg } => {
                self.deafen(|of, side| of == tape && side == Side::Right, &media);
                if let Some(leg) = leg {
                    self.listen(tape, leg, Side::Right, &media);
                }
            }
            Tape::Mute { tape, on } => {
                if let Some(tap) = self.taps.get(&tape) {
                    tap.mute(at, on);
                }
            }
            Tape::End { tape, cut } => {
                self.taps.remove(&tape);
                self.deafen(|of, _| of == tape, &media);
                self.writer.put(Order::End { tape, cut, at });
            }
            Tape::Erase { file } => self.writer.put(Order::Erase { file }),
        }
    }

    fn listen(&mut self, tape: TapeId, leg: LegId, side: Side, media: &impl Fn(Command)) {
        let Some(tap) = self.taps.get(&tape).cloned() else { return };
        self.legs.entry(leg).or_default().push((tape, tap, side));
        media(Command::Record { leg, to: self.sink(leg) });
    }

    /// Takes tapes off the legs they hear.
    fn deafen(&mut self, of: impl Fn(TapeId, Side) -> bool, media: &impl Fn(Command)) {
        let heard = |on: &Vec<(TapeId, Arc<Tap>, Side)>| on.iter().any(|(tape, _, side)| of(*tape, *side));
        let legs: Vec<LegId> = self.legs.iter().filter(|(_, on)| heard(on)).map(|(leg, _)| *leg).collect();
        for leg in legs {
            if let Some(on) = self.legs.get_mut(&leg) {
                on.retain(|(tape, _, side)| !of(*tape, *side));
                if on.is_empty() {
                    self.legs.remove(&leg);
                }
            }
            media(Command::Record { leg, to: self.sink(leg) });
        }
    }

    fn sink(&self, leg: LegId) -> Option<Arc<dyn Sink>> {
        let on = self.legs.get(&leg)?;
        let taps = on.iter().map(|(_, tap, side)| (tap.clone(), *side)).collect();
        Some(Arc::new(LegSink { taps }))
    }
}

impl Drop for Tapes {
    fn drop(&mut self) {
        self.writer.lock().closed = true;
        self.writer.bell.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Writer {
    fn put(&self, order: Order) {
        self.lock().waiting.push_back(order);
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when no more will come.
    fn take(&self, busy: bool, into: &mut Vec<Order>) -> bool {
        let orders = self.lock();
        let nothing = |o: &mut Orders| o.waiting.is_empty() && !o.closed;
        let mut orders = match busy {
            true => {
                self.bell.wait_timeout_while(orders, LOOK, nothing).unwrap_or_else(PoisonError::into_inner).0
            }
            false => self.bell.wait_while(orders, nothing).unwrap_or_else(PoisonError::into_inner),
        };
        into.extend(orders.waiting.drain(..));
        !orders.closed
    }
}

/// Where files are written.
struct Desk {
    folder: Option<PathBuf>,
    clock: Clock,
    news: News,
    reels: BTreeMap<TapeId, Reel>,
}

impl Desk {
    fn run(mut self, writer: &Writer) {
        if let Some(folder) = &self.folder {
            FOLDERS.iter().for_each(|name| sweep(&folder.join(name)));
        }
        let mut orders = Vec::new();
        loop {
            let open = writer.take(!self.reels.is_empty(), &mut orders);
            self.look();
            for order in orders.drain(..) {
                self.carry_out(order);
            }
            if !open {
                let at = self.clock.now();
                for (tape, reel) in std::mem::take(&mut self.reels) {
                    (self.news)(tape, reel.finish(at, Duration::ZERO));
                }
                return;
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Start { tape, tap, file, kind, at } => {
                let started = self.place(&file).and_then(|path| Reel::start(path, tap, kind, at));
                match started {
                    Ok(reel) => drop(self.reels.insert(tape, reel)),
                    Err(error) => (self.news)(tape, failed(&error)),
                }
            }
            Order::End { tape, cut, at } => {
                if let Some(reel) = self.reels.remove(&tape) {
                    (self.news)(tape, reel.finish(at, cut));
                }
            }
            Order::Erase { file } => {
                let gone = self.place(&file).and_then(fs::remove_file);
                if let Err(error) =
                    gone.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
                {
                    tracing::warn!(file, %error, "a file of sound could not be removed");
                }
            }
        }
    }

    /// Writes what has been heard.
    fn look(&mut self) {
        let now = self.clock.now();
        let mut broken = Vec::new();
        for (tape, reel) in &mut self.reels {
            match reel.hear(now) {
                Ok(false) => {}
                Ok(true) => (self.news)(*tape, TapeNews::Silent),
                Err(error) => broken.push((*tape, error)),
            }
        }
        for (tape, error) in broken {
            if let Some(reel) = self.reels.remove(&tape) {
                reel.discard();
            }
            (self.news)(tape, failed(&error));
        }
    }

    /// Where a file lies, with its folders. Names of ours only: what else they hold is refused.
    fn place(&self, file: &str) -> io::Result<PathBuf> {
        let Some(folder) = &self.folder else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "nothing is kept here"));
        };
        let good = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))
        };
        if !file.split('/').all(good) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no name for a file of sound"));
        }
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        Ok(path)
    }
}

fn failed(error: &io::Error) -> TapeNews {
    tracing::warn!(%error, "sound could not be written");
    // The kind alone: a path is nobody's business in the event log.
    TapeNews::Failed { why: error.kind().to_string() }
}

/// Removes what an engine left behind that could not finish it.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            sweep(&path);
        } else if path.extension().is_some_and(|e| e == UNFINISHED) && fs::remove_file(&path).is_ok() {
            tracing::warn!(file = %path.display(), "sound that was never finished is removed");
        }
    }
}
