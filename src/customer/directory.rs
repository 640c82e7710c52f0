//! The customers of one tenant: found by what they are recognised by, kept by what happened to them.
//!
//! An identity points to one customer at most. Merging moves identities and leaves a redirect, so an id handed out
//! yesterday still finds the person today. Tests below and in `tests.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use serde::{Deserialize, Serialize};

use super::{Change, Consent, Customer, Identity, IdentityError, Linked, Trust};
use crate::base::{CustomerId, Wall, limits};

/// One line of the directory's log. Folding these in order gives the directory back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whom.
    pub customer: CustomerId,
    /// When.
    pub at: Wall,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// Who was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The person.
    pub customer: CustomerId,
    /// How far the identity is to be believed.
    pub trust: Trust,
    /// What the journal has to keep: empty when the person was known.
    pub entries: Vec<Entry>,
}

/// Why a change is refused. The directory is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// No such id, also not of a merged customer.
    #[error("there is no customer {id}")]
    Unknown {
        /// The id.
        id: CustomerId,
    },
    /// An id is used once.
    #[error("customer {id} exists already")]
    Exists {
        /// The id.
        id: CustomerId,
    },
    /// The identity is another's: merge the two, or unlink it there first.
    #[error("{identity:?} belongs to customer {owner}")]
    Taken {
        /// What.
        identity: Identity,
        /// Whose.
        owner: CustomerId,
    },
    /// Not theirs, so it cannot be taken away.
    #[error("{identity:?} does not belong to customer {id}")]
    NotTheirs {
        /// What.
        identity: Identity,
        /// Who.
        id: CustomerId,
    },
    /// Two different people are needed.
    #[error("customer {id} cannot be merged into itself")]
    IntoItself {
        /// The id.
        id: CustomerId,
    },
    /// A bound was met.
    #[error("a customer has at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// Too long, empty, or with control characters.
    #[error("{what} is one line of 1 to {most} characters")]
    BadText {
        /// Which.
        what: &'static str,
        /// How long.
        most: usize,
    },
    /// Not usable as an identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Everybody of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    customers: BTreeMap<CustomerId, Customer>,
    by_identity: BTreeMap<Identity, CustomerId>,
    /// Merged customers; always points to one that exists.
    redirects: BTreeMap<CustomerId, CustomerId>,
    /// Every word of every name, in small letters.
    words: BTreeSet<(String, CustomerId)>,
}

