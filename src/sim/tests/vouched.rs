//! Callers somebody vouches for, callers somebody seems to vouch for, and callers nobody vouches for.

use crate::{
    base::{TrunkId, ms, secs},
    call::trunk::{Demand, Stir},
    center::fact::Fact,
    routing::plan::HeadStart,
    sim::{Stage, Who, World},
    sip::{
        msg::Name,
        stir::{Attestation, Claims, Fault, Pen, Verdict, Verstat, identity},
    },
};

const CARRIER: &str = "3232221111";

/// A world whose carrier says who vouches for its callers.
fn asks(seed: u64, verify: Demand) -> World {
    let mut w = World::with(seed, |b| {
        let tenant = b.tenants.values_mut().next().unwrap();
        let trunk = tenant.trunks.get_mut(&TrunkId::parse("carrier").unwrap()).unwrap();
        trunk.stir = Some(Stir { verify, ..Stir::default() });
        let vip = HeadStart { attribute: "caller.attestation".into(), is: "A".into(), minutes: 5 };
        tenant.routing.queues.values_mut().for_each(|q| q.head_starts.push(vip.clone()));
    });
    let carrier = w.carrier();
    w.phone_mut(carrier).user = format!("+{CARRIER}");
    w.pass(ms(1));
    w
}

/// What the carrier signs for a call to a number, so many seconds ago.
fn signed(w: &World, dest: &str, age_s: i64, attestation: Attestation) -> String {
    let iat = w.now().wall.timestamp().as_second() - age_s;
    let claims = Claims { attestation, orig: CARRIER, dest, iat, origid: "c0ffee" };
    identity(&claims, "https://cert.carrier.example/stir.pem", &Pen::new(|_| Some([0x52; 64]))).unwrap()
}

fn calls(w: &mut World, number: &str, header: Option<String>) -> Who {
    let carrier = w.carrier();
    w.phone_mut(carrier).extras.remove(&Name::Identity);
    if let Some(h) = header {
        w.phone_mut(carrier).extras.push(Name::Identity, h);
    }
    w.dials(carrier, number);
    carrier
}

/// What the records say of the last contact.
fn recorded(w: &World) -> Option<Verdict> {
    let last = w.store.facts().iter().rev().find_map(|r| match &r.fact {
        Fact::InteractionOpened { verdict, .. } => Some(verdict.clone()),
        _ => None,
    });
    last.expect("there is a contact")
}

fn refused(w: &World, who: Who) -> Option<u16> {
    match w.phone_of(who).stage() {
        Some(Stage::Over(code)) => Some(code),
        _ => None,
    }
}

