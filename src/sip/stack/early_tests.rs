//! Before the answer, and long after it: PRACK, UPDATE, session timers, by a phone made of strings.

use super::{
    tests::{Bench, request},
    *,
};
use crate::{
    base::secs,
    sip::{
        msg::{Headers, Message, Method, Name, NameAddr, Uri},
        transport::Flow,
    },
};
use bytes::Bytes;

const TO: &str = "sip:4000@shop.example";

fn body(text: &'static str) -> Option<Body> {
    Some(("application/sdp".into(), Bytes::from_static(text.as_bytes())))
}

/// An INVITE with more headers, and with an offer.
fn offers(branch: &str, cseq: u32, more: &str) -> String {
    with_body(&request("INVITE", TO, branch, cseq, more), "offer")
}

fn with_body(text: &str, body: &str) -> String {
    let length = format!("Content-Type: application/sdp\nContent-Length: {}\n\n{body}", body.len());
    text.replace("Content-Length: 0\n\n", &length)
}

fn header(m: &Message, name: Name) -> String {
    m.headers.get(&name).map(|v| v.into_owned()).unwrap_or_default()
}

impl Bench {
    fn change(&mut self, change: impl FnOnce(&mut SipSettings)) {
        let mut settings = (**self.stack.current_settings()).clone();
        change(&mut settings);
        self.stack.settings(Arc::new(settings));
    }
    fn says_early(&mut self, dialog: DialogKey, code: u16, sdp: Option<Body>) {
        self.does(Action::Respond { dialog, code, reason: String::new(), headers: Headers::new(), body: sdp });
    }
    /// A call that stands, from them; our tag.
    fn stands(&mut self, more: &str) -> (DialogKey, String) {
        self.says(&offers("1", 1, more));
        let (dialog, _) = self.incoming();
        self.respond(dialog, 200);
        let tag = self.tag();
        self.says(&request("ACK", TO, "1a", 1, &format!("tag={tag}")));
        (dialog, tag)
    }
    /// A call of ours, with or without an offer; the INVITE.
    fn calls(&mut self, sdp: Option<Body>) -> (DialogKey, Message) {
        let dialog = self.stack.next_key();
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), self.from);
        let to = Target {
            uri: Uri::parse("sip:ben@203.0.113.7:5070").unwrap(),
            to: None,
            flow,
            sticky: false,
            next: Vec::new(),
            routes: vec![],
            open: false,
            elsewhere: None,
        };
        let from = NameAddr::new(Uri::parse("sip:us@shop.example").unwrap());
        let (headers, credentials) = (Headers::new(), None);
        self.does(Action::Invite { dialog, to, from, headers, body: sdp, credentials });
        (dialog, self.sent.pop().unwrap())
    }
    fn answers(&mut self, to: &Message, code: u16, tag: &str, more: &[(Name, &str)], sdp: Option<&'static str>) {
        let mut m = Message::response_to(to, code, "");
        m.set_to_tag(tag);
        m.headers.push(Name::Contact, format!("<sip:{tag}@203.0.113.7:5070>"));
        for (name, value) in more {
            m.headers.push(name.clone(), value);
        }
        if let Some(text) = sdp {
            m.set_body("application/sdp", Bytes::from_static(text.as_bytes()));
        }
        let source = Flow::udp(([192, 0, 2, 1], 5060).into(), self.from);
        self.input(Input::Received { message: Ok(m), source });
    }
    fn sent_method(&self, method: &Method) -> Option<&Message> {
        self.sent.iter().find(|m| m.method() == Some(method))
    }
}

#[test]
fn a_183_with_sound_is_repeated_until_it_is_acknowledged_and_the_answer_waits_for_that() {
    let mut b = Bench::new();
    b.says(&offers("1", 1, "Supported: 100rel"));
    let (dialog, _) = b.incoming();
    b.says_early(dialog, 180, None);
    assert!(!b.sent[0].headers.has(&Name::RSeq), "a ringing phone may be missed");
    b.says_early(dialog, 183, body("early"));
    let first = b.sent[0].clone();
    assert!(first.lists(&Name::Require, "100rel"));
    let rseq: u32 = header(&first, Name::RSeq).parse().unwrap();
    b.respond(dialog, 200);
    assert!(b.sent.is_empty(), "the answer waits");
    let mut gaps = vec![];
    for ms in [500, 1_000, 2_000, 4_000] {
        b.waits(crate::base::ms(ms));
        gaps.push(b.codes());
    }
    assert_eq!(gaps, vec![vec![183]; 4], "again after T1, doubling");
    let tag = first.to_tag().unwrap();
    let wrong = request("PRACK", TO, "p1", 2, &format!("tag={tag}\nRAck: {} 1 INVITE", rseq + 1));
    assert_eq!(b.says(&wrong), [481]);
    let right = request("PRACK", TO, "p2", 3, &format!("tag={tag}\nRAck: {rseq} 1 INVITE"));
    assert_eq!(b.says(&right), [200, 200], "the PRACK's, and the call's");
    let ok = b.sent.iter().find(|m| m.cseq().unwrap().method == Method::Invite).unwrap();
    assert!(ok.body.is_empty(), "the description was said reliably");
    assert_eq!(b.says(&request("PRACK", TO, "p3", 4, &format!("tag={tag}\nRAck: {rseq} 1 INVITE"))), [481], "once");
    b.says(&request("ACK", TO, "1a", 1, &format!("tag={tag}")));
    assert!(matches!(b.events.last(), Some(Event::Acked { .. })));
}

