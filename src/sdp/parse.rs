//! From bytes to [`Session`]. Tolerant of bare LF, unknown lines and attributes; strict about what we use.

use std::net::IpAddr;

use media::wire::Direction;

use super::{Connection, Media, Origin, RtpMap, Session};
use crate::base::limits;

/// Most payload types or attributes kept of one media section; more is no telephone: refused.
const PER_MEDIA_MAX: usize = 64;

/// Where a description is broken, and how. Answered 400 or 488.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SDP line {line}: {what}")]
pub struct SdpError {
    /// Counted from 1; 0 for the whole.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Parses a description (RFC 8866 section 5). The version line must come first; of the order of the rest only what changes
/// meaning is asked for: session lines before media lines.
pub fn parse(data: &[u8]) -> Result<Session, SdpError> {
    if data.len() > limits::SDP_MAX {
        return Err(SdpError { line: 0, what: "too large" });
    }
    let mut origin = None;
    let mut session =
        Session { origin: Origin::unknown(), name: String::new(), connection: None, direction: None, media: Vec::new() };
    let mut versioned = false;
    for (i, line) in data.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Empty lines and padding at the end are met and mean nothing.
        if line.iter().all(|b| matches!(b, 0 | b' ' | b'\t')) {
            continue;
        }
        let fail = |what| SdpError { line: i + 1, what };
        let text = String::from_utf8_lossy(line);
        let Some((kind, value)) = text.split_once('=').filter(|(k, _)| k.len() == 1) else {
            return Err(fail("not `letter=value`"));
        };
        if !versioned && kind != "v" {
            return Err(fail("`v=0` must come first"));
        }
        if kind == "m" {
            if session.media.len() == limits::SDP_MEDIA_MAX {
                return Err(fail("too many media sections"));
            }
            session.media.push(media_line(value).map_err(fail)?);
            continue;
        }
        match (kind, session.media.last_mut()) {
            ("v", _) if value.trim() == "0" && !versioned => versioned = true,
            ("v", _) => return Err(fail("not version 0")),
            ("o", None) => origin = Some(origin_line(value).map_err(fail)?),
            ("s", None) => session.name = value.to_owned(),
            ("c", None) => session.connection = Some(connection(value).map_err(fail)?),
            ("c", Some(media)) if media.connection.is_none() => media.connection = Some(connection(value).map_err(fail)?),
            ("a", None) => session.direction = direction(value).or(session.direction),
            ("a", Some(media)) => attribute(media, value),
            _ => {}
        }
    }
    if !versioned {
        return Err(SdpError { line: 0, what: "empty" });
    }
    session.origin = origin.ok_or(SdpError { line: 0, what: "no `o=` line" })?;
    match session.media.iter().position(|m| m.port != 0 && m.connection.is_none() && session.connection.is_none()) {
        Some(_) => Err(SdpError { line: 0, what: "a media section without an address" }),
        None => Ok(session),
    }
}

impl Origin {
    fn unknown() -> Self {
        Origin { user: "-".into(), session_id: 0, version: 0, address: String::new() }
    }
}

fn origin_line(value: &str) -> Result<Origin, &'static str> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let [user, id, version, _, _, address] = words[..] else { return Err("`o=` needs six fields") };
    // Some phones write numbers beyond 64 bits; only sameness matters, so the low digits do.
    let number = |t: &str| {
        let low = t.get(t.len().saturating_sub(18)..).unwrap_or_default();
        t.bytes().all(|b| b.is_ascii_digit()).then(|| low.parse::<u64>().ok()).flatten()
    };
    Ok(Origin {
        user: user.to_owned(),
        session_id: number(id).ok_or("the session id is no number")?,
        version: number(version).ok_or("the session version is no number")?,
        address: address.to_owned(),
    })
}

fn connection(value: &str) -> Result<Connection, &'static str> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let [net, family, address] = words[..] else { return Err("`c=` needs three fields") };
    if net != "IN" || !matches!(family, "IP4" | "IP6") {
        return Err("not an internet address");
    }
    match address.parse::<IpAddr>() {
        Ok(ip) if !ip.is_multicast() => Ok(Connection::Ip(ip)),
        _ => Ok(Connection::Other(address.to_owned())),
    }
}

fn media_line(value: &str) -> Result<Media, &'static str> {
    let mut words = value.split_whitespace();
    let (Some(kind), Some(port), Some(proto)) = (words.next(), words.next(), words.next()) else {
        return Err("`m=` needs kind, port, protocol and formats");
    };
    // `49170/2` asks for several ports; we take the first.
    let port = port.split('/').next().unwrap_or_default();
    let port = digits(port).ok_or("not a port number")?;
    let formats: Vec<String> = words.take(PER_MEDIA_MAX).map(str::to_owned).collect();
    if formats.is_empty() {
        return Err("a media line without formats");
    }
    Ok(Media { port, formats, ..Media::named(kind, proto) })
}

impl Media {
    /// An empty section.
    pub(super) fn named(kind: &str, proto: &str) -> Self {
        Media {
            kind: kind.to_owned(),
            port: 0,
            proto: proto.to_owned(),
            formats: Vec::new(),
            connection: None,
            rtpmaps: Vec::new(),
            fmtps: Vec::new(),
            ptime_ms: None,
            maxptime_ms: None,
            direction: None,
            rtcp: None,
        }
    }
}

/// Digits only, and in range.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn direction(value: &str) -> Option<Direction> {
    match value.trim() {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

fn attribute(media: &mut Media, value: &str) {
    if let Some(d) = direction(value) {
        media.direction = Some(d);
        return;
    }
    let Some((name, value)) = value.split_once(':') else { return };
    let value = value.trim();
    match name {
        "rtpmap" if media.rtpmaps.len() < PER_MEDIA_MAX => media.rtpmaps.extend(rtpmap(value)),
        "fmtp" if media.fmtps.len() < PER_MEDIA_MAX => {
            if let Some((pt, text)) = value.split_once(' ')
                && let Some(pt) = digits(pt)
            {
                media.fmtps.push((pt, text.trim().to_owned()));
            }
        }
        // Fractions of milliseconds are legal and met (`20.0`); nonsense is as if not said.
        "ptime" => media.ptime_ms = digits(value.split('.').next().unwrap_or_default()).or(media.ptime_ms),
        "maxptime" => media.maxptime_ms = digits(value.split('.').next().unwrap_or_default()).or(media.maxptime_ms),
        "rtcp" => {
            let mut words = value.split_whitespace();
            // Without a usable port it is as if not said.
            if let Some(port) = words.next().and_then(digits::<u16>).filter(|p| *p != 0) {
                media.rtcp = Some((port, words.nth(2).and_then(|a| a.parse().ok())));
            }
        }
        _ => {}
    }
}

/// `None` for what is no RTP payload type description: it cannot be chosen, and that is all.
fn rtpmap(value: &str) -> Option<RtpMap> {
    let (pt, encoding) = value.split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let name = parts.next().filter(|n| !n.is_empty())?.to_owned();
    let clock_hz = parts.next().and_then(digits)?;
    let channels = parts.next().and_then(digits).unwrap_or(1);
    Some(RtpMap { pt: digits(pt).filter(|p| *p < 128)?, name, clock_hz, channels })
}
