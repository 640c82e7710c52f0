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
    base::{InteractionId, OfferId, Wall},
    center::command::Done,
    store::{AuditEntry, Cursor},
};

/// Names under which an instant stands in facts, views and rows. Inside they are microseconds since 1970; outside RFC 3339.
const STAMPS: &[&str] = &[
    "at",
    "since",
    "until",
    "stage_since",
    "talk_since",
    "held_since",
    "longest_since",
    "entered",
    "reopen_until",
    "reached",
    "created",
    "updated",
    "first_reply",
    "unanswered",
    "opened_at",
    "answered_at",
    "closed_at",
    "began_at",
    "ended_at",
    "left_at",
    "entered_at",
    "changed_at",
    "made_at",
    "expires_at",
    "seen_at",
    "wakes_at",
    "until_at",
    "idle_since",
    "last_seen",
];

/// Rewrites every instant of a document as RFC 3339 in UTC.
pub fn stamp(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(stamp),
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                match inner.as_i64() {
                    Some(us) if STAMPS.contains(&key.as_str()) => *inner = Wall(us).rfc3339().into(),
                    Some(_) => {}
                    None => stamp(inner),
                }
            }
        }
        _ => {}
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_leave_the_house_as_text_and_counts_stay_numbers() {
        let mut v = serde_json::json!({"at": 1_795_406_706_000_000i64, "seq": 7, "work": [{"since": 0, "until": null}]});
        stamp(&mut v);
        assert_eq!(v["at"], "2026-11-23T04:05:06.000Z");
        assert_eq!(v["seq"], 7);
        assert_eq!(v["work"][0]["since"], "1970-01-01T00:00:00.000Z");
        assert!(v["work"][0]["until"].is_null());
    }
}
