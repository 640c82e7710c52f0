//! What goes into the router and what comes out, the refusals, and the views. Data only; the machine is in `router`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{decision::Decision, metrics::MetricEvent};
use crate::base::{AgentId, Channel, CodeId, InteractionId, Mono, OfferId, QueueId, SkillId, Wall};

/// An interaction that begins to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    pub interaction: InteractionId,
    /// Where.
    pub queue: QueueId,
    /// The medium.
    pub channel: Channel,
    /// Head start in minutes: an interaction of priority 5 stands where one stands that came five minutes earlier.
    pub priority_min: i32,
    /// Arrival of the interaction. Its age is kept over requeues, transfers and restarts.
    pub since: Wall,
    /// When it entered this queue, if that was before now (a restart). Waiting limits and service level count from here.
    pub entered: Option<Wall>,
    /// Skills with the least level, added to those of the queue.
    pub needs: Vec<(SkillId, u8)>,
    /// The agent it is kept for, and for how long at most. Only while that agent is ready (free or at work).
    pub prefer: Option<(AgentId, Duration)>,
    /// What is known of the customer; head starts are read from it.
    pub attributes: BTreeMap<String, String>,
    /// Overflow after this, counted from `entered`; the shorter of this and the queue's own limit.
    pub max_wait: Option<Duration>,
    /// Nobody holds the line: it waits for a call back. No limit of the queue, and no empty desk, makes it leave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub patient: bool,
}

impl Entry {
    /// An entry with nothing special about it, arriving at `since`.
    pub fn new(interaction: InteractionId, queue: QueueId, channel: Channel, since: Wall) -> Self {
        Self {
            interaction,
            queue,
            channel,
            priority_min: 0,
            since,
            entered: None,
            needs: Vec::new(),
            prefer: None,
            attributes: BTreeMap::new(),
            max_wait: None,
            patient: false,
        }
    }
}

/// Why an interaction is taken out of the queue from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawn {
    /// The customer left: an abandon.
    Abandoned,
    /// The customer took a callback: not an abandon.
    Callback,
    /// The customer or a flow chose another way (voicemail, another queue): an overflow.
    Left,
    /// Our fault.
    Error,
}

/// What happens. Data, so that a day can be written down and run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// An interaction begins to wait.
    Enqueue(Entry),
    /// It leaves before anybody answered.
    Withdraw {
        /// Which.
        interaction: InteractionId,
        /// Why.
        why: Withdrawn,
    },
    /// Its head start is changed.
    SetPriority {
        /// Which.
        interaction: InteractionId,
        /// The new head start, minutes (head starts from attributes stay).
        priority_min: i32,
    },
    /// An agent signs in: away, until they say ready.
    SignIn {
        /// Who.
        agent: AgentId,
    },
    /// An agent signs out: at once, or when the current work is over.
    SignOut {
        /// Who.
        agent: AgentId,
    },
    /// An agent chooses a state. While at work a step out of routing waits for the work to end (`pending`).
    SetState {
        /// Who.
        agent: AgentId,
        /// What.
        state: Choice,
    },
    /// An endpoint of the agent came or went: phone registered (voice), console connected (text).
    Reachable {
        /// Who.
        agent: AgentId,
        /// On which channel.
        channel: Channel,
        /// Came or went.
        up: bool,
    },
    /// The agent takes the offer.
    Accept {
        /// Which.
        offer: OfferId,
    },
    /// The agent refuses the offer and stays ready.
    Decline {
        /// Which.
        offer: OfferId,
    },
    /// The endpoint could not be rung.
    EndpointFailed {
        /// Which.
        offer: OfferId,
        /// For the log.
        why: String,
    },
    /// An agent begins to talk without an offer: dialled out, took over, or was talking when the server restarted.
    Engage {
        /// Which.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// The medium.
        channel: Channel,
        /// Whose wrap-up rules and counters apply.
        queue: Option<QueueId>,
    },
    /// An agent who listened or gave advice is free again: it was never theirs, so nothing is counted and nothing wrapped up.
    Released {
        /// Which.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// The agent put the customer on hold, or came back.
    Hold {
        /// Which.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// On hold or back.
        on: bool,
    },
    /// The agent's part in the interaction is over: wrap-up begins.
    Ended {
        /// Which.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
    },
    /// The agent gives the outcome, while talking or in wrap-up. Giving it again replaces it.
    Dispose {
        /// Which.
        interaction: InteractionId,
        /// Who.
        agent: AgentId,
        /// The outcome.
        code: CodeId,
        /// In the agent's words.
        note: String,
    },
    /// The agent finishes the wrap-up early.
    WrapUpDone {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
    },
    /// The agent needs longer.
    ExtendWrapUp {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
        /// By how much; the whole is bounded by `limits::WRAP_UP_MAX`.
        by: Duration,
    },
    /// To this agent and nobody else: a call to an agent's own number, a supervisor's reassignment. A waiting interaction
    /// keeps its place should the agent not answer; one that does not wait ends with `Exit::NoAnswer`.
    Assign {
        /// Which.
        interaction: InteractionId,
        /// To whom.
        agent: AgentId,
        /// The medium.
        channel: Channel,
    },
    /// As `Assign`, asked for by the one who is to have it: their own state does not matter, only that they can be reached and
    /// have a hand free.
    Pull {
        /// Which.
        interaction: InteractionId,
        /// To whom.
        agent: AgentId,
        /// The medium.
        channel: Channel,
    },
    /// A deadline passed.
    Tick,
}

