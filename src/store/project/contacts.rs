//! What facts about contacts and agents change: interactions, waits, segments, decisions, messages, recordings, states.
//!
//! A group of facts is folded in memory first, and written as it stands at the end: a call that arrived, waited and was
//! answered within one commit is one row of each table, not a row changed five times.

use std::collections::BTreeMap;

use super::{
    super::{
        bulk::{Bulk, Texts, Values},
        engine::{Tx, values},
        error::Result,
    },
    contact::Contact,
};
use crate::{
    base::{AgentId, InteractionId, OfferId, QueueId, RecordingId, TenantId, Wall},
    center::fact::{Fact, Record},
};

const MESSAGES: Bulk =
    Bulk { head: "INSERT INTO messages (tenant, interaction, seq, id, body)", columns: 5, tail: "ON CONFLICT DO NOTHING" };
const FILES: Bulk =
    Bulk { head: "INSERT INTO files (tenant, interaction, seq, id, at)", columns: 5, tail: "ON CONFLICT DO NOTHING" };
/// Queue and agent are those the contact had last.
const RATINGS: Bulk = Bulk {
    head: "WITH given (tenant, interaction, at, score, best, comment) AS (",
    columns: 6,
    tail: ") INSERT INTO ratings (tenant, interaction, at, queue, agent, score, best, comment) \
           SELECT given.tenant, given.interaction, given.at, interactions.queue, interactions.agent, given.score, given.best, \
           given.comment FROM given CROSS JOIN interactions \
           WHERE interactions.tenant = given.tenant AND interactions.id = given.interaction ON CONFLICT DO NOTHING",
};
const STATES: Bulk =
    Bulk { head: "INSERT INTO agent_states (seq, tenant, agent, since, body)", columns: 5, tail: "ON CONFLICT DO NOTHING" };

const WAITS: Bulk = Bulk {
    head: "INSERT INTO waits (seq, tenant, interaction, queue, entered_at, left_at, why, waited_ms)",
    columns: 8,
    tail: "ON CONFLICT DO NOTHING",
};
/// A restart puts the same stay into the router again: it goes on, it does not begin anew.
const WAITS_UNLESS_OPEN: Bulk = Bulk {
    head: "WITH given (seq, tenant, interaction, queue, entered_at, left_at, why, waited_ms) AS (",
    columns: 8,
    tail: ") INSERT INTO waits (seq, tenant, interaction, queue, entered_at, left_at, why, waited_ms) \
           SELECT seq, tenant, interaction, queue, entered_at, left_at, why, waited_ms FROM given \
           WHERE NOT EXISTS (SELECT 1 FROM waits w WHERE w.tenant = given.tenant AND w.interaction = given.interaction \
           AND w.queue = given.queue AND w.left_at IS NULL) ON CONFLICT DO NOTHING",
};
const WAITS_OVER: Bulk = Bulk {
    head: "WITH given (tenant, interaction, queue, left_at, why, waited_ms) AS (",
    columns: 6,
    tail: ") UPDATE waits SET left_at = given.left_at, why = given.why, waited_ms = given.waited_ms FROM given \
           WHERE waits.tenant = given.tenant AND waits.interaction = given.interaction AND waits.queue = given.queue \
           AND waits.left_at IS NULL",
};

const SEGMENTS: Bulk = Bulk {
    head: "INSERT INTO segments (seq, tenant, interaction, agent, queue, began_at, ended_at, talk_ms, hold_ms, wrap_ms)",
    columns: 10,
    tail: "ON CONFLICT DO NOTHING",
};
/// The queue is the one the contact waited in last.
const SEGMENTS_OF_QUEUE: Bulk = Bulk {
    head: "WITH given (seq, tenant, interaction, agent, began_at, ended_at, talk_ms, hold_ms, wrap_ms) AS (",
    columns: 9,
    tail: ") INSERT INTO segments (seq, tenant, interaction, agent, queue, began_at, ended_at, talk_ms, hold_ms, wrap_ms) \
           SELECT given.seq, given.tenant, given.interaction, given.agent, interactions.queue, given.began_at, given.ended_at, \
           given.talk_ms, given.hold_ms, given.wrap_ms FROM given CROSS JOIN interactions \
           WHERE interactions.tenant = given.tenant AND interactions.id = given.interaction ON CONFLICT DO NOTHING",
};
const SEGMENTS_MORE: Bulk = Bulk {
    head: "WITH given (tenant, interaction, agent, ended_at, talk_ms, hold_ms, wrap_ms) AS (",
    columns: 7,
    tail: ") UPDATE segments SET ended_at = COALESCE(given.ended_at, segments.ended_at), \
           talk_ms = segments.talk_ms + given.talk_ms, hold_ms = segments.hold_ms + given.hold_ms, \
           wrap_ms = segments.wrap_ms + given.wrap_ms FROM given WHERE segments.tenant = given.tenant \
           AND segments.interaction = given.interaction AND segments.agent = given.agent AND NOT EXISTS (SELECT 1 \
           FROM segments later WHERE later.tenant = given.tenant AND later.interaction = given.interaction \
           AND later.agent = given.agent AND later.seq > segments.seq)",
};

