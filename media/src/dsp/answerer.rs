//! Who picked up: a person, or a machine that will record after its beep.
//!
//!     Waiting ──a word──▶ Greeting ──pause of 800 ms──▶ Human
//!        │                    └──two seconds of it, or a beep──▶ Machine ──beep──▶ (told)
//!        └──five seconds──▶ Unclear
//!
//! People say who they are and wait; machines go on. Nobody can tell a machine that pauses after its first word from a
//! person, so the times are a compromise, the usual one.

use std::time::Duration;

use super::{
    tones::{self, Tone},
    vad::Vad,
};
use crate::wire::Answerer as By;

/// A greeting as long as this is a machine's.
const LONG: Duration = Duration::from_millis(2_000);
/// A pause as long as this after a greeting is somebody waiting for an answer.
const PAUSE: Duration = Duration::from_millis(800);
/// Longest look. Then it is unclear.
const LOOK: Duration = Duration::from_millis(5_000);
/// A pause that does not interrupt a greeting ([`Vad`] tells the end of speech so much later).
const BREATH: Duration = Duration::from_millis(200);
/// A frame.
const FRAME: Duration = Duration::from_millis(20);

/// What was found out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    /// Who it is. Said once.
    By(By),
    /// A beep is over. Only of a machine, or while it is unclear.
    Beep(Tone),
}

/// Listens to one leg at 8 kHz, from when it answered.
#[derive(Debug, Clone)]
pub struct Answerer {
    vad: Vad,
    beep: tones::Beep,
    /// Since it answered.
    time: Duration,
    /// When the greeting began, and when its last word ended.
    began: Option<Duration>,
    ended: Option<Duration>,
    by: Option<By>,
}

impl Default for Answerer {
    fn default() -> Self {
        Self { vad: Vad::new(BREATH), beep: tones::Beep::default(), time: Duration::ZERO, began: None, ended: None, by: None }
    }
}

impl Answerer {
    /// Who it is, once it is known.
    pub fn by(&self) -> Option<By> {
        self.by
    }

    /// The next 20 ms.
    pub fn frame(&mut self, pcm: &[i16]) -> [Option<Found>; 2] {
        if self.by == Some(By::Human) {
            return [None, None];
        }
        self.time += FRAME;
        let beep = self.beep.frame(pcm).map(|(tone, _)| Found::Beep(tone));
        if self.by.is_some() {
            return [None, beep];
        }
        match self.vad.frame(pcm) {
            Some(true) => {
                self.began = self.began.or(Some(self.time));
                self.ended = None;
            }
            Some(false) => self.ended = Some(self.time.saturating_sub(BREATH)),
            None => {}
        }
        self.by = self.judge(beep.is_some());
        [self.by.map(Found::By), beep]
    }

    fn judge(&self, beep: bool) -> Option<By> {
        if beep {
            return Some(By::Machine);
        }
        if let Some(began) = self.began {
            match self.ended {
                None if self.time - began >= LONG => return Some(By::Machine),
                Some(ended) if self.time - ended >= PAUSE => return Some(By::Human),
                _ => {}
            }
        }
        (self.time >= LOOK).then_some(By::Unclear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dsp::speechlike, tone, wire::Rate};

    /// What is found in `parts` one after another, with when, in milliseconds.
    fn told(parts: &[&[i16]]) -> Vec<(u64, &'static str)> {
        let mut a = Answerer::default();
        let pcm = parts.concat();
        let mut found = Vec::new();
        for (i, frame) in pcm.chunks_exact(160).enumerate() {
            found.extend(a.frame(frame).into_iter().flatten().map(|f| {
                let what = match f {
                    Found::By(By::Human) => "human",
                    Found::By(By::Machine) => "machine",
                    Found::By(By::Unclear) => "unclear",
                    Found::Beep(_) => "beep",
                };
                (i as u64 * 20, what)
            }));
        }
        found
    }

    fn quiet(ms: usize) -> Vec<i16> {
        vec![0; ms * 8]
    }

    #[test]
    fn hello_and_a_pause_is_a_person_and_told_within_a_second_of_the_last_word() {
        for ms in [300, 600, 1_200] {
            let hello = &speechlike::voice(Rate::K8, 2, 120.0, 3)[..ms * 8];
            let found = told(&[&quiet(500), hello, &quiet(5_000)]);
            assert!(matches!(found[..], [(at, "human")] if at <= 500 + ms as u64 + 1_000), "{ms}: {found:?}");
        }
    }

    #[test]
    fn a_long_announcement_is_a_machine_and_its_beep_is_told_when_it_is_over() {
        let voice = speechlike::voice(Rate::K8, 8, 190.0, 5);
        let beep = tone::beep().pcm;
        let found = told(&[&quiet(400), &voice, &quiet(700), &beep, &quiet(1_000)]);
        let [(machine, "machine"), (beep, "beep")] = found[..] else { panic!("{found:?}") };
        assert!((2_300..3_200).contains(&machine) && (9_380..=9_500).contains(&beep), "{found:?}");
    }

    #[test]
    fn a_beep_before_anything_is_clear_is_a_machine_and_silence_is_unclear() {
        let found = told(&[&quiet(500), &tone::beep().pcm, &quiet(6_000)]);
        assert_eq!(found.iter().map(|f| f.1).collect::<Vec<_>>(), ["machine", "beep"], "{found:?}");
        assert_eq!(told(&[&quiet(10_000)]), [(4_980, "unclear")]);
    }
}
