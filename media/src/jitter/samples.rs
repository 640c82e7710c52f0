//! The buffer between arrival and the 20 ms tick, one per speaker of a mix and per side of a recording.
//!
//! Samples lie in a ring at their timestamp; every tick takes the next 160. The delay follows the network: a packet that
//! comes too late pushes the play head back by its lateness, and when the buffer never ran as low as its goal for two
//! seconds, one frame is skipped. The same two rules absorb clocks that do not run alike.
//!
//! A gap is filled with the last frame, fading out over 60 ms; then it is silence.

use super::Put;
use crate::limits::{FRAME, JITTER_MAX, JITTER_MIN, JITTER_SAMPLES};

/// Ticks over which the lowest fill is watched before the delay may shrink: two seconds.
const WATCH: u32 = 100;
/// Ticks without a sample after which the stream counts as paused and the next packet starts anew.
const PAUSED: u32 = 10;
/// Frames a gap is filled with before it is silence.
const CONCEAL: u32 = 3;

const SAMPLES: u32 = JITTER_SAMPLES as u32;
const WORDS: usize = JITTER_SAMPLES / 64;

/// See the module.
#[derive(Clone)]
pub struct Jitter {
    pcm: Box<[i16; JITTER_SAMPLES]>,
    have: [u64; WORDS],
    /// Timestamp of the next sample to play.
    head: u32,
    /// Timestamp after the newest sample.
    end: u32,
    running: bool,
    goal: u32,
    goal_max: u32,
    conceal: bool,
    lowest: u32,
    watched: u32,
    empty: u32,
    last: [i16; FRAME],
}

impl std::fmt::Debug for Jitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jitter").field("running", &self.running).field("goal", &self.goal).field("fill", &self.fill()).finish()
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Self::new(JITTER_MIN, JITTER_MAX, true)
    }
}

impl Jitter {
    /// A buffer that starts with a delay of `goal` samples and may grow to `goal_max`.
    pub fn new(goal: u32, goal_max: u32, conceal: bool) -> Self {
        Self {
            pcm: vec![0; JITTER_SAMPLES].into_boxed_slice().try_into().expect("the vector has just this length"),
            have: [0; WORDS],
            head: 0,
            end: 0,
            running: false,
            goal,
            goal_max,
            conceal,
            lowest: u32::MAX,
            watched: 0,
            empty: 0,
            last: [0; FRAME],
        }
    }

    /// Forget everything: the source started over.
    pub fn restart(&mut self) {
        self.running = false;
        self.have = [0; WORDS];
        self.last = [0; FRAME];
        self.empty = 0;
    }

    /// Samples between the play head and the newest sample.
    pub fn fill(&self) -> u32 {
        if self.running { (self.end.wrapping_sub(self.head) as i32).max(0) as u32 } else { 0 }
    }

    /// Where a sample that arrives now belongs so that it is heard after the delay aimed at; `None` while nothing runs.
    pub fn due(&self) -> Option<u32> {
        self.running.then(|| self.head.wrapping_add(self.goal))
    }

    /// The delay aimed at, samples.
    pub fn goal(&self) -> u32 {
        self.goal
    }

    /// Samples spoken at `ts` arrived.
    pub fn put(&mut self, ts: u32, pcm: &[i16]) -> Put {
        let length = pcm.len() as u32;
        if !self.running {
            self.restart();
            self.begin(ts);
        }
        let ahead = ts.wrapping_sub(self.head) as i32;
        if ahead < 0 {
            // The goal grows by what was missing; the head waits that long.
            let late = ahead.unsigned_abs();
            if late > SAMPLES {
                self.restart();
                self.begin(ts);
            } else {
                let room = self.goal_max.saturating_sub(self.goal);
                let back = late.next_multiple_of(FRAME as u32).min(room);
                self.goal += back;
                self.head = self.head.wrapping_sub(back);
                self.watched = 0;
                self.lowest = u32::MAX;
                if back < late {
                    return Put::Late;
                }
            }
        } else if ahead as u32 + length > SAMPLES {
            self.restart();
            self.begin(ts);
        }
        for (i, s) in pcm.iter().enumerate() {
            let at = ts.wrapping_add(i as u32) as usize % JITTER_SAMPLES;
            self.pcm[at] = *s;
            self.have[at / 64] |= 1 << (at % 64);
        }
        let end = ts.wrapping_add(length);
        if (end.wrapping_sub(self.end) as i32) > 0 {
            self.end = end;
        }
        Put::Taken
    }

    fn begin(&mut self, ts: u32) {
        self.running = true;
        self.head = ts.wrapping_sub(self.goal);
        self.end = ts;
        self.lowest = u32::MAX;
        self.watched = 0;
        self.empty = 0;
    }

