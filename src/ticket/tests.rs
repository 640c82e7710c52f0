//! Stories of tickets.

use proptest::prelude::*;

use super::*;
use crate::{
    base::{Mono, Now, Rng, mins},
    ticket::{AlwaysOpen, Clock, Desk, Filter, Group, Policy, clock},
};

fn at(minutes: u64) -> Wall {
    Wall::from_unix_s(1_795_406_400) + mins(minutes)
}

fn anna() -> Actor {
    Actor::Agent(AgentId::parse("anna").unwrap())
}

fn rng_ids(seed: u64) -> (TicketId, CustomerId, InteractionId) {
    let (now, mut rng) = (Now { mono: Mono(0), wall: at(seed) }, Rng::seeded(seed));
    (TicketId::new(now, &mut rng), CustomerId::new(now, &mut rng), InteractionId::new(now, &mut rng))
}

fn opening(seed: u64) -> Opening {
    let (id, customer, interaction) = rng_ids(seed);
    Opening {
        id,
        number: 1,
        title: "The parcel is late".into(),
        customer: Some(customer),
        interaction: Some(interaction),
        channel: Some(Channel::Voice),
        queue: QueueId::parse("sales").ok(),
        priority: Priority::Normal,
        sla: None,
    }
}

fn ticket() -> Ticket {
    Ticket::open(at(0), Actor::System, opening(1)).unwrap().0
}

fn wrote(text: &str) -> Change {
    Change::CustomerWrote { text: text.into(), message: None }
}

fn replied(text: &str) -> Change {
    Change::Replied { text: text.into(), message: None }
}

fn resolve(minutes: u64) -> Change {
    Change::State { to: To::Resolved { reopen_until: at(minutes) } }
}

#[test]
fn a_matter_from_first_word_to_closed_drawer() {
    let mut t = ticket();
    let state = |t: &Ticket| t.head().state;
    assert_eq!(state(&t), State::New);
    t.apply(at(1), Actor::System, Change::Assigned { owner: AgentId::parse("anna").ok() }).unwrap();
    assert_eq!(state(&t), State::Open, "assigned is touched");
    t.apply(at(2), anna(), replied("which parcel?")).unwrap();
    t.apply(at(2), anna(), Change::State { to: To::PendingCustomer }).unwrap();
    t.apply(at(9), Actor::Customer, wrote("the red one")).unwrap();
    assert_eq!(state(&t), State::Open, "the customer's word brings it back");
    t.apply(at(10), anna(), Change::State { to: To::PendingInternal { until: at(30) } }).unwrap();
    assert_eq!(t.wakes(), Some((at(30), Change::Woke)));
    t.apply(at(30), Actor::System, Change::Woke).unwrap();
    t.apply(at(31), anna(), resolve(100)).unwrap();
    t.apply(at(50), Actor::Customer, wrote("still not here")).unwrap();
    assert_eq!(state(&t), State::Open, "in the window it opens again");
    t.apply(at(60), anna(), replied("now it is")).unwrap();
    t.apply(at(60), anna(), resolve(120)).unwrap();
    let (when, change) = t.wakes().unwrap();
    t.apply(when, Actor::System, change).unwrap();
    assert_eq!(state(&t), State::Closed);
    assert_eq!(
        t.apply(at(130), Actor::Customer, wrote("hello?")).unwrap_err().to_string(),
        "ticket 1 is closed: open a new one"
    );
    t.apply(at(131), anna(), Change::Noted { text: "called back by mistake".into() }).unwrap();
}

