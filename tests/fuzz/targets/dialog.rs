//! Two stacks and a line between them, all in the hands of the fuzzer: target `dialog`.
//!
//! Two bytes are a command: what happens, and to what. Packets come late, twice, in another order, changed or not at all; both
//! sides do whatever a core upstairs could ask, also of calls that are over; strangers send whole messages of their own. At
//! the end everybody hangs up, nothing arrives any more, and time passes: then each call has had exactly one last event and
//! nothing is left.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use ringdesk::{
    base::{Mono, Now, NumberPattern, Rng, TenantId, Wall, ms, secs},
    sip::{
        msg::{Headers, Message, Method, Name, NameAddr, SipUri, Uri},
        stack::{
            Action, AskKey, Asking, Body, DialogKey, Event, Input, Output, ReferId, Reliable, SipSettings, Stack, Target,
            Timers,
        },
        transport::{ConnId, Flow, Transport},
    },
};

/// Commands of one run; what follows is not read.
const COMMANDS_MAX: usize = 400;
/// Calls begun by us on one side.
const CALLS_MAX: usize = 24;
/// Packets under way; the oldest is lost for a newer one.
const WIRE_MAX: usize = 64;

struct Side {
    stack: Stack,
    keys: Vec<DialogKey>,
    refers: Vec<(DialogKey, ReferId)>,
    last: BTreeMap<DialogKey, usize>,
    asked: u64,
    told: BTreeSet<AskKey>,
}

struct World {
    now: Now,
    transport: Transport,
    sides: [Side; 2],
    /// To whom, and what.
    wire: VecDeque<(usize, Bytes)>,
    /// What any of this may have made: bounds what the stacks hold.
    inputs: usize,
}

fn addr(side: usize) -> std::net::SocketAddr {
    ([192, 0, 2, side as u8 + 1], 5060).into()
}

fn sound(text: &'static str) -> Option<Body> {
    Some(("application/sdp".into(), Bytes::from_static(text.as_bytes())))
}

fn sip(text: &str) -> SipUri {
    match Uri::parse(text) {
        Ok(Uri::Sip(uri)) => uri,
        other => unreachable!("{text}: {other:?}"),
    }
}

impl World {
    fn new(kind: u8) -> Self {
        let demo = TenantId::parse("demo").expect("a tenant");
        let reliable = [Reliable::Always, Reliable::Sound, Reliable::WhenRequired][usize::from(kind >> 1) % 3];
        let settings = SipSettings {
            default_tenant: Some(demo.clone()),
            public_numbers: vec![(demo, NumberPattern::parse("4*").expect("a pattern"))],
            reliable,
            session_expires: (kind & 16 != 0).then(|| secs(120)),
            ..SipSettings::default()
        };
        let settings = Arc::new(settings);
        let side = |seed| Side {
            stack: Stack::new(settings.clone(), Rng::seeded(seed), Timers::default()),
            keys: Vec::new(),
            refers: Vec::new(),
            last: BTreeMap::new(),
            asked: 0,
            told: BTreeSet::new(),
        };
        World {
            now: Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) },
            transport: if kind & 1 == 0 { Transport::Udp } else { Transport::Tcp },
            sides: [side(1), side(2)],
            wire: VecDeque::new(),
            inputs: 0,
        }
    }

    fn flow(&self, from: usize) -> Flow {
        let conn = self.transport.is_reliable().then_some(ConnId(1));
        Flow { transport: self.transport, local: addr(from), remote: addr(1 - from), conn, peer: None }
    }

    fn feed(&mut self, side: usize, input: Input) {
        self.inputs += 1;
        let asked = matches!(input, Input::Do(_));
        let mut out = Vec::new();
        self.sides[side].stack.handle(self.now, input, &mut out);
        for o in out {
            match o {
                Output::Send { bytes, .. } => {
                    if self.wire.len() == WIRE_MAX {
                        self.wire.pop_front();
                    }
                    self.wire.push_back((1 - side, bytes));
                }
                Output::Event(e) => self.sides[side].event(e, asked),
            }
        }
        let seen = self.sides[side].stack.counters();
        assert!(seen.transactions <= 2 * self.inputs && seen.dialogs <= self.inputs, "{} inputs made {seen:?}", self.inputs);
    }

    fn arrives(&mut self, side: usize, bytes: Bytes) {
        let source = self.flow(side);
        self.feed(side, Input::Received { message: Message::parse_datagram(bytes), source });
    }

    fn passes(&mut self, wait_ms: u64) {
        let end = self.now.mono + ms(wait_ms);
        let mut ticks = 0;
        while let Some(at) = self.sides.iter().filter_map(|s| s.stack.deadline()).min().filter(|at| *at <= end) {
            self.now = self.now.later(at.since(self.now.mono));
            for side in 0..2 {
                self.feed(side, Input::Tick);
                let next = self.sides[side].stack.deadline();
                assert!(next.is_none_or(|next| next > self.now.mono), "a deadline that has come is not done with");
            }
            ticks += 1;
            assert!(ticks < 20_000, "timers without end");
        }
        self.now = self.now.later(end.since(self.now.mono));
    }

    /// Everybody hangs up, the line is dead, and time passes.
    fn ends(&mut self) {
        for side in 0..2 {
            for key in self.sides[side].keys.clone() {
                let headers = Headers::new;
                self.feed(side, Input::Do(Action::Cancel { dialog: key, headers: headers() }));
                self.feed(side, Input::Do(respond(key, 486)));
                self.feed(side, Input::Do(Action::Bye { dialog: key, headers: headers() }));
            }
        }
        self.wire.clear();
        self.passes(4_000_000);
        for side in &self.sides {
            for key in &side.keys {
                assert_eq!(side.last.get(key), Some(&1), "last events of {key:?}");
            }
            assert_eq!(side.told.len() as u64, side.asked, "a question without an end");
            let seen = side.stack.counters();
            assert_eq!((seen.transactions, seen.dialogs), (0, 0), "something is left");
        }
    }
}

