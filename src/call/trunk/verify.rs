//! Who vouches for those who call us by a trunk: a call waits until its Identity header is looked at (RFC 8224 section 6.2).
//!
//!     INVITE ──read──▶ no header, or one that cannot hold ─────────────────────────▶ judged
//!                └───▶ waiting ──seal looked at, or not in time, or caller gone────▶ judged
//!     judged: upstairs hears of the arrival with the verdict; where only verified callers are let in, others are refused
//!
//! The certificate is fetched and the signature checked by an edge ([`Output::Verify`](crate::call::Output::Verify)). Only trunks
//! are asked: of a stranger nothing is fetched.

use std::time::Duration;

use media::wire::LegId;

use super::{Demand, Key, Numbers, Stir, identity, numbers::subscriber};
use crate::{
    base::{
        Now,
        limits::{STIR_PATIENCE, STIR_WAITING_MAX},
    },
    call::{Arrival, By, Calls, Cause, Event, Output, calls::State},
    sip::{
        msg::{Headers, Message, Name, NameAddr, Uri},
        stack::{self, Who},
        stir::{self, Claimed, Expected, Fault, Named, Verdict, Verstat},
    },
};

/// What is asked of who calls by a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verify {
    /// Others are refused.
    pub required: bool,
    /// What was signed longer ago does not count, seconds.
    pub max_age_s: u32,
}

impl Verify {
    /// As it is written. `None`: nothing is asked.
    pub fn of(stir: &Stir) -> Option<Verify> {
        let required = match stir.verify {
            Demand::Off => return None,
            Demand::Inform => false,
            Demand::Require => true,
        };
        Some(Verify { required, max_age_s: stir.max_age_s })
    }
}

/// A call whose caller is being verified.
#[derive(Debug)]
pub(super) struct Waiting {
    arrival: Arrival,
    rules: Verify,
    claimed: Claimed,
    call_id: String,
}

/// An address as a PASSporT names it.
fn named(a: &Uri, numbers: &Numbers) -> Named {
    let user = a.user();
    let other = || match a.sip() {
        Some(u) => format!("sip:{user}@{}", u.host),
        None => a.to_string(),
    };
    stir::canonical(&numbers.read(subscriber(&user))).map_or_else(|| Named::Uri(other()), Named::Number)
}

/// What an Identity header of this request has to say, to be for it: the number that is shown as the caller's, and whoever was
/// called. Where the caller is not shown, the number the network has asserted.
fn expected(now: Now, m: &Message, rules: Verify, trusted: bool, numbers: &Numbers) -> Expected {
    let from = m.from().ok();
    let hidden = from.as_ref().is_none_or(|f| f.uri.user().eq_ignore_ascii_case("anonymous"));
    let asserted = if trusted || hidden { identity::asserted(m) } else { Vec::new() };
    let callers: Vec<NameAddr> = if asserted.is_empty() { from.into_iter().collect() } else { asserted };
    let to = m.to().ok().map(|a| a.uri);
    let called = to.iter().chain(m.uri());
    Expected {
        now: now.wall,
        max_age_s: rules.max_age_s,
        callers: callers.iter().map(|a| named(&a.uri, numbers)).collect(),
        called: called.map(|u| named(u, numbers)).collect(),
    }
}

impl Calls {
    /// Tells upstairs of a call, after its caller is verified where that is asked for.
    pub(in crate::call) fn arrive(&mut self, now: Now, m: &Message, arrival: Arrival, out: &mut Vec<Output>) {
        let target = match &arrival.who {
            Who::Trunk(t) => self.settings.trunks.get(&(arrival.tenant.clone(), t.clone())),
            Who::User { .. } | Who::Guest { .. } | Who::Stranger => None,
        };
        let Some((rules, policy)) = target.and_then(|t| Some((t.policy.verify?, &t.policy))) else {
            return out.push(Output::Event(Event::Arrived(arrival)));
        };
        let claimed = stir::read(m, &expected(now, m, rules, policy.identity.trusted, &policy.numbers));
        match claimed {
            Ok(None) => self.judged(now, arrival, rules, Verdict::absent(), out),
            Err(why) => self.judged(now, arrival, rules, Verdict::failed(why), out),
            Ok(Some(_)) if self.trunks.verifying.len() >= STIR_WAITING_MAX => {
                self.judged(now, arrival, rules, Verdict::failed(Fault::NoCertificate), out);
            }
            Ok(Some(claimed)) => {
                let (leg, seal) = (arrival.leg, Box::new(claimed.seal.clone()));
                let call_id = m.call_id().map(|id| id.into_owned()).unwrap_or_default();
                self.trunks.verifying.insert(leg, Waiting { arrival, rules, claimed, call_id });
                self.trunks.verifying_until.set(leg, now.mono + STIR_PATIENCE);
                out.push(Output::Verify { leg, seal });
            }
        }
    }

