//! Bodies of several parts: what a carrier puts beside a description is passed over, and what may not be is refused.

use super::*;

const OFFER: &str = "v=0\r\nm=audio 4000 RTP/AVP 8\r\n";

/// As Bench::says wants it: lines end with LF.
fn parts(handling: &str) -> String {
    format!(
        "--b\nContent-Type: application/isup\nContent-Disposition: signal;handling={handling}\n\n1234\n\
         --b\nContent-Type: application/sdp\n\n{}\n--b--\n",
        OFFER.replace('\r', "")
    )
}

fn with_body(request: &str, kind: &str, body: &str) -> String {
    let length = body.replace('\n', "\r\n").len();
    request.replace("Content-Length: 0\n\n", &format!("Content-Type: {kind}\nContent-Length: {length}\n\n{body}"))
}

const MIXED: &str = "multipart/mixed;boundary=b";

#[test]
fn an_offer_among_other_parts_is_taken_in_a_call_and_inside_it_and_what_is_optional_alone_is_none() {
    let mut b = Bench::new();
    assert_eq!(b.says(&with_body(&invite("1", 1), MIXED, &parts("optional"))), [100]);
    let Some(Event::Incoming { dialog, request: asked, .. }) = b.events.pop() else { panic!("no call") };
    assert_eq!(asked.session(), Ok(Some(OFFER.into())));
    b.respond(dialog, 200);
    let tag = b.tag();
    b.says(&request("ACK", "sip:4000@shop.example", "ack", 1, &format!("tag={tag}")));
    b.events.clear();
    let again = request("INVITE", "sip:4000@shop.example", "re", 2, &format!("tag={tag}"));
    assert_eq!(b.says(&with_body(&again, MIXED, &parts("optional"))), [100]);
    let Some(Event::Reoffer { body: Some((kind, offer)), .. }) = b.events.pop() else { panic!("no offer") };
    assert_eq!((&*kind, &offer[..]), ("application/sdp", OFFER.as_bytes()));
    b.does(Action::RespondReinvite { dialog, code: 200, body: Some((kind, offer)) });
    b.says(&request("ACK", "sip:4000@shop.example", "ack2", 2, &format!("tag={tag}")));
    b.events.clear();
    // An UPDATE that brings a carrier's own signalling changes nothing of the session.
    let update = request(
        "UPDATE",
        "sip:4000@shop.example",
        "up",
        3,
        &format!("tag={tag}\nContent-Disposition: signal;handling=optional"),
    );
    assert_eq!(b.says(&with_body(&update, "application/isup", "1234")), [200]);
    assert!(b.sent[0].body.is_empty() && b.events.is_empty(), "{:?}", b.events);
}

#[test]
fn what_has_to_be_understood_is_refused_with_all_we_can_read_and_a_broken_body_as_a_bad_request() {
    let mut b = Bench::new();
    assert_eq!(b.says(&with_body(&invite("1", 1), MIXED, &parts("required"))), [415]);
    assert_eq!(b.sent[0].headers.items(&Name::Accept).len(), 4);
    assert_eq!(b.says(&with_body(&invite("2", 2), "multipart/mixed", &parts("optional"))), [400]);
    assert!(b.events.is_empty());
}

#[test]
fn an_answer_among_other_parts_is_an_answer() {
    let mut b = Bench::new();
    let (_, sent) = dials(&mut b, None);
    let mut m = Message::response_to(&sent, 200, "");
    m.set_to_tag("x");
    m.headers.push(Name::Contact, "<sip:0123@203.0.113.7:5070>");
    m.set_body(MIXED, parts("optional").replace('\n', "\r\n"));
    let text = String::from_utf8(m.write().to_vec()).unwrap().replace("\r\n", "\n");
    b.says(&text);
    assert_eq!(methods(&b.sent), ["ACK"]);
    let Some(Event::Answered { body: Some((kind, answer)), .. }) = b.events.pop() else { panic!("no answer") };
    assert_eq!((&*kind, &answer[..]), ("application/sdp", OFFER.as_bytes()));
}
