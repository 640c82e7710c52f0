//! A telephone with lamps: it subscribes by hand, for the stack answers subscriptions and makes none, and reads what it is told.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{Deed, Phone};
use crate::{
    base::{Now, ms, secs},
    sip::msg::{Message, Method, Name, SipUri},
};

/// A lamp.
#[derive(Debug, Clone, Default)]
pub struct Watching {
    /// The event.
    pub event: String,
    /// Who is watched.
    pub whom: String,
    /// The status of the last answer to a SUBSCRIBE.
    pub code: u16,
    /// What was told, in the order of its numbers: only what was new.
    pub told: Vec<String>,
    /// The last Subscription-State.
    pub state: String,
    /// It forgets its dialogs: every NOTIFY is answered 481.
    pub forgets: bool,
    method: &'static str,
    text: String,
    tag: String,
    /// Their tag, once there is a dialog.
    peer: String,
    cseq: u32,
    expires: u32,
    open: bool,
    bytes: Bytes,
    tries: u32,
    answered: Option<String>,
    /// The number of their last NOTIFY.
    heard: u32,
}

impl Watching {
    /// The calls of the watched user as the lamp shows them now: `early`, `confirmed`; empty when it is dark.
    pub fn lamp(&self) -> Vec<String> {
        let mut calls: Vec<(String, String)> = Vec::new();
        for doc in &self.told {
            if doc.contains("state=\"full\"") {
                calls.clear();
            }
            for entry in doc.split("<dialog id=\"").skip(1) {
                let id = entry.split('"').next().unwrap_or_default().to_owned();
                let state = entry.split("<state>").nth(1).and_then(|s| s.split('<').next()).unwrap_or_default().to_owned();
                calls.retain(|(i, _)| *i != id);
                if state != "terminated" {
                    calls.push((id, state));
                }
            }
        }
        calls.into_iter().map(|(_, state)| state).collect()
    }
}

impl Phone {
    /// Sets a lamp on somebody: `dialog`, `presence`, `message-summary`, `reg`.
    pub fn watch(&mut self, now: Now, event: &str, whom: &str, out: &mut Vec<(SocketAddr, Bytes)>) {
        self.lamp_begins(now, "SUBSCRIBE", event, whom, "", out);
    }

    /// Writes a line to somebody's phones.
    pub fn page(&mut self, now: Now, whom: &str, text: &str, out: &mut Vec<(SocketAddr, Bytes)>) {
        self.lamp_begins(now, "MESSAGE", "", whom, text, out);
    }

    fn lamp_begins(
        &mut self,
        now: Now,
        method: &'static str,
        event: &str,
        whom: &str,
        text: &str,
        out: &mut Vec<(SocketAddr, Bytes)>,
    ) {
        let tag = self.rng.hex(6);
        let (event, whom, text) = (event.to_owned(), whom.to_owned(), text.to_owned());
        self.watches.push(Watching { event, whom, method, text, tag, expires: 300, ..Watching::default() });
        self.send_watch(now, self.watches.len() - 1, None, out);
    }

    /// Takes its newest lamp off.
    pub fn unwatch(&mut self, now: Now, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some(i) = self.watches.len().checked_sub(1) else { return };
        self.watches[i].expires = 0;
        self.deeds.retain(|(_, d)| *d != Deed::Renew(i));
        self.send_watch(now, i, None, out);
    }

    pub(super) fn renew(&mut self, now: Now, i: usize, out: &mut Vec<(SocketAddr, Bytes)>) {
        self.send_watch(now, i, None, out);
    }

    fn send_watch(&mut self, now: Now, i: usize, authorization: Option<String>, out: &mut Vec<(SocketAddr, Bytes)>) {
        if authorization.is_none() {
            self.watches[i].answered = None;
        }
        let (user, domain, addr) = (&self.user, &self.domain, self.addr);
        let branch = self.rng.hex(8);
        let auth = authorization.map(|a| format!("Authorization: {a}\r\n")).unwrap_or_default();
        let w = &mut self.watches[i];
        w.cseq += 1;
        let to = if w.peer.is_empty() { String::new() } else { format!(";tag={}", w.peer) };
        let about = match w.method {
            "SUBSCRIBE" => {
                format!("Event: {}\r\nExpires: {}\r\nContact: <{}>\r\n", w.event, w.expires, SipUri::at(Some(user), addr))
            }
            _ => "Content-Type: text/plain\r\n".to_owned(),
        };
        let (method, whom, tag, cseq, text) = (w.method, &w.whom, &w.tag, w.cseq, &w.text);
        w.bytes = Bytes::from(format!(
            "{method} sip:{whom}@{domain} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {addr};branch=z9hG4bK{branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@{domain}>;tag={tag}\r\n\
             To: <sip:{whom}@{domain}>{to}\r\n\
             Call-ID: lamp-{tag}\r\n\
             CSeq: {cseq} {method}\r\n\
             {about}{auth}Content-Length: {}\r\n\r\n{text}",
            text.len(),
        ));
        (w.open, w.tries) = (true, 0);
        out.push((self.server, w.bytes.clone()));
        self.deeds.retain(|(_, d)| *d != Deed::Watch(i));
        self.deeds.push((now.mono + ms(500), Deed::Watch(i)));
    }

