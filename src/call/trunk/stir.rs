//! STIR/SHAKEN on a trunk: what is asked of callers who come by it is written here and done in `verify`; callers are vouched for
//! to carriers that ask for it, by an Identity header on every call out (RFC 8224).
//!
//! We say in full that a number is the caller's only where it is a number of the house; of a number that is passed on we say
//! that we know the caller, no more. Who hides gets no header that would tell.

use serde::{Deserialize, Serialize};

use crate::{
    base::{NumberPattern, Rng, Wall},
    sip::stir::{Attestation, Claims, Pen, identity},
};

/// How we vouch, and what we ask of those who vouch to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stir {
    /// Name of the secret that holds the private key (PKCS#8, PEM), never the key itself. Empty: nobody is vouched for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_secret: String,
    /// Where everybody finds the certificate of that key: `https://..`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_url: String,
    /// Numbers of the house besides the trunk's `caller_id`: `+3228880*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owns: Vec<NumberPattern>,
    /// What becomes of calls that come in.
    #[serde(skip_serializing_if = "Demand::is_off")]
    pub verify: Demand,
    /// What was signed longer ago does not count, seconds.
    #[serde(skip_serializing_if = "is_usual")]
    pub max_age_s: u32,
}

/// RFC 8224 section 6.2 recommends it.
const MAX_AGE_S: u32 = 60;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_usual(max_age_s: &u32) -> bool {
    *max_age_s == MAX_AGE_S
}

impl Default for Stir {
    fn default() -> Self {
        let (key_secret, cert_url, owns, verify) = (String::new(), String::new(), Vec::new(), Demand::Off);
        Stir { key_secret, cert_url, owns, verify, max_age_s: MAX_AGE_S }
    }
}

/// What is asked of calls that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// Nothing: Identity headers are not looked at.
    #[default]
    Off,
    /// It is looked who vouches for the caller, and people and flows are told.
    Inform,
    /// Calls nobody vouches for are refused.
    Require,
}

impl Demand {
    fn is_off(&self) -> bool {
        *self == Demand::Off
    }
}

impl Stir {
    /// Callers are vouched for.
    pub fn signs(&self) -> bool {
        !self.key_secret.is_empty() || !self.cert_url.is_empty()
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        if !(1..=3_600).contains(&self.max_age_s) {
            return Some("max_age_s: expected 1 to 3600 seconds");
        }
        if !self.signs() {
            let idle = self.verify.is_off();
            return idle.then_some("verify: is off, and without key_secret and cert_url nobody is vouched for either");
        }
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
            ..Stir::default()
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
        assert!(Stir::default().problem().is_some(), "it does nothing at all");
        let listens = Stir { verify: Demand::Inform, ..Stir::default() };
        assert_eq!((listens.problem(), listens.signs()), (None, false));
        assert!(Stir { max_age_s: 0, ..listens }.problem().is_some());
    }
}
