//! RTCP (RFC 3550 section 6): sender and receiver reports with a CNAME, and BYE.

/// Bytes of the largest compound packet that [`Report::write`] makes.
pub const REPORT_BYTES_MAX: usize = 28 + 24 + 8 + 2 + 32 + 4 + 8;
const CNAME_BYTES_MAX: usize = 32;
/// Packets in one compound packet, and report blocks in one report (its count has five bits), that are read.
const PACKETS_MAX: usize = 32;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;

/// What a sender says of its own stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderInfo {
    /// Seconds since 1900 in the upper, their fraction in the lower half.
    pub ntp: u64,
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// What a receiver says of a stream it hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Whose stream.
    pub ssrc: u32,
    /// In 1/256, since the last report.
    pub fraction_lost: u8,
    /// 24 bits with a sign; negative when packets were repeated.
    pub lost: i32,
    pub highest_sequence: u32,
    /// In ticks of the RTP clock.
    pub jitter: u32,
    /// Middle 32 bits of the last sender report's `ntp`; 0: none came.
    pub last_sender_report: u32,
    /// Since then, in 1/65536 s.
    pub delay_since: u32,
}

/// A compound packet as we send it.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub ssrc: u32,
    pub sender: Option<SenderInfo>,
    pub block: Option<Block>,
    /// At most 32 bytes of it are sent.
    pub cname: &'a str,
    pub bye: bool,
}

/// News in a compound packet that somebody sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    Sender { ssrc: u32, info: SenderInfo },
    Block { from: u32, block: Block },
    Bye { ssrc: u32 },
}

impl Report<'_> {
    /// Writes the compound packet; its length.
    pub fn write(&self, out: &mut [u8; REPORT_BYTES_MAX]) -> usize {
        let mut w = Writer { out, at: 0 };
        let kind = if self.sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        let words = 1 + if self.sender.is_some() { 5 } else { 0 } + if self.block.is_some() { 6 } else { 0 };
        w.head(u8::from(self.block.is_some()), kind, words);
        w.u32(self.ssrc);
        if let Some(s) = self.sender {
            w.u32((s.ntp >> 32) as u32);
            for word in [s.ntp as u32, s.timestamp, s.packets, s.octets] {
                w.u32(word);
            }
        }
        if let Some(b) = self.block {
            w.u32(b.ssrc);
            w.u32(u32::from(b.fraction_lost) << 24 | b.lost as u32 & 0xff_ffff);
            for word in [b.highest_sequence, b.jitter, b.last_sender_report, b.delay_since] {
                w.u32(word);
            }
        }
        let cname = self.cname.as_bytes();
        let cname = &cname[..cname.len().min(CNAME_BYTES_MAX)];
        // One chunk: SSRC, the CNAME item, and at least one zero up to a full word.
        let words = 1 + (2 + cname.len()) / 4 + 1;
        w.head(1, SOURCE_DESCRIPTION, words);
        w.u32(self.ssrc);
        w.bytes(&[1, cname.len() as u8]);
        w.bytes(cname);
        w.bytes(&[0; 4][..4 - (2 + cname.len()) % 4]);
        if self.bye {
            w.head(1, BYE, 1);
            w.u32(self.ssrc);
        }
        w.at
    }
}

/// Reads a compound packet; false when it is none, and then nothing was told (RFC 3550 appendix A.2).
pub fn read(datagram: &[u8], mut tell: impl FnMut(News)) -> bool {
    if !packets(datagram).all(|p| p.is_some()) || packets(datagram).next().is_none() {
        return false;
    }
    for (count, kind, body) in packets(datagram).flatten() {
        let word = |i: usize| -> Option<u32> {
            Some(u32::from_be_bytes(body.get(i * 4..i * 4 + 4)?.try_into().ok()?))
        };
        let Some(ssrc) = word(0) else { continue };
        let first = match kind {
            SENDER_REPORT => {
                let info = || {
                    let ntp = u64::from(word(1)?) << 32 | u64::from(word(2)?);
                    Some(SenderInfo { ntp, timestamp: word(3)?, packets: word(4)?, octets: word(5)? })
                };
                let Some(info) = info() else { continue };
                tell(News::Sender { ssrc, info });
                6
            }
            RECEIVER_REPORT => 1,
            BYE => {
                (0..usize::from(count)).filter_map(word).for_each(|ssrc| tell(News::Bye { ssrc }));
                continue;
            }
            _ => continue,
        };
        for n in 0..usize::from(count) {
            let at = first + n * 6;
            let block = || {
                let losses = word(at + 1)?;
                Some(Block {
                    ssrc: word(at)?,
                    fraction_lost: (losses >> 24) as u8,
                    lost: (losses << 8) as i32 >> 8,
                    highest_sequence: word(at + 2)?,
                    jitter: word(at + 3)?,
                    last_sender_report: word(at + 4)?,
                    delay_since: word(at + 5)?,
                })
            };
            let Some(block) = block() else { break };
            tell(News::Block { from: ssrc, block });
        }
    }
    true
}

