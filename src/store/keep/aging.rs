//! What is older than it may be: counted for whoever decides on a period, and deleted a batch at a time.
//!
//! A batch is one transaction of a few dozen contacts, so that the commits of the journal, which wait for it, do not wait
//! long. Whoever runs the batches takes a breath between them.

use super::{
    super::{
        Store,
        bulk::{Bulk, Texts},
        engine::{Row, Tx, values},
        error::Result,
    },
    contact_held, emptied, ticket_held,
};
use crate::base::{InteractionId, TenantId, TicketId, Wall};

/// Contacts or tickets of one transaction.
const BATCH: usize = 32;
/// Rows of one transaction where a row is all there is.
const ROWS: usize = 500;

/// What grows old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aged {
    /// Recordings and voicemail, counted in contacts.
    Recordings,
    /// What was written and said, counted in contacts.
    Messages,
    /// Contents of files of chats.
    Files,
    /// Contacts with everything of theirs: the messages on the wire, decisions, what reports count.
    Contacts,
    /// Tickets that are closed.
    Tickets,
    /// The audit log.
    Audit,
    /// What became of webhooks' deliveries.
    Deliveries,
    /// Facts of no contact, ticket or customer: counts, states of agents, calls out, starts.
    Journal,
}

impl Aged {
    /// All kinds, in the order in which they go.
    pub const ALL: [Aged; 8] = [
        Aged::Recordings,
        Aged::Messages,
        Aged::Files,
        Aged::Contacts,
        Aged::Tickets,
        Aged::Audit,
        Aged::Deliveries,
        Aged::Journal,
    ];

    /// The word in the configuration, the API and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Aged::Recordings => "recordings",
            Aged::Messages => "messages",
            Aged::Files => "files",
            Aged::Contacts => "contacts",
            Aged::Tickets => "tickets",
            Aged::Audit => "audit",
            Aged::Deliveries => "deliveries",
            Aged::Journal => "journal",
        }
    }
}

/// What would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// So many.
    pub go: u64,
    /// So many more, if nobody held them.
    pub held: u64,
}

macro_rules! recordings_due {
    () => {
        "FROM interactions i WHERE i.tenant = $1 AND i.closed_at IS NOT NULL AND i.id IN (SELECT r.interaction FROM recordings r \
         WHERE r.tenant = $1 AND r.began_at < $2) AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.tenant = $1 \
         AND r.interaction = i.id AND (r.began_at >= $2 OR r.ended_at IS NULL))"
    };
}
macro_rules! messages_due {
    () => {
        "FROM interactions i WHERE i.tenant = $1 AND i.opened_at < $2 AND i.closed_at < $2 AND i.opened_at >= \
         COALESCE((SELECT n FROM keeping WHERE tenant = $1 AND kind = 'messages'), 0) AND \
         (EXISTS (SELECT 1 FROM messages m WHERE m.tenant = i.tenant AND m.interaction = i.id) OR EXISTS (SELECT 1 FROM journal j \
         WHERE j.tenant = i.tenant AND j.interaction = i.id AND j.kind IN ('said', 'message')))"
    };
}
macro_rules! contacts_due {
    () => {
        "FROM interactions i WHERE i.tenant = $1 AND i.opened_at < $2 AND i.closed_at < $2"
    };
}
macro_rules! files_due {
    () => {
        "FROM files f JOIN interactions i ON i.tenant = f.tenant AND i.id = f.interaction WHERE f.tenant = $1 AND f.at < $2"
    };
}
// The ticket with the highest number stays: the next number is counted from it.
macro_rules! tickets_due {
    () => {
        "FROM tickets t WHERE t.tenant = $1 AND t.status IN ('closed', 'merged', 'spam') AND t.changed_at < $2 \
         AND t.number < (SELECT MAX(number) FROM tickets WHERE tenant = $1)"
    };
}
macro_rules! deliveries_due {
    () => {
        "FROM webhook_deliveries WHERE uid IN (SELECT uid FROM webhooks WHERE tenant = $1) AND state <> 'waiting' AND last_at < $2"
    };
}
// Somebody's latest state is theirs until there is another.
macro_rules! states_due {
    () => {
        "FROM agent_states s WHERE s.tenant = $1 AND s.since < $2 AND EXISTS (SELECT 1 FROM agent_states l \
         WHERE l.tenant = s.tenant AND l.agent = s.agent AND l.seq > s.seq)"
    };
}
// Alarms and where the calls of agents ring are few, and the latest of each counts: they stay.
macro_rules! loose_due {
    () => {
        "FROM journal WHERE tenant = $1 AND at < $2 AND interaction IS NULL \
         AND kind IN ('counted', 'call_out', 'call_out_over', 'node_started', 'alert_raised', 'alert_cleared', 'alert_acked') \
         AND seq > COALESCE((SELECT n FROM keeping WHERE tenant = $1 AND kind = 'journal'), 0)"
    };
}
macro_rules! count {
    ($due:expr, $held:expr) => {
        (concat!("SELECT COUNT(*) ", $due, " AND NOT ", $held), concat!("SELECT COUNT(*) ", $due, " AND ", $held))
    };
}

