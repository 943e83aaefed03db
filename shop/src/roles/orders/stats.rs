//! What was sold: figures for the people who run the shop.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Orders, store::MS_A_DAY};
use crate::{
    db::{Db, Row, Statement},
    http::{identity::Admin, problem::Problem, query::Params},
    ids::now_ms,
};

const MOST_DAYS: i64 = 366;
const USUAL_DAYS: i64 = 30;

/// The statements of the figures.
#[derive(Debug)]
pub(super) struct Stats {
    by_day: Statement,
    by_country: Statement,
    by_status: Statement,
    products: Statement,
}

/// Makes a statement that counts orders, and adds up the money of those that are paid, by a column.
macro_rules! sales_by {
    ($db:expr, $column:literal) => {
        $db.statement(
            "select",
            "orders",
            concat!(
                "SELECT ",
                $column,
                ", COUNT(*), COALESCE(SUM(CASE WHEN status IN ('paid', 'shipped', 'delivered') \
                 THEN amount_minor ELSE 0 END), 0) FROM orders WHERE created_day >= ? GROUP BY ",
                $column,
                " ORDER BY ",
                $column
            ),
        )
    };
}

impl Stats {
    pub(super) fn new(db: &Db) -> Self {
        Self {
            by_day: sales_by!(db, "created_day"),
            by_country: sales_by!(db, "country"),
            by_status: sales_by!(db, "status"),
            products: db.statement(
                "select",
                "order_items",
                "SELECT i.product_id, COUNT(*), COALESCE(SUM(i.quantity), 0) AS units, \
                 COALESCE(SUM(i.quantity * i.unit_price_minor), 0) \
                 FROM order_items i JOIN orders o ON o.id = i.order_id \
                 WHERE o.created_day >= ? AND o.status IN ('paid', 'shipped', 'delivered') \
                 GROUP BY i.product_id ORDER BY units DESC, i.product_id LIMIT ?",
            ),
        }
    }
}

/// `GET /admin/stats/sales?days`: orders and revenue of the last days, today among them.
pub(super) async fn sales(
    State(orders): State<Arc<Orders>>,
    _admin: Admin,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let (days, first) = span(&params)?;
    let db = &orders.store.db;
    let stats = &orders.stats;
    let by_day = db.fetch_all(&stats.by_day, &[first.into()]).await?;
    let by_country = db.fetch_all(&stats.by_country, &[first.into()]).await?;
    let by_status = db.fetch_all(&stats.by_status, &[first.into()]).await?;
    let sum = |column| {
        let numbers = by_status.iter().map(|row| row.int(column));
        numbers.sum::<Result<i64, sqlx::Error>>()
    };
    Ok(Json(json!({
        "days": days,
        "orders": sum(1)?,
        "revenue_minor": sum(2)?,
        "by_day": figures(&by_day, "day", |row| Ok(date(row.int(0)?)))?,
        "by_country": figures(&by_country, "country", |row| row.text(0))?,
        "by_status": figures(&by_status, "status", |row| row.text(0))?,
    })))
}

/// `GET /admin/stats/products?days&limit`: what sold best.
pub(super) async fn products(
    State(orders): State<Arc<Orders>>,
    _admin: Admin,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let (days, first) = span(&params)?;
    let limit = params.page()?.limit;
    let params = [first.into(), limit.into()];
    let rows = orders
        .store
        .db
        .fetch_all(&orders.stats.products, &params)
        .await?;
    let product = |row: &Row| {
        Ok(json!({
            "product_id": row.int(0)?,
            "orders": row.int(1)?,
            "units": row.int(2)?,
            "revenue_minor": row.int(3)?,
        }))
    };
    let products: Result<Vec<Value>, sqlx::Error> = rows.iter().map(product).collect();
    Ok(Json(json!({ "days": days, "products": products? })))
}

/// Reads how many days are asked for; returns them and the first one.
fn span(params: &Params) -> Result<(i64, i64), Problem> {
    let days = params.whole("days", 1..=MOST_DAYS)?.unwrap_or(USUAL_DAYS);
    Ok((days, now_ms() / MS_A_DAY - days + 1))
}

fn figures(
    rows: &[Row],
    name: &str,
    by: impl Fn(&Row) -> Result<String, sqlx::Error>,
) -> Result<Vec<Value>, sqlx::Error> {
    let figure = |row: &Row| {
        Ok(json!({ name: by(row)?, "orders": row.int(1)?, "revenue_minor": row.int(2)? }))
    };
    rows.iter().map(figure).collect()
}

/// Writes a day as `2026-01-31`.
fn date(day: i64) -> String {
    let since = Duration::from_millis(u64::try_from(day * MS_A_DAY).unwrap_or_default());
    let mut text = humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string();
    text.truncate("2026-01-31".len());
    text
}
