//! How packets are protected: the profile of a media line, our policy, keys, certificates, ICE.
//!
//! | `m=` line says | and | we |
//! |---|---|---|
//! | `RTP/AVP`, `RTP/AVPF` | nothing | speak plain, unless SRTP is required |
//! | the same | `a=crypto` | take the key (opportunistic, RFC 8643), unless SRTP is never taken |
//! | `RTP/SAVP`, `RTP/SAVPF` | `a=crypto` | take the key (RFC 4568), unless SRTP is never taken |
//! | the same, or `UDP/TLS/RTP/SAVP(F)` | `a=fingerprint` | shake hands (RFC 5763) |
//!
//! An answer never is weaker than its offer: what does not fit is refused. On ICE we are a lite agent (RFC 8445 section 2.5): we sit
//! at a public address, name that one, and let the peer do the checking.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use media::wire::{DtlsRole, Ice, Security};
use serde::{Deserialize, Serialize};

use super::{Candidate, Crypto, LocalMedia, Media, Session, Setup};

/// The profile browsers speak.
const WEB: &str = "UDP/TLS/RTP/SAVPF";
/// The name of the one stream of our own offers to browsers.
const MID: &str = "0";
/// Priority of the only candidate we ever have (RFC 8445 section 5.1.2.1: host, best local preference, component 1).
const HOST_PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;

/// Whether sound is encrypted with keys from the signalling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Srtp {
    /// Neither offered nor taken.
    Never,
    /// Taken from whoever offers it. Offered, beside plain sound, where the signalling is encrypted: elsewhere the key could be
    /// read by whoever can hear the sound.
    #[default]
    Optional,
    /// Nothing else is offered or taken.
    Required,
}

/// What kind of offer we make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offering {
    /// Plain RTP.
    Plain,
    /// Plain RTP with keys for whoever understands them (RFC 8643).
    Opportunistic,
    /// SRTP by the keys in the offer, or nothing.
    Sdes,
    /// For a browser: DTLS-SRTP, ICE, one port.
    Web,
}

/// What we announce of handshakes in the media path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Web {
    /// SHA-256 of the certificate we will show.
    pub fingerprint: [u8; 32],
    /// Who began the handshake that holds now: a new offer about the same stream must not turn it round (RFC 8842 section 5.5).
    pub role: Option<DtlsRole>,
}

/// How one media line is protected, once both have spoken.
pub(super) struct Protection {
    pub security: Security,
    /// The peer's credentials, when it checks connectivity and we answer.
    pub ice: Option<Ice>,
    /// The line of ours that goes into the answer.
    pub crypto: Option<Crypto>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Plain,
    Keyed,
    Handshake,
}

fn profile(media: &Media) -> Result<Profile, &'static str> {
    match media.proto.as_str() {
        "RTP/AVP" | "RTP/AVPF" => Ok(Profile::Plain),
        "RTP/SAVP" | "RTP/SAVPF" => Ok(Profile::Keyed),
        "UDP/TLS/RTP/SAVP" | WEB => Ok(Profile::Handshake),
        _ => Err("no profile in common (RTP/AVP, RTP/SAVP and UDP/TLS/RTP/SAVPF are spoken)"),
    }
}

impl Session {
    pub(super) fn fingerprint_of(&self, media: &Media) -> Option<[u8; 32]> {
        media.transport.fingerprint.or(self.transport.fingerprint)
    }
    fn setup_of(&self, media: &Media) -> Option<Setup> {
        media.transport.setup.or(self.transport.setup)
    }
    fn ice_of<'a>(&'a self, media: &'a Media) -> Option<&'a Ice> {
        media.transport.ice.as_ref().or(self.transport.ice.as_ref())
    }

    /// The peer's credentials, if connectivity is to be checked on this stream: it checks (two lite agents check nothing), RTCP
    /// comes to the same port, and, where it could do without, the address it names is one of those it would check from
    /// (else something on the way has rewritten the description, RFC 8839 section 4.2.5).
    pub(super) fn checked<'a>(&'a self, media: &'a Media) -> Option<&'a Ice> {
        let named = |at: SocketAddr| media.candidates.iter().any(|c| c.addr == at);
        let handshake = matches!(profile(media), Ok(Profile::Handshake));
        let whole = handshake || self.ip_of(media).is_some_and(|ip| named(SocketAddr::new(ip, media.port)));
        self.ice_of(media).filter(|_| !self.ice_lite && media.rtcp_mux && whole)
    }

    /// Whether the sound in this offer wants connectivity checks answered: the leg's port is opened for them.
    pub fn wants_ice(&self) -> bool {
        self.media.iter().any(|m| m.kind.eq_ignore_ascii_case("audio") && m.port != 0 && self.checked(m).is_some())
    }

    /// Where packets of a stream are announced. A peer that is found by connectivity checks need not know (`0.0.0.0:9`).
    pub(super) fn at(&self, media: &Media, ice: bool) -> Result<SocketAddr, &'static str> {
        let nowhere = ice.then_some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let ip = self.ip_of(media).or(nowhere).ok_or("the stream's address is no unicast IP address")?;
        Ok(SocketAddr::new(ip, media.port))
    }
}

