//! A leg's guard against a phone with SDES, a browser, and strangers.

use std::time::Duration;

use super::*;
use crate::{
    dtls::tests::other,
    ice::stun::ask::Ask,
    rtp::{HEADER, Header, write_header},
    wire::{Codec, DtlsRole, Secret, SrtpKey, SrtpSuite},
};

#[derive(Default)]
struct Said {
    sent: Vec<(SocketAddr, Vec<u8>)>,
    secured: u32,
    unsecured: Vec<&'static str>,
}

impl Outside for Said {
    fn send(&mut self, to: SocketAddr, packet: &[u8]) {
        self.sent.push((to, packet.to_vec()));
    }
    fn secured(&mut self) {
        self.secured += 1;
    }
    fn unsecured(&mut self, reason: &'static str) {
        self.unsecured.push(reason);
    }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], port))
}

fn secs(s: u64) -> At {
    At(s * 1_000_000_000)
}

fn key(n: u8) -> SrtpKey {
    SrtpKey { suite: SrtpSuite::Aes128Sha1Tag80, key_and_salt: Secret([n; 30].into()) }
}

fn sdes(send: u8, receive: u8) -> Security {
    Security::Sdes { send: key(send), receive: key(receive) }
}

fn remote(security: Security) -> Remote {
    Remote { security, ..Remote::plain(at(4_000), Codec::Pcma, 8) }
}

fn rtp(seq: u16) -> Vec<u8> {
    let mut p = vec![0x55; HEADER + 160];
    write_header(&Header { marker: false, pt: 8, seq, ts: 0, ssrc: 7 }, p.first_chunk_mut().expect("twelve"));
    p
}

fn rtcp() -> Vec<u8> {
    vec![0x80, 201, 0, 1, 0, 0, 0, 7]
}

fn protected(s: &mut Sender, plain: &[u8]) -> Vec<u8> {
    let mut p = plain.to_vec();
    p.resize(plain.len() + GROWTH_MAX, 0);
    let n = if looks_like_rtcp(plain) { s.protect_rtcp(&mut p, plain.len()) } else { s.protect_rtp(&mut p, plain.len()) };
    p.truncate(n.expect("sendable"));
    p
}

struct Leg {
    guard: Option<Box<Guard>>,
    said: Said,
    now: At,
}

impl Leg {
    fn new() -> Self {
        Self { guard: None, said: Said::default(), now: secs(10) }
    }
    fn agree(&mut self, remote: &Remote) {
        Guard::agree(&mut self.guard, self.now, remote, &mut self.said);
    }
    fn guard(&mut self) -> &mut Guard {
        self.guard.as_mut().expect("a guard")
    }
    /// From the address agreed.
    fn hears(&mut self, packet: &[u8]) -> (Incoming, Vec<u8>) {
        self.hears_from(at(4_000), packet)
    }
    fn hears_from(&mut self, from: SocketAddr, packet: &[u8]) -> (Incoming, Vec<u8>) {
        let mut p = packet.to_vec();
        let g = self.guard.as_mut().expect("a guard");
        let what = g.incoming(self.now, Plane::Rtp, from, from == at(4_000), &mut p, &mut self.said);
        if let Incoming::Rtp(n) | Incoming::Rtcp(n) = what {
            p.truncate(n);
        }
        (what, p)
    }
    fn says(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut room = [0; ROOM];
        self.guard().protect(looks_like_rtcp(packet), packet, &mut room).map(<[u8]>::to_vec)
    }
}

#[test]
fn a_leg_without_secrets_has_no_guard() {
    let mut leg = Leg::new();
    leg.agree(&remote(Security::Clear));
    assert!(leg.guard.is_none());
    assert_eq!(size_of::<Option<Box<Guard>>>(), size_of::<usize>());
    // One with keys and nothing of a handshake left.
    assert!(size_of::<Guard>() + size_of::<Keys>() + size_of::<Association>() < 8 << 10);
}

