//! The event socket `GET /api/v1/events`: a picture, then what happens, in order; after a broken connection, what was missed.
//!
//! ```text
//!   open ─▶ hello ─▶ snapshot ─▶ fact, view, blink, ping ...
//!                └─ ?since=n ─▶ the facts after n ─▶ snapshot ─▶ ...      n too old or unknown: snapshot{reset:true}
//!   too slow for the stream of facts ─▶ snapshot{reset:true}: never a growing queue
//!   rights lost ─▶ signed_out, close 4401
//! ```
//!
//! Facts come from the broadcast of committed facts; what was committed between the picture and the subscription is read from
//! the journal, so nothing is missed and nothing comes twice. Pictures are looked at four times a second and only what changed
//! is sent. The order of a socket's frames is decided here alone: one task a socket, one `select`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use utoipa::IntoParams;

use super::{
    Problem, Shared, agents,
    feed::{self, Sieve},
    guard::{self, Who},
    problem::Params,
    scope,
};
use crate::{
    base::{AgentId, QueueId, TenantId, limits},
    center::{
        command::Command,
        fact::{Fact, Record},
        view::TenantView,
    },
};

/// Pictures are compared this often: at most four a second reach the socket.
const VIEW_EVERY: Duration = Duration::from_millis(250);
/// Whoever is offered something sees it this soon after the fact: as soon as a picture of the center has it (one every 100 ms).
const OFFER_WITHIN: Duration = Duration::from_millis(120);
/// A sign of life, also the client's clock for noticing a dead connection.
const PING_EVERY: Duration = Duration::from_secs(15);
/// A client that takes nothing for so long is gone.
const SEND_MAX: Duration = Duration::from_secs(20);
/// A client that says nothing for so long (not even a pong) is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Rights are looked at again this often, and at once when they change in this process.
const RIGHTS_EVERY: Duration = Duration::from_secs(5);
/// After the last socket of an agent closes they count as connected for so long, so that a reload does not flap.
const CONSOLE_GRACE: Duration = Duration::from_secs(5);
/// Largest frame a client may send, bytes.
const FRAME_MAX: usize = 4_096;
/// Bytes read and written at once: consoles say little, and what they are told goes out frame by frame.
const BUFFER: usize = 16 * 1_024;
/// Facts read from the journal at once.
const PAGE: usize = 500;
/// Close code: not signed in any more. (4000 to 4999 are ours, RFC 6455 section 7.4.2.)
const SIGNED_OUT: u16 = 4401;

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The last `seq` the client has seen.
    since: Option<u64>,
}

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    Subscribe { since: u64 },
    // With braces: without them serde would take any field and say nothing.
    Ping {},
    Pong {},
}

/// Open consoles by agent: the first one tells the center, the end of the last one too, a little later.
#[derive(Debug, Default)]
pub struct Consoles(Mutex<BTreeMap<(TenantId, AgentId), Console>>);

#[derive(Debug, Default)]
struct Console {
    open: usize,
    /// Counts openings, so that a grace that was waited for in vain knows it.
    turn: u64,
}

impl Consoles {
    /// True when this is the first one.
    fn opened(&self, tenant: &TenantId, agent: &AgentId) -> bool {
        let mut map = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let console = map.entry((tenant.clone(), agent.clone())).or_default();
        console.open += 1;
        console.turn += 1;
        console.open == 1
    }
    /// The turn to wait out when this was the last one.
    fn closed(&self, tenant: &TenantId, agent: &AgentId) -> Option<u64> {
        let mut map = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let console = map.get_mut(&(tenant.clone(), agent.clone()))?;
        console.open = console.open.saturating_sub(1);
        (console.open == 0).then_some(console.turn)
    }
    /// True when nobody came back since `turn`; the entry is gone then.
    fn gone(&self, tenant: &TenantId, agent: &AgentId, turn: u64) -> bool {
        let mut map = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let key = (tenant.clone(), agent.clone());
        let gone = map.get(&key).is_some_and(|c| c.open == 0 && c.turn == turn);
        if gone {
            map.remove(&key);
        }
        gone
    }
}

/// Keeps the center told that the agent's console is open, for as long as it lives.
struct Presence {
    shared: Arc<Shared>,
    who: Who,
    agent: AgentId,
}

impl Presence {
    async fn open(shared: &Arc<Shared>, who: &Who) -> Option<Presence> {
        let agent = who.actor.agent()?.clone();
        let settings = shared.door.settings();
        if !settings.tenants.get(&who.tenant).is_some_and(|t| t.plan.agents.contains_key(&agent)) {
            return None;
        }
        let presence = Presence { shared: shared.clone(), who: who.clone(), agent: agent.clone() };
        if shared.consoles.opened(&who.tenant, &agent) {
            tell(shared, who, agent, true).await;
        }
        Some(presence)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let Some(turn) = self.shared.consoles.closed(&self.who.tenant, &self.agent) else { return };
        let (shared, who, agent) = (self.shared.clone(), self.who.clone(), self.agent.clone());
        tokio::spawn(async move {
            tokio::time::sleep(CONSOLE_GRACE).await;
            if shared.consoles.gone(&who.tenant, &agent, turn) {
                tell(&shared, &who, agent, false).await;
            }
        });
    }
}

