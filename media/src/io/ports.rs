//! Port pairs: even for RTP, the odd one above for RTCP (RFC 3550 section 11), out of a range, each in use once.
//!
//! Pairs are given out one after another round the range, so that a port just given back rests as long as possible before
//! a stranger's late packets meet a new call.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    ops::RangeInclusive,
    sync::Mutex,
};

use super::sys;
use crate::wire::OpenError;

/// A bound pair.
#[derive(Debug)]
pub struct Sockets {
    /// The even port.
    pub rtp: UdpSocket,
    /// The odd port.
    pub rtcp: UdpSocket,
    /// Number of the even port.
    pub port: u16,
    /// Who alone may send to the even port, if anybody.
    peer: Option<SocketAddr>,
    /// What others sent before that is no longer waiting there.
    emptied: bool,
    /// Bound on every address of this machine.
    wild: bool,
    v6: bool,
}

impl Sockets {
    /// Send from the even port. A packet the system does not take is a packet lost on the network.
    pub fn send(&self, to: SocketAddr, packet: &[u8]) {
        if self.peer != Some(to) {
            let _ = self.rtp.send_to(packet, self.native(to));
            return;
        }
        // The peer's host may have said that nobody listens there: that report takes the place of one sending.
        if sys::send(&self.rtp, packet).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused) {
            let _ = sys::send(&self.rtp, packet);
        }
    }

    /// The next datagram on the even port and who sent it.
    ///
    /// Of a socket that is its peer's alone nobody needs to ask, once all that came before it was settled is gone: the first time
    /// there is nothing left. `settled`: it was already settled when the caller began to take what is there.
    pub fn receive(&mut self, room: &mut [u8], settled: bool) -> io::Result<(usize, SocketAddr)> {
        if let Some(peer) = self.only_peer() {
            return sys::receive(&self.rtp, room).map(|n| (n, peer));
        }
        let got = receive_from(&self.rtp, room);
        // Not at once after settling: a stranger's packet may have been on its way through the kernel at that moment.
        self.emptied = settled && self.peer.is_some() && got.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
        got
    }

    /// The next datagram on the odd port and who sent it.
    pub fn receive_rtcp(&self, room: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        receive_from(&self.rtcp, room)
    }

    /// Whether the even port is somebody's alone.
    pub fn is_settled(&self) -> bool {
        self.peer.is_some()
    }

    /// Whose everything is that comes to the even port.
    pub fn only_peer(&self) -> Option<SocketAddr> {
        self.peer.filter(|_| self.emptied)
    }

    /// Send from the odd port.
    pub fn send_rtcp(&self, to: SocketAddr, packet: &[u8]) {
        let _ = self.rtcp.send_to(packet, self.native(to));
    }

    /// A socket of both families speaks to the older one by mapped addresses.
    fn native(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(v4) if self.v6 => SocketAddr::new(v4.to_ipv6_mapped().into(), to.port()),
            _ => to,
        }
    }

    /// To which of our addresses the next packet came. Known only where it matters: see [`Self::settle`].
    pub fn came_to(&self) -> Option<IpAddr> {
        if self.wild { sys::came_to(&self.rtp) } else { None }
    }

    /// From now on the even port is for this peer, or for nobody in particular: the kernel then drops what others send, and
    /// need not look for the way of each packet we send.
    ///
    /// `came_to`: which address of ours the peer sends to. A socket bound on all of them gets one of the kernel's choosing
    /// when it is connected; if that is another one the peer would no longer be heard, and the socket stays open to all.
    pub fn settle(&mut self, peer: Option<SocketAddr>, came_to: Option<IpAddr>) {
        if peer == self.peer {
            return;
        }
        self.emptied = false;
        if self.peer.take().is_some() {
            // It cannot fail on an open socket; if it did, the next agreement tries again.
            let _ = sys::disconnect(&self.rtp);
            self.note_destination(true);
        }
        let Some(peer) = peer.filter(|_| !self.wild || came_to.is_some()) else { return };
        if self.rtp.connect(self.native(peer)).is_err() {
            return;
        }
        let ours = self.rtp.local_addr().map(|a| a.ip().to_canonical());
        if self.wild && ours.ok() != came_to {
            let _ = sys::disconnect(&self.rtp);
            return;
        }
        self.peer = Some(peer);
        self.note_destination(false);
    }

    fn note_destination(&self, on: bool) {
        if self.wild {
            // Without it the socket is never settled: slower, and nothing else.
            let _ = sys::note_destination(&self.rtp, self.v6, on);
        }
    }
}

