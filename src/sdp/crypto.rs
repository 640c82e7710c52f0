//! `a=crypto`: a suite and a key for SRTP, in the clear, so only worth something where the signalling is encrypted (RFC 4568).

use std::fmt;

use base64::{
    Engine as _,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    },
};
use media::wire::{Secret, SrtpKey, SrtpSuite};

/// Some phones leave the padding away.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Names the line; the answer repeats the one it took.
    pub tag: u32,
    /// Suite, and the key its writer sends under.
    pub key: SrtpKey,
}

impl Crypto {
    /// Reads what stands after `a=crypto:`. `None` for a line we cannot use: an unknown suite, a key of another length, several
    /// keys or a key with an MKI (its packets would carry bytes nobody here expects), a session parameter that changes what
    /// is encrypted (RFC 4568 section 6.3). The key's lifetime is taken note of by nobody: 2^48 packets are no call.
    pub(super) fn parse(value: &str) -> Option<Crypto> {
        let mut words = value.split_whitespace();
        let tag = words.next()?;
        // At most nine digits (RFC 4568 section 9.1).
        let tag = tag.bytes().all(|b| b.is_ascii_digit()).then(|| tag.parse().ok()).flatten().filter(|t| *t < 1_000_000_000)?;
        let name = words.next()?;
        let suite = SrtpSuite::ALL.into_iter().find(|s| s.name().eq_ignore_ascii_case(name))?;
        let method = words.next()?;
        let inline = method.get(..7).filter(|m| m.eq_ignore_ascii_case("inline:")).and(method.get(7..))?;
        if inline.contains(';') {
            return None;
        }
        let mut parts = inline.split('|');
        let key_and_salt = LENIENT.decode(parts.next()?).ok()?;
        let (key, salt) = suite.lengths();
        // After the key: `2^20` or a number is a lifetime, `1:4` an MKI and its length.
        if key_and_salt.len() != key + salt || parts.any(|p| p.contains(':')) {
            return None;
        }
        // A window size is advice to us; a leading minus says that a parameter may be passed over.
        if words.any(|w| !w.starts_with('-') && !w.to_ascii_uppercase().starts_with("WSH=")) {
            return None;
        }
        Some(Crypto { tag, key: SrtpKey { suite, key_and_salt: Secret(key_and_salt.into()) } })
    }
}

impl fmt::Display for Crypto {
    /// As it stands in a description, key included: for the wire, never for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.key.suite.name(), STANDARD.encode(&self.key.key_and_salt.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn a_line_with_a_lifetime_and_a_window_is_taken_and_written_back_as_it_was() {
        let c = Crypto::parse(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20 WSH=128 -X=1")).unwrap();
        assert_eq!((c.tag, c.key.suite, c.key.key_and_salt.0.len()), (1, SrtpSuite::Aes128Sha1Tag80, 30));
        assert_eq!(c.to_string(), format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
        assert_eq!(Crypto::parse(&c.to_string()), Some(c.clone()));
        assert!(!format!("{c:?}").contains(KEY), "keys are not printed");
        let bare = format!("2 AEAD_AES_256_GCM inline:{}", STANDARD.encode([7; 44]).trim_end_matches('='));
        assert_eq!(Crypto::parse(&bare).unwrap().key.suite, SrtpSuite::Aes256Gcm);
    }

    #[test]
    fn a_line_that_means_more_than_we_can_do_is_passed_over() {
        for line in [
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"),
            format!("1 AEAD_AES_128_GCM inline:{KEY}"),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            String::new(),
        ] {
            assert_eq!(Crypto::parse(&line), None, "{line}");
        }
    }
}
