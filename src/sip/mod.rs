//! The SIP machines (RFC 3261).
pub mod auth;
pub mod msg;
pub mod transaction;
pub mod transport;
