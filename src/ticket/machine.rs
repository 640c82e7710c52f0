//! One ticket: what may be done to it when, and what it is after each entry of its log.
//!
//!     New ──first work of ours──▶ Open ⇄ PendingCustomer        the customer writes: Open
//!                                  │ ⇄ PendingInternal{until}   until passes, or the customer writes: Open
//!                                  ▼
//!                               Resolved{reopen_until} ──customer writes, or we reopen──▶ Open
//!                                  └──the window passes──▶ Closed
//!     any but the final ones ──▶ Merged{into} | Spam | Closed     final: Closed, Merged, Spam
//!                                  └──the merge is undone, before anybody goes on there──▶ what it was
//!
//! `apply` checks and appends; `fold` appends what was checked once. Both go through the one `step`, so a ticket read back
//! is the ticket that was written. Clocks are in `clock.rs`. Tests: `tests.rs` beside this file.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Absorbed, Actor, Change, LogEntry, Opening, Priority, State, To, log::standing};
use crate::base::{AgentId, Channel, CodeId, CustomerId, InteractionId, QueueId, SlaId, TicketId, Wall, limits};

/// Everything about a ticket that fits on one line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Its name in the house.
    pub id: TicketId,
    /// Its name for people.
    pub number: u64,
    /// One line.
    pub title: String,
    /// Where it is in its life.
    #[serde(flatten)]
    pub state: State,
    /// Who works on it.
    pub owner: Option<AgentId>,
    /// Whose pile it lies on.
    pub queue: Option<QueueId>,
    /// How urgent.
    pub priority: Priority,
    /// Whose matter.
    pub customer: Option<CustomerId>,
    /// How it came.
    pub channel: Option<Channel>,
    /// Which promise holds.
    pub sla: Option<SlaId>,
    /// The agent's coded outcome.
    pub disposition: Option<CodeId>,
    /// Words to find it by.
    pub tags: BTreeSet<String>,
    /// The contacts that belong to it, in the order they were linked.
    pub interactions: Vec<InteractionId>,
    /// Tickets that were merged into it.
    pub absorbed: Vec<TicketId>,
    /// When the customer's wait began: the earliest start of all that was merged into it.
    pub created: Wall,
    /// When something last happened.
    pub updated: Wall,
    /// When a person first answered.
    pub first_reply: Option<Wall>,
    /// Since when a customer's word lies unanswered by a person.
    pub unanswered: Option<Wall>,
}

/// Why a change is refused. The ticket is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Nothing leads out of a final state.
    #[error("ticket {number} is {}: open a new one", state.group().as_str())]
    Final {
        /// For people.
        number: u64,
        /// Closed, merged or spam.
        state: State,
    },
    /// No such arrow.
    #[error("ticket {number} is {} and cannot become {to}", from.group().as_str())]
    NoArrow {
        /// For people.
        number: u64,
        /// Where it is.
        from: State,
        /// Where it should go.
        to: &'static str,
    },
    /// A pending ticket or a reopen window has to end later than now.
    #[error("ticket {number}: {at} is not in the future")]
    NotInTheFuture {
        /// For people.
        number: u64,
        /// The time given.
        at: Wall,
    },
    /// `Opened` opens, nothing else does.
    #[error("ticket {number} is already open")]
    AlreadyOpened {
        /// For people.
        number: u64,
    },
    /// A list of entries that does not begin with `Opened`, or skips one.
    #[error("entry {n} cannot follow in the log of a ticket here")]
    BadLog {
        /// The entry.
        n: u32,
    },
    /// A title is one line of 1 to [`limits::TITLE_MAX`] characters.
    #[error("a title is one line of 1 to {} characters", limits::TITLE_MAX)]
    BadTitle,
    /// A tag is 1 to [`limits::TAG_MAX`] characters on one line.
    #[error("a tag is 1 to {} characters on one line", limits::TAG_MAX)]
    BadTag,
    /// Over [`limits::TAGS_MAX`].
    #[error("a ticket has at most {} tags", limits::TAGS_MAX)]
    TooManyTags,
    /// Nothing, or over [`limits::MESSAGE_MAX`].
    #[error("a note or reply has 1 to {} bytes", limits::MESSAGE_MAX)]
    BadText,
    /// Over [`limits::TICKET_LOG_MAX`].
    #[error("ticket {number} has {} entries and takes no more: open a follow-up", limits::TICKET_LOG_MAX)]
    LogFull {
        /// For people.
        number: u64,
    },
    /// A ticket goes into another, not into itself.
    #[error("ticket {number} cannot be merged into itself")]
    IntoItself {
        /// For people.
        number: u64,
    },
    /// It was not merged there.
    #[error("ticket {number} was not merged into that ticket")]
    NotMerged {
        /// For people.
        number: u64,
    },
    /// A merge is undone before anything else happens, or never.
    #[error("ticket {number} has gone on since: what was merged into it stays there")]
    GoneOn {
        /// For people.
        number: u64,
    },
    /// No ticket of this name.
    #[error("there is no ticket {id}")]
    Unknown {
        /// The name.
        id: TicketId,
    },
}

