//! What an administrator decides about routing: queues, agents, skills, codes, hours. Part of the YAML business configuration.
//!
//! A [`Plan`] is immutable and swapped whole. Unknown keys are refused by serde; what serde cannot see (a queue that does not
//! exist, a level of 7) is found by [`Plan::validate`], as sentences with the path of the mistake.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hours::Calendar;
use crate::base::{AgentId, CalendarId, Channel, CodeId, QueueId, SkillId};

/// The reason an agent gets who let an offer ring out (RONA). Always known, needs no entry in [`Plan::reasons`].
pub const NO_ANSWER: &str = "no_answer";
/// The reason an agent gets whose endpoint refused or vanished while being rung. Always known.
pub const ENDPOINT_FAILED: &str = "endpoint_failed";

/// Everything the router is configured with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Skills by id, with a name for people.
    pub skills: BTreeMap<SkillId, SkillPlan>,
    /// Queues by id.
    pub queues: BTreeMap<QueueId, QueuePlan>,
    /// Agents by id.
    pub agents: BTreeMap<AgentId, AgentPlan>,
    /// Opening hours by id.
    pub calendars: BTreeMap<CalendarId, Calendar>,
    /// Not-ready reasons an agent may choose.
    pub reasons: BTreeMap<CodeId, ReasonPlan>,
    /// Dispositions an agent may give.
    pub dispositions: BTreeMap<CodeId, DispositionPlan>,
}

/// A skill.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SkillPlan {
    /// Shown to people; the id if empty.
    pub name: String,
}

/// A not-ready reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReasonPlan {
    /// Shown to people; the id if empty.
    pub name: String,
    /// Work away from the queues (training, back office) counts as staffed; a break does not.
    pub productive: bool,
}

/// An outcome of an interaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DispositionPlan {
    /// Shown to people; the id if empty.
    pub name: String,
}

/// Who among several free agents is offered the interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Who has been free longest.
    #[default]
    LongestIdle,
    /// In turn by id, remembering the last one over calls.
    RoundRobin,
    /// Who has handled the fewest since signing in; among equals, longest idle.
    Fewest,
    /// The highest sum of the levels asked for; among equals, longest idle.
    BestSkilled,
    /// By lot, an agent of weight 3 three times as often as one of weight 1.
    WeightedRandom,
    /// All at once; the first to accept gets it.
    RingAll,
}

/// What happens to an agent who lets an offer ring out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNoAnswer {
    /// Not ready with reason `no_answer`, until they come back themselves.
    NotReady,
    /// Stays ready; this interaction is not offered to them again for `retry_s`.
    StayReady,
}

/// When a queue counts as empty of agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Staffing {
    /// Never: callers may wait though nobody is there.
    #[default]
    Any,
    /// When nobody who can be reached on the channel is signed in.
    SignedIn,
    /// When nobody who can be reached is ready or at work; a team on a break counts as empty.
    Ready,
}

/// One timed relaxation (a "ring" of bullseye routing): from then on less is asked for. Rings only widen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relax {
    /// Seconds in the queue after which it applies.
    pub after_s: u32,
    /// The skill concerned; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<SkillId>,
    /// The level still asked for, 0 (the default) to drop the need.
    #[serde(default)]
    pub to: u8,
}

