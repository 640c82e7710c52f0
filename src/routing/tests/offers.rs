//! Offers: ring out, decline, race, withdraw, prefer, assign; and what the decision record says of them.

use super::{super::decision::Filter, super::*, floor::*};
use crate::base::{Channel, Wall, mins, secs};

const SALES: &str = "
queues: { sales: { ring_s: 15, wrap_up_s: 0, retry_s: 30 } }
agents:
  anna: { queues: [sales] }
  ben: { queues: [sales] }
  cleo: { queues: [sales] }
";

#[test]
fn a_caller_nobody_picks_up_for_goes_round_and_keeps_the_place_and_the_age() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.ready("ben");
    f.calls("caller", "sales");
    f.calls("second", "sales");
    assert_eq!((f.rings("caller"), f.rings("second")), (vec!["anna".into()], vec!["ben".into()]));
    f.calls("third", "sales");
    f.pass(secs(15));
    // Both let it ring: both are out, all three wait in the order they came.
    assert_eq!(f.state("anna"), AgentState::NotReady(code("no_answer")));
    assert_eq!(f.state("ben"), AgentState::NotReady(code("no_answer")));
    assert_eq!(f.line("sales"), ["caller", "second", "third"]);
    f.ready("cleo");
    assert_eq!(f.rings("caller"), ["cleo"]);
    let since = f.router.queues()[0].longest_since;
    assert_eq!(since, Some(Wall::from_unix_s(START + 2)), "the age of the first caller is kept");
    assert_eq!(f.decision("caller").filter_of(&agent("anna")), Some(&Filter::NotReady(code("no_answer"))));
    assert_eq!(f.counts("sales").no_answer, 2);
    // Anna is back by her own choice: what rang out may ring again.
    f.ok(Input::SetState { agent: agent("anna"), state: Choice::Ready });
    assert_eq!(f.rings("second"), ["anna"]);
}

#[test]
fn an_answer_after_the_deadline_is_refused_even_if_no_tick_came_in_between() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.calls("caller", "sales");
    let offer = f.offer("anna");
    f.now = f.now.later(secs(15));
    assert_eq!(f.input(Input::Accept { offer }), Err(Refused::OfferOver { offer, why: StopWhy::NoAnswer }));
    assert_eq!(f.line("sales"), ["caller"]);
}

#[test]
fn who_declines_stays_ready_and_is_asked_again_only_after_a_while() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.calls("caller", "sales");
    let offer = f.offer("anna");
    f.ok(Input::Decline { offer });
    assert_eq!((f.state("anna"), f.rings("caller").len()), (AgentState::Ready, 0));
    // Another caller is another matter.
    f.calls("other", "sales");
    assert_eq!(f.rings("other"), ["anna"]);
    f.accepts("anna");
    f.pass(secs(10));
    f.ends("other", "anna");
    assert!(f.rings("caller").is_empty());
    f.pass(secs(20));
    assert_eq!(f.rings("caller"), ["anna"]);
}

#[test]
fn of_two_who_answer_at_once_one_talks_and_the_other_is_told_who_was_first() {
    let mut f = Floor::new(&SALES.replace("ring_s: 15", "ring_s: 15, strategy: ring_all"));
    f.ready("anna");
    f.ready("ben");
    f.calls("caller", "sales");
    assert_eq!(f.rings("caller"), ["anna", "ben"]);
    f.ready("cleo");
    assert_eq!(f.rings("caller"), ["anna", "ben", "cleo"], "who becomes ready joins the ringing");
    f.accepts("ben");
    let offer = f.offer("anna");
    assert_eq!(f.input(Input::Accept { offer }), Err(Refused::OfferOver { offer, why: StopWhy::LostRace }));
    let talks = f.log.iter().filter(|o| matches!(o, Output::Connect { .. })).count();
    assert_eq!((talks, f.rings("caller").len(), f.line("sales").len()), (1, 0, 0));
    // The losers are free at once.
    f.calls("next", "sales");
    assert_eq!(f.rings("next"), ["anna", "cleo"]);
    f.pass(secs(15));
    assert_eq!(f.state("anna"), AgentState::Ready, "a team is not thrown out for one unanswered ring");
}

#[test]
fn a_caller_who_hangs_up_while_it_rings_frees_the_agent_for_the_next() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.calls("caller", "sales");
    f.calls("next", "sales");
    f.pass(secs(7));
    let interaction = f.id("caller");
    f.ok(Input::Withdraw { interaction, why: Withdrawn::Abandoned });
    assert_eq!(f.rings("next"), ["anna"]);
    let counts = f.counts("sales");
    assert_eq!((counts.abandoned, counts.abandoned_short, counts.waiting), (1, 0, 1));
    assert_eq!(f.input(Input::Withdraw { interaction, why: Withdrawn::Abandoned }), Err(Refused::NotWaiting(interaction)));
}

