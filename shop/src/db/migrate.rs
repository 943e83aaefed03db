//! Bringing a role's tables to the version the binary was built with.
//!
//! Migrations are part of the binary, only ever added, and recorded in the database.

use sqlx::{
    SqlStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{Db, pool::Pool};

/// The tables of a role: migrations in order, versions counted from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema(pub(crate) &'static [(&'static str, &'static str)]);

impl Db {
    /// Runs the migrations that this database has not seen.
    pub(crate) async fn migrate(&self, schema: Schema) -> Result<(), sqlx::Error> {
        let migrations = schema.0.iter().zip(1..).map(|((name, sql), version)| {
            let sql = SqlStr::from_static(sql);
            Migration::new(version, (*name).into(), MigrationType::Simple, sql, false)
        });
        let migrator = Migrator::with_migrations(migrations.collect());
        let Pool::Sqlite(pool) = &self.pool;
        migrator.run(pool).await.map_err(|error| match error {
            MigrateError::Execute(source) => source,
            other => sqlx::Error::Migrate(Box::new(other)),
        })
    }
}
