//! A recording as the shard sees it: two channels kept to wall time, handed to the writer in blocks of half a second.
//!
//! Sound is copied beside the path of the packets. Each side has a jitter buffer of its own with a generous delay; every
//! 20 ms both give a frame, and what is missing is silence, so the channels stay side by side whatever the network does.
//! The first 200 ms of frames, the delay, are not written: sample zero is the moment the recording began.

use std::collections::BTreeMap;

use super::{Out, Shard, leg::Leg};
use crate::{
    jitter::Jitter,
    limits::{FRAME, FRAME_TIME, RECORD_BLOCK, RECORD_DELAY, RECORDS_MAX},
    record::Job,
    time::At,
    wire::{Event, LegId, RecordId, RecordTrouble},
};

/// Frames that are in the buffers of the tracks.
const DELAY: u64 = RECORD_DELAY as u64 / FRAME as u64;
/// Further behind than this the clock stood still: the time is left out in one piece (it becomes silence), not frame by frame.
const STOOD_STILL: u64 = 500;

/// Whether a side is fed by what a leg says or by what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    ByLeg,
    ToLeg,
}

/// A recording listens to a leg.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tap {
    pub record: RecordId,
    pub side: usize,
    pub said: Said,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Recorder {
    pub sides: [Option<LegId>; 2],
    tracks: [Track; 2],
    started: At,
    /// Frames taken from the tracks.
    taken: u64,
    block: Vec<i16>,
    /// Where the block belongs, samples per channel.
    block_at: u64,
    pub paused: bool,
    trouble: Option<RecordTrouble>,
}

#[derive(Debug)]
struct Track {
    jitter: Jitter,
    source: Option<(LegId, Said, u32)>,
    /// Added to the source's timestamps to make them the track's.
    shift: u32,
}

impl Track {
    fn new() -> Self {
        Self { jitter: Jitter::new(RECORD_DELAY, RECORD_DELAY + 1_600, false), source: None, shift: 0 }
    }

    fn hear(&mut self, source: (LegId, Said, u32), ts: u32, pcm: &[i16]) {
        if self.source != Some(source) {
            self.source = Some(source);
            // A new speaker begins where the old one's time has got to.
            self.shift = self.jitter.due().map_or(0, |due| due.wrapping_sub(ts));
        }
        // What is too late for the file is too late.
        let _ = self.jitter.put(ts.wrapping_add(self.shift), pcm);
    }
}

/// Sound said by or to `leg`: copied to the recordings that listen.
pub(super) fn hear(records: &mut BTreeMap<RecordId, Recorder>, leg: &Leg, said: Said, ssrc: u32, ts: u32, pcm: &[i16]) {
    for tap in leg.taps.iter().filter(|t| t.said == said) {
        if let Some(r) = records.get_mut(&tap.record).filter(|r| !r.paused) {
            r.tracks[tap.side].hear((leg.id, said, ssrc), ts, pcm);
        }
    }
}

impl Recorder {
    fn new(now: At, sides: [Option<LegId>; 2]) -> Self {
        Self {
            sides,
            tracks: [Track::new(), Track::new()],
            started: now,
            taken: 0,
            block: Vec::with_capacity(RECORD_BLOCK * 2),
            block_at: 0,
            paused: false,
            trouble: None,
        }
    }

    /// Sound of before and after a pause never meets: what is in the buffers is forgotten on both occasions.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
        self.tracks.iter_mut().for_each(|t| t.jitter.restart());
    }

    /// Take the frames that are due.
    pub fn tick(&mut self, now: At, id: RecordId, out: &mut impl Out) {
        let due = (now.since(self.started).as_nanos() / FRAME_TIME.as_nanos()) as u64;
        if due > self.taken + STOOD_STILL {
            self.flush(id, out);
            self.taken = due - 1;
            self.block_at = self.taken.saturating_sub(DELAY) * FRAME as u64;
        }
        while self.taken < due {
            self.frame(id, out);
        }
    }

    fn frame(&mut self, id: RecordId, out: &mut impl Out) {
        let (mut left, mut right) = ([0; FRAME], [0; FRAME]);
        self.tracks[0].jitter.take(&mut left);
        self.tracks[1].jitter.take(&mut right);
        self.taken += 1;
        if self.taken <= DELAY {
            return;
        }
        self.block.extend(left.iter().zip(&right).flat_map(|(l, r)| [*l, *r]));
        if self.block.len() >= RECORD_BLOCK * 2 {
            self.flush(id, out);
        }
    }

    fn flush(&mut self, id: RecordId, out: &mut impl Out) {
        if self.block.is_empty() {
            return;
        }
        let pcm = std::mem::replace(&mut self.block, Vec::with_capacity(RECORD_BLOCK * 2));
        let length = pcm.len() as u64 / 2;
        if !out.record(Job::Block { record: id, at: self.block_at, pcm }) && self.trouble.is_none() {
            self.trouble = Some(RecordTrouble::Overrun);
            out.event(Event::RecordTrouble { record: id, trouble: RecordTrouble::Overrun });
        }
        self.block_at += length;
    }

    /// The end: what is still in the buffers is written, then the file is closed.
    fn close(mut self, now: At, id: RecordId, out: &mut impl Out) {
        self.tick(now, id, out);
        for _ in 0..DELAY.min(self.taken) {
            self.frame(id, out);
        }
        self.flush(id, out);
        out.record(Job::Close { record: id, trouble: self.trouble });
    }
}

impl Shard {
    pub(super) fn record(
        &mut self,
        now: At,
        id: RecordId,
        sides: [Option<LegId>; 2],
        path: std::path::PathBuf,
        out: &mut impl Out,
    ) {
        if self.records.contains_key(&id) {
            self.totals.unknown += 1;
            return;
        }
        if self.records.len() >= RECORDS_MAX {
            let trouble = RecordTrouble::Overrun;
            out.event(Event::RecordTrouble { record: id, trouble });
            out.event(Event::Recorded { record: id, duration: std::time::Duration::ZERO, bytes: 0, trouble: Some(trouble) });
            return;
        }
        self.wake(now);
        out.record(Job::Open { record: id, path });
        self.records.insert(id, Recorder::new(now, sides));
        sides.into_iter().flatten().for_each(|l| self.retap(l));
    }

    pub(super) fn record_sides(&mut self, id: RecordId, sides: [Option<LegId>; 2]) {
        let Some(r) = self.records.get_mut(&id) else {
            self.totals.unknown += 1;
            return;
        };
        let before = std::mem::replace(&mut r.sides, sides);
        before.into_iter().chain(sides).flatten().for_each(|l| self.retap(l));
    }

    pub(super) fn stop_record(&mut self, now: At, id: RecordId, out: &mut impl Out) {
        let Some(r) = self.records.remove(&id) else {
            self.totals.unknown += 1;
            return;
        };
        let sides = r.sides;
        r.close(now, id, out);
        sides.into_iter().flatten().for_each(|l| self.retap(l));
    }

    /// Which recordings listen to this leg. Where nobody sits on the right, the right channel is what the left one hears:
    /// prompts and music.
    pub(super) fn retap(&mut self, id: LegId) {
        let mut taps = Vec::new();
        for (record, r) in &self.records {
            let mut tap = |side, said| taps.push(Tap { record: *record, side, said });
            if r.sides[0] == Some(id) {
                tap(0, Said::ByLeg);
                if r.sides[1].is_none() {
                    tap(1, Said::ToLeg);
                }
            }
            if r.sides[1] == Some(id) {
                tap(1, Said::ByLeg);
            }
        }
        if let Some(leg) = self.leg(id) {
            leg.taps = taps;
        }
    }
}
