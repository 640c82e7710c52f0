//! Phones with lamps: colleagues, messages, one's own registrations; on a good line and a bad one, over a crash.

use crate::{
    base::{ms, secs},
    sim::{Net, Watching, Who, World},
};

const BAD: Net = Net { loss: 20, twice: 10, delay: ms(10), spread: ms(300) };

fn lamp(w: &World, who: Who, n: usize) -> &Watching {
    &w.phone_of(who).watches[n]
}
fn shows(w: &World, who: Who, state: &[&str]) -> bool {
    lamp(w, who, 0).code == 200 && lamp(w, who, 0).lamp() == state
}

#[test]
fn the_lamp_of_a_colleague_flickers_burns_and_goes_dark_whatever_the_line_does() {
    for (seed, bad) in [(301, false), (302, true), (303, true), (304, true)] {
        let mut w = World::new(seed);
        let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").there());
        if bad {
            w.net = BAD;
        }
        // By the number on the key as well as by name.
        w.watches(ben, "dialog", if bad { "anna" } else { "4101" });
        w.until(|w| shows(w, ben, &[]));
        let caller = w.phone("+3265551234").dials("4001");
        w.until(|w| w.rings(anna));
        w.until(|w| shows(w, ben, &["early"]));
        w.answers(anna);
        w.until(|w| shows(w, ben, &["confirmed"]));
        w.pass(secs(400));
        assert!(shows(&w, ben, &["confirmed"]), "renewed twice: {:?}", lamp(&w, ben, 0));
        w.hangs_up(caller);
        w.until(|w| shows(w, ben, &[]));
        // She dials a colleague: that is a call as well.
        w.net = Net::default();
        w.dials(anna, "carl");
        w.pass(secs(2));
        w.hangs_up(anna);
        let told = lamp(&w, ben, 0).told.join("");
        assert!(told.contains("direction=\"initiator\"") && told.contains("direction=\"recipient\""), "{told}");
        w.nothing_is_left();
    }
}

#[test]
fn a_lamp_says_nothing_of_the_customer() {
    let mut w = World::new(305);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").there());
    w.watches(ben, "dialog", "anna");
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| shows(w, ben, &["confirmed"]));
    assert!(!lamp(&w, ben, 0).told.join("").contains("5551234"));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn presence_follows_the_agents_state() {
    let mut w = World::new(306);
    let (anna, ben) = (w.agent("anna").there(), w.agent("ben").there());
    w.until(|w| w.phone_of(anna).registered);
    w.watches(ben, "presence", "anna");
    let last = |w: &World, words: &str| lamp(w, ben, 0).told.last().is_some_and(|doc| doc.contains(words));
    w.until(|w| last(w, "<basic>closed</basic>"));
    w.signs_in(anna);
    w.sets_ready(anna);
    w.until(|w| last(w, "<note>Available</note>"));
    w.takes_lunch(anna).unwrap();
    w.until(|w| last(w, "<note>lunch</note>"));
    w.sets_ready(anna);
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.until(|w| last(w, "<rpid:on-the-phone />"));
    w.answers(anna);
    w.pass(secs(5));
    assert!(last(&w, "<rpid:on-the-phone />"));
    w.hangs_up(caller);
    w.until(|w| last(w, "<note>wrap-up</note>"));
    w.until(|w| last(w, "<note>Available</note>"));
    // The phone is pulled out: nobody can be called there, whatever the state says.
    w.phone_mut(anna).unplug();
    w.until(|w| last(w, "<note>no phone</note>"));
    w.nothing_is_left();
}

