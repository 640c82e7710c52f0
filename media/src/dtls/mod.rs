//! Keys from a handshake in the media path: DTLS-SRTP (RFC 5764), sans-I/O.
//!
//! The handshake is `rtc-dtls`: DTLS 1.2, and a peer that offers 1.3 is answered in 1.2. Here it is decided what reaches it, whose
//! certificate counts, and when it is over. A certificate counts when its SHA-256 is the one the signalling announced
//! (RFC 5763 section 5); who signed it does not matter.
//!
//!     Idle ──ClientHello, or start as the client──▶ Shaking ──done, and the certificate is right──▶ Lingering ──▶ Idle
//!       ▲                                             │
//!       └──────── refused, no answer, wrong certificate: said; another hello is another try, a few times
//!
//! After the handshake nothing of it is needed but our last flight, should it have been lost: it lingers until the peer's first
//! packet under the new keys shows that it arrived. A peer's close_notify is not waited for: calls end by signalling.

mod identity;

use bytes::BytesMut;
use rtc_dtls::{
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::{TransportProtocol, error::Error};

use crate::{
    limits::{DTLS_DATAGRAMS_MAX, DTLS_LINGER, DTLS_RECORDS_MAX, DTLS_TRIES},
    time::At,
    wire::{DtlsRole, Secret, SrtpKey, SrtpSuite},
};
pub use identity::{Identity, fingerprint_of, identity};

/// The label of RFC 5764 section 4.2.
const LABEL: &str = "EXTRACTOR-dtls_srtp";
/// Bytes of a record's header.
const RECORD: usize = 13;

/// Keys out of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// For what we send.
    pub send: SrtpKey,
    /// For what the peer sends.
    pub receive: SrtpKey,
}

/// What a datagram or the passing of time came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to tell.
    Going,
    /// The handshake is done, and the peer is who was announced.
    Keys(Box<Keys>),
    /// There will be none.
    Failed(&'static str),
}

enum State {
    Idle,
    Shaking { endpoint: Box<Endpoint>, read: u32 },
    Lingering { endpoint: Box<Endpoint>, read: u32, until: At },
}

/// One leg's handshakes. See the module.
pub struct Association {
    identity: &'static Identity,
    role: DtlsRole,
    fingerprint: [u8; 32],
    tries: u32,
    state: State,
}

impl std::fmt::Debug for Association {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match self.state {
            State::Idle => "Idle",
            State::Shaking { .. } => "Shaking",
            State::Lingering { .. } => "Lingering",
        };
        f.debug_struct("Association").field("role", &self.role).field("state", &state).finish_non_exhaustive()
    }
}

/// What is sent: whole datagrams.
pub type Send<'a> = &'a mut dyn FnMut(&[u8]);

impl Association {
    /// `fingerprint`: SHA-256 of the certificate the peer will show.
    pub fn new(identity: &'static Identity, role: DtlsRole, fingerprint: [u8; 32]) -> Self {
        Self { identity, role, fingerprint, tries: 0, state: State::Idle }
    }

    /// The way to the peer is known: as the client, begin. Harmless when it began before.
    pub fn start(&mut self, now: At, send: Send<'_>) -> Outcome {
        if self.role != DtlsRole::Client || self.tries > 0 {
            return Outcome::Going;
        }
        self.tries = 1;
        let mut endpoint = Box::new(Endpoint::new(identity::HERE, TransportProtocol::UDP, None));
        let begun = endpoint.connect(self.identity.instant(now), identity::THERE, self.identity.client.clone(), None);
        if begun.is_err() {
            return Outcome::Failed("the handshake could not begin");
        }
        flush(&mut endpoint, send);
        self.state = State::Shaking { endpoint, read: 0 };
        Outcome::Going
    }

    /// A datagram came from where the peer is.
    pub fn read(&mut self, now: At, datagram: &[u8], send: Send<'_>) -> Outcome {
        if !is_well_formed(datagram) {
            return Outcome::Going;
        }
        if matches!(self.state, State::Idle) {
            if self.role == DtlsRole::Client || !is_client_hello(datagram) || self.tries == DTLS_TRIES {
                return Outcome::Going;
            }
            self.tries += 1;
            let server = Some(self.identity.server.clone());
            self.state =
                State::Shaking { endpoint: Box::new(Endpoint::new(identity::HERE, TransportProtocol::UDP, server)), read: 0 };
        }
        let (State::Shaking { endpoint, read } | State::Lingering { endpoint, read, .. }) = &mut self.state else {
            return Outcome::Going;
        };
        *read += 1;
        if *read > DTLS_DATAGRAMS_MAX {
            return self.fail("the handshake does not end");
        }
        let result = endpoint.read(self.identity.instant(now), identity::THERE, None, BytesMut::from(datagram));
        let reason = match result {
            Ok(events) => {
                flush(endpoint, send);
                let done = events.iter().any(|e| matches!(e, EndpointEvent::HandshakeComplete));
                let closed = events.iter().any(|e| matches!(e, EndpointEvent::PeerClosed));
                return match done {
                    true => self.complete(now, send),
                    false if closed => self.fail("the peer closed"),
                    false => Outcome::Going,
                };
            }
            Err(Error::ErrAlertFatalOrClose) => "the peer refused the handshake",
            Err(Error::ErrCipherSuiteNoIntersection) => "no cipher suite in common",
            Err(Error::ErrServerNoMatchingSrtpProfile | Error::ErrClientNoMatchingSrtpProfile) => "no SRTP profile in common",
            Err(Error::ErrClientCertificateRequired) => "the peer showed no certificate",
            Err(Error::ErrUnsupportedProtocolVersion) => "the peer does not speak DTLS 1.2",
            Err(_) => {
                // Noise. The alert that would answer it would end a handshake that is in order (RFC 6347 section 4.1.2.7).
                while endpoint.poll_transmit().is_some() {}
                return Outcome::Going;
            }
        };
        flush(endpoint, send);
        self.fail(reason)
    }

