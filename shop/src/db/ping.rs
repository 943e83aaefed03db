//! Asking a database whether it is there, beside all counting and tracing.

use super::Db;

impl Db {
    /// Takes a connection and has it answer; waits as long as the caller lets it.
    pub(crate) async fn ping(&self) -> Result<(), sqlx::Error> {
        self.pool.acquire().await?.session().ping().await
    }
}
