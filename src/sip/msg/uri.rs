//! Addresses: SIP URIs, telephone URIs, and whatever else came, which is kept as it was.
//!
//! The user part is held in wire form: `sips%3Auser%40h` is a user name, not an address, and is never unescaped twice.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use super::{Params, scan};

/// Any URI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uri {
    /// `sip:` and `sips:`.
    Sip(SipUri),
    /// `tel:` (RFC 3966).
    Tel(TelUri),
    /// A scheme we do not route: answered 416 as a target, carried unchanged elsewhere.
    Other {
        /// Before the colon, as written.
        scheme: Box<str>,
        /// After the colon, as written.
        rest: Box<str>,
    },
}

/// `sip:user:password@host:port;params?headers` (RFC 3261 19.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SipUri {
    /// `sips:`.
    pub secure: bool,
    user: Option<Box<str>>,
    password: Option<Box<str>>,
    /// Where.
    pub host: Host,
    /// `None`: not written, which is not the same as 5060 (RFC 3261 19.1.4).
    pub port: Option<u16>,
    /// `transport`, `lr`, `user`, ...
    pub params: Params,
    /// What follows `?`, in wire form. Never obeyed: a contact cannot put a Route into our requests (RFC 3261 19.1.5).
    pub headers: Option<Box<str>>,
}

/// `tel:+1-201-555-0123;ext=4`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TelUri {
    /// As written, visual separators included.
    pub number: Box<str>,
    /// `ext`, `phone-context`, ...
    pub params: Params,
}

/// A host name or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name, lower case.
    Name(Box<str>),
    /// IPv4, or IPv6 (in brackets on the wire).
    Ip(IpAddr),
}

impl Host {
    /// Reads a host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or("an IPv6 address without its closing bracket")?;
            return parse_v6(inner).map(|ip| Host::Ip(ip.into())).ok_or("not an IPv6 address");
        }
        if let Ok(ip) = text.parse::<std::net::Ipv4Addr>() {
            return Ok(Host::Ip(ip.into()));
        }
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if text.is_empty() || text.len() > 255 || !text.bytes().all(good) {
            return Err("not a host name");
        }
        Ok(Host::Name(text.to_ascii_lowercase().into()))
    }
    /// The address, when it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Ip(ip) => Some(*ip),
            Host::Name(_) => None,
        }
    }
}

/// An IPv6 address without brackets. Three colons are read as two: the grammar of RFC 3261 let them through before an
/// embedded IPv4 address, and implementations wrote them (RFC 5118 4.10).
fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    match text.parse() {
        Ok(ip) => Some(ip),
        Err(_) if text.contains(":::") => text.replacen(":::", "::", 1).parse().ok(),
        Err(_) => None,
    }
}

/// An address with or without brackets, as `received` and `maddr` carry it (RFC 5118 4.5: both forms are met).
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse::<std::net::Ipv4Addr>().map(IpAddr::from).ok().or_else(|| parse_v6(bare).map(IpAddr::from))
}

/// `host`, `host:port`, `[v6]:port`, blanks around the colon allowed (RFC 3261 25.1, sent-by).
pub fn parse_host_port(text: &str) -> Result<(Host, Option<u16>), &'static str> {
    let split = match text.rfind(']') {
        Some(end) => text[end..].find(':').map(|i| end + i),
        None => text.find(':'),
    };
    let (host, port) = match split {
        Some(i) => (&text[..i], Some(scan::number::<u16>(scan::trim(&text[i + 1..])).ok_or("not a port number")?)),
        None => (text, None),
    };
    Ok((Host::parse(scan::trim(host))?, port))
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Host {
        Host::Ip(ip)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

impl Uri {
    /// Reads a URI that stands alone (a Request-URI, or what was between `<` and `>`).
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once(':').ok_or("a URI without a scheme")?;
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.bytes().all(good) {
            return Err("not a URI scheme");
        }
        if rest.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 0x7f)) {
            return Err("a blank, quote or bracket inside a URI");
        }
        match scheme {
            s if s.eq_ignore_ascii_case("sip") => SipUri::parse_rest(false, rest).map(Uri::Sip),
            s if s.eq_ignore_ascii_case("sips") => SipUri::parse_rest(true, rest).map(Uri::Sip),
            s if s.eq_ignore_ascii_case("tel") => TelUri::parse_rest(rest).map(Uri::Tel),
            _ => Ok(Uri::Other { scheme: scheme.into(), rest: rest.into() }),
        }
    }
    /// The SIP URI, when it is one.
    pub fn sip(&self) -> Option<&SipUri> {
        match self {
            Uri::Sip(uri) => Some(uri),
            _ => None,
        }
    }
    /// Whom it names: the unescaped user of a SIP URI, the number of a `tel:`. Empty when there is none.
    pub fn user(&self) -> Cow<'_, str> {
        match self {
            Uri::Sip(uri) => uri.user().unwrap_or_default(),
            Uri::Tel(tel) => Cow::Borrowed(&tel.number),
            Uri::Other { .. } => Cow::Borrowed(""),
        }
    }
    /// The scheme, in lower case for those we know.
    pub fn scheme(&self) -> &str {
        match self {
            Uri::Sip(SipUri { secure: false, .. }) => "sip",
            Uri::Sip(SipUri { secure: true, .. }) => "sips",
            Uri::Tel(_) => "tel",
            Uri::Other { scheme, .. } => scheme,
        }
    }
    /// Whether two URIs name the same thing by RFC 3261 19.1.4: what makes two contacts one binding.
    pub fn same(&self, other: &Uri) -> bool {
        match (self, other) {
            (Uri::Sip(a), Uri::Sip(b)) => a.same(b),
            (Uri::Tel(a), Uri::Tel(b)) => a.digits() == b.digits() && a.params == b.params,
            (Uri::Other { scheme: s, rest: r }, Uri::Other { scheme, rest }) => s.eq_ignore_ascii_case(scheme) && r == rest,
            _ => false,
        }
    }
}

