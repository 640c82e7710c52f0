//! What becomes of an alert.

use serde::{Deserialize, Serialize};

use crate::{
    base::{QueueId, Wall},
    center::{alerts::Metric, command::Actor},
};

/// A figure of a queue is past its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRaised {
    /// Of which queue.
    pub queue: QueueId,
    /// Which figure.
    pub metric: Metric,
    /// What it is: a count, seconds or percent.
    pub value: u32,
    /// What it is measured by.
    pub limit: u32,
    /// The instant a wait counts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Wall>,
}

/// It is well again, or watched no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCleared {
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
}

/// Somebody looks after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertAcked {
    /// Of which queue.
    pub queue: QueueId,
    /// Which figure.
    pub metric: Metric,
    /// Who.
    pub by: Actor,
}
