//! The mixer: every 20 ms each listener of a bridge gets the sum of those it hears.
//!
//! All that speak are added up once; a listener who hears all but a few has those few taken off again, so that the cost grows
//! with those who speak and with those who listen, and not with both at once. Those who hear the same in the same codec
//! share one encoder: at once where it has no memory, and after some seconds of silence where it has.

use super::{
    Shard,
    bridge::Row,
    outgoing::{Piece, Target},
    play,
};
use crate::{
    codec::{Encoder, cn},
    limits::{BRIDGE_LEGS_MAX, FRAME_TIME, PAYLOAD_SENT_MAX},
    playout::Heard,
    shard::Out,
    time::At,
    wire::{Codec, Opus, Rate},
};

/// Milliseconds of a frame.
const FRAME_MS: u32 = FRAME_TIME.as_millis() as u32;
/// Samples of a frame at the highest rate.
pub(super) const FRAME_MAX: usize = Rate::K48.samples(FRAME_MS);
/// Quieter than this all through, a frame adds nothing anybody hears: the steps of A-law around zero.
const UNHEARD: u16 = 16;
/// Ticks of silence after which a leg is one of the audience: two seconds.
const STILL: u8 = 100;
/// So many parties and their loudness is evened out. Two hear each other as they are, like in a relay.
const CROWD: usize = 3;
/// Payloads kept at once for those who hear the same.
const MADE_MAX: usize = 8;

/// Where a mix is laid out. One per shard, used by one bridge after the other.
pub(super) struct Desk {
    /// A frame of each member.
    frames: Box<[[i16; FRAME_MAX]]>,
    /// A frame of a single leg.
    pub single: [i16; FRAME_MAX],
    total: [i32; FRAME_MAX],
    sum: [i16; FRAME_MAX],
    made: [Made; MADE_MAX],
}

/// A payload that was encoded in this tick.
#[derive(Clone, Copy)]
struct Made {
    row: Row,
    codec: Codec,
    length: usize,
    /// Nobody is heard in it.
    silence: Option<u8>,
    payload: [u8; PAYLOAD_SENT_MAX],
}

impl Made {
    fn piece(&self, room: &mut [u8]) -> Piece {
        Piece { length: play::copy(&self.payload[..self.length], room), silence: self.silence }
    }
}

impl Default for Desk {
    fn default() -> Self {
        let made = Made { row: 0, codec: Codec::Pcmu, length: 0, silence: None, payload: [0; PAYLOAD_SENT_MAX] };
        Self {
            frames: vec![[0; FRAME_MAX]; BRIDGE_LEGS_MAX].into(),
            single: [0; FRAME_MAX],
            total: [0; FRAME_MAX],
            sum: [0; FRAME_MAX],
            made: [made; MADE_MAX],
        }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

/// An encoder with memory that the audience of a bridge shares.
pub(super) struct Stand {
    codec: Codec,
    opus: Opus,
    encoder: Encoder,
    /// The payload of this tick.
    length: usize,
    /// Nobody is heard in it.
    silence: Option<u8>,
    payload: [u8; PAYLOAD_SENT_MAX],
    fresh: bool,
}

impl std::fmt::Debug for Stand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stand({:?})", self.codec)
    }
}

impl Stand {
    fn new(codec: Codec, opus: Opus, rate: Rate, complexity: u8) -> Self {
        let mut encoder = Encoder::new(codec, rate, opus);
        encoder.set_complexity(complexity);
        Self { codec, opus, encoder, length: 0, silence: None, payload: [0; PAYLOAD_SENT_MAX], fresh: false }
    }

    fn piece(&self, room: &mut [u8]) -> Piece {
        Piece { length: play::copy(&self.payload[..self.length], room), silence: self.silence }
    }

    pub fn try_as_hard_as(&mut self, complexity: u8) {
        self.encoder.set_complexity(complexity);
    }
}

