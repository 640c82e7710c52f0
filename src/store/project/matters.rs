//! Tickets and customers: the log of each is folded by its own machine, and the row is what the machine says.
//!
//! Folding starts from the log in the database; what was folded lately is kept, so that a busy ticket is not read again for
//! every entry. Kept folds belong to the transactions that were committed: whoever rolls back forgets them.

use std::collections::BTreeMap;

use super::{
    super::{
        engine::{Tx, values},
        error::Result,
    },
    Change, contacts, json,
};
use crate::{
    base::{CustomerId, TenantId, TicketId, limits},
    center::fact::Record,
    customer::{self, Customer, Directory, Identity},
    ticket::{self, LogEntry, Ticket},
};

/// What was folded lately.
#[derive(Debug, Default)]
pub(crate) struct Folds {
    tickets: BTreeMap<(TenantId, TicketId), Ticket>,
    /// A person with everybody merged into them, under the id of today.
    people: BTreeMap<(TenantId, CustomerId), Directory>,
}

impl Folds {
    /// Forgets everything: what it stands on was rolled back.
    pub fn forget(&mut self) {
        *self = Folds::default();
    }

    /// Meeting the bound forgets all of them: they are read again when they are needed.
    fn trim(&mut self) {
        if self.tickets.len() > limits::FOLDS_KEPT {
            self.tickets.clear();
        }
        if self.people.len() > limits::FOLDS_KEPT {
            self.people.clear();
        }
    }
}

/// An entry of a ticket's log.
pub(super) async fn ticket(
    tx: &mut Tx,
    folds: &mut Folds,
    record: &Record,
    id: TicketId,
    entry: &LogEntry,
    out: &mut Vec<Change>,
) -> Result<()> {
    let tenant = &record.tenant;
    let key = (tenant.clone(), id);
    let known = match folds.tickets.remove(&key) {
        Some(known) => Some(known),
        None => ticket_load(tx, tenant, id).await?,
    };
    let folded = match known {
        None => Ticket::fold([entry.clone()]),
        Some(mut known) => known.replay(entry.clone()).map(|()| known),
    };
    let ticket = match folded {
        Ok(ticket) => ticket,
        Err(refused) => {
            tracing::error!(seq = record.seq, ticket = %id, %refused, "a ticket entry of the journal does not follow on its log");
            return Ok(());
        }
    };
    out.push((
        "INSERT INTO ticket_log (tenant, ticket, seq, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        values![tenant, id, record.seq, json("a ticket entry", entry)?],
    ));
    let head = ticket.head();
    let wakes_at = ticket.wakes().map(|(at, _)| at);
    out.push((
        "INSERT INTO tickets (tenant, id, number, status, priority, urgency, title, owner, queue, customer, disposition, \
         wakes_at, unanswered, opened_at, changed_at, search, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
         ON CONFLICT (tenant, id) DO UPDATE SET status = excluded.status, priority = excluded.priority, \
         urgency = excluded.urgency, title = excluded.title, owner = excluded.owner, queue = excluded.queue, \
         customer = excluded.customer, disposition = excluded.disposition, wakes_at = excluded.wakes_at, \
         unanswered = excluded.unanswered, opened_at = excluded.opened_at, changed_at = excluded.changed_at, \
         search = excluded.search, body = excluded.body",
        values![
            tenant,
            id,
            head.number,
            head.state.group().as_str(),
            head.priority.as_str(),
            head.priority as i64,
            &head.title,
            head.owner.as_ref(),
            head.queue.as_ref(),
            head.customer,
            head.disposition.as_ref(),
            wakes_at,
            head.unanswered,
            head.created,
            head.updated,
            format!("#{} {}", head.number, head.title.to_lowercase()),
            json("a ticket", head)?
        ],
    ));
    let linked = match &entry.change {
        ticket::Change::Opened(opening) => opening.interaction.into_iter().collect(),
        ticket::Change::Linked { interaction } | ticket::Change::Talked { interaction } => vec![*interaction],
        ticket::Change::Absorbed(other) => other.interactions.clone(),
        _ => Vec::new(),
    };
    out.extend(linked.into_iter().map(|i| contacts::joined(tenant, i, id)));
    folds.tickets.insert(key, ticket);
    folds.trim();
    Ok(())
}

async fn ticket_load(tx: &mut Tx, tenant: &TenantId, id: TicketId) -> Result<Option<Ticket>> {
    let sql = "SELECT body FROM ticket_log WHERE tenant = $1 AND ticket = $2 ORDER BY seq";
    let rows = tx.all(sql, values![tenant, id], || format!("read the log of ticket {id}")).await?;
    let log: Vec<LogEntry> = rows.iter().map(|r| r.json(0)).collect::<Result<_>>()?;
    // The log holds only entries that were folded once.
    Ok(Ticket::fold(log).ok())
}

