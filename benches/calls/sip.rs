//! The smallest phones that can set up and end a call (RFC 3261) over UDP: one socket calls, another is all the agents'
//! phones. What they do not need they do not know; what the server might ask besides they answer with 200.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    time::Duration,
};

use md5::{Digest as _, Md5};

use crate::{
    desks::Desks,
    load::{Delays, real_ns},
    proc,
    ringdesk::NUMBER,
    sys,
};

/// Where the agents' phones live: another address than the carrier's.
const CALLED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A request is sent again after this long without an answer, then after twice that, and so on (RFC 3261 section 17.1.1.2).
const T1: u64 = 500_000_000;
/// So often in all; the call has failed then.
const SENT_MAX: u32 = 6;
/// A caller who is not with an agent after this gives up: without that an overloaded server would be left with callers nobody
/// will ever take away, and the agents they reach in the end would be lost to all others.
const CALLER_PATIENCE: Duration = Duration::from_secs(10);
/// After the last caller's patience is over: what is not over then has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Numbers callers have, and with them customers: more than there are calls within the patience of all phones, so that a number
/// says which call it is.
const NUMBERS: usize = 100_000;
/// Digits of a number that say so.
const NUMBER_DIGITS: usize = 5;
/// The server's memory is looked at after so many calls, each time.
const WATCHED: usize = 10_000;
/// Transactions are kept for 64 T1, to answer what comes late (RFC 3261 section 17.1.2.2): after that all of a call is over.
const REST: Duration = Duration::from_secs(35);
/// Largest message read.
pub const MESSAGE_MAX: usize = 4_096;
/// Room for what arrives while we are busy.
const SOCKET_ROOM: i32 = 8 << 20;

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Calls begun a second.
    pub rate: usize,
    /// Calls in all.
    pub calls: usize,
    /// From the agent's answer to the caller's hang-up.
    pub hold: Duration,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub plan: Plan,
    /// Calls that were not answered or not ended as they should, those given up among them.
    pub failed: usize,
    /// Callers who gave up before they were with an agent.
    pub given_up: usize,
    /// Requests sent more than once.
    pub again: usize,
    /// Run time of the server, from the first call to the last end.
    pub cpu_ns: u64,
    pub took_ns: u64,
    /// The same time by the names of the server's threads, and how often they waited.
    pub threads: BTreeMap<String, proc::Done>,
    /// From the caller's INVITE to the ACK at the agent's phone, microseconds.
    pub setup: Delays,
    /// Memory of the server before and after, bytes.
    pub rss: (u64, u64),
    /// The same after every so many calls ([`WATCHED`]).
    pub rss_meanwhile: Vec<u64>,
    /// The same once it could rest ([`Phones::rest`]).
    pub rss_rested: Option<u64>,
    /// How the first call that was refused was refused.
    pub refusal: Option<String>,
}

impl Outcome {
    /// Milliseconds of the server's time for one call.
    pub fn per_call_ms(&self) -> f64 {
        self.cpu_ns as f64 / 1e6 / self.plan.calls as f64
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Inviting,
    /// Something came back: the INVITE is not sent again.
    Proceeding,
    /// Answered, and waiting for an agent.
    Waiting,
    /// With an agent.
    Talking,
    Leaving,
    Over,
    Failed,
}

#[derive(Debug)]
struct Call {
    state: State,
    began: u64,
    /// The caller wants no more of it, whatever is still answered.
    given_up: bool,
    /// To with its tag, and the Contact, once answered.
    peer: Option<(String, String)>,
}

/// Something to do later.
#[derive(Debug, Clone, Copy)]
struct Later {
    due: u64,
    call: usize,
    sent: u32,
}

/// Both phones.
#[derive(Debug)]
pub struct Phones {
    caller: UdpSocket,
    called: UdpSocket,
    desks: Desks,
    /// Where sound would go: nobody listens to it here.
    sinks: (UdpSocket, UdpSocket),
    server: SocketAddrV4,
    calls: Vec<Call>,
    refusal: Option<String>,
    /// Calls of earlier plans: names are not used twice.
    named: usize,
}

impl Phones {
    /// `server`: where it will be.
    pub fn new(server: SocketAddrV4) -> io::Result<Self> {
        let socket = |ip: Ipv4Addr| {
            let s = UdpSocket::bind((ip, 0))?;
            s.set_nonblocking(true)?;
            sys::receive_room(&s, SOCKET_ROOM)?;
            Ok::<_, io::Error>(s)
        };
        let sinks = (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?, UdpSocket::bind((CALLED, 0))?);
        Ok(Self {
            caller: socket(Ipv4Addr::LOCALHOST)?,
            called: socket(CALLED)?,
            desks: Desks::default(),
            sinks,
            server,
            calls: Vec::new(),
            refusal: None,
            named: 0,
        })
    }

