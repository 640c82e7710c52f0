//! The agents' phones as the registrar knows them: each logs in with digest (RFC 3261 section 22) and comes back before its
//! time is over. All of them are on one socket.

use std::{
    io,
    net::{SocketAddrV4, UdpSocket},
    time::Duration,
};

use crate::{
    load::real_ns,
    sip::{MESSAGE_MAX, credentials, header},
};

/// An answer to the first login is waited for so long.
const ANSWERED: Duration = Duration::from_millis(500);
/// A phone that was turned away asks again after this.
const NOT_YET: Duration = Duration::from_millis(100);
/// First logins tried.
const ASKED: u32 = 40;
/// All phones come back once in this time: well before the two minutes the server gives them are over, twice over.
const ROUND: Duration = Duration::from_secs(40);

#[derive(Debug)]
struct Desk {
    user: String,
    password: String,
    /// What the server asked for last, and how often it was answered.
    challenge: String,
    uses: u32,
    sequence: u32,
}

/// The phones.
#[derive(Debug, Default)]
pub struct Desks {
    all: Vec<Desk>,
    /// Whose turn it is, and when, nanoseconds.
    next: usize,
    due: u64,
}

impl Desks {
    /// One more, and wait until it is registered.
    pub fn add(&mut self, socket: &UdpSocket, server: SocketAddrV4, user: &str, password: &str) -> io::Result<()> {
        let (user, password) = (user.to_owned(), password.to_owned());
        let mut desk = Desk { user, password, challenge: String::new(), uses: 0, sequence: 0 };
        let mut last = String::new();
        for _ in 0..ASKED {
            desk.register(socket, server)?;
            let reply = answer(socket);
            match reply.get(8..11) {
                Some("200") => {
                    self.all.push(desk);
                    return Ok(());
                }
                Some("401") => desk.challenged(&reply),
                // No answer, or not yet: the login may not be known everywhere at once, and a server that has just started may
                // turn phones away.
                _ => {
                    last = reply.lines().next().unwrap_or("no answer").to_owned();
                    std::thread::park_timeout(NOT_YET);
                }
            }
        }
        Err(io::Error::other(format!("the phone of {} is not registered: {last}", desk.user)))
    }

    /// Whoever's turn it is comes back. A request that is lost is made good by the next turn.
    pub fn tend(&mut self, socket: &UdpSocket, server: SocketAddrV4) -> io::Result<()> {
        let now = real_ns();
        if self.all.is_empty() || now < self.due {
            return Ok(());
        }
        self.due = now + ROUND.as_nanos() as u64 / self.all.len() as u64;
        self.next = (self.next + 1) % self.all.len();
        self.all[self.next].register(socket, server)
    }

    /// The server's answer to one of them.
    pub fn heard(&mut self, socket: &UdpSocket, server: SocketAddrV4, reply: &str) -> io::Result<()> {
        let user = header(reply, "Call-ID").and_then(|id| id.strip_prefix('r'));
        let Some(desk) = self.all.iter_mut().find(|d| Some(d.user.as_str()) == user) else { return Ok(()) };
        let latest = header(reply, "CSeq").is_some_and(|c| *c == format!("{} REGISTER", desk.sequence));
        if latest && reply.get(8..11) == Some("401") {
            desk.challenged(reply);
            desk.register(socket, server)?;
        }
        Ok(())
    }
}

impl Desk {
    fn challenged(&mut self, reply: &str) {
        self.challenge = header(reply, "WWW-Authenticate").unwrap_or_default().to_owned();
        self.uses = 0;
    }

    fn register(&mut self, socket: &UdpSocket, server: SocketAddrV4) -> io::Result<()> {
        let own = socket.local_addr()?;
        self.sequence += 1;
        let mut authorization = String::new();
        if !self.challenge.is_empty() {
            self.uses += 1;
            authorization = credentials(&self.challenge, &self.user, &self.password, &format!("sip:{server}"), self.uses);
        }
        let Self { user, sequence, .. } = self;
        let text = format!(
            "REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKr{user}{sequence};rport\r\nMax-Forwards: 70\r\nFrom: <sip:{user}@{server}>;tag=r\r\nTo: <sip:{user}@{server}>\r\nCall-ID: r{user}\r\nCSeq: {sequence} REGISTER\r\nContact: <sip:{user}@{own}>\r\nExpires: 3600\r\n{authorization}Content-Length: 0\r\n\r\n"
        );
        // What the system does not take now is sent at the next turn.
        let _ = socket.send_to(text.as_bytes(), server);
        Ok(())
    }
}

/// The next message, or nothing.
fn answer(socket: &UdpSocket) -> String {
    let (end, mut message) = (real_ns() + ANSWERED.as_nanos() as u64, [0; MESSAGE_MAX]);
    loop {
        match socket.recv_from(&mut message) {
            Ok((n, _)) => return String::from_utf8_lossy(&message[..n]).into_owned(),
            Err(_) if real_ns() > end => return String::new(),
            Err(_) => std::thread::park_timeout(Duration::from_micros(200)),
        }
    }
}