impl SipUri {
    /// `sip:user@host:port`; `user` is plain text and is escaped here.
    pub fn new(user: Option<&str>, host: impl Into<Host>, port: Option<u16>) -> Self {
        let mut uri = SipUri {
            secure: false,
            user: None,
            password: None,
            host: host.into(),
            port,
            params: Params::default(),
            headers: None,
        };
        uri.set_user(user);
        uri
    }
    /// `sip:user@ip:port` for a socket address.
    pub fn at(user: Option<&str>, addr: SocketAddr) -> Self {
        SipUri::new(user, addr.ip(), Some(addr.port()))
    }
    fn parse_rest(secure: bool, rest: &str) -> Result<Self, &'static str> {
        // `@` cannot stand unescaped anywhere else, while `;`, `?` and `:` are all legal in the user part.
        let (userinfo, rest) = match rest.split_once('@') {
            Some((u, r)) => (Some(u), r),
            None => (None, rest),
        };
        let (user, password) = match userinfo.map(|u| u.split_once(':').map_or((u, None), |(u, p)| (u, Some(p)))) {
            Some(("", _)) => return Err("`@` without a user before it"),
            Some((u, p)) => (Some(u.into()), p.map(Into::into)),
            None => (None, None),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((r, h)) => (r, Some(h.into())),
            None => (rest, None),
        };
        let (host_port, params) = rest.split_once(';').map_or((rest, None), |(h, p)| (h, Some(p)));
        let (host, port) = parse_host_port(host_port)?;
        let params = params.map_or(Ok(Params::default()), Params::parse)?;
        Ok(SipUri { secure, user, password, host, port, params, headers })
    }
    /// The user, unescaped once.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(scan::unescape)
    }
    /// The user in wire form.
    pub fn user_raw(&self) -> Option<&str> {
        self.user.as_deref()
    }
    /// Sets the user; plain text, escaped here. An empty text is no user.
    pub fn set_user(&mut self, user: Option<&str>) {
        let keep = |b: u8| matches!(b, b'&' | b'=' | b'+' | b'$' | b',' | b'/');
        self.user = user.filter(|u| !u.is_empty()).map(|u| scan::escape(u, keep).into());
    }
    /// The `transport` parameter, as written.
    pub fn transport(&self) -> Option<Cow<'_, str>> {
        self.params.get("transport")
    }
    /// Sets a parameter; plain text, escaped here.
    pub fn set_param(&mut self, name: &str, value: &str) {
        let keep = |b: u8| matches!(b, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$');
        self.params.set_raw(name, Some(scan::escape(value, keep)));
    }
    /// A header the URI carries (RFC 3261 19.1.1), unescaped once.
    pub fn header(&self, name: &str) -> Option<String> {
        let all = self.headers.as_deref()?;
        let value = all.split('&').find_map(|h| h.split_once('=').filter(|(n, _)| n.eq_ignore_ascii_case(name)))?.1;
        Some(scan::unescape(value).into_owned())
    }
    /// Adds a header; plain text, escaped here.
    pub fn add_header(&mut self, name: &str, value: &str) {
        let before = self.headers.take().map(|h| format!("{h}&")).unwrap_or_default();
        self.headers = Some(format!("{before}{name}={}", scan::escape(value, |_| false)).into());
    }
    /// The same URI fit for a request line: no headers, no `method` parameter (RFC 3261 19.1.1, table 1).
    pub fn for_request(&self) -> SipUri {
        let mut uri = SipUri { headers: None, ..self.clone() };
        uri.params.remove("method");
        uri
    }
    /// RFC 3261 19.1.4.
    fn same(&self, other: &SipUri) -> bool {
        let user = |u: &SipUri| u.user.as_deref().map(|t| scan::unescape(t).into_owned());
        let password = |u: &SipUri| u.password.as_deref().map(|t| scan::unescape(t).into_owned());
        let must_match = ["user", "ttl", "method", "maddr", "transport"];
        let param = |u: &SipUri, n: &str| u.params.get(n).map(|v| scan::unescape(&v).to_ascii_lowercase());
        let shared = self.params.iter().all(|(n, _)| !other.params.has(n) || param(self, n) == param(other, n));
        let headers = |u: &SipUri| {
            let mut all: Vec<String> =
                u.headers.as_deref().unwrap_or("").split('&').map(|h| scan::unescape(h).to_ascii_lowercase()).collect();
            all.sort();
            all
        };
        self.secure == other.secure
            && user(self) == user(other)
            && password(self) == password(other)
            && self.host == other.host
            && self.port == other.port
            && must_match.iter().all(|n| self.params.has(n) == other.params.has(n))
            && shared
            && headers(self) == headers(other)
    }
}

