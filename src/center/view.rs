//! Views: the latest picture of a tenant, for consoles and wallboards. Lossy by design: a view may be skipped, never queued.
//!
//! Timers are not pushed: a view carries the instant something began, and whoever shows it counts.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::Serialize;

use super::alerts::{Alert, Past};
use crate::{
    base::{AgentId, Channel, CodeId, CustomerId, InteractionId, OfferId, QueueId, TicketId, TrunkId, Wall},
    call::trunk,
};

/// Everything live in one tenant at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TenantView {
    /// Every fact up to this one is in the picture; deltas go on from here.
    pub seq: u64,
    /// When it was taken.
    pub at: Wall,
    /// By id.
    pub agents: BTreeMap<AgentId, AgentView>,
    /// By id.
    pub queues: BTreeMap<QueueId, QueueView>,
    /// What is going on, oldest first.
    pub interactions: BTreeMap<InteractionId, InteractionView>,
    /// Carriers, by name.
    #[serde(skip)]
    pub trunks: BTreeMap<TrunkId, trunk::Snapshot>,
    /// Alarms that are on.
    pub alarms: BTreeMap<String, String>,
    /// Alerts that are on, by `queue/figure`.
    pub alerts: BTreeMap<String, Alert>,
    /// Those that were, the latest first. Asked for by whoever wants them; not sent.
    #[serde(skip)]
    pub alerts_past: Arc<VecDeque<Past>>,
    /// Agents may be shown who listens. For whoever cuts the picture to size; not sent.
    #[serde(skip)]
    pub tell_agents: bool,
}

/// One agent now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgentView {
    /// Display name.
    pub name: String,
    /// `signed_out`, `ready`, `not_ready`, `away`.
    pub state: String,
    /// Why not ready.
    pub reason: Option<CodeId>,
    /// Since when.
    pub since: Wall,
    /// The state that takes over after the current work.
    pub pending: Option<String>,
    /// A call can ring: the phone is registered, or the number outside can be called.
    pub phone: bool,
    /// The number outside calls ring at; for the agent and who supervises.
    pub number: Option<String>,
    /// The console is connected.
    pub console: bool,
    /// What the agent is working on.
    pub work: Vec<WorkView>,
    /// Skills with level.
    pub skills: BTreeMap<String, u8>,
}

/// One piece of an agent's work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkView {
    /// Which contact.
    pub interaction: InteractionId,
    /// The medium.
    pub channel: Channel,
    /// `alerting`, `talking`, `hold`, `wrap_up`.
    pub work: String,
    /// Since when.
    pub since: Wall,
    /// When the offer lapses or wrap-up ends.
    pub until: Option<Wall>,
    /// The lease while alerting.
    pub offer: Option<OfferId>,
}

/// One queue now, with today's service level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueView {
    /// Display name.
    pub name: String,
    /// How many wait.
    pub waiting: usize,
    /// Since when the longest waits.
    pub longest_since: Option<Wall>,
    /// Agents of this queue signed in.
    pub signed_in: usize,
    /// Of these, ready, whether busy or not.
    pub ready: usize,
    /// Agents of this queue free right now.
    pub free: usize,
    /// Entered today.
    pub offered: u64,
    /// Answered today.
    pub answered: u64,
    /// Left while waiting today.
    pub abandoned: u64,
    /// SL1 of FEATURES 3.7, 0 to 1; none before the first answer or abandonment.
    pub service_level: Option<f64>,
    /// The threshold SL1 is taken at, seconds.
    pub sl_target_s: u32,
    /// How much of SL1 is wanted, percent.
    pub sl_percent: u8,
    /// A customer is not to be on hold for longer, seconds; 0 where nothing is said.
    pub hold_max_s: u32,
    /// Since when the one who is on hold longest is.
    pub held_since: Option<Wall>,
}

/// One contact now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InteractionView {
    /// The medium.
    pub channel: Channel,
    /// Who began it.
    pub way: super::fact::Way,
    /// `flow`, `waiting`, `offered`, `talking`, `hold`, `wrap_up`, `voicemail`, `scheduled` (to be called back again).
    pub stage: String,
    /// Since when in this stage.
    pub stage_since: Wall,
    /// When it arrived.
    pub since: Wall,
    /// The number dialled or the chat entry.
    pub to: String,
    /// Who it is from, as shown to agents.
    pub from: String,
    /// The person.
    pub customer: CustomerId,
    /// Their name, if known.
    pub customer_name: String,
    /// The matter.
    pub ticket: Option<TicketId>,
    /// The queue it waits or waited in.
    pub queue: Option<QueueId>,
    /// Position from 1 while waiting.
    pub position: Option<usize>,
    /// Who has it.
    pub agent: Option<AgentId>,
    /// Nodes of the flow passed, in order, for the screen pop.
    pub path: Vec<String>,
    /// What the flow learned: topic, language, order number.
    pub attributes: BTreeMap<String, String>,
    /// Messages so far, for text.
    pub messages: u64,
    /// Whose sound does not arrive, though it should: `customer`, `agent`, `outside`, `helper`, `supervisor`.
    pub unheard: Vec<super::fact::LegRole>,
    /// Where the sound is copied to while it is spoken: names of the configuration.
    pub streams: Vec<String>,
    /// Since when agent and customer are connected.
    pub talk_since: Option<Wall>,
    /// Since when the customer is on hold.
    pub held_since: Option<Wall>,
    /// Nobody hears the agent.
    pub muted: bool,
    /// Whether it is recorded: `running`, `paused`; none when it is not.
    pub recording: Option<&'static str>,
    /// The customer hung up; agent and helper finish.
    pub customer_left: bool,
    /// The customer is to be called: how far that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackView>,
    /// Who is asked for advice.
    pub consult: Option<ConsultView>,
    /// Who listens, whispers or takes part.
    pub supervisors: Vec<SupervisorView>,
}

/// A call back now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallbackView {
    /// The number that is called.
    pub number: String,
    /// Calls made so far.
    pub tried: u32,
    /// At most.
    pub attempts: u32,
    /// How the last one ended.
    pub last: Option<super::callback::Outcome>,
    /// When it waits for an agent again, while it rests.
    pub again_at: Option<Wall>,
    /// The hour the customer has chosen.
    pub chosen_at: Option<Wall>,
}

/// A consultation now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConsultView {
    /// Who was asked.
    pub to: super::command::TransferTo,
    /// The agent who answered.
    pub helper: Option<AgentId>,
    /// `ringing`, `talking` (agent and helper), `held` (the helper waits), `merged`.
    pub state: &'static str,
    /// Since when it has been asked.
    pub since: Wall,
}

/// A supervisor with a contact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SupervisorView {
    /// Login.
    pub supervisor: AgentId,
    /// How.
    pub mode: super::command::SuperviseMode,
    /// The phone is answered (a chat needs none).
    pub joined: bool,
    /// Since when.
    pub since: Wall,
}

/// Something transient for the people looking at one contact or ticket: not stored, not replayed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Blink {
    /// The other side is typing.
    Typing {
        /// Which contact.
        interaction: InteractionId,
        /// `visitor` or the agent's id.
        by: String,
    },
    /// Somebody of the house looks at a ticket, writes on it, or has turned away.
    Viewing {
        /// Which ticket.
        ticket: TicketId,
        /// The login.
        by: String,
        /// Looks at it.
        here: bool,
        /// Is writing something.
        writing: bool,
    },
    /// The waiting visitor's place changed.
    Position {
        /// Which contact.
        interaction: InteractionId,
        /// From 1.
        position: usize,
        /// Expected wait, seconds, when known well enough.
        ewt_s: Option<u64>,
    },
}
