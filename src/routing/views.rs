//! What can be asked without changing anything, and what is put back after a restart.

use super::{
    agent::{Doing, Work},
    contract::*,
    estimate::{Basis, Ewt},
    metrics::{AgentCounts, MetricEvent, QueueCounts},
    router::{Router, Timer},
};
use crate::base::{AgentId, InteractionId, Now, QueueId, Wall};

/// Handled segments from which on the measured handling time replaces the configured one.
const SAMPLES_MIN: u64 = 20;

impl Router {
    /// Place in line, from 1; those who ring count. None when not waiting in a queue.
    pub fn position(&self, interaction: InteractionId) -> Option<usize> {
        let w = self.waiting.get(&interaction)?;
        let queue = self.queues.get(w.queue.as_ref()?)?;
        Some(queue.order.range(..w.place).count() + 1)
    }

    /// Expected wait still to come. Say it only from [`super::Confidence::Fair`] on.
    pub fn ewt(&self, interaction: InteractionId) -> Option<Ewt> {
        let w = self.waiting.get(&interaction)?;
        let queue = w.queue.as_ref()?;
        let k = self.position(interaction)?;
        self.ewt_basis(queue, w.channel).map(|b| b.estimate(k))
    }

    /// What one would wait who came to the queue now.
    pub fn ewt_of_next(&self, queue: &QueueId, channel: crate::base::Channel) -> Option<Ewt> {
        let waiting = self.queues.get(queue)?.order.len();
        self.ewt_basis(queue, channel).map(|b| b.estimate(waiting + 1))
    }

    fn ewt_basis(&self, id: &QueueId, channel: crate::base::Channel) -> Option<Basis> {
        let (queue, plan) = (self.queues.get(id)?, self.plan.queues.get(id)?);
        let counts = &queue.counts;
        let measured = counts.aht().filter(|_| counts.handled >= SAMPLES_MIN);
        let exposure_s = counts.exposure_us as f64 / 1e6;
        Some(Basis {
            servers: queue.staff(channel).slots,
            handle_s: measured.map_or(f64::from(plan.expected_handle_s), |d| d.as_secs_f64()),
            leave_per_s: if exposure_s > 0.0 { counts.abandoned as f64 / exposure_s } else { 0.0 },
            samples: counts.handled,
        })
    }

    /// An agent as the router sees them.
    pub fn agent(&self, agent: &AgentId) -> Option<AgentChange> {
        let a = self.agents.get(agent)?;
        let ringing = a.alerting.and_then(|id| self.offers.get(&id)).map(|o| WorkView {
            interaction: o.interaction,
            channel: o.channel,
            queue: o.queue.clone(),
            state: WorkState::Alerting,
            since: o.from,
            until: Some(o.until),
            disposition: None,
        });
        let work = a.work.iter().map(|(id, w)| WorkView {
            interaction: *id,
            channel: w.channel,
            queue: w.queue.clone(),
            state: w.state(),
            since: w.since,
            until: match w.doing {
                Doing::WrapUp { until } => Some(until),
                Doing::Talking | Doing::Hold => None,
            },
            disposition: w.disposition.clone(),
        });
        Some(AgentChange {
            agent: agent.clone(),
            state: a.state.clone(),
            since: a.since,
            pending: a.pending.clone(),
            work: work.chain(ringing).collect(),
            reachable: a.reachable.iter().copied().collect(),
        })
    }

    /// Every agent of the plan, by id.
    pub fn agents(&self) -> Vec<AgentChange> {
        self.agents.keys().filter_map(|id| self.agent(id)).collect()
    }

    /// The counters of an agent. Time of the present activity is counted when it ends.
    pub fn agent_counts(&self, agent: &AgentId) -> Option<&AgentCounts> {
        self.agents.get(agent).map(|a| &a.counts)
    }

    /// Every queue at a glance, by id.
    pub fn queues(&self) -> Vec<QueueView> {
        let view = |(id, q): (&QueueId, &super::dispatch::Queue)| {
            let staff = crate::base::Channel::ALL.map(|c| q.staff(c));
            let free: std::collections::BTreeSet<&AgentId> = q.free.values().flatten().map(|r| &r.3).collect();
            QueueView {
                queue: id.clone(),
                waiting: q.order.len(),
                alerting: q.alerting,
                longest_since: q.order.iter().map(|p| p.since).min(),
                signed_in: staff.iter().map(|s| s.signed_in).max().unwrap_or(0),
                ready: staff.iter().map(|s| s.ready).max().unwrap_or(0),
                free: free.len(),
                service_level: q.counts.sl1(),
                counts: q.counts.clone(),
            }
        };
        self.queues.iter().map(view).collect()
    }

    /// Who waits in `queue`, next first, those who ring included.
    pub fn waiting(&self, queue: &QueueId) -> Vec<InteractionId> {
        self.queues.get(queue).map(|q| q.order.iter().map(|p| p.id).collect()).unwrap_or_default()
    }

    /// True while the interaction waits or rings.
    pub fn is_waiting(&self, interaction: InteractionId) -> bool {
        self.waiting.contains_key(&interaction)
    }

    /// Begins a new counting period (a day): all counters to zero, who waits now is carried over as offered.
    pub fn new_period(&mut self) {
        for queue in self.queues.values_mut() {
            let mut fresh = QueueCounts::new(queue.counts.target_s, queue.counts.short_s);
            (fresh.offered, fresh.waiting) = (queue.counts.waiting, queue.counts.waiting);
            queue.counts = fresh;
        }
        for agent in self.agents.values_mut() {
            agent.counts = AgentCounts::default();
        }
    }

    /// Counts an event again, when the journal is replayed after a restart. Who waited at the crash must not be counted as
    /// entered twice: leave out an `Entered` that has no `Left`; the `Enqueue` that restores it counts it.
    pub fn restore_count(&mut self, event: &MetricEvent) {
        let (queue, agent) = match event {
            MetricEvent::Entered { queue, .. } | MetricEvent::Left { queue, .. } => (Some(queue), None),
            MetricEvent::Offered { queue, agent, .. } | MetricEvent::Handled { queue, agent, .. } => {
                (queue.as_ref(), Some(agent))
            }
            MetricEvent::Spent { agent, .. } => (None, Some(agent)),
        };
        if let Some(queue) = queue.and_then(|q| self.queues.get_mut(q)) {
            queue.counts.add(event);
        }
        if let Some(agent) = agent.and_then(|a| self.agents.get_mut(a)) {
            agent.counts.add(event);
        }
    }

    /// Puts an agent back as they were before a restart: state and since when, and a wrap-up that was running. Conversations
    /// that go on are put back by [`Input::Engage`], endpoints by [`Input::Reachable`] when they register again.
    pub fn restore_agent(
        &mut self,
        now: Now,
        agent: &AgentId,
        state: AgentState,
        since: Wall,
        wrap_up: Option<RestoredWrapUp>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        self.known(agent)?;
        let a = self.agents.get_mut(agent).expect("known");
        (a.state, a.since, a.idle_since) = (state, since, since);
        if let Some(w) = wrap_up {
            let doing = Doing::WrapUp { until: w.until };
            let mut work = Work::begin(w.channel, w.queue, w.since);
            (work.doing, work.disposition) = (doing, w.disposition);
            a.work.insert(w.interaction, work);
            // One that ended while we were away is over at the first tick.
            self.timers.set(Timer::WrapUp(agent.clone(), w.interaction), now.mono_at(w.until));
        }
        self.touch(now, agent);
        self.finish(now, out);
        Ok(())
    }
}
