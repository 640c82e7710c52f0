//! The machine: one tenant's queues and agents, and the one `match` over what can happen.
//!
//! Every input runs in the same order: deadlines that have passed, the input itself, matching what that changed (`dispatch`),
//! then one [`Output::Agent`] for each agent who changed. An answer that comes after its deadline therefore always is late,
//! whether or not a tick came in between.
//!
//! Tests: `tests/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    agent::{Agent, Work},
    contract::*,
    dispatch::{Place, Queue, Slot, Waiting},
    metrics::{ExitKind, MetricEvent},
    offers::Offer,
    plan::{Plan, Staffing},
};
use crate::base::{
    AgentId, Channel, Deadlines, InteractionId, Mono, Now, OfferId, QueueId, Rng,
    limits::{NOTE_MAX, WAITING_MAX},
    secs,
};

/// One tenant's routing.
#[derive(Debug, Clone)]
pub struct Router {
    pub(super) plan: Arc<Plan>,
    pub(super) rng: Rng,
    pub(super) agents: BTreeMap<AgentId, Agent>,
    pub(super) queues: BTreeMap<QueueId, Queue>,
    pub(super) waiting: BTreeMap<InteractionId, Waiting>,
    pub(super) offers: BTreeMap<OfferId, Offer>,
    /// How offers ended, for late answers. Ids are ordered by time, so the first is the oldest.
    pub(super) ended: BTreeMap<OfferId, StopWhy>,
    /// Interactions kept for one agent.
    pub(super) kept: BTreeMap<AgentId, BTreeSet<Place>>,
    pub(super) timers: Deadlines<Timer>,
    pub(super) seq: u64,
    /// What the present input changed and matching must look at.
    pub(super) dirty_entries: BTreeSet<Place>,
    pub(super) dirty_agents: BTreeSet<AgentId>,
    /// Agents to tell about at the end of the present input.
    pub(super) touched: BTreeSet<AgentId>,
}

/// What a deadline is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The offer rings out.
    Offer(OfferId),
    /// The wrap-up is over.
    WrapUp(AgentId, InteractionId),
    /// A waiting interaction asks for less, is no longer kept for one agent, or has waited too long.
    Entry(InteractionId),
    /// A queue has been empty for so long that those waiting leave.
    Empty(QueueId, Channel),
    /// An agent may be offered again what they did not take.
    Retry(AgentId),
}

impl Router {
    /// Nobody signed in, nobody waiting. The plan must be valid ([`Plan::validate`]).
    pub fn new(plan: Arc<Plan>, rng: Rng) -> Self {
        let mut router = Self {
            plan,
            rng,
            agents: BTreeMap::new(),
            queues: BTreeMap::new(),
            waiting: BTreeMap::new(),
            offers: BTreeMap::new(),
            ended: BTreeMap::new(),
            kept: BTreeMap::new(),
            timers: Deadlines::default(),
            seq: 0,
            dirty_entries: BTreeSet::new(),
            dirty_agents: BTreeSet::new(),
            touched: BTreeSet::new(),
        };
        // Nobody is signed in yet, so the instant does not matter.
        router.rebuild(Now { mono: Mono(0), wall: crate::base::Wall(0) });
        router
    }

    /// Swaps the plan. Who waits keeps the place, what rings goes on ringing, who talks goes on talking; who waits in a queue
    /// that is gone leaves it ([`ExitWhy::QueueGone`]); an agent who is gone is signed out when the work is over.
    pub fn plan(&mut self, now: Now, plan: Arc<Plan>, out: &mut Vec<Output>) {
        self.run_deadlines(now, out);
        let gone = |w: &Waiting| w.queue.as_ref().is_some_and(|q| !plan.queues.contains_key(q));
        let leaving: Vec<InteractionId> = self.waiting.iter().filter(|(_, w)| gone(w)).map(|(id, _)| *id).collect();
        for id in leaving {
            self.stop_offers(now, id, StopWhy::Withdrawn, out);
            self.exit(now, id, ExitWhy::QueueGone, out);
        }
        self.plan = plan;
        self.queues.retain(|id, _| self.plan.queues.contains_key(id));
        let dismissed: Vec<AgentId> = self.agents.keys().filter(|a| !self.plan.agents.contains_key(*a)).cloned().collect();
        for agent in dismissed {
            self.sign_out(now, &agent, out);
        }
        self.agents.retain(|id, a| self.plan.agents.contains_key(id) || a.at_work());
        self.rebuild(now);
        let all: Vec<InteractionId> = self.waiting.keys().copied().collect();
        for id in all {
            if self.waiting.get(&id).is_some_and(|w| w.slot.is_some()) {
                self.list(now, id);
            }
            self.schedule(now, id);
        }
        self.finish(now, out);
    }