async fn tell(shared: &Shared, who: &Who, agent: AgentId, connected: bool) {
    let command = Command::Console { agent: agent.clone(), connected };
    if let Err(refusal) = shared.door.command(who.tenant.clone(), who.actor.clone(), command).await {
        tracing::warn!(%agent, connected, %refusal, "the center did not take the state of a console");
    }
}

/// The live event socket (WebSocket). Every frame is one `Event`.
///
/// A browser needs its session cookie and our own `Origin`; a program sends its API key. No token in the address.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(Since),
    responses((status = 101, description = "frames of the schema `Event`"), (status = 403, body = Problem)))]
pub async fn events(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Params(at): Params<Since>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.max_message_size(FRAME_MAX).max_frame_size(FRAME_MAX);
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    upgrade.on_upgrade(move |socket| async move {
        let presence = Presence::open(&shared, &who).await;
        let facts = shared.facts.subscribe();
        let stream = Stream { shared, who, socket, facts, seq: 0, shown: Arc::default(), sieve: None, offered: false };
        if let Err(over) = stream.run(at.since).await {
            tracing::debug!(%over, "an event socket ended");
        }
        drop(presence);
    })
}

/// Why a socket ends.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error("the client left")]
    Left,
    #[error("the client takes nothing")]
    Stuck,
    #[error("the client may not listen any more")]
    SignedOut,
    #[error("the server stops")]
    Stopping,
    #[error("{0}")]
    Broken(String),
}

struct Stream {
    shared: Arc<Shared>,
    who: Who,
    socket: WebSocket,
    facts: broadcast::Receiver<Arc<[Record]>>,
    /// Every fact up to this one has been sent or is in the picture sent.
    seq: u64,
    shown: Arc<TenantView>,
    sieve: Option<Sieve>,
    /// Something was offered to whoever listens: the picture of it does not wait for its turn.
    offered: bool,
}

