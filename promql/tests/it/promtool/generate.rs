//! Random series and random well-typed queries from a seed.

use std::fmt::Write as _;

use super::ask::Case;

/// One series in script notation.
pub(super) struct SeriesLine {
    pub(super) name: String,
    pub(super) values: String,
}

/// The generator known as splitmix: small, and the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

pub(super) struct Generator {
    random: Random,
    experimental: bool,
}

/// promtool loads samples up to the last whole minute before the last evaluation.
const SAMPLES: usize = 84;

impl Generator {
    pub(super) fn new(seed: u64, experimental: bool) -> Self {
        Self {
            random: Random::new(seed),
            experimental,
        }
    }

    /// Counters with resets, gauges, classic histograms; all with gaps and stale markers.
    pub(super) fn series(&mut self) -> Vec<SeriesLine> {
        let mut lines = Vec::new();
        for name in ["c_total", "d_total", "g"] {
            for a in ["x", "y", "z"] {
                for b in ["p", "q"] {
                    let values = self.values(name != "g");
                    lines.push(SeriesLine {
                        name: format!("{name}{{a=\"{a}\",b=\"{b}\"}}"),
                        values,
                    });
                }
            }
        }
        for a in ["x", "y"] {
            let values = self.values(false);
            lines.push(SeriesLine {
                name: format!("one{{a=\"{a}\",c=\"extra\"}}"),
                values,
            });
            lines.extend(self.histogram(a));
        }
        lines
    }

    fn values(&mut self, counter: bool) -> String {
        let mut text = String::new();
        let mut value = self.random.below(50) as f64 / 2.0;
        for _ in 0..SAMPLES {
            if self.random.one_in(9) {
                text.push_str("_ ");
                continue;
            }
            if self.random.one_in(25) {
                text.push_str("stale ");
                continue;
            }
            if counter {
                value += self.random.below(100) as f64 / 4.0;
                if self.random.one_in(20) {
                    value = self.random.below(4) as f64;
                }
            } else {
                value = match self.random.below(40) {
                    0 => f64::NAN,
                    1 => f64::INFINITY,
                    _ => self.random.below(2000) as f64 / 8.0 - 100.0,
                };
            }
            let _ = match value {
                v if v.is_nan() => write!(text, "NaN "),
                v if v.is_infinite() => write!(text, "Inf "),
                v => write!(text, "{v} "),
            };
        }
        text
    }

    fn histogram(&mut self, a: &str) -> Vec<SeriesLine> {
        let bounds = ["0.1", "0.5", "1", "5", "+Inf"];
        let mut counts = [0_u64; 5];
        let mut lines: Vec<SeriesLine> = bounds
            .iter()
            .map(|le| SeriesLine {
                name: format!("h_bucket{{a=\"{a}\",le=\"{le}\"}}"),
                values: String::new(),
            })
            .collect();
        for _ in 0..SAMPLES {
            let gap = self.random.one_in(15);
            let mut sum = 0;
            for (count, line) in counts.iter_mut().zip(&mut lines) {
                *count += self.random.below(6);
                sum += *count;
                let _ = if gap {
                    write!(line.values, "_ ")
                } else {
                    write!(line.values, "{sum} ")
                };
            }
        }
        lines
    }

    pub(super) fn case(&mut self) -> Case {
        let expr = if self.random.one_in(15) {
            self.scalar(3)
        } else {
            self.vector(3)
        };
        let t_ms = if self.random.one_in(2) {
            self.random.below(90) as i64 * 10_000
        } else {
            self.random.below(900_000) as i64
        };
        Case { expr, t_ms }
    }

    fn selector(&mut self) -> String {
        let name = self
            .random
            .pick(&["c_total", "d_total", "g", "one", "h_bucket", "nothing"]);
        let matchers = self.random.pick(&[
            "",
            "",
            "{a=\"x\"}",
            "{a!=\"x\"}",
            "{a=~\"x|y\"}",
            "{b!~\"q.*\"}",
            "{b=\"\"}",
            "{a=~\".+\",b=\"p\"}",
        ]);
        format!("{name}{matchers}")
    }

    fn shift(&mut self) -> String {
        match self.random.below(12) {
            0 => " offset 30s".to_owned(),
            1 => " offset -45s".to_owned(),
            2 => " @ 300".to_owned(),
            3 => " @ end() offset 1m".to_owned(),
            4 => " @ start()".to_owned(),
            _ => String::new(),
        }
    }

