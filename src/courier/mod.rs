//! The courier: carries facts to webhooks.
//!
//! One task looks through the journal for what endpoints have chosen, lets their [`Lane`]s decide what is tried when, and
//! writes what came of it in groups. It reads what is committed and never stands between a fact and its commit; while nobody
//! has a webhook it does nothing at all. What was delivered and not yet written when the process ends is delivered again: a
//! receiver knows events by their ids.
//!
//! | file | subject |
//! |---|---|
//! | `send` | one request over HTTP, to addresses that may be reached |
//! | `event` | an event as it is sent |
//!
//! Tests: `tests/it/webhooks.rs`, with a receiver that is up, down, and up again.

mod event;
mod send;

pub use event::{body, id};
pub use send::{Rules, Sender, Sent};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    base::{Now, Rng, TenantId, limits, ms, secs},
    store::{Delivery, DeliveryState, Store, StoreError, Webhook},
    webhook::{Lane, Outcome, TEST, Verdict, WAITING_MAX, kinds_of, signature},
};

/// The journal is looked through at most so often.
const FEED_EVERY: Duration = ms(100);
/// What came of tries is written at most so often, or when there is much of it.
const WRITE_EVERY: Duration = ms(100);
const WRITE_AT: usize = 64;
/// Nothing more is tried while so much has not been written.
const UNWRITTEN_MAX: usize = 256;
/// A place in the journal is written at the latest when it is so far from the one written.
const CURSOR_STEP: u64 = 10_000;
/// How often the log of deliveries is trimmed.
const TRIM_EVERY: Duration = secs(60);
/// Wait after the database has failed.
const DATABASE_AGAIN: Duration = secs(1);

/// Raises an alarm in a tenant, or clears it: code, sentence.
pub type Alarm = Arc<dyn Fn(TenantId, String, String, bool) + Send + Sync>;

/// Counters for `/metrics`.
#[derive(Debug, Default)]
pub struct Stats {
    /// Events taken by receivers.
    pub delivered: AtomicU64,
    /// Tries that failed.
    pub failed: AtomicU64,
    /// Events given up.
    pub given_up: AtomicU64,
}

/// What the courier is given.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The number of the last fact committed.
    pub committed: watch::Receiver<u64>,
    /// Rung when endpoints have changed, or something is to be tried again.
    pub changed: Arc<Notify>,
    /// What time it is.
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// How requests are made.
    pub sender: Sender,
    /// Spreads tries.
    pub rng: Rng,
    /// Tells people of an endpoint that was closed.
    pub alarm: Alarm,
    /// Counts.
    pub stats: Arc<Stats>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// One endpoint at work.
struct Line {
    hook: Webhook,
    kinds: BTreeSet<&'static str>,
    lane: Lane,
    /// What came of tries, to be written.
    told: Vec<Delivery>,
    closed: Option<String>,
    written_cursor: u64,
    /// The store has more that waits than memory.
    more: bool,
}

/// A try that is over.
struct Landed {
    uid: String,
    seq: u64,
    tries: u32,
    kind: String,
    /// None: the fact is no longer kept.
    sent: Option<Sent>,
}

struct Courier {
    parts: Parts,
    lines: BTreeMap<String, Line>,
    flights: JoinSet<Landed>,
    gate: Arc<Semaphore>,
    feed_after: Instant,
    write_after: Instant,
    trim_after: Instant,
}

/// Carries until the task is dropped. What is on its way then is tried again at the next start.
pub async fn run(parts: Parts) {
    let now = Instant::now();
    let mut courier = Courier {
        parts,
        lines: BTreeMap::new(),
        flights: JoinSet::new(),
        gate: Arc::new(Semaphore::new(limits::WEBHOOK_FLIGHTS_MAX)),
        feed_after: now,
        write_after: now,
        trim_after: now + TRIM_EVERY,
    };
    let mut look = true;
    loop {
        if let Err(error) = courier.work(&mut look).await {
            tracing::warn!(%error, "webhooks wait for the database");
            tokio::time::sleep(DATABASE_AGAIN).await;
            continue;
        }
        courier.launch();
        let wake = courier.wake();
        tokio::select! {
            () = courier.parts.changed.notified() => look = true,
            // The sender lives as long as the journal; without one nothing new happens.
            Ok(()) = courier.parts.committed.changed(), if !courier.lines.is_empty() => {}
            Some(landed) = courier.flights.join_next() => match landed {
                Ok(landed) => courier.land(landed),
                Err(error) => tracing::error!(%error, "a delivery broke"),
            },
            () = tokio::time::sleep_until(wake) => {}
        }
        while let Some(Ok(landed)) = courier.flights.try_join_next() {
            courier.land(landed);
        }
    }
}

impl Courier {
    fn now(&self) -> Now {
        (self.parts.clock)()
    }

