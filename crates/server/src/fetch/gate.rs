//! Who may ask whom, and how often: all that is decided about hosts, in one place and without a clock.
use super::FetchLimits;
use super::breaker::{Breaker, Change, Ticket};
use super::budget::RetryBudget;
use super::contract::HttpFailure;
use super::pause::pause;
use hotline_core::{Rng, Time};
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
