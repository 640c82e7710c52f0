//! The decision record: why this interaction went to this agent, in a form that can be stored, read by a person, and evaluated
//! again to the same choice.
//!
//! Two questions are answered apart: *which interaction was next* ([`Rival`]s in their order, with what held each back) and
//! *which agent got it* ([`Candidate`]s with what filtered them, or their score). Nothing in it identifies a customer.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use super::plan::Strategy;
use crate::base::{AgentId, Channel, CodeId, InteractionId, OfferId, QueueId, SkillId, Wall};

/// Why one interaction was offered to one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The offer that came of it.
    pub offer: OfferId,
    /// What was offered.
    pub interaction: InteractionId,
    /// From which queue; none for a direct assignment.
    pub queue: Option<QueueId>,
    /// The medium.
    pub channel: Channel,
    /// When.
    pub at: Wall,
    /// Age of the interaction, milliseconds.
    pub age_ms: u64,
    /// How one of several agents is chosen.
    pub strategy: Strategy,
    /// What was still asked for.
    pub needs: Vec<(SkillId, u8)>,
    /// What was asked for at first, where time has relaxed it.
    pub needs_at_first: Option<Vec<(SkillId, u8)>>,
    /// The agent it was kept for or assigned to.
    pub kept_for: Option<AgentId>,
    /// To whom.
    pub agent: AgentId,
    /// Who was considered: the chosen one and the best of the others who could take it (`limits::DECISION_ABLE_MAX`), then some
    /// of those who could not (`limits::DECISION_KEPT_MAX`).
    pub candidates: Vec<Candidate>,
    /// How many could take it, written out or not; at least so many where the queue did not compare them all. 0 in records of
    /// versions that wrote them all out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub able: u32,
    /// Those who could not and are not written out, by what kept them from it: the word of the filter and how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_back: Vec<(String, u32)>,
    /// Members of the queue not written out: none of them would have been chosen.
    pub candidates_omitted: u32,
    /// The waiting interactions looked at, in order. Bounded by `limits::DECISION_RIVALS_MAX`.
    pub order: Vec<Rival>,
    /// Waiting in the agent's queues, not written out: behind, or not to be taken by this agent.
    pub order_omitted: u32,
    /// What decided between the agents, as a sentence.
    pub tie_break: String,
}

/// One agent considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of considering an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Could take it; compared by these measures in this order.
    Eligible(Vec<(Measure, i64)>),
    /// Could not.
    Filtered(Filter),
}

/// A number agents are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Sum of the levels of the skills asked for; more is better.
    SkillSum,
    /// Interactions handled since signing in; fewer is better.
    Handled,
    /// Interactions in hand; fewer is better.
    Load,
    /// Free since, microseconds since 1970; earlier is better.
    IdleSince,
    /// Places until it is this agent's turn; fewer is better.
    Turn,
    /// The lot drawn, divided by the weight; lower is better.
    Lot,
}

impl Measure {
    fn better(self, a: i64, b: i64) -> Ordering {
        match self {
            Measure::SkillSum => b.cmp(&a),
            _ => a.cmp(&b),
        }
    }
}

/// What kept an agent from an interaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Does not serve the queue.
    NotInQueue,
    /// Not here.
    SignedOut,
    /// Here, but not ready.
    NotReady(CodeId),
    /// Not at the desk.
    Away,
    /// Asked for a pause after the present work.
    PausePending,
    /// No endpoint on this channel.
    Unreachable(Channel),
    /// Another offer is ringing there.
    Alerting,
    /// Has as many as allowed.
    Capacity {
        /// The medium.
        channel: Channel,
        /// In hand.
        used: u8,
        /// Allowed.
        of: u8,
    },
    /// On the phone, and set not to write meanwhile.
    OnThePhone,
    /// Kept for somebody else for now.
    KeptFor(AgentId),
    /// Has this very interaction in hand still (after-call work).
    InHand,
    /// Could take it, but takes this one first.
    TakesFirst(InteractionId),
    /// A reserve: takes only what has waited longer.
    Delay {
        /// Seconds required.
        needs_s: u32,
        /// Seconds waited.
        waited_s: u32,
    },
    /// Declined this one or let it ring out a moment ago.
    RecentlyRangOut {
        /// Seconds until it may be offered again.
        again_in_s: u32,
    },
    /// Lacks a skill, or has too little of it.
    Skill {
        /// Which.
        skill: SkillId,
        /// Asked for.
        needs: u8,
        /// Has; 0 for none.
        has: u8,
    },
}

