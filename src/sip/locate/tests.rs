//! Stories of names and where they lead, told with a name server of a few lines.

use super::*;
use crate::base::secs;

const DAY: Duration = secs(24 * 3600);

fn at(s: u64) -> Mono {
    Mono(0) + secs(s)
}

fn query(name: &str, kind: Kind) -> Query {
    Query { name: name.into(), kind }
}

fn naptr(order: u16, service: &str, replacement: &str) -> Naptr {
    Naptr { order, preference: 1, flags: "s".into(), service: service.into(), replacement: replacement.into() }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
    Srv { priority, weight, port, target: target.into() }
}

/// Transports over IPv4, and over IPv6 where the word ends with a 6.
fn reach(words: &str) -> Reach {
    Reach::from_listeners(words.split(' ').map(|w| {
        let (word, v6) = w.strip_suffix('6').map_or((w, false), |w| (w, true));
        let any: SocketAddr = if v6 { "[::]:5060" } else { "0.0.0.0:5060" }.parse().unwrap();
        (Transport::parse(word).unwrap(), any)
    }))
}

/// A resolver and the name server it asks.
struct Desk {
    resolver: Resolver,
    zone: BTreeMap<Query, Answer>,
    /// Every query that was sent.
    asked: Vec<String>,
    next: u64,
}

impl Desk {
    fn new(reach_words: &str) -> Desk {
        Desk { resolver: Resolver::new(reach(reach_words), Rng::seeded(7)), zone: BTreeMap::new(), asked: vec![], next: 0 }
    }
    fn naptr(mut self, name: &str, records: &[Naptr]) -> Self {
        self.zone.insert(query(name, Kind::Naptr), Answer::Found(Records::Naptr(records.to_vec()), secs(60)));
        self
    }
    fn srv(mut self, name: &str, records: &[Srv]) -> Self {
        self.zone.insert(query(name, Kind::Srv), Answer::Found(Records::Srv(records.to_vec()), secs(60)));
        self
    }
    fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        for v6 in [false, true] {
            let found: Vec<IpAddr> =
                addresses.iter().map(|a| a.parse().unwrap()).filter(|a: &IpAddr| a.is_ipv6() == v6).collect();
            if !found.is_empty() {
                let kind = if v6 { Kind::Aaaa } else { Kind::A };
                self.zone.insert(query(name, kind), Answer::Found(Records::Addresses(found), secs(30)));
            }
        }
        self
    }
    fn down(mut self) -> Self {
        self.zone.clear();
        self
    }
    /// Resolves, with every query answered at once; one the zone does not have is answered with `absent`.
    fn resolve_or(&mut self, now: Mono, uri: &str, absent: &Answer) -> Result<Located, Failure> {
        let crate::sip::msg::Uri::Sip(uri) = crate::sip::msg::Uri::parse(uri).unwrap() else { panic!("no sip uri") };
        self.next += 1;
        let mut out = Vec::new();
        self.resolver.handle(now, Input::Resolve(Ticket(self.next), Question::of(&uri).unwrap()), &mut out);
        loop {
            match out.pop().expect("an answer") {
                Output::Resolved(ticket, result) => {
                    assert_eq!((ticket, out.len()), (Ticket(self.next), 0));
                    return result;
                }
                Output::Query(q) => {
                    self.asked.push(q.to_string());
                    let answer = self.zone.get(&q).unwrap_or(absent).clone();
                    self.resolver.handle(now, Input::Answer(q, answer), &mut out);
                }
            }
        }
    }
    /// The targets in words.
    fn find(&mut self, uri: &str) -> Result<Vec<String>, Failure> {
        let located = self.resolve_or(at(0), uri, &Answer::Nothing(None))?;
        Ok(located.targets.iter().map(|t| format!("{} {}", t.transport, t.addr)).collect())
    }
}

