//! Reports: what came into the queues and what agents handled, as sums; and the canned replies of agents.
//!
//! Counted by arrival: a contact belongs to the interval in which it began to wait, a talk to the one it began in. Percentages and
//! averages are made of the sums by whoever shows them, so that intervals can be added up.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, Shared, guard::Who, problem::Params, wire};
use crate::{
    base::{QueueId, Wall, mins, secs},
    center::settings::TenantSettings,
    store::{AgentReportRow, IntervalRow},
};

/// Most intervals of one answer, for each queue.
const INTERVALS_MAX: u64 = 3_000;

/// Which report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportSpan {
    /// From, RFC 3339; the last 24 hours if absent.
    from: Option<String>,
    /// Until, RFC 3339; now if absent.
    to: Option<String>,
    /// Length of an interval, minutes; 30 if absent. Intervals are counted from midnight UTC.
    step_min: Option<u64>,
    /// Only this queue.
    queue: Option<String>,
    /// `json` (the default) or `csv`.
    format: Option<String>,
}

/// One queue in one interval. Times are milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportInterval {
    /// Which queue.
    queue: String,
    /// Beginning of the interval, RFC 3339.
    from: String,
    /// Entered.
    offered: u64,
    /// Of these, taken by an agent.
    answered: u64,
    /// Of these, taken within the queue's target.
    answered_in_time: u64,
    /// Left while waiting.
    abandoned: u64,
    /// Of these, left so soon that nobody could have helped them.
    abandoned_short: u64,
    /// Sent elsewhere by the queue.
    overflowed: u64,
    /// Lost by us.
    lost: u64,
    /// Still waiting.
    waiting: u64,
    /// Waiting of the answered, summed.
    answered_wait_ms: u64,
    /// The longest waiting of any.
    wait_ms_max: u64,
    /// Stretches of talk that began.
    handled: u64,
    /// Talk in these, hold included.
    talk_ms: u64,
    /// Hold in these.
    hold_ms: u64,
    /// After-call work of these.
    wrap_ms: u64,
    /// Ratings given.
    rated: u64,
    /// Of these, 4 and 5 of 5, or the thumb up.
    satisfied: u64,
}

/// Queues by interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportIntervals {
    /// From, RFC 3339.
    from: String,
    /// Until, RFC 3339.
    to: String,
    /// Length of an interval, minutes.
    step_min: u64,
    /// By queue and time; intervals in which nothing came are not there.
    rows: Vec<ReportInterval>,
}

/// One agent over the span. Times are milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportAgent {
    /// Who.
    agent: String,
    /// Stretches of talk that began.
    handled: u64,
    /// Talk in these, hold included.
    talk_ms: u64,
    /// Hold in these.
    hold_ms: u64,
    /// After-call work of these.
    wrap_ms: u64,
    /// Ratings given.
    rated: u64,
    /// Of these, 4 and 5 of 5, or the thumb up.
    satisfied: u64,
}

/// Agents over a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportAgents {
    /// From, RFC 3339.
    from: String,
    /// Until, RFC 3339.
    to: String,
    /// By agent.
    rows: Vec<ReportAgent>,
}

struct Asked {
    tenant: Arc<TenantSettings>,
    from: Wall,
    to: Wall,
    queue: Option<QueueId>,
    /// Queues the asker supervises; all if none.
    only: Option<BTreeSet<QueueId>>,
    csv: bool,
}

fn asked(shared: &Shared, who: &Who, w: &ReportSpan) -> Result<Asked, Problem> {
    let settings = shared.door.settings();
    let tenant = settings.tenants.get(&who.tenant).cloned().ok_or_else(|| Problem::not_found("your tenant"))?;
    let to = wire::instant("to", w.to.as_deref())?.unwrap_or(shared.door.now().wall);
    let from = wire::instant("from", w.from.as_deref())?.unwrap_or(to - mins(24 * 60));
    if from >= to {
        return Err(Problem::invalid("to", "the end is not after the beginning"));
    }
    let queue = w.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?;
    let only = who.actor.agent().and_then(|me| tenant.config.supervision.queues.get(me).cloned());
    let csv = match w.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Problem::invalid("format", "expected json or csv")),
    };
    Ok(Asked { tenant, from, to, queue, only, csv })
}

