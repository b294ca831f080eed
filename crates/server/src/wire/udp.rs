use super::{Arrival, Sent, Traffic, kind_of};
use crate::inbox::Inbox;
use sip::{Hop, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::UdpSocket;

/// Room in the kernel for a burst: some 4,000 messages. The system may grant less (net.core.rmem_max).
const BUFFER_BYTES: usize = 4 << 20;
/// Datagrams taken in one go before other sockets have their turn.
const TURN: usize = 64;
/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// The sending side of a bound socket.
#[derive(Debug)]
pub struct Port {
    pub local: SocketAddr,
    socket: std::net::UdpSocket,
}

pub fn bind(address: SocketAddr) -> io::Result<(Port, UdpSocket)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // As much as the system grants: less room only means more repeats under a burst.
    let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let socket = std::net::UdpSocket::from(socket);
    let local = socket.local_addr()?;
    let receiver = UdpSocket::from_std(socket.try_clone()?)?;
    Ok((Port { local, socket }, receiver))
}

impl Port {
    pub(super) fn send(&self, remote: SocketAddr, bytes: &[u8]) -> Sent {
        match self.socket.send_to(bytes, remote) {
            Ok(_) => Sent::Gone,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Sent::Lost,
            Err(error) => {
                tracing::debug!(%error, "datagram refused by the system");
                Sent::Failed
            }
        }
    }
}

pub async fn receive<T: From<Arrival>>(
    local: SocketAddr,
    socket: UdpSocket,
    inbox: Arc<Inbox<T>>,
    traffic: Arc<Traffic>,
) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut batch = Vec::with_capacity(TURN);
    loop {
        if let Err(error) = socket.readable().await {
            tracing::error!(%error, "a SIP socket is lost");
            return;
        }
        for _ in 0..TURN {
            match socket.try_recv_from(&mut buffer) {
                // Keep-alives (RFC 5626 4.4, and the single zero byte some phones send) want no answer here.
                Ok((length, _)) if buffer[..length].iter().all(|b| matches!(b, b'\r' | b'\n' | 0)) => {}
                Ok((length, remote)) => {
                    let bytes = &buffer[..length];
                    tracing::debug!(transport = "udp", bytes = length, what = kind_of(bytes), "sip in");
                    let hop = Hop { transport: Transport::Udp, local, remote };
                    batch.push(T::from(Arrival::Received { hop, bytes: bytes.into() }));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // News of an earlier datagram (ICMP): its sender's timers deal with it.
                Err(error) => tracing::debug!(%error, "receive"),
            }
        }
        if !batch.is_empty() {
            traffic.received.fetch_add(batch.len() as u64, Ordering::Relaxed);
            inbox.offer(&mut batch);
        }
        tokio::task::yield_now().await;
    }
}
