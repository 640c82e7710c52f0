//! Commands: what people and programs ask of the center. A command may be refused, and the refusal is for a person to read.
//!
//! Who may ask what is decided in `center::rights`, so that no edge can forget to.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    base::{
        AgentId, CodeId, CustomerId, InteractionId, MessageId, OfferId, QueueId, TenantId, TicketId, TrunkId, VisitorId, Wall,
    },
    sip::auth::Ha1,
};

/// Names a command, so that its answer finds the asker. Made by the edge, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub u64);

/// What a login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Handles interactions; changes only what is their own.
    Agent,
    /// Watches and helps: may act on everybody's agents and interactions of the tenant.
    Supervisor,
    /// Everything in the tenant.
    Admin,
}

impl Role {
    /// The word used in configuration, API and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Admin => "admin",
        }
    }
    /// Reads [`Role::as_str`].
    pub fn parse(s: &str) -> Option<Self> {
        [Role::Agent, Role::Supervisor, Role::Admin].into_iter().find(|r| r.as_str() == s)
    }
}

/// Who asks. The edge has verified it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A login. `user` is the agent id of the same name when the login handles interactions.
    User {
        /// Login name.
        user: AgentId,
        /// What it may do.
        role: Role,
    },
    /// A program with an API key.
    Key {
        /// The key's public name.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// Somebody chatting.
    Visitor {
        /// Whose chat.
        visitor: VisitorId,
    },
    /// A rule of the center itself (a flow, a timer, a restart).
    System,
}

impl Actor {
    /// The agent this actor is, if it is a login.
    pub fn agent(&self) -> Option<&AgentId> {
        match self {
            Actor::User { user, .. } => Some(user),
            _ => None,
        }
    }
    /// True for supervisors, administrators and keys of that rank, and for the center itself.
    pub fn supervises(&self) -> bool {
        match self {
            Actor::User { role, .. } | Actor::Key { role, .. } => *role >= Role::Supervisor,
            Actor::Visitor { .. } => false,
            Actor::System => true,
        }
    }
}

/// A command with everything needed to judge it.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Whose answer this will be.
    pub id: CommandId,
    /// In which tenant; nothing crosses it.
    pub tenant: TenantId,
    /// Who asks.
    pub by: Actor,
    /// What.
    pub command: Command,
}

/// The agent's own state as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum WantedState {
    /// Takes offers.
    Ready,
    /// At the desk, takes none, and says why.
    NotReady {
        /// A code of the tenant's not-ready reasons.
        reason: CodeId,
    },
    /// Signed in but gone.
    Away,
}

/// Where an interaction is to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TransferTo {
    /// Back to waiting, in this queue, keeping its age.
    Queue {
        /// Which.
        queue: QueueId,
    },
    /// To one agent, offered directly.
    Agent {
        /// Whom.
        agent: AgentId,
    },
    /// Out, to a number the tenant's routes allow.
    Number {
        /// As dialled.
        number: String,
    },
}

/// How a supervisor takes part: three rows of who hears whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuperviseMode {
    /// Hears everybody, is heard by nobody. In a chat: reads along.
    Listen,
    /// Hears everybody, is heard by the agent only. In a chat: reads along and leaves notes.
    Whisper,
    /// Hears everybody, is heard by everybody. In a chat: writes to the visitor, too.
    Barge,
}

/// What becomes of a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsultStep {
    /// Speak with the other of the two.
    Swap,
    /// Customer and helper are put together, the agent leaves.
    Complete,
    /// All three together.
    Merge,
    /// The helper leaves, the customer comes back.
    Cancel,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are what their types say")]
