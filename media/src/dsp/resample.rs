//! From one sample rate to another, as a stream: polyphase FIR filters between 8, 16 and 48 kHz.
//!
//! All ratios are whole, so there is one prototype filter a ratio: going up, its phases are the filters between two input
//! samples; going down, the whole of it is computed for every sample that is kept. It delays by 16 samples of the lower
//! rate: 2 ms where 8 kHz takes part, else 1 ms.

use crate::wire::Rate;
use std::{f64::consts::PI, sync::LazyLock};

/// Length of each phase, samples of the lower rate.
const PHASE: usize = 32;
/// Largest ratio: 8 to 48 kHz.
const RATIO_MAX: usize = 6;
/// Samples worked on at once: 10 ms at 48 kHz.
const CHUNK: usize = 480;
/// Taps sum up to this in each phase going up, over the whole filter going down. No input overflows 32 bits: magnitudes of
/// the taps sum up to less than four times as much.
const ONE: i32 = 1 << 14;
/// Middle of the transition band, as a part of the lower rate.
const CUTOFF: f64 = 0.49;
/// Kaiser's parameter: more than 60 dB down from 0.55 of the lower rate on.
const BETA: f64 = 5.9;

/// Taps for each direction of one ratio.
#[derive(Debug)]
struct Taps {
    /// Phase by phase, oldest sample first.
    up: Box<[i16]>,
    down: Box<[i16]>,
}

static TAPS: [LazyLock<Taps>; 3] =
    [LazyLock::new(|| Taps::design(2)), LazyLock::new(|| Taps::design(3)), LazyLock::new(|| Taps::design(6))];

impl Taps {
    fn of(ratio: usize) -> &'static Self {
        &TAPS[match ratio {
            2 => 0,
            3 => 1,
            _ => 2,
        }]
    }

    /// A windowed sinc (Kaiser) of `PHASE * ratio` taps.
    fn design(ratio: usize) -> Self {
        let length = PHASE * ratio;
        let middle = (length - 1) as f64 / 2.0;
        let prototype: Vec<f64> = (0..length)
            .map(|i| {
                let t = i as f64 - middle;
                let x = 2.0 * PI * CUTOFF * t / ratio as f64;
                let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
                let edge = t / (middle + 0.5);
                sinc * bessel_i0(BETA * (1.0 - edge * edge).sqrt())
            })
            .collect();
        let phases = (0..ratio).flat_map(|p| {
            let phase: Vec<f64> = prototype.iter().copied().skip(p).step_by(ratio).collect();
            quantised(phase.into_iter().rev())
        });
        Self { up: phases.collect(), down: quantised(prototype.iter().copied()).into() }
    }
}

/// Modified Bessel function of the first kind, order 0.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

/// Scaled to sum up to [`ONE`], but for rounding.
fn quantised(taps: impl Iterator<Item = f64>) -> Vec<i16> {
    let taps: Vec<f64> = taps.collect();
    let scale = f64::from(ONE) / taps.iter().sum::<f64>();
    taps.iter().map(|t| (t * scale).round() as i16).collect()
}

fn dot(samples: &[i16], taps: &[i16]) -> i16 {
    let sum: i32 = samples.iter().zip(taps).map(|(s, t)| i32::from(*s) * i32::from(*t)).sum();
    ((sum + ONE / 2) / ONE).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Same,
    Up,
    Down,
}

/// One stream between two rates. Allocates nothing.
#[derive(Debug, Clone)]
pub struct Resampler {
    way: Way,
    ratio: usize,
    taps: &'static [i16],
    /// The samples the filter still looks back on, then those at work.
    window: [i16; PHASE * RATIO_MAX + CHUNK],
    filled: usize,
}

impl Resampler {
    /// A stream that begins after silence.
    pub fn new(from: Rate, to: Rate) -> Self {
        let (from, to) = (from.hz(), to.hz());
        let (way, ratio) = match from.cmp(&to) {
            std::cmp::Ordering::Equal => (Way::Same, 1),
            std::cmp::Ordering::Less => (Way::Up, (to / from) as usize),
            std::cmp::Ordering::Greater => (Way::Down, (from / to) as usize),
        };
        let (taps, filled): (&'static [i16], usize) = match way {
            Way::Same => (&[], 0),
            Way::Up => (&Taps::of(ratio).up, PHASE - 1),
            Way::Down => (&Taps::of(ratio).down, (PHASE - 1) * ratio),
        };
        Self { way, ratio, taps, window: [0; PHASE * RATIO_MAX + CHUNK], filled }
    }

