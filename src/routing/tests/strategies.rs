//! Who gets it: order of waiting, order of agents, skills, relaxation, reserves, weights.

use super::{super::decision::Filter, super::*, floor::*};
use crate::base::{Channel, SkillId, mins, secs};

fn team(queue: &str) -> String {
    format!(
        "
queues: {{ q: {{ wrap_up_s: 0, {queue} }} }}
agents: {{ anna: {{ queues: [q] }}, ben: {{ queues: [q] }}, cleo: {{ queues: [q] }} }}
"
    )
}

/// Each call is taken and ended after ten seconds; who took them.
fn calls_in_turn(f: &mut Floor, n: usize) -> Vec<String> {
    (0..n)
        .map(|i| {
            let caller = format!("c{i}");
            f.calls(&caller, "q");
            let who = f.rings(&caller).remove(0);
            f.accepts(&who);
            f.pass(secs(10));
            f.ends(&caller, &who);
            f.pass(secs(1));
            who
        })
        .collect()
}

#[test]
fn longest_idle_round_robin_and_fewest_each_share_the_work_in_their_way() {
    for strategy in ["longest_idle", "round_robin", "fewest"] {
        let mut f = Floor::new(&team(&format!("strategy: {strategy}")));
        for a in ["cleo", "anna", "ben"] {
            f.ready(a);
        }
        let who = calls_in_turn(&mut f, 6).join(" ");
        let expected = match strategy {
            "round_robin" => "anna ben cleo anna ben cleo",
            _ => "cleo anna ben cleo anna ben",
        };
        assert_eq!(who, expected, "{strategy}");
    }
    // Fewest: the newcomer catches up.
    let mut f = Floor::new(&team("strategy: fewest"));
    f.ready("anna");
    calls_in_turn(&mut f, 2);
    f.ready("ben");
    f.pass(mins(1));
    assert_eq!(calls_in_turn(&mut f, 3), ["ben", "ben", "anna"]);
}

#[test]
fn by_lot_the_heavier_gets_more() {
    let mut f = Floor::new(
        "
queues: { q: { wrap_up_s: 0, strategy: weighted_random } }
agents: { anna: { queues: [{ queue: q, weight: 3 }] }, ben: { queues: [q] } }
",
    );
    f.ready("anna");
    f.ready("ben");
    let anna = calls_in_turn(&mut f, 400).iter().filter(|a| *a == "anna").count();
    assert!((270..=330).contains(&anna), "three in four of 400, give or take: {anna}");
}

#[test]
fn best_skilled_goes_by_levels_and_only_then_by_idleness() {
    let mut f = Floor::new(
        "
skills: { german: {}, printers: {} }
queues: { q: { strategy: best_skilled, needs: { german: 1, printers: 1 } } }
agents:
  anna: { queues: [q], skills: { german: 5, printers: 1 } }
  ben: { queues: [q], skills: { german: 3, printers: 4 } }
  cleo: { queues: [q], skills: { german: 5 } }
",
    );
    for a in ["cleo", "anna", "ben"] {
        f.ready(a);
    }
    f.calls("c", "q");
    assert_eq!(f.rings("c"), ["ben"]);
    assert_eq!(f.decision("c").tie_break, "ben before anna: levels add up to 7 against 6");
}

#[test]
fn priority_is_a_head_start_in_minutes_and_nobody_starves() {
    let mut f = Floor::new(&team("head_starts: [{ attribute: tier, is: gold, minutes: 3 }]"));
    f.calls("plain", "q");
    f.pass(mins(2));
    let gold = Entry { attributes: [("tier".into(), "gold".into())].into(), ..f.entry("gold", "q") };
    f.ok(Input::Enqueue(gold));
    let vip = Entry { priority_min: 10, ..f.entry("vip", "q") };
    f.ok(Input::Enqueue(vip));
    assert_eq!(f.line("q"), ["vip", "gold", "plain"]);
    f.pass(mins(2));
    // Four minutes after the plain caller, three minutes of head start are not enough any more.
    let gold = Entry { attributes: [("tier".into(), "gold".into())].into(), ..f.entry("gold2", "q") };
    f.ok(Input::Enqueue(gold));
    assert_eq!(f.line("q"), ["vip", "gold", "plain", "gold2"]);
    let interaction = f.id("gold2");
    f.ok(Input::SetPriority { interaction, priority_min: 30 });
    assert_eq!(f.line("q"), ["gold2", "vip", "gold", "plain"]);
    assert_eq!(f.router.position(interaction), Some(1));
    // However many urgent ones keep coming, the plain caller is served once older than their head start.
    f.ready("anna");
    let mut served = Vec::new();
    for i in 0..40 {
        let urgent = Entry { priority_min: 5, ..f.entry(&format!("u{i}"), "q") };
        f.ok(Input::Enqueue(urgent));
        f.accepts("anna");
        served.push(f.router.agent(&agent("anna")).expect("anna").work[0].interaction);
        f.pass(mins(1));
        let name = f.name(*served.last().expect("just pushed"));
        f.ends(&name, "anna");
    }
    let plain = f.id("plain");
    assert!(served.iter().take(12).any(|i| *i == plain));
}

