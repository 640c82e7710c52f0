//! What people look up in long lists: contacts by number and name, named lists, the audit log, keys, holds.

use std::collections::BTreeSet;

use super::{Lab, on_both, story::*};
use crate::{
    base::{Channel, CustomerId, InteractionId, limits, redact::Secret, secs},
    center::{
        command::Role,
        fact::{Fact, Way},
    },
    customer::Change,
    store::{ApiKey, AuditEntry, AuditFilter, ContactSearch, Held, Hold, InteractionFilter, NamedHold, SavedView, ViewKind},
};

on_both! {
    a_contact_is_found_by_the_end_of_its_number_and_by_the_name_of_who_it_was
    a_named_list_is_of_one_kind_and_there_are_only_so_many
    the_audit_log_is_cut_by_who_what_whom_and_when
    the_use_of_a_key_is_kept_and_never_goes_back
    a_hold_is_listed_by_what_people_call_it
}

fn comes(s: &mut Story, customer: CustomerId, way: Way, channel: Channel, number: &str) -> InteractionId {
    s.pass(1);
    let interaction = InteractionId::new(
        crate::base::Now { mono: crate::base::Mono(0), wall: s.now },
        &mut crate::base::Rng::seeded(s.next_seq()),
    );
    let (from, to) = if way == Way::Outbound { ("4000", number) } else { (number, "4000") };
    let (from, to) = (from.to_owned(), to.to_owned());
    s.tell(Fact::InteractionOpened {
        interaction,
        channel,
        way,
        to,
        from,
        customer,
        ticket: None,
        visitor: None,
        verdict: None,
    });
    interaction
}

async fn a_contact_is_found_by_the_end_of_its_number_and_by_the_name_of_who_it_was(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let (wei, twin, bob) =
        (s.person("Li Wei", "+8613812345678"), s.person("Wei L.", "+8613800000000"), s.person("Bob", "+3265551234"));
    let (voice, webchat) = (Channel::Voice, Channel::Webchat);
    let called = comes(&mut s, wei, Way::Inbound, voice, "+8613812345678");
    let back = comes(&mut s, wei, Way::Outbound, voice, "+8613812345678");
    let other = comes(&mut s, twin, Way::Inbound, voice, "+8613800000000");
    let bobs = comes(&mut s, bob, Way::Inbound, voice, "+3265551234");
    let short = comes(&mut s, bob, Way::Internal, voice, "5678");
    comes(&mut s, bob, Way::Inbound, voice, "anonymous");
    let chat = comes(&mut s, wei, Way::Inbound, webchat, "Li Wei");
    s.tell(Fact::Customer { customer: wei, change: Change::Absorbed { from: twin } });
    lab.keep(s.facts()).await;
    let mut foreign = Story::new("other", s.next_seq());
    let theirs = foreign.person("Li Wei", "+8613812345678");
    comes(&mut foreign, theirs, Way::Inbound, voice, "+8613812345678");
    lab.keep(foreign.facts()).await;

    let find = async |search: ContactSearch| {
        let filter = InteractionFilter { search: Some(search), limit: 100, ..Default::default() };
        let page = lab.store.interaction_list(&s.tenant, &filter).await.unwrap();
        page.items.iter().map(|i| i.id).collect::<Vec<_>>()
    };
    let number = |ends: &[&str]| ContactSearch::Number(ends.iter().map(|e| (*e).to_owned()).collect());
    let name = |name: &str| ContactSearch::Name(name.into());
    let looked_up = async || {
        assert_eq!(find(number(&["8613812345678"])).await, [back, called]);
        assert_eq!(find(number(&["5678"])).await, [short, back, called], "the newest first");
        assert_eq!(find(number(&["5551234", "0000"])).await, [bobs, other]);
        assert_eq!(find(number(&["13812345679"])).await, []);
        assert_eq!(find(number(&[])).await, []);
        assert_eq!(find(name("wei")).await, [chat, other, back, called], "also who was merged into them");
        assert_eq!(find(name("WEI li")).await, [chat, other, back, called]);
        assert_eq!(find(name("li bob")).await, []);
    };
    looked_up().await;
    // Page by page, the cursor holds.
    let mut filter = InteractionFilter { search: Some(number(&["5678"])), limit: 2, ..Default::default() };
    let first = lab.store.interaction_list(&s.tenant, &filter).await.unwrap();
    filter.after = crate::store::Cursor::parse(&first.next.unwrap());
    let rest = lab.store.interaction_list(&s.tenant, &filter).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.items[0].id, rest.next), (2, 1, called, None));

    lab.store.rebuild_projections().await.unwrap();
    looked_up().await;
}

