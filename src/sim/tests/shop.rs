//! The shop's own flow, as it is delivered, with people in it.

use crate::{
    base::{mins, secs},
    ivr::{Answer, HttpError},
    sim::{World, business::Opening},
};

/// A Monday in Shanghai, shortly after noon.
fn shop(seed: u64) -> World {
    World::of(seed, Opening::shop())
}

#[test]
fn a_caller_in_english_complains_and_is_put_through_before_the_others() {
    let mut w = shop(81);
    let other = w.phone("+8613800000001").dials("4000");
    w.until(|w| w.hears(other, "press 2"));
    w.presses(other, "2");
    w.until(|w| w.hears(other, "For an order"));
    w.presses(other, "0");
    w.until(|w| w.hears(other, "♫"));
    w.pass(mins(5));
    let caller = w.phone("+8613800000002").dials("4000");
    w.until(|w| w.hears(caller, "press 2"));
    w.presses(caller, "2");
    w.until(|w| w.hears(caller, "conversation is recorded"));
    w.until(|w| w.hears(caller, "For an order"));
    w.presses(caller, "3");
    w.until(|w| w.hears(caller, "I am sorry about the trouble"));
    w.until(|w| w.hears(caller, "♫"));
    let anna = w.agent("anna").ready();
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    assert!(w.hears(other, "♫"), "who complains goes first");
    let attributes = w.view().interactions[&w.contact(caller)].attributes.clone();
    assert_eq!((attributes["topic"].as_str(), attributes["lang"].as_str()), ("complaint", "en-US"));
    assert_eq!(attributes["caller.region"], "CN", "a mobile number tells no province");
    w.hangs_up(anna);
    w.until(|w| w.hears(caller, "Thank you for contacting us"));
    w.until(|w| w.is_over(caller));
    w.hangs_up(other);
    w.nothing_is_left();
}

#[test]
fn an_order_is_looked_up_and_told_and_a_shop_that_does_not_answer_costs_nobody_the_call() {
    let mut w = shop(82);
    let li = w.agent("li").ready();
    let caller = w.phone("+8613800000001").dials("4000");
    w.until(|w| w.hears(caller, "press 2"));
    w.presses(caller, "2");
    w.until(|w| w.hears(caller, "For an order"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "order number"));
    w.presses(caller, "123456#");
    w.until(|w| w.asks.len() == 1);
    assert!(w.asks[0].http.url.ends_with("/orders/123456"), "{:?}", w.asks);
    w.outside_answers(Ok(Answer { status: 200, body: serde_json::json!({"state": "packing"}) }));
    w.until(|w| w.hears(caller, "is being packed"));
    w.until(|w| w.hears(caller, "anything else"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "For an order"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "order number"));
    w.presses(caller, "111111#");
    w.until(|w| w.asks.len() == 1);
    w.outside_answers(Err(HttpError::Unreachable));
    w.until(|w| w.hears(caller, "connecting you"));
    w.until(|w| w.hears(caller, "♫"));
    assert!(!w.rings(li), "li does not speak English well enough, yet");
    w.until(|w| w.rings(li));
    w.answers(li);
    w.until(|w| w.hear_each_other(caller, li));
    w.hangs_up(caller);
    w.nothing_is_left();
    assert!(w.story(caller).contains("support: waited 60 s · li talked"), "{}", w.story(caller));
}

#[test]
fn at_night_a_message_is_left_and_has_a_promise() {
    let mut w = shop(83);
    w.pass(mins(8 * 60));
    let caller = w.phone("+8613800000001").dials("4000");
    w.until(|w| w.hears(caller, "press 2"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "非工作时间"));
    w.until(|w| w.media.recordings() == 1);
    w.pass(secs(12));
    w.hangs_up(caller);
    w.nothing_is_left();
    let log = w.ticket_log(w.ticket(w.contact(caller)).unwrap()).join("\n");
    assert!(log.contains("Voice message, 12 s.") && log.contains("voicemail_4h"), "{log}");
}

#[test]
fn a_visitor_asks_for_a_person_by_button_and_gets_one_in_their_language() {
    let mut w = shop(84);
    let li = w.agent("li").ready();
    let mia = w.visitor("米娅");
    w.opens_chat_in(mia, Some("zh-TW")).unwrap();
    w.pass(secs(1));
    w.writes(mia, "人工服务").unwrap();
    w.until(|w| w.offer_to(li).is_some());
    w.accepts(li).unwrap();
    w.replies(li, mia, "您好").unwrap();
    w.leaves(mia).unwrap();
    w.nothing_is_left();
}