    /// Everything that asks the database.
    async fn work(&mut self, look: &mut bool) -> Result<(), StoreError> {
        let now = Instant::now();
        if *look {
            self.write().await?;
            self.look().await?;
            *look = false;
        }
        let urgent = self.lines.values().any(|l| l.told.len() >= WRITE_AT || l.closed.is_some());
        if urgent || now >= self.write_after {
            self.write_after = now + WRITE_EVERY;
            self.write().await?;
        }
        if now >= self.feed_after {
            self.feed_after = now + FEED_EVERY;
            self.feed().await?;
        }
        if now >= self.trim_after {
            self.trim_after = now + TRIM_EVERY;
            let before = self.now().wall - limits::WEBHOOK_LOG_LIFE;
            for uid in self.lines.keys() {
                self.parts.store.webhook_trim(uid, before, limits::WEBHOOK_LOG_MAX).await?;
            }
        }
        Ok(())
    }

    /// Takes up what administrators changed.
    async fn look(&mut self) -> Result<(), StoreError> {
        let now = self.now().wall;
        let hooks = self.parts.store.webhook_list_all().await?;
        let gone: Vec<String> = self.lines.keys().filter(|uid| !hooks.iter().any(|h| h.uid == **uid)).cloned().collect();
        for line in gone.iter().filter_map(|uid| self.lines.remove(uid)) {
            alarm(&self.parts.alarm, &line.hook, false);
        }
        for hook in hooks {
            alarm(&self.parts.alarm, &hook, hook.closed_why.is_some());
            let kinds = kinds_of(&hook.events);
            match self.lines.get_mut(&hook.uid) {
                Some(line) => {
                    line.lane.change(now, hook.at_once, hook.active);
                    (line.hook, line.kinds) = (hook, kinds);
                }
                None => {
                    let lane = Lane::new(hook.at_once, hook.active, hook.cursor, hook.failing_since);
                    let (uid, written_cursor) = (hook.uid.clone(), hook.cursor);
                    let line = Line { hook, kinds, lane, told: Vec::new(), closed: None, written_cursor, more: true };
                    self.lines.insert(uid, line);
                }
            }
        }
        for line in self.lines.values_mut() {
            line.recall(&self.parts.store).await?;
        }
        Ok(())
    }

    /// Looks the journal through for what endpoints have chosen.
    async fn feed(&mut self) -> Result<(), StoreError> {
        let committed = *self.parts.committed.borrow_and_update();
        let now = self.now().wall;
        for line in self.lines.values_mut() {
            if line.more && line.lane.kept().len() < WAITING_MAX / 2 {
                line.recall(&self.parts.store).await?;
            }
            let (room, after) = (line.lane.room(), line.lane.read_to());
            if room == 0 || after >= committed {
                continue;
            }
            let kinds = line.kinds.iter().copied();
            let seqs = self.parts.store.webhook_events(&line.hook.tenant, kinds, after, committed, room).await?;
            let read_to = seqs.last().copied().filter(|_| seqs.len() == room).unwrap_or(committed);
            line.lane.feed(now, seqs, read_to);
        }
        Ok(())
    }

    /// Writes what came of tries, and how far each endpoint has got.
    async fn write(&mut self) -> Result<(), StoreError> {
        for (uid, line) in &mut self.lines {
            let cursor = line.lane.cursor();
            if line.told.is_empty() && line.closed.is_none() && cursor < line.written_cursor + CURSOR_STEP {
                continue;
            }
            let since = line.lane.failing_since();
            // Of one that was tried twice meanwhile the last try counts.
            let told: BTreeMap<u64, &Delivery> = line.told.iter().map(|d| (d.seq, d)).collect();
            let told: Vec<Delivery> = told.into_values().cloned().collect();
            self.parts.store.webhook_told(uid, &told, cursor, since, line.closed.as_deref()).await?;
            line.told.clear();
            (line.closed, line.written_cursor) = (None, cursor);
            // Somebody may have asked for it once more while it was on its way.
            line.recall(&self.parts.store).await?;
        }
        Ok(())
    }

    /// Sends off what is due.
    fn launch(&mut self) {
        let now = self.now().wall;
        for (uid, line) in &mut self.lines {
            while line.told.len() < UNWRITTEN_MAX {
                let Some((seq, tries)) = line.lane.take(now) else { break };
                let (uid, hook, gate) = (uid.clone(), line.hook.clone(), self.gate.clone());
                let (store, sender, clock) = (self.parts.store.clone(), self.parts.sender.clone(), self.parts.clock.clone());
                self.flights.spawn(async move {
                    let _turn = gate.acquire().await;
                    let (kind, sent) = fly(&store, &sender, &clock, &hook, seq).await;
                    Landed { uid, seq, tries, kind, sent }
                });
            }
        }
    }

