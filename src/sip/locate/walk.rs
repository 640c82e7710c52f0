//! One walk from a question to its targets, over what is remembered (RFC 3263 4).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::{
    Failure, Kind, Naptr, Query, Question, Reach, Records, Srv, Target,
    cache::{Cache, Known},
};
use crate::{
    base::{Mono, Rng, limits},
    sip::{msg::Host, transport::Transport},
};

/// What a walk sees and leaves.
pub(super) struct Walk<'a> {
    now: Mono,
    cache: &'a Cache,
    reach: &'a Reach,
    /// What it would have to know to go on. Nothing it returned counts while there is something here.
    pub(super) missing: BTreeSet<Query>,
    /// The first moment at which something it saw is no longer true.
    pub(super) until: Option<Mono>,
    failed: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(now: Mono, cache: &'a Cache, reach: &'a Reach) -> Self {
        Walk { now, cache, reach, missing: BTreeSet::new(), until: None, failed: false }
    }

    pub(super) fn go(&mut self, question: &Question, rng: &mut Rng) -> Result<Vec<Target>, Failure> {
        let targets = self.targets(question, rng)?;
        match targets.is_empty() {
            false => Ok(targets),
            true if self.failed => Err(Failure::Unreachable),
            true => Err(Failure::NotFound),
        }
    }

    fn targets(&mut self, q: &Question, rng: &mut Rng) -> Result<Vec<Target>, Failure> {
        let asked = match (q.transport, q.secure) {
            // RFC 3261 26.2.2: `sips:..;transport=tcp` is TLS over TCP. Datagrams are not to be had that way.
            (Some(Transport::Tcp | Transport::Tls), true) => Some(Transport::Tls),
            (Some(_), true) => return Err(Failure::NoTransport),
            (t, _) => t,
        };
        if asked.is_some_and(|t| !self.reach.has(t)) || (q.secure && !self.reach.has(Transport::Tls)) {
            return Err(Failure::NoTransport);
        }
        // 4.1: with an address or a port there is nothing left to look up but addresses.
        let plain = asked.unwrap_or(if q.secure { Transport::Tls } else { Transport::Udp });
        let port = q.port.unwrap_or(plain.default_port());
        let name = match &q.host {
            Host::Ip(ip) if !self.reach.family(plain, ip.is_ipv6()) => return Err(Failure::NoTransport),
            Host::Ip(ip) => return Ok(vec![Target { transport: plain, addr: SocketAddr::new(*ip, port) }]),
            Host::Name(name) => Arc::<str>::from(name.trim_end_matches('.')),
        };
        if q.port.is_some() {
            return Ok(self.hosts(plain, &[(name, port)]));
        }
        let services = match asked {
            Some(t) => vec![(t, srv_name(t, &name))],
            None => match self.services(&name, q.secure) {
                Some(services) => services,
                None => return Ok(Vec::new()),
            },
        };
        // Of the services the first that has hosts: those after it are for clients that cannot speak it.
        for (transport, service) in services {
            let Some(Records::Srv(hosts)) = self.ask(&service, Kind::Srv) else {
                if self.missing.is_empty() {
                    continue;
                }
                return Ok(Vec::new());
            };
            let hosts: Vec<_> =
                drawn(hosts, rng).into_iter().filter(|h| !h.target.is_empty()).map(|h| (h.target, h.port)).collect();
            // RFC 2782: a single "." says that the service is decidedly not there, so nobody may guess at addresses.
            return Ok(self.hosts(transport, &hosts));
        }
        Ok(self.hosts(plain, &[(name, port)]))
    }

    /// The SRV names of a domain, preferred first (4.1); `None`: not known yet.
    fn services(&mut self, name: &Arc<str>, secure: bool) -> Option<Vec<(Transport, Arc<str>)>> {
        if let Some(Records::Naptr(found)) = self.ask(name, Kind::Naptr) {
            let mut ours: Vec<(Transport, &Naptr)> = found
                .iter()
                .filter(|n| n.flags.eq_ignore_ascii_case("s") && !n.replacement.is_empty())
                .filter_map(|n| Some((service_transport(&n.service)?, n)))
                .filter(|(t, _)| self.reach.has(*t) && (!secure || t.is_secure()))
                .collect();
            ours.sort_by_key(|(_, n)| (n.order, n.preference));
            if !ours.is_empty() {
                return Some(ours.into_iter().map(|(t, n)| (t, n.replacement.clone())).collect());
            }
        } else if !self.missing.is_empty() {
            return None;
        }
        let ours: &[Transport] = if secure { &[Transport::Tls] } else { &[Transport::Udp, Transport::Tcp, Transport::Tls] };
        Some(ours.iter().filter(|t| self.reach.has(**t)).map(|t| (*t, srv_name(*t, name))).collect())
    }

    /// The addresses of hosts, in the order of the hosts. All are asked for at once.
    fn hosts(&mut self, transport: Transport, hosts: &[(Arc<str>, u16)]) -> Vec<Target> {
        let mut targets = Vec::new();
        for (host, port) in hosts {
            let mut addresses: Vec<IpAddr> = Vec::new();
            if let Ok(ip) = host.parse() {
                // No name server is asked for what is an address already, though RFC 2782 forbids it there.
                addresses.push(ip);
            } else {
                // RFC 6724: IPv6 first, where we have a socket for it.
                for (kind, v6) in [(Kind::Aaaa, true), (Kind::A, false)] {
                    if self.reach.family(transport, v6)
                        && let Some(Records::Addresses(found)) = self.ask(host, kind)
                    {
                        addresses.extend(found.iter().filter(|ip| ip.is_ipv6() == v6));
                    }
                }
            }
            for ip in addresses.into_iter().filter(|ip| self.reach.family(transport, ip.is_ipv6())) {
                let target = Target { transport, addr: SocketAddr::new(ip, *port) };
                if targets.len() < limits::DNS_TARGETS_MAX && !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        targets
    }

    fn ask(&mut self, name: &Arc<str>, kind: Kind) -> Option<&'a Records> {
        let query = Query { name: name.clone(), kind };
        let (records, until) = match self.cache.get(self.now, &query) {
            Some(Known::Records(records, until)) => (Some(records), until),
            Some(Known::Nothing(until)) => (None, until),
            Some(Known::Failed(until)) => {
                self.failed = true;
                (None, until)
            }
            None => {
                self.missing.insert(query);
                return None;
            }
        };
        self.until = Some(self.until.map_or(until, |u| u.min(until)));
        records
    }
}

fn srv_name(transport: Transport, domain: &str) -> Arc<str> {
    let service = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{service}.{domain}").into()
}

fn service_transport(service: &str) -> Option<Transport> {
    let known = [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp), ("SIPS+D2T", Transport::Tls)];
    known.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(service)).map(|(_, t)| t)
}

/// The order of RFC 2782: priorities in turn; within one, drawn by weight, a weight of zero hardly ever first.
fn drawn(hosts: &[Srv], rng: &mut Rng) -> Vec<Srv> {
    let mut by_priority: BTreeMap<u16, Vec<Srv>> = BTreeMap::new();
    for host in hosts {
        by_priority.entry(host.priority).or_default().push(host.clone());
    }
    let mut order = Vec::new();
    for mut rest in by_priority.into_values() {
        rest.sort_by_key(|h| h.weight != 0);
        while !rest.is_empty() {
            let sum: u64 = rest.iter().map(|h| u64::from(h.weight)).sum();
            let mark = rng.below(sum + 1);
            let mut run = 0;
            let at = rest.iter().position(|h| {
                run += u64::from(h.weight);
                run >= mark
            });
            order.push(rest.remove(at.unwrap_or(0)));
        }
    }
    order
}
