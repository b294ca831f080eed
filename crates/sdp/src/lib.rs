//! Offer/answer (RFC 3264) over SDP (RFC 8866): what each side can do, and what was negotiated.
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Codec { Pcmu, Pcma }

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction { SendRecv, SendOnly, RecvOnly, Inactive }

/// What we say of ourselves for one audio leg. Keep it per leg: `version` rises with each description sent that differs.
#[derive(Clone, Debug)]
pub struct Local { pub address: SocketAddr, pub codecs: Vec<Codec>, pub telephone_event: bool, pub ptime_ms: u32, pub session: u64, pub version: u64, pub direction: Direction }

/// What both sides agreed on, seen from here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Negotiated {
    /// Where our RTP goes.
    pub remote: SocketAddr,
    pub remote_rtcp: SocketAddr,
    pub codec: Codec,
    /// Payload type we send for the codec, and the one we receive.
    pub payload_type_out: u8, pub payload_type_in: u8,
    /// Payload types of telephone-event, when agreed.
    pub dtmf_out: Option<u8>, pub dtmf_in: Option<u8>,
    pub ptime_ms: u32,
    /// From our side: SendOnly means we send and do not receive.
    pub direction: Direction,
    pub rtcp_mux: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error { /// Not SDP at all (400/415/488 as the caller sees fit).
    Malformed(String), /// Nothing in common: 488 with this text for the Warning header.
    NotAcceptable(&'static str) }

/// A description parsed and bounded; kept so that the answer repeats each m-line in order.
#[derive(Clone, Debug)]
pub struct Description { _p: () }
#[allow(unused_variables)]
impl Description {
    pub fn parse(bytes: &[u8]) -> Result<Description, Error> { todo!() }
}
/// Our offer.
#[allow(unused_variables)]
pub fn offer(local: &Local) -> Vec<u8> { todo!() }
/// Our answer to `offer`: every m-line answered (refused ones with port 0), codecs within the offer.
#[allow(unused_variables)]
pub fn answer(offer: &Description, local: &Local) -> Result<(Vec<u8>, Negotiated), Error> { todo!() }
/// What their answer to our offer (made from `local`) says.
#[allow(unused_variables)]
pub fn accept(local: &Local, answer: &Description) -> Result<Negotiated, Error> { todo!() }
#[allow(dead_code)]
fn _ip(_: IpAddr) {}
