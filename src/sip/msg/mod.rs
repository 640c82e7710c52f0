//! SIP messages: parse, read, write (RFC 3261 section 7).
//!
//! A [`Message`] is the start line, the header lines and the body as they came; typed views ([`Via`], [`NameAddr`], [`CSeq`],
//! ...) are read when asked for. What we do not understand is carried byte for byte. Parsing checks form; [`check`](mod@check) judges
//! meaning; what to do about either is the stack's.
//!
//! ```text
//! datagram ──────────────▶ Message::parse_datagram ─▶ Message ─▶ check ─▶ the stack
//! stream ─▶ frame::Framer ─┘                  └─▶ ParseError ─▶ answer(): a stateless 400
//! ```

mod addr;
mod auth;
mod body;
mod error;
mod headers;
mod method;
mod name;
mod params;
mod parse;
mod uri;
mod via;
mod views;
mod write;

pub mod check;
pub mod frame;
pub mod scan;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod torture;

pub use addr::NameAddr;
pub use auth::{AuthHeader, Challenge, Credentials};
pub use body::{ACCEPTED, NotRead};
pub use check::{Verdict, check};
pub use error::{HeaderError, ParseError, ParseErrorKind};
pub use headers::Headers;
pub use method::{Method, Protocol};
pub use name::Name;
pub use params::Params;
pub use uri::{Host, SipUri, TelUri, Uri, parse_host_port, parse_ip};
pub use via::{MAGIC, Via};
pub use views::{CSeq, Contacts};
pub use write::reason_phrase;

use bytes::Bytes;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// `INVITE sip:4000@example.com SIP/2.0`
    Request {
        /// What is asked.
        method: Method,
        /// Of whom.
        uri: Uri,
    },
    /// `SIP/2.0 180 Ringing`
    Response {
        /// 100 to 699.
        code: u16,
        /// Free text, any language.
        reason: String,
    },
}

/// The version of the protocol. Anything but 2.0 is answered 505 ([`check`](mod@check)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Before the point.
    pub major: u8,
    /// Behind it.
    pub minor: u8,
}

impl Version {
    /// The only one there is.
    pub const V2: Version = Version { major: 2, minor: 0 };
    fn parse(text: &str) -> Option<Self> {
        let digits = text.get(..4).filter(|s| s.eq_ignore_ascii_case("SIP/")).and_then(|_| text.get(4..))?;
        let (major, minor) = digits.split_once('.')?;
        Some(Version { major: scan::number(major)?, minor: scan::number(minor)? })
    }
}

/// A SIP message. Cheap to clone: headers and body are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub start: Start,
    /// 2.0, or something to refuse.
    pub version: Version,
    /// The header lines.
    pub headers: Headers,
    /// The body, untouched.
    pub body: Bytes,
}

impl Message {
    /// Parses one datagram (or one framed stream message): see the limits in [`base::limits`](crate::base::limits).
    pub fn parse_datagram(data: Bytes) -> Result<Message, ParseError> {
        parse::datagram(data)
    }
    /// A request without any header yet.
    pub fn request(method: Method, uri: impl Into<Uri>) -> Message {
        let start = Start::Request { method, uri: uri.into() };
        Message { start, version: Version::V2, headers: Headers::new(), body: Bytes::new() }
    }
    /// A response without any header yet. An empty reason becomes the usual phrase.
    pub fn response(code: u16, reason: &str) -> Message {
        let reason = if reason.is_empty() { reason_phrase(code) } else { reason };
        let start = Start::Response { code, reason: reason.to_owned() };
        Message { start, version: Version::V2, headers: Headers::new(), body: Bytes::new() }
    }
    /// The response to `request`: Via, From, To, Call-ID and CSeq as they came (RFC 3261 8.2.6.2). The To tag is the
    /// caller's to add ([`set_to_tag`](Self::set_to_tag)).
    pub fn response_to(request: &Message, code: u16, reason: &str) -> Message {
        let mut response = Message::response(code, reason);
        for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
            response.headers.copy(&name, &request.headers);
        }
        response
    }
    /// The bytes for the wire. `Content-Length` is written here and nowhere else.
    pub fn write(&self) -> Bytes {
        write::message(self)
    }
}
