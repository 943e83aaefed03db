//! An order as it stands in the database and as clients see it.

use serde_json::{Value, json};

use super::{money::Priced, status::Status};
use crate::{db::Row, http::identity::Identity, market::Country, telemetry::business::Segment};

/// The columns of an order, in the order in which [`Order::read`] reads them.
macro_rules! order_columns {
    () => {
        "id, customer_id, user_id, session_id, country, currency, status, reason, subtotal_minor, \
         discount_minor, amount_minor, coupon, attempt, paying_until_ms, from_cart, paid_ms, \
         created_ms, updated_ms"
    };
}
pub(super) use order_columns;

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) customer_id: i64,
    pub(super) buyer: Buyer,
    pub(super) country: Country,
    pub(super) currency: String,
    pub(super) status: Status,
    /// Why it stands where it stands; empty when nothing went wrong.
    pub(super) reason: String,
    pub(super) subtotal_minor: i64,
    pub(super) discount_minor: i64,
    pub(super) total_minor: i64,
    pub(super) coupon: String,
    /// The number of the payment that is under way, or comes next.
    pub(super) attempt: i64,
    /// Until when a payment holds the order; 0 when there is none.
    pub(super) paying_until_ms: i64,
    pub(super) from_cart: bool,
    /// Where the customer belongs, if somebody asked; not a column.
    pub(super) segment: Option<Segment>,
    pub(super) paid_ms: i64,
    pub(super) created_ms: i64,
    pub(super) updated_ms: i64,
}

/// Who made an order: an account, or a visit without one, or nobody who said so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Buyer {
    pub(super) user: Option<i64>,
    pub(super) session: Option<String>,
}

impl Buyer {
    pub(super) fn of(identity: &Identity) -> Self {
        Self {
            user: identity.user,
            session: identity.session.clone(),
        }
    }

    /// Returns the key of this buyer's cart; an account has one cart, whatever it is used through.
    pub(super) fn cart_key(&self) -> Option<String> {
        let user = self.user.map(|user| format!("u:{user}"));
        user.or_else(|| self.session.as_ref().map(|session| format!("s:{session}")))
    }
}

/// One product of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: i64,
    pub(super) product_id: i64,
    pub(super) quantity: i64,
    /// 0 until the stock is held.
    pub(super) unit_price_minor: i64,
}

impl Line {
    pub(super) fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            number: row.int(0)?,
            product_id: row.int(1)?,
            quantity: row.int(2)?,
            unit_price_minor: row.int(3)?,
        })
    }

    /// Returns what the catalog knows the deduction for this line by.
    pub(super) fn reservation(self, order_id: i64) -> String {
        format!("{order_id}-{}", self.number)
    }

    pub(super) fn priced(self) -> Priced {
        Priced {
            unit_price_minor: self.unit_price_minor,
            quantity: self.quantity,
        }
    }
}

impl Order {
    pub(super) fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let customer_id = row.int(1)?;
        let session = row.text(3)?;
        let status = row.text(6)?;
        Ok(Self {
            id: row.int(0)?,
            customer_id,
            buyer: Buyer {
                user: Some(row.int(2)?).filter(|user| *user != 0),
                session: Some(session).filter(|session| !session.is_empty()),
            },
            country: Country::parse(&row.text(4)?)
                .unwrap_or_else(|| Country::of_customer(customer_id)),
            currency: row.text(5)?,
            status: Status::parse(&status)
                .ok_or_else(|| sqlx::Error::Decode(format!("order status {status:?}").into()))?,
            reason: row.text(7)?,
            subtotal_minor: row.int(8)?,
            discount_minor: row.int(9)?,
            total_minor: row.int(10)?,
            coupon: row.text(11)?,
            attempt: row.int(12)?,
            paying_until_ms: row.int(13)?,
            from_cart: row.int(14)? != 0,
            segment: None,
            paid_ms: row.int(15)?,
            created_ms: row.int(16)?,
            updated_ms: row.int(17)?,
        })
    }

    /// Tells whether `identity` may see and change the order. One without an account is known to
    /// whoever knows its id.
    pub(super) fn is_open_to(&self, identity: &Identity) -> bool {
        identity.admin || self.buyer.user.is_none() || self.buyer.user == identity.user
    }

    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({
            "order_id": self.id,
            "customer_id": self.customer_id,
            "country": self.country.code(),
            "status": self.status.name(),
            "subtotal_minor": self.subtotal_minor,
            "discount_minor": self.discount_minor,
            "total_minor": self.total_minor,
            "amount": self.total_minor,
            "currency": self.currency,
            "created_ms": self.created_ms,
            "updated_ms": self.updated_ms,
        });
        if let Some(user) = self.buyer.user {
            json["user_id"] = user.into();
        }
        for (name, text) in [("reason", &self.reason), ("coupon", &self.coupon)] {
            if !text.is_empty() {
                json[name] = text.as_str().into();
            }
        }
        if self.paid_ms > 0 {
            json["paid_ms"] = self.paid_ms.into();
        }
        json
    }

    /// Adds the lines; an order of one line shows it as orders of before did, too.
    pub(super) fn to_json_with(&self, lines: &[Line]) -> Value {
        let mut json = self.to_json();
        let item = |line: &Line| {
            json!({
                "product_id": line.product_id,
                "quantity": line.quantity,
                "unit_price_minor": line.unit_price_minor,
            })
        };
        json["items"] = lines.iter().map(item).collect();
        if let [line] = lines {
            json["product_id"] = line.product_id.into();
            json["quantity"] = line.quantity.into();
        }
        json
    }
}
