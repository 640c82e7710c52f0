//! What a fact is about and what it is called.

use super::Fact;
use crate::base::InteractionId;

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
            | CallbackBooked { interaction, .. }
            | CallbackTried { interaction, .. }
            | Transferred { interaction, .. }
            | Consulted { interaction, .. }
            | ConsultAnswered { interaction, .. }
            | ConsultMerged { interaction, .. }
            | ConsultEnded { interaction, .. }
            | Muted { interaction, .. }
            | KeysSent { interaction, .. }
            | Supervised { interaction, .. }
            | SupervisionEnded { interaction, .. }
            | TakenOver { interaction, .. }
            | Reassigned { interaction, .. }
            | Prioritised { interaction, .. }
            | RecordingPaused { interaction, .. }
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
            | Said { interaction, .. }
            | Message { interaction, .. }
            | ReadUpTo { interaction, .. }
            | Rated { interaction, .. } => *interaction,
            Queued { entry } => entry.interaction,
            CallOut { interaction, .. } => return *interaction,
            NodeStarted { .. }
            | CallOutOver { .. }
            | Ticket { .. }
            | Customer { .. }
            | AgentState { .. }
            | EndpointChosen { .. }
            | Counted { .. }
            | Alarm { .. }
            | AlertRaised { .. }
            | AlertCleared { .. }
            | AlertAcked { .. } => {
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
            CallbackBooked { .. } => "callback_booked",
            CallbackTried { .. } => "callback_tried",
            Transferred { .. } => "transferred",
            Consulted { .. } => "consulted",
            ConsultAnswered { .. } => "consult_answered",
            ConsultMerged { .. } => "consult_merged",
            ConsultEnded { .. } => "consult_ended",
            Muted { .. } => "muted",
            KeysSent { .. } => "keys_sent",
            Supervised { .. } => "supervised",
            SupervisionEnded { .. } => "supervision_ended",
            TakenOver { .. } => "taken_over",
            Reassigned { .. } => "reassigned",
            Prioritised { .. } => "prioritised",
            RecordingPaused { .. } => "recording_paused",
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
            Said { .. } => "said",
            Message { .. } => "message",
            ReadUpTo { .. } => "read_up_to",
            Rated { .. } => "rated",
            Ticket { .. } => "ticket",
            Customer { .. } => "customer",
            AgentState { .. } => "agent_state",
            EndpointChosen { .. } => "endpoint_chosen",
            Counted { .. } => "counted",
            CallOut { .. } => "call_out",
            CallOutOver { .. } => "call_out_over",
            Alarm { .. } => "alarm",
            AlertRaised { .. } => "alert_raised",
            AlertCleared { .. } => "alert_cleared",
            AlertAcked { .. } => "alert_acked",
        }
    }
}
