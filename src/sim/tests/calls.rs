//! Calls from the first ring to the ticket.

use crate::{base::secs, sim::World};

#[test]
fn a_caller_chooses_support_and_gets_the_best_skilled_agent() {
    let mut w = World::new(1);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    let caller = w.phone("+3265551234").dials("4000");

    w.until(|w| w.hears(caller, "Welcome"));
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "1");
    w.until(|w| w.rings(anna));
    assert!(w.hears(caller, "♫calm"), "{}", w.report());
    assert!(!w.rings(ben));
    w.pass(secs(3));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(60));
    w.hangs_up(caller);
    w.until(|w| w.is_over(anna));
    let id = w.contact(caller);
    w.until(|w| w.agent_state(anna) == "ready wrap_up");
    w.disposes(anna, id, "solved").unwrap();
    w.until(|w| w.agent_state(anna) == "ready");

    assert_eq!(w.story(caller), "flow main · support: waited 0 s · anna talked 60 s · normal · outcome solved");
    w.nothing_is_left();
}
