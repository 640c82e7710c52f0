//! Under load: who is turned away at the door, before anything is asked, remembered or looked up that costs.
//!
//! Turned away are new calls, by a share decided upstairs ([`Admission`]); at worst also REGISTER of phones nobody knows. Never:
//! whatever belongs to a call in progress, calls that take the place of one (RFC 3891), calls of phones that are registered,
//! emergency numbers, refreshed registrations, OPTIONS. The 503 is stateless (RFC 3261 8.2.7): nothing is kept of whoever gets
//! it, and a repeated request gets the same, for the Call-ID decides.
//!
//! And always: who sends too much, or guesses passwords, is not answered at all ([`gate`]).

use super::{Output, Stack};
use crate::{
    base::{
        Admission, Now,
        limits::{SHED_RETRY_MAX_S, SHED_RETRY_MIN_S},
    },
    sip::{
        gate,
        msg::{Message, Method, Name},
        transport::{Flow, Source},
    },
};

impl Stack {
    /// Whether a new request is looked at: not if its address sends too many, or is banned. Trunks, phones that are registered,
    /// browsers (the address may be a proxy's) and what belongs to a call always pass.
    pub(super) fn passes(&mut self, now: Now, m: &Message, source: &Source) -> bool {
        if m.to_tag().is_some() || self.is_ours(source) {
            return true;
        }
        let (rules, from) = (self.settings.gate, source.remote.ip());
        if m.headers.get(&Name::UserAgent).is_some_and(|u| gate::is_scanner(&u)) && self.gate.ban(now.mono, rules, from) {
            self.counters.bans += 1;
            tracing::warn!(%from, "a scanner is not listened to for a while");
        }
        match self.gate.judge(now.mono, rules, from) {
            gate::Verdict::Pass => true,
            gate::Verdict::Limited => {
                self.counters.limited += 1;
                false
            }
            gate::Verdict::Banned => {
                self.counters.barred += 1;
                false
            }
        }
    }

    /// A wrong password, if it was one: who guesses on is not listened to.
    pub(super) fn guessed(&mut self, now: Now, m: &Message, source: &Source) {
        let wrong = m.headers.has(&Name::Authorization) || m.headers.has(&Name::ProxyAuthorization);
        let from = source.remote.ip();
        if wrong && !self.is_ours(source) && self.gate.strike(now.mono, self.settings.gate, from) {
            self.counters.bans += 1;
            tracing::warn!(%from, "an address that guesses passwords is not listened to for a while");
        }
    }

    pub(super) fn is_ours(&self, source: &Source) -> bool {
        source.transport.is_web() || self.settings.is_trunks(source.remote) || self.registrar.knows(source)
    }

    /// From now on so many are let in.
    pub fn admission(&mut self, admission: Admission) {
        self.admission = admission;
    }

    /// Answers a new request with 503 if it is one of those that are turned away. False: it is to be served.
    pub(super) fn turned_away(&mut self, m: &Message, source: &Source, reply: Flow, out: &mut Vec<Output>) -> bool {
        let shed = self.admission.shed_permille();
        let meant = shed > 0 && m.to_tag().is_none() && self.is_new(m, shed);
        if !meant || self.registrar.knows(source) && !(m.method() == Some(&Method::Invite) && self.is_exchange(source)) {
            return false;
        }
        self.counters.shed += 1;
        let tag = self.rng.hex(4);
        let mut answer = self.reply(m, 503, "", &tag);
        let wait = SHED_RETRY_MIN_S + self.rng.below(SHED_RETRY_MAX_S - SHED_RETRY_MIN_S + 1);
        answer.headers.push(Name::RetryAfter, wait);
        out.push(Output::Send { flow: reply, bytes: answer.write() });
        true
    }

    /// Whether it is a trunk that is registered from exactly here: its calls are customers', and no phone's of ours.
    fn is_exchange(&self, source: &Source) -> bool {
        let mut logins = self.settings.trunks.iter().filter_map(|t| t.login.as_ref().map(|(user, _)| (&t.tenant, user)));
        logins.any(|(tenant, user)| {
            let bindings = self.bindings(tenant, user);
            bindings.iter().any(|b| b.flow.transport == source.transport && b.flow.remote == source.remote)
        })
    }

    fn is_new(&self, m: &Message, shed: u16) -> bool {
        match m.method() {
            Some(Method::Invite) => {
                let lot = || m.call_id().is_ok_and(|id| self.lot(&id) < shed);
                lot() && !self.is_emergency(m) && !matches!(self.replaced_by(m), Ok(Some(_)))
            }
            Some(Method::Register) => self.admission == Admission::Closed,
            _ => false,
        }
    }

    /// 0 to 999, the same for the same call. Nobody outside can choose it.
    fn lot(&self, call_id: &str) -> u16 {
        let folded = call_id.bytes().fold(self.salt, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        // The low bits of such a sum are its weak ones.
        ((folded ^ (folded >> 32)) % 1_000) as u16
    }

    fn is_emergency(&self, m: &Message) -> bool {
        let Some(user) = m.uri().map(|u| u.user()).filter(|u| !u.is_empty()) else { return false };
        self.settings.emergency.iter().any(|(_, number)| *number == *user)
    }
}
