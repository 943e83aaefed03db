//! Asking a database whether it is there, beside all counting and tracing.

use sqlx::Connection as _;

use super::{driver::Pool, pool::Db};

impl Db {
    /// Takes a connection and has it answer; waits as long as the caller lets it.
    pub(crate) async fn ping(&self) -> Result<(), sqlx::Error> {
        match &self.pool {
            Pool::Sqlite(pool) => pool.acquire().await?.ping().await,
            Pool::Postgres(pool) => pool.acquire().await?.ping().await,
            Pool::MySql(pool) => pool.acquire().await?.ping().await,
        }
    }
}
