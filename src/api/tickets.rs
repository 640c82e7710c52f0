//! Tickets: lists, one with its log, and what people change about them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
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
    center::{command::Command, desk},
    store::{TicketFilter, TicketRow},
    ticket::{Change, Group, Priority, State as TicketState, Ticket, To, clock},
};

/// The owner of what nobody owns.
const NOBODY: &str = "nobody";

/// Which tickets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Words of the title, or the number.
    q: Option<String>,
    /// `new`, `open`, `pending_customer`, `pending_internal`, `resolved`, `closed`, `merged`, `spam`; several with commas.
    status: Option<String>,
    /// Whose; `me` is the caller, `nobody` those without an owner.
    owner: Option<String>,
    /// `low`, `normal`, `high`, `urgent`; several with commas.
    priority: Option<String>,
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
    /// It goes into another ticket, which takes over its contacts, tags and clocks. Both logs stay; this one is final.
    MergedInto {
        /// Ticket id, or number.
        into: String,
    },
    /// The merge is undone: it is what it was. Only as long as nobody has gone on in the other.
    Unmerged {
        /// The ticket it went into, id or number.
        out_of: String,
    },
}

/// The same change to many tickets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyChanges {
    /// Ticket ids, 1 to 200.
    tickets: Vec<String>,
    /// What changes, on each.
    change: TicketChange,
}

/// A ticket that was not changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotChanged {
    /// Which.
    ticket: String,
    /// The word of the problem.
    code: String,
    /// Why, in a sentence.
    detail: String,
}

/// What became of many changes: each stands for itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct ManyChanged {
    /// Changed, in the order given.
    changed: Vec<String>,
    /// Not changed.
    refused: Vec<NotChanged>,
}

/// Whether the caller looks at a ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Viewing {
    /// False: has turned away.
    here: bool,
    /// Is writing something.
    #[serde(default)]
    writing: bool,
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

/// A promise on a ticket, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Promise {
    /// `first`, `next`, `resolve`, `owner_ack`.
    clock: String,
    /// When it is, or was, up, RFC 3339; none while the clock waits for the customer or has stopped in time.
    due: Option<String>,
    /// `running`, `paused`, `stopped`.
    phase: String,
    /// The time is over.
    missed: bool,
    /// What was promised, seconds of open hours.
    limit_s: u64,
    /// How much of it is used up, seconds.
    spent_s: u64,
}

/// A ticket on one line.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketLine {
    /// Its name in the house.
    id: String,
    /// Its name for people.
    number: u64,
    /// One line.
    title: String,
    /// `new`, `open`, `pending_customer`, `pending_internal`, `resolved`, `closed`, `merged`, `spam`.
    status: String,
    /// `low`, `normal`, `high`, `urgent`.
    priority: String,
    /// Who works on it.
    owner: Option<String>,
    /// Whose pile it lies on.
    queue: Option<String>,
    /// Whose matter.
    customer: Option<String>,
    /// The coded outcome.
    disposition: Option<String>,
    /// When its state ends by itself, RFC 3339.
    wakes_at: Option<String>,
    /// Since when a customer's word lies there without an answer, RFC 3339.
    unanswered: Option<String>,
    /// RFC 3339.
    opened_at: String,
    /// RFC 3339.
    changed_at: String,
    /// The running promise that is due first.
    promise: Option<Promise>,
}

/// A list of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tickets {
    /// Those changed last first.
    tickets: Vec<TicketLine>,
    /// Give it as `after` for the next part; none when this was the last.
    next: Option<String>,
}

/// Every promise on a ticket as the tenant's hours have it now.
fn promises(shared: &Shared, who: &Who, ticket: &Ticket) -> Vec<(Option<Wall>, Promise)> {
    let (settings, now) = (shared.door.settings(), shared.door.now().wall);
    let Some(tenant) = settings.tenants.get(&who.tenant) else { return Vec::new() };
    let one = |r: clock::Reading| {
        let phase = match r.phase {
            clock::Phase::Running => "running",
            clock::Phase::Paused => "paused",
            clock::Phase::Stopped { .. } => "stopped",
        };
        let promise = Promise {
            clock: json!(r.clock).as_str().unwrap_or_default().to_owned(),
            due: r.due.map(|d| d.rfc3339()),
            phase: phase.to_owned(),
            missed: r.missed(now),
            limit_s: r.limit.as_secs(),
            spent_s: r.spent.as_secs(),
        };
        (r.due.filter(|_| r.phase == clock::Phase::Running), promise)
    };
    desk::readings(tenant, ticket, now).into_iter().map(one).collect()
}

