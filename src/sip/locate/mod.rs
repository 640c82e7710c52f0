//! Where a SIP URI leads (RFC 3263): NAPTR, then SRV, then addresses. Sans-I/O: who asks the name servers is the edge.
//!
//! ```text
//! Resolve ─▶ walk over what is remembered ─┬─ all of it is there ─────────────▶ Resolved
//!               ▲                          └─ something is missing ─▶ Query ..
//!               └──── Answer: remembered ◀───────────────────────────────┘
//! ```
//! Nothing is kept of a walk under way but the question: when an answer comes the walk begins anew, over more. The draw among
//! weights is made last, for each question by itself.
//!
//! What the targets are tried with, one after the other, is the stack's (4.3); so is giving up.

mod cache;
mod walk;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use crate::{
    base::{Deadlines, Mono, Rng, limits},
    sip::{
        msg::{Host, SipUri},
        transport::Transport,
    },
};
use cache::Cache;

/// What shall be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The host of a URI, a route or a trunk.
    pub host: Host,
    /// The port written there. One that is written rules out SRV records (4.2).
    pub port: Option<u16>,
    /// The transport written there; `None` leaves it to the name servers.
    pub transport: Option<Transport>,
    /// `sips:`: nothing but TLS will do (RFC 5630 3.1).
    pub secure: bool,
}

impl Question {
    /// What a URI asks for. None when its transport is none we know, which no name server can help.
    pub fn of(uri: &SipUri) -> Option<Question> {
        let transport = match uri.transport() {
            None => None,
            Some(word) => Some(Transport::ALL.into_iter().find(|t| t.uri_param().eq_ignore_ascii_case(&word))?),
        };
        Some(Question { host: uri.host.clone(), port: uri.port, transport, secure: uri.secure })
    }
}

/// One place to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// By what.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// At least one, in the order they are to be tried.
    pub targets: Vec<Target>,
    /// When to ask again; `None`: addresses were written, nothing can change.
    pub until: Option<Mono>,
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no such name, or it has no SIP.
    #[error("no such host, or no SIP there")]
    NotFound,
    /// `sips:` with a transport that is not secure, one we cannot open, or an address family we have no socket for.
    #[error("no transport of ours leads there")]
    NoTransport,
    /// The name servers do not answer.
    #[error("the name servers do not answer")]
    Unreachable,
    /// Too many names are being resolved.
    #[error("too many names are being resolved")]
    TooMany,
}

/// The kinds of records asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Which services a domain has (RFC 3403).
    Naptr,
    /// Which hosts have a service (RFC 2782).
    Srv,
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// One question to a name server. Aliases (CNAME) are followed there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// Lower case, without the dot at its end.
    pub name: Arc<str>,
    /// What about it.
    pub kind: Kind,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.kind)
    }
}

/// A service of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// Lower first.
    pub order: u16,
    /// Lower first, among equal orders.
    pub preference: u16,
    /// `s` is the one SIP uses.
    pub flags: String,
    /// `SIP+D2U`, `SIPS+D2T`, ..
    pub service: String,
    /// Where its SRV records are.
    pub replacement: Arc<str>,
}

/// A host of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// Lower first.
    pub priority: u16,
    /// How often, among equal priorities.
    pub weight: u16,
    /// Its port.
    pub port: u16,
    /// Its name; empty: the service is decidedly not there.
    pub target: Arc<str>,
}

/// What a name server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// For [`Kind::Naptr`].
    Naptr(Vec<Naptr>),
    /// For [`Kind::Srv`].
    Srv(Vec<Srv>),
    /// For [`Kind::A`] and [`Kind::Aaaa`].
    Addresses(Vec<IpAddr>),
}

/// What a name server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records, and how long they are good for.
    Found(Records, Duration),
    /// There are none, and for how long that is true, if it said so.
    Nothing(Option<Duration>),
    /// It did not answer, or not with sense.
    Failed,
}

/// What we can open connections by and send datagrams from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    transports: BTreeSet<(Transport, bool)>,
}

