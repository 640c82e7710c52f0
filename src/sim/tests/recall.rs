//! What is finished is in the store, and comes back when somebody calls again.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    base::{AgentId, CustomerId, TicketId, ms, secs},
    center::{
        command::{Actor, Command, Role},
        fact::Fact,
    },
    customer::{self, Identity, Trust},
    sim::{Manner, Who, World, business::Opening},
    ticket,
};

/// A world that keeps so many, with an agent who answers.
fn desk(seed: u64, kept: usize) -> (World, Who, Who) {
    let mut w = World::of(seed, Opening { kept, ..Opening::usual() });
    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(ms(300)));
    let caller = w.phone("+3265000000").there();
    (w, anna, caller)
}

/// One phone after another with a number of its own calls, is answered, and hangs up.
fn calls(w: &mut World, caller: Who, numbers: Range<u32>) {
    for n in numbers {
        w.phones[caller.0].user = format!("+3265{n:06}");
        w.dials(caller, "4001");
        w.pass(secs(4));
        assert!(w.hangs_up(caller), "{n}: {}", w.report());
        w.pass(secs(12));
    }
}

/// Contacts by the caller's number: customer and ticket.
fn contacts(w: &World) -> BTreeMap<String, Vec<(CustomerId, Option<TicketId>)>> {
    let mut by_number: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for r in w.store.facts() {
        if let Fact::InteractionOpened { from, customer, ticket, .. } = &r.fact {
            by_number.entry(from.clone()).or_default().push((*customer, *ticket));
        }
    }
    by_number
}

fn held(w: &World) -> BTreeMap<&'static str, usize> {
    w.center.as_ref().expect("it runs").held()
}

#[test]
fn however_many_call_memory_holds_no_more_than_its_bound_and_all_are_known_when_they_call_again() {
    const KEPT: usize = 40;
    // Ten thousand and more take a while.
    let callers = if std::env::var_os("RINGDESK_SIM_SEEDS").is_some() { 10_000 } else { 600 };
    let (mut w, _, caller) = desk(81, KEPT);
    w.audit = false;
    calls(&mut w, caller, 0..100);
    w.pass(secs(120));
    let early = held(&w);
    calls(&mut w, caller, 100..callers);
    w.pass(secs(120));
    let late = held(&w);
    for (what, n) in &late {
        assert!(*what == "prints" || *n <= early[what] + 2, "{what}: {} after 100 calls, {n} after {callers}", early[what]);
    }
    assert!(late["customers"] <= KEPT + KEPT / 32 + 1 && late["tickets"] <= KEPT + KEPT / 32 + 1, "{late:?}");

    // One who was let go, one who was let go before a restart, and one who is still there.
    let again = |w: &mut World, n: u32| {
        calls(w, caller, n..n + 1);
        let of = &contacts(w)[&format!("+3265{n:06}")];
        assert_eq!(of.len(), 2, "{of:?}");
        assert_eq!(of[0], of[1], "the same person in the same matter");
    };
    again(&mut w, 7);
    again(&mut w, callers - 1);
    w.crash_and_restart();
    w.pass(secs(5));
    assert!(held(&w)["customers"] <= KEPT + KEPT / 32 + 1, "{:?}", held(&w));
    again(&mut w, 8);
    assert_eq!(contacts(&w).len(), callers as usize);
    w.nothing_is_left();
}

#[test]
fn a_caller_who_hangs_up_before_the_store_has_answered_was_never_there() {
    let (mut w, _, caller) = desk(82, 0);
    calls(&mut w, caller, 1..2);
    let before = w.store.facts().len();
    w.store.delay = secs(3);
    w.dials(caller, "4001");
    w.pass(secs(1));
    assert_eq!(held(&w)["waiting for the store"], 1);
    w.hangs_up(caller);
    w.pass(secs(10));
    assert_eq!(w.store.facts().len(), before, "nothing happened");
    w.nothing_is_left();
}

