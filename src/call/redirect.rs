//! A call is sent on: the callee's side answers 3xx with another address.
//!
//! Such an answer is how somebody else's calls come on our bill (a phone, or whoever has its password, sends them on to a premium
//! number), so nothing is followed here: the numbers go upstairs, and come back with a permit or not at all. Only the number of an
//! address counts, never its host: it is called by our routes and trunks, like one that was dialled. A call is sent on at most
//! [`SIP_REDIRECTS_MAX`] times, and never twice to one number. While another phone of the callee rings, that one has the word.

use media::wire::LegId;

use super::{By, Calls, Cause, Event, Output, calls::State, outgoing::Ringing, trunk::Permit};
use crate::{
    base::{Now, limits::SIP_REDIRECTS_MAX},
    sip::{msg::Uri, stack::DialogKey},
};

impl Calls {
    /// A call was refused. True: it is asked upstairs whether it goes on elsewhere.
    pub(super) fn sent_on(&mut self, dialog: DialogKey, code: u16, contacts: &[Uri], out: &mut Vec<Output>) -> bool {
        // 305 names a proxy and 380 another service: neither is a place to call.
        if !(300..=302).contains(&code) {
            return false;
        }
        let Some(&leg) = self.dialogs.get(&dialog) else { return false };
        let called = self.number_called(leg);
        let Some(l) = self.legs.get_mut(&leg) else { return false };
        let State::Ringing(r) = &mut l.state else { return false };
        let from = called.or_else(|| l.lamp.as_ref().map(|lit| lit.name().to_owned())).unwrap_or_default();
        if !l.sent_on.contains(&from) {
            l.sent_on.push(from.clone());
        }
        let number = |u: &Uri| match u {
            Uri::Tel(t) => t.digits(),
            other => other.user().into_owned(),
        };
        let mut to: Vec<String> = contacts.iter().map(number).filter(|n| !n.is_empty() && !l.sent_on.contains(n)).collect();
        to.truncate(SIP_REDIRECTS_MAX);
        if r.phones.len() != 1 || l.sent_on.len() > SIP_REDIRECTS_MAX || to.is_empty() {
            return false;
        }
        r.phones.clear();
        self.dialogs.remove(&dialog);
        out.push(Output::Event(Event::SentOn { leg, from, to }));
        true
    }

    /// [`Action::Follow`](super::Action::Follow).
    pub(super) fn follow(&mut self, now: Now, leg: LegId, permit: Option<Permit>, out: &mut Vec<Output>) {
        let waits = |l: &super::calls::Leg| matches!(&l.state, State::Ringing(r) if r.phones.is_empty());
        let asked = self.legs.get(&leg).filter(|l| waits(l)).and_then(|l| l.asked.clone());
        let Some(permit) = permit else { return self.followed_nowhere(now, leg, out) };
        let Some(asked) = asked else { return self.unused(now, &permit) };
        let (caller, headers) = *asked;
        let number = permit.number().to_owned();
        // The call before is over, in the books of the trunk as well.
        self.trunk_leg_over(now, leg);
        let dial = match self.dial_trunk(now, leg, permit, caller, headers) {
            Ok(dial) => dial,
            Err(_) => return self.followed_nowhere(now, leg, out),
        };
        let trunk = self.trunk_of_hunt(leg);
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.sent_on.push(number);
        l.policy = dial.policy.clone();
        l.flow = dial.targets.first().map(|t| t.flow);
        l.trunk = trunk;
        l.state = State::Dialling(Box::new(dial));
        self.dial_now(now, leg, out);
    }

    /// It may not, or cannot, go where it was sent: that is a refusal.
    fn followed_nowhere(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if matches!(&l.state, State::Ringing(Ringing { phones, .. }) if phones.is_empty()) {
            l.state = State::Closing { cause: Cause::Unreachable, by: By::Peer };
            self.timers.clear(&leg);
            self.release(now, leg, out);
        }
    }
}
