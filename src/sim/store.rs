//! A journal that takes time to write, and loses what it has not written when the power goes.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    base::{RecordingId, ms},
    center::{fact::Record, memory::Memory, recover::Repaired},
};

/// The journal.
#[derive(Debug)]
pub struct CrashStore {
    journal: Vec<Record>,
    durable: u64,
    /// What the durable facts add up to.
    known: Memory,
    /// How long a fact takes to be safe.
    pub delay: Duration,
}

impl Default for CrashStore {
    fn default() -> Self {
        CrashStore { journal: Vec::new(), durable: 0, known: Memory::default(), delay: ms(5) }
    }
}

impl CrashStore {
    /// Takes a fact. It must be the next one.
    pub fn append(&mut self, r: Record) -> Result<(), String> {
        let expected = self.journal.last().map_or(1, |l| l.seq + 1);
        if r.seq != expected {
            return Err(format!("fact {} follows fact {}", r.seq, expected - 1));
        }
        self.journal.push(r);
        Ok(())
    }
    /// Everything up to here is safe.
    pub fn safe(&mut self, seq: u64) {
        self.durable = self.durable.max(seq);
        self.learn();
    }
    /// Numbers begin with 1 and have no gaps, so fact `n` has place `n - 1`.
    fn learn(&mut self) {
        let (from, to) = (self.known.seq as usize, (self.durable as usize).min(self.journal.len()));
        for r in self.journal.get(from..to).into_iter().flatten() {
            self.known.apply(r);
        }
    }
    /// What a reader of the store finds.
    pub fn known(&self) -> &Memory {
        &self.known
    }
    /// Facts written and not yet safe.
    pub fn unsafe_facts(&self) -> u64 {
        self.journal.last().map_or(0, |r| r.seq).saturating_sub(self.durable)
    }
    /// The power goes: what was not safe never was, but for the first `saved` of it, which reached the disk unnoticed.
    pub fn crash(&mut self, saved: u64) {
        self.durable += saved.min(self.unsafe_facts());
        let durable = self.durable;
        self.journal.retain(|r| r.seq <= durable);
        self.learn();
    }
    /// All facts, also those not yet safe.
    pub fn facts(&self) -> &[Record] {
        &self.journal
    }
    /// Facts an edge may show.
    pub fn safe_facts(&self) -> impl Iterator<Item = &Record> {
        self.journal.iter().filter(|r| r.seq <= self.durable)
    }
    /// The last safe fact.
    pub fn durable(&self) -> u64 {
        self.durable
    }
    /// What a restart knows.
    pub fn memory(&self) -> Memory {
        let mut m = Memory::default();
        for r in self.safe_facts() {
            m.apply(r);
        }
        m
    }
    /// What the roof found of the recordings that were running.
    pub fn repaired(&self, memory: &Memory) -> BTreeMap<RecordingId, Repaired> {
        let found = Repaired { duration: ms(1_500), bytes: 48_044 };
        memory.running_recordings().map(|(_, _, id, _)| (id, found)).collect()
    }
}
