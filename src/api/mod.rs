//! HTTP: the REST interface, the event socket, sign-in, and the pages.
//!
//! Everything asked for here becomes a [`Command`](crate::center::command::Command) through the [`Door`], or a question to the
//! store. Nothing is decided here but who is asking. The visitors' chat is a sibling (`channels::webchat`); the roof merges
//! the two routers.
//!
//! | file | what |
//! |---|---|
//! | `guard`, `rights` | who is calling, and the table of who may call what |
//! | `auth`, `password`, `guesses` | sign-in, hashing, locking |
//! | `factor`, `totp` | the second factor |
//! | `sessions` | sign-ins that are open |
//! | `once` | requests that name themselves |
//! | `problem` | errors as RFC 9457, checked bodies and queries |
//! | `agents` .. `admin` | the routes by subject |
//! | `alerts` | figures of queues past their limits |
//! | `audit` | who did what |
//! | `files` | files of chats |
//! | `floor` | supervision, consultation, keys, mute, recording |
//! | `flows`, `flow_shapes` | flows: drawn, checked, tried out, published |
//! | `webhooks` | endpoints of programs outside, and what became of deliveries |
//! | `erasure` | customers forgotten at their wish |
//! | `retention` | how long what is kept, and what is held |
//! | `sip` | phones in the browser |
//! | `ladder` | the SIP messages of a contact |
//! | `quality` | how its legs sounded |
//! | `lookup` | by what contacts are found |
//! | `scope` | which interactions an agent may look into |
//! | `events`, `feed` | the event socket, and what of the facts and views its owner may see |
//! | `openapi`, `shapes`, `pages` | the document, what it describes, and the embedded files |
//!
//! Tests: `tests/`, in process, against a small center and a real store.

mod admin;
mod agents;
mod alerts;
mod audit;
mod auth;
mod canned;
mod customers;
mod erasure;
mod events;
mod factor;
mod feed;
mod files;
mod floor;
mod flow_shapes;
mod flows;
mod guard;
mod guesses;
mod health;
mod interactions;
mod keys;
mod ladder;
mod lookup;
mod once;
mod openapi;
mod pages;
mod password;
mod problem;
mod quality;
mod recording;
mod reports;
mod retention;
mod rights;
mod scope;
mod sessions;
mod shapes;
mod sip;
mod tickets;
mod totp;
mod trunks;
mod users;
mod views;
mod webhooks;
mod wire;

#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath},
    http::Method,
    middleware,
};
use tokio::sync::{Notify, broadcast, watch};

pub use health::Component;
pub use password::{generate as generate_password, hash as hash_password};
pub use problem::Problem;
pub use recording::below as recording_path;
pub use reports::make_due as make_reports_due;
pub use retention::Periods;
pub use sip::{SipDoor, over_tls};
pub use users::{realm as sip_realm, sip_digests};
pub use webhooks::Courier;

use crate::{
    base::{Rng, TenantId},
    center::{command::Done, door::Door, fact::Record, view::Blink},
    store::Store,
    vault::Vault,
};

/// Largest JSON body, bytes.
const BODY_MAX: usize = 256 * 1024;
/// A request that takes longer is given up with 408; sockets and recordings are not counted.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// What the roof gives the API.
pub struct Parts {
    /// The center.
    pub door: Arc<dyn Door>,
    /// The database.
    pub store: Store,
    /// Files of chats.
    pub vault: Arc<Vault>,
    /// Committed facts, in order. Every socket subscribes; a receiver nobody reads would keep what was sent alive.
    pub facts: broadcast::Sender<Arc<[Record]>>,
    /// What is not stored: typing, positions.
    pub blinks: broadcast::Receiver<(TenantId, Blink)>,
    /// For tokens and ids.
    pub rng: Rng,
    /// The text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The parts of the house and whether they are well; the database is asked anyway.
    pub health: Arc<dyn Fn() -> Vec<Component> + Send + Sync>,
    /// Rung when a login was made, changed or removed, so that the registrar reads them again.
    pub logins: Arc<Notify>,
    /// Where recordings lie; the files of facts are below it.
    pub recordings: PathBuf,
    /// The pages are reached over https (a proxy does it, or we do): cookies say so.
    pub https: bool,
    /// Addresses under which the pages are reached besides the `Host` of the request: `https://desk.example`.
    pub origins: Vec<String>,
    /// Where the phones of browsers are heard.
    pub sip: SipDoor,
    /// What flows find around them in this process.
    pub flow_world: FlowWorld,
    /// Who carries events to webhooks.
    pub courier: Courier,
    /// Rung when what is old, or somebody, is to go at once.
    pub aging: Arc<Notify>,
}

