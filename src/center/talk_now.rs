//! A visitor of a page talks to us from the browser: a login that is good for one call to one place, and what that call is to us.
//!
//! Nothing is kept of a visitor who has asked and does not call. A call's contact is the visitor's: the same customer as their
//! chat, with the page they are on. Logins live in memory only: after a restart a page asks for another one.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Center, Output,
    command::{Done, Refusal, RefusalCode},
    fact::EndedBy,
    leave::line,
    turns::Timer,
};
use crate::{
    base::{Channel, CustomerId, InteractionId, Now, TenantId, VisitorId, limits},
    call::{Action, Cause},
    customer,
    sip::auth::{Grant, Ha1, Revoke},
};

/// What was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub name: String,
    pub language: Option<String>,
    pub page: Option<String>,
    /// The digest's user name and hashes of the login, made by the edge.
    pub login: (String, Ha1),
}

/// Somebody who may call, or does.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub tenant: TenantId,
    pub visitor: VisitorId,
    pub name: String,
    language: Option<String>,
    page: Option<String>,
    /// The call, once it is there.
    interaction: Option<InteractionId>,
}

impl Guest {
    /// What agents and flows see of it with the contact.
    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let known = [("asked_on", Some("web".to_owned())), ("page", self.page.clone())];
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
    /// By what they are known.
    pub(super) fn identity(&self) -> Option<customer::Identity> {
        customer::Identity::channel(Channel::Webchat, &self.visitor.to_string()).ok()
    }
}

impl Center {
    /// Lets a visitor make one call, or says why not. Asked again, what they had before is over.
    pub(super) fn talk_now(
        &mut self,
        now: Now,
        tenant: &TenantId,
        visitor: VisitorId,
        asked: Asked,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        let Some(config) = settings.config.chat.talk_now.as_ref() else {
            return Err(Refusal::not_found("a call on this site"));
        };
        if settings.talk_now(now.wall).is_none() {
            return Err(Refusal::new(RefusalCode::WrongState, "nobody is there to talk to outside the hours"));
        }
        if !self.admission {
            return Err(Refusal::new(RefusalCode::Unavailable, "no new calls are taken right now; try again soon"));
        }
        // A page that was loaded anew knows nothing of its call, and nobody talks twice.
        let before: Vec<String> =
            self.guests.iter().filter(|(_, g)| g.tenant == *tenant && g.visitor == visitor).map(|(l, _)| l.clone()).collect();
        for login in before {
            self.guest_over(now, &login, out);
        }
        if self.guests.values().filter(|g| g.tenant == *tenant).count() >= config.at_once as usize {
            return Err(Refusal::new(RefusalCode::Limit, "too many visitors talk right now; try again soon"));
        }
        let (username, ha1) = asked.login;
        let guest = Guest {
            tenant: tenant.clone(),
            visitor,
            name: line(&asked.name, 80),
            language: asked.language,
            page: asked.page.as_deref().map(|p| line(p, 500)).filter(|p| !p.is_empty()),
            interaction: None,
        };
        let lasts = limits::TALK_NOW_GRANT_LIFE;
        self.call(Action::Grant(Grant {
            tenant: tenant.clone(),
            user: username.clone(),
            username: username.clone(),
            ha1,
            session: String::new(),
            lasts,
            only: Some(config.to.dialled().to_owned()),
        }));
        self.timers.set(Timer::Guest(username.clone()), now.mono + lasts);
        self.guests.insert(username, guest);
        Ok(Done::Ok)
    }

    /// Who calls with this login, while no call of theirs is here.
    pub(super) fn guest(&self, tenant: &TenantId, login: &str) -> Option<&Guest> {
        self.guests.get(login).filter(|g| g.tenant == *tenant && g.interaction.is_none())
    }

    /// Who it is: the customer of their chats.
    pub(super) fn guest_customer(&mut self, now: Now, guest: &Guest, out: &mut Vec<Output>) -> Option<CustomerId> {
        let (tenant, identity) = (&guest.tenant, guest.identity()?);
        let customer = self.customer_by(now, tenant, identity, customer::Trust::Unverified, Some(&guest.name), out);
        self.customer_contact(now, tenant, customer, None, guest.language.as_deref(), out);
        Some(self.tenants.get(tenant).map_or(customer, |t| t.customers.resolve(customer)))
    }

    /// The call is there: from now on it is counted, and may last so long.
    pub(super) fn guest_calls(&mut self, now: Now, login: &str, interaction: InteractionId) {
        let Some(g) = self.guests.get_mut(login) else { return };
        g.interaction = Some(interaction);
        let minutes =
            self.tenants.get(&g.tenant).and_then(|t| t.settings.config.chat.talk_now.as_ref()).map_or(0, |t| t.max_min);
        self.timers.set(Timer::Guest(login.to_owned()), now.mono + Duration::from_secs(60 * u64::from(minutes)));
    }

    /// Its time is up, or another takes its place: nobody may call with it any more, and a call with it ends.
    pub(super) fn guest_over(&mut self, now: Now, login: &str, out: &mut Vec<Output>) {
        self.timers.clear(&Timer::Guest(login.to_owned()));
        let Some(g) = self.guests.remove(login) else { return };
        match g.interaction {
            Some(id) => self.close(now, id, Cause::Normal, EndedBy::System, out),
            None => self.call(Action::Revoke(Revoke::Login { tenant: g.tenant, username: login.to_owned() })),
        }
    }

    /// A contact is gone, and with it the place of whoever called.
    pub(super) fn guest_gone(&mut self, id: InteractionId) {
        let gone: Vec<String> = self.guests.iter().filter(|(_, g)| g.interaction == Some(id)).map(|(l, _)| l.clone()).collect();
        for login in gone {
            self.guests.remove(&login);
            self.timers.clear(&Timer::Guest(login));
        }
    }
}
