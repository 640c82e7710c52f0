//! Who is calling (section 22): a trunk by its address or login, a user by digest, or a stranger who reaches only what is public.
//!
//! A guest has a login that is good for one INVITE to one place and for nothing else: it registers nothing, subscribes to nothing,
//! takes no other call's place, and whatever it may do it may do once.
//!
//! A trunk that logs in is what its password proves; who it says to be in From is the caller it brings, and decides nothing.
//!
//! Nobody learns here which users exist: an unknown user is challenged and refused like one with a wrong password, and whether
//! a caller is challenged never depends on whether the name in From is known.

use super::{Stack, Who, tx::TxId};
use crate::{
    base::{Now, TenantId, TrunkId},
    sip::{
        auth::{Granted, Revoke, Verdict},
        msg::{AuthHeader, Message, Name, NameAddr, SipUri, Uri},
        transport::Source,
    },
};

/// The verdict on a caller.
#[derive(Debug)]
pub(super) enum Caller {
    Known { tenant: TenantId, who: Who },
    Challenge { tenant: TenantId, stale: bool },
    Refuse(u16),
}

/// Who answered a challenge, and how well.
#[derive(Debug)]
pub(super) enum Login {
    User(String),
    Trunk {
        id: TrunkId,
        user: String,
    },
    /// Good for one call to `only`.
    Guest {
        login: String,
        only: String,
    },
    /// No credentials for our realm, or wrong ones.
    Ask {
        stale: bool,
    },
    /// Nonsense.
    Bad(u16),
}

impl Stack {
    /// Judges whoever sends an INVITE.
    pub(super) fn caller(&mut self, now: Now, m: &Message, source: &Source) -> Caller {
        let settings = self.settings.clone();
        // A browser comes from the address of the proxy in front of us, which may be a trunk's too: it has to log in.
        if let Some(trunk) = settings.trunk_at(source.remote).filter(|_| !source.transport.is_web()) {
            if !trunk.admits(source.remote) {
                return Caller::Refuse(403);
            }
            return Caller::Known { tenant: trunk.tenant.clone(), who: Who::Trunk(trunk.id.clone()) };
        }
        let host = |u: &Uri| u.sip().map(|s: &SipUri| s.host.clone());
        let tenant = match m.uri() {
            Some(Uri::Tel(_)) => settings.default_tenant.as_ref(),
            Some(uri) => host(uri).and_then(|h| settings.tenant(&h)),
            None => None,
        };
        let Some(tenant) = tenant.cloned() else { return Caller::Refuse(404) };
        match self.login(now, m, &tenant) {
            Login::User(user) => {
                self.gate.pardon(source.remote.ip());
                // The name in From is what everybody else will see: it must be the one that was proved (no 47779 here).
                let same = m.from().is_ok_and(|f| {
                    f.uri.user() == user.as_str() && host(&f.uri).is_some_and(|h| settings.tenant(&h) == Some(&tenant))
                });
                if same {
                    Caller::Known { who: Who::User { tenant: tenant.clone(), user }, tenant }
                } else {
                    Caller::Refuse(403)
                }
            }
            Login::Trunk { id, .. } => match self.admits(&tenant, &id, source) {
                true => {
                    self.gate.pardon(source.remote.ip());
                    Caller::Known { tenant, who: Who::Trunk(id) }
                }
                false => Caller::Refuse(403),
            },
            Login::Guest { login, only } => {
                self.gate.pardon(source.remote.ip());
                let there = m.uri().is_some_and(|u| u.user() == only.as_str());
                // In another call's place it would be somewhere else than where it may be.
                if !there || !self.is_own(&tenant, &login, m.from()) || m.headers.has(&Name::Replaces) {
                    return Caller::Refuse(403);
                }
                self.grants.revoke(&Revoke::Login { tenant: tenant.clone(), username: login.clone() });
                Caller::Known { tenant, who: Who::Guest { login } }
            }
            Login::Bad(code) => Caller::Refuse(code),
            Login::Ask { stale } => {
                if !stale {
                    self.guessed(now, m, source);
                }
                let public = m.uri().is_some_and(|u| settings.is_public(&tenant, &u.user()));
                // Somebody who says to be one of us has to prove it, also to call a public number: a phone of ours gets its
                // caller's name shown, and a stranger does not get to borrow it. So has who calls from where a trunk does that logs
                // in: its calls are a carrier's, whatever they are for. And so has who comes by WebSocket: pages do, and what their
                // visitors reach, when and how many at once is said with the logins they get.
                let named =
                    m.from().is_ok_and(|f| host(&f.uri).is_some_and(|h| h.ip().is_none() && settings.own_domain(&h).is_some()));
                let expected = source.transport.is_web() || self.registrar.knows(source) || settings.is_trunks(source.remote);
                if public && !named && !expected && !has_credentials(m) {
                    return Caller::Known { tenant, who: Who::Stranger };
                }
                Caller::Challenge { tenant, stale }
            }
        }
    }