#[test]
fn an_older_call_from_another_queue_comes_in_by_its_age() {
    let mut f = Floor::new(&team(""));
    f.calls("b", "q");
    f.pass(secs(30));
    let older = Entry { since: f.now.wall - mins(5), ..f.entry("transferred", "q") };
    f.ok(Input::Enqueue(older));
    assert_eq!(f.line("q"), ["transferred", "b"]);
}

#[test]
fn what_is_asked_for_is_relaxed_step_by_step_and_the_record_says_so() {
    let mut f = Floor::new(
        "
skills: { german: {} }
queues: { q: { needs: { german: 4 }, relax: [{ after_s: 20, skill: german, to: 2 }, { after_s: 60 }] } }
agents:
  anna: { queues: [q], skills: { german: 2 } }
  ben: { queues: [q] }
",
    );
    f.ready("anna");
    f.ready("ben");
    f.calls("one", "q");
    f.pass(secs(19));
    assert!(f.rings("one").is_empty());
    f.pass(secs(1));
    assert_eq!(f.rings("one"), ["anna"]);
    let german = SkillId::parse("german").expect("an id");
    assert_eq!(f.decision("one").needs, [(german.clone(), 2)]);
    assert_eq!(f.decision("one").needs_at_first, Some(vec![(german.clone(), 4)]));
    assert_eq!(f.decision("one").filter_of(&agent("ben")), Some(&Filter::Skill { skill: german, needs: 2, has: 0 }));
    f.accepts("anna");
    f.calls("two", "q");
    f.pass(secs(60));
    assert_eq!(f.rings("two"), ["ben"]);
}

#[test]
fn a_reserve_takes_only_what_has_waited_and_a_weighted_queue_comes_first() {
    let mut f = Floor::new(
        "
queues: { a: { wrap_up_s: 0 }, b: { wrap_up_s: 0 } }
agents:
  anna: { queues: [a, { queue: b, priority_min: 2 }] }
  ben: { queues: [{ queue: a, delay_s: 30 }] }
",
    );
    f.ready("ben");
    f.calls("a1", "a");
    f.pass(secs(29));
    assert!(f.rings("a1").is_empty());
    f.pass(secs(1));
    assert_eq!(f.rings("a1"), ["ben"]);
    f.accepts("ben");
    f.calls("a2", "a");
    f.pass(secs(20));
    f.calls("b1", "b");
    f.ready("anna");
    // b1 is younger, but b has two minutes of head start with anna.
    assert_eq!((f.rings("b1"), f.rings("a2").len()), (vec!["anna".to_owned()], 0));
}

#[test]
fn one_call_and_three_chats_fit_in_one_agent_unless_told_otherwise() {
    for (blocks, chats_while_talking) in [(false, 3), (true, 0)] {
        let mut f = Floor::new(&format!(
            "
queues: {{ q: {{ wrap_up_s: 0 }} }}
agents: {{ anna: {{ queues: [q], capacity: {{ webchat: 3 }}, voice_blocks_text: {blocks} }} }}
"
        ));
        f.ready("anna");
        f.calls("call", "q");
        f.accepts("anna");
        f.calls("call2", "q");
        assert!(f.rings("call2").is_empty(), "one mouth");
        for i in 0..5 {
            f.chats(&format!("chat{i}"), "q");
            if !f.rings(&format!("chat{i}")).is_empty() {
                f.accepts("anna");
            }
        }
        let work = f.router.agent(&agent("anna")).expect("anna").work;
        let chats = work.iter().filter(|w| w.channel == Channel::Webchat).count();
        assert_eq!(chats, chats_while_talking, "voice_blocks_text: {blocks}");
        f.ends("call", "anna");
        assert_eq!(f.rings("call2"), ["anna"], "the oldest first, whatever the medium");
    }
}

#[test]
fn two_who_come_free_in_the_same_instant_each_take_what_is_first_for_them() {
    let mut f = Floor::new(
        "
queues: { a: { wrap_up_s: 10 }, b: { wrap_up_s: 10 } }
agents:
  anna: { queues: [a, { queue: b, priority_min: 2 }] }
  ben: { queues: [a] }
",
    );
    f.ready("anna");
    f.ready("ben");
    f.calls("x", "a");
    f.calls("y", "a");
    f.accepts("anna");
    f.accepts("ben");
    f.calls("in a", "a");
    f.pass(secs(20));
    f.calls("in b", "b");
    f.ends("x", "anna");
    f.ends("y", "ben");
    f.pass(secs(10));
    // Both could take the older one; for anna the other queue has the larger head start.
    assert_eq!((f.rings("in b"), f.rings("in a")), (vec!["anna".to_owned()], vec!["ben".to_owned()]));
    let other = f.id("in b");
    assert_eq!(f.decision("in a").filter_of(&agent("anna")), Some(&Filter::TakesFirst(other)));
}
