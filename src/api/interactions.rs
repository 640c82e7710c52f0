//! Interactions: looked up, and acted upon. Every action is a command the center may refuse.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, Shared, agents, feed,
    guard::Who,
    lookup,
    problem::{Body, Params},
    scope, shapes, wire,
};
use crate::{
    base::{AgentId, limits},
    center::command::{Command, TransferTo},
    store::InteractionFilter,
    text::ClientId,
};

/// Most rows of one answer.
const PAGE_MAX: usize = 200;

/// Which interactions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// True: only what is going on now, as in the picture. Otherwise the history, newest first.
    #[serde(default)]
    live: bool,
    /// Only this agent's. Agents see only their own in any case.
    agent: Option<String>,
    /// Only of this queue.
    queue: Option<String>,
    /// Only of this customer.
    customer: Option<String>,
    /// The customer's number as people write it, its last digits (three at least), or words of their name. Of the history only.
    q: Option<String>,
    /// `voice` or `webchat`.
    channel: Option<String>,
    /// Opened at this instant or later, RFC 3339.
    from: Option<String>,
    /// Opened before this instant, RFC 3339.
    to: Option<String>,
    /// Where the last answer ended: its `next`.
    after: Option<String>,
    /// At most so many, 200 at most.
    limit: Option<usize>,
}

/// A list of interactions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Interactions {
    /// The rows: as in the picture when live, as in the history otherwise.
    #[schema(value_type = Vec<shapes::InteractionLine>)]
    interactions: Vec<Value>,
    /// Give it as `after` for the next part; absent when this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What is going on, or what was.
#[utoipa::path(get, path = "/api/v1/interactions", tag = "interactions", params(Which), responses((status = 200, body = Interactions)))]
pub async fn list(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Params(w): Params<Which>,
) -> Result<Json<Interactions>, Problem> {
    let limit = w.limit.unwrap_or(50).clamp(1, PAGE_MAX);
    let agent = w.agent.as_deref().map(|a| who.agent(a)).transpose()?;
    let channel = match w.channel.as_deref() {
        Some(c) => {
            Some(crate::base::Channel::parse(c).ok_or_else(|| Problem::invalid("channel", "expected voice or webchat"))?)
        }
        None => None,
    };
    let queue = w.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?;
    let search = lookup::search(&shared, &who, w.q.as_deref())?;
    if w.live && search.is_some() {
        return Err(Problem::invalid("q", "only the history is searched"));
    }
    if w.live {
        let view = feed::view_for(&who, None, &agents::picture(&shared, &who));
        let wanted = view.interactions.iter().filter(|(_, i)| {
            (agent.is_none() || i.agent == agent)
                && (queue.is_none() || i.queue == queue)
                && channel.is_none_or(|c| i.channel == c)
                && w.customer.as_ref().is_none_or(|c| i.customer.to_string() == *c)
        });
        let mut rows = Vec::new();
        for (id, i) in wanted.take(limit) {
            let mut row = wire::to_json(i)?;
            row["id"] = json!(id);
            rows.push(row);
        }
        return Ok(Json(Interactions { interactions: rows, next: None }));
    }
    let mine: Option<AgentId> = if who.supervises() { None } else { Some(scope::me(&who)?) };
    if let (Some(me), Some(asked)) = (&mine, &agent)
        && me != asked
    {
        return Err(Problem::not_allowed("agents list their own interactions; others' need the role supervisor"));
    }
    let customer = match w.customer.as_deref() {
        Some(c) => {
            Some(crate::base::CustomerId::parse(c).ok_or_else(|| Problem::invalid("customer", "expected a customer id"))?)
        }
        None => None,
    };
    let filter = InteractionFilter {
        agent: agent.or(mine),
        queue,
        customer,
        search,
        channel,
        from: wire::instant("from", w.from.as_deref())?,
        to: wire::instant("to", w.to.as_deref())?,
        after: wire::cursor(w.after.as_deref())?,
        limit,
        ..InteractionFilter::default()
    };
    let page = shared.store.interaction_list(&who.tenant, &filter).await.map_err(Problem::internal)?;
    let rows = page.items.iter().map(wire::to_json).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(Interactions { interactions: rows, next: page.next }))
}

