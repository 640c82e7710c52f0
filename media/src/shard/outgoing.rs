//! The one stream a leg sends: whatever feeds it, sequence and timestamp run on without a jump.
//!
//!     Idle ─┬─▶ Frames   (our own 20 ms clock: prompts, mixes, silence; encoded here or shared with others)
//!           ├─▶ Events   (digits we send)
//!           └─▶ Relay    (another leg's packets, shifted by constants)
//!
//! A change of feed is an anchor: the next packet takes the next sequence number, and the timestamp moves on by the time
//! that has passed since the last sample sent.

use super::{Out, guarded};
use crate::{
    codec::{COMPLEXITY, Encoder, cn},
    dtmf::send::ENDS,
    limits::{CATCH_UP_MAX, COMFORT_AFTER, COMFORT_EVERY, FRAME_TIME, PAYLOAD_SENT_MAX, PHASE_TIME},
    rtp::{HEADER, Header, write_before, write_header},
    secure::Guard,
    shard::{Plane, Slot},
    time::{At, Chance, ticks},
    wire::{Codec, LegId, Opus, Rate},
};
use std::{net::SocketAddr, ops::Range, time::Duration};

/// Milliseconds of a frame.
const FRAME_MS: u32 = FRAME_TIME.as_millis() as u32;
/// Ticks of a telephone event its duration can tell.
const SEGMENT: u64 = u16::MAX as u64;
/// A relayed timestamp this far from where the clock says it should be is a jump, not jitter.
const JUMP: Duration = Duration::from_secs(2);

/// Silence so long is no pause between words: from then on it is described where the peer wants that.
const SILENT_MS: u32 = COMFORT_AFTER.as_millis() as u32;
/// A description is sent again after so long.
const DESCRIBE_MS: u32 = COMFORT_EVERY.as_millis() as u32;
/// And when the level has changed by so many decibels.
const LEVEL_STEP: u8 = 3;

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
    pub codec: Codec,
    pub opus: Opus,
    /// Sound in a packet, milliseconds; one the codec has frames for.
    pub ptime_ms: u32,
    /// Payload type of comfort noise, if the peer wants silence described and not sent.
    pub comfort_pt: Option<u8>,
}

/// What goes into one packet, encoded elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Of the payload, bytes. 0: nothing is to be sent.
    pub length: usize,
    /// It is silence, of this level ([`cn::silence`]).
    pub silence: Option<u8>,
}

/// How long we have nothing to say, to a peer that wants silence described.
#[derive(Debug, Clone, Copy, Default)]
struct Hush {
    /// Silence so far, milliseconds, up to what makes it worth describing.
    lasted_ms: u32,
    /// The level last described, and how long ago, milliseconds.
    said: Option<(u8, u32)>,
}

/// What takes the place of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rather {
    /// It is sent.
    Sound,
    /// A description of the silence.
    Description(u8),
    /// Nothing: it was described.
    Nothing,
}

impl Hush {
    /// The next packet of `ms`, and whether it is silence.
    fn packet(&mut self, silence: Option<u8>, ms: u32) -> Rather {
        let Some(level) = silence else {
            *self = Self::default();
            return Rather::Sound;
        };
        if self.lasted_ms < SILENT_MS {
            self.lasted_ms += ms;
            return Rather::Sound;
        }
        match &mut self.said {
            Some((said, ago)) if said.abs_diff(level) < LEVEL_STEP && *ago + ms < DESCRIBE_MS => {
                *ago += ms;
                Rather::Nothing
            }
            said => {
                *said = Some((level, 0));
                Rather::Description(level)
            }
        }
    }
}

impl Target {
    /// Ticks of the codec's clock in a packet.
    pub fn ticks(&self) -> u32 {
        self.codec.clock_hz() / 1_000 * self.ptime_ms
    }
}

