//! Trunks: how they are, and a question to one of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, Shared,
    agents::{dialled, picture},
    guard::Who,
    problem::Body,
    wire,
};
use crate::{
    base::{TrunkId, Wall, ms},
    call::trunk::Snapshot,
    center::command::Command,
};

/// One trunk now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trunk {
    /// `up`, `down`; `unknown` where nobody has asked.
    state: String,
    /// `registered`, `not_registered`; `off` where none is wanted.
    registration: String,
    /// What the registrar said last: status and words.
    registrar_said: Option<String>,
    /// When.
    registrar_said_at: Option<String>,
    /// How much longer the registration is good for, seconds.
    registered_for_s: Option<u64>,
    /// How long the last answer to an OPTIONS took, milliseconds.
    rtt_ms: Option<f64>,
    /// When it came.
    answered_at: Option<String>,
    /// A test is under way.
    testing: bool,
    /// For so many seconds no call is sent there, because it asked for that.
    paused_for_s: Option<u64>,
    /// Calls at once, both ways.
    calls: usize,
    /// Why the last call that failed on it did.
    last_failure: Option<String>,
    /// When that was.
    last_failure_at: Option<String>,
    /// Since the start: calls that went out by it.
    attempts: u64,
    /// Of these, answered.
    answered: u64,
    /// Of these, refused by the carrier or met by silence.
    failed: u64,
    /// Calls that came in by it.
    incoming: u64,
    /// Calls, either way, that a limit kept away.
    limited: u64,
    /// Callers somebody we trust vouched for.
    callers_verified: u64,
    /// Callers somebody seemed to vouch for, and it did not hold.
    callers_failed: u64,
    /// Callers nobody vouched for, where that was looked at.
    callers_absent: u64,
}

impl From<&Snapshot> for Trunk {
    fn from(s: &Snapshot) -> Self {
        let at = |w: Option<Wall>| w.map(Wall::rfc3339);
        Trunk {
            state: s.state.to_owned(),
            registration: s.registration.to_owned(),
            registrar_said: s.registrar_said.clone(),
            registrar_said_at: at(s.registrar_said_at),
            registered_for_s: s.registered_for_s,
            rtt_ms: s.rtt_ms,
            answered_at: at(s.answered_at),
            testing: s.testing,
            paused_for_s: s.paused_for_s,
            calls: s.calls,
            last_failure: s.last_failure.clone(),
            last_failure_at: at(s.last_failure_at),
            attempts: s.counts.attempts,
            answered: s.counts.answered,
            failed: s.counts.failed,
            incoming: s.counts.incoming,
            limited: s.counts.limited,
            callers_verified: s.counts.verified,
            callers_failed: s.counts.unverified,
            callers_absent: s.counts.unvouched,
        }
    }
}

/// What a test found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tested {
    /// It answered.
    reachable: bool,
    /// How long that took, milliseconds.
    rtt_ms: Option<f64>,
    /// The trunk after the test.
    trunk: Trunk,
}

/// How often the picture is looked at for the end of a test, and how many times.
const LOOK_EVERY: Duration = ms(50);
const LOOKS: u32 = 160;

/// Every trunk of the tenant now, by name.
#[utoipa::path(get, path = "/api/v1/trunks", tag = "trunks",
    responses((status = 200, body = std::collections::BTreeMap<String, Trunk>)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Json<BTreeMap<String, Trunk>> {
    let view = picture(&shared, &who);
    Json(view.trunks.iter().map(|(name, s)| (name.to_string(), Trunk::from(s))).collect())
}

/// Asks a trunk whether it is there (a real OPTIONS), and waits for what it says: five seconds at most.
#[utoipa::path(post, path = "/api/v1/trunks/{name}/test", tag = "trunks", params(("name" = String, Path)),
    responses((status = 200, body = Tested), (status = 404, body = Problem)))]
pub async fn test(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<Json<Tested>, Problem> {
    let missing = || Problem::new(axum::http::StatusCode::NOT_FOUND, "not_found", format!("trunk {name} does not exist"));
    let trunk = TrunkId::parse(&name).map_err(|_| missing())?;
    if !picture(&shared, &who).trunks.contains_key(&trunk) {
        return Err(missing());
    }
    let began = shared.door.now().wall;
    shared.ask(&who, Command::TrunkTest { trunk: trunk.clone() }).await?;
    // Only a picture taken after the question says anything about it.
    let asked = shared.door.now().wall;
    for _ in 0..LOOKS {
        tokio::time::sleep(LOOK_EVERY).await;
        let view = picture(&shared, &who);
        if let Some(s) = view.trunks.get(&trunk).filter(|s| view.at >= asked && !s.testing) {
            let reachable = s.answered_at.is_some_and(|at| at >= began);
            let rtt_ms = s.rtt_ms.filter(|_| reachable);
            return Ok(Json(Tested { reachable, rtt_ms, trunk: s.into() }));
        }
    }
    let said = "the trunk was asked, but what it said is not known yet: look at /api/v1/trunks";
    Err(Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "busy", said))
}

/// A number to try a trunk with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestCall {
    /// As one would dial it, or `+` and the whole of it.
    number: String,
}

/// Calls a number by this trunk, whatever the routes say and without another trunk instead: whoever answers hears three tones of a
/// second and is hung up on. The answer names the contact, whose ladder, quality and reasons say how it went. The rules about
/// calls out hold.
#[utoipa::path(post, path = "/api/v1/trunks/{name}/call", tag = "trunks", params(("name" = String, Path)), request_body = TestCall,
    responses((status = 201, body = wire::Outcome), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn call(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Body(wish): Body<TestCall>,
) -> Result<Response, Problem> {
    let trunk = TrunkId::parse(&name).map_err(|_| Problem::not_found(format!("trunk {name}")))?;
    if !picture(&shared, &who).trunks.contains_key(&trunk) {
        return Err(Problem::not_found(format!("trunk {name}")));
    }
    let number = dialled(&wish.number)?;
    let done = shared.ask(&who, Command::TrunkCall { trunk, number: number.clone() }).await?;
    wire::audit(&shared, &who, "trunk.call", &name, None, Some(number)).await?;
    Ok(wire::outcome(done))
}
