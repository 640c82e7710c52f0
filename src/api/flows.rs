//! Flows: listed, drawn, checked, tried out, published, taken back. What is published is part of the tenant's configuration;
//! every version is kept beside it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, Shared, admin,
    flow_shapes::{FlowDrawing, FlowFinding, FlowMet, FlowStep, FlowTry},
    guard::Who,
    problem::{Body, Params},
    wire,
};
use crate::{
    base::{FlowId, Wall, mins},
    call::route::Destination,
    center::settings::{TenantSettings, diff},
    ivr::{self, Flow, Severity, test},
    store::{FlowVersion, NewFlowVersion},
};

/// A flow of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowLine {
    /// Its name.
    name: String,
    /// SHA-256 of the text in force.
    hash: String,
    /// Published by the tenant; otherwise it comes with the program.
    own: bool,
    /// Where it runs: `voice`, `webchat`.
    channels: Vec<String>,
    /// Languages it speaks.
    languages: Vec<String>,
    /// How many nodes it has.
    nodes: usize,
    /// Numbers that lead to it; `chat` for the web page.
    numbers: Vec<String>,
}

/// The flows.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowList {
    /// By name.
    flows: Vec<FlowLine>,
}

/// A flow with its text and its drawing.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowShown {
    /// Its name.
    name: String,
    /// The text in force.
    text: String,
    /// SHA-256 of it: give it as `replaces` when publishing.
    hash: String,
    /// Published by the tenant; otherwise it comes with the program.
    own: bool,
    /// As a graph.
    drawing: FlowDrawing,
}

/// A text that may become a flow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowText {
    /// YAML, as in `ivr-flows/README.md`.
    text: String,
}

/// What was found in a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowChecked {
    /// It may be published.
    good: bool,
    /// Its name, when it could be read.
    name: Option<String>,
    /// By place.
    findings: Vec<FlowFinding>,
    /// As a graph, when it could be read.
    drawing: Option<FlowDrawing>,
    /// The lines that differ from what is in force.
    diff: Option<String>,
}

/// A text to be put in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowPublish {
    /// YAML. Its `flow:` is the name.
    text: String,
    /// `hash` of the flow it replaces; absent for a new one. When somebody was faster, it is refused with 409.
    replaces: Option<String>,
}

/// Which version shall be in force again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowBack {
    /// Its number.
    version: u64,
}

/// What was published.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowPublished {
    /// The flow.
    name: String,
    /// The version that is in force now.
    version: u64,
    /// SHA-256 of it.
    hash: String,
}

/// A published version.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowVersionLine {
    /// From 1.
    version: u64,
    /// When, RFC 3339.
    at: String,
    /// Who.
    by: String,
    /// SHA-256 of the text.
    hash: String,
    /// It is in force.
    in_force: bool,
    /// It is that earlier version again.
    restored: Option<u64>,
    /// The text, where one version is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// The versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowVersions {
    /// Newest first.
    versions: Vec<FlowVersionLine>,
}

/// A span of time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FlowSpan {
    /// From, RFC 3339; a week ago if absent.
    from: Option<String>,
    /// Until, RFC 3339; now if absent.
    to: Option<String>,
}

/// How often an edge was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowEdgeCount {
    /// Node.
    from: String,
    /// The node of this flow that came next.
    to: String,
    /// Times.
    times: u64,
}

/// How often the ways through a flow were taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowCounts {
    /// From, RFC 3339.
    from: String,
    /// Until, RFC 3339.
    to: String,
    /// Contacts that came in.
    contacts: u64,
    /// Times each node was entered.
    nodes: BTreeMap<String, u64>,
    /// Times one node followed upon another.
    edges: Vec<FlowEdgeCount>,
    /// Times the flow was left from a node.
    left: BTreeMap<String, u64>,
    /// There was more than was counted.
    cut: bool,
}

fn tenant(shared: &Shared, who: &Who) -> Result<Arc<TenantSettings>, Problem> {
    shared.door.settings().tenants.get(&who.tenant).cloned().ok_or_else(|| Problem::not_found("your tenant"))
}

fn flow_id(name: &str) -> Result<FlowId, Problem> {
    FlowId::parse(name).map_err(|_| Problem::not_found(format!("flow `{name}`")))
}

