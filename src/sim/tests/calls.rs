//! Calls from the first ring to the ticket.

use crate::{
    base::{CodeId, secs},
    center::{
        command::{Command, Done},
        fact::Fact,
    },
    sim::{Manner, Stage, World},
    ticket::Change,
};

#[test]
fn what_is_noted_on_a_call_whose_ticket_was_merged_meanwhile_stands_on_the_ticket_that_is_left() {
    let mut w = World::new(91);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    let of_the_call = w.ticket(id).unwrap();
    let title = || "Broken lamp".to_owned();
    let mut opens =
        || w.supervises(Command::TicketOpen { title: title(), customer: None, queue: None, priority: None, body: None });
    let (Ok(Done::Ticket { ticket: middle }), Ok(Done::Ticket { ticket: left })) = (opens(), opens()) else { panic!() };
    for (ticket, into) in [(of_the_call, middle), (middle, left)] {
        w.supervises(Command::Ticket { ticket, change: Change::MergedInto { into } }).unwrap();
    }
    let note = "Sends a photo tomorrow".to_owned();
    let dispose = |agent| Command::Dispose { interaction: id, agent, code: CodeId::parse("solved").unwrap(), note };
    w.asks(anna, dispose).unwrap();
    w.hangs_up(caller);
    w.until(|w| w.agent_state(anna) == "ready");
    let log = w.ticket_log(left).join("\n");
    assert!(log.contains("Sends a photo tomorrow") && log.contains("Disposed"), "{log}");
    assert!(w.ticket_log(of_the_call).last().unwrap().contains("MergedInto"), "nothing more is written there");
    w.nothing_is_left();
}

#[test]
fn a_caller_chooses_support_and_gets_the_best_skilled_agent() {
    let mut w = World::new(1);
    let (ben, anna) = (w.agent("ben").ready(), w.agent("anna").ready());
    let caller = w.phone("+3265551234").dials("4000");

    w.until(|w| w.hears(caller, "Welcome"));
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "1");
    w.until(|w| w.rings(anna));
    assert!(w.hears(caller, "♫calm"), "{}", w.report());
    assert!(!w.rings(ben));
    w.pass(secs(3));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(60));
    w.hangs_up(caller);
    w.until(|w| w.is_over(anna));
    let id = w.contact(caller);
    w.until(|w| w.agent_state(anna) == "ready wrap_up");
    w.disposes(anna, id, "solved").unwrap();
    w.until(|w| w.agent_state(anna) == "ready");

    assert_eq!(w.story(caller), "flow main · support: waited 0 s · anna talked 60 s · normal · outcome solved");
    let log = w.ticket_log(w.ticket(id).unwrap()).join("\n");
    assert!(log.contains("Assigned") && log.contains("Talked") && log.contains("Disposed"), "{log}");
    assert_eq!(w.count(id, "recording_ended"), 1);
    w.nothing_is_left();

    // The same customer calls again: the same open matter.
    w.dials(caller, "4001");
    w.until(|w| w.rings(anna));
    assert_ne!(w.contact(caller), id);
    assert_eq!(w.ticket(w.contact(caller)), w.ticket(id));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn the_record_says_why_the_call_went_to_this_agent() {
    let mut w = World::new(2);
    let anna = w.agent("anna").ready();
    w.agent("ben").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    let id = w.contact(caller);
    let offered = w.facts_of(id).find_map(|r| match &r.fact {
        Fact::Offered { agent, decision, .. } => Some((agent.clone(), format!("{decision:?}"))),
        _ => None,
    });
    let (agent, why) = offered.unwrap();
    assert_eq!(agent.as_str(), "anna");
    assert!(why.contains("ben"), "the one who was not chosen is in the record: {why}");
}

#[test]
fn among_equals_the_one_who_has_been_free_longest_is_rung() {
    let mut w = World::new(3);
    let carl = w.agent("carl").ready();
    w.pass(secs(30));
    let dora = w.agent("dora").ready();
    let caller = w.phone("+3265551234").dials("4002");
    w.until(|w| w.rings(carl) || w.rings(dora));
    assert!(w.rings(carl));
    w.answers(carl);
    w.until(|w| w.hear_each_other(caller, carl));
    w.hangs_up(carl);
    w.until(|w| w.is_over(caller) && w.agent_state(carl) == "ready");
    w.dials(caller, "4002");
    w.until(|w| w.rings(carl) || w.rings(dora));
    assert!(w.rings(dora), "carl has just had one");
}

#[test]
fn a_waiting_caller_hears_the_place_over_the_music_and_the_music_again() {
    let mut w = World::new(4);
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "♫calm"));
    w.until(|w| w.hears(caller, "You are number 1"));
    w.until(|w| w.hears(caller, "♫calm"));
    w.until(|w| w.hears(caller, "You are number 1"));
    let anna = w.agent("anna").ready();
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn when_the_agent_hangs_up_the_caller_goes_on_in_the_flow() {
    let mut w = World::new(5);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "1");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(20));
    w.hangs_up(anna);
    w.until(|w| w.hears(caller, "Good bye."));
    w.until(|w| w.is_over(caller));
    assert_eq!(w.story(caller), "flow main · support: waited 0 s · anna talked 20 s · normal");
    w.nothing_is_left();
}