pub enum Command {
    /// Begin a shift.
    SignIn { agent: AgentId },
    /// End it. Refused while an interaction is being handled.
    SignOut { agent: AgentId },
    /// Change one's state; takes effect after the current work if there is any.
    SetState { agent: AgentId, wanted: WantedState },
    /// The agent's console opened or lost its event socket: text can reach them, or not.
    Console { agent: AgentId, connected: bool },
    /// Take an offered text interaction (a call is taken by answering the phone).
    Accept { offer: OfferId },
    /// Refuse an offer.
    Decline { offer: OfferId },
    /// End the talk: hang up, or close the chat.
    Finish { interaction: InteractionId },
    /// Put the customer on hold, or back.
    Hold { interaction: InteractionId, on: bool },
    /// Hand over.
    Transfer { interaction: InteractionId, to: TransferTo },
    /// Stop or resume recording (card digits).
    RecordPause { interaction: InteractionId, paused: bool },
    /// Copy the sound of a call to a stream of the configuration, or stop that.
    Stream { interaction: InteractionId, stream: String, on: bool },
    /// The outcome, during the talk or after it.
    Dispose { interaction: InteractionId, agent: AgentId, code: CodeId, note: String },
    /// Wrap-up is finished early.
    WrapUpDone { interaction: InteractionId, agent: AgentId },
    /// More time to wrap up.
    ExtendWrapUp { interaction: InteractionId, agent: AgentId, by: Duration },
    /// Change the head start of a waiting interaction.
    SetPriority { interaction: InteractionId, priority_min: i32 },
    /// A supervisor gives a waiting or offered interaction to an agent or another queue.
    Assign { interaction: InteractionId, to: TransferTo },
    /// A supervisor takes an interaction: one that waits is offered to nobody else, one in other hands is taken over.
    Pull { interaction: InteractionId, supervisor: AgentId },
    /// Listen, whisper, take part; asked again it changes the way, and on another call it moves there, on the same leg.
    Supervise { interaction: InteractionId, supervisor: AgentId, mode: SuperviseMode },
    /// The supervisor leaves; all who take part if none is named.
    SuperviseEnd { interaction: InteractionId, supervisor: Option<AgentId> },
    /// The supervisor becomes the agent, who wraps up.
    TakeOver { interaction: InteractionId, supervisor: AgentId },
    /// Ask an agent, a queue or a number for advice; the customer is on hold meanwhile.
    Consult { interaction: InteractionId, to: TransferTo },
    /// What becomes of the consultation.
    ConsultStep { interaction: InteractionId, step: ConsultStep },
    /// Press keys for the other side to hear.
    Keys { interaction: InteractionId, digits: String },
    /// Nobody hears the agent any more, or again.
    Mute { interaction: InteractionId, on: bool },
    /// Where the agent's calls ring: at the phones that register (none), or at a number outside.
    Endpoint { agent: AgentId, number: Option<String> },
    /// Call a number on behalf of an agent: the agent's phone rings first. Wrap-up and outcomes are those of the queue.
    Dial { agent: AgentId, number: String, queue: Option<QueueId> },

    /// A supervisor looks after an alert that is on.
    AlertAck { queue: QueueId, metric: super::alerts::Metric },

    /// Ask a trunk whether it is there, now. What it says is in its picture.
    TrunkTest { trunk: TrunkId },
    /// Call a number by this trunk and by no other: whoever answers hears tones, and is hung up on.
    TrunkCall { trunk: TrunkId, number: String },

