//! Takes money, or declines to: a seeded share of the attempts, which is a 402 and no failure.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::{Method as HttpMethod, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{Parts, Started, counted, edge::to_the_end};
use crate::{
    config::Role,
    db::{Db, Schema, Statement},
    draw::Draw,
    error::ShopError,
    http::{input::Fields, problem::Problem},
    ids::{Ids, now_ms},
    market::{CURRENCY, Country, Method},
};

const SCHEMA: Schema = Schema(&[(
    "payments",
    "CREATE TABLE payments (
        id BIGINT PRIMARY KEY,
        order_id BIGINT NOT NULL,
        amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
        currency TEXT NOT NULL,
        country TEXT NOT NULL,
        method TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        created_ms BIGINT NOT NULL
    )",
)]);

/// Largest amount of one payment, in cents.
pub(super) const MOST_MINOR: i64 = 1_000_000_000;
/// Share of payments that are declined unless the configuration says another.
const DECLINE_SHARE: f64 = 0.05;
const REASONS: [&str; 4] = [
    "insufficient_funds",
    "card_expired",
    "limit_exceeded",
    "suspected_fraud",
];

#[derive(Debug)]
struct Payments {
    db: Arc<Db>,
    record: Statement,
    ids: Ids,
    seed: u64,
    decline_share: f64,
    attempts: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Payment {
    order_id: i64,
    amount_minor: i64,
    country: Country,
    method: Method,
}

pub(super) async fn start(parts: Parts<'_>) -> Result<Started, ShopError> {
    let db = parts.database(Role::Payments, SCHEMA).await?;
    let payments = Payments {
        record: db.statement(
            "insert",
            "payments",
            "INSERT INTO payments (id, order_id, amount_minor, currency, country, method, status, \
             reason, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ),
        db: Arc::clone(&db),
        ids: Ids::default(),
        seed: parts.config.seed,
        decline_share: parts.config.decline_share.unwrap_or(DECLINE_SHARE),
        attempts: AtomicU64::new(0),
    };
    let router = Router::new()
        .route("/payment/pay", post(pay))
        .with_state(Arc::new(payments));
    let known = vec![counted(
        HttpMethod::POST,
        "/payment/pay",
        &[200, 400, 402, 422, 500, 503],
    )];
    Ok(Started {
        role: Role::Payments,
        router,
        routes: known,
        db: Some(db),
        background: Vec::new(),
    })
}

async fn pay(
    State(payments): State<Arc<Payments>>,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let order_id = fields.id("order_id");
    let amount_minor = fields.whole("amount", MOST_MINOR);
    let country = fields.optional_word("country", Country::parse, "US, UK, DE, FR, JP, BR, IN");
    let method = fields.optional_word("method", Method::parse, "card, wallet, transfer");
    fields.finish()?;
    let payment = Payment {
        order_id,
        amount_minor,
        country: country.unwrap_or(Country::Us),
        method: method.unwrap_or(Method::Card),
    };
    let span = info_span!(
        "PayOrder",
        service = Role::Payments.name(),
        order_id,
        amount_minor,
        method = payment.method.name(),
        declined = Empty,
    );
    let db = Arc::clone(&payments.db);
    let work = async move { payments.attempt(payment).await };
    to_the_end(&db, work).instrument(span).await.map(Json)
}

impl Payments {
    async fn attempt(&self, payment: Payment) -> Result<Value, Problem> {
        let declined = self.decline();
        let id = self.ids.next();
        let status = if declined.is_some() {
            "declined"
        } else {
            "succeeded"
        };
        let params = [
            id.into(),
            payment.order_id.into(),
            payment.amount_minor.into(),
            CURRENCY.into(),
            payment.country.code().into(),
            payment.method.name().into(),
            status.into(),
            declined.unwrap_or_default().into(),
            now_ms().into(),
        ];
        self.db.execute(&self.record, &params).await?;
        match declined {
            None => Ok(json!({ "payment_id": id, "order_id": payment.order_id, "status": status })),
            Some(reason) => {
                Span::current().record("declined", reason);
                let detail = "the payment was declined; try another way to pay";
                Err(Problem::new(StatusCode::PAYMENT_REQUIRED, detail).because(reason))
            }
        }
    }

    /// Draws by lot whether this attempt is declined, and why.
    fn decline(&self) -> Option<&'static str> {
        let n = self.attempts.fetch_add(1, Ordering::Relaxed);
        let mut draw = Draw::new(self.seed, n);
        let declined = draw.unit() < self.decline_share;
        declined.then(|| REASONS[draw.below(REASONS.len() as u64) as usize])
    }
}
