//! Whether somebody speaks.
//!
//! Speech is louder than the noise behind it and never keeps its loudness; noise, hum, tones and music on one note do. So the
//! level of a frame is held against a floor that falls at once, rises slowly, and rises at once to anything that has been
//! steady for a while. A frame of a few milliseconds of click is neither.
//!
//! Of the crates looked at, `webrtc-vad` is C, and `earshot` wants 16 kHz and ten times this one's time to tell speech from
//! loud changing noise, which a telephone line seldom has.

use std::time::Duration;

use super::level;

/// Louder than the floor by this is speech, dB.
const ABOVE_FLOOR_DB: f32 = 9.0;
/// Below this nobody speaks to us, dBFS.
const FAINTEST_DBFS: f32 = -50.0;
/// The floor never rises above this: a caller who shouts all the time is still heard, dBFS.
const FLOOR_MAX_DBFS: f32 = -25.0;
/// The floor rises by so much a frame: 2.5 dB a second.
const RISE_DB: f32 = 0.05;
/// Within this of where it began a level is steady, dB, either way.
const STEADY_DB: f32 = 2.0;
/// So many steady frames are no speech: 600 ms. No vowel is held so long at one loudness.
const STEADY_FRAMES: u32 = 30;
/// So many frames in a row begin speech: 60 ms.
const BEGIN_FRAMES: u32 = 3;
/// A frame.
const FRAME: Duration = Duration::from_millis(20);

/// Listens to one leg.
#[derive(Debug, Clone)]
pub struct Vad {
    /// Frames without speech that end it.
    end_frames: u32,
    floor: f32,
    /// Where a steady level began, and for how many frames it has been.
    steady: (f32, u32),
    speaking: bool,
    /// Frames in a row that speak against the state.
    against: u32,
}

impl Vad {
    /// Speech ends when it paused for `pause`.
    pub fn new(pause: Duration) -> Self {
        Self {
            end_frames: (pause.as_millis() / FRAME.as_millis()).max(1) as u32,
            floor: FAINTEST_DBFS - ABOVE_FLOOR_DB,
            steady: (level::SILENCE_DBFS, 0),
            speaking: false,
            against: 0,
        }
    }

    /// The next 20 ms, at any rate. `Some(true)`: speech began (60 ms ago); `Some(false)`: it ended (a pause ago).
    pub fn frame(&mut self, pcm: &[i16]) -> Option<bool> {
        let voiced = self.voiced(level::dbfs(pcm));
        if voiced == self.speaking {
            self.against = 0;
            return None;
        }
        self.against += 1;
        if self.against < if self.speaking { self.end_frames } else { BEGIN_FRAMES } {
            return None;
        }
        self.speaking = voiced;
        self.against = 0;
        Some(voiced)
    }

    /// Whether somebody speaks.
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Whether the last frame by itself was speech.
    fn voiced(&mut self, dbfs: f32) -> bool {
        let (began, frames) = self.steady;
        self.steady = if (dbfs - began).abs() <= STEADY_DB { (began, frames + 1) } else { (dbfs, 0) };
        if self.steady.1 >= STEADY_FRAMES {
            self.floor = self.floor.max(dbfs);
        } else {
            self.floor += RISE_DB;
        }
        self.floor = self.floor.min(dbfs.max(FAINTEST_DBFS - ABOVE_FLOOR_DB)).min(FLOOR_MAX_DBFS.max(self.steady_floor()));
        dbfs > self.floor + ABOVE_FLOOR_DB && dbfs > FAINTEST_DBFS
    }

    /// A level that is steady is a floor however loud it is.
    fn steady_floor(&self) -> f32 {
        if self.steady.1 >= STEADY_FRAMES { self.steady.0 + STEADY_DB } else { FLOOR_MAX_DBFS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dsp::speechlike, time::Chance, tone, wire::Rate};

    /// `+` began, `-` ended, with the frame.
    fn heard(vad: &mut Vad, pcm: &[i16]) -> Vec<(usize, bool)> {
        pcm.chunks_exact(160).enumerate().filter_map(|(i, f)| vad.frame(f).map(|b| (i, b))).collect()
    }

    fn noise(dbfs: f32, seconds: usize) -> Vec<i16> {
        let mut chance = Chance::new(8);
        let height = 32_767.0 * 10f32.powf(dbfs / 20.0) * 1.22;
        (0..seconds * 8_000).map(|_| (height * (chance.word() as i32 as f32 / 2_147_483_648.0)) as i16).collect()
    }

    #[test]
    fn speech_begins_within_a_tenth_of_a_second_and_ends_a_pause_after_the_last_word() {
        let mut pcm = vec![0; 16_000];
        pcm.extend(speechlike::voice(Rate::K8, 3, 120.0, 1));
        pcm.extend(vec![0; 16_000]);
        let mut vad = Vad::new(Duration::from_millis(500));
        let turns = heard(&mut vad, &pcm);
        let [(begin, true), (end, false)] = turns[..] else { panic!("{turns:?}") };
        assert!((102..=106).contains(&begin) && (265..=276).contains(&end), "{turns:?}");
    }

    #[test]
    fn speech_is_heard_over_noise_fifteen_decibels_below_it() {
        for behind in [-60.0, -45.0, -38.0] {
            let voice = speechlike::voice(Rate::K8, 10, 180.0, 2);
            let loud = level::dbfs(&voice);
            let mut pcm = noise(behind, 15);
            let boost = 10f32.powf((behind.max(-50.0) + 15.0 - loud) / 20.0);
            pcm[24_000..].iter_mut().zip(&voice).for_each(|(s, v)| *s = s.saturating_add((f32::from(*v) * boost) as i16));
            let mut vad = Vad::new(Duration::from_millis(600));
            let mut speaking = 0;
            for (i, frame) in pcm.chunks_exact(160).enumerate() {
                vad.frame(frame);
                if vad.speaking() {
                    speaking += usize::from((150..650).contains(&i));
                    // Stationary noise is taken for speech for a moment when it begins.
                    assert!(!(60..150).contains(&i), "noise of {behind} dBFS spoke at {i}");
                }
            }
            assert!(speaking > 440, "{speaking} of 500 frames over {behind} dBFS");
        }
    }

    #[test]
    fn tones_and_noise_that_begin_are_not_speech_for_long_and_clicks_never() {
        for steady in [tone::sine(425.0, -12.0, Duration::from_secs(10)).pcm.to_vec(), noise(-20.0, 10), noise(-40.0, 10)] {
            let mut vad = Vad::new(Duration::from_millis(200));
            let turns = heard(&mut vad, &steady);
            assert!(turns.len() <= 2 && turns.last().is_none_or(|t| !t.1 && t.0 <= 60), "{turns:?}");
        }
        let mut clicks = vec![0; 80_000];
        clicks.iter_mut().step_by(4_000).for_each(|s| *s = 30_000);
        assert_eq!(heard(&mut Vad::new(Duration::from_millis(200)), &clicks), []);
    }
}
