//! The caller's side: INVITE, its responses, CANCEL, and what becomes of 2xx that come twice, late or from a fork (13.2).

use std::{sync::Arc, time::Duration};

use super::{
    Body, DialogKey, EndedBy, Event, Output, Stack, Target,
    build::{body_of, reason_of},
    calls::{Call, Re, State},
    tx::{Purpose, TxId},
};
use crate::{
    base::{Now, limits::SIP_DIALOGS_MAX},
    sip::{
        auth::Credentials,
        dialog::{Dialog, request_uri},
        msg::{Headers, Message, Method, Name, NameAddr},
        transaction::Class,
        transport::Flow,
    },
};

impl Stack {
    /// [`Action::Invite`](super::Action::Invite).
    #[expect(clippy::too_many_arguments, reason = "the fields of one action")]
    pub(super) fn invite(
        &mut self,
        now: Now,
        key: DialogKey,
        to: Target,
        from: NameAddr,
        headers: Headers,
        body: Option<Body>,
        credentials: Option<Credentials>,
        out: &mut Vec<Output>,
    ) {
        if self.calls.len() >= SIP_DIALOGS_MAX {
            self.counters.overload += 1;
            return Self::refused(key, 503, "", out);
        }
        let (local_tag, call_id) = (self.rng.hex(8), self.rng.hex(16));
        let mut m = Message::request(Method::Invite, request_uri(&to.uri));
        to.routes.iter().for_each(|r| m.headers.push(Name::Route, r));
        m.headers.push(Name::MaxForwards, 70);
        m.headers.push(Name::From, from.clone().with_tag(&local_tag));
        m.headers.push(Name::To, NameAddr::new(to.to.clone().unwrap_or_else(|| request_uri(&to.uri))));
        m.headers.push(Name::CallId, &call_id);
        m.headers.push(Name::CSeq, "1 INVITE");
        self.finish_invite(&mut m, Some(&from.uri.user()), &to.flow, &headers, body.as_ref());
        // RFC 5630 3.1: a call to `sips:` is not made where somebody can read along.
        if m.uri().and_then(crate::sip::msg::Uri::sip).is_some_and(|u| u.secure) && !to.flow.transport.is_secure() {
            return Self::refused(key, 416, "", out);
        }
        super::asking::one_user_agent(&mut m, &headers);
        self.session_in_request(None, &mut m.headers);
        let (flow, next) = self.ways(&m, &to);
        let tx = self.send_request(now, m, flow, Purpose::Invite(key), out);
        let state = State::Calling { tx, sticky: to.sticky, answered: None, next, elsewhere: to.elsewhere, heard: false };
        let mut call = Call::new(state, None, local_tag, call_id);
        call.credentials = credentials;
        call.ours = body;
        self.add_call(key, call);
        self.hurry(now, key);
    }

    /// [`Action::Cancel`](super::Action::Cancel).
    pub(super) fn cancel(&mut self, now: Now, key: DialogKey, headers: Headers, out: &mut Vec<Output>) {
        let tx = match self.calls.get(&key) {
            Some(Call { state: State::Calling { tx, .. }, .. }) => *tx,
            // Too late: it was answered in the meantime.
            Some(_) => return self.hang_up(now, key, headers, out),
            None => return,
        };
        self.ended(now, key, EndedBy::Local, None, out);
        self.give_up(now, tx, headers, out);
    }

    /// Nobody wants this INVITE any more.
    pub(super) fn give_up(&mut self, now: Now, tx: TxId, headers: Headers, out: &mut Vec<Output>) {
        if let Some(c) = self.clients.get_mut(&tx) {
            c.cancel = Some(headers);
        }
        self.try_cancel(now, tx, out);
    }

