//! One contact of one customer on one channel: what the center holds of it between arrival and closure.
//!
//!     flow ──▶ waiting ──offer──▶ talking ⇄ hold ──▶ (flow goes on | over)
//!       ▲         └─timeout, full, nobody, exit key─┐       └─▶ wrap-up of the agent, also after the customer left
//!       └───────────────────────────────────────────┘
//!
//! Data that exists only in one stage lives in that stage. What is done when lies in the files beside this one.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use media::wire::{BridgeId, LegId, PlayId, RecordId};

use super::{
    fact::{LegRole, Way},
    settings::TenantSettings,
    streams::StreamNow,
};
use crate::{
    base::{
        AgentId, Channel, CustomerId, InteractionId, Mono, Now, OfferId, QueueId, RecordingId, TenantId, TicketId, VisitorId,
        Wall,
    },
    call, ivr, routing, text,
};

/// Everything about one contact.
#[derive(Debug)]
pub(super) struct Interaction {
    pub id: InteractionId,
    pub tenant: TenantId,
    /// The settings it began with.
    pub settings: Arc<TenantSettings>,
    pub channel: Channel,
    pub way: Way,
    pub to: String,
    pub from: String,
    pub customer: CustomerId,
    pub ticket: Option<TicketId>,
    pub opened: Now,
    /// Nodes of the flow passed.
    pub path: Vec<String>,
    /// What the flow learned.
    pub attributes: BTreeMap<String, String>,
    pub run: Option<ivr::Run>,
    /// The queue it waits in, or waited in last.
    pub queue: Option<QueueId>,
    pub waiting: Option<Waiting>,
    /// What it waited for before a restart: the flow finds the same place again.
    pub recovered: Option<routing::Entry>,
    /// Who is being asked right now.
    pub rings: BTreeMap<OfferId, Ring>,
    pub talk: Option<Talk>,
    /// Agents who wrap up, since when.
    pub wraps: BTreeMap<AgentId, Now>,
    pub voice: Option<Voice>,
    pub chat: Option<Chat>,
    /// How many legs it has, those being closed included.
    pub legs: u32,
    /// Legs nothing has been heard of for a while, and whose they are.
    pub unheard: BTreeMap<LegId, LegRole>,
    /// Since when in the present stage.
    pub stage_since: Wall,
    /// Over for the customer.
    pub closed: bool,
}

/// It waits for an agent.
#[derive(Debug)]
pub(super) struct Waiting {
    pub entry: routing::Entry,
    /// When it entered this queue, on the timer clock.
    pub since: Mono,
    /// What is played while waiting.
    pub music: String,
    /// The flow asked for it and is told how it ends.
    pub by_flow: bool,
}

/// One agent being asked.
#[derive(Debug)]
pub(super) struct Ring {
    pub agent: AgentId,
    /// The agent's phone, for calls.
    pub leg: Option<LegId>,
}

/// Customer and agent are together.
#[derive(Debug)]
pub(super) struct Talk {
    pub agent: AgentId,
    pub since: Mono,
    pub leg: Option<LegId>,
    /// The agent's own phone is answered.
    pub up: bool,
    /// They have been put together: before that an agent who dials only hears it ring.
    pub connected: bool,
    pub held_since: Option<Mono>,
    pub held: Duration,
}

impl Talk {
    /// An agent took it.
    pub fn connected(agent: AgentId, since: Mono, leg: Option<LegId>) -> Self {
        Talk { agent, since, leg, up: true, connected: true, held_since: None, held: Duration::ZERO }
    }
    /// An agent is about to talk with a number being rung.
    pub fn dialling(agent: AgentId, since: Mono, leg: LegId) -> Self {
        Talk { agent, since, leg: Some(leg), up: false, connected: false, held_since: None, held: Duration::ZERO }
    }
    /// How long on hold so far.
    pub fn held_total(&self, now: Mono) -> Duration {
        self.held + self.held_since.map_or(Duration::ZERO, |s| now - s)
    }
}