/// A state an agent may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Takes offers.
    Ready,
    /// Does not, for a coded reason.
    NotReady(CodeId),
    /// Not at the desk.
    Away,
}

/// An agent's own state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Not here.
    #[default]
    SignedOut,
    /// Takes offers (or works on one).
    Ready,
    /// Here, takes no offers, and why.
    NotReady(CodeId),
    /// Signed in, not at the desk.
    Away,
}

impl From<Choice> for AgentState {
    fn from(c: Choice) -> Self {
        match c {
            Choice::Ready => AgentState::Ready,
            Choice::NotReady(code) => AgentState::NotReady(code),
            Choice::Away => AgentState::Away,
        }
    }
}

/// What an agent does with one interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// It rings.
    Alerting,
    /// They talk or write.
    Talking,
    /// The customer hears music.
    Hold,
    /// After-call work.
    WrapUp,
}

/// One interaction in an agent's hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkView {
    /// Which.
    pub interaction: InteractionId,
    /// The medium.
    pub channel: Channel,
    /// The queue it came from.
    pub queue: Option<QueueId>,
    /// What the agent does with it.
    pub state: WorkState,
    /// Since when.
    pub since: Wall,
    /// End of the wrap-up, or of the ringing.
    pub until: Option<Wall>,
    /// The outcome, if given.
    pub disposition: Option<CodeId>,
}

/// An agent as the router sees them; also the output whenever anything of it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentChange {
    /// Who.
    pub agent: AgentId,
    /// The own state, with its reason.
    pub state: AgentState,
    /// Since when.
    pub since: Wall,
    /// The state that follows when the work is over.
    pub pending: Option<AgentState>,
    /// What is in the agent's hands, by interaction.
    pub work: Vec<WorkView>,
    /// Channels the agent can be reached on.
    pub reachable: Vec<Channel>,
}

/// Why an offer is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWhy {
    /// The agent took it.
    Accepted,
    /// The agent refused it.
    Declined,
    /// The customer left, or somebody reassigned it.
    Withdrawn,
    /// It rang out.
    NoAnswer,
    /// Another agent was faster.
    LostRace,
    /// The endpoint could not be rung, or went away.
    EndpointFailed,
}

/// Why the router lets an interaction go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitWhy {
    /// Waited too long.
    Timeout,
    /// Nobody is there to wait for.
    NoAgents,
    /// Too many wait already.
    Full,
    /// The one agent it was for did not take it.
    NoAnswer,
    /// The queue no longer exists.
    QueueGone,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Ring this agent. The offer is a lease: it ends by itself.
    Offer {
        /// Its name, to answer with.
        offer: OfferId,
        /// What is offered.
        interaction: InteractionId,
        /// To whom.
        agent: AgentId,
        /// Until when it rings.
        ring_until: Mono,
        /// The same for the journal.
        ring_until_wall: Wall,
        /// Why this one to this agent.
        decision: Box<Decision>,
    },
    /// Stop ringing. Comes exactly once for every offer.
    StopOffer {
        /// Which.
        offer: OfferId,
        /// What was offered.
        interaction: InteractionId,
        /// To whom.
        agent: AgentId,
        /// Why.
        why: StopWhy,
    },
    /// Let them speak.
    Connect {
        /// Which.
        interaction: InteractionId,
        /// With whom.
        agent: AgentId,
        /// By which offer.
        offer: OfferId,
    },
    /// The interaction left the queue unanswered; the flow goes on with it.
    Exit {
        /// Which.
        interaction: InteractionId,
        /// From where (none for a direct assignment).
        queue: Option<QueueId>,
        /// Why.
        why: ExitWhy,
    },
    /// An agent changed.
    Agent(AgentChange),
    /// Wrap-up began, or its end moved.
    WrapUp {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
        /// When it ends by itself.
        until: Wall,
    },
    /// An outcome was given.
    Disposed {
        /// Which.
        interaction: InteractionId,
        /// By whom.
        agent: AgentId,
        /// The outcome.
        code: CodeId,
        /// In the agent's words.
        note: String,
    },
    /// Wrap-up is over. Comes exactly once per `Ended`, also where the queue has no wrap-up.
    WrapUpOver {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
        /// The outcome, if given.
        disposition: Option<CodeId>,
        /// True if the time ran out.
        timed_out: bool,
    },
    /// Something to count.
    Counted(MetricEvent),
}

