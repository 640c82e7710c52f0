//! Comfort noise (RFC 3389): what the silence of a peer that sends none sounds like, from a level and a rough spectrum.

/// Quietest level, -dBov.
const LEVEL_MAX: u8 = 127;
/// Sound so quiet is silence, -dBov: it is what [`level::DEAD_DBFS`](crate::dsp::level::DEAD_DBFS) is, which counts from a sine.
const SILENT_DBOV: u8 = 63;
/// No sample of silence is higher: noise of that level seldom is four times as high as its mean.
const SILENT_PEAK: u16 = 93;
/// Full scale of 16 bit sound: 0 dBov is a square wave of this height.
const OVERLOAD: f64 = 32_768.0;
/// Reflection coefficients used; what a payload has beyond is finer than anybody hears in noise.
const ORDER_MAX: usize = 10;
/// Keeps a filter away from ringing for ever.
const REFLECTION_MAX: f32 = 0.98;

/// The payload for silence that sounds like `pcm`: its level in -dBov, 0 (loudest) to 127. No spectrum: white noise.
pub fn payload(pcm: &[i16]) -> [u8; 1] {
    let power = pcm.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / pcm.len().max(1) as f64;
    let dbov = 10.0 * (power / OVERLOAD.powi(2)).log10();
    [(-dbov).round().clamp(0.0, f64::from(LEVEL_MAX)) as u8]
}

/// The level of `pcm` as [`payload`] gives it, if nobody could be heard in it: for a peer that would rather have silence
/// described than sent. `None`: it is sound.
pub fn silence(pcm: &[i16]) -> Option<u8> {
    // A quiet room is sound: only what a dead line has is silence. Loud sound is found out by its first sample.
    if pcm.iter().any(|s| s.unsigned_abs() > SILENT_PEAK) {
        return None;
    }
    let [level] = payload(pcm);
    (level >= SILENT_DBOV).then_some(level)
}

/// Noise as a peer describes it, at any sample rate. Silent until told a level.
#[derive(Debug, Clone)]
pub struct Noise {
    chance: u32,
    /// Height of the white noise that goes into the filter.
    height: f32,
    reflection: [f32; ORDER_MAX],
    order: usize,
    backward: [f32; ORDER_MAX],
}

impl Noise {
    /// Streams with different seeds sound alike and are not in step.
    pub const fn new(seed: u32) -> Self {
        // Zero would stay zero.
        Self { chance: seed | 1, height: 0.0, reflection: [0.0; ORDER_MAX], order: 0, backward: [0.0; ORDER_MAX] }
    }

    /// From now on as `payload` says: a byte of level, then quantised reflection coefficients (RFC 3389 section 3), if any.
    /// An empty payload changes nothing.
    pub fn describe(&mut self, payload: &[u8]) {
        let Some((level, spectrum)) = payload.split_first() else { return };
        self.order = spectrum.len().min(ORDER_MAX);
        // What the filter adds to the power is taken off what goes in.
        let mut gain = 1.0f32;
        for (k, n) in self.reflection.iter_mut().zip(spectrum) {
            *k = ((f32::from(*n) - 127.0) * 258.0 / 32_768.0).clamp(-REFLECTION_MAX, REFLECTION_MAX);
            gain *= 1.0 - *k * *k;
        }
        let rms = OVERLOAD as f32 * 10f32.powf(-f32::from((*level).min(LEVEL_MAX)) / 20.0);
        // White noise of even distribution is the square root of three higher than its mean.
        self.height = rms * 3f32.sqrt() * gain.sqrt();
        self.backward[self.order..].fill(0.0);
    }

    /// Fill `out` with the next of it.
    pub fn fill(&mut self, out: &mut [i16]) {
        for o in out {
            // Marsaglia's xorshift.
            self.chance ^= self.chance << 13;
            self.chance ^= self.chance >> 17;
            self.chance ^= self.chance << 5;
            let mut forward = self.height * (self.chance as i32 as f32 / 2_147_483_648.0);
            // The all-pole lattice, from the last stage to the first.
            for m in (0..self.order).rev() {
                forward -= self.reflection[m] * self.backward[m];
                if m + 1 < self.order {
                    self.backward[m + 1] = self.backward[m] + self.reflection[m] * forward;
                }
            }
            self.backward[0] = forward;
            *o = forward as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_comes_back_as_loud_as_it_was_measured_with_and_without_a_spectrum() {
        for level in [20u8, 45, 60] {
            for spectrum in [&[][..], &[40, 160, 127], &[100; 40]] {
                let mut noise = Noise::new(7);
                noise.describe(&[&[level], spectrum].concat());
                let mut pcm = [0i16; 16_000];
                noise.fill(&mut pcm);
                let [heard] = payload(&pcm);
                assert!(heard.abs_diff(level) <= 1, "{level} with {spectrum:?} was {heard}");
            }
        }
    }

    #[test]
    fn a_spectrum_makes_the_noise_dark_and_an_empty_payload_changes_nothing() {
        let steps = |spectrum: &[u8]| {
            let mut noise = Noise::new(7);
            noise.describe(&[&[40], spectrum].concat());
            noise.describe(&[]);
            let mut pcm = [0i16; 8_000];
            noise.fill(&mut pcm);
            pcm.windows(2).map(|w| f64::from(w[0].abs_diff(w[1]))).sum::<f64>() / 8_000.0
        };
        assert!(steps(&[20]) < 0.5 * steps(&[]), "{} {}", steps(&[20]), steps(&[]));
    }

    #[test]
    fn silence_and_full_scale_are_the_ends_of_the_scale() {
        assert_eq!((payload(&[0; 160]), payload(&[]), payload(&[i16::MIN; 160])), ([127], [127], [0]));
        let mut pcm = [1; 160];
        Noise::new(0).fill(&mut pcm);
        assert_eq!(pcm, [0; 160], "nothing described yet");
    }
}
