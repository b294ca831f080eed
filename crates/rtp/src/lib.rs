//! RTP and what travels in it: packets and reception (RFC 3550), telephone-event (RFC 4733),
//! G.711, RTCP, tones.
//!
//! *Invariant:* no sockets and no clock; whatever bytes arrive, nothing panics and nothing grows.

pub mod event;
pub mod g711;
mod packet;
mod reception;
pub mod rtcp;
pub mod tone;

pub use packet::{HEADER_BYTES, Header, Malformed, Packet, is_rtcp};
pub use reception::{Arrival, Reception};

/// The RTP clock of G.711 and of telephone-event beside it, in ticks a second.
pub const CLOCK_HZ: u32 = 8000;
/// RTP clock ticks (and G.711 bytes) in a millisecond.
pub const TICKS_PER_MS: u32 = CLOCK_HZ / 1000;
