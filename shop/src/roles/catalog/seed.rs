//! The products a new catalog starts with.

use super::{Catalog, products::Product};
use crate::{db::DbError, market::CURRENCY};

/// Name, price in cents and category; the id is the place in the list, from 1.
const PRODUCTS: [(&str, i64, &str); 24] = [
    ("Enamel mug", 1_290, "coffee"),
    ("Pour-over kettle", 5_900, "coffee"),
    ("Burr grinder", 8_450, "coffee"),
    ("Paper filters, 100", 790, "coffee"),
    ("Espresso beans, 1 kg", 2_490, "coffee"),
    ("Cold brew bottle", 3_350, "coffee"),
    ("Milk pitcher", 1_990, "coffee"),
    ("Cupping spoon", 1_150, "coffee"),
    ("Kitchen scale", 2_750, "kitchen"),
    ("Tea strainer", 890, "tea"),
    ("Oolong, 250 g", 1_890, "tea"),
    ("Linen apron", 4_200, "kitchen"),
    ("Cast-iron pan", 5_450, "kitchen"),
    ("Chef's knife", 11_900, "kitchen"),
    ("Cutting board", 3_690, "kitchen"),
    ("Pepper mill", 2_980, "kitchen"),
    ("Storage jar", 1_450, "kitchen"),
    ("Dish towels, 3", 1_650, "kitchen"),
    ("Wooden spoon", 690, "kitchen"),
    ("Baking tray", 1_790, "baking"),
    ("Proofing basket", 2_150, "baking"),
    ("Dough scraper", 950, "baking"),
    ("Oven thermometer", 1_590, "baking"),
    ("Recipe notebook", 1_390, "other"),
];

/// Fills an empty database; one that has products is left as it is.
pub(super) async fn products(catalog: &Catalog, stock: i64) -> Result<(), DbError> {
    let db = &catalog.db;
    let count = db.statement("select", "products", "SELECT count(*) FROM products");
    let rows = db.fetch_optional(&count, &[]).await?;
    if rows.map(|row| row.int(0)).transpose()?.unwrap_or(0) > 0 {
        return Ok(());
    }
    for (id, (name, price_minor, category)) in (1_i64..).zip(PRODUCTS) {
        let product = Product {
            id,
            name: name.to_owned(),
            price_minor,
            currency: CURRENCY.to_owned(),
            category: category.to_owned(),
            version: 1,
            stock,
        };
        catalog.insert(&product).await?;
    }
    Ok(())
}
