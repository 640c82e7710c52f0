//! Stories of legs with keys: SDES phones, a browser, strangers, and noise, on one shard in virtual time.

use std::{net::SocketAddr, time::Duration};

use super::{Out, Plane, Setup, Shard, Slot};
use crate::{
    dtls::{self, Association, Outcome, tests::other},
    ice::stun::ask::{Ask, read_answer},
    record::Job,
    rtp::{HEADER, Header, packet::looks_like_rtcp, parse, write_header},
    srtp::{GROWTH_MAX, Receiver, Sender},
    time::{At, Chance},
    wire::{Audience, BridgeId, Codec, Command, DtlsRole, Event, Ice, LegId, Remote, Secret, Security, SrtpKey, SrtpSuite},
};

#[derive(Default)]
struct Net {
    sent: Vec<(Slot, SocketAddr, Vec<u8>)>,
    events: Vec<Event>,
}

impl Out for Net {
    fn send(&mut self, slot: Slot, _: Plane, to: SocketAddr, packet: &[u8]) {
        self.sent.push((slot, to, packet.to_vec()));
    }
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
    fn record(&mut self, _: Job) -> bool {
        true
    }
    fn gone(&mut self, _: Slot) {}
}

/// How a phone protects its packets.
enum Armour {
    Clear,
    Srtp(Box<(Sender, Receiver)>),
    /// Until the handshake is done.
    Shaking(Box<Association>),
}

struct Phone {
    leg: LegId,
    slot: Slot,
    at: SocketAddr,
    armour: Armour,
    seq: u16,
    /// Payloads it could read, and packets it could not.
    heard: Vec<Vec<u8>>,
    unreadable: u32,
    /// Answers to its checks.
    checked: u32,
}

struct Rig {
    shard: Shard,
    now: At,
    net: Net,
    phones: Vec<Phone>,
}

const PASSWORD: &str = "our-password-of-22-chars";

fn key(suite: SrtpSuite, n: u8) -> SrtpKey {
    let (key, salt) = suite.lengths();
    SrtpKey { suite, key_and_salt: Secret(vec![n; key + salt].into()) }
}

fn ice(ufrag: &str, pwd: &str) -> Ice {
    Ice { ufrag: ufrag.into(), pwd: Secret(pwd.as_bytes().into()) }
}

impl Rig {
    fn new() -> Self {
        let shard = Shard::new(Setup { seed: 7, ntp_at_zero: 0 });
        Self { shard, now: At(1_000_000_000), net: Net::default(), phones: Vec::new() }
    }

    fn tell(&mut self, c: Command) {
        self.shard.command(self.now, c, &mut self.net);
    }

    fn add(&mut self, armour: Armour, security: Security, checks: bool) -> usize {
        let n = self.phones.len();
        let leg = LegId(n as u64);
        let at = SocketAddr::from(([198, 51, 100, n as u8 + 1], 4_000));
        let slot = self.shard.open(self.now, leg).expect("room");
        let mut remote = Remote { rtcp: at, security, ..Remote::plain(at, Codec::Pcma, 8) };
        if checks {
            self.tell(Command::Credentials { leg, ice: ice("ours", PASSWORD) });
            remote.ice = Some(ice("them", "their-password-of-22-ch"));
            (remote.rtp, remote.rtcp) = (([0, 0, 0, 0], 9).into(), ([0, 0, 0, 0], 9).into());
        }
        self.phones.push(Phone { leg, slot, at, armour, seq: 65_530, heard: Vec::new(), unreadable: 0, checked: 0 });
        self.tell(Command::Agree { leg, remote });
        n
    }

    fn clear(&mut self) -> usize {
        self.add(Armour::Clear, Security::Clear, false)
    }

    /// Whose keys are what it was told, or are not.
    fn sdes(&mut self, suite: SrtpSuite, right: bool) -> usize {
        let theirs = if right { 2 } else { 3 };
        let srtp = (
            Sender::new(&key(suite, theirs)).expect("fits"),
            Receiver::new(&key(suite, if right { 1 } else { 4 })).expect("fits"),
        );
        let security = Security::Sdes { send: key(suite, 1), receive: key(suite, 2) };
        self.add(Armour::Srtp(Box::new(srtp)), security, false)
    }

