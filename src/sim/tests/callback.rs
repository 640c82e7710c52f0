//! Customers who are called back: their place, their calls, the machines that answer for them, and a server that goes down.

use media::wire::{Answerer, Event};

use crate::{
    base::{CalendarId, InteractionId, ms, secs},
    center::{
        command::{Command, Done, RefusalCode},
        fact::{Fact, Unqueued},
        ledger::Ledger,
    },
    routing::{ExitKind, MetricEvent},
    sim::{
        Manner, Who, World,
        business::{BROKEN, Opening, flows},
        tape::Taped,
    },
};

/// Waits for support; one is to be called back here, two somewhere else.
const FLOW: &str = r##"
flow: main
schema: 1
channels: [voice, webchat]
languages: [en-US]
start: wait
vars:
  other: {type: digits, default: null}
prompts:
  soon: {en-US: {say: "We call you back."}}
  sorry: {en-US: {say: "We cannot call this number."}}
  which: {en-US: {say: "Enter your number."}}
  missed: {en-US: {say: "We tried to reach you."}}
nodes:
  wait:
    queue: {queue: support, priority: 2, exits: {"1": back, "2": ask}}
    when: {answered: end, timeout: end, no_agents: end, full: end}
    on_error: end
  ask:
    gather: {prompt: [which], digits: {min: 5, max: 15, end: "#"}, save: other, timeout: 10s, retries: 0}
    when: {any: elsewhere}
    exhausted: wait
    on_error: wait
  back:
    callback: {attempts: 2, gap: 5m, message: [missed], ticket: {queue: sales, title: "Not reached"}}
    when: {queued: soon, refused: sorry}
    on_error: sorry
  elsewhere:
    callback: {number: "{other}", queue: support}
    when: {queued: soon, refused: sorry}
    on_error: sorry
  soon: {say: [soon], then: end}
  sorry: {say: [sorry], then: wait}
  end: {hangup: }
"##;

const CUSTOMER: &str = "+3265551234";

fn world(seed: u64) -> World {
    World::of(seed, Opening { flows: flows(&[("main.yaml", FLOW), ("broken.yaml", BROKEN)]), ..Opening::usual() })
}

/// Waits for twenty seconds and asks to be called back.
fn asks(w: &mut World, number: &str) -> (Who, InteractionId) {
    let caller = w.phone(number).dials("4000");
    w.until(|w| w.hears(caller, "♫"));
    w.pass(secs(20));
    w.presses(caller, "1");
    w.until(|w| w.is_over(caller));
    (caller, w.contact(caller))
}

/// The same, and Anna has taken it: the customer's telephone rings.
fn rung(seed: u64) -> (World, Who, Who, InteractionId) {
    let mut w = world(seed);
    let (_, id) = asks(&mut w, CUSTOMER);
    let (anna, customer) = (w.agent("anna").ready(), w.carrier());
    takes(&mut w, anna);
    w.until(|w| w.rings(customer));
    (w, anna, customer, id)
}

fn takes(w: &mut World, anna: Who) {
    w.until(|w| w.rings(anna));
    w.answers(anna);
}

fn says(w: &mut World, who: Who, by: Answerer) {
    let leg = w.leg_of(who).expect("there is a call");
    w.give(Taped::Media(Event::Answerer { leg, by }));
}

fn beeps(w: &mut World, who: Who) {
    let leg = w.leg_of(who).expect("there is a call");
    w.give(Taped::Media(Event::Beep { leg }));
}

fn outcomes(w: &World, id: InteractionId) -> Vec<String> {
    let tried = w.facts_of(id).filter_map(|r| match &r.fact {
        Fact::CallbackTried { attempt, outcome, again_at, .. } => {
            Some(format!("{attempt} {outcome:?}{}", if again_at.is_some() { "" } else { ", the last" }))
        }
        _ => None,
    });
    tried.collect()
}