    /// A response to a request of ours, new to its transaction.
    pub(super) fn response(&mut self, now: Now, id: TxId, m: &Arc<Message>, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get(&id) else { return };
        let (purpose, code) = (c.purpose.clone(), m.code().unwrap_or(0));
        match purpose {
            Purpose::Invite(key) => match Class::of(code) {
                Class::Provisional => {
                    self.somebody_is_there(key);
                    self.progress(now, id, key, m, out);
                }
                Class::Success => self.answered(now, id, key, m, out),
                Class::Refusal => self.turned_down(now, id, key, code, m, out),
            },
            Purpose::Reinvite(key) => self.re_response(now, id, key, code, m, out),
            Purpose::Inside { key, what, tried } => self.inside_response(now, id, key, (what, tried), m, out),
            Purpose::Bye(Some(retry)) if matches!(code, 401 | 407) => self.bye_again(now, id, *retry, m, out),
            Purpose::Ask(key) => Self::told(key, m, out),
            Purpose::Watch(key, n) => self.notify_answered(now, key, n, m, out),
            Purpose::Bye(_) | Purpose::Quiet => {}
        }
    }

    /// No response came: `code` says why (8.1.3.1).
    pub(super) fn no_response(&mut self, now: Now, id: TxId, code: u16, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get(&id) else { return };
        match c.purpose {
            Purpose::Invite(key) if self.is_calling(key, id) => {
                if self.try_next(now, id, key, false, out) {
                    return;
                }
                self.drop_call(now, key, out);
                Self::refused(key, code, "", out);
            }
            // 12.2.1.2: a peer that does not answer inside the dialog is not there any more.
            Purpose::Reinvite(key) if matches!(self.calls.get(&key), Some(Call { re: Some(Re::Ours { .. }), .. })) => {
                self.end_with_bye(now, key, EndedBy::Timeout, out);
            }
            Purpose::Inside { key, what, .. } => self.inside_unanswered(now, key, what, out),
            Purpose::Ask(ask) => out.push(Output::Event(Event::Told { ask, code, answer: None })),
            Purpose::Watch(key, n) => {
                self.feed_watch(now, key, crate::sip::event::subscription::Input::Unanswered(n), out);
            }
            _ => {}
        }
    }

    fn refused(key: DialogKey, code: u16, reason: &str, out: &mut Vec<Output>) {
        let contacts = Vec::new();
        let reason = if reason.is_empty() { crate::sip::msg::reason_phrase(code) } else { reason }.to_owned();
        out.push(Output::Event(Event::Refused { dialog: key, code, reason, retry_after: None, reason_header: None, contacts }));
    }

    fn is_calling(&self, key: DialogKey, id: TxId) -> bool {
        matches!(self.calls.get(&key), Some(Call { state: State::Calling { tx, .. }, .. }) if *tx == id)
    }

    fn answered(&mut self, now: Now, id: TxId, key: DialogKey, m: &Arc<Message>, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get(&id) else { return };
        let tag = m.to_tag();
        if let Some((_, bytes, flow)) = c.acks.iter().find(|(t, ..)| *t == tag) {
            // The ACK was lost, or the 2xx overtook itself.
            self.counters.resent += 1;
            return out.push(Output::Send { flow: *flow, bytes: bytes.clone() });
        }
        let (request, flow) = (c.request.clone(), c.flow);
        let winner = self.is_calling(key, id);
        let call = self.calls.get(&key);
        let sticky = matches!(call, Some(Call { state: State::Calling { sticky: true, .. }, .. }));
        let same_fork = call.and_then(|c| c.dialog.as_ref()).is_some_and(|d| d.remote_tag() == tag);
        let Ok(mut dialog) = Dialog::open(&request, m, flow, sticky || call.is_none()) else { return };
        let seq = dialog.local_seq;
        dialog.local_seq = seq.max(c.last_seq);
        let credentials = call.and_then(|c| c.credentials.clone());
        if !winner {
            // The winner's 2xx repeated while its offer still waits for our answer.
            if same_fork {
                return;
            }
            // Somebody else answered too, or we gave up a moment before (13.2.2.4, 9.1): acknowledge, then hang up.
            let (ack, flow) = Self::ack_with(&dialog, seq, &request);
            self.send_ack(id, tag, ack, flow, out);
            let headers = self.clients.get(&id).and_then(|c| c.cancel.clone()).unwrap_or_default();
            return self.send_bye(now, Some(dialog), credentials, &headers, out);
        }
        let early = self.confirm_early(key, m, &mut dialog);
        let offered = !request.body.is_empty();
        let settled = offered || early.is_some();
        if settled {
            let (ack, flow) = Self::ack_with(&dialog, seq, &request);
            self.send_ack(id, tag, ack, flow, out);
        }
        if let Some(call) = self.calls.get_mut(&key) {
            call.dialog = Some(dialog);
            call.early.clear();
            call.state = if settled { State::Confirmed } else { State::AwaitAck { tx: id, seq } };
        }
        // What came reliably before is the answer, whatever the 2xx may say again (RFC 3261 13.2.1).
        let body = match early {
            Some(said) => said.filter(|_| offered),
            None => body_of(m),
        };
        self.session_answered(now, key, m);
        out.push(Output::Event(Event::Answered { dialog: key, body, response: m.clone() }));
    }

