//! What we ask inside a dialog: other media by re-INVITE (14.1) or UPDATE (RFC 3311), digits by INFO; and what comes back.

use std::sync::Arc;

use super::{
    Body, DialogKey, EndedBy, Event, Output, Stack,
    build::{self, body_of},
    calls::{Call, Re, State},
    tx::{Inside, Purpose, TxId},
};
use crate::{
    base::Now,
    sip::{
        msg::{Headers, Message, Method, Name},
        transaction::Class,
        transport::Flow,
    },
};

impl Stack {
    /// Sends a request inside a dialog; what becomes of it is [`Stack::inside_response`].
    pub(super) fn send_inside(
        &mut self,
        now: Now,
        m: Message,
        flow: Flow,
        key: DialogKey,
        what: Inside,
        out: &mut Vec<Output>,
    ) {
        let number = m.cseq().map_or(0, |c| c.number);
        if let Some(Call { state: State::Calling { tx, .. }, .. }) = self.calls.get(&key)
            && let Some(c) = self.clients.get_mut(tx)
        {
            c.last_seq = c.last_seq.max(number);
        }
        self.send_request(now, m, flow, Purpose::Inside { key, what, tried: false }, out);
    }

    pub(super) fn inside_response(
        &mut self,
        now: Now,
        id: TxId,
        key: DialogKey,
        (what, tried): (Inside, bool),
        m: &Arc<Message>,
        out: &mut Vec<Output>,
    ) {
        let code = m.code().unwrap_or(0);
        if code < 200 || !tried && matches!(code, 401 | 407) && self.inside_again(now, id, key, what, m, out) {
            return;
        }
        match what {
            Inside::Prack | Inside::Notify => {}
            Inside::Refer => self.refer_answered(key, code, Some(m), out),
            Inside::Refresh => self.refreshed(now, key, code, m, out),
            Inside::Update => self.update_response(now, id, key, code, m, out),
            Inside::Info if self.has_news(key) => out.push(Output::Event(Event::InfoSent { dialog: key, taken: code < 300 })),
            Inside::Info => {}
        }
    }

    /// Nobody answered.
    pub(super) fn inside_unanswered(&mut self, now: Now, key: DialogKey, what: Inside, out: &mut Vec<Output>) {
        let news = self.has_news(key);
        let Some(call) = self.calls.get_mut(&key) else { return };
        let confirmed = matches!(call.state, State::Confirmed);
        match what {
            // The callee will give up by itself, or the person who waits.
            Inside::Prack | Inside::Notify => {}
            Inside::Refer => self.refer_answered(key, 408, None, out),
            Inside::Refresh | Inside::Update if confirmed => self.end_with_bye(now, key, EndedBy::Timeout, out),
            Inside::Update if matches!(call.re, Some(Re::Ours { .. })) => {
                call.re = None;
                out.push(Output::Event(Event::ReRefused { dialog: key, code: 408 }));
            }
            Inside::Refresh | Inside::Update => {}
            Inside::Info if news => out.push(Output::Event(Event::InfoSent { dialog: key, taken: false })),
            Inside::Info => {}
        }
    }

    /// Answers a challenge to a request inside a dialog, once.
    fn inside_again(
        &mut self,
        now: Now,
        id: TxId,
        key: DialogKey,
        what: Inside,
        m: &Arc<Message>,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(c) = self.clients.get(&id) else { return false };
        let (request, flow) = (c.request.clone(), c.flow);
        let Some(credentials) = self.calls.get(&key).and_then(|c| c.credentials.clone()) else { return false };
        let Some((mut again, _)) = self.with_credentials(&request, &flow, m, &credentials, None) else { return false };
        let tag = request.to_tag();
        let Some(dialog) = self.calls.get_mut(&key).and_then(|c| c.dialog_with(tag.as_deref())) else { return false };
        let method = request.method().cloned().unwrap_or(Method::Options);
        again.headers.set(Name::CSeq, dialog.request(method).0.headers.get(&Name::CSeq).unwrap_or_default());
        self.send_request(now, again, flow, Purpose::Inside { key, what, tried: true }, out);
        true
    }

