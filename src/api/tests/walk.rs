//! Every route of the OpenAPI document, tried by whoever must not pass: nobody, a lower role, another tenant.

use serde_json::Value;

use super::{rights::Need, *};
use crate::{
    base::{OfferId, TicketId},
    store::SavedView,
};

/// The routes as the document has them: method, path.
fn documented() -> Vec<(String, String)> {
    let doc: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut routes = vec![("GET".to_owned(), "/api/v1/openapi.json".to_owned())];
    for (path, item) in doc["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.push((method.to_uppercase(), path.clone()));
        }
    }
    routes
}

/// A body the route understands, so that a refusal is about rights and not about the body.
fn body(method: &str, path: &str) -> Option<&'static str> {
    let end = path.rsplit('/').next().unwrap_or_default();
    Some(match (method, end) {
        ("GET" | "DELETE", _) => return None,
        (_, "login") => r#"{"login":"x","password":"y"}"#,
        (_, "password") => r#"{"old":"wrong","new":"0123456789"}"#,
        (_, "factor") => r#"{"password":"wrong"}"#,
        (_, "confirm" | "off") => r#"{"code":"000000"}"#,
        (_, "state") => r#"{"state":"ready"}"#,
        (_, "dial" | "call") => r#"{"number":"4000"}"#,
        (_, "hold") => r#"{"on":true}"#,
        (_, "transfer") => r#"{"to":{"kind":"queue","queue":"sales"}}"#,
        (_, "dispose") => r#"{"code":"sold","agent":"anna"}"#,
        (_, "wrap-up-done") => r#"{"agent":"anna"}"#,
        (_, "extend-wrap-up") => r#"{"by_s":30,"agent":"anna"}"#,
        (_, "priority") => r#"{"minutes":5}"#,
        (_, "assign") => r#"{"agent":"anna"}"#,
        (_, "supervise") => r#"{"mode":"listen","supervisor":"anna"}"#,
        (_, "take-over" | "pull") => r#"{"supervisor":"anna"}"#,
        (_, "consult") => r#"{"to":{"kind":"agent","agent":"ben"}}"#,
        (_, "dtmf") => r#"{"digits":"12#"}"#,
        (_, "mute") => r#"{"on":true}"#,
        (_, "recording") => r#"{"action":"pause"}"#,
        (_, "messages" | "notes") => r#"{"client_id":"c","body":"hello"}"#,
        (_, "read") => r#"{"seq":1}"#,
        (_, "endpoint") => r#"{"kind":"phone"}"#,
        (_, "tickets") => r#"{"title":"t"}"#,
        (_, "viewing") => r#"{"here":true}"#,
        (_, "views") => r#"{"name":"Mine","kind":"tickets","query":{"owner":"me"}}"#,
        ("PUT", _) if path.contains("/views") => r#"{"name":"Everybody's","kind":"tickets","shared":true,"query":{}}"#,
        (_, "changes") if path.ends_with("tickets/changes") => r#"{"tickets":["0"],"change":{"change":"noted","text":"n"}}"#,
        (_, "changes") if path.ends_with("customers/changes") => {
            r#"{"customers":["0"],"change":{"change":"tagged","tag":"t"}}"#
        }
        (_, "changes") if path.contains("tickets") => r#"{"change":"noted","text":"n"}"#,
        (_, "changes") => r#"{"change":"named","name":"n"}"#,
        ("POST", "users") => r#"{"login":"new-user","role":"agent"}"#,
        ("PUT", _) if path.contains("users") => r#"{"new_password":true}"#,
        ("PUT", _) if path.contains("reports") => r#"{"by":"agents"}"#,
        ("PUT", _) if path.contains("holds") => r#"{"reason":"case 7"}"#,
        (_, "api-keys") => r#"{"name":"new-key","role":"agent"}"#,
        (_, "replay") => r#"{"seq":1}"#,
        (_, "rollback") => r#"{"version":1}"#,
        (_, "flows" | "validate" | "simulate") => r#"{"text":"flow: x"}"#,
        _ => "{}",
    })
}

/// When the kept report was due.
const DUE: &str = "2026-11-23T03:00:00.000Z";

struct Ids {
    interaction: String,
    offer: String,
    ticket: String,
    customer: String,
}

