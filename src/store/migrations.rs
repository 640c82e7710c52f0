//! The schema by numbered steps, the same numbers with the same meaning for both engines. A step that was released is never
//! edited: the checksum kept in the database would refuse it.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{
    engine::Db,
    error::{Result, StoreError},
};

macro_rules! steps {
    ($folder:literal) => {
        [
            (1, "journal", include_str!(concat!("../../sql/", $folder, "/0001_journal.sql"))),
            (2, "projections", include_str!(concat!("../../sql/", $folder, "/0002_projections.sql"))),
            (3, "directory", include_str!(concat!("../../sql/", $folder, "/0003_directory.sql"))),
            (4, "requests", include_str!(concat!("../../sql/", $folder, "/0004_requests.sql"))),
            (5, "decisions once", include_str!(concat!("../../sql/", $folder, "/0005_decisions_once.sql"))),
            (6, "flows", include_str!(concat!("../../sql/", $folder, "/0006_flows.sql"))),
            (7, "ladders", include_str!(concat!("../../sql/", $folder, "/0007_ladders.sql"))),
            (8, "verdicts", include_str!(concat!("../../sql/", $folder, "/0008_verdicts.sql"))),
            (9, "ticket views", include_str!(concat!("../../sql/", $folder, "/0009_ticket_views.sql"))),
            (10, "widget", include_str!(concat!("../../sql/", $folder, "/0010_widget.sql"))),
            (11, "webhooks", include_str!(concat!("../../sql/", $folder, "/0011_webhooks.sql"))),
            (12, "reports", include_str!(concat!("../../sql/", $folder, "/0012_reports.sql"))),
            (13, "accounts", include_str!(concat!("../../sql/", $folder, "/0013_accounts.sql"))),
            (15, "keeping", include_str!(concat!("../../sql/", $folder, "/0015_keeping.sql"))),
            (18, "customers", include_str!(concat!("../../sql/", $folder, "/0018_customers.sql"))),
            (21, "paths", include_str!(concat!("../../sql/", $folder, "/0021_paths.sql"))),
        ]
    };
}

fn migrator(steps: impl IntoIterator<Item = (i64, &'static str, &'static str)>) -> Migrator {
    let step = |(n, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(n, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(steps.into_iter().map(step).collect())
}

/// Runs the steps the database has not seen yet, each in its own transaction.
pub(super) async fn run(db: &Db, place: &str) -> Result<()> {
    let done = match db {
        Db::Sqlite { write, .. } => migrator(steps!("sqlite")).run(write).await,
        Db::Postgres(pool) => migrator(steps!("postgres")).run(pool).await,
    };
    done.map_err(|source| StoreError::Migrate { place: place.to_owned(), source })
}
