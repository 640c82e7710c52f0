//! What is said and what is remembered: messages, receipts, and the records a conversation is rebuilt from.
//!
//! These are values without behaviour; the rules are in `conversation.rs`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{TextError, file::File};
use crate::base::{AgentId, MessageId, Wall, limits};

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The customer's side.
    Visitor,
    /// A person of ours.
    Agent(AgentId),
    /// A flow or a bot.
    Bot,
    /// A person of ours, to colleagues only: never shown to the visitor, and no turn in the conversation.
    Note(AgentId),
    /// The house itself: "Anna joined", "are you still there?". Never keeps a visitor from being idle.
    System,
}

impl Sender {
    /// The side that can be connected and can receive, if this sender is one.
    pub fn party(&self) -> Option<Party> {
        match self {
            Sender::Visitor => Some(Party::Visitor),
            Sender::Agent(agent) => Some(Party::Agent(agent.clone())),
            Sender::Note(_) | Sender::Bot | Sender::System => None,
        }
    }
}

/// Who receives messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The customer's side, on however many tabs.
    Visitor,
    /// An agent who has joined.
    Agent(AgentId),
}

/// One open connection of a party: a browser tab, a console. Named by the edge, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tab(pub u64);

/// The name a sender's own program gave a message, so that sending it again after a broken connection is known to be the
/// same message. 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Longest name, bytes.
    pub const MAX: usize = 64;

    /// Checks and keeps `text`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let good = !text.is_empty() && text.len() <= Self::MAX && text.bytes().all(|b| b.is_ascii_graphic());
        if good { Ok(Self(text.into())) } else { Err(TextError::BadClientId) }
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Brings a message body to the form we store: line ends are `\n`, other control characters are gone (a NUL would be
/// refused by PostgreSQL, an escape sequence belongs on nobody's terminal), 1 to [`limits::MESSAGE_MAX`] bytes remain.
pub fn clean(raw: &str) -> Result<String, TextError> {
    let text: String = raw.replace("\r\n", "\n").chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if text.len() > limits::MESSAGE_MAX {
        return Err(TextError::TooLong { bytes: text.len() });
    }
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    Ok(text)
}

/// One message. Never changed once stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its name in the whole house.
    pub id: MessageId,
    /// Its place in this conversation, from 1. Rising, with a gap where a message could not be stored.
    pub seq: u64,
    /// Who wrote it.
    pub sender: Sender,
    /// What the sender's program called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The words.
    pub text: String,
    /// Answers to choose from: what choosing one sends, and what is written on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
    /// The file it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// When it was accepted.
    pub at: Wall,
}

impl Message {
    /// Whether a party may see it: a note is for colleagues only.
    pub fn shown_to(&self, party: &Party) -> bool {
        *party != Party::Visitor || !matches!(self.sender, Sender::Note(_))
    }
}

/// How far a party has got. Both counts are seqs and only rise; `read` never passes `delivered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Everything up to here has arrived.
    pub delivered: u64,
    /// Everything up to here has been looked at.
    pub read: u64,
}

/// How far one message has got with one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// Taken, not yet safe: the sender has heard nothing.
    Accepted,
    /// Safe: the sender has its acknowledgement.
    Stored,
    /// On the receiver's screen.
    Delivered,
    /// Looked at.
    Read,
}

/// Why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseWhy {
    /// The visitor said good-bye.
    Visitor,
    /// The agent closed it.
    Agent,
    /// The visitor stayed silent too long.
    Idle,
    /// The visitor went away and did not come back.
    Gone,
    /// The flow or the house ended it.
    System,
}

/// What a conversation wants remembered. Folding these in order with [`Conversation::replay`](super::Conversation::replay)
/// gives the conversation back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// Somebody said something. The only record that is answered, by `Input::Stored` or `Input::NotStored`.
    Said(Arc<Message>),
    /// A receiver got further.
    Seen {
        /// Who.
        by: Party,
        /// How far.
        progress: Progress,
    },
    /// An agent entered.
    Joined {
        /// Who.
        agent: AgentId,
        /// When.
        at: Wall,
    },
    /// An agent left.
    Left {
        /// Who.
        agent: AgentId,
        /// When.
        at: Wall,
    },
    /// It is over.
    Closed {
        /// Why.
        why: CloseWhy,
        /// When.
        at: Wall,
    },
}

/// Why a message that was already accepted came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It could not be stored; sending it again may work.
    NotStored,
}

/// What a connected party is told. Serialised as it is, this is what goes over the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A message, in order, at least once: a receiver drops a `seq` it already has. Its sender gets it too, for the
    /// sender's other tabs.
    Message(Arc<Message>),
    /// The sender's message is stored.
    Ack {
        /// Its name in the house.
        id: MessageId,
        /// Its place.
        seq: u64,
        /// What the sender called it.
        client_id: Option<ClientId>,
        /// The stamp it carries.
        at: Wall,
    },
    /// The sender's message came to nothing.
    Refused {
        /// Its name in the house.
        id: MessageId,
        /// What the sender called it.
        client_id: Option<ClientId>,
        /// Why.
        why: Refusal,
    },
    /// Another party got further.
    Receipt {
        /// Who.
        by: Party,
        /// How far.
        #[serde(flatten)]
        progress: Progress,
    },
    /// Another party is writing, or has stopped.
    Typing {
        /// Who.
        who: Party,
        /// Whether.
        on: bool,
    },
    /// An agent entered.
    Joined {
        /// Who.
        agent: AgentId,
    },
    /// An agent left.
    Left {
        /// Who.
        agent: AgentId,
    },
    /// It is over.
    Closed {
        /// Why.
        why: CloseWhy,
    },
}
