//! The messages of RFC 4475 and RFC 5118, each with the verdict their index asks for; then twenty thousand broken copies.
//! `tests/data/torture/index.json` says for each: accept, reject, drop, or either.

use std::path::PathBuf;

use bytes::Bytes;

use super::check::{Verdict, check};
use super::frame::{Frame, Framer};
use super::{Message, Method, Name, Uri};
use crate::base::Rng;

pub(super) struct Case {
    pub(super) name: String,
    parser: String,
    codes: Vec<String>,
    pub(super) wire: bool,
    request: bool,
    pub(super) data: Vec<u8>,
}

pub(super) fn cases() -> Vec<Case> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture");
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("index.json")).unwrap()).unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let case = |m: &serde_json::Value| Case {
        name: text(&m["file"]),
        parser: text(&m["parser"]),
        codes: m["uas_status"].as_array().unwrap().iter().map(|c| c.to_string().replace('"', "")).collect(),
        wire: m["wire_ready"].as_bool().unwrap_or(true),
        request: m["kind"] == "request",
        data: std::fs::read(dir.join(text(&m["file"]))).unwrap(),
    };
    index["messages"].as_array().unwrap().iter().map(case).collect()
}

fn torture(name: &str) -> Message {
    let case = cases().into_iter().find(|c| c.wire && c.name.ends_with(&format!("/{name}.dat"))).unwrap();
    Message::parse_datagram(Bytes::from(case.data)).unwrap()
}

fn from() -> std::net::SocketAddr {
    ([192, 0, 2, 99], 40_000).into()
}

#[test]
fn every_torture_message_gets_the_verdict_of_the_index_and_no_request_stays_without_an_answer() {
    let all = cases();
    assert_eq!(all.len(), 75);
    for c in all.iter().filter(|c| c.wire) {
        let parsed = Message::parse_datagram(Bytes::from(c.data.clone()));
        match (c.parser.as_str(), &parsed) {
            ("accept", Ok(_)) | ("either", _) | ("reject" | "drop", Err(_)) => {}
            (want, got) => panic!("{}: {want}, got {got:?}", c.name),
        }
        // What a server that knows every method would say so far.
        let code = match &parsed {
            Err(e) => e.answer(from()).map(|(m, _)| m.code().unwrap()),
            Ok(m) => match check(m) {
                Verdict::Good => None,
                Verdict::Refuse { code, .. } => Some(code),
                Verdict::Drop(why) => panic!("{} dropped: {why}", c.name),
            },
        };
        match code {
            Some(code) if c.name.ends_with("/test.dat") => assert_eq!(code, 400),
            Some(code) => assert!(c.codes.contains(&code.to_string()), "{}: {code} not in {:?}", c.name, c.codes),
            None if c.parser == "reject" => panic!("{} left without an answer", c.name),
            None if !c.request => {}
            // Accepted so far: the stack may still refuse it, so any later code is fine unless only ours were allowed.
            None => assert!(c.codes.iter().any(|c| !["400", "505", "416"].contains(&c.as_str())), "{} let through", c.name),
        }
    }
}

#[test]
fn what_is_accepted_is_written_so_that_it_reads_back_the_same() {
    for c in cases() {
        let Ok(first) = Message::parse_datagram(Bytes::from(c.data)) else { continue };
        let wire = first.write();
        let second = Message::parse_datagram(wire.clone()).unwrap_or_else(|e| panic!("{}: {e}", c.name));
        assert_eq!(first.start, second.start, "{}", c.name);
        assert_eq!(first.body, second.body, "{}", c.name);
        let lines = |m: &Message| -> Vec<_> {
            let kept = m.headers.iter().filter(|(n, _)| **n != Name::ContentLength);
            kept.map(|(n, v)| (n.clone(), v.clone())).collect()
        };
        assert_eq!(lines(&first), lines(&second), "{}", c.name);
        assert_eq!(second.write(), wire, "{}", c.name);
        // Typed views written out read back as themselves.
        for via in first.vias().unwrap() {
            assert_eq!(super::Via::parse(&via.to_string()), Ok(via), "{}", c.name);
        }
        for address in [first.from(), first.to()].into_iter().flatten() {
            assert_eq!(super::NameAddr::parse(&address.to_string()), Ok(address), "{}", c.name);
        }
    }
}

fn frames(pieces: &[&[u8]]) -> Vec<String> {
    let mut framer = Framer::new();
    let mut out = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next() {
            out.push(match frame {
                Ok(Frame::Message(Ok(m))) => format!("{:?}", m.write()),
                Ok(Frame::Message(Err(e))) => format!("broken: {e}"),
                Ok(other) => format!("{other:?}"),
                Err(e) => format!("over: {e}"),
            });
        }
    }
    if framer.is_mid_message() {
        out.push(format!("waiting with {} bytes", framer.buffered()));
    }
    out
}

