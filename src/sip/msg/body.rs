//! What a body is made of (RFC 3261 7.4, RFC 2046 5.1, RFC 5621): one thing, or several in a multipart. Looked for is the session
//! description; what stands beside it (a caller's place, ISUP, a card) is passed over where it may be, and where it may not the
//! sender hears that it was not understood.
//!
//! | kind | what is read |
//! |---|---|
//! | `application/sdp` | itself, where its disposition is `session` or not said |
//! | `multipart/mixed`, and those nobody knows | every part: one description; what is neither it nor optional is a refusal |
//! | `multipart/alternative` | the last part that can be read |
//! | `multipart/related` | the root: the first, or the one `start` names; the rest is there to be referred to |
//!
//! Parts share the bytes of the message. How many and how deep: [`limits`]. Tests: below; target `multipart` of the fuzzers.

use bytes::Bytes;

use super::{Headers, Message, Name, Params, parse, scan};
use crate::base::limits;

/// The kinds of bodies that are read, for Accept (RFC 5621 section 3).
pub const ACCEPTED: &str = "application/sdp, multipart/mixed, multipart/alternative, multipart/related";

const SDP: &str = "application/sdp";

/// Why a body cannot be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// Something in it has to be understood and is not.
    #[error("a body, or a part of one, that is not understood and may not be passed over")]
    Unsupported,
    /// It is not what it says it is.
    #[error("a multipart without boundary or end, or with two descriptions")]
    Broken,
}

impl NotRead {
    /// The status code that says so (RFC 3261 8.2.3, 21.4.1).
    pub fn code(self) -> u16 {
        match self {
            NotRead::Unsupported => 415,
            NotRead::Broken => 400,
        }
    }
}

impl Message {
    /// The session description, alone or among other parts. `None`: there is none, and nothing else that has to be understood.
    pub fn session(&self) -> Result<Option<Bytes>, NotRead> {
        // A body without a type has always been taken for a description: nothing else comes without one.
        session(&self.headers, &self.body, SDP, 0)
    }
}

fn session(headers: &Headers, body: &Bytes, unsaid: &str, depth: usize) -> Result<Option<Bytes>, NotRead> {
    if body.is_empty() {
        return Ok(None);
    }
    let (kind, params) = with_params(headers, &Name::ContentType);
    let kind = if kind.is_empty() { unsaid } else { &*kind };
    let disposition = Disposition::of(headers);
    let whatever_it_is = match (is_coded(headers), kind.strip_prefix("multipart/")) {
        (true, _) => Err(NotRead::Unsupported),
        (_, Some(_)) if depth == limits::SIP_BODY_DEPTH_MAX => Err(NotRead::Unsupported),
        (_, Some(subtype)) => params.ok_or(NotRead::Broken).and_then(|p| several(subtype, &p, body, depth + 1)),
        (_, None) if kind == SDP && disposition.session => Ok(Some(body.clone())),
        _ => Err(NotRead::Unsupported),
    };
    if disposition.optional { Ok(whatever_it_is.unwrap_or(None)) } else { whatever_it_is }
}

fn several(subtype: &str, params: &Params, body: &Bytes, depth: usize) -> Result<Option<Bytes>, NotRead> {
    let boundary = params.get("boundary").filter(|b| (1..=70).contains(&b.len())).ok_or(NotRead::Broken)?;
    let parts = split(body, &boundary)?;
    let read = |(headers, body): &(Headers, Bytes)| session(headers, body, "text/plain", depth);
    match subtype {
        "alternative" => {
            let read = parts.iter().rev().map(read).filter_map(Result::ok).reduce(|best, next| best.or(next));
            read.ok_or(NotRead::Unsupported)
        }
        "related" => {
            let start = params.get("start");
            let id = |p: &&(Headers, Bytes)| p.0.get(&named("Content-ID")).as_deref() == start.as_deref();
            let root = match start {
                Some(_) => parts.iter().find(id),
                None => parts.first(),
            };
            read(root.ok_or(NotRead::Broken)?)
        }
        _ => {
            let mut found = None;
            for part in &parts {
                let more = read(part)?;
                if more.is_some() && found.is_some() {
                    // Whoever picked one might pick another than the proxy before us.
                    return Err(NotRead::Broken);
                }
                found = found.or(more);
            }
            Ok(found)
        }
    }
}

