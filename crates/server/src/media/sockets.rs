use super::MediaThreadsConfig;
use super::ports::Ports;
use ::media::{Channel, Slot, Wire};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Instant;

/// The port pairs of a thread's legs, by slot, and the epoll set that watches them.
#[derive(Debug)]
pub(super) struct Sockets {
    pairs: Vec<Option<Pair>>,
    ports: Arc<Ports>,
    epoll: OwnedFd,
    /// The thread's clock, set before each round.
    pub now: Instant,
}

#[derive(Debug)]
struct Pair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    port: u16,
}

/// Expedited forwarding (DSCP 46), as voice is marked.
const TRAFFIC_CLASS: u32 = 46 << 2;

impl Sockets {
    pub fn new(ports: Arc<Ports>, epoll: OwnedFd, now: Instant) -> Sockets {
        Sockets { pairs: Vec::new(), ports, epoll, now }
    }

    fn socket(&self, slot: Slot, channel: Channel) -> Option<&UdpSocket> {
        let pair = self.pairs.get(slot.0 as usize)?.as_ref()?;
        Some(match channel {
            Channel::Rtp => &pair.rtp,
            Channel::Rtcp => &pair.rtcp,
        })
    }

    fn bind(&self, ip: IpAddr) -> Result<Pair, String> {
        let tries = self.ports.free(self.now);
        for _ in 0..tries {
            let Some(port) = self.ports.take() else { break };
            let both = bind(ip, port).and_then(|rtp| Ok(Pair { rtp, rtcp: bind(ip, port + 1)?, port }));
            match both {
                Ok(pair) => return Ok(pair),
                Err(e) => {
                    self.ports.give_back(port);
                    if e.kind() != io::ErrorKind::AddrInUse {
                        return Err(format!("cannot bind media port {port} on {ip}: {e}"));
                    }
                }
            }
        }
        Err(match tries {
            0 => "all media ports are in use or resting; widen media.ports".into(),
            n => format!("none of the {n} media ports left is free on {ip}: other programs have them"),
        })
    }

    fn watch(&self, socket: &UdpSocket, slot: Slot, channel: Channel) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token(slot, channel) };
        // SAFETY: both descriptors are open, owned by `self` and `socket`; `event` outlives the call.
        let done = unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &mut event)
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub fn epoll(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }
}

impl Wire for Sockets {
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String> {
        let pair = self.bind(ip)?;
        let address = pair.rtp.local_addr().map_err(|e| e.to_string());
        let watched = self
            .watch(&pair.rtp, slot, Channel::Rtp)
            .and_then(|()| self.watch(&pair.rtcp, slot, Channel::Rtcp))
            .map_err(|e| format!("cannot watch media port {}: {e}", pair.port));
        match watched.and(address) {
            Ok(address) => {
                let place = slot.0 as usize;
                if self.pairs.len() <= place {
                    self.pairs.resize_with(place + 1, || None);
                }
                self.pairs[place] = Some(pair);
                Ok(address)
            }
            Err(why) => {
                self.ports.give_back(pair.port);
                Err(why)
            }
        }
    }

    fn receive(&mut self, slot: Slot, channel: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let socket = self.socket(slot, channel)?;
        loop {
            match socket.recv_from(buffer) {
                Ok((length, source)) => return Some((length, plain(source))),
                // An ICMP error of an earlier packet, told here; what waits behind it is still to be read.
                Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(_) => return None,
            }
        }
    }

    fn send(&mut self, slot: Slot, channel: Channel, to: SocketAddr, datagram: &[u8]) {
        if let Some(socket) = self.socket(slot, channel) {
            // Lost, like any packet on a network: a full buffer or a closed far port is no reason to wait.
            let _ = socket.send_to(datagram, to);
        }
    }

    fn close(&mut self, slot: Slot) {
        if let Some(pair) = self.pairs.get_mut(slot.0 as usize).and_then(Option::take) {
            self.ports.rest(self.now, pair.port);
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for pair in self.pairs.drain(..).flatten() {
            self.ports.rest(self.now, pair.port);
        }
    }
}

/// The number under which the kernel tells of a socket.
pub(super) fn token(slot: Slot, channel: Channel) -> u64 {
    u64::from(slot.0) << 1 | u64::from(channel == Channel::Rtcp)
}

pub(super) fn of_token(token: u64) -> (Slot, Channel) {
    (Slot((token >> 1) as u32), if token & 1 == 0 { Channel::Rtp } else { Channel::Rtcp })
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address((ip, port).into()), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Marking is a courtesy to routers; not every system allows it.
    let _ = match ip {
        IpAddr::V4(_) => socket.set_tos_v4(TRAFFIC_CLASS),
        IpAddr::V6(_) => socket.set_tclass_v6(TRAFFIC_CLASS),
    };
    socket.bind(&SocketAddr::from((ip, port)).into())?;
    Ok(socket.into())
}

/// An IPv4 caller on an IPv6 socket has an IPv4 address.
fn plain(source: SocketAddr) -> SocketAddr {
    SocketAddr::new(source.ip().to_canonical(), source.port())
}

/// Room for two sockets a leg and some more; said when there is less.
pub(super) fn raise_descriptor_limit(config: &MediaThreadsConfig) {
    let pairs = u64::from(config.ports.1.saturating_sub(config.ports.0)) / 2 + 1;
    let want = pairs.min(config.legs_max as u64) * 2 + 1024;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid, writable rlimit.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 || limit.rlim_cur >= want {
        return;
    }
    let raised = libc::rlimit { rlim_cur: want, rlim_max: limit.rlim_max.max(want) };
    // SAFETY: `raised` is a valid rlimit, only read.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) } == 0 {
        return;
    }
    let soft = libc::rlimit { rlim_cur: want.min(limit.rlim_max), rlim_max: limit.rlim_max };
    // SAFETY: as above.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &soft) };
    if soft.rlim_cur < want {
        let most = soft.rlim_cur / 2;
        tracing::warn!("the system allows {} open files: at most about {most} legs at once", soft.rlim_cur);
    }
}
