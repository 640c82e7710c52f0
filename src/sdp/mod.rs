//! Session descriptions (RFC 8866), offer and answer (RFC 3264). Pure; knows nothing of SIP.
//!
//! ```text
//! bytes ─parse─▶ Session ─answer(ours)─▶ (Session, Agreed)      we were called
//!   offer(ours) ─▶ Session ─▶ peer ─▶ Session ─agreed─▶ Agreed  we call
//!   reoffer(last of ours) ─▶ Session ─▶ ... the same            hold, resume, moved
//! ```
//! One audio stream over RTP/AVP is spoken; every other media line is refused with port 0, in its place. A secure profile is
//! one more arm where `negotiate` chooses the stream.

mod negotiate;
mod parse;
mod write;

pub use negotiate::{Agreed, LocalMedia, Rejected, agreed, answer, offer, reoffer};
pub use parse::{SdpError, parse};

use std::net::IpAddr;

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
    pub direction: Option<media::wire::Direction>,
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
    pub direction: Option<media::wire::Direction>,
    /// `a=rtcp`: port, and address when it is another (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
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
