//! How long packets are held before they are heard.
//!
//! Every packet has a transit: when it came minus when it was spoken, both in ticks of the RTP clock. The zero of that scale
//! means nothing, its spread is the jitter. What is aimed at is the transit of the quickest packet of the last seconds, plus
//! what 98 of 100 packets need beyond that, plus one frame, because a tick takes 20 ms at once.
//!
//!     quickest ──┬── 98 of 100 ──┬── frame ──┐
//!     ───────────┴───────────────┴───────────┴──▶ transit
//!                 lateness         goal
//!
//! The quickest transit is taken anew every few seconds, so a clock that runs fast or slow carries the goal along.

use crate::limits::{FRAME_TIME, JITTER_DELAY_MAX};

/// Width of a class of lateness, milliseconds.
const CLASS_MS: u32 = 5;
/// Classes; the last takes all that is later.
const CLASSES: usize = 72;
/// Packets after which what was seen before counts half: about ten seconds of 20 ms packets.
const MEMORY: u16 = 512;
/// One packet in so many may come later than the goal.
const LATE_ONE_IN: u16 = 50;
/// Packets from which one quickest transit is taken; the last two such times count.
const QUICKEST_OVER: u16 = 200;

/// What is known about the arrival of one stream. Transits are differences of clocks modulo 2^32: only compare them.
#[derive(Debug, Clone)]
pub struct Delay {
    /// Ticks in a millisecond.
    ms: u32,
    classes: [u16; CLASSES],
    counted: u16,
    /// The quickest transit of these packets and of those before.
    quickest: Option<(u32, u32)>,
    since: u16,
    /// Ticks.
    goal: u32,
}

impl Delay {
    /// Of a stream whose clock runs at `hz`. It begins with a goal of one frame.
    pub fn new(hz: u32) -> Self {
        let ms = hz / 1_000;
        Self { ms, classes: [0; CLASSES], counted: 0, quickest: None, since: 0, goal: ms * FRAME_TIME.as_millis() as u32 }
    }

    /// Clocks started over: transits before cannot be compared with those to come. The goal stays.
    pub fn rebase(&mut self) {
        self.quickest = None;
        self.since = 0;
    }

    /// A packet came after `transit`.
    pub fn came(&mut self, transit: u32) {
        let (now, before) = match self.quickest {
            None => (transit, transit),
            Some((now, before)) if self.since >= QUICKEST_OVER => {
                let _two_times_ago = before;
                self.since = 0;
                (transit, now)
            }
            Some((now, before)) => (sooner(now, transit), before),
        };
        self.since += 1;
        self.quickest = Some((now, before));
        let late = transit.wrapping_sub(sooner(now, before)) as i32;
        let class = (late.max(0) as u32 / (self.ms * CLASS_MS)) as usize;
        self.classes[class.min(CLASSES - 1)] += 1;
        self.counted += 1;
        if self.counted >= MEMORY {
            self.classes.iter_mut().for_each(|c| *c /= 2);
            self.counted = self.classes.iter().sum();
        }
        self.goal = self.needed();
    }

    /// Ticks that all but one in [`LATE_ONE_IN`] need, and a frame.
    fn needed(&self) -> u32 {
        let mut may_be_late = self.counted / LATE_ONE_IN;
        let mut class = CLASSES - 1;
        while class > 0 && self.classes[class] <= may_be_late {
            may_be_late -= self.classes[class];
            class -= 1;
        }
        // The lowest class is less than 5 ms: nothing to wait for.
        let late_ms = if class == 0 { 0 } else { (class as u32 + 1) * CLASS_MS };
        let frame = FRAME_TIME.as_millis() as u32;
        self.ms * (late_ms + frame).min(JITTER_DELAY_MAX.as_millis() as u32)
    }

    /// Ticks between the quickest packet and its being heard that are aimed at.
    pub fn goal(&self) -> u32 {
        self.goal
    }

    /// How much later than the quickest packet could be heard `transit` is, ticks; `None` before the first packet.
    pub fn held(&self, transit: u32) -> Option<i32> {
        let (now, before) = self.quickest?;
        Some(transit.wrapping_sub(sooner(now, before)) as i32)
    }
}

fn sooner(a: u32, b: u32) -> u32 {
    if (a.wrapping_sub(b) as i32) < 0 { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Chance;

    fn goal_ms(d: &Delay) -> u32 {
        d.goal() / 8
    }

    #[test]
    fn the_goal_follows_what_98_of_100_packets_need_and_one_straggler_does_not_move_it() {
        let mut d = Delay::new(8_000);
        for i in 0..600 {
            d.came((u32::MAX - 500).wrapping_add(if i == 300 { 2_000 } else { 0 }));
        }
        assert_eq!(goal_ms(&d), 20);
        let mut chance = Chance::new(3);
        for _ in 0..600 {
            d.came((u32::MAX - 500).wrapping_add(chance.word() % 800));
        }
        assert!((110..=125).contains(&goal_ms(&d)), "{} ms for 100 ms of jitter", goal_ms(&d));
        for _ in 0..3_000 {
            d.came(u32::MAX - 500);
        }
        assert_eq!(goal_ms(&d), 20, "a minute later");
    }

    #[test]
    fn a_clock_that_is_off_moves_the_scale_and_not_the_goal() {
        for off in [-500i32, 500] {
            let mut d = Delay::new(8_000);
            // 160 ticks a packet, 500 ppm: 8 ticks in 100 packets.
            for i in 0..90_000i32 {
                d.came((i * off / 6_250) as u32);
            }
            assert!(goal_ms(&d) <= 30, "{} ms at {off} ppm", goal_ms(&d));
        }
    }
}
