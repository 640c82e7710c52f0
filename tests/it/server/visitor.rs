//! A visitor of the web page, as the widget behaves: keeps the token, counts places, sends again what was not acknowledged.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::{Value, json};

use super::{PATIENCE, Socket};

pub struct Visitor {
    at: SocketAddr,
    pub token: String,
    socket: Option<Socket>,
    /// Every message frame ever received, as they came: a repetition would show.
    pub seen: Vec<Value>,
    /// Acknowledged messages and their places.
    pub acks: BTreeMap<String, u64>,
    pub refused: Vec<Value>,
    pub state: String,
    pub agent: Option<String>,
    pub position: Option<u64>,
    pub interaction: Option<String>,
    pub read: u64,
    pub closed: bool,
}

impl Visitor {
    /// A new visitor, connected.
    pub async fn comes(at: SocketAddr) -> Visitor {
        let answer =
            super::http().post(format!("http://{at}/chat/v1/session")).json(&json!({"site": "demo"})).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let granted: Value = answer.json().await.unwrap();
        let token = granted["token"].as_str().unwrap().to_owned();
        let mut v = Visitor {
            at,
            token,
            socket: None,
            seen: Vec::new(),
            acks: BTreeMap::new(),
            refused: Vec::new(),
            state: String::new(),
            agent: None,
            position: None,
            interaction: None,
            read: 0,
            closed: false,
        };
        v.connects().await;
        v
    }

    /// The server is at another address after a restart.
    pub fn moves(&mut self, at: SocketAddr) {
        self.at = at;
        self.socket = None;
    }

    /// Connects, or comes back: says how far the conversation is known.
    pub async fn connects(&mut self) {
        let mut socket = super::socket(self.at, "/chat/v1/socket", &[]).await.unwrap();
        let since = self.seen.iter().filter_map(|m| m["seq"].as_u64()).max().unwrap_or(0);
        let mut hello = json!({"type": "hello", "token": self.token, "since": since});
        if let Some(i) = &self.interaction {
            hello["interaction"] = json!(i);
        }
        super::say(&mut socket, hello).await;
        self.socket = Some(socket);
        self.state.clear();
        self.until("the welcome", |v| (!v.state.is_empty()).then_some(())).await;
    }

    /// The line breaks, without a word.
    pub fn vanishes(&mut self) {
        self.socket = None;
    }

    pub async fn sends(&mut self, frame: Value) {
        super::say(self.socket.as_mut().expect("connected"), frame).await;
    }

    pub async fn starts(&mut self, name: &str, lang: &str, contact: Option<&str>) {
        self.sends(
            json!({"type": "start", "name": name, "lang": lang, "contact": contact, "page": "https://shop.example/cart"}),
        )
        .await;
    }

    /// Says something and waits until it is stored.
    pub async fn says(&mut self, client_id: &str, body: &str) -> u64 {
        self.sends(json!({"type": "message", "client_id": client_id, "body": body})).await;
        self.until(&format!("the acknowledgement of {client_id}"), |v| v.acks.get(client_id).copied()).await
    }

    /// Waits for a question with answers to choose from, and gives the one labelled so.
    pub async fn chooses(&mut self, label: &str) {
        let send = self.until("the question", |v| v.option(label)).await;
        let id = format!("choice-{}", self.acks.len());
        self.says(&id, &send).await;
    }

    /// What the last question offers under a label.
    pub fn option(&self, label: &str) -> Option<String> {
        let options = self.seen.iter().rev().find_map(|m| m["options"].as_array())?;
        Some(options.iter().find(|o| o["label"] == label)?["send"].as_str()?.to_owned())
    }

    /// Greeted and asked in English, asks for a person and waits.
    pub async fn asks_for_a_person(&mut self, name: &str, contact: Option<&str>) {
        self.starts(name, "en", contact).await;
        self.chooses("Talk to a person").await;
        self.until("the queue", |v| (v.state == "waiting" || v.state == "agent").then_some(())).await;
    }

    pub fn said(&self, body: &str) -> Option<&Value> {
        self.seen.iter().find(|m| m["body"] == body)
    }

    /// Waits until a message of these words has come.
    pub async fn reads(&mut self, body: &str) -> Value {
        self.until(body, |v| v.said(body).cloned()).await
    }

    pub async fn until<T>(&mut self, what: &str, found: impl Fn(&Visitor) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(t) = found(self) {
                return t;
            }
            let socket = self.socket.as_mut().expect("connected");
            match tokio::time::timeout_at(deadline, super::hear(socket)).await {
                Ok(Ok(frame)) => self.take(frame).await,
                Ok(Err(code)) => panic!("the chat closed ({code}) while waiting for: {what}"),
                Err(_) => panic!("`{what}` did not come; state {}, seen {:#?}", self.state, self.seen),
            }
        }
    }

    /// Asks for a sign of life and reads everything that came before it: what is not here now was not sent.
    pub async fn settles(&mut self) {
        self.sends(json!({"type": "ping"})).await;
        loop {
            let frame = super::hear(self.socket.as_mut().unwrap()).await.unwrap();
            if frame["type"] == "pong" {
                return;
            }
            self.take(frame).await;
        }
    }

    async fn take(&mut self, frame: Value) {
        match frame["type"].as_str().unwrap() {
            "welcome" => {
                self.state = frame["state"].as_str().unwrap().to_owned();
                self.interaction = frame["interaction"].as_str().map(str::to_owned);
            }
            "message" => {
                if let (Some(name), Some(seq)) = (frame["client_id"].as_str(), frame["seq"].as_u64()) {
                    self.acks.insert(name.to_owned(), seq);
                }
                self.seen.push(frame);
            }
            "ack" => {
                self.acks.insert(frame["client_id"].as_str().unwrap().to_owned(), frame["seq"].as_u64().unwrap());
            }
            "refused" => self.refused.push(frame),
            "state" => {
                self.state = frame["state"].as_str().unwrap().to_owned();
                self.agent = frame["name"].as_str().map(str::to_owned);
            }
            "position" => self.position = frame["position"].as_u64(),
            "read" => self.read = frame["seq"].as_u64().unwrap(),
            "closed" => self.closed = true,
            "ping" => super::say(self.socket.as_mut().unwrap(), json!({"type": "pong"})).await,
            "typing" | "pong" | "rated" => {}
            other => panic!("a frame nobody documented: {other}"),
        }
    }
}
