//! Typed ids. What an administrator names is a slug; what happens is a UUIDv7 made from `Now` and the seeded rng.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Now, Rng, Slug, slug::SlugError};

macro_rules! slug_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Slug);
        impl $name {
            /// Checks and keeps `text`.
            pub fn parse(text: &str) -> Result<Self, SlugError> { Slug::parse(text).map(Self) }
            /// The text.
            pub fn as_str(&self) -> &str { self.0.as_str() }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
        impl std::str::FromStr for $name {
            type Err = SlugError;
            fn from_str(s: &str) -> Result<Self, SlugError> { Self::parse(s) }
        }
    )*};
}

slug_id! {
    /// A customer organisation; nothing crosses it.
    TenantId;
    /// Who handles interactions. Also the login and the SIP user name within the tenant.
    AgentId;
    /// Where interactions wait.
    QueueId;
    /// What an agent can, with a level of 1 to 5.
    SkillId;
    /// A flow by name; the version that runs is found by its content hash.
    FlowId;
    /// Opening hours with holidays and a time zone.
    CalendarId;
    /// A peering with a carrier.
    TrunkId;
    /// A coded reason: not-ready reasons and dispositions.
    CodeId;
    /// An SLA policy.
    SlaId;
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl $name {
            /// A new one: time-ordered (UUIDv7, RFC 9562), its random bits from the seeded rng.
            pub fn new(now: Now, rng: &mut Rng) -> Self { Self(uuid_v7(now, rng)) }
            /// Reads the hyphenated form.
            pub fn parse(text: &str) -> Option<Self> { Uuid::parse_str(text).ok().map(Self) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
    )*};
}

uuid_id! {
    /// One contact of one customer on one channel, arrival to closure.
    InteractionId;
    /// The matter followed up.
    TicketId;
    /// The person.
    CustomerId;
    /// One message of a conversation.
    MessageId;
    /// One interaction presented to one agent.
    OfferId;
    /// One recorded file.
    RecordingId;
    /// A visitor's chat session: the secret half of it is a token, this is the name.
    VisitorId;
}

fn uuid_v7(now: Now, rng: &mut Rng) -> Uuid {
    let ms = u64::try_from(now.wall.unix_ms()).unwrap_or(0);
    let mut b = rng.bytes::<16>();
    b[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    b[6] = 0x70 | b[6] & 0x0f;
    b[8] = 0x80 | b[8] & 0x3f;
    Uuid::from_bytes(b)
}

/// The medium an interaction came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A telephone call.
    Voice,
    /// The chat on a web page.
    Webchat,
}

impl Channel {
    /// Every channel there is.
    pub const ALL: [Channel; 2] = [Channel::Voice, Channel::Webchat];
    /// The word used in configuration, API and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Voice => "voice",
            Channel::Webchat => "webchat",
        }
    }
    /// Reads [`Channel::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == s)
    }
    /// True where words are written, not spoken.
    pub const fn is_text(self) -> bool {
        !matches!(self, Channel::Voice)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Mono, Wall, ms};

    #[test]
    fn ids_made_later_sort_later_and_the_same_seed_gives_the_same_ids() {
        let at = Now { mono: Mono(0), wall: Wall::from_unix_s(1_795_406_706) };
        let (mut a, mut b) = (Rng::seeded(7), Rng::seeded(7));
        let first = TicketId::new(at, &mut a);
        assert_eq!(first, TicketId::new(at, &mut b));
        assert!(first < TicketId::new(at.later(ms(1)), &mut a));
        assert_eq!(first.0.get_version_num(), 7);
    }
}
