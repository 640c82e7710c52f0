//! Many who hear the same, and those who listen from outside.

use super::*;
use crate::{
    pipe::Pipe,
    wire::{Codec, Rate, TapId},
};

#[test]
fn a_hundred_parties_hear_the_three_who_speak_and_nobody_hears_themselves() {
    let mut w = World::new();
    let speakers = [440.0, 1_000.0, 1_700.0];
    let codecs = [Pcma, Pcmu, Codec::G722, Pcma];
    let all: Vec<usize> = (0..100).map(|n| w.phone(codecs[n % 4], speakers.get(n).copied())).collect();
    w.bridge(1, &all);
    w.run(3_000);
    for n in all {
        for (k, hz) in speakers.iter().enumerate() {
            let level = w.hears(n, *hz, 400);
            assert!(if n == k { level < -50.0 } else { (level + 12.0).abs() < 2.0 }, "{n} hears {hz} Hz at {level}");
        }
        is_one_stream(&w, n);
    }
}

#[test]
fn waiting_callers_share_their_music_whatever_their_packet_time_and_hear_it_without_a_gap() {
    let mut w = World::new();
    // Three seconds and a bit: no whole number of packets.
    let music = Arc::new(tone::sine(600.0, -12.0, Duration::from_millis(3_005)));
    let codecs = [Pcma, Pcmu, Codec::G722, Codec::L16(Rate::K16), Codec::Opus];
    for n in 0..20 {
        let phone = w.phone(codecs[n % 5], None);
        let leg = LegId(phone as u64);
        let remote = crate::wire::Remote { ptime_ms: if n < 10 { 20 } else { 40 }, ..w.remote(phone) };
        w.tell(Command::Agree { leg, remote });
        w.tell(Command::Play { leg, play: PlayId(n as u64), clips: vec![music.clone()], repeat: Repeat::Forever });
    }
    // Held by us, by each playback, and once for each way of encoding it: Opus for each packet time.
    assert_eq!(Arc::strong_count(&music), 1 + 20 + 6);
    w.run(8_000);
    for n in 0..20 {
        let frames = w.phones[n].heard[1_600..].chunks_exact(800).map(|f| tone_dbfs(f, 600.0));
        let quietest = frames.fold(0.0, f64::min);
        assert!(quietest > -15.0, "{:?} heard the music fall to {quietest}", w.phones[n].codec);
        is_one_stream(&w, n);
    }
}

#[test]
fn speech_being_made_is_played_until_its_writer_closes_it() {
    let mut w = World::new();
    let a = w.phone(Pcma, None);
    let pipe = Pipe::new(Rate::K16, 1_000);
    w.tell(Command::PlayPipe { leg: LegId(0), play: PlayId(1), pipe: pipe.clone() });
    let sine = tone::sine(500.0, -12.0, Duration::from_secs(2));
    // At 16 kHz the same samples are a tone an octave higher.
    for part in sine.pcm.chunks(320) {
        assert_eq!(pipe.write(part, true), 320);
        w.run(20);
    }
    assert!(near(w.hears(a, 1_000.0, 700), -12.0), "{}", w.hears(a, 1_000.0, 700));
    pipe.close();
    w.run(100);
    let played = |e: &Event| matches!(e, Event::Played { play: PlayId(1), finished: true, .. });
    assert_eq!(w.did.events.iter().filter(|e| played(e)).count(), 1);
    is_one_stream(&w, a);
}

#[test]
fn a_tap_copies_what_a_leg_says_and_hears_and_the_relay_stays_a_relay() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    let (said, heard) = (Pipe::new(Rate::K16, 2_000), Pipe::new(Rate::K8, 2_000));
    let (one, two) = (Some(said.clone()), Some(heard.clone()));
    w.tell(Command::Tap { tap: TapId(1), leg: LegId(0), said: one, heard: two });
    w.run(1_000);
    assert_eq!(w.shard.totals().relayed, 100);
    let read = |p: &Pipe| {
        let mut pcm = vec![0; p.waiting()];
        p.read(&mut pcm);
        pcm.split_off(pcm.len() / 2)
    };
    let (what_a_said, what_a_heard) = (read(&said), read(&heard));
    // Read at 8 kHz, sound of 16 kHz is an octave lower.
    assert!(near(tone_dbfs(&what_a_said, 220.0), -12.0), "{}", tone_dbfs(&what_a_said, 220.0));
    assert!(near(tone_dbfs(&what_a_heard, 1_000.0), -12.0), "{}", tone_dbfs(&what_a_heard, 1_000.0));
    // Nobody reads for a while, then the tap ends.
    w.run(4_000);
    assert!(w.did.events.iter().any(|e| matches!(e, Event::TapLost { tap: TapId(1), lost } if lost.as_millis() > 500)));
    w.tell(Command::StopTap { tap: TapId(1) });
    assert!(said.closed() && heard.closed());
}

