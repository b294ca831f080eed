//! An RTP party for calls whose signalling is SIPp's: says a tone, hears what comes.
use crate::process::wait_for;
use crate::sound;
use rtp::g711;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<i16>>,
    /// Frequency of what is said; 0: nothing is sent.
    says: AtomicU32,
    done: AtomicBool,
}

pub struct Ear {
    pub address: IpAddr,
    pub port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Says `hz` to whoever sent the last packet.
    pub fn saying(address: IpAddr, hz: u32) -> Ear {
        let socket = UdpSocket::bind((address, 0)).expect("a port for RTP");
        socket.set_read_timeout(Some(Duration::from_millis(5))).expect("a timeout");
        let port = socket.local_addr().expect("bound").port();
        let shared = Arc::new(Shared { says: hz.into(), ..Shared::default() });
        let own = shared.clone();
        Ear { address, port, shared, thread: Some(thread::spawn(move || live(&socket, &own))) }
    }

    /// What came so far.
    pub fn heard(&self) -> Vec<i16> {
        self.shared.heard.lock().expect("no panic").clone()
    }

    /// Waits until this tone is what is heard.
    #[track_caller]
    pub fn hears(&self, hz: u32) {
        wait_for(&format!("the tone of {hz} Hz at an ear of SIPp's"), || {
            sound::ends_with(&self.heard(), hz).then_some(())
        });
    }

    pub fn forget(&self) {
        self.shared.heard.lock().expect("no panic").clear();
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.shared.done.store(true, SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn live(socket: &UdpSocket, shared: &Shared) {
    let mut packet = [0; 1500];
    let (mut peer, mut seq, mut stamp) = (None::<SocketAddr>, 1u16, 0u32);
    let mut due = Instant::now();
    while !shared.done.load(SeqCst) {
        if let Ok((length, from)) = socket.recv_from(&mut packet)
            && length > 12
            && packet[1] & 0x7f == 8
        {
            peer = Some(from);
            let samples = packet[12..length].iter().map(|code| g711::alaw_decode(*code));
            shared.heard.lock().expect("no panic").extend(samples);
        }
        let hz = shared.says.load(SeqCst);
        while Instant::now() >= due {
            due += Duration::from_millis(20);
            if let Some(peer) = peer.filter(|_| hz > 0) {
                let mut out = vec![0x80, 8];
                out.extend_from_slice(&seq.to_be_bytes());
                out.extend_from_slice(&stamp.to_be_bytes());
                out.extend_from_slice(&[0, 0, 0, 7]);
                out.extend((0..160).map(|n| g711::alaw_encode(sound::sample(hz, stamp.wrapping_add(n)))));
                let _ = socket.send_to(&out, peer);
            }
            (seq, stamp) = (seq.wrapping_add(1), stamp.wrapping_add(160));
        }
    }
}
