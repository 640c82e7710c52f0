//! From bytes to [`Message`]: the start line, the header lines, and the five headers everything depends on.
//!
//! Values share the datagram; only a folded line is copied. Lines end with CRLF; a bare LF is taken too (it cannot be misread
//! on either transport, and hand-written test tools send it). A bare CR is refused: it is how lines are smuggled.
//!
//! What is wrong in meaning (a missing To, a CSeq for another method) still parses; [`check`](mod@super::check) judges that.

use bytes::Bytes;

use super::error::Head;
use super::headers::Field;
use super::{
    CSeq, Headers, Message, Method, Name, NameAddr, ParseError, ParseErrorKind as Kind, Start, Uri, Version, Via, scan,
};
use crate::base::limits;

/// Parses one datagram. Bytes behind `Content-Length` are ignored (RFC 3261 18.3); without one the body is the rest.
pub(super) fn datagram(data: Bytes) -> Result<Message, ParseError> {
    // Keep-alives may stand before the message (RFC 3261 7.5).
    let skip = data.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let data = data.slice(skip..);
    if data.len() > limits::SIP_MESSAGE_MAX {
        return Err(with_head(&data, Kind::MessageTooLarge));
    }
    whole(&data).map_err(|kind| with_head(&data, kind))
}

fn whole(data: &Bytes) -> Result<Message, Kind> {
    let mut at = 0;
    let first = next_line(data, &mut at).ok_or_else(|| start_fault(data))?;
    let (start, version) = start_line(&data[first.0..first.1])?;
    let mut fields: Vec<Field> = Vec::with_capacity(16);
    loop {
        let (from, to) = next_line(data, &mut at).ok_or(Kind::Truncated)?;
        if from == to {
            break;
        }
        if fields.len() == limits::SIP_HEADERS_MAX {
            return Err(Kind::TooLarge("header count"));
        }
        fields.push(header_line(data, from, to, &mut at)?);
    }
    let headers = Headers::from_fields(fields);
    core_headers(&headers)?;
    let rest = data.slice(at..);
    let body = match content_length(&headers)? {
        None => rest,
        Some(n) if n <= rest.len() => rest.slice(..n),
        Some(_) => return Err(Kind::BodyTruncated),
    };
    Ok(Message { start, version, headers, body })
}

/// The next line without its end, as a range; moves `at` behind it. `None` when no line end comes.
pub(super) fn next_line(data: &[u8], at: &mut usize) -> Option<(usize, usize)> {
    let from = *at;
    let end = from + data.get(from..)?.iter().position(|b| *b == b'\n')?;
    *at = end + 1;
    Some((from, if end > from && data[end - 1] == b'\r' { end - 1 } else { end }))
}

fn start_fault(data: &[u8]) -> Kind {
    match start_line(data) {
        Ok(_) => Kind::Truncated,
        Err(kind) => kind,
    }
}

fn start_line(line: &[u8]) -> Result<(Start, Version), Kind> {
    if line.len() > limits::SIP_LINE_MAX {
        return Err(Kind::TooLarge("start line"));
    }
    if line.get(..4).is_some_and(|b| b.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(line);
    }
    // Blanks at the end are harmless (RFC 4475 3.1.2.10); anywhere else they are not.
    let line = scan::trim_bytes(line);
    let line = std::str::from_utf8(line).map_err(|_| Kind::NotSip("the first line is not text"))?;
    let (method, rest) = line.split_once(' ').ok_or(Kind::NotSip("the first line is no request line"))?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(Kind::NotSip("the first line is no request line"))?;
    let version = Version::parse(version).ok_or(Kind::NotSip("the first line names no SIP version"))?;
    let method = Method::parse(method).ok_or(Kind::RequestLine("the method is no token"))?;
    let uri = Uri::parse(uri).map_err(Kind::RequestLine)?;
    Ok((Start::Request { method, uri }, version))
}

fn status_line(line: &[u8]) -> Result<(Start, Version), Kind> {
    let line = scan::text(line);
    let (version, rest) = line.split_once(' ').ok_or(Kind::StatusLine("no status code"))?;
    let version = Version::parse(version).ok_or(Kind::StatusLine("not a SIP version"))?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = scan::number::<u16>(code).filter(|c| code.len() == 3 && (100..700).contains(c));
    let code = code.ok_or(Kind::StatusLine("the status code is not 100 to 699"))?;
    if reason.contains('\r') {
        return Err(Kind::StatusLine("a CR inside"));
    }
    Ok((Start::Response { code, reason: reason.to_owned() }, version))
}