#[test]
fn arrows_that_are_not_drawn_are_refused_and_leave_the_ticket_as_it_was() {
    let mut t = ticket();
    t.apply(at(1), anna(), replied("hello")).unwrap();
    let before = t.clone();
    let refused = |t: &mut Ticket, change| t.apply(at(5), anna(), change).unwrap_err();
    assert!(matches!(refused(&mut t, Change::State { to: To::Open }), TicketError::NoArrow { .. }));
    assert!(matches!(refused(&mut t, Change::Woke), TicketError::NoArrow { .. }));
    assert!(matches!(refused(&mut t, Change::WindowOver), TicketError::NoArrow { .. }));
    let past = Change::State { to: To::PendingInternal { until: at(5) } };
    assert_eq!(refused(&mut t, past), TicketError::NotInTheFuture { number: 1, at: at(5) });
    let itself = Change::MergedInto { into: t.head().id };
    assert_eq!(refused(&mut t, itself), TicketError::IntoItself { number: 1 });
    assert_eq!(refused(&mut t, Change::Titled { title: "two\nlines".into() }), TicketError::BadTitle);
    assert_eq!(refused(&mut t, Change::Tagged { tag: " ".into() }), TicketError::BadTag);
    assert_eq!(refused(&mut t, Change::Noted { text: "x".repeat(limits::MESSAGE_MAX + 1) }), TicketError::BadText);
    assert_eq!(refused(&mut t, Change::Opened(opening(1))), TicketError::AlreadyOpened { number: 1 });
    assert_eq!(t, before);
}

#[test]
fn a_clock_set_back_does_not_make_the_log_run_backwards() {
    let mut t = ticket();
    t.apply(at(60), anna(), replied("hello")).unwrap();
    assert_eq!(t.apply(at(5), Actor::Customer, wrote("hi")).unwrap().at, at(60));
}

#[test]
fn a_log_with_a_hole_or_without_a_beginning_is_not_believed() {
    let mut t = ticket();
    t.apply(at(1), anna(), replied("a")).unwrap();
    t.apply(at(2), anna(), replied("b")).unwrap();
    let log = t.log().to_vec();
    assert_eq!(Ticket::fold(log.clone()).unwrap(), t);
    assert_eq!(Ticket::fold([log[0].clone(), log[2].clone()]), Err(TicketError::BadLog { n: 3 }));
    assert_eq!(Ticket::fold(log[1..].to_vec()), Err(TicketError::BadLog { n: 2 }));
    assert_eq!(Ticket::fold([]), Err(TicketError::BadLog { n: 0 }));
    assert_eq!(Ticket::fold([log[0].clone(), log[0].clone()]), Err(TicketError::BadLog { n: 1 }));
}

#[test]
fn two_tickets_about_one_parcel_become_one_that_waits_since_the_earlier_call() {
    let mut desk = Desk::default();
    let (early, late) = (opening(1).id, opening(2).id);
    desk.open(at(0), Actor::Customer, opening(1)).unwrap();
    desk.open(at(40), Actor::Customer, opening(2)).unwrap();
    assert_eq!(desk.get(late).unwrap().head().number, 2);
    desk.apply(early, at(5), Actor::Customer, wrote("where is it?")).unwrap();
    desk.apply(early, at(6), anna(), Change::Tagged { tag: "parcel".into() }).unwrap();
    desk.apply(late, at(45), anna(), Change::State { to: To::PendingCustomer }).unwrap();

    let [(first, _), (second, _)] = desk.merge(at(50), &anna(), early, late).unwrap();
    assert_eq!((first, second), (late, early));
    let head = desk.get(late).unwrap().head();
    assert_eq!((head.created, head.unanswered, head.state), (at(0), Some(at(5)), State::Open));
    assert_eq!((head.interactions.len(), head.tags.len()), (2, 1));
    assert_eq!(desk.get(early).unwrap().head().state, State::Merged { into: late });
    let policy = Policy { first: Some(mins(60)), next: Some(mins(30)), ..Policy::default() };
    let due = |c| clock::due(c, desk.get(late).unwrap().log(), &AlwaysOpen, &policy);
    // First: 0 to 45, waits for the customer 45 to 50, then on.
    assert_eq!((due(Clock::First), due(Clock::Next)), (Some(at(65)), Some(at(35))));

    let before = desk.get(late).unwrap().clone();
    assert!(matches!(desk.merge(at(51), &anna(), early, late), Err(TicketError::Final { number: 1, .. })));
    assert_eq!(desk.get(late), Some(&before), "half a merge is none");
}

