//! The rules one by one, with a phone made of strings.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::{
    base::{NumberPattern, TrunkId, Wall, ms, redact::Secret, secs},
    sip::{
        auth::{Algorithm, Credentials, Ha1, digest::Proof},
        msg::{AuthHeader, Headers, Message, Name, NameAddr, Uri},
        registrar::EXPIRES_MAX_S,
        transport::Flow,
    },
};

mod bodies;
mod gate;
mod login;
mod next;
mod outbound;
mod own;
mod shed;

/// One stack, and a phone that writes its messages by hand.
pub(super) struct Bench {
    pub(super) stack: Stack,
    now: Now,
    pub(super) sent: Vec<Message>,
    pub(super) events: Vec<Event>,
    pub(super) from: std::net::SocketAddr,
}

const PHONE: ([u8; 4], u16) = ([203, 0, 113, 7], 5070);

fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

impl Bench {
    pub(super) fn new() -> Self {
        let settings = SipSettings {
            domains: [("shop.example".to_owned(), demo())].into(),
            default_tenant: Some(demo()),
            realms: [(demo(), "shop.example".to_owned())].into(),
            users: [
                ((demo(), "anna".to_owned()), Ha1::new("anna", "shop.example", "pw")),
                ((demo(), "ben".to_owned()), Ha1::new("ben", "shop.example", "pw2")),
            ]
            .into(),
            trunks: vec![TrunkPeer {
                id: TrunkId::parse("carrier").unwrap(),
                tenant: demo(),
                addresses: vec![("198.51.100.0/29".parse().unwrap(), None)],
                deny: vec!["198.51.100.4".parse().unwrap()],
                login: None,
            }],
            public_numbers: vec![(demo(), NumberPattern::parse("4000").unwrap())],
            user_agent: "ringdesk".into(),
            strong_digest: true,
            ..SipSettings::default()
        };
        Bench {
            stack: Stack::new(Arc::new(settings), Rng::seeded(5), Timers::default()),
            now: Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) },
            sent: vec![],
            events: vec![],
            from: PHONE.into(),
        }
    }
    pub(super) fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        self.stack.handle(self.now, input, &mut out);
        self.sent.clear();
        for o in out {
            match o {
                Output::Send { bytes, .. } => self.sent.push(Message::parse_datagram(bytes).unwrap()),
                Output::Event(e) => self.events.push(e),
            }
        }
    }
    pub(super) fn says(&mut self, text: &str) -> Vec<u16> {
        let source = Flow::udp(([192, 0, 2, 1], 5060).into(), self.from);
        let message = Message::parse_datagram(Bytes::from(text.replace('\n', "\r\n")));
        self.input(Input::Received { message, source });
        self.codes()
    }
    pub(super) fn codes(&self) -> Vec<u16> {
        self.sent.iter().filter_map(Message::code).collect()
    }
    pub(super) fn does(&mut self, action: Action) {
        self.input(Input::Do(action));
    }
    pub(super) fn waits(&mut self, d: std::time::Duration) {
        self.now = self.now.later(d);
        self.input(Input::Tick);
    }
    pub(super) fn respond(&mut self, dialog: DialogKey, code: u16) {
        let body = (code == 200).then(|| ("application/sdp".to_owned(), Bytes::from_static(b"answer")));
        self.does(Action::Respond { dialog, code, reason: String::new(), headers: Headers::new(), body });
    }
    pub(super) fn incoming(&mut self) -> (DialogKey, Who) {
        match self.events.pop() {
            Some(Event::Incoming { dialog, who, .. }) => (dialog, who),
            other => panic!("expected a call, got {other:?}"),
        }
    }
    pub(super) fn tag(&self) -> String {
        self.sent.iter().rev().find_map(Message::to_tag).unwrap()
    }
}

/// `more`: header lines; a first line `tag=x` is the To tag.
pub(super) fn request(method: &str, uri: &str, branch: &str, cseq: u32, more: &str) -> String {
    let (tag, more) = match more.strip_prefix("tag=").map(|t| t.split_once('\n').unwrap_or((t, ""))) {
        Some((tag, more)) => (format!(";tag={tag}"), more),
        None => (String::new(), more),
    };
    let more = if more.is_empty() { String::new() } else { format!("{more}\n") };
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK{branch}\nMax-Forwards: 70\n\
         From: <sip:ann@10.0.0.9>;tag=caller\nTo: <{uri}>{tag}\nCall-ID: call-1\nCSeq: {cseq} {method}\n\
         Contact: <sip:ann@10.0.0.9:5060>\n{more}Content-Length: 0\n\n"
    )
}

