//! The databases of the roles: one each, behind one pool each, so that a stalled `catalog` stalls
//! only the catalog.
//!
//! Roles see [`Db`], [`Statement`] and [`Row`], and no driver: which database it is stays in
//! `pool` and `row`. Every query is a span, is timed, and is counted when it completes.

mod migrate;
mod ping;
mod pool;
mod row;
mod stall;
mod transaction;

pub(crate) use migrate::Schema;
pub(crate) use pool::{Db, DbError, DbOptions, Statement};
pub(crate) use row::{Param, Row};
pub(crate) use stall::hold_stalls;
#[expect(unused_imports, reason = "the roles that need it follow")]
pub(crate) use transaction::Tx;
