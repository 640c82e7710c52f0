//! Reports people keep under a name, and those that come by themselves: what was made of them waits here to be fetched.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::csv;
use crate::{
    api::{Problem, Shared, guard::Who, problem::Body, wire},
    base::{QueueId, Slug, Wall},
    routing::report::{grid, schedule::Schedule},
    store::SavedReport,
};

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Queues by interval.
    Intervals,
    /// Agents.
    Agents,
}

/// A report as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct What {
    /// Which table.
    pub by: By,
    /// Length of an interval, minutes.
    pub step_min: u16,
    /// What the page shows: `day`, `week`, `month`.
    pub span: String,
    /// Only this queue.
    pub queue: Option<QueueId>,
    /// When it comes by itself.
    pub schedule: Option<Schedule>,
}

/// A report to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// `intervals` or `agents`.
    #[schema(value_type = String)]
    by: By,
    /// Length of an interval, minutes: 15, 30, 60 or 1440.
    #[serde(default = "half_hour")]
    step_min: u16,
    /// What the page shows: `day`, `week` or `month` up to now.
    #[serde(default = "day")]
    span: String,
    /// Only this queue.
    #[serde(default)]
    queue: Option<String>,
    /// When it is to come by itself; never if absent.
    #[serde(default)]
    #[schema(value_type = Option<ReportSchedule>)]
    schedule: Option<Schedule>,
}

fn half_hour() -> u16 {
    30
}
fn day() -> String {
    "day".to_owned()
}

/// When a report comes by itself, in the time zone of the business.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportSchedule {
    /// Over the `day`, `week` (from Monday) or `month` that has just ended.
    every: String,
    /// At this hour, 0 to 23.
    hour: u8,
}

/// What was made of a report that was due.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportFileShown {
    /// When it was due, RFC 3339; its name in the path of the table.
    due_at: String,
    /// What it is over, RFC 3339.
    from: String,
    /// Until, RFC 3339.
    to: String,
}

/// A kept report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportShown {
    /// Its name.
    name: String,
    /// Who keeps it.
    owner: String,
    /// When it was kept.
    made_at: String,
    /// `intervals` or `agents`.
    by: String,
    /// Length of an interval, minutes.
    step_min: u16,
    /// `day`, `week`, `month`.
    span: String,
    /// Only this queue.
    queue: Option<String>,
    /// When it comes by itself.
    schedule: Option<ReportSchedule>,
    /// What was made of it, newest first.
    files: Vec<ReportFileShown>,
}

/// The kept reports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportsShown {
    /// By name.
    reports: Vec<ReportShown>,
}

/// Whether the caller, whose queues may be limited, may have it.
fn may(shared: &Shared, who: &Who, queue: Option<&QueueId>) -> bool {
    let settings = shared.door.settings();
    let Some(tenant) = settings.tenants.get(&who.tenant) else { return false };
    let mine = who.actor.agent().and_then(|me| tenant.config.supervision.queues.get(me));
    mine.is_none_or(|mine| queue.is_some_and(|q| mine.contains(q)))
}

fn read(body: &str) -> Result<What, Problem> {
    serde_json::from_str(body).map_err(Problem::internal)
}

/// The kept one of that name, if the caller may have it.
async fn find(shared: &Shared, who: &Who, name: &str) -> Result<SavedReport, Problem> {
    let all = shared.store.saved_report_list(&who.tenant).await.map_err(Problem::internal)?;
    let found = all.into_iter().find(|r| r.name == name).ok_or_else(|| Problem::not_found(format!("report `{name}`")))?;
    match may(shared, who, read(&found.body)?.queue.as_ref()) {
        true => Ok(found),
        false => Err(Problem::not_allowed("that report is not of the queues you supervise")),
    }
}

