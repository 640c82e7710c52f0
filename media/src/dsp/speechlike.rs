//! A voice that says nothing, for tests: pulses of a gliding pitch through three resonances that wander as vowels do, hisses
//! between, words and pauses of changing length over a faint breath. No recording, so no speaker and no licence.

use std::f64::consts::TAU;

use crate::{time::Chance, wire::Rate};

/// `seconds` of a voice at about `pitch` hertz.
pub fn voice(rate: Rate, seconds: u32, pitch: f64, seed: u64) -> Vec<i16> {
    let hz = f64::from(rate.hz());
    let mut chance = Chance::new(seed);
    let mut state = [[0f64; 2]; 3];
    let (mut phase, mut said, mut word) = (0f64, 0usize, Word::next(&mut chance, rate));
    let samples = rate.samples(seconds * 1_000);
    let mut pcm = Vec::with_capacity(samples);
    while pcm.len() < samples {
        if said == word.length + word.pause {
            (said, word) = (0, Word::next(&mut chance, rate));
        }
        let t = pcm.len() as f64 / hz;
        let into = said as f64 / word.length as f64;
        let loud = if into < 1.0 { (TAU / 2.0 * into).sin().sqrt() * word.loud } else { 0.0 };
        phase += pitch * (1.0 + 0.12 * (TAU * 0.31 * t).sin() + 0.05 * word.loud - 0.08 * into) / hz;
        let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
        phase -= phase.floor();
        let breath = f64::from(chance.word() as i32) / 2_147_483_648.0;
        let source = if word.hiss { breath * 700.0 } else { pulse * 6_000.0 + breath * 60.0 };
        let excited = loud * source + breath * 3.0;
        let mut sum = 0.0;
        for (i, (s, (width, share))) in state.iter_mut().zip([(80.0, 1.0), (110.0, 0.5), (160.0, 0.25)]).enumerate() {
            let f = word.from[i] + (word.to[i] - word.from[i]) * into.min(1.0);
            let r = (-TAU / 2.0 * width / hz).exp();
            let y = excited + 2.0 * r * (TAU * f / hz).cos() * s[0] - r * r * s[1];
            *s = [y, s[0]];
            sum += share * y;
        }
        pcm.push((sum * 0.5 * 8_000.0 / hz).clamp(-30_000.0, 30_000.0) as i16);
        said += 1;
    }
    pcm
}

/// Syllables run together; now and then there is a pause.
struct Word {
    length: usize,
    pause: usize,
    loud: f64,
    hiss: bool,
    from: [f64; 3],
    to: [f64; 3],
}

impl Word {
    fn next(chance: &mut Chance, rate: Rate) -> Self {
        let mut between = |low: u32, high: u32| low + chance.word() % (high - low);
        let [from, to] = [(); 2].map(|()| [between(270, 800), between(850, 2_300), between(2_300, 3_100)].map(f64::from));
        let pause_ms = if between(0, 6) == 0 { between(150, 450) } else { between(20, 80) };
        Self {
            length: rate.samples(between(120, 350)),
            pause: rate.samples(pause_ms),
            loud: f64::from(between(40, 100)) / 100.0,
            hiss: between(0, 5) == 0,
            from,
            to,
        }
    }
}
