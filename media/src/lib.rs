//! The RTP engine of ringdesk.
//!
//! Knows ports, packets, frames and codecs; never SIP, SDP text, agents, an async runtime or SQL. Everything it can be
//! told and everything it can say is in [`wire`], which compiles without the `engine` feature.

pub mod wire;
