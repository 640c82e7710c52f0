//! Trunks in the business configuration: carriers, groups of them, and who may call out by them.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Media, Settings, Tenant, TenantSettings, is_default};
use crate::{
    base::{Network, TenantId, TrunkId},
    call::trunk,
};

/// A peering with a carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Where we send calls: `host:port`; the port is 5060 if absent. Empty: to where it has registered with us by its `login`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// `udp`, `tcp`, `tls`, or `auto`: as the name servers say (RFC 3263).
    #[serde(default = "udp")]
    pub transport: String,
    /// Addresses and networks calls come from; the host's own if empty.
    #[serde(default)]
    pub from: Vec<Network>,
    /// Of these, networks whose calls are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Network>,
    /// It has to log in by digest: what it sends counts as this trunk's because of that, not because of its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<trunk::Login>,
    /// User name when the carrier asks for digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Name of the secret in the directory or environment that holds the password (never the password itself).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
    /// Realm the digest is given to; the host if absent. No other realm ever gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// Number presented to the carrier when the caller has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// Most calls at once, both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_calls: Option<u32>,
    /// Most new calls out per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_s: Option<u32>,
    /// We register with the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<trunk::Register>,
    /// We look whether the carrier is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<trunk::Options>,
    /// When the next trunk of a group is tried.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failover: trunk::Failover,
    /// How the carrier writes numbers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub numbers: trunk::Numbers,
    /// How it tells and is told who calls.
    #[serde(default, skip_serializing_if = "is_default")]
    pub identity: trunk::Identity,
    /// Callers are vouched for, or asked who vouches for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stir: Option<trunk::Stir>,
    /// What else it wants to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<trunk::HeaderRule>,
    /// A caller who came by it and is handed to a number outside is handed to the carrier (REFER), and no line is used any more.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refer: bool,
    /// What is spoken with it, where that is not what is spoken with phones.
    #[serde(default, skip_serializing_if = "Media::is_empty")]
    pub media: Media,
}

fn udp() -> String {
    "udp".into()
}

impl Tenant {
    pub(super) fn trunk_problems(&self, at: &str, bad: &mut Vec<String>) {
        for (id, t) in &self.trunks {
            if !matches!(t.transport.as_str(), "udp" | "tcp" | "tls" | "auto") {
                bad.push(format!("{at}.trunks.{id}.transport: `{}` is not known; expected udp, tcp, tls or auto", t.transport));
            }
            if t.host.is_empty() && t.login.is_none() {
                bad.push(format!(
                    "{at}.trunks.{id}.host: is empty; expected host or host:port, or a login to register with us"
                ));
            }
            if t.host.is_empty() && (t.register.is_some() || t.username.is_some()) {
                bad.push(format!("{at}.trunks.{id}: register and username are for a host, and it is empty"));
            }
            if let Some(login) = &t.login {
                self.login_problems(id, login, &format!("{at}.trunks.{id}.login.username"), bad);
            }
            t.media.problems(&format!("{at}.trunks.{id}.media"), bad);
            trunk::header_problems(&t.headers, &format!("{at}.trunks.{id}.headers"), bad);
            let parts = [
                ("login", t.login.as_ref().and_then(trunk::Login::problem)),
                ("register", t.register.as_ref().and_then(trunk::Register::problem)),
                ("options", t.options.as_ref().and_then(trunk::Options::problem)),
                ("failover", t.failover.problem()),
                ("stir", t.stir.as_ref().and_then(trunk::Stir::problem)),
            ];
            bad.extend(parts.iter().filter_map(|(part, p)| Some(format!("{at}.trunks.{id}.{part}.{}", (*p)?))));
            if t.register.as_ref().is_some_and(|r| r.user.is_none()) && t.username.is_none() {
                bad.push(format!("{at}.trunks.{id}.register: needs a user, or the trunk's username"));
            }
            if t.username.is_some() != t.password_secret.is_some() {
                bad.push(format!("{at}.trunks.{id}: username and password_secret come together or not at all"));
            }
        }
    }

    /// One name leads to one password: whose call it is must not be a matter of order.
    fn login_problems(&self, id: &TrunkId, login: &trunk::Login, at: &str, bad: &mut Vec<String>) {
        let same = |other: &Trunk| other.login.as_ref().is_some_and(|l| l.username == login.username);
        if let Some((other, _)) = self.trunks.iter().find(|(other, t)| *other < id && same(t)) {
            bad.push(format!("{at}: the trunk {other} logs in as `{}`", login.username));
        }
        if self.routing.agents.keys().any(|a| a.as_str() == login.username) {
            bad.push(format!("{at}: an agent is called `{}`", login.username));
        }
    }

    pub(super) fn group_problems(&self, at: &str, bad: &mut Vec<String>) {
        self.toll.problems(&format!("{at}.toll"), bad);
        if let Some(c) = self.toll.calendar.as_ref().filter(|c| !self.routing.calendars.contains_key(*c)) {
            bad.push(format!("{at}.toll.calendar: there is no calendar `{c}`"));
        }
        for (id, members) in &self.trunk_groups {
            if self.trunks.contains_key(id) {
                bad.push(format!("{at}.trunk_groups.{id}: a trunk has this name already"));
            }
            if members.is_empty() {
                bad.push(format!("{at}.trunk_groups.{id}: is empty"));
            }
            for m in members.iter().filter(|m| !self.trunks.contains_key(&m.trunk)) {
                bad.push(format!("{at}.trunk_groups.{id}: there is no trunk `{}`", m.trunk));
            }
        }
    }

    /// What holds for one of its trunks.
    pub fn trunk_rules(&self, trunk: &Trunk) -> trunk::Policy {
        trunk::Policy {
            caller_id: trunk.caller_id.clone(),
            register: trunk.register.clone(),
            options: trunk.options.clone(),
            calls_per_s: trunk.calls_per_s,
            failover: trunk.failover.clone(),
            numbers: trunk.numbers.over(self.country.as_deref(), self.trunk_prefix.as_deref()),
            identity: trunk.identity.clone(),
            headers: trunk.headers.clone(),
            refer: trunk.refer,
            // The key is not ours to look up.
            voucher: None,
            verify: trunk.stir.as_ref().and_then(trunk::Verify::of),
        }
    }
}

impl Settings {
    /// Groups of trunks, by tenant and name.
    pub fn trunk_groups(&self) -> BTreeMap<trunk::Key, Vec<trunk::Member>> {
        let of = |(id, t): (&TenantId, &Arc<TenantSettings>)| {
            let id = id.clone();
            t.config.trunk_groups.clone().into_iter().map(move |(name, members)| ((id.clone(), name), members))
        };
        self.tenants.iter().flat_map(of).collect()
    }
}