const DECISIONS: Bulk = Bulk {
    head: "INSERT INTO decisions (tenant, offer, seq, interaction, agent, at, until_at, ended_at, outcome)",
    columns: 9,
    tail: "ON CONFLICT DO NOTHING",
};
const DECISIONS_OVER: Bulk = Bulk {
    head: "WITH given (tenant, offer, ended_at, outcome) AS (",
    columns: 4,
    tail: ") UPDATE decisions SET ended_at = given.ended_at, outcome = given.outcome FROM given \
           WHERE decisions.tenant = given.tenant AND decisions.offer = given.offer",
};

const RECORDINGS: Bulk = Bulk {
    head: "INSERT INTO recordings (tenant, id, seq, interaction, file, began_at, ended_at, ms, bytes, trouble, voicemail)",
    columns: 11,
    tail: "ON CONFLICT DO NOTHING",
};
const RECORDINGS_OVER: Bulk = Bulk {
    head: "WITH given (tenant, id, ended_at, ms, bytes, trouble) AS (",
    columns: 6,
    tail: ") UPDATE recordings SET ended_at = given.ended_at, ms = given.ms, bytes = given.bytes, trouble = given.trouble \
           FROM given WHERE recordings.tenant = given.tenant AND recordings.id = given.id",
};
const RECORDINGS_OF_VOICEMAIL: Bulk = Bulk {
    head: "WITH given (tenant, id) AS (",
    columns: 2,
    tail: ") UPDATE recordings SET voicemail = 1 FROM given WHERE recordings.tenant = given.tenant AND recordings.id = given.id",
};

/// How a stay in a queue ended.
#[derive(Debug, Clone)]
struct Left {
    at: Wall,
    why: String,
    waited_ms: u64,
}

/// One stay in a queue, as far as this group knows it.
#[derive(Debug, Default)]
struct Stay {
    new: Option<NewStay>,
    /// Ends what the table has open.
    left: Option<Left>,
}

#[derive(Debug)]
struct NewStay {
    seq: u64,
    entered: Wall,
    left: Option<Left>,
    /// The contact is as new as the stay: the table cannot have an open one.
    first: bool,
}

/// What an agent's handling came to.
#[derive(Debug, Default)]
struct Handled {
    ended: Option<Wall>,
    talk_ms: u64,
    hold_ms: u64,
    wrap_ms: u64,
}

#[derive(Debug)]
struct Segment {
    seq: u64,
    began: Wall,
    /// The queue, if this group knows it.
    queue: Option<Option<QueueId>>,
    handled: Handled,
}

#[derive(Debug)]
struct NewDecision {
    row: Values,
    ended: Option<(Wall, String)>,
}

#[derive(Debug)]
struct Closed {
    at: Wall,
    ms: u64,
    bytes: u64,
    trouble: Option<String>,
}

#[derive(Debug, Default)]
struct Recording {
    /// The columns a start gives, if it is of this group.
    new: Option<Values>,
    closed: Option<Closed>,
    voicemail: bool,
}

type Place = (TenantId, InteractionId);

/// What a group of facts comes to, before it is written.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    contacts: BTreeMap<Place, Contact>,
    stays: BTreeMap<(Place, QueueId), Stay>,
    segments: BTreeMap<(Place, AgentId), Vec<Segment>>,
    handled: BTreeMap<(Place, AgentId), Handled>,
    decisions: BTreeMap<(TenantId, OfferId), NewDecision>,
    decided: BTreeMap<(TenantId, OfferId), (Wall, String)>,
    recordings: BTreeMap<(TenantId, RecordingId), Recording>,
    messages: Vec<Values>,
    files: Vec<Values>,
    ratings: Vec<Values>,
    states: Vec<Values>,
}

