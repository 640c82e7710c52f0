//! Webhooks over real sockets: a receiver that is up, refuses, is gone, and comes back; a server that is killed meanwhile.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use ringdesk::webhook::signature;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::server::{Desk, House, PATIENCE, Program};

/// What the receiver was sent, and what it answered.
#[derive(Debug, Clone)]
pub struct Got {
    id: String,
    unix_s: i64,
    signatures: String,
    text: String,
    pub body: Value,
    answered: u16,
}

/// A program outside.
#[derive(Clone)]
pub struct Receiver {
    pub at: SocketAddr,
    answer: Arc<Mutex<u16>>,
    got: Arc<watch::Sender<Vec<Got>>>,
}

impl Receiver {
    pub async fn opens() -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let me = Receiver { at, answer: Arc::new(Mutex::new(200)), got: Arc::new(watch::Sender::new(Vec::new())) };
        let app = Router::new().route("/in", post(take)).with_state(me.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        me
    }

    fn answers(&self, status: u16) {
        *self.answer.lock().unwrap() = status;
    }

    /// Waits until what it was sent is as wanted.
    pub async fn until<T>(&self, what: &str, found: impl Fn(&[Got]) -> Option<T>) -> T {
        let mut news = self.got.subscribe();
        let waiting = async {
            loop {
                if let Some(t) = found(&news.borrow_and_update()) {
                    return t;
                }
                news.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(t) => t,
            Err(_) => panic!("{what} did not come: {:#?}", self.got.borrow()),
        }
    }

    /// Ids it has taken, in the order in which it took each first.
    fn taken(got: &[Got]) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for g in got.iter().filter(|g| g.answered == 200) {
            if !ids.contains(&g.id) {
                ids.push(g.id.clone());
            }
        }
        ids
    }
}

async fn take(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let answered = *me.answer.lock().unwrap();
    let got = Got {
        id: header("webhook-id"),
        unix_s: header("webhook-timestamp").parse().unwrap(),
        signatures: header("webhook-signature"),
        body: serde_json::from_str(&text).unwrap(),
        text,
        answered,
    };
    me.got.send_modify(|all| all.push(got));
    StatusCode::from_u16(answered).unwrap()
}

fn signed_by(got: &Got, secret: &str) -> bool {
    let want = signature([secret], &got.id, got.unix_s, &got.text);
    want.starts_with("v1,") && got.signatures.split(' ').any(|s| s == want)
}

/// Opens tickets by the API; the events they make, as ids without the endpoint's part.
async fn tickets(key: &Desk, titles: &[&str]) {
    for title in titles {
        key.post("/api/v1/tickets", json!({"title": title})).await;
    }
}

async fn makes(admin: &Desk, receiver: &Receiver) -> String {
    let wish = json!({"name": "crm", "url": format!("http://{}/in", receiver.at), "events": ["ticket"]});
    let made = admin.post("/api/v1/webhooks", wish).await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    secret
}

