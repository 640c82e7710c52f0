//! Judges a message that parses: what RFC 3261 8.2 and RFC 4475 3.1.2 to 3.3 ask before anybody acts on it.
//!
//! Left to the stack: unknown methods (501, 405), `Require` (420), bodies (415), authentication, `Max-Forwards` of a proxy.

use super::{Message, Method, Name, Start, Uri, Version};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Act on it.
    Good,
    /// Answer so, statelessly ([`Message::response_to`]).
    Refuse {
        /// The status code.
        code: u16,
        /// What is wrong, as a reason phrase.
        reason: &'static str,
    },
    /// Say nothing: a response, an ACK, or nobody to answer to.
    Drop(&'static str),
}

/// Judges `message`.
pub fn check(message: &Message) -> Verdict {
    let verdict = match &message.start {
        Start::Response { .. } => return response(message),
        Start::Request { method, uri } => request(message, method, uri),
    };
    match verdict {
        // An ACK is never answered (RFC 3261 17), and without a Via there is no way back.
        Verdict::Refuse { reason, .. } if message.method() == Some(&Method::Ack) => Verdict::Drop(reason),
        Verdict::Refuse { reason, .. } if !message.headers.has(&Name::Via) => Verdict::Drop(reason),
        v => v,
    }
}

const fn bad(reason: &'static str) -> Verdict {
    Verdict::Refuse { code: 400, reason }
}

fn request(m: &Message, method: &Method, uri: &Uri) -> Verdict {
    if m.version != Version::V2 {
        return Verdict::Refuse { code: 505, reason: "Version Not Supported" };
    }
    if let Some(reason) = mandatory(m) {
        return bad(reason);
    }
    let Ok(cseq) = m.cseq() else { return bad("Bad CSeq") };
    if cseq.method != *method {
        // Of a method nobody knows, that is the more helpful thing to say (RFC 4475 3.1.2.18).
        return match method {
            Method::Other(_) => Verdict::Refuse { code: 501, reason: "Not Implemented" },
            _ => bad("CSeq names another method"),
        };
    }
    match uri {
        Uri::Other { .. } => return Verdict::Refuse { code: 416, reason: "Unsupported URI Scheme" },
        Uri::Sip(uri) if uri.headers.is_some() => return bad("Request-URI with headers"),
        _ => {}
    }
    let Ok(via) = m.top_via() else { return bad("Bad Via") };
    if via.branch().is_some_and(|b| b.eq_ignore_ascii_case(super::MAGIC)) {
        // Two callers with this branch would share a transaction (RFC 4475 3.2.1).
        return bad("Via branch identifies nothing");
    }
    if *method == Method::Register && !matches!(m.to().map(|to| to.uri), Ok(Uri::Sip(_) | Uri::Tel(_))) {
        return bad("To is no address of record");
    }
    Verdict::Good
}

fn response(m: &Message) -> Verdict {
    if m.version != Version::V2 {
        return Verdict::Drop("a response of another version");
    }
    match mandatory(m) {
        Some(reason) => Verdict::Drop(reason),
        None => Verdict::Good,
    }
}

/// The headers every message has once (RFC 3261 8.1.1; Via at least once).
fn mandatory(m: &Message) -> Option<&'static str> {
    for (name, none, many) in [
        (Name::From, "Missing From", "More than one From"),
        (Name::To, "Missing To", "More than one To"),
        (Name::CallId, "Missing Call-ID", "More than one Call-ID"),
        (Name::CSeq, "Missing CSeq", "More than one CSeq"),
    ] {
        match m.headers.count(&name) {
            0 => return Some(none),
            1 => {}
            _ => return Some(many),
        }
    }
    if !m.headers.has(&Name::Via) {
        return Some("Missing Via");
    }
    if m.headers.count(&Name::MaxForwards) > 1 {
        return Some("More than one Max-Forwards");
    }
    (m.headers.count(&Name::ContentType) > 1).then_some("More than one Content-Type")
}
