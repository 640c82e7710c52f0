//! A visitor says how a chat was: while it goes on, or within a day of its end, once.

use super::{Shared, socket::word};
use crate::{
    base::{InteractionId, TenantId, VisitorId, limits},
    center::command::{Actor, Command},
};

/// Takes a rating, or says why not: a word and a sentence.
pub async fn rate(
    shared: &Shared,
    tenant: &TenantId,
    visitor: VisitorId,
    interaction: InteractionId,
    score: u8,
    comment: String,
) -> Result<(), (&'static str, String)> {
    let unavailable = |error: crate::store::StoreError| {
        tracing::warn!(%error, "a chat could not be looked up");
        ("unavailable", "the rating could not be taken right now".to_owned())
    };
    let row = shared.store.interaction_get(tenant, interaction).await.map_err(unavailable)?;
    let row = row.filter(|r| r.visitor == Some(visitor)).ok_or(("invalid", "there is no such chat".to_owned()))?;
    let now = shared.door.now().wall;
    if row.closed_at.is_some_and(|at| now.since(at) > limits::RATE_WITHIN) {
        return Err(("closed", "this chat is too long over".to_owned()));
    }
    if shared.store.rating_get(tenant, interaction).await.map_err(unavailable)?.is_some() {
        return Err(("rated", "this chat was rated already".to_owned()));
    }
    let command = Command::Rate { interaction, score, comment };
    let answer = shared.door.command(tenant.clone(), Actor::Visitor { visitor }, command).await;
    answer.map(|_| ()).map_err(|refusal| (word(&refusal), refusal.message))
}
