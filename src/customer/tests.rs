//! Stories of customers.

use proptest::prelude::*;

use super::*;
use crate::{
    base::{Channel, Mono, Now, Rng},
    customer::{ConsentKind, Tier},
};

fn at(s: i64) -> Wall {
    Wall::from_unix_s(1_795_406_400 + s)
}

fn id(n: u64) -> CustomerId {
    CustomerId::new(Now { mono: Mono(0), wall: at(n as i64) }, &mut Rng::seeded(n))
}

fn number(n: &str) -> Identity {
    Identity::number(n).unwrap()
}

fn visitor(n: &str) -> Identity {
    Identity::channel(Channel::Webchat, n).unwrap()
}

fn named(name: &str) -> Change {
    Change::Named { name: name.into() }
}

fn linked(identity: Identity) -> Change {
    Change::Linked { identity, trust: Trust::Unverified }
}

#[test]
fn who_calls_twice_is_one_person_and_a_calling_number_proves_nothing() {
    let mut d = Directory::default();
    let first = d.find_or_create(at(0), number("+3265551234"), Trust::Unverified, id(1)).unwrap();
    assert_eq!((first.customer, first.entries.len()), (id(1), 2));
    let again = d.find_or_create(at(9), number("+3265551234"), Trust::Unverified, id(2)).unwrap();
    assert_eq!(again, Found { customer: id(1), trust: Trust::Unverified, entries: vec![] });

    let proved = d.find_or_create(at(10), number("+3265551234"), Trust::Verified, id(2)).unwrap();
    assert_eq!((proved.trust, proved.entries.len()), (Trust::Verified, 1));
    let forged = d.find_or_create(at(11), number("+3265551234"), Trust::Unverified, id(2)).unwrap();
    assert_eq!(forged.trust, Trust::Unverified, "the number was proved once; this call was not");
    assert_eq!(d.get(id(1)).unwrap().trust_in(&number("+3265551234")), Some(Trust::Verified));
}

#[test]
fn the_caller_and_the_visitor_turn_out_to_be_one_person_and_nothing_is_lost() {
    let mut d = Directory::default();
    d.find_or_create(at(0), number("+3265551234"), Trust::Unverified, id(1)).unwrap();
    d.find_or_create(at(5), visitor("cookie"), Trust::Unverified, id(2)).unwrap();
    let consent = |granted| {
        let how = "asked by anna".to_owned();
        Change::Consented { kind: ConsentKind::Recording, channel: None, granted, how }
    };
    d.apply(at(6), id(2), named("Alice Archer")).unwrap();
    d.apply(at(7), id(2), Change::Tiered { tier: Tier::Vip }).unwrap();
    d.apply(at(8), id(1), consent(true)).unwrap();
    d.apply(at(9), id(2), consent(false)).unwrap();
    d.apply(at(9), id(2), Change::Attribute { key: "shoe".into(), value: Some("38".into()) }).unwrap();

    let taken = d.apply(at(10), id(1), linked(visitor("cookie")));
    assert_eq!(taken, Err(CustomerError::Taken { identity: visitor("cookie"), owner: id(2) }));
    d.apply(at(10), id(1), Change::Absorbed { from: id(2) }).unwrap();

    let alice = d.by_identity(&visitor("cookie")).unwrap();
    assert_eq!((alice.id, alice.name.as_str(), alice.tier), (id(1), "Alice Archer", Tier::Vip));
    assert_eq!(alice.consents_to(ConsentKind::Recording, Channel::Voice), Some(false), "the later word holds");
    assert_eq!(alice.consents_to(ConsentKind::Contact, Channel::Voice), None);
    assert_eq!(d.get(id(2)).unwrap().id, id(1), "yesterday's id still finds her");
    assert_eq!(d.search("arch", 5).len(), 1);
    assert_eq!(d.apply(at(11), id(2), named("Alice")).unwrap().customer, id(1));
    assert_eq!(d.apply(at(12), id(1), Change::Absorbed { from: id(2) }), Err(CustomerError::IntoItself { id: id(1) }));
    assert_eq!(d.apply(at(12), id(2), Change::Created), Err(CustomerError::Exists { id: id(1) }));
}

#[test]
fn a_customer_is_found_by_the_beginning_of_any_name_or_of_the_number() {
    let mut d = Directory::default();
    for (n, name, phone) in [(1, "Alice Archer", "+3265551234"), (2, "王 小明", "+8613812345678"), (3, "Arno", "4711")] {
        d.find_or_create(at(0), number(phone), Trust::Unverified, id(n)).unwrap();
        d.apply(at(1), id(n), named(name)).unwrap();
    }
    let ids = |q: &str| d.search(q, 10).iter().map(|c| c.id).collect::<Vec<_>>();
    assert_eq!(ids("AR"), [id(1), id(3)]);
    assert_eq!(ids("小"), [id(2)]);
    assert_eq!(ids("+86138"), [id(2)]);
    assert_eq!(ids("86138"), [id(2)]);
    assert_eq!(ids("47"), [id(3)]);
    assert_eq!(ids(""), []);
    assert_eq!(d.search("a", 1).len(), 1);
}

