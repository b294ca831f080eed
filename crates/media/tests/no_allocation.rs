//! The steady state asks the allocator for nothing: counted over ten seconds of prompts and a bridge.

use hotline_core::{LegId, Outbox, PlayId, SoundId, Time};
use hotline_media::{
    Channel, Codec, Command, Deck, DeckConfig, Direction, Format, Library, Piece, Slot, Wire,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

struct Counting;
static ASKED: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Every leg hears a packet each 20 ms; what is sent is counted and dropped.
#[derive(Default)]
struct Air {
    heard: [u32; 8],
    sequence: [u16; 8],
    sent: u64,
    tick: u32,
}

impl Wire for Air {
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String> {
        Ok(SocketAddr::new(ip, 20_000 + slot.0 as u16 * 2))
    }
    fn receive(&mut self, slot: Slot, channel: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let n = slot.0 as usize;
        if channel == Channel::Rtcp || self.heard[n] == self.tick {
            return None;
        }
        self.heard[n] = self.tick;
        self.sequence[n] = self.sequence[n].wrapping_add(1);
        let timestamp = self.tick * 160;
        let header =
            rtp::Header { marker: false, payload_type: 8, sequence: self.sequence[n], timestamp, ssrc: 5 };
        buffer[..12].copy_from_slice(&header.to_bytes());
        buffer[12..172].fill(0x33);
        Some((172, far(slot.0)))
    }
    fn send(&mut self, _: Slot, _: Channel, _: SocketAddr, _: &[u8]) {
        self.sent += 1;
    }
    fn close(&mut self, _: Slot) {}
}

fn far(n: u32) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, n as u8], 4000))
}

#[test]
fn ten_seconds_without_an_allocation() {
    let library = Library::from_samples(vec![vec![500; 8000 * 3]]);
    let mut deck = Deck::new(DeckConfig::default(), Arc::new(library));
    let (mut air, mut out) = (Air::default(), Outbox::new());
    let mut now = Time::from_secs(1);
    for n in 0..6u32 {
        let leg = LegId(u64::from(n));
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        deck.handle(now, Command::Open { leg, ip, ssrc: n, no_media_after: None }, &mut air, &mut out);
        let codec = if n % 2 == 0 { Codec::Pcma } else { Codec::Pcmu };
        let payload_type = if codec == Codec::Pcma { 8 } else { 0 };
        let format = Arc::new(Format {
            remote: far(n),
            remote_rtcp: far(n),
            codec,
            payload_type_out: payload_type,
            payload_type_in: payload_type,
            dtmf_out: None,
            dtmf_in: None,
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: false,
        });
        deck.handle(now, Command::Connect { leg, format }, &mut air, &mut out);
        let tone = Piece::Tone { hz: [440, 480], length: Duration::from_secs(1), dbm0: -20 };
        if n < 3 {
            let pieces: Arc<[Piece]> = [Piece::Sound(SoundId(0)), tone].into();
            let play = Command::Play { leg, play: PlayId(n), pieces, repeat: true };
            deck.handle(now, play, &mut air, &mut out);
        }
    }
    deck.handle(now, Command::Bridge { a: LegId(3), b: LegId(4) }, &mut air, &mut out);
    let mut run = |ms: u32| {
        for _ in 0..ms {
            now += Duration::from_millis(1);
            air.tick = (now.as_millis() / 20) as u32;
            deck.tick(now, &mut air, &mut out);
        }
        out.drain().for_each(drop);
        air.sent
    };
    let warm = run(5000);
    let before = ASKED.load(Ordering::Relaxed);
    let sent = run(10_000) - warm;
    assert_eq!(ASKED.load(Ordering::Relaxed) - before, 0);
    assert!(sent >= 6 * 500, "{sent} packets");
}