impl Contacts {
    /// Takes in one fact. False: what is held has to be written first, and then the fact is to come again.
    pub fn take(&mut self, record: &Record) -> bool {
        let tenant = &record.tenant;
        match &record.fact {
            Fact::InteractionOpened { interaction, .. } => {
                self.contacts.insert((tenant.clone(), *interaction), Contact::opened(record));
            }
            Fact::InteractionClosed { interaction, cause, by } => {
                self.contact(tenant, *interaction).closed = Some((record.at, word_of(cause), word_of(by)));
            }
            Fact::Disposed { interaction, code, note, .. } => {
                self.contact(tenant, *interaction).disposed = Some((code.clone(), note.clone()));
            }
            Fact::Queued { .. } | Fact::Unqueued { .. } => return self.waiting(record),
            Fact::Offered { .. } | Fact::OfferEnded { .. } => self.offers(record),
            Fact::Connected { .. } | Fact::TalkEnded { .. } | Fact::WrapUpOver { .. } => self.handling(record),
            Fact::RecordingStarted { .. } | Fact::RecordingEnded { .. } | Fact::VoicemailLeft { .. } => self.recording(record),
            Fact::Message { interaction, message } => {
                self.messages.push(values![tenant, *interaction, message.seq, message.id, text_of(message)]);
                if let Some(file) = &message.file {
                    self.files.push(values![tenant, *interaction, message.seq, file.id.as_str(), message.at]);
                }
            }
            Fact::Rated { interaction, score, best, comment, .. } => {
                let (score, best) = (u64::from(*score), u64::from(*best));
                self.ratings.push(values![tenant, *interaction, record.at, score, best, comment]);
            }
            Fact::AgentState { agent, state, since, .. } => {
                self.states.push(values![record.seq, tenant, agent, *since, text_of(state)]);
            }
            // Tickets and customers have their own machines. The rest is read from the journal itself when it is asked for.
            Fact::Ticket { .. }
            | Fact::Customer { .. }
            | Fact::NodeStarted { .. }
            | Fact::FlowStarted { .. }
            | Fact::FlowEntered { .. }
            | Fact::FlowSaved { .. }
            | Fact::FlowEvent { .. }
            | Fact::Held { .. }
            | Fact::CallbackBooked { .. }
            | Fact::CallbackTried { .. }
            | Fact::Transferred { .. }
            | Fact::WrapUp { .. }
            | Fact::LegOpened { .. }
            | Fact::LegDialog { .. }
            | Fact::LegTrouble { .. }
            | Fact::LegEnded { .. }
            | Fact::ReadUpTo { .. }
            | Fact::Counted { .. }
            | Fact::CallOut { .. }
            | Fact::CallOutOver { .. }
            | Fact::Consulted { .. }
            | Fact::ConsultAnswered { .. }
            | Fact::ConsultMerged { .. }
            | Fact::ConsultEnded { .. }
            | Fact::Muted { .. }
            | Fact::KeysSent { .. }
            | Fact::Supervised { .. }
            | Fact::SupervisionEnded { .. }
            | Fact::TakenOver { .. }
            | Fact::Reassigned { .. }
            | Fact::Prioritised { .. }
            | Fact::RecordingPaused { .. }
            | Fact::EndpointChosen { .. }
            | Fact::Said { .. }
            | Fact::Alarm { .. }
            | Fact::AlertRaised { .. }
            | Fact::AlertCleared { .. }
            | Fact::AlertAcked { .. } => {}
        }
        true
    }

    /// The contacts of a ticket, as the machine of tickets lists them, point to it.
    pub fn joined(&mut self, tenant: &TenantId, interaction: InteractionId, ticket: crate::base::TicketId) {
        self.contact(tenant, interaction).ticket = Some(ticket);
    }

    fn contact(&mut self, tenant: &TenantId, interaction: InteractionId) -> &mut Contact {
        self.contacts.entry((tenant.clone(), interaction)).or_default()
    }