/// The parts between the boundaries; what stands before the first and behind the last is for nobody (RFC 2046 5.1.1).
fn split(body: &Bytes, boundary: &str) -> Result<Vec<(Headers, Bytes)>, NotRead> {
    let (mut at, mut from, mut parts) = (0, None, Vec::new());
    while at < body.len() {
        let begin = at;
        let (_, end) = parse::next_line(body, &mut at).unwrap_or_else(|| {
            at = body.len();
            (begin, at)
        });
        let Some(rest) = body[begin..end].strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary.as_bytes())) else {
            continue;
        };
        let last = match scan::trim_bytes(rest) {
            b"" => false,
            b"--" => true,
            _ => continue,
        };
        if let Some(from) = from {
            if parts.len() == limits::SIP_BODY_PARTS_MAX {
                return Err(NotRead::Unsupported);
            }
            parts.push(part(body.slice(from..without_line_end(body, from, begin)))?);
        }
        if last {
            return if from.is_some() { Ok(parts) } else { Err(NotRead::Broken) };
        }
        from = Some(at);
    }
    Err(NotRead::Broken)
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(body: &[u8], from: usize, to: usize) -> usize {
    let part = &body[from..to];
    let part = part.strip_suffix(b"\n").map_or(part, |p| p.strip_suffix(b"\r").unwrap_or(p));
    from + part.len()
}

/// Header lines, an empty line, content. The headers may be none, the empty line not.
fn part(data: Bytes) -> Result<(Headers, Bytes), NotRead> {
    let (mut at, mut fields) = (0, Vec::new());
    loop {
        let (from, to) = match parse::next_line(&data, &mut at) {
            Some(line) => line,
            // Headers and nothing else.
            None if at == data.len() && fields.is_empty() => return Ok((Headers::new(), Bytes::new())),
            None => return Err(NotRead::Broken),
        };
        if from == to {
            return Ok((Headers::from_fields(fields), data.slice(at..)));
        }
        if fields.len() == limits::SIP_LIST_MAX {
            return Err(NotRead::Broken);
        }
        fields.push(parse::header_line(&data, from, to, &mut at).map_err(|_| NotRead::Broken)?);
    }
}

/// What a body is for.
struct Disposition {
    /// The session: what a description is for when nothing is said (RFC 3261 20.11).
    session: bool,
    /// It may be passed over. What is there to be referred to (RFC 5621 section 5) has no meaning of its own.
    optional: bool,
}

impl Disposition {
    fn of(headers: &Headers) -> Self {
        let (kind, params) = with_params(headers, &Name::ContentDisposition);
        let handling = params.and_then(|p| p.get("handling").map(|h| h.to_ascii_lowercase()));
        let optional = match handling.as_deref() {
            Some(handling) => handling == "optional",
            None => kind == "by-reference",
        };
        Disposition { session: kind.is_empty() || kind == "session", optional }
    }
}

/// `Type;name=value` in lower case, and its parameters where they can be read.
fn with_params(headers: &Headers, name: &Name) -> (String, Option<Params>) {
    let Some(value) = headers.get(name) else { return (String::new(), Some(Params::default())) };
    let (kind, params) = value.split_once(';').unwrap_or((&*value, ""));
    (scan::trim(kind).to_ascii_lowercase(), Params::parse(params).ok())
}

/// Packed or written in letters: nothing of that is undone here (RFC 3261 7.4.1; SIP carries any byte as it is).
fn is_coded(headers: &Headers) -> bool {
    let plain = |name: &Name, words: &[&str]| {
        headers.get(name).is_none_or(|v| words.iter().any(|w| scan::trim(&v).eq_ignore_ascii_case(w)))
    };
    !(plain(&Name::ContentEncoding, &["identity"]) && plain(&named("Content-Transfer-Encoding"), &["binary", "8bit", "7bit"]))
}