/// A command that cannot be obeyed, for the person who gave it. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such agent in the plan.
    #[error("there is no agent `{0}`")]
    UnknownAgent(AgentId),
    /// No such queue in the plan.
    #[error("there is no queue `{0}`")]
    UnknownQueue(QueueId),
    /// It does not wait here.
    #[error("interaction {0} is not waiting")]
    NotWaiting(InteractionId),
    /// It waits already.
    #[error("interaction {0} is already waiting")]
    AlreadyWaiting(InteractionId),
    /// Too late: the lease is over.
    #[error("offer {offer} is over ({why:?})")]
    OfferOver {
        /// Which.
        offer: OfferId,
        /// How it ended.
        why: StopWhy,
    },
    /// Never existed, or is over for so long that it is forgotten.
    #[error("offer {0} is not known (any more)")]
    UnknownOffer(OfferId),
    /// The agent must sign in first.
    #[error("{0} is not signed in")]
    NotSignedIn(AgentId),
    /// The reason is not in the plan.
    #[error("there is no not-ready reason `{0}`")]
    UnknownReason(CodeId),
    /// The outcome is not in the plan or not for this queue.
    #[error("disposition `{0}` is not one of this queue")]
    UnknownDisposition(CodeId),
    /// A disposition is required first.
    #[error("{agent} must give a disposition for {interaction} first")]
    DispositionMissing {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
    },
    /// Not in this agent's hands.
    #[error("{agent} is not working on {interaction}")]
    NotWorking {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
    },
    /// Not in wrap-up.
    #[error("{agent} is not in wrap-up of {interaction}")]
    NotInWrapUp {
        /// Who.
        agent: AgentId,
        /// Which.
        interaction: InteractionId,
    },
    /// Longer than allowed.
    #[error("the wrap-up of {agent} cannot be made longer")]
    WrapUpLimit {
        /// Who.
        agent: AgentId,
    },
    /// The agent cannot take it now.
    #[error("{agent} cannot take it: {why}")]
    CannotTake {
        /// Who.
        agent: AgentId,
        /// Why, as in a decision record.
        why: super::decision::Filter,
    },
    /// Longer than `limits::NOTE_MAX`.
    #[error("the note is longer than {max} bytes")]
    NoteTooLong {
        /// The limit.
        max: usize,
    },
}

/// A queue at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueView {
    /// Which.
    pub queue: QueueId,
    /// Waiting now, alerting ones included.
    pub waiting: usize,
    /// Of those, ringing at an agent.
    pub alerting: usize,
    /// Arrival of who has waited longest.
    pub longest_since: Option<Wall>,
    /// Agents of the queue signed in who can be reached.
    pub signed_in: usize,
    /// Of those, in state ready, free or at work.
    pub ready: usize,
    /// Agents of the queue who could be offered an interaction now, on any channel.
    pub free: usize,
    /// Strict service level (SL1), 0 to 1; none before anything counted.
    pub service_level: Option<f64>,
    /// The running counters.
    pub counts: super::metrics::QueueCounts,
}

/// A wrap-up that ran when the server went down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredWrapUp {
    /// Of which interaction.
    pub interaction: InteractionId,
    /// The medium.
    pub channel: Channel,
    /// From which queue.
    pub queue: Option<QueueId>,
    /// When it began.
    pub since: Wall,
    /// When it ends by itself.
    pub until: Wall,
    /// The outcome, if given.
    pub disposition: Option<CodeId>,
}