#[test]
fn the_desk_finds_a_customers_open_tickets_and_lists_the_urgent_first() {
    let mut desk = Desk::default();
    for seed in 1..=4 {
        desk.open(at(seed), Actor::Customer, opening(seed)).unwrap();
    }
    let (id, customer) = (|n| opening(n).id, |n| opening(n).customer.unwrap());
    desk.apply(id(4), at(9), anna(), Change::Prioritised { priority: Priority::Urgent }).unwrap();
    desk.apply(id(3), at(9), anna(), Change::CustomerKnown { customer: customer(1) }).unwrap();
    desk.apply(id(1), at(9), anna(), Change::State { to: To::Closed }).unwrap();
    let numbers = |f: &Filter| desk.list(f, 10).iter().map(|t| t.head().number).collect::<Vec<_>>();
    assert_eq!(numbers(&Filter { live: true, ..Filter::default() }), [4, 2, 3]);
    assert_eq!(numbers(&Filter { customer: Some(customer(1)), ..Filter::default() }), [1, 3]);
    assert_eq!(desk.open_of(customer(1)).map(|t| t.head().number).collect::<Vec<_>>(), [3]);
    assert_eq!(desk.open_of(customer(3)).count(), 0);
    assert_eq!(desk.counts()[&Group::Closed], 1);
    desk.drop_from_memory(id(4));
    assert_eq!((desk.by_number(4), desk.next_number()), (None, 5));
}

fn change(what: u8, n: u64) -> (Actor, Change) {
    let actor = match n % 4 {
        0 => Actor::Customer,
        1 => anna(),
        2 => Actor::Bot,
        _ => Actor::System,
    };
    let (other, customer, interaction) = rng_ids(n + 100);
    let change = match what {
        0 => Change::State { to: To::Open },
        1 => Change::State { to: To::PendingCustomer },
        2 => Change::State { to: To::PendingInternal { until: at(n * 50) } },
        3 => Change::State { to: To::Resolved { reopen_until: at(n * 60) } },
        4 => Change::State { to: To::Closed },
        5 => Change::Woke,
        6 => Change::WindowOver,
        7 => {
            Change::Assigned { owner: (!n.is_multiple_of(3)).then(|| AgentId::parse(["anna", "ben"][n as usize % 2]).unwrap()) }
        }
        8 => Change::Viewed,
        9 => wrote("hello"),
        10 => replied("hello"),
        11 => Change::Talked { interaction },
        12 => Change::Tagged { tag: format!("t{}", n % 3) },
        13 => Change::Untagged { tag: format!("t{}", n % 3) },
        14 => Change::CustomerKnown { customer },
        15 => {
            let mut opening = opening(n + 100);
            opening.id = other;
            let mut second = Ticket::open(at(n), Actor::Customer, opening).unwrap().0;
            second.apply(at(n + 1), Actor::Customer, wrote("me too")).unwrap();
            Change::Absorbed(second.for_merge())
        }
        16 if n == 0 => Change::MergedInto { into: other },
        17 => Change::Warned { clock: Clock::First, percent: 50, reached: at(n) },
        _ => Change::Noted { text: "n".into() },
    };
    (actor, change)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_alone_gives_the_same_ticket_and_the_same_clocks(steps in prop::collection::vec((0u8..20, 0u64..20), 0..60)) {
        let mut t = ticket();
        let mut kept = t.log().to_vec();
        let mut minute = 0;
        for (what, n) in steps {
            minute += n;
            let (by, change) = change(what, n);
            if let Ok(entry) = t.apply(at(minute), by, change) {
                let written = serde_json::to_string(&entry).unwrap();
                kept.push(serde_json::from_str(&written).unwrap());
            }
        }
        let back = Ticket::fold(kept).unwrap();
        prop_assert_eq!(&back, &t);

        let policy = Policy { first: Some(mins(30)), next: Some(mins(20)), resolve: Some(mins(90)), owner_ack: Some(mins(5)), ..Policy::default() };
        let later = at(minute + 10_000);
        for c in Clock::ALL {
            prop_assert_eq!(clock::due(c, back.log(), &AlwaysOpen, &policy), clock::due(c, t.log(), &AlwaysOpen, &policy));
        }
        for r in clock::readings(&t, &AlwaysOpen, &policy, later) {
            // A promise is broken exactly when more time was spent than promised.
            prop_assert_eq!(r.missed(later), r.spent >= r.limit, "{:?}", r);
        }
    }
}

