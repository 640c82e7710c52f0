//! How things begin and end, and what may be wrong with them: the small words of facts.

use serde::{Deserialize, Serialize};

/// Why a contact left its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unqueued {
    /// An agent took it.
    Answered,
    /// The customer left.
    Abandoned,
    /// Waited as long as the flow allows.
    Timeout,
    /// Nobody there to take it.
    NoAgents,
    /// Too many waiting.
    Full,
    /// The customer chose another way by key.
    ExitKey,
    /// The customer is called back, and waits for that.
    Callback,
    /// Moved to another queue.
    Moved,
    /// The server went down under it.
    ServerRestart,
    /// The contact was ended from our side.
    Ended,
}

/// What a call leg is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The customer.
    Customer,
    /// The agent who handles it.
    Agent,
    /// An outside party reached by transfer.
    Outside,
    /// Who is asked for advice while the customer waits.
    Helper,
    /// A supervisor who listens, whispers or speaks.
    Supervisor,
}

/// How a consultation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultEnd {
    /// The helper has the customer now.
    Completed,
    /// The agent went back to the customer.
    Cancelled,
    /// Nobody took it.
    NotTaken,
    /// The helper hung up.
    HelperLeft,
    /// The contact ended, or went elsewhere.
    Ended,
}

/// What may be wrong with a leg's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegTrouble {
    /// Nothing arrives: one way of the sound is broken.
    Unheard,
    /// What arrives is sound of nobody: a muted or dead microphone.
    Muted,
    /// An agent's phone is gone in the middle of a talk, and is waited for.
    Lost,
}

/// Who began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The customer came to us.
    Inbound,
    /// We went to the customer.
    Outbound,
    /// One of us to another.
    Internal,
}

/// Who ended something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The customer.
    Customer,
    /// The agent.
    Agent,
    /// The flow, a limit, a restart.
    System,
}
