//! Agents whose calls ring at a number outside: a mobile, a telephone at home.

use crate::{
    base::{limits::CONFIRM_WITHIN, ms, secs},
    call::trunk::Options,
    center::{
        command::{Command, ConsultStep, RefusalCode, SuperviseMode},
        settings::Business,
    },
    sim::{Manner, Who, World},
};

const MOBILE: &str = "0470 00 00 09";

fn rings_at(w: &mut World, who: Who, number: Option<&str>) -> Result<(), RefusalCode> {
    let number = number.map(str::to_owned);
    w.asks(who, |agent| Command::Endpoint { agent, number }).map(|_| ()).map_err(|e| e.code)
}

/// Anna's calls ring at her mobile, which the carrier reaches.
fn outside(seed: u64, change: impl FnOnce(&mut Business)) -> (World, Who, Who) {
    let mut w = World::with(seed, change);
    let anna = w.agent("anna").ready();
    rings_at(&mut w, anna, Some(MOBILE)).unwrap();
    let mobile = w.carrier();
    (w, anna, mobile)
}

/// A caller of the queue, and Anna who took the call at her mobile.
fn talking(seed: u64) -> (World, Who, Who, Who) {
    let (mut w, anna, mobile) = outside(seed, |_| {});
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(mobile));
    w.answers(mobile);
    w.until(|w| w.hears(mobile, "press 1"));
    w.presses(mobile, "1");
    w.until(|w| w.hear_each_other(caller, mobile));
    (w, anna, mobile, caller)
}

#[test]
fn a_mobile_gets_the_customer_when_somebody_has_pressed_one_and_not_before() {
    let (mut w, anna, mobile) = outside(1, |_| {});
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(mobile));
    assert!(!w.rings(anna), "her desk phone is left alone");
    w.answers(mobile);
    w.until(|w| w.hears(mobile, "press 1"));
    w.presses(mobile, "5");
    assert!(!w.hear_each_other(caller, mobile) && w.hears(caller, "♫"), "{}", w.report());
    assert_eq!(w.agent_state(anna), "ready alerting");
    w.presses(mobile, "1");
    w.until(|w| w.hear_each_other(caller, mobile));
    assert!(!w.hears(mobile, "press 1"));
    assert_eq!(w.agent_state(anna), "ready talking");
    w.hangs_up(caller);
    w.until(|w| w.is_over(mobile));
    w.nothing_is_left();
}

#[test]
fn a_mailbox_never_gets_the_customer_and_a_colleague_does() {
    let (mut w, anna, mailbox) = outside(2, |_| {});
    w.manner(mailbox, Manner::Answer(secs(2)));
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.hears(mailbox, "press 1"));
    let ben = w.agent("ben").ready();
    w.until(|w| w.rings(ben));
    assert!(w.is_over(mailbox) && w.hears(caller, "♫"));
    assert!(w.agent_state(anna).starts_with("not_ready"), "she is not there: {}", w.agent_state(anna));
    w.answers(ben);
    w.until(|w| w.hear_each_other(caller, ben));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn the_console_holds_and_hangs_up_what_the_mobile_talks_in_and_the_agent_wraps_up() {
    let (mut w, anna, mobile, caller) = talking(3);
    let id = w.contact(caller);
    w.asks(anna, |_| Command::Hold { interaction: id, on: true }).unwrap();
    assert!(w.hears(caller, "♫calm"));
    w.asks(anna, |_| Command::Hold { interaction: id, on: false }).unwrap();
    w.until(|w| w.hear_each_other(caller, mobile));
    w.asks(anna, |_| Command::Mute { interaction: id, on: true }).unwrap();
    assert!(!w.hears_person(caller, mobile) && w.hears_person(mobile, caller));
    w.asks(anna, |_| Command::Finish { interaction: id }).unwrap();
    w.until(|w| w.is_over(mobile) && w.is_over(caller));
    assert_eq!(w.agent_state(anna), "ready wrap_up");
    w.disposes(anna, id, "solved").unwrap();
    w.asks(anna, |agent| Command::WrapUpDone { interaction: id, agent }).unwrap();
    assert_eq!(w.agent_state(anna), "ready");
    assert_eq!(w.count(id, "recording_started"), 1);
    w.nothing_is_left();
}