impl Stream {
    async fn run(mut self, since: Option<u64>) -> Result<(), Over> {
        let now = self.shared.door.now().wall.rfc3339();
        let seq = self.picture().seq;
        self.send(&json!({"type": "hello", "server_now": now, "seq": seq, "build": env!("CARGO_PKG_VERSION")})).await?;
        match since {
            Some(n) => self.resume(n).await?,
            None => self.snapshot(false).await?,
        }
        let mut blinks = self.shared.blinks.resubscribe();
        let mut blinking = true;
        let mut access = self.shared.access.subscribe();
        let mut views = interval(VIEW_EVERY);
        views.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pings = interval(PING_EVERY);
        pings.reset();
        let mut rights = interval(RIGHTS_EVERY);
        rights.set_missed_tick_behavior(MissedTickBehavior::Delay);
        rights.reset();
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                batch = self.facts.recv() => {
                    self.take(batch).await?;
                    if std::mem::take(&mut self.offered) {
                        views.reset_after(OFFER_WITHIN);
                    }
                }
                blink = blinks.recv(), if blinking => match blink {
                    Ok((tenant, blink)) => {
                        if tenant == self.who.tenant && self.sieve.as_ref().is_some_and(|s| s.lets_blink(&blink)) {
                            self.send(&json!({"type": "blink", "blink": blink})).await?;
                        }
                    }
                    // Passing signs that passed are of no use later.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => blinking = false,
                },
                _ = views.tick() => self.look().await?,
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE_MAX {
                        return Err(Over::Stuck);
                    }
                    let now = self.shared.door.now().wall.rfc3339();
                    self.send(&json!({"type": "ping", "now": now})).await?;
                }
                _ = rights.tick() => self.check().await?,
                _ = access.changed() => self.check().await?,
                frame = self.socket.recv() => {
                    heard = Instant::now();
                    self.hear(frame).await?;
                }
            }
        }
    }

    fn picture(&self) -> Arc<TenantView> {
        agents::picture(&self.shared, &self.who)
    }

    fn only(&self) -> Option<BTreeSet<QueueId>> {
        scope::only_queues(&self.shared, &self.who)
    }

    /// Facts that were just committed, or the news that this client is too slow for them.
    async fn take(&mut self, batch: Result<Arc<[Record]>, RecvError>) -> Result<(), Over> {
        match batch {
            Ok(records) => {
                if self.facts.len() > limits::EVENTS_BEHIND_MAX {
                    self.facts = self.facts.resubscribe();
                    return self.snapshot(true).await;
                }
                for record in records.iter() {
                    self.pass(record).await?;
                }
                Ok(())
            }
            Err(RecvError::Lagged(_)) => {
                self.facts = self.facts.resubscribe();
                self.snapshot(true).await
            }
            Err(RecvError::Closed) => Err(Over::Stopping),
        }
    }

    async fn pass(&mut self, record: &Record) -> Result<(), Over> {
        if record.seq <= self.seq {
            return Ok(());
        }
        self.seq = record.seq;
        if record.tenant != self.who.tenant || !self.sieve.as_mut().is_some_and(|s| s.lets(record)) {
            return Ok(());
        }
        if let Fact::Offered { agent, .. } = &record.fact {
            self.offered |= self.who.actor.agent() == Some(agent);
        }
        self.send(&feed::fact_event(record)).await
    }

    /// The picture, whole, and whatever was committed after it.
    async fn snapshot(&mut self, reset: bool) -> Result<(), Over> {
        let view = self.picture();
        let only = self.only();
        let cut = feed::view_for(&self.who, only.as_ref(), &view);
        self.sieve = Some(Sieve::new(&self.who, only, &view));
        self.send(&feed::snapshot_event(&cut, reset)).await?;
        self.seq = view.seq;
        self.shown = cut;
        self.catch_up(usize::MAX).await.map(drop)
    }

    /// The facts after `since`, then the picture; a gap that is too large, or a number we never gave, is answered by a reset.
    async fn resume(&mut self, since: u64) -> Result<(), Over> {
        let view = self.picture();
        let newest = self.newest().await?.max(view.seq);
        if since > newest || newest - since > limits::EVENTS_BEHIND_MAX as u64 {
            return self.snapshot(true).await;
        }
        self.sieve = Some(Sieve::new(&self.who, self.only(), &view));
        self.seq = since;
        self.catch_up(limits::EVENTS_BEHIND_MAX).await?;
        // The picture may be a little older than the last fact sent: what came after it is not sent twice.
        let sent = self.seq;
        let cut = feed::view_for(&self.who, self.only().as_ref(), &view);
        self.send(&feed::snapshot_event(&cut, false)).await?;
        self.shown = cut;
        self.seq = sent.max(view.seq);
        Ok(())
    }

    async fn newest(&mut self) -> Result<u64, Over> {
        self.shared.store.last_seq().await.map_err(|e| Over::Broken(e.to_string()))
    }

    /// Sends what the journal has after `self.seq`. The broadcast was subscribed before, so between the two nothing is lost.
    async fn catch_up(&mut self, most: usize) -> Result<(), Over> {
        let mut left = most;
        loop {
            let page = self.shared.store.journal_since(&self.who.tenant, self.seq, PAGE.min(left)).await;
            let page = page.map_err(|e| Over::Broken(e.to_string()))?;
            for record in &page {
                self.pass(record).await?;
            }
            left = left.saturating_sub(page.len());
            if page.len() < PAGE || left == 0 {
                return Ok(());
            }
        }
    }

    /// Looks at the picture and sends what changed.
    async fn look(&mut self) -> Result<(), Over> {
        let (view, only) = (self.picture(), self.only());
        let cut = feed::view_for(&self.who, only.as_ref(), &view);
        if Arc::ptr_eq(&cut, &self.shown) || cut.seq < self.shown.seq {
            return Ok(());
        }
        if let Some(sieve) = &mut self.sieve {
            sieve.refresh(only, &view);
        }
        let event = feed::view_event(&self.shown, &cut);
        self.shown = cut;
        match event {
            Some(event) => self.send(&event).await,
            None => Ok(()),
        }
    }

    /// Rights may have changed: signed out elsewhere, disabled, another role.
    async fn check(&mut self) -> Result<(), Over> {
        match guard::again(&self.shared, &self.who).await {
            Ok(Some(who)) if who.role == self.who.role => Ok(()),
            Ok(_) => {
                self.send(&json!({"type": "signed_out"})).await?;
                let frame = CloseFrame { code: SIGNED_OUT, reason: "signed out".into() };
                let _ = self.socket.send(Message::Close(Some(frame))).await; // the client may be gone already
                Err(Over::SignedOut)
            }
            // The database is away for a moment: nobody lost rights by that.
            Err(_) => Ok(()),
        }
    }

    async fn hear(&mut self, frame: Option<Result<Message, axum::Error>>) -> Result<(), Over> {
        let text = match frame {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => return Err(Over::Left),
            Some(Ok(_)) => return Ok(()),
            Some(Err(e)) => return Err(Over::Broken(e.to_string())),
        };
        match serde_json::from_str::<Said>(&text) {
            Ok(Said::Subscribe { since }) => self.resume(since).await,
            Ok(Said::Ping {}) => self.send(&json!({"type": "pong"})).await,
            Ok(Said::Pong {}) => Ok(()),
            Err(e) => self.send(&json!({"type": "error", "code": "bad_json", "detail": e.to_string()})).await,
        }
    }

    async fn send(&mut self, event: &Value) -> Result<(), Over> {
        match timeout(SEND_MAX, self.socket.send(Message::Text(event.to_string().into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Left),
            Err(_) => Err(Over::Stuck),
        }
    }
}
