use crate::keys::Step;
use crate::leg::{Kind, Leg};
use crate::player::{Player, Tones, fill_looped};
use crate::recorder::Recorder;
use crate::wheel::{Entry, Wheel};
use crate::{Channel, Command, Event, Library, Slot, Wire};
use hotline_core::{LegId, Outbox, Time};
use rtp::{HEADER_BYTES, Header, is_rtcp, rtcp};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How a deck behaves, for all its legs.
#[derive(Clone, Debug)]
pub struct DeckConfig {
    /// Legs at once; one more is `Failed`.
    pub legs_max: usize,
    /// Whether silence is sent while there is nothing else to send, so that address translations stay open and
    /// phones do not think the call dead.
    pub comfort: bool,
    /// A bridge whose other side has sent nothing for this long is silent: comfort takes over.
    pub comfort_after: Duration,
    /// A late tick sends up to this much of what it has missed, at once; the rest is left out.
    pub backlog_max: Duration,
    /// Between two RTCP reports of a leg, give or take a half.
    pub report_every: Duration,
    /// The canonical name in RTCP.
    pub cname: String,
    /// NTP time (seconds since 1900, and their fraction in the lower half) of `Time::ZERO`.
    pub ntp_at_zero: u64,
    /// Reads the sockets of a leg on its turn, for a shell that does not know which of them have something.
    pub scan: bool,
}

impl Default for DeckConfig {
    fn default() -> DeckConfig {
        DeckConfig {
            legs_max: 8192,
            comfort: true,
            comfort_after: Duration::from_millis(60),
            backlog_max: Duration::from_millis(100),
            report_every: Duration::from_secs(5),
            cname: "hotline".into(),
            ntp_at_zero: 0,
            scan: true,
        }
    }
}

/// All the media of one thread.
///
/// `handle` takes a command, `arrived` reads a socket that has something, `tick` runs the grid up to now.
#[derive(Debug)]
pub struct Deck {
    config: DeckConfig,
    library: Arc<Library>,
    legs: Vec<Place>,
    free: Vec<u32>,
    by_id: HashMap<LegId, u32>,
    wheel: Wheel,
    due: Vec<Entry>,
    shared: Shared,
}

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    leg: Option<Leg>,
}

/// What every leg uses in turn.
#[derive(Debug)]
struct Shared {
    tones: Tones,
    packet: Box<[u8; PACKET_BYTES_MAX]>,
    datagram: Box<[u8; DATAGRAM_BYTES_MAX]>,
}

/// Longer datagrams are cut: no format of ours needs them.
const DATAGRAM_BYTES_MAX: usize = 2048;
const PACKET_BYTES_MAX: usize = DATAGRAM_BYTES_MAX;
/// Datagrams of one socket taken in one turn, so that a busy source starves nobody.
const BUDGET: usize = 8;

impl Deck {
    /// Sounds from now on. A sound that plays goes on when the new library has it at its place.
    pub fn set_library(&mut self, library: Arc<Library>) -> Arc<Library> {
        std::mem::replace(&mut self.library, library)
    }

    pub fn new(config: DeckConfig, library: Arc<Library>) -> Deck {
        Deck {
            config,
            library,
            legs: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            wheel: Wheel::new(),
            due: Vec::new(),
            shared: Shared {
                tones: Tones::default(),
                packet: Box::new([0; PACKET_BYTES_MAX]),
                datagram: Box::new([0; DATAGRAM_BYTES_MAX]),
            },
        }
    }

