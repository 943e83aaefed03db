//! MariaDB and MySQL: a database a role, named after the one in the URL: `shop_catalog`, `shop_orders`, …
//!
//! The account needs all rights on these databases, which GRANT can give at once:
//! ``GRANT ALL ON `shop\_%`.* TO …``. The driver asks for matched rows instead of changed ones
//! (`CLIENT_FOUND_ROWS`), so that an update counts the same on every database.
//!
//! MySQL 8 accepts an account without TLS only when it was made with `mysql_native_password`.

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, MySqlConnection, MySqlPool, Row as _,
    TypeInfo as _, ValueRef as _,
    migrate::{MigrateError, Migrator},
    mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPoolOptions, MySqlRow},
};

use super::{
    DbOptions,
    pool::{OPEN_TIMEOUT, STALE_AFTER},
    row::undecoded,
    server::{DatabaseServer, patiently, quoted},
};
use crate::{config::Role, error::ShopError};

/// What a session that serves requests begins with: the isolation PostgreSQL has, and waits for locks as
/// long as SQLite's, for rows and for tables.
const SESSION: &str = "SET SESSION transaction_isolation = 'READ-COMMITTED', \
    innodb_lock_wait_timeout = 2, lock_wait_timeout = 2";

/// The same where the older name is the only one: MariaDB before 11.1.
const OLDER_SESSION: &str = "SET SESSION tx_isolation = 'READ-COMMITTED', \
    innodb_lock_wait_timeout = 2, lock_wait_timeout = 2";

fn database(server: &DatabaseServer, role: Role) -> String {
    format!("{}_{role}", server.database())
}

/// Returns how a role connects: to its own database, and without limits.
pub(super) fn connect_options(
    server: &DatabaseServer,
    role: Role,
) -> Result<MySqlConnectOptions, sqlx::Error> {
    let options = MySqlConnectOptions::from_url(server.url())?;
    Ok(options
        .database(&database(server, role))
        .charset("utf8mb4")
        .collation("utf8mb4_bin"))
}

/// Makes the database of a role, and opens a pool to it.
pub(super) async fn open(
    server: &DatabaseServer,
    options: &DbOptions,
) -> Result<MySqlPool, ShopError> {
    let role = options.role;
    let refused = |source| server.refused(role, remedy(&source, server, role), source);
    let mut nowhere = server.url().clone();
    nowhere.set_path("");
    let nowhere = MySqlConnectOptions::from_url(&nowhere).map_err(refused)?;
    let mut connection = patiently(role, || MySqlConnection::connect_with(&nowhere))
        .await
        .map_err(refused)?;
    make_database(&mut connection, &database(server, role))
        .await
        .map_err(refused)?;
    connection.close().await.map_err(refused)?;
    MySqlPoolOptions::new()
        .max_connections(options.connections)
        .min_connections(1)
        .acquire_timeout(OPEN_TIMEOUT)
        .acquire_slow_threshold(OPEN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                if connection.execute(OLDER_SESSION).await.is_err() {
                    connection.execute(SESSION).await?;
                }
                Ok(())
            })
        })
        .before_acquire(|connection, seen| {
            Box::pin(
                async move { Ok(seen.idle_for < STALE_AFTER || connection.ping().await.is_ok()) },
            )
        })
        .connect_with(connect_options(server, role).map_err(refused)?)
        .await
        .map_err(refused)
}

/// Makes the database unless it is there. Texts compare by their bytes, as on the other databases.
async fn make_database(connection: &mut MySqlConnection, name: &str) -> Result<(), sqlx::Error> {
    let there = sqlx::query("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?");
    let there = there.bind(name).fetch_optional(&mut *connection).await?;
    if there.is_some() {
        return Ok(());
    }
    let make = format!(
        "CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        quoted(name, '`')
    );
    connection
        .execute(sqlx::AssertSqlSafe(make))
        .await
        .map(drop)
}

/// Says what to do about an error while connecting.
fn remedy(error: &sqlx::Error, server: &DatabaseServer, role: Role) -> String {
    let number = match error {
        sqlx::Error::Database(said) => said
            .try_downcast_ref::<MySqlDatabaseError>()
            .map(MySqlDatabaseError::number),
        _ => None,
    };
    match number {
        Some(1045 | 1698) => "check user and password in the URL".to_owned(),
        Some(1044 | 1049 | 1142 | 1227) => format!(
            "let the account make {}: GRANT ALL ON `{}\\_%`.* TO the account",
            database(server, role),
            server.database(),
        ),
        _ => server.check_address(),
    }
}

/// Tells MariaDB and MySQL apart.
pub(super) async fn system(pool: &MySqlPool) -> Result<&'static str, sqlx::Error> {
    let row = pool.fetch_one("SELECT VERSION()").await?;
    let version: String = row.try_get(0)?;
    let maria = version.to_lowercase().contains("mariadb");
    Ok(if maria { "mariadb" } else { "mysql" })
}

/// Runs the migrations on a connection without limits, while no other process does.
///
/// The lock is ours: the driver asks for one with a negative wait, which MariaDB does not give.
pub(super) async fn migrate(
    server: &DatabaseServer,
    role: Role,
    migrator: &mut Migrator,
) -> Result<(), MigrateError> {
    let options = connect_options(server, role)?;
    let mut connection = MySqlConnection::connect_with(&options).await?;
    // It belongs to the session, and its name to the whole server.
    let lock = "SELECT COALESCE(GET_LOCK(CONCAT('shop-', MD5(DATABASE())), 60), 0) = 1";
    let row = connection.fetch_one(lock).await?;
    if int(&row, 0)? != Some(1) {
        let reason = "another process has been migrating this database for a minute";
        return Err(sqlx::Error::Protocol(reason.to_owned()).into());
    }
    migrator.set_locking(false).run(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Locks every table of the role against writing, until the connection ends.
pub(super) async fn lock(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let tables = sqlx::query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
         AND table_name <> '_sqlx_migrations' ORDER BY table_name",
    );
    let tables = tables.fetch_all(&mut *connection).await?;
    // READ is what the holder may do; everybody else may read as well, and nobody may write.
    let tables = tables.iter().map(|row| {
        let name: String = row.try_get_unchecked(0)?;
        Ok(format!("{} READ", quoted(&name, '`')))
    });
    let tables = tables.collect::<Result<Vec<_>, sqlx::Error>>()?.join(", ");
    connection
        .execute("SET SESSION lock_wait_timeout = 2")
        .await?;
    if tables.is_empty() {
        return Ok(());
    }
    let lock = format!("LOCK TABLES {tables}");
    connection
        .execute(sqlx::AssertSqlSafe(lock))
        .await
        .map(drop)
}

/// Reads a whole number of any type.
pub(super) fn int(row: &MySqlRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = value.type_info().into_owned();
    match kind.name() {
        "DECIMAL" => {
            let text: String = row.try_get_unchecked(column)?;
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            if fraction.bytes().any(|digit| digit != b'0') {
                return Err(undecoded(column, "a DECIMAL that is not whole".into()));
            }
            let whole = whole
                .parse()
                .map_err(|error| undecoded(column, Box::new(error)));
            whole.map(Some)
        }
        name if name.ends_with("UNSIGNED") => {
            let number: u64 = row.try_get_unchecked(column)?;
            let number = number
                .try_into()
                .map_err(|error| undecoded(column, Box::new(error)));
            number.map(Some)
        }
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            row.try_get_unchecked(column).map(Some)
        }
        other => Err(undecoded(
            column,
            format!("{other} is no whole number").into(),
        )),
    }
}
