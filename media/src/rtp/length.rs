//! How large payloads are.

use crate::wire::{Codec, Rate};

/// Bytes of `ms` milliseconds in a codec whose payloads have a fixed rate; `None` for Opus.
pub fn bytes(codec: Codec, ms: u32) -> Option<usize> {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => Some(Rate::K8.samples(ms)),
        Codec::L16(rate) => Some(2 * rate.samples(ms)),
        Codec::Opus => None,
    }
}
