//! Who looks whether a caller's seal holds: fetches the certificate it names, follows it to an authority we trust, and checks
//! the signature (RFC 8224 section 6.2, RFC 8226).
//!
//! The address of the certificate comes from whoever calls, so nothing about it is trusted: https only, no address that is not
//! of the public internet (looked at after the name is resolved, and that address is the one dialled), a few redirects under the
//! same rules, and limits on time, size, how many are fetched at once and in a minute. What was fetched is remembered as long as
//! its server says, within bounds; that it could not be had, for a moment.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use tokio::{
    sync::{Mutex as Turn, Semaphore},
    time::timeout,
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::{
    base::{
        Mono, Network, Now, is_public,
        limits::{
            STIR_CACHE_FAILED, STIR_CACHE_LONGEST, STIR_CACHE_MAX, STIR_CACHE_MIN, STIR_CACHE_USUAL, STIR_CHAIN_BYTES,
            STIR_CHAIN_MAX, STIR_FETCH_TIMEOUT, STIR_FETCHES_AT_ONCE, STIR_FETCHES_PER_MIN,
        },
        mins, secs,
    },
    sip::stir::{Constraints, Fault, Named, Seal, may_claim, speaks_for},
};

/// The extension that makes a certificate one for telephone numbers: id-pe-TNAuthList (RFC 8226 section 9).
const TN_AUTH_LIST: &str = "1.3.6.1.5.5.7.1.26";
/// What its owner may claim: id-pe-JWTClaimConstraints (RFC 8226 section 8), id-pe-eJWTClaimConstraints (RFC 9118).
const CLAIMS: [(&str, Constraints); 2] =
    [("1.3.6.1.5.5.7.1.27", Constraints::Plain), ("1.3.6.1.5.5.7.1.33", Constraints::Enhanced)];
/// anyExtendedKeyUsage: a certificate that is only for something else (a web server's) signs no calls.
const ANY_USE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
/// Redirects followed.
const REDIRECTS: usize = 3;

/// Whom a notary trusts, and where it may go.
#[derive(Debug, Clone, Default)]
pub struct NotaryConfig {
    /// The authorities (STI-PA's list), PEM.
    pub roots: Vec<u8>,
    /// Authorities trusted besides the public ones for the https of certificate servers, PEM.
    pub https_ca: Vec<u8>,
    /// Networks certificates may be fetched from though they are not public.
    pub inside: Vec<Network>,
}

