//! Who is matched with whom, and the indexes that make it quick.
//!
//! The promise kept between inputs: *no waiting interaction and free agent that fit each other stand side by side*. So only
//! what an input changed (an agent freed, an interaction that arrived or now asks for less) needs a look, and that look finds
//! its partner through two indexes instead of scanning:
//!
//! - per queue, what can be offered, grouped by what it asks for ([`Class`]) and sorted by place: a freed agent compares the
//!   heads of the groups that fit;
//! - per queue and channel, the free agents in the order the strategy prefers: an arrival takes the first that fits.
//!
//! An interaction's place never changes with time (arrival less head start), which is why priority is a head start in minutes
//! and why nothing starves. What does change with time, the group, moves at a deadline of the interaction.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use super::{
    agent::{Agent, Rank, Staff},
    contract::Output,
    decision::{self, Decision, Filter, Measure},
    metrics::QueueCounts,
    plan::{AgentPlan, AgentQueue, QueuePlan, Strategy},
    router::Router,
};
use crate::base::{
    AgentId, Channel, InteractionId, Mono, Now, OfferId, QueueId, Rng, SkillId, Wall,
    limits::{CANDIDATES_MAX, RING_ALL_MAX},
    secs,
};

/// Where an interaction stands: arrival less head start, then arrival, then order of entering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub key: i64,
    pub since: Wall,
    pub seq: u64,
    pub id: InteractionId,
}

impl Place {
    pub fn new(id: InteractionId, since: Wall, head_start_min: i64, seq: u64) -> Self {
        Place { key: since.0.saturating_sub(head_start_min.saturating_mul(60_000_000)), since, seq, id }
    }
    /// As seen by an agent whose queue has a head start of its own.
    fn ahead(self, minutes: i32) -> Self {
        Place { key: self.key.saturating_sub(i64::from(minutes) * 60_000_000), ..self }
    }
}

/// What a waiting interaction asks for now. Interactions of one class fit the same agents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    pub channel: Channel,
    /// How many of the queue's reserve delays have passed.
    pub tier: usize,
    pub needs: Vec<(SkillId, u8)>,
}

/// Where an interaction that can be offered is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// In its queue.
    Open(Class),
    /// Under the agent it is kept for.
    Kept(AgentId),
}

/// A waiting interaction.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// None: directly assigned.
    pub queue: Option<QueueId>,
    pub channel: Channel,
    pub priority_min: i32,
    /// Head start from attributes.
    pub bonus_min: i64,
    pub place: Place,
    pub entered: Wall,
    /// Timer clock at which it had been in the queue for `age`.
    pub mono: Mono,
    pub age: Duration,
    /// Needs of its own, besides the queue's.
    pub needs: Vec<(SkillId, u8)>,
    pub prefer: Option<(AgentId, Duration)>,
    pub max_wait: Option<Duration>,
    /// Nobody holds the line.
    pub patient: bool,
    /// Waited too long, leaves when it stops ringing.
    pub overdue: bool,
    pub offers: BTreeSet<OfferId>,
    /// None while it rings (except `ring_all`, which more agents may join).
    pub slot: Option<Slot>,
}

impl Waiting {
    /// Time in this queue. By the timer clock: setting the wall clock makes nobody's wait longer.
    pub fn elapsed(&self, now: Mono) -> Duration {
        self.age + (now - self.mono)
    }
    pub fn head_start(&self) -> i64 {
        i64::from(self.priority_min) + self.bonus_min
    }
}

/// A queue while the router runs.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    /// Agents who serve it, by id.
    pub members: Vec<AgentId>,
    /// The distinct reserve delays, shortest first.
    pub delays: Vec<u32>,
    /// All who wait.
    pub order: BTreeSet<Place>,
    /// Of those, ringing.
    pub alerting: usize,
    pub open: BTreeMap<Class, BTreeSet<Place>>,
    pub free: BTreeMap<Channel, BTreeSet<Rank>>,
    pub staff: BTreeMap<Channel, Staff>,
    /// Since when it is empty in the sense of its leave rule.
    pub empty_since: BTreeMap<Channel, Mono>,
    /// Round robin: whose turn it was.
    pub turn: Option<AgentId>,
    pub counts: QueueCounts,
}

