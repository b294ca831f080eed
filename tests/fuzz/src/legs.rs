//! Media under fire: a deck with two legs, whose far ends are phones that send what the script says.
//!
//! The script: a byte for the deck's configuration, then acts, each a byte whose lower four bits say what.
//! 0-7 a datagram (bits 4-5: leg and channel, 6-7: from whom; then its length in a byte, 255: all that is
//! left), 8 time (ms), 9 `Connect`, 10 `Play`, 11 bridge or not, 12 echo or record, 13 keys, 14 `Close` and
//! `Open`, 15 much time.

use super::script::Script;
use hotline_core::{LegId, Outbox, PlayId, SoundId, Time};
use media::{
    Channel, Codec, Command, Deck, DeckConfig, Direction, Event, Format, Library, Piece, Sink, Slot, Wire,
};
use rtp::{Arrival, Header, Packet, Reception, event, rtcp};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const LEGS: [LegId; 2] = [LegId(0x100), LegId(0x101)];
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// What arrives in one reading, at most; more waits in the socket or is lost there.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// A leg's packets are 10 ms long or longer.
const TURN_MS_MIN: u64 = 10;

pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut line = Line::new(script.byte());
    let mut ear = Ear::default();
    while !script.is_over() {
        line.act(&mut script, &mut ear);
    }
    line.end();
}

fn phone(n: u8) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, n & 3], 4000 + u16::from(n >> 2 & 1)))
}

#[derive(Debug)]
struct Deaf;

impl Sink for Deaf {
    fn frame(&self, _: LegId, samples: &[i16]) {
        assert_eq!(samples.len(), 160);
    }
}

#[derive(Debug, Default)]
struct Net {
    waiting: Option<(Vec<u8>, SocketAddr)>,
    open: Vec<Slot>,
    sent: u64,
}

impl Wire for Net {
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String> {
        assert!(!self.open.contains(&slot), "{slot:?} opened twice");
        self.open.push(slot);
        Ok(SocketAddr::new(ip, 20_000 + 2 * slot.0 as u16))
    }
    fn receive(&mut self, _: Slot, _: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let (bytes, from) = self.waiting.take()?;
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Some((length, from))
    }
    fn send(&mut self, slot: Slot, _: Channel, to: SocketAddr, datagram: &[u8]) {
        assert!(self.open.contains(&slot), "{slot:?} sends and is closed");
        assert!(to.port() != 0 && !to.ip().is_unspecified(), "sent to nobody");
        assert!(datagram.len() <= DATAGRAM_BYTES_MAX);
        if rtp::is_rtcp(datagram) {
            assert!(rtcp::read(datagram, |_| {}), "we send reports that can be read");
        } else {
            Packet::parse(datagram).expect("we send RTP");
        }
        self.sent += 1;
    }
    fn close(&mut self, slot: Slot) {
        let place = self.open.iter().position(|s| *s == slot).expect("only what is open is closed");
        self.open.swap_remove(place);
    }
}

struct Line {
    deck: Deck,
    net: Net,
    now: Time,
    out: Outbox<Event>,
    /// Packets that may have been sent by now.
    allowed: u64,
    sounds: u32,
}

impl Line {
    fn new(config: u8) -> Line {
        static LIBRARY: OnceLock<Arc<Library>> = OnceLock::new();
        let library = LIBRARY
            .get_or_init(|| Arc::new(Library::from_samples(vec![vec![1000; 840], vec![], vec![5; 3]])));
        let deck = DeckConfig {
            legs_max: 2,
            comfort: config & 1 == 0,
            scan: config & 2 == 0,
            report_every: Duration::from_millis(if config & 4 == 0 { 5000 } else { 100 }),
            ntp_at_zero: if config & 8 == 0 { 0 } else { u64::MAX - 1 },
            ..DeckConfig::default()
        };
        let mut line = Line {
            deck: Deck::new(deck, library.clone()),
            net: Net::default(),
            now: Time::from_millis(1000),
            out: Outbox::new(),
            allowed: 0,
            sounds: library.len() as u32,
        };
        for (n, leg) in LEGS.into_iter().enumerate() {
            line.open(leg);
            line.connect(leg, &mut Script(&[n as u8, config >> 4, 0, 101, 20]));
        }
        line.command(Command::Bridge { a: LEGS[0], b: LEGS[1] });
        line
    }

