//! The stock of each product as a gauge, for so many products and no more.
//!
//! Products are made by people, so their number has no bound of its own; a label set needs one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::catalogue;

/// Products that are shown, in the order they came.
const MOST_PRODUCTS: usize = 1_000;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProductLabel {
    product_id: i64,
}

/// The gauges of a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct StockLevels {
    levels: Family<ProductLabel, Gauge>,
    /// The turn in which each product was shown last.
    shown: Arc<Mutex<BTreeMap<i64, u64>>>,
}

impl StockLevels {
    pub(crate) fn register(&self, registry: &mut Registry) {
        catalogue::INVENTORY_LEVEL.register(registry, self.levels.clone());
    }

    /// Shows the units of a product as they were in a turn; of one beyond the bound nothing is shown.
    /// Returns false when a later turn was shown before: those who change a stock at the same time
    /// come here in any order.
    pub(crate) fn set(&self, product_id: i64, units: i64, turn: u64) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let last = shown.get(&product_id).copied();
        if last.is_some_and(|last| last > turn) {
            return false;
        }
        if last.is_none() && shown.len() >= MOST_PRODUCTS {
            return true;
        }
        shown.insert(product_id, turn);
        self.levels
            .get_or_create_owned(&ProductLabel { product_id })
            .set(units);
        true
    }

    /// Shows a product no longer.
    pub(crate) fn remove(&self, product_id: i64) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.remove(&product_id).is_some() {
            self.levels.remove(&ProductLabel { product_id });
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text, registry::Registry};

    use super::{MOST_PRODUCTS, StockLevels};

    #[test]
    fn there_are_never_more_series_than_the_bound() {
        let levels = StockLevels::default();
        let mut registry = Registry::default();
        levels.register(&mut registry);
        for id in 0..2 * MOST_PRODUCTS as i64 {
            assert!(levels.set(id, 1, 1));
        }
        levels.remove(0);
        assert!(levels.set(5_000, 7, 3));
        assert!(!levels.set(5_000, 8, 2), "it was turn 3 already");
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        assert_eq!(text.matches("product_id=").count(), MOST_PRODUCTS);
        assert!(text.contains("inventory_level{product_id=\"5000\"} 7\n"));
        assert!(!text.contains("inventory_level{product_id=\"0\"}"));
    }
}
