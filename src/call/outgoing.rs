//! A leg we began: every phone of an agent at once, or a number by a trunk.

use std::time::Duration;

use media::wire::{Codec, Command, LegId};

use super::{
    By, Calls, Cause, Endpoint, Event, MediaPolicy, Output, Party,
    calls::{Leg, State, body, reason},
    lamps::Lit,
    policy,
};
use crate::{
    base::{Now, TenantId},
    sdp::{self, LocalMedia, Session},
    sip::{
        msg::{Headers, Host, Name, NameAddr, SipUri, Uri},
        registrar,
        stack::{self, Body, DialogKey, Target},
        transport::{Flow, Transport},
    },
};

/// A call waiting for its port.
#[derive(Debug)]
pub(super) struct Dial {
    pub targets: Vec<Target>,
    pub from: NameAddr,
    pub headers: Headers,
    pub credentials: Option<crate::sip::auth::Credentials>,
    pub policy: MediaPolicy,
}

/// One phone that rings.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    pub dialog: DialogKey,
    /// What it was offered: a browser and a desk phone do not understand the same.
    pub offer: Session,
    /// What is offered at its places of the other IP family, if it has any.
    pub elsewhere: Option<Session>,
    /// What was agreed before it is answered.
    pub early: Option<sdp::Agreed>,
}

impl Phone {
    /// What was offered by this way.
    fn offer_by(&self, way: Option<Flow>) -> &Session {
        let v6 = way.map(|w| w.remote.is_ipv6());
        let elsewhere = self.elsewhere.as_ref().filter(|e| v6.is_some() && e.audio_ip().map(|ip| ip.is_ipv6()) == v6);
        elsewhere.unwrap_or(&self.offer)
    }
}

/// Phones that ring.
#[derive(Debug, Default)]
pub(super) struct Ringing {
    pub phones: Vec<Phone>,
    /// Somebody said 180.
    pub told: bool,
    /// The most telling refusal so far.
    refused: Option<Cause>,
}

/// Which refusal says most: a person's word before a phone's, a phone's before the network's.
fn weight(c: Cause) -> u8 {
    match c {
        Cause::Declined => 5,
        Cause::Busy => 4,
        Cause::NoAnswer => 3,
        Cause::NoCodec | Cause::NotFound | Cause::NotAllowed => 2,
        _ => 1,
    }
}

impl Calls {
    #[expect(clippy::too_many_arguments, reason = "the fields of one action")]
    pub(super) fn ring(
        &mut self,
        now: Now,
        leg: LegId,
        to: Endpoint,
        caller: Party,
        headers: Vec<(String, String)>,
        ring_for: Duration,
        prefer: Option<Codec>,
        out: &mut Vec<Output>,
    ) {
        if self.legs.contains_key(&leg) {
            tracing::error!(?leg, "a leg is rung twice");
            return;
        }
        let mut more = Headers::new();
        for (name, value) in headers {
            if let Some(name) = Name::parse(name.into()) {
                more.push(name, value);
            }
        }
        let asked = Box::new((caller.clone(), more.clone()));
        let (dial, user) = match to {
            Endpoint::Agent { tenant, user, device } => {
                (self.dial_agent(&tenant, &user, device.as_deref(), &caller, more), Some((tenant, user)))
            }
            Endpoint::Trunk(permit) => (self.dial_trunk(now, leg, permit, caller, more), None),
        };
        let (dial, refused) = match dial {
            Ok(dial) => (Some(dial), None),
            Err(cause) => (None, Some(cause)),
        };
        let flow = dial.as_ref().and_then(|d| d.targets.first()).map(|t| t.flow);
        let state = match (dial, refused) {
            (Some(dial), _) => State::Dialling(Box::new(dial)),
            (None, cause) => State::Closing { cause: cause.unwrap_or(Cause::Unreachable), by: By::Network },
        };
        let closing = matches!(state, State::Closing { .. });
        let (policy, web) = match &state {
            State::Dialling(d) => (d.policy.clone(), d.targets.iter().any(|t| t.flow.transport.is_web())),
            _ => (MediaPolicy::default(), false),
        };
        let mut l = Leg::new(state, policy, &mut self.rng);
        l.flow = flow;
        l.prefer = prefer;
        l.ice = web.then(|| policy::credentials(&mut self.rng));
        let ice = l.ice.clone();
        l.media_open = !closing;
        l.trunk = self.trunk_of_hunt(leg).filter(|_| !closing);
        l.lamp = user.map(|user| Lit::new(user, false));
        l.asked = Some(asked);
        self.legs.insert(leg, l);
        if closing {
            return self.release(now, leg, out);
        }
        self.timers.set(leg, now.mono + ring_for);
        out.push(Output::Media(Command::Open { leg, port: None, ice }));
    }

    /// Whether one phone of an agent can be rung, known by its instance.
    pub fn reachable_at(&self, tenant: &TenantId, user: &str, device: &str) -> bool {
        self.stack.bindings(tenant, user).iter().any(|b| registrar::gruu::is_of(b, device))
    }

