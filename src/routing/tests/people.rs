//! Agents' states and wrap-up.

use super::{super::*, floor::*};
use crate::base::{Channel, limits::WRAP_UP_MAX, mins, secs};

const DESK: &str = "
queues: { q: { wrap_up_s: 30, ring_s: 15, dispositions: [sold] } }
agents: { anna: { queues: [q] } }
reasons: { lunch: {} }
dispositions: { sold: {}, lost: {} }
";

fn lunch() -> Input {
    Input::SetState { agent: agent("anna"), state: Choice::NotReady(code("lunch")) }
}

fn over(f: &Floor) -> Option<(Option<String>, bool)> {
    f.log.iter().rev().find_map(|o| match o {
        Output::WrapUpOver { disposition, timed_out, .. } => Some((disposition.as_ref().map(ToString::to_string), *timed_out)),
        _ => None,
    })
}

#[test]
fn lunch_asked_for_while_talking_begins_when_the_work_is_over() {
    let mut f = Floor::new(DESK);
    f.ready("anna");
    f.calls("a", "q");
    f.accepts("anna");
    f.calls("b", "q");
    f.ok(lunch());
    assert_eq!((f.state("anna"), f.pending("anna")), (AgentState::Ready, Some(AgentState::NotReady(code("lunch")))));
    f.ends("a", "anna");
    assert_eq!(f.state("anna"), AgentState::Ready, "still writing");
    f.pass(secs(30));
    assert_eq!((f.state("anna"), f.pending("anna")), (AgentState::NotReady(code("lunch")), None));
    assert!(f.rings("b").is_empty());
    // Taken back in time, it does not happen.
    f.ok(Input::SetState { agent: agent("anna"), state: Choice::Ready });
    f.accepts("anna");
    f.ok(lunch());
    f.ok(Input::SetState { agent: agent("anna"), state: Choice::Ready });
    f.ends("b", "anna");
    f.pass(secs(30));
    assert_eq!(f.state("anna"), AgentState::Ready);
}

#[test]
fn nobody_becomes_ready_without_signing_in_or_rests_for_a_reason_that_does_not_exist() {
    let mut f = Floor::new(DESK);
    let ready = Input::SetState { agent: agent("anna"), state: Choice::Ready };
    assert_eq!(f.input(ready), Err(Refused::NotSignedIn(agent("anna"))));
    f.ready("anna");
    let nap = Input::SetState { agent: agent("anna"), state: Choice::NotReady(code("nap")) };
    assert_eq!(f.input(nap), Err(Refused::UnknownReason(code("nap"))));
    assert_eq!(f.input(Input::SignIn { agent: agent("zoe") }), Err(Refused::UnknownAgent(agent("zoe"))));
}

#[test]
fn wrap_up_ends_early_late_or_by_itself() {
    let mut f = Floor::new(DESK);
    f.ready("anna");
    f.calls("a", "q");
    f.accepts("anna");
    let a = f.id("a");
    // The outcome may be known while still talking; one of another queue is none.
    let give =
        |code_name: &str| Input::Dispose { interaction: a, agent: agent("anna"), code: code(code_name), note: "ok".into() };
    assert_eq!(f.input(give("lost")), Err(Refused::UnknownDisposition(code("lost"))));
    f.ok(give("sold"));
    f.pass(secs(50));
    f.ends("a", "anna");
    f.calls("b", "q");
    assert!(f.rings("b").is_empty(), "writing up uses the one place there is for voice");
    f.pass(secs(10));
    f.ok(Input::WrapUpDone { agent: agent("anna"), interaction: a });
    assert_eq!((over(&f), f.rings("b")), (Some((Some("sold".into()), false)), vec!["anna".to_owned()]));
    let late = f.input(Input::WrapUpDone { agent: agent("anna"), interaction: a });
    assert_eq!(late, Err(Refused::NotInWrapUp { agent: agent("anna"), interaction: a }));

    f.accepts("anna");
    f.ends("b", "anna");
    let b = f.id("b");
    f.ok(Input::ExtendWrapUp { agent: agent("anna"), interaction: b, by: secs(60) });
    f.pass(secs(89));
    assert_eq!(f.router.agent(&agent("anna")).expect("anna").work.len(), 1);
    f.pass(secs(1));
    assert_eq!(over(&f), Some((None, true)));

    f.calls("c", "q");
    f.accepts("anna");
    f.ends("c", "anna");
    let c = f.id("c");
    let extend = Input::ExtendWrapUp { agent: agent("anna"), interaction: c, by: mins(60) };
    f.ok(extend.clone());
    assert_eq!(f.input(extend), Err(Refused::WrapUpLimit { agent: agent("anna") }));
    f.pass(WRAP_UP_MAX);
    assert!(f.router.agent(&agent("anna")).expect("anna").work.is_empty());
    let counts = f.counts("q");
    assert_eq!((counts.handled, counts.acw_us, counts.talk_us), (3, (10 + 90 + 900) * 1_000_000, 50_000_000));
}