impl Ids {
    fn fill(&self, path: &str) -> String {
        let id = match path.split('/').nth(3).unwrap_or_default() {
            "interactions" => &self.interaction,
            "offers" => &self.offer,
            "tickets" => &self.ticket,
            "customers" => &self.customer,
            // Of the kinds that can be held.
            "holds" => &self.ticket,
            _ => "anna",
        };
        let path = path.replace("{id}", id).replace("{name}", "demo-agent").replace("{version}", "1").replace("{seq}", "1");
        let path = path.replace("{due_at}", DUE).replace("{kind}", "ticket");
        let path = path.replace("{queue}", "support").replace("{metric}", "waiting");
        if path.ends_with("/files") { path + "?client_id=c1&name=a.txt" } else { path }
    }
}

async fn demo_things(h: &House) -> Ids {
    let (now, rng) = (h.center.at(), &mut Rng::seeded(123));
    let interaction = annas_call(h).await;
    let (offer, ticket, customer) = (OfferId::new(now, rng), TicketId::new(now, rng), CustomerId::new(now, rng));
    for thing in [offer.to_string(), ticket.to_string(), customer.to_string(), "support/waiting".to_owned()] {
        h.center.knows("demo", thing);
    }
    let opening = json!({"n": 1, "at": 0, "by": "system", "change": "opened", "id": ticket, "number": 1, "title": "t"});
    h.center.happens("demo", Fact::Ticket { ticket, entry: serde_json::from_value(opening).unwrap() });
    h.center.happens("demo", Fact::Customer { customer, change: crate::customer::Change::Created });
    let r = crate::base::RecordingId::new(now, rng);
    h.center.happens("demo", Fact::RecordingStarted { interaction, recording: r, file: "a.wav".into() });
    let body = crate::center::ladder::Ladder::default().pack();
    let ladder = crate::store::LadderRow { tenant: tenant("demo"), interaction, at: now.wall, messages: 0, body };
    h.store.ladder_put(vec![ladder]).await.unwrap();
    let (name, body) = ("Everybody's".to_owned(), "{}".to_owned());
    let kind = crate::store::ViewKind::Tickets;
    let view = SavedView { id: "anna".into(), kind, owner: agent("anna"), shared: true, name, body, made_at: now.wall };
    assert!(h.store.view_put(&tenant("demo"), &view).await.unwrap());
    let (made_at, made_for) = (now.wall, None);
    let what = r#"{"by":"agents","step_min":30,"span":"day","queue":null,"schedule":null}"#.to_owned();
    let report = crate::store::SavedReport { name: "demo-agent".into(), owner: "sue".into(), made_at, made_for, body: what };
    assert!(h.store.saved_report_put(&tenant("demo"), &report).await.unwrap());
    let due_at = Wall::parse_rfc3339(DUE).unwrap();
    let file = crate::store::ReportFile { due_at, from: due_at, to: due_at, body: String::new() };
    h.store.report_file_put(&tenant("demo"), "demo-agent", due_at, Some(&file)).await.unwrap();
    h.settled().await;
    std::fs::write(h.dir.path().join("recordings/a.wav"), b"RIFF").unwrap();
    let content = "a".repeat(64);
    let file = json!({"id": content, "name": "a.txt", "kind": "text", "bytes": 5});
    let message = json!({"id": interaction, "seq": 1, "sender": "visitor", "text": "a.txt", "file": file, "at": 0});
    h.center.happens("demo", Fact::Message { interaction, message: serde_json::from_value(message).unwrap() });
    h.settled().await;
    std::fs::create_dir_all(h.dir.path().join("files/demo/aa")).unwrap();
    std::fs::write(h.dir.path().join("files/demo/aa").join(content), b"hello").unwrap();
    let flow = crate::base::FlowId::parse("demo-agent").unwrap();
    let text = h.center.flow_text("demo", "demo-agent");
    let first = crate::store::NewFlowVersion { at: now.wall, by: "ada", hash: "0", restored: None, text: &text };
    h.store.flow_version_append(&kit::tenant("demo"), &flow, first).await.unwrap();
    let hook = crate::store::Webhook {
        tenant: tenant("demo"),
        name: "demo-agent".into(),
        uid: "uid".into(),
        url: "https://crm.example/".into(),
        events: vec!["ticket".into()],
        at_once: 1,
        secret: Secret::new("whsec_eA=="),
        old_secret: None,
        active: true,
        closed_why: None,
        failing_since: None,
        cursor: 0,
        made_at: now.wall,
    };
    h.store.webhook_make(&hook).await.unwrap();
    h.store.webhook_try(&hook.uid, now.wall).await.unwrap();
    let waits = h.store.webhook_waiting(&hook.uid, 1).await.unwrap().remove(0);
    let waits = crate::store::Delivery { seq: 1, ..waits };
    h.store.webhook_told(&hook.uid, &[waits], 0, None, None).await.unwrap();
    h.center.shows("demo", |v| {
        let trunk = crate::base::TrunkId::parse("demo-agent").unwrap();
        v.trunks.insert(trunk, crate::call::trunk::Snapshot { state: "up", ..Default::default() });
        let at = now.wall;
        let (name, state) = ("Anna".to_owned(), "ready".to_owned());
        let (skills, work) = (Default::default(), Vec::new());
        let anna = crate::center::view::AgentView {
            name,
            state,
            reason: None,
            since: at,
            pending: None,
            phone: true,
            number: None,
            console: false,
            work,
            skills,
        };
        v.agents.insert(agent("anna"), anna);
    });
    let ids = [interaction.to_string(), offer.to_string(), ticket.to_string(), customer.to_string()];
    let [interaction, offer, ticket, customer] = ids;
    Ids { interaction, offer, ticket, customer }
}

