//! What a tenant decides about its floor: who supervises what, and how calls are handled.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::{AgentId, QueueId};

/// Who looks over whose shoulder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Supervision {
    /// Agents see that somebody listens. That somebody whispers to them they always see.
    pub tell_agents: bool,
    /// Supervisors, by login, whose part is limited to some queues. Those not named here supervise everything.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<AgentId, BTreeSet<QueueId>>,
}

/// What happens during calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallRules {
    /// An agent hears two short tones every so many seconds while a customer is on hold; never if 0.
    pub hold_reminder_s: u32,
    /// Keys an agent sends are written down as `x` each.
    pub mask_keys: bool,
}

impl Default for CallRules {
    fn default() -> Self {
        CallRules { hold_reminder_s: 60, mask_keys: false }
    }
}

impl Supervision {
    /// Nothing is decided.
    pub fn is_default(&self) -> bool {
        *self == Supervision::default()
    }

    /// Queues that do not exist, each a sentence that begins with its path.
    pub(super) fn problems(&self, at: &str, exists: impl Fn(&QueueId) -> bool, bad: &mut Vec<String>) {
        for (who, queues) in &self.queues {
            for q in queues.iter().filter(|q| !exists(q)) {
                bad.push(format!("{at}.supervision.queues.{who}: there is no queue `{q}`"));
            }
        }
    }
}

impl CallRules {
    /// Nothing is decided.
    pub fn is_default(&self) -> bool {
        *self == CallRules::default()
    }
}
