use crate::keys::Keys;
use crate::outgoing::Outgoing;
use crate::player::Player;
use crate::recorder::Recorder;
use crate::{Codec, Direction, Event, Format, Stats};
use hotline_core::{LegId, Outbox, Time};
use rtp::event::Presses;
use rtp::rtcp::{self, News};
use rtp::{Arrival, Header, Packet, Reception, TICKS_PER_MS};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One party's media.
#[derive(Debug)]
pub(crate) struct Leg {
    pub id: LegId,
    pub far: Option<Far>,
    pub outgoing: Outgoing,
    pub player: Option<Player>,
    pub keys: Keys,
    /// The slot of the leg at the other side of the bridge.
    pub peer: Option<u32>,
    pub echo: bool,
    pub recorder: Option<Recorder>,
    /// The packet of the leg's next turn has been sent already.
    pub ahead: bool,
    /// In the wheel, since the first `Connect`.
    pub phase: Option<usize>,
    pub report_due: Time,
    no_media_after: Option<Duration>,
    reception: Reception,
    presses: Presses,
    /// Last packet from the far end, or the last Connect.
    last_media: Time,
    heard: bool,
    silent_said: bool,
    refused: u64,
    digits: u32,
    /// The middle of the NTP time of the far end's last sender report, and when it came.
    sender_report: Option<(u32, Time)>,
    round_trip_ms: Option<f32>,
    remote_loss: Option<f32>,
    remote_jitter_ms: Option<f32>,
}

/// Who is at the other end.
#[derive(Debug)]
pub(crate) struct Far {
    pub format: Arc<Format>,
    /// Packet length we send, in ticks (and bytes).
    pub ticks: u32,
    /// Where our RTP goes: the signalled address, until the far end is learnt.
    pub target: SocketAddr,
    learnt: Option<SocketAddr>,
    learnt_rtcp: Option<SocketAddr>,
}

/// What came in a packet that was accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Audio(Codec),
    Event(rtp::event::Event),
    /// Comfort noise (RFC 3389): the far end lives, and is silent.
    Noise,
}

const COMFORT_NOISE: u8 = 13;

impl Far {
    pub fn sends(&self) -> bool {
        let wanted = matches!(self.format.direction, Direction::SendRecv | Direction::SendOnly);
        // RFC 2543's way to hold: nowhere to send to.
        wanted && self.target.port() != 0 && !self.target.ip().is_unspecified()
    }

    pub fn receives(&self) -> bool {
        matches!(self.format.direction, Direction::SendRecv | Direction::RecvOnly)
    }

    pub fn rtcp_target(&self) -> SocketAddr {
        let signalled = if self.format.rtcp_mux { self.target } else { self.format.remote_rtcp };
        self.learnt_rtcp.unwrap_or(signalled)
    }

    fn kind(&self, packet: &Packet<'_>) -> Option<Kind> {
        let kind = packet.header.payload_type;
        if kind == self.format.payload_type_in {
            return Some(Kind::Audio(self.format.codec));
        }
        if Some(kind) == self.format.dtmf_in {
            return rtp::event::Event::parse(packet.payload).map(Kind::Event);
        }
        // Their numbers are fixed (RFC 3551): some send the other law than agreed.
        match kind {
            0 => Some(Kind::Audio(Codec::Pcmu)),
            8 => Some(Kind::Audio(Codec::Pcma)),
            COMFORT_NOISE => Some(Kind::Noise),
            _ => None,
        }
    }

    /// Whether a packet from `source` is the far end's; the first one teaches us where it is. The signalled
    /// address itself may still correct that.
    fn accept(&mut self, source: SocketAddr) -> bool {
        match self.learnt {
            Some(learnt) if learnt == source => return true,
            Some(learnt) if learnt == self.format.remote || source != self.format.remote => return false,
            Some(_) | None => {}
        }
        self.learnt = Some(source);
        self.target = source;
        true
    }

    /// RTCP comes from the host that RTP comes from, or should come from.
    fn accept_rtcp(&mut self, source: SocketAddr) -> bool {
        let ours = source == self.format.remote_rtcp || source.ip() == self.target.ip();
        let settled = self.learnt_rtcp.is_none_or(|learnt| learnt == source);
        if ours && settled {
            self.learnt_rtcp = Some(source);
        }
        ours && settled
    }
}

impl Leg {
    pub fn new(id: LegId, ssrc: u32, no_media_after: Option<Duration>) -> Leg {
        Leg {
            id,
            far: None,
            outgoing: Outgoing::new(ssrc),
            player: None,
            keys: Keys::default(),
            peer: None,
            echo: false,
            recorder: None,
            ahead: false,
            phase: None,
            report_due: Time::NEVER,
            no_media_after,
            reception: Reception::default(),
            presses: Presses::default(),
            last_media: Time::ZERO,
            heard: false,
            silent_said: false,
            refused: 0,
            digits: 0,
            sender_report: None,
            round_trip_ms: None,
            remote_loss: None,
            remote_jitter_ms: None,
        }
    }

    pub fn connect(&mut self, now: Time, format: Arc<Format>) {
        // An address that was signalled before has taught us where it really is.
        let target = match &self.far {
            Some(far) if far.format.remote == format.remote => far.target,
            Some(_) | None => format.remote,
        };
        let ticks = format.ptime_ms.clamp(10, 60) * TICKS_PER_MS;
        self.far = Some(Far { format, ticks, target, learnt: None, learnt_rtcp: None });
        self.heard = false;
        self.silent_said = false;
        self.last_media = now;
        self.reception.forgive_gap();
    }

