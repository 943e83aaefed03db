//! The products a new catalog starts with.

use crate::{
    db::{Db, DbError},
    market::CURRENCY,
};

/// Name and price in cents; the id is the place in the list, from 1.
const PRODUCTS: [(&str, i64); 24] = [
    ("Enamel mug", 1_290),
    ("Pour-over kettle", 5_900),
    ("Burr grinder", 8_450),
    ("Paper filters, 100", 790),
    ("Espresso beans, 1 kg", 2_490),
    ("Cold brew bottle", 3_350),
    ("Milk pitcher", 1_990),
    ("Cupping spoon", 1_150),
    ("Kitchen scale", 2_750),
    ("Tea strainer", 890),
    ("Oolong, 250 g", 1_890),
    ("Linen apron", 4_200),
    ("Cast-iron pan", 5_450),
    ("Chef's knife", 11_900),
    ("Cutting board", 3_690),
    ("Pepper mill", 2_980),
    ("Storage jar", 1_450),
    ("Dish towels, 3", 1_650),
    ("Wooden spoon", 690),
    ("Baking tray", 1_790),
    ("Proofing basket", 2_150),
    ("Dough scraper", 950),
    ("Oven thermometer", 1_590),
    ("Recipe notebook", 1_390),
];

/// Fills an empty database; one that has products is left as it is.
pub(super) async fn products(db: &Db, stock: i64) -> Result<(), DbError> {
    let count = db.statement("select", "products", "SELECT count(*) FROM products");
    let rows = db.fetch_optional(&count, &[]).await?;
    if rows.map(|row| row.int(0)).transpose()?.unwrap_or(0) > 0 {
        return Ok(());
    }
    let product = db.statement(
        "insert",
        "products",
        "INSERT INTO products (id, name, price_minor, currency) VALUES (?, ?, ?, ?)",
    );
    let units = db.statement(
        "insert",
        "inventory",
        "INSERT INTO inventory (product_id, stock) VALUES (?, ?)",
    );
    for (id, (name, price_minor)) in (1_i64..).zip(PRODUCTS) {
        let params = [id.into(), name.into(), price_minor.into(), CURRENCY.into()];
        db.execute(&product, &params).await?;
        db.execute(&units, &[id.into(), stock.into()]).await?;
    }
    Ok(())
}
