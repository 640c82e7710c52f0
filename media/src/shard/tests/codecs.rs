//! Any codec with any other.

use super::*;
use crate::wire::{Codec, Rate};

const EVERY: [Codec; 6] = [Pcma, Pcmu, Codec::G722, Codec::Opus, Codec::L16(Rate::K8), Codec::L16(Rate::K16)];

/// As loud as it was said, as far as codecs go that think of speech and not of sines.
fn heard(level: f64) -> bool {
    (level + 12.0).abs() < 2.5
}

#[test]
fn a_phone_of_any_codec_talks_to_a_phone_of_any_other_in_one_stream() {
    for x in EVERY {
        for y in EVERY {
            let mut w = World::new();
            let (a, b) = (w.phone(x, Some(440.0)), w.phone(y, Some(1_000.0)));
            w.bridge(1, &[a, b]);
            w.run(1_500);
            let levels = (w.hears(a, 1_000.0, 600), w.hears(b, 440.0, 600));
            assert!(heard(levels.0) && heard(levels.1), "{x:?} and {y:?}: {levels:?}");
            is_one_stream(&w, a);
            is_one_stream(&w, b);
        }
    }
}

#[test]
fn relay_mix_and_relay_again_are_one_stream_in_every_codec() {
    for codec in EVERY {
        let mut w = World::new();
        let (a, b, c) = (w.phone(codec, Some(440.0)), w.phone(codec, Some(1_000.0)), w.phone(Pcma, None));
        w.bridge(1, &[a, b]);
        w.run(600);
        let relayed = w.shard.totals().relayed;
        assert!(relayed >= 50, "{codec:?}: {relayed}");
        w.bridge(1, &[a, b, c]);
        w.run(1_000);
        assert!(heard(w.hears(a, 1_000.0, 400)), "{codec:?} mixed: {}", w.hears(a, 1_000.0, 400));
        w.bridge(1, &[a, b]);
        w.run(1_000);
        assert!(w.shard.totals().relayed >= relayed + 90, "{codec:?}");
        assert!(heard(w.hears(a, 1_000.0, 400)), "{codec:?} relayed: {}", w.hears(a, 1_000.0, 400));
        is_one_stream(&w, a);
        is_one_stream(&w, b);
    }
}

#[test]
fn a_digit_lasts_as_long_on_the_clock_of_another_codec() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Codec::Opus, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(300);
    w.press(a, 5);
    w.run(500);
    w.press(b, 7);
    w.run(500);
    let held = |e: &Event| if let Event::Digit { held, .. } = e { Some(held.as_millis()) } else { None };
    assert_eq!(w.did.events.iter().filter_map(held).collect::<Vec<_>>(), [100, 100]);
    let ends =
        |n: usize| w.phones[n].events.iter().filter(|(_, p)| p.end).map(|(_, p)| (p.code, p.duration)).collect::<Vec<_>>();
    assert_eq!((ends(b), ends(a)), (vec![(5, 4_800); 3], vec![(7, 800); 3]));
    is_one_stream(&w, a);
    is_one_stream(&w, b);
}

#[test]
fn every_codec_keeps_to_the_packet_time_the_peer_asked_for() {
    for codec in EVERY {
        for ptime_ms in [10, 20, 40, 60] {
            let mut w = World::new();
            let (a, b, c) = (w.phone(codec, None), w.phone(Pcmu, Some(1_000.0)), w.phone(Pcmu, None));
            let remote = crate::wire::Remote { ptime_ms, ..w.remote(a) };
            w.tell(Command::Agree { leg: LegId(0), remote });
            w.bridge(1, &[a, b, c]);
            w.run(2_000);
            // 60 ms of linear sound at 16 kHz do not fit into a packet.
            let ms = if (codec, ptime_ms) == (Codec::L16(Rate::K16), 60) { 30 } else { u32::from(ptime_ms) };
            let sound = &w.phones[a].got[w.phones[a].got.len() / 2..];
            let step = ms * codec.clock_hz() / 1_000;
            let steps: Vec<u32> = sound.windows(2).map(|p| p[1].1.ts.wrapping_sub(p[0].1.ts)).collect();
            assert!(sound.len() > 10 && steps.iter().all(|s| *s == step), "{codec:?} at {ptime_ms} ms: {steps:?}");
            assert!(heard(w.hears(a, 1_000.0, 600)), "{codec:?} at {ptime_ms} ms: {}", w.hears(a, 1_000.0, 600));
        }
    }
}

#[test]
fn a_peer_that_loses_packets_is_told_things_twice_and_one_that_no_longer_does_by_and_by_once() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Codec::Opus, Some(1_000.0)));
    w.phones[a].say(crate::dsp::speechlike::voice(Rate::K8, 1, 120.0, 4));
    let opus = crate::wire::Opus { fec: true, ..Default::default() };
    let remote = crate::wire::Remote { opus, ..w.remote(b) };
    w.tell(Command::Agree { leg: LegId(b as u64), remote });
    w.bridge(1, &[a, b]);
    w.run(2_000);
    let ssrc = w.phones[b].got[0].1.ssrc;
    let bytes = |w: &mut World| {
        w.did.events.clear();
        w.tell(Command::Report { leg: LegId(b as u64) });
        let said = |e: &Event| if let Event::Stats { stats, .. } = e { Some(stats.bytes_out) } else { None };
        w.did.events.iter().find_map(said).expect("figures")
    };
    let second = |w: &mut World, fraction_lost: u8| {
        let about_us = rtcp::Report { ssrc, fraction_lost, ..rtcp::Report::default() };
        let mut report = [0; rtcp::WRITE_MAX];
        let n = rtcp::write(
            &rtcp::Say {
                ssrc: 101,
                info: None,
                report: Some(about_us),
                cname: "phone",
                extended: rtp::xr::Say::default(),
                bye: false,
            },
            &mut report,
        );
        let (slot, at) = (w.phones[b].slot, w.phones[b].at);
        w.packet(slot, Plane::Rtcp, SocketAddr::new(at.ip(), at.port() + 1), report[..n].to_vec());
        let before = bytes(w);
        w.run(2_000);
        bytes(w) - before
    };
    let clean = second(&mut w, 0);
    let lossy = second(&mut w, 38);
    assert!(lossy * 10 > clean * 12, "{clean} bytes in two seconds, then {lossy}");
    let better = (0..12).map(|_| second(&mut w, 0)).last().expect("twelve");
    assert!(better * 10 < clean * 11, "{clean} at first, {better} at last");
}

#[cfg(feature = "opus")]
#[test]
fn a_shard_with_too_much_to_do_makes_opus_cheaper_and_everybody_is_still_heard() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Codec::Opus, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    let mut worked = std::time::Duration::ZERO;
    let mut second = |w: &mut World, percent: u32| {
        w.run(1_000);
        worked += std::time::Duration::from_millis(10) * percent;
        w.shard.worked(w.now, worked);
        // Every leg is looked at several times a second.
        w.run(200);
        let encoders = w.shard.legs.iter().flatten().filter_map(|l| l.out.complexity());
        encoders.collect::<Vec<_>>()
    };
    assert_eq!(second(&mut w, 30), [5]);
    assert_eq!(second(&mut w, 110), [3]);
    assert_eq!(second(&mut w, 110), [1]);
    assert_eq!(second(&mut w, 110), [0]);
    assert!(heard(w.hears(b, 440.0, 600)), "{}", w.hears(b, 440.0, 600));
    let calm: Vec<_> = (0..15).map(|_| second(&mut w, 20)).collect();
    assert_eq!(calm.last(), Some(&vec![5]));
    is_one_stream(&w, b);
}
