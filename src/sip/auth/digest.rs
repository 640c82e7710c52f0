//! The arithmetic of RFC 7616 section 3.4 for MD5 and SHA-256.

use std::fmt;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// A hash we can speak (RFC 8760 section 2). SHA-256 is preferred: the order of the variants is the order of challenges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// MD5, for the many phones that know nothing else.
    Md5,
}

impl Algorithm {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Md5 => "MD5",
        }
    }
    /// Reads the name; none sent means MD5 (RFC 7616 3.3).
    pub fn parse(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Algorithm::Md5),
            Some(n) if n.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            Some(n) if n.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }
    /// The hash of `text` as lower-case hex.
    pub fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
            Algorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
        }
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        // Writing to a String cannot fail.
        let _ = write!(s, "{b:02x}");
        s
    })
}

/// What is kept of a password: H(user:realm:password) in both hashes, hex. As good as the password within its realm, so it is
/// never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ha1 {
    /// With MD5.
    pub md5: String,
    /// With SHA-256.
    pub sha256: String,
}

impl Ha1 {
    /// From the password.
    pub fn new(user: &str, realm: &str, password: &str) -> Self {
        let text = format!("{user}:{realm}:{password}");
        Self { md5: Algorithm::Md5.hash(&text), sha256: Algorithm::Sha256.hash(&text) }
    }
    /// The half for one algorithm.
    pub fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1([secret])")
    }
}

/// What both sides put into the response besides HA1.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// Which hash.
    pub algorithm: Algorithm,
    /// The request's method.
    pub method: &'a str,
    /// The `uri` parameter.
    pub uri: &'a str,
    /// The server's nonce.
    pub nonce: &'a str,
    /// `(nc, cnonce)` when `qop=auth`; without it the form of RFC 2069.
    pub auth: Option<(&'a str, &'a str)>,
}

impl Proof<'_> {
    /// The response, hex.
    pub fn response(&self, ha1: &str) -> String {
        let ha2 = self.algorithm.hash(&format!("{}:{}", self.method, self.uri));
        self.algorithm.hash(&match self.auth {
            Some((nc, cnonce)) => format!("{ha1}:{}:{nc}:{cnonce}:auth:{ha2}", self.nonce),
            None => format!("{ha1}:{}:{ha2}", self.nonce),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 section 3.9.1: the same request in both hashes.
    #[test]
    fn the_example_of_rfc_7616_comes_out_to_the_digit() {
        let ha1 = Ha1::new("Mufasa", "http-auth@example.org", "Circle of Life");
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let proof = Proof {
                algorithm,
                method: "GET",
                uri: "/dir/index.html",
                nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                auth: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
            };
            assert_eq!(proof.response(ha1.of(algorithm)), expected);
        }
    }

    #[test]
    fn a_peer_of_the_year_1999_gets_the_short_form() {
        // RFC 2069 section 2.4 with the response corrected by its errata.
        let ha1 = Ha1::new("Mufasa", "testrealm@host.com", "CircleOfLife");
        let proof = Proof {
            algorithm: Algorithm::Md5,
            method: "GET",
            uri: "/dir/index.html",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            auth: None,
        };
        assert_eq!(proof.response(&ha1.md5), "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn a_password_half_is_never_printed() {
        assert_eq!(format!("{:?}", Ha1::new("a", "b", "c")), "Ha1([secret])");
    }
}
