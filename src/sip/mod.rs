//! The SIP machines (RFC 3261).
pub mod auth;
pub mod dialog;
pub mod event;
pub mod gate;
pub mod locate;
pub mod mask;
pub mod msg;
pub mod registrar;
pub mod stack;
pub mod stir;
pub mod transaction;
pub mod transport;
