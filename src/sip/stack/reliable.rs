//! Provisional responses that are sure to arrive (RFC 3262), on either side, and what offers and answers may be in them
//! (RFC 6337 section 2).
//!
//! ```text
//! callee   183 (RSeq n) ──PRACK n──▶ 200        repeated from T1 on, doubling, 64*T1 long: then the INVITE gets its 504
//!            what is to be said next waits for that, a 2xx too; a refusal does not
//! caller   183 (RSeq n) ──▶ PRACK n            in order per early dialog: what is ahead of its turn is let come again
//! ```

use std::{collections::VecDeque, sync::Arc};

use super::{
    Body, DialogKey, EndedBy, Event, Output, Stack,
    build::{self, body_of},
    calls::{Call, Re, State},
    settings::Reliable,
    tx::{FORKS_MAX, Inside, ServerInput, TxId},
};
use crate::{
    base::{Mono, Now, limits::SIP_PROVISIONALS_MAX},
    sip::{
        dialog::Dialog,
        msg::{Headers, Message, Method, Name},
        transaction::Class,
    },
};

/// The option tag.
pub(super) const TAG: &str = "100rel";

/// A response upstairs wants to give.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) headers: Headers,
    pub(super) body: Option<Body>,
}

/// Our provisional responses to an INVITE.
#[derive(Debug, Default)]
pub(super) struct Provisionals {
    /// The number of the last one that was sent reliably; 0: none was.
    rseq: u32,
    /// Not acknowledged yet.
    out: Option<Unacked>,
    /// One of them carried a description: ours is said.
    described: bool,
    /// To be said once it is acknowledged, oldest first.
    waiting: VecDeque<Wanted>,
}

#[derive(Debug, Clone, Copy)]
struct Unacked {
    n: u32,
    resend_at: Mono,
    give_up: Mono,
    /// It carried our offer: the answer comes in the PRACK.
    offer: bool,
}

impl Provisionals {
    /// Offer and answer are through before the call is answered.
    pub(super) fn settled(&self) -> bool {
        self.described && self.out.is_none()
    }
    /// Something waits for a PRACK.
    pub(super) fn pending(&self) -> bool {
        self.out.is_some()
    }
    /// Our description has been sent reliably: a 2xx must not carry it again.
    pub(super) fn described(&self) -> bool {
        self.described
    }
    pub(super) fn deadline(&self) -> Option<Mono> {
        self.out.map(|u| u.resend_at.min(u.give_up))
    }
}

/// A dialog a caller has with one of the phones that ring (12.1.2): a forked INVITE makes several.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The number of the last reliable response taken.
    rseq: Option<u32>,
    /// Their offer in a reliable response, which the PRACK of this number answers.
    owed: Option<(u32, u32)>,
    /// Their description came reliably: offer and answer are through.
    pub(super) settled: Option<Body>,
    /// What was agreed has changed since, by UPDATE.
    pub(super) changed: bool,
    /// They take UPDATE.
    pub(super) updates: bool,
}

impl Early {
    /// Their offer waits for the answer in our PRACK.
    pub(super) fn owes(&self) -> bool {
        self.owed.is_some()
    }
}

impl Call {
    /// The dialog with the peer of this tag: the one there is, or an early one.
    pub(super) fn dialog_with(&mut self, tag: Option<&str>) -> Option<&mut Dialog> {
        if self.dialog.is_some() {
            return self.dialog.as_mut().filter(|d| d.remote_tag().as_deref() == tag);
        }
        self.early_with(tag).map(|e| &mut e.dialog)
    }
    pub(super) fn early_with(&mut self, tag: Option<&str>) -> Option<&mut Early> {
        self.early.iter_mut().find(|e| e.dialog.remote_tag().as_deref() == tag)
    }
}

impl Stack {
    // ---- the callee's side ----

    /// Whether a provisional response to this INVITE is sent so that it is sure to arrive.
    pub(super) fn reliably(&self, invite: &Message, described: bool) -> bool {
        let wanted = match self.settings.reliable {
            Reliable::WhenRequired => false,
            Reliable::Sound => described,
            Reliable::Always => true,
        };
        invite.lists(&Name::Require, TAG) || wanted && invite.lists(&Name::Supported, TAG)
    }

    /// A response to an INVITE, now or when it is its turn. True: it waits.
    pub(super) fn waits_for_prack(&mut self, key: DialogKey, wanted: &Wanted) -> bool {
        let Some(call) = self.calls.get_mut(&key) else { return false };
        let busy = call.said.out.is_some() || matches!(call.re, Some(Re::Theirs { .. })) && wanted.code >= 200;
        if wanted.code >= 300 || !busy {
            return false;
        }
        // Of what is only news the oldest goes; a 2xx is the last thing that is ever put here, and stays.
        if call.said.waiting.len() >= SIP_PROVISIONALS_MAX {
            call.said.waiting.pop_front();
        }
        call.said.waiting.push_back(wanted.clone());
        true
    }

