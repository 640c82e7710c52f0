//! Stories of two ends and a network that loses, repeats, reorders and tampers; published vectors; an independent
//! implementation as the other end.

use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};

use super::*;
use crate::{
    rtp::{HEADER, Header, write_header},
    time::Chance,
    wire::{Secret, SrtpSuite},
};

fn key(suite: SrtpSuite, seed: u64) -> SrtpKey {
    let (key, salt) = suite.lengths();
    let mut chance = Chance::new(seed);
    SrtpKey { suite, key_and_salt: Secret((0..key + salt).map(|_| chance.word() as u8).collect()) }
}

fn ends(suite: SrtpSuite) -> (Sender, Receiver) {
    let key = key(suite, 1);
    (Sender::new(&key).expect("fits"), Receiver::new(&key).expect("fits"))
}

fn rtp(ssrc: u32, seq: u16, payload: &[u8]) -> Vec<u8> {
    let mut p = vec![0; HEADER];
    write_header(&Header { marker: false, pt: 8, seq, ts: u32::from(seq) * 160, ssrc }, p.first_chunk_mut().expect("twelve"));
    p.extend_from_slice(payload);
    p
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut p = vec![0x80, 201, 0, 1];
    p.extend(ssrc.to_be_bytes());
    p.extend([0x81, 202, 0, 2]);
    p.extend(ssrc.to_be_bytes());
    p.extend([1, 2, b'h', b'i']);
    p
}

type Protect = fn(&mut Sender, &mut [u8], usize) -> Option<usize>;

fn sealed(s: &mut Sender, plain: &[u8], how: Protect) -> Vec<u8> {
    let mut p = plain.to_vec();
    p.resize(plain.len() + GROWTH_MAX, 0);
    let n = how(s, &mut p, plain.len()).expect("sendable");
    p.truncate(n);
    p
}

fn seal(s: &mut Sender, plain: &[u8]) -> Vec<u8> {
    sealed(s, plain, Sender::protect_rtp)
}

fn seal_rtcp(s: &mut Sender, plain: &[u8]) -> Vec<u8> {
    sealed(s, plain, Sender::protect_rtcp)
}

fn open(r: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut p = packet.to_vec();
    r.unprotect_rtp(&mut p).map(|n| p[..n].to_vec())
}

fn open_rtcp(r: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut p = packet.to_vec();
    r.unprotect_rtcp(&mut p).map(|n| p[..n].to_vec())
}

#[test]
fn what_one_end_protects_the_other_reads_and_nobody_else() {
    for suite in SrtpSuite::ALL {
        let (mut s, mut r) = ends(suite);
        let mut stranger = Receiver::new(&key(suite, 2)).expect("fits");
        for (seq, size) in [(1, 0), (2, 1), (3, 15), (4, 16), (5, 160), (6, 1_200)] {
            let plain = rtp(7, seq, &vec![0x55; size]);
            let packet = seal(&mut s, &plain);
            assert_eq!(packet[..HEADER], plain[..HEADER], "the header stays readable");
            assert!(size < 15 || packet[HEADER..][..size] != plain[HEADER..], "the sound does not");
            assert_eq!(open(&mut stranger, &packet), Err(Refused::Unauthentic), "{suite:?}");
            assert!(open(&mut r, &plain).is_err(), "clear RTP");
            assert_eq!(open(&mut r, &packet), Ok(plain), "{suite:?}");
        }
        let report = seal_rtcp(&mut s, &rtcp(7));
        assert_eq!(open_rtcp(&mut stranger, &report), Err(Refused::Unauthentic));
        assert!(open_rtcp(&mut r, &rtcp(7)).is_err(), "clear RTCP");
        assert_eq!(open_rtcp(&mut r, &report), Ok(rtcp(7)));
    }
}

#[test]
fn sources_and_an_extension_stay_readable_and_are_signed() {
    for suite in SrtpSuite::ALL {
        let (mut s, mut r) = ends(suite);
        let mut plain = rtp(7, 9, &[]);
        plain[0] |= 0x10 | 1;
        plain.extend([9, 9, 9, 9, 0xBE, 0xDE, 0, 1, 0x10, 3, 0, 0]);
        plain.extend(b"voice");
        let packet = seal(&mut s, &plain);
        assert_eq!(packet[..24], plain[..24]);
        let mut louder = packet.clone();
        louder[21] ^= 1;
        assert_eq!(open(&mut r, &louder), Err(Refused::Unauthentic));
        assert_eq!(open(&mut r, &packet), Ok(plain));
    }
}