    /// The caller's port: its carrier is known by it.
    pub fn caller_port(&self) -> io::Result<u16> {
        Ok(self.caller.local_addr()?.port())
    }

    /// Register an agent's phone; it stays registered while there are calls and while they rest.
    pub fn register(&mut self, user: &str, password: &str) -> io::Result<()> {
        self.desks.add(&self.called, self.server, user, password)
    }

    /// Where the server is.
    pub fn server(&self) -> SocketAddrV4 {
        self.server
    }

    /// Whether the server answers at all.
    pub fn is_there(&self) -> io::Result<bool> {
        let own = self.caller.local_addr()?;
        let request = format!(
            "OPTIONS sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKo{1};rport\r\nMax-Forwards: 70\r\nFrom: <sip:bench@{own}>;tag=o\r\nTo: <sip:{0}>\r\nCall-ID: o{1}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
            self.server,
            real_ns()
        );
        // Before it listens its port is closed, and both of these may say so.
        if self.caller.send_to(request.as_bytes(), self.server).is_err() {
            return Ok(false);
        }
        std::thread::park_timeout(Duration::from_millis(50));
        Ok(self.caller.recv_from(&mut [0; MESSAGE_MAX]).is_ok())
    }

    /// Make the calls. `pid` is the server's.
    pub fn run(&mut self, plan: Plan, pid: u32) -> io::Result<Outcome> {
        self.named += self.calls.len();
        self.calls.clear();
        let rss = proc::rss(pid)?;
        let cpu = proc::cpu_ns(pid)?;
        let before = proc::threads(pid)?;
        let base = real_ns();
        let mut setup = Delays::default();
        let (mut byes, mut repeats, mut patience) =
            (VecDeque::<Later>::new(), VecDeque::<Later>::new(), VecDeque::<Later>::new());
        let (mut again, mut open) = (0, 0);
        let step = 1_000_000_000 / plan.rate as u64;
        let last = base + step * plan.calls as u64 + (plan.hold + CALLER_PATIENCE + PATIENCE).as_nanos() as u64;
        let mut message = [0; MESSAGE_MAX];
        let mut rss_meanwhile = Vec::new();
        loop {
            let now = real_ns();
            if now > last || (self.calls.len() == plan.calls && open == 0) {
                break;
            }
            if self.calls.len() < plan.calls && now >= base + step * self.calls.len() as u64 {
                let n = self.calls.len();
                self.calls.push(Call { state: State::Inviting, began: now, given_up: false, peer: None });
                open += 1;
                if n > 0 && n.is_multiple_of(WATCHED) {
                    rss_meanwhile.push(proc::rss(pid)?);
                }
                self.request(n, "INVITE")?;
                repeats.push_back(Later { due: now + T1, call: n, sent: 1 });
                patience.push_back(Later { due: now + CALLER_PATIENCE.as_nanos() as u64, call: n, sent: 0 });
            }
            while let Some(l) = patience.pop_front_if(|l| l.due <= now) {
                let call = &mut self.calls[l.call];
                call.given_up = matches!(call.state, State::Inviting | State::Proceeding | State::Waiting);
                match call.state {
                    State::Waiting => repeats.push_back(self.leaves(l.call, now)?),
                    // Before anything was answered there is nothing to cancel (RFC 3261 section 9.1).
                    State::Proceeding => self.request(l.call, "CANCEL")?,
                    _ => {}
                }
            }
            while let Some(l) = byes.pop_front_if(|l| l.due <= now) {
                if self.calls[l.call].state == State::Talking {
                    repeats.push_back(self.leaves(l.call, now)?);
                }
            }
            while let Some(l) = repeats.pop_front_if(|l| l.due <= now) {
                let method = match self.calls[l.call].state {
                    State::Inviting => "INVITE",
                    State::Leaving => "BYE",
                    _ => continue,
                };
                if l.sent == SENT_MAX {
                    self.calls[l.call].state = State::Failed;
                    open -= 1;
                    continue;
                }
                again += 1;
                self.request(l.call, method)?;
                repeats.push_back(Later { due: now + T1, call: l.call, sent: l.sent + 1 });
            }
            self.desks.tend(&self.called, self.server)?;
            while let Ok((n, from)) = self.called.recv_from(&mut message) {
                let text = String::from_utf8_lossy(&message[..n]);
                if text.starts_with("SIP/2.0 ") {
                    self.desks.heard(&self.called, self.server, &text)?;
                    continue;
                }
                self.answer(&text, &self.called, from)?;
                if text.starts_with("ACK ")
                    && let Some(n) = self.caller_of(&text)
                    && matches!(self.calls[n].state, State::Proceeding | State::Waiting)
                {
                    let now = real_ns();
                    setup.add((now - self.calls[n].began) / 1_000);
                    self.calls[n].state = State::Talking;
                    byes.push_back(Later { due: now + plan.hold.as_nanos() as u64, call: n, sent: 0 });
                }
            }
            while let Ok((n, from)) = self.caller.recv_from(&mut message) {
                let text = String::from_utf8_lossy(&message[..n]).into_owned();
                if !text.starts_with("SIP/2.0 ") {
                    self.answer(&text, &self.caller, from)?;
                    continue;
                }
                let over = |s| matches!(s, State::Over | State::Failed);
                let Some((n, before, after)) = self.heard(&text)? else { continue };
                if !over(before) && over(after) {
                    open -= 1;
                }
                // Answered when nobody wanted it any more.
                if self.calls[n].given_up && before != after && after == State::Waiting {
                    repeats.push_back(self.leaves(n, real_ns())?);
                }
            }
        }
        let took_ns = real_ns() - base;
        let cpu_ns = proc::cpu_ns(pid)?.saturating_sub(cpu);
        let mut threads = proc::threads(pid)?;
        for (name, done) in &mut threads {
            let before = before.get(name).copied().unwrap_or_default();
            done.cpu_ns = done.cpu_ns.saturating_sub(before.cpu_ns);
            done.waits = done.waits.saturating_sub(before.waits);
        }
        let failed = self.calls.iter().filter(|c| c.state != State::Over || c.given_up).count();
        let given_up = self.calls.iter().filter(|c| c.given_up).count();
        let (rss, refusal) = ((rss, proc::rss(pid)?), self.refusal.take());
        Ok(Outcome {
            plan,
            failed,
            given_up,
            again,
            cpu_ns,
            took_ns,
            threads,
            setup,
            rss,
            rss_meanwhile,
            rss_rested: None,
            refusal,
        })
    }

