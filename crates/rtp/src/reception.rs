use crate::{CLOCK_HZ, Header};
use std::time::Duration;

/// What has come of one source, counted as RFC 3550 appendix A.1, A.3 and A.8 say; a new source (SSRC)
/// starts its own count and keeps the sum.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    source: Option<Source>,
    /// Of the sources before this one.
    past: Totals,
    /// Packets refused as repeated or too old, over all sources.
    late_or_duplicate: u64,
    longest_gap: Duration,
    last_heard: Option<Duration>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Totals {
    received: u64,
    lost: u64,
}

#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    /// Extended: with the count of wraps in the upper bits. Starts one round up, so that earlier ones fit below.
    highest: u64,
    base: u64,
    received: u64,
    /// Bit n: `highest - n` has come.
    window: u64,
    /// After a jump too wide to be a loss: the number that would prove it.
    jump: Option<u16>,
    transit: Option<i64>,
    /// In ticks, scaled by 16.
    jitter: u32,
    reported_expected: u64,
    reported_received: u64,
}

/// How a packet stands in its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// The first of a new source, or of a source that has jumped.
    Started,
    /// Later than all before it.
    InOrder,
    /// One that was missing.
    Reordered,
    /// Repeated, or too old to say.
    Refused,
}

/// A jump ahead of up to this many is loss; behind by up to [`MISORDER_MAX`] is disorder (RFC 3550 appendix A.1).
const DROPOUT_MAX: u16 = 3000;
const MISORDER_MAX: u16 = 100;
const WINDOW: u64 = 64;

impl Reception {
    /// Counts a packet that arrived `now` (from any fixed moment).
    pub fn arrived(&mut self, now: Duration, header: &Header) -> Arrival {
        if let Some(last) = self.last_heard {
            self.longest_gap = self.longest_gap.max(now.saturating_sub(last));
        }
        self.last_heard = Some(now);
        let arrival = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.arrived(header.sequence),
            _ => Arrival::Started,
        };
        match arrival {
            Arrival::Started => {
                self.past = self.totals();
                self.source = Some(Source::new(header));
            }
            Arrival::Refused => self.late_or_duplicate += 1,
            Arrival::InOrder | Arrival::Reordered => {}
        }
        if let (Some(source), true) = (&mut self.source, arrival != Arrival::Refused) {
            source.measure_jitter(now, header.timestamp);
        }
        arrival
    }

    /// A pause without packets that was meant (hold, a new far end) is no gap.
    pub fn forgive_gap(&mut self) {
        self.last_heard = None;
    }

    pub fn packets(&self) -> u64 {
        self.totals().received
    }

    pub fn lost(&self) -> u64 {
        self.totals().lost
    }

    pub fn late_or_duplicate(&self) -> u64 {
        self.late_or_duplicate
    }

    pub fn longest_gap(&self) -> Duration {
        self.longest_gap
    }

    pub fn jitter_ms(&self) -> f32 {
        self.source.as_ref().map_or(0.0, |s| s.jitter as f32 / 16.0 / (CLOCK_HZ as f32 / 1000.0))
    }

    /// What a report about the present source says: SSRC, fraction lost since the last report in 1/256,
    /// cumulative loss, highest sequence number, jitter in ticks. Starts the next interval.
    pub fn report(&mut self) -> Option<(u32, u8, u32, u32, u32)> {
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let lost = expected.saturating_sub(source.received);
        let expected_now = expected - source.reported_expected;
        let received_now = source.received - source.reported_received;
        (source.reported_expected, source.reported_received) = (expected, source.received);
        let fraction = match expected_now {
            0 => 0,
            n => (n.saturating_sub(received_now) * 256 / n).min(255) as u8,
        };
        // The field has 24 bits with a sign.
        let cumulative = lost.min(0x7f_ffff) as u32;
        let highest = (source.highest - (1 << 16)) as u32;
        Some((source.ssrc, fraction, cumulative, highest, source.jitter >> 4))
    }

    fn totals(&self) -> Totals {
        let (received, lost) =
            self.source.as_ref().map_or((0, 0), |s| (s.received, s.expected().saturating_sub(s.received)));
        Totals { received: self.past.received + received, lost: self.past.lost + lost }
    }
}