#[test]
fn a_packet_changed_at_any_byte_or_cut_at_any_length_is_refused_and_does_no_harm() {
    for suite in SrtpSuite::ALL {
        let (mut s, mut r) = ends(suite);
        let first = seal(&mut s, &rtp(7, 100, &[1; 40]));
        open(&mut r, &first).expect("the first");
        let packet = seal(&mut s, &rtp(7, 101, &[2; 40]));
        let report = seal_rtcp(&mut s, &rtcp(7));
        for (at, bit) in (0..packet.len()).flat_map(|at| (0..8).map(move |bit| (at, 1u8 << bit))) {
            let mut p = packet.clone();
            p[at] ^= bit;
            assert!(open(&mut r, &p).is_err(), "{suite:?} {at}");
        }
        for (at, bit) in (0..report.len()).flat_map(|at| (0..8).map(move |bit| (at, 1u8 << bit))) {
            let mut p = report.clone();
            p[at] ^= bit;
            assert!(open_rtcp(&mut r, &p).is_err(), "{suite:?} {at}");
        }
        (0..packet.len()).for_each(|n| assert!(open(&mut r, &packet[..n]).is_err()));
        (0..report.len()).for_each(|n| assert!(open_rtcp(&mut r, &report[..n]).is_err()));
        assert_eq!(open(&mut r, &packet), Ok(rtp(7, 101, &[2; 40])), "{suite:?}: it still counts");
        assert_eq!(open_rtcp(&mut r, &report), Ok(rtcp(7)));
    }
}

#[test]
fn a_packet_counts_once_late_ones_too_and_very_late_ones_never() {
    let (mut s, mut r) = ends(SrtpSuite::Aes128Sha1Tag80);
    let packets: Vec<_> = (0..300).map(|n| seal(&mut s, &rtp(7, n, b"x"))).collect();
    let reports: Vec<_> = (0..300).map(|_| seal_rtcp(&mut s, &rtcp(7))).collect();
    for n in [0, 2, 1, 140, 13, 139, 299, 172] {
        assert!(open(&mut r, &packets[n]).is_ok(), "{n}");
        assert_eq!(open(&mut r, &packets[n]), Err(Refused::Replayed));
        assert!(open_rtcp(&mut r, &reports[n]).is_ok(), "{n}");
        assert_eq!(open_rtcp(&mut r, &reports[n]), Err(Refused::Replayed));
    }
    assert_eq!(open(&mut r, &packets[171]), Err(Refused::Replayed), "129 behind");
    assert_eq!(open_rtcp(&mut r, &reports[171]), Err(Refused::Replayed));
}

#[test]
fn the_sequence_number_wraps_with_losses_and_overtaking_around_the_wrap() {
    for suite in SrtpSuite::ALL {
        let (mut s, mut r) = ends(suite);
        let mut chance = Chance::new(5);
        let mut late = Vec::new();
        for n in 65_000..200_000u32 {
            let plain = rtp(7, n as u16, &n.to_be_bytes());
            // The numbers between are sent too, but a whole call of cipher work is not what is tested.
            if n % 65_536 > 200 && n % 65_536 < 65_400 && n % 5_000 != 0 {
                continue;
            }
            let packet = seal(&mut s, &plain);
            match chance.word() % 10 {
                0..3 => {}
                3 => late.push((n, plain, packet)),
                _ => assert_eq!(open(&mut r, &packet), Ok(plain), "{suite:?} {n}"),
            }
            if late.len() > 4 {
                for (_, plain, packet) in late.drain(..).filter(|l| n - l.0 < 1_000) {
                    let read = open(&mut r, &packet);
                    assert!(read == Ok(plain) || read == Err(Refused::Replayed), "{suite:?} {n}: {read:?}");
                }
            }
        }
    }
}

#[test]
fn a_relay_may_send_late_packets_but_never_two_under_one_number() {
    let (mut s, mut r) = ends(SrtpSuite::Aes128Sha1Tag80);
    let mut send = |seq| {
        let mut p = rtp(7, seq, b"voice");
        let n = p.len();
        p.resize(n + GROWTH_MAX, 0);
        s.protect_rtp(&mut p, n).map(|n| p[..n].to_vec())
    };
    for seq in [65_534, 1, 65_535, 0] {
        let packet = send(seq).expect("new");
        assert!(open(&mut r, &packet).is_ok(), "{seq}");
    }
    assert_eq!(send(65_535), None);
    assert_eq!(send(1), None);
    let mut short = rtp(7, 9, b"voice");
    let n = short.len();
    assert_eq!(s.protect_rtp(&mut short, n), None, "no room for the tag");
    assert_eq!(s.protect_rtp(&mut [0; 40], 20), None, "not RTP");
}