fn receive_from(socket: &UdpSocket, room: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (n, from) = socket.recv_from(room)?;
    Ok((n, SocketAddr::new(from.ip().to_canonical(), from.port())))
}

/// See the module.
#[derive(Debug)]
pub struct Ports {
    bind: IpAddr,
    lo: u16,
    hi: u16,
    pairs: Mutex<Pairs>,
}

#[derive(Debug)]
struct Pairs {
    next: usize,
    taken: Vec<bool>,
    free: usize,
}

impl Ports {
    /// The pairs that fit into `range`; `start` chooses where to begin.
    pub fn new(bind: IpAddr, range: &RangeInclusive<u16>, start: u64) -> Self {
        let lo = range.start().next_multiple_of(2).max(2);
        let hi = *range.end();
        let count = if hi > lo { (usize::from(hi) - usize::from(lo)).div_ceil(2) } else { 0 };
        let next = if count == 0 { 0 } else { (start % count as u64) as usize };
        Self { bind, lo, hi, pairs: Mutex::new(Pairs { next, taken: vec![false; count], free: count }) }
    }

    /// (free, all) pairs.
    pub fn count(&self) -> (usize, usize) {
        let p = self.lock();
        (p.free, p.taken.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pairs> {
        // Nothing in here can panic half way.
        self.pairs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Bind the pair asked for, or the next free one.
    pub fn open(&self, port: Option<u16>) -> Result<Sockets, OpenError> {
        let system = |e: io::Error| OpenError::System { reason: e.to_string() };
        if let Some(port) = port {
            if port % 2 != 0 || port == 0 {
                return Err(OpenError::System { reason: format!("an RTP port must be even, {port} is not") });
            }
            if !self.mark(port, true) {
                return Err(OpenError::InUse { port });
            }
            return self.bind(port).map_err(|e| {
                self.mark(port, false);
                if e.kind() == io::ErrorKind::AddrInUse { OpenError::InUse { port } } else { system(e) }
            });
        }
        let all = self.count().1;
        for _ in 0..all {
            let Some(port) = self.next() else { break };
            match self.bind(port) {
                Ok(s) => return Ok(s),
                // Somebody else on this machine has it: not ours to give, try the next.
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    self.mark(port, false);
                }
                Err(e) => {
                    self.mark(port, false);
                    return Err(system(e));
                }
            }
        }
        Err(OpenError::NoPorts { lo: self.lo, hi: self.hi })
    }

    fn next(&self) -> Option<u16> {
        let mut p = self.lock();
        let n = p.taken.len();
        let i = (0..n).map(|k| (p.next + k) % n).find(|i| !p.taken[*i])?;
        p.next = (i + 1) % n;
        p.taken[i] = true;
        p.free -= 1;
        Some(self.lo + 2 * i as u16)
    }

    /// `false` if it is so already. A port outside the range is nobody's: always granted.
    fn mark(&self, port: u16, taken: bool) -> bool {
        let mut p = self.lock();
        let Some(i) = port.checked_sub(self.lo).map(|d| usize::from(d) / 2).filter(|i| *i < p.taken.len()) else { return true };
        if p.taken[i] == taken {
            return false;
        }
        p.taken[i] = taken;
        if taken {
            p.free -= 1;
        } else {
            p.free += 1;
        }
        true
    }

    /// The pair is closed.
    pub fn release(&self, port: u16) {
        self.mark(port, false);
    }

    fn bind(&self, port: u16) -> io::Result<Sockets> {
        let (rtp, rtcp) = (self.socket(port)?, self.socket(port + 1)?);
        let s =
            Sockets { rtp, rtcp, port, peer: None, emptied: false, wild: self.bind.is_unspecified(), v6: self.bind.is_ipv6() };
        s.note_destination(true);
        Ok(s)
    }

    fn socket(&self, port: u16) -> io::Result<UdpSocket> {
        use socket2::{Domain, Protocol, Socket, Type};
        let address = SocketAddr::new(self.bind, port);
        let s = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        if address.is_ipv6() {
            s.set_only_v6(false)?;
        } else {
            // Voice before data where the network listens to it (DSCP 46, RFC 3246); where not, it does not matter.
            let _ = s.set_tos_v4(0xB8);
        }
        s.bind(&address.into())?;
        Ok(s.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// Everything that waits on the even port.
    fn heard(s: &Sockets) -> Vec<u8> {
        let mut byte = [0; 1];
        std::iter::from_fn(|| s.rtp.recv_from(&mut byte).ok().map(|_| byte[0])).collect()
    }

    #[test]
    fn a_settled_port_hears_its_peer_only_until_it_is_freed_whatever_it_is_bound_on() {
        for bind in ["127.0.0.1", "0.0.0.0", "::"] {
            let Ok(peer) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no port") };
            let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
            let lo = peer.local_addr().expect("bound").port().min(60_000);
            let p = Ports::new(bind.parse().expect("an address"), &(lo..=lo + 40), 0);
            let mut s = p.open(None).expect("a pair");
            let (to, from) = ((Ipv4Addr::LOCALHOST, s.port), peer.local_addr().expect("bound"));
            peer.send_to(b"1", to).expect("sent");
            let came_to = s.came_to();
            assert_eq!(came_to.is_some(), bind != "127.0.0.1", "{bind}");
            assert_eq!(heard(&s), b"1");
            s.settle(Some(from), came_to);
            assert_eq!(s.peer, Some(from), "{bind}");
            stranger.send_to(b"2", to).expect("sent");
            peer.send_to(b"3", to).expect("sent");
            assert_eq!(heard(&s), b"3", "{bind}");
            // What waited when it was settled is looked at for its sender; once it was empty, all is the peer's.
            peer.send_to(b"3", to).expect("sent");
            let mut byte = [0; 1];
            let came = [false, true, true].map(|settled| s.receive(&mut byte, settled).ok());
            assert_eq!((came, s.only_peer()), ([Some((1, from)), None, None], Some(from)), "{bind}");
            peer.send_to(b"9", to).expect("sent");
            assert_eq!((s.receive(&mut byte, true).ok(), byte), (Some((1, from)), *b"9"));
            s.send(from, b"4");
            s.send(stranger.local_addr().expect("bound"), b"5");
            let mut byte = [0; 1];
            assert_eq!((peer.recv(&mut byte).ok(), byte), (Some(1), *b"4"));
            assert_eq!((stranger.recv(&mut byte).ok(), byte), (Some(1), *b"5"));
            s.settle(None, None);
            assert_eq!(s.only_peer(), None);
            stranger.send_to(b"6", to).expect("sent");
            peer.send_to(b"7", to).expect("sent");
            assert_eq!(heard(&s), b"67", "{bind}");
            s.send(from, b"8");
            assert_eq!((peer.recv_from(&mut byte).ok(), byte), (Some((1, (Ipv4Addr::LOCALHOST, s.port).into())), *b"8"));
        }
    }

    #[test]
    fn a_port_on_all_addresses_is_not_settled_when_the_kernel_would_answer_from_another_one() {
        let p = Ports::new(Ipv4Addr::UNSPECIFIED.into(), &(40_000..=60_000), 0);
        let mut s = p.open(None).expect("a pair");
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        peer.send_to(b"1", (Ipv4Addr::new(127, 0, 0, 2), s.port)).expect("sent");
        let came_to = s.came_to();
        assert_eq!(came_to, Some(Ipv4Addr::new(127, 0, 0, 2).into()));
        s.settle(peer.local_addr().ok(), came_to);
        assert_eq!(s.peer, None);
        peer.send_to(b"2", (Ipv4Addr::new(127, 0, 0, 2), s.port)).expect("sent");
        assert_eq!(heard(&s), b"12");
    }

    #[test]
    fn pairs_are_even_go_round_the_range_and_end() {
        let p = Ports::new(IpAddr::V4(Ipv4Addr::LOCALHOST), &(40_001..=40_008), 0);
        // 40002/3, 40004/5, 40006/7; 40008 has no odd one above it in the range.
        assert_eq!(p.count(), (3, 3));
        let first: Vec<u16> = (0..3).filter_map(|_| p.next()).collect();
        assert_eq!((first, p.next()), (vec![40_002, 40_004, 40_006], None));
        p.release(40_004);
        p.release(40_004);
        assert_eq!((p.count(), p.next()), ((1, 3), Some(40_004)));
    }
}
