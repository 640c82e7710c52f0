//! What reports are counted from, as rows: stays in queues, stretches of handling, offers, states of agents.
//!
//! Which figure they make is decided by `routing::report`; here is only which of them concern a span. Bounded by
//! [`REPORT_ROWS_MAX`]: whoever gets one more than that asked for too much.

use std::time::Duration;

use crate::{
    base::{AgentId, QueueId, TenantId, Wall, limits::REPORT_ROWS_MAX, ms, secs},
    center::{fact::Unqueued, ledger},
    routing::{
        StopWhy,
        report::{Rated, Ring, Segment, Stay, Turn},
    },
    store::{
        Store,
        engine::{Row, values},
        error::Result,
        read::word,
    },
};

/// A talk that began longer before a span does not reach into it.
const TALK_MAX: Duration = secs(12 * 3_600);
/// An offer that began longer before does not.
const RING_MAX: Duration = secs(3_600);
/// Whoever has taken no state for so long is not at work.
const SHIFT_MAX: Duration = secs(7 * 86_400);
/// One row more than may be: that there is one tells that there are too many.
const ROWS: usize = REPORT_ROWS_MAX + 1;

const STAYS: &str = "SELECT queue, entered_at, why, waited_ms FROM waits \
    WHERE tenant = $1 AND entered_at >= $2 AND entered_at < $3 ORDER BY entered_at, seq LIMIT $4";
const SEGMENTS: &str = "SELECT agent, queue, began_at, ended_at, talk_ms, hold_ms, wrap_ms FROM segments \
    WHERE tenant = $1 AND began_at >= $2 AND began_at < $3 ORDER BY began_at, seq LIMIT $4";
// Offers are found by their ids, which begin with their time (UUIDv7, RFC 9562), a little on both sides.
const RINGS: &str = "SELECT d.agent, i.queue, d.at, d.ended_at, d.outcome FROM decisions d \
    LEFT JOIN interactions i ON i.tenant = d.tenant AND i.id = d.interaction \
    WHERE d.tenant = $1 AND d.offer >= $2 AND d.offer < $3 AND d.at < $4 ORDER BY d.offer LIMIT $5";
const TURNS: &str = "SELECT agent, body, since FROM agent_states \
    WHERE tenant = $1 AND since >= $2 AND since < $3 ORDER BY since, seq LIMIT $4";

// 4 and 5 of 5, or the thumb up, are good.
const RATINGS: &str = "SELECT agent, queue, at, CASE WHEN score * 5 >= best * 4 THEN 1 ELSE 0 END FROM ratings \
    WHERE tenant = $1 AND at >= $2 AND at < $3 ORDER BY at LIMIT $4";

/// The beginning of the ids made at an instant.
fn id_from(at: Wall) -> String {
    let ms = at.0.max(0) / 1_000;
    format!("{:08x}-{:04x}", ms >> 16, ms & 0xffff)
}

impl Store {
    /// The stays that began in `from..to`.
    pub async fn report_stays(&self, tenant: &TenantId, from: Wall, to: Wall) -> Result<Vec<Stay>> {
        let rows = self.db.all(STAYS, values![tenant, from, to, ROWS], || format!("count who waited at {tenant}")).await?;
        let stay = |r: &Row| {
            let why: Option<Unqueued> = r.parsed_opt(2, word)?;
            let waited = ms(r.count_opt(3)?.unwrap_or(0));
            let queue = r.parsed(0, |s| QueueId::parse(s).ok())?;
            Ok(Stay { queue, entered: r.wall(1)?, left: why.map(|why| (ledger::exit(why), waited)) })
        };
        rows.iter().map(stay).collect()
    }

    /// The stretches of handling that began in `from..to`, and those of before that may reach into it.
    pub async fn report_segments(&self, tenant: &TenantId, from: Wall, to: Wall) -> Result<Vec<Segment>> {
        let values = values![tenant, from - TALK_MAX, to, ROWS];
        let rows = self.db.all(SEGMENTS, values, || format!("count what was handled at {tenant}")).await?;
        let segment = |r: &Row| {
            Ok(Segment {
                agent: r.parsed(0, |s| AgentId::parse(s).ok())?,
                queue: r.parsed_opt(1, |s| QueueId::parse(s).ok())?,
                began: r.wall(2)?,
                ended: r.wall_opt(3)?,
                talk_ms: r.count(4)?,
                hold_ms: r.count(5)?,
                wrap_ms: r.count(6)?,
            })
        };
        rows.iter().map(segment).collect()
    }

    /// The offers made in `from..to`, and those of before that may reach into it. Of each the queue its contact was in last.
    pub async fn report_rings(&self, tenant: &TenantId, from: Wall, to: Wall) -> Result<Vec<Ring>> {
        let (first, last) = (id_from(from - RING_MAX), id_from(to + RING_MAX));
        let values = values![tenant, first, last, to, ROWS];
        let rows = self.db.all(RINGS, values, || format!("count the offers of {tenant}")).await?;
        let ring = |r: &Row| {
            let outcome = r.text_opt(4)?.and_then(|text| serde_json::from_str::<StopWhy>(&text).ok());
            Ok(Ring {
                agent: r.parsed(0, |s| AgentId::parse(s).ok())?,
                queue: r.parsed_opt(1, |s| QueueId::parse(s).ok())?,
                from: r.wall(2)?,
                to: r.wall_opt(3)?,
                no_answer: outcome == Some(StopWhy::NoAnswer),
            })
        };
        rows.iter().map(ring).collect()
    }

    /// The ratings given in `from..to`.
    pub async fn report_ratings(&self, tenant: &TenantId, from: Wall, to: Wall) -> Result<Vec<Rated>> {
        let rows = self.db.all(RATINGS, values![tenant, from, to, ROWS], || format!("count the ratings of {tenant}")).await?;
        let rated = |r: &Row| {
            let (agent, queue) = (r.parsed_opt(0, |s| AgentId::parse(s).ok())?, r.parsed_opt(1, |s| QueueId::parse(s).ok())?);
            Ok(Rated { agent, queue, at: r.wall(2)?, satisfied: r.count(3)? > 0 })
        };
        rows.iter().map(rated).collect()
    }

    /// The states agents took in `from..to`, and those of the week before: the last of each is theirs when it begins.
    pub async fn report_turns(&self, tenant: &TenantId, from: Wall, to: Wall) -> Result<Vec<Turn>> {
        let values = values![tenant, from - SHIFT_MAX, to, ROWS];
        let rows = self.db.all(TURNS, values, || format!("count the shifts of {tenant}")).await?;
        let turn = |r: &Row| Ok(Turn { agent: r.parsed(0, |s| AgentId::parse(s).ok())?, state: r.json(1)?, since: r.wall(2)? });
        rows.iter().map(turn).collect()
    }
}
