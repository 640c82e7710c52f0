//! What the owner of a certificate may claim with it: JWTClaimConstraints (RFC 8226 section 8) and their successor
//! (EnhancedJWTClaimConstraints, RFC 9118), which can forbid a claim as well.
//!
//! ```text
//! SEQUENCE { [0] names that must be there, [1] SEQUENCE OF SEQUENCE { name, values it may have }, [2] names that must not }
//! ```
//! So an enterprise that was given some numbers to sign for can be kept from vouching for more than it was told.

use serde_json::Value;

use super::list::{IA5, SEQUENCE, element};

/// Tags of DER.
const UTF8: u8 = 0x0c;
const MUST_INCLUDE: u8 = 0xa0;
const PERMITTED: u8 = 0xa1;
const MUST_EXCLUDE: u8 = 0xa2;

/// What a certificate says about claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraints {
    /// RFC 8226.
    Plain,
    /// RFC 9118.
    Enhanced,
}

/// Whether the owner of a certificate with this extension may make these claims. `None`: the extension cannot be read.
pub fn may_claim(kind: Constraints, extension: &[u8], claims: &Value) -> Option<bool> {
    let (SEQUENCE, mut parts, []) = element(extension)? else { return None };
    // One of them at least, each once, in order.
    let mut last = None;
    let mut may = true;
    while !parts.is_empty() {
        let (tag, part, rest) = element(parts)?;
        let (SEQUENCE, list, []) = element(part)? else { return None };
        if list.is_empty() || last.is_some_and(|last| tag <= last) {
            return None;
        }
        may &= match (tag, kind) {
            (MUST_INCLUDE, _) => names(list)?.into_iter().all(|n| claims.get(n).is_some()),
            (PERMITTED, _) => permitted(list, claims)?,
            (MUST_EXCLUDE, Constraints::Enhanced) => names(list)?.into_iter().all(|n| claims.get(n).is_none()),
            _ => return None,
        };
        last = Some(tag);
        parts = rest;
    }
    last.map(|_| may)
}

/// Every claim that is there and named has one of its values.
fn permitted(mut list: &[u8], claims: &Value) -> Option<bool> {
    let mut may = true;
    while !list.is_empty() {
        let (SEQUENCE, one, rest) = element(list)? else { return None };
        let (IA5, name, values) = element(one)? else { return None };
        let (SEQUENCE, values, []) = element(values)? else { return None };
        let values = strings(UTF8, values)?;
        if let Some(claim) = claims.get(std::str::from_utf8(name).ok()?) {
            may &= match claim {
                Value::String(s) => values.contains(&s.as_str()),
                other => values.contains(&other.to_string().as_str()),
            };
        }
        list = rest;
    }
    Some(may)
}

fn names(list: &[u8]) -> Option<Vec<&str>> {
    strings(IA5, list)
}

/// At least one, all of the same kind.
fn strings(kind: u8, mut list: &[u8]) -> Option<Vec<&str>> {
    let mut all = Vec::new();
    while !list.is_empty() {
        let (tag, text, rest) = element(list)?;
        all.push(std::str::from_utf8(text).ok().filter(|_| tag == kind)?);
        list = rest;
    }
    Some(all).filter(|all| !all.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
        let contents = parts.concat();
        [vec![tag, u8::try_from(contents.len()).unwrap()], contents].concat()
    }
    fn text(tag: u8, text: &str) -> Vec<u8> {
        der(tag, &[text.as_bytes().to_vec()])
    }
    fn named(tag: u8, names: &[&str]) -> Vec<u8> {
        der(tag, &[der(SEQUENCE, &names.iter().map(|n| text(IA5, n)).collect::<Vec<_>>())])
    }
    fn allowed(name: &str, values: &[&str]) -> Vec<u8> {
        let values = der(SEQUENCE, &values.iter().map(|v| text(UTF8, v)).collect::<Vec<_>>());
        der(PERMITTED, &[der(SEQUENCE, &[der(SEQUENCE, &[text(IA5, name), values])])])
    }
    fn plain(parts: &[Vec<u8>], claims: &Value) -> Option<bool> {
        may_claim(Constraints::Plain, &der(SEQUENCE, parts), claims)
    }

    #[test]
    fn a_certificate_that_may_vouch_for_its_own_numbers_only_as_b_cannot_say_a() {
        let claims = |attest: &str| json!({"attest": attest, "iat": 1, "origid": "x", "rcd": {"nam": "Shop"}});
        let only_b = allowed("attest", &["B", "C"]);
        assert_eq!(plain(std::slice::from_ref(&only_b), &claims("B")), Some(true));
        assert_eq!(plain(std::slice::from_ref(&only_b), &claims("A")), Some(false));
        assert_eq!(
            plain(std::slice::from_ref(&only_b), &json!({"iat": 1})),
            Some(true),
            "what is not claimed is not forbidden"
        );
        assert_eq!(plain(&[named(MUST_INCLUDE, &["attest", "origid"]), only_b.clone()], &claims("C")), Some(true));
        assert_eq!(plain(&[named(MUST_INCLUDE, &["attest", "div"])], &claims("B")), Some(false));
        // Whatever is no string counts by its shortest JSON.
        assert_eq!(plain(&[allowed("rcd", &["{\"nam\":\"Shop\"}"])], &claims("A")), Some(true));
        assert_eq!(plain(&[allowed("iat", &["2"])], &claims("A")), Some(false));
    }

    #[test]
    fn a_claim_can_be_forbidden_by_the_newer_kind_only_and_what_cannot_be_read_allows_nothing() {
        let no_name = named(MUST_EXCLUDE, &["rcd"]);
        let claims = json!({"attest": "A", "rcd": {}});
        let newer = |parts: &[Vec<u8>], claims: &Value| may_claim(Constraints::Enhanced, &der(SEQUENCE, parts), claims);
        assert_eq!(newer(std::slice::from_ref(&no_name), &claims), Some(false));
        assert_eq!(newer(std::slice::from_ref(&no_name), &json!({"attest": "A"})), Some(true));
        assert_eq!(plain(std::slice::from_ref(&no_name), &claims), None);
        let include = named(MUST_INCLUDE, &["attest"]);
        for bad in [
            vec![],
            vec![include.clone(), include.clone()],
            vec![allowed("attest", &["A"]), include.clone()],
            vec![named(MUST_INCLUDE, &[])],
            vec![allowed("attest", &[])],
            vec![include[..3].to_vec()],
            vec![include, vec![0]],
        ] {
            assert_eq!(newer(&bad, &claims), None, "{bad:?}");
        }
    }
}
