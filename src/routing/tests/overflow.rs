//! Leaving the queue without an answer, the counters, the estimate, the restart and the change of plan.

use std::sync::Arc;

use super::{super::*, floor::*};
use crate::base::{Channel, Rng, mins, secs};

fn one(queue: &str) -> Floor {
    Floor::new(&format!(
        "queues: {{ q: {{ wrap_up_s: 0, ring_s: 15, {queue} }} }}\nagents: {{ anna: {{ queues: [q] }}, ben: {{ queues: [q] }} }}"
    ))
}

#[test]
fn too_long_is_the_shorter_of_the_queues_and_the_callers_own_limit() {
    let mut f = one("max_wait_s: 60");
    f.calls("patient", "q");
    let hasty = Entry { max_wait: Some(secs(30)), ..f.entry("hasty", "q") };
    f.ok(Input::Enqueue(hasty));
    f.pass(secs(30));
    assert_eq!((f.exit("hasty"), f.exit("patient")), (Some(ExitWhy::Timeout), None));
    f.pass(secs(20));
    // It rings when the minute is over: the phone may ring out first.
    f.ready("anna");
    f.pass(secs(13));
    assert_eq!((f.exit("patient"), f.rings("patient").len()), (None, 1));
    f.pass(secs(1));
    assert_eq!(f.exit("patient"), Some(ExitWhy::Timeout));
    let counts = f.counts("q");
    assert_eq!((counts.overflow, counts.offered, counts.conserved()), (2, 2, true));
}

#[test]
fn too_many_means_the_newest_and_zero_means_now_or_never() {
    let mut f = one("max_length: 2");
    for c in ["a", "b", "c"] {
        f.calls(c, "q");
    }
    assert_eq!((f.exit("c"), f.line("q")), (Some(ExitWhy::Full), vec!["a".to_owned(), "b".to_owned()]));
    let mut f = one("max_length: 0");
    f.ready("anna");
    f.calls("a", "q");
    f.calls("b", "q");
    assert_eq!((f.exit("a"), f.exit("b")), (None, Some(ExitWhy::Full)));
    // Who was let in and was not answered stays; the next is let in because somebody else is free.
    f.pass(secs(15));
    f.ready("ben");
    let interaction = f.id("a");
    assert_eq!(f.rings("a"), ["ben"]);
    let offer = f.offer("ben");
    f.ok(Input::Decline { offer });
    f.calls("c", "q");
    assert_eq!((f.rings("c"), f.exit("c"), f.router.is_waiting(interaction)), (vec!["ben".to_owned()], None, true));
}

#[test]
fn nobody_joins_or_stays_in_a_queue_without_agents() {
    let mut f = one("join_empty: signed_in, leave_empty: ready, leave_empty_s: 20");
    f.calls("early", "q");
    assert_eq!(f.exit("early"), Some(ExitWhy::NoAgents));
    f.ready("anna");
    f.calls("a", "q");
    f.accepts("anna");
    f.calls("b", "q");
    f.pass(mins(1));
    assert_eq!(f.exit("b"), None, "anna talks: worth waiting for");
    f.ok(Input::SetState { agent: agent("anna"), state: Choice::Away });
    f.pass(secs(19));
    assert_eq!(f.exit("b"), None);
    f.pass(secs(1));
    assert_eq!(f.exit("b"), Some(ExitWhy::NoAgents));
    // Her phone is gone: then she does not count either.
    f.ends("a", "anna");
    f.ok(Input::Reachable { agent: agent("anna"), channel: Channel::Voice, up: false });
    f.calls("c", "q");
    assert_eq!(f.exit("c"), Some(ExitWhy::NoAgents));
}

#[test]
fn the_last_agent_who_lets_it_ring_takes_the_queue_along() {
    let mut f = one("leave_empty: ready");
    f.ready("anna");
    f.calls("a", "q");
    f.calls("b", "q");
    f.pass(secs(15));
    assert_eq!((f.exit("a"), f.exit("b")), (Some(ExitWhy::NoAgents), Some(ExitWhy::NoAgents)));
    assert_eq!(f.counts("q").overflow, 2);
}

