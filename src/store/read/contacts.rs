//! Contacts: interactions with their messages, decisions and recordings; and the states agents were in.

use serde::{Deserialize, Serialize};

use super::{Ask, Cursor, OF_CUSTOMER, Page, page_size, prefix_end, term, word};
use crate::{
    base::{
        AgentId, Channel, CodeId, CustomerId, InteractionId, OfferId, QueueId, RecordingId, Region, TenantId, TicketId,
        VisitorId, Wall, limits,
    },
    call::Cause,
    center::fact::{EndedBy, Unqueued, Way},
    routing,
    sip::stir::Verdict,
    store::{
        Store,
        engine::{Row, values},
        error::Result,
    },
    text,
};

/// One contact on one line. Durations are those of the timer clock, milliseconds, summed over all agents who had it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InteractionRow {
    /// Its id.
    pub id: InteractionId,
    /// The medium.
    pub channel: Channel,
    /// Who began it.
    pub way: Way,
    /// The number dialled or the chat entry.
    pub to: String,
    /// The caller's number, or the name the visitor gave.
    pub from: String,
    /// Where the customer's number is from: `BE`, `CN-GD`.
    pub region: Option<String>,
    /// The person; after a merge maybe under an older id.
    pub customer: CustomerId,
    /// The matter.
    pub ticket: Option<TicketId>,
    /// The visitor's session, for chats.
    pub visitor: Option<VisitorId>,
    /// The last queue it waited in.
    pub queue: Option<QueueId>,
    /// The last agent it was connected with.
    pub agent: Option<AgentId>,
    /// When it arrived.
    pub opened_at: Wall,
    /// When it was first connected with an agent.
    pub answered_at: Option<Wall>,
    /// When it was over for the customer.
    pub closed_at: Option<Wall>,
    /// Why it ended.
    pub cause: Option<Cause>,
    /// Who ended it.
    pub ended_by: Option<EndedBy>,
    /// Why it left its last queue.
    pub unqueued: Option<Unqueued>,
    /// Waiting, from its arrival in routing until it left the last queue.
    pub waited_ms: u64,
    /// Connected with agents, hold included.
    pub talk_ms: u64,
    /// On hold.
    pub hold_ms: u64,
    /// After-call work.
    pub wrap_ms: u64,
    /// The outcome.
    pub disposition: Option<CodeId>,
    /// The outcome in words.
    pub note: Option<String>,
    /// Who vouches for the caller; none where nobody has looked.
    pub verdict: Option<Verdict>,
}

/// Which contacts. Everything left out is not asked about.
#[derive(Debug, Clone, Default)]
pub struct InteractionFilter {
    /// Arrived at or after.
    pub from: Option<Wall>,
    /// Arrived before.
    pub to: Option<Wall>,
    /// Last waited in.
    pub queue: Option<QueueId>,
    /// Last connected with.
    pub agent: Option<AgentId>,
    /// By this medium.
    pub channel: Option<Channel>,
    /// Of this person, under whichever id.
    pub customer: Option<CustomerId>,
    /// Of this matter.
    pub ticket: Option<TicketId>,
    /// With a customer who is looked for.
    pub search: Option<ContactSearch>,
    /// Still going on, or over.
    pub open: Option<bool>,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// By what the customer of a contact is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactSearch {
    /// Their number ends with one of these rows of digits.
    Number(Vec<String>),
    /// Every word of this begins a word of their name.
    Name(String),
}

/// Why an agent was offered a contact, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionRow {
    /// The offer.
    pub offer: OfferId,
    /// Whom.
    pub agent: AgentId,
    /// When it began to ring.
    pub at: Wall,
    /// When it would have lapsed.
    pub until: Wall,
    /// When it was over.
    pub ended_at: Option<Wall>,
    /// How it ended.
    pub outcome: Option<routing::StopWhy>,
    /// Why this agent.
    pub decision: routing::Decision,
}

/// The part of the journal's line about an offer that says why it was made.
#[derive(Deserialize)]
struct Why {
    decision: routing::Decision,
}

/// A recorded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingRow {
    /// Its id.
    pub id: RecordingId,
    /// Of which contact.
    pub interaction: InteractionId,
    /// File below the recordings folder.
    pub file: String,
    /// A message somebody left.
    pub voicemail: bool,
    /// When it began.
    pub began_at: Wall,
    /// When it was closed; none while it runs.
    pub ended_at: Option<Wall>,
    /// How long it plays, milliseconds.
    pub ms: Option<u64>,
    /// Size of the file.
    pub bytes: Option<u64>,
    /// Why it is not whole.
    pub trouble: Option<String>,
}

/// A state an agent took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentStateRow {
    /// The fact.
    pub seq: u64,
    /// Who.
    pub agent: AgentId,
    /// Which state.
    pub state: routing::AgentState,
    /// Since when.
    pub since: Wall,
}

const INTERACTION: &str = "SELECT id, channel, way, called, caller, customer, ticket, visitor, queue, agent, opened_at, \
                           answered_at, closed_at, cause, ended_by, unqueued, waited_ms, talk_ms, hold_ms, wrap_ms, \
                           disposition, note, verdict FROM interactions WHERE tenant = $1";
