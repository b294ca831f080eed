//! Plain datagrams, for what no client would ever send.
use crate::house::House;
use crate::process::PATIENCE;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

pub struct Wire {
    socket: UdpSocket,
}

impl Wire {
    pub fn new(house: &House) -> Wire {
        let socket = UdpSocket::bind((house.guest(), 5060)).expect("an address");
        socket.connect(house.at).expect("an address");
        Wire { socket }
    }

    pub fn send(&self, message: &[u8]) {
        self.socket.send(message).expect("loopback takes it");
    }

    /// The next datagram.
    pub fn receive(&self, longest: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(longest.max(Duration::from_millis(1)))).expect("a timeout");
        let mut bytes = [0; 65_536];
        let length = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    /// Proves that everything sent before has been looked at: an OPTIONS that is answered. What came before its
    /// answer is returned.
    #[track_caller]
    pub fn settle(&self, id: usize) -> Vec<String> {
        let me = self.socket.local_addr().expect("bound");
        self.send(
            format!(
                "OPTIONS sip:engine SIP/2.0\r\nVia: SIP/2.0/UDP {me};rport;branch=z9hG4bKsettle{id}\r\n\
                 From: <sip:test@{me}>;tag=1\r\nTo: <sip:engine>\r\nCall-ID: settle{id}\r\nCSeq: 1 OPTIONS\r\n\
                 Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            .as_bytes(),
        );
        let (mut before, until) = (vec![], Instant::now() + PATIENCE);
        while Instant::now() < until {
            match self.receive(Duration::from_secs(1)) {
                Some(answer) if answer.contains(&format!("Call-ID: settle{id}\r\n")) => return before,
                Some(answer) => before.push(answer),
                None => {}
            }
        }
        panic!("the engine does not answer OPTIONS any more");
    }
}
