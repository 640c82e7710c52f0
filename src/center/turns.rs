//! What waits in the center: steps for their turn, timers for their time; and what the legs of a contact are for.

use media::wire::LegId;

use crate::{
    base::{AgentId, InteractionId, OfferId, TenantId, TicketId},
    call, ivr, routing,
};

/// What a leg is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LegUse {
    Customer,
    /// An agent's phone being rung for an offer.
    Offer(OfferId),
    /// The phone of the agent who talks, or who dials.
    Agent,
    /// A party reached by transfer.
    Outside,
    /// The helper of a consultation.
    Helper,
    /// The phone of a supervisor.
    Supervisor(AgentId),
}

/// A step that waits its turn.
#[derive(Debug)]
pub(super) enum Step {
    Call(call::Action),
    Route(TenantId, routing::Input),
    Run(InteractionId, ivr::Input),
    /// Who is to be listened to may be somebody else now.
    Listen(InteractionId),
}

/// What happens when its time has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The flow of an interaction.
    Run(InteractionId),
    /// A message has been spoken long enough.
    Voicemail(InteractionId),
    /// A lost phone has been waited for long enough.
    AgentLost(InteractionId),
    /// The agent is reminded of a customer on hold.
    Hold(InteractionId),
    /// A number outside has been asked long enough whether a person is there.
    Confirm(LegId),
    /// The idle clocks of a conversation.
    Chat(InteractionId),
    /// A ticket's clock.
    Ticket(TenantId, TicketId),
    /// A kept place is forgotten.
    Place(TenantId, String),
    /// A customer is called back again, or a machine has not beeped.
    Callback(InteractionId),
    /// Nobody is called back after so long.
    CallbackLife(InteractionId),
    /// A visitor's login has waited long enough for its call, or the call has lasted long enough.
    Guest(String),
    /// Waiting visitors are told their place.
    Positions,
    /// The tenant's counting day ends.
    NewDay(TenantId),
    /// A figure of a queue may be past its limit.
    Alerts(TenantId),
    /// Nothing has been kept from a tenant's trunks for a while.
    Toll(TenantId),
    /// What still came after the end of a contact has come.
    Ladder(InteractionId),
}
