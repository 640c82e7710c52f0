//! Requests of ours that stand alone: REGISTER and OPTIONS to a carrier. One request, one answer or none.
//!
//! When to ask, what the answer means and how a challenge is answered is decided upstairs (`call::trunk`): a registration is a
//! state of weeks, and only its owner knows when its password has been refused for good.

use std::sync::Arc;

use super::{
    DialogKey, Event, Output, Stack,
    tx::{Purpose, TxId},
};
use crate::{
    base::{Now, limits::SIP_TRANSACTIONS_MAX},
    sip::{
        dialog::request_uri,
        msg::{Headers, Message, Method, Name, NameAddr, Uri},
        transaction::Class,
        transport::Flow,
    },
};

/// Names a question. Made by whoever asks; never used twice while an answer may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskKey(pub u64);

/// A request outside of dialogs.
#[derive(Debug, Clone)]
pub struct Asking {
    /// REGISTER or OPTIONS.
    pub method: Method,
    /// The Request-URI.
    pub uri: Uri,
    /// As whom; the tag is added here.
    pub from: NameAddr,
    /// About whom.
    pub to: NameAddr,
    /// The same for every REGISTER of one registration (RFC 3261 10.2).
    pub call_id: String,
    /// Counts up within the Call-ID.
    pub cseq: u32,
    /// The user part of our Contact; `None`: no Contact.
    pub contact: Option<String>,
    /// More headers.
    pub headers: Headers,
    /// The way.
    pub flow: Flow,
}

impl Stack {
    /// [`Action::Ask`](super::Action::Ask).
    pub(super) fn ask(&mut self, now: Now, key: AskKey, a: Asking, out: &mut Vec<Output>) {
        if self.clients_len() >= SIP_TRANSACTIONS_MAX {
            self.counters.overload += 1;
            return out.push(Output::Event(Event::Told { ask: key, code: 503, answer: None }));
        }
        let mut m = Message::request(a.method, request_uri(&a.uri));
        m.headers.push(Name::MaxForwards, 70);
        m.headers.push(Name::From, a.from.with_tag(&self.rng.hex(8)));
        m.headers.push(Name::To, a.to);
        m.headers.push(Name::CallId, &a.call_id);
        let cseq = format!("{} {}", a.cseq, m.method().unwrap_or(&Method::Options));
        m.headers.push(Name::CSeq, cseq);
        if let Some(user) = &a.contact {
            m.headers.push(Name::Contact, self.contact(Some(user), &a.flow));
        }
        if !self.settings.user_agent.is_empty() {
            m.headers.push(Name::UserAgent, &self.settings.user_agent);
        }
        super::build::add_all(&mut m.headers, &a.headers);
        self.send_request(now, m, a.flow, Purpose::Ask(key), out);
    }

    /// The answer, once it is final.
    pub(super) fn told(key: AskKey, m: &Arc<Message>, out: &mut Vec<Output>) {
        let code = m.code().unwrap_or(0);
        if Class::of(code) != Class::Provisional {
            out.push(Output::Event(Event::Told { ask: key, code, answer: Some(m.clone()) }));
        }
    }

    /// Whether nothing at all has come back for this call of ours yet, not even a 100: whoever was asked is not there, or no
    /// longer. (Over a stream a 100 is as good a sign of life as over UDP: RFC 3261 17.2.1 wants it within 200 ms.)
    pub fn is_unheard(&self, key: DialogKey) -> bool {
        self.invite_of(key).is_some_and(|id: TxId| self.is_unanswered(id))
    }

    /// The way a call goes: of one that is not answered yet, where it was tried last.
    pub fn way(&self, key: DialogKey) -> Option<Flow> {
        match self.invite_of(key) {
            Some(tx) => Some(self.clients.get(&tx)?.flow),
            None => Some(self.calls.get(&key)?.dialog.as_ref()?.flow),
        }
    }

    /// Our Contact towards a peer on this way, as it stands in a REGISTER.
    pub fn contact_for(&self, user: &str, flow: &Flow) -> NameAddr {
        self.contact(Some(user), flow)
    }
}

/// A trunk may be told another User-Agent than everybody, or none: the one asked for last is the one.
pub(super) fn one_user_agent(m: &mut Message, wanted: &Headers) {
    let Some(agent) = wanted.all(&Name::UserAgent).last().map(|a| a.into_owned()) else { return };
    m.headers.remove(&Name::UserAgent);
    if !agent.is_empty() {
        m.headers.push(Name::UserAgent, agent);
    }
}
