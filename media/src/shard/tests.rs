//! Stories of phones on one shard, in virtual time.

mod codecs;
mod digits;
mod gathering;
mod reports;
mod sharing;
mod silences;
mod spread;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Plane, Setup, Shard,
    world::{EVENT_PT, World, pt},
};
use crate::{
    dtmf,
    measure::{level_dbfs, tone_dbfs},
    record::Job,
    rtp::{self, Header, rtcp},
    time::Chance,
    tone,
    wire::{
        Audience, BridgeId,
        Codec::{Pcma, Pcmu},
        Command, Direction, Event, LegId, PlayId, RecordFormat, RecordId, Repeat, Stats, VoipMetrics,
    },
};

fn near(level: f64, wanted: f64) -> bool {
    (level - wanted).abs() < 1.0
}

/// Numbers without a gap; timestamps of sound follow the clock.
fn is_one_stream(w: &World, n: usize) {
    let got = &w.phones[n].got;
    for pair in got.windows(2) {
        let ((t0, a), (t1, b)) = (pair[0], pair[1]);
        assert_eq!((b.ssrc, b.seq), (a.ssrc, a.seq.wrapping_add(1)), "after {a:?} at {t0:?} came {b:?} at {t1:?}");
    }
    let (codec, clock) = (w.phones[n].codec, w.phones[n].codec.clock_hz() as i32 / 8_000);
    let sound: Vec<_> = got.iter().filter(|(_, h)| h.pt == pt(codec)).collect();
    for pair in sound.windows(2) {
        let ((t0, a), (t1, b)) = (pair[0], pair[1]);
        let (step, passed) = (b.ts.wrapping_sub(a.ts) as i32, t1.samples_since(*t0) as i32);
        assert!(step >= 80 && (step - passed * clock).abs() <= 330 * clock, "{a:?} at {t0:?}, {b:?} at {t1:?}");
    }
}

#[test]
fn two_phones_of_one_codec_hear_each_other_without_a_mixer() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(1_000);
    assert!(near(w.hears(a, 1_000.0, 500), -12.0) && near(w.hears(b, 440.0, 500), -12.0));
    assert!(w.hears(a, 440.0, 500) < -60.0, "nobody hears themselves");
    assert_eq!(w.shard.totals().relayed, 100);
    // A packet of silence to open the way, then the relay: each begins with the marker.
    let markers: Vec<bool> = w.phones[a].got.iter().map(|(_, h)| h.marker).take(4).collect();
    assert!(markers[0] && !markers[3], "{markers:?}");
    is_one_stream(&w, a);
    let delay = w.phones[b].got.iter().filter(|(at, _)| at.0 % 20_000_000 != 0).count();
    assert_eq!(delay, 0, "packets go on at arrival");
}

#[test]
fn a_mu_law_phone_and_an_a_law_phone_are_relayed_and_recorded_and_hear_each_other_at_the_same_level() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcmu, Some(1_000.0)));
    w.record(1, Some(a), None);
    w.bridge(1, &[a, b]);
    w.run(1_500);
    assert!(near(w.hears(a, 1_000.0, 1_000), -12.0) && near(w.hears(b, 440.0, 1_000), -12.0));
    assert_eq!(w.shard.totals().relayed, 150);
    w.press(a, 5);
    w.run(500);
    assert_eq!((w.digits(LegId(0)), w.phones[b].events.len()), ("5".into(), 7), "the events went by as they were");
    w.tell(Command::StopRecord { record: RecordId(1) });
    let (left, right) = w.recorded();
    assert!(near(tone_dbfs(&left[1_600..12_000], 440.0), -12.0) && near(tone_dbfs(&right[1_600..12_000], 1_000.0), -12.0));
    is_one_stream(&w, a);
    is_one_stream(&w, b);
}

