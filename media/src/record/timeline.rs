//! Packets put in their place: two channels kept to wall time, whatever the network does.
//!
//! A side's packet lies where its timestamp says, counted from the arrival of the first of its source. A source whose
//! timestamps leave the wall clock by more than 200 ms (a pause, a restart) begins anew at its arrival; one whose clock runs
//! a little off is moved by a frame now and then. What is missing is silence. Nothing is handed out before it is 200 ms old,
//! so that reordered packets find their place and a pause can take back what was just said.
//!
//! Pure: decoding for a file happens wherever this is called, which is the writer's thread.

use std::ops::Range;

use super::{Block, Piece};
use crate::{
    codec::Decoder,
    limits::{FRAME, PAYLOAD_SAMPLES_MAX, RECORD_DELAY},
    wire::Rate,
};

const DELAY: i64 = RECORD_DELAY as i64;
/// Packets over which the drift of a source is watched: two seconds.
const WATCH: u32 = 100;
/// A packet older than the newest by up to this was overtaken; by more, its source started over: one second.
const OVERTAKEN: i64 = 8_000;
/// Off by more than this all that time, a source is moved by a frame: 60 ms.
const DRIFT: i64 = 480;
/// A longer silence is not handed out sample by sample: ten seconds.
const GAP: i64 = 80_000;

/// See the module. Positions are samples at 8 kHz since the recording began.
#[derive(Debug, Default)]
pub struct Timeline {
    tracks: [Track; 2],
    /// Left, right, left, right, from `base` on.
    sound: Vec<i16>,
    base: i64,
    /// What belongs before is not heard: the end of the last pause.
    floor: i64,
}

#[derive(Debug, Default)]
struct Track {
    source: Option<u16>,
    decoder: Option<Decoder>,
    clock_hz: i64,
    /// A timestamp and where it belongs.
    anchor: Option<(u32, i64)>,
    lateness: (i64, i64),
    watched: u32,
    /// Packets whose time has not come: place and payload.
    waiting: Vec<(i64, Range<usize>)>,
    bytes: Vec<u8>,
}

impl Timeline {
    /// Packets came; `until` nothing else did. `page` gets what is old enough: where it belongs, and the samples of both
    /// channels taking turns. Pages follow one another; between two may lie silence.
    pub fn take(&mut self, until: u64, block: &Block, page: &mut dyn FnMut(u64, &[i16])) {
        for (piece, payload) in block.packets() {
            let side = usize::from(piece.side & 1);
            if self.tracks[side].source != Some(piece.source) {
                self.place(side, i64::MAX);
                self.tracks[side].begin(piece);
            }
            self.tracks[side].put(piece, payload);
        }
        self.hand_out(until as i64 - DELAY, page);
    }

    /// Silence from `at` on, or sound again. What was said in the 200 ms before a pause is forgotten.
    pub fn pause(&mut self, at: u64, paused: bool, page: &mut dyn FnMut(u64, &[i16])) {
        if !paused {
            self.floor = at as i64;
            return;
        }
        self.hand_out(at as i64 - DELAY, page);
        self.sound.clear();
        for t in &mut self.tracks {
            t.waiting.clear();
            t.bytes.clear();
            t.source = None;
        }
    }

    /// The end: everything up to `at` is handed out, and an empty page there says how long it all is.
    pub fn close(&mut self, at: u64, page: &mut dyn FnMut(u64, &[i16])) {
        self.hand_out(at as i64, page);
        page(at, &[]);
    }

    fn hand_out(&mut self, to: i64, page: &mut dyn FnMut(u64, &[i16])) {
        let end = |t: &Self| t.base + t.sound.len() as i64 / 2;
        let next = self.tracks.iter().flat_map(|t| t.waiting.iter().map(|w| w.0)).min().unwrap_or(i64::MAX).min(to);
        if next > end(self) + GAP {
            // Nobody spoke for long: the silence is left to whoever keeps the pages.
            if !self.sound.is_empty() {
                page(self.base as u64, &self.sound);
                self.sound.clear();
            }
            self.base = next;
        }
        (0..2).for_each(|side| self.place(side, to));
        if to <= self.base {
            return;
        }
        let ready = (to - self.base) as usize * 2;
        if self.sound.len() < ready {
            self.sound.resize(ready, 0);
        }
        page(self.base as u64, &self.sound[..ready]);
        self.sound.drain(..ready);
        self.base = to;
    }

    /// Decode what a side said before `to`, in the order in which it was said.
    fn place(&mut self, side: usize, to: i64) {
        let Track { decoder: Some(decoder), waiting, bytes, .. } = &mut self.tracks[side] else { return };
        waiting.sort_by_key(|w| w.0);
        let due = waiting.partition_point(|w| w.0 < to);
        let mut pcm = [0; PAYLOAD_SAMPLES_MAX];
        for (at, payload) in waiting.drain(..due) {
            let n = decoder.decode(&bytes[payload], &mut pcm);
            // A late beginning is cut off.
            let start = at.max(self.base).max(self.floor);
            let (skip, at) = ((start - at) as usize, (start - self.base) as usize);
            if skip < n {
                let needed = (at + n - skip) * 2;
                if self.sound.len() < needed {
                    self.sound.resize(needed, 0);
                }
                self.sound[at * 2..needed].iter_mut().skip(side).step_by(2).zip(&pcm[skip..n]).for_each(|(o, s)| *o = *s);
            }
        }
        if due > 0 {
            let mut moved = Vec::with_capacity(waiting.iter().map(|w| w.1.len()).sum());
            for (_, payload) in waiting.iter_mut() {
                let start = moved.len();
                moved.extend_from_slice(&bytes[payload.clone()]);
                *payload = start..moved.len();
            }
            *bytes = moved;
        }
    }
}

