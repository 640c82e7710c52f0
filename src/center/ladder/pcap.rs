//! A ladder as a capture file that Wireshark and its kin read (the classic format: microseconds, Ethernet).
//!
//! The layers below SIP are made up: each message travels in one UDP datagram between the addresses and ports it really went
//! between. What came over TCP, TLS or a WebSocket is written as if it had come over UDP to port 5060, so that it is read as SIP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Ladder, Step};
use crate::sip::transport::Transport;

/// Largest SIP message in a datagram: an IP packet holds 65,535 bytes, 40 for the larger of the two headers and 8 for UDP.
const TEXT_MAX: usize = 65_535 - 40 - 8;
/// The link type Ethernet.
const ETHERNET: u32 = 1;

impl Ladder {
    /// The file.
    pub fn pcap(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + self.steps.iter().map(|s| s.text.len() + 78).sum::<usize>());
        out.extend(0xa1b2_c3d4_u32.to_le_bytes());
        out.extend(2_u16.to_le_bytes());
        out.extend(4_u16.to_le_bytes());
        // Time zone and accuracy: always 0.
        out.extend([0; 8]);
        out.extend(262_144_u32.to_le_bytes());
        out.extend(ETHERNET.to_le_bytes());
        for s in &self.steps {
            let frame = frame(s);
            let length = u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes();
            let word = |n: i64| u32::try_from(n).unwrap_or(0).to_le_bytes();
            out.extend(word(s.at.0.div_euclid(1_000_000)));
            out.extend(word(s.at.0.rem_euclid(1_000_000)));
            out.extend(length);
            out.extend(length);
            out.extend(frame);
        }
        out
    }
}

fn frame(s: &Step) -> Vec<u8> {
    let local =
        SocketAddr::new(named(s.local.ip(), s.remote.ip()), if s.transport == Transport::Udp { s.local.port() } else { 5060 });
    let (from, to) = if s.sent { (local, s.remote) } else { (s.remote, local) };
    let text = &s.text.as_bytes()[..s.text.len().min(TEXT_MAX)];
    let udp_len = u16::try_from(8 + text.len()).unwrap_or(u16::MAX);
    let mut udp = Vec::with_capacity(8 + text.len());
    udp.extend(from.port().to_be_bytes());
    udp.extend(to.port().to_be_bytes());
    udp.extend(udp_len.to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(text);
    let (kind, mut ip) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (0x0800_u16, ipv4(from, to, udp_len)),
        (from, to) => (0x86dd, ipv6(six(from), six(to), udp_len)),
    };
    let pseudo: Vec<u8> = match kind {
        0x0800 => [&ip[12..20], &[0, 17], &udp_len.to_be_bytes()].concat(),
        _ => [&ip[8..40], &u32::from(udp_len).to_be_bytes(), &[0, 0, 0, 17]].concat(),
    };
    let sum = match checksum(&[&pseudo, &udp]) {
        // RFC 768: none is written as 0.
        0 => 0xffff,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    let mut out = Vec::with_capacity(14 + ip.len() + udp.len());
    // Addresses of nobody (locally administered): the last digit says who sends.
    let mac = |ours: bool| [2, 0, 0, 0, 0, if ours { 1 } else { 2 }];
    out.extend(mac(!s.sent));
    out.extend(mac(s.sent));
    out.extend(kind.to_be_bytes());
    out.append(&mut ip);
    out.append(&mut udp);
    out
}

/// An address of ours that can stand in a packet: where we listen on all, one of those for documentation.
fn named(ip: IpAddr, like: IpAddr) -> IpAddr {
    match (ip.is_unspecified(), like) {
        (false, _) => ip,
        (true, IpAddr::V4(_)) => Ipv4Addr::new(192, 0, 2, 1).into(),
        (true, IpAddr::V6(_)) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    }
}

fn six(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

fn ipv4(from: Ipv4Addr, to: Ipv4Addr, udp_len: u16) -> Vec<u8> {
    let mut h = vec![0x45, 0];
    h.extend((20 + udp_len).to_be_bytes());
    // Identification, "do not fragment", 64 hops, UDP.
    h.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    h.extend(from.octets());
    h.extend(to.octets());
    let sum = checksum(&[&h]).to_be_bytes();
    h[10..12].copy_from_slice(&sum);
    h
}

fn ipv6(from: Ipv6Addr, to: Ipv6Addr, udp_len: u16) -> Vec<u8> {
    let mut h = vec![0x60, 0, 0, 0];
    h.extend(udp_len.to_be_bytes());
    h.extend([17, 64]);
    h.extend(from.octets());
    h.extend(to.octets());
    h
}

/// RFC 1071. Every part but the last has an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for pair in parts.iter().flat_map(|p| p.chunks(2)) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::short, checksum};

    /// The datagrams of a capture file: `(seconds, microseconds, source port, destination port, payload)`.
    fn read(file: &[u8]) -> Vec<(u32, u32, u16, u16, Vec<u8>)> {
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((word(0), word(20)), (0xa1b2_c3d4, 1));
        let (mut at, mut found) = (24, Vec::new());
        while at < file.len() {
            let (s, us, len, whole) = (word(at), word(at + 4), word(at + 8) as usize, word(at + 12) as usize);
            assert_eq!(len, whole);
            let frame = &file[at + 16..at + 16 + len];
            let (ip, v6) = (&frame[14..], frame[12] == 0x86);
            let udp = if v6 { &ip[40..] } else { &ip[20..] };
            let half = |b: &[u8]| u16::from_be_bytes([b[0], b[1]]);
            if !v6 {
                assert_eq!(checksum(&[&ip[..20]]), 0, "the sum over a right header is 0");
                assert_eq!(half(&ip[2..]) as usize, ip.len());
            }
            let addresses = if v6 { &ip[8..40] } else { &ip[12..20] };
            let pseudo = [addresses, &[0, 17], &udp[4..6]].concat();
            assert_eq!(checksum(&[&pseudo, udp]), 0);
            assert_eq!(half(&udp[4..]) as usize, udp.len());
            found.push((s, us, half(udp), half(&udp[2..]), udp[8..].to_vec()));
            at += 16 + len;
        }
        found
    }

    #[test]
    fn a_capture_holds_every_message_with_its_time_and_right_checksums() {
        let mut whole = short();
        whole.steps[1].local = "0.0.0.0:5060".parse().unwrap();
        for s in &mut whole.steps[2..4] {
            (s.local, s.remote) = ("[2001:db8::1]:5061".parse().unwrap(), "[2001:db8::2]:40000".parse().unwrap());
        }
        let packets = read(&whole.pcap());
        assert_eq!(packets.len(), whole.steps.len());
        for (p, s) in packets.iter().zip(&whole.steps) {
            assert_eq!(p.4, s.text.as_bytes());
            assert_eq!(i64::from(p.0) * 1_000_000 + i64::from(p.1), s.at.0);
        }
        assert_eq!((packets[2].2, packets[2].3), (5061, 40_000), "ours goes from our port");
    }
}
