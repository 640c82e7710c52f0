//! The audit log: who looked at or changed what people entered. Rows are only added. (What happens to customers is in the
//! journal and needs no second record.)

use serde::Serialize;

use super::{
    Store,
    engine::{Row, values},
    error::Result,
    read::{Ask, prefix_end},
};
use crate::base::{TenantId, Wall};

/// One thing somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Wall,
    /// Login, key or `system`.
    pub who: String,
    /// A stable word: `config.apply`, `user.put`, `recording.play`.
    pub what: String,
    /// To what: an id.
    pub subject: String,
    /// How it was, without secrets.
    pub before: Option<String>,
    /// How it is now, without secrets.
    pub after: Option<String>,
}

/// A kept entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its place, from 1.
    pub n: u64,
    /// What was done.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// Which entries. Everything left out is not asked about.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Before this place.
    pub before: Option<u64>,
    /// Of this login, key (`key:name`) or `system`.
    pub who: Option<String>,
    /// What was done begins so: `user.` is everything about logins.
    pub what: Option<String>,
    /// The id it was done to begins so.
    pub subject: Option<String>,
    /// At or after.
    pub from: Option<Wall>,
    /// Before.
    pub to: Option<Wall>,
}

fn row(r: &Row) -> Result<AuditRow> {
    let entry = AuditEntry {
        at: r.wall(1)?,
        who: r.text(2)?,
        what: r.text(3)?,
        subject: r.text(4)?,
        before: r.text_opt(5)?,
        after: r.text_opt(6)?,
    };
    Ok(AuditRow { n: r.count(0)?, entry })
}

impl Store {
    /// Adds an entry.
    pub async fn audit_append(&self, tenant: &TenantId, e: &AuditEntry) -> Result<()> {
        let sql = "INSERT INTO audit (tenant, at, who, what, subject, was, became) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = values![tenant, e.at, &e.who, &e.what, &e.subject, e.before.as_deref(), e.after.as_deref()];
        self.db.write(sql, values, || format!("note {} of {} in the audit log", e.what, e.subject)).await.map(drop)
    }

    /// The newest entries first, as far as the filter lets them through.
    pub async fn audit_list(&self, tenant: &TenantId, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        let mut ask = Ask::new("SELECT n, at, who, what, subject, was, became FROM audit WHERE tenant = $1", tenant);
        ask.and_if(" AND n < ?", filter.before);
        ask.and_if(" AND who = ?", filter.who.as_deref());
        if let Some(what) = &filter.what {
            ask.and(" AND what >= ?", what);
            ask.and(" AND what < ?", prefix_end(what));
        }
        if let Some(subject) = &filter.subject {
            ask.and(" AND subject >= ?", subject);
            ask.and(" AND subject < ?", prefix_end(subject));
        }
        ask.and_if(" AND at >= ?", filter.from);
        ask.and_if(" AND at < ?", filter.to);
        ask.sql.push_str(" ORDER BY n DESC");
        ask.and(" LIMIT ?", limit);
        let rows = self.db.all(ask.sql, ask.values, || format!("read the audit log of {tenant}")).await?;
        rows.iter().map(row).collect()
    }
}
