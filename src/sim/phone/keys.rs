//! Keys of a telephone that has a call: hold, transfer, forward.

use std::net::SocketAddr;

use bytes::Bytes;
use media::wire::Direction;

use super::{Phone, Stage, body};
use crate::{
    base::Now,
    sdp,
    sip::{
        msg::{Headers, Host, Name, NameAddr, SipUri, Uri},
        stack::{Action, DialogKey, Input},
    },
};

impl Phone {
    /// Puts the other side on hold by signalling, or takes it back.
    pub fn hold(&mut self, now: Now, on: bool, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Some((key, call)) = self.call().filter(|(_, c)| c.stage == Stage::Up) else { return };
        let mut local = self.local(call.rtp, 1);
        local.direction = if on { Direction::SendOnly } else { Direction::SendRecv };
        let Some(last) = call.ours.clone() else { return };
        let ours = self.as_browser(call.rtp, sdp::reoffer(&last, &local));
        if let Some(c) = self.calls.get_mut(&key) {
            c.ours = Some(ours.clone());
        }
        self.feed(now, Input::Do(Action::Reinvite { dialog: key, body: body(&ours) }), out);
    }

    /// Presses transfer: the oldest call that is on goes to a number, or (`None`) to whom the newest one is with.
    pub fn transfer(&mut self, now: Now, to: Option<&str>, out: &mut Vec<(SocketAddr, Bytes)>) {
        let mut up = self.calls.iter().filter(|(_, c)| c.stage == Stage::Up).map(|(k, c)| (*k, c.other.clone()));
        let (Some((dialog, _)), newest) = (up.next(), up.next_back()) else { return };
        let user = to.map(str::to_owned).or_else(|| newest.as_ref().map(|(_, other)| other.clone()));
        let host = crate::sip::msg::Host::parse(&self.domain).expect("the domain is a name");
        let target = match Uri::parse(&format!("sip:{}", user.as_deref().unwrap_or_default())) {
            Ok(Uri::Sip(whole)) if whole.user().is_some() => Box::new(whole),
            _ => Box::new(SipUri::new(user.as_deref(), host, None)),
        };
        let replaces = if to.is_none() { newest.map(|(k, _)| k) } else { None };
        self.feed(now, Input::Do(Action::Refer { dialog, to: target, replaces, headers: self.extras.clone() }), out);
    }

    /// What names its call that is on to whoever may take its place (RFC 3891).
    pub fn replaces(&self) -> Option<String> {
        let s = self.stack.snapshot(self.call()?.0)?;
        let tag = |t: &str| NameAddr::parse(t).ok().and_then(|a| a.tag());
        Some(format!("{};to-tag={};from-tag={}", s.call_id, tag(&s.remote)?, tag(&s.local)?))
    }

    /// Sends a caller on to another number.
    pub(super) fn send_on(&mut self, now: Now, dialog: DialogKey, number: &str, out: &mut Vec<(SocketAddr, Bytes)>) {
        let host = Host::Ip(self.addr.ip());
        let mut headers = Headers::new();
        headers.push(Name::Contact, NameAddr::new(SipUri::new(Some(number), host, None)));
        self.set_stage(dialog, Stage::Over(302));
        let go = Action::Respond { dialog, code: 302, reason: String::new(), headers, body: None };
        self.feed(now, Input::Do(go), out);
    }
}
