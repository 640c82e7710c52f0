//! An agent while the router runs: state, work in hand, and what the indexes need to know.
//!
//! ```text
//!  own state    SignedOut ─sign in─▶ Away ⇄ Ready ⇄ NotReady(reason)        a step out of Ready waits for the work (pending)
//!  per work     (offer) ─accept─▶ Talking ⇄ Hold ─ended─▶ WrapUp ─▶ over
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    contract::{AgentState, WorkState},
    decision::Filter,
    metrics::{Activity, AgentCounts},
    plan::AgentPlan,
};
use crate::base::{Channel, CodeId, InteractionId, Mono, OfferId, QueueId, Wall};

/// One agent.
#[derive(Debug, Clone, Default)]
pub(super) struct Agent {
    pub state: AgentState,
    pub since: Wall,
    /// What `state` becomes when the work is over.
    pub pending: Option<AgentState>,
    pub reachable: BTreeSet<Channel>,
    pub work: BTreeMap<InteractionId, Work>,
    /// The offer that rings; never more than one.
    pub alerting: Option<OfferId>,
    /// The later of becoming ready and finishing the last work.
    pub idle_since: Wall,
    /// Segments since signing in.
    pub handled: u64,
    /// Declined or let ring out: not again before then.
    pub excluded: BTreeMap<InteractionId, Mono>,
    /// What the time is spent on at present.
    pub activity: Option<(Activity, Wall)>,
    pub counts: AgentCounts,
    /// Where the agent stands in the free lists, to be taken out again.
    pub listed: Vec<(QueueId, Channel, Rank)>,
    /// What the agent adds to the staffing of queues, to be subtracted again.
    pub staffing: Vec<(QueueId, Channel, Staff)>,
}

/// Order in a queue's free list; smaller is offered first.
pub(super) type Rank = (i64, i64, i64, crate::base::AgentId);

/// How many are there, of one queue and channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Staff {
    pub signed_in: usize,
    /// State ready, free or at work.
    pub ready: usize,
    /// Capacity of those ready.
    pub slots: u32,
}

/// One interaction in an agent's hands.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub channel: Channel,
    pub queue: Option<QueueId>,
    pub doing: Doing,
    pub since: Wall,
    pub talk_us: u64,
    pub hold_us: u64,
    pub disposition: Option<CodeId>,
}

/// What an agent does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Talking,
    Hold,
    WrapUp { until: Wall },
}

impl Work {
    pub fn begin(channel: Channel, queue: Option<QueueId>, at: Wall) -> Self {
        Self { channel, queue, doing: Doing::Talking, since: at, talk_us: 0, hold_us: 0, disposition: None }
    }

    /// Moves on, adding the time spent to what it was spent on; the microseconds of it.
    pub fn turn(&mut self, doing: Doing, at: Wall) -> u64 {
        let us = micros(at.since(self.since));
        match self.doing {
            Doing::Talking => self.talk_us += us,
            Doing::Hold => self.hold_us += us,
            Doing::WrapUp { .. } => {}
        }
        (self.doing, self.since) = (doing, at);
        us
    }

    pub fn in_wrap_up(&self) -> bool {
        matches!(self.doing, Doing::WrapUp { .. })
    }

    pub fn state(&self) -> WorkState {
        match self.doing {
            Doing::Talking => WorkState::Talking,
            Doing::Hold => WorkState::Hold,
            Doing::WrapUp { .. } => WorkState::WrapUp,
        }
    }
}

pub(super) fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

impl Agent {
    /// Something rings, is talked about or written up.
    pub fn at_work(&self) -> bool {
        self.alerting.is_some() || !self.work.is_empty()
    }

    /// Interactions of `channel` in hand, wrap-up included.
    pub fn used(&self, channel: Channel) -> u8 {
        u8::try_from(self.work.values().filter(|w| w.channel == channel).count()).unwrap_or(u8::MAX)
    }

    /// Will take an interaction of `channel` sooner or later without doing anything for it.
    pub fn expected_on(&self, channel: Channel) -> bool {
        self.state == AgentState::Ready && self.pending.is_none() && self.reachable.contains(&channel)
    }

    /// What keeps the agent from any interaction of `channel`, whichever it is.
    pub fn unavailable(&self, plan: &AgentPlan, channel: Channel) -> Option<Filter> {
        match &self.state {
            AgentState::SignedOut => return Some(Filter::SignedOut),
            AgentState::NotReady(code) => return Some(Filter::NotReady(code.clone())),
            AgentState::Away => return Some(Filter::Away),
            AgentState::Ready => {}
        }
        if self.pending.is_some() {
            return Some(Filter::PausePending);
        }
        self.no_hand_free(plan, channel)
    }

    /// What keeps the agent from it whatever their own state.
    pub fn no_hand_free(&self, plan: &AgentPlan, channel: Channel) -> Option<Filter> {
        if !self.reachable.contains(&channel) {
            return Some(Filter::Unreachable(channel));
        }
        if self.alerting.is_some() {
            return Some(Filter::Alerting);
        }
        let (used, of) = (self.used(channel), plan.capacity(channel));
        if used >= of {
            return Some(Filter::Capacity { channel, used, of });
        }
        (channel.is_text() && plan.voice_blocks_text && self.used(Channel::Voice) > 0).then_some(Filter::OnThePhone)
    }

    /// What the time is spent on; none while signed out.
    pub fn activity(&self) -> Option<Activity> {
        if self.state == AgentState::SignedOut && self.work.is_empty() {
            return None;
        }
        if self.work.values().any(|w| !w.in_wrap_up()) {
            return Some(Activity::Talking);
        }
        if !self.work.is_empty() {
            return Some(Activity::WrapUp);
        }
        if self.alerting.is_some() {
            return Some(Activity::Alerting);
        }
        Some(match self.state {
            AgentState::Ready => Activity::Idle,
            AgentState::NotReady(_) => Activity::NotReady,
            AgentState::Away | AgentState::SignedOut => Activity::Away,
        })
    }
}
