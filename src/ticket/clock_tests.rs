//! The table in `clock.rs`, line by line.

use super::*;
use crate::{
    base::{AgentId, InteractionId, Mono, Now, Rng, TicketId},
    ticket::{AlwaysOpen, Opening, Priority, To, Weekly},
};

/// Monday 23 November 2026, 09:00 in Brussels, plus minutes.
fn at(minutes: u64) -> Wall {
    Wall::parse_rfc3339("2026-11-23T09:00:00+01:00").unwrap() + mins(minutes)
}

fn anna() -> Actor {
    Actor::Agent(AgentId::parse("anna").unwrap())
}

fn policy() -> Policy {
    let hour = Some(mins(60));
    Policy { first: hour, next: Some(mins(30)), resolve: Some(mins(600)), owner_ack: Some(mins(10)), ..Policy::default() }
}

struct Case {
    t: Ticket,
    policy: Policy,
}

impl Case {
    fn opened(at: Wall) -> Self {
        let id = TicketId::new(Now { mono: Mono(0), wall: at }, &mut Rng::seeded(1));
        let (customer, interaction, channel, queue, sla) = (None, None, None, None, None);
        let opening = Opening {
            id,
            number: 1,
            title: "x".into(),
            customer,
            interaction,
            channel,
            queue,
            priority: Priority::Normal,
            sla,
        };
        Self { t: Ticket::open(at, Actor::Customer, opening).unwrap().0, policy: policy() }
    }
    fn then(mut self, at: Wall, by: Actor, change: Change) -> Self {
        self.t.apply(at, by, change).unwrap();
        self
    }
    fn asks(self, at: Wall) -> Self {
        self.then(at, Actor::Customer, Change::CustomerWrote { text: "?".into(), message: None })
    }
    fn replies(self, at: Wall, by: Actor) -> Self {
        self.then(at, by, Change::Replied { text: "!".into(), message: None })
    }
    fn to(self, at: Wall, to: To) -> Self {
        self.then(at, anna(), Change::State { to })
    }
    fn read(&self, clock: Clock, now: Wall) -> Reading {
        read(clock, &self.t, &AlwaysOpen, &self.policy, now).unwrap()
    }
}

#[test]
fn first_runs_from_creation_to_a_persons_reply_and_a_bot_is_no_person_unless_the_policy_says_so() {
    let mut c = Case::opened(at(0)).replies(at(5), Actor::Bot).replies(at(20), anna());
    let r = c.read(Clock::First, at(500));
    assert_eq!((r.spent, r.due, r.phase), (mins(20), None, Phase::Stopped { at: at(20) }));
    c.policy.bot_counts = true;
    assert_eq!(c.read(Clock::First, at(500)).phase, Phase::Stopped { at: at(5) });
}

#[test]
fn a_reply_that_comes_too_late_stops_the_clock_and_the_promise_stays_broken() {
    let c = Case::opened(at(0)).replies(at(90), anna());
    let r = c.read(Clock::First, at(500));
    assert_eq!((r.spent, r.due), (mins(90), Some(at(60))));
    assert!(r.missed(at(500)) && r.missed(at(60)) && !r.missed(at(59)));
}

#[test]
fn speaking_with_the_customer_is_an_answer() {
    let id = InteractionId::new(Now { mono: Mono(0), wall: at(0) }, &mut Rng::seeded(2));
    let c = Case::opened(at(0)).asks(at(1)).then(at(3), anna(), Change::Talked { interaction: id });
    assert_eq!(c.read(Clock::First, at(9)).phase, Phase::Stopped { at: at(3) });
    assert_eq!(c.read(Clock::Next, at(9)).phase, Phase::Stopped { at: at(3) });
}

#[test]
fn next_begins_with_the_first_unanswered_word_and_every_answer_sets_it_to_nothing() {
    let c = Case::opened(at(0));
    assert_eq!(read(Clock::Next, &c.t, &AlwaysOpen, &c.policy, at(1)), None, "nothing was asked");
    let c = c.asks(at(10)).asks(at(25));
    assert_eq!(c.read(Clock::Next, at(26)).due, Some(at(40)), "asking again does not move it");
    let c = c.replies(at(30), anna()).asks(at(100));
    let r = c.read(Clock::Next, at(110));
    assert_eq!((r.spent, r.due, r.phase), (mins(10), Some(at(130)), Phase::Running));
}

