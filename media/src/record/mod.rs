//! Recordings: two channels, 16 bit, 8 kHz, in a WAV file, or Opus in Ogg, that plays up to the last second whatever happens.
//!
//! The shard copies payloads beside their path into a [`Block`] ([`crate::shard`]); on a thread of its own [`writer`] has
//! them put in their place and decoded ([`timeline`]) and writes the file; [`repair`] sets right what a crash left behind.
//! After every block the header says how much sound there is.

#[cfg(feature = "engine")]
mod file;
#[cfg(all(feature = "engine", feature = "opus"))]
mod ogg;
pub mod timeline;
#[cfg(feature = "engine")]
pub mod writer;

#[cfg(feature = "engine")]
pub use file::{RepairError, repair};

use std::{ops::Range, path::PathBuf, sync::mpsc::SyncSender, time::Duration};

use crate::{
    limits::{RECORD_BYTES, RECORD_PIECES},
    wire::{Codec, RecordFormat, RecordId, RecordTrouble},
};

/// Bytes before the sound.
pub const HEADER_BYTES: usize = 44;
/// Bytes of one sample of both channels.
pub const FRAME_BYTES: u64 = 4;
/// Samples a second.
pub const RATE: u32 = 8_000;

/// One packet of a block, in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// 0: the left channel, 1: the right one.
    pub side: u8,
    /// Changes with whoever feeds the side: another leg, another synchronisation source, another codec. Timestamps of two
    /// sources have nothing in common.
    pub source: u16,
    /// What the payload is.
    pub codec: Codec,
    /// When it came, samples at 8 kHz since the recording began.
    pub at: u64,
    /// Its RTP timestamp.
    pub ts: u32,
    bytes: Range<usize>,
}

/// Packets on their way from a shard to the writer. Room is taken once; the writer gives the block back when it is done.
#[derive(Debug)]
pub struct Block {
    pieces: Vec<Piece>,
    bytes: Vec<u8>,
    home: Option<SyncSender<Box<Block>>>,
}

impl Default for Block {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Block {
    /// An empty block. `home`: where it goes when it is done with, to be filled again.
    pub fn new(home: Option<SyncSender<Box<Block>>>) -> Self {
        Self { pieces: Vec::with_capacity(RECORD_PIECES), bytes: Vec::with_capacity(RECORD_BYTES), home }
    }

    /// Whether there is room for another packet of so many bytes.
    pub fn has_room(&self, payload: usize) -> bool {
        self.pieces.len() < RECORD_PIECES && self.bytes.len() + payload <= RECORD_BYTES
    }

    /// Append a packet. Ask [`Self::has_room`] first: what finds no room is left out.
    pub fn push(&mut self, side: u8, source: u16, codec: Codec, at: u64, ts: u32, payload: &[u8]) {
        if self.has_room(payload.len()) {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(payload);
            self.pieces.push(Piece { side, source, codec, at, ts, bytes: start..self.bytes.len() });
        }
    }

    /// Its packets with their payloads.
    pub fn packets(&self) -> impl Iterator<Item = (&Piece, &[u8])> {
        self.pieces.iter().map(|p| (p, &self.bytes[p.bytes.clone()]))
    }

    /// Done with: emptied, and back to where it came from.
    pub fn give_back(mut self: Box<Self>) {
        self.pieces.clear();
        self.bytes.clear();
        if let Some(home) = self.home.clone() {
            // Full or gone: the memory goes back to the heap.
            let _ = home.try_send(self);
        }
    }
}

/// What the writer is asked to do. Order is kept per recording.
#[derive(Debug)]
pub enum Job {
    /// Make the file.
    Open {
        /// Which recording.
        record: RecordId,
        /// Where. An existing file is never written over.
        path: PathBuf,
        /// What it will hold.
        format: RecordFormat,
    },
    /// What was said on both channels.
    Block {
        /// Which recording.
        record: RecordId,
        /// Nothing later than this is in it, samples at 8 kHz since the recording began.
        until: u64,
        /// The packets.
        block: Box<Block>,
    },
    /// Silence from now on, or sound again. The last 200 ms before a pause are silenced, too.
    Pause {
        /// Which recording.
        record: RecordId,
        /// When, samples at 8 kHz since the recording began.
        at: u64,
        /// Silence, or sound.
        paused: bool,
    },
    /// Close the file and say [`crate::wire::Event::Recorded`].
    Close {
        /// Which recording.
        record: RecordId,
        /// How long it is, samples at 8 kHz.
        at: u64,
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
