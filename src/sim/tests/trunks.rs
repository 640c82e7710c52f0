//! Carriers that want to know us, fall silent, refuse, and come back; and calls that find their way all the same.

use crate::{
    base::{InteractionId, TrunkId, ms, secs},
    call::trunk::{Failover, Member, Options, Register, Snapshot},
    center::{
        command::{Command, Done, Refusal},
        settings::{Business, Tenant, Trunk},
    },
    sim::{Manner, Stage, Who, World, business},
    sip::msg::Name,
};

fn id(name: &str) -> TrunkId {
    TrunkId::parse(name).unwrap()
}
fn tenant(b: &mut Business) -> &mut Tenant {
    b.tenants.values_mut().next().unwrap()
}
fn trunk<'b>(b: &'b mut Business, name: &str) -> &'b mut Trunk {
    tenant(b).trunks.get_mut(&id(name)).unwrap()
}
fn line(w: &World, name: &str) -> Snapshot {
    let center = w.center.as_ref().unwrap();
    center.view(w.now(), &business::tenant()).unwrap().trunks[&id(name)].clone()
}
fn alarms(w: &World) -> Vec<String> {
    w.center.as_ref().unwrap().view(w.now(), &business::tenant()).unwrap().alarms.into_keys().collect()
}

/// A world whose carrier wants a registration with a password.
fn registered(seed: u64, register: Register) -> World {
    let mut w = World::with(seed, |b| {
        let t = trunk(b, "carrier");
        t.register = Some(register);
        (t.username, t.password_secret) = (Some("shop".into()), Some("carrier".into()));
    });
    let carrier = w.carrier();
    w.phone_mut(carrier).lets_register("shop", "shop-secret");
    w.pass(ms(1));
    w
}

#[test]
fn a_trunk_registers_with_its_password_and_is_challenged_once_a_nonce_not_once_a_refresh() {
    let mut w = registered(1, Register { expires_s: 120, ..Register::default() });
    let carrier = w.carrier();
    w.until(|w| line(w, "carrier").registration == "registered");
    assert_eq!(w.phone_of(carrier).has_registered("shop").as_deref(), Some("sip:shop@10.0.0.1:5060"));
    assert_eq!(line(&w, "carrier").registrar_said.as_deref(), Some("200 OK"));
    let asked = w.phone_of(carrier).counters().requests;
    assert_eq!(asked, 2, "one that was challenged, one that was taken");
    w.pass(secs(200));
    let asked = w.phone_of(carrier).counters().requests - asked;
    assert_eq!(asked, 2, "refreshed at 70 to 80 % of two minutes, with the nonce counted up");
    assert_eq!(w.phone_of(carrier).counters().auth_failures, 0);
}

#[test]
fn a_carrier_that_is_away_is_asked_less_and_less_and_the_supervisor_is_told_until_it_is_back() {
    let mut w = registered(2, Register { expires_s: 600, ..Register::default() });
    let carrier = w.carrier();
    w.phone_mut(carrier).dead = true;
    w.until(|w| !alarms(w).is_empty());
    assert_eq!(alarms(&w), ["trunk_registration_carrier"]);
    assert_eq!(line(&w, "carrier").registration, "not_registered");
    w.pass(secs(1_200));
    w.phone_mut(carrier).dead = false;
    w.until(|w| line(w, "carrier").registration == "registered");
    assert!(alarms(&w).is_empty());
}

#[test]
fn the_carrier_decides_how_long_and_a_trunk_that_is_taken_away_says_good_bye() {
    let mut w = registered(3, Register { expires_s: 60, ..Register::default() });
    let carrier = w.carrier();
    w.until(|w| line(w, "carrier").registration == "registered");
    w.configure(|b| trunk(b, "carrier").register = None);
    w.until(|w| w.phone_of(carrier).has_registered("shop").is_none());
    assert_eq!(line(&w, "carrier").registration, "off");
}