    /// Whether upstairs does not know of this leg yet, for its caller is being verified.
    pub fn is_verifying(&self, leg: LegId) -> bool {
        self.trunks.verifying.contains_key(&leg)
    }

    /// The seal of a caller has been looked at.
    pub(in crate::call) fn verified(&mut self, now: Now, leg: LegId, seal: Result<(), Fault>, out: &mut Vec<Output>) {
        self.trunks.verifying_until.clear(&leg);
        // The caller may have gone meanwhile.
        let Some(Waiting { arrival, rules, claimed, call_id }) = self.trunks.verifying.remove(&leg) else { return };
        // From the future as long as it may be, then fresh as long as it may be.
        let lasts = Duration::from_secs(2 * u64::from(rules.max_age_s));
        let first = |()| match self.trunks.once.is_first(now.mono, &claimed.seal.signed, &call_id, lasts) {
            true => Ok(()),
            false => Err(Fault::Replayed),
        };
        let seal = seal.and_then(first);
        self.judged(now, arrival, rules, claimed.verdict(seal), out);
    }

    fn judged(&mut self, now: Now, mut arrival: Arrival, rules: Verify, verdict: Verdict, out: &mut Vec<Output>) {
        if let Who::Trunk(trunk) = &arrival.who {
            let key: Key = (arrival.tenant.clone(), trunk.clone());
            let counts = self.trunks.lines.get_mut(&key).map(|l| &mut l.counts);
            if let Some(c) = counts {
                let count = match verdict.verstat {
                    Verstat::Verified => &mut c.verified,
                    Verstat::Failed => &mut c.unverified,
                    Verstat::Absent => &mut c.unvouched,
                };
                *count += 1;
            }
            let why = verdict.why.map_or("", Fault::as_str);
            tracing::info!(tenant = %key.0, trunk = %key.1, verstat = verdict.verstat.as_str(), why, "a caller was looked at");
        }
        match verdict.refusal().filter(|_| rules.required) {
            Some((code, reason)) => self.refuse_unverified(now, arrival.leg, code, reason, out),
            None => {
                arrival.verdict = Some(verdict);
                out.push(Output::Event(Event::Arrived(arrival)));
            }
        }
    }

    fn refuse_unverified(&mut self, now: Now, leg: LegId, code: u16, reason: &str, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let Some(dialog) = l.dialog else { return };
        l.state = State::Closing { cause: Cause::NotAllowed, by: By::Us };
        let mut headers = Headers::new();
        headers.push(Name::Reason, Cause::NotAllowed.reason_header());
        let refuse = stack::Action::Respond { dialog, code, reason: reason.into(), headers, body: None };
        self.sip(now, refuse, out);
        self.release(now, leg, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Mono, Wall},
        sip::msg::Method,
    };

    fn callers(headers: &[(&str, &str)], trusted: bool) -> Vec<Named> {
        let mut m = Message::request(Method::Invite, Uri::parse("sip:028880000@shop.example").unwrap());
        m.headers.push(Name::To, "<tel:+32-2-888-00-01>");
        headers.iter().for_each(|(n, v)| m.headers.push(Name::from(*n), v));
        let numbers = Numbers::default().over(Some("32"), Some("0"));
        let now = Now { mono: Mono(0), wall: Wall::from_unix_s(0) };
        let e = expected(now, &m, Verify { required: false, max_age_s: 60 }, trusted, &numbers);
        assert_eq!(e.called, [Named::Number("3228880001".into()), Named::Number("3228880000".into())]);
        e.callers
    }

    #[test]
    fn verified_is_the_number_that_is_shown() {
        let (from, pai) = (("From", "<sip:0470000009@x.example>;tag=1"), ("P-Asserted-Identity", "<tel:+32470000008>"));
        let number = |n: &str| vec![Named::Number(n.into())];
        assert_eq!(callers(&[from, pai], true), number("32470000008"));
        assert_eq!(callers(&[from, pai], false), number("32470000009"), "a peer that is not trusted asserts nothing");
        let hidden = ("From", "<sip:anonymous@anonymous.invalid>;tag=1");
        assert_eq!(callers(&[hidden, pai], false), number("32470000008"), "shown is nobody in any case");
        let name = ("From", "<sip:anna@X.example>;tag=1");
        assert_eq!(callers(&[name], false), [Named::Uri("sip:anna@x.example".into())]);
    }
}
