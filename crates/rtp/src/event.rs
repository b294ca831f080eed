//! Telephone-event (RFC 4733): a key in a packet, keys received, a key being sent.

use crate::TICKS_PER_MS;
use std::time::Duration;

/// One telephone-event payload (RFC 4733 section 2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// 0 to 15 are the keys; others exist (16 is a hook flash).
    pub code: u8,
    pub end: bool,
    /// Power below 0 dBm0, 0 to 63.
    pub volume: u8,
    /// So far, in ticks of the RTP clock.
    pub duration: u16,
}

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

impl Event {
    /// None when shorter than an event. What follows the first event is ignored.
    pub fn parse(payload: &[u8]) -> Option<Event> {
        let &[code, flags, high, low, ..] = payload else { return None };
        let duration = u16::from_be_bytes([high, low]);
        Some(Event { code, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }

    /// The key as people write it; None for events that are no key.
    pub fn key(self) -> Option<char> {
        KEYS.get(usize::from(self.code)).map(|&b| char::from(b))
    }
}

/// The event code of a key, `0`-`9`, `*`, `#`, `A`-`D` in either case.
pub fn code_of(key: char) -> Option<u8> {
    KEYS.iter().position(|&k| char::from(k) == key.to_ascii_uppercase()).map(|i| i as u8)
}

/// Tells each press of a key once, on the first of its packets that arrives.
///
/// A press is a (timestamp, code). Marker bits and end bits are no evidence: both are lost, repeated or
/// never sent. A late packet of an earlier press is recognised among the last [`KEYS_REMEMBERED`].
/// A press that goes on in a new segment (section 2.5.1.3), or whose sender moves the timestamp along with
/// the duration, is still one press.
#[derive(Clone, Debug, Default)]
pub struct Presses {
    recent: [Option<Press>; KEYS_REMEMBERED],
    newest: usize,
}

/// Presses whose late packets are recognised.
pub const KEYS_REMEMBERED: usize = 8;
/// A packet of the same press cannot come this long after the one before it: a clock that stands still
/// gives two presses of a key the same timestamp.
const SAME_PRESS_MAX: Duration = Duration::from_secs(1);
/// A segment starts where the one before it ended, give or take this many ticks (60 ms).
const SEGMENT_SLACK: u32 = 60 * TICKS_PER_MS;

#[derive(Clone, Copy, Debug)]
struct Press {
    timestamp: u32,
    code: u8,
    duration: u16,
    ended: bool,
    /// Since some fixed moment.
    heard: Duration,
}

impl Presses {
    /// The key that this packet is the first news of. `now` counts from any fixed moment.
    pub fn hear(&mut self, now: Duration, timestamp: u32, event: Event) -> Option<char> {
        let key = event.key()?;
        let known = |p: &&mut Press| p.timestamp == timestamp && p.code == event.code;
        if let Some(press) = self.recent.iter_mut().flatten().find(known) {
            let again = now.saturating_sub(press.heard) > SAME_PRESS_MAX
                && press.ended
                && event.duration < press.duration;
            let over = press.ended && !again || event.end;
            let duration = if again { event.duration } else { press.duration.max(event.duration) };
            *press = Press { heard: now, ended: over, duration, ..*press };
            return again.then_some(key);
        }
        let press =
            Press { timestamp, code: event.code, duration: event.duration, ended: event.end, heard: now };
        if let Some(last) = &mut self.recent[self.newest]
            && last.goes_on_in(&press)
        {
            *last = press;
            return None;
        }
        self.newest = (self.newest + 1) % KEYS_REMEMBERED;
        self.recent[self.newest] = Some(press);
        Some(key)
    }
}

impl Press {
    fn goes_on_in(&self, next: &Press) -> bool {
        if self.ended || self.code != next.code || next.heard.saturating_sub(self.heard) > SAME_PRESS_MAX {
            return false;
        }
        let moved = next.timestamp.wrapping_sub(self.timestamp);
        if moved > u32::MAX / 2 {
            return false;
        }
        // A press still held when a later one starts is impossible on one keypad; a sender that moves
        // the timestamp shows the duration growing all the same.
        let sliding = moved < u32::from(self.duration) && next.duration > self.duration;
        let full = u32::from(self.duration) > u32::from(u16::MAX) - SEGMENT_SLACK;
        let segment = full && moved.abs_diff(u32::from(u16::MAX)) <= SEGMENT_SLACK;
        sliding || segment
    }
}

/// One key on its way out: what each packet says, from the first to the third end packet.
#[derive(Clone, Copy, Debug)]
pub struct Pressing {
    code: u8,
    /// Ticks still to hold the key.
    left: u32,
    duration: u16,
    ends: u8,
}

/// End packets of each press (RFC 4733 section 2.5.1.4).
pub const END_PACKETS: u8 = 3;

impl Pressing {
    pub fn new(code: u8, hold: Duration) -> Pressing {
        let ticks = hold.as_millis().clamp(40, 8000) as u32 * TICKS_PER_MS;
        Pressing { code, left: ticks, duration: 0, ends: 0 }
    }

    /// The next packet, sent `ticks` after the one before; the first carries the marker, all of them the
    /// timestamp of the first. None when the third end packet has been given.
    pub fn next(&mut self, ticks: u32) -> Option<Event> {
        if self.left > 0 {
            let step = ticks.min(self.left);
            self.left -= step;
            self.duration += step as u16;
            return Some(Event { code: self.code, end: false, volume: VOLUME, duration: self.duration });
        }
        if self.ends == END_PACKETS {
            return None;
        }
        self.ends += 1;
        Some(Event { code: self.code, end: true, volume: VOLUME, duration: self.duration })
    }
}

/// 10 dB below 0 dBm0, as telephones send their keys.
const VOLUME: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (milliseconds, timestamp, code, end, duration) of each packet, in order of arrival, and the keys heard.
    type Story<'a> = (&'a str, &'a [(u64, u32, u8, bool, u16)], &'a str);

