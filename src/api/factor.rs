//! The second factor: a code from an authenticator besides the password. Begun with a picture, confirmed by a code, with recovery
//! codes shown once; taken away by its owner, or by an administrator when the telephone is lost.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Problem, Shared, auth, guard::Who, problem::Body, totp, users, wire};
use crate::{
    base::{AgentId, redact::Secret},
    sip::auth::Revoke,
    store::{User, sha256_hex},
};

/// Recovery codes made at once.
const CODES: usize = 10;
/// Letters of a recovery code: none that look alike. 16 of 32 are 80 bits.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
const CODE_LETTERS: usize = 16;

/// How one's second factor stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactorShown {
    /// A code is asked for at sign-in.
    on: bool,
    /// The administrator wants one of everybody with this role.
    required: bool,
    /// Recovery codes left.
    recovery_left: u64,
}

/// Begins a second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorBegin {
    /// The password, again: whoever found the page open must not get in by it for good.
    #[schema(format = "password")]
    password: String,
}

/// What an authenticator needs. In this answer and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactorNew {
    /// To be typed: base 32.
    secret: String,
    /// To be opened: `otpauth://..`.
    address: String,
    /// To be photographed: the address as a QR code, SVG.
    picture: String,
}

/// A code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorCode {
    /// Six digits.
    code: String,
}

/// Takes the factor away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorOff {
    /// Six digits, or a recovery code.
    code: String,
}

/// What lets one in when the authenticator is lost. In this answer and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each good once.
    codes: Vec<String>,
}

fn person(who: &Who) -> Result<&AgentId, Problem> {
    who.actor.agent().ok_or_else(|| Problem::not_allowed("an API key has no second factor"))
}

/// A code that does not fit.
pub(super) fn bad_code() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_code", "the code is not right, or was used already")
}

fn bytes(hex: &Secret) -> Vec<u8> {
    let digits = hex.expose().as_bytes();
    digits.chunks(2).filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
}

/// Whether a code lets a login in: one of the authenticator that was not used yet, or a recovery code, which is used up by it.
/// None when the login has no second factor.
pub(super) async fn passes(shared: &Shared, user: &User, given: &str) -> Result<bool, Problem> {
    let (tenant, login) = (&user.tenant, &user.login);
    let Some(factor) = shared.store.factor_get(tenant, login).await.map_err(Problem::internal)? else { return Ok(true) };
    if !factor.confirmed {
        return Ok(true);
    }
    if let Some(step) = totp::step_of(&bytes(&factor.secret), shared.door.now().wall, given) {
        return shared.store.factor_step(tenant, login, step).await.map_err(Problem::internal);
    }
    let plain: String = given.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if plain.len() != CODE_LETTERS {
        return Ok(false);
    }
    let used = shared.store.recovery_use(tenant, login, &sha256_hex(&plain)).await.map_err(Problem::internal)?;
    if used {
        wire::audit_of(shared, tenant, login.as_str(), "user.recovery_code", login.as_str(), None).await?;
    }
    Ok(used)
}

/// Whether a login has one that is asked for.
pub(super) async fn is_on(shared: &Shared, user: &User) -> Result<bool, Problem> {
    let factor = shared.store.factor_get(&user.tenant, &user.login).await.map_err(Problem::internal)?;
    Ok(factor.is_some_and(|f| f.confirmed))
}

/// How one's second factor stands.
#[utoipa::path(get, path = "/api/v1/auth/factor", tag = "auth", responses((status = 200, body = FactorShown)))]
pub async fn show(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<FactorShown>, Problem> {
    let login = person(&who)?;
    let factor = shared.store.factor_get(&who.tenant, login).await.map_err(Problem::internal)?;
    let recovery_left = shared.store.recovery_left(&who.tenant, login).await.map_err(Problem::internal)?;
    let required = auth::factor_required(&shared, &who);
    Ok(Json(FactorShown { on: factor.is_some_and(|f| f.confirmed), required, recovery_left }))
}

/// Begins a second factor; it is asked for once a code has confirmed it.
#[utoipa::path(post, path = "/api/v1/auth/factor", tag = "auth", request_body = FactorBegin,
    responses((status = 200, body = FactorNew), (status = 409, body = Problem)))]
