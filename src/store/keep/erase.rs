//! Erasure on request: everything that says who a customer is or what they said goes; that somebody was there stays, so that
//! reports add up.
//!
//! ```text
//!   erasures: asked ─▶ the center erases the person and redacts the tickets (facts) ─▶ contacts, a batch at a time:
//!   files of recordings, then rows and facts ─▶ logs of tickets and of the person ─▶ done
//! ```
//!
//! Every step can be done again, so that a restart begins with the first. Afterwards the projections are again what a rebuild
//! makes of the journal.

use super::{
    super::{
        Store,
        bulk::{Bulk, Texts},
        engine::{Row, Tx, values},
        error::Result,
        project::json_of,
        replay::record,
    },
    aging::forget_places,
    emptied,
    holds::{Hold, hold},
};
use crate::{
    base::{CustomerId, InteractionId, TenantId, TicketId, Wall},
    center::fact::{Fact, Record},
    customer, ticket,
};

/// Contacts of one transaction.
const BATCH: usize = 16;

/// The ids of a person: that of today and those merged into it.
macro_rules! person {
    () => {
        "(SELECT $2 UNION ALL SELECT id FROM customers WHERE tenant = $1 AND merged_into = $2)"
    };
}
/// The contacts of a person.
macro_rules! contacts {
    () => {
        concat!("(SELECT id FROM interactions WHERE tenant = $1 AND customer IN ", person!(), ")")
    };
}

/// A wish to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose.
    pub customer: CustomerId,
    /// Login or key that asked for it.
    pub who: String,
    /// When.
    pub asked_at: Wall,
    /// When nothing was left.
    pub done_at: Option<Wall>,
}

/// What there is of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traces {
    /// Calls and chats.
    pub contacts: u64,
    /// Recordings and voicemail.
    pub recordings: u64,
    /// Messages of chats.
    pub messages: u64,
    /// Files of chats.
    pub files: u64,
    /// Tickets.
    pub tickets: u64,
    /// Holds that keep any of it.
    pub held: Vec<Hold>,
}

static WORDS: [Bulk; 8] = [
    of_contacts(") DELETE FROM messages WHERE (tenant, interaction) IN (SELECT tenant, id FROM given)"),
    of_contacts(") DELETE FROM files WHERE (tenant, interaction) IN (SELECT tenant, id FROM given)"),
    of_contacts(") DELETE FROM recordings WHERE (tenant, interaction) IN (SELECT tenant, id FROM given)"),
    of_contacts(") DELETE FROM ladders WHERE (tenant, interaction) IN (SELECT tenant, id FROM given)"),
    of_contacts(
        ") DELETE FROM visitors WHERE (tenant, id) IN (SELECT i.tenant, i.visitor FROM interactions i \
         JOIN given ON given.tenant = i.tenant AND given.id = i.id)",
    ),
    of_contacts(
        ") UPDATE interactions SET caller = '', visitor = NULL, verdict = NULL, \
         called = CASE WHEN way = 'inbound' THEN called ELSE '' END, note = CASE WHEN note IS NULL THEN NULL ELSE '' END \
         WHERE (tenant, id) IN (SELECT tenant, id FROM given)",
    ),
    of_contacts(") UPDATE ratings SET comment = '' WHERE (tenant, interaction) IN (SELECT tenant, id FROM given)"),
    of_contacts(emptied!(
        "interaction IS NOT NULL AND (tenant, interaction) IN (SELECT tenant, id FROM given) \
         AND kind IN ('message', 'said', 'leg_dialog', 'flow_saved')"
    )),
];
const fn of_contacts(tail: &'static str) -> Bulk {
    Bulk { head: "WITH given (tenant, id) AS (", columns: 2, tail }
}

fn erasure(r: &Row) -> Result<Erasure> {
    Ok(Erasure { customer: r.parsed(0, CustomerId::parse)?, who: r.text(1)?, asked_at: r.wall(2)?, done_at: r.wall_opt(3)? })
}

impl Store {
    /// Writes down that a customer is to be erased; once, whoever asks again.
    pub async fn erasure_ask(&self, tenant: &TenantId, customer: CustomerId, who: &str, at: Wall) -> Result<()> {
        let sql = "INSERT INTO erasures (tenant, customer, who, asked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.db.write(sql, values![tenant, customer, who, at], || format!("ask to erase customer {customer}")).await.map(drop)
    }

    /// Takes the wish back, if nothing was done yet.
    pub async fn erasure_drop(&self, tenant: &TenantId, customer: CustomerId) -> Result<()> {
        let sql = "DELETE FROM erasures WHERE tenant = $1 AND customer = $2 AND done_at IS NULL";
        self.db.write(sql, values![tenant, customer], || format!("not erase customer {customer}")).await.map(drop)
    }

