//! The audit log: read by parts, cut to what is looked for, and as a table for those who keep their own.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{Problem, Shared, guard::Who, problem::Params, reports::csv, wire};
use crate::{
    base::{TenantId, limits},
    store::{AuditFilter, AuditRow, Store, StoreError},
};

/// Which part of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Only entries before this one.
    before: Option<u64>,
    /// Only what this login, key (`key:name`) or `system` did.
    who: Option<String>,
    /// Only what begins so: `config.apply`, or `user.` for everything about logins.
    what: Option<String>,
    /// Only what was done to something whose id begins so.
    subject: Option<String>,
    /// At this instant or later, RFC 3339.
    from: Option<String>,
    /// Before this instant, RFC 3339.
    to: Option<String>,
    /// `json`, or `csv` for a table: the newest 100 000 entries that fit, whatever `limit` says.
    format: Option<String>,
    /// At most so many, 500 at most.
    limit: Option<usize>,
}

impl Part {
    fn filter(&self) -> Result<AuditFilter, Problem> {
        let text = |field: &str, text: &Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty());
            if text.is_some_and(|t| t.chars().count() > limits::SEARCH_CHARS_MAX) {
                return Err(Problem::invalid(field, format!("expected at most {} characters", limits::SEARCH_CHARS_MAX)));
            }
            Ok(text.map(str::to_owned))
        };
        Ok(AuditFilter {
            before: self.before,
            who: text("who", &self.who)?,
            what: text("what", &self.what)?,
            subject: text("subject", &self.subject)?,
            from: wire::instant("from", self.from.as_deref())?,
            to: wire::instant("to", self.to.as_deref())?,
        })
    }
}

/// Who did what, newest first. That somebody took it away as a table is an entry itself.
#[utoipa::path(get, path = "/api/v1/audit", tag = "admin", params(Part),
    responses((status = 200, content((Object = "application/json"), (String = "text/csv"))), (status = 422, body = Problem)))]
pub async fn audit(State(shared): State<Arc<Shared>>, who: Who, Params(p): Params<Part>) -> Result<Response, Problem> {
    let filter = p.filter()?;
    if csv::wanted(p.format.as_deref())? {
        let asked = json!({"who": filter.who, "what": filter.what, "subject": filter.subject, "from": p.from, "to": p.to});
        wire::audit(&shared, &who, "audit.export", who.tenant.as_str(), None, Some(asked.to_string())).await?;
        return Ok(table(shared.store.clone(), who.tenant, filter));
    }
    let limit = p.limit.unwrap_or(100).clamp(1, limits::LIST_MAX);
    let rows = shared.store.audit_list(&who.tenant, &filter, limit).await.map_err(Problem::internal)?;
    Ok(Json(json!({"entries": wire::to_json(&rows)?})).into_response())
}

const HEAD: [&str; 7] = ["n", "at", "who", "what", "subject", "before", "after"];

fn line(row: &AuditRow) -> Vec<String> {
    let e = &row.entry;
    let texts = [&e.who, &e.what, &e.subject].into_iter().map(String::as_str);
    let texts = texts.chain([&e.before, &e.after].into_iter().map(|t| t.as_deref().unwrap_or_default())).map(csv::cell);
    [row.n.to_string(), e.at.rfc3339()].into_iter().chain(texts).collect()
}

/// How far a table has been sent.
enum At {
    Head,
    /// So many lines may still come.
    Lines(usize),
    End,
}

/// The table, a page of the log at a time: as much is in memory as the reader has room for.
fn table(store: Store, tenant: TenantId, filter: AuditFilter) -> Response {
    let pages = stream::try_unfold((At::Head, filter), move |(at, mut filter)| {
        let (store, tenant) = (store.clone(), tenant.clone());
        async move {
            let left = match at {
                At::Head => return Ok(Some((csv::head(&HEAD), (At::Lines(limits::AUDIT_EXPORT_MAX), filter)))),
                At::End => return Ok(None),
                At::Lines(left) => left,
            };
            let page = limits::LIST_MAX.min(left);
            let rows = store.audit_list(&tenant, &filter, page).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            filter.before = Some(last.n);
            let left = left - rows.len();
            let at = if rows.len() < page || left == 0 { At::End } else { At::Lines(left) };
            Ok::<_, StoreError>(Some((csv::lines(rows.iter().map(line)), (at, filter))))
        }
    });
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8");
    let name = (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\"");
    ([kind, name], Body::from_stream(pages)).into_response()
}
