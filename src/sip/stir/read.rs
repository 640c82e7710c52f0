//! The reading side: an Identity header is read, and held against the request it came with.
//!
//! Everything that can be judged without a certificate is judged here, so that nothing is fetched for what would be refused in
//! any case. What is left is a [`Seal`] for an edge to look at.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{Attestation, Fault, Verdict, Verstat};
use crate::{
    base::{
        Wall,
        limits::{STIR_HEADERS_MAX, STIR_URL_MAX},
    },
    sip::msg::{Message, Name},
};

/// Somebody, in the form a PASSporT names them (RFC 8225 section 5.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A telephone number in canonical form: see [`canonical`].
    Number(String),
    /// Any other address, `sip:anna@shop.example`.
    Uri(String),
}

/// A number in E.164 (or as near as one gets) as RFC 8224 section 8.3 writes it: digits, `*` and `#`. `None`: it is no number.
pub fn canonical(number: &str) -> Option<String> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    plain.then(|| digits.to_owned())
}

/// What the header has to say of the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Now.
    pub now: Wall,
    /// Older, and further in the future, it does not count, seconds.
    pub max_age_s: u32,
    /// Whoever the call says it is from; one of them is to be named.
    pub callers: Vec<Named>,
    /// Whoever it is for: To, then the Request-URI; one of them is to be named.
    pub called: Vec<Named>,
}

/// A signature that is still to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Who is vouched for: whom the certificate has to speak for.
    pub who: Named,
    /// Where the certificate is: https, at most [`STIR_URL_MAX`] letters.
    pub url: String,
    /// What was signed.
    pub signed: String,
    /// r and s of ES256, 32 bytes each.
    pub signature: [u8; 64],
}

/// What holds if the seal does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What is vouched for, where that is said.
    pub attestation: Option<Attestation>,
    /// Where the call came from, in the words of who signed.
    pub origid: Option<String>,
    /// What it depends on.
    pub seal: Seal,
}

impl Seal {
    /// Everything that is claimed, known here or not.
    pub fn claims(&self) -> Option<serde_json::Value> {
        json(self.signed.split_once('.')?.1)
    }
}

impl Claimed {
    /// The seal has been looked at.
    pub fn verdict(self, seal: Result<(), Fault>) -> Verdict {
        match seal {
            Ok(()) => {
                let (attestation, origid) = (self.attestation, self.origid);
                Verdict { verstat: Verstat::Verified, attestation, why: None, origid }
            }
            Err(why) => Verdict::failed(why),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    // Extensions of the token nobody here knows have to be understood by whoever takes it (RFC 7515 section 4.1.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ppt: Option<String>,
    typ: String,
    x5u: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attest: Option<Attestation>,
    dest: Dest,
    iat: i64,
    orig: Orig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origid: Option<String>,
}

#[derive(Serialize, Deserialize, Default)]
struct Dest {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tn: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uri: Vec<String>,
}

#[derive(Serialize, Deserialize, Default)]
struct Orig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
}

/// A header as it stands: the token and the parameters that count (RFC 8224 section 4).
struct Value<'a> {
    token: &'a str,
    info: Option<&'a str>,
    alg: Option<&'a str>,
    ppt: Option<&'a str>,
}

/// Reads what a request says about its caller. `None`: there is no Identity header of a kind we know (others count as not there,
/// RFC 8224 section 6.2); one for SHAKEN goes before a plain one.
pub fn read(m: &Message, expected: &Expected) -> Result<Option<Claimed>, Fault> {
    let mut plain = None;
    let mut broken = None;
    for text in m.headers.all(&Name::Identity).take(STIR_HEADERS_MAX) {
        let judged = match value(&text) {
            // Another kind (div, rph ..) says something, but not this.
            Some(v) if v.ppt.is_some_and(|p| p != "shaken") => continue,
            Some(v) if v.ppt.is_some() => return claimed(m, &v, expected).map(Some),
            Some(v) => claimed(m, &v, expected),
            None => Err(Fault::Malformed),
        };
        match judged {
            Ok(claimed) => plain = plain.or(Some(claimed)),
            Err(fault) => broken = broken.or(Some(fault)),
        }
    }
    match (plain, broken) {
        (Some(claimed), _) => Ok(Some(claimed)),
        (None, Some(fault)) => Err(fault),
        (None, None) => Ok(None),
    }
}

