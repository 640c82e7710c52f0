//! Overload: how much of what is new is let in, decided from how late we are.
//!
//! Measured is what callers would feel: how long an input waits for the loop, how busy the busiest media shard is, how many facts
//! wait for the store. While any of them is too high the share of new calls that are admitted is cut by a third at a time, at
//! once to nothing when it is far too high; when all have been low for a while the share grows again by small even steps. What
//! is let in is so held near what can be carried, whatever is asked for.
//!
//! Who counts as new, and how they are told, is the stack's (`sip::stack::shed`).

use std::time::Duration;

use super::{Mono, ms, secs};

/// How often the figures are looked at.
pub const WINDOW: Duration = ms(100);
/// An input that waited longer is late; in two windows running, that is no hiccup.
pub const LATE: Duration = ms(50);
/// One that waited longer than this shows that far more comes in than goes out.
pub const VERY_LATE: Duration = ms(250);
/// All is well again when 99 of 100 inputs of the last second waited less.
pub const EASY: Duration = ms(20);
/// Share of its processor the busiest media shard may use, percent: easy, high, too high.
pub const SHARD: [u8; 3] = [80, 92, 98];
/// Facts waiting for the store: easy, high, too high.
pub const BACKLOG: [usize; 3] = [5_000, 20_000, 60_000];
/// The admitted share grows by so many thousandths a window.
const STEP: u16 = 25;
/// The share of a processor is an average: it is not acted on more often than it can change.
const SHARD_EVERY: Duration = secs(1);
/// Windows in the last second.
const WINDOWS: usize = 10;
/// Four buckets an octave, from a microsecond to over an hour.
const BUCKETS: usize = 128;

/// What is new meets this at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    /// Everybody comes in.
    #[default]
    Open,
    /// So many thousandths of new calls are turned away.
    Part(u16),
    /// All new calls are turned away, and phones nobody knows yet.
    Closed,
}

impl Admission {
    /// Thousandths turned away.
    pub const fn shed_permille(self) -> u16 {
        match self {
            Admission::Open => 0,
            Admission::Part(n) => n,
            Admission::Closed => 1_000,
        }
    }
}

/// What is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Inputs wait for the loop.
    Loop,
    /// A media shard has no time left.
    Media,
    /// Facts wait for the store.
    Journal,
}

impl Why {
    /// In the words of an alarm.
    pub const fn words(self) -> &'static str {
        match self {
            Why::Loop => "more comes in than can be handled in time",
            Why::Media => "the media engine has no time left",
            Why::Journal => "the database does not keep up",
        }
    }
}

/// A change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// From now on.
    pub admission: Admission,
    /// What was short last.
    pub why: Why,
}

/// How long inputs waited within the last second.
#[derive(Debug)]
struct Waits {
    windows: [[u32; BUCKETS]; WINDOWS],
    here: usize,
    longest: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Waits { windows: [[0; BUCKETS]; WINDOWS], here: 0, longest: Duration::ZERO }
    }
}

fn bucket(wait: Duration) -> usize {
    let us = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).max(4);
    let octave = us.ilog2();
    let quarter = (us >> (octave - 2)) & 3;
    (4 * octave as usize + quarter as usize).min(BUCKETS - 1)
}

/// The longest wait a bucket stands for.
fn upper(bucket: usize) -> Duration {
    let (octave, quarter) = (bucket / 4, bucket as u64 % 4);
    Duration::from_micros((5 + quarter) << octave.saturating_sub(2))
}

impl Waits {
    fn add(&mut self, wait: Duration) {
        self.longest = self.longest.max(wait);
        let n = &mut self.windows[self.here][bucket(wait)];
        *n = n.saturating_add(1);
    }

    fn p99(&self) -> Duration {
        let of = |b: usize| self.windows.iter().map(|w| u64::from(w[b])).sum::<u64>();
        let all: u64 = (0..BUCKETS).map(of).sum();
        let mut above = 0;
        for b in (0..BUCKETS).rev() {
            above += of(b);
            if above * 100 > all {
                return upper(b);
            }
        }
        Duration::ZERO
    }

    /// The longest of this window, and the next begins.
    fn turn(&mut self) -> Duration {
        self.here = (self.here + 1) % WINDOWS;
        self.windows[self.here] = [0; BUCKETS];
        std::mem::take(&mut self.longest)
    }
}

/// How one figure looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pressure {
    Easy,
    Fair,
    High,
    Extreme,
}

fn pressure<T: PartialOrd>(value: T, [easy, high, extreme]: [T; 3]) -> Pressure {
    match value {
        v if v >= extreme => Pressure::Extreme,
        v if v >= high => Pressure::High,
        v if v >= easy => Pressure::Fair,
        _ => Pressure::Easy,
    }
}

/// Decides. Fed with every wait, asked once a window.
#[derive(Debug)]
pub struct Governor {
    waits: Waits,
    /// Thousandths admitted.
    admitted: u16,
    why: Why,
    late_before: bool,
    next: Mono,
    shard_acted: Mono,
    p99: Duration,
}

impl Default for Governor {
    fn default() -> Self {
        Governor {
            waits: Waits::default(),
            admitted: 1_000,
            why: Why::Loop,
            late_before: false,
            next: Mono(0),
            shard_acted: Mono(0),
            p99: Duration::ZERO,
        }
    }
}

impl Governor {
    /// An input waited so long before it was taken.
    pub fn took(&mut self, waited: Duration) {
        self.waits.add(waited);
    }

    /// What holds now.
    pub fn admission(&self) -> Admission {
        match self.admitted {
            1_000.. => Admission::Open,
            0 => Admission::Closed,
            n => Admission::Part(1_000 - n),
        }
    }

