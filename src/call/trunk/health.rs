//! Whether a carrier is there: OPTIONS now and then, how long the answer takes, and no change of mind by a single one.
//!
//! Any answer at all is a sign of life (a 404 or 405 comes from a living machine), except 408 and 503, by which a proxy says
//! that what is behind it is not.

use std::time::Duration;

use super::Options;
use crate::base::{Mono, Rng, secs};

/// The longest pause a carrier may ask for with `Retry-After`.
const RETRY_AFTER_MAX: Duration = secs(3_600);

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Not asked long enough to know.
    Unknown,
    /// It answers.
    Up,
    /// It does not.
    Down,
}

/// The pulse of one carrier.
#[derive(Debug)]
pub struct Health {
    level: Level,
    /// In a row, of the kind that speaks against `level`.
    against: u32,
    next: Mono,
    /// When the question under way went out.
    asked: Option<Mono>,
    rtt: Option<Duration>,
}

impl Health {
    /// Due at once.
    pub fn new(now: Mono) -> Self {
        Health { level: Level::Unknown, against: 0, next: now, asked: None, rtt: None }
    }

    /// How it is.
    pub fn level(&self) -> Level {
        self.level
    }
    /// How long the last answer took.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }
    /// When something is to be done: ask, or give the question up.
    pub fn due(&self, o: &Options) -> Mono {
        self.asked.map_or(self.next, |at| at + patience(o))
    }
    /// Whether a question is under way.
    pub fn is_asking(&self) -> bool {
        self.asked.is_some()
    }
    /// Ask as soon as possible.
    pub fn now_please(&mut self, now: Mono) {
        self.next = now;
    }

    /// Something is due. True: send OPTIONS.
    pub fn tick(&mut self, now: Mono, rng: &mut Rng, o: &Options) -> bool {
        if self.asked.is_some_and(|at| at + patience(o) <= now) {
            self.asked = None;
            self.judge(false, o);
        }
        if self.asked.is_some() || self.next > now {
            return false;
        }
        // A tenth of chance, so that many trunks do not ask in step.
        let every = u64::from(o.every_s) * 1_000;
        self.next = now + Duration::from_millis(every - every / 20 + rng.below(every / 10 + 1));
        self.asked = Some(now);
        true
    }

    /// The answer to the question under way; later ones count for nothing.
    pub fn answered(&mut self, now: Mono, o: &Options, code: u16, retry_after: Option<Duration>) {
        let Some(asked) = self.asked.take() else { return };
        let alive = !matches!(code, 408 | 503);
        if alive {
            self.rtt = Some(now.since(asked));
        }
        if let Some(wait) = retry_after.filter(|_| !alive) {
            self.next = self.next.max(now + wait.min(RETRY_AFTER_MAX));
        }
        self.judge(alive, o);
    }

    fn judge(&mut self, alive: bool, o: &Options) {
        let (same, enough) = match (self.level, alive) {
            (Level::Up, true) | (Level::Down, false) => (true, 0),
            (Level::Unknown, true) => (false, 1),
            (_, true) => (false, o.up_after),
            (_, false) => (false, o.down_after),
        };
        self.against = if same { 0 } else { self.against + 1 };
        if !same && self.against >= enough {
            self.level = if alive { Level::Up } else { Level::Down };
            self.against = 0;
        }
    }
}

fn patience(o: &Options) -> Duration {
    Duration::from_millis(u64::from(o.patience_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ms;

    #[test]
    fn three_silent_questions_make_it_down_and_two_answers_up_again() {
        let (o, mut rng) = (Options::default(), Rng::seeded(1));
        let mut h = Health::new(Mono(0));
        let mut now = Mono(0);
        let mut ask = |h: &mut Health, answer: Option<u16>| {
            now = now.max(h.due(&o));
            assert!(h.tick(now, &mut rng, &o));
            match answer {
                Some(code) => {
                    now = now + ms(40);
                    h.answered(now, &o, code, None);
                }
                None => {
                    now = h.due(&o);
                    h.tick(now, &mut rng, &o);
                }
            }
            h.level()
        };
        assert_eq!(ask(&mut h, Some(405)), Level::Up, "who refuses is alive");
        assert_eq!(h.rtt(), Some(ms(40)));
        assert_eq!([ask(&mut h, None), ask(&mut h, Some(503)), ask(&mut h, Some(200))], [Level::Up; 3]);
        assert_eq!([ask(&mut h, None), ask(&mut h, None), ask(&mut h, None)], [Level::Up, Level::Up, Level::Down]);
        assert_eq!([ask(&mut h, Some(200)), ask(&mut h, None)], [Level::Down; 2]);
        // One that failed in between takes nothing away but the row it interrupted.
        assert_eq!([ask(&mut h, Some(200)), ask(&mut h, Some(200))], [Level::Down, Level::Up]);
    }

    #[test]
    fn a_carrier_that_asks_for_a_pause_gets_it() {
        let (o, mut rng) = (Options::default(), Rng::seeded(1));
        let mut h = Health::new(Mono(0));
        assert!(h.tick(Mono(0), &mut rng, &o));
        h.answered(Mono(0) + ms(10), &o, 503, Some(secs(120)));
        assert!(h.due(&o) >= Mono(0) + secs(120));
    }
}
