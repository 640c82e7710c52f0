//! Named lists of tickets, customers and contacts: everybody's own, and those a supervisor shares with the house.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, Shared,
    guard::Who,
    problem::{Body, Params},
    scope, wire,
};
use crate::{
    base::limits,
    store::{SavedView, ViewKind},
};

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ViewKind)]
pub enum Kind {
    /// Tickets: `q`, `status`, `owner`, `queue`, `priority` of `GET /tickets`.
    Tickets,
    /// Customers: `q` and `tier` of `GET /customers`.
    Customers,
    /// Calls and chats that were: `q`, `channel`, `queue`, `agent`, `from` and `to` of `GET /interactions`; days instead of instants.
    Contacts,
}

impl Kind {
    const fn stored(self) -> ViewKind {
        match self {
            Kind::Tickets => ViewKind::Tickets,
            Kind::Customers => ViewKind::Customers,
            Kind::Contacts => ViewKind::Contacts,
        }
    }

    const fn of(kind: ViewKind) -> Kind {
        match kind {
            ViewKind::Tickets => Kind::Tickets,
            ViewKind::Customers => Kind::Customers,
            ViewKind::Contacts => Kind::Contacts,
        }
    }

    /// What such a list can be cut by.
    const fn filters(self) -> &'static [&'static str] {
        match self {
            Kind::Tickets => &["q", "status", "owner", "queue", "priority"],
            Kind::Customers => &["q", "tier"],
            Kind::Contacts => &["q", "channel", "queue", "agent", "from", "to"],
        }
    }
}

/// What a list asks for: filters of its kind by name.
type Query = BTreeMap<String, String>;

/// Which lists.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only lists of these.
    #[param(inline)]
    kind: Option<Kind>,
}

/// A list to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ViewWish)]
pub struct Wish {
    /// Shown to people.
    name: String,
    /// Of what; a list that is changed stays of its kind.
    kind: Kind,
    /// Everybody has it; only supervisors share.
    #[serde(default)]
    shared: bool,
    /// What is asked for: filters of its kind by name.
    query: Query,
}

/// A named list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ViewShown)]
pub struct Shown {
    /// Its name in the house.
    id: String,
    /// Of what.
    kind: Kind,
    /// Shown to people.
    name: String,
    /// Who made it.
    owner: String,
    /// Everybody has it.
    shared: bool,
    /// What is asked for: filters of its kind by name.
    query: Query,
}

/// The named lists somebody has: at most 100 of their own and 200 shared ones.
#[derive(Debug, Serialize, ToSchema)]
pub struct Views {
    /// By name.
    views: Vec<Shown>,
}

fn shown(v: SavedView) -> Shown {
    let kind = Kind::of(v.kind);
    let mut query: Query = serde_json::from_str(&v.body).unwrap_or_default();
    // What a later version wrote and this one does not know is left out rather than refused.
    query.retain(|key, _| kind.filters().contains(&key.as_str()));
    Shown { id: v.id, kind, name: v.name, owner: v.owner.to_string(), shared: v.shared, query }
}

fn read(wish: Wish) -> Result<(String, bool, String), Problem> {
    let name = wish.name.trim().to_owned();
    let most = limits::VIEW_NAME_MAX;
    if name.is_empty() || name.chars().count() > most || name.chars().any(char::is_control) {
        return Err(Problem::invalid("name", format!("expected one line of 1 to {most} characters")));
    }
    let filters = wish.kind.filters();
    for (key, text) in &wish.query {
        if !filters.contains(&key.as_str()) {
            return Err(Problem::invalid("query", format!("expected only {}, not `{key}`", filters.join(", "))));
        }
        if text.chars().count() > limits::SEARCH_CHARS_MAX {
            let at = format!("query.{key}");
            return Err(Problem::invalid(&at, format!("expected at most {} characters", limits::SEARCH_CHARS_MAX)));
        }
    }
    Ok((name, wish.shared, serde_json::to_string(&wish.query).map_err(Problem::internal)?))
}

fn full() -> Problem {
    let (own, shared) = (limits::VIEWS_MAX, limits::VIEWS_SHARED_MAX);
    let detail = format!("there are {own} lists of yours already, or {shared} shared ones; delete one first");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "limit", detail)
}

fn may_share(who: &Who, shared: bool) -> Result<(), Problem> {
    match !shared || who.supervises() {
        true => Ok(()),
        false => Err(Problem::not_allowed("a list is shared with the house by a supervisor")),
    }
}

/// The caller's own lists and the shared ones.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", params(Which), responses((status = 200, body = Views)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who, Params(which): Params<Which>) -> Result<Json<Views>, Problem> {
    let views = shared
        .store
        .view_list(&who.tenant, who.actor.agent(), which.kind.map(Kind::stored))
        .await
        .map_err(Problem::internal)?;
    Ok(Json(Views { views: views.into_iter().map(shown).collect() }))
}

/// Keeps a list under a name. Lists belong to people: programs have none of their own.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = Wish,
    responses((status = 201, body = Shown), (status = 403, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(wish): Body<Wish>) -> Result<Response, Problem> {
    let owner = scope::me(&who)?;
    let kind = wish.kind.stored();
    let (name, public, body) = read(wish)?;
    may_share(&who, public)?;
    let view = SavedView { kind, id: shared.random_hex(8), owner, shared: public, name, body, made_at: shared.door.now().wall };
    if !shared.store.view_put(&who.tenant, &view).await.map_err(Problem::internal)? {
        return Err(full());
    }
    if view.shared {
        wire::audit(&shared, &who, "view.share", &view.id, None, Some(view.name.clone())).await?;
    }
    Ok((StatusCode::CREATED, Json(shown(view))).into_response())
}

/// A view the caller may change: their own, or a shared one for supervisors.
async fn theirs(shared: &Shared, who: &Who, id: &str) -> Result<SavedView, Problem> {
    let found = shared.store.view_get(&who.tenant, id).await.map_err(Problem::internal)?;
    let own = |v: &SavedView| who.actor.agent() == Some(&v.owner);
    match found {
        Some(v) if own(&v) || (v.shared && who.supervises()) => Ok(v),
        Some(v) if v.shared => Err(Problem::not_allowed("a shared list is changed by who made it, or a supervisor")),
        // Another person's own list is nobody else's business.
        _ => Err(Problem::not_found(format!("list `{id}`"))),
    }
}

/// Changes a list: its name, what it asks for, whether it is shared.
#[utoipa::path(put, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path)), request_body = Wish,
    responses((status = 200, body = Shown), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn replace(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(wish): Body<Wish>,
) -> Result<Json<Shown>, Problem> {
    let before = theirs(&shared, &who, &id).await?;
    if wish.kind.stored() != before.kind {
        return Err(Problem::invalid("kind", format!("a list of {} stays one", before.kind.as_str())));
    }
    let (name, public, body) = read(wish)?;
    may_share(&who, public)?;
    let view = SavedView { shared: public, name, body, ..before.clone() };
    if !shared.store.view_put(&who.tenant, &view).await.map_err(Problem::internal)? {
        return Err(full());
    }
    if view.shared || before.shared {
        wire::audit(&shared, &who, "view.change", &id, Some(before.name), Some(view.name.clone())).await?;
    }
    Ok(Json(shown(view)))
}

/// Forgets a list. What is in it stays what it is.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn delete(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let view = theirs(&shared, &who, &id).await?;
    shared.store.view_delete(&who.tenant, &id).await.map_err(Problem::internal)?;
    if view.shared {
        wire::audit(&shared, &who, "view.delete", &id, Some(view.name), None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
