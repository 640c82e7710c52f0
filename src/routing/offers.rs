//! An offer: one interaction presented to one agent. A lease: it ends by itself at its deadline, and exactly once.
//!
//! ```text
//!     Ringing ─accept──────────▶ Accepted         connect; other offers of it lose the race
//!        ├────decline──────────▶ Declined         back in line, place and age kept; not to this agent for `retry_s`
//!        ├────withdraw─────────▶ Withdrawn        the customer left, or a supervisor reassigned it
//!        ├────endpoint failed──▶ EndpointFailed   back in line; the agent is made not ready (endpoint_failed)
//!        └────deadline─────────▶ NoAnswer         back in line; the agent is made not ready (no_answer)
//! ```
//!
//! An answer to an offer that is over is refused, with how it ended.

use std::{collections::BTreeSet, time::Duration};

use super::{
    agent::Work,
    contract::*,
    decision::{Decision, Measure},
    dispatch::{Place, Waiting},
    metrics::{ExitKind, MetricEvent},
    plan::{ENDPOINT_FAILED, NO_ANSWER, OnNoAnswer},
    router::{Router, Timer},
};
use crate::base::{
    AgentId, Channel, CodeId, InteractionId, Mono, Now, OfferId, QueueId, Wall,
    limits::{OFFERS_REMEMBERED, RING_DEFAULT},
    secs,
};

/// An offer that rings.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub interaction: InteractionId,
    pub agent: AgentId,
    pub channel: Channel,
    pub queue: Option<QueueId>,
    pub from: Wall,
    pub until: Wall,
}

impl Router {
    /// Begins to ring.
    pub(super) fn offer(&mut self, now: Now, decision: Decision, out: &mut Vec<Output>) {
        let (id, agent, interaction) = (decision.offer, decision.agent.clone(), decision.interaction);
        let queue = decision.queue.clone();
        let ring = queue.as_ref().and_then(|q| self.plan.queues.get(q)).map_or(RING_DEFAULT, |q| secs(q.ring_s.into()));
        let (ring_until, ring_until_wall) = (now.mono + ring, now.wall + ring);
        self.timers.set(Timer::Offer(id), ring_until);
        let Some(w) = self.waiting.get_mut(&interaction) else { return };
        w.offers.insert(id);
        if let Some(queue) = queue.as_ref().filter(|_| w.offers.len() == 1) {
            self.queue(queue).alerting += 1;
        }
        let (from, until) = (now.wall, ring_until_wall);
        let offer = Offer { interaction, agent: agent.clone(), channel: decision.channel, queue, from, until };
        self.offers.insert(id, offer);
        if let Some(a) = self.agents.get_mut(&agent) {
            a.alerting = Some(id);
        }
        self.touch(now, &agent);
        let decision = Box::new(decision);
        out.push(Output::Offer { offer: id, interaction, agent, ring_until, ring_until_wall, decision });
    }

    /// The offer, or the refusal for one that is over.
    fn ringing(&self, id: OfferId) -> Result<&Offer, Refused> {
        self.offers.get(&id).ok_or_else(|| match self.ended.get(&id) {
            Some(why) => Refused::OfferOver { offer: id, why: *why },
            None => Refused::UnknownOffer(id),
        })
    }

    /// Whether an offer was made and is over; the oldest are forgotten.
    pub fn offer_is_over(&self, id: OfferId) -> bool {
        self.ended.contains_key(&id)
    }

    /// Stops ringing. What becomes of the interaction is the caller's business.
    pub(super) fn stop(&mut self, now: Now, id: OfferId, why: StopWhy, out: &mut Vec<Output>) -> Option<Offer> {
        let offer = self.offers.remove(&id)?;
        self.timers.clear(&Timer::Offer(id));
        self.ended.insert(id, why);
        if self.ended.len() > OFFERS_REMEMBERED {
            self.ended.pop_first();
        }
        if let Some(w) = self.waiting.get_mut(&offer.interaction) {
            w.offers.remove(&id);
            if let Some(queue) = w.queue.clone().filter(|_| w.offers.is_empty()) {
                self.queue(&queue).alerting -= 1;
            }
        }
        if let Some(a) = self.agents.get_mut(&offer.agent) {
            a.alerting = None;
        }
        let Offer { interaction, agent, queue, from, .. } = offer.clone();
        out.push(Output::StopOffer { offer: id, interaction, agent: agent.clone(), why });
        self.count(MetricEvent::Offered { queue, interaction, agent, from, at: now.wall, why }, out);
        self.rest(now, &offer.agent);
        Some(offer)
    }

    /// Stops all offers of an interaction.
    pub(super) fn stop_offers(&mut self, now: Now, id: InteractionId, why: StopWhy, out: &mut Vec<Output>) {
        let offers: Vec<OfferId> = self.waiting.get(&id).map(|w| w.offers.iter().copied().collect()).unwrap_or_default();
        for offer in offers {
            self.stop(now, offer, why, out);
        }
    }