/// Reads the header that begins at `from..to`, with the folded lines behind it.
pub(super) fn header_line(data: &Bytes, from: usize, to: usize, at: &mut usize) -> Result<Field, Kind> {
    let line = &data[from..to];
    let colon = line.iter().position(|b| *b == b':').ok_or(Kind::HeaderLine("no colon"))?;
    if scan::is_blank(line[0]) {
        return Err(Kind::HeaderLine("a continuation of nothing"));
    }
    let name_len = scan::trim_bytes(&line[..colon]).len();
    let name = Name::parse(data.slice(from..from + name_len)).ok_or(Kind::HeaderLine("the name is no token"))?;
    let value = slice_of(data, scan::trim_bytes(&line[colon + 1..]));
    let folded = |at: usize| data.get(at).copied().is_some_and(scan::is_blank);
    let value = if folded(*at) {
        let mut joined = value.to_vec();
        while folded(*at) {
            let (from, to) = next_line(data, at).ok_or(Kind::Truncated)?;
            let more = scan::trim_bytes(&data[from..to]);
            if !more.is_empty() && !joined.is_empty() {
                joined.push(b' ');
            }
            joined.extend_from_slice(more);
            if joined.len() > limits::SIP_LINE_MAX {
                return Err(Kind::TooLarge("header line"));
            }
        }
        Bytes::from(joined)
    } else {
        value
    };
    if value.len() > limits::SIP_LINE_MAX {
        return Err(Kind::TooLarge("header line"));
    }
    if value.contains(&b'\r') {
        return Err(Kind::HeaderLine("a CR inside"));
    }
    Ok(Field { name, value })
}

fn slice_of(data: &Bytes, part: &[u8]) -> Bytes {
    if part.is_empty() { Bytes::new() } else { data.slice_ref(part) }
}

/// Via, From, To, Call-ID, CSeq and Max-Forwards must be readable where they are present (RFC 4475 3.1.2).
fn core_headers(headers: &Headers) -> Result<(), Kind> {
    let mut vias = 0;
    for (name, value) in headers.iter() {
        match name {
            Name::Via => {
                for via in scan::items(&scan::text(value)) {
                    via.and_then(Via::parse).map_err(|why| Kind::Header("Via", why))?;
                    vias += 1;
                }
                if vias > limits::SIP_LIST_MAX {
                    return Err(Kind::TooLarge("Via count"));
                }
            }
            Name::From => drop(NameAddr::parse(&scan::text(value)).map_err(|why| Kind::Header("From", why))?),
            Name::To => drop(NameAddr::parse(&scan::text(value)).map_err(|why| Kind::Header("To", why))?),
            Name::CSeq => drop(CSeq::parse(&scan::text(value)).map_err(|why| Kind::Header("CSeq", why))?),
            Name::CallId if value.is_empty() || value.iter().any(|b| *b <= b' ') => {
                return Err(Kind::Header("Call-ID", "not one word"));
            }
            Name::MaxForwards if scan::number::<u8>(&scan::text(value)).is_none() => {
                return Err(Kind::Header("Max-Forwards", "not 0 to 255"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `Content-Length`, which frames the message and therefore must be one number said once (RFC 4475 3.3.9).
pub(super) fn content_length(headers: &Headers) -> Result<Option<usize>, Kind> {
    match headers.count(&Name::ContentLength) {
        0 => Ok(None),
        1 => {
            let text = headers.get(&Name::ContentLength).unwrap_or_default();
            let n = scan::number::<u32>(&text).ok_or(Kind::Header("Content-Length", "not a number"))?;
            usize::try_from(n).map(Some).map_err(|_| Kind::Header("Content-Length", "not a number"))
        }
        _ => Err(Kind::Header("Content-Length", "said more than once")),
    }
}

/// Reads again what little is needed to answer a broken request, skipping what cannot be read.
pub(super) fn with_head(data: &Bytes, kind: Kind) -> ParseError {
    if matches!(kind, Kind::NotSip(_) | Kind::StatusLine(_)) {
        return ParseError::bare(kind);
    }
    let mut at = 0;
    let Some((from, to)) = next_line(data, &mut at) else { return ParseError::bare(kind) };
    let line = &data[from..to];
    if line.get(..4).is_some_and(|b| b.eq_ignore_ascii_case(b"SIP/")) {
        return ParseError::bare(kind);
    }
    let word = line.split(|b| *b == b' ').next().unwrap_or_default();
    let method = std::str::from_utf8(word).ok().and_then(Method::parse);
    let mut fields: Vec<Field> = Vec::new();
    while fields.len() < limits::SIP_LIST_MAX
        && let Some((from, to)) = next_line(data, &mut at)
        && from != to
    {
        let Ok(field) = header_line(data, from, to, &mut at) else { continue };
        let wanted = match field.name {
            Name::Via => true,
            Name::From | Name::To | Name::CallId | Name::CSeq => !fields.iter().any(|f| f.name == field.name),
            _ => false,
        };
        if wanted {
            fields.push(field);
        }
    }
    ParseError { kind, head: Some(Box::new(Head { method, headers: Headers::from_fields(fields) })) }
}
