//! Webhooks: endpoints, how far in the journal each has got, and what became of deliveries.
//!
//! Secrets are kept as they are: they have to sign. Whoever may read the database may sign in the house's name.

use super::{
    Store,
    bulk::{Bulk, Texts},
    engine::{Row, values},
    error::Result,
    replay,
};
use crate::{
    base::{TenantId, Wall, limits, redact::Secret},
    center::fact::Record,
    webhook::TEST,
};

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Whose.
    pub tenant: TenantId,
    /// As its administrator calls it.
    pub name: String,
    /// In the ids of its events.
    pub uid: String,
    /// Where to.
    pub url: String,
    /// Groups and facts.
    pub events: Vec<String>,
    /// Deliveries at once; with one they are in order.
    pub at_once: usize,
    /// What events are signed with.
    pub secret: Secret,
    /// What they are signed with as well, and until when.
    pub old_secret: Option<(Secret, Wall)>,
    /// It is told.
    pub active: bool,
    /// Why it is not, if nobody switched it off.
    pub closed_why: Option<String>,
    /// Since when it has taken nothing.
    pub failing_since: Option<Wall>,
    /// How far in the journal it has got.
    pub cursor: u64,
    /// When it was made.
    pub made_at: Wall,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It will be tried.
    Waiting,
    /// It was taken.
    Delivered,
    /// It will not be tried again by itself.
    Failed,
}

impl DeliveryState {
    /// The word it is kept and shown as.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Failed].into_iter().find(|s| s.as_str() == word)
    }
}

/// One event for one endpoint, and what came of the last try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Place of the fact in the journal; 0: a trial.
    pub seq: u64,
    /// Which fact.
    pub kind: String,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// The first time.
    pub first_at: Option<Wall>,
    /// The last time.
    pub last_at: Option<Wall>,
    /// When it will be tried, if it is waiting.
    pub due_at: Wall,
    /// Of the last answer.
    pub status: Option<u64>,
    /// The beginning of it, or why there was none.
    pub answer: Option<String>,
    /// How long it took, milliseconds.
    pub took_ms: Option<u64>,
}

/// How many deliveries of an endpoint are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// To be tried again.
    pub waiting: u64,
    /// Not to be tried again.
    pub failed: u64,
}

/// Which events are to be told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// One, by its place in the journal.
    One(u64),
    /// Those that happened from then until before then.
    Between(Wall, Wall),
}

const WEBHOOK: &str = "SELECT tenant, name, uid, url, events, at_once, secret, old_secret, old_until, active, closed_why, \
                       failing_since, cursor, made_at FROM webhooks";
const DELIVERY: &str =
    "SELECT seq, kind, state, tries, first_at, last_at, due_at, status, answer, took_ms FROM webhook_deliveries";
// What somebody has asked for once more since the try began goes on waiting, and what somebody has given up does not wait again.
const TOLD: Bulk = Bulk {
    head: "INSERT INTO webhook_deliveries (uid, seq, kind, state, tries, first_at, last_at, due_at, status, answer, took_ms)",
    columns: 11,
    tail: "ON CONFLICT (uid, seq) DO UPDATE SET state = excluded.state, tries = excluded.tries, first_at = excluded.first_at, \
           last_at = excluded.last_at, due_at = excluded.due_at, status = excluded.status, answer = excluded.answer, \
           took_ms = excluded.took_ms \
           WHERE NOT (webhook_deliveries.state = 'waiting' AND webhook_deliveries.tries = 0 \
           AND webhook_deliveries.due_at > excluded.last_at - excluded.took_ms * 1000) \
           AND NOT (webhook_deliveries.state = 'failed' AND excluded.state = 'waiting')",
};

