//! The floor: supervisors with other people's contacts, agents with a helper on the line, keys, mute, recording.
//!
//! What a supervisor does to somebody else's contact is in the audit log as well as in the contact's own timeline.

use axum::extract::Path;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Problem,
    guard::Who,
    interactions::{Answer, S, Switch, Transfer},
    problem::Body,
    scope, wire,
};
use crate::{
    base::AgentId,
    center::command::{Command, ConsultStep, SuperviseMode},
};

/// How to take part.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Hear everybody, be heard by nobody. In a chat: read along.
    Listen,
    /// Be heard by the agent only. In a chat: read along and leave notes.
    Whisper,
    /// Be heard by everybody. In a chat: write to the visitor, too.
    Barge,
}

/// How, and with whose phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Supervise {
    /// The way.
    mode: Mode,
    /// For programs: the agent whose phone is called. People supervise with their own.
    #[serde(default)]
    supervisor: Option<String>,
}

/// For whom.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Supervisor {
    /// For programs: the agent meant. People mean themselves.
    #[serde(default)]
    supervisor: Option<String>,
}

/// Keys to press.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Digits {
    /// 1 to 32 of `0-9`, `*`, `#`, `A-D`.
    digits: String,
}

/// What the recording is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingAction {
    /// Silence is recorded from now on.
    Pause,
    /// Sound is recorded again.
    Resume,
}

/// What the recording is to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingWish {
    /// Pause or resume.
    action: RecordingAction,
}

fn supervisor(who: &Who, named: Option<&str>) -> Result<AgentId, Problem> {
    named.map_or_else(|| scope::me(who), |a| who.agent(a))
}

/// Takes part in somebody's call or chat. The supervisor's own phone is called and asked to answer by itself; asked again it
/// changes the way without another call, and asked for another interaction it moves there on the same leg.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/supervise", tag = "floor", params(("id" = String, Path)), request_body = Supervise,
    responses((status = 200, body = wire::Outcome), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn supervise(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<Supervise>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let supervisor = supervisor(&who, b.supervisor.as_deref())?;
    let (mode, word) = match b.mode {
        Mode::Listen => (SuperviseMode::Listen, "listen"),
        Mode::Whisper => (SuperviseMode::Whisper, "whisper"),
        Mode::Barge => (SuperviseMode::Barge, "barge"),
    };
    let told = format!("{supervisor}: {word}");
    let done = shared.ask(&who, Command::Supervise { interaction, supervisor, mode }).await?;
    wire::audit(&shared, &who, "interaction.supervise", &id, None, Some(told)).await?;
    Ok(wire::outcome(done))
}

/// Leaves. A program lets everybody who supervises leave.
#[utoipa::path(delete, path = "/api/v1/interactions/{id}/supervise", tag = "floor", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 404, body = Problem)))]
pub async fn supervise_end(shared: S, who: Who, Path(id): Path<String>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let supervisor = who.actor.agent().cloned();
    let done = shared.ask(&who, Command::SuperviseEnd { interaction, supervisor }).await?;
    wire::audit(&shared, &who, "interaction.supervise_end", &id, None, None).await?;
    Ok(wire::outcome(done))
}

/// Becomes the agent; the former one wraps up. Whoever is not on the line yet is called first.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/take-over", tag = "floor", params(("id" = String, Path)), request_body = Supervisor,
    responses((status = 200, body = wire::Outcome), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn take_over(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<Supervisor>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let supervisor = supervisor(&who, b.supervisor.as_deref())?;
    let told = supervisor.to_string();
    let done = shared.ask(&who, Command::TakeOver { interaction, supervisor }).await?;
    wire::audit(&shared, &who, "interaction.take_over", &id, None, Some(told)).await?;
    Ok(wire::outcome(done))
}

/// Takes an interaction to oneself: one that waits or is offered to somebody, or, by taking it over, one in other hands.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/pull", tag = "floor", params(("id" = String, Path)), request_body = Supervisor,
    responses((status = 200, body = wire::Outcome), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn pull(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<Supervisor>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let supervisor = supervisor(&who, b.supervisor.as_deref())?;
    let told = supervisor.to_string();
    let done = shared.ask(&who, Command::Pull { interaction, supervisor }).await?;
    wire::audit(&shared, &who, "interaction.pull", &id, None, Some(told)).await?;
    Ok(wire::outcome(done))
}

/// Asks an agent, a queue or a number for advice; the customer is on hold meanwhile. `hold` then means: with the helper (on),
/// with the customer (off).
#[utoipa::path(post, path = "/api/v1/interactions/{id}/consult", tag = "floor", params(("id" = String, Path)), request_body = Transfer,
    responses((status = 200, body = wire::Outcome), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn consult(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<Transfer>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let to = b.to.read()?;
    shared.ask(&who, Command::Consult { interaction, to }).await.map(wire::outcome)
}

async fn step(shared: S, who: Who, id: String, step: ConsultStep) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::ConsultStep { interaction, step }).await.map(wire::outcome)
}

/// Speaks with the other of the two: customer or helper; who is left hears music.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/consult/swap", tag = "floor", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn consult_swap(shared: S, who: Who, Path(id): Path<String>) -> Answer {
    step(shared, who, id, ConsultStep::Swap).await
}

/// The helper has the customer now, the agent wraps up. While nobody has answered it is a hand-over without a word before.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/consult/complete", tag = "floor", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn consult_complete(shared: S, who: Who, Path(id): Path<String>) -> Answer {
    step(shared, who, id, ConsultStep::Complete).await
}

/// All three together; whoever leaves leaves the others talking.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/consult/merge", tag = "floor", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn consult_merge(shared: S, who: Who, Path(id): Path<String>) -> Answer {
    step(shared, who, id, ConsultStep::Merge).await
}

/// Lets the helper go; the customer comes back.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/consult/cancel", tag = "floor", params(("id" = String, Path)),
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn consult_cancel(shared: S, who: Who, Path(id): Path<String>) -> Answer {
    step(shared, who, id, ConsultStep::Cancel).await
}

/// Presses keys for whoever the agent talks with.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/dtmf", tag = "floor", params(("id" = String, Path)), request_body = Digits,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn dtmf(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<Digits>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Keys { interaction, digits: b.digits }).await.map(wire::outcome)
}

/// Nobody hears the agent any more, or again.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/mute", tag = "floor", params(("id" = String, Path)), request_body = Switch,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn mute(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<Switch>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    shared.ask(&who, Command::Mute { interaction, on: b.on }).await.map(wire::outcome)
}

/// Pauses or resumes the recording, and with it what is written down and copied live: nothing of what is said meanwhile (card
/// digits) is kept anywhere.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/recording", tag = "floor", params(("id" = String, Path)), request_body = RecordingWish,
    responses((status = 200, body = wire::Outcome), (status = 409, body = Problem)))]
pub async fn recording(shared: S, who: Who, Path(id): Path<String>, Body(b): Body<RecordingWish>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    let paused = b.action == RecordingAction::Pause;
    shared.ask(&who, Command::RecordPause { interaction, paused }).await.map(wire::outcome)
}
