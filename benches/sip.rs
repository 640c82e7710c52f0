//! What a SIP message costs: parsing, reading the headers every transaction needs, writing; `rsip` beside it in the same run.
//!
//! `cargo bench --no-default-features --bench sip`

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringdesk::sip::msg::{Message, frame::Framer};
use rsip::message::HeadersExt;
use rsip::prelude::*;

/// A call as a carrier's border controller sends it: about 1 KB with its SDP.
fn invite() -> Vec<u8> {
    let sdp = "v=0\r\no=- 1795406706 1795406706 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n\
        m=audio 31522 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";
    let head = "INVITE sip:4000@pbx.example.com:5060;user=phone SIP/2.0\r\n\
        Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bK74bf9a1c2d3e4f50;rport\r\n\
        Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK00112233445566;received=198.51.100.9\r\n\
        Max-Forwards: 69\r\nRecord-Route: <sip:198.51.100.10;lr>\r\n\
        From: \"Carrier Customer\" <sip:3265551234@carrier.example.net>;tag=9fxced76sl\r\n\
        To: <sip:4000@pbx.example.com>\r\nCall-ID: 3848276298220188511@198.51.100.9\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:3265551234@198.51.100.9:5060>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n\
        Supported: 100rel, timer\r\nSession-Expires: 1800\r\nUser-Agent: Border/7.4\r\n\
        P-Asserted-Identity: <sip:3265551234@carrier.example.net>\r\nContent-Type: application/sdp\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{sdp}", sdp.len()).into_bytes()
}

fn ours_typed(m: &Message) -> bool {
    m.top_via().is_ok() && m.from().is_ok() && m.to().is_ok() && m.cseq().is_ok() && m.contact().is_ok()
}

fn theirs_typed(m: &rsip::SipMessage) -> bool {
    m.via_header().is_ok_and(|h| h.typed().is_ok())
        && m.from_header().is_ok_and(|h| h.typed().is_ok())
        && m.to_header().is_ok_and(|h| h.typed().is_ok())
        && m.cseq_header().is_ok_and(|h| h.typed().is_ok())
        && m.contact_header().is_ok_and(|h| h.typed().is_ok())
}

fn sip(c: &mut Criterion) {
    let wire = Bytes::from(invite());
    let ours = Message::parse_datagram(wire.clone()).expect("a well-formed INVITE");
    let theirs = rsip::SipMessage::try_from(&wire[..]).expect("a well-formed INVITE");
    assert!(ours_typed(&ours) && theirs_typed(&theirs));

    let mut group = c.benchmark_group("sip");
    group.throughput(Throughput::Bytes(wire.len() as u64));
    group.bench_function("parse", |b| b.iter(|| Message::parse_datagram(black_box(wire.clone()))));
    group.bench_function("parse, rsip", |b| b.iter(|| rsip::SipMessage::try_from(black_box(&wire[..]))));
    group.bench_function("parse and read", |b| {
        b.iter(|| Message::parse_datagram(black_box(wire.clone())).is_ok_and(|m| ours_typed(&m)));
    });
    group.bench_function("parse and read, rsip", |b| {
        b.iter(|| rsip::SipMessage::try_from(black_box(&wire[..])).is_ok_and(|m| theirs_typed(&m)));
    });
    group.bench_function("write", |b| b.iter(|| black_box(&ours).write()));
    group.bench_function("write, rsip", |b| b.iter(|| black_box(&theirs).to_string()));
    group.bench_function("response", |b| b.iter(|| Message::response_to(black_box(&ours), 180, "").write()));
    group.bench_function("frame and parse", |b| {
        b.iter(|| {
            let mut framer = Framer::new();
            framer.push(black_box(&wire));
            framer.next()
        });
    });
    group.finish();
}

criterion_group!(benches, sip);
criterion_main!(benches);
