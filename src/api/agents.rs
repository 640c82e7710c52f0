//! Agents and queues: the live picture, and what is asked of an agent.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Problem, Shared, feed, guard::Who, problem::Body, wire};
use crate::{
    base::{AgentId, CodeId},
    center::{
        command::{Command, WantedState},
        view::TenantView,
    },
};

/// The state asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateWish {
    /// `ready`, `not_ready` or `away`.
    state: StateWord,
    /// Why, for `not_ready`: a code of `/codes`.
    #[serde(default)]
    reason: Option<String>,
}

/// A state an agent may choose.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateWord {
    /// Takes offers.
    Ready,
    /// At the desk, takes none.
    NotReady,
    /// Signed in, gone.
    Away,
}

/// Whom to call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// As one would dial it.
    number: String,
    /// On behalf of this queue: its wrap-up and outcomes.
    #[serde(default)]
    queue: Option<String>,
}

/// Where an agent's calls ring.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EndpointWish {
    /// At the phones that register under the agent's name: the browser's, a desk phone's.
    Phone {},
    /// At a number outside, by the route that leads there; whoever answers presses 1 to take the call.
    Number {
        /// As one would dial it.
        number: String,
    },
}

/// Codes an agent chooses from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Codes {
    /// Not-ready reasons.
    reasons: Vec<Code>,
    /// Outcomes.
    dispositions: Vec<Code>,
    /// A customer on hold for longer than this, seconds, is marked; never if 0.
    hold_warn_s: u32,
}

/// One code.
#[derive(Debug, Serialize, ToSchema)]
pub struct Code {
    /// What is sent.
    id: String,
    /// What is shown.
    name: String,
    /// The queues it is offered in; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queues: Vec<String>,
}

fn code(id: &CodeId, name: &str) -> Code {
    Code { id: id.to_string(), name: if name.is_empty() { id.to_string() } else { name.to_owned() }, queues: Vec::new() }
}

/// The tenant's picture; an empty one before the first was taken.
pub(super) fn picture(shared: &Shared, who: &Who) -> Arc<TenantView> {
    shared.door.view(&who.tenant).unwrap_or_default()
}

/// The codes of the tenant.
#[utoipa::path(get, path = "/api/v1/codes", tag = "agents", responses((status = 200, body = Codes)))]
pub async fn codes(State(shared): State<Arc<Shared>>, who: Who) -> Json<Codes> {
    let settings = shared.door.settings();
    let Some(tenant) = settings.tenants.get(&who.tenant) else {
        return Json(Codes { reasons: Vec::new(), dispositions: Vec::new(), hold_warn_s: 0 });
    };
    let plan = &tenant.plan;
    let dispositions = plan.dispositions.iter().map(|(id, d)| {
        // A queue that names none takes every outcome.
        let takes = |q: &&crate::routing::QueuePlan| q.dispositions.is_empty() || q.dispositions.contains(id);
        let everywhere = plan.queues.values().filter(takes).count() == plan.queues.len();
        let listed = plan.queues.iter().filter(|(_, q)| !everywhere && takes(q));
        Code { queues: listed.map(|(queue, _)| queue.to_string()).collect(), ..code(id, &d.name) }
    });
    Json(Codes {
        reasons: plan.reasons.iter().map(|(id, r)| code(id, &r.name)).collect(),
        dispositions: dispositions.collect(),
        hold_warn_s: tenant.config.calls.hold_reminder_s,
    })
}

/// Every agent now, by id.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents",
    responses((status = 200, body = std::collections::BTreeMap<String, super::openapi::AgentNow>)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Value>, Problem> {
    let view = picture(&shared, &who);
    wire::answer(&feed::view_for(&who, None, &view).agents)
}

/// Every queue now, by id.
#[utoipa::path(get, path = "/api/v1/queues", tag = "agents",
    responses((status = 200, body = std::collections::BTreeMap<String, super::openapi::QueueNow>)))]
pub async fn queues(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Value>, Problem> {
    wire::answer(&picture(&shared, &who).queues)
}

/// One agent now. `me` is the caller.
#[utoipa::path(get, path = "/api/v1/agents/{id}/state", tag = "agents", params(("id" = String, Path, description = "agent id or `me`")),
    responses((status = 200, body = super::openapi::AgentNow), (status = 404, body = Problem)))]
pub async fn state(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let agent = who.agent(&id)?;
    let view = picture(&shared, &who);
    match feed::view_for(&who, None, &view).agents.get(&agent) {
        Some(now) => wire::answer(now),
        None => Err(Problem::not_found(format!("agent `{agent}`"))),
    }
}

