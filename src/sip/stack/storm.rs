//! Two stacks, a line that loses, doubles, delays and overtakes, and thousands of calls in virtual time.
//!
//! People answer, refuse, give up, hang up, make themselves heard before the answer (reliably or not), change media before and
//! after it, call without an offer, send digits, and let sessions be refreshed. Whatever the line does, each call has exactly one last event on each side that knew of it, and in the end nothing is left:
//! no transaction, no dialog, no timer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use super::*;
use crate::{
    base::{NumberPattern, Wall, ms, secs},
    sip::{
        msg::{Headers, Message, Name, NameAddr, Uri},
        transport::{ConnId, Flow, Transport},
    },
};

/// How bad the line is, in thousandths, and how late a packet may be, ms.
#[derive(Debug, Clone, Copy)]
struct Line {
    loss: u64,
    double: u64,
    /// How many there are of what is doubled.
    copies: u64,
    late_ms: u64,
    transport: Transport,
}

#[derive(Debug, Default)]
struct Tally {
    /// Last events by key.
    last: BTreeMap<DialogKey, Vec<String>>,
    started: BTreeSet<DialogKey>,
    answered: BTreeSet<DialogKey>,
    /// Calls without an offer.
    late: BTreeSet<DialogKey>,
    /// What happened, by kind.
    kinds: BTreeMap<&'static str, usize>,
}

struct World {
    now: Now,
    rng: Rng,
    line: Line,
    /// Caller and callee.
    stacks: [Stack; 2],
    tally: [Tally; 2],
    /// (when, order) -> (to whom, bytes).
    wire: BTreeMap<(Mono, u64), (usize, Bytes)>,
    /// What somebody will do later.
    plans: BTreeMap<(Mono, u64), (usize, Action)>,
    order: u64,
    packets: u64,
}

fn addr(side: usize) -> std::net::SocketAddr {
    ([192, 0, 2, side as u8 + 1], 5060).into()
}

fn body(text: &str) -> Option<Body> {
    Some(("application/sdp".into(), Bytes::copy_from_slice(text.as_bytes())))
}

