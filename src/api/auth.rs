//! Signing in and out, and who one is.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Problem, Shared, factor,
    guard::{self, COOKIE, Pass, SESSION_LIFE, Who},
    guesses::{TRIES, TRIES_PER_ADDRESS},
    password::{self, PASSWORD_MAX, PASSWORD_MIN},
    problem::Body,
    sessions::Seat,
    wire,
};
use crate::{
    base::{AgentId, TenantId, redact::Secret, source},
    sip::auth::Revoke,
    store::{Session, User},
};

/// What is needed to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The login name.
    login: String,
    /// The password.
    #[schema(format = "password")]
    password: String,
    /// The organisation; may be left out where there is only one.
    #[serde(default)]
    tenant: Option<String>,
    /// Six digits of the authenticator, or a recovery code; asked for with `second_factor` where the login has one.
    #[serde(default)]
    code: Option<String>,
}

/// Who one is.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// Login name, or `key:NAME`.
    login: String,
    /// The organisation.
    tenant: String,
    /// The organisation's name.
    tenant_name: String,
    /// `agent`, `supervisor`, `admin`.
    role: String,
    /// The agent id, when this login handles interactions.
    agent: Option<String>,
    /// The queues that agent serves: on whose behalf they may call out.
    queues: Vec<String>,
    /// To be sent as `x-csrf-token` with every changing request of this session.
    csrf: Option<String>,
    /// The administrator wants a second factor, and there is none: nothing else is answered until it is made.
    factor_needed: bool,
    /// The server's clock, RFC 3339.
    server_now: String,
}

/// A new password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The present one.
    #[schema(format = "password")]
    old: String,
    /// The new one, 10 to 256 characters.
    #[schema(format = "password")]
    new: String,
}

/// Signs in: sets the session cookie and answers with the CSRF token.
///
/// A wrong login, a wrong password and a disabled login get the same answer in the same time. After ten wrong tries the
/// login is locked for 15 minutes.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = Login, security(()),
    responses((status = 200, body = Me), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub async fn login(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    use axum::extract::FromRequest;
    // A browser always says where a form comes from; a foreign page must not sign its visitor in as somebody else.
    if request.headers().contains_key(header::ORIGIN) {
        guard::same_origin(&shared, request.headers())?;
    }
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| format!("ip {}", source(c.0.ip())));
    let seat = Seat::of(&shared, request.headers(), request.extensions());
    let Body(given) = Body::<Login>::from_request(request, &shared).await?;
    if given.password.len() > PASSWORD_MAX || given.login.len() > 64 {
        return Err(bad_login());
    }
    let tenant = tenant_of(&shared, given.tenant.as_deref());
    let name = match &tenant {
        Some(tenant) => guess_name(tenant, &given.login),
        None => format!("login ?/{}", given.login),
    };
    attempt(&shared, &name, address.as_deref())?;

    let user = match (&tenant, AgentId::parse(&given.login)) {
        (Some(tenant), Ok(login)) => shared.store.user_get(tenant, &login).await.map_err(Problem::internal)?,
        _ => None,
    };
    let hash = user.as_ref().map(|u| u.password.expose().to_owned());
    let right = password::verify(Secret::new(given.password), hash).await;
    let Some(user) = user.filter(|u| right && !u.disabled) else { return Err(bad_login()) };
    let on = factor::is_on(&shared, &user).await?;
    if on && given.code.is_none() {
        // Neither right nor wrong: a code is still to come. What was guessed before is not forgiven by it.
        excuse(&shared, &[Some(&name), address.as_ref()]);
        let said = "the password is right; send the code of the authenticator as well";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "second_factor", said));
    }
    let code = given.code.unwrap_or_default();
    if on && (code.len() > 64 || !factor::passes(&shared, &user, &code).await?) {
        return Err(factor::bad_code());
    }
    self::right(&shared, &name);
    excuse(&shared, &[address.as_ref()]);
    begin(&shared, &user, seat).await
}