/// What is remembered of an address: a chain, or that there is none, until when.
type Kept = Option<(Result<Arc<Vec<CertificateDer<'static>>>, Fault>, Mono)>;

/// Looks at seals.
pub struct Notary {
    client: reqwest::Client,
    roots: Vec<TrustAnchor<'static>>,
    inside: Arc<[Network]>,
    /// One fetch an address at a time: whoever else wants it waits and finds it here.
    chains: Mutex<BTreeMap<String, Arc<Turn<Kept>>>>,
    at_once: Semaphore,
    /// The minute's fetches are used up to here.
    full_at: Mutex<Mono>,
}

impl std::fmt::Debug for Notary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notary").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

impl Notary {
    /// The error says what is wrong with the configuration.
    pub fn new(config: &NotaryConfig) -> Result<Notary, String> {
        let roots = certificates(&config.roots).map_err(|e| format!("roots: {e}"))?;
        let anchor = |c: &CertificateDer<'_>| {
            anchor_from_trusted_cert(c).map(|a| a.to_owned()).map_err(|e| format!("roots: a certificate is not usable: {e}"))
        };
        let roots = roots.iter().map(anchor).collect::<Result<Vec<_>, _>>()?;
        let inside: Arc<[Network]> = config.inside.clone().into();
        let redirects = inside.clone();
        let policy = reqwest::redirect::Policy::custom(move |next| match next.previous().len() <= REDIRECTS {
            true if named_address(next.url()).is_none_or(|ip| reachable(ip, &redirects)) => next.follow(),
            _ => next.stop(),
        });
        let mut client = reqwest::Client::builder()
            .https_only(true)
            // A proxy would be told the name, and would look where it leads by itself.
            .no_proxy()
            .redirect(policy)
            .referer(false)
            .dns_resolver(Arc::new(Public(inside.clone())))
            .timeout(STIR_FETCH_TIMEOUT)
            .pool_max_idle_per_host(1)
            .user_agent("ringdesk");
        let more = certificates(&config.https_ca).map_err(|e| format!("https_ca: {e}"))?;
        let more = more.iter().map(|c| reqwest::Certificate::from_der(c)).collect::<Result<Vec<_>, _>>();
        let more = more.map_err(|e| format!("https_ca: {e}"))?;
        if !more.is_empty() {
            client = client.tls_certs_merge(more);
        }
        let client = client.build().map_err(|e| format!("no https client: {e}"))?;
        Ok(Notary {
            client,
            roots,
            inside,
            chains: Mutex::default(),
            at_once: Semaphore::new(STIR_FETCHES_AT_ONCE),
            full_at: Mutex::new(Mono(0)),
        })
    }

    /// Whether it trusts anybody.
    pub fn trusts_anybody(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Whether the seal holds. Ends a second after [`STIR_FETCH_TIMEOUT`] at the latest, whatever others do.
    pub async fn look(&self, now: Now, seal: &Seal) -> Result<(), Fault> {
        let patience = STIR_FETCH_TIMEOUT + secs(1);
        let chain = timeout(patience, self.chain(now.mono, &seal.url)).await.unwrap_or(Err(Fault::NoCertificate))?;
        let second = u64::try_from(now.wall.timestamp().as_second()).unwrap_or(0);
        let key = trusted(&chain, &self.roots, second, seal)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
        key.verify(seal.signed.as_bytes(), &seal.signature).map_err(|_| Fault::Signature)
    }

    async fn chain(&self, now: Mono, url: &str) -> Result<Arc<Vec<CertificateDer<'static>>>, Fault> {
        let place = self.place(url)?;
        let mut kept = place.lock().await;
        if let Some((chain, until)) = &*kept
            && *until > now
        {
            return chain.clone();
        }
        if !self.may_fetch(now) {
            return Err(Fault::NoCertificate);
        }
        let (chain, lasts) = match self.fetch(url).await {
            Ok((chain, lasts)) => (Ok(Arc::new(chain)), lasts),
            Err(why) => {
                let shown = url.split('?').next().unwrap_or_default();
                tracing::info!(url = shown, why, "a caller's certificate could not be fetched");
                (Err(Fault::NoCertificate), STIR_CACHE_FAILED)
            }
        };
        *kept = Some((chain.clone(), now + lasts));
        chain
    }

    /// Where the chain of an address is kept, or will be.
    fn place(&self, url: &str) -> Result<Arc<Turn<Kept>>, Fault> {
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = chains.get(url) {
            return Ok(place.clone());
        }
        if chains.len() >= STIR_CACHE_MAX {
            let ends = |p: &Arc<Turn<Kept>>| p.try_lock().ok().map(|k| k.as_ref().map_or(Mono(0), |(_, until)| *until));
            let first = chains.iter().filter_map(|(u, p)| Some((ends(p)?, u.clone()))).min();
            // All are being fetched just now: this one has to come again.
            let (_, url) = first.ok_or(Fault::NoCertificate)?;
            chains.remove(&url);
        }
        Ok(chains.entry(url.to_owned()).or_default().clone())
    }

    /// One more fetch this minute, if there are not too many.
    fn may_fetch(&self, now: Mono) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let each = mins(1) / STIR_FETCHES_PER_MIN;
        let full = (*full_at).max(Mono(now.0.saturating_sub(u64::try_from(mins(1).as_nanos()).unwrap_or(0)))) + each;
        let may = full <= now;
        if may {
            *full_at = full;
        }
        may
    }

    async fn fetch(&self, url: &str) -> Result<(Vec<CertificateDer<'static>>, Duration), &'static str> {
        let _turn = self.at_once.acquire().await.map_err(|_| "nothing is fetched any more")?;
        let url = reqwest::Url::parse(url).map_err(|_| "no address")?;
        if url.scheme() != "https" || named_address(&url).is_some_and(|ip| !reachable(ip, &self.inside)) {
            return Err("not an address of the public internet");
        }
        let mut answer = self.client.get(url).send().await.map_err(|_| "its server does not answer")?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err("its server does not have it");
        }
        let lasts = answer.headers().get(reqwest::header::CACHE_CONTROL).and_then(|v| lasts(v.to_str().ok()?));
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|_| "its server broke off")? {
            if bytes.len() + part.len() > STIR_CHAIN_BYTES {
                return Err("it is too large");
            }
            bytes.extend_from_slice(&part);
        }
        let chain = match bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            true => certificates(&bytes)?,
            false => vec![CertificateDer::from(bytes)],
        };
        match chain.len() {
            0 => Err("there is no certificate in it"),
            n if n > STIR_CHAIN_MAX => Err("there are too many certificates in it"),
            _ => Ok((chain, lasts.unwrap_or(STIR_CACHE_USUAL).clamp(STIR_CACHE_MIN, STIR_CACHE_LONGEST))),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| "no certificates in PEM")
}

