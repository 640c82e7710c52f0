//! How hard encoders try, by how much time the shard has left.
//!
//! Only Opus has a choice (its complexity): a packet encoded in half the time sounds a little worse, one that is late not at all.
//!
//!     5 ──busy over three quarters of a second──▶ 3 ──▶ 1 ──▶ 0
//!       ◀──busy under half of the time, five seconds long, a step each──

use std::time::Duration;

use crate::{codec::COMPLEXITY, time::At};

/// What encoders are told, from nothing else to do to hardly keeping up: where libopus changes how it searches.
const LEVELS: [u8; 4] = [COMPLEXITY, 3, 1, 0];
/// The load is looked at so often.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// Percent of that time at work from which on less is tried.
const MUCH: u32 = 75;
/// And below which, after a while, more is again. What is between changes nothing: an encoder should not change with the wind.
const LITTLE: u32 = 50;
/// So many looks in a row.
const CALM: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Effort {
    level: usize,
    calm: u32,
    /// The last look: when, and the time at work until then.
    seen: (At, Duration),
}

impl Effort {
    /// 0 (cheap) to 10 (best).
    pub fn complexity(&self) -> u8 {
        LEVELS[self.level]
    }

    /// The shard was at work for `busy` in all. `true`: encoders are to be told something else.
    pub fn look(&mut self, now: At, busy: Duration) -> bool {
        let time = now.since(self.seen.0);
        if time < LOOKED_AT {
            return false;
        }
        let worked = busy.saturating_sub(self.seen.1);
        self.seen = (now, busy);
        let before = self.level;
        if worked * 100 > time * MUCH {
            self.level = (self.level + 1).min(LEVELS.len() - 1);
            self.calm = 0;
        } else if worked * 100 < time * LITTLE {
            self.calm += 1;
            if self.calm == CALM {
                (self.level, self.calm) = (self.level.saturating_sub(1), 0);
            }
        } else {
            self.calm = 0;
        }
        self.level != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of so many percent at work; what encoders were told after each.
    fn told(effort: &mut Effort, percents: &[u64]) -> Vec<u8> {
        let mut after = |percent: &u64| {
            let (now, busy) = (effort.seen.0 + LOOKED_AT, effort.seen.1 + Duration::from_millis(10 * percent));
            effort.look(now, busy);
            effort.complexity()
        };
        percents.iter().map(&mut after).collect()
    }

    #[test]
    fn a_shard_that_hardly_keeps_up_tries_less_at_once_and_more_again_by_and_by() {
        let mut effort = Effort::default();
        assert_eq!(told(&mut effort, &[10, 80, 60, 90, 95, 99]), [5, 3, 3, 1, 0, 0]);
        assert_eq!(
            told(&mut effort, &[40, 40, 40, 60, 40, 40, 40, 40, 40]),
            [0, 0, 0, 0, 0, 0, 0, 0, 1],
            "five in a row count"
        );
        assert_eq!(told(&mut effort, &[0; 15]), [1, 1, 1, 1, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5]);
    }

    #[test]
    fn the_load_is_looked_at_once_a_second_however_often_it_is_told() {
        let mut effort = Effort::default();
        let changed =
            (1..=2_500).filter(|ms| effort.look(At(0) + Duration::from_millis(*ms), Duration::from_millis(*ms))).count();
        assert_eq!((changed, effort.complexity()), (2, 1));
    }
}
