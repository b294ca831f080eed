//! What is fuzzed, and what must hold whatever arrives: no panic, no broken invariant, no more memory than
//! the target's bound while it runs, and none after it.
//!
//! The fuzzers in `fuzz_targets` and the replay of the committed corpus (`tests/fuzz_replay`) run the same.

mod endpoint;
mod legs;
mod meter;
mod node;
mod script;
mod tamper;

pub use meter::bounded;

/// Something that takes any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Of its binary and of its folder in the corpus.
    pub name: &'static str,
    what: fn(&[u8]),
    /// Bytes of heap that it may hold at once: this many for nothing, and this many for each byte of input.
    room: (usize, usize),
}

/// One message, as a datagram and as a stream.
pub const SIP: Target = Target { name: "sip", what: sip::invariants::check, room: (64 << 10, 64) };
/// A session description as offer and as answer.
pub const SDP: Target = Target { name: "sdp", what: sdp::fuzz, room: (64 << 10, 64) };
/// Packets, keys and reports, by themselves and on the legs of a deck.
pub const RTP: Target = Target { name: "rtp", what: legs::run, room: (512 << 10, 64) };
/// A flow file as an operator may write it.
pub const FLOW: Target = Target { name: "flow", what: flow, room: (64 << 10, 1024) };
/// Two user agents that talk, and somebody between them.
pub const SIP_ENDPOINT: Target = Target { name: "sip_endpoint", what: endpoint::run, room: (4 << 20, 64) };
/// The whole engine among phones, a media thread, operators and strangers.
pub const ENGINE: Target = Target { name: "engine", what: node::run, room: (8 << 20, 64) };

pub const TARGETS: [Target; 6] = [SIP, SIP_ENDPOINT, SDP, RTP, FLOW, ENGINE];

impl Target {
    /// # Panics
    /// When something that must hold does not.
    pub fn run(&self, data: &[u8]) {
        let (base, each) = self.room;
        meter::bounded(base + each * data.len(), || (self.what)(data));
    }
}

fn flow(data: &[u8]) {
    // A file that is no UTF-8 is told before it comes this far.
    let Ok(text) = std::str::from_utf8(data) else { return };
    for finding in config::check_flow(text) {
        let (line, column) = (finding.line as usize, finding.column as usize);
        let place = match text.split('\n').nth(line.saturating_sub(1)) {
            Some(shown) if line > 0 => (1..=shown.chars().count() + 1).contains(&column),
            Some(_) | None => line == 0 && column == 0,
        };
        assert!(place, "a place outside of the file: {finding}");
        assert!(!finding.what.chars().any(char::is_control), "more than a line: {finding:?}");
        assert!(finding.what.len() < 1000, "more than a sentence: {finding}");
    }
}
