//! Registrations and health, kept going: what is due is asked, what is answered is told to the machine it is for.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Key, Level, Snapshot,
    health::Health,
    line::{Line, Made, TEST},
};
use crate::{
    base::{Mono, Now, TenantId, TrunkId},
    call::{By, Calls, Cause, Event, Output, Place, TrunkTarget},
    sip::{
        auth::Credentials,
        msg::{Headers, Host, Message, Method, Name, NameAddr, SipUri, Uri},
        registrar,
        stack::{self, AskKey, Asking},
        stir::Fault,
        transport::{Flow, Transport},
    },
};

/// How to get to a trunk.
#[derive(Debug)]
pub(super) struct Way {
    pub flow: Flow,
    /// Where else, should nobody be there.
    pub next: Vec<Flow>,
    /// What it is called by; the number goes before the host.
    pub uri: SipUri,
    /// Proxies between.
    pub routes: Vec<NameAddr>,
    /// Until when it can be found there, if it has said so itself.
    pub registered_for: Option<Mono>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Register {
        ours: NameAddr,
    },
    Options,
    /// The carrier was told to forget us; nobody waits for what it says.
    Farewell,
}

impl Calls {
    /// The way to a trunk. `None`: we have no socket of its kind, or it has not registered with us.
    pub(super) fn way_to(&self, key: &Key, t: &TrunkTarget) -> Option<Way> {
        match &t.place {
            Place::At(addr) => {
                let next = t.next.iter().filter_map(|n| self.flow_to(t, n.transport, n.addr)).collect();
                let flow = self.flow_to(t, t.transport, *addr)?;
                Some(Way { flow, next, uri: SipUri::new(None, host(t), port(t)), routes: Vec::new(), registered_for: None })
            }
            Place::Registered(user) => {
                // What it said last: where it was before it restarted is forgotten only by and by.
                let ways = registrar::ways(self.stack.bindings(&key.0, user)).into_iter();
                let (b, next) = ways.max_by_key(|(b, _)| (b.q, b.expires_at))?;
                let uri = b.contact.sip()?.clone();
                Some(Way { flow: b.flow, next, uri, routes: b.path.clone(), registered_for: Some(b.expires_at) })
            }
        }
    }

    fn trunk_flow(&self, key: &Key, t: &TrunkTarget) -> Option<Flow> {
        self.way_to(key, t).map(|way| way.flow)
    }

    /// Who has registered, at so many places, or no longer: an agent's phones, or a trunk that says where it is.
    pub(in crate::call) fn reach(&self, tenant: TenantId, user: String, contacts: usize) -> Event {
        let mut peers = self.settings.sip.trunks.iter().filter(|t| t.tenant == tenant);
        match peers.find(|t| t.login.as_ref().is_some_and(|(name, _)| *name == user)) {
            Some(t) => Event::TrunkRegistered { tenant, trunk: t.id.clone(), on: contacts > 0, code: None },
            None if contacts > 0 => Event::Registered { tenant, user, contacts },
            None => Event::Unregistered { tenant, user },
        }
    }

    /// The way to one of the places of a trunk.
    pub(super) fn flow_to(&self, t: &TrunkTarget, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let local = self.settings.sip.local_towards(transport, remote)?;
        Some(Flow { transport, local, remote, conn: None, peer: t.peer })
    }

    fn made(&self, key: &Key, t: &TrunkTarget) -> Made {
        let contact =
            t.policy.register.as_ref().and_then(|_| self.trunk_flow(key, t)).map(|flow| self.stack.contact_for("", &flow));
        Made {
            place: t.place.clone(),
            transport: t.transport,
            host: t.host.clone(),
            credentials: t.credentials.clone(),
            wanted: t.policy.register.clone(),
            contact: contact.map(|c| c.to_string()),
        }
    }

    /// Does what is due.
    pub(in crate::call) fn trunks_tick(&mut self, now: Now, out: &mut Vec<Output>) {
        if std::mem::take(&mut self.trunks.stale) {
            self.trunks_sync(now, out);
        }
        let due: Vec<Key> = {
            let targets = &self.settings.trunks;
            let is_due = |(key, l): &(&Key, &Line)| targets.get(*key).and_then(|t| l.due(t)).is_some_and(|at| at <= now.mono);
            self.trunks.lines.iter().filter(is_due).map(|(key, _)| key.clone()).collect()
        };
        for key in due {
            self.line_tick(now, &key, out);
        }
        while let Some(leg) = self.trunks.cut.pop_due(now.mono) {
            tracing::warn!(?leg, "a call has lasted as long as the toll-fraud guard lets it");
            self.hang_up(now, leg, Cause::NotAllowed, By::Us, out);
        }
        while let Some(leg) = self.trunks.silence.pop_due(now.mono) {
            self.carrier_silent(now, leg, out);
        }
        while let Some(leg) = self.trunks.verifying_until.pop_due(now.mono) {
            tracing::warn!(?leg, "nobody has said in time who vouches for a caller");
            self.verified(now, leg, Err(Fault::NoCertificate), out);
        }
    }

