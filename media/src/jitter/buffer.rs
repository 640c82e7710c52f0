//! Packets of one speaker, as they came, until the tick that needs them.
//!
//!     Idle ──packet──▶ Filling ──the delay is over──▶ Running ──nothing for 300 ms, or silence was announced──▶ Idle
//!
//! A packet lies at its timestamp; every pull moves the head on. Where nothing lies at the head it matters why:
//! - later packets are there: it is lost (or the sender was silent, if the sequence numbers have no gap), the head moves on;
//! - nothing is there: perhaps it is only late. Something is made up and the head stays. If the packet then comes it is
//!   heard, and the delay has grown by what was made up: at once, and only when it helps. If a later one comes, what was
//!   made up stood for the lost one, and the delay is as before.
//!
//! The delay shrinks, and grows for packets that come late while others are there, by what [`Buffer::excess`] tells: whoever
//! pulls drops or repeats a little sound ([`crate::playout`]).

use std::time::Duration;

use super::delay::Delay;
use crate::{
    limits::{
        FRAME_TIME, JITTER_DELAY_MAX, JITTER_JUMP, JITTER_PACKETS_MAX, JITTER_PAUSED, PAYLOAD_BYTES_MAX, PAYLOAD_TIME_MAX,
    },
    time::At,
};

/// A packet's place in the stream, and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// RTP sequence number.
    pub seq: u16,
    /// RTP timestamp of its first sample.
    pub ts: u32,
    /// How long it lasts, ticks of the RTP clock; 0 for comfort noise, which lasts until something else comes.
    pub ticks: u32,
    /// First after a silence (RFC 3551 section 4.1).
    pub marker: bool,
    /// It describes silence (RFC 3389) instead of holding sound.
    pub comfort: bool,
    /// As it came.
    pub payload: &'a [u8],
}

/// What became of a packet put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It will be heard.
    Taken,
    /// Its moment is over.
    Late,
    /// It is here already.
    Twice,
    /// It is longer than any packet of sound, or empty.
    Unfit,
}

/// What is to be heard next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// This.
    Packet(&'a [u8]),
    /// The speaker is silent from here on, and this is what the silence sounds like.
    Comfort(&'a [u8]),
    /// Something that is not there, for so many ticks.
    Lost {
        /// At least one; at most what was asked for, or with a packet after it what that packet can tell of.
        ticks: u32,
        /// The packet right after it, if it is here: it may say what the lost one said (Opus FEC).
        next: Option<&'a [u8]>,
    },
    /// The speaker says nothing, or has not begun, for so many ticks.
    Nothing {
        /// At least one, at most what was asked for.
        ticks: u32,
    },
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    ts: u32,
    at: u16,
    length: u16,
    ticks: u16,
    seq: u16,
    comfort: bool,
    live: bool,
}

const EMPTY: Slot = Slot { ts: 0, at: 0, length: 0, ticks: 0, seq: 0, comfort: false, live: false };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Filling { until: At },
    Running,
}

/// See the module.
#[derive(Clone)]
pub struct Buffer {
    hz: u32,
    bytes: Box<[u8]>,
    /// In order of arrival, a ring.
    slots: Box<[Slot]>,
    first: usize,
    count: usize,
    state: State,
    /// Timestamp of the next tick of sound to pull.
    head: u32,
    /// Ticks made up while the head stayed.
    credit: u32,
    /// Ticks since something was there.
    starved: u32,
    /// Sequence number pulled last, and the newest one put in.
    pulled: u16,
    newest: u16,
    newest_ts: u32,
    delay: Delay,
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffer")
            .field("state", &self.state)
            .field("packets", &self.count)
            .field("head", &self.head)
            .field("goal", &self.delay.goal())
            .finish()
    }
}

impl Buffer {
    /// For a stream whose RTP clock runs at `hz` (8,000 to 48,000), with room for `bytes` of payload (at most 65,535).
    pub fn new(hz: u32, bytes: usize) -> Self {
        Self {
            hz,
            bytes: vec![0; bytes.min(usize::from(u16::MAX))].into(),
            slots: vec![EMPTY; JITTER_PACKETS_MAX].into(),
            first: 0,
            count: 0,
            state: State::Idle,
            head: 0,
            credit: 0,
            starved: 0,
            pulled: 0,
            newest: 0,
            newest_ts: 0,
            delay: Delay::new(hz),
        }
    }

    /// The source started over: what it said before is forgotten, how its packets come is not.
    pub fn restart(&mut self) {
        self.count = 0;
        self.state = State::Idle;
        self.delay.rebase();
    }

    /// Packets waiting.
    pub fn waiting(&self) -> usize {
        self.live().count()
    }

    /// The delay aimed at beyond the quickest packet, ticks.
    pub fn goal(&self) -> u32 {
        self.delay.goal()
    }

