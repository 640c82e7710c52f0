//! Receiving digits: each exactly once, whatever the network does to its packets.
//!
//!     Nothing ──packet──▶ Held ──end bit, next event, or 200 ms without a packet──▶ reported
//!
//! An event is known by its timestamp (RFC 4733 2.3), which all its packets share; the last few timestamps reported are
//! remembered, so that repeats of the end and stragglers change nothing.

use std::time::Duration;

use super::{Payload, digit};
use crate::{
    limits::DTMF_LOST_END,
    time::{At, samples},
};

/// Segments of one event that may be missed on the way and the event is still the same: ten seconds at 48 kHz.
const SEGMENTS_MAX: u32 = 8;
/// Reported events whose stragglers are still known.
const REMEMBERED: usize = 16;

/// A digit, pressed and released.
pub type Pressed = (char, Duration);

/// The receiver of one leg.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    held: Option<Held>,
    /// The event whose packets stopped without an end: its timestamp and code. It may turn out to go on.
    lapsed: Option<(u32, u8)>,
    reported: [Option<u32>; REMEMBERED],
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    ts: u32,
    code: u8,
    /// Ticks of this event in segments that are complete (RFC 4733 2.5.1.3).
    before: u32,
    duration: u16,
    last: At,
}

impl Held {
    fn pressed(&self) -> Option<Pressed> {
        digit(self.code).map(|d| (d, samples(self.before + u32::from(self.duration))))
    }
}

impl Receiver {
    /// An event packet came. Up to two digits are over by it: one that never ended, and its own.
    pub fn packet(&mut self, now: At, ts: u32, p: Payload) -> [Option<Pressed>; 2] {
        if digit(p.code).is_none() || self.reported.contains(&Some(ts)) {
            return [None, None];
        }
        // What was given up for lost goes on in a new segment: it was told already.
        if self.held.is_none() && self.lapsed.is_some_and(|(before, code)| code == p.code && continues(before, ts)) {
            self.lapsed = Some((ts, p.code)).filter(|_| !p.end);
            self.remember(ts);
            return [None, None];
        }
        let mut over = [None, None];
        match &mut self.held {
            Some(h) if h.ts == ts => {
                // A packet overtaken by its successor must not shorten the press.
                h.duration = h.duration.max(p.duration);
                h.last = now;
            }
            // A key held longer than the field can say goes on in a new segment, whether or not the end of the last one came.
            Some(h) if h.code == p.code && continues(h.ts, ts) => {
                let before = h.before.saturating_add(ts.wrapping_sub(h.ts));
                self.reported[self.next] = Some(h.ts);
                self.next = (self.next + 1) % REMEMBERED;
                *h = Held { ts, code: p.code, before, duration: p.duration, last: now };
            }
            Some(h) if (ts.wrapping_sub(h.ts) as i32) < 0 => {
                // All of an older event was overtaken by a newer one: it counts, and the newer one goes on.
                self.remember(ts);
                return [digit(p.code).map(|d| (d, samples(u32::from(p.duration)))), None];
            }
            _ => {
                over[0] = self.finish();
                self.held = Some(Held { ts, code: p.code, before: 0, duration: p.duration, last: now });
            }
        }
        if p.end {
            over[1] = self.finish();
        }
        over
    }

    /// Whether a key is down: [`Self::tick`] is to be asked.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// A held digit whose packets stopped coming is over.
    pub fn tick(&mut self, now: At) -> Option<Pressed> {
        let h = self.held.filter(|h| now.since(h.last) >= DTMF_LOST_END)?;
        self.lapsed = Some((h.ts, h.code));
        self.finish()
    }

    fn finish(&mut self) -> Option<Pressed> {
        let h = self.held.take()?;
        self.remember(h.ts);
        h.pressed()
    }

    fn remember(&mut self, ts: u32) {
        self.reported[self.next] = Some(ts);
        self.next = (self.next + 1) % REMEMBERED;
    }
}

/// Whether an event that began at `ts` may be a later segment of one that began at `before` (RFC 4733 section 2.5.1.3).
fn continues(before: u32, ts: u32) -> bool {
    let (further, segment) = (ts.wrapping_sub(before), u32::from(u16::MAX));
    further > 0 && further.is_multiple_of(segment) && further / segment <= SEGMENTS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: u8, duration: u16, end: bool) -> Payload {
        Payload { code, end, volume: 10, duration }
    }

    #[test]
    fn a_press_is_reported_once_on_its_end_and_its_repeats_are_not_another() {
        let mut r = Receiver::default();
        assert_eq!(r.packet(At(0), 100, event(5, 160, false)), [None, None]);
        assert_eq!(r.packet(At(0), 100, event(5, 800, true))[1], Some(('5', Duration::from_millis(100))));
        assert_eq!(r.packet(At(0), 100, event(5, 800, true)), [None, None]);
        assert_eq!(r.packet(At(0), 100, event(5, 320, false)), [None, None]);
        assert_eq!(r.tick(At(9_000_000_000)), None);
    }

    #[test]
    fn a_press_without_an_end_is_over_when_the_next_begins_or_when_time_passes() {
        let mut r = Receiver::default();
        r.packet(At(0), 100, event(1, 400, false));
        assert_eq!(r.packet(At(0), 2_000, event(1, 160, false))[0], Some(('1', Duration::from_millis(50))));
        assert_eq!(r.tick(At(199_000_000)), None);
        assert_eq!(r.tick(At(200_000_000)), Some(('1', Duration::from_millis(20))));
        assert_eq!(r.packet(At(0), 2_000, event(1, 400, true)), [None, None], "its end came after all");
    }

    #[test]
    fn a_key_held_for_twelve_seconds_is_one_press() {
        let mut r = Receiver::default();
        r.packet(At(0), 0, event(10, 65_535, false));
        assert_eq!(r.packet(At(0), 65_535, event(10, 160, false)), [None, None]);
        let [_, over] = r.packet(At(0), 65_535, event(10, 30_465, true));
        assert_eq!(over, Some(('*', Duration::from_secs(12))));
    }

    #[test]
    fn a_long_press_stays_one_when_the_ends_of_its_segments_or_whole_segments_are_lost() {
        let ms = |n: u64| At(n * 1_000_000);
        let mut r = Receiver::default();
        r.packet(ms(0), 0, event(10, 60_000, false));
        assert_eq!(r.packet(ms(100), 65_535, event(10, 4_000, false)), [None, None], "the end of the first was lost");
        assert_eq!(r.packet(ms(120), 0, event(10, 65_535, false)), [None, None], "or came late");
        assert_eq!(r.packet(ms(150), 3 * 65_535, event(10, 400, false)), [None, None]);
        let told = r.tick(ms(350)).expect("given up");
        assert_eq!(told, ('*', samples(3 * 65_535 + 400)));
        assert_eq!(r.packet(ms(900), 4 * 65_535, event(10, 900, false)), [None, None], "and yet it went on");
        assert_eq!(r.packet(ms(950), 5 * 65_535, event(10, 900, true)), [None, None]);
        assert_eq!(r.tick(ms(9_000)), None);
        let next = 6 * 65_535;
        assert_eq!(r.packet(ms(9_000), next, event(10, 900, true))[1].map(|d| d.0), Some('*'), "the next press is one");
    }

    #[test]
    fn a_flash_is_no_digit() {
        assert_eq!(Receiver::default().packet(At(0), 1, event(16, 400, true)), [None, None]);
    }
}
