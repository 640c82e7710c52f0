//! A call by a carrier over TLS, and a server that is killed in the middle of it: the carrier hears of it from the next one.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::server::{
    PATIENCE, Program,
    authority::{Authority, For, Pair},
    outward::{OUT, applies, business, calls},
};

/// A message and its header of a name.
struct Heard(String);

impl Heard {
    fn head(&self, name: &str) -> &str {
        let of = |l: &'_ str| l.split_once(':').is_some_and(|(n, _)| n.eq_ignore_ascii_case(name));
        self.0.lines().find(|l| of(l)).map_or("", |l| l[name.len() + 1..].trim())
    }

    /// The answer to it.
    fn answered(&self, more: &str, body: &str) -> String {
        let to = self.head("To");
        let tag = if to.contains(";tag=") { "" } else { ";tag=carrier" };
        format!(
            "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            self.head("Via"),
            self.head("From"),
            self.head("Call-ID"),
            self.head("CSeq"),
            body.len()
        )
    }
}

/// One connection of the carrier: everything is answered and told.
async fn serve(mut tls: TlsStream<TcpStream>, port: u16, told: mpsc::UnboundedSender<Heard>) {
    let mut kept = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let Ok(n @ 1..) = tls.read(&mut part).await else { return };
        kept.extend_from_slice(&part[..n]);
        while let Some(end) = kept.windows(4).position(|w| w == b"\r\n\r\n") {
            let heard = Heard(String::from_utf8_lossy(&kept[..end]).into_owned());
            let length: usize = heard.head("Content-Length").parse().unwrap_or(0);
            if kept.len() < end + 4 + length {
                break;
            }
            kept.drain(..end + 4 + length);
            let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
            let more = format!("Contact: <sip:carrier@127.0.0.1:{port};transport=tls>\r\nContent-Type: application/sdp\r\n");
            let answer = match heard.0.split(' ').next() {
                Some("INVITE") => heard.answered(&more, sdp),
                Some("ACK") | None => String::new(),
                Some(_) => heard.answered("", ""),
            };
            // Who was killed hears nothing.
            let _ = tls.write_all(answer.as_bytes()).await;
            let _ = told.send(heard);
        }
    }
}

async fn hears(told: &mut mpsc::UnboundedReceiver<Heard>, method: &str) -> Heard {
    loop {
        let heard = tokio::time::timeout(PATIENCE, told.recv()).await.expect("something is said").unwrap();
        if heard.0.starts_with(method) {
            return heard;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_over_tls_gets_its_bye_from_the_server_that_was_started_again() {
    let _ = rustls::crypto::ring::default_provider().install_default(); // somebody else was first: just as good
    let authority = Authority::new("carriers");
    let Pair { cert, key } = authority.makes(For::Pages);
    let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let tls = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, mut told) = mpsc::unbounded_channel();
    let carrier = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            tokio::spawn(async move {
                if let Ok(tls) = acceptor.accept(stream).await {
                    serve(tls, port, tell).await;
                }
            });
        }
    });

    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("flows")).unwrap();
    std::fs::write(path("flows/main.yaml"), OUT).unwrap();
    std::fs::write(path("ca.pem"), &authority.pem).unwrap();
    let config = format!(
        "[sip]\ntls = \"127.0.0.1:0\"\n[tls]\nca = {:?}\n[flows]\ndir = {:?}\n",
        path("ca.pem").display().to_string(),
        path("flows").display().to_string()
    );
    std::fs::write(path("ringdesk.toml"), config).unwrap();
    let file = path("ringdesk.toml").display().to_string();
    let first = Program::starts_with(&path("data"), &["--config", &file]);
    // By its name: the certificate is for that, not for the address.
    let trunk = format!("{{host: \"localhost:{port}\", transport: tls, caller_id: \"+3228880000\"}}");
    applies(
        &first.key(),
        business(
            &trunk,
            "{match: \"4000\", to: {flow: main}, from: public}\n      - {match: \"+*\", to: {trunk: {trunk: other}}}",
        ),
    )
    .await;
    let caller = tokio::spawn(calls(first.sip, "cut"));
    let invite = hears(&mut told, "INVITE").await;
    hears(&mut told, "ACK").await;
    // Whatever was known before this ticket is kept when the ticket is.
    first.key().post("/api/v1/tickets", json!({"title": "A mark", "priority": "high"})).await;
    first.killed();

    let second = Program::starts_with(&path("data"), &["--config", &file]);
    let bye = hears(&mut told, "BYE").await;
    assert_eq!(bye.head("Call-ID"), invite.head("Call-ID"));
    assert!(bye.head("To").contains("tag=carrier") && bye.head("Reason").contains("server_restart"), "{}", bye.0);
    assert!(bye.head("From").split("tag=").nth(1) == invite.head("From").split("tag=").nth(1));
    caller.abort();
    carrier.abort();
    assert!(second.stops());
}
