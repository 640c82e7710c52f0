//! Time, and what happens next: every datagram, engine event, deadline and stored fact in one order that a seed decides.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use media::wire::{LegId, TapId};

use super::{
    business::{self, Flows, Opening},
    ears::Ears,
    invariants::Watch,
    media::{FakeMedia, Soon},
    net::Net,
    pace::Pace,
    people::Visitor,
    phone::Phone,
    store::CrashStore,
    tape::{Tape, Taped},
};
use crate::{
    base::{AgentId, InteractionId, Mono, Now, NumberPattern, Rng, TenantId, TrunkId, Wall, ms, redact::Secret, secs},
    call::{
        CallSettings, Calls, MediaAddrs, TrunkTarget, route,
        trunk::{self, Voucher},
    },
    center::{
        Ask, Center, Config, Input, Output,
        command::{CommandId, Done, Refusal},
        fact::Record,
        hearing::Heard,
        ladder::Ladder,
        recall::{RecallId, Recalled},
        settings::{Business, Settings},
        streams::StreamOrder,
    },
    ivr,
    sip::{
        auth::{Credentials, Ha1},
        stack::{Listener, SipSettings, TrunkPeer},
        stir::{Fault, Pen, Seal},
        transport::Transport,
    },
};

/// What is on its way.
#[derive(Debug)]
enum Event {
    ToCenter { from: SocketAddr, bytes: Bytes },
    ToPhone { to: SocketAddr, bytes: Bytes },
    Media(Soon),
    Ear(TapId, Heard),
    Stored(u64),
    Recalled(RecallId, Recalled),
    Verified(LegId, Result<(), Fault>),
}

/// Everything.
#[derive(Debug)]
pub struct World {
    /// What all chance comes from.
    pub seed: u64,
    pub(super) now: Now,
    pub(super) rng: Rng,
    /// None between a crash and a restart.
    pub(super) center: Option<Center>,
    pub(super) settings: Arc<Settings>,
    call_settings: Arc<CallSettings>,
    flows: Flows,
    kept: usize,
    pub(super) phones: Vec<Phone>,
    by_addr: BTreeMap<SocketAddr, usize>,
    pub(super) agents: BTreeMap<AgentId, usize>,
    pub(super) visitors: Vec<Visitor>,
    /// The network.
    pub net: Net,
    /// The engine.
    pub media: FakeMedia,
    /// The journal.
    pub store: CrashStore,
    queue: BTreeMap<(Mono, u64), Event>,
    order: u64,
    /// Questions put to the outside, unanswered.
    pub asks: Vec<Ask>,
    /// Whoever looks at the seals of callers: what is found, and after how long; nobody, and nothing is ever found.
    pub notary: Option<(Duration, Result<(), Fault>)>,
    /// The seals that were to be looked at.
    pub seals: Vec<Seal>,
    /// What was said about live copies of calls.
    pub streams: Vec<StreamOrder>,
    /// Who is listened to.
    pub ears: Ears,
    /// Ladders that were put away, by contact.
    pub ladders: BTreeMap<InteractionId, Ladder>,
    pub(super) replies: BTreeMap<CommandId, Result<Done, Refusal>>,
    pub(super) commands: u64,
    pub(super) watch: Watch,
    /// Inputs the center has taken.
    pub inputs: u64,
    /// Everything that left the center, folded: the same seed gives the same number.
    pub hash: u64,
    /// The center is looked through after every input. Off for benchmarks.
    pub audit: bool,
    /// Crash as soon as this fact has been written (not: stored).
    pub crash_at: Option<u64>,
    /// How often it crashed.
    pub crashes: u32,
    /// Everything the center was given, if somebody wants it.
    pub tape: Option<Tape>,
    /// How long the center takes; not at all unless a story says so.
    pub(super) pace: Option<Pace>,
}

/// Where the center is.
pub(super) const CENTER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 5060);
/// The certificate of the center's engine.
pub(super) const FINGERPRINT: [u8; 32] = [0xC0; 32];
/// A world that does more than this at one instant turns in circles.
const AT_ONE_INSTANT: u32 = 20_000;

