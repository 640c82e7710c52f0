//! Webhooks: how far they have got, what waits, what is told again; nothing of another tenant.

use super::{Lab, on_both, story::*};
use crate::{
    base::{Wall, redact::Secret, secs},
    store::{Again, Delivery, DeliveryState, StoreError, Webhook},
};

on_both! {
    an_endpoint_goes_on_where_it_was_with_what_waits
    events_of_a_time_are_told_again_but_none_it_has_not_come_to
    what_is_over_is_forgotten_in_time_and_a_removed_endpoint_leaves_nothing
}

fn hook(of: &str) -> Webhook {
    Webhook {
        tenant: tenant(of),
        name: "crm".into(),
        uid: format!("{of}1"),
        url: "https://crm.example/in".into(),
        events: vec!["customer".into(), "ticket".into()],
        at_once: 1,
        secret: Secret::new("whsec_eA=="),
        old_secret: None,
        active: true,
        closed_why: None,
        failing_since: None,
        cursor: 0,
        made_at: NINE,
    }
}

fn told(seq: u64, state: DeliveryState) -> Delivery {
    Delivery {
        seq,
        kind: "ticket".into(),
        state,
        tries: 2,
        first_at: Some(NINE),
        last_at: Some(NINE + secs(5)),
        due_at: NINE + secs(30),
        status: Some(503),
        answer: Some("busy".into()),
        took_ms: Some(12),
    }
}

async fn an_endpoint_goes_on_where_it_was_with_what_waits(lab: &Lab) {
    let (mut w, other) = (hook("acme"), hook("globex"));
    lab.store.webhook_make(&w).await.unwrap();
    lab.store.webhook_make(&other).await.unwrap();
    assert!(matches!(lab.store.webhook_make(&w).await, Err(StoreError::Conflict { .. })));
    let (waits, done) = (told(3, DeliveryState::Waiting), told(4, DeliveryState::Delivered));
    lab.store.webhook_told(&w.uid, &[waits.clone(), done], 7, Some(NINE), None).await.unwrap();

    let store = lab.reopened().await;
    let found = store.webhook_get(&w.tenant, "crm").await.unwrap().unwrap();
    assert_eq!((found.cursor, found.failing_since), (7, Some(NINE)));
    assert_eq!(store.webhook_waiting(&w.uid, 10).await.unwrap(), [waits]);
    assert_eq!(store.webhook_counts(&w.uid).await.unwrap().waiting, 1);

    // What an administrator changes leaves its place alone, and what the courier writes leaves the rest.
    w.url = "https://crm.example/new".into();
    w.old_secret = Some((Secret::new("whsec_eQ=="), NINE + secs(60)));
    assert!(store.webhook_change(&w).await.unwrap());
    store.webhook_told(&w.uid, &[told(3, DeliveryState::Delivered)], 9, None, Some("failing")).await.unwrap();
    let found = store.webhook_get(&w.tenant, "crm").await.unwrap().unwrap();
    assert_eq!((found.cursor, found.url.as_str(), found.active), (9, w.url.as_str(), false));
    assert_eq!((found.closed_why.as_deref(), found.old_secret), (Some("failing"), w.old_secret.clone()));
    assert!(store.webhook_waiting(&w.uid, 10).await.unwrap().is_empty());
    assert_eq!(store.webhook_list(&other.tenant).await.unwrap(), [other]);
    assert_eq!(store.webhook_list_all().await.unwrap().len(), 2);
}

async fn events_of_a_time_are_told_again_but_none_it_has_not_come_to(lab: &Lab) {
    let w = hook("acme");
    lab.store.webhook_make(&w).await.unwrap();
    let mut s = Story::new("acme", 1);
    s.person("Alice Archer", "+3265551234"); // 1 to 3
    s.pass(60);
    s.ticket(1, "Broken box", None);
    let later = s.now;
    s.pass(60);
    s.ticket(2, "Lost box", None);
    let end = s.next_seq();
    lab.keep(s.facts()).await;
    let kinds = || ["customer", "ticket"];
    let all = lab.store.webhook_events(&w.tenant, kinds(), 0, u64::MAX, 100).await.unwrap();
    assert_eq!(all, (1..end).collect::<Vec<_>>());
    assert_eq!(lab.store.webhook_events(&w.tenant, ["ticket"], 0, 4, 100).await.unwrap(), [4]);
    assert!(lab.store.webhook_events(&tenant("globex"), kinds(), 0, u64::MAX, 100).await.unwrap().is_empty());
    assert!(lab.store.fact(&w.tenant, 2).await.unwrap().is_some());
    assert!(lab.store.fact(&tenant("globex"), 2).await.unwrap().is_none());

    lab.store.webhook_told(&w.uid, &[told(4, DeliveryState::Delivered)], 4, None, None).await.unwrap();
    let again = async |which, most| lab.store.webhook_again(&w, kinds(), which, NINE + secs(99), most).await.unwrap();
    assert_eq!(again(Again::Between(NINE, later), 100).await, 3, "those of the first minute");
    assert_eq!(again(Again::Between(NINE, Wall(i64::MAX)), 100).await, 4, "and not what comes by itself");
    assert_eq!(again(Again::One(end - 1), 100).await, 0);
    assert_eq!(again(Again::Between(NINE, Wall(i64::MAX)), 2).await, 2);
    let waiting = lab.store.webhook_waiting(&w.uid, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|d| (d.seq, d.tries)).collect::<Vec<_>>(), [(1, 0), (2, 0), (3, 0), (4, 0)]);
    assert!(lab.store.webhook_give_up(&w.uid, 2).await.unwrap());
    assert!(!lab.store.webhook_give_up(&w.uid, 2).await.unwrap(), "it waits no longer");
    assert_eq!(again(Again::One(2), 100).await, 1);
    lab.store.webhook_try(&w.uid, NINE).await.unwrap();
    assert_eq!(lab.store.webhook_waiting(&w.uid, 1).await.unwrap()[0].seq, 0, "a trial comes first");
}

async fn what_is_over_is_forgotten_in_time_and_a_removed_endpoint_leaves_nothing(lab: &Lab) {
    let w = hook("acme");
    lab.store.webhook_make(&w).await.unwrap();
    let all: Vec<Delivery> =
        (1..=10).map(|n| told(n, if n == 1 { DeliveryState::Waiting } else { DeliveryState::Failed })).collect();
    lab.store.webhook_told(&w.uid, &all, 10, None, None).await.unwrap();
    assert_eq!(lab.store.webhook_trim(&w.uid, NINE, 4).await.unwrap(), 5, "the newest few stay, and what waits");
    let left = lab.store.webhook_deliveries(&w.uid, None, None, 100).await.unwrap();
    assert_eq!(left.iter().map(|d| d.seq).collect::<Vec<_>>(), [10, 9, 8, 7, 1]);
    let page = lab.store.webhook_deliveries(&w.uid, Some(DeliveryState::Failed), Some(9), 1).await.unwrap();
    assert_eq!(page.iter().map(|d| d.seq).collect::<Vec<_>>(), [8]);
    assert_eq!(lab.store.webhook_trim(&w.uid, NINE + secs(6), 100).await.unwrap(), 4);
    assert!(lab.store.webhook_delete(&w.tenant, "crm").await.unwrap());
    assert!(lab.store.webhook_deliveries(&w.uid, None, None, 100).await.unwrap().is_empty());
    lab.store.webhook_told(&w.uid, &all, 10, None, None).await.unwrap();
    assert!(lab.store.webhook_delivery(&w.uid, 3).await.unwrap().is_none(), "what lands late is dropped");
}