/// One ticket: its log, and what the log adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    head: Head,
    log: Vec<LogEntry>,
}

impl Ticket {
    /// Begins one.
    pub fn open(now: Wall, by: Actor, opening: Opening) -> Result<(Self, LogEntry), TicketError> {
        check_title(&opening.title)?;
        let entry = LogEntry { n: 1, at: now, by, change: Change::Opened(opening) };
        Ok((Self::fold([entry.clone()])?, entry))
    }

    /// The ticket a log adds up to. The entries are trusted to have been applied once; only their order is checked.
    pub fn fold(entries: impl IntoIterator<Item = LogEntry>) -> Result<Self, TicketError> {
        let mut entries = entries.into_iter();
        let first = entries.next().ok_or(TicketError::BadLog { n: 0 })?;
        let Change::Opened(opening) = &first.change else { return Err(TicketError::BadLog { n: first.n }) };
        let mut ticket = Self { head: head_of(opening, first.at), log: vec![first] };
        entries.try_for_each(|e| ticket.replay(e))?;
        Ok(ticket)
    }

    /// Appends an entry that was applied once already.
    pub fn replay(&mut self, entry: LogEntry) -> Result<(), TicketError> {
        if entry.n as usize != self.log.len() + 1 || matches!(entry.change, Change::Opened(_)) {
            return Err(TicketError::BadLog { n: entry.n });
        }
        self.step(&entry);
        self.log.push(entry);
        Ok(())
    }

    /// Checks a change and appends it; the entry returned is what the journal keeps.
    pub fn apply(&mut self, now: Wall, by: Actor, change: Change) -> Result<LogEntry, TicketError> {
        self.check(now, &change)?;
        let n = u32::try_from(self.log.len() + 1).map_err(|_| TicketError::LogFull { number: self.head.number })?;
        // A clock set back must not make the log run backwards: durations are read from it.
        let at = now.max(self.head.updated);
        let entry = LogEntry { n, at, by, change };
        self.step(&entry);
        self.log.push(entry.clone());
        Ok(entry)
    }

    /// What it is now.
    pub fn head(&self) -> &Head {
        &self.head
    }
    /// How it came to be so.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }
    /// When it changes by itself, and by which change: apply that one then, as [`Actor::System`].
    pub fn wakes(&self) -> Option<(Wall, Change)> {
        match self.head.state {
            State::PendingInternal { until } => Some((until, Change::Woke)),
            State::Resolved { reopen_until } => Some((reopen_until, Change::WindowOver)),
            _ => None,
        }
    }
    /// What a ticket this one is merged into takes over.
    pub fn for_merge(&self) -> Absorbed {
        let Head { id, number, created, first_reply, unanswered, .. } = self.head;
        let (interactions, tags) = (self.head.interactions.clone(), self.head.tags.iter().cloned().collect());
        Absorbed { from: id, number, created, first_reply, unanswered, interactions, tags }
    }

    /// Whether a ticket that was merged into this one may be taken out again: nothing was done here since, but for looking,
    /// warnings, and other merges that were undone.
    pub fn may_release(&self, from: TicketId) -> bool {
        let log = standing(&self.log);
        let taken = log.iter().rposition(|e| matches!(&e.change, Change::Absorbed(other) if other.from == from));
        let quiet = |e: &LogEntry| matches!(e.change, Change::Viewed | Change::Warned { .. });
        !self.head.state.is_final() && taken.is_some_and(|at| log[at + 1..].iter().all(quiet))
    }

