//! Which calls are written down while they are spoken.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::{NumberPattern, QueueId};

/// Calls with a transcript: none by default. It needs a recogniser in the process (`[speech]`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transcripts {
    /// Those of these queues.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub queues: BTreeSet<QueueId>,
    /// Those to these numbers, as dialled: `4000`, `40xx`, `+86*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<NumberPattern>,
}

impl Transcripts {
    /// Nothing is decided.
    pub fn is_default(&self) -> bool {
        *self == Transcripts::default()
    }

    /// Whether a call that came by this queue, to this number (in all its forms), is written down.
    pub fn wants(&self, queue: Option<&QueueId>, numbers: &[&str]) -> bool {
        queue.is_some_and(|q| self.queues.contains(q)) || self.numbers.iter().any(|p| numbers.iter().any(|n| p.matches(n)))
    }

    /// Queues that do not exist, each a sentence that begins with its path.
    pub(super) fn problems(&self, at: &str, exists: impl Fn(&QueueId) -> bool, bad: &mut Vec<String>) {
        bad.extend(
            self.queues.iter().filter(|q| !exists(q)).map(|q| format!("{at}.transcripts.queues: there is no queue `{q}`")),
        );
    }
}