async fn line(shared: &Shared, who: &Who, row: TicketRow) -> Result<TicketLine, Problem> {
    let over = matches!(row.status, Group::Closed | Group::Merged | Group::Spam | Group::Resolved);
    let ticket = match over {
        true => None,
        false => shared.store.ticket_get(&who.tenant, row.id).await.map_err(Problem::internal)?,
    };
    let promises = ticket.map(|t| promises(shared, who, &t)).unwrap_or_default();
    let first = promises.into_iter().filter_map(|(due, p)| due.map(|d| (d, p))).min_by_key(|(d, _)| *d);
    let word = |v: Value| v.as_str().unwrap_or_default().to_owned();
    Ok(TicketLine {
        id: row.id.to_string(),
        number: row.number,
        title: row.title,
        status: word(json!(row.status)),
        priority: word(json!(row.priority)),
        owner: row.owner.map(|o| o.to_string()),
        queue: row.queue.map(|q| q.to_string()),
        customer: row.customer.map(|c| c.to_string()),
        disposition: row.disposition.map(|d| d.to_string()),
        wakes_at: row.wakes_at.map(|w| w.rfc3339()),
        unanswered: row.unanswered.map(|w| w.rfc3339()),
        opened_at: row.opened_at.rfc3339(),
        changed_at: row.changed_at.rfc3339(),
        promise: first.map(|(_, p)| p),
    })
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

/// A line of so many characters, as the ticket itself counts them.
fn one_line(field: &str, text: String, most: usize) -> Result<String, Problem> {
    if text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(Problem::invalid(field, format!("expected one line of 1 to {most} characters")));
    }
    Ok(text)
}

fn words(field: &str, text: String, most: usize) -> Result<String, Problem> {
    if text.trim().is_empty() || text.len() > most {
        return Err(Problem::invalid(field, format!("expected 1 to {most} bytes of text")));
    }
    Ok(text)
}

/// Tickets, those changed last first.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(Which), responses((status = 200, body = Tickets)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who, Params(w): Params<Which>) -> Result<Json<Tickets>, Problem> {
    let filter = TicketFilter {
        search: w.q.filter(|q| !q.trim().is_empty()),
        status: w.status.iter().flat_map(|s| s.split(',')).map(status).collect::<Result<_, _>>()?,
        unassigned: w.owner.as_deref() == Some(NOBODY),
        owner: w.owner.as_deref().filter(|o| *o != NOBODY).map(|o| who.agent(o)).transpose()?,
        priority: w.priority.iter().flat_map(|p| p.split(',')).map(priority).collect::<Result<_, _>>()?,
        queue: w.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?,
        customer: w.customer.as_deref().map(|c| customer_id("customer", c)).transpose()?,
        after: wire::cursor(w.after.as_deref())?,
        limit: w.limit.unwrap_or(50).clamp(1, 200),
    };
    let page = shared.store.ticket_list(&who.tenant, &filter).await.map_err(Problem::internal)?;
    let mut tickets = Vec::with_capacity(page.items.len());
    for row in page.items {
        tickets.push(line(&shared, &who, row).await?);
    }
    Ok(Json(Tickets { tickets, next: page.next }))
}

/// Opens a ticket by hand.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = NewTicket,
    responses((status = 201, body = wire::Outcome), (status = 422, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(new): Body<NewTicket>) -> Result<Response, Problem> {
    let command = Command::TicketOpen {
        title: one_line("title", new.title, limits::TITLE_MAX)?,
        customer: new.customer.as_deref().map(|c| customer_id("customer", c)).transpose()?,
        queue: new.queue.as_deref().map(|q| wire::slug("queue", q)).transpose()?,
        priority: new.priority.map(|p| priority(&p).map(|_| p)).transpose()?,
        body: new.body.map(|b| words("body", b, limits::MESSAGE_MAX)).transpose()?,
    };
    shared.ask(&who, command).await.map(wire::outcome)
}

/// The ticket a path or body names, by id or number.
async fn find(shared: &Shared, who: &Who, text: &str) -> Result<TicketId, Problem> {
    if let Ok(number) = text.trim_start_matches('#').parse::<u64>() {
        let found = shared.store.ticket_by_number(&who.tenant, number).await.map_err(Problem::internal)?;
        return found.ok_or_else(|| Problem::not_found(format!("ticket #{number}")));
    }
    ticket_id(text)
}

/// The tickets that went into this one, with their logs, the first merged first.
async fn merged(shared: &Shared, who: &Who, ticket: &Ticket) -> Result<Vec<Value>, Problem> {
    let mut merged = Vec::new();
    for id in ticket.head().absorbed.iter().take(limits::MERGED_SHOWN_MAX) {
        let Some(other) = shared.store.ticket_get(&who.tenant, *id).await.map_err(Problem::internal)? else { continue };
        let (head, log) = (other.head(), wire::to_json(&other.log())?);
        let undoable = ticket.may_release(*id);
        merged.push(json!({"id": head.id, "number": head.number, "title": head.title, "log": log, "undoable": undoable}));
    }
    Ok(merged)
}

/// One ticket with its log, by id or number. `merged` has the tickets that went into it, with their logs, and whether that can be
/// undone; `into` the one it went into itself, for whoever comes by the old number.
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets", params(("id" = String, Path, description = "ticket id or number")),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn get(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let id = find(&shared, &who, &id).await?;
    let Some(ticket) = shared.store.ticket_get(&who.tenant, id).await.map_err(Problem::internal)? else {
        return Err(Problem::not_found(format!("ticket `{id}`")));
    };
    let promises: Vec<Promise> = promises(&shared, &who, &ticket).into_iter().map(|(_, p)| p).collect();
    let (head, log) = (wire::to_json(ticket.head())?, wire::to_json(&ticket.log())?);
    let into = match ticket.head().state {
        TicketState::Merged { into } => {
            let other = shared.store.ticket_get(&who.tenant, into).await.map_err(Problem::internal)?;
            other.map(|o| {
                let undoable = o.may_release(ticket.head().id);
                json!({"id": o.head().id, "number": o.head().number, "title": o.head().title, "undoable": undoable})
            })
        }
        _ => None,
    };
    let merged = merged(&shared, &who, &ticket).await?;
    Ok(Json(json!({"ticket": head, "log": log, "promises": promises, "merged": merged, "into": into})))
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
    let change = read(&shared, &who, wish).await?;
    shared.ask(&who, Command::Ticket { ticket, change }).await.map(wire::outcome)
}

