//! Offer/answer (RFC 3264) over SDP (RFC 8866): what each side can do, and what was negotiated.
//!
//! `sdp-types` reads and prints lines; what they mean is decided here. No sockets, no state between
//! calls: the caller keeps one [`Local`] per leg.
//!
//! - G.711 (static and dynamic payload types) and telephone-event/8000 (RFC 4733) over RTP/AVP or RTP/AVPF.
//! - An answer names one voice codec and telephone-event, with the offer's payload types, so that what
//!   arrives needs no guessing. Streams beside the first usable audio stream are refused with port 0.
//! - A host name in `c=`, multicast and broadcast are refused: nothing here resolves names, and media goes
//!   to one peer.
//! - RTCP has its own port (RFC 3605, or RTP's plus one): `rtcp-mux` is never offered and never answered.
mod description;
mod fuzz;
mod negotiate;

use std::fmt;
use std::net::SocketAddr;

pub use description::{Description, MAX_BYTES, MAX_LINES, MAX_STREAMS};
pub use fuzz::fuzz;
pub use negotiate::{accept, answer, offer};

/// A voice codec: both are 8000 Hz, one channel, 8 bits a sample (RFC 3551 section 4.5.14).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Codec {
    /// G.711 mu-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}

impl Codec {
    /// The encoding name of `rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The payload type that needs no `rtpmap` (RFC 3551 section 6).
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which way media flows, from the side that says it (RFC 8866 section 6.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub const fn new(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same flow, told by the other side.
    pub const fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    /// What both allow.
    pub const fn and(self, other: Direction) -> Direction {
        Direction::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name: `"sendrecv"` and so on.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// What we say of ourselves for one audio leg. Keep it per leg: `version` rises with each description sent
/// that differs ([`Local::versioned`] sees to it).
#[derive(Clone, Debug)]
pub struct Local {
    /// Where we receive RTP; RTCP at the next port.
    pub address: SocketAddr,
    /// In the order we like them; not empty.
    pub codecs: Vec<Codec>,
    pub telephone_event: bool,
    /// What we send when the peer has no wish, and the step in which we can follow one.
    pub ptime_ms: u32,
    /// The `o=` line's session id and version; the id stays for the life of the dialog.
    pub session: u64,
    pub version: u64,
    /// What we want: `SendOnly` or `Inactive` puts the peer on hold.
    pub direction: Direction,
}

impl Local {
    /// `fresh`, printed from this `Local`, with the version that follows `last`, the description sent before
    /// in this dialog (RFC 3264 section 8): one that says nothing new is `last` again, byte by byte; one
    /// that differs gets the next version, kept here. Without a `last`, `fresh` is left as it is.
    pub fn versioned(&mut self, last: Option<&[u8]>, fresh: Vec<u8>) -> Vec<u8> {
        let Some(last) = last else { return fresh };
        if negotiate::without_origin(last).eq(negotiate::without_origin(&fresh)) {
            return last.to_vec();
        }
        self.version = self.version.wrapping_add(1);
        negotiate::with_origin(&fresh, self)
    }
}

/// What both sides agreed on, seen from here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Negotiated {
    /// Where our RTP goes. The unspecified address when the peer holds in the old style (`c=0.0.0.0`):
    /// `direction` then never sends, and RTCP must not be sent either (RFC 3264 section 8.4).
    pub remote: SocketAddr,
    pub remote_rtcp: SocketAddr,
    pub codec: Codec,
    /// Payload type we send for the codec, and the one we receive.
    pub payload_type_out: u8,
    pub payload_type_in: u8,
    /// Payload types of telephone-event, when agreed.
    pub dtmf_out: Option<u8>,
    pub dtmf_in: Option<u8>,
    /// Length of the packets we send: a multiple of `Local::ptime_ms`, at most 60.
    pub ptime_ms: u32,
    /// From our side: SendOnly means we send and do not receive.
    pub direction: Direction,
    pub rtcp_mux: bool,
}

/// Why a description leads to no session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// Not SDP at all, or beyond its limits (400/415/488 as the caller sees fit).
    Malformed(String),
    /// Nothing in common: 488 with this text for the Warning header.
    NotAcceptable(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed(what) => write!(f, "session description cannot be read: {what}"),
            Error::NotAcceptable(why) => write!(f, "session description not acceptable: {why}"),
        }
    }
}

impl std::error::Error for Error {}
