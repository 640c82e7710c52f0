//! Single tones: which one a frame is, and the beep after which an answering machine records.

use std::time::Duration;

use super::level;

/// Share of a frame that is its tone.
const PURE: f32 = 0.90;
/// Beeps lie between these, hertz: below hums the mains, above is no telephone.
const BEEP_HZ: (f32, f32) = (350.0, 2_600.0);
/// Quietest beep, dBFS.
const BEEP_DBFS: f32 = -40.0;
/// A beep keeps its pitch within this share of it, and its level within so many dB.
const SAME_HZ: f32 = 0.02;
const SAME_DB: f32 = 3.0;
/// Frames a beep has: 80 ms to 3 s. A longer tone is a dial tone, or a fax.
const BEEP_FRAMES: (u32, u32) = (4, 150);
/// After it the line is quieter by this, dB, for two frames: the machine listens. Notes of music follow each other.
const AFTER_DB: f32 = 15.0;
const AFTER_FRAMES: u32 = 2;
/// A frame.
const FRAME: Duration = Duration::from_millis(20);

/// A tone, and nothing beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Hertz.
    pub hz: f32,
    /// Level, dBFS.
    pub dbfs: f32,
}

/// The tone that `pcm` (20 ms at 8 kHz) is, if it is one.
///
/// Neighbours of a sample of a sine add up to 2 cos w times the sample, whatever its phase; that gives the frequency, and
/// Goertzel's algorithm tells whether it is all there is.
pub fn single(pcm: &[i16]) -> Option<Tone> {
    let power = level::power(pcm);
    if power < level::power_of(BEEP_DBFS - 10.0) {
        return None;
    }
    let (mut cross, mut own) = (0f32, 0f32);
    for w in pcm.windows(3) {
        let [before, this, after] = [w[0], w[1], w[2]].map(f32::from);
        cross += this * (before + after);
        own += this * this;
    }
    let turn = cross / own.max(1.0);
    if turn.abs() >= 2.0 {
        return None;
    }
    let (mut a, mut b) = (0f32, 0f32);
    for s in pcm {
        (a, b) = (f32::from(*s) + turn * a - b, a);
    }
    let n = pcm.len() as f32;
    let alone = 2.0 * (a * a + b * b - turn * a * b) / (n * n);
    let hz = (turn / 2.0).acos() * 8_000.0 / std::f32::consts::TAU;
    (alone > PURE * power).then(|| Tone { hz, dbfs: level::decibel(power) })
}

/// Waits for beeps on one leg at 8 kHz.
#[derive(Debug, Clone, Default)]
pub struct Beep {
    tone: Option<(Tone, u32)>,
    /// Frames since it ended.
    after: u32,
}

impl Beep {
    /// The next 20 ms. The beep that is over, two frames after its end, and how long it was.
    pub fn frame(&mut self, pcm: &[i16]) -> Option<(Tone, Duration)> {
        let now = single(pcm).filter(|t| (BEEP_HZ.0..=BEEP_HZ.1).contains(&t.hz) && t.dbfs > BEEP_DBFS);
        let Some((tone, frames)) = self.tone else {
            self.tone = now.map(|t| (t, 1));
            self.after = 0;
            return None;
        };
        let same = |t: Tone| (t.hz - tone.hz).abs() < SAME_HZ * tone.hz && (t.dbfs - tone.dbfs).abs() < SAME_DB;
        if self.after == 0 && now.is_some_and(same) {
            self.tone = Some((tone, frames.saturating_add(1)));
            return None;
        }
        // The frame in which it ends is partly tone: it does not count against it.
        let hushed = self.after == 0 || level::dbfs(pcm) < tone.dbfs - AFTER_DB;
        let length = (BEEP_FRAMES.0..=BEEP_FRAMES.1).contains(&frames);
        if !length || !hushed {
            self.tone = now.map(|t| (t, 1));
            self.after = 0;
            return None;
        }
        self.after += 1;
        if self.after <= AFTER_FRAMES {
            return None;
        }
        self.tone = None;
        self.after = 0;
        Some((tone, FRAME * frames))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dsp::speechlike, tone, wire::Rate};

    fn beeps(pcm: &[i16]) -> Vec<(u32, u128)> {
        let mut beep = Beep::default();
        let over = pcm.chunks_exact(160).filter_map(|f| beep.frame(f));
        over.map(|(t, d)| ((t.hz / 10.0).round() as u32 * 10, d.as_millis())).collect()
    }

    fn between(pcm: &[i16]) -> Vec<i16> {
        [&[0; 1_000], pcm, &[0; 1_000]].concat()
    }

    #[test]
    fn beeps_of_any_pitch_and_length_are_found_when_they_are_over() {
        for (hz, ms) in [(400, 200), (1_000, 300), (1_400, 500), (2_010, 1_000), (2_500, 120)] {
            let pcm = tone::sine(f64::from(hz), -18.0, Duration::from_millis(ms)).pcm;
            let found = beeps(&between(&pcm));
            assert!(matches!(found[..], [(f, d)] if f == hz && d.abs_diff(u128::from(ms)) <= 40), "{hz} Hz {ms} ms: {found:?}");
        }
        assert_eq!(beeps(&between(&tone::beep().pcm)).len(), 1);
    }

    #[test]
    fn voices_music_dial_tones_and_digits_are_no_beep() {
        for (pitch, seed) in [(95.0, 1), (180.0, 2), (240.0, 3), (330.0, 4)] {
            assert_eq!(beeps(&speechlike::voice(Rate::K8, 120, pitch, seed)), []);
        }
        assert_eq!(beeps(&tone::hold_music().pcm), []);
        assert_eq!(beeps(&between(&tone::sine(425.0, -12.0, Duration::from_secs(10)).pcm)), []);
        let [low, high] = [770.0, 1_336.0].map(|hz| tone::sine(hz, -15.0, Duration::from_millis(300)).pcm);
        let digit: Vec<i16> = low.iter().zip(&high).map(|(a, b)| a + b).collect();
        assert_eq!(beeps(&between(&digit)), []);
    }
}
