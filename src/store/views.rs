//! Lists of tickets people have named: their own, and those the house shares.

use super::{
    Store,
    engine::{Row, values},
    error::Result,
};
use crate::base::{AgentId, TenantId, Wall, limits};

/// A list of tickets with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    /// Its name in the house.
    pub id: String,
    /// The login that made it.
    pub owner: AgentId,
    /// Everybody of the tenant has it.
    pub shared: bool,
    /// Shown to people.
    pub name: String,
    /// What is asked for, as JSON.
    pub body: String,
    /// When it was made.
    pub made_at: Wall,
}

const VIEW: &str = "SELECT id, owner, shared, name, body, made_at FROM ticket_views WHERE tenant = $1";

fn view(r: &Row) -> Result<TicketView> {
    Ok(TicketView {
        id: r.text(0)?,
        owner: r.parsed(1, |s| AgentId::parse(s).ok())?,
        shared: r.flag(2)?,
        name: r.text(3)?,
        body: r.text(4)?,
        made_at: r.wall(5)?,
    })
}

impl Store {
    /// Makes a view or replaces it, its maker apart. False when its maker has [`limits::TICKET_VIEWS_MAX`] already.
    pub async fn ticket_view_put(&self, tenant: &TenantId, v: &TicketView) -> Result<bool> {
        let sql = "INSERT INTO ticket_views (tenant, id, owner, shared, name, body, made_at) \
                   SELECT $1, $2, $3, CAST($4 AS BIGINT), $5, $6, CAST($7 AS BIGINT) \
                   WHERE (SELECT COUNT(*) FROM ticket_views WHERE tenant = $1 AND owner = $3 AND id <> $2) < $8 \
                   ON CONFLICT (tenant, id) DO UPDATE SET shared = excluded.shared, name = excluded.name, body = excluded.body";
        let values = values![tenant, &v.id, &v.owner, v.shared, &v.name, &v.body, v.made_at, limits::TICKET_VIEWS_MAX];
        Ok(self.db.write(sql, values, || format!("write view {} of {tenant}", v.id)).await? > 0)
    }

    /// The views somebody has: their own and the shared ones, by name; of the shared ones at most [`limits::LIST_MAX`].
    pub async fn ticket_view_list(&self, tenant: &TenantId, login: Option<&AgentId>) -> Result<Vec<TicketView>> {
        let sql = format!("{VIEW} AND (shared = 1 OR owner = $2) ORDER BY name, id LIMIT $3");
        // No login is called so: a program has the shared ones only.
        let login = login.map_or("", AgentId::as_str);
        let rows = self.db.all(sql, values![tenant, login, limits::LIST_MAX], || format!("list the views of {tenant}"));
        rows.await?.iter().map(view).collect()
    }

    /// One view.
    pub async fn ticket_view_get(&self, tenant: &TenantId, id: &str) -> Result<Option<TicketView>> {
        let sql = format!("{VIEW} AND id = $2");
        let row = self.db.one(sql, values![tenant, id], || format!("read view {id} of {tenant}")).await?;
        row.as_ref().map(view).transpose()
    }

    /// Forgets a view; true if there was one.
    pub async fn ticket_view_delete(&self, tenant: &TenantId, id: &str) -> Result<bool> {
        let sql = "DELETE FROM ticket_views WHERE tenant = $1 AND id = $2";
        Ok(self.db.write(sql, values![tenant, id], || format!("delete view {id} of {tenant}")).await? > 0)
    }
}