/// A statement over the contacts given.
macro_rules! of_contacts {
    ($tail:expr) => {
        Bulk { head: "WITH given (tenant, id) AS (", columns: 2, tail: $tail }
    };
}
macro_rules! rows_gone {
    ($table:literal) => {
        of_contacts!(concat!(") DELETE FROM ", $table, " WHERE (tenant, interaction) IN (SELECT tenant, id FROM given)"))
    };
}
static RECORDINGS: [Bulk; 2] = [
    rows_gone!("recordings"),
    of_contacts!(emptied!(
        "interaction IS NOT NULL AND (tenant, interaction) IN (SELECT tenant, id FROM given) \
         AND kind IN ('recording_started', 'recording_paused', 'recording_ended', 'voicemail_left')"
    )),
];
static MESSAGES: [Bulk; 3] = [
    rows_gone!("messages"),
    rows_gone!("files"),
    of_contacts!(emptied!(
        "interaction IS NOT NULL AND (tenant, interaction) IN (SELECT tenant, id FROM given) \
         AND kind IN ('said', 'message', 'read_up_to')"
    )),
];
static CONTACTS: [Bulk; 10] = [
    rows_gone!("recordings"),
    rows_gone!("messages"),
    rows_gone!("files"),
    rows_gone!("ladders"),
    rows_gone!("decisions"),
    rows_gone!("segments"),
    rows_gone!("waits"),
    rows_gone!("ratings"),
    of_contacts!(emptied!("interaction IS NOT NULL AND (tenant, interaction) IN (SELECT tenant, id FROM given)")),
    of_contacts!(") DELETE FROM interactions WHERE (tenant, id) IN (SELECT tenant, id FROM given)"),
];
static TICKETS: [Bulk; 3] = [
    of_contacts!(emptied!(
        "seq IN (SELECT l.seq FROM ticket_log l WHERE (l.tenant, l.ticket) IN (SELECT tenant, id FROM given))"
    )),
    of_contacts!(") DELETE FROM ticket_log WHERE (tenant, ticket) IN (SELECT tenant, id FROM given)"),
    of_contacts!(") DELETE FROM tickets WHERE (tenant, id) IN (SELECT tenant, id FROM given)"),
];
static PLACES: Bulk = Bulk { head: "WITH given (seq) AS (", columns: 1, tail: emptied!("seq IN (SELECT seq FROM given)") };
static STATES: Bulk =
    Bulk { head: "WITH given (seq) AS (", columns: 1, tail: ") DELETE FROM agent_states WHERE seq IN (SELECT seq FROM given)" };

