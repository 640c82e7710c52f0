//! The center's door as edges hold it: commands go into the loop, views come from the last picture.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tokio::sync::oneshot;

use super::{
    business::Business,
    clock::Clock,
    driver::{Inbox, Shown, Wake},
};
use crate::{
    base::{InteractionId, Now, TenantId},
    call,
    center::{
        Input,
        command::{Actor, Command, CommandId, Done, Envelope, Refusal, RefusalCode},
        door::{Door, Pending},
        fact::Quality,
        ladder::Order,
        settings::Settings,
        view::TenantView,
    },
    sip::{
        auth::{Grant, Revoke},
        stack,
    },
};

/// See [`Door`].
pub struct Front {
    pub inbox: Inbox,
    pub shown: Arc<Shown>,
    pub clock: Clock,
    pub settings: Arc<RwLock<Arc<Settings>>>,
    pub business: Arc<Business>,
    pub next: AtomicU64,
}

impl Door for Front {
    fn command(&self, tenant: TenantId, by: Actor, command: Command) -> Pending<Result<Done, Refusal>> {
        let id = CommandId(self.next.fetch_add(1, Relaxed) + 1);
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.offer(Wake::Command(Envelope { id, tenant, by, command }, reply));
        Box::pin(async move {
            let busy = || Refusal::new(RefusalCode::Unavailable, "the server is overloaded or shutting down; try again soon");
            match sent {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(busy())),
                Err(_) => Err(busy()),
            }
        })
    }

    fn ladder(&self, tenant: &TenantId, interaction: InteractionId) -> Pending<Option<Order>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.offer(Wake::Ladder(tenant.clone(), interaction, reply));
        // Whatever keeps it from answering: what is stored is there.
        Box::pin(async move { if sent.is_ok() { answer.await.ok().flatten() } else { None } })
    }

    fn quality(&self, legs: Vec<u64>) -> Pending<BTreeMap<u64, Quality>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.offer(Wake::Quality(legs, reply));
        Box::pin(async move { if sent.is_ok() { answer.await.unwrap_or_default() } else { BTreeMap::new() } })
    }

    fn view(&self, tenant: &TenantId) -> Option<Arc<TenantView>> {
        self.shown.views.read().unwrap_or_else(|e| e.into_inner()).get(tenant).cloned()
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn apply(&self, by: Actor, yaml: String, dry_run: bool) -> Pending<Result<String, Vec<String>>> {
        let business = self.business.clone();
        Box::pin(async move { business.apply(&who(&by), &yaml, dry_run).await })
    }

    fn grant_phone(&self, grant: Grant) {
        self.inbox.put(Wake::Center(Input::Call(call::Input::Sip(stack::Input::Grant(grant)))));
    }

    fn revoke_phones(&self, which: Revoke) {
        self.inbox.put(Wake::Center(Input::Call(call::Input::Sip(stack::Input::Revoke(which)))));
    }

    fn now(&self) -> Now {
        self.clock.now()
    }
}

fn who(by: &Actor) -> String {
    match by {
        Actor::User { user, .. } => user.to_string(),
        Actor::Key { name, .. } => format!("key:{name}"),
        Actor::Visitor { .. } => "visitor".into(),
        Actor::System => "system".into(),
    }
}
