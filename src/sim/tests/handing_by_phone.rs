//! Handing on with the keys of the phone: blind and attended transfers by REFER, and a second phone that takes over.

use crate::{
    base::{ms, secs},
    center::{command::Command, fact::Fact},
    sim::{Manner, Net, Who, World},
    sip::msg::Name,
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

fn told(w: &World, who: Who) -> Vec<u16> {
    w.phone_of(who).transferred.iter().map(|(_, code)| *code).collect()
}

#[test]
fn a_phone_hands_its_caller_to_a_colleague_to_a_queue_and_outside() {
    for to in ["ben", "sales", "4002", "+3226660000"] {
        for bad in [false, true] {
            let (mut w, anna, ben, caller) = talking(91);
            let carrier = w.carrier();
            w.manner(carrier, Manner::Answer(secs(3)));
            w.manner(ben, Manner::Answer(secs(3)));
            let id = w.contact(caller);
            if bad {
                w.net = Net { loss: 20, twice: 10, delay: ms(10), spread: ms(200) };
            }
            w.phone_transfers(anna, Some(to));
            let target = if to == "+3226660000" { carrier } else { ben };
            w.until(|w| w.hear_each_other(caller, target));
            w.net = Net::default();
            let handed =
                w.facts_of(id).filter(|r| matches!(&r.fact, Fact::Transferred { agent, .. } if agent.as_str() == "anna"));
            assert_eq!(handed.count(), 1, "{to}");
            let told = told(&w, anna);
            // On a bad line the BYE may overtake what the phone is told.
            assert!(bad || told == [202, 100, 200], "{to}: {told:?}");
            w.hangs_up(caller);
            w.nothing_is_left();
        }
    }
}

#[test]
fn a_transfer_to_nowhere_is_refused_and_the_two_go_on_talking() {
    for (to, code) in [("777", 404), ("4000", 403), ("4009", 403)] {
        let (mut w, anna, _, caller) = talking(92);
        w.phone_transfers(anna, Some(to));
        w.pass(secs(1));
        assert_eq!(told(&w, anna), [code], "{to}");
        assert!(w.hear_each_other(caller, anna));
        w.hangs_up(anna);
        w.nothing_is_left();
    }
}

#[test]
fn a_caller_cannot_hand_on_what_we_pay_for() {
    let (mut w, anna, _, caller) = talking(93);
    for to in ["+3226660000", "4002"] {
        w.phone_transfers(caller, Some(to));
        w.pass(secs(1));
    }
    assert_eq!(told(&w, caller), [403, 403]);
    assert!(w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}

/// Anna holds the caller and calls Ben.
fn consulting(seed: u64) -> (World, Who, Who, Who) {
    let (mut w, anna, ben, caller) = talking(seed);
    w.phone_hold(anna, true);
    w.pass(secs(1));
    w.dials(anna, "ben");
    w.until(|w| w.rings(ben));
    (w, anna, ben, caller)
}

#[test]
fn an_attended_transfer_puts_caller_and_colleague_together_and_says_who_did_it() {
    for seed in 0..6 {
        let (mut w, anna, ben, caller) = consulting(seed);
        let id = w.contact(caller);
        w.answers(ben);
        w.until(|w| w.hear_each_other(anna, ben));
        w.pass(secs(10));
        if seed > 0 {
            w.net = Net { loss: 20, twice: 10, delay: ms(10), spread: ms(200) };
        }
        w.phone_transfers(anna, None);
        w.until(|w| w.hear_each_other(caller, ben));
        w.net = Net::default();
        w.until(|w| w.is_over(anna));
        w.pass(secs(20));
        assert!(w.hear_each_other(caller, ben));
        w.hangs_up(caller);
        w.until(|w| w.is_over(ben));
        w.nothing_is_left();
        let story = w.story_of(id);
        assert!(story.contains("handed to ben") && story.contains("ben talked 2"), "{story}");
        assert_eq!((w.agent_state(anna).as_str(), w.agent_state(ben).as_str()), ("ready", "ready"));
    }
}

#[test]
fn an_attended_transfer_put_down_while_it_rings_is_a_blind_one() {
    let (mut w, anna, ben, caller) = consulting(95);
    // Her phone counts the second call as on once it has an answer; this one puts down before: it names the colleague.
    w.hangs_up(anna);
    w.pass(secs(1));
    w.phone_transfers(anna, Some("ben"));
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    w.hangs_up(ben);
    w.nothing_is_left();
}

#[test]
fn an_agent_goes_on_talking_on_another_phone_and_nobody_else_can_take_the_call() {
    let (mut w, anna, ben, caller) = talking(96);
    let id = w.contact(caller);
    let mobile = w.second_phone(anna);
    let replaces = w.phone_of(anna).replaces().unwrap();
    // Ben's phone got hold of the name of the call; so did a stranger.
    for thief in [ben, w.phone("+3265559999").there()] {
        w.phone_mut(thief).extras.push(Name::Replaces, &replaces);
        w.dials(thief, "4001");
        w.until(|w| w.is_over(thief));
        assert!(w.hear_each_other(caller, anna));
    }
    w.phone_mut(mobile).extras.push(Name::Replaces, &replaces);
    w.dials(mobile, "4001");
    w.until(|w| w.hear_each_other(caller, mobile));
    w.until(|w| w.is_over(anna));
    w.pass(secs(10));
    w.hangs_up(mobile);
    w.until(|w| w.is_over(caller));
    w.nothing_is_left();
    assert!(w.story_of(id).contains("anna talked 40 s"), "{}", w.story_of(id));
}

#[test]
fn a_customer_on_hold_stays_there_while_the_agent_goes_to_another_phone() {
    let (mut w, anna, _, caller) = talking(97);
    let id = w.contact(caller);
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    w.until(|w| w.hears(caller, "♫"));
    let mobile = w.second_phone(anna);
    let replaces = w.phone_of(anna).replaces().unwrap();
    w.phone_mut(mobile).extras.push(Name::Replaces, &replaces);
    w.dials(mobile, "4001");
    w.until(|w| w.is_up(mobile) && w.is_over(anna));
    w.pass(secs(5));
    assert!(w.hears(caller, "♫") && !w.hear_each_other(caller, mobile));
    w.asks(anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    w.until(|w| w.hear_each_other(caller, mobile));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_phone_is_called_and_handed_a_call_by_an_address_of_its_own_and_the_others_of_its_owner_stay_silent() {
    let mut w = World::new(98);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    let desk = w.second_phone(ben);
    for (phone, instance) in
        [(ben, "urn:uuid:6f1c7a3e-0000-4000-8000-000000000001"), (desk, "urn:uuid:6f1c7a3e-0000-4000-8000-000000000002")]
    {
        let now = w.now();
        w.phone_mut(phone).instance = Some(instance.into());
        w.phone_mut(phone).register(now);
        w.until(|w| w.phone_of(phone).gruu.is_some());
    }
    let address = |w: &World, who| w.phone_of(who).gruu.clone().unwrap().trim_start_matches("sip:").to_owned();
    let (first, second) = (address(&w, ben), address(&w, desk));
    assert_ne!(first, second);
    assert!(second.starts_with("ben@") && second.ends_with(";gr=urn:uuid:6f1c7a3e-0000-4000-8000-000000000002"), "{second}");

    // A colleague rings the desk phone, and that alone.
    w.dials(anna, &second);
    w.until(|w| w.rings(desk));
    w.pass(secs(3));
    assert!(!w.rings(ben));
    w.answers(desk);
    w.until(|w| w.hear_each_other(anna, desk));
    w.hangs_up(anna);
    w.until(|w| w.is_over(desk));
    w.pass(secs(60));

    // A caller is handed to the other one.
    let caller = w.phone("+3265551234").dials("4101");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.phone_transfers(anna, Some(&first));
    w.until(|w| w.rings(ben));
    w.pass(secs(3));
    assert!(!w.rings(desk));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    w.hangs_up(caller);
    w.until(|w| w.is_over(ben));
    w.pass(secs(60));

    // A phone that is gone is not replaced by another one.
    w.dials(anna, &second.replace("000002", "000003"));
    w.until(|w| w.is_over(anna));
    assert!(!w.rings(ben) && !w.rings(desk));
    w.nothing_is_left();
}
