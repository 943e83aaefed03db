//! Histogram functions: they collect the buckets of each classic histogram and ask [`super::buckets`].
//!
//! Native histograms are not stored, so the functions that read only those find nothing.

use super::buckets::{self, Bucket};
use super::{Function, Type};
use crate::engine::context::{Context, Steps};
use crate::engine::eval::{eval_scalar, eval_vector};
use crate::engine::grid::is_absent;
use crate::engine::group::{self, Groups, Part};
use crate::engine::rows::{Datum, Head, Name, Rows};
use crate::engine::{Profile, QueryError, warn_about_quantile};
use crate::query::ast::Call;

const BOUND: &str = "le";

pub(super) const ROWS: &[Function] = &[
    Function::whole(
        "histogram_quantile",
        &[Type::Scalar, Type::Vector],
        histogram_quantile,
    ),
    Function::whole(
        "histogram_fraction",
        &[Type::Scalar, Type::Scalar, Type::Vector],
        histogram_fraction,
    ),
    Function::map("histogram_avg", |_, _| None).since(Profile::V2_53),
    Function::map("histogram_count", |_, _| None),
    Function::map("histogram_sum", |_, _| None),
    Function::map("histogram_stddev", |_, _| None).since(Profile::V2_53),
    Function::map("histogram_stdvar", |_, _| None).since(Profile::V2_53),
];

fn histogram_quantile(
    context: &Context<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Datum, QueryError> {
    let q = eval_scalar(context, &call.args[0], steps)?;
    let rows = eval_vector(context, &call.args[1], steps)?;
    warn_about_quantile(context, &q);
    per_histogram(context, &rows, |metric, step, buckets| {
        let quantile = buckets::quantile(q.at(step), buckets, context.options.profile);
        if quantile.lifted {
            context.inform(format!(
                "input to histogram_quantile needed to be fixed for monotonicity (see \
                 https://prometheus.io/docs/prometheus/latest/querying/functions/\
                 #histogram_quantile) for metric name {metric:?}"
            ));
        }
        quantile.value
    })
}

fn histogram_fraction(
    context: &Context<'_>,
    call: &Call,
    steps: Steps,
) -> Result<Datum, QueryError> {
    let lower = eval_scalar(context, &call.args[0], steps)?;
    let upper = eval_scalar(context, &call.args[1], steps)?;
    let rows = eval_vector(context, &call.args[2], steps)?;
    if context.options.profile < Profile::V3_5 {
        // Then it read native histograms only.
        return Ok(Datum::Vector(Rows::new(rows.steps())));
    }
    per_histogram(context, &rows, |_, step, buckets| {
        buckets::fraction(lower.at(step), upper.at(step), buckets)
    })
}

/// The rows of one histogram with their upper bounds.
struct Histogram {
    head: Head,
    bounds: Vec<(f64, usize)>,
}

/// Computes one value per step and set of labels without `le`.
fn per_histogram(
    context: &Context<'_>,
    rows: &Rows,
    compute: impl Fn(&str, usize, &mut Vec<Bucket>) -> f64,
) -> Result<Datum, QueryError> {
    let mut result = Rows::new(rows.steps());
    let mut buckets = Vec::new();
    for Histogram { head, bounds } in histograms(context, rows) {
        let metric = head.labels.metric_name().unwrap_or("").to_owned();
        result.add(
            || head,
            |into| {
                for (step, value) in into.iter_mut().enumerate() {
                    buckets.clear();
                    buckets.extend(bounds.iter().filter_map(|(upper, row)| {
                        let count = rows.row(*row)[step];
                        (!is_absent(count)).then_some(Bucket {
                            upper: *upper,
                            count,
                        })
                    }));
                    if !buckets.is_empty() {
                        *value = compute(&metric, step, &mut buckets);
                    }
                }
            },
        );
    }
    if !context.options.delayed_name_removal {
        group::merge_equal(&mut result)?;
    }
    Ok(Datum::Vector(result))
}

fn histograms(context: &Context<'_>, rows: &Rows) -> Vec<Histogram> {
    let mut groups = Groups::new(Part::But(BOUND));
    let mut histograms: Vec<Histogram> = Vec::new();
    for (row, head) in rows.heads().iter().enumerate() {
        let bound = head.labels.get(BOUND).unwrap_or("");
        let Ok(upper) = bound.parse::<f64>() else {
            context.warn(format!(
                "bucket label \"le\" is missing or has a malformed value of {bound:?} for metric \
                 name {:?}",
                head.settled().metric_name().unwrap_or("")
            ));
            continue;
        };
        let (group, opened) = groups.enter(head);
        if opened {
            histograms.push(Histogram {
                head: Head {
                    labels: Part::But(BOUND).of(head),
                    name: match head.name {
                        Name::Gone => Name::Gone,
                        Name::Kept | Name::Doomed => context.dropped_name(),
                    },
                },
                bounds: Vec::new(),
            });
        }
        histograms[group].bounds.push((upper, row));
    }
    // Buckets in order need no sorting at each step.
    for histogram in &mut histograms {
        histogram.bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    histograms
}
