//! The memory of the library: the clips played last, up to so many bytes.
//!
//! Each entry is a cell that is filled once, by whoever comes first; the others wait for it. A cell that could not be filled
//! is empty for the next one who asks.

use std::{collections::BTreeMap, sync::Arc};

use media::wire::Clip;
use tokio::sync::OnceCell;

use super::Prompt;

/// A clip that is there, or is being fetched.
pub type Slot = Arc<OnceCell<Arc<Clip>>>;

/// What an entry weighs beside its samples: key, cell, and the two trees.
const ENTRY_BYTES: usize = 512;

#[derive(Debug)]
pub struct Lru {
    most: usize,
    /// When it was last asked for, and what it is.
    slots: BTreeMap<Prompt, (u64, Slot)>,
    by_use: BTreeMap<u64, Prompt>,
    clock: u64,
}

impl Lru {
    /// Keeps at most `most` bytes of sound.
    pub fn new(most: usize) -> Self {
        Self { most, slots: BTreeMap::new(), by_use: BTreeMap::new(), clock: 0 }
    }

    /// The slot of a prompt, which is now the last one used.
    pub fn slot(&mut self, prompt: &Prompt) -> Slot {
        self.clock += 1;
        let (used, slot) = self.slots.entry(prompt.clone()).or_insert_with(|| (self.clock, Slot::default()));
        self.by_use.remove(used);
        *used = self.clock;
        self.by_use.insert(self.clock, prompt.clone());
        slot.clone()
    }

    /// The clip of a prompt, if it is there.
    pub fn get(&mut self, prompt: &Prompt) -> Option<Arc<Clip>> {
        let there = self.slots.get(prompt).is_some_and(|(_, slot)| slot.initialized());
        if there { self.slot(prompt).get().cloned() } else { None }
    }

    /// Lets the least recently used go until the rest fits. Slots being filled weigh little and go last of all only by age;
    /// whoever fills one still has it.
    pub fn trim(&mut self) {
        let weigh = |slot: &Slot| ENTRY_BYTES + slot.get().map_or(0, |clip| clip.pcm.len() * 2);
        let mut bytes: usize = self.slots.values().map(|(_, slot)| weigh(slot)).sum();
        while bytes > self.most
            && let Some((_, prompt)) = self.by_use.pop_first()
        {
            bytes -= self.slots.remove(&prompt).map_or(0, |(_, slot)| weigh(&slot));
        }
    }

    /// Forgets what `which` says.
    pub fn forget(&mut self, which: impl Fn(&Prompt) -> bool) {
        self.slots.retain(|prompt, _| !which(prompt));
        self.by_use.retain(|_, prompt| !which(prompt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: u16) -> Prompt {
        Prompt::Tone { hz, ms: 1 }
    }

    #[test]
    fn the_prompt_nobody_asked_for_longest_goes_first() {
        let one = 1_000 * 2 + ENTRY_BYTES;
        let mut lru = Lru::new(one * 2);
        let fill = |lru: &mut Lru, hz| {
            let clip = Arc::new(Clip { pcm: vec![0; 1_000].into() });
            lru.slot(&tone(hz)).set(clip).unwrap();
            lru.trim();
        };
        fill(&mut lru, 1);
        fill(&mut lru, 2);
        assert!(lru.get(&tone(1)).is_some());
        fill(&mut lru, 3);
        assert!(lru.get(&tone(1)).is_some() && lru.get(&tone(2)).is_none() && lru.get(&tone(3)).is_some());
        lru.forget(|p| *p == tone(1));
        assert!(lru.get(&tone(1)).is_none());
        assert_eq!((lru.slots.len(), lru.by_use.len()), (1, 1));
    }
}