/// What the tries of a login are counted under.
pub(super) fn guess_name(tenant: &TenantId, login: &str) -> String {
    format!("login {tenant}/{login}")
}

/// The try was right: the name starts afresh.
pub(super) fn right(shared: &Shared, name: &str) {
    shared.guesses.lock().unwrap_or_else(|e| e.into_inner()).right(name);
}

/// The try is taken back; others under the same names are not.
fn excuse(shared: &Shared, names: &[Option<&String>]) {
    let mut guesses = shared.guesses.lock().unwrap_or_else(|e| e.into_inner());
    names.iter().flatten().for_each(|name| guesses.excuse(name));
}

/// Whether the administrator wants a second factor of whoever asks.
pub(super) fn factor_required(shared: &Shared, who: &Who) -> bool {
    let settings = shared.door.settings();
    settings.tenants.get(&who.tenant).is_some_and(|t| t.config.security.second_factor.contains(&who.role))
}

/// Whether a password is the caller's own; wrong ones count.
pub(super) async fn check_password(shared: &Shared, who: &Who, login: &AgentId, given: String) -> Result<User, Problem> {
    let name = guess_name(&who.tenant, login.as_str());
    attempt(shared, &name, None)?;
    let user = shared.store.user_get(&who.tenant, login).await.map_err(Problem::internal)?;
    let Some(user) = user else { return Err(Problem::not_found(format!("login `{login}`"))) };
    let hash = Some(user.password.expose().to_owned());
    if given.len() > PASSWORD_MAX || !password::verify(Secret::new(given), hash).await {
        return Err(Problem::new(StatusCode::FORBIDDEN, "bad_login", "the present password is not right"));
    }
    right(shared, &name);
    Ok(user)
}

fn bad_login() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_login", "login or password is not right")
}

fn tenant_of(shared: &Shared, named: Option<&str>) -> Option<TenantId> {
    let settings = shared.door.settings();
    match named.filter(|n| !n.is_empty()) {
        Some(n) => TenantId::parse(n).ok().filter(|t| settings.tenants.contains_key(t)),
        None if settings.tenants.len() == 1 => settings.tenants.keys().next().cloned(),
        None => None,
    }
}

/// A try begins; refused where there were too many.
pub(super) fn attempt(shared: &Shared, name: &str, address: Option<&str>) -> Result<(), Problem> {
    let now = shared.door.now().mono;
    let mut guesses = shared.guesses.lock().unwrap_or_else(|e| e.into_inner());
    let by_address = address.and_then(|a| guesses.locked(now, a, TRIES_PER_ADDRESS));
    if let Some(left) = guesses.locked(now, name, TRIES).max(by_address) {
        let said = "too many wrong passwords; this login or address is locked for a while";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "locked", said).retry_after(left.as_secs().max(1)));
    }
    guesses.attempt(now, name);
    if let Some(a) = address {
        guesses.attempt(now, a);
    }
    Ok(())
}

async fn begin(shared: &Shared, user: &User, seat: Seat) -> Result<Response, Problem> {
    let now = shared.door.now().wall;
    let (token, csrf) = (shared.random_hex(32), shared.random_hex(16));
    let hash = crate::store::sha256_hex(&token);
    let session = Session {
        token_sha256: Secret::new(hash.clone()),
        tenant: user.tenant.clone(),
        login: user.login.clone(),
        csrf: Secret::new(csrf.clone()),
        made_at: now,
        expires_at: now + SESSION_LIFE,
        device: seat.device,
        address: seat.address,
        seen_at: now,
    };
    shared.store.session_put(&session).await.map_err(Problem::internal)?;
    shared.store.sessions_sweep(now).await.map_err(Problem::internal)?;
    let who = Who {
        tenant: user.tenant.clone(),
        actor: crate::center::command::Actor::User { user: user.login.clone(), role: user.role },
        role: user.role,
        by: Pass::Cookie { hash, csrf: Secret::new(csrf) },
        factor: factor::is_on(shared, user).await?,
    };
    let mut response = Json(describe(shared, &who)).into_response();
    set_cookie(response.headers_mut(), shared.https, &token, SESSION_LIFE.as_secs());
    Ok(response)
}

