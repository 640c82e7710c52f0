//! The four transactions of RFC 3261 section 17, each its own figure in its own file, with the Accepted states of RFC 6026.
//!
//! A figure knows no message and no address: it is told what arrived and which timer is due, and says in [`Step`]s what is to
//! be done. The stack keeps the bytes, finds the transaction a message belongs to and owns the deadlines.
//!
//! | figure | file | timers |
//! |---|---|---|
//! | 5, INVITE client | [`invite_client`] | A resend, B give up, D absorb refusals, M absorb 2xx |
//! | 6, non-INVITE client | [`non_invite_client`] | E resend, F give up, K absorb |
//! | 7, INVITE server | [`invite_server`] | G resend, H no ACK, I absorb ACKs, L absorb INVITEs after 2xx |
//! | 8, non-INVITE server | [`non_invite_server`] | J absorb |
//!
//! Timer C (a proxy's patience with a ringing callee) has no place here: we are never a proxy; how long a leg may ring is said
//! by whoever rings it.

pub mod invite_client;
pub mod invite_server;
pub mod matching;
pub mod non_invite_client;
pub mod non_invite_server;

use std::time::Duration;

use crate::base::{ms, secs};

/// The three base values and every timer made of them (RFC 3261 table 4, RFC 6026 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// The round trip estimate.
    pub t1: Duration,
    /// The longest gap between resends of anything but an INVITE request.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self { t1: ms(500), t2: secs(4), t4: secs(5) }
    }
}

impl Timers {
    fn doubled(&self, n: u32) -> Duration {
        self.t1.saturating_mul(2u32.saturating_pow(n.min(16)))
    }
    /// Before the INVITE is sent again for the `n`th time (from 0); doubles without a ceiling, Timer B ends it. UDP only.
    pub fn a(&self, n: u32) -> Duration {
        self.doubled(n)
    }
    /// How long an INVITE waits for any answer.
    pub fn b(&self) -> Duration {
        self.t1 * 64
    }
    /// How long a refused INVITE goes on acknowledging repeats: at least 32 s on UDP, not at all on streams.
    pub fn d(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { (self.t1 * 64).max(secs(32)) }
    }
    /// Before any other request is sent again for the `n`th time (from 0); stops growing at T2. UDP only.
    pub fn e(&self, n: u32) -> Duration {
        self.doubled(n).min(self.t2)
    }
    /// How long any other request waits for its final response.
    pub fn f(&self) -> Duration {
        self.t1 * 64
    }
    /// Before a final response to INVITE is sent again for the `n`th time (from 0). UDP only; the UAS core uses it for 2xx on
    /// every transport.
    pub fn g(&self, n: u32) -> Duration {
        self.doubled(n).min(self.t2)
    }
    /// How long a final response to INVITE waits for its ACK.
    pub fn h(&self) -> Duration {
        self.t1 * 64
    }
    /// How long repeated ACKs are absorbed.
    pub fn i(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.t4 }
    }
    /// How long repeats of an answered request get the same answer.
    pub fn j(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.t1 * 64 }
    }
    /// How long repeats of a final response are absorbed.
    pub fn k(&self, reliable: bool) -> Duration {
        if reliable { Duration::ZERO } else { self.t4 }
    }
    /// How long repeats of an accepted INVITE are absorbed (RFC 6026): on streams too, for a proxy may have UDP behind it.
    pub fn l(&self) -> Duration {
        self.t1 * 64
    }
    /// How long repeated and forked 2xx are passed to the core (RFC 6026).
    pub fn m(&self) -> Duration {
        self.t1 * 64
    }
}

/// What a figure wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Put the last message (request of a client, response of a server) on the wire, first time or again.
    Send,
    /// Acknowledge the refusal that came last (INVITE client only).
    Ack,
    /// Hand the message that came last to the core.
    Pass,
    /// Tell the core: nobody answered (client), or nobody acknowledged (server).
    TimedOut,
    /// Tell the core: the transport failed.
    Failed,
    /// The transaction is over; forget it.
    Over,
}

/// What class of response arrived or is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 100 to 199.
    Provisional,
    /// 200 to 299.
    Success,
    /// 300 to 699.
    Refusal,
}

impl Class {
    /// The class of a status code.
    pub fn of(code: u16) -> Self {
        match code {
            ..200 => Class::Provisional,
            200..300 => Class::Success,
            _ => Class::Refusal,
        }
    }
}