impl Queue {
    pub fn new(plan: &QueuePlan) -> Self {
        Self {
            members: Vec::new(),
            delays: Vec::new(),
            order: BTreeSet::new(),
            alerting: 0,
            open: BTreeMap::new(),
            free: BTreeMap::new(),
            staff: BTreeMap::new(),
            empty_since: BTreeMap::new(),
            turn: None,
            counts: QueueCounts::new(plan.sl_target_s, plan.short_abandon_s),
        }
    }

    pub fn staff(&self, channel: Channel) -> Staff {
        self.staff.get(&channel).copied().unwrap_or_default()
    }

    fn tier_of(&self, delay_s: u32) -> usize {
        self.delays.partition_point(|d| *d <= delay_s)
    }
}

/// An agent who could take it, with the measures of the strategy.
pub(super) type Eligible = (AgentId, Vec<(Measure, i64)>);

pub(super) fn membership<'a>(plan: &'a AgentPlan, queue: &QueueId) -> Option<&'a AgentQueue> {
    plan.queues.iter().find(|q| q.queue == *queue)
}

fn lacks(plan: &AgentPlan, needs: &[(SkillId, u8)]) -> Option<Filter> {
    needs.iter().find_map(|(skill, needs)| {
        let has = plan.skills.get(skill).copied().unwrap_or(0);
        (has < *needs).then(|| Filter::Skill { skill: skill.clone(), needs: *needs, has })
    })
}

fn whole_s(d: Duration) -> u32 {
    u32::try_from(d.as_secs()).unwrap_or(u32::MAX)
}

/// Everything that is asked for: the queue's needs and its own, the higher level where both name a skill.
pub(super) fn full_needs(queue: Option<&QueuePlan>, own: &[(SkillId, u8)]) -> Vec<(SkillId, u8)> {
    let mut all: BTreeMap<SkillId, u8> = queue.map(|q| q.needs.clone()).unwrap_or_default();
    for (skill, level) in own {
        let asked = all.entry(skill.clone()).or_default();
        *asked = (*asked).max(*level);
    }
    all.into_iter().collect()
}

/// What is still asked for after `elapsed`.
pub(super) fn relaxed(queue: &QueuePlan, mut needs: Vec<(SkillId, u8)>, elapsed: Duration) -> Vec<(SkillId, u8)> {
    for step in queue.relax.iter().filter(|r| secs(r.after_s.into()) <= elapsed) {
        for (_, level) in needs.iter_mut().filter(|(s, _)| step.skill.as_ref().is_none_or(|only| only == s)) {
            *level = (*level).min(step.to);
        }
    }
    needs.retain(|(_, level)| *level > 0);
    needs
}

impl Router {
    /// The class an interaction of `queue` has now.
    pub(super) fn class(&self, w: &Waiting, queue: &QueueId, now: Mono) -> Class {
        let (plan, elapsed) = (&self.plan.queues[queue], w.elapsed(now));
        let tier = self.queues[queue].delays.partition_point(|d| secs((*d).into()) <= elapsed);
        Class { channel: w.channel, tier, needs: relaxed(plan, full_needs(Some(plan), &w.needs), elapsed) }
    }

    /// Lists a waiting interaction as one that can be offered, where it belongs at present, and has it looked at.
    pub(super) fn list(&mut self, now: Now, id: InteractionId) {
        self.unlist(id);
        let Some(w) = self.waiting.get(&id) else { return };
        let Some(queue) = w.queue.clone().filter(|_| !w.overdue) else { return };
        let kept = w.prefer.as_ref().filter(|(agent, bound)| {
            w.elapsed(now.mono) < *bound && self.agents.get(agent).is_some_and(|a| a.expected_on(w.channel))
        });
        let (place, slot) = match kept {
            Some((agent, _)) => (w.place, Slot::Kept(agent.clone())),
            None => (w.place, Slot::Open(self.class(w, &queue, now.mono))),
        };
        match &slot {
            Slot::Kept(agent) => self.kept.entry(agent.clone()).or_default().insert(place),
            Slot::Open(class) => self.queue(&queue).open.entry(class.clone()).or_default().insert(place),
        };
        let open = matches!(slot, Slot::Open(_));
        let w = self.waiting.get_mut(&id).expect("looked up above");
        w.slot = Some(slot);
        if open {
            // Once in the pool it stays there: who came back from a break does not take it out again.
            w.prefer = None;
        }
        self.dirty_entries.insert(place);
    }