    /// The caller hangs up; when that is said again.
    fn leaves(&mut self, n: usize, now: u64) -> io::Result<Later> {
        self.calls[n].state = State::Leaving;
        self.request(n, "BYE")?;
        Ok(Later { due: now + T1, call: n, sent: 1 })
    }

    /// Waits until nothing of the calls is left on the wire: the server's memory then, bytes.
    pub fn rest(&mut self, pid: u32) -> io::Result<u64> {
        let (end, mut message) = (real_ns() + REST.as_nanos() as u64, [0; MESSAGE_MAX]);
        while real_ns() < end {
            self.desks.tend(&self.called, self.server)?;
            while let Ok((n, _)) = self.called.recv_from(&mut message) {
                self.desks.heard(&self.called, self.server, &String::from_utf8_lossy(&message[..n]))?;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        proc::rss(pid)
    }

    /// Whose call it is that an agent's phone is rung for: the latest one from that number.
    fn caller_of(&self, text: &str) -> Option<usize> {
        let digits = header(text, "From")?.split("sip:").nth(1)?.split('@').next()?;
        let number = digits.get(digits.len().checked_sub(NUMBER_DIGITS)?..)?.parse::<usize>().ok()?;
        let last = (self.calls.len() + self.named).checked_sub(1)?;
        (last - (last + NUMBERS - number) % NUMBERS).checked_sub(self.named)
    }

    /// A response came: its call, and the state of that before and after.
    fn heard(&mut self, text: &str) -> io::Result<Option<(usize, State, State)>> {
        let number = |id: &str| id.strip_prefix('c')?.parse::<usize>().ok()?.checked_sub(self.named);
        let Some(n) = header(text, "Call-ID").and_then(number).filter(|n| *n < self.calls.len()) else { return Ok(None) };
        let status: u32 = text.get(8..11).and_then(|s| s.parse().ok()).unwrap_or(0);
        let invite = header(text, "CSeq").is_some_and(|c| c.ends_with("INVITE"));
        let before = self.calls[n].state;
        let after = match (before, invite, status) {
            (State::Inviting, true, 100..=199) => State::Proceeding,
            (State::Inviting | State::Proceeding, true, 200..=299) => {
                let contact = header(text, "Contact").and_then(|c| c.split('<').nth(1)?.split('>').next());
                let (Some(to), Some(contact)) = (header(text, "To"), contact) else { return Ok(None) };
                self.calls[n].peer = Some((to.into(), contact.into()));
                State::Waiting
            }
            (State::Inviting | State::Proceeding, true, 300..) => {
                self.calls[n].peer = header(text, "To").map(|to| (to.into(), String::new()));
                State::Failed
            }
            (State::Leaving, false, 200..=299) => State::Over,
            (State::Leaving, false, 300..) => State::Failed,
            _ => before,
        };
        if status >= 300 {
            self.refusal.get_or_insert_with(|| text.lines().next().unwrap_or_default().replace(['"', '\\'], "'"));
        }
        if invite && status >= 200 {
            self.request(n, "ACK")?;
        }
        self.calls[n].state = after;
        Ok(Some((n, before, after)))
    }

    /// The caller's side of a call.
    fn request(&self, n: usize, method: &str) -> io::Result<()> {
        let own = self.caller.local_addr()?;
        let (call, server) = (n + self.named, self.server);
        let called = format!("sip:{NUMBER}@{server}");
        let (to, target) = match &self.calls[n].peer {
            Some((to, contact)) if !contact.is_empty() => (to.clone(), contact.clone()),
            Some((to, _)) => (to.clone(), called),
            None => (format!("<{called}>"), called),
        };
        let (sequence, branch) = match method {
            "BYE" => (2, "b"),
            // The ACK of a refusal belongs to the INVITE's transaction (RFC 3261 section 17.1.1.3).
            "ACK" if self.calls[n].peer.as_ref().is_some_and(|p| !p.1.is_empty()) => (1, "a"),
            _ => (1, "i"),
        };
        let body = if method == "INVITE" { sdp(&self.sinks.0)? } else { String::new() };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{branch}{call};rport\r\nMax-Forwards: 70\r\nFrom: <sip:+155500{:05}@{own}>;tag=f{call}\r\nTo: {to}\r\nCall-ID: c{call}\r\nCSeq: {sequence} {method}\r\nContact: <sip:bench@{own}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            call % NUMBERS,
            body.len()
        );
        // What the system does not take is sent again in time.
        let _ = self.caller.send_to(text.as_bytes(), server);
        Ok(())
    }

    /// A request of the server's: a call is answered, whatever else is fine.
    fn answer(&self, text: &str, socket: &UdpSocket, from: std::net::SocketAddr) -> io::Result<()> {
        let method = text.split(' ').next().unwrap_or_default();
        if method == "ACK" || method.starts_with("SIP/") {
            return Ok(());
        }
        let mut reply = String::from("SIP/2.0 200 OK\r\n");
        for line in text.lines().take_while(|l| !l.is_empty()) {
            let name = line.split(':').next().unwrap_or_default().trim();
            let is = |long: &str, short: &str| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short);
            if is("Via", "v") || is("From", "f") || is("Call-ID", "i") || name.eq_ignore_ascii_case("CSeq") {
                reply += &format!("{line}\r\n");
            } else if is("To", "t") {
                let tag = if line.contains(";tag=") { "" } else { ";tag=t" };
                reply += &format!("{line}{tag}\r\n");
            }
        }
        let own = socket.local_addr()?;
        reply += &format!("Contact: <sip:bench@{own}>\r\n");
        let body = if method == "INVITE" { sdp(&self.sinks.1)? } else { String::new() };
        if !body.is_empty() {
            reply += "Content-Type: application/sdp\r\n";
        }
        reply += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let _ = socket.send_to(reply.as_bytes(), from);
        Ok(())
    }
}

fn sdp(at: &UdpSocket) -> io::Result<String> {
    let at = at.local_addr()?;
    let (ip, port) = (at.ip(), at.port());
    Ok(format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
    ))
}