impl Reach {
    /// From the addresses we listen on. (Over a WebSocket nobody can be called first.)
    pub fn from_listeners(listeners: impl IntoIterator<Item = (Transport, SocketAddr)>) -> Self {
        let of_ours = listeners.into_iter().filter(|(t, _)| !t.is_web());
        Reach { transports: of_ours.map(|(t, local)| (t, local.is_ipv6())).collect() }
    }
    fn has(&self, transport: Transport) -> bool {
        self.family(transport, false) || self.family(transport, true)
    }
    fn family(&self, transport: Transport, v6: bool) -> bool {
        self.transports.contains(&(transport, v6))
    }
}

/// Names an asker; chosen by whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What happens to the resolver.
#[derive(Debug, Clone)]
pub enum Input {
    /// Find this. Every ticket gets exactly one [`Output::Resolved`].
    Resolve(Ticket, Question),
    /// A name server answered, or did not.
    Answer(Query, Answer),
    /// A deadline may have come.
    Tick,
}

/// What the resolver wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask a name server, and come back with [`Input::Answer`].
    Query(Query),
    /// Found, or not.
    Resolved(Ticket, Result<Located, Failure>),
}

/// Resolves names, any number at once, each record asked for once.
#[derive(Debug)]
pub struct Resolver {
    reach: Reach,
    rng: Rng,
    cache: Cache,
    /// Questions to name servers that are under way, and who waits for them.
    asked: BTreeMap<Query, BTreeSet<Ticket>>,
    waiting: BTreeMap<Ticket, Question>,
    deadlines: Deadlines<Ticket>,
}

impl Resolver {
    /// One that knows nothing yet.
    pub fn new(reach: Reach, rng: Rng) -> Self {
        Resolver {
            reach,
            rng,
            cache: Cache::default(),
            asked: BTreeMap::new(),
            waiting: BTreeMap::new(),
            deadlines: Deadlines::default(),
        }
    }

    /// One thing that happens.
    pub fn handle(&mut self, now: Mono, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Resolve(ticket, question) => {
                if self.waiting.len() >= limits::DNS_WAITING_MAX {
                    return out.push(Output::Resolved(ticket, Err(Failure::TooMany)));
                }
                self.waiting.insert(ticket, question);
                self.deadlines.set(ticket, now + limits::DNS_PATIENCE);
                self.walk(now, ticket, false, out);
            }
            Input::Answer(query, answer) => {
                let waiters = self.asked.remove(&query).unwrap_or_default();
                self.cache.put(now, query, answer);
                for ticket in waiters {
                    self.walk(now, ticket, false, out);
                }
            }
            Input::Tick => {}
        }
        while let Some(ticket) = self.deadlines.pop_due(now) {
            // What is not there by now counts as absent; a name server that is slow for one host costs the others nothing.
            self.walk(now, ticket, true, out);
        }
    }

    /// When [`Input::Tick`] is wanted.
    pub fn deadline(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    /// Answers remembered, for the metrics.
    pub fn remembered(&self) -> usize {
        self.cache.len()
    }

    fn walk(&mut self, now: Mono, ticket: Ticket, late: bool, out: &mut Vec<Output>) {
        let Some(question) = self.waiting.get(&ticket) else { return };
        let mut steps = walk::Walk::new(now, &self.cache, &self.reach);
        let result = steps.go(question, &mut self.rng);
        if !steps.missing.is_empty() && !late {
            for query in steps.missing {
                let waiters = self.asked.entry(query.clone()).or_insert_with(|| {
                    out.push(Output::Query(query));
                    BTreeSet::new()
                });
                waiters.insert(ticket);
            }
            return;
        }
        let silent = late && !steps.missing.is_empty();
        let until = steps.until;
        self.waiting.remove(&ticket);
        self.deadlines.clear(&ticket);
        let result = match result {
            Ok(targets) => Ok(Located { targets, until }),
            Err(Failure::NotFound) if silent => Err(Failure::Unreachable),
            Err(failure) => Err(failure),
        };
        for waiters in self.asked.values_mut() {
            waiters.remove(&ticket);
        }
        out.push(Output::Resolved(ticket, result));
    }
}
