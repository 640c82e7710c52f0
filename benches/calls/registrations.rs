//! Phones that do nothing but stay registered, and connections nothing happens on: what the whole server takes for them.
//!
//! Twenty thousand bindings are refreshed five hundred times a second with the nonce they were given, as phones do; a phone that
//! is challenged again answers again. Then ten thousand connections, half TCP and half WebSocket, are opened and left alone.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    path::Path,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    http::text_of,
    load::{Delays, real_ns},
    proc,
    ringdesk::{Ringdesk, registrants},
    server::Places,
    sip::{credentials, header},
};

/// Phones of one user.
const PHONES_EACH: usize = 10;
/// Requests under way at once while the phones register for the first time.
const AT_ONCE: usize = 64;
/// A request without an answer is sent again after this.
const AGAIN_NS: u64 = 500_000_000;
/// Connections of one kind from one address: this side has as many addresses as it takes.
const PER_ADDRESS: usize = 200;

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub bindings: usize,
    pub rate: usize,
    pub refreshed: usize,
    /// Of those, asked for their password once more.
    pub challenged: usize,
    /// Requests sent more than once.
    pub again: usize,
    pub answer: Delays,
    /// Run time of the server and the time it took.
    pub cpu_ns: u64,
    pub took_ns: u64,
    pub rss_before: u64,
    pub rss_registered: u64,
    pub connections: usize,
    pub rss_connected: u64,
}

impl Outcome {
    /// Share of one processor.
    pub fn core(&self) -> f64 {
        self.cpu_ns as f64 / self.took_ns as f64
    }
}

struct Phone {
    user: usize,
    port: u16,
    authorization: String,
    challenge: String,
    uses: u32,
    sequence: u32,
    /// When the request under way was sent; 0: none is.
    sent_ns: u64,
    done: bool,
}

struct Phones {
    socket: UdpSocket,
    server: SocketAddrV4,
    passwords: Vec<String>,
    all: Vec<Phone>,
    answer: Delays,
    refreshed: usize,
    challenged: usize,
    again: usize,
}

/// So many bindings, refreshed at `rate` for `window`; then so many connections.
pub fn measure(
    program: &Path,
    folder: &Path,
    places: Places,
    (bindings, rate): (usize, usize),
    window: Duration,
    connections: usize,
) -> io::Result<Outcome> {
    let (server, api, http) = Ringdesk::bare(program, folder, places, "[sip]\nconnections = 20000\nrequests_per_s = 0\n")?;
    let pid = server.pid();
    let users = bindings.div_ceil(PHONES_EACH);
    api.ask("PUT", "/api/v1/config", "application/yaml", &registrants(users))?;
    let mut passwords = Vec::new();
    for n in 0..users {
        let user = api.json("POST", "/api/v1/users", &format!("{{\"login\":\"a{n}\",\"role\":\"agent\"}}"))?;
        let password = text_of(&user, "sip_password").ok_or_else(|| io::Error::other(user.clone()))?;
        passwords.push(password.to_owned());
    }
    let rss_before = proc::rss(pid)?;
    let mut phones = Phones::new(server.sip(), passwords, bindings)?;
    phones.register_all()?;
    let rss_registered = proc::rss(pid)?;
    let (cpu, began) = (proc::cpu_ns(pid)?, real_ns());
    phones.refresh(rate, window)?;
    let (cpu_ns, took_ns) = (proc::cpu_ns(pid)? - cpu, real_ns() - began);
    let open = idle(connections, server.sip(), http)?;
    let rss_connected = proc::rss(pid)?;
    Ok(Outcome {
        bindings,
        rate,
        refreshed: phones.refreshed,
        challenged: phones.challenged,
        again: phones.again,
        answer: phones.answer,
        cpu_ns,
        took_ns,
        rss_before,
        rss_registered,
        connections: open.len(),
        rss_connected,
    })
}

