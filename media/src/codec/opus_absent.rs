//! Where Opus would be in a build without it ([`Codec::available`](crate::wire::Codec::available)): nothing goes in, nothing
//! comes out. So everybody else is written once.

use crate::wire::{self, Rate};

/// Encodes nothing.
#[derive(Debug)]
pub struct Encoder;

impl Encoder {
    /// For nobody.
    pub fn new(_rate: Rate, _asked: wire::Opus) -> Self {
        Self
    }

    /// Nothing to choose.
    pub fn set_complexity(&mut self, _complexity: u8) {}

    /// Nothing to tell.
    #[cfg(test)]
    pub fn complexity(&self) -> Option<u8> {
        None
    }

    /// Nothing to be armed.
    pub fn set_loss(&mut self, _percent: u8) {}

    /// 0.
    pub fn encode(&mut self, _pcm: &[i16], _out: &mut [u8]) -> usize {
        0
    }
}

/// Decodes nothing.
#[derive(Debug)]
pub struct Decoder;

impl Decoder {
    /// From nobody.
    pub fn new(_rate: Rate) -> Self {
        Self
    }

    /// 0.
    pub fn decode(&mut self, _payload: &[u8], _out: &mut [i16]) -> usize {
        0
    }

    /// 0.
    pub fn conceal(&mut self, _out: &mut [i16]) -> usize {
        0
    }

    /// 0.
    pub fn recover(&mut self, _next_payload: &[u8], _out: &mut [i16]) -> usize {
        0
    }
}
