//! Handing on by signalling: a phone that asks us to (REFER), and a carrier we ask.

use media::wire::LegId;

use super::{By, Calls, Cause, Event, Output, calls::State};
use crate::{
    base::Now,
    sip::{
        msg::{Headers, Host, SipUri, Uri},
        stack::{self, DialogKey, Refer, ReferId},
    },
};

impl Calls {
    /// A phone wants its call handed on.
    pub(super) fn referred(&mut self, now: Now, dialog: DialogKey, refer: Refer, out: &mut Vec<Output>) {
        let refuse = |code| stack::Action::RespondRefer { dialog, refer: refer.id, code };
        let Some(&leg) = self.dialogs.get(&dialog) else { return self.sip(now, refuse(481), out) };
        let replaces = match refer.replaces.map(|key| self.dialogs.get(&key).copied()) {
            Some(None) => return self.sip(now, refuse(481), out),
            Some(Some(other)) if other == leg => return self.sip(now, refuse(400), out),
            other => other.flatten(),
        };
        let to = match &refer.to {
            Uri::Tel(t) => t.digits(),
            other => other.user().into_owned(),
        };
        out.push(Output::Event(Event::Referred { leg, refer: refer.id, to, replaces }));
    }

    /// The answer: the call is handed on (its phone is told that it has been), or it is not.
    pub(super) fn answer_refer(&mut self, now: Now, leg: LegId, refer: ReferId, code: u16, out: &mut Vec<Output>) {
        let Some(dialog) = self.legs.get(&leg).and_then(|l| l.dialog) else { return };
        if code >= 300 {
            return self.sip(now, stack::Action::RespondRefer { dialog, refer, code }, out);
        }
        self.sip(now, stack::Action::RespondRefer { dialog, refer, code: 202 }, out);
        self.sip(now, stack::Action::Notify { dialog, refer, code: 200, over: true }, out);
    }

    /// Asks the peer to call a number in our place, so that neither its signalling nor its sound goes by us any longer.
    pub(super) fn release_to(&mut self, now: Now, leg: LegId, number: &str, replaces: Option<LegId>, out: &mut Vec<Output>) {
        let failed = Output::Event(Event::Released { leg, done: false });
        let dialog = self.legs.get(&leg).filter(|l| matches!(l.state, State::Up)).and_then(|l| l.dialog);
        let other = replaces.and_then(|r| self.legs.get(&r)).and_then(|l| l.dialog);
        let target = dialog.and_then(|d| self.stack.snapshot(d)).and_then(|s| Uri::parse(&s.remote_target).ok());
        let host = target.and_then(|u| Some((u.sip()?.host.clone(), u.sip()?.port)));
        let (Some(dialog), Some((host, port))) = (dialog, host) else { return out.push(failed) };
        if replaces.is_some() && other.is_none() {
            return out.push(failed);
        }
        let host: Host = host;
        let to = Box::new(SipUri::new(Some(number), host, port));
        self.sip(now, stack::Action::Refer { dialog, to, replaces: other, headers: Headers::new() }, out);
    }

    pub(super) fn refer_answered(&mut self, dialog: DialogKey, code: u16, out: &mut Vec<Output>) {
        if code >= 300
            && let Some(&leg) = self.dialogs.get(&dialog)
        {
            tracing::info!(?leg, code, "the peer does not call others for us");
            out.push(Output::Event(Event::Released { leg, done: false }));
        }
    }

    /// The peer reached the number, and we are out of the way; or it did not, and the call is as it was.
    pub(super) fn refer_progress(&mut self, now: Now, dialog: DialogKey, code: u16, over: bool, out: &mut Vec<Output>) {
        let Some(&leg) = self.dialogs.get(&dialog) else { return };
        let done = (200..300).contains(&code);
        if !done && !over {
            return;
        }
        out.push(Output::Event(Event::Released { leg, done }));
        if done {
            self.hang_up(now, leg, Cause::Normal, By::Us, out);
        }
    }
}