/// A head start from a customer attribute: `{ attribute: tier, is: gold, minutes: 5 }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadStart {
    /// Name of the attribute of the entry.
    pub attribute: String,
    /// The value it must have.
    pub is: String,
    /// Minutes added to the priority.
    pub minutes: i32,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueuePlan {
    /// Shown to people; the id if empty.
    pub name: String,
    /// Who is offered an interaction.
    pub strategy: Strategy,
    /// Seconds an offer rings.
    pub ring_s: u32,
    /// Seconds before the same agent is offered the same interaction again after declining or not answering.
    pub retry_s: u32,
    /// What an unanswered offer does to the agent; not ready unless the strategy is `ring_all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_no_answer: Option<OnNoAnswer>,
    /// Seconds of after-call work; 0 for none.
    pub wrap_up_s: u32,
    /// True: the wrap-up cannot be finished early without a disposition.
    pub wrap_up_mandatory: bool,
    /// Service level: answered within so many seconds ..
    pub sl_target_s: u32,
    /// .. for so many percent.
    pub sl_percent: u8,
    /// Callers who leave within so many seconds do not count as abandoned (short abandons).
    pub short_abandon_s: u32,
    /// Overflow after waiting so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_wait_s: Option<u32>,
    /// Overflow of the newest when more than this wait. 0: only who is offered at once gets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Who comes to a queue empty in this sense does not get in.
    pub join_empty: Staffing,
    /// Who waits in a queue that became empty in this sense leaves.
    pub leave_empty: Staffing,
    /// Seconds the queue must be empty before those waiting leave.
    pub leave_empty_s: u32,
    /// Skills with levels every interaction of this queue needs.
    pub needs: BTreeMap<SkillId, u8>,
    /// Timed relaxation of the needs, in order of `after_s`.
    pub relax: Vec<Relax>,
    /// Head starts from customer attributes; all that match are added.
    pub head_starts: Vec<HeadStart>,
    /// Handling time, seconds, assumed for the waiting-time estimate until there is history.
    pub expected_handle_s: u32,
    /// Music on hold, by name of the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub music: Option<String>,
    /// A customer of this queue is not to be on hold for more than so many seconds: the agent is reminded, supervisors see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_max_s: Option<u32>,
    /// Opening hours a flow may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Dispositions offered to the agent; all of the plan if empty.
    pub dispositions: Vec<CodeId>,
}

impl Default for QueuePlan {
    fn default() -> Self {
        Self {
            name: String::new(),
            strategy: Strategy::default(),
            ring_s: 20,
            retry_s: 30,
            on_no_answer: None,
            wrap_up_s: 30,
            wrap_up_mandatory: false,
            sl_target_s: 20,
            sl_percent: 80,
            short_abandon_s: 5,
            max_wait_s: None,
            max_length: None,
            join_empty: Staffing::Any,
            leave_empty: Staffing::Any,
            leave_empty_s: 0,
            needs: BTreeMap::new(),
            relax: Vec::new(),
            head_starts: Vec::new(),
            expected_handle_s: 240,
            music: None,
            hold_max_s: None,
            calendar: None,
            dispositions: Vec::new(),
        }
    }
}

