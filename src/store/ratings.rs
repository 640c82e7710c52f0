//! Ratings: how customers say it was, one for each contact at most.

use serde::Serialize;

use super::{Store, engine::values, error::Result};
use crate::base::{InteractionId, TenantId, Wall};

/// A rating of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RatingRow {
    /// When it was given.
    pub at: Wall,
    /// From 1.
    pub score: u64,
    /// The best there was to give.
    pub best: u64,
    /// In words.
    pub comment: String,
}

impl Store {
    /// How a contact was rated, if it was.
    pub async fn rating_get(&self, tenant: &TenantId, interaction: InteractionId) -> Result<Option<RatingRow>> {
        let sql = "SELECT at, score, best, comment FROM ratings WHERE tenant = $1 AND interaction = $2";
        let row = self.db.one(sql, values![tenant, interaction], || format!("read the rating of {interaction}")).await?;
        let read = |r: super::engine::Row| {
            let comment = r.text_opt(3)?.unwrap_or_default();
            Ok(RatingRow { at: r.wall(0)?, score: r.count(1)?, best: r.count(2)?, comment })
        };
        row.map(read).transpose()
    }
}