impl Track {
    fn begin(&mut self, piece: &Piece) {
        self.source = Some(piece.source);
        self.decoder = Some(Decoder::new(piece.codec, Rate::K8));
        self.clock_hz = i64::from(piece.codec.clock_hz());
        self.anchor = None;
        self.watch();
    }

    fn watch(&mut self) {
        (self.lateness, self.watched) = ((i64::MAX, i64::MIN), 0);
    }

    fn put(&mut self, piece: &Piece, payload: &[u8]) {
        let came = piece.at as i64;
        let (ts, at) = self.anchor.unwrap_or((piece.ts, came));
        let ahead = i64::from(piece.ts.wrapping_sub(ts) as i32) * 8_000 / self.clock_hz;
        let mut at = at + ahead;
        // A little older than the newest it was only overtaken.
        if !(-OVERTAKEN..0).contains(&ahead) {
            let late = came - at;
            if late.abs() > DELAY {
                at = came;
                self.watch();
            } else {
                self.lateness = (self.lateness.0.min(late), self.lateness.1.max(late));
                self.watched += 1;
                if self.watched == WATCH {
                    let frame = FRAME as i64;
                    at += if self.lateness.0 > DRIFT { frame } else { 0 };
                    at -= if self.lateness.1 < -DRIFT { frame } else { 0 };
                    self.watch();
                }
            }
            self.anchor = Some((piece.ts, at));
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.waiting.push((at, start..self.bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Encoder,
        wire::{Codec, Opus},
    };

    /// 20 ms of one value.
    fn packet(block: &mut Block, side: u8, at: u64, ts: u32, value: i16) {
        let mut payload = [0; FRAME];
        Encoder::new(Codec::Pcmu, Rate::K8, Opus::default()).encode(&[value; FRAME], &mut payload);
        block.push(side, 1, Codec::Pcmu, at, ts, &payload);
    }

    fn heard(jobs: impl FnOnce(&mut Timeline, &mut dyn FnMut(u64, &[i16]))) -> Vec<(i16, i16)> {
        let (mut t, mut all) = (Timeline::default(), Vec::new());
        jobs(&mut t, &mut |at, pcm| {
            all.resize(at as usize, (0, 0));
            all.extend(pcm.chunks_exact(2).map(|s| (s[0], s[1])));
        });
        all
    }

    #[test]
    fn packets_out_of_order_and_over_the_edge_of_a_block_lie_where_they_were_said() {
        let (mut one, mut two) = (Block::default(), Block::default());
        packet(&mut one, 0, 0, 70_000, 1_052);
        packet(&mut one, 0, 320, 70_320, 3_132);
        packet(&mut two, 0, 480, 70_160, 2_108);
        packet(&mut two, 1, 480, 5, -1_052);
        let all = heard(|t, page| {
            t.take(400, &one, page);
            t.take(2_400, &two, page);
            t.close(2_400, page);
        });
        let at = |i: usize| all[i];
        assert_eq!((all.len(), at(0), at(160), at(320)), (2_400, (1_052, 0), (2_108, 0), (3_132, 0)));
        assert_eq!((at(479), at(480), at(640)), ((3_132, 0), (0, -1_052), (0, 0)));
    }

    #[test]
    fn what_was_said_just_before_a_pause_is_not_written_and_an_hour_of_silence_is_not_handed_out() {
        let mut said = Block::default();
        (0..20).for_each(|i| packet(&mut said, 0, i * 160, i as u32 * 160, 1_052));
        let mut after = Block::default();
        packet(&mut after, 0, 8_000, 9_999, 2_108);
        let mut late = Block::default();
        packet(&mut late, 0, 3_600 * 8_000, 77, 3_132);
        let mut handed = 0;
        let all = heard(|t, page| {
            let mut count = |at: u64, pcm: &[i16]| {
                handed += pcm.len() / 2;
                page(at, pcm);
            };
            t.take(3_200, &said, &mut count);
            t.pause(3_200, true, &mut count);
            t.pause(8_000, false, &mut count);
            t.take(12_000, &after, &mut count);
            t.take(3_600 * 8_000 + 4_000, &late, &mut count);
            t.close(3_600 * 8_000 + 4_000, &mut count);
        });
        assert_eq!((all[1_599].0, all[1_600].0, all[8_000].0, all[3_600 * 8_000].0), (1_052, 0, 2_108, 3_132));
        assert!(handed < 100_000, "{handed}");
    }

    #[test]
    fn a_source_whose_clock_is_off_stays_within_a_tenth_of_a_second() {
        // 2,000 ppm fast and slow: worse than any crystal. A click every second tells where it lies.
        for step in [159, 161] {
            let all = heard(|t, page| {
                for second in 0..60u64 {
                    let mut b = Block::default();
                    for i in 0..50 {
                        let n = second * 50 + i;
                        packet(&mut b, 0, n * 160 * 160 / step, n as u32 * 160, if i == 0 { 8_316 } else { 0 });
                        if i == 24 {
                            t.take(n * 160 * 160 / step, &b, page);
                            b = Block::default();
                        }
                    }
                    t.take((second + 1) * 8_000 * 160 / step, &b, page);
                }
                t.close(60 * 8_000 * 160 / step, page);
            });
            let clicks: Vec<usize> = (1..all.len()).filter(|i| all[*i].0 > 8_000 && all[i - 1].0 <= 8_000).collect();
            assert!(clicks.len() >= 58);
            let off = clicks.iter().map(|c| (*c as i64 * step as i64 / 160 + 4_000) % 8_000 - 4_000);
            assert!(off.map(i64::abs).max() < Some(1_000), "{step}");
        }
    }
}