fn webhook(r: &Row) -> Result<Webhook> {
    let old = (r.text_opt(7)?, r.wall_opt(8)?);
    Ok(Webhook {
        tenant: r.parsed(0, |s| TenantId::parse(s).ok())?,
        name: r.text(1)?,
        uid: r.text(2)?,
        url: r.text(3)?,
        events: r.json(4)?,
        at_once: r.count(5)? as usize,
        secret: Secret::new(r.text(6)?),
        old_secret: old.0.map(Secret::new).zip(old.1),
        active: r.flag(9)?,
        closed_why: r.text_opt(10)?,
        failing_since: r.wall_opt(11)?,
        cursor: r.count(12)?,
        made_at: r.wall(13)?,
    })
}

fn delivery(r: &Row) -> Result<Delivery> {
    Ok(Delivery {
        seq: r.count(0)?,
        kind: r.text(1)?,
        state: r.parsed(2, DeliveryState::parse)?,
        tries: u32::try_from(r.count(3)?).unwrap_or(u32::MAX),
        first_at: r.wall_opt(4)?,
        last_at: r.wall_opt(5)?,
        due_at: r.wall(6)?,
        status: r.count_opt(7)?,
        answer: r.text_opt(8)?,
        took_ms: r.count_opt(9)?,
    })
}

