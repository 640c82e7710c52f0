//! A call goes out: by which trunk of a group, and by which next when that one cannot.
//!
//! The callee is never called twice. A next trunk is tried only while nothing has been heard of the callee: after a refusal that
//! is the carrier's own (408, 5xx, a broken path), or when nothing at all has come back. After a 180 or 183 the callee's phone
//! may be ringing, and the call stays where it is; a 6xx and any other 4xx are the callee's word. An INVITE that is given up in
//! silence is cancelled the moment its carrier wakes up, and hung up should it be answered (the stack sees to that).

use std::{collections::VecDeque, time::Duration};

use media::wire::LegId;

use super::{Denied, Key, Member, Permit, Toll, Wish, identity, keep::host, line::Line, numbers::subscriber};
use crate::{
    base::{Now, Rng, TrunkId},
    call::{
        Calls, Cause, Output, Party,
        calls::State,
        outgoing::{Dial, Ringing},
    },
    sip::{
        msg::{Headers, Name, SipUri, Uri},
        stack::{self, DialogKey, Target},
    },
};

/// A call that has not been answered yet, and where else it may be tried.
#[derive(Debug)]
pub(in crate::call) struct Hunt {
    key: Key,
    rest: VecDeque<TrunkId>,
    permit: Permit,
    caller: Party,
    headers: Headers,
    /// The callee's side has said something.
    heard: bool,
    answered: bool,
}

/// The members of a group in the order of this call (RFC 2782's manner): by priority; among equals by chance in proportion to
/// weight.
pub fn order(members: &[Member], rng: &mut Rng) -> Vec<TrunkId> {
    let mut left: Vec<&Member> = members.iter().collect();
    left.sort_by_key(|m| m.priority);
    let mut sorted = Vec::with_capacity(left.len());
    while let Some(first) = left.first().map(|m| m.priority) {
        let equals = left.iter().take_while(|m| m.priority == first).count();
        let total: u64 = left[..equals].iter().map(|m| u64::from(m.weight)).sum();
        let mut ticket = rng.below(total);
        let weighed = left[..equals].iter().position(|m| {
            let hit = ticket < u64::from(m.weight);
            ticket = ticket.saturating_sub(u64::from(m.weight));
            hit
        });
        sorted.push(left.remove(weighed.unwrap_or(0)).trunk.clone());
    }
    sorted
}

impl Calls {
    /// Where a call out begins: the first trunk that can take it.
    pub(in crate::call) fn dial_trunk(
        &mut self,
        now: Now,
        leg: LegId,
        permit: Permit,
        caller: Party,
        headers: Headers,
    ) -> Result<Dial, Cause> {
        let (tenant, trunk) = (permit.tenant().clone(), permit.trunk().clone());
        let group = self.settings.groups.get(&(tenant.clone(), trunk.clone()));
        let members = group.map_or_else(|| vec![trunk.clone()], |g| order(g, &mut self.rng));
        // Who is down or does not know us is tried when nobody else is left: we may be wrong about it.
        let hopeful =
            |t: &TrunkId| self.trunks.lines.get(&(tenant.clone(), t.clone())).is_none_or(|l: &Line| l.is_hopeful(now.mono));
        let (mut rest, last): (VecDeque<TrunkId>, VecDeque<TrunkId>) = members.into_iter().partition(hopeful);
        rest.extend(last);
        let hunt = Hunt { key: (tenant, trunk), rest, permit, caller, headers, heard: false, answered: false };
        self.trunks.hunts.insert(leg, hunt);
        self.next_trunk(now, leg)
    }

    /// The number a leg has called by a trunk, as the carrier got it.
    pub(in crate::call) fn number_called(&self, leg: LegId) -> Option<String> {
        self.trunks.hunts.get(&leg).map(|h| h.permit.number().to_owned())
    }

    /// The trunk a leg goes by.
    pub(in crate::call) fn trunk_of_hunt(&self, leg: LegId) -> Option<Key> {
        self.trunks.hunts.get(&leg).map(|h| h.key.clone())
    }

