//! Files of chats, as agents send and fetch them. Whose chat it is decides; what may be sent, the tenant.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Problem, Shared, agents, guard::Who, interactions::Answer, problem::Params, scope, wire};
use crate::{
    base::{InteractionId, limits},
    center::command::{Command, SuperviseMode},
    text::ClientId,
    vault,
};

/// What is said of a file beside its bytes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The sender's own name for the message, so that sending it again is the same message. 1 to 64 visible ASCII characters.
    client_id: Option<String>,
    /// What the file is called.
    name: Option<String>,
    /// Words that go with it.
    #[serde(default)]
    text: String,
}

/// Whoever may not write here is told before a long body is read. The center decides again.
async fn writes(shared: &Shared, who: &Who, id: InteractionId) -> Result<(), Problem> {
    scope::may_see(shared, who, id).await?;
    let view = agents::picture(shared, who);
    let Some(now) = view.interactions.get(&id) else { return Ok(()) };
    let me = scope::me(who)?;
    let takes_part = now.supervisors.iter().any(|s| s.supervisor == me && s.mode == SuperviseMode::Barge);
    match now.agent.as_ref() == Some(&me) || takes_part {
        true => Ok(()),
        false => Err(Problem::not_allowed("only the agent who has the chat sends files to the visitor")),
    }
}

/// Sends a file to the customer: the body is the file. What it is is seen from its bytes, not from what it is called.
#[utoipa::path(post, path = "/api/v1/interactions/{id}/files", tag = "interactions", params(("id" = String, Path), About),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 201, body = wire::Outcome), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn send(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(about): Params<About>,
    request: Request,
) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    writes(&shared, &who, interaction).await?;
    let client_id = about.client_id.filter(|id| ClientId::parse(id).is_ok());
    let client_id = client_id.ok_or_else(|| Problem::invalid("client_id", "expected 1 to 64 visible ASCII characters"))?;
    let name = about.name.ok_or_else(|| Problem::invalid("name", "expected the name of the file"))?;
    if about.text.len() > limits::MESSAGE_MAX {
        return Err(Problem::invalid("text", format!("expected at most {} bytes of text", limits::MESSAGE_MAX)));
    }
    let settings = shared.door.settings();
    let tenant = settings.tenants.get(&who.tenant).ok_or_else(|| Problem::not_found("this tenant"))?;
    let allowed = tenant.config.chat.files.allowed();
    let body = request.into_body().into_data_stream();
    let file = shared.vault.take(&who.tenant, &name, &allowed, body).await.map_err(|e| {
        let (status, word) = e.answer();
        if status >= 500 {
            tracing::warn!(error = %e, cause = ?std::error::Error::source(&e).map(ToString::to_string), "an agent's file was not kept");
        }
        Problem::new(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), word, e.to_string())
    })?;
    shared.ask(&who, Command::Send { interaction, client_id, body: about.text, file }).await.map(wire::outcome)
}

/// The file of a message: to save, or to draw as a picture; never to run.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/files/{seq}", tag = "interactions",
    params(("id" = String, Path), ("seq" = String, Path, description = "The message's place in the conversation")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn fetch(State(shared): State<Arc<Shared>>, who: Who, Path((id, seq)): Path<(String, String)>) -> Answer {
    let interaction = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, interaction).await?;
    let none = || Problem::not_found(format!("a file at place `{seq}` of interaction `{interaction}`"));
    let place: u64 = seq.parse().map_err(|_| none())?;
    let message = shared.store.message_get(&who.tenant, interaction, place).await.map_err(Problem::internal)?;
    let file = message.and_then(|m| m.file).ok_or_else(none)?;
    let Some((length, content)) = shared.vault.open(&who.tenant, &file.id).await.map_err(Problem::internal)? else {
        return Err(Problem::new(StatusCode::GONE, "file_gone", "this file was deleted, as old files are"));
    };
    let ours = [("cross-origin-resource-policy", "same-origin")];
    Ok((vault::headers(&file, length), ours, Body::from_stream(content)).into_response())
}