#[test]
fn a_stream_gives_the_same_messages_wherever_it_is_cut() {
    for c in cases() {
        let whole = frames(&[&c.data]);
        for cut in 1..c.data.len() {
            assert_eq!(frames(&[&c.data[..cut], &c.data[cut..]]), whole, "{} cut at {cut}", c.name);
        }
    }
}

#[test]
fn two_messages_in_one_segment_are_the_two_messages() {
    // Messages without a certain end are left out: they close the stream, which the test above shows.
    let certain = |c: &Case| frames(&[&c.data]).iter().all(|f| !f.starts_with("over") && !f.starts_with("waiting"));
    let all: Vec<Case> = cases().into_iter().filter(certain).collect();
    assert!(all.len() > 50, "{}", all.len());
    for (i, a) in all.iter().enumerate() {
        let b = &all[(i + 7) % all.len()];
        let want = [frames(&[&a.data]), frames(&[&b.data])].concat();
        let both = [&a.data[..], &b.data[..]].concat();
        for cut in (0..both.len()).step_by(61) {
            assert_eq!(frames(&[&both[..cut], &both[cut..]]), want, "{} + {} cut at {cut}", a.name, b.name);
        }
    }
}

#[test]
fn what_the_datagram_says_the_stream_says_too() {
    for c in cases().iter().filter(|c| c.wire) {
        let datagram = Message::parse_datagram(Bytes::from(c.data.clone())).map(|m| format!("{:?}", m.write()));
        let stream = frames(&[&c.data]);
        match datagram {
            Ok(text) => {
                let same = stream.first() == Some(&text);
                // Without a Content-Length only a datagram has an end (RFC 3261 20.14).
                assert!(same || c.name.ends_with("/inv2543.dat"), "{}: {stream:?}", c.name);
            }
            Err(e) => {
                let refused = |f: &String| ["over: ", "broken: ", "waiting "].iter().any(|w| f.starts_with(w));
                assert!(stream.first().is_some_and(refused), "{}: {e}", c.name);
            }
        }
    }
}

