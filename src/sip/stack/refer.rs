//! Handing a call on by signalling: REFER and the NOTIFYs after it (RFC 3515, RFC 4488), and INVITEs that take the place of
//! another dialog (Replaces, RFC 3891).
//!
//! ```text
//! they refer   REFER ──▶ Referred ──RespondRefer──▶ 202, NOTIFY "100 Trying" ──Notify──▶ NOTIFY "200 OK", over
//! we refer     Refer ──▶ REFER ──▶ ReferAnswered, then ReferProgress until it is over
//! ```
//! Whether a call may be handed on, and where to, is decided upstairs; here a Replaces finds its dialog.

use std::sync::Arc;

use super::{
    DialogKey, Event, Output, Stack,
    calls::{Call, State},
    tx::{Inside, TxId},
    wire::{Refer, ReferId},
};
use crate::{
    base::{Now, limits::SIP_REFERS_MAX},
    sip::msg::{Headers, Message, Method, Name, NameAddr, SipUri, Uri},
};

/// The option tags.
pub(super) const REPLACES: &str = "replaces";
pub(super) const NOREFERSUB: &str = "norefersub";
/// How long a subscription to what becomes of a REFER is said to last, s: longer than anything is rung.
const EXPIRES_S: u32 = 180;

/// A REFER of theirs.
#[derive(Debug)]
pub(super) struct Referral {
    id: ReferId,
    /// Not answered yet.
    tx: Option<TxId>,
    /// They want to hear what becomes of it.
    told: bool,
}

/// What a Replaces says (RFC 3891 6.1), seen from us.
#[derive(Debug, PartialEq, Eq)]
struct Replaces {
    call_id: String,
    local_tag: String,
    remote_tag: String,
    early_only: bool,
}

impl Replaces {
    fn parse(text: &str) -> Option<Replaces> {
        let mut parts = text.split(';').map(str::trim);
        let call_id = parts.next().filter(|c| !c.is_empty())?.to_owned();
        let mut one = Replaces { call_id, local_tag: String::new(), remote_tag: String::new(), early_only: false };
        for p in parts {
            let (name, value) = p.split_once('=').map_or((p, ""), |(n, v)| (n.trim(), v.trim()));
            match name.to_ascii_lowercase().as_str() {
                "to-tag" => one.local_tag = value.to_owned(),
                "from-tag" => one.remote_tag = value.to_owned(),
                "early-only" => one.early_only = true,
                _ => {}
            }
        }
        (!one.local_tag.is_empty() && !one.remote_tag.is_empty()).then_some(one)
    }
}

impl Stack {
    /// The dialog a Replaces names, by the tags as they stand there or (in a Refer-To, where the writer is the peer) turned
    /// round.
    fn replaced(&self, r: &Replaces) -> Option<DialogKey> {
        let find = |ours: &str, theirs: &str| {
            let key = *self.tags.get(ours)?;
            let call = self.calls.get(&key).filter(|c| c.call_id == r.call_id && c.bye.is_none())?;
            let peer = |d: &crate::sip::dialog::Dialog| d.remote_tag().as_deref() == Some(theirs);
            (call.dialog.as_ref().is_some_and(peer) || call.early.iter().any(|e| peer(&e.dialog))).then_some(key)
        };
        find(&r.local_tag, &r.remote_tag).or_else(|| find(&r.remote_tag, &r.local_tag))
    }

    /// The dialog an INVITE wants to take the place of: `Err` is the refusal (RFC 3891 section 3).
    pub(super) fn replaced_by(&self, m: &Message) -> Result<Option<DialogKey>, u16> {
        let Some(text) = m.headers.get(&Name::Replaces) else { return Ok(None) };
        if m.headers.count(&Name::Replaces) > 1 {
            return Err(400);
        }
        let wanted = Replaces::parse(&text).ok_or(400u16)?;
        let key = self.replaced(&wanted).ok_or(481u16)?;
        match self.calls.get(&key).map(|c| &c.state) {
            // A call that rings here, for us to answer, is nobody else's to take (section 3).
            Some(State::Incoming { .. }) | None => Err(481),
            Some(State::Calling { .. }) => Ok(Some(key)),
            Some(_) if wanted.early_only => Err(486),
            Some(_) => Ok(Some(key)),
        }
    }

