//! A second opinion: the `rsip` crate on what it can read. Where it differs on the torture messages is written down here.

use bytes::Bytes;
use rsip::message::HeadersExt;
use rsip::prelude::*;

use super::{Message, torture::cases};
use crate::base::Rng;

/// Legal (or answerable) messages we take and `rsip` 0.4 loses, and why.
const LOST_BY_RSIP: &[&str] = &[
    // Folded header lines.
    "wsinv",
    // Unknown methods (so no 501 or 405 can be said).
    "intmeth",
    // Escapes, `;` and `?` in the user part, or a dotted user.
    "esc01",
    "esc02",
    "longreq",
    "semiuri",
    // A blank behind the request line.
    "trws",
    // Headers in the Request-URI: read here, refused by `check`.
    "escruri",
    // SIP/7.0 (so no 505), unknown method, unknown scheme (so no 416).
    "badvers",
    "mismatch02",
    "unkscm",
    // IPv6 in the Request-URI.
    "ipv6-good",
    "port-ambiguous",
    "port-unambiguous",
    "via-received-param-with-delim",
    "via-received-param-no-delim",
    "ipv6-in-sdp",
    "mult-ip-in-sdp",
    "ipv6-bug-abnf-3-colons",
    "ipv6-correct-abnf-2-colons",
];

/// Messages that must be refused and `rsip` lets through; it leaves meaning and framing to its user.
const LET_THROUGH_BY_RSIP: &[&str] = &[
    // Via is not read while parsing.
    "badinv01", // Content-Length is not looked at.
    "clerr", "ncl", // CSeq, From and To neither.
    "scalarlg", "quotbal",  // `<sip:user` becomes a user name.
    "ltgtruri", // No empty line: the first header is taken, the rest becomes the body.
    "baddn",    // Content-Length twice.
    "mcl01",
];

#[test]
fn the_other_parser_agrees_except_where_the_list_says() {
    let (mut lost, mut let_through) = (Vec::new(), Vec::new());
    for case in cases().into_iter().filter(|c| c.wire && c.name.contains("rfc4475/") || c.name.contains("-wire/")) {
        let short = case.name.rsplit('/').next().unwrap().trim_end_matches(".dat").to_owned();
        let ours = Message::parse_datagram(Bytes::from(case.data.clone())).is_ok();
        match (ours, rsip::SipMessage::try_from(case.data).is_ok()) {
            (true, false) => lost.push(short),
            (false, true) => let_through.push(short),
            _ => {}
        }
    }
    assert_eq!(lost, LOST_BY_RSIP);
    assert_eq!(let_through, LET_THROUGH_BY_RSIP);
}

/// A plain message of the kind both understand, its parts drawn by chance.
fn plain(rng: &mut Rng) -> String {
    let method = ["INVITE", "REGISTER", "BYE", "OPTIONS", "MESSAGE", "CANCEL", "ACK"][rng.below(7) as usize];
    let user = format!("u{}", rng.below(1000));
    let port = if rng.below(2) == 0 { String::new() } else { format!(":{}", 1024 + rng.below(60_000)) };
    let body = "x".repeat(rng.below(200) as usize);
    let display = ["", "\"Anna B\" ", "Anna "][rng.below(3) as usize];
    let start = match rng.below(3) {
        0 => format!("SIP/2.0 {} Some Reason", [180, 200, 401, 486][rng.below(4) as usize]),
        _ => format!("{method} sip:{user}@example.com{port};transport=tcp SIP/2.0"),
    };
    let (branch, tag, id) = (rng.hex(6), rng.hex(4), rng.hex(8));
    format!(
        "{start}\r\nVia: SIP/2.0/UDP host{}.example.com{port};branch=z9hG4bK{branch};rport\r\nMax-Forwards: {}\r\n\
         From: {display}<sip:{user}@example.com>;tag={tag}\r\nTo: <sip:b@example.com>\r\nCall-ID: {id}@example.com\r\n\
         CSeq: {} {method}\r\nContact: <sip:{user}@192.0.2.4{port}>\r\nX-Own: a;b=c\r\nContent-Length: {}\r\n\r\n{body}",
        rng.below(99),
        rng.below(70),
        rng.below(1 << 31),
        body.len()
    )
}

#[test]
fn both_parsers_read_a_thousand_plain_messages_alike() {
    let mut rng = Rng::seeded(3261);
    for _ in 0..1000 {
        let text = plain(&mut rng);
        let ours = Message::parse_datagram(Bytes::from(text.clone())).unwrap();
        let theirs = rsip::SipMessage::try_from(text.as_bytes()).unwrap();
        let (via, from, cseq) = (theirs.via_header().unwrap(), theirs.from_header().unwrap(), theirs.cseq_header().unwrap());
        assert_eq!(ours.is_request(), theirs.is_request(), "{text}");
        if let rsip::SipMessage::Request(request) = &theirs {
            assert_eq!(ours.method().unwrap().as_str(), request.method().to_string());
            assert_eq!(ours.uri().unwrap().to_string().to_ascii_lowercase(), request.uri().to_string().to_ascii_lowercase());
        }
        if let rsip::SipMessage::Response(response) = &theirs {
            assert_eq!(ours.code().unwrap(), response.status_code().code());
        }
        assert_eq!(ours.call_id().unwrap(), theirs.call_id_header().unwrap().value());
        assert_eq!(ours.cseq().unwrap().number, cseq.seq().unwrap());
        assert_eq!(ours.top_via().unwrap().branch().unwrap(), via.typed().unwrap().branch().unwrap().value());
        let typed = from.typed().unwrap();
        assert_eq!(ours.from_tag().unwrap(), typed.tag().unwrap().value());
        assert_eq!(ours.from().unwrap().uri.to_string(), typed.uri.to_string());
        assert_eq!(ours.headers.len(), theirs.headers().iter().count());
        assert_eq!(&ours.body[..], &theirs.body()[..]);
        // What we write, the other parser reads as the same message.
        let again = rsip::SipMessage::try_from(&ours.write()[..]).unwrap();
        assert_eq!(again.call_id_header().unwrap(), theirs.call_id_header().unwrap());
        assert_eq!(again.body(), theirs.body());
    }
}
