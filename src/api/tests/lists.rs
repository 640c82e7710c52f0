//! Long lists by the API: named, cut, taken away as a table.

use serde_json::json;

use super::{
    Browser, bearer, house,
    kit::{PATIENCE, tenant},
};
use crate::{
    base::{Wall, secs},
    center::command::Role,
    store::AuditEntry,
};

#[tokio::test]
async fn a_list_is_kept_with_filters_of_its_kind_and_no_others() {
    let h = house().await;
    let anna = Browser::of(&h, "anna").await;
    let keep = async |wish: serde_json::Value| anna.ask(&h, "POST", "/api/v1/views", Some(&wish.to_string())).await;
    let kept = keep(json!({"name": "Gold", "kind": "customers", "query": {"tier": "gold"}})).await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    let wrong = keep(json!({"name": "Gold", "kind": "contacts", "query": {"tier": "gold"}})).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (422, "invalid"));
    let listed = async |kind: &str| {
        let answer = anna.ask(&h, "GET", &format!("/api/v1/views?kind={kind}"), None).await;
        answer.json()["views"].as_array().unwrap().len()
    };
    assert_eq!((listed("customers").await, listed("contacts").await, listed("tickets").await), (1, 0, 0));
    // A list stays of its kind.
    let id = kept.json()["id"].as_str().unwrap().to_owned();
    let other = json!({"name": "Gold", "kind": "contacts", "query": {}}).to_string();
    assert_eq!(anna.ask(&h, "PUT", &format!("/api/v1/views/{id}"), Some(&other)).await.status, 422);
    let shared = keep(json!({"name": "All", "kind": "contacts", "shared": true, "query": {}})).await;
    assert_eq!((shared.status, shared.code().as_str()), (403, "not_allowed"));
}

#[tokio::test]
async fn the_audit_log_as_a_table_has_every_line_that_fits_and_no_formula() {
    let h = house().await;
    for n in 0..1_200u64 {
        let subject = format!("=cmd{n}");
        let entry = AuditEntry {
            at: Wall::from_unix_s(1_795_406_400) + secs(n),
            who: if n % 2 == 0 { "ada" } else { "sue" }.into(),
            what: "config.apply".into(),
            subject,
            before: None,
            after: (n == 0).then(|| "a,b\nc".into()),
        };
        h.store.audit_append(&tenant("demo"), &entry).await.unwrap();
    }
    let admin = bearer("demo", Role::Admin);
    let get = async |query: &str| h.ask("GET", &format!("/api/v1/audit?{query}"), &[("authorization", &admin)], None).await;
    let table = get("format=csv&who=ada").await;
    assert_eq!((table.status, table.header("content-type")), (200, "text/csv; charset=utf-8"));
    let text = table.text();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "n,at,who,what,subject,before,after");
    assert!(lines[1].ends_with(",ada,config.apply,'=cmd1198,,"), "the newest first: {}", lines[1]);
    assert_eq!(
        (lines[600], lines[601], lines.len()),
        ("1,2026-11-23T04:00:00.000Z,ada,config.apply,'=cmd0,,\"a,b", "c\"", 602)
    );
    let noted = get("what=audit.").await.json();
    assert_eq!(noted["entries"][0]["what"], "audit.export");
    assert!(noted["entries"][0]["after"].as_str().unwrap().contains("ada"));
    assert_eq!(get("format=xls").await.status, 422);
    assert_eq!(get("from=yesterday").await.status, 422);
}

#[tokio::test]
async fn many_customers_take_a_tier_or_a_tag_and_each_stands_for_itself() {
    let h = house().await;
    let known = crate::base::CustomerId::new(h.center.at(), &mut crate::base::Rng::seeded(5));
    h.center.knows("demo", known);
    let key = bearer("demo", Role::Agent);
    let ask = async |body: serde_json::Value| {
        h.ask("POST", "/api/v1/customers/changes", &[("authorization", &key)], Some(&body.to_string())).await
    };
    let customers = json!([known, "00000000-0000-7000-8000-000000000000", "x"]);
    let done = ask(json!({"customers": customers, "change": {"change": "tiered", "tier": "gold"}})).await;
    assert_eq!(done.json()["changed"], json!([known]));
    assert_eq!(done.json()["refused"].as_array().unwrap().len(), 2);
    let named = ask(json!({"customers": [known], "change": {"change": "named", "name": "Everybody"}})).await;
    assert_eq!((named.status, named.code().as_str()), (422, "invalid"));
    assert_eq!(ask(json!({"customers": [], "change": {"change": "tagged", "tag": "x"}})).await.status, 422);
}

#[tokio::test]
async fn a_key_says_when_it_was_used_and_one_nobody_uses_is_marked() {
    let h = house().await;
    let admin = bearer("demo", Role::Admin);
    let row = async |name: &str| {
        let answer = h.ask("GET", "/api/v1/api-keys", &[("authorization", &admin)], None).await.json();
        answer["keys"].as_array().unwrap().iter().find(|k| k["name"] == name).unwrap().clone()
    };
    // Written beside the request: a later answer has it.
    let noted = async {
        loop {
            let row = row("demo-admin").await;
            if row["used_at"].is_string() {
                return row;
            }
        }
    };
    let noted = tokio::time::timeout(PATIENCE, noted).await.expect("the use is noted in time");
    assert_eq!((&noted["used_at"], &noted["unused"]), (&json!(h.center.at().wall.rfc3339()), &json!(false)));
    // Made long ago, and never used.
    let other = row("demo-agent").await;
    assert_eq!((&other["used_at"], &other["unused"]), (&json!(null), &json!(true)));
}
