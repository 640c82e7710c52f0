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
const CUTOFF: f64 = 0.505;
/// Kaiser's parameter for 60 dB.
const BETA: f64 = 5.65;

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

/// Scaled to sum up to [`ONE`]; what rounding leaves over goes to the largest tap.
fn quantised(taps: impl Iterator<Item = f64>) -> Vec<i16> {
    let taps: Vec<f64> = taps.collect();
    let scale = f64::from(ONE) / taps.iter().sum::<f64>();
    let mut out: Vec<i16> = taps.iter().map(|t| (t * scale).round() as i16).collect();
    let left = ONE - out.iter().map(|t| i32::from(*t)).sum::<i32>();
    let peak = (0..out.len()).max_by_key(|i| out[*i]).expect("filters have taps");
    out[peak] += left as i16;
    out
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
