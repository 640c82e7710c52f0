//! A server that leads whoever calls 4000 out by a trunk, and somebody who calls.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::{Desk, PATIENCE};

/// A flow that hands every caller to a number outside.
pub const OUT: &str = r#"
flow: main
schema: 1
channels: [voice]
languages: [en-US]
start: outside
nodes:
  outside:
    transfer: {number: "+32470000009", timeout: 20s}
    when: {answered: end, no_answer: end, busy: end, failed: end}
    on_error: end
  end: {hangup: }
"#;

/// One trunk, one route, and the people the demo has.
pub fn business(trunk: &str, route: &str) -> String {
    format!(
        "tenants:\n  demo:\n    country: \"32\"\n    trunk_prefix: \"0\"\n    trunks:\n      other: {trunk}\n    routes:\n      - {route}\n    \
         routing:\n      queues: {{support: {{}}}}\n      agents: {{anna: {{}}, ben: {{}}, chen: {{}}, susan: {{}}}}\n"
    )
}

/// Puts a configuration in force.
pub async fn applies(desk: &Desk, yaml: String) {
    let mut request = desk.http.put(format!("http://{}/api/v1/config", desk.at)).body(yaml);
    for (name, value) in &desk.headers {
        request = request.header(name, value);
    }
    let answer = request.header("content-type", "application/yaml").send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(status, 200, "{}", answer.text().await.unwrap());
}

/// Somebody calls 4000 and stays until the other end hangs up.
pub async fn calls(sip: SocketAddr, name: &str) {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let me = udp.local_addr().unwrap();
    let sdp =
        format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n", me.port());
    let start = |method: &str, to: &str, branch: &str| {
        format!(
            "{method} sip:4000@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK{name}{branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:+32470000001@{me}>;tag=a\r\nTo: {to}\r\nCall-ID: {name}@{me}\r\nCSeq: 1 {method}\r\nContact: <sip:me@{me}>\r\n"
        )
    };
    let invite = start("INVITE", &format!("<sip:4000@{sip}>"), "one");
    let invite = format!("{invite}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
    udp.send_to(invite.as_bytes(), sip).await.unwrap();
    let mut buf = vec![0; 65_536];
    loop {
        let (n, from) = tokio::time::timeout(PATIENCE, udp.recv_from(&mut buf)).await.expect("something is said").unwrap();
        let text = String::from_utf8_lossy(&buf[..n]).into_owned();
        let head = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        if text.starts_with("SIP/2.0 200") {
            let ack = start("ACK", &head("To:"), "two") + "Content-Length: 0\r\n\r\n";
            udp.send_to(ack.as_bytes(), sip).await.unwrap();
        } else if text.starts_with("BYE") {
            let ok = text.replacen(text.lines().next().unwrap(), "SIP/2.0 200 OK", 1);
            udp.send_to(ok.as_bytes(), from).await.unwrap();
            return;
        }
    }
}
