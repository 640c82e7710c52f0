//! Webhooks: programs outside are told what happened. What they are told of, how it is signed, when it is tried again.
//!
//! A fact of the journal is an event; the journal is the outbox. An endpoint remembers how far in the journal it has got, and
//! what before that place still has to be tried again. So nothing is written when a fact happens, nothing is lost while a
//! receiver is down, and a restart goes on where it was.
//!
//! | file | subject |
//! |---|---|
//! | `kinds` | which facts are events, and the groups they are chosen by |
//! | `sign` | secrets and signatures as Standard Webhooks has them |
//! | `reach` | which addresses may be told anything |
//! | `lane` | one endpoint: order, how many at once, trying again, giving up |
//!
//! Who sends is `courier`; where it is kept, `store`.

mod kinds;
mod lane;
mod reach;
mod sign;

pub use kinds::{GROUPS, HIDDEN, TEST, kinds_of, unknown};
pub use lane::{Lane, Outcome, Verdict, WAITING_MAX};
pub use reach::Reach;
pub use sign::{SECRET_BYTES, secret_text, signature};