    fn range(&mut self, depth: u32) -> String {
        let length = self.random.pick(&["20s", "45s", "1m", "3m", "5m"]);
        if depth > 0 && self.random.one_in(4) {
            let step = self.random.pick(&["", "10s", "30s", "1m", "7s"]);
            let inner = self.vector(depth - 1);
            let shift = self.shift();
            return format!("({inner})[{length}:{step}]{shift}");
        }
        let selector = self.selector();
        let shift = self.shift();
        format!("{selector}[{length}]{shift}")
    }

    fn scalar(&mut self, depth: u32) -> String {
        match self.random.below(if depth == 0 { 3 } else { 6 }) {
            0 => self
                .random
                .pick(&["0", "1", "2.5", "-3", "0.5", "100"])
                .to_owned(),
            1 => "time()".to_owned(),
            2 => "pi()".to_owned(),
            3 => format!("scalar({})", self.vector(depth - 1)),
            4 => {
                let operator = self.random.pick(&["+", "-", "*", "/", "%", "^", "atan2"]);
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!("({left} {operator} {right})")
            }
            _ => {
                let operator = self.random.pick(&["==", "!=", ">", "<", ">=", "<="]);
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!("({left} {operator} bool {right})")
            }
        }
    }

    fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return format!("{}{}", self.selector(), self.shift());
        }
        match self.random.below(20) {
            0 | 1 => format!("{}{}", self.selector(), self.shift()),
            2..=5 => self.windowed(depth - 1),
            6..=8 => self.aggregated(depth - 1),
            9..=12 => self.combined(depth - 1),
            13 | 14 => self.mapped(depth - 1),
            15 => self.histogram_function(),
            16 => format!("-({})", self.vector(depth - 1)),
            17 => format!("vector({})", self.scalar(depth - 1)),
            18 => self.relabelled(depth - 1),
            _ => match self.random.below(5) {
                0 => format!("absent({})", self.vector(depth - 1)),
                1 => format!("absent_over_time({})", self.range(depth - 1)),
                2 => format!("timestamp({}{})", self.selector(), self.shift()),
                3 => format!("timestamp({})", self.vector(depth - 1)),
                _ => format!("sort({})", self.vector(depth - 1)),
            },
        }
    }

    fn windowed(&mut self, depth: u32) -> String {
        let range = self.range(depth);
        if self.experimental && self.random.one_in(3) {
            return match self.random.below(4) {
                0 => format!("double_exponential_smoothing({range}, 0.3, 0.7)"),
                1 => format!("ts_of_max_over_time({range})"),
                2 => format!("ts_of_min_over_time({range})"),
                _ => format!("mad_over_time({range})"),
            };
        }
        match self.random.below(24) {
            0 => format!("predict_linear({range}, {})", self.scalar(0)),
            1 => format!(
                "quantile_over_time({}, {range})",
                self.random.pick(&["0", "0.3", "0.9", "1", "2", "-1"])
            ),
            _ => {
                let function = self.random.pick(&[
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

    fn grouping(&mut self) -> &'static str {
        self.random.pick(&[
            "",
            "by (a)",
            "by (b)",
            "by (a, b)",
            "without (a)",
            "without (b, le)",
            "by (nope)",
            "without ()",
            "by (__name__)",
        ])
    }

    fn aggregated(&mut self, depth: u32) -> String {
        let grouping = self.grouping();
        let inner = self.vector(depth);
        // Which of several equal elements topk takes is random in promtool; only at the top can the
        // answers be compared by value.
        let outermost = depth == 2;
        match self.random.below(14) {
            0 if outermost => format!(
                "topk {grouping} ({}, {inner})",
                self.random.pick(&["1", "2", "0", "9"])
            ),
            1 if outermost => format!(
                "bottomk {grouping} ({}, {inner})",
                self.random.pick(&["1", "3"])
            ),
            2 => format!(
                "quantile {grouping} ({}, {inner})",
                self.random.pick(&["0.5", "0.95", "1.5", "-1"])
            ),
            3 => format!("count_values {grouping} (\"v\", {inner})"),
            _ => {
                let operator = self.random.pick(&[
                    "sum", "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar",
                ]);
                format!("{operator} {grouping} ({inner})")
            }
        }
    }

    fn combined(&mut self, depth: u32) -> String {
        let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"];
        let comparison = ["==", "!=", ">", "<", ">=", "<="];
        let left = self.vector(depth);
        match self.random.below(6) {
            0 | 1 => {
                let scalar = self.scalar(depth);
                let operator = match self.random.below(3) {
                    0 => self.random.pick(&arithmetic).to_owned(),
                    1 => self.random.pick(&comparison).to_owned(),
                    _ => format!("{} bool", self.random.pick(&comparison)),
                };
                if self.random.one_in(2) {
                    format!("({left}) {operator} {scalar}")
                } else {
                    format!("{scalar} {operator} ({left})")
                }
            }
            2 => {
                let set = self.random.pick(&["and", "or", "unless"]);
                let on = self.random.pick(&["", "on (a)", "ignoring (b)", "on ()"]);
                format!("({left}) {set} {on} ({})", self.vector(depth))
            }
            3 => {
                let operator = self.random.pick(&["*", "+", ">", "=="]);
                let group = self.random.pick(&["group_left ()", "group_left (c)"]);
                format!("({left}) {operator} on (a) {group} one")
            }
            4 => {
                let group = self.random.pick(&["group_right ()", "group_right (c)"]);
                let operator = self.random.pick(&["-", "<=", "!= bool"]);
                format!("one {operator} on (a) {group} ({left})")
            }
            _ => {
                let operator = match self.random.below(3) {
                    0 => self.random.pick(&arithmetic).to_owned(),
                    1 => self.random.pick(&comparison).to_owned(),
                    _ => format!("{} bool", self.random.pick(&comparison)),
                };
                let on = self
                    .random
                    .pick(&["", "", "on (a, b)", "ignoring (b)", "on (a)"]);
                format!("({left}) {operator} {on} ({})", self.vector(depth))
            }
        }
    }

    fn mapped(&mut self, depth: u32) -> String {
        let inner = self.vector(depth);
        match self.random.below(8) {
            0 => format!("clamp({inner}, {}, {})", self.scalar(0), self.scalar(0)),
            1 => format!("clamp_min({inner}, {})", self.scalar(0)),
            2 => format!("clamp_max({inner}, {})", self.scalar(0)),
            3 => format!("round({inner}, {})", self.random.pick(&["0.1", "5", "0"])),
            _ => {
                let function = self.random.pick(&[
                    "abs",
                    "ceil",
                    "floor",
                    "exp",
                    "ln",
                    "log2",
                    "log10",
                    "sqrt",
                    "sgn",
                    "round",
                    "minute",
                    "hour",
                    "day_of_week",
                    "day_of_month",
                    "day_of_year",
                    "days_in_month",
                    "month",
                    "year",
                    "deg",
                    "rad",
                    "atan",
                    "tanh",
                    "histogram_count",
                ]);
                format!("{function}({inner})")
            }
        }
    }

    fn histogram_function(&mut self) -> String {
        let range = self.random.pick(&["1m", "3m", "45s"]);
        let inner = self.random.pick(&[
            "rate(h_bucket[R])",
            "sum by (le) (rate(h_bucket[R]))",
            "h_bucket",
            "sum by (le, a) (increase(h_bucket{le!=\"0.5\"}[R]))",
            "rate(h_bucket{le!=\"+Inf\"}[R])",
        ]);
        let inner = inner.replace('R', range);
        if self.random.one_in(4) {
            let (low, high) = (
                self.random.pick(&["0", "0.05", "0.5", "-1"]),
                self.random.pick(&["0.2", "0.5", "3", "+Inf"]),
            );
            return format!("histogram_fraction({low}, {high}, {inner})");
        }
        let q = self
            .random
            .pick(&["0.5", "0.9", "0.99", "0", "1", "1.2", "-0.1", "NaN"]);
        format!("histogram_quantile({q}, {inner})")
    }

    fn relabelled(&mut self, depth: u32) -> String {
        let inner = self.vector(depth);
        if self.random.one_in(2) {
            let replacement = self.random.pick(&["$1", "pre-$1", "", "${1}x"]);
            let source = self.random.pick(&["a", "b", "__name__", "nope"]);
            let target = self.random.pick(&["dst", "a", "b"]);
            let pattern = self.random.pick(&["(.*)", "(x|y)", "([a-z])_.*", "p()"]);
            format!(
                "label_replace({inner}, \"{target}\", \"{replacement}\", \"{source}\", \"{pattern}\")"
            )
        } else {
            format!("label_join({inner}, \"dst\", \"-\", \"a\", \"b\")")
        }
    }
}
