use crate::clock::Clock;
use hotline_core::{LegId, Time};
use media::Sink;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// Samples of one frame: 20 ms.
pub(super) const FRAME: usize = 160;
/// Frames that may wait in a lane: five seconds of both sides of a slow disk.
const LANE_MAX: usize = 500;
/// How long a key still sounds after it was understood.
const KEY_SOUNDS: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

/// What one tape hears, on its way from media threads to the writer.
///
/// There are two lanes, and the writer holds one of them at a time for a moment: a media thread that finds the first
/// taken uses the second, and never waits.
#[derive(Debug)]
pub(super) struct Tap {
    clock: Clock,
    lanes: [Mutex<Vec<Frame>>; 2],
    /// Nothing is taken before this moment (ns): silence is written.
    muted_until: AtomicU64,
    lost: AtomicU32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub at: Time,
    pub side: Side,
    pub samples: [i16; FRAME],
}

impl Tap {
    pub fn new(clock: Clock) -> Tap {
        Tap { clock, lanes: Default::default(), muted_until: AtomicU64::new(0), lost: AtomicU32::new(0) }
    }

    /// When it ends, the last key that was private may still be heard: a moment more is left out.
    pub fn mute(&self, now: Time, on: bool) {
        let until = if on { u64::MAX } else { (now + KEY_SOUNDS).as_nanos() };
        self.muted_until.store(until, Ordering::Release);
    }

    pub fn hear(&self, side: Side, samples: &[i16]) {
        let at = self.clock.now();
        // Silence need not be carried: where nothing is written there is silence.
        if at.as_nanos() < self.muted_until.load(Ordering::Acquire) || samples.iter().all(|&s| s == 0) {
            return;
        }
        let Ok(samples) = <[i16; FRAME]>::try_from(samples) else { return };
        for lane in &self.lanes {
            let mut lane = match lane.try_lock() {
                Ok(lane) => lane,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => continue,
            };
            if lane.len() < LANE_MAX {
                lane.push(Frame { at, side, samples });
                return;
            }
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// All that waits, in the order of time.
    pub fn take(&self, into: &mut Vec<Frame>) {
        for lane in &self.lanes {
            into.append(&mut lane.lock().unwrap_or_else(PoisonError::into_inner));
        }
        into.sort_by_key(|frame| frame.at);
    }

    pub fn lost(&self) -> Duration {
        Duration::from_millis(20) * self.lost.load(Ordering::Relaxed)
    }
}

/// One leg's sound to all the tapes that hear it.
#[derive(Debug)]
pub(super) struct LegSink {
    pub taps: Vec<(Arc<Tap>, Side)>,
}

impl Sink for LegSink {
    fn frame(&self, _leg: LegId, samples: &[i16]) {
        self.taps.iter().for_each(|(tap, side)| tap.hear(*side, samples));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_never_comes_costs_sound_that_is_counted() {
        let tap = Tap::new(Clock::start());
        for _ in 0..2 * LANE_MAX + 7 {
            tap.hear(Side::Left, &[1; FRAME]);
        }
        assert_eq!(tap.lost(), Duration::from_millis(140));
        let mut taken = vec![];
        tap.take(&mut taken);
        assert_eq!(taken.len(), 2 * LANE_MAX);
        assert!(taken.is_sorted_by_key(|frame| frame.at));
    }

    #[test]
    fn a_lane_that_is_held_holds_nobody_up() {
        let tap = Tap::new(Clock::start());
        let held = tap.lanes[0].lock().unwrap();
        tap.hear(Side::Left, &[1; FRAME]);
        drop(held);
        tap.hear(Side::Right, &[2; FRAME]);
        let mut taken = vec![];
        tap.take(&mut taken);
        assert_eq!(taken.iter().map(|f| f.side).collect::<Vec<_>>(), [Side::Left, Side::Right]);
        assert_eq!(tap.lost(), Duration::ZERO);
    }

    #[test]
    fn what_is_muted_is_not_even_carried() {
        let tap = Tap::new(Clock::start());
        let mut taken = vec![];
        tap.mute(tap.clock.now(), true);
        tap.hear(Side::Left, &[1; FRAME]);
        tap.mute(tap.clock.now(), false);
        tap.hear(Side::Left, &[2; FRAME]);
        tap.take(&mut taken);
        assert!(taken.is_empty(), "the last key still sounds");
        tap.muted_until.store(0, Ordering::Release);
        tap.hear(Side::Left, &[3; FRAME]);
        tap.take(&mut taken);
        assert_eq!(taken.len(), 1);
    }
}
