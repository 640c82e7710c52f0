//! A visitor talks to us from the page: a login for one call to one place.
//!
//! ```text
//!   GET  /chat/v1/state?site=demo     ─▶ {.., talk_now: {max_min}}     while it is offered
//!   POST /chat/v1/talk                {name, ..} with a visitor's token ─▶ 201 {aor, username, password, realm, target, ..}
//! ```
//! The call goes over the WebSocket `/sip` beside this, like those of agents' browsers. What the login is good for is kept by the
//! SIP stack: one INVITE to `target`, soon.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
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
    base::{limits, source},
    center::command::{Actor, Command, Done},
    sip::auth::Ha1,
};

/// Largest body.
const BODY_MAX: usize = 4_096;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    name: String,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    page: Option<String>,
}

/// `POST /chat/v1/talk`: a login for one call, now.
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
    let (now, visitor, tenant) = (shared.door.now().mono, here.visitor.id, &here.visitor.tenant);
    let Some(offered) = here.tenant.config.chat.talk_now.as_ref() else {
        return Err(problem(StatusCode::NOT_FOUND, "not_found", "visitors of this site do not call from it"));
    };
    let calm = paced(&shared.talks_by_visitor, now, &visitor.to_string()) && paced(&shared.talks_by_address, now, &address);
    if !calm {
        return Err(problem(StatusCode::TOO_MANY_REQUESTS, "too_fast", "a call was begun too often; try again later"));
    }
    let realm = shared.door.settings().realm(tenant);
    let (username, password) = {
        let mut rng = shared.rng.lock().unwrap_or_else(|e| e.into_inner());
        (format!("guest-{}", rng.hex(12)), rng.hex(16))
    };
    let command = Command::TalkNow {
        visitor,
        name: asked.name,
        language: asked.lang.map(|l| l.chars().take(16).collect()),
        page: asked.page.map(|p| p.chars().take(500).collect()),
        ha1: Ha1::new(&username, &realm, &password),
        username: username.clone(),
    };
    match shared.door.command(tenant.clone(), Actor::Visitor { visitor }, command).await {
        Ok(Done::Ok) => {
            let login = json!({
                "aor": format!("sip:{username}@{realm}"), "username": username, "password": password, "realm": realm,
                "target": format!("sip:{}@{realm}", offered.to.dialled()), "path": "/sip",
                "expires_in_s": limits::TALK_NOW_GRANT_LIFE.as_secs(), "max_min": offered.max_min,
            });
            Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(login)).into_response())
        }
        Ok(_) => Err(problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the call was not taken")),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code.http()).unwrap_or(StatusCode::CONFLICT);
            Err(problem(status, socket::word(&refusal), &refusal.message))
        }
    }
}