#[test]
fn a_caller_that_requires_it_and_never_acknowledges_is_refused_after_32_seconds() {
    let mut b = Bench::new();
    b.says(&offers("1", 1, "Require: 100rel"));
    let (dialog, _) = b.incoming();
    b.says_early(dialog, 180, None);
    assert!(b.sent[0].headers.has(&Name::RSeq), "whoever requires it gets all of them so");
    let mut codes = vec![];
    for _ in 0..33 {
        b.waits(secs(1));
        codes.extend(b.codes());
    }
    assert_eq!(codes.iter().filter(|c| **c == 180).count(), 5, "{codes:?}");
    assert_eq!(codes.last(), Some(&504));
    assert!(matches!(b.events.last(), Some(Event::Ended { by: EndedBy::Timeout, .. })));
}

#[test]
fn a_refusal_and_a_cancel_wait_for_nobody() {
    for cancel in [false, true] {
        let mut b = Bench::new();
        b.says(&offers("1", 1, "Supported: 100rel"));
        let (dialog, _) = b.incoming();
        b.says_early(dialog, 183, body("early"));
        if cancel {
            assert_eq!(b.says(&request("CANCEL", TO, "1", 1, "")), [200, 487]);
        } else {
            b.respond(dialog, 486);
            assert_eq!(b.codes(), [486]);
        }
        assert_eq!(b.stack.counters().dialogs, 0);
    }
}

#[test]
fn an_offer_of_ours_in_a_183_is_answered_by_the_prack_and_one_in_a_prack_by_its_200() {
    let mut b = Bench::new();
    b.says(&request("INVITE", TO, "1", 1, "Supported: 100rel"));
    let (dialog, _) = b.incoming();
    assert!(b.stack.is_reliable(dialog));
    b.says_early(dialog, 183, body("our offer"));
    let (tag, rseq) = (b.tag(), header(&b.sent[0], Name::RSeq));
    let prack = request("PRACK", TO, "p1", 2, &format!("tag={tag}\nRAck: {rseq} 1 INVITE"));
    assert_eq!(b.says(&with_body(&prack, "their answer")), [200]);
    assert!(matches!(b.events.last(), Some(Event::Pracked { body: Some(_), .. })));
    // A second one without a description, whose PRACK offers something else.
    b.change(|s| s.reliable = Reliable::Always);
    b.says_early(dialog, 180, None);
    let second: u32 = header(&b.sent[0], Name::RSeq).parse().unwrap();
    assert_eq!(second, rseq.parse::<u32>().unwrap() + 1);
    let prack = request("PRACK", TO, "p2", 3, &format!("tag={tag}\nRAck: {second} 1 INVITE"));
    assert!(b.says(&with_body(&prack, "another offer")).is_empty(), "the answer goes into the 200");
    b.respond(dialog, 200);
    assert!(b.sent.is_empty(), "not before the offer is answered");
    b.does(Action::RespondReinvite { dialog, code: 200, body: body("our answer") });
    assert_eq!(b.codes(), [200, 200]);
    assert_eq!(&b.sent[0].body[..], b"our answer");
    assert!(b.sent[1].body.is_empty());
}

