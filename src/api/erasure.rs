//! One customer is forgotten, at their wish.
//!
//! The center erases the person at once; what is written down of them is redacted right after, beside everything else, also
//! over a restart. The audit log keeps that it was done, and nothing of whom.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Problem, Shared,
    guard::Who,
    retention::{HoldShown, hold_shown},
    wire,
};
use crate::{
    base::{CustomerId, Wall},
    center::command::{Actor, Command},
    customer::Change,
};

/// What there is of a customer, and what became of a wish to be forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasureShown {
    /// Calls and chats: they stay as numbers in reports, without the person.
    contacts: u64,
    /// Recordings and voicemail, deleted.
    recordings: u64,
    /// Messages of chats, deleted.
    messages: u64,
    /// Files of chats, deleted.
    files: u64,
    /// Tickets: they stay without words.
    tickets: u64,
    /// Holds on any of it: while there is one, nobody is erased.
    held: Vec<HoldShown>,
    /// When it was asked for, RFC 3339.
    asked_at: Option<String>,
    /// When nothing was left, RFC 3339.
    done_at: Option<String>,
}

/// The customer's id of today.
async fn today(shared: &Shared, who: &Who, text: &str) -> Result<CustomerId, Problem> {
    let missing = || Problem::not_found(format!("customer `{text}`"));
    let id = CustomerId::parse(text).ok_or_else(missing)?;
    let found = shared.store.customer_get(&who.tenant, id).await.map_err(Problem::internal)?;
    found.map(|c| c.id).ok_or_else(missing)
}

async fn shown(shared: &Shared, who: &Who, customer: CustomerId) -> Result<ErasureShown, Problem> {
    let traces = shared.store.traces(&who.tenant, customer).await.map_err(Problem::internal)?;
    let asked = shared.store.erasure_get(&who.tenant, customer).await.map_err(Problem::internal)?;
    Ok(ErasureShown {
        contacts: traces.contacts,
        recordings: traces.recordings,
        messages: traces.messages,
        files: traces.files,
        tickets: traces.tickets,
        held: traces.held.into_iter().map(hold_shown).collect(),
        asked_at: asked.as_ref().map(|e| e.asked_at.rfc3339()),
        done_at: asked.and_then(|e| e.done_at).map(Wall::rfc3339),
    })
}

/// What would go if this customer were erased, and whether it was asked for.
#[utoipa::path(get, path = "/api/v1/customers/{id}/erasure", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = ErasureShown), (status = 404, body = Problem)))]
pub async fn show(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<ErasureShown>, Problem> {
    let customer = today(&shared, &who, &id).await?;
    Ok(Json(shown(&shared, &who, customer).await?))
}

/// Erases a customer over all channels. Refused with 409 while a contact of theirs goes on (`wrong_state`) or a hold keeps any
/// of it (`held`). Cannot be undone.
#[utoipa::path(post, path = "/api/v1/customers/{id}/erasure", tag = "customers", params(("id" = String, Path)),
    responses((status = 202, body = ErasureShown), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn erase(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<ErasureShown>), Problem> {
    let customer = today(&shared, &who, &id).await?;
    let traces = shared.store.traces(&who.tenant, customer).await.map_err(Problem::internal)?;
    if let Some(hold) = traces.held.into_iter().next().map(hold_shown) {
        let said = format!("{} `{}` is held ({}): lift the hold first", hold.kind, hold.id, hold.reason);
        return Err(Problem::new(StatusCode::CONFLICT, "held", said));
    }
    // Written down first: a crash after the center's answer leaves the rest to be done.
    shared.store.erasure_ask(&who.tenant, customer, &who.name(), shared.door.now().wall).await.map_err(Problem::internal)?;
    let command = Command::Customer { customer, change: Change::Erased };
    if let Err(refused) = shared.door.command(who.tenant.clone(), Actor::System, command).await {
        shared.store.erasure_drop(&who.tenant, customer).await.map_err(Problem::internal)?;
        return Err(refused.into());
    }
    wire::audit(&shared, &who, "customer.erase", &customer.to_string(), None, None).await?;
    shared.aging.notify_one();
    Ok((StatusCode::ACCEPTED, Json(shown(&shared, &who, customer).await?)))
}