#[test]
fn an_address_asks_nobody() {
    let mut desk = Desk::new("UDP TCP TLS UDP6");
    for (uri, want) in [
        ("sip:1@192.0.2.1", "UDP 192.0.2.1:5060"),
        ("sip:1@192.0.2.1:5080;transport=tcp", "TCP 192.0.2.1:5080"),
        ("sips:1@192.0.2.1", "TLS 192.0.2.1:5061"),
        ("sips:1@192.0.2.1;transport=tcp", "TLS 192.0.2.1:5061"),
        ("sip:1@[2001:db8::1]", "UDP [2001:db8::1]:5060"),
    ] {
        assert_eq!(desk.find(uri).unwrap(), [want], "{uri}");
    }
    assert!(desk.asked.is_empty(), "{:?}", desk.asked);
}

#[test]
fn nothing_secure_is_ever_made_plain_and_what_we_cannot_speak_is_said() {
    let mut desk = Desk::new("UDP TCP").host("a.example", &["192.0.2.1"]);
    for uri in ["sips:1@a.example", "sip:1@a.example;transport=tls", "sip:1@[2001:db8::1]", "sips:1@192.0.2.1"] {
        assert_eq!(desk.find(uri), Err(Failure::NoTransport), "{uri}");
    }
    let mut desk = Desk::new("UDP TCP TLS")
        .naptr("a.example", &[naptr(1, "SIP+D2U", "_sip._udp.a.example"), naptr(2, "SIPS+D2T", "_sips._tcp.a.example")])
        .srv("_sip._udp.a.example", &[srv(1, 1, 5060, "u.a.example")])
        .srv("_sips._tcp.a.example", &[srv(1, 1, 5061, "t.a.example")])
        .host("u.a.example", &["192.0.2.1"])
        .host("t.a.example", &["192.0.2.2"]);
    assert_eq!(desk.find("sips:1@a.example").unwrap(), ["TLS 192.0.2.2:5061"]);
    assert_eq!(desk.find("sips:1@a.example;transport=udp"), Err(Failure::NoTransport));
}

#[test]
fn the_domain_chooses_the_transport_and_the_hosts() {
    let mut desk = Desk::new("UDP TCP")
        .naptr(
            "carrier.example",
            &[
                naptr(30, "SIP+D2U", "_sip._udp.carrier.example"),
                naptr(20, "SIP+D2T", "_sip._tcp.carrier.example"),
                // First of all, but we have no TLS; and one that is no service of SIP.
                naptr(10, "SIPS+D2T", "_sips._tcp.carrier.example"),
                naptr(5, "E2U+email", "mail.carrier.example"),
            ],
        )
        .srv("_sip._tcp.carrier.example", &[srv(20, 0, 5060, "b.carrier.example"), srv(10, 0, 5070, "a.carrier.example")])
        .host("a.carrier.example", &["192.0.2.1", "192.0.2.2", "2001:db8::1"])
        .host("b.carrier.example", &["192.0.2.3"]);
    let want = ["TCP 192.0.2.1:5070", "TCP 192.0.2.2:5070", "TCP 192.0.2.3:5060"];
    assert_eq!(desk.find("sip:1@carrier.example").unwrap(), want);
    // NAPTR, SRV, and an address of each host; no socket for IPv6, no question for it.
    assert_eq!(desk.asked.len(), 4, "{:?}", desk.asked);
}

#[test]
fn a_domain_without_services_is_asked_for_hosts_and_then_for_itself() {
    let mut desk = Desk::new("UDP TCP UDP6").host("pbx.example", &["192.0.2.9", "2001:db8::9"]);
    // IPv6 first, where we have a socket for it.
    assert_eq!(desk.find("sip:1@pbx.example").unwrap(), ["UDP [2001:db8::9]:5060", "UDP 192.0.2.9:5060"]);
    let want = ["NAPTR", "_sip._udp", "_sip._tcp", "AAAA", "A"];
    assert_eq!(desk.asked.len(), want.len(), "{:?}", desk.asked);

    let mut desk =
        Desk::new("UDP TCP").srv("_sip._tcp.only.example", &[srv(1, 1, 5062, "h.example")]).host("h.example", &["192.0.2.8"]);
    assert_eq!(desk.find("sip:1@only.example").unwrap(), ["TCP 192.0.2.8:5062"]);
    assert_eq!(desk.find("sip:1@nowhere.example"), Err(Failure::NotFound));
}