#[test]
fn every_route_of_the_document_has_a_rule_and_every_rule_a_route() {
    let routes = documented();
    for (method, path) in &routes {
        assert!(rights::need(method, path).is_some(), "{method} {path} has no rule");
    }
    for (method, path, _) in rights::TABLE {
        assert!(routes.iter().any(|(m, p)| m == method && p == path), "{method} {path} has a rule and no route");
    }
}

#[tokio::test]
async fn nobody_gets_in_anywhere_without_showing_who_they_are() {
    let h = house().await;
    let ids = demo_things(&h).await;
    for (method, path) in documented() {
        let need = rights::need(&method, &path).unwrap();
        if need == Need::Open {
            continue;
        }
        // What comes through a proxy is not the machine itself.
        for headers in [vec![], vec![("authorization", "Bearer rk_wrong")], vec![("cookie", "ringdesk_session=00")]] {
            let headers = [headers, vec![("x-forwarded-for", "192.0.2.1")]].concat();
            let a = h.ask(&method, &ids.fill(&path), &headers, body(&method, &path)).await;
            assert_eq!((a.status, a.code().as_str()), (401, "signed_out"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn whoever_is_too_low_for_a_route_is_refused_there() {
    let h = house().await;
    let ids = demo_things(&h).await;
    let mut tried = 0;
    for (method, path) in documented() {
        let need = rights::need(&method, &path).unwrap();
        for role in [Role::Agent, Role::Supervisor].into_iter().filter(|r| !need.admits(*r)) {
            let key = bearer("demo", role);
            let headers = [("authorization", key.as_str()), ("x-forwarded-for", "192.0.2.1")];
            let a = h.ask(&method, &ids.fill(&path), &headers, body(&method, &path)).await;
            assert_eq!((a.status, a.code().as_str()), (403, "not_allowed"), "{method} {path} as {role:?}: {}", a.text());
            tried += 1;
        }
    }
    assert!(tried > 15);
}

#[tokio::test]
async fn what_belongs_to_one_tenant_does_not_exist_for_another() {
    let h = house().await;
    let ids = demo_things(&h).await;
    let (theirs, ours) = (bearer("other", Role::Admin), bearer("demo", Role::Admin));
    let mut tried = 0;
    // What is kept under a name is the asker's own: there is nothing of another's to find.
    let keeps = |m: &str, p: &str| m == "PUT" && p == "/api/v1/reports/saved/{name}";
    let mut routes: Vec<_> = documented().into_iter().filter(|(m, p)| p.contains('{') && !keeps(m, p)).collect();
    // What removes comes last, the smaller thing before what it is in, so that the owner's try finds everything.
    routes.sort_by_key(|(m, p)| if m == "DELETE" { usize::MAX - p.len() } else { 0 });
    for (method, path) in routes {
        let at = ids.fill(&path);
        let a = h.ask(&method, &at, &[("authorization", theirs.as_str())], body(&method, &path)).await;
        assert_eq!((a.status, a.code().as_str()), (404, "not_found"), "{method} {at} for another tenant: {}", a.text());
        let a = h.ask(&method, &at, &[("authorization", ours.as_str())], body(&method, &path)).await;
        assert!((200..300).contains(&a.status), "{method} {at} for its owner: {} {}", a.status, a.text());
        tried += 1;
    }
    assert!(tried > 30);
}
