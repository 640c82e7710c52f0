//! Name servers: the edge of [`locate`](crate::sip::locate). One task resolves for everybody; whoever asks waits for its answer
//! and for nothing else, and no longer than [`limits::DNS_PATIENCE`](crate::base::limits::DNS_PATIENCE).

use std::{net::SocketAddr, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, Record, RecordType},
    },
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

use crate::{
    base::{Mono, Rng, limits, secs},
    sip::locate::{
        Answer, Failure, Input, Kind, Located, Naptr, Output, Query, Question, Reach, Records, Resolver, Srv, Ticket,
    },
};

/// A name server that does not answer is asked once more after this, or the next one is.
const TRY: Duration = secs(1);
/// Questions waiting for the task to take them; more askers wait their turn.
const QUEUE: usize = 64;

type Reply = oneshot::Sender<Result<Located, Failure>>;

/// The way to ask. Cheap to clone; the task ends with the last one.
#[derive(Debug, Clone)]
pub struct Dns {
    asks: mpsc::Sender<(Question, Reply)>,
}

impl Dns {
    /// Starts the task, on the runtime it is called in. `servers`: whom to ask, instead of those the system names. `clock` tells
    /// the time [`Located::until`] is said in.
    pub fn start(servers: &[SocketAddr], reach: Reach, rng: Rng, clock: impl Fn() -> Mono + Send + Sync + 'static) -> Dns {
        let client = client(servers)
            .inspect_err(|error| tracing::error!(%error, "no name server can be asked: only addresses will be found"))
            .ok();
        let (asks, questions) = mpsc::channel(QUEUE);
        tokio::spawn(run(client, questions, Resolver::new(reach, rng), clock));
        Dns { asks }
    }

    /// Where this leads.
    pub async fn locate(&self, question: Question) -> Result<Located, Failure> {
        let (reply, answer) = oneshot::channel();
        // The task ends only with the runtime.
        self.asks.send((question, reply)).await.map_err(|_| Failure::Unreachable)?;
        answer.await.unwrap_or(Err(Failure::Unreachable))
    }
}

fn client(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let mut builder = match servers {
        [] => TokioResolver::builder_tokio()?,
        some => {
            let servers = some.iter().map(|at| {
                let mut server = NameServerConfig::udp_and_tcp(at.ip());
                let to = |c: &mut ConnectionConfig| c.port = at.port();
                server.connections.iter_mut().for_each(to);
                server
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options: &mut ResolverOpts = builder.options_mut();
    // What was said is remembered by the resolver above, which also knows what to do when nobody says anything.
    (options.cache_size, options.timeout, options.attempts) = (0, TRY, 1);
    builder.build()
}

async fn run(
    client: Option<TokioResolver>,
    mut questions: mpsc::Receiver<(Question, Reply)>,
    mut resolver: Resolver,
    clock: impl Fn() -> Mono,
) {
    let mut waiting: std::collections::BTreeMap<Ticket, Reply> = Default::default();
    let (mut lookups, mut next) = (JoinSet::new(), 0u64);
    let mut out = Vec::new();
    loop {
        let due = resolver.deadline().map(|at| at.since(clock()));
        let input = tokio::select! {
            asked = questions.recv() => match asked {
                None => return,
                Some((question, reply)) => {
                    next += 1;
                    waiting.insert(Ticket(next), reply);
                    Input::Resolve(Ticket(next), question)
                }
            },
            Some(done) = lookups.join_next() => match done {
                Ok((query, answer)) => Input::Answer(query, answer),
                // Only when the runtime ends.
                Err(_) => continue,
            },
            () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => Input::Tick,
        };
        resolver.handle(clock(), input, &mut out);
        for output in out.drain(..) {
            match output {
                Output::Query(query) => drop(lookups.spawn(look_up(client.clone(), query))),
                // Whoever asked may have gone.
                Output::Resolved(ticket, found) => drop(waiting.remove(&ticket).map(|reply| reply.send(found))),
            }
        }
    }
}

async fn look_up(client: Option<TokioResolver>, query: Query) -> (Query, Answer) {
    let Some(client) = client else { return (query, Answer::Failed) };
    // A name with a dot is whole; one without may be completed by what the system searches in.
    let name = if query.name.contains('.') { format!("{}.", query.name) } else { query.name.to_string() };
    let kind = match query.kind {
        Kind::Naptr => RecordType::NAPTR,
        Kind::Srv => RecordType::SRV,
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
    };
    // In a task of its own: whatever a library makes of a strange answer, ours gets one.
    let asked = tokio::spawn(async move { timeout(limits::DNS_PATIENCE, client.lookup(name, kind)).await });
    let answer = match asked.await {
        Ok(Ok(Ok(lookup))) => read(query.kind, lookup.answers()),
        Ok(Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none))))) if says_no(none.response_code) => {
            Answer::Nothing(none.negative_ttl.map(|s| secs(s.into())))
        }
        Ok(Ok(Err(error))) => {
            tracing::debug!(%query, %error, "a name server failed");
            Answer::Failed
        }
        Ok(Err(_)) | Err(_) => Answer::Failed,
    };
    (query, answer)
}

/// No such name, or no such records of it; anything else is the name server's trouble.
fn says_no(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NXDomain | ResponseCode::NoError)
}

