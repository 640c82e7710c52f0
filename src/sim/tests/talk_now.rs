//! Visitors who call from the page: one call each, to one place.

use crate::{
    base::{CalendarId, limits, secs},
    center::{command::RefusalCode, fact::Fact},
    sim::{World, phone::Stage},
};

/// Visitors may call the support queue.
fn page(seed: u64, more: &str) -> World {
    World::with(seed, |b| {
        let yaml = format!("{{to: {{number: \"4001\"}}{more}}}");
        b.tenants.values_mut().next().unwrap().chat.talk_now = Some(serde_saphyr::from_str(&yaml).unwrap());
    })
}

#[test]
fn a_visitor_calls_from_the_page_and_is_known_by_the_chat_and_the_login_is_over_with_the_call() {
    let mut w = page(11, "");
    let mia = w.visitor("Mia");
    w.opens_chat(mia).unwrap();
    let chat = w.chat(mia);
    let anna = w.agent("anna").ready();
    let browser = w.may_talk(mia).unwrap();
    w.dials(browser, "4001");
    w.until(|w| w.rings(anna));
    let (visitor, known) = (w.visitor_id(mia), w.view().interactions[&chat].customer);
    let opened = w.store.facts().iter().rev().find_map(|r| match &r.fact {
        Fact::InteractionOpened { interaction, visitor: Some(of), customer, .. } if *interaction != chat => {
            Some((*interaction, *of, *customer))
        }
        _ => None,
    });
    let (call, of, customer) = opened.expect("the call is written down as the visitor's");
    assert_eq!((of, customer), (visitor, known), "the same visitor, the same person");
    let view = w.view().interactions[&call].clone();
    let said = |key: &str| view.attributes.get(key).cloned().unwrap_or_default();
    assert_eq!((said("page").as_str(), said("asked_on").as_str()), ("https://shop.example/lamps", "web"));
    assert_eq!(view.customer_name, "Mia");
    w.answers(anna);
    w.until(|w| w.hear_each_other(anna, browser));
    // A customer's phone hands nobody on.
    w.phone_transfers(browser, Some("0065551234"));
    w.pass(secs(3));
    assert!(w.hear_each_other(anna, browser), "{}", w.report());
    // What was good for one call is not good for a second one beside it.
    let thief = w.same_login(browser);
    w.dials(thief, "4001");
    w.until(|w| w.phone_of(thief).stage() == Some(Stage::Over(401)));
    w.hangs_up(browser);
    w.until(|w| w.closed(call));
    w.dials(browser, "4001");
    w.until(|w| w.phone_of(browser).stage() == Some(Stage::Over(401)));
    w.leaves(mia).unwrap();
    w.pass(secs(200));
    w.nothing_is_left();
}

#[test]
fn a_visitors_login_reaches_one_place_and_registers_nowhere() {
    let mut w = page(12, "");
    let (mia, anna) = (w.visitor("Mia"), w.agent("anna").ready());
    let browser = w.may_talk(mia).unwrap();
    for elsewhere in ["4000", "4002", "anna", "0065551234", "+3265551234"] {
        w.dials(browser, elsewhere);
        w.until(|w| matches!(w.phone_of(browser).stage(), Some(Stage::Over(_))));
        assert_eq!(w.phone_of(browser).stage(), Some(Stage::Over(403)), "{elsewhere}");
    }
    w.opens_page(browser);
    w.pass(secs(3));
    assert!(!w.phone_of(browser).registered);
    assert!(!w.rings(anna));
    // None of that has used it up.
    let browser = w.same_login(browser);
    w.dials(browser, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(anna, browser));
    w.hangs_up(anna);
    w.until(|w| w.is_over(browser));
}

#[test]
fn so_many_visitors_talk_at_once_an_unused_login_ends_soon_and_a_long_call_ends_too() {
    let mut w = page(13, ", at_once: 1, max_min: 1");
    let (mia, tom, anna) = (w.visitor("Mia"), w.visitor("Tom"), w.agent("anna").ready());
    let unused = w.may_talk(mia).unwrap();
    assert_eq!(w.may_talk(tom).unwrap_err().code, RefusalCode::Limit);
    w.pass(limits::TALK_NOW_GRANT_LIFE + secs(1));
    w.dials(unused, "4001");
    w.until(|w| w.phone_of(unused).stage() == Some(Stage::Over(401)));
    let browser = w.may_talk(tom).unwrap();
    w.dials(browser, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(anna, browser));
    assert_eq!(w.may_talk(mia).unwrap_err().code, RefusalCode::Limit);
    w.pass(secs(40));
    assert!(w.hear_each_other(anna, browser));
    w.pass(secs(30));
    assert!(w.is_over(browser), "{}", w.report());
    assert!(w.may_talk(mia).is_ok(), "there is room again");
    // A page that is loaded anew begins anew: the call of the old one is over.
    let before = w.may_talk(mia).unwrap();
    w.dials(before, "4001");
    w.pass(secs(30));
    let after = w.may_talk(mia).unwrap();
    w.until(|w| w.is_over(before));
    w.dials(after, "4001");
    w.pass(secs(2));
    w.hangs_up(after);
    w.pass(secs(200));
    w.nothing_is_left();
}

#[test]
fn outside_the_hours_nobody_gets_a_login() {
    let mut w = page(14, "");
    let mia = w.visitor("Mia");
    assert!(w.may_talk(mia).is_ok());
    w.configure(|b| {
        let tenant = b.tenants.values_mut().next().unwrap();
        let hours = CalendarId::parse("office").unwrap();
        let never = "zone: Europe/Brussels\nweekly: {sun: [\"03:00-03:01\"]}\n";
        tenant.routing.calendars.insert(hours.clone(), serde_saphyr::from_str(never).unwrap());
        tenant.chat.talk_now.as_mut().unwrap().calendar = Some(hours);
    });
    assert_eq!(w.may_talk(mia).unwrap_err().code, RefusalCode::WrongState);
    w.pass(secs(200));
    w.nothing_is_left();
}

#[test]
fn a_restart_ends_logins_and_calls_and_leaves_room_for_new_ones() {
    let mut w = page(15, ", at_once: 2");
    let (mia, tom, anna) = (w.visitor("Mia"), w.visitor("Tom"), w.agent("anna").ready());
    let (talking, unused) = (w.may_talk(mia).unwrap(), w.may_talk(tom).unwrap());
    w.dials(talking, "4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(anna, talking));
    w.crash_and_restart();
    w.pass(secs(10));
    assert!(w.is_over(talking), "{}", w.report());
    w.dials(unused, "4001");
    w.until(|w| w.phone_of(unused).stage() == Some(Stage::Over(401)));
    assert!(w.may_talk(mia).is_ok() && w.may_talk(tom).is_ok());
    w.pass(secs(200));
    w.nothing_is_left();
}

#[test]
fn a_page_that_vanishes_leaves_nobody_talking_to_it() {
    let mut w = page(16, "");
    let (mia, anna) = (w.visitor("Mia"), w.agent("anna").ready());
    for when in ["while it rings", "in mid-call"] {
        let browser = w.may_talk(mia).unwrap();
        w.dials(browser, "4001");
        w.until(|w| w.rings(anna));
        if when == "in mid-call" {
            w.answers(anna);
            w.until(|w| w.hear_each_other(anna, browser));
        }
        w.closes_page(browser);
        w.pass(secs(2));
        assert!(w.is_over(anna) && !w.rings(anna), "{when}\n{}", w.report());
    }
    w.pass(secs(200));
    w.nothing_is_left();
}
