//! How loud a frequency is in a piece of audio. Used by tests, and by whoever wants to prove that sound got through.

/// Full scale of 16 bit audio.
const FULL: f64 = 32_767.0;

/// Level of the tone at `hz` in `pcm` (8 kHz), dBFS: a full-scale sine is 0. Silence is -120.
///
/// Goertzel's algorithm over the whole slice: take whole periods, 100 ms or more, to keep neighbours apart.
pub fn tone_dbfs(pcm: &[i16], hz: f64) -> f64 {
    if pcm.is_empty() {
        return -120.0;
    }
    let w = std::f64::consts::TAU * hz / 8_000.0;
    let k = 2.0 * w.cos();
    let (mut s1, mut s2) = (0.0f64, 0.0f64);
    for (i, s) in pcm.iter().enumerate() {
        // A Hann window keeps a loud neighbour from leaking in.
        let hann = 0.5 - 0.5 * (std::f64::consts::TAU * (i as f64 + 0.5) / pcm.len() as f64).cos();
        let s0 = f64::from(*s) * hann + k * s1 - s2;
        (s2, s1) = (s1, s0);
    }
    let power = (s1 * s1 + s2 * s2 - k * s1 * s2).max(0.0);
    // The mean of the window is one half; the bin of a sine holds half its amplitude.
    decibel(power.sqrt() * 4.0 / pcm.len() as f64 / FULL)
}

/// Level of everything in `pcm`, dBFS against a full-scale sine.
pub fn level_dbfs(pcm: &[i16]) -> f64 {
    let sum: f64 = pcm.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    decibel((sum / pcm.len().max(1) as f64).sqrt() * std::f64::consts::SQRT_2 / FULL)
}

/// The loudest of `candidates` (hertz) in `pcm`, with its level.
pub fn loudest(pcm: &[i16], candidates: &[f64]) -> Option<(f64, f64)> {
    candidates.iter().map(|hz| (*hz, tone_dbfs(pcm, *hz))).max_by(|a, b| a.1.total_cmp(&b.1))
}

fn decibel(ratio: f64) -> f64 {
    if ratio <= 1e-6 { -120.0 } else { 20.0 * ratio.log10() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone;
    use std::time::Duration;

    #[test]
    fn a_tone_is_found_at_its_level_and_not_elsewhere() {
        let clip = tone::sine(1_000.0, -12.0, Duration::from_millis(500));
        assert!((tone_dbfs(&clip.pcm, 1_000.0) + 12.0).abs() < 0.1);
        assert!(tone_dbfs(&clip.pcm, 440.0) < -70.0);
        assert!((level_dbfs(&clip.pcm) + 12.0).abs() < 0.1);
        assert_eq!(tone_dbfs(&[0; 800], 440.0), -120.0);
        assert_eq!(loudest(&clip.pcm, &[440.0, 1_000.0]).map(|l| l.0), Some(1_000.0));
    }
}