impl World {
    /// The usual business, perfect network.
    pub fn new(seed: u64) -> World {
        World::with(seed, |_| {})
    }

    /// The usual business with something changed.
    pub fn with(seed: u64, change: impl FnOnce(&mut Business)) -> World {
        let mut opening = Opening::usual();
        change(&mut opening.business);
        World::of(seed, opening)
    }

    /// A business of one's own.
    pub fn of(seed: u64, opening: Opening) -> World {
        let Opening { business, flows, kept } = opening;
        let settings = Arc::new(compile(1, business, &flows));
        let call_settings = Arc::new(call_settings(&settings));
        let mut rng = Rng::seeded(seed);
        let now = Now { mono: Mono(1_000_000_000), wall: Wall::from_unix_s(1_795_406_706) };
        let center = start(&settings, &call_settings, kept, &mut rng);
        let mut w = World {
            seed,
            now,
            rng,
            center: Some(center),
            settings,
            call_settings,
            flows,
            kept,
            phones: Vec::new(),
            by_addr: BTreeMap::new(),
            agents: BTreeMap::new(),
            visitors: Vec::new(),
            net: Net::default(),
            media: FakeMedia::new((30_000, 30_200)),
            store: CrashStore::default(),
            queue: BTreeMap::new(),
            order: 0,
            asks: Vec::new(),
            notary: Some((ms(40), Ok(()))),
            seals: Vec::new(),
            streams: Vec::new(),
            ears: Ears::new(),
            ladders: BTreeMap::new(),
            replies: BTreeMap::new(),
            commands: 0,
            watch: Watch::default(),
            inputs: 0,
            hash: 0xcbf2_9ce4_8422_2325,
            audit: true,
            crash_at: None,
            crashes: 0,
            tape: None,
            pace: None,
        };
        w.recover();
        let carrier = SocketAddr::new(business::CARRIER.parse().expect("an address"), 5060);
        let i = w.phone_at("carrier", carrier, None);
        w.phones[i].one_at_a_time = false;
        w
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        self.now
    }

    pub(super) fn phone_at(&mut self, user: &str, addr: SocketAddr, password: Option<&str>) -> usize {
        let rng = self.rng.fork();
        self.phones.push(Phone::new(user, addr, CENTER, business::DOMAIN, password, rng));
        self.by_addr.insert(addr, self.phones.len() - 1);
        self.phones.len() - 1
    }

    // ---- time ----

    /// Lets so much time pass.
    pub fn pass(&mut self, d: Duration) {
        let until = self.now.mono + d;
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.advance(until);
    }

