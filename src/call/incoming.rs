//! A leg somebody else began: from its INVITE to the ACK.

use media::wire::{Command, LegId};

use super::{
    Arrival, By, Calls, Cause, Event, Output,
    calls::{Leg, State, body},
    policy,
};
use crate::{
    base::{Now, TenantId},
    sdp::{self, Offering, Session},
    sip::{
        msg::{Headers, Message, Uri},
        registrar::gruu,
        stack::{self, Body, DialogKey, Who},
        transport::Source,
    },
};

impl Calls {
    #[expect(clippy::too_many_arguments, reason = "the fields of one event")]
    pub(super) fn incoming(
        &mut self,
        now: Now,
        dialog: DialogKey,
        request: &Message,
        source: Source,
        (tenant, who): (TenantId, Who),
        replaces: Option<DialogKey>,
        out: &mut Vec<Output>,
    ) {
        let replaces = match replaces.map(|key| self.dialogs.get(&key).copied()) {
            // The call it means is being ended.
            Some(None) => {
                let (code, reason, headers) = (481, String::new(), Headers::new());
                return self.sip(now, stack::Action::Respond { dialog, code, reason, headers, body: None }, out);
            }
            other => other.flatten(),
        };
        // What may not be passed over has been refused by the stack.
        let offer = match request.session().ok().flatten().map(|offer| sdp::parse(&offer)).transpose() {
            Ok(offer) => offer,
            Err(error) => {
                tracing::info!(%error, "an INVITE with a description we cannot read");
                let (code, reason) = (400, format!("Bad SDP: {error}"));
                let refuse = stack::Action::Respond { dialog, code, reason, headers: Headers::new(), body: None };
                return self.sip(now, refuse, out);
            }
        };
        let leg = self.next_leg();
        let policy = self.policy_of_caller(&tenant, &who);
        let mut l = Leg::new(State::Arrived { offer }, policy, &mut self.rng);
        l.dialog = Some(dialog);
        l.flow = Some(source);
        self.legs.insert(leg, l);
        self.dialogs.insert(dialog, leg);
        self.ladder_note(leg, dialog);
        let (dialled, caller, diverted) = self.who_calls(request, &tenant, &who);
        let call_id = request.call_id().map(|c| c.into_owned()).unwrap_or_default();
        let device = request.uri().and_then(Uri::sip).and_then(gruu::instance);
        let arrival = Arrival { leg, tenant, who, dialled, device, caller, diverted, call_id, source, replaces, verdict: None };
        self.arrive(now, request, arrival, out);
    }

    pub(super) fn progress(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get(&leg).filter(|l| matches!(l.state, State::Arrived { .. })) else { return };
        let Some(dialog) = l.dialog else { return };
        let ringing = stack::Action::Respond { dialog, code: 180, reason: String::new(), headers: Headers::new(), body: None };
        self.sip(now, ringing, out);
    }

    /// Lets the caller hear something: binds a port; the 183 goes out when it is there.
    pub(super) fn early_media(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get(&leg) else { return };
        let (State::Arrived { offer }, Some(dialog)) = (&l.state, l.dialog) else { return };
        if offer.is_none() && !self.stack.is_reliable(dialog) {
            return self.progress(now, leg, out);
        }
        self.open_for_caller(leg, true, out);
    }

    pub(super) fn early_now(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(ours) = self.describe(now, leg, out) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let Some(dialog) = l.dialog else { return };
        l.state = State::Early;
        let heard = l.agreed.is_some();
        let session = stack::Action::Respond {
            dialog,
            code: 183,
            reason: String::new(),
            headers: Headers::new(),
            body: Some(body(&ours)),
        };
        self.sip(now, session, out);
        if heard {
            out.push(Output::Event(Event::EarlyMedia { leg }));
        }
    }

    /// The answer to our offer in a provisional response.
    pub(super) fn pracked(&mut self, now: Now, dialog: DialogKey, answer: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        match self.agree_with(leg, answer.as_ref(), out) {
            true if self.legs.get(&leg).is_some_and(|l| matches!(l.state, State::Early)) => {
                out.push(Output::Event(Event::EarlyMedia { leg }));
            }
            true => {}
            false => self.hang_up(now, leg, Cause::NoCodec, By::Us, out),
        }
    }