impl Source {
    fn new(header: &Header) -> Source {
        let first = (1 << 16) + u64::from(header.sequence);
        Source {
            ssrc: header.ssrc,
            highest: first,
            base: first,
            received: 1,
            window: 1,
            jump: None,
            transit: None,
            jitter: 0,
            reported_expected: 0,
            reported_received: 0,
        }
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    fn arrived(&mut self, sequence: u16) -> Arrival {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead != 0 && ahead < DROPOUT_MAX {
            self.window = if u64::from(ahead) < WINDOW { self.window << ahead | 1 } else { 1 };
            self.highest += u64::from(ahead);
            self.received += 1;
            self.jump = None;
            return Arrival::InOrder;
        }
        let behind = ahead.wrapping_neg();
        if behind <= MISORDER_MAX {
            let at = self.highest - u64::from(behind);
            let bit = 1u64.checked_shl(u32::from(behind)).unwrap_or(0);
            if at < self.base || bit == 0 || self.window & bit != 0 {
                return Arrival::Refused;
            }
            self.window |= bit;
            self.received += 1;
            return Arrival::Reordered;
        }
        // Two in a row after a jump: the sender has restarted. One alone is a stray.
        if self.jump.replace(sequence.wrapping_add(1)) == Some(sequence) {
            return Arrival::Started;
        }
        Arrival::Refused
    }

    fn measure_jitter(&mut self, now: Duration, timestamp: u32) {
        let arrival = (now.as_nanos() as u64 / (1_000_000_000 / u64::from(CLOCK_HZ))) as u32;
        let transit = i64::from(arrival.wrapping_sub(timestamp) as i32);
        if let Some(before) = self.transit.replace(transit) {
            // More than ten seconds is a clock set anew, not jitter.
            let d = i64::from((transit - before) as i32).unsigned_abs();
            if d < u64::from(CLOCK_HZ) * 10 {
                let d = d as i64;
                self.jitter = (i64::from(self.jitter) + d - ((i64::from(self.jitter) + 8) >> 4)) as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }
    }

    fn hear(reception: &mut Reception, sequences: &[u16]) -> Vec<Arrival> {
        let hear = |&s: &u16| reception.arrived(Duration::ZERO, &packet(1, s, 0));
        sequences.iter().map(hear).collect()
    }

    #[test]
    fn counts_loss_disorder_and_repeats_over_the_wrap() {
        use Arrival::{InOrder, Refused, Reordered, Started};
        let mut r = Reception::default();
        let story = hear(&mut r, &[65_533, 65_534, 1, 0, 65_535, 65_535, 2, 2]);
        let want = [Started, InOrder, InOrder, Reordered, Reordered, Refused, InOrder, Refused];
        assert_eq!(story, want);
        assert_eq!((r.packets(), r.lost(), r.late_or_duplicate()), (6, 0, 2));
        hear(&mut r, &[12]);
        assert_eq!((r.packets(), r.lost()), (7, 9));
    }

    #[test]
    fn a_stray_is_refused_and_a_restart_is_followed() {
        use Arrival::{InOrder, Refused, Started};
        let mut r = Reception::default();
        assert_eq!(
            hear(&mut r, &[10, 30_000, 11, 40_000, 40_001, 40_002]),
            [Started, Refused, InOrder, Refused, Started, InOrder]
        );
        assert_eq!((r.packets(), r.lost()), (4, 0));
    }

    #[test]
    fn a_new_source_starts_anew_and_keeps_the_sum() {
        let mut r = Reception::default();
        hear(&mut r, &[1, 2, 5]);
        assert_eq!(r.arrived(Duration::ZERO, &packet(2, 900, 0)), Arrival::Started);
        assert_eq!((r.packets(), r.lost()), (4, 2));
    }

    #[test]
    fn reports_each_interval() {
        let mut r = Reception::default();
        assert_eq!(r.report(), None);
        hear(&mut r, &[1, 2, 3, 6, 7, 8]);
        assert_eq!(r.report(), Some((1, 64, 2, 8, 0)));
        hear(&mut r, &[9, 10]);
        assert_eq!(r.report(), Some((1, 0, 2, 10, 0)));
    }

    /// Packets 20 ms apart that arrive in turn 4 ms early and 4 ms late have a jitter of 8 ms in the end.
    #[test]
    fn jitter_of_rfc_3550() {
        let mut r = Reception::default();
        for i in 0..400u32 {
            let at = Duration::from_millis(u64::from(i) * 20 + if i % 2 == 0 { 0 } else { 8 });
            r.arrived(at, &packet(1, i as u16, i * 160));
        }
        assert!((r.jitter_ms() - 8.0).abs() < 0.2, "{}", r.jitter_ms());
        assert_eq!(r.longest_gap(), Duration::from_millis(28));
    }

    proptest! {
        #[test]
        fn any_sequence_keeps_the_books(packets in proptest::collection::vec((0..3u32, any::<u16>(), any::<u32>()), 0..300)) {
            let mut r = Reception::default();
            for (i, &(ssrc, sequence, timestamp)) in packets.iter().enumerate() {
                r.arrived(Duration::from_millis(i as u64 * 7), &packet(ssrc, sequence, timestamp));
                if i % 50 == 0 {
                    r.report();
                }
            }
            prop_assert_eq!(r.packets() + r.late_or_duplicate(), packets.len() as u64);
        }
    }
}