#[test]
fn a_command_about_what_is_in_the_store_only_is_carried_out_when_it_is_back() {
    let (mut w, _, caller) = desk(83, 0);
    calls(&mut w, caller, 1..3);
    assert_eq!((held(&w)["customers"], held(&w)["tickets"]), (0, 0));
    let of = contacts(&w);
    let [one, two] = ["+3265000001", "+3265000002"].map(|n| of[n][0]);
    let sue = Actor::User { user: AgentId::parse("sue").expect("a plain word"), role: Role::Supervisor };
    let noted = ticket::Change::Noted { text: "called back".into() };
    w.command(sue.clone(), Command::Ticket { ticket: one.1.unwrap(), change: noted }).unwrap();
    let named = customer::Change::Named { name: "Alice".into() };
    w.command(sue.clone(), Command::Customer { customer: one.0, change: named }).unwrap();
    // The two are one: both tickets belong to one person now, whichever number calls.
    let absorbed = customer::Change::Absorbed { from: two.0 };
    w.command(sue.clone(), Command::Customer { customer: one.0, change: absorbed }).unwrap();
    w.pass(secs(5));
    assert_eq!(held(&w)["customers"], 0);
    calls(&mut w, caller, 2..3);
    assert_eq!(contacts(&w)["+3265000002"][1].0, one.0);
    // A number that is somebody's who is not here is still theirs.
    calls(&mut w, caller, 3..4);
    w.pass(secs(5));
    let taken = Identity::number("+3265000002").unwrap();
    let linked = customer::Change::Linked { identity: taken, trust: Trust::Verified };
    let three = contacts(&w)["+3265000003"][0].0;
    w.command(sue, Command::Customer { customer: three, change: linked }).unwrap_err();
    w.nothing_is_left();
}

#[test]
fn the_clock_of_a_ticket_that_is_in_the_store_only_rings_all_the_same() {
    let (mut w, _, caller) = desk(84, 0);
    calls(&mut w, caller, 1..2);
    let ticket = contacts(&w)["+3265000001"][0].1.unwrap();
    let sue = Actor::User { user: AgentId::parse("sue").expect("a plain word"), role: Role::Supervisor };
    let until = w.now().wall + secs(60);
    let change = ticket::Change::State { to: ticket::To::PendingInternal { until } };
    w.command(sue, Command::Ticket { ticket, change }).unwrap();
    w.pass(secs(20));
    assert_eq!(held(&w)["tickets"], 0);
    w.pass(secs(60));
    assert_eq!(w.ticket_log(ticket).last().map(String::as_str), Some("Woke"));
    w.nothing_is_left();
}

#[test]
fn nobody_is_erased_in_the_middle_of_a_call_and_afterwards_who_rings_is_somebody_new() {
    let (mut w, _, caller) = desk(82, 40);
    w.phones[caller.0].user = "+3265000001".into();
    w.dials(caller, "4001");
    w.pass(secs(4));
    let whose = |w: &World| contacts(w)["+3265000001"].clone();
    let (first, ticket) = *whose(&w).last().expect("a contact");
    let erase = || Command::Customer { customer: first, change: customer::Change::Erased };
    let early = w.command(Actor::System, erase()).expect_err("they are talking");
    assert!(early.message.contains("goes on"), "{early:?}");
    assert!(w.hangs_up(caller), "{}", w.report());
    w.pass(secs(60));
    let admin = Actor::User { user: AgentId::parse("admin").unwrap(), role: Role::Admin };
    w.command(admin, erase()).expect_err("not by the way of other changes");
    w.command(Actor::System, erase()).expect("the call is over");
    let ticket = ticket.expect("every call has a matter");
    w.command(Actor::System, Command::Ticket { ticket, change: ticket::Change::Redacted }).expect("and its words go");
    // What is not stored yet would be lost, and nobody was told that it was done.
    w.pass(secs(1));
    w.crash_and_restart();

    w.dials(caller, "4001");
    w.pass(secs(4));
    let (second, _) = *whose(&w).last().expect("another contact");
    assert_ne!(second, first);
    assert!(w.hangs_up(caller), "{}", w.report());
}