#[test]
fn a_voice_message_lights_the_lamp_of_whoever_serves_its_queue_until_somebody_calls_back() {
    for bad in [false, true] {
        let mut w = World::new(307);
        let (anna, dora) = (w.agent("anna").there(), w.agent("dora").there());
        for who in [anna, dora] {
            w.watches(who, "message-summary", "*97");
        }
        let says = |w: &World, who, words: &str| lamp(w, who, 0).told.last().is_some_and(|doc| doc.contains(words));
        w.until(|w| says(w, anna, "Messages-Waiting: no") && says(w, dora, "Voice-Message: 0/0"));
        if bad {
            w.net = BAD;
        }
        let caller = w.phone("+3265551234").dials("4000");
        w.until(|w| w.hears(caller, "press"));
        w.presses(caller, "3");
        w.until(|w| w.media.recordings() > 0);
        w.pass(secs(5));
        w.hangs_up(caller);
        w.until(|w| says(w, anna, "Messages-Waiting: yes\r\nMessage-Account: sip:anna@demo.example\r\nVoice-Message: 1/0"));
        assert!(says(&w, dora, "Voice-Message: 0/0"), "the message is not for her queue");
        w.net = Net::default();
        // The same customer calls again and is talked to: the message is answered.
        w.signs_in(anna);
        w.sets_ready(anna);
        w.phone("+3265551234").dials("4001");
        w.until(|w| w.rings(anna));
        w.answers(anna);
        w.until(|w| says(w, anna, "Voice-Message: 0/0"));
        w.hangs_up(caller);
        w.nothing_is_left();
    }
}

#[test]
fn one_phone_of_a_user_hears_that_another_registered_and_nobody_elses() {
    let mut w = World::new(308);
    let (anna, ben) = (w.agent("anna").there(), w.agent("ben").there());
    w.until(|w| w.phone_of(anna).registered);
    w.watches(anna, "reg", "anna");
    w.watches(ben, "reg", "anna");
    w.until(|w| lamp(w, anna, 0).told.len() == 1 && lamp(w, ben, 0).code == 403);
    assert!(lamp(&w, anna, 0).told[0].contains("state=\"active\""));
    let second = w.second_phone(anna);
    let now = w.now();
    w.phone_mut(second).register(now);
    w.until(|w| lamp(w, anna, 0).told.last().is_some_and(|doc| doc.matches("<contact ").count() == 2));
    w.nothing_is_left();
}

#[test]
fn a_phone_that_forgot_its_lamps_is_told_no_more_and_after_a_crash_lamps_come_back() {
    let mut w = World::new(309);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").there());
    w.watches(ben, "dialog", "anna");
    w.until(|w| shows(w, ben, &[]));
    w.crash();
    w.restart();
    w.until(|w| w.phone_of(anna).registered);
    // The next renewal is answered 481, and the phone begins anew.
    w.pass(secs(160));
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.until(|w| shows(w, ben, &["early"]));
    w.phone_mut(ben).watches[0].forgets = true;
    w.hangs_up(caller);
    w.pass(secs(5));
    w.phone_mut(ben).watches[0].forgets = false;
    let told = lamp(&w, ben, 0).told.len();
    w.phone("+3265551234").dials("4001");
    w.pass(secs(5));
    assert_eq!(lamp(&w, ben, 0).told.len(), told);
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn colleagues_write_each_other_a_line_and_strangers_and_carriers_do_not() {
    for bad in [false, true] {
        let mut w = World::new(310);
        let (anna, ben) = (w.agent("anna").there(), w.agent("ben").there());
        w.until(|w| w.phone_of(anna).registered && w.phone_of(ben).registered);
        if bad {
            w.net = BAD;
        }
        w.pages(ben, "anna", "lunch?");
        w.until(|w| w.phone_of(anna).pages == ["lunch?"] && lamp(w, ben, 0).code == 202);
        w.pages(ben, "nobody", "hello?");
        w.until(|w| lamp(w, ben, 1).code == 404);
        w.pages(ben, "carl", "are you there?");
        w.until(|w| lamp(w, ben, 2).code == 480);
        let (caller, carrier) = (w.phone("+3265551234").there(), w.carrier());
        w.pages(caller, "anna", "buy now");
        w.pages(carrier, "anna", "buy now");
        w.until(|w| lamp(w, caller, 0).code == 401 && lamp(w, carrier, 0).code == 405);
        assert_eq!(w.phone_of(anna).pages.len(), 1);
        w.net = Net::default();
        w.nothing_is_left();
    }
}
