//! Two sides back to back over a link: on each a whole [`Calls`] with an engine that answers what it is told.

use std::{collections::BTreeSet, sync::Arc};

use media::wire::{self, BridgeId, Codec, Command, Direction, LegId, OpenError, Stats};

use super::*;
use crate::{
    base::{Mono, Now, NumberPattern, Rng, TenantId, TrunkId, Wall, ms, secs},
    sip::{
        msg::{Message, Name},
        stack::{self, SipSettings},
        transport::{Flow, Transport},
    },
};

fn tenant() -> TenantId {
    TenantId::parse("demo").unwrap()
}
fn carrier() -> TrunkId {
    TrunkId::parse("carrier").unwrap()
}
fn addr(side: usize) -> std::net::SocketAddr {
    ([192, 0, 2, side as u8 + 1], 5060).into()
}

/// One side: its calls, its engine's ports, what it was told.
struct Side {
    calls: Calls,
    ports: BTreeSet<LegId>,
    /// The engine has no more ports.
    full: bool,
    /// The engine does not answer Open yet.
    slow: bool,
    opening: Vec<LegId>,
    agreed: Vec<(LegId, wire::Remote)>,
    /// Legs whose sound is listened to for digits.
    listened: BTreeSet<LegId>,
    events: Vec<Event>,
}

/// Both, and a link that is perfect but takes ten milliseconds.
struct Pair {
    now: Now,
    sides: [Side; 2],
    wire: Vec<(Mono, usize, bytes::Bytes)>,
}

