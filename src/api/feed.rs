//! What of the facts and views somebody may see, and how a picture differs from the one they have.
//!
//! A supervisor sees the tenant. An agent sees every agent's state and every queue, but only the contacts that are their own:
//! offered to them, held by them, wrapped up by them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{guard::Who, wire};
use crate::{
    base::{AgentId, InteractionId, QueueId},
    center::{
        command::SuperviseMode,
        fact::{Fact, LegRole, Record},
        stamp::fact_document,
        view::{Blink, TenantView},
    },
    routing::StopWhy,
};

/// Most contacts one socket remembers as its owner's own; far more than anybody handles at once.
const OWN_MAX: usize = 1_000;

/// The picture cut to what `who` may see; of alerts, a supervisor whose part is `only` some queues sees those of them.
pub fn view_for(who: &Who, only: Option<&BTreeSet<QueueId>>, view: &Arc<TenantView>) -> Arc<TenantView> {
    if who.supervises() {
        let foreign = |only: &BTreeSet<QueueId>| view.alerts.values().any(|a| !only.contains(&a.queue));
        let Some(only) = only.filter(|o| foreign(o)) else { return view.clone() };
        let mut cut = TenantView::clone(view);
        cut.alerts.retain(|_, a| only.contains(&a.queue));
        return Arc::new(cut);
    }
    let me = who.actor.agent();
    let mut cut = TenantView::clone(view);
    let own = own_in(me, view);
    cut.interactions.retain(|id, _| own.contains(id));
    if !view.tell_agents {
        let listens = |id: &InteractionId, who: &AgentId| {
            let found = view.interactions.get(id).and_then(|i| i.supervisors.iter().find(|s| s.supervisor == *who));
            found.is_some_and(|s| s.mode == SuperviseMode::Listen)
        };
        for (agent, shown) in cut.agents.iter_mut().filter(|(agent, _)| Some(*agent) != me) {
            shown.work.retain(|w| !listens(&w.interaction, agent));
        }
        cut.interactions.values_mut().for_each(|i| i.supervisors.retain(|s| s.mode != SuperviseMode::Listen));
    }
    for (agent, shown) in &mut cut.agents {
        if Some(agent) != me {
            // That a colleague is talking everybody may know; in which contact, and by which offer, is theirs.
            shown.work.iter_mut().for_each(|w| w.offer = None);
            // Where a colleague is reached outside is nobody else's business.
            shown.number = None;
        }
    }
    cut.alarms.clear();
    cut.alerts.clear();
    Arc::new(cut)
}

fn own_in(me: Option<&AgentId>, view: &TenantView) -> BTreeSet<InteractionId> {
    let Some(me) = me else { return BTreeSet::new() };
    let held = view.interactions.iter().filter(|(_, i)| i.agent.as_ref() == Some(me)).map(|(id, _)| *id);
    let worked = view.agents.get(me).into_iter().flat_map(|a| a.work.iter().map(|w| w.interaction));
    held.chain(worked).collect()
}

/// Decides fact by fact what one socket is told.
#[derive(Debug)]
pub struct Sieve {
    all: bool,
    /// Whose alerts a supervisor is told of; all queues' if none.
    only: Option<BTreeSet<QueueId>>,
    me: Option<AgentId>,
    own: BTreeSet<InteractionId>,
    discreet: Discreet,
}

/// Keeps from agents who listens, where the tenant wants it so. That somebody whispers or takes part they always see.
#[derive(Debug, Default)]
pub struct Discreet {
    tell: bool,
    /// Legs of supervisors: that one is there tells as much as the fact itself.
    legs: BTreeSet<(InteractionId, u64)>,
    /// Who is known to the agent, so that only their leaving is told.
    known: BTreeSet<(InteractionId, AgentId)>,
}

impl Discreet {
    /// As the tenant wants it.
    pub fn new(tell: bool) -> Self {
        Discreet { tell, ..Discreet::default() }
    }

    /// Whether an agent may be told. Facts must come in order.
    pub fn lets(&mut self, fact: &Fact) -> bool {
        if self.tell {
            return true;
        }
        match fact {
            Fact::Supervised { interaction, supervisor, mode } => {
                if *mode != SuperviseMode::Listen && self.known.len() < OWN_MAX {
                    self.known.insert((*interaction, supervisor.clone()));
                }
                *mode != SuperviseMode::Listen
            }
            Fact::SupervisionEnded { interaction, supervisor, .. } => self.known.remove(&(*interaction, supervisor.clone())),
            Fact::LegOpened { interaction, leg, role: LegRole::Supervisor, .. } => {
                if self.legs.len() >= OWN_MAX {
                    self.legs.pop_first();
                }
                self.legs.insert((*interaction, *leg));
                false
            }
            Fact::LegTrouble { role: LegRole::Supervisor, .. } => false,
            Fact::LegEnded { interaction, leg, .. } => !self.legs.remove(&(*interaction, *leg)),
            _ => true,
        }
    }
}

impl Sieve {
    /// For `who`, beginning from the picture they are shown.
    pub fn new(who: &Who, only: Option<BTreeSet<QueueId>>, view: &TenantView) -> Self {
        let me = who.actor.agent().cloned();
        Sieve { all: who.supervises(), only, own: own_in(me.as_ref(), view), me, discreet: Discreet::new(view.tell_agents) }
    }

    /// Takes over what a later picture says is theirs, and which queues' alerts they are told of by now.
    pub fn refresh(&mut self, only: Option<BTreeSet<QueueId>>, view: &TenantView) {
        self.only = only;
        self.own.extend(own_in(self.me.as_ref(), view));
    }

