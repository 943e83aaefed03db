//! Aggregations that fold a group into one value as its rows come by.
//!
//! Rows are the outer loop, steps the inner one: the order of additions at each step is that of
//! the rows, and values are read as they lie in memory.

use super::{Grouped, sums};
use crate::engine::Profile;
use crate::engine::context::Context;
use crate::engine::grid::{absent, is_absent};
use crate::engine::rows::Rows;
use crate::query::ast::{Aggregate, Aggregator};
use crate::sum::{Mean, Sum};

pub(super) fn fold(context: &Context<'_>, aggregate: &Aggregate, rows: &Rows) -> Rows {
    let grouped = Grouped::of(aggregate, rows);
    let profile = context.options.profile;
    let values = match aggregate.operator {
        Aggregator::Sum if profile == Profile::V3_5 => sums::sums(&grouped, rows),
        Aggregator::Count => sums::counts(&grouped, rows),
        operator => one_by_one(operator, profile, &grouped, rows),
    };
    grouped.into_rows(rows.steps(), &values)
}

fn one_by_one(operator: Aggregator, profile: Profile, grouped: &Grouped, rows: &Rows) -> Vec<f64> {
    let steps = rows.steps();
    let mut values = Vec::with_capacity(grouped.heads.len() * steps);
    let mut folds: Vec<Option<Fold>> = Vec::new();
    for members in grouped.members() {
        folds.clear();
        folds.resize_with(steps, || None);
        for row in members {
            for (fold, value) in folds.iter_mut().zip(rows.row(row)) {
                if is_absent(*value) {
                    continue;
                }
                match fold {
                    Some(fold) => fold.add(*value),
                    None => *fold = Some(Fold::new(operator, profile, *value)),
                }
            }
        }
        values.extend(
            folds
                .drain(..)
                .map(|fold| fold.map_or_else(absent, Fold::value)),
        );
    }
    values
}

enum Fold {
    Sum(Sum),
    /// Before 2.54 sums were not compensated.
    PlainSum(f64),
    Mean(Mean),
    Count(f64),
    One,
    Min(f64),
    Max(f64),
    Spread {
        spread: Spread,
        root: bool,
    },
}

impl Fold {
    fn new(operator: Aggregator, profile: Profile, value: f64) -> Self {
        match operator {
            Aggregator::Sum if profile != Profile::V3_5 => Self::PlainSum(value),
            Aggregator::Sum => Self::Sum(Sum::of(value)),
            Aggregator::Avg => Self::Mean(Mean::across_series(profile, value)),
            Aggregator::Count => Self::Count(1.0),
            Aggregator::Min => Self::Min(value),
            Aggregator::Max => Self::Max(value),
            Aggregator::Stddev | Aggregator::Stdvar => Self::Spread {
                spread: Spread::new(profile, value),
                root: operator == Aggregator::Stddev,
            },
            Aggregator::Group
            | Aggregator::Topk
            | Aggregator::Bottomk
            | Aggregator::Limitk
            | Aggregator::LimitRatio
            | Aggregator::CountValues
            | Aggregator::Quantile => Self::One,
        }
    }

    fn add(&mut self, value: f64) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::PlainSum(sum) => *sum += value,
            Self::Mean(mean) => mean.add(value),
            Self::Count(count) => *count += 1.0,
            // Any number replaces a NaN.
            Self::Min(min) if value < *min || min.is_nan() => *min = value,
            Self::Max(max) if value > *max || max.is_nan() => *max = value,
            Self::One | Self::Min(_) | Self::Max(_) => {}
            Self::Spread { spread, .. } => spread.add(value),
        }
    }

    fn value(self) -> f64 {
        match self {
            Self::Sum(sum) => sum.total(),
            Self::PlainSum(value) | Self::Count(value) | Self::Min(value) | Self::Max(value) => {
                value
            }
            Self::Mean(mean) => mean.mean(),
            Self::One => 1.0,
            Self::Spread { spread, root: true } => spread.variance().sqrt(),
            Self::Spread { spread, .. } => spread.variance(),
        }
    }
}

/// Welford's running variance.
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    /// Before 3.0 one value had no spread, even if it was no number.
    fn new(profile: Profile, value: f64) -> Self {
        let known = value.is_finite() || profile < Profile::V3_5;
        Self {
            count: 1.0,
            mean: value,
            squares: if known { 0.0 } else { f64::NAN },
        }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn variance(&self) -> f64 {
        self.squares / self.count
    }
}
