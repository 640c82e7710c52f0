//! RTP (RFC 3550): packets read and written in place, RTCP, and what a receiver counts.

pub mod length;
pub mod packet;
pub mod rtcp;
pub mod stats;

pub use packet::{HEADER, Header, parse, write_before, write_header};
