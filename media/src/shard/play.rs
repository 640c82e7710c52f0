//! Playbacks: where one is, and encoded sound that all who are played the same clip share.
//!
//! A clip in a codec of a fixed rate is encoded once and lies there byte by byte, whatever packet time a listener has; Opus
//! is kept packet by packet for music that goes on for ever. A listener then costs a copy and a send.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::outgoing::{Piece, Target};
use crate::{
    codec::{Encoder, cn},
    limits::{PLAY_CLIPS_MAX, SHARED_CLIPS_MAX, SHARED_KEPT},
    rtp::length,
    time::At,
    wire::{Clip, Codec, Opus, Pipe, PlayId, Rate, Repeat},
};

/// Of clips.
const RATE: Rate = Rate::K8;
/// Music shorter than this is not cut to whole Opus packets: its seam would be heard too often.
const CUT_MIN: Duration = Duration::from_secs(2);
/// Room for one Opus packet of ordinary sound; what is beyond is left to chance and the heap.
const OPUS_PACKET: usize = 100;

/// A playback and how far it is.
#[derive(Debug)]
pub(super) struct Playing {
    pub id: PlayId,
    what: What,
}

#[derive(Debug)]
enum What {
    Clips {
        clips: Vec<Arc<Clip>>,
        repeat: Repeat,
        clip: usize,
        at: usize,
        /// Packets of shared Opus heard so far.
        packet: usize,
    },
    Pipe(Pipe),
}

impl Playing {
    pub fn new(id: PlayId, mut clips: Vec<Arc<Clip>>, repeat: Repeat) -> Self {
        clips.truncate(PLAY_CLIPS_MAX);
        clips.retain(|c| !c.pcm.is_empty());
        Self { id, what: What::Clips { clips, repeat, clip: 0, at: 0, packet: 0 } }
    }

    pub fn pipe(id: PlayId, pipe: Pipe) -> Self {
        Self { id, what: What::Pipe(pipe) }
    }

    /// Of the frames it gives.
    pub fn rate(&self) -> Rate {
        match &self.what {
            What::Clips { .. } => RATE,
            What::Pipe(p) => p.rate(),
        }
    }

    /// The next 20 ms at [`Self::rate`], filled up with silence at the very end. `false`: nothing is left.
    pub fn frame(&mut self, out: &mut [i16]) -> bool {
        match &mut self.what {
            What::Clips { .. } => {
                let mut filled = 0;
                while let Some((clip, at, n)) = self.advance(out.len() - filled) {
                    out[filled..filled + n].copy_from_slice(&clip.pcm[at..at + n]);
                    filled += n;
                }
                out[filled..].fill(0);
                filled > 0
            }
            What::Pipe(pipe) => {
                // Asked in this order: what was written before the closing is still heard.
                let closed = pipe.closed();
                let n = pipe.read(out);
                out[n..].fill(0);
                n > 0 || !closed
            }
        }
    }

    /// Move on by up to `most` samples that lie in one clip: which clip, from where, how many. `None`: nothing is wanted or
    /// left.
    fn advance(&mut self, most: usize) -> Option<(Arc<Clip>, usize, usize)> {
        let What::Clips { clips, repeat, clip, at, .. } = &mut self.what else { return None };
        if most == 0 {
            return None;
        }
        if *clip == clips.len() && *repeat == Repeat::Forever {
            *clip = 0;
        }
        let found = clips.get(*clip)?.clone();
        let (start, n) = (*at, (found.pcm.len() - *at).min(most));
        *at += n;
        if *at == found.pcm.len() {
            (*clip, *at) = (*clip + 1, 0);
        }
        Some((found, start, n))
    }

    /// Whether [`Self::share`] can serve a listener of this codec.
    pub fn shares(&self, codec: Codec) -> bool {
        let What::Clips { clips, repeat, at, packet, .. } = &self.what else { return false };
        match codec {
            Codec::Pcmu | Codec::Pcma | Codec::L16(RATE) => true,
            // With memory: a seam between two clips would click.
            Codec::G722 | Codec::L16(_) => *repeat == Repeat::Forever && clips.len() == 1,
            Codec::Opus => {
                let long = clips.first().is_some_and(|c| c.duration() >= CUT_MIN);
                // Who was encoded for alone until now goes on alone.
                *repeat == Repeat::Forever && clips.len() == 1 && long && (*packet > 0 || *at == 0)
            }
        }
    }