#[test]
fn a_wrong_password_is_not_hammered() {
    let mut w = registered(4, Register::default());
    let carrier = w.carrier();
    w.phone_mut(carrier).lets_register("shop", "another");
    w.pass(secs(140));
    assert_eq!(w.phone_of(carrier).counters().auth_failures, 1);
    assert_eq!(line(&w, "carrier").registrar_said.as_deref(), Some("401 Unauthorized"));
}

#[test]
fn a_carrier_is_up_with_its_first_answer_down_after_three_silences_and_up_again_after_two() {
    let mut w = World::with(5, |b| trunk(b, "carrier").options = Some(Options { every_s: 10, ..Options::default() }));
    let carrier = w.carrier();
    w.pass(secs(1));
    assert_eq!(line(&w, "carrier").state, "up");
    assert_eq!(line(&w, "carrier").rtt_ms, Some(10.0));
    w.phone_mut(carrier).dead = true;
    w.pass(secs(15));
    assert_eq!(line(&w, "carrier").state, "up", "one is no reason");
    w.until(|w| line(w, "carrier").state == "down");
    assert_eq!(alarms(&w), ["trunk_down_carrier"]);
    w.phone_mut(carrier).dead = false;
    w.until(|w| line(w, "carrier").state == "up");
    assert!(alarms(&w).is_empty());
}

#[test]
fn a_supervisor_asks_a_trunk_nobody_watches_and_an_agent_may_not() {
    let mut w = World::new(13);
    let carrier = w.carrier();
    w.pass(ms(1));
    assert_eq!(line(&w, "carrier").state, "unknown");
    w.supervises(Command::TrunkTest { trunk: id("carrier") }).unwrap();
    assert!(line(&w, "carrier").testing);
    w.pass(ms(50));
    let found = line(&w, "carrier");
    assert_eq!((found.testing, found.rtt_ms), (false, Some(10.0)));
    w.phone_mut(carrier).dead = true;
    w.supervises(Command::TrunkTest { trunk: id("carrier") }).unwrap();
    w.pass(secs(6));
    let found = line(&w, "carrier");
    assert_eq!((found.testing, found.state), (false, "down"));
    let anna = w.agent("anna").ready();
    assert!(w.asks(anna, |_| Command::TrunkTest { trunk: id("carrier") }).is_err());
    assert!(w.supervises(Command::TrunkTest { trunk: id("nobody") }).is_err());
}

/// A supervisor tries a trunk with a number; the contact it made.
fn tries(w: &mut World, trunk: &str, number: &str) -> Result<InteractionId, Refusal> {
    match w.supervises(Command::TrunkCall { trunk: id(trunk), number: number.into() })? {
        Done::Interaction { interaction } => Ok(interaction),
        other => panic!("{other:?} is no contact"),
    }
}

#[test]
fn a_test_call_goes_by_the_trunk_that_is_named_and_by_no_other_and_ends_by_itself() {
    let (mut w, first, second, anna) = two(16, |b| tenant(b).toll = serde_saphyr::from_str("{deny: ['+3226660000']}").unwrap());
    // The routes would prefer the first; it is not asked.
    let call = tries(&mut w, "second", "+32470000009").unwrap();
    w.until(|w| w.phone_of(second).stage() == Some(Stage::Up));
    assert!(w.phone_of(first).calls.is_empty());
    let view = w.center.as_ref().unwrap().view(w.now(), &business::tenant()).unwrap();
    assert_eq!((view.interactions[&call].agent.as_ref(), view.interactions[&call].ticket), (None, None));
    w.until(|w| w.phone_of(second).stage().is_some_and(|s| matches!(s, Stage::Over(_))));
    // One that refuses is the answer: nobody else is tried, and the trunk says what it was told.
    w.manner(first, Manner::Refuse(503, None));
    tries(&mut w, "carrier", "+32470000009").unwrap();
    w.until(|w| !w.phone_of(first).calls.is_empty());
    w.pass(secs(5));
    assert_eq!(w.phone_of(second).calls.len(), 1);
    assert_eq!(line(&w, "carrier").last_failure.as_deref(), Some("503 Service Unavailable"));
    // Rights and rules are those of every call out.
    assert_eq!(tries(&mut w, "second", "+3226660000").unwrap_err().to_string(), "this number is closed");
    assert!(tries(&mut w, "nobody", "+32470000009").is_err());
    assert!(w.asks(anna, |_| Command::TrunkCall { trunk: id("second"), number: "+32470000009".into() }).is_err());
    w.pass(secs(3_600));
    w.nothing_is_left();
}

