//! What facts about contacts and agents change: interactions, waits, segments, decisions, messages, recordings, states.

use super::{super::engine::values, Change};
use crate::{
    base::{InteractionId, TenantId, TicketId},
    center::fact::{Fact, Record},
};

/// The statements one fact amounts to. Facts that only the journal keeps amount to none.
pub(super) fn changes(record: &Record, out: &mut Vec<Change>) {
    let tenant = &record.tenant;
    match &record.fact {
        Fact::InteractionOpened { .. } | Fact::InteractionClosed { .. } => life(record, out),
        Fact::Queued { .. } | Fact::Unqueued { .. } => waiting(record, out),
        Fact::Offered { .. } | Fact::OfferEnded { .. } => offers(record, out),
        Fact::Connected { .. } | Fact::TalkEnded { .. } | Fact::Disposed { .. } | Fact::WrapUpOver { .. } => {
            handling(record, out)
        }
        Fact::RecordingStarted { .. } | Fact::RecordingEnded { .. } | Fact::VoicemailLeft { .. } => recordings(record, out),
        Fact::Message { interaction, message } => out.push((
            "INSERT INTO messages (tenant, interaction, seq, id, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            values![tenant, *interaction, message.seq, message.id, text_of(message)],
        )),
        Fact::AgentState { agent, state, since, .. } => out.push((
            "INSERT INTO agent_states (seq, tenant, agent, since, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            values![record.seq, tenant, agent, *since, text_of(state)],
        )),
        // Tickets and customers have their own machines. The rest is read from the journal itself when it is asked for.
        Fact::Ticket { .. }
        | Fact::Customer { .. }
        | Fact::NodeStarted { .. }
        | Fact::FlowStarted { .. }
        | Fact::FlowEntered { .. }
        | Fact::FlowSaved { .. }
        | Fact::FlowEvent { .. }
        | Fact::Held { .. }
        | Fact::Transferred { .. }
        | Fact::WrapUp { .. }
        | Fact::LegOpened { .. }
        | Fact::LegDialog { .. }
        | Fact::LegTrouble { .. }
        | Fact::LegEnded { .. }
        | Fact::ReadUpTo { .. }
        | Fact::Counted { .. }
        | Fact::CallOut { .. }
        | Fact::Alarm { .. } => {}
    }
}

fn life(record: &Record, out: &mut Vec<Change>) {
    match &record.fact {
        Fact::InteractionOpened { interaction, channel, way, to, from, customer, ticket, visitor } => out.push((
            "INSERT INTO interactions (tenant, id, channel, way, called, caller, customer, ticket, visitor, opened_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            values![
                &record.tenant,
                *interaction,
                channel.as_str(),
                word_of(way),
                to,
                from,
                *customer,
                *ticket,
                *visitor,
                record.at
            ],
        )),
        Fact::InteractionClosed { interaction, cause, by } => out.push((
            "UPDATE interactions SET closed_at = $3, cause = $4, ended_by = $5 WHERE tenant = $1 AND id = $2",
            values![&record.tenant, *interaction, record.at, word_of(cause), word_of(by)],
        )),
        _ => {}
    }
}

fn waiting(record: &Record, out: &mut Vec<Change>) {
    let tenant = &record.tenant;
    match &record.fact {
        Fact::Queued { entry } => {
            out.push((
                "UPDATE interactions SET queue = $3, unqueued = NULL WHERE tenant = $1 AND id = $2",
                values![tenant, entry.interaction, &entry.queue],
            ));
            // A restart puts the same stay into the router again: it goes on, it does not begin anew.
            out.push((
                "INSERT INTO waits (seq, tenant, interaction, queue, entered_at) \
                 SELECT CAST($1 AS BIGINT), $2, $3, $4, CAST($5 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM waits \
                 WHERE tenant = $2 AND interaction = $3 AND queue = $4 AND left_at IS NULL) ON CONFLICT DO NOTHING",
                values![record.seq, tenant, entry.interaction, &entry.queue, record.at],
            ));
        }
        Fact::Unqueued { interaction, queue, why, waited_ms } => {
            out.push((
                "UPDATE interactions SET unqueued = $3, waited_ms = $4 WHERE tenant = $1 AND id = $2",
                values![tenant, *interaction, word_of(why), *waited_ms],
            ));
            out.push((
                "UPDATE waits SET left_at = $4, why = $5, waited_ms = $6 \
                 WHERE tenant = $1 AND interaction = $2 AND queue = $3 AND left_at IS NULL",
                values![tenant, *interaction, queue, record.at, word_of(why), *waited_ms],
            ));
        }
        _ => {}
    }
}