#[test]
fn a_whispering_supervisor_is_heard_by_the_agent_and_not_by_the_customer() {
    let mut w = World::new();
    let (customer, agent, boss) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)), w.phone(Pcmu, Some(1_700.0)));
    let (c, a, s) = (LegId(0), LegId(1), LegId(2));
    let audience = Audience { rows: vec![(c, vec![a]), (a, vec![c, s]), (s, vec![c, a])] };
    w.tell(Command::Bridge { bridge: BridgeId(1), audience });
    w.run(1_500);
    assert!(near(w.hears(customer, 1_000.0, 1_000), -12.0) && w.hears(customer, 1_700.0, 1_000) < -60.0);
    assert!(near(w.hears(agent, 440.0, 1_000), -12.0) && near(w.hears(agent, 1_700.0, 1_000), -12.0));
    assert!(near(w.hears(boss, 440.0, 1_000), -12.0) && near(w.hears(boss, 1_000.0, 1_000), -12.0));
    // The supervisor leaves: the two are relayed again.
    w.tell(Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&[c, a]) });
    w.run(1_000);
    assert!(w.shard.totals().relayed > 90 && near(w.hears(customer, 1_000.0, 500), -12.0));
    is_one_stream(&w, customer);
    is_one_stream(&w, agent);
}

#[test]
fn prompt_music_relay_mix_and_relay_again_are_one_stream_to_the_caller() {
    let mut w = World::new();
    let (caller, agent, other) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)), w.phone(Pcmu, Some(1_700.0)));
    let leg = LegId(0);
    let play = |play: u64, hz: f64, repeat| {
        let clips = vec![Arc::new(tone::sine(hz, -12.0, Duration::from_millis(310)))];
        Command::Play { leg, play: PlayId(play), clips, repeat }
    };
    w.tell(play(1, 500.0, Repeat::Once));
    w.run(500);
    assert_eq!(w.did.events.last(), Some(&Event::Played { leg, play: PlayId(1), finished: true }));
    assert!(w.hears(caller, 500.0, 300) > -14.0);
    w.tell(play(2, 600.0, Repeat::Forever));
    w.run(2_000);
    // 310 ms are not a whole number of frames, yet the loop has no gap.
    assert!(near(w.hears(caller, 600.0, 1_500), -12.0), "{}", w.hears(caller, 600.0, 1_500));
    w.bridge(1, &[caller, agent]);
    w.run(200);
    assert!(near(w.hears(caller, 600.0, 100), -12.0), "a playback takes the place of the bridge");
    assert!(near(w.hears(agent, 440.0, 100), -12.0), "but only for its leg");
    w.tell(Command::StopPlay { leg, play: PlayId(2) });
    assert_eq!(w.did.events.last(), Some(&Event::Played { leg, play: PlayId(2), finished: false }));
    w.run(500);
    assert!(near(w.hears(caller, 1_000.0, 300), -12.0));
    w.bridge(1, &[caller, agent, other]);
    w.run(500);
    assert!(near(w.hears(caller, 1_700.0, 200), -12.0));
    w.bridge(2, &[caller, agent]);
    w.run(3_000);
    assert!(near(w.hears(caller, 1_000.0, 500), -12.0) && w.hears(caller, 1_700.0, 500) < -60.0);
    is_one_stream(&w, caller);
    is_one_stream(&w, agent);
}

#[test]
fn a_stranger_moves_no_stream_gets_no_answer_and_is_counted() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    let stranger: SocketAddr = "203.0.113.66:4000".parse().expect("an address");
    let beside = SocketAddr::new(w.phones[a].at.ip(), 4_002);
    let slot = w.phones[a].slot;
    let packet = |seq| World::rtp(Header { marker: true, pt: 8, seq, ts: 0, ssrc: 0xBAD }, &[0x2A; 160]);
    // Before the first packet of the right one, and after.
    for round in 0..2u16 {
        for seq in 0..200 {
            w.packet(slot, Plane::Rtp, stranger, packet(seq + 1_000 * round));
            w.packet(slot, Plane::Rtp, beside, packet(seq));
            w.packet(slot, Plane::Rtcp, stranger, vec![0x80, 201, 0, 1, 0, 0, 0, 1]);
        }
        w.bridge(1, &[a, b]);
        // Whatever is sent to anyone but the two phones makes the world panic.
        w.run(1_000);
        assert!(near(w.hears(b, 440.0, 500), -12.0) && near(w.hears(a, 1_000.0, 500), -12.0));
    }
    w.tell(Command::Report { leg: LegId(0) });
    let Some(Event::Stats { stats, .. }) = w.did.events.last() else { panic!("no figures") };
    assert_eq!((stats.foreign, stats.packets_in, stats.discarded, stats.lost), (1_200, 100, 0, 0));
    let latched: Vec<_> = w.did.events.iter().filter(|e| matches!(e, Event::Latched { .. })).collect();
    assert_eq!(latched.len(), 2);
}