/// One interaction: its record, and how it stands now if it still goes on.
#[utoipa::path(get, path = "/api/v1/interactions/{id}", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = shapes::InteractionWhole), (status = 404, body = Problem)))]
pub async fn get(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = wire::interaction_id(&id)?;
    let seen = scope::may_see(&shared, &who, id).await?;
    let recordings = shared.store.recording_list(&who.tenant, id).await.map_err(Problem::internal)?;
    let recordings = recordings.iter().map(wire::to_json).collect::<Result<Vec<_>, _>>()?;
    let rating = shared.store.rating_get(&who.tenant, id).await.map_err(Problem::internal)?;
    let rating = rating.as_ref().map(wire::to_json).transpose()?;
    Ok(Json(json!({"id": id, "record": seen.record, "now": seen.now, "recordings": recordings, "rating": rating})))
}

/// What of what happened.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Happened {
    /// False: without the messages of a chat, which `/messages` has by pages. True if absent.
    messages: Option<bool>,
}

/// Everything that happened to it, in order: the first 500 facts.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/timeline", tag = "interactions", params(("id" = String, Path), Happened),
    responses((status = 200, body = shapes::Timeline), (status = 404, body = Problem)))]
pub async fn timeline(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(what): Params<Happened>,
) -> Result<Json<Value>, Problem> {
    let id = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, id).await?;
    let facts = shared
        .store
        .timeline(&who.tenant, id, what.messages.unwrap_or(true), limits::LIST_MAX)
        .await
        .map_err(Problem::internal)?;
    let mut discreet = feed::Discreet::new(who.supervises() || agents::picture(&shared, &who).tell_agents);
    let facts: Vec<Value> = facts.iter().filter(|r| discreet.lets(&r.fact)).map(feed::fact_event).collect();
    Ok(Json(json!({"interaction": id, "facts": facts})))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Only facts after this one.
    #[serde(default)]
    after: u64,
    /// At most so many, 500 at most.
    limit: Option<usize>,
}

/// What was said, as recognised: a fact `said` a line, in the order of recognition; `since` says when each began.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/transcript", tag = "interactions", params(("id" = String, Path), Lines),
    responses((status = 200, body = shapes::Timeline), (status = 404, body = Problem)))]
pub async fn transcript(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(which): Params<Lines>,
) -> Result<Json<Value>, Problem> {
    let id = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, id).await?;
    let limit = which.limit.unwrap_or(limits::LIST_MAX).clamp(1, limits::LIST_MAX);
    let facts = shared.store.transcript(&who.tenant, id, which.after, limit).await.map_err(Problem::internal)?;
    let facts: Vec<Value> = facts.iter().map(feed::fact_event).collect();
    Ok(Json(json!({"interaction": id, "facts": facts})))
}

/// Why this agent: every routing decision about it, with the candidates and what kept each back.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/decisions", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn decisions(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, id).await?;
    let rows = shared.store.decision_list(&who.tenant, id).await.map_err(Problem::internal)?;
    let rows = rows.iter().map(wire::to_json).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({"interaction": id, "decisions": rows})))
}

/// Where to begin reading.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Only messages after this place in the conversation.
    #[serde(default)]
    after: u64,
    /// The last messages before this place, for whoever reads upwards; not together with `after`.
    before: Option<u64>,
    /// At most so many, 500 at most.
    limit: Option<usize>,
}

/// The conversation, in order: from the beginning, or the last of it before a place; then `earlier` says whether there are more
/// before them.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/messages", tag = "interactions", params(("id" = String, Path), After),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn messages(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(at): Params<After>,
) -> Result<Json<Value>, Problem> {
    let id = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, id).await?;
    let limit = at.limit.unwrap_or(limits::MESSAGES_IN_MEMORY).clamp(1, limits::MESSAGES_IN_MEMORY);
    let (rows, earlier) = match at.before {
        Some(_) if at.after > 0 => return Err(Problem::invalid("before", "expected before or after, not both")),
        Some(before) => shared.store.message_list_before(&who.tenant, id, before, limit).await.map_err(Problem::internal)?,
        None => (shared.store.message_list(&who.tenant, id, at.after, limit).await.map_err(Problem::internal)?, at.after > 0),
    };
    let rows = rows.iter().map(wire::to_json).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({"interaction": id, "messages": rows, "earlier": earlier})))
}

/// On or off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// True for on.
    pub(super) on: bool,
}

/// Where it is to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Back to waiting, in this queue, keeping its age.
    Queue {
        /// Queue id.
        queue: String,
    },
    /// To one agent, offered directly.
    Agent {
        /// Agent id.
        agent: String,
    },
    /// Out, to a number the tenant's routes allow.
    Number {
        /// As dialled.
        number: String,
    },
}

