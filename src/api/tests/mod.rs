//! Stories of people at the door: signing in, being refused, and what they may do.

use serde_json::json;

use super::{password, *};
use crate::{
    base::{CustomerId, InteractionId, Wall, mins, redact::Secret},
    center::{
        command::{Command, Role},
        fact::Fact,
    },
    store::{ApiKey, User},
};

mod factor;
mod floor;
mod flows;
mod kit;
mod ladder;
mod lists;
mod live;
mod walk;

use kit::{Answer, House, agent, opened, tenant};

const PASSWORD: &str = "correct horse battery";

pub(super) async fn house_of(capacity: usize) -> House {
    // No sockets of its own, and nobody upstairs.
    let net = crate::net::Net::start(crate::net::NetConfig::new(Vec::new(), Vec::new()), |_| Ok(())).unwrap();
    let h = House::build(capacity, |g| {
        router(Parts {
            door: g.door,
            vault: g.vault,
            store: g.store,
            facts: g.facts,
            blinks: g.blinks,
            rng: Rng::seeded(5),
            metrics: Arc::new(|| "ringdesk_up 1\n".to_owned()),
            health: Arc::new(Vec::new),
            logins: g.logins,
            recordings: g.recordings,
            https: false,
            origins: Vec::new(),
            courier: Courier { changed: Arc::default(), check: Arc::new(|_| Ok(())), body: Arc::new(|_| "{}".to_owned()) },
            aging: Arc::default(),
            flow_world: FlowWorld { urls: Vec::new(), prompt: Arc::new(|_| None) },
            sip: SipDoor { net: Arc::new(net), plain: ([127, 0, 0, 1], 0).into(), tls: None, proxies: Vec::new() },
        })
    })
    .await;
    // One hash for all: hashing is slow on purpose.
    let hash = password::hash_with_salt(Secret::new(PASSWORD), [1; 16]).await.unwrap();
    for (of, login, role) in [
        ("demo", "anna", Role::Agent),
        ("demo", "ben", Role::Agent),
        ("demo", "sue", Role::Supervisor),
        ("demo", "ada", Role::Admin),
        ("other", "oscar", Role::Admin),
    ] {
        let password = Secret::new(hash.clone());
        let (tenant, login) = (tenant(of), agent(login));
        let user = User { tenant, login, role, password, sip_md5: None, sip_sha256: None, disabled: false };
        h.store.user_put(Wall(0), &user).await.unwrap();
    }
    for (of, role) in [("demo", Role::Agent), ("demo", Role::Supervisor), ("demo", Role::Admin), ("other", Role::Admin)] {
        let name = format!("{of}-{}", role.as_str());
        let key_sha256 = Secret::new(crate::store::sha256_hex(&key(of, role)));
        h.store.api_key_put(&ApiKey { tenant: tenant(of), name, role, key_sha256, made_at: Wall(0) }).await.unwrap();
    }
    h
}

pub(super) async fn house() -> House {
    house_of(256).await
}

pub(super) fn key(of: &str, role: Role) -> String {
    format!("rk_{of}_{}", role.as_str())
}

pub(super) fn bearer(of: &str, role: Role) -> String {
    format!("Bearer {}", key(of, role))
}

/// A browser that has signed in.
pub(super) struct Browser {
    pub cookie: String,
    pub csrf: String,
    pub origin: String,
}

impl Browser {
    pub async fn of(h: &House, login: &str) -> Browser {
        let a = sign_in(h, login, PASSWORD).await;
        assert_eq!(a.status, 200, "{}", a.text());
        let cookie = a.header("set-cookie").split(';').next().unwrap().to_owned();
        Browser { cookie, csrf: a.json()["csrf"].as_str().unwrap().to_owned(), origin: format!("http://{}", h.addr) }
    }
    pub fn headers(&self) -> Vec<(&str, &str)> {
        vec![("cookie", &self.cookie), ("x-csrf-token", &self.csrf), ("origin", &self.origin)]
    }
    pub async fn ask(&self, h: &House, method: &str, path: &str, body: Option<&str>) -> Answer {
        h.ask(method, path, &self.headers(), body).await
    }
}

async fn sign_in(h: &House, login: &str, password: &str) -> Answer {
    let of = if login == "oscar" { "other" } else { "demo" };
    let body = json!({"login": login, "password": password, "tenant": of}).to_string();
    h.ask("POST", "/api/v1/auth/login", &[], Some(&body)).await
}