    /// Goes through a log again and shows the ticket as it was after each entry.
    pub(super) fn walk(log: &[LogEntry], mut see: impl FnMut(&Head, &LogEntry)) {
        let Some(first) = log.first() else { return };
        let Change::Opened(opening) = &first.change else { return };
        let mut ticket = Self { head: head_of(opening, first.at), log: Vec::new() };
        see(&ticket.head, first);
        for entry in &log[1..] {
            ticket.step(entry);
            see(&ticket.head, entry);
        }
    }

    fn check(&self, now: Wall, change: &Change) -> Result<(), TicketError> {
        let (number, state) = (self.head.number, self.head.state);
        if self.log.len() >= limits::TICKET_LOG_MAX && *change != Change::Redacted {
            return Err(TicketError::LogFull { number });
        }
        let future = |at: Wall| if at > now { Ok(()) } else { Err(TicketError::NotInTheFuture { number, at }) };
        let no_arrow = |to| Err(TicketError::NoArrow { number, from: state, to });
        match change {
            Change::Opened(_) => return Err(TicketError::AlreadyOpened { number }),
            Change::Unmerged { out_of } if state == (State::Merged { into: *out_of }) => return Ok(()),
            Change::Unmerged { .. } => return Err(TicketError::NotMerged { number }),
            Change::Released { from, .. } if !self.head.absorbed.contains(from) => {
                return Err(TicketError::NotMerged { number });
            }
            Change::Released { from, .. } if !self.may_release(*from) => return Err(TicketError::GoneOn { number }),
            // Notes, tags, links and codes are filed even on a closed matter; a merged one is not the place to look.
            Change::Noted { .. } | Change::Tagged { .. } | Change::Untagged { .. } | Change::Disposed { .. }
                if !matches!(state, State::Merged { .. }) => {}
            // Whoever is forgotten is forgotten wherever the matter stands.
            Change::Redacted => {}
            Change::Viewed | Change::Linked { .. } | Change::CustomerKnown { .. } | Change::Talked { .. }
                if !matches!(state, State::Merged { .. }) => {}
            _ if state.is_final() => return Err(TicketError::Final { number, state }),
            _ => {}
        }
        match change {
            Change::State { to: To::PendingInternal { until } } => future(*until)?,
            Change::State { to: To::Resolved { reopen_until } } => future(*reopen_until)?,
            Change::State { to: To::Open } if state == State::Open => return no_arrow("open"),
            Change::Woke if !matches!(state, State::PendingInternal { .. }) => return no_arrow("open"),
            Change::WindowOver if !matches!(state, State::Resolved { .. }) => return no_arrow("closed"),
            Change::MergedInto { into } if *into == self.head.id => return Err(TicketError::IntoItself { number }),
            Change::Absorbed(other) if other.from == self.head.id => return Err(TicketError::IntoItself { number }),
            Change::Titled { title } => check_title(title)?,
            Change::Tagged { tag } => {
                check_tag(tag)?;
                if self.head.tags.len() >= limits::TAGS_MAX && !self.head.tags.contains(tag) {
                    return Err(TicketError::TooManyTags);
                }
            }
            Change::Noted { text } | Change::Replied { text, .. } | Change::CustomerWrote { text, .. } => check_text(text)?,
            _ => {}
        }
        match change {
            Change::State { to: To::PendingCustomer | To::PendingInternal { .. } }
                if matches!(state, State::Resolved { .. }) =>
            {
                no_arrow("pending: reopen it first")
            }
            _ => Ok(()),
        }
    }

    /// What one entry does. Total: an entry that was once applied can always be applied again.
    fn step(&mut self, entry: &LogEntry) {
        let at = entry.at;
        if matches!(entry.change, Change::Released { .. } | Change::Unmerged { .. }) {
            return self.take_back(entry);
        }
        let head = &mut self.head;
        head.updated = head.updated.max(at);
        let ours = matches!(entry.by, Actor::Agent(_));
        match &entry.change {
            Change::Opened(_) | Change::Viewed | Change::Noted { .. } | Change::Warned { .. } => {}
            Change::State { to } => head.state = state_of(*to),
            Change::Woke => head.state = State::Open,
            Change::WindowOver => head.state = State::Closed,
            Change::Assigned { owner } => {
                head.owner.clone_from(owner);
                if owner.is_some() && head.state == State::New {
                    head.state = State::Open;
                }
            }
            Change::Queued { queue } => head.queue.clone_from(queue),
            Change::Prioritised { priority } => head.priority = *priority,
            Change::Titled { title } => head.title.clone_from(title),
            Change::CustomerKnown { customer } => head.customer = Some(*customer),
            Change::Promised { sla } => head.sla.clone_from(sla),
            Change::Linked { interaction } => link(head, *interaction),
            Change::CustomerWrote { .. } => {
                head.unanswered.get_or_insert(at);
                if matches!(head.state, State::PendingCustomer | State::PendingInternal { .. } | State::Resolved { .. }) {
                    head.state = State::Open;
                }
            }
            Change::Replied { .. } if ours => answered(head, at),
            Change::Replied { .. } => {}
            Change::Talked { interaction } => {
                link(head, *interaction);
                if ours {
                    answered(head, at);
                }
            }
            Change::Tagged { tag } => {
                head.tags.insert(tag.clone());
            }
            Change::Untagged { tag } => {
                head.tags.remove(tag);
            }
            Change::Redacted => {
                head.title.clear();
                head.tags.clear();
            }
            Change::Disposed { code } => head.disposition.clone_from(code),
            Change::Absorbed(other) => absorb(head, other),
            Change::MergedInto { into } => head.state = State::Merged { into: *into },
            Change::Released { .. } | Change::Unmerged { .. } => {}
        }
    }

