//! Matters and people: tickets with their logs, customers with everything they ever had to do with us.

use serde::Serialize;

use super::{Ask, Cursor, OF_CUSTOMER, Page, contacts::InteractionRow, like, page_size, prefix_end, term};
use crate::{
    base::{AgentId, CodeId, CustomerId, QueueId, TenantId, TicketId, Wall},
    customer::{Customer, Identity, Tier},
    store::{
        InteractionFilter, Store,
        engine::{Row, values},
        error::{Result, StoreError},
        project,
    },
    ticket::{Group, LogEntry, Priority, Ticket},
};

/// One ticket on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TicketRow {
    /// Its name in the house.
    pub id: TicketId,
    /// Its name for people.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Where it is in its life.
    pub status: Group,
    /// How urgent.
    pub priority: Priority,
    /// Who works on it.
    pub owner: Option<AgentId>,
    /// Whose pile it lies on.
    pub queue: Option<QueueId>,
    /// Whose matter.
    pub customer: Option<CustomerId>,
    /// The coded outcome.
    pub disposition: Option<CodeId>,
    /// When its state ends by itself: a pending ticket wakes, a resolved one closes. (What a promise makes due depends on
    /// calendars and is computed upstairs.)
    pub wakes_at: Option<Wall>,
    /// Since when a customer's word lies there without an answer.
    pub unanswered: Option<Wall>,
    /// When the customer's wait began.
    pub opened_at: Wall,
    /// When something last happened.
    pub changed_at: Wall,
}

/// Which tickets. Everything left out is not asked about.
#[derive(Debug, Clone, Default)]
pub struct TicketFilter {
    /// In one of these states; empty: in any.
    pub status: Vec<Group>,
    /// Of this owner.
    pub owner: Option<AgentId>,
    /// Of nobody.
    pub unassigned: bool,
    /// Of one of these urgencies; empty: of any.
    pub priority: Vec<Priority>,
    /// On this pile.
    pub queue: Option<QueueId>,
    /// Of this person, under whichever id.
    pub customer: Option<CustomerId>,
    /// With these words somewhere in number (`#12`) or title.
    pub search: Option<String>,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// Which customers. Everything left out is not asked about.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// With a word of the name, a number or an address that begins so.
    pub search: Option<String>,
    /// In this tier.
    pub tier: Option<Tier>,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// One customer on one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CustomerRow {
    /// The id of today.
    pub id: CustomerId,
    /// What to call them; empty when unknown.
    pub name: String,
    /// What they are to the house.
    pub tier: Tier,
    /// First seen.
    pub made_at: Wall,
    /// Last changed.
    pub changed_at: Wall,
    /// The whole profile.
    pub profile: serde_json::Value,
}

/// One thing a customer had to do with us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CustomerContact {
    /// A contact, by when it arrived.
    Interaction(InteractionRow),
    /// A matter, by when it was opened.
    Ticket(TicketRow),
}

impl CustomerContact {
    fn cursor(&self) -> Cursor {
        match self {
            CustomerContact::Interaction(i) => Cursor { at: i.opened_at, id: i.id.0 },
            CustomerContact::Ticket(t) => Cursor { at: t.opened_at, id: t.id.0 },
        }
    }
}

const TICKET: &str = "SELECT id, number, title, status, priority, owner, queue, customer, disposition, wakes_at, unanswered, \
                      opened_at, changed_at FROM tickets WHERE tenant = $1";
const CUSTOMER: &str =
    "SELECT id, name, tier, made_at, changed_at, body FROM customers WHERE tenant = $1 AND merged_into IS NULL";

fn ticket(r: &Row) -> Result<TicketRow> {
    Ok(TicketRow {
        id: r.parsed(0, TicketId::parse)?,
        number: r.count(1)?,
        title: r.text(2)?,
        status: r.parsed(3, Group::parse)?,
        priority: r.parsed(4, Priority::parse)?,
        owner: r.parsed_opt(5, |s| AgentId::parse(s).ok())?,
        queue: r.parsed_opt(6, |s| QueueId::parse(s).ok())?,
        customer: r.parsed_opt(7, CustomerId::parse)?,
        disposition: r.parsed_opt(8, |s| CodeId::parse(s).ok())?,
        wakes_at: r.wall_opt(9)?,
        unanswered: r.wall_opt(10)?,
        opened_at: r.wall(11)?,
        changed_at: r.wall(12)?,
    })
}

fn customer(r: &Row) -> Result<CustomerRow> {
    Ok(CustomerRow {
        id: r.parsed(0, CustomerId::parse)?,
        name: r.text(1)?,
        tier: r.parsed(2, Tier::parse)?,
        made_at: r.wall(3)?,
        changed_at: r.wall(4)?,
        profile: r.json(5)?,
    })
}

impl Store {
    /// Tickets, those something happened to last first.
    pub async fn ticket_list(&self, tenant: &TenantId, filter: &TicketFilter) -> Result<Page<TicketRow>> {
        let limit = page_size(filter.limit);
        let mut ask = Ask::new(TICKET, tenant);
        if let Some((first, rest)) = filter.status.split_first() {
            ask.and(" AND status IN (?", first.as_str());
            rest.iter().for_each(|s| ask.and(", ?", s.as_str()));
            ask.sql.push(')');
        }
        if let Some((first, rest)) = filter.priority.split_first() {
            ask.and(" AND priority IN (?", first.as_str());
            rest.iter().for_each(|p| ask.and(", ?", p.as_str()));
            ask.sql.push(')');
        }
        if filter.unassigned {
            ask.sql.push_str(" AND owner IS NULL");
        }
        ask.and_if(" AND owner = ?", filter.owner.as_ref());
        ask.and_if(" AND queue = ?", filter.queue.as_ref());
        ask.and_if(OF_CUSTOMER, filter.customer);
        let search = filter.search.as_deref().map(|s| like(&term(s).to_lowercase()));
        ask.and_if(" AND search LIKE ? ESCAPE '!'", search);
        // A customer's are few: sorted once they are found, not looked for along the time of all.
        ask.newest_first(if filter.customer.is_some() { "+changed_at" } else { "changed_at" }, filter.after, limit + 1);
        let rows = self.db.all(ask.sql, ask.values, || format!("list the tickets of {tenant}")).await?;
        let items = rows.iter().map(ticket).collect::<Result<_>>()?;
        Ok(Page::cut(items, limit, |t: &TicketRow| Cursor { at: t.changed_at, id: t.id.0 }))
    }

