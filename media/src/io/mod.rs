//! Sockets, ports, threads' wakers and the clock: what the shard must not know.

pub mod clock;
pub mod ports;
pub mod runner;
pub mod sys;