impl Side {
    /// `asked`: it comes of something asked for just now.
    fn event(&mut self, event: Event, asked: bool) {
        match event {
            Event::Incoming { dialog, .. } => {
                assert!(!self.keys.contains(&dialog), "{dialog:?} comes twice");
                self.keys.push(dialog);
            }
            Event::Cancelled { dialog, .. } | Event::Refused { dialog, .. } | Event::Ended { dialog, .. } => {
                *self.last.entry(dialog).or_default() += 1;
                assert_eq!(self.last[&dialog], 1, "{dialog:?} ends twice");
            }
            Event::Referred { dialog, refer } => {
                self.living(dialog);
                self.refers.push((dialog, refer.id));
            }
            // Whoever asks something of a call that is over is told that it came to nothing.
            Event::InfoSent { taken: false, .. } | Event::ReferAnswered { code: 300.., .. } | Event::ReRefused { .. }
                if asked => {}
            Event::Told { ask, .. } => assert!(self.told.insert(ask), "{ask:?} is told twice"),
            Event::Progress { dialog, .. }
            | Event::Answered { dialog, .. }
            | Event::Acked { dialog, .. }
            | Event::Pracked { dialog, .. }
            | Event::Reoffer { dialog, .. }
            | Event::ReAnswered { dialog, .. }
            | Event::ReRefused { dialog, .. }
            | Event::InfoSent { dialog, .. }
            | Event::ReferAnswered { dialog, .. }
            | Event::ReferProgress { dialog, .. }
            | Event::InfoDtmf { dialog, .. } => self.living(dialog),
            Event::Registered { .. } | Event::Unregistered { .. } => {}
        }
    }

    fn living(&self, dialog: DialogKey) {
        assert!(self.keys.contains(&dialog), "news of {dialog:?}, whom nobody knows");
        assert!(!self.last.contains_key(&dialog), "news of {dialog:?} after its last");
    }
}

fn respond(dialog: DialogKey, code: u16) -> Action {
    let body = if code == 183 || code == 200 { sound("answer") } else { None };
    Action::Respond { dialog, code, reason: String::new(), headers: Headers::new(), body }
}

/// What happens to a call.
fn action(what: u8, dialog: DialogKey, refers: &[(DialogKey, ReferId)]) -> Option<Action> {
    let refer = refers.iter().rev().find(|(d, _)| *d == dialog).map_or(ReferId(0), |(_, id)| *id);
    let headers = Headers::new();
    Some(match what {
        0 => respond(dialog, 180),
        1 => respond(dialog, 183),
        2 => respond(dialog, 200),
        3 => respond(dialog, 486),
        4 => Action::Cancel { dialog, headers },
        5 => Action::Bye { dialog, headers },
        6 => Action::Ack { dialog, body: sound("answer") },
        7 => Action::Prack { dialog, body: sound("answer")? },
        8 => Action::Reinvite { dialog, body: sound("offer")? },
        9 => Action::RespondReinvite { dialog, code: 200, body: sound("answer") },
        10 => Action::RespondReinvite { dialog, code: 488, body: None },
        11 => Action::Info { dialog, body: ("application/dtmf".into(), Bytes::from_static(b"5")) },
        12 => Action::RespondRefer { dialog, refer, code: 202 },
        13 => Action::RespondRefer { dialog, refer, code: 603 },
        14 => Action::Notify { dialog, refer, code: 180, over: false },
        15 => Action::Notify { dialog, refer, code: 200, over: true },
        16 => Action::Refer { dialog, to: Box::new(sip("sip:4001@192.0.2.9")), replaces: None, headers },
        17 => Action::Refer { dialog, to: Box::new(sip("sip:4001@192.0.2.9")), replaces: Some(dialog), headers },
        _ => return None,
    })
}

