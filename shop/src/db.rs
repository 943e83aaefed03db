//! The databases of the roles: one each, behind one pool each, so that a stalled `catalog` stalls
//! only the catalog.
//!
//! Roles see [`Db`], [`Statement`], [`Tx`] and [`Row`], and no driver: which database it is stays in
//! `driver` and in the file of each. Every query is a span, is timed, and is counted when it completes.
//!
//! One text of SQL serves SQLite, PostgreSQL, MariaDB and MySQL: `?` for parameters, BIGINT and
//! VARCHAR(n), TEXT only without key, default or index, truth as BIGINT 0 and 1, ids made by us.

use std::path::PathBuf;

mod driver;
mod error;
mod migrate;
mod mysql;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of the roles use the rest")]
#[path = "../tests/it/peers.rs"]
mod peers;
mod ping;
mod placeholders;
mod pool;
mod postgres;
mod row;
mod server;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of the roles use the rest")]
#[path = "../tests/it/servers.rs"]
mod servers;
mod sqlite;
mod stall;
#[cfg(test)]
mod tests;
mod transaction;

pub(crate) use error::DbError;
pub(crate) use migrate::Schema;
pub(crate) use pool::{Db, DbOptions, Statement};
pub(crate) use row::{Param, Row};
pub use server::DatabaseServer;
pub(crate) use server::place;
pub(crate) use stall::hold_stalls;
pub(crate) use transaction::{Tx, until_alone};

/// Where the databases of the roles are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// SQLite files in a folder.
    Folder(PathBuf),
    /// A server.
    Server(DatabaseServer),
}