fn in_force(tenant: &TenantSettings, name: &str) -> Result<Arc<Flow>, Problem> {
    let missing = || Problem::not_found(format!("flow `{name}`"));
    tenant.library.flows.get(&flow_id(name)?).cloned().ok_or_else(missing)
}

/// Every flow the tenant may use.
#[utoipa::path(get, path = "/api/v1/flows", tag = "flows", responses((status = 200, body = FlowList)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<FlowList>, Problem> {
    let t = tenant(&shared, &who)?;
    let line = |(id, f): (&FlowId, &Arc<Flow>)| {
        let routed = t.config.routes.iter().filter(|r| matches!(&r.to, Destination::Flow(to) if to == id));
        let chat = (t.config.chat.flow.as_ref() == Some(id)).then(|| "chat".to_owned());
        FlowLine {
            name: id.to_string(),
            hash: f.hash.clone(),
            own: t.config.flows.contains_key(id),
            channels: f.channels.iter().map(|c| c.as_str().to_owned()).collect(),
            languages: f.languages.clone(),
            nodes: f.nodes.len(),
            numbers: routed.map(|r| r.pattern.to_string()).chain(chat).collect(),
        }
    };
    Ok(Json(FlowList { flows: t.library.flows.iter().map(line).collect() }))
}

/// A flow in force: its text, and its nodes and edges.
#[utoipa::path(get, path = "/api/v1/flows/{name}", tag = "flows", params(("name" = String, Path)),
    responses((status = 200, body = FlowShown), (status = 404, body = Problem)))]
pub async fn get(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<Json<FlowShown>, Problem> {
    let t = tenant(&shared, &who)?;
    let f = in_force(&t, &name)?;
    let own = t.config.flows.contains_key(&f.id);
    Ok(Json(FlowShown { name, text: f.text.to_string(), hash: f.hash.clone(), own, drawing: FlowDrawing::of(&f) }))
}

/// Reads a text and proves what can be proved: every mistake with its line.
fn checked(shared: &Shared, t: &TenantSettings, text: &str) -> (Vec<FlowFinding>, Option<Arc<Flow>>) {
    let flow = match Flow::parse("flow", text) {
        Ok(flow) => Arc::new(flow),
        Err(errors) => return (errors.0.iter().map(FlowFinding::unread).collect(), None),
    };
    let mut library = ivr::Library::clone(&t.library);
    library.flows.insert(flow.id.clone(), flow.clone());
    let prompt = |name: &str| (shared.flow_world.prompt)(name);
    let catalog = ivr::Catalog { urls: shared.flow_world.urls.clone(), ..t.config.catalog(&prompt) };
    (ivr::check(&flow, &library, &catalog).iter().map(FlowFinding::of).collect(), Some(flow))
}

/// Checks a text without putting it in force: mistakes with lines, the drawing, and what would change.
#[utoipa::path(post, path = "/api/v1/flows/validate", tag = "flows", request_body = FlowText,
    responses((status = 200, body = FlowChecked)))]
pub async fn validate(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(given): Body<FlowText>,
) -> Result<Json<FlowChecked>, Problem> {
    let t = tenant(&shared, &who)?;
    let (findings, flow) = checked(&shared, &t, &given.text);
    let good = flow.is_some() && findings.iter().all(|f| f.severity != "error");
    let before = flow.as_ref().map(|f| t.library.flows.get(&f.id).map_or("", |old| &old.text));
    Ok(Json(FlowChecked {
        good,
        name: flow.as_ref().map(|f| f.id.to_string()),
        diff: before.map(|before| diff(before, &given.text)),
        drawing: flow.as_deref().map(FlowDrawing::of),
        findings,
    }))
}

/// Walks a text with keys, words and time, and tells what a caller would meet. Nothing outside is asked.
#[utoipa::path(post, path = "/api/v1/flows/simulate", tag = "flows", request_body = FlowTry,
    responses((status = 200, body = FlowMet), (status = 422, body = Problem)))]
