//! After how many samples a voice repeats itself.

use crate::wire::Rate;

/// Shortest period looked for: 200 Hz. Higher voices are found at a multiple of theirs.
const SHORTEST_MS: u32 = 5;
/// Longest period looked for: 67 Hz.
const LONGEST_MS: u32 = 15;
/// How much sound two candidates are compared over.
const WINDOW_MS: u32 = 20;

/// Sound to look back on, milliseconds.
pub const PAST_MS: u32 = WINDOW_MS + LONGEST_MS;

/// A period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pitch {
    /// In samples.
    pub lag: usize,
    /// How alike one period is to the next: 1 is a tone, below a half is noise.
    pub strength: f32,
}

/// The period of the last of `past`, which holds at least [`PAST_MS`] at `rate`.
///
/// The best normalised correlation (ITU-T G.711 Appendix I, 5.2 does it alike): first on every other sample of 8 kHz, then
/// exactly around the best.
pub fn find(past: &[i16], rate: Rate) -> Pitch {
    let coarse = rate.samples(1) / 4;
    let (shortest, longest) = (rate.samples(SHORTEST_MS), rate.samples(LONGEST_MS));
    let best = (shortest..=longest).step_by(coarse).map(|lag| (lag, alike(past, rate, lag, coarse)));
    let (near, _) = best.fold((longest, f32::MIN), louder);
    let step = (rate.samples(1) / 8).max(1);
    let (low, high) = ((near - coarse).max(shortest), (near + coarse).min(longest));
    let (lag, strength) = (low..=high).map(|lag| (lag, alike(past, rate, lag, step))).fold((near, f32::MIN), louder);
    Pitch { lag, strength: strength.clamp(0.0, 1.0) }
}

fn louder(best: (usize, f32), this: (usize, f32)) -> (usize, f32) {
    if this.1 > best.1 { this } else { best }
}

/// Correlation of the last window with what was `lag` before it, over every `step`th sample; 1 if they are the same but for
/// loudness.
fn alike(past: &[i16], rate: Rate, lag: usize, step: usize) -> f32 {
    let window = rate.samples(WINDOW_MS);
    let last = &past[past.len() - window..];
    let earlier = &past[past.len() - window - lag..past.len() - lag];
    let (mut cross, mut own, mut other) = (0f32, 1f32, 1f32);
    for (a, b) in last.iter().step_by(step).zip(earlier.iter().step_by(step)) {
        let (a, b) = (f32::from(*a), f32::from(*b));
        cross += a * b;
        own += a * a;
        other += b * b;
    }
    cross / (own * other).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn a_voice_is_found_at_its_period_at_every_rate_and_noise_has_none() {
        for rate in [Rate::K8, Rate::K16, Rate::K48] {
            for hz in [80.0, 123.0, 190.0] {
                let wave = |i: usize| {
                    let t = TAU * hz * i as f64 / f64::from(rate.hz());
                    (6_000.0 * t.sin() + 4_000.0 * (2.0 * t).sin() + 3_000.0 * (5.0 * t).sin()) as i16
                };
                let past: Vec<i16> = (0..rate.samples(40)).map(wave).collect();
                let p = find(&past, rate);
                let periods = p.lag as f64 * hz / f64::from(rate.hz());
                assert!((periods - periods.round()).abs() < 0.02 && p.strength > 0.98, "{hz} Hz: {p:?} at {rate:?}");
            }
            let mut chance = crate::time::Chance::new(1);
            let noise: Vec<i16> = (0..rate.samples(40)).map(|_| (chance.word() >> 20) as i16 - 2_048).collect();
            assert!(find(&noise, rate).strength < 0.5);
        }
    }
}
