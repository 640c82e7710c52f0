//! A phone in a browser: SIP in the frames of a WebSocket, the way JsSIP and SIP.js write it.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use ringdesk::{
    base::{Rng, redact::Secret},
    sip::{
        auth::Credentials,
        msg::{Message, Method, Name},
    },
};
use serde_json::Value;
use tokio_tungstenite::tungstenite;

use super::{Desk, PATIENCE, Socket};

/// A page with a phone in it.
pub struct Browser {
    pub socket: Socket,
    pub aor: String,
    credentials: Credentials,
    user: &'static str,
    rng: Rng,
    cseq: u32,
}

impl Browser {
    /// The login its owner gets, and a socket.
    pub async fn opens(desk: &Desk, user: &'static str) -> Browser {
        let login = desk.post("/api/v1/sip/credentials", Value::Null).await;
        assert_eq!(login["ws_url"], format!("ws://{}/sip", desk.at));
        let socket = connect(desk.at, Some(&format!("http://{}", desk.at)), Some("sip")).await.unwrap();
        Browser::with(socket, &login, user)
    }

    /// An open socket and a login.
    pub fn with(socket: Socket, login: &Value, user: &'static str) -> Browser {
        let word = |name: &str| login[name].as_str().unwrap().to_owned();
        let credentials = Credentials {
            realm: word("realm"),
            user: word("username"),
            password: Secret::new(word("password")),
            hosts: vec![],
        };
        Browser { socket, aor: word("aor"), credentials, user, rng: Rng::seeded(3), cseq: 0 }
    }

    /// A request with what every one has; `more` are header lines.
    pub fn request(&mut self, method: &str, to: &str, more: &str, body: &str) -> String {
        self.cseq += 1;
        let domain = self.aor.split('@').nth(1).unwrap();
        let uri = if method == "REGISTER" { format!("sip:{domain}") } else { to.to_owned() };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK{user}{n}\r\nMax-Forwards: 70\r\n\
             From: <{aor}>;tag={user}\r\nTo: <{to}>\r\nCall-ID: {user}-{method}\r\nCSeq: {n} {method}\r\n\
             Contact: <sip:{user}@df7jal23ls0d.invalid;transport=ws>;+sip.instance=\"<urn:uuid:{user}>\"\r\n{more}\
             Content-Length: {length}\r\n\r\n{body}",
            user = self.user,
            n = self.cseq,
            aor = self.aor,
            length = body.len(),
        )
    }

    /// Sends one frame.
    pub async fn says(&mut self, text: &str) {
        self.socket.send(tungstenite::Message::Text(text.to_owned().into())).await.unwrap();
    }

    /// The next frame with SIP in it.
    pub async fn hears(&mut self) -> Message {
        // Pings come all the time and must not count.
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match tokio::time::timeout_at(deadline, self.socket.next()).await.expect("a frame within the patience") {
                Some(Ok(tungstenite::Message::Text(text))) => return Message::parse_datagram(text.into()).unwrap(),
                Some(Ok(tungstenite::Message::Close(frame))) => panic!("the socket closed: {frame:?}"),
                Some(Ok(_)) => {}
                other => panic!("the socket broke: {other:?}"),
            }
        }
    }

    /// Asks, answers a challenge, and takes the first answer that is neither provisional nor a challenge.
    pub async fn asks(&mut self, method: &str, to: &str, more: &str, body: &str) -> Message {
        let mut proof = String::new();
        for _ in 0..2 {
            let text = self.request(method, to, &format!("{proof}{more}"), body);
            self.says(&text).await;
            let answer = loop {
                let m = self.hears().await;
                if m.code().is_some_and(|c| c >= 200) && m.cseq().unwrap().number == self.cseq {
                    break m;
                }
            };
            if method == "INVITE" {
                let mut ack =
                    text.split("Contact:").next().unwrap().replace(" INVITE", " ACK").replace("INVITE sip", "ACK sip");
                let to = answer.to().unwrap().to_string();
                ack = ack
                    .lines()
                    .map(|l| if l.starts_with("To:") { format!("To: {to}\r\n") } else { format!("{l}\r\n") })
                    .collect();
                if answer.code() == Some(200) {
                    ack = ack.replace("branch=z9hG4bK", "branch=z9hG4bKack");
                }
                self.says(&format!("{ack}Content-Length: 0\r\n\r\n")).await;
            }
            let (ask, tell) = match answer.code() {
                Some(401) => (Name::WwwAuthenticate, "Authorization"),
                Some(407) => (Name::ProxyAuthenticate, "Proxy-Authorization"),
                _ => return answer,
            };
            if !proof.is_empty() {
                return answer;
            }
            let challenges: Vec<String> = answer.headers.all(&ask).map(|c| c.into_owned()).collect();
            let uri = text.split(' ').nth(1).unwrap();
            let challenges = challenges.iter().map(String::as_str);
            let value = self.credentials.answer(&mut self.rng, method, uri, challenges, None).expect("a challenge to answer");
            proof = format!("{tell}: {}\r\n", value.value);
        }
        unreachable!("the second answer was returned")
    }

    pub async fn registers(&mut self) -> Message {
        let aor = self.aor.clone();
        self.asks("REGISTER", &aor, "Expires: 120\r\n", "").await
    }

    /// The next request of that method; answers to ours are passed over.
    pub async fn is_asked(&mut self, method: &Method) -> Message {
        loop {
            let m = self.hears().await;
            if m.method() == Some(method) {
                return m;
            }
        }
    }

    pub async fn answers(&mut self, request: &Message, code: u16) {
        let mut response = Message::response_to(request, code, "");
        response.set_to_tag(self.user);
        let text = String::from_utf8(response.write().to_vec()).unwrap();
        self.says(&text).await;
    }
}

/// The socket of the SIP phones; the status when it is refused.
pub async fn connect(at: SocketAddr, origin: Option<&str>, protocol: Option<&str>) -> Result<Socket, u16> {
    let mut headers = Vec::new();
    headers.extend(origin.map(|o| ("origin", o)));
    headers.extend(protocol.map(|p| ("sec-websocket-protocol", p)));
    super::socket(at, "/sip", &headers).await
}
