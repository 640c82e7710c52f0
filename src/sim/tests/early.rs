//! Before the answer, and long after it: what is heard while it rings, offers that come late, keys by INFO, calls nobody ends.

use crate::{
    base::{ms, secs},
    center::command::Command,
    sim::{Manner, Net, Stage, Who, World},
    sip::{msg::Name, stack::Reliable},
};

/// Anna's phone dials outside, and the number says something before it answers.
fn dialling(seed: u64, prepare: impl FnOnce(&mut World)) -> (World, Who, Who) {
    let mut w = World::new(seed);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.phone_mut(carrier).early = true;
    prepare(&mut w);
    w.dials(anna, "+32470000009");
    w.until(|w| w.hear_each_other(anna, carrier));
    (w, anna, carrier)
}

#[test]
fn what_a_number_says_before_it_answers_is_heard_by_the_agent_who_dialled() {
    let (mut w, anna, carrier) = dialling(81, |_| {});
    assert_eq!(w.phone_of(anna).stage(), Some(Stage::Ringback), "nobody has answered, nobody pays");
    w.pass(secs(8));
    w.answers(carrier);
    w.until(|w| w.is_up(anna));
    assert!(w.hear_each_other(anna, carrier));
    w.pass(secs(20));
    w.hangs_up(anna);
    w.nothing_is_left();
    assert_eq!(w.story_of(w.contacts_of("+32470000009")[0]), "anna talked 20 s · normal", "talk begins with the answer");
}

#[test]
fn early_sound_survives_a_terrible_line_when_both_ends_can_make_sure_of_it() {
    for seed in 0..20 {
        let (mut w, anna, carrier) = dialling(seed, |w| {
            let carrier = w.carrier();
            w.phone_mut(carrier).sip(|s| s.reliable = Reliable::Always);
            let anna = w.who("anna");
            w.phone_mut(anna).extras.push(Name::Require, "100rel");
            w.net = Net { loss: 25, twice: 10, delay: ms(20), spread: ms(300) };
        });
        assert!(!w.is_up(anna), "seed {seed}");
        w.answers(carrier);
        w.until(|w| w.is_up(anna) && w.hear_each_other(anna, carrier));
        w.net = Net::default();
        w.hangs_up(carrier);
        w.until(|w| w.is_over(anna));
        w.nothing_is_left();
    }
}

#[test]
fn an_agent_who_dials_by_the_console_hears_the_number_before_it_answers() {
    let mut w = World::new(82);
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.phone_mut(carrier).early = true;
    w.asks(anna, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }).unwrap();
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(anna, carrier));
    assert!(w.rings(carrier));
    // "The number you have dialled is not in service."
    w.declines(carrier);
    w.until(|w| w.is_over(anna));
    w.nothing_is_left();
}

#[test]
fn a_caller_without_an_offer_answers_ours_in_the_ack_or_before() {
    for seed in 0..10 {
        let mut w = World::new(seed);
        let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
        let caller = w.phone("+3265551234").there();
        w.phone_mut(caller).late_offer = true;
        w.net = Net::bad();
        w.dials(caller, "4001");
        w.until(|w| w.rings(anna));
        w.answers(anna);
        w.until(|w| w.hear_each_other(caller, anna));
        // A phone of ours that dials outside without one: it hears the number early if it can be sure to get our offer.
        let carrier = w.carrier();
        w.phone_mut(carrier).early = true;
        w.phone_mut(ben).late_offer = true;
        w.dials(ben, "+32470000009");
        w.until(|w| w.hear_each_other(ben, carrier));
        assert!(!w.is_up(ben));
        w.answers(carrier);
        w.until(|w| w.is_up(ben) && w.hear_each_other(ben, carrier));
        w.net = Net::default();
        w.hangs_up(caller);
        w.hangs_up(carrier);
        w.until(|w| w.is_over(ben) && w.is_over(anna));
        w.nothing_is_left();
    }
}

#[test]
fn a_call_whose_phone_was_unplugged_is_found_out_by_the_session_timer() {
    let mut w = World::new(84);
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").there();
    w.phone_mut(caller).sip(|s| s.session_expires = Some(secs(120)));
    w.dials(caller, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(1_000));
    assert!(w.hear_each_other(caller, anna), "refreshed again and again");
    w.phone_mut(caller).unplug();
    w.pass(secs(125));
    assert!(w.is_over(anna), "{}", w.report());
    w.nothing_is_left();
}

#[test]
fn ringing_for_a_queue_goes_on_as_before_when_a_phone_announces_sound() {
    let mut w = World::new(85);
    let anna = w.agent("anna").ready();
    w.phone_mut(anna).early = true;
    w.manner(anna, Manner::Answer(secs(5)));
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    assert!(w.hears(caller, "♫") && !w.hear_each_other(caller, anna), "an offer is not taken by a ringing tone");
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}