fn invite(branch: &str, cseq: u32) -> String {
    request("INVITE", "sip:4000@shop.example", branch, cseq, "")
}

fn answer_to(
    challenge: &Message,
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
    algorithm: Algorithm,
    nc: u32,
) -> String {
    let values: Vec<_> = challenge.headers.all(&Name::WwwAuthenticate).map(|v| AuthHeader::of_digest(&v).unwrap()).collect();
    let p = values.iter().find(|p| Algorithm::parse(p.get("algorithm").as_deref()) == Some(algorithm)).unwrap();
    let (nc, nonce) = (format!("{nc:08x}"), p.get("nonce").unwrap());
    let proof = Proof { algorithm, method, uri, nonce: &nonce, auth: Some((&nc, "abc")) };
    let response = proof.response(Ha1::new(user, "shop.example", password).of(algorithm));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"shop.example\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm={}, qop=auth, nc={nc}, cnonce=\"abc\"",
        proof.nonce,
        algorithm.as_str()
    )
}

fn register(branch: &str, cseq: u32, user: &str, more: &str) -> String {
    format!(
        "REGISTER sip:shop.example SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK{branch}\n\
         From: <sip:{user}@shop.example>;tag=r\nTo: <sip:{user}@shop.example>\nCall-ID: reg\nCSeq: {cseq} REGISTER\n\
         Contact: <sip:{user}@10.0.0.9:5060>;expires=600\n{more}Content-Length: 0\n\n"
    )
}

#[test]
fn a_stranger_calls_a_public_number_talks_and_hangs_up() {
    let mut b = Bench::new();
    assert_eq!(b.says(&invite("1", 1)), [100]);
    let (call, who) = b.incoming();
    assert_eq!(who, Who::Stranger);
    assert_eq!(b.says(&invite("1", 1)), [100], "a repeated INVITE gets the last provisional again");
    b.respond(call, 180);
    b.respond(call, 200);
    assert_eq!(b.codes(), [200]);
    let ok = b.sent[0].clone();
    assert!(ok.contact().is_ok() && ok.headers.has(&Name::Allow));
    assert_eq!(ok.top_via().unwrap().received().unwrap().to_string(), "203.0.113.7");
    let tag = b.tag();
    b.waits(ms(500));
    assert_eq!(b.codes(), [200], "nobody acknowledged, so it is said again");
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 1, &format!("tag={tag}")));
    assert!(matches!(b.events.pop(), Some(Event::Acked { .. })));
    assert_eq!(
        b.says(&request("BYE", "sip:4000@shop.example", "bye", 2, &format!("tag={tag}\nReason: Q.850;cause=16"))),
        [200]
    );
    match b.events.pop() {
        Some(Event::Ended { by: EndedBy::Remote, reason: Some(r), .. }) => assert_eq!(r, "Q.850;cause=16"),
        other => panic!("{other:?}"),
    }
    assert_eq!(b.says(&request("BYE", "sip:4000@shop.example", "bye2", 3, &format!("tag={tag}"))), [481]);
}

#[test]
fn a_2xx_nobody_acknowledges_ends_in_a_bye_after_32_seconds() {
    let mut b = Bench::new();
    b.says(&invite("1", 1));
    let (call, _) = b.incoming();
    b.respond(call, 200);
    for _ in 0..33 {
        b.waits(secs(1));
        if !b.events.is_empty() {
            break;
        }
    }
    assert!(matches!(b.events.pop(), Some(Event::Ended { by: EndedBy::Timeout, .. })));
    let bye = b.sent.iter().find(|m| m.method() == Some(&crate::sip::msg::Method::Bye)).expect("a BYE");
    assert_eq!(bye.uri().unwrap().to_string(), "sip:ann@10.0.0.9:5060");
}

