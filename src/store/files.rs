//! Messages one by one and from the end, and their files: which contents are named by which, and until when. The contents lie in
//! the vault.

use std::collections::BTreeSet;

use super::{Store, engine::values, error::Result, keep::contact_held};
use crate::{
    base::{InteractionId, TenantId, Wall, limits},
    text::{self, file::FileId},
};

impl Store {
    /// One message of a conversation.
    pub async fn message_get(&self, tenant: &TenantId, interaction: InteractionId, seq: u64) -> Result<Option<text::Message>> {
        let sql = "SELECT body FROM messages WHERE tenant = $1 AND interaction = $2 AND seq = $3";
        let row = self.db.one(sql, values![tenant, interaction, seq], || format!("read a message of {interaction}")).await?;
        row.map(|r| r.json(0)).transpose()
    }

    /// The last messages of a conversation before place `before`, in order, at most `limit`; and whether there are more before
    /// them.
    pub async fn message_list_before(
        &self,
        tenant: &TenantId,
        interaction: InteractionId,
        before: u64,
        limit: usize,
    ) -> Result<(Vec<text::Message>, bool)> {
        let limit = limit.min(limits::LIST_MAX);
        let sql = "SELECT body FROM messages WHERE tenant = $1 AND interaction = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4";
        let values = values![tenant, interaction, before, limit + 1];
        let rows = self.db.all(sql, values, || format!("read the messages of {interaction}")).await?;
        let page = rows.iter().take(limit).rev().map(|r| r.json(0)).collect::<Result<_>>()?;
        Ok((page, rows.len() > limit))
    }

    /// Contents that messages of a tenant name, of those whose id begins with `prefix`.
    pub async fn files_named(&self, tenant: &TenantId, prefix: &str) -> Result<BTreeSet<FileId>> {
        // `g` is behind every hex digit.
        let sql = "SELECT DISTINCT id FROM files WHERE tenant = $1 AND id >= $2 AND id < $3";
        let values = values![tenant, prefix, format!("{prefix}g")];
        let rows = self.db.all(sql, values, || format!("list the files of {tenant}")).await?;
        rows.iter().map(|r| r.parsed(0, FileId::parse)).collect()
    }

    /// Forgets what messages sent before `before` name: their contents are to go, unless a hold keeps the contact. How many.
    pub async fn files_forget(&self, tenant: &TenantId, before: Wall) -> Result<u64> {
        let sql = concat!(
            "DELETE FROM files WHERE tenant = $1 AND at < $2 AND NOT EXISTS (SELECT 1 FROM interactions i \
             WHERE i.tenant = files.tenant AND i.id = files.interaction AND ",
            contact_held!(),
            ")"
        );
        self.db.write(sql, values![tenant, before], || format!("forget old files of {tenant}")).await
    }
}
