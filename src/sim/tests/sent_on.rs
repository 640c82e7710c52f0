//! Calls sent on by whoever was called (302): followed where the one who called could have dialled, and nowhere else.

use crate::{
    base::{mins, ms, secs},
    center::{command::TransferTo, fact::Fact},
    sim::{Manner, Net, Who, World},
    sip::msg::Name,
};

fn kept_in(w: &World) -> Vec<String> {
    let all = w.store.facts().iter().filter_map(|r| match &r.fact {
        Fact::CallOut { denied: Some(d), .. } => Some(d.as_str().to_owned()),
        _ => None,
    });
    all.collect()
}

/// Anna talks with a caller and hands them to a number outside.
fn handed_outside(seed: u64, bad: bool, carrier: impl FnOnce(&mut World) -> Manner) -> (World, Who) {
    let mut w = World::with(seed, |b| {
        for trunk in b.tenants.values_mut().flat_map(|t| t.trunks.values_mut()) {
            trunk.identity = serde_saphyr::from_str("{tell: [diversion, history_info]}").unwrap();
        }
    });
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let manner = carrier(&mut w);
    let far = w.carrier();
    w.manner(far, manner);
    w.phone_mut(far).one_at_a_time = false;
    if bad {
        w.net = Net { loss: 20, twice: 10, delay: ms(10), spread: ms(200) };
    }
    let id = w.contact(caller);
    w.transfers(anna, id, TransferTo::Number { number: "+3226660000".into() }).unwrap();
    (w, caller)
}

#[test]
fn a_call_sent_on_to_an_open_number_goes_there_and_says_where_it_came_from() {
    for (seed, bad) in [(401, false), (402, true), (403, true)] {
        let (mut w, caller) = handed_outside(seed, bad, |_| Manner::SendOn("+3226661111"));
        let far = w.carrier();
        w.until(|w| w.phone_of(far).calls.len() >= 2 || w.phone_of(far).stage().is_some());
        w.manner(far, Manner::Answer(secs(2)));
        w.until(|w| w.phone_of(far).rung_by.as_ref().is_some_and(|m| m.uri().unwrap().user() == "+3226661111"));
        let invite = w.phone_of(far).rung_by.clone().unwrap();
        let told = [Name::Diversion, Name::HistoryInfo]
            .iter()
            .all(|n| invite.headers.get(n).is_some_and(|v| v.contains("3226660000")));
        assert!(told, "the carrier is not told who sent the call on: {invite:?}");
        w.net = Net::default();
        w.until(|w| w.hear_each_other(caller, far));
        w.hangs_up(caller);
        w.nothing_is_left();
    }
}

#[test]
fn a_call_sent_on_to_a_premium_number_or_round_in_circles_goes_nowhere() {
    let (mut w, caller) = handed_outside(404, false, |_| Manner::SendOn("+32900123456"));
    w.until(|w| w.is_over(caller));
    assert_eq!(kept_in(&w), ["premium"]);
    assert_eq!(w.phone_of(w.carrier()).calls.len(), 1, "it was not even tried");
    // The alarm of the guard has its hour.
    w.pass(mins(61));
    w.nothing_is_left();

    let (mut w, caller) = handed_outside(405, false, |_| Manner::SendOn("+3226660000"));
    w.until(|w| w.is_over(caller));
    assert_eq!(w.phone_of(w.carrier()).calls.len(), 1, "back to where it came from");
    w.nothing_is_left();
}

#[test]
fn an_agents_phone_that_sends_its_calls_outside_does_not_take_customers_along() {
    let mut w = World::new(406);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    for who in [anna, ben] {
        w.manner(who, Manner::SendOn("+3226661111"));
    }
    let caller = w.phone("+3265551234").dials("4001");
    w.pass(secs(5));
    assert!(w.phone_of(w.carrier()).calls.is_empty());
    w.manner(ben, Manner::Answer(secs(1)));
    w.manner(anna, Manner::Answer(secs(1)));
    w.sets_ready(anna);
    w.sets_ready(ben);
    w.until(|w| w.is_up(anna) || w.is_up(ben));
    w.hangs_up(caller);
    w.nothing_is_left();
}
