//! The messages of a leg's dialogs, from its first INVITE to what still came after its end.
//!
//! A leg may have had several dialogs: each phone of an agent is one, and so is each carrier that was tried. They are kept by the
//! stack; here is only which of them were this leg's. Whoever is told that a leg has ended takes them or lets them go.

use media::wire::LegId;

use super::Calls;
use crate::{
    base::limits::LADDER_TRAILS_PER_LEG,
    sip::stack::{DialogKey, Trail},
};

impl Calls {
    /// Whether the messages of calls are kept.
    pub fn keeps_ladders(&self) -> bool {
        self.settings.sip.ladder
    }

    /// A dialog of this leg has begun.
    pub(super) fn ladder_note(&mut self, leg: LegId, dialog: DialogKey) {
        let Some(id) = self.stack.ladder_claim(dialog) else { return };
        let ids = self.ladders.entry(leg).or_default();
        if ids.len() < LADDER_TRAILS_PER_LEG {
            ids.push(id);
        } else {
            drop(self.stack.ladder_take(&id));
        }
    }

    /// The messages of a leg so far.
    pub fn ladder_look(&self, leg: LegId) -> Vec<Trail> {
        self.ladders.get(&leg).into_iter().flatten().filter_map(|id| self.stack.ladder_look(id).cloned()).collect()
    }

    /// The messages of a leg, which are forgotten here.
    pub fn ladder_take(&mut self, leg: LegId) -> Vec<Trail> {
        let ids = self.ladders.remove(&leg).unwrap_or_default();
        ids.iter().filter_map(|id| self.stack.ladder_take(id)).collect()
    }

    /// `(calls whose messages are held, bytes of them)`.
    pub fn ladder_held(&self) -> (usize, usize) {
        self.stack.ladder_held()
    }
}
