//! Instant selectors: the newest sample of each series within the lookback.
//!
//! A stale marker ends the series: nothing behind it is looked at. Its bits are those of "absent",
//! so it can be copied like any other value.

use super::QueryError;
use super::context::{Context, Steps};
use super::grid::{Grid, absent};
use super::rows::{Head, Rows};
use crate::query::ast::{Selector, Shift};
use crate::store::{Scratch, SeriesId};
use crate::value::{Sample, is_stale};

/// Returns the values of the current samples.
pub(super) fn current(
    context: &Context<'_>,
    selector: &Selector,
    steps: Steps,
) -> Result<Rows, QueryError> {
    read(context, selector, selector.shift, steps, |sample| {
        sample.value
    })
}

/// Returns when the current samples were taken, in seconds. Prometheus forgets `offset` next to
/// `@` here; only that it reads no samples behind a positive offset makes that one work.
pub(crate) fn current_times(
    context: &Context<'_>,
    selector: &Selector,
    steps: Steps,
) -> Result<Rows, QueryError> {
    let mut shift = selector.shift;
    if shift.at.is_some() {
        shift.offset_ms = shift.offset_ms.max(0);
    }
    read(context, selector, shift, steps, |sample| {
        sample.t_ms as f64 / 1000.0
    })
}

/// Returns what `of` makes of the current samples, which are never stale.
fn read(
    context: &Context<'_>,
    selector: &Selector,
    shift: Shift,
    steps: Steps,
    of: impl Fn(Sample) -> f64,
) -> Result<Rows, QueryError> {
    let ids = context.series(selector);
    context.check(ids.len().saturating_mul(steps.count()))?;
    let view = context.view(shift, steps);
    let mut rows = Rows::with_capacity(steps.count(), ids.len());
    let mut scratch = Scratch::default();
    for id in ids {
        let head = || Head::new(context.store.labels(*id).clone());
        rows.add(head, |row| {
            if view.step_ms == 0 {
                row.fill(at(context, *id, view.start_ms).map_or_else(absent, &of));
            } else if view.steps == 1 || view.step_ms > context.options.lookback_ms {
                // The samples between are not wanted.
                for (step, value) in row.iter_mut().enumerate() {
                    *value = at(context, *id, view.at(step)).map_or_else(absent, &of);
                }
            } else {
                walk(context, *id, view, row, &mut scratch, &of);
            }
        });
    }
    Ok(rows)
}

fn at(context: &Context<'_>, id: SeriesId, t_ms: i64) -> Option<Sample> {
    let after_ms = context.window_start(t_ms, context.options.lookback_ms);
    context
        .store
        .at(id, t_ms)
        .filter(|sample| sample.t_ms > after_ms && !is_stale(sample.value))
}

/// Goes through samples and steps together.
fn walk(
    context: &Context<'_>,
    id: SeriesId,
    view: Grid,
    row: &mut [f64],
    scratch: &mut Scratch,
    of: &impl Fn(Sample) -> f64,
) {
    let lookback_ms = context.options.lookback_ms;
    let first_ms = context.window_start(view.start_ms, lookback_ms);
    let last_ms = view.at(view.steps - 1);
    let (times_ms, values) = context.store.samples(id, first_ms, last_ms, scratch);
    let mut next = 0;
    for (step, into) in row.iter_mut().enumerate() {
        let t_ms = view.at(step);
        while next < times_ms.len() && times_ms[next] <= t_ms {
            next += 1;
        }
        let Some(newest) = next.checked_sub(1) else {
            continue;
        };
        let sample = Sample {
            t_ms: times_ms[newest],
            value: values[newest],
        };
        if sample.t_ms > context.window_start(t_ms, lookback_ms) && !is_stale(sample.value) {
            *into = of(sample);
        }
    }
}
