//! Recordings: two channels, 16 bit, 8 kHz, in a WAV file that plays up to the last second whatever happens.
//!
//! The shard collects blocks beside the path of the packets ([`crate::shard`]); [`writer`] puts them into files on a thread
//! of its own; [`repair`] sets right what a crash left behind. After every block the header says how much sound there is.

#[cfg(feature = "engine")]
mod file;
#[cfg(feature = "engine")]
pub mod writer;

#[cfg(feature = "engine")]
pub use file::{RepairError, repair};

use std::{path::PathBuf, time::Duration};

use crate::wire::{RecordId, RecordTrouble};

/// Bytes before the sound.
pub const HEADER_BYTES: usize = 44;
/// Bytes of one sample of both channels.
pub const FRAME_BYTES: u64 = 4;
/// Samples a second.
pub const RATE: u32 = 8_000;

/// What the writer is asked to do. Order is kept per recording.
#[derive(Debug)]
pub enum Job {
    /// Make the file.
    Open {
        /// Which recording.
        record: RecordId,
        /// Where. An existing file is never written over.
        path: PathBuf,
    },
    /// Sound of both channels, taking turns sample by sample.
    Block {
        /// Which recording.
        record: RecordId,
        /// Where it belongs, samples since the recording began: what was lost before it becomes silence.
        at: u64,
        /// Left, right, left, right.
        pcm: Vec<i16>,
    },
    /// Close the file and say [`crate::wire::Event::Recorded`].
    Close {
        /// Which recording.
        record: RecordId,
        /// What the shard knows to be missing.
        trouble: Option<RecordTrouble>,
    },
}

/// The header of a file with `frames` samples per channel. Sizes that do not fit (37 hours) stop at the largest.
pub fn header(frames: u64) -> [u8; HEADER_BYTES] {
    let data = u32::try_from(frames * FRAME_BYTES).unwrap_or(u32::MAX - 40) & !3;
    let mut h = [0; HEADER_BYTES];
    h[..4].copy_from_slice(b"RIFF");
    h[4..8].copy_from_slice(&(data.saturating_add(36)).to_le_bytes());
    h[8..16].copy_from_slice(b"WAVEfmt ");
    h[16..20].copy_from_slice(&16u32.to_le_bytes());
    h[20..22].copy_from_slice(&1u16.to_le_bytes());
    h[22..24].copy_from_slice(&2u16.to_le_bytes());
    h[24..28].copy_from_slice(&RATE.to_le_bytes());
    h[28..32].copy_from_slice(&(RATE * FRAME_BYTES as u32).to_le_bytes());
    h[32..34].copy_from_slice(&(FRAME_BYTES as u16).to_le_bytes());
    h[34..36].copy_from_slice(&16u16.to_le_bytes());
    h[36..40].copy_from_slice(b"data");
    h[40..44].copy_from_slice(&data.to_le_bytes());
    h
}

/// How long so many samples per channel play.
pub fn duration(frames: u64) -> Duration {
    Duration::from_micros(frames * 125)
}
