//! How a contact sounded: each of its legs as a course over time, ready to be drawn.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, Shared, agents, feed, guard::Who, scope, wire};
use crate::{
    call::Spans,
    center::{fact::Quality as Kept, quality::sounded},
};

/// How the legs of a contact sounded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quality {
    /// Which contact.
    interaction: String,
    /// In the order they came.
    legs: Vec<QualityLeg>,
}

/// One leg: what came from that party to us.
#[derive(Debug, Serialize, ToSchema)]
pub struct QualityLeg {
    /// Its number, as in the timeline.
    leg: u64,
    /// `customer`, `agent`, `outside`, `helper`, `supervisor`.
    role: String,
    /// Number, or agent.
    party: String,
    /// When it began, RFC 3339.
    from: String,
    /// When it ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// RTP packets received.
    packets_in: u64,
    /// RTP packets sent.
    packets_out: u64,
    /// Packets lost on the way to us.
    lost: u64,
    /// Came twice or too late.
    discarded: u64,
    /// Sound made up or left silent, milliseconds; known where it was decoded.
    concealed_ms: u32,
    /// Average mean opinion score, 1 to 4.5 (E-model, ITU-T G.107).
    mos_avg: Option<f32>,
    /// The worst of the spans.
    mos_min: Option<f32>,
    /// The same of what we sent, as the peer heard it, where it says so (RFC 3611).
    peer_mos: Option<f32>,
    /// Its course; absent for a leg of a few seconds, and for one of before courses were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    course: Option<QualityCourse>,
}

/// Columns of equal length, a row a span: five seconds each, more in calls of more than a quarter of an hour.
#[derive(Debug, Serialize, ToSchema)]
pub struct QualityCourse {
    /// When the first span began, RFC 3339.
    from: String,
    /// When each ended, milliseconds after `from`.
    until_ms: Vec<u64>,
    /// Mean opinion score; none where nothing came.
    mos: Vec<Option<f32>>,
    /// Packets lost or too late, percent; none where none were due.
    loss_percent: Vec<Option<f32>>,
    /// Interarrival jitter, milliseconds; none where nothing came.
    jitter_ms: Vec<Option<f32>>,
    /// Round trip, milliseconds, as far as known.
    rtt_ms: Vec<Option<f32>>,
    /// Sound made up or left silent, milliseconds.
    concealed_ms: Vec<u32>,
}

impl From<&Spans> for QualityCourse {
    fn from(spans: &Spans) -> Self {
        let fine = |x: f32| (x * 100.0).round() / 100.0;
        let rows = &spans.rows;
        let mut at = 0;
        let until = |ms: u32| {
            at += u64::from(ms);
            at
        };
        QualityCourse {
            from: spans.from.rfc3339(),
            until_ms: rows.iter().map(|s| s.ms).map(until).collect(),
            mos: rows.iter().map(|s| s.mos().map(fine)).collect(),
            loss_percent: rows.iter().map(|s| s.loss_percent().map(fine)).collect(),
            jitter_ms: rows.iter().map(|s| (s.packets_in > 0).then(|| fine(s.jitter_us as f32 / 1_000.0))).collect(),
            rtt_ms: rows.iter().map(|s| s.rtt_us.map(|us| fine(us as f32 / 1_000.0))).collect(),
            concealed_ms: rows.iter().map(|s| s.concealed_ms).collect(),
        }
    }
}

/// How it sounded: loss, jitter, round trip, concealed time and mean opinion score of each leg, every few seconds. Of a call that
/// goes on, as far as it has come. Without legs for what is no call.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/quality", tag = "interactions", params(("id" = String, Path)),
    responses((status = 200, body = Quality), (status = 404, body = Problem)))]
pub async fn quality(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Quality>, Problem> {
    let id = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, id).await?;
    let facts = shared.store.legs_timeline(&who.tenant, id).await.map_err(Problem::internal)?;
    // Who listens is kept from agents here as everywhere.
    let mut discreet = feed::Discreet::new(who.supervises() || agents::picture(&shared, &who).tell_agents);
    let mut legs = sounded(facts.iter().filter(|r| discreet.lets(&r.fact)));
    let going: Vec<u64> = legs.iter().filter(|l| l.until.is_none()).map(|l| l.leg).collect();
    if !going.is_empty() {
        let mut now = shared.door.quality(going).await;
        for l in legs.iter_mut().filter(|l| l.until.is_none()) {
            l.quality = now.remove(&l.leg);
        }
    }
    let shown = |l: crate::center::quality::Sounded| {
        let q: Kept = l.quality.unwrap_or_default();
        QualityLeg {
            leg: l.leg,
            role: wire::word(&l.role),
            party: l.party,
            from: l.from.rfc3339(),
            until: l.until.map(|at| at.rfc3339()),
            packets_in: q.packets_in,
            packets_out: q.packets_out,
            lost: q.lost,
            discarded: q.discarded,
            concealed_ms: q.concealed_ms,
            mos_avg: q.mos_avg,
            mos_min: q.mos_min,
            peer_mos: q.peer_mos.or(q.peer_mos_listening),
            course: q.spans.as_deref().map(QualityCourse::from),
        }
    };
    Ok(Json(Quality { interaction: id.to_string(), legs: legs.into_iter().map(shown).collect() }))
}
