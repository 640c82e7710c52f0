//! Counting wrong passwords: after ten the login is locked for a while, and so is an address that tries many logins.
//!
//! In memory on purpose: a restart forgives, and nobody can fill a table on disk by guessing.

use std::{collections::BTreeMap, time::Duration};

use crate::base::{Mono, mins};

/// Wrong passwords before a login is locked.
pub const TRIES: u32 = 10;
/// Wrong passwords before an address is locked: people behind one router share it, so more than for one login.
pub const TRIES_PER_ADDRESS: u32 = 50;
/// How long a lock lasts, and how long a wrong try is remembered.
pub const LOCK: Duration = mins(15);
/// Most names remembered; beyond, the one longest untouched is forgotten.
pub const REMEMBERED_MAX: usize = 20_000;

/// Wrong tries by name (a login within its tenant, or an address).
#[derive(Debug, Default)]
pub struct Guesses {
    by_name: BTreeMap<String, Tries>,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Mono,
}

impl Guesses {
    /// How long `name` stays locked; none when it may try.
    pub fn locked(&self, now: Mono, name: &str, most: u32) -> Option<Duration> {
        let tries = self.by_name.get(name)?;
        let free_at = tries.last + LOCK;
        (tries.count >= most && now < free_at).then(|| free_at - now)
    }

    /// A try begins; it counts as wrong until [`Guesses::right`] takes it back, so that many tries at once are not one.
    pub fn attempt(&mut self, now: Mono, name: &str) {
        let tries = self.by_name.entry(name.to_owned()).or_insert(Tries { count: 0, last: now });
        tries.count = if now >= tries.last + LOCK { 1 } else { tries.count.saturating_add(1) };
        tries.last = now;
        if self.by_name.len() > REMEMBERED_MAX {
            self.by_name.retain(|_, t| now < t.last + LOCK);
            if self.by_name.len() > REMEMBERED_MAX
                && let Some(oldest) = self.by_name.iter().min_by_key(|(_, t)| t.last).map(|(n, _)| n.clone())
            {
                self.by_name.remove(&oldest);
            }
        }
    }

    /// The try was right: the name starts afresh.
    pub fn right(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// The try was right, but others of this address may still be guessing: only this try is taken back.
    pub fn excuse(&mut self, name: &str) {
        if let Some(t) = self.by_name.get_mut(name) {
            t.count = t.count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secs;

    #[test]
    fn the_eleventh_guess_waits_and_the_owner_is_let_in_after_the_lock() {
        let mut g = Guesses::default();
        for i in 0..TRIES {
            assert_eq!(g.locked(Mono(0), "anna", TRIES), None, "try {i}");
            g.attempt(Mono(0), "anna");
        }
        assert_eq!(g.locked(Mono(0), "anna", TRIES), Some(LOCK));
        assert_eq!(g.locked(Mono(0), "ben", TRIES), None);
        let later = Mono(0) + LOCK + secs(1);
        assert_eq!(g.locked(later, "anna", TRIES), None);
        g.attempt(later, "anna");
        g.right("anna");
        assert_eq!(g.locked(later, "anna", TRIES), None);
    }

    #[test]
    fn a_botnet_of_names_does_not_grow_the_table() {
        let mut g = Guesses::default();
        for i in 0..REMEMBERED_MAX + 50 {
            g.attempt(Mono(i as u64), &format!("10.0.{}.{}", i / 256, i % 256));
        }
        assert!(g.by_name.len() <= REMEMBERED_MAX);
    }
}