    /// Takes a call. Binds a port, unless there is one; the answer goes out when it is there.
    pub(super) fn answer(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        match &mut l.state {
            State::Arrived { .. } => self.open_for_caller(leg, false, out),
            State::Opening { early, .. } => *early = false,
            State::Early => {
                let (Some(dialog), Some(ours)) = (l.dialog, l.ours.clone()) else { return };
                l.state = State::Answering;
                self.send_ok(now, dialog, &ours, out);
            }
            _ => {}
        }
    }

    fn send_ok(&mut self, now: Now, dialog: DialogKey, ours: &Session, out: &mut Vec<Output>) {
        let (reason, headers) = (String::new(), Headers::new());
        let ok = stack::Action::Respond { dialog, code: 200, reason, headers, body: Some(body(ours)) };
        self.sip(now, ok, out);
    }

    fn open_for_caller(&mut self, leg: LegId, early: bool, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if let State::Arrived { offer } = &mut l.state {
            let offer = offer.take();
            // Without an offer it is ours that counts; a browser is made one it can take.
            let web = l.flow.is_some_and(|f| f.transport.is_web());
            let checked = offer.as_ref().map_or(web, Session::wants_ice);
            l.ice = checked.then(|| policy::credentials(&mut self.rng));
            l.state = State::Opening { offer, early };
            l.media_open = true;
            out.push(Output::Media(Command::Open { leg, port: None, ice: l.ice.clone() }));
        }
    }

    pub(super) fn answer_now(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(ours) = self.describe(now, leg, out) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let Some(dialog) = l.dialog else { return };
        l.state = State::Answering;
        self.send_ok(now, dialog, &ours, out);
    }

    /// Our description for a caller: the answer to the offer, or an offer. `None`: nothing in common, and the call is refused.
    fn describe(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) -> Option<Session> {
        let State::Opening { offer, .. } = &mut self.legs.get_mut(&leg)?.state else { return None };
        let offer = offer.take();
        let local = self.local_media(leg, offer.as_ref())?;
        let local = local.media();
        let ours = match offer {
            Some(offer) => {
                let nat = self.nat(leg, &offer);
                match sdp::answer(&offer, &local, nat) {
                    Ok((ours, agreed)) => {
                        self.agree(leg, agreed, out);
                        ours
                    }
                    Err(rejected) => {
                        tracing::info!(?leg, why = rejected.why, "no common media");
                        if let Some(l) = self.legs.get_mut(&leg) {
                            l.why = Some(rejected.why);
                        }
                        self.hang_up(now, leg, Cause::NoCodec, By::Us, out);
                        return None;
                    }
                }
            }
            // No offer in the INVITE: ours goes into the 200, the answer comes with the ACK (RFC 3261 13.2.1); or into a
            // reliable 183, and the answer comes with its PRACK.
            None => {
                let kind = self.legs.get(&leg).and_then(|l| Some(policy::offering(&l.policy, l.flow.as_ref()?)));
                sdp::offer(&local, kind.unwrap_or(Offering::Plain))
            }
        };
        self.legs.get_mut(&leg)?.ours = Some(ours.clone());
        Some(ours)
    }

    /// Puts in force what an answer to our last offer settles. False when it settles nothing.
    fn agree_with(&mut self, leg: LegId, answer: Option<&Body>, out: &mut Vec<Output>) -> bool {
        let ours = self.legs.get(&leg).and_then(|l| l.ours.clone());
        let theirs = answer.and_then(|(_, b)| sdp::parse(b).ok());
        let agreed = ours.zip(theirs).and_then(|(ours, theirs)| {
            let nat = self.nat(leg, &theirs);
            sdp::agreed(&ours, &theirs, nat).ok()
        });
        let settled = agreed.is_some();
        if let Some(agreed) = agreed {
            self.agree(leg, agreed, out);
        }
        settled
    }

    /// The ACK is here: the call stands. With a delayed offer it carries the answer.
    pub(super) fn acked(&mut self, now: Now, dialog: DialogKey, answer: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let Some(l) = self.legs.get(&leg) else { return };
        let first = matches!(l.state, State::Answering);
        let wanted = first && l.agreed.is_none() || !first && answer.is_some();
        if wanted && !self.agree_with(leg, answer.as_ref(), out) && first {
            return self.hang_up(now, leg, Cause::NoCodec, By::Us, out);
        }
        if first {
            self.up(leg, out);
        }
    }
}