#[test]
fn a_phone_behind_a_nat_latches_once_and_again_only_after_a_new_address_is_agreed() {
    let mut w = World::new();
    let a = w.phone(Pcma, None);
    let slot = w.phones[a].slot;
    let mut remote = w.remote(a);
    remote.rtp = "10.0.0.5:4000".parse().expect("private");
    remote.nat = Some(w.phones[a].at.ip());
    w.tell(Command::Agree { leg: LegId(0), remote: remote.clone() });
    // Nothing goes to the private address, which is somebody else's here: the world would panic.
    w.run(6_000);
    let say = |w: &mut World, port, seq| {
        let from = SocketAddr::new(w.phones[a].at.ip(), port);
        w.packet(slot, Plane::Rtp, from, World::rtp(Header { marker: false, pt: 8, seq, ts: 0, ssrc: 1 }, &[0xD5; 160]));
    };
    say(&mut w, 4_000, 1);
    say(&mut w, 9_000, 2);
    w.tell(Command::Agree { leg: LegId(0), remote: remote.clone() });
    say(&mut w, 9_000, 3);
    let latched = |w: &World| w.did.events.iter().filter(|e| matches!(e, Event::Latched { .. })).count();
    assert_eq!(latched(&w), 1, "the same agreement again moves nothing");
    remote.rtp = "10.0.0.5:4010".parse().expect("private");
    w.tell(Command::Agree { leg: LegId(0), remote });
    say(&mut w, 9_000, 4);
    let from = SocketAddr::new(w.phones[a].at.ip(), 9_000);
    assert_eq!(w.did.events.last(), Some(&Event::Latched { leg: LegId(0), from }));
}

#[test]
fn on_hold_nothing_is_sent_and_what_comes_is_counted_and_dropped() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(500);
    let mut remote = w.remote(a);
    remote.direction = Direction::RecvOnly;
    w.tell(Command::Agree { leg: LegId(0), remote });
    let before = w.phones[a].got.len();
    w.run(500);
    assert_eq!(w.phones[a].got.len(), before);
    assert!(near(w.hears(b, 440.0, 300), -12.0), "it may still be heard");
    let mut remote = w.remote(a);
    remote.direction = Direction::SendOnly;
    w.tell(Command::Agree { leg: LegId(0), remote });
    let before = w.phones[b].got.len();
    w.run(500);
    assert_eq!(w.phones[b].got.len(), before);
    assert!(near(w.hears(a, 1_000.0, 300), -12.0));
}