impl World {
    fn new(seed: u64, line: Line) -> Self {
        let mut rng = Rng::seeded(seed);
        let demo = TenantId::parse("demo").unwrap();
        let settings = SipSettings {
            default_tenant: Some(demo.clone()),
            public_numbers: vec![(demo, NumberPattern::parse("4*").unwrap())],
            ..SipSettings::default()
        };
        let stacks = [0, 1].map(|side| {
            let reliable = [Reliable::Always, Reliable::Sound, Reliable::WhenRequired][(seed + side) as usize % 3];
            let session_expires = [Some(secs(90)), None, Some(secs(200))][(seed / 2 + side) as usize % 3];
            let settings = SipSettings { reliable, session_expires, ..settings.clone() };
            Stack::new(Arc::new(settings), rng.fork(), Timers::default())
        });
        World {
            now: Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) },
            rng,
            line,
            stacks,
            tally: Default::default(),
            wire: BTreeMap::new(),
            plans: BTreeMap::new(),
            order: 0,
            packets: 0,
        }
    }

    fn flow(&self, from: usize) -> Flow {
        let conn = self.line.transport.is_reliable().then_some(ConnId(1));
        Flow { transport: self.line.transport, local: addr(from), remote: addr(1 - from), conn, peer: None }
    }

    fn plan(&mut self, after_ms: u64, side: usize, action: Action) {
        self.order += 1;
        self.plans.insert((self.now.mono + ms(after_ms), self.order), (side, action));
    }

    fn send(&mut self, to: usize, bytes: Bytes) {
        self.packets += 1;
        // A stream loses nothing and keeps its order; each packet takes the same time.
        let reliable = self.line.transport.is_reliable();
        let copies = match self.rng.below(1000) {
            _ if reliable => 1,
            dice if dice < self.line.loss => 0,
            dice if dice < self.line.loss + self.line.double => self.line.copies,
            _ => 1,
        };
        for _ in 0..copies {
            let late = if reliable { 20 } else { 1 + self.rng.below(self.line.late_ms) };
            self.order += 1;
            self.wire.insert((self.now.mono + ms(late), self.order), (to, bytes.clone()));
        }
    }

    fn feed(&mut self, side: usize, input: Input) {
        let mut out = Vec::new();
        self.stacks[side].handle(self.now, input, &mut out);
        for o in out {
            match o {
                Output::Send { flow, bytes } => {
                    assert_eq!(flow.remote, addr(1 - side), "nobody else lives here");
                    self.send(1 - side, bytes);
                }
                Output::Event(e) => self.event(side, e),
            }
        }
    }

    fn over(&mut self, side: usize, key: DialogKey, what: &str) {
        self.tally[side].last.entry(key).or_default().push(what.to_owned());
    }

    /// People: they answer, refuse, give up, hang up, renegotiate, at times drawn from the seed.
    fn event(&mut self, side: usize, event: Event) {
        let respond = |dialog, code| Action::Respond {
            dialog,
            code,
            reason: String::new(),
            headers: Headers::new(),
            body: if code == 200 { body("answer") } else { None },
        };
        let bye = |dialog| Action::Bye { dialog, headers: Headers::new() };
        match event {
            Event::Incoming { dialog, request, .. } => {
                self.tally[side].started.insert(dialog);
                let ring = self.rng.below(3_000);
                if self.rng.below(3) > 0 {
                    self.plan(ring / 2, side, respond(dialog, 180));
                }
                let offered = !request.body.is_empty();
                if self.rng.below(2) == 0 && (offered || self.stacks[side].is_reliable(dialog)) {
                    self.count(side, "early");
                    let early = Action::Respond {
                        dialog,
                        code: 183,
                        reason: String::new(),
                        headers: Headers::new(),
                        body: body("early"),
                    };
                    let at = self.rng.below(ring + 1);
                    self.plan(at, side, early);
                    if self.rng.below(2) == 0 {
                        let at = at + self.rng.below(800);
                        self.plan(at, side, Action::Reinvite { dialog, body: body("reoffer").unwrap() });
                    }
                }
                let code = if self.rng.below(4) == 0 { 486 } else { 200 };
                self.plan(ring, side, respond(dialog, code));
                if self.rng.below(20) == 0 {
                    // The callee hangs up in the very moment of answering.
                    self.plan(ring + 1, side, bye(dialog));
                }
            }
            Event::Answered { dialog, body: said, .. } => {
                self.tally[side].answered.insert(dialog);
                if self.tally[side].late.contains(&dialog) && said.is_some() {
                    let at = self.rng.below(50);
                    self.plan(at, side, Action::Ack { dialog, body: body("answer") });
                } else if self.rng.below(2) == 0 {
                    let offer = body("reoffer").unwrap();
                    let at = self.rng.below(2_000);
                    self.plan(at, side, Action::Reinvite { dialog, body: offer });
                }
                if self.rng.below(6) == 0 {
                    let at = self.rng.below(3_000);
                    let Uri::Sip(to) = Uri::parse("sip:4001@192.0.2.9").unwrap() else { unreachable!() };
                    let refer = Action::Refer { dialog, to: Box::new(to), replaces: None, headers: Headers::new() };
                    self.plan(at, side, refer);
                }
                if self.rng.below(8) == 0 {
                    let at = self.rng.below(2_000);
                    let digit = ("application/dtmf".to_owned(), Bytes::from_static(b"5"));
                    self.plan(at, side, Action::Info { dialog, body: digit });
                }
                let talk = if self.rng.below(20) == 0 { 300_000 } else { 10_000 };
                let talk = self.rng.below(talk);
                self.plan(talk, side, bye(dialog));
            }
            Event::Acked { dialog, .. } => {
                if self.tally[side].answered.insert(dialog) {
                    if self.rng.below(2) == 0 {
                        let at = self.rng.below(2_000);
                        self.plan(at, side, Action::Reinvite { dialog, body: body("reoffer").unwrap() });
                    }
                    let talk = if self.rng.below(20) == 0 { 300_000 } else { 10_000 };
                    let talk = self.rng.below(talk);
                    self.plan(talk, side, bye(dialog));
                }
            }
            Event::Progress { dialog, body: Some(_), .. } if self.tally[side].late.contains(&dialog) => {
                self.count(side, "offer before the answer");
                let at = self.rng.below(200);
                self.plan(at, side, Action::Prack { dialog, body: body("answer").unwrap() });
            }
            Event::Progress { dialog, body: Some(_), .. } if self.rng.below(3) == 0 => {
                let at = self.rng.below(500);
                self.plan(at, side, Action::Reinvite { dialog, body: body("reoffer").unwrap() });
            }
            Event::Reoffer { dialog, .. } => {
                let code = if self.rng.below(5) == 0 { 488 } else { 200 };
                let at = self.rng.below(300);
                self.plan(at, side, Action::RespondReinvite { dialog, code, body: body("answer") });
            }
            Event::Refused { dialog, code, .. } => self.over(side, dialog, &format!("refused {code}")),
            Event::Ended { dialog, by, .. } => self.over(side, dialog, &format!("ended {by:?}")),
            Event::Cancelled { dialog, .. } => self.over(side, dialog, "cancelled"),
            Event::Referred { dialog, refer } => {
                self.count(side, "handed on");
                let (at, code) = (self.rng.below(300), if self.rng.below(3) == 0 { 603 } else { 202 });
                self.plan(at, side, Action::RespondRefer { dialog, refer: refer.id, code });
                let at = at + self.rng.below(2_000);
                self.plan(at, side, Action::Notify { dialog, refer: refer.id, code: 180, over: false });
                let at = at + self.rng.below(2_000);
                self.plan(at, side, Action::Notify { dialog, refer: refer.id, code: 200, over: true });
            }
            Event::ReferProgress { dialog, code: 200, over: true } => {
                self.count(side, "handed on, and told");
                self.plan(0, side, bye(dialog));
            }
            Event::ReferAnswered { .. } | Event::ReferProgress { .. } => {}
            Event::ReAnswered { .. } => self.count(side, "other media"),
            Event::ReRefused { code, .. } => self.count(side, if code == 491 { "glare" } else { "media stay" }),
            Event::Pracked { .. } => self.count(side, "answer in a PRACK"),
            Event::InfoDtmf { .. } => self.count(side, "digit"),
            Event::Progress { .. } | Event::InfoSent { .. } | Event::Told { .. } => {}
            Event::Registered { .. } | Event::Unregistered { .. } => {}
        }
    }

    fn count(&mut self, side: usize, kind: &'static str) {
        *self.tally[side].kinds.entry(kind).or_default() += 1;
    }

    fn call(&mut self) {
        let dialog = self.stacks[0].next_key();
        self.tally[0].started.insert(dialog);
        let flow = self.flow(0);
        let to = Target {
            uri: Uri::parse("sip:4000@192.0.2.2").unwrap(),
            to: None,
            flow,
            sticky: false,
            next: vec![],
            routes: vec![],
            open: false,
            elsewhere: None,
        };
        let from = NameAddr::new(Uri::parse("sip:ann@192.0.2.1").unwrap());
        let mut headers = Headers::new();
        if self.rng.below(4) == 0 {
            headers.push(Name::Require, "100rel");
        }
        let late = self.rng.below(5) == 0;
        if late {
            self.tally[0].late.insert(dialog);
        }
        let offer = if late { None } else { body("offer") };
        let invite = Action::Invite { dialog, to, from, headers, body: offer, credentials: None };
        self.feed(0, Input::Do(invite));
        if self.rng.below(4) == 0 {
            let patience = self.rng.below(3_200);
            self.plan(patience, 0, Action::Cancel { dialog, headers: Headers::new() });
        }
    }

    fn next(&self) -> Option<Mono> {
        let wire = self.wire.first_key_value().map(|(k, _)| k.0);
        let plan = self.plans.first_key_value().map(|(k, _)| k.0);
        let timers = self.stacks.iter().filter_map(Stack::deadline).min();
        [wire, plan, timers].into_iter().flatten().min()
    }

    /// The next thing that happens; false when nothing ever will.
    fn step(&mut self) -> bool {
        let wire = self.wire.first_key_value().map(|(k, _)| k.0);
        let plan = self.plans.first_key_value().map(|(k, _)| k.0);
        let Some(at) = self.next() else { return false };
        self.now = self.now.later(at - self.now.mono);
        if wire == Some(at) {
            let (_, (to, bytes)) = self.wire.pop_first().unwrap();
            let source = self.flow(to);
            let message = Message::parse_datagram(bytes);
            assert!(message.is_ok(), "a stack made garbage");
            self.feed(to, Input::Received { message, source });
        } else if plan == Some(at) {
            let (_, (side, action)) = self.plans.pop_first().unwrap();
            self.feed(side, Input::Do(action));
        } else {
            for side in 0..2 {
                if self.stacks[side].deadline().is_some_and(|d| d <= at) {
                    self.feed(side, Input::Tick);
                }
            }
        }
        true
    }

    fn run(seed: u64, calls: usize, line: Line) -> World {
        let mut w = World::new(seed, line);
        for _ in 0..calls {
            w.call();
            let next = w.now.mono + ms(50);
            while w.next().is_some_and(|at| at <= next) {
                w.step();
            }
            w.now = w.now.later(next.since(w.now.mono));
        }
        let end = w.now.mono + secs(1_000);
        while w.step() {
            assert!(w.now.mono < end, "seed {seed}: timers never end");
        }
        for (side, (tally, stack)) in w.tally.iter().zip(&w.stacks).enumerate() {
            for key in &tally.started {
                let n = tally.last.get(key).map_or(0, Vec::len);
                assert_eq!(n, 1, "seed {seed}, side {side}, {key:?}: {:?}", tally.last.get(key));
            }
            assert_eq!(tally.last.len(), tally.started.len(), "seed {seed}: somebody ended who never was");
            let c = stack.counters();
            assert_eq!((c.transactions, c.dialogs), (0, 0), "seed {seed}, side {side}");
            assert_eq!((stack.tags.len(), stack.merged.len()), (0, 0), "seed {seed}, side {side}");
            assert_eq!((stack.client_index.len(), stack.server_index.len()), (0, 0), "seed {seed}, side {side}");
            assert_eq!(c.malformed, 0);
        }
        w
    }
}