/// Finds a recorded prompt by the name a flow gives it.
pub type PromptLookup = Arc<dyn Fn(&str) -> Option<crate::ivr::PromptInfo> + Send + Sync>;

/// What the linter must know of the process to judge a flow.
#[derive(Clone)]
pub struct FlowWorld {
    /// Beginnings of the addresses flows may ask.
    pub urls: Vec<String>,
    /// A recorded prompt by the name in the flow.
    pub prompt: PromptLookup,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("recordings", &self.recordings).field("https", &self.https).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FlowWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowWorld").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// What every handler holds.
pub(crate) struct Shared {
    door: Arc<dyn Door>,
    store: Store,
    vault: Arc<Vault>,
    facts: broadcast::Sender<Arc<[Record]>>,
    blinks: broadcast::Receiver<(TenantId, Blink)>,
    rng: Mutex<Rng>,
    guesses: Mutex<guesses::Guesses>,
    keys_used: Mutex<guard::KeysUsed>,
    consoles: events::Consoles,
    /// Counts up when somebody may have lost their rights: sockets look again at once.
    access: watch::Sender<u64>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    health: Arc<dyn Fn() -> Vec<Component> + Send + Sync>,
    logins: Arc<Notify>,
    recordings: PathBuf,
    https: bool,
    origins: Vec<String>,
    sip: SipDoor,
    /// Whoever changes the configuration reads, changes and applies it in one go.
    turn: tokio::sync::Mutex<()>,
    flow_world: FlowWorld,
    courier: Courier,
    aging: Arc<Notify>,
}

impl Shared {
    fn with_rng<T>(&self, f: impl FnOnce(&mut Rng) -> T) -> T {
        // A panic while drawing a number leaves the generator as good as before.
        f(&mut self.rng.lock().unwrap_or_else(|e| e.into_inner()))
    }
    fn random_hex(&self, bytes: usize) -> String {
        self.with_rng(|r| r.hex(bytes))
    }
    /// Tells the sockets that rights changed.
    fn access_changed(&self) {
        self.access.send_modify(|n| *n = n.wrapping_add(1));
    }
    /// Asks the center on behalf of the caller.
    async fn ask(&self, who: &guard::Who, command: crate::center::command::Command) -> Result<Done, Problem> {
        self.door.command(who.tenant.clone(), who.actor.clone(), command).await.map_err(Problem::from)
    }
}

/// The whole API with its pages, ready to be served (or merged with other routers).
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that guesses can be counted by address.
pub fn router(parts: Parts) -> Router {
    let shared = Arc::new(Shared {
        door: parts.door,
        store: parts.store,
        vault: parts.vault,
        facts: parts.facts,
        blinks: parts.blinks,
        rng: Mutex::new(parts.rng),
        guesses: Mutex::default(),
        keys_used: Mutex::default(),
        consoles: events::Consoles::default(),
        access: watch::channel(0).0,
        metrics: parts.metrics,
        health: parts.health,
        logins: parts.logins,
        recordings: parts.recordings,
        https: parts.https,
        origins: parts.origins,
        sip: parts.sip,
        turn: tokio::sync::Mutex::default(),
        flow_world: parts.flow_world,
        courier: parts.courier,
        aging: parts.aging,
    });
    let (routes, document) = openapi::routes();
    let routes = openapi::serve(routes, document)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .route_layer(middleware::from_fn_with_state(shared.clone(), once::once))
        .route_layer(middleware::from_fn(in_time))
        .route_layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
        .merge(pages::routes())
        .merge(sip::routes())
        // Said here, so that what another router is merged with still has its answer sealed.
        .fallback(async || Problem::new(axum::http::StatusCode::NOT_FOUND, "not_found", "there is nothing at this address"))
        .layer(middleware::from_fn_with_state(shared.clone(), problem::seal));
    routes.with_state(shared)
}

/// The OpenAPI document as JSON, for tools and for the file kept in the repository.
pub fn openapi_json() -> String {
    openapi::routes().1.to_pretty_json().expect("the document is plain data")
}

/// Gives up on requests that take too long. A socket's handshake is short; what follows it is not a request.
async fn in_time(request: axum::extract::Request, next: middleware::Next) -> axum::response::Response {
    use axum::response::IntoResponse;
    // A file takes as long as the sender's line; the vault has its own patience.
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if route == Some("/api/v1/interactions/{id}/files") {
        return next.run(request).await;
    }
    // Reading a body somebody dribbles in counts as well: it happens inside the handler.
    let reading = request.method() == Method::GET;
    match tokio::time::timeout(REQUEST_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let said =
                if reading { "the answer took too long" } else { "the request took too long; it may have been carried out" };
            Problem::new(axum::http::StatusCode::REQUEST_TIMEOUT, "timeout", said).into_response()
        }
    }
}