#[test]
fn a_call_is_recorded_on_two_channels_in_step_prompts_first_and_the_relay_stays_a_relay() {
    let mut w = World::new();
    let (caller, agent) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, None));
    let (c, a, r) = (LegId(0), LegId(1), RecordId(4));
    w.tell(Command::Record { record: r, left: Some(c), right: None, path: "x.wav".into(), format: RecordFormat::Wav });
    let prompt = vec![Arc::new(tone::sine(600.0, -12.0, Duration::from_secs(1)))];
    w.tell(Command::Play { leg: c, play: PlayId(1), clips: prompt, repeat: Repeat::Once });
    w.run(1_000);
    w.phones[agent].hz = None;
    w.tell(Command::RecordSides { record: r, left: Some(c), right: Some(a) });
    w.bridge(1, &[caller, agent]);
    w.run(1_000);
    // The agent speaks for a second, then card digits are kept out, then both again.
    let voiced = w.phone(Pcma, Some(1_000.0));
    w.tell(Command::RecordSides { record: r, left: Some(c), right: Some(LegId(voiced as u64)) });
    w.bridge(1, &[caller, voiced]);
    w.run(1_000);
    w.tell(Command::RecordPause { record: r, paused: true });
    w.run(1_000);
    w.tell(Command::RecordPause { record: r, paused: false });
    w.run(1_000);
    w.tell(Command::StopRecord { record: r });
    assert!(matches!(w.did.jobs.last(), Some(Job::Close { trouble: None, .. })));
    assert!(w.shard.totals().relayed > 100);
    let (left, right) = w.recorded();
    assert!((39_800..=40_000).contains(&left.len()), "five seconds: {}", left.len());
    let part = |channel: &[i16], from: usize, to: usize, hz| tone_dbfs(&channel[from * 8..to * 8], hz);
    assert!(near(part(&right, 100, 900, 600.0), -12.0), "what the caller is played, while nobody else is there");
    assert!(near(part(&left, 100, 2_700, 440.0), -12.0), "{}", part(&left, 100, 2_700, 440.0));
    assert!(level_dbfs(&right[1_100 * 8..1_900 * 8]) < -60.0);
    assert!(near(part(&right, 2_100, 2_700, 1_000.0), -12.0) && part(&right, 2_100, 2_700, 440.0) < -60.0);
    assert!(level_dbfs(&left[3_000 * 8..3_970 * 8]) < -80.0 && level_dbfs(&right[3_000 * 8..3_970 * 8]) < -80.0);
    assert!(near(part(&left, 4_100, 4_900, 440.0), -12.0) && near(part(&right, 4_100, 4_900, 1_000.0), -12.0));
    // Each sound begins where it began, to within a packet.
    let begins = |channel: &[i16]| channel.iter().position(|s| s.abs() > 2_000).expect("sound");
    assert!(begins(&left) < 30 * 8 && begins(&right) < 30 * 8, "{} {}", begins(&left), begins(&right));
}

#[test]
fn a_recording_that_loses_packets_keeps_its_channels_in_step() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcmu, Some(440.0)), w.phone(Pcmu, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.tell(Command::Record {
        record: RecordId(1),
        left: Some(LegId(0)),
        right: Some(LegId(1)),
        path: "x.wav".into(),
        format: RecordFormat::Wav,
    });
    w.bad = (10, 2, 5);
    w.run(5_000);
    // Nobody sends for a second: silence, and no time is lost.
    let voices = (w.phones[a].hz.take(), w.phones[b].hz.take());
    w.run(1_000);
    (w.phones[a].hz, w.phones[b].hz) = voices;
    (0..2).for_each(|n| w.phones[n].ts = w.phones[n].ts.wrapping_add(8_000));
    w.run(4_000);
    w.tell(Command::StopRecord { record: RecordId(1) });
    let (left, right) = w.recorded();
    assert!((79_500..=80_000).contains(&left.len()), "{}", left.len());
    assert!(level_dbfs(&left[41_000..47_000]) < -60.0 && level_dbfs(&right[41_000..47_000]) < -60.0);
    assert!(tone_dbfs(&left[50_000..78_000], 440.0) > -15.0 && tone_dbfs(&right[50_000..78_000], 1_000.0) > -15.0);
}

#[test]
fn legs_that_move_to_another_shard_take_bridge_playback_and_recording_along() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.tell(Command::Record {
        record: RecordId(1),
        left: Some(LegId(0)),
        right: None,
        path: "x.wav".into(),
        format: RecordFormat::Wav,
    });
    w.run(500);
    let group = w.shard.take(&[LegId(1)], &[]);
    assert_eq!((group.legs().collect::<Vec<_>>(), group.records().count()), (vec![LegId(0), LegId(1)], 1));
    assert!(w.shard.is_empty() && w.shard.deadline().is_none());
    let mut other = Shard::new(Setup { seed: 99, ntp_at_zero: 0 });
    other.open(w.now, LegId(77)).expect("room");
    let slots = other.put(w.now, group);
    w.shard = other;
    for (leg, slot) in slots {
        w.phones[leg.0 as usize].slot = slot;
    }
    w.run(500);
    assert!(near(w.hears(a, 1_000.0, 800), -12.0) && near(w.hears(b, 440.0, 800), -12.0));
    is_one_stream(&w, a);
    w.tell(Command::StopRecord { record: RecordId(1) });
    let (left, right) = w.recorded();
    assert!(near(tone_dbfs(&left[800..7_200], 440.0), -12.0));
    assert!(near(tone_dbfs(&right[800..7_200], 1_000.0), -12.0), "what the left leg hears, through the relay");
}

