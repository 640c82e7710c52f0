//! Audio encodings: what they are called, and samples to bytes and back.
//!
//! A codec is a variant of [`Codec`]; [`Encoder`] and [`Decoder`] are enums beside it, so that one with memory brings its
//! own state without a trait object on the way of every packet.

pub mod g711;

use crate::wire::Codec;

impl Codec {
    /// Every codec the engine has, in the order it would rather speak them.
    pub const ALL: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

    /// Encoding name in SDP (RFC 3551 section 6).
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// RTP clock rate, hertz.
    pub fn clock_hz(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
        }
    }

    /// Payload type fixed by RFC 3551 table 4, if it has one.
    pub fn static_pt(self) -> Option<u8> {
        match self {
            Codec::Pcmu => Some(0),
            Codec::Pcma => Some(8),
        }
    }
}

/// Samples to bytes, for one stream.
#[derive(Debug, Clone)]
pub enum Encoder {
    /// G.711 mu-law: without memory.
    Pcmu,
    /// G.711 A-law: without memory.
    Pcma,
}

impl Encoder {
    /// A fresh encoder.
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu => Self::Pcmu,
            Codec::Pcma => Self::Pcma,
        }
    }

    /// Encode as many samples as fit into `out`; the number of bytes written.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        let one = match self {
            Self::Pcmu => g711::mu_from_linear,
            Self::Pcma => g711::a_from_linear,
        };
        out.iter_mut().zip(pcm).map(|(o, s)| *o = one(*s)).count()
    }
}

/// Bytes to samples, for one stream.
#[derive(Debug, Clone)]
pub enum Decoder {
    /// G.711 mu-law: without memory.
    Pcmu,
    /// G.711 A-law: without memory.
    Pcma,
}

impl Decoder {
    /// A fresh decoder.
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu => Self::Pcmu,
            Codec::Pcma => Self::Pcma,
        }
    }

    /// Decode as much of `payload` as fits into `out`; the number of samples written.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> usize {
        let table = match self {
            Self::Pcmu => &g711::MU_TO_LINEAR,
            Self::Pcma => &g711::A_TO_LINEAR,
        };
        out.iter_mut().zip(payload).map(|(o, b)| *o = table[usize::from(*b)]).count()
    }
}
