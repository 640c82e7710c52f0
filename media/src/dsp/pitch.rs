//! After how many samples a voice repeats itself.

use std::ops::RangeInclusive;

use crate::wire::Rate;

/// Shortest period looked for: 200 Hz. Higher voices are found at a multiple of theirs.
const SHORTEST_MS: u32 = 5;
/// Longest period looked for: 67 Hz.
const LONGEST_MS: u32 = 15;
/// How much sound two candidates are compared over.
const WINDOW_MS: u32 = 20;

/// Samples in a millisecond of the first look.
const COARSE_PER_MS: usize = 4;

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
/// The best normalised correlation (ITU-T G.711 Appendix I, 5.2 does it alike): first at 4 kHz, then exactly around the best.
pub fn find(past: &[i16], rate: Rate) -> Pitch {
    let ratio = rate.samples(1) / COARSE_PER_MS;
    let mut coarse = [0; (PAST_MS as usize) * COARSE_PER_MS];
    for (c, group) in coarse.iter_mut().zip(past[past.len() - rate.samples(PAST_MS)..].chunks_exact(ratio)) {
        // Their mean takes out most of what 4 kHz cannot hold.
        *c = (group.iter().map(|s| i32::from(*s)).sum::<i32>() / ratio as i32) as i16;
    }
    let [shortest, longest, window] = [SHORTEST_MS, LONGEST_MS, WINDOW_MS].map(|ms| ms as usize * COARSE_PER_MS);
    let near = best(&coarse, window, shortest..=longest).lag;
    let [shortest, longest, window] = [SHORTEST_MS, LONGEST_MS, WINDOW_MS].map(|ms| rate.samples(ms));
    best(past, window, ((near - 1) * ratio).max(shortest)..=((near + 1) * ratio).min(longest))
}

/// Whose last `window` is most like what was before it.
fn best(past: &[i16], window: usize, lags: RangeInclusive<usize>) -> Pitch {
    let last = &past[past.len() - window..];
    let own = energy(last);
    let mut best = Pitch { lag: *lags.end(), strength: 0.0 };
    for lag in lags {
        let earlier = &past[past.len() - window - lag..past.len() - lag];
        let cross: i64 = last.iter().zip(earlier).map(|(a, b)| i64::from(i32::from(*a) * i32::from(*b))).sum();
        let strength = cross as f32 / (own * energy(earlier)).sqrt();
        if strength > best.strength {
            best = Pitch { lag, strength };
        }
    }
    best
}

fn energy(pcm: &[i16]) -> f32 {
    pcm.iter().map(|s| i64::from(i32::from(*s) * i32::from(*s))).sum::<i64>().max(1) as f32
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
