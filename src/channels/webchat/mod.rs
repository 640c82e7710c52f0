//! Web chat: visitors of a page write to us over a public WebSocket.
//!
//! ```text
//!   POST /chat/v1/session ─▶ {visitor, token}          once per visitor, kept by the page
//!   GET  /chat/v1/socket  ─▶ hello{token, since} ─▶ welcome, the messages after `since`, then live
//! ```
//!
//! A visitor is shown what is committed and nothing else: their own message is acknowledged when its fact is stored, an
//! answer appears when it is. So after a broken connection the page says how far it got and the rest comes again, once, in
//! order. Private notes never leave the house.
//!
//! The center opens and closes chats and decides what a visitor may do; who may knock (origins, rates, sizes) is decided here.
//!
//! | file | what |
//! |---|---|
//! | `wire` | the frames, both ways |
//! | `files` | files of a chat, both ways |
//! | `session` | making visitors, origins |
//! | `hub` | committed facts handed to the sockets they concern |
//! | `socket` | one visitor's connection |
//! | `rating` | how it was |
//! | `offline` | whether anybody is there, and words left while nobody is |
//! | `callback` | visitors who ask to be called |
//! | `talk` | visitors who call from the page |
//! | `pace` | rates by address and by visitor |

mod callback;
mod files;
mod hub;
mod offline;
mod pace;
mod rating;
mod session;
mod socket;
mod talk;
pub mod wire;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use tokio::sync::broadcast;

use crate::{
    base::{Rng, TenantId, limits},
    center::{door::Door, fact::Record, view::Blink},
    store::Store,
    vault::Vault,
};

/// Messages left are counted together in this.
const LEFT_WINDOW: Duration = Duration::from_secs(600);

/// Calls to a number are counted together in this.
const CALLED_WINDOW: Duration = Duration::from_secs(24 * 3_600);

/// What the roof gives the web chat.
pub struct Parts {
    /// The center.
    pub door: Arc<dyn Door>,
    /// The database.
    pub store: Store,
    /// Files of chats.
    pub vault: Arc<Vault>,
    /// Committed facts, in order.
    pub facts: broadcast::Receiver<Arc<[Record]>>,
    /// What is not stored: typing, positions.
    pub blinks: broadcast::Receiver<(TenantId, Blink)>,
    /// For tokens and visitor ids.
    pub rng: Rng,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// What every connection holds.
struct Shared {
    door: Arc<dyn Door>,
    store: Store,
    vault: Arc<Vault>,
    hub: Arc<hub::Hub>,
    rng: Mutex<Rng>,
    sessions_by_address: Mutex<pace::Paces>,
    files_by_visitor: Mutex<pace::Paces>,
    left_by_visitor: Mutex<pace::Paces>,
    left_by_address: Mutex<pace::Paces>,
    called_by_visitor: Mutex<pace::Paces>,
    called_by_address: Mutex<pace::Paces>,
    called_numbers: Mutex<pace::Paces>,
    talks_by_visitor: Mutex<pace::Paces>,
    talks_by_address: Mutex<pace::Paces>,
}

/// The routes under `/chat/v1`. Must be called inside a tokio runtime: a task hands committed facts to the sockets until the
/// journal ends.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that sessions can be counted by address.
pub fn router(parts: Parts) -> Router {
    let hub = Arc::new(hub::Hub::default());
    tokio::spawn(hub::run(hub.clone(), parts.facts, parts.blinks));
    let shared = Arc::new(Shared {
        door: parts.door,
        store: parts.store,
        vault: parts.vault,
        hub,
        rng: Mutex::new(parts.rng),
        sessions_by_address: Mutex::new(pace::Paces::new(session::PER_ADDRESS, Duration::from_secs(60))),
        left_by_visitor: Mutex::new(pace::Paces::new(limits::LEFT_PER_VISITOR, LEFT_WINDOW)),
        left_by_address: Mutex::new(pace::Paces::new(limits::LEFT_PER_ADDRESS, LEFT_WINDOW)),
        called_by_visitor: Mutex::new(pace::Paces::new(limits::CALL_ME_PER_VISITOR, LEFT_WINDOW)),
        called_by_address: Mutex::new(pace::Paces::new(limits::CALL_ME_PER_ADDRESS, LEFT_WINDOW)),
        called_numbers: Mutex::new(pace::Paces::new(limits::CALL_ME_PER_NUMBER, CALLED_WINDOW)),
        talks_by_visitor: Mutex::new(pace::Paces::new(limits::TALK_NOW_PER_VISITOR, LEFT_WINDOW)),
        talks_by_address: Mutex::new(pace::Paces::new(limits::TALK_NOW_PER_ADDRESS, LEFT_WINDOW)),
        files_by_visitor: Mutex::new(pace::Paces::new(limits::VISITOR_FILES_PER_MIN, Duration::from_secs(60))),
    });
    Router::new()
        .route("/chat/v1/session", post(session::create).options(session::preflight))
        .route("/chat/v1/files", post(files::send).options(session::preflight))
        .route("/chat/v1/files/{interaction}/{seq}", get(files::fetch).options(session::preflight))
        .route("/chat/v1/state", get(offline::state).options(session::preflight))
        .route("/chat/v1/look", get(offline::look).options(session::preflight))
        .route("/chat/v1/message", post(offline::leave).options(session::preflight))
        .route("/chat/v1/callback", post(callback::ask).options(session::preflight))
        .route("/chat/v1/hours", get(callback::hours).options(session::preflight))
        .route("/chat/v1/talk", post(talk::ask).options(session::preflight))
        .route("/chat/v1/socket", get(socket::open))
        .layer(DefaultBodyLimit::max(4_096))
        .with_state(shared)
}
