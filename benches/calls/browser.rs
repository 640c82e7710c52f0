//! A browser's side of a call: connectivity checks (RFC 8445), the DTLS handshake as its client (RFC 5764), and the keys that
//! come out of it. The handshake is the one of the `media` crate, with our own certificate.

use std::{
    io,
    net::{SocketAddr, SocketAddrV4, UdpSocket},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use media::{
    dtls::{self, Association, Keys, Outcome},
    time::At,
    wire::{DtlsRole, Ice, Secret},
};
use sha1::Sha1;

use crate::load::real_ns;

/// Without keys after this long there will be none.
const PATIENCE_NS: u64 = 10_000_000_000;
/// A check without an answer is sent again after this.
const AGAIN_NS: u64 = 100_000_000;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// Largest datagram of a handshake.
const DATAGRAM_MAX: usize = 4_096;

/// What the server's side of the `leg`th call is known by.
pub fn server(leg: u64) -> Ice {
    Ice { ufrag: format!("s{leg:07}"), pwd: Secret(b"the-server's-password-24".to_vec().into()) }
}

/// What ours is.
pub fn ours() -> Ice {
    Ice { ufrag: "browser".into(), pwd: Secret(b"the-browsers-password-24".to_vec().into()) }
}

/// The SHA-256 of the certificate we show.
pub fn fingerprint() -> [u8; 32] {
    dtls::identity().fingerprint
}

/// A connected browser.
#[derive(Debug, Clone)]
pub struct Browser {
    pub keys: Keys,
    /// The check that keeps the server's consent to send fresh (RFC 7675).
    pub check: Vec<u8>,
}

/// Checks, shakes hands, and comes back with the keys. `theirs`: the fingerprint of the server's certificate.
pub fn connect(socket: &UdpSocket, to: SocketAddrV4, leg: u64, theirs: [u8; 32]) -> io::Result<Browser> {
    let check = check(&server(leg), &ours());
    let mut dtls = Association::new(dtls::identity(), DtlsRole::Client, theirs);
    let begun = real_ns();
    let now = || At(real_ns() - begun + 1);
    let mut send = |p: &[u8]| {
        // What the kernel does not take is sent again by the handshake's own clock.
        let _ = socket.send_to(p, to);
    };
    let (mut answered, mut checked_at) = (false, None);
    let mut room = [0; DATAGRAM_MAX];
    while now().0 < PATIENCE_NS {
        if !answered && checked_at.is_none_or(|at| now().0 > at + AGAIN_NS) {
            send(&check);
            checked_at = Some(now().0);
        }
        let outcome = match socket.recv_from(&mut room) {
            Ok((n, from)) if from == SocketAddr::V4(to) && n > 0 => match room[0] {
                0..=3 if !answered => {
                    answered = true;
                    dtls.start(now(), &mut send)
                }
                20..=63 => dtls.read(now(), &room[..n], &mut send),
                _ => Outcome::Going,
            },
            // Somebody else's, or nothing.
            Ok(_) => Outcome::Going,
            Err(_) if answered => dtls.tick(now(), &mut send),
            Err(_) => Outcome::Going,
        };
        match outcome {
            Outcome::Going => {}
            Outcome::Keys(keys) => return Ok(Browser { keys: *keys, check }),
            Outcome::Failed(why) => return Err(io::Error::other(format!("no handshake with {to}: {why}"))),
        }
    }
    Err(io::Error::other(format!("{to} does not answer a browser (checked: {answered})")))
}

/// A binding request that nominates (RFC 8489 section 5, RFC 8445 section 7.1).
fn check(theirs: &Ice, ours: &Ice) -> Vec<u8> {
    let mut p = vec![0, 1, 0, 0];
    p.extend(COOKIE);
    p.extend(*b"transaction!");
    put(&mut p, 0x0006, format!("{}:{}", theirs.ufrag, ours.ufrag).as_bytes());
    put(&mut p, 0x0024, &[0x6e, 0, 1, 0xff]); // PRIORITY
    put(&mut p, 0x802a, &[1, 2, 3, 4, 5, 6, 7, 8]); // ICE-CONTROLLING
    put(&mut p, 0x0025, &[]); // USE-CANDIDATE
    // The length counts what is signed next, then the checksum besides.
    length(&mut p, 24);
    let mut mac = Hmac::<Sha1>::new_from_slice(&theirs.pwd.0).expect("any length is a key");
    mac.update(&p);
    put(&mut p, 0x0008, &mac.finalize().into_bytes());
    length(&mut p, 8);
    let sum = crc32(&p) ^ 0x5354_554e;
    put(&mut p, 0x8028, &sum.to_be_bytes());
    p
}

fn put(p: &mut Vec<u8>, kind: u16, value: &[u8]) {
    p.extend(kind.to_be_bytes());
    p.extend((value.len() as u16).to_be_bytes());
    p.extend(value);
    p.resize(p.len().next_multiple_of(4), 0);
}

fn length(p: &mut [u8], more: usize) {
    let length = (p.len() - 20 + more) as u16;
    p[2..4].copy_from_slice(&length.to_be_bytes());
}

/// The checksum of Ethernet, bit by bit: a few packets are made with it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use media::ice::{Agent, What};

    use super::*;

    #[test]
    fn a_check_of_ours_is_one_that_nominates_to_the_server() {
        let mut agent = Agent::new(&server(7));
        agent.peer(&ours());
        let from = "127.0.0.1:4000".parse().unwrap();
        let mut answer = [0; media::ice::stun::ANSWER_MAX];
        assert!(matches!(agent.handle(At(1), from, &check(&server(7), &ours()), &mut answer), What::Nominated(_)));
        assert!(matches!(agent.handle(At(1), from, &check(&server(8), &ours()), &mut answer), What::Foreign));
    }
}
