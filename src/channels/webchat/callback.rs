//! A visitor asks to be called.
//!
//! ```text
//!   GET  /chat/v1/state?site=demo     ─▶ {.., call_me: {consent}}      while it is offered
//!   POST /chat/v1/callback            {number, consent: true, ..} with a visitor's token ─▶ 201
//! ```
//! Somebody else's number is easily typed: so many in a while from a visitor, from an address, and to a number, and what the
//! house may call at all is the center's to say.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Shared, files,
    offline::paced,
    session::{self, From, problem, share},
    socket,
};
use crate::{
    base::source,
    center::command::{Actor, Command, Done},
};

/// Largest body.
const BODY_MAX: usize = 4_096;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    number: String,
    /// The visitor has read what is done with it, and agrees.
    consent: bool,
    #[serde(default)]
    name: String,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    page: Option<String>,
}

/// `POST /chat/v1/callback`: a call, as soon as somebody has time.
pub async fn ask(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let from = session::from(request.headers());
    let answer = match take(&shared, &from, request).await {
        Ok(response) | Err(response) => response,
    };
    share(answer, &from)
}

async fn take(shared: &Shared, from: &From, request: Request) -> Result<Response, Response> {
    let here = files::recognised(shared, request.headers(), from).await?;
    let address =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map_or("?".to_owned(), |c| source(c.0.ip()).to_string());
    let body = axum::body::to_bytes(request.into_body(), BODY_MAX).await;
    let body = body.map_err(|_| problem(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "expected at most 4096 bytes"))?;
    let invalid = |said: &str| problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said);
    let asked: Asked = serde_json::from_slice(&body).map_err(|e| invalid(&e.to_string()))?;
    if !asked.consent {
        return Err(problem(StatusCode::UNPROCESSABLE_ENTITY, "consent", "nobody is called who has not agreed to it"));
    }
    let (now, visitor, tenant) = (shared.door.now().mono, here.visitor.id, &here.visitor.tenant);
    let number: String = asked.number.chars().take(40).collect();
    let called = format!("{tenant} {}", here.tenant.config.number(&number));
    let calm = paced(&shared.called_by_visitor, now, &visitor.to_string())
        && paced(&shared.called_by_address, now, &address)
        && paced(&shared.called_numbers, now, &called);
    if !calm {
        return Err(problem(StatusCode::TOO_MANY_REQUESTS, "too_fast", "a call was asked for too often; try again later"));
    }
    let command = Command::CallMe {
        visitor,
        name: asked.name,
        number,
        language: asked.lang.map(|l| l.chars().take(16).collect()),
        page: asked.page.map(|p| p.chars().take(500).collect()),
    };
    match shared.door.command(tenant.clone(), Actor::Visitor { visitor }, command).await {
        Ok(Done::Interaction { .. }) => Ok((StatusCode::CREATED, Json(json!({"called": true}))).into_response()),
        Ok(_) => Err(problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the wish was not taken")),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code.http()).unwrap_or(StatusCode::CONFLICT);
            // Which rule keeps a number in is nothing a stranger needs to know.
            let said = if status == StatusCode::FORBIDDEN { "this number is not called" } else { refusal.message.as_str() };
            Err(problem(status, socket::word(&refusal), said))
        }
    }
}
