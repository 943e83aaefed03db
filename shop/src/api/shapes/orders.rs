//! Carts, orders, payments, and what admins see of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A cart, as it is after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartContents {
    /// What lies in it.
    pub items: Vec<CartItem>,
    /// Units in all.
    pub units: i64,
    /// Currency of the prices.
    pub currency: String,
}

/// Units of a product in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartItem {
    /// Which product.
    pub product_id: i64,
    /// How many.
    pub quantity: i64,
}

/// A cart with the prices of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cart {
    /// What lies in it.
    pub items: Vec<PricedItem>,
    /// Units in all.
    pub units: i64,
    /// Currency of the prices.
    pub currency: String,
    /// Sum of the lines; null while a price cannot be told.
    pub subtotal_minor: Option<i64>,
}

/// Units of a product in a cart, with its price of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PricedItem {
    /// Which product.
    pub product_id: i64,
    /// How many.
    pub quantity: i64,
    /// What it is called; null while that cannot be told.
    pub name: Option<String>,
    /// Price of one unit; null while that cannot be told.
    pub unit_price_minor: Option<i64>,
}

/// Units of a product for a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewCartItem {
    /// Which product.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1)]
    pub product_id: i64,
    /// How many.
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: i64,
}

/// How many units there are to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quantity {
    /// How many.
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: i64,
}

/// How a cart is to be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkout {
    /// `card`, `wallet` or `transfer`; `card` when left out.
    #[schema(pattern = "^(card|wallet|transfer)$", example = "card")]
    pub method: Option<String>,
    /// Code of a coupon, whatever the case.
    #[schema(min_length = 1, max_length = 32, example = "WELCOME10")]
    pub coupon: Option<String>,
}

/// An order of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewOrder {
    /// Who buys.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 7)]
    pub customer_id: i64,
    /// What.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1)]
    pub product_id: i64,
    /// How many.
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: i64,
}

/// An order that was taken and can be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatedOrder {
    /// Its id.
    pub order_id: i64,
    /// `reserved`.
    pub status: String,
    /// What it costs.
    pub total_minor: i64,
    /// The same.
    pub amount: i64,
    /// Currency of the amounts.
    pub currency: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its id.
    pub order_id: i64,
    /// Who bought.
    pub customer_id: i64,
    /// Where.
    pub country: String,
    /// `pending`, `reserved`, `paid`, `shipped`, `delivered`, `cancelled` or `payment_failed`.
    pub status: String,
    /// Sum of the lines.
    pub subtotal_minor: i64,
    /// What was taken off.
    pub discount_minor: i64,
    /// What it costs.
    pub total_minor: i64,
    /// The same.
    pub amount: i64,
    /// Currency of the amounts.
    pub currency: String,
    /// When it was made.
    pub created_ms: i64,
    /// When it last changed.
    pub updated_ms: i64,
    /// The account that bought, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_id: Option<i64>,
    /// Why it is as it is, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The coupon that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub coupon: Option<String>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paid_ms: Option<i64>,
    /// Its lines; lists leave them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub items: Option<Vec<OrderLine>>,
    /// Of an order with one line, its product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub product_id: Option<i64>,
    /// Of an order with one line, its units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub quantity: Option<i64>,
    /// What became of it; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub events: Option<Vec<OrderEvent>>,
    /// Of a checkout, the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub payment_id: Option<i64>,
    /// Of a checkout: `applied`, `none`, or `unavailable` when discounts could not be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub promotions: Option<String>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// Which product.
    pub product_id: i64,
    /// How many.
    pub quantity: i64,
    /// Price of one unit.
    pub unit_price_minor: i64,
}

/// A change of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderEvent {
    /// The status before; empty for the first one.
    pub from: String,
    /// The status after.
    pub to: String,
    /// Why, in a word; may be empty.
    pub reason: String,
    /// When.
    pub at_ms: i64,
}

/// Some of the orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPage {
    /// The orders, newest first.
    pub orders: Vec<Order>,
    /// How many there are in all.
    pub total: i64,
    /// Most that were asked for.
    pub limit: i64,
    /// How many were skipped.
    pub offset: i64,
}

/// What is to become of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderStatusChange {
    /// `shipped`, `delivered` or `cancelled`.
    #[schema(pattern = "^(shipped|delivered|cancelled)$", example = "shipped")]
    pub status: String,
}

/// A payment to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewPayment {
    /// Of which order.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub order_id: i64,
    /// What the order is expected to cost.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub amount: Option<i64>,
    /// `card`, `wallet` or `transfer`; `card` when left out.
    #[schema(pattern = "^(card|wallet|transfer)$", example = "card")]
    pub method: Option<String>,
}

/// A payment that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// Of which order.
    pub order_id: i64,
    /// Its id.
    pub payment_id: i64,
    /// How much was taken.
    pub amount: i64,
    /// Currency of the amount.
    pub currency: String,
    /// `paid`.
    pub status: String,
}

/// What was sold, day by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sales {
    /// How many days are told, today among them.
    pub days: i64,
    /// Orders in all.
    pub orders: i64,
    /// Money taken.
    pub revenue_minor: i64,
    /// By day, in UTC.
    pub by_day: Vec<DaySales>,
    /// By country.
    pub by_country: Vec<CountrySales>,
    /// By status.
    pub by_status: Vec<StatusSales>,
}

/// What was sold on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DaySales {
    /// `2026-11-28`.
    pub day: String,
    /// Orders.
    pub orders: i64,
    /// Money taken.
    pub revenue_minor: i64,
}

/// What was sold in a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountrySales {
    /// Its code.
    pub country: String,
    /// Orders.
    pub orders: i64,
    /// Money taken.
    pub revenue_minor: i64,
}

/// Orders of a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusSales {
    /// Which status.
    pub status: String,
    /// Orders.
    pub orders: i64,
    /// Money taken.
    pub revenue_minor: i64,
}

/// What sold best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BestSellers {
    /// How many days are told, today among them.
    pub days: i64,
    /// The products, the one that sold most units first.
    pub products: Vec<ProductSales>,
}

/// What was sold of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductSales {
    /// Which product.
    pub product_id: i64,
    /// Orders it was in.
    pub orders: i64,
    /// Units.
    pub units: i64,
    /// Money taken for it.
    pub revenue_minor: i64,
}
