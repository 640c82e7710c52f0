//! Who hears whom, and whether that takes a mixer.
//!
//!     two legs, both hear the other, one codec   ──▶ relay: packets go on at arrival
//!     the same, mu-law here and A-law there      ──▶ relay, byte by byte through a table
//!     anything else                              ──▶ mix: every 20 ms each listener gets the sum of its row

use super::{Out, Shard, Slot};
use crate::{
    jitter::Jitter,
    limits::{BRIDGE_LEGS_MAX, FRAME, PHASES},
    time::At,
    wire::{Audience, BridgeId, Codec, LegId},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Bridge {
    /// Name and slot of each leg.
    pub members: Vec<(LegId, u32)>,
    /// For each member: a bit for each member it hears.
    hears: Vec<u64>,
    pub relay: bool,
    pub phase: u64,
}

/// Where a mix is laid out: a frame of each member. One per shard, used by one bridge after the other.
pub(super) struct Desk {
    frames: [[i16; FRAME]; BRIDGE_LEGS_MAX],
}

impl Default for Desk {
    fn default() -> Self {
        Self { frames: [[0; FRAME]; BRIDGE_LEGS_MAX] }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Bridge {
    /// Slots of those who hear this leg.
    pub fn listeners_of(&self, leg: LegId) -> impl Iterator<Item = u32> {
        let bit = self.members.iter().position(|m| m.0 == leg).map_or(0, |i| 1u64 << i);
        self.members.iter().zip(&self.hears).filter(move |(_, row)| **row & bit != 0).map(|(m, _)| m.1)
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
        let mut hears = vec![0u64; members.len()];
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
        self.bridges.insert(id, Bridge { members, hears, relay: false, phase: 0 });
        self.remode(id);
    }

    /// Take a leg out of its bridge; what is left decides anew whether it needs a mixer.
    pub(super) fn unbridge(&mut self, leg: LegId) {
        let Some(l) = self.leg(leg) else { return };
        (l.relay_to, l.jitter) = (None, None);
        let Some(id) = l.bridge.take() else { return };
        let Some(b) = self.bridges.get_mut(&id) else { return };
        if let Some(i) = b.members.iter().position(|m| m.0 == leg) {
            b.members.remove(i);
            b.hears.remove(i);
            let below = (1u64 << i) - 1;
            for row in &mut b.hears {
                // The bits above the one that left move down.
                *row = (*row & below) | ((*row >> 1) & !below);
            }
        }
        self.remode(id);
    }

    /// Decide between relay and mix, and set the legs up for it. Called whenever members or agreements change.
    pub(super) fn remode(&mut self, id: BridgeId) {
        let Some(b) = self.bridges.get_mut(&id) else { return };
        if b.members.is_empty() {
            self.bridges.remove(&id);
            return;
        }
        let codec = |slot: u32| {
            self.legs.get(slot as usize).and_then(Option::as_deref).and_then(|l| l.remote.as_ref()).map(|r| r.codec)
        };
        b.relay = match b.members[..] {
            [(_, a), (_, z)] => b.hears == [2, 1] && codec(a).zip(codec(z)).is_some_and(|(a, z)| passes(a, z)),
            _ => false,
        };
        b.phase = id.0 % PHASES;
        for (i, (_, slot)) in b.members.iter().enumerate() {
            let Some(leg) = self.legs.get_mut(*slot as usize).and_then(Option::as_deref_mut) else { continue };
            leg.bridge = Some(id);
            leg.phase = b.phase;
            if b.relay {
                leg.relay_to = Some(Slot(b.members[1 - i].1));
                leg.jitter = None;
            } else {
                leg.relay_to = None;
                leg.jitter.get_or_insert_with(Jitter::default);
            }
        }
    }

    /// One tick of every mixing bridge of this phase.
    pub(super) fn mix(&mut self, now: At, phase: u64, out: &mut impl Out) {
        let Self { legs, bridges, records, mixed, totals, .. } = self;
        for b in bridges.values().filter(|b| !b.relay && b.phase == phase) {
            let mut speaking = 0u64;
            for (i, (_, slot)) in b.members.iter().enumerate() {
                let leg = legs.get_mut(*slot as usize).and_then(Option::as_deref_mut);
                if leg.and_then(|l| l.jitter.as_mut()).is_some_and(|j| j.take(&mut mixed.frames[i])) {
                    speaking |= 1 << i;
                }
            }
            for (i, (_, slot)) in b.members.iter().enumerate() {
                let Some(leg) = legs.get_mut(*slot as usize).and_then(Option::as_deref_mut) else { continue };
                if leg.occupied() {
                    continue;
                }
                let heard = sum(&mixed.frames, b.hears[i] & speaking);
                let before = leg.out.packets;
                leg.say(now, &heard, records, out);
                totals.packets_out += leg.out.packets - before;
            }
        }
    }
}

/// Whether what one of these codecs says can be passed on to the other packet by packet.
fn passes(a: Codec, z: Codec) -> bool {
    let g711 = |c| matches!(c, Codec::Pcmu | Codec::Pcma);
    a == z || g711(a) && g711(z)
}

/// The frames of `row` added up; what is too loud is cut at full scale.
fn sum(frames: &[[i16; FRAME]; BRIDGE_LEGS_MAX], mut row: u64) -> [i16; FRAME] {
    let mut wide = [0i32; FRAME];
    while row != 0 {
        let i = row.trailing_zeros() as usize;
        for (w, s) in wide.iter_mut().zip(&frames[i]) {
            *w += i32::from(*s);
        }
        row &= row - 1;
    }
    wide.map(|w| w.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16)
}
