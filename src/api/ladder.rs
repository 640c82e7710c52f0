//! The SIP ladder of a contact: as data, drawn as text, as a capture file; and what it tells of why a call failed.
//!
//! A contact that goes on has one too, as far as it has come. Every look is noted in the audit log: the messages name numbers,
//! addresses and devices of customers.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Problem, Shared, guard::Who, problem::Params, scope, wire};
use crate::{base::InteractionId, center::ladder::Ladder as Kept};

/// In which form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `json` (the default), `text` (drawn, then every message), or `pcap` (a file for Wireshark).
    format: Option<String>,
}

/// Every SIP message of a contact, without secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ladder {
    /// Which contact.
    interaction: String,
    /// Who took part besides us, in the order they came.
    parties: Vec<LadderParty>,
    /// The messages, in the order of the wire.
    messages: Vec<LadderMessage>,
    /// Messages left out because a limit was reached.
    dropped: u64,
}

/// A leg.
#[derive(Debug, Serialize, ToSchema)]
pub struct LadderParty {
    /// Its number, as in the timeline.
    leg: u64,
    /// `customer`, `agent`, `outside`, `helper`, `supervisor`.
    role: String,
    /// Number, or agent.
    name: String,
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct LadderMessage {
    /// When it was read, or sent.
    at: String,
    /// Milliseconds since the first.
    after_ms: f64,
    /// Of which leg.
    leg: u64,
    /// Ours; else theirs.
    sent: bool,
    /// `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    transport: String,
    /// Our address.
    local: String,
    /// Theirs.
    remote: String,
    /// `INVITE`, of a response what it answers.
    method: String,
    /// Of a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// On one line: `INVITE (SDP)`, `180 Ringing`.
    title: String,
    /// The whole message. `***` stands for secrets.
    text: String,
}

/// What is known of a contact's messages: stored, or still in the air.
pub(super) async fn read(shared: &Shared, who: &Who, id: InteractionId) -> Result<Option<Kept>, Problem> {
    let stored = async || shared.store.ladder_get(&who.tenant, id).await.map_err(Problem::internal);
    let mut kept = stored().await?;
    match (&mut kept, shared.door.ladder(&who.tenant, id).await.map(|order| order.ladder())) {
        // Stored between the two looks, or never kept.
        (None, None) => kept = stored().await?,
        (None, now) => kept = now,
        // The same, stored a moment ago; else what came after a restart.
        (Some(k), Some(now)) if !k.knows(&now) => k.append(now),
        (Some(_), _) => {}
    }
    Ok(kept)
}

/// The SIP messages of a contact's legs. 404 where none are kept: a chat, a contact of before they were, `[sip] ladder = false`.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/ladder", tag = "interactions", params(("id" = String, Path), Wanted),
    responses((status = 200, body = Ladder), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn ladder(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(form): Params<Wanted>,
) -> Result<Response, Problem> {
    let id = wire::interaction_id(&id)?;
    let form = form.format.as_deref().unwrap_or("json");
    if !["json", "text", "pcap"].contains(&form) {
        return Err(Problem::invalid("format", "expected json, text or pcap"));
    }
    scope::may_see(&shared, &who, id).await?;
    let Some(kept) = read(&shared, &who, id).await? else {
        return Err(Problem::not_found(format!("a ladder of interaction `{id}`")));
    };
    wire::audit(&shared, &who, "ladder.read", &id.to_string(), None, None).await?;
    let file = |kind: &'static str, end: &str, body: Vec<u8>| {
        let name = format!("attachment; filename=\"{id}.{end}\"");
        let headers = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, name),
            (header::CACHE_CONTROL, "private, no-store".to_owned()),
        ];
        (headers, body).into_response()
    };
    Ok(match form {
        "text" => file("text/plain; charset=utf-8", "txt", kept.text().into_bytes()),
        "pcap" => file("application/vnd.tcpdump.pcap", "pcap", kept.pcap()),
        _ => Json(document(id, &kept)).into_response(),
    })
}

fn document(id: InteractionId, kept: &Kept) -> Ladder {
    let first = kept.steps.first().map(|s| s.at);
    let parties = kept.parties.iter().map(|p| LadderParty { leg: p.leg, role: wire::word(&p.role), name: p.name.clone() });
    let messages = kept.steps.iter().map(|s| LadderMessage {
        at: s.at.rfc3339(),
        after_ms: first.map_or(0.0, |f| s.at.since(f).as_micros() as f64 / 1_000.0),
        leg: s.leg,
        sent: s.sent,
        transport: s.transport.to_string(),
        local: s.local.to_string(),
        remote: s.remote.to_string(),
        method: s.method().to_owned(),
        status: s.status(),
        title: s.title(),
        text: s.text.clone(),
    });
    Ladder { interaction: id.to_string(), parties: parties.collect(), messages: messages.collect(), dropped: kept.dropped }
}

/// Why a contact failed, or why there was no sound.
#[derive(Debug, Serialize, ToSchema)]
pub struct Why {
    /// Which contact.
    interaction: String,
    /// What matters most first; at least one.
    findings: Vec<WhyFinding>,
}

/// One thing that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyFinding {
    /// A stable word: `refused`, `no_sound`, `behind_nat`, `wrong_keys`, ..
    code: String,
    /// It went wrong; else it merely happened.
    fault: bool,
    /// Of which leg; absent: of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    leg: Option<u64>,
    /// What that leg is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// Number, or agent.
    party: String,
    /// `peer`, `us`, `between`.
    side: String,
    /// `route`, `setup`, `description`, `keys`, `media`, `end`.
    step: String,
    /// A sentence.
    en: String,
    /// The same in Chinese.
    zh: String,
    /// What it follows from.
    evidence: Vec<String>,
}

/// Why it failed, or why there was no sound: which leg, which side, which step, in sentences.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/why", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = Why), (status = 404, body = Problem)))]
pub async fn why(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Why>, Problem> {
    let id = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, id).await?;
    let kept = read(&shared, &who, id).await?;
    let facts = shared.store.legs_timeline(&who.tenant, id).await.map_err(Problem::internal)?;
    let findings = crate::center::why::why(&facts, kept.as_ref()).into_iter().map(|f| WhyFinding {
        code: wire::word(&f.code),
        fault: f.fault,
        leg: f.leg,
        role: f.role.map(|r| wire::word(&r)),
        party: f.party,
        side: wire::word(&f.side),
        step: wire::word(&f.step),
        en: f.en,
        zh: f.zh,
        evidence: f.evidence,
    });
    Ok(Json(Why { interaction: id.to_string(), findings: findings.collect() }))
}