#[test]
fn we_acknowledge_what_is_sent_reliably_once_and_in_order() {
    let mut b = Bench::new();
    let (dialog, invite) = b.calls(body("offer"));
    assert!(invite.lists(&Name::Supported, "100rel"));
    let reliable = |n: &'static str| [(Name::Require, "100rel"), (Name::RSeq, n)];
    b.answers(&invite, 183, "x", &reliable("71"), Some("early"));
    let prack = b.sent_method(&Method::Prack).unwrap().clone();
    assert_eq!(header(&prack, Name::RAck), "71 1 INVITE");
    assert_eq!(prack.cseq().unwrap().number, 2);
    assert!(matches!(b.events.last(), Some(Event::Progress { code: 183, body: Some(_), .. })));
    b.answers(&prack, 200, "x", &[], None);
    b.answers(&invite, 183, "x", &reliable("71"), Some("early"));
    assert!(b.sent.is_empty(), "a repeat");
    b.answers(&invite, 180, "x", &reliable("73"), None);
    assert!(b.sent.is_empty(), "ahead of its turn");
    b.answers(&invite, 180, "x", &reliable("72"), None);
    assert_eq!(header(&b.sent[0], Name::RAck), "72 1 INVITE");
    // Another phone of a fork counts for itself.
    b.answers(&invite, 180, "y", &reliable("9"), None);
    assert_eq!(header(&b.sent[0], Name::RAck), "9 1 INVITE");
    assert_eq!(b.sent[0].to_tag().as_deref(), Some("y"));
    b.answers(&invite, 200, "x", &[], Some("something else"));
    assert_eq!(b.sent_method(&Method::Ack).unwrap().cseq().unwrap().number, 1);
    match b.events.last() {
        Some(Event::Answered { body: Some((_, said)), .. }) => assert_eq!(&said[..], b"early", "said reliably, it counts"),
        other => panic!("{other:?}"),
    }
    // The other phone was faster than our CANCEL could be: acknowledged, and hung up above all its numbers.
    b.answers(&invite, 200, "y", &[], Some("too"));
    assert!(b.sent_method(&Method::Ack).is_some());
    assert_eq!(b.sent_method(&Method::Bye).unwrap().cseq().unwrap().number, 4);
    b.does(Action::Bye { dialog, headers: Headers::new() });
    assert_eq!(b.sent[0].cseq().unwrap().number, 4, "PRACKs counted on");
}

#[test]
fn an_offer_in_a_reliable_183_is_answered_in_its_prack() {
    let mut b = Bench::new();
    let (dialog, invite) = b.calls(None);
    b.answers(&invite, 183, "x", &[(Name::Require, "100rel"), (Name::RSeq, "5")], Some("their offer"));
    assert!(b.sent.is_empty(), "the PRACK waits for the answer");
    b.does(Action::Prack { dialog, body: body("our answer").unwrap() });
    assert_eq!(&b.sent[0].body[..], b"our answer");
    b.answers(&invite, 200, "x", &[], None);
    assert!(b.sent_method(&Method::Ack).is_some(), "nothing is left to be answered");
    assert!(matches!(b.events.last(), Some(Event::Answered { body: None, .. })));
}

#[test]
fn a_called_phone_may_change_its_media_by_update_once_they_are_agreed_and_not_before() {
    let mut b = Bench::new();
    let (dialog, invite) = b.calls(body("offer"));
    let tag = invite.from_tag().unwrap();
    let call_id = header(&invite, Name::CallId);
    let update = |branch: &str, cseq: u32| {
        let text = request("UPDATE", "sip:us@192.0.2.1", branch, cseq, "");
        let text = text.replace("Call-ID: call-1", &format!("Call-ID: {call_id}"));
        let text = text.replace("From: <sip:ann@10.0.0.9>;tag=caller", "From: <sip:ben@203.0.113.7>;tag=x");
        with_body(&text.replace("To: <sip:us@192.0.2.1>", &format!("To: <sip:us@shop.example>;tag={tag}")), "other media")
    };
    b.answers(&invite, 180, "x", &[], None);
    assert_eq!(b.says(&update("u1", 1)), [491], "our offer has no answer yet");
    b.answers(&invite, 183, "x", &[(Name::Require, "100rel"), (Name::RSeq, "5")], Some("early"));
    assert!(b.says(&update("u2", 2)).is_empty());
    assert!(matches!(b.events.last(), Some(Event::Reoffer { .. })));
    assert_eq!(b.says(&update("u3", 3)), [500], "one at a time");
    assert!(b.sent[0].headers.has(&Name::RetryAfter));
    b.does(Action::RespondReinvite { dialog, code: 200, body: body("ours") });
    assert_eq!(b.codes(), [200]);
    b.answers(&invite, 200, "x", &[], Some("early"));
    assert!(matches!(b.events.last(), Some(Event::Answered { body: None, .. })), "what was agreed has moved on");
}

#[test]
fn a_session_is_refreshed_by_the_caller_or_it_is_over() {
    let mut b = Bench::new();
    assert_eq!(b.says(&offers("0", 7, "Supported: timer\nSession-Expires: 60")), [422]);
    assert_eq!(header(&b.sent[0], Name::MinSe), "90");
    b.says(&request("ACK", TO, "0", 7, &format!("tag={}", b.tag())));
    let (_, tag) = b.stands("Supported: timer\nSession-Expires: 120;refresher=uac\nMin-SE: 90");
    b.waits(secs(59));
    let update = request("UPDATE", TO, "u1", 2, &format!("tag={tag}\nSupported: timer\nSession-Expires: 120;refresher=uac"));
    assert_eq!(b.says(&update), [200]);
    assert_eq!(header(&b.sent[0], Name::SessionExpires), "120;refresher=uac");
    assert!(b.sent[0].lists(&Name::Require, "timer"));
    b.waits(secs(87));
    assert!(b.sent.is_empty(), "counted from the refresh");
    b.waits(secs(2));
    assert!(b.sent_method(&Method::Bye).is_some(), "32 s before the end");
    assert!(matches!(b.events.last(), Some(Event::Ended { by: EndedBy::Timeout, .. })));
}