    // ---- they refer ----

    pub(super) fn referred(&mut self, now: Now, id: TxId, key: DialogKey, m: &Arc<Message>, out: &mut Vec<Output>) {
        // RFC 3515 2.4.2: exactly one.
        let to = m.headers.get(&Name::ReferTo).filter(|_| m.headers.count(&Name::ReferTo) == 1);
        let Some(to) = to.and_then(|t| NameAddr::parse(&t).ok()) else { return self.refuse(now, id, 400, "", out) };
        let (method, wanted) = match &to.uri {
            Uri::Sip(u) => (u.params.get("method").map(|m| m.to_ascii_uppercase()), u.header("Replaces")),
            Uri::Tel(_) => (None, None),
            Uri::Other { .. } => return self.refuse(now, id, 416, "", out),
        };
        let Some(call) = self.calls.get(&key) else { return };
        let standing = matches!(call.state, State::Confirmed) && call.bye.is_none();
        if !standing || method.is_some_and(|m| m != "INVITE") || call.refers.len() >= SIP_REFERS_MAX {
            return self.refuse(now, id, 603, "", out);
        }
        let replaces = match wanted.map(|text| Replaces::parse(&text)) {
            None => None,
            // 2.4.4: what cannot be done is said at once.
            Some(wanted) => match wanted.and_then(|r| self.replaced(&r)) {
                Some(key) => Some(key),
                None => return self.refuse(now, id, 481, "", out),
            },
        };
        let told = !m
            .headers
            .get(&Name::Other(bytes::Bytes::from_static(b"Refer-Sub")))
            .is_some_and(|v| v.trim().eq_ignore_ascii_case("false"));
        let by = m.headers.get(&Name::ReferredBy).map(|b| b.into_owned());
        let refer = ReferId(m.cseq().map_or(0, |c| c.number));
        if let Some(call) = self.calls.get_mut(&key) {
            call.refers.push(Referral { id: refer, tx: Some(id), told });
        }
        let refer = Refer { id: refer, to: crate::sip::dialog::request_uri(&to.uri), replaces, by };
        out.push(Output::Event(Event::Referred { dialog: key, refer }));
    }

    /// [`Action::RespondRefer`](super::Action::RespondRefer).
    pub(super) fn respond_refer(&mut self, now: Now, key: DialogKey, id: ReferId, code: u16, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(r) = call.refers.iter_mut().find(|r| r.id == id) else { return };
        let (Some(tx), told) = (r.tx.take(), r.told) else { return };
        let accepted = (200..300).contains(&code);
        if !accepted || !told {
            call.refers.retain(|r| r.id != id);
        }
        let Some(s) = self.servers.get(&tx) else { return };
        let (request, source) = (s.request.clone(), s.source);
        let mut response = self.reply(&request, code, "", &s.tag.clone());
        if accepted {
            let user = self.calls.get(&key).and_then(|c| c.dialog.as_ref()).map(|d| d.local.uri.user().into_owned());
            response.headers.push(Name::Contact, self.contact(user.as_deref(), &source));
            if !told {
                response.headers.push(refer_sub(), "false");
            }
        }
        self.respond(now, tx, &response, out);
        if accepted && told {
            // 2.4.4: the first one follows at once.
            self.notify(now, key, id, 100, false, out);
        }
    }

    /// [`Action::Notify`](super::Action::Notify).
    pub(super) fn notify(&mut self, now: Now, key: DialogKey, id: ReferId, code: u16, over: bool, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        let Some(first) = call.refers.iter().position(|r| r.id == id && r.tx.is_none()) else { return };
        if over {
            call.refers.remove(first);
        }
        let Some(dialog) = &mut call.dialog else { return };
        let (mut m, flow) = dialog.request(Method::Notify);
        let user = dialog.local.uri.user().into_owned();
        m.headers.push(Name::Contact, self.contact(Some(&user), &flow));
        m.headers.push(Name::Event, format!("refer;id={}", id.0));
        let state = if over { "terminated;reason=noresource".into() } else { format!("active;expires={EXPIRES_S}") };
        m.headers.push(Name::SubscriptionState, state);
        let text = format!("SIP/2.0 {code} {}\r\n", crate::sip::msg::reason_phrase(code));
        m.set_body("message/sipfrag;version=2.0", text);
        self.send_inside(now, m, flow, key, Inside::Notify, out);
    }

