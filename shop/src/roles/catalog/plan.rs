//! Arithmetic of the warehouses: how a stock is spread over them, and what is taken from which. Pure.

use crate::market::WAREHOUSES;

/// Units in a warehouse, or from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) warehouse: String,
    pub(super) stock: i64,
}

impl Level {
    pub(super) fn of(warehouse: &str, stock: i64) -> Self {
        Self {
            warehouse: warehouse.to_owned(),
            stock,
        }
    }
}

/// Returns what each warehouse gets of a stock: even shares, the first ones get what is left over.
pub(super) fn spread(stock: i64) -> impl Iterator<Item = (&'static str, i64)> {
    let count = WAREHOUSES.len() as i64;
    let (share, over) = (stock / count, stock % count);
    (0..)
        .zip(WAREHOUSES)
        .map(move |(at, warehouse)| (warehouse, share + i64::from(at < over)))
}

/// Returns what is taken from each warehouse, in their order; `None` when all of them together have
/// too little.
pub(super) fn take(levels: &[Level], quantity: i64) -> Option<Vec<(&str, i64)>> {
    let mut missing = quantity;
    let mut taken = Vec::new();
    for level in levels {
        let units = missing.min(level.stock);
        if units > 0 {
            missing -= units;
            taken.push((level.warehouse.as_str(), units));
        }
    }
    (missing == 0).then_some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, proptest};

    use super::{Level, spread, take};

    fn levels(stocks: &[i64]) -> Vec<Level> {
        let level = |(at, stock): (usize, &i64)| Level {
            warehouse: format!("WH-{at}"),
            stock: *stock,
        };
        stocks.iter().enumerate().map(level).collect()
    }

    #[test]
    fn the_first_warehouse_is_emptied_first() {
        let levels = levels(&[4, 0, 3]);
        assert_eq!(take(&levels, 3), Some(vec![("WH-0", 3)]));
        assert_eq!(take(&levels, 6), Some(vec![("WH-0", 4), ("WH-2", 2)]));
        assert_eq!(take(&levels, 8), None);
    }

    #[test]
    fn a_stock_is_spread_evenly() {
        let shares = |stock| spread(stock).map(|(_, units)| units).collect::<Vec<_>>();
        assert_eq!(shares(10), [4, 3, 3]);
        assert_eq!(shares(2), [1, 1, 0]);
        assert_eq!(shares(0), [0, 0, 0]);
    }

    proptest! {
        #[test]
        fn exactly_the_quantity_is_taken_and_never_more_than_there_is(
            stocks in prop::collection::vec(0..50_i64, 0..5),
            quantity in 1..120_i64,
        ) {
            let levels = levels(&stocks);
            let there = stocks.iter().sum::<i64>();
            let Some(taken) = take(&levels, quantity) else {
                prop_assert!(there < quantity);
                return Ok(());
            };
            prop_assert_eq!(taken.iter().map(|(_, units)| units).sum::<i64>(), quantity);
            for (warehouse, units) in taken {
                let level = levels.iter().find(|level| level.warehouse == warehouse).unwrap();
                prop_assert!(units > 0 && units <= level.stock);
            }
        }

        #[test]
        fn nothing_is_lost_when_a_stock_is_spread(stock in 0..1_000_000_i64) {
            let shares: Vec<i64> = spread(stock).map(|(_, units)| units).collect();
            prop_assert_eq!(shares.iter().sum::<i64>(), stock);
            prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
    }
}
