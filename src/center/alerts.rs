//! Alerts of a floor: a figure of a queue is past what the house promised, and somebody above should know.
//!
//! A value: figures and the time go in, facts come out, the next instant at which something may have changed without anybody
//! doing anything is the answer. Waits grow by themselves; everything else changes by an event, after which somebody looks.
//!
//! ```text
//!   well ─past the limit─▶ rising ─for after_s─▶ ON ─well again, by the margin, for clear_after_s─▶ well
//!    ▲───────────well────────┘                      ├──acknowledge──▶ ON, somebody looks after it
//!                                                   └──rule or queue gone──▶ well
//! ```
//!
//! What is watched for is `settings::Alerts`; when it is looked at, and who may acknowledge, is in `watch`.
//! Tests: below; with callers and agents in `sim::tests::alerts`.

mod watch;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    command::Actor,
    fact::{AlertAcked, AlertCleared, AlertRaised, Fact},
    settings::Alerts,
    view::QueueView,
};
use crate::base::{QueueId, Wall, limits};

/// A figure of a queue that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// How many wait.
    Waiting,
    /// How long the longest has waited, seconds.
    Longest,
    /// Today's service level, percent.
    Level,
    /// Today's abandoned of those who came, percent.
    Abandoned,
    /// Agents free, while somebody waits and anybody is signed in.
    Free,
    /// Agents signed in and ready to work: free, or busy with a contact.
    Ready,
    /// How long a customer has been on hold, seconds.
    Held,
}

impl Metric {
    /// Every one.
    pub const ALL: [Metric; 7] =
        [Metric::Waiting, Metric::Longest, Metric::Level, Metric::Abandoned, Metric::Free, Metric::Ready, Metric::Held];

    /// The word of configuration, API and journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Metric::Waiting => "waiting",
            Metric::Longest => "longest",
            Metric::Level => "level",
            Metric::Abandoned => "abandoned",
            Metric::Free => "free",
            Metric::Ready => "ready",
            Metric::Held => "held",
        }
    }

    /// Reads [`Metric::as_str`].
    pub fn parse(word: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|m| m.as_str() == word)
    }

    /// Worse when it is smaller.
    pub const fn less_is_worse(self) -> bool {
        matches!(self, Metric::Level | Metric::Free | Metric::Ready)
    }

    /// A share of a hundred.
    pub const fn is_percent(self) -> bool {
        matches!(self, Metric::Level | Metric::Abandoned)
    }

    /// There is something to measure it by even where the rule names no limit.
    pub const fn has_own_limit(self) -> bool {
        matches!(self, Metric::Longest | Metric::Level | Metric::Free | Metric::Held)
    }

    /// The instant from which it counts seconds; none where it counts something else, or there is nothing to count.
    fn from(self, q: &QueueView) -> Option<Wall> {
        match self {
            Metric::Longest => q.longest_since,
            Metric::Held => q.held_since,
            _ => None,
        }
    }

    /// The figure; none where there is nothing to judge.
    fn figure(self, q: &QueueView, now: Wall) -> Option<u32> {
        let percent = |share: f64| (share * 100.0).round() as u32;
        match self {
            Metric::Waiting => Some(count(q.waiting)),
            Metric::Level => q.service_level.map(percent),
            Metric::Abandoned => (q.offered > 0).then(|| percent(q.abandoned as f64 / q.offered as f64)),
            Metric::Free => (q.waiting > 0 && q.signed_in > 0).then(|| count(q.free)),
            Metric::Ready => Some(count(q.ready)),
            Metric::Longest | Metric::Held => self.from(q).map(|at| seconds(now.since(at))),
        }
    }

    /// What the queue itself promises.
    fn own_limit(self, q: &QueueView) -> Option<u32> {
        match self {
            Metric::Longest => Some(q.sl_target_s),
            Metric::Level => Some(q.sl_percent.into()),
            Metric::Free => Some(1),
            Metric::Held => Some(q.hold_max_s).filter(|s| *s > 0),
            Metric::Waiting | Metric::Abandoned | Metric::Ready => None,
        }
    }

    /// By how much it has to be better than the limit to be well again: shares of a day go to and fro by a point with every
    /// caller. Never so much that it could not be reached.
    fn margin(self, limit: u32) -> u32 {
        match self {
            Metric::Level => 2.min(100u32.saturating_sub(limit) / 2),
            Metric::Abandoned => 2.min(limit / 2),
            _ => 0,
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn seconds(d: Duration) -> u32 {
    u32::try_from(d.as_secs()).unwrap_or(u32::MAX)
}

/// One thing to watch for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which figure.
    pub metric: Metric,
    /// Of which queue; of every queue that has no rule of its own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// Count, seconds or percent. If absent: the queue's own promise for `longest`, `level` and `held`, 1 for `free`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Past it for so long before anybody is told, seconds; as for all rules if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_s: Option<u32>,
}

/// An alert that is on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Of which queue.
    pub queue: QueueId,
    /// Which figure.
    pub metric: Metric,
    /// The figure: a count or a share as it is now, a wait as it was when somebody last looked.
    pub value: u32,
    /// What it is measured by.
    pub limit: u32,
    /// When it was raised.
    pub since: Wall,
    /// The instant a wait counts from.
    pub began_at: Option<Wall>,
    /// Who looks after it: a login or the name of a key.
    pub acked_by: Option<String>,
    /// Since when.
    pub acked_at: Option<Wall>,
    /// The worst it came to.
    #[serde(skip)]
    worst: u32,
    /// It is well since; not over yet.
    #[serde(skip)]
    well_since: Option<Wall>,
}

