//! Requests that name themselves, so that one sent again is not carried out again: kept for a day, so many for a tenant.

use super::{Store, engine::values, error::Result};
use crate::base::{TenantId, Wall, limits, mins, secs};

/// How long an answer is kept.
const KEPT: std::time::Duration = mins(24 * 60);
/// A request that has not ended by then was cut off with the process that carried it out.
const CUT_OFF: std::time::Duration = secs(60);

/// Who names a request how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestName {
    /// Whose.
    pub tenant: TenantId,
    /// Login or key.
    pub caller: String,
    /// As the caller gave it.
    pub name: String,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Nothing: it is to be carried out, and [`Store::request_end`] is to follow.
    New,
    /// It is being carried out.
    Running,
    /// It was carried out, with this answer: status and body.
    Done(u16, String),
    /// The name belongs to another request.
    Other,
    /// The tenant has named as many as are kept.
    TooMany,
}

impl Store {
    /// Begins a request named by its caller; `print` tells it from others. Of several that begin at once one is new.
    pub async fn request_begin(&self, r: &RequestName, print: &str, now: Wall) -> Result<RequestState> {
        let attempted = || format!("note request {} of {}", r.name, r.caller);
        let over = "DELETE FROM requests WHERE began_at < $1 OR (status IS NULL AND began_at < $2)";
        self.db.write(over, values![now - KEPT, now - CUT_OFF], attempted).await?;
        let insert = "INSERT INTO requests (tenant, caller, name, print, began_at) \
                      SELECT $1, $2, $3, $4, CAST($5 AS BIGINT) \
                      WHERE (SELECT COUNT(*) FROM requests WHERE tenant = $1) < CAST($6 AS BIGINT) ON CONFLICT DO NOTHING";
        let values = values![&r.tenant, &r.caller, &r.name, print, now, limits::REQUESTS_NAMED_MAX];
        if self.db.write(insert, values, attempted).await? == 1 {
            return Ok(RequestState::New);
        }
        let found = "SELECT print, status, body FROM requests WHERE tenant = $1 AND caller = $2 AND name = $3";
        let Some(row) = self.db.one(found, values![&r.tenant, &r.caller, &r.name], attempted).await? else {
            return Ok(RequestState::TooMany);
        };
        if row.text(0)? != print {
            return Ok(RequestState::Other);
        }
        Ok(match (row.int_opt(1)?, row.text_opt(2)?) {
            (Some(status), Some(body)) => RequestState::Done(u16::try_from(status).unwrap_or(500), body),
            _ => RequestState::Running,
        })
    }

    /// The request was answered. Without an answer worth keeping it may be sent again as if it never was.
    pub async fn request_end(&self, r: &RequestName, answer: Option<(u16, &str)>) -> Result<()> {
        let attempted = || format!("keep the answer to request {} of {}", r.name, r.caller);
        let done = match answer {
            Some((status, body)) => {
                let sql = "UPDATE requests SET status = $4, body = $5 WHERE tenant = $1 AND caller = $2 AND name = $3";
                let values = values![&r.tenant, &r.caller, &r.name, u64::from(status), body];
                self.db.write(sql, values, attempted).await
            }
            None => {
                let sql = "DELETE FROM requests WHERE tenant = $1 AND caller = $2 AND name = $3";
                self.db.write(sql, values![&r.tenant, &r.caller, &r.name], attempted).await
            }
        };
        done.map(drop)
    }
}
