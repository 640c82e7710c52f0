//! Customers who choose the hour they are called back at.

use crate::{
    base::{CalendarId, InteractionId, QueueId, Wall, secs},
    center::{
        command::{Command, Done, RefusalCode},
        fact::Fact,
        settings::Business,
    },
    sim::{
        World,
        business::{BROKEN, Opening, flows},
        people::Guest,
    },
};

const CUSTOMER: &str = "+3265551234";

const SHOP: &str = "zone: Asia/Shanghai\nweekly: {mon: [\"09:00-18:00\"], tue: [\"09:00-18:00\"]}\n";

/// Customers choose hours of support; it is Monday, five past noon in the shop.
fn offers(b: &mut Business, more: &str) {
    let tenant = b.tenants.values_mut().next().unwrap();
    tenant.routing.calendars.insert(CalendarId::parse("shop").unwrap(), serde_saphyr::from_str(SHOP).unwrap());
    let hours = format!("{{calendar: shop{more}}}");
    tenant.callback_hours.insert(QueueId::parse("support").unwrap(), serde_saphyr::from_str(&hours).unwrap());
}

/// Visitors do so on a page.
fn page(seed: u64, more: &str) -> World {
    World::with(seed, |b| {
        let call_me = "{queue: support, attempts: 2, gap_s: 300}";
        b.tenants.values_mut().next().unwrap().chat.call_me = Some(serde_saphyr::from_str(call_me).unwrap());
        offers(b, more);
    })
}

fn at(text: &str) -> Wall {
    Wall::parse_rfc3339(text).unwrap()
}
/// Three in the afternoon, there.
fn three() -> Wall {
    at("2026-11-23T15:00:00+08:00")
}

fn chooses(w: &mut World, g: Guest, number: &str, hour: Wall) -> InteractionId {
    match w.asks_for_a_call_at(g, number, Some(hour)) {
        Ok(Done::Interaction { interaction }) => interaction,
        other => panic!("{other:?}"),
    }
}

fn until(w: &mut World, hour: Wall) {
    let left = hour.since(w.now().wall);
    w.pass(left);
}

#[test]
fn a_visitor_is_called_at_the_hour_they_chose_before_who_came_within_the_half_hour_and_not_earlier() {
    let mut w = page(1, "");
    let (mia, anna) = (w.visitor("Mia"), w.agent("anna").ready());
    let id = chooses(&mut w, mia, CUSTOMER, three());
    assert_eq!(chooses(&mut w, mia, "065 55 12 34", three()), id, "asked twice, called once");
    let other = w.asks_for_a_call_at(mia, CUSTOMER, Some(three() + secs(1_800)));
    assert_eq!(other.unwrap_err().code, RefusalCode::Limit, "nobody is told of an hour that does not hold");
    let view = w.view().interactions[&id].clone();
    let callback = view.callback.unwrap();
    assert_eq!((view.stage.as_str(), view.queue.as_ref().map(QueueId::as_str)), ("scheduled", Some("support")));
    assert_eq!((callback.chosen_at, callback.again_at, callback.tried), (Some(three()), Some(three()), 0));
    until(&mut w, three() - secs(600));
    assert!(!w.rings(anna), "not before");
    // Somebody calls, and nobody has time for either of them until five past.
    w.takes_lunch(anna).unwrap();
    let caller = w.phone("+3265559999").dials("4001");
    until(&mut w, three() + secs(300));
    assert_eq!(w.view().interactions[&id].position, Some(1), "{}", w.report());
    w.sets_ready(anna);
    let customer = w.carrier();
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.rings(customer));
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    w.hangs_up(customer);
    w.until(|w| w.closed(id));
    w.hangs_up(caller);
    w.pass(secs(60));
    w.nothing_is_left();
}

#[test]
fn an_hour_has_room_for_so_many_is_open_to_its_end_and_is_free_again_when_somebody_changes_their_mind() {
    let mut w = page(2, ", each: 1");
    let (mia, tom) = (w.visitor("Mia"), w.visitor("Tom"));
    for (why, hour) in [
        ("too soon", "2026-11-23T12:30:00+08:00"),
        ("past", "2026-11-23T09:00:00+08:00"),
        ("between two", "2026-11-23T15:10:00+08:00"),
        ("closed", "2026-11-23T18:00:00+08:00"),
        ("closed all day", "2026-11-25T15:00:00+08:00"),
        ("too far ahead", "2026-12-07T15:00:00+08:00"),
    ] {
        assert_eq!(w.asks_for_a_call_at(mia, CUSTOMER, Some(at(hour))).unwrap_err().code, RefusalCode::WrongState, "{why}");
    }
    let hers = chooses(&mut w, mia, CUSTOMER, three());
    let number = "+3265551235";
    assert_eq!(w.asks_for_a_call_at(tom, number, Some(three())).unwrap_err().code, RefusalCode::WrongState);
    w.supervises(Command::Finish { interaction: hers }).unwrap();
    w.until(|w| w.closed(hers));
    let his = chooses(&mut w, tom, number, three());
    let next = chooses(&mut w, mia, CUSTOMER, three() + secs(1_800));
    for id in [his, next] {
        w.supervises(Command::Finish { interaction: id }).unwrap();
    }
    w.pass(secs(60));
    w.nothing_is_left();
}

