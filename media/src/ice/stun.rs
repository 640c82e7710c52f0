//! STUN binding requests, read and answered (RFC 8489), with what ICE adds to them (RFC 8445 section 16).
//!
//! Only what a lite agent meets: it is asked and never asks. Reading takes nothing for granted, writing goes into a buffer of
//! fixed size.

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Bytes of the header.
const HEADER: usize = 20;
/// The magic cookie of RFC 8489 section 5.
const COOKIE: u32 = 0x2112_A442;
/// Mixed into the checksum (RFC 8489 section 14.7).
const FINGERPRINT_XOR: u32 = 0x5354_554E;
/// Bytes of an attribute's head.
const HEAD: usize = 4;
/// Attributes we do not know that an answer names; the others go unnamed.
const UNKNOWN_MAX: usize = 8;
/// Largest answer: header, mapped address of IPv6, software-free, integrity, fingerprint, or an error with its list.
pub const ANSWER_MAX: usize = 128;

const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

mod attribute {
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const PRIORITY: u16 = 0x0024;
    pub const USE_CANDIDATE: u16 = 0x0025;
    pub const FINGERPRINT: u16 = 0x8028;
    pub const ICE_CONTROLLED: u16 = 0x8029;
    pub const ICE_CONTROLLING: u16 = 0x802A;
}

