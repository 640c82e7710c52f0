//! What is left of a fact when the person it is about is forgotten: enough for reports, nothing that says who or what.

use super::{Fact, Way};
use crate::base::VisitorId;

impl Fact {
    /// The same without the customer of its contact: numbers, names, words, notes, sound. None: nothing of it is left.
    ///
    /// What is kept is what reports and a rebuild of lists need: when it was, who of us handled it, how long, how it ended.
    /// A kind that is not named here is not kept, so that a new one cannot leak.
    pub fn without_person(self) -> Option<Fact> {
        let none: Option<VisitorId> = None;
        Some(match self {
            Fact::InteractionOpened { interaction, channel, way, to, customer, ticket, .. } => Fact::InteractionOpened {
                interaction,
                channel,
                way,
                // Whom we dialled is who is to be forgotten.
                to: if way == Way::Inbound { to } else { String::new() },
                from: String::new(),
                customer,
                ticket,
                visitor: none,
                verdict: None,
            },
            Fact::Queued { mut entry } => {
                entry.attributes.clear();
                Fact::Queued { entry }
            }
            Fact::Disposed { interaction, agent, code, .. } => Fact::Disposed { interaction, agent, code, note: String::new() },
            Fact::Rated { interaction, by, score, best, .. } => {
                Fact::Rated { interaction, by, score, best, comment: String::new() }
            }
            kept @ (Fact::FlowStarted { .. }
            | Fact::FlowEntered { .. }
            | Fact::Unqueued { .. }
            | Fact::Offered { .. }
            | Fact::OfferEnded { .. }
            | Fact::Connected { .. }
            | Fact::Held { .. }
            | Fact::TalkEnded { .. }
            | Fact::WrapUp { .. }
            | Fact::WrapUpOver { .. }
            | Fact::InteractionClosed { .. }) => kept,
            _ => return None,
        })
    }
}
