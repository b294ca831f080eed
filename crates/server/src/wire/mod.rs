//! SIP over sockets: datagrams and streams become `Arrival`s in a machine's inbox; what the machine sends
//! goes out from here. Knows nothing of SIP but where a message in a stream ends (`sip::Framer`).
mod owner;
mod tcp;
mod udp;

use crate::inbox::Inbox;
use sip::{Hop, Transport};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Handle;

/// What comes from the network.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// One datagram, or one message of a stream.
    Received { hop: Hop, bytes: Arc<[u8]> },
    /// A send failed, or a connection closed.
    Failed { hop: Hop },
}

impl From<Arrival> for engine::Input {
    fn from(arrival: Arrival) -> engine::Input {
        match arrival {
            Arrival::Received { hop, bytes } => engine::Input::Received { hop, bytes },
            Arrival::Failed { hop } => engine::Input::TransportFailed { hop },
        }
    }
}

/// What went over the wire and what was lost, since the start.
#[derive(Default, Debug)]
pub struct Traffic {
    pub received: AtomicU64,
    pub sent: AtomicU64,
    /// Datagrams that the system would not take, and messages to connections that were stuck.
    pub unsent: AtomicU64,
    /// Connections refused because there were too many.
    pub refused: AtomicU64,
}

/// The bound sockets. Clones share them.
#[derive(Debug)]
pub struct Wire<T> {
    udp: Arc<[udp::Port]>,
    tcp: Arc<tcp::Connections<T>>,
    inbox: Arc<Inbox<T>>,
    traffic: Arc<Traffic>,
    local: Arc<[(Transport, SocketAddr)]>,
}

impl<T> Clone for Wire<T> {
    fn clone(&self) -> Self {
        Wire {
            udp: self.udp.clone(),
            tcp: self.tcp.clone(),
            inbox: self.inbox.clone(),
            traffic: self.traffic.clone(),
            local: self.local.clone(),
        }
    }
}

impl<T: From<Arrival> + Send + fmt::Debug + 'static> Wire<T> {
    /// Binds every address (port 0: the system chooses, see `local`) and serves them on `io`.
    pub fn open(
        io: &Handle,
        listen: &[(Transport, SocketAddr)],
        inbox: Arc<Inbox<T>>,
    ) -> Result<Wire<T>, ListenError> {
        let _entered = io.enter();
        let traffic = Arc::new(Traffic::default());
        let (mut ports, mut sockets, mut listeners, mut local) = (vec![], vec![], vec![], vec![]);
        for &(transport, address) in listen {
            let failed = |error| ListenError::new(transport, address, error);
            match transport {
                Transport::Udp => {
                    let (port, socket) = udp::bind(address).map_err(failed)?;
                    local.push((transport, port.local));
                    sockets.push((port.local, socket));
                    ports.push(port);
                }
                Transport::Tcp => {
                    let (bound, listener) = tcp::bind(address).map_err(failed)?;
                    local.push((transport, bound));
                    listeners.push((bound, listener));
                }
            }
        }
        let tcp = Arc::new(tcp::Connections::new(io.clone(), inbox.clone(), traffic.clone()));
        for (local, socket) in sockets {
            io.spawn(udp::receive(local, socket, inbox.clone(), traffic.clone()));
        }
        for (local, listener) in listeners {
            io.spawn(tcp::accept(tcp.clone(), local, listener));
        }
        Ok(Wire { udp: ports.into(), tcp, inbox, traffic, local: local.into() })
    }

    /// The addresses really bound, in the order asked for.
    pub fn local(&self) -> &[(Transport, SocketAddr)] {
        &self.local
    }

    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Never waits. A failure comes back as `Arrival::Failed`.
    pub fn send(&self, hop: Hop, bytes: Arc<[u8]>) {
        tracing::debug!(transport = ?hop.transport, bytes = bytes.len(), what = kind_of(&bytes), "sip out");
        let sent = match hop.transport {
            Transport::Udp => match self.udp.iter().find(|port| port.local == hop.local) {
                Some(port) => port.send(hop.remote, &bytes),
                None => Sent::Failed,
            },
            Transport::Tcp => self.tcp.send(hop, bytes),
        };
        let count = if matches!(sent, Sent::Gone) { &self.traffic.sent } else { &self.traffic.unsent };
        count.fetch_add(1, Ordering::Relaxed);
        if matches!(sent, Sent::Failed) {
            self.inbox.insist(Arrival::Failed { hop }.into());
        }
    }
}

/// What became of a message that was to be sent.
enum Sent {
    Gone,
    /// Lost for want of room; like a datagram lost on its way, it is repeated if it matters.
    Lost,
    Failed,
}

/// A message's method or status code: all of it that a log may show.
fn kind_of(message: &[u8]) -> &str {
    let mut words = message.split(|&b| b == b' ' || b == b'\r').filter(|w| !w.is_empty());
    let first = words.next().unwrap_or_default();
    let (word, is_kind): (_, fn(&u8) -> bool) = match first.starts_with(b"SIP/") {
        true => (words.next().unwrap_or_default(), u8::is_ascii_digit),
        false => (first, u8::is_ascii_uppercase),
    };
    match std::str::from_utf8(word) {
        Ok(text) if (3..=16).contains(&word.len()) && word.iter().all(is_kind) => text,
        _ => "?",
    }
}

/// An address that could not be bound, with what to do about it.
#[derive(Debug)]
pub struct ListenError {
    pub transport: Transport,
    pub address: SocketAddr,
    pub error: io::Error,
    /// Who has the port: "pid 123 (asterisk)".
    pub owner: Option<String>,
}

impl ListenError {
    fn new(transport: Transport, address: SocketAddr, error: io::Error) -> ListenError {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        let owner = taken.then(|| owner::of(transport, address)).flatten();
        ListenError { transport, address, error, owner }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = name_of(self.transport);
        write!(f, "cannot listen on {transport}:{}: ", self.address)?;
        match (self.error.kind(), &self.owner) {
            (io::ErrorKind::AddrInUse, Some(owner)) => write!(f, "{owner} has that port")?,
            (io::ErrorKind::AddrInUse, None) => write!(f, "another process has that port")?,
            _ => write!(f, "{}", self.error)?,
        }
        let help = match self.error.kind() {
            io::ErrorKind::AddrInUse => {
                "stop it, or choose another port: `listen` under [engine] in hotline.toml"
            }
            io::ErrorKind::AddrNotAvailable => {
                "`listen` must name an address of this machine (`ip address` shows them)"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need the right to bind them; SIP uses 5060",
            _ => "see `listen` under [engine] in hotline.toml",
        };
        write!(f, "\n  help: {help}, or `hotline run --listen {transport}:{}:PORT`", bracketed(self.address))
    }
}

impl std::error::Error for ListenError {}

/// `udp` or `tcp`, as operators write it.
pub fn name_of(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    }
}

fn bracketed(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(a) => a.ip().to_string(),
        SocketAddr::V6(a) => format!("[{}]", a.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_sees_the_kind_of_a_message_and_no_more() {
        for (message, kind) in [
            (&b"INVITE sip:13800138000@x SIP/2.0\r\n"[..], "INVITE"),
            (b"SIP/2.0 486 Busy Here\r\n", "486"),
            (b"\r\n\r\n", "?"),
            (b"", "?"),
            (b"\xff\xfe sip:", "?"),
            (b"13800138000 sip:x", "?"),
        ] {
            assert_eq!(kind_of(message), kind, "{message:?}");
        }
    }
}
