use crate::AgentState;
use hotline_core::{OfferId, QueueId, Time};
use std::time::Duration;

/// Time on calls counts half after each such period.
const OCCUPANCY_HALVES: Duration = Duration::from_secs(3600);

/// One agent at work. His slots are taken by calls that ring or talk (`offers`) and by wrap-ups.
#[derive(Debug)]
pub(crate) struct AgentRow {
    /// Agents of the same pool and skills (`Staff`).
    pub group: usize,
    pub capacity: u32,
    /// Slots that were taken when his capacity changed last.
    pub at_reload: u32,
    pub presence: Presence,
    /// Rests after a miss until then.
    pub rest: Option<Time>,
    pub offers: Vec<OfferId>,
    /// Of `offers`, those that were answered.
    pub talking: u32,
    pub wrap_ups: Vec<WrapUp>,
    /// Missed offers in a row.
    pub misses: u32,
    /// End of the last handled call, or signing in.
    pub idle_since: Time,
    pub occupied: Occupied,
    /// The state last told, and since when.
    pub shown: AgentState,
    pub since: Time,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    Offline,
    Paused { reason: String },
    SignedIn,
}

/// After-call work, named after the offer that led to the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrapUp {
    pub offer: OfferId,
    pub queue: QueueId,
    /// How long the call itself took.
    pub talked: Duration,
    pub since: Time,
    pub until: Time,
}

impl AgentRow {
    pub fn new(group: usize, capacity: u32) -> AgentRow {
        AgentRow {
            group,
            capacity,
            at_reload: 0,
            presence: Presence::Offline,
            rest: None,
            offers: Vec::new(),
            talking: 0,
            wrap_ups: Vec::new(),
            misses: 0,
            idle_since: Time::ZERO,
            occupied: Occupied::default(),
            shown: AgentState::Offline,
            since: Time::ZERO,
        }
    }

    pub fn signed_in(&self) -> bool {
        self.presence != Presence::Offline
    }

    /// Slots taken.
    pub fn load(&self) -> u32 {
        (self.offers.len() + self.wrap_ups.len()) as u32
    }

    /// Can be offered a call.
    pub fn is_open(&self) -> bool {
        self.presence == Presence::SignedIn && self.rest.is_none() && self.load() < self.capacity
    }

    pub fn state(&self) -> AgentState {
        if self.offers.len() as u32 > self.talking {
            return AgentState::Offered;
        }
        if self.talking > 0 {
            return AgentState::Talking;
        }
        if self.presence == Presence::Offline {
            return AgentState::Offline;
        }
        if let Some(until) = self.wrap_ups.iter().map(|w| w.until).max() {
            return AgentState::WrapUp { until };
        }
        match (&self.presence, self.rest) {
            (Presence::Paused { reason }, _) => AgentState::Paused { reason: reason.clone() },
            (Presence::SignedIn | Presence::Offline, Some(until)) => AgentState::Resting { until },
            (Presence::SignedIn | Presence::Offline, None) => AgentState::Ready,
        }
    }
}

/// Time spent on calls, fading: `handled` nanoseconds as they counted in period `period`.
///
/// All agents fade alike, so the order between two idle ones never changes and need not be kept anew.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Occupied {
    period: u64,
    handled: u64,
}

impl Occupied {
    pub fn book(&mut self, now: Time, handled: Duration) {
        let period = now.as_nanos() / OCCUPANCY_HALVES.as_nanos() as u64;
        let faded = self.handled.checked_shr((period - self.period).min(64) as u32).unwrap_or(0);
        let handled = u64::try_from(handled.as_nanos()).unwrap_or(u64::MAX);
        *self = Occupied { period, handled: faded.saturating_add(handled) };
    }

    /// Greater for whoever is more occupied, whenever it is asked: exponent and mantissa of
    /// `handled * 2^period`.
    pub fn key(&self) -> [u64; 2] {
        match self.handled {
            0 => [0, 0],
            handled => {
                let zeros = handled.leading_zeros();
                [self.period + u64::from(64 - zeros), handled << zeros]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_ago_counts_half() {
        let book = |bookings: &[(u64, u64)]| {
            let mut o = Occupied::default();
            bookings.iter().for_each(|&(at, s)| o.book(Time::from_secs(at), Duration::from_secs(s)));
            o.key()
        };
        assert_eq!(book(&[(0, 600)]), book(&[(3600, 300)]));
        assert!(book(&[(0, 600)]) < book(&[(3600, 301)]));
        assert!(book(&[(0, 600), (3600, 300)]) == book(&[(3600, 600)]));
        assert!(book(&[]) < book(&[(0, 1)]));
        assert_eq!(book(&[(0, 600), (3_600_000, 7)]), book(&[(3_600_000, 7)]));
    }
}
