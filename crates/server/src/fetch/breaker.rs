//! A host that fails again and again is left alone for a while: its callers take their flow's fallback at once
//! instead of waiting for a timeout each.
//!
//! ```text
//!            failures in a row, or too large a share of the window
//!   Closed ──────────────────────────────────────────────────────▶ Open
//!     ▲                                                           │  ▲
//!     │ a probe is answered                         `open_for`    │  │ a probe fails
//!     └──────────────────────────── HalfOpen ◀────────────────────┘  │
//!                                       └────────────────────────────┘
//! ```
use hotline_core::Time;
use std::time::Duration;

/// When a breaker opens and how long it stays open.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BreakerLimits {
    /// Failures without a success in between.
    pub failures_in_a_row: u32,
    /// Failures among the tries of the last `window`, in percent, ...
    pub failed_percent: u32,
    /// ... when there were at least so many tries.
    pub tries_min: u32,
    pub window: Duration,
    /// How long nobody tries. Afterwards one probe goes out; another when it has said nothing for as long again.
    pub open_for: Duration,
}

impl Default for BreakerLimits {
    fn default() -> BreakerLimits {
        BreakerLimits {
            failures_in_a_row: 5,
            failed_percent: 50,
            tries_min: 20,
            window: Duration::from_secs(10),
            open_for: Duration::from_secs(5),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Breaker {
    limits: BreakerLimits,
    state: State,
    /// Counts the changes of state: what was admitted before one says nothing after it.
    era: u64,
}

#[derive(Debug)]
enum State {
    Closed { in_a_row: u32, window: Window },
    Open { until: Time },
    HalfOpen { next_probe: Time },
}

/// Leave for one try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ticket {
    era: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Opened,
    Closed,
}

impl Breaker {
    pub(crate) fn new(limits: BreakerLimits) -> Breaker {
        Breaker { limits, state: State::closed(), era: 0 }
    }

    /// `None` while the host is left alone.
    pub(crate) fn admit(&mut self, now: Time) -> Option<Ticket> {
        let next_probe = now + self.limits.open_for;
        match &mut self.state {
            State::Closed { .. } => {}
            State::Open { until } if now < *until => return None,
            State::Open { .. } => self.enter(State::HalfOpen { next_probe }),
            State::HalfOpen { next_probe: due } if now < *due => return None,
            State::HalfOpen { next_probe: due } => *due = next_probe,
        }
        Some(Ticket { era: self.era })
    }

    /// How a try ended: whether the host is well, whatever it said.
    pub(crate) fn record(&mut self, now: Time, ticket: Ticket, well: bool) -> Option<Change> {
        if ticket.era != self.era {
            return None;
        }
        let open = State::Open { until: now + self.limits.open_for };
        match &mut self.state {
            State::Closed { in_a_row, window } => {
                *in_a_row = if well { 0 } else { *in_a_row + 1 };
                window.add(now, self.limits.window, well);
                let too_many = *in_a_row >= self.limits.failures_in_a_row
                    || window.fails(now, self.limits.window, &self.limits);
                too_many.then(|| self.enter(open)).map(|()| Change::Opened)
            }
            State::HalfOpen { .. } if well => {
                self.enter(State::closed());
                Some(Change::Closed)
            }
            State::HalfOpen { .. } => {
                self.enter(open);
                None
            }
            State::Open { .. } => None, // nothing is admitted in this era
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}

impl State {
    fn closed() -> State {
        State::Closed { in_a_row: 0, window: Window::default() }
    }
}

/// The tries of the last `window`, in ten slots: the oldest slot leaves as a whole.
#[derive(Default, Debug)]
struct Window([Slot; Window::SLOTS as usize]);

#[derive(Clone, Copy, Default, Debug)]
struct Slot {
    number: u64,
    tries: u32,
    failed: u32,
}

impl Window {
    const SLOTS: u64 = 10;

    fn number(now: Time, window: Duration) -> u64 {
        let slot_ns = (window.as_nanos() / u128::from(Window::SLOTS)).max(1);
        (u128::from(now.as_nanos()) / slot_ns) as u64 // not more than the nanoseconds
    }

    fn add(&mut self, now: Time, window: Duration, well: bool) {
        let number = Window::number(now, window);
        let slot = &mut self.0[(number % Window::SLOTS) as usize];
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        slot.tries += 1;
        slot.failed += u32::from(!well);
    }

    fn fails(&self, now: Time, window: Duration, limits: &BreakerLimits) -> bool {
        let newest = Window::number(now, window);
        let (tries, failed) = self
            .0
            .iter()
            .filter(|slot| slot.number + Window::SLOTS > newest)
            .fold((0u64, 0u64), |(t, f), slot| (t + u64::from(slot.tries), f + u64::from(slot.failed)));
        tries >= u64::from(limits.tries_min) && failed * 100 >= tries * u64::from(limits.failed_percent)
    }
}
