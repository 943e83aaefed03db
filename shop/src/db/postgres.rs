//! PostgreSQL: a schema a role, in one database.
//!
//! The account needs CONNECT, and CREATE on the database unless every role's schema is there and its own.

use sqlx::{
    ConnectOptions as _, Connection as _, Decode, Executor as _, PgConnection, PgPool, Postgres,
    Row as _, TypeInfo as _, ValueRef as _,
    error::BoxDynError,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions, PgRow, PgValueFormat, PgValueRef},
};

use super::{
    DbOptions,
    pool::{OPEN_TIMEOUT, STALE_AFTER},
    row::undecoded,
    server::{DatabaseServer, patiently, quoted},
};
use crate::{config::Role, error::ShopError};

/// Limits of a session that serves requests. A write that waits for a lock gives up as SQLite's does; a
/// transaction whose client hangs must not hold its locks for ever.
const LIMITS: [(&str, &str); 3] = [
    ("lock_timeout", "2s"),
    ("statement_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
];

/// Returns how a role connects: to its own schema, and without limits.
pub(super) fn connect_options(
    server: &DatabaseServer,
    role: Role,
) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_url(server.url())?;
    Ok(options
        .application_name(&format!("obs-tui-shop-{role}"))
        .options([
            ("search_path", role.name()),
            ("default_transaction_isolation", "read committed"),
            // A connection whose other end is gone gives its locks back within a minute.
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
        ]))
}

/// Makes the schema of a role, and opens a pool to it.
pub(super) async fn open(
    server: &DatabaseServer,
    options: &DbOptions,
) -> Result<PgPool, ShopError> {
    let role = options.role;
    let refused = |source| server.refused(role, remedy(&source, server, role), source);
    let own = connect_options(server, role).map_err(refused)?;
    let mut connection = patiently(role, || PgConnection::connect_with(&own))
        .await
        .map_err(refused)?;
    make_schema(&mut connection, role).await.map_err(refused)?;
    // It stays: whoever has a connection finds the rest by it.
    connection.close().await.map_err(refused)?;
    PgPoolOptions::new()
        .max_connections(options.connections)
        .min_connections(1)
        .acquire_timeout(OPEN_TIMEOUT)
        .acquire_slow_threshold(OPEN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, seen| {
            Box::pin(
                async move { Ok(seen.idle_for < STALE_AFTER || connection.ping().await.is_ok()) },
            )
        })
        .connect_with(own.options(LIMITS))
        .await
        .map_err(refused)
}

