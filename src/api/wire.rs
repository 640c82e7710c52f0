//! Small conversions between what is inside and what goes over the wire.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Problem, Shared, guard::Who};
use crate::{
    base::{InteractionId, OfferId, TenantId, Wall},
    center::{command::Done, stamp::stamp},
    store::{AuditEntry, Cursor},
};

/// A value as the document we send.
pub fn to_json<T: Serialize>(value: &T) -> Result<Value, Problem> {
    let mut json = serde_json::to_value(value).map_err(Problem::internal)?;
    stamp(&mut json);
    Ok(json)
}

/// The word a value is written as.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A value as an answer.
pub fn answer<T: Serialize>(value: &T) -> Result<Json<Value>, Problem> {
    to_json(value).map(Json)
}

/// What a command brought about.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome {
    /// `ok`, `interaction`, `message`, `ticket`.
    pub kind: String,
    /// The interaction that exists now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction: Option<String>,
    /// The message that was accepted; it is stored when its fact comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its place in the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The ticket that exists now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// The answer to a command: 200, or 201 when something exists now that did not before.
pub fn outcome(done: Done) -> Response {
    let none = Outcome { kind: "ok".into(), interaction: None, message: None, seq: None, ticket: None };
    let (status, body) = match done {
        Done::Ok => (StatusCode::OK, none),
        Done::Interaction { interaction } => {
            (StatusCode::CREATED, Outcome { kind: "interaction".into(), interaction: Some(interaction.to_string()), ..none })
        }
        Done::Message { message, seq } => (
            StatusCode::CREATED,
            Outcome { kind: "message".into(), message: Some(message.to_string()), seq: Some(seq), ..none },
        ),
        Done::Ticket { ticket } => {
            (StatusCode::CREATED, Outcome { kind: "ticket".into(), ticket: Some(ticket.to_string()), ..none })
        }
    };
    (status, Json(body)).into_response()
}

/// An interaction id of a path. What is no id names nothing.
pub fn interaction_id(text: &str) -> Result<InteractionId, Problem> {
    InteractionId::parse(text).ok_or_else(|| Problem::not_found(format!("interaction `{text}`")))
}

/// An offer id of a path.
pub fn offer_id(text: &str) -> Result<OfferId, Problem> {
    OfferId::parse(text).ok_or_else(|| Problem::not_found(format!("offer `{text}`")))
}

/// Where a list goes on.
pub fn cursor(text: Option<&str>) -> Result<Option<Cursor>, Problem> {
    let read = |t: &str| Cursor::parse(t).ok_or_else(|| Problem::invalid("after", "expected the `next` of an earlier answer"));
    text.map(read).transpose()
}

/// An instant of a query or a body, if there is one.
pub fn instant(field: &str, text: Option<&str>) -> Result<Option<Wall>, Problem> {
    let read = |t: &str| {
        Wall::parse_rfc3339(t).ok_or_else(|| Problem::invalid(field, "expected an instant like 2026-11-23T04:05:06Z"))
    };
    text.map(read).transpose()
}

/// A name in a body, as the id it must be.
pub fn slug<T: std::str::FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|e: T::Err| Problem::invalid(field, e.to_string()))
}

/// The same for somebody who is not in yet, or is a part of the house.
pub async fn audit_of(
    shared: &Shared,
    tenant: &TenantId,
    who: &str,
    what: &str,
    subject: &str,
    after: Option<String>,
) -> Result<(), Problem> {
    let (at, who, what, subject) = (shared.door.now().wall, who.to_owned(), what.to_owned(), subject.to_owned());
    let entry = AuditEntry { at, who, what, subject, before: None, after };
    shared.store.audit_append(tenant, &entry).await.map_err(Problem::internal)
}

/// Adds to the audit log. An action that cannot be noted is not answered as done.
pub async fn audit(
    shared: &Shared,
    who: &Who,
    what: &str,
    subject: &str,
    before: Option<String>,
    after: Option<String>,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        at: shared.door.now().wall,
        who: who.name(),
        what: what.to_owned(),
        subject: subject.to_owned(),
        before,
        after,
    };
    shared.store.audit_append(&who.tenant, &entry).await.map_err(Problem::internal)
}
