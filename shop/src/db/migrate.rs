//! Bringing a role's tables to the version the binary was built with.
//!
//! Migrations are part of the binary, only ever added, and recorded in the database.

use sqlx::{
    SqlStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{Db, Place, driver::Pool, mysql, postgres, server::Scheme, sqlite};

/// The tables of a role: migrations in order, versions counted from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema(pub(crate) &'static [(&'static str, &'static str)]);

impl Schema {
    fn migrator(self) -> Migrator {
        let migrations = self.0.iter().zip(1..).map(|((name, sql), version)| {
            let sql = SqlStr::from_static(sql);
            Migration::new(version, (*name).into(), MigrationType::Simple, sql, false)
        });
        Migrator::with_migrations(migrations.collect())
    }
}

impl Db {
    /// Runs the migrations that this database has not seen, one process after the other.
    pub(crate) async fn migrate(&self, schema: Schema) -> Result<(), sqlx::Error> {
        let (mut migrator, role) = (schema.migrator(), self.options.role);
        let migrated = match (&self.options.place, &self.pool) {
            (Place::Folder(folder), Pool::Sqlite(pool)) => {
                sqlite::migrate(pool, &sqlite::file(folder, role), &migrator).await
            }
            (Place::Server(server), _) if server.scheme() == Scheme::Postgres => {
                postgres::migrate(server, role, &migrator).await
            }
            (Place::Server(server), _) => mysql::migrate(server, role, &mut migrator).await,
            (Place::Folder(_), _) => Err(sqlx::Error::PoolClosed.into()),
        };
        migrated.map_err(|error| match error {
            MigrateError::Execute(source) => source,
            other => sqlx::Error::Migrate(Box::new(other)),
        })
    }
}
