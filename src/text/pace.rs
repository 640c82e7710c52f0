//! How fast a visitor may write: at most so many messages in any minute.
//!
//! A sliding window rather than a counter per clock minute, so that nobody gets twice the allowance across its edge.

use std::{collections::VecDeque, time::Duration};

use crate::base::{Mono, secs};

/// The times of the last messages, never more than the allowance.
#[derive(Debug, Clone)]
pub struct Pace {
    per_minute: usize,
    recent: VecDeque<Mono>,
}

impl Pace {
    /// `per_minute` messages in any 60 s.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1) as usize, recent: VecDeque::new() }
    }

    /// Counts one message, or says how long to wait before the next is taken.
    pub fn take(&mut self, now: Mono) -> Result<(), Duration> {
        while self.recent.front().is_some_and(|at| now - *at >= secs(60)) {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.per_minute {
            let oldest = self.recent.front().expect("a full window has a first entry");
            return Err(secs(60) - (now - *oldest));
        }
        self.recent.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_in_a_hurry_is_told_how_long_to_wait_and_is_then_heard_again() {
        let mut pace = Pace::new(3);
        let at = |s| Mono(0) + secs(s);
        assert_eq!([pace.take(at(0)), pace.take(at(10)), pace.take(at(20))], [Ok(()); 3]);
        assert_eq!(pace.take(at(50)), Err(secs(10)));
        assert_eq!(pace.take(at(60)), Ok(()));
        assert_eq!(pace.take(at(61)), Err(secs(9)));
    }
}
