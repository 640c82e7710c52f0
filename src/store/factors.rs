//! Second factors: the secret a login's codes are made of, and its recovery codes.
//!
//! The secret is kept as it is, for codes have to be computed; of recovery codes only the SHA-256.

use super::{Store, engine::values, error::Result};
use crate::base::{AgentId, TenantId, Wall, redact::Secret};

/// A login's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Of RFC 6238, lower-case hex.
    pub secret: Secret,
    /// It is asked for at sign-in.
    pub confirmed: bool,
}

impl Store {
    /// The second factor of a login, if it has or is making one.
    pub async fn factor_get(&self, tenant: &TenantId, login: &AgentId) -> Result<Option<Factor>> {
        let sql = "SELECT secret, confirmed FROM second_factors WHERE tenant = $1 AND login = $2";
        let row = self.db.one(sql, values![tenant, login], || format!("read the factor of {tenant}/{login}")).await?;
        row.map(|r| Ok(Factor { secret: Secret::new(r.text(0)?), confirmed: r.flag(1)? })).transpose()
    }

    /// Begins to make one; one that was begun and not confirmed is replaced. False when there is a confirmed one.
    pub async fn factor_begin(&self, tenant: &TenantId, login: &AgentId, secret: &Secret, now: Wall) -> Result<bool> {
        let sql = "INSERT INTO second_factors (tenant, login, secret, made_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (tenant, login) DO UPDATE SET secret = excluded.secret, made_at = excluded.made_at, last_step = 0 \
                   WHERE second_factors.confirmed = 0";
        let values = values![tenant, login, secret.expose(), now];
        Ok(self.db.write(sql, values, || format!("begin a factor of {tenant}/{login}")).await? > 0)
    }

    /// A code of this step was given: the factor is asked for from now on, with these recovery codes. False when there is none
    /// to be confirmed.
    pub async fn factor_confirm(&self, tenant: &TenantId, login: &AgentId, step: u64, codes_sha256: &[String]) -> Result<bool> {
        let attempted = || format!("confirm the factor of {tenant}/{login}");
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE second_factors SET confirmed = 1, last_step = $3 WHERE tenant = $1 AND login = $2 AND confirmed = 0";
        if tx.write(sql, values![tenant, login, step], attempted).await? == 0 {
            return Ok(false);
        }
        for code in codes_sha256 {
            let sql = "INSERT INTO recovery_codes (tenant, login, code_sha256) VALUES ($1, $2, $3)";
            tx.write(sql, values![tenant, login, code], attempted).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a code of a step; false when a code of this step or a later one was taken already (RFC 6238 section 5.2).
    pub async fn factor_step(&self, tenant: &TenantId, login: &AgentId, step: u64) -> Result<bool> {
        let sql =
            "UPDATE second_factors SET last_step = $3 WHERE tenant = $1 AND login = $2 AND confirmed = 1 AND last_step < $3";
        Ok(self.db.write(sql, values![tenant, login, step], || format!("take a code of {tenant}/{login}")).await? > 0)
    }

    /// Takes a recovery code, which is good once.
    pub async fn recovery_use(&self, tenant: &TenantId, login: &AgentId, code_sha256: &str) -> Result<bool> {
        let sql = "DELETE FROM recovery_codes WHERE tenant = $1 AND login = $2 AND code_sha256 = $3";
        let values = values![tenant, login, code_sha256];
        Ok(self.db.write(sql, values, || format!("take a recovery code of {tenant}/{login}")).await? > 0)
    }

    /// How many recovery codes a login has left.
    pub async fn recovery_left(&self, tenant: &TenantId, login: &AgentId) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM recovery_codes WHERE tenant = $1 AND login = $2";
        let row = self.db.one(sql, values![tenant, login], || format!("count recovery codes of {tenant}/{login}")).await?;
        row.map_or(Ok(0), |r| r.count(0))
    }

    /// Takes a login's second factor away; true if there was one.
    pub async fn factor_remove(&self, tenant: &TenantId, login: &AgentId) -> Result<bool> {
        let sql = "DELETE FROM second_factors WHERE tenant = $1 AND login = $2";
        Ok(self.db.write(sql, values![tenant, login], || format!("remove the factor of {tenant}/{login}")).await? > 0)
    }
}
