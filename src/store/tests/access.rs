//! The directory: configuration, logins, keys, sessions, visitors, the audit log.

use super::{Lab, StoreError, on_both, story::*};
use crate::{
    base::{InteractionId, Rng, VisitorId, Wall, redact::Secret, secs},
    center::command::Role,
    store::{ApiKey, AuditEntry, AuditFilter, ListedKey, Session, User, Visitor},
};

on_both! {
    a_code_is_taken_once_and_a_recovery_code_too
    a_change_of_a_login_or_the_configuration_is_seen_without_reading_them
    every_version_of_the_configuration_is_kept_and_the_last_one_holds
    a_login_is_found_in_its_own_tenant_only
    a_session_ends_by_the_clock_by_hand_and_with_its_login
    a_revoked_key_opens_nothing
    a_visitor_comes_back_to_the_open_chat
    the_audit_log_is_read_backwards_page_by_page
}

async fn every_version_of_the_configuration_is_kept_and_the_last_one_holds(lab: &Lab) {
    assert_eq!(lab.store.config_latest().await.unwrap(), None);
    assert_eq!(lab.store.config_append(NINE, "anna", "tenants: {}\n").await.unwrap(), 1);
    assert_eq!(lab.store.config_append(NINE + secs(5), "ben", "tenants: {acme: {}}\n").await.unwrap(), 2);
    let latest = lab.reopened().await.config_latest().await.unwrap().unwrap();
    assert_eq!((latest.version, latest.by.as_str(), latest.yaml.as_str()), (2, "ben", "tenants: {acme: {}}\n"));
    assert_eq!(lab.store.config_get(1).await.unwrap().unwrap().yaml, "tenants: {}\n");
    assert_eq!(lab.store.config_get(3).await.unwrap(), None);
    assert_eq!(lab.store.config_list(10).await.unwrap()[1], (1, NINE, "anna".into()));
}

fn login(at: &str, name: &str) -> User {
    User {
        tenant: tenant(at),
        login: agent(name),
        role: Role::Agent,
        password: Secret::new("$argon2id$v=19$.."),
        sip_md5: Some(Secret::new("939e7578ed9e3c518a452acee763bce9")),
        sip_sha256: None,
        disabled: false,
    }
}

async fn a_login_is_found_in_its_own_tenant_only(lab: &Lab) {
    let anna = login("acme", "anna");
    lab.store.user_put(NINE, &anna).await.unwrap();
    lab.store.user_put(NINE, &login("other", "zoe")).await.unwrap();
    assert_eq!(lab.store.user_get(&tenant("acme"), &agent("anna")).await.unwrap(), Some(anna.clone()));
    assert_eq!(lab.store.user_get(&tenant("other"), &agent("anna")).await.unwrap(), None);
    assert_eq!(lab.store.user_list(&tenant("acme")).await.unwrap(), [(anna.clone(), false)]);
    assert_eq!(lab.store.user_list_all().await.unwrap().len(), 2);

    let chief = User { role: Role::Supervisor, sip_md5: None, ..anna };
    lab.store.user_put(NINE, &chief).await.unwrap();
    assert_eq!(lab.store.user_get(&tenant("acme"), &agent("anna")).await.unwrap(), Some(chief));
    assert!(!lab.store.user_delete(&tenant("other"), &agent("anna")).await.unwrap());
    assert!(lab.store.user_delete(&tenant("acme"), &agent("anna")).await.unwrap());
    assert_eq!(lab.store.user_list_all().await.unwrap().len(), 1);
}

fn session(token: &str, name: &str, until: Wall) -> Session {
    Session {
        token_sha256: Secret::new(token),
        tenant: tenant("acme"),
        login: agent(name),
        csrf: Secret::new("c"),
        made_at: NINE,
        expires_at: until,
        device: "Firefox".into(),
        address: "192.0.2.7".into(),
        seen_at: NINE,
    }
}