    fn act(&mut self, script: &mut Script<'_>, ear: &mut Ear) {
        let act = script.byte();
        let high = act >> 4;
        let leg = LEGS[usize::from(high & 1)];
        match act & 15 {
            0..8 => {
                let length = match script.byte() {
                    255 => usize::MAX,
                    length => usize::from(length),
                };
                let bytes = script.bytes(length);
                ear.hear(self.now, bytes);
                let slot = Slot(u32::from(high & 1));
                let channel = if high & 2 == 0 { Channel::Rtp } else { Channel::Rtcp };
                // From the leg's own phone, the other leg's, or a stranger.
                self.net.waiting = Some((bytes.to_vec(), phone((high & 1) ^ (high >> 2))));
                self.allowed += 1;
                let more = self.deck.arrived(self.now, slot, channel, &mut self.net, &mut self.out);
                assert!(!more && self.net.waiting.is_none());
            }
            8 => self.pass(u64::from(script.byte())),
            9 => self.connect(leg, script),
            10 => {
                let piece = |kind: u8| match kind & 3 {
                    0 | 1 => Piece::Sound(SoundId(u32::from(kind >> 2) % (self.sounds + 1))),
                    2 => Piece::Silence(Duration::from_millis(u64::from(kind))),
                    _ => Piece::Tone {
                        hz: [u16::from(kind) * 16, u16::from(kind & 128) * 8],
                        length: Duration::from_millis(u64::from(kind)),
                        dbm0: -(kind as i8 & 31),
                    },
                };
                let pieces = script.bytes(usize::from(high >> 2)).iter().map(|&kind| piece(kind)).collect();
                self.allowed += 1;
                self.command(Command::Play { leg, play: PlayId(1), pieces, repeat: high & 2 != 0 });
            }
            11 => {
                let (a, b) = (leg, LEGS[usize::from(high >> 1 & 1)]);
                let bridge = Command::Bridge { a, b };
                self.command(if high & 4 == 0 { bridge } else { Command::Unbridge { a, b } });
            }
            12 if high & 4 == 0 => self.command(Command::Echo { leg, on: high & 2 != 0 }),
            12 => {
                let to = (high & 2 != 0).then(|| Arc::new(Deaf) as Arc<dyn Sink>);
                self.command(Command::Record { leg, to });
            }
            13 => {
                let each = Duration::from_millis(u64::from(script.byte()) * 40);
                let digits = script.bytes(usize::from(high)).iter().map(|&b| char::from(b)).collect();
                self.command(Command::SendDigits { leg, digits, each, pause: each / 2 });
            }
            14 if high & 2 == 0 => {
                self.allowed += 1;
                self.command(Command::Close { leg });
            }
            14 => self.open(leg),
            _ => self.pass(u64::from(script.u16())),
        }
    }

    fn open(&mut self, leg: LegId) {
        let no_media_after = Some(Duration::from_secs(1));
        self.command(Command::Open { leg, ip: OURS, ssrc: 0x1000 + leg.0 as u32, no_media_after });
    }