    /// The next 20 ms. `false`: nothing was there and `out` is silence.
    pub fn take(&mut self, out: &mut [i16; FRAME]) -> bool {
        out.fill(0);
        if !self.running {
            return false;
        }
        let fill = self.fill();
        self.lowest = self.lowest.min(fill);
        self.watched += 1;
        if self.watched >= WATCH {
            // The frame just being taken is counted in the fill, and ticks and packets may be a frame apart.
            if self.lowest > self.goal + 2 * FRAME as u32 {
                self.drop_frame();
            } else if self.goal > JITTER_MIN && self.conceal {
                self.goal -= JITTER_MIN / 2;
            }
            self.watched = 0;
            self.lowest = u32::MAX;
        }
        let mut got = 0;
        for (i, o) in out.iter_mut().enumerate() {
            let at = self.head.wrapping_add(i as u32) as usize % JITTER_SAMPLES;
            let bit = 1u64 << (at % 64);
            if self.have[at / 64] & bit != 0 {
                self.have[at / 64] &= !bit;
                *o = self.pcm[at];
                got += 1;
            }
        }
        self.head = self.head.wrapping_add(FRAME as u32);
        if got > 0 {
            self.empty = 0;
            self.last = *out;
            return true;
        }
        self.empty += 1;
        // While the first delay runs off nothing is missing yet.
        let waiting = fill > FRAME as u32 && self.empty < PAUSED * 4;
        if !waiting && self.empty >= PAUSED {
            self.running = false;
        }
        if self.conceal && self.empty <= CONCEAL && !waiting {
            for (o, s) in out.iter_mut().zip(&self.last) {
                *o = s >> self.empty;
            }
            return true;
        }
        false
    }

    fn drop_frame(&mut self) {
        for i in 0..FRAME as u32 {
            let at = self.head.wrapping_add(i) as usize % JITTER_SAMPLES;
            self.have[at / 64] &= !(1 << (at % 64));
        }
        self.head = self.head.wrapping_add(FRAME as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(n: i16) -> [i16; FRAME] {
        [n; FRAME]
    }

    #[test]
    fn reordered_frames_come_out_in_order_after_the_delay() {
        let mut j = Jitter::new(320, 1_600, false);
        let mut out = frame(0);
        let mut heard = Vec::new();
        for ts in [0u32, 320, 160, 480] {
            j.put(ts, &frame(ts as i16 + 1));
        }
        for _ in 0..6 {
            j.take(&mut out);
            heard.push(out[0]);
        }
        assert_eq!(heard, [0, 0, 1, 161, 321, 481]);
    }

    #[test]
    fn a_late_packet_makes_the_delay_grow_and_quiet_seconds_make_it_shrink() {
        let mut j = Jitter::default();
        let mut out = frame(0);
        let mut ts = 0u32;
        // One frame comes 60 ms late, three times over.
        for i in 0..150 {
            if i % 50 != 20 {
                j.put(ts, &frame(7));
            }
            if i % 50 == 23 {
                j.put(ts.wrapping_sub(480), &frame(7));
            }
            ts += 160;
            j.take(&mut out);
        }
        assert!(j.goal() > JITTER_MIN, "{j:?}");
        let grown = j.fill();
        for _ in 0..2_000 {
            j.put(ts, &frame(7));
            ts += 160;
            j.take(&mut out);
            assert_eq!(out[0], 7);
        }
        assert!(j.fill() < grown && j.goal() <= JITTER_MIN, "{j:?} was {grown}");
    }

    #[test]
    fn a_gap_is_concealed_then_silent_and_a_timestamp_jump_starts_over() {
        let mut j = Jitter::default();
        let mut out = frame(0);
        j.put(0, &frame(800));
        let heard: Vec<i16> = (0..6).map(|_| (j.take(&mut out), out[0]).1).collect();
        assert_eq!(heard, [0, 800, 400, 200, 100, 0]);
        assert_eq!(j.put(3_000_000_000, &frame(5)), Put::Taken);
        j.take(&mut out);
        j.take(&mut out);
        assert_eq!(out[0], 5);
    }

    #[test]
    fn a_sender_whose_clock_runs_fast_does_not_fill_the_buffer() {
        let mut j = Jitter::default();
        let mut out = frame(0);
        let mut ts = 0;
        for i in 0..30_000 {
            j.put(ts, &frame(3));
            ts += 160;
            // One frame more every ten seconds: 2,000 ppm, worse than any crystal.
            if i % 500 == 0 {
                j.put(ts, &frame(3));
                ts += 160;
            }
            j.take(&mut out);
        }
        assert!(j.fill() < 800, "{j:?}");
    }
}
