//! Words a visitor leaves while nobody is there: a ticket on the right pile, with whom to answer.

use super::{
    Center, Output,
    command::{Done, Refusal, RefusalCode},
    desk,
};
use crate::{
    base::{Channel, Now, TenantId, TicketId, VisitorId, limits},
    customer, ticket,
};

/// What was left.
#[derive(Debug)]
pub(super) struct Left {
    pub name: String,
    /// Mail or number.
    pub contact: String,
    pub language: Option<String>,
    pub page: Option<String>,
    pub text: String,
}

/// One line of words, as long as a ticket shows it.
pub(super) fn line(raw: &str, most: usize) -> String {
    let plain: String = raw.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().chars().take(most).collect()
}

impl Center {
    /// Keeps the words as a ticket of whoever left them.
    pub(super) fn leave(
        &mut self,
        now: Now,
        tenant: &TenantId,
        visitor: VisitorId,
        left: Left,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        let Some(offline) = settings.config.chat.offline.as_ref() else {
            return Err(Refusal::not_found("a form for messages on this site"));
        };
        if !self.admission {
            return Err(Refusal::new(RefusalCode::Unavailable, "nothing new is taken right now; try again soon"));
        }
        let invalid = |said: &str| Refusal::new(RefusalCode::Invalid, said);
        let text = crate::text::clean(&left.text).map_err(|e| invalid(&e.to_string()))?;
        if desk::contact_of(&settings, &left.contact).is_none() {
            return Err(invalid("contact: expected a mail address or a telephone number to answer to"));
        }
        let name = line(&left.name, 80);
        let who = customer::Identity::channel(Channel::Webchat, &visitor.to_string());
        let identity = who.map_err(|e| invalid(&e.to_string()))?;
        let customer = self.customer_by(now, tenant, identity, customer::Trust::Unverified, Some(&name), out);
        self.customer_contact(now, tenant, customer, Some(&left.contact), left.language.as_deref(), out);
        let customer = self.tenants.get(tenant).map_or(customer, |t| t.customers.resolve(customer));
        let from = if name.is_empty() { line(&left.contact, 80) } else { name };
        let opening = ticket::Opening {
            id: TicketId::new(now, &mut self.rng),
            number: 0,
            title: format!("Message from {from}"),
            customer: Some(customer),
            interaction: None,
            channel: Some(Channel::Webchat),
            queue: offline.queue.clone(),
            priority: ticket::Priority::Normal,
            sla: None,
        };
        let id = self.ticket_open(now, tenant, ticket::Actor::Customer, opening, out).map_err(desk::refused)?;
        let mut words = format!("{text}\n\n{}", line(&left.contact, 120));
        if let Some(page) = left.page.as_deref().map(|p| line(p, 300)).filter(|p| !p.is_empty()) {
            words += &format!("\n{page}");
        }
        let change = ticket::Change::CustomerWrote { text: words.chars().take(limits::LEFT_MAX).collect(), message: None };
        self.ticket_change(now, tenant, id, ticket::Actor::Customer, change, out);
        Ok(Done::Ticket { ticket: id })
    }
}
