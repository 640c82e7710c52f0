//! Makes the messages section 8 and 9 prescribe.

use super::{Body, Stack, tx::MergeKey};
use crate::{
    base::Rng,
    sip::{
        dialog::{contact_uri, request_uri},
        msg::{ACCEPTED, Headers, MAGIC, Message, Method, Name, NameAddr, Via},
        transport::{Flow, Source},
    },
};

/// What we answer to, for Allow (and 405).
pub(super) const ALLOW: &str =
    "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE, PRACK, REFER, NOTIFY, SUBSCRIBE, MESSAGE";
/// The extensions we know, for Supported; requiring any of them is fine.
pub(super) const SUPPORTED: [&str; 4] =
    [super::reliable::TAG, super::session::TAG, super::refer::REPLACES, super::refer::NOREFERSUB];
/// Those we know as a registrar.
pub(super) const REGISTRAR: [&str; 3] = [super::register::OUTBOUND, super::register::PATH, super::register::GRUU];
/// What bodies we ask for in calls: as short as it may be. All we can read is said where somebody asks.
pub(super) const ACCEPT: &str = "application/sdp";

/// A branch that is ours alone.
pub(super) fn branch(rng: &mut Rng) -> String {
    format!("{MAGIC}{}", rng.hex(12))
}

/// The ACK of a refusal: the INVITE's own Via, route and number, the To of the response (17.1.1.3).
pub(super) fn ack_of_refusal(invite: &Message, response: &Message) -> Message {
    let mut ack = from_invite(invite, Method::Ack);
    if let Some(to) = response.headers.raw(&Name::To) {
        ack.headers.remove(&Name::To);
        ack.headers.push_raw(Name::To, to.clone());
    }
    ack
}

/// The CANCEL of an INVITE (9.1): everything equal but the method.
pub(super) fn cancel(invite: &Message) -> Message {
    from_invite(invite, Method::Cancel)
}

fn from_invite(invite: &Message, method: Method) -> Message {
    let uri = invite.uri().cloned().unwrap_or_else(unreachable_uri);
    let cseq = format!("{} {method}", invite.cseq().map_or(1, |c| c.number));
    let mut m = Message::request(method, uri);
    if let Ok(via) = invite.top_via() {
        m.headers.push(Name::Via, via);
    }
    for name in [Name::Route, Name::MaxForwards, Name::From, Name::To, Name::CallId] {
        m.headers.copy(&name, &invite.headers);
    }
    m.headers.push(Name::CSeq, cseq);
    m
}

/// Requests we made have a URI; a response never gets here. Kept total so that nothing can panic on the way.
fn unreachable_uri() -> crate::sip::msg::Uri {
    crate::sip::msg::Uri::Other { scheme: "sip".into(), rest: "invalid.invalid".into() }
}

/// The ACK of a re-INVITE's 2xx when its dialog is already gone: the way the re-INVITE went.
pub(super) fn ack_after_the_end(invite: &Message, response: &Message) -> Message {
    let mut ack = ack_of_refusal(invite, response);
    ack.headers.remove(&Name::Via);
    if let Ok(contact) = response.contact()
        && let Message { start: crate::sip::msg::Start::Request { uri, .. }, .. } = &mut ack
    {
        *uri = request_uri(&contact.uri);
    }
    ack
}

/// Adds every line of `more`.
pub(super) fn add_all(headers: &mut Headers, more: &Headers) {
    for (name, value) in more.iter() {
        headers.push_raw(name.clone(), value.clone());
    }
}

/// The key of 8.2.2.2, for requests without a To tag.
pub(super) fn merge_key(request: &Message) -> Option<MergeKey> {
    if request.to_tag().is_some() {
        return None;
    }
    let cseq = request.cseq().ok()?;
    Some((request.call_id().ok()?.into_owned(), request.from_tag()?, cseq.number, cseq.method))
}

/// Where the answer to a request goes (18.2.2, RFC 3581). `maddr` is not followed: it would let a stranger aim our answers.
pub(super) fn reply_flow(via: &Via, source: &Source) -> Flow {
    let mut flow = *source;
    if !source.transport.is_reliable() && via.rport().is_none() {
        flow.remote.set_port(via.sent_by_port());
    }
    flow
}

impl Stack {
    /// A response with our tag and name.
    pub(super) fn reply(&self, request: &Message, code: u16, reason: &str, tag: &str) -> Message {
        let mut m = Message::response_to(request, code, reason);
        if code != 100 {
            m.set_to_tag(tag);
        }
        if !self.settings.user_agent.is_empty() {
            m.headers.push(Name::Server, &self.settings.user_agent);
        }
        match code {
            405 | 501 => m.headers.push(Name::Allow, ALLOW),
            415 => m.headers.push(Name::Accept, ACCEPTED),
            _ => {}
        }
        m
    }

    /// Our Contact on this flow.
    pub(super) fn contact(&self, user: Option<&str>, flow: &Flow) -> NameAddr {
        let (host, port) = self.settings.public_address(flow);
        NameAddr::new(contact_uri(user, host, port, flow.transport))
    }

    /// Contact, capabilities, our name, more headers and a body: what a request that makes or refreshes a dialog carries.
    pub(super) fn finish_invite(&self, m: &mut Message, user: Option<&str>, flow: &Flow, more: &Headers, body: Option<&Body>) {
        let mut contact = self.contact(user, flow);
        secure_like(&mut contact, m);
        m.headers.push(Name::Contact, contact);
        m.headers.push(Name::Allow, ALLOW);
        m.headers.push(Name::Accept, ACCEPT);
        m.headers.push(Name::Supported, SUPPORTED.join(", "));
        if !self.settings.user_agent.is_empty() {
            m.headers.push(Name::UserAgent, &self.settings.user_agent);
        }
        add_all(&mut m.headers, more);
        if let Some((kind, bytes)) = body {
            m.set_body(kind, bytes.clone());
        }
    }
}

/// A request to `sips:` gets a Contact of that kind, so that what follows in the dialog is as secure (RFC 5630 5.1.1.1); the
/// transport then goes without saying.
pub(super) fn secure_like(contact: &mut NameAddr, request: &Message) {
    if request.uri().and_then(crate::sip::msg::Uri::sip).is_some_and(|u| u.secure)
        && let crate::sip::msg::Uri::Sip(uri) = &mut contact.uri
    {
        uri.secure = true;
        uri.params.remove("transport");
    }
}

/// The session description of a message, if it has one.
pub(super) fn body_of(m: &Message) -> Option<Body> {
    Some((ACCEPT.to_owned(), m.session().ok()??))
}

/// The Reason header (RFC 3326).
pub(super) fn reason_of(m: &Message) -> Option<String> {
    m.headers.get(&Name::Reason).map(|r| r.into_owned())
}
