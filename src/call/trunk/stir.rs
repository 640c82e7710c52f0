//! Vouching for callers to carriers that ask for it: an Identity header on every call out (RFC 8224, STIR/SHAKEN).
//!
//! We say in full that a number is the caller's only where it is a number of the house; of a number that is passed on we say
//! that we know the caller, no more. Who hides gets no header that would tell.

use serde::{Deserialize, Serialize};

use crate::{
    base::{NumberPattern, Rng, Wall},
    sip::stir::{Attestation, Claims, Pen, identity},
};

/// How we vouch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stir {
    /// Name of the secret that holds the private key (PKCS#8, PEM), never the key itself.
    pub key_secret: String,
    /// Where everybody finds the certificate of that key: `https://..`.
    pub cert_url: String,
    /// Numbers of the house besides the trunk's `caller_id`: `+3228880*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owns: Vec<NumberPattern>,
}

impl Stir {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"'));
        if !self.cert_url.starts_with("https://") || self.cert_url.len() > 256 || !plain(&self.cert_url) {
            return Some("cert_url: expected an address like https://cert.shop.example/stir.pem");
        }
        self.key_secret.is_empty().then_some("key_secret: is empty; expected the name of a secret")
    }
}

/// It with the key at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// What was decided.
    pub stir: Stir,
    /// Signs.
    pub pen: Pen,
}

impl Voucher {
    /// The Identity header for a call from `shown` to `called`, both brought to E.164; `own`: the trunk's number. `None`: no
    /// number is shown, or none is called.
    pub(super) fn vouch(&self, now: Wall, shown: &str, own: Option<&str>, called: &str, rng: &mut Rng) -> Option<String> {
        let (orig, dest) = (digits(shown)?, digits(called)?);
        let house = own == Some(shown) || self.stir.owns.iter().any(|p| p.matches(shown));
        let attestation = if house { Attestation::A } else { Attestation::B };
        let origid = uuid::Builder::from_random_bytes(rng.bytes()).into_uuid().to_string();
        let claims = Claims { attestation, orig, dest, iat: now.timestamp().as_second(), origid: &origid };
        let header = identity(&claims, &self.stir.cert_url, &self.pen);
        if header.is_none() {
            tracing::error!("a call goes out without its Identity header: the key does not sign");
        }
        header
    }
}

/// RFC 8224 section 8.3: the canonical form has digits only.
fn digits(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn voucher() -> Voucher {
        let stir = Stir {
            key_secret: "stir".into(),
            cert_url: "https://cert.shop.example/stir.pem".into(),
            owns: vec![NumberPattern::parse("+3228880*").unwrap()],
        };
        Voucher { stir, pen: Pen::new(|_| Some([1; 64])) }
    }

    fn said(shown: &str, own: Option<&str>, called: &str) -> Option<String> {
        let value = voucher().vouch(Wall::from_unix_s(1_795_406_706), shown, own, called, &mut Rng::seeded(1))?;
        let claims = value.split('.').nth(1).unwrap();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        Some(claims.split(",\"origid\"").next().unwrap().to_owned())
    }

    #[test]
    fn the_number_is_vouched_for_only_where_it_is_one_of_the_house() {
        let full = r#"{"attest":"A","dest":{"tn":["32470000009"]},"iat":1795406706,"orig":{"tn":"3228880042"}"#;
        assert_eq!(said("+3228880042", None, "+32470000009").as_deref(), Some(full));
        assert_eq!(said("+3228880042", Some("+3228880042"), "+32470000009").as_deref(), Some(full));
        let passed = said("+4930123456", Some("+3228880000"), "+32470000009").unwrap();
        assert!(passed.contains(r#""attest":"B""#) && passed.contains("4930123456"), "{passed}");
        assert_eq!(said("", None, "+32470000009"), None, "who hides is not told of");
        assert_eq!(said("anna", None, "+32470000009"), None);
    }

    #[test]
    fn an_address_that_would_break_the_header_is_refused() {
        assert_eq!(voucher().stir.problem(), None);
        for bad in ["http://cert.example/a.pem", "https://cert.example/a>;x=<", "https://cert.example/a b", ""] {
            assert!(Stir { cert_url: bad.into(), ..voucher().stir }.problem().is_some(), "{bad}");
        }
    }
}
