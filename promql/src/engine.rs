//! Evaluates queries over a store.

use crate::query::Query;
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
    pub fn instant(
        &self,
        _store: &Store,
        _query: &Query,
        _t_ms: i64,
    ) -> Result<Evaluated, QueryError> {
        Err(QueryError::BadRange("evaluation is not built"))
    }

    /// Evaluates a query at `start_ms`, `start_ms + step_ms`, … up to `end_ms`.
    ///
    /// The result is a matrix sorted by labels; a scalar query gives one series without labels.
    pub fn range(
        &self,
        _store: &Store,
        _query: &Query,
        _start_ms: i64,
        _end_ms: i64,
        _step_ms: i64,
    ) -> Result<Evaluated, QueryError> {
        Err(QueryError::BadRange("evaluation is not built"))
    }
}