/// Makes the schema unless it is there: then the right to make one is not needed.
async fn make_schema(connection: &mut PgConnection, role: Role) -> Result<(), sqlx::Error> {
    let there = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname = $1").bind(role.name());
    if there.fetch_optional(&mut *connection).await?.is_some() {
        return Ok(());
    }
    let make = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(role.name(), '"'));
    match connection.execute(sqlx::AssertSqlSafe(make)).await {
        // Another process made it in between; IF NOT EXISTS does not cover that.
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Says what to do about an error while connecting.
fn remedy(error: &sqlx::Error, server: &DatabaseServer, role: Role) -> String {
    let state = match error {
        sqlx::Error::Database(said) => said.code().unwrap_or_default(),
        _ => return server.check_address(),
    };
    let database = server.database();
    match &*state {
        "28000" | "28P01" => "check user and password in the URL".to_owned(),
        "3D000" => format!("make it first: CREATE DATABASE {}", quoted(database, '"')),
        "42501" => format!(
            "let the account make it: GRANT CREATE ON DATABASE {} TO the account, or make it \
             yourself: CREATE SCHEMA {role} AUTHORIZATION the account",
            quoted(database, '"'),
        ),
        _ => server.check_address(),
    }
}

/// Runs the migrations on a connection without limits: the lock may be long in coming.
pub(super) async fn migrate(
    server: &DatabaseServer,
    role: Role,
    migrator: &Migrator,
) -> Result<(), MigrateError> {
    let options = connect_options(server, role)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    migrator.run(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Locks every table of the role against writing, until the connection ends.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let tables = sqlx::query(
        "SELECT tablename FROM pg_tables \
         WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations' ORDER BY tablename",
    );
    let tables = tables.fetch_all(&mut *connection).await?;
    let tables = tables.iter().map(|row| Ok(quoted(row.try_get(0)?, '"')));
    let tables = tables.collect::<Result<Vec<_>, sqlx::Error>>()?.join(", ");
    connection.execute("SET lock_timeout = '2s'").await?;
    connection.execute("BEGIN").await?;
    if tables.is_empty() {
        return Ok(());
    }
    let lock = format!("LOCK TABLE {tables} IN EXCLUSIVE MODE");
    connection
        .execute(sqlx::AssertSqlSafe(lock))
        .await
        .map(drop)
}

/// Reads a whole number of any type.
pub(super) fn int(row: &PgRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(None);
    }
    whole(value)
        .map(Some)
        .map_err(|source| undecoded(column, source))
}

fn whole(value: PgValueRef<'_>) -> Result<i64, BoxDynError> {
    let kind = value.type_info().into_owned();
    match kind.name() {
        "INT8" => <i64 as Decode<Postgres>>::decode(value),
        "INT4" => Ok(<i32 as Decode<Postgres>>::decode(value)?.into()),
        "INT2" => Ok(<i16 as Decode<Postgres>>::decode(value)?.into()),
        "BOOL" => Ok(<bool as Decode<Postgres>>::decode(value)?.into()),
        "NUMERIC" if value.format() == PgValueFormat::Text => Ok(value.as_str()?.parse()?),
        "NUMERIC" => numeric(value.as_bytes()?),
        other => Err(format!("{other} is no whole number").into()),
    }
}

/// Reads a NUMERIC as it is sent: how many digits to the base 10000, the power of the first one, the sign,
/// the decimals shown, then the digits. Refuses what is not whole or does not fit.
fn numeric(bytes: &[u8]) -> Result<i64, BoxDynError> {
    let words: Vec<i16> = bytes
        .chunks_exact(2)
        .map(|pair| i16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let [count, weight, sign, _, digits @ ..] = words.as_slice() else {
        return Err("a NUMERIC that is cut off".into());
    };
    let count = usize::try_from(*count)?;
    let digits = digits.get(..count).ok_or("a NUMERIC that is cut off")?;
    let mut number: i64 = 0;
    // A digit that is zero at the end is not sent, so that the power says how many there are.
    for place in 0..usize::try_from(i32::from(*weight) + 1).unwrap_or(0) {
        let digit = digits.get(place).copied().unwrap_or(0);
        number = number
            .checked_mul(10_000)
            .and_then(|number| number.checked_sub(i64::from(digit)))
            .ok_or("a NUMERIC out of range")?;
    }
    let fraction = usize::try_from(i32::from(*weight) + 1).unwrap_or(0);
    if digits.iter().skip(fraction).any(|digit| *digit != 0) {
        return Err("a NUMERIC that is not whole".into());
    }
    // It was counted below zero, where there is room for one more.
    match sign {
        0x0000 => Ok(number.checked_neg().ok_or("a NUMERIC out of range")?),
        0x4000 => Ok(number),
        _ => Err("a NUMERIC that is no number".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::numeric;

    fn sent(weight: i16, sign: i16, digits: &[i16]) -> Vec<u8> {
        let count = i16::try_from(digits.len()).unwrap();
        let words = [count, weight, sign, 0];
        let words = words.iter().chain(digits);
        words.flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_numeric_is_read_when_it_is_whole_and_fits() {
        for (bytes, wanted) in [
            (sent(0, 0, &[]), 0),
            (sent(0, 0, &[42]), 42),
            (sent(1, 0, &[1]), 10_000),
            (sent(1, 0x4000, &[123, 4567]), -1_234_567),
            (sent(4, 0, &[922, 3372, 368, 5477, 5807]), i64::MAX),
            (sent(4, 0x4000, &[922, 3372, 368, 5477, 5808]), i64::MIN),
        ] {
            assert_eq!(numeric(&bytes).unwrap(), wanted);
        }
        for bad in [
            sent(-1, 0, &[5000]),
            sent(0, 0, &[1, 5000]),
            sent(4, 0, &[922, 3372, 368, 5477, 5808]),
            sent(9, 0, &[1]),
            sent(0, -0x4000, &[]),
            vec![0, 1, 0, 0],
            vec![0, 5, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(numeric(&bad).is_err(), "{bad:?}");
        }
    }
}
