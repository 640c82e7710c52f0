//! Messages and their parts: `message`, `stream`, `uri`, `headers`, `multipart`, `websocket`.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use ringdesk::{
    base::{Mono, Now, NumberPattern, Rng, TenantId, Wall, secs},
    sip::{
        msg::{
            AuthHeader, CSeq, Contacts, Headers, Message, Name, NameAddr, Params, SipUri, Uri, Via, check as judge,
            frame::{Frame, Framer},
            scan,
        },
        stack::{Action, Event, Input, Output, SipSettings, Stack, Timers},
        transport::{ConnId, Flow, Transport},
    },
};

/// What an answer to a message that cannot be read may be longer than it, bytes: tag, `received`, the reason.
const ANSWER_GROWTH: usize = 512;

fn stranger() -> std::net::SocketAddr {
    ([192, 0, 2, 99], 40_000).into()
}

/// Target `message`: one datagram.
pub fn check(data: &[u8]) {
    match Message::parse_datagram(Bytes::copy_from_slice(data)) {
        Ok(first) => {
            read_everything(&first);
            let wire = first.write();
            let second = Message::parse_datagram(wire.clone()).unwrap_or_else(|e| panic!("does not read back: {e}: {wire:?}"));
            assert_eq!((&first.start, first.version, &first.body), (&second.start, second.version, &second.body));
            assert_eq!(lines(&first), lines(&second), "a header changed on the way");
            assert_eq!(second.write(), wire, "written twice is not the same");
        }
        Err(e) => {
            let Some((answer, to)) = e.answer(stranger()) else { return };
            let text = answer.write();
            let head = text.windows(4).position(|w| w == b"\r\n\r\n");
            assert_eq!(head, Some(text.len() - 4), "an answer is one message: {text:?}");
            assert_eq!(to.ip(), stranger().ip(), "an answer goes to who asked");
            assert!(text.len() <= data.len() + ANSWER_GROWTH, "{} bytes answered with {}", data.len(), text.len());
        }
    }
}

fn lines(m: &Message) -> Vec<(Name, Bytes)> {
    let kept = m.headers.iter().filter(|(n, _)| **n != Name::ContentLength);
    kept.map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// Every typed view there is, each read back from what it writes.
fn read_everything(m: &Message) {
    let _ = (judge(m), m.cseq(), m.routes(), m.record_routes(), m.require(), m.supported(), m.content_type());
    let _ = (m.expires(), m.max_forwards(), m.seconds(&Name::RetryAfter), m.credentials(&Name::Authorization));
    for via in m.vias().into_iter().flatten() {
        assert_eq!(Via::parse(&via.to_string()), Ok(via));
    }
    let contacts = match m.contacts() {
        Ok(Contacts::List(list)) => list,
        _ => Vec::new(),
    };
    for address in contacts.into_iter().chain(m.from().ok()).chain(m.to().ok()) {
        assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
    }
    if let Some(uri) = m.uri() {
        assert!(uri.same(uri), "{uri} is not itself");
    }
}

fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut framer, mut out, mut pushed) = (Framer::new(), Vec::new(), 0);
    for piece in pieces {
        framer.push(piece);
        pushed += piece.len();
        while let Some(frame) = framer.next() {
            out.push(match frame {
                Ok(Frame::Message(Ok(m))) => format!("{:?}", m.write()),
                Ok(Frame::Message(Err(e))) => format!("broken: {e}"),
                Ok(other) => format!("{other:?}"),
                Err(e) => format!("over: {e}"),
            });
        }
        assert!(framer.buffered() <= pushed, "more is kept than came");
    }
    if framer.is_mid_message() {
        out.push(format!("waiting with {} bytes", framer.buffered()));
    }
    out
}

/// Target `stream`: whole, byte by byte, in halves at a dozen places, in pieces of one length.
pub fn stream(data: &[u8]) {
    let whole = frames(std::iter::once(data));
    assert_eq!(frames(data.chunks(1)), whole, "byte by byte");
    for cut in (1..data.len()).step_by(1 + data.len() / 12) {
        assert_eq!(frames([&data[..cut], &data[cut..]].into_iter()), whole, "cut at {cut}");
    }
    let size = data.first().map_or(1, |b| 1 + usize::from(*b));
    assert_eq!(frames(data.chunks(size)), whole, "in pieces of {size}");
}