/// An alert that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Past {
    /// Of which queue.
    pub queue: QueueId,
    /// Which figure.
    pub metric: Metric,
    /// The worst it came to.
    pub worst: u32,
    /// What it was measured by.
    pub limit: u32,
    /// When it was raised.
    pub since: Wall,
    /// When it was over.
    pub until: Wall,
    /// Who looked after it.
    pub acked_by: Option<String>,
}

type Key = (QueueId, Metric);

/// The alerts of one tenant.
#[derive(Debug, Clone, Default)]
pub struct Board {
    on: BTreeMap<Key, Alert>,
    rising: BTreeMap<Key, Wall>,
    past: Arc<VecDeque<Past>>,
}

/// One figure against its limit.
struct Found {
    value: Option<u32>,
    from: Option<Wall>,
    limit: u32,
    /// Told of only then.
    after: Duration,
    past: bool,
    well: bool,
}

impl Found {
    fn of(metric: Metric, q: &QueueView, limit: u32, after: Duration, now: Wall) -> Found {
        let (value, from) = (metric.figure(q, now), metric.from(q));
        let margin = metric.margin(limit);
        let (past, well) = match (value, from) {
            (None, _) => (false, true),
            (Some(_), Some(from)) => {
                let past = now > from + Duration::from_secs(limit.into());
                (past, !past)
            }
            (Some(v), None) if metric.less_is_worse() => (v < limit, v >= limit + margin),
            (Some(v), None) => (v > limit, v + margin <= limit),
        };
        Found { value, from, limit, after, past, well }
    }
}

impl Board {
    /// Those that are on, by queue.
    pub fn on(&self) -> impl Iterator<Item = &Alert> {
        self.on.values()
    }

    /// Those that were, the latest first.
    pub fn past(&self) -> &Arc<VecDeque<Past>> {
        &self.past
    }

    /// The one about this, if it is on.
    pub fn get(&self, queue: &QueueId, metric: Metric) -> Option<&Alert> {
        self.on.get(&(queue.clone(), metric))
    }