#[test]
fn hanging_up_before_the_ack_waits_with_the_bye_until_it_comes() {
    let mut b = Bench::new();
    b.says(&invite("1", 1));
    let (call, _) = b.incoming();
    b.respond(call, 200);
    let tag = b.tag();
    b.does(Action::Bye { dialog: call, headers: Headers::new() });
    assert!(b.sent.is_empty(), "RFC 3261 15: not before the ACK");
    assert!(matches!(b.events.pop(), Some(Event::Ended { by: EndedBy::Local, .. })));
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 1, &format!("tag={tag}")));
    assert_eq!(b.sent.len(), 1);
    assert!(b.events.is_empty());
}

#[test]
fn a_cancel_before_the_answer_ends_the_call_and_after_it_changes_nothing() {
    let mut b = Bench::new();
    b.says(&invite("1", 1));
    let (_, _) = b.incoming();
    let cancel = request("CANCEL", "sip:4000@shop.example", "1", 1, "");
    assert_eq!(b.says(&cancel), [200, 487]);
    assert!(matches!(b.events.pop(), Some(Event::Cancelled { .. })));
    let mut b = Bench::new();
    b.says(&invite("1", 1));
    let (call, _) = b.incoming();
    b.respond(call, 200);
    assert_eq!(b.says(&cancel), [200]);
    assert!(b.events.is_empty());
    assert_eq!(Bench::new().says(&cancel), [481]);
}

#[test]
fn only_public_numbers_are_reached_without_credentials_and_nobody_learns_who_exists() {
    let mut b = Bench::new();
    for (i, target) in ["anna", "nobody", "0013125550100"].iter().enumerate() {
        let uri = format!("sip:{target}@shop.example");
        assert_eq!(b.says(&request("INVITE", &uri, &format!("x{i}"), 1 + i as u32, "")), [401], "{target}");
        let offered: Vec<_> = b.sent[0].headers.all(&Name::WwwAuthenticate).map(|v| v.into_owned()).collect();
        assert!(offered[0].contains("SHA-256") && offered[1].contains("MD5"));
    }
    // Somebody who claims to be one of us is asked for proof, known or not, also for a public number.
    for (i, user) in ["anna", "nobody"].iter().enumerate() {
        let claim =
            invite(&format!("y{i}"), 20 + i as u32).replace("sip:ann@10.0.0.9>;tag", &format!("sip:{user}@shop.example>;tag"));
        assert_eq!(b.says(&claim), [401]);
    }
    assert!(b.events.is_empty());
    b.from = ([198, 51, 100, 1], 5060).into();
    assert_eq!(b.says(&request("INVITE", "sip:anything@shop.example", "t", 40, "")), [100]);
    assert_eq!(b.incoming().1, Who::Trunk(TrunkId::parse("carrier").unwrap()));
}

#[test]
fn a_phone_registers_with_either_hash_and_is_called_back_where_it_came_from() {
    let mut b = Bench::new();
    for (i, algorithm) in [Algorithm::Md5, Algorithm::Sha256].into_iter().enumerate() {
        let n = 10 * (i as u32 + 1);
        assert_eq!(b.says(&register(&format!("a{i}"), n, "anna", "")), [401]);
        let challenge = b.sent[0].clone();
        let good = answer_to(&challenge, "anna", "pw", "REGISTER", "sip:shop.example", algorithm, 1);
        assert_eq!(b.says(&register(&format!("b{i}"), n + 1, "anna", &format!("{good}\n"))), [200]);
        assert_eq!(b.sent[0].contact().unwrap().expires(), Some(EXPIRES_MAX_S));
        // The same words again, on another transaction: heard before.
        assert_eq!(b.says(&register(&format!("c{i}"), n + 2, "anna", &format!("{good}\n"))), [401]);
        assert!(b.sent[0].headers.get(&Name::WwwAuthenticate).unwrap().contains("stale=true"));
    }
    let binding = &b.stack.bindings(&demo(), "anna")[0];
    assert_eq!(binding.flow.remote, std::net::SocketAddr::from(PHONE));
    assert!(matches!(b.events[..], [Event::Registered { contacts: 1, .. }]));
    b.waits(secs(u64::from(EXPIRES_MAX_S) + 1));
    assert!(matches!(b.events.last(), Some(Event::Unregistered { .. })));
}