    /// The next trunk of the hunt that can take the call now.
    fn next_trunk(&mut self, now: Now, leg: LegId) -> Result<Dial, Cause> {
        let mut why = Cause::Unreachable;
        while let Some(trunk) = self.trunks.hunts.get_mut(&leg).and_then(|h| h.rest.pop_front()) {
            let Some(hunt) = self.trunks.hunts.get_mut(&leg) else { break };
            hunt.key.1 = trunk;
            let key = hunt.key.clone();
            match self.dial_by(now, &key, leg) {
                Ok(dial) => return Ok(dial),
                Err(cause) => {
                    tracing::info!(tenant = %key.0, trunk = %key.1, %cause, "a call cannot go out by this trunk now");
                    // What a limit keeps away is a fuller answer than what is not there.
                    why = if cause == Cause::Congestion { cause } else { why };
                }
            }
        }
        Err(why)
    }

    fn dial_by(&mut self, now: Now, key: &Key, leg: LegId) -> Result<Dial, Cause> {
        let settings = self.settings.clone();
        let t = settings.trunks.get(key).ok_or(Cause::Unreachable)?;
        let way = self.way_to(key, t).ok_or(Cause::Unreachable)?;
        let busy = self.calls_on(key);
        let Some(hunt) = self.trunks.hunts.get(&leg) else { return Err(Cause::Internal) };
        // Who calls for help is never told that there is no room.
        let helped = hunt.permit.is_emergency();
        let full = !helped && t.max_calls.is_some_and(|max| busy >= max as usize);
        if let Some(line) = self.trunks.lines.get_mut(key) {
            if !helped && line.is_paused(now.mono) {
                return Err(Cause::Congestion);
            }
            if full || !helped && t.policy.calls_per_s.is_some_and(|n| !line.rate.take(now.mono, n)) {
                line.counts.limited += 1;
                let why =
                    if full { "as many calls as it may have are on it" } else { "more new calls a second than it may have" };
                line.failure = Some((now.wall, why.to_owned()));
                return Err(Cause::Congestion);
            }
            line.counts.attempts += 1;
        } else if full {
            return Err(Cause::Congestion);
        }
        let host = host(t);
        let called = t.policy.numbers.call(hunt.permit.number());
        let mut uri = way.uri;
        uri.set_user(Some(&called));
        // A digest trunk knows us by its user; others by the number we present.
        let user = t.credentials.as_ref().map(|c| c.user.as_str());
        let policy = &t.policy;
        let (own, diverted) = (policy.caller_id.as_deref(), hunt.permit.diverted());
        let said = identity::write(&policy.identity, &hunt.caller, own, user, diverted, &called, &policy.numbers, &host);
        // One that has registered sits behind its own flow, and is called as it wants; people know it by our name.
        let sticky = t.addr().is_none();
        let to: Option<Uri> = sticky.then(|| SipUri::new(Some(&called), host.clone(), None).into());
        let (uri, flow, next, routes) = (uri.into(), way.flow, way.next, way.routes);
        let targets = vec![Target { uri, to, flow, sticky, next, routes, open: t.open, elsewhere: None }];
        let mut headers = hunt.headers.clone();
        for (name, value) in said.headers.iter() {
            headers.push_raw(name.clone(), value.clone());
        }
        if let Some(v) = &policy.voucher {
            let to = policy.numbers.read(hunt.permit.number());
            let identity = v.vouch(now.wall, &said.shown, own, &to, &mut self.rng);
            identity.into_iter().for_each(|i| headers.push(Name::Identity, i));
        }
        policy.headers.iter().for_each(|rule| rule.apply(&mut headers));
        let from = said.from;
        if !hunt.rest.is_empty() {
            let silence = Duration::from_millis(u64::from(t.policy.failover.silence_ms));
            self.trunks.silence.set(leg, now.mono + silence);
        }
        Ok(Dial { targets, from, headers, credentials: t.credentials.clone(), policy: t.media.clone() })
    }

