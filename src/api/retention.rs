//! How long what is kept, with what would go now; and legal holds.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, Shared, admin,
    guard::Who,
    problem::{Body, Params},
    wire,
};
use crate::{
    base::{self, CustomerId, InteractionId, TicketId, Wall, limits},
    center::settings,
    store::{Aged, Held, Hold, NamedHold},
};

/// Longest reason, bytes.
const REASON_MAX: usize = 500;

/// Days after which something is deleted; for ever where it is 0.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Periods {
    /// Recordings and voicemail, from their beginning.
    recordings: u32,
    /// Messages of chats and transcripts of calls, from the end of the contact.
    messages: u32,
    /// Files of chats, from when they were sent.
    files: u32,
    /// Contacts with everything of theirs, also what reports count, from their end.
    contacts: u32,
    /// Tickets that are closed, from their last change.
    tickets: u32,
    /// The audit log.
    audit: u32,
    /// What became of webhooks' deliveries.
    deliveries: u32,
    /// What happened in no contact: states of agents, counts. At least 8.
    journal: u32,
}

impl Periods {
    /// Those a tenant has set.
    pub fn of(config: &settings::Tenant) -> Self {
        let r = config.retention;
        Periods {
            recordings: r.recordings_days,
            messages: r.messages_days,
            files: config.chat.files.keep_days,
            contacts: r.contacts_days,
            tickets: r.tickets_days,
            audit: r.audit_days,
            deliveries: r.deliveries_days,
            journal: r.journal_days,
        }
    }

    fn put(self, config: &mut settings::Tenant) {
        config.chat.files.keep_days = self.files;
        config.retention = settings::Retention {
            recordings_days: self.recordings,
            messages_days: self.messages,
            contacts_days: self.contacts,
            tickets_days: self.tickets,
            audit_days: self.audit,
            deliveries_days: self.deliveries,
            journal_days: self.journal,
        };
    }

    /// That of one kind.
    pub const fn days(&self, kind: Aged) -> u32 {
        match kind {
            Aged::Recordings => self.recordings,
            Aged::Messages => self.messages,
            Aged::Files => self.files,
            Aged::Contacts => self.contacts,
            Aged::Tickets => self.tickets,
            Aged::Audit => self.audit,
            Aged::Deliveries => self.deliveries,
            Aged::Journal => self.journal,
        }
    }
}

/// Periods to look at instead of those in force. What is absent is as it is in force.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// Days.
    recordings: Option<u32>,
    /// Days.
    messages: Option<u32>,
    /// Days.
    files: Option<u32>,
    /// Days.
    contacts: Option<u32>,
    /// Days.
    tickets: Option<u32>,
    /// Days.
    audit: Option<u32>,
    /// Days.
    deliveries: Option<u32>,
    /// Days.
    journal: Option<u32>,
}

/// One kind of what is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptKind {
    /// `recordings`, `messages`, `files`, `contacts`, `tickets`, `audit`, `deliveries`, `journal`.
    kind: String,
    /// Days; 0: for ever.
    days: u32,
    /// What is older now, and would be deleted: recordings and messages counted in contacts.
    would_go: u64,
    /// What is older as well and stays, because a hold keeps it.
    held: u64,
}

/// How long what is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionShown {
    /// The periods looked at.
    periods: Periods,
    /// What they come to, in the order in which it is deleted.
    kinds: Vec<KeptKind>,
}

async fn shown(shared: &Shared, who: &Who, periods: Periods) -> Result<Json<RetentionShown>, Problem> {
    let now = shared.door.now().wall;
    let mut kinds = Vec::new();
    for kind in Aged::ALL {
        let days = periods.days(kind);
        let due = match days {
            0 => Default::default(),
            days => {
                let before = now - base::days(days);
                shared.store.aged_count(&who.tenant, kind, before).await.map_err(Problem::internal)?
            }
        };
        kinds.push(KeptKind { kind: kind.as_str().into(), days, would_go: due.go, held: due.held });
    }
    Ok(Json(RetentionShown { periods, kinds }))
}

fn in_force(shared: &Shared, who: &Who) -> Periods {
    shared.door.settings().tenants.get(&who.tenant).map(|t| Periods::of(&t.config)).unwrap_or_default()
}

/// How long what is kept, and what would be deleted now; by other periods, if any are given.
#[utoipa::path(get, path = "/api/v1/retention", tag = "admin", params(Tried), responses((status = 200, body = RetentionShown)))]
pub async fn show(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Params(t): Params<Tried>,
) -> Result<Json<RetentionShown>, Problem> {
    let p = in_force(&shared, &who);
    let tried = Periods {
        recordings: t.recordings.unwrap_or(p.recordings),
        messages: t.messages.unwrap_or(p.messages),
        files: t.files.unwrap_or(p.files),
        contacts: t.contacts.unwrap_or(p.contacts),
        tickets: t.tickets.unwrap_or(p.tickets),
        audit: t.audit.unwrap_or(p.audit),
        deliveries: t.deliveries.unwrap_or(p.deliveries),
        journal: t.journal.unwrap_or(p.journal),
    };
    shown(&shared, &who, tried).await
}

/// Puts periods in force: what is older is deleted from now on, beginning at once. What is absent is kept for ever.
#[utoipa::path(put, path = "/api/v1/retention", tag = "admin", request_body = Periods,
    responses((status = 200, body = RetentionShown), (status = 422, body = Problem)))]