fn read(kind: Kind, answers: &[Record]) -> Answer {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let records = match kind {
        Kind::Naptr => Records::Naptr(
            answers
                .iter()
                .filter_map(|r| match &r.data {
                    RData::NAPTR(n) => Some(Naptr {
                        order: n.order,
                        preference: n.preference,
                        flags: text(&n.flags),
                        service: text(&n.services),
                        replacement: plain(&n.replacement),
                    }),
                    _ => None,
                })
                .collect(),
        ),
        Kind::Srv => Records::Srv(
            answers
                .iter()
                .filter_map(|r| match &r.data {
                    RData::SRV(s) => {
                        Some(Srv { priority: s.priority, weight: s.weight, port: s.port, target: plain(&s.target) })
                    }
                    _ => None,
                })
                .collect(),
        ),
        Kind::A | Kind::Aaaa => Records::Addresses(
            answers
                .iter()
                .filter_map(|r| match &r.data {
                    RData::A(a) => Some(a.0.into()),
                    RData::AAAA(a) => Some(a.0.into()),
                    _ => None,
                })
                .collect(),
        ),
    };
    let none = match &records {
        Records::Naptr(r) => r.is_empty(),
        Records::Srv(r) => r.is_empty(),
        Records::Addresses(r) => r.is_empty(),
    };
    // An alias on the way that ends earlier ends the answer.
    let ttl = answers.iter().map(|r| secs(r.ttl.into())).min();
    if none { Answer::Nothing(ttl) } else { Answer::Found(records, ttl.unwrap_or_default()) }
}

fn plain(name: &Name) -> std::sync::Arc<str> {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    };

    use hickory_resolver::proto::{
        op::{Message, MessageType},
        rr::rdata,
    };
    use tokio::net::UdpSocket;

    use super::*;
    use crate::sip::{locate::Target, msg::Host, transport::Transport};

    /// A name server that knows one domain, and counts what it is asked.
    async fn server(asked: Arc<AtomicUsize>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buf = [0; 1500];
            loop {
                let (n, from) = socket.recv_from(&mut buf).await.unwrap();
                asked.fetch_add(1, Relaxed);
                let request = Message::from_vec(&buf[..n]).unwrap();
                let question = request.queries[0].clone();
                let (name, kind) = (question.name().to_ascii().to_lowercase(), question.query_type());
                if name.starts_with("silent.") {
                    continue;
                }
                let host = |text: &str| Name::from_ascii(text).unwrap();
                let data = match (name.as_str(), kind) {
                    ("pbx.example.", RecordType::NAPTR) => {
                        let (flags, service) = (Box::from(*b"s"), Box::from(*b"SIP+D2T"));
                        let replacement = host("_sip._tcp.pbx.example.");
                        vec![RData::NAPTR(rdata::NAPTR::new(1, 1, flags, service, Box::from(*b""), replacement))]
                    }
                    ("_sip._tcp.pbx.example.", RecordType::SRV) => vec![
                        RData::SRV(rdata::SRV::new(20, 0, 5070, host("b.pbx.example."))),
                        RData::SRV(rdata::SRV::new(10, 0, 5060, host("a.pbx.example."))),
                    ],
                    ("a.pbx.example.", RecordType::A) => vec![RData::A(rdata::A::new(192, 0, 2, 1))],
                    ("b.pbx.example.", RecordType::A) => vec![RData::A(rdata::A::new(192, 0, 2, 2))],
                    _ => vec![],
                };
                let mut answer = Message::response(request.id, request.op_code);
                answer.metadata.message_type = MessageType::Response;
                if data.is_empty() {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                answer.add_query(question.clone());
                for data in data {
                    answer.add_answer(Record::from_rdata(question.name().clone(), 60, data));
                }
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        at
    }

    #[expect(clippy::disallowed_methods, reason = "an edge's test runs on the real clock")]
    fn dns(server: SocketAddr) -> Dns {
        let any: SocketAddr = "0.0.0.0:5060".parse().unwrap();
        let reach = Reach::from_listeners([(Transport::Udp, any), (Transport::Tcp, any)]);
        let start = std::time::Instant::now();
        Dns::start(&[server], reach, Rng::seeded(1), move || Mono(0) + start.elapsed())
    }

    fn question(host: &str) -> Question {
        Question { host: Host::parse(host).unwrap(), port: None, transport: None, secure: false }
    }

    #[tokio::test]
    async fn a_domain_is_asked_for_once_and_found_by_everybody() {
        let asked = Arc::new(AtomicUsize::new(0));
        let dns = dns(server(asked.clone()).await);
        let found = dns.locate(question("pbx.example")).await.unwrap();
        let want = ["192.0.2.1:5060", "192.0.2.2:5070"].map(|a| Target { transport: Transport::Tcp, addr: a.parse().unwrap() });
        assert_eq!(found.targets, want);
        let count = asked.load(Relaxed);
        assert_eq!(dns.locate(question("PBX.example.")).await.unwrap().targets, want);
        assert_eq!(asked.load(Relaxed), count, "the second asker is answered from memory");
        assert_eq!(dns.locate(question("nobody.example")).await, Err(Failure::NotFound));
    }

    #[tokio::test]
    async fn a_name_server_that_says_nothing_holds_up_only_who_waits_for_it() {
        let dns = dns(server(Arc::default()).await);
        let slow = tokio::spawn({
            let dns = dns.clone();
            async move { dns.locate(question("silent.example")).await }
        });
        assert!(dns.locate(question("pbx.example")).await.is_ok());
        assert!(!slow.is_finished());
        assert_eq!(slow.await.unwrap(), Err(Failure::Unreachable));
    }
}
