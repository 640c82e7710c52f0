//! The registrar's table (RFC 3261 section 10): which contacts an address of record can be reached at, and until when.
//!
//! Whether somebody may register is settled before ([`stack`](super::stack)). With each binding stays the path its REGISTER
//! took, and the proxies that want to stay on it (RFC 3327): a call to it goes back that way, for the contact of a phone behind a
//! NAT leads nowhere.
//!
//! A phone that speaks RFC 5626 registers over several flows at once, each by its `reg-id`; all of them are one phone, known by
//! its instance, and it is called over one of them at a time ([`ways`]). The instance is what tells phones apart; [`gruu`] are
//! addresses made of it.

pub mod gruu;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use super::{
    msg::{NameAddr, Uri},
    transport::{ConnId, Flow, Transport},
};
use crate::base::{Deadlines, Mono, TenantId, limits::SIP_BINDINGS_PER_AOR, secs};

/// Shortest lifetime granted, seconds; a shorter wish (other than 0) is answered 423.
pub const EXPIRES_MIN_S: u32 = 60;
/// Longest lifetime granted, seconds; a longer wish is cut. Bindings live in memory: after a restart a phone can be rung again
/// when it next registers, and nobody should wait an hour for that (nor for a phone that went away without a word).
pub const EXPIRES_MAX_S: u32 = 120;

/// Whom a registration is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aor {
    /// Whose.
    pub tenant: TenantId,
    /// The user part, unescaped.
    pub user: String,
}

/// One way to reach an address of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The contact as the phone wrote it.
    pub contact: Uri,
    /// The path of its REGISTER.
    pub flow: Flow,
    /// Preference, thousandths; the highest is tried first.
    pub q: u16,
    /// When it ends.
    pub expires_at: Mono,
    /// `User-Agent`, for people.
    pub user_agent: String,
    /// Proxies a request to it has to pass, nearest first (RFC 3327).
    pub path: Vec<NameAddr>,
    /// Which phone it is, whatever its address.
    pub instance: Option<String>,
    /// Which of the phone's flows (RFC 5626 4.2); only with an instance.
    pub reg_id: Option<u32>,
    call_id: String,
    cseq: u32,
}

impl Binding {
    /// Seconds left.
    pub fn expires_s(&self, now: Mono) -> u64 {
        // Rounded up: a binding with half a second left is not gone.
        self.expires_at.since(now).as_millis().div_ceil(1000) as u64
    }
}

/// What a REGISTER asks, read and authorised.
#[derive(Debug, Clone)]
pub struct Request {
    /// Call-ID: the same phone.
    pub call_id: String,
    /// CSeq: the order of its requests.
    pub cseq: u32,
    /// What to do.
    pub wish: Wish,
    /// The path it came.
    pub flow: Flow,
    /// `User-Agent`.
    pub user_agent: String,
    /// The proxies on the path, nearest first.
    pub path: Vec<NameAddr>,
    /// The phone and whatever lies between know what a flow is: a `reg-id` counts.
    pub outbound: bool,
}

/// What to do with the bindings.
#[derive(Debug, Clone)]
pub enum Wish {
    /// No Contact: list them.
    Query,
    /// `Contact: *` with `Expires: 0`: remove all.
    Clear,
    /// Add, renew, or remove (0 seconds) these.
    Set(Vec<(NameAddr, u32)>),
}

/// Why a registration is refused; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// 423 with `Min-Expires`.
    #[error("a binding must last at least {EXPIRES_MIN_S} s")]
    TooBrief,
    /// 500: overtaken by a newer request of the same phone.
    #[error("an older request than the last one")]
    OutOfOrder,
    /// 403: too many phones.
    #[error("more than {SIP_BINDINGS_PER_AOR} bindings")]
    Full,
}

/// What a change means for whoever wants to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As before; the number of bindings may differ.
    Same,
    /// The number of bindings changed, and there is at least one.
    Registered(usize),
    /// The last binding is gone.
    Unregistered,
}

/// All bindings of all tenants.
#[derive(Debug, Default)]
pub struct Registrar {
    table: BTreeMap<Aor, Vec<Binding>>,
    expiries: Deadlines<Aor>,
    /// How many bindings came from each place: asked for every call.
    places: BTreeMap<(Transport, SocketAddr), usize>,
    /// Who registered over which stream: asked whenever one ends.
    streams: BTreeMap<ConnId, BTreeSet<Aor>>,
}

