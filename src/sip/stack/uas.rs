//! Requests outside dialogs (section 8.2), and the callee's side of an INVITE (13.3).

use std::sync::Arc;

use super::{
    DialogKey, EndedBy, Event, Output, Stack,
    build::{self, ACCEPT, ALLOW, add_all},
    calls::{Call, Re, State},
    identity::Caller,
    reliable::Wanted,
    tx::{Server, TxId},
};
use crate::{
    base::{Now, limits::SIP_DIALOGS_MAX},
    sip::{
        dialog::Dialog,
        msg::{ACCEPTED, Message, Method, Name},
        transport::Source,
    },
};

/// What the answer to an OPTIONS may be of the question by datagram, when nobody knows who asks: of the question with what was
/// noted in its Via, so of what came it is one and a half times at most.
const OPTIONS_GROWTH_PERCENT: usize = 120;

impl Stack {
    /// Refuses a request.
    pub(super) fn refuse(&mut self, now: Now, id: TxId, code: u16, reason: &str, out: &mut Vec<Output>) {
        if let Some(s) = self.servers.get(&id) {
            let response = self.reply(&s.request, code, reason, &s.tag);
            self.respond(now, id, &response, out);
        }
    }

    /// 8.2, in its order: method, extensions, body; then the method's own.
    pub(super) fn out_of_dialog(&mut self, now: Now, id: TxId, m: &Arc<Message>, source: Source, out: &mut Vec<Output>) {
        match m.method() {
            Some(Method::Invite | Method::Options | Method::Register | Method::Subscribe | Method::Message) => {}
            // A BYE, INFO, UPDATE, PRACK or NOTIFY without To tag belongs to no dialog there could be.
            Some(Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify) => {
                return self.refuse(now, id, 481, "", out);
            }
            // We make calls for people who are in one, not for whoever writes.
            Some(Method::Refer) => return self.refuse(now, id, 403, "", out),
            Some(Method::Other(_)) | None => return self.refuse(now, id, 501, "", out),
            Some(_) => return self.refuse(now, id, 405, "", out),
        }
        // RFC 5630 3.1: what is called by `sips:` has to have come by a way on which nobody reads along.
        if m.uri().and_then(crate::sip::msg::Uri::sip).is_some_and(|u| u.secure) && !source.transport.is_secure() {
            return self.refuse(now, id, 480, "SIPS Not Allowed", out);
        }
        if !self.extensions(now, id, m, out) {
            return;
        }
        match m.method() {
            Some(Method::Invite) => self.incoming(now, id, m, source, out),
            Some(Method::Register) => self.register(now, id, m, source, out),
            Some(Method::Subscribe) => self.subscribe(now, id, m, source, out),
            Some(Method::Message) => self.paged(now, id, m, source, out),
            _ => self.options(now, id, m, out),
        }
    }

    /// 8.2.2.3: what they require and we do not have. False when it was refused.
    pub(super) fn extensions(&mut self, now: Now, id: TxId, m: &Message, out: &mut Vec<Output>) -> bool {
        let mut unknown = m.require();
        let more: &[&str] = if m.method() == Some(&Method::Register) { &build::REGISTRAR } else { &[] };
        unknown.retain(|tag| !build::SUPPORTED.iter().chain(more).any(|known| known.eq_ignore_ascii_case(tag)));
        // Proxy-Require is not for us by the letter, but whoever sends it here takes us for a proxy (RFC 4475 3.3.8).
        unknown.extend(m.headers.items(&Name::ProxyRequire));
        if unknown.is_empty() {
            return true;
        }
        if let Some(s) = self.servers.get(&id) {
            let mut response = self.reply(m, 420, "", &s.tag);
            response.headers.push(Name::Unsupported, unknown.join(", "));
            self.respond(now, id, &response, out);
        }
        false
    }

