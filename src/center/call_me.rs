//! A visitor of a page asks to be called: a call back of the same kind as a caller's, on the telephone they name.

use super::{
    Center, Output,
    callback::{Plan, Wish, Words},
    command::{Done, Refusal, RefusalCode},
    leave::line,
};
use crate::{
    base::{Channel, InteractionId, Now, TenantId, VisitorId, Wall},
    customer, routing,
};

/// What was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub name: String,
    pub number: String,
    pub language: Option<String>,
    pub page: Option<String>,
    /// The hour they have chosen.
    pub at: Option<Wall>,
}

impl Center {
    /// Takes the wish, or says why not. Nothing is kept of a number that may not be called.
    pub(super) fn call_me(
        &mut self,
        now: Now,
        tenant: &TenantId,
        visitor: VisitorId,
        asked: Asked,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        let Some(config) = settings.config.chat.call_me.as_ref() else {
            return Err(Refusal::not_found("a call back on this site"));
        };
        if asked.at.is_none() && settings.call_me(now.wall).is_none() {
            return Err(Refusal::new(RefusalCode::WrongState, "nobody is called outside the hours"));
        }
        let lang = asked.language.as_deref().and_then(|l| l.split(['-', '_']).next()).unwrap_or("en").to_owned();
        let message = config.message.get(&lang).or_else(|| config.message.values().next());
        let said = if lang == "zh" { "zh-CN" } else { "en-US" };
        let plan = Plan {
            number: asked.number.clone(),
            attempts: config.attempts,
            gap_s: config.gap_s,
            screens: !config.ignore_machines,
            message: message.map(|text| Words::Say { text: text.clone(), lang: said.into() }).into_iter().collect(),
            ticket: config.ticket.clone(),
            at: asked.at,
        };
        let chat = self.visitors.get(&visitor).copied();
        let checked = self.callback_check(now, &settings, &plan, &config.queue, chat, out)?;
        if let Some(before) = checked.before {
            return Ok(Done::Interaction { interaction: before });
        }
        let name = line(&asked.name, 80);
        let who = customer::Identity::channel(Channel::Webchat, &visitor.to_string());
        let identity = who.map_err(|e| Refusal::new(RefusalCode::Invalid, e.to_string()))?;
        let customer = self.customer_by(now, tenant, identity, customer::Trust::Unverified, Some(&name), out);
        self.customer_contact(now, tenant, customer, Some(&asked.number), asked.language.as_deref(), out);
        let customer = self.tenants.get(tenant).map_or(customer, |t| t.customers.resolve(customer));
        // It gets its own name when it is booked.
        let nobody = InteractionId::new(now, &mut self.rng);
        let mut entry = routing::Entry::new(nobody, config.queue.clone(), Channel::Voice, now.wall);
        entry.attributes.insert("asked_on".into(), "web".into());
        if let Some(page) = asked.page.as_deref().map(|p| line(p, 500)).filter(|p| !p.is_empty()) {
            entry.attributes.insert("page".into(), page);
        }
        let interaction = self.callback_open(now, &settings, Wish { plan, customer, of: chat, entry }, checked, out);
        Ok(Done::Interaction { interaction })
    }
}
