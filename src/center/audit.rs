//! The center looks through its own books: what must always be true of what it holds together. Pure reading; the simulator
//! asks after every step.

use std::collections::BTreeMap;

use super::{Center, LegUse, Timer};
use crate::{
    base::{AgentId, Channel},
    routing::WorkState,
};

impl Center {
    /// Everything that contradicts something else, a sentence each. Empty when all is well.
    pub fn audit(&self) -> Vec<String> {
        let mut bad = Vec::new();
        if !self.steps.is_empty() {
            bad.push(format!("{} steps were left undone", self.steps.len()));
        }
        self.audit_legs(&mut bad);
        self.audit_contacts(&mut bad);
        self.audit_routing(&mut bad);
        bad
    }

    fn audit_legs(&self, bad: &mut Vec<String>) {
        for (leg, (id, usage)) in &self.legs {
            let Some(i) = self.interactions.get(id) else {
                bad.push(format!("{leg:?} belongs to contact {id}, which is gone"));
                continue;
            };
            if *usage == LegUse::Customer && i.customer_leg() != Some(*leg) {
                bad.push(format!("contact {id} has customer leg {:?}, not {leg:?}", i.customer_leg()));
            }
            if !self.calls.has(*leg) {
                bad.push(format!("{leg:?} of contact {id} is not a leg of the calls"));
            }
        }
        for leg in self.calls.leg_ids() {
            let waits = self.calls.is_verifying(leg) || self.recent.calls().any(|l| l == leg);
            if !self.legs.contains_key(&leg) && !self.calls.is_closing(leg) && !waits {
                bad.push(format!("{leg:?} belongs to nobody"));
            }
        }
    }

    fn audit_contacts(&self, bad: &mut Vec<String>) {
        for (id, i) in &self.interactions {
            if i.is_over() {
                bad.push(format!("contact {id} is over and still held"));
            }
            let legs = self.legs.values().filter(|(of, _)| of == id).count();
            if legs != i.legs as usize {
                bad.push(format!("contact {id} counts {} legs and has {legs}", i.legs));
            }
            if i.talk.is_none() && i.consult().is_some() {
                bad.push(format!("contact {id} has a consultation nobody asked for"));
            }
            if i.closed && !i.supervisors.is_empty() {
                bad.push(format!("contact {id} is closed and still supervised"));
            }
            if i.closed && (i.waiting.is_some() || i.talk.is_some() || !i.rings.is_empty()) {
                bad.push(format!("contact {id} is closed, and still waits, rings or is talked to"));
            }
            if i.waiting.is_some() && i.talk.is_some() {
                bad.push(format!("contact {id} waits and is talked to"));
            }
            let helper = i.consult().and_then(|c| c.leg);
            let above = i.supervisors.values().filter_map(|s| s.leg);
            for leg in i.customer_leg().into_iter().chain(i.talk.as_ref().and_then(|t| t.leg)).chain(helper).chain(above) {
                if self.legs.get(&leg).is_none_or(|(of, _)| of != id) {
                    bad.push(format!("{leg:?} of contact {id} is not in the table of legs"));
                }
            }
            if let Some(o) = i.voice.as_ref().and_then(|v| v.outside.as_ref())
                && !self.legs.contains_key(&o.leg)
            {
                bad.push(format!("outside {:?} of contact {id} is not in the table of legs", o.leg));
            }
            if let Some(c) = &i.chat
                && !i.closed
                && self.visitors.get(&c.visitor) != Some(id)
            {
                bad.push(format!("the visitor of chat {id} is not found by name"));
            }
        }
        for (record, id) in &self.records {
            if !self.interactions.contains_key(id) {
                bad.push(format!("{record:?} belongs to contact {id}, which is gone"));
            }
        }
        for (visitor, id) in &self.visitors {
            if !self.interactions.contains_key(id) {
                bad.push(format!("visitor {visitor} has chat {id}, which is gone"));
            }
        }
    }