/// Target `uri`: as an address, and as the plain text of a user, a parameter, a header.
pub fn uri(data: &[u8]) {
    let text = scan::text(data);
    if let Ok(uri) = Uri::parse(&text) {
        let written = uri.to_string();
        assert_eq!(Uri::parse(&written).as_ref(), Ok(&uri), "{written}");
        assert!(uri.same(&uri), "{uri} is not itself");
        if let Some(sip) = uri.sip() {
            let asked = sip.for_request();
            assert!(asked.headers.is_none() && !asked.params.has("method"), "{asked}");
        }
    }
    let mut ours = SipUri::new(Some(&text), std::net::IpAddr::from([192, 0, 2, 1]), Some(5060));
    ours.set_param("x", &text);
    ours.add_header("Replaces", &text);
    let read = Uri::parse(&ours.to_string()).unwrap_or_else(|e| panic!("{e}: {ours}"));
    assert_eq!(read, Uri::Sip(ours), "what we write reads back");
    let Uri::Sip(read) = read else { unreachable!("it was written as one") };
    assert_eq!(read.user().unwrap_or_default(), text, "the user");
    assert_eq!(read.header("replaces").as_deref(), Some(&*text), "the header");
    assert_eq!(read.params.iter().count(), 1, "one parameter: {read}");
}

