//! Files of a visitor's chat: sent and fetched with the visitor's token, by the page the chat may be on.
//!
//! ```text
//!   POST /chat/v1/files?client_id=c1&name=lamp.jpg     the bytes ─▶ 201 {seq}; the message itself comes by the socket
//!   GET  /chat/v1/files/INTERACTION/SEQ                the bytes of the file of that message
//! ```

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Shared,
    session::{self, From, problem, share},
    socket,
};
use crate::{
    base::{InteractionId, TenantId, limits},
    center::{
        command::{Actor, Command, Done},
        settings::TenantSettings,
    },
    store::{Visitor, sha256_hex},
    text::{ClientId, Party},
    vault,
};

/// What is said of a file beside its bytes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The page's own name for the message; the same again is the same message.
    client_id: String,
    /// What the file is called on the visitor's machine.
    name: String,
    /// Words that go with it.
    #[serde(default)]
    text: String,
}

/// A visitor who was recognised, and where.
pub struct Here {
    pub visitor: Visitor,
    pub tenant: Arc<TenantSettings>,
}

/// Who it is by the token of the request, from a page that may.
pub async fn recognised(shared: &Shared, headers: &HeaderMap, from: &From) -> Result<Here, Response> {
    let settings = shared.door.settings();
    if !from.allowed_somewhere(&settings) {
        return Err(problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here"));
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let unknown = || problem(StatusCode::UNAUTHORIZED, "token", "expected the token of a chat");
    let token = token.ok_or_else(unknown)?;
    let found = shared.store.visitor_find(&sha256_hex(token)).await.map_err(|error| {
        tracing::warn!(%error, "a visitor could not be looked up");
        problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the chat is not available right now")
    })?;
    let visitor = found.ok_or_else(unknown)?;
    let tenant = settings.tenants.get(&visitor.tenant).filter(|t| from.allowed(t)).cloned();
    let tenant = tenant.ok_or_else(|| problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here"))?;
    Ok(Here { visitor, tenant })
}

/// Whether a chat is this visitor's: whether it is over.
async fn own(shared: &Shared, here: &Here, id: InteractionId) -> Result<bool, Response> {
    let tenant = &here.visitor.tenant;
    let row = shared.store.interaction_get(tenant, id).await.map_err(|error| {
        tracing::warn!(%error, "a chat could not be looked up");
        problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the chat is not available right now")
    })?;
    match row {
        Some(row) if row.visitor == Some(here.visitor.id) => Ok(row.closed_at.is_some()),
        // Not committed yet: theirs if we noted it ourselves.
        None if here.visitor.interaction == Some(id) => Ok(false),
        _ => Err(problem(StatusCode::NOT_FOUND, "not_found", "there is no such chat")),
    }
}

/// `POST /chat/v1/files`: takes a file into the open chat.
pub async fn send(
    State(shared): State<Arc<Shared>>,
    about: Result<Query<About>, QueryRejection>,
    request: Request,
) -> Response {
    let from = session::from(request.headers());
    let answer = match take(&shared, &from, about, request).await {
        Ok(response) | Err(response) => response,
    };
    share(answer, &from)
}

async fn take(
    shared: &Shared,
    from: &From,
    about: Result<Query<About>, QueryRejection>,
    request: Request,
) -> Result<Response, Response> {
    let here = recognised(shared, request.headers(), from).await?;
    let invalid = |said: &str| problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said);
    let Query(about) = about.map_err(|e| invalid(&e.body_text()))?;
    if ClientId::parse(&about.client_id).is_err() {
        return Err(invalid("client_id: expected 1 to 64 visible ASCII characters"));
    }
    if about.text.len() > limits::MESSAGE_MAX {
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the words with the file are too long"));
    }
    let closed = || problem(StatusCode::CONFLICT, "closed", "this chat is over");
    let interaction = here.visitor.interaction.ok_or_else(closed)?;
    if own(shared, &here, interaction).await? {
        return Err(closed());
    }
    let now = shared.door.now().mono;
    let paced = shared.files_by_visitor.lock().unwrap_or_else(|e| e.into_inner()).take(now, &here.visitor.id.to_string());
    if !paced {
        return Err(problem(StatusCode::TOO_MANY_REQUESTS, "too_fast", "please send files a little slower"));
    }
    let allowed = here.tenant.config.chat.files.allowed();
    let body = request.into_body().into_data_stream();
    let file = shared.vault.take(&here.visitor.tenant, &about.name, &allowed, body).await.map_err(|e| {
        let (status, word) = e.answer();
        if status >= 500 {
            tracing::warn!(error = %e, cause = ?std::error::Error::source(&e).map(ToString::to_string), "a visitor's file was not kept");
        }
        problem(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), word, &e.to_string())
    })?;
    let by = Actor::Visitor { visitor: here.visitor.id };
    let command = Command::Send { interaction, client_id: about.client_id, body: about.text, file };
    match shared.door.command(here.visitor.tenant.clone(), by, command).await {
        Ok(Done::Message { seq, .. }) => Ok((StatusCode::CREATED, Json(json!({"seq": seq}))).into_response()),
        Ok(_) => Err(problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the file was not taken")),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code.http()).unwrap_or(StatusCode::CONFLICT);
            Err(problem(status, socket::word(&refusal), &refusal.message))
        }
    }
}

/// `GET /chat/v1/files/{interaction}/{seq}`: the file of a message of one's own chat.
pub async fn fetch(
    State(shared): State<Arc<Shared>>,
    Path((chat, seq)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let from = session::from(&headers);
    let answer = match give(&shared, &from, &headers, &chat, &seq).await {
        Ok(response) | Err(response) => response,
    };
    share(answer, &from)
}

async fn give(shared: &Shared, from: &From, headers: &HeaderMap, chat: &str, seq: &str) -> Result<Response, Response> {
    let here = recognised(shared, headers, from).await?;
    let none = || problem(StatusCode::NOT_FOUND, "not_found", "there is no such file");
    let (id, seq) = InteractionId::parse(chat).zip(seq.parse().ok()).ok_or_else(none)?;
    own(shared, &here, id).await?;
    let unavailable = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "a visitor's file could not be read");
        problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the file is not available right now")
    };
    let tenant: &TenantId = &here.visitor.tenant;
    let message = shared.store.message_get(tenant, id, seq).await.map_err(|e| unavailable(&e))?;
    let file = message.filter(|m| m.shown_to(&Party::Visitor)).and_then(|m| m.file).ok_or_else(none)?;
    let opened = shared.vault.open(tenant, &file.id).await.map_err(|e| unavailable(&e))?;
    let Some((length, content)) = opened else {
        return Err(problem(StatusCode::GONE, "file_gone", "this file was deleted, as old files are"));
    };
    Ok((vault::headers(&file, length), Body::from_stream(content)).into_response())
}
