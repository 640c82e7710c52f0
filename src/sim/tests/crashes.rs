//! The power fails.

use crate::{
    base::{mins, secs},
    sim::{Manner, Who, World},
};

/// A day with two calls, a message, a chat and a dialled number; ends with everybody gone.
fn day(seed: u64, crash_at: Option<u64>) -> (World, Vec<Who>) {
    let mut w = World::new(seed);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    w.crash_at = crash_at;
    let mia = w.visitor("Mia");
    let callers = vec![w.phone("+3265550001").there(), w.phone("+3265550002").there(), w.phone("+3265550003").there()];
    w.manner(anna, Manner::Answer(secs(4)));
    let alive = |w: &mut World| {
        if w.center.is_none() {
            w.restart();
        }
    };
    type Moment = Box<dyn FnMut(&mut World)>;
    let mut moments: Vec<Moment> = Vec::new();
    let c = callers.clone();
    moments.push(Box::new(move |w| w.dials(c[0], "4000")));
    moments.push(Box::new(move |w| drop(w.opens_chat(mia))));
    let c = callers.clone();
    moments.push(Box::new(move |w| w.presses(c[0], "1")));
    moments.push(Box::new(move |w| drop(w.writes(mia, "support"))));
    let c = callers.clone();
    moments.push(Box::new(move |w| w.dials(c[1], "4001")));
    moments.push(Box::new(move |w| drop(w.accepts(ben))));
    moments.push(Box::new(move |w| drop(w.accepts(anna))));
    let c = callers.clone();
    moments.push(Box::new(move |w| w.dials(c[2], "4000")));
    moments.push(Box::new(move |w| drop(w.replies(ben, mia, "Ben here"))));
    let c = callers.clone();
    moments.push(Box::new(move |w| w.presses(c[2], "3")));
    let c = callers.clone();
    moments.push(Box::new(move |w| {
        w.hangs_up(c[0]);
    }));
    moments.push(Box::new(move |w| drop(w.writes(mia, "thank you"))));
    let c = callers.clone();
    moments.push(Box::new(move |w| {
        w.hangs_up(c[1]);
    }));
    let c = callers.clone();
    moments.push(Box::new(move |w| {
        w.hangs_up(c[2]);
    }));
    moments.push(Box::new(move |w| drop(w.leaves(mia))));
    for m in &mut moments {
        alive(&mut w);
        m(&mut w);
        w.pass(secs(4));
    }
    alive(&mut w);
    for who in callers.iter().copied().chain([anna, ben]) {
        while w.hangs_up(who) {}
    }
    drop(w.leaves(mia));
    w.pass(mins(2));
    alive(&mut w);
    drop(w.leaves(mia));
    (w, callers)
}

#[test]
fn whenever_the_power_fails_nothing_is_lost_and_nothing_happens_twice() {
    let (w, _) = day(71, None);
    let last = w.store.facts().last().unwrap().seq;
    assert!(last > 100, "the day is worth crashing: {last} facts");
    let step = if std::env::var_os("RINGDESK_SIM_SEEDS").is_some() { 1 } else { 7 };
    for at in (12..last).step_by(step) {
        let (mut w, _) = day(71, Some(at));
        assert_eq!(w.crashes, 1, "fact {at}");
        w.nothing_is_left();
        // Agents are where they were: nobody is stuck in work that is gone.
        for (agent, a) in w.view().agents {
            assert!(a.work.is_empty(), "fact {at}: {agent} is stuck\n{}", w.report());
        }
    }
}

#[test]
fn a_cut_off_caller_who_calls_again_stands_where_they_stood() {
    let mut w = World::new(72);
    let first = w.phone("+3265550001").dials("4001");
    w.until(|w| w.hears(first, "♫"));
    w.pass(secs(100));
    let second = w.phone("+3265550002").dials("4001");
    w.until(|w| w.hears(second, "♫"));
    w.pass(secs(10));
    w.crash_and_restart();
    w.until(|w| w.is_over(first) && w.is_over(second));
    // The later one is back on the line first.
    w.dials(second, "4001");
    w.until(|w| w.hears(second, "♫"));
    w.dials(first, "4001");
    w.until(|w| w.hears(first, "♫"));
    let v = w.view();
    assert_eq!(v.interactions[&w.contact(first)].position, Some(1), "{}", w.report());
    assert_eq!(v.interactions[&w.contact(second)].position, Some(2));
    w.hangs_up(first);
    w.hangs_up(second);
    w.nothing_is_left();
    let before = w.contacts(first)[0];
    assert_eq!(w.story_of(before), "support: waited 110 s, server restarted · server_restart");
}

