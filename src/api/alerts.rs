//! Alerts: figures of queues past their limits, and who looks after them.
//!
//! Those that are on are in the picture as well, for whoever supervises.

use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Problem,
    agents::picture,
    guard::Who,
    interactions::{Answer, S},
    scope, wire,
};
use crate::{
    base::QueueId,
    center::{alerts::Metric, command::Command},
};

/// A figure of a queue that can be watched.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// How many wait.
    Waiting,
    /// How long the longest has waited, seconds.
    Longest,
    /// Today's service level, percent.
    Level,
    /// Today's abandoned of those who came, percent.
    Abandoned,
    /// Agents free, while somebody waits.
    Free,
    /// Agents ready, whether busy or not.
    Ready,
    /// How long a customer has been on hold, seconds.
    Held,
}

/// An alert that is on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertNow {
    /// Of which queue.
    queue: String,
    /// Which figure.
    metric: Figure,
    /// The figure: a count or percent as it is, seconds as they were when last looked at; count on from `began_at`.
    value: u32,
    /// What it is measured by.
    limit: u32,
    /// When it was raised, RFC 3339.
    since: String,
    /// The instant a wait counts from.
    began_at: Option<String>,
    /// Who looks after it.
    acked_by: Option<String>,
    /// Since when.
    acked_at: Option<String>,
}

/// An alert that is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertPast {
    /// Of which queue.
    queue: String,
    /// Which figure.
    metric: Figure,
    /// The worst it came to: a count, percent or seconds.
    worst: u32,
    /// What it was measured by.
    limit: u32,
    /// When it was raised, RFC 3339.
    since: String,
    /// When it was over.
    until: String,
    /// Who looked after it.
    acked_by: Option<String>,
}

/// Alerts of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertList {
    /// Those that are on, by queue.
    on: Vec<AlertNow>,
    /// The last ones that were, the latest first.
    past: Vec<AlertPast>,
}

/// The alerts that are on, and the last ones that were; for a supervisor whose part is limited to some queues, those of them.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", responses((status = 200, body = AlertList)))]
pub async fn list(shared: S, who: Who) -> Result<Json<Value>, Problem> {
    let view = picture(&shared, &who);
    let only = scope::only_queues(&shared, &who);
    let theirs = |queue: &QueueId| only.as_ref().is_none_or(|only| only.contains(queue));
    let on: Vec<_> = view.alerts.values().filter(|a| theirs(&a.queue)).collect();
    let past: Vec<_> = view.alerts_past.iter().filter(|a| theirs(&a.queue)).collect();
    wire::answer(&json!({"on": on, "past": past}))
}

/// Says that somebody looks after an alert. It stays on until the figure is well again; nobody is called to it a second time.
#[utoipa::path(post, path = "/api/v1/alerts/{queue}/{metric}/acknowledge", tag = "alerts",
    params(("queue" = String, Path), ("metric" = Figure, Path)),
    responses((status = 200, body = wire::Outcome), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn acknowledge(shared: S, who: Who, Path((queue, metric)): Path<(String, String)>) -> Answer {
    let what = format!("{queue}/{metric}");
    let missing = || Problem::not_found(format!("an alert `{what}`"));
    let (queue, metric) = (QueueId::parse(&queue).map_err(|_| missing())?, Metric::parse(&metric).ok_or_else(missing)?);
    let done = shared.ask(&who, Command::AlertAck { queue, metric }).await?;
    wire::audit(&shared, &who, "alert.acknowledge", &what, None, None).await?;
    Ok(wire::outcome(done))
}