    /// A packet came.
    pub fn put(&mut self, now: At, p: Packet<'_>) -> Put {
        let longest = self.ticks_in(PAYLOAD_TIME_MAX);
        if p.payload.is_empty() || p.payload.len() > PAYLOAD_BYTES_MAX.min(self.bytes.len()) || p.ticks > longest {
            return Put::Unfit;
        }
        if p.ticks == 0 && !p.comfort {
            return Put::Unfit;
        }
        let transit = self.clock(now).wrapping_sub(p.ts);
        if self.state == State::Idle || self.jumped(transit, &p) {
            self.begin(now, &p);
        }
        if self.live().any(|s| s.ts == p.ts && s.comfort == p.comfort) {
            return Put::Twice;
        }
        self.delay.came(transit);
        if before(p.ts, self.head) {
            // While nothing was heard yet the beginning may still come.
            if !matches!(self.state, State::Filling { .. }) || self.head.wrapping_sub(p.ts) > self.delay.goal() {
                return Put::Late;
            }
            self.head = p.ts;
        }
        let at = self.room(p.payload.len());
        self.bytes[at..at + p.payload.len()].copy_from_slice(p.payload);
        let place = (self.first + self.count) % self.slots.len();
        self.slots[place] = Slot {
            ts: p.ts,
            at: at as u16,
            length: p.payload.len() as u16,
            ticks: p.ticks as u16,
            seq: p.seq,
            comfort: p.comfort,
            live: true,
        };
        self.count += 1;
        if before(self.newest_ts, p.ts) || self.count == 1 {
            (self.newest, self.newest_ts) = (p.seq, p.ts);
        }
        Put::Taken
    }

    /// Whether the timestamps started over without a new source, as a gateway's do that changes what it plays.
    fn jumped(&self, transit: u32, p: &Packet<'_>) -> bool {
        let Some(held) = self.delay.held(transit) else { return false };
        let follows = (p.seq.wrapping_sub(self.newest) as i16) > 0;
        // Spoken before what was spoken before it; or far out of step with the clock, either way.
        (follows && before(p.ts, self.newest_ts)) || held.unsigned_abs() > self.ticks_in(JITTER_JUMP)
    }

    fn begin(&mut self, now: At, p: &Packet<'_>) {
        self.restart();
        (self.head, self.credit, self.starved) = (p.ts, 0, 0);
        (self.pulled, self.newest, self.newest_ts) = (p.seq.wrapping_sub(1), p.seq, p.ts);
        // A tick comes half a frame later than asked for on average.
        let goal = Duration::from_nanos(u64::from(self.delay.goal()) * 1_000_000_000 / u64::from(self.hz));
        self.state = State::Filling { until: now + goal.saturating_sub(FRAME_TIME / 2) };
    }

    /// Where so many bytes fit behind the newest packet; the oldest make room if they must.
    fn room(&mut self, length: usize) -> usize {
        if self.count == self.slots.len() {
            self.forget_oldest();
        }
        loop {
            if self.count == 0 {
                return 0;
            }
            let last = &self.slots[(self.first + self.count - 1) % self.slots.len()];
            let (begin, end) = (usize::from(self.slots[self.first].at), usize::from(last.at) + usize::from(last.length));
            let wrapped = usize::from(last.at) < begin;
            if wrapped && begin - end >= length || !wrapped && self.bytes.len() - end >= length {
                return end;
            }
            if !wrapped && begin >= length {
                return 0;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        self.first = (self.first + 1) % self.slots.len();
        self.count -= 1;
    }

    fn live(&self) -> impl Iterator<Item = &Slot> {
        (0..self.count).map(|i| &self.slots[(self.first + i) % self.slots.len()]).filter(|s| s.live)
    }

    /// What to hear at `now`: `want` ticks, more than none, while `held` ticks pulled before are still to be heard.
    ///
    /// A packet comes whole, however long it is, and so does what its successor can tell of a lost one; what else is made up
    /// or silent is never more than `want`.
    pub fn pull(&mut self, now: At, held: u32, want: u32) -> Next<'_> {
        match self.state {
            State::Idle => return Next::Nothing { ticks: want },
            State::Filling { until } if now < until => return Next::Nothing { ticks: want },
            State::Filling { .. } => self.state = State::Running,
            State::Running => {}
        }
        self.skip_backlog();
        let Some(found) = self.earliest() else { return self.starve(now, held, want) };
        let Slot { ts, seq, ticks, comfort, .. } = self.slots[found];
        self.starved = 0;
        let gap = ts.wrapping_sub(self.head);
        let made_up = std::mem::take(&mut self.credit).min(gap);
        self.head = self.head.wrapping_add(made_up);
        let gap = gap - made_up;
        if gap == 0 {
            self.slots[found].live = false;
            self.pulled = seq;
            self.head = ts.wrapping_add(u32::from(ticks));
            let payload = self.payload(found);
            return if comfort { Next::Comfort(payload) } else { Next::Packet(payload) };
        }
        if seq == self.pulled.wrapping_add(1) {
            let ticks = gap.min(want);
            self.head = self.head.wrapping_add(ticks);
            return Next::Nothing { ticks };
        }
        let tells = !comfort && gap <= u32::from(ticks);
        let ticks = if tells { gap } else { gap.min(want) };
        self.head = self.head.wrapping_add(ticks);
        Next::Lost { ticks, next: tells.then(|| self.payload(found)) }
    }

    /// A burst after a standstill holds more than anybody should wait for: its beginning is not heard.
    fn skip_backlog(&mut self) {
        let waiting = self.newest_ts.wrapping_sub(self.head) as i32;
        if self.count > 0 && waiting > self.ticks_in(JITTER_DELAY_MAX) as i32 {
            self.head = self.newest_ts.wrapping_sub(self.delay.goal());
            self.credit = 0;
        }
    }

    /// Nothing is here: late, lost, or over.
    fn starve(&mut self, now: At, held: u32, want: u32) -> Next<'_> {
        self.starved += want;
        if self.starved > self.ticks_in(JITTER_PAUSED) {
            self.state = State::Idle;
            return Next::Nothing { ticks: want };
        }
        let longest = self.ticks_in(JITTER_DELAY_MAX) as i32;
        if self.delayed(now, held).is_some_and(|d| d < longest) {
            self.credit += want;
        } else {
            self.head = self.head.wrapping_add(want);
        }
        Next::Lost { ticks: want, next: None }
    }

