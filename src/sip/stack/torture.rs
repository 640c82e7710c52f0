//! The torture messages of RFC 4475 and 5118 through the whole stack: each request gets exactly one final answer, of the codes
//! its index allows, and a plain OPTIONS is answered after each.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;

use super::*;
use crate::{
    base::{Wall, secs},
    sip::{
        auth::Ha1,
        msg::{
            Message, Method, Name,
            frame::{Frame, Framer},
        },
        transport::{ConnId, Flow},
    },
};

fn stack() -> Stack {
    let demo = TenantId::parse("demo").unwrap();
    let settings = SipSettings {
        domains: [("example.com".to_owned(), demo.clone())].into(),
        default_tenant: Some(demo.clone()),
        realms: [(demo.clone(), "example.com".to_owned())].into(),
        users: [((demo, "user".to_owned()), Ha1::new("user", "example.com", "pw"))].into(),
        ..SipSettings::default()
    };
    Stack::new(Arc::new(settings), Rng::seeded(1), Timers::default())
}

/// The final answers, and the events, to one datagram.
fn answers(stack: &mut Stack, now: Now, data: &[u8]) -> Vec<(u16, std::net::SocketAddr, usize)> {
    let source = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 99], 40_000).into());
    let mut out = Vec::new();
    let message = Message::parse_datagram(Bytes::copy_from_slice(data));
    stack.handle(now, Input::Received { message, source }, &mut out);
    out.into_iter()
        .map(|o| match o {
            Output::Send { flow, bytes } => {
                // Not parsed: the answer to garbage carries the garbage back in its headers.
                let code = std::str::from_utf8(&bytes[8..11]).unwrap().parse().expect("a status line");
                (code, flow.remote, bytes.len())
            }
            Output::Event(e) => panic!("a torture message made an event: {e:?}"),
        })
        .filter(|(code, ..): &(u16, _, _)| *code >= 200)
        .collect()
}

#[test]
fn every_torture_message_is_answered_as_its_index_says_and_the_stack_lives_on() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture");
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("index.json")).unwrap()).unwrap();
    let mut stack = stack();
    let mut now = Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) };
    let mut wrong = Vec::new();
    for (i, case) in index["messages"].as_array().unwrap().iter().enumerate() {
        let file = case["file"].as_str().unwrap();
        if !case["wire_ready"].as_bool().unwrap_or(true) {
            continue;
        }
        let data = std::fs::read(dir.join(file)).unwrap();
        let got = answers(&mut stack, now, &data);
        let allowed = case["uas_status"].as_array().unwrap();
        let normal = allowed.iter().any(|c| c == "normal");
        let is_request = case["kind"] == "request";
        for (code, to, _) in &got {
            assert_eq!(to.ip().to_string(), "192.0.2.99", "{file}: answers go where the question came from");
            if !(allowed.iter().any(|c| *c == u64::from(*code)) || (normal && *code != 400) || file.ends_with("/test.dat")) {
                wrong.push(format!("{file}: {code}, allowed {allowed:?}"));
            }
        }
        // `test.dat` is no message of the RFC; whatever is said to it, or not, is right.
        let silent = got.is_empty() && is_request && !allowed.is_empty() && !file.ends_with("/test.dat");
        if silent || got.len() > 1 || (!is_request && !got.is_empty()) {
            wrong.push(format!("{file}: {got:?}, allowed {allowed:?}"));
        }
        let alive = format!(
            "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;branch=z9hG4bKalive{i}\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:example.com>\r\nCall-ID: alive{i}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let ok = answers(&mut stack, now, alive.as_bytes());
        assert_eq!((ok.len(), ok[0].0, ok[0].1.port()), (1, 200, 40_000), "after {file}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    now = now.later(secs(300));
    let mut out = Vec::new();
    while stack.deadline().is_some() {
        now = now.later(secs(60));
        stack.handle(now, Input::Tick, &mut out);
    }
    assert_eq!(stack.counters().transactions, 0);
}

#[test]
fn no_method_answers_much_more_than_it_was_asked() {
    let mut stack = stack();
    let now = Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) };
    for (i, method) in ["INVITE", "REGISTER", "OPTIONS", "BYE", "MESSAGE", "SUBSCRIBE", "REFER", "NONSENSE"].iter().enumerate()
    {
        assert!(Method::parse(method).is_some());
        let ask = format!(
            "{method} sip:user@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.99:40000;rport;branch=z9hG4bKm{i}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.99>;tag=12345678\r\nTo: <sip:user@example.com>\r\n\
             Call-ID: 0123456789abcdef{i}\r\nCSeq: 1 {method}\r\nContact: <sip:a@192.0.2.99:40000>\r\nContent-Length: 0\r\n\r\n"
        );
        let got = answers(&mut stack, now, ask.as_bytes());
        assert_eq!(got.len(), 1, "{method}");
        let (code, _, size) = got[0];
        // A challenge in two hashes is the largest thing a stranger can get.
        assert!(size < ask.len() * 5 / 2, "{method}: {code} of {size} bytes for {}", ask.len());
        assert_ne!(code, 200 + u16::from(*method == "OPTIONS") * 1000, "{method} is not for strangers");
    }
}

