//! What is spoken with whom: codecs, encryption, how digits come; and our half of a leg's session, for an offer or an answer.

use std::net::{IpAddr, Ipv4Addr};

use media::wire::{Codec, Direction, DtlsRole, Ice, LegId, Secret, Security, SrtpKey, SrtpSuite};
use serde::{Deserialize, Serialize};

use super::Calls;
use crate::{
    base::{Rng, TenantId},
    sdp::{self, LocalMedia, Offering, Session, Srtp, Web},
    sip::{stack::Who, transport::Flow},
};

/// What we speak where nothing else is said, preferred first. G.711 first, for whoever has it: two legs of one codec are
/// relayed packet by packet, the networks have nothing else, and any other codec costs a conversion as soon as a prompt is
/// played or somebody listens in. A-law before mu-law only in our own offers.
pub const CODECS: &[Codec] = &[Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];

/// How digits are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtmf {
    /// As events beside the sound (RFC 4733); as tones by peers that do not agree to events.
    #[default]
    Rfc4733,
    /// In SIP INFO (`application/dtmf-relay`, `application/dtmf`). INFO is understood in every case; here nothing else is.
    Info,
    /// As tones in the sound, even by peers that would agree to events.
    Inband,
}

/// What is spoken with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPolicy {
    /// Preferred first.
    pub codecs: Vec<Codec>,
    /// Whether sound is encrypted with keys from the signalling.
    pub srtp: Srtp,
    /// How digits are told.
    pub dtmf: Dtmf,
    /// Peers may fall silent with comfort noise (RFC 3389) if they ask to. Off: a browser that may, does, and clips the first
    /// sound of every word; and whoever sends nothing for long looks as if the line were broken.
    pub comfort_noise: bool,
}

impl Default for MediaPolicy {
    fn default() -> Self {
        let codecs = CODECS.iter().copied().filter(|c| c.available()).collect();
        MediaPolicy { codecs, srtp: Srtp::default(), dtmf: Dtmf::default(), comfort_noise: false }
    }
}

/// What is spoken with the phones of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhonePolicies {
    /// With any.
    pub all: MediaPolicy,
    /// With those of some users.
    pub users: std::collections::BTreeMap<String, MediaPolicy>,
}

/// Our half of a session, with the keys in it.
#[derive(Debug)]
pub(super) struct Local {
    addr: IpAddr,
    rtp_port: u16,
    session: (u64, u64),
    codecs: Vec<Codec>,
    dtmf: bool,
    comfort_noise: bool,
    ptime_ms: u8,
    direction: Direction,
    srtp: Srtp,
    keys: Vec<SrtpKey>,
    ice: Option<Ice>,
    web: Option<Web>,
}

impl Local {
    pub fn media(&self) -> LocalMedia<'_> {
        LocalMedia {
            addr: self.addr,
            rtp_port: self.rtp_port,
            session_id: self.session.0,
            version: self.session.1,
            codecs: &self.codecs,
            dtmf: self.dtmf,
            comfort_noise: self.comfort_noise,
            ptime_ms: self.ptime_ms,
            direction: self.direction,
            srtp: self.srtp,
            keys: &self.keys,
            ice: self.ice.as_ref(),
            web: self.web,
        }
    }
}

/// Credentials for one leg: 32 and 128 bits of chance, more than RFC 8445 section 5.3 asks for.
pub(super) fn credentials(rng: &mut Rng) -> Ice {
    Ice { ufrag: rng.hex(4), pwd: Secret(rng.hex(16).into_bytes().into()) }
}

/// A key of ours for each suite, preferred first. `now`: the one in use; it stays, for a new key would make the peer begin
/// anew, while a key that comes back after another one was used would repeat what it has already encrypted.
fn keys(rng: &mut Rng, now: Option<&SrtpKey>) -> Vec<SrtpKey> {
    let fresh = |suite: SrtpSuite, rng: &mut Rng| {
        let (key, salt) = suite.lengths();
        let bytes: [u8; 64] = rng.bytes();
        SrtpKey { suite, key_and_salt: Secret(bytes[..key + salt].into()) }
    };
    SrtpSuite::ALL.into_iter().map(|s| now.filter(|k| k.suite == s).cloned().unwrap_or_else(|| fresh(s, rng))).collect()
}

/// What kind of offer a peer on this path is made.
pub(super) fn offering(policy: &MediaPolicy, flow: &Flow) -> Offering {
    match policy.srtp {
        _ if flow.transport.is_web() => Offering::Web,
        Srtp::Required => Offering::Sdes,
        Srtp::Optional if flow.transport.is_secure() => Offering::Opportunistic,
        Srtp::Optional | Srtp::Never => Offering::Plain,
    }
}

