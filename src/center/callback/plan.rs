//! What is agreed with a customer who wants to be called back, and how the calls to them end: the words of facts and configuration.

use serde::{Deserialize, Serialize};

use crate::base::{QueueId, SlaId, Wall};

/// What was agreed with the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The number, in E.164.
    pub number: String,
    /// Calls to it, at most.
    pub attempts: u32,
    /// Seconds between two of them.
    pub gap_s: u64,
    /// A machine that answers is no customer. Else who answers is left to the agent.
    pub screens: bool,
    /// What a machine is told after its beep; it is hung up on if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub message: Vec<Words>,
    /// What becomes of a customer nobody has reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Promise>,
    /// The hour the customer has chosen: nobody calls before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Wall>,
}

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Words {
    /// A recorded prompt, by name.
    File(String),
    /// To be spoken.
    Say {
        /// The words.
        text: String,
        /// `zh-CN`, `en-US`.
        lang: String,
    },
}

/// The ticket of a customer nobody has reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Whose work it becomes.
    pub queue: QueueId,
    /// Its title.
    pub title: String,
    /// Its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<SlaId>,
}

/// How a call to the customer ended without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It rang, and nobody came.
    NoAnswer,
    /// They were on the telephone.
    Busy,
    /// They refused the call.
    Declined,
    /// A machine answered.
    Machine,
    /// A machine answered, and was told.
    Told,
    /// The agent put the receiver down before they answered.
    AgentLeft,
    /// The guard kept the call in.
    NotAllowed,
    /// No way led there.
    Failed,
}
