//! Logins: made, changed, removed by administrators. A password is generated and shown once, in the answer.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

use super::{Problem, Shared, guard::Who, password, problem::Body, wire};
use crate::{
    base::{AgentId, TenantId, limits, redact::Secret},
    center::{command::Role, settings::Settings},
    sip::auth::Revoke,
    store::User,
};

/// A new login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Its name: also the agent's id and the SIP user name. 1 to 64 of `a-z 0-9 _ . -`.
    login: String,
    /// `agent`, `supervisor` or `admin`.
    role: String,
}

/// What changes about a login. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// `agent`, `supervisor` or `admin`.
    #[serde(default)]
    role: Option<String>,
    /// May not sign in. Ends every session at once.
    #[serde(default)]
    disabled: Option<bool>,
    /// True: a new password is generated and shown once.
    #[serde(default)]
    new_password: bool,
    /// True: a new SIP password is generated and shown once.
    #[serde(default)]
    new_sip_password: bool,
}

/// A login without its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserShown {
    /// Its name.
    login: String,
    /// `agent`, `supervisor` or `admin`.
    role: String,
    /// May not sign in.
    disabled: bool,
    /// Has a SIP password.
    phone: bool,
    /// Has a second factor; only in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<bool>,
    /// Shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// Shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_password: Option<String>,
    /// The realm the SIP password is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_realm: Option<String>,
}

/// The logins.
#[derive(Debug, Serialize, ToSchema)]
pub struct Users {
    /// By name.
    users: Vec<UserShown>,
}

fn shown(user: &User) -> UserShown {
    UserShown {
        login: user.login.to_string(),
        role: user.role.as_str().to_owned(),
        disabled: user.disabled,
        phone: user.sip_md5.is_some(),
        factor: None,
        password: None,
        sip_password: None,
        sip_realm: None,
    }
}

/// The digests a SIP registrar keeps instead of the password: HA1 with MD5 and with SHA-256 of `user:realm:password`
/// (RFC 7616 section 3.4.2), lower-case hex.
pub fn sip_digests(user: &str, realm: &str, password: &str) -> (String, String) {
    let text = format!("{user}:{realm}:{password}");
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    (hex(&Md5::digest(text.as_bytes())), hex(&Sha256::digest(text.as_bytes())))
}

/// The realm phones of a tenant are asked with: its first named domain, else its id.
pub fn realm(settings: &Settings, tenant: &TenantId) -> String {
    settings.realm(tenant)
}

fn role(text: &str) -> Result<Role, Problem> {
    Role::parse(text)
        .ok_or_else(|| Problem::invalid("role", format!("`{text}` is no role; expected agent, supervisor or admin")))
}

async fn give_password(shared: &Shared, user: &mut User, answer: &mut UserShown) -> Result<(), Problem> {
    let (plain, salt) = shared.with_rng(|r| (password::generate(r), r.bytes()));
    user.password = Secret::new(password::hash_with_salt(Secret::new(plain.clone()), salt).await.map_err(Problem::internal)?);
    answer.password = Some(plain);
    Ok(())
}

fn give_sip_password(shared: &Shared, user: &mut User, answer: &mut UserShown) {
    let plain = shared.with_rng(password::generate);
    let realm = realm(&shared.door.settings(), &user.tenant);
    let (md5, sha256) = sip_digests(user.login.as_str(), &realm, &plain);
    (user.sip_md5, user.sip_sha256) = (Some(Secret::new(md5)), Some(Secret::new(sha256)));
    (answer.sip_password, answer.sip_realm, answer.phone) = (Some(plain), Some(realm), true);
}

/// Every login of the tenant: 10 000 at most, for a further one is refused (`limit`).
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = Users)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Users>, Problem> {
    let users = shared.store.user_list(&who.tenant).await.map_err(Problem::internal)?;
    let users = users.iter().map(|(user, factor)| UserShown { factor: Some(*factor), ..shown(user) });
    Ok(Json(Users { users: users.collect() }))
}