/// Words from our own lists as SQL text.
fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|w| format!("'{}'", w.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

impl Store {
    /// Makes an endpoint. A second one of the same name in the tenant is a conflict.
    pub async fn webhook_make(&self, w: &Webhook) -> Result<()> {
        let sql = "INSERT INTO webhooks (tenant, name, uid, url, events, at_once, secret, active, cursor, made_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let events = serde_json::to_string(&w.events).expect("words are JSON");
        let (secret, place) = (w.secret.expose(), || format!("make webhook {}/{}", w.tenant, w.name));
        let values = values![&w.tenant, &w.name, &w.uid, &w.url, events, w.at_once, secret, w.active, w.cursor, w.made_at];
        self.db.write(sql, values, place).await.map(drop)
    }

    /// Keeps what an administrator changes about an endpoint; how far it has got is not touched. Switched on, it is no longer
    /// closed.
    pub async fn webhook_change(&self, w: &Webhook) -> Result<bool> {
        let sql = "UPDATE webhooks SET url = $3, events = $4, at_once = $5, secret = $6, old_secret = $7, old_until = $8, \
                   active = $9, closed_why = $10, failing_since = $11 WHERE tenant = $1 AND name = $2";
        let events = serde_json::to_string(&w.events).expect("words are JSON");
        let old = w.old_secret.as_ref().map(|(s, _)| s.expose());
        let until = w.old_secret.as_ref().map(|(_, until)| *until);
        let (secret, why) = (w.secret.expose(), w.closed_why.as_deref());
        let values = values![&w.tenant, &w.name, &w.url, events, w.at_once, secret, old, until, w.active, why, w.failing_since];
        Ok(self.db.write(sql, values, || format!("change webhook {}/{}", w.tenant, w.name)).await? > 0)
    }

    /// Forgets an endpoint and its deliveries; true if there was one.
    pub async fn webhook_delete(&self, tenant: &TenantId, name: &str) -> Result<bool> {
        let sql = "DELETE FROM webhooks WHERE tenant = $1 AND name = $2";
        Ok(self.db.write(sql, values![tenant, name], || format!("delete webhook {tenant}/{name}")).await? > 0)
    }

    /// One endpoint.
    pub async fn webhook_get(&self, tenant: &TenantId, name: &str) -> Result<Option<Webhook>> {
        let sql = format!("{WEBHOOK} WHERE tenant = $1 AND name = $2");
        let row = self.db.one(sql, values![tenant, name], || format!("read webhook {tenant}/{name}")).await?;
        row.as_ref().map(webhook).transpose()
    }

    /// The tenant's endpoints by name.
    pub async fn webhook_list(&self, tenant: &TenantId) -> Result<Vec<Webhook>> {
        let sql = format!("{WEBHOOK} WHERE tenant = $1 ORDER BY name");
        let rows = self.db.all(sql, values![tenant], || format!("list the webhooks of {tenant}")).await?;
        rows.iter().map(webhook).collect()
    }

    /// Every endpoint of every tenant.
    pub async fn webhook_list_all(&self) -> Result<Vec<Webhook>> {
        let rows = self.db.all(format!("{WEBHOOK} ORDER BY tenant, name"), Vec::new(), || "list all webhooks".into()).await?;
        rows.iter().map(webhook).collect()
    }

    /// Places and words of the tenant's facts of some kinds after `after`, up to and with `until`, at most `limit`.
    pub async fn webhook_events(
        &self,
        tenant: &TenantId,
        kinds: impl IntoIterator<Item = &'static str>,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<u64>> {
        let kinds = quoted(kinds);
        let sql = format!(
            "SELECT seq FROM journal WHERE tenant = $1 AND seq > $2 AND seq <= $3 AND kind IN ({kinds}) ORDER BY seq LIMIT $4"
        );
        let rows = self.db.all(sql, values![tenant, after, until, limit], || format!("read events of {tenant}")).await?;
        rows.iter().map(|r| r.count(0)).collect()
    }

    /// One fact of the tenant.
    pub async fn fact(&self, tenant: &TenantId, seq: u64) -> Result<Option<Record>> {
        let sql = "SELECT kind, body FROM journal WHERE tenant = $1 AND seq = $2";
        let row = self.db.one(sql, values![tenant, seq], || format!("read fact {seq}")).await?;
        row.map(|r| replay::record(seq, &r.text(0)?, &r.text(1)?)).transpose()
    }

    /// Keeps what came of tries, and how far the endpoint has got, in one go. `closed`: it is told nothing more, and why.
    pub async fn webhook_told(
        &self,
        uid: &str,
        told: &[Delivery],
        cursor: u64,
        failing_since: Option<Wall>,
        closed: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE webhooks SET cursor = $2, failing_since = $3 WHERE uid = $1";
        let there = tx.write(sql, values![uid, cursor, failing_since], || "note how far a webhook has got".into()).await?;
        if there == 0 {
            // Deleted meanwhile.
            return Ok(());
        }
        if let Some(why) = closed {
            let sql = "UPDATE webhooks SET active = 0, closed_why = $2 WHERE uid = $1";
            tx.write(sql, values![uid, why], || "close a webhook".into()).await?;
        }
        let row = |d: &Delivery| {
            let (tries, status) = (u64::from(d.tries), d.status);
            values![
                uid,
                d.seq,
                &d.kind,
                d.state.as_str(),
                tries,
                d.first_at,
                d.last_at,
                d.due_at,
                status,
                d.answer.as_deref(),
                d.took_ms
            ]
        };
        Texts::default().run(&mut tx, &TOLD, told.iter().map(row).collect()).await?;
        tx.commit().await
    }

    /// The waiting deliveries of an endpoint, the oldest events first.
    pub async fn webhook_waiting(&self, uid: &str, limit: usize) -> Result<Vec<Delivery>> {
        let sql = format!("{DELIVERY} WHERE uid = $1 AND state = 'waiting' ORDER BY seq LIMIT $2");
        let rows = self.db.all(sql, values![uid, limit], || "read what waits for a webhook".into()).await?;
        rows.iter().map(delivery).collect()
    }

    /// Deliveries of an endpoint, the newest events first; those before place `before`, in one state, if given.
    pub async fn webhook_deliveries(
        &self,
        uid: &str,
        state: Option<DeliveryState>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        let of = state.map_or(String::new(), |s| format!("AND state = '{}'", s.as_str()));
        let sql = format!("{DELIVERY} WHERE uid = $1 AND seq < $2 {of} ORDER BY seq DESC LIMIT $3");
        let values = values![uid, before.unwrap_or(u64::MAX), limit.min(limits::LIST_MAX)];
        let rows = self.db.all(sql, values, || "list deliveries".into()).await?;
        rows.iter().map(delivery).collect()
    }

    /// One delivery.
    pub async fn webhook_delivery(&self, uid: &str, seq: u64) -> Result<Option<Delivery>> {
        let sql = format!("{DELIVERY} WHERE uid = $1 AND seq = $2");
        let row = self.db.one(sql, values![uid, seq], || "read a delivery".into()).await?;
        row.as_ref().map(delivery).transpose()
    }

    /// How many wait, and how many failed.
    pub async fn webhook_counts(&self, uid: &str) -> Result<DeliveryCounts> {
        let sql = "SELECT state, COUNT(*) FROM webhook_deliveries WHERE uid = $1 AND state <> 'delivered' GROUP BY state";
        let mut counts = DeliveryCounts::default();
        for row in self.db.all(sql, values![uid], || "count deliveries".into()).await? {
            match row.parsed(0, DeliveryState::parse)? {
                DeliveryState::Waiting => counts.waiting = row.count(1)?,
                DeliveryState::Failed => counts.failed = row.count(1)?,
                DeliveryState::Delivered => {}
            }
        }
        Ok(counts)
    }

    /// Puts a trial among what waits.
    pub async fn webhook_try(&self, uid: &str, now: Wall) -> Result<()> {
        let sql = "INSERT INTO webhook_deliveries (uid, seq, kind, state, tries, due_at) VALUES ($1, 0, $2, 'waiting', 0, $3) \
                   ON CONFLICT (uid, seq) DO UPDATE SET state = 'waiting', tries = 0, first_at = NULL, last_at = NULL, \
                   due_at = excluded.due_at, status = NULL, answer = NULL, took_ms = NULL";
        self.db.write(sql, values![uid, TEST, now], || "try a webhook".into()).await.map(drop)
    }

    /// Events of the endpoint's kinds wait again, those that it has come by already; how many. At most `limit`, the oldest.
    pub async fn webhook_again(
        &self,
        w: &Webhook,
        kinds: impl IntoIterator<Item = &'static str>,
        which: Again,
        now: Wall,
        limit: usize,
    ) -> Result<u64> {
        let kinds = quoted(kinds);
        let (rule, from, to) = match which {
            Again::One(seq) => ("seq = $4 AND seq = $5", seq as i64, seq as i64),
            Again::Between(from, to) => ("at >= $4 AND at < $5", from.0, to.0),
        };
        // The place is named by the endpoint as it stands now, not as it was read: the courier goes on meanwhile.
        let sql = format!(
            "INSERT INTO webhook_deliveries (uid, seq, kind, state, tries, due_at) \
             SELECT $1, seq, kind, 'waiting', 0, CAST($2 AS BIGINT) FROM journal WHERE tenant = $3 AND {rule} \
             AND kind IN ({kinds}) AND seq <= (SELECT cursor FROM webhooks WHERE uid = $1) ORDER BY seq LIMIT $6 \
             ON CONFLICT (uid, seq) DO UPDATE SET state = 'waiting', tries = 0, first_at = NULL, due_at = excluded.due_at"
        );
        let values = values![&w.uid, now, &w.tenant, from, to, limit];
        let mut tx = self.db.begin().await?;
        let n = tx.write(sqlx::AssertSqlSafe(sql), values, || format!("tell webhook {} again", w.name)).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Gives up a waiting delivery; true if it was waiting.
    pub async fn webhook_give_up(&self, uid: &str, seq: u64) -> Result<bool> {
        let sql = "UPDATE webhook_deliveries SET state = 'failed' WHERE uid = $1 AND seq = $2 AND state = 'waiting'";
        Ok(self.db.write(sql, values![uid, seq], || "give up a delivery".into()).await? > 0)
    }

    /// Forgets deliveries that are over: of before `before`, and all but the newest `most`.
    pub async fn webhook_trim(&self, uid: &str, before: Wall, most: usize) -> Result<u64> {
        let sql = "DELETE FROM webhook_deliveries WHERE uid = $1 AND state <> 'waiting' AND (last_at < $2 OR seq <= \
                   COALESCE((SELECT seq FROM webhook_deliveries WHERE uid = $1 ORDER BY seq DESC LIMIT 1 OFFSET $3), -1))";
        self.db.write(sql, values![uid, before, most], || "forget old deliveries".into()).await
    }
}