    /// The next payload for `t`, from what is shared. Of length 0: nothing is left, or it is a silence the peer does not want.
    pub fn share(&mut self, shared: &mut Shared, now: At, t: &Target, out: &mut [u8]) -> Piece {
        let (codec, ptime_ms) = (t.codec, t.ptime_ms);
        let sound = |length| Piece { length, silence: None };
        if codec == Codec::Opus {
            let What::Clips { clips, packet, at, .. } = &mut self.what else { return sound(0) };
            let Some(clip) = clips.first() else { return sound(0) };
            let n = shared.packet(now, clip, t.opus, ptime_ms, *packet, out);
            *packet += 1;
            *at = *packet * RATE.samples(ptime_ms) % clip.pcm.len();
            return sound(n);
        }
        let Some(whole) = length::bytes(codec, ptime_ms).filter(|n| *n <= out.len()) else { return sound(0) };
        let wanted = RATE.samples(ptime_ms);
        let (mut filled, mut written) = (0, 0);
        // The loudest part of the packet, in -dBov.
        let mut silence = t.comfort_pt.map(|_| u8::MAX);
        while let Some((clip, at, n)) = self.advance(wanted - filled) {
            silence = silence.and_then(|s| cn::silence(&clip.pcm[at..at + n]).map(|part| part.min(s)));
            written += shared.bytes(now, &clip, codec, at..at + n, &mut out[written..]);
            filled += n;
        }
        if filled == 0 {
            return sound(0);
        }
        if written < whole {
            // The end of the last clip.
            let silence = match codec {
                Codec::Pcmu => crate::codec::g711::MU_SILENCE,
                Codec::Pcma => crate::codec::g711::A_SILENCE,
                _ => 0,
            };
            out[written..whole].fill(silence);
        }
        Piece { length: whole, silence }
    }

    /// Nothing is left.
    pub fn over(&self) -> bool {
        match &self.what {
            What::Clips { clips, repeat, clip, .. } => clips.is_empty() || *clip == clips.len() && *repeat == Repeat::Once,
            What::Pipe(p) => p.closed() && p.waiting() == 0,
        }
    }
}

/// Clips encoded once for all listeners of a shard.
#[derive(Debug, Default)]
pub(super) struct Shared {
    whole: BTreeMap<(usize, Codec), Encoded>,
    packets: BTreeMap<(usize, u32, u64), Packets>,
}

/// A clip, encoded as far as anybody heard it.
#[derive(Debug)]
struct Encoded {
    clip: Arc<Clip>,
    encoder: Encoder,
    bytes: Vec<u8>,
    /// Samples encoded.
    done: usize,
    used: At,
}

/// The same packet by packet.
#[derive(Debug)]
struct Packets {
    clip: Arc<Clip>,
    encoder: Encoder,
    bytes: Vec<u8>,
    /// Where each packet ends.
    ends: Vec<u32>,
    used: At,
}

impl Encoded {
    fn new(now: At, clip: &Arc<Clip>, codec: Codec) -> Self {
        let size = length::bytes(codec, 1).map_or(1, |n| n / RATE.samples(1));
        let bytes = Vec::with_capacity((clip.pcm.len() + RATE.samples(20)) * size);
        Self { clip: clip.clone(), encoder: Encoder::new(codec, RATE, Opus::default()), bytes, done: 0, used: now }
    }
}

impl Packets {
    fn new(now: At, clip: &Arc<Clip>, opus: Opus, ptime_ms: u32) -> Self {
        let count = clip.pcm.len() / RATE.samples(ptime_ms);
        Self {
            clip: clip.clone(),
            encoder: Encoder::new(Codec::Opus, RATE, opus),
            bytes: Vec::with_capacity(count * OPUS_PACKET),
            ends: Vec::with_capacity(count),
            used: now,
        }
    }
}

/// As much of a payload as there is room for; how much.
pub(super) fn copy(payload: &[u8], room: &mut [u8]) -> usize {
    let n = payload.len().min(room.len());
    room[..n].copy_from_slice(&payload[..n]);
    n
}

