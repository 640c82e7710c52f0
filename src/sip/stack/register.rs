//! REGISTER (section 10): who may, what is asked, what is answered; over which flow (RFC 5626) and by which proxies (RFC 3327);
//! which address a phone has of its own (RFC 5627).

use super::{Output, Stack, identity::Login, tx::TxId};
use crate::{
    base::{Now, limits::SIP_FLOW_TIMER},
    sip::{
        msg::{Contacts, Message, Name, NameAddr, Uri},
        registrar::{Aor, EXPIRES_MAX_S, EXPIRES_MIN_S, RegisterError, Request, Wish, gruu},
        transport::Source,
    },
};

/// The option tags.
pub(super) const OUTBOUND: &str = "outbound";
pub(super) const PATH: &str = "path";
pub(super) const GRUU: &str = "gruu";

impl Stack {
    pub(super) fn register(&mut self, now: Now, id: TxId, m: &Message, source: Source, out: &mut Vec<Output>) {
        let Some(tenant) = self.tenant_of(id) else { return self.refuse(now, id, 404, "", out) };
        let user = match self.login(now, m, &tenant) {
            Login::User(user) => user,
            Login::Ask { stale } => {
                if !stale {
                    self.guessed(now, m, &source);
                }
                return self.challenge(now, id, &tenant, stale, out);
            }
            // An exchange that says where it is: calls out by this trunk go there.
            Login::Trunk { id: trunk, user } if self.admits(&tenant, &trunk, &source) => user,
            Login::Trunk { .. } | Login::Guest { .. } => return self.refuse(now, id, 403, "", out),
            Login::Bad(code) => return self.refuse(now, id, code, "", out),
        };
        // Each for themselves: nobody registers another, whatever password they have.
        if !self.is_own(&tenant, &user, m.to()) || !self.is_own(&tenant, &user, m.from()) {
            return self.refuse(now, id, 403, "", out);
        }
        let (Some(wish), Ok(call_id), Ok(cseq)) = (wish(m), m.call_id(), m.cseq()) else {
            return self.refuse(now, id, 400, "Bad Contact", out);
        };
        self.gate.pardon(source.remote.ip());
        let Ok(path) = m.addresses(Name::Path) else { return self.refuse(now, id, 400, "Bad Path", out) };
        // Proxies that come between and are not named could not be passed on the way back: a phone with a flow needs the first
        // of them to hold it (RFC 5626 6).
        let direct = path.is_empty() && m.vias().is_ok_and(|v| v.len() == 1);
        let held = path.last().is_some_and(|p| p.uri.sip().is_some_and(|u| u.params.has("ob")));
        let flows = wants_flow(&wish).filter(|_| m.lists(&Name::Supported, OUTBOUND));
        match flows {
            Some(n) if n > 1 => return self.refuse(now, id, 400, "One Flow At A Time", out),
            Some(_) if !direct && !held => return self.refuse(now, id, 439, "", out),
            _ => {}
        }
        let request = Request {
            path,
            outbound: flows.is_some(),
            call_id: call_id.into_owned(),
            cseq: cseq.number,
            wish,
            flow: source,
            user_agent: m.headers.get(&Name::UserAgent).map(|u| u.chars().take(120).collect()).unwrap_or_default(),
        };
        let aor = Aor { tenant, user };
        match self.registrar.register(now.mono, &aor, &request) {
            Ok(reach) => {
                self.bindings_listed(now, id, m, &aor, (request.outbound, source), out);
                self.tell_reach(now, vec![(aor, reach)], out);
            }
            Err(RegisterError::TooBrief) => {
                let Some(s) = self.servers.get(&id) else { return };
                let mut response = self.reply(m, 423, "", &s.tag);
                response.headers.push(Name::MinExpires, EXPIRES_MIN_S);
                self.respond(now, id, &response, out);
            }
            Err(RegisterError::OutOfOrder) => self.refuse(now, id, 500, "", out),
            Err(RegisterError::Full) => self.refuse(now, id, 403, "Too Many Contacts", out),
        }
    }

    /// 10.3 step 8: the 200 lists every binding with the time it has left.
    fn bindings_listed(
        &mut self,
        now: Now,
        id: TxId,
        m: &Message,
        aor: &Aor,
        (outbound, source): (bool, Source),
        out: &mut Vec<Output>,
    ) {
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(m, 200, "", &s.tag);
        let own = m.to().ok().filter(|_| m.lists(&Name::Supported, GRUU));
        for binding in self.registrar.bindings(aor) {
            let mut contact = NameAddr::new(binding.contact.clone());
            if binding.q < 1000 {
                contact.params.set("q", format!("0.{:03}", binding.q));
            }
            contact.params.set("expires", binding.expires_s(now.mono));
            if let Some(instance) = &binding.instance {
                contact.params.set("+sip.instance", instance);
                if let Some(aor) = own.as_ref().and_then(|to| to.uri.sip()) {
                    contact.params.set("pub-gruu", gruu::public(aor, instance));
                }
            }
            if let Some(id) = binding.reg_id {
                contact.params.set("reg-id", id);
            }
            response.headers.push(Name::Contact, contact);
        }
        response.headers.copy(&Name::Path, &m.headers);
        if outbound {
            response.headers.push(Name::Require, OUTBOUND);
            if source.transport.is_reliable() {
                response.headers.push(Name::from("Flow-Timer"), SIP_FLOW_TIMER.as_secs());
            }
        }
        self.respond(now, id, &response, out);
    }
}

/// How many of the contacts ask for a flow of their own; `None`: none.
fn wants_flow(wish: &Wish) -> Option<usize> {
    let Wish::Set(list) = wish else { return None };
    let asks = |c: &NameAddr| c.params.has("reg-id") && c.params.has("+sip.instance");
    Some(list.iter().filter(|(c, _)| asks(c)).count()).filter(|n| *n > 0)
}

/// What a REGISTER asks. `None`: it contradicts itself.
fn wish(m: &Message) -> Option<Wish> {
    let default = m.expires().unwrap_or(EXPIRES_MAX_S);
    match m.contacts().ok()? {
        Contacts::Star => (m.expires() == Some(0)).then_some(Wish::Clear),
        Contacts::List(list) if list.is_empty() => Some(Wish::Query),
        // A contact we could not send an INVITE to (mailto:, tel:) is left out, as 10.3 lets a registrar do.
        Contacts::List(list) => Some(Wish::Set(
            list.into_iter()
                .filter(|c| matches!(c.uri, Uri::Sip(_)))
                .map(|c| {
                    let expires = c.expires().unwrap_or(default);
                    (c, expires)
                })
                .collect(),
        )),
    }
}