    /// Takes it off the list of what can be offered.
    pub(super) fn unlist(&mut self, id: InteractionId) {
        let Some(w) = self.waiting.get_mut(&id) else { return };
        let (place, queue) = (w.place, w.queue.clone());
        match (w.slot.take(), queue) {
            (Some(Slot::Kept(agent)), _) => {
                if let Some(set) = self.kept.get_mut(&agent) {
                    set.remove(&place);
                    if set.is_empty() {
                        self.kept.remove(&agent);
                    }
                }
            }
            (Some(Slot::Open(class)), Some(queue)) => {
                let open = &mut self.queue(&queue).open;
                if let Some(set) = open.get_mut(&class) {
                    set.remove(&place);
                    if set.is_empty() {
                        open.remove(&class);
                    }
                }
            }
            (Some(Slot::Open(_)) | None, _) => {}
        }
        self.dirty_entries.remove(&place);
    }

    /// Brings the free lists and the staffing up to date with an agent.
    pub(super) fn reindex(&mut self, now: Now, id: &AgentId) {
        let plan = Arc::clone(&self.plan);
        let Some(agent) = self.agents.get_mut(id) else { return };
        let mut seen: BTreeSet<QueueId> = BTreeSet::new();
        for (queue, channel, rank) in agent.listed.drain(..) {
            if let Some(set) = self.queues.get_mut(&queue).and_then(|q| q.free.get_mut(&channel)) {
                set.remove(&rank);
            }
        }
        for (queue, channel, staff) in agent.staffing.drain(..) {
            if let Some(s) = self.queues.get_mut(&queue).and_then(|q| q.staff.get_mut(&channel)) {
                s.signed_in -= staff.signed_in;
                s.ready -= staff.ready;
                s.slots -= staff.slots;
            }
            seen.insert(queue);
        }
        if let Some(agent_plan) = plan.agents.get(id) {
            for channel in Channel::ALL {
                let here = agent.reachable.contains(&channel) && agent_plan.capacity(channel) > 0;
                if !here || agent.state == super::contract::AgentState::SignedOut {
                    continue;
                }
                let ready = agent.expected_on(channel);
                let slots = if ready { u32::from(agent_plan.capacity(channel)) } else { 0 };
                let staff = Staff { signed_in: 1, ready: usize::from(ready), slots };
                let free = agent.unavailable(agent_plan, channel).is_none();
                for aq in &agent_plan.queues {
                    let Some(queue) = self.queues.get_mut(&aq.queue) else { continue };
                    let s = queue.staff.entry(channel).or_default();
                    s.signed_in += staff.signed_in;
                    s.ready += staff.ready;
                    s.slots += staff.slots;
                    agent.staffing.push((aq.queue.clone(), channel, staff));
                    seen.insert(aq.queue.clone());
                    if free {
                        let rank = rank(plan.queues[&aq.queue].strategy, agent, id);
                        queue.free.entry(channel).or_default().insert(rank.clone());
                        agent.listed.push((aq.queue.clone(), channel, rank));
                    }
                }
            }
        }
        for queue in seen {
            self.watch_empty(now, &queue);
        }
    }

    /// What keeps `agent` from this very interaction, once the agent is available on its channel.
    pub(super) fn misfit(&self, id: &AgentId, w: &Waiting, now: Mono) -> Option<Filter> {
        let (Some(agent), Some(plan)) = (self.agents.get(id), self.plan.agents.get(id)) else {
            return Some(Filter::SignedOut);
        };
        if agent.work.contains_key(&w.place.id) {
            return Some(Filter::InHand);
        }
        if let Some(until) = agent.excluded.get(&w.place.id).filter(|t| **t > now) {
            return Some(Filter::RecentlyRangOut { again_in_s: whole_s(*until - now).saturating_add(1) });
        }
        match (&w.slot, &w.queue) {
            (Some(Slot::Kept(only)), _) => (only != id).then(|| Filter::KeptFor(only.clone())),
            (_, None) => None,
            (_, Some(queue)) => {
                let Some(part) = membership(plan, queue) else { return Some(Filter::NotInQueue) };
                let elapsed = w.elapsed(now);
                if elapsed < secs(part.delay_s.into()) {
                    return Some(Filter::Delay { needs_s: part.delay_s, waited_s: whole_s(elapsed) });
                }
                match &w.slot {
                    Some(Slot::Open(class)) => lacks(plan, &class.needs),
                    _ => lacks(plan, &self.class(w, queue, now).needs),
                }
            }
        }
    }