/// Every report the tenant keeps, with what was made of those that come by themselves.
#[utoipa::path(get, path = "/api/v1/reports/saved", tag = "reports", responses((status = 200, body = ReportsShown)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<ReportsShown>, Problem> {
    let mut reports = Vec::new();
    for r in shared.store.saved_report_list(&who.tenant).await.map_err(Problem::internal)? {
        let what = read(&r.body)?;
        if !may(&shared, &who, what.queue.as_ref()) {
            continue;
        }
        let files = shared.store.report_file_list(&who.tenant, &r.name).await.map_err(Problem::internal)?;
        let file = |(due_at, from, to): (Wall, Wall, Wall)| ReportFileShown {
            due_at: due_at.rfc3339(),
            from: from.rfc3339(),
            to: to.rfc3339(),
        };
        reports.push(ReportShown {
            name: r.name,
            owner: r.owner,
            made_at: r.made_at.rfc3339(),
            by: wire::word(&what.by),
            step_min: what.step_min,
            span: what.span,
            queue: what.queue.map(|q| q.to_string()),
            schedule: what.schedule.map(|s| ReportSchedule { every: wire::word(&s.every), hour: s.hour }),
            files: files.into_iter().map(file).collect(),
        });
    }
    Ok(Json(ReportsShown { reports }))
}

/// Keeps a report under a name: 1 to 64 of `a-z 0-9 _ . -`. One of that name is replaced, and what was made of it stays.
#[utoipa::path(put, path = "/api/v1/reports/saved/{name}", tag = "reports", params(("name" = String, Path)), request_body = NewReport,
    responses((status = 204), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn keep(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Body(new): Body<NewReport>,
) -> Result<StatusCode, Problem> {
    let name: Slug = wire::slug("name", &name)?;
    let queue = new.queue.as_deref().map(|q| wire::slug::<QueueId>("queue", q)).transpose()?;
    if !grid::STEPS.contains(&new.step_min) {
        return Err(Problem::invalid("step_min", grid::GridError::Step.to_string()));
    }
    if !["day", "week", "month"].contains(&new.span.as_str()) {
        return Err(Problem::invalid("span", "expected day, week or month"));
    }
    if new.schedule.is_some_and(|s| s.hour > 23) {
        return Err(Problem::invalid("schedule.hour", "expected 0 to 23"));
    }
    if !may(&shared, &who, queue.as_ref()) {
        return Err(Problem::not_allowed("name one of the queues you supervise"));
    }
    let what = What { by: new.by, step_min: new.step_min, span: new.span, queue, schedule: new.schedule };
    let body = serde_json::to_string(&what).map_err(Problem::internal)?;
    let now = shared.door.now().wall;
    let kept = SavedReport { name: name.to_string(), owner: who.name(), made_at: now, made_for: None, body: body.clone() };
    if !shared.store.saved_report_put(&who.tenant, &kept).await.map_err(Problem::internal)? {
        return Err(Problem::new(StatusCode::CONFLICT, "full", "as many reports are kept as may be; remove one first"));
    }
    wire::audit(&shared, &who, "report.keep", &kept.name, None, Some(body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a report with what was made of it.
#[utoipa::path(delete, path = "/api/v1/reports/saved/{name}", tag = "reports", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn forget(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let found = find(&shared, &who, &name).await?;
    shared.store.saved_report_delete(&who.tenant, &name).await.map_err(Problem::internal)?;
    wire::audit(&shared, &who, "report.forget", &name, Some(found.body), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The table that was made when a report was due.
#[utoipa::path(get, path = "/api/v1/reports/saved/{name}/{due_at}", tag = "reports",
    params(("name" = String, Path), ("due_at" = String, Path)),
    responses((status = 200, content_type = "text/csv"), (status = 404, body = Problem)))]
pub async fn file(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path((name, due_at)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = find(&shared, &who, &name).await?;
    let none = || Problem::not_found(format!("a table of report `{name}` that was due at `{due_at}`"));
    let due = Wall::parse_rfc3339(&due_at).ok_or_else(none)?;
    let file = shared.store.report_file_get(&who.tenant, &found.name, due).await.map_err(Problem::internal)?;
    let file = file.ok_or_else(none)?;
    let day: String = file.from.rfc3339().chars().take(10).collect();
    Ok(csv::answer(&format!("{}-{day}", found.name), file.body).into_response())
}