    /// What has changed in the settings: new trunks begin, those that are gone say good-bye, the others keep what they know.
    fn trunks_sync(&mut self, now: Now, out: &mut Vec<Output>) {
        let settings = self.settings.clone();
        let gone: Vec<Key> = self.trunks.lines.keys().filter(|k| !settings.trunks.contains_key(*k)).cloned().collect();
        for key in gone {
            if let Some(line) = self.trunks.lines.remove(&key) {
                self.farewell(now, &key, line, out);
            }
        }
        for (key, t) in &settings.trunks {
            let made = self.made(key, t);
            if let Some(line) = self.trunks.lines.get_mut(key) {
                line.watched = t.policy.options.is_some();
            }
            match self.trunks.lines.get_mut(key) {
                None => {
                    let line = Line::new(now.mono, &mut self.rng, t, made);
                    self.trunks.lines.insert(key.clone(), line);
                }
                Some(line) if line.made != made => {
                    // Another address or account: what the old registrar knows runs out by itself, or is taken back here.
                    let fresh = Line::new(now.mono, &mut self.rng, t, made);
                    let old = std::mem::replace(line, fresh);
                    (line.counts, line.failure) = (old.counts, old.failure.clone());
                    self.farewell(now, key, old, out);
                }
                Some(line) => match (&t.policy.options, line.health.is_some()) {
                    (Some(_), false) => line.health = Some(Health::new(now.mono)),
                    (None, true) if !line.testing => line.health = None,
                    _ => {}
                },
            }
        }
    }

    fn line_tick(&mut self, now: Now, key: &Key, out: &mut Vec<Output>) {
        let settings = self.settings.clone();
        let Some(t) = settings.trunks.get(key) else { return };
        let Some(line) = self.trunks.lines.get_mut(key) else { return };
        let before = line.health.as_ref().map(Health::level);
        let options = t.policy.options.as_ref().unwrap_or(&TEST);
        let was_out = line.health.as_ref().is_some_and(Health::is_asking);
        let ask = line.health.as_mut().is_some_and(|h| h.tick(now.mono, &mut self.rng, options));
        if was_out && !line.health.as_ref().is_some_and(Health::is_asking) {
            line.testing = false;
        }
        self.level_changed(key, before, out);
        if ask {
            self.ask_options(now, key, t, out);
        }
        let due = self.trunks.lines.get(key).and_then(|l| l.registration.as_ref()?.due()).is_some_and(|at| at <= now.mono);
        if due {
            self.ask_register(now, key, t, out);
        }
    }

    fn ask_options(&mut self, now: Now, key: &Key, t: &TrunkTarget, out: &mut Vec<Output>) {
        let Some(Way { flow, uri, routes, .. }) = self.way_to(key, t) else { return };
        let uri: Uri = uri.into();
        let mut headers = Headers::new();
        routes.into_iter().for_each(|proxy| headers.push(Name::Route, proxy));
        let us = NameAddr::new(SipUri::new(Some("ping"), self.settings.sip.public_address(&flow).0, None));
        let asking = Asking {
            method: Method::Options,
            to: NameAddr::new(uri.clone()),
            uri,
            from: us,
            call_id: self.rng.hex(16),
            cseq: 1,
            contact: Some("ping".into()),
            headers,
            flow,
        };
        self.ask(now, key, Asked::Options, asking, out);
    }

    fn ask_register(&mut self, now: Now, key: &Key, t: &TrunkTarget, out: &mut Vec<Output>) {
        let way = address_of_record(t).zip(self.trunk_flow(key, t));
        let who = shown_to(t);
        let Some(registration) = self.trunks.lines.get_mut(key).and_then(|l| l.registration.as_mut()) else { return };
        let Some(((uri, aor, user), flow)) = way else {
            // No socket of its kind, or no user: as good as a carrier that is not there.
            registration.request(&mut self.rng, None, "");
            return registration.answered(
                now,
                &mut self.rng,
                None,
                &NameAddr::new(SipUri::new(None, host(t), None)),
                503,
                None,
            );
        };
        let request = registration.request(&mut self.rng, who, &uri.to_string());
        let ours = self.stack.contact_for(&user, &flow);
        let asking = register(request, uri, aor, user, flow);
        self.ask(now, key, Asked::Register { ours }, asking, out);
    }

