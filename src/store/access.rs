//! What opens doors: API keys, sign-in sessions, visitors' chat sessions. Only the SHA-256 of a key or token is kept, as
//! lower-case hex, so that whoever reads the database cannot use it.
//!
//! Making, hashing and comparing them is the edge's work.

use sha2::{Digest, Sha256};

use super::{
    Store,
    engine::{Row, values},
    error::Result,
};
use crate::{
    base::{AgentId, InteractionId, TenantId, VisitorId, Wall, limits, redact::Secret},
    center::command::Role,
};

/// A program's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose.
    pub tenant: TenantId,
    /// Its public name, unique in the tenant.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the key.
    pub key_sha256: Secret,
    /// When it was made.
    pub made_at: Wall,
}

/// A key in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: ApiKey,
    /// When it was last used, to a minute; none before the first use.
    pub used_at: Option<Wall>,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token in the cookie.
    pub token_sha256: Secret,
    /// Whose.
    pub tenant: TenantId,
    /// Who.
    pub login: AgentId,
    /// What a changing request must carry beside the cookie.
    pub csrf: Secret,
    /// When it began.
    pub made_at: Wall,
    /// When it ends unless prolonged.
    pub expires_at: Wall,
    /// What the browser said of itself at sign-in.
    pub device: String,
    /// Where from.
    pub address: String,
    /// When it was last used.
    pub seen_at: Wall,
}

/// A session that is good now, with what its login may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    /// The sign-in.
    pub session: Session,
    /// As the login stands now, not as it stood at sign-in.
    pub role: Role,
    /// The login has a second factor.
    pub factor: bool,
}

/// Somebody who chats from a web page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Whose page.
    pub tenant: TenantId,
    /// The session's name.
    pub id: VisitorId,
    /// SHA-256 of its token.
    pub token_sha256: Secret,
    /// The chat that is open.
    pub interaction: Option<InteractionId>,
    /// When it was last used.
    pub seen_at: Wall,
}

/// The form keys and tokens are kept and looked up in: SHA-256, lower-case hex. They are random and long, so a plain hash will do.
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

const KEY: &str = "SELECT tenant, name, role, key_sha256, made_at FROM api_keys";
const SESSION: &str =
    "SELECT s.token_sha256, s.tenant, s.login, s.csrf, s.made_at, s.expires_at, s.device, s.address, s.seen_at";
const VISITOR: &str = "SELECT tenant, id, token_sha256, interaction, seen_at FROM visitors";

fn key(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        tenant: row.parsed(0, |s| TenantId::parse(s).ok())?,
        name: row.text(1)?,
        role: row.parsed(2, Role::parse)?,
        key_sha256: Secret::new(row.text(3)?),
        made_at: row.wall(4)?,
    })
}

fn session(r: &Row) -> Result<Session> {
    Ok(Session {
        token_sha256: Secret::new(r.text(0)?),
        tenant: r.parsed(1, |s| TenantId::parse(s).ok())?,
        login: r.parsed(2, |s| AgentId::parse(s).ok())?,
        csrf: Secret::new(r.text(3)?),
        made_at: r.wall(4)?,
        expires_at: r.wall(5)?,
        device: r.text(6)?,
        address: r.text(7)?,
        seen_at: r.wall(8)?,
    })
}

fn visitor(row: &Row) -> Result<Visitor> {
    Ok(Visitor {
        tenant: row.parsed(0, |s| TenantId::parse(s).ok())?,
        id: row.parsed(1, VisitorId::parse)?,
        token_sha256: Secret::new(row.text(2)?),
        interaction: row.parsed_opt(3, InteractionId::parse)?,
        seen_at: row.wall(4)?,
    })
}

