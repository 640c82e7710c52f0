//! Which legs a contact has had, from its first to some seconds after its last.

use std::collections::BTreeMap;

use media::wire::LegId;

use super::{
    super::{Center, Output, Timer},
    Order, Party,
};
use crate::{
    base::{
        InteractionId, Now, TenantId,
        limits::{LADDER_LEGS_MAX, LADDER_LINGER},
    },
    center::fact::LegRole,
    sip::stack::Trail,
};

/// All contacts whose messages are kept.
#[derive(Debug, Default)]
pub(in crate::center) struct Keep {
    notes: BTreeMap<InteractionId, Note>,
    /// Which contact a leg belongs to now: it may have been handed from one to another.
    legs: BTreeMap<LegId, InteractionId>,
}

#[derive(Debug)]
struct Note {
    tenant: TenantId,
    legs: Vec<Party>,
    dropped: u64,
}

impl Center {
    /// A leg belongs to this contact.
    pub(in crate::center) fn ladder_leg(
        &mut self,
        id: InteractionId,
        tenant: &TenantId,
        leg: LegId,
        role: LegRole,
        name: &str,
    ) {
        if !self.calls.keeps_ladders() {
            return;
        }
        if let Some(note) = self.ladders.legs.insert(leg, id).and_then(|old| self.ladders.notes.get_mut(&old)) {
            note.legs.retain(|p| p.leg != leg.0);
        }
        let new = || Note { tenant: tenant.clone(), legs: Vec::new(), dropped: 0 };
        let note = self.ladders.notes.entry(id).or_insert_with(new);
        note.legs.push(Party { leg: leg.0, role, name: name.to_owned() });
        if note.legs.len() > LADDER_LEGS_MAX {
            let oldest = LegId(note.legs.remove(0).leg);
            note.dropped += 1;
            self.ladders.legs.remove(&oldest);
            drop(self.calls.ladder_take(oldest));
        }
    }

    /// A leg is gone, or a contact is over: if nothing more is to come, its ladder is put away soon.
    pub(in crate::center) fn ladder_settle(&mut self, now: Now, id: InteractionId) {
        if self.ladders.notes.contains_key(&id) && self.ladder_is_whole(id) {
            self.timers.set(Timer::Ladder(id), now.mono + LADDER_LINGER);
        }
    }

    fn ladder_is_whole(&self, id: InteractionId) -> bool {
        self.interactions.get(&id).is_none_or(|i| i.closed && i.legs == 0)
    }

    /// A leg nobody knew is gone.
    pub(in crate::center) fn ladder_of_nobody(&mut self, leg: LegId) {
        if !self.ladders.legs.contains_key(&leg) {
            drop(self.calls.ladder_take(leg));
        }
    }

    /// Nothing has come for a while.
    pub(in crate::center) fn ladder_over(&mut self, id: InteractionId, out: &mut Vec<Output>) {
        // Somebody may have come back to it; the end of that leg sets the clock again.
        if self.ladder_is_whole(id) {
            self.ladder_away(id, out);
        }
    }

    fn ladder_away(&mut self, id: InteractionId, out: &mut Vec<Output>) {
        let Some(note) = self.ladders.notes.remove(&id) else { return };
        let mut take = |p: Party| {
            self.ladders.legs.remove(&LegId(p.leg));
            let trails = self.calls.ladder_take(LegId(p.leg));
            (p, trails)
        };
        let legs: Vec<(Party, Vec<Trail>)> = note.legs.into_iter().map(&mut take).collect();
        if legs.iter().any(|(_, trails)| !trails.is_empty()) {
            let order = Order { tenant: note.tenant, interaction: id, legs, dropped: note.dropped };
            out.push(Output::Ladder(Box::new(order)));
        }
    }

    /// The process ends: whatever there is is put away as it stands.
    pub fn ladders_away(&mut self, out: &mut Vec<Output>) {
        while let Some(id) = self.ladders.notes.keys().next().copied() {
            self.timers.clear(&Timer::Ladder(id));
            self.ladder_away(id, out);
        }
    }

    /// What has gone over the wire so far of a contact that goes on, or has just ended.
    pub fn ladder_now(&self, tenant: &TenantId, id: InteractionId) -> Option<Order> {
        let note = self.ladders.notes.get(&id).filter(|n| n.tenant == *tenant)?;
        let legs = note.legs.iter().map(|p| (p.clone(), self.calls.ladder_look(LegId(p.leg)))).collect();
        Some(Order { tenant: tenant.clone(), interaction: id, legs, dropped: note.dropped })
    }
}