    #[test]
    fn each_press_counts_once_however_badly_it_arrives() {
        let stories: &[Story<'_>] = &[
            (
                "as sent",
                &[
                    (0, 1000, 5, false, 160),
                    (20, 1000, 5, false, 320),
                    (40, 1000, 5, true, 480),
                    (40, 1000, 5, true, 480),
                    (40, 1000, 5, true, 480),
                ],
                "5",
            ),
            ("only one end packet", &[(0, 1000, 5, true, 480)], "5"),
            ("the end is lost", &[(0, 1000, 5, false, 160), (400, 4200, 6, false, 160)], "56"),
            ("same key again", &[(0, 1000, 5, true, 480), (200, 2600, 5, false, 160)], "55"),
            ("same key again, the end lost", &[(0, 1000, 5, false, 160), (200, 2600, 5, false, 160)], "55"),
            (
                "a late packet of the key before",
                &[(0, 1000, 5, false, 160), (100, 1800, 6, false, 160), (101, 1000, 5, true, 480)],
                "56",
            ),
            (
                "the first packet comes last",
                &[(0, 1000, 5, true, 480), (2, 1000, 5, false, 160), (3, 1000, 5, true, 480)],
                "5",
            ),
            (
                "held for ten seconds: the duration stands at its end",
                &[(0, 1000, 1, false, 65_000), (20, 1000, 1, false, 65_535), (40, 1000, 1, false, 65_535)],
                "1",
            ),
            (
                "held for ten seconds: the duration wraps",
                &[(0, 1000, 1, false, 65_440), (20, 1000, 1, false, 64), (40, 1000, 1, true, 224)],
                "1",
            ),
            (
                "held for ten seconds: segments",
                &[(0, 1000, 1, false, 65_500), (20, 66_535, 1, false, 160), (40, 66_535, 1, true, 320)],
                "1",
            ),
            (
                "the timestamp moves with the duration",
                &[(0, 1000, 7, false, 160), (20, 1080, 7, false, 320), (40, 1240, 7, true, 480)],
                "7",
            ),
            (
                "a clock that stands still",
                &[(0, 1000, 7, false, 160), (100, 1000, 7, true, 960), (2000, 1000, 7, false, 160)],
                "77",
            ),
            ("timestamps wrap", &[(0, u32::MAX - 100, 2, true, 400), (200, 1500, 2, false, 160)], "22"),
            ("a hook flash is no key", &[(0, 1000, 16, false, 160), (20, 2000, 200, true, 160)], ""),
        ];
        for (what, packets, keys) in stories {
            let mut presses = Presses::default();
            let heard: String = packets
                .iter()
                .filter_map(|&(ms, timestamp, code, end, duration)| {
                    let event = Event { code, end, volume: 10, duration };
                    presses.hear(Duration::from_millis(ms), timestamp, event)
                })
                .collect();
            assert_eq!(heard, *keys, "{what}");
        }
    }

    proptest! {
        /// Presses sent by the book, then lost (never all packets of a press), repeated and moved by a few
        /// places, give exactly the keys pressed.
        #[test]
        fn survives_loss_repetition_and_disorder(
            presses in proptest::collection::vec((0..16u8, any::<[bool; 8]>(), 0..8usize, any::<[bool; 8]>()), 1..12),
            start in any::<u32>(),
        ) {
            let (mut heard, mut pressed) = (String::new(), String::new());
            let mut receiver = Presses::default();
            for (n, (code, lost, kept, repeated)) in presses.into_iter().enumerate() {
                let timestamp = start.wrapping_add(n as u32 * 2400);
                let mut pressing = Pressing::new(code, Duration::from_millis(100));
                let mut packets: Vec<Event> = std::iter::from_fn(|| pressing.next(160)).collect();
                prop_assert_eq!(packets.len(), 8);
                if repeated[0] {
                    packets.reverse();
                }
                for (i, packet) in packets.into_iter().enumerate() {
                    let times = if lost[i] && i != kept { 0 } else { 1 + usize::from(repeated[i]) };
                    for _ in 0..times {
                        let now = Duration::from_millis(n as u64 * 300 + i as u64 * 20);
                        heard.extend(receiver.hear(now, timestamp, packet));
                    }
                }
                pressed.extend(Event { code, end: false, volume: 0, duration: 0 }.key());
            }
            prop_assert_eq!(heard, pressed);
        }
    }

    #[test]
    fn a_key_on_its_way_out() {
        let mut pressing = Pressing::new(11, Duration::from_millis(70));
        let packets: Vec<_> =
            std::iter::from_fn(|| pressing.next(160)).map(|e| (e.duration, e.end)).collect();
        let end = (560, true);
        assert_eq!(packets, [(160, false), (320, false), (480, false), (560, false), end, end, end]);
    }

    #[test]
    fn payload_there_and_back() {
        let event = Event { code: 11, end: true, volume: 10, duration: 0x1234 };
        assert_eq!(event.to_bytes(), [11, 0x8a, 0x12, 0x34]);
        assert_eq!(Event::parse(&event.to_bytes()), Some(event));
        assert_eq!(Event::parse(&[11, 0x8a, 0x12]), None);
        assert_eq!(event.key(), Some('#'));
        assert!("0123456789*#ABCD".chars().all(|k| code_of(k).is_some()) && code_of('x').is_none());
    }
}
