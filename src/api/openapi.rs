//! The OpenAPI 3.1 document, and the router made from the same list, so that neither can have a route the other lacks.
//!
//! The pure floors know nothing of OpenAPI. What they serialise (the picture, facts) is described here by types of the same
//! shape; a test reads real documents into them, so that the description cannot drift away from the thing.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, http::header, response::IntoResponse, routing::get};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        SecurityRequirement,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared, admin, agents, alerts, alerts::AlertNow, audit, auth, canned, customers, erasure, events, factor, files, floor,
    flows, guard, health, interactions, keys, ladder, quality, recording, reports, retention, sessions, sip, tickets, trunks,
    users, views, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "ringdesk",
        description = "A contact center: calls and chats through one routing core. Changing requests with a session cookie carry \
            `x-csrf-token`; programs send `Authorization: Bearer rk_..`. A POST with the header `Idempotency-Key` (1 to 64 visible \
            characters of the sender's choice) is carried out once however often it is sent within a day; answers given again \
            carry `idempotency-replayed: true`; routes that answer with a secret take no key. Errors are RFC 9457 problems with a stable `code`. \
            `GET /api/v1/events` is a WebSocket whose frames are the schema `Event`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Event, InteractionNow, FactKind)),
    modifiers(&Doors)
)]
struct Document;

struct Doors;

impl Modify for Doors {
    fn modify(&self, doc: &mut utoipa::openapi::OpenApi) {
        let parts = doc.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(guard::COOKIE)));
        let key =
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("rk_<64 hex digits>").build());
        parts.add_security_scheme("session", cookie);
        parts.add_security_scheme("key", key);
        let none: [&str; 0] = [];
        doc.security = Some(vec![SecurityRequirement::new("session", none), SecurityRequirement::new("key", none)]);
    }
}

