//! Who it is: one person, the numbers, addresses and channel names that person is known by, and what was consented to.
//!
//! [`Directory`] holds the customers of one tenant and is a fold over its [`Entry`] list. What a customer's interactions
//! and tickets are is known upstairs; here is only the person.

mod directory;
mod identity;
mod profile;

pub use directory::{CustomerError, Directory, Entry, Found};
pub use identity::{Identity, IdentityError, Trust};
pub use profile::{Change, Consent, ConsentKind, Customer, Linked, Tier};
