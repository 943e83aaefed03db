//! Why a query brought no result, and whether it is worth another try.

use sqlx::{
    error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError, sqlite::SqliteError,
};

/// Why a query brought no result.
///
/// After an error inside a transaction, drop the transaction: PostgreSQL refuses whatever follows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// No connection became free in time.
    #[error("no database connection became free in time")]
    PoolTimeout,
    /// The database was asked and did not answer in time.
    #[error("the database did not answer in time")]
    Silent,
    /// The database said no.
    #[error(transparent)]
    Query(#[from] sqlx::Error),
}

/// What an error means to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DbErrorKind {
    /// No connection became free in time; nothing was sent.
    PoolTimeout,
    /// A lock was not to be had in time; nothing was done.
    Busy,
    /// Two transactions waited for each other, and this one was undone; the next try may succeed at once.
    Deadlock,
    /// There was no connection to the database, or it broke. Whether the statement was carried out is
    /// not known.
    Lost,
    /// A row with this key is there already.
    Duplicate,
    /// Anything else: a mistake of ours, or a full disk.
    Other,
}

impl DbErrorKind {
    /// Returns the word for it in spans and logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PoolTimeout => "pool_timeout",
            Self::Busy => "busy",
            Self::Deadlock => "deadlock",
            Self::Lost => "connection_lost",
            Self::Duplicate => "duplicate",
            Self::Other => "query_failed",
        }
    }
}

impl DbError {
    /// Tells what the error means.
    pub(crate) fn kind(&self) -> DbErrorKind {
        match self {
            Self::PoolTimeout | Self::Query(sqlx::Error::PoolTimedOut) => DbErrorKind::PoolTimeout,
            Self::Query(sqlx::Error::Database(said)) => kind_of(said.as_ref()),
            Self::Silent
            | Self::Query(
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed,
            ) => DbErrorKind::Lost,
            Self::Query(_) => DbErrorKind::Other,
        }
    }

    /// Tells whether a row with this key, or with another unique value of the new one, is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.kind() == DbErrorKind::Duplicate
    }

    /// Tells whether the transaction was undone because another one was in its way: begun anew, it may
    /// well succeed. Servers do that now and then to whoever writes to several rows.
    pub(crate) fn is_deadlock(&self) -> bool {
        self.kind() == DbErrorKind::Deadlock
    }

    /// Tells whether the database does not serve at the moment: a 503, and no mistake of the statement.
    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(
            self.kind(),
            DbErrorKind::PoolTimeout
                | DbErrorKind::Busy
                | DbErrorKind::Deadlock
                | DbErrorKind::Lost
        )
    }

    /// Returns the driver's error, for whoever reports why a database could not be prepared.
    pub(crate) fn into_source(self) -> sqlx::Error {
        match self {
            Self::PoolTimeout => sqlx::Error::PoolTimedOut,
            Self::Silent => sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
            Self::Query(source) => source,
        }
    }
}

fn kind_of(said: &dyn DatabaseError) -> DbErrorKind {
    if said.is_unique_violation() {
        return DbErrorKind::Duplicate;
    }
    if said.try_downcast_ref::<SqliteError>().is_some() {
        return of_sqlite(said.code().as_deref().unwrap_or_default());
    }
    if let Some(said) = said.try_downcast_ref::<PgDatabaseError>() {
        return of_postgres(said.code());
    }
    match said.try_downcast_ref::<MySqlDatabaseError>() {
        Some(said) => of_mysql(said.number()),
        None => DbErrorKind::Other,
    }
}

/// Reads an extended result code; the low byte is the primary one.
fn of_sqlite(code: &str) -> DbErrorKind {
    match code.parse::<i32>().map(|code| code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED
        Ok(5 | 6) => DbErrorKind::Busy,
        _ => DbErrorKind::Other,
    }
}

fn of_postgres(state: &str) -> DbErrorKind {
    match state {
        // Serialization failure, deadlock.
        "40001" | "40P01" => DbErrorKind::Deadlock,
        // Lock not available, statement timeout.
        "55P03" | "57014" => DbErrorKind::Busy,
        // Too many connections, shutting down, crashed, starting up, idle for too long.
        "53300" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => DbErrorKind::Lost,
        _ if state.starts_with("08") => DbErrorKind::Lost,
        _ => DbErrorKind::Other,
    }
}

fn of_mysql(number: u16) -> DbErrorKind {
    match number {
        // Deadlock, a row changed since it was read.
        1213 | 1020 => DbErrorKind::Deadlock,
        // Lock wait timeout, statement timeout (MariaDB, MySQL).
        1205 | 1969 | 3024 => DbErrorKind::Busy,
        // Too many connections, shutting down, connection killed, query interrupted.
        1040 | 1053 | 1203 | 1226 | 1317 | 1927 => DbErrorKind::Lost,
        _ => DbErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{DbError, DbErrorKind, of_mysql, of_postgres, of_sqlite};

    #[test]
    fn codes_of_every_database_say_whether_to_try_again() {
        for (kind, wanted) in [
            (of_sqlite("5"), DbErrorKind::Busy),
            (of_sqlite("517"), DbErrorKind::Busy),
            (of_sqlite("1"), DbErrorKind::Other),
            (of_postgres("55P03"), DbErrorKind::Busy),
            (of_postgres("57P01"), DbErrorKind::Lost),
            (of_postgres("08006"), DbErrorKind::Lost),
            (of_postgres("42P01"), DbErrorKind::Other),
            (of_mysql(1213), DbErrorKind::Deadlock),
            (of_mysql(1053), DbErrorKind::Lost),
            (of_mysql(1146), DbErrorKind::Other),
        ] {
            assert_eq!(kind, wanted);
        }
    }

    #[test]
    fn what_is_not_there_is_unavailable_and_what_is_wrong_is_not() {
        let lost = DbError::Query(sqlx::Error::PoolClosed);
        assert!(lost.is_unavailable() && DbError::PoolTimeout.is_unavailable());
        assert!(!DbError::Query(sqlx::Error::RowNotFound).is_unavailable());
    }
}