    fn browser(&mut self, role: DtlsRole) -> usize {
        let theirs = if role == DtlsRole::Server { DtlsRole::Client } else { DtlsRole::Server };
        let dtls = Association::new(other(), theirs, dtls::identity().fingerprint);
        let security = Security::Dtls { role, fingerprint: other().fingerprint };
        self.add(Armour::Shaking(Box::new(dtls)), security, true)
    }

    fn bridge(&mut self, phones: &[usize]) {
        let legs: Vec<LegId> = phones.iter().map(|n| self.phones[*n].leg).collect();
        self.tell(Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&legs) });
    }

    fn arrives(&mut self, n: usize, mut packet: Vec<u8>) {
        let (slot, at) = (self.phones[n].slot, self.phones[n].at);
        self.shard.packet(self.now, slot, Plane::Rtp, at, &mut packet, &mut self.net);
    }

    /// A packet of sound that says who speaks; nothing from a browser that is not ready.
    fn speak(&mut self, n: usize) {
        let p = &mut self.phones[n];
        let mut packet = vec![n as u8 + 0x50; HEADER + 160];
        let ts = u32::from(p.seq.wrapping_sub(65_530)) * 160;
        let h = Header { marker: false, pt: 8, seq: p.seq, ts, ssrc: 100 + n as u32 };
        write_header(&h, packet.first_chunk_mut().expect("twelve"));
        match &mut p.armour {
            Armour::Clear => {}
            Armour::Srtp(s) => {
                packet.resize(HEADER + 160 + GROWTH_MAX, 0);
                let length = s.0.protect_rtp(&mut packet, HEADER + 160).expect("sendable");
                packet.truncate(length);
            }
            Armour::Shaking(_) => return,
        }
        p.seq = p.seq.wrapping_add(1);
        self.arrives(n, packet);
    }

    /// What the shard sent comes to the phones; what they answer at once comes back.
    fn deliver(&mut self) {
        while !self.net.sent.is_empty() {
            for (slot, to, packet) in std::mem::take(&mut self.net.sent) {
                let n = self.phones.iter().position(|p| p.at == to && p.slot == slot).expect("nothing to strangers");
                for answer in self.phones[n].takes(self.now, packet) {
                    self.arrives(n, answer);
                }
            }
        }
    }

    /// Everybody speaks every 20 ms; browsers check connectivity every second.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            for n in 0..self.phones.len() {
                if let Armour::Shaking(_) = self.phones[n].armour
                    && self.now.0.is_multiple_of(1_000_000_000)
                {
                    self.arrives(n, Ask::new("ours:them", PASSWORD).nominating().bytes());
                    let mut hello = Vec::new();
                    if let Armour::Shaking(dtls) = &mut self.phones[n].armour {
                        dtls.start(self.now, &mut |p| hello.push(p.to_vec()));
                    }
                    hello.into_iter().for_each(|p| self.arrives(n, p));
                }
                self.speak(n);
            }
            self.deliver();
            for _ in 0..4 {
                self.shard.tick(self.now, &mut self.net);
                self.deliver();
                self.now = self.now + Duration::from_millis(5);
            }
        }
    }

    /// How many of the last packets a phone heard are another's voice.
    fn hears(&self, n: usize, speaker: usize) -> usize {
        let voice = vec![speaker as u8 + 0x50; 160];
        self.phones[n].heard.iter().filter(|h| **h == voice).count()
    }

    fn unauthentic(&mut self, n: usize) -> u64 {
        self.tell(Command::Report { leg: self.phones[n].leg });
        match self.net.events.last() {
            Some(Event::Stats { stats, .. }) => stats.unauthentic,
            other => panic!("{other:?}"),
        }
    }
}

impl Phone {
    fn takes(&mut self, now: At, mut packet: Vec<u8>) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        match packet[0] {
            0..=3 => {
                assert_eq!(read_answer(&packet, PASSWORD), Some((0x0101, None, Some(self.at))));
                self.checked += 1;
            }
            20..=63 => {
                if let Armour::Shaking(dtls) = &mut self.armour
                    && let Outcome::Keys(k) = dtls.read(now, &packet, &mut |p| answers.push(p.to_vec()))
                {
                    let srtp = (Sender::new(&k.send).expect("fits"), Receiver::new(&k.receive).expect("fits"));
                    self.armour = Armour::Srtp(Box::new(srtp));
                }
            }
            _ => {
                let rtcp = looks_like_rtcp(&packet);
                let read = match &mut self.armour {
                    Armour::Clear => Ok(packet.len()),
                    Armour::Srtp(s) if rtcp => s.1.unprotect_rtcp(&mut packet),
                    Armour::Srtp(s) => s.1.unprotect_rtp(&mut packet),
                    Armour::Shaking(_) => panic!("sound before the keys"),
                };
                match read {
                    Ok(n) if !rtcp => {
                        let (_, payload) = parse(&packet[..n]).expect("RTP");
                        self.heard.push(packet[payload].to_vec());
                    }
                    Ok(_) => {}
                    Err(_) => self.unreadable += 1,
                }
            }
        }
        answers
    }
}

