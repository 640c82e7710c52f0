//! Who is calling: an API key, or a browser with a session cookie. One layer in front of every route.
//!
//! A cookie alone never changes anything: a changing request must also carry the session's CSRF token and come from our own
//! pages by its `Origin` header; a socket must come from our own pages. A key in `Authorization` is not sent by browsers on
//! their own and needs neither.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use super::{Problem, Shared, rights};
use crate::{
    base::{AgentId, TenantId, Wall, limits, mins, redact::Secret},
    center::command::{Actor, Role},
    store::sha256_hex,
};

/// The session cookie.
pub const COOKIE: &str = "ringdesk_session";
/// The header that carries the CSRF token.
pub const CSRF: &str = "x-csrf-token";
/// What an API key begins with, so that a leaked one is recognised.
pub const KEY_PREFIX: &str = "rk_";
/// An unused session ends after this.
pub const SESSION_LIFE: std::time::Duration = mins(12 * 60);

/// That a session is used is noted this often.
const SEEN_EVERY: std::time::Duration = mins(5);

/// That a key is used is noted this often.
const USED_EVERY: std::time::Duration = mins(1);

/// The caller.
#[derive(Debug, Clone)]
pub struct Who {
    /// In which tenant.
    pub tenant: TenantId,
    /// As the center knows them.
    pub actor: Actor,
    /// What they may do.
    pub role: Role,
    /// How they showed it.
    pub by: Pass,
    /// They have a second factor, or are a program, which needs none.
    pub factor: bool,
}

/// What was shown at the door.
#[derive(Debug, Clone)]
pub enum Pass {
    /// A session cookie.
    Cookie {
        /// SHA-256 of its token.
        hash: String,
        /// What changing requests must carry.
        csrf: Secret,
    },
    /// An API key.
    Key {
        /// SHA-256 of it.
        hash: String,
    },
}

impl Who {
    /// Name for the audit log.
    pub fn name(&self) -> String {
        match &self.actor {
            Actor::User { user, .. } => user.to_string(),
            Actor::Key { name, .. } => format!("key:{name}"),
            Actor::Visitor { visitor } => format!("visitor:{visitor}"),
            Actor::System => "system".to_owned(),
        }
    }
    /// The agent an `{id}` of a path means: `me` is the caller.
    pub fn agent(&self, id: &str) -> Result<AgentId, Problem> {
        if id == "me" {
            return self.actor.agent().cloned().ok_or_else(|| Problem::not_found("the agent `me` of an API key"));
        }
        AgentId::parse(id).map_err(|_| Problem::not_found(format!("agent `{id}`")))
    }
    /// True for supervisors and administrators.
    pub fn supervises(&self) -> bool {
        self.role >= Role::Supervisor
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Who>().cloned().ok_or_else(signed_out)
    }
}

fn signed_out() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "signed_out", "sign in first, or send an API key as `Authorization: Bearer rk_..`")
}

