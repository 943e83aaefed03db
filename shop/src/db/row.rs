//! Values that go into a query and come out of it, whatever the database.

use sqlx::{error::UnexpectedNullError, mysql::MySqlRow, postgres::PgRow, sqlite::SqliteRow};

use super::{mysql, postgres, sqlite};

/// A value bound to a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Param<'a> {
    Int(i64),
    Text(&'a str),
    Owned(String),
    /// NULL for a column of whole numbers; PostgreSQL wants to know.
    NoInt,
    /// NULL for a column of text.
    NoText,
}

impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Param<'_> {
    /// Truth is kept as 0 and 1.
    fn from(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Param<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}

impl From<Option<i64>> for Param<'_> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NoInt, Self::Int)
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::NoText, Self::Text)
    }
}

/// One row of a result.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    MySql(MySqlRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

impl From<MySqlRow> for Row {
    fn from(row: MySqlRow) -> Self {
        Self::MySql(row)
    }
}

impl Row {
    /// Reads a whole number by column, whatever type it has: a sum is NUMERIC or DECIMAL.
    pub(crate) fn int(&self, column: usize) -> Result<i64, sqlx::Error> {
        self.optional_int(column)?.ok_or_else(|| null(column))
    }

    /// Reads a text by column.
    pub(crate) fn text(&self, column: usize) -> Result<String, sqlx::Error> {
        self.optional_text(column)?.ok_or_else(|| null(column))
    }

    /// Reads a whole number that may be NULL.
    pub(crate) fn optional_int(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => sqlite::int(row, column),
            Self::Postgres(row) => postgres::int(row, column),
            Self::MySql(row) => mysql::int(row, column),
        }
    }

    /// Reads a text that may be NULL.
    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<String>, sqlx::Error> {
        use sqlx::Row as _;
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
            Self::MySql(row) => row.try_get(column),
        }
    }
}

fn null(column: usize) -> sqlx::Error {
    undecoded(column, Box::new(UnexpectedNullError))
}

/// Says that a value could not be read.
pub(super) fn undecoded(
    column: usize,
    source: Box<dyn std::error::Error + Send + Sync>,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source,
    }
}
