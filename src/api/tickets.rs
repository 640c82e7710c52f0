//! Tickets: lists, one with its log, and what people change about them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, Shared,
    guard::Who,
    problem::{Body, Params},
    wire,
};
use crate::{
    base::{CustomerId, InteractionId, TicketId, Wall, limits},
    center::command::Command,
    store::TicketFilter,
    ticket::{Change, Group, Priority, To},
};

/// Longest title, bytes.
const TITLE_MAX: usize = 300;

/// Which tickets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Words of the title, or the number.
    q: Option<String>,
    /// `new`, `open`, `pending_customer`, `pending_internal`, `resolved`, `closed`, `merged`, `spam`; several with commas.
    status: Option<String>,
    /// Whose; `me` is the caller.
    owner: Option<String>,
    /// On which pile.
    queue: Option<String>,
    /// Of whom.
    customer: Option<String>,
    /// Where the last answer ended: its `next`.
    after: Option<String>,
    /// At most so many, 200 at most.
    limit: Option<usize>,
}

/// A new ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// One line.
    title: String,
    /// Customer id.
    #[serde(default)]
    customer: Option<String>,
    /// Queue id.
    #[serde(default)]
    queue: Option<String>,
    /// `low`, `normal`, `high`, `urgent`.
    #[serde(default)]
    priority: Option<String>,
    /// The matter in words.
    #[serde(default)]
    body: Option<String>,
}

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum TicketChange {
    /// Another state.
    State {
        /// `open`, `pending_customer`, `pending_internal`, `resolved`, `closed`, `spam`.
        to: StateWord,
        /// For `pending_internal`: when it comes back by itself, RFC 3339.
        #[serde(default)]
        until: Option<String>,
    },
    /// Another owner, or none.
    Assigned {
        /// Agent id, `me`, or null.
        owner: Option<String>,
    },
    /// The caller has looked at it.
    Viewed {},
    /// Another pile, or none.
    Queued {
        /// Queue id or null.
        queue: Option<String>,
    },
    /// Another priority.
    Prioritised {
        /// `low`, `normal`, `high`, `urgent`.
        priority: String,
    },
    /// Another title.
    Titled {
        /// One line.
        title: String,
    },
    /// It is this customer's.
    CustomerKnown {
        /// Customer id.
        customer: String,
    },
    /// A contact belongs to it.
    Linked {
        /// Interaction id.
        interaction: String,
    },
    /// An answer given to the customer elsewhere.
    Replied {
        /// The words.
        text: String,
    },
    /// For our eyes only.
    Noted {
        /// The words.
        text: String,
    },
    /// A tag more.
    Tagged {
        /// The tag.
        tag: String,
    },
    /// A tag less.
    Untagged {
        /// The tag.
        tag: String,
    },
    /// The coded outcome, or none.
    Disposed {
        /// A disposition or null.
        code: Option<String>,
    },
}

/// A state people choose.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TicketStateWord)]
pub enum StateWord {
    /// To be worked on.
    Open,
    /// Wait for the customer.
    PendingCustomer,
    /// Wait for the house.
    PendingInternal,
    /// Done, unless the customer writes again in time.
    Resolved,
    /// Done for good.
    Closed,
    /// Not a customer's matter.
    Spam,
}

fn ticket_id(text: &str) -> Result<TicketId, Problem> {
    TicketId::parse(text).ok_or_else(|| Problem::not_found(format!("ticket `{text}`")))
}

fn customer_id(field: &str, text: &str) -> Result<CustomerId, Problem> {
    CustomerId::parse(text).ok_or_else(|| Problem::invalid(field, "expected a customer id"))
}

fn status(text: &str) -> Result<Group, Problem> {
    serde_json::from_value(json!(text)).map_err(|e| Problem::invalid("status", e.to_string()))
}

fn priority(text: &str) -> Result<Priority, Problem> {
    serde_json::from_value(json!(text)).map_err(|_| Problem::invalid("priority", "expected low, normal, high or urgent"))
}

fn words(field: &str, text: String, most: usize) -> Result<String, Problem> {
    if text.trim().is_empty() || text.len() > most {
        return Err(Problem::invalid(field, format!("expected 1 to {most} bytes of text")));
    }
    Ok(text)
}

/// Tickets, those changed last first.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(Which), responses((status = 200, body = Object)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who, Params(w): Params<Which>) -> Result<Json<Value>, Problem> {
    let filter = TicketFilter {
        search: w.q.filter(|q| !q.trim().is_empty()),
        status: w.status.iter().flat_map(|s| s.split(',')).map(status).collect::<Result<_, _>>()?,
        owner: w.owner.as_deref().map(|o| who.agent(o)).transpose()?,
        queue: w.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?,
        customer: w.customer.as_deref().map(|c| customer_id("customer", c)).transpose()?,
        after: wire::cursor(w.after.as_deref())?,
        limit: w.limit.unwrap_or(50).clamp(1, 200),
    };
    let page = shared.store.ticket_list(&who.tenant, &filter).await.map_err(Problem::internal)?;
    Ok(Json(json!({"tickets": wire::to_json(&page.items)?, "next": page.next})))
}