impl Desk {
    /// The frames of `row`, of which everybody in `speaking` is in the total already, added up; what is too loud is cut at
    /// full scale.
    fn sum(&mut self, row: Row, speaking: Row, n: usize) {
        let missing = speaking & !row;
        let mut wide = [0i32; FRAME_MAX];
        let wide = &mut wide[..n];
        let add = |wide: &mut [i32], frames: &[[i16; FRAME_MAX]], mut row: Row, sign: i32| {
            while row != 0 {
                let frame = &frames[row.trailing_zeros() as usize][..n];
                wide.iter_mut().zip(frame).for_each(|(w, s)| *w += sign * i32::from(*s));
                row &= row - 1;
            }
        };
        if missing.count_ones() < row.count_ones() {
            wide.copy_from_slice(&self.total[..n]);
            add(wide, &self.frames, missing, -1);
        } else {
            add(wide, &self.frames, row, 1);
        }
        for (o, w) in self.sum[..n].iter_mut().zip(wide) {
            *o = (*w).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }
}

impl Shard {
    /// One tick of every mixing bridge of this phase.
    pub(super) fn mix(&mut self, now: At, phase: u64, out: &mut impl Out) {
        let Self { legs, bridges, mixing, records, desk, totals, effort, .. } = self;
        for id in mixing.iter() {
            let Some(b) = bridges.get_mut(id).filter(|b| b.phase == phase) else { continue };
            let n = b.rate.samples(FRAME_MS);
            let mut speaking: Row = 0;
            desk.total[..n].fill(0);
            let crowd = b.members.len() >= CROWD;
            for (i, (_, slot)) in b.members.iter().enumerate() {
                let Some(leg) = legs.get_mut(*slot as usize).and_then(Option::as_deref_mut) else { continue };
                let frame = &mut desk.frames[i][..n];
                let heard = leg.ear.as_mut().map_or(Heard::Silent, |e| e.playout.frame(now, frame));
                if heard == Heard::Silent {
                    frame.fill(0);
                } else {
                    leg.check_alive(frame, FRAME_TIME, out);
                }
                if let Some(live) = &mut leg.live {
                    live.said(leg.id, b.rate, frame, heard == Heard::Concealed, out);
                }
                // Whoever listens beside the bridge hears it as it was said.
                if crowd && let Some(ear) = leg.ear.as_mut().filter(|_| heard != Heard::Silent || leg.still < STILL) {
                    ear.gain.frame(frame);
                }
                if heard != Heard::Silent && frame.iter().any(|s| s.unsigned_abs() > UNHEARD) {
                    speaking |= 1 << i;
                    leg.still = 0;
                    desk.total[..n].iter_mut().zip(frame).for_each(|(t, s)| *t += i32::from(*s));
                } else {
                    leg.still = leg.still.saturating_add(1);
                }
            }
            b.stands.iter_mut().for_each(|s| s.fresh = false);
            let mut made = 0;
            // The row whose sum lies on the desk.
            let mut summed = None;
            for (i, (_, slot)) in b.members.iter().enumerate() {
                let Some(leg) = legs.get_mut(*slot as usize).and_then(Option::as_deref_mut) else { continue };
                if leg.occupied() {
                    continue;
                }
                let row = b.hears[i] & speaking;
                let tapped = leg.live.as_ref().is_some_and(|l| l.wants_heard().is_some());
                let target = leg.target();
                let before = leg.out.packets;
                let one_frame = target.filter(|t| t.ptime_ms == FRAME_MS);
                let known = one_frame.and_then(|t| desk.made[..made].iter().position(|m| m.row == row && m.codec == t.codec));
                if (tapped || known.is_none()) && target.is_some() && summed != Some(row) {
                    desk.sum(row, speaking, n);
                    summed = Some(row);
                }
                if tapped && let Some(live) = &mut leg.live {
                    live.heard(b.rate, &desk.sum[..n]);
                }
                match (one_frame, known) {
                    (Some(t), Some(known)) => {
                        let m = &desk.made[known];
                        leg.say_shared(now, &t, records, out, |room| m.piece(room));
                    }
                    (Some(t), None) if memoryless(t.codec, b.rate) && made < MADE_MAX => {
                        let m = &mut desk.made[made];
                        made += 1;
                        (m.row, m.codec) = (row, t.codec);
                        m.silence = cn::silence(&desk.sum[..n]);
                        m.length = Encoder::new(t.codec, b.rate, t.opus).encode(&desk.sum[..n], &mut m.payload);
                        leg.say_shared(now, &t, records, out, |room| m.piece(room));
                    }
                    (Some(t), None) if !memoryless(t.codec, b.rate) && row == speaking && leg.still >= STILL => {
                        let stand = stand(&mut b.stands, &t, b.rate, effort.complexity());
                        if !std::mem::replace(&mut stand.fresh, true) {
                            stand.silence = cn::silence(&desk.sum[..n]);
                            stand.length = stand.encoder.encode(&desk.sum[..n], &mut stand.payload);
                        }
                        leg.say_shared(now, &t, records, out, |room| stand.piece(room));
                    }
                    _ => leg.say(now, (b.rate, &desk.sum[..n]), records, out),
                }
                totals.packets_out += leg.out.packets - before;
            }
        }
    }
}

/// Whether every frame is encoded for itself: then a fresh encoder is as good as an old one, and costs nothing.
fn memoryless(codec: Codec, rate: Rate) -> bool {
    matches!(codec, Codec::Pcmu | Codec::Pcma | Codec::L16(_)) && codec.sample_rate() == rate
}

/// The encoder for those who agreed to the same. Made when the first of them joins the audience.
fn stand<'a>(stands: &'a mut Vec<Stand>, t: &Target, rate: Rate, complexity: u8) -> &'a mut Stand {
    let i = stands.iter().position(|s| (s.codec, s.opus) == (t.codec, t.opus)).unwrap_or_else(|| {
        stands.push(Stand::new(t.codec, t.opus, rate, complexity));
        stands.len() - 1
    });
    &mut stands[i]
}
