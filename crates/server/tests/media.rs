//! Media threads on real sockets: a prompt, a key, a bridge, the end.
use hotline_core::{LegId, PlayId};
use hotline_server::media::{MediaThreads, MediaThreadsConfig, Shelf};
use media::{Codec, Command, Direction, Event, Format, Library, Piece};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(5);

fn start(ports: (u16, u16)) -> (MediaThreads, Receiver<Event>) {
    let (sender, events) = channel();
    #[expect(clippy::disallowed_methods, reason = "the clock of this test")]
    let started = Instant::now();
    let config = MediaThreadsConfig {
        threads: 2,
        ports,
        port_rest: Duration::from_secs(60),
        started,
        cname: "hotline@test".into(),
        legs_max: 100,
    };
    let tell = move |event| drop(sender.send(event));
    let threads = MediaThreads::start(config, Arc::new(Shelf::new(Library::default())), Arc::new(tell))
        .expect("threads");
    (threads, events)
}

fn open(threads: &MediaThreads, events: &Receiver<Event>, leg: LegId) -> Result<SocketAddr, String> {
    threads.send(Command::Open { leg, ip: HOME, ssrc: leg.0 as u32, no_media_after: None });
    match events.recv_timeout(PATIENCE) {
        Ok(Event::Opened { address, .. }) => Ok(address),
        Ok(Event::Failed { why, .. }) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// A phone's socket, its packets and what it last heard.
struct Phone {
    socket: UdpSocket,
    sequence: u16,
}

impl Phone {
    fn new() -> Phone {
        let socket = UdpSocket::bind((HOME, 0)).expect("a port");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Phone { socket, sequence: 0 }
    }
    fn connect(&self, threads: &MediaThreads, leg: LegId) {
        let remote = self.socket.local_addr().expect("bound");
        let format = Format {
            remote,
            remote_rtcp: remote,
            codec: Codec::Pcma,
            payload_type_out: 8,
            payload_type_in: 8,
            dtmf_out: Some(101),
            dtmf_in: Some(101),
            ptime_ms: 20,
            direction: Direction::SendRecv,
            rtcp_mux: true,
        };
        threads.send(Command::Connect { leg, format: Arc::new(format) });
    }
    fn send(&mut self, to: SocketAddr, payload_type: u8, timestamp: u32, payload: &[u8]) {
        self.sequence += 1;
        let header = rtp::Header { marker: false, payload_type, sequence: self.sequence, timestamp, ssrc: 9 };
        let datagram = [&header.to_bytes()[..], payload].concat();
        self.socket.send_to(&datagram, to).expect("loopback");
    }
    /// Hears packets until one is as wanted.
    fn hear(&self, what: &str, wanted: impl Fn(&rtp::Packet<'_>) -> bool) {
        let mut datagram = [0; 2048];
        for _ in 0..500 {
            let (length, _) = self.socket.recv_from(&mut datagram).unwrap_or_else(|e| panic!("{what}: {e}"));
            if rtp::Packet::parse(&datagram[..length]).is_ok_and(|p| wanted(&p)) {
                return;
            }
        }
        panic!("{what}: not heard");
    }
}

/// A pair of even ports somewhere below the ephemeral ones, different in each run.
fn somewhere() -> u16 {
    20_000 + (std::process::id() % 300) as u16 * 40
}

#[test]
fn a_call_on_real_sockets() {
    let (threads, events) = start((somewhere(), somewhere() + 19));
    let (a, b) = (LegId(0x500), LegId(0x501));
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    let at_a = open(&threads, &events, a).expect("open");
    let at_b = open(&threads, &events, b).expect("open");
    assert!(at_a.port().is_multiple_of(2) && at_a != at_b);
    caller.connect(&threads, a);
    agent.connect(&threads, b);

    let tone = Piece::Tone { hz: [1004, 0], length: Duration::from_millis(100), dbm0: 0 };
    threads.send(Command::Play { leg: a, play: PlayId(1), pieces: [tone].into(), repeat: false });
    let quiet = rtp::g711::alaw_encode(0);
    caller.hear("the prompt", |p| p.payload.iter().any(|&c| c != quiet));
    caller.hear("comfort after it", |p| p.payload == [quiet; 160]);
    assert!(matches!(events.recv_timeout(PATIENCE), Ok(Event::Played { play: PlayId(1), .. })));

    let key = rtp::event::Event { code: 9, end: false, volume: 10, duration: 160 };
    caller.send(at_a, 101, 1000, &key.to_bytes());
    caller.send(at_a, 101, 1000, &key.to_bytes());
    assert!(matches!(events.recv_timeout(PATIENCE), Ok(Event::Digit { digit: '9', .. })));

    threads.send(Command::Bridge { a, b });
    // Commands are carried out in their order: when the next one is, the bridge stands.
    open(&threads, &events, LegId(0x502)).expect("open");
    caller.send(at_a, 8, 5000, &[0x11; 160]);
    agent.send(at_b, 8, 5000, &[0x22; 160]);
    agent.hear("the caller", |p| p.payload == [0x11; 160] && p.header.ssrc == 0x501);
    caller.hear("the agent", |p| p.payload == [0x22; 160] && p.header.ssrc == 0x500);

    threads.send(Command::Close { leg: a });
    threads.send(Command::Close { leg: b });
    let closed = events
        .iter()
        .filter_map(|e| if let Event::Closed { leg, stats } = e { Some((leg, stats)) } else { None });
    let closed: Vec<_> = closed.take(2).collect();
    assert_eq!((closed[0].0, closed[1].0), (a, b));
    assert_eq!((closed[0].1.packets_received, closed[0].1.digits), (3, 1));
    assert!(closed[0].1.packets_sent > 5);
    drop(threads);
}

#[test]
fn a_busy_port_is_passed_over_and_an_exhausted_range_says_so() {
    let range = (somewhere() + 20, somewhere() + 25);
    let busy = UdpSocket::bind((HOME, range.0 + 2)).expect("a port that is someone else's");
    let (threads, events) = start(range);
    let opened: Vec<_> = (1..=2u64).map(|n| open(&threads, &events, LegId(n << 8))).collect();
    let ports: Vec<u16> = opened.iter().flatten().map(|a| a.port()).collect();
    assert_eq!(ports, [range.0, range.0 + 4]);
    let why = open(&threads, &events, LegId(0x300)).expect_err("three pairs, one busy");
    assert!(why.contains("other programs have them"), "{why}");
    threads.send(Command::Close { leg: LegId(0x100) });
    drop(busy);
    assert!(matches!(events.recv_timeout(PATIENCE), Ok(Event::Closed { .. })));
    // What is closed rests; what was busy is free now.
    assert_eq!(open(&threads, &events, LegId(0x400)).map(|a| a.port()), Ok(range.0 + 2));
    let why = open(&threads, &events, LegId(0x500)).expect_err("all in use or resting");
    assert!(why.contains("in use or resting"), "{why}");
}
