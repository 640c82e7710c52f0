//! The line of a contact: what a group of facts says about it, and how that is written.

use std::collections::BTreeMap;

use super::{
    super::{
        bulk::{Bulk, Texts, Values},
        engine::{Tx, values},
        error::Result,
    },
    contacts::{text_of, word_of},
};
use crate::{
    base::{AgentId, Channel, CodeId, InteractionId, QueueId, TenantId, TicketId, Wall},
    center::fact::{Fact, Record, Way},
};

const NEW: Bulk = Bulk {
    head: "INSERT INTO interactions (tenant, id, channel, way, called, caller, customer, visitor, opened_at, ticket, queue, agent, \
           answered_at, closed_at, cause, ended_by, unqueued, waited_ms, talk_ms, hold_ms, wrap_ms, disposition, note, verdict, turned)",
    columns: 25,
    // By name: another rule of the table that is broken must not look like a row that is there already.
    tail: "ON CONFLICT (tenant, id) DO NOTHING",
};
// Four statements, so that an index is touched only where its column is given.
const QUEUED: Bulk = Bulk {
    head: "WITH given (tenant, id, queue) AS (",
    columns: 3,
    tail: ") UPDATE interactions SET queue = given.queue, unqueued = NULL FROM given \
           WHERE interactions.tenant = given.tenant AND interactions.id = given.id",
};
const CONNECTED: Bulk = Bulk {
    head: "WITH given (tenant, id, agent, answered_at) AS (",
    columns: 4,
    tail: ") UPDATE interactions SET agent = given.agent, answered_at = COALESCE(interactions.answered_at, given.answered_at) \
           FROM given WHERE interactions.tenant = given.tenant AND interactions.id = given.id",
};
const JOINED: Bulk = Bulk {
    head: "WITH given (tenant, id, ticket) AS (",
    columns: 3,
    tail: ") UPDATE interactions SET ticket = given.ticket FROM given \
           WHERE interactions.tenant = given.tenant AND interactions.id = given.id",
};
const WENT_ON: Bulk = Bulk {
    head: "WITH given (tenant, id, closed_at, cause, ended_by, unqueued, waited_ms, talk_ms, hold_ms, wrap_ms, disposition, note) \
           AS (",
    columns: 12,
    tail: ") UPDATE interactions SET closed_at = COALESCE(given.closed_at, interactions.closed_at), \
           cause = COALESCE(given.cause, interactions.cause), ended_by = COALESCE(given.ended_by, interactions.ended_by), \
           unqueued = COALESCE(given.unqueued, interactions.unqueued), \
           waited_ms = COALESCE(given.waited_ms, interactions.waited_ms), \
           talk_ms = interactions.talk_ms + given.talk_ms, hold_ms = interactions.hold_ms + given.hold_ms, \
           wrap_ms = interactions.wrap_ms + given.wrap_ms, \
           disposition = COALESCE(given.disposition, interactions.disposition), note = COALESCE(given.note, interactions.note) \
           FROM given WHERE interactions.tenant = given.tenant AND interactions.id = given.id",
};

/// Most digits of a number that are looked up; no number is as long (E.164 has 15).
const DIGITS_MAX: usize = 24;

/// The digits of a number, the last first, so that numbers that end alike stand beside each other. Empty for what is no number.
fn turned(number: &str) -> String {
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'+') {
        return String::new();
    }
    number.chars().rev().filter(char::is_ascii_digit).take(DIGITS_MAX).collect()
}

/// What a group says about one contact.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// The columns its arrival gives, if that is of this group.
    new: Option<Values>,
    /// Who vouches for the caller: told with the arrival.
    verdict: Option<String>,
    /// The customer's number by its end.
    turned: String,
    pub ticket: Option<TicketId>,
    queue: Option<QueueId>,
    agent: Option<(AgentId, Wall)>,
    unqueued: Option<String>,
    waited_ms: Option<u64>,
    /// When, why, by whom.
    pub closed: Option<(Wall, String, String)>,
    pub disposed: Option<(CodeId, String)>,
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub wrap_ms: u64,
}

