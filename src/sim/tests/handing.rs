//! Handing over, and calling out.

use crate::{
    base::{InteractionId, Wall, ms, secs},
    center::{
        command::{Command, RefusalCode, TransferTo},
        fact::{Fact, Record},
    },
    sim::{Manner, Stage, Who, World},
};

fn talking(seed: u64) -> (World, Who, Who, Who) {
    let mut w = World::new(seed);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(30));
    (w, anna, ben, caller)
}

#[test]
fn a_caller_handed_to_a_queue_keeps_the_age() {
    let (mut w, anna, _, caller) = talking(51);
    let carl = w.agent("carl").ready();
    let id = w.contact(caller);
    w.transfers(anna, id, World::to_queue("sales")).unwrap();
    let since: Vec<_> = w
        .facts_of(id)
        .filter_map(|r| match &r.fact {
            Fact::Queued { entry } => Some(entry.since),
            _ => None,
        })
        .collect();
    assert_eq!(since.len(), 2);
    assert_eq!(since[0], since[1], "arrival does not change");
    w.until(|w| w.is_over(anna));
    w.until(|w| w.rings(carl) || w.rings(w.who("ben")));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_caller_handed_to_an_agent_hears_music_until_they_answer() {
    let (mut w, anna, ben, caller) = talking(52);
    let (id, to) = (w.contact(caller), w.to_agent(ben));
    w.transfers(anna, id, to).unwrap();
    w.until(|w| w.rings(ben));
    assert!(w.hears(caller, "♫"));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    w.pass(secs(10));
    w.hangs_up(caller);
    w.nothing_is_left();
    assert_eq!(w.story(caller), "support: waited 0 s · anna talked 30 s · handed to ben · ben talked 10 s · normal");
}

#[test]
fn an_agent_who_does_not_take_a_handed_caller_does_not_keep_them_for_ever() {
    let (mut w, anna, ben, caller) = talking(53);
    let (id, to) = (w.contact(caller), w.to_agent(ben));
    w.transfers(anna, id, to).unwrap();
    w.until(|w| w.rings(ben));
    w.declines(ben);
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
}

#[test]
fn a_caller_who_hangs_up_in_the_middle_of_a_handover_frees_both_agents() {
    for taking in [false, true] {
        let (mut w, anna, ben, caller) = talking(54);
        let (id, to) = (w.contact(caller), w.to_agent(ben));
        w.transfers(anna, id, to).unwrap();
        w.until(|w| w.rings(ben));
        if taking {
            w.answers(ben);
        }
        w.hangs_up(caller);
        w.nothing_is_left();
        assert_eq!((w.agent_state(anna).as_str(), w.agent_state(ben).as_str()), ("ready", "ready"));
    }
}

#[test]
fn a_caller_handed_outside_hears_ringing_and_then_the_party() {
    let (mut w, anna, _, caller) = talking(55);
    let carrier = w.carrier();
    w.manner(carrier, Manner::Answer(secs(6)));
    let id = w.contact(caller);
    w.transfers(anna, id, TransferTo::Number { number: "+3226660000".into() }).unwrap();
    w.until(|w| w.hears(caller, "♪425"));
    w.until(|w| w.hear_each_other(caller, carrier));
    w.until(|w| w.agent_state(anna) == "ready");
    w.hangs_up(carrier);
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
}

#[test]
fn a_transfer_to_a_number_no_route_leads_to_leaves_the_two_talking() {
    let (mut w, anna, _, caller) = talking(56);
    let id = w.contact(caller);
    let refused = w.transfers(anna, id, TransferTo::Number { number: "777".into() }).unwrap_err();
    assert_eq!(refused.code, RefusalCode::NotAllowed);
    assert!(w.hear_each_other(caller, anna));
    w.hangs_up(anna);
    w.nothing_is_left();
}

#[test]
fn a_flow_connects_its_caller_outside_and_goes_on_when_nobody_answers_there() {
    for answered in [true, false] {
        let mut w = World::new(57);
        let carl = w.agent("carl").ready();
        let carrier = w.carrier();
        w.manner(carrier, if answered { Manner::Answer(secs(3)) } else { Manner::Ignore });
        let caller = w.phone("+3265551234").dials("4000");
        w.until(|w| w.hears(caller, "press one"));
        w.presses(caller, "4");
        w.until(|w| w.hears(caller, "♪425"));
        if answered {
            w.until(|w| w.hear_each_other(caller, carrier));
            w.pass(secs(40));
            assert!(w.hear_each_other(caller, carrier), "{}", w.report());
            w.hangs_up(carrier);
            w.until(|w| w.hears(caller, "Good bye."));
        } else {
            w.until(|w| w.rings(carl));
            assert!(w.is_over(carrier), "the far phone has stopped\n{}", w.report());
        }
        w.hangs_up(caller);
        w.nothing_is_left();
    }
}

#[test]
fn an_agent_calls_out_from_the_console() {
    let mut w = World::new(58);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.asks(anna, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }).unwrap();
    w.until(|w| w.rings(anna));
    assert!(!w.rings(carrier));
    w.answers(anna);
    w.until(|w| w.rings(carrier));
    assert_eq!(w.phone_of(carrier).call().unwrap().1.other, "+3228880000", "our number is shown");
    w.answers(carrier);
    w.until(|w| w.hear_each_other(anna, carrier));
    w.pass(secs(15));
    w.hangs_up(carrier);
    w.until(|w| w.is_over(anna));
    w.nothing_is_left();
    let id = w.contacts_of("+32470000009")[0];
    assert_eq!(w.story_of(id), "anna talked 15 s · normal");
}