    /// A visitor begins a chat.
    ChatOpen {
        visitor: VisitorId,
        name: String,
        contact: Option<String>,
        language: Option<String>,
        page: Option<String>,
        /// To the questions of the house, by key.
        answers: BTreeMap<String, String>,
    },
    /// A visitor leaves words while nobody is there: they become a ticket.
    Leave { visitor: VisitorId, name: String, contact: String, language: Option<String>, page: Option<String>, text: String },
    /// A visitor asks to be called.
    CallMe {
        visitor: VisitorId,
        name: String,
        number: String,
        language: Option<String>,
        page: Option<String>,
        /// The hour they have chosen; as soon as somebody is free if none.
        at: Option<Wall>,
    },
    /// A visitor asks for a login to call from the page. The edge has made it: a user name and the hashes of its password.
    TalkNow { visitor: VisitorId, name: String, language: Option<String>, page: Option<String>, username: String, ha1: Ha1 },
    /// A visitor's socket came or went.
    ChatPresence { interaction: InteractionId, connected: bool },
    /// Somebody writes. `client_id` makes a resend the same message.
    Say { interaction: InteractionId, client_id: String, body: String },
    /// Somebody sends a file with words; without words its name stands for them. The edge has it in the vault.
    Send { interaction: InteractionId, client_id: String, body: String, file: crate::text::file::File },
    /// The visitor says how a chat was, also after its end. The edge has seen whose it is.
    Rate { interaction: InteractionId, score: u8, comment: String },
    /// A note only colleagues see.
    Whisper { interaction: InteractionId, client_id: String, body: String },
    /// Everything up to `seq` has been read by the asker.
    Read { interaction: InteractionId, seq: u64 },
    /// The asker is typing.
    Typing { interaction: InteractionId },

    /// Open a ticket by hand.
    TicketOpen {
        title: String,
        customer: Option<CustomerId>,
        queue: Option<QueueId>,
        priority: Option<String>,
        body: Option<String>,
    },
    /// Somebody looks at a ticket, writes on it, or has turned away: those who look at it too are told, nothing is kept.
    Viewing { ticket: TicketId, here: bool, writing: bool },
    /// Change a ticket: see `ticket::Change`.
    Ticket { ticket: TicketId, change: crate::ticket::Change },
    /// Change a customer: see `customer::Change`.
    Customer { customer: CustomerId, change: crate::customer::Change },
}

/// What a command brought about, for the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Done {
    /// Done, nothing more to say.
    Ok,
    /// An interaction exists now.
    Interaction {
        /// Its id.
        interaction: InteractionId,
    },
    /// A message is accepted (stored when the fact says so).
    Message {
        /// Its id.
        message: MessageId,
        /// Its place in the conversation.
        seq: u64,
    },
    /// A ticket exists now.
    Ticket {
        /// Its id.
        ticket: TicketId,
    },
}

/// Why a command was not carried out. `code` is stable and translated by consoles; the text is for logs and API users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct Refusal {
    /// Stable word: `not_found`, `not_allowed`, `wrong_state`, `invalid`, `busy`, `limit`.
    pub code: RefusalCode,
    /// A sentence: what was attempted, on what, and why not.
    pub message: String,
}

/// The kinds of refusal, each with its HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// No such thing in this tenant (404).
    NotFound,
    /// Not with this role, or not yours (403).
    NotAllowed,
    /// Too late, too early, already done (409).
    WrongState,
    /// The request makes no sense (422).
    Invalid,
    /// A bound is reached; later it may work (429).
    Limit,
    /// Shutting down or overloaded (503).
    Unavailable,
}

impl RefusalCode {
    /// The status an HTTP edge answers with.
    pub const fn http(self) -> u16 {
        match self {
            RefusalCode::NotFound => 404,
            RefusalCode::NotAllowed => 403,
            RefusalCode::WrongState => 409,
            RefusalCode::Invalid => 422,
            RefusalCode::Limit => 429,
            RefusalCode::Unavailable => 503,
        }
    }
}

impl Refusal {
    /// A refusal with its sentence.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into() }
    }
    /// No such thing in this tenant.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(RefusalCode::NotFound, format!("{what} does not exist"))
    }
    /// Whoever asks may not; why.
    pub fn not_allowed(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::NotAllowed, why)
    }
    /// No such contact in this tenant.
    pub fn no_interaction(id: InteractionId) -> Self {
        Self::not_found(format_args!("interaction {id}"))
    }
    /// The contact is not in a state in which that can be done; `what` goes on after its name: "is not waiting".
    pub fn wrong_state(id: InteractionId, what: impl std::fmt::Display) -> Self {
        Self::new(RefusalCode::WrongState, format!("interaction {id} {what}"))
    }
}
