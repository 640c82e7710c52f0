//! Sending digits: which packet is due on this tick of 20 ms.
//!
//!     Idle ──push──▶ Tone(n)──whole tone──▶ End(3 packets)──▶ Gap ──▶ Tone of the next digit, or Idle
//!
//! All packets of a digit share one timestamp, the duration grows, the last is sent three times (RFC 4733 2.5.1). The
//! timestamp is given by whoever owns the stream.

use std::{collections::VecDeque, time::Duration};

use super::{Payload, code};
use crate::limits::{DTMF_FORWARD_MAX, DTMF_FORWARD_TONE_MAX, DTMF_QUEUE_MAX, DTMF_TONE_MAX, FRAME, FRAME_TIME};

/// How often the end of a digit is sent.
pub const ENDS: u8 = 3;
/// Shortest tone a receiver must recognise (ITU-T Q.24 says 40 ms).
const TONE_MIN: Duration = Duration::from_millis(40);

/// The digits waiting to go out on one leg.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    waiting: VecDeque<Digit>,
    now: Option<Now>,
    asked: bool,
}

#[derive(Debug, Clone, Copy)]
struct Digit {
    code: u8,
    frames: u16,
    gap: u16,
}

#[derive(Debug, Clone, Copy)]
struct Now {
    digit: Digit,
    frame: u16,
    ends: u8,
    gap: u16,
}

/// What to put on the wire on this tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A packet; `first`: of a new digit, so it takes a new timestamp and the marker.
    Packet {
        /// What it says.
        payload: Payload,
        /// Of a new digit.
        first: bool,
    },
    /// Silence between two digits.
    Gap,
    /// The last digit is out: say so once.
    Done,
}

fn frames(d: Duration) -> u16 {
    d.as_nanos().div_ceil(FRAME_TIME.as_nanos()) as u16
}

impl Sender {
    /// Queue digits somebody asked for: [`Self::asked`] when they are out. What is no digit is skipped, what is beyond the
    /// bound is not sent.
    pub fn push(&mut self, digits: &str, tone: Duration, gap: Duration) {
        self.asked = true;
        self.queue(digits, tone, gap);
    }

    /// Queue a digit that another leg pressed. Digits take the place of sound, so somebody leaning on the keys must not make
    /// the others deaf: long presses are cut short, and beyond a few waiting the newest is not passed on.
    pub fn forward(&mut self, digit: &str, held: Duration) {
        if self.waiting.len() < DTMF_FORWARD_MAX {
            self.queue(digit, held.min(DTMF_FORWARD_TONE_MAX), FRAME_TIME * 3);
        }
    }

    /// Whether somebody is to be told that all is out; says so once.
    pub fn asked(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }

    fn queue(&mut self, digits: &str, tone: Duration, gap: Duration) {
        let (tone, gap) = (frames(tone.clamp(TONE_MIN, DTMF_TONE_MAX)), frames(gap.min(DTMF_TONE_MAX)));
        let room = DTMF_QUEUE_MAX.saturating_sub(self.waiting.len());
        self.waiting.extend(digits.chars().filter_map(code).take(room).map(|code| Digit { code, frames: tone, gap }));
    }

    /// Whether digits are being sent or waiting.
    pub fn busy(&self) -> bool {
        self.now.is_some() || !self.waiting.is_empty() || self.asked
    }

    /// One tick of 20 ms. Ask only while [`Self::busy`].
    pub fn tick(&mut self) -> Due {
        let (now, first) = match &mut self.now {
            Some(now) => (now, false),
            None => match self.waiting.pop_front() {
                Some(digit) => (self.now.insert(Now { digit, frame: 0, ends: 0, gap: digit.gap }), true),
                None => return Due::Done,
            },
        };
        if now.frame < now.digit.frames || now.ends < ENDS {
            if now.frame < now.digit.frames {
                now.frame += 1;
            }
            let end = now.frame == now.digit.frames;
            now.ends += u8::from(end);
            let duration = (usize::from(now.frame) * FRAME).min(usize::from(u16::MAX)) as u16;
            return Due::Packet { payload: Payload { code: now.digit.code, end, volume: 10, duration }, first };
        }
        // The two repeats of the end already were 40 ms of gap.
        if now.gap > u16::from(ENDS) - 1 {
            now.gap -= 1;
            return Due::Gap;
        }
        self.now = None;
        if self.waiting.is_empty() { Due::Done } else { self.tick() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_is_a_growing_duration_and_three_ends_and_then_the_next_digit() {
        let mut s = Sender::default();
        s.push("1x#", Duration::from_millis(60), Duration::from_millis(60));
        let mut said = Vec::new();
        while s.busy() {
            said.push(match s.tick() {
                Due::Packet { payload: p, first } => {
                    format!("{}{}{}{}", if first { "!" } else { "" }, p.code, if p.end { "E" } else { "" }, p.duration)
                }
                Due::Gap => "-".into(),
                Due::Done => {
                    assert!(s.asked());
                    ".".into()
                }
            });
        }
        assert_eq!(said.join(" "), "!1160 1320 1E480 1E480 1E480 - !11160 11320 11E480 11E480 11E480 - .");
    }
}
