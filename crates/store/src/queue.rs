//! Between the engine thread, which must not wait, and the writer, which may have to.
use crate::VersionNews;
use engine::{CallRecord, Kept, LogEvent};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub(crate) enum Item {
    Call(Box<CallRecord>),
    Event(LogEvent),
    /// Counted with the events, and as safe as a call.
    Kept(Kept),
    /// Counted with events.
    Version(VersionNews),
}

/// What became of all that was handed over since the store was opened.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize)]
pub struct Counts {
    pub calls_written: u64,
    pub events_written: u64,
    /// No room in the queue.
    pub calls_dropped: u64,
    pub events_dropped: u64,
    /// The call id has a record already; the first one stays.
    pub calls_twice: u64,
    /// The database would not take them for what they are.
    pub refused: u64,
    /// Still unwritten when the store was closed.
    pub lost: u64,
    /// Attempts to write that failed (full disk, locked file).
    pub write_errors: u64,
    /// Not written yet.
    pub waiting: u64,
}

/// The locks inside are held for moves of memory only, never over a write.
pub(crate) struct Queue {
    waiting_max: usize,
    kept_for_calls: usize,
    batch_max: usize,
    state: Mutex<State>,
    /// The writer waits here for something to do, callers of `flush` for it to be done.
    work: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Taken out by the writer and not settled yet.
    in_flight: usize,
    /// Items accepted, and items written or given up, since the start: `flush` waits for one to reach the other.
    accepted: u64,
    settled: u64,
    flushing: u32,
    closing: bool,
    stopped: bool,
    limit_bytes: Option<u64>,
    trouble: Option<String>,
    counts: Counts,
}

/// What the writer finds when it looks.
pub(crate) enum Work {
    Batch(Vec<Item>),
    /// Nothing is left and nothing will come.
    Done,
}

impl Queue {
    pub fn new(waiting_max: usize, kept_for_calls: usize, batch_max: usize) -> Queue {
        Queue {
            waiting_max,
            kept_for_calls: kept_for_calls.min(waiting_max),
            batch_max: batch_max.max(1),
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, item: Item) -> bool {
        let mut state = self.state();
        let waiting = state.items.len() + state.in_flight;
        let room = match item {
            Item::Call(_) | Item::Kept(_) | Item::Version(_) => self.waiting_max,
            Item::Event(_) => self.waiting_max - self.kept_for_calls,
        };
        if waiting >= room || state.closing {
            match item {
                Item::Call(_) => state.counts.calls_dropped += 1,
                Item::Event(_) | Item::Kept(_) | Item::Version(_) => state.counts.events_dropped += 1,
            }
            return false;
        }
        state.items.push_back(item);
        state.accepted += 1;
        // The writer waits for the first item, then for a full batch: waking it costs a system call.
        let wake = state.items.len() == 1 || state.items.len() == self.batch_max;
        drop(state);
        if wake {
            self.work.notify_one();
        }
        true
    }

    pub fn flush(&self) -> Result<(), String> {
        let mut state = self.state();
        let (target, errors) = (state.accepted, state.counts.write_errors);
        state.flushing += 1;
        self.work.notify_one();
        let mut state = self
            .done
            .wait_while(state, |s| s.settled < target && s.counts.write_errors == errors && !s.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        state.flushing -= 1;
        if state.settled >= target {
            return Ok(());
        }
        Err(state.trouble.clone().unwrap_or_else(|| "the store is closed".to_owned()))
    }

    pub fn close(&self) {
        self.state().closing = true;
        self.work.notify_one();
    }

    pub fn limit_bytes(&self, bytes: u64) {
        self.state().limit_bytes = Some(bytes);
        self.work.notify_one();
    }

    pub fn counts(&self) -> Counts {
        let state = self.state();
        Counts { waiting: (state.items.len() + state.in_flight) as u64, ..state.counts }
    }

    pub fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    // What follows is the writer's.

    /// Waits for work; a first item waits `linger` for company.
    pub fn next(&self, linger: Duration) -> Work {
        let state = self.state();
        let state = self
            .work
            .wait_while(state, |s| s.items.is_empty() && !s.closing)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .work
            .wait_timeout_while(state, linger, |s| {
                s.items.len() < self.batch_max && s.flushing == 0 && !s.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.items.is_empty() {
            return Work::Done;
        }
        let count = state.items.len().min(self.batch_max);
        state.in_flight = count;
        Work::Batch(state.items.drain(..count).collect())
    }

    pub fn take_limit_bytes(&self) -> Option<u64> {
        self.state().limit_bytes.take()
    }

    /// The batch is on the disk: `written` counts what became of it.
    pub fn settled(&self, written: &Counts) {
        let mut state = self.state();
        let c = &mut state.counts;
        c.calls_written += written.calls_written;
        c.events_written += written.events_written;
        c.calls_twice += written.calls_twice;
        c.refused += written.refused;
        state.trouble = None;
        state.settled += state.in_flight as u64;
        state.in_flight = 0;
        drop(state);
        self.done.notify_all();
    }

    /// An attempt failed. Waits `retry`, less when the store closes; true while it is open.
    pub fn failed(&self, why: String, retry: Duration) -> bool {
        let mut state = self.state();
        state.counts.write_errors += 1;
        state.trouble = Some(why);
        self.done.notify_all();
        let was_closing = state.closing;
        let (state, _) = self
            .work
            .wait_timeout_while(state, retry, |s| (was_closing || !s.closing) && s.limit_bytes.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        !state.closing
    }

    /// The writer ends; what is left is lost.
    pub fn stopped(&self) {
        let mut state = self.state();
        state.counts.lost += (state.items.len() + state.in_flight) as u64;
        state.items.clear();
        state.in_flight = 0;
        state.closing = true;
        state.stopped = true;
        drop(state);
        self.done.notify_all();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