    /// 99 of 100 inputs of the last second waited no longer, as of the last look.
    pub fn wait_p99(&self) -> Duration {
        self.p99
    }

    /// When [`Governor::look`] is wanted next. Nothing is missed by coming later.
    pub fn due(&self) -> Mono {
        self.next
    }

    /// Looks at the figures of this moment: percent of its processor the busiest shard uses, facts waiting. A change, if any.
    pub fn look(&mut self, now: Mono, shard: u8, backlog: usize) -> Option<Verdict> {
        if now < self.next {
            return None;
        }
        self.next = now + WINDOW;
        let before = self.admission();
        self.p99 = self.waits.p99();
        let longest = self.waits.turn();
        let late = longest >= LATE;
        let waits = match late {
            _ if longest >= VERY_LATE => Pressure::Extreme,
            true if self.late_before => Pressure::High,
            _ if self.p99 >= EASY => Pressure::Fair,
            _ => Pressure::Easy,
        };
        self.late_before = late;
        let mut media = pressure(shard, SHARD);
        if media >= Pressure::High {
            match now >= self.shard_acted + SHARD_EVERY {
                true => self.shard_acted = now,
                false => media = Pressure::Fair,
            }
        }
        let journal = pressure(backlog, BACKLOG);
        let worst = waits.max(media).max(journal);
        if worst >= Pressure::High {
            self.why = match worst {
                w if w == waits => Why::Loop,
                w if w == media => Why::Media,
                _ => Why::Journal,
            };
        }
        self.admitted = match worst {
            Pressure::Extreme => 0,
            // Below one step there is nothing left to share out.
            Pressure::High => Some(self.admitted / 3 * 2).filter(|a| *a >= STEP).unwrap_or(0),
            Pressure::Fair => self.admitted,
            Pressure::Easy => (self.admitted + STEP).min(1_000),
        };
        let admission = self.admission();
        (admission != before).then_some(Verdict { admission, why: self.why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Day {
        g: Governor,
        now: Mono,
    }

    impl Day {
        fn new() -> Day {
            Day { g: Governor::default(), now: Mono(0) + secs(10) }
        }
        fn window(&mut self, waits: &[u64], shard: u8, backlog: usize) -> Option<Verdict> {
            waits.iter().for_each(|w| self.g.took(ms(*w)));
            self.now = self.now + WINDOW;
            self.g.look(self.now, shard, backlog)
        }
    }

    #[test]
    fn one_slow_round_turns_nobody_away_and_two_late_windows_do() {
        let mut d = Day::new();
        assert_eq!(d.window(&[1, 90, 80], 10, 0), None);
        assert_eq!(d.window(&[1, 2, 1], 10, 0), None);
        assert_eq!(d.window(&[60], 10, 0), None);
        let v = d.window(&[70], 10, 0).unwrap();
        assert_eq!((v.admission, v.why), (Admission::Part(334), Why::Loop));
    }

    #[test]
    fn far_too_late_closes_at_once_and_it_opens_by_steps_a_second_after_all_is_well() {
        let mut d = Day::new();
        assert_eq!(d.window(&[300], 10, 0).unwrap().admission, Admission::Closed);
        let mut windows = 0;
        while d.g.admission() == Admission::Closed {
            d.window(&[1, 2, 1], 10, 0);
            windows += 1;
        }
        assert_eq!(windows, WINDOWS, "a second remembers it");
        while d.g.admission() != Admission::Open {
            d.window(&[1, 2, 1], 10, 0);
            windows += 1;
        }
        assert_eq!(windows, WINDOWS + 39, "forty steps, the first of them above");
    }

    #[test]
    fn between_easy_and_late_nothing_changes() {
        let mut d = Day::new();
        d.window(&[60], 10, 0);
        let v = d.window(&[60], 10, 0).unwrap();
        (0..50).for_each(|_| assert_eq!(d.window(&[30], 10, 0), None));
        assert_eq!(d.g.admission(), v.admission);
    }

    #[test]
    fn a_busy_shard_is_acted_on_once_a_second_and_a_slow_store_at_every_look() {
        let mut d = Day::new();
        assert_eq!(d.window(&[], 93, 0).unwrap(), Verdict { admission: Admission::Part(334), why: Why::Media });
        (0..9).for_each(|_| assert_eq!(d.window(&[], 93, 0), None));
        assert_eq!(d.window(&[], 93, 0).unwrap().admission, Admission::Part(556));
        let mut d = Day::new();
        assert_eq!(d.window(&[], 10, 20_000).unwrap(), Verdict { admission: Admission::Part(334), why: Why::Journal });
        assert_eq!(d.window(&[], 10, 60_000).unwrap().admission, Admission::Closed);
        assert_eq!(d.window(&[], 10, 10_000), None, "still too many to let anybody in");
        assert_eq!(d.window(&[], 10, 100).unwrap().admission, Admission::Part(975));
    }

    #[test]
    fn the_wait_of_99_in_100_is_told_within_a_quarter() {
        let mut d = Day::new();
        let waits: Vec<u64> = (0..1_000).map(|i| if i % 50 == 0 { 40 } else { 1 }).collect();
        d.window(&waits, 0, 0);
        let p99 = d.g.wait_p99();
        assert!((ms(40)..ms(50)).contains(&p99), "{p99:?}");
        let waits: Vec<u64> = (0..1_000).map(|i| if i % 200 == 0 { 40 } else { 3 }).collect();
        let mut d = Day::new();
        d.window(&waits, 0, 0);
        let p99 = d.g.wait_p99();
        assert!((ms(3)..ms(4)).contains(&p99), "{p99:?}");
    }
}
