//! Discounts and coupons: what a subtotal costs in the end, and how often a coupon was used.
//!
//! Checking a price changes nothing. A use of a coupon is taken when the order is made, by
//! `POST /promotions/redeem`, and goes back when the order is cancelled, by
//! `POST /promotions/release`; only the shop's own roles ask for either.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{Method, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};

use self::{
    coupons::{Coupons, Taken},
    discount::{Refusal, applied},
};
use super::{Parts, Started, counted, edge::to_the_end, forgetting, payments::MOST_MINOR};
use crate::{
    config::Role,
    db::{Db, Schema},
    error::ShopError,
    http::{identity::Identity, input::Fields, problem::Problem},
    ids::now_ms,
    market::{COUNTRIES, CURRENCY, Country},
};

mod coupons;
mod discount;

const SCHEMA: Schema = Schema(&[
    (
        "coupons",
        "CREATE TABLE coupons (
            code VARCHAR(32) NOT NULL PRIMARY KEY,
            kind VARCHAR(16) NOT NULL,
            amount BIGINT NOT NULL CHECK (amount > 0),
            least_minor BIGINT NOT NULL,
            from_ms BIGINT NOT NULL,
            until_ms BIGINT NOT NULL,
            most_uses BIGINT NOT NULL,
            uses BIGINT NOT NULL CHECK (uses >= 0),
            once_an_account BIGINT NOT NULL
        )",
    ),
    (
        "redemptions",
        "CREATE TABLE redemptions (
            code VARCHAR(32) NOT NULL,
            taker BIGINT NOT NULL,
            order_id BIGINT NOT NULL,
            created_ms BIGINT NOT NULL,
            PRIMARY KEY (code, taker)
        )",
    ),
    // Which use an order took, and whether it went back; one that went back is never taken again.
    (
        "order coupons",
        "CREATE TABLE order_coupons (
            order_id BIGINT NOT NULL PRIMARY KEY,
            code VARCHAR(32) NOT NULL,
            taker BIGINT NOT NULL,
            released BIGINT NOT NULL,
            created_ms BIGINT NOT NULL
        )",
    ),
    (
        "order coupons by age",
        "CREATE INDEX order_coupons_created ON order_coupons (created_ms)",
    ),
    (
        "redemptions by age",
        "CREATE INDEX redemptions_created ON redemptions (created_ms)",
    ),
    (
        "old order coupons",
        "INSERT INTO order_coupons (order_id, code, taker, released, created_ms) \
         SELECT order_id, MIN(code), MIN(taker), 0, MIN(created_ms) FROM redemptions \
         GROUP BY order_id",
    ),
]);

/// Longest code of a coupon.
const LONGEST_CODE: usize = 32;

#[derive(Debug)]
struct Promotions {
    db: Arc<Db>,
    coupons: Coupons,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Promotions, SCHEMA).await?;
    let promotions = Arc::new(Promotions {
        coupons: Coupons::new(Arc::clone(&db)),
        db: Arc::clone(&db),
    });
    let seeded = promotions.coupons.seed().await;
    seeded.map_err(|error| ShopError::prepare(Role::Promotions, error))?;
    let router = Router::new()
        .route("/promotions/check", post(check))
        .route("/promotions/redeem", post(redeem))
        .route("/promotions/release", post(release))
        .route("/promotions/coupons/{code}", get(show))
        .with_state(Arc::clone(&promotions));
    let known = vec![
        counted(
            Method::POST,
            "/promotions/check",
            &[200, 400, 422, 500, 503],
        ),
        counted(
            Method::POST,
            "/promotions/redeem",
            &[200, 400, 404, 409, 422, 500, 503],
        ),
        counted(
            Method::POST,
            "/promotions/release",
            &[200, 400, 422, 500, 503],
        ),
        counted(
            Method::GET,
            "/promotions/coupons/{code}",
            &[200, 404, 500, 503],
        ),
    ];
    let forget = forgetting::run(Role::Promotions, move |before_ms| {
        let promotions = Arc::clone(&promotions);
        async move { promotions.coupons.forget(before_ms).await }
    });
    Ok(Started {
        role: Role::Promotions,
        router,
        routes: known,
        db: Some(db),
        background: vec![Box::pin(forget)],
    })
}

