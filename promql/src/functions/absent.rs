//! `absent` and `absent_over_time`: one element when there is nothing.

use super::{Function, Type};
use crate::engine::context::{Context, Steps};
use crate::engine::eval::eval_vector;
use crate::engine::grid::is_absent;
use crate::engine::rows::{Datum, Head, Rows};
use crate::engine::{QueryError, window};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::{Call, Expr};

pub(super) const ROWS: &[Function] = &[
    Function::whole("absent", &[Type::Vector], absent),
    Function::whole("absent_over_time", &[Type::Matrix], absent_over_time),
];

fn absent(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let rows = eval_vector(context, &call.args[0], steps)?;
    let mut found = vec![false; steps.count()];
    for (_, row) in rows.iter() {
        for (found, value) in found.iter_mut().zip(row) {
            *found |= !is_absent(*value);
        }
    }
    Ok(answer(&found, &call.args[0]))
}

fn absent_over_time(context: &Context<'_>, call: &Call, steps: Steps) -> Result<Datum, QueryError> {
    let mut found = vec![false; steps.count()];
    window::for_each(context, &call.args[0], steps, &mut |_, track| {
        for (found, span) in found.iter_mut().zip(track.spans) {
            *found |= span.from < span.to;
        }
        Ok(())
    })?;
    Ok(answer(&found, &call.args[0]))
}

fn answer(found: &[bool], arg: &Expr) -> Datum {
    let mut rows = Rows::new(found.len());
    rows.add(
        || Head::new(labels_of(arg)),
        |row| {
            for (value, found) in row.iter_mut().zip(found) {
                if !found {
                    *value = 1.0;
                }
            }
        },
    );
    Datum::Vector(rows)
}

/// The labels that the missing series would surely have: those required by one `=` alone.
fn labels_of(arg: &Expr) -> Labels {
    let (Expr::Selector(selector) | Expr::Range { selector, .. }) = arg.unwrapped() else {
        return Labels::default();
    };
    let mut known: Vec<(&str, Option<&str>)> = Vec::new();
    for matcher in &selector.matchers {
        if matcher.name == METRIC_NAME {
            continue;
        }
        match known.iter_mut().find(|(name, _)| *name == matcher.name) {
            Some((_, value)) => *value = None,
            None => known.push((
                &matcher.name,
                matcher.is_equal().then_some(matcher.value.as_str()),
            )),
        }
    }
    Labels::from_pairs(
        known
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    )
}