#[test]
fn nobody_registers_or_calls_as_somebody_else() {
    let mut b = Bench::new();
    b.says(&register("a", 1, "ben", ""));
    let challenge = b.sent[0].clone();
    let as_anna = answer_to(&challenge, "anna", "pw", "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
    assert_eq!(b.says(&register("b", 2, "ben", &format!("{as_anna}\n"))), [403]);
    let wrong = answer_to(&challenge, "ben", "guess", "REGISTER", "sip:shop.example", Algorithm::Md5, 2);
    assert_eq!(b.says(&register("c", 3, "ben", &format!("{wrong}\n"))), [401]);
    let call = answer_to(&challenge, "anna", "pw", "INVITE", "sip:4000@shop.example", Algorithm::Md5, 3);
    let as_ben = request("INVITE", "sip:4000@shop.example", "d", 4, &call)
        .replace("<sip:ann@10.0.0.9>;tag", "<sip:ben@shop.example>;tag");
    assert_eq!(b.says(&as_ben), [403]);
    let call = answer_to(&challenge, "anna", "pw", "INVITE", "sip:4000@shop.example", Algorithm::Md5, 4);
    let as_anna = request("INVITE", "sip:4000@shop.example", "e", 5, &call)
        .replace("<sip:ann@10.0.0.9>;tag", "<sip:anna@shop.example>;tag");
    assert_eq!(b.says(&as_anna), [100]);
    assert_eq!(b.incoming().1, Who::User { tenant: demo(), user: "anna".into() });
    assert!(b.stack.bindings(&demo(), "ben").is_empty());
}

#[test]
fn what_we_do_not_do_is_said_politely() {
    let mut b = Bench::new();
    let to = "sip:4000@shop.example";
    assert_eq!(b.says(&request("PUBLISH", to, "1", 1, "")), [405]);
    assert!(b.sent[0].headers.has(&Name::Allow));
    assert_eq!(b.says(&request("FROBNICATE", to, "2", 2, "")), [501]);
    assert_eq!(b.says(&request("INVITE", to, "3", 3, "Require: 100rel, foo")), [420]);
    assert_eq!(b.sent[0].headers.get(&Name::Unsupported).unwrap(), "foo");
    assert_eq!(b.says(&request("INVITE", "mailto:a@b", "4", 4, "")), [416]);
    assert_eq!(b.says(&request("INFO", to, "5", 5, "tag=nobody")), [481]);
    assert_eq!(b.says(&request("INVITE", to, "6", 6, "Accept: text/plain")), [406]);
    // All of it is said to whom we know: nobody can be meant by it who did not ask.
    let stranger = std::mem::replace(&mut b.from, ([198, 51, 100, 1], 5060).into());
    assert_eq!(b.says(&request("OPTIONS", to, "7", 7, "")), [200]);
    for name in [Name::Allow, Name::Accept, Name::Supported] {
        assert!(b.sent[0].headers.has(&name));
    }
    b.from = stranger;
    // The same request by two ways through the network.
    assert_eq!(b.says(&invite("8", 8)), [100]);
    assert_eq!(b.says(&invite("9", 8)), [482]);
}

#[test]
fn two_offers_that_cross_are_both_refused_and_ours_is_tried_again_later() {
    let mut b = Bench::new();
    b.says(&invite("1", 1));
    let (call, _) = b.incoming();
    b.respond(call, 200);
    let tag = b.tag();
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 1, &format!("tag={tag}")));
    b.events.clear();
    let offer = || ("application/sdp".to_owned(), Bytes::from_static(b"hold"));
    b.does(Action::Reinvite { dialog: call, body: offer() });
    let ours = b.sent[0].clone();
    let theirs = request("INVITE", "sip:4000@shop.example", "re", 2, &format!("tag={tag}"));
    assert_eq!(b.says(&theirs), [491]);
    let mut no = Message::response_to(&ours, 491, "");
    no.set_to_tag("caller");
    b.says(&String::from_utf8(no.write().to_vec()).unwrap().replace("\r\n", "\n"));
    assert!(b.events.is_empty());
    b.waits(ms(2_000));
    let again: Vec<_> = b.sent.iter().filter(|m| m.is_request()).collect();
    assert_eq!(again.len(), 1, "the callee waits up to two seconds");
    assert_eq!(again[0].cseq().unwrap().number, ours.cseq().unwrap().number + 1);
    assert_eq!(&again[0].body[..], b"hold");
}

