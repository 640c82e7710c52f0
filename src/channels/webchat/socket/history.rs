//! What was said before: the latest of it at first, what came while a page was away, and more when somebody reads upwards.

use super::{AGAIN, Chat, Over};
use crate::{
    base::{InteractionId, limits},
    channels::webchat::wire::{self, ToVisitor},
    text::Message,
};

impl Chat {
    /// Shows what a page that has everything up to `self.committed` has not. Where that is more than a page holds, only the latest
    /// of it: the rest is there for the asking.
    pub(super) async fn catch_up(&mut self, id: InteractionId) -> Result<(), Over> {
        let (page, more) = self.read(id, u64::MAX).await?;
        let missed = self.committed + 1;
        let first = page.first().map_or(missed, |m| m.seq);
        for m in &page {
            self.show(m).await?;
        }
        // A page that had nothing, or would have a hole, is told where what it has begins.
        if missed == 1 || first > missed {
            self.line.send(&ToVisitor::Earlier { first, more }).await?;
        }
        Ok(())
    }

    /// Shows what was said before a message the page has. A stranger's chat has nothing in it.
    pub(super) async fn earlier(&mut self, id: InteractionId, before: u64) -> Result<(), Over> {
        let (mine, _) = self.look_up(id, self.open == Some(id)).await?;
        if !mine {
            return self.refuse(None, "invalid", "there is no such chat").await;
        }
        let (page, more) = self.read(id, before).await?;
        for m in &page {
            if let Some(frame) = wire::shown(m, |a| self.name_of(a)) {
                self.line.send(&frame).await?;
            }
        }
        let first = page.first().map_or(before, |m| m.seq);
        self.line.send(&ToVisitor::Earlier { first, more }).await
    }

    /// The last messages before a place, and whether there are more before them.
    async fn read(&mut self, id: InteractionId, before: u64) -> Result<(Vec<Message>, bool), Over> {
        match self.shared.store.message_list_before(&self.known.tenant, id, before, limits::MESSAGES_SHOWN).await {
            Ok(page) => Ok(page),
            Err(error) => {
                tracing::warn!(%error, "a conversation could not be read");
                Err(self.line.close(AGAIN, "try again").await)
            }
        }
    }

    /// Shows a committed message, once.
    pub(super) async fn show(&mut self, m: &Message) -> Result<(), Over> {
        if m.seq <= self.committed {
            return Ok(());
        }
        self.committed = m.seq;
        if let Some(frame) = wire::shown(m, |a| self.name_of(a)) {
            self.line.send(&frame).await?;
        }
        if let Some(client_id) = self.awaiting.remove(&m.seq) {
            self.line.send(&ToVisitor::Ack { client_id, seq: m.seq }).await?;
        }
        Ok(())
    }
}
