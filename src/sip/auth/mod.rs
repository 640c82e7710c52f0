//! Digest access authentication (RFC 7616, RFC 8760): the server that guards our door, the client that answers a trunk's.
//!
//! [`digest`] is the arithmetic, [`grants`] are the logins of phones in a browser; header values are read by
//! [`AuthHeader`](crate::sip::msg::AuthHeader). Who a user is and what they may do is settled in the stack; passwords are never
//! here, only their HA1 halves.

pub mod client;
pub mod digest;
pub mod grants;
pub mod server;

pub use client::{Answered, Credentials, Login};
pub use digest::{Algorithm, Ha1};
pub use grants::{Grant, Granted, Grants, Revoke};
pub use server::{DigestServer, Verdict};
