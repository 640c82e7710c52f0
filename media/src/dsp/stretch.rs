//! A little less of the same sound: one period taken out, so that a delay can shrink unheard. For a little more of it see
//! [`Plc::extend`](super::plc::Plc::extend).

use super::pitch;
use crate::wire::Rate;

/// Sound a change needs before it: a period is looked for there.
pub const NEEDS_MS: u32 = pitch::PAST_MS;
/// Below this a voice has no period, and a seam would be heard.
const ALIKE: f32 = 0.6;
/// Mean square of sound so quiet that no seam is heard in it: -50 dBFS.
const QUIET: f32 = 5_300.0;

/// Take one period out of `pcm` (at least [`NEEDS_MS`]), 5 to 15 ms; the number of samples that are left at its beginning.
/// `None`: there is no period, and nothing was done.
pub fn shorten(pcm: &mut [i16], rate: Rate) -> Option<usize> {
    let lag = seam(pcm, rate)?;
    // The end keeps its place in time: what follows goes on from it.
    let seam = pcm.len() - 2 * lag;
    for i in 0..lag {
        pcm[seam + i] = fade(pcm[seam + i], pcm[seam + lag + i], i, lag);
    }
    Some(pcm.len() - lag)
}

fn seam(pcm: &[i16], rate: Rate) -> Option<usize> {
    if pcm.len() < rate.samples(NEEDS_MS) {
        return None;
    }
    let p = pitch::find(pcm, rate);
    let last = &pcm[pcm.len() - 2 * p.lag..];
    let power = last.iter().map(|s| f32::from(*s) * f32::from(*s)).sum::<f32>() / last.len() as f32;
    (p.strength > ALIKE || power < QUIET).then_some(p.lag)
}

/// From `a` to `b`, the `i`th of `n` steps.
fn fade(a: i16, b: i16, i: usize, n: usize) -> i16 {
    ((i32::from(a) * (n - i) as i32 + i32::from(b) * i as i32) / n as i32) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure, tone};
    use std::time::Duration;

    /// The steepest step between neighbours: a click would be steeper.
    fn steepest(pcm: &[i16]) -> u16 {
        pcm.windows(2).map(|w| w[0].abs_diff(w[1])).max().unwrap_or(0)
    }

    #[test]
    fn a_tone_gets_shorter_by_a_period_and_neither_clicks_nor_changes() {
        for hz in [220.0, 440.0, 1_004.0] {
            let tone = tone::sine(hz, -12.0, Duration::from_millis(60)).pcm;
            let mut pcm = tone.to_vec();
            let shorter = shorten(&mut pcm, Rate::K8).expect("a tone repeats itself");
            assert!((360..=440).contains(&shorter), "{shorter}");
            assert!(steepest(&pcm[..shorter]) <= steepest(&tone) + 300);
            assert!((measure::tone_dbfs(&pcm[..shorter], hz) + 12.0).abs() < 0.3, "{hz}");
        }
    }

    #[test]
    fn noise_is_left_alone_unless_nobody_can_hear_it() {
        let mut chance = crate::time::Chance::new(1);
        let mut noise: Vec<i16> = (0..480).map(|_| (chance.word() >> 18) as i16 - 8_192).collect();
        assert_eq!(shorten(&mut noise, Rate::K8), None);
        noise.iter_mut().for_each(|s| *s /= 512);
        assert!(shorten(&mut noise, Rate::K8).is_some());
        assert_eq!(shorten(&mut noise[..200], Rate::K8), None, "too little to look at");
    }
}
