//! The business configuration as text, and the audit log.
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
    ([(header::CONTENT_TYPE, "application/yaml; charset=utf-8")], own(&house(&shared), &who).to_yaml()).into_response()
}

/// Checks a configuration and puts it in force, or says everything that is wrong with it.
#[utoipa::path(put, path = "/api/v1/config", tag = "admin", params(Apply), request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = Changed), (status = 422, body = Problem)))]
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
    let mut house = house(&shared);
    let (before, after) = (own(&house, &who).to_yaml(), given.to_yaml());
    house.tenants.insert(who.tenant.clone(), mine.clone());
    shared.door.apply(who.actor.clone(), house.to_yaml(), how.dry_run).await.map_err(wrong)?;
    let diff = settings::diff(&before, &after);
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

/// Which part of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Only entries before this one.
    before: Option<u64>,
    /// At most so many, 500 at most.
    limit: Option<usize>,
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "admin", params(Part), responses((status = 200, body = Object)))]
pub async fn audit(State(shared): State<Arc<Shared>>, who: Who, Params(p): Params<Part>) -> Result<Json<Value>, Problem> {
    let limit = p.limit.unwrap_or(100).clamp(1, 500);
    let rows = shared.store.audit_list(&who.tenant, p.before, limit).await.map_err(Problem::internal)?;
    Ok(Json(serde_json::json!({"entries": wire::to_json(&rows)?})))
}