#[test]
fn a_mandatory_outcome_cannot_be_skipped_by_pressing_done() {
    let mut f = Floor::new(&DESK.replace("ring_s: 15", "wrap_up_mandatory: true"));
    f.ready("anna");
    f.calls("a", "q");
    f.accepts("anna");
    f.ends("a", "anna");
    let interaction = f.id("a");
    let done = Input::WrapUpDone { agent: agent("anna"), interaction };
    assert_eq!(f.input(done.clone()), Err(Refused::DispositionMissing { agent: agent("anna"), interaction }));
    f.ok(Input::Dispose { interaction, agent: agent("anna"), code: code("sold"), note: String::new() });
    f.ok(done);
}

#[test]
fn signing_out_waits_for_the_conversation_and_gives_back_what_rings() {
    let mut f = Floor::new(DESK);
    f.ready("anna");
    f.calls("a", "q");
    f.accepts("anna");
    f.chats("chat", "q");
    assert_eq!(f.rings("chat"), ["anna"]);
    f.ok(Input::SignOut { agent: agent("anna") });
    assert_eq!((f.line("q"), f.rings("chat").len()), (vec!["chat".to_owned()], 0));
    assert_eq!(f.pending("anna"), Some(AgentState::SignedOut));
    // A change of mind, twice.
    f.ok(Input::SetState { agent: agent("anna"), state: Choice::Ready });
    assert_eq!((f.pending("anna"), f.rings("chat")), (None, vec!["anna".to_owned()]));
    f.ok(Input::SignOut { agent: agent("anna") });
    f.ends("a", "anna");
    assert_eq!(f.state("anna"), AgentState::SignedOut, "who goes home does not write up");
    assert_eq!(f.input(Input::SignOut { agent: agent("anna") }), Err(Refused::NotSignedIn(agent("anna"))));
}

#[test]
fn an_agents_time_adds_up_and_hold_is_not_talk() {
    let mut f = Floor::new(DESK);
    f.ready("anna");
    f.pass(secs(9));
    f.calls("a", "q");
    f.pass(secs(4));
    f.accepts("anna");
    f.pass(secs(20));
    let a = f.id("a");
    f.ok(Input::Hold { interaction: a, agent: agent("anna"), on: true });
    f.pass(secs(5));
    f.ok(Input::Hold { interaction: a, agent: agent("anna"), on: false });
    f.pass(secs(5));
    f.ends("a", "anna");
    f.pass(secs(30));
    f.ok(lunch());
    f.pass(mins(10));
    f.ok(Input::SignOut { agent: agent("anna") });
    let counts = f.router.agent_counts(&agent("anna")).expect("anna");
    assert_eq!(counts.signed_in(), secs(10 + 4 + 30 + 30 + 600));
    assert_eq!((counts.talk_us, counts.hold_us, counts.acw_us), (25_000_000, 5_000_000, 30_000_000));
    assert_eq!(counts.occupancy(), Some(60.0 / 70.0), "ringing is neither work nor idleness");
}

#[test]
fn who_dials_out_is_not_offered_calls_meanwhile() {
    let mut f = Floor::new(DESK);
    f.ready("anna");
    let interaction = f.id("out");
    f.ok(Input::Engage { interaction, agent: agent("anna"), channel: Channel::Voice, queue: None });
    f.calls("a", "q");
    assert!(f.rings("a").is_empty());
    f.ok(Input::Ended { interaction, agent: agent("anna") });
    assert_eq!(f.rings("a"), ["anna"], "no queue, no wrap-up");
}