#[test]
fn the_tortuous_invite_reads_as_its_author_meant() {
    let m = torture("wsinv");
    assert_eq!(m.max_forwards(), 68);
    assert_eq!(m.cseq().unwrap().to_string(), "9 INVITE");
    assert_eq!(m.call_id().unwrap(), "wsinv.ndaksdj@192.0.2.1");
    assert_eq!(m.from().unwrap().display, r#"J Rosenberg \""#);
    assert_eq!(m.from_tag().as_deref(), Some("98asjd8"));
    assert_eq!(
        m.vias().unwrap().iter().map(|v| v.host.to_string()).collect::<Vec<_>>(),
        ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
    );
    assert!(m.vias().unwrap()[1].is_rfc3261() && !m.vias().unwrap()[0].is_rfc3261());
    assert_eq!(m.headers.get(&Name::from("UnknownHeaderWithUnusualValue")).unwrap(), ";;,,;;,;");
    assert_eq!(m.headers.get(&Name::Subject).unwrap(), "");
    assert_eq!(m.contact().unwrap().display, r#"Quoted string """#);
}

#[test]
fn escapes_are_what_they_are_and_nothing_else() {
    let m = torture("esc01");
    let uri = m.uri().unwrap();
    assert_eq!(uri.user(), "sips:user@example.com");
    assert!(m.write().starts_with(b"INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n"));
    assert_eq!(torture("esc02").method(), Some(&Method::Other("RE%47IST%45R".into())));
    assert!(torture("esc02").headers.has(&Name::from("C%6Fntact")) && torture("esc02").headers.count(&Name::Contact) == 2);
    let super::Contacts::List(contacts) = torture("escnull").contacts().unwrap() else { panic!() };
    assert_eq!(contacts.len(), 2);
    assert_eq!(contacts[0].uri.user(), "\0");
    assert!(!contacts[0].uri.same(&contacts[1].uri));
    assert_eq!(torture("semiuri").uri().unwrap().user(), "user;par=u@example.net");
    let m = torture("cparam01");
    assert!(m.contact().unwrap().params.has("unknownparam") && m.contact().unwrap().uri.sip().unwrap().params.is_empty());
    assert!(torture("cparam02").contact().unwrap().uri.sip().unwrap().params.has("unknownparam"));
    let contact = torture("regescrt").contact().unwrap();
    assert!(!contact.uri.sip().unwrap().for_request().to_string().contains("Route"));
    assert_eq!(torture("mpart01").body.len(), 553);
    assert!(torture("mpart01").write().ends_with(&torture("mpart01").body));
    assert!(torture("unreason").reason().unwrap().chars().count() < torture("unreason").reason().unwrap().len());
}

#[test]
fn an_ipv6_address_is_not_cut_at_its_last_colon() {
    let port = |name: &str| torture(name).uri().unwrap().sip().map(|u| (u.host.to_string(), u.port)).unwrap();
    assert_eq!(port("port-ambiguous"), ("[2001:db8::10:5070]".into(), None));
    assert_eq!(port("port-unambiguous"), ("[2001:db8::10]".into(), Some(5070)));
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        assert_eq!(torture(name).top_via().unwrap().received(), "2001:db8::9:255".parse().ok(), "{name}");
    }
    assert_eq!(port("ipv6-bug-abnf-3-colons"), port("ipv6-correct-abnf-2-colons"));
}

#[test]
fn the_answer_to_an_unbalanced_quote_goes_to_the_port_its_via_names() {
    let case = cases().into_iter().find(|c| c.name.ends_with("/quotbal.dat")).unwrap();
    let error = Message::parse_datagram(Bytes::from(case.data)).unwrap_err();
    let (answer, to) = error.answer(from()).unwrap();
    assert_eq!((to.ip(), to.port()), (from().ip(), 5050));
    assert_eq!(answer.call_id().unwrap(), "quotbal.aksdj");
    assert_eq!(answer.top_via().unwrap().received(), Some(from().ip()));
    // To could not be read here; where it can, the answer has a tag, the same one each time.
    let case = cases().into_iter().find(|c| c.name.ends_with("/clerr.dat")).unwrap();
    let tag = || {
        let error = Message::parse_datagram(Bytes::from(case.data.clone())).unwrap_err();
        error.answer(from()).unwrap().0.to_tag().unwrap()
    };
    assert_eq!(tag(), tag());
}

/// Changes a few bytes the way networks, bugs and attackers do.
fn mutate(data: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    const SPICE: [&[u8]; 16] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b":",
        b";",
        b",",
        b"\"",
        b"<",
        b">",
        b"%",
        b"@",
        b"=",
        b"[",
        b"99999999999",
        b"\xff\xfe",
    ];
    let mut d = data.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(d.len() as u64 + 1) as usize;
        match rng.below(6) {
            0 if at < d.len() => d[at] ^= 1 << rng.below(8),
            1 => d.truncate(at),
            2 => drop(d.drain(at..(at + rng.below(20) as usize).min(d.len()))),
            3 => {
                let to = (at + rng.below(60) as usize).min(d.len());
                let again = d[at..to].to_vec();
                drop(d.splice(at..at, again));
            }
            4 => {
                let cut = rng.below(other.len() as u64) as usize;
                let end = (cut + rng.below(80) as usize).min(other.len());
                drop(d.splice(at..at, other[cut..end].iter().copied()));
            }
            _ => drop(d.splice(at..at, SPICE[rng.below(16) as usize].iter().copied())),
        }
    }
    d
}

/// Reads everything that can be read, so that a panic anywhere shows.
fn read_everything(m: &Message) {
    let _ = (check(m), m.from(), m.to(), m.cseq(), m.vias(), m.top_via(), m.contacts(), m.routes(), m.record_routes());
    let _ = (m.expires(), m.max_forwards(), m.content_type(), m.require(), m.supported(), m.credentials(&Name::Authorization));
    if let Some(uri) = m.uri() {
        assert!(uri.same(uri) || matches!(uri, Uri::Tel(_)), "{uri}");
    }
}

#[test]
fn twenty_thousand_broken_messages_break_nothing() {
    let all = cases();
    let mut rng = Rng::seeded(4475);
    let mut taken = 0;
    for round in 0..20_000 {
        let pick = |rng: &mut Rng| &all[rng.below(all.len() as u64) as usize].data;
        let (data, other) = (pick(&mut rng), pick(&mut rng));
        let broken = mutate(data, other, &mut rng);
        match Message::parse_datagram(Bytes::from(broken.clone())) {
            Ok(m) => {
                taken += 1;
                read_everything(&m);
                let wire = m.write();
                let again = Message::parse_datagram(wire.clone()).unwrap_or_else(|e| panic!("round {round}: {e}: {wire:?}"));
                assert_eq!(again.write(), wire, "round {round}");
            }
            Err(e) => {
                if let Some((answer, _)) = e.answer(from()) {
                    let text = answer.write();
                    let head = text.windows(4).position(|w| w == b"\r\n\r\n");
                    assert_eq!(head, Some(text.len() - 4), "round {round}: an answer is one message: {text:?}");
                }
            }
        }
        let mut framer = Framer::new();
        for piece in broken.chunks(1 + rng.below(500) as usize) {
            framer.push(piece);
            while framer.next().is_some() {}
        }
    }
    assert!(taken > 2_000, "{taken}");
}