/// Every route with its description.
pub fn routes() -> (Router<Arc<Shared>>, utoipa::openapi::OpenApi) {
    use interactions as i;
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::metrics))
        .routes(routes!(auth::login))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::change_password))
        .routes(routes!(auth::me))
        .routes(routes!(factor::show, factor::begin))
        .routes(routes!(factor::confirm))
        .routes(routes!(factor::off))
        .routes(routes!(factor::reset))
        .routes(routes!(sessions::own))
        .routes(routes!(sessions::end_own))
        .routes(routes!(sessions::of_user, sessions::end_user))
        .routes(routes!(events::events))
        .routes(routes!(agents::codes))
        .routes(routes!(agents::list))
        .routes(routes!(agents::state, agents::set_state))
        .routes(routes!(agents::sign_in))
        .routes(routes!(agents::sign_out))
        .routes(routes!(agents::dial))
        .routes(routes!(agents::set_endpoint))
        .routes(routes!(agents::queues))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(sip::credentials))
        .routes(routes!(trunks::list))
        .routes(routes!(trunks::test))
        .routes(routes!(trunks::call))
        .routes(routes!(i::list))
        .routes(routes!(i::get))
        .routes(routes!(i::timeline))
        .routes(routes!(i::transcript))
        .routes(routes!(i::decisions))
        .routes(routes!(i::messages, i::say))
        .routes(routes!(files::send))
        .routes(routes!(files::fetch))
        .routes(routes!(i::note))
        .routes(routes!(i::read))
        .routes(routes!(i::typing))
        .routes(routes!(i::finish))
        .routes(routes!(i::hold))
        .routes(routes!(i::transfer))
        .routes(routes!(i::dispose))
        .routes(routes!(i::wrap_up_done))
        .routes(routes!(i::extend_wrap_up))
        .routes(routes!(i::priority))
        .routes(routes!(i::assign))
        .routes(routes!(floor::supervise, floor::supervise_end))
        .routes(routes!(floor::take_over))
        .routes(routes!(floor::pull))
        .routes(routes!(floor::consult))
        .routes(routes!(floor::consult_swap))
        .routes(routes!(floor::consult_complete))
        .routes(routes!(floor::consult_merge))
        .routes(routes!(floor::consult_cancel))
        .routes(routes!(floor::dtmf))
        .routes(routes!(floor::mute))
        .routes(routes!(i::stream_begin, i::stream_end))
        .routes(routes!(i::accept))
        .routes(routes!(i::decline))
        .routes(routes!(recording::play))
        .routes(routes!(ladder::ladder))
        .routes(routes!(ladder::why))
        .routes(routes!(quality::quality))
        .routes(routes!(floor::recording))
        .routes(routes!(tickets::list, tickets::create))
        .routes(routes!(tickets::get))
        .routes(routes!(tickets::change))
        .routes(routes!(tickets::change_many))
        .routes(routes!(tickets::viewing))
        .routes(routes!(views::list, views::create))
        .routes(routes!(views::replace, views::delete))
        .routes(routes!(customers::list))
        .routes(routes!(customers::get))
        .routes(routes!(customers::timeline))
        .routes(routes!(customers::change))
        .routes(routes!(customers::change_many))
        .routes(routes!(erasure::show, erasure::erase))
        .routes(routes!(admin::export, admin::apply))
        .routes(routes!(admin::document))
        .routes(routes!(flows::list, flows::publish))
        .routes(routes!(flows::validate))
        .routes(routes!(flows::simulate))
        .routes(routes!(flows::get))
        .routes(routes!(flows::versions))
        .routes(routes!(flows::version))
        .routes(routes!(flows::rollback))
        .routes(routes!(flows::counts))
        .routes(routes!(canned::canned))
        .routes(routes!(reports::intervals))
        .routes(routes!(reports::agents))
        .routes(routes!(reports::saved::list))
        .routes(routes!(reports::saved::keep, reports::saved::forget))
        .routes(routes!(reports::saved::file))
        .routes(routes!(audit::audit))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::change, users::delete))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::change, webhooks::delete))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::one, webhooks::give_up))
        .routes(routes!(webhooks::replay))
        .routes(routes!(retention::show, retention::set))
        .routes(routes!(retention::holds))
        .routes(routes!(retention::hold, retention::lift))
        .split_for_parts();
    // Several subjects have a `list`: programs made from the document need names that are one thing each.
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.as_ref().map(|id| format!("{tag}_{id}"));
        }
    }
    (routes, document)
}

/// Adds the address of the document itself.
pub fn serve(routes: Router<Arc<Shared>>, document: utoipa::openapi::OpenApi) -> Router<Arc<Shared>> {
    let text: axum::body::Bytes = document.to_json().expect("the document is plain data").into();
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() };
    routes.route("/api/v1/openapi.json", get(answer))
}

/// A frame of the event socket, told apart by `type`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first frame.
    Hello {
        /// The server's clock, RFC 3339: count timers by it.
        server_now: String,
        /// The newest fact in the picture that follows.
        seq: u64,
        /// The version that runs.
        build: String,
    },
    /// The whole picture; replaces what the client has.
    Snapshot {
        /// Facts up to this one are in it; facts that follow come after it.
        seq: u64,
        /// Facts may have been left out before it.
        reset: bool,
        /// The picture.
        view: Picture,
    },
    /// Something happened and is stored. Further fields by kind.
    Fact {
        /// Its place; give the last one seen as `since` after a broken connection.
        seq: u64,
        /// When, RFC 3339.
        at: String,
        /// What.
        fact: FactKind,
        /// The command that brought it about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<u64>,
        /// The fields of this kind.
        #[serde(flatten)]
        more: BTreeMap<String, Value>,
    },
    /// What changed in the picture: at most four a second.
    View {
        /// Facts up to this one are in it.
        seq: u64,
        /// When it was taken, RFC 3339.
        at: String,
        /// Agents that are new or changed.
        agents: BTreeMap<String, AgentNow>,
        /// Queues that are new or changed.
        queues: BTreeMap<String, QueueNow>,
        /// Interactions that are new or changed.
        interactions: BTreeMap<String, InteractionNow>,
        /// Ids that are gone.
        gone: Gone,
        /// The alarms that are on, when that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alarms: Option<BTreeMap<String, String>>,
        /// The alerts that are on, when that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alerts: Option<BTreeMap<String, AlertNow>>,
    },
    /// Something passing: typing, a new position.
    Blink {
        /// `typing{interaction, by}`, `position{interaction, position, ewt_s}` or `viewing{ticket, by, here, writing}`.
        blink: Value,
    },
    /// A sign of life.
    Ping {
        /// The server's clock, RFC 3339.
        now: String,
    },
    /// The answer to a client's ping.
    Pong {},
    /// The client's frame was not understood.
    Error {
        /// A stable word.
        code: String,
        /// A sentence.
        detail: String,
    },
    /// Rights are gone; the socket closes with 4401.
    SignedOut {},
}