/// The grammar of RFC 8224 section 4: a token, then parameters of which one is an address in angle brackets.
fn value(text: &str) -> Option<Value<'_>> {
    let (token, mut rest) = text.trim().split_once(';').unwrap_or((text.trim(), ""));
    let mut v = Value { token: token.trim(), info: None, alg: None, ppt: None };
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.as_bytes().first()? {
            b'<' => after[1..].split_once('>')?,
            b'"' => after[1..].split_once('"')?,
            _ => after.split_at(after.find(';').unwrap_or(after.len())),
        };
        let mut unknown = None;
        let kept = match name.trim().to_ascii_lowercase().as_str() {
            "info" => &mut v.info,
            "alg" => &mut v.alg,
            "ppt" => &mut v.ppt,
            _ => &mut unknown,
        };
        if kept.replace(value.trim()).is_some() {
            return None;
        }
        rest = match next.trim_start() {
            "" => "",
            more => more.strip_prefix(';')?,
        };
    }
    Some(v)
}

fn claimed(m: &Message, v: &Value<'_>, expected: &Expected) -> Result<Claimed, Fault> {
    if v.alg.is_some_and(|a| a != "ES256") {
        return Err(Fault::Malformed);
    }
    let mut parts = v.token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Fault::Malformed);
    };
    let signature = decode(signature).and_then(|s| s.try_into().ok()).ok_or(Fault::Malformed)?;
    let (header, payload, signed) = match (header, payload) {
        ("", "") => compact(m, v, expected)?,
        _ => {
            let signed = format!("{header}.{payload}");
            let read: Header = json(header).ok_or(Fault::Malformed)?;
            (read, json(payload).ok_or(Fault::Malformed)?, signed)
        }
    };
    let told = v.info.is_none_or(|i| i == header.x5u) && v.ppt == header.ppt.as_deref();
    let ours = header.alg == "ES256" && header.typ == "passport" && header.crit.is_none();
    if !told || !ours {
        return Err(Fault::Malformed);
    }
    fresh(&payload, expected)?;
    let who = names(&payload, expected)?;
    if header.ppt.is_some() && payload.attest.is_none() {
        return Err(Fault::Malformed);
    }
    let url = header.x5u;
    let secure = url.get(..8).is_some_and(|s| s.eq_ignore_ascii_case("https://"));
    if !secure || url.len() > STIR_URL_MAX || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Fault::NoCertificate);
    }
    let origid = payload.origid.filter(|o| o.len() <= 64 && o.bytes().all(|b| b.is_ascii_graphic()));
    Ok(Claimed { attestation: payload.attest, origid, seal: Seal { who, url, signed, signature } })
}

/// The compact form leaves out what the request says itself: here it is put together again as it was signed (RFC 8224 section
/// 4.1, RFC 8225 section 7). SHAKEN has no such form, for the request does not say what is vouched for (RFC 8588 section 3).
fn compact(m: &Message, v: &Value<'_>, expected: &Expected) -> Result<(Header, Payload, String), Fault> {
    let (Some(info), None) = (v.info, v.ppt) else { return Err(Fault::Malformed) };
    let date = m.headers.get(&Name::Date).ok_or(Fault::Malformed)?;
    let date = jiff::fmt::rfc2822::parse(date.trim()).map_err(|_| Fault::Malformed)?;
    let iat = date.timestamp().as_second();
    let (Some(caller), Some(called)) = (expected.callers.first(), expected.called.first()) else {
        return Err(Fault::Malformed);
    };
    let orig = match caller {
        Named::Number(n) => Orig { tn: Some(n.clone()), uri: None },
        Named::Uri(u) => Orig { tn: None, uri: Some(u.clone()) },
    };
    let dest = match called {
        Named::Number(n) => Dest { tn: vec![n.clone()], uri: Vec::new() },
        Named::Uri(u) => Dest { tn: Vec::new(), uri: vec![u.clone()] },
    };
    let header = Header { alg: "ES256".into(), crit: None, ppt: None, typ: "passport".into(), x5u: info.to_owned() };
    let payload = Payload { attest: None, dest, iat, orig, origid: None };
    let part = |json: Result<Vec<u8>, serde_json::Error>| json.map(|j| URL_SAFE_NO_PAD.encode(j)).map_err(|_| Fault::Malformed);
    let signed = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(&payload))?);
    Ok((header, payload, signed))
}