/// Opens a ticket by hand.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = NewTicket,
    responses((status = 201, body = wire::Outcome), (status = 422, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(new): Body<NewTicket>) -> Result<Response, Problem> {
    let command = Command::TicketOpen {
        title: words("title", new.title, TITLE_MAX)?,
        customer: new.customer.as_deref().map(|c| customer_id("customer", c)).transpose()?,
        queue: new.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?,
        priority: new.priority.map(|p| priority(&p).map(|_| p)).transpose()?,
        body: new.body.map(|b| words("body", b, limits::MESSAGE_MAX)).transpose()?,
    };
    shared.ask(&who, command).await.map(wire::outcome)
}

/// One ticket with its log.
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn get(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = ticket_id(&id)?;
    let Some(ticket) = shared.store.ticket_get(&who.tenant, id).await.map_err(Problem::internal)? else {
        return Err(Problem::not_found(format!("ticket `{id}`")));
    };
    Ok(Json(json!({"ticket": wire::to_json(ticket.head())?, "log": wire::to_json(&ticket.log())?})))
}

/// Changes a ticket.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/changes", tag = "tickets", params(("id" = String, Path)), request_body = TicketChange,
    responses((status = 200, body = wire::Outcome), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn change(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(wish): Body<TicketChange>,
) -> Result<Response, Problem> {
    let ticket = ticket_id(&id)?;
    let change = read(&shared, &who, wish)?;
    shared.ask(&who, Command::Ticket { ticket, change }).await.map(wire::outcome)
}

fn read(shared: &Shared, who: &Who, wish: TicketChange) -> Result<Change, Problem> {
    let most = limits::MESSAGE_MAX;
    Ok(match wish {
        TicketChange::State { to, until } => Change::State { to: state(shared, who, to, until)? },
        TicketChange::Assigned { owner } => Change::Assigned { owner: owner.map(|o| who.agent(&o)).transpose()? },
        TicketChange::Viewed {} => Change::Viewed,
        TicketChange::Queued { queue } => Change::Queued { queue: queue.map(|q| wire::slug("queue", &q)).transpose()? },
        TicketChange::Prioritised { priority: p } => Change::Prioritised { priority: priority(&p)? },
        TicketChange::Titled { title } => Change::Titled { title: words("title", title, TITLE_MAX)? },
        TicketChange::CustomerKnown { customer } => Change::CustomerKnown { customer: customer_id("customer", &customer)? },
        TicketChange::Linked { interaction } => {
            let id = InteractionId::parse(&interaction)
                .ok_or_else(|| Problem::invalid("interaction", "expected an interaction id"))?;
            Change::Linked { interaction: id }
        }
        TicketChange::Replied { text } => Change::Replied { text: words("text", text, most)?, message: None },
        TicketChange::Noted { text } => Change::Noted { text: words("text", text, most)? },
        TicketChange::Tagged { tag } => Change::Tagged { tag: words("tag", tag, 64)? },
        TicketChange::Untagged { tag } => Change::Untagged { tag: words("tag", tag, 64)? },
        TicketChange::Disposed { code } => Change::Disposed { code: code.map(|c| wire::slug("code", &c)).transpose()? },
    })
}

fn state(shared: &Shared, who: &Who, to: StateWord, until: Option<String>) -> Result<To, Problem> {
    let now = shared.door.now().wall;
    if until.is_some() && !matches!(to, StateWord::PendingInternal) {
        return Err(Problem::invalid("until", "only `pending_internal` comes back by itself"));
    }
    Ok(match to {
        StateWord::Open => To::Open,
        StateWord::PendingCustomer => To::PendingCustomer,
        StateWord::PendingInternal => {
            let until = until.as_deref().and_then(Wall::parse_rfc3339).filter(|u| *u > now);
            let said =
                || Problem::invalid("until", "`pending_internal` needs an instant in the future, like 2026-11-23T04:05:06Z");
            To::PendingInternal { until: until.ok_or_else(said)? }
        }
        StateWord::Resolved => {
            // The promise of the tenant says how long the customer may come back.
            let settings = shared.door.settings();
            let tenant = settings.tenants.get(&who.tenant);
            let sla = tenant.and_then(|t| t.config.default_sla.as_ref().and_then(|s| t.config.slas.get(s)));
            To::Resolved { reopen_until: now + sla.cloned().unwrap_or_default().reopen_window() }
        }
        StateWord::Closed => To::Closed,
        StateWord::Spam => To::Spam,
    })
}
