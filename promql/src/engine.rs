//! Evaluates queries over a store.
//!
//! An expression is evaluated at one time; a range query is a row of such evaluations that share
//! the look-up of series. Files in reading order: `eval` walks the tree, `context` is what a query
//! carries along, `window` reads ranges, `group` decides which elements belong together.

mod aggregate;
mod binary;
pub(crate) mod context;
pub(crate) mod eval;
pub(crate) mod grid;
pub(crate) mod group;
mod result;
pub(crate) mod window;

pub(crate) use aggregate::{quantile, warn_about_quantile};

pub use grid::{Columns, Grid, Row, is_absent};

use context::Context;

use crate::query::Query;
use crate::query::ast::Type;
use crate::store::Store;
use crate::value::Value;

/// Which Prometheus is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// 2.42: closed windows, zero clamp before the extrapolation threshold.
    V2_42,
    /// 2.53: closed windows, zero clamp after the extrapolation threshold.
    V2_53,
    /// 3.5 (LTS): left-open windows.
    #[default]
    V3_5,
}

/// How queries are evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which Prometheus is reproduced.
    pub profile: Profile,
    /// How far an instant selector looks back for a sample.
    pub lookback_ms: i64,
    /// Step of a subquery that names none: the global evaluation interval.
    pub default_subquery_step_ms: i64,
    /// Most steps of a range query.
    pub max_steps: usize,
    /// Most samples that a query may hold at one time.
    pub max_samples: usize,
    /// Removes metric names at the end of a query rather than in each function.
    pub delayed_name_removal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            lookback_ms: 5 * 60 * 1000,
            default_subquery_step_ms: 60 * 1000,
            max_steps: 11_000,
            max_samples: 50_000_000,
            delayed_name_removal: false,
        }
    }
}

/// Why a query has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The data does not fit the expression, such as an ambiguous match.
    #[error("{0}")]
    Execution(String),
    /// The range query has too many steps.
    #[error("the range has {steps} steps; at most {limit} are evaluated, use a larger step")]
    TooManySteps {
        /// How many were asked for.
        steps: u64,
        /// How many are allowed.
        limit: usize,
    },
    /// The range query makes no sense.
    #[error("{0}")]
    BadRange(&'static str),
    /// The query touches too many samples.
    #[error("the query holds more than {limit} samples; select fewer series or a shorter range")]
    TooManySamples {
        /// How many are allowed.
        limit: usize,
    },
}

/// What an evaluation remarks on, each remark once, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// Things that probably make the result wrong.
    pub warnings: Vec<String>,
    /// Things that may make the result other than meant.
    pub infos: Vec<String>,
}

/// A result and what was remarked on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The result.
    pub value: Value,
    /// The remarks.
    pub notes: Notes,
}

/// Evaluates queries.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    /// How queries are evaluated.
    pub options: Options,
}

impl Engine {
    /// Returns an engine.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Evaluates a query at one time.
    ///
    /// A range vector comes back as the samples in its range. The order of an instant vector
    /// means something only after `sort`, `topk` and the like.
    pub fn instant(
        &self,
        store: &Store,
        query: &Query,
        t_ms: i64,
    ) -> Result<Evaluated, QueryError> {
        let context = self.context(store, query, t_ms, t_ms);
        let value = match query.expr().type_of() {
            Type::Matrix => result::matrix_at(&context, query.expr(), t_ms)?,
            _ => result::instant(eval::eval(&context, query.expr(), t_ms)?, t_ms)?,
        };
        Ok(Evaluated {
            value,
            notes: context.into_notes(),
        })
    }

    /// Evaluates a query at `start_ms`, `start_ms + step_ms`, … up to `end_ms`.
    ///
    /// The result is a matrix sorted by labels; a scalar query gives one series without labels.
    pub fn range(
        &self,
        store: &Store,
        query: &Query,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<Evaluated, QueryError> {
        self.check_range(query, start_ms, end_ms, step_ms)?;
        let context = self.context(store, query, start_ms, end_ms);
        let mut rows = result::Rows::default();
        let mut t_ms = start_ms;
        while t_ms <= end_ms {
            context.release_to(rows.samples());
            rows.add(eval::eval(&context, query.expr(), t_ms)?, t_ms)?;
            context.check(rows.samples())?;
            t_ms = t_ms.saturating_add(step_ms);
        }
        Ok(Evaluated {
            value: rows.into_matrix(),
            notes: context.into_notes(),
        })
    }

    fn context<'q>(
        &'q self,
        store: &'q Store,
        query: &Query,
        start_ms: i64,
        end_ms: i64,
    ) -> Context<'q> {
        Context::new(store, &self.options, query.selectors(), start_ms, end_ms)
    }

    fn check_range(
        &self,
        query: &Query,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<(), QueryError> {
        if matches!(query.expr().type_of(), Type::Matrix | Type::String) {
            return Err(QueryError::BadRange(
                "a range query needs a scalar or an instant vector expression",
            ));
        }
        if step_ms <= 0 {
            return Err(QueryError::BadRange("the step must be greater than 0"));
        }
        if end_ms < start_ms {
            return Err(QueryError::BadRange("the end lies before the start"));
        }
        if end_ms == i64::MAX {
            return Err(QueryError::BadRange("the end is out of range"));
        }
        let steps = end_ms.abs_diff(start_ms) / step_ms as u64 + 1;
        if steps > self.options.max_steps as u64 {
            return Err(QueryError::TooManySteps {
                steps,
                limit: self.options.max_steps,
            });
        }
        Ok(())
    }
}
