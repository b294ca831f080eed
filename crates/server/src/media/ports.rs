use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Even ports that may carry RTP, shared by all media threads: the one unused for longest first.
#[derive(Debug)]
pub(super) struct Ports {
    rest: Duration,
    ready: Mutex<Ready>,
}

#[derive(Debug)]
struct Ready {
    free: VecDeque<u16>,
    /// Closed, with the end of their rest, in its order.
    resting: VecDeque<(Instant, u16)>,
}

impl Ports {
    pub fn new((first, last): (u16, u16), rest: Duration) -> io::Result<Ports> {
        let even = (first..last).filter(|port| port % 2 == 0 && *port > 0);
        let free: VecDeque<u16> = even.collect();
        if free.is_empty() {
            let why = format!("media ports {first}-{last} hold no even port and the odd one after it");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Ok(Ports { rest, ready: Mutex::new(Ready { free, resting: VecDeque::new() }) })
    }

    /// How many to try at most.
    pub fn free(&self, now: Instant) -> usize {
        let mut ready = self.ready();
        ready.wake(now);
        ready.free.len()
    }

    pub fn take(&self) -> Option<u16> {
        self.ready().free.pop_front()
    }

    /// A port that was never bound, because someone else has it: tried again after all others.
    pub fn give_back(&self, port: u16) {
        self.ready().free.push_back(port);
    }

    /// A port that carried a call: packets for it may still be on their way.
    pub fn rest(&self, now: Instant, port: u16) {
        self.ready().resting.push_back((now + self.rest, port));
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    fn wake(&mut self, now: Instant) {
        while let Some(&(_, port)) = self.resting.front().filter(|(until, _)| *until <= now) {
            self.resting.pop_front();
            self.free.push_back(port);
        }
    }
}

/// Says once when the kernel may give our ports to outgoing connections of its own.
pub(super) fn warn_of_ephemeral((first, last): (u16, u16)) {
    let Ok(range) = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range") else { return };
    let mut ends = range.split_ascii_whitespace().filter_map(|n| n.parse::<u16>().ok());
    if let (Some(low), Some(high)) = (ends.next(), ends.next())
        && first <= high
        && last >= low
    {
        tracing::warn!(
            "media ports {first}-{last} overlap the system's ephemeral ports {low}-{high}; some may be taken"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_port_rests_and_comes_back_last() {
        let (ports, rest) =
            (Ports::new((20_001, 20_007), Duration::from_secs(10)).unwrap(), Duration::from_secs(10));
        let now = ports_epoch();
        assert_eq!(ports.free(now), 3);
        assert_eq!(ports.take(), Some(20_002));
        ports.rest(now, 20_002);
        assert_eq!((ports.take(), ports.take(), ports.take()), (Some(20_004), Some(20_006), None));
        assert_eq!(ports.free(now + rest - Duration::from_nanos(1)), 0);
        assert_eq!(ports.free(now + rest), 1);
        assert_eq!(ports.take(), Some(20_002));
    }

    #[test]
    fn a_range_without_a_pair_is_refused() {
        for range in [(20_001, 20_001), (20_002, 20_002), (5, 4)] {
            assert!(Ports::new(range, Duration::ZERO).is_err(), "{range:?}");
        }
        assert_eq!(Ports::new((20_002, 20_003), Duration::ZERO).unwrap().free(ports_epoch()), 1);
    }

    #[expect(clippy::disallowed_methods, reason = "a moment to count from")]
    fn ports_epoch() -> Instant {
        Instant::now()
    }
}
