//! Customers: found, read with their history, and corrected by people.

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
    base::{Channel, CustomerId, limits},
    center::command::Command,
    customer::{Change, Identity, Tier, Trust},
    store::CustomerFilter,
};

/// Longest name, tag, attribute, bytes.
const TEXT_MAX: usize = 500;

/// Whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The beginning of a word of the name, of a number, of an address; everybody if absent.
    #[serde(default)]
    q: String,
    /// `standard`, `gold`, `vip`.
    tier: Option<String>,
    /// Where the last answer ended: its `next`.
    after: Option<String>,
    /// At most so many, 100 at most.
    limit: Option<usize>,
}

/// What changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum CustomerChange {
    /// Has this name.
    Named {
        /// The name.
        name: String,
    },
    /// Speaks this language.
    Speaks {
        /// BCP 47, or null for unknown.
        lang: Option<String>,
    },
    /// Is in this tier.
    Tiered {
        /// As the house names it.
        tier: String,
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
    /// An attribute has a value, or none.
    Attribute {
        /// Its name.
        key: String,
        /// Its value, null to remove it.
        value: Option<String>,
    },
    /// Is recognised by this from now on.
    Linked {
        /// What.
        identity: Known,
        /// Proven, not only presented.
        #[serde(default)]
        verified: bool,
    },
    /// Is no longer recognised by this.
    Unlinked {
        /// What.
        identity: Known,
    },
    /// Said yes or no.
    Consented {
        /// What for.
        kind: String,
        /// `voice` or `webchat`; all channels if absent.
        #[serde(default)]
        channel: Option<String>,
        /// Yes or no.
        granted: bool,
        /// How we know.
        how: String,
    },
    /// Is the same person as another, who is merged into this one.
    Absorbed {
        /// The other's id.
        from: String,
    },
}

/// The same change to many customers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyCustomerChanges {
    /// Customer ids, 1 to 200.
    customers: Vec<String>,
    /// What changes, on each: `tiered`, `tagged` or `untagged`.
    change: CustomerChange,
}

/// A customer who was not changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerNotChanged {
    /// Who.
    customer: String,
    /// The word of the problem.
    code: String,
    /// Why, in a sentence.
    detail: String,
}

/// What became of many changes: each stands for itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct ManyCustomersChanged {
    /// Changed, in the order given.
    changed: Vec<String>,
    /// Not changed.
    refused: Vec<CustomerNotChanged>,
}

/// What somebody is recognised by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Known {
    /// A telephone number.
    Number {
        /// As one would dial it.
        number: String,
    },
    /// An e-mail address.
    Mail {
        /// The address.
        address: String,
    },
    /// A key in another system.
    External {
        /// Which system.
        system: String,
        /// Its key.
        id: String,
    },
}

fn customer_id(text: &str) -> Result<CustomerId, Problem> {
    CustomerId::parse(text).ok_or_else(|| Problem::not_found(format!("customer `{text}`")))
}

/// Customers by name, number or address, those something was learned of last first.
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers", params(Which), responses((status = 200, body = Object)))]
pub async fn list(State(shared): State<Arc<Shared>>, who: Who, Params(w): Params<Which>) -> Result<Json<Value>, Problem> {
    if w.q.len() > TEXT_MAX {
        return Err(Problem::invalid("q", format!("expected at most {TEXT_MAX} bytes")));
    }
    let tier =
        w.tier.as_deref().map(|t| Tier::parse(t).ok_or_else(|| Problem::invalid("tier", "expected standard, gold or vip")));
    let filter = CustomerFilter {
        search: Some(as_dialled(&shared, &who, &w.q)),
        tier: tier.transpose()?,
        after: wire::cursor(w.after.as_deref())?,
        limit: w.limit.unwrap_or(25).clamp(1, 100),
    };
    let page = shared.store.customer_list(&who.tenant, &filter).await.map_err(Problem::internal)?;
    Ok(Json(json!({"customers": wire::to_json(&page.items)?, "next": page.next})))
}

/// A whole number as people here write it is looked for as it is kept; parts of one, names and addresses as they are.
fn as_dialled(shared: &Shared, who: &Who, q: &str) -> String {
    let digits = q.bytes().filter(u8::is_ascii_digit).count();
    let number = digits >= 7 && q.bytes().all(|b| b.is_ascii_digit() || b"+-.()/ ".contains(&b));
    let settings = shared.door.settings();
    match settings.tenants.get(&who.tenant).filter(|_| number) {
        Some(t) => t.config.number(q),
        None => q.to_owned(),
    }
}

async fn existing(shared: &Shared, who: &Who, id: &str) -> Result<(CustomerId, Value), Problem> {
    let id = customer_id(id)?;
    match shared.store.customer_get(&who.tenant, id).await.map_err(Problem::internal)? {
        Some(c) => Ok((id, wire::to_json(&c)?)),
        None => Err(Problem::not_found(format!("customer `{id}`"))),
    }
}

/// One customer.
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn get(State(shared): State<Arc<Shared>>, who: Who, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let (_, customer) = existing(&shared, &who, &id).await?;
    Ok(Json(json!({"customer": customer})))
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Where the last answer ended: its `next`.
    after: Option<String>,
    /// At most so many, 200 at most.
    limit: Option<usize>,
}