/// Changes an agent's state; takes effect after the current work if there is any. Supervisors may change anybody's.
#[utoipa::path(put, path = "/api/v1/agents/{id}/state", tag = "agents", params(("id" = String, Path, description = "agent id or `me`")),
    request_body = StateWish, responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn set_state(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(wish): Body<StateWish>,
) -> Result<Response, Problem> {
    let agent = own_agent(&shared, &who, &id)?;
    let wanted = match (wish.state, wish.reason) {
        (StateWord::Ready, None) => WantedState::Ready,
        (StateWord::Away, None) => WantedState::Away,
        (StateWord::NotReady, Some(reason)) => WantedState::NotReady { reason: wire::slug("reason", &reason)? },
        (StateWord::NotReady, None) => {
            return Err(Problem::invalid("reason", "`not_ready` needs a reason: a code of /api/v1/codes"));
        }
        (_, Some(_)) => return Err(Problem::invalid("reason", "only `not_ready` has a reason")),
    };
    shared.ask(&who, Command::SetState { agent, wanted }).await.map(wire::outcome)
}

/// The agent of a path for something that is asked of them: their own, or anybody's for supervisors.
fn own_agent(shared: &Shared, who: &Who, id: &str) -> Result<AgentId, Problem> {
    let agent = who.agent(id)?;
    let settings = shared.door.settings();
    if !settings.tenants.get(&who.tenant).is_some_and(|t| t.plan.agents.contains_key(&agent)) {
        return Err(Problem::not_found(format!("agent `{agent}`")));
    }
    if who.actor.agent() != Some(&agent) && !who.supervises() {
        return Err(Problem::not_allowed(format!("agent `{agent}` is somebody else; that needs the role supervisor")));
    }
    Ok(agent)
}

/// Begins a shift.
#[utoipa::path(post, path = "/api/v1/agents/{id}/sign-in", tag = "agents", params(("id" = String, Path, description = "agent id or `me`")),
    responses((status = 200, body = wire::Outcome)))]
pub async fn sign_in(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let agent = own_agent(&shared, &who, &id)?;
    shared.ask(&who, Command::SignIn { agent }).await.map(wire::outcome)
}

/// Ends a shift. Refused while an interaction is being handled.
#[utoipa::path(post, path = "/api/v1/agents/{id}/sign-out", tag = "agents", params(("id" = String, Path, description = "agent id or `me`")),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn sign_out(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Response, Problem> {
    let agent = own_agent(&shared, &who, &id)?;
    shared.ask(&who, Command::SignOut { agent }).await.map(wire::outcome)
}

/// Calls a number on behalf of an agent: the agent's phone rings first.
#[utoipa::path(post, path = "/api/v1/agents/{id}/dial", tag = "agents", params(("id" = String, Path, description = "agent id or `me`")),
    request_body = Dial, responses((status = 201, body = wire::Outcome), (status = 422, body = Problem)))]
pub async fn dial(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(dial): Body<Dial>,
) -> Result<Response, Problem> {
    let agent = own_agent(&shared, &who, &id)?;
    let number = dialled(&dial.number)?;
    let queue = dial.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?;
    shared.ask(&who, Command::Dial { agent, number, queue }).await.map(wire::outcome)
}

/// Says where an agent's calls ring from now on. A number is called out by a trunk, as the agent's call: the rules about calls
/// out hold, and are asked here as well as at each call.
#[utoipa::path(put, path = "/api/v1/agents/{id}/endpoint", tag = "agents", params(("id" = String, Path, description = "agent id or `me`")),
    request_body = EndpointWish,
    responses((status = 200, body = wire::Outcome), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn set_endpoint(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(wish): Body<EndpointWish>,
) -> Result<Response, Problem> {
    let agent = own_agent(&shared, &who, &id)?;
    let number = match wish {
        EndpointWish::Phone {} => None,
        EndpointWish::Number { number } => Some(dialled(&number)?),
    };
    shared.ask(&who, Command::Endpoint { agent, number }).await.map(wire::outcome)
}

/// A number as somebody typed it.
pub(super) fn dialled(number: &str) -> Result<String, Problem> {
    let number = number.trim().to_owned();
    let good = (1..=64).contains(&number.len()) && number.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    match good {
        true => Ok(number),
        false => Err(Problem::invalid(
            "number",
            "expected 1 to 64 printable characters: digits, `+`, `*`, `#`, or an extension's name",
        )),
    }
}
