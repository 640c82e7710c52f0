//! The SIP machines (RFC 3261).
pub mod msg;
pub mod transport;
