//! A table of deadlines: one per key, the nearest first.

use std::{collections::BTreeMap, collections::BTreeSet};

use super::Mono;

/// At most one deadline per key. Setting again moves it.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    by_time: BTreeSet<(Mono, K)>,
    by_key: BTreeMap<K, Mono>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Deadlines<K> {
    /// Sets or moves the deadline of `key`.
    pub fn set(&mut self, key: K, at: Mono) {
        if let Some(old) = self.by_key.insert(key.clone(), at) {
            self.by_time.remove(&(old, key.clone()));
        }
        self.by_time.insert((at, key));
    }
    /// Forgets the deadline of `key`; true if it had one.
    pub fn clear(&mut self, key: &K) -> bool {
        let Some(at) = self.by_key.remove(key) else { return false };
        self.by_time.remove(&(at, key.clone()))
    }
    /// The deadline of `key`.
    pub fn get(&self, key: &K) -> Option<Mono> {
        self.by_key.get(key).copied()
    }
    /// The nearest deadline.
    pub fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| *at)
    }
    /// Takes one key whose deadline is `now` or earlier, nearest first.
    pub fn pop_due(&mut self, now: Mono) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
    /// Every key with its time, soonest first.
    pub fn iter(&self) -> impl Iterator<Item = (Mono, &K)> {
        self.by_time.iter().map(|(at, key)| (*at, key))
    }
    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }
    /// True when none is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_deadline_rings_once_at_its_new_time() {
        let mut d = Deadlines::default();
        d.set("a", Mono(5));
        d.set("b", Mono(7));
        d.set("a", Mono(9));
        assert_eq!(d.pop_due(Mono(6)), None);
        assert_eq!(d.pop_due(Mono(10)), Some("b"));
        assert_eq!(d.pop_due(Mono(10)), Some("a"));
        assert!(d.is_empty() && d.next().is_none());
    }
}