impl Pair {
    fn new() -> Self {
        let side = |me: usize| {
            let sip = SipSettings {
                default_tenant: Some(tenant()),
                public_numbers: vec![(tenant(), NumberPattern::parse("*").unwrap())],
                listeners: vec![stack::Listener { transport: Transport::Udp, local: addr(me), public: None }],
                ..SipSettings::default()
            };
            let mut target = TrunkTarget::new(Transport::Udp, addr(1 - me), &addr(1 - me).ip().to_string());
            target.max_calls = Some(3);
            let settings = CallSettings {
                sip: Arc::new(sip),
                media: MediaAddrs::default(),
                trunks: [((tenant(), carrier()), target)].into(),
                groups: Default::default(),
                media_timeout: Some(secs(60)),
                ptime_ms: 20,
                phones: Default::default(),
                fingerprint: None,
            };
            Side {
                calls: Calls::new(Arc::new(settings), Rng::seeded(me as u64 + 1)),
                ports: BTreeSet::new(),
                full: false,
                slow: false,
                opening: vec![],
                agreed: vec![],
                listened: BTreeSet::new(),
                events: vec![],
            }
        };
        let now = Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) };
        Pair { now, sides: [side(0), side(1)], wire: vec![] }
    }

    fn feed(&mut self, side: usize, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let s = &mut self.sides[side];
            let mut out = Vec::new();
            s.calls.handle(self.now, input, &mut out);
            for o in out {
                match o {
                    Output::Send { flow, bytes } => {
                        assert_eq!(flow.remote, addr(1 - side));
                        self.wire.push((self.now.mono + ms(10), 1 - side, bytes));
                    }
                    Output::Media(Command::Open { leg, .. }) if s.slow => s.opening.push(leg),
                    Output::Media(Command::Open { leg, .. }) if s.full => {
                        let error = OpenError::NoPorts { lo: 1, hi: 2 };
                        inputs.push(Input::Media(wire::Event::OpenFailed { leg, error }));
                    }
                    Output::Media(Command::Open { leg, .. }) => {
                        assert!(s.ports.insert(leg), "{leg:?} opened twice");
                        let rtp_port = 10_000 + 2 * leg.0 as u16;
                        inputs.push(Input::Media(wire::Event::Opened { leg, rtp_port }));
                    }
                    Output::Media(Command::Close { leg }) => {
                        s.ports.remove(&leg);
                        s.opening.retain(|l| *l != leg);
                        inputs.push(Input::Media(wire::Event::Closed { leg, stats: Stats::default() }));
                    }
                    Output::Media(Command::Agree { leg, remote }) => s.agreed.push((leg, remote)),
                    Output::Media(Command::Detect { leg, detect }) if detect.tones => drop(s.listened.insert(leg)),
                    Output::Media(_) | Output::Play { .. } | Output::Verify { .. } => {}
                    Output::Event(e) => s.events.push(e),
                }
            }
        }
    }
    fn does(&mut self, side: usize, action: Action) {
        self.feed(side, Input::Do(action));
    }
    fn waits(&mut self, d: std::time::Duration) {
        let end = self.now.mono + d;
        loop {
            let wire = self.wire.iter().map(|(at, ..)| *at).min();
            let timers = self.sides.iter().filter_map(|s| s.calls.deadline()).min();
            let Some(at) = [wire, timers].into_iter().flatten().min().filter(|at| *at <= end) else { break };
            self.now = self.now.later(at.since(self.now.mono));
            if wire == Some(at) {
                let i = self.wire.iter().position(|(t, ..)| *t == at).unwrap();
                let (_, side, bytes) = self.wire.remove(i);
                let source = Flow::udp(addr(side), addr(1 - side));
                let message = Message::parse_datagram(bytes);
                self.feed(side, Input::Sip(stack::Input::Received { message, source }));
            } else {
                self.feed(0, Input::Tick);
                self.feed(1, Input::Tick);
            }
        }
        self.now = self.now.later(end.since(self.now.mono));
    }
    fn dials(&mut self) -> LegId {
        let leg = self.sides[0].calls.next_leg();
        let (tenant, trunk) = (tenant(), carrier());
        let wish = trunk::Wish {
            tenant: &tenant,
            agent: None,
            source: "",
            diverted: None,
            trunk: &trunk,
            number: "4000",
            country: None,
            national: None,
            open: true,
        };
        let permit = self.sides[0].calls.permit(self.now, &trunk::Toll::default(), wish);
        let to = Endpoint::Trunk(permit.expect("nothing is closed"));
        let caller = Party { number: "+861".into(), display: Some("Ann".into()) };
        self.does(0, Action::Ring { leg, to, caller, headers: vec![], ring_for: secs(20), like: None });
        leg
    }
    fn arrived(&self) -> LegId {
        let leg = self.sides[1].events.iter().rev().find_map(|e| match e {
            Event::Arrived(a) => Some(a.leg),
            _ => None,
        });
        leg.expect("a call arrived")
    }
    /// Calls and answers; both legs.
    fn talks(&mut self) -> (LegId, LegId) {
        let ours = self.dials();
        self.waits(ms(50));
        let theirs = self.arrived();
        self.does(1, Action::Progress { leg: theirs });
        self.does(1, Action::Answer { leg: theirs });
        self.waits(ms(100));
        (ours, theirs)
    }
    fn ends(&self, side: usize) -> Vec<(LegId, Cause, By)> {
        let ended = |e: &Event| match e {
            Event::Ended { leg, cause, by, .. } => Some((*leg, *cause, *by)),
            _ => None,
        };
        self.sides[side].events.iter().filter_map(ended).collect()
    }
    fn has(&self, side: usize, f: impl Fn(&Event) -> bool) -> bool {
        self.sides[side].events.iter().any(f)
    }
    /// In the end nothing is left of anything, on either side.
    fn nothing_is_left(&mut self) {
        self.waits(secs(300));
        for (i, s) in self.sides.iter().enumerate() {
            assert!(s.calls.is_empty() && s.ports.is_empty() && s.opening.is_empty(), "side {i}");
            let c = s.calls.counters();
            assert_eq!((c.transactions, c.dialogs), (0, 0), "side {i}");
        }
    }
}

#[test]
fn a_call_is_rung_answered_and_hung_up_from_either_side() {
    for who in 0..2 {
        let mut p = Pair::new();
        let (ours, theirs) = p.talks();
        assert!(p.has(0, |e| matches!(e, Event::Ringing { leg } if *leg == ours)));
        assert!(p.has(0, |e| matches!(e, Event::Answered { leg } if *leg == ours)));
        assert!(p.has(1, |e| matches!(e, Event::Answered { leg } if *leg == theirs)));
        assert!(p.has(1, |e| matches!(e, Event::Dialog { leg, .. } if *leg == theirs)));
        let remote = &p.sides[0].agreed[0].1;
        assert_eq!((remote.codec, remote.rtp), (Codec::Pcma, (addr(1).ip(), 10_000 + 2 * theirs.0 as u16).into()));
        p.does(who, Action::Hangup { leg: [ours, theirs][who], cause: Cause::Normal });
        p.waits(ms(100));
        assert_eq!(p.ends(who), [([ours, theirs][who], Cause::Normal, By::Us)]);
        assert_eq!(p.ends(1 - who), [([theirs, ours][who], Cause::Normal, By::Peer)]);
        p.nothing_is_left();
    }
}