/// A header of MIME that has no variant of its own.
fn named(name: &'static str) -> Name {
    Name::Other(Bytes::from_static(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::msg::{Method, Uri};

    const OFFER: &str = "v=0\r\nm=audio 10000 RTP/AVP 8\r\n";

    fn message(kind: &str, disposition: &str, body: &str) -> Message {
        let mut m = Message::request(Method::Invite, Uri::parse("sip:4000@h").unwrap());
        m.set_body(kind, body.to_owned());
        if !disposition.is_empty() {
            m.headers.push(Name::ContentDisposition, disposition);
        }
        m
    }

    fn mixed(parts: &[&str]) -> String {
        parts.iter().map(|p| format!("--b\r\n{p}\r\n")).collect::<String>() + "--b--\r\n"
    }

    fn found(kind: &str, parts: &[&str]) -> Result<Option<String>, NotRead> {
        let read = message(kind, "", &mixed(parts)).session()?;
        Ok(read.map(|b| String::from_utf8(b.to_vec()).unwrap()))
    }

    fn offer() -> String {
        format!("Content-Type: application/sdp\r\n\r\n{OFFER}")
    }

    const ISUP: &str =
        "Content-Type: application/isup;version=itu-t92+\r\nContent-Disposition: signal;handling=optional\r\n\r\n\u{1}";
    const PLACE: &str =
        "Content-Type: application/pidf+xml\r\nContent-ID: <a@b>\r\nContent-Disposition: by-reference\r\n\r\n<p/>";

    #[test]
    fn a_description_is_found_among_what_carriers_put_beside_it_to_the_last_byte() {
        let (offer, kind) = (offer(), "multipart/mixed;boundary=b");
        let whole = Ok(Some(OFFER.to_owned()));
        assert_eq!(found(kind, &[&offer]), whole);
        assert_eq!(found(kind, &[ISUP, &offer]), whole);
        assert_eq!(found(kind, &[&offer, PLACE, ISUP]), whole);
        assert_eq!(found(kind, &[ISUP, PLACE]), Ok(None), "nothing of it is a description, and nothing has to be understood");
        assert_eq!(found("Multipart/Mixed ; Boundary=\"b\"", &[&offer]), whole);
        let nested = format!("Content-Type: multipart/mixed;boundary=in\r\n\r\n--in\r\n{offer}\r\n--in--");
        assert_eq!(found(kind, &[ISUP, &nested]), whole);
        let around = format!("for whom it may concern\r\n{}behind", mixed(&[&offer]));
        assert_eq!(message(kind, "", &around).session(), Ok(Some(OFFER.into())));
        let bare = mixed(&[&offer]).replace("\r\n", "\n");
        assert_eq!(message(kind, "", &bare).session(), Ok(Some(OFFER.replace("\r\n", "\n").into())));
    }

    #[test]
    fn what_has_to_be_understood_and_is_not_is_refused_and_what_is_broken_is_said_to_be() {
        let (offer, kind) = (offer(), "multipart/mixed;boundary=b");
        let must = ISUP.replace("optional", "required");
        assert_eq!(found(kind, &[&offer, &must]), Err(NotRead::Unsupported));
        assert_eq!(found(kind, &[&offer, "\r\nhello"]), Err(NotRead::Unsupported), "a part without a type is text");
        let packed = offer.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n");
        let letters = offer.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        let early = offer.replace("\r\n\r\n", "\r\nContent-Disposition: early-session\r\n\r\n");
        for other in [packed, letters, early] {
            assert_eq!(found(kind, &[&other]), Err(NotRead::Unsupported), "{other}");
        }
        assert_eq!(found(kind, &[&offer, &offer]), Err(NotRead::Broken), "which of the two?");
        assert_eq!(found("multipart/mixed", &[&offer]), Err(NotRead::Broken));
        assert_eq!(found("multipart/mixed;boundary=other", &[&offer]), Err(NotRead::Broken));
        assert_eq!(message(kind, "", &format!("--b\r\n{offer}")).session(), Err(NotRead::Broken), "it does not end");
        assert_eq!(message(kind, "", "--b--").session(), Err(NotRead::Broken), "it has no part");
        assert_eq!((NotRead::Unsupported.code(), NotRead::Broken.code()), (415, 400));
        let many = vec![ISUP; limits::SIP_BODY_PARTS_MAX + 1];
        assert_eq!(found(kind, &many), Err(NotRead::Unsupported));
        let mut deep = offer;
        for _ in 0..limits::SIP_BODY_DEPTH_MAX {
            deep = format!("Content-Type: multipart/mixed;boundary=b{0}\r\n\r\n--b{0}\r\n{deep}\r\n--b{0}--", deep.len());
        }
        assert_eq!(found(kind, &[&deep]), Err(NotRead::Unsupported));
    }

    #[test]
    fn of_alternatives_the_last_that_is_understood_and_of_what_belongs_together_its_root() {
        let (first, later) = (offer(), offer().replace("10000", "20000"));
        let unknown = "Content-Type: application/x-session\r\n\r\n{}";
        let read = |kind: &str, parts: &[&str]| found(kind, parts).map(|o| o.map(|o| o.contains("20000")));
        assert_eq!(read("multipart/alternative;boundary=b", &[&first, &later, unknown]), Ok(Some(true)));
        assert_eq!(read("multipart/alternative;boundary=b", &[&first, ISUP]), Ok(Some(false)));
        assert_eq!(read("multipart/alternative;boundary=b", &[unknown]), Err(NotRead::Unsupported));
        assert_eq!(read("multipart/related;boundary=b", &[&first, unknown]), Ok(Some(false)));
        let root = format!("Content-ID: <root@h>\r\n{later}");
        assert_eq!(read("multipart/related;boundary=b;start=\"<root@h>\"", &[unknown, &root]), Ok(Some(true)));
        assert_eq!(read("multipart/related;boundary=b;start=\"<no@h>\"", &[&first]), Err(NotRead::Broken));
    }

    #[test]
    fn one_body_alone_is_a_description_or_something_that_may_be_passed_over_or_a_refusal() {
        let alone = |kind: &str, disposition: &str| message(kind, disposition, OFFER).session();
        assert_eq!(alone("application/SDP ;charset=utf-8", ""), Ok(Some(OFFER.into())));
        assert_eq!(alone("application/isup", "signal; Handling=\"Optional\""), Ok(None));
        assert_eq!(alone("application/isup", "signal;handling=required"), Err(NotRead::Unsupported));
        assert_eq!(alone("application/isup", "x;not-handling=optional"), Err(NotRead::Unsupported));
        assert_eq!(message("application/sdp", "", "").session(), Ok(None));
    }
}