    /// [`Action::Reinvite`](super::Action::Reinvite). While another one is under way it waits, the newest offer only.
    pub(super) fn reinvite(&mut self, now: Now, key: DialogKey, body: Body, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key).filter(|c| c.bye.is_none()) else { return };
        let free = matches!(call.re, None | Some(Re::Later { .. }));
        let early = |e: &&mut super::reliable::Early| e.settled.is_some() && !e.owes() && e.updates;
        let (method, dialog) = match call.state {
            State::Confirmed if free => (Method::Invite, call.dialog.as_mut()),
            State::Incoming { .. } if free && call.said.settled() && call.sessions.updates => {
                (Method::Update, call.dialog.as_mut())
            }
            State::Calling { .. } if free => {
                let one = call.early.iter_mut().rev().find(early);
                (
                    Method::Update,
                    one.map(|e| {
                        e.changed = true;
                        &mut e.dialog
                    }),
                )
            }
            _ => (Method::Update, None),
        };
        let Some(dialog) = dialog else {
            return out.push(Output::Event(Event::ReRefused { dialog: key, code: 491 }));
        };
        let invite = method == Method::Invite;
        let (mut m, flow) = dialog.request(method);
        let user = dialog.local.uri.user().into_owned();
        call.re = Some(Re::Ours { body: body.clone(), answered: None });
        call.ours = Some(body.clone());
        self.finish_invite(&mut m, Some(&user), &flow, &Headers::new(), Some(&body));
        if invite {
            self.session_in_request(self.calls.get(&key), &mut m.headers);
            self.send_request(now, m, flow, Purpose::Reinvite(key), out);
        } else {
            self.send_inside(now, m, flow, key, Inside::Update, out);
        }
        self.set_call_deadline(key);
    }

    /// Our offer met theirs: it waits (14.1).
    fn offer_again_later(&mut self, now: Now, key: DialogKey) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let caller = call.dialog.as_ref().is_none_or(|d| d.caller);
        let Some(Re::Ours { body, .. }) = call.re.take() else { return };
        let at = now.mono + self.glare_wait(caller);
        if let Some(call) = self.calls.get_mut(&key) {
            call.re = Some(Re::Later { at, body });
        }
        self.set_call_deadline(key);
    }

    fn update_response(&mut self, now: Now, id: TxId, key: DialogKey, code: u16, m: &Arc<Message>, out: &mut Vec<Output>) {
        let Some(flow) = self.clients.get(&id).map(|c| c.flow) else { return };
        let Some(call) = self.calls.get_mut(&key).filter(|c| matches!(c.re, Some(Re::Ours { .. }))) else { return };
        let early = !matches!(call.state, State::Confirmed);
        match code {
            200..300 => {
                if let Some(dialog) = call.dialog_with(m.to_tag().as_deref()) {
                    dialog.refresh(m, flow);
                }
                call.re = None;
                if !early {
                    self.session_answered(now, key, m);
                }
                out.push(Output::Event(Event::ReAnswered { dialog: key, body: body_of(m) }));
            }
            491 => self.offer_again_later(now, key),
            408 if !early => self.end_with_bye(now, key, EndedBy::Timeout, out),
            481 if !early => self.ended(now, key, EndedBy::Remote, None, out),
            _ => {
                call.re = None;
                out.push(Output::Event(Event::ReRefused { dialog: key, code }));
            }
        }
    }

    pub(super) fn re_response(
        &mut self,
        now: Now,
        id: TxId,
        key: DialogKey,
        code: u16,
        m: &Arc<Message>,
        out: &mut Vec<Output>,
    ) {
        let Some(c) = self.clients.get(&id) else { return };
        let (request, flow) = (c.request.clone(), c.flow);
        if let Some((_, bytes, flow)) = c.acks.first() {
            self.counters.resent += 1;
            return out.push(Output::Send { flow: *flow, bytes: bytes.clone() });
        }
        let seq = request.cseq().map_or(0, |c| c.number);
        let call = self.calls.get_mut(&key).filter(|c| matches!(c.re, Some(Re::Ours { .. })));
        let live = call.and_then(|c| Some((c.dialog.as_mut()?, &mut c.re)));
        let Some((dialog, re)) = live else {
            // The call ended while this was under way; a 2xx still wants its ACK.
            if Class::of(code) == Class::Success {
                let ack = build::ack_after_the_end(&request, m);
                self.send_ack(id, m.to_tag(), ack, flow, out);
            }
            return;
        };
        match code {
            100..200 => {}
            200..300 => {
                dialog.refresh(m, flow);
                *re = None;
                let (ack, flow) = Self::ack_with(dialog, seq, &request);
                self.send_ack(id, m.to_tag(), ack, flow, out);
                self.session_answered(now, key, m);
                out.push(Output::Event(Event::ReAnswered { dialog: key, body: body_of(m) }));
            }
            491 => self.offer_again_later(now, key),
            401 | 407 if self.reinvite_again(now, id, key, m, out) => {}
            422 if self.session_raised(key, m) => {
                if let Some(Re::Ours { body, .. }) = self.calls.get_mut(&key).and_then(|c| c.re.take()) {
                    self.reinvite(now, key, body, out);
                }
            }
            // 12.2.1.2: the other side does not know the call, or is gone.
            408 => self.end_with_bye(now, key, EndedBy::Timeout, out),
            481 => self.ended(now, key, EndedBy::Remote, None, out),
            _ => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.re = None;
                }
                out.push(Output::Event(Event::ReRefused { dialog: key, code }));
            }
        }
    }

    /// Answers a challenge to a re-INVITE; false when that is not possible, or was tried.
    fn reinvite_again(&mut self, now: Now, id: TxId, key: DialogKey, m: &Message, out: &mut Vec<Output>) -> bool {
        let Some(c) = self.clients.get(&id) else { return false };
        let (request, flow) = (c.request.clone(), c.flow);
        let Some(Call { re: Some(Re::Ours { answered, .. }), credentials: Some(credentials), .. }) = self.calls.get(&key)
        else {
            return false;
        };
        let (credentials, answered) = (credentials.clone(), answered.clone());
        let Some((mut again, nonce)) = self.with_credentials(&request, &flow, m, &credentials, answered.as_deref()) else {
            return false;
        };
        let Some(Call { re: Some(Re::Ours { answered, .. }), dialog: Some(dialog), .. }) = self.calls.get_mut(&key) else {
            return false;
        };
        *answered = Some(nonce);
        let next = dialog.request(Method::Invite).0;
        again.headers.set(Name::CSeq, next.headers.get(&Name::CSeq).unwrap_or_default());
        self.send_request(now, again, flow, Purpose::Reinvite(key), out);
        true
    }

    /// [`Action::Info`](super::Action::Info).
    pub(super) fn info(&mut self, now: Now, key: DialogKey, body: Body, out: &mut Vec<Output>) {
        let Some(Call { state: State::Confirmed, dialog: Some(dialog), .. }) = self.calls.get_mut(&key) else {
            return out.push(Output::Event(Event::InfoSent { dialog: key, taken: false }));
        };
        let (mut m, flow) = dialog.request(Method::Info);
        m.set_body(&body.0, body.1);
        self.send_inside(now, m, flow, key, Inside::Info, out);
    }
}