    pub(super) fn filter(&self, id: &AgentId, w: &Waiting, now: Mono) -> Option<Filter> {
        let (Some(agent), Some(plan)) = (self.agents.get(id), self.plan.agents.get(id)) else {
            return Some(Filter::SignedOut);
        };
        agent.unavailable(plan, w.channel).or_else(|| self.misfit(id, w, now))
    }

    /// The next interaction for a freed agent: the first by place among the heads of all groups that fit.
    fn next_for(&self, id: &AgentId, now: Mono) -> Option<Place> {
        let (agent, plan) = (self.agents.get(id)?, self.plan.agents.get(id)?);
        let fits = |p: &&Place| !agent.work.contains_key(&p.id) && agent.excluded.get(&p.id).is_none_or(|until| *until <= now);
        let mut best: Option<(Place, Place)> = None;
        let mut offer = |seen: Place, place: Place| {
            if best.is_none_or(|(b, _)| seen < b) {
                best = Some((seen, place));
            }
        };
        for channel in Channel::ALL.into_iter().filter(|c| agent.unavailable(plan, *c).is_none()) {
            if let Some(kept) = self.kept.get(id) {
                let head = kept.iter().filter(fits).find(|p| self.waiting.get(&p.id).is_some_and(|w| w.channel == channel));
                if let Some(p) = head {
                    offer(p.ahead(self.weight(plan, p.id)), *p);
                }
            }
            for part in &plan.queues {
                let Some(queue) = self.queues.get(&part.queue) else { continue };
                let tier = queue.tier_of(part.delay_s);
                for (class, places) in &queue.open {
                    if class.channel != channel || class.tier < tier || lacks(plan, &class.needs).is_some() {
                        continue;
                    }
                    if let Some(p) = places.iter().find(fits) {
                        offer(p.ahead(part.priority_min), *p);
                    }
                }
            }
        }
        best.map(|(_, place)| place)
    }

    /// The head start an agent's own queue list gives an interaction.
    pub(super) fn weight(&self, plan: &AgentPlan, id: InteractionId) -> i32 {
        let queue = self.waiting.get(&id).and_then(|w| w.queue.as_ref());
        queue.and_then(|q| membership(plan, q)).map_or(0, |part| part.priority_min)
    }