/// Own sound on its way into packets: there only while a leg is sent something of its own.
struct Voice {
    codec: Codec,
    opus: Opus,
    rate: Rate,
    encoder: Encoder,
    pending: Vec<i16>,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Voice({:?} at {} Hz)", self.codec, self.rate.hz())
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub ssrc: u32,
    seq: u16,
    ts: u32,
    /// Ticks of the RTP clock a second.
    hz: u32,
    /// When `ts` is due; `None` before the first packet.
    due: Option<At>,
    feed: Feed,
    marker: bool,
    event_ts: u32,
    pub packets: u64,
    pub bytes: u64,
    /// When something was last sent; `None` before the first packet.
    pub last: Option<At>,
    voice: Option<Box<Voice>>,
    /// Percent of our packets the peer does not get, by its reports: a codec that can says things twice.
    loss: u8,
    /// How hard an encoder tries.
    complexity: u8,
    /// Sound that is due and not in a packet yet, milliseconds.
    held_ms: u32,
    hush: Hush,
    /// What protects it; `None`: nothing was asked for.
    pub guard: Option<Box<Guard>>,
}

impl Outgoing {
    pub fn new(chance: &mut Chance) -> Self {
        Self {
            ssrc: chance.word(),
            seq: chance.word() as u16,
            ts: chance.word(),
            hz: 8_000,
            due: None,
            feed: Feed::Idle,
            marker: true,
            event_ts: 0,
            packets: 0,
            bytes: 0,
            last: None,
            voice: None,
            loss: 0,
            complexity: COMPLEXITY,
            held_ms: 0,
            hush: Hush::default(),
            guard: None,
        }
    }

    /// The timestamp of this instant, for sender reports.
    pub fn ts_at(&self, now: At) -> u32 {
        match self.due {
            Some(due) if due > now => self.ts.wrapping_sub(due.ticks_since(now, self.hz)),
            Some(due) => self.ts.wrapping_add(now.ticks_since(due, self.hz)),
            None => self.ts,
        }
    }

    /// What was agreed changed: the next packet is a new talkspurt, and timestamps count `hz` a second.
    pub fn interrupt(&mut self, now: At, hz: u32) {
        if hz != self.hz {
            // What passed so far was counted by the old clock (RFC 7160 section 4).
            (self.ts, self.due) = (self.ts_at(now), self.due.map(|_| now));
            self.hz = hz;
        }
        self.feed = Feed::Idle;
    }

    /// What feeds the stream started over: its numbers are mapped anew.
    pub fn restart(&mut self) {
        self.feed = Feed::Idle;
    }

    /// Ticks of this stream's clock as microseconds.
    pub fn as_us(&self, n: u32) -> u32 {
        u32::try_from(ticks(n, self.hz).as_micros()).unwrap_or(u32::MAX)
    }

    /// Nothing of our own will be sent for a while: an encoder is large.
    pub fn rest(&mut self) {
        self.voice = None;
    }

    fn anchor(&mut self, now: At, feed: Feed) {
        if let Some(due) = self.due {
            self.ts = self.ts.wrapping_add(now.ticks_since(due, self.hz));
        }
        self.held_ms = 0;
        self.hush = Hush::default();
        if let Some(v) = &mut self.voice {
            v.pending.clear();
        }
        self.marker = true;
        self.feed = feed;
    }

    fn count(&mut self, now: At, payload: usize) {
        self.packets += 1;
        self.bytes += payload as u64;
        self.last = Some(now);
    }

    /// 20 ms more are due; how many packets that makes. `shared`: they come encoded from elsewhere.
    fn frame_due(&mut self, now: At, t: &Target, shared: bool) -> u32 {
        // A pause is a new talkspurt. Less than what a late tick makes up for is no pause.
        let paused = self.due.is_some_and(|due| now.since(due) > PHASE_TIME * CATCH_UP_MAX);
        // Half a packet that was encoded here cannot go on elsewhere.
        let torn = self.held_ms > 0 && shared == self.voice.as_ref().is_some_and(|v| !v.pending.is_empty());
        if self.feed != Feed::Frames || paused || torn {
            self.anchor(now, Feed::Frames);
        }
        self.held_ms += FRAME_MS;
        let packets = self.held_ms / t.ptime_ms;
        self.held_ms %= t.ptime_ms;
        self.due = Some(now + Duration::from_millis(u64::from(FRAME_MS - self.held_ms.min(FRAME_MS))));
        packets
    }