    fn land(&mut self, landed: Landed) {
        let Landed { uid, seq, tries, kind, sent } = landed;
        let now = self.now().wall;
        // Deleted meanwhile.
        let Some(line) = self.lines.get_mut(&uid) else { return };
        let first = line.lane.first(seq);
        let outcome = match &sent {
            None => Outcome::Void,
            Some(s) if s.taken() => Outcome::Taken,
            Some(s) if s.status == Some(410) => Outcome::Gone,
            Some(s) => Outcome::Failed(s.retry_after),
        };
        let (verdict, close) = line.lane.outcome(now, seq, outcome, self.parts.rng.unit());
        let (state, due_at) = match verdict {
            Verdict::Delivered => (DeliveryState::Delivered, now),
            Verdict::Again(at) => (DeliveryState::Waiting, at),
            Verdict::GivenUp => (DeliveryState::Failed, now),
        };
        let stats = &self.parts.stats;
        let counter = if state == DeliveryState::Delivered { &stats.delivered } else { &stats.failed };
        counter.fetch_add(1, Relaxed);
        stats.given_up.fetch_add((state == DeliveryState::Failed).into(), Relaxed);
        let sent = sent.unwrap_or_else(Sent::void);
        if close {
            let why = if outcome == Outcome::Gone { "gone" } else { "failing" };
            tracing::warn!(tenant = %line.hook.tenant, webhook = line.hook.name, why, "a webhook was closed");
            line.closed = Some(why.to_owned());
            line.hook.closed_why = line.closed.clone();
            line.hook.active = false;
            alarm(&self.parts.alarm, &line.hook, true);
        }
        line.told.push(Delivery {
            seq,
            kind,
            state,
            tries,
            first_at: first,
            last_at: Some(now),
            due_at,
            status: sent.status.map(u64::from),
            answer: Some(sent.answer),
            took_ms: Some(sent.took_ms),
        });
    }

    /// When there is something to do although nothing happens.
    fn wake(&self) -> Instant {
        let now = self.now().wall;
        let mut wake = self.trim_after;
        let committed = *self.parts.committed.borrow();
        for line in self.lines.values() {
            if !line.told.is_empty() {
                wake = wake.min(self.write_after);
            } else if let Some(due) = line.lane.deadline() {
                wake = wake.min(Instant::now() + due.since(now));
            }
            if line.lane.room() > 0 && line.lane.read_to() < committed {
                wake = wake.min(self.feed_after);
            }
        }
        wake
    }
}

impl Line {
    /// Reads what waits in the store; what is not there any more was given up by somebody.
    async fn recall(&mut self, store: &Store) -> Result<(), StoreError> {
        let rows = store.webhook_waiting(&self.hook.uid, WAITING_MAX).await?;
        self.more = rows.len() == WAITING_MAX;
        let upto = if self.more { rows.last().map_or(0, |r| r.seq) } else { u64::MAX };
        for seq in self.lane.kept() {
            let unwritten = self.told.iter().any(|d| d.seq == seq);
            if seq <= upto && !unwritten && !rows.iter().any(|r| r.seq == seq) {
                self.lane.forget(seq);
            }
        }
        for r in rows {
            self.lane.recall(r.seq, r.tries, r.first_at, r.due_at);
        }
        Ok(())
    }
}

fn alarm(raise: &Alarm, hook: &Webhook, on: bool) {
    let message = match hook.closed_why.as_deref() {
        Some("gone") => format!("The webhook {} was closed: its receiver wants nothing any more (410).", hook.name),
        _ => format!("The webhook {} was closed: its receiver has taken nothing for a day.", hook.name),
    };
    raise(hook.tenant.clone(), format!("webhook_{}", hook.name), message, on);
}

/// One try: the event is made, signed and sent. None when its fact is no longer kept.
async fn fly(
    store: &Store,
    sender: &Sender,
    clock: &Arc<dyn Fn() -> Now + Send + Sync>,
    hook: &Webhook,
    seq: u64,
) -> (String, Option<Sent>) {
    let now = clock().wall;
    let (kind, body) = match seq {
        0 => (TEST.to_owned(), event::trial(now)),
        _ => match store.fact(&hook.tenant, seq).await {
            Ok(Some(record)) => (record.fact.kind().to_owned(), body(&record)),
            Ok(None) => return (String::new(), None),
            Err(error) => return (String::new(), Some(Sent::never(error.to_string()))),
        },
    };
    let old = hook.old_secret.as_ref().filter(|(_, until)| *until > now).map(|(s, _)| s.expose());
    let id = id(hook, seq, now);
    let signature = signature(std::iter::once(hook.secret.expose()).chain(old), &id, now.unix_s(), &body);
    (kind, Some(sender.send(&hook.url, &id, now.unix_s(), &signature, body).await))
}
