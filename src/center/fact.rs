//! Facts: what happened. Typed, numbered, stored before they are published, never changed.
//!
//! Every list, report and restart is a fold over these. A new field needs a serde default; a new kind of fact is a new
//! variant; nothing is ever removed, so that a journal of any age can be read.

mod alert;
mod ends;
mod kinds;
mod numbers;
mod person;
mod quality;

pub use alert::{AlertAcked, AlertCleared, AlertRaised};
pub use ends::{ConsultEnd, EndedBy, LegRole, LegTrouble, Unqueued, Way};
pub use numbers::millis;
pub use quality::Quality;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    callback,
    command::{Actor, CommandId, SuperviseMode, TransferTo},
};
use crate::{
    base::{
        AgentId, Channel, CodeId, CustomerId, FlowId, InteractionId, OfferId, QueueId, RecordingId, TenantId, TicketId,
        TrunkId, VisitorId, Wall,
    },
    call::{self, trunk::Denied},
    customer, routing, text, ticket,
};

/// A fact with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Place in the journal of this node, from 1, without gaps.
    pub seq: u64,
    /// When it happened.
    pub at: Wall,
    /// In which tenant.
    pub tenant: TenantId,
    /// The command that brought it about, so that whoever sent it can tell its own echo. (Written as `command`: the fact's own
    /// fields stand beside this one, and some have a `cause`.)
    #[serde(default, rename = "command", skip_serializing_if = "Option::is_none")]
    pub cause: Option<CommandId>,
    /// What.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "facts are written once and moved little; boxing would blur the list")]
pub enum Fact {
    /// A node began to work. Whatever was in the air before this and is not restored is over.
    NodeStarted {
        /// The version that runs.
        version: String,
    },