    /// How long the packet lasts that the next pull will yield, ticks; `None` if it will not yield a packet of sound.
    pub fn ready(&self) -> Option<u32> {
        let running = self.state == State::Running && self.credit == 0;
        let at_head = self.live().find(|s| s.ts == self.head && !s.comfort);
        at_head.filter(|_| running).map(|s| u32::from(s.ticks))
    }

    /// The speaker announced silence and nothing waits: the next packet begins anew, whenever it comes.
    pub fn rest(&mut self) {
        if self.earliest().is_none() {
            self.state = State::Idle;
        }
    }

    /// The earliest packet at the head or after it; those overtaken by the head are gone.
    fn earliest(&mut self) -> Option<usize> {
        let mut found: Option<usize> = None;
        for i in 0..self.count {
            let i = (self.first + i) % self.slots.len();
            let s = self.slots[i];
            if !s.live {
                continue;
            }
            if before(s.ts, self.head) {
                self.slots[i].live = false;
            } else if found.is_none_or(|f| sooner(&s, &self.slots[f], self.head)) {
                found = Some(i);
            }
        }
        while self.count > 0 && !self.slots[self.first].live {
            self.forget_oldest();
        }
        found
    }

    fn payload(&self, slot: usize) -> &[u8] {
        let s = &self.slots[slot];
        &self.bytes[usize::from(s.at)..usize::from(s.at) + usize::from(s.length)]
    }

    /// How much longer, in ticks, sound is held than aimed at, while `held` ticks pulled before are still to be heard. Below
    /// zero: packets are coming too late. `None` while nothing runs.
    pub fn excess(&self, now: At, held: u32) -> Option<i32> {
        // What was made up may yet turn out to have stood for something lost.
        Some(self.delayed(now, held)? - self.credit as i32 - self.delay.goal() as i32)
    }

    /// How much later than the quickest packet what is heard now is, ticks.
    pub fn delayed(&self, now: At, held: u32) -> Option<i32> {
        if self.state != State::Running {
            return None;
        }
        self.delay.held(self.clock(now).wrapping_sub(self.head.wrapping_sub(held)))
    }

    /// `now` on the RTP clock, modulo 2^32.
    fn clock(&self, now: At) -> u32 {
        let (seconds, rest) = (now.0 / 1_000_000_000, now.0 % 1_000_000_000);
        (seconds.wrapping_mul(u64::from(self.hz)).wrapping_add(rest * u64::from(self.hz) / 1_000_000_000)) as u32
    }

    /// Bytes on the heap.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.bytes) + size_of_val(&*self.slots)
    }

    fn ticks_in(&self, d: Duration) -> u32 {
        (d.as_millis() as u32) * (self.hz / 1_000)
    }
}

fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Sound goes before the silence announced for the same moment.
fn sooner(a: &Slot, b: &Slot, head: u32) -> bool {
    (a.ts.wrapping_sub(head), a.comfort) < (b.ts.wrapping_sub(head), b.comfort)
}

#[cfg(test)]
#[path = "buffer_tests.rs"]
mod tests;
