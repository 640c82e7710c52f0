//! Alerts: who waits too long is told of to whoever supervises, once, until it is well.

use crate::{
    base::{AgentId, QueueId, secs},
    center::{
        alerts::{Metric, Rule},
        command::{Actor, Command, Done, Refusal, RefusalCode, Role},
        fact::Fact,
    },
    sim::World,
};

fn on(w: &World) -> Vec<String> {
    w.view().alerts.into_keys().collect()
}

fn sales() -> QueueId {
    QueueId::parse("sales").unwrap()
}

fn acknowledges(w: &mut World, who: &str, role: Role) -> Result<Done, Refusal> {
    let user = AgentId::parse(who).unwrap();
    w.command(Actor::User { user, role }, Command::AlertAck { queue: sales(), metric: Metric::Longest })
}

fn told(w: &World) -> Vec<&'static str> {
    w.store.facts().iter().filter(|r| r.fact.kind().starts_with("alert_")).map(|r| r.fact.kind()).collect()
}

/// Only how long one waits is watched, at half a minute.
fn world(seed: u64) -> World {
    World::with(seed, |b| {
        let tenant = b.tenants.values_mut().next().unwrap();
        tenant.alerts.rules = vec![Rule { metric: Metric::Longest, queue: Some(sales()), limit: Some(30), after_s: None }];
        tenant.supervision.queues.insert(AgentId::parse("pia").unwrap(), [QueueId::parse("support").unwrap()].into());
    })
}

#[test]
fn a_caller_who_waits_too_long_is_an_alert_a_supervisor_takes_it_up_and_it_is_over_with_the_answer() {
    let mut w = world(2_001);
    let dora = w.agent("dora").there();
    let caller = w.phone("+3265551234").dials("4002");
    w.until(|w| w.view().queues[&sales()].waiting == 1);
    w.pass(secs(29));
    assert!(on(&w).is_empty());
    w.pass(secs(3));
    assert_eq!(on(&w), ["sales/longest"]);
    assert_eq!(acknowledges(&mut w, "anna", Role::Agent).unwrap_err().code, RefusalCode::NotAllowed);
    assert_eq!(acknowledges(&mut w, "pia", Role::Supervisor).unwrap_err().code, RefusalCode::NotAllowed, "pia has support");
    acknowledges(&mut w, "susan", Role::Supervisor).unwrap();
    acknowledges(&mut w, "sam", Role::Supervisor).unwrap();
    assert_eq!(w.view().alerts["sales/longest"].acked_by.as_deref(), Some("susan"), "who came first has it");
    w.pass(secs(30));
    w.signs_in(dora);
    w.sets_ready(dora);
    w.until(|w| w.rings(dora));
    w.answers(dora);
    w.until(|w| w.hear_each_other(caller, dora));
    w.until(|w| on(w).is_empty());
    assert_eq!(told(&w), ["alert_raised", "alert_acked", "alert_cleared"]);
    let view = w.view();
    let past = &view.alerts_past[0];
    assert!((60..70).contains(&past.worst), "{past:?}");
    assert_eq!((past.acked_by.as_deref(), past.limit), (Some("susan"), 30));
    assert_eq!(acknowledges(&mut w, "susan", Role::Supervisor).unwrap_err().code, RefusalCode::NotFound);
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn an_alert_outlives_a_restart_with_who_looks_after_it_and_ends_when_nobody_waits() {
    let mut w = world(2_002);
    w.phone("+3265551234").dials("4002");
    w.until(|w| on(w) == ["sales/longest"]);
    acknowledges(&mut w, "susan", Role::Supervisor).unwrap();
    w.pass(secs(1));
    w.crash_and_restart();
    assert_eq!(w.view().alerts["sales/longest"].acked_by.as_deref(), Some("susan"));
    w.until(|w| on(w).is_empty());
    assert_eq!(told(&w), ["alert_raised", "alert_acked", "alert_cleared"]);
}

#[test]
fn a_limit_that_is_changed_counts_at_once() {
    let mut w = world(2_003);
    w.phone("+3265551234").dials("4002");
    w.pass(secs(20));
    assert!(on(&w).is_empty());
    w.configure(|b| b.tenants.values_mut().next().unwrap().alerts.rules[0].limit = Some(10));
    w.pass(secs(2));
    assert_eq!(on(&w), ["sales/longest"]);
    let raised = w.store.facts().iter().find_map(|r| match &r.fact {
        Fact::AlertRaised(a) => Some((a.value, a.limit)),
        _ => None,
    });
    assert!(raised.is_some_and(|(value, limit)| (20..23).contains(&value) && limit == 10), "{raised:?}");
}