async fn a_session_ends_by_the_clock_by_hand_and_with_its_login(lab: &Lab) {
    let store = &lab.store;
    for name in ["anna", "ben", "cleo"] {
        store.user_put(NINE, &login("acme", name)).await.unwrap();
    }
    let nobody = store.session_put(&session("t0", "nobody", NINE + secs(60))).await.expect_err("there is no such login");
    assert!(matches!(nobody, StoreError::Conflict { .. }), "{nobody}");

    store.session_put(&session("t1", "anna", NINE + secs(60))).await.unwrap();
    assert_eq!(
        store.session_find("t1", NINE).await.unwrap().map(|s| (s.session.login, s.role)),
        Some((agent("anna"), Role::Agent))
    );
    assert!(store.session_find("t1", NINE + secs(60)).await.unwrap().is_none(), "its hour is over");
    store.session_seen("t1", NINE + secs(30), NINE + secs(120)).await.unwrap();
    let open = store.session_list(&tenant("acme"), &agent("anna"), NINE).await.unwrap();
    assert_eq!((open[0].device.as_str(), open[0].address.as_str(), open[0].seen_at), ("Firefox", "192.0.2.7", NINE + secs(30)));
    assert!(store.session_list(&tenant("acme"), &agent("ben"), NINE).await.unwrap().is_empty());
    assert!(store.session_find("t1", NINE + secs(60)).await.unwrap().is_some());
    assert!(store.session_end("t1").await.unwrap() && !store.session_end("t1").await.unwrap());

    store.session_put(&session("t2", "ben", NINE + secs(60))).await.unwrap();
    store.user_put(NINE, &User { disabled: true, ..login("acme", "ben") }).await.unwrap();
    store.user_put(NINE, &login("acme", "ben")).await.unwrap();
    assert!(store.session_find("t2", NINE).await.unwrap().is_none(), "a login that comes back starts afresh");

    store.session_put(&session("t3", "cleo", NINE + secs(60))).await.unwrap();
    store.session_put(&session("t4", "cleo", NINE + secs(600))).await.unwrap();
    assert_eq!(store.sessions_sweep(NINE + secs(60)).await.unwrap(), 1);
    store.user_delete(&tenant("acme"), &agent("cleo")).await.unwrap();
    assert!(store.session_find("t4", NINE).await.unwrap().is_none(), "a login that is gone is signed out");
}

async fn a_code_is_taken_once_and_a_recovery_code_too(lab: &Lab) {
    let (store, of, anna) = (&lab.store, tenant("acme"), agent("anna"));
    store.user_put(NINE, &login("acme", "anna")).await.unwrap();
    store.session_put(&session("t1", "anna", NINE + secs(60))).await.unwrap();
    let asked = async || store.session_find("t1", NINE).await.unwrap().unwrap().factor;
    assert!(store.factor_begin(&of, &anna, &Secret::new("aa"), NINE).await.unwrap());
    assert!(store.factor_begin(&of, &anna, &Secret::new("bb"), NINE).await.unwrap(), "begun anew");
    assert!(!store.factor_step(&of, &anna, 7).await.unwrap() && !asked().await, "not confirmed yet");
    assert!(store.factor_confirm(&of, &anna, 7, &["r1".into(), "r2".into()]).await.unwrap());
    assert!(!store.factor_confirm(&of, &anna, 8, &[]).await.unwrap());
    assert!(!store.factor_begin(&of, &anna, &Secret::new("cc"), NINE).await.unwrap(), "nobody replaces it by the way");
    let kept = store.factor_get(&of, &anna).await.unwrap().unwrap();
    assert_eq!((kept.secret, kept.confirmed, asked().await), (Secret::new("bb"), true, true));
    assert!(!store.factor_step(&of, &anna, 7).await.unwrap(), "the code that confirmed it");
    assert!(store.factor_step(&of, &anna, 8).await.unwrap() && !store.factor_step(&of, &anna, 8).await.unwrap());
    assert!(store.recovery_use(&of, &anna, "r1").await.unwrap() && !store.recovery_use(&of, &anna, "r1").await.unwrap());
    assert_eq!(store.recovery_left(&of, &anna).await.unwrap(), 1);
    assert!(store.factor_remove(&of, &anna).await.unwrap() && !store.factor_remove(&of, &anna).await.unwrap());
    assert_eq!(store.recovery_left(&of, &anna).await.unwrap(), 0);
}

