//! A shard: the legs, bridges and recordings of one media thread, as a machine without I/O.
//!
//! Commands, packets and time go in; packets, events and recorder jobs come out through [`Out`]. No clock, no socket, no
//! lock, and on the way of a packet no allocation.
//!
//! | file | what lives there |
//! |---|---|
//! | `mod` | what goes in and out, the tables, opening, closing, moving to another shard |
//! | `leg` | one party: who may send to it, what is played to it, its reports |
//! | `outgoing` | the one stream a leg sends, whatever feeds it |
//! | `arrive` | a packet came: admitted, counted, recorded, relayed or buffered |
//! | `bridge` | who hears whom; relay or mix |
//! | `mix` | sums, and encoders that listeners share |
//! | `phases` | which quarter of the 20 ms a mix or a leg has its tick in |
//! | `play` | playbacks, and encoded sound that listeners share |
//! | `live` | copies of a leg's sound for other threads |
//! | `tick` | every 5 ms a quarter of the mixes and of the legs with something to do; reports, watches |
//! | `effort` | how hard encoders try, by load |
//! | `sample` | whether anybody is heard in a relay of Opus or G.722 |
//! | `recorder` | payloads copied for the writer |
//! | `guarded` | a leg and its guard: packets opened and protected, checks and handshakes answered |
//! | `commands` | the commands, one by one |
//!
//! A bridge of two legs of one codec (or of the two laws of G.711) who hear each other is relayed at arrival. Everything else
//! is mixed on the tick.

mod arrive;
mod bridge;
mod commands;
mod effort;
mod guarded;
#[cfg(test)]
mod guarded_tests;
mod leg;
mod live;
mod mix;
mod outgoing;
mod phases;
mod play;
mod recorder;
mod sample;
#[cfg(test)]
mod tests;
mod tick;
#[cfg(test)]
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use crate::{
    limits::{PHASE_TIME, SHARD_LEGS_MAX},
    record::{Block, Job},
    time::{At, Chance},
    wire::{BridgeId, Event, LegId, RecordId},
};
use bridge::Bridge;
use effort::Effort;
use leg::Leg;
use phases::Phases;
use recorder::Recorder;

/// Where a leg sits in its shard. Found without a search when a packet comes; changes when the leg moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

/// Which socket of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// The even port.
    Rtp,
    /// The odd port.
    Rtcp,
}

/// What a shard does to the world. Called in the middle of its work: must not call back, must not wait.
pub trait Out {
    /// Send from the leg's socket. A packet the system does not take is lost, as on any network.
    fn send(&mut self, slot: Slot, plane: Plane, to: SocketAddr, packet: &[u8]);
    /// Something to tell the commander.
    fn event(&mut self, event: Event);
    /// A job for the writer. `false`: there was no room. Only blocks may be refused, and no job overtakes another.
    fn record(&mut self, job: Job) -> bool;
    /// An empty block to copy packets into, best one that was given back.
    fn block(&mut self) -> Box<Block> {
        Box::default()
    }
    /// The leg in this slot is closed: its sockets are, too, before this returns.
    fn gone(&mut self, slot: Slot);
}

/// What a shard counted since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// RTP packets taken.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Of those, passed on at arrival.
    pub relayed: u64,
    /// Packets that were not for us, not RTP, or from a stranger.
    pub foreign: u64,
    /// Packets that came twice or too late.
    pub discarded: u64,
    /// Phases of 5 ms that were skipped because the shard could not keep up.
    pub phases_skipped: u64,
    /// Commands that named a leg or recording the shard does not have.
    pub unknown: u64,
}

/// What a shard is told once.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Seed for SSRCs and first sequence numbers.
    pub seed: u64,
    /// Wall clock at [`At`] zero, NTP format (seconds since 1900 in the upper half): stamps of sender reports.
    pub ntp_at_zero: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Shard {
    setup: Setup,
    chance: Chance,
    legs: Vec<Option<Box<Leg>>>,
    free: Vec<u32>,
    index: BTreeMap<LegId, u32>,
    bridges: BTreeMap<BridgeId, Bridge>,
    records: BTreeMap<RecordId, Recorder>,
    next: At,
    phase: u64,
    totals: Totals,
    /// The bridges that are mixed.
    mixing: BTreeSet<BridgeId>,
    phases: Phases,
    desk: Box<mix::Desk>,
    shared: play::Shared,
    /// Legs whose packets could gather until now.
    stirred: Vec<Slot>,
    effort: Effort,
}

