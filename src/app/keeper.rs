//! Contents of files of chats go when no message names them any more, because it never did or its time is over (`retention`).

use std::{sync::Arc, time::Duration};

use super::clock::Clock;
use crate::{
    base::{TenantId, Wall, secs},
    center::door::Door,
    store::Store,
    vault::Vault,
};

/// How often files are looked through.
const EVERY: Duration = secs(6 * 3_600);

/// Looks through the files for as long as the server runs.
pub async fn keep(vault: Arc<Vault>, store: Store, door: Arc<dyn Door>, clock: Clock) {
    let mut turns = tokio::time::interval(EVERY);
    loop {
        turns.tick().await;
        let now = clock.now().wall;
        for tenant in door.settings().tenants.keys() {
            match turn(&vault, &store, tenant, now).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(%tenant, gone, "files of chats were removed"),
                // The next turn tries again.
                Err(error) => tracing::warn!(%tenant, %error, "files of chats were not looked through"),
            }
        }
    }
}

async fn turn(vault: &Vault, store: &Store, tenant: &TenantId, now: Wall) -> anyhow::Result<u64> {
    let mut gone = 0;
    for first in 0..=u8::MAX {
        let prefix = format!("{first:02x}");
        let named = store.files_named(tenant, &prefix).await?;
        gone += vault.sweep(tenant, &prefix, &named, now).await?;
    }
    Ok(gone)
}