    /// Lets time pass until something is so. Ten minutes without it, and the test has failed.
    #[track_caller]
    pub fn until(&mut self, what: impl Fn(&World) -> bool) {
        let until = self.now.mono + secs(600);
        while !what(self) {
            match self.next_at() {
                Some(at) if at <= until => self.step(),
                _ => panic!("seed {}: it never came to be so\n{}", self.seed, self.report()),
            }
        }
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Mono> {
        let queue = self.queue.keys().next().map(|(at, _)| *at);
        let center = self.center.as_ref().and_then(|c| c.deadline()).map(|at| at.max(self.free_at()));
        let phones = self.phones.iter().filter_map(Phone::deadline).min();
        [queue, center, phones, self.pace_due()].into_iter().flatten().min().map(|at| at.max(self.now.mono))
    }

    fn advance(&mut self, to: Mono) {
        let d = to - self.now.mono;
        self.now = self.now.later(d);
    }

    /// The next thing happens.
    pub fn step(&mut self) {
        let Some(at) = self.next_at() else { return };
        match at > self.now.mono {
            true => self.watch.at_once = 0,
            false => self.watch.at_once += 1,
        }
        if self.watch.at_once > AT_ONE_INSTANT {
            self.fail(&format!("time stands still at {:?}", self.now.mono));
        }
        self.advance(at);
        if self.takes_next() {
            return;
        }
        if self.center.as_ref().and_then(|c| c.deadline()).is_some_and(|d| d.max(self.free_at()) <= at) {
            return self.give(Taped::Tick);
        }
        if let Some(i) = self.phones.iter().position(|p| p.deadline().is_some_and(|d| d <= at)) {
            let mut out = Vec::new();
            self.phones[i].tick(self.now, &mut out);
            return self.phone_sends(i, out);
        }
        let Some(((_, _), event)) = self.queue.pop_first() else { return };
        match event {
            Event::ToCenter { from, bytes } => {
                self.arrives(Taped::Sip(from, bytes));
            }
            Event::ToPhone { to, bytes } => {
                let Some(&i) = self.by_addr.get(&to) else { return };
                let mut out = Vec::new();
                self.phones[i].receive(self.now, CENTER, bytes, &mut out);
                self.phone_sends(i, out);
            }
            Event::Media(Soon::Say(e)) => self.arrives(Taped::Media(e)),
            Event::Media(Soon::Over(leg, play)) => {
                if let Some(e) = self.media.over(leg, play) {
                    self.arrives(Taped::Media(e));
                }
            }
            Event::Ear(tap, heard) => self.ear_says(tap, heard),
            Event::Stored(seq) => {
                self.store.safe(seq);
                self.arrives(Taped::Stored(seq));
            }
            Event::Recalled(id, found) => self.give(Taped::Recalled(id, found)),
            Event::Verified(leg, seal) => self.give(Taped::Verified(leg, seal)),
        }
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.order += 1;
        self.queue.insert((self.now.mono + after, self.order), event);
    }

    pub(super) fn hears_at(&mut self, at: Mono, tap: TapId, heard: Heard) {
        self.later(at - self.now.mono, Event::Ear(tap, heard));
    }

    pub(super) fn phone_sends(&mut self, i: usize, out: Vec<(SocketAddr, Bytes)>) {
        let from = self.phones[i].addr;
        for (to, bytes) in out {
            if to != CENTER {
                continue;
            }
            for after in self.net.send(&mut self.rng) {
                self.later(after, Event::ToCenter { from, bytes: bytes.clone() });
            }
        }
    }

    // ---- the center ----

    /// Something happens to the center that can be kept on tape.
    pub(super) fn give(&mut self, taped: Taped) {
        let input = taped.input();
        if let Some(tape) = &mut self.tape {
            tape.push((self.now, taped));
        }
        self.feed(input);
    }

    /// Something happens to the center, and what it wants is done.
    pub fn feed(&mut self, input: Input) {
        let Some(mut center) = self.center.take() else { return };
        self.inputs += 1;
        let mut out = Vec::new();
        center.handle(self.now, input, &mut out);
        self.center = Some(center);
        self.took(out.len());
        self.carry_out(out);
    }

    fn carry_out(&mut self, out: Vec<Output>) {
        for o in out {
            match o {
                Output::Send { flow, bytes } => {
                    self.fold(&bytes);
                    for after in self.net.send(&mut self.rng) {
                        self.later(after, Event::ToPhone { to: flow.remote, bytes: bytes.clone() });
                    }
                }
                Output::Media(c) => {
                    let mut soon = Vec::new();
                    self.media.command(self.now.mono, c, &mut soon);
                    self.engine(soon);
                }
                Output::Play { leg, play, prompts, repeat } => {
                    let mut soon = Vec::new();
                    self.media.play(leg, play, &prompts, repeat, &mut soon);
                    self.engine(soon);
                }
                Output::Ask(ask) => self.asks.push(*ask),
                Output::Verify { leg, seal } => {
                    self.seals.push(*seal);
                    if let Some((after, found)) = self.notary {
                        self.later(after, Event::Verified(leg, found));
                    }
                }
                Output::Recall(r) => {
                    // Read at once, told later: what happens in between is not in the answer.
                    let found = self.store.known().recall(&r.tenant, &r.wanted);
                    self.later(self.store.delay, Event::Recalled(r.id, found));
                }
                Output::Stream(order) => self.streams.push(order),
                Output::Hearing(order) => self.hearing(order),
                Output::Ladder(order) => drop(self.ladders.insert(order.interaction, order.ladder())),
                Output::Fact(r) => self.write(r),
                Output::Reply(id, answer) => {
                    self.replies.insert(id, answer);
                }
                Output::Blink(..) => {}
            }
        }
        self.ears_over();
        if self.audit {
            self.check();
        }
        if self.crash_at.is_some_and(|at| self.store.facts().last().is_some_and(|r| r.seq >= at)) {
            self.crash_at = None;
            self.crash();
        }
    }

    fn engine(&mut self, soon: Vec<(Duration, Soon)>) {
        for (after, s) in soon {
            self.later(after, Event::Media(s));
        }
    }

    fn write(&mut self, r: Record) {
        let kind = r.fact.kind();
        self.fold(kind.as_bytes());
        self.fold(&r.at.0.to_le_bytes());
        if let Some(i) = r.fact.interaction() {
            self.fold(i.0.as_bytes());
        }
        let seq = r.seq;
        if let Err(bad) = self.watch.fact(&r) {
            self.fail(&bad);
        }
        if let Err(bad) = self.store.append(r) {
            self.fail(&bad);
        }
        self.later(self.store.delay, Event::Stored(seq));
    }

    fn fold(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.hash = (self.hash ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The outside answers the oldest question it was asked: status and JSON, or nothing at all.
    pub fn outside_answers(&mut self, answer: ivr::HttpResult) {
        if !self.asks.is_empty() {
            let ask = self.asks.remove(0);
            self.feed(Input::Answer(ask.id, answer));
        }
    }

    // ---- the power ----

    /// The power goes: the center, the engine, what was not yet stored and what was on its way inside.
    pub fn crash(&mut self) {
        self.crashes += 1;
        self.center = None;
        self.media.crash();
        let unsafe_facts = self.store.unsafe_facts();
        let saved = if unsafe_facts > 0 { self.rng.below(unsafe_facts + 1) } else { 0 };
        self.store.crash(saved);
        self.queue.retain(|_, e| matches!(e, Event::ToPhone { .. }));
        self.replies.clear();
        self.asks.clear();
        self.ears.clear();
        // What was not stored never happened: the books are read again from the start.
        let mut watch = Watch::default();
        for r in self.store.facts() {
            if let Err(bad) = watch.fact(r) {
                self.fail(&bad);
            }
        }
        self.watch = watch;
    }

    /// The power is back: the node reads its journal and goes on.
    pub fn restart(&mut self) {
        self.center = Some(start(&self.settings, &self.call_settings, self.kept, &mut self.rng));
        self.recover();
    }

    /// Crash and restart with nothing in between.
    pub fn crash_and_restart(&mut self) {
        self.crash();
        self.restart();
    }

    fn recover(&mut self) {
        let Some(mut center) = self.center.take() else { return };
        let memory = self.store.memory();
        let repaired = self.store.repaired(&memory);
        let mut out = Vec::new();
        self.watch.restarted();
        center.recover(self.now, memory, &repaired, &mut out);
        self.center = Some(center);
        self.carry_out(out);
    }

    /// New settings come in force.
    pub fn configure(&mut self, change: impl FnOnce(&mut Business)) {
        let tenants = self.settings.tenants.iter().map(|(id, t)| (id.clone(), t.config.clone())).collect();
        let mut business = Business { tenants };
        change(&mut business);
        self.settings = Arc::new(compile(self.settings.version + 1, business, &self.flows));
        self.call_settings = Arc::new(call_settings(&self.settings));
        if let Some(center) = self.center.as_mut() {
            center.call_settings(self.call_settings.clone());
        }
        self.feed(Input::Settings(self.settings.clone()));
    }

    /// Ends the test with everything one needs to know.
    #[track_caller]
    pub(super) fn fail(&self, what: &str) -> ! {
        panic!("seed {}: {what}\n{}", self.seed, self.report())
    }
}

fn start(settings: &Arc<Settings>, calls: &Arc<CallSettings>, kept: usize, rng: &mut Rng) -> Center {
    let calls = Calls::new(calls.clone(), rng.fork());
    let config = Config { recordings: "recordings".into(), version: "sim".into(), hears: true, kept };
    Center::new(config, settings.clone(), calls, rng.fork())
}

fn compile(version: u64, business: Business, flows: &Flows) -> Settings {
    Settings::compile(version, business, flows).expect("the business of the simulator holds together")
}

/// What the roof would make of the settings for the SIP side.
fn call_settings(settings: &Settings) -> CallSettings {
    let mut sip = SipSettings {
        user_agent: "ringdesk".into(),
        session_expires: Some(secs(1_800)),
        ladder: true,
        listeners: [Transport::Udp, Transport::Ws].map(|transport| Listener { transport, local: CENTER, public: None }).into(),
        ..SipSettings::default()
    };
    let mut trunks: BTreeMap<(TenantId, TrunkId), TrunkTarget> = BTreeMap::new();
    for (id, t) in &settings.tenants {
        sip.default_tenant.get_or_insert_with(|| id.clone());
        let realm = t.config.domains.first().cloned().unwrap_or_else(|| id.to_string());
        sip.domains.extend(t.config.domains.iter().map(|d| (d.clone(), id.clone())));
        for agent in t.plan.agents.keys() {
            let ha1 = Ha1::new(agent.as_str(), &realm, &password(agent.as_str()));
            sip.users.insert((id.clone(), agent.to_string()), ha1);
        }
        sip.realms.insert(id.clone(), realm);
        let extensions = t.config.extensions().map(|(n, agent)| ((id.clone(), n.to_owned()), agent.to_string()));
        sip.extensions.extend(extensions);
        sip.emergency.extend(t.config.toll.emergency.iter().map(|n| (id.clone(), n.clone())));
        for r in t.config.routes.iter().filter(|r| r.from == route::Audience::Public) {
            sip.public_numbers.push((id.clone(), NumberPattern::parse(r.pattern.as_str()).expect("it was one before")));
        }
        for (id_of_trunk, config) in &t.config.trunks {
            let at: Option<IpAddr> =
                (!config.host.is_empty()).then(|| config.host.parse().expect("the simulator's carriers are addresses"));
            let realm = sip.realms[id].clone();
            let login = config.login.as_ref().map(|l| l.username.clone());
            let addresses = match &login {
                Some(_) => config.from.iter().map(|net| (*net, None)).collect(),
                None => at.iter().map(|ip| ((*ip).into(), None)).collect(),
            };
            sip.trunks.push(TrunkPeer {
                id: id_of_trunk.clone(),
                tenant: id.clone(),
                addresses,
                deny: config.deny.clone(),
                login: login.as_ref().map(|user| (user.clone(), Ha1::new(user, &realm, &password(user)))),
            });
            let mut target = match (at, &login) {
                (Some(ip), _) => TrunkTarget::new(Transport::Udp, SocketAddr::new(ip, 5060), &config.host),
                (None, login) => TrunkTarget::registered(login.as_deref().unwrap_or_default(), &realm),
            };
            target.credentials = config.username.as_ref().map(|user| Credentials {
                realm: config.realm.clone().unwrap_or_else(|| config.host.clone()),
                user: user.clone(),
                password: Secret::new(password(user)),
                hosts: at.into_iter().collect(),
            });
            target.max_calls = config.max_calls;
            target.media = t.config.trunk_policy(config);
            target.policy = t.config.trunk_rules(config);
            let pen = || Pen::new(|_| Some([0x51; 64]));
            let signs = config.stir.clone().filter(trunk::Stir::signs);
            target.policy.voucher = signs.map(|stir| Voucher { stir, pen: pen() });
            trunks.insert((id.clone(), id_of_trunk.clone()), target);
        }
    }
    CallSettings {
        sip: Arc::new(sip),
        media: MediaAddrs::default(),
        trunks,
        groups: settings.trunk_groups(),
        media_timeout: Some(secs(60)),
        ptime_ms: 20,
        phones: settings.tenants.iter().map(|(id, t)| (id.clone(), t.config.phone_policies())).collect(),
        fingerprint: Some(FINGERPRINT),
    }
}

/// The password of a phone.
pub(super) fn password(user: &str) -> String {
    format!("{user}-secret")
}