/// Legs on their way to another shard, with the bridges and recordings they belong to.
#[derive(Debug)]
#[expect(clippy::vec_box, reason = "a leg keeps its box from shard to shard; moving it by value would copy kilobytes")]
pub struct Group {
    legs: Vec<Box<Leg>>,
    bridges: Vec<(BridgeId, Bridge)>,
    records: Vec<(RecordId, Recorder)>,
}

impl Group {
    /// The legs, in the order in which [`Shard::put`] will give them slots.
    pub fn legs(&self) -> impl Iterator<Item = LegId> {
        self.legs.iter().map(|l| l.id)
    }
    /// Where the legs sat, in the same order: their sockets are to go along.
    pub fn seats(&self) -> impl Iterator<Item = Slot> {
        self.legs.iter().map(|l| l.slot)
    }
    /// The recordings.
    pub fn records(&self) -> impl Iterator<Item = RecordId> {
        self.records.iter().map(|r| r.0)
    }
}

impl Shard {
    /// An empty shard.
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            chance: Chance::new(setup.seed),
            legs: Vec::new(),
            free: Vec::new(),
            index: BTreeMap::new(),
            bridges: BTreeMap::new(),
            records: BTreeMap::new(),
            next: At(0),
            phase: 0,
            totals: Totals::default(),
            mixing: BTreeSet::new(),
            phases: Phases::default(),
            desk: Box::default(),
            shared: play::Shared::default(),
            stirred: Vec::new(),
            effort: Effort::default(),
        }
    }

    /// The time this shard was at work since it began: with too much of it, encoders try less hard.
    pub fn worked(&mut self, now: At, busy: Duration) {
        if self.effort.look(now, busy) {
            let complexity = self.effort.complexity();
            self.bridges.values_mut().for_each(|b| b.try_as_hard_as(complexity));
        }
    }

    /// What was counted.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Legs here.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no leg.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Recordings here.
    pub fn recordings(&self) -> usize {
        self.records.len()
    }

    /// Who sits here.
    pub fn who(&self, slot: Slot) -> Option<LegId> {
        self.legs.get(slot.0 as usize)?.as_ref().map(|l| l.id)
    }

    /// Where a leg sits.
    pub fn place(&self, leg: LegId) -> Option<Slot> {
        self.index.get(&leg).copied().map(Slot)
    }

    /// The one address RTP to this leg counts from, until something new is agreed. `None`: none yet, or there may be others.
    pub fn peer(&self, slot: Slot) -> Option<SocketAddr> {
        let leg = self.legs.get(slot.0 as usize)?.as_deref()?;
        leg.latched.filter(|_| leg.remote.as_ref().is_some_and(|r| r.ice.is_none()))
    }

    /// Whether the next RTP packet may be the one that decides [`Self::peer`].
    pub fn awaits_peer(&self, slot: Slot) -> bool {
        let leg = self.legs.get(slot.0 as usize).and_then(Option::as_deref);
        leg.is_some_and(|l| l.latched.is_none() && l.remote.as_ref().is_some_and(|r| r.ice.is_none()))
    }

    /// Whether what a leg's peer says on its own port may be handed over later: nobody hears it, and no key is down. Until then,
    /// or until [`Self::stirred`] names the leg.
    pub fn may_gather(&mut self, slot: Slot) -> bool {
        let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) else { return false };
        leg.gathers = leg.is_unheard();
        leg.gathers
    }

    /// The next leg whose packets may gather no longer.
    pub fn stirred(&mut self) -> Option<Slot> {
        self.stirred.pop()
    }

    /// Who hears a leg may have changed.
    fn stir(&mut self, slot: Slot) {
        if let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut)
            && leg.gathers
            && !leg.is_unheard()
        {
            leg.gathers = false;
            self.stirred.push(slot);
        }
    }

    /// When [`Self::tick`] is due. `None`: there is nothing to do on a clock.
    pub fn deadline(&self) -> Option<At> {
        (!self.index.is_empty() || !self.records.is_empty()).then_some(self.next)
    }

    /// A leg whose sockets are bound. `None` when the shard is full or the name is taken.
    pub fn open(&mut self, now: At, id: LegId) -> Option<Slot> {
        if self.index.len() >= SHARD_LEGS_MAX || self.index.contains_key(&id) {
            return None;
        }
        self.start_clock(now);
        let leg = Box::new(Leg::new(now, id, &mut self.chance));
        let slot = self.seat(leg);
        self.retap(id);
        Some(slot)
    }

    /// A clock that stood still while nothing was here starts from now.
    fn start_clock(&mut self, now: At) {
        if self.deadline().is_none() {
            self.next = now + PHASE_TIME;
        }
    }

    fn seat(&mut self, mut leg: Box<Leg>) -> Slot {
        let id = leg.id;
        let n = self.free.pop().unwrap_or(self.legs.len() as u32);
        leg.slot = Slot(n);
        match self.legs.get_mut(n as usize) {
            Some(seat) => *seat = Some(leg),
            None => self.legs.push(Some(leg)),
        }
        self.index.insert(id, n);
        self.phases.reserve(self.legs.len());
        self.stirred.reserve(self.legs.len().saturating_sub(self.stirred.len()));
        Slot(n)
    }

    /// See to it that the leg's tick is called as long as it has something to do.
    fn wake(&mut self, slot: Slot) {
        if let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) {
            self.phases.place(self.next, leg);
        }
    }

    fn unseat(&mut self, id: LegId) -> Option<Box<Leg>> {
        let n = self.index.remove(&id)?;
        self.free.push(n);
        let mut leg = self.legs.get_mut(n as usize)?.take()?;
        self.phases.leaves(&mut leg);
        Some(leg)
    }

    fn leg(&mut self, id: LegId) -> Option<&mut Leg> {
        let n = *self.index.get(&id)?;
        self.legs.get_mut(n as usize)?.as_deref_mut()
    }

    /// Take these legs out, and whatever cannot be parted from them: the other legs of their bridges and recordings. Their
    /// sockets are to go along. What is not here is left out.
    pub fn take(&mut self, legs: &[LegId], records: &[RecordId]) -> Group {
        let mut names: BTreeSet<LegId> = legs.iter().copied().filter(|l| self.index.contains_key(l)).collect();
        let mut kept: BTreeSet<RecordId> = records.iter().copied().filter(|r| self.records.contains_key(r)).collect();
        loop {
            let before = (names.len(), kept.len());
            for b in self.bridges.values() {
                if b.members.iter().any(|m| names.contains(&m.0)) {
                    names.extend(b.members.iter().map(|m| m.0));
                }
            }
            for (id, r) in &self.records {
                let here = || r.sides.iter().flatten().copied().filter(|l| self.index.contains_key(l));
                if kept.contains(id) || here().any(|l| names.contains(&l)) {
                    kept.insert(*id);
                    names.extend(here());
                }
            }
            if before == (names.len(), kept.len()) {
                break;
            }
        }
        let bridges: Vec<BridgeId> =
            self.bridges.iter().filter(|(_, b)| b.members.iter().any(|m| names.contains(&m.0))).map(|(id, _)| *id).collect();
        Group {
            bridges: bridges
                .into_iter()
                .filter_map(|id| {
                    self.mixing.remove(&id);
                    let mut bridge = self.bridges.remove(&id)?;
                    self.phases.ends(&mut bridge);
                    Some((id, bridge))
                })
                .collect(),
            records: kept.into_iter().filter_map(|id| self.records.remove_entry(&id)).collect(),
            legs: names.into_iter().filter_map(|id| self.unseat(id)).collect(),
        }
    }

    /// Legs from another shard: their new slots, in the order of [`Group::legs`].
    pub fn put(&mut self, now: At, group: Group) -> Vec<(LegId, Slot)> {
        self.start_clock(now);
        let slots: Vec<_> = group.legs.into_iter().map(|leg| (leg.id, self.seat(leg))).collect();
        self.records.extend(group.records);
        for (id, mut bridge) in group.bridges {
            for m in &mut bridge.members {
                m.1 = self.index.get(&m.0).copied().unwrap_or(m.1);
            }
            bridge.try_as_hard_as(self.effort.complexity());
            self.bridges.insert(id, bridge);
            self.remode(id);
        }
        for (_, slot) in &slots {
            self.prepare(now, *slot);
            self.attend(*slot);
        }
        slots
    }
}