/// A password, ready to check and to sign.
#[derive(Clone)]
pub struct Password(Hmac<Sha1>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Password {
    /// The key of short-term credentials is the password as it is (RFC 8489 section 9.1.1).
    pub fn new(password: &[u8]) -> Self {
        Self(Hmac::new_from_slice(password).expect("HMAC takes a key of any length"))
    }
}

/// A binding request whose checksum is right. Who sent it is known only after [`Request::signed_by`].
#[derive(Debug)]
pub struct Request<'a> {
    packet: &'a [u8],
    transaction: [u8; 12],
    username: Option<&'a [u8]>,
    /// Where MESSAGE-INTEGRITY begins, and its value.
    integrity: Option<(usize, &'a [u8; 20])>,
    /// How the peer would rank the candidate it sends from, were we to make one of it.
    pub priority: Option<u32>,
    /// The peer chose this pair.
    pub use_candidate: bool,
    /// The peer believes to be the one who chooses.
    pub controlling: bool,
    /// The peer believes that we choose.
    pub controlled: bool,
    unknown: ([u16; UNKNOWN_MAX], usize),
}

/// Whether these bytes are STUN rather than RTP or DTLS (RFC 7983, RFC 8489 section 5).
pub fn looks_like_stun(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes[0] < 4 && bytes[4..8] == COOKIE.to_be_bytes()
}

impl<'a> Request<'a> {
    /// Read a binding request. `None`: it is something else, malformed, or not marked with the right FINGERPRINT, which ICE
    /// demands (RFC 8445 section 7.1).
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let kind = u16::from_be_bytes([*packet.first()?, *packet.get(1)?]);
        let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
        if !looks_like_stun(packet) || kind != BINDING_REQUEST || length % 4 != 0 || packet.len() != HEADER + length {
            return None;
        }
        let mut request = Self {
            packet,
            transaction: *packet[8..].first_chunk()?,
            username: None,
            integrity: None,
            priority: None,
            use_candidate: false,
            controlling: false,
            controlled: false,
            unknown: ([0; UNKNOWN_MAX], 0),
        };
        let mut at = HEADER;
        while at < packet.len() {
            let head: &[u8; HEAD] = packet[at..].first_chunk()?;
            let (kind, length) = (u16::from_be_bytes([head[0], head[1]]), usize::from(u16::from_be_bytes([head[2], head[3]])));
            let value = packet.get(at + HEAD..at + HEAD + length)?;
            if kind == attribute::FINGERPRINT {
                // The last one, or it is none.
                let sum = crc32(&packet[..at]) ^ FINGERPRINT_XOR;
                return (value == sum.to_be_bytes() && at + HEAD + length == packet.len()).then_some(request);
            }
            // What follows the signature is not signed (RFC 8489 section 14.5).
            if request.integrity.is_none() {
                request.attribute(at, kind, value)?;
            }
            at += HEAD + length.next_multiple_of(4);
        }
        None
    }

    fn attribute(&mut self, at: usize, kind: u16, value: &'a [u8]) -> Option<()> {
        match kind {
            attribute::USERNAME => self.username = Some(value),
            attribute::MESSAGE_INTEGRITY => self.integrity = Some((at, value.try_into().ok()?)),
            attribute::PRIORITY => self.priority = Some(u32::from_be_bytes(value.try_into().ok()?)),
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::ICE_CONTROLLING => self.controlling = true,
            attribute::ICE_CONTROLLED => self.controlled = true,
            attribute::MESSAGE_INTEGRITY_SHA256 => {}
            kind if kind < 0x8000 => {
                if let Some(seat) = self.unknown.0.get_mut(self.unknown.1) {
                    *seat = kind;
                    self.unknown.1 += 1;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// The two halves of the username: whom it is for, and who asks.
    pub fn username(&self) -> Option<(&[u8], &[u8])> {
        let name = self.username?;
        let colon = name.iter().position(|b| *b == b':')?;
        Some((&name[..colon], &name[colon + 1..]))
    }

    /// Whether whoever sent this knows the password. In constant time.
    pub fn signed_by(&self, password: &Password) -> bool {
        let Some((at, value)) = self.integrity else { return false };
        let mut mac = password.0.clone();
        mac.update(&self.packet[..2]);
        // Signed is the packet as if it ended with the signature.
        mac.update(&((at + HEAD + value.len() - HEADER) as u16).to_be_bytes());
        mac.update(&self.packet[4..at]);
        mac.verify_slice(value).is_ok()
    }

    /// Comprehension-required attributes we do not know.
    pub fn unknown(&self) -> &[u16] {
        &self.unknown.0[..self.unknown.1]
    }

    /// "You are seen at this address" (RFC 8489 section 7.3.3), signed. Its length.
    pub fn success(&self, from: SocketAddr, password: &Password, out: &mut [u8; ANSWER_MAX]) -> usize {
        let mut w = Writer::new(BINDING_SUCCESS, &self.transaction, out);
        let port = from.port() ^ (COOKIE >> 16) as u16;
        let mut value = [0; 20];
        value[2..4].copy_from_slice(&port.to_be_bytes());
        let mut mask = [0; 16];
        mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
        mask[4..].copy_from_slice(&self.transaction);
        let xor = |to: &mut [u8], octets: &[u8]| to.iter_mut().zip(octets).zip(mask).for_each(|((to, o), m)| *to = o ^ m);
        match from.ip().to_canonical() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                xor(&mut value[4..8], &ip.octets());
                w.put(attribute::XOR_MAPPED_ADDRESS, &value[..8]);
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                xor(&mut value[4..20], &ip.octets());
                w.put(attribute::XOR_MAPPED_ADDRESS, &value);
            }
        }
        w.sign(password)
    }

    /// An error response (RFC 8489 section 14.8), signed. Its length.
    pub fn error(&self, error: Error, password: &Password, out: &mut [u8; ANSWER_MAX]) -> usize {
        let mut w = Writer::new(BINDING_ERROR, &self.transaction, out);
        let (class, number, reason) = match error {
            Error::BadRequest => (4, 0, "Bad Request "),
            Error::UnknownAttribute => (4, 20, "Unknown Attr"),
            Error::RoleConflict => (4, 87, "Role Conflict   "),
        };
        let mut value = [0; 20];
        (value[2], value[3]) = (class, number);
        value[4..4 + reason.len()].copy_from_slice(reason.as_bytes());
        w.put(attribute::ERROR_CODE, &value[..4 + reason.len()]);
        if error == Error::UnknownAttribute {
            let mut list = [0; 2 * UNKNOWN_MAX];
            list.chunks_mut(2).zip(self.unknown()).for_each(|(to, kind)| to.copy_from_slice(&kind.to_be_bytes()));
            w.put(attribute::UNKNOWN_ATTRIBUTES, &list[..2 * self.unknown().len()]);
        }
        w.sign(password)
    }
}

/// What may be wrong with a request that authenticates. One that does not gets no answer at all, so 401 is never said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// 400: it lacks what ICE demands.
    BadRequest,
    /// 420: it has an attribute that must be understood and is not.
    UnknownAttribute,
    /// 487: it believes that we choose the pair (RFC 8445 section 7.3.1.1); a lite agent never does.
    RoleConflict,
}

/// Writes one message. Attributes that do not fit are a bug: the buffer holds the longest answer.
struct Writer<'a> {
    out: &'a mut [u8; ANSWER_MAX],
    at: usize,
}

impl<'a> Writer<'a> {
    fn new(kind: u16, transaction: &[u8; 12], out: &'a mut [u8; ANSWER_MAX]) -> Self {
        out[..2].copy_from_slice(&kind.to_be_bytes());
        out[4..8].copy_from_slice(&COOKIE.to_be_bytes());
        out[8..HEADER].copy_from_slice(transaction);
        Self { out, at: HEADER }
    }

    fn put(&mut self, kind: u16, value: &[u8]) {
        let padded = value.len().next_multiple_of(4);
        let room = &mut self.out[self.at..self.at + HEAD + padded];
        room[..2].copy_from_slice(&kind.to_be_bytes());
        room[2..4].copy_from_slice(&(value.len() as u16).to_be_bytes());
        room[HEAD..].fill(0);
        room[HEAD..HEAD + value.len()].copy_from_slice(value);
        self.at += HEAD + padded;
    }

