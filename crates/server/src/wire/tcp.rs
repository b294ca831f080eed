use super::{Arrival, Sent, Traffic, kind_of};
use crate::inbox::Inbox;
use sip::{Framer, Hop, Transport};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// Connections at once, of both directions.
const CONNECTIONS_MAX: usize = 4096;
/// Connections that one source may open: an office behind one address, but not all there are.
pub(super) const CONNECTIONS_PER_SOURCE_MAX: usize = 256;
/// Messages that may wait for a slow reader before its connection is given up.
const QUEUE_MESSAGES: usize = 256;
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A peer that takes nothing for so long is gone.
const WRITE_MAX: Duration = Duration::from_secs(20);
/// A new connection must bring its first message within this time.
const FIRST_MESSAGE_MAX: Duration = Duration::from_secs(30);
/// A message that has begun must be whole within this time.
const MESSAGE_MAX: Duration = Duration::from_secs(30);
/// A peer that has vanished is noticed within about a minute and a half.
const PROBE_AFTER: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;
/// A connection that was used and is silent closes after this time: longer than a registration lives.
const IDLE_MAX: Duration = Duration::from_secs(2 * 3600 + 600);
/// A flood of connections is not to become one of warnings.
const REFUSED_PER_WARNING: u64 = 1000;
const BACKLOG: i32 = 1024;
/// What may be half a keep-alive is no message that has begun.
const HALF_PING_BYTES: usize = 3;
const READ_BYTES: usize = 16 << 10;
/// The longest message, head and body.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// One connection per pair of listener and remote address, whoever opened it.
#[derive(Debug)]
pub struct Connections<T> {
    io: Handle,
    open: Mutex<Open>,
    inbox: Arc<Inbox<T>>,
    traffic: Arc<Traffic>,
}

#[derive(Default, Debug)]
struct Open {
    by_hop: HashMap<Hop, Line>,
    /// How many connections each source has opened.
    by_source: HashMap<IpAddr, usize>,
    opened: u64,
}

/// The way to a connection's writer; dropping it ends the connection.
#[derive(Debug)]
struct Line {
    id: u64,
    queue: mpsc::Sender<Arc<[u8]>>,
}

pub fn bind(address: SocketAddr) -> io::Result<(SocketAddr, TcpListener)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart does not wait for the connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    Ok((listener.local_addr()?, listener))
}