    /// An ACK carries the credentials of its INVITE (22.1).
    pub(super) fn ack_with(dialog: &Dialog, seq: u32, invite: &Message) -> (Message, crate::sip::transport::Flow) {
        let (mut ack, flow) = dialog.ack(seq);
        ack.headers.copy(&Name::Authorization, &invite.headers);
        ack.headers.copy(&Name::ProxyAuthorization, &invite.headers);
        (ack, flow)
    }

    /// [`Action::Ack`](super::Action::Ack).
    pub(super) fn late_ack(&mut self, key: DialogKey, body: Option<Body>, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let (State::AwaitAck { tx, seq }, Some(dialog)) = (&call.state, &call.dialog) else { return };
        let (tx, seq, tag) = (*tx, *seq, dialog.remote_tag());
        call.ours.clone_from(&body);
        let (mut ack, flow) = match self.clients.get(&tx) {
            Some(c) => Self::ack_with(dialog, seq, &c.request),
            None => dialog.ack(seq),
        };
        if let Some((kind, bytes)) = &body {
            ack.set_body(kind, bytes.clone());
        }
        call.state = State::Confirmed;
        self.send_ack(tx, tag, ack, flow, out);
    }

    fn turned_down(&mut self, now: Now, id: TxId, key: DialogKey, code: u16, m: &Message, out: &mut Vec<Output>) {
        if !self.is_calling(key, id)
            || (matches!(code, 401 | 407) && self.invite_again(now, id, key, m, out))
            || (code == 422 && self.invite_longer(now, id, key, m, out))
        {
            return;
        }
        if code == 430 {
            self.flow_gone(now, id, out);
        }
        if matches!(code, 430 | 503) && self.try_next(now, id, key, true, out) {
            return;
        }
        self.drop_call(now, key, out);
        out.push(Output::Event(Event::Refused {
            dialog: key,
            code,
            reason: m.reason().unwrap_or_default().to_owned(),
            retry_after: m.seconds(&Name::RetryAfter).map(|s| Duration::from_secs(u64::from(s))),
            reason_header: reason_of(m),
            contacts: if (300..400).contains(&code) { elsewhere(m) } else { Vec::new() },
        }));
    }

    /// 430: the proxy in front of a phone has lost it (RFC 5626 11.5).
    fn flow_gone(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get(&id) else { return };
        let (Some(uri), flow) = (c.request.uri(), c.flow) else { return };
        let changes = self.registrar.flow_failed(uri, &flow);
        self.tell_reach(now, changes, out);
    }