    fn options(&mut self, now: Now, id: TxId, m: &Message, out: &mut Vec<Output>) {
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(m, 200, "", &s.tag);
        // Whoever may have forged its address is told no more than about what it has sent (RFC 3261 11.2 says SHOULD).
        let forgeable = !s.source.transport.is_reliable() && !self.is_ours(&s.source);
        let most = if forgeable { m.write().len() * OPTIONS_GROWTH_PERCENT / 100 } else { usize::MAX };
        let supported = [&build::SUPPORTED[..], &build::REGISTRAR].concat().join(", ");
        let able = [
            (Name::Allow, ALLOW),
            (Name::Supported, &*supported),
            (Name::Accept, ACCEPTED),
            (Name::AllowEvents, crate::sip::event::ALLOW_EVENTS),
        ];
        for (name, value) in able {
            let one = name.as_bytes().len() + value.len() + ": \r\n".len();
            if response.write().len() + one <= most {
                response.headers.push(name, value);
            }
        }
        self.respond(now, id, &response, out);
    }

    /// Whether we can read the body (8.2.3) and they can read ours. The status that says not.
    pub(super) fn body_fault(m: &Message) -> Option<u16> {
        if let Err(why) = m.session() {
            return Some(why.code());
        }
        let accept = m.headers.items(&Name::Accept);
        let fits = |a: &String| {
            let a = a.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            a == ACCEPT || a == "*/*" || a == "application/*"
        };
        // No Accept means application/sdp (20.1).
        (m.headers.has(&Name::Accept) && !accept.iter().any(fits)).then_some(406)
    }

    fn incoming(&mut self, now: Now, id: TxId, m: &Arc<Message>, source: Source, out: &mut Vec<Output>) {
        if let Some(code) = Self::body_fault(m) {
            return self.refuse(now, id, code, "", out);
        }
        if self.session_too_short(now, id, m, out) {
            return;
        }
        let (tenant, who) = match self.caller(now, m, &source) {
            Caller::Known { tenant, who } => (tenant, who),
            Caller::Challenge { tenant, stale } => return self.challenge(now, id, &tenant, stale, out),
            Caller::Refuse(code) => return self.refuse(now, id, code, "", out),
        };
        let replaces = match self.replaced_by(m) {
            Ok(replaces) => replaces,
            Err(code) => return self.refuse(now, id, code, "", out),
        };
        if self.calls.len() >= SIP_DIALOGS_MAX {
            self.counters.overload += 1;
            return self.refuse(now, id, 503, "", out);
        }
        let Some(s) = self.servers.get_mut(&id) else { return };
        let tag = s.tag.clone();
        let sticky = matches!(who, super::Who::User { .. } | super::Who::Guest { .. });
        let Ok(dialog) = Dialog::accept(m, &tag, source, sticky) else {
            return self.refuse(now, id, 400, "Contact missing or unreadable", out);
        };
        let key = self.next_key();
        if let Some(s) = self.servers.get_mut(&id) {
            s.call = Some(key);
        }
        let call_id = dialog.call_id.clone();
        let mut call = Call::new(State::Incoming { tx: id }, Some(dialog), tag.clone(), call_id);
        call.sessions.updates = m.lists(&Name::Allow, "UPDATE");
        self.add_call(key, call);
        let trying = self.reply(m, 100, "", &tag);
        self.respond(now, id, &trying, out);
        out.push(Output::Event(Event::Incoming { dialog: key, request: m.clone(), source, tenant, who, replaces }));
    }

    /// [`Action::Respond`](super::Action::Respond).
    pub(super) fn respond_invite(&mut self, now: Now, key: DialogKey, wanted: Wanted, out: &mut Vec<Output>) {
        if self.waits_for_prack(key, &wanted) {
            return;
        }
        let Some(Call { state: State::Incoming { tx }, said, ours, .. }) = self.calls.get_mut(&key) else { return };
        let tx = *tx;
        let Wanted { code, reason, headers, body } = wanted;
        // Said once reliably, a description is not said again (RFC 6337 2.2).
        let body = body.filter(|_| !said.described());
        if code < 300 && body.is_some() {
            ours.clone_from(&body);
        }
        let Some(s) = self.servers.get(&tx) else { return };
        let (request, source) = (s.request.clone(), s.source);
        let mut response = self.reply(&request, code, &reason, &s.tag.clone());
        if code < 300 {
            response.headers.copy(&Name::RecordRoute, &request.headers);
            let user = request.uri().map(|u| u.user().into_owned());
            self.finish_invite(&mut response, user.as_deref(), &source, &headers, body.as_ref());
            response.headers.remove(&Name::UserAgent);
        } else {
            add_all(&mut response.headers, &headers);
        }
        match code {
            ..200 => self.make_reliable(now, key, &request, &mut response),
            200..300 => self.session_in_answer(now, key, &request, &mut response),
            _ => {}
        }
        let seq = request.cseq().map_or(0, |c| c.number);
        self.respond(now, tx, &response, out);
        if (200..300).contains(&code) {
            let accepted = self.accepted(now, tx, seq);
            if let Some(call) = self.calls.get_mut(&key) {
                call.state = State::Answering(accepted);
            }
            self.set_call_deadline(key);
        } else if code >= 300 {
            self.ended(now, key, EndedBy::Local, None, out);
        }
    }

