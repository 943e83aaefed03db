//! Range selectors and subqueries: the samples of each series once, and the window of each step
//! as a part of them.

use super::context::{Context, Steps};
use super::gather::Gathered;
use super::grid::Grid;
use super::{Profile, QueryError, subquery};
use crate::labels::Labels;
use crate::query::ast::{Expr, Selector};
use crate::store::{Scratch, SeriesId};

/// The samples of one series in a range, never empty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window<'w> {
    pub(crate) times_ms: &'w [i64],
    pub(crate) values: &'w [f64],
    /// Lower edge of the range.
    pub(crate) start_ms: i64,
    /// Upper edge of the range.
    pub(crate) end_ms: i64,
    /// Time of the evaluation; differs from `end_ms` under `offset` and `@`.
    pub(crate) t_ms: i64,
    pub(crate) profile: Profile,
}

/// Which samples of a track are in the window of a step: `from..to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Where the windows lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) steps: Steps,
    /// Upper edges of the windows; a distance of 0 is one window for all steps.
    pub(crate) ends: Grid,
    pub(crate) range_ms: i64,
    pub(crate) profile: Profile,
}

/// The samples of one series and its windows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Track<'w> {
    pub(crate) times_ms: &'w [i64],
    pub(crate) values: &'w [f64],
    /// One per step; neither end ever moves back.
    pub(crate) spans: &'w [Span],
    pub(crate) frame: Frame,
}

impl<'w> Track<'w> {
    /// Returns the window of a step, unless it is empty.
    pub(crate) fn window(&self, step: usize) -> Option<Window<'w>> {
        let Span { from, to } = self.spans[step];
        if from >= to {
            return None;
        }
        let end_ms = self.frame.ends.at(step);
        Some(Window {
            times_ms: &self.times_ms[from..to],
            values: &self.values[from..to],
            start_ms: end_ms.saturating_sub(self.frame.range_ms),
            end_ms,
            t_ms: self.frame.steps.at(step),
            profile: self.frame.profile,
        })
    }
}

/// Calls `each` with the labels and the windows of every series that has samples in one of them.
pub(crate) fn for_each(
    context: &Context<'_>,
    expr: &Expr,
    steps: Steps,
    each: &mut dyn FnMut(&Labels, Track<'_>) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    match expr.unwrapped() {
        Expr::Range { selector, range_ms } => {
            for_each_selected(context, selector, *range_ms, steps, each)
        }
        Expr::Subquery(subquery) => {
            let frame = Frame {
                steps,
                ends: context.view(subquery.shift, steps),
                range_ms: subquery.range_ms,
                profile: context.options.profile,
            };
            let gathered = subquery::evaluate(context, subquery, frame)?;
            for_each_gathered(context, &gathered, frame, each)
        }
        other => Err(QueryError::Execution(format!(
            "expected a range vector, found {}",
            other.type_of().name()
        ))),
    }
}

fn for_each_selected(
    context: &Context<'_>,
    selector: &Selector,
    range_ms: i64,
    steps: Steps,
    each: &mut dyn FnMut(&Labels, Track<'_>) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let frame = Frame {
        steps,
        ends: context.view(selector.shift, steps),
        range_ms,
        profile: context.options.profile,
    };
    let mut reader = Reader::default();
    let mut windows = Windows::default();
    for id in context.series(selector) {
        let (times_ms, values) = reader.read(context, *id, frame);
        if times_ms.is_empty() {
            continue;
        }
        context.check(times_ms.len())?;
        let track = Track {
            times_ms,
            values,
            spans: windows.spans(context, times_ms, frame),
            frame,
        };
        each(context.store.labels(*id), track)?;
    }
    Ok(())
}

fn for_each_gathered(
    context: &Context<'_>,
    gathered: &Gathered,
    frame: Frame,
    each: &mut dyn FnMut(&Labels, Track<'_>) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let mut windows = Windows::default();
    for series in gathered.series() {
        let track = Track {
            times_ms: &series.times_ms,
            values: &series.values,
            spans: windows.spans(context, &series.times_ms, frame),
            frame,
        };
        each(&series.labels, track)?;
    }
    Ok(())
}

/// Reads what the windows of a series need.
#[derive(Default)]
struct Reader {
    scratch: Scratch,
    times_ms: Vec<i64>,
    values: Vec<f64>,
}

impl Reader {
    fn read<'s>(
        &'s mut self,
        context: &'s Context<'_>,
        id: SeriesId,
        frame: Frame,
    ) -> (&'s [i64], &'s [f64]) {
        let ends = frame.ends;
        if ends.step_ms > frame.range_ms {
            return self.read_apart(context, id, frame);
        }
        let first_ms = context.window_start(ends.start_ms, frame.range_ms);
        let last_ms = ends.at(ends.steps - 1);
        context
            .store
            .window(id, first_ms, last_ms, &mut self.scratch)
    }

    /// Leaves out the samples between windows that do not touch.
    fn read_apart(
        &mut self,
        context: &Context<'_>,
        id: SeriesId,
        frame: Frame,
    ) -> (&[i64], &[f64]) {
        self.times_ms.clear();
        self.values.clear();
        for step in 0..frame.ends.steps {
            let end_ms = frame.ends.at(step);
            let after_ms = context.window_start(end_ms, frame.range_ms);
            let read = context
                .store
                .window(id, after_ms, end_ms, &mut self.scratch);
            self.times_ms.extend_from_slice(read.0);
            self.values.extend_from_slice(read.1);
        }
        (&self.times_ms, &self.values)
    }
}

/// Finds the windows. Most series of a target are scraped together and have the same times, so
/// what was found for one series serves the next.
#[derive(Default)]
struct Windows {
    times_ms: Vec<i64>,
    spans: Vec<Span>,
}

impl Windows {
    fn spans(&mut self, context: &Context<'_>, times_ms: &[i64], frame: Frame) -> &[Span] {
        if frame.ends.steps == 1 {
            self.spans.clear();
            self.spans
                .push(span(context, times_ms, frame, Span { from: 0, to: 0 }, 0));
            return &self.spans;
        }
        if self.times_ms != times_ms || self.spans.is_empty() {
            self.times_ms.clear();
            self.times_ms.extend_from_slice(times_ms);
            self.spans.clear();
            let mut last = Span { from: 0, to: 0 };
            for step in 0..frame.ends.steps {
                last = span(context, times_ms, frame, last, step);
                self.spans.push(last);
            }
        }
        &self.spans
    }
}

/// Moves both ends of a window on to those of a step.
fn span(context: &Context<'_>, times_ms: &[i64], frame: Frame, last: Span, step: usize) -> Span {
    let end_ms = frame.ends.at(step);
    let after_ms = context.window_start(end_ms, frame.range_ms);
    let Span { mut from, mut to } = last;
    while to < times_ms.len() && times_ms[to] <= end_ms {
        to += 1;
    }
    while from < to && times_ms[from] <= after_ms {
        from += 1;
    }
    Span { from, to }
}