    /// Samples out for each sample in, at most.
    pub const fn growth(&self) -> usize {
        match self.way {
            Way::Up => self.ratio,
            Way::Same | Way::Down => 1,
        }
    }

    /// Take all of `pcm` and write what comes of it; the number of samples written. A whole number of milliseconds in gives
    /// as many out. What does not fit into `out` is lost.
    pub fn process(&mut self, pcm: &[i16], out: &mut [i16]) -> usize {
        match self.way {
            Way::Same => out.iter_mut().zip(pcm).map(|(o, s)| *o = *s).count(),
            Way::Up => pcm.chunks(CHUNK).fold(0, |n, chunk| n + self.up(chunk, &mut out[n..])),
            Way::Down => pcm.chunks(CHUNK).fold(0, |n, chunk| n + self.down(chunk, &mut out[n..])),
        }
    }

    fn up(&mut self, chunk: &[i16], out: &mut [i16]) -> usize {
        let end = self.filled + chunk.len();
        self.window[self.filled..end].copy_from_slice(chunk);
        let (windows, phases) = (self.window[..end].windows(PHASE), self.taps.chunks_exact(PHASE));
        let made = windows.flat_map(|w| phases.clone().map(move |taps| dot(w, taps)));
        let n = out.iter_mut().zip(made).map(|(o, s)| *o = s).count();
        self.window.copy_within(chunk.len()..end, 0);
        n
    }