/// A run: the first byte chooses transport and settings, then commands of two bytes.
pub fn check(data: &[u8]) {
    let Some((kind, mut rest)) = data.split_first() else { return };
    let mut w = World::new(*kind);
    for _ in 0..COMMANDS_MAX {
        let Some(([what, which], behind)) = rest.split_first_chunk() else { break };
        rest = behind;
        let side = usize::from(which & 1);
        match what % 32 {
            what @ 0..=17 => {
                let s = &w.sides[side];
                let Some(key) = s.keys.get(usize::from(which >> 1) % s.keys.len().max(1)) else { continue };
                if let Some(action) = action(what, *key, &s.refers) {
                    w.feed(side, Input::Do(action));
                }
            }
            18 => calls(&mut w, side, *which),
            19 | 20 => {
                if let Some((to, bytes)) = w.wire.pop_front() {
                    w.arrives(to, bytes);
                }
            }
            // Everything that is under way.
            21 => {
                for _ in 0..w.wire.len() {
                    let Some((to, bytes)) = w.wire.pop_front() else { break };
                    w.arrives(to, bytes);
                }
            }
            22 => drop(w.wire.pop_front()),
            23 => {
                if let Some((to, bytes)) = w.wire.pop_back() {
                    w.arrives(to, bytes);
                }
            }
            24 => {
                if let Some((to, bytes)) = w.wire.front().cloned() {
                    w.arrives(to, bytes);
                }
            }
            25 => {
                if let Some((to, bytes)) = w.wire.pop_front() {
                    let mut changed = bytes.to_vec();
                    let at = usize::from(*which) * 257 % changed.len();
                    changed[at] ^= 1 << (which & 7);
                    w.arrives(to, changed.into());
                }
            }
            26 => w.passes(u64::from(*which) * u64::from(*which)),
            27 => {
                let length = (usize::from(*which) * 16).min(rest.len());
                let (message, behind) = rest.split_at(length);
                rest = behind;
                w.arrives(side, Bytes::copy_from_slice(message));
            }
            28 => fails(&mut w, side, *which),
            29 => asks(&mut w, side),
            30 => {
                let dialog = w.sides[side].stack.next_key();
                if let Some(action) = action(which % 18, dialog, &[]) {
                    w.feed(side, Input::Do(action));
                }
            }
            _ => w.feed(side, Input::Tick),
        }
    }
    w.ends();
}

fn calls(w: &mut World, side: usize, which: u8) {
    if w.sides[side].keys.len() >= CALLS_MAX {
        return;
    }
    let dialog = w.sides[side].stack.next_key();
    w.sides[side].keys.push(dialog);
    let mut headers = Headers::new();
    if which & 2 != 0 {
        headers.push(Name::Require, "100rel");
    }
    let flow = w.flow(side);
    let next = if which & 8 != 0 { vec![flow] } else { Vec::new() };
    let to = Target {
        uri: Uri::Sip(sip("sip:4000@192.0.2.2")),
        to: None,
        flow,
        sticky: which & 16 != 0,
        next,
        open: false,
        elsewhere: None,
        routes: Vec::new(),
    };
    let body = if which & 4 != 0 { None } else { sound("offer") };
    let from = NameAddr::new(Uri::Sip(sip("sip:ann@192.0.2.1")));
    w.feed(side, Input::Do(Action::Invite { dialog, to, from, headers, body, credentials: None }));
}

fn asks(w: &mut World, side: usize) {
    let s = &mut w.sides[side];
    s.asked += 1;
    let (ask, cseq) = (AskKey(s.asked), s.asked as u32);
    let address = NameAddr::new(Uri::Sip(sip("sip:ann@192.0.2.2")));
    let request = Box::new(Asking {
        method: Method::Options,
        uri: address.uri.clone(),
        from: address.clone(),
        to: address,
        call_id: "asked".into(),
        cseq,
        contact: None,
        headers: Headers::new(),
        flow: w.flow(side),
    });
    w.feed(side, Input::Do(Action::Ask { ask, request }));
}

/// The network says that something did not work.
fn fails(w: &mut World, side: usize, which: u8) {
    let flow = w.flow(side);
    let input = match which >> 1 & 3 {
        0 => Input::TransportFailed { flow },
        1 => Input::Closed { conn: ConnId(1) },
        _ => {
            let Some((_, bytes)) = w.wire.iter().find(|(to, _)| *to == 1 - side) else { return };
            let Ok(message) = Message::parse_datagram(bytes.clone()) else { return };
            let (Some(method), Ok(via)) = (message.method().cloned(), message.top_via()) else { return };
            Input::Undelivered { method, branch: via.branch().unwrap_or_default() }
        }
    };
    w.feed(side, input);
}
