//! What went wrong with a request, as the client is told: `application/problem+json` (RFC 9457).
//!
//! `code` is a stable word that consoles translate; `detail` is a sentence for logs and for people who write programs.
//! [`seal`] is the outermost layer: it gives every request its id, and whatever left the house as a bare error status
//! (a framework's own 404, 405, 413) becomes a problem too.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Query, Request, State, rejection::JsonRejection},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing::Instrument;
use utoipa::ToSchema;

use super::Shared;
use crate::center::command::Refusal;

/// The header that carries a request's id, in both directions of our logs.
pub const REQUEST_ID: &str = "x-request-id";

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:ringdesk:problem:` and the code.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// Stable word to act on: `not_found`, `not_allowed`, `wrong_state`, `invalid`, `limit`, `unavailable`, `signed_out`,
    /// `csrf`, `origin`, `bad_json`, `locked`, `bad_login`, ..
    pub code: String,
    /// What was attempted, on what, and why not.
    pub detail: String,
    /// The place in the body that is wrong, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// More than one thing is wrong: a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Name this when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When trying again makes sense, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem with its sentence.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Problem {
            r#type: format!("urn:ringdesk:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            field: None,
            problems: Vec::new(),
            request_id: None,
            retry_after_s: None,
        }
    }
    /// No such thing here. Also the answer for what exists in another tenant.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} does not exist"))
    }
    /// The role does not reach this far, or it is somebody else's.
    pub fn not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
    }
    /// A value that makes no sense, at a named place.
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Problem { field: Some(field.to_owned()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }
    /// Our fault. The cause goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server could not do this; the log knows more")
    }
    /// Adds when to come back.
    pub fn retry_after(mut self, s: u64) -> Self {
        self.retry_after_s = Some(s);
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.code.http()).unwrap_or(StatusCode::CONFLICT);
        // The word of the enum as it is serialised, so that both sides agree for ever.
        let code = serde_json::to_value(refusal.code).ok().and_then(|v| v.as_str().map(str::to_owned));
        Problem::new(status, code.as_deref().unwrap_or("refused"), refusal.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(s) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(s));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Marks an answer with an error status whose body is meant as it is.
#[derive(Debug, Clone, Copy)]
pub struct Final;

/// Outermost layer of the API: request ids, and no error without a problem document.
pub async fn seal(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let id = shared.random_hex(8);
    // What is logged while the request runs carries its id.
    let span = tracing::info_span!("request", id = %id);
    let response = next.run(request).instrument(span).await;
    let status = response.status();
    let whole = response.extensions().get::<Final>().is_some();
    let mut response = if !whole && (status.is_client_error() || status.is_server_error()) {
        let problem = response.extensions().get::<Problem>().cloned();
        let kept = response.headers().clone();
        let problem = problem.unwrap_or_else(|| bare(status));
        let mut sealed = Problem { request_id: Some(id.clone()), ..problem }.into_response();
        // What a framework's own answer said besides its status (Allow, Content-Range) stays true.
        for (name, value) in &kept {
            if !sealed.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                sealed.headers_mut().append(name, value.clone());
            }
        }
        sealed
    } else {
        response
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn bare(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => ("method", "this address does not take that method"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the body is larger than this address takes"),
        StatusCode::REQUEST_TIMEOUT => ("timeout", "the request took too long"),
        StatusCode::UPGRADE_REQUIRED => ("upgrade", "this address speaks WebSocket only"),
        _ => ("error", "the request could not be served"),
    };
    Problem::new(status, code, detail)
}

/// A JSON body, checked. The error names the field and what was expected.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(rejection) => Err(json_problem(&rejection)),
        }
    }
}

fn json_problem(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    match rejection {
        JsonRejection::JsonDataError(_) => {
            // "<preface>: <path>: <what is wrong> at line .. column ..": the path is there only below the top level.
            let said = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
            let field = named_field(said);
            Problem { field, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said) }
        }
        other => {
            let status = other.status();
            let code = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "too_large",
                StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type",
                _ => "bad_json",
            };
            Problem::new(status, code, text)
        }
    }
}

/// The field a deserialisation error is about: its path, else the name it quotes.
fn named_field(said: &str) -> Option<String> {
    let path = said.split_once(": ").map(|(path, _)| path);
    let is_path =
        |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'[' | b']'));
    if let Some(path) = path.filter(|p| is_path(p) && *p != ".") {
        return Some(path.to_owned());
    }
    let about = said.strip_prefix("missing field `").or_else(|| said.strip_prefix("unknown field `"))?;
    about.split_once('`').map(|(name, _)| name.to_owned())
}

/// A query string, checked.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Params(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let said = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
                Err(Problem { field: named_field(said), ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_about_a_field_names_the_field() {
        assert_eq!(named_field("to.queue: invalid type: integer `1`, expected a string").as_deref(), Some("to.queue"));
        assert_eq!(named_field("unknown field `colour`, expected `title` at line 1 column 9").as_deref(), Some("colour"));
        assert_eq!(named_field("missing field `password` at line 1 column 2").as_deref(), Some("password"));
        assert_eq!(named_field("expected value"), None);
    }
}
