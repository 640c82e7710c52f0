//! Every route, tried by everybody: nobody, the agent whose things they are, a colleague, a supervisor, an administrator,
//! programs with keys of each role, and the same people of another tenant, against the whole server.
//!
//! The routes come from the document the running server gives; the table below says for each who may. A route that is not
//! in the table, or a cell that is not as the table says, fails.

use std::collections::{BTreeMap, BTreeSet};

use ringdesk::{
    api::{generate_password, hash_password},
    base::{AgentId, Rng, TenantId, Wall, redact::Secret},
    center::command::Role,
    store::{ApiKey, Delivery, DeliveryState, Store, User, Webhook, sha256_hex},
};
use serde_json::{Value, json};

use super::server::{Desk, Visitor, settings};

/// Who tries, in the order of the columns.
const WHO: [&str; 12] = [
    "nobody",
    "anna, whose it is",
    "ben, a colleague",
    "susan, a supervisor",
    "admin",
    "a key of the role agent",
    "a key of the role supervisor",
    "a key of the role admin",
    "an agent of another tenant",
    "a supervisor of another tenant",
    "an administrator of another tenant",
    "an administrator's key of another tenant",
];

/// `x`: let in (2xx; or 409 and 422, when it is allowed and does not fit just now). `.`: 401, 403 or 404.
/// `o`: let in, and sees nothing of the first tenant. `=`: 409, as of what is over.
///
/// Rows are tried from above: what ends or removes something stands at the end.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str)] = &[
    //                                                        nobody
    //                                                        | anna, ben
    //                                                        | |  susan, admin
    //                                                        | |  |  keys: agent, supervisor, admin
    //                                                        | |  |  |   other tenant: agent, supervisor, admin, key
    ("POST",   "/api/v1/offers/{id}/accept",                 ". x. xx .xx ...."),
    ("POST",   "/api/v1/offers/{id}/decline",                ". == == === ...."),
    ("GET",    "/healthz",                                   "o oo oo ooo oooo"),
    ("GET",    "/metrics",                                   ". .. xx .xx .ooo"),
    ("POST",   "/api/v1/auth/login",                         "o oo oo ooo oooo"),
    ("GET",    "/api/v1/me",                                 ". xx xx xxx oooo"),
    ("GET",    "/api/v1/codes",                              ". xx xx xxx oooo"),
    ("GET",    "/api/v1/agents",                             ". xx xx xxx oooo"),
    ("GET",    "/api/v1/queues",                             ". xx xx xxx oooo"),
    ("GET",    "/api/v1/alerts",                             ". .. xx .xx .ooo"),
    ("POST",   "/api/v1/alerts/{queue}/{metric}/acknowledge", ". .. xx .xx ...."),
    ("GET",    "/api/v1/agents/{id}/state",                  ". xx xx xxx ...."),
    ("POST",   "/api/v1/agents/{id}/sign-in",                ". x. xx .xx ...."),
    ("PUT",    "/api/v1/agents/{id}/state",                  ". x. xx .xx ...."),
    ("POST",   "/api/v1/agents/{id}/dial",                   ". x. xx .xx ...."),
    ("PUT",    "/api/v1/agents/{id}/endpoint",               ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions",                       ". xx xx .xx oooo"),
    ("GET",    "/api/v1/interactions/{id}",                  ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions/{id}/timeline",         ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions/{id}/decisions",        ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions/{id}/messages",         ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions/{id}/recording",        ". .. .. ... ...."),
    ("GET",    "/api/v1/interactions/{id}/transcript",       ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions/{id}/quality",          ". x. xx .xx ...."),
    ("GET",    "/api/v1/interactions/{id}/ladder",           ". .. .. ... ...."),
    ("GET",    "/api/v1/interactions/{id}/why",              ". .. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/messages",         ". x. .. ... ...."),
    ("POST",   "/api/v1/interactions/{id}/files",            ". x. .. ... ...."),
    ("GET",    "/api/v1/interactions/{id}/files/{seq}",      ". .. .. ... ...."),
    ("POST",   "/api/v1/interactions/{id}/notes",            ". x. xx ... ...."),
    ("POST",   "/api/v1/interactions/{id}/read",             ". x. .. ... ...."),
    ("POST",   "/api/v1/interactions/{id}/typing",           ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/hold",             ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/mute",             ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/dtmf",             ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/recording",        ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/consult",          ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/consult/swap",     ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/consult/merge",    ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/consult/complete", ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/consult/cancel",   ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/priority",         ". .. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/supervise",        ". .. x. .xx ...."),
    ("DELETE", "/api/v1/interactions/{id}/supervise",        ". .. xx .xx ...."),
    ("PUT",    "/api/v1/interactions/{id}/streams/{name}",   ". .. xx .xx ...."),
    ("DELETE", "/api/v1/interactions/{id}/streams/{name}",   ". .. xx .xx ...."),
    ("GET",    "/api/v1/tickets",                            ". xx xx xxx oooo"),
    ("POST",   "/api/v1/tickets",                            ". xx xx xxx oooo"),
    ("GET",    "/api/v1/tickets/{id}",                       ". xx xx xxx ...."),
    ("POST",   "/api/v1/tickets/{id}/changes",               ". xx xx xxx ...."),
    ("POST",   "/api/v1/tickets/changes",                    ". xx xx xxx oooo"),
    ("POST",   "/api/v1/tickets/{id}/viewing",               ". xx xx xxx ...."),
    ("GET",    "/api/v1/views",                              ". xx xx xxx oooo"),
    ("POST",   "/api/v1/views",                              ". xx xx ... ooo."),
    ("PUT",    "/api/v1/views/{id}",                         ". x. .. ... ...."),
    ("GET",    "/api/v1/customers",                          ". xx xx xxx oooo"),
    ("GET",    "/api/v1/customers/{id}",                     ". xx xx xxx ...."),
    ("GET",    "/api/v1/customers/{id}/timeline",            ". xx xx xxx ...."),
    ("POST",   "/api/v1/customers/{id}/changes",             ". xx xx xxx ...."),
    ("POST",   "/api/v1/customers/changes",                  ". xx xx xxx oooo"),
    ("GET",    "/api/v1/trunks",                             ". .. xx .xx .ooo"),
    ("POST",   "/api/v1/trunks/{name}/test",                 ". .. xx .xx ...."),
    ("POST",   "/api/v1/trunks/{name}/call",                 ". .. xx .xx ...."),
    ("POST",   "/api/v1/sip/credentials",                    ". xx xx ... ooo."),
    ("GET",    "/api/v1/config",                             ". .. .x ..x ..oo"),
    ("PUT",    "/api/v1/config",                             ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/config/document",                    ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/canned",                             ". xx xx xxx oooo"),
    ("GET",    "/api/v1/reports/intervals",                  ". .. xx .xx .ooo"),
    ("GET",    "/api/v1/reports/agents",                     ". .. xx .xx .ooo"),
    ("PUT",    "/api/v1/reports/saved/{name}",               ". .. xx .xx .ooo"),
    ("GET",    "/api/v1/reports/saved",                      ". .. xx .xx .ooo"),
    ("GET",    "/api/v1/reports/saved/{name}/{due_at}",      ". .. .. ... ...."),
    ("DELETE", "/api/v1/reports/saved/{name}",               ". .. xx .xx .ooo"),
    ("GET",    "/api/v1/flows",                              ". .. .x ..x ..oo"),
    ("POST",   "/api/v1/flows/validate",                     ". .. .x ..x ..oo"),
    ("POST",   "/api/v1/flows/simulate",                     ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/flows/{name}",                       ". .. .x ..x ...."),
    ("GET",    "/api/v1/flows/{name}/counts",                ". .. .x ..x ...."),
    ("GET",    "/api/v1/flows/{name}/versions",              ". .. .x ..x ...."),
    ("GET",    "/api/v1/flows/{name}/versions/{version}",    ". .. .x ..x ...."),
    ("POST",   "/api/v1/flows/{name}/rollback",              ". .. .x ..x ...."),
    ("POST",   "/api/v1/flows",                              ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/audit",                              ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/retention",                          ". .. .x ..x ..oo"),
    ("PUT",    "/api/v1/retention",                          ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/holds",                              ". .. .x ..x ..oo"),
    ("PUT",    "/api/v1/holds/{kind}/{id}",                  ". .. .x ..x ...."),
    ("DELETE", "/api/v1/holds/{kind}/{id}",                  ". .. .x ..x ...."),
    ("GET",    "/api/v1/users",                              ". .. .x ..x ..oo"),
    ("POST",   "/api/v1/users",                              ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/api-keys",                           ". .. .x ..x ..oo"),
    ("POST",   "/api/v1/api-keys",                           ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/auth/factor",                         ". xx xx ... ooo."),
    ("POST",   "/api/v1/auth/factor",                         ". .. .. ... ...."),
    ("POST",   "/api/v1/auth/factor/confirm",                 ". xx xx ... ooo."),
    ("POST",   "/api/v1/auth/factor/off",                     ". xx xx ... ooo."),
    ("GET",    "/api/v1/auth/sessions",                       ". xx xx ... ooo."),
    ("POST",   "/api/v1/auth/sessions/end",                   ". xx xx ... ooo."),
    ("GET",    "/api/v1/users/{id}/sessions",                 ". .. .x ..x ...."),
    ("GET",    "/api/v1/webhooks",                            ". .. .x ..x ..oo"),
    ("POST",   "/api/v1/webhooks",                            ". .. .x ..x ..oo"),
    ("GET",    "/api/v1/webhooks/{name}/deliveries",          ". .. .x ..x ...."),
    ("GET",    "/api/v1/webhooks/{name}/deliveries/{seq}",    ". .. .x ..x ...."),
    ("POST",   "/api/v1/webhooks/{name}/replay",              ". .. .x ..x ...."),
    ("POST",   "/api/v1/webhooks/{name}/test",                ". .. .x ..x ...."),
    ("POST",   "/api/v1/webhooks/{name}/secret",              ". .. .x ..x ...."),
    ("PUT",    "/api/v1/webhooks/{name}",                     ". .. .x ..x ...."),
    ("GET",    "/api/v1/events",                             ". xx xx xxx oooo"),
    ("POST",   "/api/v1/interactions/{id}/dispose",          ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/extend-wrap-up",   ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/wrap-up-done",     ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/transfer",         ". x. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/assign",           ". .. xx .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/take-over",        ". .. x. .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/pull",             ". .. x. .xx ...."),
    ("POST",   "/api/v1/interactions/{id}/finish",           ". x. xx .xx ...."),
    ("POST",   "/api/v1/agents/{id}/sign-out",               ". x. xx .xx ...."),
    ("DELETE", "/api/v1/views/{id}",                         ". x. .. ... ...."),
    ("DELETE", "/api/v1/users/{id}/factor",                  ". .. .x ..x ...."),
    ("DELETE", "/api/v1/users/{id}/sessions",                ". .. .x ..x ...."),
    ("PUT",    "/api/v1/users/{id}",                         ". .. .x ..x ...."),
    ("DELETE", "/api/v1/webhooks/{name}/deliveries/{seq}",    ". .. .x ..x ...."),
    ("DELETE", "/api/v1/webhooks/{name}",                     ". .. .x ..x ...."),
    ("DELETE", "/api/v1/api-keys/{name}",                    ". .. .x ..x ...."),
    ("GET",    "/api/v1/customers/{id}/erasure",             ". .. .x ..x ...."),
    ("POST",   "/api/v1/customers/{id}/erasure",             ". .. .x ..x ...."),
    ("DELETE", "/api/v1/users/{id}",                         ". .. .x ..x ...."),
    ("POST",   "/api/v1/auth/password",                      ". xx xx ... ooo."),
    ("POST",   "/api/v1/auth/logout",                        ". xx xx xxx oooo"),
];

/// What comes after the demo's last line: a trunk of its own, and another tenant.
const OTHER: &str = "
    trunks: {main: {host: 127.0.0.1:9}}
    streams: {main: {url: 'ws://127.0.0.1:9/'}}
    alerts: {rules: [{metric: ready, queue: support, limit: 99}]}
  other:
    name: Another House
    routing:
      queues: {desk: {name: Desk}}
      agents:
        otto: {name: Otto, queues: [desk]}
        olga: {name: Olga, queues: []}
        omar: {name: Omar, queues: []}
";

/// A flow the first tenant has published, and the other has not until the end.
const FLOW: &str = "flow: goodbye\nschema: 1\nchannels: [voice, webchat]\nlanguages: [en-US]\nstart: bye\n\
                    nodes:\n  bye: {hangup: {}}\n";

/// A body each route understands, so that a refusal is about rights.
fn body(method: &str, path: &str) -> Option<Value> {
    let end = path.rsplit('/').next().unwrap_or_default();
    Some(match (method, end) {
        ("GET" | "DELETE", _) => return None,
        // Guessed at often enough a login is locked: no password is no guess.
        (_, "login") => json!({"login": "nobody"}),
        // Too short, which is said before anything changes.
        (_, "password") => json!({"old": "wrong", "new": "short"}),
        (_, "factor") => json!({"password": "wrong"}),
        (_, "confirm" | "off") => json!({"code": "000000"}),
        (_, "state") => json!({"state": "ready"}),
        // No number: said to whoever may dial, and the demo has no way out for any.
        (_, "dial" | "call") => json!({"number": ""}),
        (_, "endpoint") => json!({"kind": "phone"}),
        (_, "hold" | "mute") => json!({"on": true}),
        (_, "transfer") => json!({"to": {"kind": "queue", "queue": "sales"}}),
        (_, "dispose") => json!({"code": "solved", "agent": "anna"}),
        (_, "wrap-up-done") => json!({"agent": "anna"}),
        (_, "extend-wrap-up") => json!({"by_s": 30, "agent": "anna"}),
        (_, "priority") => json!({"minutes": 5}),
        (_, "assign") => json!({"agent": "anna"}),
        (_, "supervise") => json!({"mode": "listen", "supervisor": "susan"}),
        (_, "take-over" | "pull") => json!({"supervisor": "susan"}),
        (_, "consult") => json!({"to": {"kind": "agent", "agent": "ben"}}),
        (_, "dtmf") => json!({"digits": "1"}),
        (_, "recording") => json!({"action": "pause"}),
        (_, "messages" | "notes") => json!({"client_id": "c", "body": "hello"}),
        (_, "read") => json!({"seq": 1}),
        (_, "tickets") => json!({"title": "t"}),
        (_, "viewing") => json!({"here": true}),
        (_, "views") => json!({"name": "Mine", "kind": "tickets", "query": {"owner": "me"}}),
        ("PUT", _) if path.contains("/views") => json!({"name": "Mine", "kind": "tickets", "query": {}}),
        // A ticket that is nobody's: the answer says so of it, to everybody who works here.
        (_, "changes") if path.ends_with("tickets/changes") => {
            json!({"tickets": ["0"], "change": {"change": "noted", "text": "n"}})
        }
        (_, "changes") if path.ends_with("customers/changes") => {
            json!({"customers": ["0"], "change": {"change": "tagged", "tag": "t"}})
        }
        (_, "changes") if path.contains("tickets") => json!({"change": "noted", "text": "n"}),
        (_, "changes") => json!({"change": "named", "name": "n"}),
        ("POST", "users") => json!({"login": "new-user", "role": "agent"}),
        ("PUT", _) if path.contains("users") => json!({"disabled": false}),
        // The flow everybody finds when they look: only its text is read by two of these.
        (_, "flows" | "validate" | "simulate") => json!({"text": FLOW}),
        ("PUT", _) if path.contains("holds") => json!({"reason": "case 7"}),
        (_, "webhooks") => json!({"name": "new-hook", "url": "https://hooks.example.org/x", "events": ["alarm"]}),
        (_, "replay") => json!({"seq": 1}),
        (_, "rollback") => json!({"version": 1}),
        ("PUT", _) if path.contains("reports") => json!({"by": "agents"}),
        (_, "api-keys") => json!({"name": "new-key", "role": "agent"}),
        _ => json!({}),
    })
}

/// The things of the first tenant, by what stands before `{id}` in a path.
struct Things {
    ids: BTreeMap<&'static str, String>,
    /// What must not be read in another tenant's answers.
    secret: Vec<String>,
}

impl Things {
    /// The path for the `who`th; what is removed is another thing for each who may.
    fn fill(&self, path: &str, who: usize) -> String {
        let part = path.split('/').nth(3).unwrap_or_default();
        let to_go = if who == 7 { "to-go-too" } else { "to-go" };
        let id = if part == "users" { to_go } else { self.ids.get(part).map_or("anna", String::as_str) };
        let (kind, held) = if who == 7 { ("ticket", "tickets") } else { ("customer", "customers") };
        let id = if part == "holds" { self.ids.get(held).map_or("", String::as_str) } else { id };
        let own = format!("report-{who}");
        let name = match part {
            "api-keys" | "webhooks" => to_go,
            "flows" => "goodbye",
            "reports" => &own,
            _ => "main",
        };
        path.replace("{id}", id)
            .replace("{kind}", kind)
            .replace("{name}", name)
            .replace("{version}", "1")
            .replace("{seq}", "7")
            .replace("{queue}", "support")
            .replace("{metric}", "ready")
    }
}

/// Two tenants in one store: the demo, and another one whose people have the same ranks.
async fn two_tenants(config: &ringdesk::app::Config) -> (ringdesk::app::DemoCredentials, String) {
    let first = ringdesk::app::start(config, true, Default::default()).await.unwrap();
    let demo = first.credentials.clone().expect("the folder was empty");
    first.stop().await;
    let store = Store::open(&config.store_place()).await.unwrap();
    let yaml = std::fs::read_to_string("src/app/demo.yaml").unwrap();
    store.config_append(Wall(0), "test", &format!("{}{OTHER}", yaml.trim_end())).await.unwrap();
    let mut rng = Rng::seeded(9);
    let plain = generate_password(&mut rng);
    let password = Secret::new(hash_password(Secret::new(plain.clone()), &mut rng).await.unwrap());
    let (ours, other) = (TenantId::parse("demo").unwrap(), TenantId::parse("other").unwrap());
    for (tenant, login, role) in [
        (&other, "otto", Role::Agent),
        (&other, "olga", Role::Supervisor),
        (&other, "omar", Role::Admin),
        (&ours, "to-go", Role::Agent),
        (&ours, "to-go-too", Role::Agent),
    ] {
        let (tenant, login, password) = (tenant.clone(), AgentId::parse(login).unwrap(), password.clone());
        let user = User { tenant, login, role, password, sip_md5: None, sip_sha256: None, disabled: false };
        store.user_put(Wall(0), &user).await.unwrap();
    }
    for (tenant, name, role) in [
        (&ours, "agent", Role::Agent),
        (&ours, "supervisor", Role::Supervisor),
        (&ours, "admin", Role::Admin),
        (&ours, "to-go", Role::Agent),
        (&ours, "to-go-too", Role::Agent),
        (&other, "admin", Role::Admin),
    ] {
        let key_sha256 = Secret::new(sha256_hex(&format!("rk_{tenant}_{name}")));
        let key = ApiKey { tenant: tenant.clone(), name: name.to_owned(), role, key_sha256, made_at: Wall(0) };
        store.api_key_put(&key).await.unwrap();
    }
    for (name, uid) in [("to-go", "a"), ("to-go-too", "b")] {
        let (name, uid) = (name.to_owned(), uid.to_owned());
        let (url, events, secret) =
            ("https://hooks.example.org/".to_owned(), vec!["ticket".to_owned()], Secret::new("whsec_eA=="));
        let (tenant, uid_too) = (ours.clone(), uid.clone());
        let hook = Webhook {
            tenant,
            name,
            uid,
            url,
            events,
            at_once: 1,
            secret,
            old_secret: None,
            active: false,
            closed_why: None,
            failing_since: None,
            cursor: 1_000,
            made_at: Wall(0),
        };
        store.webhook_make(&hook).await.unwrap();
        let (state, due_at, kind) = (DeliveryState::Waiting, Wall(0), "ticket".to_owned());
        let (first_at, last_at, status, answer, took_ms) = (None, None, None, None, None);
        let waits = Delivery { seq: 7, kind, state, tries: 1, first_at, last_at, due_at, status, answer, took_ms };
        store.webhook_told(&uid_too, &[waits], 1_000, None, None).await.unwrap();
    }
    store.close().await;
    (demo, plain)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = settings(dir.path());
    config.media.streams_allow = vec!["ws://127.0.0.1:9/".into()];
    let (demo, others) = two_tenants(&config).await;
    let running = ringdesk::app::start(&config, false, Default::default()).await.unwrap();
    let at = running.http;

    let mut everybody = vec![Desk::stranger(at)];
    for login in ["anna", "ben", "susan", "admin"] {
        everybody.push(Desk::signs_in(at, login, &demo.users[login]).await);
    }
    everybody.extend(["agent", "supervisor", "admin"].map(|role| Desk::with_key(at, &format!("rk_demo_{role}"))));
    for login in ["otto", "olga", "omar"] {
        everybody.push(Desk::tries(at, "other", login, &others).await.unwrap());
    }
    everybody.push(Desk::with_key(at, "rk_other_admin"));
    for desk in &mut everybody {
        // What comes through a proxy is not the machine itself, which may read the counters.
        desk.headers.push(("x-forwarded-for".into(), "192.0.2.1".into()));
    }
    let [anna, admin] = [1, 4].map(|i: usize| everybody[i].clone());

    // A talk of Anna's, its customer, and a ticket of it.
    let mut li = Visitor::comes(at).await;
    let mut events = anna.begins_work("anna").await;
    li.asks_for_a_person("Li Wei", None).await;
    let (interaction, offer) = events.until("an offer", |e| e.offer_to("anna")).await;
    let customer = anna.get("/api/v1/customers?q=Li").await["customers"][0]["id"].as_str().unwrap().to_owned();
    let ticket = admin.post("/api/v1/tickets", json!({"title": "Parcel", "customer": customer})).await["ticket"]
        .as_str()
        .unwrap()
        .to_owned();
    admin.post("/api/v1/flows", json!({"text": FLOW})).await;
    let secret = vec![interaction.clone(), customer.clone(), ticket.clone(), "Li Wei".to_owned(), "Lotus Home".to_owned()];
    let view =
        anna.post("/api/v1/views", json!({"name": "Anna's own", "kind": "tickets", "query": {"owner": "me"}})).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
    let ids = BTreeMap::from([
        ("interactions", interaction),
        ("offers", offer),
        ("customers", customer),
        ("tickets", ticket),
        ("views", view),
    ]);
    let things = Things { ids, secret };
    // Nobody is as many as are wished for: an alert of the first tenant is on.
    let mut wall = everybody[3].listens(None).await;
    wall.until("the alert", |e| e.view["alerts"].get("support/ready").map(drop)).await;

    let document = Desk::stranger(at).get("/api/v1/openapi.json").await;
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(item.as_object().unwrap().keys().map(|m| (m.to_uppercase(), path.clone())));
    }
    let known: BTreeSet<(String, String)> = TABLE.iter().map(|(m, p, _)| ((*m).to_owned(), (*p).to_owned())).collect();
    let new: Vec<_> = routes.difference(&known).collect();
    let gone: Vec<_> = known.difference(&routes).collect();
    assert!(new.is_empty() && gone.is_empty(), "routes without a row: {new:?}; rows without a route: {gone:?}");

    let mut wrong = Vec::new();
    let (mut cells, mut passed) = (0, BTreeMap::<&str, usize>::new());
    for (method, path, row) in TABLE {
        let marks: Vec<char> = row.chars().filter(|c| *c != ' ').collect();
        assert_eq!(marks.len(), WHO.len(), "{method} {path}");
        // Whoever must not pass tries first, while everything is still there.
        let mut order: Vec<usize> = (0..WHO.len()).collect();
        order.sort_by_key(|i| !matches!(marks[*i], '.' | '='));
        let mut seen = marks.clone();
        for i in order {
            let (status, answer) = tries(&everybody[i], method, path, &things.fill(path, i)).await;
            cells += 1;
            let let_in = if marks[i] == '=' { status == 409 } else { matches!(status, 101 | 200..=299 | 409 | 422) };
            let leaks = i >= 8 && let_in && things.secret.iter().any(|s| answer.contains(s.as_str()));
            seen[i] = match status {
                _ if leaks => '!',
                401 | 403 | 404 => '.',
                _ if let_in && marks[i] == '.' => 'X',
                _ if let_in => marks[i],
                _ => '?',
            };
            *passed.entry(path).or_default() += usize::from((200..300).contains(&status) || status == 101);
            if seen[i] != marks[i] {
                wrong.push(format!("{method} {path}: {}: {status} {answer:.200}", WHO[i]));
            }
        }
        if path.ends_with("/accept") {
            let talk = &things.ids["interactions"];
            events.until("the talk", |e| (e.work("anna", talk) == Some("talking")).then_some(())).await;
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells are not as the table says:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cells, TABLE.len() * WHO.len());
    let open = passed.values().filter(|n| **n > 0).count();
    assert!(open > passed.len() / 2, "of {} paths only {open} ever answered 2xx", passed.len());
    running.stop().await;
}

/// One cell: its status, and what was said.
async fn tries(desk: &Desk, method: &str, path: &str, filled: &str) -> (u16, String) {
    if path == "/api/v1/events" {
        let headers: Vec<(&str, &str)> = desk.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let mut socket = match super::server::socket(desk.at, path, &headers).await {
            Ok(socket) => socket,
            Err(status) => return (status, String::new()),
        };
        let mut said = String::new();
        while !said.contains("\"snapshot\"") {
            said += &super::server::hear(&mut socket).await.unwrap().to_string();
        }
        return (101, said);
    }
    if path == "/api/v1/config" && method == "PUT" {
        // Each tries with the text they may read; who may not, with nothing.
        return put_config(desk).await;
    }
    let (status, answer) = desk.asks(method, filled, body(method, path)).await;
    (status, answer.to_string())
}

async fn put_config(desk: &Desk) -> (u16, String) {
    let mut request = desk.http.put(format!("http://{}/api/v1/config?dry_run=true", desk.at));
    for (name, value) in &desk.headers {
        request = request.header(name, value);
    }
    let answer =
        request.header("content-type", "application/yaml").body(desk.text("/api/v1/config").await).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}