fn exits(w: &World, kind: ExitKind) -> usize {
    let left = |f: &Fact| matches!(f, Fact::Counted { event: MetricEvent::Left { exit, .. } } if *exit == kind);
    w.store.facts().iter().filter(|r| left(&r.fact)).count()
}

#[test]
fn a_caller_presses_one_and_is_called_when_it_is_their_turn_before_who_came_later_and_stayed() {
    let mut w = world(1);
    let first = w.phone(CUSTOMER).dials("4000");
    w.until(|w| w.hears(first, "♫"));
    w.pass(secs(20));
    let second = w.phone("+3265559999").dials("4000");
    w.until(|w| w.hears(second, "♫"));
    w.presses(first, "1");
    w.until(|w| w.hears(first, "We call you back"));
    w.until(|w| w.is_over(first));
    let [call, id] = w.contacts(first)[..] else { panic!("{}", w.report()) };
    assert!(w.story_of(call).starts_with("flow main · support: waited 20 s, to be called back"), "{}", w.story_of(call));
    assert_eq!((exits(&w, ExitKind::CallbackTaken), exits(&w, ExitKind::Abandoned)), (1, 0));
    let view = w.view().interactions[&id].clone();
    assert_eq!((view.stage.as_str(), view.position), ("waiting", Some(1)));
    assert_eq!(w.ticket(call), w.ticket(id), "it is the same matter");
    w.pass(secs(120));
    let (anna, customer) = (w.agent("anna").ready(), w.carrier());
    w.until(|w| w.rings(anna));
    let rings = w.phone_of(anna).calls.values().last().unwrap().clone();
    assert!(rings.marks.iter().any(|(k, v)| k == "X-CC-Callback" && v == CUSTOMER), "{:?}", rings.marks);
    assert!(w.is_over(customer) && !w.rings(customer), "nobody is called before an agent is there");
    w.answers(anna);
    w.until(|w| w.rings(customer));
    assert!(w.hears(anna, "♪425"), "{}", w.report());
    assert_eq!(w.count(id, "connected"), 0);
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    let leg = w.leg_of(customer).unwrap();
    assert!(w.media.legs().any(|(l, m)| *l == leg && m.screened), "who has answered is listened for");
    says(&mut w, customer, Answerer::Human);
    w.pass(secs(30));
    assert!(w.hear_each_other(anna, customer));
    w.hangs_up(anna);
    w.until(|w| w.is_over(customer) && w.closed(id));
    assert_eq!(outcomes(&w, id), Vec::<String>::new());
    assert!(w.story_of(id).contains("anna talked 30 s"), "{}", w.story_of(id));
    w.hangs_up(second);
    w.nothing_is_left();
    // What reports count from the facts is what the router has counted.
    let stays = Ledger::of(w.store.facts().iter()).stays;
    let taken = stays.iter().filter(|s| s.left.is_some_and(|(exit, _)| exit == ExitKind::CallbackTaken)).count();
    assert_eq!((stays.len(), taken), (3, 1));
}

#[test]
fn who_is_not_reached_is_called_again_after_a_while_and_becomes_a_ticket_in_the_end() {
    let (mut w, anna, customer, id) = rung(2);
    w.declines(customer);
    w.until(|w| w.is_over(anna));
    w.pass(secs(15));
    assert_eq!(w.agent_state(anna), "ready");
    let view = w.view().interactions[&id].clone();
    let callback = view.callback.unwrap();
    assert_eq!((view.stage.as_str(), callback.tried, callback.attempts), ("scheduled", 1, 2));
    assert_eq!(callback.again_at.map(|at| at.since(view.stage_since)), Some(secs(300)));
    w.pass(secs(270));
    assert!(!w.rings(anna));
    takes(&mut w, anna);
    w.until(|w| w.rings(customer));
    // Nobody picks up: rung for a minute.
    w.until(|w| w.closed(id));
    let said = outcomes(&w, id);
    assert!(said[0].starts_with("1 ") && said[1] == "2 NoAnswer, the last", "{said:?}");
    let log = w.ticket_log(w.ticket(id).unwrap()).join("\n");
    assert!(log.contains("Not reached") && log.contains("2 calls to +3265551234 reached nobody"), "{log}");
    assert_eq!(w.count(id, "connected"), 0);
    w.nothing_is_left();
    // The number may ask again.
    let (_, again) = asks(&mut w, CUSTOMER);
    assert_ne!(again, id);
}

