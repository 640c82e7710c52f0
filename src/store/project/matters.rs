//! Tickets and customers: the log of each is folded by its own machine, and the row is what the machine says.
//!
//! Folding starts from the log in the database; what was folded lately is kept, so that a busy ticket is not read again for
//! every entry. Kept folds belong to the transactions that were committed: whoever rolls back forgets them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        bulk::{Bulk, Texts, Values},
        engine::{Tx, values},
        error::Result,
    },
    json,
};
use crate::{
    base::{CustomerId, InteractionId, TenantId, TicketId, limits},
    center::fact::Record,
    customer::{self, Directory, Identity},
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

    /// Meeting the bound forgets all of them: they are read again when they are needed. Between groups only: what a group
    /// has folded is not in the tables yet.
    pub fn trim(&mut self) {
        if self.tickets.len() > limits::FOLDS_KEPT {
            self.tickets.clear();
        }
        if self.people.len() > limits::FOLDS_KEPT {
            self.people.clear();
        }
    }
}

/// What a group of facts comes to, before it is written.
#[derive(Debug, Default)]
pub(super) struct Matters {
    ticket_log: Vec<Values>,
    /// Whose line is to be written as it stands in the end.
    tickets: BTreeSet<(TenantId, TicketId)>,
    customer_log: Vec<Values>,
    customers: BTreeMap<(TenantId, CustomerId), Touched>,
    /// Customers whose identities changed, in the order of their last change: who was given one last, has it.
    linked: Vec<(TenantId, CustomerId)>,
}

/// What changed of a customer.
#[derive(Debug, Default)]
struct Touched {
    /// There is no row of any kind yet.
    new: bool,
    named: bool,
}

const TICKET_LOG: Bulk =
    Bulk { head: "INSERT INTO ticket_log (tenant, ticket, seq, body)", columns: 4, tail: "ON CONFLICT DO NOTHING" };
const CUSTOMER_LOG: Bulk =
    Bulk { head: "INSERT INTO customer_log (tenant, customer, seq, body)", columns: 4, tail: "ON CONFLICT DO NOTHING" };
const TICKETS: Bulk = Bulk {
    head: "INSERT INTO tickets (tenant, id, number, status, priority, urgency, title, owner, queue, customer, disposition, \
           wakes_at, unanswered, opened_at, changed_at, search, body)",
    columns: 17,
    tail: "ON CONFLICT (tenant, id) DO UPDATE SET status = excluded.status, priority = excluded.priority, \
           urgency = excluded.urgency, title = excluded.title, owner = excluded.owner, queue = excluded.queue, \
           customer = excluded.customer, disposition = excluded.disposition, wakes_at = excluded.wakes_at, \
           unanswered = excluded.unanswered, opened_at = excluded.opened_at, changed_at = excluded.changed_at, \
           search = excluded.search, body = excluded.body",
};
const CUSTOMERS: Bulk = Bulk {
    head: "INSERT INTO customers (tenant, id, name, tier, made_at, changed_at, body)",
    columns: 7,
    tail: "ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, tier = excluded.tier, made_at = excluded.made_at, \
           changed_at = excluded.changed_at, body = excluded.body",
};
const WORDS_GONE: Bulk = Bulk {
    head: "WITH given (tenant, customer) AS (",
    columns: 2,
    tail: ") DELETE FROM customer_words WHERE (tenant, customer) IN (SELECT tenant, customer FROM given)",
};
const WORDS: Bulk =
    Bulk { head: "INSERT INTO customer_words (tenant, word, customer)", columns: 3, tail: "ON CONFLICT DO NOTHING" };
const IDENTITIES_GONE: Bulk = Bulk {
    head: "WITH given (tenant, customer) AS (",
    columns: 2,
    tail: ") DELETE FROM identities WHERE (tenant, customer) IN (SELECT tenant, customer FROM given)",
};
const IDENTITIES: Bulk = Bulk {
    head: "INSERT INTO identities (tenant, kind, value, customer)",
    columns: 4,
    tail: "ON CONFLICT (tenant, kind, value) DO UPDATE SET customer = excluded.customer",
};