/// Two carriers under one name, the first preferred; and an agent who dials.
fn two(seed: u64, change: impl FnOnce(&mut Business)) -> (World, Who, Who, Who) {
    let mut w = World::with(seed, |b| {
        let t = tenant(b);
        let mut second = t.trunks[&id("carrier")].clone();
        second.host = "10.9.9.8".into();
        t.trunks.insert(id("second"), second);
        let member = |trunk: &str, priority| Member { trunk: id(trunk), priority, weight: 1 };
        t.trunk_groups.insert(id("outside"), vec![member("carrier", 1), member("second", 2)]);
        for r in &mut t.routes {
            if let crate::call::route::Destination::Trunk(o) = &mut r.to {
                o.trunk = id("outside");
            }
        }
        change(b);
    });
    let (first, second) = (w.carrier(), w.carrier_at("10.9.9.8"));
    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(ms(500)));
    w.manner(second, Manner::Answer(secs(1)));
    (w, first, second, anna)
}

fn dials(w: &mut World, agent: Who) {
    w.asks(agent, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }).unwrap();
}

#[test]
fn a_carrier_that_says_503_loses_the_call_to_the_next_and_gets_none_before_it_asked_for_them() {
    let (mut w, first, second, anna) = two(6, |_| {});
    w.manner(first, Manner::Refuse(503, Some(60)));
    dials(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, second));
    assert_eq!(w.phone_of(first).calls.len(), 1);
    assert_eq!(line(&w, "carrier").last_failure.as_deref(), Some("503 Service Unavailable"));
    for _ in 0..2 {
        w.hangs_up(anna);
        w.until(|w| w.agent_state(anna) != "ready talking");
        w.pass(secs(12));
        dials(&mut w, anna);
        w.until(|w| w.hear_each_other(anna, second));
    }
    assert_eq!(w.phone_of(first).calls.len(), 1, "it asked for a minute");
    w.hangs_up(anna);
    w.pass(secs(60));
    w.manner(first, Manner::Answer(ms(100)));
    dials(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, first));
    w.hangs_up(anna);
    w.nothing_is_left();
}

#[test]
fn a_carrier_that_is_silent_is_left_after_four_seconds_and_its_late_ringing_is_cancelled() {
    let (mut w, first, second, anna) = two(7, |_| {});
    w.phone_mut(first).dead = true;
    dials(&mut w, anna);
    w.pass(secs(4));
    assert!(w.phone_of(second).calls.is_empty());
    w.pass(ms(700));
    assert!(w.rings(second), "four seconds after the agent answered\n{}", w.report());
    // It comes back while our INVITE is still repeated: it may ring for no longer than it takes to tell it.
    w.phone_mut(first).dead = false;
    w.until(|w| !w.phone_of(first).calls.is_empty());
    w.pass(ms(100));
    assert_eq!(w.phone_of(first).stage(), Some(Stage::Over(487)));
    w.until(|w| w.hear_each_other(anna, second));
    w.hangs_up(anna);
    w.nothing_is_left();
}

