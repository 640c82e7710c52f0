//! Short-lived logins for phones in a browser: made for a signed-in person, good for minutes, over when the session is; or for
//! a guest, good for one call to one place.
//!
//! A page must not know its owner's password, and what it does know must be worth nothing soon. Kept as hashes, in memory
//! only: after a restart the page asks for another one.

use std::{collections::BTreeMap, time::Duration};

use super::digest::Ha1;
use crate::base::{Mono, TenantId, limits::SIP_GRANTS_PER_USER};

/// A login for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub tenant: TenantId,
    /// The user part of the address of record it logs in to.
    pub user: String,
    /// What the digest calls the user: made by chance.
    pub username: String,
    /// The hashes of its password.
    pub ha1: Ha1,
    /// What it hangs on: when that ends, so does the login.
    pub session: String,
    /// How long it is good for.
    pub lasts: Duration,
    /// All it is good for, if it is a guest's: one call to this user part. Else it is the user's phone.
    pub only: Option<String>,
}

/// Which logins are over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoke {
    /// All that hang on a session.
    Session(String),
    /// All of a user.
    User {
        /// Whose.
        tenant: TenantId,
        /// The user.
        user: String,
    },
    /// This one.
    Login {
        /// Whose.
        tenant: TenantId,
        /// What the digest calls the user.
        username: String,
    },
}

#[derive(Debug)]
struct Entry {
    user: String,
    ha1: Ha1,
    session: String,
    until: Mono,
    only: Option<String>,
}

/// A login that is good.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The user part of the address of record.
    pub user: String,
    /// The hashes of its password.
    pub ha1: Ha1,
    /// The one place it may call, if it is a guest's.
    pub only: Option<String>,
}

/// The logins in force.
#[derive(Debug, Default)]
pub struct Grants {
    /// By tenant and digest user name.
    table: BTreeMap<(TenantId, String), Entry>,
}

impl Grants {
    /// Takes a login. Beyond [`SIP_GRANTS_PER_USER`] the one that would end first goes.
    pub fn add(&mut self, now: Mono, g: Grant) {
        self.table.retain(|_, e| e.until > now);
        let same = |(t, _): &(TenantId, String), e: &Entry| *t == g.tenant && e.user == g.user;
        if self.table.iter().filter(|(k, e)| same(k, e)).count() >= SIP_GRANTS_PER_USER {
            let first = self.table.iter().filter(|(k, e)| same(k, e)).min_by_key(|(_, e)| e.until).map(|(k, _)| k.clone());
            first.map(|k| self.table.remove(&k));
        }
        let entry = Entry { user: g.user, ha1: g.ha1, session: g.session, until: now + g.lasts, only: g.only };
        self.table.insert((g.tenant, g.username), entry);
    }

    /// Ends logins.
    pub fn revoke(&mut self, which: &Revoke) {
        self.table.retain(|(t, name), e| match which {
            Revoke::Session(session) => e.session != *session,
            Revoke::User { tenant, user } => t != tenant || e.user != *user,
            Revoke::Login { tenant, username } => t != tenant || name != username,
        });
    }

    /// What a digest user name is good for, while it is.
    pub fn find(&self, now: Mono, tenant: &TenantId, username: &str) -> Option<Granted> {
        let entry = self.table.get(&(tenant.clone(), username.to_owned())).filter(|e| e.until > now)?;
        Some(Granted { user: entry.user.clone(), ha1: entry.ha1.clone(), only: entry.only.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secs;

    fn demo() -> TenantId {
        TenantId::parse("demo").unwrap()
    }
    fn grant(user: &str, username: &str, session: &str) -> Grant {
        let (user, username, session) = (user.to_owned(), username.to_owned(), session.to_owned());
        Grant { tenant: demo(), user, ha1: Ha1::new(&username, "demo", "pw"), username, session, lasts: secs(600), only: None }
    }
    fn is_good(g: &Grants, at: u64, username: &str) -> bool {
        g.find(Mono(0) + secs(at), &demo(), username).is_some()
    }

    #[test]
    fn a_login_is_good_until_its_time_is_up_or_its_session_ends() {
        let mut g = Grants::default();
        g.add(Mono(0), grant("anna", "x1", "s1"));
        g.add(Mono(0) + secs(1), grant("anna", "x2", "s2"));
        g.add(Mono(0) + secs(1), grant("ben", "x3", "s3"));
        assert_eq!(g.find(Mono(0), &demo(), "x1").unwrap().user, "anna");
        assert!(is_good(&g, 599, "x1") && !is_good(&g, 600, "x1") && is_good(&g, 600, "x2"));
        g.revoke(&Revoke::Session("s2".into()));
        assert!(!is_good(&g, 2, "x2") && is_good(&g, 2, "x3"));
        g.revoke(&Revoke::User { tenant: demo(), user: "ben".into() });
        assert!(!is_good(&g, 2, "x3"));
    }

    #[test]
    fn a_guests_login_names_its_place_and_ends_alone() {
        let mut g = Grants::default();
        g.add(Mono(0), Grant { only: Some("4001".into()), ..grant("g1", "g1", "") });
        g.add(Mono(0), Grant { only: Some("4001".into()), ..grant("g2", "g2", "") });
        assert_eq!(g.find(Mono(0), &demo(), "g1").unwrap().only.as_deref(), Some("4001"));
        g.revoke(&Revoke::Login { tenant: demo(), username: "g1".into() });
        assert!(!is_good(&g, 1, "g1") && is_good(&g, 1, "g2"));
    }

    #[test]
    fn a_page_that_asks_again_and_again_loses_its_oldest_login() {
        let mut g = Grants::default();
        for i in 0..=SIP_GRANTS_PER_USER {
            g.add(Mono(0) + secs(i as u64), grant("anna", &format!("x{i}"), "s"));
        }
        assert!(!is_good(&g, 20, "x0") && is_good(&g, 20, "x1"));
        assert_eq!(g.table.len(), SIP_GRANTS_PER_USER);
    }
}