#[test]
fn while_we_wait_for_the_customer_nothing_counts_but_waiting_for_ourselves_does() {
    let c = Case::opened(at(0)).to(at(10), To::PendingCustomer);
    let r = c.read(Clock::First, at(300));
    assert_eq!((r.spent, r.due, r.phase), (mins(10), None, Phase::Paused));
    let c = c.asks(at(200));
    assert_eq!(c.read(Clock::First, at(201)).due, Some(at(250)));
    let c = c.to(at(210), To::PendingInternal { until: at(400) });
    let r = c.read(Clock::First, at(240));
    assert_eq!((r.spent, r.due, r.phase), (mins(50), Some(at(250)), Phase::Running));
}

#[test]
fn a_reopened_ticket_goes_on_with_the_sum_of_its_clock() {
    let reopen_until = at(5_000);
    let c = Case::opened(at(0)).to(at(400), To::Resolved { reopen_until });
    assert_eq!(c.read(Clock::Resolve, at(900)).phase, Phase::Stopped { at: at(400) });
    let c = c.asks(at(1_000));
    let r = c.read(Clock::Resolve, at(1_100));
    assert_eq!((r.spent, r.due, r.phase), (mins(500), Some(at(1_200)), Phase::Running));
}

#[test]
fn the_owner_has_to_show_up_and_a_new_owner_starts_a_new_clock() {
    let owner = |n: &str| Change::Assigned { owner: AgentId::parse(n).ok() };
    let c = Case::opened(at(0)).then(at(5), Actor::System, owner("anna"));
    assert_eq!(c.read(Clock::OwnerAck, at(6)).due, Some(at(15)));
    let c = c.then(at(12), Actor::System, owner("ben"));
    assert_eq!(c.read(Clock::OwnerAck, at(13)).due, Some(at(22)));
    let c = c.then(at(14), anna(), Change::Viewed);
    assert_eq!(c.read(Clock::OwnerAck, at(15)).phase, Phase::Running, "somebody else looked");
    let c = c.then(at(16), Actor::Agent(AgentId::parse("ben").unwrap()), Change::Viewed);
    assert_eq!(c.read(Clock::OwnerAck, at(99)).phase, Phase::Stopped { at: at(16) });
    let c = c.then(at(20), anna(), owner("anna"));
    assert_eq!(c.read(Clock::OwnerAck, at(99)).phase, Phase::Stopped { at: at(20) }, "who takes it is there");
    let c = c.then(at(21), anna(), Change::Assigned { owner: None });
    assert_eq!(read(Clock::OwnerAck, &c.t, &AlwaysOpen, &c.policy, at(22)), None);
}

#[test]
fn a_ticket_from_five_to_five_is_due_next_morning() {
    let office = Weekly::office("Europe/Brussels", 9, 17).unwrap();
    let c = Case::opened(at(475));
    assert_eq!(due(Clock::First, c.t.log(), &office, &c.policy), Some(at(24 * 60 + 55)));
    let c = c.to(at(478), To::PendingCustomer).asks(at(24 * 60 + 10));
    assert_eq!(due(Clock::First, c.t.log(), &office, &c.policy), Some(at(24 * 60 + 10 + 57)));
}

#[test]
fn people_are_warned_at_half_at_four_fifths_and_at_the_end_and_each_time_once() {
    let mut c = Case::opened(at(0));
    c.policy = Policy { first: Some(mins(100)), ..Policy::default() };
    let left = |c: &Case| marks(&c.t, &AlwaysOpen, &c.policy).iter().map(|m| (m.percent, m.at)).collect::<Vec<_>>();
    assert_eq!(left(&c), [(50, at(50)), (80, at(80)), (100, at(100))]);
    let warned = marks(&c.t, &AlwaysOpen, &c.policy)[0].change();
    let c = c.then(at(50), Actor::System, warned);
    assert_eq!(left(&c), [(80, at(80)), (100, at(100))]);
    let c = c.to(at(60), To::PendingCustomer);
    assert_eq!(left(&c), [], "a waiting clock warns nobody");
    let c = c.asks(at(200));
    assert_eq!(left(&c), [(80, at(220)), (100, at(240))]);
    assert_eq!(left(&c.replies(at(201), anna())), []);
}