    fn waiting(&mut self, record: &Record) -> bool {
        let tenant = &record.tenant;
        match &record.fact {
            Fact::Queued { entry } => {
                let place = (tenant.clone(), entry.interaction);
                let first = self.contacts.get(&place).is_some_and(Contact::is_new);
                let stay = self.stays.entry((place, entry.queue.clone())).or_default();
                match stay {
                    Stay { new: Some(NewStay { left: None, .. }), .. } => {}
                    Stay { new: None, left: None } => {
                        stay.new = Some(NewStay { seq: record.seq, entered: record.at, left: None, first });
                    }
                    // It waited here before: that is over in the table before this begins.
                    _ => return false,
                }
                self.contact(tenant, entry.interaction).queued(&entry.queue);
            }
            Fact::Unqueued { interaction, queue, why, waited_ms } => {
                let left = Left { at: record.at, why: word_of(why), waited_ms: *waited_ms };
                self.contact(tenant, *interaction).unqueued(left.why.clone(), *waited_ms);
                let stay = self.stays.entry(((tenant.clone(), *interaction), queue.clone())).or_default();
                match &mut stay.new {
                    Some(new) if new.left.is_none() => {
                        stay.left = (!new.first).then(|| left.clone());
                        new.left = Some(left);
                    }
                    Some(_) => {}
                    None => stay.left = stay.left.take().or(Some(left)),
                }
            }
            _ => {}
        }
        true
    }

    fn offers(&mut self, record: &Record) {
        let tenant = &record.tenant;
        match &record.fact {
            // Why it was made is read from the journal itself.
            Fact::Offered { interaction, offer, agent, until, .. } => {
                let row = values![tenant, *offer, record.seq, *interaction, agent, record.at, *until];
                self.decisions.entry((tenant.clone(), *offer)).or_insert(NewDecision { row, ended: None });
            }
            Fact::OfferEnded { offer, why, .. } => {
                let end = (record.at, text_of(why));
                let key = (tenant.clone(), *offer);
                match self.decisions.get_mut(&key) {
                    Some(new) => new.ended = Some(end),
                    None => drop(self.decided.insert(key, end)),
                }
            }
            _ => {}
        }
    }

    fn handling(&mut self, record: &Record) {
        let tenant = &record.tenant;
        let mut handled = |interaction: InteractionId, agent: &AgentId, change: &dyn Fn(&mut Handled)| {
            let key = ((tenant.clone(), interaction), agent.clone());
            match self.segments.get_mut(&key).and_then(|s| s.last_mut()) {
                Some(new) => change(&mut new.handled),
                None => change(self.handled.entry(key).or_default()),
            }
        };
        match &record.fact {
            Fact::Connected { interaction, agent, .. } => {
                let contact = self.contact(tenant, *interaction);
                contact.connected(agent, record.at);
                let queue = contact.known_queue();
                let segment = Segment { seq: record.seq, began: record.at, queue, handled: Handled::default() };
                self.segments.entry(((tenant.clone(), *interaction), agent.clone())).or_default().push(segment);
            }
            Fact::TalkEnded { interaction, agent, talk_ms, hold_ms, .. } => {
                handled(*interaction, agent, &|h| {
                    h.ended = Some(record.at);
                    h.talk_ms += talk_ms;
                    h.hold_ms += hold_ms;
                });
                let contact = self.contact(tenant, *interaction);
                contact.talk_ms += talk_ms;
                contact.hold_ms += hold_ms;
            }
            Fact::WrapUpOver { interaction, agent, wrap_ms, .. } => {
                handled(*interaction, agent, &|h| h.wrap_ms += wrap_ms);
                self.contact(tenant, *interaction).wrap_ms += wrap_ms;
            }
            _ => {}
        }
    }

    fn recording(&mut self, record: &Record) {
        let tenant = &record.tenant;
        let id = match &record.fact {
            Fact::RecordingStarted { recording, .. }
            | Fact::RecordingEnded { recording, .. }
            | Fact::VoicemailLeft { recording, .. } => *recording,
            _ => return,
        };
        let held = self.recordings.entry((tenant.clone(), id)).or_default();
        match &record.fact {
            Fact::RecordingStarted { interaction, recording, file } => {
                held.new = Some(values![tenant, *recording, record.seq, *interaction, file, record.at]);
            }
            Fact::RecordingEnded { ms, bytes, trouble, .. } => {
                held.closed = Some(Closed { at: record.at, ms: *ms, bytes: *bytes, trouble: trouble.clone() });
            }
            _ => held.voicemail = true,
        }
    }

