//! Requests inside dialogs (12.2.2): re-INVITE and UPDATE, BYE, INFO, OPTIONS.

use std::sync::Arc;

use super::{
    Body, DialogKey, EndedBy, Event, Output, Stack,
    build::{body_of, reason_of},
    calls::{Call, Re, State},
    tx::TxId,
};
use crate::{
    base::Now,
    sip::{
        msg::{Headers, Message, Method, Name},
        transport::Source,
    },
};

impl Stack {
    pub(super) fn mid_call(&mut self, now: Now, id: TxId, m: &Arc<Message>, source: Source, out: &mut Vec<Output>) {
        // Methods nobody knows are said to be unknown, in a dialog or not.
        if let Some(Method::Other(_)) | None = m.method() {
            return self.refuse(now, id, 501, "", out);
        }
        if m.method() == Some(&Method::Subscribe) {
            return self.resubscribe(now, id, m, source, out);
        }
        let Some(key) = self.call_of(m) else { return self.refuse(now, id, 481, "", out) };
        let Ok(cseq) = m.cseq() else { return self.refuse(now, id, 400, "", out) };
        let Some(call) = self.calls.get_mut(&key) else { return };
        // Before a caller has heard of this phone: what it wants has to wait.
        let from = m.from_tag();
        let Some(dialog) = call.dialog_with(from.as_deref()) else { return self.busy_inside(now, id, out) };
        if !dialog.take_seq(cseq.number) {
            return self.refuse(now, id, 500, "CSeq Out Of Order", out);
        }
        if !self.extensions(now, id, m, out) {
            return;
        }
        match m.method() {
            Some(Method::Invite) => self.re_invited(now, id, key, m, source, out),
            Some(Method::Update) => self.updated(now, id, key, m, source, out),
            Some(Method::Bye) => self.bye_received(now, id, key, m, out),
            Some(Method::Refer) => self.referred(now, id, key, m, out),
            Some(Method::Notify) => self.notified(now, id, key, m, out),
            Some(Method::Prack) => self.pracked(now, id, key, m, out),
            Some(Method::Info) => self.info_received(now, id, key, m, out),
            Some(Method::Options) => self.ok(now, id, m, out),
            _ => self.refuse(now, id, 405, "", out),
        }
    }

    /// 14.2. Of two offers that cross, both are refused and tried again after a random wait.
    fn re_invited(&mut self, now: Now, id: TxId, key: DialogKey, m: &Arc<Message>, source: Source, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get(&key) else { return };
        match (&call.state, &call.re) {
            (State::Confirmed, None | Some(Re::Later { .. })) if call.bye.is_none() => {}
            (_, Some(Re::Ours { .. })) => return self.refuse(now, id, 491, "", out),
            _ => return self.busy_inside(now, id, out),
        }
        if let Some(code) = Self::body_fault(m) {
            return self.refuse(now, id, code, "", out);
        }
        if self.session_too_short(now, id, m, out) {
            return;
        }
        if let Some(s) = self.servers.get_mut(&id) {
            s.call = Some(key);
        }
        let trying = self.reply(m, 100, "", "");
        self.respond(now, id, &trying, out);
        self.reoffered(id, key, m, source, out);
    }

    /// RFC 3311. Without a body it only moves the Contact (or keeps a session alive).
    fn updated(&mut self, now: Now, id: TxId, key: DialogKey, m: &Arc<Message>, source: Source, out: &mut Vec<Output>) {
        if self.session_too_short(now, id, m, out) {
            return;
        }
        let from = m.from_tag();
        let Some(call) = self.calls.get_mut(&key) else { return };
        if m.session() == Ok(None) {
            if let Some(d) = call.dialog_with(from.as_deref()) {
                d.refresh(m, source);
            }
            let confirmed = matches!(call.state, State::Confirmed | State::Answering(_));
            let user = call.dialog.as_ref().map(|d| d.local.uri.user().into_owned());
            let Some(s) = self.servers.get(&id) else { return };
            let mut response = self.reply(m, 200, "", &s.tag);
            self.finish_invite(&mut response, user.as_deref(), &source, &Headers::new(), None);
            response.headers.remove(&Name::UserAgent);
            if confirmed {
                self.session_in_answer(now, key, m, &mut response);
            }
            return self.respond(now, id, &response, out);
        }
        // RFC 3311 5.2: an offer while ours has no answer is refused with 491, one while theirs has none with 500.
        let free = matches!(call.re, None | Some(Re::Later { .. })) && call.bye.is_none();
        let ringing = matches!(call.state, State::Calling { .. });
        let settled = call.early_with(from.as_deref()).is_some_and(|e| e.settled.is_some() && !e.owes());
        match (&call.state, &call.re) {
            (_, Some(Re::Ours { .. })) => return self.refuse(now, id, 491, "", out),
            (State::Confirmed, _) if free => {}
            (State::Incoming { .. }, _) if free && call.said.settled() => {}
            (State::Incoming { .. }, _) if call.said.pending() => return self.refuse(now, id, 491, "", out),
            _ if ringing && free && settled => {}
            _ if ringing && !settled => return self.refuse(now, id, 491, "", out),
            _ => return self.busy_inside(now, id, out),
        }
        if let Some(code) = Self::body_fault(m) {
            return self.refuse(now, id, code, "", out);
        }
        self.reoffered(id, key, m, source, out);
    }

