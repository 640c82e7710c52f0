//! The directory: versions of the business configuration, and logins.
//!
//! What a configuration means is decided in `app`; how passwords are hashed, in `api`. Here they are only kept.

use super::{
    Store,
    engine::{Row, values},
    error::Result,
};
use crate::{
    base::{AgentId, TenantId, Wall, limits, redact::Secret},
    center::command::Role,
};

/// One version of the business configuration. Versions are only added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigVersion {
    /// From 1.
    pub version: u64,
    /// When it was put in force.
    pub at: Wall,
    /// Who did it.
    pub by: String,
    /// The whole text.
    pub yaml: String,
}

/// A login with its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whose.
    pub tenant: TenantId,
    /// The name, also the agent's id where the login handles interactions.
    pub login: AgentId,
    /// What it may do.
    pub role: Role,
    /// Argon2 hash of the password, as a PHC string.
    pub password: Secret,
    /// HA1 for SIP digest with MD5 (RFC 7616), lower-case hex; none when it has no phone.
    pub sip_md5: Option<Secret>,
    /// HA1 for SIP digest with SHA-256.
    pub sip_sha256: Option<Secret>,
    /// May not sign in.
    pub disabled: bool,
}

const USER: &str = "SELECT tenant, login, role, password, sip_md5, sip_sha256, disabled FROM users";
/// In the transaction of every change of a login.
const CHANGED: &str = "UPDATE directory_changes SET n = n + 1";

fn user(row: &Row) -> Result<User> {
    Ok(User {
        tenant: row.parsed(0, |s| TenantId::parse(s).ok())?,
        login: row.parsed(1, |s| AgentId::parse(s).ok())?,
        role: row.parsed(2, Role::parse)?,
        password: Secret::new(row.text(3)?),
        sip_md5: row.text_opt(4)?.map(Secret::new),
        sip_sha256: row.text_opt(5)?.map(Secret::new),
        disabled: row.flag(6)?,
    })
}

fn version(row: &Row) -> Result<ConfigVersion> {
    Ok(ConfigVersion { version: row.count(0)?, at: row.wall(1)?, by: row.text(2)?, yaml: row.text(3)? })
}

impl Store {
    /// Keeps a new version of the configuration; its number. Of two added at the same moment one is refused as a conflict.
    pub async fn config_append(&self, at: Wall, by: &str, yaml: &str) -> Result<u64> {
        let sql = "INSERT INTO config_versions (version, at, author, yaml) \
                   SELECT COALESCE(MAX(version), 0) + 1, CAST($1 AS BIGINT), $2, $3 FROM config_versions RETURNING version";
        let row = self.db.write_one(sql, values![at, by, yaml], || "keep a new configuration".into()).await?;
        row.count(0)
    }

    /// The configuration in force.
    pub async fn config_latest(&self) -> Result<Option<ConfigVersion>> {
        let sql = "SELECT version, at, author, yaml FROM config_versions ORDER BY version DESC LIMIT 1";
        let row = self.db.one(sql, Vec::new(), || "read the latest configuration".into()).await?;
        row.as_ref().map(version).transpose()
    }

    /// The number of the configuration in force (0: none), and how often logins have been changed: what to look at to see
    /// whether either has, without reading them.
    pub async fn directory_state(&self) -> Result<(u64, u64)> {
        let sql = "SELECT (SELECT COALESCE(MAX(version), 0) FROM config_versions), (SELECT MAX(n) FROM directory_changes)";
        let row = self.db.one(sql, Vec::new(), || "look for changes of the directory".into()).await?;
        row.map_or(Ok((0, 0)), |r| Ok((r.count(0)?, r.count(1)?)))
    }

    /// The configuration as it was.
    pub async fn config_get(&self, number: u64) -> Result<Option<ConfigVersion>> {
        let sql = "SELECT version, at, author, yaml FROM config_versions WHERE version = $1";
        let row = self.db.one(sql, values![number], || format!("read configuration {number}")).await?;
        row.as_ref().map(version).transpose()
    }

