//! Digits: each once, as events or as tones, however long and at whatever clock.

use super::*;
use crate::{dtmf::receive::Receiver, time::At, wire::Codec};

#[test]
fn a_thousand_digits_over_a_network_that_loses_repeats_and_reorders_are_a_thousand_digits() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, None), w.phone(Pcma, None));
    w.bridge(1, &[a, b]);
    w.bad = (5, 5, 5);
    let mut pressed = String::new();
    let mut chance = Chance::new(11);
    for _ in 0..1_000 {
        let code = (chance.word() % 16) as u8;
        pressed.push(dtmf::digit(code).expect("a digit"));
        w.press(a, code);
    }
    w.run(300);
    assert_eq!(w.digits(LegId(0)), pressed);
    // The other phone got them too, under its own number, and hears each once.
    let mut r = dtmf::receive::Receiver::default();
    let mut heard = String::new();
    for (i, (h, p)) in w.phones[b].events.iter().enumerate() {
        assert_eq!(h.pt, EVENT_PT + 1);
        let at = crate::time::At(i as u64 * 20_000_000);
        heard.extend(r.packet(at, h.ts, *p).into_iter().flatten().map(|d| d.0));
    }
    assert_eq!(heard.len(), pressed.len());
}

#[test]
fn digits_pressed_in_a_mix_are_played_to_those_who_hear_the_one_who_pressed_them() {
    let mut w = World::new();
    let (a, b, c) = (w.phone(Pcma, Some(440.0)), w.phone(Pcmu, Some(1_000.0)), w.phone(Pcmu, None));
    w.bridge(1, &[a, b, c]);
    w.run(300);
    w.press(a, 5);
    w.run(500);
    assert_eq!(w.digits(LegId(0)), "5");
    let ends: Vec<_> = w.phones[b].events.iter().filter(|(_, p)| p.end).map(|(_, p)| (p.code, p.duration)).collect();
    assert_eq!(ends, [(5, 800); 3]);
    assert!(!w.did.events.iter().any(|e| matches!(e, Event::DtmfSent { .. })), "nobody asked for them");
    is_one_stream(&w, b);
}

#[test]
fn digits_sent_are_events_to_who_agreed_to_them_and_tones_to_who_did_not() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(400);
    let send = |leg, digits: &str| {
        let (tone, gap) = (Duration::from_millis(100), Duration::from_millis(100));
        Command::SendDtmf { leg, digits: digits.into(), tone, gap }
    };
    w.tell(send(LegId(0), "12"));
    w.run(1_000);
    assert_eq!(w.did.events.iter().filter(|e| matches!(e, Event::DtmfSent { leg: LegId(0) })).count(), 1);
    let events = &w.phones[a].events;
    let markers: Vec<_> = events.iter().filter(|(h, _)| h.marker).map(|(_, p)| p.code).collect();
    assert_eq!(markers, [1, 2]);
    assert_eq!(events.iter().filter(|(_, p)| p.end).count(), 6);
    assert!(near(w.hears(a, 1_000.0, 300), -12.0), "the bridge is heard again");
    is_one_stream(&w, a);
    let mut remote = w.remote(b);
    remote.dtmf_pt = None;
    w.tell(Command::Agree { leg: LegId(1), remote });
    w.tell(send(LegId(1), "5"));
    w.run(120);
    assert!(w.hears(b, 770.0, 60) > -14.0 && w.hears(b, 1_336.0, 60) > -14.0);
}

#[test]
fn a_long_digit_sent_at_48_khz_is_cut_into_segments_and_is_one_digit() {
    for tone_ms in [1_360u64, 1_380, 1_400, 2_740, 5_000] {
        let mut w = World::new();
        let a = w.phone(Codec::Opus, None);
        let tone = Duration::from_millis(tone_ms);
        w.tell(Command::SendDtmf { leg: LegId(0), digits: "77".into(), tone, gap: Duration::from_millis(100) });
        w.run(2 * tone_ms + 1_000);
        let events = &w.phones[a].events;
        let (mut receiver, mut told, mut begins) = (Receiver::default(), Vec::new(), Vec::new());
        for (i, (h, p)) in events.iter().enumerate() {
            told.extend(receiver.packet(At(i as u64 * 20_000_000), h.ts, *p).into_iter().flatten());
            begins.extend(h.marker.then_some(h.ts));
            let before = i.checked_sub(1).map(|i| events[i]);
            if let Some((b, _)) = before.filter(|(b, _)| b.ts != h.ts && !h.marker) {
                assert_eq!(h.ts.wrapping_sub(b.ts), 65_535, "a segment follows the one before");
                let ends = events[..i].iter().rev().take_while(|(e, p)| e.ts == b.ts && p.duration == 65_535 && !p.end);
                assert!(ends.count() == 3 || p.end, "{tone_ms}: its end is said three times");
            }
        }
        let held: Vec<_> = told.iter().map(|(d, held)| (*d, held.as_millis() as u64 / 6)).collect();
        assert_eq!((held, begins.len()), (vec![('7', tone_ms), ('7', tone_ms)], 2), "{events:?}");
        is_one_stream(&w, a);
    }
}

#[test]
fn a_key_held_for_seconds_at_48_khz_is_one_digit_over_a_bad_network_in_a_mix_and_in_a_relay() {
    for (other, bad) in [(Codec::Opus, (0, 0, 0)), (Codec::Opus, (5, 1, 2)), (Pcma, (0, 0, 0)), (Pcma, (5, 1, 2))] {
        let mut w = World::new();
        let (a, b) = (w.phone(Codec::Opus, None), w.phone(other, None));
        w.bridge(1, &[a, b]);
        w.bad = bad;
        for press in 0..20u32 {
            let (begin, frames) = (w.phones[a].ts, 100 + press * 7);
            for i in 1..=frames + 2 {
                let (n, end) = (i.min(frames) * 960, i >= frames);
                let before = (n - 1) / 65_535 * 65_535;
                let payload = dtmf::Payload { code: press as u8 % 12, end, volume: 10, duration: (n - before) as u16 };
                // As phones do that say the end of a segment once.
                if before > 0 && n - before <= 960 {
                    let full = dtmf::Payload { duration: u16::MAX, end: false, ..payload };
                    w.event(a, begin.wrapping_add(before - 65_535), false, full);
                }
                w.event(a, begin.wrapping_add(before), i == 1, payload);
                w.run(20);
            }
            w.run(400);
            w.phones[a].ts = begin.wrapping_add((frames + 22) * 960);
        }
        let wanted: String = (0..20).map(|p| dtmf::digit(p as u8 % 12).expect("a digit")).collect();
        assert_eq!(w.digits(LegId(0)), wanted, "{other:?} {bad:?}");
        if bad == (0, 0, 0) {
            let held = w.did.events.iter().filter_map(|e| if let Event::Digit { held, .. } = e { Some(held) } else { None });
            for (press, held) in held.enumerate() {
                assert_eq!(held.as_millis(), (100 + press as u128 * 7) * 20);
            }
        }
        // Passed on as they were, and heard as so many digits there, too.
        if other == Codec::Opus {
            let (mut receiver, mut told) = (Receiver::default(), String::new());
            for (i, (h, p)) in w.phones[b].events.iter().enumerate() {
                told.extend(receiver.packet(At(i as u64), h.ts, *p).into_iter().flatten().map(|(d, _)| d));
            }
            assert_eq!(told, wanted, "relayed, {bad:?}");
        }
    }
}
