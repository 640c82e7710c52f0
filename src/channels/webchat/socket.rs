//! One visitor's connection.
//!
//! ```text
//!   opened ─hello─▶ known ─▶ welcome, what came after `since` ─▶ live ◀──▶ messages ... ─close, silence, too slow─▶ over
//!      └─ no hello in time, a wrong token, a foreign page: closed
//! ```
//!
//! The order of a reconnect matters: first listen, then read the store, then drop from the live stream what was read. So a
//! message that is committed meanwhile is shown once.

mod history;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
};
use tokio::{
    sync::mpsc,
    time::{Instant, interval, timeout},
};

use super::{
    Shared,
    hub::News,
    pace::Pace,
    rating,
    session::{self, From},
    wire::{self, FromVisitor, ToVisitor},
};
use crate::{
    base::{AgentId, InteractionId, TenantId, VisitorId, limits, secs},
    center::{
        command::{Actor, Command, Done, Refusal, RefusalCode},
        door::Pending,
        fact::{Fact, Record},
        view::Blink,
    },
    text::ClientId,
};

/// Largest frame, bytes: the largest message with every character escaped.
const FRAME_MAX: usize = 6 * limits::MESSAGE_MAX + 1_024;
/// Bytes read and written at once. What is usual is ten times as much, twice, for a visitor who mostly thinks.
const BUFFER: usize = 8 * 1_024;
/// The first frame must come within this.
const HELLO_MAX: Duration = Duration::from_secs(10);
/// Signs of life from us.
const PING_EVERY: Duration = Duration::from_secs(25);
/// A page that is silent for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(75);
/// A page that takes nothing for so long is gone.
const SEND_MAX: Duration = Duration::from_secs(15);
/// Frames of any kind a page may send in a minute.
const FRAMES_PER_MIN: u32 = 400;
/// Typing is passed on at most this often.
const TYPING_EVERY: Duration = Duration::from_secs(2);
/// Messages accepted but not yet committed, at most.
const UNSTORED_MAX: usize = 64;
/// Close codes of our own (RFC 6455 section 7.4.2).
const WHO: u16 = 4401;
const NOT_HERE: u16 = 4403;
const TOO_MUCH: u16 = 4429;
/// Try again later (registered with IANA).
const AGAIN: u16 = 1013;

/// The public socket.
pub async fn open(State(shared): State<Arc<Shared>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let from = session::from(&headers);
    if !from.allowed_somewhere(&shared.door.settings()) {
        return session::problem(StatusCode::FORBIDDEN, "origin", "this page may not open a chat here");
    }
    let upgrade = upgrade.max_message_size(FRAME_MAX).max_frame_size(FRAME_MAX);
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    upgrade.on_upgrade(move |socket| async move {
        let mut line = Line { socket };
        match greet(&shared, &mut line, &from).await {
            Ok(Some((visitor, since, hint))) => serve(shared, line, visitor, since, hint).await,
            Ok(None) => {}
            Err(over) => tracing::debug!(%over, "a chat socket ended before it began"),
        }
    })
}

/// Why a socket ends.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error("the page left")]
    Left,
    #[error("the page takes or says nothing")]
    Stuck,
    #[error("closed by us: {0}")]
    Closed(&'static str),
}

/// The socket with time limits.
struct Line {
    socket: WebSocket,
}

impl Line {
    async fn send(&mut self, frame: &ToVisitor) -> Result<(), Over> {
        let text = serde_json::to_string(frame).expect("frames are plain data");
        match timeout(SEND_MAX, self.socket.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Over::Left),
            Err(_) => Err(Over::Stuck),
        }
    }
    async fn close(&mut self, code: u16, reason: &'static str) -> Over {
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(SEND_MAX, self.socket.send(frame)).await; // the page may be gone already
        Over::Closed(reason)
    }
    /// The next frame; none for what is no frame of ours but harmless.
    async fn hear(&mut self) -> Result<Option<Result<FromVisitor, String>>, Over> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => Ok(Some(FromVisitor::read(&text))),
            Some(Ok(Message::Binary(_))) => Ok(Some(Err("expected a text frame".into()))),
            Some(Ok(Message::Close(_))) | Some(Err(_)) | None => Err(Over::Left),
            Some(Ok(_)) => Ok(None),
        }
    }
}