    /// Nothing is left.
    pub async fn erasure_done(&self, tenant: &TenantId, customer: CustomerId, at: Wall) -> Result<()> {
        let sql = "UPDATE erasures SET done_at = $3 WHERE tenant = $1 AND customer = $2";
        self.db.write(sql, values![tenant, customer, at], || format!("note that customer {customer} is erased")).await.map(drop)
    }

    /// What became of the wish that a customer is erased, if there was one.
    pub async fn erasure_get(&self, tenant: &TenantId, customer: CustomerId) -> Result<Option<Erasure>> {
        let sql = "SELECT customer, who, asked_at, done_at FROM erasures WHERE tenant = $1 AND customer = $2";
        let row =
            self.db.one(sql, values![tenant, customer], || format!("look for the erasure of customer {customer}")).await?;
        row.as_ref().map(erasure).transpose()
    }

    /// What is still to be done.
    pub async fn erasures_waiting(&self, tenant: &TenantId) -> Result<Vec<CustomerId>> {
        let sql = "SELECT customer FROM erasures WHERE tenant = $1 AND done_at IS NULL ORDER BY asked_at LIMIT 100";
        let rows = self.db.all(sql, values![tenant], || format!("look whom to erase at {tenant}")).await?;
        rows.iter().map(|r| r.parsed(0, CustomerId::parse)).collect()
    }

