//! What the phones of colleagues show of an agent: whether they are there, and the voice messages that wait for them.
//!
//! The calls themselves are told from below (`call::lamps`). Here a change is handed down as it happens; who watches, and how often
//! they are told, is not known.

use std::collections::BTreeMap;

use super::Center;
use crate::{
    base::{AgentId, Channel, QueueId, TenantId, TicketId},
    call::Action,
    routing::{AgentChange, AgentState, WorkState},
    sip::{
        event::{Presence, Waiting},
        stack::LampChange,
    },
    ticket::{Actor, Change, Ticket},
};

/// Voice messages nobody has answered, by whose they are.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Whose it is, and whether nobody has looked at it yet.
    waiting: BTreeMap<TicketId, (Pile, bool)>,
    piles: BTreeMap<Pile, Waiting>,
}

/// Where a message lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Pile {
    /// With the agent who owns the ticket.
    Agent(AgentId),
    /// With everybody who serves the queue.
    Queue(QueueId),
}

impl Messages {
    /// The ticket is like this now; true when that changes a count.
    fn put(&mut self, id: TicketId, now: Option<(Pile, bool)>) -> bool {
        let before = self.waiting.get(&id).cloned();
        if before == now {
            return false;
        }
        if let Some((pile, new)) = before {
            let w = self.piles.entry(pile.clone()).or_default();
            let count = if new { &mut w.new } else { &mut w.old };
            *count = count.saturating_sub(1);
            if *w == Waiting::default() {
                self.piles.remove(&pile);
            }
            self.waiting.remove(&id);
        }
        if let Some((pile, new)) = now {
            let w = self.piles.entry(pile.clone()).or_default();
            *(if new { &mut w.new } else { &mut w.old }) += 1;
            self.waiting.insert(id, (pile, new));
        }
        true
    }

    fn of<'a>(&self, agent: &AgentId, queues: impl Iterator<Item = &'a QueueId>) -> Waiting {
        let piles = queues.map(|q| Pile::Queue(q.clone())).chain([Pile::Agent(agent.clone())]);
        piles
            .filter_map(|p| self.piles.get(&p))
            .fold(Waiting::default(), |sum, w| Waiting { new: sum.new + w.new, old: sum.old + w.old })
    }
}

/// The message a ticket stands for, if one waits: where, and whether nobody of ours has done anything with it since it was left.
fn message(t: &Ticket) -> Option<(Pile, bool)> {
    let head = t.head();
    let open = head.unanswered.is_some() && head.channel == Some(Channel::Voice) && head.state.group().is_live();
    let owner = head.owner.clone().map(Pile::Agent);
    let pile = owner.or_else(|| head.queue.clone().map(Pile::Queue)).filter(|_| open)?;
    let left = |c: &Change| matches!(c, Change::CustomerWrote { message: None, .. });
    let at = t.log().iter().rposition(|e| e.by == Actor::Customer && left(&e.change))?;
    let seen = t.log()[at..].iter().any(|e| matches!(e.by, Actor::Agent(_)));
    Some((pile, !seen))
}

/// What colleagues are shown of an agent. An agent without a phone is not to be called, whatever their state says.
fn presence(a: &AgentChange) -> Presence {
    match &a.state {
        AgentState::SignedOut => Presence::Offline,
        _ if a.work.iter().any(|w| w.state != WorkState::WrapUp) => Presence::Busy,
        _ if a.reachable.is_empty() => Presence::Offline,
        _ if !a.reachable.contains(&Channel::Voice) => Presence::Away("no phone".into()),
        _ if !a.work.is_empty() => Presence::Away("wrap-up".into()),
        AgentState::Ready => Presence::Available,
        AgentState::NotReady(reason) => Presence::Away(reason.to_string()),
        AgentState::Away => Presence::Away(String::new()),
    }
}

impl Center {
    /// An agent's state or work has changed.
    pub(super) fn agent_shows(&mut self, tenant: &TenantId, a: &AgentChange) {
        let change = LampChange::Presence(presence(a));
        self.call(Action::Lamp { tenant: tenant.clone(), user: a.agent.to_string(), change });
    }

    /// A ticket has changed: messages may wait that did not before, or wait no more.
    pub(super) fn ticket_shows(&mut self, tenant: &TenantId, id: TicketId) {
        let Some(t) = self.tenants.get_mut(tenant) else { return };
        let now = t.tickets.get(id).and_then(message);
        if t.messages.put(id, now) {
            self.messages_show(tenant);
        }
    }

    /// The messages of every agent, once more: who serves which queue may have changed.
    pub(super) fn messages_show(&mut self, tenant: &TenantId) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let counts = t.settings.plan.agents.iter().map(|(agent, plan)| {
            let waiting = t.messages.of(agent, plan.queues.iter().map(|q| &q.queue));
            (agent.to_string(), waiting)
        });
        for (user, waiting) in counts.collect::<Vec<_>>() {
            let change = LampChange::Waiting(waiting);
            self.call(Action::Lamp { tenant: tenant.clone(), user, change });
        }
    }
}
