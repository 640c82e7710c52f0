//! The business configuration as text.
//!
//! The configuration of the house holds all tenants; an administrator belongs to one. So what is exported is their own
//! tenant, and what is put back replaces their own tenant only, whatever else the text names.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Problem, Shared, guard::Who, problem::Params, wire};
use crate::center::settings::{self, Business};

/// What a change did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// False for a dry run.
    applied: bool,
    /// The lines that differ; empty when nothing does.
    diff: String,
}

/// How to apply.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// True: only check, and show what would change.
    #[serde(default)]
    dry_run: bool,
    /// The version the change was made from, as `GET` told it: when somebody was faster, the change is refused with 409.
    version: Option<String>,
}

/// The tenant's configuration as a document.
#[derive(Debug, Serialize, ToSchema)]
pub struct Document {
    /// Names this state of it; give it back with a change.
    version: String,
    /// The same as the text of `/api/v1/config`: `{"tenants": {ID: {..}}}`.
    #[schema(value_type = Object)]
    business: Value,
}

/// A name for what the tenant's configuration is now: SHA-256 of its text, 16 hex digits of it.
fn version(yaml: &str) -> String {
    crate::store::sha256_hex(yaml).chars().take(16).collect()
}

fn conflict(what: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, "changed", format!("{what} was changed by somebody else meanwhile: read it again"))
}

fn house(shared: &Shared) -> Business {
    let settings = shared.door.settings();
    Business { tenants: settings.tenants.iter().map(|(id, t)| (id.clone(), t.config.clone())).collect() }
}

fn own(house: &Business, who: &Who) -> Business {
    Business {
        tenants: house.tenants.iter().filter(|(id, _)| **id == who.tenant).map(|(id, t)| (id.clone(), t.clone())).collect(),
    }
}

/// The tenant's configuration as YAML: queues, agents, skills, numbers, trunks, hours, codes. No passwords are in it.
#[utoipa::path(get, path = "/api/v1/config", tag = "admin", responses((status = 200, body = String, content_type = "application/yaml")))]
pub async fn export(State(shared): State<Arc<Shared>>, who: Who) -> Response {
    let yaml = own(&house(&shared), &who).to_yaml();
    let tag = format!("\"{}\"", version(&yaml));
    ([(header::CONTENT_TYPE, "application/yaml; charset=utf-8".to_owned()), (header::ETAG, tag)], yaml).into_response()
}

/// The same as a document, for forms. Changed, it goes back by `PUT /api/v1/config`: JSON is YAML.
#[utoipa::path(get, path = "/api/v1/config/document", tag = "admin", responses((status = 200, body = Document)))]
pub async fn document(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Document>, Problem> {
    let own = own(&house(&shared), &who);
    let business = serde_json::to_value(&own).map_err(Problem::internal)?;
    Ok(Json(Document { version: version(&own.to_yaml()), business }))
}

/// Puts another configuration of the caller's tenant in force, or only looks; the difference. `from`: the version it was made
/// from. Readers of the house and writers take turns here, so that nobody writes over what they have not seen.
pub(super) async fn put_tenant(
    shared: &Shared,
    who: &Who,
    mine: settings::Tenant,
    from: Option<&str>,
    dry_run: bool,
) -> Result<String, Problem> {
    let _turn = shared.turn.lock().await;
    let mut house = house(shared);
    let before = own(&house, who).to_yaml();
    if from.is_some_and(|from| from != version(&before)) {
        return Err(conflict("the configuration"));
    }
    house.tenants.insert(who.tenant.clone(), mine);
    let after = own(&house, who).to_yaml();
    shared.door.apply(who.actor.clone(), house.to_yaml(), dry_run).await.map_err(wrong)?;
    Ok(settings::diff(&before, &after))
}

/// Changes a part of the caller's tenant in force.
pub(super) async fn change_tenant(
    shared: &Shared,
    who: &Who,
    change: impl FnOnce(&mut settings::Tenant) -> Result<(), Problem>,
) -> Result<String, Problem> {
    let _turn = shared.turn.lock().await;
    let mut house = house(shared);
    let before = own(&house, who).to_yaml();
    let mine = house.tenants.get_mut(&who.tenant).ok_or_else(|| Problem::not_found("your tenant"))?;
    change(mine)?;
    let after = own(&house, who).to_yaml();
    shared.door.apply(who.actor.clone(), house.to_yaml(), false).await.map_err(wrong)?;
    Ok(settings::diff(&before, &after))
}

/// Checks a configuration and puts it in force, or says everything that is wrong with it.
#[utoipa::path(put, path = "/api/v1/config", tag = "admin", params(Apply), request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = Changed), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn apply(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Params(how): Params<Apply>,
    yaml: String,
) -> Result<Json<Changed>, Problem> {
    let given = Business::parse(&yaml).map_err(|said| wrong(vec![said]))?;
    if let Some(other) = given.tenants.keys().find(|t| **t != who.tenant) {
        return Err(Problem::invalid(
            &format!("tenants.{other}"),
            format!("`{other}` is not your tenant; expected only `{}`", who.tenant),
        ));
    }
    let Some(mine) = given.tenants.get(&who.tenant) else {
        return Err(Problem::invalid("tenants", format!("your tenant `{}` is missing", who.tenant)));
    };
    let diff = put_tenant(&shared, &who, mine.clone(), how.version.as_deref(), how.dry_run).await?;
    if !how.dry_run && !diff.is_empty() {
        wire::audit(&shared, &who, "config.apply", who.tenant.as_str(), None, Some(diff.clone())).await?;
    }
    Ok(Json(Changed { applied: !how.dry_run, diff }))
}

fn wrong(problems: Vec<String>) -> Problem {
    let first = problems.first().cloned().unwrap_or_else(|| "the configuration was refused".to_owned());
    let detail = if problems.len() > 1 { format!("{first} (and {} more)", problems.len() - 1) } else { first };
    Problem { problems, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
}