impl Registrar {
    /// Carries out a REGISTER: all of it or nothing (10.3 steps 6 to 8).
    pub fn register(&mut self, now: Mono, aor: &Aor, request: &Request) -> Result<Reach, RegisterError> {
        let old = self.table.get(aor).map_or(&[][..], Vec::as_slice);
        let outdated = |b: &Binding| b.call_id == request.call_id && request.cseq <= b.cseq;
        let next = match &request.wish {
            Wish::Query => return Ok(Reach::Same),
            Wish::Clear if old.iter().any(outdated) => return Err(RegisterError::OutOfOrder),
            Wish::Clear => Vec::new(),
            Wish::Set(contacts) => {
                let mut next = old.to_vec();
                for (contact, expires) in contacts {
                    if *expires != 0 && *expires < EXPIRES_MIN_S {
                        return Err(RegisterError::TooBrief);
                    }
                    let instance = contact.params.get("+sip.instance").map(|i| i.into_owned());
                    let reg_id = request.outbound.then(|| reg_id(contact)).flatten().filter(|_| instance.is_some());
                    let same_phone = |b: &Binding| instance.is_some() && b.instance == instance;
                    // Two flows of one phone carry the same contact, and neither replaces the other (RFC 5626 6).
                    let same = |b: &Binding| match (reg_id, b.reg_id) {
                        (Some(new), Some(old)) => same_phone(b) && new == old,
                        _ => b.contact.same(&contact.uri) || same_phone(b),
                    };
                    if next.iter().any(|b| same(b) && outdated(b) && b.expires_at > now) {
                        return Err(RegisterError::OutOfOrder);
                    }
                    next.retain(|b| !same(b));
                    if *expires > 0 {
                        next.push(Binding {
                            contact: contact.uri.clone(),
                            flow: request.flow,
                            q: thousandths(contact.params.get("q").as_deref()),
                            expires_at: now + secs(u64::from((*expires).min(EXPIRES_MAX_S))),
                            user_agent: request.user_agent.clone(),
                            path: request.path.clone(),
                            instance,
                            reg_id,
                            call_id: request.call_id.clone(),
                            cseq: request.cseq,
                        });
                    }
                }
                if next.len() > SIP_BINDINGS_PER_AOR {
                    return Err(RegisterError::Full);
                }
                next.sort_by_key(|b| std::cmp::Reverse(b.q));
                next
            }
        };
        Ok(self.keep(aor, next))
    }

    fn keep(&mut self, aor: &Aor, next: Vec<Binding>) -> Reach {
        let old = self.table.remove(aor).unwrap_or_default();
        let (before, after) = (old.len(), next.len());
        // A refreshed registration mostly comes the way the one before it came.
        if !old.iter().map(|b| b.flow).eq(next.iter().map(|b| b.flow)) {
            self.forget_places(aor, &old);
            self.note_places(aor, &next);
        }
        match next.iter().map(|b| b.expires_at).min() {
            Some(at) => {
                self.expiries.set(aor.clone(), at);
                self.table.insert(aor.clone(), next);
            }
            None => {
                self.expiries.clear(aor);
            }
        }
        match (before, after) {
            (0, 0) => Reach::Same,
            (_, 0) => Reach::Unregistered,
            (b, a) if a == b => Reach::Same,
            (_, a) => Reach::Registered(a),
        }
    }

    /// Drops what has expired. Each entry says what that means for one address of record.
    pub fn expire(&mut self, now: Mono) -> Vec<(Aor, Reach)> {
        let mut out = Vec::new();
        while let Some(aor) = self.expiries.pop_due(now) {
            out.extend(self.retain(&aor, |b| b.expires_at > now).map(|reach| (aor, reach)));
        }
        out
    }

    /// A stream is gone, and with it the way to every phone that registered over it and cannot be reached at its contact.
    pub fn closed(&mut self, conn: ConnId) -> Vec<(Aor, Reach)> {
        let gone = |b: &Binding| b.flow.conn == Some(conn);
        let aors: Vec<Aor> = self.streams.get(&conn).into_iter().flatten().cloned().collect();
        let mut out = Vec::new();
        for aor in aors {
            let mut list = self.table.get(&aor).cloned().unwrap_or_default();
            for b in list.iter_mut().filter(|b| gone(b)) {
                // Not behind a NAT: a new stream to the address it announced will do. Nobody can open a WebSocket to a browser,
                // and a phone has no certificate we could know it by.
                let can_open = b.flow.transport == Transport::Tcp && b.reg_id.is_none();
                if let Some(uri) = b.contact.sip().filter(|u| can_open && u.host.ip() == Some(b.flow.remote.ip())) {
                    b.flow.remote.set_port(uri.port.unwrap_or(5060));
                    b.flow.conn = None;
                }
            }
            list.retain(|b| !gone(b));
            let reach = self.keep(&aor, list);
            out.extend((reach != Reach::Same).then_some((aor, reach)));
        }
        out
    }

