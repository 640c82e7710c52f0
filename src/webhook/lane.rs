//! One endpoint: what waits to be told, in which order, how many at once, and what becomes of a try.
//!
//!     waiting ─take──▶ flying ─2xx───────────────▶ delivered
//!        ▲                └───else──▶ again, later    within a day of the first try
//!        └────────────────────────────┘ └───────────▶ given up   (a trial: at once)
//!
//! An endpoint of one at a time is told in order: what failed is tried again before anything after it is tried at all. With
//! more at a time what fails does not hold the others up. An endpoint that has taken nothing for a day is closed; what waits
//! for it goes on waiting. Numbers are places in the journal; 0 is a trial, which waits for nobody.

use std::{collections::BTreeMap, time::Duration};

use crate::base::{Wall, mins, secs};

/// Waits after the first, second, .. failure; the last one again and again.
const AGAIN: [Duration; 8] = [secs(5), secs(30), mins(2), mins(10), mins(30), mins(60), mins(120), mins(240)];
/// An event is tried for so long, and an endpoint may fail for so long.
const DAY: Duration = mins(24 * 60);
/// Longest wait a receiver may ask for by `Retry-After`.
const ASKED_MAX: Duration = mins(60);
/// Most events of one endpoint that wait in memory, those to be tried again with them. While so many do, nothing new is read.
pub const WAITING_MAX: usize = 1_024;
/// Most of them that have not been tried yet; the journal holds the others.
const FED_MAX: usize = 128;
/// So much room is worth asking the journal.
const ROOM_MIN: usize = 32;

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it (2xx).
    Taken,
    /// It did not; it may have said when to come again.
    Failed(Option<Duration>),
    /// It wants nothing any more (410).
    Gone,
    /// There is nothing to tell: the fact is no longer kept.
    Void,
}

/// What becomes of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was told.
    Delivered,
    /// It will be tried again then.
    Again(Wall),
    /// It will not be tried again by itself.
    GivenUp,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    tries: u32,
    first: Option<Wall>,
    due: Wall,
    flying: bool,
    /// The store has a row for it, so that the place in the journal may pass it.
    kept: bool,
}

/// One endpoint.
#[derive(Debug)]
pub struct Lane {
    at_once: usize,
    open: bool,
    waiting: BTreeMap<u64, Waiting>,
    flying: usize,
    failing_since: Option<Wall>,
    read_to: u64,
}

impl Lane {
    /// As the store has it: told in the journal up to `cursor`, failing since then, if it is.
    pub fn new(at_once: usize, open: bool, cursor: u64, failing_since: Option<Wall>) -> Lane {
        Lane { at_once: at_once.max(1), open, waiting: BTreeMap::new(), flying: 0, failing_since, read_to: cursor }
    }

    /// The administrator changed it. Opened again, what waits is tried at once.
    pub fn change(&mut self, now: Wall, at_once: usize, open: bool) {
        self.at_once = at_once.max(1);
        if open && !self.open {
            self.failing_since = None;
            for w in self.waiting.values_mut() {
                (w.tries, w.first, w.due) = (0, None, w.due.min(now));
            }
        }
        self.open = open;
    }

    /// How many events more the journal may be asked for; 0 when enough wait, or it is closed.
    pub fn room(&self) -> usize {
        let fresh = self.waiting.values().filter(|w| !w.kept).count();
        let room = FED_MAX.saturating_sub(fresh).min(WAITING_MAX.saturating_sub(self.waiting.len()));
        if self.open && room >= ROOM_MIN { room } else { 0 }
    }

    /// Up to where the journal was looked through.
    pub fn read_to(&self) -> u64 {
        self.read_to
    }

    /// Events of the journal, and up to where it was looked through for them.
    pub fn feed(&mut self, now: Wall, seqs: impl IntoIterator<Item = u64>, read_to: u64) {
        for seq in seqs {
            self.waiting.entry(seq).or_insert(Waiting { tries: 0, first: None, due: now, flying: false, kept: false });
        }
        self.read_to = self.read_to.max(read_to);
    }

