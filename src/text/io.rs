//! What goes into a conversation and what comes out of it. The rules are in `conversation.rs`.

use std::time::Duration;

use super::file::File;
use super::message::{ClientId, CloseWhy, Event, Party, Record, Sender, Tab};
use crate::base::{AgentId, MessageId, limits};

/// How long a silent visitor is kept. `None`: for ever. Measured from the last word of ours that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Idle {
    /// After this, [`Output::IdleWarning`].
    pub warn_after: Option<Duration>,
    /// After this, [`Output::IdleClose`].
    pub close_after: Option<Duration>,
    /// With no connection for so long, [`Output::VisitorGone`].
    pub gone_after: Option<Duration>,
}

/// What happens to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Somebody says something. A `client_id` heard before from the same sender is the same message.
    Say {
        /// Who.
        sender: Sender,
        /// The name it gets if it is new.
        id: MessageId,
        /// What the sender's program calls it.
        client_id: Option<ClientId>,
        /// The words as they came; see [`clean`](super::clean).
        text: String,
        /// Answers to choose from, if it is a question of the house.
        options: Vec<(String, String)>,
        /// The file that comes with them.
        file: Option<File>,
    },
    /// The journal holds this message.
    Stored {
        /// Which.
        message: MessageId,
    },
    /// The journal refused this message for good.
    NotStored {
        /// Which.
        message: MessageId,
    },
    /// A party's program has everything up to `seq`.
    Delivered {
        /// Who.
        to: Party,
        /// Up to here.
        seq: u64,
    },
    /// A party has looked at everything up to `seq`.
    Read {
        /// Who.
        by: Party,
        /// Up to here.
        seq: u64,
    },
    /// A party writes, or has stopped.
    Typing {
        /// Who.
        who: Party,
        /// Whether.
        on: bool,
    },
    /// A party opened a connection and has everything up to `since` (0: nothing).
    Connect {
        /// Who.
        who: Party,
        /// By which connection.
        tab: Tab,
        /// The last seq it has.
        since: u64,
    },
    /// A connection is gone.
    Disconnect {
        /// Who.
        who: Party,
        /// Which connection.
        tab: Tab,
    },
    /// An agent enters.
    Join {
        /// Who.
        agent: AgentId,
    },
    /// An agent leaves.
    Leave {
        /// Who.
        agent: AgentId,
    },
    /// It ends.
    Close {
        /// Why.
        why: CloseWhy,
    },
    /// A deadline may have passed.
    Tick,
}

/// What a conversation wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write this to the journal, in this order. [`Record::Said`] is answered by `Stored` or `NotStored`.
    Store(Record),
    /// Tell a party: on one connection, or on all it has.
    Send {
        /// Whom.
        to: Party,
        /// Where; `None`: on every connection.
        tab: Option<Tab>,
        /// What.
        event: Event,
    },
    /// Messages `after < seq <= through` are no longer in memory: send those this party may see
    /// ([`Message::shown_to`](super::Message::shown_to)) from the store to this connection.
    Fetch {
        /// Whom.
        to: Party,
        /// Where.
        tab: Tab,
        /// The last seq it has.
        after: u64,
        /// The last seq that is only in the store.
        through: u64,
    },
    /// The visitor has not answered for [`Idle::warn_after`]. Say something as [`Sender::System`].
    IdleWarning,
    /// The visitor has not answered for [`Idle::close_after`].
    IdleClose,
    /// The visitor has had no connection for [`Idle::gone_after`].
    VisitorGone,
}

/// Why an input is refused. The conversation is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("a message needs at least one visible character")]
    Empty,
    /// Over [`limits::MESSAGE_MAX`].
    #[error("a message of {bytes} bytes is over the limit of {} bytes", limits::MESSAGE_MAX)]
    TooLong {
        /// What came.
        bytes: usize,
    },
    /// The client's name for its message is not usable.
    #[error("a client message id is 1 to {} visible ASCII characters", ClientId::MAX)]
    BadClientId,
    /// Over [`limits::VISITOR_MESSAGES_PER_MIN`].
    #[error("more than {} messages a minute: try again in {} ms", limits::VISITOR_MESSAGES_PER_MIN, retry_in.as_millis())]
    TooFast {
        /// When the next one would be taken.
        retry_in: Duration,
    },
    /// Too many messages wait for the store.
    #[error("{} messages of this conversation wait to be stored: try again later", limits::MESSAGES_IN_MEMORY)]
    Backlog,
    /// Too many connections of one party.
    #[error("a party has at most {} connections to one conversation", limits::TABS_PER_PARTY)]
    TooManyTabs,
    /// Too many agents.
    #[error("at most {} agents can be in one conversation", limits::AGENTS_PER_CONVERSATION)]
    TooManyAgents,
    /// Only an agent who has joined can take part.
    #[error("agent {agent} is not in this conversation")]
    NotHere {
        /// Who.
        agent: AgentId,
    },
    /// The journal answered about a message nobody is waiting for.
    #[error("message {message} is not waiting to be stored")]
    NotWaiting {
        /// Which.
        message: MessageId,
    },
    /// It has ended.
    #[error("this conversation was closed ({why:?})")]
    Closed {
        /// Why it ended.
        why: CloseWhy,
    },
}