#[test]
fn a_dead_microphone_is_noticed_in_a_relay_and_in_a_mix_and_a_live_one_is_not() {
    let mut w = World::new();
    let (a, b, c) = (w.phone(Pcma, Some(440.0)), w.phone(Pcma, Some(1_000.0)), w.phone(Pcmu, None));
    for leg in [LegId(0), LegId(1)] {
        w.tell(Command::WatchSilence { leg, after: Some(Duration::from_secs(2)) });
    }
    w.phones[b].mute();
    let quiet = |w: &World| w.did.events.iter().filter(|e| matches!(e, Event::Quiet { leg: LegId(1) })).count();
    w.bridge(1, &[a, b]);
    w.run(5_000);
    assert_eq!(quiet(&w), 1, "said once");
    w.tell(Command::WatchSilence { leg: LegId(1), after: Some(Duration::from_secs(2)) });
    w.bridge(1, &[a, b, c]);
    w.run(5_000);
    assert_eq!(quiet(&w), 2);
    assert!(!w.did.events.iter().any(|e| matches!(e, Event::Quiet { leg: LegId(0) } | Event::Silent { .. })));
}

#[test]
fn tones_are_digits_where_somebody_asked_even_in_a_relay() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, None), w.phone(Pcma, None));
    w.bridge(1, &[a, b]);
    let detect = crate::wire::Detect { tones: true, ..crate::wire::Detect::default() };
    w.tell(Command::Detect { leg: LegId(0), detect });
    let (low, high) = (tone::sine(770.0, -9.0, Duration::from_secs(1)), tone::sine(1_336.0, -9.0, Duration::from_secs(1)));
    w.phones[a].say(low.pcm.iter().zip(&high.pcm).map(|(l, h)| l + h).collect());
    w.run(200);
    w.phones[a].hz = Some(0.0);
    w.run(120);
    w.phones[a].hz = None;
    w.run(500);
    assert_eq!((w.digits(LegId(0)), w.shard.totals().relayed), ("5".into(), 6));
    w.tell(Command::Detect { leg: LegId(0), detect: crate::wire::Detect::default() });
    assert!(w.shard.legs.iter().flatten().all(|l| l.live.is_none() && l.ear.is_none()));
}

#[test]
fn what_was_made_up_for_lost_packets_is_in_the_figures() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), w.phone(Codec::G722, None));
    w.bad = (10, 0, 0);
    w.bridge(1, &[a, b]);
    w.run(10_000);
    let unasked = w.did.events.iter().rev().find_map(|e| match e {
        Event::Stats { leg: LegId(0), stats } => Some(*stats),
        _ => None,
    });
    let concealed = unasked.expect("figures every five seconds").concealed_ms;
    assert!((300..2_000).contains(&concealed), "{concealed} ms");
}

#[test]
fn a_leg_that_is_relayed_takes_little_memory() {
    let leg = size_of::<crate::shard::leg::Leg>();
    assert!(leg <= 1_536, "{leg} bytes");
    // Packet buffers, decoders and encoders are made when something needs them.
    let mut w = World::new();
    let (a, b) = (w.phone(Codec::Opus, Some(440.0)), w.phone(Codec::Opus, Some(1_000.0)));
    w.bridge(1, &[a, b]);
    w.run(500);
    assert!(w.shard.legs.iter().flatten().all(|l| l.ear.is_none() && l.play.is_none() && l.live.is_none()));
}

#[test]
fn a_whisperer_among_three_is_raised_and_one_of_two_is_left_as_they_are() {
    let whisper = || {
        let loud = crate::dsp::speechlike::voice(Rate::K8, 1, 140.0, 4);
        let factor = 10f64.powf((-40.0 - level_dbfs(&loud)) / 20.0);
        loud.iter().map(|s| (f64::from(*s) * factor) as i16).collect::<Vec<i16>>()
    };
    for (others, wanted) in [(2, -33.0..-25.0), (1, -41.0..-39.0)] {
        let mut w = World::new();
        let a = w.phone(Pcma, Some(440.0));
        w.phones[a].say(whisper());
        // L16 keeps a relay from being one.
        let all: Vec<usize> = std::iter::once(a).chain((0..others).map(|_| w.phone(Codec::L16(Rate::K8), None))).collect();
        w.bridge(1, &all);
        w.run(15_000);
        let heard = &w.phones[1].heard;
        let level = level_dbfs(&heard[heard.len() - 24_000..]);
        assert!(wanted.contains(&level), "with {others}: {level}");
        is_one_stream(&w, 1);
    }
}
