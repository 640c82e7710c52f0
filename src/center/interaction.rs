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

use media::wire::{Audience, BridgeId, LegId, PlayId, RecordId, TapId};

use super::{
    callback::Callback,
    command::{SuperviseMode, TransferTo},
    fact::{EndedBy, LegRole, Way},
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
    /// What it waited with last.
    pub stood: Option<routing::Entry>,
    /// The customer is to be called: this is the call back.
    pub callback: Option<Callback>,
    /// The call back its customer has asked for.
    pub booked: Option<InteractionId>,
    /// What it waited for before a restart: the flow finds the same place again.
    pub recovered: Option<routing::Entry>,
    /// Who is being asked right now.
    pub rings: BTreeMap<OfferId, Ring>,
    pub talk: Option<Talk>,
    /// Agents who wrap up, since when.
    pub wraps: BTreeMap<AgentId, Now>,
    /// Who listens, whispers or takes part besides.
    pub supervisors: BTreeMap<AgentId, Supervisor>,
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
    /// The same on the wall clock, for people.
    pub at: Wall,
    pub leg: Option<LegId>,
    /// The agent's own phone is answered.
    pub up: bool,
    /// They have been put together: before that an agent who dials only hears it ring.
    pub connected: bool,
    pub held_since: Option<Mono>,
    /// The same on the wall clock, for people.
    pub held_at: Wall,
    pub held: Duration,
    /// Nobody hears the agent.
    pub muted: bool,
    /// The agent's phone is gone, and is waited for.
    pub lost: Option<Lost>,
}

/// A phone that is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lost {
    /// The leg that was lost.
    pub leg: LegId,
    /// How long.
    pub until: Mono,
}

impl Talk {
    /// An agent took it.
    pub fn connected(agent: AgentId, since: Now, leg: Option<LegId>) -> Self {
        Talk { up: true, connected: true, ..Talk::dialling(agent, since, leg) }
    }
    /// An agent is about to talk with a number being rung.
    pub fn dialling(agent: AgentId, since: Now, leg: impl Into<Option<LegId>>) -> Self {
        Talk {
            agent,
            since: since.mono,
            at: since.wall,
            leg: leg.into(),
            up: false,
            connected: false,
            held_since: None,
            held_at: since.wall,
            held: Duration::ZERO,
            muted: false,
            lost: None,
        }
    }
    /// How long on hold so far.
    pub fn held_total(&self, now: Mono) -> Duration {
        self.held + self.held_since.map_or(Duration::ZERO, |s| now - s)
    }
}

/// Somebody who looks over the agent's shoulder.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub mode: SuperviseMode,
    pub since: Wall,
    /// The supervisor's phone, for calls.
    pub leg: Option<LegId>,
    /// It is answered (a chat needs no answer).
    pub up: bool,
    /// Wants to be the agent as soon as the phone is answered.
    pub takes_over: bool,
}

/// Somebody who is asked for advice.
#[derive(Debug)]
pub(super) struct Consult {
    pub to: TransferTo,
    pub since: Wall,
    /// Its place in the queue, if a queue is asked.
    pub entry: Option<routing::Entry>,
    /// The agent who answered.
    pub helper: Option<AgentId>,
    /// By which offer.
    pub offer: Option<OfferId>,
    /// The helper's leg: an agent's once answered, a number's from the start.
    pub leg: Option<LegId>,
    pub up: bool,
    /// Customer, agent and helper talk together.
    pub merged: bool,
    /// Ringing for the agent who waits, or music for the helper who does, and on which leg.
    pub play: Option<(LegId, PlayId)>,
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
    /// Who hears whom, as the engine was last told.
    pub rows: Audience,
    /// The number being rung that says something before it answers, and may be heard by who waits for it.
    pub early: Option<LegId>,
    /// Who is asked for advice.
    pub consult: Option<Consult>,
    /// The customer hung up while agent and helper talked: they finish, then it is over, and this is why.
    pub left: Option<(call::Cause, EndedBy)>,
    pub recording: Option<RecordingNow>,
    /// Live copies to programs outside.
    pub streams: Vec<StreamNow>,
    /// Who is listened to, and by which tap.
    pub ears: Vec<(LegId, TapId)>,
    /// Nothing is to be heard: card digits.
    pub deaf: bool,
    /// Recordings that were stopped and are not yet closed.
    pub closing: Vec<Closing>,
    /// A message to be left, once prompt and beep are over.
    pub voicemail: Option<(Duration, ivr::TicketRequest)>,
    /// What the flow said about recording the talk.
    pub record: Option<ivr::Record>,
    /// The carrier has been asked to take the caller away; true: by the flow.
    pub away: Option<bool>,
    /// An outside party being rung or connected by transfer.
    pub outside: Option<Outside>,
    /// The one phone of an agent that is called by an address of its own, until it is rung.
    pub device: Option<(AgentId, String)>,
    /// The queue whose number was dialled: waited in once the call is answered.
    pub queue_dialled: Option<QueueId>,
    /// Number to ring once the agent's own phone has answered (click to dial).
    pub dial: Option<String>,
    /// A trunk is being tried: whoever answers hears tones.
    pub trial: bool,
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
    /// What a machine is told that answered for the customer, or whoever answers a test call: it is the last they hear.
    Message,
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
    /// What is on the channels.
    pub sides: (Option<LegId>, Option<LegId>),
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
        if self.callback.as_ref().is_some_and(Callback::rests) {
            return "scheduled";
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

    /// Who is being asked for advice.
    pub fn consult(&self) -> Option<&Consult> {
        self.voice.as_ref().and_then(|v| v.consult.as_ref())
    }

    /// Whether this agent helps here.
    pub fn is_helped_by(&self, agent: &AgentId) -> bool {
        self.consult().is_some_and(|c| c.helper.as_ref() == Some(agent))
    }

    /// Nothing is left to do with it.
    pub fn is_over(&self) -> bool {
        let files = self.voice.as_ref().is_none_or(|v| v.closing.is_empty() && v.recording.is_none());
        self.closed && self.legs == 0 && files && self.wraps.is_empty() && self.talk.is_none() && self.rings.is_empty()
    }
}