impl Target {
    /// As the center has it.
    pub(super) fn read(self) -> Result<TransferTo, Problem> {
        Ok(match self {
            Target::Queue { queue } => TransferTo::Queue { queue: wire::slug("to.queue", &queue)? },
            Target::Agent { agent } => TransferTo::Agent { agent: wire::slug("to.agent", &agent)? },
            Target::Number { number } if (1..=64).contains(&number.trim().len()) => {
                TransferTo::Number { number: number.trim().into() }
            }
            Target::Number { .. } => return Err(Problem::invalid("to.number", "expected 1 to 64 characters")),
        })
    }
}

/// Where to hand it over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Where to.
    pub(super) to: Target,
}

/// The outcome.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispose {
    /// A disposition of `/codes`.
    code: String,
    /// In words.
    #[serde(default)]
    note: String,
    /// Whose outcome; the caller's own if absent.
    #[serde(default)]
    agent: Option<String>,
}

/// Whose work is meant; the caller's own if absent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    /// Agent id or `me`.
    #[serde(default)]
    agent: Option<String>,
}

/// More time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extend {
    /// Seconds, 1 to 900.
    by_s: u64,
    /// Agent id or `me`.
    #[serde(default)]
    agent: Option<String>,
}

/// A head start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Minutes; negative puts it back.
    minutes: i32,
}

/// To whom: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// Agent id.
    #[serde(default)]
    agent: Option<String>,
    /// Queue id.
    #[serde(default)]
    queue: Option<String>,
}

/// Words to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// The sender's own name for the message, so that sending it again is the same message. 1 to 64 visible ASCII characters.
    client_id: String,
    /// The words.
    body: String,
}

/// How far one has read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadUpTo {
    /// Place in the conversation.
    seq: u64,
}

fn whose(who: &Who, agent: Option<&str>) -> Result<AgentId, Problem> {
    match agent {
        Some(a) => who.agent(a),
        None => scope::me(who),
    }
}

pub(super) type Answer = Result<Response, Problem>;
pub(super) type S = State<Arc<Shared>>;

/// Ends the talk: hangs up, or closes the chat.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/finish", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn finish(State(shared): S, who: Who, Path(id): Path<String>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Finish { interaction }).await.map(wire::outcome)
}

/// Puts the customer on hold, or takes them back.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/hold", tag = "interactions", params(("id" = String, Path)), request_body = Switch,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn hold(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Switch>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Hold { interaction, on: b.on }).await.map(wire::outcome)
}

/// Hands it over.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/transfer", tag = "interactions", params(("id" = String, Path)), request_body = Transfer,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn transfer(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Transfer>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let to = b.to.read()?;
    shared.ask(&who, Command::Transfer { interaction, to }).await.map(wire::outcome)
}

/// Gives the outcome, during the talk or after it.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/dispose", tag = "interactions", params(("id" = String, Path)), request_body = Dispose,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn dispose(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Dispose>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let (agent, code) = (whose(&who, b.agent.as_deref())?, wire::slug("code", &b.code)?);
    if b.note.len() > limits::MESSAGE_MAX {
        return Err(Problem::invalid("note", format!("expected at most {} bytes", limits::MESSAGE_MAX)));
    }
    shared.ask(&who, Command::Dispose { interaction, agent, code, note: b.note }).await.map(wire::outcome)
}

/// Finishes wrap-up early.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/wrap-up-done", tag = "interactions", params(("id" = String, Path)), request_body = Whose,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn wrap_up_done(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Whose>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let agent = whose(&who, b.agent.as_deref())?;
    shared.ask(&who, Command::WrapUpDone { interaction, agent }).await.map(wire::outcome)
}

/// Asks for more time to wrap up.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/extend-wrap-up", tag = "interactions", params(("id" = String, Path)), request_body = Extend,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn extend_wrap_up(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Extend>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    if !(1..=900).contains(&b.by_s) {
        return Err(Problem::invalid("by_s", "expected 1 to 900 seconds"));
    }
    let (agent, by) = (whose(&who, b.agent.as_deref())?, Duration::from_secs(b.by_s));
    shared.ask(&who, Command::ExtendWrapUp { interaction, agent, by }).await.map(wire::outcome)
}