/// The voice part.
#[derive(Debug, Default)]
pub(super) struct Voice {
    /// The customer's leg; none yet while an agent who dials is being rung.
    pub leg: Option<LegId>,
    /// The customer's leg is answered.
    pub up: bool,
    pub play: Option<(PlayId, Playing)>,
    /// What the flow says next, once it has said what it says now.
    pub say: VecDeque<Vec<call::Prompt>>,
    pub bridge: Option<BridgeId>,
    pub recording: Option<RecordingNow>,
    /// Live copies to programs outside.
    pub streams: Vec<StreamNow>,
    /// Recordings that were stopped and are not yet closed.
    pub closing: Vec<Closing>,
    /// A message to be left, once prompt and beep are over.
    pub voicemail: Option<(Duration, ivr::TicketRequest)>,
    /// What the flow said about recording the talk.
    pub record: Option<ivr::Record>,
    /// An outside party being rung or connected by transfer.
    pub outside: Option<Outside>,
    /// The queue whose number was dialled: waited in once the call is answered.
    pub queue_dialled: Option<QueueId>,
    /// Number to ring once the agent's own phone has answered (click to dial).
    pub dial: Option<String>,
}

/// An outside party.
#[derive(Debug)]
pub(super) struct Outside {
    pub leg: LegId,
    pub up: bool,
    /// The flow asked for it and is told how it ends.
    pub by_flow: bool,
}

/// What the customer hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Playing {
    /// Something the flow said: it is told when it is over.
    Flow,
    /// An announcement between two stretches of music.
    Announcement,
    /// Music while waiting or on hold.
    Music,
    /// The prompt before the beep.
    VoicemailPrompt,
    /// The beep.
    Beep,
    /// Ringback while an outside party is rung.
    Ringback,
}

/// A recording that runs.
#[derive(Debug, Clone)]
pub(super) struct RecordingNow {
    pub record: RecordId,
    pub id: RecordingId,
    pub voicemail: Option<Voicemail>,
    pub paused: bool,
}

/// A recording whose file is being closed.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub record: RecordId,
    pub id: RecordingId,
    pub voicemail: Option<Voicemail>,
}

impl RecordingNow {
    /// What must still be known when the file is closed.
    pub fn clone_closing(&self) -> Closing {
        Closing { record: self.record, id: self.id, voicemail: self.voicemail.clone() }
    }
}

/// What becomes of a message being left.
#[derive(Debug, Clone)]
pub(super) struct Voicemail {
    pub ticket: ivr::TicketRequest,
}

/// The written part.
#[derive(Debug)]
pub(super) struct Chat {
    pub visitor: VisitorId,
    pub conversation: text::Conversation,
    /// Position last told to the visitor.
    pub told: Option<(usize, Option<u64>)>,
}

impl Interaction {
    /// The word a console shows for where it is.
    pub fn stage(&self) -> &'static str {
        if self.closed {
            return "wrap_up";
        }
        match &self.talk {
            Some(t) if t.held_since.is_some() => return "hold",
            Some(_) => return "talking",
            None => {}
        }
        if !self.rings.is_empty() {
            return "offered";
        }
        if self.waiting.is_some() {
            return "waiting";
        }
        if self.voice.as_ref().is_some_and(|v| v.recording.as_ref().is_some_and(|r| r.voicemail.is_some())) {
            return "voicemail";
        }
        "flow"
    }

    /// The customer's leg, while there is one.
    pub fn customer_leg(&self) -> Option<LegId> {
        self.voice.as_ref().and_then(|v| v.leg)
    }

    /// Nothing is left to do with it.
    pub fn is_over(&self) -> bool {
        let files = self.voice.as_ref().is_none_or(|v| v.closing.is_empty() && v.recording.is_none());
        self.closed && self.legs == 0 && files && self.wraps.is_empty() && self.talk.is_none() && self.rings.is_empty()
    }
}