    /// A flow is gone, says the proxy that held it (430, RFC 5626 5.3.1): what was registered over it cannot be reached.
    pub fn flow_failed(&mut self, contact: &Uri, flow: &Flow) -> Vec<(Aor, Reach)> {
        let gone = |b: &Binding| b.reg_id.is_some() && b.flow == *flow && b.contact.same(contact);
        let aors: Vec<Aor> = self.table.iter().filter(|(_, list)| list.iter().any(gone)).map(|(a, _)| a.clone()).collect();
        aors.into_iter().filter_map(|aor| self.retain(&aor, |b| !gone(b)).map(|reach| (aor, reach))).collect()
    }

    fn retain(&mut self, aor: &Aor, keep: impl Fn(&Binding) -> bool) -> Option<Reach> {
        let mut list = self.table.get(aor)?.clone();
        list.retain(keep);
        Some(self.keep(aor, list)).filter(|r| *r != Reach::Same)
    }

    fn note_places(&mut self, aor: &Aor, list: &[Binding]) {
        for b in list {
            *self.places.entry((b.flow.transport, b.flow.remote)).or_default() += 1;
            if let Some(c) = b.flow.conn {
                self.streams.entry(c).or_default().insert(aor.clone());
            }
        }
    }

    fn forget_places(&mut self, aor: &Aor, list: &[Binding]) {
        for b in list {
            let place = (b.flow.transport, b.flow.remote);
            match self.places.get_mut(&place) {
                Some(n) if *n > 1 => *n -= 1,
                _ => drop(self.places.remove(&place)),
            }
            let Some(c) = b.flow.conn else { continue };
            let there = self.streams.get_mut(&c);
            if there.is_some_and(|aors| aors.remove(aor) && aors.is_empty()) {
                self.streams.remove(&c);
            }
        }
    }

    /// The bindings of one address of record, preferred first.
    pub fn bindings(&self, aor: &Aor) -> &[Binding] {
        self.table.get(aor).map_or(&[], Vec::as_slice)
    }
    /// True when somebody registered from exactly here.
    pub fn knows(&self, flow: &Flow) -> bool {
        self.places.contains_key(&(flow.transport, flow.remote))
    }
    /// When [`Registrar::expire`] is wanted.
    pub fn deadline(&self) -> Option<Mono> {
        self.expiries.next()
    }
    /// How many addresses of record can be reached.
    pub fn len(&self) -> usize {
        self.table.len()
    }
    /// True when nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

/// Each phone once, preferred first, and the other flows it can be reached by should the first be broken. A phone must not be
/// rung over two flows at once (RFC 5626 6); the flow it renewed last is the one most likely to stand.
pub fn ways(bindings: &[Binding]) -> Vec<(&Binding, Vec<Flow>)> {
    let mut phones: Vec<(&Binding, Vec<Flow>)> = Vec::new();
    for b in bindings {
        let same = |p: &&mut (&Binding, Vec<Flow>)| b.reg_id.is_some() && p.0.reg_id.is_some() && p.0.instance == b.instance;
        match phones.iter_mut().find(same) {
            Some((first, others)) if b.expires_at > first.expires_at => {
                others.insert(0, first.flow);
                *first = b;
            }
            Some((_, others)) => others.push(b.flow),
            None => phones.push((b, Vec::new())),
        }
    }
    phones
}

/// `reg-id=1`: from 1, below 2^31 (RFC 5626 4.2).
fn reg_id(contact: &NameAddr) -> Option<u32> {
    contact.params.get("reg-id")?.parse().ok().filter(|n| (1..1 << 31).contains(n))
}

/// `q=0.5` as 500; 1000 when missing or nonsense.
fn thousandths(q: Option<&str>) -> u16 {
    let value = q.and_then(|t| t.parse::<f32>().ok()).filter(|v| (0.0..=1.0).contains(v)).unwrap_or(1.0);
    (value * 1000.0) as u16
}

#[cfg(test)]
mod tests;