/// The layer: finds the rule, finds the caller, holds one against the other.
pub async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match admit(&shared, &parts).await {
        Ok(Some(who)) => {
            parts.extensions.insert(who);
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(shared: &Shared, request: &Parts) -> Result<Option<Who>, Problem> {
    let path = request.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let need = rights::need(request.method.as_str(), path);
    match need {
        Some(rights::Need::Open) => return Ok(None),
        None if !known_path(path) => return Ok(None),
        _ => {}
    }
    // A scraper on the machine itself needs no key: whoever is there can read more than counters.
    let near = request.extensions.get::<ConnectInfo<SocketAddr>>().is_some_and(|c| c.0.ip().to_canonical().is_loopback());
    let passed_on = request.headers.contains_key("x-forwarded-for") || request.headers.contains_key("forwarded");
    if path == "/metrics" && near && !passed_on {
        return Ok(None);
    }
    let Some(who) = find(shared, &request.headers).await? else { return Err(signed_out()) };
    let Some(need) = need else {
        // A path we know with a method we do not: the router itself answers 405.
        return Ok(Some(who));
    };
    if !need.admits(who.role) {
        let least = match need {
            rights::Need::Role(r) => r.as_str(),
            _ => "login",
        };
        return Err(Problem::not_allowed(format!("this needs the role {least}; you are {}", who.role.as_str())));
    }
    // Without the second factor the administrator wants there is nothing but making one.
    let making = path.starts_with("/api/v1/auth/") || path == "/api/v1/me";
    if !who.factor && !making && super::auth::factor_required(shared, &who) {
        let said = "people of your role need a second factor: make one first";
        return Err(Problem::new(StatusCode::FORBIDDEN, "factor_needed", said));
    }
    if let Pass::Cookie { csrf, .. } = &who.by {
        let socket = request.headers.contains_key(header::UPGRADE);
        let changes = !matches!(request.method, Method::GET | Method::HEAD);
        if socket || changes {
            same_origin(shared, &request.headers)?;
        }
        if changes {
            let sent = request.headers.get(CSRF).map(|v| v.as_bytes()).unwrap_or_default();
            if !bool::from(sent.ct_eq(csrf.expose().as_bytes())) {
                let said = "a changing request with a cookie must carry the session's token in x-csrf-token";
                return Err(Problem::new(StatusCode::FORBIDDEN, "csrf", said));
            }
        }
    }
    Ok(Some(who))
}

fn known_path(path: &str) -> bool {
    rights::TABLE.iter().any(|(_, p, _)| *p == path)
}

/// Finds the caller by what the headers show. Also used again while a socket is open.
pub async fn find(shared: &Shared, headers: &HeaderMap) -> Result<Option<Who>, Problem> {
    let pass = if let Some(key) = bearer(headers) {
        Some((true, sha256_hex(key)))
    } else {
        cookie(headers, COOKIE).map(|token| (false, sha256_hex(token)))
    };
    match pass {
        Some((true, hash)) => by_key(shared, hash).await,
        Some((false, hash)) => by_session(shared, hash).await,
        None => Ok(None),
    }
}

/// The same caller as they stand now; none when they may not come in any more.
pub async fn again(shared: &Shared, who: &Who) -> Result<Option<Who>, Problem> {
    match &who.by {
        Pass::Cookie { hash, .. } => by_session(shared, hash.clone()).await,
        Pass::Key { hash } => by_key(shared, hash.clone()).await,
    }
}

async fn by_key(shared: &Shared, hash: String) -> Result<Option<Who>, Problem> {
    let key = shared.store.api_key_find(&hash).await.map_err(Problem::internal)?;
    if key.is_some() {
        note_use(shared, &hash);
    }
    Ok(key.map(|k| Who {
        tenant: k.tenant,
        actor: Actor::Key { name: k.name, role: k.role },
        role: k.role,
        by: Pass::Key { hash },
        factor: true,
    }))
}

/// Notes that a key is used, once in a minute and beside the request: no answer waits for it.
fn note_use(shared: &Shared, hash: &str) {
    let now = shared.door.now().wall;
    if !shared.keys_used.lock().unwrap_or_else(|e| e.into_inner()).is_news(hash, now) {
        return;
    }
    let (store, hash) = (shared.store.clone(), hash.to_owned());
    tokio::spawn(async move {
        if let Err(error) = store.api_key_used(&hash, now).await {
            tracing::warn!(%error, "the use of an API key was not noted");
        }
    });
}

/// When the use of which key was noted last, by the key's hash.
#[derive(Debug, Default)]
pub struct KeysUsed(BTreeMap<String, Wall>);

impl KeysUsed {
    /// Whether this use is to be noted. Meeting the bound forgets all of them: each is noted once more.
    fn is_news(&mut self, hash: &str, now: Wall) -> bool {
        if self.0.get(hash).is_some_and(|at| now.since(*at) < USED_EVERY) {
            return false;
        }
        if self.0.len() >= limits::KEYS_NOTED_MAX {
            self.0.clear();
        }
        self.0.insert(hash.to_owned(), now);
        true
    }
}

async fn by_session(shared: &Shared, hash: String) -> Result<Option<Who>, Problem> {
    let now = shared.door.now().wall;
    let Some(found) = shared.store.session_find(&hash, now).await.map_err(Problem::internal)? else { return Ok(None) };
    // Noted at most once in five minutes, so that reading does not write.
    if now.since(found.session.seen_at) >= SEEN_EVERY {
        shared.store.session_seen(&hash, now, now + SESSION_LIFE).await.map_err(Problem::internal)?;
    }
    Ok(Some(Who {
        tenant: found.session.tenant,
        actor: Actor::User { user: found.session.login, role: found.role },
        role: found.role,
        by: Pass::Cookie { hash, csrf: found.session.csrf },
        factor: found.factor,
    }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && key.starts_with(KEY_PREFIX)).then_some(key.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v)
}

/// Refuses what another site's page sends with our visitor's cookie (CWE-1385 for sockets, CSRF for the rest).
pub fn same_origin(shared: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let origin = headers.get(header::ORIGIN).and_then(|v| v.to_str().ok());
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    let ours = origin.is_some_and(|o| {
        let at = o.split_once("://").map(|(_, at)| at);
        (at.is_some() && at == host) || shared.origins.iter().any(|allowed| allowed.trim_end_matches('/') == o)
    });
    if ours {
        return Ok(());
    }
    let said = format!("the request comes from `{}`, which is not this server", origin.unwrap_or("no origin"));
    Err(Problem::new(StatusCode::FORBIDDEN, "origin", said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secs;

    #[test]
    fn the_use_of_a_key_is_news_once_a_minute_and_what_is_remembered_of_it_is_bounded() {
        let (mut used, nine) = (KeysUsed::default(), Wall::from_unix_s(1_795_406_400));
        assert!(used.is_news("a", nine) && used.is_news("b", nine + secs(1)));
        assert!(!used.is_news("a", nine + secs(59)));
        assert!(used.is_news("a", nine + secs(60)) && !used.is_news("a", nine + secs(61)));
        for n in 0..limits::KEYS_NOTED_MAX {
            used.is_news(&n.to_string(), nine);
            assert!(used.0.len() <= limits::KEYS_NOTED_MAX);
        }
    }
}
