//! REGISTER (section 10): who may, what is asked, what is answered.

use super::{Output, Stack, identity::Login, tx::TxId};
use crate::{
    base::Now,
    sip::{
        msg::{Contacts, Message, Name, NameAddr, Uri},
        registrar::{Aor, EXPIRES_MAX_S, EXPIRES_MIN_S, RegisterError, Request, Wish},
        transport::Source,
    },
};

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
            Login::Trunk(_) => return self.refuse(now, id, 403, "", out),
            Login::Bad(code) => return self.refuse(now, id, code, "", out),
        };
        // Each for themselves: nobody registers another, whatever password they have.
        let own = |a: Result<NameAddr, _>| {
            a.is_ok_and(|a: NameAddr| {
                a.uri.user() == user.as_str() && a.uri.sip().is_some_and(|u| self.settings.tenant(&u.host) == Some(&tenant))
            })
        };
        if !own(m.to()) || !own(m.from()) {
            return self.refuse(now, id, 403, "", out);
        }
        let (Some(wish), Ok(call_id), Ok(cseq)) = (wish(m), m.call_id(), m.cseq()) else {
            return self.refuse(now, id, 400, "Bad Contact", out);
        };
        self.gate.pardon(source.remote.ip());
        let request = Request {
            call_id: call_id.into_owned(),
            cseq: cseq.number,
            wish,
            flow: source,
            user_agent: m.headers.get(&Name::UserAgent).map(|u| u.chars().take(120).collect()).unwrap_or_default(),
        };
        let aor = Aor { tenant, user };
        match self.registrar.register(now.mono, &aor, &request) {
            Ok(reach) => {
                self.bindings_listed(now, id, m, &aor, out);
                Self::tell_reach(vec![(aor, reach)], out);
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
    fn bindings_listed(&mut self, now: Now, id: TxId, m: &Message, aor: &Aor, out: &mut Vec<Output>) {
        let Some(s) = self.servers.get(&id) else { return };
        let mut response = self.reply(m, 200, "", &s.tag);
        for binding in self.registrar.bindings(aor) {
            let mut contact = NameAddr::new(binding.contact.clone());
            if binding.q < 1000 {
                contact.params.set("q", format!("0.{:03}", binding.q));
            }
            contact.params.set("expires", binding.expires_s(now.mono));
            response.headers.push(Name::Contact, contact);
        }
        self.respond(now, id, &response, out);
    }
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