    /// The callee's side said something.
    pub(in crate::call) fn trunk_progress(&mut self, dialog: DialogKey, code: u16) {
        let Some(leg) = self.dialogs.get(&dialog) else { return };
        if let Some(hunt) = self.trunks.hunts.get_mut(leg).filter(|_| code > 100) {
            hunt.heard = true;
            self.trunks.silence.clear(leg);
        }
    }

    /// The callee answered.
    pub(in crate::call) fn trunk_answered(&mut self, now: Now, dialog: DialogKey) {
        let Some(leg) = self.dialogs.get(&dialog) else { return };
        let Some(hunt) = self.trunks.hunts.get_mut(leg).filter(|h| !h.answered) else { return };
        (hunt.answered, hunt.heard) = (true, true);
        self.trunks.silence.clear(leg);
        self.trunks.guard.answered(now.mono, hunt.permit.id());
        if let Some(longest) = hunt.permit.longest() {
            self.trunks.cut.set(*leg, now.mono + longest);
        }
        if let Some(line) = self.trunks.lines.get_mut(&hunt.key) {
            line.counts.answered += 1;
        }
    }

    /// A call was refused. True: it is tried elsewhere, and whoever waits for it need not know.
    pub(in crate::call) fn trunk_refused(
        &mut self,
        now: Now,
        dialog: DialogKey,
        code: u16,
        retry_after: Option<Duration>,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(&leg) = self.dialogs.get(&dialog) else { return false };
        let Some(hunt) = self.trunks.hunts.get(&leg) else { return false };
        let Some(t) = self.settings.trunks.get(&hunt.key) else { return false };
        let carriers = code == 408 || (500..600).contains(&code);
        let again = t.policy.failover.is_for(code) && !hunt.heard;
        if let Some(line) = self.trunks.lines.get_mut(&hunt.key).filter(|_| carriers) {
            line.failed(now, code, crate::sip::msg::reason_phrase(code), retry_after);
        }
        self.trunks.silence.clear(&leg);
        again && self.dial_next(now, leg, Some(dialog), out)
    }

    /// Nothing has come back for a while.
    pub(super) fn carrier_silent(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(State::Ringing(r)) = self.legs.get(&leg).map(|l| &l.state) else { return };
        let Some(dialog) = r.phones.first().map(|p| p.dialog).filter(|key| self.stack.is_unheard(*key)) else { return };
        if let Some(line) = self.trunks.hunts.get(&leg).and_then(|h| self.trunks.lines.get_mut(&h.key)) {
            line.failed(now, 408, "nothing came back", None);
        }
        if self.dial_next(now, leg, Some(dialog), out) {
            self.sip(now, stack::Action::Cancel { dialog, headers: Headers::new() }, out);
        }
    }

    /// Tries the next trunk on the same port. False: there is none.
    fn dial_next(&mut self, now: Now, leg: LegId, old: Option<DialogKey>, out: &mut Vec<Output>) -> bool {
        if !self.legs.get(&leg).is_some_and(|l| matches!(l.state, State::Ringing(_))) {
            return false;
        }
        let Ok(dial) = self.next_trunk(now, leg) else { return false };
        let key = self.trunk_of_hunt(leg);
        let Some(l) = self.legs.get_mut(&leg) else { return false };
        if let Some(old) = old {
            self.dialogs.remove(&old);
        }
        if let State::Ringing(r) = &mut l.state {
            *r = Ringing::default();
        }
        l.policy = dial.policy.clone();
        l.flow = dial.targets.first().map(|t| t.flow);
        l.trunk = key;
        l.state = State::Dialling(Box::new(dial));
        self.dial_now(now, leg, out);
        true
    }

    /// Lets a call to the outside out, once, or says why not.
    pub fn permit(&mut self, now: Now, toll: &Toll, wish: Wish<'_>) -> Result<Permit, Denied> {
        self.trunks.guard.permit(now.mono, toll, wish)
    }

