//! Histogram functions: they collect the buckets of each classic histogram and ask [`super::buckets`].
//!
//! Native histograms are not stored, so the functions that read only those find nothing.

use super::buckets::{self, Bucket};
use super::{Function, Type};
use crate::engine::context::{Context, Datum, Element};
use crate::engine::eval::{ensure_distinct, eval_scalar, eval_vector};
use crate::engine::group::{Groups, Part};
use crate::engine::{QueryError, warn_about_quantile};
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
    Function::map("histogram_avg", |_, _| None),
    Function::map("histogram_count", |_, _| None),
    Function::map("histogram_sum", |_, _| None),
    Function::map("histogram_stddev", |_, _| None),
    Function::map("histogram_stdvar", |_, _| None),
];

fn histogram_quantile(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let q = eval_scalar(context, &call.args[0], t_ms)?;
    let elements = eval_vector(context, &call.args[1], t_ms)?;
    warn_about_quantile(context, q);
    per_histogram(context, &elements, |metric, buckets| {
        let quantile = buckets::quantile(q, buckets);
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

fn histogram_fraction(context: &Context<'_>, call: &Call, t_ms: i64) -> Result<Datum, QueryError> {
    let lower = eval_scalar(context, &call.args[0], t_ms)?;
    let upper = eval_scalar(context, &call.args[1], t_ms)?;
    let elements = eval_vector(context, &call.args[2], t_ms)?;
    per_histogram(context, &elements, |_, buckets| {
        buckets::fraction(lower, upper, buckets)
    })
}

/// Computes one value per set of labels without `le`.
fn per_histogram(
    context: &Context<'_>,
    elements: &[Element],
    compute: impl Fn(&str, &mut Vec<Bucket>) -> f64,
) -> Result<Datum, QueryError> {
    let mut groups = Groups::new(Part::But(BOUND));
    let mut histograms: Vec<Vec<Bucket>> = Vec::new();
    for element in elements {
        let bound = element.labels.get(BOUND).unwrap_or("");
        let Ok(upper) = bound.parse::<f64>() else {
            context.warn(format!(
                "bucket label \"le\" is missing or has a malformed value of {bound:?} for metric \
                 name {:?}",
                element.settled().metric_name().unwrap_or("")
            ));
            continue;
        };
        let (group, opened) = groups.enter(element);
        if opened {
            histograms.push(Vec::new());
        }
        histograms[group].push(Bucket {
            upper,
            count: element.value,
        });
    }
    let result: Vec<Element> = histograms
        .iter_mut()
        .enumerate()
        .map(|(group, buckets)| {
            let labels = Part::But(BOUND).of(groups.first(group));
            let value = compute(labels.metric_name().unwrap_or(""), buckets);
            Element {
                labels,
                value,
                name: context.dropped_name(),
            }
        })
        .collect();
    if !context.options.delayed_name_removal {
        ensure_distinct(&result)?;
    }
    Ok(Datum::Vector(result))
}