/// Who a known visitor is.
#[derive(Debug, Clone)]
struct Known {
    tenant: TenantId,
    visitor: VisitorId,
    interaction: Option<InteractionId>,
}

type Greeted = (Known, u64, Option<InteractionId>);

async fn greet(shared: &Shared, line: &mut Line, from: &From) -> Result<Option<Greeted>, Over> {
    let first = loop {
        match timeout(HELLO_MAX, line.hear()).await {
            Ok(heard) => match heard? {
                Some(frame) => break frame,
                None => continue,
            },
            Err(_) => return Err(line.close(WHO, "no hello").await),
        }
    };
    let Ok(FromVisitor::Hello { token, since, interaction }) = first else {
        return Err(line.close(WHO, "the first frame is hello").await);
    };
    let found = match shared.store.visitor_find(&crate::store::sha256_hex(&token)).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "a visitor could not be looked up");
            return Err(line.close(AGAIN, "try again").await);
        }
    };
    let Some(v) = found else { return Err(line.close(WHO, "unknown token").await) };
    let settings = shared.door.settings();
    if !settings.tenants.get(&v.tenant).is_some_and(|t| from.allowed(t)) {
        return Err(line.close(NOT_HERE, "this page may not chat here").await);
    }
    Ok(Some((Known { tenant: v.tenant, visitor: v.id, interaction: v.interaction }, since, interaction)))
}

async fn serve(shared: Arc<Shared>, mut line: Line, known: Known, since: u64, hint: Option<InteractionId>) {
    let Some((tab, news, first)) = shared.hub.join(known.visitor) else {
        line.close(TOO_MUCH, "too many tabs").await;
        return;
    };
    let visitor = known.visitor;
    let tenant = known.tenant.clone();
    let mut chat = Chat {
        shared: shared.clone(),
        line,
        known,
        news,
        open: None,
        committed: 0,
        awaiting: BTreeMap::new(),
        messages: Pace::new(shared.door.now().mono),
        frames: Pace::new(shared.door.now().mono),
        typed: None,
        profile: Profile::default(),
    };
    let over = match chat.resume(since, hint, first).await {
        Ok(()) => chat.live().await,
        Err(over) => Err(over),
    };
    if let Err(over) = over {
        tracing::debug!(%visitor, %over, "a chat socket ended");
    }
    let open = chat.open;
    let last = shared.hub.leave(visitor, tab);
    if let Some(interaction) = open.filter(|_| last) {
        let command = Command::ChatPresence { interaction, connected: false };
        if let Err(refusal) = shared.door.command(tenant, Actor::Visitor { visitor }, command).await {
            // Closed in the same moment: nobody needs to know any more.
            tracing::debug!(%interaction, %refusal, "a visitor's leaving was not taken");
        }
    }
}

#[derive(Debug, Default)]
struct Profile {
    name: String,
    contact: Option<String>,
    lang: Option<String>,
    page: Option<String>,
    answers: BTreeMap<String, String>,
}

struct Chat {
    shared: Arc<Shared>,
    line: Line,
    known: Known,
    news: mpsc::Receiver<News>,
    /// The chat that is going on.
    open: Option<InteractionId>,
    /// The last place of the conversation that this page was shown.
    committed: u64,
    /// Messages of this page that are accepted but not committed, by place.
    awaiting: BTreeMap<u64, String>,
    messages: Pace,
    frames: Pace,
    typed: Option<Instant>,
    profile: Profile,
}

impl Chat {
    fn actor(&self) -> Actor {
        Actor::Visitor { visitor: self.known.visitor }
    }

    /// Not async: a socket is not to be shared between threads while the center thinks.
    fn ask(&self, command: Command) -> Pending<Result<Done, Refusal>> {
        self.shared.door.command(self.known.tenant.clone(), self.actor(), command)
    }