    /// A CANCEL (9.2): answered for itself, and the INVITE it names gets its 487 if it is not too late.
    pub(super) fn cancelled(&mut self, now: Now, id: TxId, m: &Message, out: &mut Vec<Output>) {
        use crate::sip::transaction::matching::ServerKey;
        let invite = ServerKey::cancelled(m).ok().and_then(|k| self.server_index.get(&k).copied());
        let Some(invite) = invite else { return self.refuse(now, id, 481, "", out) };
        let (tag, pending, call) = match self.servers.get(&invite) {
            Some(s) => (s.tag.clone(), s.invite_pending(), s.call),
            None => return,
        };
        let ok = self.reply(m, 200, "", &tag);
        self.respond(now, id, &ok, out);
        if !pending {
            return;
        }
        self.refuse(now, invite, 487, "", out);
        let Some(key) = call else { return };
        match self.calls.get_mut(&key) {
            // A re-INVITE was withdrawn; the call stands as it was.
            Some(c) if matches!(c.re, Some(Re::Theirs { tx }) if tx == invite) => c.re = None,
            _ => {
                self.drop_call(now, key, out);
                out.push(Output::Event(Event::Cancelled { dialog: key, reason: build::reason_of(m) }));
            }
        }
    }

    /// An ACK for a 2xx of ours.
    pub(super) fn acked(&mut self, now: Now, m: &Message, out: &mut Vec<Output>) {
        let (Some(key), Ok(cseq)) = (self.call_of(m), m.cseq()) else { return };
        let Some(call) = self.calls.get_mut(&key) else { return };
        match (&call.state, &call.re) {
            (State::Answering(a), _) if a.seq == cseq.number => call.state = State::Confirmed,
            (_, Some(Re::Accepted(a))) if a.seq == cseq.number => call.re = None,
            _ => return,
        }
        if let Some(headers) = call.bye.take() {
            // Hung up while this was under way: now the BYE may go.
            if let Some(call) = self.drop_call(now, key, out) {
                self.send_bye(now, call.dialog, call.credentials, &headers, out);
            }
            return;
        }
        out.push(Output::Event(Event::Acked { dialog: key, body: build::body_of(m) }));
        self.set_call_deadline(key);
    }

    /// A response could not be sent.
    pub(super) fn answer_failed(&mut self, now: Now, id: TxId, out: &mut Vec<Output>) {
        let Some(key) = self.servers.get(&id).and_then(|s| s.call) else { return };
        if let Some(Call { state: State::Incoming { .. } | State::Answering(_), .. }) = self.calls.get(&key) {
            self.ended(now, key, EndedBy::Network, None, out);
            // Nobody upstairs will answer it any more, and without an answer it would never end.
            if self.servers.get(&id).is_some_and(Server::invite_pending) {
                self.refuse(now, id, 480, "", out);
            }
        }
    }

    /// The challenge of 22.2: MD5, which every phone knows; where the settings say so, SHA-256 before it (RFC 8760 2.4).
    pub(super) fn challenge(&mut self, now: Now, id: TxId, tenant: &crate::base::TenantId, stale: bool, out: &mut Vec<Output>) {
        let settings = self.settings.clone();
        let [strong, known_to_all] = self.digest.challenges(now.wall, settings.realm(tenant), stale);
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(&s.request, 401, "", &s.tag);
        for value in settings.strong_digest.then_some(strong).into_iter().chain([known_to_all]) {
            response.headers.push(Name::WwwAuthenticate, value);
        }
        self.respond(now, id, &response, out);
    }
}
