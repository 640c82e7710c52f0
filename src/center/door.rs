//! The door of the center: what an edge that talks to people needs of it. The roof builds one; edges hold it.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use super::{
    command::{Actor, Command, Done, Refusal},
    fact::Quality,
    ladder::Order,
    settings::Settings,
    view::TenantView,
};
use crate::{
    base::{InteractionId, Now, TenantId},
    sip::auth::{Grant, Revoke},
};

/// A future an edge may await on any executor.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Commands in, pictures out. Facts are not here: they come from the store once they are committed.
pub trait Door: Send + Sync + 'static {
    /// Asks; the answer is the center's.
    fn command(&self, tenant: TenantId, by: Actor, command: Command) -> Pending<Result<Done, Refusal>>;
    /// What has gone over the wire of a contact that goes on or has just ended.
    fn ladder(&self, _tenant: &TenantId, _interaction: InteractionId) -> Pending<Option<Order>> {
        Box::pin(async { None })
    }
    /// How legs that go on have sounded so far; those that are gone are left out.
    fn quality(&self, _legs: Vec<u64>) -> Pending<BTreeMap<u64, Quality>> {
        Box::pin(async { BTreeMap::new() })
    }
    /// The latest picture of a tenant, at most a quarter of a second old.
    fn view(&self, tenant: &TenantId) -> Option<Arc<TenantView>>;
    /// The settings in force.
    fn settings(&self) -> Arc<Settings>;
    /// Checks and puts in force a new business configuration given as YAML; the diff it made, or the problems found.
    fn apply(&self, by: Actor, yaml: String, dry_run: bool) -> Pending<Result<String, Vec<String>>>;
    /// From now on a phone may log in with this.
    fn grant_phone(&self, grant: Grant);
    /// From now on phones may not log in with these any more.
    fn revoke_phones(&self, which: Revoke);
    /// What time it is: edges take it from here, not from the system.
    fn now(&self) -> Now;
}
