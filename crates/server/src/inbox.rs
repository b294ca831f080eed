use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The bounded way into a machine's thread: many writers, one reader that takes batches.
///
/// What may be lost is `offer`ed: above `room` it is dropped and counted (UDP peers repeat themselves). What
/// comes over a stream waits for room (`wait`). What must arrive (operators, media, failures) may use a
/// reserve above `room`, `RESERVE` times as large.
#[derive(Debug)]
pub struct Inbox<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Notify,
    room: usize,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

/// How many times `room` the things that must arrive may fill.
const RESERVE: usize = 8;

impl<T> Inbox<T> {
    pub fn new(room: usize) -> Inbox<T> {
        Inbox {
            state: Mutex::new(State { items: VecDeque::new(), closed: false }),
            filled: Condvar::new(),
            emptied: Notify::new(),
            room,
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes as many as there is room for, drops and counts the rest. `items` is empty afterwards.
    pub fn offer(&self, items: &mut Vec<T>) {
        let mut state = self.lock();
        let room = if state.closed { 0 } else { self.room.saturating_sub(state.items.len()) };
        let taken = room.min(items.len());
        let lost = items.len() - taken;
        state.items.extend(items.drain(..taken));
        drop(state);
        items.clear();
        self.dropped.fetch_add(lost as u64, Ordering::Relaxed);
        if taken > 0 {
            self.filled.notify_one();
        }
    }

    /// Puts in what must arrive; false when even the reserve is full, or the reader is gone.
    pub fn insist(&self, item: T) -> bool {
        let mut state = self.lock();
        if state.closed || state.items.len() >= self.room * RESERVE {
            drop(state);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        true
    }

    /// Waits for room: back-pressure for streams. False when the reader is gone.
    pub async fn wait(&self, item: T) -> bool {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            {
                let mut state = self.lock();
                if state.closed {
                    return false;
                }
                if state.items.len() < self.room {
                    state.items.push_back(item);
                    drop(state);
                    self.filled.notify_one();
                    return true;
                }
            }
            emptied.await;
        }
    }

    /// Moves at most `most` items into `batch`, after waiting up to `patience` for the first (None: for
    /// ever). May come back early with nothing. False once the inbox is closed; what was in it is lost.
    pub fn take(&self, most: usize, patience: Option<Duration>, batch: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        if state.items.is_empty() && !state.closed && patience != Some(Duration::ZERO) {
            state = match patience {
                None => self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(d) => self.filled.wait_timeout(state, d).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let taken = most.min(state.items.len());
        let was_full = state.items.len() >= self.room;
        batch.extend(state.items.drain(..taken));
        let (closed, has_room) = (state.closed, state.items.len() < self.room);
        drop(state);
        if was_full && has_room {
            self.emptied.notify_waiters();
        }
        !closed
    }

    /// Ends the reader's loop at its next `take`.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.items.clear();
        drop(state);
        self.filled.notify_all();
        self.emptied.notify_waiters();
    }

    /// How many were lost for want of room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing in here can leave the queue half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_what_may_be_lost_and_keeps_a_reserve_for_what_may_not() {
        let inbox = Inbox::new(2);
        let mut items = vec![1, 2, 3];
        inbox.offer(&mut items);
        assert!(items.is_empty());
        assert_eq!(inbox.dropped(), 1);
        for i in 0..14 {
            assert!(inbox.insist(10 + i));
        }
        assert!(!inbox.insist(99));
        assert_eq!(inbox.dropped(), 2);
        let mut batch = Vec::new();
        assert!(inbox.take(3, None, &mut batch));
        assert_eq!(batch, [1, 2, 10]);
    }

    #[test]
    fn take_gives_up_in_time_and_ends_when_closed() {
        let inbox = Inbox::<u8>::new(1);
        let mut batch = Vec::new();
        assert!(inbox.take(1, Some(Duration::from_millis(1)), &mut batch));
        assert!(batch.is_empty());
        inbox.close();
        assert!(!inbox.take(1, None, &mut batch));
        assert!(!inbox.insist(1));
    }

    #[tokio::test]
    async fn a_stream_waits_for_room() {
        let inbox = std::sync::Arc::new(Inbox::new(1));
        assert!(inbox.wait(1).await);
        let second = tokio::spawn({
            let inbox = inbox.clone();
            async move { inbox.wait(2).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        let mut batch = Vec::new();
        inbox.take(8, None, &mut batch);
        assert!(second.await.unwrap());
        inbox.take(8, None, &mut batch);
        assert_eq!(batch, [1, 2]);
    }
}