    /// An event the store says is waiting: of before a restart, or to be told again.
    pub fn recall(&mut self, seq: u64, tries: u32, first: Option<Wall>, due: Wall) {
        let w = self.waiting.entry(seq).or_insert(Waiting { tries, first, due, flying: false, kept: true });
        if !w.flying {
            *w = Waiting { tries, first, due, flying: false, kept: true };
        }
    }

    /// The store says that nobody waits for it any more.
    pub fn forget(&mut self, seq: u64) {
        if self.waiting.get(&seq).is_some_and(|w| !w.flying) {
            self.waiting.remove(&seq);
        }
    }

    /// What waits in memory although the store was asked to keep it: who is not among the store's was given up by somebody.
    pub fn kept(&self) -> Vec<u64> {
        self.waiting.iter().filter(|(_, w)| w.kept && !w.flying).map(|(seq, _)| *seq).collect()
    }

    /// The next to be tried now, with the number of the try from 1.
    pub fn take(&mut self, now: Wall) -> Option<(u64, u32)> {
        if self.flying >= self.at_once {
            return None;
        }
        let seq = self.candidates().find(|(_, w)| w.due <= now).map(|(seq, _)| seq)?;
        let w = self.waiting.get_mut(&seq)?;
        w.flying = true;
        w.tries += 1;
        w.first.get_or_insert(now);
        self.flying += 1;
        Some((seq, w.tries))
    }

    /// What might be tried next, the oldest first. In order that is the first only, and a trial.
    fn candidates(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        let first = self.waiting.keys().copied().find(|seq| *seq != 0);
        let may = move |seq: u64| seq == 0 || (self.open && (self.at_once > 1 || Some(seq) == first));
        self.waiting.iter().map(|(seq, w)| (*seq, w)).filter(move |(seq, w)| !w.flying && may(*seq))
    }