#[test]
fn a_callee_who_refuses_or_whose_phone_rang_is_never_called_by_another_way() {
    for code in [486, 404, 480, 600, 603] {
        let (mut w, first, second, anna) = two(8, |_| {});
        w.manner(first, Manner::Refuse(code, None));
        dials(&mut w, anna);
        w.until(|w| !w.phone_of(first).calls.is_empty());
        w.pass(secs(40));
        assert!(w.phone_of(second).calls.is_empty(), "{code} is the callee's word");
    }
    let (mut w, first, second, anna) = two(9, |_| {});
    dials(&mut w, anna);
    w.until(|w| w.rings(first));
    // The carrier breaks down while the callee's phone rings.
    w.pass(secs(2));
    let now = w.now();
    w.phone_mut(first).breaks_down(now, 503);
    w.pass(secs(40));
    assert!(w.phone_of(second).calls.is_empty());
}

#[test]
fn a_full_trunk_passes_its_calls_on_and_a_full_group_says_congestion() {
    let (mut w, first, second, anna) = two(10, |b| {
        trunk(b, "carrier").max_calls = Some(1);
        trunk(b, "second").max_calls = Some(1);
    });
    w.manner(first, Manner::Answer(secs(1)));
    dials(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, first));
    let ben = w.agent("ben").ready();
    w.manner(ben, Manner::Answer(ms(500)));
    dials(&mut w, ben);
    w.until(|w| w.hear_each_other(ben, second));
    // A third call, from outside this time: there is no room for it either.
    w.dials(first, "4001");
    w.until(|w| w.phone_of(first).calls.values().any(|c| c.stage == Stage::Over(503)));
    assert_eq!(line(&w, "carrier").counts.limited, 2);
    let carl = w.agent("carl").ready();
    w.manner(carl, Manner::Answer(ms(500)));
    dials(&mut w, carl);
    w.until(|w| line(w, "second").counts.limited == 1);
    assert_eq!(line(&w, "carrier").counts.limited, 3);
    w.until(|w| w.agent_state(carl) != "ready talking");
}

#[test]
fn whatever_leads_outside_leads_nowhere_that_is_closed_and_the_supervisor_hears_of_it() {
    let mut w = World::with(11, |b| {
        tenant(b).toll =
            serde_saphyr::from_str("{per_agent: {calls_h: 4}, deny: ['+3226660000'], emergency: ['112']}").unwrap();
    });
    let carrier = w.carrier();
    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(ms(200)));
    // Click to dial, before her phone rings.
    let refused = w.asks(anna, |agent| Command::Dial { agent, number: "+19005550100".into(), queue: None }).unwrap_err();
    assert_eq!(refused.to_string(), "premium numbers are closed");
    assert!(w.phone_of(anna).calls.is_empty());
    // Her own phone.
    w.dials(anna, "+33123456789");
    w.until(|w| w.phone_of(anna).stage() == Some(Stage::Over(403)));
    // A flow, for a caller: it goes on by its other branch.
    let caller = w.phone("+3265551234").dials("4000");
    w.until(|w| w.hears(caller, "press one"));
    w.presses(caller, "4");
    w.until(|w| w.rings(anna));
    // A transfer by hand: refused, and the two go on talking.
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    let to = crate::center::command::TransferTo::Number { number: "+33123456789".into() };
    assert!(w.transfers(anna, id, to).is_err());
    assert!(w.hear_each_other(caller, anna));
    assert!(w.phone_of(carrier).calls.is_empty(), "nothing ever reached the carrier");
    assert!(alarms(&w).is_empty(), "a slip of the finger is no fraud");
    w.hangs_up(caller);
    w.pass(secs(20));

    // As many as she may, and one more.
    w.manner(carrier, Manner::Answer(ms(100)));
    for _ in 0..4 {
        dials(&mut w, anna);
        w.until(|w| w.hear_each_other(anna, carrier));
        w.hangs_up(anna);
        w.pass(secs(15));
    }
    let before = w.phone_of(carrier).calls.len();
    let refused = w.asks(anna, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }).unwrap_err();
    assert_eq!(refused.to_string(), "the agent has reached the limit of this hour");
    assert_eq!(w.phone_of(carrier).calls.len(), before);
    assert_eq!(alarms(&w), ["toll_fraud"]);
    w.pass(secs(3_700));
    assert!(alarms(&w).is_empty(), "an hour of quiet");
    dials(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, carrier));
}