#[test]
fn a_machine_gets_a_message_after_its_beep_once_and_the_agent_is_relieved_at_once() {
    let (mut w, anna, customer, id) = rung(3);
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    w.pass(secs(2));
    says(&mut w, customer, Answerer::Machine);
    w.until(|w| w.is_over(anna));
    assert!(!w.is_over(customer) && w.hears_played(customer).is_none(), "it says its own piece first");
    w.pass(secs(6));
    beeps(&mut w, customer);
    w.until(|w| w.hears(customer, "We tried to reach you"));
    w.until(|w| w.is_over(customer));
    assert_eq!(outcomes(&w, id), ["1 Told"]);
    w.pass(secs(15));
    takes(&mut w, anna);
    w.until(|w| w.rings(customer));
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    says(&mut w, customer, Answerer::Machine);
    w.until(|w| w.is_over(customer) && w.closed(id));
    assert_eq!(outcomes(&w, id), ["1 Told", "2 Machine, the last"]);
    w.nothing_is_left();
}

#[test]
fn a_machine_that_never_beeps_is_hung_up_on() {
    let (mut w, anna, customer, id) = rung(4);
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    says(&mut w, customer, Answerer::Machine);
    w.pass(secs(55));
    assert!(!w.is_over(customer));
    w.pass(secs(10));
    assert!(w.is_over(customer));
    assert_eq!(outcomes(&w, id), ["1 Machine"]);
    // A supervisor lets it go.
    w.supervises(Command::Finish { interaction: id }).unwrap();
    w.nothing_is_left();
}

#[test]
fn an_agent_who_puts_the_receiver_down_while_it_rings_does_not_lose_the_customer() {
    let (mut w, anna, customer, id) = rung(5);
    w.hangs_up(anna);
    w.until(|w| w.is_over(customer));
    assert_eq!(outcomes(&w, id), ["1 AgentLeft"]);
    w.pass(secs(20));
    takes(&mut w, anna);
    w.until(|w| w.rings(customer));
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    w.hangs_up(customer);
    w.until(|w| w.closed(id));
    w.nothing_is_left();
}

#[test]
fn one_number_is_called_back_once_however_often_it_asks() {
    let mut w = world(6);
    let (_, id) = asks(&mut w, CUSTOMER);
    let caller = w.phone(CUSTOMER).dials("4000");
    w.until(|w| w.hears(caller, "♫"));
    w.presses(caller, "1");
    w.until(|w| w.hears(caller, "We call you back"));
    w.until(|w| w.is_over(caller));
    w.pass(secs(1));
    assert_eq!(w.view().interactions.keys().collect::<Vec<_>>(), [&id]);
    assert_eq!(w.store.facts().iter().filter(|r| r.fact.kind() == "callback_booked").count(), 1);
    w.supervises(Command::Finish { interaction: id }).unwrap();
    w.nothing_is_left();
}

