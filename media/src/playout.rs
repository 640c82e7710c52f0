//! From packets to frames: everything one speaker's sound goes through before it is mixed.
//!
//!     packet ──▶ jitter buffer ──tick──▶ decoder ──▶ staged sound ──▶ a little longer or shorter ──▶ 20 ms
//!                              └─ lost ──▶ concealment ──▲
//!                              └─ silent ▶ comfort noise ┘
//!
//! Only a leg that is mixed has one; a relayed packet passes by.

use std::time::Duration;

use crate::{
    codec::{Decoder, cn},
    dsp::{level, plc::Plc, stretch},
    jitter::{Buffer, Next, Packet, Put},
    limits::{FRAME_TIME, JITTER_HOLDS, JITTER_OPUS_BYTES, PAYLOAD_TIME_MAX},
    time::At,
    wire::{Codec, Rate},
};

/// Frames after which the delay may shrink by a period again: one second.
const SHORTEN_EVERY: u32 = 50;
/// And while it is quiet: a tenth.
const SHORTEN_QUIET_EVERY: u32 = 5;
/// So quiet that nobody hears a seam.
const QUIET_DBFS: f32 = -50.0;
/// Delay beyond the goal that is left alone: ticks come 20 ms apart, and not to the millisecond.
const SLACK_MS: i32 = 15;

/// What a frame is, for the most part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// What the speaker said.
    Sound,
    /// Something in it was lost and made up.
    Concealed,
    /// The speaker said to be silent; this is what the silence sounds like.
    Comfort,
    /// Nothing at all: zeroes.
    Silent,
}

/// The receive path of one leg, from RTP payloads to frames at the rate of the mix.
#[derive(Debug)]
pub struct Playout {
    codec: Codec,
    rate: Rate,
    buffer: Buffer,
    decoder: Decoder,
    plc: Plc,
    comfort: cn::Noise,
    /// The speaker announced silence.
    resting: bool,
    /// Decoded and not heard yet: `staged[..filled]`.
    staged: Box<[i16]>,
    filled: usize,
    /// Some of it was said, not made up.
    staged_sound: bool,
    /// Samples made up so far.
    concealed: u64,
    /// Frames since the delay shrank, and the least excess (ticks) since then.
    watched: u32,
    least_excess: i32,
    level: level::Meter,
}

impl Playout {
    /// For packets of `codec`, to be heard at `rate`. `seed` keeps the noises of two legs apart.
    pub fn new(codec: Codec, rate: Rate, seed: u32) -> Self {
        let hz = codec.clock_hz();
        let bytes = match codec {
            Codec::Opus => JITTER_OPUS_BYTES,
            Codec::L16(_) => 2 * (hz / 1_000) as usize * JITTER_HOLDS.as_millis() as usize,
            Codec::Pcmu | Codec::Pcma | Codec::G722 => (hz / 1_000) as usize * JITTER_HOLDS.as_millis() as usize,
        };
        // The longest packet comes when a frame but for one sample is there already.
        let room = rate.samples(PAYLOAD_TIME_MAX.as_millis() as u32 + FRAME_TIME.as_millis() as u32);
        Self {
            codec,
            rate,
            buffer: Buffer::new(hz, bytes),
            decoder: Decoder::new(codec, rate),
            plc: Plc::new(rate, seed),
            comfort: cn::Noise::new(seed),
            resting: false,
            staged: vec![0; room].into(),
            filled: 0,
            staged_sound: false,
            concealed: 0,
            watched: 0,
            least_excess: i32::MAX,
            level: level::Meter::default(),
        }
    }

    /// The source started over (another SSRC): what waits is forgotten.
    pub fn restart(&mut self) {
        self.buffer.restart();
        self.resting = false;
    }

    /// A packet of sound came.
    pub fn packet(&mut self, now: At, seq: u16, ts: u32, marker: bool, payload: &[u8]) -> Put {
        let ticks = ticks(self.codec, payload);
        self.buffer.put(now, Packet { seq, ts, ticks, marker, comfort: false, payload })
    }

    /// A packet of comfort noise (RFC 3389) came.
    pub fn comfort(&mut self, now: At, seq: u16, ts: u32, payload: &[u8]) -> Put {
        self.buffer.put(now, Packet { seq, ts, ticks: 0, marker: false, comfort: true, payload })
    }

    /// The next frame: `out` holds 20 ms at the rate given to [`Playout::new`].
    pub fn frame(&mut self, now: At, out: &mut [i16]) -> Heard {
        // What is left of a longer packet is sound.
        let mut kinds = Kinds { sound: self.staged_sound, ..Kinds::default() };
        self.fill(now, out.len(), &mut kinds);
        self.staged_sound = kinds.sound && self.filled > out.len();
        self.adjust(now, out.len());
        out.copy_from_slice(&self.staged[..out.len()]);
        self.staged.copy_within(out.len()..self.filled, 0);
        self.filled -= out.len();
        self.level.frame(out);
        kinds.verdict()
    }

