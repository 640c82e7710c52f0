//! The two database engines behind one small interface: statements with `$1` places, text and 64-bit numbers, rows.
//!
//! The dialect is what both engines read alike: `$n` places, TEXT and BIGINT columns and nothing else (ids and JSON are text,
//! flags are 0 and 1, instants are microseconds), `INSERT .. ON CONFLICT`, integer division, `COLLATE "C"` order (SQLite's own).
//! Each engine keeps its typed pool; sqlx's `Any` driver is not used, because it reads fewer types than the columns have.
//!
//! SQLite has one writing connection, so that writers queue here and not in its lock, and several reading ones (WAL lets them
//! read beside the writer).

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, Column, ColumnIndex, Executor, Postgres, Row as _, Sqlite, Transaction,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow},
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use super::error::{Result, StoreError};
use crate::base::{Wall, secs};

/// Connections that only read, beside the one that writes.
const READERS: u32 = 4;
/// Pages in the write-ahead log before they are carried into the file: 16 MB.
const CHECKPOINT_PAGES: &str = "4000";
/// Memory the writing connection keeps pages in, at most: 16 MB, as KiB with a minus. A group commit touches more pages than fit
/// into SQLite's usual 2 MB: they were written early, read again and written once more.
const WRITER_PAGES: &str = "-16384";
/// Statements each connection keeps prepared: every one of ours, in every size of `bulk`.
const PREPARED: usize = 512;
/// How long an operation waits for a free connection before it fails.
const ACQUIRE: Duration = secs(3);
/// How long SQLite waits for another process's lock.
const BUSY: Duration = secs(5);

/// What every PostgreSQL session begins with. A commit is acknowledged when it is on disk, whatever the server's default is.
/// And statements are planned for the tables as they are now: a plan made once while a table was empty reads all of it for
/// ever after; commits of a fresh journal took seconds until the server's next ANALYZE.
const PG_SESSION: &str = "SET synchronous_commit = on; SET plan_cache_mode = force_custom_plan";

/// A value on its way into the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, or none.
    Text(Option<Arc<str>>),
    /// A number, an instant, a flag, or none.
    Int(Option<i64>),
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        // PostgreSQL has no NUL in text; nothing we keep needs one, and refusing the row would stop the journal.
        Value::Text(Some(if v.contains('\0') { v.replace('\0', "\u{fffd}").into() } else { v.into() }))
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        v.as_str().into()
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        v.as_str().into()
    }
}
impl From<Option<&str>> for Value {
    fn from(v: Option<&str>) -> Self {
        v.map_or(Value::Text(None), Value::from)
    }
}
impl From<Option<String>> for Value {
    fn from(v: Option<String>) -> Self {
        v.map_or(Value::Text(None), Value::from)
    }
}
impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Value::Int(Some(v))
    }
}
impl From<u64> for Value {
    fn from(v: u64) -> Self {
        Value::Int(Some(i64::try_from(v).unwrap_or(i64::MAX)))
    }
}
impl From<Option<u64>> for Value {
    fn from(v: Option<u64>) -> Self {
        v.map_or(Value::Int(None), Value::from)
    }
}
impl From<usize> for Value {
    fn from(v: usize) -> Self {
        Value::Int(Some(i64::try_from(v).unwrap_or(i64::MAX)))
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Value::Int(Some(v.into()))
    }
}
impl From<Wall> for Value {
    fn from(v: Wall) -> Self {
        Value::Int(Some(v.0))
    }
}
impl From<Option<Wall>> for Value {
    fn from(v: Option<Wall>) -> Self {
        Value::Int(v.map(|w| w.0))
    }
}

/// The hyphenated form.
fn uuid_text(id: uuid::Uuid) -> Arc<str> {
    (&*id.hyphenated().encode_lower(&mut [0; 36])).into()
}

