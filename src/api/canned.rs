//! The canned replies of agents.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Shared, guard::Who};

/// A reply agents send again and again.
#[derive(Debug, Serialize, ToSchema)]
pub struct CannedReply {
    /// Its id: what is typed after `/`.
    id: String,
    /// For people.
    name: String,
    /// The words; `{customer}`, `{agent}` and `{queue}` stand for their names.
    text: String,
    /// Language it is written in; any if absent.
    lang: Option<String>,
    /// Queues it is offered in; all if empty.
    queues: Vec<String>,
}

/// The canned replies.
#[derive(Debug, Serialize, ToSchema)]
pub struct CannedReplies {
    /// By id.
    replies: Vec<CannedReply>,
}

/// The replies agents may insert.
#[utoipa::path(get, path = "/api/v1/canned", tag = "agents", responses((status = 200, body = CannedReplies)))]
pub async fn canned(State(shared): State<Arc<Shared>>, who: Who) -> Json<CannedReplies> {
    let settings = shared.door.settings();
    let all = settings.tenants.get(&who.tenant).into_iter().flat_map(|t| &t.config.canned);
    let reply = |(id, c): (&crate::base::CodeId, &crate::center::settings::Canned)| CannedReply {
        id: id.to_string(),
        name: if c.name.is_empty() { id.to_string() } else { c.name.clone() },
        text: c.text.clone(),
        lang: c.lang.clone(),
        queues: c.queues.iter().map(ToString::to_string).collect(),
    };
    Json(CannedReplies { replies: all.map(reply).collect() })
}