/// What a customer had to do with us: contacts and tickets, the newest first.
#[utoipa::path(get, path = "/api/v1/customers/{id}/timeline", tag = "customers", params(("id" = String, Path), Part),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn timeline(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(w): Params<Part>,
) -> Result<Json<Value>, Problem> {
    let (id, _) = existing(&shared, &who, &id).await?;
    let after = wire::cursor(w.after.as_deref())?;
    let limit = w.limit.unwrap_or(50).clamp(1, 200);
    let page = shared.store.customer_timeline(&who.tenant, id, after, limit).await.map_err(Problem::internal)?;
    Ok(Json(json!({"customer": id, "entries": wire::to_json(&page.items)?, "next": page.next})))
}

/// Changes what is known of a customer.
#[utoipa::path(post, path = "/api/v1/customers/{id}/changes", tag = "customers", params(("id" = String, Path)), request_body = CustomerChange,
    responses((status = 200, body = wire::Outcome), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn change(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Body(wish): Body<CustomerChange>,
) -> Result<Response, Problem> {
    let customer = customer_id(&id)?;
    if matches!(wish, CustomerChange::Absorbed { .. }) && !who.supervises() {
        return Err(Problem::not_allowed("merging customers needs the role supervisor"));
    }
    let change = read(&shared, &who, wish)?;
    shared.ask(&who, Command::Customer { customer, change }).await.map(wire::outcome)
}

/// The same change to many customers, one after the other; one that is refused does not keep back the others. Only what can be true of
/// many: a tier, a tag.
#[utoipa::path(post, path = "/api/v1/customers/changes", tag = "customers", request_body = ManyCustomerChanges,
    responses((status = 200, body = ManyCustomersChanged), (status = 422, body = Problem)))]
pub async fn change_many(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Body(many): Body<ManyCustomerChanges>,
) -> Result<Json<ManyCustomersChanged>, Problem> {
    if many.customers.is_empty() || many.customers.len() > limits::CUSTOMERS_AT_ONCE {
        return Err(Problem::invalid("customers", format!("expected 1 to {} customer ids", limits::CUSTOMERS_AT_ONCE)));
    }
    let change = read(&shared, &who, many.change)?;
    if !matches!(change, Change::Tiered { .. } | Change::Tagged { .. } | Change::Untagged { .. }) {
        return Err(Problem::invalid("change", "expected tiered, tagged or untagged: the rest is one person's own"));
    }
    let (mut changed, mut refused) = (Vec::new(), Vec::new());
    for id in many.customers {
        let done = match customer_id(&id) {
            Ok(customer) => shared.ask(&who, Command::Customer { customer, change: change.clone() }).await.map(drop),
            Err(problem) => Err(problem),
        };
        match done {
            Ok(()) => changed.push(id),
            Err(problem) => refused.push(CustomerNotChanged { customer: id, code: problem.code, detail: problem.detail }),
        }
    }
    Ok(Json(ManyCustomersChanged { changed, refused }))
}

fn words(field: &str, text: String) -> Result<String, Problem> {
    if text.trim().is_empty() || text.len() > TEXT_MAX {
        return Err(Problem::invalid(field, format!("expected 1 to {TEXT_MAX} bytes of text")));
    }
    Ok(text)
}

/// A word of a closed list, read by the type's own reader, so that the list lives in one place.
fn word<T: serde::de::DeserializeOwned>(field: &str, text: &str) -> Result<T, Problem> {
    serde_json::from_value(json!(text)).map_err(|e| Problem::invalid(field, e.to_string()))
}

fn identity(shared: &Shared, who: &Who, known: Known) -> Result<Identity, Problem> {
    let settings = shared.door.settings();
    let read = match known {
        Known::Number { number } => {
            let number = settings.tenants.get(&who.tenant).map_or_else(|| number.clone(), |t| t.config.number(&number));
            Identity::number(&number)
        }
        Known::Mail { address } => Identity::mail(&address),
        Known::External { system, id } => Identity::external(&system, &id),
    };
    read.map_err(|e| Problem::invalid("identity", e.to_string()))
}

fn read(shared: &Shared, who: &Who, wish: CustomerChange) -> Result<Change, Problem> {
    use CustomerChange as C;
    Ok(match wish {
        C::Named { name } => Change::Named { name: words("name", name)? },
        C::Speaks { lang } => Change::Speaks { lang: lang.map(|l| words("lang", l)).transpose()? },
        C::Tiered { tier } => Change::Tiered { tier: word("tier", &tier)? },
        C::Tagged { tag } => Change::Tagged { tag: words("tag", tag)? },
        C::Untagged { tag } => Change::Untagged { tag: words("tag", tag)? },
        C::Attribute { key, value } => {
            Change::Attribute { key: words("key", key)?, value: value.map(|v| words("value", v)).transpose()? }
        }
        C::Linked { identity: known, verified } => {
            let trust = if verified { Trust::Verified } else { Trust::Unverified };
            Change::Linked { identity: identity(shared, who, known)?, trust }
        }
        C::Unlinked { identity: known } => Change::Unlinked { identity: identity(shared, who, known)? },
        C::Consented { kind, channel, granted, how } => {
            let channel = match channel.as_deref() {
                Some(c) => Some(Channel::parse(c).ok_or_else(|| Problem::invalid("channel", "expected voice or webchat"))?),
                None => None,
            };
            Change::Consented { kind: word("kind", &kind)?, channel, granted, how: words("how", how)? }
        }
        C::Absorbed { from } => Change::Absorbed { from: customer_id(&from)? },
    })
}