#[test]
fn hanging_up_at_any_moment_on_either_side_ends_each_leg_once_and_frees_all() {
    // From before the INVITE has arrived until long after the talk began, in steps that fall between every two messages.
    for at in 0..30 {
        for who in 0..2 {
            let mut p = Pair::new();
            let ours = p.dials();
            let (mut theirs, mut hung_up) = (None, false);
            for step in 0..40 {
                if step == 8 || step == 14 {
                    theirs = Some(p.arrived()).filter(|l| p.sides[1].calls.has(*l));
                    if let Some(leg) = theirs {
                        p.does(1, if step == 8 { Action::Progress { leg } } else { Action::Answer { leg } });
                    }
                }
                let leg = if who == 0 { Some(ours) } else { theirs };
                if let Some(leg) = leg.filter(|_| step >= at && !hung_up) {
                    hung_up = true;
                    p.does(who, Action::Hangup { leg, cause: Cause::Normal });
                }
                p.waits(ms(5));
            }
            p.nothing_is_left();
            assert_eq!(p.ends(0).len(), 1, "caller, {who} at {at}");
            let arrivals = p.sides[1].events.iter().filter(|e| matches!(e, Event::Arrived(_))).count();
            assert_eq!(p.ends(1).len(), arrivals, "callee, {who} at {at}");
        }
    }
}

#[test]
fn hanging_up_while_the_engine_still_looks_for_a_port_sends_nothing_late() {
    let mut p = Pair::new();
    p.sides[0].slow = true;
    let leg = p.dials();
    p.does(0, Action::Hangup { leg, cause: Cause::CallerGaveUp });
    p.feed(0, Input::Media(wire::Event::Opened { leg, rtp_port: 10_000 }));
    assert!(p.wire.is_empty());
    assert_eq!(p.ends(0), [(leg, Cause::CallerGaveUp, By::Us)]);
    p.nothing_is_left();
}

#[test]
fn without_a_port_the_caller_hears_503_and_with_no_answer_the_ringing_stops() {
    let mut p = Pair::new();
    let ours = p.dials();
    p.waits(ms(50));
    p.sides[1].full = true;
    let leg = p.arrived();
    p.does(1, Action::Answer { leg });
    p.waits(ms(100));
    assert_eq!(p.ends(0), [(ours, Cause::Congestion, By::Peer)]);
    p.nothing_is_left();
    let mut p = Pair::new();
    let ours = p.dials();
    p.waits(secs(21));
    assert_eq!(p.ends(0), [(ours, Cause::NoAnswer, By::Us)]);
    assert_eq!(p.ends(1).len(), 1);
    assert_eq!(p.ends(1)[0].1, Cause::CallerGaveUp);
    p.nothing_is_left();
}

#[test]
fn a_refusal_keeps_its_cause_and_a_full_trunk_is_congestion_at_once() {
    let mut p = Pair::new();
    let ours = p.dials();
    p.waits(ms(50));
    let leg = p.arrived();
    p.does(1, Action::Reject { leg, cause: Cause::Busy });
    p.waits(ms(100));
    assert_eq!(p.ends(0), [(ours, Cause::Busy, By::Peer)]);
    let legs: Vec<_> = (0..4).map(|_| p.dials()).collect();
    assert_eq!(p.ends(0)[1..], [(legs[3], Cause::Congestion, By::Network)]);
    p.waits(secs(30));
    p.nothing_is_left();
}

#[test]
fn hold_is_heard_by_the_other_side_and_a_change_of_mind_is_not_lost() {
    let mut p = Pair::new();
    let (ours, theirs) = p.talks();
    p.does(0, Action::Hold { leg: ours, on: true });
    p.waits(ms(200));
    assert!(p.has(1, |e| matches!(e, Event::Held { leg, on: true } if *leg == theirs)));
    assert_eq!(p.sides[0].agreed.last().unwrap().1.direction, Direction::SendOnly);
    // Nobody on hold has to make a sound.
    p.feed(1, Input::Media(wire::Event::Silent { leg: theirs }));
    assert!(!p.has(1, |e| matches!(e, Event::Silent { .. })));
    for on in [false, true, false] {
        p.does(0, Action::Hold { leg: ours, on });
    }
    p.waits(secs(1));
    assert!(matches!(p.sides[1].events.iter().rfind(|e| matches!(e, Event::Held { .. })), Some(Event::Held { on: false, .. })));
    assert_eq!(p.sides[0].agreed.last().unwrap().1.direction, Direction::SendRecv);
    p.does(1, Action::Hangup { leg: theirs, cause: Cause::Normal });
    p.nothing_is_left();
}

