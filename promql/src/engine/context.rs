//! What one query carries through its evaluation.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::grid::Grid;
use super::rows::{Name, Rows};
use super::{Notes, Options, Profile, QueryError, group};
use crate::labels::Labels;
use crate::query::ast::{At, Selector, Shift};
use crate::store::{SeriesId, Store};

/// The times at which an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) grid: Grid,
    /// Whether every step is a query of its own, or all are one query.
    pub(crate) separate: bool,
}

impl Steps {
    pub(crate) fn count(&self) -> usize {
        self.grid.steps
    }

    pub(crate) fn at(&self, step: usize) -> i64 {
        self.grid.at(step)
    }

    pub(crate) fn times_ms(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.grid.steps).map(|step| self.grid.at(step))
    }

    /// Returns the first step alone.
    pub(crate) fn first(self) -> Self {
        Self {
            grid: Grid {
                steps: 1,
                ..self.grid
            },
            ..self
        }
    }
}

pub(crate) struct Context<'q> {
    pub(crate) store: &'q Store,
    pub(crate) options: &'q Options,
    /// First and last time of the whole query.
    start_ms: i64,
    end_ms: i64,
    /// Whether the steps come in several chunks.
    chunked: bool,
    selected: Vec<OnceCell<Arc<[SeriesId]>>>,
    warnings: RefCell<BTreeSet<String>>,
    infos: RefCell<BTreeSet<String>>,
    held: Cell<usize>,
    subquery_steps: Cell<usize>,
    /// Per expression that must not give two rows with the same labels: the rows of earlier
    /// chunks, by what they became.
    seen: RefCell<HashMap<usize, HashMap<Labels, Labels>>>,
}

impl<'q> Context<'q> {
    pub(crate) fn new(
        store: &'q Store,
        options: &'q Options,
        selectors: usize,
        (start_ms, end_ms): (i64, i64),
    ) -> Self {
        Self {
            store,
            options,
            start_ms,
            end_ms,
            chunked: false,
            selected: (0..selectors).map(|_| OnceCell::new()).collect(),
            warnings: RefCell::default(),
            infos: RefCell::default(),
            held: Cell::new(0),
            subquery_steps: Cell::new(0),
            seen: RefCell::default(),
        }
    }

    /// Remembers rows from one chunk of steps to the next where they must not collide.
    pub(crate) fn in_chunks(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Returns the series of a selector in the order of their labels, as Prometheus' storage has
    /// them: sums depend on it.
    pub(crate) fn series(&self, selector: &Selector) -> &[SeriesId] {
        self.selected[selector.id].get_or_init(|| self.store.select(&selector.matchers))
    }

    /// Returns the times that a selector or subquery looks at; a distance of 0 is one fixed time.
    pub(crate) fn view(&self, shift: Shift, steps: Steps) -> Grid {
        let fixed = |at_ms| Grid {
            start_ms: at_ms,
            step_ms: 0,
            ..steps.grid
        };
        let grid = match shift.at {
            None => steps.grid,
            // Each step is the start and the end of its own query.
            Some(At::Start | At::End) if steps.separate => steps.grid,
            Some(At::Start) => fixed(self.start_ms),
            Some(At::End) => fixed(self.end_ms),
            Some(At::Ms(at_ms)) => fixed(at_ms),
        };
        Grid {
            start_ms: grid.start_ms.saturating_sub(shift.offset_ms),
            ..grid
        }
    }

    /// Returns the exclusive lower bound of a window of `range_ms` that ends at `end_ms`. Since
    /// 3.0 a sample exactly at the lower edge is outside.
    pub(crate) fn window_start(&self, end_ms: i64, range_ms: i64) -> i64 {
        let edge_ms = end_ms.saturating_sub(range_ms);
        match self.options.profile {
            Profile::V3_5 => edge_ms,
            Profile::V2_42 | Profile::V2_53 => edge_ms.saturating_sub(1),
        }
    }

    /// Returns what a function or operator that drops metric names makes of them.
    pub(crate) fn dropped_name(&self) -> Name {
        if self.options.delayed_name_removal {
            Name::Doomed
        } else {
            Name::Gone
        }
    }

    /// Counts samples that the query holds from now on.
    pub(crate) fn hold(&self, samples: usize) -> Result<(), QueryError> {
        self.check(samples)?;
        self.held.set(self.held.get() + samples);
        Ok(())
    }

    /// Fails when the query would hold too much with `more` samples.
    pub(crate) fn check(&self, more: usize) -> Result<(), QueryError> {
        if self.held.get().saturating_add(more) > self.options.max_samples {
            return Err(self.too_many_samples());
        }
        Ok(())
    }

    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }

    /// Forgets all held samples but `samples`.
    pub(crate) fn release_to(&self, samples: usize) {
        self.held.set(samples);
    }

    /// Counts evaluations inside of subqueries, which nest: a short text can ask for billions.
    pub(crate) fn visit_subquery(&self, steps: u64) -> Result<(), QueryError> {
        let steps = usize::try_from(steps).unwrap_or(usize::MAX);
        let visited = self.subquery_steps.get().saturating_add(steps);
        self.subquery_steps.set(visited);
        if visited > self.options.max_samples.saturating_mul(4) {
            return Err(self.too_many_samples());
        }
        Ok(())
    }

    fn too_many_samples(&self) -> QueryError {
        QueryError::TooManySamples {
            limit: self.options.max_samples,
        }
    }

    /// Fails when rows that were told apart by a dropped name alone end up with the same labels,
    /// even at different steps. Functions of range vectors and the unary minus keep their rows
    /// apart over all steps; other operations only see one step at a time.
    ///
    /// `site` is the part of the expression that asks.
    pub(crate) fn refuse_equal<T>(
        &self,
        site: &T,
        before: &[Labels],
        rows: &mut Rows,
        steps: Steps,
    ) -> Result<(), QueryError> {
        if self.options.delayed_name_removal {
            return Ok(());
        }
        if steps.separate {
            return group::merge_equal(rows);
        }
        self.refuse_equal_rows(site, before, rows)
    }

    /// As [`Self::refuse_equal`], for rows whose names are cut off for good.
    pub(crate) fn refuse_equal_rows<T>(
        &self,
        site: &T,
        before: &[Labels],
        rows: &Rows,
    ) -> Result<(), QueryError> {
        if self.chunked {
            let mut seen = self.seen.borrow_mut();
            let seen = seen.entry(std::ptr::from_ref(site).addr()).or_default();
            for (head, before) in rows.heads().iter().zip(before) {
                let known = seen.entry(head.settled()).or_insert_with(|| before.clone());
                if known != before {
                    return Err(group::same_labelset());
                }
            }
        }
        group::ensure_distinct(rows)
    }

    pub(crate) fn warn(&self, text: String) {
        self.warnings.borrow_mut().insert(text);
    }

    pub(crate) fn inform(&self, text: String) {
        self.infos.borrow_mut().insert(text);
    }

    pub(crate) fn into_notes(self) -> Notes {
        Notes {
            warnings: self.warnings.into_inner().into_iter().collect(),
            infos: self.infos.into_inner().into_iter().collect(),
        }
    }
}
