//! The stable name of a thing in the business configuration: what people write in YAML and in URLs.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};

/// 1 to 64 of `a-z 0-9 _ . -`, beginning with a letter or digit. Cheap to clone. The display name of a thing may change; its
/// slug may not, so renaming an agent breaks nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(Arc<str>);

/// Why a text is not a [`Slug`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: expected 1 to 64 of a-z 0-9 _ . - beginning with a letter or digit")]
pub struct SlugError {
    text: String,
}

impl Slug {
    /// Longest slug, in bytes.
    pub const MAX: usize = 64;

    /// Checks and keeps `text`.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = text.len() <= Self::MAX
            && text.bytes().next().is_some_and(ok)
            && text.bytes().all(|b| ok(b) || matches!(b, b'_' | b'.' | b'-'));
        if good { Ok(Slug(text.into())) } else { Err(SlugError { text: text.chars().take(80).collect() }) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to hold on to.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Slug::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl std::str::FromStr for Slug {
    type Err = SlugError;
    fn from_str(s: &str) -> Result<Self, SlugError> {
        Slug::parse(s)
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_or_a_shell_would_choke_on_is_not_an_id() {
        for good in ["sales", "a1", "4000", "vip.gold-1_x"] {
            assert!(Slug::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", ".x", "Sales", "a b", "a/b", "客服", &"a".repeat(65)] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
    }
}
