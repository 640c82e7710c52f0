//! The states of a ticket and how urgent it is.

use serde::{Deserialize, Serialize};

use crate::base::{TicketId, Wall};

/// Where a ticket is in its life; the arrows are drawn in `machine.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nobody of ours has touched it.
    New,
    /// Somebody is, or should be, working on it.
    Open,
    /// The customer has to answer.
    PendingCustomer,
    /// Waits for something inside the house. The customer's clocks go on.
    PendingInternal {
        /// When it comes back by itself.
        until: Wall,
    },
    /// Done, unless the customer writes again in time.
    Resolved {
        /// The end of the reopen window.
        reopen_until: Wall,
    },
    /// Done for good. Whatever comes now is a new ticket.
    Closed,
    /// Goes on in another ticket.
    Merged {
        /// Which.
        into: TicketId,
    },
    /// Not a customer's matter.
    Spam,
}

/// A state without its particulars, for lists and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// See [`State::New`].
    New,
    /// See [`State::Open`].
    Open,
    /// See [`State::PendingCustomer`].
    PendingCustomer,
    /// See [`State::PendingInternal`].
    PendingInternal,
    /// See [`State::Resolved`].
    Resolved,
    /// See [`State::Closed`].
    Closed,
    /// See [`State::Merged`].
    Merged,
    /// See [`State::Spam`].
    Spam,
}

impl Group {
    /// Every group there is.
    pub const ALL: [Group; 8] = [
        Group::New,
        Group::Open,
        Group::PendingCustomer,
        Group::PendingInternal,
        Group::Resolved,
        Group::Closed,
        Group::Merged,
        Group::Spam,
    ];
    /// The word used in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Group::New => "new",
            Group::Open => "open",
            Group::PendingCustomer => "pending_customer",
            Group::PendingInternal => "pending_internal",
            Group::Resolved => "resolved",
            Group::Closed => "closed",
            Group::Merged => "merged",
            Group::Spam => "spam",
        }
    }
    /// Reads [`Group::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.as_str() == s)
    }
    /// True while somebody still owes the customer something.
    pub const fn is_live(self) -> bool {
        matches!(self, Group::New | Group::Open | Group::PendingCustomer | Group::PendingInternal)
    }
}

impl State {
    /// The state without its particulars.
    pub const fn group(self) -> Group {
        match self {
            State::New => Group::New,
            State::Open => Group::Open,
            State::PendingCustomer => Group::PendingCustomer,
            State::PendingInternal { .. } => Group::PendingInternal,
            State::Resolved { .. } => Group::Resolved,
            State::Closed => Group::Closed,
            State::Merged { .. } => Group::Merged,
            State::Spam => Group::Spam,
        }
    }
    /// True for the states nothing leads out of.
    pub const fn is_final(self) -> bool {
        matches!(self, State::Closed | State::Merged { .. } | State::Spam)
    }
}

/// How urgent; orders lists, and chooses a policy where an SLA says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// As everything.
    #[default]
    Normal,
    /// Before the others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// Every priority there is, the least urgent first.
    pub const ALL: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    /// The word used in configuration, API and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Urgent => "urgent",
        }
    }
    /// Reads [`Priority::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == s)
    }
}