    /// Whether it would be let out, before anybody is rung for it.
    pub fn may_call_out(&mut self, now: Now, toll: &Toll, wish: Wish<'_>) -> Result<(), Denied> {
        self.trunks.guard.check(now.mono, toll, wish)
    }

    /// Counts again what the journal has of a tenant's calls out in the last hour.
    pub fn restore_books(&mut self, now: Now, tenant: &crate::base::TenantId, books: &super::Books) {
        self.trunks.guard.restore(now, tenant, books);
    }

    /// A call that was let out is not made.
    pub fn unused(&mut self, now: Now, permit: &Permit) {
        self.trunks.guard.over(now.mono, permit.id());
    }

    /// A leg is gone.
    pub(in crate::call) fn trunk_leg_over(&mut self, now: Now, leg: LegId) {
        if let Some(hunt) = self.trunks.hunts.remove(&leg) {
            self.trunks.guard.over(now.mono, hunt.permit.id());
        }
        self.trunks.silence.clear(&leg);
        self.trunks.cut.clear(&leg);
        self.trunks.verifying.remove(&leg);
        self.trunks.verifying_until.clear(&leg);
    }

    /// Whom a call that comes in is for, who it is from, and who was dialled first.
    pub(in crate::call) fn who_calls(
        &self,
        m: &crate::sip::msg::Message,
        tenant: &crate::base::TenantId,
        who: &stack::Who,
    ) -> (String, Party, Option<String>) {
        let dialled = m.uri().map(|u| u.user().into_owned()).unwrap_or_default();
        let policy = match who {
            stack::Who::Trunk(t) => self.settings.trunks.get(&(tenant.clone(), t.clone())).map(|t| &t.policy),
            _ => None,
        };
        let read = identity::read(m, policy.is_some_and(|p| p.identity.trusted), policy.map(|p| &p.numbers));
        let mut caller = read.party;
        if let stack::Who::User { user, .. } = who {
            // Who proved a name is known by it, whatever the request says.
            caller.number.clone_from(user);
        }
        let dialled = policy.map_or(dialled.clone(), |p| {
            let number = subscriber(&dialled);
            number.strip_prefix(&*p.numbers.prefix).unwrap_or(number).to_owned()
        });
        (dialled, caller, read.diverted)
    }

    /// A call came in by a trunk that may not have so many. True: it was refused.
    pub(in crate::call) fn trunk_full(&mut self, now: Now, dialog: DialogKey, key: &Key, out: &mut Vec<Output>) -> bool {
        let max = self.settings.trunks.get(key).and_then(|t| t.max_calls);
        let full = max.is_some_and(|max| self.calls_on(key) >= max as usize);
        let Some(line) = self.trunks.lines.get_mut(key) else { return false };
        line.counts.incoming += 1;
        if !full {
            return false;
        }
        line.counts.limited += 1;
        let (code, reason) = Cause::Congestion.status();
        let mut headers = crate::call::calls::reason(Cause::Congestion);
        headers.push(crate::sip::msg::Name::RetryAfter, 5 + self.rng.below(26));
        let refuse = stack::Action::Respond { dialog, code, reason: reason.into(), headers, body: None };
        self.sip(now, refuse, out);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_priorities_come_first_and_weights_share_the_calls_among_equals() {
        let m = |t: &str, priority, weight| Member { trunk: TrunkId::parse(t).unwrap(), priority, weight };
        let members = [m("last", 20, 1), m("a", 10, 3), m("b", 10, 1), m("never-first", 10, 0)];
        let (mut rng, mut first_a) = (Rng::seeded(1), 0);
        for _ in 0..4_000 {
            let o = order(&members, &mut rng);
            assert_eq!((o.len(), o[3].as_str()), (4, "last"));
            assert_ne!(o[0].as_str(), "never-first");
            first_a += u32::from(o[0].as_str() == "a");
        }
        assert!((2_900..3_100).contains(&first_a), "{first_a}");
    }
}