impl Matters {
    /// An entry of a ticket's log. The contacts that point to the ticket because of it.
    pub async fn ticket(
        &mut self,
        tx: &mut Tx,
        folds: &mut Folds,
        record: &Record,
        id: TicketId,
        entry: &LogEntry,
    ) -> Result<Vec<InteractionId>> {
        let tenant = &record.tenant;
        let key = (tenant.clone(), id);
        let opens = matches!(entry.change, ticket::Change::Opened(_));
        // What this group knows of the ticket is in the folds; what is not, is in the table.
        if !opens && !folds.tickets.contains_key(&key) {
            folds.tickets.extend(ticket_load(tx, tenant, id).await?.map(|t| (key.clone(), t)));
        }
        let folded = match folds.tickets.get_mut(&key) {
            Some(known) => known.replay(entry.clone()),
            None => Ticket::fold([entry.clone()]).map(|t| drop(folds.tickets.insert(key.clone(), t))),
        };
        if let Err(refused) = folded {
            tracing::error!(seq = record.seq, ticket = %id, %refused, "a ticket entry of the journal does not follow on its log");
            return Ok(Vec::new());
        }
        self.ticket_log.push(values![tenant, id, record.seq, json("a ticket entry", entry)?]);
        self.tickets.insert(key);
        Ok(match &entry.change {
            ticket::Change::Opened(opening) => opening.interaction.into_iter().collect(),
            ticket::Change::Linked { interaction } | ticket::Change::Talked { interaction } => vec![*interaction],
            ticket::Change::Absorbed(other) => other.interactions.clone(),
            // Its contacts are its own again.
            ticket::Change::Unmerged { .. } => {
                folds.tickets.get(&(tenant.clone(), id)).map_or_else(Vec::new, |t| t.head().interactions.clone())
            }
            _ => Vec::new(),
        })
    }

    /// A change of a customer. Where two people become one, nothing may be held: see [`merge`].
    pub async fn customer(
        &mut self,
        tx: &mut Tx,
        folds: &mut Folds,
        record: &Record,
        id: CustomerId,
        change: &customer::Change,
    ) -> Result<()> {
        let key = (record.tenant.clone(), id);
        let new = matches!(change, customer::Change::Created);
        if !folds.people.contains_key(&key) {
            let person = if new { Directory::default() } else { person_load(tx, &record.tenant, id, None).await? };
            folds.people.insert(key.clone(), person);
        }
        let Some(person) = folds.people.get_mut(&key) else { return Ok(()) };
        let entry = customer::Entry { customer: id, at: record.at, change: change.clone() };
        if let Err(refused) = person.replay(&entry) {
            tracing::error!(seq = record.seq, customer = %id, %refused, "a change of a customer in the journal does not follow");
            return Ok(());
        }
        self.customer_log.push(values![&record.tenant, id, record.seq, json("a change of a customer", &entry)?]);
        self.touch(key, new, change);
        Ok(())
    }

    fn touch(&mut self, key: (TenantId, CustomerId), new: bool, change: &customer::Change) {
        use customer::Change::{Absorbed, Erased, Linked, Named, Unlinked};
        if matches!(change, Linked { .. } | Unlinked { .. } | Absorbed { .. } | Erased) {
            self.linked.retain(|k| *k != key);
            self.linked.push(key.clone());
        }
        let touched = self.customers.entry(key).or_default();
        touched.new |= new;
        touched.named |= matches!(change, Named { .. } | Absorbed { .. } | Erased);
    }

    /// Writes what is held, and holds nothing any more.
    pub async fn write(&mut self, tx: &mut Tx, texts: &mut Texts, folds: &Folds) -> Result<()> {
        let held = std::mem::take(self);
        texts.run(tx, &TICKET_LOG, held.ticket_log).await?;
        let tickets = held.tickets.iter().filter_map(|k| folds.tickets.get(k).map(|t| ticket_row(&k.0, t)));
        texts.run(tx, &TICKETS, tickets.collect::<Result<Vec<_>>>()?).await?;
        texts.run(tx, &CUSTOMER_LOG, held.customer_log).await?;

        let person = |key: &(TenantId, CustomerId)| folds.people.get(key).and_then(|p| p.get(key.1));
        let (mut lines, mut unnamed, mut words) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (key, touched) in &held.customers {
            let Some(now) = person(key) else { continue };
            let (tenant, tier) = (&key.0, now.tier.as_str());
            lines.push(values![tenant, now.id, &now.name, tier, now.created, now.updated, json("a customer", now)?]);
            if touched.named {
                unnamed.extend((!touched.new).then(|| values![tenant, now.id]));
                words.extend(words_of(&now.name).map(|word| (tenant, word, now.id)));
            }
        }
        texts.run(tx, &CUSTOMERS, lines).await?;
        texts.run(tx, &WORDS_GONE, unnamed).await?;
        let words = words.into_iter().map(|(tenant, word, id)| values![tenant, word, id]);
        texts.run(tx, &WORDS, words.collect()).await?;

        let (mut unlinked, mut identities) = (Vec::new(), BTreeMap::new());
        for key in &held.linked {
            let Some(now) = person(key) else { continue };
            let new = held.customers.get(key).is_some_and(|t| t.new);
            unlinked.extend((!new).then(|| values![&key.0, now.id]));
            for linked in &now.identities {
                let (kind, value) = identity_words(&linked.identity);
                identities.insert((&key.0, kind, value), now.id);
            }
        }
        texts.run(tx, &IDENTITIES_GONE, unlinked).await?;
        let identities = identities.into_iter().map(|((t, kind, value), id)| values![t, kind, value, id]);
        texts.run(tx, &IDENTITIES, identities.collect()).await
    }
}

