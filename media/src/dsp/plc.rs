//! Making up for lost sound of a codec that has no model of speech of its own (G.711, G.722, L16).
//!
//! The last period of the voice goes on, fading into the noise that was behind it; when sound comes back it is faded in over
//! what was being made up. After ITU-T G.711 Appendix I, with two differences: there is no delay of 3.75 ms for a softer
//! beginning (the step at the beginning is spread over a quarter of a period instead), and the end is not silence.

use super::pitch::{self, Pitch};
use crate::{codec::cn, wire::Rate};

/// Sound looked back on, milliseconds.
const PAST_MS: u32 = 40;
/// Made up at full loudness, milliseconds.
const FULL_MS: u32 = 15;
/// Then it fades for so long, milliseconds.
const FADE_MS: u32 = 60;
/// What has no period fades faster: repeated noise buzzes.
const FADE_NOISE_MS: u32 = 40;
/// Returning sound is faded in over so much, milliseconds, and more after a longer loss.
const RETURN_MS: u32 = 4;
/// At most so much.
const RETURN_MS_MAX: u32 = 10;
/// Samples made at once: never more than a period, so that what is repeated is already there.
const PIECE: usize = 40;
/// Below this the sound has no period.
const VOICED: f32 = 0.5;
/// The noise behind a voice is at most this loud: beyond it is not noise. Square of -30 dBFS.
const BACKGROUND_MAX: f32 = 540_000.0;

/// The concealment of one stream.
#[derive(Debug, Clone)]
pub struct Plc {
    rate: Rate,
    /// What was heard last, made-up sound before fading included.
    past: Box<[i16]>,
    /// While something is made up.
    loss: Option<Loss>,
    /// Mean square of the quietest sound lately: the noise behind the voice.
    background: Option<f32>,
    noise: cn::Noise,
}

#[derive(Debug, Clone, Copy)]
struct Loss {
    pitch: Pitch,
    /// Samples made up so far.
    made: usize,
    /// Height of the step at the beginning, still to be evened out.
    step: f32,
}

impl Plc {
    /// For sound at `rate`.
    pub fn new(rate: Rate, seed: u32) -> Self {
        Self { rate, past: vec![0; rate.samples(PAST_MS)].into(), loss: None, background: None, noise: cn::Noise::new(seed) }
    }

    /// Mean square of the noise behind the voice.
    pub fn background(&self) -> f32 {
        self.background.unwrap_or(0.0)
    }

    /// Sound came: its beginning is changed where something was being made up until now.
    pub fn heard(&mut self, pcm: &mut [i16]) {
        if let Some(loss) = self.loss {
            let lost_ms = (loss.made / self.rate.samples(1)) as u32;
            let over = self.rate.samples((RETURN_MS + lost_ms / 10 * RETURN_MS).min(RETURN_MS_MAX)).min(pcm.len());
            // In pieces, to need no room of that size.
            let mut made = [0; PIECE];
            let mut at = 0;
            while at < over {
                let n = made.len().min(over - at);
                self.make(&mut made[..n]);
                for (i, m) in made[..n].iter().enumerate() {
                    let share = (at + i) as f32 / over as f32;
                    pcm[at + i] = (f32::from(pcm[at + i]) * share + f32::from(*m) * (1.0 - share)) as i16;
                }
                at += n;
            }
            self.loss = None;
            // What was made up for the fading was not heard by itself.
            self.past.copy_within(..self.past.len() - over, over);
        }
        self.remember(pcm);
        self.listen(pcm);
    }

    /// Silence was meant to be here: nothing to make up, and nothing to go on from.
    pub fn silent(&mut self) {
        self.loss = None;
        if self.past.last() != Some(&0) {
            self.past.fill(0);
        }
    }

    /// Make up for sound that is not there.
    pub fn conceal(&mut self, out: &mut [i16]) {
        if self.loss.is_none() {
            self.begin();
        }
        for piece in out.chunks_mut(PIECE) {
            self.make(piece);
        }
    }

    /// Let what was heard go on by as many of its periods as fit into `most` samples, so that what comes next goes on from it
    /// without a seam; the number of samples written. 0: something is being made up as it is, or there is no room.
    pub fn extend(&mut self, out: &mut [i16], most: usize) -> usize {
        if self.loss.is_some() {
            return 0;
        }
        let lag = self.begin();
        let n = most / lag * lag;
        if n > out.len() {
            self.loss = None;
            return 0;
        }
        self.conceal(&mut out[..n]);
        n
    }

