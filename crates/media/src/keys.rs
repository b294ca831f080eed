use rtp::TICKS_PER_MS;
use rtp::event::{Pressing, code_of};
use std::collections::VecDeque;
use std::time::Duration;

/// Keys waiting to be sent and the one being pressed.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    waiting: VecDeque<Key>,
    now: Option<Now>,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    digit: char,
    hold: Duration,
    pause: Duration,
}

#[derive(Debug)]
enum Now {
    Event { pressing: Pressing, timestamp: u32, first: bool, pause: Duration },
    Tone { hz: [u16; 2], left: u32, played: u32, pause: Duration },
    Pause { left: u32 },
}

/// What the next packet is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Event {
        event: rtp::event::Event,
        timestamp: u32,
        first: bool,
    },
    /// A key as sound, from sample `offset` of its tone.
    Tone {
        hz: [u16; 2],
        offset: u32,
    },
    Silence,
}

const KEYS_MAX: usize = 64;
const HOLD_MIN: Duration = Duration::from_millis(40);
const PAUSE_MIN: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_secs(5);

impl Keys {
    /// Characters that are no key are left out, and keys beyond [`KEYS_MAX`] waiting.
    pub fn push(&mut self, digits: &str, hold: Duration, pause: Duration) {
        let (hold, pause) = (hold.clamp(HOLD_MIN, LONGEST), pause.clamp(PAUSE_MIN, LONGEST));
        let room = KEYS_MAX - self.waiting.len();
        let keys = digits.chars().filter(|&d| code_of(d).is_some()).take(room);
        self.waiting.extend(keys.map(|digit| Key { digit, hold, pause }));
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.now.is_none()
    }

    /// The next packet of `ticks`, whose timestamp as audio would be `timestamp`; None when all is sent.
    pub fn step(&mut self, ticks: u32, timestamp: u32, as_events: bool) -> Option<Step> {
        loop {
            match &mut self.now {
                None => {
                    let Key { digit, hold, pause } = self.waiting.pop_front()?;
                    self.now = match (as_events, code_of(digit), rtp::tone::of_key(digit)) {
                        (true, Some(code), _) => Some(Now::Event {
                            pressing: Pressing::new(code, hold),
                            timestamp,
                            first: true,
                            pause,
                        }),
                        (_, _, Some(hz)) => Some(Now::Tone { hz, left: in_ticks(hold), played: 0, pause }),
                        (_, _, None) => None,
                    };
                }
                Some(Now::Event { pressing, timestamp, first, pause }) => {
                    if let Some(event) = pressing.next(ticks) {
                        let first = std::mem::take(first);
                        return Some(Step::Event { event, timestamp: *timestamp, first });
                    }
                    self.now = Some(Now::Pause { left: in_ticks(*pause) });
                }
                Some(Now::Tone { hz, left, played, pause }) => {
                    if *left > 0 {
                        let step = Step::Tone { hz: *hz, offset: *played };
                        *left = left.saturating_sub(ticks);
                        *played += ticks;
                        return Some(step);
                    }
                    self.now = Some(Now::Pause { left: in_ticks(*pause) });
                }
                Some(Now::Pause { left }) => {
                    if *left > 0 {
                        *left = left.saturating_sub(ticks);
                        return Some(Step::Silence);
                    }
                    self.now = None;
                }
            }
        }
    }
}

fn in_ticks(length: Duration) -> u32 {
    length.as_millis() as u32 * TICKS_PER_MS
}
