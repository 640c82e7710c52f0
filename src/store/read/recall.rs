//! What the center has let go and needs again: people and their tickets, folded from their logs.

use crate::{
    base::{CustomerId, TenantId, TicketId, limits},
    center::recall::{Recalled, Wanted},
    customer::Directory,
    store::{
        Store,
        engine::values,
        error::{Result, StoreError},
        project,
    },
    ticket::{LogEntry, Ticket},
};

impl Store {
    /// What is known of these. What is not known is left out.
    pub async fn recall(&self, tenant: &TenantId, wanted: &[Wanted]) -> Result<Recalled> {
        let mut found = Recalled::default();
        for one in wanted {
            let (customer, closed) = match one {
                Wanted::Person(identity) => (self.customer_by_identity(tenant, identity).await?, false),
                Wanted::Customer(id) => (Some(*id), false),
                Wanted::Everything(id) => (Some(*id), true),
                Wanted::Ticket(id) => {
                    found.tickets.extend(self.ticket_get(tenant, *id).await?);
                    continue;
                }
            };
            let Some(customer) = customer else { continue };
            let person = self.person(tenant, customer).await?;
            for c in person.iter() {
                self.tickets_of(tenant, c.id, closed, &mut found.tickets).await?;
            }
            found.people.push(person);
        }
        Ok(found)
    }

    /// A customer with everybody merged into them, by an id of today or of before a merge; nobody if there is none.
    pub(super) async fn person(&self, tenant: &TenantId, id: CustomerId) -> Result<Directory> {
        // One condition with OR would have the log of every customer read: the ids first, then their logs by key.
        let sql = "WITH today(id) AS (SELECT COALESCE(merged_into, id) FROM customers WHERE tenant = $1 AND id = $2) \
                   SELECT body FROM customer_log WHERE tenant = $1 AND customer IN (SELECT id FROM today UNION ALL \
                   SELECT c.id FROM customers c JOIN today ON c.merged_into = today.id WHERE c.tenant = $1) ORDER BY seq";
        let rows = self.db.all(sql, values![tenant, id], || format!("read customer {id}")).await?;
        project::fold(rows.iter().map(|r| r.json(0)))
    }

    /// The tickets of one customer and of whoever was merged into them, those something happened to last; closed ones only if they are wanted.
    async fn tickets_of(&self, tenant: &TenantId, id: CustomerId, closed: bool, found: &mut Vec<Ticket>) -> Result<()> {
        // With the sign the few of this person are sorted; without it all tickets would be looked through in their order.
        let sql = "SELECT ticket, body FROM ticket_log WHERE tenant = $1 AND ticket IN \
                   (SELECT id FROM tickets WHERE tenant = $1 AND customer IN \
                   (SELECT $2 UNION ALL SELECT id FROM customers WHERE tenant = $1 AND merged_into = $2) \
                   AND ($3 = 1 OR status NOT IN ('closed', 'merged', 'spam')) ORDER BY +changed_at DESC LIMIT $4) \
                   ORDER BY ticket, seq";
        let values = values![tenant, id, closed, limits::TICKETS_RECALLED_MAX];
        let rows = self.db.all(sql, values, || format!("read the tickets of customer {id}")).await?;
        let mut logs: Vec<(TicketId, Vec<LogEntry>)> = Vec::new();
        for row in &rows {
            let ticket = row.parsed(0, TicketId::parse)?;
            match logs.last_mut() {
                Some((last, log)) if *last == ticket => log.push(row.json(1)?),
                _ => logs.push((ticket, vec![row.json(1)?])),
            }
        }
        for (ticket, log) in logs {
            found.push(Ticket::fold(log).map_err(|e| StoreError::unreadable(format!("the log of ticket {ticket}"), e))?);
        }
        Ok(())
    }
}
