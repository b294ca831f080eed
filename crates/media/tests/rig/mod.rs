//! A deck on a network that is a list: everything sent is kept, everything delivered waits to be read.
#![allow(dead_code, reason = "each test file uses a part")]

use hotline_core::{LegId, Outbox, PlayId, SoundId, Time};
use hotline_media::{
    Channel, Codec, Command, Deck, DeckConfig, Direction, Event, Format, Library, Piece, Slot, Wire,
};
use rtp::{Header, Packet};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
pub const A: LegId = LegId(0x100);
pub const B: LegId = LegId(0x101);
pub const EVENTS: u8 = 101;

type Datagram = (Vec<u8>, SocketAddr);

#[derive(Debug, Default)]
pub struct Net {
    now: Time,
    pub sent: Vec<Sent>,
    /// By slot: RTP, RTCP.
    inbox: Vec<[VecDeque<Datagram>; 2]>,
    pub open: usize,
    pub refuse: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Time,
    pub slot: Slot,
    pub channel: Channel,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).expect("we send RTP")
    }
    pub fn header(&self) -> Header {
        self.packet().header
    }
    pub fn payload(&self) -> &[u8] {
        self.packet().payload
    }
}

impl Wire for Net {
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String> {
        if let Some(why) = &self.refuse {
            return Err(why.clone());
        }
        let place = slot.0 as usize;
        if self.inbox.len() <= place {
            self.inbox.resize_with(place + 1, Default::default);
        }
        self.inbox[place] = Default::default();
        self.open += 1;
        Ok(SocketAddr::new(ip, 20_000 + slot.0 as u16 * 2))
    }
    fn receive(&mut self, slot: Slot, channel: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let (bytes, from) = self.inbox[slot.0 as usize][usize::from(channel == Channel::Rtcp)].pop_front()?;
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Some((length, from))
    }
    fn send(&mut self, slot: Slot, channel: Channel, to: SocketAddr, datagram: &[u8]) {
        self.sent.push(Sent { at: self.now, slot, channel, to, bytes: datagram.to_vec() });
    }
    fn close(&mut self, _: Slot) {
        self.open -= 1;
    }
}

pub struct Rig {
    pub deck: Deck,
    pub net: Net,
    pub now: Time,
    pub events: Vec<(Time, Event)>,
    out: Outbox<Event>,
}

impl Rig {
    pub fn new(library: Library) -> Rig {
        Rig::with(DeckConfig { cname: "hotline@test".into(), ..DeckConfig::default() }, library)
    }

    pub fn with(config: DeckConfig, library: Library) -> Rig {
        let deck = Deck::new(config, Arc::new(library));
        let now = Time::from_millis(1_000);
        Rig { deck, net: Net::default(), now, events: Vec::new(), out: Outbox::new() }
    }

    pub fn command(&mut self, command: Command) {
        self.net.now = self.now;
        self.deck.handle(self.now, command, &mut self.net, &mut self.out);
        self.collect();
    }

    /// Lets time go by in steps of a millisecond.
    pub fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now += Duration::from_millis(1);
            self.tick();
        }
    }

    pub fn tick(&mut self) {
        self.net.now = self.now;
        self.deck.tick(self.now, &mut self.net, &mut self.out);
        assert!(self.deck.next_tick().is_none_or(|at| at > self.now), "a due turn that stays due");
        self.collect();
    }

    fn collect(&mut self) {
        let now = self.now;
        self.events.extend(self.out.drain().map(|e| (now, e)));
    }

    pub fn open(&mut self, leg: LegId) -> SocketAddr {
        self.command(Command::Open { leg, ip: OURS, ssrc: 0x1000 + leg.0 as u32, no_media_after: None });
        match self.events.last() {
            Some((_, Event::Opened { address, .. })) => *address,
            other => panic!("not opened: {other:?}"),
        }
    }

    /// An open leg connected to a phone.
    pub fn call(&mut self, leg: LegId, phone: &Phone) -> SocketAddr {
        let address = self.open(leg);
        self.connect(leg, phone.format());
        address
    }

    pub fn connect(&mut self, leg: LegId, format: Format) {
        self.command(Command::Connect { leg, format: Arc::new(format) });
    }

    pub fn play(&mut self, leg: LegId, play: u32, pieces: &[Piece], repeat: bool) {
        self.command(Command::Play { leg, play: PlayId(play), pieces: pieces.into(), repeat });
    }

    /// A datagram waits at an address of ours (RTCP at an odd port).
    pub fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let slot = usize::from((to.port() - 20_000) / 2);
        self.net.inbox[slot][usize::from(to.port() % 2)].push_back((bytes, from));
    }

    /// A datagram that the shell was told of.
    pub fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.deliver(from, to, bytes);
        let channel = if to.port().is_multiple_of(2) { Channel::Rtp } else { Channel::Rtcp };
        let slot = Slot(u32::from(to.port() - 20_000) / 2);
        self.net.now = self.now;
        self.deck.arrived(self.now, slot, channel, &mut self.net, &mut self.out);
        self.collect();
    }

    /// What was sent to an address since the last look; anything else stays.
    pub fn sent_to(&mut self, to: SocketAddr) -> Vec<Sent> {
        let (to_it, rest) = std::mem::take(&mut self.net.sent).into_iter().partition(|s| s.to == to);
        self.net.sent = rest;
        to_it
    }

    pub fn digits(&self, leg: LegId) -> String {
        let digit = |(_, e): &(Time, Event)| match e {
            Event::Digit { leg: l, digit } if *l == leg => Some(*digit),
            _ => None,
        };
        self.events.iter().filter_map(digit).collect()
    }

    pub fn count(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, e)| what(e)).count()
    }

    pub fn close(&mut self, leg: LegId) -> hotline_media::Stats {
        self.command(Command::Close { leg });
        match self.events.last() {
            Some((_, Event::Closed { stats, .. })) => *stats.clone(),
            other => panic!("not closed: {other:?}"),
        }
    }
}