/// Makes a login. The passwords are in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserShown), (status = 409, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(new): Body<NewUser>) -> Result<Response, Problem> {
    let login: AgentId = wire::slug("login", &new.login)?;
    if login.as_str() == "me" {
        return Err(Problem::invalid("login", "`me` means the caller and cannot be a login"));
    }
    let role = role(&new.role)?;
    if shared.store.user_get(&who.tenant, &login).await.map_err(Problem::internal)?.is_some() {
        return Err(Problem::new(StatusCode::CONFLICT, "exists", format!("login `{login}` exists already")));
    }
    if shared.store.user_count(&who.tenant).await.map_err(Problem::internal)? >= limits::USERS_MAX as u64 {
        let said = format!("there are {} logins: remove one first", limits::USERS_MAX);
        return Err(Problem::new(StatusCode::CONFLICT, "limit", said));
    }
    let none = Secret::new("");
    let mut user =
        User { tenant: who.tenant.clone(), login, role, password: none, sip_md5: None, sip_sha256: None, disabled: false };
    let mut answer = shown(&user);
    give_password(&shared, &mut user, &mut answer).await?;
    give_sip_password(&shared, &mut user, &mut answer);
    shared.store.user_put(shared.door.now().wall, &user).await.map_err(Problem::internal)?;
    shared.logins.notify_one();
    wire::audit(&shared, &who, "user.create", user.login.as_str(), None, Some(describe(&user))).await?;
    Ok((StatusCode::CREATED, [("cache-control", "no-store")], Json(answer)).into_response())
}

fn revoke_phones(shared: &Shared, user: &User) {
    shared.door.revoke_phones(Revoke::User { tenant: user.tenant.clone(), user: user.login.to_string() });
}

fn describe(user: &User) -> String {
    format!("role={} disabled={}", user.role.as_str(), user.disabled)
}

pub(super) async fn existing(shared: &Shared, who: &Who, id: &str) -> Result<User, Problem> {
    let missing = || Problem::not_found(format!("login `{id}`"));
    let login = AgentId::parse(id).map_err(|_| missing())?;
    shared.store.user_get(&who.tenant, &login).await.map_err(Problem::internal)?.ok_or_else(missing)
}

/// Changes a login: role, disabled, new passwords.
#[utoipa::path(put, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)), request_body = UserChange,
    responses((status = 200, body = UserShown), (status = 404, body = Problem)))]
pub async fn change(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(change): Body<UserChange>,
) -> Result<Response, Problem> {
    let mut user = existing(&shared, &who, &id).await?;
    let before = describe(&user);
    if let Some(word) = &change.role {
        user.role = role(word)?;
    }
    if let Some(disabled) = change.disabled {
        user.disabled = disabled;
    }
    let myself = who.actor.agent() == Some(&user.login);
    if myself && (user.disabled || user.role < Role::Admin) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "wrong_state",
            "an administrator cannot lock themselves out; another one can",
        ));
    }
    let mut answer = shown(&user);
    if change.new_password {
        give_password(&shared, &mut user, &mut answer).await?;
    }
    if change.new_sip_password {
        give_sip_password(&shared, &mut user, &mut answer);
    }
    shared.store.user_put(shared.door.now().wall, &user).await.map_err(Problem::internal)?;
    if change.new_password && !myself {
        shared.store.sessions_end_of(&user.tenant, &user.login).await.map_err(Problem::internal)?;
    }
    if change.new_password || user.disabled {
        revoke_phones(&shared, &user);
    }
    shared.access_changed();
    shared.logins.notify_one();
    wire::audit(&shared, &who, "user.change", user.login.as_str(), Some(before), Some(describe(&user))).await?;
    Ok(([("cache-control", "no-store")], Json(answer)).into_response())
}

/// Removes a login and its sessions. What it did stays on record.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let user = existing(&shared, &who, &id).await?;
    if who.actor.agent() == Some(&user.login) {
        return Err(Problem::new(StatusCode::CONFLICT, "wrong_state", "nobody can remove their own login"));
    }
    shared.store.user_delete(&who.tenant, &user.login).await.map_err(Problem::internal)?;
    revoke_phones(&shared, &user);
    shared.access_changed();
    shared.logins.notify_one();
    wire::audit(&shared, &who, "user.delete", user.login.as_str(), Some(describe(&user)), None).await?;
    Ok(StatusCode::NO_CONTENT)
}