impl Asked {
    fn wants(&self, queue: &QueueId) -> bool {
        self.queue.as_ref().is_none_or(|q| q == queue) && self.only.as_ref().is_none_or(|only| only.contains(queue))
    }
}

/// What came into each queue and what became of it, by interval.
#[utoipa::path(get, path = "/api/v1/reports/intervals", tag = "reports", params(ReportSpan),
    responses((status = 200, body = ReportIntervals), (status = 422, body = Problem)))]
pub async fn intervals(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Params(w): Params<ReportSpan>,
) -> Result<Response, Problem> {
    let a = asked(&shared, &who, &w)?;
    let step_min = w.step_min.unwrap_or(30);
    let most = a.to.since(a.from).as_secs() / 60;
    if !(1..=24 * 60 * 31).contains(&step_min) || most / step_min > INTERVALS_MAX {
        return Err(Problem::invalid("step_min", format!("expected minutes that make at most {INTERVALS_MAX} intervals")));
    }
    let step = Duration::from_secs(step_min * 60);
    // In time is what a queue promises, so queues that promise alike are counted together. A queue that exists no more had
    // the common promise.
    let promise = |q: &QueueId| {
        let plan = a.tenant.plan.queues.get(q).cloned().unwrap_or_default();
        (plan.sl_target_s, plan.short_abandon_s)
    };
    let common = crate::routing::QueuePlan::default();
    let mut promises: BTreeSet<(u32, u32)> = a.tenant.plan.queues.keys().filter(|q| a.wants(q)).map(promise).collect();
    promises.insert((common.sl_target_s, common.short_abandon_s));
    let mut rows: Vec<IntervalRow> = Vec::new();
    for (target, short) in promises {
        let (target_s, short_s) = (secs(u64::from(target)), secs(u64::from(short)));
        let counted = shared.store.report_intervals(&who.tenant, a.from, a.to, step, target_s, short_s).await;
        let counted = counted.map_err(Problem::internal)?;
        rows.extend(counted.into_iter().filter(|r| a.wants(&r.queue) && promise(&r.queue) == (target, short)));
    }
    rows.sort_by(|x, y| (&x.queue, x.from).cmp(&(&y.queue, y.from)));
    let rows: Vec<ReportInterval> = rows.iter().map(ReportInterval::from).collect();
    if a.csv {
        let head = "queue,from,offered,answered,answered_in_time,abandoned,abandoned_short,overflowed,lost,waiting,\
                    answered_wait_ms,wait_ms_max,handled,talk_ms,hold_ms,wrap_ms,rated,satisfied";
        return Ok(csv("intervals", head, rows.iter().map(ReportInterval::line)));
    }
    Ok(Json(ReportIntervals { from: a.from.rfc3339(), to: a.to.rfc3339(), step_min, rows }).into_response())
}

/// What each agent handled over the span.
#[utoipa::path(get, path = "/api/v1/reports/agents", tag = "reports", params(ReportSpan),
    responses((status = 200, body = ReportAgents), (status = 422, body = Problem)))]
pub async fn agents(State(shared): State<Arc<Shared>>, who: Who, Params(w): Params<ReportSpan>) -> Result<Response, Problem> {
    let a = asked(&shared, &who, &w)?;
    if w.step_min.is_some() {
        return Err(Problem::invalid("step_min", "agents are summed over the whole span"));
    }
    if let (Some(_), None) = (&a.only, &a.queue) {
        return Err(Problem::invalid("queue", "name one of the queues you supervise"));
    }
    if a.queue.as_ref().is_some_and(|q| !a.wants(q)) {
        return Err(Problem::not_allowed("that queue is not yours to supervise"));
    }
    let found = shared.store.report_agents(&who.tenant, a.from, a.to, a.queue.as_ref()).await.map_err(Problem::internal)?;
    let rows: Vec<ReportAgent> = found.iter().map(ReportAgent::from).collect();
    if a.csv {
        let line = |r: &ReportAgent| {
            format!("{},{},{},{},{},{},{}", r.agent, r.handled, r.talk_ms, r.hold_ms, r.wrap_ms, r.rated, r.satisfied)
        };
        return Ok(csv("agents", "agent,handled,talk_ms,hold_ms,wrap_ms,rated,satisfied", rows.iter().map(line)));
    }
    Ok(Json(ReportAgents { from: a.from.rfc3339(), to: a.to.rfc3339(), rows }).into_response())
}

