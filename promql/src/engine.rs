//! Evaluates queries over a store.
//!
//! One evaluator serves a single time, a range query and rules over many steps: it walks the
//! expression once for a whole grid of steps. Work on labels is done per node, and loops over the
//! steps hold arithmetic only. Files in reading order: `grid` and `rows` are what goes in and out
//! of a node, `eval` walks the tree, `context` is what a query carries along, `select`, `window`
//! and `subquery` read series, `group` decides which rows belong together.

mod aggregate;
mod binary;
mod chunk;
pub(crate) mod context;
pub(crate) mod eval;
mod gather;
pub(crate) mod grid;
pub(crate) mod group;
mod hash;
mod invariant;
mod result;
pub(crate) mod rows;
pub(crate) mod select;
mod subquery;
pub(crate) mod window;

pub(crate) use aggregate::{quantile, warn_about_quantile};
pub use grid::{Columns, Grid, Row, is_absent};

use context::{Context, Steps};
use gather::Gathered;
use grid::Assembly;

use crate::query::Query;
use crate::query::ast::{At, Expr, Type};
use crate::store::Store;
use crate::value::Value;

/// Which Prometheus is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Profile {
    /// 2.42: closed windows, zero clamp before the extrapolation threshold.
    V2_42,
    /// 2.53: closed windows, zero clamp after the extrapolation threshold.
    V2_53,
    /// 3.5 (LTS): left-open windows.
    #[default]
    V3_5,
}

impl Profile {
    /// Returns the version as it is written: `3.5`.
    pub fn version(self) -> &'static str {
        match self {
            Self::V2_42 => "2.42",
            Self::V2_53 => "2.53",
            Self::V3_5 => "3.5",
        }
    }
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
        let context = self.context(store, query, (t_ms, t_ms));
        let steps = Steps {
            grid: Grid {
                start_ms: t_ms,
                step_ms: 1,
                steps: 1,
            },
            separate: false,
        };
        let value = match query.expr().type_of() {
            Type::Matrix => result::matrix_at(&context, query.expr(), steps)?,
            _ => result::instant(eval::eval(&context, query.expr(), steps)?, t_ms)?,
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
        let grid = self.checked_grid(query, start_ms, end_ms, step_ms)?;
        let context = self.context(store, query, (start_ms, end_ms));
        let mut gathered = Gathered::default();
        for part in chunk::split(&context, query.expr(), grid) {
            let steps = Steps {
                grid: part,
                separate: false,
            };
            let datum = eval::eval(&context, query.expr(), steps)?;
            context.release_to(gathered.samples());
            gathered.add_finished(&context, query.expr(), datum, steps)?;
        }
        Ok(Evaluated {
            value: result::matrix(gathered),
            notes: context.into_notes(),
        })
    }

    /// Evaluates a query at every step of a grid, each as if it were an instant query of its own:
    /// `@ start()` and `@ end()` mean the step, and elements at different steps never collide.
    ///
    /// An error at any step is the error of the grid. Remarks are not collected. Sums and means
    /// over long windows may differ from those of [`Engine::instant`] in their last digits, by a
    /// relative 1e-12 at most.
    pub fn grid(&self, store: &Store, query: &Query, grid: Grid) -> Result<Columns, QueryError> {
        let expr = query.expr();
        if expr.type_of() == Type::Matrix {
            return Err(QueryError::BadRange(
                "a grid needs a scalar or an instant vector expression",
            ));
        }
        if grid.steps == 0 {
            return Ok(Columns::none());
        }
        if looks_at_bounds_in_subquery(expr) {
            return self.step_by_step(store, query, grid);
        }
        let at_once = self.all_steps(store, query, grid);
        match at_once {
            // Inside of a subquery rows of different steps may have collided.
            Err(QueryError::Execution(_)) if has_subquery(expr) => {
                self.step_by_step(store, query, grid)
            }
            at_once => at_once,
        }
    }

    fn all_steps(&self, store: &Store, query: &Query, grid: Grid) -> Result<Columns, QueryError> {
        let context = self.context(store, query, (grid.start_ms, grid.at(grid.steps - 1)));
        let mut assembly = Assembly::new(grid.steps, self.options.max_samples);
        let mut from = 0;
        for part in chunk::split(&context, query.expr(), grid) {
            let steps = Steps {
                grid: part,
                separate: true,
            };
            let datum = eval::eval(&context, query.expr(), steps)?;
            context.release_to(0);
            assembly.add(datum, from, part.steps)?;
            from += part.steps;
        }
        Ok(assembly.into_columns())
    }

    fn step_by_step(
        &self,
        store: &Store,
        query: &Query,
        grid: Grid,
    ) -> Result<Columns, QueryError> {
        let mut assembly = Assembly::new(grid.steps, self.options.max_samples);
        for step in 0..grid.steps {
            let t_ms = grid.at(step);
            let context = self.context(store, query, (t_ms, t_ms));
            let steps = Steps {
                grid: Grid {
                    start_ms: t_ms,
                    steps: 1,
                    ..grid
                },
                separate: false,
            };
            let datum = eval::eval(&context, query.expr(), steps)?;
            assembly.add(datum, step, 1)?;
        }
        Ok(assembly.into_columns())
    }

    fn context<'q>(
        &'q self,
        store: &'q Store,
        query: &Query,
        bounds_ms: (i64, i64),
    ) -> Context<'q> {
        let context = Context::new(store, &self.options, query.selectors(), bounds_ms);
        if bounds_ms.0 != bounds_ms.1 || has_subquery(query.expr()) {
            context.in_chunks()
        } else {
            context
        }
    }

    fn checked_grid(
        &self,
        query: &Query,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
    ) -> Result<Grid, QueryError> {
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
        Ok(Grid {
            start_ms,
            step_ms,
            steps: steps as usize,
        })
    }
}

fn has_subquery(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |expr| found |= matches!(expr, Expr::Subquery(_)));
    found
}

/// Says whether some point of a subquery depends on the step for which it is evaluated.
fn looks_at_bounds_in_subquery(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |expr| {
        if let Expr::Subquery(subquery) = expr {
            subquery.expr.visit(&mut |expr| {
                let shift = match expr {
                    Expr::Selector(selector) | Expr::Range { selector, .. } => selector.shift,
                    Expr::Subquery(subquery) => subquery.shift,
                    _ => return,
                };
                found |= matches!(shift.at, Some(At::Start | At::End));
            });
        }
    });
    found
}