#[test]
fn we_refresh_for_whoever_cannot_by_update_or_by_offering_the_same_again() {
    for allow in ["Allow: INVITE, ACK, UPDATE, BYE", "Allow: INVITE, ACK, BYE"] {
        let mut b = Bench::new();
        b.change(|s| s.session_expires = Some(secs(180)));
        b.stands(allow);
        b.waits(secs(89));
        assert!(b.sent.is_empty());
        b.waits(secs(2));
        let refresh = b.sent[0].clone();
        assert_eq!(header(&refresh, Name::SessionExpires), "180;refresher=uac");
        match refresh.method() {
            Some(Method::Update) => assert!(allow.contains("UPDATE") && refresh.body.is_empty()),
            Some(Method::Invite) => assert_eq!(&refresh.body[..], b"answer", "what stands"),
            other => panic!("{other:?}"),
        }
        b.answers(&refresh, 200, "caller", &[(Name::SessionExpires, "180;refresher=uac")], None);
        b.waits(secs(85));
        assert!(b.sent.is_empty());
        b.waits(secs(6));
        assert_eq!(b.sent[0].method(), refresh.method(), "and again");
        // This time nobody is there.
        b.waits(secs(33));
        assert!(matches!(b.events.last(), Some(Event::Ended { by: EndedBy::Timeout, .. })));
    }
}

#[test]
fn a_peer_that_wants_a_longer_timer_gets_it_and_names_who_refreshes() {
    let mut b = Bench::new();
    b.change(|s| s.session_expires = Some(secs(600)));
    let (dialog, invite) = b.calls(body("offer"));
    assert_eq!(header(&invite, Name::SessionExpires), "600");
    b.answers(&invite, 422, "x", &[(Name::MinSe, "1200")], None);
    let again = b.sent_method(&Method::Invite).unwrap().clone();
    assert_eq!((header(&again, Name::SessionExpires), header(&again, Name::MinSe)), ("1200".into(), "1200".into()));
    assert_eq!(again.cseq().unwrap().number, 2);
    let timer = [(Name::Require, "timer"), (Name::SessionExpires, "1200;refresher=uas")];
    b.answers(&again, 200, "x", &timer, Some("answer"));
    b.waits(secs(1_167));
    assert!(b.sent.is_empty(), "theirs to do");
    b.waits(secs(2));
    assert!(b.sent_method(&Method::Bye).is_some());
    assert!(matches!(b.events.last(), Some(Event::Ended { dialog: d, .. }) if *d == dialog));
}

#[test]
fn extensions_we_know_may_be_required_and_others_not() {
    let mut b = Bench::new();
    assert_eq!(b.says(&request("INVITE", TO, "1", 1, "Require: timer, 100rel")), [100]);
    assert_eq!(b.says(&request("OPTIONS", TO, "2", 1, "Require: precondition")), [420]);
    assert_eq!(header(&b.sent[0], Name::Unsupported), "precondition");
}

/// Its timer was due for ever, and the loop stood still.
#[test]
fn an_offer_that_met_theirs_before_the_answer_is_made_again_after_the_ack() {
    let mut b = Bench::new();
    b.says(&offers("1", 1, "Supported: 100rel\nAllow: INVITE, ACK, UPDATE, PRACK"));
    let (dialog, _) = b.incoming();
    b.says_early(dialog, 183, body("early"));
    let (tag, rseq) = (b.tag(), header(&b.sent[0], Name::RSeq));
    b.says(&request("PRACK", TO, "p1", 2, &format!("tag={tag}\nRAck: {rseq} 1 INVITE")));
    b.does(Action::Reinvite { dialog, body: body("other media").unwrap() });
    let update = b.sent_method(&Method::Update).unwrap().clone();
    b.answers(&update, 491, "caller", &[], None);
    b.respond(dialog, 200);
    b.waits(secs(5));
    assert!(b.sent.iter().all(|m| m.code() == Some(200)), "nothing but the answer, until the ACK");
    b.says(&request("ACK", TO, "1a", 1, &format!("tag={tag}")));
    b.waits(secs(5));
    assert_eq!(&b.sent_method(&Method::Invite).unwrap().body[..], b"other media");
}