/// Every value is an id, a number or an instant: nothing needs quotes, and nothing can be taken for a formula.
fn csv(name: &str, head: &str, lines: impl Iterator<Item = String>) -> Response {
    let text = std::iter::once(head.to_owned()).chain(lines).fold(String::new(), |text, line| text + &line + "\r\n");
    let named = format!("attachment; filename=\"{name}.csv\"");
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, named)], text).into_response()
}

impl ReportInterval {
    fn line(&self) -> String {
        let numbers = [
            self.offered,
            self.answered,
            self.answered_in_time,
            self.abandoned,
            self.abandoned_short,
            self.overflowed,
            self.lost,
            self.waiting,
            self.answered_wait_ms,
            self.wait_ms_max,
            self.handled,
            self.talk_ms,
            self.hold_ms,
            self.wrap_ms,
            self.rated,
            self.satisfied,
        ];
        numbers.iter().fold(format!("{},{}", self.queue, self.from), |line, n| format!("{line},{n}"))
    }
}

impl From<&IntervalRow> for ReportInterval {
    fn from(r: &IntervalRow) -> Self {
        ReportInterval {
            queue: r.queue.to_string(),
            from: r.from.rfc3339(),
            offered: r.offered,
            answered: r.answered,
            answered_in_time: r.answered_in_time,
            abandoned: r.abandoned,
            abandoned_short: r.abandoned_short,
            overflowed: r.overflowed,
            lost: r.lost,
            waiting: r.waiting,
            answered_wait_ms: r.answered_wait_ms,
            wait_ms_max: r.wait_ms_max,
            handled: r.handled,
            talk_ms: r.talk_ms,
            hold_ms: r.hold_ms,
            wrap_ms: r.wrap_ms,
            rated: r.rated,
            satisfied: r.satisfied,
        }
    }
}

impl From<&AgentReportRow> for ReportAgent {
    fn from(r: &AgentReportRow) -> Self {
        let (talk_ms, hold_ms, wrap_ms) = (r.talk_ms, r.hold_ms, r.wrap_ms);
        let (rated, satisfied) = (r.rated, r.satisfied);
        ReportAgent { agent: r.agent.to_string(), handled: r.handled, talk_ms, hold_ms, wrap_ms, rated, satisfied }
    }
}

/// A reply agents send again and again.
#[derive(Debug, Serialize, ToSchema)]
pub struct CannedReply {
    /// Its id: what is typed after `/`.
    id: String,
    /// For people.
    name: String,
    /// The words; `{customer}`, `{agent}` and `{queue}` stand for their names.
    text: String,
    /// Language it is written in; any if absent.
    lang: Option<String>,
    /// Queues it is offered in; all if empty.
    queues: Vec<String>,
}

/// The canned replies.
#[derive(Debug, Serialize, ToSchema)]
pub struct CannedReplies {
    /// By id.
    replies: Vec<CannedReply>,
}

/// The replies agents may insert.
#[utoipa::path(get, path = "/api/v1/canned", tag = "agents", responses((status = 200, body = CannedReplies)))]
pub async fn canned(State(shared): State<Arc<Shared>>, who: Who) -> Json<CannedReplies> {
    let settings = shared.door.settings();
    let all = settings.tenants.get(&who.tenant).into_iter().flat_map(|t| &t.config.canned);
    let reply = |(id, c): (&crate::base::CodeId, &crate::center::settings::Canned)| CannedReply {
        id: id.to_string(),
        name: if c.name.is_empty() { id.to_string() } else { c.name.clone() },
        text: c.text.clone(),
        lang: c.lang.clone(),
        queues: c.queues.iter().map(ToString::to_string).collect(),
    };
    Json(CannedReplies { replies: all.map(reply).collect() })
}