impl Store {
    /// Keeps a new key. A second key of the same name in the tenant is a conflict. False when there are [`limits::API_KEYS_MAX`].
    pub async fn api_key_put(&self, key: &ApiKey) -> Result<bool> {
        let sql = "INSERT INTO api_keys (tenant, name, role, key_sha256, made_at) SELECT $1, $2, $3, $4, CAST($5 AS BIGINT) \
                   WHERE (SELECT COUNT(*) FROM api_keys WHERE tenant = $1) < $6";
        let mut values = values![&key.tenant, &key.name, key.role.as_str(), key.key_sha256.expose(), key.made_at];
        values.extend(values![limits::API_KEYS_MAX]);
        Ok(self.db.write(sql, values, || format!("keep API key {}/{}", key.tenant, key.name)).await? > 0)
    }

    /// The key with this hash.
    pub async fn api_key_find(&self, key_sha256: &str) -> Result<Option<ApiKey>> {
        let sql = format!("{KEY} WHERE key_sha256 = $1");
        let row = self.db.one(sql, values![key_sha256], || "look up an API key".into()).await?;
        row.as_ref().map(key).transpose()
    }

    /// The tenant's keys by name; there are [`limits::API_KEYS_MAX`] at most.
    pub async fn api_key_list(&self, tenant: &TenantId) -> Result<Vec<ListedKey>> {
        let sql =
            "SELECT tenant, name, role, key_sha256, made_at, used_at FROM api_keys WHERE tenant = $1 ORDER BY name LIMIT $2";
        let values = values![tenant, limits::API_KEYS_MAX];
        let rows = self.db.all(sql, values, || format!("list the API keys of {tenant}")).await?;
        rows.iter().map(|r| Ok(ListedKey { key: key(r)?, used_at: r.wall_opt(5)? })).collect()
    }

    /// A key was used at `now`.
    pub async fn api_key_used(&self, key_sha256: &str, now: Wall) -> Result<()> {
        let sql = "UPDATE api_keys SET used_at = $2 WHERE key_sha256 = $1 AND (used_at IS NULL OR used_at < $2)";
        self.db.write(sql, values![key_sha256, now], || "note the use of an API key".into()).await.map(drop)
    }

    /// Revokes a key; true if there was one.
    pub async fn api_key_delete(&self, tenant: &TenantId, name: &str) -> Result<bool> {
        let sql = "DELETE FROM api_keys WHERE tenant = $1 AND name = $2";
        let n = self.db.write(sql, values![tenant, name], || format!("revoke API key {tenant}/{name}")).await?;
        Ok(n > 0)
    }

    /// Keeps a new sign-in. A login that does not exist is a conflict.
    pub async fn session_put(&self, s: &Session) -> Result<()> {
        let sql = "INSERT INTO sessions (token_sha256, tenant, login, csrf, made_at, expires_at, device, address, seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (token, csrf) = (s.token_sha256.expose(), s.csrf.expose());
        let values = values![token, &s.tenant, &s.login, csrf, s.made_at, s.expires_at, &s.device, &s.address, s.seen_at];
        self.db.write(sql, values, || format!("keep a session of {}/{}", s.tenant, s.login)).await.map(drop)
    }

    /// The session with this token's hash, if it has not ended by `now` and its login is not disabled.
    pub async fn session_find(&self, token_sha256: &str, now: Wall) -> Result<Option<SessionUser>> {
        let sql = format!(
            "{SESSION}, u.role, (SELECT COUNT(*) FROM second_factors f WHERE f.tenant = s.tenant AND f.login = s.login AND \
             f.confirmed = 1) FROM sessions s JOIN users u ON u.tenant = s.tenant AND u.login = s.login \
             WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND u.disabled = 0"
        );
        let row = self.db.one(sql, values![token_sha256, now], || "look up a session".into()).await?;
        let read = |r: &Row| Ok(SessionUser { session: session(r)?, role: r.parsed(9, Role::parse)?, factor: r.flag(10)? });
        row.as_ref().map(read).transpose()
    }

