//! Reading the journal: from the beginning for a restart, from a number for a console that was away, by contact for a timeline.

use super::{
    Store,
    engine::{Row, values},
    error::{Result, StoreError},
    keep::{FORGOTTEN, since},
};
use crate::{
    base::{InteractionId, TenantId, limits},
    center::fact::Record,
};

/// Facts read from the database at a time.
const PAGE: usize = 2_000;

/// Reads one fact. What this version does not know is an error, not a gap: a restart that left it out would decide on half
/// of what happened.
pub(super) fn record(seq: u64, kind: &str, body: &str) -> Result<Record> {
    let record: Record =
        serde_json::from_str(body).map_err(|e| StoreError::Fact { seq, kind: kind.to_owned(), why: e.to_string() })?;
    if record.seq == seq {
        return Ok(record);
    }
    Err(StoreError::Fact { seq, kind: kind.to_owned(), why: format!("it says of itself that it is fact {}", record.seq) })
}

fn read(row: &Row) -> Result<Record> {
    record(row.count(0)?, &row.text(1)?, &row.text(2)?)
}

impl Store {
    /// The number of the last fact; 0 when there is none.
    pub async fn last_seq(&self) -> Result<u64> {
        let row = self.db.one("SELECT COALESCE(MAX(seq), 0) FROM journal", Vec::new(), || "read the end of the journal".into());
        row.await?.map_or(Ok(0), |r| r.count(0))
    }

    /// Hands every fact from number `from` on to `take`, in order; how many there were. What was forgotten is stepped over.
    /// Stops at the first that cannot be read, or is missing.
    pub async fn replay(&self, from: u64, mut take: impl FnMut(Record)) -> Result<u64> {
        let mut last = from.max(1) - 1;
        let mut count = 0;
        loop {
            let sql = "SELECT seq, kind, body FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2";
            let rows = self.db.all(sql, values![last, PAGE], || format!("read the journal after fact {last}")).await?;
            for row in &rows {
                let (seq, kind) = (row.count(0)?, row.text(1)?);
                if kind == FORGOTTEN {
                    // What is to be read may begin in the middle of what has gone.
                    if since(seq, &row.text(2)?)? > last + 1 {
                        return Err(StoreError::Gap { after: last, found: seq });
                    }
                    last = seq;
                    continue;
                }
                let record = record(seq, &kind, &row.text(2)?)?;
                if record.seq != last + 1 {
                    return Err(StoreError::Gap { after: last, found: record.seq });
                }
                last = record.seq;
                count += 1;
                take(record);
            }
            if rows.len() < PAGE {
                return Ok(count);
            }
        }
    }

    /// The tenant's facts after number `after`, at most `limit` ([`limits::EVENTS_BEHIND_MAX`]): what a console that was away
    /// has missed.
    pub async fn journal_since(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Record>> {
        let sql = "SELECT seq, kind, body FROM journal WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let values = values![tenant, after, limit.min(limits::EVENTS_BEHIND_MAX)];
        let rows = self.db.all(sql, values, || format!("read the facts of {tenant} after {after}")).await?;
        rows.iter().map(read).collect()
    }

    /// What happened in a contact with its legs as they stood, in order: for whoever asks why. Not for people: dialogs are in it.
    pub async fn legs_timeline(&self, tenant: &TenantId, interaction: InteractionId) -> Result<Vec<Record>> {
        let sql = "SELECT seq, kind, body FROM journal WHERE tenant = $1 AND interaction = $2 AND kind <> 'flow_saved' \
                   ORDER BY seq LIMIT $3";
        let values = values![tenant, interaction, limits::LIST_MAX];
        let rows = self.db.all(sql, values, || format!("read the legs of {interaction}")).await?;
        rows.iter().map(read).collect()
    }

    /// What happened in a contact, in order. What only a restart needs (dialogs with their keys, the
    /// variables of flows) is left out, and so is what was said, which would crowd out the rest: see
    /// [`Store::transcript`]. A long chat's messages would too: they are there only `with_messages`.
    pub async fn timeline(
        &self,
        tenant: &TenantId,
        interaction: InteractionId,
        with_messages: bool,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let words = if with_messages { "" } else { ", 'message'" };
        let sql = format!(
            "SELECT seq, kind, body FROM journal WHERE tenant = $1 AND interaction = $2 \
             AND kind NOT IN ('leg_dialog', 'flow_saved', 'said'{words}) ORDER BY seq LIMIT $3"
        );
        let values = values![tenant, interaction, limit.min(limits::LIST_MAX)];
        let rows = self.db.all(&sql, values, || format!("read the timeline of {interaction}")).await?;
        rows.iter().map(read).collect()
    }

    /// What was said in a contact, as recognised, in the order in which it was; from fact `after` on.
    pub async fn transcript(
        &self,
        tenant: &TenantId,
        interaction: InteractionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let sql = "SELECT seq, kind, body FROM journal WHERE tenant = $1 AND interaction = $2 AND seq > $3 \
                   AND kind = 'said' ORDER BY seq LIMIT $4";
        let values = values![tenant, interaction, after, limit.min(limits::LIST_MAX)];
        let rows = self.db.all(sql, values, || format!("read the transcript of {interaction}")).await?;
        rows.iter().map(read).collect()
    }
}