    fn down(&mut self, chunk: &[i16], out: &mut [i16]) -> usize {
        let end = self.filled + chunk.len();
        self.window[self.filled..end].copy_from_slice(chunk);
        let kept = self.window[..end].windows(self.taps.len()).step_by(self.ratio);
        let used = kept.len() * self.ratio;
        let n = out.iter_mut().zip(kept).map(|(o, w)| *o = dot(w, self.taps)).count();
        self.window.copy_within(used..end, 0);
        self.filled = end - used;
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::level_dbfs;

    const PAIRS: [(Rate, Rate); 6] = [
        (Rate::K8, Rate::K16),
        (Rate::K8, Rate::K48),
        (Rate::K16, Rate::K48),
        (Rate::K16, Rate::K8),
        (Rate::K48, Rate::K8),
        (Rate::K48, Rate::K16),
    ];
    /// Of the tone that goes in.
    const DBFS: f64 = -6.0;

    /// 300 ms of a tone through a fresh stream, in frames of 20 ms; the first 50 ms, in which it begins, left out.
    fn through(from: Rate, to: Rate, hz: f64) -> Vec<i16> {
        let (mut stream, mut all) = (Resampler::new(from, to), Vec::new());
        let height = 32_767.0 * 10f64.powf(DBFS / 20.0);
        let tone = |i: usize| (height * (2.0 * PI * hz * i as f64 / f64::from(from.hz())).sin()).round() as i16;
        for frame in 0..15 {
            let start = frame * from.samples(20);
            let pcm: Vec<i16> = (start..start + from.samples(20)).map(tone).collect();
            let mut out = vec![0; to.samples(20)];
            assert_eq!(stream.process(&pcm, &mut out), out.len(), "as many milliseconds out as in");
            all.extend(out);
        }
        all.split_off(to.samples(50))
    }

    /// What is left of `pcm` without the tone at `hz`: the best fitting sine is taken away.
    fn rest(pcm: &[i16], rate: Rate, hz: f64) -> Vec<i16> {
        let wave = |i: usize| (2.0 * PI * hz * i as f64 / f64::from(rate.hz())).sin_cos();
        let [mut ss, mut cc, mut sc, mut xs, mut xc] = [0.0; 5];
        for (i, x) in pcm.iter().enumerate() {
            let ((s, c), x) = (wave(i), f64::from(*x));
            (ss, cc, sc, xs, xc) = (ss + s * s, cc + c * c, sc + s * c, xs + x * s, xc + x * c);
        }
        let d = ss * cc - sc * sc;
        let (a, b) = ((xs * cc - xc * sc) / d, (xc * ss - xs * sc) / d);
        pcm.iter().enumerate().map(|(i, x)| (f64::from(*x) - a * wave(i).0 - b * wave(i).1).round() as i16).collect()
    }

    #[test]
    fn up_to_nine_tenths_of_the_band_every_tone_keeps_its_level() {
        for (from, to) in PAIRS {
            let low = f64::from(from.min(to).hz());
            for part in (1..=45).map(|p| f64::from(p) / 100.0) {
                let change = level_dbfs(&through(from, to, low * part)) - DBFS;
                assert!(change.abs() < 0.5, "{from:?} to {to:?}: {change:.2} dB at {part} of the lower rate");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_gone_by_sixty_decibels() {
        for (from, to) in PAIRS.into_iter().filter(|(from, to)| from > to) {
            let (low, high) = (f64::from(to.hz()), f64::from(from.hz()));
            let parts = (55..).map(|p| f64::from(p) / 100.0).take_while(|part| low * part < high / 2.0);
            for part in parts {
                let left = level_dbfs(&through(from, to, low * part)) - DBFS;
                assert!(left < -60.0, "{from:?} to {to:?}: {left:.1} dB at {part} of the lower rate");
            }
        }
    }

    #[test]
    fn going_up_adds_nothing_to_a_tone_but_what_lies_sixty_decibels_below() {
        for (from, to) in PAIRS.into_iter().filter(|(from, to)| from < to) {
            for part in [0.03, 0.125, 0.25, 0.35, 0.45] {
                let hz = f64::from(from.hz()) * part;
                let added = level_dbfs(&rest(&through(from, to, hz), to, hz)) - DBFS;
                assert!(added < -60.0, "{from:?} to {to:?}: {added:.1} dB beside a tone at {part} of the lower rate");
            }
        }
    }

    #[test]
    fn a_click_comes_out_two_milliseconds_later_at_eight_and_one_at_sixteen_kilohertz() {
        for (from, to) in PAIRS {
            let mut pcm = vec![0; from.samples(10)];
            pcm[0] = 20_000;
            let mut out = vec![0; to.samples(10)];
            Resampler::new(from, to).process(&pcm, &mut out);
            let peak = (0..out.len()).max_by_key(|i| out[*i]).expect("ten milliseconds");
            let us = peak as u32 * 1_000 / (to.hz() / 1_000);
            let expected = if from.min(to) == Rate::K8 { 1_800..=2_000 } else { 900..=1_000 };
            assert!(expected.contains(&us), "{from:?} to {to:?}: {us} us");
        }
    }

    #[test]
    fn however_the_stream_is_cut_the_same_comes_out_and_too_small_a_room_loses_only_the_rest() {
        let pcm: Vec<i16> = (0..4_800i32).map(|i| (i * i % 30_011 - 15_000) as i16).collect();
        for (from, to) in PAIRS {
            let mut whole = vec![0; 6 * pcm.len()];
            let n = Resampler::new(from, to).process(&pcm, &mut whole);
            let (mut stream, mut parts) = (Resampler::new(from, to), Vec::new());
            for part in pcm.chunks(7) {
                let mut out = [0; 64];
                let n = stream.process(part, &mut out);
                parts.extend_from_slice(&out[..n]);
            }
            assert!(parts == whole[..n], "{from:?} to {to:?}");
            let mut small = [0; 100];
            assert_eq!(Resampler::new(from, to).process(&pcm, &mut small), 100);
            assert_eq!(small, whole[..100]);
        }
    }

    #[test]
    fn the_loudest_square_wave_is_cut_not_turned_over() {
        for (from, to) in PAIRS {
            let square = |height: i16| {
                let pcm: Vec<i16> = (0..from.samples(40)).map(|i| if i / 17 % 2 == 0 { height } else { -height }).collect();
                let mut out = vec![0; to.samples(40)];
                Resampler::new(from, to).process(&pcm, &mut out);
                out
            };
            for (loud, soft) in square(i16::MAX).into_iter().zip(square(8_000)) {
                let expected = (f64::from(soft) * 32_767.0 / 8_000.0).clamp(-32_768.0, 32_767.0);
                assert!((f64::from(loud) - expected).abs() < 8.0, "{from:?} to {to:?}: {loud} instead of {expected}");
            }
        }
    }
}