    /// A carrier that knows us is told to forget us.
    fn farewell(&mut self, now: Now, key: &Key, mut line: Line, out: &mut Vec<Output>) {
        let Some(r) = line.registration.as_mut() else { return };
        let made = &line.made;
        let policy = super::Policy { register: made.wanted.clone(), ..Default::default() };
        let Place::At(addr) = made.place else { return };
        let mut t = TrunkTarget::new(made.transport, addr, &made.host);
        (t.credentials, t.policy) = (made.credentials.clone(), policy);
        let (Some((uri, aor, user)), Some(flow)) = (address_of_record(&t), self.trunk_flow(key, &t)) else { return };
        let who = shown_to(&t);
        let Some(request) = r.farewell(&mut self.rng, who, &uri.to_string()) else { return };
        let asking = register(request, uri, aor, user, flow);
        self.ask(now, key, Asked::Farewell, asking, out);
    }

    fn ask(&mut self, now: Now, key: &Key, what: Asked, asking: Asking, out: &mut Vec<Output>) {
        self.trunks.next_ask += 1;
        let ask = AskKey(self.trunks.next_ask);
        self.trunks.asks.insert(ask, (key.clone(), what));
        self.sip(now, stack::Action::Ask { ask, request: Box::new(asking) }, out);
    }

    /// The answer to one of these, or none.
    pub(in crate::call) fn trunk_told(
        &mut self,
        now: Now,
        ask: AskKey,
        code: u16,
        answer: Option<Arc<Message>>,
        out: &mut Vec<Output>,
    ) {
        let Some((key, what)) = self.trunks.asks.remove(&ask) else { return };
        let settings = self.settings.clone();
        let (Some(t), Some(line)) = (settings.trunks.get(&key), self.trunks.lines.get_mut(&key)) else { return };
        match what {
            Asked::Farewell => {}
            Asked::Register { ours } => {
                let Some(r) = line.registration.as_mut() else { return };
                let was = r.is_good(now.mono);
                let who = shown_to(t);
                r.answered(now, &mut self.rng, who, &ours, code, answer.as_deref());
                let good = r.is_good(now.mono);
                if was != good || !good && r.due() > Some(now.mono) {
                    tracing::info!(tenant = %key.0, trunk = %key.1, code, good, "the registrar of this trunk answered");
                    let (tenant, trunk) = key;
                    out.push(Output::Event(Event::TrunkRegistered { tenant, trunk, on: good, code: Some(code) }));
                }
            }
            Asked::Options => {
                let before = line.health.as_ref().map(Health::level);
                let options = t.policy.options.as_ref().unwrap_or(&TEST);
                let retry = answer.as_ref().and_then(|m| m.seconds(&Name::RetryAfter)).map(|s| Duration::from_secs(s.into()));
                if answer.is_some() {
                    line.answered_at = Some(now.wall);
                }
                line.testing = false;
                if let Some(h) = line.health.as_mut() {
                    h.answered(now.mono, options, code, retry);
                }
                self.level_changed(&key, before, out);
            }
        }
    }

    fn level_changed(&mut self, key: &Key, before: Option<Level>, out: &mut Vec<Output>) {
        let Some(line) = self.trunks.lines.get_mut(key) else { return };
        let after = line.health.as_ref().map(Health::level);
        if before != after && (after == Some(Level::Down) || before == Some(Level::Down)) {
            let up = after == Some(Level::Up);
            tracing::warn!(tenant = %key.0, trunk = %key.1, up, "this trunk has changed");
            out.push(Output::Event(Event::TrunkUp { tenant: key.0.clone(), trunk: key.1.clone(), up }));
        }
    }

    /// Asks a trunk now, because a person wants to know. False: there is no such trunk.
    pub fn test_trunk(&mut self, now: Now, tenant: &TenantId, trunk: &TrunkId) -> bool {
        let Some(line) = self.trunks.lines.get_mut(&(tenant.clone(), trunk.clone())) else { return false };
        line.testing = true;
        line.health.get_or_insert_with(|| Health::new(now.mono)).now_please(now.mono);
        true
    }