#[test]
fn two_thousand_calls_over_a_terrible_line_each_end_once_on_both_sides_and_leave_nothing() {
    let mut packets = 0;
    for seed in 0..10 {
        let line = Line { loss: 50 * seed, double: 100, copies: 2, late_ms: 20 + 90 * seed, transport: Transport::Udp };
        let w = World::run(seed, 220, line);
        if seed == 0 {
            assert!(w.tally[0].answered.len() > 100, "on a good line people do talk");
        }
        packets += w.packets;
    }
    assert!(packets > 20_000);
}

/// `RINGDESK_STORM`: how many calls, in worlds of a thousand.
#[expect(clippy::disallowed_methods, reason = "how long to search is up to who starts the test")]
fn calls_wanted() -> Option<u64> {
    std::env::var("RINGDESK_STORM").ok()?.parse().ok()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn a_storm_of_everything_ends_each_call_once_and_every_timer() {
    let calls: u64 = calls_wanted().unwrap_or(2_000);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut packets, mut answered, mut resent) = (0, 0, 0);
    for seed in 0..calls.div_ceil(1_000) {
        let line =
            Line { loss: 40 * (seed % 9), double: 100, copies: 2, late_ms: 10 + 90 * (seed % 7), transport: Transport::Udp };
        let w = World::run(100 + seed, 1_000, line);
        packets += w.packets;
        answered += w.tally[0].answered.len();
        resent += w.stacks.iter().map(|s| s.counters().resent).sum::<u64>();
        w.tally.iter().flat_map(|t| &t.kinds).for_each(|(kind, n)| *seen.entry(kind).or_default() += n);
    }
    println!("{calls} calls, {answered} answered, {packets} packets, {resent} of them repeats: {seen:?}");
    for kind in [
        "early",
        "offer before the answer",
        "answer in a PRACK",
        "other media",
        "glare",
        "media stay",
        "digit",
        "handed on, and told",
    ] {
        assert!(seen.get(kind).is_some_and(|n| *n > 20), "{kind} hardly ever happened: {seen:?}");
    }
}

