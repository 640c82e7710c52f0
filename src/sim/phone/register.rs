//! A telephone registers: by hand, for the stack answers registrations and makes none.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Deed, Phone};
use crate::{
    base::{Now, ms, secs},
    sip::{
        msg::{Contacts, Message, Name, NameAddr, SipUri},
        stack::SipSettings,
    },
};

#[derive(Debug)]
pub(super) struct Registration {
    cseq: u32,
    bytes: Bytes,
    tries: u32,
    answered: Option<String>,
    open: bool,
}

/// How long a registration lasts, and how often it is refreshed.
const EXPIRES: Duration = secs(120);
const REFRESH: Duration = secs(55);

impl Phone {
    /// Its own settings of SIP.
    pub fn sip(&mut self, change: impl FnOnce(&mut SipSettings)) {
        let mut settings = (**self.stack.current_settings()).clone();
        change(&mut settings);
        self.stack.settings(Arc::new(settings));
    }

    pub(super) fn register_now(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) {
        let cseq = self.registration.as_ref().map_or(1, |r| r.cseq + 1);
        self.deeds.push((now.mono + REFRESH, Deed::Register));
        self.send_register(now, cseq, None, None, out);
    }

    fn send_register(
        &mut self,
        now: Now,
        cseq: u32,
        authorization: Option<String>,
        answered: Option<String>,
        out: &mut Vec<(SocketAddr, Bytes)>,
    ) {
        let (user, domain, addr) = (&self.user, &self.domain, self.addr);
        let branch = self.rng.hex(8);
        let instance = self.instance.as_ref().map(|i| format!(";+sip.instance=\"<{i}>\"")).unwrap_or_default();
        let auth = authorization.map(|a| format!("Authorization: {a}\r\n")).unwrap_or_default();
        let text = format!(
            "REGISTER sip:{domain} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {addr};branch=z9hG4bK{branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@{domain}>;tag=r{cseq}\r\n\
             To: <sip:{user}@{domain}>\r\n\
             Call-ID: register-{user}@{}\r\n\
             CSeq: {cseq} REGISTER\r\n\
             Contact: <{}>{instance};expires={}\r\n\
             Supported: gruu\r\n\
             {auth}Content-Length: 0\r\n\r\n",
            addr.ip(),
            SipUri::at(Some(user), addr),
            EXPIRES.as_secs(),
        );
        let bytes = Bytes::from(text);
        out.push((self.server, bytes.clone()));
        self.registration = Some(Registration { cseq, bytes, tries: 0, answered, open: true });
        self.deeds.retain(|(_, d)| *d != Deed::Again);
        self.deeds.push((now.mono + ms(500), Deed::Again));
    }

    pub(super) fn register_again(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some(r) = self.registration.as_mut().filter(|r| r.open && r.tries < 6) else { return };
        r.tries += 1;
        out.push((self.server, r.bytes.clone()));
        self.deeds.push((now.mono + ms(500) * 2u32.pow(r.tries), Deed::Again));
    }

    pub(super) fn register_answered(&mut self, now: Now, m: &Message, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some(r) = self.registration.as_mut() else { return };
        if !r.open || m.cseq().is_ok_and(|c| c.number != r.cseq) {
            return;
        }
        match m.code() {
            Some(401) => {
                r.open = false;
                let (cseq, answered) = (r.cseq + 1, r.answered.clone());
                let challenges: Vec<String> = m.headers.all(&Name::WwwAuthenticate).map(|c| c.into_owned()).collect();
                let Some(credentials) = self.credentials.clone() else { return };
                let uri = format!("sip:{}", self.domain);
                let list = challenges.iter().map(String::as_str);
                if let Some(a) = credentials.answer(&mut self.rng, "REGISTER", &uri, list, answered.as_deref()) {
                    self.send_register(now, cseq, Some(a.value), Some(a.nonce), out);
                }
            }
            Some(200) => {
                r.open = false;
                self.registered = true;
                let own = |c: &NameAddr| {
                    self.instance.as_ref().is_some_and(|i| c.params.get("+sip.instance").is_some_and(|n| n.contains(&**i)))
                };
                if let Ok(Contacts::List(list)) = m.contacts() {
                    self.gruu = list.iter().find(|c| own(c)).and_then(|c| Some(c.params.get("pub-gruu")?.into_owned()));
                }
            }
            Some(code) if code >= 300 => {
                r.open = false;
                self.registered = false;
            }
            _ => {}
        }
    }
}