#[test]
fn a_leg_that_hears_nothing_says_so_once_and_again_after_the_next_silence() {
    let mut w = World::new();
    let a = w.phone(Pcma, None);
    w.tell(Command::WatchSilence { leg: LegId(0), after: Some(Duration::from_secs(2)) });
    let silent = |w: &World| w.did.events.iter().filter(|e| matches!(e, Event::Silent { .. })).count();
    w.run(1_900);
    assert_eq!(silent(&w), 0);
    w.run(5_000);
    assert_eq!(silent(&w), 1);
    let (slot, at) = (w.phones[a].slot, w.phones[a].at);
    w.packet(slot, Plane::Rtp, at, World::rtp(Header { marker: false, pt: 8, seq: 1, ts: 0, ssrc: 1 }, &[0xD5; 160]));
    w.run(5_000);
    assert_eq!(silent(&w), 2);
}

#[test]
fn a_hundred_thousand_damaged_packets_harm_nobody() {
    let mut w = World::new();
    let (a, b, c) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)), w.phone(Pcmu, Some(1_700.0)));
    w.bridge(1, &[a, b, c]);
    w.tell(Command::Record {
        record: RecordId(1),
        left: Some(LegId(0)),
        right: Some(LegId(1)),
        path: "x.wav".into(),
        format: RecordFormat::Wav,
    });
    let good = World::rtp(Header { marker: false, pt: 8, seq: 5, ts: 800, ssrc: 100 }, &[0x55; 160]);
    let event = World::rtp(Header { marker: true, pt: EVENT_PT, seq: 6, ts: 800, ssrc: 100 }, &[5, 10, 0, 160]);
    let mut compound = [0; rtcp::WRITE_MAX];
    let (info, report) = (Some(rtcp::SenderInfo::default()), Some(rtcp::Report::default()));
    let voip = Some((101, VoipMetrics::default()));
    let extended = rtp::xr::Say { receiver_time: Some(1), delay: Some(rtp::xr::Delay::default()), voip };
    let n = rtcp::write(&rtcp::Say { ssrc: 100, info, report, cname: "phone", extended, bye: true }, &mut compound);
    let seeds = [good, event, compound[..n].to_vec()];
    let mut chance = Chance::new(2_026);
    for i in 0..100_000usize {
        let mut bytes = seeds[i % 3].clone();
        for _ in 0..1 + chance.word() % 8 {
            let at = chance.word() as usize % bytes.len();
            bytes[at] = chance.word() as u8;
        }
        bytes.truncate(1 + chance.word() as usize % (bytes.len() + 20));
        let (plane, port) = if chance.word().is_multiple_of(2) { (Plane::Rtp, 4_000) } else { (Plane::Rtcp, 4_001) };
        let (slot, from) = (w.phones[i % 2].slot, SocketAddr::new(w.phones[i % 2].at.ip(), port));
        let mut did = std::mem::take(&mut w.did);
        w.shard.packet(w.now, slot, plane, from, &mut bytes, &mut did);
        did.sent.clear();
        did.events.clear();
        w.did = did;
        if i % 500 == 0 {
            w.now = w.now + Duration::from_millis(20);
            let mut did = std::mem::take(&mut w.did);
            w.shard.tick(w.now, &mut did);
            w.did = super::world::Did::default();
            w.bridge(1 + i as u64 % 2, &[a, b, c][..if i % 1_000 == 0 { 3 } else { 2 }]);
        }
    }
    // And afterwards everything works.
    w.now = crate::time::At(w.now.0.next_multiple_of(20_000_000));
    (0..3).for_each(|n| w.phones[n].ssrc += 1_000);
    w.bridge(9, &[a, b, c]);
    w.run(3_000);
    assert!(near(w.hears(c, 440.0, 500), -12.0), "{}", w.hears(c, 440.0, 500));
    assert!(near(w.hears(a, 1_700.0, 500), -12.0), "{}", w.hears(a, 1_700.0, 500));
}

