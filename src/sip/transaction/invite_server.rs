//! The INVITE server transaction: RFC 3261 figure 7 with the Accepted state of RFC 6026.
//!
//!     Proceeding ──2xx from core──▶ Accepted ──L──▶ Over        INVITE repeats are swallowed, ACKs go up
//!       │ INVITE: resend 1xx          └ core repeats the 2xx until the ACK
//!       └──300+ from core──▶ Completed ──ACK──▶ Confirmed ──I──▶ Over
//!                              │ G, INVITE: resend
//!                              └──H──▶ Over (nobody acknowledged)

use super::{Class, Step, Timers};
use crate::base::Mono;

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The INVITE came again.
    Invite,
    /// An ACK matched.
    Ack,
    /// The core answers.
    Respond(Class),
    /// The transport could not send.
    TransportFailed,
    /// A deadline may have come.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding { answered: bool },
    Accepted { until: Mono },
    Completed { resend: Option<(Mono, u32)>, give_up: Mono },
    Confirmed { until: Mono },
    Over,
}

/// One INVITE received.
#[derive(Debug, Clone)]
pub struct InviteServer {
    timers: Timers,
    reliable: bool,
    state: State,
}

impl InviteServer {
    /// Starts; the core answers 100 at once, so the 200 ms grace of 17.2.1 is not needed.
    pub fn new(timers: Timers, reliable: bool) -> Self {
        Self { timers, reliable, state: State::Proceeding { answered: false } }
    }

    /// True until a final response was given: only then does a CANCEL have an effect.
    pub fn pending(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// The whole life of it.
    pub fn handle(&mut self, now: Mono, input: Input, out: &mut Vec<Step>) {
        let t = self.timers;
        match (self.state, input) {
            (State::Proceeding { .. }, Input::Respond(class)) => {
                out.push(Step::Send);
                self.state = match class {
                    Class::Provisional => State::Proceeding { answered: true },
                    Class::Success => State::Accepted { until: now + t.l() },
                    Class::Refusal => {
                        State::Completed { resend: (!self.reliable).then(|| (now + t.g(0), 0)), give_up: now + t.h() }
                    }
                };
            }
            (State::Proceeding { answered: true } | State::Completed { .. }, Input::Invite) => out.push(Step::Send),
            (State::Proceeding { .. } | State::Accepted { .. }, Input::TransportFailed) => out.push(Step::Failed),
            // 6026 section 8.4: the core repeats its 2xx through this transaction.
            (State::Accepted { .. }, Input::Respond(Class::Success)) => out.push(Step::Send),
            (State::Accepted { .. }, Input::Ack) => out.push(Step::Pass),
            (State::Completed { .. }, Input::Ack) => {
                self.state = State::Confirmed { until: now + t.i(self.reliable) };
                if self.reliable {
                    self.over(out);
                }
            }
            (State::Completed { give_up, .. }, Input::Tick) if give_up <= now => {
                out.push(Step::TimedOut);
                self.over(out);
            }
            (State::Completed { resend: Some((at, n)), give_up }, Input::Tick) if at <= now => {
                out.push(Step::Send);
                self.state = State::Completed { resend: Some((now + t.g(n + 1), n + 1)), give_up };
            }
            (State::Accepted { until } | State::Confirmed { until }, Input::Tick) if until <= now => self.over(out),
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
            State::Completed { resend, give_up } => Some(resend.map_or(give_up, |(at, _)| at.min(give_up))),
            State::Accepted { until } | State::Confirmed { until } => Some(until),
            State::Proceeding { .. } | State::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ms;

    fn feed(tx: &mut InviteServer, at: u64, input: Input) -> Vec<Step> {
        let mut out = vec![];
        tx.handle(Mono::default() + ms(at), input, &mut out);
        out
    }
    fn new(reliable: bool) -> InviteServer {
        InviteServer::new(Timers::default(), reliable)
    }

    #[test]
    fn a_repeated_invite_gets_the_last_provisional_again() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 0, Input::Invite), []);
        assert_eq!(feed(&mut tx, 1, Input::Respond(Class::Provisional)), [Step::Send]);
        assert_eq!(feed(&mut tx, 500, Input::Invite), [Step::Send]);
        assert!(tx.pending() && tx.deadline().is_none());
    }

    #[test]
    fn a_refusal_is_repeated_until_it_is_acknowledged() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 0, Input::Respond(Class::Refusal)), [Step::Send]);
        let mut sent = vec![];
        while sent.len() < 5 {
            let at = tx.deadline().unwrap().0 / 1_000_000;
            assert_eq!(feed(&mut tx, at, Input::Tick), [Step::Send]);
            sent.push(at);
        }
        assert_eq!(sent, [500, 1500, 3500, 7500, 11_500]);
        assert_eq!(feed(&mut tx, 12_000, Input::Invite), [Step::Send]);
        assert_eq!(feed(&mut tx, 12_100, Input::Ack), []);
        assert_eq!(feed(&mut tx, 12_200, Input::Ack), []);
        assert_eq!(feed(&mut tx, 17_100, Input::Tick), [Step::Over]);
    }

    #[test]
    fn a_refusal_nobody_acknowledges_gives_up_after_32_seconds_not_after_5() {
        let mut tx = new(true);
        feed(&mut tx, 0, Input::Respond(Class::Refusal));
        assert_eq!(tx.deadline(), Some(Mono::default() + ms(32_000)));
        assert_eq!(feed(&mut tx, 32_000, Input::Tick), [Step::TimedOut, Step::Over]);
        let mut tcp = new(true);
        feed(&mut tcp, 0, Input::Respond(Class::Refusal));
        assert_eq!(feed(&mut tcp, 10, Input::Ack), [Step::Over]);
    }

    #[test]
    fn after_a_2xx_repeated_invites_are_swallowed_and_acks_go_up() {
        let mut tx = new(false);
        assert_eq!(feed(&mut tx, 0, Input::Respond(Class::Success)), [Step::Send]);
        assert!(!tx.pending());
        assert_eq!(feed(&mut tx, 100, Input::Invite), []);
        assert_eq!(feed(&mut tx, 500, Input::Respond(Class::Success)), [Step::Send]);
        assert_eq!(feed(&mut tx, 600, Input::Respond(Class::Refusal)), []);
        assert_eq!(feed(&mut tx, 700, Input::Ack), [Step::Pass]);
        assert_eq!(feed(&mut tx, 32_000, Input::Tick), [Step::Over]);
    }

    #[test]
    fn a_broken_transport_is_told_to_the_core_while_it_matters() {
        assert_eq!(feed(&mut new(false), 0, Input::TransportFailed), [Step::Failed]);
        let mut tx = new(false);
        feed(&mut tx, 0, Input::Respond(Class::Refusal));
        assert_eq!(feed(&mut tx, 1, Input::TransportFailed), []);
    }
}
