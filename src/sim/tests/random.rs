//! Random walks: as many as fit into a test run here, ten thousand with `RINGDESK_SIM_SEEDS=10000`.

use std::collections::BTreeMap;

use crate::sim::walk::{Walk, walk};

/// Enough to see most mistakes, few enough not to be waited for.
const SEEDS: u64 = 150;

#[expect(clippy::disallowed_methods, reason = "how long to search is up to whoever runs it")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_people_do_nobody_is_lost_and_nothing_is_left() {
    let (first, seeds) = (number("RINGDESK_SIM_FIRST").unwrap_or(1), number("RINGDESK_SIM_SEEDS").unwrap_or(SEEDS));
    let how = Walk { audit: std::env::var_os("RINGDESK_SIM_NO_AUDIT").is_none(), ..Walk::default() };
    let (mut inputs, mut crashes, mut facts) = (0, 0, BTreeMap::<&str, u64>::new());
    for seed in first..first + seeds {
        let o = walk(seed, how);
        inputs += o.inputs;
        crashes += o.crashes;
        for (kind, n) in o.facts {
            *facts.entry(kind).or_default() += n;
        }
    }
    eprintln!("{seeds} walks from seed {first}: {inputs} inputs, {crashes} crashes, facts: {facts:?}");
    // Walks in which nothing happens prove nothing.
    for kind in [
        "connected",
        "held",
        "transferred",
        "voicemail_left",
        "disposed",
        "message",
        "recording_ended",
        "wrap_up_over",
        "consult_answered",
        "supervised",
    ] {
        assert!(seeds < 100 || facts.get(kind).is_some_and(|n| *n > seeds / 50), "too little `{kind}`: {facts:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in [3, 77] {
        assert_eq!(walk(seed, Walk::default()), walk(seed, Walk::default()));
    }
}

#[test]
fn what_the_center_was_given_makes_another_center_do_the_same() {
    let mut w = crate::sim::World::new(5);
    w.tape = Some(Vec::new());
    let anna = w.agent("anna").ready();
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "1");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.pass(crate::base::secs(30));
    w.hangs_up(caller);
    w.pass(crate::base::secs(30));
    let mut facts = w.store.facts().iter().skip(1);
    let mut sent = 0;
    let take = |out: Vec<crate::center::Output>| {
        for o in out {
            match o {
                crate::center::Output::Fact(r) => assert_eq!(Some(&r), facts.next()),
                crate::center::Output::Send { .. } => sent += 1,
                _ => {}
            }
        }
    };
    crate::sim::tape::replay(5, w.tape.as_ref().unwrap(), take).unwrap();
    assert!(sent > 6 && facts.next().is_none());
}
