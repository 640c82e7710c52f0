//! Whisperers and shouters in a mix brought within reach of the others; whoever speaks at a good level is left as they are.
//!
//! The gain follows the level of active speech (in the sense of ITU-T P.56: pauses between words do not count). Over a wide
//! range of good levels it is exactly 1, and not a sample is touched. It rises slowly and only after somebody spoke for a
//! while, so that a noise that began is known as noise before it could be raised; in pauses nothing is raised, so that no
//! room is pumped up. It falls fast, and a peak that would clip pulls it down at once.

use std::time::Duration;

use super::{level, vad::Vad};

/// Active speech between these is left alone, dBFS; beyond, it is brought to the nearer one.
const GOOD_DBFS: (f32, f32) = (-28.0, -9.0);
/// Most loss and gain, dB.
const GAIN_DB: (f32, f32) = (-12.0, 15.0);
/// Fastest change in a frame of 20 ms, dB: 3 dB a second up, 20 dB a second down.
const UP_DB: f32 = 0.06;
const DOWN_DB: f32 = 0.4;
/// A difference to the wanted gain that is left alone, dB: gain that breathes with every word would be heard.
const ENOUGH_DB: f32 = 1.0;
/// A pause so long ends speech: the raised gain is kept up between words, not longer.
const PAUSE: Duration = Duration::from_millis(300);
/// Frames of speech after which the gain may rise: one second. Steady noise is known as such sooner, with its pause.
const SURE_FRAMES: u32 = 50;
/// Quieter than the level of speech by this is a pause between words, dB (ITU-T P.56: a margin of 15.9).
const WORD_DB: f32 = 16.0;
/// Share of a frame in the level of speech: half a second of louder words, two seconds of softer ones.
const SHARE: (f32, f32) = (0.04, 0.01);
/// A level nobody reaches any more falls by this factor a frame of speech: 2 dB a second.
const FORGET: f32 = 0.990_8;
/// With gain, no sample gets higher than -1 dBFS.
const CEILING: f32 = 29_200.0;

/// The gain of one leg in a mix.
#[derive(Debug, Clone)]
pub struct Agc {
    vad: Vad,
    /// Frames of speech since the last pause.
    spoken: u32,
    /// Mean square of active speech; 0 before the first.
    speech: f32,
    gain_db: f32,
    /// What the end of the last frame was multiplied by.
    factor: f32,
}

impl Default for Agc {
    fn default() -> Self {
        Self { vad: Vad::new(PAUSE), spoken: 0, speech: 0.0, gain_db: 0.0, factor: 1.0 }
    }
}

impl Agc {
    /// The gain of speech now, dB; 0 for a good level.
    pub fn gain_db(&self) -> f32 {
        self.gain_db
    }

    /// Set the loudness of the next 20 ms, at any rate.
    pub fn frame(&mut self, pcm: &mut [i16]) {
        self.vad.frame(pcm);
        if self.vad.speaking() {
            self.spoken = self.spoken.saturating_add(1);
            self.listen(level::power(pcm));
        } else {
            self.spoken = 0;
        }
        // What a pause sounds like is never raised, and stays lowered.
        let gain_db = if self.spoken > 0 { self.gain_db } else { self.gain_db.min(0.0) };
        if gain_db == 0.0 && self.factor == 1.0 {
            return;
        }
        let wanted = if gain_db == 0.0 { 1.0 } else { 10f32.powf(gain_db / 20.0) };
        let peak = pcm.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        // Without gain nothing can clip that did not before.
        let most = (CEILING / f32::from(peak.max(1))).max(1.0);
        let (from, to) = (self.factor.min(most), wanted.min(most));
        let n = pcm.len() as f32;
        for (i, s) in pcm.iter_mut().enumerate() {
            let f = from + (to - from) * (i as f32 / n);
            *s = (f32::from(*s) * f) as i16;
        }
        self.factor = to;
    }