#[test]
fn a_caller_who_is_vouched_for_is_shown_as_such_recorded_and_goes_by_it_in_the_queue() {
    let mut w = asks(1, Demand::Inform);
    let value = signed(&w, "4001", 3, Attestation::A);
    let caller = calls(&mut w, "4001", Some(value.clone()));
    w.until(|w| w.seals.len() == 1);
    assert_eq!(w.contacts(caller).len(), 0, "nobody is told before it is known");
    assert_eq!(w.seals[0].url, "https://cert.carrier.example/stir.pem");
    assert!(value.starts_with(&w.seals[0].signed));
    w.until(|w| w.is_up(caller));
    w.pass(ms(100));
    let v = recorded(&w).unwrap();
    assert_eq!((v.verstat, v.attestation, v.origid.as_deref()), (Verstat::Verified, Some(Attestation::A), Some("c0ffee")));
    let view = w.view();
    let shown = view.interactions.values().next().unwrap();
    assert_eq!(shown.attributes["caller.attestation"], "A");
    assert_eq!(shown.attributes["caller.verstat"], "verified");
    let queued = w.store.facts().iter().find_map(|r| match &r.fact {
        Fact::Queued { entry } => Some(entry.attributes.clone()),
        _ => None,
    });
    assert_eq!(queued.unwrap()["caller.attestation"], "A", "the router has it, for its head starts");
    // A restart forgets nothing of it.
    w.pass(secs(1));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn where_it_is_only_to_be_known_every_caller_gets_through_and_what_is_wrong_is_said() {
    let mut w = asks(2, Demand::Inform);
    for (n, header, verstat, why) in [
        (0, None, Verstat::Absent, None),
        (1, Some(signed(&w, "4001", 120, Attestation::A)), Verstat::Failed, Some(Fault::Stale)),
        (2, Some(signed(&w, "4002", 0, Attestation::A)), Verstat::Failed, Some(Fault::Called)),
        (3, Some("nonsense".into()), Verstat::Failed, Some(Fault::Malformed)),
    ] {
        let caller = calls(&mut w, "4001", header);
        w.until(|w| w.is_up(caller));
        let v = recorded(&w).unwrap();
        assert_eq!((v.verstat, v.why, v.attestation), (verstat, why, None), "{n}");
        w.hangs_up(caller);
        w.pass(secs(1));
    }
    assert!(w.seals.is_empty(), "nothing is fetched for what cannot hold in any case");
    w.notary = Some((ms(10), Err(Fault::Signature)));
    let header = signed(&w, "4001", 0, Attestation::A);
    let caller = calls(&mut w, "4001", Some(header));
    w.until(|w| w.is_up(caller));
    assert_eq!(recorded(&w), Some(Verdict::failed(Fault::Signature)));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn where_it_is_required_others_are_refused_as_rfc_8224_says_and_leave_nothing_behind() {
    let mut w = asks(3, Demand::Require);
    let tried = |w: &mut World, notary, header: Option<String>| {
        w.notary = notary;
        let caller = calls(w, "4001", header);
        w.until(|w| refused(w, caller).is_some());
        refused(w, caller).unwrap()
    };
    let good = Some((ms(10), Ok(())));
    assert_eq!(tried(&mut w, good, None), 428);
    let old = signed(&w, "4001", 120, Attestation::A);
    assert_eq!(tried(&mut w, good, Some(old)), 403);
    for (fault, code) in [(Fault::NoCertificate, 436), (Fault::Certificate, 437), (Fault::Signature, 438)] {
        let header = signed(&w, "4001", 0, Attestation::B);
        assert_eq!(tried(&mut w, Some((ms(10), Err(fault))), Some(header)), code);
    }
    // Nobody ever says: the call does not wait for ever.
    let (header, began) = (signed(&w, "4001", 0, Attestation::B), w.now().mono);
    assert_eq!(tried(&mut w, None, Some(header)), 436);
    assert!((secs(4)..secs(7)).contains(&w.now().mono.since(began)));
    let header = signed(&w, "4001", 0, Attestation::C);
    w.notary = good;
    let caller = calls(&mut w, "4001", Some(header));
    w.until(|w| w.is_up(caller));
    assert_eq!(recorded(&w).unwrap().attestation, Some(Attestation::C));
    assert_eq!(w.contacts(caller).len(), 1, "those that were refused were no contacts");
    let line = w.view().trunks[&TrunkId::parse("carrier").unwrap()].counts;
    assert_eq!((line.verified, line.unverified, line.unvouched), (1, 5, 1));
    w.hangs_up(caller);
    w.nothing_is_left();
}

#[test]
fn a_caller_who_hangs_up_while_being_verified_and_an_answer_that_comes_late_harm_nobody() {
    let mut w = asks(4, Demand::Inform);
    w.notary = Some((secs(2), Ok(())));
    let header = signed(&w, "4001", 0, Attestation::A);
    let caller = calls(&mut w, "4001", Some(header));
    w.until(|w| w.seals.len() == 1);
    w.pass(ms(200));
    w.hangs_up(caller);
    w.pass(secs(5));
    assert_eq!(w.contacts(caller).len(), 0);
    w.nothing_is_left();
}

#[test]
fn a_signature_heard_on_the_way_makes_no_second_call_while_it_is_fresh() {
    let mut w = asks(5, Demand::Require);
    let header = signed(&w, "4001", 0, Attestation::A);
    let caller = calls(&mut w, "4001", Some(header.clone()));
    w.until(|w| w.is_up(caller));
    // Whoever has heard it has to be quick, and is refused all the same.
    for wait in [2, 20, 30] {
        w.pass(secs(wait));
        let before = w.phone_of(caller).calls.len();
        calls(&mut w, "4001", Some(header.clone()));
        let stage = |w: &World| w.phone_of(caller).calls.values().nth(before).map(|c| c.stage);
        w.until(|w| matches!(stage(w), Some(Stage::Over(_))));
        assert_eq!(stage(&w), Some(Stage::Over(438)));
    }
    assert!(w.is_up(caller), "the call it was made for goes on");
    w.pass(secs(60));
    assert_eq!(w.contacts(caller).len(), 1);
    let fresh = signed(&w, "4001", 0, Attestation::A);
    let second = calls(&mut w, "4001", Some(fresh));
    w.until(|w| w.contacts(second).len() == 2);
    assert_eq!(recorded(&w).map(|v| v.verstat), Some(Verstat::Verified));
}

#[test]
fn what_a_carrier_writes_behind_numbers_neither_leads_astray_nor_takes_the_word_of_who_vouches() {
    let mut w = asks(8, Demand::Require);
    let carrier = w.carrier();
    w.phone_mut(carrier).user = format!("+{CARRIER};cpc=ordinary;oli=0;verstat=TN-Validation-Passed");
    let header = signed(&w, "4001", 0, Attestation::A);
    let caller = calls(&mut w, "4001;npdi;rn=+32470000000", Some(header));
    w.until(|w| w.is_up(caller));
    w.pass(ms(100));
    assert_eq!(recorded(&w).unwrap().verstat, Verstat::Verified);
    let view = w.view();
    let shown = view.interactions.values().next().unwrap();
    assert_eq!((shown.from.as_str(), shown.queue.as_ref().map(|q| q.as_str())), ("+3232221111", Some("support")));
    w.hangs_up(caller);
    w.nothing_is_left();
}
