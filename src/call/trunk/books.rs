//! Calls out as the journal has them, for the guard of a restarted node: an hour's limit is not gone because the server was.

use std::{collections::VecDeque, time::Duration};

use crate::base::{
    AgentId, Wall,
    limits::{GUARD_BOOKS_MAX, GUARD_WINDOW},
};

/// A call that was let out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Its number in the process that let it out.
    pub permit: u64,
    /// When.
    pub at: Wall,
    /// Whose wish, if a person's.
    pub agent: Option<AgentId>,
    /// Whom it was for.
    pub source: String,
    /// What a minute costs, millionths.
    pub per_minute: u64,
    /// How it ended; none while it goes on.
    pub over: Option<Over>,
}

/// The end of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// When.
    pub at: Wall,
    /// How long it was up, begun seconds whole.
    pub talked_s: u64,
    /// What it cost, millionths.
    pub spent: u64,
}

/// The last hour's.
#[derive(Debug, Clone, Default)]
pub struct Books {
    calls: VecDeque<Booked>,
}

impl Books {
    /// One more is let out.
    pub fn out(&mut self, call: Booked) {
        let old = call.at - GUARD_WINDOW;
        // What goes on counts, however long ago it began.
        while self.calls.front().is_some_and(|c| c.over.is_some_and(|o| o.at < old)) || self.calls.len() >= GUARD_BOOKS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// One is over.
    pub fn over(&mut self, permit: u64, over: Over) {
        // The newest of that number: numbers begin anew with the process.
        if let Some(call) = self.calls.iter_mut().rev().find(|c| c.permit == permit) {
            call.over.get_or_insert(over);
        }
    }

    /// The server was gone: what went on then has ended. When, nobody knows; it counts until now, for a limit that is reached
    /// too early is complained of, and one that is reached too late is paid for.
    pub fn cut(&mut self, now: Wall) {
        for call in self.calls.iter_mut().filter(|c| c.over.is_none()) {
            let talked_s = now.since(call.at).min(GUARD_WINDOW).as_secs();
            let spent = call.per_minute.saturating_mul(talked_s).div_ceil(60);
            call.over = Some(Over { at: now, talked_s, spent });
        }
    }

    /// What still counts, with how long ago it began and ended.
    pub(super) fn counting(&self, now: Wall) -> impl Iterator<Item = (&Booked, Duration, Option<(Duration, Over)>)> {
        let of = move |c: &'_ Booked| (now.since(c.at), c.over.map(|o| (now.since(o.at), o)));
        self.calls
            .iter()
            .map(move |c| (c, of(c).0, of(c).1))
            .filter(|(_, began, ended)| *began < GUARD_WINDOW || ended.as_ref().is_none_or(|(ago, _)| *ago < GUARD_WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mins;

    fn call(permit: u64, minute: i64) -> Booked {
        let at = Wall::from_unix_s(1_795_406_700 + minute * 60);
        Booked { permit, at, agent: None, source: "x".into(), per_minute: 600_000, over: None }
    }

    #[test]
    fn what_went_on_when_the_server_died_counts_until_it_is_back_and_an_hour_later_nothing_does() {
        let mut b = Books::default();
        b.out(call(1, 0));
        b.out(call(2, 1));
        b.over(2, Over { at: call(0, 2).at, talked_s: 30, spent: 300_000 });
        let back = call(0, 10).at;
        b.cut(back);
        let counted: Vec<_> = b.counting(back).map(|(c, _, o)| (c.permit, o.unwrap().1.talked_s, o.unwrap().1.spent)).collect();
        assert_eq!(counted, [(1, 600, 6_000_000), (2, 30, 300_000)]);
        // A number of the process before it means another call.
        b.out(call(1, 11));
        b.over(1, Over { at: call(0, 12).at, talked_s: 5, spent: 1 });
        assert_eq!(b.counting(back).map(|(_, _, o)| o.unwrap().1.talked_s).sum::<u64>(), 635);
        assert_eq!(b.counting(back + mins(63)).count(), 0);
        b.out(call(3, 120));
        assert_eq!(b.calls.len(), 1, "what is older than the hour is forgotten");
    }
}
