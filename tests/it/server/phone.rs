//! A desk phone: SIP in datagrams or on a stream, and sound in RTP packets of its own address.

use std::net::SocketAddr;

use ringdesk::{
    base::{Rng, redact::Secret},
    sip::{
        auth::Credentials,
        msg::{Message, Method, Name},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout_at},
};

use super::PATIENCE;

/// Bytes of G.711 in a packet of 20 ms.
const FRAME: usize = 160;

/// What it signals over.
enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

/// A phone of somebody, or of nobody in particular.
pub struct Phone {
    line: Line,
    /// Its own address.
    pub me: SocketAddr,
    server: SocketAddr,
    user: String,
    password: Option<String>,
    rtp: UdpSocket,
    rng: Rng,
    cseq: u32,
}

impl Phone {
    /// One that signals in datagrams.
    pub async fn by_udp(server: SocketAddr, user: &str, password: Option<&str>) -> Phone {
        let socket = UdpSocket::bind(SocketAddr::new(beside(server), 0)).await.unwrap();
        let me = socket.local_addr().unwrap();
        Self::with(Line::Udp(socket), me, server, user, password).await
    }

    /// One that opens a stream.
    pub async fn by_tcp(server: SocketAddr, user: &str, password: Option<&str>) -> Phone {
        let stream = TcpStream::connect(server).await.unwrap();
        let me = stream.local_addr().unwrap();
        Self::with(Line::Tcp(stream, Vec::new()), me, server, user, password).await
    }

    async fn with(line: Line, me: SocketAddr, server: SocketAddr, user: &str, password: Option<&str>) -> Phone {
        let rtp = UdpSocket::bind(SocketAddr::new(me.ip(), 0)).await.unwrap();
        let (user, password) = (user.to_owned(), password.map(str::to_owned));
        Phone { line, me, server, user, password, rtp, rng: Rng::seeded(7), cseq: 0 }
    }

