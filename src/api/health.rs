//! `/healthz` for whoever restarts us, `/metrics` for whoever counts.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;

/// One part of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Component {
    /// `database`, `loop`, `sip`, `media`, `disk`, ..
    pub name: String,
    /// Does its work.
    pub ok: bool,
    /// A few words; nothing secret, anybody may read them.
    pub detail: String,
}

/// How the house is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `trouble`.
    status: String,
    /// The version that runs.
    version: String,
    /// Its parts.
    components: Vec<Component>,
}

/// Whether everything works: 200, or 503 with the part that does not.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let mut components = (shared.health)();
    if !components.iter().any(|c| c.name == "database") {
        let ping = tokio::time::timeout(std::time::Duration::from_secs(2), shared.store.ping()).await;
        let detail = match &ping {
            Ok(Ok(())) => shared.store.engine().to_owned(),
            // What exactly the database said is in the log; this page is for everybody.
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "the database does not answer");
                "does not answer".to_owned()
            }
            Err(_) => "does not answer in time".to_owned(),
        };
        components.push(Component { name: "database".into(), ok: matches!(ping, Ok(Ok(()))), detail });
    }
    let ok = components.iter().all(|c| c.ok);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if ok { "ok" } else { "trouble" };
    let body = Health { status: word.into(), version: env!("CARGO_PKG_VERSION").into(), components };
    // Extensions mark the body as final: a 503 of ours is not to be replaced by a problem document.
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    response.extensions_mut().insert(super::problem::Final);
    response
}

/// Counters in the Prometheus text format. From the machine itself for everybody, else for supervisors.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (shared.metrics)()).into_response()
}
