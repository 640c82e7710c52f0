//! Digest parameters as they travel: challenges and credentials (RFC 3261 20.7, 20.44; RFC 8760). What they prove is `sip::auth`.

use std::{borrow::Cow, fmt};

use super::scan;
use crate::base::limits;

/// `Digest realm="..", nonce=".."`: a scheme and its parameters. Challenges and credentials have the same form.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthHeader {
    /// `Digest`, as written.
    pub scheme: Box<str>,
    params: Vec<(Box<str>, Box<str>)>,
}

/// `WWW-Authenticate`, `Proxy-Authenticate`.
pub type Challenge = AuthHeader;
/// `Authorization`, `Proxy-Authorization`.
pub type Credentials = AuthHeader;

impl AuthHeader {
    /// An empty one to be filled with [`set`](Self::set) and [`set_plain`](Self::set_plain).
    pub fn digest() -> Self {
        AuthHeader { scheme: "Digest".into(), params: Vec::new() }
    }
    /// Reads one header value if it is a Digest that can be read.
    pub fn of_digest(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(Self::is_digest)
    }
    /// Reads one header value. Each parameter may stand once: of two nonces neither can be trusted. Empty places in the list are
    /// overlooked (RFC 9110 section 5.6.1.2).
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = scan::trim(text);
        let (scheme, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        if !scan::is_token(scheme.as_bytes()) {
            return Err("no authentication scheme");
        }
        let mut out = AuthHeader { scheme: scheme.into(), params: Vec::new() };
        if scan::trim(rest).is_empty() {
            return Ok(out);
        }
        for item in scan::items(rest) {
            let item = item?;
            if item.is_empty() {
                continue;
            }
            let (name, value) = item.split_once('=').ok_or("an authentication parameter without `=`")?;
            let (name, value) = (scan::trim(name), scan::trim(value));
            let quoted = scan::is_quoted(value);
            if !scan::is_token(name.as_bytes()) || (!quoted && value.contains(['"', ' ', '\t'])) {
                return Err("a malformed authentication parameter");
            }
            if out.params.len() == limits::SIP_LIST_MAX || out.raw(name).is_some() {
                return Err("too many authentication parameters, or one twice");
            }
            out.params.push((name.into(), value.into()));
        }
        Ok(out)
    }
    /// True for the Digest scheme.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }
    /// A parameter, unquoted.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(scan::unquote)
    }
    fn raw(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
    }
    /// Sets a quoted parameter (realm, nonce, opaque, uri, response, username, qop of a challenge).
    pub fn set(self, name: &str, value: &str) -> Self {
        self.put(name, scan::quote(value))
    }
    /// Sets an unquoted parameter (algorithm, nc, stale, qop of credentials); what is no token is quoted after all.
    pub fn set_plain(self, name: &str, value: &str) -> Self {
        let value = if scan::is_token(value.as_bytes()) { value.to_owned() } else { scan::quote(value) };
        self.put(name, value)
    }
    fn put(mut self, name: &str, value: String) -> Self {
        self.params.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.params.push((name.into(), value.into()));
        self
    }
}

impl fmt::Display for AuthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (i, (name, value)) in self.params.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { " " } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for AuthHeader {
    /// Without what could be replayed or guessed at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |n: &str| !["response", "nonce", "cnonce", "opaque"].iter().any(|s| s.eq_ignore_ascii_case(n));
        let params = self.params.iter().map(|(n, v)| (n, if shown(n) { &**v } else { "***" }));
        write!(f, "{} ", self.scheme)?;
        f.debug_map().entries(params).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_sha256_phone_read_back_as_written() {
        let text = r#"Digest username="an\"na", realm="r, s", nonce="abc", uri="sip:a", response="00ff", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="x""#;
        let c = Credentials::parse(text).unwrap();
        assert_eq!(c.get("USERNAME").as_deref(), Some("an\"na"));
        assert_eq!(c.get("realm").as_deref(), Some("r, s"));
        assert_eq!(c.get("algorithm").as_deref(), Some("SHA-256"));
        assert_eq!(c.to_string(), text);
        assert!(!format!("{c:?}").contains("00ff"));
    }

    #[test]
    fn two_nonces_are_none() {
        assert!(Credentials::parse(r#"Digest nonce="a", nonce="b""#).is_err());
        assert!(Credentials::parse(r#"Digest nonce="a"#).is_err());
        assert!(Credentials::parse("NoOneKnowsThisScheme opaque-data=here").is_ok_and(|c| !c.is_digest()));
    }

    #[test]
    fn a_quoted_comma_an_escaped_quote_and_an_empty_place_do_not_split_a_value() {
        let p = AuthHeader::of_digest(r#"digest Realm="a, \"b\"" ,,nc=00000001,qop=auth,"#).unwrap();
        assert_eq!(p.get("realm").as_deref(), Some("a, \"b\""));
        assert_eq!((p.get("NC").as_deref(), p.get("qop").as_deref(), p.get("uri")), (Some("00000001"), Some("auth"), None));
        assert_eq!(AuthHeader::digest().set("a", "a\"b\r\n\\").to_string(), r#"Digest a="a\"b  \\""#);
    }

    #[test]
    fn what_is_no_digest_is_none() {
        for bad in [
            "",
            "Basic abc",
            "NoOneKnowsThisScheme opaque-data=here",
            "Digest a",
            "Digest a=\"x",
            "Digest a=1,a=2",
            "Digest a=\"x\" \"y\"",
            "Digest a=\"x\"y\"",
            "Digest a=\"x\\\"",
        ] {
            assert_eq!(AuthHeader::of_digest(bad), None, "{bad}");
        }
    }
}
