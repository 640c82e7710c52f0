//! From bytes to [`Session`]. Tolerant of bare LF, unknown lines and attributes; strict about what we use.

use std::net::IpAddr;

use media::wire::{Direction, Ice, Secret, Xr};

use super::{Candidate, Connection, Crypto, Media, Origin, RtpMap, Session, Setup, Transport};
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
    let mut session = Session {
        origin: Origin::unknown(),
        name: String::new(),
        connection: None,
        direction: None,
        bundle: Vec::new(),
        ice_lite: false,
        transport: Transport::default(),
        media: Vec::new(),
    };
    // User fragment and password come in two lines, of all media or of one.
    let mut ice = IceLines::default();
    let mut versioned = false;
    for (i, line) in data.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Empty lines and padding at the end are met and mean nothing.
        if line.iter().all(|b| matches!(b, 0 | b' ' | b'\t')) {
            continue;
        }
        let fail = |what| SdpError { line: i + 1, what };
        // Padding may follow the last line without a line break between. Elsewhere it is no text (RFC 8866 section 9).
        let line = &line[..line.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1)];
        if line.contains(&0) {
            return Err(fail("a zero byte"));
        }
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
            let told = std::mem::take(&mut ice).whole();
            match session.media.last_mut() {
                None => session.transport.ice = told,
                Some(last) => last.transport.ice = told,
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
            ("a", None) => session_attribute(&mut session, &mut ice, value),
            ("a", Some(media)) => attribute(media, &mut ice, value),
            _ => {}
        }
    }
    match session.media.last_mut() {
        None => session.transport.ice = ice.whole(),
        Some(last) => last.transport.ice = ice.whole(),
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
            rtcp_mux: false,
            rtcp_xr: Xr::default(),
            mid: None,
            cryptos: Vec::new(),
            transport: Transport::default(),
            candidates: Vec::new(),
            end_of_candidates: false,
        }
    }
}

/// `a=ice-ufrag` and `a=ice-pwd` as they come by.
#[derive(Default)]
struct IceLines {
    ufrag: Option<String>,
    pwd: Option<String>,
}

impl IceLines {
    /// Letters, digits, `+` and `/`, as many as RFC 8839 section 5.4 wants.
    fn line(&mut self, name: &str, value: &str) {
        let fits = |least: usize| {
            let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
            ((least..=256).contains(&value.len()) && value.bytes().all(ok)).then(|| value.to_owned())
        };
        match name {
            "ice-ufrag" => self.ufrag = fits(4),
            _ => self.pwd = fits(22),
        }
    }
    fn whole(self) -> Option<Ice> {
        self.ufrag.zip(self.pwd).map(|(ufrag, pwd)| Ice { ufrag, pwd: Secret(pwd.into_bytes().into()) })
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

fn session_attribute(session: &mut Session, ice: &mut IceLines, value: &str) {
    if let Some(d) = direction(value) {
        session.direction = Some(d);
        return;
    }
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let (name, value) = (name.trim(), value.trim());
    match name {
        "ice-lite" => session.ice_lite = true,
        "group" if session.bundle.is_empty() => {
            let mut words = value.split_whitespace();
            if words.next() == Some("BUNDLE") {
                session.bundle = words.take(limits::SDP_MEDIA_MAX).map(str::to_owned).collect();
            }
        }
        _ => transport(&mut session.transport, ice, name, value),
    }
}

fn attribute(media: &mut Media, ice: &mut IceLines, value: &str) {
    if let Some(d) = direction(value) {
        media.direction = Some(d);
        return;
    }
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let (name, value) = (name.trim(), value.trim());
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
        "rtcp-mux" => media.rtcp_mux = true,
        // Kinds we cannot send are as if not asked for, and so are the sizes wished for: ours have one.
        "rtcp-xr" => {
            media.rtcp_xr = Xr {
                voip: value.split_whitespace().any(|kind| kind == "voip-metrics"),
                round_trip: value.split_whitespace().any(|kind| kind.split('=').next() == Some("rcvr-rtt")),
            }
        }
        "mid" => media.mid = value.split_whitespace().next().map(str::to_owned),
        "crypto" if media.cryptos.len() < PER_MEDIA_MAX => media.cryptos.extend(Crypto::parse(value)),
        "candidate" if media.candidates.len() < PER_MEDIA_MAX => media.candidates.extend(candidate(value)),
        "end-of-candidates" => media.end_of_candidates = true,
        _ => transport(&mut media.transport, ice, name, value),
    }
}

fn transport(transport: &mut Transport, ice: &mut IceLines, name: &str, value: &str) {
    match name {
        "ice-ufrag" | "ice-pwd" => ice.line(name, value),
        // Of several hashes of one certificate the one we can check is kept.
        "fingerprint" => transport.fingerprint = fingerprint(value).or(transport.fingerprint),
        "setup" => {
            transport.setup = match value {
                "active" => Some(Setup::Active),
                "passive" => Some(Setup::Passive),
                "actpass" => Some(Setup::ActPass),
                _ => transport.setup,
            }
        }
        _ => {}
    }
}

/// `sha-256 AB:CD:..`; any other hash cannot be checked here.
fn fingerprint(value: &str) -> Option<[u8; 32]> {
    let (hash, hex) = value.split_once(' ')?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    let mut bytes = [0; 32];
    let mut pairs = hex.trim().split(':');
    for b in &mut bytes {
        let pair = pairs.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *b = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(bytes)
}

/// `1 1 udp 2122260223 192.0.2.9 4000 typ host ..`. `None` for TCP, for the second component (RTCP), and for names (mDNS): we
/// answer checks and make none, so an address we cannot read costs nothing.
fn candidate(value: &str) -> Option<Candidate> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let [_, "1", protocol, priority, ip, port, "typ", kind, ..] = words[..] else { return None };
    if !protocol.eq_ignore_ascii_case("udp") {
        return None;
    }
    let addr = std::net::SocketAddr::new(ip.parse().ok()?, digits(port)?);
    Some(Candidate { kind: kind.to_owned(), priority: digits(priority)?, addr })
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
