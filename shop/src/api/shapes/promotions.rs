//! Discounts and coupons.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A subtotal whose price is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceQuestion {
    /// Sum of the lines.
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 25_000)]
    pub subtotal_minor: i64,
    /// US, UK, DE, FR, JP, BR or IN.
    #[schema(pattern = "^(US|UK|DE|FR|JP|BR|IN)$", example = "DE")]
    pub country: Option<String>,
    /// Code of a coupon, whatever the case.
    #[schema(min_length = 1, max_length = 32, example = "WELCOME10")]
    pub coupon: Option<String>,
}

/// What a subtotal costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Sum of the lines.
    pub subtotal_minor: i64,
    /// What is taken off.
    pub discount_minor: i64,
    /// What is left to pay.
    pub total_minor: i64,
    /// Currency of the amounts.
    pub currency: String,
    /// What took something off.
    pub applied: Vec<Discount>,
    /// The coupon that takes nothing off, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refused: Option<RefusedCoupon>,
}

/// Something that was taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// The coupon's code, or the name of the tier.
    pub code: String,
    /// How much.
    pub discount_minor: i64,
}

/// A coupon that takes nothing off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedCoupon {
    /// Its code.
    pub code: String,
    /// Why, in a word.
    pub reason: String,
}

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Coupon {
    /// Its code.
    pub code: String,
    /// `percent` or `fixed`.
    pub kind: String,
    /// Percent, or an amount.
    pub amount: i64,
    /// Least subtotal it can be used with.
    pub least_subtotal_minor: i64,
    /// From when it is good.
    pub valid_from_ms: i64,
    /// Until when it is good.
    pub valid_until_ms: i64,
    /// How often it can still be used.
    pub uses_left: i64,
    /// Whether each account can use it only once.
    pub once_an_account: bool,
    /// Whether it can be used now.
    pub usable: bool,
}