    fn connect(&mut self, leg: LegId, script: &mut Script<'_>) {
        let (who, how, voice, keys) = (script.byte(), script.byte(), script.byte(), script.byte());
        let remote = match who >> 4 & 3 {
            3 => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9),
            _ => phone(who),
        };
        let codec = if how & 1 == 0 { Codec::Pcmu } else { Codec::Pcma };
        let law = if how & 1 == 0 { 0 } else { 8 };
        let directions = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
        let format = Format {
            remote,
            remote_rtcp: SocketAddr::new(remote.ip(), remote.port() + 1),
            codec,
            payload_type_out: law,
            payload_type_in: if voice < 96 { law } else { 96 | voice & 31 },
            dtmf_out: (keys >= 96).then_some(96 | keys & 31),
            dtmf_in: (keys >= 96).then_some(96 | keys & 31),
            ptime_ms: 10 + u32::from(script.byte()) % 6 * 10,
            direction: directions[usize::from(how >> 1 & 3)],
            rtcp_mux: how & 8 != 0,
        };
        self.command(Command::Connect { leg, format: Arc::new(format) });
    }

    fn command(&mut self, command: Command) {
        self.deck.handle(self.now, command, &mut self.net, &mut self.out);
        self.look();
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        // The grid, what was missed of it, and a report in each shortest interval.
        self.allowed += 2 * LEGS.len() as u64 * (1 + ms / TURN_MS_MIN);
        self.deck.tick(self.now, &mut self.net, &mut self.out);
        assert!(self.deck.next_tick().is_none_or(|at| at > self.now), "a due turn stays due");
        self.look();
    }

    fn look(&mut self) {
        assert!(self.net.sent <= self.allowed, "{} packets sent, {} allowed", self.net.sent, self.allowed);
        assert_eq!(self.deck.len(), self.net.open.len());
        assert!(self.deck.len() <= LEGS.len());
        for event in self.out.drain() {
            if let Event::Closed { stats, .. } = event {
                assert!(stats.jitter_ms.is_finite());
                assert!(stats.remote_loss.is_none_or(|loss| (0.0..=1.0).contains(&loss)));
            }
        }
    }

    fn end(mut self) {
        self.allowed += LEGS.len() as u64;
        for leg in LEGS {
            self.command(Command::Close { leg });
        }
        assert!(self.deck.is_empty() && self.net.open.is_empty());
        // What is left of them in the grid goes within a turn of it.
        self.pass(64);
        self.pass(64);
        assert_eq!(self.deck.next_tick(), None, "a deck without legs rests");
    }
}

/// The parts of `rtp`, each by itself on whatever comes.
#[derive(Default)]
struct Ear {
    reception: Reception,
    presses: event::Presses,
    heard: VecDeque<Header>,
}

impl Ear {
    fn hear(&mut self, now: Time, bytes: &[u8]) {
        let now = now.since(Time::ZERO);
        if let Ok(Packet { header, payload }) = Packet::parse(bytes) {
            let written = [&header.to_bytes()[..], payload].concat();
            assert_eq!(Packet::parse(&written), Ok(Packet { header, payload }));
            let arrival = self.reception.arrived(now, &header);
            if arrival == Arrival::Started {
                self.heard.clear();
            }
            if arrival != Arrival::Refused {
                assert!(self.heard.iter().take(8).all(|h| *h != header), "{header:?} is taken twice");
                self.heard.push_front(header);
                self.heard.truncate(8);
            }
            if let Some(event) = event::Event::parse(payload) {
                let (first, again) = (
                    self.presses.hear(now, header.timestamp, event),
                    self.presses.hear(now, header.timestamp, event),
                );
                assert_eq!(again, None, "{event:?} counts twice, first {first:?}");
            }
        }
        rtcp::read(bytes, |news| {
            if let rtcp::News::Block { block, .. } = news {
                let trip = rtcp::round_trip(now.as_millis() as u32, &block);
                assert!(trip.is_none_or(|trip| trip < 600 << 16));
            }
        });
        if let Some((ssrc, fraction_lost, lost, highest_sequence, jitter)) = self.reception.report() {
            let block = rtcp::Block {
                ssrc,
                fraction_lost,
                lost: lost as i32,
                highest_sequence,
                jitter,
                last_sender_report: 1,
                delay_since: 2,
            };
            let report =
                rtcp::Report { ssrc: 7, sender: None, block: Some(block), cname: "fuzz", bye: false };
            let mut written = [0; rtcp::REPORT_BYTES_MAX];
            let length = report.write(&mut written);
            let mut read = None;
            assert!(rtcp::read(&written[..length], |news| read = Some(news)));
            assert_eq!(read, Some(rtcp::News::Block { from: 7, block }));
        }
    }
}
