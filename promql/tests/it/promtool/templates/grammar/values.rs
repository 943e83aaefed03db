//! Random expressions of each type.

use super::{Grammar, Type};

impl Grammar {
    pub(super) fn text(&mut self, depth: u32) -> String {
        let kinds = if depth == 0 { 3 } else { 22 };
        let depth = depth.saturating_sub(1);
        match self.random.below(kinds) {
            0 => self
                .random
                .pick(&[
                    "\"\"",
                    "\"a b\"",
                    "`raw \\n`",
                    "\"x\\ty\"",
                    "\"A.b:c_d-e o'neil 3com\"",
                    "\"1m30s\"",
                    "\"3.25\"",
                    "\"é\"",
                    "\"h.example.org:8080\"",
                ])
                .to_owned(),
            1 => self
                .random
                .pick(&[
                    "$labels.a",
                    "$labels.host",
                    "$labels.none",
                    "$.Labels.a",
                    "$externalLabels.region",
                    "$labels.__name__",
                ])
                .to_owned(),
            2 => "$externalURL".to_owned(),
            3..=5 => {
                let name = self.random.pick(&[
                    "humanize",
                    "humanize1024",
                    "humanizeDuration",
                    "humanizePercentage",
                    "humanizeTimestamp",
                ]);
                let of = if self.random.one_in(5) {
                    Type::Int
                } else {
                    Type::Float
                };
                if self.random.one_in(2) {
                    format!("{name} {}", self.arg(of, depth))
                } else {
                    format!("{} | {name}", self.expr(of, depth))
                }
            }
            6..=8 => {
                let name = self.random.pick(&[
                    "toUpper",
                    "toLower",
                    "title",
                    "stripPort",
                    "stripDomain",
                    "graphLink",
                    "tableLink",
                    "html",
                    "js",
                    "urlquery",
                    "print",
                    "safeHtml",
                ]);
                if self.random.one_in(2) {
                    format!("{name} {}", self.arg(Type::Text, depth))
                } else {
                    format!("{} | {name}", self.expr(Type::Text, depth))
                }
            }
            kind => self.longer_text(kind, depth),
        }
    }

    fn longer_text(&mut self, kind: u64, depth: u32) -> String {
        match kind {
            9 => {
                let pattern =
                    self.random
                        .pick(&["\"(.)\"", "\"[a-z]+\"", "`(\\d+)\\.(\\d)`", "\"o*\""]);
                let with =
                    self.random
                        .pick(&["\"<$1>\"", "\"\"", "\"${1}x\"", "\"$1x\"", "\"$$\""]);
                format!(
                    "reReplaceAll {pattern} {with} {}",
                    self.arg(Type::Text, depth)
                )
            }
            10 => format!(
                "label {} {}",
                self.random.pick(&["\"a\"", "\"b\"", "\"z\""]),
                self.arg(Type::Sample, depth)
            ),
            11 => format!("{} | label \"a\"", self.expr(Type::Sample, depth)),
            12 => format!("strvalue {}", self.arg(Type::Sample, depth)),
            13 => format!("index {} \"a\"", self.arg(Type::Labels, depth)),
            14 => format!("({}).Labels.a", self.expr(Type::Sample, depth)),
            15 => {
                let (a, b) = (self.random.below(4), self.random.below(6));
                format!(
                    "slice {} {a} {b}",
                    self.random.pick(&["$labels.host", "$externalURL", "\"\""])
                )
            }
            16 | 17 => self.printf(depth),
            18 => {
                let count = self.random.below(4);
                let args: Vec<String> = (0..count)
                    .map(|_| {
                        let of = self.scalar_type();
                        self.arg(of, depth)
                    })
                    .collect();
                let name = self.random.pick(&["print", "println", "html", "urlquery"]);
                format!("{name} {}", args.join(" "))
            }
            19 => format!(
                "or {} {}",
                self.arg(Type::Text, depth),
                self.arg(Type::Text, depth)
            ),
            20 => format!(
                "toTime {}",
                self.random.pick(&[
                    "0",
                    "1.5",
                    "1e9",
                    "-1.25",
                    "$value",
                    "951782400.999",
                    "\"12\""
                ])
            ),
            _ => format!(
                "(toTime {}).Format \"2006-01-02T15:04:05 Jan _2 Mon\"",
                self.random.pick(&["0", "1.5e9", "-86400", "68169600"])
            ),
        }
    }

    fn scalar_type(&mut self) -> Type {
        [Type::Text, Type::Float, Type::Int, Type::Bool][self.random.below(4) as usize]
    }

    fn printf(&mut self, depth: u32) -> String {
        let mut format = String::new();
        let mut args = Vec::new();
        for _ in 0..=self.random.below(3) {
            let of = self.scalar_type();
            let verb = match of {
                Type::Text => self
                    .random
                    .pick(&["s", "v", "q", "x", "d", "10s", "-8s|", ".2s", "X"]),
                Type::Float => self.random.pick(&[
                    "f", ".2f", "8.3f", "-9.1f|", "+.1f", "v", "g", ".3g", "e", ".1e", "E", "G",
                    "d", "s", "08.2f", " .1f", "6.2f%%", ".0f", "t",
                ]),
                Type::Int => self.random.pick(&[
                    "d", "5d", "-5d|", "05d", "+d", "x", "X", "#x", "b", "o", "c", "q", "U", "v",
                    "s", "f", ".3d", " d",
                ]),
                _ => self.random.pick(&["t", "v", "6t", "d", "s"]),
            };
            format.push_str(self.random.pick(&["", " ", "a", "é "]));
            format.push('%');
            format.push_str(verb);
            args.push(self.arg(of, depth));
        }
        if self.random.one_in(10) {
            args.pop();
        }
        if self.random.one_in(10) {
            args.push("1".to_owned());
        }
        if self.random.one_in(20) {
            format.push_str(" %");
        }
        format!("printf \"{format}\" {}", args.join(" "))
    }