/// The packets of a compound packet: count, type, body; a None where it is no RTCP.
fn packets(datagram: &[u8]) -> impl Iterator<Item = Option<(u8, u8, &[u8])>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let &[first, kind, high, low, ..] = rest else {
            return (!std::mem::take(&mut rest).is_empty()).then_some(None);
        };
        let bytes = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        if first >> 6 != 2 || bytes > rest.len() || !(192..=223).contains(&kind) {
            rest = &[];
            return Some(None);
        }
        let (packet, next) = rest.split_at(bytes);
        rest = next;
        Some(Some((first & 0x1f, kind, &packet[4..])))
    })
    .take(PACKETS_MAX)
}

/// Time since a report of ours went out, from what came back: the round trip in 1/65536 s; `now` and the
/// report's `last_sender_report` are middle 32 bits of NTP time (RFC 3550 section 6.4.1).
pub fn round_trip(now: u32, block: &Block) -> Option<u32> {
    if block.last_sender_report == 0 {
        return None;
    }
    let trip = now.wrapping_sub(block.last_sender_report).wrapping_sub(block.delay_since);
    // Clocks differ by a little: a negative trip is none. Longer than ten minutes is nonsense.
    if trip > u32::MAX / 2 {
        return Some(0);
    }
    (trip < 600 << 16).then_some(trip)
}

struct Writer<'a> {
    out: &'a mut [u8; REPORT_BYTES_MAX],
    at: usize,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
    fn u32(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }
    /// `words` follow.
    fn head(&mut self, count: u8, kind: u8, words: usize) {
        self.bytes(&[2 << 6 | count, kind, (words >> 8) as u8, words as u8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INFO: SenderInfo =
        SenderInfo { ntp: 0xb705_2000_8000_0000, timestamp: 160, packets: 7, octets: 1120 };
    const BLOCK: Block = Block {
        ssrc: 9,
        fraction_lost: 64,
        lost: -3,
        highest_sequence: 0x1_0005,
        jitter: 12,
        last_sender_report: 0xb705_2000,
        delay_since: 0x5_4000,
    };

    fn told(datagram: &[u8]) -> Option<Vec<News>> {
        let mut news = Vec::new();
        read(datagram, |n| news.push(n)).then_some(news)
    }

    #[test]
    fn what_we_write_we_read() {
        for cname in ["", "a", "ab", "abc", "hotline@192.0.2.1", "0123456789012345678901234567890123456789"] {
            for (sender, block, bye) in [
                (Some(INFO), Some(BLOCK), false),
                (Some(INFO), None, true),
                (None, Some(BLOCK), true),
                (None, None, false),
            ] {
                let mut out = [0; REPORT_BYTES_MAX];
                let n = Report { ssrc: 5, sender, block, cname, bye }.write(&mut out);
                let mut want = Vec::new();
                want.extend(sender.map(|info| News::Sender { ssrc: 5, info }));
                want.extend(block.map(|block| News::Block { from: 5, block }));
                want.extend(bye.then_some(News::Bye { ssrc: 5 }));
                assert_eq!(told(&out[..n]), Some(want), "{cname}");
                assert_eq!(n % 4, 0);
            }
        }
    }

    #[test]
    fn a_cname_item_as_wireshark_wants_it() {
        let mut out = [0; REPORT_BYTES_MAX];
        let n = Report { ssrc: 5, sender: None, block: None, cname: "ab", bye: false }.write(&mut out);
        let sdes = [0x81, 202, 0, 3, 0, 0, 0, 5, 1, 2, b'a', b'b', 0, 0, 0, 0];
        assert_eq!(out[..n], [&[0x80, 201, 0, 1, 0, 0, 0, 5][..], &sdes].concat());
    }

    /// The example of RFC 3550 section 6.4.1, figure 2: 6.125 s less 5.250 s... in 1/65536 s.
    #[test]
    fn round_trip_of_the_rfc() {
        let block = Block { last_sender_report: 0xb705_2000, delay_since: 0x0005_4000, ..BLOCK };
        assert_eq!(round_trip(0xb710_8000, &block), Some(0x0006_2000));
        assert_eq!(round_trip(0xb705_2000, &block), Some(0));
        assert_eq!(round_trip(0xb710_8000, &Block { last_sender_report: 0, ..block }), None);
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let mut n = 0;
            read(&bytes, |_| n += 1);
            prop_assert!(n <= bytes.len());
        }

        #[test]
        fn broken_reports_never_panic(at in 0..60usize, with in any::<u8>(), cut in 0..90usize) {
            let mut out = [0; REPORT_BYTES_MAX];
            let n = Report { ssrc: 5, sender: Some(INFO), block: Some(BLOCK), cname: "x", bye: true }.write(&mut out);
            out[at] = with;
            read(&out[..n.min(cut)], |_| {});
        }
    }
}
