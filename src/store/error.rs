//! What can go wrong between us and the database, and what was attempted when it did.
//!
//! A row that is not there is never an error and an error is never a missing row: reads answer `Result<Option<T>, _>`.

/// A database operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or did not answer.
    #[error("could not {attempted}: {source}")]
    Database {
        /// What was attempted, on what: "read ticket 0192..".
        attempted: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("could not bring the schema of {place} up to date: {source}")]
    Migrate {
        /// File or server, without password.
        place: String,
        /// Which migration and why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The address is neither a file path nor a PostgreSQL URL, or the folder cannot be made.
    #[error("cannot open a store at {place}: {why}")]
    Place {
        /// As configured, without password.
        place: String,
        /// Why not.
        why: String,
    },
    /// A stored value is not what this version wrote or can read.
    #[error("{what} in the store cannot be read: {why}")]
    Unreadable {
        /// Which table, column, id.
        what: String,
        /// Why not.
        why: String,
    },
    /// A fact of a kind this version does not know, or a damaged one.
    #[error("fact {seq} ({kind}) cannot be read by this version of ringdesk: {why}")]
    Fact {
        /// Its place in the journal.
        seq: u64,
        /// The word in the journal.
        kind: String,
        /// What the reader said.
        why: String,
    },
    /// The journal has a hole, so the history after it cannot be trusted.
    #[error("the journal goes from fact {after} to fact {found}: facts between them are missing")]
    Gap {
        /// The last fact before the hole.
        after: u64,
        /// The first after it.
        found: u64,
    },
    /// A fact's place is already taken by another fact: a second process writes to this journal.
    #[error("place {seq} of the journal is already taken by another fact: is a second ringdesk running on this database?")]
    Taken {
        /// The place.
        seq: u64,
    },
    /// A value that must be unique is there already, or what it points to is not.
    #[error("could not {attempted}: {why}")]
    Conflict {
        /// What was attempted.
        attempted: String,
        /// Which rule it broke.
        why: String,
    },
}

impl StoreError {
    /// Wraps what the database said, with what was attempted.
    pub(super) fn database(attempted: impl Into<String>, source: sqlx::Error) -> Self {
        let attempted = attempted.into();
        match &source {
            sqlx::Error::Database(e) if e.is_unique_violation() => {
                StoreError::Conflict { attempted, why: "it exists already".into() }
            }
            sqlx::Error::Database(e) if e.is_foreign_key_violation() => {
                StoreError::Conflict { attempted, why: "what it belongs to does not exist".into() }
            }
            _ => StoreError::Database { attempted, source },
        }
    }

    /// A stored value that makes no sense.
    pub(super) fn unreadable(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        StoreError::Unreadable { what: what.into(), why: why.to_string() }
    }

    /// True when trying the same again later may work: the database is away, busy or full. False when the data is at fault.
    pub fn is_passing(&self) -> bool {
        matches!(self, StoreError::Database { .. })
    }
}

/// What every operation of the store answers with.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