#[test]
fn the_clock_standing_still_for_an_hour_is_a_gap_and_not_a_burst() {
    let mut w = World::new();
    let a = w.phone(Pcma, None);
    w.tell(Command::Play {
        leg: LegId(0),
        play: PlayId(1),
        clips: vec![Arc::new(tone::hold_music())],
        repeat: Repeat::Forever,
    });
    w.tell(Command::Record {
        record: RecordId(1),
        left: Some(LegId(0)),
        right: None,
        path: "x.wav".into(),
        format: RecordFormat::Wav,
    });
    w.run(200);
    let before = w.phones[a].got.len();
    w.now = w.now + Duration::from_secs(3_600);
    w.run(5);
    assert!(w.phones[a].got.len() - before < 10);
    w.run(1_000);
    assert!((50..=60).contains(&(w.phones[a].got.len() - before)));
    w.tell(Command::StopRecord { record: RecordId(1) });
    assert!(w.recorded().0.len() > 3_600 * 8_000);
}

#[test]
fn a_phone_whose_numbers_start_over_is_heard_on_without_a_jump() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(500);
    // The same source, other numbers; later another source.
    w.phones[a].seq = w.phones[a].seq.wrapping_sub(20_000);
    w.phones[a].ts = w.phones[a].ts.wrapping_add(160 * 1_000_000);
    w.run(1_000);
    w.phones[a].ssrc = 5_555;
    w.phones[a].seq = 17;
    w.run(1_000);
    assert!(near(w.hears(b, 440.0, 500), -12.0));
    is_one_stream(&w, b);
    // Only the first packet of the jump is lost: it might have been anybody's.
    assert!(w.phones[b].got.len() >= 124, "{}", w.phones[b].got.len());
}

#[test]
fn every_packet_time_is_one_even_stream() {
    for ptime_ms in [10, 20, 30, 40, 60] {
        let mut w = World::new();
        // A third phone, which says nothing, makes it a mix.
        let (a, b, c) = (w.phone(Pcma, None), w.phone(Pcmu, Some(1_000.0)), w.phone(Pcmu, None));
        let remote = crate::wire::Remote { ptime_ms, ..w.remote(a) };
        w.tell(Command::Agree { leg: LegId(0), remote });
        w.bridge(1, &[a, b, c]);
        w.run(2_000);
        assert!(near(w.hears(a, 1_000.0, 1_000), -12.0), "{ptime_ms} ms: {}", w.hears(a, 1_000.0, 1_000));
        let sound = &w.phones[a].got[w.phones[a].got.len() / 2..];
        let even = sound.windows(2).all(|p| p[1].1.ts.wrapping_sub(p[0].1.ts) == u32::from(ptime_ms) * 8);
        assert!(even && sound.windows(2).all(|p| p[1].1.seq == p[0].1.seq.wrapping_add(1)), "{ptime_ms} ms");
    }
}

#[test]
fn a_law_changed_in_the_middle_of_a_call_is_heard_on_through_the_relay() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    for codec in [Pcma, Pcmu, Pcma] {
        w.phones[b].codec = codec;
        let (remote, relayed) = (w.remote(b), w.shard.totals().relayed);
        w.tell(Command::Agree { leg: LegId(1), remote });
        w.run(1_000);
        assert!(near(w.hears(a, 1_000.0, 500), -12.0) && near(w.hears(b, 440.0, 500), -12.0), "{codec:?}");
        assert!(w.shard.totals().relayed >= relayed + 98);
    }
    is_one_stream(&w, a);
    is_one_stream(&w, b);
}

#[test]
fn over_a_bad_network_a_mix_drops_out_for_less_than_six_percent_of_the_time() {
    let mut w = World::new();
    let (a, b, c) = (w.phone(Pcma, Some(440.0)), w.phone(Pcmu, None), w.phone(Pcmu, None));
    w.bad = (5, 1, 15);
    w.bridge(1, &[a, b, c]);
    w.run(30_000);
    let frames: Vec<_> = w.phones[b].heard[8_000..].chunks_exact(160).collect();
    let out = frames.iter().filter(|f| level_dbfs(f) < -30.0).count();
    assert!(out * 100 < frames.len() * 6, "{out} of {}", frames.len());
    w.tell(Command::Report { leg: LegId(0) });
    let Some(Event::Stats { stats, .. }) = w.did.events.last() else { panic!("no figures") };
    assert!((30..120).contains(&stats.lost) && stats.jitter_us > 500, "{stats:?}");
}
