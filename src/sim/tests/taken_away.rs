//! Callers handed outside by the carrier they came by (`refer: true`): it takes them, it refuses, it says nothing.

use crate::{
    base::{ms, secs},
    center::{command::TransferTo, fact::Fact},
    sim::{Manner, Net, Takes, Who, World},
};

/// Anna talks with a caller who came by the carrier.
fn by_carrier(seed: u64, takes: Takes) -> (World, Who, Who) {
    let mut w = World::with(seed, |b| {
        for trunk in b.tenants.values_mut().flat_map(|t| t.trunks.values_mut()) {
            trunk.refer = true;
        }
    });
    let anna = w.agent("anna").ready();
    let carrier = w.carrier();
    w.phone_mut(carrier).takes = takes;
    w.phone_mut(carrier).one_at_a_time = false;
    w.manner(carrier, Manner::Answer(secs(2)));
    w.dials(carrier, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(carrier, anna));
    (w, anna, carrier)
}

fn hands_on(w: &mut World, anna: Who) {
    let id = *w.view().interactions.keys().next().unwrap();
    w.transfers(anna, id, TransferTo::Number { number: "+3226660000".into() }).unwrap();
}

#[test]
fn a_carrier_that_takes_its_caller_away_leaves_us_no_line_to_pay() {
    for (seed, bad) in [(501, false), (502, true), (503, true)] {
        let (mut w, anna, carrier) = by_carrier(seed, Takes::Away);
        if bad {
            w.net = Net { loss: 20, twice: 10, delay: ms(10), spread: ms(200) };
        }
        hands_on(&mut w, anna);
        w.until(|w| w.is_over(carrier) && w.is_over(anna));
        w.net = Net::default();
        assert_eq!(w.phone_of(carrier).calls.len(), 1, "no second call was made");
        assert_eq!(w.phone_of(carrier).asked_to_call, ["+3226660000"]);
        let out = w.store.facts().iter().filter(|r| matches!(&r.fact, Fact::CallOut { denied: None, .. }));
        assert_eq!(out.count(), 1, "it was permitted like any other");
        w.nothing_is_left();
    }
}

#[test]
fn a_carrier_that_does_not_take_its_caller_away_has_them_bridged() {
    for (seed, takes) in [(504, Takes::Refused), (505, Takes::Tried), (506, Takes::Silent)] {
        let (mut w, anna, carrier) = by_carrier(seed, takes);
        hands_on(&mut w, anna);
        w.until(|w| w.phone_of(carrier).calls.len() == 2);
        w.pass(secs(10));
        assert!(w.is_up(carrier), "{takes:?}: the number was called by a leg of ours");
        w.hangs_up(carrier);
        w.pass(secs(5));
        w.nothing_is_left();
    }
}

#[test]
fn a_caller_who_hangs_up_while_the_carrier_is_asked_is_gone() {
    let (mut w, anna, carrier) = by_carrier(507, Takes::Silent);
    hands_on(&mut w, anna);
    w.pass(secs(2));
    w.hangs_up(carrier);
    w.pass(secs(60));
    assert_eq!(w.phone_of(carrier).calls.len(), 1);
    w.nothing_is_left();
}