#[test]
fn the_five_service_levels_differ_as_defined() {
    let mut c = QueueCounts::new(20, 5);
    let at = crate::base::Wall::from_unix_s(START);
    let mut one = |exit: ExitKind, wait_s: u64| {
        let id = crate::base::InteractionId::new(
            crate::base::Now { mono: crate::base::Mono(0), wall: at },
            &mut Rng::seeded(wait_s),
        );
        let (queue, channel) = (queue("q"), Channel::Voice);
        c.add(&MetricEvent::Entered { queue: queue.clone(), channel, interaction: id, at });
        c.add(&MetricEvent::Left { queue, channel, interaction: id, entered: at, at: at + secs(wait_s), exit });
    };
    for wait_s in [3, 10, 20, 21, 60] {
        one(ExitKind::Answered, wait_s);
    }
    for wait_s in [2, 15, 90] {
        one(ExitKind::Abandoned, wait_s);
    }
    one(ExitKind::CallbackTaken, 12);
    one(ExitKind::Overflow, 300);
    let near = |x: Option<f64>, y: f64| assert!(x.is_some_and(|x| (x - y).abs() < 1e-9), "{x:?} is not {y}");
    near(c.sl1(), 3.0 / 7.0);
    near(c.sl2(), 3.0 / 5.0);
    near(c.sl3(), 5.0 / 8.0);
    near(c.sl4(), 6.0 / 10.0);
    near(c.sl5(), 3.0 / 8.0);
    near(c.abandonment(), 2.0 / 9.0);
    assert_eq!(c.asa(), Some(crate::base::ms(22_800)));
    assert!(c.conserved());
    let median = c.waits.quantile(0.5).expect("five waits").as_secs_f64();
    assert!((median / 20.0 - 1.0).abs() < 0.1, "{median}");
}

#[test]
fn who_waits_is_told_a_place_and_a_time_that_follow_from_what_happened() {
    let mut f = one("expected_handle_s: 120");
    f.ready("anna");
    f.calls("a", "q");
    f.accepts("anna");
    f.calls("b", "q");
    f.calls("c", "q");
    let (b, c) = (f.id("b"), f.id("c"));
    assert_eq!((f.router.position(b), f.router.position(c)), (Some(1), Some(2)));
    let e = f.router.ewt(c).expect("c waits");
    assert_eq!((e.mean, e.confidence), (secs(240), Confidence::Low), "not to be said: from configuration only");
}

#[test]
fn after_a_crash_the_line_stands_as_it_stood_and_a_wrap_up_ends_when_it_would_have() {
    let yaml = "queues: { q: { wrap_up_s: 30, max_wait_s: 300 } }\nagents: { anna: { queues: [q] }, ben: { queues: [q] } }";
    let mut before = Floor::new(yaml);
    before.calls("a", "q");
    before.pass(secs(100));
    let vip = Entry { priority_min: 5, ..before.entry("vip", "q") };
    before.ok(Input::Enqueue(vip.clone()));
    let line: Vec<_> = before.router.waiting(&queue("q"));
    // A new process: the timer clock starts again, the wall clock went on for ten seconds.
    let mut after = Floor::new(yaml);
    after.now.wall = before.now.wall + secs(10);
    let (a, began) = (before.id("a"), crate::base::Wall::from_unix_s(START));
    let restored = Entry { entered: Some(began), ..Entry::new(a, queue("q"), Channel::Voice, began) };
    let mut out = Vec::new();
    let wrap_up = RestoredWrapUp {
        interaction: after.id("written up"),
        channel: Channel::Voice,
        queue: Some(queue("q")),
        since: before.now.wall - secs(5),
        until: before.now.wall + secs(25),
        disposition: None,
    };
    let now = after.now;
    let done = after.router.restore_agent(now, &agent("anna"), AgentState::Ready, began, Some(wrap_up), &mut out);
    assert_eq!(done, Ok(()));
    after.ok(Input::Enqueue(Entry { entered: Some(vip.since), ..vip }));
    after.ok(Input::Enqueue(restored));
    assert_eq!(after.router.waiting(&queue("q")), line);
    after.ok(Input::Reachable { agent: agent("anna"), channel: Channel::Voice, up: true });
    assert_eq!(after.router.position(line[0]), Some(1));
    after.pass(secs(15));
    let offered = after.log.iter().any(|o| matches!(o, Output::Offer { interaction, .. } if *interaction == line[0]));
    assert!(offered, "the wrap-up ran out at its time and the first in line is offered");
    after.pass(secs(300 - 110 - 15));
    let exits =
        after.log.iter().any(|o| matches!(o, Output::Exit { interaction, why: ExitWhy::Timeout, .. } if *interaction == a));
    assert!(exits, "the five minutes of the caller count from before the crash");
}

