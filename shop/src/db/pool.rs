//! A role's pool: queries with their span, their wait and their time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fault::hooks::DbStalls;
use futures_util::FutureExt as _;
use sqlx::SqlStr;
use tokio::{
    sync::{OwnedSemaphorePermit as Turn, Semaphore},
    task::JoinHandle,
};
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{
    DbError, Param, Place, Row,
    driver::{Connection, Pool, Session},
    stall::Held,
    transaction::Tx,
};
use crate::{
    config::Role,
    error::ShopError,
    telemetry::db_metrics::{DbMetrics, ServiceDb, StatementMetrics},
};

/// Makes a span inside a trace, and none outside: what a role asks by the clock is no trace worth
/// keeping, and there is much of it.
macro_rules! in_trace {
    ($($fields:tt)*) => {
        if Span::current().is_none() {
            Span::none()
        } else {
            info_span!($($fields)*)
        }
    };
}

/// How long the first connection may take on a machine that is busy.
pub(super) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection to a server that was idle for longer is asked whether it is still there.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(1);

/// Where a role's database is and how many connections it may hold.
#[derive(Debug, Clone)]
pub(crate) struct DbOptions {
    pub(crate) role: Role,
    pub(crate) place: Place,
    pub(crate) connections: u32,
    pub(crate) acquire_timeout: Duration,
    /// Longest wait for an answer of the database, which may be frozen rather than dead.
    pub(crate) answer_timeout: Duration,
}

/// One statement of a role: its text, and where it is counted.
#[derive(Debug)]
pub(crate) struct Statement {
    operation: &'static str,
    table: &'static str,
    /// As the database wants it.
    pub(super) sql: SqlStr,
    metrics: StatementMetrics,
    answer_timeout: Duration,
}

impl Statement {
    fn writes(&self) -> bool {
        self.operation != "select"
    }

