//! Webhooks: made, changed, tried, removed by administrators, with the log of deliveries and telling again. Carrying is the
//! courier's work; here it is only rung.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;
use utoipa::{IntoParams, ToSchema};

use super::{
    Problem, Shared,
    guard::Who,
    problem::{Body, Params},
    wire,
};
use crate::{
    base::{Slug, Wall, limits, redact::Secret},
    center::fact::Record,
    store::{Again, Delivery, DeliveryState, StoreError, Webhook},
    webhook::{GROUPS, SECRET_BYTES, kinds_of, secret_text, unknown},
};

/// Says why events may not be sent to an address.
pub type UrlCheck = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;
/// The body a fact's event has.
pub type EventBody = Arc<dyn Fn(&Record) -> String + Send + Sync>;

/// What the API knows of the courier.
#[derive(Clone)]
pub struct Courier {
    /// Rung when endpoints have changed, or something is to be tried.
    pub changed: Arc<Notify>,
    /// Which addresses may be told.
    pub check: UrlCheck,
    /// An event as it is sent.
    pub body: EventBody,
}

/// A new endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Its name. 1 to 64 of `a-z 0-9 _ . -`.
    name: String,
    /// Where events are sent: `https://..`; `http` and addresses that are not public only where the server's settings allow it.
    url: String,
    /// Groups (`interaction`, `ticket`, ..), facts (`interaction_closed`), or `*`.
    events: Vec<String>,
    /// Deliveries at once, 1 to 8. With 1, the default, events arrive in order, and one that fails holds the others back.
    #[serde(default)]
    at_once: Option<usize>,
}

/// What changes about an endpoint. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Where events are sent.
    #[serde(default)]
    url: Option<String>,
    /// Groups, facts, or `*`.
    #[serde(default)]
    events: Option<Vec<String>>,
    /// Deliveries at once.
    #[serde(default)]
    at_once: Option<usize>,
    /// False: nothing is sent; what happens meanwhile is sent when it is switched on again.
    #[serde(default)]
    active: Option<bool>,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").finish_non_exhaustive()
    }
}

/// An endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookShown {
    /// Its name.
    name: String,
    /// Where events are sent.
    url: String,
    /// Groups, facts, or `*`.
    events: Vec<String>,
    /// Deliveries at once.
    at_once: usize,
    /// It is told what happens.
    active: bool,
    /// Why it was closed, if nobody switched it off: `failing` (it has taken nothing for a day), `gone` (it answered 410).
    closed_why: Option<String>,
    /// Since when it has taken nothing, RFC 3339; none while it takes what it is sent.
    failing_since: Option<String>,
    /// Deliveries that failed and will be tried again.
    waiting: u64,
    /// Deliveries that will not be tried again by themselves.
    failed: u64,
    /// Until when the secret before this one signs as well, RFC 3339.
    old_secret_until: Option<String>,
    /// When it was made, RFC 3339.
    made_at: String,
    /// What its events are signed with, shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// A group of events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventGroup {
    /// Its name.
    name: String,
    /// The facts in it.
    facts: Vec<String>,
}

/// The endpoints, and what can be chosen.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhooks {
    /// By name.
    webhooks: Vec<WebhookShown>,
    /// What there is to be told of.
    groups: Vec<EventGroup>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryShown {
    /// Place of the event in the journal; 0 for a trial.
    seq: u64,
    /// What happened.
    event: String,
    /// `waiting`, `delivered`, `failed`.
    state: String,
    /// How often it was tried.
    tries: u32,
    /// When it was tried first, RFC 3339.
    first_at: Option<String>,
    /// And last.
    last_at: Option<String>,
    /// When it will be tried again, RFC 3339, if it is waiting.
    due_at: Option<String>,
    /// HTTP status of the last answer; none when there was none.
    status: Option<u64>,
    /// How long it took, milliseconds.
    took_ms: Option<u64>,
    /// The first 2 KiB of the last answer, or why there was none.
    answer: Option<String>,
    /// The request as it was made, without its signature; only for one delivery, and none when what happened is no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<RequestShown>,
}

/// A request without its signature.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestShown {
    /// `POST` and the address.
    line: String,
    /// Headers, a line each.
    headers: Vec<String>,
    /// The body.
    #[schema(value_type = Object)]
    body: Value,
}

/// Deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deliveries {
    /// The newest events first.
    deliveries: Vec<DeliveryShown>,
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only these: `waiting`, `delivered`, `failed`.
    state: Option<String>,
    /// Only those before this place.
    before: Option<u64>,
    /// At most so many, 1 to 500. Default 100.
    limit: Option<usize>,
}

