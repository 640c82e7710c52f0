//! Real sockets on the loopback, ports the system chose, waiting for events and never for time.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
};

use super::*;
use crate::sip::msg::{Method, ParseErrorKind};

pub(super) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Long enough for a busy machine; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for it, and gives up loudly.
pub(super) async fn patiently<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens in time")
}

pub(super) struct Desk {
    pub(super) net: Net,
    pub(super) events: mpsc::Receiver<NetEvent>,
}

impl Desk {
    pub(super) fn open(change: impl FnOnce(&mut NetConfig)) -> Desk {
        let mut config = NetConfig::new(vec![LOOPBACK], vec![LOOPBACK]);
        change(&mut config);
        let (tx, events) = mpsc::channel(64);
        let put = move |event| {
            tx.try_send(event).map_err(|e| match e {
                mpsc::error::TrySendError::Full(event) | mpsc::error::TrySendError::Closed(event) => event,
            })
        };
        Desk { net: Net::start(config, put).unwrap(), events }
    }
    fn udp(&self) -> SocketAddr {
        self.net.udp_addrs()[0]
    }
    fn tcp(&self) -> SocketAddr {
        self.net.tcp_addrs()[0]
    }
    pub(super) async fn event(&mut self) -> NetEvent {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("the net lives")
    }
    pub(super) async fn message(&mut self) -> (Message, Source) {
        match self.event().await {
            NetEvent::Received { message: Ok(message), source } => (message, source),
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn options(call_id: &str, body: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{call_id}\r\nFrom: <sip:b@example.com>;tag=1\r\n\
         To: <sip:a@example.com>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the end of the stream in time");
    rest
}

#[tokio::test]
async fn a_datagram_comes_in_and_its_answer_goes_back_the_same_way() {
    let mut desk = Desk::open(|_| {});
    let phone = UdpSocket::bind(LOOPBACK).await.unwrap();
    phone.send_to(b"\r\n\r\n", desk.udp()).await.unwrap();
    phone.send_to(b"who are you", desk.udp()).await.unwrap();
    phone.send_to(&options("u1", ""), desk.udp()).await.unwrap();
    let (message, source) = desk.message().await;
    assert_eq!(message.method(), Some(&Method::Options));
    assert_eq!(source, Flow::udp(desk.udp(), phone.local_addr().unwrap()));
    desk.net.send(source, Message::response_to(&message, 200, "").write());
    let mut buf = [0; 2000];
    let n = tokio::time::timeout(PATIENCE, phone.recv(&mut buf)).await.unwrap().unwrap();
    assert!(buf[..n].starts_with(b"SIP/2.0 200 OK\r\n"));
    let c = desk.net.counters();
    assert_eq!((c.keepalives, c.garbage, c.received, c.sent), (1, 1, 1, 1));
}

#[tokio::test]
async fn a_broken_request_is_handed_up_with_what_its_answer_needs() {
    let mut desk = Desk::open(|_| {});
    let phone = UdpSocket::bind(LOOPBACK).await.unwrap();
    let broken = String::from_utf8(options("u2", "")).unwrap().replace("CSeq: 1", "CSeq: 99999999999");
    phone.send_to(broken.as_bytes(), desk.udp()).await.unwrap();
    let NetEvent::Received { message: Err(error), source } = desk.event().await else { panic!() };
    let (answer, _) = error.answer(source.remote).unwrap();
    assert_eq!((answer.code(), answer.call_id().unwrap().as_ref()), (Some(400), "u2"));
}

#[tokio::test]
async fn a_stream_cut_at_odd_places_and_two_messages_in_one_segment_are_three_messages() {
    let mut desk = Desk::open(|_| {});
    let mut phone = TcpStream::connect(desk.tcp()).await.unwrap();
    phone.set_nodelay(true).unwrap();
    for piece in options("t1", "hello").chunks(17) {
        phone.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    phone.write_all(&[options("t2", ""), b"\r\n\r\n".to_vec(), options("t3", "x")].concat()).await.unwrap();
    for (id, body) in [("t1", 5), ("t2", 0), ("t3", 1)] {
        let (message, source) = desk.message().await;
        assert_eq!((message.call_id().unwrap().as_ref(), message.body.len()), (id, body));
        assert_eq!((source.transport, source.remote), (Transport::Tcp, phone.local_addr().unwrap()));
    }
    let mut pong = [0; 2];
    tokio::time::timeout(PATIENCE, phone.read_exact(&mut pong)).await.unwrap().unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[tokio::test]
async fn answers_and_our_own_requests_use_the_connection_the_phone_opened() {
    let mut desk = Desk::open(|_| {});
    let mut phone = TcpStream::connect(desk.tcp()).await.unwrap();
    phone.write_all(&options("t1", "")).await.unwrap();
    let (_, source) = desk.message().await;
    desk.net.send(source, Bytes::from_static(b"one "));
    desk.net.send(Flow { conn: None, ..source }, Bytes::from_static(b"two "));
    desk.net.send(Flow { conn: Some(ConnId(999)), ..source }, Bytes::from_static(b"three"));
    let mut got = [0; 13];
    tokio::time::timeout(PATIENCE, phone.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got, b"one two three");
    assert_eq!(desk.net.counters().connections, 1);
    drop(phone);
    let NetEvent::Closed { conn } = desk.event().await else { panic!() };
    assert_eq!((Some(conn), desk.net.counters().connections), (source.conn, 0));
}

#[tokio::test]
async fn a_connection_is_opened_on_demand_and_used_again() {
    let mut desk = Desk::open(|_| {});
    let trunk = TcpListener::bind(LOOPBACK).await.unwrap();
    let flow = Flow::tcp(desk.tcp(), trunk.local_addr().unwrap());
    desk.net.send(flow, Bytes::from(options("o1", "")));
    desk.net.send(flow, Bytes::from(options("o2", "")));
    let (mut stream, _) = tokio::time::timeout(PATIENCE, trunk.accept()).await.unwrap().unwrap();
    let want = [options("o1", ""), options("o2", "")].concat();
    let mut got = vec![0; want.len()];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, want);
    stream.write_all(&options("back", "")).await.unwrap();
    let (message, source) = desk.message().await;
    assert_eq!((message.call_id().unwrap().as_ref(), source.remote), ("back", flow.remote));
    assert_eq!(desk.net.counters().opened, 1);
    desk.net.close(source.conn.unwrap());
    assert!(matches!(desk.event().await, NetEvent::Closed { .. }));
    assert!(closed(&mut stream).await.is_empty());
}

#[tokio::test]
async fn nobody_at_home_is_said_for_every_message_that_waited() {
    let mut desk = Desk::open(|_| {});
    let nobody = TcpListener::bind(LOOPBACK).await.unwrap().local_addr().unwrap();
    let flow = Flow::tcp(desk.tcp(), nobody);
    desk.net.send(flow, Bytes::from_static(b"a"));
    desk.net.send(flow, Bytes::from_static(b"b"));
    for _ in 0..2 {
        let NetEvent::SendFailed { flow: failed, .. } = desk.event().await else { panic!() };
        assert_eq!(failed.remote, nobody);
    }
    let v6 = Flow::udp(desk.udp(), "[::1]:9".parse().unwrap());
    desk.net.send(v6, Bytes::from_static(b"c"));
    let NetEvent::SendFailed { why, .. } = desk.event().await else { panic!() };
    assert_eq!(why, SendError::NoSocket(Transport::Udp));
    for nowhere in ["255.255.255.255:5060", "224.0.1.75:5060", "0.0.0.0:5060", "192.0.2.1:0"] {
        desk.net.send(Flow::udp(desk.udp(), nowhere.parse().unwrap()), Bytes::from_static(b"d"));
        assert!(matches!(desk.event().await, NetEvent::SendFailed { why: SendError::NoHost, .. }), "{nowhere}");
    }
}

#[tokio::test]
async fn garbage_on_a_stream_ends_it_and_a_lost_boundary_is_answered_first() {
    let mut desk = Desk::open(|_| {});
    let mut browser = TcpStream::connect(desk.tcp()).await.unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    assert!(closed(&mut browser).await.is_empty());
    assert!(matches!(desk.event().await, NetEvent::Closed { .. }));

    let mut phone = TcpStream::connect(desk.tcp()).await.unwrap();
    let twice = String::from_utf8(options("t9", "")).unwrap().replace("Content-Length: 0", "Content-Length: 0\r\nl: 5");
    phone.write_all(twice.as_bytes()).await.unwrap();
    let NetEvent::Received { message: Err(error), source } = desk.event().await else { panic!() };
    assert_eq!(error.kind, ParseErrorKind::Header("Content-Length", "said more than once"));
    desk.net.send(source, error.answer(source.remote).unwrap().0.write());
    assert!(closed(&mut phone).await.starts_with(b"SIP/2.0 400 "));
}

#[tokio::test]
async fn what_was_asked_before_the_nonsense_is_still_answered() {
    let mut desk = Desk::open(|_| {});
    let mut phone = TcpStream::connect(desk.tcp()).await.unwrap();
    phone.write_all(&[options("n1", ""), b"and now for something else\r\n".to_vec()].concat()).await.unwrap();
    let (_, source) = desk.message().await;
    // The nonsense has been read with the question, and the answer comes after it.
    while desk.net.counters().unframed == 0 {
        tokio::task::yield_now().await;
    }
    desk.net.send(source, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    assert!(closed(&mut phone).await.starts_with(b"SIP/2.0 200 "));
}

#[tokio::test]
async fn a_silent_connection_half_a_message_and_a_long_pause_are_each_closed() {
    let mut desk = Desk::open(|c| (c.stall, c.idle) = (Duration::from_millis(500), Duration::from_millis(600)));
    let mut pausing = TcpStream::connect(desk.tcp()).await.unwrap();
    pausing.write_all(&options("p", "")).await.unwrap();
    desk.message().await;
    let mut silent = TcpStream::connect(desk.tcp()).await.unwrap();
    let mut half = TcpStream::connect(desk.tcp()).await.unwrap();
    half.write_all(&options("h", "")[..50]).await.unwrap();
    for stream in [&mut silent, &mut half, &mut pausing] {
        assert!(closed(stream).await.is_empty());
        assert!(matches!(desk.event().await, NetEvent::Closed { .. }));
    }
    assert_eq!((desk.net.counters().stalled, desk.net.counters().idled), (2, 1));
}

#[tokio::test]
async fn one_address_cannot_take_all_the_seats() {
    let mut desk = Desk::open(|c| c.streams_per_ip = 2);
    let mut first = TcpStream::connect(desk.tcp()).await.unwrap();
    let mut second = TcpStream::connect(desk.tcp()).await.unwrap();
    for (stream, id) in [(&mut first, "a"), (&mut second, "b")] {
        stream.write_all(&options(id, "")).await.unwrap();
        desk.message().await;
    }
    let mut third = TcpStream::connect(desk.tcp()).await.unwrap();
    assert!(closed(&mut third).await.is_empty());
    assert_eq!(desk.net.counters().refused, 1);
    drop(first);
    assert!(matches!(desk.event().await, NetEvent::Closed { .. }));
    let mut fourth = TcpStream::connect(desk.tcp()).await.unwrap();
    fourth.write_all(&options("d", "")).await.unwrap();
    assert_eq!(desk.message().await.0.call_id().unwrap(), "d");
}

#[tokio::test]
async fn a_full_inbox_loses_datagrams_but_no_stream_message() {
    let mut desk = Desk::open(|_| {});
    let mut phone = TcpStream::connect(desk.tcp()).await.unwrap();
    for i in 0..200 {
        phone.write_all(&options(&format!("t{i}"), "")).await.unwrap();
    }
    for i in 0..200 {
        assert_eq!(desk.message().await.0.call_id().unwrap(), format!("t{i}"));
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_fills_its_own_queue_only() {
    let mut desk = Desk::open(|_| {});
    let mut deaf = TcpStream::connect(desk.tcp()).await.unwrap();
    deaf.write_all(&options("deaf", "")).await.unwrap();
    let (_, source) = desk.message().await;
    let big = Bytes::from(vec![b'x'; 60_000]);
    while desk.net.counters().send_failed == 0 {
        desk.net.send(source, big.clone());
        tokio::task::yield_now().await;
    }
    assert!(matches!(desk.event().await, NetEvent::SendFailed { why: SendError::QueueFull, .. }));
    let mut other = TcpStream::connect(desk.tcp()).await.unwrap();
    other.write_all(&options("other", "")).await.unwrap();
    assert_eq!(desk.message().await.0.call_id().unwrap(), "other");
}

#[tokio::test]
async fn dropping_the_net_frees_its_ports() {
    let desk = Desk::open(|_| {});
    let (udp, tcp) = (desk.udp(), desk.tcp());
    let mut phone = TcpStream::connect(tcp).await.unwrap();
    drop(desk);
    assert!(closed(&mut phone).await.is_empty());
    let mut tries = 0;
    while UdpSocket::bind(udp).await.is_err() {
        tries += 1;
        assert!(tries < 1_000_000, "the port is still taken");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_nobody_takes_comes_back_with_its_branch_and_the_next_one_goes_out() {
    let mut desk = Desk::open(|_| {});
    let closed = std::net::UdpSocket::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let phone = UdpSocket::bind(LOOPBACK).await.unwrap();
    let local = desk.udp();
    // A socket sends once the runtime has seen that it can.
    phone.send_to(&options("hello", ""), local).await.unwrap();
    desk.message().await;
    desk.net.send(Flow::udp(local, closed), Bytes::from(options("gone", "")));
    let NetEvent::Undelivered { method, branch } = desk.event().await else { panic!() };
    assert_eq!((method, branch.as_str()), (Method::Options, "z9hG4bKgone"));
    desk.net.send(Flow::udp(local, closed), Bytes::from(options("again", "")));
    desk.net.send(Flow::udp(local, phone.local_addr().unwrap()), Bytes::from(options("heard", "")));
    let mut buf = [0; 2000];
    let n = phone.recv(&mut buf).await.unwrap();
    assert_eq!(&buf[..n], &options("heard", "")[..]);
    assert_eq!(desk.net.counters().send_failed, 0);
}

#[tokio::test]
async fn each_listener_has_a_list_of_its_own() {
    let inner: Vec<_> = vec!["127.0.0.0/8".parse().unwrap()];
    let closed = Acl { deny: inner.clone(), ..Acl::default() };
    let open = Acl { allow: inner, ..Acl::default() };
    let mut desk = Desk::open(|c| {
        (c.udp, c.tcp) = (vec![LOOPBACK; 2], vec![LOOPBACK; 2]);
        c.doors = Doors { udp: vec![closed.clone(), open.clone()], tcp: vec![closed, open], tls: Vec::new() };
    });
    let phone = UdpSocket::bind(LOOPBACK).await.unwrap();
    for at in desk.net.udp_addrs() {
        phone.send_to(&options("u", ""), at).await.unwrap();
    }
    let (_, source) = desk.message().await;
    assert_eq!(source.local, desk.net.udp_addrs()[1]);
    let [shut, open] = desk.net.tcp_addrs()[..] else { panic!("two were asked for") };
    let mut refused = TcpStream::connect(shut).await.unwrap();
    assert!(patiently(refused.read(&mut [0; 1])).await.is_ok_and(|n| n == 0), "closed before a word is said");
    let mut stream = TcpStream::connect(open).await.unwrap();
    stream.write_all(&options("t", "")).await.unwrap();
    assert_eq!(desk.message().await.1.local, open);
    assert_eq!(desk.net.counters().denied, 2);
}
