//! TLS over real sockets: who is shown which certificate, and whom we believe.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use super::{
    tests::{Desk, LOOPBACK, options},
    *,
};

/// A pair of files of its own, for `localhost`.
fn made(dir: &std::path::Path, name: &str) -> TlsFiles {
    let path = |end: &str| dir.join(format!("{name}-{end}.pem"));
    let files = TlsFiles { cert: path("cert"), key: path("key"), ca: None };
    self_signed(&files, vec!["localhost".into()]).unwrap();
    files
}

fn desk(keys: &Arc<Tls>) -> Desk {
    Desk::open(|c| (c.tls, c.keys) = (vec![LOOPBACK], Some(keys.clone())))
}

/// Connects as a phone that trusts this certificate only.
async fn phone(to: SocketAddr, trusts: &std::path::Path) -> io::Result<TlsStream<TcpStream>> {
    let files = TlsFiles { ca: Some(trusts.to_path_buf()), ..made(trusts.parent().unwrap(), "phone") };
    let trust = Tls::load(files).unwrap().client();
    let name = tls::expected_name(Some("localhost"), to.ip()).unwrap();
    TlsConnector::from(trust).connect(name, TcpStream::connect(to).await?).await
}

#[tokio::test]
async fn a_new_certificate_is_what_the_next_phone_sees_and_the_one_that_is_connected_stays() {
    let dir = tempfile::tempdir().unwrap();
    let files = made(dir.path(), "desk");
    let keys = Arc::new(Tls::load(files.clone()).unwrap());
    let mut desk = desk(&keys);
    let at = desk.net.tls_addrs()[0];
    let first_cert = dir.path().join("first.pem");
    std::fs::copy(&files.cert, &first_cert).unwrap();

    let mut first = phone(at, &first_cert).await.unwrap();
    first.write_all(&options("s1", "")).await.unwrap();
    let (_, source) = desk.message().await;
    assert_eq!(source.transport, Transport::Tls);
    assert!(!keys.reload().unwrap(), "nothing has changed");

    let other = made(dir.path(), "other");
    std::fs::copy(&other.cert, &files.cert).unwrap();
    assert!(keys.reload().is_err(), "a certificate without its key is not taken");
    assert!(phone(at, &first_cert).await.is_ok(), "the one before stays in force");
    std::fs::copy(&other.key, &files.key).unwrap();
    assert!(keys.reload().unwrap());
    assert!(phone(at, &first_cert).await.is_err());
    let _second = phone(at, &other.cert).await.unwrap();

    desk.net.send(source, Bytes::from_static(b"still here"));
    let mut got = [0; 10];
    first.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"still here");
}

#[tokio::test]
async fn a_carrier_is_believed_only_with_a_certificate_for_the_name_it_was_called_by() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = made(dir.path(), "carrier");
    let carrier = TcpListener::bind(LOOPBACK).await.unwrap();
    let at = carrier.local_addr().unwrap();
    let shown = Tls::load(theirs.clone()).unwrap().server();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = carrier.accept().await else { return };
            let acceptor = TlsAcceptor::from(shown.clone());
            tokio::spawn(async move {
                // Whoever does not believe us leaves during the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buf = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut buf).await {
                    if stream.write_all(&buf[..n]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let keys = Arc::new(Tls::load(TlsFiles { ca: Some(theirs.cert), ..made(dir.path(), "desk") }).unwrap());
    let mut desk = desk(&keys);
    let to = |peer| Flow { transport: Transport::Tls, peer, ..Flow::tcp(LOOPBACK, at) };

    desk.net.send(to(Some(desk.net.peer("localhost"))), Bytes::from(options("e1", "")));
    let (message, source) = desk.message().await;
    assert_eq!((message.call_id().unwrap().as_ref(), source.remote), ("e1", at));
    // The same address under another name, and under none: the open connection is not theirs to use.
    for peer in [Some(desk.net.peer("other.example")), None] {
        desk.net.send(to(peer), Bytes::from(options("e2", "")));
        let NetEvent::SendFailed { why: SendError::Handshake(_), .. } = desk.event().await else { panic!() };
    }
    assert_eq!((desk.net.counters().opened, desk.net.counters().handshakes_failed), (1, 2));
}