    /// Looks at every queue: raises and clears. The answer is when to look again although nothing has happened.
    pub fn judge(
        &mut self,
        now: Wall,
        rules: &Alerts,
        queues: &BTreeMap<QueueId, QueueView>,
        out: &mut Vec<Fact>,
    ) -> Option<Wall> {
        let (mut facts, mut next) = (Vec::new(), None::<Wall>);
        let mut again = |at: Wall| next = Some(next.map_or(at, |n: Wall| n.min(at)));
        let mut watched = BTreeMap::new();
        for (id, q) in queues {
            for metric in Metric::ALL {
                let Some(rule) = rules.rule(id, metric) else { continue };
                let Some(limit) = rule.limit.or_else(|| metric.own_limit(q)) else { continue };
                let after = Duration::from_secs(rule.after_s.unwrap_or(rules.raise_after_s).into());
                watched.insert((id.clone(), metric), Found::of(metric, q, limit, after, now));
            }
        }
        self.rising.retain(|key, _| watched.get(key).is_some_and(|f| f.past));
        for ((queue, metric), alert) in &mut self.on {
            // A wait that ended since the last look had grown until now.
            if let Some(from) = alert.began_at {
                alert.worst = alert.worst.max(seconds(now.since(from)));
            }
            let found = watched.remove(&(queue.clone(), *metric));
            let over = match found {
                None => true,
                Some(f) => alert.is_over(now, &f, rules.clear_after(), &mut again),
            };
            if over {
                let (queue, metric, since) = (queue.clone(), *metric, alert.since);
                let cleared = AlertCleared { queue, metric, worst: alert.worst, limit: alert.limit, since };
                facts.push(Fact::AlertCleared(cleared));
            }
        }
        for (key, f) in watched {
            match f {
                Found { past: true, value: Some(value), limit, .. } => {
                    let due = *self.rising.entry(key.clone()).or_insert(now) + f.after;
                    if due <= now {
                        let (queue, metric) = key;
                        facts.push(Fact::AlertRaised(AlertRaised { queue, metric, value, limit, began_at: f.from }));
                    } else {
                        again(due);
                    }
                }
                // A millisecond later it is longer than the limit.
                Found { from: Some(from), limit, .. } => {
                    again(from + Duration::from_secs(limit.into()) + Duration::from_millis(1));
                }
                _ => {}
            }
        }
        for fact in &facts {
            self.apply(now, fact);
        }
        // What was raised now and is a wait is looked at when it ends: that is an event.
        out.append(&mut facts);
        next
    }

    /// Takes in what happened, in the order of the journal.
    pub fn apply(&mut self, at: Wall, fact: &Fact) {
        match fact {
            Fact::AlertRaised(AlertRaised { queue, metric, value, limit, began_at }) => {
                let key = (queue.clone(), *metric);
                self.rising.remove(&key);
                let alert = Alert {
                    queue: queue.clone(),
                    metric: *metric,
                    value: *value,
                    limit: *limit,
                    since: at,
                    began_at: *began_at,
                    acked_by: None,
                    acked_at: None,
                    worst: *value,
                    well_since: None,
                };
                self.on.insert(key, alert);
            }
            Fact::AlertCleared(AlertCleared { queue, metric, worst, limit, since }) => {
                let was = self.on.remove(&(queue.clone(), *metric));
                let past = Arc::make_mut(&mut self.past);
                past.push_front(Past {
                    queue: queue.clone(),
                    metric: *metric,
                    worst: *worst,
                    limit: *limit,
                    since: *since,
                    until: at,
                    acked_by: was.and_then(|a| a.acked_by),
                });
                past.truncate(limits::ALERTS_PAST_MAX);
            }
            Fact::AlertAcked(AlertAcked { queue, metric, by }) => {
                if let Some(alert) = self.on.get_mut(&(queue.clone(), *metric)) {
                    (alert.acked_by, alert.acked_at) = (Some(name(by)), Some(at));
                }
            }
            _ => {}
        }
    }
}

fn name(by: &Actor) -> String {
    match by {
        Actor::User { user, .. } => user.to_string(),
        Actor::Key { name, .. } => name.clone(),
        Actor::Visitor { .. } | Actor::System => String::new(),
    }
}

impl Alert {
    /// Takes over the figure; true when it has been well for long enough.
    fn is_over(&mut self, now: Wall, f: &Found, clear_after: Duration, again: &mut impl FnMut(Wall)) -> bool {
        self.limit = f.limit;
        // A wait is told by its beginning: counting on is for whoever shows it.
        if f.from.is_none() || f.from != self.began_at {
            self.value = f.value.unwrap_or(self.value);
        }
        self.began_at = f.from;
        if let Some(v) = f.value {
            self.worst = if self.metric.less_is_worse() { self.worst.min(v) } else { self.worst.max(v) };
        }
        if !f.well {
            self.well_since = None;
            return false;
        }
        let over = *self.well_since.get_or_insert(now) + clear_after;
        if over > now {
            again(over);
            // It may be past again before that.
            if let Some(from) = f.from {
                again(from + Duration::from_secs(f.limit.into()) + Duration::from_millis(1));
            }
        }
        over <= now
    }
}

#[cfg(test)]
mod tests;
