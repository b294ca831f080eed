use hotline_core::{LegId, PlayId, SoundId};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// G.711's two laws.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Codec {
    Pcmu,
    Pcma,
}

/// From our side: `SendOnly` means that we send and do not receive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// What a leg's far end agreed to (the engine fills it from `sdp::Negotiated`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Format {
    pub remote: SocketAddr,
    pub remote_rtcp: SocketAddr,
    pub codec: Codec,
    pub payload_type_out: u8,
    pub payload_type_in: u8,
    pub dtmf_out: Option<u8>,
    pub dtmf_in: Option<u8>,
    /// Of the packets we send, 10 to 60; whatever length arrives is taken.
    pub ptime_ms: u32,
    pub direction: Direction,
    pub rtcp_mux: bool,
}

/// A stretch of what a leg plays; pieces follow each other without a gap.
#[derive(Clone, Debug)]
pub enum Piece {
    Sound(SoundId),
    Silence(Duration),
    /// One or two (the second above 0) frequencies, `dbm0` each.
    Tone {
        hz: [u16; 2],
        length: Duration,
        dbm0: i8,
    },
}

/// What the engine wants done. Commands for a leg that is not open are ignored: it has just ended.
#[derive(Clone, Debug)]
pub enum Command {
    /// Binds a port pair on `ip`; `Opened` or `Failed` follows. Nothing is sent before `Connect`.
    Open {
        leg: LegId,
        ip: IpAddr,
        ssrc: u32,
        no_media_after: Option<Duration>,
    },
    /// The far end is known, or has changed (re-offer): from here on only its source is accepted (latching to
    /// the first source that sends, then only that one until the next Connect).
    Connect {
        leg: LegId,
        format: Arc<Format>,
    },
    /// Replaces what is playing. `Played { play }` comes at its end, not after `Stop` or a replacement.
    Play {
        leg: LegId,
        play: PlayId,
        pieces: Arc<[Piece]>,
        repeat: bool,
    },
    Stop {
        leg: LegId,
    },
    /// Each hears the other; a player on a leg goes before its bridge.
    Bridge {
        a: LegId,
        b: LegId,
    },
    Unbridge {
        a: LegId,
        b: LegId,
    },
    /// Sends back what arrives.
    Echo {
        leg: LegId,
        on: bool,
    },
    /// Digits towards the far end: RFC 4733 where it was agreed, tones in the audio otherwise.
    SendDigits {
        leg: LegId,
        digits: String,
        each: Duration,
        pause: Duration,
    },
    /// Received audio to a sink: for `hotline call --record` and `hotline phone`.
    Record {
        leg: LegId,
        to: Option<Arc<dyn Sink>>,
    },
    Close {
        leg: LegId,
    },
}

/// Takes received audio, 160 samples (20 ms) of 8 kHz mono at a time; must not block.
pub trait Sink: Send + Sync + std::fmt::Debug {
    fn frame(&self, leg: LegId, samples: &[i16]);
}

/// What happened on a leg.
#[derive(Clone, Debug)]
pub enum Event {
    Opened {
        leg: LegId,
        address: SocketAddr,
    },
    Failed {
        leg: LegId,
        why: String,
    },
    /// Once per key press, on its first packet.
    Digit {
        leg: LegId,
        digit: char,
    },
    Played {
        leg: LegId,
        play: PlayId,
    },
    /// First audio packet from the far end after Connect.
    Heard {
        leg: LegId,
    },
    /// Nothing came for `no_media_after`. Said once per silence.
    Silent {
        leg: LegId,
        since: Duration,
    },
    Closed {
        leg: LegId,
        stats: Box<Stats>,
    },
}

/// A leg's media in figures, for the call record.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Stats {
    pub packets_sent: u64,
    pub packets_received: u64,
    pub packets_lost: u64,
    pub packets_late_or_duplicate: u64,
    /// From a source that is not the leg's, or no RTP of an agreed format.
    pub packets_refused: u64,
    /// RFC 3550 section 6.4.1, of the last source.
    pub jitter_ms: f32,
    pub round_trip_ms: Option<f32>,
    /// What the far end says it lost of ours, 0 to 1, in its last report.
    pub remote_loss: Option<f32>,
    pub remote_jitter_ms: Option<f32>,
    /// The longest time between two packets received.
    pub longest_gap_ms: u32,
    pub digits: u32,
}