pub async fn begin(State(shared): State<Arc<Shared>>, who: Who, Body(given): Body<FactorBegin>) -> Result<Response, Problem> {
    let login = person(&who)?;
    auth::check_password(&shared, &who, login, given.password).await?;
    let secret: [u8; totp::SECRET_BYTES] = shared.with_rng(|r| r.bytes());
    let hex = Secret::new(secret.iter().map(|b| format!("{b:02x}")).collect::<String>());
    let now = shared.door.now().wall;
    if !shared.store.factor_begin(&who.tenant, login, &hex, now).await.map_err(Problem::internal)? {
        let said = "there is a second factor already: take it away first";
        return Err(Problem::new(StatusCode::CONFLICT, "wrong_state", said));
    }
    let settings = shared.door.settings();
    let name = settings.tenants.get(&who.tenant).map(|t| t.config.name.clone()).filter(|n| !n.is_empty());
    let address = totp::address(&name.unwrap_or_else(|| who.tenant.to_string()), login.as_str(), &secret);
    let picture = totp::picture(&address).unwrap_or_default();
    let answer = FactorNew { secret: totp::base32(&secret), address, picture };
    Ok(([("cache-control", "no-store")], Json(answer)).into_response())
}

/// Confirms it by a code: from now on one is asked for at every sign-in. The recovery codes are in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/auth/factor/confirm", tag = "auth", request_body = FactorCode,
    responses((status = 200, body = RecoveryCodes), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn confirm(State(shared): State<Arc<Shared>>, who: Who, Body(given): Body<FactorCode>) -> Result<Response, Problem> {
    let login = person(&who)?;
    let none = || Problem::new(StatusCode::CONFLICT, "wrong_state", "no second factor was begun");
    let factor = shared.store.factor_get(&who.tenant, login).await.map_err(Problem::internal)?;
    let factor = factor.filter(|f| !f.confirmed).ok_or_else(none)?;
    let name = auth::guess_name(&who.tenant, login.as_str());
    auth::attempt(&shared, &name, None)?;
    let step = totp::step_of(&bytes(&factor.secret), shared.door.now().wall, &given.code);
    let step = step.ok_or_else(|| Problem::invalid("code", "the code is not right: is the clock of the telephone right?"))?;
    auth::right(&shared, &name);
    let code = |_| shared.with_rng(|r| (0..CODE_LETTERS).map(|_| LETTERS[r.below(32) as usize] as char).collect::<String>());
    let plain: Vec<String> = (0..CODES).map(code).collect();
    let hashes: Vec<String> = plain.iter().map(|c| sha256_hex(c)).collect();
    if !shared.store.factor_confirm(&who.tenant, login, step, &hashes).await.map_err(Problem::internal)? {
        return Err(none());
    }
    wire::audit(&shared, &who, "user.factor_on", login.as_str(), None, None).await?;
    let shown = |c: &String| c.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-");
    let answer = RecoveryCodes { codes: plain.iter().map(shown).collect() };
    Ok(([("cache-control", "no-store")], Json(answer)).into_response())
}

/// Takes one's own second factor away. Not where the administrator wants one of this role.
#[utoipa::path(post, path = "/api/v1/auth/factor/off", tag = "auth", request_body = FactorOff,
    responses((status = 204), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn off(State(shared): State<Arc<Shared>>, who: Who, Body(given): Body<FactorOff>) -> Result<StatusCode, Problem> {
    let login = person(&who)?;
    let user = shared.store.user_get(&who.tenant, login).await.map_err(Problem::internal)?;
    let user = user.ok_or_else(|| Problem::not_found(format!("login `{login}`")))?;
    if !is_on(&shared, &user).await? {
        return Err(Problem::new(StatusCode::CONFLICT, "wrong_state", "there is no second factor"));
    }
    if auth::factor_required(&shared, &who) {
        let said = "the administrator wants a second factor of everybody with this role";
        return Err(Problem::new(StatusCode::CONFLICT, "wrong_state", said));
    }
    let name = auth::guess_name(&who.tenant, login.as_str());
    auth::attempt(&shared, &name, None)?;
    if given.code.len() > 64 || !passes(&shared, &user, &given.code).await? {
        return Err(Problem::invalid("code", "the code is not right, or was used already"));
    }
    auth::right(&shared, &name);
    shared.store.factor_remove(&who.tenant, login).await.map_err(Problem::internal)?;
    wire::audit(&shared, &who, "user.factor_off", login.as_str(), None, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a login's second factor away, whose owner has lost it, and signs them out everywhere.
#[utoipa::path(delete, path = "/api/v1/users/{id}/factor", tag = "users", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn reset(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let user = users::existing(&shared, &who, &id).await?;
    if who.actor.agent() == Some(&user.login) {
        let said = "nobody can take away their own second factor without a code; another administrator can";
        return Err(Problem::new(StatusCode::CONFLICT, "wrong_state", said));
    }
    if shared.store.factor_remove(&user.tenant, &user.login).await.map_err(Problem::internal)? {
        shared.store.sessions_end_of(&user.tenant, &user.login).await.map_err(Problem::internal)?;
        shared.door.revoke_phones(Revoke::User { tenant: user.tenant.clone(), user: user.login.to_string() });
        shared.access_changed();
        wire::audit(&shared, &who, "user.factor_reset", user.login.as_str(), None, None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
