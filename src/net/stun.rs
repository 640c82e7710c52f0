//! STUN on the SIP port, for phones that keep their NAT binding open with it (RFC 5626 section 4.4.2): a binding request is told
//! where it came from, and nothing else is answered.
//!
//! An answer is half as long again as its question, so a forged source gets few of them: one in [`limits::SIP_STUN_EVERY`].

use std::{collections::BTreeMap, net::SocketAddr};

use tokio::time::Instant;

use crate::base::limits;

/// RFC 8489 section 5.
const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const HEADER: usize = 20;
/// A request that says more than this is for somebody else.
const REQUEST_MAX: usize = 200;

/// Whether this is STUN and no SIP: nothing that SIP begins with has its first two bits clear.
pub(super) fn looks_like(data: &[u8]) -> bool {
    data.len() >= HEADER && data[0] < 0x40 && data[4..8] == COOKIE
}

/// Who was answered when.
#[derive(Debug, Default)]
pub(super) struct Pings {
    answered: BTreeMap<SocketAddr, Instant>,
}

impl Pings {
    /// The answer to a binding request, if there is to be one.
    pub(super) fn answer(&mut self, data: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
        let length = usize::from(u16::from_be_bytes([data[2], data[3]]));
        let whole = data.len() == HEADER + length && data.len() <= REQUEST_MAX && length % 4 == 0;
        if data[..2] != [0x00, 0x01] || !whole {
            return None;
        }
        let now = Instant::now();
        if self.answered.len() >= limits::SIP_STUN_SOURCES_MAX {
            self.answered.retain(|_, at| now - *at < limits::SIP_STUN_EVERY);
        }
        let soon = self.answered.get(&from).is_some_and(|at| now - *at < limits::SIP_STUN_EVERY);
        if soon || self.answered.len() >= limits::SIP_STUN_SOURCES_MAX {
            return None;
        }
        self.answered.insert(from, now);
        Some(success(&data[4..HEADER], from))
    }
}

/// A success with XOR-MAPPED-ADDRESS (RFC 8489 section 14.2). `id`: cookie and transaction.
fn success(id: &[u8], from: SocketAddr) -> Vec<u8> {
    let ip = match from.ip() {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let family = if ip.len() == 4 { 1 } else { 2 };
    let value = 4 + ip.len();
    let mut out = vec![0x01, 0x01, 0, 4 + value as u8];
    out.extend_from_slice(id);
    out.extend_from_slice(&[0x00, 0x20, 0, value as u8, 0, family]);
    out.extend(from.port().to_be_bytes().iter().zip(id).map(|(a, b)| a ^ b));
    out.extend(ip.iter().zip(id).map(|(a, b)| a ^ b));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: u16, attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap();
        let id = [7; 12];
        [&kind.to_be_bytes()[..], &length.to_be_bytes(), &COOKIE, &id, attributes].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn a_phone_learns_where_it_is_seen_and_a_flood_gets_one_answer() {
        let mut pings = Pings::default();
        let from: SocketAddr = "203.0.113.7:40000".parse().unwrap();
        let ask = request(1, &[]);
        assert!(looks_like(&ask));
        let answer = pings.answer(&ask, from).unwrap();
        assert_eq!((answer.len(), &answer[..4], &answer[4..20]), (32, &[1, 1, 0, 12][..], &ask[4..20]));
        let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
        let ip: Vec<u8> = answer[28..].iter().zip(COOKIE).map(|(a, b)| a ^ b).collect();
        assert_eq!((port, ip), (40_000, vec![203, 0, 113, 7]));
        assert!((0..1_000).all(|_| pings.answer(&ask, from).is_none()));
        tokio::time::advance(limits::SIP_STUN_EVERY).await;
        assert!(pings.answer(&ask, from).is_some());
        assert_eq!(pings.answer(&ask, "[2001:db8::7]:40000".parse().unwrap()).unwrap().len(), 44);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_binding_request_gets_nothing() {
        let mut pings = Pings::default();
        let from: SocketAddr = "203.0.113.7:40000".parse().unwrap();
        let cut = &request(1, &[0; 8])[..24];
        for bad in [&request(0x0101, &[]), &request(3, &[]), &request(1, &[0; 6]), &request(1, &[0; 400]), cut] {
            assert_eq!(pings.answer(bad, from), None);
        }
        assert!(!looks_like(b"INVITE sip:1@a SIP/2.0") && !looks_like(&[0; 20]));
    }
}
