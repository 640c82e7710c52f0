//! The next place of a call that finds nobody at the first (RFC 3263 4.3): the same INVITE in a transaction of its own.
//!
//! A place of the other IP family hears of an address it can reach: both descriptions are made before the first is tried.
//!
//! A place is given up on an error of the transport, on 503, and when nothing at all has come back for
//! [`SIP_NEXT_TARGET`]. Once it has said anything but a refusal it is not: the callee's phone may be ringing there, and must not
//! ring twice. What still comes from a place that was given up is cancelled or hung up on, as any late answer is.

use super::{
    DialogKey, Output, Stack, Target, build,
    calls::State,
    tx::{Purpose, TxId},
};
use crate::{
    base::{Now, limits::SIP_NEXT_TARGET},
    sip::{
        msg::{Message, Name},
        transport::{Flow, Transport},
    },
};

/// Above this a request goes by a stream where the peer lets us choose: UDP would cut it up (RFC 3261 18.1.1).
pub(super) const DATAGRAM_MAX: usize = 1_300;

impl Stack {
    /// What to try first, and then: a stream before datagrams when the request is long and the transport ours to choose.
    pub(super) fn ways(&self, m: &Message, to: &Target) -> (Flow, Vec<Flow>) {
        let mut next = to.next.clone();
        // What the Via will add.
        let long = m.write().len() + 100 > DATAGRAM_MAX;
        if !to.open || !long || to.flow.transport != Transport::Udp {
            return (to.flow, next);
        }
        let Some(local) = self.settings.local_towards(Transport::Tcp, to.flow.remote) else { return (to.flow, next) };
        next.insert(0, to.flow);
        (Flow { transport: Transport::Tcp, local, ..to.flow }, next)
    }

    /// The first try of a call with more places than one does not take all the time there is.
    pub(super) fn hurry(&mut self, now: Now, key: DialogKey) {
        let Some(State::Calling { tx, next, .. }) = self.calls.get(&key).map(|c| &c.state) else { return };
        if !next.is_empty() {
            let tx = *tx;
            self.give_up_at(tx, now.mono + SIP_NEXT_TARGET);
        }
    }

    /// Something has come back from where the call went.
    pub(super) fn somebody_is_there(&mut self, key: DialogKey) {
        if let Some(State::Calling { heard, .. }) = self.calls.get_mut(&key).map(|c| &mut c.state) {
            *heard = true;
        }
    }

    /// Tries the next place; false when there is none, or the one before may have rung. `refused`: it said 503.
    pub(super) fn try_next(&mut self, now: Now, id: TxId, key: DialogKey, refused: bool, out: &mut Vec<Output>) -> bool {
        let Some((request, before)) = self.clients.get(&id).map(|c| (c.request.clone(), c.flow)) else { return false };
        let Some(call) = self.calls.get_mut(&key) else { return false };
        let (flow, other) = match &mut call.state {
            State::Calling { next, heard, elsewhere, .. } if !next.is_empty() && (refused || !*heard) => {
                *heard = false;
                let flow = next.remove(0);
                let crosses = flow.remote.is_ipv6() != before.remote.is_ipv6();
                (flow, elsewhere.as_mut().filter(|_| crosses))
            }
            _ => return false,
        };
        // The phones that rang there ring no more.
        call.early.clear();
        let mut again = Message::clone(&request);
        again.headers.remove_first(&Name::Via);
        if let Some(other) = other {
            // What was said here is what is said should the way lead back.
            if let Some(here) = call.ours.replace(other.clone()) {
                *other = here;
            }
            if let Some((kind, bytes)) = &call.ours {
                again.set_body(kind, bytes.clone());
            }
        }
        if let Ok(contact) = again.contact() {
            let user = contact.uri.user().into_owned();
            let mut contact = self.contact(Some(user.as_str()).filter(|u| !u.is_empty()), &flow);
            build::secure_like(&mut contact, &again);
            again.headers.set(Name::Contact, contact);
        }
        let new = self.send_request(now, again, flow, Purpose::Invite(key), out);
        if let Some(State::Calling { tx, .. }) = self.calls.get_mut(&key).map(|c| &mut c.state) {
            *tx = new;
        }
        self.hurry(now, key);
        true
    }
}
