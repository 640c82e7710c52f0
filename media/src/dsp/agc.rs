//! Everybody in a mix about equally loud, and nobody too loud.
//!
//! The gain follows the level of speech, slowly, and only while somebody speaks: in pauses it stays, so that no room is
//! pumped up. A peak that would clip pulls it down at once.

use super::level;

/// Speech is brought to this, dBFS.
const TARGET_DBFS: f32 = -20.0;
/// Most and least gain, dB.
const GAIN_DB: (f32, f32) = (-12.0, 15.0);
/// Fastest change in a frame of 20 ms, dB: 3 dB a second up, 10 dB a second down.
const UP_DB: f32 = 0.06;
const DOWN_DB: f32 = 0.2;
/// Difference to the target that is left alone, dB.
const ENOUGH_DB: f32 = 1.0;
/// Share of a frame in the level of speech: it is what it was on average over half a second of speech.
const SHARE: f32 = 0.04;
/// No sample gets higher: -1 dBFS.
const CEILING: f32 = 29_200.0;

/// The gain of one leg in a mix.
#[derive(Debug, Clone, Default)]
pub struct Agc {
    /// Mean square of speech lately; 0 before the first.
    speech: f32,
    gain_db: f32,
    /// What the end of the last frame was multiplied by.
    factor: Option<f32>,
}

impl Agc {
    /// The gain now, dB.
    pub fn gain_db(&self) -> f32 {
        self.gain_db
    }

    /// Set the loudness of the next 20 ms. `speaking`: somebody does ([`Vad::speaking`](super::vad::Vad::speaking)).
    pub fn frame(&mut self, pcm: &mut [i16], speaking: bool) {
        if speaking {
            let power = level::power(pcm);
            self.speech = if self.speech == 0.0 { power } else { self.speech + SHARE * (power - self.speech) };
            let wanted = (TARGET_DBFS - level::decibel(self.speech)).clamp(GAIN_DB.0, GAIN_DB.1);
            let missing = wanted - self.gain_db;
            if missing.abs() > ENOUGH_DB {
                self.gain_db += missing.clamp(-DOWN_DB, UP_DB);
            }
        }
        let peak = pcm.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        let most = CEILING / f32::from(peak.max(1));
        // Alone, a peak of silence would allow any gain: it is what the speech of before got.
        let factor = 10f32.powf(self.gain_db / 20.0).min(most);
        let from = self.factor.unwrap_or(factor).min(most);
        let n = pcm.len() as f32;
        for (i, s) in pcm.iter_mut().enumerate() {
            let f = from + (factor - from) * (i as f32 / n);
            *s = (f32::from(*s) * f) as i16;
        }
        self.factor = Some(factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dsp::speechlike, wire::Rate};

    /// `seconds` of a voice at `dbfs`, through; the level of the last third.
    fn through(agc: &mut Agc, dbfs: f32, seconds: u32) -> f32 {
        let mut voice = speechlike::voice(Rate::K8, seconds, 140.0, 4);
        let boost = 10f32.powf((dbfs - level::dbfs(&voice)) / 20.0);
        voice.iter_mut().for_each(|s| *s = (f32::from(*s) * boost).clamp(-32_000.0, 32_000.0) as i16);
        for frame in voice.chunks_exact_mut(160) {
            let speaking = level::dbfs(frame) > dbfs - 15.0;
            agc.frame(frame, speaking);
            assert!(frame.iter().all(|s| s.unsigned_abs() <= 29_200));
        }
        level::dbfs(&voice[voice.len() / 3 * 2..])
    }

    #[test]
    fn whispers_and_shouts_come_out_alike() {
        for dbfs in [-34.0, -26.0, -20.0, -12.0] {
            let out = through(&mut Agc::default(), dbfs, 20);
            assert!((-24.0..-18.0).contains(&out), "{dbfs} became {out}");
        }
        let faint = through(&mut Agc::default(), -48.0, 20);
        assert!((-38.0..-32.0).contains(&faint), "15 dB is all there is: {faint}");
    }

    #[test]
    fn silence_is_not_pumped_and_the_gain_is_still_there_when_speech_returns() {
        let mut agc = Agc::default();
        through(&mut agc, -32.0, 20);
        let gain = agc.gain_db();
        assert!(gain > 8.0, "{gain}");
        let mut hush = [30; 160];
        for _ in 0..3_000 {
            hush = [30; 160];
            agc.frame(&mut hush, false);
        }
        assert_eq!(agc.gain_db(), gain);
        assert!(hush[0] < 150);
    }

    #[test]
    fn a_sudden_shout_after_a_whisper_does_not_clip() {
        let mut agc = Agc::default();
        through(&mut agc, -34.0, 20);
        let mut shout: Vec<i16> = (0..160).map(|i| if i / 8 % 2 == 0 { 25_000 } else { -25_000 }).collect();
        agc.frame(&mut shout, true);
        assert!(shout.iter().all(|s| (24_000..=29_200).contains(&s.unsigned_abs())), "{shout:?}");
    }
}
