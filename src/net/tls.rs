//! TLS: the certificate we show, taken anew when its files change, and what we ask of others.
//!
//! A connection keeps the certificate it began with; the next one sees the new one. A pair of files that does not fit is
//! refused whole, and the one in force stays.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};

/// Days before its end at which a certificate is spoken of.
pub const WARN_DAYS: [i64; 4] = [30, 14, 7, 1];
/// Bytes of a certificate or key file that are read; more is something else.
const FILE_MAX: u64 = 1 << 20;

/// Where certificate, key and further roots lie. PEM, the chain with our own certificate first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Roots trusted besides the public ones: a carrier with a certificate authority of its own.
    pub ca: Option<PathBuf>,
}

/// Why TLS is not to be had with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{path} holds no {what}")]
    Empty {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not fit, or are of no kind we know.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// A new one could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// Both sides of TLS.
pub struct Tls {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    shown: RwLock<Shown>,
    client: Arc<ClientConfig>,
}

/// What is in force.
struct Shown {
    server: Arc<ServerConfig>,
    /// The bytes it was read from: looking at them tells a change where times of files lie.
    from: (Vec<u8>, Vec<u8>),
    expires_unix_s: i64,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).field("expires_unix_s", &self.expires_unix_s()).finish()
    }
}

impl Tls {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = &files.ca {
            let found = certs(path, &read(path)?)?;
            roots.add_parsable_certificates(found);
        }
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let shown = RwLock::new(shown(&files, &provider, both(&files)?)?);
        Ok(Tls { files, provider, shown, client: Arc::new(client) })
    }

    /// Looks at the files; true when they have changed and what they hold is in force now.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let from = both(&self.files)?;
        if self.shown.read().unwrap_or_else(PoisonError::into_inner).from == from {
            return Ok(false);
        }
        let new = shown(&self.files, &self.provider, from)?;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(true)
    }

    /// For the next connection somebody opens to us.
    pub fn server(&self) -> Arc<ServerConfig> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).server.clone()
    }

    /// For connections of ours: the other side must show a certificate for its name.
    pub fn client(&self) -> Arc<ClientConfig> {
        self.client.clone()
    }

    /// When the certificate in force ends, seconds since 1970.
    pub fn expires_unix_s(&self) -> i64 {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).expires_unix_s
    }
}

/// The name a peer's certificate must be for: the SIP domain it was called by (RFC 5922 7.1), else its address.
pub(super) fn expected_name(domain: Option<&str>, remote: IpAddr) -> Option<ServerName<'static>> {
    match domain {
        Some(domain) => ServerName::try_from(domain.to_owned()).ok(),
        None => Some(ServerName::IpAddress(remote.into())),
    }
}

/// Makes a key and a certificate signed with it, for a server nobody has given one: phones and browsers have to be told to
/// trust it. Files that are there are left alone.
pub fn self_signed(files: &TlsFiles, names: Vec<String>) -> Result<(), TlsError> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    if files.cert.exists() && files.key.exists() {
        return Ok(());
    }
    let made = rcgen::generate_simple_self_signed(names)?;
    let write = |path: &Path, text: String, mode| {
        let mut open = std::fs::OpenOptions::new();
        let file = open.write(true).create(true).truncate(true).mode(mode).open(path);
        file.and_then(|mut f| f.write_all(text.as_bytes()))
            .map_err(|source| TlsError::Read { path: path.to_path_buf(), source })
    };
    write(&files.key, made.signing_key.serialize_pem(), 0o600)?;
    write(&files.cert, made.cert.pem(), 0o644)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    use io::Read as _;
    let mut bytes = Vec::new();
    let taken = std::fs::File::open(path).and_then(|f| f.take(FILE_MAX).read_to_end(&mut bytes));
    taken.map_err(|source| TlsError::Read { path: path.to_path_buf(), source })?;
    Ok(bytes)
}

fn both(files: &TlsFiles) -> Result<(Vec<u8>, Vec<u8>), TlsError> {
    Ok((read(&files.cert)?, read(&files.key)?))
}

fn certs(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let empty = || TlsError::Empty { path: path.to_path_buf(), what: "certificate" };
    found.ok().filter(|f| !f.is_empty()).ok_or_else(empty)
}

fn shown(files: &TlsFiles, provider: &Arc<CryptoProvider>, from: (Vec<u8>, Vec<u8>)) -> Result<Shown, TlsError> {
    let chain = certs(&files.cert, &from.0)?;
    let own = x509_parser::parse_x509_certificate(&chain[0]);
    let (_, own) = own.map_err(|_| TlsError::Empty { path: files.cert.clone(), what: "certificate" })?;
    let expires_unix_s = own.validity().not_after.timestamp();
    let key =
        PrivateKeyDer::from_pem_slice(&from.1).map_err(|_| TlsError::Empty { path: files.key.clone(), what: "private key" })?;
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Shown { server: Arc::new(server), from, expires_unix_s })
}
