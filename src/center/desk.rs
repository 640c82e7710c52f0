//! Tickets and customers: a contact finds its person and its matter, people change them, clocks ring.

use std::time::Duration;

use super::{
    Center, Output, Timer,
    command::{Actor, Done, Refusal, RefusalCode},
    fact::Fact,
    settings::{Sla, TenantSettings},
};
use crate::{
    base::{AgentId, Channel, CodeId, CustomerId, InteractionId, Now, QueueId, TenantId, TicketId, Wall, mins},
    customer,
    routing::hours::{Calendar, State},
    ticket::{self, WorkingTime, clock},
};

/// The routing room's calendar, asked as working time.
struct Open<'a>(&'a Calendar);

/// Changes of a calendar looked at before giving up: years of half days.
const CHANGES_MAX: usize = 10_000;

impl Open<'_> {
    /// The stretches from `from` on: `(from, to, open)`; the last has no end.
    fn stretches(&self, from: Wall) -> impl Iterator<Item = (Wall, Option<Wall>, bool)> {
        let mut at = Some(from);
        std::iter::from_fn(move || {
            let begin = at?;
            let open = self.0.state(begin) == State::Open;
            let end = self.0.next_change(begin).map(|(w, _)| w).filter(|w| *w > begin);
            at = end;
            Some((begin, end, open))
        })
        .take(CHANGES_MAX)
    }
}

impl WorkingTime for Open<'_> {
    fn add(&self, from: Wall, d: Duration) -> Wall {
        let mut left = d;
        for (begin, end, open) in self.stretches(from) {
            if !open {
                continue;
            }
            match end {
                Some(end) if end.since(begin) < left => left -= end.since(begin),
                _ => return begin + left,
            }
        }
        Wall(i64::MAX)
    }
    fn between(&self, a: Wall, b: Wall) -> Duration {
        let mut sum = Duration::ZERO;
        for (begin, end, open) in self.stretches(a) {
            if begin >= b {
                break;
            }
            if open {
                sum += end.map_or(b, |e| e.min(b)).since(begin);
            }
        }
        sum
    }
}

fn policy(sla: &Sla) -> ticket::Policy {
    let limit = |m: Option<u32>| m.map(|m| mins(u64::from(m)));
    ticket::Policy {
        first: limit(sla.first_reply_min),
        next: limit(sla.next_reply_min),
        resolve: limit(sla.resolve_min),
        owner_ack: limit(sla.owner_ack_min),
        reopen_window: sla.reopen_window(),
        ..ticket::Policy::default()
    }
}

/// The clocks of a ticket as promised by the tenant, read at `now`.
pub fn readings(settings: &TenantSettings, t: &ticket::Ticket, now: Wall) -> Vec<clock::Reading> {
    with_hours(settings, t, |hours, policy| clock::readings(t, hours, policy, now))
}

fn with_hours<R>(settings: &TenantSettings, t: &ticket::Ticket, f: impl FnOnce(&dyn WorkingTime, &ticket::Policy) -> R) -> R {
    let sla = t.head().sla.as_ref().or(settings.config.default_sla.as_ref()).and_then(|s| settings.config.slas.get(s));
    let policy = sla.map(policy).unwrap_or_default();
    match sla.and_then(|s| s.calendar.as_ref()).and_then(|c| settings.plan.calendars.get(c)) {
        Some(c) => f(&Open(c), &policy),
        None => f(&ticket::AlwaysOpen, &policy),
    }
}

pub(super) fn refused(e: ticket::TicketError) -> Refusal {
    use ticket::TicketError as T;
    let code = match &e {
        T::Unknown { .. } => RefusalCode::NotFound,
        T::Final { .. } | T::NoArrow { .. } | T::AlreadyOpened { .. } | T::NotMerged { .. } | T::GoneOn { .. } => {
            RefusalCode::WrongState
        }
        T::LogFull { .. } | T::TooManyTags => RefusalCode::Limit,
        _ => RefusalCode::Invalid,
    };
    Refusal::new(code, e.to_string())
}

/// What the person behind a number is recognised by; none for a caller without any usable name.
pub(super) fn identity_of(number: &str) -> Option<customer::Identity> {
    let name = if number.is_empty() { "anonymous" } else { number };
    customer::Identity::number(number).or_else(|_| customer::Identity::external("sip", name)).ok()
}

