//! Who may ask whom, and how often: all that is decided about hosts, in one place and without a clock.
use super::FetchLimits;
use super::breaker::{Breaker, Change, Ticket};
use super::budget::RetryBudget;
use super::pause::pause;
use hotline_core::{Rng, Time};
use ivr::HttpFailure;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where a connection leads: requests of one origin share connections, limits and a breaker.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Origin {
    /// The service whose own CA is trusted here; connections are not shared across trust.
    pub(crate) trust: Option<Arc<str>>,
    pub(crate) tls: bool,
    /// In lower case.
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }
}

#[derive(Debug)]
pub(crate) struct Gate {
    limits: FetchLimits,
    hosts: BTreeMap<Origin, Host>,
    in_flight: usize,
    rng: Rng,
}

#[derive(Debug)]
struct Host {
    breaker: Breaker,
    budget: RetryBudget,
    in_flight: usize,
    last_used: Time,
}

impl Gate {
    pub(crate) fn new(limits: FetchLimits, rng: Rng) -> Gate {
        Gate { limits, hosts: BTreeMap::new(), in_flight: 0, rng }
    }

    /// A place for one request and its retries, until `leave`.
    pub(crate) fn enter(&mut self, now: Time, origin: &Origin) -> Result<(), HttpFailure> {
        if self.in_flight >= self.limits.in_flight_max {
            return Err(HttpFailure::Overloaded);
        }
        if !self.hosts.contains_key(origin) {
            self.make_room()?;
        }
        let limits = &self.limits;
        let host = self.hosts.entry(origin.clone()).or_insert_with(|| Host::new(limits, now));
        if host.in_flight >= limits.in_flight_per_host_max {
            return Err(HttpFailure::Overloaded);
        }
        host.in_flight += 1;
        host.last_used = now;
        host.budget.request();
        self.in_flight += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self, origin: &Origin) {
        self.in_flight -= 1;
        self.host(origin).in_flight -= 1;
    }

    /// `None` while the circuit is open.
    pub(crate) fn admit(&mut self, now: Time, origin: &Origin) -> Option<Ticket> {
        self.host(origin).breaker.admit(now)
    }

    pub(crate) fn record(
        &mut self,
        now: Time,
        origin: &Origin,
        ticket: Ticket,
        well: bool,
    ) -> Option<Change> {
        self.host(origin).breaker.record(now, ticket, well)
    }

    /// The pause before retry `retry` (the first is 0), when it is shorter than `left` and paid for.
    pub(crate) fn retry(
        &mut self,
        origin: &Origin,
        retry: u32,
        asked: Option<Duration>,
        left: Duration,
    ) -> Option<Duration> {
        let pause = pause(&self.limits.pause, retry, asked, &mut self.rng);
        (pause < left && self.host(origin).budget.retry()).then_some(pause)
    }

    /// 128 bits and more.
    pub(crate) fn idempotency_key(&mut self) -> String {
        self.rng.token(26)
    }

    fn host(&mut self, origin: &Origin) -> &mut Host {
        self.hosts.get_mut(origin).expect("a host stays while a request to it is in flight")
    }

    /// The host that nobody has asked for longest is forgotten for a new one.
    fn make_room(&mut self) -> Result<(), HttpFailure> {
        if self.hosts.len() < self.limits.hosts_max {
            return Ok(());
        }
        let idle = self.hosts.iter().filter(|(_, host)| host.in_flight == 0);
        let oldest = idle.min_by_key(|(_, host)| host.last_used).map(|(origin, _)| origin.clone());
        self.hosts.remove(&oldest.ok_or(HttpFailure::Overloaded)?);
        Ok(())
    }
}

