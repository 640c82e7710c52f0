//! From rows to a report.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    csv,
    saved::{By, What},
    shapes::{ReportAgents, ReportIntervals},
};
use crate::{
    api::Problem,
    base::{QueueId, TenantId, Wall, limits::REPORT_ROWS_MAX},
    center::settings::{Settings, TenantSettings},
    routing::{
        QueuePlan,
        report::{Grid, Report, grid::GridError},
    },
    store::{ReportFile, Store},
};

/// What a report is over.
#[derive(Debug, Clone)]
pub struct Scope {
    pub tenant: TenantId,
    pub settings: Arc<TenantSettings>,
    pub now: Wall,
    pub from: Wall,
    pub to: Wall,
    pub step_min: u16,
    pub zone: String,
    /// Only of these queues; of all if none.
    pub only: Option<BTreeSet<QueueId>>,
}

/// The time zone of a business: its first calendar's.
pub fn zone(settings: &TenantSettings) -> String {
    settings.plan.calendars.values().next().map_or_else(|| "UTC".to_owned(), |c| c.zone.clone())
}

/// Reads and counts.
pub async fn make(store: &Store, s: &Scope) -> Result<Report, Problem> {
    let grid = Grid::new(&s.zone, s.from, s.to, s.step_min).map_err(|why| {
        let field = match why {
            GridError::Step | GridError::TooMany => "step_min",
            GridError::Zone => "zone",
            GridError::Span => "to",
        };
        Problem::invalid(field, why.to_string())
    })?;
    let promise = |p: &QueuePlan| (p.sl_target_s, p.short_abandon_s);
    let promises = s.settings.plan.queues.iter().map(|(id, p)| (id.clone(), promise(p))).collect();
    let mut report = Report::new(grid, promises, promise(&QueuePlan::default())).of(s.only.clone());
    let stays = store.report_stays(&s.tenant, s.from, s.to).await.map_err(Problem::internal)?;
    let segments = store.report_segments(&s.tenant, s.from, s.to).await.map_err(Problem::internal)?;
    let rings = store.report_rings(&s.tenant, s.from, s.to).await.map_err(Problem::internal)?;
    let turns = store.report_turns(&s.tenant, s.from, s.to).await.map_err(Problem::internal)?;
    let ratings = store.report_ratings(&s.tenant, s.from, s.to).await.map_err(Problem::internal)?;
    if [stays.len(), segments.len(), rings.len(), turns.len(), ratings.len()].into_iter().any(|n| n > REPORT_ROWS_MAX) {
        return Err(Problem::invalid("from", format!("expected a span with at most {REPORT_ROWS_MAX} contacts")));
    }
    stays.iter().for_each(|stay| report.stay(stay));
    segments.iter().for_each(|segment| report.segment(segment));
    rings.iter().for_each(|ring| report.ring(ring));
    ratings.iter().for_each(|rated| report.rated(rated));
    turns.into_iter().for_each(|turn| report.turn(turn));
    report.close(s.now);
    Ok(report)
}

/// Makes every kept report that is due, of all tenants, and keeps what came of it. How many were made.
///
/// One that cannot be made (its queue is gone, its span too large) is said in the log and not tried again before it is due again.
pub async fn make_due(store: &Store, settings: &Settings, now: Wall) -> crate::store::Result<usize> {
    let mut made = 0;
    for (tenant, saved) in store.saved_report_all().await? {
        let Some(of) = settings.tenants.get(&tenant) else { continue };
        let Ok(what) = serde_json::from_str::<What>(&saved.body) else {
            tracing::warn!(%tenant, report = saved.name, "a kept report cannot be read");
            continue;
        };
        let zone = zone(of);
        let Some((due_at, from, to)) = what.schedule.and_then(|s| s.last_due(&zone, now)) else { continue };
        // What was due before it was kept is nobody's.
        if due_at <= saved.made_for.unwrap_or(saved.made_at) {
            continue;
        }
        let only = what.queue.clone().map(|q| [q].into());
        let step_min = if what.by == By::Agents { 1440 } else { what.step_min };
        let scope = Scope { tenant: tenant.clone(), settings: of.clone(), now, from, to, step_min, zone, only };
        let file = match make(store, &scope).await {
            Ok(report) => {
                let body = match what.by {
                    By::Intervals => csv::intervals(&ReportIntervals::of(&report, &scope), &scope),
                    By::Agents => csv::agents(&ReportAgents::of(&report, &scope), &scope),
                };
                made += 1;
                Some(ReportFile { due_at, from, to, body })
            }
            Err(why) => {
                tracing::warn!(%tenant, report = saved.name, ?why, "a report that was due could not be made");
                None
            }
        };
        store.report_file_put(&tenant, &saved.name, due_at, file.as_ref()).await?;
    }
    Ok(made)
}
