//! The RTP engine of ringdesk.
//!
//! Knows ports, packets, frames and codecs; never SIP, SDP text, agents, an async runtime or SQL. Everything it can be
//! told and everything it can say is in [`wire`], which compiles without the `engine` feature.
//!
//! | module | what lives there |
//! |---|---|
//! | [`wire`] | the contract: commands and events |
//! | [`pipe`] | live sound to and from other threads: synthesis in, recognition out |
//! | [`rtp`] | RTP and RTCP packets, sequence and jitter statistics |
//! | [`dtmf`] | telephone events, received and sent; digits found as tones |
//! | [`codec`] | G.711, G.722, Opus, L16, comfort noise; a codec is an enum variant |
//! | [`dsp`] | arithmetic on samples: rates, periods, stretching, concealment, levels, speech, tones |
//! | [`detect`] | everything looked for in what one leg says, put together |
//! | [`jitter`] | packets between arrival and the 20 ms tick, and how long they are held |
//! | [`playout`] | the receive path: jitter buffer, decoder, concealment, comfort noise; packets in, frames out |
//! | `shard` | the machine: commands, packets and ticks in; packets, events and recorder blocks out. No I/O |
//! | `dtls` | keys from a handshake in the media path |
//! | `ice` | connectivity checks answered: where a browser may send from, and wants to be sent to |
//! | `secure` | one guard a leg: who may send to it, what protects its packets |
//! | `srtp` | SRTP and SRTCP, one direction each |
//! | [`record`] | the recording file, its repair after a crash, its writer |
//! | `engine`, `io` | threads, sockets, ports: the only place with a clock (feature `engine`) |
//! | [`tone`], [`measure`], `wav` | clips made in code, levels measured, clips read from files |
#![warn(missing_docs)]

pub mod codec;
pub mod detect;
pub mod dsp;
#[cfg(feature = "engine")]
pub mod dtls;
pub mod dtmf;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod ice;
#[cfg(feature = "engine")]
mod io;
pub mod jitter;
pub mod limits;
pub mod measure;
pub mod pipe;
pub mod playout;
pub mod record;
pub mod rtp;
#[cfg(feature = "engine")]
pub mod secure;
#[cfg(feature = "engine")]
pub mod shard;
#[cfg(feature = "engine")]
pub mod srtp;
pub mod time;
pub mod tone;
#[cfg(feature = "engine")]
pub mod wav;
pub mod wire;

#[cfg(feature = "engine")]
pub use engine::{Counters, Engine, EngineConfig};
#[cfg(feature = "engine")]
pub use io::sys::{GivenBack, given_back, keep_given_back};