/// A number or mail address a visitor gives.
pub(super) fn contact_of(settings: &TenantSettings, contact: &str) -> Option<customer::Identity> {
    match contact.trim() {
        "" => None,
        mail if mail.contains('@') => customer::Identity::mail(mail).ok(),
        number => customer::Identity::number(&settings.config.number(number)).ok(),
    }
}

impl Center {
    /// The person behind a number, found or made.
    pub(super) fn customer_by_number(
        &mut self,
        now: Now,
        tenant: &TenantId,
        number: &str,
        name: Option<&str>,
        out: &mut Vec<Output>,
    ) -> CustomerId {
        match identity_of(number) {
            Some(identity) => self.customer_by(now, tenant, identity, customer::Trust::Unverified, name, out),
            // A caller without any usable name is somebody new each time.
            None => {
                let id = CustomerId::new(now, &mut self.rng);
                self.customer_entry(now, tenant, id, customer::Change::Created, out);
                id
            }
        }
    }

    /// The person behind an identity, found or made; a new one gets the name that came with it.
    pub(super) fn customer_by(
        &mut self,
        now: Now,
        tenant: &TenantId,
        identity: customer::Identity,
        trust: customer::Trust,
        name: Option<&str>,
        out: &mut Vec<Output>,
    ) -> CustomerId {
        let new = CustomerId::new(now, &mut self.rng);
        let Some(t) = self.tenants.get_mut(tenant) else { return new };
        let found = match t.customers.find_or_create(now.wall, identity, trust, new) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "a customer could not be found or made");
                self.customer_entry(now, tenant, new, customer::Change::Created, out);
                return new;
            }
        };
        let made = found.customer == new;
        for e in found.entries {
            self.fact(now, tenant, Fact::Customer { customer: e.customer, change: e.change }, out);
        }
        if let Some(name) = name.map(str::trim).filter(|n| made && !n.is_empty()) {
            let name = name.chars().take(80).collect();
            self.customer_entry(now, tenant, new, customer::Change::Named { name }, out);
        }
        found.customer
    }

    /// What a visitor says of themselves: a number or address to be known by, a language.
    pub(super) fn customer_contact(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: CustomerId,
        contact: Option<&str>,
        language: Option<&str>,
        out: &mut Vec<Output>,
    ) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let identity = contact.and_then(|c| contact_of(&t.settings, c));
        if let Some(identity) = identity {
            let owner = t.customers.by_identity(&identity).map(|c| c.id);
            let change = match owner {
                // The same number called before: one person, one history. Merging is what the visitor says, not what is
                // proven, so nothing is shown to the visitor of it; only agents see the joined history.
                Some(owner) if owner != id => {
                    self.customer_entry(now, tenant, owner, customer::Change::Absorbed { from: id }, out);
                    None
                }
                Some(_) => None,
                None => Some(customer::Change::Linked { identity, trust: customer::Trust::Unverified }),
            };
            if let Some(change) = change {
                self.customer_entry(now, tenant, id, change, out);
            }
        }
        // Browsers say `en-GB`, `zh-TW`, `en`: the language we have that is nearest.
        let spoken = language.and_then(|l| match l.split(['-', '_']).next() {
            Some("zh") => Some("zh-CN"),
            Some("en") => Some("en-US"),
            _ => None,
        });
        if let Some(lang) = spoken {
            let known = self.tenants.get(tenant).and_then(|t| t.customers.get(id)).and_then(|c| c.lang.clone());
            if known.as_deref() != Some(lang) {
                self.customer_entry(now, tenant, id, customer::Change::Speaks { lang: Some(lang.into()) }, out);
            }
        }
    }

    fn customer_entry(&mut self, now: Now, tenant: &TenantId, id: CustomerId, change: customer::Change, out: &mut Vec<Output>) {
        let Some(t) = self.tenants.get_mut(tenant) else { return };
        match t.customers.apply(now.wall, id, change) {
            Ok(e) => self.fact(now, tenant, Fact::Customer { customer: e.customer, change: e.change }, out),
            Err(error) => tracing::warn!(%error, "a customer was not changed"),
        }
    }

    /// A person changes a customer.
    pub(super) fn customer_command(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: CustomerId,
        change: customer::Change,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let t = self.tenants.get_mut(tenant).ok_or_else(|| Refusal::not_found("this tenant"))?;
        if matches!(change, customer::Change::Created) {
            return Err(Refusal::new(RefusalCode::Invalid, "a customer is created by getting in touch, not by this change"));
        }
        let at_work =
            |i: &super::Interaction| i.tenant == *tenant && t.customers.resolve(i.customer) == t.customers.resolve(id);
        if matches!(change, customer::Change::Erased) && self.interactions.values().any(at_work) {
            return Err(Refusal::new(
                RefusalCode::WrongState,
                format!("customer {id} is in a contact that goes on: end it first"),
            ));
        }
        if t.customers.get(id).is_none() {
            return Err(Refusal::not_found(format!("customer {id}")));
        }
        let absorbed = if let customer::Change::Absorbed { from } = &change { Some(*from) } else { None };
        let e = t.customers.apply(now.wall, id, change).map_err(|e| Refusal::new(RefusalCode::Invalid, e.to_string()))?;
        self.fact(now, tenant, Fact::Customer { customer: e.customer, change: e.change }, out);
        if let Some(from) = absorbed {
            let moved: Vec<TicketId> =
                self.tenants.get(tenant).into_iter().flat_map(|t| t.tickets.of_customer(from)).map(|t| t.head().id).collect();
            for t in moved {
                let change = ticket::Change::CustomerKnown { customer: e.customer };
                self.ticket_change(now, tenant, t, ticket::Actor::System, change, out);
            }
        }
        Ok(Done::Ok)
    }

    /// The name to show for the customer of a contact.
    pub(super) fn customer_name(&self, id: InteractionId) -> Option<String> {
        let i = self.interactions.get(&id)?;
        let c = self.tenants.get(&i.tenant)?.customers.get(i.customer)?;
        (!c.name.is_empty()).then(|| c.name.clone())
    }

    /// The matter a contact belongs to: the customer's newest open ticket, or a new one.
    #[expect(clippy::too_many_arguments, reason = "what a ticket begins with")]
    pub(super) fn ticket_for(
        &mut self,
        now: Now,
        tenant: &TenantId,
        customer: CustomerId,
        interaction: InteractionId,
        channel: Channel,
        title: String,
        out: &mut Vec<Output>,
    ) -> Option<TicketId> {
        let open = self.tenants.get(tenant)?.tickets.open_of(customer).next().map(|t| t.head().id);
        if let Some(open) = open {
            self.ticket_change(now, tenant, open, ticket::Actor::System, ticket::Change::Linked { interaction }, out);
            return Some(open);
        }
        let opening = ticket::Opening {
            id: TicketId::new(now, &mut self.rng),
            number: 0,
            title: title.chars().filter(|c| !c.is_control()).take(120).collect(),
            customer: Some(customer),
            interaction: Some(interaction),
            channel: Some(channel),
            queue: None,
            priority: ticket::Priority::Normal,
            sla: None,
        };
        match self.ticket_open(now, tenant, ticket::Actor::System, opening, out) {
            Ok(id) => Some(id),
            Err(error) => {
                tracing::error!(%error, "a contact is left without a ticket");
                None
            }
        }
    }

    pub(super) fn ticket_open(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: ticket::Actor,
        opening: ticket::Opening,
        out: &mut Vec<Output>,
    ) -> Result<TicketId, ticket::TicketError> {
        let id = opening.id;
        let t = self.tenants.get_mut(tenant).ok_or(ticket::TicketError::Unknown { id })?;
        let entry = t.tickets.open(now.wall, by, opening)?;
        self.fact(now, tenant, Fact::Ticket { ticket: id, entry }, out);
        self.ticket_arm(now, tenant, id);
        Ok(id)
    }

    /// A person opens a ticket.
    #[expect(clippy::too_many_arguments, reason = "what a ticket begins with")]
    pub(super) fn ticket_open_command(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        title: String,
        customer: Option<CustomerId>,
        queue: Option<QueueId>,
        priority: Option<String>,
        body: Option<String>,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let t = self.tenants.get(tenant).ok_or_else(|| Refusal::not_found("this tenant"))?;
        if let Some(c) = customer.filter(|c| t.customers.get(*c).is_none()) {
            return Err(Refusal::not_found(format!("customer {c}")));
        }
        if let Some(q) = queue.as_ref().filter(|q| !t.settings.plan.queues.contains_key(q)) {
            return Err(Refusal::not_found(format!("queue {q}")));
        }
        let priority = match priority.as_deref() {
            None => ticket::Priority::Normal,
            Some(p) => ticket::Priority::parse(p).ok_or_else(|| {
                Refusal::new(RefusalCode::Invalid, format!("priority `{p}` is not known; expected low, normal, high or urgent"))
            })?,
        };
        let opening = ticket::Opening {
            id: TicketId::new(now, &mut self.rng),
            number: 0,
            title,
            customer,
            interaction: None,
            channel: None,
            queue,
            priority,
            sla: None,
        };
        let id = self.ticket_open(now, tenant, ticket_actor(by), opening, out).map_err(refused)?;
        if let Some(text) = body.filter(|b| !b.trim().is_empty()) {
            self.ticket_change(now, tenant, id, ticket_actor(by), ticket::Change::Noted { text }, out);
        }
        Ok(Done::Ticket { ticket: id })
    }

    /// A person changes a ticket.
    pub(super) fn ticket_command(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: TicketId,
        change: ticket::Change,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let t = self.tenants.get_mut(tenant).ok_or_else(|| Refusal::not_found("this tenant"))?;
        match &change {
            // Written by the house itself, never by a person.
            ticket::Change::Opened(_)
            | ticket::Change::Woke
            | ticket::Change::WindowOver
            | ticket::Change::Absorbed(_)
            | ticket::Change::Released { .. }
            | ticket::Change::Warned { .. } => {
                return Err(Refusal::new(RefusalCode::Invalid, "this change is made by the system only"));
            }
            ticket::Change::Redacted if *by != Actor::System => {
                return Err(Refusal::new(RefusalCode::Invalid, "this change is made by the system only"));
            }
            ticket::Change::Assigned { owner: Some(a) } if !t.settings.plan.agents.contains_key(a) => {
                return Err(Refusal::not_found(format!("agent {a}")));
            }
            ticket::Change::Queued { queue: Some(q) } if !t.settings.plan.queues.contains_key(q) => {
                return Err(Refusal::not_found(format!("queue {q}")));
            }
            ticket::Change::MergedInto { into } => {
                let into = *into;
                let entries = t.tickets.merge(now.wall, &ticket_actor(by), id, into).map_err(refused)?;
                for (ticket, entry) in entries {
                    self.fact(now, tenant, Fact::Ticket { ticket, entry }, out);
                    self.ticket_arm(now, tenant, ticket);
                }
                return Ok(Done::Ticket { ticket: into });
            }
            ticket::Change::Unmerged { out_of } => {
                let entries = t.tickets.unmerge(now.wall, &ticket_actor(by), id, *out_of).map_err(refused)?;
                for (ticket, entry) in entries {
                    self.fact(now, tenant, Fact::Ticket { ticket, entry }, out);
                    self.ticket_arm(now, tenant, ticket);
                }
                return Ok(Done::Ticket { ticket: id });
            }
            _ => {}
        }
        let entry = t.tickets.apply(id, now.wall, ticket_actor(by), change).map_err(refused)?;
        self.fact(now, tenant, Fact::Ticket { ticket: id, entry }, out);
        self.ticket_arm(now, tenant, id);
        Ok(Done::Ok)
    }

    /// The house itself changes a ticket; if that is not possible (it was closed meanwhile) nothing is lost but a note.
    pub(super) fn ticket_change(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: TicketId,
        by: ticket::Actor,
        change: ticket::Change,
        out: &mut Vec<Output>,
    ) {
        let Some(t) = self.tenants.get_mut(tenant) else { return };
        // A contact goes on while its ticket is merged: what comes of it belongs where the matter is now.
        let id = t.tickets.survivor(id);
        match t.tickets.apply(id, now.wall, by, change) {
            Ok(entry) => {
                self.fact(now, tenant, Fact::Ticket { ticket: id, entry }, out);
                self.ticket_arm(now, tenant, id);
            }
            Err(error) => tracing::debug!(%error, "a ticket was not changed"),
        }
    }

    /// A ticket is as it is now: phones show it, and its alarm clock is set: a pending time over, a promise half, nearly or
    /// wholly used up.
    pub(super) fn ticket_arm(&mut self, now: Now, tenant: &TenantId, id: TicketId) {
        self.ticket_shows(tenant, id);
        let Some(t) = self.tenants.get(tenant) else { return };
        let Some(ticket) = t.tickets.get(id) else { return };
        let mark = with_hours(&t.settings, ticket, |hours, policy| clock::marks(ticket, hours, policy).first().map(|m| m.at));
        let wake = ticket.wakes().map(|(at, _)| at);
        let timer = Timer::Ticket(tenant.clone(), id);
        match mark.into_iter().chain(wake).min() {
            // A mark may be past (a restart, a merge): it rings at the next tick, not inside this step.
            Some(at) => self.timers.set(timer, now.mono_at(at)),
            None => {
                self.timers.clear(&timer);
            }
        }
    }

    pub(super) fn ticket_due(&mut self, now: Now, tenant: &TenantId, id: TicketId, out: &mut Vec<Output>) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let Some(ticket) = t.tickets.get(id) else { return };
        let number = ticket.head().number;
        let mut changes: Vec<ticket::Change> =
            ticket.wakes().filter(|(at, _)| *at <= now.wall).map(|(_, c)| c).into_iter().collect();
        let marks = with_hours(&t.settings, ticket, |hours, policy| clock::marks(ticket, hours, policy));
        changes.extend(marks.iter().filter(|m| m.at <= now.wall).map(clock::Mark::change));
        let late = marks.iter().any(|m| m.at <= now.wall && m.percent >= 100);
        for change in changes {
            self.ticket_change(now, tenant, id, ticket::Actor::System, change, out);
        }
        if late {
            tracing::info!(%tenant, ticket = number, "a promise on a ticket was missed");
        }
        self.ticket_arm(now, tenant, id);
    }

    /// An agent has taken a contact: the ticket is theirs if it was nobody's, and they spoke.
    pub(super) fn ticket_taken(&mut self, now: Now, id: InteractionId, agent: &AgentId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (Some(ticket), tenant, channel) = (i.ticket, i.tenant.clone(), i.channel) else { return };
        let by = || ticket::Actor::Agent(agent.clone());
        let nobodys = self.tenants.get(&tenant).and_then(|t| t.tickets.get(ticket)).is_some_and(|t| t.head().owner.is_none());
        if nobodys {
            self.ticket_change(now, &tenant, ticket, by(), ticket::Change::Assigned { owner: Some(agent.clone()) }, out);
        }
        if channel == Channel::Voice {
            self.ticket_change(now, &tenant, ticket, by(), ticket::Change::Talked { interaction: id }, out);
        }
    }

    /// The ticket lies on the pile of the queue its contact waits in, unless somebody put it elsewhere.
    pub(super) fn ticket_queue(&mut self, now: Now, id: InteractionId, queue: &QueueId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (Some(ticket), tenant) = (i.ticket, i.tenant.clone()) else { return };
        let nowhere = self.tenants.get(&tenant).and_then(|t| t.tickets.get(ticket)).is_some_and(|t| t.head().queue.is_none());
        if nowhere {
            let change = ticket::Change::Queued { queue: Some(queue.clone()) };
            self.ticket_change(now, &tenant, ticket, ticket::Actor::System, change, out);
        }
    }

    /// An outcome was given.
    #[expect(clippy::too_many_arguments, reason = "one outcome")]
    pub(super) fn disposed(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        agent: AgentId,
        code: CodeId,
        note: String,
        out: &mut Vec<Output>,
    ) {
        let ticket = self.interactions.get(&id).and_then(|i| i.ticket);
        let fact = Fact::Disposed { interaction: id, agent: agent.clone(), code: code.clone(), note: note.clone() };
        self.fact(now, tenant, fact, out);
        if let Some(ticket) = ticket {
            let by = || ticket::Actor::Agent(agent.clone());
            self.ticket_change(now, tenant, ticket, by(), ticket::Change::Disposed { code: Some(code) }, out);
            if !note.trim().is_empty() {
                self.ticket_change(now, tenant, ticket, by(), ticket::Change::Noted { text: note }, out);
            }
        }
    }
}

/// Who a ticket's log names.
fn ticket_actor(by: &Actor) -> ticket::Actor {
    match by {
        Actor::User { user, .. } => ticket::Actor::Agent(user.clone()),
        Actor::Visitor { .. } => ticket::Actor::Customer,
        Actor::Key { .. } | Actor::System => ticket::Actor::System,
    }
}
