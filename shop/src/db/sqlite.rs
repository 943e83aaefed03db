//! SQLite: a file a role, in write-ahead mode, with one writer at a time.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, Row as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

use super::{DbOptions, pool::OPEN_TIMEOUT};
use crate::config::Role;

/// How long a write waits for the lock of another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the file of a role.
pub(super) fn file(folder: &Path, role: Role) -> PathBuf {
    folder.join(format!("{role}.db"))
}

/// Returns how a file of ours is opened, by the pool and by a stall alike.
pub(super) fn connect_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
}

/// Opens a file, creating it when it is not there.
pub(super) async fn open(file: &Path, options: &DbOptions) -> Result<SqlitePool, sqlx::Error> {
    // Whoever finds a new file on its way into write-ahead mode is refused without a wait, be it
    // another process or another connection of this pool.
    let _held = hold(file).await?;
    connect_options(file).connect().await?.close().await?;
    SqlitePoolOptions::new()
        .max_connections(options.connections)
        .min_connections(1)
        .acquire_timeout(OPEN_TIMEOUT)
        .acquire_slow_threshold(OPEN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(connect_options(file))
        .await
}

/// Runs the migrations while no other process does: the driver has no lock for that.
pub(super) async fn migrate(
    pool: &SqlitePool,
    file: &Path,
    migrator: &Migrator,
) -> Result<(), MigrateError> {
    let _held = hold(file).await?;
    migrator.run(pool).await
}

/// Waits until nobody else prepares the file; dropping what is returned lets the next one.
async fn hold(file: &Path) -> Result<File, sqlx::Error> {
    let lock = file.with_extension("migrating");
    let held = tokio::task::spawn_blocking(move || -> std::io::Result<File> {
        let lock = File::create(lock)?;
        lock.lock()?;
        Ok(lock)
    });
    held.await
        .map_err(|_| sqlx::Error::WorkerCrashed)?
        .map_err(sqlx::Error::Io)
}

/// Takes the lock of the only writer.
pub(super) async fn lock(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN EXCLUSIVE").await.map(drop)
}

/// Reads a whole number.
pub(super) fn int(row: &SqliteRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
    row.try_get(column)
}