fn fresh(p: &Payload, expected: &Expected) -> Result<(), Fault> {
    let age = i128::from(expected.now.timestamp().as_second()) - i128::from(p.iat);
    if age.unsigned_abs() > u128::from(expected.max_age_s) { Err(Fault::Stale) } else { Ok(()) }
}

/// Who is vouched for, if it is who calls, and for this call.
fn names(p: &Payload, expected: &Expected) -> Result<Named, Fault> {
    let number = |list: &[Named], tn: &str| canonical(tn).is_some_and(|tn| list.contains(&Named::Number(tn)));
    let other = |list: &[Named], uri: &str| list.iter().any(|n| matches!(n, Named::Uri(u) if u.eq_ignore_ascii_case(uri)));
    let (caller, who) = match (&p.orig.tn, &p.orig.uri) {
        (Some(tn), None) => (number(&expected.callers, tn), canonical(tn).map(Named::Number)),
        (None, Some(uri)) => (other(&expected.callers, uri), Some(Named::Uri(uri.clone()))),
        _ => return Err(Fault::Malformed),
    };
    let who = who.filter(|_| caller).ok_or(Fault::Caller)?;
    let called = p.dest.tn.iter().any(|tn| number(&expected.called, tn));
    if called || p.dest.uri.iter().any(|uri| other(&expected.called, uri)) { Ok(who) } else { Err(Fault::Called) }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    // As a text: what is passed over unread must be text, too (RFC 8259 section 8.1).
    serde_json::from_str(std::str::from_utf8(&decode(part)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{
        msg::{Method, Uri},
        stir::{Claims, Pen, identity},
    };

    const NOW: i64 = 1_795_406_706;
    const URL: &str = "https://cert.carrier.example/stir.pem";

    fn invite(headers: &[(&str, &str)]) -> Message {
        let mut m = Message::request(Method::Invite, Uri::parse("sip:+3228880000@shop.example").unwrap());
        headers.iter().for_each(|(n, v)| m.headers.push(Name::from(*n), v));
        m
    }
    fn expected() -> Expected {
        let number = |n: &str| Named::Number(n.into());
        Expected {
            now: Wall::from_unix_s(NOW),
            max_age_s: 60,
            callers: vec![number("32470000009")],
            called: vec![number("3228880000")],
        }
    }
    fn signed(orig: &str, dest: &str, iat: i64) -> String {
        let claims = Claims { attestation: Attestation::A, orig, dest, iat, origid: "one" };
        identity(&claims, URL, &Pen::new(|_| Some([7; 64]))).unwrap()
    }
    fn good() -> String {
        signed("32470000009", "3228880000", NOW - 5)
    }
    fn judged(value: &str) -> Result<Option<Claimed>, Fault> {
        read(&invite(&[("Identity", value)]), &expected())
    }
    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode([7; 64]))
    }

    #[test]
    fn what_we_sign_we_can_read_and_the_seal_is_over_what_was_sent() {
        let value = good();
        let c = judged(&value).unwrap().unwrap();
        assert_eq!((c.attestation, c.origid.as_deref()), (Some(Attestation::A), Some("one")));
        assert_eq!((c.seal.url.as_str(), c.seal.signature), (URL, [7; 64]));
        assert!(value.starts_with(&format!("{}.", c.seal.signed)));
        assert_eq!(c.clone().verdict(Ok(())).attestation, Some(Attestation::A));
        let failed = c.verdict(Err(Fault::Signature));
        assert_eq!((failed.attestation, failed.refusal()), (None, Some((438, "Invalid Identity Header"))));
        // The short name of the header, its parameters in another order and quoted.
        let (token, _) = value.split_once(';').unwrap();
        let other = format!("{token} ; ppt=\"shaken\";alg=\"ES256\"; info=<{URL}>;more=1");
        assert!(read(&invite(&[("y", &other)]), &expected()).unwrap().is_some());
    }

    #[test]
    fn it_is_for_this_caller_this_number_and_this_minute_or_it_does_not_count() {
        assert_eq!(judged(&signed("32470000009", "3228880000", NOW - 60)).map(|c| c.is_some()), Ok(true));
        assert_eq!(judged(&signed("32470000009", "3228880000", NOW - 61)), Err(Fault::Stale));
        assert_eq!(judged(&signed("32470000009", "3228880000", NOW + 61)), Err(Fault::Stale));
        assert_eq!(judged(&signed("32470000009", "3228880000", i64::MIN)), Err(Fault::Stale));
        assert_eq!(judged(&signed("32470000008", "3228880000", NOW)), Err(Fault::Caller));
        assert_eq!(judged(&signed("32470000009", "3228880001", NOW)), Err(Fault::Called));
        assert_eq!(Fault::Stale.status(), (403, "Stale Date"));
    }

    #[test]
    fn other_kinds_count_as_not_there_and_a_good_one_is_found_among_them() {
        let div = good().replace("ppt=shaken", "ppt=div");
        assert_eq!(judged(&div), Ok(None));
        assert_eq!(read(&invite(&[]), &expected()), Ok(None));
        let both = invite(&[("Identity", &div), ("Identity", "nonsense"), ("Identity", &good())]);
        assert!(read(&both, &expected()).unwrap().is_some());
    }

    #[test]
    fn the_compact_form_is_put_together_again_as_it_was_signed() {
        let sealed = URL_SAFE_NO_PAD.encode([7; 64]);
        let value = format!("..{sealed};info=<{URL}>;alg=ES256");
        let date = "Mon, 23 Nov 2026 04:05:00 GMT";
        let m = invite(&[("Identity", &value), ("Date", date)]);
        let c = read(&m, &expected()).unwrap().unwrap();
        let parts: Vec<_> = c.seal.signed.split('.').map(|p| String::from_utf8(decode(p).unwrap()).unwrap()).collect();
        assert_eq!(parts[0], format!(r#"{{"alg":"ES256","typ":"passport","x5u":"{URL}"}}"#));
        assert_eq!(parts[1], r#"{"dest":{"tn":["3228880000"]},"iat":1795406700,"orig":{"tn":"32470000009"}}"#);
        assert_eq!(c.attestation, None, "the request does not say how much is vouched for");
        assert_eq!(read(&invite(&[("Identity", &value)]), &expected()), Err(Fault::Malformed), "nobody knows when");
        let shaken = format!("{value};ppt=shaken");
        assert_eq!(read(&invite(&[("Identity", &shaken), ("Date", date)]), &expected()), Err(Fault::Malformed));
    }

    #[test]
    fn nothing_is_fetched_from_where_anybody_can_read_along_or_for_what_contradicts_itself() {
        let claims = format!(r#"{{"attest":"A","dest":{{"tn":["3228880000"]}},"iat":{NOW},"orig":{{"tn":"32470000009"}}}}"#);
        let head = |alg: &str, more: &str, x5u: &str| {
            format!(r#"{{"alg":"{alg}",{more}"ppt":"shaken","typ":"passport","x5u":"{x5u}"}}"#)
        };
        let shaken = |header: &str, claims: &str| judged(&format!("{};ppt=shaken", token(header, claims)));
        assert!(shaken(&head("ES256", "", URL), &claims).unwrap().is_some(), "`info` may be left out");
        assert_eq!(shaken(&head("ES256", "", "http://cert.example/a.pem"), &claims), Err(Fault::NoCertificate));
        let long = format!("https://cert.example/{}", "a".repeat(STIR_URL_MAX));
        assert_eq!(shaken(&head("ES256", "", &long), &claims), Err(Fault::NoCertificate));
        assert_eq!(shaken(&head("none", "", URL), &claims), Err(Fault::Malformed));
        assert_eq!(shaken(&head("ES256", r#""crit":["b64"],"#, URL), &claims), Err(Fault::Malformed));
        assert_eq!(shaken(&head("ES256", "", URL), &claims.replace(r#""attest":"A","#, "")), Err(Fault::Malformed));
        assert_eq!(shaken(&head("ES256", "", URL), &claims.replace(r#""iat""#, r#""iat":1,"iat""#)), Err(Fault::Malformed));
        let elsewhere = good().replace(&format!("info=<{URL}>"), "info=<https://evil.example/a.pem>");
        assert_eq!(judged(&elsewhere), Err(Fault::Malformed));
        for bad in ["", "a.b", "a.b.c", "..", ";info", "a.b.c;info=<x", "a.b.c;alg=RS256", "a.b.c;ppt=shaken;ppt=shaken"] {
            assert!(matches!(judged(bad), Err(Fault::Malformed)), "{bad}");
        }
    }
}