    /// Times and counts a run of this statement. One that is not answered in time is given up; its
    /// connection stays with the pool and is of no use until the database answers.
    pub(super) fn timed<T>(
        &self,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> impl Future<Output = Result<T, DbError>> {
        let started = Instant::now();
        answered(self.answer_timeout, run).inspect(move |outcome| {
            self.metrics.completed(outcome.is_ok(), started.elapsed());
        })
    }
}

/// Waits for an answer of the database, at most for a time.
pub(super) fn answered<T>(
    limit: Duration,
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> impl Future<Output = Result<T, DbError>> {
    // Combinators, since a block that awaits what it was given keeps room for it twice.
    tokio::time::timeout(limit, asking).map(|outcome| match outcome {
        Ok(outcome) => outcome.map_err(DbError::Query),
        Err(_) => Err(DbError::Silent),
    })
}

/// The database of one role.
#[derive(Debug)]
pub(crate) struct Db {
    pub(super) pool: Pool,
    pub(super) options: DbOptions,
    pub(super) held: Held,
    /// Whose turn it is to write, where the database has one writer at a time and lets the others poll
    /// for its lock: they would take it in no order, and the unlucky would run out of time.
    turn: Option<Arc<Semaphore>>,
    /// What the database is called in telemetry.
    pub(super) system: &'static str,
    stalls: DbStalls,
    metrics: ServiceDb,
    /// Work whose caller may be gone; the connections stay until it is done.
    unfinished: TaskTracker,
}

impl Db {
    /// Opens the database, making the role's own place in it when it is not there.
    pub(crate) async fn open(
        options: DbOptions,
        metrics: &DbMetrics,
        stalls: DbStalls,
    ) -> Result<Self, ShopError> {
        let pool = Pool::open(&options).await?;
        let system = pool.system().await.map_err(|source| ShopError::Database {
            service: options.role.name(),
            source,
        })?;
        let metrics = metrics.service(options.role.name());
        let one_writer = matches!(pool, Pool::Sqlite(_));
        Ok(Self {
            turn: one_writer.then(|| Arc::new(Semaphore::new(1))),
            pool,
            options,
            held: Held::default(),
            system,
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
            sql: self.pool.spell(sql),
            metrics,
            answer_timeout: self.options.answer_timeout,
        }
    }

    /// Runs a statement; returns how many rows it matched, whether their values changed or not: an
    /// update that is to happen once says so in its WHERE.
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
        let span = in_trace!(
            "query",
            otel.name = "BEGIN",
            otel.kind = "client",
            otel.status_code = Empty,
            service = self.options.role.name(),
            db.system.name = self.system,
            db.operation.name = "begin",
            error.type = Empty,
            chaos.injected = Empty,
        );
        let work = async {
            let (connection, turn) = self.acquire(true).await?;
            let mut beginning = Box::pin(connection.begin());
            let begun = answered(self.options.answer_timeout, &mut beginning).await;
            if matches!(begun, Err(DbError::Silent)) {
                // Dropped before its answer it would go back to the pool with its transaction open, and
                // whoever gets it next would write into that; after the answer it is undone.
                self.unfinished.spawn(async { drop(beginning.await) });
            }
            Ok(Tx::new(self, begun?, turn))
        };
        self.watched_in(span, true, work).await
    }

    /// Returns the connections in use, and the most there can be.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let (open, idle) = self.pool.fill();
        (open.saturating_sub(idle), self.options.connections)
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
        self.pool.close().await;
    }

    /// Takes a connection for one statement.
    async fn alone<T>(
        &self,
        statement: &Statement,
        run: impl AsyncFnOnce(Session<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbError> {
        self.watched(statement, async {
            let (mut connection, _turn) = self.acquire(statement.writes()).await?;
            statement.timed(run(connection.session())).await
        })
        .await
    }

    /// Counts a statement as in flight and traces it, from asking for a connection until its result.
    pub(super) fn watched<T>(
        &self,
        statement: &Statement,
        work: impl Future<Output = Result<T, DbError>>,
    ) -> impl Future<Output = Result<T, DbError>> {
        self.watched_in(self.span(statement), statement.writes(), work)
    }

    async fn watched_in<T>(
        &self,
        span: Span,
        writes: bool,
        work: impl Future<Output = Result<T, DbError>>,
    ) -> Result<T, DbError> {
        let _in_flight = self.metrics.begin();
        let held = self.finds_held(writes);
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
    fn finds_held(&self, writes: bool) -> bool {
        let all_taken = || {
            let (open, idle) = self.pool.fill();
            idle == 0 && open >= self.options.connections
        };
        (self.held.connections() && all_taken()) || (self.held.lock() && writes)
    }

    /// Waits for the turn to write, if that is needed, and then for a connection: who waits for the
    /// turn keeps no connection from who reads.
    async fn acquire(&self, writes: bool) -> Result<(Connection, Option<Turn>), DbError> {
        self.waited(async {
            let turn = match &self.turn {
                Some(turn) if writes => Arc::clone(turn).acquire_owned().await.ok(),
                _ => None,
            };
            Ok((self.pool.acquire().await?, turn))
        })
        .await
    }

    /// Waits for something of the pool, at most as long as a query may wait.
    async fn waited<T>(
        &self,
        asking: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, DbError> {
        let asked = Instant::now();
        let outcome = tokio::time::timeout(self.options.acquire_timeout, asking).await;
        self.metrics.wait.observe(asked.elapsed().as_secs_f64());
        let Ok(taken) = outcome else {
            self.metrics.timeouts.inc();
            return Err(DbError::PoolTimeout);
        };
        Ok(taken?)
    }

    fn span(&self, statement: &Statement) -> Span {
        in_trace!(
            "query",
            otel.name = %format_args!("{} {}", statement.operation, statement.table),
            otel.kind = "client",
            otel.status_code = Empty,
            service = self.options.role.name(),
            db.system.name = self.system,
            db.operation.name = statement.operation,
            db.collection.name = statement.table,
            db.query.text = statement.sql.as_str(),
            error.type = Empty,
            chaos.injected = Empty,
        )
    }
}