#[test]
fn a_phone_that_goes_to_another_network_in_the_call_is_heard_from_there() {
    let mut p = Pair::new();
    let (ours, theirs) = p.talks();
    p.does(0, Action::Hold { leg: ours, on: true });
    let (_, _, offer) = p.wire.pop().unwrap();
    // Behind another router now, which changes no byte but the address below.
    let text = String::from_utf8(offer.to_vec()).unwrap().replace("c=IN IP4 192.0.2.1", "c=IN IP4 10.0.0.10");
    let source = Flow::udp(addr(1), ([203, 0, 113, 77], 40_000).into());
    let message = Message::parse_datagram(text.replace("Content-Length", "X-Length").into());
    let mut out = Vec::new();
    p.sides[1].calls.handle(p.now, Input::Sip(stack::Input::Received { message, source }), &mut out);
    let agreed = out.iter().find_map(|o| match o {
        Output::Media(Command::Agree { leg, remote }) if *leg == theirs => Some(remote),
        _ => None,
    });
    assert_eq!(agreed.expect("the new place is agreed").nat, Some(source.remote.ip()));
}

#[test]
fn two_holds_that_cross_both_come_through_in_the_end() {
    let mut p = Pair::new();
    let (ours, theirs) = p.talks();
    p.does(0, Action::Hold { leg: ours, on: true });
    p.does(1, Action::Hold { leg: theirs, on: true });
    p.waits(secs(10));
    p.does(0, Action::Bridge { bridge: BridgeId(1), legs: vec![ours] });
    p.does(0, Action::Hangup { leg: ours, cause: Cause::Normal });
    p.waits(secs(1));
    assert_eq!((p.ends(0).len(), p.ends(1).len()), (1, 1));
    p.nothing_is_left();
}

#[test]
fn an_engine_that_gives_a_leg_up_ends_the_call() {
    let mut p = Pair::new();
    let (ours, theirs) = p.talks();
    p.sides[0].ports.remove(&ours);
    p.feed(0, Input::Media(wire::Event::Closed { leg: ours, stats: Stats::default() }));
    p.waits(ms(100));
    assert_eq!(p.ends(0), [(ours, Cause::Internal, By::Us)]);
    assert_eq!(p.ends(1)[0].0, theirs);
    p.nothing_is_left();
}