/// Target `headers`: the first byte chooses which.
pub fn headers(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let raw = scan::text(rest);
    // What is read has come in one line; what is written may be anything.
    let text = one_line(&raw);
    match kind % 6 {
        0 => name_addr(&text, &raw),
        1 => {
            let Ok(mut via) = Via::parse(&text) else { return };
            assert_eq!(Via::parse(&via.to_string()).as_ref(), Ok(&via));
            via.stamp(stranger());
            let read = Via::parse(&via.to_string()).unwrap_or_else(|e| panic!("{e}: {via}"));
            let asked = read.rport().is_some();
            let elsewhere = read.host.ip() != Some(stranger().ip());
            assert_eq!(read.received(), (asked || elsewhere).then_some(stranger().ip()), "{read}");
            assert!(!asked || read.rport() == Some(Some(stranger().port())), "{read}");
        }
        2 => {
            let Ok(auth) = AuthHeader::parse(&text) else { return };
            assert_eq!(AuthHeader::parse(&auth.to_string()), Ok(auth));
        }
        3 => {
            let Ok(cseq) = CSeq::parse(&text) else { return };
            assert_eq!(CSeq::parse(&cseq.to_string()), Ok(cseq));
        }
        4 => {
            let Ok(params) = Params::parse(&text) else { return };
            assert_eq!(Params::parse(params.to_string().trim_start_matches(';')), Ok(params));
        }
        _ => {
            let auth = AuthHeader::digest().set("realm", &raw).set_plain("opaque", &raw);
            let read = AuthHeader::parse(&auth.to_string()).unwrap_or_else(|e| panic!("{e}: {auth}"));
            let both = (read.get("realm"), read.get("opaque"));
            assert_eq!((both.0.as_deref(), both.1.as_deref()), (Some(&*text), Some(&*text)));
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

fn name_addr(text: &str, name: &str) {
    if let Ok(address) = NameAddr::parse(text) {
        assert_eq!(NameAddr::parse(&address.to_string()), Ok(address));
    }
    let uri = Uri::parse("sip:a@h").expect("a URI");
    let ours = NameAddr::new(uri).with_display(name).with_tag("1");
    let read = NameAddr::parse(&ours.to_string()).unwrap_or_else(|e| panic!("{e}: {ours}"));
    assert_eq!((read.display, read.params.get("tag").as_deref()), (one_line(name), Some("1")), "a name is a name");
}

/// Target `multipart`: the first byte says what kind, and where a description of ours stands among what follows; the rest is a body,
/// and the content of the parts beside ours.
pub fn multipart(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else { return };
    let kind = ["mixed", "alternative", "related", "x-unknown"][usize::from(how & 3)];
    let mut given = with_body(&format!("multipart/{kind};boundary=b"), rest);
    for disposition in ["", "session", "render;handling=optional"] {
        if !disposition.is_empty() {
            given.headers.set(Name::ContentDisposition, disposition);
        }
        match given.session() {
            Ok(Some(found)) => {
                let inside = given.body.as_ptr_range();
                assert!(
                    inside.contains(&found.as_ptr()) && found.len() < rest.len(),
                    "{} of {} bytes",
                    found.len(),
                    rest.len()
                );
                assert!(!found.windows(5).any(|w| w == b"\n--b\n"), "a boundary inside: {found:?}");
            }
            Ok(None) => {}
            Err(why) => assert!(!disposition.ends_with("optional"), "{why}: and it may be passed over"),
        }
    }
    // Ours beside whatever they are: found to the last byte, or nothing is.
    let ours = b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n";
    let place = usize::from(how >> 2) % 4;
    let mut body = Vec::new();
    let mut content = rest.chunks(1 + rest.len() / 3);
    for n in 0..4 {
        body.extend_from_slice(b"--=_our own\r\n");
        if n == place {
            body.extend_from_slice(b"Content-Type: application/sdp\r\n\r\n");
            body.extend_from_slice(ours);
        } else {
            body.extend_from_slice(b"Content-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n\r\n");
            body.extend_from_slice(content.next().unwrap_or_default());
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--=_our own--");
    let made = with_body("multipart/mixed; boundary=\"=_our own\"", &body);
    if !rest.windows(5).any(|w| w == b"--=_o") {
        assert_eq!(made.session().as_ref().map(|s| s.as_deref()), Ok(Some(&ours[..])), "{body:?}");
    }
}

fn with_body(kind: &str, body: &[u8]) -> Message {
    let mut m =
        Message::request(ringdesk::sip::msg::Method::Invite, SipUri::new(None, std::net::IpAddr::from([192, 0, 2, 1]), None));
    m.set_body(kind, body.to_vec());
    m
}

/// Target `websocket`: frames (two bytes of length, then the frame) from one browser to a stack, then silence.
pub fn websocket(data: &[u8]) {
    let demo = TenantId::parse("demo").expect("a tenant");
    let settings = SipSettings {
        default_tenant: Some(demo.clone()),
        realms: BTreeMap::from([(demo.clone(), "demo".to_owned())]),
        public_numbers: vec![(demo, NumberPattern::parse("4*").expect("a pattern"))],
        ..SipSettings::default()
    };
    let mut stack = Stack::new(Arc::new(settings), Rng::seeded(7), Timers::default());
    let mut now = Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) };
    let flow = Flow {
        transport: Transport::Ws,
        local: ([192, 0, 2, 1], 8080).into(),
        remote: stranger(),
        conn: Some(ConnId(1)),
        peer: None,
    };
    let (mut out, mut rest, mut taken) = (Vec::new(), data, 0);
    while let Some(([high, low], behind)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low]) % 4096).min(behind.len());
        let (frame, behind) = behind.split_at(length);
        rest = behind;
        taken += 1;
        let message = Message::parse_datagram(Bytes::copy_from_slice(frame));
        now = now.later(secs(1));
        stack.handle(now, Input::Received { message, source: flow }, &mut out);
        let seen = stack.counters();
        assert!(seen.transactions <= 2 * taken && seen.dialogs <= taken, "{taken} frames made {seen:?}");
    }
    now = now.later(secs(1));
    stack.handle(now, Input::Closed { conn: ConnId(1) }, &mut out);
    // Upstairs takes no call.
    let rings = |o: &Output| match o {
        Output::Event(Event::Incoming { dialog, .. }) => Some(*dialog),
        _ => None,
    };
    for dialog in out.iter().filter_map(rings).collect::<Vec<_>>() {
        let (reason, headers) = (String::new(), Headers::new());
        let action = Action::Respond { dialog, code: 480, reason, headers, body: None };
        stack.handle(now, Input::Do(action), &mut out);
    }
    for sent in &out {
        let Output::Send { flow: way, bytes } = sent else { continue };
        assert_eq!((way.transport, way.conn, way.remote), (flow.transport, flow.conn, flow.remote), "sent elsewhere");
        Message::parse_datagram(bytes.clone()).map_or_else(|e| answers_nonsense(&e, bytes), drop);
    }
    let mut ticks = 0;
    while let Some(at) = stack.deadline() {
        now = now.later(at.since(now.mono));
        stack.handle(now, Input::Tick, &mut out);
        ticks += 1;
        assert!(ticks < 10_000, "timers never end");
    }
    let left = stack.counters();
    assert_eq!((left.transactions, left.dialogs), (0, 0), "something outlived its connection");
}

/// A refusal of what could not be read repeats what could not be read; nothing else we send may be broken.
fn answers_nonsense(e: &dyn std::fmt::Display, bytes: &Bytes) {
    assert!(bytes.starts_with(b"SIP/2.0 4") || bytes.starts_with(b"SIP/2.0 5"), "we sent garbage: {e}: {bytes:?}");
}
