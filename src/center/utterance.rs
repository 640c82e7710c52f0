//! Where an utterance begins and ends: what a recogniser is given is whole, and is not half a minute long.
//!
//! ```text
//! silence ─60 ms of voice─▶ speaking ─700 ms of silence─▶ an utterance, silence again
//!                            └──────── 10 s ────────────▶ an utterance up to its quietest moment, still speaking
//! ```
//!
//! A little of what came before the voice was noticed belongs to it: "s", "f" and "t" are no voice yet. Frames in, utterances
//! out; the edge that empties the taps runs one of these a leg, and so does the simulator.

use std::{collections::VecDeque, time::Duration};

use media::{
    dsp::{level, vad::Vad},
    wire::Rate,
};

/// A frame, milliseconds.
const FRAME_MS: u64 = 20;
/// Silence that ends an utterance.
pub const PAUSE: Duration = Duration::from_millis(700);
/// Longest utterance. A recogniser's work grows with it, and so does the wait of whoever wants the words.
pub const LONGEST: Duration = Duration::from_secs(10);
/// Of the frames before voice was noticed, so many belong to the utterance: 60 ms that it took to notice, 240 before.
const PRE_ROLL: usize = 15;
/// Of the pause at the end, so many do.
const POST_ROLL: usize = 15;
/// An utterance that is too long is cut at the quietest frame of its last two seconds.
const CUT_WITHIN: usize = 100;

/// What a frame brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Somebody begins to speak.
    Began,
    /// Somebody spoke.
    Said(Utterance),
}

/// What was said between two silences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// Its sound, at the rate of the frames.
    pub pcm: Vec<i16>,
    /// How long ago its first sample was taken in.
    pub ago: Duration,
    /// How long it is.
    pub length: Duration,
    /// Whoever said it speaks on.
    pub goes_on: bool,
}

/// Cuts what one leg says.
#[derive(Debug)]
pub struct Cutter {
    rate: Rate,
    vad: Vad,
    speaking: bool,
    frames: VecDeque<(f32, Vec<i16>)>,
}

impl Cutter {
    /// For sound at this rate, in frames of 20 ms.
    pub fn new(rate: Rate) -> Self {
        Cutter { rate, vad: Vad::new(PAUSE), speaking: false, frames: VecDeque::new() }
    }

    /// Samples of a frame.
    pub fn frame_len(&self) -> usize {
        self.rate.samples(FRAME_MS as u32)
    }

    /// The next 20 ms.
    pub fn frame(&mut self, pcm: &[i16]) -> Option<Cut> {
        // The oldest frame's room is used again while nobody speaks.
        let mut room = if !self.speaking && self.frames.len() >= PRE_ROLL {
            self.frames.pop_front().map(|(_, room)| room).unwrap_or_default()
        } else {
            Vec::new()
        };
        room.clear();
        room.extend_from_slice(pcm);
        self.frames.push_back((level::dbfs(pcm), room));
        match self.vad.frame(pcm) {
            Some(true) => {
                self.speaking = true;
                Some(Cut::Began)
            }
            Some(false) => {
                self.speaking = false;
                let silence = (PAUSE.as_millis() as u64 / FRAME_MS) as usize;
                Some(Cut::Said(self.cut(self.frames.len().saturating_sub(silence) + POST_ROLL, false)))
            }
            None if self.speaking && self.frames.len() as u64 * FRAME_MS >= LONGEST.as_millis() as u64 => {
                let from = self.frames.len() - CUT_WITHIN;
                let quiet = self.frames.iter().enumerate().skip(from).min_by(|a, b| a.1.0.total_cmp(&b.1.0));
                let at = quiet.map_or(self.frames.len(), |(at, _)| at + 1);
                Some(Cut::Said(self.cut(at, true)))
            }
            None => None,
        }
    }

    /// Nothing more comes: what was begun is all there is.
    pub fn finish(&mut self) -> Option<Utterance> {
        let said = self.speaking.then(|| self.cut(self.frames.len(), false));
        self.forget();
        said
    }

    /// What was heard so far was not for us.
    pub fn forget(&mut self) {
        *self = Cutter::new(self.rate);
    }