#[test]
fn a_phone_with_keys_and_a_clear_one_hear_each_other_and_it_stays_a_relay() {
    for suite in SrtpSuite::ALL {
        let mut rig = Rig::new();
        let (a, b, c) = (rig.sdes(suite, true), rig.clear(), rig.sdes(suite, true));
        rig.bridge(&[a, b]);
        rig.run(1_000);
        assert_eq!((rig.hears(a, b), rig.hears(b, a)), (50, 50), "{suite:?}");
        assert_eq!(rig.phones[a].unreadable, 0, "the reports, too");
        rig.bridge(&[a, c]);
        rig.run(1_000);
        assert_eq!((rig.hears(a, c), rig.hears(c, a)), (50, 50), "{suite:?}: keys on both sides");
        assert_eq!(rig.shard.totals().relayed, 200);
    }
}

#[test]
fn wrong_keys_are_silence_and_are_counted() {
    let mut rig = Rig::new();
    let (a, b) = (rig.sdes(SrtpSuite::Aes128Sha1Tag80, false), rig.clear());
    rig.bridge(&[a, b]);
    rig.run(1_000);
    assert_eq!((rig.hears(b, a), rig.hears(a, b)), (0, 0));
    assert_eq!(rig.unauthentic(a), 50);
    assert_eq!(rig.unauthentic(b), 0);
    assert!(!rig.net.events.iter().any(|e| matches!(e, Event::Latched { leg, .. } if *leg == LegId(a as u64))));
    assert!(rig.phones[a].unreadable >= 50 && rig.phones[a].heard.is_empty());
}

#[test]
fn a_browser_and_a_phone_hear_each_other_whoever_begins_the_handshake() {
    for role in [DtlsRole::Server, DtlsRole::Client] {
        let mut rig = Rig::new();
        let (a, b) = (rig.browser(role), rig.clear());
        rig.bridge(&[a, b]);
        rig.run(1_000);
        assert!(rig.net.events.contains(&Event::Secured { leg: LegId(a as u64) }), "{:?}", rig.net.events);
        assert!(rig.phones[a].checked > 0 && rig.hears(a, b) >= 48 && rig.hears(b, a) >= 48, "{}", rig.hears(b, a));
        assert_eq!((rig.phones[a].unreadable, rig.unauthentic(a)), (0, 0));
        // The browser is gone without a word: its checks stop, and thirty seconds later our sound does.
        rig.run(31_000);
        let before = rig.phones[a].heard.len();
        rig.run(1_000);
        assert_eq!(rig.phones[a].heard.len(), before);
    }
}

#[test]
fn a_browser_whose_certificate_is_another_one_hears_nothing() {
    let mut rig = Rig::new();
    let (a, b) = (rig.browser(DtlsRole::Server), rig.clear());
    let leg = LegId(a as u64);
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 9));
    let remote = Remote {
        rtcp: nowhere,
        security: Security::Dtls { role: DtlsRole::Server, fingerprint: [1; 32] },
        ice: Some(ice("them", "their-password-of-22-ch")),
        ..Remote::plain(nowhere, Codec::Pcma, 8)
    };
    rig.tell(Command::Agree { leg, remote });
    rig.bridge(&[a, b]);
    rig.run(500);
    let said = Event::Unsecured { leg, reason: "the certificate is not the one announced" };
    assert!(rig.net.events.contains(&said), "{:?}", rig.net.events);
    assert!(rig.hears(b, a) == 0 && rig.phones[a].heard.is_empty());
}