    /// What came of it. `chance` in 0..1 spreads the next tries of many, so that a receiver that comes back is not run over.
    /// The second half says whether the endpoint is to be closed: it wants nothing, or has taken nothing for a day.
    pub fn outcome(&mut self, now: Wall, seq: u64, outcome: Outcome, chance: f64) -> (Verdict, bool) {
        let Some(w) = self.waiting.get_mut(&seq).filter(|w| w.flying) else { return (Verdict::Delivered, false) };
        self.flying -= 1;
        w.flying = false;
        let asked = match outcome {
            Outcome::Taken => {
                self.waiting.remove(&seq);
                if seq != 0 {
                    self.failing_since = None;
                }
                return (Verdict::Delivered, false);
            }
            Outcome::Void => {
                self.waiting.remove(&seq);
                return (Verdict::GivenUp, false);
            }
            Outcome::Failed(asked) => asked,
            Outcome::Gone => None,
        };
        if seq == 0 {
            self.waiting.remove(&seq);
            return (Verdict::GivenUp, false);
        }
        let since = *self.failing_since.get_or_insert(now);
        let close = self.open && (outcome == Outcome::Gone || now.since(since) >= DAY);
        self.open &= !close;
        let step = AGAIN[(w.tries as usize - 1).min(AGAIN.len() - 1)];
        let wait = step.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0)).max(asked.unwrap_or_default().min(ASKED_MAX));
        let over = now.since(w.first.unwrap_or(now)) >= DAY;
        if over && !close {
            self.waiting.remove(&seq);
            return (Verdict::GivenUp, false);
        }
        (w.due, w.kept) = (now + wait, true);
        (Verdict::Again(w.due), close)
    }

    /// When it was tried first.
    pub fn first(&self, seq: u64) -> Option<Wall> {
        self.waiting.get(&seq).and_then(|w| w.first)
    }

    /// Everything in the journal up to here is told or kept as waiting: where a restart goes on.
    pub fn cursor(&self) -> u64 {
        let first = self.waiting.iter().find(|(seq, w)| **seq != 0 && !w.kept).map(|(seq, _)| *seq);
        first.map_or(self.read_to, |seq| seq.saturating_sub(1).min(self.read_to))
    }

    /// Since when it has taken nothing.
    pub fn failing_since(&self) -> Option<Wall> {
        self.failing_since
    }

    /// Whether it is told anything but trials.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// When [`Lane::take`] may have something again; none while nothing waits or as many fly as may.
    pub fn deadline(&self) -> Option<Wall> {
        if self.flying >= self.at_once {
            return None;
        }
        self.candidates().map(|(_, w)| w.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Wall = Wall(1_800_000_000_000_000);

    fn lane(at_once: usize) -> Lane {
        let mut lane = Lane::new(at_once, true, 10, None);
        lane.feed(T0, [11, 14, 15], 20);
        lane
    }

    #[test]
    fn one_at_a_time_is_told_in_order_and_what_fails_holds_the_rest_back() {
        let mut l = lane(1);
        assert_eq!(l.take(T0), Some((11, 1)));
        assert_eq!(l.take(T0), None, "one at a time");
        assert_eq!(l.outcome(T0, 11, Outcome::Failed(None), 0.5), (Verdict::Again(T0 + secs(5)), false));
        assert_eq!(l.take(T0 + secs(4)), None, "14 is not told before 11");
        assert_eq!(l.deadline(), Some(T0 + secs(5)));
        assert_eq!(l.take(T0 + secs(5)), Some((11, 2)));
        assert_eq!(l.outcome(T0 + secs(5), 11, Outcome::Taken, 0.5).0, Verdict::Delivered);
        assert_eq!(l.take(T0 + secs(5)), Some((14, 1)));
        assert_eq!(l.failing_since(), None);
    }

    #[test]
    fn several_at_a_time_go_on_past_the_one_that_fails() {
        let mut l = lane(2);
        assert_eq!((l.take(T0), l.take(T0), l.take(T0)), (Some((11, 1)), Some((14, 1)), None));
        l.outcome(T0, 11, Outcome::Failed(None), 0.0);
        assert_eq!(l.take(T0), Some((15, 1)));
        l.outcome(T0, 14, Outcome::Taken, 0.0);
        l.outcome(T0, 15, Outcome::Taken, 0.0);
        assert_eq!(l.deadline(), Some(T0 + secs(4)), "a fifth sooner, by chance");
    }

    #[test]
    fn a_restart_goes_on_after_what_is_told_or_kept() {
        let mut l = lane(2);
        assert_eq!(l.cursor(), 10, "nothing is told yet");
        l.take(T0);
        l.take(T0);
        l.outcome(T0, 14, Outcome::Taken, 0.5);
        assert_eq!(l.cursor(), 10, "11 still flies, and would be lost");
        l.outcome(T0, 11, Outcome::Failed(None), 0.5);
        assert_eq!(l.cursor(), 14, "11 is kept as waiting; 15 is not yet told");
        l.take(T0);
        l.outcome(T0, 15, Outcome::Taken, 0.5);
        assert_eq!(l.cursor(), 20);
        let mut next = Lane::new(2, true, 20, l.failing_since());
        next.recall(11, 1, Some(T0), T0 + secs(5));
        assert_eq!(next.take(T0 + secs(5)), Some((11, 2)));
    }

    #[test]
    fn a_receiver_that_is_down_for_a_day_is_asked_a_few_dozen_times_and_then_the_endpoint_is_closed_with_everything_waiting() {
        let mut l = lane(1);
        let (mut now, mut tries) = (T0, 0);
        loop {
            let (seq, _) = l.take(now).expect("it is due");
            assert_eq!(seq, 11);
            tries += 1;
            let (verdict, close) = l.outcome(now, seq, Outcome::Failed(None), 0.5);
            if close {
                break;
            }
            let Verdict::Again(at) = verdict else { panic!("{verdict:?} after {tries}") };
            assert!(at > now);
            now = at;
        }
        assert!((10..=20).contains(&tries), "{tries}");
        assert!(now.since(T0) >= DAY && now.since(T0) < DAY + mins(300));
        assert!(!l.is_open() && l.take(now + DAY).is_none() && l.room() == 0);
        // The administrator opens it again: the same three, in order.
        l.change(now + DAY, 1, true);
        for seq in [11, 14, 15] {
            assert_eq!(l.take(now + DAY).map(|(s, _)| s), Some(seq));
            l.outcome(now + DAY, seq, Outcome::Taken, 0.5);
        }
    }

    #[test]
    fn one_event_nobody_wants_is_given_up_after_a_day_while_the_others_are_told() {
        let mut l = lane(4);
        let mut now = T0;
        let given_up = loop {
            let mut over = None;
            while let Some((seq, _)) = l.take(now) {
                let what = if seq == 11 { Outcome::Failed(None) } else { Outcome::Taken };
                let (verdict, close) = l.outcome(now, seq, what, 0.5);
                assert!(!close, "others are taken");
                if verdict == Verdict::GivenUp {
                    over = Some(seq);
                }
            }
            if over.is_some() {
                break over;
            }
            // Something new comes in between, and is taken.
            let fresh = l.read_to() + 1;
            l.feed(now, [fresh], fresh);
            now = now + mins(60);
        };
        assert_eq!(given_up, Some(11));
        assert!(now.since(T0) >= DAY && l.is_open());
    }

    #[test]
    fn a_receiver_may_ask_for_a_later_visit_but_not_for_never_and_gone_closes_at_once() {
        let mut l = lane(3);
        l.take(T0);
        assert_eq!(l.outcome(T0, 11, Outcome::Failed(Some(secs(90))), 0.5).0, Verdict::Again(T0 + secs(90)));
        l.take(T0);
        assert_eq!(l.outcome(T0, 14, Outcome::Failed(Some(DAY)), 0.5).0, Verdict::Again(T0 + ASKED_MAX));
        l.take(T0);
        assert!(l.outcome(T0, 15, Outcome::Gone, 0.5).1);
        assert!(!l.is_open());
    }

    #[test]
    fn a_trial_waits_for_nobody_is_tried_once_and_reaches_a_closed_endpoint() {
        let mut l = lane(1);
        l.take(T0);
        l.outcome(T0, 11, Outcome::Failed(None), 0.5);
        l.recall(0, 0, None, T0);
        assert_eq!(l.deadline(), Some(T0));
        assert_eq!(l.take(T0), Some((0, 1)), "in front of what waits for its next try");
        assert_eq!(l.outcome(T0, 0, Outcome::Failed(None), 0.5), (Verdict::GivenUp, false));
        l.change(T0, 1, false);
        l.recall(0, 0, None, T0);
        assert_eq!(l.take(T0), Some((0, 1)));
        l.outcome(T0, 0, Outcome::Taken, 0.5);
        assert_eq!((l.take(T0 + DAY), l.deadline()), (None, None));
    }

    #[test]
    fn memory_holds_so_many_and_the_journal_the_rest() {
        let mut l = Lane::new(1, true, 0, None);
        assert_eq!(l.room(), FED_MAX);
        l.feed(T0, 1..=FED_MAX as u64, FED_MAX as u64);
        assert_eq!(l.room(), 0);
        l.take(T0);
        l.outcome(T0, 1, Outcome::Taken, 0.5);
        assert_eq!((l.room(), l.cursor()), (0, 1), "one more is not worth asking for");
        for seq in 2..=ROOM_MIN as u64 {
            l.take(T0);
            l.outcome(T0, seq, if seq == 5 { Outcome::Void } else { Outcome::Taken }, 0.5);
        }
        assert_eq!((l.room(), l.cursor()), (ROOM_MIN, ROOM_MIN as u64));
    }

    #[test]
    fn what_somebody_gave_up_meanwhile_is_forgotten_and_what_is_to_be_told_again_comes_first() {
        let mut l = lane(1);
        l.take(T0);
        l.outcome(T0, 11, Outcome::Failed(None), 0.5);
        assert_eq!(l.kept(), [11]);
        l.forget(11);
        l.recall(7, 0, None, T0);
        assert_eq!(l.take(T0), Some((7, 1)));
        assert_eq!(l.first(7), Some(T0));
        l.forget(7);
        l.outcome(T0, 7, Outcome::Taken, 0.5);
        assert_eq!(l.take(T0), Some((14, 1)));
    }
}
