//! A role's pool: queries with their span, their wait and their time.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use fault::hooks::DbStalls;
use sqlx::{
    Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{DbError, Param, Row, row, stall::Held, transaction::Tx};
use crate::{
    config::Role,
    telemetry::db_metrics::{DbMetrics, ServiceDb, StatementMetrics},
};

/// How long a write waits for the lock of another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the first connection may take on a machine that is busy.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a role's database is and how many connections it may hold.
#[derive(Debug, Clone)]
pub(crate) struct DbOptions {
    pub(crate) role: Role,
    pub(crate) file: PathBuf,
    pub(crate) connections: u32,
    pub(crate) acquire_timeout: Duration,
}

/// One statement of a role: its text, and where it is counted.
#[derive(Debug)]
pub(crate) struct Statement {
    operation: &'static str,
    table: &'static str,
    sql: &'static str,
    metrics: StatementMetrics,
}

impl Statement {
    /// Times and counts a run of this statement.
    pub(super) async fn timed<T>(
        &self,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let started = Instant::now();
        let outcome = run.await;
        self.metrics.completed(outcome.is_ok(), started.elapsed());
        outcome.map_err(DbError::Query)
    }
}

/// The pool of one role.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
}

/// A transaction that has begun.
pub(super) enum Started {
    Sqlite(Transaction<'static, Sqlite>),
}

/// A connection taken from a pool.
enum Connection {
    Sqlite(PoolConnection<Sqlite>),
}

impl Connection {
    fn session(&mut self) -> Session<'_> {
        match self {
            Self::Sqlite(own) => Session::Sqlite(own),
        }
    }
}

/// A connection that statements run on, inside a transaction or on its own.
pub(super) enum Session<'c> {
    Sqlite(&'c mut SqliteConnection),
}

