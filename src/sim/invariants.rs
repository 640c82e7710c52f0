//! What must hold after every step, whatever people do.
//!
//! Two witnesses: [`Watch`] folds the facts as they are written, knowing nothing of the center; and the center is asked to look
//! through its own books ([`Center::audit`](crate::center::Center::audit)).

use std::collections::{BTreeMap, BTreeSet};

use super::world::World;
use crate::{
    base::{AgentId, Channel, InteractionId, OfferId},
    center::{
        fact::{Fact, Record},
        recall::Wanted,
    },
};

/// The books a stranger would keep from the facts alone.
#[derive(Debug, Default)]
pub struct Watch {
    opened: BTreeMap<InteractionId, Channel>,
    closed: BTreeSet<InteractionId>,
    queued: BTreeSet<InteractionId>,
    offers: BTreeMap<OfferId, (InteractionId, AgentId)>,
    talking: BTreeMap<InteractionId, AgentId>,
    wraps: BTreeSet<(InteractionId, AgentId)>,
    legs: BTreeSet<(InteractionId, u64)>,
    recordings: BTreeSet<crate::base::RecordingId>,
    /// Steps at the present instant.
    pub at_once: u32,
}

impl Watch {
    /// The process began anew: the numbers of legs begin again.
    pub fn restarted(&mut self) {
        self.at_once = 0;
    }

    /// Takes a fact; an error names what cannot be.
    pub fn fact(&mut self, r: &Record) -> Result<(), String> {
        let bad = |what: &str| Err(format!("fact {}: {what}: {:?}", r.seq, r.fact));
        if let Some(id) = r.fact.interaction()
            && !matches!(r.fact, Fact::InteractionOpened { .. })
            && !self.opened.contains_key(&id)
        {
            return bad("about a contact that was never opened");
        }
        match &r.fact {
            Fact::InteractionOpened { interaction, channel, .. } if self.opened.insert(*interaction, *channel).is_some() => {
                return bad("opened twice");
            }
            Fact::InteractionClosed { interaction, .. } => {
                if !self.closed.insert(*interaction) {
                    return bad("closed twice");
                }
                if self.queued.contains(interaction) {
                    return bad("closed while it still waits");
                }
                if self.talking.contains_key(interaction) {
                    return bad("closed while somebody still talks");
                }
            }
            Fact::Queued { entry } => {
                if !self.queued.insert(entry.interaction) {
                    return bad("in two queues");
                }
                if self.closed.contains(&entry.interaction) {
                    return bad("waits after its end");
                }
            }
            Fact::Unqueued { interaction, .. } if !self.queued.remove(interaction) => {
                return bad("leaves a queue it was not in");
            }
            Fact::Offered { interaction, offer, agent, .. } => {
                if self.offers.insert(*offer, (*interaction, agent.clone())).is_some() {
                    return bad("an offer made twice");
                }
                if self.closed.contains(interaction) {
                    return bad("offered after its end");
                }
            }
            Fact::OfferEnded { offer, .. } if self.offers.remove(offer).is_none() => {
                return bad("an offer ended twice");
            }
            Fact::Connected { interaction, agent, .. } => {
                if self.talking.contains_key(interaction) {
                    return bad("connected to two agents");
                }
                if self.opened.get(interaction) == Some(&Channel::Voice) {
                    let voice = |i: &InteractionId| self.opened.get(i) == Some(&Channel::Voice);
                    if self.talking.iter().any(|(i, a)| a == agent && voice(i)) {
                        return bad("an agent with two calls");
                    }
                }
                self.talking.insert(*interaction, agent.clone());
            }
            Fact::TalkEnded { interaction, agent, .. } => {
                if self.talking.remove(interaction).as_ref() != Some(agent) {
                    return bad("the end of a talk that was not");
                }
                self.wraps.insert((*interaction, agent.clone()));
            }
            Fact::WrapUpOver { interaction, agent, .. } => {
                // Also after a number that was dialled and did not answer: then there was no talk.
                self.wraps.remove(&(*interaction, agent.clone()));
            }
            Fact::LegOpened { interaction, leg, .. } if !self.legs.insert((*interaction, *leg)) => {
                return bad("a leg opened twice");
            }
            Fact::LegEnded { interaction, leg, .. } if !self.legs.remove(&(*interaction, *leg)) => {
                return bad("a leg ended that was not there");
            }
            Fact::RecordingStarted { recording, .. } => {
                self.recordings.insert(*recording);
            }
            Fact::RecordingEnded { recording, .. } if !self.recordings.remove(recording) => {
                return bad("a recording ended that did not run");
            }
            _ => {}
        }
        Ok(())
    }

    /// What is left when everybody has gone home; nothing, if all is well.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let open: Vec<_> = self.opened.keys().filter(|i| !self.closed.contains(i)).collect();
        for (what, n) in [
            (format!("contacts not closed: {open:?}"), open.len()),
            (format!("waiting: {:?}", self.queued), self.queued.len()),
            (format!("offers: {:?}", self.offers), self.offers.len()),
            (format!("talking: {:?}", self.talking), self.talking.len()),
            (format!("wrap-ups: {:?}", self.wraps), self.wraps.len()),
            (format!("legs: {:?}", self.legs), self.legs.len()),
            (format!("recordings: {:?}", self.recordings), self.recordings.len()),
        ] {
            if n > 0 {
                left.push(what);
            }
        }
        left
    }
}

impl World {
    /// Looks through everything; ends the test if something cannot be.
    #[track_caller]
    pub fn check(&self) {
        if let Some(center) = &self.center
            && let Some(bad) = center.audit().into_iter().next()
        {
            self.fail(&bad);
        }
        if let Some(bad) = self.media.complaints.first() {
            self.fail(&format!("the engine was told nonsense: {bad}"));
        }
    }

    /// Everybody is gone: nothing may be left of them. Lets two minutes pass first, for what is still being cleaned up.
    #[track_caller]
    pub fn nothing_is_left(&mut self) {
        self.pass(crate::base::secs(120));
        let mut left = self.watch.left();
        if let Some(c) = &self.center {
            left.extend(c.left());
        }
        left.extend(self.strangers());
        if self.media.ports_used() > 0 {
            left.push(format!("ports: {}", self.media.ports_used()));
        }
        if self.media.recordings() > 0 {
            left.push(format!("recordings in the engine: {}", self.media.recordings()));
        }
        if self.media.bridges() > 0 {
            left.push(format!("bridges: {}", self.media.bridges()));
        }
        if !left.is_empty() {
            self.fail(&left.join("\n"));
        }
    }

    /// Customers and tickets in memory that are not what the journal adds up to.
    fn strangers(&self) -> Vec<String> {
        let tenant = super::business::tenant();
        let mut bad = Vec::new();
        for (customer, tickets) in self.center.iter().flat_map(|c| c.customers_held(&tenant)) {
            let known = self.store.known().recall(&tenant, &[Wanted::Everything(customer.id)]);
            if known.people.first().and_then(|p| p.get(customer.id)) != Some(customer) {
                bad.push(format!("customer {} is not the one of the journal: {customer:?}", customer.id));
            }
            for t in known.tickets.iter().map(|t| t.head()) {
                match tickets.iter().find(|held| held.id == t.id) {
                    Some(held) if *held == t => {}
                    None if t.state.is_final() => {}
                    held => bad.push(format!("ticket {} is {t:?} by the journal, and is held as {held:?}", t.number)),
                }
            }
        }
        bad
    }
}
