//! `ringdesk why ID`: why a call failed or was silent, from the command line.
#![allow(clippy::print_stdout, reason = "the answer goes to whoever typed the command")]

use anyhow::{Context, Result, anyhow, bail};

use super::config::Config;
use crate::{
    base::{InteractionId, TenantId},
    center::{settings::Business, why::why},
    store::Store,
};

/// Prints what is found. Without a tenant every one of the configuration is looked through.
pub async fn tell(config: &Config, id: &str, tenant: Option<&str>, chinese: bool) -> Result<bool> {
    let id = InteractionId::parse(id).ok_or_else(|| anyhow!("`{id}` is no id of a contact"))?;
    let store = Store::open(&config.store_place()).await.context("the database")?;
    let tenants: Vec<TenantId> = match tenant {
        Some(t) => vec![TenantId::parse(t).context("--tenant")?],
        None => match store.config_latest().await? {
            Some(latest) => {
                let business = Business::parse(&latest.yaml).map_err(|e| anyhow!("version {}: {e}", latest.version))?;
                business.tenants.into_keys().collect()
            }
            None => bail!("there is no business configuration yet, so no contact"),
        },
    };
    for tenant in tenants {
        if store.interaction_get(&tenant, id).await?.is_none() {
            continue;
        }
        let facts = store.legs_timeline(&tenant, id).await?;
        let ladder = store.ladder_get(&tenant, id).await?;
        for f in why(&facts, ladder.as_ref()) {
            println!("{} {}", if f.fault { "!" } else { "-" }, if chinese { &f.zh } else { &f.en });
            f.evidence.iter().for_each(|e| println!("    {e}"));
        }
        if ladder.is_none() {
            println!("({})", if chinese { "没有保存 SIP 消息" } else { "no SIP messages are kept of it" });
        }
        return Ok(true);
    }
    bail!("there is no contact `{id}`")
}