#[test]
fn what_the_guard_keeps_in_is_not_called_back_and_the_caller_goes_on_waiting_as_old_as_before() {
    let mut w = world(7);
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "♫"));
    // A foreign number, a premium number, a short number, an extension.
    for number in ["0044123456789", "0900123456", "11234", "400200"] {
        w.presses(caller, "2");
        w.until(|w| w.hears(caller, "Enter your number"));
        w.presses(caller, number);
        w.presses(caller, "#");
        w.until(|w| w.hears(caller, "cannot call"));
        w.until(|w| w.hears(caller, "♫"));
    }
    let id = w.contact(caller);
    let waits = w.facts_of(id).filter_map(|r| match &r.fact {
        Fact::Queued { entry } => Some(entry.since),
        _ => None,
    });
    let since: std::collections::BTreeSet<_> = waits.collect();
    assert_eq!(since.len(), 1, "the age is kept");
    assert_eq!(w.store.facts().iter().filter(|r| r.fact.kind() == "callback_booked").count(), 0);
    w.presses(caller, "2");
    w.until(|w| w.hears(caller, "Enter your number"));
    w.presses(caller, "065551234#");
    w.until(|w| w.hears(caller, "We call you back"));
    let booked = w.view().interactions.values().find_map(|i| i.callback.as_ref().map(|c| c.number.clone()));
    assert_eq!(booked.as_deref(), Some("+3265551234"));
    let id = *w.view().interactions.iter().find(|(_, i)| i.callback.is_some()).unwrap().0;
    w.supervises(Command::Finish { interaction: id }).unwrap();
    // The guard is quiet again after an hour.
    w.pass(secs(3_700));
    w.nothing_is_left();
}

#[test]
fn no_limit_of_the_queue_and_no_empty_desk_sends_away_who_does_not_hold_the_line() {
    let mut w = world(8);
    let (caller, id) = asks(&mut w, CUSTOMER);
    w.configure(|b| {
        let queues = &mut b.tenants.values_mut().next().unwrap().routing.queues;
        let support = queues.values_mut().find(|q| q.max_wait_s == Some(300)).unwrap();
        support.max_wait_s = Some(60);
        support.leave_empty = crate::routing::plan::Staffing::SignedIn;
    });
    w.pass(secs(7_200));
    assert_eq!(w.view().interactions[&id].stage, "waiting");
    let unqueued = w.facts_of(w.contacts(caller)[0]).any(|r| matches!(r.fact, Fact::Unqueued { why: Unqueued::Callback, .. }));
    assert!(unqueued);
    // After three days nobody waits for it any more.
    w.pass(secs(3 * 86_400));
    assert!(w.closed(id));
    w.nothing_is_left();
}

#[test]
fn a_restart_forgets_nobody_who_waits_rests_or_is_being_called() {
    // While it waits.
    let mut w = world(9);
    let (_, id) = asks(&mut w, CUSTOMER);
    w.pass(secs(1));
    w.crash_and_restart();
    assert_eq!(w.view().interactions[&id].stage, "waiting");
    let (anna, customer) = (w.agent("anna").ready(), w.carrier());
    takes(&mut w, anna);
    w.until(|w| w.rings(customer));
    w.pass(secs(1));
    // While the customer's telephone rings: this call does not count.
    w.crash_and_restart();
    w.manner(customer, Manner::Decline(ms(500)));
    w.pass(secs(90));
    let now = w.now();
    w.phone_mut(anna).register(now);
    w.pass(secs(5));
    w.sets_ready(anna);
    takes(&mut w, anna);
    w.until(|w| w.view().interactions[&id].stage == "scheduled");
    assert_eq!(outcomes(&w, id).len(), 1, "{}", w.report());
    w.pass(secs(60));
    // While it rests.
    w.crash_and_restart();
    let view = w.view().interactions[&id].clone();
    assert_eq!((view.stage.as_str(), view.callback.unwrap().tried), ("scheduled", 1));
    let now = w.now();
    w.phone_mut(anna).register(now);
    w.manner(customer, Manner::Answer(secs(1)));
    w.pass(secs(5));
    w.sets_ready(anna);
    takes(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, customer));
    w.hangs_up(customer);
    w.until(|w| w.closed(id));
    w.nothing_is_left();
}