    pub(super) fn watch_again(&mut self, now: Now, i: usize, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some(w) = self.watches.get_mut(i).filter(|w| w.open && w.tries < 6) else { return };
        w.tries += 1;
        out.push((self.server, w.bytes.clone()));
        self.deeds.push((now.mono + ms(500) * 2u32.pow(w.tries), Deed::Watch(i)));
    }

    /// A message about a lamp, or a line of text. False: it is neither.
    pub(super) fn lamp_message(&mut self, now: Now, from: SocketAddr, m: &Message, out: &mut Vec<(SocketAddr, Bytes)>) -> bool {
        let lamp = |w: &Watching| m.call_id().is_ok_and(|c| c == format!("lamp-{}", w.tag));
        let found = self.watches.iter().position(lamp);
        match (m.method(), found) {
            (None, Some(i)) => self.watch_answered(now, i, m, out),
            (Some(Method::Notify), Some(i)) => {
                let code = self.lamp_told(i, m);
                out.push((from, Message::response_to(m, code, "").write()));
            }
            (Some(Method::Message), _) => {
                let text = String::from_utf8_lossy(&m.body).into_owned();
                // A page that comes twice is one.
                if !self.pages.contains(&text) {
                    self.pages.push(text);
                }
                out.push((from, Message::response_to(m, 200, "").write()));
            }
            _ => return false,
        }
        true
    }

    fn lamp_told(&mut self, i: usize, m: &Message) -> u16 {
        let w = &mut self.watches[i];
        if w.forgets {
            return 481;
        }
        // A NOTIFY may come before the 200: it makes the dialog (RFC 6665 4.1.2.4).
        w.peer = m.from_tag().unwrap_or_default();
        let n = m.cseq().map_or(0, |c| c.number);
        if n < w.heard {
            return 500;
        }
        if n > w.heard {
            w.heard = n;
            w.state = m.headers.get(&Name::SubscriptionState).unwrap_or_default().into_owned();
            w.told.push(String::from_utf8_lossy(&m.body).into_owned());
        }
        200
    }

    fn watch_answered(&mut self, now: Now, i: usize, m: &Message, out: &mut Vec<(SocketAddr, Bytes)>) {
        let w = &mut self.watches[i];
        if !w.open || m.cseq().is_ok_and(|c| c.number != w.cseq) {
            return;
        }
        let code = m.code().unwrap_or(0);
        if code < 200 {
            return;
        }
        (w.open, w.code) = (false, code);
        match code {
            401 => {
                let uri = format!("sip:{}@{}", w.whom, self.domain);
                let challenges: Vec<String> = m.headers.all(&Name::WwwAuthenticate).map(|c| c.into_owned()).collect();
                let Some(credentials) = self.credentials.clone() else { return };
                let answered = w.answered.clone();
                let list = challenges.iter().map(String::as_str);
                if let Some(a) = credentials.answer(&mut self.rng, w.method, &uri, list, answered.as_deref()) {
                    w.answered = Some(a.nonce);
                    self.send_watch(now, i, Some(a.value), out);
                }
            }
            200..300 if w.method == "SUBSCRIBE" => {
                w.peer = m.to_tag().unwrap_or_default();
                let lasts = m.expires().unwrap_or(0);
                if lasts > 0 {
                    self.deeds.push((now.mono + secs(u64::from(lasts) / 2), Deed::Renew(i)));
                }
            }
            // Forgotten there: it begins anew.
            481 if !w.peer.is_empty() && w.expires > 0 => {
                (w.peer, w.heard) = (String::new(), 0);
                self.send_watch(now, i, None, out);
            }
            _ => {}
        }
    }
}
