//! An agent's page is reloaded, or dies, in the middle of a talk.

use crate::{
    base::{InteractionId, limits::AGENT_LOST_GRACE, ms, secs},
    center::{
        command::{Command, TransferTo},
        fact::{Fact, LegTrouble},
    },
    sim::{Stage, Who, World},
};

/// Anna at a browser talks with a caller of the queue.
fn talking(seed: u64) -> (World, Who, Who, InteractionId) {
    let mut w = World::new(seed);
    let anna = w.browser("anna").ready();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.pass(secs(10));
    let id = w.contact(caller);
    (w, anna, caller, id)
}

/// The page is there again and its phone rings; whether the call said that it comes back.
fn comes_back(w: &mut World, anna: Who) -> bool {
    w.opens_page(anna);
    w.until(|w| w.rings(anna));
    let (_, call) = w.phone_of(anna).call().expect("it rings");
    call.marks.iter().any(|(name, _)| name.eq_ignore_ascii_case("X-CC-Reattach"))
}

#[test]
fn a_page_reloaded_in_a_call_has_it_again_and_the_caller_heard_music_meanwhile() {
    let (mut w, anna, caller, id) = talking(91);
    w.closes_page(anna);
    w.pass(ms(400));
    assert!(w.hears(caller, "♫"));
    assert_eq!(w.agent_view(anna).work[0].work, "talking", "the talk goes on");
    assert!(comes_back(&mut w, anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    assert!(!w.hears(caller, "♫"));
    w.pass(secs(5));
    w.hangs_up(caller);
    w.until(|w| w.closed(id));
    let lost: Vec<bool> = w
        .facts_of(id)
        .filter_map(|r| match r.fact {
            Fact::LegTrouble { trouble: LegTrouble::Lost, on, .. } => Some(on),
            _ => None,
        })
        .collect();
    assert_eq!(lost, [true, false]);
    assert_eq!((w.count(id, "connected"), w.count(id, "recording_started")), (1, 1), "one talk, one recording");
    w.nothing_is_left();
}

#[test]
fn a_page_that_does_not_come_back_gives_its_caller_to_a_colleague_at_the_same_age() {
    let (mut w, anna, caller, id) = talking(92);
    let ben = w.agent("ben").ready();
    w.closes_page(anna);
    w.pass(AGENT_LOST_GRACE - secs(1));
    assert!(w.hears(caller, "♫") && !w.rings(ben));
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    let since: Vec<_> = w
        .facts_of(id)
        .filter_map(|r| match &r.fact {
            Fact::Queued { entry } => Some(entry.since),
            _ => None,
        })
        .collect();
    assert_eq!((since.len(), since[0]), (2, since[1]));
    // Whoever comes back too late is rung for nothing.
    w.opens_page(anna);
    w.pass(secs(5));
    assert!(!w.rings(anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_caller_who_hangs_up_while_the_page_is_away_ends_the_talk_and_nobody_is_rung() {
    let (mut w, anna, caller, id) = talking(93);
    w.closes_page(anna);
    w.pass(secs(1));
    w.hangs_up(caller);
    w.until(|w| w.closed(id));
    w.opens_page(anna);
    w.pass(secs(5));
    assert!(!w.rings(anna));
    w.nothing_is_left();
}

#[test]
fn a_page_reloaded_twice_before_it_answers_is_rung_again_each_time() {
    let (mut w, anna, caller, _) = talking(94);
    w.closes_page(anna);
    for _ in 0..2 {
        assert!(comes_back(&mut w, anna));
        w.closes_page(anna);
        w.pass(ms(300));
        assert!(w.hears(caller, "♫"));
    }
    assert!(comes_back(&mut w, anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(anna);
    w.nothing_is_left();
}

#[test]
fn a_caller_on_hold_stays_on_hold_while_the_page_is_reloaded() {
    let (mut w, anna, caller, interaction) = talking(95);
    w.asks(anna, |_| Command::Hold { interaction, on: true }).unwrap();
    w.pass(secs(3));
    w.closes_page(anna);
    w.pass(secs(1));
    assert!(comes_back(&mut w, anna));
    w.answers(anna);
    w.pass(secs(2));
    assert!(w.hears(caller, "♫") && !w.hear_each_other(caller, anna));
    w.asks(anna, |_| Command::Hold { interaction, on: false }).unwrap();
    w.until(|w| w.hear_each_other(caller, anna));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_caller_can_be_handed_on_while_the_page_with_the_phone_is_away() {
    let (mut w, anna, caller, interaction) = talking(96);
    let ben = w.agent("ben").ready();
    w.closes_page(anna);
    w.pass(secs(1));
    let to = TransferTo::Queue { queue: crate::base::QueueId::parse("support").unwrap() };
    w.asks(anna, |_| Command::Transfer { interaction, to }).unwrap();
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn an_agent_who_hangs_up_is_not_waited_for() {
    let (mut w, anna, caller, _) = talking(97);
    w.hangs_up(anna);
    w.until(|w| w.is_over(caller));
    assert_eq!(w.phone_of(caller).stage(), Some(Stage::Over(0)));
    w.nothing_is_left();
}
