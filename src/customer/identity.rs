//! What a customer is recognised by, in one written form each, and how far to believe it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Channel, Redact};

/// Something that points to one person. Made by the constructors, so that equal things are equal texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// A telephone number: `+` and digits (E.164), or bare digits where no country is known.
    Number {
        /// The number.
        number: String,
    },
    /// An e-mail address, in small letters.
    Mail {
        /// The address.
        address: String,
    },
    /// The name a channel knows the person by: a visitor's cookie, a messenger's user id.
    Channel {
        /// Which channel.
        channel: Channel,
        /// Its name for the person.
        id: String,
    },
    /// The key of the person in another system of ours: a CRM, a shop.
    External {
        /// Which system.
        system: String,
        /// Its key.
        id: String,
    },
}

/// How sure we are that the identity belongs to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// It was presented: a calling number can be forged, a phone can be borrowed. Good for a greeting, not for an account
    /// balance.
    Unverified,
    /// The person proved it (a code, a login), or one of ours confirmed it.
    Verified,
}

/// Why a text is not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not 3 to 15 digits with an optional plus (E.164 has at most 15).
    #[error("a telephone number has 3 to 15 digits")]
    Number,
    /// No `name@host`.
    #[error("an e-mail address looks like name@host")]
    Mail,
    /// Empty or too long.
    #[error("an id has 1 to {} characters and none of them is a control character", Identity::ID_MAX)]
    Id,
}

impl Identity {
    /// Longest id, characters.
    pub const ID_MAX: usize = 200;

    /// A number already normalised by [`crate::base::e164::normalise`].
    pub fn number(number: &str) -> Result<Self, IdentityError> {
        let digits = number.strip_prefix('+').unwrap_or(number);
        let good = (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if good { Ok(Identity::Number { number: number.to_owned() }) } else { Err(IdentityError::Number) }
    }

    /// An address. The part before the `@` could in theory care about case (RFC 5321 section 2.4); no mail provider of
    /// customers does.
    pub fn mail(address: &str) -> Result<Self, IdentityError> {
        let address = address.trim().to_lowercase();
        let (name, host) = address.rsplit_once('@').ok_or(IdentityError::Mail)?;
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';');
        let good = !name.is_empty() && !host.is_empty() && address.len() <= 254 && !address.contains(bad);
        if good && !host.starts_with('.') && !host.ends_with('.') {
            Ok(Identity::Mail { address })
        } else {
            Err(IdentityError::Mail)
        }
    }

    /// A name on a channel.
    pub fn channel(channel: Channel, id: &str) -> Result<Self, IdentityError> {
        Ok(Identity::Channel { channel, id: check_id(id)? })
    }

    /// A key in another system.
    pub fn external(system: &str, id: &str) -> Result<Self, IdentityError> {
        Ok(Identity::External { system: check_id(system)?, id: check_id(id)? })
    }
}

fn check_id(id: &str) -> Result<String, IdentityError> {
    let id = id.trim();
    let good = !id.is_empty() && id.chars().count() <= Identity::ID_MAX && !id.chars().any(char::is_control);
    if good { Ok(id.to_owned()) } else { Err(IdentityError::Id) }
}

/// Shortened, so that it can stand in a log line.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identity::Number { number } => write!(f, "number {}", Redact(number)),
            Identity::Mail { address } => write!(f, "mail {}", Redact(address)),
            Identity::Channel { channel, id } => write!(f, "{channel} {}", Redact(id)),
            Identity::External { system, id } => write!(f, "{system} {}", Redact(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_written_twice_is_one_identity_and_a_log_line_does_not_tell_it() {
        assert_eq!(Identity::mail(" Alice@Example.COM "), Identity::mail("alice@example.com"));
        assert_eq!(format!("{:?}", Identity::mail("alice@example.com").unwrap()), "mail a***");
        assert_eq!(format!("{:?}", Identity::number("+3265551234").unwrap()), "number ***34");
    }

    #[test]
    fn nonsense_points_to_nobody() {
        for number in ["", "+", "12", "+1234567890123456", "anonymous", "+32 65"] {
            assert_eq!(Identity::number(number), Err(IdentityError::Number), "{number}");
        }
        for mail in ["", "alice", "@host", "alice@", "a b@host", "<alice@host>", "a@host,b@host", "a@.host"] {
            assert_eq!(Identity::mail(mail), Err(IdentityError::Mail), "{mail}");
        }
        assert_eq!(Identity::channel(Channel::Webchat, "  "), Err(IdentityError::Id));
        assert_eq!(Identity::external("crm", "a\nb"), Err(IdentityError::Id));
    }
}