    /// REFERs nobody will answer now.
    pub(super) fn refers_over(&mut self, now: Now, call: &mut Call, out: &mut Vec<Output>) {
        for r in std::mem::take(&mut call.refers) {
            if let Some(tx) = r.tx {
                self.refuse(now, tx, 487, "", out);
            }
        }
    }

    // ---- we refer ----

    /// [`Action::Refer`](super::Action::Refer).
    pub(super) fn refer(
        &mut self,
        now: Now,
        key: DialogKey,
        to: SipUri,
        replaces: Option<DialogKey>,
        headers: &Headers,
        out: &mut Vec<Output>,
    ) {
        let failed = |code, out: &mut Vec<Output>| out.push(Output::Event(Event::ReferAnswered { dialog: key, code }));
        let mut refer_to = to;
        if let Some(other) = replaces {
            let other = self.calls.get(&other).and_then(|c| c.dialog.as_ref());
            let Some((other, tag)) = other.and_then(|d| Some((d, d.remote_tag()?))) else { return failed(481, out) };
            // As the far end sees its own dialog: its tag is the To tag of the INVITE that will come to it.
            let value = format!("{};to-tag={tag};from-tag={}", other.call_id, other.local_tag());
            refer_to.add_header("Replaces", &value);
        }
        let Some(call) = self.calls.get_mut(&key) else { return failed(481, out) };
        let (State::Confirmed, Some(dialog), false) = (&call.state, &mut call.dialog, call.referring) else {
            return failed(491, out);
        };
        let (mut m, flow) = dialog.request(Method::Refer);
        let local = dialog.local.uri.clone();
        call.referring = true;
        m.headers.push(Name::Contact, self.contact(Some(&local.user()), &flow));
        m.headers.push(Name::ReferTo, format!("<{refer_to}>"));
        m.headers.push(Name::ReferredBy, NameAddr::new(local));
        super::build::add_all(&mut m.headers, headers);
        self.send_inside(now, m, flow, key, Inside::Refer, out);
    }

    pub(super) fn refer_answered(&mut self, key: DialogKey, code: u16, m: Option<&Message>, out: &mut Vec<Output>) {
        let Some(call) = self.calls.get_mut(&key).filter(|c| c.bye.is_none()) else { return };
        let refused = code >= 300;
        // RFC 4488: they will not tell.
        let silent = m.is_some_and(|m| m.headers.get(&refer_sub()).is_some_and(|v| v.trim().eq_ignore_ascii_case("false")));
        call.referring &= !refused && !silent;
        out.push(Output::Event(Event::ReferAnswered { dialog: key, code }));
        if silent && !refused {
            out.push(Output::Event(Event::ReferProgress { dialog: key, code: 200, over: true }));
        }
    }

    /// A NOTIFY in a dialog: only what becomes of our REFER is ours to hear.
    pub(super) fn notified(&mut self, now: Now, id: TxId, key: DialogKey, m: &Arc<Message>, out: &mut Vec<Output>) {
        let about = m.headers.get(&Name::Event).map(|e| e.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        if about.as_deref() != Some("refer") {
            return self.bad_event(now, id, out);
        }
        let Some(call) = self.calls.get_mut(&key) else { return };
        if !call.referring {
            return self.refuse(now, id, 481, "", out);
        }
        let state = m.headers.get(&Name::SubscriptionState).unwrap_or_default().to_ascii_lowercase();
        let over = state.trim().starts_with("terminated");
        call.referring = !over;
        let text = String::from_utf8_lossy(&m.body).into_owned();
        // `SIP/2.0 180 Ringing`; a fragment nobody can read, at the end, says that it is not known how it went.
        let code = text.split_ascii_whitespace().nth(1).and_then(|c| c.parse().ok()).filter(|c| (100..700).contains(c));
        self.ok(now, id, m, out);
        if let Some(code) = code.or(over.then_some(500)) {
            out.push(Output::Event(Event::ReferProgress { dialog: key, code, over }));
        }
    }
}

fn refer_sub() -> Name {
    Name::Other(bytes::Bytes::from_static(b"Refer-Sub"))
}