/// What is to be told again: one event by its place, or all from one instant to another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TellAgain {
    /// Place of the event in the journal.
    #[serde(default)]
    seq: Option<u64>,
    /// From then, RFC 3339.
    #[serde(default)]
    from: Option<String>,
    /// Until before then, RFC 3339; now if absent.
    #[serde(default)]
    to: Option<String>,
}

/// What will be told again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldAgain {
    /// Events that are waiting now.
    events: u64,
}

fn describe(w: &Webhook) -> String {
    format!("url={} events={} at_once={} active={}", w.url, w.events.join(","), w.at_once, w.active)
}

async fn shown(shared: &Shared, w: &Webhook) -> Result<WebhookShown, Problem> {
    let counts = shared.store.webhook_counts(&w.uid).await.map_err(Problem::internal)?;
    let now = shared.door.now().wall;
    Ok(WebhookShown {
        name: w.name.clone(),
        url: w.url.clone(),
        events: w.events.clone(),
        at_once: w.at_once,
        active: w.active,
        closed_why: w.closed_why.clone(),
        failing_since: w.failing_since.map(Wall::rfc3339),
        waiting: counts.waiting,
        failed: counts.failed,
        old_secret_until: w.old_secret.as_ref().filter(|(_, until)| *until > now).map(|(_, until)| until.rfc3339()),
        made_at: w.made_at.rfc3339(),
        secret: None,
    })
}

fn delivery(d: &Delivery) -> DeliveryShown {
    DeliveryShown {
        seq: d.seq,
        event: d.kind.clone(),
        state: d.state.as_str().to_owned(),
        tries: d.tries,
        first_at: d.first_at.map(Wall::rfc3339),
        last_at: d.last_at.map(Wall::rfc3339),
        due_at: Some(d.due_at.rfc3339()).filter(|_| d.state == DeliveryState::Waiting),
        status: d.status,
        took_ms: d.took_ms,
        answer: d.answer.clone(),
        request: None,
    }
}

fn checked(shared: &Shared, w: &Webhook) -> Result<(), Problem> {
    (shared.courier.check)(&w.url).map_err(|why| Problem::invalid("url", why))?;
    if w.events.is_empty() || w.events.len() > limits::LIST_MAX {
        return Err(Problem::invalid("events", "expected at least one group or fact, or `*`"));
    }
    if let Some(word) = unknown(&w.events) {
        let groups: Vec<&str> = GROUPS.iter().map(|(g, _)| *g).collect();
        let said = format!(
            "`{}` is no event; expected `*`, a fact, or of {}",
            word.chars().take(64).collect::<String>(),
            groups.join(", ")
        );
        return Err(Problem::invalid("events", said));
    }
    if !(1..=limits::WEBHOOK_AT_ONCE_MAX).contains(&w.at_once) {
        return Err(Problem::invalid("at_once", format!("expected 1 to {}", limits::WEBHOOK_AT_ONCE_MAX)));
    }
    Ok(())
}

fn new_secret(shared: &Shared) -> Secret {
    Secret::new(secret_text(&shared.with_rng(|r| r.bytes::<SECRET_BYTES>())))
}

async fn existing(shared: &Shared, who: &Who, name: &str) -> Result<Webhook, Problem> {
    let found = shared.store.webhook_get(&who.tenant, name).await.map_err(Problem::internal)?;
    found.ok_or_else(|| Problem::not_found(format!("webhook `{name}`")))
}

async fn keep(shared: &Shared, w: &Webhook) -> Result<(), Problem> {
    if !shared.store.webhook_change(w).await.map_err(Problem::internal)? {
        return Err(Problem::not_found(format!("webhook `{}`", w.name)));
    }
    shared.courier.changed.notify_one();
    Ok(())
}

/// Every endpoint of the tenant, and what can be chosen.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", responses((status = 200, body = Webhooks)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who) -> Result<Json<Webhooks>, Problem> {
    let mut webhooks = Vec::new();
    for w in shared.store.webhook_list(&who.tenant).await.map_err(Problem::internal)? {
        webhooks.push(shown(&shared, &w).await?);
    }
    let group = |(name, facts): &(&str, &[&str])| EventGroup {
        name: (*name).to_owned(),
        facts: facts.iter().map(|f| (*f).to_owned()).collect(),
    };
    Ok(Json(Webhooks { webhooks, groups: GROUPS.iter().map(group).collect() }))
}

