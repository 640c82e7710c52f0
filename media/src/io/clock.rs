//! The one clock of the engine.
#![expect(clippy::disallowed_methods, reason = "this is where time comes from; everything else is handed it")]

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::time::At;

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// Time since the engine started.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// Starts at zero.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// This instant.
    pub fn now(&self) -> At {
        At(self.0.elapsed().as_nanos() as u64)
    }

    /// When the wall clock showed `wall` (since 1970): now, or up to `most` ago. Whatever was done to that clock meanwhile.
    pub fn when(&self, wall: Duration, most: Duration) -> At {
        let ago = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(wall);
        At(self.now().0.saturating_sub(ago.min(most).as_nanos() as u64))
    }

    /// The wall clock at zero, NTP format. Set once: reports need the difference of two stamps, not the time of day.
    pub fn ntp_at_zero(&self) -> u64 {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(self.0.elapsed());
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        (unix.as_secs() + NTP_TO_UNIX) << 32 | fraction
    }
}

/// A number nobody can foresee: the standard library seeds its hasher from the system.
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