#[test]
fn a_merge_is_undone_as_if_it_had_never_been_until_somebody_goes_on_in_the_other() {
    let mut desk = Desk::default();
    let (early, late, third) = (opening(1).id, opening(2).id, opening(3).id);
    for seed in 1..=3 {
        desk.open(at(seed), Actor::Customer, opening(seed)).unwrap();
    }
    desk.apply(early, at(5), Actor::Customer, wrote("where is it?")).unwrap();
    desk.apply(early, at(6), anna(), Change::Tagged { tag: "parcel".into() }).unwrap();
    desk.apply(late, at(45), anna(), Change::State { to: To::PendingCustomer }).unwrap();
    let before = [early, late].map(|id| desk.get(id).unwrap().head().clone());
    let policy = Policy { first: Some(mins(60)), next: Some(mins(30)), ..Policy::default() };
    let due = |desk: &Desk, id, c| clock::due(c, desk.get(id).unwrap().log(), &AlwaysOpen, &policy);
    let promised = [early, late].map(|id| [Clock::First, Clock::Next].map(|c| due(&desk, id, c)));

    desk.merge(at(50), &anna(), early, late).unwrap();
    desk.apply(late, at(51), anna(), Change::Viewed).unwrap();
    // Another merge on top has to be undone first.
    desk.merge(at(52), &anna(), third, late).unwrap();
    assert_eq!(desk.unmerge(at(53), &anna(), early, late), Err(TicketError::GoneOn { number: 2 }));
    desk.unmerge(at(54), &anna(), third, late).unwrap();
    assert!(desk.get(late).unwrap().may_release(early));
    let [(first, _), (second, _)] = desk.unmerge(at(55), &anna(), early, late).unwrap();
    assert_eq!((first, second), (late, early));
    for (id, was) in [early, late].into_iter().zip(before) {
        let now = desk.get(id).unwrap();
        assert_eq!(*now.head(), Head { updated: at(55), ..was });
        assert_eq!(Ticket::fold(now.log().to_vec()).as_ref(), Ok(now), "read back it is the same");
    }
    assert_eq!([early, late].map(|id| [Clock::First, Clock::Next].map(|c| due(&desk, id, c))), promised);
    assert_eq!(desk.unmerge(at(56), &anna(), early, late), Err(TicketError::NotMerged { number: 1 }));

    // It can be merged again; once somebody has gone on, it stays.
    desk.merge(at(60), &anna(), early, late).unwrap();
    desk.apply(late, at(61), anna(), replied("It left on Monday.")).unwrap();
    let whole = desk.clone().get(late).cloned();
    assert_eq!(desk.unmerge(at(62), &anna(), early, late), Err(TicketError::GoneOn { number: 2 }));
    assert_eq!(desk.get(late).cloned(), whole);
}

#[test]
fn a_ticket_without_its_words_is_the_same_ticket_in_whatever_state_it_is() {
    let mut t = ticket();
    for (n, change) in [
        Change::Titled { title: "The parcel of Archer".into() },
        wrote("it is late"),
        Change::Tagged { tag: "archer".into() },
        Change::Tagged { tag: "late".into() },
        Change::Untagged { tag: "late".into() },
        replied("we look"),
        Change::Noted { text: "rings often".into() },
        Change::State { to: To::Closed },
        Change::Redacted,
        Change::Tagged { tag: "filed".into() },
    ]
    .into_iter()
    .enumerate()
    {
        t.apply(at(n as u64 + 1), anna(), change).unwrap();
    }
    assert_eq!((t.head().title.as_str(), t.head().tags.len(), t.head().state), ("", 1, State::Closed));
    // What comes after the words are gone is not taken out: it knows nobody any more.
    let gone = t.log().iter().position(|e| e.change == Change::Redacted).unwrap();
    let (old, new) = t.log().split_at(gone);
    let strip = |e: &LogEntry| LogEntry { change: e.change.clone().without_words(), ..e.clone() };
    let folded = Ticket::fold(old.iter().map(strip).chain(new.iter().cloned())).unwrap();
    assert_eq!(folded.head(), t.head());
    assert!(!format!("{folded:?}").to_lowercase().contains("archer"));
}
