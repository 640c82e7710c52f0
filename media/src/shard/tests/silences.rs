//! Silence: described to those who want that, and noticed where nobody decodes.

use super::*;
use crate::{
    shard::world::COMFORT_PT,
    wire::{Codec, Rate, Remote},
};

/// A phone that wants silence described.
fn frugal(w: &mut World, codec: Codec, ptime_ms: u8) -> usize {
    let n = w.phone(codec, None);
    let remote = Remote { cn_pt: Some(COMFORT_PT), ptime_ms, ..w.remote(n) };
    w.tell(Command::Agree { leg: LegId(n as u64), remote });
    n
}

/// Sound and descriptions are one stream: numbers without a gap, timestamps that follow the clock, and a marker on sound
/// after a description and nowhere else. How many packets of sound, how many descriptions.
fn talkspurts(w: &World, n: usize) -> (usize, usize) {
    let p = &w.phones[n];
    for pair in p.got.windows(2) {
        let ((t0, a), (t1, b)) = (pair[0], pair[1]);
        let (step, passed) = (b.ts.wrapping_sub(a.ts) as i32, t1.samples_since(t0) as i32);
        assert_eq!(b.seq, a.seq.wrapping_add(1), "{a:?} {b:?}");
        assert!((step - passed).abs() <= 160, "{a:?} at {t0:?}, {b:?} at {t1:?}");
        if a.pt == COMFORT_PT || b.pt == COMFORT_PT {
            assert_eq!(b.marker, b.pt != COMFORT_PT, "{a:?} {b:?}");
        }
    }
    (p.got.len() - p.comfort.len(), p.comfort.len())
}

#[test]
fn silence_of_a_mix_is_described_to_who_wants_that_and_speech_returns_with_the_marker() {
    for (codec, ptime_ms) in [(Pcma, 20), (Pcma, 60), (Pcmu, 30), (Codec::G722, 20)] {
        let mut w = World::new();
        let (a, b, c) = (w.phone(Codec::L16(Rate::K16), Some(440.0)), frugal(&mut w, codec, ptime_ms), w.phone(Pcma, None));
        w.bridge(1, &[a, b, c]);
        w.run(1_000);
        assert_eq!(talkspurts(&w, b).1, 0, "{codec:?}: nobody was silent for long yet");
        let before = w.phones[b].got.len();
        w.phones[a].hz = None;
        w.run(3_000);
        let silent = w.phones[b].got.len() - before;
        let (_, told) = talkspurts(&w, b);
        // What was lost is made up for a while, and 200 ms are sent as they are; then twice a second.
        assert!((5..=7).contains(&told) && silent <= told + 640 / usize::from(ptime_ms), "{codec:?}: {silent}, {told}");
        assert_eq!(w.phones[b].comfort[0].2, [127]);
        w.phones[a].hz = Some(440.0);
        w.run(1_000);
        assert!(
            near(w.hears(b, 440.0, 400), -12.0) && talkspurts(&w, b).1 <= told + 1,
            "{codec:?}: {}",
            w.hears(b, 440.0, 400)
        );
        assert!(w.phones[c].comfort.is_empty(), "who did not ask gets silence as sound");
        is_one_stream(&w, c);
    }
}

#[test]
fn a_pause_in_a_prompt_is_described_at_its_level_and_the_prompt_goes_on_in_time() {
    for codec in [Pcma, Codec::G722] {
        let mut w = World::new();
        let caller = frugal(&mut w, codec, 20);
        let mut pcm = tone::sine(440.0, -12.0, Duration::from_millis(500)).pcm.to_vec();
        // A hum of -66 dBFS; from the middle on of -72.
        pcm.extend(tone::sine(100.0, -66.0, Duration::from_secs(1)).pcm.iter());
        pcm.extend(tone::sine(100.0, -72.0, Duration::from_secs(1)).pcm.iter());
        pcm.extend(tone::sine(440.0, -12.0, Duration::from_millis(500)).pcm.iter());
        let clips = vec![Arc::new(crate::wire::Clip { pcm: pcm.into() })];
        w.tell(Command::Play { leg: LegId(0), play: PlayId(1), clips, repeat: Repeat::Once });
        w.run(4_000);
        assert_eq!(w.did.events.last(), Some(&Event::Played { leg: LegId(0), play: PlayId(1), finished: true }));
        let (_, told) = talkspurts(&w, caller);
        let levels: Vec<u8> = w.phones[caller].comfort.iter().map(|c| c.2[0]).collect();
        assert!((4..=6).contains(&told) && levels[0].abs_diff(69) <= 1, "{codec:?}: {levels:?}");
        assert!(levels.last().is_some_and(|l| l.abs_diff(75) <= 2), "{codec:?}: {levels:?}");
        assert!(near(w.hears(caller, 440.0, 300), -12.0));
    }
}

#[test]
fn a_relay_says_what_was_said_and_describes_nothing() {
    let mut w = World::new();
    let (a, b) = (w.phone(Pcma, Some(440.0)), frugal(&mut w, Pcma, 20));
    w.phones[a].mute();
    w.bridge(1, &[a, b]);
    w.run(2_000);
    assert_eq!((talkspurts(&w, b), w.shard.totals().relayed), ((100, 0), 100));
}