#[test]
fn a_new_plan_takes_effect_at_once_and_interrupts_nobody() {
    let mut f = Floor::new(
        "queues: { q: { wrap_up_s: 0 }, old: {} }\nskills: { german: {} }\nagents: { anna: { queues: [q] }, ben: { queues: [q] } }",
    );
    f.ready("anna");
    f.ready("ben");
    f.calls("talking", "q");
    f.accepts("anna");
    f.calls("ringing", "q");
    assert_eq!(f.rings("ringing"), ["ben"]);
    f.calls("lost", "old");
    let german = Entry { needs: vec![(crate::base::SkillId::parse("german").expect("an id"), 3)], ..f.entry("german", "q") };
    f.ok(Input::Enqueue(german));
    let new = plan(
        "queues: { q: { wrap_up_s: 0 } }\nskills: { german: {} }\nagents: { ben: { queues: [q], skills: { german: 5 } }, cleo: { queues: [q] } }",
    );
    let mut out = Vec::new();
    f.router.plan(f.now, Arc::new(new), &mut out);
    f.log.append(&mut out);
    assert_eq!(f.exit("lost"), Some(ExitWhy::QueueGone));
    f.accepts("ben");
    f.ends("talking", "anna");
    assert_eq!(f.router.agent(&agent("anna")).map(|a| a.state), Some(AgentState::SignedOut));
    f.ends("ringing", "ben");
    assert_eq!(f.rings("german"), ["ben"], "the new skill counts");
    let anna = Input::SetState { agent: agent("anna"), state: Choice::Ready };
    assert_eq!(f.input(anna), Err(Refused::UnknownAgent(agent("anna"))));
}

#[test]
fn a_plan_with_mistakes_is_told_where_they_are() {
    let text = "
queues: { q: { ring_s: 2, needs: { german: 7 }, wrap_up_s: 0, wrap_up_mandatory: true } }
agents: { anna: { queues: [q, q, sales] } }
calendars: { main: { zone: Mars/Olympus } }
";
    let plan: Plan = serde_saphyr::from_str(text).expect("well formed");
    let bad = plan.validate();
    for path in [
        "queues.q.ring_s",
        "queues.q.needs.german",
        "queues.q.wrap_up_mandatory",
        "agents.anna.queues[1]",
        "agents.anna.queues[2]",
        "calendars.main.zone",
    ] {
        assert!(bad.iter().any(|b| b.starts_with(path)), "{path} in {bad:#?}");
    }
    assert!(serde_saphyr::from_str::<Plan>("queues: { q: { rings: 5 } }").is_err(), "a key nobody knows");
    let written = serde_saphyr::to_string(&plan).expect("a plan is data");
    assert_eq!(serde_saphyr::from_str::<Plan>(&written).expect("what was written reads"), plan);
}

#[test]
fn fairness_is_a_number_for_load_and_for_waiting() {
    use super::super::metrics::{Waits, unevenness, wait_ratio};
    assert_eq!(unevenness(&[0.5, 0.5, 0.5]), Some(0.0));
    assert!(unevenness(&[0.2, 0.8]).is_some_and(|u| (u - 0.848_528).abs() < 1e-6));
    assert_eq!(unevenness(&[0.5]), None);
    let (mut a, mut b) = (Waits::default(), Waits::default());
    for i in 1..=100 {
        a.add(secs(i));
        b.add(secs(4 * i));
    }
    assert!(wait_ratio(&[&a, &b]).is_some_and(|r| (r - 4.0).abs() < 0.01));
    assert_eq!(wait_ratio(&[&a, &Waits::default()]), None);
}
