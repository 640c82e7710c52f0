//! Ladders of contacts: packed by the center, kept as they are, read back as one.

use super::{
    Store,
    bulk::{Bulk, Texts},
    engine::values,
    error::{Result, StoreError},
};
use crate::{
    base::{InteractionId, TenantId, Wall},
    center::ladder::Ladder,
};

const LADDERS: Bulk =
    Bulk { head: "INSERT INTO ladders (tenant, interaction, at, messages, body)", columns: 5, tail: "ON CONFLICT DO NOTHING" };

/// A ladder to be kept.
#[derive(Debug, Clone)]
pub struct LadderRow {
    /// Whose.
    pub tenant: TenantId,
    /// Of which contact.
    pub interaction: InteractionId,
    /// When it was put away.
    pub at: Wall,
    /// How many messages.
    pub messages: usize,
    /// [`Ladder::pack`].
    pub body: String,
}

impl Store {
    /// Keeps ladders, all in one transaction.
    pub async fn ladder_put(&self, rows: Vec<LadderRow>) -> Result<()> {
        let rows = rows.into_iter().map(|r| values![&r.tenant, r.interaction, r.at, r.messages, r.body]).collect();
        let mut tx = self.db.begin().await?;
        Texts::default().run(&mut tx, &LADDERS, rows).await?;
        tx.commit().await
    }

    /// The ladder of a contact; none when none was kept.
    pub async fn ladder_get(&self, tenant: &TenantId, interaction: InteractionId) -> Result<Option<Ladder>> {
        let sql = "SELECT body FROM ladders WHERE tenant = $1 AND interaction = $2 ORDER BY at";
        let rows = self.db.all(sql, values![tenant, interaction], || format!("read the ladder of {interaction}")).await?;
        let mut whole: Option<Ladder> = None;
        for row in &rows {
            let what = || format!("the ladder of {interaction}");
            let part = Ladder::unpack(&row.text(0)?).map_err(|why| StoreError::unreadable(what(), why))?;
            match &mut whole {
                None => whole = Some(part),
                Some(w) => w.append(part),
            }
        }
        Ok(whole)
    }
}
