//! Every statement the store's tests run is looked at here for how SQLite would find its rows. A table that grows with every
//! call is never read along its whole length, nor along a tenant's whole part of it, unless the statement goes along its order
//! and ends after a page; and not even then when it asks for rows that it names by an id.

use sqlx::{AssertSqlSafe, Executor, Row, Sqlite};

/// What grows with the business. The others hold a few hundred rows.
const GROWS: [&str; 18] = [
    "journal",
    "interactions",
    "waits",
    "segments",
    "decisions",
    "messages",
    "recordings",
    "agent_states",
    "tickets",
    "ticket_log",
    "customers",
    "customer_words",
    "customer_log",
    "identities",
    "visitors",
    "audit",
    "ladders",
    "files",
];

/// The largest is found at the end of its index.
const ENDS: &str = "(SELECT MAX(number) FROM tickets WHERE tenant = $1)";

/// Fails the test whose statement would read too much.
pub(in crate::store) async fn look(engine: impl Executor<'_, Database = Sqlite>, sql: &str) {
    // What the tests compare whole tables with.
    if sql.ends_with("ORDER BY 1") {
        return;
    }
    let sql = &sql.replace(ENDS, "0");
    // A statement that is wrong is told so where it is run.
    let Ok(steps) = engine.fetch_all(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).await else { return };
    let steps: Vec<String> = steps.iter().map(|r| r.get(3)).collect();
    let sorted = steps.iter().any(|s| s.contains("TEMP B-TREE FOR ORDER BY"));
    let named_ones = ["customer IN (", "ticket IN (", "id IN (", "interaction IN ("].iter().any(|w| sql.contains(w));
    let paged = sql.contains(" LIMIT ") && !sorted && !named_ones;
    for step in &steps {
        let mut words = step.split(' ');
        let (way, table) = (words.next(), words.next().unwrap_or_default());
        let grows = named(sql, table).is_some_and(|t| GROWS.contains(&t));
        let along = way == Some("SCAN") || way == Some("SEARCH") && step.ends_with("(tenant=?)") && !paged;
        assert!(!(grows && along), "this statement reads all of a table that grows ({step}):\n{sql}\n{steps:#?}");
    }
}

/// The table a plan's name stands for: itself, or what the statement calls so.
fn named<'a>(sql: &'a str, name: &'a str) -> Option<&'a str> {
    if GROWS.contains(&name) {
        return Some(name);
    }
    let words: Vec<&str> = sql.split([' ', ',', '(', ')']).filter(|w| !w.is_empty()).collect();
    words.windows(3).find(|w| (w[0] == "FROM" || w[0] == "JOIN") && w[2] == name).map(|w| w[1])
}
