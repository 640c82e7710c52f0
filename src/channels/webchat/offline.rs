//! How the chat looks, whether anybody is there, and the words left while nobody is.
//!
//! ```text
//!   GET  /chat/v1/look?site=demo      ─▶ {color, side, title, greeting, ask}
//!   GET  /chat/v1/state?site=demo     ─▶ {presence: open | closed | nobody, call_me?, talk_now?}
//!   POST /chat/v1/message             {name, contact, text, ..} with a visitor's token ─▶ 201; a ticket
//! ```

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Shared, files,
    pace::Paces,
    session::{self, From, problem, share},
    socket,
};
use crate::{
    base::{Mono, QueueId, TenantId, limits, source},
    center::{
        command::{Actor, Command, Done},
        settings::TenantSettings,
    },
};

/// Largest body: the longest words with every character escaped, and what stands around them.
const BODY_MAX: usize = 6 * limits::MESSAGE_MAX + 4_096;

/// Whose page asks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The tenant; may be left out where there is only one.
    #[serde(default)]
    site: Option<String>,
}

/// What is left.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Left {
    #[serde(default)]
    name: String,
    contact: String,
    text: String,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    page: Option<String>,
}

fn signed_in(shared: &Shared, tenant: &TenantId, queue: Option<&QueueId>) -> usize {
    let Some(view) = shared.door.view(tenant) else { return 0 };
    match queue {
        Some(queue) => view.queues.get(queue).map_or(0, |q| q.signed_in),
        None => view.queues.values().map(|q| q.signed_in).sum(),
    }
}

/// Which site a page asks about.
pub type Asked = Result<Query<Site>, QueryRejection>;

/// Answers a page about the tenant of its site.
pub fn told(shared: &Shared, asked: Asked, request: &Request, tell: impl FnOnce(&TenantSettings) -> Response) -> Response {
    let from = session::from(request.headers());
    let settings = shared.door.settings();
    if !from.allowed_somewhere(&settings) {
        return problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here");
    }
    let answer = match asked {
        Err(e) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", &e.body_text()),
        Ok(Query(Site { site })) => match session::site(&settings, site.as_deref()).filter(|t| from.allowed(t)) {
            None => problem(StatusCode::NOT_FOUND, "not_found", "there is no chat on this site"),
            Some(tenant) => tell(tenant),
        },
    };
    share(answer, &from)
}

/// `GET /chat/v1/state`: whether a chat finds somebody now.
pub async fn state(State(shared): State<Arc<Shared>>, asked: Asked, request: Request) -> Response {
    told(&shared, asked, &request, |tenant| {
        let now = shared.door.now().wall;
        let presence = tenant.chat_presence(now, |queue| signed_in(&shared, &tenant.id, queue));
        let mut state = json!({"presence": presence});
        let (at_once, later) = (tenant.call_me(now), tenant.call_me_later().map(|(offered, ..)| offered));
        if let Some(offered) = at_once.or(later) {
            state["call_me"] = json!({"consent": offered.consent, "now": at_once.is_some(), "later": later.is_some()});
        }
        if let Some(offered) = tenant.talk_now(now) {
            state["talk_now"] = json!({"max_min": offered.max_min});
        }
        ([(header::CACHE_CONTROL, "no-store")], Json(state)).into_response()
    })
}

/// `GET /chat/v1/look`: how the house wants the widget to look, and what it asks before a chat. Every page of a site asks, so it
/// is kept for a minute.
pub async fn look(State(shared): State<Arc<Shared>>, asked: Asked, request: Request) -> Response {
    told(&shared, asked, &request, |tenant| {
        ([(header::CACHE_CONTROL, "max-age=60")], Json(&tenant.config.chat.widget)).into_response()
    })
}

/// `POST /chat/v1/message`: words for whoever comes back first.
pub async fn leave(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let from = session::from(request.headers());
    let answer = match take(&shared, &from, request).await {
        Ok(response) | Err(response) => response,
    };
    share(answer, &from)
}

/// Counts one more; false when it is too many.
pub fn paced(paces: &std::sync::Mutex<Paces>, now: Mono, name: &str) -> bool {
    paces.lock().unwrap_or_else(|e| e.into_inner()).take(now, name)
}

async fn take(shared: &Shared, from: &From, request: Request) -> Result<Response, Response> {
    let here = files::recognised(shared, request.headers(), from).await?;
    let address =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map_or("?".to_owned(), |c| source(c.0.ip()).to_string());
    let body = axum::body::to_bytes(request.into_body(), BODY_MAX).await;
    let body = body.map_err(|_| problem(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the message is too long"))?;
    let invalid = |said: &str| problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said);
    let left: Left = serde_json::from_slice(&body).map_err(|e| invalid(&e.to_string()))?;
    if left.text.chars().count() > limits::LEFT_MAX {
        return Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "too_long", "the message is too long"));
    }
    let now = shared.door.now().mono;
    let visitor = here.visitor.id;
    if !paced(&shared.left_by_visitor, now, &visitor.to_string()) || !paced(&shared.left_by_address, now, &address) {
        return Err(problem(
            StatusCode::TOO_MANY_REQUESTS,
            "too_fast",
            "too many messages were left; try again in some minutes",
        ));
    }
    let command = Command::Leave {
        visitor,
        name: left.name,
        contact: left.contact.chars().take(120).collect(),
        language: left.lang.map(|l| l.chars().take(16).collect()),
        page: left.page.map(|p| p.chars().take(500).collect()),
        text: left.text,
    };
    match shared.door.command(here.visitor.tenant.clone(), Actor::Visitor { visitor }, command).await {
        Ok(Done::Ticket { .. }) => Ok((StatusCode::CREATED, Json(json!({"left": true}))).into_response()),
        Ok(_) => Err(problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the message was not taken")),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.code.http()).unwrap_or(StatusCode::CONFLICT);
            Err(problem(status, socket::word(&refusal), &refusal.message))
        }
    }
}
