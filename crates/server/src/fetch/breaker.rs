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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: BreakerLimits = BreakerLimits {
        failures_in_a_row: 3,
        failed_percent: 50,
        tries_min: 10,
        window: Duration::from_secs(10),
        open_for: Duration::from_secs(5),
    };

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    fn tried(breaker: &mut Breaker, ms: u64, well: bool) -> Option<Change> {
        let ticket = breaker.admit(at(ms)).expect("closed");
        breaker.record(at(ms), ticket, well)
    }

    /// Opened at 0.
    fn opened() -> Breaker {
        let mut breaker = Breaker::new(LIMITS);
        assert_eq!([(); 3].map(|()| tried(&mut breaker, 0, false)), [None, None, Some(Change::Opened)]);
        breaker
    }

    #[test]
    fn opens_after_failures_in_a_row() {
        let mut breaker = Breaker::new(LIMITS);
        for well in [false, false, true, false, false] {
            assert_eq!(tried(&mut breaker, 0, well), None);
        }
        assert_eq!(tried(&mut breaker, 0, false), Some(Change::Opened));
        assert_eq!(breaker.admit(at(0)), None);
        assert_eq!(breaker.admit(at(4_999)), None);
    }

    #[test]
    fn opens_when_half_of_the_window_failed() {
        let mut breaker = Breaker::new(LIMITS);
        for n in 0..9 {
            assert_eq!(tried(&mut breaker, n * 100, n % 2 == 0), None, "too few to judge");
        }
        assert_eq!(tried(&mut breaker, 900, false), Some(Change::Opened));
    }

    #[test]
    fn what_left_the_window_is_forgotten() {
        let mut breaker = Breaker::new(LIMITS);
        for n in 0..9 {
            tried(&mut breaker, n, n % 2 == 0);
        }
        assert_eq!(tried(&mut breaker, 10_000, false), None);
        for n in 0..8 {
            assert_eq!(tried(&mut breaker, 10_001 + n, true), None);
        }
    }

    #[test]
    fn one_probe_decides() {
        let mut breaker = opened();
        let probe = breaker.admit(at(5_000)).expect("time for a probe");
        assert_eq!(breaker.admit(at(5_001)), None, "one at a time");
        assert_eq!(breaker.record(at(5_100), probe, false), None, "still open is no news");
        assert_eq!(breaker.admit(at(10_099)), None);
        let probe = breaker.admit(at(10_100)).expect("time for another");
        assert_eq!(breaker.record(at(10_200), probe, true), Some(Change::Closed));
        assert_eq!(tried(&mut breaker, 10_200, false), None, "begins anew");
        assert_eq!(tried(&mut breaker, 10_200, false), None);
        assert_eq!(tried(&mut breaker, 10_200, false), Some(Change::Opened));
    }

    #[test]
    fn a_probe_that_says_nothing_is_followed_by_another() {
        let mut breaker = opened();
        let slow = breaker.admit(at(5_000)).expect("time for a probe");
        assert_eq!(breaker.admit(at(9_999)), None);
        assert!(breaker.admit(at(10_000)).is_some());
        assert_eq!(breaker.record(at(11_000), slow, true), Some(Change::Closed), "late is better than never");
    }

    #[test]
    fn what_began_before_a_change_says_nothing_after_it() {
        let mut breaker = Breaker::new(LIMITS);
        let early = breaker.admit(at(0)).expect("closed");
        for _ in 0..3 {
            tried(&mut breaker, 0, false);
        }
        assert_eq!(breaker.record(at(1), early, true), None);
        assert_eq!(breaker.admit(at(1)), None, "still open");
        let probe = breaker.admit(at(5_000)).expect("time for a probe");
        assert_eq!(breaker.record(at(5_001), early, false), None);
        assert_eq!(breaker.record(at(5_002), probe, true), Some(Change::Closed));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Wait(u64),
        Try,
        /// One of those under way ends.
        End(prop::sample::Index, bool),
    }

    proptest! {
        /// Against a history that is searched anew at every step.
        #[test]
        fn keeps_its_word(steps in prop::collection::vec(prop_oneof![
            2 => (0u64..4000).prop_map(Step::Wait),
            5 => Just(Step::Try),
            5 => (any::<prop::sample::Index>(), prop::bool::weighted(0.45)).prop_map(|(i, w)| Step::End(i, w)),
        ], 0..400)) {
            let mut breaker = Breaker::new(LIMITS);
            let mut now = Time::ZERO;
            let mut under_way: Vec<Ticket> = Vec::new();
            let mut history: Vec<(Time, bool)> = Vec::new(); // since it closed
            let mut closed = true;
            let mut quiet_until = Time::ZERO;
            for step in steps {
                match step {
                    Step::Wait(ms) => now += Duration::from_millis(ms),
                    Step::Try => {
                        let ticket = breaker.admit(now);
                        prop_assert_eq!(ticket.is_some(), closed || now >= quiet_until);
                        if !closed && ticket.is_some() {
                            quiet_until = now + LIMITS.open_for;
                        }
                        under_way.extend(ticket);
                    }
                    Step::End(which, well) if !under_way.is_empty() => {
                        let ticket = under_way.remove(which.index(under_way.len()));
                        let counts = ticket.era == breaker.era;
                        let change = breaker.record(now, ticket, well);
                        if !counts {
                            prop_assert_eq!(change, None);
                        } else if closed {
                            history.push((now, well));
                            let in_a_row = history.iter().rev().take_while(|(_, well)| !well).count();
                            let recent: Vec<bool> = history
                                .iter()
                                .filter(|(then, _)| now.as_secs() - then.as_secs() < 10)
                                .map(|(_, well)| *well)
                                .collect();
                            let failed = recent.iter().filter(|well| !**well).count();
                            let opens = in_a_row >= 3 || (recent.len() >= 10 && failed * 2 >= recent.len());
                            prop_assert_eq!(change, opens.then_some(Change::Opened));
                            if opens {
                                (closed, quiet_until) = (false, now + LIMITS.open_for);
                            }
                        } else {
                            prop_assert_eq!(change, well.then_some(Change::Closed));
                            closed = well;
                            history.clear();
                            quiet_until = now + LIMITS.open_for;
                        }
                    }
                    Step::End(..) => {}
                }
            }
        }
    }
}
