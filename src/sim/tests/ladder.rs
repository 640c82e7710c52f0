//! What is kept of the signalling of a call, and what it tells when somebody asks why.

use crate::{
    base::{InteractionId, ms, secs},
    center::{
        fact::{LegRole, Record},
        why::{Code, Finding, Side, why},
    },
    sim::{Manner, World, business},
};

fn ask(w: &World, id: InteractionId) -> Vec<Finding> {
    let facts: Vec<Record> = w.facts_of(id).cloned().collect();
    why(&facts, w.ladders.get(&id))
}

#[test]
fn a_call_leaves_every_message_of_both_its_legs_in_the_order_of_the_wire() {
    let mut w = World::new(1);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);

    let center = w.center.as_ref().unwrap();
    let so_far = center.ladder_now(&business::tenant(), id).expect("it is there while the call goes on").ladder();
    assert!(so_far.steps.iter().all(|s| s.method() != "BYE"));
    assert!(!w.ladders.contains_key(&id));

    w.pass(secs(20));
    w.hangs_up(caller);
    w.until(|w| w.ladders.contains_key(&id));
    let ladder = &w.ladders[&id];
    let roles: Vec<(LegRole, &str)> = ladder.parties.iter().map(|p| (p.role, &*p.name)).collect();
    assert_eq!(roles, [(LegRole::Customer, "+3265551234"), (LegRole::Agent, "anna")]);
    let said = |leg: u64| -> Vec<String> {
        let of = ladder.steps.iter().filter(|s| s.leg == leg);
        of.map(|s| format!("{} {}", if s.sent { "→" } else { "←" }, s.title())).collect()
    };
    let (customer, agent) = (said(ladder.parties[0].leg), said(ladder.parties[1].leg));
    assert_eq!(customer.first().unwrap(), "← INVITE (SDP)", "{customer:?}");
    assert_eq!(customer[customer.len() - 2..], ["← BYE", "→ 200 OK (BYE)"], "{customer:?}");
    assert_eq!(agent.first().unwrap(), "→ INVITE (SDP)", "{agent:?}");
    assert_eq!(agent[agent.len() - 2..], ["→ BYE", "← 200 OK (BYE)"], "what came after the end is there: {agent:?}");
    assert!(ladder.steps.windows(2).all(|p| p[0].at <= p[1].at));
    assert_eq!(ladder.dropped, 0);
    let found = ask(&w, id);
    assert_eq!((found.len(), found[0].code), (1, Code::Ended), "{found:#?}");
    // Every call is let go of once it is put away.
    assert_eq!(w.center.as_ref().unwrap().ladder_now(&business::tenant(), id).map(|o| o.legs.len()), None);
}

#[test]
fn what_an_agent_logs_in_with_is_not_in_the_ladder() {
    let mut w = World::new(2);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.manner(carrier, Manner::Answer(ms(100)));
    w.dials(anna, "+32470000001");
    w.until(|w| w.is_up(anna));
    w.pass(secs(3));
    w.hangs_up(anna);
    w.until(|w| !w.ladders.is_empty());
    let (_, ladder) = w.ladders.first_key_value().unwrap();
    let text = ladder.text();
    assert!(text.contains("response=\"***\""), "{text}");
    let shown = text.lines().filter(|l| l.contains("response=\"")).all(|l| l.contains("response=\"***\""));
    assert!(shown, "{text}");
    assert!(text.contains("401 Unauthorized"), "the challenge before it is there: {text}");
}

#[test]
fn a_carrier_that_refuses_is_named_with_its_status_and_one_that_is_silent_with_how_often_it_was_asked() {
    let mut w = World::new(3);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.manner(carrier, Manner::Refuse(404, None));
    w.dials(anna, "+32470000001");
    w.until(|w| w.ladders.len() == 1);
    let id = *w.ladders.keys().next().unwrap();
    let found = ask(&w, id);
    assert_eq!((found[0].code, found[0].side), (Code::Refused, Side::Peer), "{found:#?}");
    assert!(found[0].en.contains("404 Not Found"), "{}", found[0].en);

    w.pass(secs(30));
    w.phone_mut(carrier).dead = true;
    w.dials(anna, "+32470000001");
    w.until(|w| w.ladders.len() == 2);
    let id = *w.ladders.keys().find(|k| **k != id).unwrap();
    let found = ask(&w, id);
    assert_eq!((found[0].code, found[0].side), (Code::NeverAnswered, Side::Between), "{found:#?}");
}

#[test]
fn a_caller_who_gives_up_is_no_fault_of_anybodys() {
    let mut w = World::new(4);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.pass(secs(4));
    w.hangs_up(caller);
    let id = w.contact(caller);
    w.until(|w| w.ladders.contains_key(&id));
    let found = ask(&w, id);
    assert!(found.iter().all(|f| !f.fault), "{found:#?}");
}