#[test]
fn an_options_is_answered_with_what_fits_and_with_everything_where_nobody_can_be_meant_but_who_asks() {
    let now = Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) };
    for more in [0, 200, 400, 800] {
        let ask = format!(
            "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.99:40000;rport;branch=z9hG4bKo\r\n\
             From: <sip:a@192.0.2.99>;tag=12345678\r\nTo: <sip:example.com>\r\nCall-ID: 0123456789abcdef\r\n\
             CSeq: 1 OPTIONS\r\nX-More: {}\r\n\r\n",
            "x".repeat(more)
        );
        let [(code, _, size)] = answers(&mut stack(), now, ask.as_bytes())[..] else { panic!("no answer") };
        assert_eq!(code, 200);
        // What every answer repeats, and our tag, is no choice of ours.
        assert!(size <= (ask.len() * 3 / 2).max(330), "{size} bytes for {}", ask.len());
    }
    let (said, _) = over_a_stream([
        b"OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKs\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:example.com>\r\n",
        b"Call-ID: s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
    ]);
    let answer = Message::parse_datagram(said[0].clone()).unwrap();
    for name in [Name::Allow, Name::Accept, Name::Supported, Name::AllowEvents] {
        assert!(answer.headers.has(&name), "{name:?}");
    }
}

/// What a fresh stack says on a connection whose bytes come in these pieces, to the last byte, and whether the connection lives.
fn over_a_stream(pieces: [&[u8]; 2]) -> (Vec<Bytes>, bool) {
    let mut stack = stack();
    let now = Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) };
    let source = Flow { conn: Some(ConnId(1)), ..Flow::tcp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 99], 40_000).into()) };
    let (mut framer, mut out, mut lives) = (Framer::new(), Vec::new(), true);
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next() {
            let message = match frame {
                Ok(Frame::Message(message)) => message,
                Ok(Frame::Ping | Frame::Pong) => continue,
                Err(e) => {
                    lives = false;
                    Err(e.error)
                }
            };
            stack.handle(now, Input::Received { message, source }, &mut out);
        }
    }
    let sent = out.into_iter().map(|o| match o {
        Output::Send { flow, bytes } => {
            assert_eq!(flow.conn, source.conn, "said on the connection it was asked on");
            bytes
        }
        Output::Event(e) => panic!("a torture message made an event: {e:?}"),
    });
    (sent.collect(), lives)
}

#[test]
fn every_torture_message_cut_at_every_byte_of_a_stream_is_answered_byte_by_byte_as_if_it_were_whole() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture");
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("index.json")).unwrap()).unwrap();
    let (mut cuts, mut answered) = (0, 0);
    for case in index["messages"].as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let data = std::fs::read(dir.join(file)).unwrap();
        let whole = over_a_stream([&data, &[]]);
        answered += usize::from(!whole.0.is_empty());
        for cut in 1..data.len() {
            assert_eq!(over_a_stream([&data[..cut], &data[cut..]]), whole, "{file} cut at {cut}");
            cuts += 1;
        }
    }
    assert!(cuts > 30_000 && answered > 40, "{cuts} cuts, {answered} answered");
}
