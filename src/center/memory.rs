//! Facts folded into what a restart must know. The same fold serves the simulator's crashes and the real ones.
//!
//! Nothing here decides: [`Memory::apply`] only remembers. What to do about it is `recover`'s.

use std::collections::{BTreeMap, VecDeque};

use super::{
    callback,
    fact::{Fact, Record, Unqueued, Way},
};
use crate::{
    base::{
        AgentId, Channel, CodeId, CustomerId, FlowId, InteractionId, OfferId, RecordingId, TenantId, TicketId, VisitorId, Wall,
        limits,
    },
    call::{LegSnapshot, trunk},
    customer, ivr, routing,
    sip::dialog::DialogSnapshot,
    text, ticket,
};

/// Everything a journal adds up to that is still in the air.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The last fact folded.
    pub seq: u64,
    /// By tenant.
    pub tenants: BTreeMap<TenantId, TenantMemory>,
}

/// One tenant's.
#[derive(Debug, Clone, Default)]
pub struct TenantMemory {
    pub(super) tickets: ticket::Desk,
    pub(super) customers: customer::Directory,
    /// State, since when, and the state chosen for when the work in hand is over.
    pub(super) agents: BTreeMap<AgentId, (routing::AgentState, Wall, Option<routing::AgentState>)>,
    /// Agents whose calls ring at a number outside.
    pub(super) numbers: BTreeMap<AgentId, String>,
    pub(super) open: BTreeMap<InteractionId, Remembered>,
    pub(super) counted: VecDeque<routing::MetricEvent>,
    pub(super) alarms: BTreeMap<String, String>,
    pub(super) alerts: super::alerts::Board,
    /// Places of callers a restart cut off: by number, what they waited for and when they were cut off. The latest only.
    pub(super) places: BTreeMap<String, (routing::Entry, Wall)>,
    /// Calls out within the last hour.
    pub(super) books: trunk::Books,
}

/// One contact that is not over.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    pub opened: Wall,
    pub channel: Channel,
    pub way: Way,
    pub to: String,
    pub from: String,
    pub customer: CustomerId,
    pub ticket: Option<TicketId>,
    pub visitor: Option<VisitorId>,
    /// Who vouches for the caller.
    pub verdict: Option<crate::sip::stir::Verdict>,
    pub flow: Option<FlowId>,
    pub state: Option<ivr::RunState>,
    pub path: Vec<String>,
    pub queued: Option<routing::Entry>,
    pub last_queue: Option<crate::base::QueueId>,
    pub offers: BTreeMap<OfferId, AgentId>,
    pub talk: Option<(AgentId, Wall)>,
    pub wraps: BTreeMap<AgentId, Wrap>,
    pub legs: BTreeMap<u64, RememberedLeg>,
    /// Recordings not closed: id and file.
    pub recordings: BTreeMap<RecordingId, String>,
    pub messages: Vec<text::Message>,
    /// The customer is to be called.
    pub callback: Option<callback::Remembered>,
    pub closed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct RememberedLeg {
    pub dialog: Option<(DialogSnapshot, LegSnapshot)>,
}

#[derive(Debug, Clone)]
pub(super) struct Wrap {
    pub since: Wall,
    pub until: Wall,
    pub disposition: Option<CodeId>,
}

impl Memory {
    /// Takes in one fact, in journal order.
    pub fn apply(&mut self, record: &Record) {
        self.seq = record.seq;
        self.tenants.entry(record.tenant.clone()).or_default().apply(record);
    }

    /// Recordings that were running: tenant, contact, recording, file below the recordings folder.
    pub fn running_recordings(&self) -> impl Iterator<Item = (&TenantId, InteractionId, RecordingId, &str)> {
        self.tenants.iter().flat_map(|(t, m)| {
            m.open.iter().flat_map(move |(i, r)| r.recordings.iter().map(move |(id, file)| (t, *i, *id, file.as_str())))
        })
    }
}

