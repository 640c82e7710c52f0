//! Live copies of calls on their way to programs outside, one WebSocket a copy.
//!
//! What is sent is in `docs/streams.md`. The engine writes into pipes and never waits; a task here empties them every 20 ms.
//! A program that does not read loses its own copy and nobody else's; one that is gone is dialled again a few times while
//! the call goes on. Only addresses the process was told to allow are dialled.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use media::wire::TapId;
use serde_json::json;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use super::{
    ask::allowed,
    driver::{Inbox, Wake},
};
use crate::{
    base::{limits, redact::Secret},
    center::{
        Input,
        streams::{StreamOpen, StreamOrder},
    },
};

/// How often the pipes are emptied.
const EVERY: Duration = Duration::from_millis(20);
/// Connecting, and writing one message, may take so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pauses before dialling again; after the last one the copy is given up.
const AGAIN: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];
/// Longest message taken from the other end, bytes; nothing it says is needed.
const HEARD_MAX: usize = 16 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The desk of the copies. Cheap to clone.
#[derive(Clone)]
pub struct Streams {
    allow: Arc<[String]>,
    secrets: Arc<BTreeMap<String, Secret>>,
    inbox: Inbox,
    runtime: tokio::runtime::Handle,
    room: Arc<Semaphore>,
    mutes: Arc<Mutex<BTreeMap<TapId, Arc<AtomicBool>>>>,
}

impl Streams {
    /// `allow` holds the beginnings of addresses that may be dialled; `secrets` the tokens, by name.
    pub fn new(allow: &[String], secrets: BTreeMap<String, Secret>, inbox: Inbox) -> Self {
        Streams {
            allow: allow.into(),
            secrets: Arc::new(secrets),
            inbox,
            runtime: tokio::runtime::Handle::current(),
            room: Arc::new(Semaphore::new(limits::STREAMS_MAX)),
            mutes: Arc::default(),
        }
    }

    /// Does what the center wants.
    pub fn order(&self, order: StreamOrder) {
        match order {
            StreamOrder::Mute { tap, on } => {
                if let Some(mute) = self.mutes().get(&tap) {
                    mute.store(on, Relaxed);
                }
            }
            StreamOrder::Open(open) => {
                let mute = Arc::new(AtomicBool::new(false));
                self.mutes().insert(open.tap, mute.clone());
                let me = self.clone();
                self.runtime.spawn(async move {
                    let tap = open.tap;
                    let ended = me.run(&open, &mute).await;
                    me.mutes().remove(&tap);
                    if let Err(why) = ended {
                        tracing::warn!(interaction = %open.interaction, stream = %open.stream, %why, "a live copy of a call ends");
                        me.inbox.put(Wake::Center(Input::StreamFailed { tap, why }));
                    }
                });
            }
        }
    }

    fn mutes(&self) -> std::sync::MutexGuard<'_, BTreeMap<TapId, Arc<AtomicBool>>> {
        self.mutes.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Until the pipes are closed. The error is for people.
    async fn run(&self, open: &StreamOpen, mute: &AtomicBool) -> Result<(), String> {
        if !allowed(&self.allow, &open.url) {
            return Err("[media] streams_allow does not name this address".into());
        }
        let _room = self.room.try_acquire().map_err(|_| format!("{} copies run already", limits::STREAMS_MAX))?;
        let token = match &open.token_secret {
            None => None,
            Some(name) => Some(self.secrets.get(name).ok_or_else(|| {
                format!("the secret `{name}` is not set: give it as RINGDESK_SECRET_{}", name.to_uppercase())
            })?),
        };
        let mut pauses = AGAIN.iter();
        let mut resumed = false;
        loop {
            let why = match self.dial(open, token).await {
                Ok(socket) => match copy(open, mute, resumed, socket).await {
                    Ok(()) => return Ok(()),
                    Err(why) => why,
                },
                Err(why) => why,
            };
            resumed = true;
            let Some(pause) = pauses.next() else { return Err(why) };
            tokio::time::sleep(*pause).await;
            if open.customer.closed() {
                return Ok(());
            }
        }
    }

