//! Session descriptions (RFC 8866), offer and answer (RFC 3264). Pure; knows nothing of SIP.
//!
//! ```text
//! bytes ─parse─▶ Session ─answer(ours)─▶ (Session, Agreed)      we were called
//!   offer(ours) ─▶ Session ─▶ peer ─▶ Session ─agreed─▶ Agreed  we call
//!   reoffer(last of ours) ─▶ Session ─▶ ... the same            hold, resume, moved
//! ```
//! One audio stream is spoken, plain, with keys from the signalling (SDES) or with keys from a handshake (DTLS) and ICE, as
//! browsers want it; every other media line is refused with port 0, in its place.
//!
//! | file | subject |
//! |---|---|
//! | `parse`, `write` | the text |
//! | `crypto` | `a=crypto`: suites and keys (RFC 4568) |
//! | `codec` | payload types: names, clocks, numbers, what the peer asks of Opus |
//! | `secure` | how packets are protected: profile, policy, keys, fingerprint, ICE |
//! | `negotiate` | offer and answer |

mod codec;
mod crypto;
mod negotiate;
mod parse;
mod secure;
mod write;

pub use codec::{codec_name, codec_named, codec_names};
pub use crypto::Crypto;
pub use negotiate::{Agreed, LocalMedia, Rejected, agreed, answer, favourite, offer, reoffer};
pub use parse::{SdpError, parse};
pub use secure::{Offering, Srtp, Web};

use std::net::IpAddr;

use media::wire::{Direction, Ice, Xr};

/// A session description. What we do not use is not kept: an answer is written by us, never forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who made it, and which revision it is.
    pub origin: Origin,
    /// `s=`.
    pub name: String,
    /// The address for all media that have none of their own.
    pub connection: Option<Connection>,
    /// The direction for all media that have none of their own.
    pub direction: Option<Direction>,
    /// `a=group:BUNDLE`: names of the media that share one port (RFC 8843).
    pub bundle: Vec<String>,
    /// `a=ice-lite`: it answers connectivity checks and makes none.
    pub ice_lite: bool,
    /// What holds for all media that say nothing else of ICE and DTLS.
    pub transport: Transport,
    /// The media, in order: an answer has as many, in the same order (RFC 3264 6).
    pub media: Vec<Media>,
}

/// `o=`: together the name of a description, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `-` for us.
    pub user: String,
    /// Stays for the life of the session.
    pub session_id: u64,
    /// One more for each changed description (RFC 3264 8).
    pub version: u64,
    /// As written.
    pub address: String,
}

/// `c=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// A unicast address. All zeros: hold, the old way (RFC 3264 8.4).
    Ip(IpAddr),
    /// A host name or multicast address: a stream there is refused.
    Other(String),
}

/// `m=` and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, ...
    pub kind: String,
    /// 0: refused or ended.
    pub port: u16,
    /// `RTP/AVP`, `RTP/SAVP`, ...
    pub proto: String,
    /// Payload types, or whatever the protocol has; preferred first.
    pub formats: Vec<String>,
    /// Its own address.
    pub connection: Option<Connection>,
    /// `a=rtpmap`: payload type and what it is.
    pub rtpmaps: Vec<RtpMap>,
    /// `a=fmtp`: payload type and its parameters, as written.
    pub fmtps: Vec<(u8, String)>,
    /// `a=ptime`, milliseconds.
    pub ptime_ms: Option<u16>,
    /// `a=maxptime`, milliseconds.
    pub maxptime_ms: Option<u16>,
    /// `a=sendrecv` and its kind, seen from who wrote it.
    pub direction: Option<Direction>,
    /// `a=rtcp`: port, and address when it is another (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// `a=rtcp-mux`: RTCP comes to the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=rtcp-xr`: the extended reports its writer wants to be sent (RFC 3611 section 5.1).
    pub rtcp_xr: Xr,
    /// `a=mid`: its name (RFC 5888).
    pub mid: Option<String>,
    /// `a=crypto` lines we can use, preferred first.
    pub cryptos: Vec<Crypto>,
    /// ICE and DTLS of this stream.
    pub transport: Transport,
    /// `a=candidate`, component 1 over UDP.
    pub candidates: Vec<Candidate>,
    /// `a=end-of-candidates`: no more will come (RFC 8838).
    pub end_of_candidates: bool,
}

/// The credentials of ICE and the announcement of DTLS: for all media, or for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transport {
    /// `a=ice-ufrag` and `a=ice-pwd`.
    pub ice: Option<Ice>,
    /// `a=fingerprint:sha-256`, of the certificate that will be shown.
    pub fingerprint: Option<[u8; 32]>,
    /// `a=setup`.
    pub setup: Option<Setup>,
}

/// `a=setup`: who sends the first message of a handshake (RFC 4145, RFC 5763 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// Whoever writes this.
    Active,
    /// The other.
    Passive,
    /// The other decides; in offers.
    ActPass,
}

/// `a=candidate` (RFC 8839 section 5.1): an address a stream may be reached at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `host`, `srflx`, `prflx`, `relay`.
    pub kind: String,
    /// Larger is tried first.
    pub priority: u32,
    /// Where.
    pub addr: std::net::SocketAddr,
}

/// `a=rtpmap:101 telephone-event/8000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpMap {
    /// The payload type.
    pub pt: u8,
    /// The encoding's name; case means nothing.
    pub name: String,
    /// Clock rate, Hz.
    pub clock_hz: u32,
    /// Channels; 1 when not written.
    pub channels: u8,
}