#[test]
fn a_caller_nobody_picks_up_for_goes_to_the_next_agent_and_keeps_place_and_age() {
    let mut w = World::new(6);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    let caller = w.phone("+3228880001").dials("4001");
    w.until(|w| w.rings(anna));
    let second = w.phone("+3228880002").dials("4001");
    w.until(|w| w.rings(ben));
    w.pass(secs(12));
    w.declines(ben);
    // Anna's patience is over first; Ben declined the second caller and may not be offered that one again yet.
    w.until(|w| !w.rings(anna));
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));

    assert_eq!(w.agent_state(anna), "not_ready no_answer");
    assert_eq!(w.story(caller), "support: waited 0 s · anna rang 15 s · ben talking");
    w.hangs_up(second);
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn an_agent_who_was_away_from_the_phone_says_ready_and_is_back() {
    let mut w = World::new(7);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.until(|w| !w.rings(anna));
    assert_eq!(w.agent_state(anna), "not_ready no_answer");
    w.sets_ready(anna);
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
}

#[test]
fn two_agents_pick_up_at_once_and_one_of_them_gets_it() {
    let mut w = World::new(8);
    let agents = [w.agent("anna").ready(), w.agent("ben").ready(), w.agent("carl").ready()];
    let caller = w.phone("+3265551234").dials("4003");
    w.until(|w| agents.iter().all(|a| w.rings(*a)));
    w.answers(agents[0]);
    w.answers(agents[1]);
    w.until(|w| agents.iter().any(|a| w.hear_each_other(caller, *a)));
    w.pass(secs(2));
    let talking: Vec<_> = agents.iter().filter(|a| w.hear_each_other(caller, **a)).collect();
    assert_eq!(talking.len(), 1, "{}", w.report());
    assert_eq!(agents.iter().filter(|a| w.is_up(**a)).count(), 1, "the other phone has stopped\n{}", w.report());
    assert!(!w.rings(agents[2]));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_caller_who_gives_up_leaves_nothing_behind_wherever_it_happens() {
    type Until = fn(&World) -> bool;
    let stages: [(&str, &str, Until); 6] = [
        ("before the answer", "", |_| true),
        ("in the greeting", "", |w| w.hears(who(w), "Welcome")),
        ("in the question", "", |w| w.hears(who(w), "press one")),
        ("waiting", "1", |w| w.hears(who(w), "♫")),
        ("in the announcement", "1", |w| w.hears(who(w), "You are number")),
        ("in voicemail", "3", |w| w.media.recordings() > 0),
    ];
    for (name, keys, reached) in stages {
        let mut w = World::new(9);
        let caller = w.phone("+3265551234").dials("4000");
        if !keys.is_empty() {
            w.until(|w| w.hears(caller, "press one"));
            w.presses(caller, keys);
        }
        w.until(reached);
        w.hangs_up(caller);
        w.nothing_is_left();
        for id in w.contacts(caller) {
            assert_eq!(w.count(id, "interaction_closed"), 1, "{name}");
        }
    }
}

fn who(w: &World) -> super::super::Who {
    w.who("+3265551234")
}

#[test]
fn a_caller_who_gives_up_while_an_agent_rings_frees_the_agent() {
    let mut w = World::new(10);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.pass(secs(4));
    w.hangs_up(caller);
    w.until(|w| !w.rings(anna));
    assert_eq!(w.agent_state(anna), "ready");
    assert_eq!(w.story(caller), "support: waited 0 s, gave up · anna rang 4 s · normal");
    w.nothing_is_left();
}

#[test]
fn a_caller_on_hold_hears_music_and_may_leave_from_there() {
    let mut w = World::new(11);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    w.pass(secs(5));
    assert!(w.hears(caller, "♫calm") && !w.hear_each_other(caller, anna));
    assert_eq!(w.agent_state(anna), "ready hold");
    w.asks(anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    w.pass(secs(1));
    assert!(w.hear_each_other(caller, anna));
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    w.pass(secs(5));
    w.hangs_up(caller);
    w.nothing_is_left();
    assert_eq!(w.story(caller), "support: waited 0 s · anna talked 1 s, held 10 s · normal");
}

#[test]
fn nobody_there_means_a_message_and_a_message_means_a_ticket() {
    let mut w = World::with(12, |b| {
        let t = b.tenants.values_mut().next().unwrap();
        for q in t.routing.queues.values_mut() {
            q.join_empty = crate::routing::plan::Staffing::SignedIn;
        }
    });
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "2");
    w.until(|w| w.hears(caller, "Speak after the beep"));
    w.until(|w| w.media.recordings() == 1);
    w.pass(secs(8));
    w.presses(caller, "#");
    w.until(|w| w.hears(caller, "Good bye."));
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
    let id = w.contact(caller);
    assert_eq!(w.story(caller), "flow main · sales: waited 0 s, nobody there · message 8 s · normal");
    let log = w.ticket_log(w.ticket(id).unwrap()).join("\n");
    assert!(log.contains("Message from +3265551234") && log.contains("CustomerWrote"), "{log}");
}

#[test]
fn a_message_spoken_to_the_last_breath_is_kept_when_the_caller_just_hangs_up() {
    let mut w = World::new(13);
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "3");
    w.until(|w| w.media.recordings() == 1);
    w.pass(secs(6));
    w.hangs_up(caller);
    w.nothing_is_left();
    assert_eq!(w.story(caller), "flow main · normal · message 6 s");
    let log = w.ticket_log(w.ticket(w.contact(caller)).unwrap()).join("\n");
    assert!(log.contains("Voice message, 6 s."), "{log}");
}