#[test]
fn an_agent_at_a_mobile_asks_hands_over_and_is_listened_to() {
    let (mut w, anna, mobile, caller) = talking(4);
    let (ben, carl) = (w.agent("ben").ready(), w.agent("carl").ready());
    let id = w.contact(caller);
    let by = crate::center::command::Actor::User {
        user: crate::base::AgentId::parse("carl").unwrap(),
        role: crate::center::command::Role::Supervisor,
    };
    let supervisor = crate::base::AgentId::parse("carl").unwrap();
    let listen = Command::Supervise { interaction: id, supervisor, mode: SuperviseMode::Listen };
    w.command(by, listen).unwrap();
    w.until(|w| w.rings(carl));
    w.answers(carl);
    w.until(|w| w.hears_person(carl, mobile) && w.hears_person(carl, caller));
    w.hangs_up(carl);
    let to = w.to_agent(ben);
    w.asks(anna, |_| Command::Consult { interaction: id, to }).unwrap();
    w.until(|w| w.rings(ben));
    w.answers(ben);
    w.until(|w| w.hear_each_other(mobile, ben));
    w.asks(anna, |_| Command::ConsultStep { interaction: id, step: ConsultStep::Complete }).unwrap();
    w.until(|w| w.hear_each_other(caller, ben) && w.is_over(mobile));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_colleague_is_asked_for_advice_at_the_mobile_too_and_takes_the_customer() {
    let mut w = World::new(5);
    let (anna, ben) = (w.agent("anna").ready(), w.agent("ben").ready());
    rings_at(&mut w, ben, Some(MOBILE)).unwrap();
    let mobile = w.carrier();
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let (id, to) = (w.contact(caller), w.to_agent(ben));
    w.asks(anna, |_| Command::Consult { interaction: id, to }).unwrap();
    w.until(|w| w.rings(mobile));
    w.answers(mobile);
    w.until(|w| w.hears(mobile, "press 1"));
    w.presses(mobile, "1");
    w.until(|w| w.hear_each_other(anna, mobile));
    w.asks(anna, |_| Command::ConsultStep { interaction: id, step: ConsultStep::Complete }).unwrap();
    w.until(|w| w.hear_each_other(caller, mobile));
    w.hangs_up(mobile);
    w.until(|w| w.is_over(caller));
    assert_eq!(w.agent_state(ben), "ready wrap_up", "who hangs up the mobile has hung up");
    w.nothing_is_left();
}

#[test]
fn an_agent_who_dials_is_called_at_the_mobile_first_and_presses_one_there_too() {
    let (mut w, anna, carrier) = outside(6, |_| {});
    w.asks(anna, |agent| Command::Dial { agent, number: "+3226660000".into(), queue: None }).unwrap();
    w.until(|w| w.rings(carrier));
    assert_eq!(w.phone_of(carrier).calls.len(), 1);
    w.answers(carrier);
    w.until(|w| w.hears(carrier, "press 1"));
    w.pass(CONFIRM_WITHIN);
    w.until(|w| w.is_over(carrier));
    assert_eq!(w.phone_of(carrier).calls.len(), 1, "nobody was there, so nobody is called");
    w.asks(anna, |agent| Command::Dial { agent, number: "+3226660000".into(), queue: None }).unwrap();
    w.until(|w| w.rings(carrier));
    w.answers(carrier);
    w.until(|w| w.hears(carrier, "press 1"));
    w.presses(carrier, "1");
    w.until(|w| w.phone_of(carrier).calls.len() == 3);
    w.until(|w| w.rings(carrier));
    w.hangs_up(carrier);
    w.pass(secs(2));
    let ids = w.contacts_of("+3226660000");
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_number_that_may_not_be_called_is_not_chosen_and_one_that_may_no_longer_be_is_not_rung() {
    let mut w = World::new(7);
    let anna = w.agent("anna").ready();
    for closed in ["0900 12345", "4001", "no number", "112"] {
        assert!(rings_at(&mut w, anna, Some(closed)).is_err(), "{closed}");
    }
    assert_eq!(w.agent_view(anna).number, None);
    rings_at(&mut w, anna, Some(MOBILE)).unwrap();
    assert_eq!(w.agent_view(anna).number.as_deref(), Some("+32470000009"));
    let ben = w.agent("ben").ready();
    assert_eq!(
        w.asks(ben, |_| Command::Endpoint { agent: crate::base::AgentId::parse("anna").unwrap(), number: None })
            .map_err(|e| e.code),
        Err(RefusalCode::NotAllowed)
    );
    w.configure(|b| {
        let t = b.tenants.values_mut().next().unwrap();
        t.routes.retain(|r| !matches!(r.to, crate::call::route::Destination::Trunk(_)));
    });
    w.pass(ms(10));
    assert!(!w.agent_view(anna).phone, "no way leads there any more");
    rings_at(&mut w, anna, None).unwrap();
    w.pass(ms(10));
    assert!(w.agent_view(anna).phone, "the desk phone was there all the time");
}

#[test]
fn a_trunk_that_is_down_takes_those_who_are_reached_by_it_out_of_routing_until_it_is_back() {
    let (mut w, anna, carrier) = outside(8, |b| {
        let t = b.tenants.values_mut().next().unwrap();
        t.trunks.values_mut().next().unwrap().options = Some(Options { every_s: 10, ..Options::default() });
    });
    w.pass(secs(1));
    assert!(w.agent_view(anna).phone);
    w.phone_mut(carrier).dead = true;
    w.until(|w| !w.agent_view(anna).phone);
    let caller = w.phone("+3265551234").dials("4001");
    w.pass(secs(5));
    assert_eq!(w.agent_state(anna), "ready", "she is not asked");
    w.phone_mut(carrier).dead = false;
    w.until(|w| w.agent_view(anna).phone);
    w.until(|w| w.rings(carrier));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_restart_remembers_where_calls_ring() {
    let (mut w, anna, mobile) = outside(9, |_| {});
    w.pass(secs(1));
    w.crash_and_restart();
    assert_eq!(w.agent_view(anna).number.as_deref(), Some("+32470000009"));
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(mobile));
    w.hangs_up(caller);
    w.nothing_is_left();
}
