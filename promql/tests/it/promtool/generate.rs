//! Random series and random queries from a seed.
//!
//! Most queries are well typed; some are broken on purpose, to see both sides refuse them.
//! `series` draws samples, `vector` and `window` draw expressions, `broken` breaks them.

mod broken;
mod combine;
mod series;
mod vector;
mod window;

use promql::{Dialect, Profile};

use super::ask::Case;

/// One series in script notation.
#[derive(Clone)]
pub(crate) struct SeriesLine {
    pub(crate) name: String,
    pub(crate) values: String,
}

/// The generator known as splitmix: small, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

/// Samples of a series: up to the last whole minute before [`LAST_MS`], which is as far as promtool
/// loads them.
const SAMPLES: usize = 84;
/// The time of the last query of a batch.
const LAST_MS: i64 = 900_000;
/// How deep an expression nests.
const DEPTH: u32 = 3;

pub(crate) struct Generator {
    random: Random,
    dialect: Dialect,
}

impl Generator {
    pub(crate) fn new(seed: u64, dialect: Dialect) -> Self {
        Self {
            random: Random::new(seed),
            dialect,
        }
    }

    /// Says whether the version is one of 3.x.
    fn is_new(&self) -> bool {
        self.dialect.profile == Profile::V3_5
    }

    /// Draws a batch of queries. The last one lies at the end, so that promtool loads everything.
    pub(crate) fn cases(&mut self, count: usize) -> Vec<Case> {
        let mut cases: Vec<Case> = (0..count).map(|_| self.case()).collect();
        if let Some(last) = cases.last_mut() {
            last.t_ms = LAST_MS;
        }
        cases
    }

    /// A query at the end of the data.
    pub(crate) fn last_case() -> Case {
        Case {
            expr: "vector(1)".to_owned(),
            t_ms: LAST_MS,
        }
    }

    /// Under `@`, `timestamp` forgets an offset, but Prometheus has fetched the samples of the moved
    /// time; which others there are is decided by the other selectors of the query. That is not
    /// reproduced, so it is not drawn.
    ///
    /// 2.42 moves a range under `@` along with the steps of a subquery around it where the call is
    /// not the same at every step: `predict_linear(m[5m] @ 300, 60)`, `quantile_over_time(time(),
    /// m[5m] @ 300)`. That fault was mended and is not reproduced.
    fn is_undecided(&self, expr: &str) -> bool {
        let has_all = |words: &[&str]| words.iter().all(|word| expr.contains(word));
        let has_moving_range = self.dialect.profile == Profile::V2_42
            && has_all(&[" @ ", ")[", ":"])
            && (has_all(&["predict_linear("]) || has_all(&["quantile_over_time("]));
        has_moving_range || has_all(&["timestamp(", " @ ", " offset "])
    }

    pub(crate) fn case(&mut self) -> Case {
        let expr = match self.random.below(40) {
            0 | 1 => self.scalar(DEPTH),
            2 => self.broken(),
            _ => self.vector(DEPTH),
        };
        if self.is_undecided(&expr) {
            return self.case();
        }
        // On the grid of the samples, or off it.
        let t_ms = if self.random.one_in(2) {
            self.random.below(90) as i64 * super::INTERVAL_MS
        } else {
            self.random.below(LAST_MS as u64) as i64
        };
        Case { expr, t_ms }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.random.pick(from)
    }
}