fn set_cookie(headers: &mut HeaderMap, https: bool, token: &str, max_age_s: u64) {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}");
    headers.insert(header::SET_COOKIE, HeaderValue::from_str(&text).expect("hex digits make a header"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn describe(shared: &Shared, who: &Who) -> Me {
    let settings = shared.door.settings();
    let tenant = settings.tenants.get(&who.tenant);
    let agent = who.actor.agent().filter(|a| tenant.is_some_and(|t| t.plan.agents.contains_key(*a)));
    let served = agent.and_then(|a| tenant.and_then(|t| t.plan.agents.get(a)));
    Me {
        login: who.name(),
        tenant: who.tenant.to_string(),
        tenant_name: tenant.map(|t| t.config.name.clone()).filter(|n| !n.is_empty()).unwrap_or_else(|| who.tenant.to_string()),
        role: who.role.as_str().to_owned(),
        agent: agent.map(AgentId::to_string),
        queues: served.into_iter().flat_map(|a| a.queues.iter().map(|q| q.queue.to_string())).collect(),
        csrf: match &who.by {
            Pass::Cookie { csrf, .. } => Some(csrf.expose().to_owned()),
            Pass::Key { .. } => None,
        },
        factor_needed: !who.factor && factor_required(shared, who),
        server_now: shared.door.now().wall.rfc3339(),
    }
}

/// Signs out: ends the session, here and on its sockets.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth", responses((status = 204)))]
pub async fn logout(State(shared): State<Arc<Shared>>, who: Who) -> Result<Response, Problem> {
    if let Pass::Cookie { hash, .. } = &who.by {
        shared.store.session_end(hash).await.map_err(Problem::internal)?;
        shared.door.revoke_phones(Revoke::Session(hash.clone()));
        shared.access_changed();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(response.headers_mut(), shared.https, "", 0);
    Ok(response)
}

/// Changes one's own password and signs out every session of the login but this one's page, which signs in again.
#[utoipa::path(post, path = "/api/v1/auth/password", tag = "auth", request_body = NewPassword, responses((status = 200, body = Me)))]
pub async fn change_password(
    State(shared): State<Arc<Shared>>,
    who: Who,
    seat: Seat,
    Body(given): Body<NewPassword>,
) -> Result<Response, Problem> {
    let Some(login) = who.actor.agent() else { return Err(Problem::not_allowed("an API key has no password")) };
    let long = given.new.chars().count();
    if long < PASSWORD_MIN || given.new.len() > PASSWORD_MAX {
        return Err(Problem::invalid("new", format!("a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters, not {long}")));
    }
    let mut user = check_password(&shared, &who, login, given.old).await?;
    let salt = shared.with_rng(|r| r.bytes());
    user.password = Secret::new(password::hash_with_salt(Secret::new(given.new), salt).await.map_err(Problem::internal)?);
    shared.store.user_put(shared.door.now().wall, &user).await.map_err(Problem::internal)?;
    shared.store.sessions_end_of(&user.tenant, &user.login).await.map_err(Problem::internal)?;
    shared.door.revoke_phones(Revoke::User { tenant: user.tenant.clone(), user: user.login.to_string() });
    shared.access_changed();
    wire::audit(&shared, &who, "user.password", login.as_str(), None, None).await?;
    begin(&shared, &user, seat).await
}

/// Who the caller is.
#[utoipa::path(get, path = "/api/v1/me", tag = "auth", responses((status = 200, body = Me)))]
pub async fn me(State(shared): State<Arc<Shared>>, who: Who) -> Json<Me> {
    Json(describe(&shared, &who))
}