#[test]
fn a_port_that_is_written_rules_out_services_and_a_transport_rules_out_naptr() {
    let mut desk = Desk::new("UDP TCP")
        .srv("_sip._tcp.a.example", &[srv(1, 1, 5070, "h.a.example")])
        .host("a.example", &["192.0.2.1"])
        .host("h.a.example", &["192.0.2.2"]);
    assert_eq!(desk.find("sip:1@a.example:5080").unwrap(), ["UDP 192.0.2.1:5080"]);
    assert_eq!(desk.asked, ["a.example A"]);
    desk.asked.clear();
    assert_eq!(desk.find("sip:1@a.example;transport=tcp").unwrap(), ["TCP 192.0.2.2:5070"]);
    assert_eq!(desk.asked, ["_sip._tcp.a.example Srv", "h.a.example A"]);
}

#[test]
fn a_service_that_is_decidedly_not_there_is_not_guessed_at() {
    let mut desk = Desk::new("UDP").srv("_sip._udp.a.example", &[srv(0, 0, 0, "")]).host("a.example", &["192.0.2.1"]);
    assert_eq!(desk.find("sip:1@a.example;transport=udp"), Err(Failure::NotFound));
}

#[test]
fn weights_share_calls_and_priorities_do_not() {
    let mut desk = Desk::new("UDP")
        .srv(
            "_sip._udp.a.example",
            &[srv(1, 60, 1, "a"), srv(1, 30, 2, "a"), srv(1, 10, 3, "a"), srv(1, 0, 4, "a"), srv(2, 65_535, 9, "a")],
        )
        .host("a", &["192.0.2.1"]);
    let mut first = [0u32; 10];
    for _ in 0..10_000 {
        let located = desk.resolve_or(at(0), "sip:1@a.example;transport=udp", &Answer::Nothing(None)).unwrap();
        let ports: Vec<u16> = located.targets.iter().map(|t| t.addr.port()).collect();
        assert_eq!((ports.len(), ports[4]), (5, 9), "the second priority is last: {ports:?}");
        first[usize::from(ports[0])] += 1;
    }
    for (port, share) in [(1, 6_000), (2, 3_000), (3, 1_000)] {
        assert!(first[port].abs_diff(share) < 200, "port {port}: {first:?}");
    }
    assert!((1..250).contains(&first[4]), "a weight of zero is hardly ever first, but is: {first:?}");
    assert_eq!(desk.asked.len(), 2, "asked once, drawn ten thousand times");
}

#[test]
fn an_answer_holds_its_time_and_no_longer_and_a_name_that_is_not_there_is_not_asked_for_again_and_again() {
    let mut desk = Desk::new("UDP").host("a.example", &["192.0.2.1"]);
    let find = |desk: &mut Desk, s, uri: &str| {
        desk.asked.clear();
        let found = desk.resolve_or(at(s), uri, &Answer::Nothing(Some(DAY)));
        (found.map(|l| l.until), desk.asked.len())
    };
    assert_eq!(find(&mut desk, 0, "sip:1@a.example:5060"), (Ok(Some(at(30))), 1));
    assert_eq!(find(&mut desk, 29, "sip:1@a.example:5060"), (Ok(Some(at(30))), 0));
    assert_eq!(find(&mut desk, 30, "sip:1@a.example:5060"), (Ok(Some(at(60))), 1));
    assert_eq!(find(&mut desk, 30, "sip:1@no.example:5060"), (Err(Failure::NotFound), 1));
    assert_eq!(find(&mut desk, 60, "sip:1@no.example:5060"), (Err(Failure::NotFound), 0));
    // Its owner said a day. We do not wait that long for somebody to mend a mistake.
    assert_eq!(find(&mut desk, 30 + 300, "sip:1@no.example:5060"), (Err(Failure::NotFound), 1));
}