/// A call that Anna has talked on.
pub(super) async fn annas_call(h: &House) -> InteractionId {
    let now = h.center.at();
    let rng = &mut Rng::seeded(77);
    let (i, c) = (InteractionId::new(now, rng), CustomerId::new(now, rng));
    h.center.knows("demo", i);
    h.center.happens("demo", opened(i, c, "+8613800000000", None));
    h.center.happens("demo", Fact::Connected { interaction: i, agent: agent("anna"), offer: None });
    h.settled().await;
    i
}

#[tokio::test]
async fn anna_signs_in_works_and_signs_out_and_the_cookie_is_worth_nothing_then() {
    let h = house().await;
    let a = sign_in(&h, "anna", PASSWORD).await;
    let cookie = a.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let anna = Browser::of(&h, "anna").await;
    let me = anna.ask(&h, "GET", "/api/v1/me", None).await.json();
    assert_eq!((me["login"].as_str(), me["agent"].as_str(), me["role"].as_str()), (Some("anna"), Some("anna"), Some("agent")));
    let a = anna.ask(&h, "PUT", "/api/v1/agents/me/state", Some(r#"{"state":"not_ready","reason":"lunch"}"#)).await;
    assert_eq!(a.status, 200, "{}", a.text());
    h.center.is_asked(|c| matches!(c, Command::SetState { agent, .. } if agent.as_str() == "anna")).await;
    assert_eq!(anna.ask(&h, "POST", "/api/v1/auth/logout", None).await.status, 204);
    let a = anna.ask(&h, "GET", "/api/v1/me", None).await;
    assert_eq!((a.status, a.code().as_str()), (401, "signed_out"));
    assert_eq!(a.header("content-type"), "application/problem+json");
    assert_eq!(a.json()["request_id"].as_str(), Some(a.header("x-request-id")));
}

#[tokio::test]
async fn a_foreign_page_cannot_act_with_annas_cookie() {
    let h = house().await;
    let anna = Browser::of(&h, "anna").await;
    let (ready, path) = (Some(r#"{"state":"ready"}"#), "/api/v1/agents/me/state");
    let no_token = [("cookie", anna.cookie.as_str()), ("origin", anna.origin.as_str())];
    assert_eq!(h.ask("PUT", path, &no_token, ready).await.code(), "csrf");
    let no_origin = [("cookie", anna.cookie.as_str()), ("x-csrf-token", anna.csrf.as_str())];
    assert_eq!(h.ask("PUT", path, &no_origin, ready).await.code(), "origin");
    let evil = [("cookie", anna.cookie.as_str()), ("x-csrf-token", anna.csrf.as_str()), ("origin", "https://evil.example")];
    assert_eq!(h.ask("PUT", path, &evil, ready).await.code(), "origin");
    let plain = [("cookie", anna.cookie.as_str()), ("content-type", "text/plain")];
    assert_eq!(h.ask("PUT", path, &plain, ready).await.status, 403);
    assert_eq!(h.center.times_asked(|c| matches!(c, Command::SetState { .. })), 0);
}

#[tokio::test]
async fn ten_wrong_passwords_lock_the_login_and_nobody_learns_which_logins_exist() {
    let h = house().await;
    let wrong = sign_in(&h, "anna", "wrong").await;
    let nobody = sign_in(&h, "nobody", "wrong").await;
    assert_eq!((wrong.status, wrong.code()), (401, "bad_login".to_owned()));
    assert_eq!((nobody.status, nobody.json()["detail"].clone()), (401, wrong.json()["detail"].clone()));
    for _ in 1..10 {
        assert_eq!(sign_in(&h, "anna", "wrong").await.status, 401);
    }
    let locked = sign_in(&h, "anna", PASSWORD).await;
    assert_eq!((locked.status, locked.code().as_str()), (429, "locked"));
    assert!(locked.header("retry-after").parse::<u64>().unwrap() > 800);
    assert_eq!(sign_in(&h, "ben", PASSWORD).await.status, 200);
    h.center.pass(mins(16));
    assert_eq!(sign_in(&h, "anna", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_wrong_is_answered_with_the_place_and_what_was_expected() {
    let h = house().await;
    let key = bearer("demo", Role::Admin);
    let auth = [("authorization", key.as_str())];
    let i = annas_call(&h).await;
    let a = h.ask("POST", &format!("/api/v1/interactions/{i}/hold"), &auth, Some(r#"{"on":"yes"}"#)).await;
    let p = a.json();
    assert_eq!((a.status, p["code"].as_str(), p["field"].as_str()), (422, Some("invalid"), Some("on")));
    assert!(p["detail"].as_str().unwrap().contains("expected a boolean"), "{p}");
    let a = h.ask("POST", "/api/v1/users", &auth, Some(r#"{"login":"x","role":"agent","colour":1}"#)).await;
    assert_eq!((a.status, a.json()["field"].as_str()), (422, Some("colour")), "{}", a.text());
    let a = h.ask("POST", "/api/v1/users", &auth, Some("{")).await;
    assert_eq!((a.status, a.code().as_str()), (400, "bad_json"));
    let large = format!(r#"{{"login":"{}"}}"#, "x".repeat(300 * 1024));
    assert_eq!(h.ask("POST", "/api/v1/users", &auth, Some(&large)).await.status, 413);
    assert_eq!(h.ask("GET", "/api/v1/nothing", &auth, None).await.code(), "not_found");
    let a = h.ask("PATCH", "/api/v1/me", &auth, None).await;
    assert_eq!((a.status, a.code().as_str()), (405, "method"));
}

#[tokio::test]
async fn a_new_login_gets_passwords_once_and_a_disabled_one_is_out_at_once() {
    let h = house().await;
    let ada = Browser::of(&h, "ada").await;
    let a = ada.ask(&h, "POST", "/api/v1/users", Some(r#"{"login":"carl","role":"agent"}"#)).await;
    assert_eq!(a.status, 201, "{}", a.text());
    let made = a.json();
    let secret = made["password"].as_str().unwrap();
    assert!(made["sip_password"].as_str().unwrap().len() >= 20);
    assert_eq!(sign_in(&h, "carl", secret).await.status, 200);
    assert!(!ada.ask(&h, "GET", "/api/v1/users", None).await.text().contains(secret));
    let kept = h.store.user_get(&tenant("demo"), &agent("carl")).await.unwrap().unwrap();
    let (md5, _) = sip_digests("carl", made["sip_realm"].as_str().unwrap(), made["sip_password"].as_str().unwrap());
    assert_eq!(kept.sip_md5.unwrap().expose(), md5);

    let anna = Browser::of(&h, "anna").await;
    assert_eq!(ada.ask(&h, "PUT", "/api/v1/users/anna", Some(r#"{"disabled":true}"#)).await.status, 200);
    assert_eq!(anna.ask(&h, "GET", "/api/v1/me", None).await.status, 401);
    assert_eq!(sign_in(&h, "anna", PASSWORD).await.code(), "bad_login");
    assert_eq!(ada.ask(&h, "PUT", "/api/v1/users/ada", Some(r#"{"disabled":true}"#)).await.status, 409);
    let log = ada.ask(&h, "GET", "/api/v1/audit", None).await.json();
    assert_eq!(log["entries"][0]["what"], "user.change");
}

#[tokio::test]
async fn an_administrator_sees_and_changes_only_their_own_tenants_configuration() {
    let h = house().await;
    let key = bearer("demo", Role::Admin);
    let auth = [("authorization", key.as_str()), ("content-type", "application/yaml")];
    let yaml = h.ask("GET", "/api/v1/config", &auth, None).await.text();
    assert!(yaml.contains("Demo Shop") && !yaml.contains("Other House"), "{yaml}");
    let changed = yaml.replace("Demo Shop", "Demo Store");
    let a = h.ask("PUT", "/api/v1/config?dry_run=true", &auth, Some(&changed)).await;
    assert_eq!(a.status, 200, "{}", a.text());
    assert!(a.json()["diff"].as_str().unwrap().contains("+     name: Demo Store"), "{}", a.text());
    assert_eq!(a.json()["applied"], false);
    let a = h.ask("PUT", "/api/v1/config", &auth, Some("tenants: {other: {name: Mine}}")).await;
    assert_eq!(a.json()["field"], "tenants.other");
    let a = h.ask("PUT", "/api/v1/config", &auth, Some("tenants:\n  demo:\n    nmae: x\n")).await;
    assert!(a.status == 422 && a.json()["problems"][0].as_str().unwrap().contains("nmae"), "{}", a.text());
}

#[tokio::test]
async fn anna_plays_her_own_recording_from_the_middle_and_ben_may_not() {
    let h = house().await;
    let i = annas_call(&h).await;
    let r = crate::base::RecordingId::new(h.center.at(), &mut Rng::seeded(8));
    h.center.happens("demo", Fact::RecordingStarted { interaction: i, recording: r, file: "2026/a.wav".into() });
    h.settled().await;
    let folder = h.dir.path().join("recordings/2026");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.wav"), b"RIFF0123456789").unwrap();
    let path = format!("/api/v1/interactions/{i}/recording");
    let (anna, ben) = (Browser::of(&h, "anna").await, Browser::of(&h, "ben").await);
    let whole = anna.ask(&h, "GET", &path, None).await;
    assert_eq!((whole.status, whole.header("content-type"), whole.body.len()), (200, "audio/wav", 14));
    let mut headers = anna.headers();
    headers.push(("range", "bytes=4-7"));
    let part = h.ask("GET", &path, &headers, None).await;
    assert_eq!((part.status, part.text().as_str(), part.header("content-range")), (206, "0123", "bytes 4-7/14"));
    assert_eq!(ben.ask(&h, "GET", &path, None).await.status, 403);
    let small = crate::base::RecordingId::new(h.center.at(), &mut Rng::seeded(9));
    h.center.happens("demo", Fact::RecordingStarted { interaction: i, recording: small, file: "2026/b.ogg".into() });
    h.settled().await;
    std::fs::write(folder.join("b.ogg"), b"OggS").unwrap();
    let small = anna.ask(&h, "GET", &format!("{path}?recording={small}"), None).await;
    assert_eq!((small.status, small.header("content-type"), small.text().as_str()), (200, "audio/ogg", "OggS"));
    let plays = h.store.audit_list(&tenant("demo"), &Default::default(), 10).await.unwrap();
    assert_eq!(plays.iter().filter(|p| p.entry.what == "recording.play").count(), 2);
}

#[tokio::test]
async fn the_pages_are_served_with_a_policy_that_lets_nothing_foreign_run() {
    let h = house().await;
    for page in ["/", "/chat", "/assets/ui.js"] {
        let a = h.ask("GET", page, &[], None).await;
        assert_eq!(a.status, 200, "{page}");
        let policy = a.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{page}: {policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{page}: {policy}");
        let tag = a.header("etag").to_owned();
        assert_eq!(h.ask("GET", page, &[("if-none-match", tag.as_str())], None).await.status, 304);
    }
    assert_eq!(h.ask("GET", "/assets/../Cargo.toml", &[], None).await.status, 404);
    let health = h.ask("GET", "/healthz", &[], None).await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("ok")), "{}", health.text());
    assert_eq!(h.ask("GET", "/metrics", &[], None).await.text(), "ringdesk_up 1\n");
    assert_eq!(h.ask("GET", "/metrics", &[("x-forwarded-for", "1.2.3.4")], None).await.status, 401);
}

#[test]
fn the_document_the_console_is_built_from_is_the_one_the_server_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        kept.trim_end() == openapi_json().trim_end(),
        "the interface changed: `ringdesk openapi > web/openapi.json`, then `npm run types` in web/"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own_and_only_what_is_in_the_path_is_a_path_parameter() {
    let doc: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in doc["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path}: `{name}` is the name of another operation");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let (at, called) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
                let in_path = path.contains(&format!("{{{called}}}"));
                assert_eq!(at == "path", in_path, "{method} {path}: `{called}` is said to be in the {at}");
            }
        }
    }
}

#[test]
fn every_fact_is_an_event_outside_or_is_told_to_nobody() {
    let document: serde_json::Value = serde_json::from_str(&super::openapi_json()).unwrap();
    let facts = document["components"]["schemas"]["FactKind"]["enum"].as_array().unwrap().clone();
    let told = crate::webhook::kinds_of(&["*".to_owned()]);
    for fact in facts.iter().map(|f| f.as_str().unwrap()) {
        let decided = told.contains(fact) || crate::webhook::HIDDEN.contains(&fact);
        assert!(decided, "`{fact}` is in no group of src/webhook/kinds.rs and not hidden there");
    }
}
