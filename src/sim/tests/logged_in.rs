//! Trunks that log in with us: known by a password, wherever they are, and called where they say they are.

use crate::{
    base::{TrunkId, ms, secs},
    call::{route::Route, trunk::Login},
    center::{command::Command, settings::Business},
    sim::{Manner, Stage, Who, World, business},
    sip::msg::Name,
};

fn id(name: &str) -> TrunkId {
    TrunkId::parse(name).unwrap()
}

/// A shop with an exchange in its branch, which has no address anybody knows.
fn with_branch(b: &mut Business) {
    let tenant = b.tenants.values_mut().next().unwrap();
    let mut branch = tenant.trunks[&id("carrier")].clone();
    branch.host = String::new();
    branch.login = Some(Login { username: "branch".into(), password_secret: "branch".into() });
    branch.identity = serde_saphyr::from_str("{trusted: true}").unwrap();
    tenant.trunks.insert(id("branch"), branch);
    let there: Route = serde_saphyr::from_str("{match: '+3271*', to: {trunk: {trunk: branch}}}").unwrap();
    tenant.routes.insert(0, there);
}

fn line(w: &World) -> crate::call::trunk::Snapshot {
    let view = w.center.as_ref().unwrap().view(w.now(), &business::tenant()).unwrap();
    view.trunks[&id("branch")].clone()
}

fn dials_branch(w: &mut World, agent: Who) {
    w.asks(agent, |agent| Command::Dial { agent, number: "+3271234567".into(), queue: None }).unwrap();
}

#[test]
fn an_exchange_that_registers_is_called_where_it_is_and_what_it_sends_comes_by_its_trunk() {
    let mut w = World::with(1, with_branch);
    let branch = w.exchange("branch", "branch-secret");
    w.pass(ms(1));
    assert_eq!(line(&w).registration, "not_registered");
    w.until(|w| w.phone_of(branch).registered);
    let now = line(&w);
    assert_eq!(now.registration, "registered");
    assert!((100..=120).contains(&now.registered_for_s.unwrap()), "{now:?}");

    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(ms(500)));
    w.manner(branch, Manner::Answer(secs(1)));
    dials_branch(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, branch));
    let invite = w.phone_of(branch).rung_by.clone().unwrap();
    assert_eq!(invite.uri().unwrap().to_string(), format!("sip:+3271234567@{}", w.phone_of(branch).addr));
    assert_eq!(invite.to().unwrap().uri.to_string(), "sip:+3271234567@demo.example");
    w.hangs_up(anna);
    w.pass(secs(15));

    // A call from there, for a number anybody may call: it is the trunk's all the same, and whom it brings is believed.
    w.phone_mut(branch).extras.push(Name::PAssertedIdentity, "<sip:071999999@demo.example>");
    w.dials(branch, "4001");
    w.until(|w| w.hear_each_other(anna, branch));
    assert_eq!(line(&w).counts.incoming, 1);
    assert_eq!(w.contacts_of("+3271999999").len(), 1, "it is from whoever the exchange says, not from the exchange");
    w.hangs_up(branch);
    w.pass(secs(15));
    w.nothing_is_left();
}

#[test]
fn an_exchange_that_is_gone_gets_no_calls_and_the_supervisor_is_told_until_it_is_back() {
    let mut w = World::with(2, with_branch);
    let branch = w.exchange("branch", "branch-secret");
    w.until(|w| w.phone_of(branch).registered);
    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(ms(500)));
    w.phone_mut(branch).dead = true;
    w.until(|w| line(w).registration == "not_registered");
    let alarms = |w: &World| w.view().alarms.into_keys().collect::<Vec<_>>();
    assert_eq!(alarms(&w), ["trunk_registration_branch"]);
    dials_branch(&mut w, anna);
    w.until(|w| w.is_over(anna));
    assert!(w.phone_of(branch).calls.is_empty());
    w.phone_mut(branch).dead = false;
    w.until(|w| line(w).registration == "registered");
    assert!(alarms(&w).is_empty());
}

#[test]
fn a_guessed_password_reaches_nothing_and_the_name_of_an_agent_is_no_trunks() {
    let mut w = World::with(3, with_branch);
    let thief = w.exchange("branch", "guess");
    w.pass(secs(5));
    assert!(!w.phone_of(thief).registered);
    assert_eq!(line(&w).registration, "not_registered");
    // By the route to the outside, which only trunks' and agents' phones have.
    w.dials(thief, "+32470000009");
    w.until(|w| w.phone_of(thief).stage() == Some(Stage::Over(401)));
    assert!(w.phone_of(w.carrier()).calls.is_empty());
    assert_eq!(line(&w).counts.incoming, 0);

    let mut b = Business::parse(business::BUSINESS).unwrap();
    with_branch(&mut b);
    let tenant = b.tenants.values_mut().next().unwrap();
    let mut second = tenant.trunks[&id("branch")].clone();
    tenant.trunks.insert(id("twin"), second.clone());
    second.login.as_mut().unwrap().username = "anna".into();
    tenant.trunks.insert(id("anna"), second.clone());
    second.login = None;
    second.register = Some(Default::default());
    tenant.trunks.insert(id("nowhere"), second);
    let problems = b.problems().join("\n");
    for part in [
        "trunks.twin.login.username: the trunk branch logs in as `branch`",
        "trunks.anna.login.username: an agent is called `anna`",
        "trunks.nowhere.host: is empty",
        "trunks.nowhere: register and username are for a host",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
}
