//! Somebody sets the clock of the machine.

use crate::{
    base::{InteractionId, limits::AGENT_LOST_GRACE, secs},
    center::{command::Command, fact::Fact},
    sim::World,
};

/// The wall clock jumps; the one that timers go by does not.
fn clock_jumps(w: &mut World, hours: i64) {
    w.now.wall.0 += hours * 3_600_000_000;
}

/// How long the caller waited, and talked, ms.
fn lasted(w: &World, id: InteractionId) -> (u64, u64) {
    let mut lasted = (0, 0);
    for r in w.facts_of(id) {
        match r.fact {
            Fact::Unqueued { waited_ms, .. } => lasted.0 = waited_ms,
            Fact::TalkEnded { talk_ms, .. } => lasted.1 = talk_ms,
            _ => {}
        }
    }
    lasted
}

#[test]
fn a_clock_that_is_set_forth_and_back_ends_no_talk_and_no_wait_and_stretches_neither() {
    for hours in [1, -1] {
        let mut w = World::new(120);
        let anna = w.agent("anna").ready();
        let caller = w.phone("+3265551234").dials("4001");
        w.until(|w| w.rings(anna));
        w.answers(anna);
        w.until(|w| w.hear_each_other(caller, anna));
        let next = w.phone("+3265550002").dials("4001");
        w.until(|w| w.hears(next, "♫"));
        w.pass(secs(20));
        clock_jumps(&mut w, hours);
        w.pass(AGENT_LOST_GRACE);
        clock_jumps(&mut w, -2 * hours);
        w.pass(secs(20));
        assert!(w.hear_each_other(caller, anna) && w.hears(next, "♫"), "{}", w.report());
        assert_eq!(w.agent_state(anna), "ready talking", "her phone is registered still");
        let (first, second) = (w.contact(caller), w.contact(next));
        w.hangs_up(caller);
        w.until(|w| w.closed(first));
        assert_eq!(lasted(&w, first).1 / 1_000, 60, "{hours}");
        w.disposes(anna, first, "solved").unwrap();
        w.asks(anna, |agent| Command::WrapUpDone { interaction: first, agent }).unwrap();
        w.until(|w| w.rings(anna));
        w.answers(anna);
        w.until(|w| w.hear_each_other(next, anna));
        w.pass(secs(10));
        w.hangs_up(anna);
        w.until(|w| w.closed(second));
        let (waited_ms, talked_ms) = lasted(&w, second);
        assert!((60_000..62_000).contains(&waited_ms) && talked_ms / 1_000 == 10, "{hours}: {waited_ms} {talked_ms}");
        w.nothing_is_left();
    }
}