/// A far end.
#[derive(Clone, Debug)]
pub struct Phone {
    pub address: SocketAddr,
    pub codec: Codec,
    pub header: Header,
    pub clock: u64,
}

impl Phone {
    pub fn new(n: u8, codec: Codec) -> Phone {
        let payload_type = if codec == Codec::Pcmu { 0 } else { 8 };
        Phone {
            address: SocketAddr::from(([198, 51, 100, n], 4000)),
            codec,
            header: Header {
                marker: true,
                payload_type,
                sequence: 65_530,
                timestamp: u32::MAX - 1000,
                ssrc: 0xaa00 + u32::from(n),
            },
            clock: 0,
        }
    }

    pub fn format(&self) -> Format {
        Format {
            remote: self.address,
            remote_rtcp: SocketAddr::new(self.address.ip(), self.address.port() + 1),
            codec: self.codec,
            payload_type_out: self.header.payload_type,
            payload_type_in: self.header.payload_type,
            dtmf_out: Some(EVENTS),
            dtmf_in: Some(EVENTS),
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: false,
        }
    }

    /// The next packet, with this payload.
    pub fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let bytes = [&self.header.to_bytes()[..], payload].concat();
        self.header.marker = false;
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(payload.len() as u32);
        bytes
    }

    /// The next 20 ms of a tone.
    pub fn tone(&mut self, hz: u16) -> Vec<u8> {
        let mut samples = [0; 160];
        rtp::tone::fill(&mut samples, self.clock, [hz, 0], -10);
        self.clock += 160;
        let codec = self.codec;
        self.packet(&samples.map(|s| encode(codec, s)))
    }

    /// A telephone-event packet; the timestamp stays, as the press began.
    pub fn event(&mut self, code: u8, end: bool, duration: u16) -> Vec<u8> {
        let event = rtp::event::Event { code, end, volume: 10, duration };
        let header = Header { payload_type: EVENTS, ..self.header };
        self.header.sequence = self.header.sequence.wrapping_add(1);
        [&header.to_bytes()[..], &event.to_bytes()].concat()
    }
}

pub fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcmu => rtp::g711::ulaw_encode(sample),
        Codec::Pcma => rtp::g711::alaw_encode(sample),
    }
}

pub fn decode(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::Pcmu => rtp::g711::ulaw_decode(code),
        Codec::Pcma => rtp::g711::alaw_decode(code),
    }
}

/// The share (0 to 1) of a signal's power that lies at a frequency, and the power in dBm0 (Goertzel).
pub fn share_of(samples: &[i16], hz: u16) -> f64 {
    let w = std::f64::consts::TAU * f64::from(hz) / 8000.0;
    let (mut s1, mut s2, mut power) = (0.0, 0.0, 0.0);
    for &sample in samples {
        let x = f64::from(sample);
        power += x * x;
        (s1, s2) = (x + 2.0 * w.cos() * s1 - s2, s1);
    }
    let at = s1 * s1 + s2 * s2 - 2.0 * w.cos() * s1 * s2;
    if power == 0.0 { 0.0 } else { at * 2.0 / (power * samples.len() as f64) }
}

/// What an ear hears in packets, by their payload type.
pub fn heard(sent: &[Sent]) -> Vec<i16> {
    let mut samples = Vec::new();
    for packet in sent {
        let codec = match packet.header().payload_type {
            0 => Codec::Pcmu,
            8 => Codec::Pcma,
            _ => continue,
        };
        samples.extend(packet.payload().iter().map(|&c| decode(codec, c)));
    }
    samples
}

pub const SOUND: Piece = Piece::Sound(SoundId(0));

/// One sound of 105 ms, which is five and a quarter packets.
pub fn library() -> Library {
    Library::from_samples(vec![(1..=840).map(|i| i * 16).collect()])
}