    fn length(&mut self, end: usize) {
        self.out[2..4].copy_from_slice(&((end - HEADER) as u16).to_be_bytes());
    }

    /// MESSAGE-INTEGRITY and FINGERPRINT; the length of the whole.
    fn sign(mut self, password: &Password) -> usize {
        self.length(self.at + HEAD + 20);
        let mut mac = password.0.clone();
        mac.update(&self.out[..self.at]);
        let value: [u8; 20] = mac.finalize().into_bytes().into();
        self.put(attribute::MESSAGE_INTEGRITY, &value);
        self.length(self.at + HEAD + 4);
        let sum = crc32(&self.out[..self.at]) ^ FINGERPRINT_XOR;
        self.put(attribute::FINGERPRINT, &sum.to_be_bytes());
        self.at
    }
}

/// The checksum of ITU V.42 and Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut n = 0;
        while n < 256 {
            let (mut c, mut bit) = (n as u32, 0);
            while bit < 8 {
                c = if c & 1 == 1 { 0xEDB8_8320 ^ c >> 1 } else { c >> 1 };
                bit += 1;
            }
            table[n] = c;
            n += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |c, b| TABLE[((c ^ u32::from(*b)) & 0xFF) as usize] ^ c >> 8)
}

/// What a browser would send: for tests of everything that meets STUN.
#[cfg(test)]
pub(crate) mod ask {
    use super::*;

