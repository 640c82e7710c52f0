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
        Ok(Sockets { rtp: self.socket(port)?, rtcp: self.socket(port + 1)?, port })
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
