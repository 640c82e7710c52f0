//! Calls that find nobody at the first place.

use super::*;
use crate::{
    base::limits::SIP_NEXT_TARGET,
    sip::{msg::Method, transport::Transport},
};

/// A place, known by the port of ours that leads there.
fn way(port: u16) -> Flow {
    Flow::udp(([192, 0, 2, 1], port).into(), ([203, 0, 113, 7], port).into())
}

fn dials_two(b: &mut Bench, uri: &str, open: bool, body: &str) -> DialogKey {
    let dialog = b.stack.next_key();
    let to = Target {
        uri: Uri::parse(uri).unwrap(),
        to: None,
        flow: way(1),
        sticky: false,
        next: vec![way(2)],
        routes: vec![],
        open,
        elsewhere: None,
    };
    let from = NameAddr::new(Uri::parse("sip:shop@192.0.2.1").unwrap());
    let body = Some(("application/sdp".to_owned(), Bytes::from(body.to_owned())));
    b.does(Action::Invite { dialog, to, from, headers: Headers::new(), body, credentials: None });
    dialog
}

fn ports(sent: &[Message]) -> Vec<u16> {
    sent.iter().filter(|m| m.is_request()).map(|m| m.top_via().unwrap().sent_by_port()).collect()
}

#[test]
fn a_call_goes_on_to_the_next_place_on_503_with_a_new_branch_and_everything_else_the_same() {
    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    let first = b.sent[0].clone();
    let sent = answer(&mut b, &first, 503, "x", &[]);
    assert_eq!((methods(&sent), ports(&sent)), (vec!["ACK", "INVITE"], vec![1, 2]));
    let second = sent[1].clone();
    assert_ne!(second.top_via().unwrap().branch(), first.top_via().unwrap().branch());
    assert_eq!(second.vias().unwrap().len(), 1);
    assert_eq!(second.contact().unwrap().uri.sip().unwrap().port, Some(2));
    let same = |m: &Message| (m.call_id().unwrap().into_owned(), m.from_tag(), m.cseq().unwrap().number, m.body.clone());
    assert_eq!(same(&second), same(&first));
    assert!(b.events.is_empty(), "nobody upstairs has to know");
    let sent = answer(&mut b, &second, 503, "y", &[]);
    assert_eq!(methods(&sent), ["ACK"], "there is no third");
    assert!(matches!(b.events.pop(), Some(Event::Refused { code: 503, .. })));
}

#[test]
fn a_busy_callee_is_busy_everywhere() {
    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    let first = b.sent[0].clone();
    assert_eq!(methods(&answer(&mut b, &first, 486, "x", &[])), ["ACK"]);
    assert!(matches!(b.events.pop(), Some(Event::Refused { code: 486, .. })));
}

#[test]
fn a_broken_path_leads_to_the_next_place_unless_the_callee_may_be_ringing() {
    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    b.input(Input::TransportFailed { flow: way(1) });
    assert_eq!((methods(&b.sent), ports(&b.sent)), (vec!["INVITE"], vec![2]));
    assert!(b.events.is_empty());

    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    let first = b.sent[0].clone();
    answer(&mut b, &first, 180, "x", &[]);
    b.input(Input::TransportFailed { flow: way(1) });
    assert!(b.sent.is_empty(), "no second phone rings");
}

#[test]
fn silence_leads_on_after_four_seconds_and_who_wakes_up_later_is_hung_up_on() {
    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    let first = b.sent[0].clone();
    b.waits(SIP_NEXT_TARGET - ms(1));
    assert!(!ports(&b.sent).contains(&2), "not yet");
    b.waits(ms(1));
    let second = b.sent.iter().find(|m| m.top_via().unwrap().sent_by_port() == 2).unwrap().clone();
    assert!(b.events.is_empty());
    assert_eq!(methods(&answer(&mut b, &first, 100, "", &[])), ["CANCEL"]);
    assert_eq!(methods(&answer(&mut b, &first, 200, "late", &[])), ["ACK", "BYE"]);
    assert_eq!(methods(&answer(&mut b, &second, 200, "there", &[])), ["ACK"]);
    assert!(matches!(&b.events[..], [Event::Answered { .. }]), "{:?}", b.events);
}

#[test]
fn a_place_that_has_said_something_is_waited_for() {
    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    let first = b.sent[0].clone();
    answer(&mut b, &first, 100, "", &[]);
    b.waits(SIP_NEXT_TARGET * 5);
    assert!(b.sent.is_empty() && b.events.is_empty());
}

