//! One subscription (RFC 6665 section 4.2): until when it lasts, and when a NOTIFY may go out.
//!
//! ```text
//! Active ──news──▶ NOTIFY (one at a time, and not sooner than the gap after the last; what happens in between is told at once)
//!   ├──SUBSCRIBE────▶ NOTIFY at once, whatever the gap (4.2.1.2)
//!   ├──time is up, SUBSCRIBE with 0──▶ NOTIFY "terminated", Over
//!   └──481 and its kin, three NOTIFYs in a row without a good answer──▶ Over
//! ```
//! One NOTIFY at a time keeps the order: a lamp never shows what was true before. What a NOTIFY says is not known here.

use std::time::Duration;

use crate::base::{
    Mono,
    limits::{SIP_NOTIFY_GAP, SIP_NOTIFY_RETRY, SIP_NOTIFY_TRIES},
    secs,
};

/// Shortest lifetime granted, seconds; a shorter wish (other than 0) is answered 423.
pub const EXPIRES_MIN_S: u32 = 60;
/// Longest lifetime granted, seconds, and the one of who wishes none. Subscriptions live in memory: after a restart a lamp shows
/// what is true when its phone next renews, and nobody should wait an hour for that.
pub const EXPIRES_MAX_S: u32 = 300;

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    expires_at: Mono,
    /// No NOTIFY before.
    quiet_until: Mono,
    /// Something has not been told.
    news: bool,
    /// The NOTIFY that has no answer.
    flying: Option<u32>,
    /// NOTIFYs so far.
    sent: u32,
    /// In a row without a good answer.
    misses: u32,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A SUBSCRIBE that was taken: for so many seconds from now; 0 ends it.
    Subscribed(u32),
    /// What it watches has changed.
    News,
    /// An answer to its `n`th NOTIFY.
    Answered {
        /// Which.
        n: u32,
        /// 200 to 699.
        code: u16,
        /// They ask for patience.
        retry_after: Option<Duration>,
    },
    /// There was none.
    Unanswered(u32),
    /// A deadline may have come.
    Tick,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Send its `n`th NOTIFY.
    Notify {
        /// From 1.
        n: u32,
        /// Its Subscription-State.
        condition: Condition,
    },
    /// Forget it.
    Over,
}

/// The Subscription-State of a NOTIFY (RFC 6665 8.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// For so many more seconds.
    Active(u64),
    /// There will be no other.
    Terminated(Why),
}

/// Why there will be no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was not renewed, or not to be renewed.
    Timeout,
    /// What was watched is not there any more.
    NoResource,
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Condition::Active(s) => write!(f, "active;expires={s}"),
            Condition::Terminated(Why::Timeout) => f.write_str("terminated;reason=timeout"),
            Condition::Terminated(Why::NoResource) => f.write_str("terminated;reason=noresource"),
        }
    }
}

/// Answers to a NOTIFY that end the subscription (RFC 5057 5.1, RFC 6665 4.2.2): they say that it, or the phone, is not there.
const fn ends(code: u16) -> bool {
    matches!(code, 404 | 405 | 410 | 416 | 481..=485 | 489 | 501 | 604)
}

impl Subscription {
    /// A fresh one; its first [`Input::Subscribed`] follows.
    pub fn new(now: Mono) -> Self {
        Subscription { expires_at: now, quiet_until: now, news: false, flying: None, sent: 0, misses: 0 }
    }

