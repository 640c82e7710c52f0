//! A recording as the shard sees it: payloads of two sides, copied beside the path of the packets into a block that goes to
//! the writer every half second. Nothing is decoded here.
//!
//! Sample zero is the moment the recording began; where each packet belongs is found out by [`crate::record::timeline`].

use std::collections::BTreeMap;

use super::{Out, Shard};
use crate::{
    limits::{RECORD_BLOCK, RECORDS_MAX},
    record::{Block, Job},
    time::At,
    wire::{Codec, Event, LegId, RecordFormat, RecordId, RecordTrouble},
};

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
    pub side: u8,
    pub said: Said,
}

/// Who a packet is from: a side whose source changes begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub leg: LegId,
    pub said: Said,
    pub ssrc: u32,
    pub codec: Codec,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Recorder {
    pub sides: [Option<LegId>; 2],
    sources: [(Option<Source>, u16); 2],
    started: At,
    /// Packets that are on their way to the writer, and when the first of them came.
    block: Option<(At, Box<Block>)>,
    paused: bool,
    trouble: Option<RecordTrouble>,
}

/// A packet said by or to a leg: copied to the recordings that listen.
pub(super) fn hear(
    records: &mut BTreeMap<RecordId, Recorder>,
    taps: &[Tap],
    now: At,
    source: Source,
    ts: u32,
    payload: &[u8],
    out: &mut impl Out,
) {
    for tap in taps.iter().filter(|t| t.said == source.said) {
        if let Some(r) = records.get_mut(&tap.record).filter(|r| !r.paused) {
            r.hear(tap, now, source, ts, payload, out);
        }
    }
}

impl Recorder {
    fn new(now: At, sides: [Option<LegId>; 2]) -> Self {
        Self { sides, sources: [(None, 0); 2], started: now, block: None, paused: false, trouble: None }
    }

    fn hear(&mut self, tap: &Tap, now: At, source: Source, ts: u32, payload: &[u8], out: &mut impl Out) {
        self.tick(now, tap.record, out);
        if self.block.as_ref().is_some_and(|b| !b.1.has_room(payload.len())) {
            self.flush(now, tap.record, out);
        }
        let (before, number) = &mut self.sources[usize::from(tap.side & 1)];
        if *before != Some(source) {
            (*before, *number) = (Some(source), number.wrapping_add(1));
        }
        let number = *number;
        let at = self.at(now);
        let (_, block) = self.block.get_or_insert_with(|| (now, out.block()));
        block.push(tap.side, number, source.codec, at, ts, payload);
    }

    /// Samples since the beginning.
    fn at(&self, now: At) -> u64 {
        now.since(self.started).as_micros() as u64 / 125
    }

    /// Hand over what has waited long enough.
    pub fn tick(&mut self, now: At, id: RecordId, out: &mut impl Out) {
        if self.block.as_ref().is_some_and(|b| now.since(b.0) >= RECORD_BLOCK) {
            self.flush(now, id, out);
        }
    }

    fn flush(&mut self, now: At, id: RecordId, out: &mut impl Out) {
        let Some((_, block)) = self.block.take() else { return };
        if !out.record(Job::Block { record: id, until: self.at(now), block }) && self.trouble.is_none() {
            self.trouble = Some(RecordTrouble::Overrun);
            out.event(Event::RecordTrouble { record: id, trouble: RecordTrouble::Overrun });
        }
    }

    /// Nothing is even handed over during a pause.
    pub fn pause(&mut self, now: At, id: RecordId, paused: bool, out: &mut impl Out) {
        if std::mem::replace(&mut self.paused, paused) != paused {
            self.flush(now, id, out);
            self.sources.iter_mut().for_each(|s| s.0 = None);
            out.record(Job::Pause { record: id, at: self.at(now), paused });
        }
    }

    fn close(mut self, now: At, id: RecordId, out: &mut impl Out) {
        self.flush(now, id, out);
        out.record(Job::Close { record: id, at: self.at(now), trouble: self.trouble });
    }
}

impl Shard {
    pub(super) fn record(
        &mut self,
        now: At,
        id: RecordId,
        sides: [Option<LegId>; 2],
        (path, format): (std::path::PathBuf, RecordFormat),
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
        self.start_clock(now);
        out.record(Job::Open { record: id, path, format });
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
            let slot = leg.slot;
            self.stir(slot);
        }
    }
}
