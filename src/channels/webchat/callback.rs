//! A visitor asks to be called.
//!
//! ```text
//!   GET  /chat/v1/state?site=demo     ─▶ {.., call_me: {consent, now, later}}      while it is offered
//!   GET  /chat/v1/hours?site=demo     ─▶ {minutes, hours: [..]}                     those that are free
//!   POST /chat/v1/callback            {number, consent: true, at?, ..} with a visitor's token ─▶ 201
//! ```
//! Somebody else's number is easily typed: so many in a while from a visitor, from an address, and to a number, and what the
//! house may call at all is the center's to say.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

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
    offline::{self, paced},
    session::{self, From, problem, share},
    socket,
};
use crate::{
    base::{Wall, source},
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
    /// One of the hours.
    #[serde(default)]
    at: Option<String>,
}

/// `GET /chat/v1/hours`: the hours a visitor may choose to be called at. What others have chosen is as the latest picture has it;
/// the center has the last word.
pub async fn hours(State(shared): State<Arc<Shared>>, asked: offline::Asked, request: Request) -> Response {
    offline::told(&shared, asked, &request, |tenant| {
        let Some((call_me, hours, calendar)) = tenant.call_me_later() else {
            return problem(StatusCode::NOT_FOUND, "not_found", "no hours are offered on this site");
        };
        let mut taken: BTreeMap<Wall, u32> = BTreeMap::new();
        let view = shared.door.view(&tenant.id);
        for i in view.iter().flat_map(|v| v.interactions.values()).filter(|i| i.queue.as_ref() == Some(&call_me.queue)) {
            if let Some(at) = i.callback.as_ref().and_then(|c| c.chosen_at) {
                *taken.entry(at).or_default() += 1;
            }
        }
        let all = hours.offered(calendar, shared.door.now().wall);
        let free = all.iter().filter(|at| taken.get(*at).is_none_or(|n| *n < hours.each)).map(|at| at.rfc3339());
        let answer = json!({"minutes": hours.every_min, "hours": free.collect::<Vec<_>>()});
        ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
    })
}

/// `POST /chat/v1/callback`: a call, as soon as somebody has time or at the hour that is chosen.
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
    let at =
        asked.at.as_deref().map(|at| Wall::parse_rfc3339(at).ok_or_else(|| invalid("at: expected one of the hours offered")));
    let at = at.transpose()?;
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
        at,
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
