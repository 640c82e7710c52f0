//! Who we are in a handshake: one self-signed certificate a process, and what we offer with it.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder, HandshakeConfig},
    crypto::Certificate,
    crypto_provider::default_provider,
    extension::extension_use_srtp::SrtpProtectionProfile,
};

use crate::time::At;

/// An endpoint tells its peers apart by address; ours has one peer, whose real address is the guard's business.
pub(super) const HERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 1));
/// The one peer.
pub(super) const THERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 2));

/// A certificate (ECDSA, P-256), its fingerprint, and the two configurations it is shown with.
pub struct Identity {
    /// SHA-256 of the certificate, for `a=fingerprint:sha-256`.
    pub fingerprint: [u8; 32],
    pub(super) server: Arc<HandshakeConfig>,
    pub(super) client: Arc<HandshakeConfig>,
    /// What [`At`] zero is to the crate, which counts in instants.
    origin: Instant,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// The identity of this process, made when it is first asked for.
pub fn identity() -> &'static Identity {
    static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Identity::with(&PROFILES));
    &IDENTITY
}

/// Preferred first: 128 bits of AES are enough, and GCM costs half of HMAC-SHA1. Of a client's list the client's order counts.
pub(super) const PROFILES: [SrtpProtectionProfile; 4] = [
    SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
    SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
];

impl Identity {
    /// With a new key. Panics when the system has no randomness: there is nothing to be had without it.
    pub(super) fn with(profiles: &[SrtpProtectionProfile]) -> Self {
        let provider = default_provider().expect("ring is built in");
        let certificate =
            Certificate::generate_self_signed(["ringdesk".to_owned()], provider.crypto()).expect("the system has randomness");
        let fingerprint = fingerprint_of(certificate.certificate.first().expect("one certificate"));
        let build = |is_client| {
            let config = ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![certificate.clone()])
                .with_srtp_protection_profiles(profiles.to_vec())
                // Both sides show a certificate; which one is right is told by its fingerprint, not by who signed it.
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_insecure_skip_verify(true)
                .with_server_name("ringdesk".to_owned());
            Arc::new(config.build(is_client, Some(THERE)).expect("a configuration without choices"))
        };
        #[expect(clippy::disallowed_methods, reason = "an arbitrary origin, not the time: the crate counts from some instant")]
        let origin = Instant::now();
        Self { fingerprint, server: build(false), client: build(true), origin }
    }

    pub(super) fn instant(&self, at: At) -> Instant {
        self.origin.checked_add(Duration::from_nanos(at.0)).unwrap_or(self.origin)
    }

    pub(super) fn at(&self, instant: Instant) -> At {
        At(instant.saturating_duration_since(self.origin).as_nanos() as u64)
    }
}

/// SHA-256 of a certificate in DER.
pub fn fingerprint_of(certificate: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
