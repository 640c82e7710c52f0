//! Chats, and agents who have several things in hand.

use crate::{
    base::{Wall, ms, secs},
    center::{
        command::{Command, Done, RefusalCode},
        settings::{Offline, Presence, Settings},
    },
    sim::{
        World,
        business::{self, Opening},
    },
    text::file::Kind,
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

#[test]
fn a_picture_is_a_message_once_however_often_it_is_sent_and_what_the_house_does_not_take_is_refused() {
    let mut w = World::new(38);
    let anna = w.agent("anna").ready();
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    let id = w.chat(mia);
    // The flow asks which department: a picture is no answer to that, and no wrong one either.
    let Ok(Done::Message { message, .. }) = w.sends_file(mia, "broken lamp.jpg", Kind::Jpeg, 2_000_000) else { panic!() };
    let Ok(Done::Message { message: again, .. }) = w.sends_file(mia, "broken lamp.jpg", Kind::Jpeg, 2_000_000) else {
        panic!()
    };
    assert_eq!(message, again, "the answer was lost on the way, and it came once more");
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.sends_file(mia, "invoice.pdf", Kind::Pdf, 90_000).unwrap();
    w.pass(secs(1));
    let refused = |w: &mut World, name, kind, bytes| w.sends_file(mia, name, kind, bytes).unwrap_err().code;
    assert_eq!(refused(&mut w, "song.mp3", Kind::Mp3, 9), RefusalCode::Invalid);
    assert_eq!(refused(&mut w, "huge.png", Kind::Png, 11_000_000), RefusalCode::Invalid);
    assert_eq!(refused(&mut w, "third.png", Kind::Png, 9), RefusalCode::Limit);
    // A restart counts what was sent before it.
    w.crash_and_restart();
    assert_eq!(refused(&mut w, "fourth.png", Kind::Png, 9), RefusalCode::Limit);
    let said = w.transcript(id);
    assert_eq!(said.iter().filter(|l| *l == "visitor: broken lamp.jpg").count(), 1, "{said:?}");
    assert!(said.contains(&"visitor: invoice.pdf".to_owned()), "{said:?}");
    w.leaves(mia).unwrap();
    w.nothing_is_left();
}

#[test]
fn a_visitor_says_how_it_was_also_when_the_chat_is_long_over_and_only_as_far_as_the_scale_goes() {
    let mut w = World::new(39);
    let anna = w.agent("anna").ready();
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    w.accepts(anna).unwrap();
    w.leaves(mia).unwrap();
    let id = w.chat(mia);
    w.disposes(anna, id, "solved").unwrap();
    w.pass(secs(600));
    w.nothing_is_left();
    assert_eq!(w.rates(mia, 6, "").unwrap_err().code, RefusalCode::Invalid);
    assert_eq!(w.rates(mia, 0, "").unwrap_err().code, RefusalCode::Invalid);
    w.rates(mia, 4, " quick\u{7} help \n").unwrap();
    assert_eq!(w.count(id, "rated"), 1);
    let by = w.supervises(Command::Rate { interaction: id, score: 5, comment: String::new() });
    assert_eq!(by.unwrap_err().code, RefusalCode::NotAllowed, "nobody else says it for them");
}

#[test]
fn a_caller_says_how_it_was_by_a_key_that_the_flow_asks_for() {
    const SURVEY: &str = "flow: survey\nschema: 1\nlanguages: [en-US]\nstart: ask\nvars: {score: {type: digits, default: \"\"}}\n\
                          prompts:\n  how: {en-US: {say: \"How was it, one to five?\"}}\nnodes:\n  \
                          ask: {gather: {prompt: [how], digits: {min: 1, max: 1}, save: score, timeout: 5s}, when: {any: note}, exhausted: end}\n  \
                          note: {event: {name: rating, data: {score: score}}, then: end}\n  end: {hangup: }\n";
    let Opening { mut business, mut flows, kept } = Opening::usual();
    flows.extend(business::flows(&[("survey.yaml", SURVEY)]));
    let tenant = business.tenants.get_mut(&business::tenant()).unwrap();
    let mut route = tenant.routes[0].clone();
    route.pattern = crate::base::NumberPattern::parse("4060").unwrap();
    route.to = crate::call::route::Destination::Flow(crate::base::FlowId::parse("survey").unwrap());
    tenant.routes.push(route);
    let mut w = World::of(40, Opening { business, flows, kept });
    for (key, rated) in [("4", 1), ("9", 0)] {
        let caller = w.phone("+3265551234").dials("4060");
        w.until(|w| w.leg_of(caller).is_some());
        w.pass(secs(2));
        let id = w.contact(caller);
        w.presses(caller, key);
        w.pass(secs(2));
        w.hangs_up(caller);
        w.nothing_is_left();
        assert_eq!(w.count(id, "rated"), rated, "{key}");
        assert_eq!(w.count(id, "flow_event"), 1, "{key}");
    }
}

#[test]
fn words_left_at_night_are_a_ticket_on_the_right_pile_of_whoever_left_them() {
    let Opening { mut business, flows, kept } = Opening::usual();
    let tenant = business.tenants.get_mut(&business::tenant()).unwrap();
    let sales = crate::base::QueueId::parse("sales").unwrap();
    tenant.chat.offline = Some(Offline { queue: Some(sales.clone()), when_nobody: true, ..Offline::default() });
    let mut w = World::of(41, Opening { business, flows, kept });
    let mia = w.visitor("Mia");
    let leaves = |w: &mut World, contact: &str, text: &str| w.leaves_message(mia, contact, text);
    assert_eq!(leaves(&mut w, "no address", "hello").unwrap_err().code, RefusalCode::Invalid);
    assert_eq!(leaves(&mut w, "mia@example.com", " \n").unwrap_err().code, RefusalCode::Invalid);
    let Ok(Done::Ticket { ticket }) = leaves(&mut w, "mia@example.com", "Where is my lamp?") else { panic!() };
    let log = w.ticket_log(ticket).join("\n");
    assert!(log.contains("Message from Mia") && log.contains("sales") && log.contains("Where is my lamp?"), "{log}");
    assert!(log.contains("mia@example.com"), "whom to answer: {log}");
    w.nothing_is_left();
}

#[test]
fn a_form_stands_in_for_people_outside_the_hours_on_holidays_and_when_nobody_is_signed_in() {
    let mut business = Opening::usual().business;
    let tenant = business.tenants.get_mut(&business::tenant()).unwrap();
    let hours = crate::base::CalendarId::parse("office").unwrap();
    let calendar = "zone: Europe/Brussels\nweekly: {mon: [\"09:00-17:00\"]}\nholidays: [{date: 2026-12-07}]\n";
    tenant.routing.calendars.insert(hours.clone(), serde_saphyr::from_str(calendar).unwrap());
    tenant.chat.offline = Some(Offline { calendar: Some(hours), when_nobody: true, queue: None });
    let settings = Settings::compile(1, business, &Opening::usual().flows).unwrap();
    let t = &settings.tenants[&business::tenant()];
    let at = |text: &str| t.chat_presence(Wall::parse_rfc3339(text).unwrap(), |_| 1);
    assert_eq!(at("2026-11-23T10:00:00Z"), Presence::Open);
    assert_eq!(at("2026-11-23T20:00:00Z"), Presence::Closed);
    assert_eq!(at("2026-12-07T10:00:00Z"), Presence::Closed, "a holiday");
    assert_eq!(t.chat_presence(Wall::parse_rfc3339("2026-11-23T10:00:00Z").unwrap(), |_| 0), Presence::Nobody);
}

#[test]
fn what_a_visitor_answers_before_the_chat_is_known_to_the_agent_and_nothing_else_they_make_up() {
    let mut w = World::new(45);
    let anna = w.agent("anna").ready();
    let mia = w.visitor("Mia");
    w.fills_in(mia, "order_no", "4711");
    w.fills_in(mia, "caller.verstat", "verified");
    w.opens_chat(mia).unwrap();
    w.pass(secs(1));
    w.writes(mia, "support").unwrap();
    w.until(|w| w.offer_to(anna).is_some());
    let known = w.view().interactions[&w.chat(mia)].attributes.clone();
    assert_eq!(known.get("order_no").map(String::as_str), Some("4711"));
    assert!(!known.contains_key("caller.verstat"), "{known:?}");
}
