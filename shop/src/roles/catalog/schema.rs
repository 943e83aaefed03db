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
]);