#[test]
fn a_phone_that_cannot_be_rung_costs_one_caller_a_moment_and_not_all_of_them() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.ready("ben");
    f.calls("caller", "sales");
    let offer = f.offer("anna");
    f.ok(Input::EndpointFailed { offer, why: "503".into() });
    assert_eq!(f.state("anna"), AgentState::NotReady(code("endpoint_failed")));
    assert_eq!(f.rings("caller"), ["ben"]);
    // A phone that unregisters while ringing: the agent stays ready, and is rung again when it is back.
    f.ok(Input::Reachable { agent: agent("ben"), channel: Channel::Voice, up: false });
    assert_eq!((f.rings("caller").len(), f.state("ben")), (0, AgentState::Ready));
    f.ok(Input::Reachable { agent: agent("ben"), channel: Channel::Voice, up: true });
    assert_eq!(f.rings("caller"), ["ben"]);
}

#[test]
fn a_returning_customer_waits_a_little_for_their_agent_and_then_takes_anyone() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.calls("first", "sales");
    f.accepts("anna");
    f.ready("ben");
    let prefer = Some((agent("anna"), secs(40)));
    let entry = Entry { prefer: prefer.clone(), ..f.entry("fan", "sales") };
    f.ok(Input::Enqueue(entry));
    f.pass(secs(39));
    assert!(f.rings("fan").is_empty(), "kept for anna, who is talking");
    f.pass(secs(1));
    assert_eq!(f.rings("fan"), ["ben"]);
    f.accepts("ben");
    // Anna comes free in time for the next one.
    let entry = Entry { prefer: prefer.clone(), ..f.entry("fan2", "sales") };
    f.ok(Input::Enqueue(entry));
    f.ready("cleo");
    f.ends("first", "anna");
    assert_eq!(f.rings("fan2"), ["anna"]);
    assert_eq!(f.decision("fan2").kept_for, Some(agent("anna")));
    assert_eq!(f.decision("fan2").filter_of(&agent("cleo")), Some(&Filter::KeptFor(agent("anna"))));
    // She lets it ring: the pool has it at once.
    f.pass(secs(15));
    assert_eq!(f.rings("fan2"), ["cleo"]);
    // Not expected at all: nobody waits for her.
    assert_eq!(f.state("anna"), AgentState::NotReady(code("no_answer")));
    f.ends("fan", "ben");
    let entry = Entry { prefer, ..f.entry("fan3", "sales") };
    f.ok(Input::Enqueue(entry));
    assert_eq!(f.rings("fan3"), ["ben"]);
}

#[test]
fn when_the_preferred_agent_goes_to_lunch_what_was_kept_for_them_goes_to_the_pool() {
    let mut f = Floor::new(&format!("{SALES}reasons: {{ lunch: {{}} }}"));
    f.ready("anna");
    f.calls("first", "sales");
    f.accepts("anna");
    f.ready("ben");
    let entry = Entry { prefer: Some((agent("anna"), mins(5))), ..f.entry("fan", "sales") };
    f.ok(Input::Enqueue(entry));
    assert!(f.rings("fan").is_empty());
    f.ok(Input::SetState { agent: agent("anna"), state: Choice::NotReady(code("lunch")) });
    assert_eq!(f.rings("fan"), ["ben"]);
}

#[test]
fn a_supervisor_reassigns_a_waiting_caller_who_keeps_the_place_if_that_fails() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.calls("caller", "sales");
    f.ready("ben");
    let interaction = f.id("caller");
    f.ok(Input::Assign { interaction, agent: agent("ben"), channel: Channel::Voice });
    assert_eq!(f.rings("caller"), ["ben"]);
    f.pass(secs(15));
    assert_eq!(f.rings("caller"), ["anna"], "back in line, and anna is free");
    // A call to a person's own number: no queue to go back to.
    let interaction = f.id("direct");
    let busy = f.input(Input::Assign { interaction, agent: agent("anna"), channel: Channel::Voice });
    assert_eq!(busy, Err(Refused::CannotTake { agent: agent("anna"), why: Filter::Alerting }));
    f.ready("cleo");
    f.ok(Input::Assign { interaction, agent: agent("cleo"), channel: Channel::Voice });
    f.pass(secs(20));
    assert_eq!(f.exit("direct"), Some(ExitWhy::NoAnswer));
}

