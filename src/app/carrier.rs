//! The courier of webhooks, with what it needs: addresses it may reach, the clock, the way to raise an alarm.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::{Notify, watch};

use super::{
    clock::Clock,
    config::Config,
    driver::{Inbox, Wake},
};
use crate::{
    api,
    base::Rng,
    center::Input,
    courier::{self, Rules, Sender, Stats},
    store::Store,
    webhook::Reach,
};

/// The courier before it sets out.
pub struct Carrier {
    rules: Rules,
    sender: Sender,
    changed: Arc<Notify>,
    stats: Arc<Stats>,
}

impl Carrier {
    /// By the settings of the process.
    pub fn new(config: &Config) -> Result<Carrier> {
        let rules = Rules(Arc::new(Reach { allow: config.webhooks.allow.clone() }));
        let read = |path: &std::path::PathBuf| std::fs::read(path).with_context(|| format!("tls.ca: {}", path.display()));
        let roots = config.tls.ca.as_ref().map(read).transpose()?;
        let sender = Sender::new(rules.clone(), roots.as_deref()).context("webhooks")?;
        Ok(Carrier { rules, sender, changed: Arc::default(), stats: Arc::default() })
    }

    /// What the API needs of it.
    pub fn door(&self) -> api::Courier {
        let rules = self.rules.clone();
        api::Courier {
            changed: self.changed.clone(),
            check: Arc::new(move |url| rules.check(url).map(drop)),
            body: Arc::new(courier::body),
        }
    }

    /// Counters.
    pub fn stats(&self) -> Arc<Stats> {
        self.stats.clone()
    }

    /// Carries what is committed; never returns.
    pub async fn run(self, store: Store, committed: watch::Receiver<u64>, clock: Clock, rng: Rng, inbox: Inbox) {
        let alarm: courier::Alarm =
            Arc::new(move |tenant, code, message, on| inbox.put(Wake::Center(Input::Alarm { tenant, code, message, on })));
        courier::run(courier::Parts {
            store,
            committed,
            changed: self.changed,
            clock: Arc::new(move || clock.now()),
            sender: self.sender,
            rng,
            alarm,
            stats: self.stats,
        })
        .await;
    }
}