    /// 20 ms of our own sound at `rate`. `sent` gets each packet that went out: its timestamp and payload.
    pub fn frame<O: Out>(
        &mut self,
        now: At,
        t: &Target,
        (rate, pcm): (Rate, &[i16]),
        out: &mut O,
        mut sent: impl FnMut(u32, &[u8], &mut O),
    ) {
        let packets = self.frame_due(now, t, false);
        let mut voice = match self.voice.take() {
            Some(v) if (v.codec, v.opus, v.rate) == (t.codec, t.opus, rate) => v,
            _ => {
                let mut encoder = Encoder::new(t.codec, rate, t.opus);
                encoder.set_loss(self.loss);
                encoder.set_complexity(self.complexity);
                let pending = Vec::with_capacity(rate.samples(t.ptime_ms + FRAME_MS));
                Box::new(Voice { codec: t.codec, opus: t.opus, rate, encoder, pending })
            }
        };
        voice.pending.extend_from_slice(pcm);
        let n = rate.samples(t.ptime_ms);
        for _ in 0..packets {
            let mut packet = [0; HEADER + PAYLOAD_SENT_MAX];
            // A change of rate in the middle of a packet leaves less than a whole one.
            let missing = n.saturating_sub(voice.pending.len());
            voice.pending.extend(std::iter::repeat_n(0, missing));
            let sound = &voice.pending[..n];
            let silence = t.comfort_pt.and_then(|_| cn::silence(sound));
            match self.rather(t, silence) {
                Rather::Sound => {
                    let length = voice.encoder.encode(sound, &mut packet[HEADER..]);
                    self.send(now, t, &mut packet, length, out, &mut sent);
                }
                other => self.describe(now, t, other, out),
            }
            voice.pending.drain(..n);
        }
        self.voice = Some(voice);
    }

    /// The peer reported this share of our packets lost, in 256ths. A network that was bad is trusted again only by and by.
    pub fn peer_lost(&mut self, fraction: u8) {
        let now = (u16::from(fraction) * 100).div_ceil(256) as u8;
        let loss = now.max(self.loss - self.loss.div_ceil(4));
        if loss != self.loss {
            self.loss = loss;
            if let Some(voice) = &mut self.voice {
                voice.encoder.set_loss(loss);
            }
        }
    }

    /// What the encoder was told last.
    #[cfg(test)]
    pub fn complexity(&self) -> Option<u8> {
        self.voice.as_ref()?.encoder.complexity()
    }

    /// From the next packet on: 0 (cheap) to 10 (best).
    pub fn try_as_hard_as(&mut self, complexity: u8) {
        if complexity != self.complexity {
            self.complexity = complexity;
            if let Some(voice) = &mut self.voice {
                voice.encoder.set_complexity(complexity);
            }
        }
    }

    /// 20 ms of sound encoded elsewhere: `packet` is asked for the payload of each packet that is due, and writes it into the
    /// room it is given.
    pub fn shared<O: Out>(
        &mut self,
        now: At,
        t: &Target,
        out: &mut O,
        mut packet: impl FnMut(&mut [u8]) -> Piece,
        mut sent: impl FnMut(u32, &[u8], &mut O),
    ) {
        for _ in 0..self.frame_due(now, t, true) {
            let mut bytes = [0; HEADER + PAYLOAD_SENT_MAX];
            let piece = packet(&mut bytes[HEADER..]);
            match self.rather(t, piece.silence) {
                Rather::Sound => self.send(now, t, &mut bytes, piece.length, out, &mut sent),
                other => self.describe(now, t, other, out),
            }
        }
    }

    fn rather(&mut self, t: &Target, silence: Option<u8>) -> Rather {
        self.hush.packet(silence.filter(|_| t.comfort_pt.is_some()), t.ptime_ms)
    }