    /// What there is of a person, named by the id of today.
    pub async fn traces(&self, tenant: &TenantId, customer: CustomerId) -> Result<Traces> {
        let attempted = || format!("count what there is of customer {customer}");
        let count = async |sql: &'static str| match self.db.one(sql, values![tenant, customer], attempted).await? {
            Some(row) => row.count(0),
            None => Ok(0),
        };
        let held = concat!(
            "SELECT kind, id, who, at, reason FROM holds WHERE tenant = $1 AND ((kind = 'customer' AND id IN ",
            person!(),
            ") OR (kind = 'interaction' AND id IN ",
            contacts!(),
            ") OR (kind = 'ticket' AND (id IN (SELECT id FROM tickets WHERE tenant = $1 AND customer IN ",
            person!(),
            ") OR id IN (SELECT ticket FROM interactions WHERE tenant = $1 AND customer IN ",
            person!(),
            ")))) ORDER BY at"
        );
        let rows = self.db.all(held, values![tenant, customer], attempted).await?;
        Ok(Traces {
            contacts: count(concat!("SELECT COUNT(*) FROM ", contacts!(), " c")).await?,
            recordings: count(concat!("SELECT COUNT(*) FROM recordings WHERE tenant = $1 AND interaction IN ", contacts!()))
                .await?,
            messages: count(concat!("SELECT COUNT(*) FROM messages WHERE tenant = $1 AND interaction IN ", contacts!()))
                .await?,
            files: count(concat!("SELECT COUNT(*) FROM files WHERE tenant = $1 AND interaction IN ", contacts!())).await?,
            tickets: count(concat!("SELECT COUNT(*) FROM tickets WHERE tenant = $1 AND customer IN ", person!())).await?,
            held: rows.iter().map(hold).collect::<Result<_>>()?,
        })
    }

    /// Tickets of a person, a batch by id after `after`.
    pub async fn person_tickets(
        &self,
        tenant: &TenantId,
        customer: CustomerId,
        after: Option<TicketId>,
    ) -> Result<Vec<TicketId>> {
        let sql = concat!(
            "SELECT id FROM tickets WHERE tenant = $1 AND customer IN ",
            person!(),
            " AND id > $3 ORDER BY id LIMIT $4"
        );
        let after = after.map(|t| t.to_string()).unwrap_or_default();
        let values = values![tenant, customer, after, BATCH];
        let rows = self.db.all(sql, values, || format!("list the tickets of customer {customer}")).await?;
        rows.iter().map(|r| r.parsed(0, TicketId::parse)).collect()
    }

    /// Contacts of a person, a batch by id after `after`.
    pub async fn person_contacts(
        &self,
        tenant: &TenantId,
        customer: CustomerId,
        after: Option<InteractionId>,
    ) -> Result<Vec<InteractionId>> {
        let sql = concat!("SELECT id FROM ", contacts!(), " c WHERE id > $3 ORDER BY id LIMIT $4");
        let after = after.map(|i| i.to_string()).unwrap_or_default();
        let values = values![tenant, customer, after, BATCH];
        let rows = self.db.all(sql, values, || format!("list the contacts of customer {customer}")).await?;
        rows.iter().map(|r| r.parsed(0, InteractionId::parse)).collect()
    }

    /// Takes the person out of contacts: what is left is what reports count. Files of recordings are deleted before.
    pub async fn contacts_strip(&self, tenant: &TenantId, contacts: &[InteractionId]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let mut texts = Texts::default();
        for statement in &WORDS {
            texts.run(&mut tx, statement, contacts.iter().map(|id| values![tenant, *id]).collect()).await?;
        }
        for id in contacts {
            let sql = "SELECT seq, kind, body FROM journal WHERE tenant = $1 AND interaction = $2 ORDER BY seq";
            let rows = tx.all(sql, values![tenant, *id], || format!("read the facts of {id}")).await?;
            let facts = rows.iter().map(|r| record(r.count(0)?, &r.text(1)?, &r.text(2)?)).collect::<Result<Vec<_>>>()?;
            rewrite(&mut tx, facts, Fact::without_person).await?;
        }
        tx.commit().await
    }

    /// Takes the words out of the log of a ticket, as far as it was redacted: what was written later knows nobody.
    pub async fn ticket_strip(&self, tenant: &TenantId, id: TicketId) -> Result<()> {
        let attempted = || format!("redact the log of ticket {id}");
        let mut tx = self.db.begin().await?;
        let sql = "SELECT seq, body FROM ticket_log WHERE tenant = $1 AND ticket = $2 ORDER BY seq";
        let rows = tx.all(sql, values![tenant, id], attempted).await?;
        let log: Vec<(u64, ticket::LogEntry)> = rows.iter().map(|r| Ok((r.count(0)?, r.json(1)?))).collect::<Result<_>>()?;
        let redacted = log.iter().rposition(|(_, e)| e.change == ticket::Change::Redacted).unwrap_or(0);
        for (seq, entry) in log.into_iter().take(redacted) {
            let entry = ticket::LogEntry { change: entry.change.without_words(), ..entry };
            let sql = "UPDATE ticket_log SET body = $3 WHERE tenant = $1 AND ticket = $2 AND seq = $4";
            tx.write(sql, values![tenant, id, json_of("a ticket entry", &entry)?, seq], attempted).await?;
            let facts = fact_at(&mut tx, seq).await?;
            rewrite(&mut tx, facts, |_| Some(Fact::Ticket { ticket: id, entry: entry.clone() })).await?;
        }
        tx.commit().await
    }

    /// Takes what was known of a person out of their log, when the last entry says that they were erased.
    pub async fn person_strip(&self, tenant: &TenantId, customer: CustomerId) -> Result<()> {
        use customer::Change::{Absorbed, Created, Erased};
        let attempted = || format!("redact the log of customer {customer}");
        let mut tx = self.db.begin().await?;
        let sql = concat!("SELECT seq, body FROM customer_log WHERE tenant = $1 AND customer IN ", person!(), " ORDER BY seq");
        let mut gone = Vec::new();
        for row in tx.all(sql, values![tenant, customer], attempted).await? {
            let entry: customer::Entry = row.json(1)?;
            if !matches!(entry.change, Created | Absorbed { .. } | Erased) {
                gone.push(row.count(0)?);
            }
        }
        forget_places(&mut tx, &gone).await?;
        for seq in gone {
            let sql = concat!("DELETE FROM customer_log WHERE tenant = $1 AND seq = $3 AND customer IN ", person!());
            tx.write(sql, values![tenant, customer, seq], attempted).await?;
        }
        for sql in [
            concat!("DELETE FROM customer_words WHERE tenant = $1 AND customer IN ", person!()),
            concat!("DELETE FROM identities WHERE tenant = $1 AND customer IN ", person!()),
        ] {
            tx.write(sql, values![tenant, customer], attempted).await?;
        }
        // Rows of those who were merged are as they were before that.
        let sql = "SELECT id, made_at FROM customers WHERE tenant = $1 AND merged_into = $2";
        for row in tx.all(sql, values![tenant, customer], attempted).await? {
            let nobody = customer::Customer::new(row.parsed(0, CustomerId::parse)?, row.wall(1)?);
            let sql = "UPDATE customers SET name = '', tier = $3, body = $4 WHERE tenant = $1 AND id = $2";
            let values = values![tenant, nobody.id, nobody.tier.as_str(), json_of("a customer", &nobody)?];
            tx.write(sql, values, attempted).await?;
        }
        tx.commit().await
    }
}

/// The fact at a place, if it is still there.
async fn fact_at(tx: &mut Tx, seq: u64) -> Result<Vec<Record>> {
    let sql = "SELECT seq, kind, body FROM journal WHERE seq = $1 AND kind <> 'forgotten'";
    let rows = tx.all(sql, values![seq], || format!("read fact {seq}")).await?;
    rows.iter().map(|r| record(r.count(0)?, &r.text(1)?, &r.text(2)?)).collect()
}

/// Puts other facts in the places of these, or empties the places.
async fn rewrite(tx: &mut Tx, facts: Vec<Record>, how: impl Fn(Fact) -> Option<Fact>) -> Result<()> {
    let mut gone = Vec::new();
    for was in facts {
        let seq = was.seq;
        let Some(fact) = how(was.fact.clone()) else {
            gone.push(seq);
            continue;
        };
        if fact != was.fact {
            let body = json_of("a fact", &Record { fact, ..was })?;
            tx.write("UPDATE journal SET body = $2 WHERE seq = $1", values![seq, body], || format!("redact fact {seq}"))
                .await?;
        }
    }
    forget_places(tx, &gone).await
}
