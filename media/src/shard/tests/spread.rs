//! Work is spread over the phases of the 20 ms.

use super::*;
use crate::{limits::PHASES, wire::Codec};

/// Packets of sound the phones got in the last `ms`, by phase.
fn by_phase(w: &World, ms: u64) -> [usize; PHASES as usize] {
    let mut counts = [0; PHASES as usize];
    for (at, _) in w.phones.iter().flat_map(|p| &p.got).filter(|(at, _)| w.now.since(*at) <= Duration::from_millis(ms)) {
        counts[(at.0 / 5_000_000 % PHASES) as usize] += 1;
    }
    counts
}

fn even(counts: [usize; PHASES as usize]) -> bool {
    let (least, most) = (counts.iter().min(), counts.iter().max());
    least.zip(most).is_some_and(|(l, m)| *l > 0 && m * 4 <= l * 5)
}

#[test]
fn music_for_every_other_leg_and_a_mix_for_every_fourth_bridge_are_spread_over_all_phases() {
    let mut w = World::new();
    let music = Arc::new(tone::sine(600.0, -12.0, Duration::from_secs(3)));
    // A caller and an agent each time; only the callers wait with music.
    for n in 0..100 {
        let caller = w.phone(Pcma, None);
        w.phone(Pcma, None);
        // Some are answered and played to at once.
        w.run(n % 2 * 20);
        let leg = LegId(caller as u64);
        w.tell(Command::Play { leg, play: PlayId(n), clips: vec![music.clone()], repeat: Repeat::Forever });
    }
    w.run(1_000);
    assert!(even(by_phase(&w, 500)), "music: {:?}", by_phase(&w, 500));
    // The callers get their agents: a relay each, but for every fourth, whose supervisor listens.
    for n in 0..100u64 {
        w.tell(Command::StopPlay { leg: LegId(2 * n), play: PlayId(n) });
        w.bridge(n, &[2 * n as usize, 2 * n as usize + 1]);
        if n % 4 == 0 {
            let boss = w.phone(Pcmu, None);
            w.bridge(n, &[2 * n as usize, 2 * n as usize + 1, boss]);
        }
    }
    w.run(1_000);
    assert!(even(by_phase(&w, 500)), "mixes: {:?}", by_phase(&w, 500));
    for leg in 0..w.phones.len() as u64 {
        w.tell(Command::Close { leg: LegId(leg) });
    }
    assert_eq!(w.shard.phases.load(), [0; PHASES as usize], "what is over weighs nothing");
}

#[test]
fn what_costs_most_does_not_lie_together() {
    let mut w = World::new();
    // Three in four mixes are cheap, and each fourth is of Opus.
    for n in 0..32 {
        let codec = if n % 4 == 0 { Codec::Opus } else { Pcmu };
        let all = [w.phone(codec, None), w.phone(codec, None), w.phone(codec, None)];
        w.bridge(n, &all);
    }
    w.run(500);
    let load = w.shard.phases.load();
    assert!(load.iter().max() < load.iter().min().map(|l| l * 5 / 4).as_ref(), "{load:?}");
}