#[test]
fn a_key_pressed_by_info_is_heard_and_an_old_number_is_refused() {
    let mut b = Bench::new();
    b.says(&invite("1", 5));
    let (call, _) = b.incoming();
    b.respond(call, 200);
    let tag = b.tag();
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 5, &format!("tag={tag}")));
    let info = request("INFO", "sip:4000@shop.example", "i", 6, &format!("tag={tag}\nContent-Type: application/dtmf-relay"))
        .replace("Content-Length: 0\n\n", "Content-Length: 24\n\nSignal= 5\nDuration= 160\n");
    assert_eq!(b.says(&info), [200]);
    assert!(matches!(b.events.pop(), Some(Event::InfoDtmf { digit: '5', .. })));
    assert_eq!(b.says(&info), [200], "a repeat is answered from memory");
    assert!(!matches!(b.events.last(), Some(Event::InfoDtmf { .. })), "and heard once");
    assert_eq!(b.says(&request("OPTIONS", "sip:4000@shop.example", "o", 4, &format!("tag={tag}"))), [500]);
}

/// Calls out and returns the key and the INVITE.
fn dials(b: &mut Bench, credentials: Option<Credentials>) -> (DialogKey, Message) {
    let dialog = b.stack.next_key();
    let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), PHONE.into());
    let to = Target {
        uri: Uri::parse("sip:0123@203.0.113.7:5070").unwrap(),
        to: None,
        flow,
        sticky: false,
        next: vec![],
        routes: vec![],
        open: false,
        elsewhere: None,
    };
    let from = NameAddr::new(Uri::parse("sip:shop@192.0.2.1").unwrap());
    let body = Some(("application/sdp".to_owned(), Bytes::from_static(b"offer")));
    b.does(Action::Invite { dialog, to, from, headers: Headers::new(), body, credentials });
    (dialog, b.sent[0].clone())
}

fn answer(b: &mut Bench, invite: &Message, code: u16, tag: &str, more: &[(Name, &str)]) -> Vec<Message> {
    let mut m = Message::response_to(invite, code, "");
    m.set_to_tag(tag);
    m.headers.push(Name::Contact, "<sip:0123@203.0.113.7:5070>");
    for (n, v) in more {
        m.headers.push(n.clone(), v);
    }
    let text = String::from_utf8(m.write().to_vec()).unwrap().replace("\r\n", "\n");
    b.says(&text);
    b.sent.clone()
}

fn methods(sent: &[Message]) -> Vec<&str> {
    sent.iter().filter_map(|m| m.method().map(|m| m.as_str())).collect()
}

#[test]
fn a_forked_call_keeps_the_first_answer_and_hangs_up_on_the_second() {
    let mut b = Bench::new();
    let (call, invite) = dials(&mut b, None);
    assert!(answer(&mut b, &invite, 180, "one", &[]).is_empty());
    assert!(matches!(b.events.pop(), Some(Event::Progress { code: 180, .. })));
    assert_eq!(methods(&answer(&mut b, &invite, 200, "one", &[])), ["ACK"]);
    assert!(matches!(b.events.pop(), Some(Event::Answered { .. })));
    assert_eq!(methods(&answer(&mut b, &invite, 200, "one", &[])), ["ACK"], "a repeated 2xx is acknowledged again");
    let other = answer(&mut b, &invite, 200, "two", &[]);
    assert_eq!(methods(&other), ["ACK", "BYE"]);
    assert_eq!(other[1].to_tag().as_deref(), Some("two"));
    assert_eq!(methods(&answer(&mut b, &invite, 200, "two", &[])), ["ACK"]);
    assert!(b.events.is_empty());
    b.does(Action::Bye { dialog: call, headers: Headers::new() });
    assert_eq!(b.sent[0].to_tag().as_deref(), Some("one"));
}

#[test]
fn a_cancel_waits_for_the_first_provisional_and_a_crossing_answer_is_hung_up_on() {
    let mut b = Bench::new();
    let (call, invite) = dials(&mut b, None);
    b.does(Action::Cancel { dialog: call, headers: Headers::new() });
    assert!(b.sent.is_empty(), "9.1: nothing to cancel yet");
    assert!(matches!(b.events.pop(), Some(Event::Ended { by: EndedBy::Local, .. })));
    let sent = answer(&mut b, &invite, 100, "", &[]);
    assert_eq!(methods(&sent), ["CANCEL"]);
    assert_eq!(sent[0].top_via().unwrap().branch(), invite.top_via().unwrap().branch());
    assert_eq!(methods(&answer(&mut b, &invite, 200, "one", &[])), ["ACK", "BYE"]);
    assert!(b.events.is_empty());
}