    /// The open sessions of a login, the newest first.
    pub async fn session_list(&self, tenant: &TenantId, login: &AgentId, now: Wall) -> Result<Vec<Session>> {
        let sql =
            format!("{SESSION} FROM sessions s WHERE tenant = $1 AND login = $2 AND expires_at > $3 ORDER BY made_at DESC");
        let rows = self.db.all(sql, values![tenant, login, now], || format!("list the sessions of {tenant}/{login}")).await?;
        rows.iter().map(session).collect()
    }

    /// A session was used at `now`: it ends later.
    pub async fn session_seen(&self, token_sha256: &str, now: Wall, expires_at: Wall) -> Result<()> {
        let sql = "UPDATE sessions SET expires_at = $2, seen_at = $3 WHERE token_sha256 = $1";
        self.db.write(sql, values![token_sha256, expires_at, now], || "prolong a session".into()).await.map(drop)
    }

    /// Signs out; true if the session was there.
    pub async fn session_end(&self, token_sha256: &str) -> Result<bool> {
        let sql = "DELETE FROM sessions WHERE token_sha256 = $1";
        Ok(self.db.write(sql, values![token_sha256], || "end a session".into()).await? > 0)
    }

    /// Signs a login out everywhere: password changed, login disabled. How many sessions there were.
    pub async fn sessions_end_of(&self, tenant: &TenantId, login: &AgentId) -> Result<u64> {
        let sql = "DELETE FROM sessions WHERE tenant = $1 AND login = $2";
        self.db.write(sql, values![tenant, login], || format!("end the sessions of {tenant}/{login}")).await
    }

    /// Removes the sessions that have ended by `now`; how many.
    pub async fn sessions_sweep(&self, now: Wall) -> Result<u64> {
        self.db.write("DELETE FROM sessions WHERE expires_at <= $1", values![now], || "remove old sessions".into()).await
    }

    /// Keeps a visitor's new session.
    pub async fn visitor_put(&self, v: &Visitor) -> Result<()> {
        let sql =
            "INSERT INTO visitors (tenant, id, token_sha256, interaction, made_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5)";
        let values = values![&v.tenant, v.id, v.token_sha256.expose(), v.interaction, v.seen_at];
        self.db.write(sql, values, || format!("keep visitor {}/{}", v.tenant, v.id)).await.map(drop)
    }

    /// The visitor with this token's hash.
    pub async fn visitor_find(&self, token_sha256: &str) -> Result<Option<Visitor>> {
        let sql = format!("{VISITOR} WHERE token_sha256 = $1");
        let row = self.db.one(sql, values![token_sha256], || "look up a visitor".into()).await?;
        row.as_ref().map(visitor).transpose()
    }

    /// A visitor by name.
    pub async fn visitor_get(&self, tenant: &TenantId, id: VisitorId) -> Result<Option<Visitor>> {
        let sql = format!("{VISITOR} WHERE tenant = $1 AND id = $2");
        let row = self.db.one(sql, values![tenant, id], || format!("read visitor {tenant}/{id}")).await?;
        row.as_ref().map(visitor).transpose()
    }

    /// Notes that the visitor was here at `at` and which chat is open; false if there is no such visitor.
    pub async fn visitor_seen(
        &self,
        tenant: &TenantId,
        id: VisitorId,
        interaction: Option<InteractionId>,
        at: Wall,
    ) -> Result<bool> {
        let sql = "UPDATE visitors SET interaction = $3, seen_at = $4 WHERE tenant = $1 AND id = $2";
        let values = values![tenant, id, interaction, at];
        Ok(self.db.write(sql, values, || format!("note visitor {tenant}/{id}")).await? > 0)
    }

    /// Removes visitors last seen before `before`; how many.
    pub async fn visitors_sweep(&self, before: Wall) -> Result<u64> {
        self.db.write("DELETE FROM visitors WHERE seen_at < $1", values![before], || "remove old visitors".into()).await
    }
}