    fn transport(&self) -> &'static str {
        if matches!(self.line, Line::Udp(_)) { "UDP" } else { "TCP" }
    }

    /// Where it wants to be called.
    pub fn contact(&self) -> String {
        format!("sip:{}@{};transport={}", self.user, self.me, self.transport().to_lowercase())
    }

    /// What it says about its sound.
    pub fn description(&self) -> String {
        let at = self.rtp.local_addr().unwrap();
        let family = if at.is_ipv6() { "IP6" } else { "IP4" };
        let (ip, port) = (at.ip(), at.port());
        format!("v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n")
    }

    async fn says(&mut self, text: &str) {
        match &mut self.line {
            Line::Udp(socket) => drop(socket.send_to(text.as_bytes(), self.server).await.unwrap()),
            Line::Tcp(stream, _) => stream.write_all(text.as_bytes()).await.unwrap(),
        }
    }

    async fn hears(&mut self) -> Message {
        let deadline = Instant::now() + PATIENCE;
        let mut part = vec![0; 65_536];
        loop {
            match &mut self.line {
                Line::Udp(socket) => {
                    let (n, from) = timeout_at(deadline, socket.recv_from(&mut part)).await.expect("a message").unwrap();
                    assert_eq!(from, self.server, "it speaks from where it is spoken to");
                    return Message::parse_datagram(part[..n].to_vec().into()).unwrap();
                }
                Line::Tcp(stream, kept) => {
                    let head = kept.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
                    let whole = head.map(|head| {
                        let text = String::from_utf8_lossy(&kept[..head]).to_lowercase();
                        let length = text.lines().find_map(|l| l.strip_prefix("content-length:"));
                        head + length.map_or(0, |l| l.trim().parse::<usize>().unwrap())
                    });
                    if let Some(whole) = whole.filter(|n| *n <= kept.len()) {
                        let message: Vec<u8> = kept.drain(..whole).collect();
                        return Message::parse_datagram(message.into()).unwrap();
                    }
                    let n = timeout_at(deadline, stream.read(&mut part)).await.expect("a message").unwrap();
                    assert_ne!(n, 0, "the stream ended");
                    kept.extend_from_slice(&part[..n]);
                }
            }
        }
    }

    fn request(&self, method: &str, to: &str, tag: &str, more: &str, body: &str) -> String {
        let (transport, me, user, n) = (self.transport(), self.me, &self.user, self.cseq);
        let (server, length) = (self.server, body.len());
        let uri = if method == "REGISTER" { format!("sip:{server}") } else { to.to_owned() };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {me};branch=z9hG4bK{method}{n}{port};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{server}>;tag={user}\r\nTo: <{to}>{tag}\r\nCall-ID: {user}-{port}\r\nCSeq: {n} {method}\r\n\
             Contact: <{}>\r\n{more}Content-Length: {length}\r\n\r\n{body}",
            self.contact(),
            port = me.port(),
        )
    }

    /// Asks, says who it is when it is asked that, and takes the final answer.
    pub async fn asks(&mut self, method: &str, to: &str, more: &str, body: &str) -> Message {
        let mut proof = String::new();
        loop {
            self.cseq += 1;
            let text = self.request(method, to, "", &format!("{proof}{more}"), body);
            self.says(&text).await;
            let answer = loop {
                let m = self.hears().await;
                if m.code().is_some_and(|c| c >= 200) && m.cseq().unwrap().number == self.cseq {
                    break m;
                }
            };
            if method == "INVITE" {
                let tag = format!(";tag={}", answer.to_tag().unwrap_or_default());
                let mut ack = self.request("ACK", to, &tag, "", "");
                if answer.code() != Some(200) {
                    // Of a refusal it is part of the transaction.
                    ack = ack.replace("branch=z9hG4bKACK", "branch=z9hG4bKINVITE");
                }
                self.says(&ack).await;
            }
            if answer.code() != Some(401) || !proof.is_empty() {
                return answer;
            }
            let challenge = answer.headers.get(&Name::WwwAuthenticate).unwrap().into_owned();
            let realm = challenge.split("realm=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            let password = Secret::new(self.password.clone().expect("somebody with a password"));
            let credentials = Credentials { realm, user: self.user.clone(), password, hosts: vec![] };
            let uri = text.split(' ').nth(1).unwrap().to_owned();
            let value = credentials.answer(&mut self.rng, method, &uri, [challenge.as_str()].into_iter(), None);
            proof = format!("Authorization: {}\r\n", value.expect("a challenge to answer").value);
        }
    }

    /// Registers; what the server lists.
    pub async fn registers(&mut self) -> Message {
        let aor = format!("sip:{}@{}", self.user, self.server);
        let answer = self.asks("REGISTER", &aor, "Expires: 120\r\n", "").await;
        assert_eq!(answer.code(), Some(200), "{answer:?}");
        answer
    }

    /// Calls a number; the description it is answered with.
    pub async fn calls(&mut self, number: &str) -> (Message, String) {
        let (to, offer) = (format!("sip:{number}@{}", self.server), self.description());
        let answer = self.asks("INVITE", &to, "Content-Type: application/sdp\r\n", &offer).await;
        assert_eq!(answer.code(), Some(200), "{answer:?}");
        let theirs = String::from_utf8(answer.body.to_vec()).unwrap();
        (answer, theirs)
    }

    /// The next request of a method.
    pub async fn is_asked(&mut self, method: &Method) -> Message {
        loop {
            let m = self.hears().await;
            if m.method() == Some(method) {
                return m;
            }
        }
    }

    /// Takes a call; done when the other side says that it heard.
    pub async fn takes(&mut self, invite: &Message) {
        let mut response = Message::response_to(invite, 200, "");
        response.set_to_tag("taken");
        response.headers.push(Name::Contact, format!("<{}>", self.contact()));
        response.set_body("application/sdp", self.description());
        let text = String::from_utf8(response.write().to_vec()).unwrap();
        self.says(&text).await;
        self.is_asked(&Method::Ack).await;
    }

    /// Answers a request that needs no more than that.
    pub async fn agrees(&mut self, request: &Message) {
        let text = String::from_utf8(Message::response_to(request, 200, "").write().to_vec()).unwrap();
        self.says(&text).await;
    }

    /// Sends sound, 20 ms at a time, until it hears `wanted`: each byte of it is a value nobody else sends. Where that came from.
    pub async fn talks(&self, to: SocketAddr, own: u8, wanted: u8) -> SocketAddr {
        let deadline = Instant::now() + PATIENCE;
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(20));
        let (mut n, mut part) = (0u16, [0; 2_048]);
        loop {
            tokio::select! {
                _ = pace.tick() => {
                    let mut packet = vec![0x80, 0];
                    packet.extend_from_slice(&n.to_be_bytes());
                    packet.extend_from_slice(&(u32::from(n) * FRAME as u32).to_be_bytes());
                    packet.extend_from_slice(&[own; 4]);
                    packet.extend_from_slice(&[own; FRAME]);
                    n = n.wrapping_add(1);
                    self.rtp.send_to(&packet, to).await.unwrap();
                }
                heard = timeout_at(deadline, self.rtp.recv_from(&mut part)) => {
                    let (length, from) = heard.expect("the other voice within the patience").unwrap();
                    let sound = part.get(12..length).unwrap_or_default();
                    if !sound.is_empty() && sound.iter().all(|b| *b == wanted) {
                        return from;
                    }
                }
            }
        }
    }
}

/// Where somebody is who speaks to that address from the same machine.
fn beside(server: SocketAddr) -> std::net::IpAddr {
    if server.is_ipv6() { std::net::Ipv6Addr::LOCALHOST.into() } else { std::net::Ipv4Addr::LOCALHOST.into() }
}

/// Where a description says its sound is wanted.
pub fn wanted_at(description: &str) -> SocketAddr {
    let line = |start: &str| description.lines().find_map(|l| l.strip_prefix(start)).unwrap_or_default().trim().to_owned();
    let ip = line("c=IN ").split(' ').nth(1).unwrap().parse().unwrap();
    SocketAddr::new(ip, line("m=audio ").split(' ').next().unwrap().parse().unwrap())
}