impl Store {
    /// What of one kind is older than `before`.
    pub async fn aged_count(&self, tenant: &TenantId, kind: Aged, before: Wall) -> Result<Due> {
        let none = "SELECT 0 WHERE $1 = '' AND $2 = 0";
        let (go, held) = match kind {
            Aged::Recordings => count!(recordings_due!(), contact_held!()),
            Aged::Messages => count!(messages_due!(), contact_held!()),
            Aged::Contacts => count!(contacts_due!(), contact_held!()),
            Aged::Files => count!(files_due!(), contact_held!()),
            Aged::Tickets => count!(tickets_due!(), ticket_held!()),
            Aged::Audit => ("SELECT COUNT(*) FROM audit WHERE tenant = $1 AND at < $2", none),
            Aged::Deliveries => (concat!("SELECT COUNT(*) ", deliveries_due!()), none),
            Aged::Journal => {
                (concat!("SELECT (SELECT COUNT(*) ", states_due!(), ") + (SELECT COUNT(*) ", loose_due!(), ")"), none)
            }
        };
        let attempted = || format!("count what of {} is old at {tenant}", kind.as_str());
        let read = async |sql: &'static str| match self.db.one(sql, values![tenant, before], attempted).await? {
            Some(row) => row.count(0),
            None => Ok(0),
        };
        Ok(Due { go: read(go).await?, held: if held == none { 0 } else { read(held).await? } })
    }

    /// Contacts of which something is older than `before`, the oldest first: a batch for [`Store::contacts_forget`]. Of other
    /// kinds there are none.
    pub async fn contacts_aged(&self, tenant: &TenantId, kind: Aged, before: Wall) -> Result<Vec<InteractionId>> {
        let sql = match kind {
            Aged::Recordings => {
                // Along the recordings, whose oldest are those that go: contacts whose recordings went long ago stay for years.
                concat!(
                    "SELECT i.id FROM recordings a CROSS JOIN interactions i WHERE a.tenant = $1 AND a.began_at < $2 \
                     AND i.tenant = a.tenant AND i.id = a.interaction AND i.closed_at IS NOT NULL AND NOT EXISTS \
                     (SELECT 1 FROM recordings r WHERE r.tenant = $1 AND r.interaction = i.id \
                     AND (r.began_at >= $2 OR r.ended_at IS NULL)) AND NOT ",
                    contact_held!(),
                    " ORDER BY a.began_at LIMIT $3"
                )
            }
            Aged::Messages => {
                concat!("SELECT i.id ", messages_due!(), " AND NOT ", contact_held!(), " ORDER BY i.opened_at, i.id LIMIT $3")
            }
            Aged::Contacts => {
                concat!("SELECT i.id ", contacts_due!(), " AND NOT ", contact_held!(), " ORDER BY i.opened_at, i.id LIMIT $3")
            }
            _ => return Ok(Vec::new()),
        };
        let attempted = || format!("look for old {} of {tenant}", kind.as_str());
        let rows = self.db.all(sql, values![tenant, before, BATCH], attempted).await?;
        let mut ids: Vec<InteractionId> = rows.iter().map(|r| r.parsed(0, InteractionId::parse)).collect::<Result<_>>()?;
        // A contact with several recordings comes for each of them.
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The files of recordings of contacts, below the recordings folder. They are deleted before the rows.
    pub async fn recording_files(&self, tenant: &TenantId, contacts: &[InteractionId]) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for id in contacts {
            let sql = "SELECT file FROM recordings WHERE tenant = $1 AND interaction = $2 ORDER BY seq";
            let rows = self.db.all(sql, values![tenant, *id], || format!("read the recordings of {id}")).await?;
            for row in &rows {
                files.push(row.text(0)?);
            }
        }
        Ok(files)
    }

    /// Deletes of these contacts what `kind` names, all in one transaction.
    pub async fn contacts_forget(&self, tenant: &TenantId, kind: Aged, contacts: &[InteractionId]) -> Result<()> {
        let statements: &'static [Bulk] = match kind {
            Aged::Recordings => &RECORDINGS,
            Aged::Messages => &MESSAGES,
            Aged::Contacts => &CONTACTS,
            _ => return Ok(()),
        };
        let mut tx = self.db.begin().await?;
        let mut texts = Texts::default();
        for statement in statements {
            texts.run(&mut tx, statement, contacts.iter().map(|id| values![tenant, *id]).collect()).await?;
        }
        tx.commit().await
    }

    /// Notes that no contact of before `before` has words left, but those that go on or are held: they are not looked at
    /// again until a hold is lifted.
    pub async fn messages_looked_through(&self, tenant: &TenantId, before: Wall) -> Result<()> {
        let sql = "INSERT INTO keeping (tenant, kind, n) SELECT $1, 'messages', COALESCE((SELECT MIN(opened_at) FROM interactions \
                   WHERE tenant = $1 AND opened_at < $2 AND opened_at >= COALESCE((SELECT n FROM keeping WHERE tenant = $1 \
                   AND kind = 'messages'), 0) AND (closed_at IS NULL OR closed_at >= $2)), CAST($2 AS BIGINT)) \
                   WHERE 1 = 1 ON CONFLICT (tenant, kind) DO UPDATE SET n = excluded.n";
        self.db.write(sql, values![tenant, before], || format!("note how far {tenant} was looked through")).await.map(drop)
    }

    /// Deletes a batch of what of one kind is older than `before` and is no part of a contact; how many. 0: none is left.
    pub async fn aged_forget(&self, tenant: &TenantId, kind: Aged, before: Wall) -> Result<u64> {
        let attempted = || format!("delete old {} of {tenant}", kind.as_str());
        match kind {
            Aged::Files => self.files_forget(tenant, before).await,
            Aged::Tickets => self.tickets_forget(tenant, before).await,
            Aged::Audit => {
                let sql =
                    "DELETE FROM audit WHERE n IN (SELECT n FROM audit WHERE tenant = $1 AND at < $2 ORDER BY at LIMIT $3)";
                self.db.write(sql, values![tenant, before, ROWS], attempted).await
            }
            Aged::Deliveries => {
                let sql = concat!(
                    "DELETE FROM webhook_deliveries WHERE (uid, seq) IN (SELECT uid, seq ",
                    deliveries_due!(),
                    " LIMIT $3)"
                );
                self.db.write(sql, values![tenant, before, ROWS], attempted).await
            }
            Aged::Journal => match self.states_forget(tenant, before).await? {
                0 => self.loose_forget(tenant, before).await,
                n => Ok(n),
            },
            Aged::Recordings | Aged::Messages | Aged::Contacts => Ok(0),
        }
    }

    async fn tickets_forget(&self, tenant: &TenantId, before: Wall) -> Result<u64> {
        let sql = concat!("SELECT t.id ", tickets_due!(), " AND NOT ", ticket_held!(), " ORDER BY t.changed_at, t.id LIMIT $3");
        let attempted = || format!("look for old tickets of {tenant}");
        let rows = self.db.all(sql, values![tenant, before, BATCH], attempted).await?;
        let ids: Vec<TicketId> = rows.iter().map(|r| r.parsed(0, TicketId::parse)).collect::<Result<_>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut tx = self.db.begin().await?;
        let mut texts = Texts::default();
        for statement in &TICKETS {
            texts.run(&mut tx, statement, ids.iter().map(|id| values![tenant, *id]).collect()).await?;
        }
        tx.commit().await?;
        Ok(ids.len() as u64)
    }

    async fn states_forget(&self, tenant: &TenantId, before: Wall) -> Result<u64> {
        let sql = concat!("SELECT s.seq ", states_due!(), " ORDER BY s.since LIMIT $3");
        let places = self.places(sql, tenant, before).await?;
        let mut tx = self.db.begin().await?;
        forget_places(&mut tx, &places).await?;
        Texts::default().run(&mut tx, &STATES, places.iter().map(|seq| values![*seq]).collect()).await?;
        tx.commit().await?;
        Ok(places.len() as u64)
    }

    async fn loose_forget(&self, tenant: &TenantId, before: Wall) -> Result<u64> {
        let sql = concat!("SELECT seq ", loose_due!(), " AND seq < (SELECT MAX(seq) FROM journal) ORDER BY seq LIMIT $3");
        let places = self.places(sql, tenant, before).await?;
        let Some(last) = places.last() else { return Ok(0) };
        let mut tx = self.db.begin().await?;
        forget_places(&mut tx, &places).await?;
        let sql = "INSERT INTO keeping (tenant, kind, n) VALUES ($1, 'journal', $2) \
                   ON CONFLICT (tenant, kind) DO UPDATE SET n = excluded.n";
        tx.write(sql, values![tenant, *last], || format!("note how far the journal of {tenant} was looked through")).await?;
        tx.commit().await?;
        Ok(places.len() as u64)
    }

    async fn places(&self, sql: &'static str, tenant: &TenantId, before: Wall) -> Result<Vec<u64>> {
        let rows = self.db.all(sql, values![tenant, before, ROWS], || format!("look for old facts of {tenant}")).await?;
        rows.iter().map(|r: &Row| r.count(0)).collect()
    }
}

/// Empties places of the journal.
pub(super) async fn forget_places(tx: &mut Tx, places: &[u64]) -> Result<()> {
    Texts::default().run(tx, &PLACES, places.iter().map(|seq| values![*seq]).collect()).await
}
