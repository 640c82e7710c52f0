//! What goes into a run and what comes out: the whole contract between a flow and the center.
//!
//! Inputs are things that happened, outputs are things to do. A run never learns how a prompt is spoken or who answered; the
//! center never learns which node comes next.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::super::{Flow, Value};
use crate::base::{AgentId, CalendarId, Channel, FlowId, QueueId, SkillId, SlaId, TenantId, Wall, redact::Secret};

/// Who is in the flow and how they came: fixed for the life of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Env {
    /// The medium: on text channels prompts are messages and questions have buttons.
    pub channel: Channel,
    /// Caller's number or chat identity, `call.ani`; empty when withheld.
    pub ani: String,
    /// Number dialled or widget entry, `call.dnis`.
    pub dnis: String,
    /// Language known beforehand (browser, trunk, customer record), `zh-CN`; taken when the flow speaks it.
    pub lang: Option<String>,
    /// Whose flow this is.
    pub tenant: TenantId,
    /// The interaction, as text, `call.id`.
    pub interaction: String,
    /// Further inputs the flow may declare with `from: env`.
    pub inputs: BTreeMap<String, Value>,
}

/// Answers whether a calendar is open; routing owns the calendars, this room only asks.
pub trait Hours: fmt::Debug + Send + Sync {
    /// The state of `calendar` at `at`; None when there is no such calendar (the flow takes its error edge).
    fn state(&self, calendar: &CalendarId, at: Wall) -> Option<HoursState>;
}

/// One of the four outcomes of an `hours` node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoursState {
    /// Within weekly hours.
    Open,
    /// Outside weekly hours.
    Closed,
    /// Closed by the holiday list.
    Holiday,
    /// Closed by hand, now.
    Emergency,
}

impl HoursState {
    /// The word in `when`.
    pub const fn as_str(self) -> &'static str {
        match self {
            HoursState::Open => "open",
            HoursState::Closed => "closed",
            HoursState::Holiday => "holiday",
            HoursState::Emergency => "emergency",
        }
    }
    /// Reads [`HoursState::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::Holiday, Self::Emergency].into_iter().find(|h| h.as_str() == s)
    }
}

/// What a run finds around it: flows for `call`, calendars, and settings that replace the defaults under `config:`.
#[derive(Debug, Clone)]
pub struct Library {
    /// Flows by id, in the versions of one configuration.
    pub flows: BTreeMap<FlowId, Arc<Flow>>,
    /// The calendars.
    pub hours: Arc<dyn Hours>,
    /// Values for `{config.NAME}`; a name a flow does not declare is ignored by it.
    pub config: BTreeMap<String, String>,
}

/// Names one question of a run to the outside; an answer that comes late is recognised by it and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AskId(pub u64);

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The caller is there: start, or go on after [`Run::resume`](super::Run::resume).
    Begin,
    /// The last [`Output::Say`] was heard to its end. (Announcements in a queue are not reported.)
    Played,
    /// A key was pressed: `0`-`9`, `*`, `#`, `A`-`D`.
    Digit(char),
    /// Something was said, or typed in a chat (then confidence is 1).
    Words {
        /// The text.
        text: String,
        /// 0 to 1.
        confidence: f64,
    },
    /// Somebody begins to speak; [`Input::Words`] or [`Input::Unclear`] follows.
    Speaking,
    /// Something was said that nobody understood.
    Unclear,
    /// The answer to an [`Output::Http`].
    Http {
        /// Which question.
        ask: AskId,
        /// What came back.
        result: HttpResult,
    },
    /// How the wait in a queue ended.
    Queue(QueueResult),
    /// Where the caller stands in the queue. Send it after `Enqueue` and whenever it changes.
    QueueInfo {
        /// 1 is next.
        position: u32,
        /// Expected wait, seconds.
        ewt_s: f64,
        /// How sure, 0 to 1; below what the flow asks, no wait is announced.
        confidence: f64,
    },
    /// The conversation with the agent (or the transfer target) is over and the caller is still there.
    TalkEnded,
    /// A message was left.
    VoicemailDone {
        /// Its length, seconds.
        seconds: u32,
    },
    /// Recording did not work.
    VoicemailFailed,
    /// Whether an [`Output::Callback`] was taken.
    Callback(CallbackResult),
    /// How an [`Output::Transfer`] ended.
    Transfer(TransferResult),
    /// The caller is gone.
    Hangup,
    /// The deadline passed.
    Tick,
}

/// What an HTTP question brought.
pub type HttpResult = Result<Answer, HttpError>;