/// Ids no longer in the picture.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Gone {
    agents: Vec<String>,
    queues: Vec<String>,
    interactions: Vec<String>,
}

/// The picture of a tenant.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// Facts up to this one are in it.
    seq: u64,
    /// When it was taken, RFC 3339.
    at: String,
    /// By id.
    agents: BTreeMap<String, AgentNow>,
    /// By id.
    queues: BTreeMap<String, QueueNow>,
    /// By id, the oldest first.
    interactions: BTreeMap<String, InteractionNow>,
    /// Alarms that are on, with their sentence.
    alarms: BTreeMap<String, String>,
    /// Alerts that are on, by `queue/figure`. Supervisors see them.
    alerts: BTreeMap<String, AlertNow>,
}

/// An agent now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentNow {
    /// Display name.
    name: String,
    /// `signed_out`, `ready`, `not_ready`, `away`.
    state: String,
    /// Why not ready.
    reason: Option<String>,
    /// Since when.
    since: String,
    /// The state that takes over after the current work.
    pending: Option<String>,
    /// A call can ring: the phone is registered, or the number outside can be called.
    phone: bool,
    /// The number outside calls ring at, if they do: one's own, or anybody's for supervisors.
    number: Option<String>,
    /// The console is connected.
    console: bool,
    /// What the agent is working on.
    work: Vec<WorkNow>,
    /// Skills with level.
    skills: BTreeMap<String, u8>,
}

/// One piece of an agent's work.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkNow {
    /// Which contact.
    interaction: String,
    /// `voice` or `webchat`.
    channel: String,
    /// `alerting`, `talking`, `hold`, `wrap_up`.
    work: String,
    /// Since when.
    since: String,
    /// When the offer lapses or wrap-up ends.
    until: Option<String>,
    /// The offer, while alerting: one's own only.
    offer: Option<String>,
}

/// A queue now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueNow {
    /// Display name.
    name: String,
    /// How many wait.
    waiting: u64,
    /// Since when the longest waits.
    longest_since: Option<String>,
    /// Agents signed in.
    signed_in: u64,
    /// Of these, ready, whether busy or not.
    ready: u64,
    /// Agents free.
    free: u64,
    /// Entered today.
    offered: u64,
    /// Answered today.
    answered: u64,
    /// Left while waiting today.
    abandoned: u64,
    /// 0 to 1; none before the first.
    service_level: Option<f64>,
    /// The threshold, seconds.
    sl_target_s: u32,
    /// How much of the service level is wanted, percent.
    sl_percent: u8,
    /// A customer is not to be on hold for longer, seconds; 0 where nothing is said.
    hold_max_s: u32,
    /// Since when the one who is on hold longest is.
    held_since: Option<String>,
}

