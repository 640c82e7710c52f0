//! Projections: what each fact changes in the lists and totals people look at.
//!
//! A projection is a fold over the journal and nothing else: it runs in the transaction that stores the fact, and running it
//! again over the whole journal gives the same rows. Most facts are plain statements ([`contacts`]); tickets and customers are
//! folded by their own machines ([`matters`]), so that what a list shows is what the machine says.
//!
//! A projection never refuses a fact: inserts meet what is already there with `ON CONFLICT`, and an entry its machine would
//! not take is kept in the log, reported, and changes nothing else. What happened, happened.

mod contacts;
mod matters;

use super::{
    Store,
    engine::{Tx, Value, values},
    error::{Result, StoreError},
};
use crate::center::fact::{Fact, Record};

pub(super) use matters::{Folds, fold, identity_words};

/// Every table that is filled from the journal. Children and parents do not know each other here, so any order will do.
const TABLES: [&str; 13] = [
    "DELETE FROM interactions",
    "DELETE FROM waits",
    "DELETE FROM segments",
    "DELETE FROM decisions",
    "DELETE FROM messages",
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

/// One statement with its values.
type Change = (&'static str, Vec<Value>);

/// Carries one fact into the projections.
pub(super) async fn apply(tx: &mut Tx, folds: &mut Folds, record: &Record) -> Result<()> {
    let mut changes = Vec::new();
    match &record.fact {
        Fact::Ticket { ticket, entry } => matters::ticket(tx, folds, record, *ticket, entry, &mut changes).await?,
        Fact::Customer { customer, change } => matters::customer(tx, folds, record, *customer, change, &mut changes).await?,
        _ => contacts::changes(record, &mut changes),
    }
    for (sql, values) in changes {
        tx.write(sql, values, || format!("carry fact {} ({}) into the lists", record.seq, record.fact.kind())).await?;
    }
    Ok(())
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
        let mut folds = Folds::default();
        let (mut seq, mut count) = (0, 0);
        loop {
            let sql = "SELECT seq, kind, body FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2";
            let rows = tx.all(sql, values![seq, PAGE], || format!("read the journal after fact {seq}")).await?;
            for row in &rows {
                let record = super::replay::record(row.count(0)?, &row.text(1)?, &row.text(2)?)?;
                seq = record.seq;
                count += 1;
                apply(&mut tx, &mut folds, &record).await?;
            }
            if rows.len() < PAGE {
                break;
            }
        }
        tx.commit().await?;
        Ok(count)
    }
}

/// JSON of a value of ours. Failing means a map with keys that are not text, which none of our types has.
fn json(what: &'static str, value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::unreadable(what, e))
}