/// An HTTP response.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body as JSON; null when there was none or it was not JSON.
    pub body: serde_json::Value,
}

/// Why there is no HTTP response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpError {
    /// Nothing within the time.
    Timeout,
    /// No connection, no name, TLS trouble.
    Unreachable,
    /// The edge refused: address not allowed, body too large.
    Refused,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueResult {
    /// An agent took it; the run rests until [`Input::TalkEnded`].
    Answered,
    /// The queue's own limit, or `max_wait`.
    Timeout,
    /// Nobody is signed in who could.
    NoAgents,
    /// Too many wait.
    Full,
}

impl QueueResult {
    /// The word in `when`.
    pub const fn as_str(self) -> &'static str {
        match self {
            QueueResult::Answered => "answered",
            QueueResult::Timeout => "timeout",
            QueueResult::NoAgents => "no_agents",
            QueueResult::Full => "full",
        }
    }
    /// Reads [`QueueResult::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        [Self::Answered, Self::Timeout, Self::NoAgents, Self::Full].into_iter().find(|q| q.as_str() == s)
    }
}

/// Whether the customer will be called back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackResult {
    /// They will, and the place is kept.
    Queued,
    /// Not this number, or not any more of them.
    Refused,
}

impl CallbackResult {
    /// The word in `when`.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallbackResult::Queued => "queued",
            CallbackResult::Refused => "refused",
        }
    }
}

/// A call back, wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The number, as the flow has it.
    pub number: String,
    /// Whose work it is; None: the queue waited in last.
    pub queue: Option<QueueId>,
    /// The hour the customer has chosen, as they said it: `1530`, `15:30`.
    pub at: Option<String>,
    /// Calls to the customer, at most.
    pub attempts: u32,
    /// Between two of them.
    pub gap: Duration,
    /// A machine that answers is no customer. Else who answers is left to the agent.
    pub screens: bool,
    /// What a machine that answers is told after its beep; nothing if empty.
    pub message: Vec<Prompt>,
    /// What becomes of a customer nobody has reached.
    pub ticket: Option<TicketRequest>,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferResult {
    /// Connected.
    Answered,
    /// Rang out.
    NoAnswer,
    /// Busy.
    Busy,
    /// Everything else.
    Failed,
}

impl TransferResult {
    /// The word in `when`.
    pub const fn as_str(self) -> &'static str {
        match self {
            TransferResult::Answered => "answered",
            TransferResult::NoAnswer => "no_answer",
            TransferResult::Busy => "busy",
            TransferResult::Failed => "failed",
        }
    }
    /// Reads [`TransferResult::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        [Self::Answered, Self::NoAnswer, Self::Busy, Self::Failed].into_iter().find(|q| q.as_str() == s)
    }
}

/// That an answer by voice is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// The answer goes into a secret variable.
    pub secret: bool,
}

/// One thing to play or to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// A recording, by the name in the flow (relative to the flow's folder), with its text for text channels and transcripts.
    File {
        /// Its id in the flow.
        id: String,
        /// Path as written.
        name: String,
        /// What is said in it; empty when the flow has no text for it.
        text: String,
        /// Language, `zh-CN`.
        lang: String,
    },
    /// To be synthesised, or sent as written.
    Text {
        /// Its id in the flow.
        id: String,
        /// The words, placeholders filled in.
        text: String,
        /// Language, `zh-CN`.
        lang: String,
    },
}

impl Prompt {
    /// Its id in the flow.
    pub fn id(&self) -> &str {
        match self {
            Prompt::File { id, .. } | Prompt::Text { id, .. } => id,
        }
    }
    /// The words, whichever kind it is.
    pub fn text(&self) -> &str {
        match self {
            Prompt::File { text, .. } | Prompt::Text { text, .. } => text,
        }
    }
}

/// Why something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SayReason {
    /// To tell.
    Prompt,
    /// To ask; on text channels these are the buttons: what choosing one sends, and what is written on it.
    Menu(Vec<(String, String)>),
}

/// HTTP methods a flow may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the method names say it")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As in the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// A question to an HTTP service. The edge repeats it `retries` times, each try within `timeout`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAsk {
    /// Name of the question, to be given back.
    pub ask: AskId,
    /// Method.
    pub method: Method,
    /// Address, placeholders filled in and encoded; without `query`.
    pub url: String,
    /// Query pairs, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// Fields of a JSON object body.
    pub body: Vec<(String, serde_json::Value)>,
    /// Fields of the same object that must not be logged.
    pub secret_body: Vec<(String, Secret)>,
    /// For each try.
    pub timeout: Duration,
    /// Further tries after the first.
    pub retries: u32,
}