    /// Marks a provisional response as reliable, if it is to be (RFC 3262 section 3).
    pub(super) fn make_reliable(&mut self, now: Now, key: DialogKey, invite: &Message, response: &mut Message) {
        let described = response.has_sdp();
        if !self.reliably(invite, described) {
            return;
        }
        let (first, t1) = (self.rng.below(1 << 30), self.timers.t1);
        let give_up = now.mono + self.timers.h();
        let Some(call) = self.calls.get_mut(&key) else { return };
        let said = &mut call.said;
        // Section 3: the first is drawn from 1 to 2^31-1; low enough here to count on from.
        said.rseq = if said.rseq == 0 { 1 + u32::try_from(first).unwrap_or(0) } else { said.rseq + 1 };
        let offer = described && !said.described && !invite.has_sdp();
        said.described |= described;
        said.out = Some(Unacked { n: 0, resend_at: now.mono + t1, give_up, offer });
        response.headers.push(Name::Require, TAG);
        response.headers.push(Name::RSeq, said.rseq);
        self.set_call_deadline(key);
    }

    /// The timer of an unacknowledged provisional response.
    pub(super) fn tick_provisional(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) {
        let t1 = self.timers.t1;
        let Some(call) = self.calls.get_mut(&key) else { return };
        let (State::Incoming { tx }, Some(u)) = (&call.state, &mut call.said.out) else { return };
        let tx = *tx;
        if u.give_up <= now.mono {
            self.counters.timeouts += 1;
            self.refuse(now, tx, 504, "", out);
            return self.ended(now, key, EndedBy::Timeout, None, out);
        }
        if u.resend_at <= now.mono {
            u.n += 1;
            u.resend_at = now.mono + t1.saturating_mul(2u32.saturating_pow(u.n.min(16)));
            self.feed_server(now, tx, ServerInput::Respond(Class::Provisional), out);
        }
    }

    /// A PRACK.
    pub(super) fn pracked(&mut self, now: Now, id: TxId, key: DialogKey, m: &Arc<Message>, out: &mut Vec<Output>) {
        let invite = match self.calls.get(&key).map(|c| &c.state) {
            Some(State::Incoming { tx }) => self.servers.get(tx).map(|s| s.request.clone()),
            _ => None,
        };
        let Some(invite) = invite else { return self.refuse(now, id, 481, "", out) };
        let Some(call) = self.calls.get_mut(&key) else { return };
        let number = invite.cseq().map_or(0, |c| c.number);
        let names = m.headers.get(&Name::RAck).and_then(|t| rack(&t));
        let Some(pending) = call.said.out.filter(|_| names == Some((call.said.rseq, number))) else {
            return self.refuse(now, id, 481, "", out);
        };
        if let Some(code) = Self::body_fault(m) {
            return self.refuse(now, id, code, "", out);
        }
        call.said.out = None;
        let body = body_of(m);
        match (pending.offer, body) {
            (true, body) => {
                self.ok(now, id, m, out);
                out.push(Output::Event(Event::Pracked { dialog: key, body }));
            }
            (false, None) => self.ok(now, id, m, out),
            // Ours has been said, so this is an offer, and the 200 to the PRACK is where its answer goes.
            (false, Some(body)) if call.said.described && call.re.is_none() => {
                call.re = Some(Re::Theirs { tx: id });
                out.push(Output::Event(Event::Reoffer { dialog: key, body: Some(body) }));
            }
            (false, Some(_)) => self.refuse(now, id, 488, "", out),
        }
        self.set_call_deadline(key);
        self.say_what_waited(now, key, out);
    }

    /// What had to wait for a PRACK, or for the answer to an offer, is said now.
    pub(super) fn say_what_waited(&mut self, now: Now, key: DialogKey, out: &mut Vec<Output>) {
        while let Some(call) = self.calls.get_mut(&key) {
            let Some(next) = call.said.waiting.front().cloned() else { return };
            if call.said.out.is_some() || matches!(call.re, Some(Re::Theirs { .. })) && next.code >= 200 {
                return;
            }
            call.said.waiting.pop_front();
            self.respond_invite(now, key, next, out);
        }
    }

    // ---- the caller's side ----