    /// Something will be made up: from what? The period, in samples.
    fn begin(&mut self) -> usize {
        let pitch = pitch::find(&self.past, self.rate);
        let n = self.past.len();
        // If nothing changed, the sample now would be the one a period ago; so was the last one.
        let step = f32::from(self.past[n - 1]) - f32::from(self.past[n - 1 - pitch.lag]);
        self.loss = Some(Loss { pitch, made: 0, step });
        let background = self.background().sqrt() as i16;
        self.noise.describe(&cn::payload(&[background]));
        pitch.lag
    }

    /// The next [`PIECE`], at most.
    fn make(&mut self, out: &mut [i16]) {
        let Some(loss) = &mut self.loss else { return };
        let n = self.past.len();
        let (full, fade) = (self.rate.samples(FULL_MS), self.rate.samples(FADE_MS));
        let fade = if loss.pitch.strength < VOICED { self.rate.samples(FADE_NOISE_MS) } else { fade };
        let even_out = loss.pitch.lag / 4;
        let mut noise = [0; PIECE];
        self.noise.fill(&mut noise[..out.len()]);
        let from = n - loss.pitch.lag;
        let mut raw = [0; PIECE];
        for (i, r) in raw[..out.len()].iter_mut().enumerate() {
            let step =
                if loss.made + i < even_out { loss.step * (1.0 - (loss.made + i) as f32 / even_out as f32) } else { 0.0 };
            *r = (f32::from(self.past[from + i]) + step) as i16;
        }
        for (i, o) in out.iter_mut().enumerate() {
            let faded = (loss.made + i).saturating_sub(full) as f32 / fade as f32;
            let loud = (1.0 - faded).max(0.0);
            *o = (f32::from(raw[i]) * loud + f32::from(noise[i]) * (1.0 - loud)) as i16;
        }
        loss.made += out.len();
        let made = out.len();
        self.past.copy_within(made.., 0);
        self.past[n - made..].copy_from_slice(&raw[..made]);
    }

