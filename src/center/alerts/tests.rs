//! One figure at a time, against the clock.

use super::*;
use crate::base::{AgentId, secs};

const BEGIN: Wall = Wall(1_795_406_400_000_000);

struct Floor {
    now: Wall,
    board: Board,
    rules: Alerts,
    queue: QueueView,
    next: Option<Wall>,
}

fn sales() -> QueueId {
    QueueId::parse("sales").unwrap()
}

impl Floor {
    fn watching(rules: &[(Metric, Option<u32>)]) -> Floor {
        let rules =
            rules.iter().map(|(metric, limit)| Rule { metric: *metric, queue: None, limit: *limit, after_s: None }).collect();
        let queue = QueueView {
            name: "Sales".into(),
            waiting: 0,
            longest_since: None,
            signed_in: 2,
            ready: 2,
            free: 2,
            offered: 0,
            answered: 0,
            abandoned: 0,
            service_level: None,
            sl_target_s: 20,
            sl_percent: 80,
            hold_max_s: 0,
            held_since: None,
        };
        let rules = Alerts { rules, ..Alerts::default() };
        Floor { now: BEGIN, board: Board::default(), rules, queue, next: None }
    }

    fn look(&mut self) -> Vec<&'static str> {
        let queues = BTreeMap::from([(sales(), self.queue.clone())]);
        let mut facts = Vec::new();
        self.next = self.board.judge(self.now, &self.rules, &queues, &mut facts);
        facts.iter().map(Fact::kind).collect()
    }

    fn after(&mut self, s: u64) -> Vec<&'static str> {
        self.now = self.now + secs(s);
        self.look()
    }
}

#[test]
fn a_wait_is_told_of_when_it_is_longer_than_promised_and_the_moment_is_known_before() {
    let mut f = Floor::watching(&[(Metric::Longest, None)]);
    f.queue.longest_since = Some(f.now);
    assert!(f.look().is_empty());
    assert_eq!(f.next, Some(BEGIN + secs(20) + Duration::from_millis(1)));
    assert!(f.after(20).is_empty(), "twenty seconds are what was promised");
    f.now = f.next.unwrap();
    assert_eq!(f.look(), ["alert_raised"]);
    assert_eq!(f.next, None, "only an event can end it");
    let alert = f.board.get(&sales(), Metric::Longest).unwrap();
    assert_eq!((alert.value, alert.limit, alert.began_at), (20, 20, Some(BEGIN)));
}

#[test]
fn an_alert_is_over_when_it_has_been_well_for_a_while_and_tells_the_worst() {
    let mut f = Floor::watching(&[(Metric::Longest, None)]);
    f.queue.longest_since = Some(f.now);
    assert_eq!(f.after(30), ["alert_raised"]);
    f.queue.longest_since = None;
    assert!(f.after(60).is_empty());
    assert_eq!(f.next, Some(f.now + secs(10)));
    assert!(f.after(9).is_empty());
    assert_eq!(f.after(1), ["alert_cleared"]);
    let past = &f.board.past()[0];
    assert_eq!((past.worst, past.limit, past.since, past.until), (90, 20, BEGIN + secs(30), f.now));
    assert_eq!((f.board.on().count(), f.next), (0, None));
}

#[test]
fn a_figure_that_swings_about_its_limit_is_one_alert() {
    let mut f = Floor::watching(&[(Metric::Waiting, Some(5))]);
    let mut told = Vec::new();
    for n in 0..60 {
        f.queue.waiting = if n % 4 == 3 { 6 } else { 5 };
        told.extend(f.after(2));
    }
    assert_eq!(told, ["alert_raised"]);
    f.queue.waiting = 5;
    assert!(f.after(1).is_empty());
    assert_eq!(f.after(10), ["alert_cleared"]);
}

#[test]
fn a_share_of_the_day_must_be_better_than_its_goal_by_a_margin() {
    let mut f = Floor::watching(&[(Metric::Level, None)]);
    assert!(f.look().is_empty(), "nothing was answered yet");
    f.queue.service_level = Some(0.79);
    assert_eq!(f.after(1), ["alert_raised"]);
    f.queue.service_level = Some(0.81);
    assert!(f.after(60).is_empty());
    assert_eq!(f.board.get(&sales(), Metric::Level).unwrap().value, 81);
    f.queue.service_level = Some(0.82);
    assert!(f.after(1).is_empty());
    assert_eq!(f.after(10), ["alert_cleared"]);
    assert_eq!(f.board.past()[0].worst, 79);
}

