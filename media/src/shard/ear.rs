//! What a speaker said, from packets to frames: the way into a mix.

use crate::{
    codec::Decoder,
    jitter::{Jitter, Put},
    limits::{FRAME, PAYLOAD_SAMPLES_MAX},
    time::At,
    wire::{Codec, Rate},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Playout {
    jitter: Jitter,
    decoder: Decoder,
    hz: u32,
}

/// Whether anything was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Sound,
    Silent,
}

impl Playout {
    pub fn new(codec: Codec, _rate: Rate, _seed: u32) -> Self {
        Self { jitter: Jitter::default(), decoder: Decoder::new(codec, Rate::K8), hz: codec.clock_hz() }
    }
    pub fn restart(&mut self) {
        self.jitter.restart();
    }
    pub fn packet(&mut self, _now: At, _seq: u16, ts: u32, _marker: bool, payload: &[u8]) -> Put {
        let mut pcm = [0; PAYLOAD_SAMPLES_MAX];
        let n = self.decoder.decode(payload, &mut pcm);
        self.jitter.put(ts / (self.hz / 8_000), &pcm[..n])
    }
    pub fn comfort(&mut self, _now: At, _seq: u16, _ts: u32, _payload: &[u8]) -> Put {
        Put::Taken
    }
    pub fn frame(&mut self, _now: At, out: &mut [i16]) -> Heard {
        let mut pcm = [0; FRAME];
        let heard = self.jitter.take(&mut pcm);
        let n = out.len().min(FRAME);
        out[..n].copy_from_slice(&pcm[..n]);
        if heard { Heard::Sound } else { Heard::Silent }
    }
}
