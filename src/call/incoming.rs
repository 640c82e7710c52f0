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
        msg::{Headers, Message},
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
        tenant: TenantId,
        who: Who,
        out: &mut Vec<Output>,
    ) {
        let offer = match request.body.is_empty() {
            true => None,
            false => match sdp::parse(&request.body) {
                Ok(s) => Some(s),
                Err(error) => {
                    tracing::info!(%error, "an INVITE with a description we cannot read");
                    let (code, reason) = (400, format!("Bad SDP: {error}"));
                    let refuse = stack::Action::Respond { dialog, code, reason, headers: Headers::new(), body: None };
                    return self.sip(now, refuse, out);
                }
            },
        };
        let leg = self.next_leg();
        let policy = self.policy_of_caller(&tenant, &who);
        let mut l = Leg::new(State::Arrived { offer }, policy, &mut self.rng);
        l.dialog = Some(dialog);
        l.flow = Some(source);
        self.legs.insert(leg, l);
        self.dialogs.insert(dialog, leg);
        let (dialled, caller, diverted) = self.who_calls(request, &tenant, &who);
        let call_id = request.call_id().map(|c| c.into_owned()).unwrap_or_default();
        out.push(Output::Event(Event::Arrived(Arrival { leg, tenant, who, dialled, caller, diverted, call_id, source })));
    }

    pub(super) fn progress(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get(&leg).filter(|l| matches!(l.state, State::Arrived { .. })) else { return };
        let Some(dialog) = l.dialog else { return };
        let ringing = stack::Action::Respond { dialog, code: 180, reason: String::new(), headers: Headers::new(), body: None };
        self.sip(now, ringing, out);
    }

    /// Binds a port; the answer goes out when it is there.
    pub(super) fn answer(&mut self, leg: LegId, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if let State::Arrived { offer } = &mut l.state {
            let offer = offer.take();
            // Without an offer it is ours that counts; a browser is made one it can take.
            let web = l.flow.is_some_and(|f| f.transport.is_web());
            let checked = offer.as_ref().map_or(web, Session::wants_ice);
            l.ice = checked.then(|| policy::credentials(&mut self.rng));
            l.state = State::Opening { offer };
            l.media_open = true;
            out.push(Output::Media(Command::Open { leg, port: None, ice: l.ice.clone() }));
        }
    }

    pub(super) fn answer_now(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        let Some(local) = self.local_media(leg) else { return };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let Some(dialog) = l.dialog else { return };
        let State::Opening { offer } = &mut l.state else { return };
        let local = local.media();
        let ours = match offer.take() {
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
                        return self.hang_up(now, leg, Cause::NoCodec, By::Us, out);
                    }
                }
            }
            // No offer in the INVITE: ours goes into the 200, the answer comes with the ACK (RFC 3261 13.2.1).
            None => {
                let kind = self.legs.get(&leg).and_then(|l| Some(policy::offering(&l.policy, l.flow.as_ref()?)));
                sdp::offer(&local, kind.unwrap_or(Offering::Plain))
            }
        };
        let Some(l) = self.legs.get_mut(&leg) else { return };
        l.ours = Some(ours.clone());
        l.state = State::Answering;
        let ok = stack::Action::Respond {
            dialog,
            code: 200,
            reason: String::new(),
            headers: Headers::new(),
            body: Some(body(&ours)),
        };
        self.sip(now, ok, out);
    }

    /// The ACK is here: the call stands. With a delayed offer it carries the answer.
    pub(super) fn acked(&mut self, now: Now, dialog: DialogKey, answer: Option<Body>, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let Some(l) = self.legs.get(&leg) else { return };
        let first = matches!(l.state, State::Answering);
        let wanted = first && l.agreed.is_none() || !first && answer.is_some();
        if wanted {
            let Some(ours) = l.ours.clone() else { return };
            let theirs = answer.as_ref().and_then(|(_, b)| sdp::parse(b).ok());
            let agreed = theirs.and_then(|t| {
                let nat = self.nat(leg, &t);
                sdp::agreed(&ours, &t, nat).ok()
            });
            match agreed {
                Some(agreed) => self.agree(leg, agreed, out),
                None if first => return self.hang_up(now, leg, Cause::NoCodec, By::Us, out),
                None => {}
            }
        }
        if first {
            self.up(leg, out);
        }
    }
}