impl TelUri {
    fn parse_rest(rest: &str) -> Result<Self, &'static str> {
        let (number, params) = rest.split_once(';').map_or((rest, None), |(n, p)| (n, Some(p)));
        let good = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'+' | b'-' | b'.' | b'(' | b')' | b'*' | b'#');
        if number.is_empty() || !number.bytes().all(good) {
            return Err("not a telephone number");
        }
        Ok(TelUri { number: number.into(), params: params.map_or(Ok(Params::default()), Params::parse)? })
    }
    /// The number without visual separators.
    pub fn digits(&self) -> String {
        self.number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect()
    }
}

impl std::str::FromStr for Uri {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Uri::parse(s)
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Uri {
        Uri::Sip(uri)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uri::Sip(uri) => uri.fmt(f),
            Uri::Tel(tel) => write!(f, "tel:{}{}", tel.number, tel.params),
            Uri::Other { scheme, rest } => write!(f, "{scheme}:{rest}"),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)?;
        self.headers.as_ref().map_or(Ok(()), |h| write!(f, "?{h}"))
    }
}

impl fmt::Debug for SipUri {
    /// As written, but never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = SipUri { password: self.password.as_ref().map(|_| "***".into()), ..self.clone() };
        fmt::Display::fmt(&hidden, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn a_phone_that_registers_twice_is_one_binding_when_its_contacts_are_the_same() {
        // The examples of RFC 3261 19.1.4.
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
            ("tel:+1-201-555-0123", "tel:+12015550123"),
        ] {
            assert!(uri(a).same(&uri(b)) && uri(b).same(&uri(a)), "{a} {b}");
        }
        for (a, b) in [
            ("sip:ALICE@AtlanTa.CoM;Transport=udp", "sip:alice@AtlanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;newparam=6"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:bob@h", "sips:bob@h"),
            ("sip:bob@h", "tel:+12015550123"),
        ] {
            assert!(!uri(a).same(&uri(b)) && !uri(b).same(&uri(a)), "{a} {b}");
        }
    }

    #[test]
    fn what_is_read_is_written_back() {
        for text in [
            "sip:john.doe@example.com",
            "sip:+12125551212:1234@gateway.example.com;user=phone",
            "sips:alice@[2001:db8::10]:5061;transport=tls;lr",
            "sip:*97%23@10.0.0.1",
            "sip:a;b=c?d@example.com",
            "tel:+86-138-1234-5678;phone-context=+86",
            "urn:service:sos",
        ] {
            assert_eq!(uri(text).to_string(), text);
        }
    }

    #[test]
    fn a_user_name_from_outside_cannot_become_anything_but_a_user_name() {
        for hostile in ["a@evil.example", "a;lr", "a\r\nX: y", "a b", "<a>", "a:b", "100%", "客服", "a?Route=x"] {
            let made = Uri::from(SipUri::new(Some(hostile), Host::parse("example.com").unwrap(), None));
            let read = uri(&made.to_string());
            assert_eq!(read.user(), hostile);
            assert_eq!(read, made);
        }
        let mut made = SipUri::new(Some("a"), Host::parse("h").unwrap(), None);
        made.set_param("x", "1;lr\r\n>");
        assert_eq!(uri(&made.to_string()).sip().unwrap().params.get("lr"), None);
    }

    #[test]
    fn a_password_is_not_shown_in_logs() {
        let shown = format!("{:?}", uri("sip:alice:secret@example.com"));
        assert!(shown.contains("alice") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for bad in [
            "",
            "alice",
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a@h:70000",
            "sip:a@h:",
            "sip:2001:db8::10",
            "sip:a b@h",
            "tel:",
            "tel:a;;",
            "1x:y",
            "sip:h;;",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad}");
        }
    }
}
