//! Interval reports: what came into each queue and what became of it, per quarter of an hour.
//!
//! Counted by arrival: a stay in a queue belongs to the interval it began in, a handled stretch to the interval its talk began
//! in. Formulas of service level and averages are made of these sums upstairs, where their names and thresholds are.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    base::{AgentId, QueueId, TenantId, Wall},
    store::{
        Store,
        engine::{Row, values},
        error::Result,
    },
};

/// One queue in one interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntervalRow {
    /// Which queue.
    pub queue: QueueId,
    /// Beginning of the interval.
    pub from: Wall,
    /// Entered.
    pub offered: u64,
    /// Of these, taken by an agent.
    pub answered: u64,
    /// Of these, taken within the target.
    pub answered_in_time: u64,
    /// Of those who entered, left while waiting.
    pub abandoned: u64,
    /// Of these, left so soon that nobody could have helped them.
    pub abandoned_short: u64,
    /// Sent elsewhere: waited too long, nobody there, too many, another choice, another queue.
    pub overflowed: u64,
    /// Lost by us: the server went down under them.
    pub lost: u64,
    /// Still waiting.
    pub waiting: u64,
    /// Waiting of the answered, milliseconds, summed.
    pub answered_wait_ms: u64,
    /// The longest waiting of any, milliseconds.
    pub wait_ms_max: u64,
    /// Stretches of talk that began.
    pub handled: u64,
    /// Talk in these, hold included, milliseconds.
    pub talk_ms: u64,
    /// Hold in these, milliseconds.
    pub hold_ms: u64,
    /// After-call work of these, milliseconds.
    pub wrap_ms: u64,
    /// Ratings given.
    pub rated: u64,
    /// Of these, in the best fifth of what there was to give, or the next: 4 and 5 of 5, the thumb up.
    pub satisfied: u64,
}

impl IntervalRow {
    fn empty(queue: QueueId, from: Wall) -> Self {
        IntervalRow {
            queue,
            from,
            offered: 0,
            answered: 0,
            answered_in_time: 0,
            abandoned: 0,
            abandoned_short: 0,
            overflowed: 0,
            lost: 0,
            waiting: 0,
            answered_wait_ms: 0,
            wait_ms_max: 0,
            handled: 0,
            talk_ms: 0,
            hold_ms: 0,
            wrap_ms: 0,
            rated: 0,
            satisfied: 0,
        }
    }
}

const WAITS: &str = "SELECT queue, entered_at - entered_at % $4, COUNT(*), \
    COUNT(CASE WHEN why = 'answered' THEN 1 END), \
    COUNT(CASE WHEN why = 'answered' AND waited_ms <= $5 THEN 1 END), \
    COUNT(CASE WHEN why = 'abandoned' THEN 1 END), \
    COUNT(CASE WHEN why = 'abandoned' AND waited_ms < $6 THEN 1 END), \
    COUNT(CASE WHEN why IN ('timeout', 'no_agents', 'full', 'exit_key', 'moved') THEN 1 END), \
    COUNT(CASE WHEN why = 'server_restart' THEN 1 END), \
    COUNT(CASE WHEN left_at IS NULL THEN 1 END), \
    CAST(COALESCE(SUM(CASE WHEN why = 'answered' THEN waited_ms END), 0) AS BIGINT), \
    COALESCE(MAX(waited_ms), 0) \
    FROM waits WHERE tenant = $1 AND entered_at >= $2 AND entered_at < $3 GROUP BY 1, 2";

const SEGMENTS: &str = "SELECT queue, began_at - began_at % $4, COUNT(*), CAST(SUM(talk_ms) AS BIGINT), \
    CAST(SUM(hold_ms) AS BIGINT), CAST(SUM(wrap_ms) AS BIGINT) \
    FROM segments WHERE tenant = $1 AND began_at >= $2 AND began_at < $3 AND queue IS NOT NULL GROUP BY 1, 2";

const RATINGS: &str = "SELECT queue, at - at % $4, COUNT(*), COUNT(CASE WHEN score * 5 >= best * 4 THEN 1 END) \
    FROM ratings WHERE tenant = $1 AND at >= $2 AND at < $3 AND queue IS NOT NULL GROUP BY 1, 2";

const RATINGS_OF_AGENTS: &str = "SELECT agent, COUNT(*), COUNT(CASE WHEN score * 5 >= best * 4 THEN 1 END) \
    FROM ratings WHERE tenant = $1 AND at >= $2 AND at < $3 AND agent IS NOT NULL \
    AND (CAST($4 AS TEXT) IS NULL OR queue = CAST($4 AS TEXT)) GROUP BY 1";

