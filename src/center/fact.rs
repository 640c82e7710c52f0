//! Facts: what happened. Typed, numbered, stored before they are published, never changed.
//!
//! Every list, report and restart is a fold over these. A new field needs a serde default; a new kind of fact is a new
//! variant; nothing is ever removed, so that a journal of any age can be read.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::command::{Actor, CommandId};
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

/// What a call leg is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The customer.
    Customer,
    /// The agent who handles it.
    Agent,
    /// An outside party reached by transfer.
    Outside,
}

/// Who began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The customer came to us.
    Inbound,
    /// We went to the customer.
    Outbound,
    /// One of us to another.
    Internal,
}

/// Who ended something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The customer.
    Customer,
    /// The agent.
    Agent,
    /// The flow, a limit, a restart.
    System,
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
    /// It was handed over.
    Transferred {
        /// Which contact.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// Where to.
        to: super::command::TransferTo,
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
}

/// Why a contact left its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unqueued {
    /// An agent took it.
    Answered,
    /// The customer left.
    Abandoned,
    /// Waited as long as the flow allows.
    Timeout,
    /// Nobody there to take it.
    NoAgents,
    /// Too many waiting.
    Full,
    /// The customer chose another way by key.
    ExitKey,
    /// Moved to another queue.
    Moved,
    /// The server went down under it.
    ServerRestart,
    /// The contact was ended from our side.
    Ended,
}

/// What may be wrong with a leg's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegTrouble {
    /// Nothing arrives: one way of the sound is broken.
    Unheard,
    /// What arrives is sound of nobody: a muted or dead microphone.
    Muted,
}

/// What a leg's media saw, for the record.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// RTP packets received.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Packets lost on the way to us.
    pub lost: u64,
    /// Packets from strangers, dropped.
    pub foreign: u64,
    /// Interarrival jitter, microseconds.
    pub jitter_us: u32,
    /// Round trip, microseconds.
    pub rtt_us: Option<u32>,
    /// Packets that came twice or too late.
    #[serde(default)]
    pub discarded: u64,
    /// Packets with a wrong SRTP tag, or replayed; part of `foreign`.
    #[serde(default)]
    pub unauthentic: u64,
    /// Sound made up or left silent, milliseconds; known where it was decoded.
    #[serde(default)]
    pub concealed_ms: u32,
    /// Fraction the peer last said it lost of ours, 0 to 255.
    #[serde(default)]
    pub peer_fraction_lost: Option<u8>,
    /// Jitter the peer last said it saw of ours, microseconds.
    #[serde(default)]
    pub peer_jitter_us: Option<u32>,
    /// Mean opinion score of what came to us, 1 to 4.5, by the E-model: the average of spans of some seconds.
    #[serde(default)]
    pub mos_avg: Option<f32>,
    /// Of the worst span.
    #[serde(default)]
    pub mos_min: Option<f32>,
}

impl From<call::Quality> for Quality {
    fn from(call::Quality { stats: s, mos_avg, mos_min }: call::Quality) -> Self {
        Quality {
            packets_in: s.packets_in,
            packets_out: s.packets_out,
            lost: s.lost,
            foreign: s.foreign,
            jitter_us: s.jitter_us,
            rtt_us: s.rtt_us,
            discarded: s.discarded,
            unauthentic: s.unauthentic,
            concealed_ms: s.concealed_ms,
            peer_fraction_lost: s.peer_fraction_lost,
            peer_jitter_us: s.peer_jitter_us,
            mos_avg,
            mos_min,
        }
    }
}

impl Fact {
    /// The contact this is about, if any.
    pub fn interaction(&self) -> Option<InteractionId> {
        use Fact::*;
        Some(match self {
            InteractionOpened { interaction, .. }
            | FlowStarted { interaction, .. }
            | FlowEntered { interaction, .. }
            | FlowSaved { interaction, .. }
            | FlowEvent { interaction, .. }
            | Unqueued { interaction, .. }
            | Offered { interaction, .. }
            | OfferEnded { interaction, .. }
            | Connected { interaction, .. }
            | Held { interaction, .. }
            | Transferred { interaction, .. }
            | TalkEnded { interaction, .. }
            | WrapUp { interaction, .. }
            | Disposed { interaction, .. }
            | WrapUpOver { interaction, .. }
            | InteractionClosed { interaction, .. }
            | LegOpened { interaction, .. }
            | LegDialog { interaction, .. }
            | LegTrouble { interaction, .. }
            | LegEnded { interaction, .. }
            | RecordingStarted { interaction, .. }
            | RecordingEnded { interaction, .. }
            | VoicemailLeft { interaction, .. }
            | Message { interaction, .. }
            | ReadUpTo { interaction, .. } => *interaction,
            Queued { entry } => entry.interaction,
            CallOut { interaction, .. } => return *interaction,
            NodeStarted { .. } | Ticket { .. } | Customer { .. } | AgentState { .. } | Counted { .. } | Alarm { .. } => {
                return None;
            }
        })
    }

    /// The word that names the kind, as in the journal.
    pub fn kind(&self) -> &'static str {
        use Fact::*;
        match self {
            NodeStarted { .. } => "node_started",
            InteractionOpened { .. } => "interaction_opened",
            FlowStarted { .. } => "flow_started",
            FlowEntered { .. } => "flow_entered",
            FlowSaved { .. } => "flow_saved",
            FlowEvent { .. } => "flow_event",
            Queued { .. } => "queued",
            Unqueued { .. } => "unqueued",
            Offered { .. } => "offered",
            OfferEnded { .. } => "offer_ended",
            Connected { .. } => "connected",
            Held { .. } => "held",
            Transferred { .. } => "transferred",
            TalkEnded { .. } => "talk_ended",
            WrapUp { .. } => "wrap_up",
            Disposed { .. } => "disposed",
            WrapUpOver { .. } => "wrap_up_over",
            InteractionClosed { .. } => "interaction_closed",
            LegOpened { .. } => "leg_opened",
            LegDialog { .. } => "leg_dialog",
            LegTrouble { .. } => "leg_trouble",
            LegEnded { .. } => "leg_ended",
            RecordingStarted { .. } => "recording_started",
            RecordingEnded { .. } => "recording_ended",
            VoicemailLeft { .. } => "voicemail_left",
            Message { .. } => "message",
            ReadUpTo { .. } => "read_up_to",
            Ticket { .. } => "ticket",
            Customer { .. } => "customer",
            AgentState { .. } => "agent_state",
            Counted { .. } => "counted",
            CallOut { .. } => "call_out",
            Alarm { .. } => "alarm",
        }
    }
}

/// Milliseconds of a duration as a journal number.
pub fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
