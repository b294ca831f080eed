use ::media::Command;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

/// Commands on their way to a media thread, in their order.
///
/// Not a channel of the standard library: its receiver spins while a sender is interrupted in the middle of
/// a write. On a core that both share, a receiver in real time would keep that sender from ever going on.
/// Here the receiver never waits: while a sender is at it, there is nothing yet, and that sender rings the
/// thread's bell afterwards.
#[derive(Debug)]
pub(super) struct Orders {
    state: Mutex<State>,
    taken: Condvar,
    room: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Command>,
    /// No more will come.
    closed: bool,
    /// Nobody takes them any more.
    abandoned: bool,
}

impl Orders {
    pub fn new(room: usize) -> Orders {
        Orders { state: Mutex::default(), taken: Condvar::new(), room }
    }

    /// Waits for room. Afterwards the sender must ring.
    pub fn put(&self, command: Command) {
        let full = |s: &mut State| s.waiting.len() >= self.room && !s.abandoned;
        let mut state = self.taken.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if !state.abandoned {
            state.waiting.push_back(command);
        }
    }

    /// No more will come. Afterwards the sender must ring.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    /// Takes up to `most` without waiting; false when none are left and none will come.
    pub fn take(&self, most: usize, into: &mut Vec<Command>) -> bool {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return true,
        };
        let was_full = state.waiting.len() >= self.room;
        let count = most.min(state.waiting.len());
        into.extend(state.waiting.drain(..count));
        let open = !state.closed || count > 0;
        drop(state);
        if was_full {
            self.taken.notify_all();
        }
        open
    }

    /// The thread has ended: what waits is lost, and nobody waits for room.
    pub fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        state.waiting.clear();
        drop(state);
        self.taken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can leave the queue half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_core::LegId;
    use std::thread;

    fn stop(leg: u64) -> Command {
        Command::Stop { leg: LegId(leg) }
    }

    fn legs(commands: &[Command]) -> Vec<u64> {
        commands.iter().map(|c| super::super::leg_of(c).0).collect()
    }

    #[test]
    fn commands_come_in_order_and_the_last_before_the_end() {
        let (orders, mut taken) = (Orders::new(8), Vec::new());
        for leg in 0..3 {
            orders.put(stop(leg));
        }
        orders.close();
        assert!(orders.take(2, &mut taken));
        assert!(orders.take(2, &mut taken));
        assert_eq!(legs(&taken), [0, 1, 2]);
        assert!(!orders.take(2, &mut taken));
    }

    #[test]
    fn a_receiver_does_not_wait_for_a_sender_that_stands_still() {
        let (orders, mut taken) = (Orders::new(8), Vec::new());
        orders.put(stop(1));
        let sender = orders.lock();
        assert!(orders.take(8, &mut taken) && taken.is_empty());
        drop(sender);
        assert!(orders.take(8, &mut taken));
        assert_eq!(legs(&taken), [1]);
    }

    #[test]
    fn a_full_queue_holds_its_sender_until_there_is_room_or_nobody() {
        let (orders, mut taken) = (Orders::new(1), Vec::new());
        thread::scope(|scope| {
            scope.spawn(|| (0..100).for_each(|leg| orders.put(stop(leg))));
            while taken.len() < 50 {
                assert!(orders.take(1, &mut taken));
            }
            orders.abandon();
        });
        assert_eq!(legs(&taken), (0..50).collect::<Vec<_>>());
    }
}
