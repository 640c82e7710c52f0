//! Two ends of a handshake, and a network that loses, cuts and repeats.

use std::time::Duration;

use super::*;

/// The other end. Tests of everything that meets DTLS use it.
pub(crate) fn other() -> &'static Identity {
    static OTHER: std::sync::LazyLock<Identity> = std::sync::LazyLock::new(|| Identity::with(&identity::PROFILES));
    &OTHER
}

/// Ends that know one profile each, in the order of [`identity::PROFILES`].
fn narrow() -> &'static [Identity; 4] {
    static NARROW: std::sync::LazyLock<[Identity; 4]> =
        std::sync::LazyLock::new(|| identity::PROFILES.map(|profile| Identity::with(&[profile])));
    &NARROW
}

fn secs(s: u64) -> At {
    At(s * 1_000_000_000)
}

struct Two {
    client: Association,
    server: Association,
    now: At,
    /// Datagrams so far, and which of them are lost.
    sent: usize,
    lost: Vec<usize>,
    keys: [Option<Keys>; 2],
    failed: [Option<&'static str>; 2],
}

impl Two {
    fn new() -> Self {
        Self::between(identity(), other())
    }

    fn between(client: &'static Identity, server: &'static Identity) -> Self {
        Self {
            client: Association::new(client, DtlsRole::Client, server.fingerprint),
            server: Association::new(server, DtlsRole::Server, client.fingerprint),
            now: secs(100),
            sent: 0,
            lost: Vec::new(),
            keys: [None, None],
            failed: [None, None],
        }
    }

    fn note(&mut self, who: usize, outcome: Outcome) {
        match outcome {
            Outcome::Going => {}
            Outcome::Keys(k) => self.keys[who] = Some(*k),
            Outcome::Failed(reason) => self.failed[who] = Some(reason),
        }
    }

    /// Until nobody has anything to say before this moment.
    fn run(&mut self, until: At) {
        let mut waiting = [Vec::new(), Vec::new()];
        let outcome = self.client.start(self.now, &mut |p| waiting[1].push(p.to_vec()));
        self.note(0, outcome);
        while self.now <= until {
            while waiting.iter().any(|w| !w.is_empty()) {
                for to in [0, 1] {
                    for packet in std::mem::take(&mut waiting[to]) {
                        self.sent += 1;
                        if self.lost.contains(&self.sent) {
                            continue;
                        }
                        let (end, back) = if to == 0 { (&mut self.client, 1) } else { (&mut self.server, 0) };
                        let outcome = end.read(self.now, &packet, &mut |p| waiting[back].push(p.to_vec()));
                        self.note(to, outcome);
                    }
                }
            }
            let due = [self.client.deadline(), self.server.deadline()].into_iter().flatten().min();
            self.now = due.unwrap_or(until + Duration::from_nanos(1)).max(self.now);
            if self.now > until {
                break;
            }
            let outcome = self.client.tick(self.now, &mut |p| waiting[1].push(p.to_vec()));
            self.note(0, outcome);
            let outcome = self.server.tick(self.now, &mut |p| waiting[0].push(p.to_vec()));
            self.note(1, outcome);
        }
        self.now = until;
    }