impl TenantMemory {
    fn apply(&mut self, record: &Record) {
        match &record.fact {
            Fact::NodeStarted { .. } => self.books.cut(record.at),
            Fact::CallOut { permit: Some(permit), agent, source, per_minute, .. } => self.books.out(trunk::Booked {
                permit: *permit,
                at: record.at,
                agent: agent.clone(),
                source: source.clone(),
                per_minute: *per_minute,
                over: None,
            }),
            Fact::CallOutOver { permit, talked_s, spent } => {
                self.books.over(*permit, trunk::Over { at: record.at, talked_s: *talked_s, spent: *spent });
            }
            Fact::Ticket { ticket, entry } => {
                if let Err(error) = self.tickets.replay(*ticket, entry.clone()) {
                    tracing::error!(seq = record.seq, %error, "a ticket entry of the journal does not fit");
                }
            }
            Fact::Customer { customer, change } => {
                let entry = customer::Entry { customer: *customer, at: record.at, change: change.clone() };
                if let Err(error) = self.customers.replay(&entry) {
                    tracing::error!(seq = record.seq, %error, "a customer entry of the journal does not fit");
                }
            }
            Fact::AgentState { agent, state, since, pending } => {
                self.agents.insert(agent.clone(), (state.clone(), *since, pending.clone()));
            }
            Fact::EndpointChosen { agent, number: Some(number), .. } => {
                self.numbers.insert(agent.clone(), number.clone());
            }
            Fact::EndpointChosen { agent, number: None, .. } => {
                self.numbers.remove(agent);
            }
            Fact::Alarm { code, message, on: true } => {
                self.alarms.insert(code.clone(), message.clone());
            }
            Fact::Alarm { code, on: false, .. } => {
                self.alarms.remove(code);
            }
            alert @ (Fact::AlertRaised { .. } | Fact::AlertCleared { .. } | Fact::AlertAcked { .. }) => {
                self.alerts.apply(record.at, alert);
            }
            Fact::Counted { event } => {
                self.counted.push_back(event.clone());
                let keep_from = record.at - super::day::COUNTED_KEPT;
                while self.counted.front().is_some_and(|e| super::day::at(e) < keep_from) {
                    self.counted.pop_front();
                }
            }
            Fact::InteractionOpened { interaction, channel, way, to, from, customer, ticket, visitor, verdict } => {
                let r = Remembered {
                    opened: record.at,
                    channel: *channel,
                    way: *way,
                    to: to.clone(),
                    from: from.clone(),
                    customer: *customer,
                    ticket: *ticket,
                    visitor: *visitor,
                    verdict: verdict.clone(),
                    flow: None,
                    state: None,
                    path: Vec::new(),
                    queued: None,
                    last_queue: None,
                    offers: BTreeMap::new(),
                    talk: None,
                    wraps: BTreeMap::new(),
                    legs: BTreeMap::new(),
                    recordings: BTreeMap::new(),
                    messages: Vec::new(),
                    callback: None,
                    closed: false,
                };
                self.open.insert(*interaction, r);
            }
            other => {
                let Some(id) = other.interaction() else { return };
                let Some(r) = self.open.get_mut(&id) else { return };
                match (other, &r.queued) {
                    (Fact::Unqueued { why: Unqueued::ServerRestart, .. }, Some(entry)) => {
                        self.places.insert(r.from.clone(), (entry.clone(), record.at));
                    }
                    // Back in line: the place is taken.
                    (Fact::Queued { entry }, _) if self.places.get(&r.from).is_some_and(|(p, _)| p.queue == entry.queue) => {
                        self.places.remove(&r.from);
                    }
                    _ => {}
                }
                r.apply(record.at, other);
                if r.is_over() {
                    self.open.remove(&id);
                }
            }
        }
    }
}

impl Remembered {
    fn apply(&mut self, at: Wall, fact: &Fact) {
        match fact {
            Fact::FlowStarted { flow, .. } => self.flow = Some(flow.clone()),
            Fact::FlowEntered { node, .. } => self.path.push(node.clone()),
            Fact::FlowSaved { state, .. } => self.state = Some(state.clone()),
            Fact::Queued { entry } => {
                if let Some(c) = &mut self.callback {
                    c.queued(entry);
                }
                self.last_queue = Some(entry.queue.clone());
                self.queued = Some(entry.clone());
            }
            Fact::Unqueued { .. } => self.queued = None,
            Fact::Offered { offer, agent, .. } => {
                self.offers.insert(*offer, agent.clone());
            }
            Fact::OfferEnded { offer, .. } => {
                self.offers.remove(offer);
            }
            Fact::Connected { agent, .. } => self.talk = Some((agent.clone(), at)),
            Fact::TalkEnded { agent, .. } => {
                self.talk = None;
                self.wraps.insert(agent.clone(), Wrap { since: at, until: at, disposition: None });
            }
            Fact::WrapUp { agent, until, .. } => {
                if let Some(w) = self.wraps.get_mut(agent) {
                    w.until = *until;
                }
            }
            Fact::Disposed { agent, code, .. } => {
                if let Some(w) = self.wraps.get_mut(agent) {
                    w.disposition = Some(code.clone());
                }
            }
            Fact::WrapUpOver { agent, .. } => {
                self.wraps.remove(agent);
            }
            Fact::CallbackBooked { plan, entry, .. } => self.callback = Some(callback::Remembered::new(plan, entry)),
            Fact::CallbackTried { attempt, outcome, again_at, .. } => {
                if let Some(c) = &mut self.callback {
                    c.tried(*attempt, *outcome, *again_at);
                }
            }
            Fact::InteractionClosed { .. } => self.closed = true,
            Fact::LegOpened { leg, .. } => {
                self.legs.insert(*leg, RememberedLeg { dialog: None });
            }
            Fact::LegDialog { leg, dialog, media, .. } => {
                if let Some(l) = self.legs.get_mut(leg) {
                    l.dialog = Some((dialog.clone(), media.clone()));
                }
            }
            Fact::LegEnded { leg, .. } => {
                self.legs.remove(leg);
            }
            Fact::RecordingStarted { recording, file, .. } => {
                self.recordings.insert(*recording, file.clone());
            }
            Fact::RecordingEnded { recording, .. } => {
                self.recordings.remove(recording);
            }
            Fact::Message { message, .. } => {
                if self.messages.len() >= limits::MESSAGES_IN_MEMORY {
                    self.messages.remove(0);
                }
                self.messages.push(message.clone());
            }
            _ => {}
        }
    }

    fn is_over(&self) -> bool {
        self.closed && self.wraps.is_empty() && self.talk.is_none() && self.recordings.is_empty() && self.legs.is_empty()
    }
}
