//! The non-INVITE server transaction: RFC 3261 figure 8.
//!
//!     Trying ──1xx from core──▶ Proceeding ──200+ from core──▶ Completed ──J──▶ Over
//!       │ repeats: silence        repeats: resend                repeats: resend
//!       └──200+ from core──▶ Completed

use super::{Class, Step, Timers};
use crate::base::Mono;

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The request came again.
    Request,
    /// The core answers.
    Respond(Class),
    /// The transport could not send.
    TransportFailed,
    /// A deadline may have come.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed { until: Mono },
    Over,
}

/// One request other than INVITE and ACK received.
#[derive(Debug, Clone)]
pub struct NonInviteServer {
    timers: Timers,
    reliable: bool,
    state: State,
}

impl NonInviteServer {
    /// Starts.
    pub fn new(timers: Timers, reliable: bool) -> Self {
        Self { timers, reliable, state: State::Trying }
    }

    /// The whole life of it.
    pub fn handle(&mut self, now: Mono, input: Input, out: &mut Vec<Step>) {
        match (self.state, input) {
            (State::Trying | State::Proceeding, Input::Respond(Class::Provisional)) => {
                self.state = State::Proceeding;
                out.push(Step::Send);
            }
            (State::Trying | State::Proceeding, Input::Respond(_)) => {
                out.push(Step::Send);
                self.state = State::Completed { until: now + self.timers.j(self.reliable) };
                if self.reliable {
                    self.over(out);
                }
            }
            (State::Proceeding | State::Completed { .. }, Input::Request) => out.push(Step::Send),
            (State::Trying | State::Proceeding | State::Completed { .. }, Input::TransportFailed) => {
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
        if let State::Completed { until } = self.state { Some(until) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ms;

    fn feed(tx: &mut NonInviteServer, at: u64, input: Input) -> Vec<Step> {
        let mut out = vec![];
        tx.handle(Mono::default() + ms(at), input, &mut out);
        out
    }

    #[test]
    fn a_repeated_request_is_answered_from_memory_and_never_reaches_the_core_twice() {
        let mut tx = NonInviteServer::new(Timers::default(), false);
        assert_eq!(feed(&mut tx, 0, Input::Request), []);
        assert_eq!(feed(&mut tx, 1, Input::Respond(Class::Provisional)), [Step::Send]);
        assert_eq!(feed(&mut tx, 2, Input::Request), [Step::Send]);
        assert_eq!(feed(&mut tx, 3, Input::Respond(Class::Success)), [Step::Send]);
        assert_eq!(feed(&mut tx, 4, Input::Respond(Class::Refusal)), []);
        assert_eq!(feed(&mut tx, 500, Input::Request), [Step::Send]);
        assert_eq!(feed(&mut tx, 32_003, Input::Tick), [Step::Over]);
        assert_eq!(feed(&mut tx, 32_004, Input::Request), []);
    }

    #[test]
    fn over_a_stream_the_answer_ends_it() {
        let mut tx = NonInviteServer::new(Timers::default(), true);
        assert_eq!(feed(&mut tx, 0, Input::Respond(Class::Refusal)), [Step::Send, Step::Over]);
    }

    #[test]
    fn a_broken_transport_ends_it() {
        let mut tx = NonInviteServer::new(Timers::default(), true);
        assert_eq!(feed(&mut tx, 0, Input::TransportFailed), [Step::Failed, Step::Over]);
    }
}
