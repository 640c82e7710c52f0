//! Somebody of the house: signed in over REST, listening on the event socket.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{PATIENCE, Socket};

/// Somebody who may call the API.
#[derive(Clone)]
pub struct Desk {
    pub http: reqwest::Client,
    pub at: SocketAddr,
    pub headers: Vec<(String, String)>,
}

impl Desk {
    /// With login and password: cookie and CSRF token.
    pub async fn signs_in(at: SocketAddr, login: &str, password: &str) -> Desk {
        Self::tries(at, "demo", login, password).await.unwrap_or_else(|| panic!("{login} cannot sign in"))
    }

    /// None when the login is not taken.
    pub async fn tries(at: SocketAddr, tenant: &str, login: &str, password: &str) -> Option<Desk> {
        let http = super::http();
        let wish = json!({"login": login, "password": password, "tenant": tenant});
        let answer = http.post(format!("http://{at}/api/v1/auth/login")).json(&wish).send().await.unwrap();
        if answer.status() == 401 {
            return None;
        }
        assert_eq!(answer.status(), 200, "{login} signs in");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let me: Value = answer.json().await.unwrap();
        let csrf = me["csrf"].as_str().unwrap().to_owned();
        // As a browser does it: the cookie, where the page comes from, and the token the page was given.
        let headers = [("cookie", cookie), ("origin", format!("http://{at}")), ("x-csrf-token", csrf)];
        Some(Desk { http, at, headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec() })
    }

    pub fn with_key(at: SocketAddr, key: &str) -> Desk {
        Desk { http: super::http(), at, headers: vec![("authorization".into(), format!("Bearer {key}"))] }
    }

    /// Nobody in particular.
    pub fn stranger(at: SocketAddr) -> Desk {
        Desk { http: super::http(), at, headers: Vec::new() }
    }

    /// Any request; the status and the body, null if it is no JSON.
    pub async fn asks(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("http://{}{path}", self.at));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// What a path answers with, as it is.
    pub async fn text(&self, path: &str) -> String {
        let mut request = self.http.get(format!("http://{}{path}", self.at));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap().text().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.asks("GET", path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.asks("POST", path, Some(body.clone())).await;
        assert!((200..300).contains(&status), "POST {path} {body}: {status} {answer}");
        answer
    }

    pub async fn put(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.asks("PUT", path, Some(body.clone())).await;
        assert!((200..300).contains(&status), "PUT {path} {body}: {status} {answer}");
        answer
    }

    /// The event socket, from the beginning or after a number.
    pub async fn listens(&self, since: Option<u64>) -> Events {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let path = since.map_or("/api/v1/events".to_owned(), |n| format!("/api/v1/events?since={n}"));
        let mut socket = super::socket(self.at, &path, &headers).await.unwrap();
        let hello = super::hear(&mut socket).await.unwrap();
        assert_eq!(hello["type"], "hello");
        let mut events = Events { socket, view: Value::Null, facts: Vec::new(), seq: since.unwrap_or(0), resets: 0 };
        events.until("the first picture", |e| (!e.view.is_null()).then_some(())).await;
        events
    }

    /// Begins a shift, ready for work, with the console open.
    pub async fn begins_work(&self, agent: &str) -> Events {
        let mut events = self.listens(None).await;
        self.post("/api/v1/agents/me/sign-in", json!({})).await;
        self.put("/api/v1/agents/me/state", json!({"state": "ready"})).await;
        events.until("ready", |e| (e.view["agents"][agent]["state"] == "ready").then_some(())).await;
        events
    }

    /// Takes what is offered next: waits for the ringing, accepts, and waits until it is theirs.
    pub async fn takes(&self, agent: &str, events: &mut Events) -> String {
        let (interaction, offer) = events.until("an offer", |e| e.offer_to(agent)).await;
        self.post(&format!("/api/v1/offers/{offer}/accept"), json!({})).await;
        events
            .until("the talk", |e| {
                (e.view["interactions"][&interaction]["agent"] == agent && e.work(agent, &interaction) == Some("talking"))
                    .then_some(())
            })
            .await;
        interaction
    }
}

/// The event socket as a console keeps it: the picture with its changes, and the facts in order.
pub struct Events {
    socket: Socket,
    pub view: Value,
    pub facts: Vec<Value>,
    /// The last number seen.
    pub seq: u64,
    pub resets: u32,
}

impl Events {
    /// Reads on until `found` finds something in the picture or the facts.
    pub async fn until<T>(&mut self, what: &str, found: impl Fn(&Events) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(t) = found(self) {
                return t;
            }
            match tokio::time::timeout_at(deadline, super::hear(&mut self.socket)).await {
                Ok(Ok(frame)) => self.take(frame).await,
                Ok(Err(code)) => panic!("the event socket closed ({code}) while waiting for {what}"),
                Err(_) => panic!("{what} did not come; the picture is {:#}", self.view),
            }
        }
    }

    async fn take(&mut self, frame: Value) {
        match frame["type"].as_str().unwrap() {
            "snapshot" => {
                self.view = frame["view"].clone();
                self.resets += u32::from(frame["reset"] == true);
                self.seq = self.seq.max(frame["seq"].as_u64().unwrap());
            }
            "fact" => {
                let seq = frame["seq"].as_u64().unwrap();
                let last = self.facts.last().map_or(0, |f| f["seq"].as_u64().unwrap());
                assert!(seq > last, "facts come in order and once: {seq} after {last}");
                self.seq = self.seq.max(seq);
                self.facts.push(frame);
            }
            "view" => {
                for part in ["agents", "queues", "interactions"] {
                    for (key, value) in frame[part].as_object().unwrap() {
                        self.view[part][key] = value.clone();
                    }
                    for key in frame["gone"][part].as_array().unwrap() {
                        self.view[part].as_object_mut().unwrap().remove(key.as_str().unwrap());
                    }
                }
                for whole in ["alarms", "alerts"] {
                    if let Some(now) = frame.get(whole) {
                        self.view[whole] = now.clone();
                    }
                }
                self.seq = self.seq.max(frame["seq"].as_u64().unwrap());
            }
            "ping" => super::say(&mut self.socket, json!({"type": "pong"})).await,
            _ => {}
        }
    }

    /// `(interaction, offer)` ringing at the agent.
    pub fn offer_to(&self, agent: &str) -> Option<(String, String)> {
        let work = self.view["agents"][agent]["work"].as_array()?;
        let ringing = work.iter().find(|w| w["work"] == "alerting" && w["offer"].is_string())?;
        Some((ringing["interaction"].as_str()?.to_owned(), ringing["offer"].as_str()?.to_owned()))
    }

    /// What the agent talks about.
    pub fn talks(&self, agent: &str) -> Option<String> {
        let work = self.view["agents"][agent]["work"].as_array()?;
        Some(work.iter().find(|w| w["work"] == "talking")?["interaction"].as_str()?.to_owned())
    }

    /// What the agent does about an interaction.
    pub fn work(&self, agent: &str, interaction: &str) -> Option<&str> {
        let work = self.view["agents"][agent]["work"].as_array()?;
        work.iter().find(|w| w["interaction"] == interaction)?["work"].as_str()
    }

    /// The facts of a kind, so far.
    pub fn told(&self, kind: &str) -> Vec<&Value> {
        self.facts.iter().filter(|f| f["fact"] == kind).collect()
    }
}
