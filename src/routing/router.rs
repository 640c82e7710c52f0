//! The machine. (Being built: the signatures stand, `handle` comes next.)

use std::{sync::Arc, time::Duration};

use super::{contract::*, estimate::Ewt, metrics::MetricEvent, plan::Plan};
use crate::base::{AgentId, InteractionId, Mono, Now, QueueId, Rng, Wall};

/// One tenant's routing.
#[derive(Debug)]
pub struct Router {
    plan: Arc<Plan>,
    rng: Rng,
}

impl Router {
    /// Nobody signed in, nobody waiting.
    pub fn new(plan: Arc<Plan>, rng: Rng) -> Self {
        Self { plan, rng }
    }
    /// Swaps the plan; what runs goes on.
    pub fn plan(&mut self, _now: Now, plan: Arc<Plan>, _out: &mut Vec<Output>) {
        self.plan = plan;
    }
    /// Something happens.
    pub fn handle(&mut self, _now: Now, _input: Input, _out: &mut Vec<Output>) -> Result<(), Refused> {
        let _ = &mut self.rng;
        Ok(())
    }
    /// When to be called with [`Input::Tick`].
    pub fn deadline(&self) -> Option<Mono> {
        None
    }
    /// Puts an agent back as they were before a restart.
    pub fn restore_agent(
        &mut self,
        _now: Now,
        _agent: &AgentId,
        _state: AgentState,
        _since: Wall,
        _wrap_up: Option<RestoredWrapUp>,
        _out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        Ok(())
    }
    /// Counts an event of before the restart again.
    pub fn restore_count(&mut self, _event: &MetricEvent) {}
    /// Place in line, from 1.
    pub fn position(&self, _interaction: InteractionId) -> Option<usize> {
        None
    }
    /// Expected wait still to come.
    pub fn ewt(&self, _interaction: InteractionId) -> Option<Ewt> {
        None
    }
    /// An agent as the router sees them.
    pub fn agent(&self, _agent: &AgentId) -> Option<AgentChange> {
        None
    }
    /// Every queue at a glance.
    pub fn queues(&self, _now: Now) -> Vec<QueueView> {
        Vec::new()
    }
    /// Who waits in `queue`, next first, alerting ones included.
    pub fn waiting(&self, _queue: &QueueId) -> Vec<InteractionId> {
        Vec::new()
    }
    /// Age of a waiting interaction.
    pub fn age(&self, _now: Now, _interaction: InteractionId) -> Option<Duration> {
        None
    }
}
