//! The clocks of a ticket, as pure functions of its log, a calendar and a policy.
//!
//! | clock | starts | stops | pauses in |
//! |---|---|---|---|
//! | first | created | first public reply by a person | pending customer, closed hours |
//! | next | a customer's word nobody has answered | next public reply by a person | the same |
//! | resolve | created | resolved; a reopened ticket goes on with the sum | the same |
//! | owner ack | assigned | the owner's first view or action | closed hours |
//!
//! A bot's reply counts where the policy says so. Nothing here is stored: append to the log, or change the hours, and ask
//! again. Tests below: the table line by line; the fold in `tests.rs`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Actor, Change, Head, LogEntry, State, Ticket, WorkingTime, log::standing};
use crate::base::{Wall, mins};

/// Which promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Until a person first answers.
    First,
    /// Until a person answers the customer's latest unanswered word.
    Next,
    /// Until it is resolved.
    Resolve,
    /// Until the new owner shows up.
    OwnerAck,
}

impl Clock {
    /// Every clock there is.
    pub const ALL: [Clock; 4] = [Clock::First, Clock::Next, Clock::Resolve, Clock::OwnerAck];
    /// The word used in configuration, API and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Clock::First => "first",
            Clock::Next => "next",
            Clock::Resolve => "resolve",
            Clock::OwnerAck => "owner_ack",
        }
    }
}

/// What is promised. A clock without a limit does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Limit of [`Clock::First`], working time.
    pub first: Option<Duration>,
    /// Limit of [`Clock::Next`], working time.
    pub next: Option<Duration>,
    /// Limit of [`Clock::Resolve`], working time.
    pub resolve: Option<Duration>,
    /// Limit of [`Clock::OwnerAck`], working time.
    pub owner_ack: Option<Duration>,
    /// A bot's reply stops the clocks as a person's does.
    pub bot_counts: bool,
    /// How long a resolved ticket can be reopened, on the wall clock.
    pub reopen_window: Duration,
    /// When to warn, percent of the limit, rising.
    pub warn_at: Vec<u8>,
}

impl Default for Policy {
    /// No limits; seven days to reopen; warnings at 50, 80 and 100 %.
    fn default() -> Self {
        let reopen_window = mins(7 * 24 * 60);
        let (first, next, resolve, owner_ack) = (None, None, None, None);
        Self { first, next, resolve, owner_ack, bot_counts: false, reopen_window, warn_at: vec![50, 80, 100] }
    }
}

impl Policy {
    /// The limit of a clock.
    pub fn limit(&self, clock: Clock) -> Option<Duration> {
        match clock {
            Clock::First => self.first,
            Clock::Next => self.next,
            Clock::Resolve => self.resolve,
            Clock::OwnerAck => self.owner_ack,
        }
    }
}

/// What a clock does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// It counts whenever the calendar is open.
    Running,
    /// It waits for the customer.
    Paused,
    /// What was promised was done.
    Stopped {
        /// When.
        at: Wall,
    },
}

/// A clock, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Which.
    pub clock: Clock,
    /// What was promised.
    pub limit: Duration,
    /// Working time gone by.
    pub spent: Duration,
    /// The instant the limit is, or was, reached. `None` while paused, and when it stopped in time.
    pub due: Option<Wall>,
    /// What it does at the moment.
    #[serde(flatten)]
    pub phase: Phase,
}

impl Reading {
    /// Whether the promise is broken by `now`.
    pub fn missed(&self, now: Wall) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

/// A share of a limit that is reached at an instant, and was not yet announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which clock.
    pub clock: Clock,
    /// Of its limit.
    pub percent: u8,
    /// When. May be past.
    pub at: Wall,
}

impl Mark {
    /// The entry to log when it is announced.
    pub fn change(&self) -> Change {
        Change::Warned { clock: self.clock, percent: self.percent, reached: self.at }
    }
}

/// When the limit of a clock is, or was, reached; see [`Reading::due`].
pub fn due(clock: Clock, log: &[LogEntry], hours: &dyn WorkingTime, policy: &Policy) -> Option<Wall> {
    Track::of(clock, log, policy)?.reach(policy.limit(clock)?, hours)
}

/// Reads one clock at `now`. `None`: no limit, or it has not started.
pub fn read(clock: Clock, ticket: &Ticket, hours: &dyn WorkingTime, policy: &Policy, now: Wall) -> Option<Reading> {
    let limit = policy.limit(clock)?;
    let track = Track::of(clock, ticket.log(), policy)?;
    let phase = match (track.stopped, track.running_since) {
        (Some(at), _) => Phase::Stopped { at },
        (None, Some(_)) => Phase::Running,
        (None, None) => Phase::Paused,
    };
    Some(Reading { clock, limit, spent: track.spent(now, hours), due: track.reach(limit, hours), phase })
}

/// Reads every clock that runs, ran or waits.
pub fn readings(ticket: &Ticket, hours: &dyn WorkingTime, policy: &Policy, now: Wall) -> Vec<Reading> {
    Clock::ALL.into_iter().filter_map(|c| read(c, ticket, hours, policy, now)).collect()
}

/// The marks not announced yet, nearest first. Wake at the first; log [`Mark::change`] for each whose time has come.
pub fn marks(ticket: &Ticket, hours: &dyn WorkingTime, policy: &Policy) -> Vec<Mark> {
    let mut found = Vec::new();
    for clock in Clock::ALL {
        let (Some(limit), Some(track)) = (policy.limit(clock), Track::of(clock, ticket.log(), policy)) else { continue };
        for &percent in &policy.warn_at {
            let share = limit.saturating_mul(u32::from(percent)) / 100;
            let Some(at) = track.reach(share, hours) else { continue };
            let mark = Mark { clock, percent, at };
            if !ticket.log().iter().rev().any(|e| e.change == mark.change()) {
                found.push(mark);
            }
        }
    }
    found.sort_by_key(|m| (m.at, m.clock, m.percent));
    found
}

