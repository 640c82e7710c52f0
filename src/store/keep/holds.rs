//! Legal holds: customers, contacts and tickets that are not deleted, whatever their age and whoever asks.

use serde::Serialize;

use super::super::{
    Store,
    engine::{Row, values},
    error::Result,
};
use crate::base::{TenantId, Wall};

/// What a hold names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// A person with every contact and ticket of theirs.
    Customer,
    /// A call or chat.
    Interaction,
    /// A ticket with its contacts.
    Ticket,
}

impl Held {
    /// The word in routes and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Held::Customer => "customer",
            Held::Interaction => "interaction",
            Held::Ticket => "ticket",
        }
    }
    /// Reads [`Held::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        [Held::Customer, Held::Interaction, Held::Ticket].into_iter().find(|k| k.as_str() == s)
    }
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// What.
    pub kind: Held,
    /// Which.
    pub id: String,
    /// Login or key that put it there.
    pub who: String,
    /// When.
    pub at: Wall,
    /// What for.
    pub reason: String,
}

/// A hold, and what people call what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedHold {
    /// The hold.
    pub hold: Hold,
    /// The customer's name, the ticket's title, the number or name of the contact's customer; empty where there is none.
    pub name: String,
    /// The ticket's number.
    pub number: Option<u64>,
    /// When the contact began.
    pub began: Option<Wall>,
}

pub(super) fn hold(r: &Row) -> Result<Hold> {
    Ok(Hold { kind: r.parsed(0, Held::parse)?, id: r.text(1)?, who: r.text(2)?, at: r.wall(3)?, reason: r.text(4)? })
}

impl Store {
    /// Puts a hold on something, or gives it another reason.
    pub async fn hold_put(&self, tenant: &TenantId, h: &Hold) -> Result<()> {
        let sql = "INSERT INTO holds (tenant, kind, id, who, at, reason) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (tenant, kind, id) DO UPDATE SET who = excluded.who, at = excluded.at, reason = excluded.reason";
        let values = values![tenant, h.kind.as_str(), &h.id, &h.who, h.at, &h.reason];
        self.db.write(sql, values, || format!("hold {} {}", h.kind.as_str(), h.id)).await.map(drop)
    }

    /// Lifts a hold; true if there was one. What it kept is looked at again.
    pub async fn hold_lift(&self, tenant: &TenantId, kind: Held, id: &str) -> Result<bool> {
        let attempted = || format!("lift the hold on {} {id}", kind.as_str());
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM holds WHERE tenant = $1 AND kind = $2 AND id = $3";
        let n = tx.write(sql, values![tenant, kind.as_str(), id], attempted).await?;
        tx.write("DELETE FROM keeping WHERE tenant = $1", values![tenant], attempted).await?;
        tx.commit().await?;
        Ok(n > 0)
    }

    /// The holds of a tenant with what they are on, the newest first, at most `limit`.
    pub async fn hold_list(&self, tenant: &TenantId, limit: usize) -> Result<Vec<NamedHold>> {
        let sql = "SELECT h.kind, h.id, h.who, h.at, h.reason, \
                   COALESCE(c.name, t.title, CASE i.way WHEN 'outbound' THEN i.called ELSE i.caller END), t.number, i.opened_at \
                   FROM holds h \
                   LEFT JOIN customers c ON h.kind = 'customer' AND c.tenant = h.tenant AND c.id = h.id \
                   LEFT JOIN tickets t ON h.kind = 'ticket' AND t.tenant = h.tenant AND t.id = h.id \
                   LEFT JOIN interactions i ON h.kind = 'interaction' AND i.tenant = h.tenant AND i.id = h.id \
                   WHERE h.tenant = $1 ORDER BY h.at DESC, h.kind, h.id LIMIT $2";
        let rows = self.db.all(sql, values![tenant, limit], || format!("list the holds of {tenant}")).await?;
        let read = |r: &Row| {
            let (name, number, began) = (r.text_opt(5)?, r.count_opt(6)?, r.wall_opt(7)?);
            Ok(NamedHold { hold: hold(r)?, name: name.unwrap_or_default(), number, began })
        };
        rows.iter().map(read).collect()
    }
}
