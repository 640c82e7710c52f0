//! Phones that know no address but that of their own house: sound goes to where their signalling comes from.

use crate::sim::{Who, World};

/// This phone says an address nobody else can reach.
fn behind_a_nat(w: &mut World, who: Who, inside: &str) {
    w.phone_mut(who).inside = Some(inside.parse().unwrap());
}

#[test]
fn of_two_phones_behind_two_routers_the_one_that_answers_is_heard_whichever_rang_first() {
    for second_answers in [false, true] {
        let mut w = World::new(110);
        let anna = w.agent("anna").ready();
        let home = w.second_phone(anna);
        let now = w.now();
        w.phone_mut(home).register(now);
        w.until(|w| w.phone_of(home).registered);
        // Both houses gave out the same address, as houses do.
        behind_a_nat(&mut w, anna, "192.168.1.20");
        behind_a_nat(&mut w, home, "192.168.1.20");
        let caller = w.phone("+3265551234").dials("4001");
        behind_a_nat(&mut w, caller, "192.168.1.20");
        w.until(|w| w.rings(anna) && w.rings(home));
        let (takes, leaves) = if second_answers { (home, anna) } else { (anna, home) };
        w.answers(takes);
        w.until(|w| w.hear_each_other(caller, takes));
        w.until(|w| w.is_over(leaves));
        w.hangs_up(caller);
        w.nothing_is_left();
    }
}