impl Calls {
    /// What is spoken with whoever calls.
    pub(super) fn policy_of_caller(&self, tenant: &TenantId, who: &Who) -> MediaPolicy {
        match who {
            Who::User { user, .. } => self.policy_of_phone(tenant, user),
            Who::Trunk(trunk) => {
                let trunk = self.settings.trunks.get(&(tenant.clone(), trunk.clone()));
                trunk.map_or_else(|| self.policy_of_phone(tenant, ""), |t| t.media.clone())
            }
            Who::Guest { .. } | Who::Stranger => self.policy_of_phone(tenant, ""),
        }
    }

    pub(super) fn policy_of_phone(&self, tenant: &TenantId, user: &str) -> MediaPolicy {
        let phones = self.settings.phones.get(tenant);
        phones.map(|p| p.users.get(user).unwrap_or(&p.all).clone()).unwrap_or_default()
    }

    /// Where a peer reaches our media: at our address of the family it wants its own in, as far as that is known, else of the
    /// one it signals by.
    pub(super) fn media_addr(&self, theirs: Option<IpAddr>, flow: Option<&Flow>) -> IpAddr {
        let v6 = theirs.or(flow.map(|f| f.remote.ip())).is_some_and(|ip| ip.is_ipv6());
        // Nothing is configured: the address it reached our signalling at.
        let seen = flow.map(|f| f.local.ip()).filter(|ip| !ip.is_unspecified());
        self.settings.media.towards(v6).or(seen).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The address the peer's signalling comes from, when the description says it sits behind a NAT.
    pub(super) fn nat(&self, leg: LegId, theirs: &Session) -> Option<IpAddr> {
        let l = self.legs.get(&leg)?;
        // A phone that has moved to another network says so from there.
        let way = l.dialog.and_then(|dialog| self.stack.way(dialog)).or(l.flow)?;
        theirs.behind_nat(way.remote.ip())
    }

    /// Our side of a leg's session, for an offer or for the answer to `theirs`. `None` before the port is bound.
    pub(super) fn local_media(&mut self, leg: LegId, theirs: Option<&Session>) -> Option<Local> {
        let l = self.legs.get(&leg)?;
        // With ICE the address beside the candidates says nothing. What was described once stays where it is.
        let wanted = theirs.filter(|t| !t.wants_ice()).and_then(Session::audio_ip);
        let wanted = wanted.or_else(|| l.ours.as_ref()?.audio_ip());
        let now = l.agreed.as_ref().map(|r| &r.security);
        let (key, role) = match now {
            Some(Security::Sdes { send, .. }) => (Some(send), None),
            Some(Security::Dtls { role, .. }) => (None, Some(*role)),
            _ => (None, None),
        };
        let keys = match l.policy.srtp {
            Srtp::Never => Vec::new(),
            Srtp::Optional | Srtp::Required => keys(&mut self.rng, key),
        };
        Some(Local {
            addr: self.media_addr(wanted, l.flow.as_ref()),
            rtp_port: l.port?,
            session: (l.session_id, l.ours.as_ref().map_or(1, |s| s.origin.version)),
            codecs: self.codecs(l.prefer, &l.policy),
            dtmf: l.policy.dtmf == Dtmf::Rfc4733,
            comfort_noise: l.policy.comfort_noise,
            ptime_ms: self.settings.ptime_ms,
            direction: if l.hold { Direction::SendOnly } else { Direction::SendRecv },
            srtp: l.policy.srtp,
            keys,
            ice: l.ice.clone(),
            web: self.web(role),
        })
    }

    pub(super) fn web(&self, role: Option<DtlsRole>) -> Option<Web> {
        self.settings.fingerprint.map(|fingerprint| Web { fingerprint, role })
    }

    /// The peer's codecs, the one wished for first.
    fn codecs(&self, prefer: Option<Codec>, policy: &MediaPolicy) -> Vec<Codec> {
        let first = prefer.filter(|c| policy.codecs.contains(c));
        first.into_iter().chain(policy.codecs.iter().copied().filter(|c| Some(*c) != first)).collect()
    }

    /// The codec a leg speaks, or will speak when it is answered.
    pub(super) fn codec_of(&self, leg: LegId) -> Option<Codec> {
        let l = self.legs.get(&leg)?;
        match (&l.agreed, &l.state) {
            (Some(r), _) => Some(r.codec),
            (None, super::calls::State::Arrived { offer: Some(offer) }) => sdp::favourite(offer, &l.policy.codecs),
            _ => None,
        }
    }
}
