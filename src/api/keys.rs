//! API keys for programs: made, listed, revoked by administrators. A key is shown once; its SHA-256 is kept.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, Shared,
    guard::{KEY_PREFIX, Who},
    problem::Body,
    wire,
};
use crate::{
    base::{Slug, Wall, limits, mins, redact::Secret},
    center::command::Role,
    store::{ApiKey, StoreError},
};

/// A new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Its public name. 1 to 64 of `a-z 0-9 _ . -`.
    name: String,
    /// `agent`, `supervisor` or `admin`.
    role: String,
}

/// A key, without itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyShown {
    /// Its public name.
    name: String,
    /// What it may do.
    role: String,
    /// When it was made, RFC 3339.
    made_at: String,
    /// When it was last used, to a minute, RFC 3339; none before the first use.
    used_at: Option<String>,
    /// Nobody has used it for 90 days: it may be forgotten somewhere.
    unused: bool,
    /// The key, shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// A key nobody has used for so long is marked.
const UNUSED_AFTER: Duration = mins(90 * 24 * 60);

/// The keys: 200 at most.
#[derive(Debug, Serialize, ToSchema)]
pub struct Keys {
    /// By name.
    keys: Vec<KeyShown>,
}

fn shown(key: &ApiKey, used_at: Option<Wall>, now: Wall) -> KeyShown {
    KeyShown {
        name: key.name.clone(),
        role: key.role.as_str().to_owned(),
        made_at: key.made_at.rfc3339(),
        used_at: used_at.map(Wall::rfc3339),
        unused: now.since(used_at.unwrap_or(key.made_at)) >= UNUSED_AFTER,
        key: None,
    }
}

/// Every key of the tenant: 200 at most, for a further one is refused (`limit`).
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "keys", responses((status = 200, body = Keys)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Keys>, Problem> {
    let keys = shared.store.api_key_list(&who.tenant).await.map_err(Problem::internal)?;
    let now = shared.door.now().wall;
    Ok(Json(Keys { keys: keys.iter().map(|k| shown(&k.key, k.used_at, now)).collect() }))
}

/// Makes a key: `rk_` and 64 hex digits (256 bits). It is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "keys", request_body = NewKey,
    responses((status = 201, body = KeyShown), (status = 409, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(new): Body<NewKey>) -> Result<Response, Problem> {
    let name: Slug = wire::slug("name", &new.name)?;
    let Some(role) = Role::parse(&new.role) else {
        return Err(Problem::invalid("role", format!("`{}` is no role; expected agent, supervisor or admin", new.role)));
    };
    let plain = format!("{KEY_PREFIX}{}", shared.random_hex(32));
    let key = ApiKey {
        tenant: who.tenant.clone(),
        name: name.to_string(),
        role,
        key_sha256: Secret::new(crate::store::sha256_hex(&plain)),
        made_at: shared.door.now().wall,
    };
    match shared.store.api_key_put(&key).await {
        Ok(true) => {}
        Ok(false) => {
            let said = format!("there are {} keys: revoke one first", limits::API_KEYS_MAX);
            return Err(Problem::new(StatusCode::CONFLICT, "limit", said));
        }
        Err(StoreError::Conflict { .. }) => {
            return Err(Problem::new(StatusCode::CONFLICT, "exists", format!("key `{name}` exists already")));
        }
        Err(e) => return Err(Problem::internal(e)),
    }
    wire::audit(&shared, &who, "key.create", &key.name, None, Some(format!("role={}", role.as_str()))).await?;
    let answer = KeyShown { key: Some(plain), ..shown(&key, None, key.made_at) };
    Ok((StatusCode::CREATED, [("cache-control", "no-store")], Json(answer)).into_response())
}

/// Revokes a key; its sockets end at once.
#[utoipa::path(delete, path = "/api/v1/api-keys/{name}", tag = "keys", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    if !shared.store.api_key_delete(&who.tenant, &name).await.map_err(Problem::internal)? {
        return Err(Problem::not_found(format!("key `{name}`")));
    }
    shared.access_changed();
    wire::audit(&shared, &who, "key.revoke", &name, None, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