#[test]
fn a_number_is_asked_for_advice_only_where_it_may_be_called() {
    let mut w = World::with(15, |b| tenant(b).toll = serde_saphyr::from_str("{deny: ['+3226660000']}").unwrap());
    let (carrier, anna) = (w.carrier(), w.agent("anna").ready());
    let caller = w.phone("+3265551234").dials("4001");
    w.until(|w| w.rings(anna));
    w.answers(anna);
    w.until(|w| w.hear_each_other(caller, anna));
    let id = w.contact(caller);
    let consult = |w: &mut World, number: &str| {
        let to = crate::center::command::TransferTo::Number { number: number.into() };
        w.asks(anna, |_| Command::Consult { interaction: id, to })
    };
    assert!(consult(&mut w, "+3226660000").is_err());
    // The transfer key of her phone knows no other way.
    w.phone_transfers(anna, Some("+3226660000"));
    w.pass(secs(2));
    assert!(w.hear_each_other(caller, anna) && w.phone_of(carrier).calls.is_empty());
    consult(&mut w, "+32470000009").unwrap();
    w.until(|w| w.rings(carrier));
    w.answers(carrier);
    w.until(|w| w.hear_each_other(anna, carrier) && !w.hear_each_other(anna, caller));
    w.hangs_up(carrier);
    w.hangs_up(caller);
    // The hour of quiet after what was kept in.
    w.pass(secs(3_600));
    w.nothing_is_left();
}

#[test]
fn a_call_lasts_no_longer_than_the_money() {
    let mut w = World::with(12, |b| {
        let rules = "{per_tenant: {spend_h: 1.0}, rates: [{to: '+32*', per_minute: 0.5}]}";
        tenant(b).toll = serde_saphyr::from_str(rules).unwrap();
    });
    let carrier = w.carrier();
    w.manner(carrier, Manner::Answer(ms(100)));
    let anna = w.agent("anna").ready();
    w.manner(anna, Manner::Answer(ms(200)));
    dials(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, carrier));
    w.pass(secs(118));
    assert!(w.hear_each_other(anna, carrier));
    w.pass(secs(5));
    assert!(w.is_over(anna) && w.is_over(carrier), "{}", w.report());
    w.nothing_is_left();
}

