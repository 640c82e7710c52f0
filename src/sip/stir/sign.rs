//! The signing side: what we vouch for about a caller, written so that others can check it.
//!
//! The signature itself is made with a [`Pen`], lent by an edge that holds the key.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::Attestation;

/// What is said about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims<'a> {
    /// How much.
    pub attestation: Attestation,
    /// Who calls, digits only.
    pub orig: &'a str,
    /// Who is called, digits only.
    pub dest: &'a str,
    /// Now, unix seconds.
    pub iat: i64,
    /// Our own name for where the call came from, a UUID.
    pub origid: &'a str,
}

/// Signs with the key of a certificate: r and s of ES256, 32 bytes each (RFC 7518 section 3.4). Equal only to its own copies.
#[derive(Clone)]
pub struct Pen(Arc<Sign>);

/// What is signed goes in, the signature comes out.
type Sign = dyn Fn(&[u8]) -> Option<[u8; 64]> + Send + Sync;

impl Pen {
    /// A pen that writes like this; `None` when it cannot.
    pub fn new(sign: impl Fn(&[u8]) -> Option<[u8; 64]> + Send + Sync + 'static) -> Pen {
        Pen(Arc::new(sign))
    }
}

impl PartialEq for Pen {
    fn eq(&self, other: &Pen) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Pen {}

impl fmt::Debug for Pen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pen(***)")
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    ppt: &'a str,
    typ: &'a str,
    x5u: &'a str,
}

// In the order of the alphabet, as RFC 8225 section 9 wants it.
#[derive(Serialize)]
struct Payload<'a> {
    attest: Attestation,
    dest: Dest<'a>,
    iat: i64,
    orig: Orig<'a>,
    origid: &'a str,
}

#[derive(Serialize)]
struct Dest<'a> {
    tn: [&'a str; 1],
}

#[derive(Serialize)]
struct Orig<'a> {
    tn: &'a str,
}

/// The value of an Identity header (RFC 8224 section 4). `x5u`: where the certificate is. `None`: the pen does not write.
pub fn identity(claims: &Claims<'_>, x5u: &str, pen: &Pen) -> Option<String> {
    let header = Header { alg: "ES256", ppt: "shaken", typ: "passport", x5u };
    let payload = Payload {
        attest: claims.attestation,
        dest: Dest { tn: [claims.dest] },
        iat: claims.iat,
        orig: Orig { tn: claims.orig },
        origid: claims.origid,
    };
    let part = |json: Result<Vec<u8>, serde_json::Error>| json.ok().map(|j| URL_SAFE_NO_PAD.encode(j));
    let signed = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(&payload))?);
    let signature = URL_SAFE_NO_PAD.encode(pen.0(signed.as_bytes())?);
    Some(format!("{signed}.{signature};info=<{x5u}>;alg=ES256;ppt=shaken"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_claims_are_written_as_the_rfcs_say() {
        let claims = Claims {
            attestation: Attestation::A,
            orig: "12155550112",
            dest: "12355550112",
            iat: 1_443_208_345,
            origid: "123e4567-e89b-12d3-a456-426655440000",
        };
        let pen = Pen::new(|signed| {
            assert!(signed.is_ascii());
            Some([7; 64])
        });
        let value = identity(&claims, "https://cert.example.org/passport.cer", &pen).unwrap();
        let (token, rest) = value.split_once(';').unwrap();
        assert_eq!(rest, "info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken");
        let parts: Vec<Vec<u8>> = token.split('.').map(|p| URL_SAFE_NO_PAD.decode(p).unwrap()).collect();
        assert_eq!(
            std::str::from_utf8(&parts[0]).unwrap(),
            r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example.org/passport.cer"}"#
        );
        assert_eq!(
            std::str::from_utf8(&parts[1]).unwrap(),
            r#"{"attest":"A","dest":{"tn":["12355550112"]},"iat":1443208345,"orig":{"tn":"12155550112"},"origid":"123e4567-e89b-12d3-a456-426655440000"}"#
        );
        assert_eq!(parts[2], [7; 64]);
        assert_eq!(identity(&claims, "https://x", &Pen::new(|_| None)), None);
    }
}