fn key(clip: &Arc<Clip>) -> usize {
    Arc::as_ptr(clip) as usize
}

/// What makes two listeners' Opus alike.
fn alike(o: Opus) -> u64 {
    let flags = u64::from(o.fec) | u64::from(o.dtx) << 1;
    u64::from(o.bitrate.unwrap_or(0)) << 32 | u64::from(o.rate.hz() / 1_000) << 8 | flags
}

impl Shared {
    /// Make room for a playback before its first packet is due: this is where memory is taken.
    pub fn prepare(&mut self, now: At, play: &Playing, codec: Codec, opus: Opus, ptime_ms: u32) {
        let What::Clips { clips, .. } = &play.what else { return };
        if !play.shares(codec) {
            return;
        }
        for clip in clips {
            if self.whole.len() + self.packets.len() >= SHARED_CLIPS_MAX {
                return;
            }
            if codec == Codec::Opus {
                let of = (key(clip), ptime_ms, alike(opus));
                self.packets.entry(of).or_insert_with(|| Packets::new(now, clip, opus, ptime_ms));
            } else {
                self.whole.entry((key(clip), codec)).or_insert_with(|| Encoded::new(now, clip, codec));
            }
        }
    }

    /// Whether the clip a playback is at was [prepared](Self::prepare).
    pub fn has(&self, play: &Playing, codec: Codec, opus: Opus, ptime_ms: u32) -> bool {
        let What::Clips { clips, clip, .. } = &play.what else { return false };
        let now = clips.get(*clip).or(clips.first());
        play.shares(codec)
            && now.is_some_and(|c| match codec {
                Codec::Opus => self.packets.contains_key(&(key(c), ptime_ms, alike(opus))),
                _ => self.whole.contains_key(&(key(c), codec)),
            })
    }

    fn bytes(&mut self, now: At, clip: &Arc<Clip>, codec: Codec, samples: std::ops::Range<usize>, out: &mut [u8]) -> usize {
        // It may have been tidied away since the playback began.
        let e = self.whole.entry((key(clip), codec)).or_insert_with(|| Encoded::new(now, clip, codec));
        e.used = now;
        // Bytes of a sample at 8 kHz.
        let size = length::bytes(codec, 1).map_or(1, |n| n / RATE.samples(1));
        while e.done < samples.end {
            // Whole milliseconds; the last one is filled up, and cut off again.
            let mut pcm = [0; RATE.samples(20)];
            let n = pcm.len().min(e.clip.pcm.len() - e.done);
            pcm[..n].copy_from_slice(&e.clip.pcm[e.done..e.done + n]);
            let start = e.bytes.len();
            e.bytes.resize(start + pcm.len() * size, 0);
            e.encoder.encode(&pcm, &mut e.bytes[start..]);
            e.bytes.truncate(start + n * size);
            e.done += n;
        }
        let found = &e.bytes[samples.start * size..samples.end * size];
        copy(found, out)
    }

    fn packet(&mut self, now: At, clip: &Arc<Clip>, opus: Opus, ptime_ms: u32, number: usize, out: &mut [u8]) -> usize {
        let Some(p) = self.packets.get_mut(&(key(clip), ptime_ms, alike(opus))) else { return 0 };
        p.used = now;
        let samples = RATE.samples(ptime_ms);
        let count = (p.clip.pcm.len() / samples).max(1);
        let number = number % count;
        // Whoever comes here first encodes; nobody is ever more than a packet ahead.
        while p.ends.len() <= number {
            let at = p.ends.len() * samples;
            let n = p.encoder.encode(&p.clip.pcm[at..at + samples], out);
            p.bytes.extend_from_slice(&out[..n]);
            p.ends.push(p.bytes.len() as u32);
        }
        let start = number.checked_sub(1).map_or(0, |before| p.ends[before] as usize);
        let found = &p.bytes[start..p.ends[number] as usize];
        copy(found, out)
    }

    /// Forget what nobody heard for a while.
    pub fn tidy(&mut self, now: At) {
        self.whole.retain(|_, e| now.since(e.used) < SHARED_KEPT);
        self.packets.retain(|_, p| now.since(p.used) < SHARED_KEPT);
    }
}
