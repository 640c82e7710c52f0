//! The network between phones and the center: perfect unless told otherwise, and then bad in a repeatable way.

use std::time::Duration;

use crate::base::{Rng, ms};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Net {
    /// Of a hundred datagrams so many are lost.
    pub loss: u64,
    /// Of a hundred so many come twice.
    pub twice: u64,
    /// The least a datagram takes.
    pub delay: Duration,
    /// What chance adds to it: more than the gap between two datagrams, and they overtake each other.
    pub spread: Duration,
}

impl Default for Net {
    fn default() -> Self {
        Net { loss: 0, twice: 0, delay: ms(5), spread: Duration::ZERO }
    }
}

impl Net {
    /// A bad evening: loss, duplicates, reordering.
    pub fn bad() -> Net {
        Net { loss: 10, twice: 5, delay: ms(10), spread: ms(80) }
    }

    /// When the copies of a datagram arrive; none if it is lost.
    pub fn send(&self, rng: &mut Rng) -> impl Iterator<Item = Duration> + use<> {
        let chance = |rng: &mut Rng, percent: u64| percent > 0 && rng.below(100) < percent;
        let copies = if chance(rng, self.loss) { 0 } else { 1 + u64::from(chance(rng, self.twice)) };
        let spread = u64::try_from(self.spread.as_nanos()).unwrap_or(0);
        let delays: Vec<Duration> =
            (0..copies).map(|_| self.delay + Duration::from_nanos(if spread > 0 { rng.below(spread) } else { 0 })).collect();
        delays.into_iter()
    }
}