    fn agree(&self) -> bool {
        let [Some(c), Some(s)] = &self.keys else { return false };
        c.send == s.receive && c.receive == s.send && c.send != c.receive
    }
}

#[test]
fn two_ends_shake_hands_and_each_sends_with_what_the_other_receives_with() {
    let mut two = Two::new();
    two.run(secs(101));
    assert!(two.agree(), "{:?}", two.failed);
    let suite = two.keys[0].as_ref().expect("keys").send.suite;
    assert_eq!(suite, SrtpSuite::Aes128Gcm);
    assert!(two.sent <= 8, "{} datagrams", two.sent);
}

#[test]
fn each_datagram_may_be_lost_and_the_handshake_ends_all_the_same() {
    for lost in 1..=6 {
        let mut two = Two::new();
        two.lost = vec![lost];
        two.run(secs(110));
        assert!(two.agree(), "without datagram {lost}: {:?}", two.failed);
    }
}

#[test]
fn every_profile_is_agreed_when_it_is_the_only_one_in_common() {
    for (only, suite) in narrow().iter().zip([
        SrtpSuite::Aes128Gcm,
        SrtpSuite::Aes256Gcm,
        SrtpSuite::Aes128Sha1Tag80,
        SrtpSuite::Aes128Sha1Tag32,
    ]) {
        for (client, server) in [(only, other()), (other(), only)] {
            let mut two = Two::between(client, server);
            two.run(secs(101));
            assert!(two.agree(), "{suite:?}");
            assert_eq!(two.keys[0].as_ref().expect("keys").send.suite, suite);
        }
    }
}

#[test]
fn a_certificate_that_was_not_announced_gives_no_keys() {
    for liar in [0, 1] {
        let mut two = Two::new();
        let end = if liar == 0 { &mut two.server } else { &mut two.client };
        end.fingerprint[0] ^= 1;
        two.run(secs(120));
        assert!(two.keys[1 - liar].is_none(), "who was told another fingerprint has no keys");
        assert_eq!(two.failed[1 - liar], Some("the certificate is not the one announced"));
    }
}

#[test]
fn nobody_there_is_said_after_eight_seconds() {
    let mut two = Two::new();
    two.lost = (1..100).collect();
    two.run(secs(120));
    assert_eq!(two.failed, [Some("the handshake got no answer"), None]);
    assert_eq!(two.sent, 8, "one hello and seven repeats");
}

#[test]
fn profiles_that_differ_are_a_refusal_with_a_reason() {
    // AES-GCM of 256 bits, and AES-CM.
    let [_, one, other, _] = narrow();
    let mut two = Two::between(one, other);
    two.run(secs(120));
    assert_eq!(two.keys, [None, None]);
    assert_eq!(two.failed, [Some("the peer refused the handshake"), Some("no SRTP profile in common")]);
}

#[test]
fn a_new_handshake_of_the_same_peer_gives_new_keys() {
    let mut two = Two::new();
    two.run(secs(101));
    let before = two.keys.clone();
    two.server.arrived();
    two.client = Association::new(identity(), DtlsRole::Client, other().fingerprint);
    two.run(secs(102));
    assert!(two.agree() && two.keys[0] != before[0]);
}

#[test]
fn after_the_handshake_only_the_servers_last_flight_is_kept_and_not_for_long() {
    let mut two = Two::new();
    two.run(secs(101));
    assert!(matches!(two.client.state, State::Idle) && matches!(two.server.state, State::Lingering { .. }));
    two.server.arrived();
    assert!(matches!(two.server.state, State::Idle));
    let mut two = Two::new();
    two.run(secs(140));
    assert!(matches!(two.server.state, State::Idle));
}

/// The records of a datagram.
fn records(mut datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while datagram.len() >= RECORD {
        let end = RECORD + usize::from(u16::from_be_bytes([datagram[11], datagram[12]]));
        records.push(datagram[..end].to_vec());
        datagram = &datagram[end..];
    }
    records
}

/// A hello as a browser sends it that speaks DTLS 1.3, too: versions and a large key share besides, in two fragments.
fn hello_of_1_3(hello: &[u8]) -> [Vec<u8>; 2] {
    let mut body = hello[RECORD + 12..].to_vec();
    // version, random, session, cookie, suites, compression: then the length of the extensions.
    let mut at = 2 + 32;
    at += 1 + usize::from(body[at]);
    at += 1 + usize::from(body[at]);
    at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    at += 1 + usize::from(body[at]);
    body.extend([0, 43, 0, 5, 4, 0xFE, 0xFC, 0xFE, 0xFD]);
    body.extend([0, 51, 4, 0xCA, 4, 0xC8, 0x11, 0xEC, 4, 0xC4]);
    body.extend([0x5A; 0x4C4]);
    let extensions = (body.len() - at - 2) as u16;
    body[at..at + 2].copy_from_slice(&extensions.to_be_bytes());
    let total = (body.len() as u32).to_be_bytes();
    let mut offset = 0u32;
    let parts: Vec<Vec<u8>> = body
        .chunks(1_100)
        .enumerate()
        .map(|(n, part)| {
            let mut p = hello[..RECORD].to_vec();
            p[10] = n as u8;
            p[11..13].copy_from_slice(&(part.len() as u16 + 12).to_be_bytes());
            p.push(1);
            p.extend(&total[1..]);
            p.extend(&hello[RECORD + 4..RECORD + 6]);
            p.extend(&offset.to_be_bytes()[1..]);
            p.extend(&(part.len() as u32).to_be_bytes()[1..]);
            p.extend(part);
            offset += part.len() as u32;
            p
        })
        .collect();
    parts.try_into().expect("two")
}

#[test]
fn a_browser_that_offers_dtls_1_3_in_a_hello_of_two_fragments_is_answered_in_1_2() {
    let mut client = Association::new(other(), DtlsRole::Client, identity().fingerprint);
    let mut server = Association::new(identity(), DtlsRole::Server, other().fingerprint);
    let (mut hello, mut answer) = (Vec::new(), Vec::new());
    client.start(secs(1), &mut |p| hello.push(p.to_vec()));
    for part in hello_of_1_3(&hello[0]) {
        assert!(answer.is_empty());
        assert_eq!(server.read(secs(1), &part, &mut |p| answer.push(p.to_vec())), Outcome::Going);
    }
    // HelloVerifyRequest (3): prove that you are where you say.
    let verify = answer.pop().expect("an answer");
    assert_eq!((verify[1], verify[2], verify[RECORD]), (0xFE, 0xFD, 3));
    client.read(secs(1), &verify, &mut |p| hello.push(p.to_vec()));
    let mut again = hello_of_1_3(&hello[1]);
    (again[0][10], again[1][10]) = (2, 3);
    for part in again {
        assert_eq!(server.read(secs(1), &part, &mut |p| answer.extend(records(p))), Outcome::Going);
    }
    // Half a hello may make the server ask once more for proof, which the client has given by then.
    answer.retain(|r| r[RECORD] != 3);
    let kinds: Vec<u8> = answer.iter().map(|r| r[RECORD]).collect();
    assert_eq!(kinds, [2, 11, 12, 13, 14], "ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone");
    assert_eq!(answer[0][RECORD + 12..RECORD + 14], [0xFE, 0xFD], "DTLS 1.2");
}

#[test]
fn noise_on_the_way_does_not_end_a_handshake() {
    let mut chance = crate::time::Chance::new(4);
    let mut two = Two::new();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    two.client.start(two.now, &mut |p| to_server.push(p.to_vec()));
    for _ in 0..12 {
        for packet in std::mem::take(&mut to_server) {
            // A copy without its end, one of another version, one of rubbish under a right header of an epoch to come.
            let mut rubbish = packet.clone();
            rubbish[3..5].copy_from_slice(&[0, 1]);
            rubbish[RECORD..].iter_mut().for_each(|b| *b = chance.word() as u8);
            for noise in [&packet[..packet.len() - 1], &[22, 1, 1, 0][..], &rubbish[..]] {
                two.server.read(two.now, noise, &mut |p| to_client.push(p.to_vec()));
            }
            let outcome = two.server.read(two.now, &packet, &mut |p| to_client.push(p.to_vec()));
            two.note(1, outcome);
        }
        for packet in std::mem::take(&mut to_client) {
            let outcome = two.client.read(two.now, &packet, &mut |p| to_server.push(p.to_vec()));
            two.note(0, outcome);
        }
    }
    assert!(two.agree(), "{:?}", two.failed);
}
