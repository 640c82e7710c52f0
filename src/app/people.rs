//! Logins made from the command line: how the first administrator of a house comes in.
#![allow(clippy::print_stdout, reason = "a password is shown once, to whoever typed the command")]

use anyhow::{Context, Result, anyhow, bail};

use super::{clock::Clock, config::Config};
use crate::{
    api::{generate_password, hash_password, sip_digests, sip_realm},
    base::{AgentId, Rng, TenantId, redact::Secret},
    center::{
        command::Role,
        settings::{Business, Settings},
    },
    store::{Store, User},
};

/// Makes a login, or gives an existing one a new password. Passwords are made here and printed once.
pub async fn add(config: &Config, tenant: &str, login: &str, role: &str) -> Result<bool> {
    let tenant = TenantId::parse(tenant).context("--tenant")?;
    let login = AgentId::parse(login).context("the login")?;
    let role = Role::parse(role).ok_or_else(|| anyhow!("--role: `{role}` is none of agent, supervisor, admin"))?;
    let store = Store::open(&config.store_place()).await.context("the database")?;
    let realm = realm(&store, config, &tenant).await?;

    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    let mut rng = Rng::from_entropy(seed);
    let (password, sip_password) = (generate_password(&mut rng), generate_password(&mut rng));
    let hash = hash_password(Secret::new(password.clone()), &mut rng).await.map_err(|e| anyhow!(e))?;
    let (md5, sha256) = sip_digests(login.as_str(), &realm, &sip_password);
    let known = store.user_get(&tenant, &login).await?.is_some();
    let user = User {
        tenant: tenant.clone(),
        login: login.clone(),
        role,
        password: Secret::new(hash),
        sip_md5: Some(Secret::new(md5)),
        sip_sha256: Some(Secret::new(sha256)),
        disabled: false,
    };
    store.user_put(Clock::start().now().wall, &user).await?;
    if known {
        store.sessions_end_of(&tenant, &login).await?;
    }
    let after = Some(format!("role={} disabled=false", role.as_str()));
    let what = if known { "user.change" } else { "user.create" };
    super::cli::audit(&store, &tenant, what, login.as_str(), after).await?;
    println!("login `{login}` of tenant `{tenant}`, {} ({})", role.as_str(), if known { "new passwords" } else { "new" });
    println!("password: {password}");
    println!("sip password: {sip_password}   (user {login}, domain {realm})");
    Ok(true)
}

/// The realm phones of the tenant log in by. A tenant nobody has configured is a slip of the pen.
async fn realm(store: &Store, config: &Config, tenant: &TenantId) -> Result<String> {
    let Some(latest) = store.config_latest().await? else {
        bail!("there is no business configuration yet, so no tenant `{tenant}`: serve --demo, or apply FILE");
    };
    let business = Business::parse(&latest.yaml).map_err(|e| anyhow!("version {}: {e}", latest.version))?;
    if !business.tenants.contains_key(tenant) {
        let known: Vec<String> = business.tenants.keys().map(ToString::to_string).collect();
        bail!("there is no tenant `{tenant}`; known: {}", known.join(", "));
    }
    let flows = super::flows::load(config.flows.dir.as_deref())?;
    let settings = Settings::compile(latest.version, business, &flows).map_err(|p| anyhow!(p.join("\n")))?;
    Ok(sip_realm(&settings, tenant))
}