    pub fn handle(&mut self, now: Time, command: Command, wire: &mut dyn Wire, out: &mut Outbox<Event>) {
        match command {
            Command::Open { leg, ip, ssrc, no_media_after } => {
                let opened = self.place_for(leg).and_then(|slot| {
                    let address = wire.open(Slot(slot), ip).inspect_err(|_| self.free.push(slot))?;
                    self.legs[slot as usize].leg = Some(Leg::new(leg, ssrc, no_media_after));
                    self.by_id.insert(leg, slot);
                    Ok(address)
                });
                out.push(match opened {
                    Ok(address) => Event::Opened { leg, address },
                    Err(why) => Event::Failed { leg, why },
                });
            }
            Command::Connect { leg, format } => {
                let Some(slot) = self.slot(leg) else { return };
                let Some((generation, leg)) = self.at(slot) else { return };
                leg.connect(now, format);
                if leg.phase.is_none() {
                    let phase = self.wheel.join(now, Entry { slot, generation });
                    let every = self.config.report_every;
                    if let Some((_, leg)) = self.at(slot) {
                        leg.phase = Some(phase);
                        // Between a half and one interval from now, so that calls of one moment part.
                        leg.report_due = now + every / 2 + every / 2 * (leg.outgoing.ssrc >> 24) / 256;
                    }
                }
            }
            Command::Play { leg, play, pieces, repeat } => {
                let Some(slot) = self.slot(leg) else { return };
                let Some((_, leg)) = self.at(slot) else { return };
                leg.player = Some(Player::new(play, pieces, repeat));
                leg.outgoing.marker = true;
                // The packet of the next turn goes now: nobody waits for the grid.
                if leg.far.is_some() && !leg.ahead && leg.keys.is_empty() {
                    leg.ahead = true;
                    self.send_turn(now, slot, wire, out);
                }
            }
            Command::Stop { leg } => {
                if let Some((_, leg)) = self.slot(leg).and_then(|s| self.at(s)) {
                    leg.player = None;
                }
            }
            Command::Bridge { a, b } => {
                let (Some(slot_a), Some(slot_b)) = (self.slot(a), self.slot(b)) else { return };
                if slot_a == slot_b {
                    return;
                }
                self.unlink(slot_a);
                self.unlink(slot_b);
                for (slot, peer) in [(slot_a, slot_b), (slot_b, slot_a)] {
                    if let Some((_, leg)) = self.at(slot) {
                        leg.peer = Some(peer);
                    }
                }
            }
            Command::Unbridge { a, b } => {
                let (Some(slot_a), Some(slot_b)) = (self.slot(a), self.slot(b)) else { return };
                if self.at(slot_a).is_some_and(|(_, leg)| leg.peer == Some(slot_b)) {
                    self.unlink(slot_a);
                }
            }
            Command::Echo { leg, on } => {
                if let Some((_, leg)) = self.slot(leg).and_then(|s| self.at(s)) {
                    leg.echo = on;
                }
            }
            Command::SendDigits { leg, digits, each, pause } => {
                if let Some((_, leg)) = self.slot(leg).and_then(|s| self.at(s)) {
                    leg.keys.push(&digits, each, pause);
                }
            }
            Command::Record { leg, to } => {
                if let Some((_, leg)) = self.slot(leg).and_then(|s| self.at(s)) {
                    leg.recorder = to.map(Recorder::new);
                }
            }
            Command::Close { leg } => self.close(now, leg, wire, out),
        }
    }

    /// Reads what waits on a socket of a leg, a few datagrams at most; true when there may be more.
    pub fn arrived(
        &mut self,
        now: Time,
        slot: Slot,
        channel: Channel,
        wire: &mut dyn Wire,
        out: &mut Outbox<Event>,
    ) -> bool {
        for _ in 0..BUDGET {
            let Some((length, source)) = wire.receive(slot, channel, &mut self.shared.datagram[..]) else {
                return false;
            };
            self.datagram(now, slot, length.min(DATAGRAM_BYTES_MAX), source, wire, out);
        }
        true
    }

    /// Runs the grid up to `now`; afterwards `next_tick` lies later.
    pub fn tick(&mut self, now: Time, wire: &mut dyn Wire, out: &mut Outbox<Event>) {
        let skipped = self.wheel.skip(now, self.config.backlog_max);
        if skipped > 0 {
            for leg in self.legs.iter_mut().filter_map(|p| p.leg.as_mut()).filter(|l| l.phase.is_some()) {
                leg.outgoing.skip_ms(skipped);
            }
        }
        let mut due = std::mem::take(&mut self.due);
        while let Some(ms) = self.wheel.turn(now, &mut due) {
            for entry in due.drain(..) {
                self.turn(now, ms, entry, wire, out);
            }
        }
        self.due = due;
    }

    /// When `tick` has something to do; None while no leg is connected.
    pub fn next_tick(&self) -> Option<Time> {
        self.wheel.next()
    }

