//! From [`Message`] to bytes: long names, one blank after the colon, `Content-Length` last and always right.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Message, Name, Start};

pub(super) fn message(m: &Message) -> Bytes {
    let lines: usize = m.headers.iter().map(|(n, v)| n.as_bytes().len() + v.len() + 4).sum();
    let mut out = BytesMut::with_capacity(lines + m.body.len() + 160);
    match &m.start {
        Start::Request { method, uri } => {
            put_word(&mut out, method.as_str());
            out.put_u8(b' ');
            put_word(&mut out, &uri.to_string());
            out.put_slice(b" ");
            put_version(&mut out, m);
        }
        Start::Response { code, reason } => {
            put_version(&mut out, m);
            out.put_slice(format!(" {:03} ", (*code).clamp(100, 699)).as_bytes());
            // A CR or LF in the phrase would begin a header line.
            out.extend(reason.bytes().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
        }
    }
    out.put_slice(b"\r\n");
    for (name, value) in m.headers.iter().filter(|(n, _)| **n != Name::ContentLength) {
        out.put_slice(name.as_bytes());
        out.put_slice(b": ");
        out.put_slice(value);
        out.put_slice(b"\r\n");
    }
    out.put_slice(b"Content-Length: ");
    out.put_slice(m.body.len().to_string().as_bytes());
    out.put_slice(b"\r\n\r\n");
    out.put_slice(&m.body);
    out.freeze()
}

fn put_version(out: &mut BytesMut, m: &Message) {
    out.put_slice(format!("SIP/{}.{}", m.version.major, m.version.minor).as_bytes());
}

/// A word of the request line: a blank or line end inside it would make two of it.
fn put_word(out: &mut BytesMut, word: &str) {
    out.extend(word.bytes().filter(|b| *b > b' '));
}

/// The usual phrase of a status code (RFC 3261 21 and its extensions).
pub fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        428 => "Use Identity Header",
        429 => "Provide Referrer Identity",
        430 => "Flow Failed",
        433 => "Anonymity Disallowed",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        439 => "First Hop Lacks Outbound Support",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        _ => match code / 100 {
            0 | 1 => "Progress",
            2 => "Success",
            3 => "Redirection",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}
