//! Making visitors: a name inside, a secret token outside. And which pages may do it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Shared;
use crate::{
    base::{TenantId, VisitorId, redact::Secret, source},
    center::settings::{Settings, TenantSettings},
    store::{Visitor, sha256_hex},
};

/// New sessions one address may make in a minute: an office behind one router stays below, a flood does not.
pub const PER_ADDRESS: u32 = 30;

/// What a page sends to become a visitor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The tenant; may be left out where there is only one.
    #[serde(default)]
    site: Option<String>,
}

/// What it gets.
#[derive(Debug, Serialize)]
struct Granted {
    visitor: VisitorId,
    token: String,
}

/// An error as RFC 9457 has it.
pub fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("urn:ringdesk:problem:{code}"), "title": status.canonical_reason(), "status": status.as_u16(),
        "code": code, "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// Where a request comes from, and whether that page may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// No page: a program. It has no cookies of ours to misuse, so there is nothing to protect.
    Nowhere,
    /// Our own page.
    Ours,
    /// Another site's page.
    Page(String),
}

/// Reads `Origin` against `Host`.
pub fn from(headers: &HeaderMap) -> From {
    let text = |name| headers.get(name).map(|v: &HeaderValue| v.to_str().unwrap_or("?").to_owned());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => From::Nowhere,
        (Some(o), Some(host)) if o.split_once("://").is_some_and(|(_, at)| at == host) => From::Ours,
        (Some(o), _) => From::Page(o),
    }
}

impl From {
    /// Whether the tenant takes visitors from there.
    pub fn allowed(&self, tenant: &TenantSettings) -> bool {
        match self {
            From::Nowhere | From::Ours => true,
            From::Page(origin) => listed(tenant, origin),
        }
    }
    /// Whether any tenant does: all that can be said before the visitor is known.
    pub fn allowed_somewhere(&self, settings: &Settings) -> bool {
        settings.tenants.values().any(|t| self.allowed(t))
    }
}

fn listed(tenant: &TenantSettings, origin: &str) -> bool {
    tenant.config.chat.origins.iter().any(|o| o.trim_end_matches('/') == origin)
}

/// Lets an allowed page of another site read our answer.
pub fn share(mut response: Response, from: &From) -> Response {
    if let From::Page(origin) = from
        && let Ok(value) = HeaderValue::from_str(origin)
    {
        let h = response.headers_mut();
        h.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        h.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// Answers a browser that asks whether another site's page may post here.
pub async fn preflight(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let from = from(&headers);
    if !from.allowed_somewhere(&shared.door.settings()) {
        return problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here");
    }
    let mut response = share(StatusCode::NO_CONTENT.into_response(), &from);
    let h = response.headers_mut();
    h.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    h.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    h.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// `POST /chat/v1/session {"site": "demo"}`: makes a visitor. The token is in this answer and nowhere else.
pub async fn create(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let from = from(request.headers());
    let settings = shared.door.settings();
    let plain = |r: &Request| {
        let kind = r.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    };
    if !from.allowed_somewhere(&settings) {
        return problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here");
    }
    if !plain(&request) {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "expected application/json");
    }
    let address =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map_or("?".to_owned(), |c| source(c.0.ip()).to_string());
    let now = shared.door.now();
    if !shared.sessions_by_address.lock().unwrap_or_else(|e| e.into_inner()).take(now.mono, &address) {
        return share(
            problem(StatusCode::TOO_MANY_REQUESTS, "limit", "too many new chats from this address; wait a minute"),
            &from,
        );
    }
    let body: Bytes = match axum::body::to_bytes(request.into_body(), 4_096).await {
        Ok(b) => b,
        Err(_) => return problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "expected at most 4096 bytes"),
    };
    let wish: Wish = match serde_json::from_slice(&body) {
        Ok(w) => w,
        Err(e) => return share(problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", &e.to_string()), &from),
    };
    let Some(tenant) = site(&settings, wish.site.as_deref()).filter(|t| t.config.chat.flow.is_some()) else {
        return share(problem(StatusCode::NOT_FOUND, "not_found", "there is no chat on this site"), &from);
    };
    if !from.allowed(tenant) {
        return problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here");
    }
    let made = make(&shared, &tenant.id, now).await;
    match made {
        Ok(granted) => {
            let answer = (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(granted)).into_response();
            share(answer, &from)
        }
        Err(error) => {
            tracing::error!(%error, "a visitor could not be kept");
            share(problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the chat is not available right now"), &from)
        }
    }
}

pub fn site<'a>(settings: &'a Settings, named: Option<&str>) -> Option<&'a Arc<TenantSettings>> {
    match named.filter(|n| !n.is_empty()) {
        Some(n) => settings.tenants.get(&TenantId::parse(n).ok()?),
        None if settings.tenants.len() == 1 => settings.tenants.values().next(),
        // Several houses: the one that has a chat, if only one has.
        None => {
            let mut with = settings.tenants.values().filter(|t| t.config.chat.flow.is_some());
            with.next().filter(|_| with.next().is_none())
        }
    }
}

async fn make(shared: &Shared, tenant: &TenantId, now: crate::base::Now) -> crate::store::Result<Granted> {
    let (id, token) = {
        let mut rng = shared.rng.lock().unwrap_or_else(|e| e.into_inner());
        (VisitorId::new(now, &mut rng), rng.hex(32))
    };
    let visitor = Visitor {
        tenant: tenant.clone(),
        id,
        token_sha256: Secret::new(sha256_hex(&token)),
        interaction: None,
        seen_at: now.wall,
    };
    shared.store.visitor_put(&visitor).await?;
    Ok(Granted { visitor: id, token })
}