    /// Finds the conversation the page is in, and shows what it has missed.
    async fn resume(&mut self, since: u64, hint: Option<InteractionId>, first: bool) -> Result<(), Over> {
        let current = self.known.interaction;
        let (mut shown, mut closed) = (None, false);
        for id in [current, hint].into_iter().flatten() {
            let (mine, over) = self.look_up(id, current == Some(id)).await?;
            if mine && (!over || hint == Some(id)) {
                (shown, closed) = (Some(id), over);
                if !over {
                    break;
                }
            }
        }
        self.open = shown.filter(|_| !closed);
        if let Some(id) = self.open {
            self.shared.hub.follow(self.known.visitor, id);
            if first && let Err(refusal) = self.ask(Command::ChatPresence { interaction: id, connected: true }).await {
                // The center does not know it any more: it is over, whatever the store has not heard yet.
                tracing::debug!(%id, %refusal, "a visitor came back to a chat that is over");
                (self.open, closed) = (None, true);
            }
        }
        let state = if closed { "closed" } else { self.state() };
        let now = self.shared.door.now().wall.rfc3339();
        let settings = self.shared.door.settings();
        let (files, rating) = settings.tenants.get(&self.known.tenant).map_or((None, None), |t| wire::offered(&t.config.chat));
        self.line.send(&ToVisitor::Welcome { interaction: shown, state, server_now: now, files, rating }).await?;
        if let Some(id) = shown {
            // A page that was in another conversation has seen nothing of this one.
            self.committed = if hint == Some(id) || hint.is_none() { since } else { 0 };
            self.catch_up(id).await?;
            if closed {
                self.line.send(&ToVisitor::Closed).await?;
            } else {
                self.tell_state().await?;
            }
        }
        Ok(())
    }

    /// Whether a chat is this visitor's, and whether it is over.
    async fn look_up(&mut self, id: InteractionId, named_by_us: bool) -> Result<(bool, bool), Over> {
        match self.shared.store.interaction_get(&self.known.tenant, id).await {
            Ok(Some(row)) => Ok((row.visitor == Some(self.known.visitor), row.closed_at.is_some())),
            // Not committed yet: ours if we noted it ourselves.
            Ok(None) => Ok((named_by_us, false)),
            Err(error) => {
                tracing::warn!(%error, "a chat could not be looked up");
                Err(self.line.close(AGAIN, "try again").await)
            }
        }
    }

    fn name_of(&self, agent: &AgentId) -> Option<String> {
        let settings = self.shared.door.settings();
        let name = settings.tenants.get(&self.known.tenant)?.plan.agents.get(agent).map(|a| a.name.clone())?;
        (!name.is_empty()).then_some(name)
    }

