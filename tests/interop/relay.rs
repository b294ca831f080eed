//! A bad network between one SIPp and the engine: loses, doubles and swaps datagrams by a seed.
use crate::house::House;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Default)]
pub struct Faults {
    /// In percent, either way.
    pub lost: u64,
    pub doubled: u64,
    /// On the way to the engine, held back for 100 ms.
    pub late: u64,
}

pub struct Relay {
    pub at: SocketAddr,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    pub fn start(house: &House, faults: Faults, seed: u64) -> Relay {
        let socket = UdpSocket::bind((house.guest(), 5060)).expect("an address");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a timeout");
        let at = socket.local_addr().expect("bound");
        let done = Arc::new(AtomicBool::new(false));
        let (engine, over) = (house.at, done.clone());
        Relay { at, done, thread: Some(thread::spawn(move || carry(&socket, engine, faults, seed, &over))) }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.done.store(true, SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn carry(socket: &UdpSocket, engine: SocketAddr, faults: Faults, seed: u64, done: &AtomicBool) {
    let mut random = seed;
    let mut percent = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % 100
    };
    let mut client = None;
    let mut late: Vec<(Instant, Vec<u8>)> = vec![];
    let mut bytes = [0; 65_536];
    while !done.load(SeqCst) {
        late.retain(|(due, datagram)| {
            let waits = Instant::now() < *due;
            if !waits {
                let _ = socket.send_to(datagram, engine);
            }
            waits
        });
        let Ok((length, from)) = socket.recv_from(&mut bytes) else { continue };
        let to = if from == engine { client } else { Some(engine) };
        if from != engine {
            client = Some(from);
        }
        let (lost, doubled, is_late) =
            (percent() < faults.lost, percent() < faults.doubled, percent() < faults.late);
        let Some(to) = to.filter(|_| !lost) else { continue };
        if is_late && to == engine {
            late.push((Instant::now() + Duration::from_millis(100), bytes[..length].to_vec()));
        } else {
            let _ = socket.send_to(&bytes[..length], to);
        }
        if doubled {
            let _ = socket.send_to(&bytes[..length], to);
        }
    }
}