impl Phones {
    fn new(server: SocketAddrV4, passwords: Vec<String>, bindings: usize) -> io::Result<Self> {
        let raw = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        raw.set_recv_buffer_size(8 << 20)?;
        raw.set_nonblocking(true)?;
        raw.bind(&SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 3), 0).into())?;
        let phone = |n: usize| Phone {
            user: n / PHONES_EACH,
            port: 20_000 + (n % 40_000) as u16,
            authorization: String::new(),
            challenge: String::new(),
            uses: 0,
            sequence: 0,
            sent_ns: 0,
            done: false,
        };
        let all = (0..bindings).map(phone).collect();
        let answer = Delays::default();
        Ok(Self { socket: raw.into(), server, passwords, all, answer, refreshed: 0, challenged: 0, again: 0 })
    }

    fn send(&mut self, n: usize) -> io::Result<()> {
        let (own, server) = (self.socket.local_addr()?, self.server);
        let p = &mut self.all[n];
        p.sequence += 1;
        if !p.challenge.is_empty() {
            p.uses += 1;
            let (user, password) = (format!("a{}", p.user), &self.passwords[p.user]);
            p.authorization = credentials(&p.challenge, &user, password, &format!("sip:{server}"), p.uses);
        }
        let (user, port, sequence, authorization) = (p.user, p.port, p.sequence, &p.authorization);
        let text = format!(
            "REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKg{n}x{sequence};rport\r\nMax-Forwards: 70\r\nFrom: <sip:a{user}@{server}>;tag=g\r\nTo: <sip:a{user}@{server}>\r\nCall-ID: g{n}\r\nCSeq: {sequence} REGISTER\r\nContact: <sip:a{user}@127.0.0.3:{port}>\r\nExpires: 120\r\n{authorization}Content-Length: 0\r\n\r\n"
        );
        p.sent_ns = real_ns();
        self.socket.send_to(text.as_bytes(), server).map(drop)
    }

    /// Takes what has come. How many phones got what they wanted.
    fn hear(&mut self) -> io::Result<usize> {
        let mut message = [0; 4_096];
        let mut content = 0;
        loop {
            let len = match self.socket.recv_from(&mut message) {
                Ok((len, _)) => len,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(content),
                Err(e) => return Err(e),
            };
            let reply = String::from_utf8_lossy(&message[..len]).into_owned();
            let number = header(&reply, "Call-ID").and_then(|id| id.strip_prefix('g')?.parse::<usize>().ok());
            let Some(n) = number.filter(|n| *n < self.all.len()) else { continue };
            // An answer to a request that was sent again comes twice.
            let answers = header(&reply, "CSeq").and_then(|c| c.split(' ').next()?.parse::<u32>().ok());
            if answers != Some(self.all[n].sequence) || self.all[n].sent_ns == 0 {
                continue;
            }
            match reply.get(8..11) {
                Some("200") => {
                    let waited = real_ns() - self.all[n].sent_ns;
                    self.answer.add(waited / 1_000);
                    (self.all[n].sent_ns, self.all[n].done) = (0, true);
                    content += 1;
                }
                Some("401") => {
                    self.all[n].challenge = header(&reply, "WWW-Authenticate").unwrap_or_default().to_owned();
                    self.all[n].uses = 0;
                    self.challenged += 1;
                    self.send(n)?;
                }
                _ => return Err(io::Error::other(format!("a phone is answered {}", reply.lines().next().unwrap_or_default()))),
            }
        }
    }

    /// Whoever has waited too long sends again.
    fn repeat(&mut self, under_way: impl Iterator<Item = usize>) -> io::Result<()> {
        let now = real_ns();
        for n in under_way {
            if self.all[n].sent_ns != 0 && now.saturating_sub(self.all[n].sent_ns) > AGAIN_NS {
                self.again += 1;
                self.send(n)?;
            }
        }
        Ok(())
    }

    fn register_all(&mut self) -> io::Result<()> {
        let (mut next, mut done) = (0, 0);
        while done < self.all.len() {
            while next < self.all.len() && next - done < AT_ONCE {
                self.send(next)?;
                next += 1;
            }
            done += self.hear()?;
            self.repeat(next.saturating_sub(4 * AT_ONCE)..next)?;
            std::thread::park_timeout(Duration::from_micros(100));
        }
        (self.challenged, self.again, self.answer) = (0, 0, Delays::default());
        Ok(())
    }

    /// One after the other, evenly.
    fn refresh(&mut self, rate: usize, window: Duration) -> io::Result<()> {
        let (began, step) = (real_ns(), 1_000_000_000 / rate as u64);
        let (end, mut sent) = (began + window.as_nanos() as u64, 0u64);
        while real_ns() < end {
            while began + sent * step <= real_ns() {
                self.send(sent as usize % self.all.len())?;
                sent += 1;
            }
            self.refreshed += self.hear()?;
            let from = (sent as usize).saturating_sub(2 * rate);
            let len = self.all.len();
            self.repeat((from..sent as usize).map(move |n| n % len))?;
            std::thread::park_timeout(Duration::from_micros(200));
        }
        Ok(())
    }
}

/// Opens connections and leaves them alone: half of them TCP that said once that they are there, half WebSockets.
fn idle(count: usize, sip: SocketAddrV4, http: SocketAddrV4) -> io::Result<Vec<Socket>> {
    let mut open = Vec::with_capacity(count);
    for n in 0..count {
        let host = u8::try_from(10 + n / PER_ADDRESS).map_err(io::Error::other)?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, host), 0).into())?;
        let web = n % 2 == 1;
        socket.connect(&SocketAddr::V4(if web { http } else { sip }).into())?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut stream = &socket;
        let mut answer = [0; 512];
        let got = match web {
            false => {
                stream.write_all(b"\r\n\r\n")?;
                stream.read(&mut answer)?
            }
            true => {
                write!(
                    stream,
                    "GET /sip HTTP/1.1\r\nHost: {http}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nOrigin: http://{http}\r\n\r\n"
                )?;
                stream.read(&mut answer)?
            }
        };
        if got == 0 || web && !answer.starts_with(b"HTTP/1.1 101") {
            let said = String::from_utf8_lossy(&answer[..got]).into_owned();
            return Err(io::Error::other(format!("connection {n} was not taken: {said}")));
        }
        open.push(socket);
    }
    Ok(open)
}