async fn a_named_list_is_of_one_kind_and_there_are_only_so_many(lab: &Lab) {
    let view = |id: &str, kind, owner: &str, shared| SavedView {
        id: id.into(),
        kind,
        owner: agent(owner),
        shared,
        name: id.into(),
        body: "{}".into(),
        made_at: NINE,
    };
    let (acme, anna) = (tenant("acme"), agent("anna"));
    let mine = view("late", ViewKind::Customers, "anna", false);
    assert!(lab.store.view_put(&acme, &mine).await.unwrap());
    assert!(lab.store.view_put(&acme, &view("ours", ViewKind::Contacts, "susan", true)).await.unwrap());
    assert!(lab.store.view_put(&acme, &view("hers", ViewKind::Contacts, "susan", false)).await.unwrap());
    let names = async |who, kind| {
        let views = lab.store.view_list(&acme, who, kind).await.unwrap();
        views.into_iter().map(|v| v.id).collect::<Vec<_>>()
    };
    assert_eq!(names(Some(&anna), None).await, ["late", "ours"]);
    assert_eq!(names(Some(&anna), Some(ViewKind::Customers)).await, ["late"]);
    assert_eq!(names(Some(&anna), Some(ViewKind::Tickets)).await, [""; 0]);
    assert_eq!(names(None, None).await, ["ours"]);
    assert_eq!(lab.store.view_get(&acme, "late").await.unwrap(), Some(mine.clone()));
    assert_eq!(lab.store.view_get(&tenant("other"), "late").await.unwrap(), None);
    assert!(lab.store.view_list(&tenant("other"), Some(&anna), None).await.unwrap().is_empty());

    for n in 1..limits::VIEWS_MAX {
        assert!(lab.store.view_put(&acme, &view(&format!("a{n}"), ViewKind::Tickets, "anna", false)).await.unwrap());
    }
    assert!(!lab.store.view_put(&acme, &view("one-more", ViewKind::Contacts, "anna", false)).await.unwrap());
    assert!(lab.store.view_put(&acme, &SavedView { name: "Later".into(), ..mine }).await.unwrap(), "changing is no new one");
    for n in 1..limits::VIEWS_SHARED_MAX {
        let owner = format!("s{}", n % 10);
        assert!(lab.store.view_put(&acme, &view(&format!("s{n}"), ViewKind::Tickets, &owner, true)).await.unwrap());
    }
    assert!(!lab.store.view_put(&acme, &view("shared", ViewKind::Tickets, "zoe", true)).await.unwrap());
    assert!(lab.store.view_put(&acme, &view("own", ViewKind::Tickets, "zoe", false)).await.unwrap());
    let all = lab.store.view_list(&acme, Some(&anna), None).await.unwrap();
    assert_eq!(all.len(), limits::VIEWS_MAX + limits::VIEWS_SHARED_MAX, "nothing is cut off");
}