async fn a_change_of_a_login_or_the_configuration_is_seen_without_reading_them(lab: &Lab) {
    let before = lab.store.directory_state().await.unwrap();
    lab.store.user_put(NINE, &login("acme", "anna")).await.unwrap();
    let made = lab.store.directory_state().await.unwrap();
    lab.store.config_append(NINE, "ada", "tenants: {}").await.unwrap();
    let applied = lab.store.directory_state().await.unwrap();
    lab.store.user_delete(&tenant("acme"), &agent("anna")).await.unwrap();
    let gone = lab.store.directory_state().await.unwrap();
    assert_eq!((before.0, made.0, applied.0, gone.0), (0, 0, 1, 1));
    assert!(before.1 < made.1 && made.1 == applied.1 && applied.1 < gone.1, "{before:?} {made:?} {applied:?} {gone:?}");
}

async fn a_revoked_key_opens_nothing(lab: &Lab) {
    let key = ApiKey {
        tenant: tenant("acme"),
        name: "crm".into(),
        role: Role::Admin,
        key_sha256: Secret::new("aa11"),
        made_at: NINE,
    };
    lab.store.api_key_put(&key).await.unwrap();
    let twice = lab.store.api_key_put(&ApiKey { key_sha256: Secret::new("bb22"), ..key.clone() }).await;
    assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
    assert_eq!(lab.store.api_key_find("aa11").await.unwrap(), Some(key.clone()));
    assert_eq!(lab.store.api_key_list(&tenant("acme")).await.unwrap(), [ListedKey { key, used_at: None }]);
    assert!(lab.store.api_key_list(&tenant("other")).await.unwrap().is_empty());
    assert!(!lab.store.api_key_delete(&tenant("other"), "crm").await.unwrap());
    assert!(lab.store.api_key_delete(&tenant("acme"), "crm").await.unwrap());
    assert_eq!(lab.store.api_key_find("aa11").await.unwrap(), None);
}

async fn a_visitor_comes_back_to_the_open_chat(lab: &Lab) {
    let now = crate::base::Now { mono: crate::base::Mono(0), wall: NINE };
    let mut rng = Rng::seeded(5);
    let (id, chat) = (VisitorId::new(now, &mut rng), InteractionId::new(now, &mut rng));
    let visitor = Visitor { tenant: tenant("acme"), id, token_sha256: Secret::new("vv"), interaction: None, seen_at: NINE };
    lab.store.visitor_put(&visitor).await.unwrap();
    assert!(lab.store.visitor_seen(&tenant("acme"), id, Some(chat), NINE + secs(9)).await.unwrap());
    assert!(!lab.store.visitor_seen(&tenant("other"), id, None, NINE + secs(10)).await.unwrap());
    let back = lab.store.visitor_find("vv").await.unwrap().unwrap();
    assert_eq!((back.interaction, back.seen_at), (Some(chat), NINE + secs(9)));
    assert_eq!(lab.store.visitor_get(&tenant("other"), id).await.unwrap(), None);
    assert_eq!(lab.store.visitors_sweep(NINE + secs(9)).await.unwrap(), 0);
    assert_eq!(lab.store.visitors_sweep(NINE + secs(10)).await.unwrap(), 1);
}

async fn the_audit_log_is_read_backwards_page_by_page(lab: &Lab) {
    for i in 0..5 {
        let entry = AuditEntry {
            at: NINE + secs(i),
            who: "anna".into(),
            what: "user.put".into(),
            subject: format!("user {i}"),
            before: None,
            after: Some("{}".into()),
        };
        lab.store.audit_append(&tenant("acme"), &entry).await.unwrap();
    }
    let first = lab.store.audit_list(&tenant("acme"), &AuditFilter::default(), 3).await.unwrap();
    let rest = lab
        .store
        .audit_list(&tenant("acme"), &AuditFilter { before: Some(first[2].n), ..Default::default() }, 3)
        .await
        .unwrap();
    let subjects: Vec<&str> = first.iter().chain(&rest).map(|r| r.entry.subject.as_str()).collect();
    assert_eq!(subjects, ["user 4", "user 3", "user 2", "user 1", "user 0"]);
    assert!(lab.store.audit_list(&tenant("other"), &AuditFilter::default(), 3).await.unwrap().is_empty());
}