/// Whether the conversation with the agent is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Every one.
    Always,
    /// None.
    Never,
    /// So many of a hundred.
    Percent(u8),
}

/// A place in a queue, wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueue {
    /// Which.
    pub queue: QueueId,
    /// What the agent must be able to do, and at least how well (1 to 5).
    pub skills: Vec<(SkillId, u8)>,
    /// Head start, minutes.
    pub priority_min: i32,
    /// This agent first, for so long.
    pub prefer: Option<(AgentId, Duration)>,
    /// What the agent and the reports see.
    pub attributes: BTreeMap<String, String>,
    /// Music class or file; None: the queue's own.
    pub music: Option<String>,
    /// Longest wait; the run itself leaves the queue then.
    pub max_wait: Option<Duration>,
    /// Recording; None: as the tenant has decided.
    pub record: Option<Record>,
    /// What the agent hears before the caller, as far as known now; see [`Run::whisper`](super::Run::whisper).
    pub agent_whisper: Option<String>,
}

/// The ticket a message becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRequest {
    /// Who works on it.
    pub queue: QueueId,
    /// Its title, placeholders filled in.
    pub title: String,
    /// Its clock.
    pub sla: Option<SlaId>,
}

/// Where a call is handed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTo {
    /// Out, by the routes.
    Number(String),
    /// To wait elsewhere.
    Queue(QueueId),
    /// To a person.
    Agent(AgentId),
}

/// Something to do. Outputs come in the order they are to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A node was entered (timeline, funnel).
    Entered {
        /// Flow it belongs to.
        flow: FlowId,
        /// Its name.
        node: String,
    },
    /// Play or send; report [`Input::Played`] at the end (voice only). A `Say` while another plays follows it.
    Say {
        /// In this order.
        prompts: Vec<Prompt>,
        /// True: a key or speech may cut it; the run then says [`Output::StopSaying`].
        barge_in: bool,
        /// Telling or asking.
        reason: SayReason,
        /// True while recognised speech is wanted.
        listen: bool,
    },
    /// Be quiet at once; what was not yet said is dropped and no `Played` is wanted.
    StopSaying,
    /// Ask an HTTP service.
    Http(HttpAsk),
    /// Wait for an agent. Report [`Input::QueueInfo`] and [`Input::Queue`].
    Enqueue(Enqueue),
    /// Give the place up (exit key, `max_wait`, hang-up).
    LeaveQueue {
        /// It waited as long as the flow allows, rather than leaving by a key.
        waited_out: bool,
    },
    /// Say this over the music; nothing is reported back.
    Announce(Vec<Prompt>),
    /// Say the prompts, beep, record at most `max`, make the ticket; report `VoicemailDone` or `VoicemailFailed`. When the caller
    /// hangs up while recording, the message stands and the ticket is made all the same.
    Voicemail {
        /// Said before the tone; empty on text channels (they were sent).
        prompts: Vec<Prompt>,
        /// Longest message.
        max: Duration,
        /// What it becomes.
        ticket: TicketRequest,
        /// On text channels the message that was typed; nothing is recorded then.
        text: Option<String>,
    },
    /// Call the customer back later, and keep the place; report [`Input::Callback`]. It may come straight after `LeaveQueue`.
    Callback(Callback),
    /// Hand the caller over; report [`Input::Transfer`], and [`Input::TalkEnded`] when that talk ends and the caller is still there.
    Transfer {
        /// Where.
        to: TransferTo,
        /// Ring no longer.
        timeout: Duration,
    },
    /// A fact for the timeline and for subscribers.
    Event {
        /// Its name.
        name: String,
        /// Its data.
        data: BTreeMap<String, Value>,
    },
    /// End the call or chat.
    Hangup,
    /// The run is over; nothing comes after this.
    Finished {
        /// Why.
        outcome: End,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A `hangup` node.
    Hangup,
    /// The caller left.
    CallerLeft,
    /// A `return` of the outermost flow.
    Returned(String),
    /// Handed over for good.
    Transferred,
    /// The flow could not go on; the center gives the caller to its fallback queue.
    Failed(String),
}

/// The keys of a phone.
pub(crate) fn is_key(c: char) -> bool {
    matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')
}

/// The names `from: channel` may have.
pub(crate) fn channel_inputs() -> BTreeSet<&'static str> {
    BTreeSet::from(["call.ani", "call.dnis", "call.channel", "call.lang", "call.id", "call.tenant"])
}