/// Somebody at side 0 who writes their own messages calls side 1 with this description, is answered, and acknowledges.
fn strange_call(p: &mut Pair, sdp: &str) -> (LegId, Option<Message>) {
    let sdp = format!("v=0|o=- 1 1 IN IP4 192.0.2.1|s=-|c=IN IP4 192.0.2.1|t=0 0|{sdp}").replace('|', "\r\n");
    let say = |p: &mut Pair, method: &str, tag: &str, body: &str| {
        let text = format!(
            "{method} sip:4000@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}\r\n\
             From: <sip:b@192.0.2.1>;tag=f\r\nTo: <sip:4000@192.0.2.2>{tag}\r\nCall-ID: strange\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:b@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let message = Message::parse_datagram(text.into());
        p.feed(1, Input::Sip(stack::Input::Received { message, source: Flow::udp(addr(1), addr(0)) }));
    };
    say(p, "INVITE", "", &sdp);
    let leg = p.arrived();
    p.wire.clear();
    p.does(1, Action::Answer { leg });
    let reply = p.wire.last().and_then(|(_, _, b)| Message::parse_datagram(b.clone()).ok());
    if let Some(tag) = reply.as_ref().filter(|r| r.code() == Some(200)).and_then(Message::to_tag) {
        let tag = format!(";tag={tag}");
        say(p, "ACK", &tag, "");
    }
    (leg, reply)
}

#[test]
fn a_browser_is_refused_in_words_where_there_is_no_certificate_for_it() {
    let offer = format!(
        "m=audio 4000 UDP/TLS/RTP/SAVPF 0|a=rtcp-mux|a=ice-ufrag:abcd|a=ice-pwd:0123456789abcdef012345|a=setup:actpass|\
         a=fingerprint:sha-256 {}|",
        ["AB"; 32].join(":")
    );
    let mut p = Pair::new();
    let (_, reply) = strange_call(&mut p, &offer);
    let reply = reply.unwrap();
    assert_eq!(reply.code(), Some(488));
    let warning = reply.headers.get(&Name::Warning).unwrap();
    assert!(warning.starts_with("399 ringdesk ") && warning.contains("no certificate"), "{warning}");

    let mut p = Pair::new();
    let mut settings = (*p.sides[1].calls.settings).clone();
    settings.fingerprint = Some([9; 32]);
    p.sides[1].calls.settings(Arc::new(settings));
    let (leg, reply) = strange_call(&mut p, &offer);
    assert_eq!(reply.unwrap().code(), Some(200));
    assert!(p.has(1, |e| matches!(e, Event::Answered { leg: l } if *l == leg)));
    // The handshake fails: somebody else sits there. Nothing flows, and the call is over.
    p.feed(1, Input::Media(wire::Event::Unsecured { leg, reason: "another certificate" }));
    assert_eq!(p.ends(1), [(leg, Cause::Internal, By::Us)]);
}

#[test]
fn digits_are_looked_for_in_the_sound_of_a_phone_that_has_no_events_or_is_said_to_use_none() {
    let listened = |sdp: &str, dtmf: Dtmf| {
        let mut p = Pair::new();
        let mut settings = (*p.sides[1].calls.settings).clone();
        settings
            .phones
            .insert(tenant(), PhonePolicies { all: MediaPolicy { dtmf, ..Default::default() }, ..Default::default() });
        p.sides[1].calls.settings(Arc::new(settings));
        let (leg, _) = strange_call(&mut p, sdp);
        (p.sides[1].listened.contains(&leg), p.sides[1].agreed[0].1.dtmf_pt.is_some())
    };
    let (with, without) = ("m=audio 4000 RTP/AVP 0 101|a=rtpmap:101 telephone-event/8000|", "m=audio 4000 RTP/AVP 0|");
    assert_eq!(listened(with, Dtmf::Rfc4733), (false, true));
    assert_eq!(listened(without, Dtmf::Rfc4733), (true, false));
    assert_eq!(listened(with, Dtmf::Inband), (true, false));
    assert_eq!(listened(with, Dtmf::Info), (false, false));
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_the_answer_comes_with_the_ack() {
    let mut p = Pair::new();
    let lines = |l: &[&str]| bytes::Bytes::from(l.join("\r\n"));
    let source = Flow::udp(addr(1), addr(0));
    let say = |p: &mut Pair, text: bytes::Bytes| {
        let message = Message::parse_datagram(text);
        p.feed(1, Input::Sip(stack::Input::Received { message, source }));
    };
    let head = |first: &str, branch: &str, cseq: &str, tag: &str| {
        format!(
            "{first} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{branch}\r\nFrom: <sip:b@192.0.2.1>;tag=f\r\n\
             To: <sip:4000@192.0.2.2>{tag}\r\nCall-ID: late\r\nCSeq: {cseq}\r\nContact: <sip:b@192.0.2.1>"
        )
    };
    say(&mut p, lines(&[&head("INVITE sip:4000@192.0.2.2", "a", "1 INVITE", ""), "", ""]));
    let leg = p.arrived();
    p.does(1, Action::Answer { leg });
    let ok = Message::parse_datagram(p.wire.last().unwrap().2.clone()).unwrap();
    assert!(ok.has_sdp());
    let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let tag = format!(";tag={}", ok.to_tag().unwrap());
    let ack = head("ACK sip:4000@192.0.2.2", "b", "1 ACK", &tag);
    let length = format!("Content-Length: {}", sdp.len());
    p.wire.clear();
    say(&mut p, lines(&[&ack, "Content-Type: application/sdp", &length, "", sdp]));
    assert!(p.has(1, |e| matches!(e, Event::Answered { leg: l } if *l == leg)));
    assert_eq!(p.sides[1].agreed.last().unwrap().1.codec, Codec::Pcmu);
    p.wire.clear();
    p.does(1, Action::Hangup { leg, cause: Cause::Normal });
    p.wire.clear();
    assert_eq!(p.ends(1), [(leg, Cause::Normal, By::Us)]);
}

#[test]
fn keys_go_one_by_one_in_info_where_the_peer_reads_them_there() {
    let mut p = Pair::new();
    let mut settings = CallSettings::clone(&p.sides[0].calls.settings);
    for t in settings.trunks.values_mut() {
        t.media.dtmf = Dtmf::Info;
    }
    p.sides[0].calls.settings(Arc::new(settings));
    let (ours, theirs) = p.talks();
    p.does(0, Action::SendDtmf { leg: ours, digits: "12".into() });
    p.does(0, Action::SendDtmf { leg: ours, digits: "#x3".into() });
    p.waits(secs(1));
    let told = |e: &Event| match e {
        Event::Digit { leg, digit } if *leg == theirs => Some(*digit),
        _ => None,
    };
    assert_eq!(p.sides[1].events.iter().filter_map(told).collect::<String>(), "12#3");
    assert_eq!(p.sides[0].events.iter().filter(|e| matches!(e, Event::DtmfSent { .. })).count(), 1);
    p.does(0, Action::Hangup { leg: ours, cause: Cause::Normal });
    p.nothing_is_left();
}
