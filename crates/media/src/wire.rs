use std::net::{IpAddr, SocketAddr};

/// A leg's place in its deck: small, dense, used again after `close`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(pub u32);

/// The two ports of a leg.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Channel {
    Rtp,
    Rtcp,
}

/// The sockets of a deck's legs. Nothing here blocks; what cannot be sent is lost, as on any network.
pub trait Wire {
    /// Binds an even port and the odd one after it on `ip`; the address of RTP, or why not, in words for an operator.
    fn open(&mut self, slot: Slot, ip: IpAddr) -> Result<SocketAddr, String>;
    /// Takes one waiting datagram into `buffer`: its length and source.
    fn receive(&mut self, slot: Slot, channel: Channel, buffer: &mut [u8]) -> Option<(usize, SocketAddr)>;
    fn send(&mut self, slot: Slot, channel: Channel, to: SocketAddr, datagram: &[u8]);
    fn close(&mut self, slot: Slot);
}
