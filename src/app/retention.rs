//! What is older than the tenant keeps it is deleted, and who asked to be forgotten is erased, a little at a time, beside
//! everything else.
//!
//! ```text
//!   once an hour, and when the periods have changed:
//!   by tenant, by kind ─▶ a batch ─▶ files of its recordings ─▶ its rows and facts, one transaction ─▶ a breath ─▶ the next
//! ```
//!
//! A turn that is cut off leaves nothing half: the next one finds what is still there, also rows whose file went already.
//! What was deleted is written down in the audit log, as numbers.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use tokio::sync::Notify;

use super::clock::Clock;
use crate::{
    api,
    base::{self, CustomerId, InteractionId, TenantId, TicketId, Wall, ms, secs},
    center::{
        command::{Actor, Command},
        door::Door,
    },
    customer,
    store::{Aged, AuditEntry, Store},
    ticket,
};

/// How often it is looked.
const EVERY: Duration = secs(3_600);
/// Between two batches: the journal's commits come first.
const BREATH: Duration = ms(50);
/// Batches of one kind in a turn; what is left waits for the next.
const BATCHES_MAX: usize = 5_000;

/// Who deletes.
pub struct Retention {
    /// Where rows are.
    pub store: Store,
    /// Where recordings lie.
    pub recordings: PathBuf,
    /// Whose periods.
    pub door: Arc<dyn Door>,
    /// Old by this.
    pub clock: Clock,
    /// Rung when there is something to do at once.
    pub wake: Arc<Notify>,
}

impl Retention {
    /// Deletes for as long as the server runs.
    pub async fn run(self) {
        let mut turns = tokio::time::interval(EVERY);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = turns.tick() => {}
                () = self.wake.notified() => {}
            }
            let mut gone = 0;
            for (tenant, settings) in &self.door.settings().tenants {
                match self.erase_all(tenant).await {
                    Ok(n) => gone += n,
                    Err(error) => {
                        tracing::warn!(%tenant, error = format!("{error:#}"), "a customer was not wholly erased yet");
                    }
                }
                let periods = api::Periods::of(&settings.config);
                for kind in Aged::ALL {
                    match self.age(tenant, kind, periods.days(kind)).await {
                        Ok(n) => gone += n,
                        // The next turn tries again.
                        Err(error) => {
                            tracing::warn!(%tenant, kind = kind.as_str(), error = format!("{error:#}"), "what is old was not deleted");
                        }
                    }
                }
            }
            if gone > 0
                && let Err(error) = self.store.journal_compact().await
            {
                tracing::warn!(%error, "empty places of the journal were not put together");
            }
        }
    }

    async fn erase_all(&self, tenant: &TenantId) -> anyhow::Result<u64> {
        let waiting = self.store.erasures_waiting(tenant).await?;
        for customer in &waiting {
            self.erase(tenant, *customer).await?;
            tracing::info!(%tenant, "a customer was erased");
        }
        Ok(waiting.len() as u64)
    }

    /// Every step can be done again: a restart in the middle begins with the first.
    async fn erase(&self, tenant: &TenantId, customer: CustomerId) -> anyhow::Result<()> {
        let known = self.store.customer_get(tenant, customer).await?;
        if known.is_some_and(|c| c.erased.is_none()) {
            self.ask(tenant, Command::Customer { customer, change: customer::Change::Erased }).await?;
        }
        let mut after: Option<TicketId> = None;
        loop {
            let tickets = self.store.person_tickets(tenant, customer, after).await?;
            for id in &tickets {
                let redacted = self.store.ticket_get(tenant, *id).await?.is_none_or(|t| t.head().title.is_empty());
                if !redacted {
                    self.ask(tenant, Command::Ticket { ticket: *id, change: ticket::Change::Redacted }).await?;
                }
                self.store.ticket_strip(tenant, *id).await?;
            }
            after = tickets.last().copied();
            if after.is_none() {
                break;
            }
            tokio::time::sleep(BREATH).await;
        }
        let mut after: Option<InteractionId> = None;
        loop {
            let contacts = self.store.person_contacts(tenant, customer, after).await?;
            after = contacts.last().copied();
            if after.is_none() {
                break;
            }
            self.remove_recordings(tenant, &contacts).await?;
            self.store.contacts_strip(tenant, &contacts).await?;
            tokio::time::sleep(BREATH).await;
        }
        self.store.person_strip(tenant, customer).await?;
        self.store.erasure_done(tenant, customer, self.clock.now().wall).await?;
        Ok(())
    }

    async fn ask(&self, tenant: &TenantId, command: Command) -> anyhow::Result<()> {
        let asked = self.door.command(tenant.clone(), Actor::System, command).await;
        Ok(asked.map(drop)?)
    }

    /// Files first: a crash before the rows go leaves rows, which are found again.
    async fn remove_recordings(&self, tenant: &TenantId, contacts: &[InteractionId]) -> anyhow::Result<()> {
        for file in self.store.recording_files(tenant, contacts).await? {
            let place = api::recording_path(&self.recordings, &file);
            let path = place.with_context(|| format!("{file} is no place for a recording"))?;
            remove(&path).await.with_context(|| format!("the recording {file}"))?;
        }
        Ok(())
    }

    async fn age(&self, tenant: &TenantId, kind: Aged, days: u32) -> anyhow::Result<u64> {
        if days == 0 {
            return Ok(0);
        }
        let before = self.clock.now().wall - base::days(days);
        let (mut gone, mut over) = (0, false);
        for _ in 0..BATCHES_MAX {
            let n = self.batch(tenant, kind, before).await?;
            if n == 0 {
                over = true;
                break;
            }
            gone += n;
            tokio::time::sleep(BREATH).await;
        }
        if over && kind == Aged::Messages {
            self.store.messages_looked_through(tenant, before).await?;
        }
        if gone > 0 {
            tracing::info!(%tenant, kind = kind.as_str(), gone, days, "deleted what was older than it is kept");
            let entry = AuditEntry {
                at: self.clock.now().wall,
                who: "system".into(),
                what: "retention.delete".into(),
                subject: kind.as_str().into(),
                before: None,
                after: Some(format!("{gone} (older than {days} days)")),
            };
            self.store.audit_append(tenant, &entry).await?;
        }
        Ok(gone)
    }

    async fn batch(&self, tenant: &TenantId, kind: Aged, before: Wall) -> anyhow::Result<u64> {
        if !matches!(kind, Aged::Recordings | Aged::Messages | Aged::Contacts) {
            return Ok(self.store.aged_forget(tenant, kind, before).await?);
        }
        let contacts = self.store.contacts_aged(tenant, kind, before).await?;
        if contacts.is_empty() {
            return Ok(0);
        }
        if kind != Aged::Messages {
            self.remove_recordings(tenant, &contacts).await?;
        }
        self.store.contacts_forget(tenant, kind, &contacts).await?;
        Ok(contacts.len() as u64)
    }
}

/// Deletes a file for good: its name is gone from the disk before its row goes. One that is not there is one that is gone.
async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        done => done?,
    }
    let Some(folder) = path.parent() else { return Ok(()) };
    tokio::fs::File::open(folder).await?.sync_all().await
}
