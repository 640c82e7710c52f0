//! Reports: stays, segments, offers and states of agents folded into figures by interval, queue and agent.
//!
//! Every figure is one of FEATURES.md 3.7, by [`QueueCounts`]; here is which of them belongs where. A stay counts to the interval it
//! began in, a segment to the one its talk began in, a stretch of an agent's time to every interval it lies in, by its part.
//! Percentages do not add up, so whoever wants the whole of several cells absorbs their counts and asks again.
//!
//! | file | subject |
//! |---|---|
//! | `grid` | intervals by the clock of the business, over changes of summer time |
//! | `shifts` | what an agent's time was spent on |
//! | `schedule` | when a report that comes by itself is due, and over what |

pub mod grid;
pub mod schedule;
mod shifts;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub use grid::Grid;
pub use shifts::{Ring, Turn};

use super::metrics::{Activity, ExitKind, QueueCounts};
use crate::base::{AgentId, QueueId, Wall};

/// One stay of a contact in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Where.
    pub queue: QueueId,
    /// When it began.
    pub entered: Wall,
    /// How it ended, and after how long; none while it goes on.
    pub left: Option<(ExitKind, Duration)>,
}

/// One stretch of an agent handling a contact: a transfer begins a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// By whom.
    pub agent: AgentId,
    /// From where; none of a call nobody queued.
    pub queue: Option<QueueId>,
    /// When the talk began.
    pub began: Wall,
    /// When it ended; none while it goes on.
    pub ended: Option<Wall>,
    /// Talk, milliseconds, hold included.
    pub talk_ms: u64,
    /// Hold, milliseconds.
    pub hold_ms: u64,
    /// After-call work, milliseconds.
    pub wrap_ms: u64,
}

/// How a customer said it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The agent the contact had last; none of one nobody took.
    pub agent: Option<AgentId>,
    /// The queue it had waited in last.
    pub queue: Option<QueueId>,
    /// When it was said.
    pub at: Wall,
    /// Whether it was good: 4 and 5 of 5, the thumb up.
    pub satisfied: bool,
}

/// What a queue promises: the wait that is still in time, and the one below which leaving is a short abandon, seconds.
pub type Promise = (u32, u32);

/// Counts with every single time behind them, so that percentiles are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The counts.
    pub counts: QueueCounts,
    /// Waits of the answered, milliseconds.
    waits: Vec<u32>,
    /// Handling of the segments that are over, milliseconds.
    handles: Vec<u32>,
    /// Ratings given.
    pub rated: u64,
    /// Of these, good ones.
    pub satisfied: u64,
}

impl Tally {
    fn new((target_s, short_s): Promise) -> Tally {
        Tally { counts: QueueCounts::new(target_s, short_s), waits: Vec::new(), handles: Vec::new(), rated: 0, satisfied: 0 }
    }

    fn stay(&mut self, s: &Stay) {
        self.counts.enter();
        if let Some((exit, wait)) = s.left {
            self.counts.left(wait, exit);
            if exit == ExitKind::Answered {
                self.waits.push(few(wait.as_millis()));
            }
        }
    }

    fn segment(&mut self, s: &Segment) {
        let c = &mut self.counts;
        c.handled += 1;
        c.talk_us += s.talk_ms.saturating_sub(s.hold_ms) * 1_000;
        c.hold_us += s.hold_ms * 1_000;
        c.acw_us += s.wrap_ms * 1_000;
        self.handles.push(few(u128::from(s.talk_ms + s.wrap_ms)));
    }

    fn rated(&mut self, r: &Rated) {
        self.rated += 1;
        self.satisfied += u64::from(r.satisfied);
    }

    fn absorb(&mut self, other: &Tally) {
        self.counts.absorb(&other.counts);
        self.waits.extend(&other.waits);
        self.handles.extend(&other.handles);
        self.rated += other.rated;
        self.satisfied += other.satisfied;
    }

    /// The wait a share of `p` (0 to 1) of the answered did not exceed, milliseconds.
    pub fn wait_ms(&self, p: f64) -> Option<u32> {
        quantile(&self.waits, p)
    }