fn offers(record: &Record, out: &mut Vec<Change>) {
    let tenant = &record.tenant;
    match &record.fact {
        Fact::Offered { interaction, offer, agent, until, decision } => out.push((
            "INSERT INTO decisions (tenant, offer, seq, interaction, agent, at, until_at, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            values![tenant, *offer, record.seq, *interaction, agent, record.at, *until, text_of(decision)],
        )),
        Fact::OfferEnded { offer, why, .. } => out.push((
            "UPDATE decisions SET ended_at = $3, outcome = $4 WHERE tenant = $1 AND offer = $2",
            values![tenant, *offer, record.at, text_of(why)],
        )),
        _ => {}
    }
}

fn handling(record: &Record, out: &mut Vec<Change>) {
    let tenant = &record.tenant;
    match &record.fact {
        Fact::Connected { interaction, agent, .. } => {
            out.push((
                "UPDATE interactions SET agent = $3, answered_at = COALESCE(answered_at, $4) WHERE tenant = $1 AND id = $2",
                values![tenant, *interaction, agent, record.at],
            ));
            out.push((
                "INSERT INTO segments (seq, tenant, interaction, agent, queue, began_at) \
                 SELECT CAST($1 AS BIGINT), tenant, id, $4, queue, CAST($5 AS BIGINT) FROM interactions \
                 WHERE tenant = $2 AND id = $3 ON CONFLICT DO NOTHING",
                values![record.seq, tenant, *interaction, agent, record.at],
            ));
        }
        Fact::TalkEnded { interaction, agent, talk_ms, hold_ms, .. } => {
            out.push((
                "UPDATE interactions SET talk_ms = talk_ms + $3, hold_ms = hold_ms + $4 WHERE tenant = $1 AND id = $2",
                values![tenant, *interaction, *talk_ms, *hold_ms],
            ));
            out.push((
                "UPDATE segments SET ended_at = $4, talk_ms = talk_ms + $5, hold_ms = hold_ms + $6 WHERE seq = (SELECT MAX(seq) \
                 FROM segments WHERE tenant = $1 AND interaction = $2 AND agent = $3)",
                values![tenant, *interaction, agent, record.at, *talk_ms, *hold_ms],
            ));
        }
        Fact::Disposed { interaction, code, note, .. } => out.push((
            "UPDATE interactions SET disposition = $3, note = $4 WHERE tenant = $1 AND id = $2",
            values![tenant, *interaction, code, note],
        )),
        Fact::WrapUpOver { interaction, agent, wrap_ms, .. } => {
            out.push((
                "UPDATE interactions SET wrap_ms = wrap_ms + $3 WHERE tenant = $1 AND id = $2",
                values![tenant, *interaction, *wrap_ms],
            ));
            out.push((
                "UPDATE segments SET wrap_ms = wrap_ms + $4 WHERE seq = (SELECT MAX(seq) FROM segments \
                 WHERE tenant = $1 AND interaction = $2 AND agent = $3)",
                values![tenant, *interaction, agent, *wrap_ms],
            ));
        }
        _ => {}
    }
}

fn recordings(record: &Record, out: &mut Vec<Change>) {
    let tenant = &record.tenant;
    match &record.fact {
        Fact::RecordingStarted { interaction, recording, file } => out.push((
            "INSERT INTO recordings (tenant, id, seq, interaction, file, began_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT DO NOTHING",
            values![tenant, *recording, record.seq, *interaction, file, record.at],
        )),
        Fact::RecordingEnded { recording, ms, bytes, trouble, .. } => out.push((
            "UPDATE recordings SET ended_at = $3, ms = $4, bytes = $5, trouble = $6 WHERE tenant = $1 AND id = $2",
            values![tenant, *recording, record.at, *ms, *bytes, trouble.as_deref()],
        )),
        Fact::VoicemailLeft { recording, .. } => {
            out.push(("UPDATE recordings SET voicemail = 1 WHERE tenant = $1 AND id = $2", values![tenant, *recording]))
        }
        _ => {}
    }
}

/// The contacts of a ticket, as the machine of tickets lists them, point to it.
pub(super) fn joined(tenant: &TenantId, interaction: InteractionId, ticket: TicketId) -> Change {
    ("UPDATE interactions SET ticket = $3 WHERE tenant = $1 AND id = $2", values![tenant, interaction, ticket])
}

fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("types of facts have been written to the journal as JSON just before")
}

/// The name serde gives a value that is one word: what `read` reads it back by.
fn word_of(value: &impl serde::Serialize) -> String {
    text_of(value).trim_matches('"').to_owned()
}
