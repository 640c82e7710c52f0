//! Who vouches for a caller: target `identity`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ringdesk::{
    base::{Wall, limits::STIR_URL_MAX},
    sip::{
        msg::{Message, Method, Name, Uri},
        stir::{Expected, Named, read, speaks_for},
    },
};

/// Where a certificate of the corpus is.
const URL: &str = "https://cert.carrier.example/stir.pem";

/// The clock of the corpus.
const NOW_S: i64 = 1_795_406_706;

/// By the first byte: headers as they stand, one a line; the two halves of a token in JSON, between them a line break, which are
/// put into a header; or the list of whom a certificate speaks for.
pub fn check(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 3 {
        0 => header(rest.split(|b| *b == b'\n').map(|line| String::from_utf8_lossy(line).into_owned())),
        1 => {
            let mut halves = rest.splitn(2, |b| *b == b'\n').map(|half| URL_SAFE_NO_PAD.encode(half));
            let (first, second) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            let signature = URL_SAFE_NO_PAD.encode([7; 64]);
            header([format!("{first}.{second}.{signature};info=<{URL}>;alg=ES256;ppt=shaken")].into_iter());
        }
        _ => list(rest),
    }
}

/// What is believed of a header names who calls and who is called, and leads to an address that can be fetched.
fn header(values: impl Iterator<Item = String>) {
    let mut m = Message::request(Method::Invite, Uri::parse("sip:+3228880000@shop.example").expect("a plain address"));
    m.headers.push(Name::Date, "Mon, 23 Nov 2026 04:05:06 GMT");
    values.for_each(|v| m.headers.push(Name::Identity, v));
    let expected = Expected {
        now: Wall::from_unix_s(NOW_S),
        max_age_s: 60,
        callers: vec![Named::Number("32470000009".into()), Named::Uri("sip:anna@shop.example".into())],
        called: vec![Named::Number("3228880000".into())],
    };
    let found = read(&m, &expected);
    assert_eq!(found, read(&m, &expected), "judged twice is not the same");
    let Ok(Some(claimed)) = found else { return };
    let seal = &claimed.seal;
    let calls = expected.callers.iter().any(|c| match (c, &seal.who) {
        (Named::Number(a), Named::Number(b)) => a == b,
        (Named::Uri(a), Named::Uri(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    });
    assert!(calls, "somebody else is vouched for: {:?}", seal.who);
    assert!(seal.url.get(..8).is_some_and(|s| s.eq_ignore_ascii_case("https://")), "{}", seal.url);
    assert!(seal.url.len() <= STIR_URL_MAX && seal.url.bytes().all(|b| b.is_ascii_graphic()), "{}", seal.url);
    assert!(claimed.origid.as_ref().is_none_or(|o| o.len() <= 64 && o.bytes().all(|b| b.is_ascii_graphic())));
    let halves: Vec<_> = seal.signed.split('.').map(|half| URL_SAFE_NO_PAD.decode(half)).collect();
    assert!(halves.len() == 2 && halves.iter().all(Result::is_ok), "signed was something else: {}", seal.signed);
    let claims: serde_json::Value = serde_json::from_slice(halves[1].as_ref().expect("checked above")).expect("it was read");
    let age = claims["iat"].as_i64().map(|iat| i128::from(NOW_S) - i128::from(iat));
    assert!(age.is_some_and(|age| age.abs() <= 60), "it is not fresh: {claims}");
}

/// A list is read to its last byte or not at all, and one number's certificate is not another's.
fn list(der: &[u8]) {
    let number = |n: &str| speaks_for(der, &Named::Number(n.into()));
    let (here, there) = (number("32470000009"), number("1"));
    let anna = speaks_for(der, &Named::Uri("sip:anna@shop.example".into()));
    assert_eq!((here.is_none(), here.is_none()), (there.is_none(), anna.is_none()), "whether it is a list depends on who asks");
    if anna == Some(true) {
        assert_eq!((here, there), (Some(true), Some(true)), "a provider speaks for some only");
    }
    if here.is_some() {
        let longer = [der, &[0]].concat();
        assert_eq!(speaks_for(&longer, &Named::Number("1".into())), None, "something follows, and nobody minds");
        assert_eq!(
            speaks_for(&der[..der.len() - 1], &Named::Number("1".into())),
            None,
            "something is missing, and nobody minds"
        );
    }
}
