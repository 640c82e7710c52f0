//! The walks: what concerns several rooms at once, and the rules of the house itself.

mod corpus;
mod tidy;

#[cfg(feature = "server")]
mod alerts;
#[cfg(feature = "server")]
mod bad_input;
#[cfg(feature = "server")]
mod browser_phone;
#[cfg(feature = "server")]
mod certificate;
#[cfg(feature = "server")]
mod chat;
#[cfg(feature = "server")]
mod cut_off;
#[cfg(feature = "server")]
mod families;
#[cfg(feature = "server")]
mod matrix;
#[cfg(feature = "server")]
mod restart;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod vouched;
#[cfg(feature = "server")]
mod webhooks;