pub async fn simulate(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(given): Body<FlowTry>,
) -> Result<Json<FlowMet>, Problem> {
    let t = tenant(&shared, &who)?;
    let flow =
        Flow::parse("flow", &given.text).map(Arc::new).map_err(|e| unpublishable(e.0.iter().map(FlowFinding::unread)))?;
    let steps = given.steps.iter().map(FlowStep::step).collect::<Result<Vec<_>, _>>()?;
    let caller = given.caller(shared.door.now().wall)?;
    let mut library = ivr::Library::clone(&t.library);
    library.flows.insert(flow.id.clone(), flow.clone());
    Ok(Json(FlowMet::of(&test::rehearse(&flow, &library, caller, &steps))))
}

fn unpublishable(findings: impl Iterator<Item = FlowFinding>) -> Problem {
    let problems: Vec<String> = findings.filter(|f| f.severity == "error").map(|f| f.sentence()).collect();
    let first = problems.first().cloned().unwrap_or_else(|| "the flow was refused".to_owned());
    Problem { problems, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", first) }
}

/// Puts a text in force, as a new flow or as the next version of one. Refused while the linter finds an error in it.
#[utoipa::path(post, path = "/api/v1/flows", tag = "flows", request_body = FlowPublish,
    responses((status = 201, body = FlowPublished), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn publish(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(given): Body<FlowPublish>,
) -> Result<(StatusCode, Json<FlowPublished>), Problem> {
    let done = put(&shared, &who, given.text, Expected::Hash(given.replaces), None).await?;
    Ok((StatusCode::CREATED, Json(done)))
}

/// Puts an earlier version in force again, as a new version.
#[utoipa::path(post, path = "/api/v1/flows/{name}/rollback", tag = "flows", params(("name" = String, Path)), request_body = FlowBack,
    responses((status = 201, body = FlowPublished), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn rollback(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Body(back): Body<FlowBack>,
) -> Result<(StatusCode, Json<FlowPublished>), Problem> {
    let found = shared.store.flow_version_get(&who.tenant, &flow_id(&name)?, back.version).await;
    let missing = || Problem::not_found(format!("version {} of flow `{name}`", back.version));
    let (_, text) = found.map_err(Problem::internal)?.ok_or_else(missing)?;
    Ok((StatusCode::CREATED, Json(put(&shared, &who, text, Expected::Any, Some(back.version)).await?)))
}

enum Expected {
    Any,
    Hash(Option<String>),
}

async fn put(
    shared: &Shared,
    who: &Who,
    text: String,
    expected: Expected,
    restored: Option<u64>,
) -> Result<FlowPublished, Problem> {
    let t = tenant(shared, who)?;
    let (findings, flow) = checked(shared, &t, &text);
    let Some(flow) = flow.filter(|_| findings.iter().all(|f| f.severity != "error")) else {
        return Err(unpublishable(findings.into_iter()));
    };
    let before = t.library.flows.get(&flow.id).cloned();
    // What came with the program is the version before the first, so that there is a way back to it.
    let versions = shared.store.flow_version_list(&who.tenant, &flow.id).await.map_err(Problem::internal)?;
    let keep = |text, hash, by, restored| NewFlowVersion { at: shared.door.now().wall, by, hash, restored, text };
    admin::change_tenant(shared, who, |mine| {
        // Looked at again in turn: between reading and writing somebody may have published.
        let now = shared.door.settings().tenants.get(&who.tenant).and_then(|t| t.library.flows.get(&flow.id).cloned());
        let was = now.as_ref().map(|f| f.hash.as_str());
        match &expected {
            Expected::Hash(hash) if hash.as_deref() != was => {
                let said = format!("flow `{}` was changed by somebody else meanwhile: read it again", flow.id);
                return Err(Problem::new(StatusCode::CONFLICT, "changed", said));
            }
            _ => {}
        }
        mine.flows.insert(flow.id.clone(), text.clone());
        Ok(())
    })
    .await?;
    if let Some(first) = before.as_ref().filter(|b| versions.is_empty() && b.hash != flow.hash) {
        let new = keep(&*first.text, &first.hash, "ringdesk", None);
        shared.store.flow_version_append(&who.tenant, &flow.id, new).await.map_err(Problem::internal)?;
    }
    let by = who.name();
    let new = keep(&text, &flow.hash, &by, restored);
    let version = shared.store.flow_version_append(&who.tenant, &flow.id, new).await.map_err(Problem::internal)?;
    let changes = diff(before.as_ref().map_or("", |f| &f.text), &text);
    let what = if restored.is_some() { "flow.rollback" } else { "flow.publish" };
    wire::audit(shared, who, what, flow.id.as_str(), None, Some(format!("version {version}\n{changes}"))).await?;
    Ok(FlowPublished { name: flow.id.to_string(), version, hash: flow.hash.clone() })
}

fn line(v: FlowVersion, hash: Option<&str>, newest: u64, text: Option<String>) -> FlowVersionLine {
    let in_force = v.version == newest && hash == Some(v.hash.as_str());
    FlowVersionLine { version: v.version, at: v.at.rfc3339(), by: v.by, in_force, hash: v.hash, restored: v.restored, text }
}

/// The versions of a flow that were published, newest first. A flow nobody has published yet has none.
#[utoipa::path(get, path = "/api/v1/flows/{name}/versions", tag = "flows", params(("name" = String, Path)),
    responses((status = 200, body = FlowVersions), (status = 404, body = Problem)))]
pub async fn versions(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<FlowVersions>, Problem> {
    let t = tenant(&shared, &who)?;
    let id = flow_id(&name)?;
    let hash = t.library.flows.get(&id).map(|f| f.hash.clone());
    let list = shared.store.flow_version_list(&who.tenant, &id).await.map_err(Problem::internal)?;
    if list.is_empty() && hash.is_none() {
        return Err(Problem::not_found(format!("flow `{name}`")));
    }
    // Published text may be in force again after another; the newest of a text is the one that is.
    let newest = list.iter().find(|v| Some(&v.hash) == hash.as_ref()).map_or(0, |v| v.version);
    Ok(Json(FlowVersions { versions: list.into_iter().map(|v| line(v, hash.as_deref(), newest, None)).collect() }))
}

/// A version with its text.
#[utoipa::path(get, path = "/api/v1/flows/{name}/versions/{version}", tag = "flows",
    params(("name" = String, Path), ("version" = u64, Path)),
    responses((status = 200, body = FlowVersionLine), (status = 404, body = Problem)))]