/// A change of a customer.
pub(super) async fn customer(
    tx: &mut Tx,
    folds: &mut Folds,
    record: &Record,
    id: CustomerId,
    change: &customer::Change,
    out: &mut Vec<Change>,
) -> Result<()> {
    let tenant = &record.tenant;
    let mut person = match folds.people.remove(&(tenant.clone(), id)) {
        Some(person) => person,
        None => person_load(tx, tenant, id, None).await?,
    };
    if let customer::Change::Absorbed { from } = change {
        // Two people become one: both histories are needed, in the order they happened.
        folds.people.remove(&(tenant.clone(), *from));
        person = person_load(tx, tenant, id, Some(*from)).await?;
        out.push((
            "UPDATE customers SET merged_into = $2 WHERE tenant = $1 AND (id = $3 OR merged_into = $3)",
            values![tenant, id, *from],
        ));
        for sql in [
            "DELETE FROM identities WHERE tenant = $1 AND customer = $2",
            "DELETE FROM customer_words WHERE tenant = $1 AND customer = $2",
        ] {
            out.push((sql, values![tenant, *from]));
        }
    }
    let entry = customer::Entry { customer: id, at: record.at, change: change.clone() };
    if let Err(refused) = person.replay(&entry) {
        tracing::error!(seq = record.seq, customer = %id, %refused, "a change of a customer in the journal does not follow");
        out.clear();
        return Ok(());
    }
    out.push((
        "INSERT INTO customer_log (tenant, customer, seq, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        values![tenant, id, record.seq, json("a change of a customer", &entry)?],
    ));
    if let Some(now) = person.get(id) {
        person_write(tenant, now, change, out)?;
    }
    folds.people.insert((tenant.clone(), id), person);
    folds.trim();
    Ok(())
}

/// The histories of `id`, of `other`, and of everybody merged into them before.
async fn person_load(tx: &mut Tx, tenant: &TenantId, id: CustomerId, other: Option<CustomerId>) -> Result<Directory> {
    let sql = "SELECT l.body FROM customer_log l JOIN customers c ON c.tenant = l.tenant AND c.id = l.customer \
               WHERE l.tenant = $1 AND (c.id = $2 OR c.merged_into = $2 OR c.id = $3 OR c.merged_into = $3) ORDER BY l.seq";
    let rows = tx.all(sql, values![tenant, id, other], || format!("read the history of customer {id}")).await?;
    fold(rows.iter().map(|r| r.json(0)))
}

/// Folds entries that were folded once.
pub(crate) fn fold(entries: impl Iterator<Item = Result<customer::Entry>>) -> Result<Directory> {
    let mut directory = Directory::default();
    for entry in entries {
        if let Err(refused) = directory.replay(&entry?) {
            tracing::error!(%refused, "a customer's history does not follow");
        }
    }
    Ok(directory)
}

fn person_write(tenant: &TenantId, now: &Customer, change: &customer::Change, out: &mut Vec<Change>) -> Result<()> {
    out.push((
        "INSERT INTO customers (tenant, id, name, tier, made_at, changed_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, tier = excluded.tier, made_at = excluded.made_at, \
         changed_at = excluded.changed_at, body = excluded.body",
        values![tenant, now.id, &now.name, now.tier.as_str(), now.created, now.updated, json("a customer", now)?],
    ));
    use customer::Change::{Absorbed, Linked, Named, Unlinked};
    if matches!(change, Named { .. } | Absorbed { .. }) {
        out.push(("DELETE FROM customer_words WHERE tenant = $1 AND customer = $2", values![tenant, now.id]));
        for word in now.name.split_whitespace().take(limits::NAME_WORDS_MAX) {
            let word: String = word.to_lowercase().chars().take(limits::NAME_WORD_CHARS_MAX).collect();
            out.push((
                "INSERT INTO customer_words (tenant, word, customer) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                values![tenant, word, now.id],
            ));
        }
    }
    if matches!(change, Linked { .. } | Unlinked { .. } | Absorbed { .. }) {
        out.push(("DELETE FROM identities WHERE tenant = $1 AND customer = $2", values![tenant, now.id]));
        for linked in &now.identities {
            let (kind, value) = identity_words(&linked.identity);
            out.push((
                "INSERT INTO identities (tenant, kind, value, customer) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (tenant, kind, value) DO UPDATE SET customer = excluded.customer",
                values![tenant, kind, value, now.id],
            ));
        }
    }
    Ok(())
}

/// An identity as two texts: what kind of thing it is, and its value.
pub(crate) fn identity_words(identity: &Identity) -> (String, &str) {
    match identity {
        Identity::Number { number } => ("number".into(), number),
        Identity::Mail { address } => ("mail".into(), address),
        Identity::Channel { channel, id } => (channel.to_string(), id),
        Identity::External { system, id } => (format!("external:{system}"), id),
    }
}