#[test]
fn each_carrier_gets_numbers_and_names_as_it_wants_them_and_nobody_lends_themselves_another_name() {
    let mut w = World::with(14, |b| {
        let t = trunk(b, "carrier");
        t.numbers = serde_saphyr::from_str("{send: national, prefix: '77'}").unwrap();
        t.identity =
            serde_saphyr::from_str("{trusted: true, pass_caller: true, tell: [asserted_identity, diversion]}").unwrap();
        t.headers = serde_saphyr::from_str("[{set: X-Account, value: shop}, {remove: User-Agent}]").unwrap();
    });
    let carrier = w.carrier();
    let header = |w: &World, name: &str| {
        let m = w.phone_of(carrier).rung_by.clone().unwrap();
        m.headers.get(&Name::from(name)).map(|v| v.into_owned())
    };
    // An agent dials from a phone that says it is the chief's: what the carrier hears is the trunk's own number.
    let anna = w.agent("anna").ready();
    w.phone_mut(anna).extras.push(Name::PAssertedIdentity, "<sip:+3229999999@demo.example>");
    w.dials(anna, "+32470000009");
    w.until(|w| w.rings(carrier));
    let m = w.phone_of(carrier).rung_by.clone().unwrap();
    assert_eq!(m.uri().unwrap().to_string(), "sip:770470000009@10.9.9.9");
    assert_eq!(m.from().unwrap().uri.user(), "028880000");
    assert_eq!(header(&w, "P-Asserted-Identity").as_deref(), Some("<sip:028880000@10.9.9.9>"));
    assert_eq!((header(&w, "X-Account").as_deref(), header(&w, "User-Agent")), (Some("shop"), None));
    assert_eq!(header(&w, "Diversion"), None);
    w.hangs_up(anna);
    w.until(|w| w.is_over(carrier));

    // The carrier brings a caller in its own writing, by way of another number of ours, and is believed.
    let says = &mut w.phone_mut(carrier).extras;
    says.push(Name::PAssertedIdentity, "\"Bob\" <sip:0470000009@10.9.9.9>");
    says.push(Name::Diversion, "<sip:022221111@10.9.9.9>;reason=no-answer");
    w.dials(carrier, "4000");
    // The first contact with this number was the agent's call to it.
    w.until(|w| w.contacts_of("+32470000009").len() == 2);
    let id = *w.contacts_of("+32470000009").last().unwrap();
    let view = w.view().interactions[&id].clone();
    assert_eq!(view.from, "+32470000009");
    assert_eq!(view.attributes.get("diverted_from").map(String::as_str), Some("+3222221111"));
    // The flow hands him on: he is shown as himself, by way of the number he called.
    w.until(|w| w.hears(carrier, "press one"));
    w.presses(carrier, "4");
    w.until(|w| w.rings(carrier));
    let m = w.phone_of(carrier).rung_by.clone().unwrap();
    assert_eq!(m.from().unwrap().uri.user(), "0470000009");
    assert!(header(&w, "Diversion").unwrap().contains("sip:4000@10.9.9.9"), "{m:?}");
}

#[test]
fn what_cannot_work_is_said_before_it_is_in_force() {
    let mut b = Business::parse(business::BUSINESS).unwrap();
    let t = trunk(&mut b, "carrier");
    t.register = Some(Register { expires_s: 5, ..Register::default() });
    t.options = Some(Options { every_s: 1, ..Options::default() });
    t.failover = Failover { codes: vec![486], ..Failover::default() };
    tenant(&mut b).trunk_groups.insert(id("carrier"), vec![Member { trunk: id("nobody"), priority: 0, weight: 1 }]);
    let problems = b.problems().join("\n");
    for part in ["register.expires_s", "register: needs a user", "options.every_s", "failover.codes", "no trunk `nobody`"] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
}

#[test]
fn a_carrier_that_asks_for_it_hears_whose_number_it_is() {
    let mut w = World::with(31, |b| {
        trunk(b, "carrier").caller_id = Some("+3228880000".into());
        trunk(b, "carrier").stir = Some(crate::call::trunk::Stir {
            key_secret: "stir".into(),
            cert_url: "https://cert.shop.example/stir.pem".into(),
            ..crate::call::trunk::Stir::default()
        });
    });
    let (carrier, anna) = (w.carrier(), w.agent("anna").ready());
    w.manner(anna, Manner::Answer(ms(500)));
    w.manner(carrier, Manner::Answer(secs(1)));
    dials(&mut w, anna);
    w.until(|w| w.hear_each_other(anna, carrier));
    let invite = w.phone_of(carrier).rung_by.clone().unwrap();
    let value = invite.headers.get(&Name::Identity).unwrap().into_owned();
    assert!(value.ends_with(";info=<https://cert.shop.example/stir.pem>;alg=ES256;ppt=shaken"), "{value}");
    let claims = value.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims = String::from_utf8(claims).unwrap();
    assert!(claims.starts_with(r#"{"attest":"A","dest":{"tn":["32470000009"]},"iat":"#), "{claims}");
    assert!(claims.contains(r#""orig":{"tn":"3228880000"}"#), "{claims}");
    w.hangs_up(anna);
    w.nothing_is_left();
}
