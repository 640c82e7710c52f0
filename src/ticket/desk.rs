//! Every ticket of one tenant, found by id, by number, and by customer.
//!
//! The desk gives out numbers and carries a merge, and its undoing, over both tickets. It holds closed tickets until the caller drops them:
//! the store has them all.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actor, Change, Group, LogEntry, Opening, State, Ticket, TicketError};
use crate::base::{AgentId, CustomerId, QueueId, TicketId, Wall};

/// Which tickets; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub group: Option<Group>,
    /// Only those somebody still owes something on.
    pub live: bool,
    /// On this pile.
    pub queue: Option<QueueId>,
    /// With this owner.
    pub owner: Option<AgentId>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Titles containing this, whatever the case.
    pub text: Option<String>,
}

/// The tickets of one tenant.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    tickets: BTreeMap<TicketId, Ticket>,
    by_number: BTreeMap<u64, TicketId>,
    by_customer: BTreeMap<CustomerId, BTreeSet<TicketId>>,
    /// The highest number ever given, also to tickets no longer held.
    last_number: u64,
}

impl Desk {
    /// The number the next ticket gets.
    pub fn next_number(&self) -> u64 {
        self.last_number + 1
    }

    /// Opens a ticket. Its number is [`Desk::next_number`], whatever `opening` says.
    pub fn open(&mut self, now: Wall, by: Actor, opening: Opening) -> Result<LogEntry, TicketError> {
        if self.tickets.contains_key(&opening.id) {
            return Err(TicketError::AlreadyOpened { number: opening.number });
        }
        let opening = Opening { number: self.next_number(), ..opening };
        let (ticket, entry) = Ticket::open(now, by, opening)?;
        self.insert(ticket);
        Ok(entry)
    }

    /// Changes a ticket.
    pub fn apply(&mut self, id: TicketId, now: Wall, by: Actor, change: Change) -> Result<LogEntry, TicketError> {
        let ticket = self.tickets.get_mut(&id).ok_or(TicketError::Unknown { id })?;
        let before = ticket.head().customer;
        let entry = ticket.apply(now, by, change)?;
        let after = ticket.head().customer;
        self.moved(id, before, after);
        Ok(entry)
    }

    /// Merges `from` into `into`: both logs get an entry, in this order. Nothing happens if either refuses.
    pub fn merge(
        &mut self,
        now: Wall,
        by: &Actor,
        from: TicketId,
        into: TicketId,
    ) -> Result<[(TicketId, LogEntry); 2], TicketError> {
        let absorbed = self.get(from).ok_or(TicketError::Unknown { id: from })?.for_merge();
        let whole = self.get(into).ok_or(TicketError::Unknown { id: into })?.clone();
        let taken = self.apply(into, now, by.clone(), Change::Absorbed(absorbed))?;
        match self.apply(from, now, by.clone(), Change::MergedInto { into }) {
            Ok(given) => Ok([(into, taken), (from, given)]),
            Err(why) => {
                self.tickets.insert(into, whole);
                Err(why)
            }
        }
    }

    /// The ticket this one was merged into, and that one, to the last that is held; itself if it was not merged.
    pub fn survivor(&self, id: TicketId) -> TicketId {
        let mut at = id;
        // No chain is longer than there are tickets, and nothing is merged into itself.
        for _ in 0..self.tickets.len() {
            match self.get(at).map(|t| &t.head().state) {
                Some(State::Merged { into }) if self.get(*into).is_some() => at = *into,
                _ => break,
            }
        }
        at
    }

    /// Undoes the merge of `from` into `out_of`: both logs get an entry, in this order. Nothing happens if either refuses.
    pub fn unmerge(
        &mut self,
        now: Wall,
        by: &Actor,
        from: TicketId,
        out_of: TicketId,
    ) -> Result<[(TicketId, LogEntry); 2], TicketError> {
        let head = self.get(from).ok_or(TicketError::Unknown { id: from })?.head();
        let number = head.number;
        if head.state != (State::Merged { into: out_of }) {
            return Err(TicketError::NotMerged { number });
        }
        let whole = self.get(out_of).ok_or(TicketError::Unknown { id: out_of })?.clone();
        let given = self.apply(out_of, now, by.clone(), Change::Released { from, number })?;
        match self.apply(from, now, by.clone(), Change::Unmerged { out_of }) {
            Ok(taken) => Ok([(out_of, given), (from, taken)]),
            Err(why) => {
                self.tickets.insert(out_of, whole);
                Err(why)
            }
        }
    }

