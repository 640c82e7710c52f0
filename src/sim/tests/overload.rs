//! More calls than the loop can carry: who is turned away, and who does not notice.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    base::{Admission, ms, secs},
    sim::{Manner, Stage, Who, World},
};

fn alarmed(w: &World) -> bool {
    w.view().alarms.contains_key("overload")
}

/// How the carrier's calls stand.
fn stages(w: &World, carrier: Who) -> BTreeMap<&'static str, usize> {
    let mut n = BTreeMap::new();
    for c in w.phone_of(carrier).calls.values() {
        let word = match c.stage {
            Stage::Up | Stage::Over(0) => "served",
            Stage::Over(503) => "turned away",
            _ => "else",
        };
        *n.entry(word).or_default() += 1;
    }
    n
}

#[test]
fn ten_times_more_calls_than_can_be_carried_are_mostly_turned_away_and_nobody_in_a_call_notices() {
    let mut w = World::new(41);
    w.audit = false;
    w.media.range = (20_000, 60_000);
    let (carrier, anna) = (w.carrier(), w.agent("anna").ready());
    w.manner(anna, Manner::Answer(ms(500)));
    let talking = w.phone("+3265550001").dials("4001");
    w.until(|w| w.hear_each_other(talking, anna));
    let ben = w.agent("ben").there();
    w.until(|w| w.phone_of(ben).registered);

    // Taking a call costs about 10 ms, turning one away 0.4: a hundred a second can be carried, and a thousand come.
    w.takes_time(Duration::from_micros(50), Duration::from_micros(350));
    for n in 0..1_500u64 {
        w.dials(carrier, "4002");
        match n {
            700 => {
                assert!(alarmed(&w), "supervisors are told");
                w.phone_hold(talking, true);
                w.dials(ben, "4003");
            }
            1_100 => w.phone_hold(talking, false),
            _ => {}
        }
        w.pass(ms(1));
    }
    let end = w.now().mono;
    w.pass(secs(1));
    let longest = w.pace().longest;
    assert!(longest < ms(700), "waited {longest:?}");
    let count = stages(&w, carrier);
    assert_eq!(count.get("else"), None, "each was served or told: {count:?}");
    assert!(count["served"] > 40 && count["turned away"] > 1_000, "{count:?}");
    assert_eq!(w.phone_of(ben).stage(), Some(Stage::Up), "a phone of ours is not turned away");
    assert!(w.hear_each_other(talking, anna), "and nobody is who talks: held, and taken back");

    // It is over: everybody comes in again, and at once.
    w.until(|w| !alarmed(w));
    let recovered = w.now().mono.since(end);
    assert!(recovered < secs(8), "{recovered:?}");
    assert_eq!(w.pace().verdicts.last().unwrap().1.admission, Admission::Open);
    let late = w.phone("+3265550009").dials("4001");
    w.pass(ms(300));
    assert_eq!(w.phone_of(late).stage(), Some(Stage::Up));
}
