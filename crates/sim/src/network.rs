//! A network that loses, doubles, delays and reorders.

use hotline_core::{Rng, Time};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::plan::Faults;

#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Arc<[u8]>,
}

#[derive(Debug, Default)]
pub(crate) struct Network {
    on_the_way: BTreeMap<(Time, u64), Datagram>,
    sent: u64,
}

impl Network {
    /// `faults`: None while the network is good (one millisecond, nothing lost).
    pub fn send(&mut self, now: Time, datagram: Datagram, faults: Option<&Faults>, rng: &mut Rng) {
        let copies = match faults {
            Some(faults) if rng.chance(faults.loss) => 0,
            Some(faults) if rng.chance(faults.duplicate) => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let extra = faults.map_or(0, |f| rng.below(f.delay_max.as_nanos() as u64));
            let arrives = Time::from_nanos(now.as_nanos() + 1_000_000 + extra);
            self.sent += 1;
            self.on_the_way.insert((arrives, self.sent), datagram.clone());
        }
    }

    pub fn next(&self) -> Option<Time> {
        self.on_the_way.first_key_value().map(|(&(at, _), _)| at)
    }

    pub fn arrive(&mut self, now: Time) -> Option<Datagram> {
        let entry = self.on_the_way.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}
