//! Clips made in code: test tones, ringback, beeps, and music to wait by. Nothing here needs a file or a licence.

use std::{f64::consts::TAU, time::Duration};

use crate::wire::Clip;

const RATE: f64 = 8_000.0;

/// Samples in `d`.
fn count(d: Duration) -> usize {
    (d.as_micros() / 125) as usize
}

fn amplitude(dbfs: f64) -> f64 {
    32_767.0 * 10f64.powf(dbfs / 20.0)
}

fn clip(samples: impl IntoIterator<Item = f64>) -> Clip {
    Clip { pcm: samples.into_iter().map(|s| s.round().clamp(-32_767.0, 32_767.0) as i16).collect() }
}

/// A sine of `hz` at `dbfs` (0 is full scale) for `d`.
pub fn sine(hz: f64, dbfs: f64, d: Duration) -> Clip {
    let a = amplitude(dbfs);
    clip((0..count(d)).map(|i| a * (TAU * hz * i as f64 / RATE).sin()))
}

/// Nothing, for `d`.
pub fn silence(d: Duration) -> Clip {
    Clip { pcm: vec![0; count(d)].into() }
}

/// The tone before a voicemail: 1 kHz for 300 ms, with soft edges so that it does not click.
pub fn beep() -> Clip {
    let n = count(Duration::from_millis(300));
    clip((0..n).map(|i| {
        let edge = (i.min(n - 1 - i) as f64 / 80.0).min(1.0);
        edge * amplitude(-12.0) * (TAU * 1_000.0 * i as f64 / RATE).sin()
    }))
}

/// One period of ringback as heard in most of Europe and China: 450 Hz, one second of five on (four off, ITU-T E.180).
/// Played [`Forever`](crate::wire::Repeat::Forever).
pub fn ringback() -> Clip {
    let on = sine(450.0, -18.0, Duration::from_secs(1));
    let off = silence(Duration::from_secs(4));
    Clip { pcm: on.pcm.iter().chain(&off.pcm).copied().collect() }
}

/// Music to wait by: a slow arpeggio over four chords, 16 s, quiet, made to loop without a seam.
///
/// Plucked tones with two soft overtones; every note rings into the next, and those at the end ring into the beginning.
pub fn hold_music() -> Clip {
    /// Notes as semitones above A3 (220 Hz): C, A minor, F, G, each broken upwards and down again.
    const CHORDS: [[i32; 4]; 4] = [[3, 7, 10, 15], [0, 3, 7, 12], [-4, 0, 3, 8], [-2, 2, 5, 10]];
    const ORDER: [usize; 8] = [0, 1, 2, 3, 2, 1, 2, 1];
    let (length, step) = (count(Duration::from_secs(16)), count(Duration::from_millis(500)));
    let mut mix = vec![0.0f64; length];
    let mut pluck = |start: usize, semitone: i32, loud: f64, seconds: f64| {
        let hz = 220.0 * 2f64.powf(f64::from(semitone) / 12.0);
        for i in 0..(seconds * 3.0 * RATE) as usize {
            let t = i as f64 / RATE;
            let attack = (t / 0.012).min(1.0);
            let body =
                (TAU * hz * t).sin() + 0.25 * (TAU * 2.0 * hz * t).sin() * (-t * 3.0).exp() + 0.08 * (TAU * 3.0 * hz * t).sin();
            mix[(start + i) % length] += loud * attack * (-t / seconds).exp() * body;
        }
    };
    for (bar, chord) in CHORDS.iter().enumerate() {
        let begin = bar * 8 * step;
        pluck(begin, chord[0] - 12, 0.8, 1.4);
        for (beat, note) in ORDER.iter().enumerate() {
            pluck(begin + beat * step, chord[*note], if beat % 4 == 0 { 0.6 } else { 0.45 }, 0.55);
        }
    }
    let peak = mix.iter().fold(1e-9f64, |p, s| p.max(s.abs()));
    let scale = amplitude(-15.0) / peak;
    clip(mix.into_iter().map(|s| s * scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::level_dbfs;

    #[test]
    fn hold_music_is_quiet_never_silent_and_loops_without_a_click() {
        let m = hold_music();
        assert_eq!(m.duration(), Duration::from_secs(16));
        for (i, second) in m.pcm.chunks(8_000).enumerate() {
            let level = level_dbfs(second);
            assert!((-45.0..-12.0).contains(&level), "second {i}: {level}");
        }
        let steepest = m.pcm.windows(2).map(|w| (i32::from(w[1]) - i32::from(w[0])).abs()).max().unwrap_or(0);
        let seam = (i32::from(m.pcm[0]) - i32::from(m.pcm[m.pcm.len() - 1])).abs();
        assert!(seam <= steepest, "{seam} against {steepest}");
    }
}