    /// What ends after the keys are there is nobody's loss.
    fn fail(&mut self, reason: &'static str) -> Outcome {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Shaking { .. } => Outcome::Failed(reason),
            State::Lingering { .. } | State::Idle => Outcome::Going,
        }
    }

    fn complete(&mut self, now: At, send: Send<'_>) -> Outcome {
        let State::Shaking { mut endpoint, read } = std::mem::replace(&mut self.state, State::Idle) else {
            return Outcome::Going;
        };
        match keys(&endpoint, self.role, &self.fingerprint) {
            Ok(keys) => {
                // The client's last flight was answered; the server's may be lost.
                if self.role == DtlsRole::Server {
                    self.state = State::Lingering { endpoint, read, until: now + DTLS_LINGER };
                }
                Outcome::Keys(Box::new(keys))
            }
            Err(reason) => {
                endpoint.stop(self.identity.instant(now), identity::THERE);
                flush(&mut endpoint, send);
                Outcome::Failed(reason)
            }
        }
    }

    /// The peer sent something under the new keys: it has everything.
    pub fn arrived(&mut self) {
        if matches!(self.state, State::Lingering { .. }) {
            self.state = State::Idle;
        }
    }

    /// When [`Self::tick`] is due.
    pub fn deadline(&self) -> Option<At> {
        match &self.state {
            State::Shaking { endpoint, .. } => endpoint.poll_timeout(&identity::THERE).map(|i| self.identity.at(i)),
            State::Lingering { until, .. } => Some(*until),
            State::Idle => None,
        }
    }

    /// Time passed: flights are repeated every second, and given up after eight.
    pub fn tick(&mut self, now: At, send: Send<'_>) -> Outcome {
        match &mut self.state {
            State::Shaking { endpoint, .. } => {
                // A server that heard half a hello has no connection yet, and nothing to repeat.
                if endpoint.poll_timeout(&identity::THERE).is_none_or(|due| self.identity.at(due) > now) {
                    return Outcome::Going;
                }
                let result = endpoint.handle_timeout(identity::THERE, self.identity.instant(now));
                flush(endpoint, send);
                if result.is_err() { self.fail("the handshake got no answer") } else { Outcome::Going }
            }
            State::Lingering { until, .. } if *until <= now => {
                self.state = State::Idle;
                Outcome::Going
            }
            _ => Outcome::Going,
        }
    }
}

fn flush(endpoint: &mut Endpoint, send: Send<'_>) {
    while let Some(t) = endpoint.poll_transmit() {
        send(&t.message);
    }
}

/// RFC 5764 section 4.2, if the certificate is the one announced.
fn keys(endpoint: &Endpoint, role: DtlsRole, fingerprint: &[u8; 32]) -> Result<Keys, &'static str> {
    let state = endpoint.get_connection_state(identity::THERE).ok_or("the handshake is gone")?;
    let certificate = state.peer_certificates.first().ok_or("the peer showed no certificate")?;
    if fingerprint_of(certificate) != *fingerprint {
        return Err("the certificate is not the one announced");
    }
    let suite = match state.srtp_protection_profile() {
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpSuite::Aes128Gcm,
        SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpSuite::Aes256Gcm,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpSuite::Aes128Sha1Tag80,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32 => SrtpSuite::Aes128Sha1Tag32,
        _ => return Err("no SRTP profile in common"),
    };
    let (key, salt) = suite.lengths();
    let material = state.export_keying_material(LABEL, &[], 2 * (key + salt)).map_err(|_| "the handshake gave no keys")?;
    let material: &[u8] = material.as_ref();
    let (keys, salts) = material.split_at(2 * key);
    let side = |n: usize| {
        let (k, s) = (&keys[n * key..(n + 1) * key], &salts[n * salt..(n + 1) * salt]);
        SrtpKey { suite, key_and_salt: Secret([k, s].concat().into()) }
    };
    let (client, server) = (side(0), side(1));
    Ok(match role {
        DtlsRole::Client => Keys { send: client, receive: server },
        DtlsRole::Server => Keys { send: server, receive: client },
    })
}

/// Whole records of DTLS 1.0 to 1.2 and not many: what else comes is noise, and noise shall not reach the handshake.
fn is_well_formed(datagram: &[u8]) -> bool {
    let (mut rest, mut records) = (datagram, 0);
    while let Some((head, body)) = rest.split_first_chunk::<RECORD>() {
        let length = usize::from(u16::from_be_bytes([head[11], head[12]]));
        let known = (20..=23).contains(&head[0]) && head[1] == 0xFE && head[2] >= 0xFD;
        let Some(next) = body.get(length..).filter(|_| known && length > 0) else { return false };
        (rest, records) = (next, records + 1);
    }
    rest.is_empty() && (1..=DTLS_RECORDS_MAX).contains(&records)
}

/// The first record is of the handshake, in clear, and begins or goes on with a ClientHello.
fn is_client_hello(datagram: &[u8]) -> bool {
    datagram[0] == 22 && datagram[3..5] == [0, 0] && datagram.get(RECORD) == Some(&1)
}

#[cfg(test)]
pub(crate) mod tests;
