//! Media: legs, players, bridges on a 20 ms grid.
use hotline_core::{LegId, PlayId, SoundId};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Codec { Pcmu, Pcma }
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction { SendRecv, SendOnly, RecvOnly, Inactive }

/// What a leg's far end agreed to (the engine fills it from `sdp::Negotiated`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Format {
    pub remote: SocketAddr, pub remote_rtcp: SocketAddr,
    pub codec: Codec, pub payload_type_out: u8, pub payload_type_in: u8,
    pub dtmf_out: Option<u8>, pub dtmf_in: Option<u8>,
    pub ptime_ms: u32, pub direction: Direction, pub rtcp_mux: bool,
}

#[derive(Clone, Debug)]
pub enum Piece { Sound(SoundId), Silence(Duration), Tone { hz: [u16; 2], length: Duration, dbm0: i8 } }

#[derive(Clone, Debug)]
pub enum Command {
    /// Binds a port pair on `ip`; `Opened` or `Failed` follows. Nothing is sent before `Connect`.
    Open { leg: LegId, ip: IpAddr, ssrc: u32, no_media_after: Option<Duration> },
    /// The far end is known, or has changed (re-offer): from here on only its source is accepted (latching to
    /// the first source that sends, then only that one until the next Connect).
    Connect { leg: LegId, format: Arc<Format> },
    /// Replaces what is playing. `Played { play }` comes at its end, not after `Stop` or a replacement.
    Play { leg: LegId, play: PlayId, pieces: Arc<[Piece]>, repeat: bool },
    Stop { leg: LegId },
    /// Each hears the other; a player on a leg goes before its bridge.
    Bridge { a: LegId, b: LegId },
    Unbridge { a: LegId, b: LegId },
    Echo { leg: LegId, on: bool },
    /// RFC 4733 digits towards the far end.
    SendDigits { leg: LegId, digits: String, each: Duration, pause: Duration },
    /// Raw 16-bit 8 kHz audio to send / received audio to a channel: for `hotline call --wav/--record` and `hotline phone`.
    Record { leg: LegId, to: Option<Arc<dyn Sink>> },
    Close { leg: LegId },
}
/// Takes received audio, 8 kHz mono, one frame at a time; must not block.
pub trait Sink: Send + Sync + std::fmt::Debug { fn frame(&self, leg: LegId, samples: &[i16]); }

#[derive(Clone, Debug)]
pub enum Event {
    Opened { leg: LegId, address: SocketAddr },
    Failed { leg: LegId, why: String },
    /// Once per key press, on its first packet.
    Digit { leg: LegId, digit: char },
    Played { leg: LegId, play: PlayId },
    /// First audio packet from the far end after Connect.
    Heard { leg: LegId },
    /// Nothing came for `no_media_after`. Said once per silence.
    Silent { leg: LegId, since: Duration },
    Closed { leg: LegId, stats: Box<Stats> },
}

#[derive(Clone, Default, PartialEq, Debug)]
pub struct Stats {
    pub packets_sent: u64, pub packets_received: u64, pub packets_lost: u64, pub packets_late_or_duplicate: u64, pub packets_refused: u64,
    pub jitter_ms: f32, pub round_trip_ms: Option<f32>, pub remote_loss: Option<f32>, pub remote_jitter_ms: Option<f32>,
    pub longest_gap_ms: u32, pub digits: u32,
}