#[test]
fn a_restart_keeps_the_hour_and_a_customer_who_does_not_answer_then_is_called_once_more() {
    let mut w = page(3, ", days: 2");
    let mia = w.visitor("Mia");
    let id = chooses(&mut w, mia, CUSTOMER, three());
    w.pass(secs(60));
    w.crash_and_restart();
    let (anna, customer) = (w.agent("anna").ready(), w.carrier());
    until(&mut w, three() - secs(5));
    assert!(!w.rings(anna), "not before\n{}", w.report());
    assert_eq!(w.view().interactions[&id].callback.as_ref().unwrap().chosen_at, Some(three()));
    for call in 1..=2 {
        w.until(|w| w.rings(anna));
        assert!(w.now().wall >= three());
        w.answers(anna);
        w.until(|w| w.rings(customer));
        assert!(w.declines(customer), "call {call}");
        w.pass(secs(30));
    }
    w.until(|w| w.closed(id));
    assert_eq!(w.facts_of(id).filter(|r| matches!(r.fact, Fact::CallbackTried { .. })).count(), 2);
    w.nothing_is_left();
}

#[test]
fn an_hour_of_tomorrow_is_chosen_while_nobody_calls_right_now() {
    let mut w = page(4, "");
    w.configure(|b| {
        let tenant = b.tenants.values_mut().next().unwrap();
        let never = "zone: Europe/Brussels\nweekly: {sun: [\"03:00-03:01\"]}\n";
        let office = CalendarId::parse("office").unwrap();
        tenant.routing.calendars.insert(office.clone(), serde_saphyr::from_str(never).unwrap());
        tenant.chat.call_me.as_mut().unwrap().calendar = Some(office);
    });
    let mia = w.visitor("Mia");
    assert_eq!(w.asks_for_a_call(mia, CUSTOMER).unwrap_err().code, RefusalCode::WrongState);
    let id = chooses(&mut w, mia, CUSTOMER, at("2026-11-24T09:00:00+08:00"));
    w.supervises(Command::Finish { interaction: id }).unwrap();
    w.pass(secs(60));
    w.nothing_is_left();
}

/// Waits for support; whoever presses one is asked for an hour.
const FLOW: &str = r##"
flow: main
schema: 1
channels: [voice]
languages: [en-US]
start: wait
vars:
  hour: {type: digits, default: null}
prompts:
  which: {en-US: {say: "Enter the hour."}}
  then: {en-US: {say: "We call you then."}}
  sorry: {en-US: {say: "This hour is not free."}}
nodes:
  wait:
    queue: {queue: support, exits: {"1": ask}}
    when: {answered: end, timeout: end, no_agents: end, full: end}
    on_error: end
  ask:
    gather: {prompt: [which], digits: {min: 3, max: 4, end: "#"}, save: hour, timeout: 10s, retries: 0}
    when: {any: book}
    exhausted: wait
    on_error: wait
  book:
    callback: {queue: support, at: "{hour}"}
    when: {queued: then, refused: sorry}
    on_error: sorry
  then: {say: [then], then: end}
  sorry: {say: [sorry], then: ask}
  end: {hangup: }
"##;

#[test]
fn a_caller_types_the_hour_and_is_asked_again_when_it_is_not_offered() {
    let mut w = World::of(5, Opening { flows: flows(&[("main.yaml", FLOW), ("broken.yaml", BROKEN)]), ..Opening::usual() });
    w.configure(|b| offers(b, ""));
    let caller = w.phone(CUSTOMER).dials("4000");
    w.until(|w| w.hears(caller, "♫"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "Enter the hour"));
    w.presses(caller, "2200");
    w.until(|w| w.hears(caller, "not free"));
    w.until(|w| w.hears(caller, "Enter the hour"));
    w.presses(caller, "1500");
    w.until(|w| w.hears(caller, "We call you then"));
    w.until(|w| w.is_over(caller));
    let [call, id] = w.contacts(caller)[..] else { panic!("{}", w.report()) };
    w.until(|w| w.closed(call));
    assert_eq!(w.view().interactions[&id].callback.as_ref().unwrap().chosen_at, Some(three()));
    let (anna, customer) = (w.agent("anna").ready(), w.carrier());
    until(&mut w, three() - secs(1));
    assert!(!w.rings(anna));
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.rings(customer));
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    w.hangs_up(customer);
    w.until(|w| w.closed(id));
    w.pass(secs(60));
    w.nothing_is_left();
}