/// Two people become one: both histories are needed, in the order they happened. Whatever is held of a group must have been
/// written before.
pub(super) async fn merge(
    tx: &mut Tx,
    folds: &mut Folds,
    matters: &mut Matters,
    record: &Record,
    (id, from): (CustomerId, CustomerId),
) -> Result<()> {
    let tenant = &record.tenant;
    folds.people.remove(&(tenant.clone(), from));
    let person = person_load(tx, tenant, id, Some(from)).await?;
    folds.people.insert((tenant.clone(), id), person);
    matters.customer(tx, folds, record, id, &customer::Change::Absorbed { from }).await?;
    if matters.customers.is_empty() {
        // It was refused, and changes nothing.
        return Ok(());
    }
    let attempted = || format!("merge customer {from} into {id}");
    for sql in [
        "UPDATE customers SET merged_into = $2 WHERE tenant = $1 AND merged_into = $3",
        "UPDATE customers SET merged_into = $2 WHERE tenant = $1 AND id = $3",
    ] {
        tx.write(sql, values![tenant, id, from], attempted).await?;
    }
    for sql in [
        "DELETE FROM identities WHERE tenant = $1 AND customer = $2",
        "DELETE FROM customer_words WHERE tenant = $1 AND customer = $2",
    ] {
        tx.write(sql, values![tenant, from], attempted).await?;
    }
    Ok(())
}

fn ticket_row(tenant: &TenantId, ticket: &Ticket) -> Result<Values> {
    let head = ticket.head();
    Ok(values![
        tenant,
        head.id,
        head.number,
        head.state.group().as_str(),
        head.priority.as_str(),
        head.priority as i64,
        &head.title,
        head.owner.as_ref(),
        head.queue.as_ref(),
        head.customer,
        head.disposition.as_ref(),
        ticket.wakes().map(|(at, _)| at),
        head.unanswered,
        head.created,
        head.updated,
        format!("#{} {}", head.number, head.title.to_lowercase()),
        json("a ticket", head)?
    ])
}

async fn ticket_load(tx: &mut Tx, tenant: &TenantId, id: TicketId) -> Result<Option<Ticket>> {
    let sql = "SELECT body FROM ticket_log WHERE tenant = $1 AND ticket = $2 ORDER BY seq";
    let rows = tx.all(sql, values![tenant, id], || format!("read the log of ticket {id}")).await?;
    let log: Vec<LogEntry> = rows.iter().map(|r| r.json(0)).collect::<Result<_>>()?;
    // The log holds only entries that were folded once.
    Ok(Ticket::fold(log).ok())
}

/// The words a customer is found by.
fn words_of(name: &str) -> impl Iterator<Item = String> {
    name.split_whitespace()
        .take(limits::NAME_WORDS_MAX)
        .map(|word| word.to_lowercase().chars().take(limits::NAME_WORD_CHARS_MAX).collect())
}

/// The histories of `id`, of `other`, and of everybody merged into them before.
async fn person_load(tx: &mut Tx, tenant: &TenantId, id: CustomerId, other: Option<CustomerId>) -> Result<Directory> {
    let sql = "SELECT body FROM customer_log WHERE tenant = $1 AND customer IN \
               (SELECT id FROM customers WHERE tenant = $1 AND id IN ($2, $3) \
               UNION ALL SELECT id FROM customers WHERE tenant = $1 AND merged_into IN ($2, $3)) ORDER BY seq";
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

/// An identity as two texts: what kind of thing it is, and its value.
pub(crate) fn identity_words(identity: &Identity) -> (String, &str) {
    match identity {
        Identity::Number { number } => ("number".into(), number),
        Identity::Mail { address } => ("mail".into(), address),
        Identity::Channel { channel, id } => (channel.to_string(), id),
        Identity::External { system, id } => (format!("external:{system}"), id),
    }
}
