//! `Idempotency-Key`: a POST whose sender names it is carried out once, however often it is sent; the answer is kept for a day.
//!
//! What was refused is not kept: it may be sent again once the reason is gone. Answers that hold a secret are never kept, so
//! the routes that give them take no key.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{BODY_MAX, Problem, Shared, guard::Who};
use crate::store::{RequestName, RequestState, sha256_hex};

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";
/// Longest key, bytes.
const KEY_MAX: usize = 64;
/// Largest answer kept, bytes. What commands are answered with is far smaller.
const ANSWER_MAX: usize = 64 * 1024;
/// Answered with a secret that must not lie about in clear.
const SECRET: &[&str] = &[
    "/api/v1/api-keys",
    "/api/v1/users",
    "/api/v1/webhooks",
    "/api/v1/webhooks/{name}/secret",
    "/api/v1/sip/credentials",
    "/api/v1/auth/login",
    "/api/v1/auth/logout",
    "/api/v1/auth/password",
    "/api/v1/auth/factor",
    "/api/v1/auth/factor/confirm",
];

/// Inside the guard: who is asking is known.
pub async fn once(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let who = request.extensions().get::<Who>().cloned();
    let (Some(key), Some(who)) = (request.headers().get(KEY).cloned(), who) else { return next.run(request).await };
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match named(shared, who, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn named(shared: Arc<Shared>, who: Who, key: &HeaderValue, request: Request, next: Next) -> Result<Response, Problem> {
    let name = key.to_str().ok().filter(|k| (1..=KEY_MAX).contains(&k.len()) && k.bytes().all(|b| b.is_ascii_graphic()));
    let name = name.ok_or_else(|| Problem::invalid(KEY, format!("expected 1 to {KEY_MAX} visible ASCII characters")))?;
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    if SECRET.contains(&route) {
        return Err(Problem::invalid(KEY, "this route answers with a secret, which is not kept: it takes no key"));
    }
    let name = RequestName { tenant: who.tenant.clone(), caller: who.name(), name: name.to_owned() };
    let (parts, body) = request.into_parts();
    let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large");
    let body = to_bytes(body, BODY_MAX).await.map_err(too_large)?;
    let print = sha256_hex(&format!("{} {}\n{}", parts.method, parts.uri, String::from_utf8_lossy(&body)));
    let now = shared.door.now().wall;
    match shared.store.request_begin(&name, &print, now).await.map_err(Problem::internal)? {
        RequestState::New => {}
        RequestState::Done(status, body) => return Ok(again(status, body)),
        RequestState::Running => {
            let said = "the same request is being carried out at this moment";
            return Err(Problem::new(StatusCode::CONFLICT, "in_progress", said).retry_after(1));
        }
        RequestState::Other => return Err(Problem::invalid(KEY, "this key was given to another request")),
        RequestState::TooMany => {
            let said = "as many requests with a key were sent within a day as are kept";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "limit", said));
        }
    }
    // Whoever hangs up has still asked: the request is carried out to its end, so that its answer can be kept.
    let request = Request::from_parts(parts, Body::from(body));
    let carried_out = tokio::spawn(async move {
        let (parts, body) = next.run(request).await.into_parts();
        let body = to_bytes(body, ANSWER_MAX).await.unwrap_or_default();
        let text = std::str::from_utf8(&body).ok().filter(|_| parts.status.is_success());
        let answer = text.map(|t| (parts.status.as_u16(), t));
        if let Err(error) = shared.store.request_end(&name, answer).await {
            tracing::error!(%error, "an answer was not kept; the request may be carried out again");
        }
        Response::from_parts(parts, Body::from(body))
    });
    carried_out.await.map_err(Problem::internal)
}

fn again(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