    /// Whether the fact is for this socket's owner. Facts must come in order: each may change what is theirs.
    pub fn lets(&mut self, record: &Record) -> bool {
        if self.all {
            let of = alert_of(&record.fact);
            if of.is_some_and(|queue| self.only.as_ref().is_some_and(|only| !only.contains(queue))) {
                return false;
            }
            return !matches!(record.fact, Fact::LegDialog { .. } | Fact::FlowSaved { .. } | Fact::Counted { .. });
        }
        if !self.discreet.lets(&record.fact) {
            return false;
        }
        let me = self.me.as_ref();
        let is_me = |agent: &AgentId| Some(agent) == me;
        match &record.fact {
            // Machine state for restarts and figures for reports: of no use to a console.
            Fact::LegDialog { .. } | Fact::FlowSaved { .. } | Fact::Counted { .. } => false,
            Fact::AgentState { .. } | Fact::NodeStarted { .. } => true,
            Fact::EndpointChosen { agent, .. } => is_me(agent),
            Fact::AlertRaised { .. } | Fact::AlertCleared { .. } | Fact::AlertAcked { .. } => false,
            Fact::Alarm { .. } | Fact::CallOut { .. } | Fact::CallOutOver { .. } => false,
            // Tickets and customers are the whole team's work.
            Fact::Ticket { .. } | Fact::Customer { .. } => true,
            Fact::Offered { interaction, agent, .. } | Fact::Connected { interaction, agent, .. } => {
                if is_me(agent) {
                    self.own.insert(*interaction);
                    if self.own.len() > OWN_MAX {
                        self.own.pop_first();
                    }
                }
                is_me(agent)
            }
            // The end of one's own part: told, and then no longer one's own.
            Fact::OfferEnded { interaction, agent, why, .. } => {
                if is_me(agent) && *why != StopWhy::Accepted {
                    self.own.remove(interaction);
                }
                is_me(agent)
            }
            Fact::WrapUpOver { interaction, agent, .. } => {
                if is_me(agent) {
                    self.own.remove(interaction);
                }
                is_me(agent)
            }
            // Advice was given.
            Fact::ConsultEnded { interaction, agent, helper, .. } => {
                let told = is_me(agent) || helper.as_ref().is_some_and(is_me);
                if helper.as_ref().is_some_and(is_me) {
                    self.own.remove(interaction);
                }
                told
            }
            // A colleague's work on a contact both had (a transfer) is the colleague's.
            Fact::WrapUp { agent, .. } | Fact::Disposed { agent, .. } | Fact::Held { agent, .. } => is_me(agent),
            other => other.interaction().is_some_and(|i| self.own.contains(&i)),
        }
    }

    /// Whether a passing sign is for this socket's owner.
    pub fn lets_blink(&self, blink: &Blink) -> bool {
        match blink {
            Blink::Typing { interaction, .. } | Blink::Position { interaction, .. } => {
                self.all || self.own.contains(interaction)
            }
            // Tickets are the whole team's work.
            Blink::Viewing { .. } => true,
        }
    }
}

/// The queue a fact about an alert is of.
fn alert_of(fact: &Fact) -> Option<&QueueId> {
    match fact {
        Fact::AlertRaised(a) => Some(&a.queue),
        Fact::AlertCleared(a) => Some(&a.queue),
        Fact::AlertAcked(a) => Some(&a.queue),
        _ => None,
    }
}

/// A fact as an event of the socket.
pub fn fact_event(record: &Record) -> Value {
    let mut event = Map::new();
    event.insert("type".into(), "fact".into());
    event.extend(fact_document(record));
    Value::Object(event)
}

/// A whole picture as an event: the first, and the one that replaces everything (`reset`).
pub fn snapshot_event(view: &TenantView, reset: bool) -> Value {
    json!({"type": "snapshot", "seq": view.seq, "reset": reset, "view": wire::to_json(view).unwrap_or_default()})
}

/// What changed between two pictures, as an event; none when nothing did.
pub fn view_event(old: &TenantView, new: &TenantView) -> Option<Value> {
    let (agents, agents_gone) = changed(&old.agents, &new.agents);
    let (queues, queues_gone) = changed(&old.queues, &new.queues);
    let (interactions, interactions_gone) = changed(&old.interactions, &new.interactions);
    let alarms = old.alarms != new.alarms;
    let alerts = old.alerts != new.alerts;
    let gone = json!({"agents": agents_gone, "queues": queues_gone, "interactions": interactions_gone});
    let parts = [&agents, &queues, &interactions].iter().any(|m| !m.is_empty());
    let lost = !agents_gone.is_empty() || !queues_gone.is_empty() || !interactions_gone.is_empty();
    if !parts && !lost && !alarms && !alerts {
        return None;
    }
    let mut event = json!({
        "type": "view", "seq": new.seq, "at": new.at.rfc3339(),
        "agents": agents, "queues": queues, "interactions": interactions, "gone": gone,
    });
    if alarms {
        event["alarms"] = json!(new.alarms);
    }
    if alerts {
        event["alerts"] = wire::to_json(&new.alerts).unwrap_or_default();
    }
    Some(event)
}

fn changed<K: Ord + ToString, V: PartialEq + Serialize>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
) -> (Map<String, Value>, Vec<String>) {
    let differs = new.iter().filter(|(k, v)| old.get(*k) != Some(*v));
    let shown = differs.filter_map(|(k, v)| Some((k.to_string(), wire::to_json(v).ok()?))).collect();
    let gone = old.keys().filter(|k| !new.contains_key(*k)).map(K::to_string).collect();
    (shown, gone)
}