#[test]
fn a_goal_of_all_can_be_reached_again() {
    let mut f = Floor::watching(&[(Metric::Level, Some(100)), (Metric::Abandoned, Some(1))]);
    f.queue.service_level = Some(0.5);
    (f.queue.offered, f.queue.abandoned) = (100, 2);
    assert_eq!(f.after(1), ["alert_raised", "alert_raised"]);
    f.queue.service_level = Some(1.0);
    f.queue.offered = 300;
    f.after(1);
    assert_eq!(f.after(10), ["alert_cleared", "alert_cleared"]);
}

#[test]
fn what_is_past_for_a_moment_is_told_nobody_where_that_is_wished() {
    let mut f = Floor::watching(&[(Metric::Free, None)]);
    f.rules.raise_after_s = 15;
    (f.queue.waiting, f.queue.free) = (1, 0);
    assert!(f.look().is_empty());
    assert_eq!(f.next, Some(BEGIN + secs(15)));
    f.queue.free = 1;
    assert!(f.after(14).is_empty());
    f.queue.free = 0;
    assert!(f.after(1).is_empty(), "it begins anew");
    assert_eq!(f.after(15), ["alert_raised"]);
    f.queue.free = 1;
    f.after(1);
    f.after(10);
    f.rules.rules[0].after_s = Some(3);
    f.queue.free = 0;
    assert!(f.after(1).is_empty());
    assert_eq!(f.after(3), ["alert_raised"], "its own rule goes before the one for all");
}

#[test]
fn nobody_free_is_no_alert_while_nobody_waits_and_too_few_ready_is() {
    let mut f = Floor::watching(&[(Metric::Free, None), (Metric::Ready, Some(3))]);
    f.queue.free = 0;
    assert_eq!(f.look(), ["alert_raised"]);
    assert!(f.board.get(&sales(), Metric::Ready).is_some());
}

#[test]
fn a_rule_for_one_queue_goes_before_the_one_for_all_and_a_rule_that_is_gone_ends_its_alert() {
    let mut f = Floor::watching(&[(Metric::Waiting, Some(3))]);
    f.queue.waiting = 4;
    assert_eq!(f.look(), ["alert_raised"]);
    f.rules.rules.push(Rule { metric: Metric::Waiting, queue: Some(sales()), limit: Some(10), after_s: None });
    assert!(f.after(1).is_empty());
    assert_eq!(f.after(10), ["alert_cleared"], "it is well by its own rule");
    f.rules.rules.pop();
    assert_eq!(f.after(1), ["alert_raised"]);
    f.rules.rules.clear();
    assert_eq!(f.after(1), ["alert_cleared"]);
}

#[test]
fn the_journal_gives_the_board_back_with_who_looks_after_what() {
    let mut f = Floor::watching(&[(Metric::Waiting, Some(3))]);
    f.queue.waiting = 9;
    f.look();
    let alert = f.board.get(&sales(), Metric::Waiting).unwrap().clone();
    let susan = Actor::User { user: AgentId::parse("susan").unwrap(), role: super::super::command::Role::Supervisor };
    let facts = [
        Fact::AlertRaised(AlertRaised { queue: sales(), metric: Metric::Waiting, value: 9, limit: 3, began_at: None }),
        Fact::AlertAcked(AlertAcked { queue: sales(), metric: Metric::Waiting, by: susan }),
    ];
    let mut again = Board::default();
    facts.iter().for_each(|fact| again.apply(BEGIN, fact));
    let back = again.get(&sales(), Metric::Waiting).unwrap();
    assert_eq!(back.acked_by.as_deref(), Some("susan"));
    assert_eq!((back.since, back.value), (alert.since, alert.value));
}

#[test]
fn what_was_is_bounded() {
    let mut board = Board::default();
    for n in 0..limits::ALERTS_PAST_MAX as u32 + 5 {
        let cleared = AlertCleared { queue: sales(), metric: Metric::Waiting, worst: n, limit: 1, since: BEGIN };
        board.apply(BEGIN, &Fact::AlertCleared(cleared));
    }
    assert_eq!(board.past().len(), limits::ALERTS_PAST_MAX);
    assert_eq!(board.past()[0].worst, limits::ALERTS_PAST_MAX as u32 + 4);
}
