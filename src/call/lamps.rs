//! Busy lamps: which calls the phones of a user are in, told to the stack as they change.
//!
//! A leg lights the lamp of the user whose phone it is: rung, or dialling. What watchers are told, and how often, is the stack's.

use media::wire::LegId;

use super::{Calls, Output, calls::State};
use crate::{
    base::{Now, TenantId},
    sip::{
        event::{CallState, Shown},
        stack::{self, DialogKey, LampChange},
    },
};

/// Whose lamp a leg lights, and how it was told last.
#[derive(Debug)]
pub(super) struct Lit {
    user: (TenantId, String),
    dialled: bool,
    shown: Option<Shown>,
}

impl Lit {
    /// The user.
    pub fn name(&self) -> &str {
        &self.user.1
    }
    /// Dark so far.
    pub fn new(user: (TenantId, String), dialled: bool) -> Self {
        Lit { user, dialled, shown: None }
    }
}

impl Calls {
    /// The same of the leg a dialog belongs to.
    pub(super) fn lamp_of(&mut self, now: Now, dialog: DialogKey, out: &mut Vec<Output>) {
        if let Some(&leg) = self.dialogs.get(&dialog) {
            self.lamp(now, leg, out);
        }
    }

    /// Shows where a leg stands, if it lights a lamp and has moved.
    pub(super) fn lamp(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let Some(lit) = l.lamp.as_mut() else { return };
        let state = match &l.state {
            State::Arrived { .. } => Some(CallState::Trying),
            State::Opening { .. } | State::Early => Some(CallState::Early),
            State::Answering | State::Up => Some(CallState::Confirmed),
            State::Ringing(r) if r.told => Some(CallState::Early),
            State::Dialling(_) | State::Ringing(_) | State::Closing { .. } => None,
        };
        let shown = state.map(|state| Shown { state, dialled: lit.dialled });
        if std::mem::replace(&mut lit.shown, shown) == shown {
            return;
        }
        let ((tenant, user), change) = (lit.user.clone(), LampChange::Call(leg.0, shown));
        self.sip(now, stack::Action::Lamp { tenant, user, change }, out);
    }
}
