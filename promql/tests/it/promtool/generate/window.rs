//! Range vectors, subqueries and the functions over them.

use super::Generator;

impl Generator {
    pub(super) fn range(&mut self, depth: u32) -> String {
        let length = self.pick(&["20s", "45s", "1m", "1m30s", "3m", "5m", "10s", "1ms"]);
        if depth > 0 && self.random.one_in(4) {
            let step = self.pick(&["", "10s", "30s", "1m", "7s", "3m"]);
            let inner = if self.random.one_in(8) {
                self.scalar(depth - 1)
            } else {
                self.vector(depth - 1)
            };
            let shift = self.shift();
            return format!("({inner})[{length}:{step}]{shift}");
        }
        let selector = self.selector();
        let shift = self.shift();
        if self.is_new() && self.random.one_in(30) {
            let number = self.pick(&["30", "1e2", "62.5"]);
            return format!("{selector}[{number}]{shift}");
        }
        format!("{selector}[{length}]{shift}")
    }

    pub(super) fn windowed(&mut self, depth: u32) -> String {
        let range = self.range(depth);
        if self.dialect.experimental && self.random.one_in(4) {
            if self.is_new() {
                match self.random.below(5) {
                    0 => return format!("double_exponential_smoothing({range}, 0.3, 0.7)"),
                    1 => return format!("ts_of_max_over_time({range})"),
                    2 => return format!("ts_of_min_over_time({range})"),
                    3 => return format!("ts_of_last_over_time({range})"),
                    _ => {}
                }
            }
            return format!("mad_over_time({range})");
        }
        match self.random.below(28) {
            0 | 1 => format!("predict_linear({range}, {})", self.scalar(1)),
            2 | 3 => format!("quantile_over_time({}, {range})", self.quantile()),
            4 if !self.is_new() => {
                let factors = self.pick(&["0.3, 0.7", "0.01, 0.1", "1, 0.5", "0.5, 0"]);
                format!("holt_winters({range}, {factors})")
            }
            _ => {
                let function = self.pick(&[
                    "rate",
                    "rate",
                    "rate",
                    "increase",
                    "increase",
                    "delta",
                    "irate",
                    "idelta",
                    "deriv",
                    "changes",
                    "resets",
                    "avg_over_time",
                    "avg_over_time",
                    "sum_over_time",
                    "count_over_time",
                    "min_over_time",
                    "max_over_time",
                    "last_over_time",
                    "present_over_time",
                    "stddev_over_time",
                    "stdvar_over_time",
                ]);
                format!("{function}({range})")
            }
        }
    }

    pub(super) fn histogram_function(&mut self) -> String {
        let range = self.pick(&["1m", "3m", "45s"]);
        let inner = self.pick(&[
            "rate(h_bucket[R])",
            "sum by (le) (rate(h_bucket[R]))",
            "h_bucket",
            "sum by (le, a) (increase(h_bucket{le!=\"0.5\"}[R]))",
            "rate(h_bucket{le!=\"+Inf\"}[R])",
            "odd_bucket",
            "abs(odd_bucket)",
            "neg_bucket",
            "lone_bucket",
            "delta(h_bucket[R])",
            "avg by (le) (h_bucket)",
            "{__name__=~\"h_bucket|neg_bucket\"}",
            "g",
        ]);
        let inner = inner.replace('R', range);
        if self.random.one_in(4) {
            let (low, high) = (
                self.pick(&["0", "0.05", "0.5", "-1", "NaN", "-Inf"]),
                self.pick(&["0.2", "0.5", "3", "+Inf", "-3"]),
            );
            return format!("histogram_fraction({low}, {high}, {inner})");
        }
        format!("histogram_quantile({}, {inner})", self.quantile())
    }
}