    /// Comfort noise in the place of a packet (RFC 3389), or nothing. It has no marker; the sound after it does (RFC 3551
    /// section 4.1).
    fn describe(&mut self, now: At, t: &Target, what: Rather, out: &mut impl Out) {
        if let (Rather::Description(level), Some(pt)) = (what, t.comfort_pt) {
            let h = Header { marker: false, pt, seq: self.seq, ts: self.ts, ssrc: self.ssrc };
            let mut packet = [0; HEADER + 1];
            write_header(&h, packet.first_chunk_mut().expect("longer than a header"));
            packet[HEADER] = level;
            guarded::send(&mut self.guard, t.slot, Plane::Rtp, false, t.to, &packet, out);
            self.count(now, 1);
            self.seq = self.seq.wrapping_add(1);
        }
        self.marker = true;
        self.ts = self.ts.wrapping_add(t.ticks());
    }

    /// Nothing to send (a silence the peer does not want) still takes its time.
    fn send<O: Out>(
        &mut self,
        now: At,
        t: &Target,
        packet: &mut [u8; HEADER + PAYLOAD_SENT_MAX],
        length: usize,
        out: &mut O,
        sent: &mut impl FnMut(u32, &[u8], &mut O),
    ) {
        if length == 0 {
            self.marker = true;
        } else {
            let h = Header { marker: std::mem::take(&mut self.marker), pt: t.pt, seq: self.seq, ts: self.ts, ssrc: self.ssrc };
            write_header(&h, packet.first_chunk_mut().expect("longer than a header"));
            guarded::send(&mut self.guard, t.slot, Plane::Rtp, false, t.to, &packet[..HEADER + length], out);
            sent(self.ts, &packet[HEADER..HEADER + length], out);
            self.count(now, length);
            self.seq = self.seq.wrapping_add(1);
        }
        self.ts = self.ts.wrapping_add(t.ticks());
    }

    /// One packet of a telephone event (RFC 4733): all of one event share the timestamp of its first. Its duration counts at
    /// 8 kHz here and at the stream's clock on the wire; where the field ends, a new segment begins with a timestamp of its own
    /// (section 2.5.1.3).
    pub fn event(&mut self, now: At, t: &Target, first: bool, mut payload: crate::dtmf::Payload, out: &mut impl Out) {
        if self.feed != Feed::Events || first {
            self.anchor(now, Feed::Events);
            self.event_ts = self.ts;
        }
        let length = u64::from(payload.duration) * u64::from(self.hz) / 8_000;
        // What went before the segment this packet is of; a segment that is just full is not over yet.
        let mut before = length.saturating_sub(1) / SEGMENT * SEGMENT;
        // The end of a segment is said as often as the end of an event (section 2.5.1.4), before anything is said of the next.
        let fresh = length - before <= u64::from(ENDS) * u64::from(self.hz / 50);
        if before > 0 && fresh && !payload.end {
            before -= SEGMENT;
        }
        payload.duration = (length - before).min(SEGMENT) as u16;
        let ts = self.event_ts.wrapping_add(before as u32);
        let h = Header { marker: first, pt: t.pt, seq: self.seq, ts, ssrc: self.ssrc };
        let mut packet = [0; HEADER + 4];
        write_header(&h, packet.first_chunk_mut().expect("longer than a header"));
        packet[HEADER..].copy_from_slice(&payload.bytes());
        guarded::send(&mut self.guard, t.slot, Plane::Rtp, false, t.to, &packet, out);
        self.count(now, 4);
        self.seq = self.seq.wrapping_add(1);
        self.marker = true;
        self.moved_to(self.event_ts.wrapping_add(length as u32), now);
    }

    /// Another leg's packet, in its own buffer. `length`: ticks it lasts. `event`: its timestamp stands still.
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
        self.moved_to(ts.wrapping_add(length), if event { now } else { now + ticks(length, self.hz) });
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
        off.unsigned_abs() > JUMP.as_secs() as u32 * self.hz
    }
}