    pub(super) fn accept(&mut self, now: Now, id: OfferId, out: &mut Vec<Output>) -> Result<(), Refused> {
        let Offer { interaction, agent, channel, queue, .. } = self.ringing(id)?.clone();
        // The work begins before the ringing ends, so that the agent is never free in between.
        if let Some(a) = self.agents.get_mut(&agent) {
            a.work.insert(interaction, Work::begin(channel, queue, now.wall));
        }
        self.stop(now, id, StopWhy::Accepted, out);
        self.stop_offers(now, interaction, StopWhy::LostRace, out);
        self.remove(now, interaction, ExitKind::Answered, out);
        out.push(Output::Connect { interaction, agent: agent.clone(), offer: id });
        self.touch(now, &agent);
        Ok(())
    }

    /// The agent refuses, or the endpoint does.
    pub(super) fn fail_offer(&mut self, now: Now, id: OfferId, why: StopWhy, out: &mut Vec<Output>) -> Result<(), Refused> {
        self.ringing(id)?;
        self.rang_out(now, id, why, out);
        Ok(())
    }

    /// The offer came to nothing: the agent bears the consequence, the interaction goes back in line.
    pub(super) fn rang_out(&mut self, now: Now, id: OfferId, why: StopWhy, out: &mut Vec<Output>) {
        let Some(offer) = self.stop(now, id, why, out) else { return };
        let plan = offer.queue.as_ref().and_then(|q| self.plan.queues.get(q));
        let retry = plan.map_or(RING_DEFAULT, |p| secs(p.retry_s.into()));
        let rona = plan.is_none_or(|p| p.no_answer() == OnNoAnswer::NotReady);
        let reason = match why {
            StopWhy::NoAnswer if rona => Some(NO_ANSWER),
            // Its phone is broken: every next caller would lose the same seconds there.
            StopWhy::EndpointFailed => Some(ENDPOINT_FAILED),
            _ => None,
        };
        let signed_in = self.agents.get(&offer.agent).is_some_and(|a| a.state != AgentState::SignedOut);
        if let Some(reason) = reason.and_then(|r| CodeId::parse(r).ok()).filter(|_| signed_in) {
            self.enter(now, &offer.agent, AgentState::NotReady(reason));
        }
        self.exclude(now.mono, &offer.agent, offer.interaction, retry);
        if let Some(w) = self.waiting.get_mut(&offer.interaction) {
            // Kept for somebody who did not take it: the pool may have it.
            if w.prefer.as_ref().is_some_and(|(a, _)| *a == offer.agent) {
                w.prefer = None;
            }
        }
        self.back_in_line(now, offer.interaction, out);
    }

    fn exclude(&mut self, now: Mono, agent: &AgentId, interaction: InteractionId, retry: Duration) {
        if let Some(a) = self.agents.get_mut(agent) {
            a.excluded.insert(interaction, now + retry);
            self.schedule_retry(now, agent);
        }
    }

    /// Forgets what the agent may be offered again, and sets the deadline of the rest.
    pub(super) fn schedule_retry(&mut self, now: Mono, agent: &AgentId) {
        let Some(a) = self.agents.get_mut(agent) else { return };
        a.excluded.retain(|_, until| *until > now);
        let timer = Timer::Retry(agent.clone());
        match a.excluded.values().min() {
            Some(at) => self.timers.set(timer, *at),
            None => {
                self.timers.clear(&timer);
            }
        }
    }

    /// To this agent and nobody else.
    pub(super) fn assign(
        &mut self,
        now: Now,
        interaction: InteractionId,
        agent: &AgentId,
        channel: Channel,
        by_themselves: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        self.known(agent)?;
        let (plan, a) = (&self.plan.agents[agent], &self.agents[agent]);
        let channel = self.waiting.get(&interaction).map_or(channel, |w| w.channel);
        let in_hand = a.work.contains_key(&interaction).then_some(super::decision::Filter::InHand);
        let unavailable = || if by_themselves { a.no_hand_free(plan, channel) } else { a.unavailable(plan, channel) };
        if let Some(why) = in_hand.or_else(unavailable) {
            return Err(Refused::CannotTake { agent: agent.clone(), why });
        }
        let measures = vec![(Measure::IdleSince, a.idle_since.0)];
        if self.waiting.contains_key(&interaction) {
            self.stop_offers(now, interaction, StopWhy::Withdrawn, out);
            self.unlist(interaction);
        } else {
            self.seq += 1;
            let w = Waiting {
                patient: false,
                queue: None,
                channel,
                priority_min: 0,
                bonus_min: 0,
                place: Place::new(interaction, now.wall, 0, self.seq),
                entered: now.wall,
                mono: now.mono,
                age: Duration::ZERO,
                needs: Vec::new(),
                prefer: None,
                max_wait: None,
                overdue: false,
                offers: BTreeSet::new(),
                slot: None,
            };
            self.waiting.insert(interaction, w);
        }
        let decision = self.decide(now, interaction, agent, &[(agent.clone(), measures)], &[]);
        self.offer(now, decision, out);
        Ok(())
    }
}