/// Makes an endpoint, which is told what happens from now on. The secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, body = WebhookShown), (status = 409, body = Problem)))]
pub async fn create(State(shared): State<Arc<Shared>>, who: Who, Body(new): Body<NewWebhook>) -> Result<Response, Problem> {
    let name: Slug = wire::slug("name", &new.name)?;
    if shared.store.webhook_list(&who.tenant).await.map_err(Problem::internal)?.len() >= limits::WEBHOOKS_MAX {
        let said = format!("a tenant has at most {} webhooks", limits::WEBHOOKS_MAX);
        return Err(Problem::new(StatusCode::CONFLICT, "limit", said));
    }
    let secret = new_secret(&shared);
    let w = Webhook {
        tenant: who.tenant.clone(),
        name: name.to_string(),
        uid: shared.random_hex(12),
        url: new.url,
        events: new.events,
        at_once: new.at_once.unwrap_or(1),
        secret: secret.clone(),
        old_secret: None,
        active: true,
        closed_why: None,
        failing_since: None,
        cursor: shared.store.last_seq().await.map_err(Problem::internal)?,
        made_at: shared.door.now().wall,
    };
    checked(&shared, &w)?;
    match shared.store.webhook_make(&w).await {
        Ok(()) => {}
        Err(StoreError::Conflict { .. }) => {
            return Err(Problem::new(StatusCode::CONFLICT, "exists", format!("webhook `{name}` exists already")));
        }
        Err(e) => return Err(Problem::internal(e)),
    }
    shared.courier.changed.notify_one();
    wire::audit(&shared, &who, "webhook.create", &w.name, None, Some(describe(&w))).await?;
    let answer = WebhookShown { secret: Some(secret.expose().to_owned()), ..shown(&shared, &w).await? };
    Ok((StatusCode::CREATED, [("cache-control", "no-store")], Json(answer)).into_response())
}

/// Changes an endpoint. Switched on again, it is told what it has missed, and what failed is tried at once.
#[utoipa::path(put, path = "/api/v1/webhooks/{name}", tag = "webhooks", params(("name" = String, Path)), request_body = WebhookChange,
    responses((status = 200, body = WebhookShown), (status = 404, body = Problem)))]
pub async fn change(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Body(change): Body<WebhookChange>,
) -> Result<Json<WebhookShown>, Problem> {
    let mut w = existing(&shared, &who, &name).await?;
    let before = describe(&w);
    w.url = change.url.unwrap_or(w.url);
    w.events = change.events.unwrap_or(w.events);
    w.at_once = change.at_once.unwrap_or(w.at_once);
    if let Some(active) = change.active {
        // Whoever switches it off has seen why it was closed; whoever switches it on wants it to begin afresh.
        (w.active, w.closed_why) = (active, None);
        w.failing_since = w.failing_since.filter(|_| !active);
    }
    checked(&shared, &w)?;
    keep(&shared, &w).await?;
    wire::audit(&shared, &who, "webhook.change", &w.name, Some(before), Some(describe(&w))).await?;
    Ok(Json(shown(&shared, &w).await?))
}

/// Removes an endpoint with its log.
#[utoipa::path(delete, path = "/api/v1/webhooks/{name}", tag = "webhooks", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let w = existing(&shared, &who, &name).await?;
    shared.store.webhook_delete(&who.tenant, &name).await.map_err(Problem::internal)?;
    shared.courier.changed.notify_one();
    wire::audit(&shared, &who, "webhook.delete", &name, Some(describe(&w)), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives it a new secret, which is in this answer and nowhere else. For a day events carry a signature by the old one as well.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/secret", tag = "webhooks", params(("name" = String, Path)),
    responses((status = 200, body = WebhookShown), (status = 404, body = Problem)))]
pub async fn rotate(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<Response, Problem> {
    let mut w = existing(&shared, &who, &name).await?;
    let secret = new_secret(&shared);
    let until = shared.door.now().wall + limits::WEBHOOK_SECRET_OVERLAP;
    w.old_secret = Some((std::mem::replace(&mut w.secret, secret.clone()), until));
    keep(&shared, &w).await?;
    wire::audit(&shared, &who, "webhook.secret", &w.name, None, None).await?;
    let answer = WebhookShown { secret: Some(secret.expose().to_owned()), ..shown(&shared, &w).await? };
    Ok(([("cache-control", "no-store")], Json(answer)).into_response())
}

/// Sends a trial (`webhook.test`), once. What came of it is delivery 0.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/test", tag = "webhooks", params(("name" = String, Path)),
    responses((status = 202), (status = 404, body = Problem)))]
pub async fn test(State(shared): State<Arc<Shared>>, who: Who, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let w = existing(&shared, &who, &name).await?;
    shared.store.webhook_try(&w.uid, shared.door.now().wall).await.map_err(Problem::internal)?;
    shared.courier.changed.notify_one();
    Ok(StatusCode::ACCEPTED)
}