impl QueuePlan {
    /// What an unanswered offer does to the agent.
    pub fn no_answer(&self) -> OnNoAnswer {
        self.on_no_answer.unwrap_or(match self.strategy {
            // A whole team must not fall out of routing because all were away for one ring.
            Strategy::RingAll => OnNoAnswer::StayReady,
            _ => OnNoAnswer::NotReady,
        })
    }
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentPlan {
    /// Shown to people; the id if empty.
    pub name: String,
    /// What the agent can, 1 to 5.
    pub skills: BTreeMap<SkillId, u8>,
    /// The queues the agent serves: a name, or a name with weight, head start and delay.
    pub queues: Vec<AgentQueue>,
    /// How many at once per channel; voice 1 and webchat 3 where absent, 0 for none.
    pub capacity: BTreeMap<Channel, u8>,
    /// True: no chat is offered while the agent is on the phone.
    pub voice_blocks_text: bool,
}

impl AgentPlan {
    /// How many interactions of `channel` the agent may have at once.
    pub fn capacity(&self, channel: Channel) -> u8 {
        self.capacity.get(&channel).copied().unwrap_or(if channel.is_text() { 3 } else { 1 })
    }
}

/// An agent's part in a queue. Written as the bare name where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AgentQueueText", into = "AgentQueueText")]
pub struct AgentQueue {
    /// The queue.
    pub queue: QueueId,
    /// Head start, minutes, this queue has over the agent's others. Age still counts, so no queue starves.
    pub priority_min: i32,
    /// The agent is a reserve here: takes only what has waited so many seconds.
    pub delay_s: u32,
    /// Share under `weighted_random`.
    pub weight: u32,
}

impl AgentQueue {
    /// A plain membership.
    pub fn of(queue: QueueId) -> Self {
        Self { queue, priority_min: 0, delay_s: 0, weight: 1 }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum AgentQueueText {
    Name(QueueId),
    Full(AgentQueueFull),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentQueueFull {
    queue: QueueId,
    #[serde(default)]
    priority_min: i32,
    #[serde(default)]
    delay_s: u32,
    #[serde(default = "one")]
    weight: u32,
}

fn one() -> u32 {
    1
}

impl From<AgentQueueText> for AgentQueue {
    fn from(t: AgentQueueText) -> Self {
        match t {
            AgentQueueText::Name(queue) => AgentQueue::of(queue),
            AgentQueueText::Full(AgentQueueFull { queue, priority_min, delay_s, weight }) => {
                AgentQueue { queue, priority_min, delay_s, weight }
            }
        }
    }
}

impl From<AgentQueue> for AgentQueueText {
    fn from(q: AgentQueue) -> Self {
        if q == AgentQueue::of(q.queue.clone()) {
            return AgentQueueText::Name(q.queue);
        }
        let AgentQueue { queue, priority_min, delay_s, weight } = q;
        AgentQueueText::Full(AgentQueueFull { queue, priority_min, delay_s, weight })
    }
}

impl Plan {
    /// Every mistake serde cannot see, each a sentence that begins with its path. Empty: the plan may be used.
    pub fn validate(&self) -> Vec<String> {
        let mut bad = Vec::new();
        for (id, queue) in &self.queues {
            self.validate_queue(&format!("queues.{id}"), queue, &mut bad);
        }
        for (id, agent) in &self.agents {
            self.validate_agent(&format!("agents.{id}"), agent, &mut bad);
        }
        for (id, calendar) in &self.calendars {
            bad.extend(calendar.validate().into_iter().map(|p| format!("calendars.{id}.{p}")));
        }
        bad
    }

    fn validate_queue(&self, at: &str, q: &QueuePlan, bad: &mut Vec<String>) {
        if !(5..=900).contains(&q.ring_s) {
            bad.push(format!("{at}.ring_s: {} is outside 5 to 900 seconds", q.ring_s));
        }
        if q.wrap_up_s > 900 {
            bad.push(format!("{at}.wrap_up_s: {} is more than 900 seconds", q.wrap_up_s));
        }
        if q.wrap_up_mandatory && q.wrap_up_s == 0 {
            bad.push(format!("{at}.wrap_up_mandatory: needs a wrap_up_s above 0, or nobody is ever asked"));
        }
        if q.sl_percent > 100 {
            bad.push(format!("{at}.sl_percent: {} is more than 100", q.sl_percent));
        }
        if q.expected_handle_s == 0 {
            bad.push(format!("{at}.expected_handle_s: must be above 0"));
        }
        self.validate_levels(&format!("{at}.needs"), &q.needs, bad);
        for (i, r) in q.relax.iter().enumerate() {
            if r.to > 5 {
                bad.push(format!("{at}.relax[{i}].to: level {} is above 5", r.to));
            }
            if let Some(skill) = r.skill.as_ref().filter(|s| !self.skills.contains_key(*s)) {
                bad.push(format!("{at}.relax[{i}].skill: there is no skill `{skill}`"));
            }
            if i > 0 && q.relax[i - 1].after_s > r.after_s {
                bad.push(format!("{at}.relax[{i}].after_s: comes before the step above it"));
            }
        }
        if let Some(c) = q.calendar.as_ref().filter(|c| !self.calendars.contains_key(*c)) {
            bad.push(format!("{at}.calendar: there is no calendar `{c}`"));
        }
        for code in q.dispositions.iter().filter(|c| !self.dispositions.contains_key(*c)) {
            bad.push(format!("{at}.dispositions: there is no disposition `{code}`"));
        }
    }

    fn validate_agent(&self, at: &str, a: &AgentPlan, bad: &mut Vec<String>) {
        self.validate_levels(&format!("{at}.skills"), &a.skills, bad);
        for (i, q) in a.queues.iter().enumerate() {
            if !self.queues.contains_key(&q.queue) {
                bad.push(format!("{at}.queues[{i}]: there is no queue `{}`", q.queue));
            }
            if a.queues[..i].iter().any(|earlier| earlier.queue == q.queue) {
                bad.push(format!("{at}.queues[{i}]: `{}` is named twice", q.queue));
            }
            if q.weight == 0 {
                bad.push(format!("{at}.queues[{i}].weight: must be above 0"));
            }
        }
        if a.capacity(Channel::Voice) > 1 {
            bad.push(format!("{at}.capacity.voice: nobody speaks with more than one at a time"));
        }
    }

    fn validate_levels(&self, at: &str, levels: &BTreeMap<SkillId, u8>, bad: &mut Vec<String>) {
        for (skill, level) in levels {
            if !self.skills.contains_key(skill) {
                bad.push(format!("{at}.{skill}: there is no skill `{skill}`"));
            }
            if !(1..=5).contains(level) {
                bad.push(format!("{at}.{skill}: level {level} is outside 1 to 5"));
            }
        }
    }
}