    /// A frame of speech: how loud its words are, and what gain that wants.
    fn listen(&mut self, power: f32) {
        let words = self.speech * 10f32.powf(-WORD_DB / 10.0);
        if self.speech == 0.0 {
            self.speech = power;
        } else if power >= words {
            let share = if power > self.speech { SHARE.0 } else { SHARE.1 };
            self.speech += share * (power - self.speech);
        } else {
            self.speech *= FORGET;
        }
        let dbfs = level::decibel(self.speech);
        let wanted = (dbfs.clamp(GOOD_DBFS.0, GOOD_DBFS.1) - dbfs).clamp(GAIN_DB.0, GAIN_DB.1);
        let missing = wanted - self.gain_db;
        if missing.abs() <= ENOUGH_DB && wanted != 0.0 {
            return;
        }
        let up = if self.spoken > SURE_FRAMES || self.gain_db < 0.0 { UP_DB } else { 0.0 };
        self.gain_db += missing.clamp(-DOWN_DB, up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dsp::speechlike, time::Chance, tone, wire::Rate};

    fn at(dbfs: f32, mut pcm: Vec<i16>) -> Vec<i16> {
        let boost = 10f32.powf((dbfs - level::dbfs(&pcm)) / 20.0);
        pcm.iter_mut().for_each(|s| *s = (f32::from(*s) * boost).clamp(-32_767.0, 32_767.0) as i16);
        pcm
    }

    fn voice(dbfs: f32, seconds: u32) -> Vec<i16> {
        at(dbfs, speechlike::voice(Rate::K8, seconds, 140.0, 4))
    }

    fn noise(dbfs: f32, seconds: u32) -> Vec<i16> {
        let mut chance = Chance::new(8);
        at(dbfs, (0..seconds * 8_000).map(|_| (chance.word() as i32 / 65_536) as i16).collect())
    }

    /// What comes out.
    fn through(agc: &mut Agc, pcm: &[i16]) -> Vec<i16> {
        let mut out = pcm.to_vec();
        out.chunks_exact_mut(160).for_each(|f| agc.frame(f));
        out
    }

    /// Level of the last third.
    fn settled(pcm: &[i16]) -> f32 {
        level::dbfs(&pcm[pcm.len() / 3 * 2..])
    }

    #[test]
    fn a_good_level_is_not_touched_by_a_single_sample() {
        // Active speech is a few decibels above the mean over its pauses.
        for said in [voice(-26.0, 20), voice(-20.0, 20), voice(-14.0, 20)] {
            assert!(through(&mut Agc::default(), &said) == said, "{}", level::dbfs(&said));
        }
        for dbfs in [-27.0, -12.0, -9.5] {
            let said = tone::sine(440.0, dbfs, Duration::from_secs(5)).pcm;
            assert!(through(&mut Agc::default(), &said)[..] == said[..], "a tone of {dbfs}");
        }
    }

    #[test]
    fn a_whisperer_is_raised_slowly_and_by_no_more_than_fifteen_decibels() {
        let said = voice(-38.0, 30);
        let heard = through(&mut Agc::default(), &said);
        assert!((-33.0..-27.0).contains(&settled(&heard)), "{}", settled(&heard));
        let early = level::dbfs(&heard[..16_000]) - level::dbfs(&said[..16_000]);
        assert!((0.0..4.0).contains(&early), "{early} dB in two seconds");
        let mut agc = Agc::default();
        let faint = through(&mut agc, &voice(-48.0, 30));
        assert!((-36.0..-32.5).contains(&settled(&faint)) && agc.gain_db() > 13.9, "{} {agc:?}", settled(&faint));
    }

    #[test]
    fn a_shouter_is_lowered_within_a_second() {
        let shout = tone::sine(300.0, -1.0, Duration::from_secs(1)).pcm;
        // A shout on one note would be no speech: it comes in syllables.
        let said: Vec<i16> =
            (0..10).flat_map(|i| shout[..3_200 + i * 80].iter().map(move |s| s / (1 + i as i16 % 2))).collect();
        let heard = through(&mut Agc::default(), &said);
        let (before, after) = (level::dbfs(&said[9_600..]), level::dbfs(&heard[9_600..]));
        assert!((2.0..8.0).contains(&(before - after)), "{before} became {after}");
    }

    #[test]
    fn noise_and_silence_are_never_raised_not_even_after_a_whisper() {
        for still in [noise(-35.0, 10), noise(-45.0, 10), noise(-60.0, 10), vec![0; 80_000], vec![3; 80_000]] {
            assert!(through(&mut Agc::default(), &still) == still, "{}", level::dbfs(&still));
            let mut agc = Agc::default();
            through(&mut agc, &voice(-40.0, 20));
            let gain = agc.gain_db();
            let heard = through(&mut agc, &still);
            // Noise that follows at once is taken for more of the same until it is known as noise.
            assert!(gain > 6.0 && (agc.gain_db() - gain).abs() < 4.0, "{gain} became {}", agc.gain_db());
            assert!(heard[16_000..] == still[16_000..], "{}", level::dbfs(&still));
        }
    }

    #[test]
    fn a_sudden_shout_after_a_whisper_does_not_clip() {
        let mut agc = Agc::default();
        through(&mut agc, &voice(-40.0, 20));
        let mut shout: Vec<i16> = (0..160).map(|i| if i / 8 % 2 == 0 { 25_000 } else { -25_000 }).collect();
        agc.frame(&mut shout);
        assert!(shout.iter().all(|s| (24_000..=29_200).contains(&s.unsigned_abs())), "{shout:?}");
    }
}
