//! Instant vectors and scalars.

use super::{DEPTH, Generator};

const COMPARISON: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];
const ARITHMETIC: [&str; 7] = ["+", "-", "*", "/", "%", "^", "atan2"];

impl Generator {
    pub(super) fn arithmetic(&mut self) -> &'static str {
        self.pick(&ARITHMETIC)
    }

    pub(super) fn comparison(&mut self) -> &'static str {
        self.pick(&COMPARISON)
    }

    pub(super) fn selector(&mut self) -> String {
        let rare = self.random.one_in(5);
        let name = self.pick(if rare {
            &[
                "s",
                "s",
                "huge",
                "tiny",
                "date",
                "bare",
                "lines",
                "const",
                "odd_bucket",
                "bare2",
            ]
        } else {
            &["c_total", "d_total", "g", "one", "h_bucket", "nothing"]
        });
        if self.random.one_in(16) {
            let odd = self.pick(&[
                "{__name__=\"g\"}",
                "{__name__=~\"c_total|d_total\"}",
                "{__name__=~\"[cd]_total\",a=\"x\"}",
                "{__name__!~\"h_.*\",a=~\"x.y\"}",
                "{a=\"x\\ny\"}",
                "{__name__=~\"bare.*\"}",
                "{__name__=~\".*\",b=\"p\"}",
            ]);
            return odd.to_owned();
        }
        if self.is_new() && self.random.one_in(40) {
            let quoted = self.pick(&[
                "{\"utf.8\"}",
                "{\"utf.8\",\"l.1\"=\"ü\"}",
                "{\"l.1\"=~\".\"}",
            ]);
            return quoted.to_owned();
        }
        let matchers = self.pick(&[
            "",
            "",
            "",
            "{}",
            "{a=\"x\"}",
            "{a!=\"x\"}",
            "{a=~\"x|y\"}",
            "{a=~\"x.y\"}",
            "{a=~\"x\\\\ny\"}",
            "{a=~\"(?i:X)\"}",
            "{a=~\"[^x]\"}",
            "{a=~\"\\\\w\"}",
            "{a=~\"\\\\Qq.w\\\\E\"}",
            "{a!~\"y|z|\"}",
            "{b!~\"q.*\"}",
            "{b=\"\"}",
            "{b!=\"\"}",
            "{b=~\".*\"}",
            "{b=~\".+\",}",
            "{le=\"1\"}",
            "{nope=\"\"}",
            "{nope!=\"x\", a!~\"\"}",
            "{a=~\".+\",b=\"p\"}",
            "{a=\"x\",a=~\"x|y\"}",
        ]);
        format!("{name}{matchers}")
    }

    /// `offset` and `@`, in either order.
    pub(super) fn shift(&mut self) -> String {
        if !self.random.one_in(3) {
            return String::new();
        }
        let offset = self.pick(&["30s", "-45s", "1m", "7s", "2m3s500ms", "-1ms"]);
        let at = self.pick(&["300", "0", "512.345", "start()", "end()", "+60", "1e2"]);
        match self.random.below(6) {
            0 | 1 => format!(" offset {offset}"),
            2 | 3 => format!(" @ {at}"),
            4 => format!(" @ {at} offset {offset}"),
            _ => format!(" offset {offset} @ {at}"),
        }
    }

    pub(super) fn scalar(&mut self, depth: u32) -> String {
        match self.random.below(if depth == 0 { 4 } else { 9 }) {
            0 | 1 => self
                .pick(&[
                    "0", "1", "2.5", "-3", "0.5", "100", "1e3", "0x1f", "Inf", "-Inf", "NaN", ".5",
                    "+7", "1e-9", "017",
                ])
                .to_owned(),
            2 => "time()".to_owned(),
            3 => "pi()".to_owned(),
            4 => format!("scalar({})", self.vector(depth - 1)),
            5 => format!("-({})", self.scalar(depth - 1)),
            6 | 7 => {
                let operator = self.arithmetic();
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!("({left} {operator} {right})")
            }
            _ => {
                let operator = self.comparison();
                let (left, right) = (self.scalar(depth - 1), self.scalar(depth - 1));
                format!("({left} {operator} bool {right})")
            }
        }
    }

    pub(super) fn vector(&mut self, depth: u32) -> String {
        if depth == 0 {
            return format!("{}{}", self.selector(), self.shift());
        }
        match self.random.below(24) {
            0 | 1 => format!("{}{}", self.selector(), self.shift()),
            2..=6 => self.windowed(depth - 1),
            7..=9 => self.aggregated(depth - 1),
            10..=13 => self.combined(depth - 1),
            14..=16 => self.mapped(depth - 1),
            17 => self.calendar(depth - 1),
            18 => self.histogram_function(),
            19 => format!("-({})", self.vector(depth - 1)),
            20 => format!("vector({})", self.scalar(depth - 1)),
            21 => self.relabelled(depth - 1),
            _ => self.special(depth - 1),
        }
    }

    fn special(&mut self, depth: u32) -> String {
        match self.random.below(8) {
            0 => format!("absent({})", self.vector(depth)),
            1 => format!("absent({})", self.selector()),
            2 => format!("absent_over_time({})", self.range(depth)),
            3 => format!("timestamp({}{})", self.selector(), self.shift()),
            4 => format!("timestamp({})", self.vector(depth)),
            5 => format!("sort({})", self.vector(depth)),
            6 if self.dialect.experimental && self.dialect.profile > promql::Profile::V2_42 => {
                let function = self.pick(&["sort_by_label", "sort_by_label_desc"]);
                format!("{function}({}, \"b\", \"a\")", self.vector(depth))
            }
            _ => format!("sort_desc({})", self.vector(depth)),
        }
    }

    fn mapped(&mut self, depth: u32) -> String {
        let inner = self.vector(depth);
        match self.random.below(12) {
            0 => format!("clamp({inner}, {}, {})", self.scalar(1), self.scalar(1)),
            1 => format!("clamp_min({inner}, {})", self.scalar(1)),
            2 => format!("clamp_max({inner}, {})", self.scalar(1)),
            3 => {
                let to = self.pick(&["0.1", "5", "0", "-2", "1e-3", "Inf"]);
                format!("round({inner}, {to})")
            }
            _ => {
                let function = self.pick(&[
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
                    "deg",
                    "rad",
                    "acos",
                    "acosh",
                    "asin",
                    "asinh",
                    "atan",
                    "atanh",
                    "cos",
                    "cosh",
                    "sin",
                    "sinh",
                    "tan",
                    "tanh",
                    "histogram_count",
                    "histogram_sum",
                    "histogram_avg",
                    "histogram_stddev",
                    "histogram_stdvar",
                ]);
                format!("{function}({inner})")
            }
        }
    }

    fn calendar(&mut self, depth: u32) -> String {
        let function = self.pick(&[
            "minute",
            "hour",
            "day_of_week",
            "day_of_month",
            "day_of_year",
            "days_in_month",
            "month",
            "year",
        ]);
        match self.random.below(4) {
            0 => format!("{function}()"),
            1 => format!("{function}(date{})", self.shift()),
            _ => format!("{function}({})", self.vector(depth)),
        }
    }

    fn relabelled(&mut self, depth: u32) -> String {
        let inner = self.vector(depth);
        if self.random.one_in(2) {
            let replacement =
                self.pick(&["$1", "pre-$1", "", "${1}x", "$$1", "$0", "$name", "${x"]);
            let source = self.pick(&["a", "b", "__name__", "nope"]);
            let target = self.pick(&["dst", "a", "b", "__name__", "not-a-name", ""]);
            let pattern = self.pick(&[
                "(.*)",
                "(x|y)",
                "([a-z])_.*",
                "p()",
                "(?P<name>.)",
                "x(.)y",
                "",
            ]);
            format!(
                "label_replace({inner}, \"{target}\", \"{replacement}\", \"{source}\", \"{pattern}\")"
            )
        } else {
            let target = self.pick(&["dst", "a", "__name__", "bad name"]);
            let sources = self.pick(&[
                "",
                ", \"a\"",
                ", \"a\", \"b\"",
                ", \"__name__\", \"nope\", \"a\"",
                ", \"with space\"",
            ]);
            format!("label_join({inner}, \"{target}\", \"-\"{sources})")
        }
    }

    fn grouping(&mut self) -> &'static str {
        self.pick(&[
            "",
            "by (a)",
            "by (b)",
            "by (a, b)",
            "by (b, a, a)",
            "without (a)",
            "without (b, le)",
            "by (nope)",
            "without ()",
            "by ()",
            "by (__name__)",
            "by (__name__, a)",
        ])
    }

    fn aggregated(&mut self, depth: u32) -> String {
        let grouping = self.grouping();
        let inner = self.vector(depth);
        let outermost = depth + 1 == DEPTH;
        let arguments = match self.random.below(14) {
            // Which of several equal elements topk takes is random in promtool; only at the top
            // can the answers be compared by value.
            0 if outermost => {
                let function = self.pick(&["topk", "bottomk"]);
                let count = match self.random.below(3) {
                    0 => self.scalar(1),
                    _ => self.pick(&["1", "2", "0", "3.9", "9", "-1"]).to_owned(),
                };
                (function, format!("({count}, {inner})"))
            }
            1 => ("quantile", format!("({}, {inner})", self.quantile())),
            2 => {
                let label = self.pick(&["v", "v", "a", "__name__", "not-a-name", ""]);
                ("count_values", format!("(\"{label}\", {inner})"))
            }
            _ => {
                let function = self.pick(&[
                    "sum", "sum", "avg", "avg", "count", "min", "max", "group", "stddev", "stdvar",
                ]);
                (function, format!("({inner})"))
            }
        };
        if self.random.one_in(2) {
            format!("{} {grouping} {}", arguments.0, arguments.1)
        } else {
            format!("{}{} {grouping}", arguments.0, arguments.1)
        }
    }

    pub(super) fn quantile(&mut self) -> String {
        if self.random.one_in(3) {
            return self.scalar(1);
        }
        self.pick(&["0", "0.3", "0.5", "0.9", "0.95", "1", "2", "-1", "NaN"])
            .to_owned()
    }
}