    /// The first `n` frames as an utterance. Those after them stay.
    fn cut(&mut self, n: usize, goes_on: bool) -> Utterance {
        let frames = self.frames.len();
        let pcm = self.frames.drain(..n.min(frames)).flat_map(|(_, f)| f).collect();
        let time = |n: usize| Duration::from_millis(n as u64 * FRAME_MS);
        if !goes_on {
            // What is left of the pause is what may come before the next word.
            let over = self.frames.len().saturating_sub(PRE_ROLL);
            self.frames.drain(..over);
        }
        Utterance { pcm, ago: time(frames), length: time(n.min(frames)), goes_on }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody's voice: syllables of a fifth of a second on a changing note, none as loud as the one before.
    fn voice(seconds: f32) -> Vec<i16> {
        let n = (seconds * 8_000.0) as usize;
        let sound = |i: usize| {
            let t = i as f32 / 8_000.0;
            let syllable = (std::f32::consts::PI * (t * 5.0).fract()).sin();
            let loud = 4_000.0 + 3_000.0 * (t * 1.7).sin();
            (loud * syllable * (t * 2.0 * std::f32::consts::PI * (140.0 + 30.0 * (t * 3.0).sin())).sin()) as i16
        };
        (0..n).map(sound).collect()
    }

    fn silence(seconds: f32) -> Vec<i16> {
        vec![0; (seconds * 8_000.0) as usize]
    }

    /// What comes of a sound, with the number of the frame it came at.
    fn heard(cutter: &mut Cutter, pcm: &[i16]) -> Vec<(usize, Cut)> {
        pcm.chunks_exact(160).enumerate().filter_map(|(n, f)| cutter.frame(f).map(|c| (n, c))).collect()
    }

    #[test]
    fn an_utterance_has_a_little_of_the_silence_around_it_and_comes_a_pause_after_its_last_word() {
        let mut cutter = Cutter::new(Rate::K8);
        let all = [silence(1.0), voice(2.0), silence(1.5)].concat();
        let cuts = heard(&mut cutter, &all);
        let [(began, Cut::Began), (ended, Cut::Said(u))] = &cuts[..] else { panic!("{cuts:?}") };
        assert!((52..=58).contains(began), "60 ms after the voice: {began}");
        assert!((183..=188).contains(ended), "700 ms after it: {ended}");
        // A quarter of a second before, 300 ms after.
        let length = u.length.as_millis();
        assert!((2_400..=2_620).contains(&length) && u.pcm.len() as u128 == length * 8, "{length}");
        assert!(!u.goes_on && u.ago > u.length);
        assert!(u.pcm[..160 * 8].iter().all(|s| *s == 0), "the silence before belongs to it");
    }

    #[test]
    fn somebody_who_does_not_stop_is_cut_at_a_quiet_moment_and_no_sample_is_lost_or_told_twice() {
        let mut cutter = Cutter::new(Rate::K8);
        let all = [silence(0.5), voice(25.0), silence(1.0)].concat();
        let said: Vec<Utterance> = heard(&mut cutter, &all)
            .into_iter()
            .filter_map(|(_, c)| if let Cut::Said(u) = c { Some(u) } else { None })
            .collect();
        assert_eq!(said.iter().map(|u| u.goes_on).collect::<Vec<_>>(), [true, true, false]);
        assert!(said.iter().all(|u| u.length <= LONGEST));
        let told: Vec<i16> = said.iter().flat_map(|u| u.pcm.clone()).collect();
        let at = all.windows(400).position(|w| w == &told[4_000..4_400]).unwrap() - 4_000;
        assert_eq!(told, all[at..at + told.len()]);
        for u in said.iter().filter(|u| u.goes_on) {
            let last = &u.pcm[u.pcm.len() - 160..];
            assert!(level::dbfs(last) < level::dbfs(&u.pcm) - 10.0, "cut in the middle of a syllable");
        }
    }

    #[test]
    fn what_was_begun_when_the_line_goes_is_handed_over_and_silence_is_not() {
        let mut cutter = Cutter::new(Rate::K8);
        assert_eq!(heard(&mut cutter, &silence(2.0)), []);
        assert_eq!(cutter.finish(), None);
        heard(&mut cutter, &[silence(1.0), voice(0.5)].concat());
        let u = cutter.finish().unwrap();
        assert!((480..=820).contains(&u.length.as_millis()), "{:?}", u.length);
        assert_eq!(cutter.finish(), None);
    }

    #[test]
    fn what_is_forgotten_is_in_no_utterance() {
        let mut cutter = Cutter::new(Rate::K8);
        heard(&mut cutter, &[silence(1.0), voice(1.0)].concat());
        cutter.forget();
        assert_eq!(heard(&mut cutter, &silence(2.0)), []);
    }
}