/// What was sent, what failed, what waits. Deliveries are kept for 30 days, the newest 5000 of them.
#[utoipa::path(get, path = "/api/v1/webhooks/{name}/deliveries", tag = "webhooks", params(("name" = String, Path), Which),
    responses((status = 200, body = Deliveries), (status = 404, body = Problem)))]
pub async fn deliveries(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Params(p): Params<Which>,
) -> Result<Json<Deliveries>, Problem> {
    let w = existing(&shared, &who, &name).await?;
    let read = |word: &str| {
        DeliveryState::parse(word).ok_or_else(|| Problem::invalid("state", "expected waiting, delivered or failed"))
    };
    let state = p.state.as_deref().map(read).transpose()?;
    let limit = p.limit.unwrap_or(100).clamp(1, 500);
    let rows = shared.store.webhook_deliveries(&w.uid, state, p.before, limit).await.map_err(Problem::internal)?;
    Ok(Json(Deliveries { deliveries: rows.iter().map(delivery).collect() }))
}

/// One delivery with its request. The signature is not shown.
#[utoipa::path(get, path = "/api/v1/webhooks/{name}/deliveries/{seq}", tag = "webhooks",
    params(("name" = String, Path), ("seq" = u64, Path)), responses((status = 200, body = DeliveryShown), (status = 404, body = Problem)))]
pub async fn one(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path((name, seq)): Path<(String, u64)>,
) -> Result<Json<DeliveryShown>, Problem> {
    let w = existing(&shared, &who, &name).await?;
    let found = shared.store.webhook_delivery(&w.uid, seq).await.map_err(Problem::internal)?;
    let found = found.ok_or_else(|| Problem::not_found(format!("delivery `{seq}`")))?;
    let mut answer = delivery(&found);
    let fact = shared.store.fact(&w.tenant, seq).await.map_err(Problem::internal)?;
    answer.request = fact.map(|record| RequestShown {
        line: format!("POST {}", w.url),
        headers: vec![
            "content-type: application/json".to_owned(),
            format!("webhook-id: evt_{}_{seq}", w.uid),
            format!("webhook-timestamp: {}", found.last_at.map_or(0, Wall::unix_s)),
            "webhook-signature: v1,***".to_owned(),
        ],
        body: serde_json::from_str(&(shared.courier.body)(&record)).unwrap_or_default(),
    });
    Ok(Json(answer))
}

/// Gives up a delivery that is waiting, so that those after it are tried.
#[utoipa::path(delete, path = "/api/v1/webhooks/{name}/deliveries/{seq}", tag = "webhooks",
    params(("name" = String, Path), ("seq" = u64, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn give_up(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path((name, seq)): Path<(String, u64)>,
) -> Result<StatusCode, Problem> {
    let w = existing(&shared, &who, &name).await?;
    if !shared.store.webhook_give_up(&w.uid, seq).await.map_err(Problem::internal)? {
        return Err(Problem::not_found(format!("waiting delivery `{seq}`")));
    }
    shared.courier.changed.notify_one();
    wire::audit(&shared, &who, "webhook.give_up", &w.name, None, Some(format!("seq={seq}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells it again, under the same ids: one event, or all of a time, the oldest 10000. Only what it has been told of or given up
/// on; what it has not come to yet comes by itself.
#[utoipa::path(post, path = "/api/v1/webhooks/{name}/replay", tag = "webhooks", params(("name" = String, Path)), request_body = TellAgain,
    responses((status = 200, body = ToldAgain), (status = 404, body = Problem)))]
pub async fn replay(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(name): Path<String>,
    Body(what): Body<TellAgain>,
) -> Result<Json<ToldAgain>, Problem> {
    let w = existing(&shared, &who, &name).await?;
    let now = shared.door.now().wall;
    let from = wire::instant("from", what.from.as_deref())?;
    let to = wire::instant("to", what.to.as_deref())?.unwrap_or(now);
    let which = match (what.seq, from) {
        (Some(seq), None) => Again::One(seq),
        (None, Some(from)) if from < to => Again::Between(from, to),
        (None, Some(_)) => return Err(Problem::invalid("to", "expected an instant after `from`")),
        _ => return Err(Problem::invalid("seq", "expected either `seq`, or `from` and maybe `to`")),
    };
    let kinds = kinds_of(&w.events);
    let again = shared.store.webhook_again(&w, kinds, which, now, limits::WEBHOOK_AGAIN_MAX).await;
    let events = again.map_err(Problem::internal)?;
    shared.courier.changed.notify_one();
    let after = match which {
        Again::One(seq) => format!("seq={seq}"),
        Again::Between(from, to) => format!("from={from} to={to} events={events}"),
    };
    wire::audit(&shared, &who, "webhook.replay", &w.name, None, Some(after)).await?;
    Ok(Json(ToldAgain { events }))
}
