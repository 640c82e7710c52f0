//! Sign-ins that are open: seen and ended by their owner, or by an administrator.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, FromRequestParts, Path, State},
    http::{Extensions, HeaderMap, StatusCode, header, request::Parts},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, Shared,
    guard::{Pass, Who},
    problem::Body,
    sip, users, wire,
};
use crate::{base::AgentId, sip::auth::Revoke, store::Session};

/// Longest description of a device that is kept, letters.
const DEVICE_MAX: usize = 200;

/// Where a request comes from, as people may recognise it.
#[derive(Debug, Clone, Default)]
pub struct Seat {
    /// What the browser says of itself.
    pub device: String,
    /// Its address.
    pub address: String,
}

impl Seat {
    /// Of a request.
    pub fn of(shared: &Shared, headers: &HeaderMap, extensions: &Extensions) -> Seat {
        let said = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let remote = extensions.get::<ConnectInfo<SocketAddr>>().map(|c| sip::behind(&shared.sip.proxies, c.0, headers));
        Seat {
            device: said.chars().take(DEVICE_MAX).collect(),
            address: remote.map(|a| a.ip().to_canonical().to_string()).unwrap_or_default(),
        }
    }
}

impl FromRequestParts<Arc<Shared>> for Seat {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        Ok(Seat::of(shared, &parts.headers, &parts.extensions))
    }
}

/// An open sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionShown {
    /// Names it.
    id: String,
    /// What the browser said of itself when it signed in.
    device: String,
    /// From which address.
    address: String,
    /// When it began, RFC 3339.
    made_at: String,
    /// When it was last used, RFC 3339, to five minutes.
    seen_at: String,
    /// It is the one that asks.
    current: bool,
}

/// Open sign-ins.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The newest first.
    sessions: Vec<SessionShown>,
}

/// Which of one's own sign-ins end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// One of them.
    #[serde(default)]
    id: Option<String>,
    /// True: all but the one that asks.
    #[serde(default)]
    others: bool,
}

/// The public name of a session: part of the hash of its token, of which nothing can be made.
fn name(s: &Session) -> String {
    s.token_sha256.expose().chars().take(16).collect()
}

fn shown(who: &Who, s: &Session) -> SessionShown {
    let current = matches!(&who.by, Pass::Cookie { hash, .. } if hash == s.token_sha256.expose());
    let (device, address) = (s.device.clone(), s.address.clone());
    SessionShown { id: name(s), device, address, made_at: s.made_at.rfc3339(), seen_at: s.seen_at.rfc3339(), current }
}

fn person(who: &Who) -> Result<&AgentId, Problem> {
    who.actor.agent().ok_or_else(|| Problem::not_allowed("an API key does not sign in"))
}

async fn open(shared: &Shared, who: &Who, login: &AgentId) -> Result<Vec<Session>, Problem> {
    shared.store.session_list(&who.tenant, login, shared.door.now().wall).await.map_err(Problem::internal)
}

async fn end(shared: &Shared, s: &Session) -> Result<(), Problem> {
    let hash = s.token_sha256.expose();
    shared.store.session_end(hash).await.map_err(Problem::internal)?;
    shared.door.revoke_phones(Revoke::Session(hash.to_owned()));
    Ok(())
}

/// One's own sign-ins.
#[utoipa::path(get, path = "/api/v1/auth/sessions", tag = "auth", responses((status = 200, body = Sessions)))]
pub async fn own(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Sessions>, Problem> {
    let sessions = open(&shared, &who, person(&who)?).await?;
    Ok(Json(Sessions { sessions: sessions.iter().map(|s| shown(&who, s)).collect() }))
}

/// Ends one of one's own sign-ins, or all others: their pages and phones are out at once.
#[utoipa::path(post, path = "/api/v1/auth/sessions/end", tag = "auth", request_body = EndSession,
    responses((status = 200, body = Sessions), (status = 404, body = Problem)))]
pub async fn end_own(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(which): Body<EndSession>,
) -> Result<Json<Sessions>, Problem> {
    let login = person(&who)?;
    let (mut stay, mut go) = (Vec::new(), Vec::new());
    for s in open(&shared, &who, login).await? {
        let ends = match &which.id {
            Some(id) => name(&s) == *id,
            None => !shown(&who, &s).current,
        };
        if ends { go.push(s) } else { stay.push(s) }
    }
    match &which.id {
        None if !which.others => return Err(Problem::invalid("id", "expected `id`, or `others: true`")),
        Some(id) if go.is_empty() => return Err(Problem::not_found(format!("session `{id}`"))),
        _ => {}
    }
    for s in &go {
        end(&shared, s).await?;
    }
    shared.access_changed();
    let after = format!("sessions={}", go.len());
    wire::audit(&shared, &who, "user.sessions_end", login.as_str(), None, Some(after)).await?;
    Ok(Json(Sessions { sessions: stay.iter().map(|s| shown(&who, s)).collect() }))
}

/// The sign-ins of a login.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = String, Path)),
    responses((status = 200, body = Sessions), (status = 404, body = Problem)))]
pub async fn of_user(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Sessions>, Problem> {
    let user = users::existing(&shared, &who, &id).await?;
    let sessions = open(&shared, &who, &user.login).await?;
    Ok(Json(Sessions { sessions: sessions.iter().map(|s| shown(&who, s)).collect() }))
}

/// Signs a login out everywhere.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn end_user(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let user = users::existing(&shared, &who, &id).await?;
    let n = shared.store.sessions_end_of(&user.tenant, &user.login).await.map_err(Problem::internal)?;
    shared.door.revoke_phones(Revoke::User { tenant: user.tenant.clone(), user: user.login.to_string() });
    shared.access_changed();
    wire::audit(&shared, &who, "user.sessions_end", user.login.as_str(), None, Some(format!("sessions={n}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}
