//! Values that go into a query and come out of it, whatever the database.

use sqlx::{
    Row as _, Sqlite,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

/// A value bound to a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Param<'a> {
    Int(i64),
    Text(&'a str),
}

impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// Binds `params` in order.
pub(super) fn sqlite<'q>(
    sql: &'static str,
    params: &[Param<'q>],
) -> Query<'q, Sqlite, SqliteArguments> {
    params
        .iter()
        .fold(sqlx::query(sql), |query, param| match param {
            Param::Int(number) => query.bind(*number),
            Param::Text(text) => query.bind((*text).to_owned()),
        })
}

/// One row of a result.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
}

impl Row {
    /// Reads a whole number by column.
    pub(crate) fn int(&self, column: usize) -> Result<i64, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
        }
    }

    /// Reads a text by column.
    pub(crate) fn text(&self, column: usize) -> Result<String, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
        }
    }
}
