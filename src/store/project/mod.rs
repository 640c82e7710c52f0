//! Projections: what each fact changes in the lists and totals people look at.
//!
//! A projection is a fold over the journal and nothing else: it runs in the transaction that stores the fact, and running it
//! again over the whole journal gives the same rows. Facts of contacts are folded into columns ([`contacts`]); tickets and
//! customers by their own machines ([`matters`]), so that what a list shows is what the machine says. A group of facts is
//! folded first and written then: the rows of one table by one statement, each row once.
//!
//! A projection never refuses a fact: inserts meet what is already there with `ON CONFLICT`, and an entry its machine would
//! not take is kept in the log, reported, and changes nothing else. What happened, happened.

mod contact;
mod contacts;
mod matters;

use super::{
    Store,
    bulk::Texts,
    engine::{Tx, values},
    error::{Result, StoreError},
};
use crate::{
    center::fact::{Fact, Record},
    customer::Change,
};
use contacts::Contacts;
use matters::{Folds, Matters};

use json_of as json;
pub(super) use matters::{fold, identity_words};

/// Every table that is filled from the journal. Children and parents do not know each other here, so any order will do.
const TABLES: [&str; 15] = [
    "DELETE FROM interactions",
    "DELETE FROM waits",
    "DELETE FROM segments",
    "DELETE FROM decisions",
    "DELETE FROM messages",
    "DELETE FROM files",
    "DELETE FROM ratings",
    "DELETE FROM recordings",
    "DELETE FROM agent_states",
    "DELETE FROM tickets",
    "DELETE FROM ticket_log",
    "DELETE FROM customers",
    "DELETE FROM customer_log",
    "DELETE FROM customer_words",
    "DELETE FROM identities",
];

/// Facts read at a time while rebuilding.
const PAGE: usize = 1_000;

/// Carries facts into the projections, one group at a time.
#[derive(Debug, Default)]
pub(super) struct Projector {
    folds: Folds,
}

impl Projector {
    /// Forgets everything: what it stands on was rolled back.
    pub fn forget(&mut self) {
        self.folds.forget();
    }

    /// Carries a group of facts into the projections.
    pub async fn apply(&mut self, tx: &mut Tx, texts: &mut Texts, records: &[Record]) -> Result<()> {
        let (mut contacts, mut matters) = (Contacts::default(), Matters::default());
        let folds = &mut self.folds;
        for record in records {
            match &record.fact {
                Fact::Ticket { ticket, entry } => {
                    for interaction in matters.ticket(tx, folds, record, *ticket, entry).await? {
                        contacts.joined(&record.tenant, interaction, *ticket);
                    }
                }
                Fact::Customer { customer, change: Change::Absorbed { from } } => {
                    matters.write(tx, texts, folds).await?;
                    matters::merge(tx, folds, &mut matters, record, (*customer, *from)).await?;
                    matters.write(tx, texts, folds).await?;
                }
                Fact::Customer { customer, change } => matters.customer(tx, folds, record, *customer, change).await?,
                _ => {
                    if !contacts.take(record) {
                        contacts.write(tx, texts).await?;
                        contacts.take(record);
                    }
                }
            }
        }
        contacts.write(tx, texts).await?;
        matters.write(tx, texts, folds).await?;
        folds.trim();
        Ok(())
    }
}

impl Store {
    /// Empties the projections and fills them again from the journal, in one transaction: whoever reads meanwhile sees the old
    /// rows. How many facts were read.
    ///
    /// The journal must not be running: its commits would wait for this and count as failures.
    pub async fn rebuild_projections(&self) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        for sql in TABLES {
            tx.write(sql, Vec::new(), || "empty the projections".into()).await?;
        }
        let (mut projector, mut texts) = (Projector::default(), Texts::default());
        let (mut seq, mut count) = (0, 0);
        loop {
            let sql = "SELECT seq, kind, body FROM journal WHERE seq > $1 AND kind <> 'forgotten' ORDER BY seq LIMIT $2";
            let rows = tx.all(sql, values![seq, PAGE], || format!("read the journal after fact {seq}")).await?;
            let read = |row: &super::engine::Row| super::replay::record(row.count(0)?, &row.text(1)?, &row.text(2)?);
            let records: Vec<Record> = rows.iter().map(read).collect::<Result<_>>()?;
            seq = records.last().map_or(seq, |r| r.seq);
            count += records.len() as u64;
            projector.apply(&mut tx, &mut texts, &records).await?;
            if rows.len() < PAGE {
                break;
            }
        }
        tx.commit().await?;
        Ok(count)
    }
}

/// JSON of a value of ours. Failing means a map with keys that are not text, which none of our types has.
pub(super) fn json_of(what: &'static str, value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::unreadable(what, e))
}