/// Waits until the endpoint is as wanted.
async fn shows<T>(admin: &Desk, what: &str, found: impl Fn(&Value) -> Option<T>) -> T {
    let waiting = async {
        loop {
            let all = admin.get("/api/v1/webhooks").await;
            if let Some(t) = found(&all["webhooks"][0]) {
                return t;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what} was not shown"))
}

/// The place in the journal, of an id.
fn place(id: &str) -> u64 {
    id.rsplit('_').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_fails_and_comes_back_gets_every_event_once_by_its_id_signed_and_in_order() {
    let house = House::opens_with(|c| c.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let (admin, key) = (house.desk("admin").await, house.key());
    let mut events = admin.listens(None).await;
    let receiver = Receiver::opens().await;
    let secret = makes(&admin, &receiver).await;

    tickets(&key, &["One"]).await;
    let first = receiver.until("the first ticket", |g| g.first().cloned()).await;
    assert!(signed_by(&first, &secret), "{first:?}");
    assert!(!signed_by(&first, "whsec_AAAA"), "another secret does not fit");
    assert_eq!((&first.body["type"], &first.body["data"]["fact"]), (&json!("ticket"), &json!("ticket")));
    assert_eq!(first.body["data"]["seq"], place(&first.id));
    assert!(first.body["timestamp"].as_str().unwrap().ends_with('Z'));

    // It is out of order while more happens ..
    receiver.answers(503);
    tickets(&key, &["Two", "Three", "Four"]).await;
    receiver.until("a refusal", |g| g.iter().any(|g| g.answered == 503).then_some(())).await;
    let failing = shows(&admin, "that it fails", |w| w["failing_since"].is_string().then(|| w.clone())).await;
    assert_eq!((&failing["active"], &failing["waiting"]), (&json!(true), &json!(1)), "the others wait in the journal");
    let log = admin.get("/api/v1/webhooks/crm/deliveries?state=waiting").await;
    assert_eq!((&log["deliveries"][0]["status"], &log["deliveries"][0]["event"]), (&json!(503), &json!("ticket")));

    // .. and comes back.
    receiver.answers(200);
    let last = events
        .until("four tickets", |e| {
            let seqs: Vec<u64> = e.facts.iter().filter(|f| f["fact"] == "ticket").map(|f| f["seq"].as_u64().unwrap()).collect();
            (seqs.len() >= 4).then_some(seqs)
        })
        .await;
    let taken = receiver
        .until("everything", |g| {
            let taken = Receiver::taken(g);
            (taken.len() >= last.len()).then_some(taken)
        })
        .await;
    assert_eq!(taken.iter().map(|id| place(id)).collect::<Vec<_>>(), last, "each once, in the order of the journal");
    receiver.got.borrow().iter().for_each(|g| assert!(signed_by(g, &secret), "{g:?}"));
    let well = |w: &Value| (w["waiting"] == 0 && w["failing_since"].is_null()).then(|| w["failed"].clone());
    assert_eq!(shows(&admin, "that all is told", well).await, 0);

    // What was sent can be looked at, without what it was signed with.
    let one = admin.get(&format!("/api/v1/webhooks/crm/deliveries/{}", place(&first.id))).await;
    assert_eq!(one["request"]["body"], first.body);
    assert_eq!((&one["state"], &one["status"]), (&json!("delivered"), &json!(200)));
    assert!(!one.to_string().contains("whsec_") && !one.to_string().contains(&first.signatures), "{one}");
    let audit = admin.get("/api/v1/audit").await.to_string();
    assert!(audit.contains("webhook.create") && !audit.contains("whsec_"), "{audit}");

    // A new secret: for a day both sign.
    let rotated = admin.post("/api/v1/webhooks/crm/secret", json!({})).await["secret"].as_str().unwrap().to_owned();
    tickets(&key, &["Five"]).await;
    let fifth = receiver.until("the fifth", |g| g.iter().find(|g| place(&g.id) > last[3]).cloned()).await;
    assert!(signed_by(&fifth, &secret) && signed_by(&fifth, &rotated), "{fifth:?}");

    // Told again: the same ids, the same bodies.
    let before = receiver.got.borrow().len();
    let wish = json!({"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"});
    let mut bodies: BTreeMap<String, Value> = BTreeMap::new();
    shows(&admin, "that the fifth is told", |w| (w["waiting"] == 0).then_some(())).await;
    receiver.got.borrow().iter().for_each(|g| drop(bodies.insert(g.id.clone(), g.body.clone())));
    let told = admin.post("/api/v1/webhooks/crm/replay", wish).await;
    let n = told["events"].as_u64().unwrap() as usize;
    assert!(n >= last.len(), "{told}");
    let again = receiver.until("all again", |g| (g.len() >= before + n).then(|| g[before..].to_vec())).await;
    again.iter().for_each(|g| assert_eq!(bodies.get(&g.id), Some(&g.body)));
    let wish = json!({"seq": place(&first.id)});
    assert_eq!(admin.post("/api/v1/webhooks/crm/replay", wish).await["events"], 1);
    receiver.until("one again", |g| (g.len() > before + n).then_some(())).await;

    // A trial.
    admin.post("/api/v1/webhooks/crm/test", json!({})).await;
    let trial = receiver.until("the trial", |g| g.iter().find(|g| g.body["type"] == "webhook.test").cloned()).await;
    assert!(signed_by(&trial, &rotated) && trial.id.starts_with("trial_"));
    house.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_while_the_receiver_was_down_is_told_after_a_kill_nine() {
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("ringdesk.toml");
    std::fs::write(&settings, "[webhooks]\nallow = [\"127.0.0.0/8\"]\n").unwrap();
    let more = ["--config", settings.to_str().unwrap()];
    let first = Program::starts_with(dir.path(), &more);
    let receiver = Receiver::opens().await;
    let secret = makes(&first.desk("admin").await, &receiver).await;
    receiver.answers(500);
    tickets(&first.key(), &["One", "Two"]).await;
    receiver.until("a refusal", |g| (!g.is_empty()).then_some(())).await;
    tickets(&first.key(), &["Three"]).await;
    first.killed();

    receiver.answers(200);
    let second = Program::starts_with(dir.path(), &more);
    tickets(&second.key(), &["Four"]).await;
    let told = |g: &[Got]| -> Vec<String> {
        let titles = g.iter().filter(|g| g.answered == 200).filter_map(|g| title(&g.body));
        titles.collect()
    };
    receiver.until("all four", |g| (told(g) == ["One", "Two", "Three", "Four"]).then_some(())).await;
    receiver.got.borrow().iter().for_each(|g| assert!(signed_by(g, &secret), "{g:?}"));
    assert!(second.stops());
}

/// The title in the entry that opens a ticket.
fn title(event: &Value) -> Option<String> {
    fn find(v: &Value) -> Option<&str> {
        match v {
            Value::Object(m) => m.get("title").and_then(Value::as_str).or_else(|| m.values().find_map(find)),
            _ => None,
        }
    }
    find(&event["data"]).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_gone_closes_its_endpoint_with_an_alarm_and_nobody_is_sent_inside() {
    let house = House::opens_with(|c| c.webhooks.allow = vec!["127.0.0.1".parse().unwrap()]).await;
    let (admin, key) = (house.desk("admin").await, house.key());
    let mut events = admin.listens(None).await;
    for inside in ["https://169.254.169.254/", "http://127.0.0.2/", "https://[::1]/", "gopher://x/"] {
        let wish = json!({"name": "x", "url": inside, "events": ["*"]});
        assert_eq!(admin.asks("POST", "/api/v1/webhooks", Some(wish)).await.0, 422, "{inside}");
    }
    let receiver = Receiver::opens().await;
    makes(&admin, &receiver).await;
    let exists = json!({"name": "crm", "url": format!("http://{}/in", receiver.at), "events": ["ticket"]});
    assert_eq!(admin.asks("POST", "/api/v1/webhooks", Some(exists)).await.0, 409);
    let wrong = json!({"events": ["leg_dialog"]});
    assert_eq!(admin.asks("PUT", "/api/v1/webhooks/crm", Some(wrong)).await.0, 422, "keys of calls are told to nobody");

    receiver.answers(410);
    tickets(&key, &["One"]).await;
    let alarm = |e: &super::server::Events| e.view["alarms"].to_string().contains("webhook_crm");
    events.until("the alarm", |e| alarm(e).then_some(())).await;
    shows(&admin, "why it is closed", |w| (w["active"] == false && w["closed_why"] == "gone").then_some(())).await;

    // Switched on again it is told what it has missed.
    receiver.answers(200);
    tickets(&key, &["Two"]).await;
    admin.put("/api/v1/webhooks/crm", json!({"active": true})).await;
    receiver.until("both", |g| (Receiver::taken(g).len() >= 2).then_some(())).await;
    events.until("no alarm", |e| (!alarm(e)).then_some(())).await;

    // An event nobody wants can be given up.
    shows(&admin, "that both are told", |w| (w["waiting"] == 0).then_some(())).await;
    receiver.answers(500);
    tickets(&key, &["Three"]).await;
    let seq = shows_waiting(&admin).await;
    let (status, _) = admin.asks("DELETE", &format!("/api/v1/webhooks/crm/deliveries/{seq}"), None).await;
    assert_eq!(status, 204);
    assert_eq!(admin.get(&format!("/api/v1/webhooks/crm/deliveries/{seq}")).await["state"], "failed");
    receiver.answers(200);
    tickets(&key, &["Four"]).await;
    receiver.until("the one after it", |g| g.iter().any(|g| g.answered == 200 && place(&g.id) > seq).then_some(())).await;
    assert_eq!(admin.asks("DELETE", "/api/v1/webhooks/crm", None).await.0, 204);
    house.closes().await;
}

/// The place of the first delivery that waits.
async fn shows_waiting(admin: &Desk) -> u64 {
    shows(admin, "what waits", |w| (w["waiting"] == 1).then_some(())).await;
    admin.get("/api/v1/webhooks/crm/deliveries?state=waiting").await["deliveries"][0]["seq"].as_u64().unwrap()
}