/// The answer to a challenge (RFC 2617 section 3.2.2, with qop=auth where it is offered).
pub fn credentials(challenge: &str, user: &str, password: &str, uri: &str, uses: u32) -> String {
    let parameter = |name: &str| {
        let rest = challenge.split(&format!("{name}=")).nth(1)?;
        rest.trim_start_matches('"').split(['"', ',']).next()
    };
    let hex = |text: String| Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let (realm, nonce) = (parameter("realm").unwrap_or_default(), parameter("nonce").unwrap_or_default());
    let ha1 = hex(format!("{user}:{realm}:{password}"));
    let ha2 = hex(format!("REGISTER:{uri}"));
    let (response, qop) = if challenge.contains("qop=") {
        {
            let nc = format!("{uses:08x}");
            (hex(format!("{ha1}:{nonce}:{nc}:c:auth:{ha2}")), format!(", qop=auth, nc={nc}, cnonce=\"c\""))
        }
    } else {
        (hex(format!("{ha1}:{nonce}:{ha2}")), String::new())
    };
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", algorithm=MD5{qop}\r\n"
    )
}

/// The first header of this name, long or short (RFC 3261 section 7.3.3).
pub fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let short = match name {
        "Call-ID" => "i",
        "Contact" => "m",
        "To" => "t",
        _ => name,
    };
    text.lines().take_while(|l| !l.is_empty()).find_map(|l| {
        let (n, value) = l.split_once(':')?;
        (n.trim().eq_ignore_ascii_case(name) || n.trim().eq_ignore_ascii_case(short)).then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_by_either_name_and_not_in_the_body() {
        let text = "SIP/2.0 200 OK\r\ni: c7\r\nCSEQ: 1 INVITE\r\n\r\nTo: nobody\r\n";
        assert_eq!(header(text, "Call-ID"), Some("c7"));
        assert_eq!(header(text, "CSeq"), Some("1 INVITE"));
        assert_eq!(header(text, "To"), None);
    }
}
