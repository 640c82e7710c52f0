//! Reports people keep, and what was made of those that come by themselves.

use super::{
    Store,
    engine::{Row, values},
    error::Result,
};
use crate::base::{
    TenantId, Wall,
    limits::{REPORT_FILES_MAX, REPORTS_SAVED_MAX},
};

/// A kept report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedReport {
    /// Its name.
    pub name: String,
    /// Who keeps it.
    pub owner: String,
    /// When it was kept.
    pub made_at: Wall,
    /// The last time it was due that has been dealt with.
    pub made_for: Option<Wall>,
    /// Which report, and when: JSON of whoever asks.
    pub body: String,
}

/// What was made of one that was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// When it was due.
    pub due_at: Wall,
    /// What it is over.
    pub from: Wall,
    /// Until.
    pub to: Wall,
    /// The table, as CSV.
    pub body: String,
}

fn saved(r: &Row, first: usize) -> Result<SavedReport> {
    Ok(SavedReport {
        name: r.text(first)?,
        owner: r.text(first + 1)?,
        made_at: r.wall(first + 2)?,
        made_for: r.wall_opt(first + 3)?,
        body: r.text(first + 4)?,
    })
}

impl Store {
    /// Keeps a report under its name; one of that name is replaced. False when the tenant keeps as many as it may.
    pub async fn saved_report_put(&self, tenant: &TenantId, r: &SavedReport) -> Result<bool> {
        let sql = "INSERT INTO reports (tenant, name, owner, made_at, made_for, body) \
                   SELECT $1, $2, $3, CAST($4 AS BIGINT), CAST($5 AS BIGINT), $6 \
                   WHERE (SELECT COUNT(*) FROM reports WHERE tenant = $1 AND name <> $2) < CAST($7 AS BIGINT) \
                   ON CONFLICT (tenant, name) DO UPDATE SET owner = excluded.owner, made_at = excluded.made_at, \
                   made_for = excluded.made_for, body = excluded.body";
        let values = values![tenant, &r.name, &r.owner, r.made_at, r.made_for, &r.body, REPORTS_SAVED_MAX];
        Ok(self.db.write(sql, values, || format!("keep report {} of {tenant}", r.name)).await? == 1)
    }

    /// The kept reports of a tenant, by name.
    pub async fn saved_report_list(&self, tenant: &TenantId) -> Result<Vec<SavedReport>> {
        let sql = "SELECT name, owner, made_at, made_for, body FROM reports WHERE tenant = $1 ORDER BY name";
        let rows = self.db.all(sql, values![tenant], || format!("list the reports of {tenant}")).await?;
        rows.iter().map(|r| saved(r, 0)).collect()
    }

    /// The kept reports of all tenants: for whoever makes those that are due.
    pub async fn saved_report_all(&self) -> Result<Vec<(TenantId, SavedReport)>> {
        let sql = "SELECT tenant, name, owner, made_at, made_for, body FROM reports ORDER BY tenant, name";
        let rows = self.db.all(sql, values![], || "list all reports".into()).await?;
        let of = |r: &Row| Ok((r.parsed(0, |s| TenantId::parse(s).ok())?, saved(r, 1)?));
        rows.iter().map(of).collect()
    }

    /// Forgets a report with what was made of it. False when there is none of that name.
    pub async fn saved_report_delete(&self, tenant: &TenantId, name: &str) -> Result<bool> {
        let attempted = || format!("forget report {name} of {tenant}");
        let mut tx = self.db.begin().await?;
        tx.write("DELETE FROM report_files WHERE tenant = $1 AND name = $2", values![tenant, name], attempted).await?;
        let gone = tx.write("DELETE FROM reports WHERE tenant = $1 AND name = $2", values![tenant, name], attempted).await?;
        tx.commit().await?;
        Ok(gone == 1)
    }

    /// Keeps what was made of a report, and that this is done; the oldest beyond [`REPORT_FILES_MAX`] go. Nothing is kept of one
    /// that was forgotten meanwhile. `file`: none when it could not be made, and is not to be tried again.
    pub async fn report_file_put(&self, tenant: &TenantId, name: &str, due_at: Wall, file: Option<&ReportFile>) -> Result<()> {
        let attempted = || format!("keep what came of report {name} of {tenant}");
        let mut tx = self.db.begin().await?;
        let done = "UPDATE reports SET made_for = $3 WHERE tenant = $1 AND name = $2";
        let there = tx.write(done, values![tenant, name, due_at], attempted).await? == 1;
        if let Some(f) = file.filter(|_| there) {
            let sql = "INSERT INTO report_files (tenant, name, due_at, from_at, to_at, body) VALUES ($1, $2, $3, $4, $5, $6) \
                       ON CONFLICT DO NOTHING";
            tx.write(sql, values![tenant, name, f.due_at, f.from, f.to, &f.body], attempted).await?;
            let old = "DELETE FROM report_files WHERE tenant = $1 AND name = $2 AND due_at NOT IN (SELECT due_at \
                       FROM report_files WHERE tenant = $1 AND name = $2 ORDER BY due_at DESC LIMIT $3)";
            tx.write(old, values![tenant, name, REPORT_FILES_MAX], attempted).await?;
        }
        tx.commit().await
    }

    /// What was made of a report, newest first, without the tables: when it was due, from, to.
    pub async fn report_file_list(&self, tenant: &TenantId, name: &str) -> Result<Vec<(Wall, Wall, Wall)>> {
        let sql = "SELECT due_at, from_at, to_at FROM report_files WHERE tenant = $1 AND name = $2 ORDER BY due_at DESC";
        let rows = self.db.all(sql, values![tenant, name], || format!("list what came of report {name}")).await?;
        rows.iter().map(|r| Ok((r.wall(0)?, r.wall(1)?, r.wall(2)?))).collect()
    }

    /// One table.
    pub async fn report_file_get(&self, tenant: &TenantId, name: &str, due_at: Wall) -> Result<Option<ReportFile>> {
        let sql = "SELECT due_at, from_at, to_at, body FROM report_files WHERE tenant = $1 AND name = $2 AND due_at = $3";
        let row = self.db.one(sql, values![tenant, name, due_at], || format!("read what came of report {name}")).await?;
        let file = |r: Row| Ok(ReportFile { due_at: r.wall(0)?, from: r.wall(1)?, to: r.wall(2)?, body: r.text(3)? });
        row.map(file).transpose()
    }
}