const RECORDING: &str = "SELECT id, interaction, file, voicemail, began_at, ended_at, ms, bytes, trouble FROM recordings \
                         WHERE tenant = $1";

fn interaction(r: &Row) -> Result<InteractionRow> {
    let (channel, way, to, from): (_, Way, _, _) = (r.parsed(1, Channel::parse)?, r.parsed(2, word)?, r.text(3)?, r.text(4)?);
    let theirs = Some(if way == Way::Outbound { &to } else { &from }).filter(|_| channel == Channel::Voice);
    let region = theirs.and_then(|n| Region::of(n)).map(|r| r.to_string());
    Ok(InteractionRow {
        id: r.parsed(0, InteractionId::parse)?,
        channel,
        way,
        to,
        from,
        region,
        customer: r.parsed(5, CustomerId::parse)?,
        ticket: r.parsed_opt(6, TicketId::parse)?,
        visitor: r.parsed_opt(7, VisitorId::parse)?,
        queue: r.parsed_opt(8, |s| QueueId::parse(s).ok())?,
        agent: r.parsed_opt(9, |s| AgentId::parse(s).ok())?,
        opened_at: r.wall(10)?,
        answered_at: r.wall_opt(11)?,
        closed_at: r.wall_opt(12)?,
        cause: r.parsed_opt(13, word)?,
        ended_by: r.parsed_opt(14, word)?,
        unqueued: r.parsed_opt(15, word)?,
        waited_ms: r.count(16)?,
        talk_ms: r.count(17)?,
        hold_ms: r.count(18)?,
        wrap_ms: r.count(19)?,
        disposition: r.parsed_opt(20, |s| CodeId::parse(s).ok())?,
        note: r.text_opt(21)?,
        verdict: r.parsed_opt(22, |s| serde_json::from_str(s).ok())?,
    })
}

fn recording(r: &Row) -> Result<RecordingRow> {
    Ok(RecordingRow {
        id: r.parsed(0, RecordingId::parse)?,
        interaction: r.parsed(1, InteractionId::parse)?,
        file: r.text(2)?,
        voicemail: r.flag(3)?,
        began_at: r.wall(4)?,
        ended_at: r.wall_opt(5)?,
        ms: r.count_opt(6)?,
        bytes: r.count_opt(7)?,
        trouble: r.text_opt(8)?,
    })
}

/// Contacts whose number ends so: a range of the digits the other way round.
fn by_number(ask: &mut Ask, ends: &[String]) {
    ask.sql.push_str(" AND id IN (SELECT '' WHERE 1 = 0");
    for end in ends {
        let turned: String = end.chars().rev().collect();
        ask.and(" UNION SELECT id FROM interactions WHERE tenant = $1 AND turned >= ?", &turned);
        ask.and(" AND turned < ?", prefix_end(&turned));
    }
    ask.sql.push(')');
}

/// Contacts of people so called, also of those who were merged into them.
fn by_name(ask: &mut Ask, name: &str) {
    for word in term(name).to_lowercase().split_whitespace().take(limits::NAME_WORDS_MAX) {
        ask.and(" AND customer IN (SELECT customer FROM customer_words WHERE tenant = $1 AND word >= ?", word);
        let from = ask.values.len();
        ask.and(" AND word < ?", prefix_end(word));
        ask.sql.push_str(&format!(
            " UNION SELECT c.id FROM customer_words w JOIN customers c ON c.tenant = w.tenant AND c.merged_into = w.customer \
             WHERE w.tenant = $1 AND w.word >= ${from} AND w.word < ${})",
            from + 1
        ));
    }
}

impl Store {
    /// Contacts, the newest first.
    pub async fn interaction_list(&self, tenant: &TenantId, filter: &InteractionFilter) -> Result<Page<InteractionRow>> {
        let limit = page_size(filter.limit);
        let items = self.interactions_newest(tenant, filter, limit + 1).await?;
        Ok(Page::cut(items, limit, |i: &InteractionRow| Cursor { at: i.opened_at, id: i.id.0 }))
    }

    /// The newest `rows` that pass the filter, whatever its own limit.
    pub(super) async fn interactions_newest(
        &self,
        tenant: &TenantId,
        filter: &InteractionFilter,
        rows: usize,
    ) -> Result<Vec<InteractionRow>> {
        let mut ask = Ask::new(INTERACTION, tenant);
        ask.and_if(" AND opened_at >= ?", filter.from);
        ask.and_if(" AND opened_at < ?", filter.to);
        ask.and_if(" AND queue = ?", filter.queue.as_ref());
        ask.and_if(" AND agent = ?", filter.agent.as_ref());
        ask.and_if(" AND channel = ?", filter.channel.map(Channel::as_str));
        ask.and_if(OF_CUSTOMER, filter.customer);
        ask.and_if(" AND ticket = ?", filter.ticket);
        match &filter.search {
            Some(ContactSearch::Number(ends)) => by_number(&mut ask, ends),
            Some(ContactSearch::Name(name)) => by_name(&mut ask, name),
            None => {}
        }
        match filter.open {
            Some(true) => ask.sql.push_str(" AND closed_at IS NULL"),
            Some(false) => ask.sql.push_str(" AND closed_at IS NOT NULL"),
            None => {}
        }
        // What is looked for is little: found first and sorted then. By the index of time SQLite would walk through all there is.
        let few = filter.search.is_some() || filter.customer.is_some() || filter.ticket.is_some();
        let order = if few { "+opened_at" } else { "opened_at" };
        ask.newest_first(order, filter.after, rows);
        let rows = self.db.all(ask.sql, ask.values, || format!("list the contacts of {tenant}")).await?;
        rows.iter().map(interaction).collect()
    }

