//! What reports count, taken from the facts of a tenant: stays in queues, segments of handling, offers, states of agents.
//!
//! The store keeps the same as rows and counts from those; this is the fold they have to agree with. It is for whoever holds the
//! facts themselves: the simulator, after every walk.

use std::{collections::BTreeMap, time::Duration};

use super::fact::{Fact, Record, Unqueued};
use crate::{
    base::{AgentId, InteractionId, OfferId, QueueId},
    routing::{
        ExitKind, StopWhy,
        report::{Report, Ring, Segment, Stay, Turn},
    },
};

/// How a stay that ended so is counted.
pub fn exit(why: Unqueued) -> ExitKind {
    match why {
        Unqueued::Answered => ExitKind::Answered,
        Unqueued::Abandoned => ExitKind::Abandoned,
        Unqueued::Callback => ExitKind::CallbackTaken,
        Unqueued::ServerRestart => ExitKind::SystemError,
        // Ended by us while waiting is another way out of the queue, and nothing the customer did.
        Unqueued::Timeout | Unqueued::NoAgents | Unqueued::Full | Unqueued::ExitKey | Unqueued::Moved | Unqueued::Ended => {
            ExitKind::Overflow
        }
    }
}

/// Everything there is to count.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the order they began.
    pub stays: Vec<Stay>,
    /// By the order they began.
    pub segments: Vec<Segment>,
    /// By the order they began.
    pub rings: Vec<Ring>,
    /// By the order they were taken.
    pub turns: Vec<Turn>,
    waiting: BTreeMap<(InteractionId, QueueId), usize>,
    last_queue: BTreeMap<InteractionId, QueueId>,
    handling: BTreeMap<(InteractionId, AgentId), usize>,
    ringing: BTreeMap<OfferId, (usize, InteractionId)>,
}

impl Ledger {
    /// Of one tenant's facts, in order.
    pub fn of<'a>(facts: impl Iterator<Item = &'a Record>) -> Ledger {
        let mut ledger = Ledger::default();
        facts.for_each(|r| ledger.take(r));
        for (at, interaction) in ledger.ringing.values() {
            ledger.rings[*at].queue = ledger.last_queue.get(interaction).cloned();
        }
        ledger
    }

    /// Into a report.
    pub fn fill(&self, report: &mut Report) {
        self.stays.iter().for_each(|s| report.stay(s));
        self.segments.iter().for_each(|s| report.segment(s));
        self.rings.iter().for_each(|r| report.ring(r));
        self.turns.iter().for_each(|t| report.turn(t.clone()));
    }

    fn take(&mut self, r: &Record) {
        match &r.fact {
            Fact::Queued { entry } => {
                self.last_queue.insert(entry.interaction, entry.queue.clone());
                // A restart puts the same stay into the router again.
                self.waiting.entry((entry.interaction, entry.queue.clone())).or_insert_with(|| {
                    self.stays.push(Stay { queue: entry.queue.clone(), entered: r.at, left: None });
                    self.stays.len() - 1
                });
            }
            Fact::Unqueued { interaction, queue, why, waited_ms } => {
                if let Some(at) = self.waiting.remove(&(*interaction, queue.clone())) {
                    self.stays[at].left = Some((exit(*why), Duration::from_millis(*waited_ms)));
                }
            }
            Fact::Connected { interaction, agent, .. } => {
                self.handling.insert((*interaction, agent.clone()), self.segments.len());
                self.segments.push(Segment {
                    agent: agent.clone(),
                    queue: self.last_queue.get(interaction).cloned(),
                    began: r.at,
                    ended: None,
                    talk_ms: 0,
                    hold_ms: 0,
                    wrap_ms: 0,
                });
            }
            Fact::TalkEnded { interaction, agent, talk_ms, hold_ms, .. } => {
                if let Some(at) = self.handling.get(&(*interaction, agent.clone())) {
                    let s = &mut self.segments[*at];
                    s.ended = Some(r.at);
                    s.talk_ms += talk_ms;
                    s.hold_ms += hold_ms;
                }
            }
            Fact::WrapUpOver { interaction, agent, wrap_ms, .. } => {
                if let Some(at) = self.handling.get(&(*interaction, agent.clone())) {
                    self.segments[*at].wrap_ms += wrap_ms;
                }
            }
            Fact::Offered { interaction, offer, agent, .. } => {
                self.ringing.insert(*offer, (self.rings.len(), *interaction));
                let ring = Ring { agent: agent.clone(), queue: None, from: r.at, to: None, no_answer: false };
                self.rings.push(ring);
            }
            Fact::OfferEnded { offer, why, .. } => {
                if let Some((at, _)) = self.ringing.get(offer) {
                    let ring = &mut self.rings[*at];
                    (ring.to, ring.no_answer) = (Some(r.at), *why == StopWhy::NoAnswer);
                }
            }
            Fact::AgentState { agent, state, since, .. } => {
                self.turns.push(Turn { agent: agent.clone(), state: state.clone(), since: *since });
            }
            _ => {}
        }
    }
}
