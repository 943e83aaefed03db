//! Reading products: lists by page, search and category, and one by its id.

use std::sync::Arc;

use serde_json::{Value, json};

use super::shelf::{Shelf, Shelved};
use crate::{
    cache::Caches,
    db::{Db, DbError, Param, Row, Statement},
    http::query::Page,
};

/// The columns of a product, as [`Product::read`] takes them.
macro_rules! columns {
    () => {
        "p.id, p.name, p.price_minor, p.currency, p.category, p.version, \
         (SELECT COALESCE(SUM(i.stock), 0) FROM inventory i WHERE i.product_id = p.id)"
    };
}

/// What is left of the table for a search; an empty category is any.
macro_rules! wanted {
    () => {
        "FROM products p WHERE p.deleted_ms = 0 AND (? = '' OR p.category = ?) \
         AND lower(p.name) LIKE ? ESCAPE '!'"
    };
}

/// Which products a list is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) page: Page,
    /// Part of the name, whatever the case.
    pub(super) name: String,
    /// Empty for any.
    pub(super) category: String,
}

impl Search {
    fn key(&self) -> String {
        let Page { limit, offset } = self.page;
        format!("products:{limit}:{offset}:{}:{}", self.category, self.name)
    }

    /// Returns the pattern for LIKE; what the client wrote means itself.
    fn pattern(&self) -> String {
        let mut pattern = String::from("%");
        for letter in self.name.to_lowercase().chars() {
            if matches!(letter, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(letter);
        }
        pattern.push('%');
        pattern
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) price_minor: i64,
    pub(super) currency: String,
    pub(super) category: String,
    /// Rises with each change, so that nobody overwrites what they have not seen.
    pub(super) version: i64,
    /// Units in all warehouses.
    pub(super) stock: i64,
}

impl Product {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.int(0)?,
            name: row.text(1)?,
            price_minor: row.int(2)?,
            currency: row.text(3)?,
            category: row.text(4)?,
            version: row.int(5)?,
            stock: row.int(6)?,
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "price_minor": self.price_minor,
            "currency": self.currency,
            "category": self.category,
            "version": self.version,
            "stock": self.stock,
        })
    }

    fn to_body(&self) -> String {
        self.to_json().to_string()
    }
}

/// The products of the database and of the cache before it.
#[derive(Debug)]
pub(super) struct Products {
    pub(super) shelf: Shelf,
    db: Arc<Db>,
    list: Statement,
    count: Statement,
    one: Statement,
}

impl Products {
    pub(super) fn new(db: Arc<Db>, caches: &Caches) -> Self {
        let select = |sql| db.statement("select", "products", sql);
        Self {
            shelf: Shelf::new(caches),
            list: select(concat!(
                "SELECT ",
                columns!(),
                " ",
                wanted!(),
                " ORDER BY p.id LIMIT ? OFFSET ?"
            )),
            count: select(concat!("SELECT count(*) ", wanted!())),
            one: select(concat!(
                "SELECT ",
                columns!(),
                " FROM products p WHERE p.id = ? AND p.deleted_ms = 0"
            )),
            db,
        }
    }

    /// Returns a page of products, perhaps a stale one.
    pub(super) async fn page(&self, search: &Search) -> Result<Shelved, DbError> {
        let load = async || self.load_page(search).await.map(Some);
        let found = self.shelf.through(&search.key(), load).await?;
        // A page is never missing: it may be empty.
        Ok(found.unwrap_or_else(|| Shelved {
            body: String::new(),
            stale: false,
        }))
    }

    async fn load_page(&self, search: &Search) -> Result<String, DbError> {
        let Page { limit, offset } = search.page;
        let pattern = search.pattern();
        let category = search.category.as_str();
        let wanted: [Param<'_>; 3] = [category.into(), category.into(), pattern.as_str().into()];
        let mut paged = wanted.to_vec();
        paged.extend([limit.into(), offset.into()]);
        let rows = self.db.fetch_all(&self.list, &paged).await?;
        let products = rows.iter().map(|row| Ok(Product::read(row)?.to_json()));
        let products = products.collect::<Result<Vec<_>, sqlx::Error>>()?;
        // A page that is not full tells how many there are.
        let shown = products.len() as i64;
        let total = if shown < limit && (shown > 0 || offset == 0) {
            offset + shown
        } else {
            let counted = self.db.fetch_optional(&self.count, &wanted).await?;
            counted.map(|row| row.int(0)).transpose()?.unwrap_or(0)
        };
        let page = json!({
            "products": products,
            "total": total,
            "limit": limit,
            "offset": offset,
        });
        Ok(page.to_string())
    }

    /// Returns a product's answer, perhaps a stale one.
    pub(super) async fn show(&self, id: i64) -> Result<Option<Shelved>, DbError> {
        let load = async || Ok(self.load(id).await?.map(|product| product.to_body()));
        self.shelf.through(&key(id), load).await
    }

    /// Reads a product from the database.
    pub(super) async fn load(&self, id: i64) -> Result<Option<Product>, DbError> {
        let row = self.db.fetch_optional(&self.one, &[id.into()]).await?;
        Ok(row.as_ref().map(Product::read).transpose()?)
    }

    /// Takes note of what a product is now.
    pub(super) async fn keep(&self, product: &Product) {
        self.shelf.put(&key(product.id), &product.to_body()).await;
    }

    /// Takes note that a product is gone.
    pub(super) async fn forget(&self, id: i64) {
        self.shelf.remove(&key(id)).await;
    }
}

fn key(id: i64) -> String {
    format!("product:{id}")
}

#[cfg(test)]
mod tests {
    use super::Search;
    use crate::http::query::Page;

    #[test]
    fn a_search_means_what_was_written() {
        let search = Search {
            page: Page {
                limit: 1,
                offset: 0,
            },
            name: "100% Milk_!".to_owned(),
            category: String::new(),
        };
        assert_eq!(search.pattern(), "%100!% milk!_!!%");
    }
}
