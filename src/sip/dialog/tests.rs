//! Section 12, rule by rule.
use super::*;

fn flow(remote: &str) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), remote.parse().unwrap())
}
fn invite(extra: &[(Name, &str)]) -> Message {
    let mut m = Message::request(Method::Invite, Uri::parse("sip:4000@shop.example").unwrap());
    m.headers.push(Name::From, "\"Ann\" <sip:ann@x.example>;tag=a");
    m.headers.push(Name::To, "<sip:4000@shop.example>");
    m.headers.push(Name::CallId, "c1");
    m.headers.push(Name::CSeq, "7 INVITE");
    for (n, v) in extra {
        m.headers.push(n.clone(), v);
    }
    m
}
fn called(extra: &[(Name, &str)], remote: &str) -> Dialog {
    Dialog::accept(&invite(extra), "us", flow(remote), false).unwrap()
}

#[test]
fn the_callee_keeps_the_record_routes_in_order_and_the_caller_turns_them_round() {
    let rr = (Name::RecordRoute, "<sip:p1.example;lr>, <sip:p2.example;lr>");
    let contact = (Name::Contact, "<sip:ann@203.0.113.9:5070>");
    let d = called(&[rr.clone(), contact.clone()], "203.0.113.5:5060");
    assert_eq!(d.route_set[0].uri.to_string(), "sip:p1.example;lr");
    let mut response = Message::response_to(&invite(&[]), 200, "");
    response.set_to_tag("b");
    for (n, v) in [rr, contact] {
        response.headers.push(n, v);
    }
    let d = Dialog::open(&invite(&[]), &response, flow("203.0.113.5:5060"), false).unwrap();
    assert_eq!(d.route_set[0].uri.to_string(), "sip:p2.example;lr");
    assert_eq!((d.remote_tag().as_deref(), d.local_tag().as_str(), d.local_seq), (Some("b"), "a", 7));
}

#[test]
fn a_loose_proxy_gets_the_target_on_the_request_line_and_a_strict_one_its_own_name() {
    let contact = (Name::Contact, "<sip:ann@203.0.113.9:5070>");
    let loose =
        called(&[(Name::RecordRoute, "<sip:203.0.113.1;lr>, <sip:203.0.113.2;lr>"), contact.clone()], "203.0.113.1:5060");
    let h = loose.heading();
    assert_eq!((h.uri.to_string().as_str(), h.routes.len()), ("sip:ann@203.0.113.9:5070", 2));
    assert_eq!(h.flow.remote, "203.0.113.1:5060".parse::<std::net::SocketAddr>().unwrap());
    let strict = called(&[(Name::RecordRoute, "<sip:203.0.113.1?x=y>, <sip:203.0.113.2;lr>"), contact], "203.0.113.1:5060");
    let h = strict.heading();
    assert_eq!(h.uri.to_string(), "sip:203.0.113.1");
    let routes: Vec<_> = h.routes.iter().map(ToString::to_string).collect();
    assert_eq!(routes, ["<sip:203.0.113.2;lr>", "<sip:ann@203.0.113.9:5070>"]);
}

#[test]
fn a_phone_behind_a_nat_is_answered_where_it_speaks_from() {
    let natted = called(&[(Name::Contact, "<sip:ann@192.168.1.20:5060>")], "203.0.113.7:40000");
    assert_eq!(natted.heading().flow.remote, "203.0.113.7:40000".parse::<std::net::SocketAddr>().unwrap());
    let public = called(&[(Name::Contact, "<sip:ann@203.0.113.7:5070>")], "203.0.113.7:40000");
    assert_eq!(public.heading().flow.remote, "203.0.113.7:5070".parse::<std::net::SocketAddr>().unwrap());
    let named = called(&[(Name::Contact, "<sip:ann@laptop.local>")], "203.0.113.7:40000");
    assert_eq!(named.heading().flow.remote, "203.0.113.7:40000".parse::<std::net::SocketAddr>().unwrap());
}

#[test]
fn numbers_only_grow_and_the_ack_repeats_the_invites() {
    let mut d = called(&[(Name::Contact, "<sip:ann@203.0.113.9>")], "203.0.113.9:5060");
    assert!(!d.take_seq(7) && !d.take_seq(6) && d.take_seq(9) && !d.take_seq(8));
    let (bye, _) = d.request(Method::Bye);
    assert_eq!(bye.cseq().unwrap().to_string(), "1 BYE");
    assert_eq!(bye.from_tag().as_deref(), Some("us"));
    let (ack, _) = d.ack(1);
    assert_eq!(ack.cseq().unwrap().to_string(), "1 ACK");
}

#[test]
fn a_dialog_comes_back_from_the_journal_as_it_was() {
    let d =
        called(&[(Name::RecordRoute, "<sip:203.0.113.1;lr>"), (Name::Contact, "<sip:ann@203.0.113.9>")], "203.0.113.1:5060");
    let text = serde_json::to_string(&d.snapshot()).unwrap();
    assert_eq!(Dialog::restore(&serde_json::from_str(&text).unwrap()).unwrap(), d);
}

#[test]
fn a_connection_they_opened_is_not_looked_for_where_it_came_from_after_a_restart() {
    let back = |contact: &str, transport: Transport, sticky: bool| {
        let flow = Flow { transport, ..flow("203.0.113.7:40000") };
        let d = Dialog::accept(&invite(&[(Name::Contact, contact)]), "us", flow, sticky).unwrap();
        Dialog::restore(&d.snapshot()).unwrap().heading().flow.remote.to_string()
    };
    assert_eq!(back("<sip:ann@203.0.113.7:5071;transport=tls>", Transport::Tls, false), "203.0.113.7:5071");
    assert_eq!(back("<sip:ann@sbc.example>", Transport::Tls, false), "203.0.113.7:5061");
    assert_eq!(back("<sip:ann@203.0.113.7>", Transport::Tcp, false), "203.0.113.7:5060");
    assert_eq!(
        back("<sip:ann@192.168.1.2:5060>", Transport::Tcp, true),
        "203.0.113.7:40000",
        "a phone behind a NAT is nowhere else"
    );
}

#[test]
fn what_is_secure_is_never_sent_in_the_clear_and_tls_has_a_port_of_its_own() {
    let way = |contact: &str, transport: Transport| {
        let flow = Flow { transport, ..flow("203.0.113.7:40000") };
        let dialog = Dialog::accept(&invite(&[(Name::Contact, contact)]), "us", flow, false).unwrap();
        let f = dialog.heading().flow;
        format!("{} {}", f.transport, f.remote)
    };
    assert_eq!(way("<sips:ann@203.0.113.7>", Transport::Udp), "TLS 203.0.113.7:5061");
    assert_eq!(way("<sips:ann@203.0.113.7;transport=udp>", Transport::Udp), "TLS 203.0.113.7:5061");
    assert_eq!(way("<sips:ann@sbc.example>", Transport::Tcp), "TLS 203.0.113.7:5061");
    assert_eq!(way("<sips:ann@192.168.1.2>", Transport::Tcp), "TLS 203.0.113.7:5061");
    assert_eq!(way("<sips:ann@203.0.113.9;transport=tcp>", Transport::Tls), "TLS 203.0.113.9:5061");
    assert_eq!(way("<sip:ann@203.0.113.9;transport=tls>", Transport::Udp), "TLS 203.0.113.9:5061");
    assert_eq!(way("<sip:ann@203.0.113.9>", Transport::Udp), "UDP 203.0.113.9:5060");
    assert_eq!(way("<sip:ann@203.0.113.7;transport=ws>", Transport::Wss), "WSS 203.0.113.7:40000");
}