    pub(super) fn float(&mut self, depth: u32) -> String {
        let kinds = if depth == 0 { 2 } else { 6 };
        let depth = depth.saturating_sub(1);
        match self.random.below(kinds) {
            0 => self
                .random
                .pick(&["$value", ".Value", "$.Value", "$value"])
                .replace(
                    ".Value",
                    if self.dot.is_some() {
                        "$value"
                    } else {
                        ".Value"
                    },
                )
                .replace("$$value", "$value"),
            1 => self
                .random
                .pick(&["1.0", "0.0", "-2.5", "1e3", "1234567.5", "1.", ".5", "1e-7"])
                .to_owned(),
            2 => format!("value {}", self.arg(Type::Sample, depth)),
            3 => format!("{} | value", self.expr(Type::Sample, depth)),
            4 => format!("({}).Value", self.expr(Type::Sample, depth)),
            _ => format!(
                "parseDuration {}",
                self.random.pick(&[
                    "\"1m\"",
                    "\"1h30m\"",
                    "\"0\"",
                    "\"250ms\"",
                    "\"x\"",
                    "\"5m1h\"",
                    "\"1y\"",
                    "\"5\"",
                    "\"5q\"",
                    "\"\"",
                    "\"300y\""
                ])
            ),
        }
    }

    pub(super) fn int(&mut self, depth: u32) -> String {
        let kinds = if depth == 0 { 1 } else { 4 };
        let depth = depth.saturating_sub(1);
        match self.random.below(kinds) {
            0 => self
                .random
                .pick(&["0", "1", "-3", "42", "0x1f", "'a'", "017", "1_000"])
                .to_owned(),
            1 => format!("len {}", self.arg(Type::Text, depth)),
            2 => format!("len {}", self.arg(Type::Vector, depth)),
            _ => format!("len {}", self.arg(Type::Labels, depth)),
        }
    }

    pub(super) fn bool(&mut self, depth: u32) -> String {
        let kinds = if depth == 0 { 1 } else { 8 };
        let depth = depth.saturating_sub(1);
        match self.random.below(kinds) {
            0 => self.random.pick(&["true", "false"]).to_owned(),
            1..=3 => {
                let of = [Type::Text, Type::Float, Type::Int][self.random.below(3) as usize];
                let name = self.random.pick(&["eq", "ne", "lt", "le", "gt", "ge"]);
                format!("{name} {} {}", self.arg(of, depth), self.arg(of, depth))
            }
            4 => format!(
                "match {} {}",
                self.random.pick(&["\"a\"", "\"^h\"", "`\\d`", "\"\""]),
                self.arg(Type::Text, depth)
            ),
            5 => {
                let of = self.any_type();
                format!("not {}", self.arg(of, depth))
            }
            6 => format!(
                "and {} {}",
                self.arg(Type::Bool, depth),
                self.arg(Type::Bool, depth)
            ),
            _ => format!(
                "eq {} {} {}",
                self.arg(Type::Int, depth),
                self.arg(Type::Int, depth),
                self.arg(Type::Int, depth)
            ),
        }
    }

    pub(super) fn labels(&mut self, depth: u32) -> String {
        match self.random.below(if depth == 0 { 1 } else { 3 }) {
            0 => self.random.pick(&["$labels", "$externalLabels"]).to_owned(),
            1 => format!(
                "({}).Labels",
                self.expr(Type::Sample, depth.saturating_sub(1))
            ),
            _ => "$.Labels".to_owned(),
        }
    }

    pub(super) fn vector(&mut self, depth: u32) -> String {
        let sorted = self.random.pick(&[
            "query \"sort(q)\"",
            "query \"sort_desc(q)\"",
            "query \"single\"",
            "query \"nope\"",
            "query \"sort(q > 5)\"",
            "query \"vector(3)\"",
            "query \"7\"",
            "query \"sum(q)\"",
        ]);
        if depth == 0 || self.random.one_in(2) {
            return sorted.to_owned();
        }
        match self.random.below(3) {
            0 => format!("{sorted} | sortByLabel \"a\""),
            1 => "query \"q\" | sortByLabel \"a\"".to_owned(),
            _ => format!("sortByLabel \"b\" ({sorted})"),
        }
    }

    pub(super) fn sample(&mut self, depth: u32) -> String {
        match self.random.below(3) {
            0 => "query \"single\" | first".to_owned(),
            1 => format!(
                "index {} 0",
                self.arg(Type::Vector, depth.saturating_sub(1))
            ),
            _ => format!(
                "{} | first",
                self.expr(Type::Vector, depth.saturating_sub(1))
            ),
        }
    }
}