#[test]
fn the_record_says_who_was_looked_at_what_filtered_them_and_what_broke_the_tie() {
    let mut f = Floor::new(
        "
skills: { german: {} }
queues: { sales: { needs: { german: 3 } } }
agents:
  anna: { queues: [sales], skills: { german: 2 } }
  ben: { queues: [sales], skills: { german: 4 } }
  cleo: { queues: [sales], skills: { german: 3 } }
  dora: { queues: [sales] }
",
    );
    for a in ["anna", "cleo", "ben"] {
        f.ready(a);
    }
    f.calls("caller", "sales");
    let d = f.decision("caller").clone();
    assert_eq!((d.agent.as_str(), d.holds()), ("cleo", true));
    assert!(d.tie_break.starts_with("cleo before ben: free since"), "{}", d.tie_break);
    let german = crate::base::SkillId::parse("german").expect("an id");
    assert_eq!(d.filter_of(&agent("anna")), Some(&Filter::Skill { skill: german, needs: 3, has: 2 }));
    assert_eq!(d.filter_of(&agent("dora")), Some(&Filter::SignedOut));
    assert!(d.explain().iter().any(|l| l == "agent anna: skill german needs 3, has 2"), "{:#?}", d.explain());
    // It survives being written down, and a record that was tampered with no longer holds.
    let text = serde_json::to_string(&d).expect("a record is data");
    let mut read: Decision = serde_json::from_str(&text).expect("what was written reads");
    assert_eq!(read, d);
    read.agent = agent("ben");
    assert!(!read.holds());
}

#[test]
fn what_was_kept_goes_to_the_pool_when_the_preferred_agent_declines_or_loses_the_phone() {
    let mut f = Floor::new(SALES);
    f.ready("anna");
    f.ready("ben");
    let fan = |f: &mut Floor, name: &str| {
        let entry = Entry { prefer: Some((agent("anna"), mins(5))), ..f.entry(name, "sales") };
        f.ok(Input::Enqueue(entry));
    };
    fan(&mut f, "fan");
    assert_eq!(f.rings("fan"), ["anna"]);
    let offer = f.offer("anna");
    f.ok(Input::Decline { offer });
    assert_eq!(f.rings("fan"), ["ben"]);
    f.calls("first", "sales");
    f.accepts("anna");
    f.ready("cleo");
    fan(&mut f, "fan2");
    assert!(f.rings("fan2").is_empty());
    f.ok(Input::Reachable { agent: agent("anna"), channel: Channel::Voice, up: false });
    assert_eq!(f.rings("fan2"), ["cleo"]);
}

/// A queue with so many agents, named a00, a01 ..
fn crowd(strategy: &str, agents: usize) -> Floor {
    let people: String = (0..agents).map(|n| format!("  a{n:02}: {{ queues: [sales] }}\n")).collect();
    Floor::new(&format!("queues: {{ sales: {{ strategy: {strategy} }} }}\nagents:\n{people}"))
}

#[test]
fn the_record_of_a_large_queue_names_a_few_and_counts_the_others_by_what_kept_them() {
    use crate::base::limits::{DECISION_ABLE_MAX, DECISION_KEPT_MAX};
    let mut f = crowd("longest_idle", 40);
    for n in 20..30 {
        f.ready(&format!("a{n}"));
    }
    for n in 0..9 {
        f.ok(Input::SignIn { agent: agent(&format!("a{n:02}")) });
    }
    f.calls("caller", "sales");
    let d = f.decision("caller").clone();
    assert_eq!((d.agent.as_str(), d.holds(), d.able), ("a20", true, 10));
    let able = d.candidates.iter().filter(|c| matches!(c.verdict, crate::routing::decision::Verdict::Eligible(_))).count();
    assert_eq!((able, d.candidates.len()), (DECISION_ABLE_MAX, DECISION_ABLE_MAX + DECISION_KEPT_MAX));
    assert_eq!(d.candidates_omitted as usize, 40 - d.candidates.len());
    // Thirty could not take it; five are named.
    assert_eq!(d.kept_back.iter().map(|(_, n)| *n).sum::<u32>(), 25);
    assert!(d.kept_back.contains(&("signed_out".into(), 21)), "{:?}", d.kept_back);
    let lines = d.explain();
    assert!(lines.contains(&"21 more: signed out".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"5 more agents are not written out".to_owned()), "{lines:#?}");
    assert!(serde_json::to_string(&d).expect("a record is data").len() < 2_000);
}

#[test]
fn a_queue_that_rings_all_rings_more_than_a_record_names_and_each_record_names_its_own() {
    let mut f = crowd("ring_all", 30);
    for n in 0..30 {
        f.ready(&format!("a{n:02}"));
    }
    // Each record is held against what was done as it is made.
    f.calls("caller", "sales");
    assert_eq!(f.rings("caller").len(), 30);
    assert_eq!(f.decision("caller").tie_break, "rings at all 30 who can take it");
}