    /// Whether a trunk that has proved its password may call from there.
    pub(super) fn admits(&self, tenant: &TenantId, trunk: &TrunkId, source: &Source) -> bool {
        let peer = self.settings.trunks.iter().find(|t| t.tenant == *tenant && t.id == *trunk);
        peer.is_some_and(|t| t.admits(source.remote))
    }

    /// Judges the credentials in a request, if there are any for the tenant's realm.
    pub(super) fn login(&mut self, now: Now, m: &Message, tenant: &TenantId) -> Login {
        let settings = self.settings.clone();
        let realm = settings.realm(tenant);
        let values = [Name::Authorization, Name::ProxyAuthorization];
        let answer = values
            .iter()
            .flat_map(|n| m.headers.all(n))
            .filter_map(|v| AuthHeader::of_digest(&v))
            .find(|p| p.get("realm").as_deref() == Some(realm));
        let Some(answer) = answer else { return Login::Ask { stale: false } };
        let user = answer.get("username").unwrap_or_default().into_owned();
        let login = |t: &&super::TrunkPeer| t.tenant == *tenant && t.login.as_ref().is_some_and(|(u, _)| *u == user);
        let trunk = settings.trunks.iter().find(login);
        let granted = self.grants.find(now.mono, tenant, &user);
        let ha1 = match (trunk, &granted) {
            (Some(t), _) => t.login.as_ref().map(|(_, ha1)| ha1),
            (None, Some(granted)) => Some(&granted.ha1),
            (None, None) => settings.users.get(&(tenant.clone(), user.clone())),
        };
        let method = m.method().map_or("", |m| m.as_str());
        let uri = m.uri();
        let same_uri = |text: &str| {
            uri.is_some_and(|uri| text == uri.to_string() || Uri::parse(text).is_ok_and(|u| u.same(uri) || same_place(&u, uri)))
        };
        match self.digest.judge(now.wall, &answer, realm, method, same_uri, ha1) {
            Verdict::Right => {
                self.deadlines_sweep(now);
                match (trunk, granted) {
                    (Some(t), granted) => Login::Trunk { id: t.id.clone(), user: granted.map_or(user, |g| g.user) },
                    (None, Some(Granted { only: Some(only), .. })) => Login::Guest { login: user, only },
                    (None, Some(Granted { user, .. })) => Login::User(user),
                    (None, None) => Login::User(user),
                }
            }
            Verdict::Stale => Login::Ask { stale: true },
            Verdict::Wrong => {
                self.counters.auth_failures += 1;
                Login::Ask { stale: false }
            }
            Verdict::OtherUri => Login::Bad(400),
        }
    }

    fn deadlines_sweep(&mut self, now: Now) {
        if self.deadlines.get(&super::Timer::Sweep).is_none() {
            self.deadlines.set(super::Timer::Sweep, now.mono + crate::base::limits::SIP_NONCE_LIFE);
        }
    }

    /// Whether an address is this user's own: the name in From is what everybody else will see.
    pub(super) fn is_own<E>(&self, tenant: &TenantId, user: &str, address: Result<NameAddr, E>) -> bool {
        address
            .is_ok_and(|a| a.uri.user() == user && a.uri.sip().is_some_and(|u| self.settings.tenant(&u.host) == Some(tenant)))
    }

    /// The tenant of the transaction's Request-URI.
    pub(super) fn tenant_of(&self, id: TxId) -> Option<TenantId> {
        let request = &self.servers.get(&id)?.request;
        self.settings.tenant(&request.uri()?.sip()?.host).cloned()
    }
}

/// Phones leave out a port or a parameter in the digest's URI: user and host decide.
fn same_place(a: &Uri, b: &Uri) -> bool {
    a.user() == b.user() && a.sip().map(|u| &u.host) == b.sip().map(|u| &u.host)
}

/// Wrong credentials are not overlooked just because the number is public.
fn has_credentials(m: &Message) -> bool {
    m.headers.has(&Name::Authorization) || m.headers.has(&Name::ProxyAuthorization)
}