    /// The same of handling: talk, hold and after-call work of a segment.
    pub fn handle_ms(&self, p: f64) -> Option<u32> {
        quantile(&self.handles, p)
    }
}

fn few(n: u128) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The smallest of the values that a share of `p` of them does not exceed (nearest rank).
fn quantile(values: &[u32], p: f64) -> Option<u32> {
    let mut sorted = values.to_vec();
    let rank = (p.clamp(0.0, 1.0) * values.len() as f64).ceil().max(1.0) as usize;
    let at = rank.min(values.len()).checked_sub(1)?;
    Some(*sorted.select_nth_unstable(at).1)
}

/// What an agent did in a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentTally {
    /// Segments handled.
    pub handled: Tally,
    /// Microseconds by activity; all together are the time signed in.
    pub spent_us: BTreeMap<Activity, u64>,
    /// Offers made.
    pub offers: u64,
    /// Offers that rang out.
    pub no_answer: u64,
}

impl AgentTally {
    fn new() -> Self {
        AgentTally { handled: Tally::new((0, 0)), spent_us: BTreeMap::new(), offers: 0, no_answer: 0 }
    }
    fn absorb(&mut self, other: &AgentTally) {
        self.handled.absorb(&other.handled);
        for (activity, us) in &other.spent_us {
            *self.spent_us.entry(*activity).or_default() += us;
        }
        self.offers += other.offers;
        self.no_answer += other.no_answer;
    }
    fn of(&self, activity: Activity) -> u64 {
        self.spent_us.get(&activity).copied().unwrap_or(0)
    }
    /// Time signed in, microseconds.
    pub fn signed_in_us(&self) -> u64 {
        self.spent_us.values().sum()
    }
    /// Time at work (talking, hold, wrap-up) of the time at work or idle. Ringing is neither; several at once count once.
    pub fn occupancy(&self) -> Option<f64> {
        let handle = self.of(Activity::Talking) + self.of(Activity::WrapUp);
        share(handle, handle + self.of(Activity::Idle))
    }
    /// Time at work of the time signed in.
    pub fn utilisation(&self) -> Option<f64> {
        share(self.of(Activity::Talking) + self.of(Activity::WrapUp), self.signed_in_us())
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A report while it is made, and made.
#[derive(Debug)]
pub struct Report {
    grid: Grid,
    promises: BTreeMap<QueueId, Promise>,
    common: Promise,
    /// Only of these queues; of all if none.
    only: Option<BTreeSet<QueueId>>,
    queues: BTreeMap<(QueueId, usize), Tally>,
    agents: BTreeMap<(AgentId, usize), AgentTally>,
    shifts: shifts::Shifts,
}

impl Report {
    /// Over the grid. Queues that are not in `promises` (they exist no more) had the `common` one.
    pub fn new(grid: Grid, promises: BTreeMap<QueueId, Promise>, common: Promise) -> Report {
        let (queues, agents, shifts) = Default::default();
        Report { grid, promises, common, only: None, queues, agents, shifts }
    }

    /// Counting only what is of these queues. The time of agents is the whole of it all the same: who talks for another queue is
    /// not idle.
    pub fn of(mut self, only: Option<BTreeSet<QueueId>>) -> Report {
        self.only = only;
        self
    }

    fn wants(&self, queue: Option<&QueueId>) -> bool {
        self.only.as_ref().is_none_or(|only| queue.is_some_and(|q| only.contains(q)))
    }

    fn cell(&mut self, queue: &QueueId, at: usize) -> &mut Tally {
        let promise = self.promises.get(queue).copied().unwrap_or(self.common);
        self.queues.entry((queue.clone(), at)).or_insert_with(|| Tally::new(promise))
    }

    fn agent(&mut self, agent: &AgentId, at: usize) -> &mut AgentTally {
        self.agents.entry((agent.clone(), at)).or_insert_with(AgentTally::new)
    }

    /// A stay in a queue; of one that began outside the grid nothing is counted.
    pub fn stay(&mut self, s: &Stay) {
        if let Some(at) = self.grid.at(s.entered).filter(|_| self.wants(Some(&s.queue))) {
            self.cell(&s.queue, at).stay(s);
        }
    }

    /// A stretch of handling. One that began before the grid still fills the agent's time within it.
    pub fn segment(&mut self, s: &Segment) {
        if let Some(at) = self.grid.at(s.began).filter(|_| self.wants(s.queue.as_ref())) {
            if let Some(queue) = &s.queue {
                self.cell(queue, at).segment(s);
            }
            self.agent(&s.agent, at).handled.segment(s);
        }
        self.shifts.segment(s);
    }

    /// An offer.
    pub fn ring(&mut self, r: &Ring) {
        if let Some(at) = self.grid.at(r.from).filter(|_| self.wants(r.queue.as_ref())) {
            let a = self.agent(&r.agent, at);
            a.offers += 1;
            a.no_answer += u64::from(r.no_answer);
            if let Some(queue) = r.queue.as_ref().filter(|_| r.no_answer) {
                self.cell(queue, at).counts.no_answer += 1;
            }
        }
        self.shifts.ring(r);
    }

    /// A rating: it counts to the interval it was given in.
    pub fn rated(&mut self, r: &Rated) {
        let Some(at) = self.grid.at(r.at).filter(|_| self.wants(r.queue.as_ref())) else { return };
        if let Some(queue) = &r.queue {
            self.cell(queue, at).rated(r);
        }
        if let Some(agent) = &r.agent {
            self.agent(agent, at).handled.rated(r);
        }
    }

    /// An agent took a state. The last one before the grid belongs to it, too.
    pub fn turn(&mut self, t: Turn) {
        self.shifts.turn(t);
    }

    /// After the last: time is given to the intervals it was spent in. What goes on goes on until `now`.
    pub fn close(&mut self, now: Wall) {
        let end = self.grid.end().min(now);
        for (agent, spent) in std::mem::take(&mut self.shifts).spent(self.grid.begin(), end) {
            for (activity, from, to) in spent {
                for (at, us) in self.grid.parts(from, to) {
                    *self.agent(&agent, at).spent_us.entry(activity).or_default() += us;
                }
            }
        }
    }

    /// The intervals.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Cells, by queue and interval; those in which nothing came are not there.
    pub fn cells(&self) -> impl Iterator<Item = (&QueueId, usize, &Tally)> {
        self.queues.iter().map(|((queue, at), t)| (queue, *at, t))
    }

    /// Each queue over the whole span.
    pub fn by_queue(&self) -> BTreeMap<QueueId, Tally> {
        self.sums(|queue, _| queue.clone())
    }

    /// Each interval over all queues.
    pub fn by_interval(&self) -> BTreeMap<usize, Tally> {
        self.sums(|_, at| at)
    }

    /// Everything.
    pub fn whole(&self) -> Tally {
        self.sums(|_, _| ()).remove(&()).unwrap_or_else(|| Tally::new(self.common))
    }

    fn sums<K: Ord>(&self, key: impl Fn(&QueueId, usize) -> K) -> BTreeMap<K, Tally> {
        let mut sums: BTreeMap<K, Tally> = BTreeMap::new();
        for (queue, at, cell) in self.cells() {
            sums.entry(key(queue, at)).or_insert_with(|| Tally::new(self.common)).absorb(cell);
        }
        sums
    }

    /// Each agent over the whole span.
    pub fn by_agent(&self) -> BTreeMap<AgentId, AgentTally> {
        let mut sums: BTreeMap<AgentId, AgentTally> = BTreeMap::new();
        for ((agent, _), cell) in &self.agents {
            sums.entry(agent.clone()).or_insert_with(AgentTally::new).absorb(cell);
        }
        sums
    }

    /// True when nothing was lost and nothing counted twice, in every cell and in every sum.
    pub fn conserved(&self) -> bool {
        let sums = self.by_queue();
        self.cells().all(|(_, _, t)| t.counts.conserved())
            && sums.values().chain(self.by_interval().values()).all(|t| t.counts.conserved())
            && sums.values().map(|t| t.counts.offered).sum::<u64>() == self.whole().counts.offered
    }
}

#[cfg(test)]
mod tests;