    /// One thing that happens.
    pub fn handle(&mut self, now: Mono, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Subscribed(0) => return self.end(out),
            Input::Subscribed(s) => {
                self.expires_at = now + secs(u64::from(s));
                self.misses = 0;
                return self.notify(now, out);
            }
            Input::News => self.news = true,
            Input::Answered { code, .. } if ends(code) => return out.push(Output::Over),
            Input::Answered { n, .. } | Input::Unanswered(n) if self.flying != Some(n) => {}
            Input::Answered { code: 200..300, .. } => (self.flying, self.misses) = (None, 0),
            Input::Answered { retry_after, .. } => self.missed(now, retry_after, out),
            Input::Unanswered(_) => self.missed(now, None, out),
            Input::Tick if self.expires_at <= now => return self.end(out),
            Input::Tick => {}
        }
        if self.news && self.flying.is_none() && self.quiet_until <= now {
            self.notify(now, out);
        }
    }

    /// When to be handed a `Tick`.
    pub fn deadline(&self) -> Mono {
        match self.news && self.flying.is_none() {
            true => self.quiet_until.min(self.expires_at),
            false => self.expires_at,
        }
    }

    fn notify(&mut self, now: Mono, out: &mut Vec<Output>) {
        self.sent += 1;
        self.news = false;
        self.flying = Some(self.sent);
        self.quiet_until = now + SIP_NOTIFY_GAP;
        let left = self.expires_at.since(now).as_secs();
        out.push(Output::Notify { n: self.sent, condition: Condition::Active(left) });
    }

    fn missed(&mut self, now: Mono, retry_after: Option<Duration>, out: &mut Vec<Output>) {
        self.misses += 1;
        if self.misses >= SIP_NOTIFY_TRIES {
            return out.push(Output::Over);
        }
        // It is said again, and then as it is by that time.
        (self.flying, self.news) = (None, true);
        self.quiet_until = now + retry_after.unwrap_or_default().max(SIP_NOTIFY_RETRY);
    }

    fn end(&mut self, out: &mut Vec<Output>) {
        self.sent += 1;
        self.flying = None;
        out.push(Output::Notify { n: self.sent, condition: Condition::Terminated(Why::Timeout) });
        out.push(Output::Over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ms;

    const T0: Mono = Mono(1_000_000);
    const OK: u16 = 200;

    fn fed(s: &mut Subscription, at: Mono, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        s.handle(at, input, &mut out);
        out
    }
    fn told(n: u32, left: u64) -> Vec<Output> {
        vec![Output::Notify { n, condition: Condition::Active(left) }]
    }
    fn answered(n: u32, code: u16) -> Input {
        Input::Answered { n, code, retry_after: None }
    }
    fn fresh() -> Subscription {
        let mut s = Subscription::new(T0);
        assert_eq!(fed(&mut s, T0, Input::Subscribed(300)), told(1, 300));
        assert_eq!(fed(&mut s, T0, answered(1, OK)), []);
        s
    }

    #[test]
    fn ten_changes_in_one_gap_are_two_notifies_and_the_last_word_is_among_them() {
        let mut s = fresh();
        let later = T0 + secs(10);
        assert_eq!(fed(&mut s, later, Input::News), told(2, 290));
        for _ in 0..9 {
            assert_eq!(fed(&mut s, later + ms(1), Input::News), []);
        }
        // The gap is over, but the answer is not there: one at a time.
        assert_eq!(fed(&mut s, later + SIP_NOTIFY_GAP, Input::Tick), []);
        assert_eq!(fed(&mut s, later + SIP_NOTIFY_GAP, answered(2, OK)), told(3, 289));
        assert_eq!(fed(&mut s, later + SIP_NOTIFY_GAP, answered(3, OK)), []);
        assert_eq!(s.deadline(), T0 + secs(300), "nothing is left to tell");
    }

    #[test]
    fn a_renewal_is_told_at_once_and_an_answer_to_an_older_notify_changes_nothing() {
        let mut s = fresh();
        assert_eq!(fed(&mut s, T0 + ms(1), Input::News), []);
        assert_eq!(fed(&mut s, T0 + ms(2), Input::Subscribed(120)), told(2, 120));
        assert_eq!(fed(&mut s, T0 + ms(3), Input::News), []);
        assert_eq!(fed(&mut s, T0 + ms(4), answered(1, 500)), []);
        assert_eq!(fed(&mut s, T0 + secs(1), answered(2, OK)), told(3, 119));
    }

    #[test]
    fn who_does_not_renew_is_told_once_that_it_is_over_and_so_is_who_ends_it() {
        let mut s = fresh();
        let over = |n| vec![Output::Notify { n, condition: Condition::Terminated(Why::Timeout) }, Output::Over];
        assert_eq!(fed(&mut s, T0 + secs(299), Input::Tick), []);
        assert_eq!(fed(&mut s, T0 + secs(300), Input::Tick), over(2));
        assert_eq!(fed(&mut fresh(), T0 + secs(5), Input::Subscribed(0)), over(2));
    }

    #[test]
    fn a_phone_that_forgot_ends_it_and_one_that_is_lost_is_given_up_after_three() {
        for code in [404, 481, 489, 604] {
            let mut s = fresh();
            fed(&mut s, T0 + secs(1), Input::News);
            assert_eq!(fed(&mut s, T0 + secs(1), answered(2, code)), [Output::Over], "{code}");
        }
        let mut s = fresh();
        assert_eq!(fed(&mut s, T0 + secs(1), Input::News), told(2, 299));
        assert_eq!(fed(&mut s, T0 + secs(33), Input::Unanswered(2)), []);
        let again = s.deadline();
        assert_eq!(again, T0 + secs(33) + SIP_NOTIFY_RETRY);
        assert_eq!(fed(&mut s, again, Input::Tick).len(), 1, "said again");
        let patience = Input::Answered { n: 3, code: 503, retry_after: Some(secs(20)) };
        assert_eq!(fed(&mut s, T0 + secs(70), patience), []);
        assert_eq!(s.deadline(), T0 + secs(90));
        assert_eq!(fed(&mut s, T0 + secs(90), Input::Tick).len(), 1);
        assert_eq!(fed(&mut s, T0 + secs(122), Input::Unanswered(4)), [Output::Over]);
    }

    #[test]
    fn a_good_answer_makes_the_misses_before_it_forgotten() {
        let mut s = fresh();
        let mut at = T0 + secs(1);
        for n in (2..20).step_by(2) {
            assert_eq!(fed(&mut s, at, Input::News).len(), 1);
            assert_eq!(fed(&mut s, at, Input::Unanswered(n)), []);
            at = at + SIP_NOTIFY_RETRY;
            assert_eq!(fed(&mut s, at, Input::Tick).len(), 1);
            assert_eq!(fed(&mut s, at, answered(n + 1, OK)), []);
            at = at + SIP_NOTIFY_GAP;
        }
    }
}