impl Filter {
    /// Its word, as in the written form.
    pub fn word(&self) -> &'static str {
        match self {
            Filter::NotInQueue => "not_in_queue",
            Filter::SignedOut => "signed_out",
            Filter::NotReady(_) => "not_ready",
            Filter::Away => "away",
            Filter::PausePending => "pause_pending",
            Filter::Unreachable(_) => "unreachable",
            Filter::Alerting => "alerting",
            Filter::Capacity { .. } => "capacity",
            Filter::OnThePhone => "on_the_phone",
            Filter::KeptFor(_) => "kept_for",
            Filter::InHand => "in_hand",
            Filter::TakesFirst(_) => "takes_first",
            Filter::Delay { .. } => "delay",
            Filter::RecentlyRangOut { .. } => "recently_rang_out",
            Filter::Skill { .. } => "skill",
        }
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::NotInQueue => f.write_str("does not serve this queue"),
            Filter::SignedOut => f.write_str("not signed in"),
            Filter::NotReady(code) => write!(f, "not ready ({code})"),
            Filter::Away => f.write_str("away"),
            Filter::PausePending => f.write_str("asked for a pause after the present work"),
            Filter::Unreachable(c) => write!(f, "cannot be reached by {c}"),
            Filter::Alerting => f.write_str("another offer is ringing there"),
            Filter::Capacity { channel, used, of } => write!(f, "has {used} of {of} on {channel}"),
            Filter::OnThePhone => f.write_str("on the phone, and does not write meanwhile"),
            Filter::KeptFor(agent) => write!(f, "kept for {agent} for now"),
            Filter::InHand => f.write_str("has it in hand still"),
            Filter::TakesFirst(other) => write!(f, "takes {other} first"),
            Filter::Delay { needs_s, waited_s } => write!(f, "takes what has waited {needs_s} s, this has waited {waited_s} s"),
            Filter::RecentlyRangOut { again_in_s } => write!(f, "did not take it a moment ago; again in {again_in_s} s"),
            Filter::Skill { skill, needs, has: 0 } => write!(f, "skill {skill} needs {needs}, has none"),
            Filter::Skill { skill, needs, has } => write!(f, "skill {skill} needs {needs}, has {has}"),
        }
    }
}

/// One waiting interaction, as it stood in the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// Which.
    pub interaction: InteractionId,
    /// Where; none for a direct assignment.
    pub queue: Option<QueueId>,
    /// Arrival.
    pub since: Wall,
    /// Head start in minutes, of the interaction and of the agent's queue together.
    pub head_start_min: i64,
    /// Breaks ties: the order of entering.
    pub seq: u64,
    /// What kept it from the chosen agent; none: could have been offered.
    pub held_back: Option<HeldBack>,
}

/// What kept a waiting interaction from the chosen agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBack {
    /// It rings at somebody already.
    Alerting,
    /// The agent could not take it.
    Filtered(Filter),
}

/// What a record evaluates to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The interaction that was next.
    pub interaction: InteractionId,
    /// The agents it goes to: one, or all eligible ones under `ring_all`.
    pub agents: Vec<AgentId>,
}

impl Rival {
    /// The order of waiting: arrival less head start, then arrival, then order of entering.
    pub(super) fn place(&self) -> (i64, Wall, u64) {
        (self.since.0.saturating_sub(self.head_start_min.saturating_mul(60_000_000)), self.since, self.seq)
    }
}

/// Which of two eligible agents is better. Equal measures: by id.
pub(super) fn compare(a: (&AgentId, &[(Measure, i64)]), b: (&AgentId, &[(Measure, i64)])) -> Ordering {
    for ((m, x), (_, y)) in a.1.iter().zip(b.1) {
        match m.better(*x, *y) {
            Ordering::Equal => {}
            other => return other,
        }
    }
    a.0.cmp(b.0)
}