    /// Folds an entry of the journal.
    pub fn replay(&mut self, id: TicketId, entry: LogEntry) -> Result<(), TicketError> {
        if matches!(entry.change, Change::Opened(_)) {
            if self.tickets.contains_key(&id) {
                return Err(TicketError::BadLog { n: entry.n });
            }
            self.insert(Ticket::fold([entry])?);
            return Ok(());
        }
        let ticket = self.tickets.get_mut(&id).ok_or(TicketError::Unknown { id })?;
        let before = ticket.head().customer;
        ticket.replay(entry)?;
        let after = ticket.head().customer;
        self.moved(id, before, after);
        Ok(())
    }

    /// Puts back a ticket read from the store.
    pub fn insert(&mut self, ticket: Ticket) {
        let (id, number, customer) = (ticket.head().id, ticket.head().number, ticket.head().customer);
        self.last_number = self.last_number.max(number);
        self.by_number.insert(number, id);
        self.tickets.insert(id, ticket);
        self.moved(id, None, customer);
    }

    /// Lets go of a ticket; the store keeps it. Its number is not given again.
    pub fn drop_from_memory(&mut self, id: TicketId) {
        if let Some(ticket) = self.tickets.remove(&id) {
            self.by_number.remove(&ticket.head().number);
            self.moved(id, ticket.head().customer, None);
        }
    }

    /// The tickets of a customer, the oldest first. When two customers are merged, the caller applies
    /// [`Change::CustomerKnown`] to each ticket of the one that goes.
    pub fn of_customer(&self, customer: CustomerId) -> impl DoubleEndedIterator<Item = &Ticket> {
        self.by_customer.get(&customer).into_iter().flatten().filter_map(|id| self.tickets.get(id))
    }

    /// The live tickets of a customer, the newest first.
    pub fn open_of(&self, customer: CustomerId) -> impl Iterator<Item = &Ticket> {
        self.of_customer(customer).rev().filter(|t| t.head().state.group().is_live())
    }

    /// One ticket.
    pub fn get(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.get(&id)
    }
    /// One ticket by its number.
    pub fn by_number(&self, number: u64) -> Option<&Ticket> {
        self.tickets.get(self.by_number.get(&number)?)
    }
    /// Every ticket held, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Ticket> {
        self.tickets.values()
    }

    /// What a filter lets through: the most urgent first, then the oldest.
    pub fn list(&self, filter: &Filter, most: usize) -> Vec<&Ticket> {
        let mut found: Vec<&Ticket> = match filter.customer {
            Some(customer) => self.of_customer(customer).filter(|t| filter.lets(t)).collect(),
            None => self.iter().filter(|t| filter.lets(t)).collect(),
        };
        found.sort_by_key(|t| (std::cmp::Reverse(t.head().priority), t.head().created, t.head().id));
        found.truncate(most);
        found
    }

    /// How many tickets are in each state.
    pub fn counts(&self) -> BTreeMap<Group, usize> {
        let mut counts = BTreeMap::new();
        self.iter().for_each(|t| *counts.entry(t.head().state.group()).or_default() += 1);
        counts
    }

    fn moved(&mut self, id: TicketId, before: Option<CustomerId>, after: Option<CustomerId>) {
        if before == after {
            return;
        }
        if let Some(before) = before
            && let Some(ids) = self.by_customer.get_mut(&before)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_customer.remove(&before);
            }
        }
        if let Some(customer) = after {
            self.by_customer.entry(customer).or_default().insert(id);
        }
    }
}

impl Filter {
    fn lets(&self, ticket: &Ticket) -> bool {
        let head = ticket.head();
        let group = head.state.group();
        self.group.is_none_or(|g| g == group)
            && (!self.live || group.is_live())
            && self.queue.as_ref().is_none_or(|q| head.queue.as_ref() == Some(q))
            && self.owner.as_ref().is_none_or(|o| head.owner.as_ref() == Some(o))
            && self.customer.is_none_or(|c| head.customer == Some(c))
            && self.text.as_ref().is_none_or(|t| head.title.to_lowercase().contains(&t.to_lowercase()))
    }
}