/// When a clock counted, before the calendar is laid over it.
#[derive(Debug, Default)]
struct Track {
    ran: Vec<(Wall, Wall)>,
    running_since: Option<Wall>,
    stopped: Option<Wall>,
    started: bool,
}

impl Track {
    fn of(clock: Clock, log: &[LogEntry], policy: &Policy) -> Option<Self> {
        let log = &*standing(log);
        let mut track = Track::default();
        match clock {
            Clock::First => track.first(log, policy),
            Clock::Next => track.next(log, policy),
            Clock::Resolve => track.resolve(log),
            Clock::OwnerAck => track.owner_ack(log),
        }
        track.started.then_some(track)
    }

    fn first(&mut self, log: &[LogEntry], policy: &Policy) {
        self.run(start_of(log));
        let mut answered = false;
        Ticket::walk(log, |head, entry| {
            // A reply given to a ticket that was merged into this one counts from its own time on.
            let merged = head.first_reply.filter(|_| matches!(entry.change, Change::Absorbed(_)));
            if !answered && let Some(at) = merged.or_else(|| reply(entry, policy)) {
                answered = true;
                self.cut(at);
                self.stop(at);
            }
            if !answered {
                self.follow(head, entry.at);
            }
        });
    }

    fn next(&mut self, log: &[LogEntry], policy: &Policy) {
        let mut waiting = false;
        Ticket::walk(log, |head, entry| {
            let asked = match &entry.change {
                Change::CustomerWrote { .. } => Some(entry.at),
                Change::Absorbed(other) => other.unanswered,
                _ => None,
            };
            if let Some(at) = reply(entry, policy) {
                if waiting {
                    self.stop(at);
                }
                waiting = false;
            } else if let Some(at) = asked {
                if !waiting {
                    *self = Track::default();
                    self.run(at);
                } else if let Some(first) = self.ran.first_mut().map(|r| &mut r.0).or(self.running_since.as_mut()) {
                    *first = at.min(*first);
                }
                waiting = true;
            }
            if waiting {
                self.follow(head, entry.at);
            }
        });
    }

    fn resolve(&mut self, log: &[LogEntry]) {
        self.run(start_of(log));
        Ticket::walk(log, |head, entry| self.follow(head, entry.at));
    }

    fn owner_ack(&mut self, log: &[LogEntry]) {
        let mut owner = None;
        Ticket::walk(log, |head, entry| {
            if head.owner != owner {
                owner.clone_from(&head.owner);
                *self = Track::default();
                if owner.is_some() {
                    self.run(entry.at);
                }
            }
            let theirs = matches!(&entry.by, Actor::Agent(a) if Some(a) == owner.as_ref());
            if self.started && self.stopped.is_none() && (theirs || !head.state.group().is_live()) {
                self.stop(entry.at);
            }
        });
    }

    /// Counts, waits or rests as the state of the ticket says.
    fn follow(&mut self, head: &Head, at: Wall) {
        match head.state {
            State::New | State::Open | State::PendingInternal { .. } => self.run(at),
            State::PendingCustomer => self.pause(at),
            _ if self.stopped.is_none() => self.stop(at),
            _ => {}
        }
    }

    fn run(&mut self, at: Wall) {
        self.started = true;
        self.stopped = None;
        self.running_since.get_or_insert(at);
    }

    fn pause(&mut self, at: Wall) {
        if let Some(since) = self.running_since.take()
            && since < at
        {
            self.ran.push((since, at));
        }
    }

    fn stop(&mut self, at: Wall) {
        self.pause(at);
        self.stopped = Some(at);
    }

    /// Takes back what was counted after `at`.
    fn cut(&mut self, at: Wall) {
        self.ran.retain(|r| r.0 < at);
        self.ran.iter_mut().for_each(|r| r.1 = r.1.min(at));
        self.running_since = self.running_since.filter(|since| *since < at);
    }

    /// The instant so much working time had been counted.
    fn reach(&self, amount: Duration, hours: &dyn WorkingTime) -> Option<Wall> {
        let mut left = amount;
        for &(from, to) in &self.ran {
            let here = hours.between(from, to);
            if here >= left {
                return Some(hours.add(from, left));
            }
            left -= here;
        }
        self.running_since.map(|since| hours.add(since, left))
    }

    fn spent(&self, now: Wall, hours: &dyn WorkingTime) -> Duration {
        let open = self.running_since.map(|since| (since, now.max(since)));
        self.ran.iter().copied().chain(open).map(|(a, b)| hours.between(a, b)).sum()
    }
}

/// When the customer's wait began: the earliest of this ticket and all that were merged into it.
fn start_of(log: &[LogEntry]) -> Wall {
    let merged = log.iter().filter_map(|e| if let Change::Absorbed(other) = &e.change { Some(other.created) } else { None });
    log.first().map(|e| e.at).into_iter().chain(merged).min().unwrap_or_default()
}

/// The instant of a public reply that counts.
fn reply(entry: &LogEntry, policy: &Policy) -> Option<Wall> {
    let counts = match entry.by {
        Actor::Agent(_) => true,
        Actor::Bot => policy.bot_counts,
        Actor::Customer | Actor::System => false,
    };
    let public = matches!(entry.change, Change::Replied { .. } | Change::Talked { .. });
    (counts && public).then_some(entry.at)
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