    /// What an RTP packet from `source` holds, when it is the far end's, new, and we want to hear it.
    pub fn receive<'a>(
        &mut self,
        now: Time,
        source: SocketAddr,
        datagram: &'a [u8],
        out: &mut Outbox<Event>,
    ) -> Option<(Kind, Packet<'a>)> {
        let far = self.far.as_mut()?;
        let told = Packet::parse(datagram).ok().and_then(|p| Some((far.kind(&p)?, p)));
        let Some((kind, packet)) = told.filter(|_| far.accept(source)) else {
            self.refused += 1;
            return None;
        };
        let receives = far.receives();
        let moment = Duration::from_nanos(now.as_nanos());
        let arrival = self.reception.arrived(moment, &packet.header);
        self.last_media = now;
        self.silent_said = false;
        if !receives {
            return None;
        }
        match kind {
            Kind::Event(event) => {
                // Not refused for its sequence number: some repeat one number in all packets of a key.
                if let Some(digit) = self.presses.hear(moment, packet.header.timestamp, event) {
                    self.digits += 1;
                    out.push(Event::Digit { leg: self.id, digit });
                }
            }
            Kind::Audio(codec) => {
                if !std::mem::replace(&mut self.heard, true) {
                    out.push(Event::Heard { leg: self.id });
                }
                if let (Some(recorder), true) = (&mut self.recorder, arrival != Arrival::Refused) {
                    recorder.hear(self.id, codec, packet.header.timestamp, packet.payload);
                }
            }
            Kind::Noise => {}
        }
        (arrival != Arrival::Refused && kind != Kind::Noise && !packet.payload.is_empty())
            .then_some((kind, packet))
    }

    pub fn receive_rtcp(&mut self, now: Time, ntp: u64, source: SocketAddr, datagram: &[u8]) {
        let Some(far) = self.far.as_mut() else { return };
        if !far.accept_rtcp(source) {
            self.refused += 1;
            return;
        }
        let ours = self.outgoing.ssrc;
        let read = rtcp::read(datagram, |news| match news {
            News::Sender { info, .. } => self.sender_report = Some(((info.ntp >> 16) as u32, now)),
            News::Block { block, .. } if block.ssrc == ours => {
                self.remote_loss = Some(f32::from(block.fraction_lost) / 256.0);
                self.remote_jitter_ms = Some(block.jitter as f32 / TICKS_PER_MS as f32);
                if let Some(trip) = rtcp::round_trip((ntp >> 16) as u32, &block) {
                    self.round_trip_ms = Some(trip as f32 * 1000.0 / 65_536.0);
                }
            }
            News::Block { .. } | News::Bye { .. } => {}
        });
        self.refused += u64::from(!read);
    }

    /// Says once that the far end has been silent for too long.
    pub fn check_silence(&mut self, now: Time, out: &mut Outbox<Event>) {
        let (Some(limit), Some(far)) = (self.no_media_after, &self.far) else { return };
        if !far.receives() {
            self.last_media = now;
            return;
        }
        let since = now.since(self.last_media);
        if since >= limit && !self.silent_said {
            self.silent_said = true;
            out.push(Event::Silent { leg: self.id, since });
        }
    }

    /// The next RTCP packet: a sender report when we have sent, else a receiver report.
    pub fn report(
        &mut self,
        now: Time,
        ntp: u64,
        cname: &str,
        bye: bool,
        out: &mut [u8; rtcp::REPORT_BYTES_MAX],
    ) -> usize {
        let sender = (self.outgoing.packets > 0).then(|| rtcp::SenderInfo {
            ntp,
            timestamp: self.outgoing.timestamp_at(now),
            packets: self.outgoing.packets as u32,
            octets: self.outgoing.octets as u32,
        });
        let (last_sender_report, delay_since) = match self.sender_report {
            Some((ntp, at)) => (ntp, (now.since(at).as_micros() * 65_536 / 1_000_000) as u32),
            None => (0, 0),
        };
        let block = self.reception.report().map(|(ssrc, fraction_lost, lost, highest_sequence, jitter)| {
            let lost = lost as i32;
            rtcp::Block {
                ssrc,
                fraction_lost,
                lost,
                highest_sequence,
                jitter,
                last_sender_report,
                delay_since,
            }
        });
        rtcp::Report { ssrc: self.outgoing.ssrc, sender, block, cname, bye }.write(out)
    }

    pub fn stats(&self) -> Stats {
        let r = &self.reception;
        Stats {
            packets_sent: self.outgoing.packets,
            packets_received: r.packets(),
            packets_lost: r.lost(),
            packets_late_or_duplicate: r.late_or_duplicate(),
            packets_refused: self.refused,
            jitter_ms: r.jitter_ms(),
            round_trip_ms: self.round_trip_ms,
            remote_loss: self.remote_loss,
            remote_jitter_ms: self.remote_jitter_ms,
            longest_gap_ms: u32::try_from(r.longest_gap().as_millis()).unwrap_or(u32::MAX),
            digits: self.digits,
        }
    }

    /// The header under which a packet heard elsewhere goes out here; None when it must not.
    pub fn relay(&mut self, now: Time, kind: Kind, from: &Header, payload: &[u8]) -> Option<(Header, Codec)> {
        let far = self.far.as_ref().filter(|far| far.sends())?;
        if self.player.is_some() || !self.keys.is_empty() {
            return None;
        }
        let (payload_type, ticks) = match kind {
            Kind::Audio(_) => (far.format.payload_type_out, payload.len() as u32),
            Kind::Event(event) => (far.format.dtmf_out?, u32::from(event.duration)),
            Kind::Noise => return None,
        };
        let codec = far.format.codec;
        Some((self.outgoing.relay(now, from, payload_type, ticks)?, codec))
    }
}
