//! The three databases behind one face: what differs between them ends here and in their own files.

use sqlx::{
    Connection as _, Database, Encode, MySql, MySqlConnection, MySqlPool, PgConnection, PgPool,
    Postgres, SqlStr, Sqlite, SqliteConnection, SqlitePool, Transaction, Type,
    pool::PoolConnection, query::Query,
};

use super::{
    DbOptions, Param, Place, Row, mysql, placeholders, pool::Statement, postgres, server::Scheme,
    sqlite,
};
use crate::error::ShopError;

/// Does the same with whichever database it is.
macro_rules! whichever {
    ($it:expr, $kind:ident($own:pat) => $do:expr) => {
        match $it {
            $kind::Sqlite($own) => $do,
            $kind::Postgres($own) => $do,
            $kind::MySql($own) => $do,
        }
    };
}

/// The pool of one role.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    MySql(MySqlPool),
}

/// A connection taken from a pool.
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    MySql(PoolConnection<MySql>),
}

/// A transaction that has begun.
pub(super) enum Started {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
    MySql(Transaction<'static, MySql>),
}

/// A connection that statements run on, inside a transaction or on its own.
pub(super) enum Session<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
    MySql(&'c mut MySqlConnection),
}

/// A connection of its own whose session holds a lock; dropping it lets go.
#[expect(dead_code, reason = "held, not read")]
pub(super) enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Pool {
    /// Opens the database of a role, and makes the role's own place in it.
    pub(super) async fn open(options: &DbOptions) -> Result<Self, ShopError> {
        match &options.place {
            Place::Folder(folder) => {
                let opened = sqlite::open(&sqlite::file(folder, options.role), options).await;
                let failed = |source| ShopError::Database {
                    service: options.role.name(),
                    source,
                };
                opened.map(Self::Sqlite).map_err(failed)
            }
            Place::Server(server) => match server.scheme() {
                Scheme::Postgres => postgres::open(server, options).await.map(Self::Postgres),
                Scheme::MySql => mysql::open(server, options).await.map(Self::MySql),
            },
        }
    }

    /// Returns what the database is called in telemetry (`db.system.name`).
    pub(super) async fn system(&self) -> Result<&'static str, sqlx::Error> {
        match self {
            Self::Sqlite(_) => Ok("sqlite"),
            Self::Postgres(_) => Ok("postgresql"),
            Self::MySql(pool) => mysql::system(pool).await,
        }
    }

    /// Writes the placeholders of a statement as this database wants them.
    pub(super) fn spell(&self, sql: &'static str) -> SqlStr {
        match self {
            Self::Postgres(_) => placeholders::numbered(sql),
            Self::Sqlite(_) | Self::MySql(_) => SqlStr::from_static(sql),
        }
    }

    pub(super) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Connection::Sqlite(pool.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
            Self::MySql(pool) => Connection::MySql(pool.acquire().await?),
        })
    }

    /// Returns the connections that are open, and those of them that nobody uses.
    pub(super) fn fill(&self) -> (u32, u32) {
        let idle = |idle: usize| u32::try_from(idle).unwrap_or(u32::MAX);
        whichever!(self, Self(pool) => (pool.size(), idle(pool.num_idle())))
    }

    pub(super) async fn close(&self) {
        whichever!(self, Self(pool) => pool.close().await);
    }
}

impl Connection {
    pub(super) fn session(&mut self) -> Session<'_> {
        match self {
            Self::Sqlite(own) => Session::Sqlite(own),
            Self::Postgres(own) => Session::Postgres(own),
            Self::MySql(own) => Session::MySql(own),
        }
    }

    /// Begins a transaction that is going to write.
    pub(super) async fn begin(self) -> Result<Started, sqlx::Error> {
        Ok(match self {
            // One that reads first and then writes would find the lock taken by another one.
            Self::Sqlite(own) => {
                let begin = SqlStr::from_static("BEGIN IMMEDIATE");
                Started::Sqlite(Transaction::begin(own, Some(begin)).await?)
            }
            Self::Postgres(own) => Started::Postgres(Transaction::begin(own, None).await?),
            Self::MySql(own) => Started::MySql(Transaction::begin(own, None).await?),
        })
    }
}

impl Started {
    pub(super) fn session(&mut self) -> Session<'_> {
        match self {
            Self::Sqlite(own) => Session::Sqlite(own),
            Self::Postgres(own) => Session::Postgres(own),
            Self::MySql(own) => Session::MySql(own),
        }
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        whichever!(self, Self(own) => own.commit().await)
    }
}

impl Session<'_> {
    /// Has the connection answer.
    pub(super) async fn ping(self) -> Result<(), sqlx::Error> {
        whichever!(self, Self(own) => own.ping().await)
    }

    /// Runs a statement; returns how many rows it matched, changed or not.
    pub(super) async fn execute(
        self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<u64, sqlx::Error> {
        whichever!(self, Self(own) => {
            let done = bound(statement, params).execute(own).await?;
            Ok(done.rows_affected())
        })
    }

    /// Runs a statement; returns every row.
    pub(super) async fn fetch_all(
        self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, sqlx::Error> {
        whichever!(self, Self(own) => {
            let rows = bound(statement, params).fetch_all(own).await?;
            Ok(rows.into_iter().map(Row::from).collect())
        })
    }
}

impl Lock {
    /// Takes a lock that every write of a role needs and no read does.
    pub(super) async fn take(options: DbOptions) -> Result<Self, sqlx::Error> {
        let role = options.role;
        match &options.place {
            Place::Folder(folder) => {
                let options = sqlite::connect_options(&sqlite::file(folder, role));
                let mut own = SqliteConnection::connect_with(&options).await?;
                sqlite::lock(&mut own).await?;
                Ok(Self::Sqlite(own))
            }
            Place::Server(server) => match server.scheme() {
                Scheme::Postgres => {
                    let options = postgres::connect_options(server, role)?;
                    let mut own = PgConnection::connect_with(&options).await?;
                    postgres::lock(&mut own).await?;
                    Ok(Self::Postgres(own))
                }
                Scheme::MySql => {
                    let options = mysql::connect_options(server, role)?;
                    let mut own = MySqlConnection::connect_with(&options).await?;
                    mysql::lock(&mut own).await?;
                    Ok(Self::MySql(own))
                }
            },
        }
    }
}

/// Binds `params` in order.
fn bound<DB>(
    statement: &Statement,
    params: &[Param<'_>],
) -> Query<'static, DB, <DB as Database>::Arguments>
where
    DB: Database,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
    String: for<'q> Encode<'q, DB> + Type<DB>,
    Option<i64>: for<'q> Encode<'q, DB>,
    Option<String>: for<'q> Encode<'q, DB>,
{
    let query = sqlx::query(statement.sql.clone());
    params.iter().fold(query, |query, param| match param {
        Param::Int(number) => query.bind(*number),
        Param::Text(text) => query.bind((*text).to_owned()),
        Param::Owned(text) => query.bind(text.clone()),
        Param::NoInt => query.bind(None::<i64>),
        Param::NoText => query.bind(None::<String>),
    })
}