#[test]
fn an_sdes_leg_speaks_and_hears_under_its_keys_and_nothing_in_clear() {
    let mut leg = Leg::new();
    leg.agree(&remote(sdes(1, 2)));
    let (mut peer_out, mut peer_in) = (Sender::new(&key(2)).expect("fits"), Receiver::new(&key(1)).expect("fits"));
    let packet = protected(&mut peer_out, &rtp(1));
    assert_eq!(leg.hears(&packet), (Incoming::Rtp(172), rtp(1)));
    assert_eq!(leg.hears(&packet).0, Incoming::Unauthentic, "once");
    let report = protected(&mut peer_out, &rtcp());
    assert_eq!(leg.hears(&report), (Incoming::Rtcp(8), rtcp()));
    assert_eq!(leg.hears(&rtp(2)).0, Incoming::Unauthentic);
    assert_eq!(leg.hears_from(at(9), &protected(&mut peer_out, &rtp(2))).0, Incoming::Foreign, "from elsewhere");
    for noise in [&[][..], &[0, 1, 2], &[22; 40], &[200; 40], &[0x80; 5]] {
        assert_eq!(leg.hears(noise).0, Incoming::Foreign);
    }
    let mut said = leg.says(&rtp(1)).expect("keys are there");
    assert_eq!(said.len(), 182);
    assert_eq!(peer_in.unprotect_rtp(&mut said), Ok(172));
    let mut said = leg.says(&rtcp()).expect("keys are there");
    assert_eq!(peer_in.unprotect_rtcp(&mut said), Ok(8));
    assert!(leg.said.sent.is_empty() && leg.said.unsecured.is_empty());
}

#[test]
fn the_same_keys_again_go_on_and_new_ones_are_taken_up_while_old_packets_are_on_their_way() {
    let mut leg = Leg::new();
    leg.agree(&remote(sdes(1, 2)));
    let mut old = Sender::new(&key(2)).expect("fits");
    let first = protected(&mut old, &rtp(1));
    assert_eq!(leg.hears(&first).0, Incoming::Rtp(172));
    leg.says(&rtp(1)).expect("new");
    leg.agree(&Remote { ptime_ms: 40, ..remote(sdes(1, 2)) });
    assert_eq!(leg.hears(&first).0, Incoming::Unauthentic, "still known");
    assert_eq!(leg.says(&rtp(1)), None, "still counted");
    // The peer's key changes, ours does not.
    leg.agree(&remote(sdes(1, 3)));
    assert_eq!(leg.says(&rtp(1)), None);
    let mut new = Sender::new(&key(3)).expect("fits");
    assert_eq!(leg.hears(&protected(&mut old, &rtp(2))), (Incoming::Rtp(172), rtp(2)), "on its way");
    assert_eq!(leg.hears(&first).0, Incoming::Unauthentic);
    let (packet, late) = (protected(&mut new, &rtp(3)), protected(&mut old, &rtp(4)));
    assert_eq!(leg.hears(&packet), (Incoming::Rtp(172), rtp(3)));
    assert_eq!(leg.hears(&late).0, Incoming::Unauthentic, "the old key is over");
    leg.agree(&remote(sdes(5, 4)));
    assert!(leg.says(&rtp(1)).is_some(), "another key counts anew");
    leg.now = leg.now + Duration::from_secs(5);
    assert_eq!(leg.hears(&protected(&mut new, &rtp(5))).0, Incoming::Unauthentic, "five seconds later it is, too");
}

#[test]
fn a_key_that_is_none_shuts_the_leg() {
    let mut leg = Leg::new();
    let short = SrtpKey { suite: SrtpSuite::Aes256Gcm, key_and_salt: Secret([1; 30].into()) };
    leg.agree(&remote(Security::Sdes { send: short.clone(), receive: short }));
    assert_eq!(leg.said.unsecured.len(), 1);
    assert!(leg.guard().is_shut() && leg.says(&rtp(1)).is_none());
    assert_eq!(leg.hears(&rtp(1)).0, Incoming::Foreign);
}

/// A browser: checks connectivity, shakes hands, speaks SRTP.
struct Browser {
    dtls: Association,
    keys: Option<(Sender, Receiver)>,
    at: SocketAddr,
}

const PASSWORD: &str = "our-password-of-22-chars";

fn ice(ufrag: &str, pwd: &str) -> Ice {
    Ice { ufrag: ufrag.into(), pwd: Secret(pwd.as_bytes().into()) }
}

impl Browser {
    fn new(role: DtlsRole) -> Self {
        Self { dtls: Association::new(other(), role, dtls::identity().fingerprint), keys: None, at: at(50_000) }
    }

    /// What the leg agreed with this browser.
    fn remote(&self, role: DtlsRole) -> Remote {
        let security = Security::Dtls { role, fingerprint: other().fingerprint };
        let rtp = SocketAddr::from(([0, 0, 0, 0], 9));
        Remote { rtp, rtcp: rtp, ice: Some(ice("them", "their-password-of-22-ch")), ..remote(security) }
    }

