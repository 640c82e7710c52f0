//! How a leg sounded, as the journal keeps it.

use serde::{Deserialize, Serialize};

use crate::call;

/// What a leg's media saw, for the record.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// RTP packets received.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Packets lost on the way to us.
    pub lost: u64,
    /// Packets from strangers, dropped.
    pub foreign: u64,
    /// Interarrival jitter, microseconds.
    pub jitter_us: u32,
    /// Round trip, microseconds.
    pub rtt_us: Option<u32>,
    /// Packets that came twice or too late.
    #[serde(default)]
    pub discarded: u64,
    /// Packets with a wrong SRTP tag, or replayed; part of `foreign`.
    #[serde(default)]
    pub unauthentic: u64,
    /// Sound made up or left silent, milliseconds; known where it was decoded.
    #[serde(default)]
    pub concealed_ms: u32,
    /// Fraction the peer last said it lost of ours, 0 to 255.
    #[serde(default)]
    pub peer_fraction_lost: Option<u8>,
    /// Jitter the peer last said it saw of ours, microseconds.
    #[serde(default)]
    pub peer_jitter_us: Option<u32>,
    /// Mean opinion score of what came to us, 1 to 4.5, by the E-model: the average of spans of some seconds.
    #[serde(default)]
    pub mos_avg: Option<f32>,
    /// Of the worst span.
    #[serde(default)]
    pub mos_min: Option<f32>,
}

impl From<call::Quality> for Quality {
    fn from(call::Quality { stats: s, mos_avg, mos_min }: call::Quality) -> Self {
        Quality {
            packets_in: s.packets_in,
            packets_out: s.packets_out,
            lost: s.lost,
            foreign: s.foreign,
            jitter_us: s.jitter_us,
            rtt_us: s.rtt_us,
            discarded: s.discarded,
            unauthentic: s.unauthentic,
            concealed_ms: s.concealed_ms,
            peer_fraction_lost: s.peer_fraction_lost,
            peer_jitter_us: s.peer_jitter_us,
            mos_avg,
            mos_min,
        }
    }
}
