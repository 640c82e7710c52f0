//! Writing down a decision: who was looked at, what filtered whom, what stood before it in line.
//!
//! The record itself, and its evaluation, is in `decision`; the choice is made in `dispatch`.

use std::ops::Bound;

use super::{
    decision::{Candidate, Decision, Filter, HeldBack, Rival, Verdict},
    dispatch::{Eligible, Place, Slot, Waiting, full_needs, relaxed},
    router::Router,
};
use crate::base::{
    AgentId, InteractionId, Mono, Now, OfferId,
    limits::{DECISION_ABLE_MAX, DECISION_KEPT_MAX, DECISION_LOOKED_MAX, DECISION_RIVALS_MAX},
};

impl Router {
    /// Writes down why. Called before anything changes, so that the record shows what the choice was made from.
    pub(super) fn decide(
        &mut self,
        now: Now,
        id: InteractionId,
        agent: &AgentId,
        eligible: &[Eligible],
        passed: &[(AgentId, Place)],
    ) -> Decision {
        let offer = OfferId::new(now, &mut self.rng);
        let w = &self.waiting[&id];
        let plan = w.queue.as_ref().and_then(|q| self.plan.queues.get(q));
        let at_first = full_needs(plan, &w.needs);
        let needs = plan.map_or_else(Vec::new, |p| relaxed(p, at_first.clone(), w.elapsed(now.mono)));
        let kept_for = match (&w.slot, &w.queue) {
            (Some(Slot::Kept(agent)), _) => Some(agent.clone()),
            (Some(Slot::Open(_)), Some(_)) => None,
            (None, _) | (_, None) => Some(agent.clone()),
        };
        let Considered { candidates, kept_back, omitted } = self.candidates(w, agent, &kept_for, eligible, passed, now.mono);
        let (order, order_omitted) = self.order(w, agent, now.mono);
        let mut decision = Decision {
            offer,
            interaction: id,
            queue: w.queue.clone(),
            channel: w.channel,
            at: now.wall,
            age_ms: super::agent::micros(now.wall.since(w.place.since)) / 1000,
            strategy: self.strategy(w),
            needs_at_first: (needs != at_first && plan.is_some()).then_some(at_first),
            needs,
            kept_for,
            agent: agent.clone(),
            candidates,
            able: count(eligible.len()),
            kept_back,
            candidates_omitted: omitted,
            order,
            order_omitted,
            tie_break: String::new(),
        };
        decision.tie_break = decision.sentence();
        decision
    }

    /// The chosen one, the best of the others who could take it, then others of the queue with what kept them from it.
    fn candidates(
        &self,
        w: &Waiting,
        chosen: &AgentId,
        kept_for: &Option<AgentId>,
        eligible: &[Eligible],
        passed: &[(AgentId, Place)],
        now: Mono,
    ) -> Considered {
        // Where all are rung, each has a record of their own, and is not among the best in all of them.
        let (first, others): (Vec<&Eligible>, Vec<&Eligible>) = eligible.iter().partition(|(a, _)| a == chosen);
        let able = first.into_iter().chain(others).take(DECISION_ABLE_MAX);
        let mut list: Vec<Candidate> =
            able.map(|(a, m)| Candidate { agent: a.clone(), verdict: Verdict::Eligible(m.clone()) }).collect();
        let members = w.queue.as_ref().and_then(|q| self.queues.get(q)).map_or(&[][..], |q| &q.members);
        let mut kept_back: Vec<(String, u32)> = Vec::new();
        let mut named = 0;
        for member in members.iter().take(DECISION_LOOKED_MAX) {
            if kept_for.as_ref() == Some(member) || eligible.iter().any(|(a, _)| a == member) {
                continue;
            }
            let kept = || kept_for.clone().map(Filter::KeptFor);
            let first = || passed.iter().find(|(a, _)| a == member).map(|(_, p)| Filter::TakesFirst(p.id));
            // None: could take it, and is not among the best.
            let Some(filter) = self.filter(member, w, now).or_else(kept).or_else(first) else { continue };
            if named < DECISION_KEPT_MAX {
                named += 1;
                list.push(Candidate { agent: member.clone(), verdict: Verdict::Filtered(filter) });
                continue;
            }
            match kept_back.iter_mut().find(|(why, _)| why == filter.word()) {
                Some((_, n)) => *n += 1,
                None => kept_back.push((filter.word().to_owned(), 1)),
            }
        }
        let written = list.iter().filter(|c| members.binary_search(&c.agent).is_ok()).count();
        Considered { candidates: list, kept_back, omitted: count(members.len() - written) }
    }

    /// What waited in the agent's queues, in order, and what held back those before this one.
    fn order(&self, w: &Waiting, agent: &AgentId, now: Mono) -> (Vec<Rival>, u32) {
        let plan = self.plan.agents.get(agent);
        let rival = |other: &Waiting| {
            let more = plan.map_or(0, |p| self.weight(p, other.place.id));
            let held_back = match &other.slot {
                _ if other.place.id == w.place.id => None,
                None => Some(HeldBack::Alerting),
                Some(_) => self.filter(agent, other, now).map(HeldBack::Filtered),
            };
            Rival {
                interaction: other.place.id,
                queue: other.queue.clone(),
                since: other.place.since,
                head_start_min: other.head_start() + i64::from(more),
                seq: other.place.seq,
                held_back,
            }
        };
        // Assigned by hand: nothing else was looked at.
        let assigned = w.slot.is_none();
        let own = w.queue.as_ref().and_then(|q| self.queues.get(q)).filter(|_| !assigned);
        let mut list: Vec<Rival> = Vec::new();
        let mut total = usize::from(own.is_none());
        if let Some(queue) = own {
            total += queue.order.len();
            let ahead = queue.order.range(..w.place).take(DECISION_RIVALS_MAX / 2);
            list.extend(ahead.filter_map(|p| self.waiting.get(&p.id)).map(rival));
        }
        list.push(rival(w));
        if let Some(next) = own.and_then(|q| q.order.range((Bound::Excluded(w.place), Bound::Unbounded)).next()) {
            list.extend(self.waiting.get(&next.id).map(rival));
        }
        for part in plan.iter().flat_map(|p| &p.queues).filter(|p| !assigned && Some(&p.queue) != w.queue.as_ref()) {
            let Some(queue) = self.queues.get(&part.queue) else { continue };
            total += queue.order.len();
            let room = DECISION_RIVALS_MAX.saturating_sub(list.len()).min(2);
            list.extend(queue.order.iter().take(room).filter_map(|p| self.waiting.get(&p.id)).map(rival));
        }
        list.sort_by_key(Rival::place);
        let omitted = total.saturating_sub(list.len());
        (list, count(omitted))
    }
}

/// Who was looked at for an offer.
struct Considered {
    candidates: Vec<Candidate>,
    kept_back: Vec<(String, u32)>,
    /// Members of the queue not written out, those counted in `kept_back` among them.
    omitted: u32,
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
