//! What an administrator decides about one trunk beyond its address: the written form, checked.
//!
//! The parts are plain data with defaults that change nothing; `center::settings` puts them under `trunks.NAME`, the roof hands
//! them to the calls unchanged in a [`Policy`].

use serde::{Deserialize, Serialize};

use super::{HeaderRule, Identity, Numbers, Verify, Voucher};
use crate::base::TrunkId;

/// We register with the carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Register {
    /// How long a registration is asked to last, seconds; the carrier may grant less.
    pub expires_s: u32,
    /// The user part of the address of record; the trunk's `username` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The domain registered in; the trunk's host if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

impl Default for Register {
    fn default() -> Self {
        Register { expires_s: 600, user: None, domain: None }
    }
}

/// It has to log in with us by digest, in the tenant's realm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user name it gives; also what it registers as, where it does.
    pub username: String,
    /// Name of the secret that holds the password (never the password itself).
    pub password_secret: String,
}

/// We ask the carrier now and then whether it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Between two OPTIONS, seconds.
    pub every_s: u32,
    /// An answer later than this is none, milliseconds.
    pub patience_ms: u32,
    /// So many without an answer in a row, and the trunk is down.
    pub down_after: u32,
    /// So many answered in a row, and it is up again.
    pub up_after: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options { every_s: 30, patience_ms: 2_000, down_after: 3, up_after: 2 }
    }
}

/// When the next trunk of a group is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Failover {
    /// Refusals that mean the carrier and not the callee: 408 and 500 to 599. Others are never tried elsewhere, whatever is
    /// written here.
    pub codes: Vec<u16>,
    /// A carrier from which nothing at all comes back is given up after this, milliseconds.
    pub silence_ms: u32,
}

impl Default for Failover {
    fn default() -> Self {
        Failover { codes: vec![408, 500, 502, 503, 504], silence_ms: 4_000 }
    }
}

/// One trunk of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Which.
    pub trunk: TrunkId,
    /// Lower ones are tried first.
    #[serde(default)]
    pub priority: u16,
    /// Among equals of priority: the share of the calls that try this one first.
    #[serde(default = "one")]
    pub weight: u16,
}

fn one() -> u16 {
    1
}

/// Everything about one trunk beyond its address, as the calls use it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// We register.
    pub register: Option<Register>,
    /// We look whether it is there.
    pub options: Option<Options>,
    /// The number we present; without one the caller's, or none.
    pub caller_id: Option<String>,
    /// Most new calls out per second.
    pub calls_per_s: Option<u32>,
    /// What makes us try the next.
    pub failover: Failover,
    /// How it writes numbers.
    pub numbers: Numbers,
    /// Who calls are from.
    pub identity: Identity,
    /// What else it wants to be told.
    pub headers: Vec<HeaderRule>,
    /// It takes calls away when asked by REFER.
    pub refer: bool,
    /// We vouch for callers.
    pub voucher: Option<Voucher>,
    /// We look who vouches for those who call us.
    pub verify: Option<Verify>,
}

impl Login {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.username.is_empty() || self.username.len() > 64 || !self.username.chars().all(plain) {
            return Some("username: expected 1 to 64 letters, digits, `-`, `_` or `.`");
        }
        self.password_secret.is_empty().then_some("password_secret: expected the name of a secret")
    }
}

impl Register {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        (!(60..=86_400).contains(&self.expires_s)).then_some("expires_s: expected 60 to 86400 seconds")
    }
}

impl Options {
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        if !(5..=3_600).contains(&self.every_s) {
            return Some("every_s: expected 5 to 3600 seconds");
        }
        if !(100..=30_000).contains(&self.patience_ms) {
            return Some("patience_ms: expected 100 to 30000 milliseconds");
        }
        (self.down_after == 0 || self.up_after == 0).then_some("down_after and up_after: expected 1 or more")
    }
}

impl Failover {
    /// Whether this refusal is the carrier's and not the callee's.
    pub fn is_for(&self, code: u16) -> bool {
        (code == 408 || (500..600).contains(&code)) && self.codes.contains(&code)
    }
    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        if self.codes.iter().any(|c| *c != 408 && !(500..600).contains(c)) {
            return Some("codes: expected 408 and 500 to 599; any other refusal is the callee's word");
        }
        (!(500..=32_000).contains(&self.silence_ms)).then_some("silence_ms: expected 500 to 32000 milliseconds")
    }
}