pub async fn version(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path((name, n)): Path<(String, String)>,
) -> Result<Json<FlowVersionLine>, Problem> {
    let missing = || Problem::not_found(format!("version {n} of flow `{name}`"));
    let number = n.parse().map_err(|_| missing())?;
    let found = shared.store.flow_version_get(&who.tenant, &flow_id(&name)?, number).await.map_err(Problem::internal)?;
    let (v, text) = found.ok_or_else(missing)?;
    let t = tenant(&shared, &who)?;
    let hash = t.library.flows.get(&flow_id(&name)?).map(|f| f.hash.clone());
    Ok(Json(line(v, hash.as_deref(), number, Some(text))))
}

/// How often each way through a flow was taken, and where it was left.
#[utoipa::path(get, path = "/api/v1/flows/{name}/counts", tag = "flows", params(("name" = String, Path), FlowSpan),
    responses((status = 200, body = FlowCounts), (status = 404, body = Problem)))]
pub async fn counts(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Params(span): Params<FlowSpan>,
) -> Result<Json<FlowCounts>, Problem> {
    let t = tenant(&shared, &who)?;
    let flow = in_force(&t, &name)?;
    let now = shared.door.now().wall;
    let to = wire::instant("to", span.to.as_deref())?.unwrap_or(now);
    let from: Wall = wire::instant("from", span.from.as_deref())?.unwrap_or(to - mins(7 * 24 * 60));
    let c = shared.store.flow_counts(&who.tenant, &flow.id, from, to).await.map_err(Problem::internal)?;
    let edges = c.edges.into_iter().map(|((from, to), times)| FlowEdgeCount { from, to, times });
    Ok(Json(FlowCounts {
        from: from.rfc3339(),
        to: to.rfc3339(),
        contacts: c.contacts,
        nodes: c.nodes,
        edges: edges.collect(),
        left: c.left,
        cut: c.cut,
    }))
}

/// How bad a finding is, as a word.
pub(super) fn severity(s: Severity) -> &'static str {
    match s {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