#[test]
fn a_trunk_that_asks_gets_our_credentials_once_and_a_foreign_realm_gets_none() {
    let ours = || {
        Some(Credentials { realm: "carrier.example".into(), user: "shop".into(), password: Secret::new("pw"), hosts: vec![] })
    };
    let mut b = Bench::new();
    let (_, invite) = dials(&mut b, ours());
    let ask = |realm: &str| format!("Digest realm=\"{realm}\", nonce=\"n1\", qop=\"auth\"");
    let sent = answer(&mut b, &invite, 407, "x", &[(Name::ProxyAuthenticate, &ask("carrier.example"))]);
    assert_eq!(methods(&sent), ["ACK", "INVITE"]);
    let again = sent[1].clone();
    assert!(again.headers.has(&Name::ProxyAuthorization));
    assert_eq!((again.cseq().unwrap().number, again.to_tag()), (2, None));
    assert_eq!(again.from_tag(), invite.from_tag());
    let sent = answer(&mut b, &again, 407, "x", &[(Name::ProxyAuthenticate, &ask("carrier.example"))]);
    assert_eq!(methods(&sent), ["ACK"]);
    assert!(matches!(b.events.pop(), Some(Event::Refused { code: 407, .. })));
    let (_, invite) = dials(&mut b, ours());
    let sent = answer(&mut b, &invite, 401, "x", &[(Name::WwwAuthenticate, &ask("attacker.example"))]);
    assert_eq!(methods(&sent), ["ACK"]);
    assert!(matches!(b.events.pop(), Some(Event::Refused { code: 401, .. })));
}

#[test]
fn a_call_of_an_earlier_life_is_ended_from_its_snapshot() {
    let mut b = Bench::new();
    let (call, invite) = dials(&mut b, None);
    answer(&mut b, &invite, 200, "one", &[]);
    let snapshot = b.stack.snapshot(call).unwrap();
    let mut reborn = Bench::new();
    reborn.does(Action::ByeRestored { dialog: Box::new(snapshot), headers: Headers::new(), peer: None, credentials: None });
    let bye = &reborn.sent[0];
    assert_eq!((bye.to_tag(), bye.from_tag()), (Some("one".into()), invite.from_tag()));
    assert_eq!(bye.cseq().unwrap().number, 2);
}

#[test]
fn a_broken_path_refuses_what_waits_on_it() {
    let mut b = Bench::new();
    dials(&mut b, None);
    b.input(Input::TransportFailed { flow: Flow::udp(([192, 0, 2, 1], 5060).into(), PHONE.into()) });
    assert!(matches!(b.events.pop(), Some(Event::Refused { code: 503, .. })));
    assert_eq!(b.stack.counters().transactions, 0);
}

#[test]
fn a_caller_whose_way_breaks_before_the_answer_leaves_nothing_behind() {
    let mut b = Bench::new();
    b.says(&invite("a", 1));
    let (call, _) = b.incoming();
    b.input(Input::TransportFailed { flow: Flow::udp(([192, 0, 2, 1], 5060).into(), PHONE.into()) });
    assert!(matches!(b.events.pop(), Some(Event::Ended { dialog, by: EndedBy::Network, .. }) if dialog == call));
    b.waits(secs(40));
    assert_eq!((b.stack.counters().transactions, b.stack.counters().dialogs), (0, 0));
}

#[test]
fn garbage_is_answered_and_forgotten() {
    let mut b = Bench::new();
    let garbage = "INVITE sip:4000@shop.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: \"x <sip:a@b>\r\n\
                   To: <sip:c@d>\r\n\r\n";
    let source = Flow::udp(([192, 0, 2, 1], 5060).into(), PHONE.into());
    let mut out = Vec::new();
    let message = Message::parse_datagram(Bytes::from(garbage));
    b.stack.handle(b.now, Input::Received { message, source }, &mut out);
    assert!(matches!(&out[..], [Output::Send { bytes, .. }] if bytes.starts_with(b"SIP/2.0 400 ")));
    assert_eq!((b.stack.counters().transactions, b.stack.counters().malformed), (0, 1));
}
