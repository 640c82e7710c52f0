//! Reports that come by themselves: looked for twice a minute, made when they are due.

use std::{sync::Arc, time::Duration};

use crate::{center::door::Door, store::Store};

/// How late a report may be.
const EVERY: Duration = Duration::from_secs(30);

/// Makes what is due until the process ends. A database that does not answer is asked again.
pub async fn watch(store: Store, door: Arc<dyn Door>) {
    let mut turn = tokio::time::interval(EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        match crate::api::make_reports_due(&store, &door.settings(), door.now().wall).await {
            Ok(0) => {}
            Ok(made) => tracing::info!(made, "reports that were due are made"),
            Err(error) => tracing::warn!(%error, "reports that are due will be tried again"),
        }
    }
}