#[test]
fn everything_said_twenty_times_is_a_call_each_and_no_more() {
    let line = Line { loss: 0, double: 1_000, copies: 20, late_ms: 400, transport: Transport::Udp };
    let w = World::run(9, 100, line);
    assert_eq!(w.tally[0].started.len(), 100);
    assert_eq!(w.tally[1].started.len(), 100);
    assert_eq!(w.stacks.iter().map(|s| s.counters().timeouts).sum::<u64>(), 0, "nothing was lost");
}

#[test]
fn calls_over_a_stream_never_repeat_a_message() {
    let line = Line { loss: 0, double: 0, copies: 1, late_ms: 1, transport: Transport::Tcp };
    let w = World::run(7, 200, line);
    assert_eq!(w.stacks[0].counters().resent, 0);
    assert_eq!(w.stacks[0].counters().timeouts + w.stacks[1].counters().timeouts, 0);
}

#[test]
fn the_same_seed_is_the_same_story() {
    let line = Line { loss: 200, double: 100, copies: 2, late_ms: 500, transport: Transport::Udp };
    let (a, b) = (World::run(3, 50, line), World::run(3, 50, line));
    assert_eq!((a.packets, a.now, format!("{:?}", a.tally)), (b.packets, b.now, format!("{:?}", b.tally)));
}
