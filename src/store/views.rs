//! Lists people have named, of tickets, customers or contacts: their own, and those the house shares.

use super::{
    Store,
    engine::{Row, values},
    error::Result,
};
use crate::base::{AgentId, TenantId, Wall, limits};

/// What a named list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// Tickets.
    Tickets,
    /// Customers.
    Customers,
    /// Calls and chats that were.
    Contacts,
}

impl ViewKind {
    /// Every one.
    pub const ALL: [ViewKind; 3] = [ViewKind::Tickets, ViewKind::Customers, ViewKind::Contacts];

    /// The word in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            ViewKind::Tickets => "tickets",
            ViewKind::Customers => "customers",
            ViewKind::Contacts => "contacts",
        }
    }
    /// Reads [`ViewKind::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        ViewKind::ALL.into_iter().find(|k| k.as_str() == s)
    }
}

/// A list with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its name in the house.
    pub id: String,
    /// Of what.
    pub kind: ViewKind,
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

const VIEW: &str = "SELECT id, kind, owner, shared, name, body, made_at FROM saved_views WHERE tenant = $1";

fn view(r: &Row) -> Result<SavedView> {
    Ok(SavedView {
        id: r.text(0)?,
        kind: r.parsed(1, ViewKind::parse)?,
        owner: r.parsed(2, |s| AgentId::parse(s).ok())?,
        shared: r.flag(3)?,
        name: r.text(4)?,
        body: r.text(5)?,
        made_at: r.wall(6)?,
    })
}

impl Store {
    /// Makes a view or replaces it, its maker and its kind apart. False when its maker has [`limits::VIEWS_MAX`] already, or it is to
    /// be shared and the house shares [`limits::VIEWS_SHARED_MAX`].
    pub async fn view_put(&self, tenant: &TenantId, v: &SavedView) -> Result<bool> {
        let sql = "INSERT INTO saved_views (tenant, id, owner, shared, name, body, made_at, kind) \
                   SELECT $1, $2, $3, CAST($4 AS BIGINT), $5, $6, CAST($7 AS BIGINT), $8 \
                   WHERE (SELECT COUNT(*) FROM saved_views WHERE tenant = $1 AND owner = $3 AND id <> $2) < $9 \
                   AND (CAST($4 AS BIGINT) = 0 OR \
                   (SELECT COUNT(*) FROM saved_views WHERE tenant = $1 AND shared = 1 AND id <> $2) < $10) \
                   ON CONFLICT (tenant, id) DO UPDATE SET shared = excluded.shared, name = excluded.name, body = excluded.body";
        let mut values = values![tenant, &v.id, &v.owner, v.shared, &v.name, &v.body, v.made_at, v.kind.as_str()];
        values.extend(values![limits::VIEWS_MAX, limits::VIEWS_SHARED_MAX]);
        Ok(self.db.write(sql, values, || format!("write view {} of {tenant}", v.id)).await? > 0)
    }

    /// The views somebody has: their own and the shared ones, by name; of one kind, or of every kind. As many as
    /// [`limits::VIEWS_MAX`] and [`limits::VIEWS_SHARED_MAX`] together at most.
    pub async fn view_list(
        &self,
        tenant: &TenantId,
        login: Option<&AgentId>,
        kind: Option<ViewKind>,
    ) -> Result<Vec<SavedView>> {
        let sql = format!("{VIEW} AND (shared = 1 OR owner = $2) AND ($3 = '' OR kind = $3) ORDER BY name, id LIMIT $4");
        // No login is called so: a program has the shared ones only.
        let login = login.map_or("", AgentId::as_str);
        let values = values![tenant, login, kind.map_or("", ViewKind::as_str), limits::VIEWS_MAX + limits::VIEWS_SHARED_MAX];
        let rows = self.db.all(sql, values, || format!("list the views of {tenant}")).await?;
        rows.iter().map(view).collect()
    }

    /// One view.
    pub async fn view_get(&self, tenant: &TenantId, id: &str) -> Result<Option<SavedView>> {
        let sql = format!("{VIEW} AND id = $2");
        let row = self.db.one(sql, values![tenant, id], || format!("read view {id} of {tenant}")).await?;
        row.as_ref().map(view).transpose()
    }

    /// Forgets a view; true if there was one.
    pub async fn view_delete(&self, tenant: &TenantId, id: &str) -> Result<bool> {
        let sql = "DELETE FROM saved_views WHERE tenant = $1 AND id = $2";
        Ok(self.db.write(sql, values![tenant, id], || format!("delete view {id} of {tenant}")).await? > 0)
    }
}