    fn dial_agent(
        &self,
        tenant: &TenantId,
        user: &str,
        device: Option<&str>,
        caller: &Party,
        headers: Headers,
    ) -> Result<Dial, Cause> {
        let bindings = self.stack.bindings(tenant, user);
        // A browser takes nothing that is not encrypted by a handshake, and for that we need a certificate.
        let reachable = |t: Transport| self.settings.fingerprint.is_some() || !t.is_web();
        let meant = |b: &registrar::Binding| device.is_none_or(|d| registrar::gruu::is_of(b, d));
        let bindings: Vec<_> = bindings.iter().filter(|b| reachable(b.flow.transport) && meant(b)).cloned().collect();
        let Some(first) = bindings.first() else { return Err(Cause::Unreachable) };
        let realm = self.settings.sip.realm(tenant);
        let here = || Host::parse(realm).unwrap_or(Host::Ip(first.flow.local.ip()));
        let to: Uri = SipUri::new(Some(user), here(), None).into();
        let targets = registrar::ways(&bindings)
            .into_iter()
            .map(|(b, next)| Target {
                uri: b.contact.clone(),
                to: Some(to.clone()),
                flow: b.flow,
                sticky: true,
                next,
                routes: b.path.clone(),
                open: false,
                elsewhere: None,
            })
            .collect();
        let name = if caller.number.is_empty() { "anonymous" } else { &caller.number };
        let mut from = NameAddr::new(SipUri::new(Some(name), here(), None));
        if let Some(d) = &caller.display {
            from = from.with_display(d);
        }
        Ok(Dial { targets, from, headers, credentials: None, policy: self.policy_of_phone(tenant, user) })
    }

    /// The port is bound: the calls go out, each with the offer its phone understands.
    pub(super) fn dial_now(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(local) = self.local_media(leg, None) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let State::Dialling(dial) = std::mem::replace(&mut l.state, State::Ringing(Ringing::default())) else { return };
        let Dial { targets, from, headers, credentials, policy } = *dial;
        let phones: Vec<Phone> = targets
            .iter()
            .map(|t| {
                // One phone of somebody may be on IPv6 and the other not, and so may be the places of one carrier.
                let offer_at = |way: &Flow| {
                    let local = LocalMedia { addr: self.media_addr(None, Some(way)), ..local.media() };
                    sdp::offer(&local, policy::offering(&policy, &t.flow))
                };
                let crosses = |way: &&Flow| way.remote.is_ipv6() != t.flow.remote.is_ipv6();
                let (offer, elsewhere) = (offer_at(&t.flow), t.next.iter().find(crosses).map(offer_at));
                Phone { dialog: self.stack.next_key(), offer, elsewhere, early: None }
            })
            .collect();
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.ours = phones.first().map(|p| p.offer.clone());
        l.state = State::Ringing(Ringing { phones: phones.clone(), ..Ringing::default() });
        for phone in &phones {
            self.dialogs.insert(phone.dialog, leg);
        }
        for (Phone { dialog, offer, elsewhere, .. }, to) in phones.into_iter().zip(targets) {
            let to = Target { elsewhere: elsewhere.as_ref().map(body), ..to };
            let invite = stack::Action::Invite {
                dialog,
                to,
                from: from.clone(),
                headers: headers.clone(),
                body: Some(body(&offer)),
                credentials: credentials.clone(),
            };
            self.sip(now, invite, out);
            self.ladder_note(leg, dialog);
        }
    }

    pub(super) fn progressed(&mut self, dialog: DialogKey, code: u16, sound: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let Some(State::Ringing(r)) = self.legs.get_mut(&leg).map(|l| &mut l.state) else { return };
        if (180..=183).contains(&code) && !std::mem::replace(&mut r.told, true) {
            out.push(Output::Event(Event::Ringing { leg }));
        }
        let theirs = sound.as_ref().and_then(|(_, b)| sdp::parse(b).ok());
        let agreed = theirs.and_then(|theirs| self.settle(leg, dialog, &theirs));
        if let Some(agreed) = agreed {
            self.early(leg, dialog, agreed, out);
        }
    }

    /// What a description of one of the phones settles.
    fn settle(&self, leg: LegId, dialog: DialogKey, theirs: &Session) -> Option<sdp::Agreed> {
        let State::Ringing(r) = &self.legs.get(&leg)?.state else { return None };
        let phone = r.phones.iter().find(|p| p.dialog == dialog)?;
        let way = self.stack.way(dialog);
        sdp::agreed(phone.offer_by(way), theirs, theirs.behind_nat(way?.remote.ip())).ok()
    }

    /// A phone agreed to media before it is answered. What a number says is heard; of several phones that ring, none.
    pub(super) fn early(&mut self, leg: LegId, dialog: DialogKey, agreed: sdp::Agreed, out: &mut Vec<Output>) {
        let Some(State::Ringing(r)) = self.legs.get_mut(&leg).map(|l| &mut l.state) else { return };
        let alone = r.phones.len() == 1;
        let way = self.stack.way(dialog);
        let Some(phone) = r.phones.iter_mut().find(|p| p.dialog == dialog) else { return };
        let said = phone.offer_by(way).clone();
        let first = phone.early.is_none();
        phone.early = Some(agreed.clone());
        if alone {
            if first || self.has_moved(leg, way) {
                self.goes_by(leg, way, said);
            }
            self.agree(leg, agreed, out);
            if first {
                out.push(Output::Event(Event::EarlyMedia { leg }));
            }
        }
    }

