//! STIR/SHAKEN: what a carrier vouches for about a caller, signed so that it can be checked at the other end (RFC 8224, 8225,
//! 8226, 8588).
//!
//! A PASSporT is a header and claims in JSON with sorted keys and no white space, each in base64url, and an ES256 signature over
//! both; it travels in an Identity header. `sign` writes one, `read` reads one and holds it against the request it came with;
//! `list` knows whom a certificate speaks for, `claims` what may be claimed with it, `once` which signatures have served a call. Keys, certificates and the network are
//! an edge's: it lends a [`Pen`], and looks at a [`Seal`].

mod claims;
mod list;
mod once;
mod read;
mod sign;

use serde::{Deserialize, Serialize};

pub use claims::{Constraints, may_claim};
pub use list::speaks_for;
pub use once::Once;
pub use read::{Claimed, Expected, Named, Seal, canonical, read};
pub use sign::{Claims, Pen, identity};

/// How much is vouched for (RFC 8588 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attestation {
    /// The caller is known to who signs, and so is the number.
    A,
    /// The caller is known; whose number it is, is not.
    B,
    /// Nothing but where the call came in.
    C,
}

impl Attestation {
    /// The letter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Attestation::A => "A",
            Attestation::B => "B",
            Attestation::C => "C",
        }
    }
}

/// What looking at a caller's Identity header came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verstat {
    /// It is signed by somebody we trust, for this call.
    Verified,
    /// There is one, and it does not hold.
    Failed,
    /// There is none of a kind we know.
    Absent,
}

impl Verstat {
    /// The word in records and flows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verstat::Verified => "verified",
            Verstat::Failed => "failed",
            Verstat::Absent => "absent",
        }
    }
}

/// Why an Identity header does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It cannot be read, or its two halves contradict each other.
    Malformed,
    /// It is too old, or from the future.
    Stale,
    /// It was made for another caller.
    Caller,
    /// It was made for another call.
    Called,
    /// Its certificate could not be fetched.
    NoCertificate,
    /// Its certificate is not one we trust, has ended, or is not for telephone numbers.
    Certificate,
    /// Its certificate is for other numbers than the caller's.
    Number,
    /// It was changed on the way, or another key signed it.
    Signature,
    /// It has served another call already.
    Replayed,
}

impl Fault {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fault::Malformed => "malformed",
            Fault::Stale => "stale",
            Fault::Caller => "caller",
            Fault::Called => "called",
            Fault::NoCertificate => "no_certificate",
            Fault::Certificate => "certificate",
            Fault::Number => "number",
            Fault::Signature => "signature",
            Fault::Replayed => "replayed",
        }
    }

    /// Status and phrase for a call that is refused for it (RFC 8224 section 6.2.2).
    pub const fn status(self) -> (u16, &'static str) {
        match self {
            Fault::Stale => (403, "Stale Date"),
            Fault::NoCertificate => (436, "Bad Identity Info"),
            Fault::Certificate | Fault::Number => (437, "Unsupported Credential"),
            Fault::Malformed | Fault::Caller | Fault::Called | Fault::Signature | Fault::Replayed => {
                (438, "Invalid Identity Header")
            }
        }
    }
}

/// What is known of who vouches for a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// In one word.
    pub verstat: Verstat,
    /// How much is vouched for; only of what is verified, and only where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Fault>,
    /// The name who signed has for where the call came from: what they are asked about when it has to be traced back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origid: Option<String>,
}

impl Verdict {
    /// Nobody vouches.
    pub fn absent() -> Verdict {
        Verdict { verstat: Verstat::Absent, attestation: None, why: None, origid: None }
    }

    /// Somebody seems to.
    pub fn failed(why: Fault) -> Verdict {
        Verdict { verstat: Verstat::Failed, attestation: None, why: Some(why), origid: None }
    }

    /// How a call is refused where only verified callers are let in: 428 where nobody vouches (RFC 8224 section 6.2.2). `None`:
    /// it is verified.
    pub fn refusal(&self) -> Option<(u16, &'static str)> {
        match self.verstat {
            Verstat::Verified => None,
            Verstat::Failed => Some(self.why.unwrap_or(Fault::Malformed).status()),
            Verstat::Absent => Some((428, "Use Identity Header")),
        }
    }
}