    /// A provisional response to our INVITE.
    pub(super) fn progress(&mut self, now: Now, id: TxId, key: DialogKey, m: &Message, out: &mut Vec<Output>) {
        let Some(code) = m.code().filter(|c| *c > 100) else { return };
        let Some(c) = self.clients.get(&id) else { return };
        let (request, flow) = (c.request.clone(), c.flow);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let State::Calling { sticky, .. } = call.state else { return };
        let offered = !request.body.is_empty();
        let tag = m.to_tag();
        let rseq = m.seconds(&Name::RSeq).filter(|_| m.lists(&Name::Require, TAG));
        let body = if m.has_sdp() { body_of(m) } else { None };
        let new = tag.is_some() && call.early_with(tag.as_deref()).is_none() && call.early.len() < FORKS_MAX;
        if new && let Ok(dialog) = Dialog::open(&request, m, flow, sticky) {
            call.early.push(Early { dialog, rseq: None, owed: None, settled: None, changed: false, updates: false });
        }
        let early = call.early_with(tag.as_deref());
        let (Some(early), Some(rseq)) = (early, rseq) else {
            // What is not reliable is a foretaste of the answer, and no offer (RFC 6337 section 2.2).
            let body = body.filter(|_| offered);
            return out.push(Output::Event(Event::Progress { dialog: key, code, body }));
        };
        // Section 4: in order. One that came before is not answered twice, the PRACK repeats itself; one ahead of its turn
        // comes again.
        if early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
            self.counters.stray += 1;
            return;
        }
        early.rseq = Some(rseq);
        early.updates |= m.lists(&Name::Allow, "UPDATE");
        early.dialog.refresh(m, flow);
        let number = request.cseq().map_or(1, |c| c.number);
        let first = early.settled.is_none();
        if body.is_some() && first {
            early.settled.clone_from(&body);
        }
        if body.is_some() && first && !offered {
            early.owed = Some((rseq, number));
        } else {
            self.prack(now, key, tag.as_deref(), (rseq, number), None, out);
        }
        // A second description would be one too many (RFC 3261 13.2.1).
        out.push(Output::Event(Event::Progress { dialog: key, code, body: body.filter(|_| first) }));
    }

    /// [`Action::Prack`](super::Action::Prack).
    pub(super) fn prack_answer(&mut self, now: Now, key: DialogKey, body: Body, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(early) = call.early.iter_mut().find(|e| e.owed.is_some()) else { return };
        let (Some(rack), tag) = (early.owed.take(), early.dialog.remote_tag()) else { return };
        self.prack(now, key, tag.as_deref(), rack, Some(body), out);
    }

    fn prack(
        &mut self,
        now: Now,
        key: DialogKey,
        tag: Option<&str>,
        (rseq, number): (u32, u32),
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let Some(dialog) = self.calls.get_mut(&key).and_then(|c| c.dialog_with(tag)) else { return };
        let (mut m, flow) = dialog.request(Method::Prack);
        m.headers.push(Name::RAck, format!("{rseq} {number} INVITE"));
        if let Some((kind, bytes)) = body {
            m.set_body(&kind, bytes);
        }
        self.send_inside(now, m, flow, key, Inside::Prack, out);
    }

    /// Our half of the bargain when an early dialog becomes the call: its sequence numbers go on from there, and what was
    /// agreed in it is the answer.
    pub(super) fn confirm_early(&mut self, key: DialogKey, m: &Message, dialog: &mut Dialog) -> Option<Option<Body>> {
        let tag = m.to_tag();
        let early = self.calls.get_mut(&key)?.early_with(tag.as_deref())?;
        dialog.local_seq = early.dialog.local_seq;
        dialog.remote_seq = early.dialog.remote_seq;
        // The route set is that of the 2xx; its Contact too, if it has one (13.2.2.4).
        if !m.headers.has(&Name::Contact) {
            dialog.remote_target = early.dialog.remote_target.clone();
        }
        let settled = early.settled.clone().filter(|_| early.owed.is_none())?;
        Some((!early.changed).then_some(settled))
    }

    /// 200 to a request inside a dialog.
    pub(super) fn ok(&mut self, now: Now, id: TxId, m: &Message, out: &mut Vec<Output>) {
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(m, 200, "", &s.tag);
        if m.method() != Some(&Method::Prack) {
            response.headers.push(Name::Allow, build::ALLOW);
        }
        self.respond(now, id, &response, out);
    }
}

/// `RAck: 776656 1 INVITE`.
fn rack(text: &str) -> Option<(u32, u32)> {
    let mut words = text.split_ascii_whitespace();
    let (rseq, number, method) = (words.next()?, words.next()?, words.next()?);
    (method == "INVITE" && words.next().is_none()).then_some(())?;
    Some((rseq.parse().ok()?, number.parse().ok()?))
}