    /// Have at least `wanted` samples staged.
    fn fill(&mut self, now: At, wanted: usize, kinds: &mut Kinds) {
        while self.filled < wanted {
            let (held, want) = (self.ticks_of(self.filled), self.ticks_of(wanted - self.filled).max(1));
            let room = &mut self.staged[self.filled..];
            let (codec, rate) = (self.codec, self.rate);
            let made = match self.buffer.pull(now, held, want) {
                Next::Packet(payload) => {
                    let n = self.decoder.decode(payload, room);
                    self.resting = false;
                    if n > 0 {
                        self.plc.heard(&mut room[..n]);
                        kinds.sound = true;
                    }
                    n
                }
                Next::Comfort(payload) => {
                    self.comfort.describe(payload);
                    self.resting = true;
                    0
                }
                Next::Lost { ticks, next } if !self.resting => {
                    let n = samples(ticks, codec, rate).min(room.len());
                    let room = &mut room[..n];
                    let own = match next {
                        Some(next) => self.decoder.recover(next, room),
                        None => self.decoder.conceal(room),
                    };
                    if own < room.len() {
                        self.plc.conceal(&mut room[own..]);
                    }
                    self.concealed += room.len() as u64;
                    kinds.concealed = true;
                    room.len()
                }
                Next::Lost { ticks, .. } | Next::Nothing { ticks } => {
                    let n = samples(ticks, codec, rate).min(room.len());
                    let room = &mut room[..n];
                    if self.resting {
                        self.comfort.fill(room);
                        kinds.comfort = true;
                    } else {
                        room.fill(0);
                    }
                    self.plc.silent();
                    room.len()
                }
            };
            self.filled += made;
            if self.resting {
                self.buffer.rest();
            }
        }
    }

    /// Bring the delay nearer to its goal: more of it at once, less of it by a period a second, more often while it is quiet.
    fn adjust(&mut self, now: At, frame: usize) {
        let Some(excess) = self.buffer.excess(now, self.ticks_of(self.filled)) else {
            (self.watched, self.least_excess) = (0, i32::MAX);
            return;
        };
        let slack = SLACK_MS * (self.codec.clock_hz() / 1_000) as i32;
        if excess < -slack {
            self.filled += self.plc.extend(&mut self.staged[self.filled..], frame);
        }
        self.least_excess = self.least_excess.min(excess);
        self.watched += 1;
        let often = if level::dbfs(&self.staged[..frame]) < QUIET_DBFS { SHORTEN_QUIET_EVERY } else { SHORTEN_EVERY };
        if self.watched < often {
            return;
        }
        if self.least_excess > slack {
            self.shorten(now);
        }
        (self.watched, self.least_excess) = (0, i32::MAX);
    }

    /// Take out a period. That needs more sound to look at than a frame: a packet that waits is decoded earlier.
    fn shorten(&mut self, now: At) {
        let needs = self.rate.samples(stretch::NEEDS_MS);
        while self.filled < needs {
            let Some(ticks) = self.buffer.ready() else { return };
            if self.samples(ticks) > self.staged.len() - self.filled {
                return;
            }
            let mut as_before = Kinds::default();
            self.fill(now, self.filled + 1, &mut as_before);
        }
        if let Some(left) = stretch::shorten(&mut self.staged[..self.filled], self.rate) {
            self.filled = left;
        }
    }

    /// Made-up sound so far, milliseconds.
    pub fn concealed_ms(&self) -> u32 {
        (self.concealed / self.rate.samples(1) as u64) as u32
    }

    /// How loud it is.
    pub fn level(&self) -> &level::Meter {
        &self.level
    }

    /// The delay between a packet's arrival, were it the quickest, and its being heard. `None` while nothing is heard.
    pub fn delay(&self, now: At) -> Option<Duration> {
        let ticks = self.buffer.delayed(now, self.ticks_of(self.filled))?.max(0) as u64;
        Some(Duration::from_micros(ticks * 1_000_000 / u64::from(self.codec.clock_hz())))
    }

    fn ticks_of(&self, samples: usize) -> u32 {
        (samples as u64 * u64::from(self.codec.clock_hz()) / u64::from(self.rate.hz())) as u32
    }

    fn samples(&self, ticks: u32) -> usize {
        samples(ticks, self.codec, self.rate)
    }
}

fn samples(ticks: u32, codec: Codec, rate: Rate) -> usize {
    (u64::from(ticks) * u64::from(rate.hz())).div_ceil(u64::from(codec.clock_hz())) as usize
}

/// How long a payload lasts, in ticks of its RTP clock; 0 for what cannot be a payload of this codec.
pub fn ticks(codec: Codec, payload: &[u8]) -> u32 {
    match codec {
        // G.722 has two samples in a byte and counts them as one (RFC 3551 section 4.5.2).
        Codec::Pcmu | Codec::Pcma | Codec::G722 => payload.len() as u32,
        Codec::L16(_) => payload.len() as u32 / 2,
        Codec::Opus => opus_ticks(payload),
    }
}

/// RFC 6716 section 3.1: the first byte tells the length of a frame, and how many there are.
fn opus_ticks(payload: &[u8]) -> u32 {
    let Some(&toc) = payload.first() else { return 0 };
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1_920, 2_880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1).map_or(0, |b| b & 0x3F)),
    };
    frame * frames
}

/// What went into a frame.
#[derive(Debug, Default)]
struct Kinds {
    sound: bool,
    concealed: bool,
    comfort: bool,
}

impl Kinds {
    fn verdict(&self) -> Heard {
        match self {
            Self { concealed: true, .. } => Heard::Concealed,
            Self { sound: true, .. } => Heard::Sound,
            Self { comfort: true, .. } => Heard::Comfort,
            _ => Heard::Silent,
        }
    }
}

#[cfg(test)]
mod tests;
