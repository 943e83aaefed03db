//! Aggregations that fold a group into one value as its elements come by.

use super::representative;
use crate::engine::Profile;
use crate::engine::context::Element;
use crate::engine::group::{Groups, Part};
use crate::query::ast::{Aggregate, Aggregator};
use crate::sum::{Mean, Sum};

pub(super) fn fold(aggregate: &Aggregate, profile: Profile, elements: &[Element]) -> Vec<Element> {
    let part = Part::from(&aggregate.grouping);
    let mut groups = Groups::new(part);
    let mut folds: Vec<Fold> = Vec::new();
    for element in elements {
        let (group, opened) = groups.enter(element);
        if opened {
            folds.push(Fold::new(aggregate.operator, profile, element.value));
        } else {
            folds[group].add(element.value);
        }
    }
    folds
        .into_iter()
        .enumerate()
        .map(|(group, fold)| representative(part, groups.first(group), fold.value()))
        .collect()
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
            Aggregator::Sum => {
                let mut sum = Sum::default();
                sum.add(value);
                Self::Sum(sum)
            }
            Aggregator::Avg => {
                let mut mean = Mean::default();
                mean.add(value);
                Self::Mean(mean)
            }
            Aggregator::Count => Self::Count(1.0),
            Aggregator::Min => Self::Min(value),
            Aggregator::Max => Self::Max(value),
            Aggregator::Stddev | Aggregator::Stdvar => Self::Spread {
                spread: Spread::new(value),
                root: operator == Aggregator::Stddev,
            },
            Aggregator::Group
            | Aggregator::Topk
            | Aggregator::Bottomk
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
    fn new(value: f64) -> Self {
        Self {
            count: 1.0,
            mean: value,
            squares: if value.is_finite() { 0.0 } else { f64::NAN },
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