    /// One binding request to be.
    #[derive(Debug, Clone)]
    pub(crate) struct Ask<'a> {
        pub username: &'a str,
        pub password: &'a str,
        /// Type and value, before the signature.
        pub attributes: Vec<(u16, Vec<u8>)>,
    }

    impl<'a> Ask<'a> {
        /// From the controlling side.
        pub fn new(username: &'a str, password: &'a str) -> Self {
            let attributes =
                vec![(attribute::PRIORITY, vec![0x6E, 0, 1, 0xFF]), (attribute::ICE_CONTROLLING, vec![1, 2, 3, 4, 5, 6, 7, 8])];
            Self { username, password, attributes }
        }

        pub fn nominating(mut self) -> Self {
            self.attributes.push((attribute::USE_CANDIDATE, vec![]));
            self
        }

        pub fn controlled(mut self) -> Self {
            self.attributes.retain(|a| a.0 != attribute::ICE_CONTROLLING);
            self.attributes.push((attribute::ICE_CONTROLLED, vec![0; 8]));
            self
        }

        pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
            self.attributes.push((kind, value.to_vec()));
            self
        }

        pub fn without_priority(mut self) -> Self {
            self.attributes.retain(|a| a.0 != attribute::PRIORITY);
            self
        }

        pub fn bytes(&self) -> Vec<u8> {
            let mut p = vec![0, 1, 0, 0];
            p.extend(COOKIE.to_be_bytes());
            p.extend(*b"transaction!");
            let put = |p: &mut Vec<u8>, kind: u16, value: &[u8]| {
                p.extend(kind.to_be_bytes());
                p.extend((value.len() as u16).to_be_bytes());
                p.extend(value);
                p.resize(p.len().next_multiple_of(4), 0);
            };
            put(&mut p, attribute::USERNAME, self.username.as_bytes());
            self.attributes.iter().for_each(|(kind, value)| put(&mut p, *kind, value));
            let length = (p.len() - HEADER + 24) as u16;
            p[2..4].copy_from_slice(&length.to_be_bytes());
            let mut mac = Password::new(self.password.as_bytes()).0;
            mac.update(&p);
            let value: [u8; 20] = mac.finalize().into_bytes().into();
            put(&mut p, attribute::MESSAGE_INTEGRITY, &value);
            p[2..4].copy_from_slice(&(length + 8).to_be_bytes());
            let sum = crc32(&p) ^ FINGERPRINT_XOR;
            put(&mut p, attribute::FINGERPRINT, &sum.to_be_bytes());
            p
        }
    }

    /// What an answer says: (message type, error code, mapped address), if it is signed with this password.
    pub(crate) fn read_answer(packet: &[u8], password: &str) -> Option<(u16, Option<u16>, Option<SocketAddr>)> {
        let kind = u16::from_be_bytes([packet[0], packet[1]]);
        let mut disguised = packet.to_vec();
        disguised[..2].copy_from_slice(&BINDING_REQUEST.to_be_bytes());
        let end = disguised.len();
        let sum = crc32(&disguised[..end - 8]) ^ FINGERPRINT_XOR;
        disguised[end - 4..].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(crc32(&packet[..end - 8]) ^ FINGERPRINT_XOR, u32::from_be_bytes(*packet[end - 4..].first_chunk()?));
        let read = Request::parse(&disguised)?;
        let (at, value) = read.integrity?;
        let mut mac = Password::new(password.as_bytes()).0;
        mac.update(&packet[..2]);
        mac.update(&((at + 4) as u16).to_be_bytes());
        mac.update(&packet[4..at]);
        mac.verify_slice(value).ok()?;
        let (mut code, mut mapped) = (None, None);
        let mut at = HEADER;
        while at + HEAD <= packet.len() {
            let (kind, length) =
                (u16::from_be_bytes([packet[at], packet[at + 1]]), u16::from_be_bytes([packet[at + 2], packet[at + 3]]));
            let value = &packet[at + HEAD..at + HEAD + usize::from(length)];
            if kind == attribute::ERROR_CODE {
                code = Some(u16::from(value[2]) * 100 + u16::from(value[3]));
            }
            if kind == attribute::XOR_MAPPED_ADDRESS {
                let port = u16::from_be_bytes([value[2], value[3]]) ^ (COOKIE >> 16) as u16;
                let mask = &packet[4..HEADER];
                let octets: Vec<u8> = value[4..].iter().zip(mask).map(|(a, b)| a ^ b).collect();
                let ip = match octets.len() {
                    4 => IpAddr::from(<[u8; 4]>::try_from(&octets[..]).expect("four")),
                    _ => IpAddr::from(<[u8; 16]>::try_from(&octets[..]).expect("sixteen")),
                };
                mapped = Some(SocketAddr::new(ip, port));
            }
            at += HEAD + usize::from(length).next_multiple_of(4);
        }
        Some((kind, code, mapped))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        ask::{Ask, read_answer},
        *,
    };

    /// RFC 5769 section 2.1: the sample request.
    const SAMPLE: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\
        \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\
        \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
        \x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    #[test]
    fn the_sample_request_of_rfc_5769_is_read_and_its_signature_is_right() {
        let r = Request::parse(SAMPLE).expect("a request");
        assert_eq!(r.username(), Some((&b"evtj"[..], &b"h6vY"[..])));
        assert_eq!((r.priority, r.controlled, r.controlling, r.use_candidate), (Some(0x6E00_01FF), true, false, false));
        assert!(r.signed_by(&Password::new(b"VOkJxbRl1RmTxUk/WvJxBt")));
        assert!(!r.signed_by(&Password::new(b"VOkJxbRl1RmTxUk/WvJxBu")));
        assert!(r.unknown().is_empty());
    }

    #[test]
    fn an_answer_names_the_address_it_goes_to_and_is_signed() {
        let ask = Ask::new("me:you", "secret").bytes();
        let r = Request::parse(&ask).expect("a request");
        let password = Password::new(b"secret");
        for from in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let (from, mut out) = (from.parse().expect("an address"), [0; ANSWER_MAX]);
            let n = r.success(from, &password, &mut out);
            assert_eq!(read_answer(&out[..n], "secret"), Some((BINDING_SUCCESS, None, Some(from))));
            assert_eq!(read_answer(&out[..n], "other"), None);
        }
        for (error, code) in [(Error::BadRequest, 400), (Error::UnknownAttribute, 420), (Error::RoleConflict, 487)] {
            let mut out = [0; ANSWER_MAX];
            let n = r.error(error, &password, &mut out);
            assert_eq!(read_answer(&out[..n], "secret"), Some((BINDING_ERROR, Some(code), None)));
        }
    }

    #[test]
    fn the_longest_answer_fits() {
        let mut ask = Ask::new("me:you", "secret");
        for kind in 0x7000..0x7020u16 {
            ask = ask.with(kind, b"");
        }
        let bytes = ask.bytes();
        let r = Request::parse(&bytes).expect("a request");
        assert_eq!(r.unknown().len(), UNKNOWN_MAX);
        let mut out = [0; ANSWER_MAX];
        assert!(r.error(Error::UnknownAttribute, &Password::new(b"secret"), &mut out) <= ANSWER_MAX);
    }

    #[test]
    fn a_request_changed_at_any_byte_or_cut_anywhere_is_no_request() {
        let password = Password::new(b"VOkJxbRl1RmTxUk/WvJxBt");
        for at in 0..SAMPLE.len() {
            assert!(Request::parse(&SAMPLE[..at]).is_none());
            for bit in 0..8 {
                let mut p = SAMPLE.to_vec();
                p[at] ^= 1 << bit;
                // A flipped bit the checksum might miss is caught by the signature.
                assert!(Request::parse(&p).is_none_or(|r| !r.signed_by(&password)), "{at}");
            }
        }
        let mut longer = SAMPLE.to_vec();
        longer.extend([0; 4]);
        assert!(Request::parse(&longer).is_none());
    }
}
