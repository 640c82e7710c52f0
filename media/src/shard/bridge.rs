//! Who hears whom, and whether that takes a mixer.
//!
//!     two legs, both hear the other, one codec   ──▶ relay: packets go on at arrival
//!     the same, mu-law here and A-law there      ──▶ relay, byte by byte through a table
//!     anything else                              ──▶ mix ([`super::mix`]): every 20 ms each listener gets the sum of its row

use super::{Shard, Slot, leg::Leg, mix::Stand};
use crate::{
    limits::BRIDGE_LEGS_MAX,
    wire::{Audience, BridgeId, Codec, LegId, Rate},
};

/// A bit for each member of a bridge.
pub(super) type Row = u128;

/// See the module.
#[derive(Debug)]
pub(super) struct Bridge {
    /// Name and slot of each leg.
    pub members: Vec<(LegId, u32)>,
    /// For each member: those it hears.
    pub hears: Vec<Row>,
    pub relay: bool,
    /// Which quarter of the 20 ms it is mixed in, and what it adds to that.
    pub phase: u64,
    pub load: u32,
    /// Of the mix.
    pub rate: Rate,
    /// Encoders the audience shares.
    pub stands: Vec<Stand>,
}

impl Bridge {
    /// Slots of those who hear this leg.
    pub fn listeners_of(&self, leg: LegId) -> impl Iterator<Item = u32> {
        let bit = self.members.iter().position(|m| m.0 == leg).map_or(0, |i| 1 << i);
        self.members.iter().zip(&self.hears).filter(move |(_, row)| **row & bit != 0).map(|(m, _)| m.1)
    }

    /// Of the encoders the audience shares: 0 (cheap) to 10 (best).
    pub fn try_as_hard_as(&mut self, complexity: u8) {
        self.stands.iter_mut().for_each(|s| s.try_as_hard_as(complexity));
    }
}

impl Shard {
    /// Make the bridge what the audience says. Legs not here are left out.
    pub(super) fn bridge(&mut self, id: BridgeId, audience: &Audience) {
        let mut members: Vec<(LegId, u32)> = Vec::new();
        let listeners = audience.rows.iter().map(|r| r.0);
        for leg in listeners.chain(audience.rows.iter().flat_map(|r| r.1.iter().copied())) {
            let Some(slot) = self.index.get(&leg) else {
                self.totals.unknown += 1;
                continue;
            };
            // The legs named last are disappointed.
            if members.len() < BRIDGE_LEGS_MAX && !members.iter().any(|m| m.0 == leg) {
                members.push((leg, *slot));
            }
        }
        let mut hears: Vec<Row> = vec![0; members.len()];
        for (listener, speakers) in &audience.rows {
            let Some(i) = members.iter().position(|m| m.0 == *listener) else { continue };
            for (k, m) in members.iter().enumerate() {
                if k != i && speakers.contains(&m.0) {
                    hears[i] |= 1 << k;
                }
            }
        }
        let left = self.bridges.get(&id).map_or(Vec::new(), |b| b.members.clone());
        for (leg, _) in left.into_iter().filter(|l| !members.contains(l)) {
            self.unbridge(leg);
        }
        for (leg, _) in &members {
            if self.leg(*leg).is_some_and(|l| l.bridge != Some(id)) {
                self.unbridge(*leg);
            }
        }
        let (phase, load) = self.bridges.get(&id).map_or((0, 0), |b| (b.phase, b.load));
        let bridge = Bridge { members, hears, relay: false, phase, load, rate: Rate::K8, stands: Vec::new() };
        self.bridges.insert(id, bridge);
        self.remode(id);
    }

    /// Take a leg out of its bridge; what is left decides anew whether it needs a mixer.
    pub(super) fn unbridge(&mut self, leg: LegId) {
        let Some(l) = self.leg(leg) else { return };
        (l.relay_to, l.mixed) = (None, None);
        let (id, slot) = (l.bridge.take(), l.slot);
        self.attend(slot);
        let Some(id) = id else { return };
        let Some(b) = self.bridges.get_mut(&id) else { return };
        if let Some(i) = b.members.iter().position(|m| m.0 == leg) {
            b.members.remove(i);
            b.hears.remove(i);
            let below = (1 << i) - 1;
            for row in &mut b.hears {
                // The bits above the one that left move down.
                *row = (*row & below) | ((*row >> 1) & !below);
            }
        }
        self.remode(id);
    }

    /// Decide between relay and mix, and set the legs up for it. Called whenever members or agreements change.
    pub(super) fn remode(&mut self, id: BridgeId) {
        let Self { legs, bridges, mixing, phases, .. } = self;
        let Some(b) = bridges.get_mut(&id) else { return };
        if b.members.is_empty() {
            phases.ends(b);
            bridges.remove(&id);
            mixing.remove(&id);
            return;
        }
        let codec = |slot: u32| legs.get(slot as usize).and_then(Option::as_deref).and_then(Leg::codec);
        b.relay = match b.members[..] {
            [(_, a), (_, z)] => b.hears == [2, 1] && codec(a).zip(codec(z)).is_some_and(|(a, z)| passes(a, z)),
            _ => false,
        };
        if b.relay {
            mixing.remove(&id);
            phases.ends(b);
        } else {
            let codecs: Vec<_> = b.members.iter().map(|m| codec(m.1)).collect();
            phases.mixes(b, mixing.insert(id), codecs.into_iter());
        }
        // As good as two of them can hear; what only one could hear would cost all the others.
        let (mut best, mut second) = (Rate::K8, Rate::K8);
        for (_, slot) in &b.members {
            if let Some(leg) = legs.get(*slot as usize).and_then(Option::as_deref) {
                let rate = leg.best_rate();
                second = second.max(rate.min(best));
                best = best.max(rate);
            }
        }
        b.rate = second;
        b.stands.clear();
        let (relay, rate) = (b.relay, b.rate);
        for (i, (_, slot)) in b.members.iter().enumerate() {
            let Some(leg) = legs.get_mut(*slot as usize).and_then(Option::as_deref_mut) else { continue };
            leg.bridge = Some(id);
            leg.relay_to = relay.then(|| Slot(b.members[1 - i].1));
            leg.mixed = (!relay).then_some(rate);
            leg.still = 0;
            if relay {
                leg.out.rest();
            }
        }
        for slot in b.members.iter().map(|m| m.1).collect::<Vec<_>>() {
            self.attend(Slot(slot));
        }
    }

    /// Have a leg decoded for whoever needs that, and its tick called while there is something to do.
    pub(super) fn attend(&mut self, slot: Slot) {
        let Some(leg) = self.legs.get(slot.0 as usize).and_then(Option::as_deref) else { return };
        let told = leg.relay_to.and_then(|to| self.legs.get(to.0 as usize)).and_then(Option::as_deref);
        let told = told.and_then(|l| l.live.as_ref()).and_then(|l| l.wants_heard());
        let said = leg.live.as_ref().and_then(|l| l.wants_said());
        let rate = leg.mixed.or(said.max(told));
        if let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) {
            leg.listen(rate);
        }
        self.stir(slot);
        self.wake(slot);
    }
}

/// Whether what one of these codecs says can be passed on to the other packet by packet.
fn passes(a: Codec, z: Codec) -> bool {
    let g711 = |c| matches!(c, Codec::Pcmu | Codec::Pcma);
    a == z || g711(a) && g711(z)
}
