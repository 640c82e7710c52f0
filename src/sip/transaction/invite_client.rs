//! The INVITE client transaction: RFC 3261 figure 5 with the Accepted state of RFC 6026.
//!
//!     Calling ──1xx──▶ Proceeding ──2xx──▶ Accepted ──M──▶ Over
//!       │ A: resend        │                  └ every 2xx goes up: repeats are ACKed again by the core, forks released
//!       ├──2xx────────▶ Accepted
//!       ├──300+───────▶ Completed ◀──300+──┘
//!       └──B, transport──▶ Over              Completed: repeats are ACKed here, D ends it
//!
//! The ACK of a refusal belongs to this transaction; the ACK of a 2xx is the core's.

use super::{Class, Step, Timers};
use crate::base::Mono;

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A response arrived.
    Response(Class),
    /// The transport could not send.
    TransportFailed,
    /// A deadline may have come.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling { resend: Option<(Mono, u32)>, give_up: Mono },
    Proceeding,
    Accepted { until: Mono },
    Completed { until: Mono },
    Over,
}

/// One INVITE sent.
#[derive(Debug, Clone)]
pub struct InviteClient {
    timers: Timers,
    reliable: bool,
    state: State,
}

impl InviteClient {
    /// Starts: the caller puts the request on the wire.
    pub fn new(now: Mono, timers: Timers, reliable: bool) -> Self {
        let resend = (!reliable).then(|| (now + timers.a(0), 0));
        Self { timers, reliable, state: State::Calling { resend, give_up: now + timers.b() } }
    }

    /// True once a provisional response has come: only then may a CANCEL be sent (9.1).
    pub fn proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// True until a final response has come.
    pub fn pending(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::Proceeding)
    }

    /// The whole life of it.
    pub fn handle(&mut self, now: Mono, input: Input, out: &mut Vec<Step>) {
        let t = self.timers;
        match (self.state, input) {
            (State::Calling { .. } | State::Proceeding, Input::Response(Class::Provisional)) => {
                self.state = State::Proceeding;
                out.push(Step::Pass);
            }
            (State::Calling { .. } | State::Proceeding, Input::Response(Class::Success)) => {
                self.state = State::Accepted { until: now + t.m() };
                out.push(Step::Pass);
            }
            (State::Calling { .. } | State::Proceeding, Input::Response(Class::Refusal)) => {
                out.extend([Step::Ack, Step::Pass]);
                self.state = State::Completed { until: now + t.d(self.reliable) };
                if self.reliable {
                    self.over(out);
                }
            }
            (State::Calling { give_up, .. }, Input::Tick) if give_up <= now => {
                out.push(Step::TimedOut);
                self.over(out);
            }
            (State::Calling { resend: Some((at, n)), give_up }, Input::Tick) if at <= now => {
                out.push(Step::Send);
                self.state = State::Calling { resend: Some((now + t.a(n + 1), n + 1)), give_up };
            }
            (State::Calling { .. } | State::Proceeding | State::Completed { .. }, Input::TransportFailed) => {
                if self.pending() {
                    out.push(Step::Failed);
                }
                self.over(out);
            }
            (State::Accepted { .. }, Input::Response(Class::Success)) => out.push(Step::Pass),
            (State::Completed { .. }, Input::Response(Class::Refusal)) => out.push(Step::Ack),
            (State::Accepted { until } | State::Completed { until }, Input::Tick) if until <= now => self.over(out),
            // Late provisionals, a 2xx after a refusal (or the reverse) from a confused fork, an early tick.
            _ => {}
        }
    }

    fn over(&mut self, out: &mut Vec<Step>) {
        self.state = State::Over;
        out.push(Step::Over);
    }

    /// When [`Input::Tick`] is wanted.
    pub fn deadline(&self) -> Option<Mono> {
        match self.state {
            State::Calling { resend, give_up } => Some(resend.map_or(give_up, |(at, _)| at.min(give_up))),
            State::Accepted { until } | State::Completed { until } => Some(until),
            State::Proceeding | State::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ms, secs};

    fn feed(tx: &mut InviteClient, at: u64, input: Input) -> Vec<Step> {
        let mut out = vec![];
        tx.handle(Mono::default() + ms(at), input, &mut out);
        out
    }
    fn new(reliable: bool) -> InviteClient {
        InviteClient::new(Mono::default(), Timers::default(), reliable)
    }

    #[test]
    fn an_invite_nobody_answers_is_sent_seven_times_over_udp_and_once_over_tcp() {
        let (mut tx, mut sent) = (new(false), vec![0]);
        while let Some(at) = tx.deadline() {
            let mut out = vec![];
            tx.handle(at, Input::Tick, &mut out);
            if out == [Step::Send] {
                sent.push(at.0 / 1_000_000);
            } else {
                assert_eq!(out, [Step::TimedOut, Step::Over]);
                assert_eq!(at.0 / 1_000_000, 32_000);
            }
        }
        assert_eq!(sent, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
        let mut tx = new(true);
        assert_eq!(tx.deadline(), Some(Mono::default() + secs(32)));
        assert_eq!(feed(&mut tx, 32_000, Input::Tick), [Step::TimedOut, Step::Over]);
    }

    #[test]
    fn ringing_stops_the_resends_and_the_patience_of_timer_b() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 100, Input::Response(Class::Provisional)), [Step::Pass]);
        assert!(tx.proceeding() && tx.deadline().is_none());
        assert_eq!(feed(&mut tx, 90_000, Input::Tick), []);
        assert_eq!(feed(&mut tx, 90_000, Input::Response(Class::Provisional)), [Step::Pass]);
    }

    #[test]
    fn every_repeated_2xx_goes_up_for_32_seconds_so_that_the_core_can_ack_it_again() {
        for first in [None, Some(Class::Provisional)] {
            let mut tx = new(false);
            if let Some(c) = first {
                feed(&mut tx, 50, Input::Response(c));
            }
            assert_eq!(feed(&mut tx, 100, Input::Response(Class::Success)), [Step::Pass]);
            assert_eq!(feed(&mut tx, 600, Input::Response(Class::Success)), [Step::Pass]);
            assert_eq!(feed(&mut tx, 700, Input::Response(Class::Refusal)), []);
            assert_eq!(feed(&mut tx, 32_099, Input::Tick), []);
            assert_eq!(feed(&mut tx, 32_100, Input::Tick), [Step::Over]);
            assert_eq!(tx.deadline(), None);
        }
    }

    #[test]
    fn a_refusal_is_passed_up_once_and_acked_each_time_it_is_repeated() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 10, Input::Response(Class::Refusal)), [Step::Ack, Step::Pass]);
        assert_eq!(feed(&mut tx, 510, Input::Response(Class::Refusal)), [Step::Ack]);
        assert_eq!(feed(&mut tx, 520, Input::Response(Class::Provisional)), []);
        assert_eq!(feed(&mut tx, 32_010, Input::Tick), [Step::Over]);
        let mut tcp = new(true);
        feed(&mut tcp, 5, Input::Response(Class::Provisional));
        assert_eq!(feed(&mut tcp, 10, Input::Response(Class::Refusal)), [Step::Ack, Step::Pass, Step::Over]);
    }

    #[test]
    fn a_broken_transport_ends_it_and_the_core_hears_of_it_only_while_it_waits() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 10, Input::TransportFailed), [Step::Failed, Step::Over]);
        let mut tx = new(false);
        feed(&mut tx, 10, Input::Response(Class::Refusal));
        assert_eq!(feed(&mut tx, 11, Input::TransportFailed), [Step::Over]);
    }
}