/// How long an answer may be kept (RFC 9111 section 5.2.2); nothing at all where it may not.
fn lasts(cache_control: &str) -> Option<Duration> {
    let mut words = cache_control.split(',').map(str::trim);
    if words.clone().any(|w| w.eq_ignore_ascii_case("no-store") || w.eq_ignore_ascii_case("no-cache")) {
        return Some(Duration::ZERO);
    }
    words.find_map(|w| w.to_ascii_lowercase().strip_prefix("max-age=")?.parse().ok()).map(Duration::from_secs)
}

/// Follows a chain to one of the roots; the key of its first certificate, if that speaks for whoever calls and may claim what is
/// claimed.
fn trusted(chain: &[CertificateDer<'_>], roots: &[TrustAnchor<'_>], unix_s: u64, seal: &Seal) -> Result<Vec<u8>, Fault> {
    // What was signed has been read before; where it has changed since, the signature says so.
    let (who, claims) = (&seal.who, seal.claims().unwrap_or_default());
    let (first, others) = chain.split_first().ok_or(Fault::Certificate)?;
    let refused = |why: String| {
        tracing::info!(why, "a caller's certificate is not trusted");
        Fault::Certificate
    };
    let leaf = EndEntityCert::try_from(first).map_err(|e| refused(e.to_string()))?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(unix_s));
    let purpose = KeyUsage::required_if_present(ANY_USE);
    let path = leaf
        .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, roots, others, at, purpose, None, None)
        .map_err(|e| refused(e.to_string()))?;
    let (_, read) = x509_parser::parse_x509_certificate(first).map_err(|e| refused(e.to_string()))?;
    if !covers(&read, who)? {
        return Err(refused("it is not for telephone numbers".into()));
    }
    allows(&read, &claims).map_err(refused)?;
    // Who has been given some numbers may give them on, and no others (RFC 9060 section 5).
    for between in path.intermediate_certificates() {
        let between = between.der();
        let (_, read) = x509_parser::parse_x509_certificate(&between).map_err(|e| refused(e.to_string()))?;
        covers(&read, who)?;
        allows(&read, &claims).map_err(refused)?;
    }
    Ok(read.public_key().subject_public_key.data.to_vec())
}

/// Whether a certificate is for telephone numbers. An error where it is, and not for this one.
fn covers(certificate: &x509_parser::certificate::X509Certificate<'_>, who: &Named) -> Result<bool, Fault> {
    let list = certificate.extensions().iter().find(|e| e.oid.to_id_string() == TN_AUTH_LIST);
    let Some(list) = list else { return Ok(false) };
    match speaks_for(list.value, who) {
        Some(true) => Ok(true),
        Some(false) => {
            tracing::info!("a caller's certificate is for other numbers");
            Err(Fault::Number)
        }
        None => {
            tracing::info!("the list of numbers of a caller's certificate cannot be read");
            Err(Fault::Certificate)
        }
    }
}

/// Whether a certificate lets its owner claim this; why not.
fn allows(certificate: &x509_parser::certificate::X509Certificate<'_>, claims: &serde_json::Value) -> Result<(), String> {
    for extension in certificate.extensions() {
        let oid = extension.oid.to_id_string();
        let Some((_, kind)) = CLAIMS.iter().find(|(id, _)| *id == oid) else { continue };
        match may_claim(*kind, extension.value, claims) {
            Some(true) => {}
            Some(false) => return Err("its owner may not claim this".into()),
            None => return Err("what its owner may claim cannot be read".into()),
        }
    }
    Ok(())
}

/// The address in a URL that has one instead of a name.
fn named_address(url: &reqwest::Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn reachable(ip: IpAddr, inside: &[Network]) -> bool {
    is_public(ip) || inside.iter().any(|n| n.holds(ip))
}

/// Resolves names to addresses of the public internet only.
struct Public(Arc<[Network]>);

impl reqwest::dns::Resolve for Public {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let inside = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|a| reachable(a.ip(), &inside)).collect();
            if usable.is_empty() {
                return Err("it leads to no address of the public internet".into());
            }
            Ok(Box::new(usable.into_iter()) as reqwest::dns::Addrs)
        })
    }
}
