//! How a leg sounded, as the journal keeps it.

use serde::{Deserialize, Serialize};

use crate::call;

/// What a leg's media saw, for the record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// Share of ours the peer lost in all, 0 to 255; where it sends VoIP metrics (RFC 3611), as are the next five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_loss: Option<u8>,
    /// Share of ours that came too late for the peer to hear, 0 to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_discard: Option<u8>,
    /// Mean opinion score of what we send, as the peer hears it, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_mos_listening: Option<f32>,
    /// The same in conversation: delay counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_mos: Option<f32>,
    /// Delay of the peer's jitter buffer, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_buffer_ms: Option<u16>,
    /// Delay within the peer's device, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_device_ms: Option<u16>,
    /// Mean opinion score of what came to us, 1 to 4.5, by the E-model: the average of spans of some seconds.
    #[serde(default)]
    pub mos_avg: Option<f32>,
    /// Of the worst span.
    #[serde(default)]
    pub mos_min: Option<f32>,
    /// How the handshake for its keys ended, where there was one that got so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<call::Handshake>,
    /// Its course: a row every few seconds, where it was long enough to have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spans: Option<Box<call::Spans>>,
}

impl From<call::Quality> for Quality {
    fn from(call::Quality { stats: s, mos_avg, mos_min, handshake, spans }: call::Quality) -> Self {
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
            peer_loss: s.peer.map(|p| p.loss),
            peer_discard: s.peer.map(|p| p.discard),
            peer_mos_listening: s.peer.and_then(|p| p.mos_listening),
            peer_mos: s.peer.and_then(|p| p.mos_conversation),
            peer_buffer_ms: s.peer.map(|p| p.buffer_ms).filter(|ms| *ms > 0),
            peer_device_ms: s.peer.map(|p| p.end_system_ms).filter(|ms| *ms > 0),
            mos_avg,
            mos_min,
            handshake,
            spans,
        }
    }
}