/// A contact now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InteractionNow {
    /// `voice` or `webchat`.
    channel: String,
    /// Who began it: `inbound`, `outbound`, `internal`.
    way: String,
    /// `flow`, `waiting`, `offered`, `talking`, `hold`, `wrap_up`, `voicemail`, `scheduled` (to be called back again).
    stage: String,
    /// Since when in this stage.
    stage_since: String,
    /// When it arrived.
    since: String,
    /// The number dialled or the chat entry.
    to: String,
    /// Who it is from.
    from: String,
    /// The person.
    customer: String,
    /// Their name, if known.
    customer_name: String,
    /// The matter.
    ticket: Option<String>,
    /// The queue it waits or waited in.
    queue: Option<String>,
    /// From 1 while waiting.
    position: Option<u64>,
    /// Who has it.
    agent: Option<String>,
    /// Nodes of the flow passed.
    path: Vec<String>,
    /// What the flow learned.
    attributes: BTreeMap<String, String>,
    /// Messages so far.
    messages: u64,
    /// Whose sound does not arrive, though it should: `customer`, `agent`, `outside`, `helper`, `supervisor`.
    unheard: Vec<String>,
    /// Where the sound is copied to while it is spoken: names of the configuration.
    streams: Vec<String>,
    /// Since when agent and customer are connected.
    talk_since: Option<String>,
    /// Since when the customer is on hold.
    held_since: Option<String>,
    /// Nobody hears the agent.
    muted: bool,
    /// `running` or `paused`; none when it is not recorded.
    recording: Option<String>,
    /// The customer hung up; agent and helper finish.
    customer_left: bool,
    /// The customer is to be called: how far that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<CallbackNow>,
    /// Who is asked for advice.
    consult: Option<ConsultNow>,
    /// Who listens (agents: only if they are told), whispers or takes part.
    supervisors: Vec<SupervisorNow>,
}

/// A call back now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackNow {
    /// The number that is called.
    number: String,
    /// Calls made so far.
    tried: u32,
    /// At most.
    attempts: u32,
    /// How the last one ended: `no_answer`, `busy`, `declined`, `machine`, `told` (a machine was), `agent_left`, `not_allowed`,
    /// `failed`.
    last: Option<String>,
    /// When it waits for an agent again, while it rests.
    again_at: Option<String>,
    /// The hour the customer has chosen.
    chosen_at: Option<String>,
}

/// A consultation now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultNow {
    /// Who was asked.
    to: TargetNow,
    /// The agent who answered.
    helper: Option<String>,
    /// `ringing`, `talking` (agent and helper), `held` (the helper waits), `merged`.
    state: String,
    /// Since when it has been asked.
    since: String,
}

/// Where somebody is handed to, or asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetNow {
    /// A queue.
    Queue {
        /// Queue id.
        queue: String,
    },
    /// An agent.
    Agent {
        /// Agent id.
        agent: String,
    },
    /// A number outside.
    Number {
        /// As dialled.
        number: String,
    },
}

/// A supervisor with a contact.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupervisorNow {
    /// Login.
    supervisor: String,
    /// `listen`, `whisper`, `barge`.
    mode: String,
    /// The phone is answered (a chat needs none).
    joined: bool,
    /// Since when.
    since: String,
}

/// The kinds of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    NodeStarted,
    InteractionOpened,
    FlowStarted,
    FlowEntered,
    FlowSaved,
    FlowEvent,
    Queued,
    Unqueued,
    Offered,
    OfferEnded,
    Connected,
    Held,
    CallbackBooked,
    CallbackTried,
    Transferred,
    Consulted,
    ConsultAnswered,
    ConsultMerged,
    ConsultEnded,
    Muted,
    KeysSent,
    Supervised,
    SupervisionEnded,
    TakenOver,
    Reassigned,
    Prioritised,
    RecordingPaused,
    Rated,
    TalkEnded,
    WrapUp,
    Disposed,
    WrapUpOver,
    InteractionClosed,
    LegOpened,
    LegDialog,
    LegTrouble,
    LegEnded,
    RecordingStarted,
    RecordingEnded,
    VoicemailLeft,
    Said,
    Message,
    ReadUpTo,
    Ticket,
    Customer,
    AgentState,
    Counted,
    CallOut,
    CallOutOver,
    Alarm,
    AlertRaised,
    AlertCleared,
    AlertAcked,
}
