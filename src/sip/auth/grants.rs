//! Short-lived logins for phones in a browser: made for a signed-in person, good for minutes, over when the session is.
//!
//! A page must not know its owner's password, and what it does know must be worth nothing soon. Kept as hashes, in memory
//! only: after a restart the page asks for another one.

use std::{collections::BTreeMap, time::Duration};

use super::digest::Ha1;
use crate::base::{Mono, TenantId, limits::SIP_GRANTS_PER_USER};

/// A login for one user.
#[derive(Debug, Clone)]
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
}

#[derive(Debug)]
struct Entry {
    user: String,
    ha1: Ha1,
    session: String,
    until: Mono,
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
        let entry = Entry { user: g.user, ha1: g.ha1, session: g.session, until: now + g.lasts };
        self.table.insert((g.tenant, g.username), entry);
    }

    /// Ends logins.
    pub fn revoke(&mut self, which: &Revoke) {
        self.table.retain(|(t, _), e| match which {
            Revoke::Session(session) => e.session != *session,
            Revoke::User { tenant, user } => t != tenant || e.user != *user,
        });
    }

    /// The user and hashes of a digest user name, while it is good.
    pub fn find(&self, now: Mono, tenant: &TenantId, username: &str) -> Option<(&str, &Ha1)> {
        let entry = self.table.get(&(tenant.clone(), username.to_owned())).filter(|e| e.until > now)?;
        Some((&entry.user, &entry.ha1))
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
        Grant { tenant: demo(), user, ha1: Ha1::new(&username, "demo", "pw"), username, session, lasts: secs(600) }
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
        assert_eq!(g.find(Mono(0), &demo(), "x1").unwrap().0, "anna");
        assert!(is_good(&g, 599, "x1") && !is_good(&g, 600, "x1") && is_good(&g, 600, "x2"));
        g.revoke(&Revoke::Session("s2".into()));
        assert!(!is_good(&g, 2, "x2") && is_good(&g, 2, "x3"));
        g.revoke(&Revoke::User { tenant: demo(), user: "ben".into() });
        assert!(!is_good(&g, 2, "x3"));
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
