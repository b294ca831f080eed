use hotline_core::Time;
use std::time::Duration;

/// The grid: who is due in which millisecond. A turn of 64 ms holds the longest packet time (60 ms).
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: [Vec<Entry>; TURN_MS as usize],
    /// The next millisecond to run.
    next_ms: u64,
    /// Legs by phase of 20 ms, to spread new ones.
    load: [u32; PHASES],
    entries: usize,
}

/// A leg in the grid; stale when the leg's generation has moved on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub slot: u32,
    pub generation: u32,
}

const TURN_MS: u64 = 64;
const PHASES: usize = 20;

impl Wheel {
    pub fn new() -> Wheel {
        Wheel { slots: std::array::from_fn(|_| Vec::new()), next_ms: 0, load: [0; PHASES], entries: 0 }
    }

    /// Puts an entry into the emptiest phase that comes after `now`; the phase, to give back with `leave`.
    pub fn join(&mut self, now: Time, entry: Entry) -> usize {
        let first = (now.as_millis() + 1).max(self.next_ms);
        if self.entries == 0 {
            // Nobody was waiting: what has gone by meanwhile is not late.
            self.next_ms = first;
        }
        let at = (first..first + PHASES as u64).min_by_key(|&ms| self.load[phase(ms)]).unwrap_or(first);
        self.load[phase(at)] += 1;
        self.put(at, entry);
        phase(at)
    }

    pub fn leave(&mut self, phase: usize) {
        self.load[phase] -= 1;
    }

    pub fn put(&mut self, at_ms: u64, entry: Entry) {
        self.entries += 1;
        self.slots[(at_ms % TURN_MS) as usize].push(entry);
    }

    /// The earliest moment when someone is due.
    pub fn next(&self) -> Option<Time> {
        if self.entries == 0 {
            return None;
        }
        let due = |ms: &u64| !self.slots[(ms % TURN_MS) as usize].is_empty();
        (self.next_ms..self.next_ms + TURN_MS).find(due).map(Time::from_millis)
    }

    /// When `now` is later than the grid by more than `backlog`: whole turns to skip, in milliseconds.
    pub fn skip(&mut self, now: Time, backlog: Duration) -> u64 {
        let behind = now.as_millis().saturating_sub(self.next_ms);
        let skipped = behind.saturating_sub(backlog.as_millis() as u64).div_ceil(TURN_MS) * TURN_MS;
        let skipped = if skipped > behind { skipped - TURN_MS } else { skipped };
        self.next_ms += skipped;
        skipped
    }

    /// The next millisecond that is due by `now`, with its entries swapped into `due` (empty when given).
    pub fn turn(&mut self, now: Time, due: &mut Vec<Entry>) -> Option<u64> {
        if self.entries == 0 {
            self.next_ms = self.next_ms.max(now.as_millis() + 1);
            return None;
        }
        if self.next_ms > now.as_millis() {
            return None;
        }
        let ms = self.next_ms;
        self.next_ms += 1;
        let slot = &mut self.slots[(ms % TURN_MS) as usize];
        self.entries -= slot.len();
        due.append(slot);
        Some(ms)
    }
}

fn phase(ms: u64) -> usize {
    (ms % PHASES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_spread_over_the_phases() {
        let mut wheel = Wheel::new();
        for slot in 0..200 {
            wheel.join(Time::from_millis(1000), Entry { slot, generation: 0 });
        }
        assert!(wheel.load.iter().all(|&n| n == 10), "{:?}", wheel.load);
    }

    #[test]
    fn a_grid_that_was_empty_is_not_late() {
        let mut wheel = Wheel::new();
        let now = Time::from_secs(1000);
        wheel.join(now, Entry { slot: 0, generation: 0 });
        assert_eq!(wheel.skip(now + Duration::from_millis(1), Duration::from_millis(100)), 0);
        assert_eq!(wheel.next(), Some(Time::from_millis(1_000_001)));
    }

    #[test]
    fn skips_whole_turns_and_keeps_the_phases() {
        let mut wheel = Wheel::new();
        wheel.put(7, Entry { slot: 1, generation: 0 });
        let skipped = wheel.skip(Time::from_secs(10), Duration::from_millis(100));
        assert_eq!(skipped % TURN_MS, 0);
        assert!((10_000 - skipped) <= 164 && skipped <= 10_000, "{skipped}");
        assert_eq!(wheel.next(), Some(Time::from_millis(7 + skipped)));
    }
}
