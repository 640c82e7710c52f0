//! How it was, as customers say: visitors in the chat's window, callers by keys that a flow collects.
//!
//! Which queue and agent a rating is of is seen from the contact's line in the store, so it can be given after the contact has
//! left the memory.

use std::collections::BTreeMap;

use super::{
    Center, Output,
    command::{Actor, Done, Refusal, RefusalCode},
    fact::Fact,
};
use crate::base::{InteractionId, Now, TenantId, limits};

/// The event of a flow that is a rating: `{name: rating, data: {score: .., best: .., comment: ..}}`.
pub(super) const EVENT: &str = "rating";

impl Center {
    /// A visitor says how it was.
    #[expect(clippy::too_many_arguments, reason = "a rating and whose it is")]
    pub(super) fn rate(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        interaction: InteractionId,
        score: u8,
        comment: &str,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let Actor::Visitor { .. } = by else {
            return Err(Refusal::new(RefusalCode::NotAllowed, "only the customer says how it was"));
        };
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        let asked = settings.config.chat.rating.as_ref().ok_or_else(|| Refusal::not_found("a question how it was"))?;
        let best = asked.scale.best();
        if !(1..=best).contains(&score) {
            return Err(Refusal::new(RefusalCode::Invalid, format!("score: expected 1 to {best}")));
        }
        self.rated(now, tenant, interaction, by.clone(), (score, best), comment, out);
        Ok(Done::Ok)
    }

    /// A flow has asked; what is no rating is left as the event it is.
    pub(super) fn flow_rated(&mut self, now: Now, id: InteractionId, data: &BTreeMap<String, String>, out: &mut Vec<Output>) {
        let number = |name: &str| data.get(name).and_then(|v| v.trim().parse::<u8>().ok());
        let best = number("best").unwrap_or(5);
        let Some(score) = number("score").filter(|s| (1..=best).contains(s)) else { return };
        let Some(tenant) = self.interactions.get(&id).map(|i| i.tenant.clone()) else { return };
        let comment = data.get("comment").map_or("", String::as_str);
        self.rated(now, &tenant, id, Actor::System, (score, best), comment, out);
    }

    #[expect(clippy::too_many_arguments, reason = "a rating and whose it is")]
    fn rated(
        &mut self,
        now: Now,
        tenant: &TenantId,
        interaction: InteractionId,
        by: Actor,
        (score, best): (u8, u8),
        comment: &str,
        out: &mut Vec<Output>,
    ) {
        let plain = |c: &char| !c.is_control() || *c == '\n';
        let comment: String = comment.trim().chars().filter(plain).take(limits::RATING_COMMENT_MAX).collect();
        self.fact(now, tenant, Fact::Rated { interaction, by, score, best, comment }, out);
    }
}
