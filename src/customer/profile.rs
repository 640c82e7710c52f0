//! One customer as the agent sees it, and the changes it is made of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Identity, Trust};
use crate::base::{Channel, CustomerId, Wall};

/// What the customer is to the house; a flow or a queue may give a head start for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// As everybody.
    #[default]
    Standard,
    /// Above.
    Gold,
    /// Before everybody.
    Vip,
}

impl Tier {
    /// Every tier there is.
    pub const ALL: [Tier; 3] = [Tier::Standard, Tier::Gold, Tier::Vip];
    /// The word used in configuration, API, flows and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tier::Standard => "standard",
            Tier::Gold => "gold",
            Tier::Vip => "vip",
        }
    }
    /// Reads [`Tier::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == s)
    }
}

/// What was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// Calls may be recorded.
    Recording,
    /// We may get in touch by ourselves.
    Contact,
}

/// One line of the consent ledger. Nothing is ever overwritten; the latest line of a kind holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What for.
    pub kind: ConsentKind,
    /// On which channel; `None`: on all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Yes or no.
    pub granted: bool,
    /// How we know: "announced in flow main", "asked by anna".
    pub how: String,
    /// When.
    pub at: Wall,
}

/// An identity of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// What.
    #[serde(flatten)]
    pub identity: Identity,
    /// How sure.
    pub trust: Trust,
    /// Since when.
    pub since: Wall,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// The name in the house.
    pub id: CustomerId,
    /// What to call them; empty when unknown.
    pub name: String,
    /// The language to speak, BCP 47 (`zh-CN`); `None` when unknown.
    pub lang: Option<String>,
    /// What they are to the house.
    pub tier: Tier,
    /// Words to find them by.
    pub tags: BTreeSet<String>,
    /// Whatever else the house knows.
    pub attributes: BTreeMap<String, String>,
    /// What they are recognised by.
    pub identities: Vec<Linked>,
    /// The consent ledger, oldest first.
    pub consents: VecDeque<Consent>,
    /// When everything known of them was erased, at their wish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<Wall>,
    /// First seen.
    pub created: Wall,
    /// Last changed.
    pub updated: Wall,
}

impl Customer {
    /// Somebody of whom nothing is known.
    pub fn new(id: CustomerId, at: Wall) -> Self {
        Self {
            id,
            name: String::new(),
            lang: None,
            tier: Tier::default(),
            tags: BTreeSet::new(),
            attributes: BTreeMap::new(),
            identities: Vec::new(),
            consents: VecDeque::new(),
            erased: None,
            created: at,
            updated: at,
        }
    }

    /// What the latest word on a matter is; `None`: never asked. A word about one channel counts there only.
    pub fn consents_to(&self, kind: ConsentKind, channel: Channel) -> Option<bool> {
        let about = |c: &&Consent| c.kind == kind && c.channel.is_none_or(|of| of == channel);
        self.consents.iter().rfind(about).map(|c| c.granted)
    }

    /// How sure we are of one of their identities.
    pub fn trust_in(&self, identity: &Identity) -> Option<Trust> {
        self.identities.iter().find(|l| l.identity == *identity).map(|l| l.trust)
    }
}

/// One thing that happened to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// First seen.
    Created,
    /// Has this name.
    Named {
        /// The name.
        name: String,
    },
    /// Speaks this language.
    Speaks {
        /// BCP 47; `None`: unknown after all.
        lang: Option<String>,
    },
    /// Is in this tier.
    Tiered {
        /// Which.
        tier: Tier,
    },
    /// Has this tag.
    Tagged {
        /// The tag.
        tag: String,
    },
    /// No longer has this tag.
    Untagged {
        /// The tag.
        tag: String,
    },
    /// An attribute has a value, or none.
    Attribute {
        /// Its name.
        key: String,
        /// Its value; `None` removes it.
        value: Option<String>,
    },
    /// Is recognised by this from now on; again with a higher trust makes it surer, never less sure.
    Linked {
        /// What.
        identity: Identity,
        /// How sure.
        trust: Trust,
    },
    /// Is no longer recognised by this.
    Unlinked {
        /// What.
        identity: Identity,
    },
    /// Said yes or no.
    Consented {
        /// What for.
        kind: ConsentKind,
        /// On which channel; `None`: on all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
        /// Yes or no.
        granted: bool,
        /// How we know.
        how: String,
    },
    /// Everything known of them is erased, at their wish. Who gets in touch again is somebody new.
    Erased,
    /// Turned out to be the same person as another, whose identities, tags, attributes and consents move here. The other's
    /// id leads here from now on.
    Absorbed {
        /// The other.
        from: CustomerId,
    },
}