    /// Writes what is held, and holds nothing any more.
    pub async fn write(&mut self, tx: &mut Tx, texts: &mut Texts) -> Result<()> {
        let held = std::mem::take(self);
        // First what refers to the rows of before.
        texts.run(tx, &SEGMENTS_MORE, held.handled.into_iter().map(|(k, h)| h.row(&k)).collect()).await?;
        let (mut known, mut asking) = (Vec::new(), Vec::new());
        for (key, new) in held.segments {
            new.into_iter().for_each(|s| match s.queue.clone() {
                Some(queue) => known.push(s.row(&key, Some(queue))),
                None => asking.push(s.row(&key, None)),
            });
        }
        texts.run(tx, &SEGMENTS_OF_QUEUE, asking).await?;
        texts.run(tx, &SEGMENTS, known).await?;
        super::contact::write(tx, texts, held.contacts).await?;
        stays_write(tx, texts, held.stays).await?;
        texts.run(tx, &DECISIONS, held.decisions.into_values().map(NewDecision::row).collect()).await?;
        let over = held.decided.into_iter().map(|((tenant, offer), (at, outcome))| values![&tenant, offer, at, outcome]);
        texts.run(tx, &DECISIONS_OVER, over.collect()).await?;
        texts.run(tx, &MESSAGES, held.messages).await?;
        texts.run(tx, &FILES, held.files).await?;
        texts.run(tx, &RATINGS, held.ratings).await?;
        texts.run(tx, &STATES, held.states).await?;
        recordings_write(tx, texts, held.recordings).await
    }
}

impl Handled {
    fn row(&self, ((tenant, interaction), agent): &(Place, AgentId)) -> Values {
        values![tenant, *interaction, agent, self.ended, self.talk_ms, self.hold_ms, self.wrap_ms]
    }
}

impl Segment {
    fn row(&self, ((tenant, interaction), agent): &(Place, AgentId), queue: Option<Option<QueueId>>) -> Values {
        let h = &self.handled;
        let mut row = values![self.seq, tenant, *interaction, agent];
        row.extend(queue.map(|q| q.as_ref().into()));
        row.extend(values![self.began, h.ended, h.talk_ms, h.hold_ms, h.wrap_ms]);
        row
    }
}

impl NewDecision {
    fn row(mut self) -> Values {
        let (at, outcome) = self.ended.unzip();
        self.row.extend(values![at, outcome]);
        self.row
    }
}

async fn stays_write(tx: &mut Tx, texts: &mut Texts, stays: BTreeMap<(Place, QueueId), Stay>) -> Result<()> {
    let (mut first, mut again, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for (((tenant, interaction), queue), Stay { new, left }) in stays {
        if let Some(new) = new {
            let mut row = values![new.seq, &tenant, interaction, &queue, new.entered];
            match new.left {
                Some(l) => row.extend(values![l.at, l.why, l.waited_ms]),
                None => row.extend(values![None::<Wall>, None::<String>, None::<u64>]),
            }
            if new.first { &mut first } else { &mut again }.push(row);
        }
        if let Some(l) = left {
            over.push(values![&tenant, interaction, &queue, l.at, l.why, l.waited_ms]);
        }
    }
    texts.run(tx, &WAITS, first).await?;
    // A stay that was open already takes the end of the one that is not begun because of it.
    texts.run(tx, &WAITS_UNLESS_OPEN, again).await?;
    texts.run(tx, &WAITS_OVER, over).await
}

async fn recordings_write(
    tx: &mut Tx,
    texts: &mut Texts,
    recordings: BTreeMap<(TenantId, RecordingId), Recording>,
) -> Result<()> {
    let (mut new, mut over, mut voicemail) = (Vec::new(), Vec::new(), Vec::new());
    for ((tenant, id), r) in recordings {
        match (r.new, r.closed) {
            (Some(mut row), closed) => {
                match closed {
                    Some(c) => row.extend(values![c.at, c.ms, c.bytes, c.trouble]),
                    None => row.extend(values![None::<Wall>, None::<u64>, None::<u64>, None::<String>]),
                }
                row.push(r.voicemail.into());
                new.push(row);
                continue;
            }
            (None, Some(c)) => over.push(values![&tenant, id, c.at, c.ms, c.bytes, c.trouble]),
            (None, None) => {}
        }
        if r.voicemail {
            voicemail.push(values![&tenant, id]);
        }
    }
    texts.run(tx, &RECORDINGS, new).await?;
    texts.run(tx, &RECORDINGS_OVER, over).await?;
    texts.run(tx, &RECORDINGS_OF_VOICEMAIL, voicemail).await
}

pub(super) fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("types of facts have been written to the journal as JSON just before")
}

/// The name serde gives a value that is one word: what `read` reads it back by.
pub(super) fn word_of(value: &impl serde::Serialize) -> String {
    text_of(value).trim_matches('"').to_owned()
}