#[test]
fn while_the_name_servers_fail_the_last_good_answer_stands_and_what_was_never_known_is_said_to_be_unreachable() {
    let mut desk = Desk::new("UDP").host("a.example", &["192.0.2.1"]);
    assert!(desk.find("sip:1@a.example:5060").is_ok());
    let mut desk = desk.down();
    let found = desk.resolve_or(at(3_600), "sip:1@a.example:5060", &Answer::Failed).unwrap();
    assert_eq!(found.targets[0].addr, "192.0.2.1:5060".parse::<SocketAddr>().unwrap());
    assert_eq!(desk.resolve_or(at(3_600), "sip:1@b.example:5060", &Answer::Failed), Err(Failure::Unreachable));
    // The failure is remembered for a moment as well, so that a dead name server is not asked for every call.
    desk.asked.clear();
    assert_eq!(desk.resolve_or(at(3_609), "sip:1@b.example:5060", &Answer::Failed), Err(Failure::Unreachable));
    assert!(desk.asked.is_empty());
    assert_eq!(desk.resolve_or(at(3_600 + 25 * 3_600), "sip:1@a.example:5060", &Answer::Failed), Err(Failure::Unreachable));
}

#[test]
fn a_slow_name_server_costs_patience_once_and_takes_nothing_from_the_hosts_that_are_known() {
    let mut desk = Desk::new("UDP");
    let mut out = Vec::new();
    let question =
        |host: &str| Question { host: Host::parse(host).unwrap(), port: None, transport: Some(Transport::Udp), secure: false };
    desk.resolver.handle(at(0), Input::Resolve(Ticket(1), question("a.example")), &mut out);
    desk.resolver.handle(at(0), Input::Resolve(Ticket(2), question("a.example")), &mut out);
    assert_eq!(out, [Output::Query(query("_sip._udp.a.example", Kind::Srv))], "two askers, one query");
    out.clear();
    let hosts = vec![srv(1, 1, 5060, "slow.example"), srv(2, 1, 5060, "fast.example")];
    let answer = Answer::Found(Records::Srv(hosts), secs(60));
    desk.resolver.handle(at(1), Input::Answer(query("_sip._udp.a.example", Kind::Srv), answer), &mut out);
    assert_eq!(out.len(), 2, "both hosts are asked for at once: {out:?}");
    out.clear();
    let fast = Answer::Found(Records::Addresses(vec!["192.0.2.2".parse().unwrap()]), secs(60));
    desk.resolver.handle(at(1), Input::Answer(query("fast.example", Kind::A), fast), &mut out);
    assert!(out.is_empty());
    assert_eq!(desk.resolver.deadline(), Some(at(4)));
    desk.resolver.handle(at(4), Input::Tick, &mut out);
    let found = |o: &Output| matches!(o, Output::Resolved(_, Ok(l)) if l.targets[0].addr == "192.0.2.2:5060".parse::<SocketAddr>().unwrap());
    assert!(out.len() == 2 && out.iter().all(found), "{out:?}");
    assert_eq!(desk.resolver.deadline(), None);
}

#[test]
fn a_hostile_zone_meets_the_bounds() {
    let hosts: Vec<Srv> = (0..500).map(|i| srv(1, i, 5060, &format!("h{i}.example"))).collect();
    let mut desk = Desk::new("UDP").srv("_sip._udp.a.example", &hosts);
    for i in 0..500 {
        let addresses: Vec<String> = (0..50).map(|j| format!("10.{}.{}.{j}", i / 250, i % 250)).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        desk = desk.host(&format!("h{i}.example"), &addresses);
    }
    assert_eq!(desk.find("sip:1@a.example;transport=udp").unwrap().len(), limits::DNS_TARGETS_MAX);
    assert!(desk.asked.len() <= 1 + limits::DNS_RECORDS_MAX, "{}", desk.asked.len());
    for i in 0..limits::DNS_CACHE_MAX + 100 {
        let _ = desk.find(&format!("sip:1@x{i}.example:5060"));
    }
    assert_eq!(desk.resolver.remembered(), limits::DNS_CACHE_MAX);
}
