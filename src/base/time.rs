//! Time is an argument. [`Mono`] runs timers, [`Wall`] stamps facts and reads opening hours, [`Now`] is both at one instant.
//!
//! Only the roof and the simulator make a `Now`; everything below is handed one.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Nanoseconds since an arbitrary start (boot of the process). Never goes back, means nothing after a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub u64);

/// Microseconds since 1970-01-01 UTC. May jump when the clock is set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

/// One instant on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For timers.
    pub mono: Mono,
    /// For stamps and calendars.
    pub wall: Wall,
}

/// `n` milliseconds.
pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
/// `n` seconds.
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
/// `n` minutes.
pub const fn mins(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}
/// `n` days of 24 hours.
pub const fn days(n: u32) -> Duration {
    Duration::from_secs(n as u64 * 86_400)
}

impl Mono {
    /// Time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, d: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Mono {
    type Output = Duration;
    fn sub(self, earlier: Mono) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Debug for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1000)
    }
}

impl Wall {
    /// From whole seconds since 1970 UTC.
    pub const fn from_unix_s(s: i64) -> Self {
        Wall(s * 1_000_000)
    }
    /// Whole seconds since 1970 UTC, rounded down.
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Milliseconds since 1970 UTC, rounded down.
    pub const fn unix_ms(self) -> i64 {
        self.0.div_euclid(1_000)
    }
    /// Time since `earlier`; zero if `earlier` is later (clocks get set back).
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
    /// As a `jiff` timestamp; clamped to its range.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
    /// RFC 3339 in UTC with milliseconds, `2026-11-23T04:05:06.789Z`: the form of every stamp we show or send.
    pub fn rfc3339(self) -> String {
        format!("{:.3}", self.timestamp())
    }
    /// Reads RFC 3339 (any offset).
    pub fn parse_rfc3339(s: &str) -> Option<Self> {
        s.parse::<jiff::Timestamp>().ok().map(|t| Wall(t.as_microsecond()))
    }
}

impl Add<Duration> for Wall {
    type Output = Wall;
    fn add(self, d: Duration) -> Wall {
        Wall(self.0.saturating_add(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Wall {
    type Output = Wall;
    fn sub(self, d: Duration) -> Wall {
        Wall(self.0.saturating_sub(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Now {
    /// The same instant, `d` later on both clocks.
    pub fn later(self, d: Duration) -> Now {
        Now { mono: self.mono + d, wall: self.wall + d }
    }
    /// When the wall clock will show `at`, on the timer clock; now if that is past.
    pub fn mono_at(self, at: Wall) -> Mono {
        self.mono + at.since(self.wall)
    }
    /// What the wall clock showed or will show at `at`.
    pub fn wall_at(self, at: Mono) -> Wall {
        if at >= self.mono { self.wall + (at - self.mono) } else { self.wall - (self.mono - at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_back_as_the_instant_it_was() {
        let w = Wall::from_unix_s(1_795_406_706) + ms(789);
        assert_eq!(w.rfc3339(), "2026-11-23T04:05:06.789Z");
        assert_eq!(Wall::parse_rfc3339(&w.rfc3339()), Some(w));
        assert_eq!(Wall::parse_rfc3339("2026-11-23T12:05:06.789+08:00"), Some(w));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_zero_not_a_century() {
        assert_eq!(Wall(5).since(Wall(9)), Duration::ZERO);
        assert_eq!(Mono(5) - Mono(9), Duration::ZERO);
    }
}
