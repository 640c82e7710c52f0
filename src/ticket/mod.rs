//! The matter followed up: a ticket, its log, its clocks, and the desk where all tickets of a tenant lie.
//!
//! A [`Ticket`] is a fold over its [`LogEntry`] list and nothing else; [`clock`] computes every deadline from that list, a
//! calendar and a policy, so nothing counts down and nothing is stored twice. Who may do what, who is told, and which
//! calendar belongs to which queue is decided upstairs.

pub mod clock;
mod desk;
mod log;
mod machine;
mod words;
mod working;

pub use clock::{Clock, Phase, Policy, Reading};
pub use desk::{Desk, Filter};
pub use log::{Absorbed, Actor, Change, LogEntry, Opening, To};
pub use machine::{Head, Ticket, TicketError};
pub use words::{Group, Priority, State};
pub use working::{AlwaysOpen, Weekly, WeeklyError, WorkingTime};
