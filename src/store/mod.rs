//! The store: the journal of facts and its projections, and the directory, in SQLite or PostgreSQL. SQL never leaves this room.
//!
//! The journal is the truth; it is written by one [`Journal`] per node, in group commits, and what it commits is published
//! only afterwards. The projections are folds over it, written in the same transaction; they answer the questions of consoles
//! and reports, and can be made again at any time. The directory (logins, keys, sessions, configuration) is what people
//! entered and stands for itself.
//!
//! What facts mean is decided in `center`; who may see what, in `api`. Every question about a tenant's business takes the
//! tenant first, and nothing of another tenant is ever in the answer.
//!
//! Tests: one conformance suite in `tests/`, run on both engines.

mod access;
mod audit;
mod bulk;
mod directory;
mod engine;
mod error;
mod factors;
mod files;
mod flows;
mod journal;
mod keep;
mod ladder;
mod migrations;
mod once;
mod project;
mod ratings;
mod read;
mod replay;
mod reports;
mod views;
mod webhooks;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use access::{ApiKey, ListedKey, Session, SessionUser, Visitor, sha256_hex};
pub use audit::{AuditEntry, AuditFilter, AuditRow};
pub use directory::{ConfigVersion, User};
pub use error::{Result, StoreError};
pub use factors::Factor;
pub use flows::{FlowCounts, FlowVersion, NewFlowVersion};
pub use journal::{Journal, JournalHandle, JournalHealth, JournalStats, NotKept};
pub use keep::{Aged, Due, Erasure, Held, Hold, NamedHold, Traces};
pub use ladder::LadderRow;
pub use once::{RequestName, RequestState};
pub use ratings::RatingRow;
pub use read::{
    AgentStateRow, ContactSearch, Cursor, CustomerContact, CustomerFilter, CustomerRow, DecisionRow, InteractionFilter,
    InteractionRow, Page, RecordingRow, TicketFilter, TicketRow,
};
pub use views::{SavedView, ViewKind};
pub use webhooks::{Again, Delivery, DeliveryCounts, DeliveryState, Webhook};

pub use reports::{ReportFile, SavedReport};

use engine::Db;

/// An open database with its schema up to date. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    place: Arc<str>,
}

impl Store {
    /// Opens the database named by `place` and brings its schema up to date.
    ///
    /// `postgres://..` (or `postgresql://..`) connects to a server; anything else is the path of an SQLite file, made when it is
    /// missing (a leading `sqlite:` is allowed). Fails when the schema is of a newer version than this program.
    pub async fn open(place: &str) -> Result<Store> {
        let db = if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            Db::postgres(place).await?
        } else {
            let path = place.strip_prefix("sqlite:").map(|p| p.strip_prefix("//").unwrap_or(p)).unwrap_or(place);
            Db::sqlite(path).await?
        };
        let store = Store { db, place: engine::place_of(place).into() };
        migrations::run(&store.db, &store.place).await?;
        Ok(store)
    }

    /// Where this is, without password: for logs and health pages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match self.db {
            Db::Sqlite { .. } => "sqlite",
            Db::Postgres(_) => "postgres",
        }
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<()> {
        self.db.one("SELECT 1", Vec::new(), || "ping the database".into()).await.map(drop)
    }

    /// Closes every connection, waiting for those at work. The journal is shut down first, by its own handle.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
