//! Buffers between arrival and the 20 ms tick.
//!
//! [`Buffer`] holds packets as they came, one per speaker of a mix: decoding happens at the tick, when it is known what was
//! lost. How long it holds them is worked out in [`delay`]. A recording places its packets itself.

pub mod buffer;
pub mod delay;

pub use buffer::{Buffer, Next, Packet, Put};