    /// Everything said is carried over and answered until nobody has anything to say.
    fn talk(&mut self, leg: &mut Leg, mut packets: Vec<Vec<u8>>) {
        for _ in 0..20 {
            for p in std::mem::take(&mut packets) {
                assert_eq!(leg.hears_from(self.at, &p).0, Incoming::Done);
            }
            for (to, p) in std::mem::take(&mut leg.said.sent) {
                assert_eq!(to, self.at);
                if (20..=63).contains(&p[0])
                    && let Outcome::Keys(k) = self.dtls.read(leg.now, &p, &mut |p| packets.push(p.to_vec()))
                {
                    self.keys = Some((Sender::new(&k.send).expect("fits"), Receiver::new(&k.receive).expect("fits")));
                }
            }
        }
    }
}

#[test]
fn a_browser_is_checked_shaken_hands_with_and_heard_whoever_begins() {
    for (ours, theirs) in [(DtlsRole::Server, DtlsRole::Client), (DtlsRole::Client, DtlsRole::Server)] {
        let (mut leg, mut browser) = (Leg::new(), Browser::new(theirs));
        Guard::credentials(&mut leg.guard, &ice("ours", PASSWORD));
        assert!(leg.guard().is_shut(), "nothing before something was agreed");
        leg.agree(&browser.remote(ours));
        assert!(leg.said.sent.is_empty(), "nothing to an address that was not checked");
        let mut hello = Vec::new();
        browser.dtls.start(leg.now, &mut |p| hello.push(p.to_vec()));
        for p in &hello {
            assert_eq!(leg.hears_from(browser.at, p).0, Incoming::Foreign, "nor from one");
        }
        let mut first = vec![Ask::new("ours:them", PASSWORD).nominating().bytes()];
        first.append(&mut hello);
        browser.talk(&mut leg, first);
        assert_eq!((leg.said.secured, leg.guard().target()), (1, Some(browser.at)));
        let (out, into) = browser.keys.as_mut().expect("the browser has keys, too");
        assert_eq!(leg.hears_from(browser.at, &protected(out, &rtp(1))), (Incoming::Rtp(172), rtp(1)));
        assert_eq!(leg.hears_from(browser.at, &rtp(2)).0, Incoming::Unauthentic);
        assert_eq!(leg.hears_from(at(4_000), &protected(out, &rtp(3))).0, Incoming::Foreign, "an unchecked address");
        let mut said = leg.says(&rtp(1)).expect("keys are there");
        assert_eq!(into.unprotect_rtp(&mut said), Ok(172));
        // What was agreed again is the same association; thirty seconds without a check end the sending.
        leg.agree(&browser.remote(ours));
        assert!(leg.says(&rtp(2)).is_some());
        leg.now = leg.now + Duration::from_secs(31);
        leg.guard.as_mut().expect("a guard").tick(leg.now, &mut leg.said);
        assert_eq!(leg.guard().target(), None);
    }
}

#[test]
fn a_phone_without_ice_may_shake_hands_from_where_it_was_announced() {
    let (mut leg, mut phone) = (Leg::new(), Browser::new(DtlsRole::Server));
    phone.at = at(4_000);
    leg.agree(&remote(Security::Dtls { role: DtlsRole::Client, fingerprint: other().fingerprint }));
    assert_eq!(leg.said.sent.first().map(|s| s.0), Some(at(4_000)), "we begin");
    phone.talk(&mut leg, Vec::new());
    assert_eq!(leg.said.secured, 1);
    let (out, _) = phone.keys.as_mut().expect("keys");
    assert_eq!(leg.hears(&protected(out, &rtp(1))).0, Incoming::Rtp(172));
}

#[test]
fn another_certificate_than_announced_is_said_and_nothing_flows() {
    let (mut leg, mut phone) = (Leg::new(), Browser::new(DtlsRole::Server));
    phone.at = at(4_000);
    leg.agree(&remote(Security::Dtls { role: DtlsRole::Client, fingerprint: [9; 32] }));
    phone.talk(&mut leg, Vec::new());
    assert_eq!(leg.said.unsecured, ["the certificate is not the one announced"]);
    assert!(leg.says(&rtp(1)).is_none() && leg.guard().is_shut());
}

#[test]
fn a_repeated_flight_goes_to_where_the_peer_is() {
    let mut leg = Leg::new();
    leg.agree(&remote(Security::Dtls { role: DtlsRole::Client, fingerprint: [9; 32] }));
    let due = leg.guard().deadline().expect("the hello may be lost");
    leg.guard.as_mut().expect("a guard").tick(due, &mut leg.said);
    assert_eq!(leg.said.sent.len(), 2);
    for _ in 0..20 {
        if let Some(due) = leg.guard().deadline() {
            leg.guard.as_mut().expect("a guard").tick(due, &mut leg.said);
        }
    }
    assert_eq!((leg.said.sent.len(), leg.said.unsecured.as_slice()), (8, &["the handshake got no answer"][..]));
}
