//! Time and chance as values: the shard is handed both.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

/// Nanoseconds since an arbitrary start. Never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct At(pub u64);

impl At {
    /// Time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: At) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This instant on a clock of `hz` ticks a second, modulo 2^32.
    pub fn ticks(self, hz: u32) -> u32 {
        let (seconds, rest) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        (seconds.wrapping_mul(u64::from(hz)).wrapping_add(rest * u64::from(hz) / 1_000_000_000)) as u32
    }

    /// Ticks of a clock of `hz` between `earlier` and now; zero if `earlier` is later.
    pub fn ticks_since(self, earlier: At, hz: u32) -> u32 {
        At(self.0.saturating_sub(earlier.0)).ticks(hz)
    }

    /// Samples at 8 kHz between `earlier` and now; zero if `earlier` is later.
    pub fn samples_since(self, earlier: At) -> u32 {
        (self.0.saturating_sub(earlier.0) / 125_000) as u32
    }
}

impl Add<Duration> for At {
    type Output = At;
    fn add(self, d: Duration) -> At {
        At(self.0.saturating_add(d.as_nanos() as u64))
    }
}

impl Sub for At {
    type Output = Duration;
    fn sub(self, earlier: At) -> Duration {
        self.since(earlier)
    }
}

/// `n` samples at 8 kHz as time.
pub fn samples(n: u32) -> Duration {
    Duration::from_micros(u64::from(n) * 125)
}

/// `n` ticks of a clock of `hz` as time.
pub fn ticks(n: u32, hz: u32) -> Duration {
    Duration::from_nanos(u64::from(n) * 1_000_000_000 / u64::from(hz))
}

/// A seeded source of chance (SplitMix64): SSRCs and first sequence numbers. Not for keys.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        (self.bits() >> 32) as u32
    }
}