    /// Bytes on the heap.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.past)
    }

    fn remember(&mut self, pcm: &[i16]) {
        let n = self.past.len();
        let new = &pcm[pcm.len().saturating_sub(n)..];
        self.past.copy_within(new.len().., 0);
        self.past[n - new.len()..].copy_from_slice(new);
    }

    /// The noise behind the voice: down at once, up by about 2 dB a second.
    fn listen(&mut self, pcm: &[i16]) {
        let power = pcm.iter().map(|s| f32::from(*s) * f32::from(*s)).sum::<f32>() / pcm.len().max(1) as f32;
        let risen = self.background.map_or(BACKGROUND_MAX, |b| (b * 1.01).clamp(1.0, BACKGROUND_MAX));
        self.background = Some(power.min(risen));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure, time::Chance, tone};
    use std::{f64::consts::TAU, time::Duration};

    /// Something like a voice: pulses at a gliding pitch through three resonances, words of 300 ms and pauses of 150 ms.
    fn speech(rate: Rate, seconds: u32) -> Vec<i16> {
        let hz = f64::from(rate.hz());
        let mut state = [[0f64; 2]; 3];
        let (mut phase, mut chance) = (0f64, Chance::new(9));
        (0..rate.samples(seconds * 1_000))
            .map(|i| {
                let t = i as f64 / hz;
                let word = (t * 1_000.0) as u64 % 450;
                let loud = if word < 300 { (TAU / 2.0 * word as f64 / 300.0).sin() } else { 0.0 };
                phase += (120.0 + 25.0 * (TAU * 0.3 * t).sin()) / hz;
                let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
                phase -= phase.floor();
                let breath = f64::from(chance.word() as i32) / 2_147_483_648.0;
                let excited = loud * (pulse * 6_000.0 + breath * 60.0) + breath * 3.0;
                let vowel = 1.0 + 0.2 * (TAU * 1.3 * t).sin();
                let formants = [(500.0 * vowel, 80.0, 1.0), (1_500.0 * vowel, 120.0, 0.5), (2_500.0, 160.0, 0.25)];
                let mut sum = 0.0;
                for (s, (f, width, share)) in state.iter_mut().zip(formants) {
                    let r = (-TAU / 2.0 * width / hz).exp();
                    let y = excited + 2.0 * r * (TAU * f / hz).cos() * s[0] - r * r * s[1];
                    *s = [y, s[0]];
                    sum += share * y;
                }
                (sum * 0.5).clamp(-30_000.0, 30_000.0) as i16
            })
            .collect()
    }

    /// What is heard when `lost` percent of the 20 ms frames are lost: made up for, silent, the frame before once more.
    fn impaired(clean: &[i16], rate: Rate, lost: u32) -> [Vec<i16>; 3] {
        let (mut plc, mut chance, n) = (Plc::new(rate, 1), Chance::new(42), rate.samples(20));
        let [mut heard, mut silenced, mut repeated] = [(); 3].map(|()| clean.to_vec());
        for at in (5 * n..clean.len()).step_by(n) {
            if chance.word() % 100 < lost {
                plc.conceal(&mut heard[at..at + n]);
                silenced[at..at + n].fill(0);
                repeated.copy_within(at - n..at, at);
            } else {
                plc.heard(&mut heard[at..at + n]);
            }
        }
        [heard, silenced, repeated]
    }

    fn snr(clean: &[i16], heard: &[i16]) -> f64 {
        let power = |x: f64| x * x;
        let signal: f64 = clean.iter().map(|s| power(f64::from(*s))).sum();
        let noise: f64 = clean.iter().zip(heard).map(|(c, h)| power(f64::from(*c) - f64::from(*h))).sum();
        10.0 * (signal / noise.max(1.0)).log10()
    }

    #[test]
    fn a_tone_with_one_in_twenty_frames_lost_hardly_drops_out_and_is_far_better_than_silence() {
        for hz in [425.0, 1_004.0] {
            let clean = tone::sine(hz, -12.0, Duration::from_secs(30)).pcm;
            let [heard, silenced, _] = impaired(&clean, Rate::K8, 5);
            let dropped = |pcm: &[i16]| {
                let frames = pcm.chunks(80);
                let all = frames.len() as f64;
                frames.filter(|f| measure::level_dbfs(f) < -18.0).count() as f64 / all
            };
            let (with, without) = (dropped(&heard), dropped(&silenced));
            assert!(with < 0.005 && without > 0.03, "{hz} Hz: {with} of the time, {without} without");
            let (with, without) = (snr(&clean, &heard), snr(&clean, &silenced));
            assert!(with > without + 6.0, "{hz} Hz: {with:.1} dB, {without:.1} dB without");
        }
    }

    #[test]
    fn speech_with_one_in_twenty_frames_lost_is_nearer_to_itself_than_with_silence_or_repeated_frames() {
        for rate in [Rate::K8, Rate::K16, Rate::K48] {
            let clean = speech(rate, 20);
            let [with, silent, repeated] = impaired(&clean, rate, 5).map(|heard| snr(&clean, &heard));
            assert!(
                with > silent + 3.0 && with > repeated + 3.0,
                "{rate:?}: {with:.1} dB, {silent:.1} dB with silence, {repeated:.1} dB with repeated frames"
            );
        }
    }

    #[test]
    fn a_long_loss_fades_into_the_noise_behind_the_voice_and_sound_returns_without_a_click() {
        let mut plc = Plc::new(Rate::K8, 1);
        let mut chance = Chance::new(4);
        // Noise at -50 dBFS for a while, then a tone over it.
        let mut frame: Vec<i16> = Vec::new();
        let tone = tone::sine(400.0, -10.0, Duration::from_millis(200)).pcm;
        for n in 0..60 {
            frame = (0..160).map(|_| ((chance.word() >> 16) as i32 - 32_768) as i16 / 200).collect();
            if n >= 50 {
                frame.iter_mut().zip(&tone[(n - 50) * 160..]).for_each(|(f, t)| *f += t);
            }
            plc.heard(&mut frame);
        }
        let levels: Vec<f64> = (0..8).map(|_| (plc.conceal(&mut frame), measure::level_dbfs(&frame)).1).collect();
        assert!(levels[0] > -12.0 && levels[1] < levels[0] && levels[2] < levels[1], "{levels:.0?}");
        assert!(levels[5..].iter().all(|l| (-58.0..-42.0).contains(l)), "{levels:.0?}");
        let last = frame[159];
        let mut back = tone::sine(400.0, -10.0, Duration::from_millis(20)).pcm.to_vec();
        plc.heard(&mut back);
        assert!(back[0].abs_diff(last) < 500 && measure::level_dbfs(&back[80..]) > -11.0);
    }
}
