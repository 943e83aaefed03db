//! The tables of the orders role, as migrations: one statement each, only ever added.

use crate::db::Schema;

pub(super) const SCHEMA: Schema = Schema(&[
    (
        "orders",
        "CREATE TABLE orders (
        id BIGINT PRIMARY KEY,
        customer_id BIGINT NOT NULL,
        country TEXT NOT NULL,
        product_id BIGINT NOT NULL,
        quantity BIGINT NOT NULL CHECK (quantity > 0),
        amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
        currency TEXT NOT NULL,
        status TEXT NOT NULL,
        created_ms BIGINT NOT NULL
    )",
    ),
    // Who may see it: an account, or a visit without one.
    (
        "orders user",
        "ALTER TABLE orders ADD COLUMN user_id BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders session",
        "ALTER TABLE orders ADD COLUMN session_id VARCHAR(80) NOT NULL DEFAULT ''",
    ),
    (
        "orders subtotal",
        "ALTER TABLE orders ADD COLUMN subtotal_minor BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders discount",
        "ALTER TABLE orders ADD COLUMN discount_minor BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders coupon",
        "ALTER TABLE orders ADD COLUMN coupon VARCHAR(40) NOT NULL DEFAULT ''",
    ),
    // Why it stands where it stands.
    (
        "orders reason",
        "ALTER TABLE orders ADD COLUMN reason VARCHAR(80) NOT NULL DEFAULT ''",
    ),
    // The number of the payment that is under way, or comes next; part of its key.
    (
        "orders attempt",
        "ALTER TABLE orders ADD COLUMN attempt BIGINT NOT NULL DEFAULT 1",
    ),
    // Until when a payment holds the order: 0 none, a time that is past: one whose end is not known.
    (
        "orders paying",
        "ALTER TABLE orders ADD COLUMN paying_until_ms BIGINT NOT NULL DEFAULT 0",
    ),
    // When the reconciler looks at it next; 0 never.
    (
        "orders due",
        "ALTER TABLE orders ADD COLUMN due_ms BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders cart",
        "ALTER TABLE orders ADD COLUMN from_cart BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders paid",
        "ALTER TABLE orders ADD COLUMN paid_ms BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders updated",
        "ALTER TABLE orders ADD COLUMN updated_ms BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders finished",
        "ALTER TABLE orders ADD COLUMN finished_ms BIGINT NOT NULL DEFAULT 0",
    ),
    // Days since the epoch, since not every database divides alike.
    (
        "orders day",
        "ALTER TABLE orders ADD COLUMN created_day BIGINT NOT NULL DEFAULT 0",
    ),
    (
        "orders by user",
        "CREATE INDEX orders_user ON orders (user_id, id)",
    ),
    (
        "orders by session",
        "CREATE INDEX orders_session ON orders (session_id, id)",
    ),
    (
        "orders by due",
        "CREATE INDEX orders_due ON orders (due_ms)",
    ),
    (
        "orders by end",
        "CREATE INDEX orders_finished ON orders (finished_ms)",
    ),
    (
        "orders by day",
        "CREATE INDEX orders_day ON orders (created_day)",
    ),
    (
        "order items",
        "CREATE TABLE order_items (
        order_id BIGINT NOT NULL,
        line_no BIGINT NOT NULL,
        product_id BIGINT NOT NULL,
        quantity BIGINT NOT NULL CHECK (quantity > 0),
        unit_price_minor BIGINT NOT NULL CHECK (unit_price_minor >= 0),
        PRIMARY KEY (order_id, line_no)
    )",
    ),
    (
        "order events",
        "CREATE TABLE order_events (
        order_id BIGINT NOT NULL,
        id BIGINT NOT NULL,
        from_status VARCHAR(20) NOT NULL,
        to_status VARCHAR(20) NOT NULL,
        reason VARCHAR(80) NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (order_id, id)
    )",
    ),
    (
        "outbox",
        "CREATE TABLE outbox (
        id BIGINT NOT NULL PRIMARY KEY,
        order_id BIGINT NOT NULL,
        topic VARCHAR(20) NOT NULL,
        step BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        since_ms BIGINT NOT NULL,
        available_ms BIGINT NOT NULL,
        dead BIGINT NOT NULL,
        traceparent VARCHAR(64) NOT NULL,
        reason VARCHAR(80) NOT NULL
    )",
    ),
    (
        "outbox by availability",
        "CREATE INDEX outbox_available ON outbox (dead, available_ms)",
    ),
    (
        "outbox by order",
        "CREATE INDEX outbox_order ON outbox (order_id)",
    ),
    (
        "idempotency keys",
        "CREATE TABLE idempotency (
        idem_key VARCHAR(64) NOT NULL PRIMARY KEY,
        body_hash VARCHAR(64) NOT NULL,
        order_id BIGINT NOT NULL,
        answered BIGINT NOT NULL,
        status_code BIGINT NOT NULL,
        content_type VARCHAR(80) NOT NULL,
        answer TEXT NOT NULL,
        lease_until_ms BIGINT NOT NULL,
        created_ms BIGINT NOT NULL
    )",
    ),
    (
        "idempotency keys by age",
        "CREATE INDEX idempotency_created ON idempotency (created_ms)",
    ),
    (
        "carts",
        "CREATE TABLE carts (
        owner_key VARCHAR(90) NOT NULL PRIMARY KEY,
        updated_ms BIGINT NOT NULL,
        checkout_until_ms BIGINT NOT NULL
    )",
    ),
    (
        "carts by age",
        "CREATE INDEX carts_updated ON carts (updated_ms)",
    ),
    (
        "cart items",
        "CREATE TABLE cart_items (
        owner_key VARCHAR(90) NOT NULL,
        product_id BIGINT NOT NULL,
        quantity BIGINT NOT NULL CHECK (quantity > 0),
        added_ms BIGINT NOT NULL,
        PRIMARY KEY (owner_key, product_id)
    )",
    ),
    (
        "customers",
        "CREATE TABLE customers (
        customer_id BIGINT NOT NULL PRIMARY KEY,
        orders_count BIGINT NOT NULL,
        spent_minor BIGINT NOT NULL,
        last_order_ms BIGINT NOT NULL
    )",
    ),
    (
        "customers by age",
        "CREATE INDEX customers_last ON customers (last_order_ms)",
    ),
    // What orders of before looked like: one line each, and statuses of other names.
    (
        "old lines",
        "INSERT INTO order_items (order_id, line_no, product_id, quantity, unit_price_minor) \
         SELECT id, 1, product_id, quantity, amount_minor / quantity FROM orders",
    ),
    (
        "old statuses",
        "UPDATE orders SET status = 'reserved' WHERE status = 'created'",
    ),
    (
        "old payments",
        "UPDATE orders SET status = 'reserved', paying_until_ms = 1, due_ms = 1 \
         WHERE status = 'paying'",
    ),
    (
        "old ends",
        "UPDATE orders SET reason = status, status = 'cancelled', finished_ms = created_ms \
         WHERE status IN ('rejected', 'failed')",
    ),
    (
        "old totals",
        "UPDATE orders SET subtotal_minor = amount_minor, updated_ms = created_ms",
    ),
    // The coupon that was asked for, whether or not it was good.
    (
        "orders coupon wish",
        "ALTER TABLE orders ADD COLUMN coupon_wish VARCHAR(40) NOT NULL DEFAULT ''",
    ),
    (
        "old coupon wishes",
        "UPDATE orders SET coupon_wish = coupon",
    ),
]);