#[test]
fn a_call_out_for_a_queue_is_answered_by_the_agents_phone_itself_and_wrapped_up_like_one_of_the_queue() {
    let mut w = World::new(70);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    let dial = |queue: &str| {
        let queue = Some(crate::base::QueueId::parse(queue).unwrap());
        move |agent| Command::Dial { agent, number: "+32470000009".into(), queue }
    };
    assert_eq!(w.asks(anna, dial("nobody")).unwrap_err().code, RefusalCode::NotFound);
    w.asks(anna, dial("sales")).unwrap();
    w.until(|w| w.rings(anna));
    let marks = &w.phone_of(anna).call().unwrap().1.marks;
    assert!(marks.contains(&("X-CC-Auto-Answer".to_owned(), "dial".to_owned())), "{marks:?}");
    w.answers(anna);
    w.until(|w| w.rings(carrier));
    w.answers(carrier);
    w.until(|w| w.hear_each_other(anna, carrier));
    w.pass(secs(5));
    w.hangs_up(carrier);
    w.until(|w| w.agent_state(anna) == "ready wrap_up");
    let id = w.contacts_of("+32470000009")[0];
    w.disposes(anna, id, "solved").unwrap();
    w.nothing_is_left();
    assert_eq!(w.story_of(id), "anna talked 5 s · normal · outcome solved");
}

#[test]
fn an_agents_phone_calls_out_and_hears_busy_when_it_is_busy() {
    let mut w = World::new(59);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.manner(carrier, Manner::Answer(secs(4)));
    w.dials(anna, "+32470000009");
    w.until(|w| w.hear_each_other(anna, carrier));
    assert_eq!(w.agent_state(anna), "ready talking");
    w.pass(secs(9));
    w.hangs_up(anna);
    w.until(|w| w.is_over(carrier));
    w.nothing_is_left();
    let id = w.contacts_of("+32470000009")[0];
    assert_eq!(w.story_of(id), "anna talked 9 s · normal");

    w.manner(carrier, Manner::Decline(secs(1)));
    w.dials(anna, "+32470000010");
    w.until(|w| w.is_over(anna));
    assert_eq!(w.phone_of(anna).stage(), Some(Stage::Over(603)));
    w.nothing_is_left();
    let id = w.contacts_of("+32470000010")[0];
    assert_eq!(w.story_of(id), "declined");
}

#[test]
fn a_phone_that_dials_while_its_agent_is_on_a_call_hears_busy() {
    let (mut w, anna, _, caller) = talking(60);
    let refused = w.asks(anna, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }).unwrap_err();
    assert_eq!(refused.code, RefusalCode::WrongState);
    w.hangs_up(caller);
    w.nothing_is_left();
}

/// How often the work after the call began, and ended, for an agent.
fn wrap_ups(w: &World, id: InteractionId, name: &str) -> (usize, usize) {
    w.facts_of(id).fold((0, 0), |(begun, over), r| match &r.fact {
        Fact::WrapUp { agent, .. } if agent.as_str() == name => (begun + 1, over),
        Fact::WrapUpOver { agent, .. } if agent.as_str() == name => (begun, over + 1),
        _ => (begun, over),
    })
}

/// Since when the caller has waited, each time they were queued.
fn ages(w: &World, id: InteractionId) -> Vec<Wall> {
    let since = |r: &Record| match &r.fact {
        Fact::Queued { entry } => Some(entry.since),
        _ => None,
    };
    w.facts_of(id).filter_map(since).collect()
}

/// Somebody's BYE is on its way while the hand-over is asked for: sent so long before it, or after it.
const CROSSINGS: [(bool, u64); 8] =
    [(true, 39), (true, 20), (true, 0), (false, 0), (false, 10), (false, 39), (false, 40), (false, 60)];