/// `POST /promotions/check`: what a subtotal costs.
async fn check(
    State(promotions): State<Arc<Promotions>>,
    identity: Identity,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let subtotal_minor = fields.whole("subtotal_minor", MOST_MINOR);
    let country = fields.optional_word("country", Country::parse, COUNTRIES);
    let code = fields.optional_text("coupon", LONGEST_CODE);
    fields.finish()?;
    let mut coupon = None;
    let mut refused = None;
    if let Some(code) = code.map(|code| code.to_ascii_uppercase()) {
        let found = promotions.coupons.find(&code).await?;
        let refusal = match &found {
            None => Some(Refusal::Unknown),
            Some(coupon) => {
                let coupons = &promotions.coupons;
                coupons
                    .refusal(coupon, subtotal_minor, identity.user)
                    .await?
            }
        };
        match refusal {
            None => coupon = found,
            Some(refusal) => refused = Some(json!({ "code": code, "reason": refusal.reason() })),
        }
    }
    let applied = applied(subtotal_minor, coupon.as_ref());
    let discount_minor: i64 = applied.iter().map(|one| one.discount_minor).sum();
    let country = country.or(identity.country).map(Country::code);
    tracing::debug!(country, subtotal_minor, discount_minor, "price checked");
    let mut answer = json!({
        "subtotal_minor": subtotal_minor,
        "discount_minor": discount_minor,
        "total_minor": subtotal_minor - discount_minor,
        "currency": CURRENCY,
        "applied": applied,
    });
    if let Some(refused) = refused {
        answer["refused"] = refused;
    }
    Ok(Json(answer))
}

/// `POST /promotions/redeem`: takes one use of a coupon for an order, once.
async fn redeem(
    State(promotions): State<Arc<Promotions>>,
    identity: Identity,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let order_id = fields.id("order_id");
    let code = fields.text("coupon", LONGEST_CODE);
    fields.finish()?;
    let db = Arc::clone(&promotions.db);
    let work = async move {
        let code = code.to_ascii_uppercase();
        let coupons = &promotions.coupons;
        let coupon = coupons
            .find(&code)
            .await?
            .ok_or_else(|| no_coupon("coupon"))?;
        // The minimum was checked when the order was priced.
        let refusal = coupon.refusal(i64::MAX, now_ms());
        let taken = match refusal {
            // Whoever took the last use asks again and is told so.
            None | Some(Refusal::UsedUp) => coupons.take(&coupon, order_id, identity.user).await?,
            Some(refusal) => Taken::Refused(refusal),
        };
        match taken {
            Taken::Now | Taken::Before => Ok(json!({ "code": code, "order_id": order_id })),
            Taken::Refused(refusal) => {
                let message = "the coupon cannot be used";
                let problem = Problem::field(StatusCode::CONFLICT, "coupon", message);
                Err(problem.because(refusal.reason()))
            }
        }
    };
    to_the_end(&db, work).await.map(Json)
}

/// `POST /promotions/release`: gives back what an order took, once. One that took nothing yet never
/// will.
async fn release(
    State(promotions): State<Arc<Promotions>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let order_id = fields.id("order_id");
    fields.finish()?;
    let db = Arc::clone(&promotions.db);
    let work = async move { Ok(promotions.coupons.release(order_id).await?) };
    let released = to_the_end(&db, work).await?;
    if released {
        tracing::info!(order_id, "coupon given back");
    }
    Ok(Json(json!({ "order_id": order_id, "released": released })))
}

/// `GET /promotions/coupons/{code}`.
async fn show(
    State(promotions): State<Arc<Promotions>>,
    Path(code): Path<String>,
) -> Result<Json<Value>, Problem> {
    let known = code.len() <= LONGEST_CODE && code.is_ascii();
    let code = code.to_ascii_uppercase();
    let coupon = if known {
        promotions.coupons.find(&code).await?
    } else {
        None
    };
    let coupon = coupon.ok_or_else(|| no_coupon("code"))?;
    let (kind, amount) = coupon.cut.parts();
    Ok(Json(json!({
        "code": coupon.code,
        "kind": kind,
        "amount": amount,
        "least_subtotal_minor": coupon.least_minor,
        "valid_from_ms": coupon.from_ms,
        "valid_until_ms": coupon.until_ms,
        "uses_left": (coupon.most_uses - coupon.uses).max(0),
        "once_an_account": coupon.once_an_account,
        "usable": coupon.refusal(i64::MAX, now_ms()).is_none(),
    })))
}

fn no_coupon(field: &str) -> Problem {
    Problem::field(StatusCode::NOT_FOUND, field, "there is no such coupon")
}
