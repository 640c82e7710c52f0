//! Everything that is looked for in what one leg says: digits as tones, speech, who answered, a dead microphone.
//!
//! Each detector knows one subject ([`dtmf::detect`](crate::dtmf::detect), [`dsp`](crate::dsp)); here they are put together
//! as [`Command::Detect`](crate::wire::Command::Detect) asks, and given sound at the rate they want.

use std::time::Duration;

use crate::{
    dsp::{
        answerer::{self, Answerer},
        level::Dead,
        resample::Resampler,
        vad::Vad,
    },
    dtmf::detect::Detector,
    limits::{FRAME, FRAME_TIME},
    wire::{self, Detect, Rate},
};

/// So long a pause ends speech: shorter ones are for breath.
const SPEECH_PAUSE: Duration = Duration::from_millis(500);
/// Most that can be found in one frame.
pub const FOUND_MAX: usize = 5;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A digit was pressed and released: which, and how long it sounded.
    Digit(char, Duration),
    /// Speech began or ended.
    Voice(bool),
    /// Who picked up.
    Answerer(wire::Answerer),
    /// The machine's beep is over.
    Beep,
    /// Nobody is at the microphone.
    Quiet,
}

/// The detectors of one leg. Those not asked for do not exist.
#[derive(Debug, Default)]
pub struct Detectors {
    tones: Option<Box<Detector>>,
    voice: Option<Vad>,
    answerer: Option<Box<Answerer>>,
    dead: Option<Dead>,
    resampler: Option<Box<Resampler>>,
}

impl Detectors {
    /// Look for what `detect` names from now on, in sound at `rate`. What was looked for already goes on.
    pub fn look_for(&mut self, detect: Detect, rate: Rate) {
        self.tones = detect.tones.then(|| self.tones.take().unwrap_or_default());
        self.voice = detect.voice.then(|| self.voice.take().unwrap_or_else(|| Vad::new(SPEECH_PAUSE)));
        self.answerer = detect.answerer.then(|| self.answerer.take().unwrap_or_default());
        self.resample_from(rate);
    }

    /// Sound comes at `rate` from now on.
    pub fn resample_from(&mut self, rate: Rate) {
        self.resampler = (rate != Rate::K8).then(|| Box::new(Resampler::new(rate, Rate::K8)));
    }

    /// Say [`Found::Quiet`] when nobody was at the microphone for so long, counted from now; `None`: do not look.
    pub fn watch_microphone(&mut self, after: Option<Duration>) {
        self.dead = after.map(Dead::new);
    }

    /// Whether anything is looked for: if not, nothing needs to be decoded for it.
    pub fn any(&self) -> bool {
        self.tones.is_some() || self.voice.is_some() || self.answerer.is_some() || self.dead.is_some()
    }

    /// The next 20 ms of what the leg said, at the rate agreed on. `made_up`: some of it for lost packets.
    pub fn frame(&mut self, pcm: &[i16], made_up: bool) -> [Option<Found>; FOUND_MAX] {
        let mut narrow = [0; FRAME];
        let pcm = match &mut self.resampler {
            Some(r) => {
                let n = r.process(pcm, &mut narrow);
                &narrow[..n]
            }
            None => pcm,
        };
        let digit = self.tones.as_mut().and_then(|d| d.frame(pcm, made_up));
        // A key is not a word, and a held one not an announcement.
        let key = self.tones.as_ref().is_some_and(|d| d.sounding());
        let heard = if key { &[0; FRAME][..] } else { pcm };
        let voice = self.voice.as_mut().and_then(|v| v.frame(heard));
        let [by, beep] = self.answerer.as_mut().map_or([None, None], |a| a.frame(heard));
        let dead = self.dead.as_mut().is_some_and(|d| d.frame(pcm, FRAME_TIME));
        let told = |found: answerer::Found| match found {
            answerer::Found::By(by) => Found::Answerer(by),
            answerer::Found::Beep(_) => Found::Beep,
        };
        [
            digit.map(|(digit, held)| Found::Digit(digit, held)),
            voice.map(Found::Voice),
            by.map(told),
            beep.map(told),
            dead.then_some(Found::Quiet),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dsp::speechlike, dtmf, tone};

    const ALL: Detect = Detect { tones: true, voice: true, answerer: true };

    fn found(d: &mut Detectors, pcm: &[i16], rate: Rate) -> Vec<Found> {
        pcm.chunks_exact(rate.samples(20)).flat_map(|f| d.frame(f, false)).flatten().collect()
    }

    #[test]
    fn a_person_who_answers_and_presses_a_key_is_all_of_that_at_every_rate() {
        for rate in [Rate::K8, Rate::K16, Rate::K48] {
            let mut d = Detectors::default();
            assert!(!d.any());
            d.look_for(ALL, rate);
            let mut pcm = vec![0; rate.samples(400)];
            pcm.extend(&speechlike::voice(rate, 1, 130.0, 3)[..rate.samples(600)]);
            pcm.resize(rate.samples(2_400), 0);
            let (low, high) = dtmf::tones(5).expect("two tones");
            let wave = |hz: f32, i: usize| 5_000.0 * (std::f32::consts::TAU * hz * i as f32 / rate.hz() as f32).sin();
            pcm.extend((0..rate.samples(100)).map(|i| (wave(low, i) + wave(high, i)) as i16));
            pcm.resize(rate.samples(3_600), 0);
            let [Found::Voice(true), Found::Voice(false), rest @ ..] = &found(&mut d, &pcm, rate)[..] else { panic!() };
            assert!(
                matches!(rest, [Found::Answerer(wire::Answerer::Human), Found::Digit('5', held)]
                    if (80..=120).contains(&held.as_millis())),
                "{rest:?} at {rate:?}"
            );
        }
    }

    #[test]
    fn what_is_no_longer_named_is_no_longer_looked_for_and_the_microphone_is_watched_by_itself() {
        let mut d = Detectors::default();
        d.look_for(ALL, Rate::K8);
        d.look_for(Detect::default(), Rate::K8);
        assert!(!d.any());
        d.watch_microphone(Some(Duration::from_secs(5)));
        assert!(d.any());
        let beep = [&tone::beep().pcm[..], &[0; 8_000 * 6]].concat();
        assert_eq!(found(&mut d, &beep, Rate::K8), [Found::Quiet]);
    }
}
