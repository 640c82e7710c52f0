//! Questions about what happened, answered from the projections: lists, single things, reports.
//!
//! Every question takes the tenant first and every statement below begins its condition with it. Lists are bounded by
//! [`limits::LIST_MAX`] and go on from a [`Cursor`]: newest first, no row twice and none left out while rows are added.

mod contacts;
mod matters;
mod recall;
mod report;

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::engine::Value;
use crate::base::{Wall, limits};

pub use contacts::{AgentStateRow, DecisionRow, InteractionFilter, InteractionRow, RecordingRow};
pub use matters::{CustomerContact, CustomerFilter, CustomerRow, TicketFilter, TicketRow};

/// The last row of a page: the next page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: Wall,
    id: Uuid,
}

impl Cursor {
    /// Reads what [`fmt::Display`] wrote; none for anything else.
    pub fn parse(text: &str) -> Option<Cursor> {
        let (at, id) = text.split_once('_')?;
        Some(Cursor { at: Wall(at.parse().ok()?), id: Uuid::parse_str(id).ok()? })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.0, self.id)
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next part begins; none when this was the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// From one row more than was asked for: the surplus one tells that there is a next page.
    fn cut(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| cursor(last).to_string());
        Page { items, next }
    }
}

/// How many rows a page has: what was asked for, at least one, at most [`limits::LIST_MAX`].
fn page_size(asked: usize) -> usize {
    asked.clamp(1, limits::LIST_MAX)
}

/// A statement that grows with what was asked for.
struct Ask {
    sql: String,
    values: Vec<Value>,
}

impl Ask {
    /// Begins with a statement whose only place is the tenant's.
    fn new(sql: impl Into<String>, tenant: impl Into<Value>) -> Ask {
        Ask { sql: sql.into(), values: vec![tenant.into()] }
    }
    /// Adds text in which every `?` stands for `value`.
    fn and(&mut self, sql: &'static str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push_str(&sql.replace('?', &format!("${}", self.values.len())));
    }
    /// Adds a condition when there is a value for it.
    fn and_if<V: Into<Value>>(&mut self, sql: &'static str, value: Option<V>) {
        if let Some(value) = value {
            self.and(sql, value);
        }
    }
    /// Rows behind the cursor, by `at` and `id` downwards, and the order itself.
    fn newest_first(&mut self, at: &'static str, after: Option<Cursor>, rows: usize) {
        if let Some(c) = after {
            self.values.push(c.at.into());
            let place = self.values.len();
            self.values.push(c.id.to_string().into());
            self.sql.push_str(&format!(" AND ({at} < ${place} OR ({at} = ${place} AND id < ${}))", place + 1));
        }
        self.sql.push_str(&format!(" ORDER BY {at} DESC, id DESC"));
        self.and(" LIMIT ?", rows);
    }
}

/// The condition that a row belongs to a customer, also under the ids of those merged into them, whichever of them is asked for.
const OF_CUSTOMER: &str = " AND customer IN (SELECT ? \
                           UNION SELECT merged_into FROM customers WHERE tenant = $1 AND id = ? AND merged_into IS NOT NULL \
                           UNION SELECT id FROM customers WHERE tenant = $1 AND merged_into = \
                           COALESCE((SELECT merged_into FROM customers WHERE tenant = $1 AND id = ?), ?))";

/// Reads a word by the name serde gives it.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

/// The end of the range of texts that begin with `prefix`.
fn prefix_end(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// What is searched for, as far as it counts.
fn term(text: &str) -> String {
    text.trim().chars().take(limits::SEARCH_CHARS_MAX).collect()
}

/// What is searched for, with the signs that mean something in LIKE taken literally (escape: `!`).
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
