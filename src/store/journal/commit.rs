//! One group commit: the lines of the journal and what they change, in one transaction, exactly once.
//!
//! A commit whose answer was lost may have happened. So every try first looks where the journal ends: what already stands
//! there is compared, byte by byte, and left out.

use super::super::{
    Store,
    bulk::{Bulk, Texts},
    engine::{Tx, Value, values},
    error::{Result, StoreError},
    project::Projector,
};
use crate::center::fact::{Fact, Record};

const LINES: Bulk =
    Bulk { head: "INSERT INTO journal (seq, at, tenant, kind, interaction, ticket, customer, body)", columns: 8, tail: "" };

/// A fact as it stands in the journal.
struct Line {
    seq: u64,
    kind: &'static str,
    values: [Value; 8],
}

/// A group made ready: whatever can fail about the facts themselves has been tried.
pub(super) struct Group {
    lines: Vec<Line>,
}

/// Writes groups.
pub(super) struct Committer {
    store: Store,
    projector: Projector,
    texts: Texts,
}

impl Committer {
    pub fn new(store: Store) -> Self {
        Committer { store, projector: Projector::default(), texts: Texts::default() }
    }

    /// Facts as rows.
    pub fn prepare(&self, batch: &[Record]) -> Result<Group> {
        let mut body = Vec::new();
        Ok(Group { lines: batch.iter().map(|r| line(r, &mut body)).collect::<Result<_>>()? })
    }

    /// Tries once. How many facts were stored without their projections, because the database refused those.
    pub async fn commit(&mut self, batch: &[Record], group: &Group) -> Result<u64> {
        let done = self.transaction(batch, &group.lines, true).await;
        let done = match done {
            Err(error) if error.is_about_the_data() => {
                tracing::error!(%error, "a projection was refused; storing the facts of this group one by one");
                self.projector.forget();
                return self.one_by_one(batch, &group.lines).await;
            }
            other => other,
        };
        if done.is_err() {
            self.projector.forget();
        }
        done.map(|()| 0)
    }

    /// What happened counts more than the lists: a fact whose projection is refused is stored without it.
    async fn one_by_one(&mut self, batch: &[Record], lines: &[Line]) -> Result<u64> {
        let mut without = 0;
        for (record, line) in batch.iter().zip(lines) {
            let (record, line) = (std::slice::from_ref(record), std::slice::from_ref(line));
            let Err(error) = self.transaction(record, line, true).await else { continue };
            self.projector.forget();
            if !error.is_about_the_data() {
                return Err(error);
            }
            tracing::error!(%error, seq = line[0].seq, kind = line[0].kind, "fact stored without its projection: rebuild them");
            self.transaction(record, line, false).await?;
            without += 1;
        }
        Ok(without)
    }

    async fn transaction(&mut self, batch: &[Record], lines: &[Line], projections: bool) -> Result<()> {
        let mut tx = self.store.db.begin().await?;
        let stored = stored_already(&mut tx, lines).await?;
        let (batch, lines) = (&batch[stored..], &lines[stored..]);
        if lines.is_empty() {
            return Ok(());
        }
        self.texts.run(&mut tx, &LINES, lines.iter().map(|l| l.values.to_vec()).collect()).await?;
        if projections {
            self.projector.apply(&mut tx, &mut self.texts, batch).await?;
        }
        tx.commit().await
    }
}

/// How many of `lines` an earlier try of ours has stored. Refuses to go on where the journal does not end just before them.
async fn stored_already(tx: &mut Tx, lines: &[Line]) -> Result<usize> {
    let end = tx.all("SELECT COALESCE(MAX(seq), 0) FROM journal", Vec::new(), || "read the end of the journal".into()).await?;
    let end = end.first().map_or(Ok(0), |r| r.count(0))?;
    let mut next = end + 1;
    let mut stored = 0;
    for line in lines {
        if line.seq > end {
            if line.seq != next {
                return Err(StoreError::Gap { after: next - 1, found: line.seq });
            }
            next += 1;
            continue;
        }
        let sql = "SELECT body FROM journal WHERE seq = $1";
        let there = tx.all(sql, values![line.seq], || format!("read fact {}", line.seq)).await?;
        let same = match there.first() {
            Some(row) => Value::from(row.text(0)?) == line.values[7],
            None => false,
        };
        if !same {
            return Err(StoreError::Taken { seq: line.seq });
        }
        stored += 1;
    }
    Ok(stored)
}

/// `body`: room for its JSON, the same for all lines of a group.
fn line(record: &Record, body: &mut Vec<u8>) -> Result<Line> {
    let kind = record.fact.kind();
    let failed = |why: String| StoreError::Fact { seq: record.seq, kind: kind.to_owned(), why };
    body.clear();
    serde_json::to_writer(&mut *body, record).map_err(|e| failed(e.to_string()))?;
    let body = str::from_utf8(body).map_err(|e| failed(e.to_string()))?;
    let (ticket, customer) = match &record.fact {
        Fact::InteractionOpened { ticket, customer, .. } => (*ticket, Some(*customer)),
        Fact::Ticket { ticket, .. } => (Some(*ticket), None),
        Fact::Customer { customer, .. } => (None, Some(*customer)),
        _ => (None, None),
    };
    let values = [
        record.seq.into(),
        record.at.into(),
        (&record.tenant).into(),
        kind.into(),
        record.fact.interaction().into(),
        ticket.into(),
        customer.into(),
        body.into(),
    ];
    Ok(Line { seq: record.seq, kind, values })
}