async fn the_audit_log_is_cut_by_who_what_whom_and_when(lab: &Lab) {
    let acme = tenant("acme");
    let note = async |n: u64, who: &str, what: &str, subject: &str| {
        let (who, what, subject) = (who.to_owned(), what.to_owned(), subject.to_owned());
        let entry = AuditEntry { at: NINE + secs(n), who, what, subject, before: None, after: None };
        lab.store.audit_append(&acme, &entry).await.unwrap();
    };
    note(1, "admin", "user.create", "anna").await;
    note(2, "key:crm", "user.change", "anna").await;
    note(3, "admin", "config.apply", "acme").await;
    note(4, "admin", "user.delete", "annabel").await;
    let find = async |filter: AuditFilter| {
        let rows = lab.store.audit_list(&acme, &filter, 10).await.unwrap();
        rows.into_iter().map(|r| r.entry.what).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(find(AuditFilter { who: Some("key:crm".into()), ..all() }).await, ["user.change"]);
    assert_eq!(find(AuditFilter { what: Some("user.".into()), ..all() }).await, ["user.delete", "user.change", "user.create"]);
    assert_eq!(
        find(AuditFilter { subject: Some("anna".into()), ..all() }).await,
        ["user.delete", "user.change", "user.create"]
    );
    let (from, to) = (Some(NINE + secs(2)), Some(NINE + secs(4)));
    assert_eq!(find(AuditFilter { from, to, ..all() }).await, ["config.apply", "user.change"]);
    let admins = AuditFilter { who: Some("admin".into()), what: Some("user.".into()), to, ..all() };
    assert_eq!(find(admins.clone()).await, ["user.create"]);
    assert!(lab.store.audit_list(&tenant("other"), &admins, 10).await.unwrap().is_empty());
}

async fn the_use_of_a_key_is_kept_and_never_goes_back(lab: &Lab) {
    let acme = tenant("acme");
    let key = |n: usize| ApiKey {
        tenant: acme.clone(),
        name: format!("key{n:03}"),
        role: Role::Agent,
        key_sha256: Secret::new(format!("{n:03}")),
        made_at: NINE,
    };
    for n in 0..limits::API_KEYS_MAX {
        assert!(lab.store.api_key_put(&key(n)).await.unwrap());
    }
    assert!(!lab.store.api_key_put(&key(999)).await.unwrap(), "there are enough");
    assert!(lab.store.api_key_put(&ApiKey { tenant: tenant("other"), ..key(999) }).await.unwrap(), "not for others");
    let used = async || lab.store.api_key_list(&acme).await.unwrap()[1].used_at;
    assert_eq!(used().await, None);
    lab.store.api_key_used("001", NINE + secs(60)).await.unwrap();
    lab.store.api_key_used("001", NINE).await.unwrap();
    assert_eq!(used().await, Some(NINE + secs(60)), "what two nodes say in the wrong order");
    let keys = lab.store.api_key_list(&acme).await.unwrap();
    assert_eq!((keys.len(), keys.iter().filter(|k| k.used_at.is_some()).count()), (limits::API_KEYS_MAX, 1));
}

async fn a_hold_is_listed_by_what_people_call_it(lab: &Lab) {
    let mut s = Story::new("acme", 1);
    let alice = s.person("Alice Archer", "+3265551234");
    let matter = s.ticket(7, "Broken box", Some(alice));
    let call = comes(&mut s, alice, Way::Outbound, Channel::Voice, "+3265551234");
    let began = s.now;
    lab.keep(s.facts()).await;
    let (person, ticket) = (alice.to_string(), matter.head().id.to_string());
    for (kind, id) in [(Held::Customer, person), (Held::Ticket, ticket), (Held::Interaction, call.to_string())] {
        let hold = Hold { kind, id, who: "admin".into(), at: NINE, reason: "case 7".into() };
        lab.store.hold_put(&s.tenant, &hold).await.unwrap();
    }
    let holds = lab.store.hold_list(&s.tenant, 10).await.unwrap();
    let called = |h: &NamedHold| (h.hold.kind.as_str(), h.name.clone(), h.number, h.began);
    let names: BTreeSet<_> = holds.iter().map(called).collect();
    let wanted = [
        ("customer", "Alice Archer".to_owned(), None, None),
        ("interaction", "+3265551234".to_owned(), None, Some(began)),
        ("ticket", "Broken box".to_owned(), Some(7), None),
    ];
    assert_eq!(names, BTreeSet::from(wanted));
}