/// One agent over a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentReportRow {
    /// Who.
    pub agent: AgentId,
    /// Stretches of talk that began.
    pub handled: u64,
    /// Talk in these, hold included, milliseconds.
    pub talk_ms: u64,
    /// Hold in these, milliseconds.
    pub hold_ms: u64,
    /// After-call work of these, milliseconds.
    pub wrap_ms: u64,
    /// Ratings given of contacts the agent had last.
    pub rated: u64,
    /// Of these, 4 and 5 of 5, or the thumb up.
    pub satisfied: u64,
}

const AGENTS: &str = "SELECT agent, COUNT(*), CAST(SUM(talk_ms) AS BIGINT), CAST(SUM(hold_ms) AS BIGINT), \
    CAST(SUM(wrap_ms) AS BIGINT) FROM segments WHERE tenant = $1 AND began_at >= $2 AND began_at < $3 \
    AND (CAST($4 AS TEXT) IS NULL OR queue = CAST($4 AS TEXT)) GROUP BY 1 ORDER BY 1";

impl Store {
    /// What agents handled over `from..to`, of one queue if it is named, by agent.
    pub async fn report_agents(
        &self,
        tenant: &TenantId,
        from: Wall,
        to: Wall,
        queue: Option<&QueueId>,
    ) -> Result<Vec<AgentReportRow>> {
        let mut ratings = BTreeMap::new();
        let attempted = || format!("count the ratings of the agents of {tenant}");
        for r in self.db.all(RATINGS_OF_AGENTS, values![tenant, from, to, queue], attempted).await? {
            ratings.insert(r.text(0)?, (r.count(1)?, r.count(2)?));
        }
        let values = values![tenant, from, to, queue];
        let rows = self.db.all(AGENTS, values, || format!("count the work of the agents of {tenant}")).await?;
        let row = |r: &Row| {
            let rated: (u64, u64) = ratings.get(&r.text(0)?).copied().unwrap_or_default();
            Ok(AgentReportRow {
                agent: r.parsed(0, |s| AgentId::parse(s).ok())?,
                handled: r.count(1)?,
                talk_ms: r.count(2)?,
                hold_ms: r.count(3)?,
                wrap_ms: r.count(4)?,
                rated: rated.0,
                satisfied: rated.1,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Queues by interval over `from..to`, by queue and time. `step` is the length of an interval, counted from 1970 (so that
    /// quarters of an hour fall on the clock's); `target` the wait that still counts as in time; `short` the wait below which
    /// leaving is a short abandon.
    pub async fn report_intervals(
        &self,
        tenant: &TenantId,
        from: Wall,
        to: Wall,
        step: Duration,
        target: Duration,
        short: Duration,
    ) -> Result<Vec<IntervalRow>> {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX).max(1);
        let millis = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        let attempted = || format!("count the queues of {tenant} by interval");
        let mut rows: BTreeMap<(QueueId, Wall), IntervalRow> = BTreeMap::new();
        let values = values![tenant, from, to, micros(step), millis(target), millis(short)];
        for r in self.db.all(WAITS, values, attempted).await? {
            let key = (r.parsed(0, |s| QueueId::parse(s).ok())?, r.wall(1)?);
            let row = IntervalRow {
                offered: r.count(2)?,
                answered: r.count(3)?,
                answered_in_time: r.count(4)?,
                abandoned: r.count(5)?,
                abandoned_short: r.count(6)?,
                overflowed: r.count(7)?,
                lost: r.count(8)?,
                waiting: r.count(9)?,
                answered_wait_ms: r.count(10)?,
                wait_ms_max: r.count(11)?,
                ..IntervalRow::empty(key.0.clone(), key.1)
            };
            rows.insert(key, row);
        }
        for r in self.db.all(SEGMENTS, values![tenant, from, to, micros(step)], attempted).await? {
            let key = (r.parsed(0, |s| QueueId::parse(s).ok())?, r.wall(1)?);
            let row = rows.entry(key.clone()).or_insert_with(|| IntervalRow::empty(key.0, key.1));
            (row.handled, row.talk_ms, row.hold_ms, row.wrap_ms) = (r.count(2)?, r.count(3)?, r.count(4)?, r.count(5)?);
        }
        for r in self.db.all(RATINGS, values![tenant, from, to, micros(step)], attempted).await? {
            let key = (r.parsed(0, |s| QueueId::parse(s).ok())?, r.wall(1)?);
            let row = rows.entry(key.clone()).or_insert_with(|| IntervalRow::empty(key.0, key.1));
            (row.rated, row.satisfied) = (r.count(2)?, r.count(3)?);
        }
        Ok(rows.into_values().collect())
    }
}