fn hands_over_while_hanging_up(w: &mut World, (first, gap): (bool, u64), anna: Who, gone: Who, to: TransferTo) {
    w.net.delay = ms(40);
    let id = w.contact(w.who("+3265551234"));
    if first {
        assert!(w.hangs_up(gone));
        w.pass(ms(gap));
        w.transfers(anna, id, to).unwrap();
    } else {
        w.transfers(anna, id, to).unwrap();
        w.pass(ms(gap));
        // Told to hang up after 40 ms, Anna's phone has nothing more to end.
        w.hangs_up(gone);
    }
}

#[test]
fn an_agent_who_hangs_up_while_handing_to_an_agent_loses_nobody() {
    for crossing in CROSSINGS {
        let (mut w, anna, ben, caller) = talking(61);
        let (id, to) = (w.contact(caller), w.to_agent(ben));
        hands_over_while_hanging_up(&mut w, crossing, anna, anna, to);
        w.until(|w| w.rings(ben) && w.is_over(anna));
        w.pass(secs(2));
        assert!(w.rings(ben) && w.is_up(caller) && w.hears(caller, "♫"), "{crossing:?}\n{}", w.report());
        w.answers(ben);
        w.until(|w| w.hear_each_other(caller, ben));
        w.pass(secs(10));
        w.hangs_up(caller);
        w.nothing_is_left();
        assert_eq!(wrap_ups(&w, id, "anna"), (1, 1), "{crossing:?}");
        assert_eq!(w.agent_state(anna), "ready");
    }
}

#[test]
fn an_agent_who_hangs_up_while_ben_rings_for_their_caller_changes_nothing() {
    let mut crossed = 0;
    for seed in 0..40 {
        let (mut w, anna, ben, caller) = talking(seed);
        let (id, to) = (w.contact(caller), w.to_agent(ben));
        // Ben's phone may ring long before Anna's hears that it is to hang up.
        w.net.spread = ms(400);
        w.transfers(anna, id, to).unwrap();
        w.until(|w| w.rings(ben));
        crossed += u32::from(w.hangs_up(anna));
        w.pass(secs(2));
        assert!(w.rings(ben) && w.is_up(caller) && w.is_over(anna), "seed {seed}\n{}", w.report());
        w.answers(ben);
        w.until(|w| w.hear_each_other(caller, ben));
        w.hangs_up(caller);
        w.nothing_is_left();
        assert_eq!(wrap_ups(&w, id, "anna"), (1, 1), "seed {seed}");
    }
    assert!(crossed > 5, "{crossed} of 40");
}

#[test]
fn an_agent_who_hangs_up_while_handing_to_a_queue_loses_nobody() {
    for crossing in CROSSINGS {
        for free in [true, false] {
            let (mut w, anna, ben, caller) = talking(63);
            if !free {
                w.takes_lunch(ben).unwrap();
            }
            let id = w.contact(caller);
            hands_over_while_hanging_up(&mut w, crossing, anna, anna, World::to_queue("sales"));
            w.until(|w| w.is_over(anna));
            w.pass(secs(2));
            assert!(w.is_up(caller), "{crossing:?}\n{}", w.report());
            let since = ages(&w, id);
            assert!(since.len() == 2 && since[0] == since[1], "{crossing:?}: {since:?}");
            if !free {
                assert!(!w.rings(ben));
                w.sets_ready(ben);
            }
            w.until(|w| w.rings(ben));
            w.answers(ben);
            w.until(|w| w.hear_each_other(caller, ben));
            w.pass(secs(10));
            w.hangs_up(caller);
            w.nothing_is_left();
            assert_eq!((wrap_ups(&w, id, "anna"), wrap_ups(&w, id, "ben")), ((1, 1), (1, 1)), "{crossing:?}");
        }
    }
}

#[test]
fn a_caller_who_hangs_up_in_the_moment_of_the_hand_over_frees_everybody() {
    for crossing in CROSSINGS {
        for to_ben in [true, false] {
            let (mut w, anna, ben, caller) = talking(64);
            let id = w.contact(caller);
            let to = if to_ben { w.to_agent(ben) } else { World::to_queue("sales") };
            hands_over_while_hanging_up(&mut w, crossing, anna, caller, to);
            w.until(|w| w.is_over(anna) && w.is_over(caller));
            w.nothing_is_left();
            assert!(w.closed(id) && !w.rings(ben));
            assert_eq!((wrap_ups(&w, id, "anna"), wrap_ups(&w, id, "ben")), ((1, 1), (0, 0)), "{crossing:?}");
            assert_eq!((w.agent_state(anna).as_str(), w.agent_state(ben).as_str()), ("ready", "ready"), "{crossing:?}");
        }
    }
}
