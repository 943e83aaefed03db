//! The tables of the catalog.

use crate::db::Schema;

pub(super) const SCHEMA: Schema = Schema(&[
    (
        "products",
        "CREATE TABLE products (
            id BIGINT PRIMARY KEY,
            name TEXT NOT NULL,
            price_minor BIGINT NOT NULL CHECK (price_minor > 0),
            currency TEXT NOT NULL
        )",
    ),
    (
        "inventory",
        "CREATE TABLE inventory (
            product_id BIGINT PRIMARY KEY REFERENCES products (id),
            stock BIGINT NOT NULL CHECK (stock >= 0)
        )",
    ),
    (
        "product categories",
        "ALTER TABLE products ADD COLUMN category VARCHAR(40) NOT NULL DEFAULT 'other'",
    ),
    (
        "product versions",
        "ALTER TABLE products ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
    ),
    (
        "deleted products",
        "ALTER TABLE products ADD COLUMN deleted_ms BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "warehouses",
        "CREATE TABLE warehouse_stock (
            product_id BIGINT NOT NULL REFERENCES products (id),
            warehouse_id VARCHAR(16) NOT NULL,
            stock BIGINT NOT NULL CHECK (stock >= 0),
            PRIMARY KEY (product_id, warehouse_id)
        )",
    ),
    (
        "stock moves into the first warehouse",
        "INSERT INTO warehouse_stock (product_id, warehouse_id, stock)
            SELECT product_id, 'WH-001', stock FROM inventory
            UNION ALL SELECT product_id, 'WH-002', 0 FROM inventory
            UNION ALL SELECT product_id, 'WH-003', 0 FROM inventory",
    ),
    ("stock without warehouses", "DROP TABLE inventory"),
    (
        "stock by warehouse",
        "ALTER TABLE warehouse_stock RENAME TO inventory",
    ),
    (
        "reservations",
        "CREATE TABLE reservations (
            reservation VARCHAR(80) NOT NULL PRIMARY KEY,
            product_id BIGINT NOT NULL,
            quantity BIGINT NOT NULL,
            unit_price_minor BIGINT NOT NULL,
            released_ms BIGINT NOT NULL,
            created_ms BIGINT NOT NULL
        )",
    ),
    (
        "reservation lines",
        "CREATE TABLE reservation_lines (
            reservation VARCHAR(80) NOT NULL,
            warehouse_id VARCHAR(16) NOT NULL,
            units BIGINT NOT NULL,
            created_ms BIGINT NOT NULL,
            PRIMARY KEY (reservation, warehouse_id)
        )",
    ),
    (
        "reservations by age",
        "CREATE INDEX reservations_by_age ON reservations (created_ms)",
    ),
    (
        "reservation lines by age",
        "CREATE INDEX reservation_lines_by_age ON reservation_lines (created_ms)",
    ),
]);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::registry::Registry;

    use super::SCHEMA;
    use crate::{
        config::Role,
        db::{Db, DbOptions, Place, Schema},
        telemetry::db_metrics::DbMetrics,
    };

    #[tokio::test]
    async fn the_stock_of_an_older_catalog_is_in_the_first_warehouse() {
        let folder = tempfile::tempdir().unwrap();
        let options = DbOptions {
            role: Role::Catalog,
            place: Place::Folder(folder.path().to_owned()),
            connections: 2,
            acquire_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(30),
        };
        let metrics = DbMetrics::register(&mut Registry::default());
        let stalls = fault::Registry::new().db_stalls(Role::Catalog.name());
        let db = Db::open(options, &metrics, stalls).await.unwrap();
        db.migrate(Schema(&SCHEMA.0[..2])).await.unwrap();
        for sql in [
            "INSERT INTO products (id, name, price_minor, currency) VALUES (7, 'Mug', 990, 'USD')",
            "INSERT INTO inventory (product_id, stock) VALUES (7, 41)",
        ] {
            let statement = db.statement("insert", "products", sql);
            db.execute(&statement, &[]).await.unwrap();
        }
        db.migrate(SCHEMA).await.unwrap();
        let sql = "SELECT warehouse_id, stock FROM inventory WHERE product_id = 7 ORDER BY 1";
        let levels = db.statement("select", "inventory", sql);
        let rows = db.fetch_all(&levels, &[]).await.unwrap();
        let levels: Vec<_> = rows
            .iter()
            .map(|row| (row.text(0).unwrap(), row.int(1).unwrap()))
            .collect();
        let expected = [("WH-001", 41), ("WH-002", 0), ("WH-003", 0)];
        assert_eq!(levels, expected.map(|(id, stock)| (id.to_owned(), stock)));
        let sql = "SELECT category, version, deleted_ms FROM products WHERE id = 7";
        let product = db.statement("select", "products", sql);
        let row = db.fetch_optional(&product, &[]).await.unwrap().unwrap();
        let carried = (
            row.text(0).unwrap(),
            row.int(1).unwrap(),
            row.int(2).unwrap(),
        );
        assert_eq!(carried, ("other".to_owned(), 1, 0));
        db.close().await;
    }
}
