//! Chats, and agents who have several things in hand.

use crate::{
    base::{ms, secs},
    center::command::{Command, Done, RefusalCode},
    sim::World,
};

#[test]
fn a_visitor_is_asked_waits_is_helped_and_says_good_bye() {
    let mut w = World::new(31);
    let anna = w.agent("anna").ready();
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    let id = w.chat(mia);
    assert_eq!(w.transcript(id).len(), 2, "greeting and question: {:?}", w.transcript(id));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    assert_eq!(w.agent_state(anna), "ready alerting");
    w.accepts(anna).unwrap();
    assert_eq!(w.agent_state(anna), "ready talking");
    w.replies(anna, mia, "Hello Mia, how can I help?").unwrap();
    w.writes(mia, "It does not start.").unwrap();
    w.pass(secs(1));
    let said = w.transcript(id);
    assert_eq!(said[said.len() - 2..], ["anna: Hello Mia, how can I help?", "visitor: It does not start."]);
    w.leaves(mia).unwrap();
    assert_eq!(w.agent_state(anna), "ready wrap_up");
    w.disposes(anna, id, "solved").unwrap();
    w.nothing_is_left();
    assert_eq!(w.story_of(id), "flow main · support: waited 0 s · anna talked 1 s · normal · outcome solved");
    let log = w.ticket_log(w.ticket(id).unwrap()).join("\n");
    assert!(log.contains("CustomerWrote") && log.contains("Replied") && log.contains("Disposed"), "{log}");
}

#[test]
fn a_message_sent_again_is_the_same_message_and_no_word_is_shown_before_it_is_stored() {
    let mut w = World::new(32);
    w.store.delay = ms(500);
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(2));
    let id = w.chat(mia);
    let before = w.transcript(id).len();
    let Ok(Done::Message { message, .. }) = w.writes(mia, "hello") else { panic!() };
    assert_eq!(w.transcript(id).len(), before, "not stored yet, so nobody sees it");
    let Ok(Done::Message { message: again, .. }) = w.writes_again(mia, "hello") else { panic!() };
    assert_eq!(message, again);
    w.pass(secs(2));
    assert_eq!(w.transcript(id).iter().filter(|l| *l == "visitor: hello").count(), 1);
}

#[test]
fn a_visitor_who_waits_in_line_is_not_taken_for_idle() {
    let mut w = World::new(34);
    let anna = w.agent("anna").ready();
    w.takes_lunch(anna).unwrap();
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.visitor_connected(mia, true).unwrap();
    w.pass(secs(1));
    let id = w.chat(mia);
    w.writes(mia, "sales").unwrap();
    // Twice as long as a visitor who owes an answer would be kept.
    w.pass(secs(600));
    let said = w.transcript(id);
    assert!(!said.iter().any(|l| l.contains("still there")), "{said:?}");
    w.sets_ready(anna);
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.replies(anna, mia, "Sorry for the wait.").unwrap();
    w.pass(secs(130));
    let said = w.transcript(id);
    assert!(said.last().is_some_and(|l| l.contains("still there")), "now it is the visitor's turn: {said:?}");
}

#[test]
fn an_agent_has_two_chats_and_a_call_at_once() {
    let mut w = World::new(33);
    let anna = w.agent("anna").ready();
    let (mia, tom) = (w.visitor("Mia"), w.visitor("Tom"));
    for g in [mia, tom] {
        w.opens_chat(g).unwrap();
        w.pass(secs(1));
        w.writes(g, "support").unwrap();
        w.until(|w| w.offer_to(anna).is_some());
        w.accepts(anna).unwrap();
    }
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    assert_eq!(w.agent_state(anna), "ready talking talking talking");
    let second = w.phone("+3265559999").dials("4001");
    w.until(|w| w.hears(second, "♫"));
    w.pass(secs(20));
    assert!(!w.rings(anna), "one call at a time");
    w.hangs_up(second);
    w.hangs_up(caller);
    w.leaves(mia).unwrap();
    w.leaves(tom).unwrap();
    w.nothing_is_left();
}

#[test]
fn a_visitor_who_goes_away_may_come_back_within_a_minute_and_is_missed_after_it() {
    let mut w = World::new(34);
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.visitor_connected(mia, false).unwrap();
    w.pass(secs(40));
    w.visitor_connected(mia, true).unwrap();
    w.pass(secs(40));
    assert!(!w.closed(w.chat(mia)));
    w.visitor_connected(mia, false).unwrap();
    w.nothing_is_left();
    assert!(w.closed(w.chat(mia)));
}

#[test]
fn a_chat_is_not_another_visitors_business() {
    let mut w = World::new(35);
    let (mia, eve) = (w.visitor("Mia"), w.visitor("Eve"));
    w.opens_chat(mia).unwrap();
    let id = w.chat(mia);
    let visitor = w.visitor_id(eve);
    let by = crate::center::command::Actor::Visitor { visitor };
    let say = Command::Say { interaction: id, client_id: "x".into(), body: "let me in".into() };
    assert_eq!(w.command(by, say).unwrap_err().code, RefusalCode::NotFound);
    assert_eq!(w.supervises(Command::Finish { interaction: id }), Ok(Done::Ok));
    w.nothing_is_left();
}

#[test]
fn a_chat_is_handed_to_a_colleague_with_its_age() {
    let mut w = World::new(36);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.pass(secs(30));
    let (id, to) = (w.chat(mia), w.to_agent(ben));
    w.transfers(anna, id, to).unwrap();
    w.until(|w| w.offer_to(ben).is_some());
    w.accepts(ben).unwrap();
    w.replies(ben, mia, "Ben here.").unwrap();
    assert_eq!(w.replies(anna, mia, "me too").unwrap_err().code, RefusalCode::NotAllowed);
    w.asks(ben, |_| Command::Finish { interaction: id }).unwrap();
    w.nothing_is_left();
    assert_eq!(w.story_of(id), "flow main · support: waited 0 s · anna talked 30 s · handed to ben · ben talked 0 s · normal");
}

#[test]
fn a_visitor_who_opens_a_second_chat_while_the_first_is_wrapped_up_keeps_it() {
    let mut w = World::new(37);
    let anna = w.agent("anna").ready();
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.leaves(mia).unwrap();
    let first = w.chat(mia);
    w.opens_chat(mia).unwrap();
    let second = w.chat(mia);
    assert_ne!(first, second);
    w.pass(secs(20));
    assert_eq!(w.agent_state(anna), "ready", "the first is over for good");
    w.opens_chat(mia).unwrap();
    assert_eq!(w.chat(mia), second);
    w.leaves(mia).unwrap();
    w.nothing_is_left();
}
