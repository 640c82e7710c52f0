//! A shop to try everything with: a tenant, queues, agents, numbers, and credentials made on the spot.

use std::{collections::BTreeMap, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{
    api::{generate_password, hash_password, sip_digests},
    base::{AgentId, Rng, TenantId, Wall, redact::Secret},
    center::command::Role,
    store::{ApiKey, Store, User},
};

/// The business configuration of the demo.
pub const BUSINESS: &str = include_str!("demo.yaml");

/// Where the demo's flows ask for orders; nobody answers there unless somebody puts a shop there.
pub const SHOP_API: &str = "http://127.0.0.1:8090/";

/// The demo's tenant; also the realm of its phones.
pub const TENANT: &str = "demo";

/// Who signs in, with what rank, and whether with a phone.
const USERS: [(&str, Role, bool); 5] = [
    ("admin", Role::Admin, false),
    ("susan", Role::Supervisor, true),
    ("anna", Role::Agent, true),
    ("ben", Role::Agent, true),
    ("chen", Role::Agent, true),
];

/// What is printed once and written to `demo-credentials.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DemoCredentials {
    /// The tenant.
    pub tenant: String,
    /// Where phones register and call.
    pub sip: String,
    /// Where browsers go.
    pub http: String,
    /// Login name to password.
    pub users: BTreeMap<String, String>,
    /// SIP user name to password.
    pub sip_passwords: BTreeMap<String, String>,
    /// For `Authorization: Bearer`.
    pub api_key: String,
}

/// Fills an empty store. `None` when it already holds a configuration: nobody's passwords are changed.
pub async fn seed(store: &Store, now: Wall, rng: &mut Rng, sip: String, http: String) -> Result<Option<DemoCredentials>> {
    if store.config_latest().await?.is_some() {
        return Ok(None);
    }
    let tenant = TenantId::parse(TENANT)?;
    let mut c = DemoCredentials {
        tenant: TENANT.into(),
        sip,
        http,
        users: BTreeMap::new(),
        sip_passwords: BTreeMap::new(),
        api_key: format!("rk_{}", rng.hex(24)),
    };
    for (login, role, phone) in USERS {
        let (password, sip_password) = (generate_password(rng), generate_password(rng));
        let hash = hash_password(Secret::new(password.clone()), rng).await.map_err(|e| anyhow::anyhow!("{e}"))?;
        let digests = phone.then(|| sip_digests(login, TENANT, &sip_password));
        let user = User {
            tenant: tenant.clone(),
            login: AgentId::parse(login)?,
            role,
            password: Secret::new(hash),
            sip_md5: digests.as_ref().map(|(md5, _)| Secret::new(md5.clone())),
            sip_sha256: digests.map(|(_, sha)| Secret::new(sha)),
            disabled: false,
        };
        store.user_put(now, &user).await?;
        c.users.insert(login.into(), password);
        if phone {
            c.sip_passwords.insert(login.into(), sip_password);
        }
    }
    let key_sha256 = Secret::new(crate::store::sha256_hex(&c.api_key));
    store.api_key_put(&ApiKey { tenant, name: "demo".into(), role: Role::Admin, key_sha256, made_at: now }).await?;
    // Last: an interrupted seeding is begun again.
    let business =
        crate::center::settings::Business::parse(BUSINESS).map_err(|e| anyhow::anyhow!("the demo configuration: {e}"))?;
    store.config_append(now, "demo", &business.to_yaml()).await?;
    Ok(Some(c))
}

/// Writes the credentials where only their owner reads them.
pub fn write(path: &Path, c: &DemoCredentials) -> Result<()> {
    let text = serde_json::to_string_pretty(c)? + "\n";
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
