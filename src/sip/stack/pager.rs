//! MESSAGE between the phones of a tenant (RFC 3428): a line of text, passed on to wherever the other is registered.
//!
//! Nothing is kept: whoever has no phone registered is not told later, and the sender hears that at once. Customers write by the
//! channels that have an order and a memory; a MESSAGE of a carrier or a stranger is refused.

use super::{
    Output, Stack,
    identity::Login,
    tx::{Purpose, TxId},
};
use crate::{
    base::{
        Now,
        limits::{SIP_PAGER_MAX, SIP_TRANSACTIONS_MAX},
    },
    sip::{
        dialog::request_uri,
        msg::{Message, Method, Name, NameAddr, SipUri, Uri},
        registrar::Aor,
        transport::Source,
    },
};

impl Stack {
    /// A MESSAGE outside of dialogs.
    pub(super) fn paged(&mut self, now: Now, id: TxId, m: &Message, source: Source, out: &mut Vec<Output>) {
        if self.settings.trunk_at(source.remote).is_some_and(|t| !source.transport.is_web() && t.admits(source.remote)) {
            return self.refuse(now, id, 405, "", out);
        }
        let Some(tenant) = self.tenant_of(id) else { return self.refuse(now, id, 404, "", out) };
        let user = match self.login(now, m, &tenant) {
            Login::User(user) if self.is_own(&tenant, &user, m.from()) => user,
            Login::User(_) | Login::Guest { .. } => return self.refuse(now, id, 403, "", out),
            Login::Trunk { .. } => return self.refuse(now, id, 405, "", out),
            Login::Ask { stale } => return self.challenge(now, id, &tenant, stale, out),
            Login::Bad(code) => return self.refuse(now, id, code, "", out),
        };
        let kind = m.content_type().unwrap_or_default();
        if kind != "text/plain" {
            let Some(s) = self.servers.get(&id) else { return };
            let mut response = self.reply(m, 415, "", &s.tag);
            response.headers.set(Name::Accept, "text/plain");
            return self.respond(now, id, &response, out);
        }
        if m.body.len() > SIP_PAGER_MAX {
            return self.refuse(now, id, 413, "", out);
        }
        let named = Aor { tenant: tenant.clone(), user: m.uri().map(|u| u.user().into_owned()).unwrap_or_default() };
        let Some(to) = self.known_as(&named) else { return self.refuse(now, id, 404, "", out) };
        let bindings = self.registrar.bindings(&to).to_vec();
        if bindings.is_empty() {
            return self.refuse(now, id, 480, "", out);
        }
        if self.clients_len() + bindings.len() > SIP_TRANSACTIONS_MAX {
            self.counters.overload += 1;
            return self.refuse(now, id, 503, "", out);
        }
        // It goes to every phone of theirs; whether a person reads it no answer of a phone could say.
        self.refuse(now, id, 202, "", out);
        let Some(host) = m.uri().and_then(Uri::sip).map(|u| u.host.clone()) else { return };
        let address = |user: &str| NameAddr::new(SipUri::new(Some(user), host.clone(), None));
        let whole = m.headers.get(&Name::ContentType).unwrap_or_default().into_owned();
        for b in bindings {
            let mut copy = Message::request(Method::Message, request_uri(&b.contact));
            copy.headers.push(Name::MaxForwards, 70);
            copy.headers.push(Name::From, address(&user).with_tag(&self.rng.hex(8)));
            copy.headers.push(Name::To, address(&to.user));
            copy.headers.push(Name::CallId, self.rng.hex(16));
            copy.headers.push(Name::CSeq, "1 MESSAGE");
            copy.set_body(&whole, m.body.clone());
            self.send_request(now, copy, b.flow, Purpose::Quiet, out);
        }
    }
}
