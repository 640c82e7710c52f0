//! The one stream a leg sends: whatever feeds it, sequence and timestamp run on without a jump.
//!
//!     Idle ─┬─▶ Frames   (our own 20 ms clock: prompts, mixes, silence)
//!           ├─▶ Events   (digits we send)
//!           └─▶ Relay    (another leg's packets, shifted by constants)
//!
//! A change of feed is an anchor: the next packet takes the next sequence number, and the timestamp moves on by the time
//! that has passed since the last sample sent.

use super::{Out, guarded};
use crate::{
    codec::Encoder,
    limits::{CATCH_UP_MAX, FRAME, PHASE_TIME, SAMPLES_PER_MS},
    rtp::{HEADER, Header, write_before, write_header},
    secure::Guard,
    shard::{Plane, Slot},
    time::{At, Chance, samples},
    wire::LegId,
};
use std::{net::SocketAddr, ops::Range};

/// Longest packet time we send, samples.
const PTIME_MAX: usize = 60 * SAMPLES_PER_MS as usize;
/// A relayed timestamp this far from where the clock says it should be is a jump, not jitter: two seconds.
const JUMP: u32 = 16_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Idle,
    Frames,
    Events,
    Relay(Shift),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    from: (LegId, u32),
    seq: u16,
    ts: u32,
    /// Sequence numbers given out since the anchor; an overtaken packet from before it has none.
    span: u16,
}

/// Where and how a leg sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub slot: Slot,
    pub to: SocketAddr,
    pub pt: u8,
    pub ptime: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub ssrc: u32,
    seq: u16,
    ts: u32,
    /// When `ts` is due; `None` before the first packet.
    due: Option<At>,
    feed: Feed,
    marker: bool,
    event_ts: u32,
    pub packets: u64,
    pub bytes: u64,
    /// When something was last sent; `None` before the first packet.
    pub last: Option<At>,
    pending: [i16; PTIME_MAX + FRAME],
    held: usize,
    /// What protects it; `None`: nothing was asked for.
    pub guard: Option<Box<Guard>>,
}

impl Outgoing {
    pub fn new(chance: &mut Chance) -> Self {
        Self {
            ssrc: chance.word(),
            seq: chance.word() as u16,
            ts: chance.word(),
            due: None,
            feed: Feed::Idle,
            marker: true,
            event_ts: 0,
            packets: 0,
            bytes: 0,
            last: None,
            pending: [0; PTIME_MAX + FRAME],
            held: 0,
            guard: None,
        }
    }

    /// The timestamp of this instant, for sender reports.
    pub fn ts_at(&self, now: At) -> u32 {
        match self.due {
            Some(due) if due > now => self.ts.wrapping_sub(due.samples_since(now)),
            Some(due) => self.ts.wrapping_add(now.samples_since(due)),
            None => self.ts,
        }
    }

    /// What was agreed changed: the next packet is a new talkspurt.
    pub fn interrupt(&mut self) {
        self.feed = Feed::Idle;
    }

    fn anchor(&mut self, now: At, feed: Feed) {
        if let Some(due) = self.due {
            self.ts = self.ts.wrapping_add(now.samples_since(due));
        }
        self.held = 0;
        self.marker = true;
        self.feed = feed;
    }

    fn count(&mut self, now: At, payload: usize) {
        self.packets += 1;
        self.bytes += payload as u64;
        self.last = Some(now);
    }

    /// 20 ms of our own sound. `sent` gets each packet that went out: its timestamp and payload.
    pub fn frame<O: Out>(
        &mut self,
        now: At,
        t: &Target,
        encoder: &mut Encoder,
        pcm: &[i16; FRAME],
        out: &mut O,
        mut sent: impl FnMut(u32, &[u8], &mut O),
    ) {
        // A pause is a new talkspurt. Less than what a late tick makes up for is no pause.
        let paused = self.due.is_some_and(|due| now.since(due) > PHASE_TIME * CATCH_UP_MAX);
        if self.feed != Feed::Frames || paused {
            self.anchor(now, Feed::Frames);
        }
        self.pending[self.held..self.held + FRAME].copy_from_slice(pcm);
        self.held += FRAME;
        let n = t.ptime;
        while self.held >= n {
            let mut packet = [0; HEADER + PTIME_MAX];
            let length = encoder.encode(&self.pending[..n], &mut packet[HEADER..HEADER + n]);
            let h = Header { marker: std::mem::take(&mut self.marker), pt: t.pt, seq: self.seq, ts: self.ts, ssrc: self.ssrc };
            write_header(&h, packet.first_chunk_mut().expect("longer than a header"));
            guarded::send(&mut self.guard, t.slot, Plane::Rtp, false, t.to, &packet[..HEADER + length], out);
            sent(self.ts, &packet[HEADER..HEADER + length], out);
            self.count(now, length);
            self.seq = self.seq.wrapping_add(1);
            self.ts = self.ts.wrapping_add(n as u32);
            self.pending.copy_within(n..self.held, 0);
            self.held -= n;
        }
        self.due = Some(now + samples(FRAME as u32 - self.held.min(FRAME) as u32));
    }