#[test]
fn a_source_counts_when_its_first_packets_were_lost_around_the_wrap() {
    let (mut s, mut r) = ends(SrtpSuite::Aes128Gcm);
    seal(&mut s, &rtp(7, 65_535, b"lost"));
    let heard = (0..4).filter(|n| open(&mut r, &seal(&mut s, &rtp(7, *n, b"heard"))).is_ok()).count();
    assert_eq!(heard, 4);
}

#[test]
fn a_receiver_that_starts_in_the_middle_of_a_long_call_finds_the_rollover_counter() {
    let (mut s, mut r) = ends(SrtpSuite::Aes128Sha1Tag80);
    for n in 0..5 * 65_536u64 {
        if n % 16_384 == 0 {
            seal(&mut s, &rtp(7, n as u16, b"unheard"));
        }
    }
    let silent = (1..20).take_while(|n| open(&mut r, &seal(&mut s, &rtp(7, *n, b"heard"))).is_err()).count();
    assert!(silent <= 8, "{silent} packets of 20 ms");
}

#[test]
fn strangers_take_no_room_and_a_peer_may_change_its_source() {
    let (mut s, mut r) = ends(SrtpSuite::Aes128Sha1Tag32);
    let mut stranger = Sender::new(&key(SrtpSuite::Aes128Sha1Tag32, 2)).expect("fits");
    assert!(open(&mut r, &seal(&mut s, &rtp(1, 10, b"a"))).is_ok());
    for n in 0..1_000 {
        let mut foreign = seal(&mut stranger, &rtp(1, n, b"b"));
        foreign[8..12].copy_from_slice(&(u32::from(n) + 2).to_be_bytes());
        assert_eq!(open(&mut r, &foreign), Err(Refused::Unauthentic));
    }
    assert!(open(&mut r, &seal(&mut s, &rtp(1, 11, b"a"))).is_ok());
    for ssrc in 2..=4 {
        assert!(open(&mut r, &seal(&mut s, &rtp(ssrc, 1, b"a"))).is_ok());
    }
    let mut p = rtp(5, 1, b"a");
    p.resize(60, 0);
    assert_eq!(s.protect_rtp(&mut p, 13), None, "we do not change ours so often");
}

#[test]
fn a_key_of_the_wrong_length_is_refused() {
    for suite in SrtpSuite::ALL {
        let mut short = key(suite, 1);
        short.key_and_salt = Secret(short.key_and_salt.0[1..].into());
        assert_eq!(Sender::new(&short).err(), Some(BadKey));
        assert_eq!(Receiver::new(&short).err(), Some(BadKey));
    }
}

fn oracle(suite: SrtpSuite) -> Option<Context> {
    let profile = match suite {
        SrtpSuite::Aes128Sha1Tag80 => ProtectionProfile::Aes128CmHmacSha1_80,
        SrtpSuite::Aes128Sha1Tag32 => ProtectionProfile::Aes128CmHmacSha1_32,
        SrtpSuite::Aes256Sha1Tag80 => ProtectionProfile::Aes256CmHmacSha1_80,
        SrtpSuite::Aes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpSuite::Aes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    let key = key(suite, 1);
    let (k, s) = key.key_and_salt.0.split_at(suite.lengths().0);
    Context::new(k, s, profile, None, None, rtc_dtls::crypto_provider::default_provider().expect("ring").crypto()).ok()
}

#[test]
fn an_independent_implementation_understands_us_and_we_it() {
    for suite in SrtpSuite::ALL {
        let (mut s, mut r) = ends(suite);
        let (mut theirs_in, mut theirs_out) = (oracle(suite).expect("known"), oracle(suite).expect("known"));
        for n in 65_500..65_600u32 {
            let plain = rtp(7, n as u16, &vec![n as u8; (n % 173) as usize]);
            let packet = seal(&mut s, &plain);
            assert_eq!(theirs_in.decrypt_rtp(&packet).expect("they understand")[..], plain[..], "{suite:?} {n}");
            assert_eq!(theirs_out.encrypt_rtp(&plain).expect("they speak")[..], packet[..], "{suite:?} {n}");
            assert_eq!(open(&mut r, &packet), Ok(plain));
            let report = seal_rtcp(&mut s, &rtcp(7));
            assert_eq!(theirs_in.decrypt_rtcp(&report).expect("they understand")[..], rtcp(7)[..], "{suite:?} {n}");
            let theirs = theirs_out.encrypt_rtcp(&rtcp(7)).expect("they speak");
            assert_eq!(open_rtcp(&mut r, &theirs), Ok(rtcp(7)), "{suite:?} {n}");
        }
    }
}