    /// Every trunk of a tenant as it is now.
    pub fn trunks(&self, now: Now, tenant: &TenantId) -> BTreeMap<TrunkId, Snapshot> {
        let mine = self.trunks.lines.iter().filter(|((t, _), _)| t == tenant);
        mine.map(|(key, line)| (key.1.clone(), self.snapshot(now, key, line))).collect()
    }

    fn snapshot(&self, now: Now, key: &Key, line: &Line) -> Snapshot {
        let mut s = line.snapshot(now, self.calls_on(key));
        if let Some(t) = self.settings.trunks.get(key).filter(|t| t.addr().is_none()) {
            let until = self.way_to(key, t).and_then(|way| way.registered_for);
            s.registration = if until.is_some() { "registered" } else { "not_registered" };
            s.registered_for_s = until.map(|until| until.since(now.mono).as_secs());
        }
        s
    }

    /// Figures for `/metrics`.
    pub fn trunk_figures(&self, now: Now) -> [(&'static str, u64); 11] {
        let decided = self.trunks.guard.decided();
        let lines = || self.trunks.lines.values();
        let sum = |f: fn(&Line) -> u64| lines().map(f).sum::<u64>();
        let down = lines().filter(|l| l.health.as_ref().is_some_and(|h| h.level() == Level::Down)).count() as u64;
        let lost = lines().filter(|l| l.registration.as_ref().is_some_and(|r| !r.is_good(now.mono))).count() as u64;
        [
            ("ringdesk_trunks_down", down),
            ("ringdesk_trunks_not_registered", lost),
            ("ringdesk_trunk_attempts_total", sum(|l| l.counts.attempts)),
            ("ringdesk_trunk_answered_total", sum(|l| l.counts.answered)),
            ("ringdesk_trunk_failed_total", sum(|l| l.counts.failed)),
            ("ringdesk_trunk_limited_total", sum(|l| l.counts.limited)),
            ("ringdesk_trunk_callers_verified_total", sum(|l| l.counts.verified)),
            ("ringdesk_trunk_callers_failed_total", sum(|l| l.counts.unverified)),
            ("ringdesk_trunk_callers_absent_total", sum(|l| l.counts.unvouched)),
            ("ringdesk_calls_out_permitted_total", decided.permitted),
            ("ringdesk_calls_out_denied_total", decided.denied),
        ]
    }

    /// Calls on a trunk now, both ways.
    pub(super) fn calls_on(&self, key: &Key) -> usize {
        self.legs.values().filter(|l| l.trunk.as_ref() == Some(key)).count()
    }
}

/// Credentials that may be shown to whoever is at the trunk's address.
fn shown_to(t: &TrunkTarget) -> Option<&Credentials> {
    t.credentials.as_ref().filter(|c| t.addr().is_some_and(|addr| c.are_for(addr.ip())))
}

fn register(request: super::registration::Request, uri: Uri, aor: NameAddr, user: String, flow: Flow) -> Asking {
    let mut headers = Headers::new();
    headers.push(Name::Expires, request.expires_s);
    if let Some((name, value)) = request.authorization {
        headers.push(name, value);
    }
    let (call_id, cseq, contact) = (request.call_id, request.cseq, Some(user));
    Asking { method: Method::Register, uri, from: aor.clone(), to: aor, call_id, cseq, contact, headers, flow }
}

/// Registrar, address of record and its user part.
fn address_of_record(t: &TrunkTarget) -> Option<(Uri, NameAddr, String)> {
    let wanted = t.policy.register.as_ref()?;
    let user = wanted.user.clone().or_else(|| t.credentials.as_ref().map(|c| c.user.clone()))?;
    let domain = wanted.domain.as_deref().map_or_else(|| Some(host(t)), |d| Host::parse(d).ok())?;
    let aor = NameAddr::new(SipUri::new(Some(&user), domain.clone(), None));
    Some((SipUri::new(None, domain, None).into(), aor, user))
}

/// The trunk's host as written, for URIs.
pub(in crate::call) fn host(t: &TrunkTarget) -> Host {
    let nowhere = || Host::parse("anonymous.invalid").expect("a plain host");
    Host::parse(&t.host).unwrap_or_else(|_| t.addr().map_or_else(nowhere, |addr| Host::Ip(addr.ip())))
}

/// Its port as written, where it is not the usual one.
pub(super) fn port(t: &TrunkTarget) -> Option<u16> {
    t.port.filter(|p| *p != 5060)
}
