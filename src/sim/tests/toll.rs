//! The hour's limits on calls out, and a server that is restarted within the hour.

use crate::{
    base::{ms, secs},
    center::command::{Command, Refusal},
    sim::{Manner, Who, World},
};

fn dials(w: &mut World, who: Who) -> Result<(), Refusal> {
    w.asks(who, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }).map(drop)
}

fn limited(seed: u64, toll: &str) -> (World, Who, Who) {
    let mut w = World::with(seed, |b| b.tenants.values_mut().next().unwrap().toll = serde_saphyr::from_str(toll).unwrap());
    let (carrier, anna) = (w.carrier(), w.agent("anna").ready());
    w.manner(anna, Manner::Answer(ms(200)));
    w.manner(carrier, Manner::Answer(ms(100)));
    (w, carrier, anna)
}

/// Talks for a while.
fn talks(w: &mut World, anna: Who, carrier: Who, s: u64) {
    dials(w, anna).unwrap();
    w.until(|w| w.hear_each_other(anna, carrier));
    w.pass(secs(s));
    w.hangs_up(anna);
    w.pass(secs(15));
}

/// Her phone finds the server that is back.
fn is_back(w: &mut World, anna: Who) {
    let now = w.now();
    w.phone_mut(anna).register(now);
    w.pass(secs(5));
    w.sets_ready(anna);
}

fn restarts(w: &mut World, anna: Who) {
    w.crash_and_restart();
    is_back(w, anna);
}

#[test]
fn a_restart_does_not_begin_a_new_hour_of_calls() {
    let (mut w, carrier, anna) = limited(41, "{per_agent: {calls_h: 3}}");
    for _ in 0..3 {
        talks(&mut w, anna, carrier, 1);
    }
    restarts(&mut w, anna);
    assert_eq!(dials(&mut w, anna).unwrap_err().to_string(), "the agent has reached the limit of this hour");
    // Once more, with nothing in between: what was restored is restored again.
    restarts(&mut w, anna);
    assert!(dials(&mut w, anna).is_err());
    w.pass(secs(3_700));
    talks(&mut w, anna, carrier, 1);
}

#[test]
fn money_spent_before_a_restart_is_spent_and_a_call_it_cut_counts_until_it_was_back() {
    let (mut w, carrier, anna) = limited(42, "{per_tenant: {spend_h: 5.0}, rates: [{to: '*', per_minute: 1.0}]}");
    talks(&mut w, anna, carrier, 120);
    dials(&mut w, anna).unwrap();
    w.until(|w| w.hear_each_other(anna, carrier));
    w.pass(secs(60));
    // Two minutes are paid for, one is under way, and the server is away for two more.
    w.crash();
    w.pass(secs(120));
    w.restart();
    is_back(&mut w, anna);
    let refused = dials(&mut w, anna).unwrap_err();
    assert_eq!(refused.to_string(), "the limit of this hour is reached");
}