    /// Open legs.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn turn(&mut self, now: Time, ms: u64, entry: Entry, wire: &mut dyn Wire, out: &mut Outbox<Event>) {
        let place = &mut self.legs[entry.slot as usize];
        if place.generation != entry.generation {
            return;
        }
        if self.config.scan {
            self.arrived(now, Slot(entry.slot), Channel::Rtp, wire, out);
            self.arrived(now, Slot(entry.slot), Channel::Rtcp, wire, out);
        }
        let Some(leg) = self.legs[entry.slot as usize].leg.as_mut() else { return };
        let Some(far) = &leg.far else { return };
        self.wheel.put(ms + u64::from(far.ticks / rtp::TICKS_PER_MS), entry);
        leg.check_silence(now, out);
        if now >= leg.report_due {
            self.send_report(now, entry.slot, false, wire);
        }
        let Some(leg) = self.legs[entry.slot as usize].leg.as_mut() else { return };
        if !std::mem::take(&mut leg.ahead) {
            self.send_turn(now, entry.slot, wire, out);
        }
    }

    /// Sends a leg's packet of this turn, whatever it is: a key, what is playing, or comfort.
    fn send_turn(&mut self, now: Time, slot: u32, wire: &mut dyn Wire, out: &mut Outbox<Event>) {
        let Deck { config, library, legs, shared, .. } = self;
        let Some(leg) = legs[slot as usize].leg.as_mut() else { return };
        let Some(far) = &leg.far else { return };
        let (ticks, codec, sends) = (far.ticks, far.format.codec, far.sends());
        let payload_type = far.format.payload_type_out;
        let payload = &mut shared.packet[HEADER_BYTES..HEADER_BYTES + ticks as usize];
        let mut header = None;
        if !leg.keys.is_empty() {
            let timestamp = leg.outgoing.grid_timestamp(now);
            match leg.keys.step(ticks, timestamp, far.format.dtmf_out.is_some()) {
                Some(Step::Event { event, timestamp, first }) if sends => {
                    let kind = far.format.dtmf_out.unwrap_or(payload_type);
                    let header = leg.outgoing.event(now, kind, timestamp, first, ticks);
                    shared.packet[HEADER_BYTES..HEADER_BYTES + 4].copy_from_slice(&event.to_bytes());
                    send(leg, Slot(slot), header, &mut shared.packet[..HEADER_BYTES + 4], wire);
                    return;
                }
                Some(Step::Tone { hz, offset }) => {
                    let second = shared.tones.second(hz, IN_BAND_KEY_DBM0, codec);
                    fill_looped(payload, second, offset as usize);
                    header = Some(());
                }
                Some(Step::Event { .. } | Step::Silence) => {
                    payload.fill(codec.silence());
                    header = Some(());
                }
                None => {}
            }
        }
        if header.is_none()
            && let Some(player) = &mut leg.player
        {
            if player.fill(payload, codec, library, &mut shared.tones) {
                out.push(Event::Played { leg: leg.id, play: player.play });
                leg.player = None;
            }
            header = Some(());
        }
        if header.is_none() {
            let relaying = leg.outgoing.relayed_at().is_some_and(|at| now.since(at) < config.comfort_after);
            if relaying {
                return;
            }
            if !config.comfort {
                leg.outgoing.pass(now, ticks);
                return;
            }
            payload.fill(codec.silence());
        }
        if !sends {
            leg.outgoing.pass(now, ticks);
            return;
        }
        let header = leg.outgoing.grid(now, payload_type, ticks);
        send(leg, Slot(slot), header, &mut shared.packet[..HEADER_BYTES + ticks as usize], wire);
    }

    fn datagram(
        &mut self,
        now: Time,
        slot: Slot,
        length: usize,
        source: SocketAddr,
        wire: &mut dyn Wire,
        out: &mut Outbox<Event>,
    ) {
        let ntp = self.ntp(now);
        let Deck { legs, shared: Shared { packet, datagram, .. }, .. } = self;
        let datagram = &datagram[..length];
        let Some(leg) = legs.get_mut(slot.0 as usize).and_then(|p| p.leg.as_mut()) else { return };
        if is_rtcp(datagram) {
            leg.receive_rtcp(now, ntp, source, datagram);
            return;
        }
        let Some((kind, heard)) = leg.receive(now, source, datagram, out) else { return };
        let to = if leg.echo { Some(slot.0) } else { leg.peer };
        let Some((to, leg)) = to.and_then(|to| Some((to, legs[to as usize].leg.as_mut()?))) else { return };
        let Some((header, codec)) = leg.relay(now, kind, &heard.header, heard.payload) else { return };
        let packet = &mut packet[..HEADER_BYTES + heard.payload.len()];
        match kind {
            Kind::Audio(from) => from.convert(codec, heard.payload, &mut packet[HEADER_BYTES..]),
            Kind::Event(_) | Kind::Noise => packet[HEADER_BYTES..].copy_from_slice(heard.payload),
        }
        send(leg, Slot(to), header, packet, wire);
    }

    fn send_report(&mut self, now: Time, slot: u32, bye: bool, wire: &mut dyn Wire) {
        let ntp = self.ntp(now);
        let Some(leg) = self.legs[slot as usize].leg.as_mut() else { return };
        // Between a half and one and a half of the interval (RFC 3550 section 6.2), by numbers at hand.
        let every = self.config.report_every;
        let spread =
            leg.outgoing.ssrc.wrapping_mul(0x9e37_79b9).wrapping_add(leg.outgoing.octets as u32) >> 24;
        leg.report_due = now + every / 2 + every * spread / 256;
        let Some(far) = &leg.far else { return };
        let (to, mux) = (far.rtcp_target(), far.format.rtcp_mux);
        if to.port() == 0 || to.ip().is_unspecified() {
            return;
        }
        let mut packet = [0; rtcp::REPORT_BYTES_MAX];
        let length = leg.report(now, ntp, &self.config.cname, bye, &mut packet);
        let channel = if mux { Channel::Rtp } else { Channel::Rtcp };
        wire.send(Slot(slot), channel, to, &packet[..length]);
    }

    fn close(&mut self, now: Time, id: LegId, wire: &mut dyn Wire, out: &mut Outbox<Event>) {
        let Some(slot) = self.by_id.remove(&id) else { return };
        self.unlink(slot);
        if self.at(slot).is_some_and(|(_, leg)| leg.far.is_some() && leg.outgoing.packets > 0) {
            self.send_report(now, slot, true, wire);
        }
        wire.close(Slot(slot));
        let place = &mut self.legs[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        self.free.push(slot);
        if let Some(leg) = place.leg.take() {
            if let Some(phase) = leg.phase {
                self.wheel.leave(phase);
            }
            out.push(Event::Closed { leg: id, stats: Box::new(leg.stats()) });
        }
    }

    fn place_for(&mut self, leg: LegId) -> Result<u32, String> {
        if self.by_id.contains_key(&leg) {
            return Err(format!("{leg} is open already"));
        }
        if self.by_id.len() >= self.config.legs_max {
            return Err(format!("all {} legs of this media thread are in use", self.config.legs_max));
        }
        Ok(self.free.pop().unwrap_or_else(|| {
            self.legs.push(Place::default());
            self.legs.len() as u32 - 1
        }))
    }

    fn unlink(&mut self, slot: u32) {
        let Some((_, leg)) = self.at(slot) else { return };
        if let Some(peer) = leg.peer.take()
            && let Some((_, other)) = self.at(peer)
        {
            other.peer = None;
        }
    }

    fn slot(&self, leg: LegId) -> Option<u32> {
        self.by_id.get(&leg).copied()
    }

    fn at(&mut self, slot: u32) -> Option<(u32, &mut Leg)> {
        let place = self.legs.get_mut(slot as usize)?;
        Some((place.generation, place.leg.as_mut()?))
    }

    fn ntp(&self, now: Time) -> u64 {
        let nanos = u128::from(now.as_nanos());
        self.config.ntp_at_zero.wrapping_add(((nanos << 32) / 1_000_000_000) as u64)
    }
}

/// As loud as a telephone's own keys.
const IN_BAND_KEY_DBM0: i8 = -9;

fn send(leg: &mut Leg, slot: Slot, header: Header, packet: &mut [u8], wire: &mut dyn Wire) {
    let Some(far) = &leg.far else { return };
    packet[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
    wire.send(slot, Channel::Rtp, far.target, packet);
    leg.outgoing.sent(packet.len() - HEADER_BYTES);
}