    /// What the log adds up to without a merge that is undone.
    fn take_back(&mut self, entry: &LogEntry) {
        let mut log = self.log.clone();
        log.push(entry.clone());
        let mut head = None;
        Self::walk(&standing(&log), |now, _| head = Some(now.clone()));
        let updated = self.head.updated.max(entry.at);
        self.head = Head { updated, ..head.unwrap_or_else(|| self.head.clone()) };
    }
}

fn head_of(opening: &Opening, at: Wall) -> Head {
    let Opening { id, number, title, customer, interaction, channel, queue, priority, sla } = opening.clone();
    Head {
        id,
        number,
        title,
        state: State::New,
        owner: None,
        queue,
        priority,
        customer,
        channel,
        sla,
        disposition: None,
        tags: BTreeSet::new(),
        interactions: interaction.into_iter().collect(),
        absorbed: Vec::new(),
        created: at,
        updated: at,
        first_reply: None,
        unanswered: None,
    }
}

fn state_of(to: To) -> State {
    match to {
        To::Open => State::Open,
        To::PendingCustomer => State::PendingCustomer,
        To::PendingInternal { until } => State::PendingInternal { until },
        To::Resolved { reopen_until } => State::Resolved { reopen_until },
        To::Closed => State::Closed,
        To::Spam => State::Spam,
    }
}

/// A person of ours answered, where the customer sees or hears it.
fn answered(head: &mut Head, at: Wall) {
    head.first_reply.get_or_insert(at);
    head.unanswered = None;
    if head.state == State::New {
        head.state = State::Open;
    }
}

fn link(head: &mut Head, interaction: InteractionId) {
    if !head.interactions.contains(&interaction) {
        head.interactions.push(interaction);
    }
}

fn absorb(head: &mut Head, other: &Absorbed) {
    head.absorbed.push(other.from);
    head.created = head.created.min(other.created);
    head.first_reply = earliest(head.first_reply, other.first_reply);
    head.unanswered = earliest(head.unanswered, other.unanswered);
    if other.unanswered.is_some() && matches!(head.state, State::PendingCustomer | State::Resolved { .. }) {
        // The customer did write, only elsewhere.
        head.state = State::Open;
    }
    other.interactions.iter().for_each(|i| link(head, *i));
    let room = limits::TAGS_MAX.saturating_sub(head.tags.len());
    head.tags.extend(other.tags.iter().take(room).cloned());
}

fn earliest(a: Option<Wall>, b: Option<Wall>) -> Option<Wall> {
    a.into_iter().chain(b).min()
}

fn check_title(title: &str) -> Result<(), TicketError> {
    let good = !title.trim().is_empty() && title.chars().count() <= limits::TITLE_MAX && !title.chars().any(char::is_control);
    if good { Ok(()) } else { Err(TicketError::BadTitle) }
}

fn check_tag(tag: &str) -> Result<(), TicketError> {
    let good = !tag.trim().is_empty() && tag.chars().count() <= limits::TAG_MAX && !tag.chars().any(char::is_control);
    if good { Ok(()) } else { Err(TicketError::BadTag) }
}

fn check_text(text: &str) -> Result<(), TicketError> {
    let good = !text.trim().is_empty() && text.len() <= limits::MESSAGE_MAX;
    if good { Ok(()) } else { Err(TicketError::BadText) }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
