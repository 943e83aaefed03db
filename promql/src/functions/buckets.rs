//! Quantiles and fractions of classic histograms.
//!
//! A classic histogram is a list of cumulative counts, one per upper bound, the last of which is
//! +Inf. Within a bucket observations are taken to be spread evenly, so a rank inside it is found
//! by linear interpolation between its bounds. The lowest bucket begins at 0 if its upper bound is
//! positive; in the highest there is nothing to interpolate towards, so its lower bound is given.
//!
//! Counts come from rates of separate series and may disagree a little: where a higher bucket has
//! less than a lower one, it is lifted. Differences of a relative 1e-12 are rounding, not data,
//! and are flattened in both directions.

use crate::engine::Profile;

/// Cumulative count of observations up to a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    pub(super) upper: f64,
    pub(super) count: f64,
}

/// A quantile and whether counts had to be lifted to find it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantile {
    pub(super) value: f64,
    pub(super) lifted: bool,
}

const ROUNDING: f64 = 1e-12;

/// Returns the q-quantile; NaN where the buckets cannot tell.
pub(super) fn quantile(q: f64, buckets: &mut Vec<Bucket>, profile: Profile) -> Quantile {
    let exact = |value| Quantile {
        value,
        lifted: false,
    };
    if q.is_nan() {
        return exact(f64::NAN);
    }
    if q < 0.0 {
        return exact(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return exact(f64::INFINITY);
    }
    if !prepare(buckets) {
        return exact(f64::NAN);
    }
    let lifted = make_monotonic(buckets, profile);
    let value = interpolate(q, buckets);
    Quantile { value, lifted }
}

fn interpolate(q: f64, buckets: &[Bucket]) -> f64 {
    let last = buckets.len() - 1;
    let total = buckets[last].count;
    if last == 0 || total == 0.0 {
        return f64::NAN;
    }
    let rank = q * total;
    let found = buckets[..last].partition_point(|bucket| bucket.count < rank);
    if found == last {
        return buckets[last - 1].upper;
    }
    let upper = buckets[found].upper;
    if found == 0 {
        if upper <= 0.0 {
            return upper;
        }
        return upper * (rank / buckets[0].count);
    }
    let below = buckets[found - 1];
    let inside = buckets[found].count - below.count;
    below.upper + (upper - below.upper) * ((rank - below.count) / inside)
}

/// Returns the share of observations between two values.
pub(super) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !prepare(buckets) {
        return f64::NAN;
    }
    let total = buckets[buckets.len() - 1].count;
    if total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, total) - rank_of(lower, buckets, total)) / total
}

/// Returns how many observations lie below a value.
fn rank_of(value: f64, buckets: &[Bucket], total: f64) -> f64 {
    // Unlike for a quantile, the lowest bucket has no lower bound here: a value inside it is NaN.
    let mut from = f64::NEG_INFINITY;
    let mut rank = 0.0;
    for bucket in buckets {
        if from >= value {
            break;
        }
        if bucket.upper > value {
            let inside = bucket.count - rank;
            rank += inside * (value - from) / (bucket.upper - from);
            break;
        }
        rank = bucket.count;
        from = bucket.upper;
    }
    if rank > total { total } else { rank }
}

/// Sorts by bound and merges equal bounds; says whether there is a last bucket of +Inf.
fn prepare(buckets: &mut Vec<Bucket>) -> bool {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets
        .last()
        .is_none_or(|last| last.upper != f64::INFINITY)
    {
        return false;
    }
    buckets.dedup_by(|later, kept| {
        let same = later.upper == kept.upper;
        if same {
            kept.count += later.count;
        }
        same
    });
    true
}

/// Rounding is told from data since 2.49.
fn make_monotonic(buckets: &mut [Bucket], profile: Profile) -> bool {
    let mut lifted = false;
    let mut before = buckets[0].count;
    for bucket in &mut buckets[1..] {
        if bucket.count == before {
            continue;
        }
        if profile > Profile::V2_42 && is_rounding(before, bucket.count) {
            bucket.count = before;
        } else if bucket.count < before {
            bucket.count = before;
            lifted = true;
        } else {
            before = bucket.count;
        }
    }
    lifted
}

fn is_rounding(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < ROUNDING * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < ROUNDING
}
