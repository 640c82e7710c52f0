//! Why a message is no message, and what is needed to say so to whoever sent it.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{Headers, Message, Method, Name, Start, Version, Via, reason_phrase, scan};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum ParseErrorKind {
    /// The first line is neither a request nor a status line: not SIP, nothing to answer.
    #[error("not SIP: {0}")]
    NotSip(&'static str),
    /// The request line has a fault.
    #[error("bad request line: {0}")]
    RequestLine(&'static str),
    /// The status line has a fault.
    #[error("bad status line: {0}")]
    StatusLine(&'static str),
    /// A header line is no header line.
    #[error("bad header line: {0}")]
    HeaderLine(&'static str),
    /// A header everything depends on cannot be read.
    #[error("bad {0}: {1}")]
    Header(&'static str, &'static str),
    /// The message ends before its headers do.
    #[error("no empty line after the headers")]
    Truncated,
    /// `Content-Length` promises more than came.
    #[error("Content-Length is larger than the message")]
    BodyTruncated,
    /// More bytes than [`SIP_MESSAGE_MAX`](crate::base::limits::SIP_MESSAGE_MAX).
    #[error("the message is too large")]
    MessageTooLarge,
    /// More of something than [`limits`](crate::base::limits) allow.
    #[error("too large: {0}")]
    TooLarge(&'static str),
}

impl ParseErrorKind {
    /// The status code that says so (RFC 3261 21.4).
    pub fn code(self) -> u16 {
        match self {
            ParseErrorKind::MessageTooLarge => 513,
            _ => 400,
        }
    }
}

/// A message that could not be taken. Carries what could be read of it, so that a request still gets its answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    pub(super) head: Option<Box<Head>>,
}

/// What could be read of a broken request: raw Via, From, To, Call-ID, CSeq.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) method: Option<Method>,
    pub(super) headers: Headers,
}

impl ParseError {
    pub(super) fn bare(kind: ParseErrorKind) -> Self {
        ParseError { kind, head: None }
    }
    /// The method, when that much was read.
    pub fn method(&self) -> Option<&Method> {
        self.head.as_ref()?.method.as_ref()
    }
    /// The stateless answer (RFC 3261 8.2.6, 21.4.1), its headers the very bytes that came, and the port it goes to at the
    /// address the request came from (18.2.2, RFC 3581). `None` when there is nobody to answer: a response, an ACK, or a
    /// message whose top Via does not even name a hop.
    pub fn answer(&self, from: SocketAddr) -> Option<(Message, SocketAddr)> {
        let head = self.head.as_ref()?;
        if head.method == Some(Method::Ack) {
            return None;
        }
        let line = head.headers.get(&Name::Via)?;
        let first = scan::find_outside(&line, |b| b == b',').ok().flatten().map_or(&*line, |i| &line[..i]);
        let (via, whole) = match Via::parse(first) {
            Ok(via) => (via, true),
            Err(_) => (Via::parse_sent_by(first)?, false),
        };
        let port = if via.rport().is_some() { from.port() } else { via.sent_by_port() };
        let mut headers = head.headers.clone();
        if whole {
            let mut stamped = via;
            stamped.stamp(from);
            headers.replace_first(&Name::Via, stamped);
        }
        let tag = stateless_tag(&headers);
        let code = self.kind.code();
        let start = Start::Response { code, reason: format!("{} - {}", reason_phrase(code), self.kind) };
        let mut answer = Message { start, version: Version::V2, headers, body: Bytes::new() };
        answer.set_to_tag(&tag);
        Some((answer, SocketAddr::new(from.ip(), port)))
    }
}

/// The To tag of a stateless answer: the same for each repetition of the request (RFC 3261 8.2.7), so made from it (FNV-1a).
fn stateless_tag(headers: &Headers) -> String {
    let bytes = headers.iter().filter(|(name, _)| **name != Name::Via).flat_map(|(_, value)| value.iter());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// A header that is missing or says nothing sensible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not there.
    #[error("{0} is missing")]
    Missing(Name),
    /// It cannot be read.
    #[error("{0}: {1}")]
    Malformed(Name, &'static str),
    /// More items than [`SIP_LIST_MAX`](crate::base::limits::SIP_LIST_MAX).
    #[error("{0} has too many items")]
    TooMany(Name),
}