    /// The first phone to answer wins; the others stop.
    pub(super) fn peer_answered(&mut self, now: Now, dialog: DialogKey, answer: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let State::Ringing(r) = &mut l.state else {
            // Crossed with our hang-up, or with a faster phone.
            self.dialogs.remove(&dialog);
            return self.sip(now, stack::Action::Bye { dialog, headers: reason(Cause::ElsewhereAnswered) }, out);
        };
        let ringing = std::mem::take(r);
        l.dialog = Some(dialog);
        let phone = ringing.phones.iter().find(|p| p.dialog == dialog).cloned();
        let way = self.stack.way(dialog);
        let ours = phone.as_ref().map(|p| p.offer_by(way).clone());
        // Not up yet, but no longer ringing: whoever looks now hangs up with BYE.
        l.state = State::Up;
        // What is said to one alone may have moved since it was heard early (UPDATE).
        let known = ringing.phones.len() == 1 && phone.as_ref().is_some_and(|p| p.early.is_some());
        let known = known && !self.has_moved(leg, way);
        if let Some(said) = ours.clone().filter(|_| !known) {
            self.goes_by(leg, way, said);
        }
        self.cancel_all(now, ringing, Some(dialog), Cause::ElsewhereAnswered, out);
        let theirs = answer.as_ref().and_then(|(_, b)| sdp::parse(b).ok());
        let agreed = match answer {
            Some(_) => ours.zip(theirs).and_then(|(ours, theirs)| {
                let nat = self.nat(leg, &theirs);
                sdp::agreed(&ours, &theirs, nat).ok()
            }),
            // Said before, reliably.
            None => phone.and_then(|p| p.early),
        };
        match agreed {
            Some(agreed) => {
                self.agree(leg, agreed, out);
                self.up(leg, out);
            }
            None => self.hang_up(now, leg, Cause::NoCodec, By::Us, out),
        }
    }

    fn has_moved(&self, leg: LegId, way: Option<Flow>) -> bool {
        self.legs.get(&leg).is_some_and(|l| way.is_some() && l.flow != way)
    }

    /// Of several phones, or several places of one, this is where the call goes and what was offered there: what comes after is
    /// measured by it.
    fn goes_by(&mut self, leg: LegId, way: Option<Flow>, said: Session) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.flow = way.or(l.flow);
        l.ours = Some(said);
    }

    pub(super) fn peer_refused(
        &mut self,
        now: Now,
        dialog: DialogKey,
        code: u16,
        reason_header: Option<&str>,
        out: &mut Vec<Output>,
    ) {
        let Some(leg) = self.dialogs.remove(&dialog) else { return };
        let Some(State::Ringing(r)) = self.legs.get_mut(&leg).map(|l| &mut l.state) else { return };
        let cause =
            reason_header.and_then(Cause::from_reason).filter(|c| *c != Cause::Normal).unwrap_or(Cause::from_status(code));
        r.phones.retain(|p| p.dialog != dialog);
        if r.refused.is_none_or(|old| weight(cause) > weight(old)) {
            r.refused = Some(cause);
        }
        // One "no" from a person counts for all their phones (RFC 3261 21.6: 6xx ends the search).
        let over = r.phones.is_empty() || code >= 600;
        if over {
            let (ringing, cause) = (std::mem::take(r), r.refused.unwrap_or(cause));
            let l = self.legs.get_mut(&leg).expect("it was there on the lines above");
            l.state = State::Closing { cause, by: By::Peer };
            self.timers.clear(&leg);
            self.cancel_all(now, ringing, None, cause, out);
            self.release(now, leg, out);
        }
    }

    /// Rang long enough.
    pub(super) fn ring_over(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        self.not_taken(now, leg, out);
        if self.legs.get(&leg).is_some_and(|l| matches!(l.state, State::Ringing(_) | State::Dialling(_))) {
            self.hang_up(now, leg, Cause::NoAnswer, By::Us, out);
        }
    }

    /// Stops every phone but one.
    pub(super) fn cancel_all(&mut self, now: Now, r: Ringing, but: Option<DialogKey>, cause: Cause, out: &mut Vec<Output>) {
        for dialog in r.phones.into_iter().map(|p| p.dialog).filter(|k| Some(*k) != but) {
            self.dialogs.remove(&dialog);
            self.sip(now, stack::Action::Cancel { dialog, headers: cancel_reason(cause) }, out);
        }
    }
}

/// RFC 3326: a phone that stops because another answered does not show a missed call.
fn cancel_reason(cause: Cause) -> Headers {
    match cause {
        Cause::ElsewhereAnswered => {
            let mut h = Headers::new();
            h.push(Name::Reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
            h
        }
        other => reason(other),
    }
}