impl Directory {
    /// The id a customer has today.
    pub fn resolve(&self, id: CustomerId) -> CustomerId {
        self.redirects.get(&id).copied().unwrap_or(id)
    }
    /// A customer, by an id of today or of before a merge.
    pub fn get(&self, id: CustomerId) -> Option<&Customer> {
        self.customers.get(&self.resolve(id))
    }
    /// Who is recognised by this.
    pub fn by_identity(&self, identity: &Identity) -> Option<&Customer> {
        self.customers.get(self.by_identity.get(identity)?)
    }
    /// Everybody, the longest known first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Customer> {
        self.customers.values()
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.customers.len()
    }
    /// True when nobody is known.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// Whether this very id is here, not one it was merged into.
    pub fn holds(&self, id: CustomerId) -> bool {
        self.customers.contains_key(&id)
    }

    /// One customer with everybody merged into them, as a directory of its own.
    pub fn part(&self, id: CustomerId) -> Directory {
        let Some(customer) = self.get(id) else { return Directory::default() };
        let mut part = Directory::default();
        let own = customer.identities.iter().filter(|l| self.by_identity.get(&l.identity) == Some(&customer.id));
        part.by_identity.extend(own.map(|l| (l.identity.clone(), customer.id)));
        part.redirects.extend(self.redirects.iter().filter(|(_, to)| **to == customer.id));
        part.words.extend(words_of(&customer.name).map(|w| (w, customer.id)));
        part.customers.insert(customer.id, customer.clone());
        part
    }

    /// Takes in people read from the store. Who is here already stays as they are.
    pub fn take_in(&mut self, others: Directory) {
        let here = |id: &CustomerId| self.customers.contains_key(id) || self.redirects.contains_key(id);
        let new: BTreeSet<CustomerId> = others.customers.keys().filter(|id| !here(id)).copied().collect();
        for (identity, id) in others.by_identity.into_iter().filter(|(_, id)| new.contains(id)) {
            self.by_identity.entry(identity).or_insert(id);
        }
        self.redirects.extend(others.redirects.into_iter().filter(|(_, to)| new.contains(to)));
        self.words.extend(others.words.into_iter().filter(|(_, id)| new.contains(id)));
        self.customers.extend(others.customers.into_iter().filter(|(id, _)| new.contains(id)));
    }

    /// Lets go of people; the store keeps them. What they were recognised by.
    pub fn let_go(&mut self, ids: &BTreeSet<CustomerId>) -> Vec<Identity> {
        let mut known = Vec::new();
        for id in ids {
            let Some(customer) = self.customers.remove(id) else { continue };
            for word in words_of(&customer.name) {
                self.words.remove(&(word, *id));
            }
            for Linked { identity, .. } in customer.identities {
                if self.by_identity.get(&identity) == Some(id) {
                    self.by_identity.remove(&identity);
                    known.push(identity);
                }
            }
        }
        self.redirects.retain(|_, to| !ids.contains(to));
        known
    }

    /// Who this is. Unknown: a new customer named `new`, recognised by this from now on.
    ///
    /// `trust` is how the identity came: a calling number [`Trust::Unverified`], a login [`Trust::Verified`]. What was
    /// verified once is still only as sure as it comes today: the answer says the lesser of the two, because a forged
    /// calling number looks exactly like the real one.
    pub fn find_or_create(
        &mut self,
        now: Wall,
        identity: Identity,
        trust: Trust,
        new: CustomerId,
    ) -> Result<Found, CustomerError> {
        if let Some(&customer) = self.by_identity.get(&identity) {
            let known = self.customers.get(&customer).and_then(|c| c.trust_in(&identity)).unwrap_or(Trust::Unverified);
            let mut entries = Vec::new();
            if trust > known {
                entries.push(self.apply(now, customer, Change::Linked { identity, trust })?);
            }
            return Ok(Found { customer, trust, entries });
        }
        let created = self.apply(now, new, Change::Created)?;
        let linked = self.apply(now, new, Change::Linked { identity, trust })?;
        Ok(Found { customer: new, trust, entries: vec![created, linked] })
    }

    /// Checks a change and makes it; the entry returned is what the journal keeps.
    pub fn apply(&mut self, now: Wall, id: CustomerId, change: Change) -> Result<Entry, CustomerError> {
        let id = self.resolve(id);
        let change = match change {
            // Said by an old id, it is still about the person of today.
            Change::Absorbed { from } => Change::Absorbed { from: self.resolve(from) },
            other => other,
        };
        self.check(id, &change)?;
        let entry = Entry { customer: id, at: now, change };
        self.step(&entry);
        Ok(entry)
    }

    /// Folds an entry that was applied once already.
    pub fn replay(&mut self, entry: &Entry) -> Result<(), CustomerError> {
        let known = self.customers.contains_key(&entry.customer);
        match entry.change {
            Change::Created if known => return Err(CustomerError::Exists { id: entry.customer }),
            Change::Created => {}
            _ if !known => return Err(CustomerError::Unknown { id: entry.customer }),
            _ => {}
        }
        self.step(entry);
        Ok(())
    }

    /// Customers with a word of their name, or a number, beginning with `prefix`; the longest known first, at most `most`.
    /// Digits, with or without plus, search numbers.
    pub fn search(&self, prefix: &str, most: usize) -> Vec<&Customer> {
        let prefix = prefix.trim().to_lowercase();
        let mut found = BTreeSet::new();
        if prefix.is_empty() {
            return Vec::new();
        }
        let words = self.words.range((Bound::Included((prefix.clone(), CustomerId(uuid::Uuid::nil()))), Bound::Unbounded));
        found.extend(words.take_while(|(w, _)| w.starts_with(&prefix)).map(|(_, id)| *id).take(most));
        let digits = prefix.trim_start_matches('+');
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let forms = if prefix.starts_with('+') { vec![prefix.clone()] } else { vec![prefix.clone(), format!("+{prefix}")] };
            for form in forms {
                let from = Identity::Number { number: form.clone() };
                let hits = self.by_identity.range(from..);
                let same = |i: &Identity| matches!(i, Identity::Number { number } if number.starts_with(&form));
                found.extend(hits.take_while(|(i, _)| same(i)).map(|(_, id)| *id).take(most));
            }
        }
        found.into_iter().filter_map(|id| self.customers.get(&id)).take(most).collect()
    }

    fn check(&self, id: CustomerId, change: &Change) -> Result<(), CustomerError> {
        if matches!(change, Change::Created) {
            let free = !self.customers.contains_key(&id) && !self.redirects.contains_key(&id);
            return if free { Ok(()) } else { Err(CustomerError::Exists { id }) };
        }
        let customer = self.customers.get(&id).ok_or(CustomerError::Unknown { id })?;
        match change {
            Change::Created | Change::Tiered { .. } | Change::Untagged { .. } | Change::Erased => Ok(()),
            Change::Named { name } => check_text("a name", name, limits::TITLE_MAX),
            Change::Speaks { lang } => lang.as_ref().map_or(Ok(()), |l| check_text("a language", l, 35)),
            Change::Tagged { tag } => {
                check_text("a tag", tag, limits::TAG_MAX)?;
                room("tags", customer.tags.len(), limits::TAGS_MAX, customer.tags.contains(tag))
            }
            Change::Attribute { key, value } => {
                check_text("an attribute's name", key, limits::TAG_MAX)?;
                let Some(value) = value else { return Ok(()) };
                check_text("an attribute", value, limits::ATTRIBUTE_MAX)?;
                let there = customer.attributes.contains_key(key);
                room("attributes", customer.attributes.len(), limits::ATTRIBUTES_MAX, there)
            }
            Change::Linked { identity, .. } => match self.by_identity.get(identity) {
                Some(&owner) if owner != id => Err(CustomerError::Taken { identity: identity.clone(), owner }),
                known => room("identities", customer.identities.len(), limits::IDENTITIES_MAX, known.is_some()),
            },
            Change::Unlinked { identity } if self.by_identity.get(identity) != Some(&id) => {
                Err(CustomerError::NotTheirs { identity: identity.clone(), id })
            }
            Change::Unlinked { .. } => Ok(()),
            Change::Consented { how, .. } => check_text("how a consent was given", how, limits::TITLE_MAX),
            Change::Absorbed { from } if *from == id => Err(CustomerError::IntoItself { id }),
            Change::Absorbed { from } => {
                let other = self.customers.get(from).ok_or(CustomerError::Unknown { id: *from })?;
                let sum = customer.identities.len() + other.identities.len();
                room("identities", sum.saturating_sub(1), limits::IDENTITIES_MAX, false)
            }
        }
    }

    /// What one entry does. Total: an entry that was once applied can always be applied again.
    fn step(&mut self, entry: &Entry) {
        let (id, at) = (entry.customer, entry.at);
        if matches!(entry.change, Change::Created) {
            self.customers.insert(id, Customer::new(id, at));
            return;
        }
        if let Change::Absorbed { from } = entry.change {
            self.absorb(id, from, at);
            return;
        }
        if matches!(entry.change, Change::Erased) {
            self.erase(id, at);
            return;
        }
        let Some(customer) = self.customers.get_mut(&id) else { return };
        customer.updated = customer.updated.max(at);
        match &entry.change {
            Change::Created | Change::Absorbed { .. } | Change::Erased => {}
            Change::Named { name } => {
                let old = std::mem::replace(&mut customer.name, name.clone());
                for word in words_of(&old) {
                    self.words.remove(&(word, id));
                }
                self.words.extend(words_of(name).map(|w| (w, id)));
            }
            Change::Speaks { lang } => customer.lang.clone_from(lang),
            Change::Tiered { tier } => customer.tier = *tier,
            Change::Tagged { tag } => customer.tags.extend([tag.clone()]),
            Change::Untagged { tag } => customer.tags.retain(|t| t != tag),
            Change::Attribute { key, value: Some(value) } => customer.attributes.extend([(key.clone(), value.clone())]),
            Change::Attribute { key, value: None } => customer.attributes.retain(|k, _| k != key),
            Change::Linked { identity, trust } => {
                match customer.identities.iter_mut().find(|l| l.identity == *identity) {
                    Some(known) => known.trust = known.trust.max(*trust),
                    None => customer.identities.push(Linked { identity: identity.clone(), trust: *trust, since: at }),
                }
                self.by_identity.insert(identity.clone(), id);
            }
            Change::Unlinked { identity } => {
                customer.identities.retain(|l| l.identity != *identity);
                self.by_identity.remove(identity);
            }
            Change::Consented { kind, channel, granted, how } => {
                let consent = Consent { kind: *kind, channel: *channel, granted: *granted, how: how.clone(), at };
                customer.consents.push_back(consent);
                if customer.consents.len() > limits::CONSENTS_MAX {
                    customer.consents.pop_front();
                }
            }
        }
    }

    /// What is left is an id that contacts of before lead to, under which nothing is known.
    fn erase(&mut self, id: CustomerId, at: Wall) {
        let Some(customer) = self.customers.get_mut(&id) else { return };
        let nobody = Customer { erased: Some(at), updated: at, ..Customer::new(id, customer.created) };
        let was = std::mem::replace(customer, nobody);
        for word in words_of(&was.name) {
            self.words.remove(&(word, id));
        }
        self.by_identity.retain(|_, owner| *owner != id);
    }

    fn absorb(&mut self, id: CustomerId, from: CustomerId, at: Wall) {
        if !self.customers.contains_key(&id) {
            return;
        }
        let Some(other) = self.customers.remove(&from) else { return };
        for word in words_of(&other.name) {
            self.words.remove(&(word, from));
        }
        self.redirects.values_mut().filter(|to| **to == from).for_each(|to| *to = id);
        self.redirects.insert(from, id);
        self.by_identity.extend(other.identities.iter().map(|l| (l.identity.clone(), id)));
        let Some(customer) = self.customers.get_mut(&id) else { return };
        customer.updated = customer.updated.max(at);
        customer.created = customer.created.min(other.created);
        customer.tier = customer.tier.max(other.tier);
        customer.lang = customer.lang.take().or(other.lang);
        customer.identities.extend(other.identities);
        customer.tags.extend(other.tags);
        while customer.tags.len() > limits::TAGS_MAX {
            customer.tags.pop_last();
        }
        for (key, value) in other.attributes {
            // Where both know something, the one we keep is believed.
            if customer.attributes.len() < limits::ATTRIBUTES_MAX {
                customer.attributes.entry(key).or_insert(value);
            }
        }
        let mut consents: Vec<Consent> = customer.consents.drain(..).chain(other.consents).collect();
        consents.sort_by_key(|c| c.at);
        customer.consents = consents.split_off(consents.len().saturating_sub(limits::CONSENTS_MAX)).into();
        if customer.name.is_empty() {
            customer.name = other.name;
            self.words.extend(words_of(&customer.name).map(|w| (w, id)));
        }
    }
}

fn words_of(name: &str) -> impl Iterator<Item = String> {
    name.split_whitespace().map(str::to_lowercase)
}

fn check_text(what: &'static str, text: &str, most: usize) -> Result<(), CustomerError> {
    let good = !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(CustomerError::BadText { what, most }) }
}

fn room(what: &'static str, there: usize, most: usize, known: bool) -> Result<(), CustomerError> {
    if known || there < most { Ok(()) } else { Err(CustomerError::TooMany { what, most }) }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