#[test]
fn a_waiting_chat_keeps_its_place_over_a_restart_and_a_chat_in_hand_stays_in_hand() {
    let mut w = World::new(73);
    let anna = w.agent("anna").ready();
    let (mia, tom) = (w.visitor("Mia"), w.visitor("Tom"));
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.asks(anna, |agent| crate::center::command::Command::Console { agent, connected: false }).unwrap();
    w.opens_chat(tom).unwrap();
    w.pass(secs(1));
    w.writes(tom, "support").unwrap();
    w.pass(secs(60));
    let (chat, waiting) = (w.chat(mia), w.chat(tom));
    let before = w.transcript(chat);
    w.crash_and_restart();
    w.pass(secs(1));
    assert_eq!(w.transcript(chat), before);
    assert_eq!(w.view().interactions[&chat].stage, "talking");
    assert_eq!(w.view().interactions[&waiting].stage, "waiting", "{}", w.report());
    assert_eq!(w.view().interactions[&waiting].position, Some(1));
    assert_eq!(w.count(waiting, "queued"), 1, "it never left the queue");
    w.signs_in(anna);
    w.sets_ready(anna);
    w.visitor_connected(mia, true).unwrap();
    w.visitor_connected(tom, true).unwrap();
    w.replies(anna, mia, "I am still here.").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.leaves(mia).unwrap();
    w.leaves(tom).unwrap();
    w.nothing_is_left();
}

#[test]
fn an_answered_call_is_ended_with_a_cause_and_its_recording_kept() {
    let mut w = World::new(74);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265550001").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(20));
    w.crash_and_restart();
    w.until(|w| w.is_over(caller) && w.is_over(anna));
    w.until(|w| w.agent_view(anna).phone);
    assert_eq!(w.agent_state(anna), "ready");
    let id = w.contact(caller);
    assert_eq!(w.story(caller), "support: waited 0 s · anna talked 20 s · server_restart");
    assert_eq!(w.count(id, "recording_ended"), 1);
    let log = w.ticket_log(w.ticket(id).unwrap()).join("\n");
    assert!(log.contains("restart of the server"), "{log}");
    w.dials(caller, "4001");
    w.until(|w| w.rings(anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn an_agent_who_wraps_up_two_chats_still_wraps_up_two_chats_after_a_restart() {
    let mut w = World::with(75, |b| {
        let t = b.tenants.values_mut().next().unwrap();
        for q in t.routing.queues.values_mut() {
            q.wrap_up_s = 60;
        }
    });
    let anna = w.agent("anna").ready();
    let guests = [w.visitor("Mia"), w.visitor("Tom")];
    for g in guests {
        w.opens_chat(g).unwrap();
        w.pass(secs(1));
        w.writes(g, "support").unwrap();
        w.until(|w| w.offer_to(anna).is_some());
        w.accepts(anna).unwrap();
    }
    for g in guests {
        w.leaves(g).unwrap();
    }
    w.pass(secs(5));
    w.crash_and_restart();
    assert_eq!(w.agent_state(anna), "ready wrap_up wrap_up");
    let first = w.chat(guests[0]);
    w.disposes(anna, first, "solved").unwrap();
    w.asks(anna, |agent| crate::center::command::Command::WrapUpDone { interaction: first, agent }).unwrap();
    assert_eq!(w.agent_state(anna), "ready wrap_up");
    w.crash();
    w.pass(mins(5));
    w.restart();
    w.pass(secs(1));
    assert_eq!(w.agent_state(anna), "ready", "the other ran out while the power was off");
    w.nothing_is_left();
}

#[test]
fn an_agent_taken_out_of_the_plan_while_the_power_is_off_leaves_nothing_behind() {
    let mut w = World::new(76);
    let anna = w.agent("anna").ready();
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    let caller = w.phone("+3265550001").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.pass(secs(1));
    w.crash();
    w.configure(|b| {
        let t = b.tenants.values_mut().next().unwrap();
        t.routes.retain(|r| r.pattern.as_str() != "4101");
        t.routing.agents.remove(&crate::base::AgentId::parse("anna").unwrap());
    });
    w.restart();
    w.pass(secs(1));
    let ben = w.agent("ben").ready();
    w.visitor_connected(mia, true).unwrap();
    w.until(|w| w.offer_to(ben).is_some());
    w.accepts(ben).unwrap();
    w.leaves(mia).unwrap();
    w.nothing_is_left();
}

#[test]
fn a_chat_that_was_on_its_way_into_a_queue_is_in_one_queue_after_a_crash_at_any_fact() {
    let mut w = World::new(77);
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    let before = w.store.facts().len() as u64;
    w.writes(mia, "support").unwrap();
    let after = w.store.facts().len() as u64;
    for seed in 0..6 {
        for at in before + 1..=after + 3 {
            let mut w = World::new(7_700 + seed);
            let mia = w.visitor("Mia");
            w.opens_chat(mia).unwrap();
            w.pass(secs(1));
            w.crash_at = Some(at);
            // What the visitor hears of it does not matter here.
            let _ = w.writes(mia, "support");
            w.pass(secs(1));
            if w.center.is_none() {
                w.restart();
            }
            w.crash_at = None;
            w.pass(secs(1));
            let _ = w.leaves(mia);
            w.nothing_is_left();
        }
    }
}
