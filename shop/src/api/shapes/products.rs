//! Products and their stock.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A product on sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its id.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Price of one unit.
    pub price_minor: i64,
    /// Currency of the price.
    pub currency: String,
    /// Where it is found in the shop.
    pub category: String,
    /// Rises with each change.
    pub version: i64,
    /// Units in all warehouses.
    pub stock: i64,
}

/// Some of the products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductPage {
    /// The products, by id.
    pub products: Vec<Product>,
    /// How many there are in all.
    pub total: i64,
    /// Most that were asked for.
    pub limit: i64,
    /// How many were skipped.
    pub offset: i64,
}

/// A product to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewProduct {
    /// What it is called.
    #[schema(min_length = 1, max_length = 120, example = "Copper kettle")]
    pub name: String,
    /// Price of one unit.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub price_minor: i64,
    /// Where it is found in the shop; `other` when left out.
    #[schema(min_length = 1, max_length = 40, example = "kitchen")]
    pub category: Option<String>,
    /// Units in the first warehouse; none when left out.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub stock: Option<i64>,
}

/// What is to change about a product; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductChange {
    /// What it is called.
    #[schema(min_length = 1, max_length = 120, example = "Copper kettle")]
    pub name: Option<String>,
    /// Price of one unit.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub price_minor: Option<i64>,
    /// Where it is found in the shop.
    #[schema(min_length = 1, max_length = 40, example = "kitchen")]
    pub category: Option<String>,
    /// The version that was seen; when it is another by now, nothing changes.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
}

/// The stock of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Whose stock it is.
    pub product_id: i64,
    /// Units in the warehouses listed.
    pub total: i64,
    /// Units by warehouse.
    pub warehouses: Vec<WarehouseStock>,
}

/// The stock of a product in one warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseStock {
    /// `WH-001` to `WH-003`.
    pub warehouse_id: String,
    /// Units there.
    pub stock: i64,
}

/// What a warehouse is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockChange {
    /// `WH-001` to `WH-003`.
    #[schema(example = "WH-001", pattern = "^WH-00[123]$")]
    pub warehouse_id: String,
    /// Units there from now on.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub stock: i64,
}

/// Units to be taken out of the stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deduction {
    /// Of what.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, example = 1)]
    pub product_id: i64,
    /// How many.
    #[schema(minimum = 1, maximum = 100)]
    pub quantity: i64,
    /// Name of the deduction: the same one again takes nothing more.
    #[schema(min_length = 1, max_length = 80, example = "till-7-0001")]
    pub reservation: Option<String>,
}

/// Units that were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deducted {
    /// Of what.
    pub product_id: i64,
    /// How many.
    pub quantity: i64,
    /// Units that are left in all warehouses.
    pub remaining: i64,
    /// Price of one unit.
    pub unit_price_minor: i64,
    /// Currency of the price.
    pub currency: String,
}