macro_rules! id_values {
    ($($slug:ty),*; $($uuid:ty),*) => {
        $(impl From<&$slug> for Value { fn from(v: &$slug) -> Self { Value::Text(Some(v.0.shared())) } }
          impl From<Option<&$slug>> for Value { fn from(v: Option<&$slug>) -> Self { Value::Text(v.map(|v| v.0.shared())) } })*
        $(impl From<$uuid> for Value { fn from(v: $uuid) -> Self { Value::Text(Some(uuid_text(v.0))) } }
          impl From<Option<$uuid>> for Value { fn from(v: Option<$uuid>) -> Self { Value::Text(v.map(|v| uuid_text(v.0))) } })*
    };
}
use crate::base::{
    AgentId, CodeId, CustomerId, InteractionId, MessageId, OfferId, QueueId, RecordingId, TenantId, TicketId, VisitorId,
};
id_values!(TenantId, AgentId, QueueId, CodeId; InteractionId, TicketId, CustomerId, MessageId, OfferId, RecordingId, VisitorId);

/// Values from anything that has one.
macro_rules! values {
    ($($v:expr),* $(,)?) => { vec![$($crate::store::engine::Value::from($v)),*] };
}
pub(super) use values;

/// One row of an answer, from either engine.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    fn get<'r, T>(&'r self, i: usize) -> Result<T>
    where
        T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
        usize: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Row::Sqlite(r) => r.try_get::<T, _>(i),
            Row::Postgres(r) => r.try_get::<T, _>(i),
        }
        .map_err(|e| StoreError::unreadable(self.column(i), e))
    }
    fn column(&self, i: usize) -> String {
        let name = match self {
            Row::Sqlite(r) => r.try_column(i).map(|c| c.name().to_owned()),
            Row::Postgres(r) => r.try_column(i).map(|c| c.name().to_owned()),
        };
        name.map_or_else(|_| format!("column {i}"), |n| format!("column {n}"))
    }
    /// Text that is always there.
    pub fn text(&self, i: usize) -> Result<String> {
        self.get(i)
    }
    /// Text that may be missing.
    pub fn text_opt(&self, i: usize) -> Result<Option<String>> {
        self.get(i)
    }
    /// A number that is always there.
    pub fn int(&self, i: usize) -> Result<i64> {
        self.get(i)
    }
    /// A number that may be missing.
    pub fn int_opt(&self, i: usize) -> Result<Option<i64>> {
        self.get(i)
    }
    /// A count; a negative one is a damaged row.
    pub fn count(&self, i: usize) -> Result<u64> {
        u64::try_from(self.int(i)?).map_err(|e| StoreError::unreadable(self.column(i), e))
    }
    /// An optional count.
    pub fn count_opt(&self, i: usize) -> Result<Option<u64>> {
        self.int_opt(i)?.map(u64::try_from).transpose().map_err(|e| StoreError::unreadable(self.column(i), e))
    }
    /// A flag.
    pub fn flag(&self, i: usize) -> Result<bool> {
        Ok(self.int(i)? != 0)
    }
    /// An instant.
    pub fn wall(&self, i: usize) -> Result<Wall> {
        self.int(i).map(Wall)
    }
    /// An optional instant.
    pub fn wall_opt(&self, i: usize) -> Result<Option<Wall>> {
        Ok(self.int_opt(i)?.map(Wall))
    }
    /// Text of a type that knows how to read itself.
    pub fn parsed<T>(&self, i: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        let text = self.text(i)?;
        read(&text).ok_or_else(|| StoreError::unreadable(self.column(i), format!("`{text}` is not a value of it")))
    }
    /// The same where it may be missing.
    pub fn parsed_opt<T>(&self, i: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.text_opt(i)? else { return Ok(None) };
        let read = read(&text);
        read.map(Some).ok_or_else(|| StoreError::unreadable(self.column(i), format!("`{text}` is not a value of it")))
    }
    /// JSON of a known type.
    pub fn json<T: serde::de::DeserializeOwned>(&self, i: usize) -> Result<T> {
        serde_json::from_str(&self.text(i)?).map_err(|e| StoreError::unreadable(self.column(i), e))
    }
}

