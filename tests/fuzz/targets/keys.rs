//! Packets of the media ports: `stun`, `rtp`, `srtp`.

use std::net::SocketAddr;

use media::{
    ice::stun::{ANSWER_MAX, Error, Password, Request, looks_like_stun},
    rtp::{self, rtcp, xr},
    srtp::{GROWTH_MAX, Receiver, Sender},
    wire::{Secret, SrtpKey, SrtpSuite},
};

/// Target `stun`. An even first byte: the rest is a packet; an odd one: the rest is its attributes, and header and checksum
/// are put around them.
pub fn stun(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let whole;
    let packet = if kind & 1 == 0 {
        rest
    } else {
        whole = wrapped(&rest[..rest.len().min(1_200)]);
        whole.as_slice()
    };
    let Some(request) = Request::parse(packet) else { return };
    assert!(looks_like_stun(packet), "read, and no STUN");
    if let Some((ours, theirs)) = request.username() {
        assert!(ours.len() + theirs.len() < packet.len());
    }
    let password = Password::new(b"0123456789012345678901");
    // Nobody guesses an HMAC; a fuzzer least of all.
    assert!(!request.signed_by(&password), "signed without the password");
    let mut out = [0; ANSWER_MAX];
    for from in ["192.0.2.1:5060", "[2001:db8::1]:5060"] {
        let from: SocketAddr = from.parse().expect("an address");
        let length = request.success(from, &password, &mut out);
        whole_answer(packet, &out[..length]);
    }
    for error in [Error::BadRequest, Error::UnknownAttribute, Error::RoleConflict] {
        let length = request.error(error, &password, &mut out);
        whole_answer(packet, &out[..length]);
    }
}

fn whole_answer(request: &[u8], answer: &[u8]) {
    assert!(looks_like_stun(answer), "no STUN");
    assert_eq!(answer.len(), 20 + usize::from(u16::from_be_bytes([answer[2], answer[3]])), "its length");
    assert_eq!(answer[4..20], request[4..20], "its transaction");
    assert!(Request::parse(answer).is_none(), "an answer must not be answered");
}

/// A binding request with these attributes and a right FINGERPRINT.
fn wrapped(attributes: &[u8]) -> Vec<u8> {
    let mut p = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    p.extend_from_slice(attributes);
    p.resize(p.len().next_multiple_of(4), 0);
    let length = (p.len() - 20 + 8) as u16;
    p[2..4].copy_from_slice(&length.to_be_bytes());
    let sum = crc32(&p) ^ 0x5354_554E;
    p.extend_from_slice(&[0x80, 0x28, 0, 4]);
    p.extend_from_slice(&sum.to_be_bytes());
    p
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |c: u32, _| if c & 1 == 1 { 0xEDB8_8320 ^ c >> 1 } else { c >> 1 };
    !bytes.iter().fold(!0, |c: u32, b| (0..8).fold(c ^ u32::from(*b), step))
}

/// Target `rtp`: one packet, as RTP and as RTCP.
pub fn rtp(data: &[u8]) {
    if let Some((header, payload)) = rtp::parse(data) {
        assert!(payload.start >= rtp::HEADER && payload.start <= payload.end && payload.end <= data.len(), "{payload:?}");
        let mut copy = data.to_vec();
        let packet = rtp::write_before(&header, &mut copy, payload.clone()).expect("there was room for a header");
        let (again, rest) = rtp::parse(packet).expect("what we write is RTP");
        assert_eq!((again, &packet[rest]), (header, &data[payload]), "relayed, and changed");
    }
    let Some(compound) = rtcp::parse(data) else { return };
    let mut packets = 0;
    for packet in compound {
        packets += 1;
        let parts = match packet {
            rtcp::Packet::Sender { reports, .. } | rtcp::Packet::Receiver { reports, .. } => reports.count(),
            rtcp::Packet::Description { cname, .. } => cname.map_or(0, <[u8]>::len),
            rtcp::Packet::Extended { blocks, .. } => blocks.map(part_of).sum(),
            rtcp::Packet::Bye { .. } | rtcp::Packet::Other(_) => 0,
        };
        assert!(parts <= data.len(), "more parts than bytes");
    }
    assert!(packets <= data.len() / 4, "more packets than words");
}

fn part_of(block: xr::Block) -> usize {
    match block {
        xr::Block::Delays(delays) => delays.count(),
        xr::Block::Voip { metrics, .. } => {
            assert!(metrics.mos_listening.is_none_or(|m| (1.0..=5.0).contains(&m)), "{metrics:?}");
            1
        }
        xr::Block::ReceiverTime(_) => 1,
    }
}

/// Target `srtp`: the bytes as a packet of a stranger, then as a packet of ours that is changed on the way. In between the
/// genuine one always opens.
pub fn srtp(data: &[u8]) {
    let Some(([kind, at, change], rest)) = data.split_first_chunk().filter(|_| data.len() <= 1_400) else { return };
    let suite = SrtpSuite::ALL[usize::from(kind >> 2) % SrtpSuite::ALL.len()];
    let (key, salt) = suite.lengths();
    let key = SrtpKey { suite, key_and_salt: Secret(vec![7; key + salt].into()) };
    let (mut sender, mut receiver) = (Sender::new(&key).expect("it fits"), Receiver::new(&key).expect("it fits"));
    let is_rtcp = kind & 1 != 0;
    let open = |r: &mut Receiver, p: &mut [u8]| if is_rtcp { r.unprotect_rtcp(p) } else { r.unprotect_rtp(p) };

    let mut foreign = rest.to_vec();
    assert!(open(&mut receiver, &mut foreign).is_err(), "opened without the key");

    let mut sealed = [rest, &[0; GROWTH_MAX]].concat();
    let made = if is_rtcp { sender.protect_rtcp(&mut sealed, rest.len()) } else { sender.protect_rtp(&mut sealed, rest.len()) };
    let Some(length) = made else { return };
    sealed.truncate(length);
    if *change != 0 {
        let mut changed = sealed.clone();
        let at = usize::from(*at) * changed.len() / 256;
        changed[at] ^= change;
        assert!(open(&mut receiver, &mut changed).is_err(), "byte {at} was changed and nobody noticed");
    }
    let mut copy = sealed.clone();
    let length = open(&mut receiver, &mut copy).expect("the genuine packet opens");
    assert_eq!(&copy[..length], rest, "and is what it was");
    assert!(open(&mut receiver, &mut sealed).is_err(), "it opens once");
}