#[test]
fn a_datagram_nobody_took_ends_its_transaction_and_no_other() {
    let mut b = Bench::new();
    dials_two(&mut b, "sip:0123@carrier.example", false, "offer");
    let branch = b.sent[0].top_via().unwrap().branch().unwrap().to_owned();
    b.input(Input::Undelivered { method: Method::Invite, branch: "z9hG4bKsomebodyelses".into() });
    assert!(b.sent.is_empty(), "a forged message names no branch of ours");
    b.input(Input::Undelivered { method: Method::Invite, branch });
    assert_eq!(ports(&b.sent), [2], "the next place is tried at once");
}

#[test]
fn a_long_request_goes_by_stream_where_the_peer_lets_us_choose_and_by_datagram_when_there_is_no_stream() {
    let mut b = Bench::new();
    let mut settings = SipSettings::clone(b.stack.current_settings());
    let here = |transport, port| Listener { transport, local: ([192, 0, 2, 1], port).into(), public: None };
    settings.listeners = vec![here(Transport::Udp, 1), here(Transport::Tcp, 9)];
    b.stack.settings(Arc::new(settings));
    let transport = |m: &Message| m.top_via().unwrap().to_string().split(' ').next().unwrap().to_owned();
    dials_two(&mut b, "sip:0123@carrier.example", true, "short");
    assert_eq!(transport(&b.sent[0]), "SIP/2.0/UDP");
    dials_two(&mut b, "sip:0123@carrier.example", false, &"long ".repeat(300));
    assert_eq!(transport(&b.sent[0]), "SIP/2.0/UDP", "the trunk is said to want UDP");
    dials_two(&mut b, "sip:0123@carrier.example", true, &"long ".repeat(300));
    assert_eq!(transport(&b.sent[0]), "SIP/2.0/TCP");
    b.input(Input::TransportFailed { flow: Flow { transport: Transport::Tcp, ..way(1) } });
    assert_eq!(transport(&b.sent[0]), "SIP/2.0/UDP");
}

#[test]
fn a_secure_uri_is_called_over_tls_only_and_its_dialog_stays_secure() {
    let mut b = Bench::new();
    dials_two(&mut b, "sips:0123@carrier.example", false, "offer");
    assert!(b.sent.is_empty());
    assert!(matches!(b.events.pop(), Some(Event::Refused { code: 416, .. })));
    assert_eq!(b.says(&invite("1", 5).replace("sip:4000", "sips:4000")), [480], "and is not taken in the clear");
    let dialog = b.stack.next_key();
    let flow = Flow { transport: Transport::Tls, ..way(1) };
    let uri = Uri::parse("sips:0123@carrier.example").unwrap();
    let to = Target { uri, to: None, flow, sticky: false, next: vec![], routes: vec![], open: false, elsewhere: None };
    let from = NameAddr::new(Uri::parse("sip:shop@192.0.2.1").unwrap());
    b.does(Action::Invite { dialog, to, from, headers: Headers::new(), body: None, credentials: None });
    let contact = b.sent[0].contact().unwrap().uri.to_string();
    assert_eq!(contact, "sips:shop@192.0.2.1:1");
}

#[test]
fn a_place_of_the_other_family_is_offered_an_address_it_can_reach_and_the_way_back_the_first_again() {
    let mut b = Bench::new();
    let newer = Flow::udp("[2001:db8::1]:2".parse().unwrap(), "[2001:db8::7]:2".parse().unwrap());
    let dialog = b.stack.next_key();
    let sdp = |text: &'static str| Some(("application/sdp".to_owned(), Bytes::from_static(text.as_bytes())));
    let to = Target {
        uri: Uri::parse("sip:0123@carrier.example").unwrap(),
        to: None,
        flow: way(1),
        sticky: false,
        next: vec![way(3), newer, way(4)],
        routes: vec![],
        open: false,
        elsewhere: sdp("v6"),
    };
    let from = NameAddr::new(Uri::parse("sip:shop@192.0.2.1").unwrap());
    b.does(Action::Invite { dialog, to, from, headers: Headers::new(), body: sdp("v4"), credentials: None });
    let mut said = Vec::new();
    for tag in ["a", "b", "c"] {
        let tried = b.sent.iter().rev().find(|m| m.method() == Some(&Method::Invite)).unwrap().clone();
        said.push((String::from_utf8(tried.body.to_vec()).unwrap(), b.stack.way(dialog).unwrap().remote.port()));
        answer(&mut b, &tried, 503, tag, &[]);
    }
    let last = b.sent.iter().rev().find(|m| m.method() == Some(&Method::Invite)).unwrap().clone();
    said.push((String::from_utf8(last.body.to_vec()).unwrap(), b.stack.way(dialog).unwrap().remote.port()));
    let expected = [("v4", 1), ("v4", 3), ("v6", 2), ("v4", 4)].map(|(body, port)| (body.to_owned(), port));
    assert_eq!(said, expected);
    assert_eq!(last.call_id().unwrap(), b.sent.last().unwrap().call_id().unwrap());
}
