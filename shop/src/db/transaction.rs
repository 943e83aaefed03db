//! Several statements that happen together or not at all.

use tokio::sync::OwnedSemaphorePermit;

use super::{
    Db, DbError, Param, Row, Statement,
    driver::{Session, Started},
    pool::answered,
};

/// A transaction of a role's database; dropped without [`Tx::commit`], it is undone.
///
/// After an error it is to be dropped: PostgreSQL refuses whatever follows one, a duplicate included.
/// What others did in the meantime is seen by the next statement (READ COMMITTED), so that a check and
/// the write that depends on it are one conditional statement; on SQLite there is one writer at a time.
pub(crate) struct Tx<'d> {
    db: &'d Db,
    started: Started,
    /// Given back when the transaction is over.
    _turn: Option<OwnedSemaphorePermit>,
}

/// Tries of a transaction that the database ended in favour of another one.
const TRIES: usize = 3;

/// Does a transaction, and does it again while it ends in a deadlock: it was undone as a whole then.
/// `work` must do nothing that outlives an undone transaction.
pub(crate) async fn until_alone<T, F>(work: impl Fn() -> F) -> Result<T, DbError>
where
    F: Future<Output = Result<T, DbError>>,
{
    for _ in 1..TRIES {
        match work().await {
            Err(error) if error.is_deadlock() => {}
            outcome => return outcome,
        }
    }
    work().await
}

impl<'d> Tx<'d> {
    pub(super) fn new(db: &'d Db, started: Started, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            db,
            started,
            _turn: turn,
        }
    }

    /// Runs a statement; returns how many rows it matched.
    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<u64, DbError> {
        let db = self.db;
        let run = self.session().execute(statement, params);
        db.watched(statement, statement.timed(run)).await
    }

    /// Runs a statement; returns every row.
    pub(crate) async fn fetch_all(
        &mut self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, DbError> {
        let db = self.db;
        let run = self.session().fetch_all(statement, params);
        db.watched(statement, statement.timed(run)).await
    }

    /// Runs a statement; returns the first row, if there is one.
    pub(crate) async fn fetch_optional(
        &mut self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch_all(statement, params).await?.into_iter().next())
    }

    /// Makes what was done last.
    pub(crate) async fn commit(self) -> Result<(), DbError> {
        let limit = self.db.options.answer_timeout;
        answered(limit, self.started.commit()).await
    }

    fn session(&mut self) -> Session<'_> {
        self.started.session()
    }
}