    /// Answers a challenge to an INVITE with the credentials given for this call; false when they are not for this realm, or
    /// were refused already.
    fn invite_again(&mut self, now: Now, id: TxId, key: DialogKey, m: &Message, out: &mut Vec<Output>) -> bool {
        let Some(c) = self.clients.get(&id) else { return false };
        let (request, flow) = (c.request.clone(), c.flow);
        let Some(call) = self.calls.get(&key) else { return false };
        let State::Calling { answered, .. } = &call.state else { return false };
        let answered = answered.clone();
        let Some(credentials) = call.credentials.clone() else { return false };
        let Some((mut again, nonce)) = self.with_credentials(&request, &flow, m, &credentials, answered.as_deref()) else {
            return false;
        };
        let number = request.cseq().map_or(1, |c| c.number) + 1;
        again.headers.set(Name::CSeq, format!("{number} INVITE"));
        let tx = self.send_request(now, again, flow, Purpose::Invite(key), out);
        if let Some(State::Calling { tx: now, answered, .. }) = self.calls.get_mut(&key).map(|c| &mut c.state) {
            (*now, *answered) = (tx, Some(nonce));
        }
        true
    }

    /// Calls again with the longer session timer a 422 asks for (RFC 4028 7.3); false when it said none, or asks too often.
    fn invite_longer(&mut self, now: Now, id: TxId, key: DialogKey, m: &Message, out: &mut Vec<Output>) -> bool {
        if !self.session_raised(key, m) {
            return false;
        }
        let Some(c) = self.clients.get(&id) else { return false };
        let (mut again, flow) = ((*c.request).clone(), c.flow);
        again.headers.remove_first(&Name::Via);
        again.headers.remove(&Name::SessionExpires);
        again.headers.remove(&Name::MinSe);
        self.session_in_request(self.calls.get(&key), &mut again.headers);
        let number = again.cseq().map_or(1, |c| c.number) + 1;
        again.headers.set(Name::CSeq, format!("{number} INVITE"));
        let new = self.send_request(now, again, flow, Purpose::Invite(key), out);
        if let Some(Call { state: State::Calling { tx, .. }, .. }) = self.calls.get_mut(&key) {
            *tx = new;
        }
        true
    }

    /// `request` once more with an answer to the challenge in `response`, without its Via; and the nonce answered.
    pub(super) fn with_credentials(
        &mut self,
        request: &Message,
        flow: &Flow,
        response: &Message,
        credentials: &Credentials,
        answered: Option<&str>,
    ) -> Option<(Message, String)> {
        if !credentials.are_for(flow.remote.ip()) {
            return None;
        }
        let (ask, tell) = match response.code()? {
            401 => (Name::WwwAuthenticate, Name::Authorization),
            _ => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        };
        let challenges: Vec<String> = response.headers.all(&ask).map(|c| c.into_owned()).collect();
        let method = request.method()?.as_str().to_owned();
        let uri = request.uri()?.to_string();
        let answer = credentials.answer(&mut self.rng, &method, &uri, challenges.iter().map(String::as_str), answered)?;
        let mut again = request.clone();
        again.headers.remove_first(&Name::Via);
        again.headers.set(tell, answer.value);
        Some((again, answer.nonce))
    }

    fn bye_again(&mut self, now: Now, id: TxId, retry: (Dialog, Credentials), m: &Message, out: &mut Vec<Output>) {
        let Some(c) = self.clients.get(&id) else { return };
        let (request, flow) = (c.request.clone(), c.flow);
        let (mut dialog, credentials) = retry;
        let Some((mut again, _)) = self.with_credentials(&request, &flow, m, &credentials, None) else { return };
        let (numbered, _) = dialog.request(Method::Bye);
        again.headers.set(Name::CSeq, numbered.headers.get(&Name::CSeq).unwrap_or_default());
        self.send_request(now, again, flow, Purpose::Bye(None), out);
    }
}

/// The contacts of a 3xx, preferred first (RFC 3261 8.1.3.4). What cannot be read is nowhere.
fn elsewhere(m: &Message) -> Vec<crate::sip::msg::Uri> {
    let Ok(crate::sip::msg::Contacts::List(mut list)) = m.contacts() else { return Vec::new() };
    let q = |c: &NameAddr| c.params.get("q").and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
    list.sort_by(|a, b| q(b).total_cmp(&q(a)));
    list.into_iter().map(|c| c.uri).collect()
}