    /// Router and contacts tell the same story.
    fn audit_routing(&self, bad: &mut Vec<String>) {
        for (tenant, t) in &self.tenants {
            let mut calls: BTreeMap<AgentId, u32> = BTreeMap::new();
            for agent in t.settings.plan.agents.keys() {
                let Some(a) = t.router.agent(agent) else { continue };
                for w in &a.work {
                    let Some(i) = self.interactions.get(&w.interaction) else {
                        bad.push(format!("{agent} of {tenant} works on contact {}, which is gone", w.interaction));
                        continue;
                    };
                    let agrees = match w.state {
                        WorkState::Alerting => i.rings.values().any(|r| r.agent == *agent),
                        WorkState::Talking => {
                            i.talk.as_ref().is_some_and(|t| t.agent == *agent)
                                || i.is_helped_by(agent)
                                || i.supervisors.contains_key(agent)
                        }
                        WorkState::Hold => i.talk.as_ref().is_some_and(|t| t.agent == *agent && t.held_since.is_some()),
                        WorkState::WrapUp => i.wraps.contains_key(agent),
                    };
                    if !agrees {
                        bad.push(format!("{agent} is {:?} with contact {}, which does not know it", w.state, w.interaction));
                    }
                    if w.channel == Channel::Voice && w.state != WorkState::WrapUp {
                        *calls.entry(agent.clone()).or_default() += 1;
                    }
                }
            }
            for (agent, n) in calls.into_iter().filter(|(_, n)| *n > 1) {
                bad.push(format!("{agent} has {n} calls at once"));
            }
            for (id, i) in self.interactions.iter().filter(|(_, i)| i.tenant == *tenant) {
                if i.waiting.is_some() != t.router.position(*id).is_some() {
                    let place = t.router.position(*id);
                    if i.consult().is_some_and(|c| c.helper.is_none()) {
                        // The agent waits in a queue for advice.
                        continue;
                    }
                    bad.push(format!("contact {id} waits: {}, and has place {place:?}", i.waiting.is_some()));
                }
                let works = |agent: &AgentId, states: &[WorkState]| {
                    let view = t.router.agent(agent);
                    view.is_some_and(|a| a.work.iter().any(|w| w.interaction == *id && states.contains(&w.state)))
                };
                if let Some(talk) = &i.talk
                    && !works(&talk.agent, &[WorkState::Talking, WorkState::Hold])
                {
                    bad.push(format!("contact {id} is talked to by {}, who does not know it", talk.agent));
                }
                for r in i.rings.values().filter(|r| !works(&r.agent, &[WorkState::Alerting])) {
                    bad.push(format!("contact {id} rings at {}, who does not know it", r.agent));
                }
                for agent in i.wraps.keys().filter(|a| !works(a, &[WorkState::WrapUp, WorkState::Talking])) {
                    bad.push(format!("contact {id} is wrapped up by {agent}, who does not know it"));
                }
            }
        }
    }

    /// What is held although nobody is there any more: contacts, legs, questions, timers other than those of tickets, kept places, days and alerts.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let mut say = |what: &str, n: usize| {
            if n > 0 {
                left.push(format!("{what}: {n}"));
            }
        };
        say("contacts", self.interactions.len());
        say("legs", self.legs.len());
        say("legs of the calls", self.calls.len());
        say("visitors", self.visitors.len());
        say("visitors who may call", self.guests.len());
        say("recordings", self.records.len());
        say("questions", self.asks.len());
        say("waiting for the store", self.recent.sizes()[0].1);
        say("unstored messages", self.unstored.len());
        say("dialogs", self.calls.counters().dialogs);
        let timers = self
            .timers
            .iter()
            .filter(|(_, t)| !matches!(t, Timer::Ticket(..) | Timer::Place(..) | Timer::NewDay(_) | Timer::Alerts(_)))
            .count();
        say("timers", timers);
        left
    }
}
