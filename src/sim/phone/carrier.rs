//! A phone as the far end of a trunk: it keeps a registrar, and it breaks down.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;

use super::{Deed, Phone, Stage};
use crate::{
    base::{Now, TenantId},
    sip::{
        auth::Ha1,
        stack::{Action, Counters, DialogKey, Input, Refer},
    },
};

/// What it does when it is asked to call somebody else in our place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Takes {
    /// Refuses (603).
    #[default]
    Refused,
    /// Calls them, and says so.
    Away,
    /// Tries, and says that nobody is there (480).
    Tried,
    /// Says that it will, and nothing more.
    Silent,
}

impl Phone {
    /// Whoever knows this password may register here, in the realm of this address.
    pub fn lets_register(&mut self, user: &str, password: &str) {
        let tenant = TenantId::parse("phone").expect("a plain word");
        let realm = self.addr.ip().to_string();
        let mut settings = (**self.stack.current_settings()).clone();
        settings.users.insert((tenant.clone(), user.to_owned()), Ha1::new(user, &realm, password));
        settings.realms.insert(tenant, realm);
        self.stack.settings(Arc::new(settings));
    }
    /// Who is registered here, and where.
    pub fn has_registered(&self, user: &str) -> Option<String> {
        let tenant = TenantId::parse("phone").expect("a plain word");
        self.stack.bindings(&tenant, user).first().map(|b| b.contact.to_string())
    }
    /// What its stack has seen.
    pub fn counters(&self) -> Counters {
        self.stack.counters()
    }

    /// The carrier behind it breaks down while it rings.
    pub fn breaks_down(&mut self, now: Now, code: u16) {
        let ringing: Vec<_> = self.calls.iter().filter(|(_, c)| c.stage == Stage::Ringing).map(|(k, _)| *k).collect();
        self.deeds.extend(ringing.into_iter().map(|k| (now.mono, Deed::BreakDown(k, code))));
    }

    /// Asked to call somebody in our place.
    pub(super) fn asked(&mut self, now: Now, dialog: DialogKey, refer: &Refer, out: &mut Vec<(SocketAddr, Bytes)>) {
        self.asked_to_call.push(refer.to.user().into_owned());
        let id = refer.id;
        let code = if self.takes == Takes::Refused { 603 } else { 202 };
        self.feed(now, Input::Do(Action::RespondRefer { dialog, refer: id, code }), out);
        let told = match self.takes {
            Takes::Away => 200,
            Takes::Tried => 480,
            Takes::Refused | Takes::Silent => return,
        };
        self.feed(now, Input::Do(Action::Notify { dialog, refer: id, code: told, over: true }), out);
    }
}