    // ---- an interaction ----
    /// A contact arrived (or was dialled).
    InteractionOpened {
        /// Its id.
        interaction: InteractionId,
        /// The medium.
        channel: Channel,
        /// Who began it.
        way: Way,
        /// The number dialled or the chat entry.
        to: String,
        /// The caller's number as normalised, or the name the visitor gave.
        from: String,
        /// The person, found or made.
        customer: CustomerId,
        /// The matter it was joined to.
        ticket: Option<TicketId>,
        /// The visitor's session, for chats.
        visitor: Option<VisitorId>,
        /// Who vouches for the caller; none where nobody has looked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<crate::sip::stir::Verdict>,
    },
    /// A flow began to serve it.
    FlowStarted {
        /// Which contact.
        interaction: InteractionId,
        /// The flow's name.
        flow: FlowId,
        /// The version by content.
        hash: String,
    },
    /// The flow came to a node.
    FlowEntered {
        /// Which contact.
        interaction: InteractionId,
        /// The node's name.
        node: String,
    },
    /// Where the flow stands, kept so that a text contact continues after a restart.
    FlowSaved {
        /// Which contact.
        interaction: InteractionId,
        /// Node, variables, counters.
        state: crate::ivr::RunState,
    },
    /// The flow said something worth keeping.
    FlowEvent {
        /// Which contact.
        interaction: InteractionId,
        /// The event's name.
        name: String,
        /// Its data, secrets already left out.
        data: BTreeMap<String, String>,
    },
    /// It waits for an agent.
    Queued {
        /// Which contact, where, since when, needing what.
        entry: routing::Entry,
    },
    /// It waits no longer.
    Unqueued {
        /// Which contact.
        interaction: InteractionId,
        /// Where it waited.
        queue: QueueId,
        /// Why it left.
        why: Unqueued,
        /// How long it had waited since its arrival in routing, milliseconds.
        waited_ms: u64,
    },
    /// An agent is being rung (or shown it).
    Offered {
        /// Which contact.
        interaction: InteractionId,
        /// The lease.
        offer: OfferId,
        /// Whom.
        agent: AgentId,
        /// When it lapses.
        until: Wall,
        /// Why this agent.
        decision: Box<routing::Decision>,
    },
    /// The offer is over.
    OfferEnded {
        /// Which contact.
        interaction: InteractionId,
        /// The lease.
        offer: OfferId,
        /// Whom.
        agent: AgentId,
        /// How it ended.
        why: routing::StopWhy,
    },
    /// Customer and agent are connected.
    Connected {
        /// Which contact.
        interaction: InteractionId,
        /// With whom.
        agent: AgentId,
        /// By which lease; none when dialled or assigned past the queue.
        offer: Option<OfferId>,
    },
    /// The customer was put on hold, or taken back.
    Held {
        /// Which contact.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// On or off.
        on: bool,
    },
    /// The customer is to be called back: a contact of its own.
    CallbackBooked {
        /// Which contact.
        interaction: InteractionId,
        /// The one it comes from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<InteractionId>,
        /// What was agreed.
        plan: callback::Plan,
        /// How it waits.
        entry: routing::Entry,
    },
    /// The customer was called back, and not reached.
    CallbackTried {
        /// Which contact.
        interaction: InteractionId,
        /// The how many-th call, from 1.
        attempt: u32,
        /// How it ended.
        outcome: callback::Outcome,
        /// When it is tried again; none: not any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_at: Option<Wall>,
    },
    /// It was handed over.
    Transferred {
        /// Which contact.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// Where to.
        to: TransferTo,
    },
    /// The agent asks somebody for advice; the customer is on hold meanwhile.
    Consulted {
        /// Which contact.
        interaction: InteractionId,
        /// Who asks.
        agent: AgentId,
        /// Who is asked.
        to: TransferTo,
    },
    /// Somebody who was asked is there.
    ConsultAnswered {
        /// Which contact.
        interaction: InteractionId,
        /// Who asked.
        agent: AgentId,
        /// Who answered; none for a number outside.
        helper: Option<AgentId>,
    },
    /// Customer, agent and helper talk together.
    ConsultMerged {
        /// Which contact.
        interaction: InteractionId,
        /// Who put them together.
        agent: AgentId,
    },
    /// The consultation is over.
    ConsultEnded {
        /// Which contact.
        interaction: InteractionId,
        /// Who asked.
        agent: AgentId,
        /// Who had answered, if it was an agent.
        helper: Option<AgentId>,
        /// How it ended.
        how: ConsultEnd,
    },
    /// The agent's microphone is not heard any more, or is again.
    Muted {
        /// Which contact.
        interaction: InteractionId,
        /// Whose.
        agent: AgentId,
        /// On or off.
        on: bool,
    },
    /// Keys were sent to the other side.
    KeysSent {
        /// Which contact.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// Which; one `x` each where the tenant wants them masked.
        digits: String,
    },
    /// A supervisor listens, whispers or takes part; told again when the way changes.
    Supervised {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        supervisor: AgentId,
        /// How.
        mode: SuperviseMode,
    },
    /// A supervisor left.
    SupervisionEnded {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        supervisor: AgentId,
        /// Why the supervisor's phone was not, or is no longer, connected; none when it was asked for.
        cause: Option<call::Cause>,
    },
    /// A supervisor has it now instead of the agent.
    TakenOver {
        /// Which contact.
        interaction: InteractionId,
        /// Who has it now.
        supervisor: AgentId,
        /// Who had it.
        from: AgentId,
    },
    /// Somebody gave it to another queue or agent while it waited.
    Reassigned {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        by: Actor,
        /// Where to.
        to: TransferTo,
    },
    /// Somebody changed its head start.
    Prioritised {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        by: Actor,
        /// The new head start, minutes.
        minutes: i32,
    },
    /// Customer and agent are not connected any more.
    TalkEnded {
        /// Which contact.
        interaction: InteractionId,
        /// With whom.
        agent: AgentId,
        /// Who ended it.
        by: EndedBy,
        /// How long they were connected, milliseconds, from the timer clock.
        talk_ms: u64,
        /// How much of it on hold, milliseconds.
        hold_ms: u64,
    },
    /// The agent wraps up.
    WrapUp {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// At the latest until then; moved by an extension.
        until: Wall,
    },
    /// The outcome was coded.
    Disposed {
        /// Which contact.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// The code.
        code: CodeId,
        /// In words.
        note: String,
    },
    /// Wrap-up is over.
    WrapUpOver {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// By the clock, not by the agent.
        timed_out: bool,
        /// How long it took, milliseconds.
        wrap_ms: u64,
    },
    /// The contact is over for the customer. Exactly one per interaction.
    InteractionClosed {
        /// Which contact.
        interaction: InteractionId,
        /// Why.
        cause: call::Cause,
        /// Who ended it.
        by: EndedBy,
    },

    // ---- voice ----
    /// A party's attachment exists.
    LegOpened {
        /// Which contact.
        interaction: InteractionId,
        /// Its number in this process.
        leg: u64,
        /// What it is for.
        role: LegRole,
        /// The other side: number, agent.
        party: String,
        /// SIP Call-ID.
        call_id: String,
    },
    /// The leg's dialog and media as they stand, enough to find it again after a restart.
    LegDialog {
        /// Which contact.
        interaction: InteractionId,
        /// Its number.
        leg: u64,
        /// Call-ID, tags, sequence numbers, route set, targets.
        dialog: crate::sip::dialog::DialogSnapshot,
        /// Ports, addresses, codec.
        media: call::LegSnapshot,
    },
    /// Something is wrong with a leg's sound, or no longer.
    LegTrouble {
        /// Which contact.
        interaction: InteractionId,
        /// Its number.
        leg: u64,
        /// Whose it is.
        role: LegRole,
        /// What.
        trouble: LegTrouble,
        /// Begun, or over. A microphone that is heard again is not told of.
        on: bool,
    },
    /// A party's attachment is gone.
    LegEnded {
        /// Which contact.
        interaction: InteractionId,
        /// Its number.
        leg: u64,
        /// Why.
        cause: call::Cause,
        /// What its media saw.
        quality: Option<Quality>,
    },
    /// A recording runs.
    RecordingStarted {
        /// Which contact.
        interaction: InteractionId,
        /// Its id.
        recording: RecordingId,
        /// File below the recordings folder.
        file: String,
    },
    /// Silence is recorded instead of sound, or sound again.
    RecordingPaused {
        /// Which contact.
        interaction: InteractionId,
        /// Which recording.
        recording: RecordingId,
        /// By whom.
        by: Actor,
        /// Paused or going on.
        on: bool,
    },
    /// A recording is closed (or was found and repaired after a crash).
    RecordingEnded {
        /// Which contact.
        interaction: InteractionId,
        /// Its id.
        recording: RecordingId,
        /// How long it plays, milliseconds.
        ms: u64,
        /// Size of the file.
        bytes: u64,
        /// Why it is not whole: `disk_full`, `io`, `overrun`, `server_restart`.
        trouble: Option<String>,
    },
    /// The caller left a message.
    VoicemailLeft {
        /// Which contact.
        interaction: InteractionId,
        /// The recording of it.
        recording: RecordingId,
        /// How long it plays, milliseconds.
        ms: u64,
    },