#[test]
fn an_identity_taken_away_points_to_nobody_until_it_comes_again() {
    let mut d = Directory::default();
    d.find_or_create(at(0), number("+3265551234"), Trust::Unverified, id(1)).unwrap();
    d.apply(at(1), id(1), Change::Unlinked { identity: number("+3265551234") }).unwrap();
    assert!(d.by_identity(&number("+3265551234")).is_none());
    let again = Change::Unlinked { identity: number("+3265551234") };
    assert!(matches!(d.apply(at(2), id(1), again), Err(CustomerError::NotTheirs { .. })));
    let found = d.find_or_create(at(3), number("+3265551234"), Trust::Unverified, id(2)).unwrap();
    assert_eq!(found.customer, id(2));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let mut d = Directory::default();
    d.apply(at(0), id(1), Change::Created).unwrap();
    for i in 0..limits::IDENTITIES_MAX {
        d.apply(at(1), id(1), linked(visitor(&i.to_string()))).unwrap();
    }
    let one_more = d.apply(at(2), id(1), linked(visitor("more")));
    assert_eq!(one_more.unwrap_err().to_string(), "a customer has at most 64 identities");
    assert!(d.apply(at(2), id(1), linked(visitor("0"))).is_ok(), "a known one is not one more");
    assert!(matches!(d.apply(at(2), id(1), named("a\nb")), Err(CustomerError::BadText { what: "a name", .. })));
    assert_eq!(d.apply(at(2), id(9), named("x")), Err(CustomerError::Unknown { id: id(9) }));
}

fn change(what: u8, n: u64) -> Change {
    match what {
        0 => Change::Created,
        1 => named(["Alice Archer", "Ben", "Alice"][n as usize % 3]),
        2 => linked(number(&format!("+32655512{:02}", n % 6))),
        3 => Change::Linked { identity: visitor(&(n % 6).to_string()), trust: Trust::Verified },
        4 => Change::Unlinked { identity: visitor(&(n % 6).to_string()) },
        5 => Change::Absorbed { from: id(n % 4) },
        6 => Change::Attribute { key: format!("k{}", n % 3), value: (n.is_multiple_of(2)).then(|| n.to_string()) },
        7 => Change::Tagged { tag: format!("t{}", n % 3) },
        8 => Change::Speaks { lang: Some("zh-CN".into()) },
        _ => Change::Consented { kind: ConsentKind::Contact, channel: None, granted: n.is_multiple_of(2), how: "x".into() },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_alone_gives_the_same_directory_and_every_identity_leads_to_whoever_owns_it(
        steps in prop::collection::vec((0u8..10, 0u64..4, 0u64..12), 0..80)
    ) {
        let mut d = Directory::default();
        let mut kept = Vec::new();
        for (i, (what, who, n)) in steps.into_iter().enumerate() {
            if let Ok(entry) = d.apply(at(i as i64), id(who), change(what, n)) {
                let written = serde_json::to_string(&entry).unwrap();
                kept.push(serde_json::from_str::<Entry>(&written).unwrap());
            }
        }
        let mut back = Directory::default();
        kept.iter().for_each(|e| back.replay(e).unwrap());
        prop_assert_eq!(&back, &d);
        let owned: usize = d.iter().map(|c| c.identities.len()).sum();
        prop_assert_eq!(owned, d.by_identity.len());
        for c in d.iter() {
            for l in &c.identities {
                prop_assert_eq!(d.by_identity(&l.identity).map(|o| o.id), Some(c.id));
            }
        }
        prop_assert!(d.redirects.values().all(|to| d.customers.contains_key(to)));
    }
}

#[test]
fn whoever_is_erased_and_rings_again_is_somebody_new_and_what_is_left_of_the_log_tells_the_same() {
    let (mut d, mut log) = (Directory::default(), Vec::new());
    for (n, who, change) in [
        (0, 1, Change::Created),
        (1, 1, named("Alice Archer")),
        (2, 1, linked(number("+3265551234"))),
        (3, 2, Change::Created),
        (4, 2, linked(visitor("v-1"))),
        (5, 1, Change::Absorbed { from: id(2) }),
        (6, 2, Change::Erased),
    ] {
        log.push(d.apply(at(n), id(who), change).unwrap());
    }
    let left = d.get(id(2)).unwrap();
    assert_eq!((left.id, left.name.as_str(), left.identities.len(), left.erased), (id(1), "", 0, Some(at(6))));
    assert!(d.search("archer", 9).is_empty() && d.by_identity(&visitor("v-1")).is_none());
    let again = d.find_or_create(at(9), number("+3265551234"), Trust::Unverified, id(3)).unwrap();
    assert_eq!(again.customer, id(3));

    let kept = |e: &&Entry| matches!(e.change, Change::Created | Change::Absorbed { .. } | Change::Erased);
    let (mut whole, mut rest) = (Directory::default(), Directory::default());
    log.iter().for_each(|e| whole.replay(e).unwrap());
    log.iter().filter(kept).for_each(|e| rest.replay(e).unwrap());
    assert_eq!(whole, rest);
}