#[test]
fn what_is_said_to_a_machine_is_what_the_flow_says() {
    // A prompt that is a recording is one to a machine, too.
    let with = FLOW.replace("missed: {en-US: {say", "missed: {en-US: {file: missed.wav, say");
    let mut w = World::of(10, Opening { flows: flows(&[("main.yaml", &with), ("broken.yaml", BROKEN)]), ..Opening::usual() });
    let (_, id) = asks(&mut w, CUSTOMER);
    let booked = w.facts_of(id).find_map(|r| match &r.fact {
        Fact::CallbackBooked { plan, .. } => Some(serde_json::to_string(plan).unwrap()),
        _ => None,
    });
    let plan = booked.unwrap();
    assert!(plan.contains(r#""message":[{"file":"missed.wav"}]"#), "{plan}");
    w.supervises(Command::Finish { interaction: id }).unwrap();
    w.nothing_is_left();
}

/// Visitors may ask to be called, one call each.
fn page(seed: u64) -> World {
    World::with(seed, |b| {
        let yaml = "{queue: support, attempts: 1, message: {en: We tried to reach you., zh: 我们来过电话。}}";
        b.tenants.values_mut().next().unwrap().chat.call_me = Some(serde_saphyr::from_str(yaml).unwrap());
    })
}

#[test]
fn a_visitor_asks_to_be_called_waits_like_a_caller_and_is_known_by_the_chat_and_by_the_number() {
    let mut w = page(11);
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    let chat = w.chat(mia);
    let Ok(Done::Interaction { interaction: id }) = w.asks_for_a_call(mia, "065 55 12 34") else { panic!() };
    let again = w.asks_for_a_call(mia, "+32 65551234");
    assert_eq!(again, Ok(Done::Interaction { interaction: id }), "asked twice, called once");
    let view = w.view().interactions[&id].clone();
    assert_eq!((view.from.as_str(), view.stage.as_str(), view.customer_name.as_str()), (CUSTOMER, "waiting", "Mia"));
    assert_eq!(view.attributes.get("page").map(String::as_str), Some("https://shop.example/lamps"));
    assert_eq!(view.customer, w.view().interactions[&chat].customer, "the same person");
    let from = w.facts_of(id).find_map(|r| if let Fact::CallbackBooked { of, .. } = &r.fact { *of } else { None });
    assert_eq!(from, Some(chat));
    let (anna, customer) = (w.agent("anna").ready(), w.carrier());
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.rings(customer));
    w.answers(customer);
    w.until(|w| w.hear_each_other(anna, customer));
    w.hangs_up(customer);
    w.until(|w| w.closed(id));
    w.leaves(mia).unwrap();
    w.nothing_is_left();
}

#[test]
fn nobody_is_called_where_it_is_not_offered_outside_the_hours_or_at_a_number_that_is_closed() {
    let mut w = World::new(12);
    let mia = w.visitor("Mia");
    assert_eq!(w.asks_for_a_call(mia, CUSTOMER).unwrap_err().code, RefusalCode::NotFound);
    let mut w = page(13);
    let mia = w.visitor("Mia");
    for (number, code) in [
        ("", RefusalCode::Invalid),
        ("my number", RefusalCode::Invalid),
        ("4000", RefusalCode::Invalid),
        ("112", RefusalCode::Invalid),
        ("0900 123 456", RefusalCode::NotAllowed),
        ("+44 1234 567890", RefusalCode::NotAllowed),
    ] {
        assert_eq!(w.asks_for_a_call(mia, number).unwrap_err().code, code, "{number}");
    }
    let nobody = w.store.facts().iter().any(|r| r.fact.kind() == "customer");
    assert!(!nobody, "nothing is kept of them");
    w.configure(|b| {
        let tenant = b.tenants.values_mut().next().unwrap();
        let hours = CalendarId::parse("office").unwrap();
        let never = "zone: Europe/Brussels\nweekly: {sun: [\"03:00-03:01\"]}\n";
        tenant.routing.calendars.insert(hours.clone(), serde_saphyr::from_str(never).unwrap());
        tenant.chat.call_me.as_mut().unwrap().calendar = Some(hours);
    });
    assert_eq!(w.asks_for_a_call(mia, CUSTOMER).unwrap_err().code, RefusalCode::WrongState);
    w.pass(secs(3_700));
    w.nothing_is_left();
}