    /// Somebody said something: a line of the transcript.
    Said {
        /// Which contact.
        interaction: InteractionId,
        /// Whose line.
        by: LegRole,
        /// Which agent: of agents, helpers and supervisors.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// The words as recognised.
        text: String,
        /// How sure the recogniser is, 0 to 1.
        confidence: f64,
        /// When it began.
        since: Wall,
        /// How long it was, milliseconds.
        ms: u64,
    },

    // ---- writing ----
    /// A message of the conversation.
    Message {
        /// Which contact.
        interaction: InteractionId,
        /// The message.
        message: text::Message,
    },
    /// Somebody has read up to here.
    ReadUpTo {
        /// Which contact.
        interaction: InteractionId,
        /// Who.
        by: Actor,
        /// Place in the conversation. (Written as `place`: the record has a `seq` of its own beside it.)
        #[serde(rename = "place")]
        seq: u64,
    },

    /// The customer said how it was.
    Rated {
        /// Which contact.
        interaction: InteractionId,
        /// Who: the visitor, or the flow that asked a caller.
        by: Actor,
        /// From 1.
        score: u8,
        /// The best there was to give.
        best: u8,
        /// In words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        comment: String,
    },

    // ---- the matter and the person ----
    /// A ticket changed; the first entry opens it.
    Ticket {
        /// Which.
        ticket: TicketId,
        /// What changed.
        entry: ticket::LogEntry,
    },
    /// A customer changed; the first change makes them.
    Customer {
        /// Which.
        customer: CustomerId,
        /// What changed.
        change: customer::Change,
    },

    // ---- the agents ----
    /// An agent's calls ring somewhere else from now on.
    EndpointChosen {
        /// Whose.
        agent: AgentId,
        /// The number outside; none for the phones that register under the agent's name.
        number: Option<String>,
        /// Who said so.
        by: Actor,
    },
    /// An agent's state, after every change.
    AgentState {
        /// Who.
        agent: AgentId,
        /// The agent's own state.
        state: routing::AgentState,
        /// Since when.
        since: Wall,
        /// The state chosen for when the work in hand is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending: Option<routing::AgentState>,
    },
    /// Something was counted: every figure of a report is a fold over these.
    Counted {
        /// What.
        event: routing::MetricEvent,
    },
    /// A call to the outside was let out, or not: who wanted it, and which rule kept it in.
    CallOut {
        /// For which contact; none when it was kept in before there was one.
        interaction: Option<InteractionId>,
        /// Whose wish, if a person's.
        agent: Option<AgentId>,
        /// By which trunk or group.
        trunk: TrunkId,
        /// The number as the carrier was to get it.
        to: String,
        /// Why not.
        denied: Option<Denied>,
        /// For whom it is counted: the number of the caller who is handed on, the agent.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        source: String,
        /// Its number in the books of this process; none when it was kept in, or is never counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        permit: Option<u64>,
        /// What a minute costs, millionths.
        #[serde(default, skip_serializing_if = "numbers::is_zero")]
        per_minute: u64,
    },
    /// A call that was let out is over.
    CallOutOver {
        /// Its number in the books of this process.
        permit: u64,
        /// How long it was up, begun seconds whole.
        talked_s: u64,
        /// What it cost, millionths.
        spent: u64,
    },
    /// An alarm for the people who run this: disk full, trunk down.
    Alarm {
        /// Stable word.
        code: String,
        /// A sentence.
        message: String,
        /// On, or cleared.
        on: bool,
    },
    /// A figure of a queue is past its limit.
    AlertRaised(AlertRaised),
    /// It is well again, or watched no longer.
    AlertCleared(AlertCleared),
    /// Somebody looks after it.
    AlertAcked(AlertAcked),
}