    async fn dial(&self, open: &StreamOpen, token: Option<&Secret>) -> Result<Socket, String> {
        let mut request = open.url.as_str().into_client_request().map_err(|e| e.to_string())?;
        if let Some(token) = token {
            let value =
                format!("Bearer {}", token.expose()).parse().map_err(|_| "the token has characters no header may have")?;
            request.headers_mut().insert("authorization", value);
        }
        let bounds = WebSocketConfig::default().max_message_size(Some(HEARD_MAX)).max_frame_size(Some(HEARD_MAX));
        match timeout(PATIENCE, connect_async_with_config(request, Some(bounds), true)).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(e)) => Err(e.to_string()),
            Err(_) => Err("no connection in time".into()),
        }
    }
}

/// Sends until the pipes are closed and empty.
async fn copy(open: &StreamOpen, mute: &AtomicBool, resumed: bool, socket: Socket) -> Result<(), String> {
    let (mut to, mut from) = socket.split();
    let rate = open.customer.rate();
    let start = json!({
        "event": "start", "stream": open.stream, "tenant": open.tenant, "interaction": open.interaction,
        "from": open.from, "to": open.to, "encoding": "s16le", "rate": rate.hz(), "channels": ["customer", "heard"],
        "resumed": resumed,
    });
    send(&mut to, Message::text(start.to_string())).await?;
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Room for all that waits after a stall.
    let most = rate.samples(limits::STREAM_PIPE_MS);
    let (mut left, mut right) = (vec![0i16; most], vec![0i16; most]);
    loop {
        tokio::select! {
            _ = tick.tick() => {
                // Asked before reading: what was written before the end is still sent.
                let closed = open.customer.closed() && open.heard.closed();
                if let Some(sound) = take(open, mute.load(Relaxed), closed, &mut left, &mut right) {
                    send(&mut to, Message::Binary(sound)).await?;
                }
                if closed {
                    send(&mut to, Message::text(json!({"event": "stop"}).to_string())).await?;
                    // The call is over either way.
                    let _ = timeout(PATIENCE, to.close()).await;
                    return Ok(());
                }
            }
            heard = from.next() => match heard {
                None => return Err("the other end has closed the connection".into()),
                Some(Err(e)) => return Err(e.to_string()),
                // Pings are answered by the library; words of the other end are not for us.
                Some(Ok(_)) => {}
            },
        }
    }
}

/// What waits in both pipes, as interleaved samples: as much as both have, unless nothing more will come.
fn take(open: &StreamOpen, mute: bool, closed: bool, left: &mut [i16], right: &mut [i16]) -> Option<Bytes> {
    let (l, r) = (open.customer.waiting(), open.heard.waiting());
    // A direction that stays silent (a caller who sends nothing) must not hold the other back for ever.
    let behind = open.customer.rate().samples(200);
    let n = if closed || l.abs_diff(r) > behind { l.max(r) } else { l.min(r) }.min(left.len());
    if n == 0 {
        return None;
    }
    let (got_l, got_r) = (open.customer.read(&mut left[..n]), open.heard.read(&mut right[..n]));
    left[got_l..n].fill(0);
    right[got_r..n].fill(0);
    if mute {
        left[..n].fill(0);
        right[..n].fill(0);
    }
    let mut bytes = BytesMut::with_capacity(n * 4);
    for (l, r) in left[..n].iter().zip(&right[..n]) {
        bytes.extend_from_slice(&l.to_le_bytes());
        bytes.extend_from_slice(&r.to_le_bytes());
    }
    Some(bytes.freeze())
}

async fn send(
    to: &mut (impl futures_util::Sink<Message, Error = tokio_tungstenite::tungstenite::Error> + Unpin),
    m: Message,
) -> Result<(), String> {
    match timeout(PATIENCE, to.send(m)).await {
        Ok(sent) => sent.map_err(|e| e.to_string()),
        Err(_) => Err("the other end does not read".into()),
    }
}