    fn reoffered(&mut self, id: TxId, key: DialogKey, m: &Arc<Message>, source: Source, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let Some(Re::Later { .. }) = call.re {
            // Ours was waiting for a second try; theirs comes first, and what we wanted is stale now.
            out.push(Output::Event(Event::ReRefused { dialog: key, code: 491 }));
        }
        let from = m.from_tag();
        if let Some(early) = call.early_with(from.as_deref()) {
            early.changed = true;
        }
        if let Some(d) = call.dialog_with(from.as_deref()) {
            d.refresh(m, source);
        }
        call.re = Some(Re::Theirs { tx: id });
        self.set_call_deadline(key);
        out.push(Output::Event(Event::Reoffer { dialog: key, body: body_of(m) }));
    }

    /// 14.2: an INVITE while an earlier one has no answer.
    pub(super) fn busy_inside(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let wait = self.rng.below(11);
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(&s.request, 500, "", &s.tag);
        response.headers.push(Name::RetryAfter, wait);
        self.respond(now, id, &response, out);
    }

    /// [`Action::RespondReinvite`](super::Action::RespondReinvite).
    pub(super) fn respond_reinvite(&mut self, now: Now, key: DialogKey, code: u16, body: Option<Body>, out: &mut Vec<Output>) {
        let Some(Call { re: Some(Re::Theirs { tx }), ours, state, .. }) = self.calls.get_mut(&key) else { return };
        let (tx, confirmed) = (*tx, matches!(state, State::Confirmed));
        if (200..300).contains(&code) && body.is_some() {
            ours.clone_from(&body);
        }
        let Some(s) = self.servers.get(&tx) else { return };
        let (request, source) = (s.request.clone(), s.source);
        let mut response = self.reply(&request, code, "", &s.tag.clone());
        let accepted = (200..300).contains(&code);
        if accepted {
            let user = request.uri().map(|u| u.user().into_owned());
            self.finish_invite(&mut response, user.as_deref(), &source, &Headers::new(), body.as_ref());
            response.headers.remove(&Name::UserAgent);
            if confirmed {
                self.session_in_answer(now, key, &request, &mut response);
            }
        }
        self.respond(now, tx, &response, out);
        let wants_ack = accepted && request.method() == Some(&Method::Invite);
        let re = wants_ack.then(|| Re::Accepted(self.accepted(now, tx, request.cseq().map_or(0, |c| c.number))));
        if let Some(call) = self.calls.get_mut(&key) {
            call.re = re;
        }
        self.set_call_deadline(key);
        self.say_what_waited(now, key, out);
    }

    /// 15.1.2. What else is open in the dialog is closed with it.
    fn bye_received(&mut self, now: Now, id: TxId, key: DialogKey, m: &Message, out: &mut Vec<Output>) {
        self.ok(now, id, m, out);
        let Some(call) = self.calls.get_mut(&key) else { return };
        match call.state {
            State::Incoming { tx } => self.refuse(now, tx, 487, "", out),
            // A phone that answered, was never acknowledged (its 2xx were lost) and gives up, or one that does not know that
            // a phone that rings refuses. The others of a fork ring on.
            State::Calling { tx, .. } => {
                let from = m.from_tag();
                call.early.retain(|e| e.dialog.remote_tag() != from);
                if !call.early.is_empty() {
                    return;
                }
                self.ended(now, key, EndedBy::Remote, reason_of(m), out);
                return self.give_up(now, tx, Headers::new(), out);
            }
            _ => {}
        }
        self.ended(now, key, EndedBy::Remote, reason_of(m), out);
    }

    fn info_received(&mut self, now: Now, id: TxId, key: DialogKey, m: &Message, out: &mut Vec<Output>) {
        if m.body.is_empty() {
            return self.ok(now, id, m, out);
        }
        let text = String::from_utf8_lossy(&m.body);
        let signal = match m.content_type().as_deref() {
            Some("application/dtmf-relay") => text.lines().find_map(|l| {
                let (name, value) = l.split_once('=')?;
                name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().to_owned())
            }),
            Some("application/dtmf") => Some(text.trim().to_owned()),
            _ => {
                let Some(s) = self.servers.get(&id) else { return };
                let mut response = self.reply(m, 415, "", &s.tag);
                response.headers.set(Name::Accept, "application/dtmf-relay, application/dtmf");
                return self.respond(now, id, &response, out);
            }
        };
        self.ok(now, id, m, out);
        let digit = signal.as_deref().and_then(|s| match s {
            "10" => Some('*'),
            "11" => Some('#'),
            one => one.chars().next().filter(|_| one.chars().count() == 1).map(|c| c.to_ascii_uppercase()),
        });
        if let Some(digit) = digit.filter(|d| self.has_news(key) && matches!(d, '0'..='9' | '*' | '#' | 'A'..='D')) {
            out.push(Output::Event(Event::InfoDtmf { dialog: key, digit }));
        }
    }
}
