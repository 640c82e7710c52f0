//! Reports: what came into the queues and what agents did, with every figure as `routing::report` defines it.
//!
//! Counted by arrival: a contact belongs to the interval in which it began to wait, a talk to the one it began in. Percentages and
//! percentiles do not add up, so the sums over queues, over intervals and over everything are in the answer, too.
//!
//! | file | what |
//! |---|---|
//! | `make` | from rows to a report |
//! | `shapes` | a report as it is answered |
//! | `csv` | and as a table for a spreadsheet |
//! | `saved` | reports people keep, and those that come by themselves |

pub(super) mod csv;
mod make;
pub mod saved;
mod shapes;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

pub use make::make_due;
use make::{Scope, make, zone};
pub use shapes::{ReportAgent, ReportAgents, ReportInterval, ReportIntervals};

use super::{Problem, Shared, guard::Who, problem::Params, wire};
use crate::base::mins;

/// Which report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportSpan {
    /// From, RFC 3339; the last 24 hours if absent.
    from: Option<String>,
    /// Until, RFC 3339; now if absent.
    to: Option<String>,
    /// Length of an interval, minutes: 15, 30, 60 or 1440 (a day of the business); 30 if absent. Intervals are counted from
    /// midnight in `zone`.
    step_min: Option<u16>,
    /// Time zone, such as `Europe/Brussels`; that of the business (its first calendar's) if absent.
    zone: Option<String>,
    /// Only this queue.
    queue: Option<String>,
    /// `json` (the default) or `csv`.
    format: Option<String>,
}

fn scope(shared: &Shared, who: &Who, w: &ReportSpan) -> Result<Scope, Problem> {
    let settings = shared.door.settings();
    let settings = settings.tenants.get(&who.tenant).cloned().ok_or_else(|| Problem::not_found("your tenant"))?;
    let now = shared.door.now().wall;
    let to = wire::instant("to", w.to.as_deref())?.unwrap_or(now);
    let from = wire::instant("from", w.from.as_deref())?.unwrap_or(to - mins(24 * 60));
    let queue = w.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?;
    let mine = who.actor.agent().and_then(|me| settings.config.supervision.queues.get(me).cloned());
    let only = match (queue, mine) {
        (Some(q), Some(mine)) if !mine.contains(&q) => {
            return Err(Problem::not_allowed("that queue is not yours to supervise"));
        }
        (Some(q), _) => Some([q].into()),
        (None, mine) => mine.map(|m| m.into_iter().collect()),
    };
    let zone = w.zone.clone().unwrap_or_else(|| zone(&settings));
    let step_min = w.step_min.unwrap_or(30);
    Ok(Scope { tenant: who.tenant.clone(), settings, now, from, to, step_min, zone, only })
}

/// What came into each queue and what became of it, by interval, by queue, and in all.
#[utoipa::path(get, path = "/api/v1/reports/intervals", tag = "reports", params(ReportSpan),
    responses((status = 200, body = ReportIntervals), (status = 422, body = Problem)))]
pub async fn intervals(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Params(w): Params<ReportSpan>,
) -> Result<Response, Problem> {
    let (as_csv, scope) = (csv::wanted(w.format.as_deref())?, scope(&shared, &who, &w)?);
    let report = make(&shared.store, &scope).await?;
    let answer = ReportIntervals::of(&report, &scope);
    Ok(if as_csv { csv::answer("intervals", csv::intervals(&answer, &scope)) } else { Json(answer).into_response() })
}

/// What each agent did over the span. Of one queue: what was handled for it, by whom; the time of these agents is the whole of it.
#[utoipa::path(get, path = "/api/v1/reports/agents", tag = "reports", params(ReportSpan),
    responses((status = 200, body = ReportAgents), (status = 422, body = Problem)))]
pub async fn agents(State(shared): State<Arc<Shared>>, who: Who, Params(w): Params<ReportSpan>) -> Result<Response, Problem> {
    let (as_csv, mut scope) = (csv::wanted(w.format.as_deref())?, scope(&shared, &who, &w)?);
    if w.step_min.is_some() {
        return Err(Problem::invalid("step_min", "agents are summed over the whole span"));
    }
    scope.step_min = 1440;
    let report = make(&shared.store, &scope).await?;
    let answer = ReportAgents::of(&report, &scope);
    Ok(if as_csv { csv::answer("agents", csv::agents(&answer, &scope)) } else { Json(answer).into_response() })
}