/// A million mutated packets of every kind reach every leg, from its peer's address and from elsewhere, in the middle of calls.
#[test]
fn noise_of_every_kind_gets_no_answer_disturbs_no_call_and_takes_no_room() {
    let count = 1_000_000u32;
    let mut rig = Rig::new();
    let (a, b) = (rig.sdes(SrtpSuite::Aes128Gcm, true), rig.clear());
    let (c, d) = (rig.browser(DtlsRole::Server), rig.sdes(SrtpSuite::Aes256Sha1Tag80, true));
    let idle = rig.browser(DtlsRole::Server);
    rig.bridge(&[a, b]);
    let legs = vec![LegId(c as u64), LegId(d as u64)];
    rig.tell(Command::Bridge { bridge: BridgeId(2), audience: Audience::all(&legs) });
    let mut hello = Vec::new();
    Association::new(other(), DtlsRole::Client, [0; 32]).start(rig.now, &mut |p| hello = p.to_vec());
    rig.run(1_000);
    let foreign = rig.shard.totals().foreign;
    let mut chance = Chance::new(0x5EED);
    let mut sound = vec![0x55; HEADER + 160];
    write_header(&Header { marker: true, pt: 8, seq: 1, ts: 2, ssrc: 100 }, sound.first_chunk_mut().expect("twelve"));
    let mut sealed = sound.clone();
    sealed.resize(sound.len() + GROWTH_MAX, 0);
    let n = Sender::new(&key(SrtpSuite::Aes128Gcm, 9)).expect("fits").protect_rtp(&mut sealed, HEADER + 160).expect("sendable");
    sealed.truncate(n);
    let report = [0x81, 200, 0, 12].into_iter().chain([7; 48]).chain([0x81, 202, 0, 2, 0, 0, 0, 7, 1, 2, b'h', b'i']).collect();
    let seeds: [Vec<u8>; 6] =
        [sound, sealed, report, Ask::new("ours:them", PASSWORD).nominating().bytes(), hello, vec![0x80; 12]];
    let strangers = SocketAddr::from(([203, 0, 113, 9], 5_000));
    for i in 0..count {
        let seed = &seeds[chance.word() as usize % seeds.len()];
        let mut p = seed.clone();
        for _ in 0..1 + chance.word() % 4 {
            let at = chance.word() as usize % p.len();
            match chance.word() % 8 {
                0 => p.truncate(at),
                1 => p.extend((0..at % 200).map(|n| n as u8)),
                2 => p[at] = 0xFF,
                _ => p[at] ^= 1 << (chance.word() % 8),
            }
            if p.is_empty() {
                p.push(chance.word() as u8);
            }
        }
        // Two changes may undo each other, and a check that was not changed is one.
        if p == *seed {
            p[0] ^= 0x10;
        }
        let n = chance.word() as usize % rig.phones.len();
        // A clear call's own peer may say what it likes; who speaks for it from elsewhere may not.
        let own = n != b && chance.word().is_multiple_of(2);
        let from = if own { rig.phones[n].at } else { strangers };
        let plane = if chance.word().is_multiple_of(8) { Plane::Rtcp } else { Plane::Rtp };
        let sent = rig.net.sent.len();
        rig.shard.packet(rig.now, rig.phones[n].slot, plane, from, &mut p, &mut rig.net);
        if !own {
            assert_eq!(rig.net.sent.len(), sent, "a stranger got an answer");
        }
        rig.net.sent.retain(|s| s.2[0] > 63);
        if i.is_multiple_of(count / 50) {
            rig.net.events.clear();
            rig.arrives(c, Ask::new("ours:them", PASSWORD).nominating().bytes());
            rig.run(20);
        }
    }
    let (before, calls) = (rig.shard.totals().packets_in, [(a, b), (b, a), (c, d), (d, c)]);
    let heard: Vec<usize> = calls.iter().map(|(n, from)| rig.hears(*n, *from)).collect();
    rig.arrives(c, Ask::new("ours:them", PASSWORD).nominating().bytes());
    rig.run(1_000);
    for ((n, from), heard) in calls.into_iter().zip(heard) {
        assert_eq!(rig.hears(n, from) - heard, 50, "{n} hears {from}");
        assert!(heard > 90, "{n} heard {from} all the while: {heard}");
    }
    assert_eq!(rig.shard.totals().packets_in - before, 250, "the browser in no bridge is taken, too");
    assert!(rig.shard.totals().foreign - foreign > u64::from(count) / 2);
    assert_eq!(rig.shard.len(), 5);
    assert_eq!(rig.phones[idle].unreadable, 0);
}