impl Decision {
    /// Chooses again from what is written here, not looking at what was chosen. None for a record that nobody could take.
    pub fn re_evaluate(&self) -> Option<Choice> {
        let next = self.order.iter().filter(|r| r.held_back.is_none()).min_by_key(|r| r.place())?;
        let mut able = self.eligible();
        able.sort_by(|a, b| compare(*a, *b));
        let take = if self.strategy == Strategy::RingAll && self.kept_for.is_none() { able.len() } else { 1 };
        let agents: Vec<AgentId> = able.into_iter().take(take).map(|(a, _)| a.clone()).collect();
        (!agents.is_empty()).then_some(Choice { interaction: next.interaction, agents })
    }

    /// True if the record evaluates to what was done.
    pub fn holds(&self) -> bool {
        self.re_evaluate().is_some_and(|c| c.interaction == self.interaction && c.agents.contains(&self.agent))
    }

    /// Who could take it, with the measures.
    fn eligible(&self) -> Vec<(&AgentId, &[(Measure, i64)])> {
        let able = self.candidates.iter().filter_map(|c| match &c.verdict {
            Verdict::Eligible(score) => Some((&c.agent, score.as_slice())),
            Verdict::Filtered(_) => None,
        });
        able.collect()
    }

    /// What kept `agent` from it; none if eligible or not written out.
    pub fn filter_of(&self, agent: &AgentId) -> Option<&Filter> {
        self.candidates.iter().find(|c| c.agent == *agent).and_then(|c| match &c.verdict {
            Verdict::Filtered(f) => Some(f),
            Verdict::Eligible(_) => None,
        })
    }

    /// The sentence on what decided between the best two.
    pub(super) fn sentence(&self) -> String {
        if self.strategy == Strategy::RingAll && self.kept_for.is_none() {
            return format!("rings at all {} who can take it", (self.able as usize).max(self.eligible().len()));
        }
        if let Some(agent) = self.kept_for.as_ref().filter(|a| **a == self.agent) {
            return format!("kept for {agent}");
        }
        let mut able = self.eligible();
        able.sort_by(|a, b| compare(*a, *b));
        let [(first, won), (second, lost), ..] = able[..] else {
            return format!("{} is the only one who can take it", self.agent);
        };
        let Some(((m, x), (_, y))) = won.iter().zip(lost).find(|((_, x), (_, y))| x != y) else {
            return format!("{first} and {second} are equal in everything; {first} comes first by name");
        };
        match m {
            Measure::SkillSum => format!("{first} before {second}: levels add up to {x} against {y}"),
            Measure::Handled => format!("{first} before {second}: has handled {x} against {y}"),
            Measure::Load => format!("{first} before {second}: has {x} in hand against {y}"),
            Measure::IdleSince => format!("{first} before {second}: free since {} against {}", Wall(*x), Wall(*y)),
            Measure::Turn => format!("{first} before {second}: it is their turn"),
            Measure::Lot => format!("{first} before {second}: by lot"),
        }
    }

    /// The whole record as lines for a person.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} offered to {} after {} s{}: {}",
            self.interaction,
            self.agent,
            self.age_ms / 1000,
            self.queue.as_ref().map(|q| format!(" in {q}")).unwrap_or_default(),
            self.tie_break
        )];
        for r in &self.order {
            let what = match &r.held_back {
                None => "can be offered".to_owned(),
                Some(HeldBack::Alerting) => "rings elsewhere".to_owned(),
                Some(HeldBack::Filtered(f)) => format!("not for {}: {f}", self.agent),
            };
            lines.push(format!("waiting: {} since {}, head start {} min: {what}", r.interaction, r.since, r.head_start_min));
        }
        for c in &self.candidates {
            lines.push(match &c.verdict {
                Verdict::Filtered(f) => format!("agent {}: {f}", c.agent),
                Verdict::Eligible(score) => {
                    let parts: Vec<String> = score.iter().map(|(m, v)| format!("{m:?} {v}")).collect();
                    format!("agent {}: can take it ({})", c.agent, parts.join(", "))
                }
            });
        }
        lines.extend(self.kept_back.iter().map(|(why, n)| format!("{n} more: {}", why.replace('_', " "))));
        let counted: u32 = self.kept_back.iter().map(|(_, n)| n).sum();
        let rest = self.candidates_omitted.saturating_sub(counted);
        if rest > 0 {
            lines.push(format!("{rest} more agents are not written out"));
        }
        lines
    }
}