#[test]
fn who_waits_too_long_or_comes_to_a_full_queue_is_asked_for_a_message() {
    let mut w = World::with(14, |b| {
        let t = b.tenants.values_mut().next().unwrap();
        for q in t.routing.queues.values_mut() {
            (q.max_wait_s, q.max_length) = (Some(40), Some(1));
        }
    });
    let (first, second) = (w.phone("+321").dials("4000"), w.phone("+322").dials("4000"));
    w.until(|w| w.hears(first, "press one"));
    w.presses(first, "1");
    w.until(|w| w.hears(second, "press one"));
    w.presses(second, "1");
    w.until(|w| w.hears(second, "Speak after"));
    w.until(|w| w.hears(first, "Speak after"));
    w.hangs_up(first);
    w.hangs_up(second);
    w.nothing_is_left();
    assert_eq!(w.story(first), "flow main · support: waited 40 s, too long · normal");
    assert_eq!(w.story(second), "flow main · support: waited 0 s, full · message 30 s · normal");
}

#[test]
fn a_flow_that_fails_gives_its_caller_to_a_person() {
    let mut w = World::new(15);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4009");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(anna);
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
}

#[test]
fn without_a_free_port_a_caller_is_told_503_and_later_gets_through() {
    let mut w = World::new(16);
    w.media.range = (30_000, 30_002);
    let first = w.phone("+321").dials("4000");
    w.until(|w| w.is_up(first));
    let second = w.phone("+322").dials("4000");
    w.until(|w| w.is_over(second));
    assert_eq!(w.phone_of(second).stage(), Some(Stage::Over(503)));
    w.hangs_up(first);
    w.until(|w| w.media.ports_used() == 0);
    w.dials(second, "4000");
    w.until(|w| w.hears(second, "Welcome"));
    w.hangs_up(second);
    w.nothing_is_left();
    for id in w.contacts(second) {
        assert_eq!(w.count(id, "interaction_closed"), 1);
    }
}

#[test]
fn an_agent_whose_phone_gets_no_port_loses_the_call_to_another_not_the_caller() {
    let mut w = World::new(17);
    let anna = w.agent("anna").ready();
    w.media.range = (30_000, 30_002);
    let caller = w.phone("+321").dials("4001");
    w.until(|w| w.is_up(caller));
    w.pass(secs(20));
    assert!(!w.rings(anna) && w.is_up(caller));
    w.media.range = (30_000, 30_100);
    w.until(|w| w.rings(anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn settings_change_under_a_call_and_the_call_goes_on() {
    let mut w = World::new(18);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.configure(|b| {
        let t = b.tenants.values_mut().next().unwrap();
        t.routes.retain(|r| r.pattern.as_str() != "4000");
    });
    w.presses(caller, "1");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    // The queue goes while its customer is being talked to.
    w.configure(|b| {
        let t = b.tenants.values_mut().next().unwrap();
        t.routes.retain(|r| r.pattern.as_str() != "4001");
        let support = crate::base::QueueId::parse("support").unwrap();
        t.routing.queues.remove(&support);
        for a in t.routing.agents.values_mut() {
            a.queues.retain(|q| q.queue != support);
        }
    });
    w.pass(secs(5));
    assert!(w.hear_each_other(caller, anna));
    let late = w.phone("+322").dials("4000");
    w.until(|w| w.is_over(late));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_colleague_is_called_by_name_and_a_caller_by_the_agents_own_number() {
    let mut w = World::new(19);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    w.manner(anna, Manner::Answer(secs(3)));
    let caller = w.phone("+3265551234").dials("4101");
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.until(|w| w.agent_state(anna) == "ready");
    w.dials(ben, "anna");
    w.until(|w| w.hear_each_other(ben, anna));
    w.hangs_up(ben);
    w.nothing_is_left();
}

#[test]
fn a_full_disk_is_an_alarm_until_a_recording_is_whole_again_and_no_call_ends() {
    let mut w = World::new(12);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(1));
    let record = w.media.running().next().expect("the talk is recorded");
    let full = media::wire::Event::RecordTrouble { record, trouble: media::wire::RecordTrouble::DiskFull };
    w.feed(crate::center::Input::Call(crate::call::Input::Media(full)));
    assert!(w.view().alarms.contains_key("recording_disk_full"));
    w.pass(secs(5));
    assert!(w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.nothing_is_left();
    assert!(w.view().alarms.is_empty(), "{:?}", w.view().alarms);
}