/// Changes the head start of a waiting interaction.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/priority", tag = "interactions", params(("id" = String, Path)), request_body = Priority,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn priority(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Priority>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    if !(-1_440..=1_440).contains(&b.minutes) {
        return Err(Problem::invalid("minutes", "expected -1440 to 1440 minutes"));
    }
    let done = shared.ask(&who, Command::SetPriority { interaction, priority_min: b.minutes }).await?;
    wire::audit(&shared, &who, "interaction.priority", &id, None, Some(b.minutes.to_string())).await?;
    Ok(wire::outcome(done))
}

/// Gives a waiting or offered interaction to an agent or another queue.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/assign", tag = "interactions", params(("id" = String, Path)), request_body = Assign,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn assign(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Assign>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let to = match (b.agent, b.queue) {
        (Some(agent), None) => TransferTo::Agent { agent: wire::slug("agent", &agent)? },
        (None, Some(queue)) => TransferTo::Queue { queue: wire::slug("queue", &queue)? },
        _ => return Err(Problem::invalid("agent", "expected either `agent` or `queue`")),
    };
    let told = format!("{to:?}");
    let done = shared.ask(&who, Command::Assign { interaction, to }).await?;
    wire::audit(&shared, &who, "interaction.assign", &id, None, Some(told)).await?;
    Ok(wire::outcome(done))
}

/// Copies the sound of a call, while it is spoken, to a program outside that the configuration names.
#[utoipa::path(put, path = "/api/v1/interactions/{id}/streams/{name}", tag = "interactions", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn stream_begin(State(shared): S, who: Who, Path((id, stream)): Path<(String, String)>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Stream { interaction, stream, on: true }).await.map(wire::outcome)
}

/// Stops copying.
#[utoipa::path(delete, path = "/api/v1/interactions/{id}/streams/{name}", tag = "interactions", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn stream_end(State(shared): S, who: Who, Path((id, stream)): Path<(String, String)>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Stream { interaction, stream, on: false }).await.map(wire::outcome)
}

fn said(say: &Say) -> Result<(), Problem> {
    if ClientId::parse(&say.client_id).is_err() {
        return Err(Problem::invalid("client_id", "expected 1 to 64 visible ASCII characters"));
    }
    if say.body.trim().is_empty() || say.body.len() > limits::MESSAGE_MAX {
        return Err(Problem::invalid("body", format!("expected 1 to {} bytes of text", limits::MESSAGE_MAX)));
    }
    Ok(())
}

/// Writes to the customer. Accepted now; stored, and shown to the customer, when its fact comes.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/messages", tag = "interactions", params(("id" = String, Path)), request_body = Say,
    responses((status = 201, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn say(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Say>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    said(&b)?;
    shared.ask(&who, Command::Say { interaction, client_id: b.client_id, body: b.body }).await.map(wire::outcome)
}

/// Writes a note that only colleagues see.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/notes", tag = "interactions", params(("id" = String, Path)), request_body = Say,
    responses((status = 201, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn note(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<Say>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    said(&b)?;
    shared.ask(&who, Command::Whisper { interaction, client_id: b.client_id, body: b.body }).await.map(wire::outcome)
}

/// Everything up to here has been read.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/read", tag = "interactions", params(("id" = String, Path)), request_body = ReadUpTo,
    responses((status = 200, body = wire::Outcome)))]
pub async fn read(State(shared): S, who: Who, Path(id): Path<String>, Body(b): Body<ReadUpTo>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Read { interaction, seq: b.seq }).await.map(wire::outcome)
}

/// The caller is typing.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/typing", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome)))]
pub async fn typing(State(shared): S, who: Who, Path(id): Path<String>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Typing { interaction }).await.map(wire::outcome)
}

/// Takes an offered chat. A call is taken by answering the phone.
#[utoipa::path(post, path = "/api/v1/offers/{id}/accept", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn accept(State(shared): S, who: Who, Path(id): Path<String>) -> Answer {
    let offer = wire::offer_id(&id)?;
    shared.ask(&who, Command::Accept { offer }).await.map(wire::outcome)
}

/// Refuses an offer.
#[utoipa::path(post, path = "/api/v1/offers/{id}/decline", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn decline(State(shared): S, who: Who, Path(id): Path<String>) -> Answer {
    let offer = wire::offer_id(&id)?;
    shared.ask(&who, Command::Decline { offer }).await.map(wire::outcome)
}
