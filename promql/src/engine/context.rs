//! What one query carries through its evaluation.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;

use super::{Notes, Options, Profile, QueryError};
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::{At, Selector, Shift};
use crate::store::{SeriesId, Store};

/// One element of an instant vector on its way through the expression.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    pub(crate) name: Name,
}

/// What became of the metric name. It is cut off late: most consumers never look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// It counts.
    Kept,
    /// It counts until the query ends (delayed name removal).
    Doomed,
    /// It no longer counts, although it may still be among the labels.
    Gone,
}

impl Element {
    pub(crate) fn new(labels: Labels, value: f64) -> Self {
        Self {
            labels,
            value,
            name: Name::Kept,
        }
    }

    /// Returns the labels without a name that no longer counts.
    pub(crate) fn settled(&self) -> Labels {
        if self.name == Name::Gone && self.labels.metric_name().is_some() {
            self.labels.retain(|name| name != METRIC_NAME)
        } else {
            self.labels.clone()
        }
    }
}

/// What an expression evaluated to at one time.
#[derive(Debug)]
pub(crate) enum Datum {
    Scalar(f64),
    Text(String),
    Vector(Vec<Element>),
}

pub(crate) struct Context<'q> {
    pub(crate) store: &'q Store,
    pub(crate) options: &'q Options,
    start_ms: i64,
    end_ms: i64,
    selected: Vec<OnceCell<Vec<SeriesId>>>,
    warnings: RefCell<BTreeSet<String>>,
    infos: RefCell<BTreeSet<String>>,
    held: Cell<usize>,
}

impl<'q> Context<'q> {
    pub(crate) fn new(
        store: &'q Store,
        options: &'q Options,
        selectors: usize,
        start_ms: i64,
        end_ms: i64,
    ) -> Self {
        Self {
            store,
            options,
            start_ms,
            end_ms,
            selected: (0..selectors).map(|_| OnceCell::new()).collect(),
            warnings: RefCell::default(),
            infos: RefCell::default(),
            held: Cell::new(0),
        }
    }

    /// Returns the series of a selector; they are looked up once per query.
    pub(crate) fn series(&self, selector: &Selector) -> &[SeriesId] {
        self.selected[selector.id].get_or_init(|| self.store.select(&selector.matchers))
    }

    /// Returns the time that a selector or subquery looks at.
    pub(crate) fn shifted(&self, shift: Shift, t_ms: i64) -> i64 {
        let base_ms = match shift.at {
            None => t_ms,
            Some(At::Start) => self.start_ms,
            Some(At::End) => self.end_ms,
            Some(At::Ms(at_ms)) => at_ms,
        };
        base_ms.saturating_sub(shift.offset_ms)
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
        self.held.set(self.held.get() + samples);
        self.check(0)
    }

    /// Fails when the query would hold too much with `more` samples.
    pub(crate) fn check(&self, more: usize) -> Result<(), QueryError> {
        if self.held.get() + more > self.options.max_samples {
            return Err(QueryError::TooManySamples {
                limit: self.options.max_samples,
            });
        }
        Ok(())
    }

    /// Forgets all held samples but those of the result.
    pub(crate) fn release_to(&self, samples: usize) {
        self.held.set(samples);
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