    /// The newest versions without their text: number, when, who.
    pub async fn config_list(&self, limit: usize) -> Result<Vec<(u64, Wall, String)>> {
        let sql = "SELECT version, at, author FROM config_versions ORDER BY version DESC LIMIT $1";
        let rows = self.db.all(sql, values![limit], || "list the configurations".into()).await?;
        rows.iter().map(|r| Ok((r.count(0)?, r.wall(1)?, r.text(2)?))).collect()
    }

    /// Makes a login or replaces it whole.
    pub async fn user_put(&self, at: Wall, user: &User) -> Result<()> {
        let sql = "INSERT INTO users (tenant, login, role, password, sip_md5, sip_sha256, disabled, changed_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, login) DO UPDATE SET role = excluded.role, \
                   password = excluded.password, sip_md5 = excluded.sip_md5, sip_sha256 = excluded.sip_sha256, \
                   disabled = excluded.disabled, changed_at = excluded.changed_at";
        let values = values![
            &user.tenant,
            &user.login,
            user.role.as_str(),
            user.password.expose(),
            user.sip_md5.as_ref().map(Secret::expose),
            user.sip_sha256.as_ref().map(Secret::expose),
            user.disabled,
            at
        ];
        let attempted = || format!("write login {}/{}", user.tenant, user.login);
        let mut tx = self.db.begin().await?;
        tx.write(sql, values, attempted).await?;
        tx.write(CHANGED, Vec::new(), attempted).await?;
        tx.commit().await?;
        if user.disabled {
            self.sessions_end_of(&user.tenant, &user.login).await?;
        }
        Ok(())
    }

    /// A login by name.
    pub async fn user_get(&self, tenant: &TenantId, login: &AgentId) -> Result<Option<User>> {
        let sql = format!("{USER} WHERE tenant = $1 AND login = $2");
        let row = self.db.one(sql, values![tenant, login], || format!("read login {tenant}/{login}")).await?;
        row.as_ref().map(user).transpose()
    }

    /// The tenant's logins by name, each with whether it has a second factor; [`limits::USERS_MAX`] at most.
    pub async fn user_list(&self, tenant: &TenantId) -> Result<Vec<(User, bool)>> {
        let sql = "SELECT tenant, login, role, password, sip_md5, sip_sha256, disabled, (SELECT COUNT(*) FROM second_factors f \
                   WHERE f.tenant = users.tenant AND f.login = users.login AND f.confirmed = 1) \
                   FROM users WHERE tenant = $1 ORDER BY login LIMIT $2";
        let values = values![tenant, limits::USERS_MAX];
        let rows = self.db.all(sql, values, || format!("list the logins of {tenant}")).await?;
        rows.iter().map(|r| Ok((user(r)?, r.flag(7)?))).collect()
    }

    /// How many logins a tenant has.
    pub async fn user_count(&self, tenant: &TenantId) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM users WHERE tenant = $1";
        let row = self.db.one(sql, values![tenant], || format!("count the logins of {tenant}")).await?;
        row.map_or(Ok(0), |r| r.count(0))
    }

    /// Every login of every tenant: what the registrar is given at start.
    pub async fn user_list_all(&self) -> Result<Vec<User>> {
        let sql = format!("{USER} ORDER BY tenant, login");
        let rows = self.db.all(sql, Vec::new(), || "list all logins".into()).await?;
        rows.iter().map(user).collect()
    }

    /// Forgets a login and its sessions; true if there was one.
    pub async fn user_delete(&self, tenant: &TenantId, login: &AgentId) -> Result<bool> {
        let sql = "DELETE FROM users WHERE tenant = $1 AND login = $2";
        let attempted = || format!("delete login {tenant}/{login}");
        let mut tx = self.db.begin().await?;
        let n = tx.write(sql, values![tenant, login], attempted).await?;
        tx.write(CHANGED, Vec::new(), attempted).await?;
        tx.commit().await?;
        Ok(n > 0)
    }
}