    fn state(&self) -> &'static str {
        let Some(id) = self.open else { return "none" };
        let view = self.shared.door.view(&self.known.tenant);
        match view.as_ref().and_then(|v| v.interactions.get(&id)).map(|i| i.stage.as_str()) {
            Some("waiting" | "offered") => "waiting",
            Some("talking" | "hold") => "agent",
            _ => "bot",
        }
    }

    async fn tell_state(&mut self) -> Result<(), Over> {
        let (Some(id), state) = (self.open, self.state()) else { return Ok(()) };
        let view = self.shared.door.view(&self.known.tenant);
        let now = view.as_ref().and_then(|v| v.interactions.get(&id));
        let name = now.filter(|_| state == "agent").and_then(|i| i.agent.as_ref()).and_then(|a| self.name_of(a));
        let position = now.filter(|_| state == "waiting").and_then(|i| i.position);
        self.line.send(&ToVisitor::State { state, name }).await?;
        if let Some(position) = position {
            self.line.send(&ToVisitor::Position { position, ewt_s: None }).await?;
        }
        Ok(())
    }

    async fn live(&mut self) -> Result<(), Over> {
        let mut pings = interval(PING_EVERY);
        pings.reset();
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                news = self.news.recv() => match news {
                    Some(News::Fact(group, i)) => self.happened(&group[i]).await?,
                    Some(News::Blink(blink)) => self.blinked(blink).await?,
                    // Let go of: too slow, or the journal ended. The page comes back and reads on.
                    None => return Err(self.line.close(AGAIN, "come back").await),
                },
                frame = self.line.hear() => {
                    heard = Instant::now();
                    if let Some(frame) = frame? {
                        self.said(frame).await?;
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE_MAX {
                        return Err(Over::Stuck);
                    }
                    self.line.send(&ToVisitor::Ping).await?;
                }
            }
        }
    }

    /// A committed fact about this visitor.
    async fn happened(&mut self, record: &Record) -> Result<(), Over> {
        let about = record.fact.interaction();
        if let Fact::InteractionOpened { interaction, .. } = &record.fact {
            // Opened from here (known already) or from another tab.
            if self.open.is_none() {
                self.began(*interaction);
            }
            return Ok(());
        }
        if about != self.open || record.tenant != self.known.tenant {
            return Ok(());
        }
        match &record.fact {
            Fact::Message { message, .. } => self.show(message).await,
            Fact::Queued { .. } => self.line.send(&ToVisitor::State { state: "waiting", name: None }).await,
            Fact::Connected { agent, .. } => {
                let name = self.name_of(agent);
                self.line.send(&ToVisitor::State { state: "agent", name }).await
            }
            Fact::ReadUpTo { by: Actor::User { .. }, seq, .. } => self.line.send(&ToVisitor::Read { seq: *seq }).await,
            Fact::InteractionClosed { .. } => {
                self.open = None;
                self.awaiting.clear();
                self.known.interaction = None;
                self.line.send(&ToVisitor::Closed).await
            }
            _ => Ok(()),
        }
    }

    async fn blinked(&mut self, blink: Blink) -> Result<(), Over> {
        match blink {
            Blink::Typing { interaction, by } if self.open == Some(interaction) && by != "visitor" => {
                self.line.send(&ToVisitor::Typing).await
            }
            Blink::Position { interaction, position, ewt_s } if self.open == Some(interaction) => {
                self.line.send(&ToVisitor::Position { position, ewt_s }).await
            }
            _ => Ok(()),
        }
    }

    fn began(&mut self, interaction: InteractionId) {
        self.open = Some(interaction);
        self.known.interaction = Some(interaction);
        self.committed = 0;
        self.awaiting.clear();
    }

    async fn refuse(&mut self, client_id: Option<String>, code: &'static str, detail: impl Into<String>) -> Result<(), Over> {
        self.line.send(&ToVisitor::Refused { client_id, code, detail: detail.into() }).await
    }

    /// A frame of the page.
    async fn said(&mut self, frame: Result<FromVisitor, String>) -> Result<(), Over> {
        let now = self.shared.door.now();
        if !self.frames.take(now.mono, FRAMES_PER_MIN, secs(60)) {
            return Err(self.line.close(TOO_MUCH, "too many frames").await);
        }
        let frame = match frame {
            Ok(f) => f,
            Err(detail) => return self.refuse(None, "bad_frame", detail).await,
        };
        match frame {
            FromVisitor::Hello { .. } => self.refuse(None, "bad_frame", "hello comes once").await,
            FromVisitor::Start { name, contact, lang, page, answers } => {
                let cut = |t: Option<String>, most: usize| t.map(|t| t.trim().chars().take(most).collect::<String>());
                let some = |t: Option<String>| t.filter(|t| !t.is_empty());
                self.profile = Profile {
                    name: cut(name, 80).unwrap_or_default(),
                    contact: some(cut(contact, 120)),
                    lang: some(cut(lang, 16)),
                    page: some(cut(page, 500)),
                    answers,
                };
                match self.opened().await {
                    Ok(_) => self.tell_state().await,
                    Err(refusal) => self.refuse(None, word(&refusal), refusal.message).await,
                }
            }
            FromVisitor::Message { client_id, body } => self.message(client_id, body).await,
            FromVisitor::Read { seq } => self.quietly(|interaction| Command::Read { interaction, seq }).await,
            FromVisitor::Typing {} => {
                if self.typed.is_some_and(|t| t.elapsed() < TYPING_EVERY) {
                    return Ok(());
                }
                self.typed = Some(Instant::now());
                self.quietly(|interaction| Command::Typing { interaction }).await
            }
            FromVisitor::Close {} => match self.open {
                Some(interaction) => match self.ask(Command::Finish { interaction }).await {
                    Ok(_) => Ok(()),
                    Err(refusal) => self.refuse(None, word(&refusal), refusal.message).await,
                },
                None => self.line.send(&ToVisitor::Closed).await,
            },
            FromVisitor::Rate { interaction, score, comment } => {
                let Known { tenant, visitor, .. } = &self.known;
                match rating::rate(&self.shared, tenant, *visitor, interaction, score, comment).await {
                    Ok(()) => self.line.send(&ToVisitor::Rated {}).await,
                    Err((code, detail)) => self.refuse(None, code, detail).await,
                }
            }
            FromVisitor::Earlier { interaction, before } => self.earlier(interaction, before).await,
            FromVisitor::Ping {} => self.line.send(&ToVisitor::Pong).await,
            FromVisitor::Pong {} => Ok(()),
        }
    }

    /// A command whose refusal is of no interest to a visitor.
    async fn quietly(&mut self, command: impl FnOnce(InteractionId) -> Command) -> Result<(), Over> {
        if let Some(interaction) = self.open
            && let Err(refusal) = self.ask(command(interaction)).await
        {
            tracing::debug!(%interaction, %refusal, "a visitor's sign was not taken");
        }
        Ok(())
    }

    /// The chat, opened if none is.
    async fn opened(&mut self) -> Result<InteractionId, Refusal> {
        if let Some(id) = self.open {
            return Ok(id);
        }
        let p = &self.profile;
        let command = Command::ChatOpen {
            visitor: self.known.visitor,
            name: p.name.clone(),
            contact: p.contact.clone(),
            language: p.lang.clone(),
            page: p.page.clone(),
            answers: p.answers.clone(),
        };
        let Done::Interaction { interaction } = self.ask(command).await? else {
            return Err(Refusal::new(RefusalCode::Unavailable, "the chat was not opened"));
        };
        self.began(interaction);
        self.shared.hub.follow(self.known.visitor, interaction);
        let now = self.shared.door.now().wall;
        if let Err(error) = self.shared.store.visitor_seen(&self.known.tenant, self.known.visitor, Some(interaction), now).await
        {
            // The chat goes on; only a reconnect after a crash would not find it by the token.
            tracing::warn!(%error, "a visitor's chat could not be noted");
        }
        self.ask(Command::ChatPresence { interaction, connected: true }).await?;
        Ok(interaction)
    }

    async fn message(&mut self, client_id: String, body: String) -> Result<(), Over> {
        if ClientId::parse(&client_id).is_err() {
            return self.refuse(None, "invalid", "client_id: expected 1 to 64 visible ASCII characters").await;
        }
        if body.len() > limits::MESSAGE_MAX {
            let said = format!("the message is longer than {} bytes", limits::MESSAGE_MAX);
            return self.refuse(Some(client_id), "too_long", said).await;
        }
        if body.trim().is_empty() {
            return self.refuse(Some(client_id), "invalid", "the message is empty").await;
        }
        let now = self.shared.door.now().mono;
        let paced = self.messages.take(now, limits::VISITOR_MESSAGES_PER_MIN, secs(60));
        if !paced || self.awaiting.len() >= UNSTORED_MAX {
            return self.refuse(Some(client_id), "too_fast", "please write a little slower").await;
        }
        let interaction = match self.opened().await {
            Ok(id) => id,
            Err(refusal) => return self.refuse(Some(client_id), word(&refusal), refusal.message).await,
        };
        match self.ask(Command::Say { interaction, client_id: client_id.clone(), body }).await {
            // Said before, and shown already: the first acknowledgement was lost with the connection.
            Ok(Done::Message { seq, .. }) if seq <= self.committed => self.line.send(&ToVisitor::Ack { client_id, seq }).await,
            // Its fact brings the acknowledgement.
            Ok(Done::Message { seq, .. }) => {
                self.awaiting.insert(seq, client_id);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(refusal) => self.refuse(Some(client_id), word(&refusal), refusal.message).await,
        }
    }
}

/// The word a page acts on.
pub fn word(refusal: &Refusal) -> &'static str {
    match refusal.code {
        RefusalCode::NotFound | RefusalCode::WrongState => "closed",
        RefusalCode::NotAllowed | RefusalCode::Invalid => "invalid",
        RefusalCode::Limit => "limit",
        RefusalCode::Unavailable => "unavailable",
    }
}