    /// Reads everything derived from the plan again.
    pub(super) fn rebuild(&mut self, now: Now) {
        let plan: Arc<Plan> = Arc::clone(&self.plan);
        for (id, q) in &plan.queues {
            let queue = self.queues.entry(id.clone()).or_insert_with(|| Queue::new(q));
            (queue.members, queue.delays) = (Vec::new(), Vec::new());
            (queue.counts.target_s, queue.counts.short_s) = (q.sl_target_s, q.short_abandon_s);
        }
        for (id, agent) in &plan.agents {
            self.agents.entry(id.clone()).or_default();
            for part in &agent.queues {
                let Some(queue) = self.queues.get_mut(&part.queue) else { continue };
                queue.members.push(id.clone());
                if part.delay_s > 0 && !queue.delays.contains(&part.delay_s) {
                    queue.delays.push(part.delay_s);
                }
            }
        }
        for queue in self.queues.values_mut() {
            queue.delays.sort_unstable();
            queue.members.dedup();
        }
        let agents: Vec<AgentId> = self.agents.keys().cloned().collect();
        for agent in agents {
            self.reindex(now, &agent);
        }
    }

    /// Something happens. An error changes nothing but what deadlines had due anyway.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) -> Result<(), Refused> {
        self.run_deadlines(now, out);
        let result = self.apply(now, input, out);
        self.finish(now, out);
        result
    }

    /// When to be called with [`Input::Tick`].
    pub fn deadline(&self) -> Option<Mono> {
        self.timers.next()
    }

    fn apply(&mut self, now: Now, input: Input, out: &mut Vec<Output>) -> Result<(), Refused> {
        match input {
            Input::Enqueue(entry) => self.enqueue(now, entry, out),
            Input::Withdraw { interaction, why } => self.withdraw(now, interaction, why, out),
            Input::SetPriority { interaction, priority_min } => self.set_priority(now, interaction, priority_min),
            Input::SignIn { agent } => self.sign_in(now, &agent),
            Input::SignOut { agent } => {
                self.signed_in(&agent)?;
                self.sign_out(now, &agent, out);
                Ok(())
            }
            Input::SetState { agent, state } => self.set_state(now, &agent, state),
            Input::Reachable { agent, channel, up } => self.reachable(now, &agent, channel, up, out),
            Input::Accept { offer } => self.accept(now, offer, out),
            Input::Decline { offer } => self.fail_offer(now, offer, StopWhy::Declined, out),
            Input::EndpointFailed { offer, why: _ } => self.fail_offer(now, offer, StopWhy::EndpointFailed, out),
            Input::Engage { interaction, agent, channel, queue } => self.engage(now, interaction, &agent, channel, queue),
            Input::Hold { interaction, agent, on } => self.hold(now, interaction, &agent, on),
            Input::Ended { interaction, agent } => self.end_talk(now, interaction, &agent, out),
            Input::Dispose { interaction, agent, code, note } => {
                if note.len() > NOTE_MAX {
                    return Err(Refused::NoteTooLong { max: NOTE_MAX });
                }
                self.dispose(&agent, interaction, &code)?;
                out.push(Output::Disposed { interaction, agent, code, note });
                Ok(())
            }
            Input::WrapUpDone { agent, interaction } => self.wrap_up_done(now, &agent, interaction, out),
            Input::ExtendWrapUp { agent, interaction, by } => self.extend_wrap_up(now, &agent, interaction, by, out),
            Input::Released { interaction, agent } => self.released(now, interaction, &agent),
            Input::Assign { interaction, agent, channel } => self.assign(now, interaction, &agent, channel, false, out),
            Input::Pull { interaction, agent, channel } => self.assign(now, interaction, &agent, channel, true, out),
            Input::Tick => Ok(()),
        }
    }

    pub(super) fn finish(&mut self, now: Now, out: &mut Vec<Output>) {
        self.settle(now, out);
        for agent in std::mem::take(&mut self.touched) {
            self.account(now, &agent, out);
            out.extend(self.agent(&agent).map(Output::Agent));
        }
    }

    fn run_deadlines(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now.mono) {
            match timer {
                Timer::Offer(offer) => {
                    // Not known: it ended and took its deadline along.
                    if self.offers.contains_key(&offer) {
                        self.rang_out(now, offer, StopWhy::NoAnswer, out);
                    }
                }
                Timer::WrapUp(agent, interaction) => self.wrap_up_over(now, &agent, interaction, true, out),
                Timer::Entry(interaction) => self.entry_due(now, interaction, out),
                Timer::Empty(queue, channel) => self.empty_due(now, &queue, channel, out),
                Timer::Retry(agent) => {
                    self.dirty_agents.insert(agent.clone());
                    self.schedule_retry(now.mono, &agent);
                }
            }
        }
        self.settle(now, out);
    }

    /// A queue that is known to exist: those of waiting interactions and of the plan always do.
    pub(super) fn queue(&mut self, id: &QueueId) -> &mut Queue {
        self.queues.get_mut(id).expect("a waiting interaction's queue is in the plan, else it has left it")
    }

    // -- entering and leaving ------------------------------------------------------------------------------------------

    fn enqueue(&mut self, now: Now, entry: Entry, out: &mut Vec<Output>) -> Result<(), Refused> {
        let Entry { interaction, queue, channel, priority_min, since, entered, needs, prefer, attributes, .. } = entry;
        let Some(plan) = self.plan.queues.get(&queue).cloned() else { return Err(Refused::UnknownQueue(queue)) };
        if self.waiting.contains_key(&interaction) {
            return Err(Refused::AlreadyWaiting(interaction));
        }
        self.seq += 1;
        let entered = entered.unwrap_or(now.wall).min(now.wall);
        let bonus_min = plan.head_starts.iter().filter(|h| attributes.get(&h.attribute) == Some(&h.is));
        let bonus_min: i64 = bonus_min.map(|h| i64::from(h.minutes)).sum();
        let limits = [entry.max_wait, plan.max_wait_s.map(|s| secs(s.into()))];
        let max_wait = limits.into_iter().flatten().min().filter(|_| !entry.patient);
        let place = Place::new(interaction, since, i64::from(priority_min) + bonus_min, self.seq);
        let w = Waiting {
            queue: Some(queue.clone()),
            channel,
            priority_min,
            bonus_min,
            place,
            entered,
            mono: now.mono,
            age: now.wall.since(entered),
            needs,
            prefer,
            max_wait,
            patient: entry.patient,
            overdue: false,
            offers: BTreeSet::new(),
            slot: None,
        };
        self.count(MetricEvent::Entered { queue: queue.clone(), channel, interaction, at: entered }, out);
        self.waiting.insert(interaction, w);
        self.queue(&queue).order.insert(place);
        self.watch_empty(now, &queue);
        let why = if self.waiting.len() > WAITING_MAX {
            Some(ExitWhy::Full)
        } else if entry.patient {
            None
        } else if self.is_empty(&queue, channel, plan.join_empty) || self.must_leave(now, &queue, channel) {
            Some(ExitWhy::NoAgents)
        } else {
            None
        };
        if let Some(why) = why {
            self.exit(now, interaction, why, out);
            return Ok(());
        }
        self.list(now, interaction);
        self.schedule(now, interaction);
        self.settle(now, out);
        let rings = self.waiting.get(&interaction).is_none_or(|w| !w.offers.is_empty());
        let q = self.queue(&queue);
        if !rings && !entry.patient && plan.max_length.is_some_and(|max| q.order.len() - q.alerting > max as usize) {
            self.exit(now, interaction, ExitWhy::Full, out);
        }
        Ok(())
    }

    fn withdraw(&mut self, now: Now, id: InteractionId, why: Withdrawn, out: &mut Vec<Output>) -> Result<(), Refused> {
        if !self.waiting.contains_key(&id) {
            return Err(Refused::NotWaiting(id));
        }
        self.stop_offers(now, id, StopWhy::Withdrawn, out);
        self.remove(
            now,
            id,
            match why {
                Withdrawn::Abandoned => ExitKind::Abandoned,
                Withdrawn::Callback => ExitKind::CallbackTaken,
                Withdrawn::Left => ExitKind::Overflow,
                Withdrawn::Error => ExitKind::SystemError,
            },
            out,
        );
        Ok(())
    }

    fn set_priority(&mut self, now: Now, id: InteractionId, priority_min: i32) -> Result<(), Refused> {
        let Some(w) = self.waiting.get(&id) else { return Err(Refused::NotWaiting(id)) };
        let (old, queue, listed) = (w.place, w.queue.clone(), w.slot.is_some());
        self.unlist(id);
        let w = self.waiting.get_mut(&id).expect("looked up above");
        w.priority_min = priority_min;
        let place = Place::new(id, old.since, w.head_start(), old.seq);
        w.place = place;
        if let Some(queue) = queue {
            let order = &mut self.queue(&queue).order;
            order.remove(&old);
            order.insert(place);
        }
        if listed {
            self.list(now, id);
        }
        Ok(())
    }

    /// Takes an interaction out for good.
    pub(super) fn remove(&mut self, now: Now, id: InteractionId, exit: ExitKind, out: &mut Vec<Output>) {
        self.unlist(id);
        self.timers.clear(&Timer::Entry(id));
        let Some(w) = self.waiting.remove(&id) else { return };
        let Some(queue) = w.queue else { return };
        let q = self.queue(&queue);
        q.order.remove(&w.place);
        let left = MetricEvent::Left { queue, channel: w.channel, interaction: id, entered: w.entered, at: now.wall, exit };
        self.count(left, out);
    }

    /// Lets an interaction go unanswered.
    pub(super) fn exit(&mut self, now: Now, id: InteractionId, why: ExitWhy, out: &mut Vec<Output>) {
        let queue = self.waiting.get(&id).and_then(|w| w.queue.clone());
        self.remove(now, id, ExitKind::Overflow, out);
        out.push(Output::Exit { interaction: id, queue, why });
    }

    /// Counts in the queue and the agent concerned, and passes it on.
    pub(super) fn count(&mut self, event: MetricEvent, out: &mut Vec<Output>) {
        self.restore_count(&event);
        out.push(Output::Counted(event));
    }

    // -- what changes with time ----------------------------------------------------------------------------------------

    /// Sets the deadline of the next change of a waiting interaction.
    pub(super) fn schedule(&mut self, now: Now, id: InteractionId) {
        let Some(w) = self.waiting.get(&id) else { return };
        let elapsed = w.elapsed(now.mono);
        let plan = w.queue.as_ref().and_then(|q| self.plan.queues.get(q));
        let delays = w.queue.as_ref().and_then(|q| self.queues.get(q)).map_or(&[][..], |q| &q.delays);
        let kept = w.prefer.as_ref().filter(|_| matches!(w.slot, Some(Slot::Kept(_)))).map(|(_, bound)| *bound);
        let steps = delays.iter().copied().chain(plan.iter().flat_map(|p| &p.relax).map(|r| r.after_s));
        let steps = steps.map(|s| secs(s.into())).chain(kept).chain(w.max_wait.filter(|_| !w.overdue));
        match steps.filter(|at| *at > elapsed).min() {
            Some(at) => self.timers.set(Timer::Entry(id), now.mono + (at - elapsed)),
            // Past its limit already (a restart): due at once.
            None if !w.overdue && w.max_wait.is_some() => self.timers.set(Timer::Entry(id), now.mono),
            None => {
                self.timers.clear(&Timer::Entry(id));
            }
        }
    }

    fn entry_due(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(w) = self.waiting.get_mut(&id) else { return };
        if w.max_wait.is_some_and(|max| max <= w.elapsed(now.mono)) {
            if w.offers.is_empty() {
                self.exit(now, id, ExitWhy::Timeout, out);
                return;
            }
            // A phone that rings is allowed to ring out; nobody else is rung for it.
            w.overdue = true;
            self.unlist(id);
        } else if w.slot.is_some() {
            self.list(now, id);
        }
        self.schedule(now, id);
    }

    /// Back among those who can be offered, after an offer came to nothing.
    pub(super) fn back_in_line(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(w) = self.waiting.get(&id) else { return };
        if !w.offers.is_empty() {
            return;
        }
        let Some(queue) = w.queue.clone() else {
            self.exit(now, id, ExitWhy::NoAnswer, out);
            return;
        };
        if w.overdue {
            self.exit(now, id, ExitWhy::Timeout, out);
        } else if !w.patient && self.must_leave(now, &queue, w.channel) {
            self.exit(now, id, ExitWhy::NoAgents, out);
        } else {
            self.list(now, id);
            self.schedule(now, id);
        }
    }

    // -- queues without agents -----------------------------------------------------------------------------------------

    fn is_empty(&self, queue: &QueueId, channel: Channel, rule: Staffing) -> bool {
        let staff = self.queues.get(queue).map(|q| q.staff(channel)).unwrap_or_default();
        match rule {
            Staffing::Any => false,
            Staffing::SignedIn => staff.signed_in == 0,
            Staffing::Ready => staff.ready == 0,
        }
    }

    /// Notes since when a queue is empty, and sets or clears the deadline of those waiting in it.
    pub(super) fn watch_empty(&mut self, now: Now, id: &QueueId) {
        let Some(plan) = self.plan.queues.get(id) else { return };
        let (rule, grace) = (plan.leave_empty, secs(plan.leave_empty_s.into()));
        for channel in Channel::ALL {
            let (empty, timer) = (self.is_empty(id, channel, rule), Timer::Empty(id.clone(), channel));
            let Some(queue) = self.queues.get_mut(id) else { return };
            if !empty {
                queue.empty_since.remove(&channel);
                self.timers.clear(&timer);
            } else if let std::collections::btree_map::Entry::Vacant(since) = queue.empty_since.entry(channel) {
                since.insert(now.mono);
                self.timers.set(timer, now.mono + grace);
            }
        }
    }

    fn must_leave(&self, now: Now, queue: &QueueId, channel: Channel) -> bool {
        let Some(plan) = self.plan.queues.get(queue) else { return true };
        let since = self.queues.get(queue).and_then(|q| q.empty_since.get(&channel));
        since.is_some_and(|since| now.mono - *since >= secs(plan.leave_empty_s.into()))
    }

    fn empty_due(&mut self, now: Now, queue: &QueueId, channel: Channel, out: &mut Vec<Output>) {
        let Some(q) = self.queues.get(queue) else { return };
        let idle = |w: &Waiting| w.channel == channel && w.offers.is_empty() && !w.patient;
        let leaving = q.order.iter().filter(|p| self.waiting.get(&p.id).is_some_and(idle));
        for id in leaving.map(|p| p.id).collect::<Vec<_>>() {
            self.exit(now, id, ExitWhy::NoAgents, out);
        }
    }

    // -- direct work ---------------------------------------------------------------------------------------------------

    fn engage(
        &mut self,
        now: Now,
        interaction: InteractionId,
        agent: &AgentId,
        channel: Channel,
        queue: Option<QueueId>,
    ) -> Result<(), Refused> {
        self.known(agent)?;
        if let Some(queue) = queue.as_ref().filter(|q| !self.queues.contains_key(*q)) {
            return Err(Refused::UnknownQueue(queue.clone()));
        }
        let a = self.agents.entry(agent.clone()).or_default();
        // Taken up again from the wrap-up: the same segment goes on.
        let work = a.work.entry(interaction).or_insert_with(|| Work::begin(channel, queue.clone(), now.wall));
        // Asked for advice first, and now the one who has it.
        work.queue = work.queue.take().or(queue);
        if work.in_wrap_up() {
            work.turn(super::agent::Doing::Talking, now.wall);
            self.timers.clear(&Timer::WrapUp(agent.clone(), interaction));
        }
        self.touch(now, agent);
        Ok(())
    }

    /// Age of a waiting interaction since its arrival.
    pub fn age(&self, now: Now, interaction: InteractionId) -> Option<Duration> {
        self.waiting.get(&interaction).map(|w| now.wall.since(w.place.since))
    }
}
