//! Expected waiting time: how long the k-th in line will wait, as a range, with how much it is worth.
//!
//! With c servers each completing at rate μ and those ahead giving up at rate θ, the line moves at cμ + iθ while i are ahead, so
//! E = Σ 1/(cμ+iθ) for i = 0 .. k−1; the steps are independent, so their variances add up too.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much an estimate is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Nobody is there: there is no estimate, say nothing.
    None,
    /// From configured numbers only: better say nothing.
    Low,
    /// From a few dozen handled interactions.
    Fair,
    /// From a hundred and more.
    Good,
}

/// An estimate of the wait still to come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ewt {
    /// The mean.
    pub mean: Duration,
    /// Four in five waits end after this or between, one in ten before ..
    pub low: Duration,
    /// .. and one in ten after this.
    pub high: Duration,
    /// What it is worth.
    pub confidence: Confidence,
}

/// What the estimate is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Basis {
    /// Servers: agents ready or at work, times their capacity.
    pub servers: u32,
    /// 1/μ: average handling time with after-call work, seconds.
    pub handle_s: f64,
    /// θ: give-ups per waiting second.
    pub leave_per_s: f64,
    /// Segments `handle_s` was measured over.
    pub samples: u64,
}

impl Basis {
    /// For the `k`-th in line, from 1. Longest estimate: 24 hours.
    pub fn estimate(&self, k: usize) -> Ewt {
        let day = 86_400.0;
        let base = f64::from(self.servers) / self.handle_s.max(1.0);
        let (mut mean, mut variance) = (0.0, 0.0);
        for i in 0..k {
            let rate = base + i as f64 * self.leave_per_s;
            if rate <= 0.0 {
                mean = day;
                break;
            }
            mean += 1.0 / rate;
            variance += 1.0 / (rate * rate);
            if mean > day {
                break;
            }
        }
        // One step is exponential, many are nearly normal: 10 % and 90 % by a gamma of the same two moments (Wilson-Hilferty).
        let shape = if variance > 0.0 { mean * mean / variance } else { 1.0 };
        let gamma = |z: f64| {
            let cube = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
            mean * cube.max(0.0).powi(3)
        };
        let seconds = |s: f64| Duration::from_secs_f64(s.clamp(0.0, day));
        let confidence = match (self.servers, self.samples) {
            (0, _) => Confidence::None,
            (_, 0..20) => Confidence::Low,
            (_, 20..100) => Confidence::Fair,
            _ => Confidence::Good,
        };
        Ewt { mean: seconds(mean), low: seconds(gamma(-1.2816)), high: seconds(gamma(1.2816)), confidence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_in_line_waits_as_long_as_the_formula_says() {
        let b = Basis { servers: 5, handle_s: 4.0, leave_per_s: 0.3, samples: 500 };
        let e = b.estimate(6);
        assert!((e.mean.as_secs_f64() - 3.223).abs() < 0.001, "{e:?}");
        assert!(e.low < e.mean && e.mean < e.high && e.confidence == Confidence::Good);
    }

    #[test]
    fn with_nobody_there_nothing_is_promised() {
        let b = Basis { servers: 0, handle_s: 240.0, leave_per_s: 0.0, samples: 500 };
        assert_eq!(b.estimate(1).confidence, Confidence::None);
        assert_eq!(b.estimate(3).mean, Duration::from_secs(86_400));
    }
}
