//! The non-INVITE client transaction: RFC 3261 figure 6.
//!
//!     Trying ──1xx──▶ Proceeding ──200+──▶ Completed ──K──▶ Over
//!       │ E: resend       │ E: resend every T2
//!       ├──200+───────────┴──▶ Completed
//!       └──F, transport──▶ Over

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
    Trying { resend: Option<(Mono, u32)>, give_up: Mono },
    Proceeding { resend: Option<Mono>, give_up: Mono },
    Completed { until: Mono },
    Over,
}

/// One request other than INVITE and ACK sent.
#[derive(Debug, Clone)]
pub struct NonInviteClient {
    timers: Timers,
    reliable: bool,
    state: State,
}

impl NonInviteClient {
    /// Starts: the caller puts the request on the wire.
    pub fn new(now: Mono, timers: Timers, reliable: bool) -> Self {
        let resend = (!reliable).then(|| (now + timers.e(0), 0));
        Self { timers, reliable, state: State::Trying { resend, give_up: now + timers.f() } }
    }

    /// The whole life of it.
    pub fn handle(&mut self, now: Mono, input: Input, out: &mut Vec<Step>) {
        let t = self.timers;
        match (self.state, input) {
            (State::Trying { give_up, resend }, Input::Response(Class::Provisional)) => {
                self.state = State::Proceeding { resend: resend.map(|_| now + t.t2), give_up };
                out.push(Step::Pass);
            }
            (State::Proceeding { .. }, Input::Response(Class::Provisional)) => out.push(Step::Pass),
            (State::Trying { .. } | State::Proceeding { .. }, Input::Response(_)) => {
                out.push(Step::Pass);
                self.state = State::Completed { until: now + t.k(self.reliable) };
                if self.reliable {
                    self.over(out);
                }
            }
            (State::Trying { give_up, .. } | State::Proceeding { give_up, .. }, Input::Tick) if give_up <= now => {
                out.push(Step::TimedOut);
                self.over(out);
            }
            (State::Trying { resend: Some((at, n)), give_up }, Input::Tick) if at <= now => {
                out.push(Step::Send);
                self.state = State::Trying { resend: Some((now + t.e(n + 1), n + 1)), give_up };
            }
            (State::Proceeding { resend: Some(at), give_up }, Input::Tick) if at <= now => {
                out.push(Step::Send);
                self.state = State::Proceeding { resend: Some(now + t.t2), give_up };
            }
            (State::Trying { .. } | State::Proceeding { .. }, Input::TransportFailed) => {
                out.push(Step::Failed);
                self.over(out);
            }
            (State::Completed { until }, Input::Tick) if until <= now => self.over(out),
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
            State::Trying { resend, give_up } => Some(resend.map_or(give_up, |(at, _)| at.min(give_up))),
            State::Proceeding { resend, give_up } => Some(resend.map_or(give_up, |at| at.min(give_up))),
            State::Completed { until } => Some(until),
            State::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ms;

    fn feed(tx: &mut NonInviteClient, at: u64, input: Input) -> Vec<Step> {
        let mut out = vec![];
        tx.handle(Mono::default() + ms(at), input, &mut out);
        out
    }
    fn new(reliable: bool) -> NonInviteClient {
        NonInviteClient::new(Mono::default(), Timers::default(), reliable)
    }
    fn run_dry(tx: &mut NonInviteClient) -> Vec<u64> {
        let mut sent = vec![];
        while let Some(at) = tx.deadline() {
            let mut out = vec![];
            tx.handle(at, Input::Tick, &mut out);
            match out[..] {
                [Step::Send] => sent.push(at.0 / 1_000_000),
                _ => assert_eq!((out, at.0 / 1_000_000), (vec![Step::TimedOut, Step::Over], 32_000)),
            }
        }
        sent
    }

    #[test]
    fn a_bye_nobody_answers_is_repeated_with_gaps_up_to_four_seconds() {
        assert_eq!(run_dry(&mut new(false)), [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
        assert!(run_dry(&mut new(true)).is_empty());
    }

    #[test]
    fn a_provisional_answer_slows_the_repeats_but_the_patience_stays_32_seconds() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 100, Input::Response(Class::Provisional)), [Step::Pass]);
        assert_eq!(feed(&mut tx, 200, Input::Response(Class::Provisional)), [Step::Pass]);
        assert_eq!(run_dry(&mut tx), [4100, 8100, 12_100, 16_100, 20_100, 24_100, 28_100]);
    }

    #[test]
    fn a_final_answer_is_passed_up_once_and_its_repeats_are_swallowed_until_timer_k() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 100, Input::Response(Class::Success)), [Step::Pass]);
        assert_eq!(feed(&mut tx, 600, Input::Response(Class::Success)), []);
        assert_eq!(feed(&mut tx, 5_100, Input::Tick), [Step::Over]);
        let mut tcp = new(true);
        feed(&mut tcp, 50, Input::Response(Class::Provisional));
        assert_eq!(feed(&mut tcp, 100, Input::Response(Class::Refusal)), [Step::Pass, Step::Over]);
    }

    #[test]
    fn a_broken_transport_ends_it() {
        assert_eq!(feed(&mut new(true), 1, Input::TransportFailed), [Step::Failed, Step::Over]);
    }
}
