//! Phones that keep their flow (RFC 5626), and proxies that keep on the path (RFC 3327).

use super::*;
use crate::sip::transport::{ConnId, Transport};

const DIRECT: &str = "Via: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bKv\n";
const BY_PROXY: &str = "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKp\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKv\n";

/// Registers Anna's phone with these lines, and gives the status.
fn registers(b: &mut Bench, n: u32, vias: &str, contact: &str, more: &str) -> u16 {
    let text = |n: u32, more: &str| {
        format!(
            "REGISTER sip:shop.example SIP/2.0\n{}From: <sip:anna@shop.example>;tag=r\nTo: <sip:anna@shop.example>\n\
             Call-ID: reg\nCSeq: {n} REGISTER\nContact: <sip:anna@10.0.0.9:5060>{contact}\n{more}Content-Length: 0\n\n",
            vias.replace("z9hG4bK", &format!("z9hG4bK{n}"))
        )
    };
    b.says(&text(n, more));
    let challenge = b.sent[0].clone();
    let good = answer_to(&challenge, "anna", "pw", "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
    b.says(&text(n + 1, &format!("{good}\n{more}")))[0]
}

const FLOW: &str = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1";

#[test]
fn a_phone_with_a_flow_is_told_that_it_counts_and_whose_it_is() {
    let mut b = Bench::new();
    assert_eq!(registers(&mut b, 1, DIRECT, FLOW, "Supported: path, outbound\n"), 200);
    let ok = b.sent[0].clone();
    assert_eq!(ok.require(), ["outbound"]);
    let contact = ok.contact().unwrap();
    assert_eq!(contact.params.get("+sip.instance").unwrap(), "<urn:uuid:1>");
    assert_eq!(contact.params.get("reg-id").unwrap(), "1");
    assert!(!ok.headers.has(&Name::from("Flow-Timer")), "over UDP the phone asks by STUN");
    assert_eq!(b.stack.bindings(&demo(), "anna")[0].reg_id, Some(1));
    // Who does not know what a flow is has none.
    assert_eq!(registers(&mut b, 3, DIRECT, FLOW, ""), 200);
    assert!(b.sent[0].require().is_empty() && b.stack.bindings(&demo(), "anna")[0].reg_id.is_none());
}

#[test]
fn a_proxy_between_has_to_hold_the_flow_or_there_is_none() {
    let mut b = Bench::new();
    let supported = "Supported: path, outbound\n";
    assert_eq!(registers(&mut b, 1, BY_PROXY, FLOW, supported), 439);
    let plain = format!("{supported}Path: <sip:10.0.0.1;lr>\n");
    assert_eq!(registers(&mut b, 3, BY_PROXY, FLOW, &plain), 439);
    let two = format!("{FLOW},<sip:anna@10.0.0.9:5060>;+sip.instance=\"<urn:uuid:1>\";reg-id=2");
    assert_eq!(registers(&mut b, 5, DIRECT, &two, supported), 400);
    let held = format!("{supported}Path: <sip:flow1@10.0.0.1;lr;ob>\n");
    assert_eq!(registers(&mut b, 7, BY_PROXY, FLOW, &held), 200);
    assert_eq!(b.sent[0].headers.get(&Name::Path).unwrap(), "<sip:flow1@10.0.0.1;lr;ob>");

    // A call takes that way, and when the proxy has lost the phone, so have we.
    let binding = b.stack.bindings(&demo(), "anna")[0].clone();
    let dialog = b.stack.next_key();
    let to = Target {
        uri: binding.contact.clone(),
        to: None,
        flow: binding.flow,
        sticky: true,
        next: vec![],
        routes: binding.path.clone(),
        open: false,
        elsewhere: None,
    };
    let from = NameAddr::new(Uri::parse("sip:shop@192.0.2.1").unwrap());
    b.does(Action::Invite { dialog, to, from, headers: Headers::new(), body: None, credentials: None });
    let invite = b.sent[0].clone();
    assert_eq!(invite.headers.get(&Name::Route).unwrap(), "<sip:flow1@10.0.0.1;lr;ob>");
    let gone = Message::response_to(&invite, 430, "");
    b.says(&String::from_utf8(gone.write().to_vec()).unwrap().replace("\r\n", "\n"));
    assert!(b.stack.bindings(&demo(), "anna").is_empty());
    assert!(matches!(b.events.last(), Some(Event::Refused { code: 430, .. })));
    assert!(b.events.iter().any(|e| matches!(e, Event::Unregistered { .. })));
}

#[test]
fn a_phone_on_a_stream_hears_how_often_to_say_that_it_is_there() {
    let mut b = Bench::new();
    let flow = Flow { transport: Transport::Tcp, conn: Some(ConnId(7)), ..Flow::udp(([192, 0, 2, 1], 5060).into(), b.from) };
    let says = |b: &mut Bench, text: String| {
        let message = Message::parse_datagram(Bytes::from(text.replace('\n', "\r\n")));
        b.input(Input::Received { message, source: flow });
    };
    let text = |n: u32, more: &str| {
        format!(
            "REGISTER sip:shop.example SIP/2.0\nVia: SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bK{n}\n\
             From: <sip:anna@shop.example>;tag=r\nTo: <sip:anna@shop.example>\nCall-ID: reg\nCSeq: {n} REGISTER\n\
             Contact: <sip:anna@10.0.0.9:5060;transport=tcp>{FLOW}\nSupported: outbound\n{more}Content-Length: 0\n\n"
        )
    };
    says(&mut b, text(1, ""));
    let challenge = b.sent[0].clone();
    let good = answer_to(&challenge, "anna", "pw", "REGISTER", "sip:shop.example", Algorithm::Md5, 1);
    says(&mut b, text(2, &format!("{good}\n")));
    assert_eq!(b.codes(), [200]);
    assert_eq!(b.sent[0].headers.get(&Name::from("Flow-Timer")).unwrap(), "120");
}

#[test]
fn a_phone_that_asks_is_given_an_address_of_its_own_and_is_called_there_at_its_contact() {
    let mut b = Bench::new();
    assert_eq!(registers(&mut b, 1, DIRECT, FLOW, "Supported: path, outbound\n"), 200);
    assert!(!b.sent[0].contact().unwrap().params.has("pub-gruu"), "it did not ask");
    assert_eq!(registers(&mut b, 3, DIRECT, FLOW, "Supported: gruu\nRequire: gruu\n"), 200);
    let given = b.sent[0].contact().unwrap().params.get("pub-gruu").unwrap().into_owned();
    assert_eq!(given, "sip:anna@shop.example;gr=urn:uuid:1");
    let flow = b.stack.bindings(&demo(), "anna")[0].flow;
    let dialog = b.stack.next_key();
    let uri = Uri::parse(&given).unwrap();
    let to = Target { uri, to: None, flow, sticky: true, next: vec![], routes: vec![], open: false, elsewhere: None };
    let from = NameAddr::new(Uri::parse("sip:shop@192.0.2.1").unwrap());
    b.does(Action::Invite { dialog, to, from, headers: Headers::new(), body: None, credentials: None });
    assert_eq!(b.sent[0].uri().unwrap().to_string(), "sip:anna@10.0.0.9:5060");
    assert_eq!(b.sent[0].to().unwrap().uri.to_string(), given);
}