    /// One packet of a telephone event (RFC 4733): all of one event share the timestamp of its first.
    pub fn event(&mut self, now: At, t: &Target, first: bool, payload: crate::dtmf::Payload, out: &mut impl Out) {
        if self.feed != Feed::Events || first {
            self.anchor(now, Feed::Events);
            self.event_ts = self.ts;
        }
        let h = Header { marker: first, pt: t.pt, seq: self.seq, ts: self.event_ts, ssrc: self.ssrc };
        let mut packet = [0; HEADER + 4];
        write_header(&h, packet.first_chunk_mut().expect("longer than a header"));
        packet[HEADER..].copy_from_slice(&payload.bytes());
        guarded::send(&mut self.guard, t.slot, Plane::Rtp, false, t.to, &packet, out);
        self.count(now, 4);
        self.seq = self.seq.wrapping_add(1);
        self.marker = true;
        self.moved_to(self.event_ts.wrapping_add(u32::from(payload.duration)), now);
    }

    /// Another leg's packet, in its own buffer. `length`: samples it lasts. `event`: its timestamp stands still.
    #[expect(clippy::too_many_arguments, reason = "the hot path: a struct would be built per packet for its own sake")]
    pub fn relay(
        &mut self,
        now: At,
        t: &Target,
        from: LegId,
        h: Header,
        bytes: &mut [u8],
        payload: Range<usize>,
        length: u32,
        event: bool,
        out: &mut impl Out,
    ) -> bool {
        let key = (from, h.ssrc);
        let mut shift = match self.feed {
            Feed::Relay(s) if s.from == key && (event || !self.jumps(now, h.ts.wrapping_add(s.ts))) => s,
            _ => {
                self.anchor(now, Feed::Idle);
                Shift { from: key, seq: self.seq.wrapping_sub(h.seq), ts: self.ts.wrapping_sub(h.ts), span: 0 }
            }
        };
        let (seq, ts) = (h.seq.wrapping_add(shift.seq), h.ts.wrapping_add(shift.ts));
        let ahead = seq.wrapping_sub(self.seq);
        if ahead < 0x8000 {
            self.seq = seq.wrapping_add(1);
            shift.span = shift.span.saturating_add(ahead.saturating_add(1));
        } else if ahead.wrapping_neg() > shift.span {
            // Spoken before the anchor: its number belongs to what was sent meanwhile.
            self.feed = Feed::Relay(shift);
            return false;
        }
        self.feed = Feed::Relay(shift);
        // Packets come with jitter: the moment the last sample ends is known only to within that.
        self.moved_to(ts.wrapping_add(length), if event { now } else { now + samples(length) });
        let marker = h.marker || std::mem::take(&mut self.marker) && !event;
        let header = Header { marker, pt: t.pt, seq, ts, ssrc: self.ssrc };
        let size = payload.len();
        if let Some(packet) = write_before(&header, bytes, payload) {
            guarded::send(&mut self.guard, t.slot, Plane::Rtp, false, t.to, packet, out);
            self.count(now, size);
        }
        true
    }

    /// A packet of the leg being relayed is not passed on: its number is closed up, or the listener would count a loss.
    pub fn skip(&mut self, from: LegId, h: &Header) {
        if let Feed::Relay(s) = &mut self.feed
            && s.from == (from, h.ssrc)
            && h.seq.wrapping_add(s.seq).wrapping_sub(self.seq) < 0x8000
        {
            s.seq = s.seq.wrapping_sub(1);
        }
    }

    fn moved_to(&mut self, end: u32, due: At) {
        let further = end.wrapping_sub(self.ts) as i32;
        if further > 0 || self.due.is_none() {
            (self.ts, self.due) = (end, Some(due));
        }
    }

    fn jumps(&self, now: At, ts: u32) -> bool {
        let off = ts.wrapping_sub(self.ts_at(now)) as i32;
        off.unsigned_abs() > JUMP
    }
}
