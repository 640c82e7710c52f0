//! Handing on by signalling: a phone asks us to (REFER).

use media::wire::LegId;

use super::{Calls, Event, Output};
use crate::{
    base::Now,
    sip::{
        msg::Uri,
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
}
