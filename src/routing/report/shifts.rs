//! What an agent's time was spent on. One thing at a time: talking goes before wrap-up, wrap-up before ringing, ringing before the
//! agent's own state; who is signed out spends nothing. So the parts are the time signed in, whatever overlaps.

use std::collections::{BTreeMap, BTreeSet};

use super::Segment;
use crate::{
    base::{AgentId, QueueId, Wall, ms},
    routing::{AgentState, metrics::Activity},
};

/// An offer that rang at an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Whom.
    pub agent: AgentId,
    /// From where, as far as known.
    pub queue: Option<QueueId>,
    /// When it began.
    pub from: Wall,
    /// When it ended; none while it rings.
    pub to: Option<Wall>,
    /// It rang out.
    pub no_answer: bool,
}

/// A state an agent took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub agent: AgentId,
    /// Which.
    pub state: AgentState,
    /// Since when.
    pub since: Wall,
}

#[derive(Debug, Default)]
struct Shift {
    turns: Vec<(Wall, Option<Activity>)>,
    /// What goes before the state, and until when; none: it goes on.
    work: Vec<(Activity, Wall, Option<Wall>)>,
}

/// The shifts of all agents, while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Shifts(BTreeMap<AgentId, Shift>);

impl Shifts {
    pub fn turn(&mut self, t: Turn) {
        let activity = match t.state {
            AgentState::SignedOut => None,
            AgentState::Ready => Some(Activity::Idle),
            AgentState::NotReady(_) => Some(Activity::NotReady),
            AgentState::Away => Some(Activity::Away),
        };
        self.0.entry(t.agent).or_default().turns.push((t.since, activity));
    }

    pub fn segment(&mut self, s: &Segment) {
        let work = &mut self.0.entry(s.agent.clone()).or_default().work;
        work.push((Activity::Talking, s.began, s.ended));
        if let Some(ended) = s.ended.filter(|_| s.wrap_ms > 0) {
            work.push((Activity::WrapUp, ended, Some(ended + ms(s.wrap_ms))));
        }
    }

    pub fn ring(&mut self, r: &Ring) {
        self.0.entry(r.agent.clone()).or_default().work.push((Activity::Alerting, r.from, r.to));
    }

    /// What everybody did between two instants.
    pub fn spent(self, from: Wall, to: Wall) -> impl Iterator<Item = (AgentId, Vec<(Activity, Wall, Wall)>)> {
        self.0.into_iter().map(move |(agent, shift)| (agent, shift.spent(from, to)))
    }
}

impl Shift {
    fn spent(mut self, from: Wall, to: Wall) -> Vec<(Activity, Wall, Wall)> {
        self.turns.sort_by_key(|(at, _)| *at);
        // Where anything begins or ends, in order; `true` begins.
        let mut edges: Vec<(Wall, bool, usize)> = Vec::new();
        for (n, (_, began, ended)) in self.work.iter().enumerate() {
            let ended = ended.unwrap_or(to).min(to);
            if *began < ended {
                edges.extend([(*began, true, n), (ended, false, n)]);
            }
        }
        edges.sort();
        let cuts: BTreeSet<Wall> = edges.iter().map(|(at, ..)| *at).chain(self.turns.iter().map(|(at, _)| *at)).collect();
        let cuts: Vec<Wall> = [from].into_iter().chain(cuts.into_iter().filter(|c| *c > from && *c < to)).chain([to]).collect();
        let (mut edges, mut turns) = (edges.into_iter().peekable(), self.turns.into_iter().peekable());
        let (mut open, mut own): (BTreeMap<Activity, usize>, Option<Activity>) = (BTreeMap::new(), None);
        let mut spent = Vec::new();
        for w in cuts.windows(2) {
            let (begin, end) = (w[0], w[1]);
            while let Some((_, begins, n)) = edges.next_if(|(at, ..)| *at <= begin) {
                let count = open.entry(self.work[n].0).or_default();
                *count = if begins { *count + 1 } else { count.saturating_sub(1) };
            }
            while let Some((_, state)) = turns.next_if(|(at, _)| *at <= begin) {
                own = state;
            }
            let Some(own) = own.filter(|_| begin < end) else { continue };
            let first = [Activity::Talking, Activity::WrapUp, Activity::Alerting];
            let activity = first.into_iter().find(|a| open.get(a).is_some_and(|n| *n > 0)).unwrap_or(own);
            spent.push((activity, begin, end));
        }
        spent
    }
}