impl Host {
    fn new(limits: &FetchLimits, now: Time) -> Host {
        Host {
            breaker: Breaker::new(limits.breaker),
            budget: RetryBudget::new(),
            in_flight: 0,
            last_used: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_core::Rng;
    use proptest::prelude::*;

    fn origin(n: u16) -> Origin {
        Origin { trust: None, tls: false, host: "crm.example".into(), port: n }
    }

    fn gate(in_flight_max: usize, in_flight_per_host_max: usize, hosts_max: usize) -> Gate {
        let limits =
            FetchLimits { in_flight_max, in_flight_per_host_max, hosts_max, ..FetchLimits::default() };
        Gate::new(limits, Rng::from_u64(1))
    }

    const T: Time = Time::from_secs(1);

    #[test]
    fn places_are_counted_for_each_host_and_for_all() {
        let mut gate = gate(3, 2, 9);
        assert_eq!(gate.enter(T, &origin(1)), Ok(()));
        assert_eq!(gate.enter(T, &origin(1)), Ok(()));
        assert_eq!(gate.enter(T, &origin(1)), Err(HttpFailure::Overloaded), "two to a host");
        assert_eq!(gate.enter(T, &origin(2)), Ok(()));
        assert_eq!(gate.enter(T, &origin(3)), Err(HttpFailure::Overloaded), "three in all");
        gate.leave(&origin(1));
        assert_eq!(gate.enter(T, &origin(3)), Ok(()));
    }

    #[test]
    fn the_host_not_asked_for_longest_is_forgotten() {
        let mut gate = gate(9, 9, 2);
        for (n, ms) in [(1, 1), (2, 2), (1, 3)] {
            gate.enter(Time::from_millis(ms), &origin(n)).expect("room");
            gate.leave(&origin(n));
        }
        gate.enter(T, &origin(3)).expect("room");
        assert_eq!(gate.hosts.keys().map(|o| o.port).collect::<Vec<_>>(), [1, 3]);
        gate.enter(T, &origin(1)).expect("known");
        assert_eq!(gate.enter(T, &origin(4)), Err(HttpFailure::Overloaded), "neither can be forgotten now");
    }

    #[test]
    fn a_retry_has_to_fit_and_to_be_paid_for() {
        let mut gate = gate(9, 9, 9);
        gate.enter(T, &origin(1)).expect("room");
        let day = Duration::from_secs(86_400);
        assert_eq!(gate.retry(&origin(1), 0, None, Duration::ZERO), None, "no time left");
        assert_eq!(gate.retry(&origin(1), 0, Some(day), day), None, "asked to wait for longer than it has");
        let granted = (0..100).filter(|_| gate.retry(&origin(1), 0, None, day).is_some()).count();
        assert_eq!(granted, RetryBudget::RESERVE as usize, "what did not fit was not charged");
    }

    #[test]
    fn origins_of_other_trust_are_other_hosts() {
        let own = Origin { trust: Some("crm".into()), ..origin(1) };
        let mut gate = gate(9, 1, 9);
        assert_eq!(gate.enter(T, &origin(1)), Ok(()));
        assert_eq!(gate.enter(T, &own), Ok(()));
        assert_eq!(own.to_string(), "http://crm.example:1");
    }

    proptest! {
        #[test]
        fn never_more_than_the_limits(steps in prop::collection::vec((1u16..8, any::<bool>()), 0..300)) {
            let mut gate = gate(6, 3, 4);
            let mut inside: Vec<u16> = Vec::new();
            for (ms, (n, enters)) in (1u64..).zip(steps) {
                if enters {
                    let there = inside.iter().filter(|i| **i == n).count();
                    let known = gate.hosts.contains_key(&origin(n));
                    let busy = gate.hosts.values().filter(|host| host.in_flight > 0).count();
                    let room = inside.len() < 6 && there < 3 && (known || busy < 4);
                    prop_assert_eq!(gate.enter(Time::from_millis(ms), &origin(n)).is_ok(), room);
                    if room {
                        inside.push(n);
                    }
                } else if let Some(at) = inside.iter().position(|i| *i == n) {
                    inside.remove(at);
                    gate.leave(&origin(n));
                }
                prop_assert!(gate.hosts.len() <= 4);
                prop_assert_eq!(gate.in_flight, inside.len());
            }
        }
    }
}
