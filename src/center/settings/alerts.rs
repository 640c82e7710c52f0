//! What is watched for on the floor.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    base::{QueueId, limits},
    center::alerts::{Metric, Rule},
};

/// Nothing is waited for longer, seconds.
const AFTER_MAX: u32 = 3_600;
/// Nobody free while somebody waits is told of after so long, seconds.
const FREE_AFTER_S: u32 = 10;

/// Figures of queues, each with what is too much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// What is watched for. A rule for one queue goes before the one for all.
    pub rules: Vec<Rule>,
    /// A figure must be past its limit for so long before anybody is told, seconds; a rule may say otherwise.
    pub raise_after_s: u32,
    /// It must be well for so long before the alert is over, seconds.
    pub clear_after_s: u32,
}

impl Default for Alerts {
    /// What every queue promises by itself: how long one waits and is held, how many are answered in time, that somebody is free
    /// (for a moment nobody is whenever a queue does what it is there for).
    fn default() -> Self {
        let usual = [Metric::Longest, Metric::Level, Metric::Free, Metric::Held];
        let after = |metric| (metric == Metric::Free).then_some(FREE_AFTER_S);
        let rules = usual.map(|metric| Rule { metric, queue: None, limit: None, after_s: after(metric) }).to_vec();
        Alerts { rules, raise_after_s: 0, clear_after_s: 10 }
    }
}

impl Alerts {
    /// The rule for this figure of this queue.
    pub fn rule(&self, queue: &QueueId, metric: Metric) -> Option<&Rule> {
        let of = |q: Option<&QueueId>| self.rules.iter().find(|r| r.metric == metric && r.queue.as_ref() == q);
        of(Some(queue)).or_else(|| of(None))
    }

    /// See the field.
    pub fn clear_after(&self) -> Duration {
        Duration::from_secs(self.clear_after_s.into())
    }

    /// Rules that cannot be, each a sentence that begins with its path.
    pub(super) fn problems(&self, at: &str, exists: impl Fn(&QueueId) -> bool, bad: &mut Vec<String>) {
        if self.rules.len() > limits::ALERT_RULES_MAX {
            let n = self.rules.len();
            bad.push(format!("{at}.alerts.rules: {n} are too many; expected at most {}", limits::ALERT_RULES_MAX));
        }
        for (i, r) in self.rules.iter().enumerate() {
            let at = format!("{at}.alerts.rules[{i}]");
            if let Some(q) = r.queue.as_ref().filter(|q| !exists(q)) {
                bad.push(format!("{at}.queue: there is no queue `{q}`"));
            }
            if r.after_s.is_some_and(|s| s > AFTER_MAX) {
                bad.push(format!("{at}.after_s: is too long; expected at most {AFTER_MAX}"));
            }
            match r.limit {
                None if !r.metric.has_own_limit() => {
                    bad.push(format!("{at}.limit: `{}` needs one, for no queue promises anything about it", r.metric.as_str()));
                }
                Some(n) if r.metric.is_percent() && n > 100 => {
                    bad.push(format!("{at}.limit: {n} percent is more than all"));
                }
                _ => {}
            }
            if self.rules[..i].iter().any(|o| o.metric == r.metric && o.queue == r.queue) {
                bad.push(format!("{at}: there is an earlier rule for the same"));
            }
        }
        for (name, s) in [("raise_after_s", self.raise_after_s), ("clear_after_s", self.clear_after_s)] {
            if s > AFTER_MAX {
                bad.push(format!("{at}.alerts.{name}: {s} is too long; expected at most {AFTER_MAX}"));
            }
        }
    }
}