impl Contact {
    /// As it arrives.
    pub fn opened(record: &Record) -> Contact {
        let Fact::InteractionOpened { interaction, channel, way, to, from, customer, ticket, visitor, verdict } = &record.fact
        else {
            return Contact::default();
        };
        let new =
            values![&record.tenant, *interaction, channel.as_str(), word_of(way), to, from, *customer, *visitor, record.at];
        let verdict = verdict.as_ref().map(text_of);
        let number = if *way == Way::Outbound { to } else { from };
        let turned = if *channel == Channel::Voice { turned(number) } else { String::new() };
        Contact { new: Some(new), verdict, turned, ticket: *ticket, ..Contact::default() }
    }

    /// It arrived within this group.
    pub fn is_new(&self) -> bool {
        self.new.is_some()
    }

    /// The queue it waits or waited in last, if this group knows.
    pub fn known_queue(&self) -> Option<Option<QueueId>> {
        (self.is_new() || self.queue.is_some()).then(|| self.queue.clone())
    }

    pub fn queued(&mut self, queue: &QueueId) {
        self.queue = Some(queue.clone());
        self.unqueued = None;
    }

    pub fn unqueued(&mut self, why: String, waited_ms: u64) {
        self.unqueued = Some(why);
        self.waited_ms = Some(waited_ms);
    }

    /// Answered is when the first did.
    pub fn connected(&mut self, agent: &AgentId, at: Wall) {
        let first = self.agent.take().map_or(at, |(_, first)| first);
        self.agent = Some((agent.clone(), first));
    }

    fn went_on(&self) -> bool {
        self.closed.is_some()
            || self.disposed.is_some()
            || self.unqueued.is_some()
            || self.waited_ms.is_some()
            || self.talk_ms + self.hold_ms + self.wrap_ms > 0
    }
}

/// Writes the lines: new ones whole, the others as far as they changed.
pub(super) async fn write(
    tx: &mut Tx,
    texts: &mut Texts,
    contacts: BTreeMap<(TenantId, InteractionId), Contact>,
) -> Result<()> {
    let (mut new, mut queued, mut connected, mut joined, mut went_on) = (vec![], vec![], vec![], vec![], vec![]);
    for ((tenant, id), mut c) in contacts {
        let (closed, cause, by) =
            c.closed.clone().map_or((None, None, None), |(at, cause, by)| (Some(at), Some(cause), Some(by)));
        let (code, note) = c.disposed.clone().unzip();
        if let Some(mut row) = c.new.take() {
            let (agent, answered) = c.agent.unzip();
            row.extend(values![c.ticket, c.queue.as_ref(), agent.as_ref(), answered]);
            row.extend(values![closed, cause, by, c.unqueued, c.waited_ms.unwrap_or(0), c.talk_ms, c.hold_ms, c.wrap_ms]);
            row.extend(values![code.as_ref(), note, c.verdict, c.turned]);
            new.push(row);
            continue;
        }
        if let Some(queue) = &c.queue {
            queued.push(values![&tenant, id, queue]);
        }
        if let Some((agent, at)) = &c.agent {
            connected.push(values![&tenant, id, agent, *at]);
        }
        if let Some(ticket) = c.ticket {
            joined.push(values![&tenant, id, ticket]);
        }
        if c.went_on() {
            let mut row = values![&tenant, id, closed, cause, by, c.unqueued, c.waited_ms];
            row.extend(values![c.talk_ms, c.hold_ms, c.wrap_ms, code.as_ref(), note]);
            went_on.push(row);
        }
    }
    texts.run(tx, &NEW, new).await?;
    texts.run(tx, &QUEUED, queued).await?;
    texts.run(tx, &CONNECTED, connected).await?;
    texts.run(tx, &JOINED, joined).await?;
    texts.run(tx, &WENT_ON, went_on).await
}