/// The pools.
#[derive(Debug, Clone)]
pub(super) enum Db {
    /// A file: one writer, some readers.
    Sqlite { write: sqlx::SqlitePool, read: sqlx::SqlitePool },
    /// A server.
    Postgres(sqlx::PgPool),
}

/// A transaction that writes.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A statement and its values. In place: `Query::bind` moves the whole query for each of a thousand values.
macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            match value {
                Value::Text(v) => query.try_bind(v),
                Value::Int(v) => query.try_bind(v),
            }
            .expect("text and numbers are always encoded");
        }
        query
    }};
}

fn bind_sqlite(sql: impl sqlx::SqlSafeStr, values: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    bound!(sql, values)
}
fn bind_postgres(sql: impl sqlx::SqlSafeStr, values: Vec<Value>) -> Query<'static, Postgres, PgArguments> {
    bound!(sql, values)
}

impl Db {
    /// Opens the file at `path`, making it and its folder when they are missing.
    pub async fn sqlite(path: &str) -> Result<Db> {
        let place = |why: String| StoreError::Place { place: path.to_owned(), why };
        if path == ":memory:" || path.is_empty() {
            return Err(place("a store in memory forgets everything: give a file".into()));
        }
        if let Some(folder) = Path::new(path).parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| place(format!("its folder cannot be made: {e}")))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL, NORMAL may lose the last commits at a power cut. What was acknowledged must not be lost.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .statement_cache_capacity(PREPARED)
            // Under load the same pages change in every commit: carried into the file less often.
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            // What a statement would need to undo itself stays in memory.
            .pragma("temp_store", "MEMORY")
            .foreign_keys(true);
        let attempted = || format!("open {path}");
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.clone().pragma("cache_size", WRITER_PAGES))
            .await
            .map_err(|e| StoreError::database(attempted(), e))?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(|e| StoreError::database(attempted(), e))?;
        Ok(Db::Sqlite { write, read })
    }

    /// Connects to the server named by `url`.
    pub async fn postgres(url: &str) -> Result<Db> {
        let mut options = PgConnectOptions::from_str(url)
            .map_err(|e| StoreError::Place { place: place_of(url), why: e.to_string() })?
            .statement_cache_capacity(PREPARED);
        if options.get_application_name().is_none() {
            options = options.application_name("ringdesk");
        }
        let pool = PgPoolOptions::new()
            .max_connections(READERS + 2)
            .acquire_timeout(ACQUIRE)
            .after_connect(|connection, _| Box::pin(async move { connection.execute(PG_SESSION).await.map(drop) }))
            .connect_with(options)
            .await
            .map_err(|e| StoreError::database(format!("connect to {}", place_of(url)), e))?;
        Ok(Db::Postgres(pool))
    }

    /// Reads all rows of an answer; `attempted` is only asked when it fails.
    pub async fn all(
        &self,
        sql: impl Into<String>,
        values: Vec<Value>,
        attempted: impl FnOnce() -> String,
    ) -> Result<Vec<Row>> {
        let sql: String = sql.into();
        #[cfg(test)]
        if let Db::Sqlite { read, .. } = self {
            super::tests::plans::look(read, &sql).await;
        }
        let sql = AssertSqlSafe(sql);
        let answer = match self {
            Db::Sqlite { read, .. } => {
                bind_sqlite(sql, values).fetch_all(read).await.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Db::Postgres(pool) => {
                bind_postgres(sql, values).fetch_all(pool).await.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        answer.map_err(|e| StoreError::database(attempted(), e))
    }

    /// Reads the first row, if there is one.
    pub async fn one(
        &self,
        sql: impl Into<String>,
        values: Vec<Value>,
        attempted: impl FnOnce() -> String,
    ) -> Result<Option<Row>> {
        let sql: String = sql.into();
        #[cfg(test)]
        if let Db::Sqlite { read, .. } = self {
            super::tests::plans::look(read, &sql).await;
        }
        let sql = AssertSqlSafe(sql);
        let answer = match self {
            Db::Sqlite { read, .. } => bind_sqlite(sql, values).fetch_optional(read).await.map(|r| r.map(Row::Sqlite)),
            Db::Postgres(pool) => bind_postgres(sql, values).fetch_optional(pool).await.map(|r| r.map(Row::Postgres)),
        };
        answer.map_err(|e| StoreError::database(attempted(), e))
    }

    /// Writes by one statement of its own; how many rows it touched.
    pub async fn write(&self, sql: &'static str, values: Vec<Value>, attempted: impl FnOnce() -> String) -> Result<u64> {
        let done = match self {
            Db::Sqlite { write, .. } => bind_sqlite(sql, values).execute(write).await.map(|d| d.rows_affected()),
            Db::Postgres(pool) => bind_postgres(sql, values).execute(pool).await.map(|d| d.rows_affected()),
        };
        done.map_err(|e| StoreError::database(attempted(), e))
    }

    /// Writes by one statement that answers with a row (`RETURNING`).
    pub async fn write_one(&self, sql: &'static str, values: Vec<Value>, attempted: impl FnOnce() -> String) -> Result<Row> {
        let answer = match self {
            Db::Sqlite { write, .. } => bind_sqlite(sql, values).fetch_one(write).await.map(Row::Sqlite),
            Db::Postgres(pool) => bind_postgres(sql, values).fetch_one(pool).await.map(Row::Postgres),
        };
        answer.map_err(|e| StoreError::database(attempted(), e))
    }

    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<Tx> {
        let begun = match self {
            // IMMEDIATE: a deferred transaction that begins by reading fails at its first write when another process wrote.
            Db::Sqlite { write, .. } => write.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite),
            Db::Postgres(pool) => pool.begin().await.map(Tx::Postgres),
        };
        begun.map_err(|e| StoreError::database("begin a transaction", e))
    }

    /// Closes every connection, waiting for those at work.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Runs one statement; how many rows it touched.
    pub async fn write(
        &mut self,
        sql: impl sqlx::SqlSafeStr,
        values: Vec<Value>,
        attempted: impl FnOnce() -> String,
    ) -> Result<u64> {
        let sql = sql.into_sql_str();
        #[cfg(test)]
        if let Tx::Sqlite(tx) = self {
            super::tests::plans::look(&mut **tx, sql.as_str()).await;
        }
        let done = match self {
            Tx::Sqlite(tx) => tx.execute(bind_sqlite(sql, values)).await.map(|d| d.rows_affected()),
            Tx::Postgres(tx) => tx.execute(bind_postgres(sql, values)).await.map(|d| d.rows_affected()),
        };
        done.map_err(|e| StoreError::database(attempted(), e))
    }

    /// Reads all rows as this transaction sees them.
    pub async fn all(&mut self, sql: &'static str, values: Vec<Value>, attempted: impl FnOnce() -> String) -> Result<Vec<Row>> {
        #[cfg(test)]
        if let Tx::Sqlite(tx) = self {
            super::tests::plans::look(&mut **tx, sql).await;
        }
        let answer = match self {
            Tx::Sqlite(tx) => {
                tx.fetch_all(bind_sqlite(sql, values)).await.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Tx::Postgres(tx) => {
                tx.fetch_all(bind_postgres(sql, values)).await.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        answer.map_err(|e| StoreError::database(attempted(), e))
    }

    /// Makes it all durable at once.
    pub async fn commit(self) -> Result<()> {
        let done = match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|e| StoreError::database("commit a transaction", e))
    }
}

/// The address without user and password, for messages.
pub(super) fn place_of(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{}", rest.split('?').next().unwrap_or(rest)),
        _ => url.split('?').next().unwrap_or(url).to_owned(),
    }
}