pub async fn accept<T>(connections: Arc<Connections<T>>, local: SocketAddr, listener: TcpListener)
where
    T: From<Arrival> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let hop = Hop { transport: Transport::Tcp, local, remote };
                if let Err(refused) = connections.adopt(hop, stream) {
                    let before = connections.traffic.refused.fetch_add(1, Ordering::Relaxed);
                    if before.is_multiple_of(REFUSED_PER_WARNING) {
                        tracing::warn!(
                            refused = before + 1,
                            limit = CONNECTIONS_MAX,
                            per_source = CONNECTIONS_PER_SOURCE_MAX,
                            "connections are refused: too many are open"
                        );
                    }
                    // Counted first: whoever sees the end of it can see the count.
                    drop(refused);
                }
            }
            Err(error) => {
                // Out of descriptors, or a peer that left before it was accepted: the next may do better.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

impl<T: From<Arrival> + Send + 'static> Connections<T> {
    pub fn new(io: Handle, inbox: Arc<Inbox<T>>, traffic: Arc<Traffic>) -> Connections<T> {
        Connections { io, open: Mutex::default(), inbox, traffic }
    }

    /// Over the connection there is, or a new one.
    pub(super) fn send(self: &Arc<Self>, hop: Hop, bytes: Arc<[u8]>) -> Sent {
        let mut open = self.lock();
        let bytes = match open.by_hop.get(&hop).map(|line| line.queue.try_send(bytes.clone())) {
            Some(Ok(())) => return Sent::Gone,
            Some(Err(mpsc::error::TrySendError::Full(_))) => {
                // Its task sees that its queue is gone, closes, and reports the failure.
                open.by_hop.remove(&hop);
                return Sent::Lost;
            }
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => bytes,
        };
        let Some((id, queue, waiting)) = open.line(hop) else { return Sent::Failed };
        drop(open);
        let sent = queue.try_send(bytes);
        debug_assert!(sent.is_ok(), "a new queue has room");
        let connections = self.clone();
        self.io.spawn(async move {
            match timeout(CONNECT_MAX, connect(hop)).await {
                Ok(Ok(stream)) => connections.serve(hop, stream, waiting, None).await,
                Ok(Err(error)) => tracing::debug!(%error, "connect"),
                Err(_) => tracing::debug!("connect: no answer in time"),
            }
            connections.forget(hop, id);
        });
        Sent::Gone
    }

    /// A connection that a peer opened; handed back when there are too many, of all or of its source.
    fn adopt(self: &Arc<Self>, hop: Hop, stream: TcpStream) -> Result<(), TcpStream> {
        let source = source_of(hop.remote);
        let mut open = self.lock();
        if open.by_source.get(&source).is_some_and(|&n| n >= CONNECTIONS_PER_SOURCE_MAX) {
            return Err(stream);
        }
        let Some((id, _, waiting)) = open.line(hop) else { return Err(stream) };
        *open.by_source.entry(source).or_default() += 1;
        drop(open);
        let connections = self.clone();
        self.io.spawn(async move {
            connections.serve(hop, stream, waiting, Some(FIRST_MESSAGE_MAX)).await;
            connections.lock().leave(source);
            connections.forget(hop, id);
        });
        Ok(())
    }

    async fn serve(
        &self,
        hop: Hop,
        stream: TcpStream,
        queue: mpsc::Receiver<Arc<[u8]>>,
        first: Option<Duration>,
    ) {
        // SIP messages are small and each one counts: no waiting for more to send.
        let _ = stream.set_nodelay(true);
        let probes =
            TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&probes);
        let (reader, writer) = stream.into_split();
        let pongs = self.lock().by_hop.get(&hop).map(|line| line.queue.downgrade());
        let why = tokio::select! {
            why = self.read(hop, reader, first, pongs) => why,
            why = write(writer, queue) => why,
        };
        tracing::debug!(why, "connection closed");
    }

    async fn read(
        &self,
        hop: Hop,
        mut reader: OwnedReadHalf,
        first: Option<Duration>,
        pongs: Option<mpsc::WeakSender<Arc<[u8]>>>,
    ) -> &'static str {
        let mut buffer = vec![0; READ_BYTES];
        let mut framer = Framer::new(MESSAGE_BYTES_MAX);
        let mut deadline = Instant::now() + first.unwrap_or(IDLE_MAX);
        let (mut used, mut begun) = (first.is_none(), false);
        loop {
            let length = match timeout_at(deadline, reader.read(&mut buffer)).await {
                Ok(Ok(0)) => return "the peer closed it",
                Ok(Ok(length)) => length,
                Ok(Err(_)) => return "it broke",
                Err(_) if used && !begun => return "it was idle",
                Err(_) => return "it brought no whole message in time",
            };
            let mut whole = false;
            framer.push(&buffer[..length]);
            for message in framer.by_ref() {
                let Ok(message) = message else { return "it sent what is not SIP" };
                (used, whole) = (true, true);
                tracing::debug!(transport = "tcp", bytes = message.len(), what = kind_of(&message), "sip in");
                self.traffic.received.fetch_add(1, Ordering::Relaxed);
                let arrival = Arrival::Received { hop, bytes: message.into() };
                if !self.inbox.wait(T::from(arrival)).await {
                    return "the engine stopped";
                }
            }
            // RFC 5626 4.4.1; one answer serves several keep-alives that came at once.
            if framer.take_pings() > 0
                && let Some(queue) = pongs.as_ref().and_then(mpsc::WeakSender::upgrade)
            {
                let _ = queue.try_send(Arc::from(&b"\r\n"[..]));
            }
            // A trickle of bytes that never becomes a message does not keep a connection open.
            let partial = framer.buffered() > HALF_PING_BYTES;
            if used && (whole || !begun || !partial) {
                deadline = Instant::now() + if partial { MESSAGE_MAX } else { IDLE_MAX };
            }
            begun = partial;
        }
    }

    fn forget(&self, hop: Hop, id: u64) {
        let mut open = self.lock();
        if open.by_hop.get(&hop).is_some_and(|line| line.id == id) {
            open.by_hop.remove(&hop);
        }
        drop(open);
        self.inbox.insist(T::from(Arrival::Failed { hop }));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// A line for this hop, in place of one that has died; None when there are too many.
    #[expect(clippy::type_complexity, reason = "both ends of a queue")]
    fn line(&mut self, hop: Hop) -> Option<(u64, mpsc::Sender<Arc<[u8]>>, mpsc::Receiver<Arc<[u8]>>)> {
        if self.by_hop.len() >= CONNECTIONS_MAX {
            return None;
        }
        let (queue, waiting) = mpsc::channel(QUEUE_MESSAGES);
        self.opened += 1;
        self.by_hop.insert(hop, Line { id: self.opened, queue: queue.clone() });
        Some((self.opened, queue, waiting))
    }

    fn leave(&mut self, source: IpAddr) {
        if let Some(n) = self.by_source.get_mut(&source) {
            *n -= 1;
            if *n == 0 {
                self.by_source.remove(&source);
            }
        }
    }
}

/// Who counts as one: an IPv4 address, or the /64 that one IPv6 site has.
fn source_of(remote: SocketAddr) -> IpAddr {
    match remote.ip().to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

async fn connect(hop: Hop) -> io::Result<TcpStream> {
    let socket = if hop.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !hop.local.ip().is_unspecified() {
        socket.bind(SocketAddr::new(hop.local.ip(), 0))?;
    }
    socket.connect(hop.remote).await
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Arc<[u8]>>) -> &'static str {
    while let Some(bytes) = queue.recv().await {
        match timeout(WRITE_MAX, writer.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "it broke",
            Err(_) => return "the peer takes nothing",
        }
    }
    "the peer is too slow"
}
