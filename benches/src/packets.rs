use crate::meter::Meter;
use hotline_core::{LegId, Outbox, PlayId, SoundId, Time};
use media::{
    Channel, Codec, Command, Deck, DeckConfig, Direction, Event, Format, Library, Piece, Slot, Wire,
};
use rtp::{HEADER_BYTES, Header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const CALLS: u64 = 1_000;
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FRAME: Duration = Duration::from_millis(20);

/// A millisecond of the grid at a time: a twentieth of the calls.
pub fn sent(meter: &mut Meter, times: u64) {
    let mut studio = Studio::new(CALLS, Codec::Pcma);
    for leg in 0..CALLS {
        let pieces = [Piece::Sound(SoundId(0))].into();
        studio.command(Command::Play { leg: leg_id(leg), play: PlayId(leg as u32), pieces, repeat: true });
    }
    let mut done = 0;
    while done < times {
        studio.now += Duration::from_millis(1);
        let before = studio.wire.sent;
        let Studio { deck, wire, now, out, .. } = &mut studio;
        meter.measured(|| deck.tick(*now, wire, out));
        studio.out.drain();
        meter.done(studio.wire.sent - before);
        done += studio.wire.sent - before;
    }
}

pub fn heard(meter: &mut Meter, times: u64) {
    arrivals(meter, times, Studio::new(CALLS, Codec::Pcma), 0);
}

pub fn bridged(meter: &mut Meter, times: u64) {
    let mut studio = Studio::new(2 * CALLS, Codec::Pcma);
    studio.bridge_pairs();
    arrivals(meter, times, studio, 1);
}

pub fn transcoded(meter: &mut Meter, times: u64) {
    let mut studio = Studio::new(2 * CALLS, Codec::Pcma);
    for leg in (0..2 * CALLS).step_by(2) {
        studio.connect(leg, Codec::Pcmu);
    }
    studio.bridge_pairs();
    arrivals(meter, times, studio, 1);
}

/// A packet for each leg in turn, all legs in a round; each makes `passed_on` others go out.
fn arrivals(meter: &mut Meter, times: u64, mut studio: Studio, passed_on: u64) {
    let legs = studio.wire.legs;
    for round in 1..=times.div_ceil(legs) {
        studio.now += FRAME;
        studio.wire.round = round as u32;
        let before = studio.wire.sent;
        let Studio { deck, wire, now, out, .. } = &mut studio;
        meter.measured(|| {
            for slot in 0..legs {
                wire.waiting = true;
                deck.arrived(*now, Slot(slot as u32), Channel::Rtp, wire, out);
            }
        });
        studio.out.drain();
        meter.done(legs);
        assert_eq!(studio.wire.sent - before, legs * passed_on, "packets passed on");
    }
}

/// Two legs a call, one after the other.
fn leg_id(leg: u64) -> LegId {
    LegId(((leg / 2 + 1) << 8) | (leg % 2))
}

struct Studio {
    deck: Deck,
    wire: Loop,
    now: Time,
    out: Outbox<Event>,
}

impl Studio {
    fn new(legs: u64, codec: Codec) -> Studio {
        let sound = (0..8_000).map(|n| (n % 97 * 100) as i16).collect();
        let library = Arc::new(Library::from_samples(vec![sound]));
        let config = DeckConfig { scan: false, comfort: false, ..DeckConfig::default() };
        let mut studio = Studio {
            deck: Deck::new(config, library),
            wire: Loop { legs, ..Loop::default() },
            now: Time::from_secs(1),
            out: Outbox::new(),
        };
        for leg in 0..legs {
            studio.command(Command::Open {
                leg: leg_id(leg),
                ip: HOST,
                ssrc: 7 + leg as u32,
                no_media_after: None,
            });
            studio.connect(leg, codec);
        }
        studio
    }

    fn connect(&mut self, leg: u64, codec: Codec) {
        let kind = match codec {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        };
        let format = Format {
            remote: far(leg as u32),
            remote_rtcp: SocketAddr::new(HOST, 9),
            codec,
            payload_type_out: kind,
            payload_type_in: kind,
            dtmf_out: Some(101),
            dtmf_in: Some(101),
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: false,
        };
        self.wire.kinds.resize(self.wire.legs as usize, 8);
        self.wire.kinds[leg as usize] = kind;
        self.command(Command::Connect { leg: leg_id(leg), format: Arc::new(format) });
    }

    fn bridge_pairs(&mut self) {
        for leg in (0..self.wire.legs).step_by(2) {
            self.command(Command::Bridge { a: leg_id(leg), b: leg_id(leg + 1) });
        }
    }

    fn command(&mut self, command: Command) {
        self.deck.handle(self.now, command, &mut self.wire, &mut self.out);
        self.out.drain();
    }
}

fn far(slot: u32) -> SocketAddr {
    SocketAddr::new(HOST, 10_000 + slot as u16 * 2)
}

/// A network that costs next to nothing: what is sent is counted, and each leg's packet is made as it is read.
#[derive(Default)]
struct Loop {
    legs: u64,
    sent: u64,
    round: u32,
    waiting: bool,
    /// Payload types of the far ends.
    kinds: Vec<u8>,
}

impl Wire for Loop {
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String> {
        Ok(SocketAddr::new(ip, 20_000 + slot.0 as u16))
    }
    fn receive(&mut self, slot: Slot, _: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        if !std::mem::take(&mut self.waiting) {
            return None;
        }
        let header = Header {
            marker: false,
            payload_type: self.kinds[slot.0 as usize],
            sequence: self.round as u16,
            timestamp: self.round.wrapping_mul(160),
            ssrc: slot.0,
        };
        buffer[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        Some((HEADER_BYTES + 160, far(slot.0)))
    }
    fn send(&mut self, _: Slot, _: Channel, _: SocketAddr, datagram: &[u8]) {
        self.sent += u64::from(!rtp::is_rtcp(datagram));
    }
    fn close(&mut self, _: Slot) {}
}
