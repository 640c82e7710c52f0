//! The conformance suite: every test below runs on SQLite and on PostgreSQL, each in a database of its own.
//!
//! PostgreSQL is used when `RINGDESK_TEST_POSTGRES` holds the URL of a server (`scripts/with-postgres.sh` starts one for the
//! command given to it). In CI its absence is a failure, so that nobody believes both were tested.

mod access;
mod contacts;
mod flows;
mod journal;
mod keep;
mod kinds;
mod ladder;
mod matters;
pub(super) mod plans;
mod reports;
mod story;
mod webhooks;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AsyncFnOnce,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{Journal, Store, StoreError};
use crate::{
    base::{QueueId, TenantId, Wall, secs},
    center::fact::Record,
    routing::report::{Grid, Report},
};

/// Runs each named test on both engines.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite { $(#[tokio::test] async fn $name() { crate::store::tests::on_sqlite(super::$name).await })* }
        mod postgres { $(#[tokio::test] async fn $name() { crate::store::tests::on_postgres(super::$name).await })* }
    };
}
use on_both;

/// An empty database for one test.
struct Lab {
    place: String,
    store: Store,
}

impl Lab {
    async fn new(place: String) -> Lab {
        let store = Store::open(&place).await.expect("a new database opens");
        Lab { place, store }
    }

    /// What the next process finds.
    async fn reopened(&self) -> Store {
        Store::open(&self.place).await.expect("the database opens again")
    }

    /// Facts go through the journal and are durable on return.
    async fn keep(&self, facts: Vec<Record>) {
        let journal = Journal::start(self.store.clone(), |_| {});
        journal.handle().append(facts).expect("an empty journal takes facts");
        assert_eq!(journal.shut_down(secs(30)).await, 0, "facts were left");
    }

    /// A report by the quarter of an hour, all promises 20 s and 5 s.
    async fn report(&self, tenant: &TenantId, from: Wall, to: Wall, queue: Option<QueueId>) -> Report {
        let only = queue.map(|q| BTreeSet::from([q]));
        let grid = Grid::new("UTC", from, to, 15).expect("a span");
        let mut report = Report::new(grid, BTreeMap::new(), (20, 5)).of(only);
        self.store.report_stays(tenant, from, to).await.expect("stays").iter().for_each(|s| report.stay(s));
        self.store.report_segments(tenant, from, to).await.expect("segments").iter().for_each(|s| report.segment(s));
        self.store.report_rings(tenant, from, to).await.expect("offers").iter().for_each(|r| report.ring(r));
        self.store.report_turns(tenant, from, to).await.expect("states").into_iter().for_each(|t| report.turn(t));
        report.close(to);
        report
    }

    /// Runs SQL as somebody else would, behind the store's back.
    async fn meddle(&self, sql: &'static str) {
        self.store.db.write(sql, Vec::new(), || "meddle".into()).await.expect("meddling works");
    }
}

async fn on_sqlite(test: impl AsyncFnOnce(&Lab)) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let lab = Lab::new(folder.path().join("data/ringdesk.db").to_str().expect("a path in UTF-8").to_owned()).await;
    test(&lab).await;
    lab.store.close().await;
}

async fn on_postgres(test: impl AsyncFnOnce(&Lab)) {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let Some(url) = postgres_url() else { return };
    let schema = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Relaxed));
    let mut admin = PgConnection::connect(&url).await.expect("RINGDESK_TEST_POSTGRES names a server that answers");
    admin.execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await.expect("the server lets us make a schema");
    let mark = if url.contains('?') { '&' } else { '?' };
    let lab = Lab::new(format!("{url}{mark}options[search_path]={schema}&application_name={schema}")).await;
    test(&lab).await;
    lab.store.close().await;
    admin.execute(AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).await.expect("the schema goes");
}

#[expect(clippy::disallowed_methods, reason = "the only way a test can be told of a server")]
fn postgres_url() -> Option<String> {
    let url = std::env::var("RINGDESK_TEST_POSTGRES").ok().filter(|u| !u.is_empty());
    assert!(
        url.is_some() || std::env::var("CI").is_err(),
        "PostgreSQL was not tested: run `scripts/with-postgres.sh cargo test`, which starts one and sets RINGDESK_TEST_POSTGRES"
    );
    url
}

#[tokio::test]
async fn a_place_that_cannot_hold_a_store_is_named_in_the_error() {
    let memory = Store::open("sqlite::memory:").await.expect_err("memory is no place");
    assert!(matches!(&memory, StoreError::Place { .. }), "{memory}");
    let away = Store::open("postgres://anna:hunter2@127.0.0.1:1/ringdesk").await.expect_err("nobody listens there");
    let text = away.to_string();
    assert!(text.contains("127.0.0.1:1/ringdesk") && !text.contains("hunter2"), "{text}");
}
