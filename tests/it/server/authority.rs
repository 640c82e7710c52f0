//! An authority for callers' certificates, and a shelf on an https server they are fetched from.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// Signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Calls: it has the list of numbers of RFC 8226.
    Calls,
    /// Calls of this number alone.
    CallsOf(&'static str),
    /// Calls nobody is vouched for in but as B (RFC 8226 section 8).
    CallsAsB,
    /// Calls, and it has ended.
    CallsOfThePast,
    /// A web server called `localhost`.
    Pages,
    /// The same, and it has ended.
    PagesOfThePast,
    /// Nothing in particular.
    Nothing,
}

/// A certificate and its key, PEM.
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let (p, key) = Self::ready(name);
        let pem = p.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(p, key), pem }
    }

    /// One below this, which was given a number.
    pub fn gives(&self, name: &str, number: &str) -> Authority {
        let (mut p, key) = Self::ready(name);
        p.custom_extensions.push(numbers(entry(number)));
        let pem = p.signed_by(&key, &self.issuer).unwrap().pem();
        Authority { issuer: Issuer::new(p, key), pem }
    }

    fn ready(name: &str) -> (CertificateParams, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut p = CertificateParams::new(Vec::<String>::new()).unwrap();
        p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        p.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        p.distinguished_name.push(DnType::CommonName, name);
        (p, key)
    }

    /// A certificate for a key of its own.
    pub fn makes(&self, what: For) -> Pair {
        let key = KeyPair::generate().unwrap();
        let names = if matches!(what, For::Pages | For::PagesOfThePast) { vec!["localhost".to_owned()] } else { Vec::new() };
        let mut p = CertificateParams::new(names).unwrap();
        p.distinguished_name.push(DnType::CommonName, "SHAKEN 1234");
        match what {
            For::Calls | For::CallsOfThePast => {
                // [0] the code of a provider
                p.custom_extensions.push(numbers(b"\xa0\x06\x16\x041234".to_vec()));
            }
            For::CallsAsB => {
                p.custom_extensions.push(numbers(b"\xa0\x06\x16\x041234".to_vec()));
                // [1] of `attest` the value `B`
                let only = b"\x30\x13\xa1\x11\x30\x0f\x30\x0d\x16\x06attest\x30\x03\x0c\x01B".to_vec();
                p.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 27], only));
            }
            For::CallsOf(number) => p.custom_extensions.push(numbers(entry(number))),
            For::Pages | For::PagesOfThePast => p.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth),
            For::Nothing => {}
        }
        if matches!(what, For::CallsOfThePast | For::PagesOfThePast) {
            p.not_after = date_time_ymd(2020, 1, 1);
        }
        let cert = p.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { cert, key: key.serialize_pem() }
    }
}

/// The list of whom a certificate speaks for, with one entry.
fn numbers(entry: Vec<u8>) -> CustomExtension {
    let list = [&[0x30, u8::try_from(entry.len()).unwrap()], &*entry].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], list)
}

/// `[2]`: one number.
fn entry(number: &str) -> Vec<u8> {
    let length = u8::try_from(number.len()).unwrap();
    [&[0xa2, length + 2, 0x16, length], number.as_bytes()].concat()
}

/// What stands on a shelf: more header lines, and the body. A 302 where a line says where else it is.
pub type Book = (String, Vec<u8>);

/// An https server on loopback.
pub struct Shelf {
    pub at: SocketAddr,
    /// Connections there were.
    pub asked: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shelf {
    /// Opens, with a certificate of this authority. `books` is told the address.
    pub async fn opens(ca: &Authority, books: impl FnOnce(SocketAddr) -> BTreeMap<String, Book>) -> Shelf {
        let _ = rustls::crypto::ring::default_provider().install_default(); // somebody else was first: just as good
        let Pair { cert, key } = ca.makes(For::Pages);
        let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let tls = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (books, asked) = (Arc::new(books(at)), Arc::new(AtomicUsize::new(0)));
        let count = asked.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Relaxed);
                let (acceptor, books) = (acceptor.clone(), books.clone());
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(stream).await else { return };
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let mut part = [0; 1_024];
                        match tls.read(&mut part).await {
                            Ok(n @ 1..) => request.extend_from_slice(&part[..n]),
                            _ => return,
                        }
                    }
                    let text = String::from_utf8_lossy(&request);
                    let path = text.split(' ').nth(1).unwrap_or_default();
                    let (status, more, body) = match books.get(path) {
                        Some((more, body)) if more.starts_with("Location") => ("302 Found", more.as_str(), body.as_slice()),
                        Some((more, body)) => ("200 OK", more.as_str(), body.as_slice()),
                        None => ("404 Not Found", "", &b""[..]),
                    };
                    let head =
                        format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                    // Whoever asked may have hung up.
                    let _ = tls.write_all(head.as_bytes()).await;
                    let _ = tls.write_all(body).await;
                    let _ = tls.shutdown().await;
                });
            }
        });
        Shelf { at, asked, serving }
    }

    /// The address of a book.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.at.port())
    }

    /// Connections there were.
    pub fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }
}