/// The same change to many tickets, one after the other; one that is refused does not keep back the others.
#[utoipa::path(post, path = "/api/v1/tickets/changes", tag = "tickets", request_body = ManyChanges,
    responses((status = 200, body = ManyChanged), (status = 422, body = Problem)))]
pub async fn change_many(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(many): Body<ManyChanges>,
) -> Result<Json<ManyChanged>, Problem> {
    if many.tickets.is_empty() || many.tickets.len() > limits::TICKETS_AT_ONCE {
        return Err(Problem::invalid("tickets", format!("expected 1 to {} ticket ids", limits::TICKETS_AT_ONCE)));
    }
    let change = read(&shared, &who, many.change).await?;
    let (mut changed, mut refused) = (Vec::new(), Vec::new());
    for id in many.tickets {
        let done = match ticket_id(&id) {
            Ok(ticket) => shared.ask(&who, Command::Ticket { ticket, change: change.clone() }).await.map(drop),
            Err(problem) => Err(problem),
        };
        match done {
            Ok(()) => changed.push(id),
            Err(problem) => refused.push(NotChanged { ticket: id, code: problem.code, detail: problem.detail }),
        }
    }
    Ok(Json(ManyChanged { changed, refused }))
}

/// Tells those who look at the ticket that the caller does, too. Said again every 20 seconds; nothing is kept.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/viewing", tag = "tickets", params(("id" = String, Path)), request_body = Viewing,
    responses((status = 200, body = wire::Outcome), (status = 404, body = Problem)))]
pub async fn viewing(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(v): Body<Viewing>,
) -> Result<Response, Problem> {
    let ticket = ticket_id(&id)?;
    if !shared.store.ticket_exists(&who.tenant, ticket).await.map_err(Problem::internal)? {
        return Err(Problem::not_found(format!("ticket `{ticket}`")));
    }
    shared.ask(&who, Command::Viewing { ticket, here: v.here, writing: v.writing }).await.map(wire::outcome)
}

async fn read(shared: &Shared, who: &Who, wish: TicketChange) -> Result<Change, Problem> {
    let most = limits::MESSAGE_MAX;
    Ok(match wish {
        TicketChange::State { to, until } => Change::State { to: state(shared, who, to, until)? },
        TicketChange::Assigned { owner } => Change::Assigned { owner: owner.map(|o| who.agent(&o)).transpose()? },
        TicketChange::Viewed {} => Change::Viewed,
        TicketChange::Queued { queue } => Change::Queued { queue: queue.map(|q| wire::slug("queue", &q)).transpose()? },
        TicketChange::Prioritised { priority: p } => Change::Prioritised { priority: priority(&p)? },
        TicketChange::Titled { title } => Change::Titled { title: one_line("title", title, limits::TITLE_MAX)? },
        TicketChange::CustomerKnown { customer } => Change::CustomerKnown { customer: customer_id("customer", &customer)? },
        TicketChange::Linked { interaction } => {
            let id = InteractionId::parse(&interaction)
                .ok_or_else(|| Problem::invalid("interaction", "expected an interaction id"))?;
            Change::Linked { interaction: id }
        }
        TicketChange::Replied { text } => Change::Replied { text: words("text", text, most)?, message: None },
        TicketChange::Noted { text } => Change::Noted { text: words("text", text, most)? },
        TicketChange::Tagged { tag } => Change::Tagged { tag: one_line("tag", tag, limits::TAG_MAX)? },
        TicketChange::Untagged { tag } => Change::Untagged { tag: one_line("tag", tag, limits::TAG_MAX)? },
        TicketChange::Disposed { code } => Change::Disposed { code: code.map(|c| wire::slug("code", &c)).transpose()? },
        TicketChange::MergedInto { into } => Change::MergedInto { into: find(shared, who, &into).await? },
        TicketChange::Unmerged { out_of } => Change::Unmerged { out_of: find(shared, who, &out_of).await? },
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
