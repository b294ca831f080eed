use hotline_core::Time;
use rtp::{Header, TICKS_PER_MS};
use std::time::Duration;

/// Our own stream towards a far end: one SSRC, one row of sequence numbers and one line of timestamps,
/// whether a packet comes from the grid or from the other side of a bridge.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub ssrc: u32,
    sequence: u16,
    /// The timestamp after the last packet, and when that would be due.
    reach: u32,
    reach_at: Time,
    /// The next packet starts a talkspurt.
    pub marker: bool,
    relay: Option<Relay>,
    pub packets: u64,
    pub octets: u64,
}

/// How a stream that is passed on maps to ours.
#[derive(Clone, Copy, Debug)]
struct Relay {
    ssrc: u32,
    sequence_shift: u16,
    timestamp_shift: u32,
    first_sequence: u16,
    last_sequence: u16,
    last_timestamp: u32,
    last_at: Time,
}

/// More than this many packets, or this many ticks (ten seconds), apart: a new stretch, not a gap.
const SEQUENCE_GAP_MAX: i16 = 100;
const TIMESTAMP_GAP_MAX: i32 = 80_000;

impl Outgoing {
    /// The first sequence number and timestamp follow from the SSRC, which is random.
    pub fn new(ssrc: u32) -> Outgoing {
        let mix = u64::from(ssrc).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Outgoing {
            ssrc,
            // In the lower half, so that no early packet is before a wrap (SRTP wants that too).
            sequence: (mix >> 48) as u16 >> 1,
            reach: mix as u32,
            reach_at: Time::ZERO,
            marker: true,
            relay: None,
            packets: 0,
            octets: 0,
        }
    }

    /// The timestamp of the grid's next packet.
    pub fn grid_timestamp(&mut self, now: Time) -> u32 {
        if self.relay.take().is_some() || self.reach_at == Time::ZERO {
            self.catch_up(now);
        }
        self.reach
    }

    /// A packet of the grid of `ticks`; its header.
    pub fn grid(&mut self, now: Time, payload_type: u8, ticks: u32) -> Header {
        let timestamp = self.grid_timestamp(now);
        self.advance(now, ticks);
        let marker = std::mem::take(&mut self.marker);
        Header { marker, payload_type, sequence: self.take_sequence(), timestamp, ssrc: self.ssrc }
    }

    /// A packet of the grid with a timestamp of its own, in the time of `ticks`: a key held down.
    pub fn event(&mut self, now: Time, payload_type: u8, timestamp: u32, first: bool, ticks: u32) -> Header {
        self.grid_timestamp(now);
        self.advance(now, ticks);
        self.marker = true;
        Header { marker: first, payload_type, sequence: self.take_sequence(), timestamp, ssrc: self.ssrc }
    }

    /// Time of the grid that goes by without a packet.
    pub fn pass(&mut self, now: Time, ticks: u32) {
        self.grid_timestamp(now);
        self.advance(now, ticks);
        self.marker = true;
    }

    /// Milliseconds that the grid has lost for good.
    pub fn skip_ms(&mut self, ms: u64) {
        self.reach = self.reach.wrapping_add((ms as u32).wrapping_mul(TICKS_PER_MS));
        self.reach_at += Duration::from_millis(ms);
        self.marker = true;
    }

    /// The header under which a packet of another stream goes on, `ticks` long; None for one from before the
    /// stretch that is passed on. Gaps in its numbers and timestamps stay, so that the far end sees the loss.
    pub fn relay(&mut self, now: Time, from: &Header, payload_type: u8, ticks: u32) -> Option<Header> {
        let same = |r: &Relay| {
            let gap = from.sequence.wrapping_sub(r.last_sequence) as i16;
            let time = from.timestamp.wrapping_sub(r.last_timestamp) as i32;
            r.ssrc == from.ssrc
                && gap.unsigned_abs() <= SEQUENCE_GAP_MAX.unsigned_abs()
                && time.unsigned_abs() <= TIMESTAMP_GAP_MAX.unsigned_abs()
        };
        let mut marker = from.marker;
        let mut relay = match self.relay.filter(same) {
            Some(relay) => relay,
            None => {
                self.catch_up(now);
                marker = true;
                Relay {
                    ssrc: from.ssrc,
                    sequence_shift: self.sequence.wrapping_sub(from.sequence),
                    timestamp_shift: self.reach.wrapping_sub(from.timestamp),
                    first_sequence: from.sequence,
                    last_sequence: from.sequence,
                    last_timestamp: from.timestamp,
                    last_at: now,
                }
            }
        };
        if (from.sequence.wrapping_sub(relay.first_sequence) as i16) < 0 {
            return None;
        }
        let sequence = from.sequence.wrapping_add(relay.sequence_shift);
        let timestamp = from.timestamp.wrapping_add(relay.timestamp_shift);
        if (from.sequence.wrapping_sub(relay.last_sequence) as i16) >= 0 {
            (relay.last_sequence, relay.last_timestamp) = (from.sequence, from.timestamp);
            self.sequence = sequence.wrapping_add(1);
            let end = timestamp.wrapping_add(ticks);
            if (end.wrapping_sub(self.reach) as i32) > 0 {
                self.reach = end;
            }
            self.reach_at = now + Duration::from_millis(u64::from(ticks / TICKS_PER_MS));
        }
        relay.last_at = now;
        // A long stretch moves the floor along, or half a round later it would refuse everything.
        if relay.last_sequence.wrapping_sub(relay.first_sequence) > 1000 {
            relay.first_sequence = relay.last_sequence.wrapping_sub(500);
        }
        self.relay = Some(relay);
        self.marker = true;
        Some(Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc })
    }

    /// When a packet was last passed on, while that stretch lasts.
    pub fn relayed_at(&self) -> Option<Time> {
        self.relay.map(|r| r.last_at)
    }

    pub fn sent(&mut self, octets: usize) {
        self.packets += 1;
        self.octets += octets as u64;
    }

    /// The timestamp that belongs to `now`, for sender reports.
    pub fn timestamp_at(&self, now: Time) -> u32 {
        let behind = now.until(self.reach_at);
        let ahead = self.reach_at.until(now);
        self.reach.wrapping_add(ticks(ahead)).wrapping_sub(ticks(behind))
    }

    fn catch_up(&mut self, now: Time) {
        if self.reach_at != Time::ZERO {
            self.reach = self.reach.wrapping_add(ticks(self.reach_at.until(now)));
        }
        self.reach_at = self.reach_at.max(now);
        self.marker = true;
    }

    fn advance(&mut self, now: Time, ticks: u32) {
        self.reach = self.reach.wrapping_add(ticks);
        self.reach_at = now + Duration::from_millis(u64::from(ticks / TICKS_PER_MS));
    }

    fn take_sequence(&mut self) -> u16 {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        sequence
    }
}

fn ticks(length: Duration) -> u32 {
    (length.as_micros() * u128::from(TICKS_PER_MS) / 1000) as u32
}