    /// One contact.
    pub async fn interaction_get(&self, tenant: &TenantId, id: InteractionId) -> Result<Option<InteractionRow>> {
        let sql = format!("{INTERACTION} AND id = $2");
        let row = self.db.one(sql, values![tenant, id], || format!("read contact {id}")).await?;
        row.as_ref().map(interaction).transpose()
    }

    /// Why each agent was offered a contact, in order.
    pub async fn decision_list(&self, tenant: &TenantId, interaction: InteractionId) -> Result<Vec<DecisionRow>> {
        let sql = "SELECT d.offer, d.agent, d.at, d.until_at, d.ended_at, d.outcome, j.body FROM decisions d \
                   JOIN journal j ON j.seq = d.seq WHERE d.tenant = $1 AND d.interaction = $2 ORDER BY d.seq LIMIT $3";
        let values = values![tenant, interaction, limits::LIST_MAX];
        let rows = self.db.all(sql, values, || format!("read the decisions about {interaction}")).await?;
        let read = |r: &Row| {
            Ok(DecisionRow {
                offer: r.parsed(0, OfferId::parse)?,
                agent: r.parsed(1, |s| AgentId::parse(s).ok())?,
                at: r.wall(2)?,
                until: r.wall(3)?,
                ended_at: r.wall_opt(4)?,
                outcome: r.parsed_opt(5, |s| serde_json::from_str(s).ok())?,
                decision: r.json::<Why>(6)?.decision,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Messages of a conversation behind place `after`, in order.
    pub async fn message_list(
        &self,
        tenant: &TenantId,
        interaction: InteractionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<text::Message>> {
        let sql = "SELECT body FROM messages WHERE tenant = $1 AND interaction = $2 AND seq > $3 ORDER BY seq LIMIT $4";
        let values = values![tenant, interaction, after, page_size(limit)];
        let rows = self.db.all(sql, values, || format!("read the messages of {interaction}")).await?;
        rows.iter().map(|r| r.json(0)).collect()
    }

    /// The recordings of a contact, in order.
    pub async fn recording_list(&self, tenant: &TenantId, interaction: InteractionId) -> Result<Vec<RecordingRow>> {
        let sql = format!("{RECORDING} AND interaction = $2 ORDER BY seq LIMIT $3");
        let values = values![tenant, interaction, limits::LIST_MAX];
        let rows = self.db.all(sql, values, || format!("list the recordings of {interaction}")).await?;
        rows.iter().map(recording).collect()
    }

    /// One recording.
    pub async fn recording_get(&self, tenant: &TenantId, id: RecordingId) -> Result<Option<RecordingRow>> {
        let sql = format!("{RECORDING} AND id = $2");
        let row = self.db.one(sql, values![tenant, id], || format!("read recording {id}")).await?;
        row.as_ref().map(recording).transpose()
    }

    /// Messages callers left, the newest first.
    pub async fn voicemail_list(&self, tenant: &TenantId, after: Option<Cursor>, limit: usize) -> Result<Page<RecordingRow>> {
        let limit = page_size(limit);
        let mut ask = Ask::new(format!("{RECORDING} AND voicemail = 1"), tenant);
        ask.newest_first("began_at", after, limit + 1);
        let rows = self.db.all(ask.sql, ask.values, || format!("list the voicemails of {tenant}")).await?;
        let items = rows.iter().map(recording).collect::<Result<_>>()?;
        Ok(Page::cut(items, limit, |r: &RecordingRow| Cursor { at: r.began_at, id: r.id.0 }))
    }

    /// States an agent took in `from..to`, in order.
    pub async fn agent_state_list(
        &self,
        tenant: &TenantId,
        agent: &AgentId,
        from: Wall,
        to: Wall,
    ) -> Result<Vec<AgentStateRow>> {
        let sql = "SELECT seq, body, since FROM agent_states WHERE tenant = $1 AND agent = $2 AND since >= $3 AND since < $4 \
                   ORDER BY seq LIMIT $5";
        let values = values![tenant, agent, from, to, limits::LIST_MAX];
        let rows = self.db.all(sql, values, || format!("read the states of agent {agent}")).await?;
        let read = |r: &Row| Ok(AgentStateRow { seq: r.count(0)?, agent: agent.clone(), state: r.json(1)?, since: r.wall(2)? });
        rows.iter().map(read).collect()
    }
}
