//! Figures against sums done by hand.

use super::*;
use crate::{
    base::{CodeId, ms, secs},
    routing::AgentState,
};

fn queue(id: &str) -> QueueId {
    QueueId::parse(id).unwrap()
}
fn anna() -> AgentId {
    AgentId::parse("anna").unwrap()
}
/// Minutes after nine.
fn at(min: u64) -> Wall {
    Wall::parse_rfc3339("2026-11-23T09:00:00Z").unwrap() + secs(60 * min)
}
fn report() -> Report {
    let grid = Grid::new("UTC", at(0), at(60), 30).unwrap();
    Report::new(grid, BTreeMap::from([(queue("sales"), (20, 5))]), (30, 5))
}
fn stay(min: u64, left: Option<(ExitKind, u64)>) -> Stay {
    Stay { queue: queue("sales"), entered: at(min), left: left.map(|(exit, s)| (exit, secs(s))) }
}

#[test]
fn a_half_hour_of_sales_comes_to_what_the_table_of_definitions_says() {
    let mut r = report();
    for s in [10, 20, 21, 60] {
        r.stay(&stay(1, Some((ExitKind::Answered, s))));
    }
    for s in [5, 6, 40] {
        r.stay(&stay(2, Some((ExitKind::Abandoned, s))));
    }
    r.stay(&stay(3, Some((ExitKind::Overflow, 30))));
    r.stay(&stay(3, Some((ExitKind::SystemError, 30))));
    r.stay(&stay(29, None));
    r.stay(&stay(30, Some((ExitKind::Answered, 1))));
    r.stay(&stay(60, Some((ExitKind::Answered, 1))));
    let by_interval = r.by_interval();
    let t = &by_interval[&0];
    let c = &t.counts;
    assert_eq!((c.offered, c.answered, c.answered_in_target, c.abandoned, c.abandoned_short), (10, 4, 2, 3, 1));
    assert_eq!((c.overflow, c.error, c.waiting, c.conserved()), (1, 1, 1, true));
    let figures = [c.sl1(), c.sl2(), c.sl3(), c.sl4(), c.sl5(), c.abandonment()].map(Option::unwrap);
    let wanted = [2.0 / 6.0, 2.0 / 4.0, 4.0 / 7.0, 4.0 / 10.0, 2.0 / 7.0, 2.0 / 9.0];
    assert!(figures.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-9), "{figures:?}");
    assert_eq!(c.asa(), Some(ms(27_750)));
    assert_eq!((t.wait_ms(0.5), t.wait_ms(0.9), t.wait_ms(0.95)), (Some(20_000), Some(60_000), Some(60_000)));
    assert_eq!((r.whole().counts.offered, r.conserved()), (11, true), "who came after the span is not in it");
    assert_eq!(r.whole().counts.answered_in_target, 3, "each by the promise of its queue");
}

#[test]
fn an_hour_of_anna_is_the_sum_of_what_she_did_and_overlapping_work_is_not_counted_twice() {
    let mut r = report();
    let state = |min, state| Turn { agent: anna(), state, since: at(min) };
    // Signed in since before the report, on a break from 40 to 50, gone at 55.
    r.turn(Turn { since: at(0) - secs(600), ..state(0, AgentState::Ready) });
    r.turn(state(40, AgentState::NotReady(CodeId::parse("lunch").unwrap())));
    r.turn(state(50, AgentState::Ready));
    r.turn(state(55, AgentState::SignedOut));
    r.ring(&Ring { agent: anna(), queue: Some(queue("sales")), from: at(9), to: Some(at(10)), no_answer: false });
    r.ring(&Ring { agent: anna(), queue: Some(queue("sales")), from: at(12), to: Some(at(13)), no_answer: true });
    let talk = |from: u64, to: u64, hold_ms, wrap_ms| Segment {
        agent: anna(),
        queue: Some(queue("sales")),
        began: at(from),
        ended: Some(at(to)),
        talk_ms: (to - from) * 60_000,
        hold_ms,
        wrap_ms,
    };
    r.segment(&talk(10, 20, 60_000, 120_000));
    // A chat beside it, and a call over the half hour.
    r.segment(&talk(15, 21, 0, 0));
    r.segment(&talk(28, 34, 0, 0));
    r.close(at(600));
    let by_agent = r.by_agent();
    let a = &by_agent[&anna()];
    let min = |activity| a.spent_us.get(&activity).map_or(0.0, |us| *us as f64 / 60e6);
    let spent = [Activity::Talking, Activity::WrapUp, Activity::Alerting, Activity::Idle, Activity::NotReady].map(min);
    assert_eq!(spent, [17.0, 1.0, 1.0, 26.0, 10.0]);
    assert_eq!(a.signed_in_us(), 55 * 60_000_000);
    assert!((a.occupancy().unwrap() - 18.0 / 44.0).abs() < 1e-9 && (a.utilisation().unwrap() - 18.0 / 55.0).abs() < 1e-9);
    assert_eq!((a.offers, a.no_answer, a.handled.counts.handled), (2, 1, 3));
    assert_eq!(a.handled.counts.aht(), Some(secs(8 * 60)), "22 minutes of talk and 2 of wrap-up in three segments");
    assert_eq!((a.handled.handle_ms(0.5), a.handled.handle_ms(0.9)), (Some(360_000), Some(720_000)));
    let first = &r.agents[&(anna(), 0)];
    assert_eq!(first.signed_in_us(), 30 * 60_000_000);
    assert_eq!(r.whole().counts.handled, 3, "what queues handled is what agents handled");
    assert_eq!(r.whole().counts.no_answer, 1);
}

#[test]
fn a_report_of_nothing_has_no_percentages() {
    let mut r = report();
    r.close(at(0));
    let t = r.whole();
    assert_eq!((t.counts.sl1(), t.counts.asa(), t.wait_ms(0.9), r.conserved()), (None, None, None, true));
    assert!(r.by_agent().is_empty() && r.by_queue().is_empty());
}