    /// One ticket with its log.
    pub async fn ticket_get(&self, tenant: &TenantId, id: TicketId) -> Result<Option<Ticket>> {
        let sql = "SELECT body FROM ticket_log WHERE tenant = $1 AND ticket = $2 ORDER BY seq";
        let rows = self.db.all(sql, values![tenant, id], || format!("read ticket {id}")).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let log: Vec<LogEntry> = rows.iter().map(|r| r.json(0)).collect::<Result<_>>()?;
        Ticket::fold(log).map(Some).map_err(|e| StoreError::unreadable(format!("the log of ticket {id}"), e))
    }

    /// Whether there is such a ticket.
    pub async fn ticket_exists(&self, tenant: &TenantId, id: TicketId) -> Result<bool> {
        let sql = "SELECT 1 FROM tickets WHERE tenant = $1 AND id = $2";
        Ok(self.db.one(sql, values![tenant, id], || format!("look for ticket {id}")).await?.is_some())
    }

    /// The id of the ticket people call by this number.
    pub async fn ticket_by_number(&self, tenant: &TenantId, number: u64) -> Result<Option<TicketId>> {
        let sql = "SELECT id FROM tickets WHERE tenant = $1 AND number = $2";
        let rows = self.db.all(sql, values![tenant, number], || format!("look up ticket #{number}")).await?;
        let ids = rows.iter().map(|r| r.parsed(0, TicketId::parse)).collect::<Result<Vec<_>>>()?;
        Ok(ids.into_iter().min())
    }

    /// Customers, those something was learned of last first. What is searched for is the beginning of a word of the name, of a
    /// number, a mail address or another identity; digits find numbers with or without their plus.
    pub async fn customer_list(&self, tenant: &TenantId, filter: &CustomerFilter) -> Result<Page<CustomerRow>> {
        let limit = page_size(filter.limit);
        let mut ask = Ask::new(CUSTOMER, tenant);
        let prefix = filter.search.as_deref().map(term).filter(|p| !p.is_empty());
        // Those found are sorted; without the sign all customers would be looked through in their order.
        let order = if prefix.is_some() { "+changed_at" } else { "changed_at" };
        if let Some(prefix) = prefix {
            let word = prefix.to_lowercase();
            let plus = format!("+{}", prefix.trim_start_matches('+'));
            ask.and(" AND id IN (SELECT customer FROM customer_words WHERE tenant = $1 AND word >= ?", &word);
            ask.and(" AND word < ?", prefix_end(&word));
            for value in [&prefix, &plus] {
                ask.and(" UNION SELECT customer FROM identities WHERE tenant = $1 AND value >= ?", value);
                ask.and(" AND value < ?", prefix_end(value));
            }
            ask.sql.push(')');
        }
        ask.and_if(" AND tier = ?", filter.tier.map(Tier::as_str));
        ask.newest_first(order, filter.after, limit + 1);
        let rows = self.db.all(ask.sql, ask.values, || format!("list the customers of {tenant}")).await?;
        let items = rows.iter().map(customer).collect::<Result<_>>()?;
        Ok(Page::cut(items, limit, |c: &CustomerRow| Cursor { at: c.changed_at, id: c.id.0 }))
    }

    /// Who is recognised by this.
    pub async fn customer_by_identity(&self, tenant: &TenantId, identity: &Identity) -> Result<Option<CustomerId>> {
        let (kind, value) = project::identity_words(identity);
        let sql = "SELECT customer FROM identities WHERE tenant = $1 AND kind = $2 AND value = $3";
        let row = self.db.one(sql, values![tenant, kind, value], || "look up a customer by identity".into()).await?;
        row.map(|r| r.parsed(0, CustomerId::parse)).transpose()
    }

    /// One customer, by an id of today or of before a merge.
    pub async fn customer_get(&self, tenant: &TenantId, id: CustomerId) -> Result<Option<Customer>> {
        Ok(self.person(tenant, id).await?.get(id).cloned())
    }

    /// Everything a customer had to do with us on whichever channel, the newest first.
    pub async fn customer_timeline(
        &self,
        tenant: &TenantId,
        id: CustomerId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerContact>> {
        let limit = page_size(limit);
        // Each kind could fill the page alone, so each is asked for a whole page.
        let filter = InteractionFilter { customer: Some(id), after, ..Default::default() };
        let mut items: Vec<CustomerContact> =
            self.interactions_newest(tenant, &filter, limit + 1).await?.into_iter().map(CustomerContact::Interaction).collect();
        let mut ask = Ask::new(TICKET, tenant);
        ask.and(OF_CUSTOMER, id);
        ask.newest_first("opened_at", after, limit + 1);
        let rows = self.db.all(ask.sql, ask.values, || format!("list the tickets of customer {id}")).await?;
        for row in &rows {
            items.push(CustomerContact::Ticket(ticket(row)?));
        }
        items.sort_by_key(|i| std::cmp::Reverse((i.cursor().at, i.cursor().id)));
        Ok(Page::cut(items, limit, CustomerContact::cursor))
    }
}