impl Session<'_> {
    /// Runs a statement; returns how many rows it changed.
    pub(super) async fn execute(
        self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(own) => {
                let done = row::sqlite(statement.sql, params).execute(own).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs a statement; returns every row.
    pub(super) async fn fetch_all(
        self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(own) => {
                let rows = row::sqlite(statement.sql, params).fetch_all(own).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
        }
    }
}

/// The database of one role.
#[derive(Debug)]
pub(crate) struct Db {
    pub(super) pool: Pool,
    pub(super) options: DbOptions,
    pub(super) held: Held,
    stalls: DbStalls,
    metrics: ServiceDb,
    /// Work whose caller may be gone; the connections stay until it is done.
    unfinished: TaskTracker,
}

impl Db {
    /// Opens the database, creating it when it is not there.
    pub(crate) async fn open(
        options: DbOptions,
        metrics: &DbMetrics,
        stalls: DbStalls,
    ) -> Result<Self, sqlx::Error> {
        let pool = SqlitePoolOptions::new()
            .max_connections(options.connections)
            .min_connections(1)
            .acquire_timeout(OPEN_TIMEOUT)
            .acquire_slow_threshold(OPEN_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(sqlite_options(&options))
            .await?;
        let metrics = metrics.service(options.role.name());
        Ok(Self {
            pool: Pool::Sqlite(pool),
            options,
            held: Held::default(),
            stalls,
            metrics,
            unfinished: TaskTracker::new(),
        })
    }

    /// Prepares a statement of this role; `operation` and `table` are label values.
    pub(crate) fn statement(
        &self,
        operation: &'static str,
        table: &'static str,
        sql: &'static str,
    ) -> Statement {
        let metrics = self.metrics.statement(operation, table);
        Statement {
            operation,
            table,
            sql,
            metrics,
        }
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<u64, DbError> {
        let run = async |session: Session<'_>| session.execute(statement, params).await;
        self.alone(statement, run).await
    }

    /// Runs a statement; returns every row.
    pub(crate) async fn fetch_all(
        &self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let run = async |session: Session<'_>| session.fetch_all(statement, params).await;
        self.alone(statement, run).await
    }

    /// Runs a statement; returns the first row, if there is one. It is to say `LIMIT 1`, or to ask by
    /// a key: every row is fetched.
    pub(crate) async fn fetch_optional(
        &self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch_all(statement, params).await?.into_iter().next())
    }

    /// Begins a transaction that writes; dropping it without [`Tx::commit`] undoes it.
    pub(crate) async fn begin(&self) -> Result<Tx<'_>, DbError> {
        let in_flight = self.metrics.begin();
        let Pool::Sqlite(pool) = &self.pool;
        // A transaction that reads first and then writes would find the lock taken by another one.
        let begin = async { pool.begin_with("BEGIN IMMEDIATE").await };
        let transaction = self.waited(begin).await?;
        drop(in_flight);
        Ok(Tx::new(self, Started::Sqlite(transaction)))
    }

    /// Returns the connections in use, and the most there can be.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let Pool::Sqlite(pool) = &self.pool;
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        (pool.size().saturating_sub(idle), self.options.connections)
    }

    /// Returns the role whose database this is.
    pub(crate) fn role(&self) -> Role {
        self.options.role
    }

    /// Starts work that goes on when its caller goes away; [`Db::close`] waits for it.
    pub(crate) fn outlive<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.unfinished.spawn(work)
    }

    /// Waits for unfinished work, then closes every connection, so that the files can be removed.
    pub(crate) async fn close(&self) {
        self.unfinished.close();
        self.unfinished.wait().await;
        let Pool::Sqlite(pool) = &self.pool;
        pool.close().await;
    }

    /// Takes a connection for one statement.
    async fn alone<T>(
        &self,
        statement: &Statement,
        run: impl AsyncFnOnce(Session<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbError> {
        self.watched(statement, async {
            let mut connection = self.acquire().await?;
            statement.timed(run(connection.session())).await
        })
        .await
    }

    /// Counts a statement as in flight and traces it, from asking for a connection until its result.
    pub(super) async fn watched<T>(
        &self,
        statement: &Statement,
        work: impl Future<Output = Result<T, DbError>>,
    ) -> Result<T, DbError> {
        let _in_flight = self.metrics.begin();
        let span = self.span(statement);
        let held = self.finds_held(statement);
        self.stalls.query(held);
        if held {
            span.record("chaos.injected", true);
        }
        let outcome = work.instrument(span.clone()).await;
        if let Err(error) = &outcome {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.kind().name());
        }
        outcome
    }

    /// Tells whether a stall is in the way of a query that starts now.
    fn finds_held(&self, statement: &Statement) -> bool {
        let Pool::Sqlite(pool) = &self.pool;
        let all_taken = || pool.num_idle() == 0 && pool.size() >= self.options.connections;
        (self.held.connections() && all_taken())
            || (self.held.lock() && statement.operation != "select")
    }

    async fn acquire(&self) -> Result<Connection, DbError> {
        let Pool::Sqlite(pool) = &self.pool;
        let taken = self.waited(async { pool.acquire().await }).await?;
        Ok(Connection::Sqlite(taken))
    }

    /// Waits for something of the pool, at most as long as a query may wait.
    async fn waited<T>(
        &self,
        asking: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let asked = Instant::now();
        let outcome = tokio::time::timeout(self.options.acquire_timeout, asking).await;
        self.metrics.wait.observe(asked.elapsed().as_secs_f64());
        match outcome {
            Ok(taken) => taken.map_err(DbError::Query),
            Err(_) => {
                self.metrics.timeouts.inc();
                Err(DbError::PoolTimeout)
            }
        }
    }

    fn span(&self, statement: &Statement) -> Span {
        info_span!(
            "query",
            otel.name = %format_args!("{} {}", statement.operation, statement.table),
            otel.kind = "client",
            otel.status_code = Empty,
            service = self.options.role.name(),
            db.system.name = "sqlite",
            db.operation.name = statement.operation,
            db.collection.name = statement.table,
            db.query.text = statement.sql,
            error.type = Empty,
            chaos.injected = Empty,
        )
    }
}

/// Returns how a SQLite file of ours is opened, by the pool and by a stall alike.
pub(super) fn sqlite_options(options: &DbOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
}
