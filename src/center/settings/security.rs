//! What people must show to come in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::center::command::Role;

/// Rules for logins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// People of these roles need a second factor; without one they can only make one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub second_factor: BTreeSet<Role>,
}

impl Security {
    /// Nothing is decided.
    pub fn is_default(&self) -> bool {
        *self == Security::default()
    }
}
