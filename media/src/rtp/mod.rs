//! RTP (RFC 3550): packets read and written in place, RTCP, and what a receiver counts.

pub mod burst;
pub mod length;
pub mod packet;
pub mod rtcp;
pub mod stats;
pub mod xr;

pub use packet::{HEADER, Header, parse, write_before, write_header};