pub async fn set(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(periods): Body<Periods>,
) -> Result<Json<RetentionShown>, Problem> {
    let diff = admin::change_tenant(&shared, &who, |mine| {
        periods.put(mine);
        Ok(())
    })
    .await?;
    if !diff.is_empty() {
        wire::audit(&shared, &who, "retention.set", who.tenant.as_str(), None, Some(diff)).await?;
    }
    let answer = shown(&shared, &who, periods).await?;
    shared.aging.notify_one();
    Ok(answer)
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldShown {
    /// `customer`, `interaction`, `ticket`.
    pub(super) kind: String,
    /// Which.
    pub(super) id: String,
    /// Who put it there.
    who: String,
    /// When, RFC 3339.
    at: String,
    /// What for.
    pub(super) reason: String,
    /// What people call it; only in the list. The customer's name, the ticket's title, the number or name of the contact's customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The ticket's number; only in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// When the contact began, RFC 3339; only in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<String>,
}

/// The holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holds {
    /// The newest first.
    holds: Vec<HoldShown>,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What for: a case, a request. 1 to 500 bytes.
    reason: String,
}

pub(super) fn hold_shown(h: Hold) -> HoldShown {
    let (kind, at) = (h.kind.as_str().into(), h.at.rfc3339());
    HoldShown { kind, id: h.id, who: h.who, at, reason: h.reason, name: None, number: None, began: None }
}

/// What is held: not deleted by age, not erased on request. 1 000 at most, for a further one is refused (`limit`).
#[utoipa::path(get, path = "/api/v1/holds", tag = "admin", responses((status = 200, body = Holds)))]
pub async fn holds(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Holds>, Problem> {
    let rows = shared.store.hold_list(&who.tenant, limits::HOLDS_MAX).await.map_err(Problem::internal)?;
    let named = |n: NamedHold| HoldShown {
        name: Some(n.name),
        number: n.number,
        began: n.began.map(Wall::rfc3339),
        ..hold_shown(n.hold)
    };
    Ok(Json(Holds { holds: rows.into_iter().map(named).collect() }))
}

fn kind_of(text: &str) -> Result<Held, Problem> {
    Held::parse(text).ok_or_else(|| Problem::not_found(format!("a kind `{text}` that can be held")))
}

/// The id of what is there; for a customer that of today.
async fn existing(shared: &Shared, who: &Who, kind: Held, id: &str) -> Result<String, Problem> {
    let (store, tenant) = (&shared.store, &who.tenant);
    let found = match kind {
        Held::Customer => match CustomerId::parse(id) {
            Some(c) => store.customer_get(tenant, c).await.map_err(Problem::internal)?.map(|c| c.id.to_string()),
            None => None,
        },
        Held::Interaction => match InteractionId::parse(id) {
            Some(i) => store.interaction_get(tenant, i).await.map_err(Problem::internal)?.map(|_| i.to_string()),
            None => None,
        },
        Held::Ticket => match TicketId::parse(id) {
            Some(t) => store.ticket_get(tenant, t).await.map_err(Problem::internal)?.map(|_| t.to_string()),
            None => None,
        },
    };
    found.ok_or_else(|| Problem::not_found(format!("{} `{id}`", kind.as_str())))
}

/// Holds a customer, a contact or a ticket: it is not deleted until the hold is lifted.
#[utoipa::path(put, path = "/api/v1/holds/{kind}/{id}", tag = "admin", params(("kind" = String, Path), ("id" = String, Path)),
    request_body = Reason, responses((status = 200, body = HoldShown), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn hold(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path((kind, id)): Path<(String, String)>,
    Body(wish): Body<Reason>,
) -> Result<Json<HoldShown>, Problem> {
    let kind = kind_of(&kind)?;
    if wish.reason.trim().is_empty() || wish.reason.len() > REASON_MAX {
        return Err(Problem::invalid("reason", format!("expected 1 to {REASON_MAX} bytes of text")));
    }
    let id = existing(&shared, &who, kind, &id).await?;
    let there = shared.store.hold_list(&who.tenant, limits::HOLDS_MAX).await.map_err(Problem::internal)?;
    if there.len() >= limits::HOLDS_MAX && !there.iter().any(|h| h.hold.kind == kind && h.hold.id == id) {
        let said = format!("there are {} holds: lift some", limits::HOLDS_MAX);
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, "limit", said));
    }
    let hold = Hold { kind, id, who: who.name(), at: shared.door.now().wall, reason: wish.reason };
    shared.store.hold_put(&who.tenant, &hold).await.map_err(Problem::internal)?;
    let subject = format!("{} {}", kind.as_str(), hold.id);
    wire::audit(&shared, &who, "hold.put", &subject, None, Some(hold.reason.clone())).await?;
    Ok(Json(hold_shown(hold)))
}

/// Lifts a hold: what it kept goes by its age again.
#[utoipa::path(delete, path = "/api/v1/holds/{kind}/{id}", tag = "admin", params(("kind" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn lift(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path((kind, id)): Path<(String, String)>,
) -> Result<axum::http::StatusCode, Problem> {
    let kind = kind_of(&kind)?;
    if !shared.store.hold_lift(&who.tenant, kind, &id).await.map_err(Problem::internal)? {
        return Err(Problem::not_found(format!("a hold on {} `{id}`", kind.as_str())));
    }
    wire::audit(&shared, &who, "hold.lift", &format!("{} {id}", kind.as_str()), None, None).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
