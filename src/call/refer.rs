//! Handing on by signalling (REFER): a phone asks us to, and we ask a carrier to take its caller elsewhere, where its trunk allows
//! that. The carrier says how it goes by NOTIFY; whatever it does not do in time is done here, by a bridge.

use media::wire::LegId;

use super::{
    Calls, Event, Output,
    calls::State,
    trunk::{Permit, host},
};
use crate::{
    base::{Now, limits::SIP_TAKE_AWAY},
    sip::{
        msg::{Headers, SipUri, Uri},
        registrar::gruu,
        stack::{self, DialogKey, Refer, ReferId},
    },
};

impl Calls {
    /// A phone wants its call handed on.
    pub(super) fn referred(&mut self, now: Now, dialog: DialogKey, refer: Refer, out: &mut Vec<Output>) {
        let refuse = |code| stack::Action::RespondRefer { dialog, refer: refer.id, code };
        let Some(&leg) = self.dialogs.get(&dialog) else { return self.sip(now, refuse(481), out) };
        let replaces = match refer.replaces.map(|key| self.dialogs.get(&key).copied()) {
            Some(None) => return self.sip(now, refuse(481), out),
            Some(Some(other)) if other == leg => return self.sip(now, refuse(400), out),
            other => other.flatten(),
        };
        let to = match &refer.to {
            Uri::Tel(t) => t.digits(),
            other => other.user().into_owned(),
        };
        let device = refer.to.sip().and_then(gruu::instance);
        out.push(Output::Event(Event::Referred { leg, refer: refer.id, to, device, replaces }));
    }

    /// The answer: the call is handed on (its phone is told that it has been), or it is not.
    pub(super) fn answer_refer(&mut self, now: Now, leg: LegId, refer: ReferId, code: u16, out: &mut Vec<Output>) {
        let Some(dialog) = self.legs.get(&leg).and_then(|l| l.dialog) else { return };
        if code >= 300 {
            return self.sip(now, stack::Action::RespondRefer { dialog, refer, code }, out);
        }
        self.sip(now, stack::Action::RespondRefer { dialog, refer, code: 202 }, out);
        self.sip(now, stack::Action::Notify { dialog, refer, code: 200, over: true }, out);
    }

    // ---- we ask a carrier ----

    /// Whether the carrier of a leg takes its caller elsewhere when asked.
    pub fn takes_away(&self, leg: LegId) -> bool {
        let Some(l) = self.legs.get(&leg).filter(|l| matches!(l.state, State::Up) && l.taking.is_none()) else { return false };
        l.trunk.as_ref().and_then(|key| self.settings.trunks.get(key)).is_some_and(|t| t.policy.refer)
    }

    /// [`Action::TakeAway`](super::Action::TakeAway).
    pub(super) fn take_away(&mut self, now: Now, leg: LegId, permit: Permit, out: &mut Vec<Output>) {
        let ready = self.takes_away(leg);
        let found = self.legs.get(&leg).filter(|_| ready).and_then(|l| l.dialog.zip(l.trunk.clone()));
        let Some((dialog, key)) = found else {
            return out.push(Output::Event(Event::TakenAway { leg, permit: Some(permit) }));
        };
        let Some(t) = self.settings.trunks.get(&key) else { return };
        let to = Box::new(SipUri::new(Some(&t.policy.numbers.call(permit.number())), host(t), t.port));
        if let Some(l) = self.legs.get_mut(&leg) {
            l.taking = Some(Box::new(permit));
        }
        self.timers.set(leg, now.mono + SIP_TAKE_AWAY);
        self.sip(now, stack::Action::Refer { dialog, to, replaces: None, headers: Headers::new() }, out);
    }

    /// The carrier has taken our REFER, or not.
    pub(super) fn refer_answered(&mut self, now: Now, dialog: DialogKey, code: u16, out: &mut Vec<Output>) {
        if let Some(&leg) = self.dialogs.get(&dialog).filter(|_| code >= 300) {
            self.not_taken(now, leg, out);
        }
    }

    /// What becomes of it.
    pub(super) fn refer_progress(&mut self, now: Now, dialog: DialogKey, code: u16, over: bool, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        match code {
            200..300 => {
                let Some(permit) = self.legs.get_mut(&leg).and_then(|l| l.taking.take()) else { return };
                self.timers.clear(&leg);
                // How long they talk over there nobody tells us.
                self.trunks.guard.over(now.mono, permit.id());
                out.push(Output::Event(Event::TakenAway { leg, permit: None }));
            }
            300.. => self.not_taken(now, leg, out),
            _ if over => self.not_taken(now, leg, out),
            _ => {}
        }
    }

    /// The carrier does not do it: the way it may be done here is given back.
    pub(super) fn not_taken(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(permit) = self.legs.get_mut(&leg).and_then(|l| l.taking.take()) else { return };
        tracing::info!(?leg, at = %now.wall, "the carrier does not take its caller away; the call is bridged");
        self.timers.clear(&leg);
        out.push(Output::Event(Event::TakenAway { leg, permit: Some(*permit) }));
    }
}