/// How an offered line can be protected by our means and policy; why not, in words for the Warning header.
pub(super) fn accept(offer: &Session, media: &Media, local: &LocalMedia) -> Result<Protection, &'static str> {
    let profile = profile(media)?;
    let ice = offer.checked(media).filter(|_| local.ice.is_some()).cloned();
    let fingerprint = offer.fingerprint_of(media);
    if profile == Profile::Handshake || profile == Profile::Keyed && media.cryptos.is_empty() && fingerprint.is_some() {
        let fingerprint = fingerprint.ok_or("a handshake is offered without a SHA-256 fingerprint")?;
        let web = local.web.ok_or("DTLS-SRTP is offered, and this server has no certificate for it")?;
        let role = match offer.setup_of(media) {
            // Who is not told begins (RFC 4145 section 4).
            Some(Setup::Active) | None => DtlsRole::Server,
            Some(Setup::Passive) => DtlsRole::Client,
            // RFC 5763 would rather have us begin, to save a round trip. There is none to save: a lite agent may not send
            // before the peer's check has come through, and a peer behind a NAT cannot be reached before it has spoken.
            Some(Setup::ActPass) => web.role.unwrap_or(DtlsRole::Server),
        };
        return Ok(Protection { security: Security::Dtls { role, fingerprint }, ice, crypto: None });
    }
    if local.srtp == Srtp::Never && profile == Profile::Keyed {
        return Err("SRTP is offered, and is not taken here");
    }
    // Ours decide: the strongest suite both have, whatever order it is offered in.
    let common = local.keys.iter().filter(|_| local.srtp != Srtp::Never).find_map(|ours| {
        let theirs = media.cryptos.iter().find(|c| c.key.suite == ours.suite)?;
        Some((Crypto { tag: theirs.tag, key: ours.clone() }, theirs.key.clone()))
    });
    match common {
        Some((crypto, receive)) => {
            let security = Security::Sdes { send: crypto.key.clone(), receive };
            Ok(Protection { security, ice, crypto: Some(crypto) })
        }
        None if profile == Profile::Keyed => Err("no SRTP suite and key in common"),
        None if local.srtp == Srtp::Required => Err("plain RTP is offered, and SRTP is required here"),
        None => Ok(Protection { security: Security::Clear, ice, crypto: None }),
    }
}

/// How `theirs`, the answer to our line `ours`, is protected.
pub(super) fn settled(ours: &Session, our: &Media, theirs: &Session, their: &Media) -> Result<Protection, &'static str> {
    if profile(our)? != profile(their)? {
        return Err("the answer changed the profile");
    }
    let ice = our.transport.ice.as_ref().and(theirs.checked(their)).cloned();
    if ours.fingerprint_of(our).is_some() {
        let fingerprint = theirs.fingerprint_of(their).ok_or("the answer announces no certificate by SHA-256")?;
        let role = match theirs.setup_of(their) {
            Some(Setup::Passive) => DtlsRole::Client,
            _ => DtlsRole::Server,
        };
        return Ok(Protection { security: Security::Dtls { role, fingerprint }, ice, crypto: None });
    }
    let taken = their.cryptos.iter().find_map(|t| {
        let ours = our.cryptos.iter().find(|o| o.tag == t.tag && o.key.suite == t.key.suite)?;
        Some(Security::Sdes { send: ours.key.clone(), receive: t.key.clone() })
    });
    let security = match taken {
        Some(security) => security,
        // A phone that does not know what keys are, or one that would not take ours: it says so by sending none.
        None if profile(our)? == Profile::Plain && their.cryptos.is_empty() => Security::Clear,
        None => return Err("the answer takes none of the keys offered"),
    };
    Ok(Protection { security, ice, crypto: None })
}

impl Media {
    /// Writes what kind of offer this is.
    pub(super) fn offer_as(&mut self, local: &LocalMedia, offering: Offering) {
        let keys = || (1..).zip(local.keys).map(|(tag, key)| Crypto { tag, key: key.clone() }).collect();
        match offering {
            Offering::Plain => {}
            Offering::Opportunistic => self.cryptos = keys(),
            Offering::Sdes => {
                self.proto = "RTP/SAVP".to_owned();
                self.cryptos = keys();
            }
            Offering::Web => {
                self.proto = WEB.to_owned();
                self.mid = Some(MID.to_owned());
                self.transport.fingerprint = local.web.map(|w| w.fingerprint);
                self.transport.setup = Some(Setup::ActPass);
                self.rtcp_mux = true;
                self.answer_checks(local);
            }
        }
    }

    /// Our new offer about the stream `last` is protected as that one was.
    pub(super) fn offer_like(&mut self, last: &Media, local: &LocalMedia) {
        self.proto.clone_from(&last.proto);
        self.mid.clone_from(&last.mid);
        self.cryptos.clone_from(&last.cryptos);
        self.transport.fingerprint = last.transport.fingerprint;
        self.transport.setup = last.transport.setup.map(|_| Setup::ActPass);
        self.rtcp_mux = last.rtcp_mux;
        if last.transport.ice.is_some() {
            self.answer_checks(local);
        }
    }

    /// Writes our half of what was taken from `theirs`.
    pub(super) fn answer_as(&mut self, theirs: &Media, taken: &Protection, local: &LocalMedia) {
        self.mid.clone_from(&theirs.mid);
        self.cryptos.extend(taken.crypto.clone());
        if let Security::Dtls { role, .. } = taken.security {
            self.transport.fingerprint = local.web.map(|w| w.fingerprint);
            self.transport.setup = Some(if role == DtlsRole::Server { Setup::Passive } else { Setup::Active });
            self.rtcp_mux = theirs.rtcp_mux;
        }
        if taken.ice.is_some() {
            self.rtcp_mux = true;
            self.answer_checks(local);
        }
    }

    fn answer_checks(&mut self, local: &LocalMedia) {
        self.transport.ice = local.ice.cloned();
        if self.transport.ice.is_some() {
            let addr = SocketAddr::new(local.addr, local.rtp_port);
            self.candidates = vec![Candidate { kind: "host".to_owned(), priority: HOST_PRIORITY, addr }];
            self.end_of_candidates = true;
        }
    }
}

#[cfg(test)]
mod tests;
