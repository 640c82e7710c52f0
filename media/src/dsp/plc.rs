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
    use crate::{dsp::speechlike, measure, time::Chance, tone};
    use std::time::Duration;

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

    /// How far the loudness of the 20 ms frames that are not as they were is off, decibels, on average.
    fn level_error(clean: &[i16], heard: &[i16], rate: Rate) -> f64 {
        let n = rate.samples(20);
        let changed = clean.chunks(n).zip(heard.chunks(n)).filter(|(c, h)| c != h && measure::level_dbfs(c) > -50.0);
        let off: Vec<f64> = changed.map(|(c, h)| (measure::level_dbfs(c) - measure::level_dbfs(h).max(-60.0)).abs()).collect();
        off.iter().sum::<f64>() / off.len() as f64
    }

    #[test]
    fn speech_with_one_in_twenty_frames_lost_is_nearer_to_itself_than_with_silence_or_repeated_frames() {
        for rate in [Rate::K8, Rate::K16, Rate::K48] {
            for (pitch, seed) in [(90.0, 1), (120.0, 9), (180.0, 2), (220.0, 3)] {
                let clean = speechlike::voice(rate, 20, pitch, seed);
                let heard = impaired(&clean, rate, 5);
                let [with, silent, repeated] = heard.each_ref().map(|h| snr(&clean, h));
                let [off, silent_off, _] = heard.each_ref().map(|h| level_error(&clean, h, rate));
                let told = format!(
                    "{rate:?}, {pitch} Hz: {with:.1} dB, {silent:.1} with silence, {repeated:.1} with repeated frames; \
                     loudness off by {off:.1} dB, {silent_off:.1} with silence"
                );
                // Nothing predicts a hiss, and at 48 kHz that is most of the spectrum: there only the loudness can be right.
                let gain = if rate == Rate::K48 { -0.5 } else { 1.0 };
                assert!(with > silent + gain && with > repeated + 2.0 && off < 5.0, "{told}");
            }
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
