//! What goes: by age, by request; and what must not.
//!
//! | file | what |
//! |---|---|
//! | `aging` | what is older than it may be, found and deleted a batch at a time |
//! | `erase` | one person, at their wish |
//! | `holds` | what must not go whatever its age |
//! | `forget` | places of the journal that are empty, and how they grow together |
//!
//! Two rules hold throughout. The projections stay folds over what the journal still has: a row goes in the transaction that
//! empties the places of its facts, so that a rebuild brings nothing back. And a restart decides as if nothing had gone: only
//! facts go that no longer change what a [`Memory`](crate::center::memory::Memory) makes of the journal (those of contacts
//! that are over, of tickets that are closed, counts of other days). Files are deleted before the rows that name them, so
//! that a crash in between leaves a row, which the next turn finds again.

mod aging;
mod erase;
mod forget;
mod holds;

pub use aging::{Aged, Due};
pub use erase::{Erasure, Traces};
pub(super) use forget::{FORGOTTEN, since};
pub use holds::{Held, Hold, NamedHold};

/// True of a contact `i` that a hold keeps: its own, its customer's under any of their ids, its ticket's.
macro_rules! contact_held {
    () => {
        "EXISTS (SELECT 1 FROM holds h WHERE h.tenant = i.tenant AND ((h.kind = 'interaction' AND h.id = i.id) \
         OR (h.kind = 'ticket' AND h.id = i.ticket) OR (h.kind = 'customer' AND \
         COALESCE((SELECT c.merged_into FROM customers c WHERE c.tenant = h.tenant AND c.id = h.id), h.id) = \
         COALESCE((SELECT c.merged_into FROM customers c WHERE c.tenant = i.tenant AND c.id = i.customer), i.customer))))"
    };
}
/// True of a ticket `t` that a hold keeps: its own, its customer's, that of a contact that belongs to it.
macro_rules! ticket_held {
    () => {
        "EXISTS (SELECT 1 FROM holds h WHERE h.tenant = t.tenant AND ((h.kind = 'ticket' AND h.id = t.id) \
         OR (h.kind = 'interaction' AND EXISTS (SELECT 1 FROM interactions i WHERE i.tenant = t.tenant AND i.id = h.id \
         AND i.ticket = t.id)) OR (h.kind = 'customer' AND \
         COALESCE((SELECT c.merged_into FROM customers c WHERE c.tenant = h.tenant AND c.id = h.id), h.id) = \
         COALESCE((SELECT c.merged_into FROM customers c WHERE c.tenant = t.tenant AND c.id = t.customer), t.customer))))"
    };
}
/// Empties places of the journal. The last fact stays: its number is where the journal goes on.
macro_rules! emptied {
    ($rest:literal) => {
        concat!(
            ") UPDATE journal SET kind = 'forgotten', tenant = '', interaction = NULL, ticket = NULL, customer = NULL, \
             body = CAST(seq AS TEXT) WHERE seq < (SELECT MAX(seq) FROM journal) AND ",
            $rest
        )
    };
}
pub(super) use {contact_held, emptied, ticket_held};
