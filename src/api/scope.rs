//! Which interactions somebody may look into: supervisors all of the tenant, agents those that are or were their own.
//!
//! What is not theirs to see is answered like what does not exist only across tenants; within one, a plain "not yours" helps
//! more than it tells.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Problem, Shared, agents, guard::Who, wire};
use crate::{
    base::{AgentId, InteractionId, QueueId, limits},
    center::{command::Role, fact::Fact},
};

/// An interaction that may be seen.
#[derive(Debug)]
pub struct Seen {
    /// Its record in the history; none when it is so new that the store has not got it.
    pub record: Option<Value>,
    /// How it stands now, if it goes on.
    pub now: Option<Value>,
}

/// The agent the caller is.
pub fn me(who: &Who) -> Result<AgentId, Problem> {
    let none = || Problem::not_allowed("an API key is no agent: say which agent is meant, with a key of the role supervisor");
    who.actor.agent().cloned().ok_or_else(none)
}

/// The queues a supervisor's part is limited to; none where there is no limit, and for administrators.
pub fn only_queues(shared: &Shared, who: &Who) -> Option<BTreeSet<QueueId>> {
    let me = who.actor.agent().filter(|_| who.role < Role::Admin)?;
    shared.door.settings().tenants.get(&who.tenant)?.config.supervision.queues.get(me).cloned()
}

/// Whether the agent was ever connected with it: a transfer leaves both a part in it.
async fn handled(shared: &Shared, who: &Who, me: &AgentId, id: InteractionId) -> Result<bool, Problem> {
    let facts = shared.store.timeline(&who.tenant, id, false, limits::LIST_MAX).await.map_err(Problem::internal)?;
    Ok(facts.iter().any(|r| matches!(&r.fact, Fact::Connected { agent, .. } if agent == me)))
}

/// Finds an interaction of the caller's tenant and whether they may see it.
pub async fn may_see(shared: &Shared, who: &Who, id: InteractionId) -> Result<Seen, Problem> {
    let record = shared.store.interaction_get(&who.tenant, id).await.map_err(Problem::internal)?;
    let view = agents::picture(shared, who);
    let now = view.interactions.get(&id);
    if record.is_none() && now.is_none() {
        return Err(Problem::not_found(format!("interaction `{id}`")));
    }
    if !who.supervises() {
        let me = me(who)?;
        let working = view.agents.get(&me).is_some_and(|a| a.work.iter().any(|w| w.interaction == id));
        let holding = now.is_some_and(|i| i.agent.as_ref() == Some(&me));
        if !working && !holding && !handled(shared, who, &me, id).await? {
            return Err(Problem::not_allowed(format!("interaction `{id}` is not yours; others' need the role supervisor")));
        }
    }
    Ok(Seen { record: record.as_ref().map(wire::to_json).transpose()?, now: now.map(wire::to_json).transpose()? })
}
