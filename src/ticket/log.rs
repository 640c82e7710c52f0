//! The log of a ticket: what was done, by whom, when. It is the truth; everything else is computed from it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Clock, Priority};
use crate::base::{AgentId, Channel, CodeId, CustomerId, InteractionId, MessageId, QueueId, SlaId, TicketId, Wall};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A person of ours.
    Agent(AgentId),
    /// The customer.
    Customer,
    /// A flow or a bot.
    Bot,
    /// The house: timers, rules.
    System,
}

/// What a ticket begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its name in the house.
    pub id: TicketId,
    /// Its name for people: counts up per tenant.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Who has the matter, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The contact it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<InteractionId>,
    /// How it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whose pile it lies on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// How urgent.
    #[serde(default)]
    pub priority: Priority,
    /// Which promise holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<SlaId>,
}

/// A state somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum To {
    /// To be worked on.
    Open,
    /// Wait for the customer.
    PendingCustomer,
    /// Wait for the house.
    PendingInternal {
        /// When it comes back by itself.
        until: Wall,
    },
    /// Done.
    Resolved {
        /// The end of the reopen window: now plus [`super::Policy::reopen_window`].
        reopen_until: Wall,
    },
    /// Done for good.
    Closed,
    /// Not a customer's matter.
    Spam,
}

/// What a ticket takes over from another that is merged into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absorbed {
    /// The other ticket.
    pub from: TicketId,
    /// Its number, for people.
    pub number: u64,
    /// When its customer's wait began. The earlier start counts: a merge never makes anybody wait longer unseen.
    pub created: Wall,
    /// When it was first answered by a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply: Option<Wall>,
    /// Since when a customer's word lies there unanswered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Wall>,
    /// Its contacts.
    pub interactions: Vec<InteractionId>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// One thing done to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// It began. Always the first entry, never again.
    Opened(Opening),
    /// Somebody chose a state.
    State {
        /// Which.
        to: To,
    },
    /// The `until` of a pending ticket passed: it is open again.
    Woke,
    /// The reopen window passed: it is closed.
    WindowOver,
    /// It has an owner, or none.
    Assigned {
        /// Who.
        owner: Option<AgentId>,
    },
    /// The actor looked at it. Logged once per owner: it stops the owner's clock.
    Viewed,
    /// It lies on another pile.
    Queued {
        /// Which.
        queue: Option<QueueId>,
    },
    /// It is more or less urgent.
    Prioritised {
        /// How.
        priority: Priority,
    },
    /// It has another title.
    Titled {
        /// One line.
        title: String,
    },
    /// It is this customer's.
    CustomerKnown {
        /// Who.
        customer: CustomerId,
    },
    /// Another promise holds.
    Promised {
        /// Which.
        sla: Option<SlaId>,
    },
    /// A contact belongs to it.
    Linked {
        /// Which.
        interaction: InteractionId,
    },
    /// The customer said something that wants an answer.
    CustomerWrote {
        /// The words, or a line about them.
        text: String,
        /// The chat message, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
    },
    /// We answered where the customer sees it. By an agent it is a human reply.
    Replied {
        /// The words, or a line about them.
        text: String,
        /// The chat message, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
    },
    /// The customer and the actor spoke with each other. Counts as a reply.
    Talked {
        /// In which contact.
        interaction: InteractionId,
    },
    /// For our eyes only.
    Noted {
        /// The words.
        text: String,
    },
    /// It has this tag.
    Tagged {
        /// The tag.
        tag: String,
    },
    /// It no longer has this tag.
    Untagged {
        /// The tag.
        tag: String,
    },
    /// The words are gone: the person it was about is forgotten.
    Redacted,
    /// The agent's coded outcome.
    Disposed {
        /// Which; `None` takes it back.
        code: Option<CodeId>,
    },
    /// Another ticket was merged into this one.
    Absorbed(Absorbed),
    /// It goes on in another ticket.
    MergedInto {
        /// Which.
        into: TicketId,
    },
    /// It goes on by itself again: the merge is as if it had never been.
    Unmerged {
        /// Out of which.
        out_of: TicketId,
    },
    /// A ticket that was merged into this one is taken out again.
    Released {
        /// Which.
        from: TicketId,
        /// Its number, for people.
        number: u64,
    },
    /// A clock reached a mark and people were told. Logged so that nobody is told twice.
    Warned {
        /// Which clock.
        clock: Clock,
        /// Of the limit.
        percent: u8,
        /// The instant the mark was reached at: a clock that starts anew warns anew.
        reached: Wall,
    },
}

/// The log without what was taken back: a merge and its undoing are as if neither had been.
pub(super) fn standing(log: &[LogEntry]) -> Cow<'_, [LogEntry]> {
    if !log.iter().any(|e| matches!(e.change, Change::Released { .. } | Change::Unmerged { .. })) {
        return Cow::Borrowed(log);
    }
    let mut kept: Vec<LogEntry> = Vec::with_capacity(log.len());
    for entry in log {
        let undone = match &entry.change {
            Change::Released { from, .. } => {
                kept.iter().rposition(|e| matches!(&e.change, Change::Absorbed(other) if other.from == *from))
            }
            Change::Unmerged { out_of } => {
                kept.iter().rposition(|e| matches!(&e.change, Change::MergedInto { into } if into == out_of))
            }
            _ => {
                kept.push(entry.clone());
                continue;
            }
        };
        if let Some(at) = undone {
            kept.remove(at);
        }
    }
    Cow::Owned(kept)
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Counts up from 1 within the ticket.
    pub n: u32,
    /// When.
    pub at: Wall,
    /// By whom.
    pub by: Actor,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

impl Change {
    /// The same without words: no title, no text, no tags. A log of such entries that ends with [`Change::Redacted`] folds to
    /// the same head as the log with the words.
    pub fn without_words(self) -> Change {
        match self {
            Change::Opened(opening) => Change::Opened(Opening { title: String::new(), ..opening }),
            Change::Titled { .. } => Change::Titled { title: String::new() },
            Change::CustomerWrote { message, .. } => Change::CustomerWrote { text: String::new(), message },
            Change::Replied { message, .. } => Change::Replied { text: String::new(), message },
            Change::Noted { .. } => Change::Noted { text: String::new() },
            Change::Tagged { .. } => Change::Tagged { tag: String::new() },
            Change::Untagged { .. } => Change::Untagged { tag: String::new() },
            Change::Absorbed(other) => Change::Absorbed(Absorbed { tags: Vec::new(), ..other }),
            other => other,
        }
    }
}