    /// Matches until nothing that an input changed fits anything any more.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut heads: BTreeMap<AgentId, Place> = BTreeMap::new();
        loop {
            for agent in std::mem::take(&mut self.dirty_agents) {
                match self.next_for(&agent, now.mono) {
                    Some(place) => heads.insert(agent, place),
                    None => heads.remove(&agent),
                };
            }
            let by_agent = heads.values().min().copied();
            let Some(place) = by_agent.into_iter().chain(self.dirty_entries.first().copied()).min() else { return };
            self.dirty_entries.remove(&place);
            let offered = self.match_one(now, place, out);
            // Whoever had an eye on it, or was just offered something, looks again.
            let changed = |a: &AgentId, p: &Place| {
                let listed = self.waiting.get(&p.id).is_some_and(|w| w.slot.is_some());
                *p == place || !listed || self.agents.get(a).is_none_or(|a| a.alerting.is_some())
            };
            let again: Vec<AgentId> = heads.iter().filter(|(a, p)| changed(a, p)).map(|(a, _)| a.clone()).collect();
            for agent in again {
                // Every round makes an offer or forgets a pair: whatever else goes wrong, this loop ends.
                let stuck = !offered && heads.get(&agent) == Some(&place);
                heads.remove(&agent);
                if !stuck {
                    self.dirty_agents.insert(agent);
                }
            }
        }
    }

    /// Offers the interaction at `place`, or one that all its agents have to take before it.
    ///
    /// An agent's own queue list may put another interaction first. Then the next agent is asked; if all have something to take
    /// first, the first of those is offered instead, which that agent surely takes, so the second round is the last.
    fn match_one(&mut self, now: Now, place: Place, out: &mut Vec<Output>) -> bool {
        let (asked, mut place) = (place, place);
        for _ in 0..2 {
            let Some(w) = self.waiting.get(&place.id).filter(|w| w.slot.is_some()) else { return false };
            let all_ring = self.strategy(w) == Strategy::RingAll && !matches!(w.slot, Some(Slot::Kept(_)));
            let queue = w.queue.clone();
            let mut eligible = self.eligible(place.id, now.mono);
            if all_ring {
                let offered = self.ring_all(now, place, eligible, out);
                return self.again(asked, place, offered);
            }
            let mut passed: Vec<(AgentId, Place)> = Vec::new();
            for (agent, _) in &eligible {
                match self.next_for(agent, now.mono).filter(|next| *next != place) {
                    Some(next) => passed.push((agent.clone(), next)),
                    None => break,
                }
            }
            eligible.drain(..passed.len());
            if let Some((best, _)) = eligible.first() {
                let best = best.clone();
                let decision = self.decide(now, place.id, &best, &eligible, &passed);
                if let Some(queue) = queue {
                    self.queue(&queue).turn = Some(best);
                }
                self.unlist(place.id);
                self.offer(now, decision, out);
                return self.again(asked, place, true);
            }
            let Some((_, other)) = passed.first() else { return false };
            place = *other;
        }
        false
    }

    /// What was passed over for another is looked at again, if that other was offered.
    fn again(&mut self, asked: Place, offered_place: Place, offered: bool) -> bool {
        if offered && asked != offered_place {
            self.dirty_entries.insert(asked);
        }
        self.dirty_entries.remove(&offered_place);
        offered
    }

    fn ring_all(&mut self, now: Now, place: Place, eligible: Vec<Eligible>, out: &mut Vec<Output>) -> bool {
        let ringing = self.waiting[&place.id].offers.len();
        let (mut ring, mut passed) = (Vec::new(), Vec::new());
        for e in eligible.into_iter().take(RING_ALL_MAX.saturating_sub(ringing)) {
            match self.next_for(&e.0, now.mono).filter(|next| *next != place) {
                None => ring.push(e),
                Some(next) => passed.push((e.0, next)),
            }
        }
        let decisions: Vec<Decision> =
            ring.iter().map(|(agent, _)| self.decide(now, place.id, agent, &ring, &passed)).collect();
        let offered = !decisions.is_empty();
        for decision in decisions {
            self.offer(now, decision, out);
        }
        // These have something to take first; should others take that, they join here.
        self.dirty_agents.extend(passed.into_iter().map(|(agent, _)| agent));
        offered
    }

    pub(super) fn strategy(&self, w: &Waiting) -> Strategy {
        w.queue.as_ref().and_then(|q| self.plan.queues.get(q)).map_or(Strategy::LongestIdle, |q| q.strategy)
    }

    /// Who can take it, best first. Looks at all free agents only where the strategy must compare all.
    fn eligible(&mut self, id: InteractionId, now: Mono) -> Vec<Eligible> {
        let w = &self.waiting[&id];
        if let Some(Slot::Kept(agent)) = &w.slot {
            let fits = self.filter(agent, w, now).is_none();
            return fits.then(|| (agent.clone(), idle(&self.agents[agent]))).into_iter().collect();
        }
        let Some((queue, plan)) = w.queue.as_ref().and_then(|q| Some((self.queues.get(q)?, self.plan.queues.get(q)?))) else {
            return Vec::new();
        };
        let Some(free) = queue.free.get(&w.channel).filter(|f| !f.is_empty()) else { return Vec::new() };
        let fits = |rank: &&Rank| self.misfit(&rank.3, w, now).is_none();
        let agent = |id: &AgentId| &self.agents[id];
        let enough = if plan.strategy == Strategy::RingAll { RING_ALL_MAX } else { CANDIDATES_MAX };
        match plan.strategy {
            Strategy::LongestIdle | Strategy::RingAll => {
                free.iter().filter(fits).take(enough).map(|r| (r.3.clone(), idle(agent(&r.3)))).collect()
            }
            Strategy::Fewest => {
                let measures = |a: &Agent| [vec![(Measure::Handled, count(a.handled))], idle(a)].concat();
                free.iter().filter(fits).take(enough).map(|r| (r.3.clone(), measures(agent(&r.3)))).collect()
            }
            Strategy::RoundRobin => {
                let last = queue.turn.clone().map(|a| (0, 0, 0, a));
                let (after, upto) = match &last {
                    Some(last) => ((Bound::Excluded(last), Bound::Unbounded), (Bound::Unbounded, Bound::Included(last))),
                    None => ((Bound::Unbounded, Bound::Unbounded), (Bound::Unbounded, Bound::Unbounded)),
                };
                let second = last.is_some().then(|| free.range(upto)).into_iter().flatten();
                let turns = free.range(after).chain(second).filter(fits).take(enough);
                let members = &queue.members;
                let index = |a: &AgentId| members.binary_search(a).unwrap_or_else(|at| at);
                let start = queue.turn.as_ref().map_or(0, |a| index(a) + 1);
                let turn = |a: &AgentId| (index(a) + members.len() * 2 - start) % members.len().max(1);
                turns.map(|r| (r.3.clone(), vec![(Measure::Turn, turn(&r.3) as i64)])).collect()
            }
            Strategy::BestSkilled => {
                let needs = full_needs(Some(plan), &w.needs);
                let sum = |a: &AgentId| -> i64 {
                    let has = self.plan.agents.get(a).map(|p| &p.skills);
                    needs.iter().filter_map(|(s, _)| has?.get(s)).map(|level| i64::from(*level)).sum()
                };
                let all = free.iter().filter(fits);
                best_of(all.map(|r| {
                    let score = [vec![(Measure::SkillSum, sum(&r.3))], idle(agent(&r.3))].concat();
                    (r.3.clone(), score)
                }))
            }
            Strategy::WeightedRandom => {
                let able: Vec<AgentId> = free.iter().filter(fits).map(|r| r.3.clone()).collect();
                let weight = |a: &AgentId| membership(&self.plan.agents[a], w.queue.as_ref()?).map(|m| m.weight.max(1));
                let weighted: Vec<(AgentId, u32)> =
                    able.into_iter().map(|a| (weight(&a).unwrap_or(1), a)).map(|(w, a)| (a, w)).collect();
                let rng = &mut self.rng;
                best_of(weighted.into_iter().map(|(a, w)| (a, vec![(Measure::Lot, lot(rng, w))])))
            }
        }
    }
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn idle(a: &Agent) -> Vec<(Measure, i64)> {
    vec![(Measure::Load, count(a.work.len() as u64)), (Measure::IdleSince, a.idle_since.0)]
}

fn rank(strategy: Strategy, a: &Agent, id: &AgentId) -> Rank {
    let load = count(a.work.len() as u64);
    match strategy {
        Strategy::RoundRobin => (0, 0, 0, id.clone()),
        Strategy::Fewest => (count(a.handled), load, a.idle_since.0, id.clone()),
        _ => (0, load, a.idle_since.0, id.clone()),
    }
}

/// A waiting time of rate `weight`: the smallest of several is each one's with the chance of its weight.
fn lot(rng: &mut Rng, weight: u32) -> i64 {
    (-(1.0 - rng.unit()).ln() * 1e9 / f64::from(weight)) as i64
}

fn best_of(all: impl Iterator<Item = Eligible>) -> Vec<Eligible> {
    let mut all: Vec<Eligible> = all.collect();
    let by = |a: &Eligible, b: &Eligible| -> Ordering { decision::compare((&a.0, &a.1), (&b.0, &b.1)) };
    if all.len() > CANDIDATES_MAX {
        all.select_nth_unstable_by(CANDIDATES_MAX, by);
        all.truncate(CANDIDATES_MAX);
    }
    all.sort_by(by);
    all
}
