//! The database is away: nothing can be written down for a while.

use crate::{
    base::secs,
    center::Input,
    sim::{Stage, World},
    sip::msg::Name,
};

#[test]
fn while_nothing_can_be_written_down_talks_go_on_and_nobody_new_comes_in_but_who_calls_for_help() {
    let mut w = World::with(130, |b| {
        let t = b.tenants.values_mut().next().unwrap();
        t.toll = serde_saphyr::from_str("{emergency: ['112']}").unwrap();
        t.routes.push(serde_saphyr::from_str("{match: '112', to: {trunk: {trunk: carrier}}}").unwrap());
    });
    let (carrier, anna, ben) = (w.carrier(), w.agent("anna").ready(), w.agent("ben").there());
    w.until(|w| w.phone_of(ben).registered);
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.feed(Input::Admission(false));

    let other = w.phone("+3265550002").dials("4001");
    w.until(|w| w.phone_of(other).stage() == Some(Stage::Over(503)));
    w.dials(ben, "+32470000009");
    w.until(|w| w.phone_of(ben).stage() == Some(Stage::Over(503)));
    // Help is called as ever.
    w.dials(ben, "112");
    w.until(|w| w.rings(carrier));
    w.answers(carrier);
    w.until(|w| w.hear_each_other(ben, carrier));
    // And a talk goes to another phone of hers.
    let mobile = w.second_phone(anna);
    let replaces = w.phone_of(anna).replaces().unwrap();
    w.phone_mut(mobile).extras.push(Name::Replaces, &replaces);
    w.dials(mobile, "4001");
    w.until(|w| w.hear_each_other(caller, mobile) && w.is_over(anna));
    w.hangs_up(caller);
    w.hangs_up(ben);
    w.pass(secs(60));

    w.feed(Input::Admission(true));
    w.dials(other, "4000");
    w.until(|w| w.hears(other, "press one"));
    w.hangs_up(other);
    w.nothing_is_left();
}
