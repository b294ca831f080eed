//! Sockets on loopback, ports chosen by the system; every wait has an end.
use hotline_server::wire::{Arrival, Wire};
use hotline_server::{Inbox, Io};
use sip::{Hop, Transport};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

const OPTIONS: &[u8] = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 2\r\n\r\nab";
const PATIENCE: Duration = Duration::from_secs(10);

struct Site {
    wire: Wire<Arrival>,
    inbox: Arc<Inbox<Arrival>>,
    _io: Io,
}

fn site(transport: Transport, address: &str) -> Site {
    let io = Io::start().expect("threads");
    let inbox = Arc::new(Inbox::new(64));
    let wire = Wire::open(io.handle(), &[(transport, address.parse().expect("an address"))], inbox.clone())
        .expect("a free port");
    Site { wire, inbox, _io: io }
}

impl Site {
    fn local(&self) -> SocketAddr {
        self.wire.local()[0].1
    }

    fn next(&self) -> Arrival {
        let mut batch = vec![];
        // A wait may come back early with nothing.
        for _ in 0..100 {
            assert!(self.inbox.take(1, Some(PATIENCE), &mut batch));
            if let Some(arrival) = batch.pop() {
                return arrival;
            }
        }
        panic!("nothing came");
    }

    fn received(&self) -> (Hop, Vec<u8>) {
        match self.next() {
            Arrival::Received { hop, bytes } => (hop, bytes.to_vec()),
            failed => panic!("{failed:?}"),
        }
    }
}

#[test]
fn datagrams_come_and_go_over_both_families() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let site = site(Transport::Udp, address);
        let peer = UdpSocket::bind(address).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        peer.send_to(b"\r\n\r\n", site.local()).unwrap();
        peer.send_to(OPTIONS, site.local()).unwrap();
        let (hop, bytes) = site.received();
        assert_eq!(bytes, OPTIONS, "the keep-alive before it was left out");
        assert_eq!(hop.remote, peer.local_addr().unwrap());
        site.wire.send(hop, b"SIP/2.0 200 OK\r\n\r\n"[..].into());
        let mut buffer = [0; 100];
        let (length, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (&b"SIP/2.0 200 OK\r\n\r\n"[..], site.local()));
    }
}

#[test]
fn a_stream_is_cut_answered_on_its_own_connection_and_its_end_reported() {
    let site = site(Transport::Tcp, "127.0.0.1:0");
    let mut peer = TcpStream::connect(site.local()).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.write_all(&[OPTIONS, OPTIONS].concat()).unwrap();
    let (hop, first) = site.received();
    assert_eq!(first, OPTIONS);
    assert_eq!(site.received(), (hop, OPTIONS.to_vec()));
    site.wire.send(hop, b"answer"[..].into());
    let mut buffer = [0; 6];
    peer.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"answer");
    peer.write_all(b"\r\n\r\n").unwrap();
    peer.read_exact(&mut buffer[..2]).unwrap();
    assert_eq!(&buffer[..2], b"\r\n", "RFC 5626 keep-alive");
    drop(peer);
    assert!(matches!(site.next(), Arrival::Failed { hop: failed } if failed == hop));
}

#[test]
fn a_connection_is_opened_when_there_is_none_and_a_refusal_reported() {
    let (ours, theirs) = (site(Transport::Tcp, "127.0.0.1:0"), site(Transport::Tcp, "127.0.0.1:0"));
    let hop = Hop { transport: Transport::Tcp, local: ours.local(), remote: theirs.local() };
    ours.wire.send(hop, OPTIONS.into());
    assert_eq!(theirs.received().1, OPTIONS);
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hop = Hop { remote: nobody, ..hop };
    ours.wire.send(hop, OPTIONS.into());
    assert!(matches!(ours.next(), Arrival::Failed { hop: failed } if failed == hop));
}

#[test]
fn a_port_that_is_taken_names_its_owner_and_the_way_out() {
    let site = site(Transport::Udp, "127.0.0.1:0");
    let io = Io::start().unwrap();
    let error =
        Wire::open(io.handle(), &[(Transport::Udp, site.local())], Arc::new(Inbox::<Arrival>::new(1)));
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains(&format!("pid {}", std::process::id())) && text.contains("--listen udp:"),
        "{text}"
    );
}

/// True when the other side has closed it.
fn closed(peer: &mut TcpStream) -> bool {
    peer.set_read_timeout(Some(PATIENCE)).expect("a timeout of a socket");
    let mut rest = vec![];
    match peer.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_stream_that_is_no_sip_or_too_long_is_closed_and_the_others_go_on() {
    let site = site(Transport::Tcp, "127.0.0.1:0");
    let mut good = TcpStream::connect(site.local()).unwrap();
    let endless = [b"OPTIONS sip:x SIP/2.0\r\nX: ".to_vec(), vec![b'a'; 70_000]].concat();
    let huge = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n".to_vec();
    for bad in [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\n\n\n\n".to_vec(),
        endless,
        huge,
    ] {
        let mut peer = TcpStream::connect(site.local()).unwrap();
        // It may be closed before all is written.
        let _ = peer.write_all(&bad);
        assert!(closed(&mut peer), "{:?}", &bad[..9]);
    }
    good.write_all(OPTIONS).unwrap();
    let from = good.local_addr().unwrap();
    let good_ones = (0..20).map(|_| site.next());
    let received = good_ones
        .into_iter()
        .find(|arrival| matches!(arrival, Arrival::Received { hop, .. } if hop.remote == from));
    assert!(matches!(received, Some(Arrival::Received { bytes, .. }) if *bytes == *OPTIONS));
}

#[test]
fn one_source_cannot_open_all_the_connections_there_are() {
    const PER_SOURCE: usize = 256;
    let site = site(Transport::Tcp, "127.0.0.1:0");
    let mut open: Vec<TcpStream> =
        (0..PER_SOURCE).map(|_| TcpStream::connect(site.local()).unwrap()).collect();
    let mut one_more = TcpStream::connect(site.local()).unwrap();
    assert!(closed(&mut one_more), "the 257th is refused");
    assert_eq!(site.wire.traffic().refused.load(std::sync::atomic::Ordering::Relaxed), 1);
    // Another source has room, and so has this one when one of its own has gone.
    let elsewhere = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    elsewhere.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    elsewhere.connect(&site.local().into()).unwrap();
    TcpStream::from(elsewhere).write_all(OPTIONS).unwrap();
    assert_eq!(site.received().1, OPTIONS);
    drop(open.pop());
    assert!(matches!(site.next(), Arrival::Failed { .. }), "a place is free");
}

#[test]
fn a_peer_that_reads_nothing_costs_its_own_connection_only() {
    let site = site(Transport::Tcp, "127.0.0.1:0");
    let mut slow = TcpStream::connect(site.local()).unwrap();
    slow.write_all(OPTIONS).unwrap();
    let (hop, _) = site.received();
    // Nothing here waits, however much is sent.
    let message: Arc<[u8]> = vec![b'x'; 60_000].into();
    for _ in 0..2000 {
        site.wire.send(hop, message.clone());
    }
    assert!(site.wire.traffic().unsent.load(std::sync::atomic::Ordering::Relaxed) > 0, "it was given up");
    let mut quick = TcpStream::connect(site.local()).unwrap();
    quick.write_all(OPTIONS).unwrap();
    let from = quick.local_addr().unwrap();
    let arrived = (0..2000).map(|_| site.next());
    assert!(
        arrived.into_iter().any(|a| matches!(a, Arrival::Received { hop, .. } if hop.remote == from)),
        "others are served"
    );
}
