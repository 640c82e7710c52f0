//! Named lists of tickets: everybody's own, and those a supervisor shares with the house.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Problem, Shared, guard::Who, problem::Body, scope, wire};
use crate::{base::limits, store::TicketView};

/// What a list asks for: the filters of `GET /tickets`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketQuery)]
pub struct Query {
    /// Words of the title, or the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    /// States, several with commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// An agent id, `me` (whoever looks), or `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Queue id.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    /// Priorities, several with commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
}

/// A list to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketViewWish)]
pub struct Wish {
    /// Shown to people.
    name: String,
    /// Everybody has it; only supervisors share.
    #[serde(default)]
    shared: bool,
    /// What is asked for.
    query: Query,
}

/// A named list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketViewShown)]
pub struct Shown {
    /// Its name in the house.
    id: String,
    /// Shown to people.
    name: String,
    /// Who made it.
    owner: String,
    /// Everybody has it.
    shared: bool,
    /// What is asked for.
    query: Query,
}

/// The named lists somebody has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketViews)]
pub struct Views {
    /// By name.
    views: Vec<Shown>,
}

fn shown(v: TicketView) -> Shown {
    // What a later version wrote and this one does not know is left out rather than refused.
    let query = serde_json::from_str(&v.body).unwrap_or_default();
    Shown { id: v.id, name: v.name, owner: v.owner.to_string(), shared: v.shared, query }
}

fn read(wish: Wish) -> Result<(String, bool, String), Problem> {
    let name = wish.name.trim().to_owned();
    let most = limits::TICKET_VIEW_NAME_MAX;
    if name.is_empty() || name.chars().count() > most || name.chars().any(char::is_control) {
        return Err(Problem::invalid("name", format!("expected one line of 1 to {most} characters")));
    }
    let q = &wish.query;
    let parts = [("q", &q.q), ("status", &q.status), ("owner", &q.owner), ("queue", &q.queue), ("priority", &q.priority)];
    for (field, text) in parts {
        if text.as_ref().is_some_and(|t| t.chars().count() > limits::SEARCH_CHARS_MAX) {
            let at = format!("query.{field}");
            return Err(Problem::invalid(&at, format!("expected at most {} characters", limits::SEARCH_CHARS_MAX)));
        }
    }
    Ok((name, wish.shared, serde_json::to_string(q).map_err(Problem::internal)?))
}

fn may_share(who: &Who, shared: bool) -> Result<(), Problem> {
    match !shared || who.supervises() {
        true => Ok(()),
        false => Err(Problem::not_allowed("a list is shared with the house by a supervisor")),
    }
}

/// The caller's own lists of tickets and the shared ones.
#[utoipa::path(get, path = "/api/v1/ticket-views", tag = "ticket-views", responses((status = 200, body = Views)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Views>, Problem> {
    let views = shared.store.ticket_view_list(&who.tenant, who.actor.agent()).await.map_err(Problem::internal)?;
    Ok(Json(Views { views: views.into_iter().map(shown).collect() }))
}

/// Keeps a list of tickets under a name. Lists belong to people: programs have none of their own.
#[utoipa::path(post, path = "/api/v1/ticket-views", tag = "ticket-views", request_body = Wish,
    responses((status = 201, body = Shown), (status = 403, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(wish): Body<Wish>) -> Result<Response, Problem> {
    let owner = scope::me(&who)?;
    let (name, public, body) = read(wish)?;
    may_share(&who, public)?;
    let view = TicketView { id: shared.random_hex(8), owner, shared: public, name, body, made_at: shared.door.now().wall };
    if !shared.store.ticket_view_put(&who.tenant, &view).await.map_err(Problem::internal)? {
        let most = limits::TICKET_VIEWS_MAX;
        let detail = format!("there are {most} lists of yours already; delete one first");
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "limit", detail));
    }
    if view.shared {
        wire::audit(&shared, &who, "ticket_view.share", &view.id, None, Some(view.name.clone())).await?;
    }
    Ok((StatusCode::CREATED, Json(shown(view))).into_response())
}

/// A view the caller may change: their own, or a shared one for supervisors.
async fn theirs(shared: &Shared, who: &Who, id: &str) -> Result<TicketView, Problem> {
    let found = shared.store.ticket_view_get(&who.tenant, id).await.map_err(Problem::internal)?;
    let own = |v: &TicketView| who.actor.agent() == Some(&v.owner);
    match found {
        Some(v) if own(&v) || (v.shared && who.supervises()) => Ok(v),
        Some(v) if v.shared => Err(Problem::not_allowed("a shared list is changed by who made it, or a supervisor")),
        // Another person's own list is nobody else's business.
        _ => Err(Problem::not_found(format!("list `{id}`"))),
    }
}

/// Changes a list: its name, what it asks for, whether it is shared.
#[utoipa::path(put, path = "/api/v1/ticket-views/{id}", tag = "ticket-views", params(("id" = String, Path)), request_body = Wish,
    responses((status = 200, body = Shown), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn replace(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(wish): Body<Wish>,
) -> Result<Json<Shown>, Problem> {
    let before = theirs(&shared, &who, &id).await?;
    let (name, public, body) = read(wish)?;
    may_share(&who, public)?;
    let view = TicketView { shared: public, name, body, ..before.clone() };
    shared.store.ticket_view_put(&who.tenant, &view).await.map_err(Problem::internal)?;
    if view.shared || before.shared {
        wire::audit(&shared, &who, "ticket_view.change", &id, Some(before.name), Some(view.name.clone())).await?;
    }
    Ok(Json(shown(view)))
}

/// Forgets a list. The tickets in it stay what they are.
#[utoipa::path(delete, path = "/api/v1/ticket-views/{id}", tag = "ticket-views", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn delete(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let view = theirs(&shared, &who, &id).await?;
    shared.store.ticket_view_delete(&who.tenant, &id).await.map_err(Problem::internal)?;
    if view.shared {
        wire::audit(&shared, &who, "ticket_view.delete", &id, Some(view.name), None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
