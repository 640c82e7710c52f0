//! How fast somebody may do something: so many in a window, counted by name.

use std::{collections::BTreeMap, time::Duration};

use crate::base::Mono;

/// Most names counted at once; beyond, windows that are over are dropped, and if none is, the name is refused.
const NAMES_MAX: usize = 50_000;

/// Events in fixed windows, by name.
#[derive(Debug)]
pub struct Paces {
    most: u32,
    window: Duration,
    by_name: BTreeMap<String, Pace>,
}

/// One count.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    began: Mono,
    count: u32,
}

impl Pace {
    /// Begins to count.
    pub fn new(now: Mono) -> Self {
        Pace { began: now, count: 0 }
    }
    /// Counts one more; false when that is more than `most` in the window.
    pub fn take(&mut self, now: Mono, most: u32, window: Duration) -> bool {
        if now.since(self.began) >= window {
            *self = Pace::new(now);
        }
        if self.count >= most {
            return false;
        }
        self.count += 1;
        true
    }
}

impl Paces {
    /// At most `most` in every `window`.
    pub fn new(most: u32, window: Duration) -> Self {
        Paces { most, window, by_name: BTreeMap::new() }
    }
    /// Counts one more for `name`; false when it is too many.
    pub fn take(&mut self, now: Mono, name: &str) -> bool {
        if !self.by_name.contains_key(name) && self.by_name.len() >= NAMES_MAX {
            let window = self.window;
            self.by_name.retain(|_, p| now.since(p.began) < window);
            if self.by_name.len() >= NAMES_MAX {
                return false;
            }
        }
        self.by_name.entry(name.to_owned()).or_insert_with(|| Pace::new(now)).take(now, self.most, self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secs;

    #[test]
    fn one_address_that_asks_too_often_waits_and_the_others_do_not() {
        let mut p = Paces::new(2, secs(60));
        assert!(p.take(Mono(0), "a") && p.take(Mono(0), "a") && !p.take(Mono(0), "a"));
        assert!(p.take(Mono(0), "b"));
        assert!(p.take(Mono(0) + secs(60), "a"));
    }
}
